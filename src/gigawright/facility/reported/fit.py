"""Fits of reported PUE and WUE: constants, levels, heaps, and how wide intervals must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.facility.reported.heap import Heap, Stated, generation_of, heap_of
from gigawright.facility.reported.measured import Measured
from gigawright.facility.reported.models import (
    FLEET,
    OTHERS,
    PUE,
    WUE,
    Constants,
    Formula,
    classes_of,
    inputs_of,
    levels,
    parts_of,
)
from gigawright.facility.reported.operators import operators
from gigawright.facility.reported.physics import Needs, operator_needs
from gigawright.facility.reported.rows import Asked
from gigawright.workloads.calibrating import Fit, LeftOut, Problem, fit, leave_groups_out, predict, widening

ROUNDS, ROUNDS_LEFT_OUT = 12, 5
"""Rounds of a fit to all rows, and of one that starts from its spreads."""

STRENGTH = 5.0
"""Levels, rows or sites that what is known of a spread before any is seen counts as; assumption: few."""

FLEET_NOISE = 0.15
"""Standard deviation of the logarithm of a fleet's overhead around its operator's; assumption: fleets stand
in climates of their own."""

FEWEST_SITES = 5
"""Fewest sites of an operator that has intervals of its own width."""

SCALES = (0.5, 3.0)
"""Least and most that an interval is widened by; assumption: beyond it a spread would be wrong."""


@dataclass(frozen=True)
class Fitting:
    """A problem whose first rows are the reported ones, the numbers of those that are fitted, and classes of
    noise by name; `keys` name all rows.
    """

    problem: Problem
    free: Ints
    classes: tuple[str, ...]
    keys: tuple[str, ...]

    def left_out(self, folds: Sequence[str], fitted: Fit) -> LeftOut:
        """Reported rows, each by a fit that has not seen its fold; spreads stay as `fitted` has them."""
        names = np.array(folds)
        own = np.concatenate([names, np.full(len(self.keys) - len(names), "")])
        found = LeftOut(*(np.zeros(len(names)) for _ in range(3)))
        for name in dict.fromkeys(folds):
            out = np.flatnonzero(names == name)
            kept = self.free[own[self.free] != name]
            part = predict(self.problem, fit(self.problem, kept, fitted, ROUNDS_LEFT_OUT, tune=False), out)
            found.logs[out], found.levels[out], found.noise[out] = part.logs, part.levels, part.noise
        return found

    def each_left_out(self, fitted: Fit) -> LeftOut:
        """Each fitted row without itself, in one step from the fit to all [fitted rows]."""
        whole, rows = self.problem, self.free
        chosen = replace(
            whole,
            predict=lambda constants, own: whole.predict(constants, rows[own]),
            measured=whole.measured[rows],
            levels=[whole.levels[row] for row in rows.tolist()],
            noise_class=whole.noise_class[rows],
        )
        numbered = replace(fitted, rows=np.arange(len(rows)))
        return leave_groups_out(chosen, [str(row) for row in rows.tolist()], numbered)


def fitting_pue(measured: Sequence[Measured]) -> Fitting:
    """The fit of PUE: reported rows, of which those at the design value are a heap's and not fitted, and
    fleets' means."""
    fleets = _fleets(measured)
    asked = [one.asked for one in measured] + [fleet for fleet, _ in fleets]
    needs = [one.needs for one in measured] + [need for _, need in fleets]
    values = [one.pue for one in measured] + [fleet.operator.fleet_pue or np.nan for fleet, _ in fleets]
    sites: dict[str, set[str]] = {}
    for one in measured:
        if not one.at_design:
            sites.setdefault(one.asked.operator.name, set()).add(one.folds["site"])
    known = [name for name, own in sites.items() if len(own) >= FEWEST_SITES]
    classes = (*known, OTHERS, FLEET)
    noise = classes_of(classes, asked)
    noise[len(measured) :] = classes.index(FLEET)
    names = [levels(PUE, one, fleet=at >= len(measured)) for at, one in enumerate(asked)]
    free = [at for at in range(len(asked)) if at >= len(measured) or not measured[at].at_design]
    keys = [one.key for one in measured] + [f"fleet of {fleet.operator.name}" for fleet, _ in fleets]
    problem = _problem(
        PUE, names, needs, asked, np.log(np.array(values) - 1.0), noise, len(known) + 1, FLEET_NOISE
    )
    return Fitting(problem, np.array(free, dtype=np.int64), classes, tuple(keys))


