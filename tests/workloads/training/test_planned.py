"""Training as a plan sees it: paces of clusters, refusals with their reasons, what stands in for what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawright.catalogue.types import System
from gigawright.workloads.architecture import language_model
from gigawright.workloads.performance import PhasePerformance
from gigawright.workloads.power import DRAW
from gigawright.workloads.training import planned
from gigawright.workloads.training.maturity import MATURE_YEARS
from gigawright.workloads.training.planned import LAYOUT, train
from gigawright.workloads.training.predictor import LIMITS, predict_run
from gigawright.workloads.training.run import Layout, Run

from ..better import BETTER, better_than_h100
from ..conftest import H100, system_of


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    """No test sees what another has asked for."""
    planned._searched.cache_clear()
    yield
    planned._searched.cache_clear()


def layout_of(done: PhasePerformance) -> Layout:
    return Layout(**{name: int(done.details[name]) for name in LAYOUT})


def test_the_pace_is_the_predictors_in_the_layout_told(h100: System) -> None:
    model = language_model("llama-3-70b")
    done = train(model, h100, seq_len=8192, accelerators=512, batch_tokens=2.0**22)
    run = Run(model, H100, 512, 8192, 512, layout=layout_of(done), age_years=MATURE_YEARS)
    again = predict_run(run)
    assert done.work_per_s == pytest.approx(again.tokens_per_s)
    assert done.details["step_s"] == pytest.approx(again.step_s)
    assert done.work_per_s * 512 * done.details["step_s"] == pytest.approx(2**22)
    assert layout_of(done).accelerators == done.details["used"] == 512
    assert done.details["p90"] > done.work_per_s > done.details["p10"] > 0.3 * done.work_per_s


def test_seconds_by_part_add_up_and_the_longest_kind_is_the_limit(h100: System) -> None:
    done = train(language_model("deepseek-v3"), h100, precision="fp8", accelerators=2048)
    kinds: dict[str, float] = {}
    for part, limit in LIMITS.items():
        kinds[limit] = kinds.get(limit, 0.0) + done.details.get(f"{part}_s", 0.0)
    assert sum(kinds.values()) == pytest.approx(done.details["step_s"])
    assert kinds[done.limited_by] == max(kinds.values())
    assert set(LIMITS.values()) - {"memory capacity"} <= set(DRAW)


def test_mfu_is_that_of_the_convention(h100: System) -> None:
    model = language_model("llama-3-70b")
    done = train(model, h100, accelerators=512)
    flops = 6 * (model.params - model.embedding_params) + 3 * model.attention_flops(4096)
    assert done.details["mfu"] == pytest.approx(done.work_per_s * flops / 989e12)


def test_large_models_need_large_layouts(h100: System) -> None:
    done = train(language_model("llama-3.1-405b"), h100, accelerators=1024)
    layout = layout_of(done)
    assert layout.tensor * layout.pipeline >= 64 or layout.zero == 3
    assert done.details["memory_gb"] * 1e9 <= 80 * 2**30 * 0.96


def test_what_cannot_be_is_refused(h100: System, variant: Callable[..., System]) -> None:
    large = language_model("llama-3.1-405b")
    told = train(large, h100, accelerators=8).refused
    assert told.startswith(
        "not feasible: no layout of 8 accelerators holds the training state of 406 bn values"
    )
    assert "GB an accelerator too much" in told
    small = train(language_model("llama-3-8b"), h100, accelerators=65536, batch_tokens=2.0**16)
    assert small.refused == "not feasible: no layout spreads 8 sequences over 65,536 accelerators"
    alone = variant(nic_gbps=None)
    assert train(large, alone).refused == "not predictable: missing network bandwidth"
    assert not train(language_model("llama-3.2-1b"), alone, accelerators=8).refused
    assert train(large, h100, precision="int5").refused.startswith("not predictable: precision 'int5'")
    bare = variant(peak_tflops={"int8": 1979.0})
    assert train(large, bare, precision="fp8").refused == (
        "not predictable: missing fp8 rate, nor bf16, nor fp16"
    )
    assert train(large, replace(h100, kw_per_accelerator=0.0)).refused == "not predictable: missing power"


def test_eight_bits_train_faster_and_fall_back_aloud(h100: System, variant: Callable[..., System]) -> None:
    model = language_model("llama-3-70b")
    slow, fast, four = (train(model, h100, precision=p, accelerators=512) for p in ("bf16", "fp8", "fp4"))
    assert 1.1 * slow.work_per_s < fast.work_per_s < 2 * slow.work_per_s
    assert four.work_per_s == fast.work_per_s
    assert four.note == "fp4 is not in the data sheet of H100 SXM5 80GB: fp8 instead"
    only_int8 = variant(peak_tflops={"fp16": 989.0, "int8": 1979.0})
    done = train(model, only_int8, precision="fp8", accelerators=512)
    assert done.note == "fp8 is not in the data sheet of H100 SXM5 80GB: fp16 instead"
    whole = train(model, only_int8, precision="int8", accelerators=512)
    assert whole.work_per_s > done.work_per_s
    assert whole.note == ""
    derived = train(model, variant(derived=frozenset({"fp8"})), precision="fp8", accelerators=512)
    assert derived.note == "the fp8 rate is derived, not published"


def test_the_batch_counts_whole_sequences(h100: System) -> None:
    model = language_model("llama-3-70b")
    near, exact = (
        train(model, h100, accelerators=512, seq_len=4096, batch_tokens=tokens)
        for tokens in (4.0e6, 977 * 4096.0)
    )
    assert near == exact
    assert train(model, h100, accelerators=512) == train(model, h100, accelerators=512, batch_tokens=2.0**24)


def test_an_awkward_number_of_accelerators_leaves_some_unused(h100: System) -> None:
    model = language_model("llama-3-70b")
    odd, even = (train(model, h100, accelerators=count) for count in (4099, 4096))
    assert odd.details["used"] == 4096
    assert odd.work_per_s * 4099 == pytest.approx(even.work_per_s * 4096)
    assert odd.details["mfu"] < even.details["mfu"]


def test_half_and_double_the_cluster_are_told(h100: System) -> None:
    model = language_model("llama-3-70b")
    middle = train(model, h100, accelerators=2048).details
    for name, count in (("half", 1024), ("double", 4096)):
        assert middle[name] == pytest.approx(train(model, h100, accelerators=count).work_per_s)
    assert "half" not in train(language_model("llama-3.2-1b"), h100, accelerators=1).details


def test_a_chip_that_has_just_shipped_trains_slower(h100: System) -> None:
    model = language_model("llama-3-70b")
    paces = [train(model, h100, accelerators=512, age_years=age).work_per_s for age in (0.0, 1.0, 2.0, 8.0)]
    assert paces == sorted(paces)
    assert paces[0] < paces[2] == train(model, h100, accelerators=512).work_per_s


def test_prediction_layers_cost_time(h100: System) -> None:
    plain, more = (train(language_model("deepseek-v3"), h100, accelerators=2048, mtp=n) for n in (0, 1))
    assert more.work_per_s < plain.work_per_s


def test_a_chip_in_two_servers_is_searched_once(h100: System, monkeypatch: pytest.MonkeyPatch) -> None:
    model = language_model("llama-3-70b")
    first = train(model, h100, accelerators=512)

    def again(*_: object) -> None:
        raise AssertionError("searched again")

    monkeypatch.setattr(planned, "predict_runs", again)
    other = train(model, system_of(H100, kw=2.0), accelerators=512, phase="lm:one")
    assert other.work_per_s == first.work_per_s
    assert other.watts == pytest.approx(first.watts * 2.0 / 1.275)
    assert (first.phase, other.phase) == ("training", "lm:one")
    with pytest.raises(AssertionError, match="searched again"):
        train(model, system_of(replace(H100, memory_gb=96.0)), accelerators=512)


@settings(deadline=None, max_examples=25)
@given(model=st.sampled_from(("llama-3-8b", "llama-3-70b", "deepseek-v3", "qwen3-30b-a3b")), factors=BETTER)
def test_more_of_anything_never_trains_slower(model: str, factors: dict[str, float]) -> None:
    before = train(language_model(model), system_of(H100), accelerators=2048)
    after = train(language_model(model), better_than_h100(factors), accelerators=2048)
    assert after.work_per_s >= before.work_per_s * (1 - 1e-9)
    assert 0.3 * 1275 <= after.watts <= 1275.01
