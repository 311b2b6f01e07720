"""Predicts images, videos and transcripts with the calibrated model: seconds an item, interval, limit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.workloads.calibrated import Calibrated, shipped
from gigawright.workloads.calibrating import scaled
from gigawright.workloads.generation.constants import PRIORS
from gigawright.workloads.generation.cost import PARTS, parts
from gigawright.workloads.generation.load import Ready, loads, ready
from gigawright.workloads.generation.task import Task
from gigawright.workloads.hierarchy import UNSEEN
from gigawright.workloads.performance import Limit, Unpredictable

FAMILY = "generation"
"""Name of the calibration's files."""

KINDS = ("vendor", "generation", "chip", "software", "model")
"""Kinds of level."""

CLASSES = ("image", "video", "speech")
"""Kinds of noise: what a model makes."""

LIMITS: Mapping[str, Limit] = {
    "products": "compute",
    "attention": "compute",
    "memory": "memory bandwidth",
    "network": "network",
    "host": "overhead",
    "decoding": "compute",
}
"""What a part of an item's time is limited by, in the words of every prediction."""


@dataclass(frozen=True)
class Predicted:
    """Seconds an item in its group, with the 10th and 90th percentile of that; seconds by part.

    Where `refused` says why, the numbers are nan.
    """

    task: Task
    item_s: float = np.nan
    item_s_p10: float = np.nan
    item_s_p90: float = np.nan
    limited_by: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    flops: float = np.nan
    batch: float = 0.0
    assumed: tuple[str, ...] = ()
    refused: str = ""


@lru_cache(maxsize=1)
def calibration() -> Calibrated:
    """The calibration that ships with the package.

    >>> calibration().parts == PARTS
    True
    """
    return shipped(FAMILY, PRIORS)


def levels(task: Task) -> tuple[str, ...]:
    """The level of each kind that a task belongs to; unknown software is a level that none has."""
    chip = task.chip
    generation = f"{chip.vendor} {chip.generation or chip.name}"
    return chip.vendor, generation, chip.id, software_of(task.software) or UNSEEN, shape_of(task.model.id)


def shape_of(model_id: str) -> str:
    """What models share that differ in their training alone: the id without its setting and its task.

    >>> shape_of("wan2.2-i2v-a14b@720p-81f"), shape_of("flux.1-schnell@1024")
    ('wan2.2-a14b', 'flux.1')
    """
    return re.sub(r"-(?:t2v|i2v|ti2v|vace|dev|schnell)\b", "", model_id.split("@")[0])


def software_of(text: str) -> str:
    """A software without its release: the letters of its first word.

    >>> software_of("TensorRT 10.11, CUDA 12.8"), software_of("Wan2.2 FSDP+Ulysses"), software_of("xDiT")
    ('tensorrt', 'wan', 'xdit')
    """
    found = re.match(r"[^\w]*([a-z]+)", text.lower())
    return found[1] if found else ""


def predict_task(task: Task, known: Calibrated | None = None) -> Predicted:
    """One task."""
    return predict_tasks([task], known)[0]


def predict_tasks(tasks: Sequence[Task], known: Calibrated | None = None) -> list[Predicted]:
    """Tasks at once, in order; those that cannot be predicted say why."""
    found = known or calibration()
    tried = [_ready(task) for task in tasks]
    good = [one for one in tried if isinstance(one, Ready)]
    done = iter(_predict(good, found))
    return [next(done) if isinstance(one, Ready) else one for one in tried]


def _ready(task: Task) -> Ready | Predicted:
    try:
        return ready(task)
    except Unpredictable as reason:
        return Predicted(task, refused=str(reason))


def classes_of(tasks: Sequence[Task]) -> Ints:
    """The place in `CLASSES` of each task."""
    return np.array([CLASSES.index(task.model.kind) for task in tasks], dtype=np.int64)


def _predict(rows: list[Ready], known: Calibrated) -> list[Predicted]:
    if not rows:
        return []
    tasks = [row.task for row in rows]
    names = [levels(task) for task in tasks]
    by_part = parts(loads(rows), known.constants)
    multipliers = known.hierarchy.multipliers(names)
    logs, shares = scaled(by_part, multipliers)
    half = known.half_width(names, shares, classes_of(tasks))
    return [_told(row, logs[at], half[at], shares[at]) for at, row in enumerate(rows)]


def _told(row: Ready, log: float, half: float, shares: Floats) -> Predicted:
    total = float(np.exp(log))
    seconds = {name: float(share) * total for name, share in zip(PARTS, shares, strict=True)}
    spent = by_limit(seconds)
    limit: str = max(spent, key=lambda kind: spent[kind])
    if row.moved_in and seconds["host"] > 0.5 * total:
        limit = "memory capacity"
    return Predicted(
        task=row.task,
        item_s=total,
        item_s_p10=total * float(np.exp(-half)),
        item_s_p90=total * float(np.exp(half)),
        limited_by=limit,
        seconds=seconds,
        flops=(row.main.flops() * row.task.split.sequence * min(row.task.split.cfg, 2) + row.decoder.flops())
        / row.batch,
        batch=row.batch,
        assumed=tuple(dict.fromkeys((*row.task.assumed, *row.assumed))),
    )


def by_limit(seconds: Mapping[str, float]) -> dict[Limit, float]:
    """Seconds of an item's parts by what limits them."""
    spent: dict[Limit, float] = {}
    for part, value in seconds.items():
        spent[LIMITS[part]] = spent.get(LIMITS[part], 0.0) + value
    return spent
