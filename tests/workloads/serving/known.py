"""A calibration by hand: every constant at its prior, two engines measured on Hopper, one elsewhere."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gigawright.workloads.calibrated import Calibrated
from gigawright.workloads.hierarchy import Hierarchy, Observations
from gigawright.workloads.serving.constants import PRIORS
from gigawright.workloads.serving.levels import KINDS, SPREADS
from gigawright.workloads.serving.load import PARTS
from gigawright.workloads.serving.measured import CLASSES, NOISES

ROWS = 30
"""Measurements of each engine: enough to count as known on its chips."""

ENGINES = {
    "vllm": ("NVIDIA Hopper", 0.05),
    "sglang": ("NVIDIA Hopper", -0.2),
    "gaudi": ("Intel Gaudi 3", 0.1),
}
"""Generation on which an engine is measured, and the logarithm by which its rows are slower."""


@lru_cache(maxsize=1)
def calibration() -> Calibrated:
    """The calibration; it rests on nothing that a refit changes."""
    rows = [(engine, *told) for engine, told in ENGINES.items() for _ in range(ROWS)]
    levels = [_levels(engine, generation) for engine, generation, _ in rows]
    known = Observations(
        levels=levels,
        shares=np.full((len(rows), len(PARTS)), 1 / len(PARTS)),
        residual=np.array([slower for _, _, slower in rows]),
        noise=np.full(len(rows), 0.01),
    )
    variances = np.outer(np.array(SPREADS) ** 2, np.ones(len(PARTS)))
    return Calibrated(
        kinds=KINDS,
        parts=PARTS,
        classes=CLASSES,
        constants={name: prior.value for name, prior in PRIORS.items()},
        hierarchy=Hierarchy(variances, known),
        noises=np.array(NOISES),
        scales=np.ones((2, len(CLASSES))),
    )


def _levels(engine: str, generation: str) -> tuple[str, ...]:
    own = {"generation": generation, "engine": engine, "engine on generation": f"{engine} {generation}"}
    return tuple(own.get(kind, "") for kind in KINDS)
