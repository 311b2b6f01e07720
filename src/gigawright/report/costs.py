"""What a unit of work costs: the programme's cost shared out by accelerators x quarters of work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from gigawright.report.view import TINY, View
from gigawright.workloads.demand import worth_usd
from gigawright.workloads.units import UNITS

if TYPE_CHECKING:
    from gigawright.evaluate import Result

COLUMNS = [
    "group",
    "unit",
    "accelerator_quarters",
    "share",
    "cost_musd",
    "worth_musd",
    "units",
    "usd_per_unit",
]
HOW = (
    "The programme's cost (discounted payments for capital, leases, energy and people, less the "
    "discounted value "
    "left at the end) is shared out by accelerators x quarters at work, each quarter discounted like the "
    "money; "
    "idle accelerators are carried by those at work. A group's cost is divided by its discounted units, "
    "as for "
    "a levelised cost of energy. What stood before the horizon has no purchase price in it, so a group "
    "served "
    "by old machines looks no cheaper than one served by new ones."
)


def unit_costs(result: Result) -> pd.DataFrame:
    """Levelised cost of a unit by group and unit of work.

    Columns: group, unit, accelerator_quarters (discounted), share (of all work), cost_musd (discounted),
    worth_musd (discounted), units (discounted), usd_per_unit = cost x 1e6 / units. A group with several
    units shares its cost by the work of each. The costs add up to the programme's cost.
    """
    view = View(result)
    effort = _effort(view)
    total = effort["accelerator_quarters"].sum()
    if effort.empty or total <= TINY:
        return pd.DataFrame(columns=COLUMNS)
    effort["share"] = effort["accelerator_quarters"] / total
    effort["cost_musd"] = effort["share"] * view.cost_musd
    found = effort.join(_delivered(view)).fillna(0.0).reset_index()
    found["usd_per_unit"] = found["cost_musd"] * 1e6 / found["units"].where(found["units"] > TINY)
    order = {group: i for i, group in enumerate(view.groups)}
    return found.sort_values("group", key=lambda names: names.map(order), kind="stable", ignore_index=True)[
        COLUMNS
    ]


def _effort(view: View) -> pd.DataFrame:
    """Discounted accelerator-quarters at work by (group, unit)."""
    work = view.table("work")
    if work.empty:
        return pd.DataFrame(columns=["accelerator_quarters"])
    unit_of_workload = _unit_of_workload(view)
    workload_of_phase = {phase.name: phase.workload for phase in view.result.performance.phases}
    effort = work["accelerators"] * work["quarter"].map(view.discount)
    keys = [
        work["phase"].map(view.group_of_phase),
        work["phase"].map(workload_of_phase).map(unit_of_workload),
    ]
    return (
        effort.groupby([keys[0].rename("group"), keys[1].rename("unit")])
        .sum()
        .to_frame("accelerator_quarters")
    )


def _unit_of_workload(view: View) -> dict[str, str]:
    """The unit a workload's delivery is counted in: that of its last phase."""
    return {phase.workload: phase.unit for phase in view.result.performance.phases}


def _worth_of_workload(view: View) -> dict[str, float]:
    """The assumed value of a unit of each workload [USD]."""
    result = view.result
    return {workload.name: worth_usd(workload, result.catalogue) for workload in result.study.workloads}


def _delivered(view: View) -> pd.DataFrame:
    """Discounted units and worth by (group, unit); a training run counts when it is due."""
    frames = []
    service = view.table("service")
    if len(service):
        weight = service["quarter"].map(view.discount)
        rows = service[["group", "unit"]].assign(
            units=service["served"] * weight, worth_musd=service["worth_musd"] * weight
        )
        frames.append(rows)
    runs = view.table("programmes")
    if len(runs):
        when = [due if due in view.discount.index else view.quarters[-1] for due in runs["due"].astype(str)]
        weight = pd.Series([float(view.discount[due]) for due in when], index=runs.index)
        units = runs["workload"].map(_unit_of_workload(view))
        worth = runs["trained"] * runs["workload"].map(_worth_of_workload(view)) * weight * 1e-6
        frames.append(
            pd.DataFrame(
                {
                    "group": runs["group"],
                    "unit": units,
                    "units": runs["trained"] * weight,
                    "worth_musd": worth,
                }
            )
        )
    if not frames:
        return pd.DataFrame(columns=["units", "worth_musd"])
    return pd.concat(frames, ignore_index=True).groupby(["group", "unit"])[["units", "worth_musd"]].sum()


def per_reported_unit(usd_per_unit: float, unit: str) -> tuple[float, str]:
    """A unit's cost in the scale a report uses: per M output tokens, per 1,000 rankings, per image.

    >>> per_reported_unit(2e-6, "output-token"), per_reported_unit(0.0004, "ranking")
    ((2.0, 'per M output tokens'), (0.4, 'per 1,000 rankings'))
    """
    known = UNITS[unit]
    return usd_per_unit * known.scale, f"per {known.scaled if known.scale > 1 else known.singular}"
