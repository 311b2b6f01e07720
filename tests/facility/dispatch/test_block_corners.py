"""Corners of the energy block: what the optimiser could game, odd sizes, and two ways that must agree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gigawright.facility.dispatch.case import (
    Delay,
    EnergyCase,
    Giving,
    Move,
    Outage,
    SiteCase,
    Timeline,
)
from gigawright.facility.dispatch.exact import size_exact, takes
from gigawright.facility.dispatch.solve import solve_energy
from gigawright.facility.dispatch.split import size_split

from .test_block import EACH, answer, battery, site, source


def test_moved_load_is_not_paid_for_twice_at_negative_prices() -> None:
    """East's price is negative: its load must not be bought there and carried elsewhere too."""
    east = site([4.0, 4.0], source("grid", 2, [-20.0, 50.0], most_mw=50 * EACH), name="east")
    west = site([4.0, 4.0], source("grid", 2, [1.0, 1.0]), name="west")
    ways = tuple(Move(a, b, np.full((1, 2), 4.0), 1.0, 0.1) for a, b in (("east", "west"), ("west", "east")))
    found = solve_energy(EnergyCase("two", (east, west), moves=ways))
    # Hour 0: west's load comes to the negative price; hour 1: east's goes to west.
    assert found.cost_usd == pytest.approx(8 * -20 + 0.4 + 8 * 1 + 0.4)


def test_no_more_leaves_than_there_is() -> None:
    """Load that may go to two places goes once: else it would be a line that feeds a battery."""
    a = site([4.0] * 2, source("grid", 2, [900.0, 900.0]), name="a", stores=(battery(9.0),))
    b = site([4.0] * 2, source("grid", 2, [1.0, 900.0]), name="b")
    c = site([4.0] * 2, source("grid", 2, [1.0, 900.0]), name="c")
    ways = tuple(Move("a", t, np.full((1, 2), 4.0), 1.0, 0.0) for t in ("b", "c"))
    found = solve_energy(EnergyCase("three", (a, b, c), moves=ways))
    out = sum(found.moved["a", t] for t in ("b", "c"))
    assert out.max() <= 4.0 + 1e-9


def test_what_gives_way_is_never_more_than_the_load() -> None:
    tiers = (Giving("cap", np.full((1, 2), 3.0), 1.0), Giving("pause", np.full((1, 2), 4.0), 2.0))
    late = Delay("batch", np.full((1, 2), 4.0), np.full((1, 2), 4.0), most_hours=9.0)
    case = site(
        [4.0, 4.0], source("grid", 2, [900.0, 900.0]), stores=(battery(9.0),), giving=tiers, delays=(late,)
    )
    _, found = answer(case)
    gone = sum(g for g in found.given.values()) + found.delayed["batch"]
    assert gone.max() <= 4.0 + 1e-9


def test_a_free_source_with_starts_is_built() -> None:
    wind = source("wind", 2, clean=True, start_usd_mw=5.0)
    cost, _ = answer(site([4.0, 4.0], wind, source("grid", 2, 5.0)))
    assert cost == pytest.approx(0.0)


def test_a_store_that_is_lost_gives_nothing() -> None:
    lost = Outage("o", ("grid", "battery"), 0, first=1, steps=1)
    gas = source("gas", 4, 500.0, capacity_usd_mw=1e3 * EACH)
    _, found = answer(site([4.0] * 4, source("grid", 4, 50.0), gas, stores=(battery(9.0),), outages=(lost,)))
    assert found.capacity["gas"][0] == pytest.approx(4.0)


def test_zero_weight_hours_have_no_price() -> None:
    time = Timeline(("a",), np.array([[1.0, 0.0]]), 1.0, np.zeros(2, int), np.ones(1), np.zeros(1, int))
    case = SiteCase("s", time, (source("grid", 2, 5.0),), load_mw=np.array([[1.0, 0.0]]))
    _, found = answer(case)
    assert np.isfinite(found.price_usd_mwh).all()


@pytest.mark.parametrize("hours", [1, 2])
@pytest.mark.parametrize("kind", ["plain", "negative", "zero", "clean1", "cert", "yearly", "nothing", "cap0"])
def test_exact_split_and_whole_agree_on_corners(hours: int, kind: str) -> None:
    sun = source("solar", hours, clean=True, capacity_usd_mw=3.0 * EACH, available=np.full((1, hours), 0.5))
    grid = source("grid", hours, 40.0, capacity_usd_mw=1.0 * EACH, emission_t_mwh=np.full((1, hours), 0.5))
    store = battery(
        9.0,
        None,
        energy_usd_mwh=1.0 * EACH,
        one_power=False,
        charge_usd_mw=1.0 * EACH,
        discharge_usd_mw=2.0 * EACH,
    )
    load = [5.0, 3.0][:hours]
    case = site(load, sun, grid, stores=(store,), giving=(Giving("shed", np.full((1, hours), 5.0), 1000.0),))
    cap = np.inf
    if kind == "negative":
        case = replace(case, sources=(sun, replace(grid, energy_usd_mwh=np.array([[-30.0, 50.0][:hours]]))))
    if kind == "zero":
        case = replace(case, load_mw=np.zeros((1, hours)))
    if kind == "clean1":
        case = replace(case, clean_share=1.0)
    if kind == "cert":
        case = replace(case, clean_share=1.0, certificate_usd_mwh=2.0 * EACH)
    if kind == "yearly":
        case = replace(case, clean_share=1.0, matching="yearly", certificate_usd_mwh=2.0 * EACH)
    if kind == "nothing":
        case = replace(case, sources=(replace(grid, most_mw=0.0 * EACH),), stores=())
    if kind == "cap0":
        cap = 0.0
    whole = EnergyCase("c", (case,), cap)
    assert takes(whole) is None
    plain = solve_energy(whole)
    cut = size_exact(whole, 1e-6)
    split = size_split(whole, 1e-6)
    assert cut.cost_usd == pytest.approx(plain.cost_usd, rel=1e-5, abs=1e-3)
    assert split.cost_usd == pytest.approx(plain.cost_usd, rel=1e-5, abs=1e-3)
    assert cut.emission_t <= cap + 1e-6
    assert split.emission_t <= cap + 1e-6


