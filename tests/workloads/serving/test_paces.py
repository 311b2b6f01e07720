"""Paces for the simulator of requests: the closed form's own costs, iteration by iteration."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gigawright.workloads.architecture import language_model
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.requests.pace import Disaggregated, Pace, iteration_seconds
from gigawright.workloads.serving.cost import yielded
from gigawright.workloads.serving.paces import pace_of, slopes
from gigawright.workloads.serving.predictor import predict_services
from gigawright.workloads.serving.service import Layout, Service
from gigawright.workloads.serving.sizes import sizes

from ..conftest import H100
from .known import calibration

ROOMY = replace(H100, memory_gb=2000.0, cores=132, host_gbs=63.0, generation="Hopper")
DENSE, WINDOWS, SPARSE, LINEAR = "llama-3.1-70b", "gpt-oss-120b", "deepseek-v3", "kimi-linear-48b-a3b"
EXPERTS = Layout(tensor=2, data=4, expert=8)


def service(model: str = DENSE, **changes: Any) -> Service:
    asked: dict[str, Any] = {
        "layout": Layout(tensor=4),
        "input_tokens": 4000.0,
        "output_tokens": 1000.0,
        "concurrency": 64.0,
        "engine": "vllm",
        "kind": "decode",
    }
    return Service(language_model(model), changes.pop("chip", ROOMY), **(asked | changes))


def together(one: Service) -> Pace:
    found = pace_of(one, calibration())
    assert isinstance(found, Pace)
    return found


def decoding_s(pace: Pace, sequences: int, context: float) -> float:
    near = min(context, pace.window)
    return iteration_seconds(
        pace.rates,
        0,
        sequences * (1 + pace.draft_tokens),
        round(sequences * context),
        round(sequences * near),
        *(0, 0, 0),
        int(pace.draft_tokens > 0),
        0,
    )


@pytest.mark.parametrize("load", [8, 64, 512])
@pytest.mark.parametrize("length", [200.0, 4000.0, 60_000.0])
@pytest.mark.parametrize(
    ("model", "layout"),
    [
        (DENSE, Layout(tensor=4)),
        (WINDOWS, Layout(tensor=8, expert=8)),
        (SPARSE, EXPERTS),
        (LINEAR, EXPERTS),
        ("deepseek-v3.2", EXPERTS),
        ("gemma-3-27b", Layout(tensor=2)),
        ("qwen3-next-80b-a3b", Layout(tensor=2, data=2, expert=4)),
    ],
)
def test_an_iteration_that_decodes_takes_the_closed_forms_step(
    model: str, layout: Layout, length: float, load: int
) -> None:
    one = service(model, layout=layout, input_tokens=length, concurrency=float(load))
    wanted = predict_services([one], calibration())[0].tpot_s
    assert decoding_s(together(one), load, length + 500) == pytest.approx(wanted, rel=0.02)


@pytest.mark.parametrize(("model", "layout"), [(DENSE, Layout(tensor=4)), (SPARSE, EXPERTS)])
def test_so_does_one_with_drafts(model: str, layout: Layout) -> None:
    one = service(model, layout=layout, drafted=2, accepted=1.5)
    step = predict_services([one], calibration())[0].tpot_s * 2.5
    pace = together(one)
    assert pace.draft_tokens == 2
    assert decoding_s(pace, 64, 4500) == pytest.approx(step, rel=0.05)


def test_drafts_are_kept_as_often_as_the_closed_form_has_it() -> None:
    one = service(SPARSE, layout=EXPERTS, drafted=3, assumed=("accepted",))
    kept = sum(together(one).acceptance ** n for n in range(4))
    assert kept == pytest.approx(float(yielded(sizes([one]), calibration().constants)[0]))


def test_levels_slow_iterations_down() -> None:
    fast, slow = (together(service(engine=engine)) for engine in ("sglang", "vllm"))
    assert decoding_s(slow, 64, 4500) > decoding_s(fast, 64, 4500)


@pytest.mark.parametrize("model", [DENSE, WINDOWS, SPARSE, LINEAR])
@pytest.mark.parametrize("kind", ["online", "prefill", "decode"])
@pytest.mark.parametrize("drafted", [0, 2])
def test_more_tokens_never_take_less(model: str, kind: str, drafted: int) -> None:
    pace = together(service(model, layout=Layout(tensor=8, expert=8), kind=kind, drafted=drafted))
    assert (np.diff(pace.tokens_s) >= 0).all()
    assert pace.tokens_s[0] > 0
    assert pace.tokens_s[-1] > pace.tokens_s[1]


def test_states_of_linear_layers_are_read_for_each_sequence() -> None:
    """20 layers x 32 heads x 128 x 128 values of 4 bytes, whatever the context, as a window of one token."""
    one = service(LINEAR, layout=Layout(), chip=replace(ROOMY, generation="unheard of"), engine="")
    pace = together(one)
    read = 20 * 32 * 128 * 128 * 4 / (ROOMY.memory_gbs * 1e9 * calibration().constants["cache"])
    assert pace.window == 1
    assert pace.window_s == pytest.approx(read, rel=0.01)
    assert together(service()).window == 0
    assert together(service()).window_s == 0


def test_prompts_apart_have_a_pace_of_their_own() -> None:
    one = service(SPARSE, layout=EXPERTS, prefill=Layout(tensor=8, expert=8), kind="online")
    found = pace_of(one, calibration())
    assert isinstance(found, Disaggregated)
    assert found.decode.max_sequences == 64
    # A latent of 576 bytes in 61 layers goes over one card: each rank has all of it.
    sent = 61 * 576 / (calibration().constants["transfer"] * 50e9)
    assert found.transfer_s == pytest.approx(sent)
    assert found.prefill.kv_tokens > 0
    grouped = pace_of(service(prefill=Layout(tensor=4)), calibration())
    assert isinstance(grouped, Disaggregated)
    assert grouped.transfer_s == pytest.approx(163_840 / (4 * calibration().constants["transfer"] * 50e9))


def test_blocks_are_what_the_closed_form_holds() -> None:
    one = service()
    holds = predict_services([one], calibration())[0].holds
    assert together(one).kv_tokens == pytest.approx(holds * 4500, abs=16)
    wide = service(SPARSE, layout=EXPERTS)
    holds = predict_services([wide], calibration())[0].holds
    assert together(wide).kv_tokens == pytest.approx(4 * holds * 4500, abs=16)


def test_what_fits_nowhere_says_so() -> None:
    small = replace(service(precision="bf16", layout=Layout(tensor=1)), chip=H100)
    with pytest.raises(Unpredictable, match="holds no request"):
        pace_of(small, calibration())
    with pytest.raises(Unpredictable, match="missing fp8 rate"):
        pace_of(replace(small, chip=replace(H100, peak_tflops={}), precision="fp8"), calibration())


def test_pairs_of_a_prompt_cost_what_the_closed_form_says() -> None:
    one = service(kind="prefill", engine="")
    one = replace(one, chip=replace(ROOMY, generation="unheard of"))  # no level is known of it
    s = sizes([one])
    c = calibration().constants
    wanted = float(s.pairs[0]) / (4 * 989e12 * c["prompt_attention"])
    assert together(one).pair_s * 4000 * 4000 / 2 == pytest.approx(wanted, rel=0.02)


@pytest.mark.parametrize("context", [10.0, 200.0, 1e4])
def test_windows_bend_and_indices_too(context: float) -> None:
    for model in (WINDOWS, "deepseek-v3.2", "llama-4-scout", DENSE, LINEAR):
        grows = language_model(model).kv_read_bytes
        found = slopes(grows)
        told = found.full * context + found.near * min(context, found.window) + found.fixed
        assert told == pytest.approx(grows(context), rel=1e-3)


def test_as_many_run_as_were_asked_for() -> None:
    assert together(service(concurrency=40.0, workers=4)).max_sequences == 10
    assert together(service(concurrency=np.inf)).max_sequences == 1024
    assert together(service(SPARSE, layout=EXPERTS, concurrency=np.inf)).max_sequences == 4096
    assert together(service(concurrency=0.5)).max_sequences == 1
