"""Bytes on the fullest accelerator: weights, gradients, optimiser, activations in flight, scores.

See docs/training.md; a step through all layers keeps 34 s b h bytes in a plain layer (arXiv:2205.05198).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gigawright.arrays import Bools, Floats
from gigawright.workloads.training.layouts import Layouts
from gigawright.workloads.training.machine import Machines
from gigawright.workloads.training.shapes import Shapes

WEIGHT_BYTES = 2.0
GRADIENT_BYTES = 4.0
OPTIMISER_BYTES = 12.0
"""Bytes of a value: bf16 weight, fp32 gradient, fp32 copy and two moments of Adam (Megatron-Core)."""

FIXED_BYTES = 2e9
"""Driver, libraries and communication buffers [bytes]; assumption: 1 to 4 GB are usual."""

FRAGMENTATION = 1.02
"""Memory reserved over memory in use; assumption, published profiles show 2 to 10%."""

ROUNDING = 1e-9
"""Slack for sums of floating-point numbers."""

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

    def fits(self, machine: Machines, usable: float) -> Bools:
        """Whether the accelerator's usable share holds it; a run that recomputes just enough does."""
        return np.asarray(self.total <= machine.memory * usable * (1 + ROUNDING))


@dataclass(frozen=True)
class Footprint:
    """What sizes of groups alone decide [N]: weights on one accelerator and over how many ranks they may be
    sharded, and bytes of activations by policy; `parked` are those that stay while the rest is with
    the host, `layer` the weights of a layer, gathered from all that share them.
    """

    dense: Floats
    routed: Floats
    shards: Floats
    expert_shards: Floats
    none: Floats
    selective: Floats
    full: Floats
    parked: Floats
    scores: Floats
    layer: Floats


def footprint(shape: Shapes, layout: Layouts) -> Footprint:
    """Weights and activations of each run's fullest accelerator.

    Norms keep 4 h of each token, which only sequence parallelism splits. A layer's input, h, is all that
    recomputing it needs; recomputing norms and activations alone saves 2 h and the activations' outputs.
    """
    tokens = layout.micro_batch * shape.seq_len / layout.context
    split = np.where(layout.sequence_parallel > 0, layout.tensor, 1.0)
    input_ = shape.hidden * shape.layers / split
    thin = 4 * input_
    wide = (shape.kept - 4 * shape.hidden * shape.layers + shape.kept_experts) / layout.tensor
    one = (wide + thin) / shape.layers * tokens * 2
    stage = tokens * 2 / layout.pipeline
    flight = _in_flight(layout)
    saved = 2 * input_ + shape.activated / layout.tensor
    dense, routed = local_values(shape, layout)
    return Footprint(
        dense + end_values(shape, layout),
        routed,
        *state_shards(layout),
        none=stage * flight * (wide + thin),
        selective=stage * flight * (wide + thin - saved),
        full=np.minimum(stage * flight * input_ + one, stage * flight * (wide + thin)),
        parked=stage * input_ + 2 * one,
        scores=np.where(layout.pipeline == 1, tokens * shape.vocab / layout.tensor * SCORE_BYTES, 0.0),
        layer=(dense + routed) * layout.pipeline / shape.layers,
    )


def memory(
    shape: Shapes, machine: Machines, layout: Layouts, usable: float, base: Footprint | None = None
) -> Memory:
    """Bytes by kind; `usable` is the share of device memory that a run may fill, `base` the footprint if
    known.
    """
    of = footprint(shape, layout) if base is None else base
    whole, parts = of.dense + of.routed, of.dense / of.shards + of.routed / of.expert_shards
    gathered = np.where(layout.zero >= 3, 2 * WEIGHT_BYTES * of.layer, 0.0)
    weights = WEIGHT_BYTES * np.where(layout.zero >= 3, parts, whole) + gathered
    gradients = GRADIENT_BYTES * np.where(layout.zero >= 2, parts, whole)
    optimiser = OPTIMISER_BYTES * np.where(layout.zero >= 1, parts, whole)
    room = (
        (machine.memory * usable - FIXED_BYTES) / FRAGMENTATION - weights - gradients - optimiser - of.scores
    )
    gap = np.clip((of.none - room) / np.maximum(of.none - of.full, 1.0), 0.0, 1.0)
    away = (layout.offload > 0) & (layout.recompute != 2)
    spared = away & (np.minimum(of.none, of.parked) <= room)
    gap = np.where((layout.recompute == 3) & ~spared, gap, 0.0)
    auto = of.none - gap * (of.none - of.full)
    kept = np.choose(layout.recompute.astype(int), [of.none, of.selective, of.full, auto])
    kept = np.where(away, np.minimum(kept, of.parked), kept)
    return Memory(weights, gradients, optimiser, kept, of.scores, gap)


def state_shards(layout: Layouts) -> tuple[Floats, Floats]:
    """Ranks over which a dense weight's state may be sharded, and an expert's."""
    return layout.shards, np.maximum(1.0, layout.shards * expert_replicas(layout))


def local_values(shape: Shapes, layout: Layouts) -> tuple[Floats, Floats]:
    """Weights of layers on one accelerator: dense, and routed experts (split by tensor where expert is 1)."""
    dense = shape.dense / (layout.tensor * layout.pipeline)
    split = np.where(layout.expert > 1, layout.expert, layout.tensor)
    return dense, shape.routed / (split * layout.pipeline)


def end_values(shape: Shapes, layout: Layouts) -> Floats:
    """Weights of embedding and output projection on a stage that has one of them, or on the only stage."""
    return np.where(layout.pipeline > 1, 1.0, 2.0 - shape.tied) * shape.vocabulary / layout.tensor


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
