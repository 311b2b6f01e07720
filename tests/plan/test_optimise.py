"""From a problem to a powered plan: whole modules near the bound, every site powered, totals that add up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawright import linear
from gigawright.facility.dispatch.quarters import SiteSteps
from gigawright.plan import optimise
from gigawright.plan import problem as p
from gigawright.plan.master import (
    MASTER_GAP,
    Master,
    build_master,
    programme_cost,
    programme_gap,
    solve_master,
)
from gigawright.plan.rounding import whole_starts

from .hand import hand_problem
from .synthetic import random_problem

HOURS = 72


@settings(max_examples=80, derandomize=True)
@given(st.lists(st.floats(0, 3), min_size=1, max_size=8))
def test_rounding_up_never_has_less_standing_nor_a_whole_module_more(starts: list[float]) -> None:
    whole = whole_starts(np.array(starts))
    assert (whole == np.round(whole)).all()
    assert (whole >= 0).all()
    excess = np.cumsum(whole) - np.cumsum(starts)
    assert (excess >= -1e-5).all()
    assert (excess < 1 + 1e-5).all()


@pytest.mark.parametrize("seed", range(8))
def test_the_master_is_within_its_gap_of_the_best_plan(seed: int) -> None:
    master = build_master(random_problem(seed, days=1))
    found = solve_master(master)
    exact = linear.solve(master.assembled, gap=1e-10).objective
    assert found.bound <= exact + 1e-6 * abs(exact)
    assert exact <= found.objective + 1e-6 * abs(exact)
    assert found.objective - exact <= MASTER_GAP * programme_cost(master, found.x) + 1e-6
    assert programme_gap(master, found) <= MASTER_GAP
    whole = found.x[master.assembled.integer]
    assert whole == pytest.approx(np.round(whole), abs=1e-6)


def test_a_plan_keeps_every_row_and_bound_of_the_model() -> None:
    master = build_master(random_problem(3, days=1))
    x = solve_master(master).x
    problem = master.assembled
    done = problem.activity(x)
    scale = np.maximum(1.0, np.abs(done))
    assert ((done - problem.row_lower) / scale >= -1e-6).all()
    assert ((problem.row_upper - done) / scale >= -1e-6).all()
    assert (x >= problem.lower - 1e-6).all()
    assert (x <= problem.upper + 1e-6).all()


def test_modules_that_do_not_fit_are_rounded_down() -> None:
    """Room for one and a half modules, a need of one and a half: the bound says 30 MW, one whole module
    stands.
    """
    build = {"hall_existing": np.zeros((1, 2)), "hall_lead": np.array([0]), "max_it_mw": np.array([30.0])}
    master = build_master(hand_problem(build=build, work={"demand": np.full((1, 1, 4), 30.0)}))
    found = solve_master(master)
    assert found.of("halls")[0, 0] == pytest.approx([20.0] * 4)


class ThreeDays:
    """Every quarter is the same three days, by the hour."""

    def __init__(self, problem: p.Problem) -> None:
        self.quarters = problem.sets.q

    def hours(self, site: str) -> list[SiteSteps]:
        rng = np.random.default_rng(len(site))
        ones = np.ones((1, HOURS))
        hour = np.arange(HOURS) % 24
        return [
            SiteSteps(
                quarters=(quarter,),
                weight_h=ones,
                step_h=1.0,
                cycle=np.zeros(HOURS, int),
                solar_cf=np.clip(np.sin((hour - 6) / 12 * np.pi), 0, None)[None],
                wind_cf=rng.uniform(0, 0.8, (1, HOURS)),
                price_usd_mwh=(60 + 30 * np.sin(hour / 12 * np.pi))[None],
                pue={"air": 1.3 * ones, "liquid": 1.15 * ones},
                wue_l_per_kwh={"air": 0.5 * ones, "liquid": 0.2 * ones},
                shape={"flat": ones, "daily": (0.6 + 0.4 * (hour > 8))[None], "idle": ones},
            )
            for quarter in self.quarters
        ]


@pytest.fixture(scope="module")
def powered() -> tuple[Master, linear.Solution, dict[str, object], list[str]]:
    master = build_master(random_problem(2, days=1))
    found = solve_master(master)
    said: list[str] = []
    return master, found, optimise.power_sites(master, found, ThreeDays(master.problem), said.append), said


def test_every_site_is_powered_with_its_planned_load(
    powered: tuple[Master, linear.Solution, dict[str, object], list[str]],
) -> None:
    master, found, lived, said = powered
    assert tuple(lived) == master.problem.sets.sites
    load = found.of("load")
    for s, site in enumerate(master.problem.sets.sites):
        for q, need in enumerate(lived[site].need):
            expected = load[s, 0, :, q] @ shapes() * 1.3 + load[s, 1, :, q] @ shapes() * 1.15
            assert need == pytest.approx(expected)
            assert lived[site].peak_mw[q] <= found.of("grid")[s, q] + 1e-6
    assert len(said) == sum(load[s].max() > 0 for s in range(len(lived)))


def shapes() -> np.ndarray:
    """Flat, daily and idle, by hour."""
    hour = np.arange(HOURS) % 24
    return np.stack([np.ones(HOURS), 0.6 + 0.4 * (hour > 8), np.ones(HOURS)])


def test_the_summary_adds_up(
    powered: tuple[Master, linear.Solution, dict[str, object], list[str]],
) -> None:
    master, found, lived, _ = powered
    told = optimise.summary(master, found, lived)
    assert told["master_cost_musd"] + told["worth_lost_musd"] == pytest.approx(told["objective_musd"])
    assert told["programme_cost_musd"] == pytest.approx(
        told["master_cost_musd"] - told["energy_typical_days_musd"] + told["energy_verified_musd"]
    )
    assert told["energy_verified_musd"] == pytest.approx(sum(life.cost_musd for life in lived.values()))
    assert 0.0 <= told["energy_gap"] <= 0.0041
    assert told["columns"] == len(found.x)


def test_the_masters_energy_is_all_that_its_sites_blocks_cost() -> None:
    master = build_master(random_problem(5, days=1))
    found = solve_master(master)
    at_sites = [b.at.ravel() for name, b in master.assembled.model.columns.items() if ":" in name]
    places = np.concatenate(at_sites)
    expected = float(master.assembled.cost[places] @ found.x[places])
    assert optimise.energy_in_master(master, found.x) == pytest.approx(expected)
    assert expected > 0


def test_a_site_without_connection_is_left_dark() -> None:
    problem = random_problem(2, days=1)
    no_lines = replace(
        problem.build, grid_existing=np.array([20.0, 0.0]), may_build=np.array([[True, True], [False, False]])
    )
    existing = problem.offers.existing.copy()
    existing[1] = 0.0
    problem = replace(problem, build=no_lines, offers=replace(problem.offers, existing=existing))
    found = solve_master(build_master(problem))
    assert found.of("load")[1].max() == pytest.approx(0.0, abs=1e-9)
