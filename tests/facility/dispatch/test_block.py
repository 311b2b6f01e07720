"""The energy block by hand, and against a plain matrix: plants, reserve, outages, shares, delays, moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from gigawright.facility.dispatch.case import (
    Delay,
    EnergyCase,
    Giving,
    Move,
    Outage,
    SiteCase,
    Source,
    Store,
    Timeline,
    one_year,
)
from gigawright.facility.dispatch.solve import SiteAnswer, least_relaxation, solve_energy
from gigawright.linear import Infeasible

EACH = np.ones(1)


def source(name: str, hours: int, price: float | list[float] = 0.0, **changes: object) -> Source:
    whole = np.ones((1, hours))
    fields: dict[str, object] = {
        "name": name, "kind": name, "available": whole, "energy_usd_mwh": whole * np.array(price),
        "emission_t_mwh": 0.0 * whole, "capacity_usd_mw": 0.0 * EACH, "least_mw": 0.0 * EACH,
        "most_mw": 1e3 * EACH,
    }  # fmt: skip
    return Source(**(fields | changes))  # type: ignore[arg-type]


def battery(power_mw: float = 1.0, hours: float | None = 2.0, **changes: object) -> Store:
    fields: dict[str, object] = {
        "name": "battery", "kind": "battery", "charge_efficiency": 0.8, "discharge_efficiency": 0.8,
        "charge_usd_mw": 0.0 * EACH, "discharge_usd_mw": 1e-6 * EACH, "energy_usd_mwh": 0.0 * EACH,
        "most_mw": power_mw * EACH, "most_mwh": 2.0 * power_mw * EACH, "least_mw": 0.0 * EACH, "hours": hours,
    }  # fmt: skip
    return Store(**(fields | changes))  # type: ignore[arg-type]


def site(load: list[float], *sources: Source, name: str = "s", **changes: object) -> SiteCase:
    case = SiteCase(name, one_year(len(load)), sources, load_mw=np.array([load]))
    return replace(case, **changes)  # type: ignore[arg-type]


def answer(case: SiteCase) -> tuple[float, SiteAnswer]:
    found = solve_energy(EnergyCase("case", (case,)))
    return found.cost_usd, found.sites[case.site]


def test_the_cheaper_plant_runs_first_and_the_dearer_fills_up() -> None:
    gas = source("gas", 2, 60.0, most_mw=3.0 * EACH)
    cost, found = answer(site([2.0, 5.0], gas, source("grid", 2, 90.0)))
    assert found.power["gas"][0] == pytest.approx([2.0, 3.0])
    assert found.power["grid"][0] == pytest.approx([0.0, 2.0])
    assert cost == pytest.approx(5 * 60 + 2 * 90)
    assert found.price_usd_mwh[0, 1] == pytest.approx(90.0)


def test_a_plant_on_line_keeps_its_minimum() -> None:
    """10 MW on line must run at 4 or more: with 2 MW of load and starts at a price, half of it goes off."""
    plant = source(
        "gas", 4, 50.0, least_share=0.4, start_usd_mw=1e4, most_mw=10.0 * EACH, least_mw=10.0 * EACH
    )
    cost, found = answer(site([10.0, 10.0, 2.0, 10.0], plant))
    assert found.power["gas"][0].min() >= 4.0 - 1e-9
    assert cost == pytest.approx(34 * 50.0)
    # With starts free, what is not needed goes off line.
    free, found = answer(site([10.0, 10.0, 2.0, 10.0], replace(plant, start_usd_mw=0.0)))
    assert found.power["gas"][0, 2] == pytest.approx(2.0)
    assert free == pytest.approx(32 * 50.0)


def test_a_start_is_paid_once_a_mw() -> None:
    plant = source("gas", 4, 50.0, least_share=1.0, start_usd_mw=30.0)
    grid = source("grid", 4, [1000.0, 1000.0, 10.0, 10.0])
    cost, found = answer(site([1.0] * 4, plant, grid))
    assert found.power["gas"][0] == pytest.approx([1.0, 1.0, 0.0, 0.0])
    assert cost == pytest.approx(2 * 50 + 2 * 10 + 30)


def test_a_ramp_holds_from_hour_to_hour_and_round_the_year() -> None:
    plant = source("gas", 4, 10.0, ramp_share_h=0.25, most_mw=8.0 * EACH, least_mw=8.0 * EACH)
    cost, found = answer(site([1.0, 8.0, 8.0, 1.0], plant, source("grid", 4, 100.0)))
    power = found.power["gas"][0]
    assert np.abs(np.diff(np.r_[power, power[0]])).max() <= 2.0 + 1e-9
    assert power == pytest.approx([4.0, 6.0, 6.0, 4.0], abs=2.0)
    assert cost < 7 * 100 * 2


def test_negative_prices_do_not_pay_for_waste() -> None:
    grid = source("grid", 2, [-20.0, 30.0], most_mw=50.0 * EACH)
    cost, found = answer(site([2.0, 2.0], grid))
    assert found.power["grid"][0] == pytest.approx([2.0, 2.0])
    assert cost == pytest.approx(-40 + 60)


def test_reserve_is_kept_from_plants_and_stores() -> None:
    """10 MW with a tenth in reserve needs 11 MW of capacity, or a battery that holds an hour of it."""
    dear = source("grid", 3, 50.0, capacity_usd_mw=1e3 * EACH)
    cost, found = answer(site([10.0] * 3, dear, reserve_share=0.1))
    assert found.capacity["grid"][0] == pytest.approx(11.0)
    cheaper, found = answer(site([10.0] * 3, dear, stores=(battery(2.0),), reserve_share=0.1))
    assert found.capacity["grid"][0] == pytest.approx(10.0)
    assert found.stored["battery"].min() >= 1.0 / 0.8 - 1e-9
    assert cheaper < cost


def test_an_outage_is_lived_through_from_what_is_stored() -> None:
    lost = Outage("feeder", ("grid",), 0, first=1, steps=2, share=0.5)
    gas = source("gas", 4, 500.0, capacity_usd_mw=1e3 * EACH)
    _, found = answer(site([4.0] * 4, source("grid", 4, 50.0), gas, outages=(lost,)))
    assert found.capacity["gas"][0] == pytest.approx(2.0)
    assert found.power["gas"][0] == pytest.approx([0.0] * 4)
    _, found = answer(site([4.0] * 4, source("grid", 4, 50.0), gas, stores=(battery(9.0),), outages=(lost,)))
    assert found.capacity["gas"][0] == pytest.approx(0.0, abs=1e-6)
    # Two hours at half of 4 MW, over the discharging efficiency.
    assert found.stored["battery"][0, 1] >= 2 * 2.0 / 0.8 - 1e-9


def test_an_outage_nobody_can_live_through_is_infeasible() -> None:
    lost = Outage("all", ("grid",), 0, first=0, steps=1)
    case = site([4.0] * 2, source("grid", 2, 50.0), outages=(lost,))
    with pytest.raises(Infeasible):
        answer(case)
    found = least_relaxation(EnergyCase("case", (case,)))
    assert [(one.rule, one.site, round(one.amount, 6)) for one in found] == [("carried_all", "s", 4.0)]


def test_hourly_matching_counts_only_what_is_used_in_its_hour() -> None:
    sun = source("solar", 2, clean=True, available=np.array([[1.0, 0.0]]), capacity_usd_mw=10.0 * EACH)
    grid = source("grid", 2, 1.0)
    case = site([5.0, 5.0], sun, grid, clean_share=0.5)
    _, found = answer(case)
    assert found.capacity["solar"][0] == pytest.approx(5.0)
    with pytest.raises(Infeasible):
        answer(replace(case, clean_share=0.6))
    _, found = answer(replace(case, clean_share=0.6, matching="yearly"))
    assert found.capacity["solar"][0] == pytest.approx(6.0)
    cost, found = answer(replace(case, clean_share=0.6, certificate_usd_mwh=2.0 * EACH))
    # A certificate at 2 is cheaper than sun at 10 a MWh less the 1 saved.
    assert found.certificates_mwh == pytest.approx([6.0])
    assert cost == pytest.approx(10 + 12)


def test_work_put_off_is_made_up_within_its_hours() -> None:
    late = Delay("batch", np.full((1, 4), 2.0), np.full((1, 4), 2.0), most_hours=1.0)
    grid = source("grid", 4, [90.0, 90.0, 10.0, 10.0])
    cost, found = answer(site([5.0] * 4, grid, delays=(late,)))
    assert found.delayed["batch"].sum() == pytest.approx(found.caught_up["batch"].sum())
    # At most one hour's worth is owed: 2 MWh move from a dear hour to a cheap one.
    assert cost == pytest.approx(18 * 0 + (10 - 2) * 90 + (10 + 2) * 10)


def test_giving_is_taken_where_power_is_dearer() -> None:
    cap = Giving("cap", np.full((1, 2), 1.0), 70.0)
    cost, found = answer(site([5.0, 5.0], source("grid", 2, [50.0, 90.0]), giving=(cap,)))
    assert found.given["cap"][0] == pytest.approx([0.0, 1.0])
    assert cost == pytest.approx(250 + 360 + 70)


def test_serving_follows_the_cheaper_site_and_draws_its_pue() -> None:
    day = site([4.0, 4.0], source("grid", 2, [10.0, 90.0]), name="east")
    night = site([4.0, 4.0], source("grid", 2, [90.0, 10.0]), name="west")
    ways = tuple(Move(a, b, np.full((1, 2), 2.0), 1.1, 1.0) for a, b in (("east", "west"), ("west", "east")))
    found = solve_energy(EnergyCase("two", (day, night), moves=ways))
    assert found.moved["west", "east"][0] == pytest.approx([2.0, 0.0])
    assert found.sites["east"].power["grid"][0] == pytest.approx([4 + 2.2, 2.0])
    assert found.cost_usd == pytest.approx(2 * (6.2 * 10 + 2 * 90 + 2))


def test_capacities_never_fall_and_each_period_has_its_own_weights() -> None:
    time = Timeline(
        ("a", "b"),
        np.array([[100.0], [300.0]]),
        1.0,
        np.zeros(1, int),
        np.array([1.0, 0.5]),
        np.zeros(2, int),
    )
    whole, each = np.ones((2, 1)), np.ones(2)
    gas = Source("gas", "gas", whole, 50.0 * whole, 0.0 * whole, 10.0 * each, 0.0 * each, 9.0 * each)
    case = SiteCase("s", time, (gas,), load_mw=np.array([[3.0], [1.0]]))
    cost, found = answer(case)
    assert found.capacity["gas"] == pytest.approx([3.0, 3.0])
    assert cost == pytest.approx(3 * 10 + 0.5 * 3 * 10 + 100 * 3 * 50 + 0.5 * 300 * 50)


def test_the_carbon_cap_is_kept_and_priced() -> None:
    coal = source("coal", 1, 20.0, emission_t_mwh=np.full((1, 1), 1.0))
    gas = source("gas", 1, 50.0, emission_t_mwh=np.full((1, 1), 0.4))
    found = solve_energy(EnergyCase("cap", (site([10.0], coal, gas),), carbon_cap_t=7.0))
    assert found.emission_t == pytest.approx(7.0)
    assert found.carbon_usd_t == pytest.approx(30 / 0.6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), hours=st.integers(2, 12))
def test_the_block_agrees_with_a_plain_matrix(seed: int, hours: int) -> None:
    """Sun, grid and battery written out row by row for scipy's own solver."""
    rng = np.random.default_rng(seed)
    load, price, sun = rng.uniform(1, 5, hours), rng.uniform(5, 90, hours), rng.uniform(0, 1, hours)
    cost = {"sun": 40.0 * hours / 10, "grid": 20.0, "power": 3.0, "energy": 2.0}
    case = site(
        load.tolist(),
        source("solar", hours, clean=True, available=sun[None], capacity_usd_mw=cost["sun"] * EACH),
        source("grid", hours, price.tolist(), capacity_usd_mw=cost["grid"] * EACH),
        stores=(
            battery(50.0, None, discharge_usd_mw=cost["power"] * EACH, energy_usd_mwh=cost["energy"] * EACH),
        ),
    )
    found, _ = answer(case)
    assert found == pytest.approx(_plain(load, price, sun, cost), rel=1e-7)


