"""What configurations of a service are evaluated with: services and layouts as arrays, multipliers, power."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gigawright.arrays import Bools, Floats, Ints
from gigawright.workloads.calibrated import Calibrated
from gigawright.workloads.power import DRAW, IDLE_SHARE
from gigawright.workloads.serving.ask import Asked
from gigawright.workloads.serving.cost import most_sequences
from gigawright.workloads.serving.levels import levels
from gigawright.workloads.serving.load import PARTS
from gigawright.workloads.serving.measured import METRICS
from gigawright.workloads.serving.predictor import by_limit
from gigawright.workloads.serving.service import Layout, Service
from gigawright.workloads.serving.sizes import Sizes, sizes
from gigawright.workloads.serving.space import STAGES, layouts


@dataclass(frozen=True)
class Bench:
    """What configurations are evaluated with: services and layouts as arrays [services x layouts], service by
    service; the logarithms of multipliers by metric and mode [services, parts]; watts of an accelerator.
    """

    asked: Asked
    known: Calibrated
    layouts: Sequence[Layout]
    wide: Sizes
    holds: Floats
    watts: float

    @classmethod
    def of(cls, asked: Asked, known: Calibrated, layouts: Sequence[Layout]) -> Bench:
        """Everything that does not depend on a load. Raises Unpredictable where a rate is missing."""
        one = sizes([replace(each, layout=Layout()) for each in asked.services])
        count, spread = len(asked.services), len(layouts)
        places = np.repeat(np.arange(count), spread)
        wide = one.take(places).laid_out([*layouts] * count, np.ones(count * spread))
        watts = 1e3 * asked.system.kw_per_accelerator if asked.system else np.nan
        holds = most_sequences(wide, known.constants)
        return cls(asked, known, layouts, wide, holds, watts if watts > 0 else np.nan)

    def service(self, places: Ints) -> Ints:
        """The service of places in `wide`."""
        return np.asarray(places // len(self.layouts))

    def layout(self, places: Ints) -> Ints:
        """The layout of places in `wide`."""
        return np.asarray(places % len(self.layouts))

    @property
    def formats(self) -> Ints:
        """The number of the engine and format of each service."""
        keys = [(one.engine, one.expert_precision) for one in self.asked.services]
        numbers = {key: at for at, key in enumerate(dict.fromkeys(keys))}
        return np.array([numbers[key] for key in keys])

    def scales(self, mode: Callable[[Service], Service]) -> dict[str, Floats]:
        """What multiplies the parts of each metric, for each service in a mode [services, parts]."""
        names = [levels(mode(one), metric) for metric in METRICS for one in self.asked.services]
        found = np.exp(self.known.hierarchy.multipliers(names))
        return dict(zip(METRICS, np.split(found, len(METRICS)), strict=True))


def as_together(one: Service) -> Service:
    """A service whose workers do both."""
    return one


def as_apart(one: Service) -> Service:
    """A service whose prompts have workers of their own."""
    return replace(one, disaggregated=True)


def as_prompts(one: Service) -> Service:
    """The prompts of a service alone."""
    return replace(one, kind="prefill", drafted=0, assumed=())


def bench_of(asked: Asked, known: Calibrated) -> Bench:
    """The layouts of the space, with pipelines too where no node holds the model.

    Raises Unpredictable where a rate of the accelerator is missing.
    """
    model = asked.first.model
    bench = Bench.of(asked, known, layouts(model, asked.reach))
    inside = bench.wide.ranks <= asked.reach.node
    if (bench.holds[inside] >= 1).any():
        return bench
    return Bench.of(asked, known, layouts(model, asked.reach, (1, *STAGES)))


def drawn(wall: float, seconds: Floats, compute: Bools) -> Floats:
    """Watts of an accelerator that spends its time so [parts, N], as `power.watts` has them; `wall` is its
    power at full load.
    """
    unit = np.eye(len(PARTS))
    tables = [
        np.array([sum(DRAW[kind] * time for kind, time in by_limit(row, bound).items()) for row in unit])
        for bound in (False, True)
    ]
    share = np.where(compute, tables[1] @ seconds, tables[0] @ seconds) / seconds.sum(axis=0)
    return np.asarray(wall * (IDLE_SHARE + (1 - IDLE_SHARE) * np.minimum(1.0, share)))
