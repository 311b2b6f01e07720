"""Response surfaces: against closed forms, the same every time, kept on disk and never trusted blindly."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gigawright import tables
from gigawright.tables import cache_folder
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.requests.pace import linear_pace
from gigawright.workloads.serving import surface_cache
from gigawright.workloads.serving.surface import LOADS, Surface, held_share
from gigawright.workloads.serving.surface_build import (
    CHECK_SEED,
    OUTPUT_SPREAD,
    Configuration,
    built,
    lengths,
    simulated,
    spot_check,
)
from gigawright.workloads.serving.surface_cache import key_of, surface_of, surfaces_of

PROMPT_S = 0.1

ONE_BY_ONE = Configuration(
    "ttft",
    linear_pace(PROMPT_S, 0.0, chunk=4096, blocks=100_000, max_sequences=1),
    full_per_s=1 / PROMPT_S,
    running=1.0,
    input_tokens=100.0,
    output_tokens=1.0,
    bank=1,
)
"""Each prompt takes the same time, and one is read at a time: M/D/1."""

STEP = (0.01, 1e-4)
"""Seconds of an iteration, and more of it for each sequence."""

ANSWERS = Configuration(
    "tpot",
    linear_pace(*STEP, chunk=2048, blocks=200_000, max_sequences=512),
    full_per_s=100 / (STEP[0] + 100 * STEP[1]) / 200,
    running=100.0,
    input_tokens=500.0,
    output_tokens=200.0,
)
"""100 sequences at full pace, each of 200 tokens."""


@pytest.fixture(scope="module")
def prompts() -> Surface:
    return built(ONE_BY_ONE)


@pytest.fixture(scope="module")
def answers() -> Surface:
    return built(ANSWERS)


def by_hand(seconds: list[float], loads: tuple[float, ...] = (0.2, 0.5, 1.0)) -> Surface:
    column = np.array(seconds)
    rising = np.array(loads)
    return Surface(
        "ttft",
        rising,
        {50: column / 2, 90: column / 1.5, 99: column},
        rising * 3,
        rising * 8,
        rising,
        8,
        100,
        3.0,
    )


@pytest.mark.parametrize("load", [0.3, 0.5, 0.7, 0.8])
def test_one_replica_that_reads_one_prompt_at_a_time_is_m_d_1(load: float) -> None:
    """Pollaczek-Khinchine: mean number in the system = rho + rho^2 / (2 (1 - rho))."""
    found = simulated(ONE_BY_ONE, load)
    assert found.in_flight == pytest.approx(load + load**2 / (2 * (1 - load)), rel=0.06)
    assert found.requests_per_s == pytest.approx(load / PROMPT_S, rel=0.03)
    assert found.busy == pytest.approx(load, rel=0.03)


def test_an_empty_queue_takes_what_a_prompt_takes(prompts: Surface) -> None:
    assert prompts.seconds[50][0] == pytest.approx(PROMPT_S)
    assert prompts.replicas == 1


def test_answers_take_the_step_of_as_many_as_are_under_way(answers: Surface) -> None:
    """Little's law at a steady load: n = load x pace x tokens x step(n), so n = a b / (1 - a c)."""
    for load in (0.3, 0.5, 0.7, 0.9):
        rate = load * ANSWERS.full_per_s * ANSWERS.output_tokens
        running = rate * STEP[0] / (1 - rate * STEP[1])
        assert answers.at(load).seconds[50] == pytest.approx(STEP[0] + STEP[1] * running, rel=0.05)
        assert answers.at(load).in_flight == pytest.approx(running, rel=0.06)


def test_more_load_is_never_quicker(prompts: Surface, answers: Surface) -> None:
    for surface in (prompts, answers):
        assert surface.loads.tolist() == list(LOADS)
        for values in surface.seconds.values():
            assert (np.diff(values) >= -0.03 * values[:-1]).all()
        assert (surface.seconds[99] >= surface.seconds[90]).all()
        assert (surface.seconds[90] >= surface.seconds[50]).all()
        assert (np.diff(surface.in_flight) > 0).all()


