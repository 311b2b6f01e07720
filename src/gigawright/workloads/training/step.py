"""A training step: micro-batches through the pipeline, then gradients, weights and the optimiser.

    T = slowest stage x (m + bubble) + exposed gradient traffic + optimiser + host, times scale

Parts are told apart so that each can be calibrated, and shown.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.workloads.training.collectives import gather, send
from gigawright.workloads.training.constants import Constants
from gigawright.workloads.training.layouts import Layouts
from gigawright.workloads.training.machine import Machines
from gigawright.workloads.training.memory import (
    GRADIENT_BYTES,
    WEIGHT_BYTES,
    Memory,
    expert_replicas,
    local_values,
    memory,
)
from gigawright.workloads.training.operators import Micro, micro
from gigawright.workloads.training.shapes import Shapes

PARTS = ("products", "attention", "memory", "experts", "network", "dispatch", "host")
"""What a step's seconds are told apart by; each is calibrated by itself."""

COMPUTED = np.array([part not in ("network", "dispatch") for part in PARTS])[:, None]
"""Parts whose software matures with a chip."""

OPTIMISER_TRAFFIC = 30.0
"""Bytes Adam moves a value: copy and moments read and written (24), gradient read (4), weight written (2)."""

ZERO_BUBBLE = 1 / 3
"""Bubble of the zero-bubble schedule over that of 1F1B (ZB-H1, arXiv:2401.10241)."""

LAUNCH_SHARPNESS = 4.0
"""How sharply the longer of launching and computing decides: (g^4 + h^4)^(1/4); assumption."""

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


def step(shape: Shapes, machine: Machines, layout: Layouts, c: Constants, table: Micro | None = None) -> Step:
    """A step of each run [N]; `table` are its micro-batches where they are known already."""
    held = memory(shape, machine, layout, c.memory_used)
    once = micro(shape, machine, layout, c) if table is None else table
    again = _repeated(layout, held, c)
    layer = _layers(shape, machine, layout, c, once, again)
    ends = np.zeros_like(layer)
    ends[0], ends[2] = once.head, once.loss
    slow = _slowest(shape, layout, c, layer, ends)
    bubble = (layout.pipeline - 1) / layout.chunks * np.where(layout.zero_bubble > 0, ZERO_BUBBLE, 1.0)
    parts = slow * (layout.micro_batches + bubble)
    parts = parts + _after(shape, machine, layout, c, slow.sum(axis=0))
    young = 1 + c.immature * np.exp(-machine.age / c.maturing_years)
    parts = parts * np.where(COMPUTED, young, 1.0)
    slow = slow * np.where(COMPUTED, young, 1.0)
    grown = 1 + c.scale * np.log2(np.maximum(1.0, layout.accelerators / 8))
    return Step(parts * grown, slow.sum(axis=0) * bubble * grown, held)


def _repeated(layout: Layouts, held: Memory, c: Constants) -> tuple[Floats, Floats]:
    """Shares of forward work done twice: by whole layers, and of attention and element-wise work alone."""
    whole = np.where(layout.recompute == 2, 1.0, held.shortage * c.selective)
    return whole, np.where(layout.recompute == 1, 1.0, 0.0)


def _layers(
    shape: Shapes,
    machine: Machines,
    layout: Layouts,
    c: Constants,
    once: Micro,
    again: tuple[Floats, Floats],
) -> Floats:
    """Seconds of a micro-batch through all layers by part [parts, N], as if one accelerator had them all."""
    whole, light = again
    more = 1 + whole
    products = more * once.products_f + once.products_b
    attention = (more + light) * once.attention_f + once.attention_b
    element = (more + SELECTIVE_ELEMENT * light) * once.element_f + once.element_b
    element = element + _offloaded(shape, machine, layout, products + attention)
    experts = more * once.experts_f + once.experts_b
    busy = products + attention + element + experts
    beside = layout.overlap_tensor
    tensor = _exposed(more * once.tensor_f + once.tensor_b, products, c.hidden_tensor * beside, c)
    context = _exposed(more * once.context_f + once.context_b, attention, c.hidden_context * beside, c)
    dispatch = _exposed(more * once.dispatch_f + once.dispatch_b, busy, c.hidden_expert * beside, c)
    shard = _exposed(_sharding(shape, machine, layout, c), busy, c.hidden_shard * layout.overlap_data, c)
    sends = _sends(shape, machine, layout, c) * (1 - c.hidden_pipeline * layout.overlap_pipeline)
    network = tensor + context + shard + sends
    running = busy + network + dispatch
    host = once.host * (1 + whole / 3)
    late = (running**LAUNCH_SHARPNESS + host**LAUNCH_SHARPNESS) ** (1 / LAUNCH_SHARPNESS) - running
    return np.stack([products, attention, element, experts, network, dispatch, late])


