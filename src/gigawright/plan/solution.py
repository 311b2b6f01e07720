"""The plan as named tables, in units people use, from the solver's arrays.

Each table is a pandas DataFrame; `TABLES` says what its columns mean. The checker and the report read these
tables alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gigawright.arrays import Floats
from gigawright.facility.dispatch.energy import FLOWS, SiteLife
from gigawright.facility.dispatch.quarters import PLANTS, plants_on_offer
from gigawright.linear import Solution
from gigawright.plan.money import capital_terms
from gigawright.plan.problem import DESIGNS, PROFILES, Problem

if TYPE_CHECKING:
    from gigawright.plan.numbers import Preparation

TINY = 1e-7

TABLES: dict[str, str] = {
    "orders": "what is bought, leased or retired: site, system, tenure (own, lease), order_quarter, action, "
    "arrival_quarter, accelerators, cost_musd (of a purchase, undiscounted)",
    "fleet": "what stands: site, system, tenure, quarter, accelerators, it_mw (nameplate; 0 for leased)",
    "construction": "halls and lines started: site, what (air, liquid, grid), start_quarter, "
    "ready_quarter, mw, cost_musd",
    "capacity": "halls and lines standing: site, what, quarter, mw",
    "work": "accelerators at work: zone, system, tenure, phase, quarter, accelerators",
    "service": "delivery: zone, region, workload, group, unit, quarter, served_peak_per_s, "
    "served (units in the quarter), worth_musd",
    "felt": "what users will feel of language models, by workload, region, quarter: load of prefill (ttft) "
    "and decode (tpot) over their full pace, median and 99th percentile of the first token (network_s "
    "included) and of the others, at the region's peak hour and at the mean of its day",
    "demand": "demand: region, workload, group, unit, quarter, demand_peak_per_s, demanded, unmet, "
    "worth_lost_musd",
    "programmes": "training runs: programme, workload, group, start, due, tokens, trained, late_tokens",
    "staff": "people: role, market, quarter, staff, hired, bought_in, pay_musd",
    "load": "IT load at the profile's peak: site, design, profile, quarter, mw",
    "contracts": "contracted generation and storage: site, technology, quarter, mw",
    "energy": "by site and quarter: it_mwh, site_mwh, import_mwh, solar_mwh, wind_mwh, plant_mwh, shed_mwh, "
    "peak_mw, import_cost_musd, plant_cost_musd (fuel and operation), demand_charge_musd, "
    "contract_cost_musd, emission_t, water_m3",
    "green": "certified green power: site, year, gwh",
    "payments": "nominal payments: quarter, kind (capital, leasing, operating), category, site, musd",
    "dispatch": "every hour: site, quarter, hour, need_mw, solar_mw, wind_mw, import_mw, charge_mw, "
    "discharge_mw, stored_mwh, shed_mw, and the power of each kind of plant on offer",
    "sensitivity": "were a group's work worth factor times as much, halls free and in fractions: group, "
    "factor, served_share (of the group's worth), accelerators (bought in all), purchases_musd",
    "prices": "shadow prices, halls and lines as decided: rule, where, quarter, value_musd, unit, words",
}


@dataclass(frozen=True)
class Plan:
    """A solved plan: its tables, and the numbers that say how good it is.

    `summary` holds objective, bound, cost and worth [M USD discounted], gaps, sizes and seconds.
    """

    problem: Problem
    tables: Mapping[str, pd.DataFrame]
    summary: Mapping[str, float]
    zones: Mapping[str, tuple[str, ...]]
    why_not: Mapping[tuple[str, str], str] = field(default_factory=dict)


def long_table(name: str, values: Floats, **dims: tuple[str, ...]) -> pd.DataFrame:
    """Nonzero entries of an array as rows: one column a dimension, and `name`."""
    places = np.nonzero(np.abs(values) > TINY)
    columns = {
        dim: np.array(labels)[place] for (dim, labels), place in zip(dims.items(), places, strict=True)
    }
    return pd.DataFrame({**columns, name: values[places]})


def _tenure(problem: Problem, table: pd.DataFrame) -> pd.DataFrame:
    """Split the offer's label into system and tenure."""
    index = {label: i for i, label in enumerate(problem.sets.offers)}
    k = table.pop("offer").map(index).to_numpy(dtype=int)
    table.insert(1, "system", np.array(problem.offers.system)[k])
    table.insert(2, "tenure", np.where(problem.offers.leased[k], "lease", "own"))
    return table


