"""Measured services as a problem to fit: what each row measured, and the folds it is left out with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gigawright.arrays import Bools, Floats, Ints
from gigawright.workloads.calibrating import Problem
from gigawright.workloads.serving.constants import PRIORS
from gigawright.workloads.serving.levels import KINDS, SPREADS, is_apart, levels
from gigawright.workloads.serving.load import (
    PARTS,
    Deployment,
    Felt,
    felt,
    prompt_seconds,
    token_seconds,
)
from gigawright.workloads.serving.service import Service
from gigawright.workloads.serving.sizes import sizes

METRICS = ("ttft", "tpot", "pace")
"""What is measured of a service: seconds to the first token, for each further one, and output tokens a second
and accelerator (as seconds of an accelerator a token).
"""

CLASSES = ("tpot", "ttft", "tpot apart", "ttft apart", "pace", "tpot unsure")
"""Classes of noise."""

NOISES = (0.08, 0.25, 0.20, 0.5, 0.15, 0.4)
"""Standard deviation of a measurement by class before anything is fitted; assumption: benchmarks repeat to
some per cent, first tokens depend on how requests arrive, and disaggregated rows do not tell their workers.
"""


STRENGTH = 60.0
"""Levels or rows that the prior of a spread counts as. Set with errors of models left out in view: weaker
priors let odd tables speak for all models.
"""


@dataclass(frozen=True)
class Measured:
    """A measurement: a service, what was measured of it, and the seconds."""

    key: str
    service: Service
    metric: str
    seconds: float


@dataclass(frozen=True)
class Asked:
    """Services as arrays, and for each measurement the place of its service and its metric."""

    services: Deployment
    prompts: Bools
    service: Ints
    metric: Ints

    @classmethod
    def of(cls, measured: Sequence[Measured]) -> Asked:
        """Arrays of measurements; services that occur twice count once."""
        places: dict[int, int] = {}
        services: list[Service] = []
        for one in measured:
            if id(one.service) not in places:
                places[id(one.service)] = len(services)
                services.append(one.service)
        return cls(
            deployment(services),
            np.array([one.kind == "prefill" for one in services]),
            np.array([places[id(one.service)] for one in measured]),
            np.array([METRICS.index(one.metric) for one in measured]),
        )

    def seconds(self, constants: Mapping[str, float], rows: Ints) -> Floats:
        """Seconds of measurements by part [parts, rows]."""
        wanted, back = np.unique(self.service[rows], return_inverse=True)
        found = metrics(self.services.take(wanted), self.prompts[wanted], constants)
        return found[self.metric[rows], :, back].T


def deployment(services: Sequence[Service]) -> Deployment:
    """Services with layouts as arrays."""
    apart = np.array([is_apart(one) or one.kind == "decode" for one in services])
    return Deployment(sizes(services), sizes(services, prompts=True), apart)


def metrics(d: Deployment, prompts: Bools, c: Mapping[str, float], found: Felt | None = None) -> Floats:
    """All metrics of services [metrics, parts, services]; `prompts` tells whose pace is that of prompts."""
    times = found or felt(d, c)
    pace = np.where(prompts, prompt_seconds(d, c), token_seconds(d, times))
    return np.stack([times.first, times.further, pace])


def problem(measured: Sequence[Measured]) -> Problem:
    """The measurements as a problem to fit."""
    asked = Asked.of(measured)
    return Problem(
        priors=PRIORS,
        parts=PARTS,
        kinds=KINDS,
        predict=asked.seconds,
        measured=np.log([one.seconds for one in measured]),
        levels=[levels(one.service, one.metric) for one in measured],
        noise_class=np.array([noise_class(one.service, one.metric) for one in measured]),
        spreads=SPREADS,
        noises=NOISES,
        strength=STRENGTH,
    )


def noise_class(one: Service, metric: str) -> int:
    """The place in `CLASSES`."""
    if metric == "tpot" and UNSURE in one.assumed:
        return CLASSES.index("tpot unsure")
    return CLASSES.index(metric if metric == "pace" else metric + (" apart" if is_apart(one) else ""))


UNSURE = "drafted"
"""An input that is assumed where a table does not tell whether tokens were drafted: times may be half."""