def _offloaded(shape: Shapes, machine: Machines, layout: Layouts, cover: Floats) -> Floats:
    """Activations sent to the host's memory and back, as far as products do not hide it."""
    tokens = layout.micro_batch * shape.seq_len / layout.context
    moved = 2 * 2 * tokens * (shape.kept + shape.kept_experts) / layout.tensor
    late = np.maximum(0.0, moved / machine.host - cover)
    return np.asarray(np.where((layout.offload > 0) & (layout.recompute != 2), late, 0.0))


def _exposed(traffic: Floats, cover: Floats, share: Floats, c: Constants) -> Floats:
    """Traffic that is felt: what is not hidden, and what hidden traffic takes from its cover."""
    hidden = share * np.minimum(traffic, cover)
    return np.asarray(traffic - hidden * (1 - c.theft))


def _sharding(shape: Shapes, machine: Machines, layout: Layouts, c: Constants) -> Floats:
    """Gathering sharded weights forward and backward, scattering gradients: each micro-batch, all stages."""
    dense, routed = local_values(shape, layout)
    dense = dense + 2 * shape.vocabulary / layout.tensor / layout.pipeline
    stride = layout.tensor
    a_layer = 2 * (dense + routed) / shape.layers * layout.pipeline
    once = gather(machine, c, layout.shards, stride, a_layer) * shape.layers
    times = np.where(layout.zero >= 3, 3.0, np.where((layout.zero == 2) & (layout.pipeline == 1), 2.0, 0.0))
    return np.asarray(np.where(layout.shards > 1, times * once, 0.0))


def _sends(shape: Shapes, machine: Machines, layout: Layouts, c: Constants) -> Floats:
    """Sends of a micro-batch between stages, forward and backward, all chunks."""
    tokens = layout.micro_batch * shape.seq_len / layout.context
    message = tokens * shape.hidden * 2 / np.where(layout.sequence_parallel > 0, layout.tensor, 1.0)
    stride = layout.tensor * layout.data * layout.context
    once = send(machine, c, stride, message)
    return np.asarray(np.where(layout.pipeline > 1, 2 * layout.chunks * layout.pipeline * once, 0.0))


def _slowest(shape: Shapes, layout: Layouts, c: Constants, layer: Floats, ends: Floats) -> Floats:
    """Seconds of a micro-batch on the slowest stage by part: between even stages and an uneven last one."""
    even = (layer + ends) / layout.pipeline
    most = np.ceil(shape.layers / layout.pipeline) / shape.layers
    return np.asarray(even + c.uneven * (most * layer + ends - even))


def _after(shape: Shapes, machine: Machines, layout: Layouts, c: Constants, window: Floats) -> Floats:
    """Seconds after the pipeline by part: gradients and weights not hidden behind a micro-batch, optimiser,
    host.
    """
    dense, routed = local_values(shape, layout)
    dense = dense + shape.vocabulary / layout.tensor / layout.pipeline
    moved = WEIGHT_BYTES + GRADIENT_BYTES
    ranks = layout.ranks
    copies = np.maximum(1.0, ranks * expert_replicas(layout))
    traffic = np.where(ranks > 1, gather(machine, c, ranks, layout.tensor, moved * dense), 0.0)
    traffic = traffic + np.where(
        (routed > 0) & (copies > 1),
        gather(machine, c, copies, ranks * layout.tensor / copies, moved * routed),
        0.0,
    )
    sharded = (layout.zero >= 3) | ((layout.zero == 2) & (layout.pipeline == 1))
    network = np.where(sharded, 0.0, _exposed(traffic, window, c.hidden_data * layout.overlap_data, c))
    shards = np.where(layout.zero >= 1, layout.shards, 1.0)
    mine = dense / shards + routed / np.where(
        layout.zero >= 1, np.maximum(1.0, shards * expert_replicas(layout)), 1.0
    )
    adam = OPTIMISER_TRAFFIC * mine / machine.bandwidth / c.optimiser
    zero = np.zeros_like(adam)
    return np.stack([zero, zero, adam, zero, network, zero, zero + c.step_s])


def unique_rows(layout: Layouts, names: tuple[str, ...]) -> tuple[Layouts, Ints]:
    """Layouts that differ in the named fields, and for each of all layouts the place of its like."""
    columns = np.stack([getattr(layout, name) for name in names])
    _, first, inverse = np.unique(columns, axis=1, return_index=True, return_inverse=True)
    chosen = Layouts(**{f.name: getattr(layout, f.name)[first] for f in fields(layout)})
    return chosen, np.asarray(inverse).reshape(-1)