def order_tables(problem: Problem, x: Solution) -> dict[str, pd.DataFrame]:
    """orders, fleet, construction and capacity."""
    sets, offers = problem.sets, problem.offers
    places = {"site": sets.sites, "offer": sets.offers, "quarter": sets.q}
    frames = []
    for action in ("buy", "lease", "retire"):
        rows = long_table("kacc", x.of(action), **places)
        k = rows["offer"].map({label: i for i, label in enumerate(sets.offers)}).to_numpy(dtype=int)
        s = rows["site"].map({label: i for i, label in enumerate(sets.sites)}).to_numpy(dtype=int)
        q = rows["quarter"].map({label: i for i, label in enumerate(sets.q)}).to_numpy(dtype=int)
        lead = np.where(action == "retire", 0, offers.lead[k])
        rows["action"] = action
        rows["arrival_quarter"] = [
            str(sets.quarters[i] + int(after)) for i, after in zip(q, lead, strict=True)
        ]
        rows["cost_musd"] = rows["kacc"] * offers.price[s, k, q] if action == "buy" else 0.0
        frames.append(_tenure(problem, rows))
    orders = pd.concat(frames, ignore_index=True).rename(columns={"quarter": "order_quarter"})
    orders["accelerators"] = orders.pop("kacc") * 1e3
    fleet = _tenure(problem, long_table("kacc", x.of("fleet"), **places))
    kw = {(s, bool(r)): w for s, r, w in zip(offers.system, offers.leased, offers.kw_max, strict=True)}
    draw = [kw[s, t == "lease"] for s, t in zip(fleet["system"], fleet["tenure"], strict=True)]
    fleet["it_mw"] = fleet["kacc"] * np.array(draw, float)
    fleet["accelerators"] = fleet.pop("kacc") * 1e3
    return {"orders": orders, "fleet": fleet, **_building_tables(problem, x)}


def _building_tables(problem: Problem, x: Solution) -> dict[str, pd.DataFrame]:
    sets, build = problem.sets, problem.build
    starts, stands = [], []
    for what, order, stock, size, lead, cost in (
        ("halls", "hall_start", "halls", build.hall_module_mw, build.hall_lead, build.hall_cost),
        ("grid", "grid_start", "grid", build.grid_stage_mw, build.grid_lead, build.grid_cost[:, None]),
    ):
        labels = DESIGNS if what == "halls" else ("grid",)
        shape = (len(sets.sites), len(labels), len(sets.q))
        dims = {"site": sets.sites, "what": labels, "quarter": sets.q}
        rows = long_table("count", np.round(x.of(order)).reshape(shape), **dims)
        s = rows["site"].map({label: i for i, label in enumerate(sets.sites)}).to_numpy(dtype=int)
        d = rows["what"].map({label: i for i, label in enumerate(labels)}).to_numpy(dtype=int)
        q = rows["quarter"].map({label: i for i, label in enumerate(sets.q)}).to_numpy(dtype=int)
        rows["ready_quarter"] = [str(sets.quarters[i] + int(lead[j])) for i, j in zip(q, s, strict=True)]
        rows["mw"] = rows.pop("count") * size
        rows["cost_musd"] = rows["mw"] * np.broadcast_to(cost, shape[:2])[s, d]
        starts.append(rows.rename(columns={"quarter": "start_quarter"}))
        stands.append(long_table("mw", x.of(stock).reshape(shape), **dims))
    return {
        "construction": pd.concat(starts, ignore_index=True),
        "capacity": pd.concat(stands, ignore_index=True),
    }


