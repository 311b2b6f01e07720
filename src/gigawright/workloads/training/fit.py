"""Fits the constants and the hierarchy to measured runs, and judges them on runs left out.

The posterior mode of the constants is found by Gauss-Newton with the hierarchy integrated out, the spreads of
the hierarchy by maximum marginal likelihood, and outliers are weighed down as Student's t has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.workloads.training.calibration import noise_classes
from gigawright.workloads.training.constants import PRIORS, Constants
from gigawright.workloads.training.effects import KINDS, Effects, Known, levels, part_covariance, same_levels
from gigawright.workloads.training.layouts import Layouts, layouts
from gigawright.workloads.training.machine import Machines, machines
from gigawright.workloads.training.run import Run
from gigawright.workloads.training.shapes import Shapes, shapes
from gigawright.workloads.training.step import PARTS, step

FREE = tuple(name for name, prior in PRIORS.items() if prior.spread > 0)
"""Constants that a fit may move."""

FREEDOM = 4.0
"""Degrees of freedom of Student's t for the noise; assumption: published tables hold a few gross outliers."""

STEP = 1e-3
"""Step of the numerical derivatives, in transformed constants."""

SPREAD_PRIOR = np.array([0.1, 0.1, 0.14, 0.1, 0.1, 0.1, 0.1, 0.3])
"""Where the standard deviation of a level's effect on a part starts, by kind; assumption: a tenth, half more
for chips, and three times that for models with experts, whose software is young. The last two were set with
coverage of runs left out in view.
"""

SPREAD_STRENGTH = 0.2
"""Standard deviation of the logarithm of that spread."""

NOISE_PRIOR = (0.03, 0.08, 0.10)
"""Where their standard deviations start: repeated runs differ by some per cent, MoE more; assumption."""

Variables = Floats


@dataclass(frozen=True)
class Data:
    """Measured runs: arrays for the model, and the logarithm of the measured seconds of a step [N]."""

    runs: tuple[Run, ...]
    shape: Shapes
    machine: Machines
    layout: Layouts
    measured: Floats

    @classmethod
    def of(cls, runs: Sequence[Run], seconds: Sequence[float]) -> Data:
        """Arrays of the runs; each must have a layout."""
        return cls(tuple(runs), shapes(runs), machines(runs), layouts(runs), np.log(np.asarray(seconds)))

    def take(self, rows: Ints) -> Data:
        """These runs alone."""
        picked = rows.tolist()
        return Data(
            tuple(self.runs[row] for row in picked),
            self.shape.take(picked),
            self.machine.take(picked),
            self.layout.take(picked),
            self.measured[rows],
        )

    @cached_property
    def levels(self) -> list[tuple[str, ...]]:
        """Levels of each run."""
        return [levels(run) for run in self.runs]

    @cached_property
    def same(self) -> Floats:
        """Which runs share their levels [kinds, N, N]."""
        return same_levels(self.levels, self.levels)

    @cached_property
    def noise_classes(self) -> Floats:
        """Which class of noise a run has [classes, N]."""
        return noise_classes(list(self.runs))


@dataclass(frozen=True)
class Fit:
    """Constants, spreads of levels by kind and part, spreads of noise by class, and weights of the runs."""

    variables: Variables
    kinds: Floats
    parts: Floats
    noises: Floats
    outlying: Floats
    residual: Floats
    shares: Floats

    @property
    def variances(self) -> Floats:
        """Variance of a level's effect by kind and part [kinds, parts]."""
        return np.outer(self.kinds, self.parts) ** 2

    def constants(self) -> Constants:
        """The constants as the model takes them."""
        return constants_of(self.variables)

    def noise(self, data: Data) -> Floats:
        """Variance of each run's noise [N]."""
        return np.asarray((self.noises[:, None] ** 2 * data.noise_classes).sum(axis=0))

    def effects(self, data: Data) -> Effects:
        """The hierarchy given the runs it was fitted to."""
        known = Known(data.levels, self.shares, self.residual, self.noise(data) * self.outlying)
        return Effects(known, self.variances)


def constants_of(variables: Variables) -> Constants:
    """Constants from unbounded variables: rates by exponential, shares by the logistic function."""
    values = {name: prior.value for name, prior in PRIORS.items()}
    for name, value in zip(FREE, variables.tolist(), strict=True):
        rate = PRIORS[name].kind == "rate"
        values[name] = float(np.exp(value)) if rate else float(1 / (1 + np.exp(-value)))
    return Constants(**values)