def _plain(load: np.ndarray, price: np.ndarray, sun: np.ndarray, cost: dict[str, float]) -> float:
    """Columns: sun, grid, power, energy; then import, charge, discharge, stored of each hour."""
    hours = len(load)
    width = 4 + 4 * hours
    objective = np.zeros(width)
    objective[:4] = list(cost.values())
    rows, limits, same = [], [], []
    for h in range(hours):
        at = 4 + 4 * h
        after = 4 + 4 * ((h + 1) % hours) + 3
        objective[at] = price[h]
        balance = np.zeros(width)
        balance[[0, at, at + 1, at + 2]] = [-sun[h], -1.0, 1.0, -1.0]
        rows.append(balance)
        limits.append(-load[h])
        for column, size in ((at, 1), (at + 1, 2), (at + 2, 2), (at + 3, 3)):
            row = np.zeros(width)
            row[[column, size]] = [1.0, -1.0]
            rows.append(row)
            limits.append(0.0)
        level = np.zeros(width)
        level[after] += 1.0
        level[at + 3] -= 1.0
        level[[at + 1, at + 2]] = [-0.8, 1.25]
        same.append(level)
    upper = [(0, 1000), (0, 1000), (0, 50), (0, 100)] + [(0, None)] * (4 * hours)
    found = linprog(objective, np.array(rows), limits, np.array(same), np.zeros(hours), upper)
    return float(found.fun)
