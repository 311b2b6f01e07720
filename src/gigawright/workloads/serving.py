"""LLM serving by roofline: prefill and decode apart, from architecture, KV budget and links.

Each step adds four parts: dense products, routed experts, attention, exchange; each of the first three
takes the longer of its flops and its bytes. The group of accelerators and the batch are searched, and
the pair with the most tokens a second an accelerator holds. See docs/workloads.md for the equations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gigawright.catalogue.types import System
from gigawright.workloads import parallel
from gigawright.workloads.language import LanguageModel, shape_note
from gigawright.workloads.parallel import Array, Flags, Groups
from gigawright.workloads.performance import Limit, PhasePerformance, Unpredictable, answer, joined
from gigawright.workloads.power import watts
from gigawright.workloads.roofline import Machine, machine

BATCHES: Array = np.unique(np.round(1.05 ** np.arange(0, 186)))
"""Sequences in a batch that are tried: 1 to about 8,300 in steps of 5%."""

PREFILL_TOKENS = 8192.0
"""Tokens a prefill step takes from an attention replica; assumption: a usual chunk budget of engines."""

STEP_S = 1.5e-3
"""Host time a step that nothing hides [s]; assumption: scheduling and sampling with CUDA graphs."""

LAYER_S = 15e-6
"""Launch and synchronisation time a layer [s]; assumption: some six kernels of 2-3 us gaps."""

RELOAD_BYTES_S = 25e9
"""Rate at which cached prefixes return to the device [bytes/s]; assumption: half of PCIe 5 x16."""


@dataclass(frozen=True)
class Step:
    """Seconds of one step's parts, arrays over groups and batches, and what it computes."""

    compute: Array
    memory: Array
    network: Array
    overhead: float
    total: Array
    flops: Array


def serve_prefill(
    model: LanguageModel,
    system: System,
    *,
    precision: str = "fp8",
    input_tokens: float,
    cached_share: float = 0.0,
    kv_bytes_per_value: float = 2.0,
    phase: str = "prefill",
) -> PhasePerformance:
    """Submitted input tokens a second an accelerator prefills, cached ones included.

    `cached_share` of a request's `input_tokens` is found in the prefix cache and costs a reload alone;
    the others are computed, at a mean context of (1 + cached_share) / 2 of the request. Refused where
    the data sheet lacks a rate or the weights fit nowhere.
    """
    return answer(
        phase,
        system,
        lambda: _prefill(
            _case(model, system, precision, kv_bytes_per_value, phase), input_tokens, cached_share
        ),
    )


def serve_decode(
    model: LanguageModel,
    system: System,
    *,
    precision: str = "fp8",
    input_tokens: float,
    output_tokens: float,
    tpot_limit_s: float = 0.05,
    kv_bytes_per_value: float = 2.0,
    phase: str = "decode",
) -> PhasePerformance:
    """Output tokens a second an accelerator decodes, no token taking longer than `tpot_limit_s`.

    A sequence holds `input_tokens + output_tokens / 2` tokens of cache on average (paged memory).
    Refused where the data sheet lacks a rate, the weights fit nowhere, or no batch keeps the limit.
    """
    context = input_tokens + output_tokens / 2
    return answer(
        phase,
        system,
        lambda: _decode(_case(model, system, precision, kv_bytes_per_value, phase), context, tpot_limit_s),
    )


@dataclass(frozen=True)
class _Case:
    """A model on a system at a precision, with every group it may be spread over; shapes (group, 1)."""

    model: LanguageModel
    system: System
    phase: str
    kv_value: float
    rates: Machine
    groups: Groups

    @property
    def spread(self) -> Array:
        """Accelerators that share one attention replica."""
        return np.where(self.groups.tensor == 1, self.groups.size, 1.0)

    @property
    def weights(self) -> Array:
        """Bytes of weights on one accelerator."""
        return parallel.weight_bytes(self.model, self.rates, self.groups)

    @property
    def copies(self) -> Array:
        """How often a group holds each key and value."""
        return parallel.kv_copies(self.model, self.groups)


def _case(model: LanguageModel, system: System, precision: str, kv_value: float, phase: str) -> _Case:
    rates = machine(system, precision)
    groups = parallel.candidate_groups(model, rates).columns
    return _Case(model, system, phase, kv_value, rates, groups)


def _decode(case: _Case, context: float, limit_s: float) -> PhasePerformance:
    each = BATCHES[None, :] / case.spread
    kv = case.model.kv_bytes(context, case.kv_value) * case.copies * each
    fits = case.weights + kv <= case.rates.memory
    _must_fit(case, fits)
    read = case.model.kv_read_bytes(context, case.kv_value) * case.copies
    attention = case.model.attention_flops(context, absorbed=case.model.is_mla)
    step = step_seconds(case.model, case.rates, case.groups, BATCHES[None, :], attention, read, False)
    timely = step.total <= limit_s
    rate = np.where(fits & timely, each / step.total, 0.0)
    if not rate.any():
        best = float(step.total[fits].min())
        raise Unpredictable(
            f"not feasible: an output token takes {best * 1e3:.0f} ms at least, "
            f"the limit is {limit_s * 1e3:.0f} ms"
        )
    at = _best(rate)
    details = {
        "batch": float(each[at]),
        "context_tokens": context,
        "kv_tokens": float(each[at]) * context,
        "kv_gb": float(kv[at]) / 1e9,
        "tpot_s": float(step.total[at]),
    }
    return _chosen(case, step, at, float(rate[at]), _cap(at, fits, timely), details)


