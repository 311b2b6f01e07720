"""LLM training by roofline: tokens a second an accelerator, in the layout that fits and is fastest.

Tensor parallelism within the scale-up domain, pipeline stages with interleaving, data and expert
parallelism over the network, optimiser states sharded over data-parallel ranks (ZeRO-1).
See docs/workloads.md for the equations.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from gigawright.catalogue.types import System
from gigawright.workloads.language import LanguageModel, shape_note
from gigawright.workloads.parallel import (
    ACTIVATION_BYTES,
    DISPATCH_BYTES,
    EXPERT_IMBALANCE,
    Array,
    Flags,
    powers_of_two,
    token_copies,
)
from gigawright.workloads.performance import Limit, PhasePerformance, Unpredictable, answer, joined
from gigawright.workloads.power import watts
from gigawright.workloads.roofline import TRAINING_FALLBACK, Machine, machine

BATCH_TOKENS = 2.0**24
"""Tokens in a global batch; Llama 3 405B ended at 16 M (arXiv:2407.21783, section 3.4.1)."""

WEIGHT_AND_GRADIENT_BYTES = 6.0
"""Bytes a value: bf16 weight and fp32 gradient (Megatron-Core distributed optimiser: 6 + 12 / dp)."""

OPTIMISER_BYTES = 12.0
"""Bytes a value, sharded over data-parallel ranks: fp32 copy and two moments of Adam."""

LOGIT_BYTES = 4.0
"""Bytes of an output score: the loss is taken in fp32."""

LAYOUT = ("tensor", "pipeline", "expert", "sequences", "recompute")
"""What describes a layout, as the details of an answer name it."""

ATTENTION_PASSES = 3.5
"""Forward and backward attention over forward: two products forward, five backward (FlashAttention-2)."""

SEQUENCES = (1, 2, 4, 8)
"""Sequences in a micro-batch that are tried."""

EXPERT_TRAFFIC_BYTES = 12.0
"""Bytes an expert's value moves in a micro-batch: bf16 weight read forward and backward (2 + 2), fp32
gradient read and written (8). Few tokens an expert make this longer than its products."""

CAST_SHARE = 1 / 3
"""Element-wise traffic that casts to 8 or 4 bits add. Derived: inputs and output gradients of the four
products of a layer, 2 (2 h + h + f) values read at 2 bytes and written twice at 1, over three passes of
`elementwise_values` at 2 bytes, for f = 3.5 h: 52 of 162."""

INTERLEAVE = 4
"""Most chunks of layers a pipeline stage holds; assumption: published recipes use 2 to 12."""

MAX_TENSOR = 16
"""Most accelerators in a tensor group of a training layout; assumption, published recipes stop at 8 or 16."""

HIDDEN_TENSOR = 0.5
"""Share of tensor-parallel traffic hidden behind products; assumption, between none and overlapped."""

HIDDEN_EXPERT = 0.5
"""Share of the shorter of computing and exchanging tokens that the longer hides; assumption."""

HIDDEN_DATA = 0.9
"""Share of the gradient reduction hidden behind the backward pass; assumption, bucketed overlap."""

SCALE_LOSS = 0.0055
"""Step time added for each doubling beyond 8 accelerators: published H100 weak scaling loses 2.9 to 5.9% by
2,048 (torchtitan, arXiv:2410.06511, and vendor tables), the middle over eight doublings."""


@dataclass(frozen=True)
class Layouts:
    """Candidate layouts, one an element.

    Sizes of tensor, pipeline and expert groups, sequences in a micro-batch, and whether (1) or not (0) the
    forward pass is repeated.
    """

    tensor: Array
    pipeline: Array
    expert: Array
    sequences: Array
    recompute: Array


def train(
    model: LanguageModel,
    system: System,
    *,
    precision: str = "bf16",
    seq_len: int = 8192,
    accelerators: int = 8192,
    batch_tokens: float = BATCH_TOKENS,
    phase: str = "training",
) -> PhasePerformance:
    """Trained tokens a second an accelerator of a cluster, in the fastest layout that fits its memory.

    `precision` is that of the matrix products; attention and traffic stay at 16 bits. MFU counts causal
    attention and the 16-bit peak. Refused where the data sheet lacks a rate, no layout fits, or the
    batch is too small for the cluster.
    """
    return answer(
        phase,
        system,
        lambda: _train(_run(model, system, precision, seq_len, accelerators, batch_tokens), system, phase),
    )


@dataclass(frozen=True)
class _Run:
    """A model on a cluster, with every layout it could have."""

    model: LanguageModel
    rates: Machine
    layouts: Layouts
    seq_len: int
    count: int
    batch_tokens: float

    @property
    def replicas(self) -> Array:
        """Data-parallel ranks."""
        return self.count / (self.layouts.tensor * self.layouts.pipeline)

    @property
    def micro_batches(self) -> Array:
        """Micro-batches each replica works through in a step."""
        return self.batch_tokens / (self.replicas * self.seq_len * self.layouts.sequences)

    @property
    def bubble(self) -> Array:
        """Pipeline time over its time without waiting: 1 + (p - 1) / (m v)."""
        chunks = np.minimum(INTERLEAVE, np.maximum(1.0, self.model.layers / self.layouts.pipeline))
        return 1 + (self.layouts.pipeline - 1) / (self.micro_batches * chunks)

    @property
    def possible(self) -> Flags:
        """Layouts that fit the memory and have a sequence for every replica; raises where there is none."""
        fits = _memory(self) <= self.rates.memory
        if not fits.any():
            raise Unpredictable(
                f"not feasible: no layout of {self.count:,} accelerators holds the training state "
                f"of {self.model.params / 1e9:,.0f} bn values"
            )
        filled = fits & (self.micro_batches >= 1)
        if not filled.any():
            raise Unpredictable(
                f"not feasible: a batch of {self.batch_tokens:,.0f} tokens is too small "
                f"for {self.count:,} accelerators"
            )
        return filled


@dataclass(frozen=True)
class _Times:
    """Seconds of a step by layout: what keeps an accelerator busy, and the step itself."""

    compute: Array
    memory: Array
    network: Array
    waiting: Array
    step: Array


def _run(
    model: LanguageModel, system: System, precision: str, seq_len: int, count: int, batch_tokens: float
) -> _Run:
    rates = machine(system, precision, TRAINING_FALLBACK)
    if count > rates.domain and rates.nic == 0:
        raise Unpredictable("not predictable: missing network bandwidth")
    return _Run(model, rates, _layouts(model, rates, count), seq_len, count, batch_tokens)


def _train(run: _Run, system: System, phase: str) -> PhasePerformance:
    times, share = _times(run), run.batch_tokens / run.count
    rate = np.where(run.possible, share / times.step, 0.0)
    best = int(np.argmax(rate))
    seconds: dict[Limit, float] = {
        "compute": float(times.compute[best]),
        "memory bandwidth": float(times.memory[best]),
        "network": float(times.network[best]),
        "overhead": float(times.waiting[best]),
    }
    layout = {name: float(getattr(run.layouts, name)[best]) for name in LAYOUT}
    flops = 3 * run.model.forward_flops(run.seq_len / 2)
    return PhasePerformance(
        phase=phase,
        system=system.id,
        work_per_s=float(rate[best]),
        watts=watts(system, seconds, float(times.step[best])),
        limited_by=max(seconds, key=lambda kind: seconds[kind]),
        note=joined(run.rates.note, shape_note(run.model)),
        details={
            "mfu": float(rate[best]) * flops / run.rates.peak_16,
            "step_s": float(times.step[best]),
            "memory_gb": float(_memory(run)[best]) / 1e9,
            **layout,
            **{f"{kind.replace(' ', '_')}_s": value for kind, value in seconds.items()},
        },
    )


def _times(run: _Run) -> _Times:
    """A step: the pipeline over all micro-batches, then what the reduction takes beyond the backward pass."""
    parts, share = _token_seconds(run), run.batch_tokens / run.count
    exposed = _exposed(parts) * share
    pipeline = exposed * run.bubble
    reduction = _reduction_seconds(run)
    late = reduction - HIDDEN_DATA * np.minimum(reduction, pipeline * 2 / 3)
    scale = 1 + SCALE_LOSS * max(0.0, float(np.log2(run.count / 8)))
    return _Times(
        compute=parts["compute"] * share,
        memory=parts["memory"] * share,
        network=(parts["tensor"] + parts["expert"]) * share + late,
        waiting=pipeline - exposed,
        step=(pipeline + late) * scale,
    )


def _layouts(model: LanguageModel, rates: Machine, count: int) -> Layouts:
    """Every layout of powers of two that the cluster, the domain, the layers and the experts allow."""
    tensors = [t for t in powers_of_two(MAX_TENSOR) if t <= min(rates.domain, model.heads, count)]
    pipelines = [p for p in powers_of_two(64) if p <= min(model.layers, count)]
    experts = [e for e in powers_of_two(256) if e <= model.experts] if model.is_moe else [1]
    rows = [
        row
        for row in product(tensors, pipelines, experts, SEQUENCES, (0, 1))
        if row[0] * row[1] <= count and row[1] * row[2] <= count
    ]
    columns = np.array(rows, dtype=np.float64).T
    return Layouts(*columns)


def _token_seconds(run: _Run) -> dict[str, Array]:
    """Seconds one accelerator would take for all work of one token, forward and backward, by kind."""
    model, rates, layouts = run.model, run.rates, run.layouts
    passes = 3 + layouts.recompute
    grouped = passes * 2 * model.grouped_params / rates.grouped
    grouped = grouped * np.where(layouts.expert > 1, EXPERT_IMBALANCE, 1.0)
    tokens = run.seq_len * layouts.sequences
    traffic = (
        EXPERT_TRAFFIC_BYTES * model.routed_params / rates.stream * layouts.tensor / layouts.expert / tokens
    )
    attention = (
        model.attention_flops(run.seq_len / 2) / rates.attention * (ATTENTION_PASSES + layouts.recompute)
    )
    compute = (
        passes * 2 * model.gemm_params / rates.gemm + np.where(grouped >= traffic, grouped, 0.0) + attention
    )
    casts = CAST_SHARE if rates.weight_bytes < ACTIVATION_BYTES else 0.0
    memory = passes * model.elementwise_values() * 2 * (1 + casts) / rates.elementwise
    memory = memory + np.where(grouped >= traffic, 0.0, traffic)
    return {
        "compute": compute,
        "memory": memory,
        "tensor": _tensor_seconds(model, rates, layouts),
        "expert": _expert_seconds(model, rates, layouts),
    }


def _tensor_seconds(model: LanguageModel, rates: Machine, layouts: Layouts) -> Array:
    """All-reduces: two a layer forward, two backward, two more where the forward pass is repeated."""
    size = layouts.tensor
    moved = 2 * (size - 1) / size * model.hidden * ACTIVATION_BYTES * model.layers
    return np.asarray((4 + 2 * layouts.recompute) * moved * size / (rates.scale_up or np.inf))


def _expert_seconds(model: LanguageModel, rates: Machine, layouts: Layouts) -> Array:
    """Tokens to experts and back, forward and backward; copies travel once a node."""
    if not model.is_moe:
        return np.zeros_like(layouts.expert)
    sent = DISPATCH_BYTES if rates.weight_bytes <= 1 else ACTIVATION_BYTES
    width = (model.moe_latent or model.hidden) * (sent + ACTIVATION_BYTES)
    inside, across = token_copies(model.experts_per_token, rates.domain, layouts.expert, once_a_node=True)
    moved = np.maximum(inside / (rates.scale_up or np.inf), across / (rates.nic or np.inf))
    return np.asarray(2 * model.moe_layers * width * moved)


def _exposed(parts: dict[str, Array]) -> Array:
    """Seconds of a token after overlap."""
    busy = parts["compute"] + parts["memory"]
    tensor = parts["tensor"] - HIDDEN_TENSOR * np.minimum(busy, parts["tensor"])
    expert = parts["expert"] - HIDDEN_EXPERT * np.minimum(busy, parts["expert"])
    return np.asarray(busy + tensor + expert)


def _local_values(model: LanguageModel, layouts: Layouts) -> tuple[Array, Array]:
    """Values of dense layers and of experts on one accelerator."""
    dense = (model.params - model.routed_params) / (layouts.tensor * layouts.pipeline)
    return dense, model.routed_params / (layouts.expert * layouts.pipeline)


def _reduction_seconds(run: _Run) -> Array:
    """Reduce-scatter of bf16 gradients and all-gather of bf16 weights, once a step."""
    dense, experts = _local_values(run.model, run.layouts)
    ranks, expert_ranks = run.replicas, _expert_ranks(run)
    moved = 2 * ACTIVATION_BYTES * (dense * (ranks - 1) / ranks + experts * (expert_ranks - 1) / expert_ranks)
    return np.asarray(moved / (run.rates.link(run.count) or np.inf))


def _expert_ranks(run: _Run) -> Array:
    """Accelerators that hold the same experts."""
    return np.maximum(1.0, run.count / (run.layouts.expert * run.layouts.pipeline))


def _memory(run: _Run) -> Array:
    """Bytes on the fullest accelerator: weights, gradients, optimiser shard, activations in flight, logits.

    A layer keeps about half of the 2-byte values it moves, as the 34 s b h of arXiv:2205.05198 for a plain
    layer; the first of p stages holds p micro-batches of 1/p of the layers. Recomputation keeps
    the inputs of layers and the activations of one.
    """
    model, layouts = run.model, run.layouts
    dense, experts = _local_values(model, layouts)
    state = (dense + experts) * WEIGHT_AND_GRADIENT_BYTES
    state = state + OPTIMISER_BYTES * (dense / run.replicas + experts / _expert_ranks(run))
    kept = model.elementwise_values()
    repeated = 2 * model.hidden * model.layers + kept / model.layers
    tokens = run.seq_len * layouts.sequences
    in_flight = tokens / layouts.tensor * np.where(layouts.recompute == 1, repeated, kept)
    logits = tokens * model.vocab * LOGIT_BYTES / layouts.tensor
    return np.asarray(state + in_flight + logits)
