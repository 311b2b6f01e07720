"""Refits the recommender model to measured rows, judges it on rows left out, and writes the calibration."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from gigawright.errors import InternalError, UserError
from gigawright.facts import FactBook
from gigawright.workloads.calibrated import Calibrated, calibrated, write
from gigawright.workloads.calibrating import (
    Fit,
    Judged,
    Problem,
    fit,
    judge,
    leave_out,
    predict,
    predict_before,
    widening,
)
from gigawright.workloads.folds import fold_of, measured_values, read_folds
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.recommender.constants import PRIORS, priors
from gigawright.workloads.recommender.cost import PARTS
from gigawright.workloads.recommender.load import Loaded, loaded
from gigawright.workloads.recommender.predictor import FAMILY, KINDS, levels, parts_of
from gigawright.workloads.recommender.rows import Row, read_rows
from gigawright.workloads.training.files import check_output_folder

SPREADS = (0.30, 0.20, 0.08, 0.04)
"""Standard deviations of what a vendor, a generation, a chip and a submitter add to a part's time, before any
row is seen; assumption: as in training, where chips of one generation differ by 5-10% and vendors more."""

NOISE = 0.03
"""Standard deviation of a row around the model before any is seen; assumption: two runs of one benchmark on
like servers differ by some per cent."""

CLASSES = ("measured",)

FEWEST = 8
"""Fewest measured rows to calibrate with; assumption: fewer leave every constant at its prior."""

ROUNDS = 12

FOLDS = ("accelerator", "submitter", "group", "accuracy target", "scenario")
"""What is left out at a time. The last two have no level: they show what the formulas alone carry over."""


@dataclass(frozen=True)
class Measured:
    """A measured row: the batch it is predicted with, seconds of that batch, and its folds."""

    key: str
    batch: Loaded
    seconds: float
    folds: dict[str, str]


@dataclass(frozen=True)
class Report:
    """A calibration with its judgement on rows left out."""

    found: Calibrated
    fitted: Fit
    judged: tuple[Judged, ...]
    keys: tuple[str, ...]
    refused: int


def recalibrate(
    rows: Path, folds: Path, out: Path | None, book: FactBook, told: Callable[[str], None] = print
) -> tuple[Report, Path]:
    """Fits, judges, and writes both files; returns the report and the folder.

    `folds` is a table of patterns of accelerators and submitters that are left out together, fixed before
    anything is fitted. `out` None is the package's own folder, which only a checkout has. Raises UserError
    where an input is missing or unsound, and OutputError where the folder cannot be written.
    """
    folder = package_folder() if out is None else out
    check_output_folder(folder)
    report = calibrate(rows, folds, book, told)
    write(folder, FAMILY, report.found, PRIORS, report.keys)
    return report, folder


def package_folder() -> Path:
    """The folder of the package's own calibration. Raises UserError where the package is not a checkout."""
    folder = Path(str(files("gigawright.workloads") / "data"))
    checkout = folder.parents[3] / "pyproject.toml"
    if not checkout.is_file() or not os.access(folder, os.W_OK):
        raise UserError("the package is installed, not a checkout; give a folder to write with --out FOLDER")
    return folder


def calibrate(path: Path, folds: Path, book: FactBook, told: Callable[[str], None] = print) -> Report:
    """Fits every constant to the rows of `path` and judges by leaving out accelerators and submitters."""
    measured, refused = read_measured(path, folds, book)
    if len(measured) < FEWEST:
        raise UserError(
            f"{path}: {len(measured)} rows are measured and readable ({refused} refused), "
            f"at least {FEWEST} are needed"
        )
    problem = problem_of(measured)
    told(f"{len(measured)} measured rows, {refused} refused; fitting {len(problem.free)} constants")
    fitted = fit(problem, rounds=ROUNDS)
    left = {name: leave_out(problem, [one.folds[name] for one in measured], fitted, ROUNDS) for name in FOLDS}
    classes = problem.noise_class
    far = [left["accelerator"], left["submitter"]]
    scales = widening([left["group"]], far, problem.measured, classes, len(CLASSES))
    # All rows are of one generation: they may not narrow what is not known of others.
    scales = np.maximum(scales, 1.0)
    all_ways = {
        "nothing fitted": predict_before(problem),
        "nothing left out": predict(problem, fitted, problem.rows),
        **left,
    }
    judged = tuple(judge(name, part, problem.measured, classes, scales) for name, part in all_ways.items())
    found = calibrated(problem, fitted, CLASSES, scales)
    return Report(found, fitted, judged, tuple(one.key for one in measured), refused)


def problem_of(measured: Sequence[Measured]) -> Problem:
    """The fit of these rows."""
    batches = [one.batch for one in measured]
    return Problem(
        priors=PRIORS,
        parts=PARTS,
        kinds=KINDS,
        predict=lambda constants, rows: parts_of([batches[row] for row in rows.tolist()], constants),
        measured=np.log([one.seconds for one in measured]),
        levels=[levels(one.batch.ready.ask) for one in measured],
        noise_class=np.zeros(len(measured), dtype=np.int64),
        spreads=SPREADS,
        noises=(NOISE,),
    )


def read_measured(path: Path, folds: Path, book: FactBook) -> tuple[list[Measured], int]:
    """Rows with a measured throughput or latency, and how many rows are refused."""
    patterns, values = read_folds(folds), measured_values(path, ("accelerator", "submitter"))
    found, refused = [], 0
    for row in read_rows(path, book):
        refused += row.ask is None
        if row.ask is None or row.key not in values:
            continue
        try:
            batch = loaded(row.ask, priors())
        except Unpredictable:
            refused += 1
            continue
        value, names = values[row.key]
        own = {name: fold_of(patterns, name, text) for name, text in names.items()}
        own["group"] = " | ".join((own["accelerator"], own["submitter"], str(row.ask.accelerators)))
        own["accuracy target"] = "99.9%" if row.ask.kept_16 else "99%"
        own["scenario"] = "live" if row.ask.live else "offline"
        found.append(Measured(row.key, batch, _seconds(row, batch, value), own))
    return found, refused


def _seconds(row: Row, batch: Loaded, value: float) -> float:
    """Seconds of the batch on one accelerator that a measured value means."""
    ask, unit = batch.ready.ask, row.unit
    if unit is None:
        raise InternalError(f"row {row.key} is measured without a unit")
    at_one = unit.value(1.0, ask.accelerators, ask.candidates, ask.requests)
    per_s = at_one / value if unit.inverse else value / at_one
    return ask.requests / per_s


def table(report: Report) -> str:
    """The judgement as a Markdown table."""
    lines = [
        "| left out | rows | median error | p90 | in the 80% interval | median width |",
        "|---|---|---|---|---|---|",
    ]
    told = (
        f"| {part.name} | {len(part.errors)} | {np.median(part.errors):.1%} "
        f"| {np.quantile(part.errors, 0.9):.1%} | {part.covered.mean():.0%} | {np.median(part.widths):.0%} |"
        for part in report.judged
    )
    return "\n".join([*lines, *told])
