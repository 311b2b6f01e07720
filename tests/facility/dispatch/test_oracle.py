"""The fast dispatch against one linear problem over all steps, and against what must hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawright.facility.dispatch.oracle import Dispatch, SitePeriod, dispatch_all
from gigawright.facility.dispatch.solve import solve_energy

from .random_sites import alone, site

SIZES = st.sampled_from([0.0, 1e-3, 0.5, 3.0, 8.0])
CASES = {
    "seed": st.integers(0, 10_000),
    "sun": SIZES, "gas": SIZES, "grid": SIZES, "charge": SIZES, "discharge": SIZES,
    "energy": st.sampled_from([0.0, 1e-3, 2.0, 15.0, 80.0]),
    "cycles": st.integers(1, 3),
    "negative": st.booleans(),
}  # fmt: skip


def by_lp(case: object, sizes: dict[str, float]) -> float:
    """The cost of all steps by the simplex method, without capital."""
    fixed = {name: np.array([mw]) for name, mw in sizes.items()}
    whole = alone(case)
    answer = solve_energy(whole, capacities={"here": fixed})
    capital = sum(source.capacity_usd_mw[0] * sizes[source.name] for source in case.sources)
    for store in case.stores:
        capital += store.charge_usd_mw[0] * sizes["charger_battery"]
        capital += store.discharge_usd_mw[0] * sizes["battery"]
        capital += store.energy_usd_mwh[0] * sizes["energy_battery"]
    return answer.cost_usd - capital


def books_are_kept(case: object, done: Dispatch) -> None:
    """Power balances, the level follows, nothing leaves its limits."""
    store, time = case.stores[0], case.time
    supply = done.power.sum(1) + done.given.sum(1) + done.discharge - done.charge
    assert supply == pytest.approx(case.load_mw[0], abs=1e-6)
    kept = (1.0 - store.loss_h) ** time.step_h
    gained = store.charge_efficiency * done.charge - done.discharge / store.discharge_efficiency
    after = kept * done.level + gained * time.step_h
    assert done.level[time.following] == pytest.approx(after, abs=1e-6)
    assert done.level.min() >= 0.0
    assert done.level.max() <= done.sizes.energy * (1 + 1e-12)
    for flow, most in ((done.charge, done.sizes.charge), (done.discharge, done.sizes.discharge)):
        assert flow.min() >= 0.0
        assert flow.max() <= most * (1 + 1e-12)
    assert (done.power <= done.sizes.source[: done.power.shape[1]] * (1 + 1e-12)).all()


@settings(max_examples=150)
@given(**CASES)
def test_it_costs_what_the_linear_problem_costs(
    seed: int, sun: float, gas: float, grid: float, charge: float, discharge: float, energy: float,
    cycles: int, negative: bool,
) -> None:  # fmt: skip
    case = site(seed, cycles=cycles, negative=negative)
    done = SitePeriod(case, 0).dispatch(np.array([sun, gas, grid]), charge, discharge, energy)
    names = ("sun", "gas", "grid", "charger_battery", "battery", "energy_battery")
    best = by_lp(case, dict(zip(names, (sun, gas, grid, charge, discharge, energy), strict=True)))
    assert done.cost_usd == pytest.approx(best, rel=1e-7, abs=1e-4)
    assert done.unserved.max() <= 1e-9
    books_are_kept(case, done)
    assert abs(done.priced_usd - done.plane.at(done.sizes)) <= 1e-9 * max(abs(done.priced_usd), 1.0)


@settings(max_examples=60)
@given(**CASES, other=st.lists(SIZES, min_size=6, max_size=6))
def test_its_plane_lies_below_the_cost_everywhere(
    seed: int, sun: float, gas: float, grid: float, charge: float, discharge: float, energy: float,
    cycles: int, negative: bool, other: list[float],
) -> None:  # fmt: skip
    period = SitePeriod(site(seed, cycles=cycles, negative=negative), 0)
    plane = period.dispatch(np.array([sun, gas, grid]), charge, discharge, energy, 30.0, 5.0).plane
    there = period.dispatch(np.array(other[:3]), other[3], other[4], 5.0 * other[5], 30.0, 5.0)
    assert plane.at(there.sizes) <= there.priced_usd + 1e-6 * max(abs(there.priced_usd), 1.0)


@pytest.mark.parametrize("seed", range(8))
def test_without_a_store_it_is_the_merit_order_hour_by_hour(seed: int) -> None:
    case = site(seed, with_store=False, negative=seed % 2 == 0)
    sizes = np.array([4.0, 3.0, 2.0])
    done = SitePeriod(case, 0).dispatch(sizes)
    total = 0.0
    for t in range(case.time.shape[1]):
        offers = [
            (s.energy_usd_mwh[0, t], s.available[0, t] * mw)
            for s, mw in zip(case.sources, sizes, strict=True)
        ]
        offers += [(tier.usd_mwh, tier.most_mw[0, t]) for tier in case.giving]
        missing = case.load_mw[0, t]
        for price, most in sorted(offers):
            taken = min(most, missing)
            missing -= taken
            total += price * taken * case.time.weight_h[0, t]
    assert done.cost_usd == pytest.approx(total)
    assert done.gap == pytest.approx(0.0, abs=1e-12)


def test_shared_prices_are_paid_on_tonnes_and_on_grey_energy() -> None:
    period = SitePeriod(site(3), 0)
    sizes = (np.array([5.0, 5.0, 5.0]), 2.0, 2.0, 6.0)
    plain, dear, grey = (
        period.dispatch(*sizes, *prices) for prices in ((0.0, 0.0), (80.0, 0.0), (0.0, 80.0))
    )
    assert dear.emission_t < plain.emission_t
    assert grey.grey_mwh < plain.grey_mwh
    assert dear.priced_usd == pytest.approx(dear.cost_usd + 80.0 * dear.emission_t)
    assert plain.cost_usd <= dear.cost_usd


def test_a_store_that_never_fills_nor_empties_is_found_by_its_price() -> None:
    """A year's worth of storage with little power: no hour forgets the level before it."""
    case = site(5, steps=60, negative=False)
    case = replace(case, stores=(replace(case.stores[0], loss_h=0.0),))
    period = SitePeriod(case, 0)
    done = period.dispatch(np.array([8.0, 3.0, 3.0]), 0.4, 0.3, 500.0)
    assert abs(done.gap) < 1e-10
    names = ("sun", "gas", "grid", "charger_battery", "battery", "energy_battery")
    best = by_lp(case, dict(zip(names, (8.0, 3.0, 3.0, 0.4, 0.3, 500.0), strict=True)))
    assert done.cost_usd == pytest.approx(best, rel=1e-7)