def test_the_same_seed_gives_the_same_surface_and_another_is_near(answers: Surface) -> None:
    again = built(ANSWERS)
    assert all((again.seconds[each] == answers.seconds[each]).all() for each in answers.seconds)
    assert again.checks == answers.checks
    for check in answers.checks:
        assert check.seed == CHECK_SEED
        assert all(abs(off) < 0.1 for off in check.deviation.values())
        assert any(off != 0 for off in check.deviation.values())


def test_a_spot_check_tells_a_wrong_surface(answers: Surface) -> None:
    wrong = replace(answers, seconds={each: values * 2 for each, values in answers.seconds.items()})
    assert spot_check(wrong, ANSWERS, 0.6, 3).deviation[99] == pytest.approx(-0.5, abs=0.05)


def test_cached_prompts_leave_more_time() -> None:
    paid = replace(ONE_BY_ONE, pace=linear_pace(0.0, 1e-3, chunk=4096, blocks=100_000, max_sequences=1))
    asked = replace(paid, input_tokens=1000.0, full_per_s=1.0)
    half = simulated(replace(asked, cached=0.5), 0.5)
    assert half.busy == pytest.approx(0.25, rel=0.05)
    assert half.seconds[50] < simulated(asked, 0.5).seconds[50] / 1.5


def test_lengths_have_their_mean_and_spread() -> None:
    found = lengths(660.0, OUTPUT_SPREAD, 8000, np.random.default_rng(3))
    assert found.mean() == pytest.approx(660.0, rel=1e-3)
    assert found.std() / found.mean() == pytest.approx(OUTPUT_SPREAD, rel=0.03)
    assert found.min() >= 1


def test_a_limit_is_held_up_to_where_it_is_crossed() -> None:
    surface = by_hand([1.0, 2.0, 8.0])
    assert surface.most(4.0) == pytest.approx(0.75)
    assert surface.most(2.0) == pytest.approx(0.5)
    assert surface.most(0.9) == 0.0
    assert surface.most(9.0) == 1.0
    assert surface.most(4.0, 50) == pytest.approx(1.0)
    assert surface.at(0.75).seconds[99] == pytest.approx(4.0)
    assert by_hand([1.0, 1.0, 1.0], (0.5, 1.0, 1.1)).most(2.0) == 1.0


def test_what_finds_no_end_holds_no_limit() -> None:
    surface = by_hand([1.0, 2.0, math.inf])
    assert surface.most(100.0) == pytest.approx(0.5)
    assert surface.at(0.5).seconds[99] == pytest.approx(2.0)
    assert surface.at(0.7).seconds[99] == math.inf
    assert surface.at(1.2).seconds[50] == math.inf
    assert by_hand([math.inf] * 3).most(100.0) == 0.0


def test_points_between_and_below() -> None:
    surface = replace(by_hand([1.0, 2.0, 8.0]), idle_watts=300.0, full_watts=1000.0)
    assert surface.at(0.1).requests_per_s == pytest.approx(0.3)
    assert surface.at(0.1).seconds[99] == pytest.approx(1.0)
    assert surface.at(0.35).in_flight == pytest.approx(2.8)
    assert surface.at(0.5).watts == pytest.approx(650.0)
    with pytest.raises(ValueError, match="0 or more"):
        surface.at(-0.1)


def test_a_limit_that_no_load_holds_is_refused() -> None:
    assert held_share(by_hand([1.0, 2.0, 8.0]), 2.0) == pytest.approx(0.5)
    with pytest.raises(Unpredictable, match=r"waits 1\.00 s or more for a first token at 20% load"):
        held_share(by_hand([1.0, 2.0, 8.0]), 0.5)


