"""Random planning problems of any size, for tests and benchmarks of the master; values mean nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gigawright.catalogue.types import Technology
from gigawright.clock import Quarter
from gigawright.facility.dispatch.quarters import EnergyPrices, SiteSteps
from gigawright.plan import problem as p

TECHNOLOGIES = {
    "solar": Technology("solar", "solar", 600.0, 12.0, 25.0),
    "wind": Technology("wind", "wind", 1000.0, 25.0, 25.0),
    "battery": Technology("battery", "battery", 500.0, 8.0, 15.0, hours=4.0, efficiency=0.88),
}


def random_problem(
    seed: int = 0,
    sites: int = 2,
    quarters: int = 4,
    systems: int = 3,
    streams: int = 2,
    regions: int = 2,
    zones: int = 1,
    days: int = 2,
    technologies: bool = True,
) -> p.Problem:
    """A feasible problem: every system can do every phase, demand outgrows what stands."""
    rng = np.random.default_rng(seed)
    names = tuple(f"s{i}" for i in range(sites))
    sets = p.Sets(
        quarters=tuple(Quarter(2026, 1) + i for i in range(quarters)),
        sites=names,
        zones=tuple(f"z{i}" for i in range(zones)),
        offers=tuple(f"k{i}" for i in range(systems)),
        phases=(*(f"v{i}" for i in range(streams)), "run"),
        streams=tuple(f"v{i}" for i in range(streams)),
        regions=tuple(f"r{i}" for i in range(regions)),
        programmes=("run",),
        roles=("operator",),
        markets=("here",),
        pools=("scarce",),
    )
    return p.Problem(
        name="random",
        sets=sets,
        offers=_offers(rng, sets),
        pools=_pools(rng, sets),
        work=_work(rng, sets),
        build=_build(rng, sets),
        people=_people(sets),
        money=_money(sets),
        orders=p.Orders((), None),
        energy={name: _prices(sets, technologies) for name in names},
        days={name: _steps(rng, sets, days) for name in names},
        seed=1,
        why_not={},
    )


def _offers(rng: np.random.Generator, sets: p.Sets) -> p.Offers:
    s, k, q = len(sets.sites), len(sets.offers), len(sets.q)
    leased = np.arange(k) == k - 1
    lead = np.where(leased, 1, rng.integers(1, 3, k))
    kw = rng.uniform(0.8, 2.0, k)
    may = np.ones((s, k, q), bool) & (np.arange(q)[None] + lead[:, None] < q)[None]
    return p.Offers(
        system=sets.offers,
        leased=leased,
        design=rng.integers(0, 2, k),
        kw_max=np.where(leased, 0.0, kw),
        kw_idle=np.where(leased, 0.0, 0.3 * kw),
        domestic=np.arange(k) % 2 == 0,
        lead=lead,
        life_quarters=np.full(k, 20),
        prepay=rng.uniform(0.0, 1.0, k),
        lease_term=np.full(k, 4),
        price=np.broadcast_to(rng.uniform(15.0, 45.0, k)[None, :, None], (s, k, q)).copy(),
        lease_price=np.broadcast_to(rng.uniform(3.0, 7.0, k)[:, None], (k, q)).copy(),
        may_order=may,
        existing=np.where((np.arange(k) == 0)[None, :, None], 2.0, 0.0) * np.ones((s, k, q)),
    )


def _pools(rng: np.random.Generator, sets: p.Sets) -> p.Pools:
    covers = np.zeros((1, len(sets.sites), len(sets.offers)), bool)
    covers[0, :, 0] = True
    return p.Pools(covers, np.cumsum(rng.uniform(1.0, 4.0, (1, len(sets.q))), axis=1), np.array([False]))


def _work(rng: np.random.Generator, sets: p.Sets) -> p.Work:
    k, w, v, r, q = (len(x) for x in (sets.offers, sets.phases, sets.streams, sets.regions, sets.q))
    rate = rng.uniform(0.3, 3.0, (k, w))[:, :, None] * np.ones(q)
    growth = 1.25 ** np.arange(q)
    return p.Work(
        zone_of_site=np.arange(len(sets.sites)) % len(sets.zones),
        stream_of_phase=np.array([*range(v), -1]),
        programme_of_phase=np.array([*[-1] * v, 0]),
        profile_of_phase=np.array([*[1] * v, 0]),
        rate=rate,
        kw_work=rng.uniform(0.6, 0.8, (k, w)),
        reference=np.ones(v + 1),
        demand=rng.uniform(2.0, 6.0, (r, v))[:, :, None] * growth,
        mean_share=np.full((r, v), 0.6),
        reach=np.ones((len(sets.zones), r, v), bool),
        worth=rng.uniform(2e-3, 6e-3, v),
        group_of_stream=sets.streams,
        group_of_programme=sets.programmes,
        serve_at_least=np.zeros(v),
        programme_work=np.array([3.0]),
        programme_open=np.ones((1, q), bool),
        programme_worth=np.array([20.0]),
        loss_factor=1.0,
    )


def _build(rng: np.random.Generator, sets: p.Sets) -> p.Build:
    s = len(sets.sites)
    return p.Build(
        hall_existing=np.full((s, 2), 5.0),
        hall_lead=rng.integers(1, 3, s),
        hall_cost=rng.uniform(4.0, 10.0, (s, 2)),
        hall_module_mw=20.0,
        hall_life_quarters=80.0,
        may_build=np.ones((s, 2), bool),
        max_it_mw=np.full(s, 400.0),
        grid_existing=np.full(s, 20.0),
        grid_lead=rng.integers(1, 3, s),
        grid_cost=np.full(s, 0.2),
        grid_stage_mw=100.0,
        grid_life_quarters=120.0,
        peak_pue=np.full((s, 2), 1.35),
    )


def _people(sets: p.Sets) -> p.People:
    one = np.ones(1)
    return p.People(
        market_of_role=np.zeros(1, int),
        market_of_site=np.zeros(len(sets.sites), int),
        pay=one * 20.0,
        attrition=one * 0.03,
        hire_max=one * 0.2,
        initial=one * 0.05,
        per_mw=one * 1e-3,
        per_kacc=one * 1e-3,
        per_programme=one * 0.01,
        late_pay=3.0,
    )


def _money(sets: p.Sets) -> p.Money:
    years = len(sets.years)
    discount = 1.08 ** -((np.arange(len(sets.q)) + 0.5) / 4.0)
    return p.Money(np.full(years, 900.0), np.full(years, 60.0), discount, float(discount[-1]))


def _prices(sets: p.Sets, technologies: bool) -> EnergyPrices:
    offered = TECHNOLOGIES if technologies else {}
    return EnergyPrices(
        discount=_money(sets).discount,
        demand_charge_usd_kw_month=5.0,
        emission_t_mwh=0.6,
        carbon_usd_t=0.0,
        shed_usd_mwh=3000.0,
        green_premium_usd_mwh=4.0,
        green_share_min=0.8,
        water_usd_m3=1.0,
        technologies=offered,
        max_mw=dict.fromkeys(offered, 500.0),
        discount_rate=0.08,
        contract_lead_quarters=1,
    )


def _steps(rng: np.random.Generator, sets: p.Sets, days: int) -> SiteSteps:
    q, h = len(sets.q), days * 8
    hour = np.tile(np.arange(8) * 3 + 1.5, days)
    sun = np.clip(np.sin((hour - 6) / 12 * np.pi), 0, None) * rng.uniform(0.4, 0.9, (q, days)).repeat(
        8, axis=1
    )
    daily = 0.5 + 0.5 * np.clip(np.sin((hour - 8) / 16 * np.pi), 0, None)
    ones = np.ones((q, h))
    weight = np.array([quarter.hours for quarter in sets.quarters])[:, None] / h * ones
    return SiteSteps(
        quarters=sets.q,
        weight_h=weight,
        step_h=3.0,
        cycle=np.repeat(np.arange(days), 8),
        solar_cf=sun,
        wind_cf=rng.uniform(0.0, 0.8, (q, h)),
        price_usd_mwh=55.0 + 20.0 * np.sin((hour - 9) / 12 * np.pi) * ones,
        pue={"air": 1.2 + 0.1 * rng.uniform(size=(q, h)), "liquid": 1.1 + 0.05 * rng.uniform(size=(q, h))},
        wue_l_per_kwh={"air": 0.5 * ones, "liquid": 0.2 * ones},
        shape={"flat": ones, "daily": daily * ones, "idle": ones},
    )


def varied_problem(seed: int) -> p.Problem:
    """A tiny problem in which anything may be odd: zones that do not reach, systems that cannot, lives that
    end.

    Feasible by construction: promises are small against what may be had.
    """
    rng = np.random.default_rng(1000 + seed)
    zones = int(rng.integers(1, 3))
    quarters = int(rng.integers(4, 6))
    drawn = random_problem(
        seed, sites=2, quarters=quarters, systems=4, zones=zones, days=1, technologies=bool(rng.integers(2))
    )
    start = Quarter(2026, int(rng.integers(1, 5)))
    sets = replace(
        drawn.sets,
        quarters=tuple(start + i for i in range(quarters)),
        pools=("scarce", "rented"),
    )
    offers = _odd_offers(rng, drawn.offers, quarters)
    covers = np.zeros((2, 2, 4), bool)
    covers[0, :, :2] = rng.random((2, 2)) < 0.8
    covers[1, :, 3] = True
    cap = np.stack([np.cumsum(rng.uniform(1.0, 4.0, quarters)), rng.uniform(2.0, 4.0, quarters)])
    hours = np.array([quarter.hours for quarter in sets.quarters])[:, None]
    years = len(sets.years)
    return replace(
        drawn,
        sets=sets,
        offers=offers,
        pools=p.Pools(covers, cap, np.array([False, True])),
        work=_odd_work(rng, drawn.work, quarters),
        build=replace(
            drawn.build,
            hall_lead=rng.integers(0, 3, 2),
            grid_lead=rng.integers(0, 3, 2),
            hall_life_quarters=float(rng.integers(2, 9)),
            may_build=rng.random((2, 2)) < 0.8,
            max_it_mw=rng.uniform(10.0, 60.0, 2),
        ),
        people=replace(drawn.people, market_of_site=np.array([0, int(rng.integers(2))])),
        money=replace(drawn.money, capital=rng.uniform(100, 900, years), leasing=rng.uniform(20, 120, years)),
        orders=p.Orders(
            (("k1", quarters - 1, float(rng.uniform(0.0, 0.3))),) if rng.random() < 0.6 else (),
            float(rng.uniform(0.2, 0.7)) if rng.random() < 0.5 else None,
        ),
        energy={
            site: replace(prices, carbon_usd_t=float(rng.uniform(0, 50)), green_share_min=float(rng.random()))
            for site, prices in drawn.energy.items()
        },
        days={
            site: replace(
                days,
                quarters=sets.q,
                weight_h=hours / days.weight_h.shape[1] * np.ones_like(days.weight_h),
                price_usd_mwh=days.price_usd_mwh * rng.uniform(0.3, 2.0, days.weight_h.shape),
            )
            for site, days in drawn.days.items()
        },
    )


def _odd_offers(rng: np.random.Generator, offers: p.Offers, quarters: int) -> p.Offers:
    """Leads from none, lives and leases that end inside the horizon, prices that move, and what stood that
    leaves.
    """
    leased = offers.leased
    lead = np.where(leased, 1, rng.integers(0, 3, 4))
    in_time = np.arange(quarters)[None] + lead[:, None] < quarters
    existing = offers.existing.copy()
    existing[:, 0, int(rng.integers(1, quarters)) :] *= 0.5
    existing[1, 3, :2] = 0.4
    return replace(
        offers,
        lead=lead,
        life_quarters=rng.integers(2, 8, 4),
        lease_term=rng.integers(1, 4, 4),
        price=offers.price * rng.uniform(0.7, 1.3, offers.price.shape),
        lease_price=offers.lease_price * rng.uniform(0.7, 1.3, offers.lease_price.shape),
        may_order=offers.may_order & in_time[None] & (rng.random(offers.may_order.shape) < 0.9),
        existing=existing,
    )


def _odd_work(rng: np.random.Generator, work: p.Work, quarters: int) -> p.Work:
    """Phases that some systems cannot do, regions without demand, zones that do not reach, a short
    programme.
    """
    rate = work.rate * (rng.random(work.rate.shape[:2]) < 0.8)[:, :, None] * 1.1 ** np.arange(quarters)
    demand = work.demand.copy()
    demand[0, 1] = 0.0
    reach = rng.random(work.reach.shape) < 0.8
    least = np.where((rng.random(2) < 0.5) & reach[:, 1].any(axis=0) & (rate[0, :2, 0] > 0), 0.02, 0.0)
    opened = np.zeros((1, quarters), bool)
    opened[0, int(rng.integers(quarters)) :] = True
    return replace(
        work,
        rate=rate,
        demand=demand,
        mean_share=rng.uniform(0.4, 1.0, work.mean_share.shape),
        reach=reach,
        serve_at_least=least,
        programme_open=opened,
    )
