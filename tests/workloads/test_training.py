from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawright.catalogue.types import System
from gigawright.workloads import first_training as training
from gigawright.workloads.architecture import language_model
from gigawright.workloads.first_training import train
from gigawright.workloads.roofline import machine

from .conftest import H100, system_of
from .test_serving import BETTER, better_than_h100


def test_a_small_run_is_counted_by_hand(h100: System) -> None:
    """Llama 3.2 1B on eight H100: no tensor or pipeline group, gradients over NVLink."""
    model = language_model("llama-3.2-1b")
    done = train(model, h100, precision="bf16", seq_len=4096, accelerators=8, batch_tokens=2.0**20)
    assert [done.details[name] for name in training.LAYOUT] == [1, 1, 1, 1, 0]
    rates = machine(h100, "bf16")
    token = 6 * model.gemm_params / rates.gemm + 3.5 * model.attention_flops(2048) / rates.attention
    token += 6 * model.elementwise_values() / rates.elementwise
    pipeline = 2**17 * token
    reduction = 4 * model.params * 7 / 8 / rates.scale_up
    assert done.details["step_s"] == pytest.approx(pipeline + 0.1 * reduction)
    assert done.work_per_s == pytest.approx(2**17 / done.details["step_s"])
    assert done.limited_by == "compute"


def test_mfu_is_that_of_the_convention(h100: System) -> None:
    model = language_model("llama-3-70b")
    done = train(model, h100, accelerators=512)
    flops = 6 * (model.params - model.embedding_params) + 3 * model.attention_flops(4096)
    assert done.details["mfu"] == pytest.approx(done.work_per_s * flops / 989e12)


def test_large_models_need_large_layouts(h100: System) -> None:
    done = train(language_model("llama-3.1-405b"), h100, accelerators=1024)
    assert done.details["tensor"] * done.details["pipeline"] >= 64
    assert done.details["memory_gb"] <= 72


def test_what_cannot_be_is_refused(h100: System, variant: Callable[..., System]) -> None:
    large = language_model("llama-3.1-405b")
    assert "holds the training state of 406 bn values" in train(large, h100, accelerators=8).refused
    small = train(language_model("llama-3-8b"), h100, accelerators=65536, batch_tokens=2.0**20)
    assert small.refused == "not feasible: a batch of 1,048,576 tokens is too small for 65,536 accelerators"
    alone = variant(nic_gbps=None)
    assert train(large, alone).refused == "not predictable: missing network bandwidth"
    assert train(large, h100, precision="int8").refused.startswith("not predictable: precision 'int8'")


def test_eight_bits_train_faster_and_fall_back_aloud(h100: System, variant: Callable[..., System]) -> None:
    model = language_model("llama-3-70b")
    slow, fast = (train(model, h100, precision=name, accelerators=512) for name in ("bf16", "fp8"))
    assert 1.2 * slow.work_per_s < fast.work_per_s < 2 * slow.work_per_s
    only_int8 = variant(peak_tflops={"fp16": 989.0, "int8": 1979.0})
    done = train(model, only_int8, precision="fp8", accelerators=512)
    assert done.note == "fp8 is not in the data sheet of H100 SXM5 80GB: fp16 instead"


@settings(deadline=None, max_examples=25)
@given(model=st.sampled_from(("llama-3-8b", "llama-3-70b", "deepseek-v3", "qwen3-30b-a3b")), factors=BETTER)
def test_more_of_anything_never_trains_slower(model: str, factors: dict[str, float]) -> None:
    before = train(language_model(model), system_of(H100), accelerators=2048)
    after = train(language_model(model), better_than_h100(factors), accelerators=2048)
    assert after.work_per_s >= before.work_per_s * (1 - 1e-9)
    assert 0 < after.watts <= 1275.01
