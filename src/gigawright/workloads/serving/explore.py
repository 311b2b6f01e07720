"""Searches the configurations of a service for a person: those that no other beats, one recommended, what
nearly kept the limits, and why nothing does.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.errors import UserError
from gigawright.workloads.calibrated import Calibrated
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.serving.ask import Asked
from gigawright.workloads.serving.bench import Bench, bench_of
from gigawright.workloads.serving.front import front, spread_out
from gigawright.workloads.serving.points import (
    Point,
    points_of,
    requests_per_s,
    usd_per_m,
)
from gigawright.workloads.serving.recommend import recommended
from gigawright.workloads.serving.shortfalls import too_small
from gigawright.workloads.serving.space import STEP_ENGINES
from gigawright.workloads.serving.tried import TOGETHER, Tried, apart, joined, together

APART_BY = 0.02
"""Share by which points of the front differ in at least one goal; nearer ones are told once."""

MISSES = 6
"""Configurations told where none keeps the limits."""

NEARLY = 1.25
"""Limits that are nearly kept, over the limits."""


@dataclass(frozen=True)
class Explored:
    """What a search found: all configurations, and the points of the front from the most efficient to the
    fastest for a user.

    `choice` is the one that is recommended, which need not lie on the front. `points` is empty where nothing
    keeps the limits; `misses` are then the configurations that come nearest, and `helps` what would help.
    `nearly` is what slightly looser limits would give: None where that is little.
    """

    asked: Asked
    tried: Tried
    kept: int
    points: tuple[Point, ...]
    choice: Point | None
    misses: tuple[Point, ...]
    helps: tuple[str, ...]
    nearly: Point | None
    notes: tuple[str, ...]
    took_s: float

    @property
    def configurations(self) -> int:
        """Configurations evaluated."""
        return len(self.tried)


def explore(asked: Asked, known: Calibrated) -> Explored:
    """Evaluates every configuration of the space; tells those that no other beats in full.

    Raises UserError where a rate of the accelerator is unknown.
    """
    start = time.perf_counter()
    try:
        bench, notes = _best_engine(bench_of(asked, known))
    except Unpredictable as reason:
        raise UserError(str(reason)) from reason
    asked, tried = bench.asked, joined([together(bench), apart(bench)])
    if not len(tried):
        helps = tuple(too_small(bench))
        return Explored(asked, tried, 0, (), None, (), helps, None, notes, time.perf_counter() - start)
    kept = tried.take(excess(asked, tried) <= 1)
    told = _front(asked, kept)
    points = points_of(bench, kept.take(told))
    misses = () if points else points_of(bench, tried.take(_nearest(asked, tried)))
    choice = recommended(bench, kept, points)
    helps = () if points else tuple(_helps(asked, misses))
    nearly = _nearly(bench, tried, points) if points else None
    took = time.perf_counter() - start
    return Explored(asked, tried, len(kept), points, choice, misses, helps, nearly, notes, took)


def goals(asked: Asked, tried: Tried) -> Floats:
    """What is to be small [N, 4]: seconds of an accelerator a token, seconds of a token, USD, joules."""
    columns = [1 / tried.pace, tried.tpot_s, usd_per_m(asked, tried), tried.joules]
    return np.stack([np.where(np.isfinite(one), one, 1.0) for one in columns], axis=1)


def _front(asked: Asked, kept: Tried) -> Ints:
    """Places of the points told, from the most efficient to the fastest for a user."""
    if not len(kept):
        return np.zeros(0, dtype=np.int64)
    wanted = goals(asked, kept)
    found = front(wanted)
    order = found[np.lexsort((wanted[found, 1], wanted[found, 0]))]
    fastest = order[np.argmin(wanted[order, 1])]
    thrifty = order[np.argmin(wanted[order, 3])]
    first = np.array(list(dict.fromkeys([int(order[0]), int(fastest), int(thrifty), *order.tolist()])))
    told = spread_out(wanted, first, APART_BY)
    return np.asarray(told[np.lexsort((wanted[told, 0], wanted[told, 1]))][::-1])


def _best_engine(bench: Bench) -> tuple[Bench, tuple[str, ...]]:
    """The engine with the best pace within the limits where workers do both, and a note on the choice."""
    asked = bench.asked
    if len(asked.engines) < 2 or not (bench.holds >= 1).any():
        return bench, ()
    tried = together(bench, STEP_ENGINES)
    own = np.array([asked.engines.index(one.engine) for one in asked.services])[tried.service]
    good = tried.keeps(asked.ttft_s, asked.tpot_s)
    pace = tried.pace if good.any() else 1 / excess(asked, tried)
    good = good if good.any() else np.ones(len(tried), dtype=bool)
    paces = [float(pace[good & (own == at)].max(initial=0.0)) for at in range(len(asked.engines))]
    best = asked.engines[int(np.argmax(paces))]
    others = ", ".join(
        f"{name} {value / max(paces):.0%}"
        for name, value in zip(asked.engines, paces, strict=True)
        if name != best
    )
    one = replace(asked, services=tuple(each for each in asked.services if each.engine == best))
    note = f"engine {best}: the best of those measured on such chips ({others} of its pace)"
    return Bench.of(one, bench.known, bench.layouts), (note,)


def excess(asked: Asked, tried: Tried) -> Floats:
    """The largest of both times over its limit and, where a rate is to be served by the accelerators told, of
    those that it takes over them.
    """
    over = np.maximum(tried.ttft_s / asked.ttft_s, tried.tpot_s / asked.tpot_s)
    if not asked.rate or not asked.gpus:
        return np.asarray(over)
    units = np.ceil(asked.rate / requests_per_s(asked, tried) * (1 - 1e-9))
    return np.asarray(np.maximum(over, units * tried.accelerators / asked.gpus))


def _nearest(asked: Asked, tried: Tried) -> Ints:
    """Places of the configurations that come nearest to the limits, one a layout, of each mode."""
    over = excess(asked, tried)
    seen: dict[tuple[int, int], int] = {}
    counts = {False: 0, True: 0}
    for place in np.argsort(over, kind="stable").tolist():
        key = (int(tried.layout[place]), int(tried.prompt_layout[place]))
        mode = bool(tried.prompt_layout[place] != TOGETHER)
        if key not in seen and counts[mode] < MISSES // 2:
            seen[key] = place
            counts[mode] += 1
        if len(seen) >= MISSES:
            break
    found = np.array(list(seen.values()), dtype=np.int64)
    return np.asarray(found[np.argsort(over[found], kind="stable")])


def _helps(asked: Asked, misses: Sequence[Point]) -> Iterable[str]:
    """What the nearest configuration needs."""
    if not misses:
        return
    one = misses[0].predicted
    told = []
    for name, limit, value in (("tpot", asked.tpot_s, one.tpot_s), ("ttft", asked.ttft_s, one.ttft_s)):
        if value > limit:
            told.append(f"--{name}-ms {math.ceil(value * 1e3)}")
    if told:
        yield f"{' '.join(told)} is kept by the nearest"
    needed = misses[0].units * misses[0].accelerators
    if asked.gpus and needed > asked.gpus:
        served = misses[0].served * (asked.gpus // misses[0].accelerators)
        yield f"--gpus {needed:.0f} serves {asked.rate:g} requests/s, {asked.gpus:,} serve {served:.3g}"
    elif asked.gpus:
        yield "more accelerators (--gpus) allow wider workers"


def _nearly(bench: Bench, tried: Tried, points: Sequence[Point]) -> Point | None:
    """The best pace within limits that are a little looser, where it is clearly better."""
    asked = bench.asked
    near = tried.keeps(NEARLY * asked.ttft_s, NEARLY * asked.tpot_s)
    near &= excess(replace(asked, ttft_s=math.inf, tpot_s=math.inf), tried) <= 1
    if not near.any():
        return None
    rows = np.flatnonzero(near)
    best = rows[int(np.argmax(tried.pace[rows]))]
    if tried.pace[best] < (1 + APART_BY) * max(one.pace for one in points):
        return None
    return points_of(bench, tried.take(np.array([best])))[0]
