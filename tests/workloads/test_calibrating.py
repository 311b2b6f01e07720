"""Fits of formulas whose constants and levels are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from gigawright.arrays import Floats, Ints
from gigawright.workloads import calibrating
from gigawright.workloads.calibrating import (
    COVERED,
    STANDARD_80,
    Fit,
    LeftOut,
    Problem,
    fit,
    half_width,
    judge,
    leave_groups_out,
    leave_out,
    predict,
    predict_before,
    scaled,
    widening,
)
from gigawright.workloads.hierarchy import UNSEEN, Columns
from gigawright.workloads.priors import Prior

TRUE = {"rate": 2.0, "share": 0.3}
PRIORS = {
    "rate": Prior("rate", 1.0, 1.0, "1", "a rate", "made up"),
    "share": Prior("share", 0.5, 1.0, "1", "a share", "made up"),
}


def problem(seed: int = 0, rows: int = 300, spread: float = 0.2, noise: float = 0.05) -> Problem:
    rng = np.random.default_rng(seed)
    sizes = rng.lognormal(0, 1.5, (2, rows))

    def predict(c: Mapping[str, float], at: Ints) -> Floats:
        return np.array([sizes[0, at] / c["rate"], sizes[1, at] * c["share"]])

    names = [f"chip {n}" for n in rng.integers(0, 25, rows)]
    effects = {name: rng.normal(0, spread, 2) for name in sorted(set(names))}
    moved = np.exp(np.array([effects[name] for name in names]).T)
    seconds = (predict(TRUE, np.arange(rows)) * moved).sum(axis=0)
    return Problem(
        priors=PRIORS,
        parts=("first", "second"),
        kinds=("chip",),
        predict=predict,
        measured=np.log(seconds) + rng.normal(0, noise, rows),
        levels=[(name,) for name in names],
        noise_class=np.zeros(rows, dtype=np.int64),
        spreads=(0.1,),
        noises=(0.1,),
        strength=2.0,
    )


@pytest.mark.parametrize("seed", range(3))
def test_constants_and_spreads_are_recovered(seed: int) -> None:
    asked = problem(seed)
    found = fit(asked, rounds=40)
    constants = asked.constants(found.variables)
    assert constants["rate"] == pytest.approx(TRUE["rate"], rel=0.15)
    assert constants["share"] == pytest.approx(TRUE["share"], rel=0.15)
    assert np.sqrt(found.variances[0]) == pytest.approx([0.2, 0.2], rel=0.4)
    assert found.noises[0] == pytest.approx(0.05, rel=0.3)


def test_outliers_hardly_move_it() -> None:
    clean = problem()
    rough = clean.measured.copy()
    rough[::50] += 3.0
    found = fit(replace(clean, measured=rough), rounds=20)
    assert clean.constants(found.variables)["rate"] == pytest.approx(TRUE["rate"], rel=0.15)
    assert found.outlying[::50].min() > 5 * np.median(found.outlying)


def test_twice_is_the_same() -> None:
    first, second = fit(problem()), fit(problem())
    assert (first.variables == second.variables).all()
    assert (first.effects == second.effects).all()


def _refit(asked: Problem, found: Fit, kept: Ints, out: Ints) -> tuple[Floats, Floats]:
    """Mean and variance of rows left out of the linear model at a fit's shares, slopes and weights."""
    columns = Columns.of(asked.levels, len(asked.parts))
    both = np.hstack([columns.matrix(asked.levels, found.shares).toarray(), found.slopes])
    noise = found.noise(asked, found.rows) * found.outlying
    tight = [1 / asked.priors[name].spread ** 2 for name in asked.free]
    prior = np.diag(np.concatenate([1 / columns.spread(found.variances), tight]))
    centre = np.concatenate([np.zeros(columns.count), asked.start() - found.variables])
    left = both[kept].T @ (both[kept] / noise[kept, None]) + prior
    right = both[kept].T @ (found.residual[kept] / noise[kept]) + prior @ centre
    return both[out] @ np.linalg.solve(left, right), np.diag(both[out] @ np.linalg.solve(left, both[out].T))


