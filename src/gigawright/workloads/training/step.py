"""A training step: micro-batches through the pipeline, then gradients, weights and the optimiser.

    T = slowest stage x (m + bubble) + exposed gradient traffic + optimiser + host, times scale

Parts are told apart so that each can be calibrated, and shown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gigawright.arrays import Floats
from gigawright.workloads.training.constants import Constants
from gigawright.workloads.training.layouts import Layouts
from gigawright.workloads.training.machine import Machines
from gigawright.workloads.training.memory import (
    Footprint,
    Memory,
    end_values,
    local_values,
    memory,
    state_shards,
)
from gigawright.workloads.training.operators import Micro, immaturity, micro
from gigawright.workloads.training.shapes import Shapes

PARTS = ("products", "attention", "memory", "experts", "network", "dispatch", "host")
"""What a step's seconds are told apart by; each is calibrated by itself."""

OPTIMISER_TRAFFIC = 30.0
"""Bytes Adam moves a value: copy and moments read and written (24), gradient read (4), weight written (2)."""

ZERO_BUBBLE = 1 / 3
"""Bubble of the zero-bubble schedule over that of 1F1B (ZB-H1, arXiv:2401.10241)."""

UNSHARDED = 8 / 6
"""Traffic of summing fp32 gradients everywhere over that of scattering them and gathering bf16 weights."""

WEIGHTS_ALONE = 2 / 6
"""Traffic of gathering bf16 weights over that of scattering fp32 gradients as well."""

SELECTIVE_ELEMENT = 0.5
"""Share of element-wise forward work that selective recomputation repeats; assumption: norms and activation.
"""


@dataclass(frozen=True)
class Step:
    """Seconds of a step by part [parts, N], waiting in the pipeline included; `bubble` tells it apart [N]."""

    parts: Floats
    bubble: Floats
    memory: Memory

    @property
    def seconds(self) -> Floats:
        """The whole step [s]."""
        return np.asarray(self.parts.sum(axis=0))


def step(
    shape: Shapes,
    machine: Machines,
    layout: Layouts,
    c: Constants,
    table: Micro | None = None,
    base: Footprint | None = None,
) -> Step:
    """A step of each run [N]; `table` and `base` are its micro-batches and footprint where they are known."""
    held = memory(shape, machine, layout, c.memory_used, base)
    once = micro(shape, machine, layout, c) if table is None else table
    again = _repeated(layout, held, c)
    layer = _layers(shape, machine, layout, c, once, again)
    ends = np.zeros_like(layer)
    ends[0], ends[2] = once.head, once.loss
    slow = _slowest(shape, layout, c, layer, ends)
    bubble = bubble_of(layout)
    parts = slow * (layout.micro_batches + bubble)
    parts = parts + _after(shape, machine, layout, c, once, slow.sum(axis=0))
    grown = 1 + c.scale * np.log2(np.maximum(1.0, layout.accelerators / 8))
    return Step(parts * grown, slow.sum(axis=0) * bubble * grown, held)


def bubble_of(layout: Layouts) -> Floats:
    """Micro-batches' worth of waiting in the pipeline.

    (p - 1) / v with v chunks a stage (arXiv:2104.04473); interleaving needs p micro-batches to fill the
    stages, fewer wait as long as the first needs to pass: p - m + (m - 1) / v. A zero-bubble schedule leaves
    a third, where micro-batches suffice.
    """
    p, v, m = layout.pipeline, layout.chunks, layout.micro_batches
    chunked = np.where(m < p, p - m + (m - 1) / v, (p - 1) / v)
    spared = (1 - ZERO_BUBBLE) * np.minimum(1.0, (m - 1) / np.maximum(p - 1, 1.0))
    plain = (p - 1) * np.where(layout.zero_bubble > 0, 1 - spared, 1.0)
    return np.asarray(np.where(v > 1, chunked, plain))


def _repeated(layout: Layouts, held: Memory, c: Constants) -> tuple[Floats, Floats]:
    """Shares of forward work done twice: by whole layers, and of attention and element-wise work alone.

    What is short is made up for by the operators that cost least first, and by whole layers at last.
    """
    short = held.shortage
    whole = np.where(layout.recompute == 2, 1.0, short * (c.selective + (1 - c.selective) * short**2))
    return whole, np.where(layout.recompute == 1, 1.0, 0.0)


