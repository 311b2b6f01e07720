"""Queues, stages, curtailment, and a connection that is too small."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.clock import Quarter, quarters_between
from gigawright.facility.supply.grid import (
    Curtailable,
    Stage,
    curtailed,
    energised_mw,
    queues,
    shortfall,
    staged,
)


def test_queues_have_ranges_and_sources() -> None:
    for queue in queues().values():
        assert 0.0 < queue.low <= queue.months <= queue.high
        assert queue.source
        assert queue.quarters * 3 >= queue.months


@given(st.floats(1.0, 900.0), st.floats(10.0, 400.0), st.integers(0, 12), st.integers(1, 4))
def test_stages_add_up_and_never_come_early(total: float, stage: float, lead: int, every: int) -> None:
    asked = Quarter(2026, 3)
    stages = staged(asked, lead, total, stage, every)
    live = energised_mw(stages, quarters_between(asked, asked + 500))
    assert (live[:lead] == 0.0).all()
    assert (np.diff(live) >= 0.0).all()
    assert live[-1] == pytest.approx(total)
    assert live[lead] == pytest.approx(min(stage, total))


def test_stages_without_size_are_refused() -> None:
    with pytest.raises(ValueError, match="need megawatts"):
        staged(Quarter(2026, 1), 4, 100.0, 0.0)


@given(st.integers(0, 240), st.floats(0.0, 1.0), st.integers(1, 8))
def test_no_more_is_curtailed_than_agreed(hours: int, share: float, event: int) -> None:
    stress = np.sin(np.arange(240) / 3.0)
    left = curtailed(Curtailable(hours, share, event), stress)
    assert (left < 1.0).sum() <= hours
    assert left.min() >= 1.0 - share
    if share > 1e-6 and hours // event:
        # The block that holds the worst hour on average goes first.
        mean = [stress[i : i + event].mean() for i in range(0, 240, event)]
        assert left[int(np.argmax(mean)) * event] < 1.0


def test_curtailment_is_paid() -> None:
    terms = Curtailable(100.0, 0.5, credit_usd_kw_year=20.0, credit_usd_mwh=100.0)
    assert terms.credit_usd(80.0, 30.0) == pytest.approx(80e3 * 0.5 * 20.0 + 3000.0)
    with pytest.raises(ValueError, match="can be curtailed"):
        curtailed(Curtailable(10.0, 1.2), np.ones(24))


def test_a_connection_smaller_than_the_load_is_told_how_much_and_when() -> None:
    load = np.array([[50.0, 80.0], [90.0, 120.0], [90.0, 120.0]])
    live = energised_mw(
        [Stage(Quarter(2027, 2), 40.0), Stage(Quarter(2027, 3), 60.0)],
        quarters_between(Quarter(2027, 1), Quarter(2027, 3)),
        60.0,
    )
    found = shortfall(load, live, ("2027Q1", "2027Q2", "2027Q3"), np.full((3, 2), 1000.0))
    assert found is not None
    assert found.periods == ("2027Q1", "2027Q2")
    assert (found.most_mw, found.hours, found.energy_mwh) == (20.0, 2000.0, 40_000.0)
    assert found.worst == ("2027Q1", 1)
    assert "short by up to 20.0 MW (worst in 2027Q1, hour 1)" in str(found)
    assert shortfall(load, live, ("2027Q1", "2027Q2", "2027Q3"), other_mw=20.0) is None
