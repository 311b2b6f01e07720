"""Every layout a run could have: sizes of groups, micro-batches, chunks, and what is switched on or off."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import product

import numpy as np

from gigawright.arrays import Bools, Floats
from gigawright.workloads.training.layouts import RECOMPUTE_CODES, Layouts
from gigawright.workloads.training.run import Run

MAX_CONTEXT = 32
"""Most accelerators in a context group; published runs use up to 16."""

LONG_TOKENS = 16384
"""Sequence length from which context parallelism is tried [tokens]; Llama 3 405B uses it at 131,072."""


@dataclass(frozen=True)
class Space:
    """What a search may vary; sizes of groups follow from the run."""

    recompute: tuple[str, ...] = ("none", "selective", "full")
    zero: tuple[int, ...] = (0, 1, 2, 3)
    sequence_parallel: tuple[bool, ...] = (True, False)
    overlap_tensor: tuple[bool, ...] = (True, False)
    overlap_pipeline: tuple[bool, ...] = (True, False)
    overlap_data: tuple[bool, ...] = (True, False)
    offload: tuple[bool, ...] = (False, True)
    zero_bubble: tuple[bool, ...] = (False, True)
    max_tensor: int = 64
    max_pipeline: int = 128
    max_micro_batch: int = 64


QUICK = Space(
    recompute=("auto",),
    zero=(1, 3),
    sequence_parallel=(True,),
    overlap_tensor=(True,),
    overlap_pipeline=(True,),
    overlap_data=(True,),
    offload=(False,),
    zero_bubble=(False,),
    max_tensor=16,
    max_pipeline=64,
    max_micro_batch=8,
)
"""What published runs usually switch on, for a run whose layout is not given and for plans."""


def candidates(run: Run, space: Space) -> Layouts:
    """Every layout of the space that uses all accelerators of the run and has work for each; empty arrays if
    none.

    >>> from gigawright.workloads.training.examples import llama_run
    >>> found = candidates(llama_run(), QUICK)
    >>> bool((found.accelerators == 16384).all())
    True
    """
    sizes = _sizes(run, space)
    switches = _switches(space, run)
    repeated = np.repeat(sizes, len(switches), axis=0)
    tiled = np.tile(switches, (len(sizes), 1))
    columns = dict(zip(SIZES, repeated.T, strict=True)) | dict(zip(SWITCHES, tiled.T, strict=True))
    useful = _useful(columns)
    constant = {"shard": 0.0, "dropped": float(run.dropped), "batch": float(run.batch)}
    rows = int(useful.sum())
    chosen = {name: column[useful] for name, column in columns.items()}
    chosen |= {name: np.full(rows, value) for name, value in constant.items()}
    return Layouts(**{field.name: chosen[field.name] for field in fields(Layouts)})


SIZES = ("tensor", "pipeline", "data", "context", "expert", "chunks", "micro_batch")
SWITCHES = (
    "zero", "recompute", "sequence_parallel", "overlap_tensor", "overlap_pipeline", "overlap_data", "offload",
    "zero_bubble",
)  # fmt: skip


def _switches(space: Space, run: Run) -> Floats:
    codes = [RECOMPUTE_CODES[name] for name in space.recompute]
    rows = product(
        space.zero,
        codes,
        space.sequence_parallel,
        space.overlap_tensor,
        space.overlap_pipeline,
        space.overlap_data,
        space.offload,
        space.zero_bubble,
    )
    return np.array(list(rows), dtype=float)


def _useful(columns: dict[str, Floats]) -> Bools:
    """Leaves out what changes nothing: switches of groups of one, and chunks of a zero-bubble schedule."""
    alone = columns["tensor"] * columns["context"] * columns["expert"] == 1
    single = columns["tensor"] == 1
    staged = columns["pipeline"] > 1
    keep = ~(single & (columns["sequence_parallel"] == 0))
    keep &= ~(alone & (columns["overlap_tensor"] == 0))
    keep &= ~(~staged & ((columns["overlap_pipeline"] == 0) | (columns["zero_bubble"] == 1)))
    keep &= ~((columns["zero_bubble"] == 1) & (columns["chunks"] > 1))
    keep &= ~(
        (columns["data"] * columns["context"] == 1) & ((columns["zero"] > 0) | (columns["overlap_data"] == 0))
    )
    return np.asarray(keep)


def _sizes(run: Run, space: Space) -> Floats:
    """Rows of `SIZES`: groups that multiply to the accelerators, micro-batches that divide the batch."""
    model, count = run.model, run.accelerators
    rows: list[tuple[int, ...]] = []
    for tensor in _tensors(run, space):
        for pipeline in _divisors(count // tensor, min(space.max_pipeline, model.layers)):
            for context in _contexts(run, count // tensor // pipeline):
                data = count // (tensor * pipeline * context)
                for expert in _expert_groups(run, tensor * data * context):
                    for micro in _micro_batches(run.batch, data, space.max_micro_batch):
                        chunks = _chunks(model.layers, pipeline)
                        rows += [(tensor, pipeline, data, context, expert, v, micro) for v in chunks]
    return np.array(rows, dtype=float).reshape(-1, len(SIZES))


def _tensors(run: Run, space: Space) -> list[int]:
    """Powers of two that divide the accelerators, within the scale-up domain and the heads."""
    domain = max(1, run.chip.scaleup_domain) if run.chip.scaleup_gbs else 8
    most = min(space.max_tensor, domain, run.model.heads, run.accelerators)
    return [size for size in _powers(most) if run.accelerators % size == 0]


def _contexts(run: Run, left: int) -> list[int]:
    if run.seq_len < LONG_TOKENS:
        return [1]
    return [size for size in _powers(min(MAX_CONTEXT, left)) if left % size == 0]


def _expert_groups(run: Run, ranks: int) -> list[int]:
    if not run.model.is_moe:
        return [1]
    most = min(run.model.experts, ranks)
    return [size for size in _powers(most) if run.model.experts % size == 0 and ranks % size == 0]


def _micro_batches(batch: int, data: int, most: int) -> list[int]:
    """Sequences of a micro-batch that divide a rank's share; one where ranks outnumber sequences."""
    share = batch // data
    if share * data != batch:
        return [1] if share else []
    return _divisors(share, most)


def _chunks(layers: int, pipeline: int) -> list[int]:
    """Chunks a stage may hold: divisors of its layers, rounded up."""
    if pipeline == 1:
        return [1]
    return _divisors(-(-layers // pipeline), layers)


def _powers(most: int) -> list[int]:
    return [1 << power for power in range(int(most).bit_length()) if 1 << power <= most]


def _divisors(number: int, most: int) -> list[int]:
    return [size for size in range(1, min(number, most) + 1) if number % size == 0]