def fitting_wue(measured: Sequence[Measured]) -> Fitting:
    """The fit of WUE to the rows that have one."""
    rows = [one for one in measured if one.wue is not None]
    asked = [one.asked for one in rows]
    logs = np.log([one.wue or np.nan for one in rows])
    names = [levels(WUE, one) for one in asked]
    noise = np.zeros(len(rows), dtype=np.int64)
    problem = _problem(WUE, names, [one.needs for one in rows], asked, logs, noise, 1)
    keys = tuple(one.key for one in rows)
    return Fitting(problem, np.arange(len(rows)), (OTHERS,), keys)


def _problem(
    formula: Formula,
    names: Sequence[tuple[str, ...]],
    needs: Sequence[Needs],
    asked: Sequence[Asked],
    logs: Floats,
    noise_class: Ints,
    classes: int,
    *more: float,
) -> Problem:
    inputs = inputs_of(asked, needs)

    def parts(constants: Constants, rows: Ints) -> Floats:
        return parts_of(formula, inputs.of(rows), constants)

    return Problem(
        priors=formula.priors,
        parts=formula.parts,
        kinds=formula.kinds,
        predict=parts,
        measured=logs,
        levels=list(names),
        noise_class=noise_class,
        spreads=formula.spreads,
        noises=(*[formula.noise] * classes, *more),
        strength=STRENGTH,
    )


def _fleets(measured: Sequence[Measured]) -> list[tuple[Asked, Needs]]:
    """Fleets' means of operators without a site's row, at the mean needs of the places measured.

    A fleet's mean is weighted by load: beside rows of the same operator's sites it would mislead.
    """
    where = sorted({(one.asked.latitude, one.asked.longitude) for one in measured})
    seen = {one.asked.operator.name for one in measured}
    found = []
    for _, operator in operators():
        if operator.fleet_year is None or operator.name in seen:
            continue
        every = [operator_needs(operator, *place) for place in where]
        columns = np.array([[n.indoors, n.outdoors, n.water_l_per_kwh, n.humid_share] for n in every])
        indoors, outdoors, water, humid = columns.mean(axis=0).tolist()
        asked = Asked(operator, "", 0.0, 0.0, operator.fleet_year)
        found.append((asked, Needs(indoors, outdoors, water, humid)))
    return found


def heaps_of(measured: Sequence[Measured]) -> dict[str, Heap]:
    """Heaps of the operators that state a design value; a site counts once, however many years it has."""
    found = {}
    for _, operator in operators():
        if operator.design_pue is None:
            continue
        sites: dict[tuple[str, float, str], list[Measured]] = {}
        for one in measured:
            if one.asked.operator.name == operator.name:
                key = (one.asked.name, one.asked.latitude, generation_of(one.asked))
                sites.setdefault(key, []).append(one)
        seen = [
            Stated(key[2], own[0].needs.humid_share, float(np.mean([one.at_design for one in own])))
            for key, own in sites.items()
        ]
        found[operator.name] = heap_of(seen)
    return found


def scales_of(
    fitting: Fitting, measured: Sequence[Measured], fitted: Fit, site: LeftOut, operator: LeftOut
) -> Floats:
    """Widening of intervals [2, classes]: of noise by single rows left out, of levels by sites left out.

    An operator's own scales are drawn to those of all rows as if `STRENGTH` more sites had these. Operators
    that nobody has measured have the scale at which intervals cover operators left out.
    """
    rows = np.array([at for at in fitting.free.tolist() if at < len(measured)])
    logs, classes = fitting.problem.measured[rows], fitting.problem.noise_class[rows]
    near = _of(fitting.each_left_out(fitted), np.arange(len(rows)))
    far, one = _of(site, rows), np.zeros(len(rows), dtype=np.int64)
    pooled = np.clip(widening([near], [far], logs, one, 1), *SCALES)
    found = np.repeat(pooled, len(fitting.classes), axis=1)
    own = np.clip(widening([near], [far], logs, classes, len(fitting.classes)), *SCALES)
    for at in sorted(set(classes.tolist())):
        sites = len({measured[row].folds["site"] for row in rows[classes == at].tolist()})
        weight = sites / (sites + STRENGTH)
        found[:, at] = own[:, at] ** weight * pooled[:, 0] ** (1.0 - weight)
    unseen = np.clip(widening([near], [_of(operator, rows)], logs, one, 1), 1.0, SCALES[1])
    found[:, fitting.classes.index(OTHERS)] = unseen[:, 0]
    return found


def _of(part: LeftOut, rows: Ints) -> LeftOut:
    return LeftOut(part.logs[rows], part.levels[rows], part.noise[rows])
