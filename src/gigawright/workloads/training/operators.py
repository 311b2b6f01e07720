"""Seconds of a micro-batch's operators on one accelerator, forward and backward, over all layers.

Arrays are [N], one element a run or candidate; products are [slots, N].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gigawright.arrays import Floats
from gigawright.workloads.training.constants import Constants
from gigawright.workloads.training.layouts import Layouts
from gigawright.workloads.training.machine import BYTES, Machines
from gigawright.workloads.training.shapes import COLUMN, QUANTISED_SLOTS, ROW, SPLIT, TILE, Shapes
from gigawright.workloads.training.traffic import forward_traffic, gradients, replicas, sends, sharding

BACKWARD_ATTENTION = 2.5
"""Backward attention over forward: five products against two (FlashAttention-2, arXiv:2307.08691)."""

LOSS_BYTES = 16.0
"""Bytes moved for an output score: fp32 scores written, read twice, and their gradient written."""

PERMUTED = 4.0
"""Times a token's values are read or written to sort them to experts and back."""


@dataclass(frozen=True)
class Micro:
    """Seconds of one micro-batch over all layers, on one accelerator of a tensor and context group [N].

    A name ending in `_f` is forward, in `_b` backward; traffic is told before any is hidden: of `tensor`,
    `context` and expert groups (`dispatch`), of sharded weights once (`shard`), between stages (`send`), and
    of `gradients` and weights once a step, and of gradients between groups that hold all shards (`replicas`).
    `host` is what launching the operators takes; `head` and `loss` belong to the last stage.
    """

    products_f: Floats
    products_b: Floats
    attention_f: Floats
    attention_b: Floats
    element_f: Floats
    element_b: Floats
    experts_f: Floats
    experts_b: Floats
    tensor_f: Floats
    tensor_b: Floats
    context_f: Floats
    context_b: Floats
    dispatch_f: Floats
    dispatch_b: Floats
    shard: Floats
    send: Floats
    gradients: Floats
    replicas: Floats
    host: Floats
    head: Floats
    loss: Floats


def micro(shape: Shapes, machine: Machines, layout: Layouts, c: Constants) -> Micro:
    """All operators of a micro-batch, by formula; see docs/training.md."""
    tokens = layout.micro_batch * shape.seq_len / layout.context
    slow = immaturity(machine, c)
    products_f, products_b = _dense(shape, machine, layout, c, tokens)
    attention = slow * _attention(shape, machine, layout, c, tokens)
    element_f, element_b = _elementwise(shape, machine, layout, c, tokens)
    experts_f, experts_b = _experts(shape, machine, layout, c, tokens)
    head, loss = _head(shape, machine, layout, c, tokens)
    tensor, context, dispatch = forward_traffic(shape, machine, layout, c, tokens)
    return Micro(
        products_f=slow * products_f,
        products_b=slow * products_b,
        attention_f=attention,
        attention_b=attention * BACKWARD_ATTENTION,
        element_f=slow * element_f,
        element_b=slow * element_b,
        experts_f=slow * experts_f,
        experts_b=slow * experts_b,
        tensor_f=tensor,
        tensor_b=tensor,
        context_f=context,
        context_b=2 * context,
        dispatch_f=dispatch,
        dispatch_b=dispatch,
        shard=sharding(shape, machine, layout, c),
        send=sends(shape, machine, layout, c),
        gradients=gradients(shape, machine, layout, c),
        replicas=replicas(shape, machine, layout, c),
        host=slow * _host(shape, machine, layout, c),
        head=slow * head,
        loss=slow * loss,
    )


def immaturity(machine: Machines, c: Constants) -> Floats:
    """What software that has not learnt a chip yet adds to all its operators and launches, as a factor."""
    return np.asarray(1 + c.immature * np.exp(-machine.age / c.maturing_years))


