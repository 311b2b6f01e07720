"""Serving as a plan asks for it: every system of the catalogue, refusals with reasons, watts, limits."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import pytest

from gigawright.catalogue.load import load_facts
from gigawright.catalogue.records import system
from gigawright.catalogue.types import System
from gigawright.facts import FactBook
from gigawright.workloads.architecture import language_model
from gigawright.workloads.performance import PhasePerformance
from gigawright.workloads.power import IDLE_SHARE
from gigawright.workloads.serving.planned import answers, placed_as, serve_decode, serve_prefill
from gigawright.workloads.serving.predictor import predict_services
from gigawright.workloads.serving.sizes import BYTES

BOOK = FactBook(load_facts())
SYSTEMS = BOOK.items("system")
DENSE, SPARSE = language_model("llama-3.1-70b"), language_model("deepseek-v3")
LIMIT_S = 0.05
CLOSE = 1 + 1e-3


@lru_cache(maxsize=len(SYSTEMS))
def phases(name: str) -> tuple[PhasePerformance, ...]:
    """Prompts of a dense model and answers of one with experts."""
    found = system(BOOK, name)
    return (
        serve_prefill(DENSE, found, input_tokens=3000),
        serve_decode(SPARSE, found, input_tokens=3000, output_tokens=800, tpot_limit_s=LIMIT_S),
    )


def decode(found: System, limit_s: float = LIMIT_S, precision: str = "fp8") -> PhasePerformance:
    return serve_decode(
        DENSE, found, precision=precision, input_tokens=3000, output_tokens=800, tpot_limit_s=limit_s
    )


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_has_a_pace_or_a_reason(name: str) -> None:
    found = system(BOOK, name)
    for done in phases(name):
        assert done.system == name
        assert (done.work_per_s > 0) != bool(done.refused)
        if done.refused:
            assert done.refused.startswith(("not predictable: ", "not feasible: "))
            assert done.watts == 0
            continue
        wall = 1e3 * found.kw_per_accelerator
        assert IDLE_SHARE * wall <= done.watts <= wall
        assert done.limited_by
        assert done.details["work_per_s_p10"] < done.work_per_s < done.details["work_per_s_p90"]
        peaks = found.accelerator.peak_tflops
        best = max(peaks.get(name, 0.0) for name in ("fp8", "bf16", "fp16")) * 1e12
        model = DENSE if done.phase == "prefill" else SPARSE
        assert 2 * model.active_params * done.work_per_s < best
        assert done.details["mfu"] > 0
        assert done.details["group"] <= max(64, found.accelerators, found.accelerator.scaleup_domain)


@pytest.mark.parametrize("name", SYSTEMS)
def test_answers_keep_their_limit(name: str) -> None:
    done = phases(name)[1]
    assert done.refused or done.details["tpot_s"] <= LIMIT_S * CLOSE


def test_most_systems_have_a_pace() -> None:
    for at in range(2):
        assert sum(phases(name)[at].work_per_s > 0 for name in SYSTEMS) > 0.7 * len(SYSTEMS)


def test_seconds_of_kinds_add_up_to_a_token(h100: System) -> None:
    done = decode(h100)
    kinds = ("compute_s", "memory_bandwidth_s", "network_s", "overhead_s")
    assert sum(done.details[kind] for kind in kinds) == pytest.approx(done.details["tpot_s"])


def test_a_tighter_limit_costs_pace(h100: System) -> None:
    found = [decode(h100, limit_s).work_per_s for limit_s in (0.02, 0.03, 0.05, 0.2)]
    assert found == sorted(found)
    assert found[0] < 0.7 * found[-1]


def test_a_limit_that_no_load_keeps_is_told(h100: System) -> None:
    done = decode(h100, 0.001)
    assert done.work_per_s == 0
    assert "an output token takes" in done.refused
    assert "the limit is 1 ms" in done.refused


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"peak_tflops": {}}, "missing fp8 rate of H100"),
        ({"memory_gbs": 0.0}, "missing memory size or bandwidth"),
        ({"memory_gb": 4.0}, "does not fit 8 x H100"),
    ],
)
def test_refusals_say_why(variant: Callable[..., System], changes: dict[str, object], words: str) -> None:
    found = variant(**changes)
    for done in (decode(found), serve_prefill(DENSE, found, input_tokens=3000)):
        assert done.work_per_s == 0
        assert words in done.refused


@pytest.mark.parametrize("share", [-0.1, 1.0, 2.0])
def test_a_cached_share_is_a_share(h100: System, share: float) -> None:
    done = serve_prefill(DENSE, h100, input_tokens=3000, cached_share=share)
    assert f"the cached share is {share:g}" in done.refused


def test_cached_prompts_are_read_faster(h100: System) -> None:
    found = [
        serve_prefill(DENSE, h100, input_tokens=3000, cached_share=share).work_per_s
        for share in (0.0, 0.3, 0.6, 0.9)
    ]
    assert found == sorted(found)
    assert 1.3 < found[2] / found[0] < 2.6  # at most 1 / (1 - 0.6)


@pytest.mark.parametrize(
    ("precision", "words"),
    [
        ("fp4", "fp4 is not in the data sheet of H100 SXM5 80GB: computed at fp8, read as fp4"),
        ("int4", "int4 is not in the data sheet of H100 SXM5 80GB: computed at bf16, read as int4"),
        ("fp8", ""),
    ],
)
def test_what_stands_in_for_a_format_is_told(h100: System, precision: str, words: str) -> None:
    done = decode(h100, precision=precision)
    assert done.note == words
    assert done.work_per_s > 0


def test_narrow_weights_leave_room_and_read_faster(h100: System) -> None:
    found = {name: decode(h100, precision=name) for name in ("bf16", "fp8", "fp4")}
    paces = [one.work_per_s for one in found.values()]
    assert paces == sorted(paces)
    for name, one in found.items():
        weights = DENSE.params * BYTES[name] / one.details["group"] / 1e9
        assert one.details["weights_gb"] == pytest.approx(weights)


def test_the_layout_told_predicts_the_same_again(h100: System) -> None:
    done = decode(h100)
    asked = answers(DENSE, h100, "fp8", 3000, 800, LIMIT_S)
    again = predict_services([placed_as(done, asked)])[0]
    assert again.tokens_per_s == pytest.approx(done.work_per_s, rel=1e-6)
    assert again.tpot_s == pytest.approx(done.details["tpot_s"], rel=1e-6)


def test_pace_is_the_batch_over_the_time_of_a_token(h100: System) -> None:
    done = decode(h100)
    assert done.work_per_s == pytest.approx(done.details["batch"] / done.details["tpot_s"], rel=0.35)


def test_experts_spread_over_nodes_where_the_network_is_known(variant: Callable[..., System]) -> None:
    wide, alone = variant(memory_gb=180.0), variant(memory_gb=180.0, nic_gbps=None)
    groups = [
        serve_decode(SPARSE, one, input_tokens=3000, output_tokens=800).details["group"]
        for one in (wide, alone)
    ]
    assert groups[0] > 8 >= groups[1]