def test_groups_left_out_at_once_are_those_of_a_refit() -> None:
    asked = problem(rows=120)
    found = fit(asked, rounds=60, tune=False)
    groups = [f"g{n // 4}" for n in range(120)]
    quick = leave_groups_out(asked, groups, found)
    for group in ("g0", "g7", "g29"):
        out = np.flatnonzero(np.array(groups) == group)
        kept = np.flatnonzero(np.array(groups) != group)
        mean, variance = _refit(asked, found, kept, out)
        error = asked.measured[out] - quick.logs[out]
        np.testing.assert_allclose(error, found.residual[out] - mean, atol=1e-5)
        np.testing.assert_allclose(quick.levels[out], variance, rtol=1e-9)


def one_part(spread: float = 0.0, rows: int = 60, seed: int = 5) -> Problem:
    """A formula of one part and two kinds of level; with `spread` 0 only levels are free. Exactly linear."""
    rng = np.random.default_rng(seed)
    sizes = rng.lognormal(0, 1, rows)
    chips, sites = rng.integers(0, 6, rows), rng.integers(0, 4, rows)
    effects = rng.normal(0, 0.2, 10)
    return Problem(
        priors={"rate": Prior("rate", 2.0, spread, "1", "a rate", "made up")},
        parts=("only",),
        kinds=("chip", "site"),
        predict=lambda constants, at: sizes[None, at] / constants["rate"],
        measured=np.log(sizes / 2.5) + effects[chips] + effects[6 + sites] + rng.normal(0, 0.1, rows),
        levels=[(f"c{c}", f"s{s}" if s else "") for c, s in zip(chips, sites, strict=True)],
        noise_class=np.arange(rows) % 2,
        spreads=(0.2, 0.1),
        noises=(0.1, 0.2),
    )


def gaussian(asked: Problem, noise: Floats, kept: Ints, out: Ints) -> tuple[Floats, Floats]:
    """Mean and variance of rows `out` given rows `kept`, by the covariance of logarithms: one part only."""
    levels = np.array(asked.levels)
    total = np.zeros((len(levels), len(levels)))
    for kind, spread in enumerate(asked.spreads):
        own = levels[:, kind]
        total += spread**2 * ((own[:, None] == own) & (own[:, None] != ""))
    total += asked.priors["rate"].spread ** 2
    prior = np.log(asked.predict(asked.constants(asked.start()), asked.rows)[0])
    gain = total[np.ix_(out, kept)] @ np.linalg.inv(total[np.ix_(kept, kept)] + np.diag(noise[kept]))
    variance = np.diag(total[np.ix_(out, out)] - gain @ total[np.ix_(kept, out)])
    return prior[out] + gain @ (asked.measured - prior)[kept], variance


@pytest.mark.parametrize("spread", [0.0, 0.7])
def test_left_out_rows_are_those_of_an_honest_refit(spread: float) -> None:
    asked = one_part(spread)
    found = fit(asked, rounds=60, tune=False)
    groups = [names[0] if names[0] == "c1" else f"g{n // 5}" for n, names in enumerate(asked.levels)]
    quick = leave_groups_out(asked, groups, found)
    noise = found.noise(asked, found.rows) * found.outlying
    for group in dict.fromkeys(groups):
        out = np.flatnonzero(np.array(groups) == group)
        kept = np.flatnonzero(np.array(groups) != group)
        mean, variance = gaussian(asked, noise, kept, out)
        np.testing.assert_allclose(quick.logs[out], mean, atol=1e-6)
        np.testing.assert_allclose(quick.levels[out], variance, atol=1e-6)
    np.testing.assert_array_equal(quick.noise, found.noise(asked, found.rows))


def test_one_step_is_as_good_as_fits_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrating, "FREEDOM", 1e12)  # normal noise: no weights that depend on who is left
    asked = one_part()
    found = fit(asked, rounds=4, tune=False)
    groups = [names[0] for names in asked.levels]
    quick, slow = leave_groups_out(asked, groups, found), leave_out(asked, groups, found, rounds=4)
    for name in ("logs", "levels", "noise"):
        np.testing.assert_allclose(getattr(quick, name), getattr(slow, name), atol=1e-6, err_msg=name)