def product(
    m: Floats,
    n: Floats,
    k: Floats,
    rate: Floats,
    bandwidth: Floats,
    cores: Floats,
    size: Floats | float,
    c: Constants,
) -> Floats:
    """Seconds of an m x k by k x n product: the longer of computing and moving its operands.

    t = t0 + max(2 m n k / (rate e), size (m k + k n + m n) / bandwidth), e = 1 / ((1 + w (q - 1)) (1 + k0 /
    k)), q = waves of tiles, rounded up, over waves; `rate` is what a large product reaches. A core needs a
    time to fill and empty its pipeline for each tile, whatever the depth: k0 is what it would compute
    meanwhile.
    """
    waves = np.ceil(m / TILE) * np.ceil(n / TILE) / cores
    tail = np.ceil(waves) / np.maximum(waves, 1e-9)
    lost = (1 + c.gemm_waves * np.minimum(tail - 1, 3.0)) * (1 + _fill(rate, cores, c) / np.maximum(k, 1.0))
    work = 2 * m * n * k * lost / rate
    return np.maximum(work, size * (m * k + k * n + m * n) / bandwidth) + c.gemm_start_s


def _fill(rate: Floats, cores: Floats, c: Constants) -> Floats:
    """Inner dimension that a core works through in the time a tile takes to fill and empty: k0."""
    return np.asarray(c.tile_s * rate / cores / (2 * TILE * TILE))


def gemm_rate(machine: Machines, c: Constants) -> Floats:
    """Flop/s of large products at the run's precision: sustained share of the peak, at the part's power."""
    four = np.where(machine.four > 0, c.gemm_four, 1.0)
    return np.asarray(machine.peak * machine.sustained * c.gemm * four * machine.power**c.power)


def gemm_rate_16(machine: Machines, c: Constants) -> Floats:
    """The same at 16 bits."""
    return np.asarray(machine.peak_16 * machine.sustained_16 * c.gemm * machine.power**c.power)


def _seconds(
    m: Floats, n: Floats, k: Floats, machine: Machines, size: Floats | float, c: Constants
) -> Floats:
    """Seconds of products of values of `size` bytes: by formula, or as measured on this very machine."""
    plain = _by_formula(m, n, k, machine, size, c)
    if machine.measured is None:
        return plain

    def formula(m: Floats, n: Floats, k: Floats, width: float) -> Floats:
        same = (machine.covered > 0) & ((machine.bytes == width) | (width == BYTES["bf16"]))
        return _by_formula(m, n, k, machine.take([int(np.argmax(same))]), width, c)

    return np.where(machine.covered > 0, plain * machine.measured.factors(m, n, k, size, formula), plain)


def _by_formula(
    m: Floats, n: Floats, k: Floats, machine: Machines, size: Floats | float, c: Constants
) -> Floats:
    rate = np.where(np.asarray(size) < BYTES["bf16"], gemm_rate(machine, c), gemm_rate_16(machine, c))
    return product(m, n, k, rate, machine.bandwidth, machine.cores, size, c)


def _dense(
    shape: Shapes, machine: Machines, layout: Layouts, c: Constants, tokens: Floats
) -> tuple[Floats, Floats]:
    n = np.where(SPLIT == COLUMN, shape.outputs / layout.tensor, shape.outputs)
    k = np.where(SPLIT == ROW, shape.inputs / layout.tensor, shape.inputs)
    size = np.where(QUANTISED_SLOTS > 0, machine.bytes, 2.0)
    forward = _seconds(tokens, n, k, machine, size, c)
    inputs = _seconds(tokens, k, n, machine, size, c)
    weights = _seconds(k, n, tokens, machine, size, c)
    total = (shape.times * forward).sum(axis=0)
    return total, (shape.times * (inputs + weights)).sum(axis=0)


def _attention(shape: Shapes, machine: Machines, layout: Layouts, c: Constants, tokens: Floats) -> Floats:
    """Forward scores and sums: causal flops at the rate that heads of this size and length reach."""
    length = shape.seq_len / layout.context
    head = shape.head_dim / (shape.head_dim + c.attention_head)
    rate = (
        machine.peak_16
        * machine.power**c.power
        * c.attention
        * head
        * (length / (length + c.attention_length))
    )
    return np.asarray(shape.attention_flops * tokens / layout.tensor / rate)


