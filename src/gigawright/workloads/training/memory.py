"""Bytes on the fullest accelerator: weights, gradients, optimiser, activations in flight, scores.

See docs/training.md; a step through all layers keeps 34 s b h bytes in a plain layer (arXiv:2205.05198).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from gigawright.arrays import Floats
from gigawright.workloads.training.layouts import Layouts
from gigawright.workloads.training.machine import Machines
from gigawright.workloads.training.shapes import Shapes

WEIGHT_BYTES = 2.0
GRADIENT_BYTES = 4.0
OPTIMISER_BYTES = 12.0
"""Bytes of a value: bf16 weight, fp32 gradient, fp32 copy and two moments of Adam (Megatron-Core)."""

FIXED_BYTES = 3e9
"""Driver, libraries and communication buffers [bytes]; assumption: 2 to 5 GB are usual."""

FRAGMENTATION = 1.04
"""Memory reserved over memory in use; assumption, published profiles show 2 to 10%."""

SCORE_BYTES = 6.0
"""Bytes of an output score: bf16 and fp32."""


@dataclass(frozen=True)
class Memory:
    """Bytes on the fullest accelerator by what holds them [N]; `shortage` is the share of activations that
    has to be recomputed for the rest to fit, where recomputation is left open.
    """

    weights: Floats
    gradients: Floats
    optimiser: Floats
    activations: Floats
    scores: Floats
    shortage: Floats

    @property
    def total(self) -> Floats:
        """All bytes, with fragmentation and what libraries hold."""
        parts = self.weights + self.gradients + self.optimiser + self.activations + self.scores
        return np.asarray(parts * FRAGMENTATION + FIXED_BYTES)

    def take(self, rows: slice) -> Memory:
        """These elements alone."""
        return Memory(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def memory(shape: Shapes, machine: Machines, layout: Layouts, usable: float) -> Memory:
    """Bytes by kind; `usable` is the share of device memory that a run may fill."""
    state = _states(shape, layout)
    tokens = layout.micro_batch * shape.seq_len / layout.context
    flight = _in_flight(layout)
    per_layer = tokens * 2 / layout.pipeline * flight
    split = np.where(layout.sequence_parallel > 0, layout.tensor, 1.0)
    thin = 2 * shape.hidden * shape.layers
    experts = shape.kept_experts / layout.tensor
    everything = (shape.kept - thin) / layout.tensor + thin / split + experts
    least = 0.5 * thin / split
    one = everything / shape.layers * tokens * 2
    selective = everything - 0.5 * thin / split - (shape.kept + shape.kept_experts) / 6 / layout.tensor
    kept = [per_layer * everything, per_layer * selective, per_layer * least + one]
    scores = np.where(layout.pipeline == 1, tokens * shape.vocab / layout.tensor * SCORE_BYTES, 0.0)
    room = (machine.memory * usable - FIXED_BYTES) / FRAGMENTATION - sum(state) - scores
    gap = np.clip((kept[0] - room) / np.maximum(kept[0] - kept[2], 1.0), 0.0, 1.0)
    auto = kept[0] - gap * (kept[0] - kept[2])
    chosen = np.choose(layout.recompute.astype(int), [*kept, auto])
    chosen = np.where(layout.offload > 0, np.minimum(chosen, 2 * one + per_layer * least / flight), chosen)
    return Memory(*state, chosen, scores, np.where(layout.recompute == 3, gap, 0.0))


def _states(shape: Shapes, layout: Layouts) -> tuple[Floats, Floats, Floats]:
    """Weights, gradients and optimiser state; stages of ZeRO shard them over data-parallel ranks in turn."""
    dense, routed = local_values(shape, layout)
    ends = np.where(layout.pipeline > 1, 1.0, 2.0 - shape.tied) * shape.vocabulary / layout.tensor
    dense = dense + ends
    shards = layout.shards
    expert_shards = np.maximum(1.0, shards * expert_replicas(layout))

    def held(bytes_a_value: float, stage: int) -> Floats:
        whole, parts = dense + routed, dense / shards + routed / expert_shards
        return np.asarray(bytes_a_value * np.where(layout.zero >= stage, parts, whole))

    gathered = np.where(layout.zero >= 3, 2 * WEIGHT_BYTES * (dense + routed) / shape.layers, 0.0)
    return held(WEIGHT_BYTES, 3) + gathered, held(GRADIENT_BYTES, 2), held(OPTIMISER_BYTES, 1)


def local_values(shape: Shapes, layout: Layouts) -> tuple[Floats, Floats]:
    """Weights of layers on one accelerator: dense, and routed experts (split by tensor where expert is 1)."""
    dense = shape.dense / (layout.tensor * layout.pipeline)
    split = np.where(layout.expert > 1, layout.expert, layout.tensor)
    return dense, shape.routed / (split * layout.pipeline)


def expert_replicas(layout: Layouts) -> Floats:
    """Copies of an expert over copies of a dense weight: 1 where experts are split by tensor groups."""
    return np.where(layout.expert > 1, layout.tensor / layout.expert, 1.0)


def _in_flight(layout: Layouts) -> Floats:
    """Micro-batches whose activations the first stage holds at once, in stages' worth.

    1F1B holds p, interleaving p (1 + (p - 1) / (p v)) (arXiv:2205.05198, section 4.2.3).
    """
    stages = layout.pipeline
    extra = np.where(layout.chunks > 1, (stages - 1) / layout.chunks, 0.0)
    return np.minimum(stages + extra, np.maximum(1.0, layout.micro_batches * 1.0))
