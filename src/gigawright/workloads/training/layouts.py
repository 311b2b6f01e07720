"""Layouts as arrays, one element a run or a candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from gigawright.arrays import Floats
from gigawright.workloads.training.run import Layout, Recompute, Run

ROUNDING = 1e-9
"""Slack for quotients of floating-point numbers."""

RECOMPUTES: tuple[Recompute, ...] = ("none", "selective", "full", "auto")

RECOMPUTE_CODES: Mapping[str, float] = {name: float(code) for code, name in enumerate(RECOMPUTES)}
"""Recomputation as a number, as `Layouts.recompute` has it."""


@dataclass(frozen=True)
class Layouts:
    """Layouts as `run.Layout` describes them, and the batch they work on [sequences]; one element each."""

    tensor: Floats
    pipeline: Floats
    data: Floats
    context: Floats
    expert: Floats
    chunks: Floats
    micro_batch: Floats
    zero: Floats
    shard: Floats
    recompute: Floats
    sequence_parallel: Floats
    overlap_tensor: Floats
    overlap_pipeline: Floats
    overlap_data: Floats
    offload: Floats
    zero_bubble: Floats
    dropped: Floats
    batch: Floats

    @property
    def accelerators(self) -> Floats:
        """Accelerators a layout needs."""
        return self.tensor * self.pipeline * self.data * self.context

    @property
    def micro_batches(self) -> Floats:
        """Micro-batches that the busiest pipeline works through in a step, at least 1."""
        return np.maximum(1.0, np.ceil(self.batch / (self.data * self.micro_batch) - ROUNDING))

    @property
    def ranks(self) -> Floats:
        """Accelerators that share the same dense weights: data x context ranks."""
        return self.data * self.context

    @property
    def shards(self) -> Floats:
        """Ranks over which states are sharded."""
        return np.where(self.shard > 0, np.minimum(self.shard, self.data) * self.context, self.ranks)

    def take(self, rows: slice | Sequence[int]) -> Layouts:
        """These layouts alone."""
        return Layouts(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def layouts(runs: Sequence[Run]) -> Layouts:
    """The layouts of runs as arrays [runs]; each run must have one.

    >>> from gigawright.workloads.training.examples import llama_run
    >>> layouts([llama_run()]).micro_batches
    array([16.])
    """
    rows = [layout_row(run.layout or Layout(), run.batch, dropped=run.dropped) for run in runs]
    return Layouts(*np.array(rows).T)


def layout_row(layout: Layout, batch: float, *, dropped: bool = False) -> tuple[float, ...]:
    """A layout in the order of the fields of `Layouts`."""
    return (
        layout.tensor,
        layout.pipeline,
        layout.data,
        layout.context,
        layout.expert,
        layout.chunks,
        layout.micro_batch,
        layout.zero,
        layout.shard,
        RECOMPUTE_CODES[layout.recompute],
        float(layout.sequence_parallel),
        float(layout.overlap_tensor),
        float(layout.overlap_pipeline),
        float(layout.overlap_data),
        float(layout.offload),
        float(layout.schedule == "zero-bubble"),
        float(dropped),
        batch,
    )
