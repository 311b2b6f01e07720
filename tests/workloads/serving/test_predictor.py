"""Predictions with intervals: order, width, refusals, and what limits a service."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gigawright.workloads.architecture import language_model
from gigawright.workloads.serving.load import PARTS
from gigawright.workloads.serving.predictor import Predicted, by_limit, predict_services
from gigawright.workloads.serving.predictor import calibration as shipped
from gigawright.workloads.serving.service import Layout, Service

from ..conftest import H100
from . import reference
from .known import calibration

CHIP = replace(H100, generation="Hopper", cores=132, host_gbs=63.0)


def service(model: str = "llama-3.1-70b", **changes: Any) -> Service:
    asked: dict[str, Any] = {
        "layout": Layout(tensor=4),
        "input_tokens": 2000.0,
        "output_tokens": 500.0,
        "concurrency": 16.0,
        "engine": "vllm",
    }
    return Service(language_model(model), changes.pop("chip", CHIP), **(asked | changes))


def predicted(one: Service) -> Predicted:
    return predict_services([one], calibration())[0]


def width(done: Predicted, metric: str) -> float:
    """The logarithm of the 90th over the 10th percentile."""
    return math.log(getattr(done, f"{metric}_p90") / getattr(done, f"{metric}_p10"))


MANY = [
    service(),
    service("deepseek-v3", layout=Layout(tensor=2, data=8, expert=16)),
    service("gpt-oss-120b", layout=None, gpus=8, engine="sglang"),
    service(prefill=Layout(tensor=4), engine=""),
    service(kind="prefill"),
    service(kind="decode", concurrency=np.inf, tpot_limit_s=0.05),
    service(concurrency=1e5),
    service("llama-3.1-8b", kind="offline", concurrency=np.inf, layout=Layout()),
]
REFUSED = [
    service(layout=None, gpus=1, precision="bf16"),
    service(layout=Layout(tensor=1), precision="bf16"),
    service(chip=replace(H100, peak_tflops={})),
    service(precision="fp6"),
    service(input_tokens=1e9),
]


@pytest.mark.parametrize("metric", ["ttft_s", "tpot_s", "tokens_per_s"])
@pytest.mark.parametrize("known", [calibration, shipped])
def test_the_middle_lies_between_its_percentiles(metric: str, known: Any) -> None:
    for done in predict_services(MANY, known()):
        low, middle, high = (getattr(done, metric + end) for end in ("_p10", "", "_p90"))
        assert 0 < low < middle < high < 100 * low
        assert middle == pytest.approx(math.sqrt(low * high))
        assert not done.refused


@pytest.mark.parametrize("metric", ["ttft_s", "tpot_s", "tokens_per_s"])
def test_what_is_not_known_is_wider(metric: str) -> None:
    known = width(predicted(service()), metric)
    assert width(predicted(service(engine="unheard of")), metric) > known
    assert width(predicted(service(engine="")), metric) > known
    assert width(predicted(service(chip=replace(CHIP, generation="next"))), metric) > known
    apart = width(predicted(service(prefill=Layout(tensor=4))), metric)
    assert apart > known or metric == "tokens_per_s"


def test_with_the_shipped_calibration_too() -> None:
    known, unknown = predict_services([service(), service(engine="unheard of")])
    assert width(unknown, "tpot_s") > width(known, "tpot_s")


def test_a_measured_engine_moves_the_middle() -> None:
    plain = predicted(service(chip=replace(CHIP, generation="next"), engine=""))
    slower, faster = (predicted(service(engine=engine)) for engine in ("vllm", "sglang"))
    assert plain.tpot_s == pytest.approx(reference.evaluate(service(), calibration().constants).further)
    assert faster.tpot_s < plain.tpot_s
    assert faster.tpot_s < slower.tpot_s


def test_order_is_kept_and_refusals_disturb_nobody() -> None:
    alone = [predicted(one) for one in MANY]
    mixed = [one for pair in zip(MANY, REFUSED * 2, strict=False) for one in pair]
    found = predict_services(mixed, calibration())
    assert len(found) == len(mixed)
    for done, other in zip(found[::2], alone, strict=True):
        assert done.service == other.service
        assert done.ttft_s == pytest.approx(other.ttft_s, rel=1e-12)
        assert done.tpot_s_p90 == pytest.approx(other.tpot_s_p90, rel=1e-9)
        assert done.spent == pytest.approx(other.spent, rel=1e-9)
    assert all(done.refused for done in found[1::2])


def test_nothing_and_nothing_but_refusals() -> None:
    assert predict_services([], calibration()) == []
    assert all(math.isnan(done.tpot_s) for done in predict_services([REFUSED[0], REFUSED[2]], calibration()))


WHY = (
    "not feasible: Llama 3.1 70B .*does not fit 1 x H100",
    "not feasible: the memory of 1 x H100 SXM5 80GB holds",
    "missing fp8 rate of H100",
    "precision 'fp6' is none of",
    "not feasible: .*the weights, but no request of 1,000,000,500 tokens",
)


@pytest.mark.parametrize(("one", "words"), list(zip(REFUSED, WHY, strict=True)))
def test_refusals_say_why(one: Service, words: str) -> None:
    assert re.search(words, predicted(one).refused.replace("-", " "))


def test_what_a_service_is_limited_by() -> None:
    assert predicted(service(concurrency=1.0, output_tokens=2000.0)).limited_by == "memory bandwidth"
    assert predicted(service(concurrency=1e5)).limited_by == "memory capacity"
    limited = predicted(service(kind="decode", concurrency=np.inf, tpot_limit_s=0.012))
    assert limited.limited_by == "latency limit"
    assert predicted(service(kind="prefill", input_tokens=8000.0)).limited_by == "compute"


@pytest.mark.parametrize("limit_s", [0.015, 0.03])
def test_answers_apart_keep_a_limit_as_they_are_predicted(limit_s: float) -> None:
    """With what is known of levels, not as the formula alone has it."""
    for engine in ("vllm", "sglang"):
        done = predicted(service(kind="decode", concurrency=np.inf, tpot_limit_s=limit_s, engine=engine))
        assert done.tpot_s == pytest.approx(limit_s, rel=0.01)


def test_seconds_by_limit_add_up() -> None:
    for done in predict_services(MANY, calibration()):
        if done.service.kind == "prefill":
            assert 1 / sum(done.spent.values()) == pytest.approx(done.tokens_per_s)
        else:
            assert sum(done.spent.values()) == pytest.approx(done.tpot_s)
    seconds = np.arange(1.0, 1 + len(PARTS))
    for compute in (False, True):
        assert sum(by_limit(seconds, compute).values()) == seconds.sum()
    assert by_limit(seconds, True)["compute"] - by_limit(seconds, False)["compute"] == 3.0


def test_paces_are_tokens_of_those_that_run() -> None:
    done = predicted(service())
    assert done.running == 16
    # Levels of paces are a scenario of their own, of which nothing is known here.
    assert done.tokens_per_s == pytest.approx(16 / done.tpot_s / 4, rel=1e-6)
