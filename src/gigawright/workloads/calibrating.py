"""Fits the constants of a formula and the hierarchy above it to measured times, and judges them on rows left
out.

The posterior mode of constants and levels is found by Gauss-Newton on the mixed-model equations, the spreads
of levels and noise by expectation maximisation (Dempster, Laird and Rubin 1977) with weak priors, and
outliers are weighed down as Student's t has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gigawright.arrays import Bools, Floats, Ints
from gigawright.workloads.hierarchy import Columns, Hierarchy, Names, Observations
from gigawright.workloads.priors import Prior

if TYPE_CHECKING:
    from scipy.sparse import csr_array

FREEDOM = 4.0
"""Degrees of freedom of Student's t for the noise; assumption: published tables hold a few gross outliers."""

STEP = 1e-3
"""Step of the numerical derivatives, in transformed constants."""

LARGEST_MOVE = 0.5
"""Most that a transformed constant moves in one Gauss-Newton step."""

STRENGTH = 20.0
"""Levels (or rows) that the prior of a variance counts as; assumption: few levels say little of a spread."""

STANDARD_80 = 1.2816
"""Standard deviations from the middle of a normal distribution to its tenth and ninetieth percentiles."""

COVERED = 0.80
"""Share of rows between the 10th and 90th percentile."""

Predict = Callable[[Mapping[str, float], Ints], Floats]
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Problem:
    """A formula and what was measured of it.

    `predict(constants, rows)` gives seconds by part [parts, rows] of the rows with these numbers.
    `measured` is the logarithm of measured seconds [N], `levels` one name for each of `kinds` (`""`: none,
    `"?"`: unknown), `noise_class` the place in `noises` of each row's noise [N]. `spreads` are standard
    deviations of a level's effect by kind before any row is seen, `noises` those of a measurement by class;
    `strength` is how many levels or rows these count as.
    """

    priors: Mapping[str, Prior]
    parts: tuple[str, ...]
    kinds: tuple[str, ...]
    predict: Predict
    measured: Floats
    levels: Names
    noise_class: Ints
    spreads: tuple[float, ...]
    noises: tuple[float, ...]
    strength: float = STRENGTH

    @property
    def free(self) -> tuple[str, ...]:
        """Constants that a fit may move."""
        return tuple(name for name, prior in self.priors.items() if prior.spread > 0)

    @property
    def rows(self) -> Ints:
        """Numbers of all rows."""
        return np.arange(len(self.measured))

    def constants(self, variables: Floats) -> dict[str, float]:
        """Constants from unbounded variables: rates by exponential, shares by the logistic function."""
        values = {name: prior.value for name, prior in self.priors.items()}
        for name, value in zip(self.free, variables.tolist(), strict=True):
            rate = self.priors[name].kind == "rate"
            values[name] = float(np.exp(value)) if rate else float(1 / (1 + np.exp(-value)))
        return values

    def start(self) -> Floats:
        """The priors' values as unbounded variables."""
        return np.array([_unbounded(self.priors[name]) for name in self.free])


def _unbounded(prior: Prior) -> float:
    value = prior.value
    return float(np.log(value)) if prior.kind == "rate" else float(np.log(value / (1 - value)))


@dataclass(frozen=True)
class Fit:
    """Constants as unbounded variables, levels' effects [columns], variances by kind and part, standard
    deviations of noise by class, and the state of the rows fitted: their numbers, shares of parts, residuals
    without effects, weights, and the posterior covariance of levels and constants.
    """

    variables: Floats
    variances: Floats
    noises: Floats
    rows: Ints
    shares: Floats
    residual: Floats
    outlying: Floats
    slopes: Floats
    effects: Floats
    covariance: Floats

    def noise(self, problem: Problem, rows: Ints) -> Floats:
        """Variance of the noise of rows."""
        return np.asarray(self.noises[problem.noise_class[rows]] ** 2)

    def hierarchy(self, problem: Problem) -> Hierarchy:
        """The hierarchy given the rows it was fitted to."""
        levels = [problem.levels[row] for row in self.rows.tolist()]
        noise = self.noise(problem, self.rows) * self.outlying
        return Hierarchy(self.variances, Observations(levels, self.shares, self.residual, noise))


