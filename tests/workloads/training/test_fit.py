"""The fit: it recovers what synthetic runs were made with, and leaving out is really leaving out."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import lru_cache

import numpy as np
import pytest

from gigawright.arrays import Floats
from gigawright.workloads.training import fit as fitting
from gigawright.workloads.training.calibration import NOISES
from gigawright.workloads.training.constants import PRIORS, Constants, priors
from gigawright.workloads.training.effects import KINDS
from gigawright.workloads.training.fit import (
    FREE,
    Data,
    Fit,
    constants_of,
    first_guess,
    fit,
    jacobian,
    leave_out,
    predict,
    scaled,
    start,
    unbounded,
    without,
)
from gigawright.workloads.training.run import Layout, Run
from gigawright.workloads.training.step import PARTS

from .drawing import draw_run, laid, stepped

TRUTH = replace(
    priors(), gemm=0.85, attention=0.5, element=0.9, nic=0.7, hidden_data=0.6, scale=0.01, immature=0.0
)
"""What the synthetic runs are made with; each is within its prior's reach."""

NOISE = 0.01


@lru_cache(maxsize=1)
def runs() -> tuple[Run, ...]:
    """Dense and MoE runs on several chips and sites."""
    some = [laid(draw_run(seed), recompute="none", offload=False) for seed in range(90)]
    return tuple(
        replace(run, site=f"site {place % 5}", release=str(place % 2), age_years=20.0)
        for place, run in enumerate(some)
    )


def data_of(c: Constants, noise: float, seed: int = 1) -> Data:
    seconds = stepped(runs(), c).seconds
    errors = np.random.default_rng(seed).normal(0, noise, len(seconds)) if noise else 0 * seconds
    return Data.of(runs(), (seconds * np.exp(errors)).tolist())


@pytest.fixture(scope="module")
def data() -> Data:
    return data_of(TRUTH, NOISE)


@pytest.fixture(scope="module")
def fitted(data: Data) -> Fit:
    return fit(data, rounds=6)


def errors(data: Data, found: Fit) -> Floats:
    return np.abs(predict(data, found, found.effects(data)).logs - data.measured)


def test_variables_go_both_ways() -> None:
    assert asdict(constants_of(start())) == pytest.approx(asdict(priors()))
    assert unbounded("share", 0.5) == 0
    assert unbounded("rate", 1.0) == 0
    assert len(start()) == len(FREE) < len(PRIORS)
    far = constants_of(start() + 50.0)
    assert all(0 < getattr(far, name) <= 1 for name, prior in PRIORS.items() if prior.kind == "share")


def test_the_first_guess_is_the_priors(data: Data) -> None:
    guess = first_guess(data)
    assert guess.constants() == constants_of(start())
    assert (guess.residual == 0).all()
    np.testing.assert_allclose(guess.shares.sum(axis=1), 1)


def test_scaling_parts() -> None:
    parts = np.array([[1.0], [3.0]])
    logs, shares = scaled(parts, np.array([[np.log(2.0), 0.0]]))
    assert logs[0] == pytest.approx(np.log(5.0))
    np.testing.assert_allclose(shares, [[0.4, 0.6]])


def test_derivatives_are_central_differences(data: Data) -> None:
    """Within what a step of a thousandth bends."""
    none = np.zeros((len(data.runs), len(PARTS)))
    slopes = jacobian(data, start(), none)
    for name in ("gemm", "nic", "theft", "launch_s"):
        place = FREE.index(name)
        up, down = start(), start()
        up[place] += 1e-4
        down[place] -= 1e-4
        logs = [scaled(fitting.parts_of(data, moved), none)[0] for moved in (up, down)]
        np.testing.assert_allclose(slopes[:, place], (logs[0] - logs[1]) / 2e-4, atol=2e-3, err_msg=name)


def test_the_fit_predicts_what_made_the_runs(data: Data, fitted: Fit) -> None:
    before = errors(data, first_guess(data))
    assert np.median(before) > 0.05
    assert np.median(errors(data, fitted)) < 2 * NOISE


@pytest.mark.parametrize(
    ("name", "within"), [("gemm", 0.06), ("attention", 0.12), ("element", 0.2), ("nic", 0.12)]
)
def test_constants_are_recovered(fitted: Fit, name: str, within: float) -> None:
    """Nearer to what made the runs than the prior is, and within some per cent."""
    made, found, prior = (getattr(c, name) for c in (TRUTH, fitted.constants(), priors()))
    assert found == pytest.approx(made, rel=within)
    assert abs(found - made) < abs(prior - made)


def test_no_effects_are_found_where_none_are(data: Data, fitted: Fit) -> None:
    multipliers = fitted.effects(data).multipliers(data.levels)
    assert np.median(np.abs(multipliers)) < 0.03


def test_an_effect_of_a_chip_is_found(fitted: Fit) -> None:
    """All runs on one maker's chips take 20% longer: new ones of them are predicted so, others are not."""
    plain = data_of(TRUTH, NOISE)
    amd = np.array([run.chip.vendor == "AMD" for run in runs()])
    assert 5 < amd.sum() < len(amd)
    slow = replace(plain, measured=plain.measured + np.log(1.2) * amd)
    found = fit(slow, fitted, rounds=3, tune=False)
    logs = predict(slow, found, found.effects(slow)).logs
    model_alone = scaled(fitting.parts_of(slow, found.variables), np.zeros((len(amd), len(PARTS))))[0]
    assert np.median((logs - model_alone)[amd]) == pytest.approx(np.log(1.2), abs=0.05)
    assert abs(np.median((logs - model_alone)[~amd])) < 0.05


