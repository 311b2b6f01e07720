"""The closed form against a slow reference, and how what users feel moves with what is asked."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.catalogue.load import load_facts
from gigawright.catalogue.records import accelerator
from gigawright.catalogue.types import Accelerator
from gigawright.facts import FactBook
from gigawright.workloads.architecture import language_model
from gigawright.workloads.serving.constants import PRIORS
from gigawright.workloads.serving.layouts import candidates
from gigawright.workloads.serving.load import Felt, felt, prompt_seconds, token_seconds
from gigawright.workloads.serving.measured import METRICS, deployment, metrics
from gigawright.workloads.serving.service import Layout, Service

from . import reference
from .known import calibration

C = calibration().constants
MODELS = (
    *("llama-3.1-70b", "llama-3.2-1b", "gemma-3-27b", "qwen3-235b-a22b", "mixtral-8x7b", "gpt-oss-120b"),
    *("deepseek-v3", "deepseek-v3.2", "deepseek-v4-flash", "kimi-linear-48b-a3b", "qwen3-next-80b-a3b"),
)
CHIPS = (
    *("nv_h100_sxm", "nv_h20_141", "nv_b200_sxm", "nv_gb200_nvl72", "nv_a100_80", "nv_l40s"),
    *("amd_mi300x", "amd_mi355x", "in_gaudi3", "g_v6e", "hw_910b2"),
)
CLOSE = 1e-9


@lru_cache(maxsize=1)
def chips() -> dict[str, Accelerator]:
    book = FactBook(load_facts())
    return {name: accelerator(book, name) for name in CHIPS}


def service(model: str = "llama-3.1-70b", chip: str = "nv_h100_sxm", **changes: Any) -> Service:
    usual: dict[str, Any] = {
        "layout": Layout(tensor=4),
        "input_tokens": 2000.0,
        "output_tokens": 500.0,
        "concurrency": 8.0,
    }
    return Service(model=language_model(model), chip=chips()[chip], **(usual | changes))


def of(one: Service) -> Felt:
    return felt(deployment([one]), C)


def ttft(one: Service) -> float:
    return float(of(one).first.sum())


def tpot(one: Service) -> float:
    return float(of(one).further.sum())


def pace(one: Service) -> float:
    """Output tokens a second and accelerator."""
    d = deployment([one])
    return float(1 / token_seconds(d, felt(d, C)).sum())


# Against the reference


def drawn(seed: int) -> Service:
    """A service at random: any model, chip, layout, load, way of serving and limit."""
    draw = random.Random(seed)
    model = language_model(draw.choice(MODELS))
    chip = chips()[draw.choice(CHIPS)]
    tried = candidates(model, 32, 32)
    layout = replace(draw.choice(tried), pipeline=draw.choice((1, 1, 1, 2, 4)))
    drafted = draw.choice((0, 0, 1, 3))
    return Service(
        model=model,
        chip=chip,
        layout=layout,
        input_tokens=float(round(10 ** draw.uniform(0, 5))),
        output_tokens=float(round(10 ** draw.uniform(0, 4))),
        concurrency=draw.choice((1.0, 3.0, 64.0, 1000.0, 1e6, np.inf)),
        precision=draw.choice(("bf16", "fp8", "fp4", "int8", "int4")),
        expert_precision=draw.choice(("", "", "bf16", "fp8", "fp4", "int4")),
        kv_bytes=draw.choice((1.0, 2.0)),
        prefill=draw.choice((None, None, draw.choice(tried))),
        workers=draw.choice((0, 1, 4)),
        prefill_workers=draw.choice((0, 1, 5)),
        cached=draw.choice((0.0, 0.0, 0.5, 0.97)),
        drafted=drafted,
        accepted=0.7 * drafted,
        assumed=("accepted",) if drafted and draw.random() < 0.5 else (),
        chunk=draw.choice((0, 0, 512, 4096)),
        engine=draw.choice(("", "vllm", "sglang")),
        kind=draw.choice(("online", "online", "offline", "decode", "prefill")),
        disaggregated=draw.random() < 0.2,
        tpot_limit_s=draw.choice((0.0, 0.0, 0.02, 0.1)),
        ttft_limit_s=draw.choice((0.0, 0.0, 1.0, 10.0)),
    )


SERVICES = [drawn(seed) for seed in range(240)]


def test_the_services_drawn_have_layers_of_every_kind() -> None:
    kinds = {"dense", "experts", "latent", "window", "linear", "index", "compressed"}
    assert reference.kinds_of([one.model for one in SERVICES]) == kinds
    assert sum(one.tpot_limit_s > 0 for one in SERVICES) > 50
    assert {one.chip.id for one in SERVICES} == set(CHIPS)


def test_times_are_those_of_the_reference_one_by_one() -> None:
    d = deployment(SERVICES)
    found = felt(d, C)
    token = token_seconds(d, found).sum(axis=0)
    for at, one in enumerate(SERVICES):
        wanted = reference.evaluate(one, C)
        assert found.holds[at] == pytest.approx(wanted.holds, rel=CLOSE), one
        assert found.running[at] == pytest.approx(wanted.running, rel=CLOSE), one
        assert found.first[:, at].sum() == pytest.approx(wanted.first, rel=CLOSE), one
        assert found.further[:, at].sum() == pytest.approx(wanted.further, rel=CLOSE), one
        assert token[at] == pytest.approx(wanted.token, rel=CLOSE), one


def test_paces_of_prompts_are_those_of_the_reference() -> None:
    found = prompt_seconds(deployment(SERVICES), C).sum(axis=0)
    for at, one in enumerate(SERVICES):
        assert found[at] == pytest.approx(reference.prompt_token_seconds(one, C), rel=CLOSE), one


def test_metrics_are_first_further_and_pace_of_what_is_measured() -> None:
    services = SERVICES[:40]
    d = deployment(services)
    prompts = np.array([one.kind == "prefill" for one in services])
    found = metrics(d, prompts, C).sum(axis=1)
    assert found.shape == (len(METRICS), 40)
    for at, one in enumerate(services):
        wanted = reference.evaluate(one, C)
        token = reference.prompt_token_seconds(one, C) if prompts[at] else wanted.token
        assert found[:, at].tolist() == pytest.approx([wanted.first, wanted.further, token], rel=CLOSE)


def test_every_constant_moves_some_time() -> None:
    """One that moves nothing would be dead."""
    d = deployment(SERVICES)
    prompts = np.ones(len(SERVICES), dtype=bool)
    base = metrics(d, ~prompts, C).sum(axis=1), metrics(d, prompts, C).sum(axis=1)
    for name in PRIORS:
        moved = {**C, name: C[name] * 0.9}
        found = metrics(d, ~prompts, moved).sum(axis=1), metrics(d, prompts, moved).sum(axis=1)
        assert not all(np.allclose(a, b, rtol=1e-12) for a, b in zip(base, found, strict=True)), name


def test_services_do_not_depend_on_their_neighbours() -> None:
    together = felt(deployment(SERVICES), C)
    for at in range(0, len(SERVICES), 12):
        alone = of(SERVICES[at])
        assert alone.first[:, 0] == pytest.approx(together.first[:, at], rel=1e-12)
        assert alone.further[:, 0] == pytest.approx(together.further[:, at], rel=1e-12)


# How it moves

LOADS = [1.0, 2.0, 5.0, 16.0, 60.0, 200.0, 1000.0]


@pytest.mark.parametrize("model", MODELS)
def test_more_requests_lower_neither_pace_nor_time_a_token_while_memory_holds(model: str) -> None:
    roomy = replace(chips()["nv_h100_sxm"], memory_gb=4000.0)
    services = [replace(service(model, layout=Layout(tensor=8)), chip=roomy, concurrency=n) for n in LOADS]
    d = deployment(services)
    found = felt(d, C)
    assert (found.running == np.array(LOADS)).all()
    assert (np.diff(found.further.sum(axis=0)) >= 0).all()
    assert (np.diff(1 / token_seconds(d, found).sum(axis=0)) > 0).all()
    assert (np.diff(found.first.sum(axis=0)) > 0).all()


@pytest.mark.parametrize(
    "faster", ["memory_gbs", "scaleup_gbs", "nic_gbps", "peaks", "memory_gb", "host_gbs"]
)
@pytest.mark.parametrize("model", ["llama-3.1-70b", "deepseek-v3", "gpt-oss-120b"])
def test_a_better_chip_is_never_slower(model: str, faster: str) -> None:
    chip = chips()["nv_h100_sxm"]
    if faster == "peaks":
        better = replace(chip, peak_tflops={name: 1.5 * rate for name, rate in chip.peak_tflops.items()})
    else:
        better = replace(chip, **{faster: 1.5 * getattr(chip, faster)})
    for load in (1.0, 32.0, 4000.0):
        for layout in (Layout(tensor=16, expert=16), Layout(tensor=2, data=8, expert=16)):
            one = service(model, layout=layout, concurrency=load)
            fast = replace(one, chip=better)
            assert pace(fast) >= pace(one) * (1 - 1e-12)
            assert ttft(fast) <= ttft(one) * (1 + 1e-12)
            if faster != "memory_gb":  # more memory runs more at once
                assert tpot(fast) <= tpot(one) * (1 + 1e-12)


@given(
    model=st.sampled_from(MODELS),
    length=st.integers(1, 200_000),
    more=st.floats(1.001, 5),
    load=st.integers(1, 64),
)
def test_longer_prompts_take_longer(model: str, length: int, more: float, load: int) -> None:
    one = service(model, input_tokens=float(length), concurrency=float(load), layout=Layout(tensor=8))
    assert ttft(replace(one, input_tokens=length * more)) > ttft(one) * (1 - 1e-12)


@given(
    model=st.sampled_from(MODELS),
    length=st.integers(16, 100_000),
    cached=st.floats(0, 0.9),
    more=st.floats(0.01, 0.09),
)
def test_cached_prompts_are_cheaper(model: str, length: int, cached: float, more: float) -> None:
    one = service(model, input_tokens=float(length), cached=cached, layout=Layout(tensor=8))
    other = replace(one, cached=cached + more)
    assert ttft(other) < ttft(one)
    assert tpot(other) <= tpot(one)


def test_running_is_no_more_than_memory_holds_or_was_asked() -> None:
    found = felt(deployment(SERVICES), C)
    for at, one in enumerate(SERVICES):
        assert one.layout is not None
        assert 0 < found.running[at] <= max(1.0, found.holds[at]) * (1 + 1e-12)
        each = one.concurrency / (one.layout.data * max(1, one.workers))
        assert found.running[at] <= max(1.0, each) * (1 + 1e-12)
        most = min(each, max(1.0, float(found.holds[at])), 4096.0)
        assert found.limited[at] == (found.running[at] < 0.99 * most)


@pytest.mark.parametrize("limit_s", [0.015, 0.03, 0.1])
@pytest.mark.parametrize("model", ["llama-3.1-70b", "gpt-oss-120b"])
def test_a_limit_on_tokens_is_kept_with_room_for_the_slowest(model: str, limit_s: float) -> None:
    one = service(model, layout=Layout(tensor=8, expert=8), concurrency=np.inf, tpot_limit_s=limit_s)
    found = of(one)
    share = C["limit_share"] * limit_s
    assert tpot(one) <= share * (1 + 1e-9)
    # It is the most that keeps the limit: a per cent more, and it breaks, or nothing limits.
    more = replace(one, tpot_limit_s=0.0, concurrency=float(found.running[0]) * 1.01)
    assert tpot(more) > share or not found.limited[0]


def test_a_limit_on_first_tokens_is_kept() -> None:
    one = service(concurrency=500.0, input_tokens=8000.0, ttft_limit_s=3.0)
    free = replace(one, ttft_limit_s=0.0)
    assert ttft(free) > 3.0
    assert bool(of(one).limited[0])
    assert float(of(one).running[0]) < float(of(free).running[0])


def test_no_load_keeps_a_limit_that_one_request_breaks() -> None:
    one = service(concurrency=np.inf, tpot_limit_s=1e-4)
    assert float(of(one).running[0]) == pytest.approx(1.0)
    assert tpot(one) > 1e-4


def test_multipliers_count_in_limits() -> None:
    one = service(concurrency=np.inf, tpot_limit_s=0.03)
    d = deployment([one])
    slower = felt(d, C, multipliers=np.full((9, 1), np.log(1.5)))
    plain = felt(d, C)
    assert slower.running[0] < plain.running[0]
    assert slower.further.sum() * 1.5 <= C["limit_share"] * 0.03 * (1 + 1e-9)


def test_drafts_help_a_single_request_and_cost_a_crowd() -> None:
    one = service("deepseek-v3", "nv_gb200_nvl72", layout=Layout(tensor=8, expert=8), concurrency=1.0)
    drafting = replace(one, drafted=1, accepted=0.8)
    assert tpot(drafting) < 0.9 * tpot(one)
    assert tpot(replace(drafting, accepted=0.0)) > tpot(one)
    crowd = [replace(each, concurrency=2000.0, input_tokens=10.0) for each in (one, drafting)]
    assert tpot(crowd[1]) / tpot(crowd[0]) > tpot(drafting) / tpot(one)


def test_prompts_elsewhere_do_not_delay_tokens() -> None:
    one = service(concurrency=64.0)
    apart = replace(one, prefill=Layout(tensor=4))
    assert tpot(apart) < tpot(one)
    longer = replace(apart, input_tokens=apart.input_tokens, prefill=Layout(tensor=1))
    assert tpot(longer) == pytest.approx(tpot(apart))
    assert of(apart).first[6].sum() > of(one).first[6].sum()  # the cache moves


def test_those_without_memory_wait() -> None:
    one = service(concurrency=50.0)
    holds = float(of(one).holds[0])
    crowd = replace(one, concurrency=3 * holds)
    found = of(crowd)
    assert found.running[0] == pytest.approx(holds)
    # Two of three wait; the queue moves by as many as run each time that an answer takes.
    assert found.first[8, 0] == pytest.approx(2 * 500 * tpot(crowd))
    assert of(one).first[8, 0] == 0
    assert of(replace(crowd, concurrency=np.inf)).first[8, 0] == 0


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("load", [1.0, 1e6, np.inf])
@pytest.mark.parametrize(("asked", "answered"), [(1.0, 1.0), (1.0, 1e5), (1e7, 1.0), (1e6, 1e6)])
def test_extremes_are_finite(model: str, load: float, asked: float, answered: float) -> None:
    one = service(model, input_tokens=asked, output_tokens=answered, concurrency=load)
    found = of(one)
    for part in (found.first, found.further, found.running, found.holds):
        assert np.isfinite(part).all()
    assert (found.first >= 0).all()
    assert (found.further >= 0).all()
    assert ttft(one) > 0
    assert tpot(one) > 0
