"""What a prediction answers: a phase of a workload on a system, its pace, its power and what limits it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from gigawright.catalogue.types import System
from gigawright.workloads.units import UNITS

Limit = Literal[
    "",
    "compute",
    "memory bandwidth",
    "memory capacity",
    "network",
    "random access",
    "overhead",
    "pipeline",
    "latency limit",
]


@dataclass(frozen=True)
class Phase:
    """A part of a workload that is planned by itself; `profile` is flat for batch work, daily for users'."""

    name: str
    workload: str
    group: str
    family: str
    unit: str
    profile: Literal["flat", "daily"]

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"unit {self.unit!r} is none of {', '.join(UNITS)}")


@dataclass(frozen=True)
class PhasePerformance:
    """Pace of one accelerator of a system at one phase, at full load, without failures or headroom.

    `work_per_s` counts the phase's unit and is 0 where the pairing is `refused`. `watts` is wall power an
    accelerator, host and fans included, facility overhead not. `note` says what was put in place of what
    was asked (a precision the accelerator lacks, a shape that is assumed).
    """

    phase: str
    system: str
    work_per_s: float
    watts: float
    limited_by: Limit
    refused: str = ""
    note: str = ""
    details: Mapping[str, float] = field(default_factory=dict)


class Unpredictable(Exception):
    """Raised inside a prediction; becomes `refused` of its answer and never leaves this package."""


def answer(phase: str, system: System, predict: Callable[[], PhasePerformance]) -> PhasePerformance:
    """The prediction, or one refused with the reason that it raised."""
    try:
        return predict()
    except Unpredictable as reason:
        return refused(phase, system.id, str(reason))


def refused(phase: str, system: str, reason: str) -> PhasePerformance:
    """An answer that says why there is none.

    >>> refused("decode", "x", "not predictable: missing memory bandwidth").work_per_s
    0.0
    """
    return PhasePerformance(phase, system, 0.0, 0.0, "", refused=reason)


def joined(*notes: str) -> str:
    """The notes that say something, in one line.

    >>> joined("fp16 instead", "", "shape assumed")
    'fp16 instead; shape assumed'
    """
    return "; ".join(note for note in notes if note)
