"""Response surfaces: what users feel of a phase on a system, and what it does, against its load.

The load of a phase is its work over the full pace of the closed form. A surface is made once by the
simulator of requests (`surface_build`), kept on disk (`surface_cache`), and read by the plan.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gigawright.arrays import Floats
from gigawright.workloads.performance import Unpredictable

LOADS = (0.1, 0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0, 1.1)
"""Loads that are simulated; between them is interpolated."""

PERCENTILES = (50, 90, 99)
"""Percentiles of what users feel that a surface keeps."""

MOST_SHARE = 1.0
"""Most of the full pace that a planner may count on, also where limits would hold beyond it."""

Felt = Literal["ttft", "tpot"]


@dataclass(frozen=True)
class Point:
    """A phase at one load: seconds that users feel by percentile, requests done a second and those in flight
    a replica, share of time it works, wall power of an accelerator [W]: that of full load while it works.
    """

    load: float
    seconds: Mapping[int, float]
    requests_per_s: float
    in_flight: float
    busy: float
    watts: float


@dataclass(frozen=True)
class SpotCheck:
    """A load between those of a surface, simulated with another seed: seconds by percentile as the surface
    tells them and as simulated.
    """

    load: float
    seed: int
    told: Mapping[int, float]
    simulated: Mapping[int, float]

    @property
    def deviation(self) -> Mapping[int, float]:
        """Simulated over told, less 1, by percentile; where neither is finite, 0."""
        return {
            each: 0.0
            if math.isinf(told) and math.isinf(self.simulated[each])
            else self.simulated[each] / told - 1
            for each, told in self.told.items()
        }


@dataclass(frozen=True, eq=False)
class Surface:
    """A phase of a workload on a system, simulated at `loads` in a bank of `replicas`.

    `felt` tells what users feel of it: the first token ("ttft", of prompts) or each further one ("tpot").
    `seconds` are by percentile [load], `requests_per_s` and `in_flight` of one replica, `busy` a share of
    time. A percentile is inf where so many requests are refused, or find no end. `fixed_s` is in `seconds`
    whatever the load: the host before and after, and moving the cache. `checks` are loads between, simulated
    with another seed.
    """

    felt: Felt
    loads: Floats
    seconds: Mapping[int, Floats]
    requests_per_s: Floats
    in_flight: Floats
    busy: Floats
    replicas: int
    requests: int
    full_per_s: float
    fixed_s: float = 0.0
    idle_watts: float = 0.0
    full_watts: float = 0.0
    checks: tuple[SpotCheck, ...] = ()

    def at(self, load: float) -> Point:
        """The phase at a load: seconds are interpolated on a logarithmic scale, the rest as it is.

        Below the smallest load all is as there; beyond the largest nothing holds, and seconds are inf.
        """
        if not load >= 0:
            raise ValueError(f"load is {load:g}; it must be 0 or more")
        if load > self.loads[-1]:
            seconds = dict.fromkeys(self.seconds, math.inf)
        else:
            seconds = {each: self._seconds(each, load) for each in self.seconds}
        busy = self._read(self.busy, load)
        return Point(
            load,
            seconds,
            self._read(self.requests_per_s, load),
            self._read(self.in_flight, load),
            busy,
            self.idle_watts + (self.full_watts - self.idle_watts) * min(1.0, busy),
        )

    def _read(self, values: Floats, load: float) -> float:
        """A column at a load; in proportion below the smallest."""
        if load < self.loads[0]:
            return float(values[0] * load / self.loads[0])
        return float(np.interp(load, self.loads, values))

    def _seconds(self, percentile: int, load: float) -> float:
        values = self.seconds[percentile]
        after = int(np.searchsorted(self.loads, load))
        if after < len(values) and not np.isfinite(values[after]) and load > self.loads[max(after - 1, 0)]:
            return math.inf
        held = np.isfinite(values)
        if not held.any():
            return math.inf
        return float(np.exp(np.interp(load, self.loads[held], np.log(values[held]))))

    def most(self, limit_s: float, percentile: int = 99) -> float:
        """The share of the full pace up to which a percentile keeps a limit, at most `MOST_SHARE`.

        0 where it is not kept at the smallest load. Seconds beyond the first load that breaks the limit are
        not looked at.
        """
        values = self.seconds[percentile]
        broken = np.flatnonzero(~(values <= limit_s))
        if not len(broken):
            return min(MOST_SHARE, float(self.loads[-1]))
        first = int(broken[0])
        if first == 0:
            return 0.0
        low, high = values[first - 1], values[first]
        part = math.log(limit_s / low) / math.log(high / low) if math.isfinite(high) else 0.0
        share = self.loads[first - 1] + part * (self.loads[first] - self.loads[first - 1])
        return min(MOST_SHARE, float(share))


def held_share(surface: Surface, limit_s: float) -> float:
    """The share of the full pace at which 99 in 100 requests keep a limit.

    Raises Unpredictable where there is none.
    """
    share = surface.most(limit_s)
    if share <= 0.0:
        what = "first token" if surface.felt == "ttft" else "output token"
        least = float(surface.seconds[99][0])
        told = f"{least:,.2f} s" if least >= 1.0 else f"{least * 1e3:,.0f} ms"
        raise Unpredictable(
            f"not feasible: 1 in 100 waits {told} or more for a {what} at {surface.loads[0]:.0%} load, the "
            f"limit is {limit_s * 1e3:,.0f} ms"
        )
    return share
