"""Refits the training model to measured runs and writes the calibration, once its inputs are sound."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from gigawright.errors import UserError
from gigawright.facts import FactBook
from gigawright.workloads.training.calibrate import (
    UNUSED_TIER,
    Measured,
    Report,
    calibrate,
    read_families,
    read_measured,
)
from gigawright.workloads.training.calibration import Calibration, write
from gigawright.workloads.training.files import check_output_folder
from gigawright.workloads.training.fit import FREE
from gigawright.workloads.training.rows import NEEDED

PACE = "tokens_per_s_per_accel"
"""The column that a calibration is fitted to."""

ALSO_NEEDED = ("group", PACE)
"""Columns that a file of measurements must have beside those of any file of runs."""

FEWEST = 20
"""Fewest measured runs to calibrate with; assumption: fewer hardly move any constant from its prior."""


def recalibrate(
    runs: Path, families: Path, out: Path | None, book: FactBook, told: Callable[[str], None] = print
) -> tuple[Report, Path]:
    """Fits, judges, and writes both files of the calibration; returns the report and the folder.

    `out` None is the package's own folder, which only a checkout has. Raises UserError where an input is
    missing or unsound, and OutputError where the folder cannot be written, both before anything is fitted.
    """
    folder = package_folder() if out is None else out
    check_output_folder(folder)
    check_measurements(runs, families, book)
    report = calibrate(runs, families, book, told)
    write(folder, report.found, report.fitted.kinds, report.fitted.parts)
    return report, folder


def package_folder() -> Path:
    """The folder of the package's own calibration. Raises UserError where the package is not a checkout."""
    folder = Path(str(files("gigawright.workloads") / "data"))
    checkout = folder.parents[3] / "pyproject.toml"
    if not checkout.is_file() or not os.access(folder, os.W_OK):
        raise UserError("the package is installed, not a checkout; give a folder to write with --out FOLDER")
    return folder


def check_measurements(runs: Path, families: Path, book: FactBook) -> None:
    """Raises UserError where a calibration could not be fitted and judged by leaving runs out."""
    reader = csv.DictReader(io.StringIO(_text(runs), newline=""))
    names = reader.fieldnames or ()
    if missing := [name for name in (*NEEDED, *ALSO_NEEDED) if name not in names]:
        word = "column" if len(missing) == 1 else "columns"
        raise UserError(f"{runs}: missing {word} {', '.join(missing)} of measured runs")
    for row in reader:
        cell = (row[PACE] or "").strip()
        if row.get("tier") != UNUSED_TIER and cell and not _is_pace(cell):
            raise UserError(f"{runs}:{reader.line_num}: {PACE} is {cell!r}, must be a number or blank")
    _text(families)
    measured, refused, rows = read_measured(runs, read_families(families), book)
    if len(measured) < FEWEST:
        raise UserError(
            f"{runs}: {len(measured)} of {rows} rows are measured and readable ({refused} refused), "
            f"at least {FEWEST} are needed"
        )
    for name, count in _folds(measured).items():
        if count < 2:
            raise UserError(f"{runs}: all measured runs have one {name}; judging needs two to leave one out")


def _folds(measured: list[Measured]) -> dict[str, int]:
    """How many folds there are to leave out, by what they are made of."""
    return {
        "group": len({one.group for one in measured}),
        "family": len({one.family for one in measured}),
        "accelerator": len({one.accelerator for one in measured}),
    }


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 (byte {error.start}); save it as CSV in UTF-8") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error


def _is_pace(cell: str) -> bool:
    try:
        return math.isfinite(float(cell)) and float(cell) >= 0
    except ValueError:
        return False


def level_freedom(found: Calibration) -> float:
    """Effective number of effects of levels: the trace of K (K + N)^-1, at most one for each measured run.

    K is the covariance that shared levels cause and N the noise (Hastie, Tibshirani and Friedman, The
    Elements of Statistical Learning, 2nd ed., section 5.4.1: effective degrees of freedom of a smoother).
    """
    noise, inverse = found.effects.known.noise, found.effects.inverse
    return float(len(noise) - (noise * inverse.diagonal()).sum())


def counted(report: Report) -> str:
    """How many numbers the calibration holds, in words."""
    fitted, known = report.fitted, report.found.effects.known
    names = {(kind, name) for row in known.levels for kind, name in enumerate(row) if name}
    spreads = fitted.kinds.size + fitted.parts.size + fitted.noises.size
    return (
        f"{len(FREE)} constants, {spreads} spreads of levels, parts and noise, and "
        f"{report.found.scales.size} widenings of intervals are fitted to {len(known.levels)} runs; "
        f"{len(names)} levels have shrunken effects, worth {level_freedom(report.found):.1f} free constants"
    )
