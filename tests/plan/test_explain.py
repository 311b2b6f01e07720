"""Shadow prices against finite differences, and clashes that name what was planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gigawright.errors import InfeasibleStudy
from gigawright.linear import Infeasible
from gigawright.plan import explain, optimise
from gigawright.plan import problem as p
from gigawright.plan.master import Master, build_master, solve_master, with_integers_fixed

from .hand import hand_problem
from .synthetic import random_problem

STEP = 1e-4


def scarce() -> p.Problem:
    """A random problem where supply and money both bind."""
    problem = random_problem(1, days=1, technologies=False)
    tight = replace(problem.money, capital=np.array([70.0]), leasing=np.array([10.0]))
    return replace(problem, money=tight, pools=replace(problem.pools, cap=problem.pools.cap * 0.2))


@pytest.fixture(scope="module")
def decided() -> tuple[Master, object]:
    master = build_master(scarce())
    return master, solve_master(master)


def difference(
    master: Master, found: object, name: str, place: tuple[int, ...], side: str = "upper"
) -> float:
    """Change of the objective per unit more on the right-hand side, halls and lines as decided."""
    bounds = master.assembled.row_upper if side == "upper" else master.assembled.row_lower
    row = master.assembled.model.rows[name].at[place]
    kept = bounds[row]
    sides = []
    for sign in (1.0, -1.0):
        bounds[row] = kept + sign * STEP
        sides.append(with_integers_fixed(master, found).objective)
    bounds[row] = kept
    return (sides[0] - sides[1]) / (2 * STEP)


@pytest.mark.parametrize("name", ["pool", "capital_budget", "leasing_budget", "cooled"])
def test_a_dual_is_the_finite_difference_of_the_objective(decided: tuple[Master, object], name: str) -> None:
    master, found = decided
    dual = with_integers_fixed(master, found).dual(name)
    binding = list(zip(*np.nonzero(dual < -1e-7), strict=True))
    assert binding
    for place in binding[:3]:
        assert difference(master, found, name, place) == pytest.approx(dual[place], rel=1e-3)


def test_the_table_tells_what_one_more_is_worth(decided: tuple[Master, object]) -> None:
    master, found = decided
    final = with_integers_fixed(master, found)
    table = explain.shadow_prices(master, final)
    money = table[table["rule"] == "budget for capital"].iloc[0]
    assert float(money["value_musd"]) == pytest.approx(-final.dual("capital_budget")[0])
    assert "one more million USD for capital in 2026 is worth" in money["words"]
    assert {"supply", "budget for capital", "budget for leases"} <= set(table["rule"])
    assert (table["value_musd"].diff().dropna() <= 1e-12).all()


def test_a_budget_by_hand_is_worth_what_its_machine_serves() -> None:
    """1 M USD more buys 0.1 thousand, which serve 0.1 x 8,760 hours at 1 M USD and cost 0.1 x 10 x (1
    - 4/8).
    """
    master = build_master(hand_problem(money={"capital": np.array([25.0])}))
    final = with_integers_fixed(master, solve_master(master))
    prices = explain.shadow_prices(master, final).set_index("rule")
    assert prices.loc["budget for capital", "value_musd"] == pytest.approx(0.1 * 8760 - 0.5)


def pooled(caps: list[float]) -> p.Problem:
    problem = hand_problem(sets={"pools": ("scarce",)})
    return replace(problem, pools=p.Pools(np.ones((1, 1, 1), bool), np.array([caps]), np.array([False])))


def test_one_more_accelerator_in_a_quarter_is_one_more_from_then_on() -> None:
    """A pool that gives half a thousand a quarter: one more by the second quarter is there in the later ones
    too.
    """
    caps = [0.5, 1.0, 1.5, 2.0]
    master = build_master(pooled(caps))
    final = with_integers_fixed(master, solve_master(master))
    prices = explain.shadow_prices(master, final).set_index(["rule", "quarter"])
    for q, quarter in enumerate(("2026Q1", "2026Q2", "2026Q3", "2026Q4")):
        more = [cap + STEP * (i >= q) for i, cap in enumerate(caps)]
        gained = final.objective - solve_master(build_master(pooled(more)), gap=1e-9).objective
        worth = float(prices.loc[("supply", quarter), "value_musd"])
        assert worth == pytest.approx(gained / STEP / 1e3, rel=1e-3)


def test_a_connection_that_binds_is_worth_what_it_carries() -> None:
    """2.5 MW carry 2 MW of IT at the worst PUE; one MW more, 0.8 thousand machines through all four
    quarters.
    """
    build = {"grid_existing": np.array([2.5]), "may_build": np.zeros((1, 2), bool)}
    master = build_master(hand_problem(build=build))
    final = with_integers_fixed(master, solve_master(master))
    prices = explain.shadow_prices(master, final).set_index("rule")
    assert prices.loc["power", "value_musd"] == pytest.approx(0.8 * (8760 - 10 * (1 - 4 / 8)))
    assert prices.loc["power", "words"].startswith("power at here binds between 2026Q1 and 2026Q4")


def told(problem: p.Problem) -> list[str]:
    master = build_master(problem)
    with pytest.raises(Infeasible):
        solve_master(master)
    return explain.clashes(master)


def test_an_order_beyond_the_budget_names_the_order_and_the_amount() -> None:
    """Five thousand at 10 M USD against 30 M USD: two fifths of the order are less than two thirds of the
    money.
    """
    committed = {"committed": (("k0", 3, 5.0),)}
    problem = hand_problem(orders=committed, money={"capital": np.array([30.0])})
    assert told(problem) == ["`commitments` k0:2026Q4: 2,000 accelerators fewer, or later"]


def test_many_orders_beyond_the_budget_name_the_year_and_the_amount() -> None:
    """Each of two orders would have to shrink by half of itself; 20 M USD are a fifth of the budget."""
    problem = hand_problem(count=2, orders={"committed": (("k0", 3, 6.0), ("k1", 3, 6.0))})
    prices = np.array([[[10.0] * 4, [10.0] * 4]])
    problem = replace(
        problem,
        offers=replace(problem.offers, price=prices),
        orders=p.Orders((("k0", 0, 6.0), ("k0", 1, 6.0), ("k0", 2, 6.0), ("k1", 3, 6.0)), None),
        money=replace(problem.money, capital=np.array([100.0])),
    )
    assert told(problem) == ["`budgets.capital.2026`: 20 M USD more"]


def test_a_least_share_beyond_the_pool_names_both_ways_out() -> None:
    """Half of 4 is promised, the pool gives 1.5: it lacks 500 accelerators by the first quarter."""
    problem = pooled([1.5, 2.0, 2.0, 2.0])
    problem = replace(problem, work=replace(problem.work, serve_at_least=np.array([0.5])))
    assert told(problem) in (
        ["`supply` scarce: 500 more accelerators by 2026Q1"],
        ["`rules.serve_at_least` work in 2026Q1: less by 0.5 reference-kacc of work"],
    )


def test_a_domestic_share_that_nobody_can_keep_is_named() -> None:
    """Two thousand foreign ones are committed for 20 M USD; no domestic one may be had to match the half of
    it.
    """
    problem = hand_problem(orders={"committed": (("k0", 0, 2.0),), "domestic_share_min": 0.5})
    assert told(problem) in (
        ["`rules.domestic_share_min`: short by 10 M USD of domestic systems"],
        ["`commitments` k0:2026Q1: 2,000 accelerators fewer, or later"],
    )


def test_an_order_that_cannot_arrive_in_time_is_named() -> None:
    problem = hand_problem(offers={"lead": np.array([2])}, orders={"committed": (("k0", 1, 3.0),)})
    assert told(problem) == ["`commitments` k0:2026Q2: 3,000 accelerators fewer, or later"]


def test_lack_of_room_is_told_by_the_amount() -> None:
    """A least share of 35 MW on a site for 30: 5 too much in every quarter."""
    build = {"hall_existing": np.zeros((1, 2)), "hall_lead": np.array([0]), "max_it_mw": np.array([30.0])}
    work = {"demand": np.full((1, 1, 4), 35.0), "serve_at_least": np.ones(1)}
    words = told(hand_problem(build=build, work=work))
    assert words == [
        f"`rules.serve_at_least` work in 2026Q{q}: less by 5 reference-kacc of work" for q in (1, 2, 3, 4)
    ]


def test_when_only_whole_halls_clash_the_smallest_change_is_told() -> None:
    build = {"hall_existing": np.zeros((1, 2)), "hall_lead": np.array([0]), "max_it_mw": np.array([36.0])}
    work = {"demand": np.full((1, 1, 4), 35.0), "serve_at_least": np.ones(1)}
    words = told(hand_problem(build=build, work=work))
    assert any("more" in line or "less by" in line for line in words), words


def test_machines_that_stand_without_a_connection_are_named() -> None:
    """What stands on lease elsewhere needs no hall; what stands here until a date needs one and has too
    little.
    """
    build = {"hall_existing": np.array([[3.0, 0.0]]), "may_build": np.zeros((1, 2), bool)}
    existing = np.array([[[5.0, 5.0, 5.0, 0.0]]])
    words = told(
        hand_problem(build=build, offers={"existing": existing, "may_order": np.zeros((1, 1, 4), bool)})
    )
    assert not any("please report" in line for line in words)


def test_a_clash_becomes_an_infeasible_study() -> None:
    committed = {"committed": (("k0", 3, 5.0),)}
    problem = hand_problem(orders=committed, money={"capital": np.array([30.0])})
    with pytest.raises(InfeasibleStudy, match="2,000 accelerators fewer") as caught:
        optimise.optimise(problem, None, None)
    assert caught.value.exit_code == 3
