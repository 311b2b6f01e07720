"""Configurations of a service told in full: intervals, chances to keep limits, cost, and words for them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from gigawright.arrays import Floats
from gigawright.workloads.calibrating import STANDARD_80
from gigawright.workloads.performance import Limit
from gigawright.workloads.serving.ask import Asked
from gigawright.workloads.serving.bench import Bench
from gigawright.workloads.serving.predictor import Predicted, predict_services
from gigawright.workloads.serving.prices import HOURS_PER_MONTH
from gigawright.workloads.serving.service import Layout, Service
from gigawright.workloads.serving.tried import TOGETHER, Tried

SURE = 0.8
"""Chance of keeping the limits that is recommended: eight of ten, as the intervals have it."""

FULL = 0.95
"""Share of the memory, or of a limit, from which on it is told as what keeps more requests from running."""

SHOWN_SHARE = 0.1
"""Share of a token's time below which what it is spent on is not named."""


@dataclass(frozen=True)
class Point:
    """A configuration told in full: its prediction with intervals, and what it takes.

    `accelerators` are those of the unit, `pace` counts output tokens a second and accelerator, `idle` is the
    share of their time in which prompt workers wait for decoding, `chance` the probability that both mean
    times keep their limits, `served` the requests a second of a unit, `units` those that serve the rate that
    is asked for (0: none is).
    """

    predicted: Predicted
    accelerators: float
    pace: float
    usd_per_m: float
    joules: float
    idle: float
    chance: float
    served: float
    units: int
    usd_per_month: float
    limits: str

    @property
    def service(self) -> Service:
        """The service with its layouts and counts of workers."""
        return self.predicted.service

    @property
    def apart(self) -> bool:
        """Whether prompts have workers of their own."""
        return self.service.prefill is not None

    @property
    def user(self) -> float:
        """Output tokens a second that a user sees."""
        return 1 / self.predicted.tpot_s

    @property
    def filled(self) -> float:
        """Share of the cache's memory that running requests fill."""
        return self.predicted.running / self.predicted.holds

    @property
    def pace_p10_p90(self) -> tuple[float, float]:
        """The interval of the pace; that of the workers that decode."""
        one = self.predicted
        scale = self.pace / one.tokens_per_s
        return one.tokens_per_s_p10 * scale, one.tokens_per_s_p90 * scale


def points_of(bench: Bench, chosen: Tried) -> tuple[Point, ...]:
    """Configurations told in full."""
    if not len(chosen):
        return ()
    services = [_service(bench, chosen, at) for at in range(len(chosen))]
    done = predict_services(services, bench.known)
    cost, rate = usd_per_m(bench.asked, chosen), requests_per_s(bench.asked, chosen)
    return tuple(
        _point(bench.asked, done[at], chosen, at, float(cost[at]), float(rate[at]))
        for at in range(len(chosen))
    )


def _service(bench: Bench, chosen: Tried, at: int) -> Service:
    """A configuration as a service."""
    layout = bench.layouts[int(chosen.layout[at])]
    workers = int(chosen.workers[at])
    found = replace(
        bench.asked.services[int(chosen.service[at])],
        layout=layout,
        workers=workers,
        gpus=int(chosen.accelerators[at]),
        concurrency=float(chosen.running[at]) * layout.data * workers,
    )
    if chosen.prompt_layout[at] == TOGETHER:
        return found
    prefill = bench.layouts[int(chosen.prompt_layout[at])]
    return replace(found, prefill=prefill, prefill_workers=int(chosen.prompt_workers[at]), disaggregated=True)


