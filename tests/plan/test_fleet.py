"""Orders and what stands, each rule by hand: leads, lives, leases, pools, halls, lines, promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gigawright.linear import Infeasible
from gigawright.plan import problem as p

from .hand import hand_problem, solved


def pool_of(caps: list[float], stock: bool = False, offers: int = 1) -> p.Pools:
    return p.Pools(np.ones((1, 1, offers), bool), np.array([caps]), np.array([stock]))


def with_pool(pools: p.Pools, **changes: object) -> p.Problem:
    problem = hand_problem(sets={"pools": ("pool",)}, **changes)
    return replace(problem, pools=pools)


def test_an_order_serves_from_its_lead_on() -> None:
    may = np.array([[[True, True, False, False]]])
    found = solved(hand_problem(offers={"lead": np.array([2]), "may_order": may}))
    assert found.of("fleet")[0, 0] == pytest.approx([0, 0, 4, 4])
    assert found.of("buy")[0, 0] == pytest.approx([4, 0, 0, 0])
    assert found.of("unmet")[0, 0] == pytest.approx([4, 4, 0, 0])


def test_an_order_without_lead_serves_in_its_own_quarter() -> None:
    assert solved(hand_problem()).of("fleet")[0, 0] == pytest.approx([4, 4, 4, 4])


def test_a_machine_stands_for_exactly_its_life() -> None:
    only_now = np.array([[[True, False, False, False, False]]])
    offers = {"lead": np.array([1]), "life_quarters": np.array([2]), "may_order": only_now}
    found = solved(hand_problem(quarters=5, offers=offers))
    assert found.of("fleet")[0, 0] == pytest.approx([0, 4, 4, 0, 0])
    assert found.of("unmet")[0, 0] == pytest.approx([4, 0, 0, 4, 4])


def test_a_lease_runs_and_is_paid_for_its_term_from_the_next_quarter() -> None:
    only_now = np.array([[[True, False, False, False, False]]])
    leased = {
        "leased": np.array([True]),
        "kw_max": np.zeros(1),
        "kw_idle": np.zeros(1),
        "lead": np.array([1]),
    }
    problem = hand_problem(quarters=5, offers={**leased, "may_order": only_now})
    found = solved(problem)
    assert found.of("fleet")[0, 0] == pytest.approx([0, 4, 4, 0, 0])
    lost = 4.0 * (2160 + 2208 + 2160)
    assert found.objective == pytest.approx(4 * 2.0 * 2 + lost)


def test_a_lease_that_outlives_the_horizon_is_paid_to_its_end_only() -> None:
    leased = {
        "leased": np.array([True]),
        "kw_max": np.zeros(1),
        "kw_idle": np.zeros(1),
        "lead": np.array([1]),
    }
    may = np.array([[[True, True, True, False]]])
    found = solved(hand_problem(offers={**leased, "lease_term": np.array([8]), "may_order": may}))
    assert found.of("fleet")[0, 0] == pytest.approx([0, 4, 4, 4])
    assert found.objective == pytest.approx(3 * 4 * 2.0 + 4 * 2160)


def test_what_stood_and_leaves_is_gone() -> None:
    existing = np.array([[[4.0, 4.0, 1.0, 1.0]]])
    found = solved(hand_problem(offers={"existing": existing, "may_order": np.zeros((1, 1, 4), bool)}))
    assert found.of("fleet")[0, 0] == pytest.approx([4, 4, 1, 1])
    assert found.of("unmet")[0, 0] == pytest.approx([0, 0, 3, 3])


def test_a_pool_binds_and_an_unused_quota_carries_over() -> None:
    demand = np.array([[[0.0, 0.0, 4.0, 4.0]]])
    problem = with_pool(pool_of([1.0, 2.0, 3.0, 3.5]), work={"demand": demand})
    found = solved(problem)
    assert found.of("buy")[0, 0].cumsum() == pytest.approx([0, 0, 3, 3.5])
    assert found.of("unmet")[0, 0] == pytest.approx([0, 0, 1, 0.5])


def test_a_pool_counts_an_order_when_it_is_delivered() -> None:
    may = np.array([[[True, True, True, False]]])
    found = solved(with_pool(pool_of([0.0, 1.0, 2.0, 9.0]), offers={"lead": np.array([1]), "may_order": may}))
    assert found.of("buy")[0, 0] == pytest.approx([1, 1, 2, 0])


def test_a_lease_pool_limits_what_stands_and_gives_back_what_ends() -> None:
    leased = {
        "leased": np.array([True]),
        "kw_max": np.zeros(1),
        "kw_idle": np.zeros(1),
        "lead": np.array([1]),
    }
    may = np.ones((1, 1, 6), bool)
    may[..., -1] = False
    problem = hand_problem(quarters=6, sets={"pools": ("pool",)}, offers={**leased, "may_order": may})
    found = solved(replace(problem, pools=pool_of([3.0] * 6, stock=True)))
    assert found.of("fleet")[0, 0] == pytest.approx([0, 3, 3, 3, 3, 3])
    assert found.of("lease")[0, 0].sum() == pytest.approx(9.0)


def test_halls_come_in_whole_modules_after_their_lead() -> None:
    """25 MW of machines need two modules of 20 MW: 2 x 20 MW x 10 M USD, of which 77/80 are left at
    the end.
    """
    build = {"hall_existing": np.zeros((1, 2)), "hall_lead": np.array([1])}
    found = solved(hand_problem(build=build, work={"demand": np.full((1, 1, 4), 25.0)}))
    assert found.of("hall_start")[0, 0] == pytest.approx([2, 0, 0, 0])
    assert found.of("halls")[0, 0] == pytest.approx([0, 40, 40, 40])
    halls = 2 * 20 * 10.0 * (1 - 77 / 80)
    machines = 25 * 10.0 * (1 - 5 / 8)
    assert found.objective == pytest.approx(halls + machines + 25 * 2160)


def test_no_hall_is_started_that_would_be_ready_after_the_horizon() -> None:
    build = {"hall_existing": np.zeros((1, 2)), "hall_lead": np.array([4])}
    found = solved(hand_problem(build=build))
    assert found.of("hall_start").max() == 0.0
    assert found.of("unmet")[0, 0] == pytest.approx([4, 4, 4, 4])


def test_a_machine_needs_a_hall_of_its_own_design() -> None:
    build = {"hall_existing": np.array([[0.0, 1000.0]]), "may_build": np.zeros((1, 2), bool)}
    assert solved(hand_problem(build=build)).of("fleet").max() == pytest.approx(0.0)


def test_a_site_holds_no_more_than_it_can() -> None:
    build = {"hall_existing": np.zeros((1, 2)), "hall_lead": np.array([0]), "max_it_mw": np.array([39.0])}
    found = solved(hand_problem(build=build, work={"demand": np.full((1, 1, 4), 35.0)}))
    assert found.of("halls")[0, 0] == pytest.approx([20] * 4)
    assert found.of("unmet")[0, 0] == pytest.approx([15] * 4)


def test_lines_come_in_stages_and_carry_the_worst_pue() -> None:
    """90 MW of IT at a worst PUE of 1.25 are 112.5 MW: 100 MW stand, so one more stage is built."""
    build = {"grid_existing": np.array([100.0]), "grid_lead": np.array([1])}
    found = solved(hand_problem(build=build, work={"demand": np.full((1, 1, 4), 90.0)}))
    assert found.of("grid_start")[0] == pytest.approx([1, 0, 0, 0])
    assert found.of("grid")[0] == pytest.approx([100, 200, 200, 200])
    assert found.of("unmet")[0, 0, 0] == pytest.approx(10.0)


def test_an_order_that_must_be_placed_is_placed_though_nobody_needs_it() -> None:
    """3 thousand at 10 M USD, delivered in the last quarter: a life of 8 leaves 7/8."""
    problem = hand_problem(work={"demand": np.zeros((1, 1, 4))}, orders={"committed": (("k0", 3, 3.0),)})
    found = solved(problem)
    assert found.of("buy").sum() == pytest.approx(3.0)
    assert found.objective == pytest.approx(3 * 10 * (1 - 7 / 8))


def test_a_commitment_counts_deliveries_not_orders() -> None:
    may = np.array([[[True, True, False, False]]])
    problem = hand_problem(
        offers={"lead": np.array([2]), "may_order": may},
        orders={"committed": (("k0", 2, 3.0),)},
        work={"demand": np.zeros((1, 1, 4))},
    )
    assert solved(problem).of("buy")[0, 0] == pytest.approx([3, 0, 0, 0])


def test_a_commitment_before_any_delivery_cannot_be_kept() -> None:
    problem = hand_problem(offers={"lead": np.array([2])}, orders={"committed": (("k0", 1, 3.0),)})
    with pytest.raises(Infeasible):
        solved(problem)


def test_domestic_systems_have_their_share_of_the_money() -> None:
    """The domestic one costs twice as much for the same work: at half of the money it is a third of the
    machines.
    """
    offers = {
        "domestic": np.array([True, False]),
        "price": np.array([[[20.0] * 4, [10.0] * 4]]),
        "may_order": np.arange(4)[None, None] * np.ones((1, 2, 1)) == 0,
    }
    problem = hand_problem(count=2, offers=offers, orders={"domestic_share_min": 0.5})
    found = solved(problem)
    assert found.of("buy")[0].sum(axis=1) == pytest.approx([4 / 3, 8 / 3])


def test_too_many_machines_for_the_halls_are_retired() -> None:
    build = {"hall_existing": np.array([[3.0, 0.0]]), "may_build": np.zeros((1, 2), bool)}
    existing = np.full((1, 1, 4), 5.0)
    found = solved(hand_problem(build=build, offers={"existing": existing}))
    assert found.of("fleet")[0, 0] == pytest.approx([3] * 4)
    assert found.of("retire").sum() == pytest.approx(2.0)


@pytest.mark.xfail(strict=True, raises=Infeasible, reason="plan/fleet.py:70 a retired machine leaves twice")
def test_a_machine_that_was_retired_does_not_leave_again_at_its_end() -> None:
    """Five stand for three quarters, halls hold three: two retire at once, the other three leave on their
    date.
    """
    build = {"hall_existing": np.array([[3.0, 0.0]]), "may_build": np.zeros((1, 2), bool)}
    existing = np.array([[[5.0, 5.0, 5.0, 0.0]]])
    closed = np.zeros((1, 1, 4), bool)
    found = solved(hand_problem(build=build, offers={"existing": existing, "may_order": closed}))
    assert found.of("fleet")[0, 0] == pytest.approx([3, 3, 3, 0])
