"""Typical periods against a slow reading of the definition, and what must be kept exactly."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.facility.places import site

from gigawright.clock import Quarter
from gigawright.facility.dispatch.typical import (
    exact_medoids,
    in_steps,
    restore_mean,
    typical_days,
)
from gigawright.facility.size import size

QUARTERS = [Quarter(2026, number) for number in (1, 2, 3, 4)]


@pytest.fixture(scope="module")
def series() -> dict[str, np.ndarray]:
    hours = size(site())
    return {
        "solar_cf": hours.solar_cf,
        "wind_cf": hours.wind_cf,
        "price": hours.price_usd_mwh,
        "pue:air": hours.pue["air"],
        "wue:air": hours.wue_l_per_kwh["air"],
    }


@pytest.mark.parametrize("quarter", QUARTERS, ids=str)
@pytest.mark.parametrize("choose", [typical_days])
@pytest.mark.parametrize("count", [1, 2])
def test_hours_and_means_are_the_quarters(choose, quarter: Quarter, count: int, series) -> None:  # type: ignore[no-untyped-def]
    chosen = choose(series, quarter, count)
    assert chosen.weights_days.sum() * 24 == quarter.hours
    assert chosen.weight_h.sum() == pytest.approx(quarter.hours, rel=1e-14)
    assert len(np.unique(chosen.starts_h)) == count
    for start in chosen.starts_h:
        assert quarter.hour_slice.start <= start
        assert start + len(chosen.weight_h) // count * 3 <= quarter.hour_slice.stop
    for name, values in chosen.series.items():
        mean = (values * chosen.weight_h).sum() / quarter.hours
        assert mean == pytest.approx(series[name][quarter.hour_slice].mean(), rel=1e-9), name
    assert max(chosen.series["solar_cf"].max(), chosen.series["wind_cf"].max()) <= 1.0
    assert chosen.series["pue:air"].min() >= 1.0
    assert min(values.min() for values in chosen.series.values()) >= 0.0
    assert (np.bincount(chosen.cycle) == len(chosen.weight_h) // count).all()


def _slow_best(distance: np.ndarray, weight: np.ndarray, count: int) -> float:
    best = np.inf
    for medoids in combinations(range(len(distance)), count):
        total = 0.0
        for member in range(len(distance)):
            total += weight[member] * min(distance[medoid, member] for medoid in medoids)
        best = min(best, total)
    return best


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 9), st.integers(1, 3))
def test_medoids_are_the_best_there_are(seed: int, members: int, count: int) -> None:
    draw = np.random.Generator(np.random.Philox(seed))
    points = draw.normal(size=(members, 2))
    distance = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    weight = draw.integers(1, 9, members)
    count = min(count, members)
    chosen, stands_for = exact_medoids(distance, weight, count)
    cost = float(distance[chosen].min(axis=0) @ weight)
    assert cost == pytest.approx(_slow_best(distance, weight, count))
    assert stands_for.sum() == weight.sum()
    assert (stands_for >= weight[chosen]).all()


def test_the_best_is_found_across_blocks_of_combinations(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.Generator(np.random.Philox(5)).normal(size=(12, 3))
    distance = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    at_once = exact_medoids(distance, np.ones(12, np.int64), 2)
    monkeypatch.setattr("gigawright.facility.dispatch.typical.CHUNK", 5)
    in_blocks = exact_medoids(distance, np.ones(12, np.int64), 2)
    assert (at_once[0] == in_blocks[0]).all()
    cost = float(distance[in_blocks[0]].min(axis=0).sum())
    assert cost == pytest.approx(_slow_best(distance, np.ones(12), 2))


def test_days_that_come_in_two_kinds_are_told_apart() -> None:
    kind = np.arange(365) % 3 == 0
    load = np.repeat(np.where(kind, 1.0, 5.0), 24) * np.tile(np.linspace(0.5, 1.5, 24), 365)
    chosen = typical_days({"load": load}, Quarter(2026, 1))
    assert sorted(chosen.weights_days.tolist()) == [30, 60]
    first, second = chosen.starts_h // 24
    assert kind[first] != kind[second]


def test_equal_days_still_stand_for_all() -> None:
    chosen = typical_days({"load": np.full(8760, 3.0)}, Quarter(2026, 2))
    assert chosen.weights_days.sum() == 91
    np.testing.assert_allclose(chosen.series["load"], 3.0)


def test_too_many_combinations_and_odd_steps_are_refused() -> None:
    load = {"load": np.ones(8760)}
    with pytest.raises(ValueError, match="exactly"):
        typical_days(load, Quarter(2026, 1), count=5)
    with pytest.raises(ValueError, match="divide"):
        typical_days(load, Quarter(2026, 1), step_h=5)


@given(
    st.lists(st.floats(0.0, 1.0), min_size=2, max_size=12),
    st.floats(0.0, 1.0),
    st.integers(0, 1000),
)
def test_restored_means_keep_the_bounds(values: list[float], mean: float, seed: int) -> None:
    weight = np.random.Generator(np.random.Philox(seed)).integers(1, 90, len(values)).astype(float)
    restored = restore_mean(np.array(values), weight, mean, 0.0, 1.0)
    assert (restored * weight).sum() / weight.sum() == pytest.approx(mean, rel=1e-6, abs=1e-9)
    assert restored.min() >= 0.0
    assert restored.max() <= 1.0 + 1e-12


def test_pue_is_scaled_above_one() -> None:
    restored = restore_mean(np.array([1.0, 1.1, 1.3]), np.ones(3), 1.05, 1.0)
    np.testing.assert_allclose(restored, [1.0, 1.0375, 1.1125])


def test_a_mean_outside_the_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="outside 0 to 1"):
        restore_mean(np.array([0.1, 0.2]), np.ones(2), 1.2, 0.0, 1.0)


def test_steps_are_means_of_their_hours() -> None:
    values = np.arange(8760.0)
    np.testing.assert_allclose(in_steps(values, 48, 24, 3), 49.0 + 3.0 * np.arange(8))