def start() -> Variables:
    """The priors' values as unbounded variables."""
    return np.array([unbounded(PRIORS[name].kind, PRIORS[name].value) for name in FREE])


def unbounded(kind: str, value: float) -> float:
    """The variable of a rate or a share."""
    return float(np.log(value)) if kind == "rate" else float(np.log(value / (1 - value)))


SPREADS = np.array([PRIORS[name].spread for name in FREE])


def parts_of(data: Data, variables: Variables) -> Floats:
    """Seconds of a step by part, without effects [parts, N]."""
    return step(data.shape, data.machine, data.layout, constants_of(variables)).parts


def scaled(parts: Floats, multipliers: Floats) -> tuple[Floats, Floats]:
    """Logarithm of seconds [N] and shares of the parts [N, parts], with effects' multipliers [N, parts]."""
    seconds = parts.T * np.exp(multipliers)
    total = seconds.sum(axis=1)
    return np.log(total), seconds / total[:, None]


def jacobian(data: Data, variables: Variables, multipliers: Floats) -> Floats:
    """Derivatives of the logarithm of seconds by the variables [N, variables]."""
    base, _ = scaled(parts_of(data, variables), multipliers)
    columns = []
    for place in range(len(variables)):
        moved = variables.copy()
        moved[place] += STEP
        columns.append((scaled(parts_of(data, moved), multipliers)[0] - base) / STEP)
    return np.array(columns).T


def fit(data: Data, first: Fit | None = None, rounds: int = 8, tune: bool = True) -> Fit:
    """Constants and hierarchy of these runs; `first` starts from another fit, `tune` fits spreads too."""
    state = first_guess(data) if first is None else first
    for turn in range(rounds):
        state = _solve(data, state)
        if tune and turn < rounds - 2:
            state = _tune(data, state)
    return state


def first_guess(data: Data) -> Fit:
    """The priors, before any run has been seen."""
    count = len(data.runs)
    parts = parts_of(data, start())
    _, shares = scaled(parts, np.zeros((count, len(PARTS))))
    ones = np.ones(count)
    return Fit(start(), SPREAD_PRIOR, np.ones(len(PARTS)), np.array(NOISE_PRIOR), ones, 0 * ones, shares)


def blank(data: Data, fitted: Fit) -> Fit:
    """The priors with the spreads of a fit, before any of these runs has been seen."""
    return replace(first_guess(data), kinds=fitted.kinds, parts=fitted.parts, noises=fitted.noises)


def without(fitted: Fit, kept: Ints) -> Fit:
    """A fit's state for some of its runs, to start another fit from."""
    return replace(
        fitted, residual=fitted.residual[kept], shares=fitted.shares[kept], outlying=fitted.outlying[kept]
    )


def _solve(data: Data, state: Fit) -> Fit:
    """One Gauss-Newton step of the constants with the effects integrated out, then new shares and weights."""
    effects = state.effects(data)
    multipliers = effects.multipliers(data.levels) if state.residual.any() else np.zeros_like(state.shares)
    logs, shares = scaled(parts_of(data, state.variables), multipliers)
    slopes = jacobian(data, state.variables, multipliers)
    target = data.measured - logs + (shares * multipliers).sum(axis=1)
    total = _covariance(data, state, shares)
    inverse = np.linalg.inv(total)
    precision = 1 / SPREADS**2
    left = slopes.T @ inverse @ slopes + np.diag(precision)
    right = slopes.T @ inverse @ target + precision * (start() - state.variables)
    move = np.clip(np.linalg.solve(left, right), -0.5, 0.5)
    residual = target - slopes @ move
    noise = state.noise(data) * state.outlying
    left_over = noise * (inverse @ residual)
    weight = (FREEDOM + left_over**2 / state.noise(data)) / (FREEDOM + 1)
    return replace(
        state,
        variables=state.variables + move,
        residual=residual,
        shares=shares,
        outlying=np.maximum(weight, 0.8),
    )


def _covariance(data: Data, state: Fit, shares: Floats) -> Floats:
    pairs = part_covariance(shares, shares, state.variances)
    return np.asarray((data.same * pairs).sum(axis=0) + np.diag(state.noise(data) * state.outlying))