def _elementwise(
    shape: Shapes, machine: Machines, layout: Layouts, c: Constants, tokens: Floats
) -> tuple[Floats, Floats]:
    """Norms, residuals, rotations and activations; casts where products are quantised."""
    wide = np.where(layout.sequence_parallel > 0, shape.unsplit / layout.tensor, shape.unsplit)
    moved = (
        tokens * ((shape.moved - shape.unsplit) / layout.tensor + wide) * 2 / machine.bandwidth / c.element
    )
    casts = _casts(machine, c) * tokens / layout.tensor * 2 / machine.bandwidth / c.element
    forward = moved + casts * (shape.times * shape.inputs * QUANTISED_SLOTS).sum(axis=0)
    backward = 2 * moved + casts * (shape.times * shape.outputs * QUANTISED_SLOTS).sum(axis=0)
    return forward, backward


def _casts(machine: Machines, c: Constants) -> Floats:
    """Passes over a product's operand to cast it; none at 16 bits."""
    return machine.quantised * c.cast * np.where(machine.blocked > 0, c.block_cast, 1.0)


def _experts(
    shape: Shapes, machine: Machines, layout: Layouts, c: Constants, tokens: Floats
) -> tuple[Floats, Floats]:
    """Routed experts: grouped products, casts, and sorting tokens to experts and back.

    An expert group of 1 is split over the tensor group; otherwise each rank holds whole experts.
    """
    share = tokens / layout.tensor * shape.picked * shape.imbalance
    rows = np.where(layout.expert > 1, share * layout.expert, share * layout.tensor) / shape.experts
    local = shape.experts / np.where(layout.expert > 1, layout.expert, layout.tensor)
    alone = c.grouped ** (1 - 1 / np.maximum(local, 1.0))
    best = gemm_rate(machine, c)
    fill = _fill(best, machine.cores, c)
    rate = best * alone / (1 + c.grouped_rows / np.maximum(rows, 1.0))
    up, down = (shape.matrices - 1) * shape.expert_ffn, shape.expert_ffn
    depth = up * (1 + fill / np.maximum(shape.expert_width, 1)) + down * (
        1 + fill / np.maximum(shape.expert_ffn, 1)
    )
    work = 2 * share * shape.expert_width * depth / rate
    weights = local * shape.matrices * shape.expert_width * shape.expert_ffn / machine.bandwidth
    sort = (
        2
        * share
        * (PERMUTED * shape.expert_width + shape.activation * shape.expert_ffn)
        / machine.bandwidth
        / c.permute
    )
    casts = _casts(machine, c) * share * 2 / machine.bandwidth / c.element
    forward = np.maximum(work, 2 * weights) + sort + casts * (shape.expert_width + shape.expert_ffn)
    backward = 2 * np.maximum(work, 4 * weights) + 2 * sort + casts * (up + shape.expert_width)
    starts = 2 * c.gemm_start_s
    return shape.moe_layers * (forward + starts), shape.moe_layers * (backward + 2 * starts)


def _head(
    shape: Shapes, machine: Machines, layout: Layouts, c: Constants, tokens: Floats
) -> tuple[Floats, Floats]:
    """The output projection at 16 bits, forward and backward, and the loss over its scores."""
    n = shape.vocab / layout.tensor
    once = _seconds(tokens, n, shape.hidden, machine, 2.0, c)
    loss = tokens * n * LOSS_BYTES / machine.bandwidth / c.element
    return 3 * once * shape.heads_out, loss * shape.heads_out


def _host(shape: Shapes, machine: Machines, layout: Layouts, c: Constants) -> Floats:
    """Launching: so much a layer, and more for each local expert unless its tokens are fixed in number.

    An expert launches 6 products, and where they are quantised about 12 casts and transposes.
    """
    local = np.where(layout.dropped > 0, 1.0, shape.experts / layout.expert)
    local = local * np.where(machine.quantised > 0, 1.0, 1 / 3)
    return np.asarray(shape.layers * c.launch_s + shape.moe_layers * local * c.expert_launch_s)
