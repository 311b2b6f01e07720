"""Seconds of a micro-batch's operators on one accelerator, forward and backward, over all layers.

Arrays are [N], one element a run or candidate; products are [slots, N].
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.workloads.training.collectives import exchange, gather
from gigawright.workloads.training.constants import Constants
from gigawright.workloads.training.layouts import Layouts
from gigawright.workloads.training.machine import Machines
from gigawright.workloads.training.shapes import COLUMN, QUANTISED_SLOTS, ROW, SPLIT, TILE, Shapes

BACKWARD_ATTENTION = 2.5
"""Backward attention over forward: five products against two (FlashAttention-2, arXiv:2307.08691)."""

LOSS_BYTES = 16.0
"""Bytes moved for an output score: fp32 scores written, read twice, and their gradient written."""

PERMUTED = 4.0
"""Times a token's values are read or written to sort them to experts and back."""


@dataclass(frozen=True)
class Micro:
    """Seconds of one micro-batch over all layers, on one accelerator of a tensor and context group [N].

    A name ending in `_f` is forward, in `_b` backward; `tensor`, `context` and `dispatch` are traffic before
    any is hidden; `host` is what launching the operators takes; `head` and `loss` belong to the last stage.
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
    host: Floats
    head: Floats
    loss: Floats

    def take(self, rows: Ints) -> Micro:
        """The micro-batches at these places, as often as they are named."""
        return Micro(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def micro(shape: Shapes, machine: Machines, layout: Layouts, c: Constants) -> Micro:
    """All operators of a micro-batch, by formula; see docs/training.md."""
    tokens = layout.micro_batch * shape.seq_len / layout.context
    products_f, products_b = _dense(shape, machine, layout, c, tokens)
    attention = _attention(shape, machine, layout, c, tokens)
    element_f, element_b = _elementwise(shape, machine, layout, c, tokens)
    experts_f, experts_b = _experts(shape, machine, layout, c, tokens)
    head, loss = _head(shape, machine, layout, c, tokens)
    tensor, context, dispatch = _traffic(shape, machine, layout, c, tokens)
    return Micro(
        products_f=products_f,
        products_b=products_b,
        attention_f=attention,
        attention_b=attention * BACKWARD_ATTENTION,
        element_f=element_f,
        element_b=element_b,
        experts_f=experts_f,
        experts_b=experts_b,
        tensor_f=tensor,
        tensor_b=tensor,
        context_f=context,
        context_b=2 * context,
        dispatch_f=dispatch,
        dispatch_b=dispatch,
        host=_host(shape, layout, c),
        head=head,
        loss=loss,
    )


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

    t = max(2 m n k / (rate e), size (m k + k n + m n) / bandwidth), e = 1 / ((1 + w (q - 1)) (1 + k0 / k)),
    q = waves of tiles, rounded up, over waves; `rate` is what a large product reaches.
    """
    waves = np.ceil(m / TILE) * np.ceil(n / TILE) / cores
    tail = np.ceil(waves) / np.maximum(waves, 1e-9)
    lost = (1 + c.gemm_waves * np.minimum(tail - 1, 3.0)) * (1 + c.gemm_depth / np.maximum(k, 1.0))
    work = 2 * m * n * k * lost / rate
    return np.maximum(work, size * (m * k + k * n + m * n) / bandwidth)


def gemm_rate(machine: Machines, c: Constants) -> Floats:
    """Flop/s of large products at the run's precision: sustained share of the peak, at the part's power."""
    four = np.where(machine.four > 0, c.gemm_four, 1.0)
    return np.asarray(machine.peak * machine.sustained * c.gemm * four * machine.power**c.power)


def gemm_rate_16(machine: Machines, c: Constants) -> Floats:
    """The same at 16 bits."""
    return np.asarray(machine.peak_16 * machine.sustained_16 * c.gemm * machine.power**c.power)


