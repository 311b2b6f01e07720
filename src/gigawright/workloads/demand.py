"""Demand: from users and reported volumes to rates at the peak hour, by region and quarter."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gigawright.arrays import Bools, Floats
from gigawright.catalogue.records import series
from gigawright.clock import Quarter
from gigawright.errors import CatalogueError
from gigawright.workloads.units import PHASES

if TYPE_CHECKING:
    from gigawright.catalogue.resolve import Catalogue
    from gigawright.catalogue.types import Region
    from gigawright.study.model import Demand, Study, Workload

SECONDS_PER_DAY = 86_400.0
DAYS_PER_YEAR = 365.0
HOME = "home"


@dataclass(frozen=True)
class Stream:
    """One workload's demand: work units a second at each region's peak hour, by quarter.

    `unit` is that of the workload's last phase (an assistant is counted in output tokens); `per_unit` says
    how much of each phase's own unit one of them takes. `mean_share` is mean over peak, by region.
    """

    workload: str
    group: str
    unit: str
    regions: tuple[str, ...]
    peak: Floats
    mean_share: Floats
    per_unit: dict[str, float]
    worth_usd: float

    # peak [region, quarter]; mean_share [region]; worth_usd per unit


@dataclass(frozen=True)
class Programme:
    """A training run with a date: tokens to train, first and last quarter, worth of a token in USD."""

    name: str
    workload: str
    group: str
    tokens: float
    start: Quarter
    due: Quarter
    worth_usd: float


def streams(study: Study, catalogue: Catalogue) -> tuple[Stream, ...]:
    """The demand of every workload that has users or a steady stream of work."""
    return tuple(_stream(study, catalogue, w, w.demand) for w in study.workloads if w.demand is not None)


def programmes(study: Study, catalogue: Catalogue) -> tuple[Programme, ...]:
    """Every training run with a date."""
    return tuple(
        Programme(
            name=f"{workload.name}:{run.name}",
            workload=workload.name,
            group=workload.group or workload.name,
            tokens=run.tokens.value,
            start=run.start,
            due=run.due,
            worth_usd=worth_usd(workload, catalogue),
        )
        for workload in study.workloads
        if workload.family == "llm-training"
        for run in workload.programmes
    )


def worth_usd(workload: Workload, catalogue: Catalogue) -> float:
    """What one unit of a workload's work is worth, at the rate of the day of knowledge."""
    if workload.value is None:
        return 0.0
    money, _ = workload.value.value
    return catalogue.usd(money)


def _stream(study: Study, catalogue: Catalogue, workload: Workload, demand: Demand) -> Stream:
    regions = tuple(catalogue.regions) if demand.regions != "home" else (HOME,)
    shares = _shares(catalogue, demand, regions)
    mean = _mean_per_second(study, catalogue, workload, demand)
    mean_share = np.array([_mean_share(catalogue.regions.get(name), demand.peak) for name in regions])
    unit = PHASES[workload.family][-1][1]
    return Stream(
        workload=workload.name,
        group=workload.group or workload.name,
        unit=unit,
        regions=regions,
        peak=shares[:, None] * mean[None, :] / mean_share[:, None],
        mean_share=mean_share,
        per_unit=_per_unit(workload),
        worth_usd=worth_usd(workload, catalogue),
    )


def _shares(catalogue: Catalogue, demand: Demand, regions: tuple[str, ...]) -> Floats:
    """How demand splits over regions; sums to one."""
    if demand.regions == "home":
        return np.ones(1)
    found = [catalogue.regions[name] for name in regions]
    users = demand.regions == "users"
    weights: Floats = np.array([region.users_m if users else region.assistant_share for region in found])
    if weights.sum() <= 0.0:
        raise CatalogueError(f"no region has {demand.regions} to split demand over")
    return np.asarray(weights / weights.sum())


def _mean_share(region: Region | None, peak: bool) -> float:
    """Mean over peak of a region's day; 1 for batch work."""
    if region is None or not peak:
        return 1.0
    shape = np.array(region.hourly_shape)
    return float(shape.mean() / shape.max())


def _per_unit(workload: Workload) -> dict[str, float]:
    """Work of each phase for one unit of the stream."""
    phases = [phase for phase, _ in PHASES[workload.family]]
    if workload.family == "llm-serving":
        return {"prefill": workload.input_tokens.value / workload.output_tokens.value, "decode": 1.0}
    return dict.fromkeys(phases, 1.0)


