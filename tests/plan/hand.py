"""One site, one system, one stream: a problem small enough to be planned with pencil and paper.

Nothing is scarce, money is not discounted, power is free, one thousand accelerators draw one MW and do one
unit of work. Each test makes one thing scarce or dear and reckons the answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gigawright import linear
from gigawright.clock import Quarter
from gigawright.facility.dispatch.quarters import EnergyPrices, SiteSteps
from gigawright.linear import Solution
from gigawright.plan import problem as p
from gigawright.plan.master import build_master

START = Quarter(2026, 1)
PLENTY = 1e6


def hand_problem(quarters: int = 4, start: Quarter = START, count: int = 1, **changes: Any) -> p.Problem:
    """`changes` replaces fields by part: hand_problem(money={"capital": np.array([100.0])})."""
    sets = p.Sets(
        quarters=tuple(start + i for i in range(quarters)),
        sites=("here",),
        zones=("zone",),
        offers=tuple(f"k{i}" for i in range(count)),
        phases=("work",),
        streams=("work",),
        regions=("users",),
        programmes=(),
        roles=(),
        markets=("home",),
        pools=(),
    )
    problem = p.Problem(
        name="by hand",
        sets=replace(sets, **changes.pop("sets", {})),
        offers=_offers(count, quarters),
        pools=p.Pools(np.zeros((0, 1, count), bool), np.zeros((0, quarters)), np.zeros(0, bool)),
        work=_work(count, quarters),
        build=_build(),
        people=p.People(np.zeros(0, int), np.zeros(1, int), *[np.zeros(0)] * 7, late_pay=2.0),
        money=p.Money(
            np.full(len(sets.years), PLENTY), np.full(len(sets.years), PLENTY), np.ones(quarters), 1.0
        ),
        orders=p.Orders((), None),
        energy={"here": _prices(quarters)},
        days={"here": _days(sets)},
        seed=1,
        why_not={},
    )
    for part, fields in changes.items():
        problem = replace(problem, **{part: changed(getattr(problem, part), fields)})
    return problem


def changed(part: Any, fields: dict[str, Any]) -> Any:
    """A dataclass with fields replaced; the same for every site of a mapping."""
    if isinstance(part, dict):
        return {site: replace(value, **fields) for site, value in part.items()}
    return replace(part, **fields)


def _offers(count: int, quarters: int) -> p.Offers:
    ones = np.ones(count)
    return p.Offers(
        system=tuple(f"k{i}" for i in range(count)),
        leased=np.zeros(count, bool),
        design=np.zeros(count, int),
        kw_max=ones,
        kw_idle=0.5 * ones,
        domestic=np.zeros(count, bool),
        lead=np.zeros(count, int),
        life_quarters=np.full(count, 8),
        prepay=0.0 * ones,
        lease_term=np.full(count, 2),
        price=np.full((1, count, quarters), 10.0),
        lease_price=np.full((count, quarters), 2.0),
        may_order=np.ones((1, count, quarters), bool),
        existing=np.zeros((1, count, quarters)),
    )


def _work(offers: int, quarters: int) -> p.Work:
    one = np.ones((1, 1))
    return p.Work(
        zone_of_site=np.zeros(1, int),
        stream_of_phase=np.zeros(1, int),
        programme_of_phase=np.full(1, -1),
        profile_of_phase=np.zeros(1, int),
        rate=np.ones((offers, 1, quarters)),
        kw_work=np.ones((offers, 1)),
        reference=np.ones(1),
        demand=np.full((1, 1, quarters), 4.0),
        mean_share=one,
        reach=np.ones((1, 1, 1), bool),
        worth=np.ones(1),
        group_of_stream=("work",),
        group_of_programme=(),
        serve_at_least=np.zeros(1),
        programme_work=np.zeros(0),
        programme_open=np.zeros((0, quarters), bool),
        programme_worth=np.zeros(0),
        loss_factor=1.0,
    )


def _build() -> p.Build:
    return p.Build(
        hall_existing=np.array([[1000.0, 0.0]]),
        hall_lead=np.array([1]),
        hall_cost=np.array([[10.0, 12.0]]),
        hall_module_mw=20.0,
        hall_life_quarters=80.0,
        may_build=np.ones((1, 2), bool),
        max_it_mw=np.array([1000.0]),
        grid_existing=np.array([2000.0]),
        grid_lead=np.array([1]),
        grid_cost=np.array([0.5]),
        grid_stage_mw=100.0,
        grid_life_quarters=120.0,
        peak_pue=np.array([[1.25, 1.1]]),
    )


def _prices(quarters: int) -> EnergyPrices:
    return EnergyPrices(
        discount=np.ones(quarters),
        demand_charge_usd_kw_month=0.0,
        emission_t_mwh=0.0,
        carbon_usd_t=0.0,
        shed_usd_mwh=1e4,
        green_premium_usd_mwh=0.0,
        green_share_min=0.0,
        water_usd_m3=0.0,
        technologies={},
        max_mw={},
        discount_rate=0.08,
    )


def _days(sets: p.Sets) -> SiteSteps:
    """One day of two steps of twelve hours, night and day."""
    ones = np.ones((len(sets.quarters), 2))
    half = np.array([quarter.hours / 2.0 for quarter in sets.quarters])[:, None]
    return SiteSteps(
        quarters=sets.q,
        weight_h=half * ones,
        step_h=12.0,
        cycle=np.zeros(2, int),
        solar_cf=0.0 * ones,
        wind_cf=0.0 * ones,
        price_usd_mwh=0.0 * ones,
        pue={"air": 1.25 * ones, "liquid": 1.1 * ones},
        wue_l_per_kwh={"air": 0.0 * ones, "liquid": 0.0 * ones},
        shape={"flat": ones, "daily": ones, "idle": ones},
    )


def solved(problem: p.Problem, gap: float = 1e-10) -> Solution:
    """The best plan of the planning model."""
    return linear.solve(build_master(problem).assembled, gap=gap)