@dataclass(frozen=True)
class LeftOut:
    """Predictions of rows by a fit that has not seen them: logarithm of seconds, variances of levels and
    noise [N].
    """

    logs: Floats
    levels: Floats
    noise: Floats


def scaled(parts: Floats, multipliers: Floats) -> tuple[Floats, Floats]:
    """Logarithm of seconds [N] and shares of the parts [N, parts], with effects' multipliers [N, parts]."""
    seconds = parts.T * np.exp(multipliers)
    total = seconds.sum(axis=1)
    return np.log(total), seconds / total[:, None]


def first_guess(problem: Problem, rows: Ints | None = None) -> Fit:
    """The priors, before any row has been seen."""
    rows = problem.rows if rows is None else rows
    _, shares = scaled(problem.predict(problem.constants(problem.start()), rows), np.zeros((1, 1)))
    variances = np.repeat(np.array(problem.spreads)[:, None] ** 2, len(problem.parts), axis=1)
    nothing = np.zeros(len(rows))
    return Fit(
        variables=problem.start(),
        variances=variances,
        noises=np.array(problem.noises),
        rows=rows,
        shares=shares,
        residual=nothing,
        outlying=nothing + 1,
        slopes=np.zeros((len(rows), len(problem.free))),
        effects=np.zeros(0),
        covariance=np.zeros((0, 0)),
    )


def fit(
    problem: Problem, rows: Ints | None = None, first: Fit | None = None, rounds: int = 12, tune: bool = True
) -> Fit:
    """Constants and hierarchy of these rows (all of them by default).

    `first` gives the spreads to start from; with `tune` they are fitted too.
    """
    state = first_guess(problem, rows)
    if first is not None:
        state = replace(state, variances=first.variances, noises=first.noises)
    for turn in range(rounds):
        state = _round(problem, state, tune and 0 < turn < rounds - 1)
    return state


def _round(problem: Problem, state: Fit, tune: bool) -> Fit:
    """One Gauss-Newton step of constants and levels; new shares, weights and, to tune, spreads."""
    levels = [problem.levels[row] for row in state.rows.tolist()]
    columns = Columns.of(levels, len(problem.parts))
    effects = state.effects if state.effects.size else np.zeros(columns.count)
    multipliers = columns.multipliers(levels, effects)
    parts = problem.predict(problem.constants(state.variables), state.rows)
    logs, shares = scaled(parts, multipliers)
    slopes = _slopes(problem, state, multipliers, logs)
    target = problem.measured[state.rows] - logs + (shares * multipliers).sum(axis=1)
    matrix = columns.matrix(levels, shares)
    noise = state.noise(problem, state.rows)
    solved, covariance = _solve(problem, state, matrix, slopes, target, noise * state.outlying, columns)
    count = columns.count
    left_over = target - matrix @ solved[:count] - slopes @ solved[count:]
    spread = _explained(matrix, slopes, covariance)
    outlying = (FREEDOM + (left_over**2 + spread) / noise) / (FREEDOM + 1)
    move = np.clip(solved[count:], -LARGEST_MOVE, LARGEST_MOVE)
    found = replace(
        state,
        variables=state.variables + move,
        shares=shares,
        residual=target - slopes @ move,
        outlying=outlying,
        slopes=slopes,
        effects=solved[:count],
        covariance=covariance,
    )
    return _tuned(problem, found, columns, (left_over**2 + spread) / outlying) if tune else found


def _slopes(problem: Problem, state: Fit, multipliers: Floats, base: Floats) -> Floats:
    """Derivatives of the logarithm of seconds by the variables [rows, variables]."""
    columns = []
    for place in range(len(state.variables)):
        moved = state.variables.copy()
        moved[place] += STEP
        parts = problem.predict(problem.constants(moved), state.rows)
        columns.append((scaled(parts, multipliers)[0] - base) / STEP)
    return np.array(columns).T.reshape(len(base), len(columns))


