"""Evaluates every candidate layout of a run: seconds by part, memory, and whether it fits.

Micro-batches are worked out once for each kind of group and gathered; candidates go through in blocks that
stay in the processor's cache, on all its cores.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields

import numpy as np

from gigawright.arrays import Bools, Floats, Ints
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.training.candidates import Space, candidates
from gigawright.workloads.training.constants import Constants
from gigawright.workloads.training.layouts import Layouts
from gigawright.workloads.training.machine import machines
from gigawright.workloads.training.memory import Memory
from gigawright.workloads.training.operators import micro
from gigawright.workloads.training.run import Layout, Recompute, Run
from gigawright.workloads.training.shapes import shapes
from gigawright.workloads.training.step import PARTS, step

BLOCK = 8192
"""Candidates evaluated at once: some fifty arrays of this length fit a core's cache."""

MICRO_FIELDS = ("tensor", "context", "expert", "micro_batch", "sequence_parallel")
"""What the seconds of a micro-batch depend on."""

NAMES: tuple[Recompute, ...] = ("none", "selective", "full", "auto")


@dataclass(frozen=True)
class Evaluated:
    """Candidates and what they come to: seconds of a step, bytes on the fullest accelerator, and whether they
    fit.
    """

    run: Run
    layouts: Layouts
    seconds: Floats
    memory: Floats
    fits: Bools

    def best(self, count: int = 1) -> Ints:
        """Places of the fastest candidates that fit, fastest first."""
        seconds = np.where(self.fits, self.seconds, np.inf)
        count = min(count, int(self.fits.sum()))
        some = np.argpartition(seconds, count - 1)[:count] if count else np.array([], dtype=int)
        return np.asarray(some[np.argsort(seconds[some], kind="stable")])

    def layout(self, place: int) -> Layout:
        """One candidate."""
        return layout_at(self.layouts, place)


def layout_at(found: Layouts, place: int) -> Layout:
    """One element of the arrays as a layout."""
    value = {field.name: getattr(found, field.name)[place] for field in fields(found)}
    return Layout(
        tensor=int(value["tensor"]),
        pipeline=int(value["pipeline"]),
        data=int(value["data"]),
        context=int(value["context"]),
        expert=int(value["expert"]),
        chunks=int(value["chunks"]),
        micro_batch=int(value["micro_batch"]),
        zero=int(value["zero"]),
        shard=int(value["shard"]),
        sequence_parallel=bool(value["sequence_parallel"]),
        overlap_tensor=bool(value["overlap_tensor"]),
        overlap_pipeline=bool(value["overlap_pipeline"]),
        overlap_data=bool(value["overlap_data"]),
        offload=bool(value["offload"]),
        recompute=NAMES[int(value["recompute"])],
        schedule="zero-bubble" if value["zero_bubble"] else "1f1b",
    )


def evaluate(
    run: Run,
    space: Space,
    c: Constants,
    multipliers: Floats | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluated:
    """Every candidate of a run; `multipliers` are the logarithms by which calibration scales the parts.

    Raises Unpredictable where the space is empty. Peak memory is some tens of numbers a candidate.
    """
    found = candidates(run, space)
    count = len(found.tensor)
    if not count:
        raise Unpredictable(
            f"not feasible: no layout spreads {run.batch:,} sequences over {run.accelerators:,} accelerators"
        )
    shape, machine = shapes([run]), machines([run])
    groups, places = _kinds(found)
    table = micro(shape, machine, groups, c)
    factor = np.exp(np.zeros(len(PARTS)) if multipliers is None else multipliers)[:, None]
    seconds, memory = np.empty(count), np.empty(count)

    def work(first: int) -> int:
        rows = slice(first, min(first + BLOCK, count))
        done = step(shape, machine, found.take(rows), c, table.take(places[rows]))
        seconds[rows] = (done.parts * factor).sum(axis=0)
        memory[rows] = done.memory.total
        return rows.stop

    _all(work, range(0, count, BLOCK), count, progress)
    fits = memory <= machine.memory[0] * c.memory_used
    return Evaluated(run, found, seconds, memory, fits)


def _all(
    work: Callable[[int], int], starts: range, count: int, progress: Callable[[int, int], None] | None
) -> None:
    """Blocks on all cores; NumPy lets go of the interpreter while it works."""
    if len(starts) == 1:
        work(starts[0])
        return
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for done in pool.map(work, starts):
            if progress is not None:
                progress(done, count)


def _kinds(found: Layouts) -> tuple[Layouts, Ints]:
    """Layouts that differ in what a micro-batch depends on, and where each candidate's own is among them."""
    key = np.zeros(len(found.tensor), dtype=np.int64)
    for name in MICRO_FIELDS:
        key = key * 4096 + getattr(found, name).astype(np.int64)
    _, first, places = np.unique(key, return_index=True, return_inverse=True)
    return Layouts(**{field.name: getattr(found, field.name)[first] for field in fields(found)}), places


def breakdown(run: Run, c: Constants, multipliers: Floats | None = None) -> tuple[Floats, float, Memory]:
    """Seconds of a step by part [parts], those of waiting in the pipeline, and memory, of a run with a
    layout.
    """
    from gigawright.workloads.training.layouts import layouts

    done = step(shapes([run]), machines([run]), layouts([run]), c)
    factor = np.exp(np.zeros(len(PARTS)) if multipliers is None else multipliers)
    parts = done.parts[:, 0] * factor
    waiting = float(done.bubble[0] * parts.sum() / done.seconds[0])
    return parts, waiting, done.memory