def _point(asked: Asked, done: Predicted, chosen: Tried, at: int, cost: float, served: float) -> Point:
    units = math.ceil(asked.rate / served * (1 - 1e-9)) if asked.rate else 0
    accelerators = float(chosen.accelerators[at])
    hourly = cost * float(chosen.pace[at]) * 3600 / 1e6
    return Point(
        predicted=done,
        accelerators=accelerators,
        pace=float(chosen.pace[at]),
        usd_per_m=cost,
        joules=float(chosen.joules[at]),
        idle=float(chosen.idle[at]),
        chance=chance(done, asked.ttft_s, asked.tpot_s),
        served=served,
        units=units,
        usd_per_month=units * accelerators * hourly * HOURS_PER_MONTH,
        limits=limits(done, asked.ttft_s, asked.tpot_s),
    )


def chance(one: Predicted, ttft_s: float, tpot_s: float) -> float:
    """The probability that mean times keep both limits, as if the two were independent; their errors go
    together, so it is rather too small.

    >>> times = {"ttft_s": 1.0, "ttft_s_p90": 2.0, "tpot_s": 0.03, "tpot_s_p90": 0.04}
    >>> one = Predicted(None, **times)  # type: ignore[arg-type]
    >>> round(chance(one, 2.0, 0.03), 3), chance(one, math.inf, math.inf)
    (0.45, 1.0)
    """
    return _kept(one.ttft_s, one.ttft_s_p90, ttft_s) * _kept(one.tpot_s, one.tpot_s_p90, tpot_s)


def _kept(middle: float, high: float, limit: float) -> float:
    """The probability that a time of this middle and 90th percentile is below a limit (lognormal)."""
    if not math.isfinite(limit):
        return 1.0
    spread = math.log(high / middle) / STANDARD_80
    away = math.log(limit / middle)
    return 0.5 * (1 + math.erf(away / spread / math.sqrt(2))) if spread > 0 else float(away >= 0)


def limits(one: Predicted, ttft_s: float, tpot_s: float) -> str:
    """What keeps more requests from running, and what a token's time is spent on."""
    caps = [
        text
        for text, reached in (
            ("TPOT", one.tpot_s >= FULL * tpot_s),
            ("TTFT", one.ttft_s >= FULL * ttft_s),
            ("memory", one.running >= FULL * one.holds),
        )
        if reached
    ]
    whole = sum(one.spent.values())
    most = sorted(one.spent.items(), key=lambda pair: -pair[1])[:2]
    shares = [f"{SHORT[kind]} {value / whole:.0%}" for kind, value in most if value >= SHOWN_SHARE * whole]
    return "; ".join(text for text in (" and ".join(caps), ", ".join(shares)) if text)


SHORT: Mapping[Limit, str] = {
    "compute": "compute",
    "memory bandwidth": "bandwidth",
    "network": "network",
    "overhead": "overhead",
}
"""Limits in a word."""


def usd_per_m(asked: Asked, tried: Tried) -> Floats:
    """USD a million output tokens."""
    hour = asked.price.usd_per_hour(tried.joules * tried.pace)
    return np.asarray(hour / 3600 / tried.pace * 1e6)


def requests_per_s(asked: Asked, tried: Tried) -> Floats:
    """Requests a second of a unit."""
    return np.asarray(tried.pace * tried.accelerators / asked.first.output_tokens)


def layout_words(layout: Layout) -> str:
    """A worker's layout in the words of engines.

    >>> layout_words(Layout(tensor=8, expert_tensor=8)), layout_words(Layout(tensor=2, data=8, expert=16))
    ('TP8', 'TP2 DP8 EP16')
    """
    sizes = (("TP", layout.tensor), ("PP", layout.pipeline), ("DP", layout.data), ("EP", layout.expert))
    return " ".join(f"{name}{size}" for name, size in sizes if size > 1) or "TP1"


def configuration_words(one: Service) -> str:
    """Workers of a configuration: `TP8`, or `2x TP4 prefill + 1x DP16 EP16 decode`."""
    decode = layout_words(one.layout or Layout())
    if one.prefill is None:
        return decode
    return f"{one.prefill_workers}x {layout_words(one.prefill)} prefill + {one.workers}x {decode} decode"
