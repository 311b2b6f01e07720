"""Goodput: invariants, the exact formula against a simulation, and what operators published."""

from __future__ import annotations

import csv
import math
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.catalogue.load import load_facts
from gigawright.facts import FactBook
from gigawright.workloads.training.goodput import (
    Reliability,
    best_interval,
    efficiency,
    goodput,
    reliability,
)

KNOWN = reliability(FactBook(load_facts()))
PARAMETERS = st.floats(1e9, 2e12)
ACCELERATORS = st.integers(1, 500_000)
KNOWNS = st.builds(
    Reliability,
    interruptions=st.floats(1e-6, 1e-4),
    restart_s=st.floats(10.0, 3600.0),
    storage_bytes_s=st.floats(1e7, 1e9),
)


@given(PARAMETERS, ACCELERATORS, KNOWNS)
def test_shares_are_shares_of_one_time(parameters: float, accelerators: int, known: Reliability) -> None:
    found = goodput(parameters, accelerators, known)
    assert 0.0 <= found.share < 1.0
    assert min(found.saving, found.lost, found.restarting) >= 0.0
    whole = found.share + found.saving + found.lost + found.restarting
    assert whole == pytest.approx(1.0, abs=1e-9)


@given(PARAMETERS, ACCELERATORS, KNOWNS, st.floats(1.05, 16.0))
def test_more_accelerators_train_a_smaller_share_of_the_time(
    parameters: float, accelerators: int, known: Reliability, times: float
) -> None:
    more = math.ceil(accelerators * times) + 1
    assert goodput(parameters, more, known).share < goodput(parameters, accelerators, known).share


@given(PARAMETERS, ACCELERATORS, KNOWNS, st.floats(1.1, 10.0))
def test_what_fails_more_restarts_slower_or_saves_slower_trains_less(
    parameters: float, accelerators: int, known: Reliability, times: float
) -> None:
    before = goodput(parameters, accelerators, known).share
    for worse in (
        replace(known, interruptions=known.interruptions * times),
        replace(known, restart_s=known.restart_s * times),
        replace(known, storage_bytes_s=known.storage_bytes_s / times),
    ):
        assert goodput(parameters, accelerators, worse).share < before


@given(st.floats(0.1, 300.0), st.floats(1000.0, 1e6), st.floats(0.5, 2.0))
def test_no_other_interval_is_better(save_s: float, between_s: float, times: float) -> None:
    """Daly's interval is an expansion: its loss against the true optimum is below a part in a thousand."""
    best = best_interval(save_s, between_s)
    other = efficiency(best * times, save_s, between_s, 300.0)
    assert efficiency(best, save_s, between_s, 300.0) >= other * (1 - 1e-3)


def test_where_interruptions_are_rare_the_first_order_holds() -> None:
    save_s, between_s, restart_s = 5.0, 1e6, 600.0
    interval_s = math.sqrt(2 * save_s * between_s)
    first = 1 - save_s / interval_s - (interval_s / 2 + restart_s) / between_s
    assert best_interval(save_s, between_s) == pytest.approx(interval_s, rel=0.01)
    assert efficiency(interval_s, save_s, between_s, restart_s) == pytest.approx(first, abs=1e-4)


def test_the_formula_is_the_mean_of_lives_of_a_run() -> None:
    save_s, between_s, restart_s, interval_s = 60.0, 3600.0, 300.0, 600.0
    fate = random.Random(1)
    clock, done, goal = 0.0, 0, 20_000
    while done < goal:
        left = fate.expovariate(1 / between_s)
        cycles = min(goal - done, int(left // (interval_s + save_s)))
        done += cycles
        clock += cycles * (interval_s + save_s) if done == goal else left
        while done < goal:
            again = fate.expovariate(1 / between_s)
            clock += min(again, restart_s)
            if again >= restart_s:
                break
    simulated = goal * interval_s / clock
    assert efficiency(interval_s, save_s, between_s, restart_s) == pytest.approx(simulated, rel=0.02)


def test_a_checkpoint_that_outlasts_the_run_leaves_something() -> None:
    assert best_interval(save_s=100.0, between_s=10.0) == 10.0
    assert 0.0 < efficiency(10.0, 100.0, 10.0, 1.0) < 0.01
    assert efficiency(10.0, 1e5, 10.0, 1.0) == 0.0


def test_llama_3_405b_kept_more_than_ninety_percent() -> None:
    """arXiv:2407.21783, section 3.3.4: 466 interruptions in 54 days on 16,384 H100, over 90% effective."""
    found = goodput(405e9, 16384, KNOWN)
    assert found.between_s == pytest.approx(54 * 86400 / 466, rel=0.002)
    assert 0.90 <= found.share <= 0.96


def test_byterobust_kept_ninety_seven_percent_with_hot_updates() -> None:
    """arXiv:2509.16293: up to 97% on 9,600 accelerators; detection 60 s, hot updates 46 to 65 s."""
    known = replace(KNOWN, restart_s=60 + 65, storage_bytes_s=1e12)
    assert goodput(7e10, 9600, known).share == pytest.approx(0.97, abs=0.025)


def test_a_hundred_thousand_in_lockstep_train_about_half_the_time() -> None:
    """arXiv:2602.00277: interrupted every 18 minutes, 100,000 accelerators train 44% of the time."""
    known = replace(KNOWN, interruptions=1 / (0.3 * 100_000))
    found = goodput(4e11, 100_000, known)
    assert found.between_s == pytest.approx(18 * 60)
    assert found.share == pytest.approx(0.44, abs=0.12)


def test_the_rates_are_those_of_the_published_rows(shared_folder: Path) -> None:
    path = shared_folder / "truth" / "reliability.csv"
    if not path.is_file():
        pytest.skip(f"no published reliability at {path}")
    with path.open(encoding="utf-8") as stream:
        value = {row["id"]: row["value"] for row in csv.DictReader(stream)}
    (fact,) = [f for f in load_facts() if f.item == "training_interruptions"]
    assert fact.value == pytest.approx(float(value["1"]) / (54 * 24 * 16384), rel=1e-3)
    assert fact.low == pytest.approx(float(value["19"]) / (1000 * 24 * 8), rel=1e-3)
    assert fact.high == pytest.approx(float(value["18"]) / (1000 * 24 * 8), rel=1e-3)
    low, high = (float(end) for end in value["30"].split("/")[1].split("-"))
    assert low * 60 <= KNOWN.restart_s <= high * 60