def _solve(
    problem: Problem,
    state: Fit,
    matrix: csr_array,
    slopes: Floats,
    target: Floats,
    noise: Floats,
    columns: Columns,
) -> tuple[Floats, Floats]:
    """Levels and moves of the constants [columns + variables], and their posterior covariance."""
    from scipy.linalg import cho_factor, cho_solve

    both = _joined(matrix, slopes)
    tight = 1 / np.array([problem.priors[name].spread for name in problem.free]) ** 2
    precision = np.concatenate([1 / columns.spread(state.variances), tight])
    pull = np.concatenate([np.zeros(columns.count), tight * (problem.start() - state.variables)])
    left = (both.T @ both.multiply(1 / noise[:, None])).toarray() + np.diag(precision)
    right = both.T @ (target / noise) + pull
    factor = cho_factor(left, lower=True)
    return cho_solve(factor, right), cho_solve(factor, np.eye(len(right)))


def _explained(matrix: csr_array, slopes: Floats, covariance: Floats) -> Floats:
    """Posterior variance of each row's prediction [rows]."""
    both = _joined(matrix, slopes)
    return np.asarray(both.multiply(both @ covariance).sum(axis=1)).ravel()


def _joined(matrix: csr_array, slopes: Floats) -> csr_array:
    """What levels and constants add to each row, side by side and sparse."""
    from scipy.sparse import csr_array, hstack

    return csr_array(hstack([matrix, csr_array(slopes)], format="csr"))


def _tuned(problem: Problem, state: Fit, columns: Columns, squared: Floats) -> Fit:
    """Variances of levels and noise by expectation maximisation."""
    count = columns.count
    second = (state.effects**2 + np.diag(state.covariance)[:count]).reshape(-1, len(problem.parts))
    variances = state.variances.copy()
    for kind, spread in enumerate(problem.spreads):
        own = second[columns.kind == kind]
        variances[kind] = (problem.strength * spread**2 + own.sum(axis=0)) / (problem.strength + len(own))
    noises = state.noises.copy()
    classes = problem.noise_class[state.rows]
    for name, start in enumerate(problem.noises):
        own = squared[classes == name]
        noises[name] = np.sqrt((problem.strength * start**2 + own.sum()) / (problem.strength + len(own)))
    return replace(state, variances=variances, noises=noises)


def predict(problem: Problem, fitted: Fit, rows: Ints) -> LeftOut:
    """Rows as `fitted` and the hierarchy of its rows predict them."""
    effects = fitted.hierarchy(problem)
    levels = [problem.levels[row] for row in rows.tolist()]
    parts = problem.predict(problem.constants(fitted.variables), rows)
    logs, shares = scaled(parts, effects.multipliers(levels))
    return LeftOut(logs, effects.variance(levels, shares), fitted.noise(problem, rows))


def predict_before(problem: Problem) -> LeftOut:
    """All rows as the priors have them, nothing fitted."""
    blind = first_guess(problem)
    logs = np.log(problem.predict(problem.constants(problem.start()), problem.rows).sum(axis=0))
    return LeftOut(logs, np.zeros_like(logs), blind.noise(problem, problem.rows))


def leave_out(
    problem: Problem, folds: Sequence[str], fitted: Fit, rounds: int = 10, progress: Told | None = None
) -> LeftOut:
    """Predictions of every row from a fit without its fold, made anew from the priors.

    Spreads of levels and noise stay as `fitted` has them.
    """
    found = LeftOut(*(np.zeros(len(problem.measured)) for _ in range(3)))
    names, wanted = np.array(folds), list(dict.fromkeys(folds))
    for done, name in enumerate(wanted):
        out, kept = np.flatnonzero(names == name), np.flatnonzero(names != name)
        again = fit(problem, kept, fitted, rounds, tune=False)
        part = predict(problem, again, out)
        found.logs[out], found.levels[out], found.noise[out] = part.logs, part.levels, part.noise
        if progress is not None:
            progress(done + 1, len(wanted))
    return found


