"""The search against the predictor, service by service, and against its own promises."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.catalogue.load import load_facts
from gigawright.facts import FactBook
from gigawright.workloads.power import IDLE_SHARE, watts
from gigawright.workloads.serving.ask import Asked, ask
from gigawright.workloads.serving.bench import Bench, bench_of
from gigawright.workloads.serving.explore import Explored, explore, goals
from gigawright.workloads.serving.points import SURE, configuration_words, points_of, requests_per_s
from gigawright.workloads.serving.predictor import Predicted, predict_services
from gigawright.workloads.serving.service import Layout, Service
from gigawright.workloads.serving.space import Reach, balanced, layouts, loads
from gigawright.workloads.serving.tried import Tried, apart, together

from .known import calibration

BOOK = FactBook(load_facts())
USUAL: dict[str, Any] = {
    "model": "deepseek-r1",
    "system": "dgx_h200",
    "isl": "4000",
    "osl": "1000",
    "ttft_ms": 3000,
    "tpot_ms": 60,
    "engine": "vllm",
}
SMALL: dict[str, Any] = {
    "model": "llama-3.1-8b",
    "system": "dgx_h100",
    "isl": "100k",
    "osl": "2000",
    "ttft_ms": 30000,
    "tpot_ms": 40,
    "gpus": "4",
    "engine": "vllm",
}


def asked(**changes: Any) -> Asked:
    return ask(BOOK, calibration(), **(USUAL | changes))


@lru_cache
def usual() -> Explored:
    return explore(asked(), calibration())


@lru_cache
def small() -> Explored:
    return explore(asked(**SMALL), calibration())


@lru_cache
def bench() -> Bench:
    return bench_of(asked(), calibration())


def some(tried: Tried, count: int = 40) -> Tried:
    """Configurations spread over all."""
    return tried.take(np.unique(np.linspace(0, len(tried) - 1, count).astype(np.int64)))


@pytest.mark.parametrize("found", [usual, small])
def test_no_configuration_beats_a_point(found: Any) -> None:
    done: Explored = found()
    kept = done.tried.take(done.tried.keeps(done.asked.ttft_s, done.asked.tpot_s))
    assert done.kept == len(kept) > 20
    every = goals(done.asked, kept)
    for one in done.points:
        own = np.array([1 / one.pace, one.predicted.tpot_s, one.usd_per_m, one.joules])
        worse = (every <= own * (1 - 1e-9)).all(axis=1)
        assert not worse.any()


def test_points_lie_in_order_and_keep_the_limits() -> None:
    points = usual().points
    speeds = [one.user for one in points]
    assert speeds == sorted(speeds)
    assert {one.apart for one in points} <= {True, False}
    assert all(one.predicted.ttft_s <= 3.0 for one in points)
    assert all(one.predicted.tpot_s <= 0.06 for one in points)
    best = max(done.pace.max() for done in [usual().tried.take(usual().tried.keeps(3.0, 0.06))])
    assert max(one.pace for one in points) == pytest.approx(best, rel=1e-9)


def test_workers_that_do_both_are_as_the_predictor_has_them() -> None:
    chosen = some(together(bench()))
    one = bench().asked.system
    assert one is not None
    for at, point in enumerate(points_of(bench(), chosen)):
        told = point.predicted
        assert told.refused == ""
        assert told.running == pytest.approx(chosen.running[at], rel=1e-9)
        assert told.ttft_s == pytest.approx(chosen.ttft_s[at], rel=1e-9)
        assert told.tpot_s == pytest.approx(chosen.tpot_s[at], rel=1e-9)
        assert told.tokens_per_s == pytest.approx(chosen.pace[at], rel=1e-9)
        power = watts(one, told.spent, sum(told.spent.values()))
        assert chosen.joules[at] == pytest.approx(power / told.tokens_per_s, rel=1e-9)
        assert point.usd_per_m == pytest.approx(bench().asked.price.hour_usd / 3600 / told.tokens_per_s * 1e6)


def test_units_of_two_kinds_are_as_the_predictor_has_them() -> None:
    chosen = some(apart(bench()))
    for at, point in enumerate(points_of(bench(), chosen)):
        decode, prompts = point.predicted, prompt_workers(point.service)
        assert decode.refused == prompts.refused == ""
        assert decode.ttft_s == pytest.approx(chosen.ttft_s[at], rel=1e-9)
        assert decode.tpot_s == pytest.approx(chosen.tpot_s[at], rel=1e-9)
        assert unit_pace(point.service, decode) == pytest.approx(chosen.pace[at], rel=1e-9)
        assert unit_joules(point.service, decode, prompts) == pytest.approx(chosen.joules[at], rel=1e-9)


def prompt_workers(one: Service) -> Predicted:
    """What workers that read prompts alone do."""
    alone = replace(
        one, layout=one.prefill, prefill=None, disaggregated=False, kind="prefill", drafted=0, assumed=()
    )
    return predict_services([alone], calibration())[0]


def size(layout: Layout | None) -> int:
    assert layout is not None
    return layout.accelerators


def unit_pace(one: Service, decode: Predicted) -> float:
    """Output tokens a second over all accelerators of a unit whose workers never wait."""
    whole = one.workers * size(one.layout) + one.prefill_workers * size(one.prefill)
    return decode.tokens_per_s * one.workers * size(one.layout) / whole


def unit_joules(one: Service, decode: Predicted, prompts: Predicted) -> float:
    system = bench().asked.system
    assert system is not None
    tokens = decode.tokens_per_s * one.workers * size(one.layout)
    read = tokens / one.output_tokens * one.input_tokens * (1 - one.cached)
    able = prompts.tokens_per_s * one.prefill_workers * size(one.prefill)
    idle = 1e3 * system.kw_per_accelerator * IDLE_SHARE
    busy = watts(system, prompts.spent, sum(prompts.spent.values()))
    mean = read / able * busy + (1 - read / able) * idle
    writing = watts(system, decode.spent, sum(decode.spent.values())) / decode.tokens_per_s
    return writing + mean * one.prefill_workers * size(one.prefill) / tokens


def test_a_small_space_searched_by_hand_has_no_better_point() -> None:
    done = small()
    spread = layouts(done.asked.first.model, done.asked.reach)
    base = replace(done.asked.first, gpus=0)
    services = [
        replace(base, layout=layout, concurrency=float(running))
        for layout, running in product(spread, range(1, 60))
    ]
    told = [one for one in predict_services(services, calibration()) if not one.refused]
    kept = [one for one in told if one.ttft_s <= 30 and one.tpot_s <= 0.04 and one.running <= one.holds]
    assert len(kept) > 10
    best = max(kept, key=lambda one: one.tokens_per_s)
    found = done.tried.take(~done.tried.apart)
    found = found.take(found.keeps(30, 0.04))
    assert found.pace.max() == pytest.approx(best.tokens_per_s, rel=1e-9)
    assert found.tpot_s.min() == pytest.approx(min(one.tpot_s for one in kept), rel=1e-9)


def test_the_best_small_unit_is_that_of_a_search_by_hand() -> None:
    done = small()
    spread = layouts(done.asked.first.model, done.asked.reach)
    base = replace(done.asked.first, disaggregated=True)
    services = [
        replace(
            base,
            layout=decode,
            prefill=prefill,
            workers=workers,
            prefill_workers=prompts,
            concurrency=float(running * workers),
        )
        for decode, prefill, workers, prompts in product(spread, spread, range(1, 4), range(1, 4))
        if decode.accelerators * workers + prefill.accelerators * prompts <= 4
        for running in (1, 2, 3, 4, 5, 6, 7, 8, 9)
    ]
    rate = {layout: prompt_workers(replace(base, prefill=layout)).tokens_per_s for layout in spread}
    told = predict_services(services, calibration())
    best = max(
        unit_pace(one.service, one)
        for one in told
        if not one.refused
        and one.ttft_s <= 30
        and one.tpot_s <= 0.04
        and one.running <= one.holds
        and keeps_up(one, rate)
    )
    mine = done.tried.take(done.tried.apart)
    mine = mine.take(mine.keeps(30, 0.04) & (mine.running <= 9))
    assert mine.pace.max() == pytest.approx(best, rel=1e-9)


def keeps_up(one: Predicted, rate: dict[Layout, float]) -> bool:
    """Whether prompt workers read as many prompts as the others answer."""
    service = one.service
    assert service.prefill is not None
    read = rate[service.prefill] * service.prefill.accelerators * service.prefill_workers
    wrote = one.tokens_per_s * size(service.layout) * service.workers
    return read / service.input_tokens >= wrote / service.output_tokens


def test_no_worker_that_decodes_waits_and_few_prompt_workers_idle() -> None:
    mine = usual().tried.take(usual().tried.apart)
    assert (mine.idle >= -1e-9).all()
    assert (mine.idle < 1).all()
    assert mine.idle.min() < 0.1
    assert (mine.accelerators <= usual().asked.reach.deployed).all()


@given(
    st.floats(0.02, 20), st.sampled_from([1, 2, 8, 16]), st.sampled_from([1, 4, 8, 64]), st.integers(2, 256)
)
def test_workers_are_balanced_in_whole_numbers(ratio: float, prompt: int, decode: int, most: int) -> None:
    both = balanced(np.array([ratio]), np.array([float(prompt)]), np.array([float(decode)]), most)
    prompts, decoders = (float(one[0]) for one in both)
    units = [
        (max(1, math.ceil(ratio * count * (1 - 1e-9))) * prompt + count * decode, count)
        for count in range(1, 9)
    ]
    costs = [whole / count for whole, count in units if whole <= most]
    if not decoders:
        assert not costs
        return
    assert prompts >= ratio * decoders * (1 - 1e-6)
    assert prompts * prompt + decoders * decode <= most
    assert prompts == 1 or prompts - 1 < ratio * decoders * (1 + 1e-6)
    assert (prompts * prompt + decoders * decode) / decoders <= min(costs, default=math.inf) * (1 + 1e-6)


@pytest.mark.parametrize("looser", [{"tpot_ms": 80}, {"ttft_ms": 6000}, {"tpot_ms": None, "ttft_ms": None}])
def test_looser_limits_never_lower_the_best_pace(looser: dict[str, Any]) -> None:
    best = max(one.pace for one in usual().points)
    wide = explore(asked(**looser), calibration())
    assert max(one.pace for one in wide.points) >= best * (1 - 1e-12)


def test_the_load_at_a_limit_is_the_largest_that_keeps_it() -> None:
    own = bench_of(asked(tpot_ms=25, ttft_ms=None, drafts=0), calibration())
    found = together(own)
    kept = found.take(found.keeps(math.inf, 0.025))
    at = int(np.argmax(kept.running))
    one = points_of(own, kept.take(np.array([at])))[0].service
    assert one.layout is not None
    more = replace(one, concurrency=one.concurrency + one.layout.data)
    assert predict_services([more], calibration())[0].tpot_s > 0.025


def test_the_recommended_point_is_sure_and_no_point_of_the_front_that_is_has_a_better_pace() -> None:
    done = usual()
    assert done.choice is not None
    assert done.choice.chance >= SURE
    assert done.choice.pace >= max(one.pace for one in done.points if one.chance >= SURE)


def test_no_configuration_that_is_sure_has_a_better_pace_than_the_recommended() -> None:
    done = small()
    kept = done.tried.take(done.tried.keeps(30, 0.04))
    every = points_of(bench_of(done.asked, calibration()), kept)
    assert done.choice is not None
    assert done.choice.pace == pytest.approx(max(one.pace for one in every if one.chance >= SURE))


def test_where_nothing_is_sure_pace_times_chance_decides() -> None:
    done = explore(asked(tpot_ms=10, drafts=0), calibration())
    assert done.choice is not None
    assert max(one.chance for one in done.points) < SURE
    best = max(one.pace * one.chance for one in done.points)
    assert done.choice.pace * done.choice.chance >= 0.97 * best


def test_a_rate_is_served_by_the_fewest_accelerators_that_are_sure() -> None:
    done = explore(asked(rate=2.0), calibration())
    assert done.choice is not None
    mine = done.choice.units * done.choice.accelerators
    assert mine <= min(one.units * one.accelerators for one in done.points if one.chance >= SURE)


def test_without_limits_every_configuration_is_sure() -> None:
    done = explore(asked(ttft_ms=None, tpot_ms=None), calibration())
    assert {one.chance for one in done.points} == {1.0}
    assert done.nearly is None


def test_a_chosen_engine_has_the_best_pace() -> None:
    done = explore(asked(engine="", drafts=0), calibration())
    assert done.asked.engines == ("sglang",)  # whose rows are faster in this calibration
    assert "engine sglang" in done.notes[0]


def test_limits_that_are_too_tight_tell_the_nearest() -> None:
    done = explore(asked(tpot_ms=1), calibration())
    assert done.points == ()
    assert {one.apart for one in done.misses} == {True, False}
    nearest = min(float(np.maximum(done.tried.tpot_s / 0.001, done.tried.ttft_s / 3).min()), 1e9)
    first = done.misses[0].predicted
    assert max(first.tpot_s / 0.001, first.ttft_s / 3) == pytest.approx(nearest)
    assert any(f"--tpot-ms {math.ceil(first.tpot_s * 1e3)}" in line for line in done.helps)


def test_what_helps_keeps_the_limits() -> None:
    done = explore(asked(tpot_ms=1), calibration())
    wanted = math.ceil(done.misses[0].predicted.tpot_s * 1e3)
    assert explore(asked(tpot_ms=wanted), calibration()).points


LARGE: dict[str, Any] = {
    "model": "llama-3.1-405b",
    "system": "dgx_h100",
    "precision": "bf16",
    "ttft_ms": None,
    "tpot_ms": None,
}
"""810 GB of weights; a node has 640."""


def test_too_little_memory_tells_what_fits() -> None:
    done = explore(asked(**LARGE, gpus="8"), calibration())
    assert not len(done.tried)
    assert "GiB" in done.helps[0]
    assert "what helps: --gpus 16" in done.helps
    assert "what helps: --precision fp8" in done.helps
    assert explore(asked(**LARGE, gpus="16"), calibration()).points


def test_a_model_that_no_node_holds_is_also_laid_out_in_stages() -> None:
    own = bench_of(asked(**LARGE), calibration())
    assert {one.pipeline for one in own.layouts} == {1, 2, 4, 8}
    assert {one.pipeline for one in bench().layouts} == {1}


def test_a_rate_is_served_by_whole_units() -> None:
    done = explore(asked(rate=12.0), calibration())
    for one in done.points:
        assert one.units * one.served >= 12.0 * (1 - 1e-6)
        assert (one.units - 1) * one.served < 12.0
        hours = one.usd_per_month / (one.units * one.accelerators * 730)
        assert hours == pytest.approx(done.asked.price.hour_usd, rel=1e-6)


def test_a_rate_beyond_the_accelerators_is_told() -> None:
    done = explore(asked(rate=1e6, gpus="16", tpot_ms=None, ttft_ms=None), calibration())
    assert done.points == ()
    served = requests_per_s(done.asked, done.tried)
    assert (np.ceil(1e6 / served) * done.tried.accelerators > 16).all()
    fewest = float((np.ceil(1e6 / served) * done.tried.accelerators).min())
    assert any(f"--gpus {fewest:.0f} serves 1e+06 requests/s" in line for line in done.helps)


def test_unknown_power_and_price_leave_the_other_goals() -> None:
    found = asked(drafts=0)
    assert found.system is not None
    blind = replace(found, system=replace(found.system, kw_per_accelerator=0.0))
    done = explore(blind, calibration())
    assert done.points
    assert all(math.isnan(one.joules) for one in done.points)


def test_layouts_split_heads_and_experts_evenly() -> None:
    model = asked().first.model
    for one in layouts(model, Reach(8, 144, 256), (1, 2)):
        assert model.heads % one.tensor == 0
        ranks = one.tensor * one.data
        assert one.data == 1 or one.expert == ranks
        assert -(-model.experts // one.expert) * one.expert <= model.experts * 1.125


def test_loads_are_whole_and_end_at_what_memory_holds() -> None:
    places, running = loads(np.array([100.7, 0.2, 5000.0]))
    assert set(places.tolist()) == {0, 2}
    assert (running == np.floor(running)).all()
    assert running[places == 0].max() == 100
    assert running[places == 2].max() == 4096


def test_words_of_a_unit() -> None:
    one = replace(asked().first, layout=Layout(data=16, expert=16), workers=1)
    unit = replace(one, prefill=Layout(tensor=4, expert_tensor=4), prefill_workers=2)
    assert configuration_words(unit) == "2x TP4 prefill + 1x DP16 EP16 decode"
