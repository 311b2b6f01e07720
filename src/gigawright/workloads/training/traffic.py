"""Seconds of a run's traffic before any of it is hidden: by tensor, context and expert groups, between
stages, and of weights and gradients over data-parallel ranks.

Arrays are [N], one element a run or candidate.
"""

from __future__ import annotations

import numpy as np

from gigawright.arrays import Floats
from gigawright.workloads.training.collectives import exchange, gather, send
from gigawright.workloads.training.constants import Constants
from gigawright.workloads.training.layouts import Layouts
from gigawright.workloads.training.machine import Machines
from gigawright.workloads.training.memory import (
    GRADIENT_BYTES,
    WEIGHT_BYTES,
    end_values,
    expert_replicas,
    local_values,
    state_shards,
)
from gigawright.workloads.training.shapes import Shapes


def forward_traffic(
    shape: Shapes, machine: Machines, layout: Layouts, c: Constants, tokens: Floats
) -> tuple[Floats, Floats, Floats]:
    """Forward traffic of tensor, context and expert groups."""
    whole = tokens * shape.hidden * 2
    blocks = np.where(shape.parallel_block > 0, 1.0, 2.0) * shape.layers
    blocks = blocks - np.where(layout.expert > 1, shape.moe_layers, 0.0)
    tensor = 2 * blocks * gather(machine, c, layout.tensor, 1.0, whole)
    keys = 2 * layout.micro_batch * shape.seq_len * shape.kv_width / layout.tensor
    context = shape.attention_layers * gather(machine, c, layout.context, layout.tensor, keys)
    sent = tokens / layout.tensor * shape.expert_width * 2 * shape.imbalance
    dispatch = 2 * shape.moe_layers * exchange(machine, c, layout.expert, shape.picked, sent)
    return np.where(layout.tensor > 1, tensor, 0.0), np.where(layout.context > 1, context, 0.0), dispatch


def sharding(shape: Shapes, machine: Machines, layout: Layouts, c: Constants) -> Floats:
    """Gathering (or scattering) every layer's weights once over the ranks that share them, all stages."""
    dense, routed = local_values(shape, layout)
    dense = dense + end_values(shape, layout)
    shards, copies = state_shards(layout)
    a_layer = WEIGHT_BYTES * layout.pipeline / shape.layers
    once = gather(machine, c, shards, layout.tensor, a_layer * dense)
    apart = layout.tensor * shards / copies
    experts = np.where(routed > 0, gather(machine, c, copies, apart, a_layer * routed), 0.0)
    return np.asarray((once + experts) * shape.layers)


def replicas(shape: Shapes, machine: Machines, layout: Layouts, c: Constants) -> Floats:
    """Summing gradients once a step over groups that each hold all shards: scattered and gathered again."""
    dense, routed = local_values(shape, layout)
    dense = dense + end_values(shape, layout)
    shards, copies = state_shards(layout)
    groups = layout.ranks / shards
    everywhere = np.maximum(1.0, layout.ranks * expert_replicas(layout))
    apart = layout.ranks * layout.tensor / everywhere * copies
    once = gather(machine, c, groups, layout.tensor * shards, GRADIENT_BYTES * dense / shards)
    experts = gather(machine, c, everywhere / copies, apart, GRADIENT_BYTES * routed / copies)
    return np.asarray(2 * (once + np.where(routed > 0, experts, 0.0)))


def sends(shape: Shapes, machine: Machines, layout: Layouts, c: Constants) -> Floats:
    """Sends of a micro-batch between stages, forward and backward, all chunks and stages."""
    tokens = layout.micro_batch * shape.seq_len / layout.context
    message = tokens * shape.hidden * 2 / np.where(layout.sequence_parallel > 0, layout.tensor, 1.0)
    once = send(machine, c, layout.tensor * layout.data * layout.context, message)
    return np.asarray(np.where(layout.pipeline > 1, 2 * layout.chunks * layout.pipeline * once, 0.0))


def gradients(shape: Shapes, machine: Machines, layout: Layouts, c: Constants) -> Floats:
    """Scattering gradients and gathering weights once a step: dense over all ranks, experts over copies."""
    dense, routed = local_values(shape, layout)
    dense = dense + end_values(shape, layout)
    moved = WEIGHT_BYTES + GRADIENT_BYTES
    copies = np.maximum(1.0, layout.ranks * expert_replicas(layout))
    apart = layout.ranks * layout.tensor / copies
    return np.asarray(
        gather(machine, c, layout.ranks, layout.tensor, moved * dense)
        + np.where(routed > 0, gather(machine, c, copies, apart, moved * routed), 0.0)
    )
