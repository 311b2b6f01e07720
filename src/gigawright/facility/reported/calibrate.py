"""Refits the formulas of reported PUE and WUE, judges them on sites left out, and writes the calibration."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from gigawright.arrays import Bools, Floats, Ints
from gigawright.errors import UserError
from gigawright.facility.reported.fit import (
    ROUNDS,
    SCALES,
    Fitting,
    fitting_pue,
    fitting_wue,
    heaps_of,
    scales_of,
)
from gigawright.facility.reported.heap import GENERATIONS, Heap
from gigawright.facility.reported.measured import SAME, WAYS, Measured, read_measured
from gigawright.facility.reported.models import OTHERS, PUE, WUE, classes_of
from gigawright.facility.reported.predictor import HEAPS, Known, mixture
from gigawright.tables import write_text
from gigawright.workloads.calibrated import Calibrated, calibrated, write
from gigawright.workloads.calibrating import (
    STANDARD_80,
    LeftOut,
    fit,
    half_width,
    predict,
    widening,
)
from gigawright.workloads.training.files import check_output_folder

FEWEST = 12
"""Fewest reported values to calibrate with; assumption: fewer leave every constant at its prior."""

CONSTANTS = np.arange(1.01, 2.0, 0.005)
"""Values tried as the best constant."""


@dataclass(frozen=True)
class Judged:
    """Rows predicted in one way: PUE, and whether p10 to p90 covers, and how wide it is [N]; `wide` is False
    for rivals, which have no interval."""

    name: str
    predicted: Floats
    covered: Bools
    widths: Floats
    wide: bool = True


@dataclass(frozen=True)
class Report:
    """A calibration with its judgement; `water` are factor errors of WUE with a site left out [rows]."""

    known: Known
    keys: Mapping[str, tuple[str, ...]]
    measured: tuple[Measured, ...]
    judged: tuple[Judged, ...]
    water: Floats
    refused: int

    @property
    def reported(self) -> Floats:
        """Reported PUE [rows]."""
        return np.array([one.pue for one in self.measured])

    def way(self, name: str) -> Judged:
        """The judgement of one way."""
        return next(part for part in self.judged if part.name == name)

    def errors(self, name: str) -> Floats:
        """Absolute errors of PUE in one way [rows]."""
        return np.abs(self.way(name).predicted - self.reported)

    def coverage(self, name: str, rows: Ints | None = None) -> tuple[float, float]:
        """Share of rows between p10 and p90 in one way, and its standard error with sites as the draws."""
        chosen = np.arange(len(self.measured)) if rows is None else rows
        inside = self.way(name).covered[chosen].astype(np.float64)
        sites = np.array([self.measured[row].folds["site"] for row in chosen.tolist()])
        away = [float((inside[sites == site] - inside.mean()).sum()) for site in sorted(set(sites.tolist()))]
        return float(inside.mean()), float(np.sqrt(np.sum(np.square(away)))) / len(chosen)

    def rows_of(self, operator: str) -> Ints:
        """Numbers of an operator's rows."""
        names = [one.asked.operator.name for one in self.measured]
        return np.flatnonzero(np.array(names) == operator)


def recalibrate(
    rows: Path, folds: Path, out: Path | None, told: Callable[[str], None] = print
) -> tuple[Report, Path]:
    """Fits, judges, and writes the five files; returns the report and the folder.

    `folds` says which sites are left out together, fixed before anything is fitted. `out` None is the
    package's own folder, which only a checkout has. Raises UserError where an input is missing or unsound,
    and OutputError where the folder cannot be written.
    """
    folder = package_folder() if out is None else out
    check_output_folder(folder)
    report = calibrate(rows, folds, told)
    write(folder, "pue", report.known.pue, PUE.priors, report.keys["pue"])
    write(folder, "wue", report.known.wue, WUE.priors, report.keys["wue"])
    write_text(folder / HEAPS, _heap_text(report.known.heaps))
    return report, folder


def package_folder() -> Path:
    """The folder of the package's own calibration. Raises UserError where the package is not a checkout."""
    folder = Path(str(files("gigawright.facility.reported") / "data"))
    if not (folder.parents[4] / "pyproject.toml").is_file() or not os.access(folder, os.W_OK):
        raise UserError("the package is installed, not a checkout; give a folder to write with --out FOLDER")
    return folder


def calibrate(path: Path, folds: Path, told: Callable[[str], None] = print) -> Report:
    """Fits every constant to the rows of `path` and judges by leaving out sites, cities and operators."""
    measured, refused = read_measured(path, folds)
    if len(measured) < FEWEST:
        raise UserError(
            f"{path}: {len(measured)} rows are reported and readable ({refused} refused), "
            f"at least {FEWEST} are needed"
        )
    told(f"{len(measured)} reported values, {refused} refused; fitting")
    fitting = fitting_pue(measured)
    fitted = fit(fitting.problem, fitting.free, rounds=ROUNDS)
    left = {way: fitting.left_out([one.folds[way] for one in measured], fitted) for way in WAYS}
    scales = scales_of(fitting, measured, fitted, left["site"], left["operator"])
    ways = {"nothing": predict(fitting.problem, fitted, np.arange(len(measured))), **left}
    judged = [_judged(way, part, measured, scales, fitting) for way, part in ways.items()]
    wue, errors, keys = _water(measured)
    pue = calibrated(fitting.problem, fitted, fitting.classes, scales)
    return Report(
        known=Known(pue, wue, heaps_of(measured)),
        keys={"pue": tuple(fitting.keys[row] for row in fitting.free.tolist()), "wue": keys},
        measured=tuple(measured),
        judged=(*judged, *_rivals(measured)),
        water=errors,
        refused=refused,
    )


