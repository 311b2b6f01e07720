"""Outages by arrangement, against a simulation of every unit and against what tiers are said to reach."""

from __future__ import annotations

import numpy as np
import pytest

from gigawright.catalogue.load import load_facts
from gigawright.facility.cooling.electrical import Device, Losses, power_chain
from gigawright.facility.cooling.outages import Cause, _short, _units, outages
from gigawright.facts import FactBook

BOOK = FactBook(load_facts())
NONE = Losses(0.0, 0.0, 0.0)


def _minutes(chain: str) -> float:
    return outages(power_chain(chain), BOOK)["all"].minutes_year


def test_spare_units_save_hours() -> None:
    alone, spare, block, two = (_minutes(name) for name in ("n", "n_plus_1", "block", "two_n"))
    assert alone > 10.0 * spare > 10.0 * block > 10.0 * two


def test_within_what_tiers_are_said_to_reach() -> None:
    """Uptime Institute's old figures (Turner et al. 2006): 28.8 h a year of tier I, 0.4 h of tier IV.

    Theirs hold what people do too, so equipment alone must stay below, within an order of magnitude or two.
    """
    assert 2.0 < _minutes("n") / 60.0 < 28.8
    assert 0.004 < _minutes("two_n") / 60.0 < 0.4


def test_causes_add_up() -> None:
    found = outages(power_chain("block"), BOOK)
    parts = [found[name] for name in ("grid", "units", "path")]
    assert found["all"].events_year == pytest.approx(sum(part.events_year for part in parts))
    assert found["all"].availability == pytest.approx(1.0 - sum(part.lost_share for part in parts))


@pytest.mark.parametrize(("needed", "count"), [(1, 1), (1, 2), (3, 4), (2, 3)])
def test_against_units_that_fail_and_are_repaired(needed: int, count: int) -> None:
    """Exponential failures (4 a year) and repairs (200 h) of each unit, over a hundred thousand years."""
    device = Device("d", "d", NONE, failures_year=4.0, repair_h=200.0)
    found = _units([device], needed, count, Cause(0.0, 0.0))
    hours = 8760.0 * 100_000
    random = np.random.default_rng(7)
    changes = []
    for _ in range(count):
        cycles = int(hours / (8760.0 / 4.0 + 200.0))
        spans = np.column_stack([random.exponential(8760.0 / 4.0, cycles), random.exponential(200.0, cycles)])
        changes.append(np.cumsum(spans.ravel()))
    end = min(times[-1] for times in changes)
    at = np.concatenate(changes)
    step = np.concatenate([np.tile([1, -1], len(times) // 2) for times in changes])
    order = np.argsort(at)
    at, down = at[order], np.cumsum(step[order])
    inside = at <= end
    at, down = at[inside], down[inside]
    spans = np.diff(at, append=end)
    short = np.maximum(1.0 - (count - down) / needed, 0.0)
    # An event: from just enough units to one too few.
    worse = np.diff(down, prepend=0) > 0
    events = (worse & (down == count - needed + 1)).sum()
    lost = float((short * spans).sum() / end)
    assert found.lost_share == pytest.approx(lost, rel=0.05)
    assert found.events_year == pytest.approx(events / end * 8760.0, rel=0.25 if count > needed else 0.12)


def test_all_units_down_loses_all() -> None:
    assert _short(4, 3, 1.0) == pytest.approx(1.0)
    assert _short(1, 1, 0.25) == pytest.approx(0.25)
    assert _short(2, 1, 0.1) == pytest.approx(0.01)


def test_a_common_cause_defeats_every_spare() -> None:
    device = Device("d", "d", NONE, failures_year=0.1, repair_h=24.0)
    beta = Cause(0.1, 5.0)
    found = _units([device], 1, 6, beta)
    assert found.events_year == pytest.approx(0.01, rel=0.01)
    assert found.lost_share == pytest.approx(0.01 * 5.0 / 8760.0, rel=0.01)


def test_more_standby_sets_save_outages_of_the_grid() -> None:
    chain = power_chain("block")
    grids = [outages(chain, BOOK, 5, sets)["grid"].lost_share for sets in (5, 6, 7)]
    assert grids[0] > grids[1] > grids[2]
