"""From planned phases to what is simulated: the closed form's own costs, layouts that leave time to wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gigawright.catalogue.types import System
from gigawright.workloads.architecture import language_model
from gigawright.workloads.performance import PhasePerformance
from gigawright.workloads.serving.planned import placed_as, prompts, serve_decode, serve_prefill
from gigawright.workloads.serving.predictor import predict_services
from gigawright.workloads.serving.spread import INPUT_SPREAD, long_over_mean
from gigawright.workloads.serving.surface_build import Configuration, simulated
from gigawright.workloads.serving.surface_planned import answers_configuration, prompts_configuration

DENSE, SPARSE = "llama-3.1-70b", "deepseek-v3"
ASKED = 1500.0


def prefill(system: System, model: str = DENSE, limit_s: float = float("inf")) -> PhasePerformance:
    return serve_prefill(language_model(model), system, input_tokens=ASKED, ttft_limit_s=limit_s)


def of_prompts(system: System, done: PhasePerformance, model: str = DENSE) -> Configuration:
    return prompts_configuration(language_model(model), system, done, precision="fp8", input_tokens=ASKED)


def of_answers(system: System, done: PhasePerformance) -> Configuration:
    return answers_configuration(
        language_model(DENSE),
        system,
        done,
        precision="fp8",
        input_tokens=ASKED,
        output_tokens=400.0,
        tpot_limit_s=0.05,
    )


@pytest.mark.parametrize("model", [DENSE, SPARSE])
def test_full_chunks_of_prompts_have_the_pace_of_the_closed_form(
    variant: Callable[..., System], model: str
) -> None:
    system = variant(memory_gb=180.0)
    done = prefill(system, model)
    asked = of_prompts(system, done, model)
    chunk = asked.pace.chunk
    seconds = asked.pace.tokens_s[chunk] + asked.pace.pair_s * chunk * ASKED / 2
    # Prompts alone and prompts among answers are scenarios with effects of their own.
    assert chunk / seconds == pytest.approx(asked.full_per_s * ASKED, rel=0.3)


def test_a_step_of_answers_takes_what_the_closed_form_says(h100: System) -> None:
    done = serve_decode(language_model(DENSE), h100, input_tokens=ASKED, output_tokens=400.0)
    asked = of_answers(h100, done)
    running = round(asked.running)
    step = asked.pace.tokens_s[running] + running * asked.pace.context_s * (ASKED + 200)
    assert step == pytest.approx(done.details["tpot_s"], rel=0.05)


def test_the_placed_service_is_the_predicted_one(h100: System) -> None:
    done = prefill(h100, limit_s=1.0)
    placed = placed_as(done, prompts(language_model(DENSE), h100, "fp8", ASKED))
    assert predict_services([placed])[0].tokens_per_s == pytest.approx(done.work_per_s, rel=1e-6)


def test_a_shorter_limit_spreads_prompts_wider_and_costs_pace(h100: System) -> None:
    found = [prefill(h100, limit_s=limit) for limit in (100.0, 2.0, 0.8)]
    widths = [one.details["tensor_parallel"] for one in found]
    paces = [one.work_per_s for one in found]
    assert widths == sorted(widths)
    assert widths[-1] > widths[0]
    assert paces == sorted(paces, reverse=True)
    assert found[0].work_per_s == pytest.approx(prefill(h100).work_per_s)


def test_where_no_layout_is_quick_enough_the_quickest_is_taken(h100: System) -> None:
    hopeless = prefill(h100, limit_s=1e-3)
    others = [prefill(h100, limit_s=limit) for limit in (100.0, 2.0)]

    def long_s(done: PhasePerformance) -> float:
        pace = of_prompts(h100, done).pace
        return float(pace.tokens_s[min(pace.chunk, round(ASKED * long_over_mean(INPUT_SPREAD)))])

    assert not hopeless.refused
    assert all(long_s(hopeless) <= long_s(other) * (1 + 1e-9) for other in others)


def test_replicas_of_a_worker_read_a_prompt_each(variant: Callable[..., System]) -> None:
    """One attention replica of a worker has its share of pace, memory and seats, and takes longer alone."""
    system = variant(memory_gb=180.0)
    done = prefill(system, SPARSE)
    replicas = done.details["replicas"]
    asked = of_prompts(system, done, SPARSE)
    assert replicas > 1
    assert asked.full_per_s == pytest.approx(done.work_per_s * done.details["tensor_parallel"] / ASKED)
    assert asked.pace.chunk == 8192 // replicas
    alone = replace(asked, bank=1)
    assert simulated(alone, 0.1).seconds[50] > asked.pace.tokens_s[round(ASKED / replicas)]


def test_first_tokens_wait_for_the_host_and_for_their_cache(variant: Callable[..., System]) -> None:
    slow, fast = (variant(nic_gbps=nic) for nic in (25.0, 400.0))
    near, far = (of_prompts(system, prefill(system)).fixed_s for system in (fast, slow))
    assert 0.005 < near < 0.5
    assert far > near + 0.01