def work_tables(problem: Problem, x: Solution, p: Preparation) -> dict[str, pd.DataFrame]:
    """work, service, demand, programmes and staff."""
    sets, work = problem.sets, problem.work
    assign = long_table(
        "kacc", x.of("assign"), zone=sets.zones, offer=sets.offers, phase=sets.phases, quarter=sets.q
    )
    assign = _tenure(problem, assign)
    assign["accelerators"] = assign.pop("kacc") * 1e3
    hours = np.array([quarter.hours for quarter in sets.quarters])
    scale = work.reference[: len(sets.streams)]
    per_quarter = scale[None, :, None] * 3600.0 * hours * work.mean_share[..., None]
    flow, unmet = x.of("flow"), x.of("unmet")
    dims = {"region": sets.regions, "workload": sets.streams, "quarter": sets.q}
    service = long_table("flow", flow, zone=sets.zones, **dims)
    z, r, v, q = np.nonzero(np.abs(flow) > TINY)
    service["served_peak_per_s"] = service.pop("flow") * scale[v]
    service["served"] = flow[z, r, v, q] * per_quarter[r, v, q]
    service["worth_musd"] = flow[z, r, v, q] * work.worth[v] * work.mean_share[r, v] * hours[q]
    demand = long_table("peak", work.demand, **dims)
    r, v, q = np.nonzero(np.abs(work.demand) > TINY)
    demand["demand_peak_per_s"] = demand.pop("peak") * scale[v]
    demand["demanded"] = work.demand[r, v, q] * per_quarter[r, v, q]
    demand["unmet"] = unmet[r, v, q] * per_quarter[r, v, q]
    demand["worth_lost_musd"] = unmet[r, v, q] * work.worth[v] * work.mean_share[r, v] * hours[q]
    for table in (service, demand):
        group = {stream.workload: stream.group for stream in p.streams}
        unit = {stream.workload: stream.unit for stream in p.streams}
        table["group"] = table["workload"].map(group)
        table["unit"] = table["workload"].map(unit)
    return {
        "work": assign,
        "service": service,
        "demand": demand,
        "programmes": _programme_table(problem, x, p),
        "staff": _staff_table(problem, x),
    }


def _programme_table(problem: Problem, x: Solution, p: Preparation) -> pd.DataFrame:
    late = x.of("late")
    rows = []
    for i, run in enumerate(p.programmes):
        missing = run.tokens * float(late[i] / max(problem.work.programme_work[i], TINY))
        rows.append(
            {"programme": run.name, "workload": run.workload, "group": run.group, "start": str(run.start),
             "due": str(run.due), "tokens": run.tokens, "trained": run.tokens - missing, "late_tokens":
             missing}
        )  # fmt: skip
    columns = ["programme", "workload", "group", "start", "due", "tokens", "trained", "late_tokens"]
    return pd.DataFrame(rows, columns=columns)


def _staff_table(problem: Problem, x: Solution) -> pd.DataFrame:
    sets, people = problem.sets, problem.people
    market = [sets.markets[i] for i in people.market_of_role]
    rows = [
        {
            "role": role, "market": market[p], "quarter": quarter,
            "staff": x.of("staff")[p, q] * 1e3, "hired": x.of("hire")[p, q] * 1e3,
            "bought_in": x.of("late_staff")[p, q] * 1e3,
            "pay_musd": people.pay[p] * (x.of("staff")[p, q] + people.late_pay * x.of("late_staff")[p, q]),
        }
        for p, role in enumerate(sets.roles)
        for q, quarter in enumerate(sets.q)
    ]  # fmt: skip
    columns = ["role", "market", "quarter", "staff", "hired", "bought_in", "pay_musd"]
    return pd.DataFrame(rows, columns=columns)


def load_table(problem: Problem, x: Solution) -> pd.DataFrame:
    """IT load by site, design, profile and quarter [MW]."""
    sets = problem.sets
    return long_table("mw", x.of("load"), site=sets.sites, design=DESIGNS, profile=PROFILES, quarter=sets.q)


