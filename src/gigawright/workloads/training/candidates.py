"""Every layout a run could have: sizes of groups, micro-batches, chunks, and what is switched on or off."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from itertools import product

import numpy as np

from gigawright.arrays import Bools, Floats, Ints
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
    beyond_domain: bool = True
    max_tensor: int = 64
    max_pipeline: int = 128
    max_chunks: int = 1 << 16
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
    beyond_domain=False,
    max_tensor=16,
    max_pipeline=64,
    max_chunks=12,
    max_micro_batch=8,
)
"""What published runs usually switch on, for a run whose layout is not given and for plans."""


SIZES = ("tensor", "pipeline", "data", "context", "expert", "chunks", "micro_batch")
SWITCHES = (
    "zero",
    "recompute",
    "sequence_parallel",
    "overlap_tensor",
    "overlap_pipeline",
    "overlap_data",
    "offload",
    "zero_bubble",
)


@dataclass(frozen=True)
class Grid:
    """Sizes of groups [fields of `SIZES`, S], ways to switch [W, fields of `SWITCHES`], and which pairs make
    a difference [W, S]; candidates are these pairs, switches slowest.
    """

    run: Run
    sizes: Floats
    switches: Floats
    useful: Bools

    @property
    def count(self) -> int:
        """Candidates in the grid."""
        return int(self.useful.sum())

    def part(self, switch: int, rows: slice) -> Layouts:
        """Some sizes with one way to switch: arrays of sizes, switches of one element."""
        chosen = dict(zip(SIZES, self.sizes[:, rows], strict=True))
        chosen |= dict(zip(SWITCHES, self.switches[switch][:, None], strict=True))
        chosen |= {"shard": np.zeros(1), "dropped": np.array([float(self.run.dropped)])}
        return Layouts(**chosen, batch=np.array([float(self.run.batch)]))

    @cached_property
    def pairs(self) -> Ints:
        """Places in the flattened grid of the pairs that make a difference [candidates]."""
        return np.asarray(np.flatnonzero(self.useful))

    def layouts(self, places: Ints | None = None) -> Layouts:
        """The candidates at some places, or all of them, as arrays; all of a wide search fill a gigabyte."""
        switch, size = np.divmod(self.pairs if places is None else self.pairs[places], self.useful.shape[1])
        chosen = dict(zip(SIZES, self.sizes[:, size], strict=True))
        chosen |= dict(zip(SWITCHES, self.switches[switch].T, strict=True))
        constant = {"shard": 0.0, "dropped": float(self.run.dropped), "batch": float(self.run.batch)}
        chosen |= {name: np.full(len(size), value) for name, value in constant.items()}
        return Layouts(**{field.name: chosen[field.name] for field in fields(Layouts)})


def candidates(run: Run, space: Space) -> Layouts:
    """Every layout of the space that uses all accelerators of the run and has work for each; empty arrays if
    none.

    >>> from gigawright.workloads.training.examples import llama_run
    >>> found = candidates(llama_run(), QUICK)
    >>> bool((found.accelerators == 16384).all())
    True
    """
    return grid(run, space).layouts()


def grid(run: Run, space: Space) -> Grid:
    """The same as sizes, ways to switch, and which pairs of them make a difference."""
    sizes, switches = _sizes(run, space), _switches(space)
    useful = _useful(
        dict(zip(SIZES, sizes, strict=True)), dict(zip(SWITCHES, switches.T[:, :, None], strict=True))
    )
    return Grid(run, sizes, switches, useful)


def _switches(space: Space) -> Floats:
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


def _useful(size: dict[str, Floats], switch: dict[str, Floats]) -> Bools:
    """Leaves out what changes nothing: switches of groups of one, and chunks of a zero-bubble schedule."""
    single = size["tensor"] == 1
    alone = single & (size["context"] * size["expert"] == 1)
    whole = size["pipeline"] == 1
    one = size["data"] * size["context"] == 1
    idle = single & (switch["sequence_parallel"] == 0)
    idle = idle | (alone & (switch["overlap_tensor"] == 0))
    idle = idle | (whole & ((switch["overlap_pipeline"] == 0) | (switch["zero_bubble"] == 1)))
    idle = idle | ((switch["zero_bubble"] == 1) & (size["chunks"] > 1))
    idle = idle | (one & ((switch["zero"] > 0) | (switch["overlap_data"] == 0)))
    return np.asarray(~idle)


def _sizes(run: Run, space: Space) -> Floats:
    """Columns of `SIZES`: groups that multiply to the accelerators, micro-batches that divide the batch."""
    model, count = run.model, run.accelerators
    rows: list[tuple[int, ...]] = []
    for tensor in _tensors(run, space):
        for pipeline in _divisors(count // tensor, min(space.max_pipeline, model.layers)):
            for context in _contexts(run, count // tensor // pipeline):
                data = count // (tensor * pipeline * context)
                for expert in _expert_groups(run, tensor * data * context):
                    for micro in _micro_batches(run.batch, data, space.max_micro_batch):
                        chunks = _chunks(model.layers, pipeline, space.max_chunks)
                        rows += [(tensor, pipeline, data, context, expert, v, micro) for v in chunks]
    return np.ascontiguousarray(np.array(rows, dtype=float).reshape(-1, len(SIZES)).T)


def _tensors(run: Run, space: Space) -> list[int]:
    """Powers of two that divide the accelerators and the heads, in a scale-up domain or beyond."""
    domain = max(1, run.chip.scaleup_domain) if run.chip.scaleup_gbs else 8
    most = min(space.max_tensor, run.model.heads, run.accelerators)
    most = most if space.beyond_domain else min(most, domain)
    return [size for size in _powers(most) if run.accelerators % size == 0 == run.model.heads % size]


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
    """Sequences of a micro-batch that divide a rank's share; one where shares are uneven."""
    share = batch // data
    if share * data != batch:
        return [1] if share else []
    return _divisors(share, most)


def _chunks(layers: int, pipeline: int, most: int) -> list[int]:
    """Chunks a stage may hold: divisors of its layers, rounded up."""
    if pipeline == 1:
        return [1]
    return _divisors(-(-layers // pipeline), most)


def _powers(most: int) -> list[int]:
    return [1 << power for power in range(int(most).bit_length()) if 1 << power <= most]


def _divisors(number: int, most: int) -> list[int]:
    return [size for size in range(1, min(number, most) + 1) if number % size == 0]
