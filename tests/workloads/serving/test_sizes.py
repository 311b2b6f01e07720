"""Services as arrays: formats, kernels, cache, and what a data sheet must tell."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from gigawright.catalogue.types import Accelerator
from gigawright.workloads.architecture import language_model
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.serving.service import PRECISIONS, Layout, Service
from gigawright.workloads.serving.sizes import (
    BYTES,
    Sizes,
    computed_precision,
    dense_precision,
    kernels,
    sizes,
)

from ..conftest import H100

A100 = replace(
    H100,
    id="a100",
    name="A100 SXM4 80GB",
    peak_tflops={"bf16": 312.0, "int8": 624.0},
    memory_gbs=2039.0,
)


def service(model: str = "llama-3.1-70b", chip: Accelerator = H100, **changes: Any) -> Service:
    asked: dict[str, Any] = {
        "layout": Layout(tensor=4),
        "input_tokens": 2000.0,
        "output_tokens": 500.0,
        "concurrency": 8.0,
    }
    return Service(model=language_model(model), chip=chip, **(asked | changes))


def one(found: Sizes, name: str) -> float:
    return float(getattr(found, name)[0])


@pytest.mark.parametrize(
    ("chip", "asked", "computed"),
    [
        (H100, "fp8", "fp8"),
        (H100, "fp4", "fp8"),
        (H100, "int4", "bf16"),
        (H100, "int8", "int8"),
        (A100, "fp4", "bf16"),
        (A100, "fp8", "bf16"),
        (A100, "int8", "int8"),
        (replace(H100, peak_tflops={"fp16": 100.0}), "fp8", "bf16"),
    ],
)
def test_formats_that_a_chip_lacks_are_computed_at_the_next(
    chip: Accelerator, asked: str, computed: str
) -> None:
    assert computed_precision(chip, asked) == computed


@pytest.mark.parametrize(("asked", "same"), [("fp4", "fp8"), ("int4", "bf16")])
def test_they_are_still_read_as_they_are_stored(asked: str, same: str) -> None:
    found, other = (sizes([service(precision=name)]) for name in (asked, same))
    assert one(found, "rate") == one(other, "rate")
    assert one(found, "expert_rate") == one(other, "expert_rate")
    assert one(found, "dense_bytes") == BYTES[asked] < one(other, "dense_bytes")


def test_a_4_bit_value_carries_a_scale_for_each_16() -> None:
    assert BYTES["fp4"] == BYTES["int4"] == (16 * 4 + 8) / 16 / 8
    assert set(BYTES) == set(PRECISIONS)


def test_4_bit_checkpoints_with_a_latent_keep_attention_at_16_bits() -> None:
    routed = service("deepseek-r1", precision="fp4")
    assert dense_precision(routed) == "bf16"
    assert dense_precision(service("deepseek-r1", precision="fp8", expert_precision="int4")) == "bf16"
    assert dense_precision(service("deepseek-r1", precision="fp8")) == "fp8"
    assert dense_precision(service("llama-3.1-70b", precision="fp4")) == "fp4"
    assert dense_precision(service("qwen3-235b-a22b", precision="fp4")) == "fp4"
    found = sizes([routed])
    assert one(found, "dense_bytes") == 2.0
    assert one(found, "expert_bytes") == 0.5625
    assert one(found, "rate") == 989e12 * 0.803
    assert one(found, "expert_rate") == 1979e12 * 0.709


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"peak_tflops": {}}, "missing fp8 rate of H100"),
        ({"peak_tflops": {"int8": 100.0}}, "missing fp8 rate"),
        ({"memory_gbs": 0.0}, "missing memory size or bandwidth"),
        ({"memory_gb": 0.0}, "missing memory size or bandwidth"),
    ],
)
def test_what_a_data_sheet_lacks_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(Unpredictable, match=words):
        sizes([service(chip=replace(H100, **changes))])


def test_a_format_nobody_knows_is_named() -> None:
    with pytest.raises(Unpredictable, match="precision 'fp6' is none of fp4"):
        computed_precision(H100, "fp6")


def test_unknown_links_are_assumed_and_unknown_cores_are_many() -> None:
    found = sizes([service(chip=replace(H100, scaleup_gbs=None, nic_gbps=None, cores=None))])
    assert one(found, "nic") == one(found, "scale_up") == 25e9  # 200 Gbit/s
    assert one(found, "domain") == 1.0
    assert one(found, "cores") == 128.0


def test_kernels_are_counted_by_kind_of_layer() -> None:
    dense = language_model("llama-3.1-70b")
    assert kernels(dense, "bf16", "bf16") == 80 * (7 + 4)
    assert kernels(dense, "fp8", "fp8") == 80 * (7 + 4)  # scaled by tensor, in the kernel before
    assert kernels(dense, "fp4", "fp4") == 80 * (7 + 4) + 2 * 160
    sparse = language_model("deepseek-v3")  # 3 dense layers, 58 with experts and a shared one
    plain = 61 * 10 + 3 * 4 + 58 * (10 + 3)
    assert kernels(sparse, "bf16", "bf16") == plain
    assert kernels(sparse, "bf16", "int4") == plain
    assert kernels(sparse, "bf16", "fp4") == plain + 2 * 58
    assert kernels(sparse, "fp8", "fp8") == plain + 2 * 58 + 2 * (61 + 3)
    linear = language_model("kimi-linear-48b-a3b")  # 20 of 27 layers are linear
    assert kernels(linear, "bf16", "bf16") == 20 * 8 + 7 * 10 + 4 + 26 * 13


def test_caches_split_over_heads_but_not_latents() -> None:
    assert one(sizes([service("llama-3.1-70b")]), "kv_split") == 8
    for latent in ("deepseek-v3", "deepseek-v3.2", "kimi-linear-48b-a3b", "deepseek-v4-pro"):
        assert one(sizes([service(latent)]), "kv_split") == 1


def test_cached_tokens_are_stored_but_not_computed() -> None:
    found = sizes([service(cached=0.75)])
    assert one(found, "prompt") == 500
    assert one(found, "passed") == 2000
    assert one(found, "stored") == 2000 * 163_840
    assert one(found, "fresh") == 500 * 163_840
    # The last quarter attends to seven eighths of all on average.
    assert one(found, "pairs") == pytest.approx(500 * language_model("llama-3.1-70b").attention_flops(1750))


def test_requests_are_held_at_the_middle_of_their_output() -> None:
    assert one(sizes([service()]), "held") == 2250 * 163_840
    assert one(sizes([service(kv_bytes=2.0)]), "held") == 2 * 2250 * 163_840


def test_readers_of_prompts_have_their_own_layout() -> None:
    apart = service(prefill=Layout(tensor=8), prefill_workers=3, workers=2)
    assert one(sizes([apart]), "tensor") == 4
    assert one(sizes([apart], prompts=True), "tensor") == 8
    assert apart.accelerators == 2 * 4 + 3 * 8
    assert one(sizes([service()], prompts=True), "tensor") == 4


def test_requests_are_shared_among_replicas_and_workers() -> None:
    found = sizes([service("deepseek-v3", layout=Layout(tensor=2, data=4), workers=2, concurrency=64.0)])
    assert found.asked[0] == 8
    assert found.ranks[0] == 8


def test_chunks_are_the_engines_unless_told() -> None:
    asked = [service(), service(engine="sglang"), service(engine="sglang", chunk=1024)]
    assert sizes(asked).chunk.tolist() == [8192, 32768, 1024]


def test_no_limit_is_infinite_and_no_output_a_token() -> None:
    found = sizes([service(output_tokens=0.0), service(tpot_limit_s=0.05, ttft_limit_s=2.0)])
    assert found.tpot_limit.tolist() == [np.inf, 0.05]
    assert found.ttft_limit.tolist() == [np.inf, 2.0]
    assert found.answer.tolist() == [1, 500]


def test_services_are_taken_by_place_and_laid_out_anew() -> None:
    found = sizes([service(input_tokens=float(n)) for n in (10, 20, 30)])
    assert found.take(np.array([2, 0])).prompt.tolist() == [30, 10]
    layouts = [Layout(tensor=2), Layout(tensor=1, data=4, expert=4)]
    wide = sizes([service()]).laid_out(layouts, np.array([4.0, 2.0]))
    assert wide.tensor.tolist() == [2, 1]
    assert wide.expert_ranks.tolist() == [1, 4]
    assert wide.asked.tolist() == [2, 1]
    both = wide.take(np.array([1]), count=2)
    assert {len(getattr(both, field.name)) for field in fields(both)} == {1}
    assert both.prompt.tolist() == [2000]