def energy_tables(problem: Problem, x: Solution, lived: Mapping[str, SiteLife]) -> dict[str, pd.DataFrame]:
    """contracts, energy, green and dispatch, from the hours lived through."""
    sets = problem.sets
    contracts, energy, green, dispatch = [], [], [], []
    offered = {kind for prices in problem.energy.values() for kind in plants_on_offer(prices)}
    plants = [kind for kind in PLANTS if kind in offered]
    for s, site in enumerate(sets.sites):
        for kind, capacity in lived[site].capacity.items():
            contracts += [
                {"site": site, "technology": kind, "quarter": sets.q[q], "mw": mw}
                for q, mw in enumerate(capacity)
                if mw > TINY
            ]
        green += [
            {"site": site, "year": year, "gwh": gwh}
            for year, gwh in zip(sets.years, lived[site].green_gwh, strict=True)
        ]
        for q, quarter in enumerate(sets.q):
            if max(lived[site].need[q].max(), lived[site].contract_cost_musd[q]) > TINY:
                energy.append(_energy_row(problem, site, s, q, x, lived[site]))
                dispatch.append(_dispatch_rows(site, quarter, q, lived[site], plants))
    names = ["site", "quarter", "hour", "need_mw", "solar_mw", "wind_mw", "import_mw", "charge_mw",
             "discharge_mw", "stored_mwh", "shed_mw", *(f"{kind}_mw" for kind in plants)]  # fmt: skip
    return {
        "contracts": pd.DataFrame(contracts, columns=["site", "technology", "quarter", "mw"]),
        "energy": pd.DataFrame(energy, columns=ENERGY_COLUMNS),
        "green": pd.DataFrame(green, columns=["site", "year", "gwh"]),
        "dispatch": pd.concat(dispatch, ignore_index=True) if dispatch else pd.DataFrame(columns=names),
    }


ENERGY_COLUMNS = [
    "site", "quarter", "it_mwh", "site_mwh", "import_mwh", "solar_mwh", "wind_mwh", "plant_mwh", "shed_mwh",
    "peak_mw", "import_cost_musd", "plant_cost_musd", "demand_charge_musd", "contract_cost_musd",
    "emission_t", "water_m3",
]  # fmt: skip


def _energy_row(
    problem: Problem, site: str, s: int, q: int, x: Solution, lived: SiteLife
) -> dict[str, object]:
    prices, load = problem.energy[site], x.of("load")[s, :, :, q]
    hours = lived.hours[q]
    it = sum(
        float(hours.shape[profile][0].sum()) * load[d, c]
        for d in range(len(DESIGNS))
        for c, profile in enumerate(PROFILES)
    )
    water = sum(
        float((hours.wue_l_per_kwh[design][0] * hours.shape[profile][0]).sum()) * load[d, c]
        for d, design in enumerate(DESIGNS)
        for c, profile in enumerate(PROFILES)
    )
    imported = lived.flows["import"][q]
    plants = [
        (prices.technologies[kind], float(lived.flows[kind][q].sum())) for kind in plants_on_offer(prices)
    ]
    own_t = sum(mwh * technology.emission_t_mwh for technology, mwh in plants)
    return {
        "site": site, "quarter": problem.sets.q[q], "it_mwh": it, "site_mwh": float(lived.need[q].sum()),
        "import_mwh": float(imported.sum()), "solar_mwh": float(lived.solar[q].sum()),
        "wind_mwh": float(lived.wind[q].sum()), "plant_mwh": sum(mwh for _, mwh in plants),
        "shed_mwh": float(lived.flows["shed"][q].sum()),
        "peak_mw": float(lived.peak_mw[q]),
        "import_cost_musd": float(imported @ hours.price_usd_mwh[0]) * 1e-6,
        "plant_cost_musd": sum(mwh * technology.energy_usd_mwh for technology, mwh in plants) * 1e-6,
        "demand_charge_musd": float(lived.peak_mw[q]) * prices.demand_charge_usd_kw_month * 3e-3,
        "contract_cost_musd": lived.contract_cost_musd[q],
        "emission_t": float(imported.sum()) * prices.emission_t_mwh + own_t, "water_m3": water,
    }  # fmt: skip


