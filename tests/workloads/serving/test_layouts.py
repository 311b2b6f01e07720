"""The layout a service gets where none is told: the best of all that one worker may have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gigawright.workloads.architecture import language_model
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.serving.layouts import candidates, laid_out
from gigawright.workloads.serving.service import Layout, Service

from ..conftest import H100
from . import reference
from .known import calibration

C = calibration().constants
RACK = replace(H100, id="rack", name="B200 rack", memory_gb=186.0, memory_gbs=8000.0, scaleup_domain=72)


def service(model: str = "llama-3.1-70b", **changes: Any) -> Service:
    asked: dict[str, Any] = {
        "layout": None,
        "gpus": 8,
        "input_tokens": 2000.0,
        "output_tokens": 500.0,
        "concurrency": 64.0,
    }
    return Service(language_model(model), changes.pop("chip", H100), **(asked | changes))


def test_candidates_are_powers_of_two_within_bounds() -> None:
    dense = candidates(language_model("llama-3.1-70b"), 8, 8)
    assert [one.tensor for one in dense] == [1, 2, 4, 8]
    assert all(one.data == one.expert == one.pipeline == 1 for one in dense)
    assert [one.tensor for one in candidates(language_model("llama-3.1-70b"), 72, 72)][-1] == 64
    assert [one.tensor for one in candidates(language_model("llama-3.1-70b"), 3, 8)] == [1, 2]


@pytest.mark.parametrize(("gpus", "domain"), [(1, 1), (8, 8), (64, 8), (72, 72), (512, 8)])
@pytest.mark.parametrize("model", ["deepseek-v3", "mixtral-8x7b", "gpt-oss-20b", "llama-3.1-8b"])
def test_candidates_are_layouts_that_can_be(model: str, gpus: int, domain: int) -> None:
    shape = language_model(model)
    found = candidates(shape, gpus, domain)
    assert len(set(found)) == len(found)
    for one in found:
        assert one.accelerators <= gpus
        assert one.tensor <= min(domain, shape.heads)
        assert one.expert <= max(1, shape.experts)
        if shape.is_moe:
            assert one.expert * one.expert_tensor == one.accelerators
    assert any(one.data > 1 for one in found) == (shape.is_moe and gpus > 1)


def best_by_hand(one: Service) -> Layout | None:
    """The best layout, each evaluated alone by the reference."""
    domain = one.chip.scaleup_domain
    gpus = one.gpus or max(8, domain)
    best, least = None, np.inf
    for layout in candidates(one.model, gpus, max(domain, min(gpus, 8))):
        workers = max(1, gpus // layout.accelerators) if one.gpus else 1
        tried = replace(one, layout=layout, workers=workers)
        found = reference.evaluate(tried, C)
        seconds = reference.prompt_token_seconds(tried, C) if one.kind == "prefill" else found.token
        if found.holds < 1:
            continue
        if one.tpot_limit_s and found.further > one.tpot_limit_s:
            seconds *= 1e3
        if seconds < least:
            best, least = layout, seconds
    return best


@pytest.mark.parametrize("kind", ["online", "offline", "prefill", "decode"])
@pytest.mark.parametrize("concurrency", [1.0, 64.0, np.inf])
@pytest.mark.parametrize(
    ("model", "gpus", "chip"),
    [
        ("llama-3.1-70b", 8, H100),
        ("llama-3.1-8b", 0, H100),
        ("deepseek-v3", 64, H100),
        ("deepseek-v3", 0, RACK),
        ("gpt-oss-120b", 8, H100),
    ],
)
def test_the_best_of_all_is_chosen(model: str, gpus: int, chip: Any, concurrency: float, kind: Any) -> None:
    one = service(model, gpus=gpus, chip=chip, concurrency=concurrency, kind=kind)
    assert laid_out(one, C).layout == best_by_hand(one)


@pytest.mark.parametrize("limit_s", [0.03, 0.05])
@pytest.mark.parametrize("model", ["llama-3.1-70b", "deepseek-v3"])
def test_layouts_that_keep_a_limit_come_first(model: str, limit_s: float) -> None:
    one = service(model, gpus=64, concurrency=np.inf, tpot_limit_s=limit_s)
    placed = laid_out(one, C)
    assert placed.layout == best_by_hand(one)
    assert reference.evaluate(placed, C).further <= limit_s


def test_a_told_layout_stays() -> None:
    one = service(layout=Layout(tensor=2))
    assert laid_out(one, C) is one


def test_what_was_chosen_is_said_and_uses_all_accelerators() -> None:
    placed = laid_out(service("llama-3.1-8b"), C)
    assert placed.assumed == ("layout",)
    assert placed.layout is not None
    assert placed.layout.accelerators * placed.workers == 8
    assert placed.accelerators == 8


def test_prompts_apart_get_the_same_layout() -> None:
    placed = laid_out(service("deepseek-v3", gpus=32, disaggregated=True), C)
    assert placed.prefill == placed.layout is not None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "deepseek-v3", "gpus": 4}, "does not fit 4 x H100"),
        ({"gpus": 1, "precision": "bf16"}, "does not fit 1 x H100"),
        ({"model": "llama-3.1-8b", "input_tokens": 1e8}, "one request of 100,000,000 tokens does not fit"),
    ],
)
def test_what_fits_nowhere_says_so(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(Unpredictable, match=words):
        laid_out(service(**changes), C)


def test_answers_alone_are_laid_out_as_if_no_prompt_came_between() -> None:
    """Prompts would favour few replicas, since each one's delay all; answers alone want many."""
    one = service("deepseek-v3", gpus=64, concurrency=np.inf, tpot_limit_s=0.05, kind="decode")
    longer = replace(one, input_tokens=4000.0)
    placed = laid_out(longer, C)
    assert placed.layout == best_by_hand(longer)
    assert placed.layout != laid_out(replace(longer, kind="online"), C).layout
    assert placed.prefill is None
