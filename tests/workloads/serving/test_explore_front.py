"""The Pareto front against its definition, on drawn goals."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gigawright.arrays import Floats
from gigawright.workloads.serving.front import front, fronts, spread_out

GOALS = (
    st.integers(1, 4)
    .flatmap(
        lambda width: st.lists(
            st.lists(st.integers(0, 5).map(float), min_size=width, max_size=width), min_size=1, max_size=40
        )
    )
    .map(np.array)
)


def beats(one: Floats, other: Floats) -> bool:
    return bool((one <= other).all() and (one < other).any())


@given(GOALS)
def test_the_front_is_what_no_other_beats(goals: Floats) -> None:
    kept = front(goals)
    wanted = {tuple(row) for row in goals if not any(beats(other, row) for other in goals)}
    assert {tuple(row) for row in goals[kept]} == wanted
    assert len(kept) == len(wanted)


@given(GOALS, st.data())
def test_fronts_of_kinds_are_those_of_each_alone(goals: Floats, data: st.DataObject) -> None:
    kind = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(goals), max_size=len(goals))))
    found = fronts(kind, goals)
    for each in np.unique(kind):
        own = np.flatnonzero(kind == each)
        assert found[kind[found] == each].tolist() == own[front(goals[own])].tolist()


def test_nothing_has_an_empty_front() -> None:
    assert not len(fronts(np.zeros(0, dtype=np.int64), np.zeros((0, 3))))


@given(st.lists(st.floats(0.1, 10.0), min_size=1, max_size=30), st.floats(0.001, 0.5))
def test_points_told_are_apart_and_near_every_other(values: list[float], apart: float) -> None:
    goals = np.array(values)[:, None]
    kept = np.log(goals[spread_out(goals, np.arange(len(goals)), apart), 0])
    assert all(abs(one - other) >= apart for at, one in enumerate(kept) for other in kept[:at])
    assert all(np.abs(kept - np.log(value)).min() < apart + 1e-12 for value in values)