def _layers(
    shape: Shapes,
    machine: Machines,
    layout: Layouts,
    c: Constants,
    once: Micro,
    again: tuple[Floats, Floats],
) -> Floats:
    """Seconds of a micro-batch through all layers by part [parts, N], as if one accelerator had them all.

    Traffic is felt where it is not hidden, and hidden traffic takes its share from what hides it; each of
    tensor, context, expert and weight traffic hides behind what those before it have left.
    """
    whole, light = again
    more = 1 + whole
    products = more * once.products_f + once.products_b
    attention = (more + light) * once.attention_f + once.attention_b
    element = (more + SELECTIVE_ELEMENT * light) * once.element_f + once.element_b
    ahead, back = more * (once.products_f + once.attention_f), once.products_b + once.attention_b
    element = element + _offloaded(shape, machine, layout, ahead, back)
    experts = more * once.experts_f + once.experts_b
    busy = products + attention + element + experts
    beside = layout.overlap_tensor
    moved = more * once.tensor_f + once.tensor_b, more * once.context_f + once.context_b
    sent, shared = more * once.dispatch_f + once.dispatch_b, _passes(layout) * once.shard
    tensor = c.hidden_tensor * beside * np.minimum(moved[0], products)
    context = c.hidden_context * beside * np.minimum(moved[1], attention)
    cover = busy - tensor - context
    routed = c.hidden_expert * beside * np.minimum(sent, cover)
    shard = c.hidden_shard * layout.overlap_data * np.minimum(shared, cover - routed)
    sends = once.send * (1 - c.hidden_pipeline * layout.overlap_pipeline)
    felt = 1 - c.theft
    network = moved[0] + moved[1] + shared - (tensor + context + shard) * felt + sends
    dispatch = sent - routed * felt
    running = busy + network + dispatch
    host = once.host * (1 + whole / 3)
    late = _longer(running, host) - running
    return np.stack([products, attention, element, experts, network, dispatch, late])


def _longer(running: Floats, host: Floats) -> Floats:
    """The longer of computing and launching, rounded off where they are alike: (g^4 + h^4)^(1/4)."""
    return np.asarray(np.sqrt(np.sqrt(np.square(np.square(running)) + np.square(np.square(host)))))


def _passes(layout: Layouts) -> Floats:
    """Times a micro-batch gathers or scatters all sharded weights: forward, backward and gradients.

    Stage 2 scatters gradients each time; without stages it keeps weights from forward to backward only.
    """
    second = np.where(layout.pipeline == 1, 2.0, 1.0)
    return np.where(layout.zero >= 3, 3.0, np.where(layout.zero == 2, second, 0.0))


def _offloaded(shape: Shapes, machine: Machines, layout: Layouts, ahead: Floats, back: Floats) -> Floats:
    """Activations sent to the host forward and fetched backward, as far as products do not hide it."""
    tokens = layout.micro_batch * shape.seq_len / layout.context
    once = 2 * tokens * (shape.kept + shape.kept_experts) / layout.tensor / machine.host
    late = np.maximum(0.0, once - ahead) + np.maximum(0.0, once - back)
    return np.asarray(np.where((layout.offload > 0) & (layout.recompute != 2), late, 0.0))


def _slowest(shape: Shapes, layout: Layouts, c: Constants, layer: Floats, ends: Floats) -> Floats:
    """Seconds of a micro-batch on the slowest stage by part: between even stages and an uneven last one."""
    even = (layer + ends) / layout.pipeline
    most = np.ceil(shape.layers / layout.pipeline) / shape.layers
    return np.asarray(even + c.uneven * (most * layer + ends - even))


def _after(
    shape: Shapes, machine: Machines, layout: Layouts, c: Constants, once: Micro, window: Floats
) -> Floats:
    """Seconds after the pipeline by part: gradients and weights not hidden behind a micro-batch, optimiser,
    host.
    """
    sharded = (layout.zero >= 3) | ((layout.zero == 2) & (layout.pipeline == 1))
    traffic = np.where(sharded, once.replicas, once.gradients)
    staged = (layout.zero == 2) & (layout.pipeline > 1)
    traffic = traffic * np.where(layout.zero == 0, UNSHARDED, np.where(staged, WEIGHTS_ALONE, 1.0))
    hidden = c.hidden_data * layout.overlap_data * np.minimum(traffic, window)
    network = traffic - hidden * (1 - c.theft)
    dense, routed = local_values(shape, layout)
    dense = dense + end_values(shape, layout)
    shards, expert_shards = state_shards(layout)
    mine = np.where(layout.zero >= 1, dense / shards + routed / expert_shards, dense + routed)
    adam = immaturity(machine, c) * OPTIMISER_TRAFFIC * mine / machine.bandwidth / c.optimiser
    zero = np.zeros_like(network)
    return np.stack([zero, zero, adam + zero, zero, network, zero, zero + c.step_s])