def test_rows_left_out_are_not_looked_at() -> None:
    asked, told = one_part(0.5), list[tuple[int, int]]()
    folds = [f"f{n % 3}" for n in range(len(asked.measured))]
    found = fit(asked)
    first = leave_out(asked, folds, found, progress=lambda done, of: told.append((done, of)))
    own = np.arange(len(folds)) % 3 == 1
    moved = replace(asked, measured=asked.measured + 5.0 * own)
    second = leave_out(moved, folds, found)
    np.testing.assert_array_equal(first.logs[own], second.logs[own])
    assert np.abs(first.logs - second.logs)[~own].min() > 0.1
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_level_left_out_is_open() -> None:
    asked = one_part()
    found = fit(asked)
    left = leave_out(asked, [names[0] for names in asked.levels], found)
    seen = predict(asked, found, asked.rows)
    assert (left.levels >= found.variances[0, 0]).all()
    assert (seen.levels < left.levels).all()
    np.testing.assert_array_equal(left.noise, found.noises[asked.noise_class] ** 2)


def test_constants_without_a_spread_stay() -> None:
    priors = {**PRIORS, "rate": replace(PRIORS["rate"], value=1.7, spread=0.0)}
    asked = replace(problem(), priors=priors)
    found = fit(asked)
    assert asked.free == ("share",)
    assert asked.constants(found.variables)["rate"] == 1.7
    fixed = one_part()
    assert fit(fixed).variables.size == 0
    assert fixed.constants(fit(fixed).variables) == {"rate": 2.0}


def test_variables_are_constants_transformed() -> None:
    asked = problem()
    assert asked.constants(asked.start()) == pytest.approx({"rate": 1.0, "share": 0.5})
    assert asked.constants(np.array([100.0, 5.0]))["share"] < 1
    assert asked.constants(np.array([-100.0, -5.0]))["rate"] > 0


def test_strength_keeps_spreads_where_they_start() -> None:
    loose, firm = (fit(replace(problem(), strength=strength), rounds=20) for strength in (1.0, 1e9))
    np.testing.assert_allclose(firm.variances, 0.1**2, rtol=1e-4)
    np.testing.assert_allclose(firm.noises, 0.1, rtol=1e-4)
    assert (loose.variances > 0.15**2).all()
    assert loose.noises[0] < 0.07


def test_untuned_spreads_are_those_given() -> None:
    asked = problem()
    first = replace(calibrating.first_guess(asked), variances=np.full((1, 2), 0.03), noises=np.array([0.07]))
    found = fit(asked, first=first, tune=False)
    np.testing.assert_array_equal(found.variances, first.variances)
    np.testing.assert_array_equal(found.noises, first.noises)


def test_one_gross_outlier_is_tamed() -> None:
    clean = problem(rows=100)
    rough = clean.measured.copy()
    rough[7] += 5.0
    before, after = fit(clean, rounds=20), fit(replace(clean, measured=rough), rounds=20)
    np.testing.assert_allclose(after.variables, before.variables, atol=0.05)
    np.testing.assert_allclose(after.noises, before.noises, rtol=0.3)
    assert np.argmax(after.outlying) == 7
    plain = np.average(rough - clean.measured)  # what an unweighted mean would move by
    moved = predict(clean, after, clean.rows).logs - predict(clean, before, clean.rows).logs
    assert np.abs(moved).mean() < plain / 2


def test_before_any_fit_the_priors_predict() -> None:
    asked = one_part(0.5)
    before = predict_before(asked)
    np.testing.assert_allclose(before.logs, np.log(asked.predict({"rate": 2.0}, asked.rows)[0]))
    np.testing.assert_allclose(before.noise, np.array([0.01, 0.04])[asked.noise_class])
    assert (before.levels == 0).all()


def test_an_unknown_level_gets_the_formula_and_its_spread() -> None:
    asked = one_part()
    levels = [*asked.levels[:-1], (UNSEEN, UNSEEN)]
    asked = replace(asked, levels=levels)
    found = fit(asked)
    last = predict(asked, found, asked.rows[-1:])
    assert last.logs[0] == pytest.approx(np.log(asked.predict({"rate": 2.0}, asked.rows[-1:])[0, 0]))
    assert last.levels[0] == pytest.approx(found.variances.sum())


