"""The array code against a slow evaluation of one run after the other, to 1e-9."""

from __future__ import annotations

import numpy as np
import pytest

from gigawright.arrays import Floats
from gigawright.workloads.training.constants import Constants, priors
from gigawright.workloads.training.step import PARTS, Step

from . import reference
from .drawing import draw_constants, draw_runs, stepped

RUNS = draw_runs(300)
KINDS = ("weights", "gradients", "optimiser", "activations", "scores")


@pytest.fixture(scope="module", params=[0, 1])
def c(request: pytest.FixtureRequest) -> Constants:
    """The constants before any fit, and others: a refit changes none of these tests."""
    return draw_constants(request.param) if request.param else priors()


@pytest.fixture(scope="module")
def slow(c: Constants) -> list[reference.Slow]:
    return [reference.evaluate(run, c) for run in RUNS]


@pytest.fixture(scope="module")
def done(c: Constants) -> Step:
    return stepped(RUNS, c)


def assert_same(found: Floats, expected: list[float], scale: list[float], what: str) -> None:
    """Equal to 1e-9 of the value, or of the whole where a part is what two large numbers differ by."""
    wrong = np.abs(found - np.array(expected)) > 1e-9 * np.abs(expected) + 1e-13 * np.array(scale)
    told = [
        f"{found[at]!r} not {expected[at]!r}: {RUNS[at].model.id} on {RUNS[at].chip.id}, {RUNS[at].layout}"
        for at in np.flatnonzero(wrong)[:3]
    ]
    assert not told, f"{what} of {wrong.sum()} runs: {told}"


@pytest.mark.parametrize("part", PARTS)
def test_seconds_by_part(part: str, done: Step, slow: list[reference.Slow]) -> None:
    found = done.parts[PARTS.index(part)]
    assert_same(found, [one.parts[part] for one in slow], [one.seconds for one in slow], part)


def test_seconds_and_waiting(done: Step, slow: list[reference.Slow]) -> None:
    seconds = [one.seconds for one in slow]
    assert_same(done.seconds, seconds, seconds, "seconds")
    assert_same(done.bubble, [one.waiting for one in slow], seconds, "waiting")


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_by_kind(kind: str, done: Step, slow: list[reference.Slow]) -> None:
    found = getattr(done.memory, kind)
    assert_same(found, [one.held[kind] for one in slow], [one.bytes for one in slow], kind)


def test_bytes(done: Step, slow: list[reference.Slow]) -> None:
    total = [one.bytes for one in slow]
    assert_same(done.memory.total, total, total, "bytes")