def _tune(data: Data, state: Fit) -> Fit:
    """Spreads of kinds, parts and noise by maximum marginal likelihood, with weak priors."""
    from scipy.optimize import minimize

    middle = np.log(np.concatenate([SPREAD_PRIOR, np.ones(len(PARTS)), NOISE_PRIOR]))
    now = np.log(np.concatenate([state.kinds, state.parts, state.noises]))
    found = minimize(
        lambda x: _evidence(data, state, x, middle), now, jac=True, method="L-BFGS-B", options={"maxiter": 12}
    )
    kinds, parts, noises = _split(found.x)
    return replace(state, kinds=kinds, parts=parts, noises=noises)


def _split(logs: Floats) -> tuple[Floats, Floats, Floats]:
    kinds, parts, noises = np.split(np.exp(logs), [len(KINDS), len(KINDS) + len(PARTS)])
    return kinds, parts, noises


def _evidence(data: Data, state: Fit, logs: Floats, middle: Floats) -> tuple[float, Floats]:
    """Negative logarithm of the marginal likelihood and its gradient by the logarithms of the spreads."""
    kinds, parts, noises = _split(logs)
    shares, residual = state.shares, state.residual
    by_part = [shares[:, [p]] * shares[:, p] for p in range(len(PARTS))]
    squared = sum(part**2 * pair for part, pair in zip(parts, by_part, strict=True))
    kernels = sum(kind**2 * same for kind, same in zip(kinds, data.same, strict=True))
    noise = (noises[:, None] ** 2 * data.noise_classes).sum(axis=0) * state.outlying
    total = kernels * squared + np.diag(noise)
    lower = np.linalg.cholesky(total)
    inverse = np.linalg.inv(total)
    alpha = inverse @ residual
    slope = inverse - np.outer(alpha, alpha)
    value = 0.5 * residual @ alpha + np.log(np.diag(lower)).sum()
    gradient = [kind**2 * (slope * same * squared).sum() for kind, same in zip(kinds, data.same, strict=True)]
    gradient += [part**2 * (slope * pair * kernels).sum() for part, pair in zip(parts, by_part, strict=True)]
    spread = np.diag(slope) * state.outlying
    gradient += [
        level**2 * (spread * row).sum() for level, row in zip(noises, data.noise_classes, strict=True)
    ]
    away = (logs - middle) / SPREAD_STRENGTH
    return float(value + 0.5 * away @ away), np.array(gradient) + away / SPREAD_STRENGTH


@dataclass(frozen=True)
class LeftOut:
    """Predictions of runs by a fit that has not seen them: logarithm of seconds, variances of levels and
    noise.
    """

    logs: Floats
    levels: Floats
    noise: Floats


def predict(data: Data, fitted: Fit, effects: Effects) -> LeftOut:
    """The runs of `data` as `fitted` and the hierarchy of its runs predict them [N]."""
    logs, shares = scaled(parts_of(data, fitted.variables), effects.multipliers(data.levels))
    return LeftOut(logs, effects.variance(data.levels, shares), fitted.noise(data))


def leave_out(
    data: Data,
    folds: Sequence[str],
    fitted: Fit,
    rounds: int,
    progress: Callable[[int, int], None] | None = None,
    *,
    fresh: bool = True,
) -> LeftOut:
    """Predictions of every run from a fit without its fold; spreads of the hierarchy stay as `fitted` has
    them.

    A fresh fit starts from the priors; otherwise it starts from what `fitted` found, which needs fewer
    rounds.
    """
    found = LeftOut(*(np.zeros(len(data.runs)) for _ in range(3)))
    names, wanted = np.array(folds), list(dict.fromkeys(folds))
    for done, name in enumerate(wanted):
        out = np.flatnonzero(names == name)
        kept = np.flatnonzero(names != name)
        rest = data.take(kept)
        first = blank(rest, fitted) if fresh else without(fitted, kept)
        again = fit(rest, first, rounds, tune=False)
        part = predict(data.take(out), again, again.effects(rest))
        found.logs[out], found.levels[out], found.noise[out] = part.logs, part.levels, part.noise
        if progress is not None:
            progress(done + 1, len(wanted))
    return found