@pytest.mark.parametrize("most", [1e3, 1e6, 1e9])
def test_a_huge_connection_changes_nothing(most: float) -> None:
    grid = source("grid", 24, 40.0, capacity_usd_mw=1.0 * EACH, most_mw=most * EACH)
    case = EnergyCase("c", (site([5.0] * 24, grid),))
    assert size_exact(case).cost_usd == pytest.approx(5 * 24 * 40 + 5, rel=1e-4)
    assert solve_energy(case).cost_usd == pytest.approx(5 * 24 * 40 + 5)


def test_a_cap_of_nothing_is_kept_by_split() -> None:
    coal = source("coal", 3, 20.0, emission_t_mwh=np.full((1, 3), 1.0))
    sun = source("solar", 3, clean=True, capacity_usd_mw=30.0 * EACH, available=np.array([[1, 0.3, 0.7]]))
    case = EnergyCase(
        "cap",
        (site([10.0, 3, 7.7], coal, sun, name="a"), site([1.1, 3, 7.7], coal, sun, name="b")),
        carbon_cap_t=0.0,
    )
    assert size_split(case).cost_usd == pytest.approx(solve_energy(case).cost_usd, rel=1e-4)


def test_outage_longer_than_the_year_and_wrapping() -> None:
    gas = source("gas", 4, 500.0, capacity_usd_mw=1e3 * EACH)
    for steps in (4, 6, 9):
        lost = Outage("o", ("grid",), 0, first=3, steps=steps)
        _, found = answer(site([4.0, 3, 2, 1], source("grid", 4, 50.0), gas, outages=(lost,)))
        assert found.capacity["gas"][0] == pytest.approx(4.0)


def test_starts_and_ramps_with_three_hour_steps_and_weights() -> None:
    time = Timeline(("a",), np.full((1, 8), 90.0), 3.0, np.zeros(8, int), np.ones(1), np.zeros(1, int))
    plant = source("gas", 8, 50.0, least_share=1.0, start_usd_mw=30.0)
    grid = source("grid", 8, [1000.0, 1000.0, 10.0, 10.0] * 2)
    case = SiteCase("s", time, (plant, grid), load_mw=np.ones((1, 8)))
    cost, found = answer(case)
    # Two starts a day, 30 days.
    assert cost == pytest.approx(90 * (4 * 50 + 4 * 10) + 2 * 30 * 30)
    slow = replace(plant, least_share=0.0, start_usd_mw=0.0, ramp_share_h=0.25)
    _, found = answer(replace(case, sources=(replace(slow, least_mw=EACH, most_mw=EACH), grid)))
    assert np.abs(np.diff(found.power["gas"][0])).max() <= 0.75 + 1e-9


def test_reserve_with_store_of_no_power() -> None:
    _cost, found = answer(
        site(
            [10.0] * 3,
            source("grid", 3, 50.0, capacity_usd_mw=EACH),
            stores=(battery(0.0),),
            reserve_share=0.1,
        )
    )
    assert found.capacity["grid"][0] == pytest.approx(11.0)


def test_what_comes_over_a_line_stays_within_it_and_is_no_reserve() -> None:
    bought = source("band", 3, 10.0, clean=True, over="grid")
    line = source("grid", 3, 50.0, most_mw=12.0 * EACH, capacity_usd_mw=1.0 * EACH)
    gas = source("gas", 3, 90.0, capacity_usd_mw=5.0 * EACH)
    case = site([20.0] * 3, bought, line, gas, reserve_share=0.1)
    _, found = answer(case)
    assert found.power["band"][0] + found.power["grid"][0] == pytest.approx([12.0] * 3)
    assert found.capacity["gas"][0] == pytest.approx(8.0 + 2.0)
    _, found = answer(replace(case, reserve_share=0.0, outages=(Outage("o", ("grid",), 0, 0, 1),)))
    assert found.capacity["gas"][0] == pytest.approx(20.0)


def test_start_costs_are_in_the_answer() -> None:
    plant = source("gas", 4, 50.0, least_share=1.0, start_usd_mw=30.0)
    _, found = answer(site([1.0] * 4, plant, source("grid", 4, [1000.0, 1000.0, 10.0, 10.0])))
    assert found.started["gas"][0] == pytest.approx([1.0, 0, 0, 0])
