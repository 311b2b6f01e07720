"""Refits the generation model to measured rows, judges it on rows left out, and writes the calibration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gigawright.arrays import Bools, Floats
from gigawright.errors import UserError
from gigawright.facts import FactBook
from gigawright.workloads.calibrated import Calibrated, calibrated, write
from gigawright.workloads.calibrating import (
    Fit,
    Judged,
    LeftOut,
    Problem,
    fit,
    judge,
    leave_groups_out,
    leave_out,
    predict,
    predict_before,
    widening,
)
from gigawright.workloads.folds import fold_of, measured_values, read_folds
from gigawright.workloads.generation.constants import PRIORS
from gigawright.workloads.generation.cost import PARTS, parts
from gigawright.workloads.generation.load import Ready, loads, ready
from gigawright.workloads.generation.predictor import CLASSES, FAMILY, KINDS, classes_of, levels
from gigawright.workloads.generation.rows import Row, read_rows
from gigawright.workloads.hierarchy import UNSEEN
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.training.files import check_output_folder
from gigawright.workloads.training.recalibrate import package_folder

SPREADS = (0.12, 0.10, 0.08, 0.12, 0.10)
"""Standard deviations of what a vendor, a generation, a chip, a software and a model add to a part's time,
before any row is seen; assumption: as in training, about a tenth each."""

NOISES = (0.04, 0.04, 0.04)
"""Standard deviations of a row around the model before any is seen, by kind; assumption: two runs of one
benchmark on like servers differ by some per cent."""

FEWEST = 20
"""Fewest measured rows to calibrate with; assumption: fewer leave every constant at its prior."""

ROUNDS, FOLD_ROUNDS = 14, 8
"""Gauss-Newton steps of the fit, and of each fit without a fold, which starts from the priors."""

WAYS = ("model", "accelerator", "submitter")
"""What is left out, one at a time, beside each row by itself."""


@dataclass(frozen=True)
class Measured:
    """A measured row made ready, its seconds an item, and the folds it is left out with."""

    row: Row
    ready: Ready
    seconds: float
    folds: Mapping[str, str]


@dataclass(frozen=True)
class Report:
    """A calibration with its judgement on rows left out."""

    found: Calibrated
    fitted: Fit
    judged: tuple[Judged, ...]
    measured: tuple[Measured, ...]
    refused: int

    def rows_of(self, family: str) -> Bools:
        """Which rows are of a family."""
        return np.array([one.row.family == family for one in self.measured])


def recalibrate(
    rows: Path, folds: Path, out: Path | None, book: FactBook, told: Callable[[str], None] = print
) -> tuple[Report, Path]:
    """Fits, judges, and writes both files; returns the report and the folder.

    `folds` is a table of patterns of models, accelerators and submitters that are left out together, fixed
    before anything is fitted. `out` None is the package's own folder, which only a checkout has. Raises
    UserError where an input is missing or unsound, and OutputError where the folder cannot be written.
    """
    folder = package_folder() if out is None else out
    check_output_folder(folder)
    report = calibrate(rows, folds, book, told)
    write(folder, FAMILY, report.found, PRIORS, [one.row.key for one in report.measured])
    return report, folder


def calibrate(path: Path, folds: Path, book: FactBook, told: Callable[[str], None] = print) -> Report:
    """Fits every constant to the rows of `path` and judges by leaving out models, chips and submitters."""
    measured, refused = read_measured(path, folds, book)
    if len(measured) < FEWEST:
        raise UserError(
            f"{path}: {len(measured)} rows are measured and readable ({refused} refused), "
            f"at least {FEWEST} are needed"
        )
    problem = problem_of(measured)
    told(f"{len(measured)} measured rows, {refused} refused; fitting {len(problem.free)} constants")
    fitted = fit(problem, rounds=ROUNDS)
    left, scales = judged_ways(problem, fitted, measured)
    ways = {
        "nothing fitted": predict_before(problem),
        "nothing left out": predict(problem, fitted, problem.rows),
        **left,
    }
    judged = tuple(
        judge(name, part, problem.measured, problem.noise_class, scales) for name, part in ways.items()
    )
    found = calibrated(problem, fitted, CLASSES, scales)
    return Report(found, fitted, judged, tuple(measured), refused)


def judged_ways(
    problem: Problem, fitted: Fit, measured: Sequence[Measured]
) -> tuple[dict[str, LeftOut], Floats]:
    """Predictions of rows left out in each way, and the widening of intervals that covers them."""
    left = {
        name: leave_out(problem, [one.folds[name] for one in measured], fitted, FOLD_ROUNDS) for name in WAYS
    }
    near = leave_groups_out(problem, [one.row.key for one in measured], fitted)
    far = [left["model"], left["accelerator"]]
    scales = widening([near], far, problem.measured, problem.noise_class, len(CLASSES))
    return {**left, "row": near}, scales


def problem_of(measured: Sequence[Measured]) -> Problem:
    """The fit of these rows."""
    load = loads([one.ready for one in measured])
    tasks = [one.ready.task for one in measured]
    return Problem(
        priors=PRIORS,
        parts=PARTS,
        kinds=KINDS,
        predict=lambda constants, rows: parts(load.take(rows), constants),
        measured=np.log([one.seconds for one in measured]),
        levels=[levels(task) for task in tasks],
        noise_class=classes_of(tasks),
        spreads=SPREADS,
        noises=NOISES,
    )


def read_measured(path: Path, folds: Path, book: FactBook) -> tuple[list[Measured], int]:
    """Rows with a measured pace or time, and how many rows are refused."""
    patterns, values = read_folds(folds), measured_values(path, WAYS)
    found, refused = [], 0
    for row in read_rows(path, book):
        if row.task is None or row.unit is None:
            refused += 1
            continue
        if row.key not in values:
            continue
        try:
            made = ready(row.task)
        except Unpredictable:
            refused += 1
            continue
        value, names = values[row.key]
        own = {name: fold_of(patterns, name, names[name]) for name in WAYS}
        found.append(Measured(row, made, row.unit.seconds(value, row.item), own))
    return found, refused


def counted(report: Report) -> str:
    """How many numbers the calibration holds, in words."""
    found, names = report.found, report.found.hierarchy.known.levels
    count = len({(kind, name) for row in names for kind, name in enumerate(row) if name != UNSEEN})
    spreads = found.hierarchy.variances.size + found.noises.size
    return (
        f"{len(found.constants)} constants, {spreads} spreads of levels and noise and {found.scales.size} "
        f"widenings of intervals are fitted to {len(report.measured)} rows ({report.refused} refused); "
        f"{count} levels have shrunken effects."
    )


def table(report: Report) -> str:
    """The judgement as a Markdown table: errors, coverage and width by family and by what was left out."""
    lines = [
        "| family | left out | rows | median error | p90 | in the 80% interval | median width |",
        "|---|---|---|---|---|---|---|",
    ]
    for family in dict.fromkeys(one.row.family for one in report.measured):
        rows = report.rows_of(family)
        for part in report.judged:
            error = part.errors[rows]
            lines.append(
                f"| {family} | {part.name} | {len(error)} | {np.median(error):.1%} "
                f"| {np.quantile(error, 0.9):.1%} | {part.covered[rows].mean():.0%} "
                f"| {np.median(part.widths[rows]):.0%} |"
            )
    return "\n".join(lines)
