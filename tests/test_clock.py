"""Quarters and hours of a 365-day year."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import numpy as np
import pytest

from gigawright.clock import (
    DAYS_PER_QUARTER,
    HOURS_PER_QUARTER,
    HOURS_PER_YEAR,
    Quarter,
    known_by,
    local_hour_of_day,
    month_of_hour,
    quarters_between,
)


def test_quarters_fill_the_year() -> None:
    assert sum(HOURS_PER_QUARTER) == HOURS_PER_YEAR == 8760
    assert tuple(days * 24 for days in DAYS_PER_QUARTER) == HOURS_PER_QUARTER
    slices = [Quarter(2026, number).hour_slice for number in (1, 2, 3, 4)]
    assert slices[0].start == 0
    assert slices[-1].stop == 8760
    assert all(a.stop == b.start for a, b in pairwise(slices))


@pytest.mark.parametrize("text", ["2026Q3", " 2026q3 ", "2026-Q3"])
def test_reads_quarters(text: str) -> None:
    assert Quarter.parse(text) == Quarter(2026, 3)


@pytest.mark.parametrize("text", ["2026Q5", "Q3 2026", "2026", "26Q1", "2026Q3x", ""])
def test_refuses_what_is_no_quarter(text: str) -> None:
    with pytest.raises(ValueError, match="write it like 2026Q3"):
        Quarter.parse(text)


def test_arithmetic_crosses_years() -> None:
    assert Quarter(2026, 4) + 1 == Quarter(2027, 1)
    assert Quarter(2026, 1) + -1 == Quarter(2025, 4)
    assert Quarter(2028, 4) - Quarter(2026, 1) == 11
    assert Quarter(2026, 4) < Quarter(2027, 1)
    assert len(quarters_between(Quarter(2026, 1), Quarter(2028, 4))) == 12
    assert quarters_between(Quarter(2026, 2), Quarter(2026, 1)) == ()


def test_last_day_and_quarter_of_a_day() -> None:
    assert Quarter(2024, 1).last_day == dt.date(2024, 3, 31)
    assert Quarter(2026, 4).last_day == dt.date(2026, 12, 31)
    assert Quarter.of(dt.date(2026, 10, 1)) == Quarter(2026, 4)
    assert Quarter.of(dt.date(2026, 9, 30)) == Quarter(2026, 3)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026", dt.date(2026, 12, 31)),
        ("2026-12", dt.date(2026, 12, 31)),
        ("2024-02", dt.date(2024, 2, 29)),
        ("2026Q1", dt.date(2026, 3, 31)),
        ("2025-12-23", dt.date(2025, 12, 23)),
    ],
)
def test_a_partial_date_is_known_on_its_last_day(text: str, day: dt.date) -> None:
    assert known_by(text) == day


def test_local_hours() -> None:
    beijing = local_hour_of_day(8)
    assert beijing.shape == (8760,)
    assert beijing[0] == 8
    assert beijing[16] == 0
    assert local_hour_of_day(-5)[0] == 19


def test_months_have_their_hours() -> None:
    hours = np.bincount(month_of_hour())
    assert hours.tolist() == [744, 672, 744, 720, 744, 720, 744, 744, 720, 744, 720, 744]
    starts = [Quarter(2026, number).hour_slice.start for number in (1, 2, 3, 4)]
    assert month_of_hour()[starts].tolist() == [0, 3, 6, 9]