def _mean_per_second(study: Study, catalogue: Catalogue, workload: Workload, demand: Demand) -> Floats:
    """The stream's mean rate over each quarter's day, in its unit a second. Shape (quarter,)."""
    quarters = study.horizon.quarters
    if demand.history is not None:
        per_day = _from_history(catalogue, demand, quarters)
    else:
        start = demand.at or study.horizon.start
        growth = [_grown(demand, _middle(start), _middle(quarter)) for quarter in quarters]
        per_day = _per_day_at_start(catalogue, demand) * np.array(growth)
    return per_day * _stream_units_per_counted(workload) / SECONDS_PER_DAY


def _stream_units_per_counted(workload: Workload) -> float:
    """Stream units for one counted thing: a reported token is input or output, a request has its output."""
    if workload.family != "llm-serving":
        return 1.0
    asked, answered = workload.input_tokens.value, workload.output_tokens.value
    return answered / (asked + answered) if workload.demand_unit == "tokens" else answered


def _per_day_at_start(catalogue: Catalogue, demand: Demand) -> float:
    """Work a day at the date given: stated, or users x share active x requests."""
    if demand.per_day is not None:
        return demand.per_day.value
    if demand.requests_per_user_day is None:
        raise CatalogueError("a demand needs `per_day`, `history` or `requests_per_user_day`")
    users = demand.users.value if demand.users else sum(r.users_m for r in catalogue.regions.values()) * 1e6
    active = demand.active_share.value if demand.active_share else 1.0
    return users * active * demand.requests_per_user_day.value


def _from_history(catalogue: Catalogue, demand: Demand, quarters: tuple[Quarter, ...]) -> Floats:
    """A reported series: straight on a log scale between its points, grown by the study after the last."""
    points = series(catalogue.book, demand.history or "")
    if not points:
        raise CatalogueError(f"programme series {demand.history!r} has no value known by {catalogue.as_of}")
    share = demand.share_of_history.value if demand.share_of_history else 1.0
    days = np.array([_year_fraction(day) for day in points])
    values = np.log([float(fact.value) for fact in points.values()])
    when = np.array([_middle(quarter) for quarter in quarters])
    inside = np.exp(np.interp(when, days, values))
    after = np.array(
        [_grown(demand, float(days[-1]), float(moment)) if moment > days[-1] else 1.0 for moment in when]
    )
    return np.asarray(inside * after * share)


def _grown(demand: Demand, start: float, end: float) -> float:
    """Product of the yearly factors between two moments, each to the power of the part of its year."""
    grown = 1.0
    for year in range(int(min(start, end)), int(max(start, end)) + 1):
        part = max(0.0, min(max(start, end), year + 1) - max(min(start, end), year))
        factor = demand.growth_per_year.get(year)
        grown *= (factor.value if factor else 1.0) ** part
    return grown if end >= start else 1.0 / grown


def _middle(quarter: Quarter) -> float:
    """The middle of a quarter as a fractional year."""
    return quarter.year + (quarter.number - 0.5) / 4.0


def _year_fraction(day: dt.date) -> float:
    return day.year + (day.timetuple().tm_yday - 0.5) / DAYS_PER_YEAR


def software_gain(workload: Workload, quarters: tuple[Quarter, ...]) -> Floats:
    """Work an accelerator-hour relative to the first quarter: gain^(years since). Shape (quarter,)."""
    gain = workload.software_gain_per_year.value if workload.software_gain_per_year else 1.0
    return np.asarray(gain ** (np.arange(len(quarters)) / 4.0))


def reach(study: Study, catalogue: Catalogue, stream: Stream, max_rtt_s: float) -> Bools:
    """Whether each site may serve each region of a stream: residency, then round trip. Shape [site,
    region]."""
    found = np.zeros((len(study.sites), len(stream.regions)), bool)
    for s, plan in enumerate(study.sites):
        site = catalogue.sites[plan.site]
        for r, name in enumerate(stream.regions):
            region = catalogue.regions.get(name)
            if region is None:
                found[s, r] = True
                continue
            rtt = region.rtt_ms.get(site.id)
            near = rtt is not None and rtt <= max_rtt_s * 1e3
            found[s, r] = near and may_be_served(region.residency, site.country)
    return found


EUROPE = frozenset({"Norway", "Finland", "Ireland"})


def may_be_served(residency: str, country: str) -> bool:
    """Whether data of a region with that residency rule may be worked on in a country.

    >>> may_be_served("China", "China"), may_be_served("outside China", "China")
    (True, False)
    >>> may_be_served("Europe", "Norway")
    True
    """
    if residency == "outside China":
        return country != "China"
    if residency == "Europe":
        return country in EUROPE
    return country == residency