def leave_groups_out(problem: Problem, groups: Sequence[str], fitted: Fit) -> LeftOut:
    """Predictions of every row without its group, from the fit to all rows in one step.

    With H = X C X' of a group's rows (X: what levels and constants add, C: their posterior covariance) and R
    their noise, the residuals without them are (I - H R^-1)^-1 e and the variance R (R - H)^-1 H: exact for
    the linear model (Cook and Weisberg 1982, Residuals and Influence in Regression, section 2.2). Weights of
    outliers and spreads are those of the fit to all.
    """
    columns = Columns.of([problem.levels[row] for row in fitted.rows.tolist()], len(problem.parts))
    matrix = columns.matrix([problem.levels[row] for row in fitted.rows.tolist()], fitted.shares)
    both = np.hstack([matrix.toarray(), fitted.slopes])
    seen = predict(problem, fitted, fitted.rows)
    noise = fitted.noise(problem, fitted.rows) * fitted.outlying
    names, logs, levels = np.array(groups), seen.logs.copy(), seen.levels.copy()
    for name in dict.fromkeys(groups):
        rows = np.flatnonzero(names == name)
        shared = both[rows] @ fitted.covariance @ both[rows].T
        error = problem.measured[rows] - seen.logs[rows]
        left = np.eye(len(rows)) - shared / noise[rows]
        logs[rows] = problem.measured[rows] - np.linalg.solve(left, error)
        levels[rows] = np.maximum(np.diag(np.linalg.solve(left, shared)), 0.0)
    return LeftOut(logs, levels, seen.noise)


def half_width(part: LeftOut, classes: Ints, scales: Floats) -> Floats:
    """Half width of the 80% interval of a logarithm [N]: noise and levels, each widened by the scale of the
    row's class; scales [2, classes], noise first.
    """
    noise, levels = scales[0, classes] ** 2 * part.noise, scales[1, classes] ** 2 * part.levels
    return np.asarray(STANDARD_80 * np.sqrt(noise + levels))


def widening(
    near: Sequence[LeftOut], far: Sequence[LeftOut], measured: Floats, classes: Ints, count: int
) -> Floats:
    """Scales of intervals that cover 80% of the rows left out [2, classes].

    The scale of noise is set by the rows of `near` (groups left out, whose levels are known), that of levels
    by those of `far` (models, chips left out); each given the other, until both hold.
    """
    scales = np.ones((2, count))
    for own in range(count):
        rows = classes == own
        if not rows.any():
            continue
        for _ in range(12):
            scales[0, own] = _scale(scales, (0, own), near, measured, rows, classes)
            scales[1, own] = _scale(scales, (1, own), far, measured, rows, classes)
    return scales


def _scale(
    scales: Floats,
    place: tuple[int, int],
    parts: Sequence[LeftOut],
    measured: Floats,
    rows: Bools,
    classes: Ints,
) -> float:
    """The value of one scale at which intervals cover `COVERED` of these rows, by bisection."""
    low, high = 0.1, 10.0
    tried = scales.copy()
    for _ in range(30):
        tried[place] = np.sqrt(low * high)
        inside = [
            (np.abs(part.logs - measured) <= half_width(part, classes, tried))[rows].mean() for part in parts
        ]
        low, high = (tried[place], high) if np.mean(inside) < COVERED else (low, tried[place])
    return float(high)


@dataclass(frozen=True)
class Judged:
    """Errors of rows left out in one way: relative errors, whether intervals cover, and widths [N]."""

    name: str
    errors: Floats
    covered: Bools
    widths: Floats


def judge(name: str, part: LeftOut, measured: Floats, classes: Ints, scales: Floats) -> Judged:
    """Relative errors of seconds, coverage, and width of the interval over the middle [N]."""
    away = part.logs - measured
    half = half_width(part, classes, scales)
    return Judged(name, np.abs(np.exp(away) - 1), np.abs(away) <= half, np.exp(half) - np.exp(-half))