def test_a_dispatch_does_not_depend_on_what_was_dispatched_before() -> None:
    first, again = SitePeriod(site(7), 0), SitePeriod(site(7), 0)
    again.dispatch(np.array([1.0, 9.0, 0.0]), 5.0, 5.0, 50.0, 400.0)
    sizes = (np.array([4.0, 4.0, 4.0]), 2.0, 3.0, 7.0)
    assert (first.dispatch(*sizes).level == again.dispatch(*sizes).level).all()


def test_many_scenarios_side_by_side_are_each_for_itself() -> None:
    periods = [SitePeriod(site(seed), 0) for seed in range(6)]
    x = [np.array([4.0, 4.0, 4.0, 2.0, 3.0, 7.0])] * 6
    together = dispatch_all(periods, x, processes=3, carbon_usd_t=10.0)
    apart = [SitePeriod(site(seed), 0).dispatch_at(x[0], 10.0) for seed in range(6)]
    assert [done.cost_usd for done in together] == [done.cost_usd for done in apart]


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_against_a_plain_search_over_a_grid_of_levels(seed: int) -> None:
    """Levels in steps of a hundredth of the store, in plain loops: never cheaper, and close to it."""
    case = site(seed, steps=8)
    store = replace(case.stores[0], loss_h=0.0, wear_usd_mwh=0.0)
    case = replace(case, stores=(store,), time=replace(case.time, weight_h=np.ones((1, 8)), step_h=1.0))
    sizes, energy, count = np.array([4.0, 3.0, 2.0]), 5.0, 100
    changes = np.arange(-count, count + 1) * energy / count
    cost = [[plain_hour(case, sizes, t, change) for change in changes] for t in range(8)]
    best = np.inf
    for start in range(0, count + 1, 5):
        reached = {start: 0.0}
        for t in range(8):
            after: dict[int, float] = {}
            for level, spent in reached.items():
                for change in range(-level, count - level + 1):
                    total = spent + cost[t][count + change]
                    if total < after.get(level + change, np.inf):
                        after[level + change] = total
            reached = after
        best = min(best, reached[start])
    done = SitePeriod(case, 0).dispatch(sizes, 2.0, 2.0, energy)
    assert done.cost_usd <= best + 1e-6
    assert done.cost_usd == pytest.approx(best, rel=0.02)


def plain_hour(case: object, sizes: np.ndarray, t: int, change: float) -> float:
    """An hour's cost of a level change: infinite beyond 2 MW, else the merit order of what is needed."""
    store = case.stores[0]
    power = change / store.charge_efficiency if change > 0.0 else change * store.discharge_efficiency
    if abs(power) > 2.0:
        return np.inf
    missing, total = case.load_mw[0, t] + power, 0.0
    offers = [
        (s.energy_usd_mwh[0, t], s.available[0, t] * mw) for s, mw in zip(case.sources, sizes, strict=True)
    ]
    for price, most in sorted(offers + [(tier.usd_mwh, tier.most_mw[0, t]) for tier in case.giving]):
        taken = min(most, max(missing, 0.0))
        missing -= taken
        total += price * taken
    return total if missing <= 1e-9 else np.inf
