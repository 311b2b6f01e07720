from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawright.catalogue.types import System
from gigawright.workloads import serving
from gigawright.workloads.architecture import language_model
from gigawright.workloads.performance import PhasePerformance
from gigawright.workloads.roofline import machine
from gigawright.workloads.serving import serve_decode, serve_prefill

from .conftest import H100, system_of

MODELS = ("llama-3-8b", "llama-3-70b", "deepseek-v3", "qwen3-30b-a3b", "gpt-oss-120b", "qwen3-next-80b-a3b")


def test_decoding_a_small_model_is_counted_by_hand(variant: Callable[..., System]) -> None:
    """Llama 3 8B in bf16 alone on an H100: weights and cache over bandwidth, and the host."""
    model = language_model("llama-3-8b")
    alone = variant(scaleup_domain=1)
    done = serve_decode(
        model, alone, precision="bf16", input_tokens=1000, output_tokens=0, tpot_limit_s=0.0093
    )
    rates = machine(alone, "bf16")
    batch = done.details["batch"]
    weights = 2 * (8.03e9 - 128256 * 4096) / rates.stream
    cache = batch * 1000 * 32 * 8 * 256 * 2 / rates.stream
    moved = batch * model.elementwise_values() * 2 / rates.elementwise
    host = serving.STEP_S + 32 * serving.LAYER_S
    assert done.details["group"] == 1
    assert done.details["tpot_s"] == pytest.approx(weights + cache + moved + host, rel=0.001)
    assert done.work_per_s == pytest.approx(batch / done.details["tpot_s"])
    assert done.limited_by == "latency limit"


def test_prefilling_a_small_model_is_counted_by_hand(h100: System) -> None:
    model = language_model("llama-3-8b")
    done = serve_prefill(model, h100, precision="bf16", input_tokens=2000)
    rates = machine(h100, "bf16")
    token = 2 * model.gemm_params / rates.gemm + model.attention_flops(1000) / rates.attention
    token += model.elementwise_values() * 2 / rates.elementwise
    step = serving.PREFILL_TOKENS * token + serving.STEP_S + 32 * serving.LAYER_S
    assert done.work_per_s == pytest.approx(serving.PREFILL_TOKENS / step)
    assert done.limited_by == "compute"


def test_cached_tokens_cost_little(h100: System) -> None:
    model = language_model("llama-3-70b")
    cold = serve_prefill(model, h100, input_tokens=4000)
    warm = serve_prefill(model, h100, input_tokens=4000, cached_share=0.5)
    assert 1.6 * cold.work_per_s < warm.work_per_s < 2 * cold.work_per_s
    assert serve_prefill(model, h100, input_tokens=4000, cached_share=1.0).refused


def test_weights_that_do_not_fit_are_spread(h100: System) -> None:
    dense = serve_decode(language_model("llama-3.1-405b"), h100, input_tokens=1000, output_tokens=500)
    assert dense.details["group"] == 8
    assert dense.details["tensor_parallel"] == 1
    routed = serve_decode(language_model("deepseek-v3"), h100, input_tokens=1000, output_tokens=500)
    assert routed.details["group"] > 8
    assert routed.details["tensor_parallel"] == 0


def test_a_tight_limit_is_refused_with_the_time_it_would_take(h100: System) -> None:
    done = serve_decode(
        language_model("llama-3-70b"), h100, input_tokens=1000, output_tokens=500, tpot_limit_s=0.001
    )
    assert done.work_per_s == 0
    assert "the limit is 1 ms" in done.refused


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ({"memory_gbs": 0.0}, "not predictable: missing memory bandwidth"),
        ({"memory_gb": float("nan")}, "not predictable: missing memory size"),
        ({"peak_tflops": {}}, "not predictable: missing fp8 rate, nor int8, nor bf16, nor fp16"),
        ({"scaleup_gbs": None}, "not predictable: missing scale-up bandwidth"),
    ],
)
def test_what_is_missing_is_said(
    variant: Callable[..., System], missing: dict[str, object], reason: str
) -> None:
    system = variant(**missing)
    model = language_model("llama-3.1-405b")
    for done in (
        serve_prefill(model, system, input_tokens=1000),
        serve_decode(model, system, input_tokens=1000, output_tokens=500),
    ):
        assert done.refused == reason
        assert (done.work_per_s, done.watts) == (0.0, 0.0)


def test_missing_power_is_said() -> None:
    done = serve_prefill(language_model("llama-3-8b"), system_of(H100, kw=0.0), input_tokens=1000)
    assert done.refused == "not predictable: missing power"


def test_a_missing_precision_is_replaced_and_said(variant: Callable[..., System]) -> None:
    model = language_model("llama-3-8b")
    old = variant(name="Ascend 910B2", vendor="Huawei", peak_tflops={"bf16": 376.0, "fp16": 376.0})
    done = serve_prefill(model, old, precision="fp8", input_tokens=1000)
    same = serve_prefill(model, old, precision="bf16", input_tokens=1000)
    assert done.note == "fp8 is not in the data sheet of Ascend 910B2: bf16 instead"
    assert done.work_per_s == same.work_per_s
    assert same.note == ""


def test_an_assumed_shape_is_said(h100: System) -> None:
    done = serve_decode(language_model("seed-1.6"), h100, input_tokens=1000, output_tokens=500)
    assert done.note == "the shape of Seed 1.6 (Doubao 1.6) is assumed"


def test_longer_contexts_decode_slower(h100: System) -> None:
    model = language_model("llama-3-70b")
    paces = [
        serve_decode(model, h100, input_tokens=context, output_tokens=500).work_per_s
        for context in (500, 2000, 8000, 32000)
    ]
    assert paces == sorted(paces, reverse=True)


BETTER = st.fixed_dictionaries(
    {
        "memory_gb": st.floats(1.0, 3.0),
        "memory_gbs": st.floats(1.0, 3.0),
        "scaleup_gbs": st.floats(1.0, 3.0),
        "nic_gbps": st.floats(1.0, 3.0),
        "compute": st.floats(1.0, 3.0),
    }
)


def better_than_h100(factors: dict[str, float]) -> System:
    peaks = {name: peak * factors["compute"] for name, peak in H100.peak_tflops.items()}
    grown = {name: getattr(H100, name) * factor for name, factor in factors.items() if name != "compute"}
    return system_of(replace(H100, peak_tflops=peaks, **grown))


def both(model: str, system: System) -> tuple[PhasePerformance, PhasePerformance]:
    shape = language_model(model)
    return (
        serve_prefill(shape, system, input_tokens=3000, cached_share=0.3),
        serve_decode(shape, system, input_tokens=3000, output_tokens=800),
    )


@settings(deadline=None, max_examples=40)
@given(model=st.sampled_from(MODELS), factors=BETTER)
def test_more_of_anything_is_never_slower(model: str, factors: dict[str, float]) -> None:
    for before, after in zip(
        both(model, system_of(H100)), both(model, better_than_h100(factors)), strict=True
    ):
        assert after.work_per_s >= before.work_per_s * (1 - 1e-9)
        assert math.isfinite(after.work_per_s)
        assert 0 < after.details["mfu"] < 2  # of the 16-bit peak
        assert 0.3 * 1275 <= after.watts <= 1275.01