def _dispatch_rows(site: str, quarter: str, q: int, lived: SiteLife, plants: Sequence[str]) -> pd.DataFrame:
    count = len(lived.need[q])
    columns = {"need_mw": lived.need[q], "solar_mw": lived.solar[q], "wind_mw": lived.wind[q]}
    for flow in FLOWS:
        columns[f"{flow}_{'mwh' if flow == 'stored' else 'mw'}"] = lived.flows[flow][q]
    for kind in plants:
        columns[f"{kind}_mw"] = lived.flows[kind][q] if kind in lived.flows else np.zeros(count)
    return pd.DataFrame(
        {
            "site": pd.Categorical([site] * count),
            "quarter": pd.Categorical([quarter] * count),
            "hour": np.arange(count, dtype=np.int16),
            **{name: values.astype(np.float64) for name, values in columns.items()},
        }
    )


def payment_table(
    problem: Problem, x: Solution, tables: Mapping[str, pd.DataFrame], p: Preparation
) -> pd.DataFrame:
    """Nominal payments by quarter: capital as it falls due, leases, energy and people [M USD]."""
    rows = [*_capital_payments(problem, x, p), *_lease_payments(problem, x)]
    energy = tables["energy"]
    for column, category in (
        ("import_cost_musd", "electricity"),
        ("plant_cost_musd", "fuel and operation of plants"),
        ("demand_charge_musd", "demand charge"),
        ("contract_cost_musd", "contracts of sun, wind, batteries and plants"),
    ):
        for site, quarter, musd in zip(energy["site"], energy["quarter"], energy[column], strict=True):
            rows.append((quarter, "operating", category, site, float(musd)))
    for site, quarter, tonnes in zip(energy["site"], energy["quarter"], energy["emission_t"], strict=True):
        rows.append((quarter, "operating", "carbon", site, tonnes * problem.energy[site].carbon_usd_t * 1e-6))
    for site, quarter, cubic in zip(energy["site"], energy["quarter"], energy["water_m3"], strict=True):
        rows.append((quarter, "operating", "water", site, cubic * problem.energy[site].water_usd_m3 * 1e-6))
    for site, year, gwh in tables["green"].itertuples(index=False):
        premium = gwh * problem.energy[site].green_premium_usd_mwh * 1e-3
        last = max(quarter for quarter in problem.sets.quarters if quarter.year == year)
        rows.append((str(last), "operating", "green certificates", site, premium))
    staff = tables["staff"]
    for quarter, market, pay in zip(staff["quarter"], staff["market"], staff["pay_musd"], strict=True):
        rows.append((quarter, "operating", "staff", market, float(pay)))
    kept = [row for row in rows if abs(row[4]) > TINY]
    return pd.DataFrame(kept, columns=["quarter", "kind", "category", "site", "musd"])


def _capital_payments(
    problem: Problem, x: Solution, p: Preparation
) -> list[tuple[str, str, str, str, float]]:
    sets, rows = problem.sets, []
    for name, place, paid, _ in capital_terms(problem):
        amounts = x.of(name)[place] @ paid
        site = sets.sites[place[0]]
        for q in np.flatnonzero(np.abs(amounts) > TINY):
            for category, share in _categories(problem, name, place, p):
                rows.append((sets.q[q], "capital", category, site, float(amounts[q] * share)))
    return rows


def _categories(
    problem: Problem, name: str, place: tuple[int, ...], p: Preparation
) -> list[tuple[str, float]]:
    """What a capital payment is for; an accelerator's price splits into its parts, duty on the chip."""
    if name != "buy":
        return [("halls" if name == "hall_start" else "grid connections", 1.0)]
    system = p.catalogue.systems[problem.offers.system[place[1]]]
    price = float(problem.offers.price[place[0], place[1], 0])
    parts = {"servers": system.server_kusd, "network": system.network_kusd, "storage": system.storage_kusd}
    shares = [(category, part / price) for category, part in parts.items()]
    return [("accelerators", 1.0 - sum(share for _, share in shares)), *shares]


def _lease_payments(problem: Problem, x: Solution) -> list[tuple[str, str, str, str, float]]:
    sets, fleet, rows = problem.sets, x.of("fleet"), []
    for k in problem.rented:
        for s, q in zip(*np.nonzero(fleet[:, k] > TINY), strict=True):
            musd = float(fleet[s, k, q] * problem.offers.lease_price[k, q])
            rows.append((sets.q[q], "leasing", "leased accelerators", sets.sites[s], musd))
    return rows