def _cap(at: tuple[int, int], fits: Flags, timely: Flags) -> Limit:
    """What keeps the batch from growing: memory, the limit on a token's time, or neither."""
    row, column = at[0], at[1] + 1
    if column >= BATCHES.size:
        return ""
    if not fits[row, column]:
        return "memory capacity"
    return "" if timely[row, column] else "latency limit"


def _prefill(case: _Case, length: float, cached: float) -> PhasePerformance:
    if not 0 <= cached < 1:
        raise Unpredictable(f"not predictable: the cached share is {cached:g}, not from 0 up to 1")
    tokens = np.array([[PREFILL_TOKENS]])
    per_sequence = case.model.kv_bytes(length, case.kv_value)
    held = per_sequence * max(1.0, PREFILL_TOKENS / length) * case.copies / case.spread
    fits = case.weights + held <= case.rates.memory
    _must_fit(case, fits)
    attention = case.model.attention_flops(length * (1 + cached) / 2)
    step = step_seconds(case.model, case.rates, case.groups, tokens, attention, np.zeros((1, 1)), True)
    reloaded = tokens / case.spread * cached / (1 - cached) * per_sequence / length
    step = _with_network(step, reloaded / RELOAD_BYTES_S)
    rate = np.where(fits, tokens / case.spread / step.total / (1 - cached), 0.0)
    at = _best(rate)
    details = {"step_s": float(step.total[at]), "computed_tokens_per_s": float(rate[at]) * (1 - cached)}
    return _chosen(case, step, at, float(rate[at]), "", details)


def _best(rate: Array) -> tuple[int, int]:
    """Where the rate is highest; the smallest group among equals."""
    row, column = np.unravel_index(int(np.argmax(rate)), rate.shape)
    return int(row), int(column)


def step_seconds(
    model: LanguageModel,
    rates: Machine,
    groups: Groups,
    tokens: Array,
    attention_flops: float,
    kv_read: Array,
    once_a_node: bool,
) -> Step:
    """Seconds of a step in which each attention replica takes `tokens`; shapes (group, batch).

    `attention_flops` and `kv_read` [bytes] are those of one token; the docs call them F_a and R.
    """
    size, tensor = groups.size, groups.tensor == 1
    each = np.where(tensor, tokens / size, tokens)
    dense_flops = 2 * model.gemm_params * each
    whole = model.gemm_params * rates.weight_bytes
    dense = _longer(dense_flops / rates.gemm, np.where(tensor, whole / size, whole) / rates.stream + 0 * each)
    imbalance = np.where(tensor, 1.0, parallel.EXPERT_IMBALANCE)
    expert_flops = 2 * model.grouped_params * each * imbalance
    touched = parallel.touched_share(model, np.where(tensor, tokens, tokens * size))
    routed = model.routed_params * rates.weight_bytes / size * touched
    experts = _longer(expert_flops / rates.grouped, routed / rates.stream)
    attention = _longer(attention_flops * each / rates.attention, kv_read * each / rates.stream)
    moved = model.elementwise_values() * 2 * each / rates.elementwise
    compute = dense[0] + experts[0] + attention[0]
    memory = dense[1] + experts[1] + attention[1] + moved
    network = parallel.exchange_seconds(model, rates, groups, tokens, once_a_node)
    hidden = np.where(tensor, 0.0, parallel.HIDDEN_ALL_TO_ALL) * np.minimum(compute + memory, network)
    overhead = STEP_S + LAYER_S * model.layers
    flops = dense_flops + 2 * model.grouped_params * each + attention_flops * each
    return Step(compute, memory, network, overhead, compute + memory + network - hidden + overhead, flops)


def _with_network(step: Step, seconds: Array) -> Step:
    network = step.network + seconds
    return Step(step.compute, step.memory, network, step.overhead, step.total + seconds, step.flops)


def _longer(flops_s: Array, bytes_s: Array) -> tuple[Array, Array]:
    """The longer of two overlapping times, put under the one that sets it: (compute, memory)."""
    return np.where(flops_s >= bytes_s, flops_s, 0.0), np.where(flops_s >= bytes_s, 0.0, bytes_s)


def _must_fit(case: _Case, fits: Flags) -> None:
    if fits.any():
        return
    if case.rates.scale_up == 0 and case.system.accelerators > 1:
        raise Unpredictable("not predictable: missing scale-up bandwidth")
    need, have = case.model.params * case.rates.weight_bytes / 1e9, case.rates.memory / 1e9
    raise Unpredictable(
        f"not feasible: weights of {need:,.0f} GB and one request do not fit "
        f"in groups of up to {int(case.groups.size.max())} x {have:,.0f} GB"
    )


def _chosen(
    case: _Case, step: Step, at: tuple[int, int], rate: float, cap: Limit, details: dict[str, float]
) -> PhasePerformance:
    total = float(step.total[at])
    seconds: dict[Limit, float] = {
        "compute": float(step.compute[at]),
        "memory bandwidth": float(step.memory[at]),
        "network": float(step.network[at]),
        "overhead": step.overhead,
    }
    limit = max(seconds, key=lambda kind: seconds[kind])
    if cap and limit in ("memory bandwidth", "overhead"):
        limit = cap
    details |= {
        "weights_gb": float(case.weights[at[0], 0]) / 1e9,
        "group": float(case.groups.size[at[0], 0]),
        "tensor_parallel": float(case.groups.tensor[at[0], 0]),
        "mfu": float(step.flops[at]) / total / case.rates.peak_16,
        **{f"{kind.replace(' ', '_')}_s": value for kind, value in seconds.items()},
    }
    return PhasePerformance(
        phase=case.phase,
        system=case.system.id,
        work_per_s=rate,
        watts=watts(case.system, seconds, total),
        limited_by=limit,
        note=joined(case.rates.note, shape_note(case.model)),
        details=details,
    )
