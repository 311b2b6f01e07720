"""A site's energy with its load given: contracts sized on every hour of the horizon, with a bound.

The quarters of a site are the periods of one case: contracts are kept from quarter to quarter, the grid's
capacity is each quarter's peak draw, and green shares are kept by year, beside certificates. The fast
dispatch sizes it (`exact`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.facility.dispatch.case import EnergyCase, SiteCase
from gigawright.facility.dispatch.exact import size_exact
from gigawright.facility.dispatch.quarters import (
    KINDS,
    MONTHS,
    MUSD,
    EnergyPrices,
    SiteSteps,
    green_cost_musd_gwh,
    plants_on_offer,
    site_case,
)
from gigawright.facility.dispatch.solve import EnergyAnswer

FLOWS = ("import", "charge", "discharge", "stored", "shed")
ENERGY_GAP = 1e-4
GRID = "grid"
NO_LOAD_MW = 1e-6
Load = Mapping[tuple[str, str], Floats]


@dataclass(frozen=True)
class SiteLife:
    """How a site is powered, hour by hour.

    `capacity` [quarter] MW contracted by kind, `flows` by quarter, each (hours of the quarter,) [MW; stored
    MWh], `peak_mw` and `contract_cost_musd` [quarter], `green_gwh` [year]; cost and its lower bound in M USD
    discounted.
    """

    site: str
    hours: Sequence[SiteSteps]
    need: Sequence[Floats]
    capacity: Mapping[str, Floats]
    flows: Mapping[str, Sequence[Floats]]
    peak_mw: Floats
    green_gwh: Floats
    contract_cost_musd: Floats
    cost_musd: float
    bound_musd: float

    @property
    def solar(self) -> list[Floats]:
        """Solar power in each hour of each quarter [MW]."""
        return [h.solar_cf[0] * self.capacity["solar"][q] for q, h in enumerate(self.hours)]

    @property
    def wind(self) -> list[Floats]:
        """Wind power in each hour of each quarter [MW]."""
        return [h.wind_cf[0] * self.capacity["wind"][q] for q, h in enumerate(self.hours)]

    @property
    def shed_gwh(self) -> float:
        """Load that no source could cover, over the horizon."""
        return float(sum(shed.sum() for shed in self.flows["shed"])) * 1e-3


def need_mw(hours: SiteSteps, load: Load) -> Floats:
    """Site power of a load by design and profile [quarter]: sum of PUE x shape x load. Shape [quarter,
    step]."""
    need = np.zeros_like(hours.weight_h)
    for (design, profile), megawatts in load.items():
        need += hours.draw_mw(design, profile) * megawatts[:, None]
    return need


@dataclass(frozen=True)
class SiteJob:
    """A site to power: hourly steps by quarter, prices, load [MW of IT] and connection [MW] by quarter.

    `guess` [quarter] by kind are the capacities to try first; `years` numbers the year of each quarter.
    """

    site: str
    hours: Sequence[SiteSteps]
    prices: EnergyPrices
    load: Load
    grid_mw: Floats
    years: Ints
    guess: Mapping[str, Floats]


def power_site(job: SiteJob, gap: float = ENERGY_GAP) -> SiteLife:
    """Contract and dispatch a site at least cost over every hour, to within `gap` of its bound."""
    need = [
        need_mw(hours, {at: mw[q : q + 1] for at, mw in job.load.items()})
        for q, hours in enumerate(job.hours)
    ]
    case = joined(job, need)
    if max(load.max() for load in need) <= NO_LOAD_MW:
        return _life(job, need, case, None)
    peak = np.array([load.max() for load in need])
    start = dict(job.guess) | {"grid": np.minimum(job.grid_mw, peak)}
    whole = EnergyCase(f"energy of {job.site}", (case,))
    return _life(job, need, case, size_exact(whole, gap, processes=1, start={job.site: start}))


def joined(job: SiteJob, need: Sequence[Floats]) -> SiteCase:
    """All quarters of a site as one case, the grid no larger than the connection.

    Shorter quarters end in hours that nobody lives through: they weigh nothing, nothing is drawn in them,
    and nothing gives power.
    """
    longest = max(job.hours, key=lambda hours: hours.weight_h.shape[1])
    steps = longest.weight_h.shape[1]

    def stack(rows: Iterable[Floats]) -> Floats:
        return np.stack([np.pad(row, (0, steps - len(row))) for row in rows])

    load = stack(row[0] for row in need)
    hours = SiteSteps(
        quarters=tuple(h.quarters[0] for h in job.hours),
        weight_h=stack(h.weight_h[0] for h in job.hours),
        step_h=longest.step_h,
        cycle=longest.cycle,
        solar_cf=stack(h.solar_cf[0] for h in job.hours),
        wind_cf=stack(h.wind_cf[0] for h in job.hours),
        price_usd_mwh=stack(h.price_usd_mwh[0] for h in job.hours),
        pue={},
        wue_l_per_kwh={},
        shape={},
    )
    most_shed = np.maximum(load - job.grid_mw[:, None], 0.0)
    case = site_case(job.site, hours, job.prices, job.years, most_shed, load)
    lived = hours.weight_h > 0.0
    sources = tuple(
        replace(
            source,
            available=source.available * lived,
            most_mw=np.minimum(source.most_mw, job.grid_mw) if source.name == GRID else source.most_mw,
        )
        for source in case.sources
    )
    return replace(case, sources=sources)


def _life(job: SiteJob, need: Sequence[Floats], case: SiteCase, found: EnergyAnswer | None) -> SiteLife:
    """The hours lived through, and the bill added up from them; nothing flows where nothing was found."""
    quarters = range(len(job.hours))
    answer = found.sites[job.site] if found is not None else None
    nothing = np.zeros(case.time.shape)
    kinds = (*KINDS, *plants_on_offer(job.prices))
    own = {} if answer is None else answer.capacity
    capacity = {kind: own.get(kind, np.zeros(len(quarters))) for kind in kinds}
    plants = plants_on_offer(job.prices)
    flows = dict.fromkeys((*FLOWS, *plants), nothing)
    if answer is not None:
        flows |= {"import": answer.power[GRID], "shed": answer.given["shed"]}
        flows |= {kind: answer.power[kind] for kind in plants}
        for store in case.stores:
            flows["charge"], flows["discharge"] = answer.charge[store.name], answer.discharge[store.name]
            flows["stored"] = answer.stored[store.name]
    power = {source.name: flows["import" if source.name == GRID else source.name]
             for source in case.sources if not source.free}  # fmt: skip
    peak, green = flows["import"].max(axis=1), _green_needed(case, power)
    contracts = _contracts_musd(case, capacity)
    cost = _bill(case, job.prices, power, flows["shed"], peak, green, contracts)
    return SiteLife(
        site=job.site,
        hours=job.hours,
        need=[load[0] for load in need],
        capacity=capacity,
        flows={name: [mw[q, : need[q].shape[1]] for q in quarters] for name, mw in flows.items()},
        peak_mw=peak,
        green_gwh=green,
        contract_cost_musd=contracts,
        cost_musd=cost,
        bound_musd=0.0 if found is None else min(found.bound_usd * MUSD, cost),
    )


def _contracts_musd(case: SiteCase, capacity: Mapping[str, Floats]) -> Floats:
    """What contracts and plants cost [quarter] M USD, not discounted; the connection is the demand charge."""
    total = np.zeros(case.time.shape[0])
    for source in case.sources:
        if source.name != GRID:
            total += source.capacity_usd_mw * capacity[source.name]
    for store in case.stores:
        tied = store.charge_usd_mw + (store.hours or 0.0) * store.energy_usd_mwh
        total += (store.discharge_usd_mw + tied) * capacity[store.name]
    return total * MUSD


def _green_needed(case: SiteCase, power: Mapping[str, Floats]) -> Floats:
    """Certificates that close each year's gap to the green share [year] GWh."""
    position = case.time.year - case.time.year.min()
    load = np.zeros(case.time.shape) if case.load_mw is None else case.load_mw
    grey = sum((power[source.name] for source in case.sources if not source.clean), np.zeros(case.time.shape))
    consumed, taken = (
        np.bincount(position, (case.time.weight_h * mw).sum(axis=1)) * 1e-3 for mw in (load, grey)
    )
    needed = np.maximum(taken - (1.0 - case.clean_share) * consumed, 0.0)
    return np.asarray(needed if case.clean_share > 0.0 else np.zeros_like(needed))


def _bill(
    case: SiteCase,
    prices: EnergyPrices,
    power: Mapping[str, Floats],
    shed: Floats,
    peak: Floats,
    green: Floats,
    contracts: Floats,
) -> float:
    """Energy, fuel, demand charge, contracts, certificates, carbon and shed load, discounted [M USD]."""
    weight = case.time.weight_h
    usd = prices.shed_usd_mwh * (weight * shed).sum(axis=1)
    for source in case.sources:
        if source.name in power:
            usd = usd + (weight * source.energy_usd_mwh * power[source.name]).sum(axis=1)
    usd = usd + peak * prices.demand_charge_usd_kw_month * MONTHS * 1e3
    certificates = float(green @ green_cost_musd_gwh(prices, case.time.year))
    return float(case.time.discount @ (usd * MUSD + contracts)) + certificates
