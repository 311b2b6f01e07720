"""Refits the serving model to measured rows and writes the calibration, once its inputs are sound."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gigawright.errors import UserError
from gigawright.facts import FactBook
from gigawright.workloads.calibrated import write
from gigawright.workloads.cells import read_table
from gigawright.workloads.hierarchy import UNSEEN
from gigawright.workloads.serving.calibrate import MEASURED, Report, calibrate, fold_of, read_folds
from gigawright.workloads.serving.constants import PRIORS
from gigawright.workloads.serving.predictor import FAMILY
from gigawright.workloads.serving.rows import Row, read
from gigawright.workloads.training.files import check_output_folder
from gigawright.workloads.training.recalibrate import package_folder

FEWEST = 20
"""Fewest measured rows to calibrate with; assumption: fewer hardly move any constant from its prior."""


def recalibrate(
    paths: Sequence[Path],
    folds: Path,
    out: Path | None,
    book: FactBook,
    told: Callable[[str], None] = print,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Report, Path]:
    """Fits, judges, and writes both files of the calibration; returns the report and the folder.

    `folds` is a table of patterns of model ids that are left out together. `out` None is the package's own
    folder, which only a checkout has. Raises UserError where an input is missing or unsound, and OutputError
    where the folder cannot be written, both before anything is fitted.
    """
    folder = package_folder() if out is None else out
    check_output_folder(folder)
    check_measurements(paths, folds, book)
    report = calibrate(paths, folds, book, told, progress)
    write(folder, FAMILY, report.found, PRIORS, report.keys)
    return report, folder


def check_measurements(paths: Sequence[Path], folds: Path, book: FactBook) -> None:
    """Raises UserError where a calibration could not be fitted and judged by leaving rows out."""
    patterns = read_folds(folds)
    good: list[Row] = []
    for path in paths:
        form, rows = read(path, book)
        if form not in MEASURED:
            raise UserError(f"{path}: rows of the form {form} are not fitted; give {_wanted()}")
        good += _measured(path, rows, MEASURED[form])
    if len(good) < FEWEST:
        names = ", ".join(map(str, paths))
        raise UserError(f"{names}: {len(good)} rows are measured and readable, at least {FEWEST} are needed")
    told = [(fold_of(row.service, patterns), row.service.chip.id) for row in good if row.service is not None]
    for name, found in zip(("model", "accelerator"), map(set, zip(*told, strict=True)), strict=True):
        if len(found) < 2:
            raise UserError(f"all measured rows have one {name}; judging needs two to leave one out")


def _measured(path: Path, rows: Sequence[Row], columns: Mapping[str, str]) -> list[Row]:
    """The readable rows that have a measurement. Raises UserError where the file has none at all."""
    table = read_table(path, f"give {_wanted()}")
    wanted = list(columns.values())
    if not set(wanted) & set(table.names):
        raise UserError(f"{path}: missing column {' or '.join(wanted)} of measured rows")
    lines = table.rows(wanted)
    return [
        row
        for row, (_, cells) in zip(rows, lines, strict=True)
        if row.service is not None and any(cells.text.values())
    ]


def _wanted() -> str:
    columns = ", ".join(column for form in MEASURED.values() for column in form.values())
    return f"files with any of the columns {columns}"


def levels_of(report: Report) -> int:
    """How many levels have been seen, of all kinds."""
    names = report.found.hierarchy.known.levels
    return len({(kind, name) for row in names for kind, name in enumerate(row) if name not in ("", UNSEEN)})


def counted(report: Report) -> str:
    """How many numbers the calibration holds, in words."""
    found = report.found
    free = sum(prior.spread > 0 for prior in PRIORS.values())
    spreads = found.hierarchy.variances.size + found.noises.size
    return (
        f"{free} constants ({len(PRIORS) - free} more are kept), {spreads} spreads of levels and noise, and "
        f"{found.scales.size} widenings of intervals are fitted to {len(report.keys):,} measurements; "
        f"{levels_of(report):,} levels have shrunken effects"
    )
