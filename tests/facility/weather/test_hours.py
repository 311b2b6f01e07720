"""Lines onto hours, and gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawright.errors import CatalogueError
from gigawright.facility.weather.hours import Findings, filled, hour_words, placed, position, runs


def test_positions_of_a_365_day_year() -> None:
    month, day, hour = np.array([1, 2, 3, 12, 2, 4, 0]), np.array([1, 28, 1, 31, 29, 31, 1]), np.zeros(7, int)
    assert position(month, day, hour).tolist() == [0, 58 * 24, 59 * 24, 364 * 24, -1, -1, -1]
    assert hour_words(8759) == "31 Dec 23:00"


def test_runs_close_the_ring() -> None:
    gaps = np.zeros(8760, dtype=bool)
    gaps[[0, 1, 8759, 50]] = True
    assert sorted(runs(gaps)) == [(50, 1), (8759, 3)]
    assert runs(~np.zeros(3, dtype=bool)) == [(0, 3)]
    assert runs(np.zeros(3, dtype=bool)) == []


def test_a_gap_over_new_year_is_interpolated() -> None:
    values = np.full(8760, 4.0)
    values[8757], values[2] = 1.0, 6.0
    values[[8758, 8759, 0, 1]] = np.nan
    findings = Findings("x")
    assert filled(values, "t", findings)[[8758, 8759, 0, 1]] == pytest.approx([2.0, 3.0, 4.0, 5.0])
    assert findings.notes == ["t: 4 missing hours interpolated, the first 31 Dec 22:00"]


def test_all_problems_are_told_at_once() -> None:
    findings = Findings("f.epw")
    findings.problem("one")
    findings.problem("two")
    findings.problem("two")
    with pytest.raises(CatalogueError, match=r"f.epw: 2 problems\n  one\n  two$"):
        findings.check()


def test_several_records_an_hour_give_their_mean() -> None:
    month, day = np.ones(4, dtype=np.int64), np.ones(4, dtype=np.int64)
    layout = placed(month, day, np.array([0, 0, 1, 1]), Findings("x"), records=2)
    spread = layout.spread(np.array([1.0, 3.0, 5.0, np.nan]))
    assert spread[:2].tolist() == [2.0, 5.0]
    assert np.isnan(spread[2:]).all()


def calendar() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Month, day and hour of each hour of the year."""
    days = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    month = np.repeat(np.arange(12), days * 24)
    day = np.arange(8760) // 24 - np.concatenate([[0], np.cumsum(days)])[month]
    return month + 1, day + 1, np.arange(8760) % 24


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_any_order_of_lines_gives_the_same_year(seed: int) -> None:
    order = np.random.default_rng(seed).permutation(8760)
    findings = Findings("x")
    layout = placed(*(part[order] for part in calendar()), findings)
    np.testing.assert_array_equal(layout.spread(order.astype(float)), np.arange(8760.0))
    assert not findings.problems
    assert not layout.summer_time


@settings(max_examples=40)
@given(st.integers(20, 330), st.integers(10, 300), st.booleans())
def test_any_summer_time_is_put_back(first_day: int, days: int, north: bool) -> None:
    """Clocks go forward and back at 02:00 of any two days, in either order."""
    last_day = min(first_day + days, 350)
    hours = np.arange(8760) if north else np.arange(-1, 8759)
    first, last = first_day * 24 + 2, last_day * 24 + 2
    between = (hours >= first) & (hours < last)
    clock = (hours + (between if north else ~between)) % 8760
    findings = Findings("x")
    layout = placed(*(part[clock] for part in calendar()), findings)
    assert not findings.problems
    assert layout.summer_time
    np.testing.assert_array_equal(layout.spread((hours % 8760).astype(float)), np.arange(8760.0))


@settings(max_examples=30)
@given(st.integers(0, 8759), st.integers(1, 6))
def test_any_short_gap_of_a_straight_year_is_filled_between_its_ends(first: int, length: int) -> None:
    values = np.sin(np.arange(8760) / 8760.0 * 2.0 * np.pi)
    gap = (first + np.arange(length)) % 8760
    holed = values.copy()
    holed[gap] = np.nan
    findings = Findings("x")
    np.testing.assert_allclose(filled(holed, "t", findings)[gap], values[gap], atol=1e-4)
    assert not findings.problems
