"""Powering a site hour by hour: against one linear problem over all hours, and against a naive loop."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gigawright.catalogue.types import Technology
from gigawright.facility.dispatch.block import add_site
from gigawright.facility.dispatch.case import EnergyCase
from gigawright.facility.dispatch.energy import SiteJob, SiteLife, need_mw, power_site
from gigawright.facility.dispatch.energy import joined as as_one_case
from gigawright.facility.dispatch.quarters import (
    KINDS,
    EnergyPrices,
    SiteSteps,
    quarterly_cost_musd_mw,
    site_case,
)
from gigawright.facility.dispatch.solve import solve_energy
from gigawright.linear import Model, solve

# Prices of a quarter, for a quarter that is a week long.
SOLAR = Technology("s", "solar", 45.0, 1.0, 25.0)
WIND = Technology("w", "wind", 75.0, 2.0, 25.0)
BATTERY = Technology("b", "battery", 12.0, 0.2, 15.0, hours=4.0, efficiency=0.88)
ALL = {"solar": SOLAR, "wind": WIND, "battery": BATTERY}
HOURS = 24 * 7
QUARTERS = 3
YEARS = np.array([0, 0, 1])
LOAD = {("air", "flat"): np.array([3.0, 5.0, 6.0]), ("liquid", "daily"): np.array([0.0, 4.0, 4.0])}
GRID = np.array([30.0, 30.0, 30.0])


def prices(**changes: object) -> EnergyPrices:
    fields: dict[str, object] = {
        "discount": np.array([0.98, 0.96, 0.94]), "demand_charge_usd_kw_month": 5.0, "emission_t_mwh": 0.4,
        "carbon_usd_t": 20.0, "shed_usd_mwh": 20_000.0, "green_premium_usd_mwh": 6.0, "green_share_min": 0.5,
        "water_usd_m3": 0.0, "technologies": ALL, "max_mw": dict.fromkeys(ALL, 40.0), "discount_rate": 0.08,
        "contract_lead_quarters": 1,
    }  # fmt: skip
    return EnergyPrices(**(fields | changes))


def week(seed: int, name: str) -> SiteSteps:
    """A quarter that is one week long, by the hour."""
    rng = np.random.default_rng(seed)
    hour = np.arange(HOURS) % 24
    sun = np.clip(np.sin((hour - 6) / 12 * np.pi), 0, None) * rng.uniform(0.3, 1.0, HOURS)
    ones = np.ones(HOURS)
    rows = {
        "solar_cf": sun,
        "wind_cf": rng.uniform(0, 0.9, HOURS),
        "price_usd_mwh": 60 + 40 * np.sin((hour - 9) / 12 * np.pi) + rng.uniform(0, 10, HOURS),
    }
    return SiteSteps(
        quarters=(name,),
        weight_h=ones[None],
        step_h=1.0,
        cycle=np.zeros(HOURS, int),
        pue={"air": (1.2 + 0.1 * rng.random(HOURS))[None], "liquid": (1.1 + 0.05 * rng.random(HOURS))[None]},
        wue_l_per_kwh={"air": ones[None], "liquid": ones[None]},
        shape={"flat": ones[None], "daily": (0.6 + 0.4 * (hour > 8))[None], "idle": ones[None]},
        **{key: values[None] for key, values in rows.items()},
    )


HOURLY = [week(seed, f"2026Q{seed + 1}") for seed in range(QUARTERS)]


def joined(parts: list[SiteSteps]) -> SiteSteps:
    """The same hours as steps of one sizing problem."""

    def stack(pick: object) -> np.ndarray:
        return np.concatenate([pick(part) for part in parts])

    return SiteSteps(
        quarters=tuple(part.quarters[0] for part in parts),
        weight_h=stack(lambda p: p.weight_h),
        step_h=1.0,
        cycle=parts[0].cycle,
        solar_cf=stack(lambda p: p.solar_cf),
        wind_cf=stack(lambda p: p.wind_cf),
        price_usd_mwh=stack(lambda p: p.price_usd_mwh),
        pue={d: stack(lambda p, d=d: p.pue[d]) for d in ("air", "liquid")},
        wue_l_per_kwh={d: stack(lambda p, d=d: p.wue_l_per_kwh[d]) for d in ("air", "liquid")},
        shape={c: stack(lambda p, c=c: p.shape[c]) for c in ("flat", "daily", "idle")},
    )


def job(money: EnergyPrices, grid_mw: float = 30.0, **changes: object) -> SiteJob:
    return SiteJob(
        **{
            "site": "s", "hours": HOURLY, "prices": money, "load": LOAD,
            "grid_mw": np.full(QUARTERS, grid_mw),
            "years": YEARS, "guess": {kind: np.zeros(QUARTERS) for kind in KINDS},
        } | changes
    )  # fmt: skip


def whole(money: EnergyPrices, grid_mw: float = 30.0) -> float:
    """The least cost in one linear problem over all hours of all quarters."""
    hours = joined(HOURLY)
    need = need_mw(hours, LOAD)
    model = Model("whole")
    case = site_case("s", hours, money, YEARS, np.maximum(need - grid_mw, 0.0), need)
    block = add_site(model, case, 1e6)
    problem = model.assemble()
    problem.upper[block.capacity["grid"]] = grid_mw
    return solve(problem).objective


def naive(money: EnergyPrices, capacity: dict[str, np.ndarray], grid_mw: float) -> float:
    """The bill without a battery, hour by hour in plain loops."""
    bill, taken, used = 0.0, [0.0, 0.0], [0.0, 0.0]
    for q, hours in enumerate(HOURLY):
        peak = 0.0
        for h in range(HOURS):
            need = sum(mw[q] * hours.pue[d][0, h] * hours.shape[c][0, h] for (d, c), mw in LOAD.items())
            own = hours.solar_cf[0, h] * capacity["solar"][q] + hours.wind_cf[0, h] * capacity["wind"][q]
            imported = min(max(need - own, 0.0), grid_mw)
            shed = max(need - own - grid_mw, 0.0)
            price = hours.price_usd_mwh[0, h] + money.emission_t_mwh * money.carbon_usd_t
            bill += money.discount[q] * (imported * price + shed * money.shed_usd_mwh) * 1e-6
            peak = max(peak, imported)
            taken[YEARS[q]] += imported * 1e-3
            used[YEARS[q]] += need * 1e-3
        bill += money.discount[q] * peak * 1e3 * money.demand_charge_usd_kw_month * 3 * 1e-6
        for kind, technology in money.technologies.items():
            each = quarterly_cost_musd_mw(technology, money.discount_rate)
            bill += money.discount[q] * each * capacity[kind][q]
    for year, discount in ((0, (0.98 + 0.96) / 2), (1, 0.94)):
        gap = max(taken[year] - (1 - money.green_share_min) * used[year], 0.0)
        bill += gap * money.green_premium_usd_mwh * 1e-3 * discount
    return bill


def test_need_is_pue_times_shape_times_load() -> None:
    need = need_mw(joined(HOURLY), LOAD)
    at = HOURLY[1]
    assert need[1, 3] == pytest.approx(5.0 * at.pue["air"][0, 3] + 4.0 * at.pue["liquid"][0, 3] * 0.6)


VARIANTS = {
    "all": prices(),
    "without storage": prices(technologies={"solar": SOLAR, "wind": WIND}),
    "nothing on offer": prices(technologies={}),
    "no green rule": prices(green_share_min=0.0),
    "all green": prices(green_share_min=1.0, green_premium_usd_mwh=40.0),
    "dear power": prices(carbon_usd_t=200.0),
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("grid_mw", [30.0, 8.0])
def test_the_cuts_find_the_least_cost_of_all_hours_at_once(variant: str, grid_mw: float) -> None:
    money = VARIANTS[variant]
    best = whole(money, grid_mw)
    life = power_site(job(money, grid_mw), gap=1e-3)
    assert best * (1 - 1e-7) <= life.cost_musd <= best * (1 + 1.5e-3)
    # The premium is discounted by quarter in the cuts and by year in the bill: the bound may differ by that.
    assert life.bound_musd <= best * (1 + 1e-3)
    assert life.bound_musd <= life.cost_musd


def test_a_better_guess_does_not_change_the_answer() -> None:
    money = prices()
    first = power_site(job(money), gap=1e-4)
    again = power_site(job(money, guess=first.capacity), gap=1e-4)
    assert again.cost_musd == pytest.approx(first.cost_musd, rel=2e-4)


@pytest.mark.parametrize("grid_mw", [30.0, 8.0, 4.0])
def test_without_storage_it_is_the_naive_loop(grid_mw: float) -> None:
    money = prices(technologies={"solar": SOLAR, "wind": WIND})
    life = power_site(job(money, grid_mw))
    assert life.cost_musd == pytest.approx(naive(money, life.capacity, grid_mw), rel=1e-9)
    assert (life.shed_gwh > 0) == (grid_mw == 4.0 or life.shed_gwh > 0)


def test_nothing_is_contracted_before_its_lead_and_nothing_is_given_up() -> None:
    life = power_site(job(prices()))
    assert sum(life.capacity[kind].max() for kind in KINDS) > 0.0
    for kind in KINDS:
        assert life.capacity[kind][0] == 0.0
        assert (np.diff(life.capacity[kind]) >= -1e-9).all()
        assert life.capacity[kind].max() <= 40.0 + 1e-9


@pytest.fixture(scope="module")
def stored() -> SiteLife:
    """Nearly free storage of two hours, at a tariff that makes it pay."""
    cheap = replace(BATTERY, capex_usd_kw=0.5, om_usd_kw_year=0.01)
    money = prices(
        technologies={**ALL, "battery": cheap}, max_mw={"solar": 40.0, "wind": 40.0, "battery": 3.0}
    )
    return power_site(job(money))


def test_power_is_conserved_hour_by_hour(stored: SiteLife) -> None:
    for q in range(QUARTERS):
        flows = {name: values[q] for name, values in stored.flows.items()}
        own = stored.solar[q] + stored.wind[q]
        supply = flows["import"] + flows["discharge"] - flows["charge"] + own + flows["shed"]
        assert (supply >= stored.need[q] - 1e-6).all()
        assert (supply - stored.need[q] <= own + flows["discharge"] + 1e-6).all()
        assert flows["import"].max() <= stored.peak_mw[q] + 1e-9


def test_storage_keeps_its_books_and_ends_as_it_began(stored: SiteLife) -> None:
    one_way = 0.88**0.5
    assert stored.capacity["battery"][1:] == pytest.approx([3.0, 3.0], rel=0.2)
    for q in (1, 2):
        level, charge, discharge = (stored.flows[name][q] for name in ("stored", "charge", "discharge"))
        power = stored.capacity["battery"][q]
        assert np.roll(level, -1) == pytest.approx(level + one_way * charge - discharge / one_way, abs=1e-6)
        assert level.max() <= 4.0 * power + 1e-6
        assert max(charge.max(), discharge.max()) <= power + 1e-6
        assert charge.sum() > 0


def test_storage_on_offer_never_makes_a_site_dearer() -> None:
    without = power_site(job(prices(technologies={"solar": SOLAR, "wind": WIND})), gap=1e-4)
    with_it = power_site(job(prices()), gap=1e-4)
    assert with_it.cost_musd <= without.cost_musd * (1 + 2e-4)


def test_the_bill_is_added_up_from_the_flows(stored: SiteLife) -> None:
    total = 0.0
    for q, (hours, discount) in enumerate(zip(HOURLY, (0.98, 0.96, 0.94), strict=True)):
        total += discount * float(stored.flows["import"][q] @ (hours.price_usd_mwh[0] + 0.4 * 20.0)) * 1e-6
        total += discount * stored.peak_mw[q] * 1e3 * 5.0 * 3 * 1e-6
        total += discount * stored.contract_cost_musd[q]
    total += float(stored.green_gwh @ np.array([0.97, 0.94])) * 6.0 * 1e-3
    assert stored.cost_musd == pytest.approx(total)


def test_more_connection_is_never_dearer() -> None:
    costs = [power_site(job(prices(), mw), gap=1e-4).cost_musd for mw in (6.0, 9.0, 30.0)]
    assert costs[0] * (1 + 2e-4) >= costs[1] >= costs[2] * (1 - 2e-4)


def test_a_load_beyond_the_connection_is_shed_and_told() -> None:
    life = power_site(job(prices(technologies={}), 5.0))
    assert life.shed_gwh == pytest.approx(sum(np.maximum(n - 5.0, 0).sum() for n in life.need) * 1e-3)


def test_load_is_shed_only_where_no_source_could_cover_it() -> None:
    """A MWh shed for 1,000 USD beside a demand charge of 16,200 USD a MW and quarter: a short peak is no
    reason.
    """
    life = power_site(job(prices(shed_usd_mwh=1000.0, demand_charge_usd_kw_month=5.4)))
    assert life.shed_gwh == pytest.approx(0.0, abs=1e-9)


def test_a_quarter_without_load_costs_its_contracts_alone() -> None:
    life = power_site(job(prices(), load={("air", "flat"): np.array([0.0, 5.0, 5.0])}))
    assert life.flows["import"][0].max() == 0.0
    assert life.peak_mw[0] == 0.0


def test_a_site_without_load_costs_nothing() -> None:
    life = power_site(job(prices(), load={}))
    assert life.cost_musd == 0.0
    assert all(capacity.max() == 0.0 for capacity in life.capacity.values())


GAS = Technology(
    "g", "gas_engine", 60.0, 1.0, 25.0, efficiency=0.45, fuel_usd_mwh=18.0, fuel_emission_t_mwh=0.18
)
REACTOR = Technology("r", "smr", 130.0, 4.0, 40.0, efficiency=0.33, fuel_usd_mwh=3.0, available_share=0.9)


@pytest.mark.parametrize("grid_mw", [30.0, 5.0])
def test_plants_run_beside_the_grid_and_are_in_the_bill(grid_mw: float) -> None:
    offered = {**ALL, "gas_engine": GAS, "smr": REACTOR}
    # Capital of plants is counted by the hours of a period: a week, so each is a year's cost of 8,760 h.
    money = prices(technologies=offered, max_mw=dict.fromkeys(offered, 40.0))
    asked = job(money, grid_mw)
    life = power_site(asked, gap=1e-5)
    need = [need_mw(hours, {at: mw[q : q + 1] for at, mw in LOAD.items()}) for q, hours in enumerate(HOURLY)]
    case = as_one_case(asked, need)
    best = solve_energy(EnergyCase("whole", (case,))).cost_usd * 1e-6
    assert life.bound_musd <= best * (1 + 1e-7)
    assert best * (1 - 1e-7) <= life.cost_musd <= best * (1 + 1.1e-5)
    assert max(life.capacity["gas_engine"].max(), life.capacity["smr"].max()) > 0.0
    for q in range(QUARTERS):
        flows = {name: values[q] for name, values in life.flows.items()}
        supply = flows["import"] + flows["discharge"] - flows["charge"] + flows["shed"]
        supply = supply + life.solar[q] + life.wind[q] + flows["gas_engine"] + flows["smr"]
        assert (supply >= life.need[q] - 1e-6).all()
        assert (flows["gas_engine"] <= life.capacity["gas_engine"][q] + 1e-9).all()
        assert (flows["smr"] <= 0.9 * life.capacity["smr"][q] + 1e-9).all()


def test_quarters_of_other_length_end_in_hours_that_nobody_lives_through() -> None:
    shorter = [HOURLY[0], shortened(HOURLY[1], HOURS - 5), HOURLY[2]]
    life = power_site(job(prices(), hours=shorter), gap=1e-5)
    assert [len(flow) for flow in life.flows["import"]] == [HOURS, HOURS - 5, HOURS]
    whole_week = power_site(job(prices()), gap=1e-5)
    assert life.cost_musd == pytest.approx(whole_week.cost_musd, rel=0.05)
    level, charge, discharge = (life.flows[name][1] for name in ("stored", "charge", "discharge"))
    after = level + 0.88**0.5 * charge - discharge / 0.88**0.5
    assert level[1:] == pytest.approx(after[:-1], abs=1e-6)


def shortened(hours: SiteSteps, count: int) -> SiteSteps:
    """The first hours of a quarter."""
    cut = {
        name: getattr(hours, name)[:, :count] for name in ("weight_h", "solar_cf", "wind_cf", "price_usd_mwh")
    }
    by_name = {
        name: {key: rows[:, :count] for key, rows in getattr(hours, name).items()}
        for name in ("pue", "wue_l_per_kwh", "shape")
    }
    return replace(hours, cycle=hours.cycle[:count], **cut, **by_name)