def _water(measured: Sequence[Measured]) -> tuple[Calibrated, Floats, tuple[str, ...]]:
    """The calibration of WUE, factor errors with a site left out, and the rows' ids."""
    fitting = fitting_wue(measured)
    problem = fitting.problem
    fitted = fit(problem, rounds=ROUNDS)
    left = fitting.left_out([one.folds["site"] for one in measured if one.wue is not None], fitted)
    scales = np.clip(widening([left], [left], problem.measured, problem.noise_class, 1), *SCALES)
    errors = np.exp(np.abs(left.logs - problem.measured))
    return calibrated(problem, fitted, fitting.classes, scales), errors, fitting.keys


def _judged(
    way: str, part: LeftOut, measured: Sequence[Measured], scales: Floats, fitting: Fitting
) -> Judged:
    """Mixtures of rows left out against what was reported; heaps too are learnt without the row's fold."""
    asked = [one.asked for one in measured]
    classes = classes_of(fitting.classes, asked)
    if way == "operator":
        classes[:] = fitting.classes.index(OTHERS)
    deviation = half_width(part, classes, scales) / STANDARD_80
    folds = [one.folds.get(way, "") for one in measured]
    heaps = {
        fold: heaps_of([one for one in measured if not fold or one.folds[way] != fold])
        for fold in dict.fromkeys(folds)
    }
    rows = zip(measured, part.logs, deviation, folds, strict=True)
    mixed = [
        mixture(one.asked, one.needs, float(log), float(wide), heaps[fold]) for one, log, wide, fold in rows
    ]
    low, high = np.array([one.interval for one in mixed]).T
    middle = np.array([one.median for one in mixed])
    reported = np.array([one.pue for one in measured])
    inside = (low - SAME <= reported) & (reported <= high + SAME)
    return Judged(way, middle, inside, high - low)


def _rivals(measured: Sequence[Measured]) -> list[Judged]:
    """What the formula must beat: an operator's own median and the median of all, a site left out; the best
    constant, chosen with all rows seen; and the physics with nothing fitted."""
    reported = np.array([one.pue for one in measured])
    who = np.array([one.asked.operator.name for one in measured])
    site = np.array([one.folds["site"] for one in measured])
    own, every = [], []
    for at in range(len(measured)):
        kept = site != site[at]
        mine = kept & (who == who[at])
        every.append(np.median(reported[kept]))
        own.append(np.median(reported[mine]) if mine.any() else every[-1])
    best = CONSTANTS[np.argmin([np.median(np.abs(reported - value)) for value in CONSTANTS])]
    found = {
        "operator's own median": np.array(own),
        "median of all": np.array(every),
        "best constant": np.full(len(measured), best),
        "physics alone": np.array([one.needs.pue for one in measured]),
    }
    none = np.zeros(len(measured))
    return [Judged(name, values, none > 0, none, wide=False) for name, values in found.items()]


def table(report: Report) -> str:
    """The judgement as Markdown tables: all rows, operators with a site left out, and water."""
    lines = [
        "| left out | rows | median error | p90 | in p10-p90 | median width |",
        "|---|---|---|---|---|---|",
    ]
    for part in report.judged:
        errors = report.errors(part.name)
        share, band = report.coverage(part.name)
        told = f"| {share:.0%} ± {band:.0%} | {np.median(part.widths):.3f} |" if part.wide else "| | |"
        lines.append(
            f"| {part.name} | {len(errors)} | {np.median(errors):.3f} | {np.quantile(errors, 0.9):.3f} {told}"
        )
    lines += ["", *_operator_lines(report), "", _water_line(report)]
    return "\n".join(lines)


def _operator_lines(report: Report) -> list[str]:
    from scipy.stats import spearmanr

    lines = [
        "| operator, a site left out | rows (sites) | median error | p90 | own median | rank correlation "
        "| in p10-p90 |",
        "|---|---|---|---|---|---|---|",
    ]
    site = report.way("site")
    for name in dict.fromkeys(one.asked.operator.name for one in report.measured):
        rows = report.rows_of(name)
        errors, rival = report.errors("site")[rows], report.errors("operator's own median")[rows]
        sites = len({report.measured[row].folds["site"] for row in rows.tolist()})
        order = spearmanr(site.predicted[rows], report.reported[rows]).statistic if sites > 2 else np.nan
        share, band = report.coverage("site", rows)
        lines.append(
            f"| {name} | {len(rows)} ({sites}) | {np.median(errors):.3f} | {np.quantile(errors, 0.9):.3f} "
            f"| {np.median(rival):.3f} | {order:.2f} | {share:.0%} ± {band:.0%} |"
        )
    return lines


def _water_line(report: Report) -> str:
    factors = report.water
    return (
        f"WUE, a site left out: {len(factors)} rows, median factor {np.median(factors):.2f}, "
        f"p90 {np.quantile(factors, 0.9):.2f}"
    )


def _heap_text(heaps: Mapping[str, Heap]) -> str:
    lines = ["operator,generation,share"]
    for operator, heap in heaps.items():
        shares = zip(GENERATIONS, heap.shares, strict=True)
        lines += [f"{operator},{name},{share:.4g}" for name, share in shares]
    return "\n".join(lines) + "\n"
