"""Refits the serving model to files of measured rows, and judges it on rows left out."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gigawright.arrays import Ints
from gigawright.errors import UserError
from gigawright.facts import FactBook
from gigawright.workloads import calibrating
from gigawright.workloads.calibrated import Calibrated, calibrated, compressed
from gigawright.workloads.calibrating import Fit, Judged, LeftOut, Problem
from gigawright.workloads.cells import read_table
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.serving.constants import PRIORS
from gigawright.workloads.serving.layouts import laid_out
from gigawright.workloads.serving.measured import CLASSES, Measured, problem
from gigawright.workloads.serving.rows import Row, read_rows
from gigawright.workloads.serving.service import Service

ROUNDS = 10
FOLD_ROUNDS = 6
"""Gauss-Newton steps of the fit, and of each fit without a model or a chip, from the priors."""

MEASURED: Mapping[str, Mapping[str, str]] = {
    "silicon": {"ttft": "silicon_ttft_ms", "tpot": "silicon_tpot_ms"},
    "published": {"pace": "output_tok_s_per_gpu"},
}
"""Columns of a form that hold measurements, by metric; only a fit reads them."""

Told = Callable[[str], None]
Folds = Sequence[tuple[str, re.Pattern[str]]]


@dataclass(frozen=True)
class Report:
    """A calibration with its judgement: the rows' classes, and how many rows were refused of how many."""

    found: Calibrated
    fitted: Fit
    judged: tuple[Judged, ...]
    classes: Ints
    keys: tuple[str, ...]
    refused: Mapping[str, tuple[int, int]]