def _dense(
    shape: Shapes, machine: Machines, layout: Layouts, c: Constants, tokens: Floats
) -> tuple[Floats, Floats]:
    low, sixteen = gemm_rate(machine, c), gemm_rate_16(machine, c)
    rate = np.where(QUANTISED_SLOTS > 0, low, sixteen)
    n = np.where(SPLIT == COLUMN, shape.outputs / layout.tensor, shape.outputs)
    k = np.where(SPLIT == ROW, shape.inputs / layout.tensor, shape.inputs)
    size = np.where(QUANTISED_SLOTS > 0, machine.bytes, 2.0)
    bandwidth, cores = machine.bandwidth, machine.cores
    forward = product(tokens, n, k, rate, bandwidth, cores, size, c)
    inputs = product(tokens, k, n, rate, bandwidth, cores, size, c)
    weights = product(k, n, tokens, rate, bandwidth, cores, size, c)
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
    share = tokens / layout.tensor * shape.picked
    rows = np.where(layout.expert > 1, share * layout.expert, share * layout.tensor) / shape.experts
    rate = gemm_rate(machine, c) * c.grouped / (1 + c.grouped_rows / np.maximum(rows, 1.0))
    up, down = (shape.matrices - 1) * shape.expert_ffn, shape.expert_ffn
    depth = up * (1 + c.gemm_depth / np.maximum(shape.expert_width, 1)) + down * (
        1 + c.gemm_depth / np.maximum(shape.expert_ffn, 1)
    )
    work = 2 * share * shape.expert_width * depth / rate
    local = shape.experts / np.where(layout.expert > 1, layout.expert, layout.tensor)
    weights = local * shape.matrices * shape.expert_width * shape.expert_ffn / machine.bandwidth
    sort = 2 * share * (PERMUTED * shape.expert_width + 3 * shape.expert_ffn) / machine.bandwidth / c.permute
    casts = _casts(machine, c) * share * 2 / machine.bandwidth / c.element
    forward = np.maximum(work, 2 * weights) + sort + casts * (shape.expert_width + shape.expert_ffn)
    backward = 2 * np.maximum(work, 4 * weights) + 2 * sort + casts * (up + shape.expert_width)
    return shape.moe_layers * forward, shape.moe_layers * backward


def _head(
    shape: Shapes, machine: Machines, layout: Layouts, c: Constants, tokens: Floats
) -> tuple[Floats, Floats]:
    """The output projection at 16 bits, forward and backward, and the loss over its scores."""
    rate, n = gemm_rate_16(machine, c), shape.vocab / layout.tensor
    once = product(tokens, n, shape.hidden, rate, machine.bandwidth, machine.cores, 2.0, c)
    loss = tokens * n * LOSS_BYTES / machine.bandwidth / c.element
    return 3 * once * shape.heads_out, loss * shape.heads_out


def _traffic(
    shape: Shapes, machine: Machines, layout: Layouts, c: Constants, tokens: Floats
) -> tuple[Floats, Floats, Floats]:
    """Forward traffic of tensor, context and expert groups."""
    whole = tokens * shape.hidden * 2
    blocks = np.where(shape.parallel_block > 0, 1.0, 2.0) * shape.layers
    blocks = blocks - np.where(layout.expert > 1, shape.moe_layers, 0.0)
    tensor = 2 * blocks * gather(machine, c, layout.tensor, 1.0, whole)
    keys = 2 * layout.micro_batch * shape.seq_len * shape.kv_width / layout.tensor
    context = shape.attention_layers * gather(machine, c, layout.context, layout.tensor, keys)
    sent = tokens / layout.tensor * shape.expert_width * 2
    dispatch = 2 * shape.moe_layers * exchange(machine, c, layout.expert, shape.picked, sent)
    return np.where(layout.tensor > 1, tensor, 0.0), np.where(layout.context > 1, context, 0.0), dispatch


def _host(shape: Shapes, layout: Layouts, c: Constants) -> Floats:
    """Launching: so much a layer, and more for each local expert unless its tokens are fixed in number."""
    local = np.where(layout.dropped > 0, 1.0, shape.experts / layout.expert)
    return np.asarray(shape.layers * c.launch_s + shape.moe_layers * local * c.expert_launch_s)