def test_requests_that_no_memory_holds_count_as_endless() -> None:
    tight = replace(ONE_BY_ONE, pace=linear_pace(PROMPT_S, 0.0, chunk=4096, blocks=20, max_sequences=1))
    found = simulated(tight, 0.3)
    assert found.seconds[99] == math.inf
    assert math.isfinite(found.seconds[50])


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Configuration]:
    """An empty cache on disk and in memory; what is simulated from now on."""
    made: list[Configuration] = []

    def counting(asked: Configuration) -> Surface:
        made.append(asked)
        return replace(by_hand([1.0, 2.0, math.inf]), fixed_s=asked.fixed_s)

    monkeypatch.setenv(tables.CACHE, str(tmp_path / "cache"))
    monkeypatch.setattr(surface_cache, "built", counting)
    monkeypatch.setattr(surface_cache, "_MADE", {})
    return made


def test_a_surface_is_made_once(counted: list[Configuration], monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    first, twin, other = surfaces_of([ANSWERS, ANSWERS, ONE_BY_ONE], told.append)
    assert first is twin
    assert len(counted) == 2
    assert any("2 response surfaces" in line for line in told)
    surface_of(ANSWERS)
    monkeypatch.setattr(surface_cache, "_MADE", {})
    kept = surface_of(ONE_BY_ONE)
    assert len(counted) == 2
    assert kept is not other
    for each in (50, 90, 99):
        assert kept.seconds[each].tolist() == other.seconds[each].tolist()
    assert kept.in_flight.tolist() == other.in_flight.tolist()
    assert (kept.felt, kept.checks, kept.full_per_s) == (other.felt, other.checks, other.full_per_s)


def test_a_real_surface_is_the_same_from_disk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answers: Surface
) -> None:
    monkeypatch.setenv(tables.CACHE, str(tmp_path))
    monkeypatch.setattr(surface_cache, "_MADE", {})
    surface_of(ANSWERS)
    monkeypatch.setattr(surface_cache, "_MADE", {})
    monkeypatch.setattr(surface_cache, "built", None)
    kept = surface_of(ANSWERS)
    assert all((kept.seconds[each] == answers.seconds[each]).all() for each in answers.seconds)
    assert kept.checks == answers.checks


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"replicas": 8', '"replicas": 80'),
        lambda text: "[]",
        lambda text: "\x00\xff",
        lambda text: json.dumps({**json.loads(text), "key": "0" * 32}),
        lambda text: json.dumps({**json.loads(text), "surface": None}),
    ],
)
def test_a_spoilt_file_is_made_anew(
    counted: list[Configuration], monkeypatch: pytest.MonkeyPatch, spoil: object
) -> None:
    surface_of(ANSWERS)
    path = cache_folder() / "surfaces" / f"{key_of(ANSWERS)}.json"
    whole = path.read_text("utf-8")
    path.write_text(spoil(whole), "utf-8")  # type: ignore[operator]
    monkeypatch.setattr(surface_cache, "_MADE", {})
    surface_of(ANSWERS)
    assert len(counted) == 2
    assert path.read_text("utf-8") == whole


def test_a_cache_that_cannot_be_written_costs_time_alone(
    counted: list[Configuration], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file, not a folder")
    monkeypatch.setenv(tables.CACHE, str(blocked))
    assert surface_of(ANSWERS).replicas == 8
    assert len(counted) == 1


def test_a_name_tells_all_that_a_surface_rests_on() -> None:
    pace = ANSWERS.pace
    others = [
        replace(ANSWERS, input_tokens=501.0),
        replace(ANSWERS, felt="ttft"),
        replace(ANSWERS, cached=0.1),
        replace(ANSWERS, loads=(0.5, 1.0)),
        replace(ANSWERS, bank=3),
        replace(ANSWERS, pace=replace(pace, blocks=pace.blocks + 1)),
        replace(ANSWERS, pace=replace(pace, tokens_s=pace.tokens_s * (1 + 1e-15))),
    ]
    assert len({key_of(one) for one in (ANSWERS, replace(ANSWERS), *others)}) == len(others) + 1


def test_the_folder_is_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(tables.CACHE, str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv(tables.CACHE)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert cache_folder() == tmp_path / "x" / "gigawright"