def calibrate(
    paths: Sequence[Path],
    folds: Path,
    book: FactBook,
    told: Told = print,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Fits every constant to the measured rows of `paths` and judges by leaving out groups, models and chips.

    `folds` is a table of patterns of model ids; it is to be fixed before anything is fitted. Raises UserError
    where a file or column is missing, or a model has no fold.
    """
    patterns = read_folds(folds)
    read = {path: read_rows(path, book) for path in paths}
    refused = {
        path.name: (sum(row.service is None for row in rows), len(rows)) for path, rows in read.items()
    }
    first = {name: prior.value for name, prior in PRIORS.items()}
    measured = [one for path, rows in read.items() for one in measured_rows(path, rows, first)]
    told(f"{len(measured)} measurements; fitting {len(problem(measured[:1]).free)} constants")
    asked = problem(measured)
    fitted = calibrating.fit(asked, rounds=ROUNDS)
    constants = asked.constants(fitted.variables)
    measured = [one for path, rows in read.items() for one in measured_rows(path, rows, constants)]
    asked = problem(measured)
    fitted = calibrating.fit(asked, rounds=ROUNDS)
    return judged(asked, fitted, measured, patterns, refused, told, progress)


def judged(
    asked: Problem,
    fitted: Fit,
    measured: Sequence[Measured],
    patterns: Folds,
    refused: Mapping[str, tuple[int, int]],
    told: Told,
    progress: Callable[[int, int], None] | None,
) -> Report:
    """A fit judged by leaving out groups, models and chips."""
    models = [fold_of(one.service, patterns) for one in measured]
    chips = [one.service.chip.id for one in measured]
    groups = [group_of(one, model) for one, model in zip(measured, models, strict=True)]
    left = {"a group": calibrating.leave_groups_out(asked, groups, fitted)}
    for name, folds in (("a model", models), ("an accelerator", chips)):
        told(f"leaving out {name} at a time: {len(set(folds))} fits")
        left[name] = calibrating.leave_out(asked, folds, fitted, FOLD_ROUNDS, progress)
    far = (left["a model"], left["an accelerator"])
    scales = calibrating.widening((left["a group"],), far, asked.measured, asked.noise_class, len(CLASSES))
    ways: dict[str, LeftOut] = {"nothing fitted": calibrating.predict_before(asked)}
    ways |= {"nothing left out": calibrating.predict(asked, fitted, asked.rows), **left}
    found = tuple(
        calibrating.judge(name, part, asked.measured, asked.noise_class, scales)
        for name, part in ways.items()
    )
    kept = compressed(calibrated(asked, fitted, CLASSES, scales))
    keys = tuple(str(place + 1) for place in range(len(kept.hierarchy.known.levels)))
    return Report(kept, fitted, found, asked.noise_class, keys, refused)


def measured_rows(path: Path, rows: Sequence[Row], constants: Mapping[str, float]) -> list[Measured]:
    """Rows of a file with what was measured of them; those without a layout get the best by `constants`."""
    columns = sorted({name for form in MEASURED.values() for name in form.values()})
    lines = read_table(path, "give a file of measured rows").rows(columns)
    found: list[Measured] = []
    for row, (_, cells) in zip(rows, lines, strict=True):
        service = _laid_out(row.service, constants)
        if service is None:
            continue
        for metric, column in MEASURED.get(row.form, {}).items():
            seconds = _seconds(cells.text[column], metric)
            if seconds > 0:
                found.append(Measured(row.key, service, metric, seconds))
    return found


def _laid_out(one: Service | None, constants: Mapping[str, float]) -> Service | None:
    if one is None:
        return None
    try:
        return laid_out(one, constants)
    except Unpredictable:
        return None


def _seconds(cell: str, metric: str) -> float:
    """Seconds of a measured cell: milliseconds, or those of an accelerator a token; 0 where there is none."""
    number = re.fullmatch(r"([\d.eE+-]+)(?: \(prefill tok/s/[GN]PU\))?", cell.strip())
    try:
        value = float(number[1]) if number else 0.0
    except ValueError:
        return 0.0
    if not math.isfinite(value) or value <= 0:
        return 0.0
    return 1 / value if metric == "pace" else value / 1e3


def read_folds(path: Path) -> Folds:
    """Folds of models and the patterns of ids that belong to them; the first that matches holds."""
    try:
        lines = list(csv.DictReader(path.read_text("utf-8").splitlines()))
        return [(line["fold"], re.compile(line["pattern"])) for line in lines]
    except (OSError, ValueError, KeyError, TypeError, re.error) as error:
        raise UserError(f"{path}: no table of folds with columns fold, pattern ({error})") from error


def fold_of(one: Service, folds: Folds) -> str:
    """The fold of a service's model; UserError where it has none."""
    found = next((fold for fold, pattern in folds if pattern.search(one.model.id)), "")
    if not found:
        raise UserError(f"model {one.model.id!r} belongs to no fold; add a pattern for it")
    return found


def group_of(one: Measured, model: str) -> str:
    """What is left out together: model, chip, engine, lengths, layouts and scenario, whatever the load."""
    service = replace(one.service)
    told = (model, service.chip.id, service.engine, service.input_tokens, service.output_tokens)
    return str((*told, service.layout, service.prefill, service.kind, service.tpot_limit_s))


def table(report: Report) -> str:
    """The judgement as a Markdown table: median and 90th percentile of errors, coverage, width, by class."""
    lines = [
        "| left out | measured | count | median error | p90 | in the 80% interval | median width |",
        "|---|---|---|---|---|---|---|",
    ]
    for part in report.judged:
        for place, name in enumerate(CLASSES):
            rows = report.classes == place
            if not rows.any():
                continue
            error = part.errors[rows]
            lines.append(
                f"| {part.name} | {name} | {len(error)} "
                f"| {np.median(error):.1%} | {np.quantile(error, 0.9):.0%} "
                f"| {part.covered[rows].mean():.0%} | {np.median(part.widths[rows]):.0%} |"
            )
    told = [
        f"{refused} of {count} rows of {name} are refused."
        for name, (refused, count) in report.refused.items()
    ]
    return "\n".join([*lines, "", *told])
