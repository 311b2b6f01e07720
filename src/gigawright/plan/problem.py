"""The numbers the planning model sees: sets and parameter arrays, computed before the model is built.

Units inside: money million USD (M USD), accelerators in thousands (kacc), power MW of IT or site, energy GWh,
people in thousands, work in reference-kacc: the rate of a stream's last phase on a thousand accelerators of
its reference system. kUSD per accelerator = M USD per kacc; kW per accelerator x kacc = MW.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gigawright.arrays import Bools, Floats, Ints
from gigawright.clock import Quarter
from gigawright.facility.dispatch.quarters import EnergyPrices, SiteSteps

REFERENCE_HOURS = 2190.0
DESIGNS = ("air", "liquid")
PROFILES = ("flat", "daily", "idle")


@dataclass(frozen=True)
class Sets:
    """Labels of every dimension, in the order of the arrays."""

    quarters: tuple[Quarter, ...]
    sites: tuple[str, ...]
    zones: tuple[str, ...]
    offers: tuple[str, ...]
    phases: tuple[str, ...]
    streams: tuple[str, ...]
    regions: tuple[str, ...]
    programmes: tuple[str, ...]
    roles: tuple[str, ...]
    markets: tuple[str, ...]
    pools: tuple[str, ...]

    @property
    def q(self) -> tuple[str, ...]:
        """Quarters as text."""
        return tuple(map(str, self.quarters))

    @property
    def years(self) -> tuple[int, ...]:
        """Calendar years."""
        return tuple(sorted({quarter.year for quarter in self.quarters}))

    @property
    def year_of(self) -> Ints:
        """Index of each quarter's year. Shape (quarter,)."""
        return np.array([self.years.index(quarter.year) for quarter in self.quarters])


@dataclass(frozen=True)
class Offers:
    """An offer is a system owned, or the same system leased in somebody else's hall. Index k."""

    system: tuple[str, ...]
    leased: Bools
    design: Ints
    kw_max: Floats
    kw_idle: Floats
    domestic: Bools
    lead: Ints
    life_quarters: Ints
    prepay: Floats
    lease_term: Ints
    price: Floats
    lease_price: Floats
    may_order: Bools
    existing: Floats

    # price [site, offer, quarter] M USD/kacc, duty in; lease_price [offer, quarter] M USD/kacc-quarter;
    # may_order [site, offer, quarter]; existing [site, offer, quarter] kacc that stand without any order.


@dataclass(frozen=True)
class Pools:
    """Supply pools: which orders they cover and what they have given, in all, by each quarter."""

    covers: Bools
    cap: Floats
    stock: Bools

    # covers [pool, site, offer]; cap [pool, quarter] kacc; stock [pool] true where the cap is what stands on
    # lease.


@dataclass(frozen=True)
class Work:
    """What accelerators do: rates, demand, reach and worth."""

    zone_of_site: Ints
    stream_of_phase: Ints
    programme_of_phase: Ints
    profile_of_phase: Ints
    rate: Floats
    kw_work: Floats
    reference: Floats
    demand: Floats
    mean_share: Floats
    reach: Bools
    worth: Floats
    group_of_stream: tuple[str, ...]
    group_of_programme: tuple[str, ...]
    serve_at_least: Floats
    programme_work: Floats
    programme_open: Bools
    programme_worth: Floats
    loss_factor: float

    # stream_of_phase, programme_of_phase [phase], -1 where the phase belongs to the other; profile_of_phase
    # [phase]
    # rate [offer, phase, quarter] reference-kacc of work per kacc, 0 where it cannot; kw_work [offer, phase]
    # MW/kacc
    # reference [stream + programme] work units a second of one reference-kacc
    # demand [region, stream, quarter] at the peak hour; mean_share [region, stream] mean over peak
    # reach [zone, region, stream]; worth [stream] M USD per reference-kacc and quarter-hour-mean (per hour
    # served)
    # programme_work [programme] reference-kacc-quarters; programme_open [programme, quarter];
    # programme_worth [programme] M USD per reference-kacc-quarter; loss_factor: what leaving work undone is
    # priced at, over its worth (1 where value is sought, more where demand is to be served at least cost)


@dataclass(frozen=True)
class Build:
    """Halls and grid connections: what stands, what they cost, how long they take."""

    hall_existing: Floats
    hall_lead: Ints
    hall_cost: Floats
    hall_module_mw: float
    hall_life_quarters: float
    may_build: Bools
    max_it_mw: Floats
    grid_existing: Floats
    grid_lead: Ints
    grid_cost: Floats
    grid_stage_mw: float
    grid_life_quarters: float
    peak_pue: Floats

    # hall_existing, hall_cost, may_build, peak_pue [site, design]; hall_lead, max_it_mw, grid_* [site]


@dataclass(frozen=True)
class People:
    """Staff: need per MW, kacc and programme; pay, leavers, hires."""

    market_of_role: Ints
    market_of_site: Ints
    pay: Floats
    attrition: Floats
    hire_max: Floats
    initial: Floats
    per_mw: Floats
    per_kacc: Floats
    per_programme: Floats
    late_pay: float

    # all [role]; pay M USD per thousand people and quarter; people in thousands


@dataclass(frozen=True)
class Money:
    """Budgets and discounting, in M USD."""

    capital: Floats
    leasing: Floats
    discount: Floats
    discount_end: float

    # capital, leasing [year]; discount [quarter]


@dataclass(frozen=True)
class Orders:
    """Orders that must be delivered, and shares that must be kept."""

    committed: tuple[tuple[str, int, float], ...]
    domestic_share_min: float | None

    # committed: (system, quarter index, kacc)


@dataclass(frozen=True)
class Problem:
    """Everything the master needs, as numbers; `days` are each site's typical days."""

    name: str
    sets: Sets
    offers: Offers
    pools: Pools
    work: Work
    build: Build
    people: People
    money: Money
    orders: Orders
    energy: Mapping[str, EnergyPrices]
    days: Mapping[str, SiteSteps]
    seed: int
    why_not: Mapping[tuple[str, str], str]

    @property
    def own(self) -> Ints:
        """Indices of owned offers."""
        return np.flatnonzero(~self.offers.leased)

    @property
    def rented(self) -> Ints:
        """Indices of leased offers."""
        return np.flatnonzero(self.offers.leased)
