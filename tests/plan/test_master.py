"""The builder against the readable reference, and what must not change a plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gigawright import linear
from gigawright.errors import SolverError
from gigawright.plan import problem as p
from gigawright.plan.master import (
    build_master,
    programme_cost,
    programme_gap,
    solve_master,
    with_integers_fixed,
    worth_lost,
)

from .hand import hand_problem, solved
from .reference import reference
from .synthetic import random_problem, varied_problem

SEEDS = range(12)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("make", [varied_problem, lambda seed: random_problem(seed, days=1)])
def test_the_builder_has_the_reference_optimum(make: object, seed: int) -> None:
    problem = make(seed)
    expected = reference(problem).solve()
    assert expected is not None
    assert solved(problem).objective == pytest.approx(expected[0], rel=1e-6)


def test_the_reference_is_not_blind_to_any_part_of_the_problem() -> None:
    """Each change must move both optima, and by the same amount; a part that neither reads would not."""
    base = scaled(random_problem(3, days=1), {"people": ("hire_max", "initial")}, 0.1)
    few = dict.fromkeys(("solar", "wind", "battery"), 3.0)
    base = replace(base, energy={site: replace(e, max_mw=few) for site, e in base.energy.items()})

    def relaxed(problem: p.Problem) -> float:
        return linear.solve(build_master(problem).assembled, relax=True).objective

    before = relaxed(base)
    for name, change in CHANGES.items():
        problem = replace(base, **{name[0]: changed(getattr(base, name[0]), name[1], change)})
        after = relaxed(problem)
        assert abs(after - before) > 1e-6 * abs(before), name
        expected = reference(problem).solve(whole=False)
        assert expected is not None
        assert after == pytest.approx(expected[0], rel=1e-6), name


CHANGES: dict[tuple[str, str], float] = {
    ("offers", "price"): 1.1,
    ("offers", "lease_price"): 0.6,
    ("offers", "kw_max"): 1.05,
    ("offers", "kw_idle"): 1.5,
    ("offers", "existing"): 0.5,
    ("pools", "cap"): 0.5,
    ("work", "rate"): 0.9,
    ("work", "kw_work"): 1.05,
    ("work", "demand"): 1.1,
    ("work", "mean_share"): 0.9,
    ("work", "worth"): 0.9,
    ("work", "programme_work"): 1.1,
    ("build", "hall_existing"): 0.5,
    ("build", "grid_existing"): 0.5,
    ("build", "hall_cost"): 1.1,
    ("build", "grid_cost"): 1.1,
    ("people", "pay"): 1.1,
    ("people", "initial"): 0.5,
    ("people", "hire_max"): 0.01,
    ("people", "per_mw"): 1.1,
    ("people", "per_kacc"): 1.1,
    ("people", "per_programme"): 1.1,
    ("people", "late_pay"): 1.1,
    ("money", "discount"): 0.99,
    ("money", "discount_end"): 0.99,
    ("money", "capital"): 0.3,
    ("money", "leasing"): 0.03,
    ("energy", "demand_charge_usd_kw_month"): 1.1,
    ("energy", "water_usd_m3"): 2.0,
    ("energy", "green_premium_usd_mwh"): 2.0,
    ("energy", "green_share_min"): 0.5,
    ("days", "price_usd_mwh"): 1.1,
    ("days", "solar_cf"): 1.1,
    ("days", "weight_h"): 1.1,
    ("energy", "discount"): 0.99,
}


def changed(part: object, name: str, factor: float) -> object:
    if isinstance(part, dict):
        return {site: changed(value, name, factor) for site, value in part.items()}
    return replace(part, **{name: getattr(part, name) * factor})


def scaled(problem: p.Problem, factors: dict[str, tuple[str, ...]], factor: float) -> p.Problem:
    for part, names in factors.items():
        for name in names:
            problem = replace(problem, **{part: changed(getattr(problem, part), name, factor)})
    return problem


MONEY = {
    "offers": ("price", "lease_price"),
    "work": ("worth", "programme_worth"),
    "build": ("hall_cost", "grid_cost"),
    "people": ("pay",),
    "money": ("capital", "leasing"),
    "energy": ("demand_charge_usd_kw_month", "shed_usd_mwh", "green_premium_usd_mwh", "water_usd_m3"),
    "days": ("price_usd_mwh",),
}


@pytest.mark.parametrize("seed", [1, 4, 6])
def test_money_in_another_unit_buys_the_same_plan(seed: int) -> None:
    problem = random_problem(seed, days=1, technologies=False)
    before, after = solved(problem), solved(scaled(problem, MONEY, 7.0))
    assert after.objective == pytest.approx(7 * before.objective, rel=1e-8)
    for name in ("fleet", "hall_start", "grid_start"):
        assert after.of(name) == pytest.approx(before.of(name), abs=1e-5)


def test_power_in_kilowatts_builds_the_same_plan() -> None:
    """A thousand times the power at a thousandth of its prices."""
    problem = random_problem(4, days=1, technologies=False)
    power = {"offers": ("kw_max", "kw_idle"), "work": ("kw_work",),
             "build": ("hall_existing", "hall_module_mw", "max_it_mw", "grid_existing",
                       "grid_stage_mw")}  # fmt: skip
    price = {"build": ("hall_cost", "grid_cost"), "people": ("per_mw",), "days": ("price_usd_mwh",),
             "energy": ("demand_charge_usd_kw_month", "shed_usd_mwh", "green_premium_usd_mwh",
                        "water_usd_m3")}  # fmt: skip
    after = solved(scaled(scaled(problem, power, 1e3), price, 1e-3))
    before = solved(problem)
    assert after.objective == pytest.approx(before.objective, rel=1e-7)
    assert after.of("fleet") == pytest.approx(before.of("fleet"), abs=1e-4)


LOOSER = {
    ("pools", "cap"): 1.5,
    ("money", "capital"): 1.5,
    ("money", "leasing"): 1.5,
    ("build", "hall_existing"): 1.5,
    ("build", "grid_existing"): 1.5,
    ("build", "max_it_mw"): 1.5,
    ("people", "hire_max"): 3.0,
    ("energy", "green_share_min"): 0.5,
    ("work", "rate"): 1.2,
}


@pytest.mark.parametrize("seed", [0, 2, 5, 9])
def test_a_looser_cap_is_never_worse(seed: int) -> None:
    problem = varied_problem(seed)
    before = solved(problem).objective
    for part, name in LOOSER:
        looser = replace(problem, **{part: changed(getattr(problem, part), name, LOOSER[part, name])})
        assert solved(looser).objective <= before + 1e-6 * abs(before), (part, name)


@pytest.mark.parametrize("seed", [0, 2, 5, 9])
def test_more_demand_or_dearer_things_are_never_better(seed: int) -> None:
    problem = varied_problem(seed)
    problem = replace(problem, work=replace(problem.work, serve_at_least=np.zeros(2)))
    before = solved(problem).objective
    for part, name in (
        ("work", "demand"),
        ("work", "programme_work"),
        ("offers", "price"),
        ("people", "pay"),
    ):
        worse = replace(problem, **{part: changed(getattr(problem, part), name, 1.2)})
        assert solved(worse).objective >= before - 1e-6 * abs(before), (part, name)


@pytest.mark.parametrize("seed", [0, 3, 7, 8])
def test_the_order_of_sites_and_offers_does_not_matter(seed: int) -> None:
    problem = varied_problem(seed)
    assert solved(permuted(problem)).objective == pytest.approx(solved(problem).objective, rel=1e-7)


def permuted(problem: p.Problem) -> p.Problem:
    """Sites turned round, the first two offers swapped."""
    s, k = np.array([1, 0]), np.array([1, 0, 2, 3])
    o, b, w = problem.offers, problem.build, problem.work
    by_offer = ("leased", "design", "kw_max", "kw_idle", "domestic", "lead", "life_quarters", "prepay",
                "lease_term", "lease_price")  # fmt: skip
    offers = {name: getattr(o, name)[k] for name in by_offer}
    offers |= {name: getattr(o, name)[s][:, k] for name in ("price", "may_order", "existing")}
    by_site = ("hall_existing", "hall_lead", "hall_cost", "may_build", "max_it_mw", "grid_existing",
               "grid_lead", "grid_cost", "peak_pue")  # fmt: skip
    return replace(
        problem,
        sets=replace(problem.sets, sites=problem.sets.sites[::-1], offers=("k1", "k0", "k2", "k3")),
        offers=replace(o, system=tuple(o.system[i] for i in k), **offers),
        pools=replace(problem.pools, covers=problem.pools.covers[:, s][:, :, k]),
        build=replace(b, **{name: getattr(b, name)[s] for name in by_site}),
        work=replace(w, zone_of_site=w.zone_of_site[s], rate=w.rate[k], kw_work=w.kw_work[k]),
        people=replace(problem.people, market_of_site=problem.people.market_of_site[s]),
    )


def test_the_gap_is_one_of_the_cost_not_of_the_worth_lost() -> None:
    """Worth lost of thousands beside a cost of hundreds: a gap of the objective alone would hide bad
    plans.
    """
    problem = scaled(random_problem(0, days=1), {"work": ("worth",)}, 30.0)
    problem = replace(problem, money=replace(problem.money, capital=problem.money.capital * 0.2))
    master = build_master(problem)
    found = solve_master(master, gap=0.002)
    cost, lost = programme_cost(master, found.x), worth_lost(master, found.x)
    assert lost > cost > 0
    assert cost + lost == pytest.approx(found.objective)
    assert programme_gap(master, found) <= 0.002
    exact = linear.solve(master.assembled, gap=1e-10)
    assert found.bound - 1e-6 <= exact.objective <= found.objective + 1e-6


def test_fixing_halls_and_lines_gives_duals_and_leaves_the_master_as_it_was() -> None:
    master = build_master(random_problem(0, days=1))
    found = linear.solve(master.assembled, gap=1e-9)
    lower, upper = master.assembled.lower.copy(), master.assembled.upper.copy()
    final = with_integers_fixed(master, found)
    assert final.objective == pytest.approx(found.objective, rel=1e-6)
    assert final.row_dual is not None
    assert np.array_equal(lower, master.assembled.lower)
    assert np.array_equal(upper, master.assembled.upper)


def test_a_plan_is_the_same_every_time() -> None:
    first, second = (solve_master(build_master(random_problem(2, days=1))) for _ in range(2))
    assert np.array_equal(first.x, second.x)


def test_coefficients_far_apart_are_refused() -> None:
    with pytest.raises(SolverError, match="badly scaled"):
        build_master(hand_problem(offers={"kw_max": np.array([1e-9]), "kw_idle": np.array([1e-9])}))


def test_no_direction_is_unbounded() -> None:
    """With everything free and no cap on anything, the best plan is still finite."""
    problem = random_problem(1, days=1)
    free = scaled(problem, {**MONEY, "money": ()}, 0.0)
    assert solved(free).objective == pytest.approx(0.0, abs=1e-6)
