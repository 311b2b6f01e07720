from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.recommender.examples import dlrm
from gigawright.workloads.recommender.train import EPOCH_SAMPLES, minutes_to_target, train_step


def test_a_step_is_the_sum_of_its_parts() -> None:
    ask = dlrm()
    done = train_step(ask.sizes, ask.chip, 8, 55_296)
    assert done.step_s == pytest.approx(sum(done.seconds.values()))
    assert done.samples_per_s == pytest.approx(55_296 / done.step_s)
    assert 0 < done.forward_s < done.step_s
    assert all(value >= 0 for value in done.seconds.values())


@settings(max_examples=15)
@given(st.sampled_from([8, 16, 64]), st.floats(2e4, 2e5))
def test_more_samples_take_longer_and_less_each(accelerators: int, batch: float) -> None:
    ask = dlrm()
    small = train_step(ask.sizes, ask.chip, accelerators, batch)
    large = train_step(ask.sizes, ask.chip, accelerators, 1.5 * batch)
    assert large.step_s > small.step_s
    assert large.samples_per_s > small.samples_per_s * 0.9


def test_more_accelerators_are_faster_but_less_than_in_proportion() -> None:
    ask = dlrm()
    few, many = (train_step(ask.sizes, ask.chip, count, 131_072).samples_per_s for count in (8, 64))
    assert few < many < 8 * few


def test_tables_with_their_optimiser_must_fit() -> None:
    ask = dlrm()
    with pytest.raises(Unpredictable, match="with their optimiser on 1 x"):
        train_step(ask.sizes, ask.chip, 1, 1024)


def test_minutes_count_the_epochs_that_a_batch_needs() -> None:
    ask = dlrm()
    done = train_step(ask.sizes, ask.chip, 8, 55_296)
    least = done.minutes(0.763 * EPOCH_SAMPLES)
    assert least < minutes_to_target(done, 55_296) < 1.5 * least
