"""The search: its shared tables and blocks give what a step alone gives, and its best are the best."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.training import search
from gigawright.workloads.training.candidates import QUICK, Space
from gigawright.workloads.training.constants import priors
from gigawright.workloads.training.examples import example_run
from gigawright.workloads.training.layouts import layouts
from gigawright.workloads.training.machine import GIBIBYTE, machines
from gigawright.workloads.training.run import Layout, Run
from gigawright.workloads.training.search import Evaluated, evaluate
from gigawright.workloads.training.shapes import shapes
from gigawright.workloads.training.step import PARTS, step

from . import reference

FEWER = Space(overlap_pipeline=(True,), overlap_data=(True,), max_micro_batch=4)
EXAMPLES = {
    "dense": example_run("llama-3.1-8b", "nv_a100_80", 32, 4096, 96, Layout()),
    "experts": replace(
        example_run("deepseek-v2-lite", "hw_910b2", 16, 4096, 64, Layout()), mtp=1, precision="int8"
    ),
    "long": example_run("qwen3-30b-a3b", "nv_gb200_nvl72", 16, 32768, 16, Layout()),
}


@pytest.fixture(scope="module", params=EXAMPLES)
def found(request: pytest.FixtureRequest) -> Evaluated:
    return evaluate(EXAMPLES[request.param], FEWER, priors())


def laid_out(found: Evaluated, place: int) -> Run:
    return replace(found.run, layout=found.layout(place))


def test_each_candidate_is_what_a_step_alone_is(found: Evaluated) -> None:
    count = len(found.seconds)
    assert count > 500
    same = [0] * count
    model, chip = shapes([found.run]).take(same), machines([found.run]).take(same)
    alone = step(model, chip, found.layouts, priors())
    np.testing.assert_allclose(found.seconds, alone.seconds, rtol=1e-9)
    np.testing.assert_allclose(found.memory, alone.memory.total, rtol=1e-9)


def test_some_candidates_against_the_slow_evaluation(found: Evaluated) -> None:
    for place in random.Random(7).sample(range(len(found.seconds)), 40):
        slow = reference.evaluate(laid_out(found, place), priors())
        assert found.seconds[place] == pytest.approx(slow.seconds, rel=1e-9)
        assert found.memory[place] == pytest.approx(slow.bytes, rel=1e-9)


def test_a_candidate_survives_the_way_to_a_layout_and_back(found: Evaluated) -> None:
    for place in range(0, len(found.seconds), 97):
        back = layouts([laid_out(found, place)])
        for name, value in vars(back).items():
            assert value[0] == getattr(found.layouts, name)[place], name


def test_the_best_are_the_fastest_that_fit(found: Evaluated) -> None:
    assert 0 < found.fits.sum() < len(found.fits)
    best = found.best(10)
    assert found.fits[best].all()
    expected = np.sort(found.seconds[found.fits])[:10]
    np.testing.assert_array_equal(found.seconds[best], expected)
    assert len(found.best(10**9)) == found.fits.sum()


def test_what_fits_fits_the_memory(found: Evaluated) -> None:
    usable = found.run.chip.memory_gb * GIBIBYTE * priors().memory_used
    assert (found.memory[found.fits] <= usable * (1 + 1e-8)).all()
    assert (found.memory[~found.fits] > usable).all()


def test_nothing_is_best_where_nothing_fits() -> None:
    run = example_run("llama-3.1-405b", "nv_a100_40", 8, 8192, 8, Layout())
    found = evaluate(run, QUICK, priors())
    assert not found.fits.any()
    assert len(found.best()) == 0


def test_blocks_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    run = EXAMPLES["dense"]
    whole = evaluate(run, FEWER, priors())
    monkeypatch.setattr(search, "BLOCK", 17)
    monkeypatch.setattr(search, "FEW", 0)
    told: list[tuple[int, int]] = []
    blocks = evaluate(run, FEWER, priors(), progress=lambda done, count: told.append((done, count)))
    np.testing.assert_allclose(blocks.seconds, whole.seconds, rtol=1e-12)
    np.testing.assert_array_equal(blocks.memory, whole.memory)
    dones = [done for done, _ in told]
    assert dones == sorted(dones)
    assert told[-1][0] == told[-1][1] >= len(whole.seconds)


def test_multipliers_scale_parts() -> None:
    run = EXAMPLES["experts"]
    logs = np.linspace(-0.3, 0.3, len(PARTS))
    found = evaluate(run, QUICK, priors(), logs)
    place = int(found.best()[0])
    one = [laid_out(found, place)]
    done = step(shapes(one), machines(one), layouts(one), priors())
    parts, held = done.parts[:, 0] * np.exp(logs), done.memory
    waiting = done.bubble[0] * parts.sum() / done.seconds[0]
    assert parts.sum() == pytest.approx(found.seconds[place], rel=1e-9)
    assert 0 <= waiting < parts.sum()
    assert held.total[0] == pytest.approx(found.memory[place], rel=1e-9)


def test_an_empty_space_says_why() -> None:
    run = example_run("llama-3.1-8b", "nv_h100_sxm", 4096, 8192, 7, Layout())
    with pytest.raises(Unpredictable, match="no layout spreads 7 sequences over 4,096 accelerators"):
        evaluate(run, replace(QUICK, max_tensor=1, max_pipeline=1), priors())


def test_more_choice_is_never_slower() -> None:
    run = EXAMPLES["dense"]
    few = evaluate(run, replace(FEWER, zero=(1,), recompute=("none",)), priors())
    many = evaluate(run, FEWER, priors())
    assert many.seconds[many.best()[0]] <= few.seconds[few.best()[0]]
