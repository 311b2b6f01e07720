"""Evaluates every candidate layout of a run: seconds by part, memory, and whether it fits.

Micro-batches depend on sizes alone and are worked out once; ways to switch are gone through one after
another, each over all sizes at once, on all cores.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from gigawright.arrays import Bools, Floats, Ints
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.training.candidates import SWITCHES, Grid, Space, grid
from gigawright.workloads.training.constants import Constants
from gigawright.workloads.training.layouts import RECOMPUTES, Layouts
from gigawright.workloads.training.machine import Machines, machines
from gigawright.workloads.training.memory import ROUNDING, Footprint, footprint
from gigawright.workloads.training.operators import Micro, micro
from gigawright.workloads.training.run import Layout, Run
from gigawright.workloads.training.shapes import Shapes, shapes
from gigawright.workloads.training.step import PARTS, step

BLOCK = 4096
"""Sizes evaluated at once: some fifty arrays of this length fit a core's cache."""

FEW = 50_000
"""Candidates that one core has evaluated before threads have started."""


@dataclass(frozen=True)
class Evaluated:
    """Candidates and what they come to [candidates]: seconds of a step, bytes on the fullest accelerator, and
    whether they fit.
    """

    grid: Grid
    seconds: Floats
    memory: Floats
    fits: Bools

    @property
    def run(self) -> Run:
        """The run that was searched."""
        return self.grid.run

    @cached_property
    def layouts(self) -> Layouts:
        """The candidates as arrays."""
        return self.grid.layouts()

    def best(self, count: int = 1) -> Ints:
        """Places of the fastest candidates that fit, fastest first."""
        seconds = np.where(self.fits, self.seconds, np.inf)
        count = min(count, int(self.fits.sum()))
        some = np.argpartition(seconds, count - 1)[:count] if count else np.array([], dtype=int)
        return np.asarray(some[np.argsort(seconds[some], kind="stable")])

    def take(self, places: Ints) -> Layouts:
        """Some candidates as arrays, without working out all."""
        return self.grid.layouts(places)

    def layout(self, place: int) -> Layout:
        """One candidate."""
        return layout_at(self.take(np.array([place])), 0)


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
        recompute=RECOMPUTES[int(value["recompute"])],
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

    Raises Unpredictable where the space is empty.
    """
    found = grid(run, space)
    if not found.count:
        raise Unpredictable(
            f"not feasible: no layout spreads {run.batch:,} sequences over {run.accelerators:,} accelerators"
        )
    shape, machine = shapes([run]), machines([run])
    factor = np.exp(np.zeros(len(PARTS)) if multipliers is None else multipliers)
    tables = _tables(found, shape, machine, c)
    ways, sizes = found.useful.shape
    seconds, memory = np.empty((ways, sizes)), np.empty((ways, sizes))
    blocks = range(0, sizes, BLOCK)

    def work(way: int) -> int:
        for first in blocks:
            rows = slice(first, first + BLOCK)
            layout = found.part(way, rows)
            table, base = tables[first, float(layout.sequence_parallel[0])]
            done = step(shape, machine, layout, c, table, base)
            seconds[way, rows] = factor @ done.parts
            memory[way, rows] = done.memory.total
        return way + 1

    _all(work, range(ways), ways * sizes, progress)
    held = memory[found.useful]
    return Evaluated(
        found, seconds[found.useful], held, held <= machine.memory[0] * c.memory_used * (1 + ROUNDING)
    )


def _tables(
    found: Grid, shape: Shapes, machine: Machines, c: Constants
) -> dict[tuple[int, float], tuple[Micro, Footprint]]:
    """Micro-batches and footprint of each block of sizes, with and without sequence parallelism."""
    column = SWITCHES.index("sequence_parallel")
    splits = {float(value): way for way, value in enumerate(found.switches[:, column])}
    known = {}
    for first in range(0, found.sizes.shape[1], BLOCK):
        for split, way in splits.items():
            layout = found.part(way, slice(first, first + BLOCK))
            known[first, split] = micro(shape, machine, layout, c), footprint(shape, layout)
    return known


def _all(
    work: Callable[[int], int], ways: range, count: int, progress: Callable[[int, int], None] | None
) -> None:
    """Ways on all cores where there is much to do; NumPy lets go of the interpreter while it works."""
    if count < FEW:
        for way in ways:
            work(way)
        return
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for done in pool.map(work, ways):
            if progress is not None:
                progress(done * (count // len(ways)), count)
