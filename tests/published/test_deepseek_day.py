"""DeepSeek's day: nodes an open serving fleet needed, against the published average.

Source: deepseek-ai/open-infra-index, 202502OpenSourceWeek, day 6 (24 hours to 2025-02-28 12:00 UTC+8):
608 bn input tokens, 56.3% of them found in the cache, 168 bn output tokens at 20-22 tokens/s, on 226.75
nodes of eight H800 on average, 73.7 k input and 14.8 k output tokens a second and node; the average
length of the KV cache is 4,989 tokens an output token.

Assumptions: the mean request has 4,489 input and 1,000 output tokens, so that the cache holds 4,989 on
average while it decodes (the split is not published); 50 ms a token, the published pace.
"""

from __future__ import annotations

import pytest

from gigawright.catalogue.types import Accelerator, System
from gigawright.workloads.architecture import language_model
from gigawright.workloads.performance import PhasePerformance
from gigawright.workloads.serving import serve_decode, serve_prefill

DAY_S = 86_400.0
NODE = 8


@pytest.fixture(scope="module")
def h800() -> System:
    chip = Accelerator(
        id="nv_h800",
        name="H800 SXM5 80GB (China)",
        vendor="NVIDIA",
        made_for="abroad",
        peak_tflops={"bf16": 989.0, "fp16": 989.0, "fp8": 1979.0, "int8": 1979.0},
        memory_gb=80.0,
        memory_gbs=3360.0,
        scaleup_gbs=200.0,
        scaleup_domain=8,
        nic_gbps=400.0,
        tdp_w=700.0,
        die_mm2=814.0,
        tpp=15832.0,
    )
    return System(
        id="hgx_h800_8",
        name="HGX H800",
        accelerator=chip,
        accelerators=NODE,
        kw_per_accelerator=1.275,
        cooling="air",
        chip_kusd=None,
        server_kusd=8.0,
        network_kusd=4.0,
        storage_kusd=1.0,
        lead_quarters=2,
        life_years=5.0,
        prepay_share=0.3,
        lease_usd_per_hour=2.0,
    )


@pytest.fixture(scope="module")
def phases(h800: System) -> tuple[PhasePerformance, PhasePerformance]:
    model = language_model("deepseek-v3")
    return (
        serve_prefill(model, h800, precision="fp8", input_tokens=4489, cached_share=0.563),
        serve_decode(model, h800, precision="fp8", input_tokens=4489, output_tokens=1000, tpot_limit_s=0.05),
    )


def test_the_fleet_is_predicted_within_half(phases: tuple[PhasePerformance, PhasePerformance]) -> None:
    prefill, decode = phases
    nodes = (608e9 / prefill.work_per_s + 168e9 / decode.work_per_s) / DAY_S / NODE
    assert nodes == pytest.approx(226.75, rel=0.5)


def test_each_phase_is_predicted_within_two_thirds(
    phases: tuple[PhasePerformance, PhasePerformance],
) -> None:
    prefill, decode = phases
    assert prefill.work_per_s * NODE == pytest.approx(73_700, rel=0.67)
    assert decode.work_per_s * NODE == pytest.approx(14_800, rel=0.67)


def test_it_spreads_experts_over_nodes_as_deepseek_does(
    phases: tuple[PhasePerformance, PhasePerformance],
) -> None:
    for phase in phases:
        assert phase.details["group"] > NODE
        assert phase.details["tensor_parallel"] == 0