def test_spreads_and_noise_are_positive_and_of_their_size(fitted: Fit) -> None:
    assert fitted.kinds.shape == (len(KINDS),)
    assert fitted.parts.shape == (len(PARTS),)
    assert fitted.noises.shape == (len(NOISES),)
    assert (fitted.kinds > 0).all()
    assert (fitted.parts > 0).all()
    assert 0.003 < fitted.noises[0] < 0.06


def test_the_evidences_gradient_is_its_derivative(data: Data, fitted: Fit) -> None:
    logs = np.log(np.concatenate([fitted.kinds, fitted.parts, fitted.noises])) + 0.1
    middle = logs - 0.3
    _, gradient = fitting._evidence(data, fitted, logs, middle)
    for place in range(0, len(logs), 3):
        moved = [logs.copy(), logs.copy()]
        moved[0][place] += 1e-5
        moved[1][place] -= 1e-5
        up, down = (fitting._evidence(data, fitted, one, middle)[0] for one in moved)
        assert gradient[place] == pytest.approx((up - down) / 2e-5, rel=1e-3, abs=1e-3)


def test_outliers_are_weighed_down(data: Data, fitted: Fit) -> None:
    wrong = data.measured.copy()
    wrong[7] += 1.0
    found = fit(replace(data, measured=wrong), fitted, rounds=3, tune=False)
    assert np.argmax(found.outlying) == 7
    assert found.outlying[7] > 3 * np.median(found.outlying)
    assert found.outlying.min() >= 0.8


def test_the_order_of_runs_does_not_matter(data: Data, fitted: Fit) -> None:
    order = np.random.default_rng(3).permutation(len(data.runs))
    one = fit(data, fitted, rounds=2, tune=False)
    two = fit(data.take(order), without(fitted, order), rounds=2, tune=False)
    np.testing.assert_allclose(one.variables, two.variables, atol=1e-8)
    np.testing.assert_allclose(one.residual[order], two.residual, atol=1e-8)


FOLDS = [run.site for run in runs()]


def test_a_fold_left_out_is_not_looked_at(data: Data, fitted: Fit) -> None:
    """What was measured of a fold changes not a bit of its predictions."""
    left = leave_out(data, FOLDS, fitted, rounds=2)
    out = np.array(FOLDS) == "site 2"
    other = replace(data, measured=np.where(out, data.measured + 0.5, data.measured))
    again = leave_out(other, FOLDS, fitted, rounds=2)
    for name in ("logs", "levels", "noise"):
        np.testing.assert_array_equal(getattr(left, name)[out], getattr(again, name)[out], err_msg=name)
    assert (left.logs[~out] != again.logs[~out]).all(), "but those of all others are changed by it"


def test_a_fold_left_out_is_predicted_as_by_a_fit_without_it(data: Data, fitted: Fit) -> None:
    """Where the constants start from, with the fold or without, is forgotten in a few rounds."""
    out = np.array(FOLDS) == "site 2"
    kept = np.flatnonzero(~out)
    rest = data.take(kept)
    alone = replace(first_guess(rest), kinds=fitted.kinds, parts=fitted.parts, noises=fitted.noises)
    fresh = fit(rest, alone, rounds=8, tune=False)
    expected = predict(data.take(np.flatnonzero(out)), fresh, fresh.effects(rest)).logs
    left = leave_out(data, FOLDS, fitted, rounds=4)
    np.testing.assert_allclose(left.logs[out], expected, atol=0.01)


def test_left_out_runs_are_less_sure(data: Data, fitted: Fit) -> None:
    left = leave_out(data, FOLDS, fitted, rounds=1)
    seen = predict(data, fitted, fitted.effects(data))
    assert (left.levels >= seen.levels * 0.99).mean() > 0.95
    assert np.median(np.abs(left.logs - data.measured)) < 5 * NOISE


def test_progress_is_told(data: Data, fitted: Fit) -> None:
    told: list[tuple[int, int]] = []
    leave_out(data, FOLDS, fitted, 1, lambda done, count: told.append((done, count)))
    assert told == [(fold, 5) for fold in range(1, 6)]


def test_taking_some_runs(data: Data) -> None:
    some = data.take(np.array([4, 2]))
    assert some.runs == (runs()[4], runs()[2])
    np.testing.assert_array_equal(some.measured, data.measured[[4, 2]])
    np.testing.assert_array_equal(fitting.parts_of(some, start()), fitting.parts_of(data, start())[:, [4, 2]])


def test_classes_of_noise(data: Data) -> None:
    moe = np.array([run.model.is_moe for run in runs()], dtype=float)
    np.testing.assert_array_equal(data.noise_classes, [1 - moe, moe, 0 * moe])
    guessed = replace(runs()[0], assumed=("layout",), layout=Layout())
    assert Data.of([guessed], [1.0]).noise_classes[2, 0] == 1
