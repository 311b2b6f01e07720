"""What a search of serving configurations varies: layouts, requests that run, counts of workers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.workloads.language import LanguageModel
from gigawright.workloads.serving.service import Layout
from gigawright.workloads.serving.sizes import MOST_SEQUENCES

MOST_RANKS = 144
"""Accelerators of the widest worker: those that decode in DeepSeek's own deployment (18 nodes of 8, DeepSeek
open-infra index, day 6, 2025-03-01)."""

MOST_DEPLOYED = 256
"""Accelerators of a unit of prompt and decode workers where no number is told; assumption: DeepSeek's units
have 32 and 144."""

NODES = (1, 2, 3, 4, 6, 8, 9, 12, 16, 18)
"""Nodes over which experts are spread, beside powers of two of accelerators."""

REDUNDANT = 0.125
"""Most experts that are copied to fill all ranks, over all: 32 of 256 in DeepSeek's deployment
(arXiv:2412.19437, section 3.4)."""

MOST_TENSOR, MOST_TENSOR_REPLICATED = 64, 16
"""Accelerators of the widest tensor group: alone, and of one of several attention replicas."""

NODES_OF_TENSOR = 2
"""Nodes over which a tensor group may reach; assumption: beyond two all-reduces take most of a step."""

STAGES = (2, 4, 8)
"""Pipeline stages that are tried where a model fits no other way."""

LEAST_SHARD = 64
"""Columns of an expert's shard below which kernels cannot split it; assumption: half of a block of 128, to
which 8-bit formats scale."""

STEP, STEP_APART, STEP_ENGINES = 1.1, 1.15, 1.5
"""Ratio of neighbouring numbers of running requests: of aggregated workers, where the largest within the
limits is added; of those that only decode; and of a first look at engines."""

MARGINS = (1.0, 1.3, 1.7, 2.5, 4.0)
"""Prompt workers over those that keep up with decoding: more of them shorten the wait for a first token."""

MULTIPLES = 8
"""Workers of one side of a disaggregated unit that are tried before the fitting multiples."""


@dataclass(frozen=True)
class Reach:
    """How far workers may spread: accelerators of a node (or scale-up domain), of a worker, of all in use."""

    node: int
    worker: int
    deployed: int


def layouts(model: LanguageModel, reach: Reach, stages: Sequence[int] = (1,)) -> list[Layout]:
    """Layouts of one worker: tensor groups, for models with experts also attention replicas over all ranks.

    >>> from gigawright.workloads.architecture import language_model
    >>> [one.tensor for one in layouts(language_model("llama-3.1-70b"), Reach(8, 16, 16))]
    [1, 2, 4, 8, 16]
    """
    found: dict[Layout, None] = {}
    for tensor, stage in product(_tensors(model, reach), stages):
        if tensor * stage <= reach.worker and stage <= model.layers:
            found |= dict.fromkeys(_of_tensor(model, tensor, stage))
    if model.is_moe and 1 in stages:
        found |= dict.fromkeys(_replicated(model, reach))
    return list(found)


def _tensors(model: LanguageModel, reach: Reach) -> list[int]:
    most = min(reach.worker, NODES_OF_TENSOR * reach.node, MOST_TENSOR)
    return [size for size in _powers(most) if model.heads % size == 0]


def _powers(most: int) -> list[int]:
    return [1 << bits for bits in range(max(1, most).bit_length())]


def _of_tensor(model: LanguageModel, tensor: int, stage: int) -> Iterable[Layout]:
    """Every expert split over the group, or whole experts."""
    if not model.is_moe or (model.moe_ffn % tensor == 0 and model.moe_ffn // tensor >= LEAST_SHARD):
        yield Layout(tensor=tensor, pipeline=stage, expert_tensor=tensor)
    if model.is_moe and 1 < tensor <= model.experts:
        yield Layout(tensor=tensor, pipeline=stage, expert=tensor)


def _replicated(model: LanguageModel, reach: Reach) -> Iterable[Layout]:
    """Attention replicas whose ranks share out whole experts."""
    most = min(reach.worker, MOST_RANKS, model.experts)
    ranks = {*_powers(most), *(reach.node * nodes for nodes in NODES if reach.node * nodes <= most)}
    even = [count for count in sorted(ranks) if _copies(model.experts, count) <= REDUNDANT]
    for count, tensor in product(even, _tensors(model, reach)):
        if tensor <= min(reach.node, MOST_TENSOR_REPLICATED) and count % tensor == 0 and count // tensor > 1:
            yield Layout(tensor=tensor, data=count // tensor, expert=count)


def _copies(experts: int, ranks: int) -> float:
    """Share of experts that are copied so that each rank has as many."""
    return -(-experts // ranks) * ranks / experts - 1


def loads(holds: Floats, step: float = STEP) -> tuple[Ints, Floats]:
    """Whole numbers of running requests that memory holds, in ratios of `step`: places in `holds`, numbers.

    >>> places, running = loads(np.array([3.9, 0.5, 1.0]))
    >>> places.tolist(), running.tolist()
    ([0, 0, 0, 2], [1.0, 2.0, 3.0, 1.0])
    """
    most = np.floor(np.minimum(holds, MOST_SEQUENCES))
    top = max(1.0, float(most.max(initial=1.0)))
    grid = np.unique(np.floor(step ** np.arange(int(np.log(top) / np.log(step)) + 2)))
    inside = grid[None, :] < most[:, None]
    places, columns = np.nonzero(inside)
    fitting = np.flatnonzero(most >= 1)
    both = np.concatenate([places, fitting]), np.concatenate([grid[columns], most[fitting]])
    order = np.lexsort((both[1], both[0]))
    return np.asarray(both[0][order]), np.asarray(both[1][order])


def balanced(ratio: Floats, prompt_size: Floats, decode_size: Floats, most: int) -> tuple[Floats, Floats]:
    """Whole numbers of prompt and decode workers so that no decode worker waits, with the fewest accelerators
    a request; zeros where not even the least unit has `most` accelerators.

    `ratio` is that of prompt to decode workers at which both serve as many requests a second; prompt workers
    are rounded up, and of all numbers of decode workers the one is taken that rounds least away.

    >>> sizes = np.array([8.0]), np.array([16.0])
    >>> [count.tolist() for count in balanced(np.array([2 / 3]), *sizes, 256)]
    [[2.0], [3.0]]
    """
    best = np.full(len(ratio), np.inf)
    prompts, decoders = np.zeros(len(ratio)), np.zeros(len(ratio))
    fixed = [np.full(len(ratio), float(count)) for count in range(1, MULTIPLES + 1)]
    most_each = [np.floor(count / ratio * (1 + 1e-9)) for count in range(1, MULTIPLES // 2 + 1)]
    fitting = [np.maximum(1.0, count) for count in most_each]
    for count in (*fixed, *fitting):
        needed = np.maximum(1.0, np.ceil(ratio * count * (1 - 1e-9)))
        whole = needed * prompt_size + count * decode_size
        cost = np.where(whole <= most, whole / count, np.inf)
        better = cost < best * (1 - 1e-9)
        best = np.where(better, cost, best)
        prompts, decoders = np.where(better, needed, prompts), np.where(better, count, decoders)
    return prompts, decoders
