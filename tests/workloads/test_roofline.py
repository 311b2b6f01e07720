from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from gigawright.catalogue.types import System
from gigawright.workloads.architecture import generation_model, language_model, recommender_model
from gigawright.workloads.generation import generate_image, generate_video
from gigawright.workloads.power import IDLE_SHARE, watts
from gigawright.workloads.recommender import rank
from gigawright.workloads.roofline import BYTES, FALLBACK, OPERATORS, REACHED, machine, reached
from gigawright.workloads.serving import serve_decode, serve_prefill

from .conftest import H100, system_of


def test_shares_are_shares_with_a_source() -> None:
    for row in REACHED:
        assert 0 < row.share < 1
        assert len(row.source) > 5
        assert row.operator in OPERATORS


@pytest.mark.parametrize("operator", OPERATORS)
def test_any_accelerator_has_every_share(operator: str) -> None:
    assert 0 < reached("unheard of", "nobody", operator).share < 1  # type: ignore[arg-type]


def test_names_come_before_vendors() -> None:
    assert reached("GB200 NVL72 (per GPU)", "NVIDIA", "gemm").share == pytest.approx(0.729 * 0.77)
    assert reached("A800 SXM 80GB (China)", "NVIDIA", "gemm").share == pytest.approx(0.869 * 0.77)
    assert reached("XiYun C550 OAM 64GB", "MetaX", "stream").share == 0.754
    assert reached("Ascend 910C", "Huawei", "gemm").confidence == "derived"


def test_every_fallback_has_bytes() -> None:
    assert {name for order in FALLBACK.values() for name in order} == set(BYTES)


def test_a_derived_rate_is_said(variant: Callable[..., System]) -> None:
    system = variant(derived=frozenset({"fp8"}))
    assert machine(system, "fp8").note == "the fp8 rate is derived, not published"
    assert machine(system, "bf16").note == ""


def test_power_lies_between_idle_and_full(h100: System) -> None:
    assert watts(h100, {}, 1.0) == pytest.approx(1275 * IDLE_SHARE)
    assert watts(h100, {"compute": 1.0}, 1.0) == pytest.approx(1275)
    assert watts(h100, {"compute": 1.0, "network": 5.0}, 1.0) == pytest.approx(1275)


def test_a_table_of_twenty_systems_takes_half_a_second() -> None:
    systems = [system_of(replace(H100, id=str(n), memory_gb=80.0 + n)) for n in range(20)]
    seed, routed = language_model("seed-oss-36b"), language_model("deepseek-v3")
    flux, wan = generation_model("flux.1-dev@1024"), generation_model("wan2.1-t2v-14b@480p-81f")
    ranker = recommender_model("rankmixer-1b")
    start = time.perf_counter()
    for system in systems:
        for model in (seed, routed):
            assert serve_prefill(model, system, input_tokens=3000).work_per_s > 0
            assert serve_decode(model, system, input_tokens=3000, output_tokens=800).work_per_s > 0
        assert generate_image(flux, system).work_per_s > 0
        assert generate_video(wan, system).work_per_s > 0
        assert rank(ranker, system, candidates=300).work_per_s > 0
        assert rank(ranker, system, candidates=600).work_per_s > 0
    assert time.perf_counter() - start < 2.0  # 0.5 s on a quiet machine
