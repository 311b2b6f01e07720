"""Choices that no other beats: the Pareto front of any number of goals."""

from __future__ import annotations

import numpy as np

from gigawright.arrays import Floats, Ints


def front(goals: Floats) -> Ints:
    """Places of the rows that no other row beats, in order; `goals` [N, goals], all to be small.

    A row beats another where it is nowhere larger and somewhere smaller. Of equal rows the first is kept.
    Each step keeps the row of the least sum of ranks among those left and drops what it beats, so there are
    as many steps as the front has rows.

    >>> front(np.array([[1.0, 4.0], [2.0, 2.0], [2.0, 3.0], [3.0, 1.0], [2.0, 2.0]])).tolist()
    [0, 1, 3]
    """
    left = np.arange(len(goals))
    # The row with the smallest sum of any increasing functions of the goals is beaten by none; ranks keep
    # large and small goals alike, and make rows of one number each where there is one goal.
    ranks = np.stack([_ranks(goal) for goal in goals.T], axis=1)
    order = np.argsort(ranks.sum(axis=1), kind="stable")
    left, ranks = left[order], ranks[order]
    kept: list[int] = []
    while len(left):
        kept.append(int(left[0]))
        better = (ranks < ranks[0]).any(axis=1)
        left, ranks = left[better], ranks[better]
    return np.array(sorted(kept), dtype=np.int64)


def _ranks(goal: Floats) -> Ints:
    """Places of values in order; equal values share one."""
    return np.asarray(np.unique(goal, return_inverse=True)[1])


def fronts(kind: Ints, goals: Floats) -> Ints:
    """Places of the rows that no other row of their kind beats, kind by kind.

    >>> fronts(np.array([0, 0, 7]), np.array([[1.0], [2.0], [9.0]])).tolist()
    [0, 2]
    """
    rows = [np.flatnonzero(kind == each) for each in np.unique(kind)]
    found = [own[front(goals[own])] for own in rows]
    return np.concatenate([np.zeros(0, dtype=np.int64), *found])


def spread_out(goals: Floats, order: Ints, apart: float) -> Ints:
    """Rows of `order`, without those that differ from one before by less than the share `apart` in all goals.

    >>> spread_out(np.array([[1.0], [1.001], [1.1]]), np.array([0, 1, 2]), 0.01).tolist()
    [0, 2]
    """
    logs = np.log(np.maximum(goals, 1e-300))
    kept: list[int] = []
    for place in order.tolist():
        if not kept or (np.abs(logs[kept] - logs[place]).max(axis=1) >= apart).all():
            kept.append(place)
    return np.array(kept, dtype=np.int64)
