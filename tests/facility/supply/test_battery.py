"""Rainflow against a plain count, fading in the right order, augmentation that keeps its promise."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.facility.supply.battery import (
    Usage,
    augmentation,
    rainflow,
    turning_points,
    usage,
    wear_usd_mwh,
)

levels = st.lists(st.integers(0, 20), min_size=2, max_size=40)


def _plain(points: list[float]) -> dict[float, float]:
    """The standard's rules word for word, on a list."""
    found: dict[float, float] = {}
    held: list[float] = []
    for point in points:
        held.append(point)
        while len(held) >= 3:
            x, y = abs(held[-1] - held[-2]), abs(held[-2] - held[-3])
            if x < y:
                break
            if len(held) == 3:
                found[y] = found.get(y, 0.0) + 0.5
                held.pop(0)
            else:
                found[y] = found.get(y, 0.0) + 1.0
                del held[-3:-1]
    for a, b in pairwise(held):
        found[abs(a - b)] = found.get(abs(a - b), 0.0) + 0.5
    return found


@given(levels)
def test_counting_is_the_standards(series: list[int]) -> None:
    cycles = rainflow(series)
    points = turning_points(np.array(series, float)).tolist()
    seen = {float(r): float(cycles.count[cycles.depth == r].sum()) for r in np.unique(cycles.depth)}
    assert seen == _plain(points)


@given(levels)
def test_no_way_is_lost(series: list[int]) -> None:
    """Twice the counted ranges is the way the series goes up and down."""
    assert 2.0 * rainflow(series).full == pytest.approx(np.abs(np.diff(series)).sum())


def test_a_flat_series_has_no_cycles() -> None:
    assert rainflow([0.4] * 9).full == 0.0
    resting = usage(np.full(8760, 0.5), 1.0)
    assert resting.cycle_rate == 0.0
    assert 0.95 < resting.capacity(1.0) < 0.97


def _daily(depth: float, middle: float = 0.5) -> np.ndarray:
    half = np.linspace(middle - depth / 2, middle + depth / 2, 13)
    return np.tile(np.r_[half[:-1], half[::-1][:-1]], 365)


def test_deep_hot_full_batteries_fade_faster() -> None:
    base = usage(_daily(0.5), 1.0).capacity(10.0)
    assert usage(_daily(0.9), 1.0).capacity(10.0) < base
    assert usage(_daily(0.5), 1.0, cell_c=35.0).capacity(10.0) < base
    assert usage(_daily(0.5, 0.7), 1.0).capacity(10.0) < base
    assert usage(np.repeat(_daily(0.5), 2), 1.0, step_h=0.5).full_cycles_year == pytest.approx(
        182.5, rel=0.01
    )


def test_levels_outside_the_battery_are_refused() -> None:
    with pytest.raises(ValueError, match=r"outside the battery: 0.000 to 1.500"):
        usage(np.array([0.0, 3.0]), 2.0)
    with pytest.raises(ValueError, match="without energy"):
        usage(np.zeros(3), 0.0)


@given(st.integers(5, 25), st.integers(1, 7), st.floats(0.0, 0.1))
def test_augmentation_keeps_the_energy(life: int, every: int, rate: float) -> None:
    plan = augmentation(Usage(365.0, 1.3e-3, 0.042), life, every, rate)
    assert (plan.left >= 1.0 - 1e-9).all()
    assert (plan.added >= 0.0).all()
    assert 0.0 < plan.yearly_share < 0.1


def test_cheaper_modules_cost_less_to_add() -> None:
    year = Usage(365.0, 1.3e-3, 0.042)
    dear = augmentation(year, 15, price_fall_year=0.0)
    cheap = augmentation(year, 15, price_fall_year=0.06)
    assert cheap.yearly_share < dear.yearly_share
    assert np.array_equal(cheap.added, dear.added)
    with pytest.raises(ValueError, match="at least a year"):
        augmentation(year, 15, 0)


def test_wear_grows_with_price_and_not_with_rest() -> None:
    year = usage(_daily(0.8), 1.0)
    assert wear_usd_mwh(year, 134.0, 15.0) == pytest.approx(2 * wear_usd_mwh(year, 67.0, 15.0))
    assert wear_usd_mwh(usage(np.full(8760, 0.5), 1.0), 134.0, 15.0) == 0.0
