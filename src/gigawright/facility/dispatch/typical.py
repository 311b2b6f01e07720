"""Typical days of a quarter: the best medoids there are, rescaled to the quarter's means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, islice
from math import comb

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.clock import Quarter

DAY_HOURS = 24
MOST_COMBINATIONS = 500_000
CHUNK = 4096
ROUNDING = 1e-9
# Below this share of the highest value a step counts as zero: it is not scaled up.
NOTHING = 1e-9
# Lowest and highest value of a series by the first word of its name, kept when means are restored.
BOUNDS = {"solar": (0.0, 1.0), "wind": (0.0, 1.0), "pue": (1.0, np.inf)}
UNBOUNDED = (0.0, np.inf)


@dataclass(frozen=True, eq=False)
class Typical:
    """The chosen periods of one quarter, cut into steps one after another.

    starts_h: first hour of each period in the year [count]; weights_days: days each stands for, whole numbers
    that sum to the quarter's [count]; weight_h: hours each step stands for, summing to the quarter's hours
    [steps]; cycle: number of the period a step belongs to [steps]; series: values by step [steps], whose
    weighted means are the quarter's.
    """

    quarter: Quarter
    step_h: int
    starts_h: Ints
    weights_days: Ints
    weight_h: Floats
    cycle: Ints
    series: Mapping[str, Floats]


def typical_days(
    series: Mapping[str, Floats],
    quarter: Quarter,
    count: int = 2,
    step_h: int = 3,
) -> Typical:
    """The `count` days that stand best for a quarter, by k-medoids solved exactly (all combinations tried).

    series: name -> hourly values (8760,), UTC, zero or more; names that begin with `solar` or `wind` are
    capacity factors (at most 1), with `pue` at least 1. A day is described by all series in steps, each
    divided by its spread over the quarter; a day's distance is the sum of squares. Raises ValueError where
    the combinations are too many, or a step does not divide a day.
    """
    days = quarter.hours // 24
    first = quarter.hour_slice.start
    starts = first + 24 * np.arange(days)
    return _typical(series, quarter, starts, count, step_h)


def in_steps(values: Floats, start_h: int, hours: int, step_h: int) -> Floats:
    """Means of a series over the steps of a window; past the year's end it goes on at its start.

    >>> in_steps(np.arange(8760.0), 8757, 6, 3).tolist()
    [8758.0, 1.0]
    """
    window = np.take(values, np.arange(start_h, start_h + hours), mode="wrap")
    return np.asarray(window.reshape(-1, step_h).mean(axis=1))


def bounds_of(name: str) -> tuple[float, float]:
    """Lowest and highest value a series of this name may take.

    >>> bounds_of("solar_cf"), bounds_of("pue:air"), bounds_of("price")
    ((0.0, 1.0), (1.0, inf), (0.0, inf))
    """
    return BOUNDS.get(re.split(r"[^a-z]", name, maxsplit=1)[0], UNBOUNDED)


def _typical(
    series: Mapping[str, Floats],
    quarter: Quarter,
    starts: Ints,
    count: int,
    step_h: int,
) -> Typical:
    if 24 % step_h:
        raise ValueError(f"steps of {step_h} h do not divide a day")
    cut = {
        name: np.stack([in_steps(values, int(start), DAY_HOURS, step_h) for start in starts])
        for name, values in series.items()
    }
    medoids, weights = exact_medoids(_distances(cut), np.ones(len(starts), np.int64), count)
    steps = DAY_HOURS // step_h
    weight_h = np.repeat(weights * float(step_h), steps)
    means = {name: float(values[quarter.hour_slice].mean()) for name, values in series.items()}
    chosen = {
        name: restore_mean(values[medoids].ravel(), weight_h, means[name], *bounds_of(name))
        for name, values in cut.items()
    }
    return Typical(
        quarter=quarter,
        step_h=step_h,
        starts_h=starts[medoids],
        weights_days=weights,
        weight_h=weight_h,
        cycle=np.repeat(np.arange(count), steps),
        series=chosen,
    )


def _distances(cut: Mapping[str, Floats]) -> Floats:
    """Squared distances between periods [period, period], each series in units of its own spread."""
    features = [values / spread for values in cut.values() if (spread := float(values.std())) > 1e-12]
    if not features:
        length = len(next(iter(cut.values())))
        return np.zeros((length, length))
    points = np.concatenate(features, axis=1)
    squares = (points**2).sum(axis=1)
    distance = squares[:, None] + squares[None, :] - 2.0 * points @ points.T
    np.fill_diagonal(distance, 0.0)
    return np.asarray(np.maximum(distance, 0.0))


def exact_medoids(distance: Floats, weight: Ints, count: int) -> tuple[Ints, Ints]:
    """The `count` members with the least weighted sum of distances to the nearest, and what each stands for.

    distance: [member, member]; weight: [member], whole numbers. Every combination is tried, so the answer is
    the best there is; of equals the first. Raises ValueError where there are more than half a million.

    >>> line = np.array([0.0, 1.0, 2.0, 10.0, 11.0])
    >>> exact_medoids(abs(line[:, None] - line), np.ones(5, np.int64), 2)
    (array([1, 3]), array([3, 2]))
    """
    members = len(distance)
    if not 1 <= count <= members or comb(members, count) > MOST_COMBINATIONS:
        raise ValueError(f"cannot choose {count} of {members} exactly; ask for 1 to 3 days or 1 to 13 weeks")
    best, chosen = np.inf, np.arange(count)
    candidates = combinations(range(members), count)
    while block := list(islice(candidates, CHUNK)):
        trial = np.array(block)
        nearest = distance[trial[:, 0]]
        for column in range(1, count):
            nearest = np.minimum(nearest, distance[trial[:, column]])
        cost = nearest @ weight
        place = int(np.argmin(cost))
        if cost[place] < best:
            best, chosen = float(cost[place]), trial[place]
    of_member = np.argmin(distance[chosen], axis=0)
    # Members at distance zero of two medoids still belong to themselves.
    of_member[chosen] = np.arange(count)
    return chosen, np.bincount(of_member, weight, minlength=count).round().astype(np.int64)


def restore_mean(
    values: Floats, weight_h: Floats, mean: float, floor: float = 0.0, ceiling: float = np.inf
) -> Floats:
    """Values whose weighted mean is `mean`: what lies above the floor is scaled, and cut at the ceiling.

    What the ceiling cuts is made up by the rest; what they cannot hold, and all of it where nothing lies
    above the floor, is spread over the steps at the floor. Raises ValueError for values or a mean outside
    the bounds.

    >>> restore_mean(np.array([0.0, 0.5, 0.9]), np.ones(3), 0.6, 0.0, 1.0)
    array([0. , 0.8, 1. ])
    """
    low, high = min(values.min(), mean), max(values.max(), mean)
    if low < floor - ROUNDING or high > ceiling + ROUNDING:
        raise ValueError(f"values from {low:g} to {high:g} are outside {floor:g} to {ceiling:g}")
    above, room, wanted = np.maximum(values - floor, 0.0), ceiling - floor, max(mean - floor, 0.0)
    share = weight_h / weight_h.sum()
    lit = above > NOTHING * max(float(above.max()), wanted)
    most = room * float(share[lit].sum()) if lit.any() else 0.0
    if wanted >= most:
        # Even with every step above the floor at the ceiling something is left: the other steps take it.
        left = (wanted - most) / max(float(share[~lit].sum()), NOTHING)
        return np.asarray(floor + np.where(lit, room, min(left, room)))
    # Heights over the highest, so that no division overflows however small the values are.
    height = above / float(above.max())
    factor = (
        wanted / float(share @ height) if np.isinf(room) else _factor(height[lit], share[lit], wanted, room)
    )
    return np.asarray(floor + np.minimum(factor * height, room))


def _factor(above: Floats, share: Floats, wanted: float, room: float) -> float:
    """The f with sum(share x min(f above, room)) = wanted, by filling the highest steps one by one."""
    order = np.argsort(-above, kind="stable")
    above, share = above[order], share[order]
    full = np.concatenate([[0.0], np.cumsum(share)[:-1]])
    rest = np.cumsum((share * above)[::-1])[::-1]
    factors = (wanted - room * full) / rest
    return float(factors[np.argmax(factors * above <= room)])
