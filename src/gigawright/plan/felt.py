"""What users will feel: first tokens and further ones by region and quarter, read off response surfaces.

In each zone the systems at a phase share its work in proportion to what they promise, so each stands at the
same share of its promise: its load is that share of the load it is planned with. Where several zones or
systems serve a region, its requests are a mixture, and percentiles are those of the mixture.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gigawright.arrays import Floats
from gigawright.workloads.serving.surface import Point

if TYPE_CHECKING:
    import pandas as pd

    from gigawright.linear import Solution
    from gigawright.plan.numbers import Preparation
    from gigawright.plan.problem import Problem

TINY = 1e-7

Z = {50: 0.0, 90: 1.2816, 99: 2.3263}
"""Standard normal quantiles of the percentiles that a surface keeps."""

SECONDS = (1e-5, 1e4)
"""Between these seconds a percentile of a mixture is sought."""

FELT = {"prefill": "ttft", "decode": "tpot"}
"""What users feel of a phase."""

HOURS = ("peak", "mean")
"""The busiest hour of a region, and one at the mean of its day."""

COLUMNS = (
    *("workload", "region", "quarter", "served_peak_per_s"),
    *(f"{felt}_{hour}_load" for felt in FELT.values() for hour in HOURS),
    *(f"{felt}_{hour}_p{each}_s" for felt in FELT.values() for hour in HOURS for each in (50, 99)),
    "network_s",
)


@dataclass(frozen=True)
class Part:
    """A part of a region's requests: weight, load, seconds by percentile."""

    weight: float
    point: Point


def felt_table(problem: Problem, x: Solution, p: Preparation) -> pd.DataFrame:
    """A row for each workload with response surfaces, region and quarter in which some of it is served."""
    import pandas as pd

    rows = list(_rows(Reader(problem, x, p))) if p.performance.surfaces else []
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _rows(reader: Reader) -> Iterator[dict[str, Any]]:
    sets = reader.problem.sets
    served = {phase.workload for phase in reader.p.phases if phase.name in reader.phases_with_surfaces}
    for v, workload in enumerate(sets.streams):
        if workload not in served:
            continue
        for r, region in enumerate(sets.regions):
            for q, quarter in enumerate(sets.q):
                flow = reader.flow[:, r, v, q]
                if flow.sum() <= TINY:
                    continue
                scale = float(reader.problem.work.reference[v])
                told = {"workload": workload, "region": region, "quarter": quarter}
                yield told | {"served_peak_per_s": float(flow.sum()) * scale} | reader.felt(r, v, q)


class Reader:
    """Loads and mixtures of one solution."""

    def __init__(self, problem: Problem, x: Solution, p: Preparation) -> None:
        self.problem, self.p = problem, p
        self.assign, self.flow, self.fleet = x.of("assign"), x.of("flow"), x.of("fleet")
        self.phases_with_surfaces = {phase for phase, _ in p.performance.surfaces}

    def felt(self, r: int, v: int, q: int) -> dict[str, float]:
        """The columns of a workload in a region and quarter."""
        found: dict[str, float] = {}
        network = 0.0
        for name, felt in FELT.items():
            w = self.problem.sets.phases.index(f"{self.problem.sets.streams[v]}.{name}")
            if felt == "ttft":
                network = self._network_s(r, v, w, q)
            for hour in HOURS:
                parts = list(self._parts(r, v, w, q, hour))
                load = sum(part.weight * part.point.load for part in parts)
                found[f"{felt}_{hour}_load"] = load / sum(part.weight for part in parts)
                for each in (50, 99):
                    seconds = mixed(parts, each) + (network if felt == "ttft" else 0.0)
                    found[f"{felt}_{hour}_p{each}_s"] = seconds
        return found | {"network_s": network}

    def _parts(self, r: int, v: int, w: int, q: int, hour: str) -> Iterator[Part]:
        """The zones and systems that serve a region at a phase, each at its load."""
        work, performance = self.problem.work, self.p.performance
        for z, done in enumerate(self._promises(w, q)):
            asked = self.flow[z, :, v, q]
            if asked[r] <= TINY or done.sum() <= TINY:
                continue
            share = work.mean_share[:, v] if hour == "mean" else 1.0
            used = min(1.0, float((asked * share).sum() / done.sum()))
            for k in np.flatnonzero(done > TINY):
                pairing = self.problem.sets.phases[w], self.problem.offers.system[k]
                surface = performance.surfaces[pairing]
                load = used * performance.planned_load[pairing]
                yield Part(float(asked[r] * done[k] / done.sum()), surface.at(load))

    def _promises(self, w: int, q: int) -> Floats:
        """Work that accelerators at a phase promise at the peak [zone, offer], in reference-kacc."""
        return np.asarray(self.assign[:, :, w, q] * self.problem.work.rate[None, :, w, q])

    def _network_s(self, r: int, v: int, w: int, q: int) -> float:
        """Mean round trip from a region to where its prompts are read; 0 where no region is told."""
        region = self.p.catalogue.regions.get(self.problem.sets.regions[r])
        if region is None:
            return 0.0
        weights, trips = [], []
        for s, site in enumerate(self.problem.sets.sites):
            z = int(self.problem.work.zone_of_site[s])
            rtt = region.rtt_ms.get(site)
            if rtt is None or self.flow[z, r, v, q] <= TINY:
                continue
            done = self._promises(w, q)[z]
            there = self.problem.work.zone_of_site == z
            standing = np.maximum(self.fleet[there, :, q].sum(axis=0), TINY)
            weight = float((done * self.fleet[s, :, q] / standing).sum() / max(done.sum(), TINY))
            weights.append(weight * self.flow[z, r, v, q])
            trips.append(rtt * 1e-3)
        return float(np.average(trips, weights=weights)) if sum(weights) > 0.0 else 0.0


def mixed(parts: Sequence[Part], percentile: int) -> float:
    """A percentile of a mixture; of one part, its own. Between and beyond the percentiles of a part its
    logarithm is straight over the normal quantile.

    >>> fast, slow = ({50: s, 90: 2 * s, 99: 4 * s} for s in (0.1, 1.0))
    >>> both = [Part(1.0, Point(0.5, seconds, 1.0, 1.0, 0.5, 0.0)) for seconds in (fast, slow)]
    >>> round(mixed(both[:1], 99), 3), 0.1 < mixed(both, 50) < 1.0, 2.0 < mixed(both, 99) < 4.0
    (0.4, True, True)
    """
    if not parts:
        return math.nan
    if len(parts) == 1:
        return parts[0].point.seconds[percentile]
    total = sum(part.weight for part in parts)
    low, high = (math.log(bound) for bound in SECONDS)
    for _ in range(50):
        middle = (low + high) / 2
        below = sum(part.weight * _share_below(part.point, middle) for part in parts) / total
        low, high = (middle, high) if below < percentile / 100 else (low, middle)
    return math.exp((low + high) / 2)


def _share_below(point: Point, log_seconds: float) -> float:
    """The share of requests that take less; none where a percentile has no end."""
    known = [each for each in Z if math.isfinite(point.seconds[each])]
    if len(known) < len(Z):
        return 0.0
    logs = np.log([point.seconds[each] for each in Z]) + 1e-9 * np.arange(len(Z))
    after = int(np.clip(np.searchsorted(logs, log_seconds), 1, len(logs) - 1))
    z = list(Z.values())
    slope = (z[after] - z[after - 1]) / (logs[after] - logs[after - 1])
    return 0.5 * (1 + math.erf((z[after] + slope * (log_seconds - logs[after])) / math.sqrt(2)))
