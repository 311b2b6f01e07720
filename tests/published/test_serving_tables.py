"""Serving against published figures: DeepSeek's day, its profiles, and bytes of caches.

DeepSeek's day: deepseek-ai/open-infra-index, 202502OpenSourceWeek, day 6 (24 hours to 2025-02-28 12:00
UTC+8): 608 bn input tokens, 56.3% of them found in the cache, 168 bn output tokens at 20-22 tokens/s, on
226.75 nodes of eight H800 on average, 73.7 k input and 14.8 k output tokens a second and node; the average
length of the KV cache is 4,989 tokens an output token. Assumptions: the mean request has 4,489 input and
1,000 output tokens, so that the cache holds 4,989 on average while it decodes (the split is not published);
50 ms a token, the published pace.

Profiles: deepseek-ai/profile-data (prompts of 4,096 tokens, 16 k tokens a GPU on 32 H800; 128 requests a GPU
on 128 H800), as tokens a second and GPU in the README of alibaba/InferSim; rows of the fit among thousands.
Their experts are balanced by construction (README of profile-data), so none waits for the busiest rank.

Caches: 2 x 80 layers x 8 heads x 128 values x 2 bytes for Llama 3 70B; 61 layers x (512 + 64) values x 2
bytes for DeepSeek-V3 (arXiv:2505.09343, table 1: 70.272 kB, and 516.096 kB for Llama-3.1 405B).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gigawright.catalogue.load import load_facts
from gigawright.catalogue.records import system
from gigawright.catalogue.types import System
from gigawright.facts import FactBook
from gigawright.workloads.architecture import language_model
from gigawright.workloads.performance import PhasePerformance
from gigawright.workloads.serving.planned import serve_decode, serve_prefill
from gigawright.workloads.serving.predictor import calibration, predict_services
from gigawright.workloads.serving.service import Layout, Service

DAY_S = 86_400.0
NODE = 8
NODES = 226.75
DEEPSEEK = language_model("deepseek-v3")


@pytest.fixture(scope="module")
def h800() -> System:
    return system(FactBook(load_facts()), "hgx_h800_8")


@pytest.fixture(scope="module")
def phases(h800: System) -> tuple[PhasePerformance, PhasePerformance]:
    return (
        serve_prefill(DEEPSEEK, h800, precision="fp8", input_tokens=4489, cached_share=0.563),
        serve_decode(
            DEEPSEEK, h800, precision="fp8", input_tokens=4489, output_tokens=1000, tpot_limit_s=0.05
        ),
    )


def test_the_fleet_of_deepseeks_day_is_predicted_within_a_third(
    phases: tuple[PhasePerformance, PhasePerformance],
) -> None:
    prefill, decode = phases
    nodes = (608e9 / prefill.work_per_s + 168e9 / decode.work_per_s) / DAY_S / NODE
    assert nodes == pytest.approx(NODES, rel=1 / 3)


def test_each_phase_of_the_day_is_predicted_within_a_factor(
    phases: tuple[PhasePerformance, PhasePerformance],
) -> None:
    """Prompts within two thirds, answers within a third: DeepSeek's fleet is not full all day."""
    prefill, decode = phases
    assert prefill.work_per_s * NODE == pytest.approx(73_700, rel=0.67)
    assert decode.work_per_s * NODE == pytest.approx(14_800, rel=0.33)


def test_experts_are_spread_over_nodes_as_deepseek_does(
    phases: tuple[PhasePerformance, PhasePerformance],
) -> None:
    for phase in phases:
        assert phase.details["group"] > NODE
        assert phase.details["replicas"] > 1
        assert phase.details["tensor_parallel"] < NODE


def profiled(h800: System, kind: str, ranks: int, concurrency: float) -> float:
    asked = Service(
        model=DEEPSEEK,
        chip=h800.accelerator,
        layout=Layout(tensor=1, data=ranks, expert=ranks),
        input_tokens=4096,
        output_tokens=1,
        concurrency=concurrency,
        chunk=16_384,
    )
    asked = replace(asked, kind="prefill") if kind == "prefill" else replace(asked, kind="decode")
    known = calibration()
    balanced = replace(known, constants={**known.constants, "uneven": 0.0})
    return predict_services([asked], balanced)[0].tokens_per_s


def test_prompts_on_32_h800_within_half(h800: System) -> None:
    found = profiled(h800, "prefill", 32, np.inf)
    assert 7839 / 1.5 < found < 7839 * 1.5


def test_answers_on_128_h800_within_half(h800: System) -> None:
    found = profiled(h800, "decode", 128, 128 * 128)
    assert 2324 / 1.5 < found < 2324 * 1.5


@pytest.mark.parametrize(
    ("name", "wanted"), [("llama-3-70b", 327_680), ("deepseek-v3", 70_272), ("llama-3.1-405b", 516_096)]
)
def test_bytes_of_a_token_in_the_cache(name: str, wanted: int) -> None:
    assert language_model(name).kv_bytes(1, 2.0) == wanted
    assert language_model(name).kv_read_bytes(1000, 2.0) == 1000 * wanted
