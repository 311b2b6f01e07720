"""What loads give: the performance curve, tiers, delays, moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.facility import flexible
from gigawright.facility.dispatch.case import one_year
from gigawright.facility.supply.sources import grid_of
from gigawright.workloads.power import IDLE_SHARE

LOAD = np.array([[10.0, 8.0, 12.0]])
PUE = np.full((1, 3), 1.25)


def test_full_power_is_full_work_and_idle_power_is_none() -> None:
    assert flexible.performance(np.array([IDLE_SHARE, 1.0])) == pytest.approx([0.0, 1.0])


def test_a_capped_h100_loses_about_what_is_told() -> None:
    """700 to 600 W: 10 to 15 % in pre-training, 5 to 8 % where memory binds."""
    lost = 1.0 - float(flexible.performance(600 / 700))
    assert 0.08 < lost < 0.15


@given(value=st.floats(1.0, 5000.0), share=st.floats(0.1, 1.0), tiers=st.integers(1, 8))
def test_each_tier_is_dearer_and_all_of_them_cost_the_work_lost(
    value: float, share: float, tiers: int
) -> None:
    found = flexible.cap_tiers(LOAD, PUE, value, share, tiers)
    prices = [tier.usd_mwh for tier in found]
    assert prices == sorted(prices)
    given_mw = sum(tier.most_mw for tier in found)
    assert given_mw == pytest.approx(share * (1.0 - flexible.LOWEST_CAP) * LOAD)
    cost = sum(float(tier.most_mw.sum()) * tier.usd_mwh for tier in found)
    lost = 1.0 - float(flexible.performance(flexible.LOWEST_CAP))
    assert cost == pytest.approx(share * value * lost * float((LOAD / PUE).sum()))


def test_pausing_costs_the_work_of_the_accelerators_not_of_the_chillers() -> None:
    paused = flexible.pause(LOAD, PUE, 1000.0, 0.5)
    assert paused.most_mw == pytest.approx(0.5 * LOAD)
    assert paused.usd_mwh == pytest.approx(800.0)


def test_serving_moves_between_every_pair_and_draws_the_targets_pue() -> None:
    cool = np.full((1, 3), 1.1)
    ways = flexible.follow_the_sun(
        [("hot", LOAD, PUE, 0.5), ("cool", LOAD, cool, 0.0), ("far", LOAD, cool, 1.0)]
    )
    assert [(move.origin, move.target) for move in ways] == [
        ("hot", "cool"), ("hot", "far"), ("far", "hot"), ("far", "cool"),
    ]  # fmt: skip
    assert np.asarray(ways[0].ratio) == pytest.approx(np.full((1, 3), 1.1 / 1.25))
    # Two origins share the quarter of its load that a site has room for, at its own PUE.
    room = 0.25 / 2 * LOAD
    assert ways[0].most_mw == pytest.approx(np.minimum(0.5 * LOAD, room * 1.25 / 1.1))
    assert ways[2].most_mw == pytest.approx(room * 1.1 / 1.25)


def test_delayed_work_has_room_to_be_made_up() -> None:
    late = flexible.delay(LOAD, 0.2, 6.0)
    assert late.most_hours == 6.0
    assert late.most_mw == pytest.approx(0.2 * LOAD)
    assert (late.catch_up_mw > 0.0).all()


def test_only_what_the_connection_cannot_carry_is_shed() -> None:
    time = one_year(3)
    cut = np.array([1.0, 1.0, 0.5])
    shed = flexible.last_resort(LOAD, grid_of(time, 50.0, 0.4, most_mw=9.0, available=cut), 1000.0)
    assert shed.most_mw[0] == pytest.approx([1.0, 0.0, 7.5])
    assert not flexible.last_resort(LOAD, grid_of(time, 50.0, 0.4), 1000.0).most_mw.any()
    lost = grid_of(time, 50.0, 0.4, available=np.array([1.0, 0.0, 1.0]))
    assert flexible.last_resort(LOAD, lost, 1000.0).most_mw[0] == pytest.approx([0.0, 8.0, 0.0])
