"""The configuration to recommend: the least costly of those that keep the limits with a good chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gigawright.arrays import Bools, Floats
from gigawright.workloads.calibrating import STANDARD_80
from gigawright.workloads.serving.bench import Bench
from gigawright.workloads.serving.points import SURE, Point, points_of, requests_per_s
from gigawright.workloads.serving.predictor import Predicted
from gigawright.workloads.serving.tried import Tried

LOOKED_AT = 40
"""Configurations whose chances are computed in full, those of most merit by the approximate chance."""

TIE = 1e-6
"""Share of merit that the pace breaks ties by."""


def recommended(bench: Bench, kept: Tried, points: Sequence[Point]) -> Point | None:
    """Of all that keep the limits with a chance of at least `SURE`, that with the best pace, or the fewest
    accelerators for the rate that is asked for; where none does, the best merit times chance.

    It need not lie on the front: that a first token comes sooner is no goal there. Chances are approximate
    first, with the intervals of `points`, and then computed for the best. One of `points` is itself returned.
    """
    if not points:
        return None
    merit, near = merits(bench, kept), approximate(bench, kept, points)
    sure = _best(bench, kept, np.where(near >= SURE, merit, 0.0))
    for _, one in sure:
        if one.chance >= SURE:
            return _same(one, points)
    likely = _best(bench, kept, np.maximum(merit * near, np.finfo(float).tiny))
    return _same(max(likely, key=lambda pair: merit[pair[0]] * pair[1].chance)[1], points)


def _best(bench: Bench, kept: Tried, worth: Floats) -> list[tuple[int, Point]]:
    """Places of the configurations of most worth and each in full, best first; those of none not."""
    places = np.flatnonzero(worth > 0)
    order = places[np.argsort(-worth[places], kind="stable")][:LOOKED_AT]
    return list(zip(order.tolist(), points_of(bench, kept.take(order)), strict=True))


def merits(bench: Bench, kept: Tried) -> Floats:
    """What is to be large: tokens/s of an accelerator, or one over the accelerators that serve the rate."""
    rate = bench.asked.rate
    if not rate:
        return kept.pace
    units = np.ceil(rate / requests_per_s(bench.asked, kept) * (1 - 1e-9))
    return np.asarray((1 + TIE * kept.pace / kept.pace.max()) / (units * kept.accelerators))


def approximate(bench: Bench, kept: Tried, points: Sequence[Point]) -> Floats:
    """Chances to keep both limits, with the usual interval of points of each mode."""
    chance = np.ones(len(kept))
    told = (
        (kept.ttft_s, bench.asked.ttft_s, lambda one: one.ttft_s_p90 / one.ttft_s),
        (kept.tpot_s, bench.asked.tpot_s, lambda one: one.tpot_s_p90 / one.tpot_s),
    )
    for middle, limit, width in told:
        if np.isfinite(limit):
            chance = chance * _below(np.log(limit / middle), _spreads(kept.apart, points, width))
    return chance


def _spreads(apart: Bools, points: Sequence[Point], width: Callable[[Predicted], float]) -> Floats:
    """Standard deviation of a time's logarithm, for each configuration by its mode."""
    by_mode = {mode: [width(one.predicted) for one in points if one.apart == mode] for mode in (False, True)}
    every = by_mode[False] + by_mode[True]
    both = [np.log(np.median(by_mode[mode] or every)) / STANDARD_80 for mode in (False, True)]
    return np.asarray(np.where(apart, both[1], both[0]))


def _below(away: Floats, spread: Floats) -> Floats:
    """The probability of a normal number of this spread to be below `away`."""
    from scipy.special import ndtr

    return np.asarray(ndtr(away / np.maximum(spread, 1e-12)))


def _same(one: Point, points: Sequence[Point]) -> Point:
    """The same configuration among `points`, where it is."""
    return next((other for other in points if other.service == one.service), one)
