"""From a planned phase to the configuration whose response surface tells what users feel of it."""

from __future__ import annotations

import math
from dataclasses import replace

from gigawright.catalogue.types import System
from gigawright.workloads.calibrated import Calibrated
from gigawright.workloads.language import LanguageModel
from gigawright.workloads.performance import PhasePerformance, Unpredictable
from gigawright.workloads.requests.pace import Pace
from gigawright.workloads.serving.levels import levels
from gigawright.workloads.serving.load import PARTS, moved
from gigawright.workloads.serving.paces import pace_of
from gigawright.workloads.serving.planned import answers, placed_as, prompts
from gigawright.workloads.serving.predictor import calibration
from gigawright.workloads.serving.service import Service
from gigawright.workloads.serving.sizes import sizes
from gigawright.workloads.serving.surface_build import Configuration


def prompts_configuration(
    model: LanguageModel,
    system: System,
    done: PhasePerformance,
    *,
    precision: str,
    input_tokens: float,
    cached_share: float = 0.0,
) -> Configuration:
    """Prompts as `planned.serve_prefill` has placed them. Raises Unpredictable."""
    placed = placed_as(done, prompts(model, system, precision, input_tokens, cached_share))
    known = calibration()
    return Configuration(
        "ttft",
        _one_of(_pace(placed, known), int(done.details["replicas"])),
        full_per_s=done.work_per_s * done.details["tensor_parallel"] / input_tokens,
        running=1.0,
        input_tokens=input_tokens,
        output_tokens=1.0,
        cached=cached_share,
        fixed_s=_fixed_s(placed, known),
    )


def answers_configuration(
    model: LanguageModel,
    system: System,
    done: PhasePerformance,
    *,
    precision: str,
    input_tokens: float,
    output_tokens: float,
    tpot_limit_s: float,
) -> Configuration:
    """Answers as `planned.serve_decode` has placed them. Raises Unpredictable."""
    asked = answers(model, system, precision, input_tokens, output_tokens, tpot_limit_s)
    placed = placed_as(done, asked)
    group = done.details["group"]
    return Configuration(
        "tpot",
        _pace(placed, calibration()),
        full_per_s=done.work_per_s * group / output_tokens,
        running=done.details["batch"] * group,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
    )


def _pace(placed: Service, known: Calibrated) -> Pace:
    found = pace_of(placed, known)
    if not isinstance(found, Pace):
        raise Unpredictable("not predictable: a phase of its own has no workers of another phase")
    return found


def _one_of(pace: Pace, replicas: int) -> Pace:
    """One of a worker's attention replicas, the others as busy: a prompt is read by one of them."""
    if replicas == 1:
        return pace
    return replace(
        pace,
        tokens_s=pace.tokens_s[::replicas],
        blocks=max(1, pace.blocks // replicas),
        max_sequences=max(1, pace.max_sequences // replicas),
        pair_s=pace.pair_s * replicas,
        window_pair_s=pace.window_pair_s * replicas,
        encode_s=pace.encode_s * replicas,
    )


def _fixed_s(placed: Service, known: Calibrated) -> float:
    """What a first token waits for besides iterations: the host, and its cache on the way to the worker that
    decodes.
    """
    c = known.constants
    more = known.hierarchy.multipliers([levels(placed, "ttft")])[0]
    of = dict(zip(PARTS, more.tolist(), strict=True))
    front = c["front_s"] + c["front_token_s"] * placed.input_tokens
    sent = float(moved(sizes([placed], prompts=True), c)[0])
    return front * math.exp(of["front"]) + sent * math.exp(of["prompt network"])
