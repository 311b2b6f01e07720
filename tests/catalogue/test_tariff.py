"""Time-of-use hours: what they mean, and that the mean price stays what was stated."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawright.catalogue.tariff import hours_of, tou_multipliers
from gigawright.errors import CatalogueError


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("17-22", {17, 18, 19, 20, 21}),
        ("6-8;17-19", {6, 7, 17, 18}),
        (" 6-8 ; 7-9 ", {6, 7, 8}),
        ("23-2", {23, 0, 1}),
        ("22-24", {22, 23}),
        ("0-24", set(range(24))),
        ("0-0", set()),
        ("", set()),
    ],
)
def test_hours_of_the_day(text: str, hours: set[int]) -> None:
    assert hours_of(text) == hours


@pytest.mark.parametrize("text", ["17", "17-", "a-b", "17-25", "1-2-3", "-1-3"])
def test_what_are_no_hours_is_refused(text: str) -> None:
    with pytest.raises(CatalogueError, match=r"not hours of the day|outside 0-24"):
        hours_of(text)


def test_a_tariff_by_hand() -> None:
    """12 flat hours at 1, 6 at 1.5 and 6 at 0.5: the mean is 1 already."""
    shape = tou_multipliers(1.5, 0.5, "12-18", "0-6")
    assert shape[12] == 1.5
    assert shape[0] == 0.5
    assert shape[8] == 1.0


@settings(max_examples=50, derandomize=True)
@given(
    peak=st.floats(1, 3), valley=st.floats(0.1, 1), first=st.integers(0, 23), dear=st.integers(0, 12),
    cheap=st.integers(0, 12),
)  # fmt: skip
def test_the_mean_is_one_and_the_ratios_hold(
    peak: float, valley: float, first: int, dear: int, cheap: int
) -> None:
    middle, last = (first + dear) % 24, (first + dear + cheap) % 24
    shape = tou_multipliers(peak, valley, f"{first}-{middle}", f"{middle}-{last}")
    assert sum(shape) / 24 == pytest.approx(1.0)
    if dear and cheap:
        assert shape[first] / shape[middle] == pytest.approx(peak / valley)


def test_an_hour_cannot_be_both() -> None:
    with pytest.raises(CatalogueError, match=r"hours \[17\] are both peak and valley"):
        tou_multipliers(1.5, 0.5, "17-20", "12-18")