def test_scaled_by_hand() -> None:
    logs, shares = scaled(np.array([[1.0], [3.0]]), np.log([[2.0, 1.0]]))
    assert logs[0] == pytest.approx(np.log(5.0))
    assert shares[0] == pytest.approx([0.4, 0.6])


def simulated(seed: int, rows: int, noise: float, levels: float) -> tuple[LeftOut, Floats]:
    """Predictions that claim these variances, where errors have twice the spread of noise, half of levels."""
    rng = np.random.default_rng(seed)
    measured = rng.normal(0, 1, rows)
    error = rng.normal(0, np.sqrt(4 * noise + levels / 4), rows)
    return LeftOut(measured + error, np.full(rows, levels), np.full(rows, noise)), measured


def test_widening_covers_four_of_five() -> None:
    rows = 4000
    classes = np.arange(rows) % 2
    near, measured = simulated(1, rows, 0.01, 1e-6)
    far, other = simulated(2, rows, 0.01, 0.09)
    far = replace(far, logs=far.logs - other + measured)
    scales = widening([near], [far], measured, classes, 3)
    np.testing.assert_allclose(scales[0, :2], 2.0, rtol=0.06)
    np.testing.assert_allclose(scales[1, :2], 0.5, rtol=0.2)
    np.testing.assert_array_equal(scales[:, 2], 1.0)  # a class that no row has
    for part in (near, far):
        covered = judge("", part, measured, classes, scales).covered
        for own in (0, 1):
            assert covered[classes == own].mean() == pytest.approx(COVERED, abs=0.002)
    fresh, truth = simulated(9, rows, 0.01, 0.09)
    assert judge("", fresh, truth, classes, scales).covered.mean() == pytest.approx(COVERED, abs=0.03)


def test_each_class_is_widened_by_its_own() -> None:
    near, measured = simulated(4, 2000, 0.01, 0.04)
    classes = np.repeat([0, 1], 1000)
    error = (near.logs - measured) * np.where(classes == 1, 3.0, 1.0)
    part = replace(near, logs=measured + error, levels=np.zeros(2000))
    scales = widening([part], [part], measured, classes, 2)
    alone = widening([part], [part], measured, np.zeros(2000, dtype=np.int64), 1)
    assert scales[0, 1] > 2.5 * scales[0, 0]
    assert scales[0, 0] < alone[0, 0] < scales[0, 1]


def test_judged_by_hand() -> None:
    part = LeftOut(np.log([2.0, 1.0]), np.array([0.0, 0.03]), np.array([0.04, 0.01]))
    scales = np.array([[1.0, 2.0], [1.0, 3.0]])
    classes = np.array([0, 1])
    half = STANDARD_80 * np.sqrt([0.04, 4 * 0.01 + 9 * 0.03])
    np.testing.assert_allclose(half_width(part, classes, scales), half, rtol=1e-12)
    found = judge("by hand", part, np.log([1.0, 1.25]), classes, scales)
    assert found.name == "by hand"
    np.testing.assert_allclose(found.errors, [1.0, 0.2], rtol=1e-12)
    assert found.covered.tolist() == [False, True]  # ln 2 = 0.69 > 0.26; ln 1.25 = 0.22 < 0.71
    np.testing.assert_allclose(found.widths, 2 * np.sinh(half), rtol=1e-12)


def test_intervals_hold_four_of_five() -> None:
    from statistics import NormalDist

    assert NormalDist().cdf(STANDARD_80) - NormalDist().cdf(-STANDARD_80) == pytest.approx(COVERED, abs=1e-4)


def test_a_part_that_no_row_has_keeps_its_spread() -> None:
    asked = problem()
    only = replace(asked, predict=lambda c, at: asked.predict(c, at) * np.array([[1.0], [0.0]]))
    found = fit(only, rounds=15)
    assert found.variances[0, 1] == pytest.approx(0.1**2)
    assert found.variances[0, 0] != pytest.approx(0.1**2, rel=1e-3)


def test_residuals_are_those_of_the_constants_given() -> None:
    asked = one_part(0.7)
    found = fit(asked, rounds=1)
    logs = np.log(asked.predict(asked.constants(found.variables), asked.rows)[0])
    assert abs(found.variables[0] - asked.start()[0]) > 0.05
    np.testing.assert_allclose(found.residual, asked.measured - logs, atol=1e-9)
