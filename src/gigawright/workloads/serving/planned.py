"""Serving as a plan asks for it: prompts and answers as phases of their own, on one system each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gigawright.catalogue.types import System
from gigawright.workloads.calibrated import Calibrated
from gigawright.workloads.language import LanguageModel, shape_note
from gigawright.workloads.performance import Limit, PhasePerformance, Unpredictable, answer, joined
from gigawright.workloads.power import watts
from gigawright.workloads.serving.layouts import laid_out
from gigawright.workloads.serving.predictor import Predicted, calibration, predict_services
from gigawright.workloads.serving.prompt_layout import prompts_laid_out
from gigawright.workloads.serving.service import Kind, Layout, Service
from gigawright.workloads.serving.sizes import BYTES, computed_precision, dense_precision

ROUNDING = 1e-6
"""Share of a limit by which a time may pass it: the load that keeps it is found by halving."""

FEW_NODES = 64
"""Accelerators over which a planned worker is spread at most, where its network is known; assumption: eight
nodes, between DeepSeek's 32 for prompts and 144 for answers."""


def serve_prefill(
    model: LanguageModel,
    system: System,
    *,
    precision: str = "fp8",
    input_tokens: float,
    cached_share: float = 0.0,
    ttft_limit_s: float = np.inf,
    phase: str = "prefill",
) -> PhasePerformance:
    """Submitted input tokens a second an accelerator prefills, cached ones included.

    `cached_share` of a request's `input_tokens` is found in the prefix cache and costs a reload alone. With a
    limit, the layout is one that leaves a long prompt time to wait (`prompt_layout`). Refused where the data
    sheet lacks a rate or the weights fit nowhere.
    """
    if not 0 <= cached_share < 1:
        return answer(phase, system, lambda: _no_share(cached_share))
    asked = prompts(model, system, precision, input_tokens, cached_share)
    return answer(phase, system, lambda: _planned(asked, system, phase, ttft_limit_s))


def serve_decode(
    model: LanguageModel,
    system: System,
    *,
    precision: str = "fp8",
    input_tokens: float,
    output_tokens: float,
    tpot_limit_s: float = 0.05,
    phase: str = "decode",
) -> PhasePerformance:
    """Output tokens a second an accelerator decodes, of which 99 in 100 take no longer than `tpot_limit_s`.

    Refused where the data sheet lacks a rate, the weights fit nowhere, or no load keeps the limit.
    """
    asked = answers(model, system, precision, input_tokens, output_tokens, tpot_limit_s)
    return answer(phase, system, lambda: _planned(asked, system, phase))


def prompts(
    model: LanguageModel, system: System, precision: str, input_tokens: float, cached: float = 0.0
) -> Service:
    """Prompts alone, as a plan asks for them."""
    return replace(_service(model, system, precision, "prefill", input_tokens, 1.0), cached=cached)


def answers(
    model: LanguageModel,
    system: System,
    precision: str,
    input_tokens: float,
    output_tokens: float,
    tpot_limit_s: float,
) -> Service:
    """Answers alone, as a plan asks for them."""
    asked = _service(model, system, precision, "decode", input_tokens, output_tokens)
    return replace(asked, tpot_limit_s=tpot_limit_s)


def placed_as(done: PhasePerformance, asked: Service) -> Service:
    """What was asked, in the layout that a planned phase was given."""
    names = ("tensor_parallel", "replicas", "expert_tensor", "expert_ranks")
    tensor, data, expert_tensor, expert = (int(done.details[name]) for name in names)
    return replace(asked, layout=Layout(tensor, data, 1, expert_tensor, expert))


def _no_share(cached: float) -> PhasePerformance:
    raise Unpredictable(f"not predictable: the cached share is {cached:g}, not from 0 up to 1")


def _service(
    model: LanguageModel, system: System, precision: str, kind: Kind, asked: float, answered: float
) -> Service:
    """A service with a cache as wide as its weights, up to 8 bits less."""
    return Service(
        model=model,
        chip=system.accelerator,
        layout=None,
        input_tokens=asked,
        output_tokens=answered,
        concurrency=np.inf,
        precision=precision,
        kv_bytes=max(1.0, BYTES.get(precision, 1.0)),
        kind=kind,
    )


def _planned(asked: Service, system: System, phase: str, ttft_limit_s: float = np.inf) -> PhasePerformance:
    known = calibration()
    wide = replace(asked, gpus=_reach(asked, system))
    limited = np.isfinite(ttft_limit_s)
    placed = prompts_laid_out(wide, known, ttft_limit_s) if limited else laid_out(wide, known.constants)
    done = predict_services([placed], known)[0]
    if done.refused:
        raise Unpredictable(done.refused)
    limit = asked.tpot_limit_s
    if limit and done.tpot_s > limit * (1 + ROUNDING):
        raise Unpredictable(
            f"not feasible: an output token takes {done.tpot_s * 1e3:.0f} ms at least, "
            f"the limit is {limit * 1e3:.0f} ms"
        )
    seconds = done.spent
    total = sum(seconds.values())
    rate = done.tokens_per_s / (1 - asked.cached)
    return PhasePerformance(
        phase=phase,
        system=system.id,
        work_per_s=rate,
        watts=watts(system, seconds, total),
        limited_by=done.limited_by,
        note=joined(_stand_in(asked), shape_note(asked.model)),
        details=_details(placed, done, seconds, known),
    )


def _reach(asked: Service, system: System) -> int:
    """Accelerators a worker may be spread over: a node, or some where the chip's network is known."""
    domain = max(1, int(system.accelerator.scaleup_domain or 1))
    node = max(domain, system.accelerators)
    wide = asked.model.is_moe and bool(system.accelerator.nic_gbps)
    return max(node, FEW_NODES) if wide else node


def _stand_in(asked: Service) -> str:
    """What is computed in place of a format that the chip lacks."""
    wanted = asked.precision
    used = computed_precision(asked.chip, wanted)
    if used == wanted:
        return ""
    return f"{wanted} is not in the data sheet of {asked.chip.name}: computed at {used}, read as {wanted}"


def _details(
    placed: Service, done: Predicted, seconds: dict[Limit, float], known: Calibrated
) -> dict[str, float]:
    layout = placed.layout
    if layout is None:
        raise ValueError("a planned service has a layout")
    context = placed.input_tokens + placed.output_tokens / 2
    seen = placed.input_tokens * (1 + placed.cached) / 2 if placed.kind == "prefill" else context
    flops = placed.model.forward_flops(seen) * done.tokens_per_s
    sixteen = placed.chip.peak_tflops.get("bf16") or placed.chip.peak_tflops.get("fp16") or np.nan
    return {
        "group": float(layout.accelerators),
        "tensor_parallel": float(layout.tensor),
        "replicas": float(layout.data),
        "expert_tensor": float(layout.expert_tensor),
        "expert_ranks": float(layout.expert),
        "batch": done.running * layout.data / layout.accelerators,
        "context_tokens": context,
        "kv_gb": done.running * placed.model.kv_bytes(context, placed.kv_bytes) / 1e9,
        "weights_gb": placed.model.params * BYTES[dense_precision(placed)] / layout.accelerators / 1e9,
        "tpot_s": done.tpot_s,
        "work_per_s_p10": done.tokens_per_s_p10 / (1 - placed.cached),
        "work_per_s_p90": done.tokens_per_s_p90 / (1 - placed.cached),
        "mfu": flops / (sixteen * 1e12),
        **{f"{kind.replace(' ', '_')}_s": value for kind, value in seconds.items()},
    }
