"""Refits the training model to a file of measured runs, and judges it on runs left out."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gigawright.arrays import Bools, Floats
from gigawright.errors import UserError
from gigawright.facts import FactBook
from gigawright.workloads.training.calibration import SCALES, Calibration, interval
from gigawright.workloads.training.candidates import QUICK
from gigawright.workloads.training.constants import priors
from gigawright.workloads.training.effects import KINDS, Effects, Known
from gigawright.workloads.training.fit import FREE, Data, Fit, LeftOut, first_guess, fit, leave_out, predict
from gigawright.workloads.training.predictor import as_run, fastest
from gigawright.workloads.training.rows import read_rows
from gigawright.workloads.training.run import Run
from gigawright.workloads.training.step import PARTS

FIT_ROUNDS = 10
FOLD_ROUNDS = 10
GROUP_ROUNDS = 2
"""Gauss-Newton steps of the fit; of each fit without a family, accelerator or site, from the priors; and of
each without a group, from the fit to all.
"""

UNUSED_TIER = "C"
"""Runs whose pace is of a whole programme with its restarts: they test goodput, not a step."""

ONE_FOLD = (("A100", r"^A100"), ("H100", r"^H100"))
"""Accelerators that are left out together: memory sizes and power limits of one chip."""

COVERED = 0.80
"""Share of runs between the 10th and 90th percentile."""

Told = Callable[[str], None]
Families = Sequence[tuple[str, re.Pattern[str]]]


@dataclass(frozen=True)
class Measured:
    """A measured run: what is known of it, the seconds of a step, and the folds it is left out with."""

    row_id: str
    run: Run
    seconds: float
    group: str
    family: str
    accelerator: str


@dataclass(frozen=True)
class Judged:
    """Errors of runs left out by one column: relative errors, whether intervals cover, and widths [N]."""

    name: str
    errors: Floats
    covered: Bools
    widths: Floats


@dataclass(frozen=True)
class Report:
    """A calibration with its judgement; `moe` and `other` mark runs of experts and of other makers than
    NVIDIA.
    """

    found: Calibration
    fitted: Fit
    judged: tuple[Judged, ...]
    moe: Bools
    other: Bools
    refused: int
    rows: int


def calibrate(
    path: Path,
    families: Path,
    book: FactBook,
    told: Told = print,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Fits every constant to the runs of `path` and judges by leaving out groups, families and accelerators.

    `families` is a table of patterns of model names; it is to be fixed before anything is fitted. Raises
    UserError where a file or column is missing, or a model has no family.
    """
    measured, refused, rows = read_measured(path, read_families(families), book)
    data = Data.of([one.run for one in measured], [one.seconds for one in measured])
    told(f"{len(measured)} measured runs, {refused} refused; fitting {len(FREE)} constants")
    fitted = fit(data, rounds=FIT_ROUNDS)
    measured = laid_again(measured, calibration_of(fitted, data, [], np.ones(len(SCALES))))
    data = Data.of([one.run for one in measured], [one.seconds for one in measured])
    fitted = fit(data, rounds=FIT_ROUNDS)
    left = {}
    for name, folds in (
        ("family", [one.family for one in measured]),
        ("accelerator", [one.accelerator for one in measured]),
        ("site", [one.run.site for one in measured]),
        ("group", [one.group for one in measured]),
    ):
        told(f"leaving out one {name} at a time: {len(set(folds))} fits")
        fresh = name != "group"
        rounds = FOLD_ROUNDS if fresh else GROUP_ROUNDS
        left[name] = leave_out(data, folds, fitted, rounds, progress, fresh=fresh)
    moe = np.array([one.run.model.is_moe for one in measured])
    scales = widening(left, data.measured, moe)
    found = calibration_of(fitted, data, [one.row_id for one in measured], scales)
    blind = first_guess(data)
    before = LeftOut(predict_before(data, blind), 0 * blind.residual, blind.noise(data))
    seen = predict(data, fitted, found.effects)
    all_ways = {"nothing fitted": before, "nothing left out": seen, **left}
    judged = tuple(judge(name, part, data.measured, moe, scales) for name, part in all_ways.items())
    other = np.array([one.run.chip.vendor != "NVIDIA" for one in measured])
    return Report(found, fitted, judged, moe, other, refused, rows)


def predict_before(data: Data, blind: Fit) -> Floats:
    """Logarithm of the seconds that the priors give, before any run was seen [N]."""
    from gigawright.workloads.training.fit import parts_of

    return np.asarray(np.log(parts_of(data, blind.variables).sum(axis=0)))


def calibration_of(fitted: Fit, data: Data, row_ids: Sequence[str], scales: Floats) -> Calibration:
    """What is kept of a fit."""
    known = Known(data.levels, fitted.shares, fitted.residual, fitted.noise(data) * fitted.outlying)
    return Calibration(
        fitted.constants(), Effects(known, fitted.variances), fitted.noises, scales, tuple(row_ids)
    )


def widening(left: dict[str, LeftOut], measured: Floats, moe: Bools) -> Floats:
    """Scales of intervals that cover 80% of the runs left out, dense and MoE each [scales].

    The scale of noise is set by groups left out, whose levels are known, that of levels by families and
    accelerators left out; each given the other, until both hold.
    """
    scales = np.ones(len(SCALES))
    for kind, rows in ((0, ~moe), (1, moe)):
        for _ in range(20):
            scales[kind] = _scale(scales, kind, kind, (left["group"],), measured, rows)
            scales[2 + kind] = _scale(
                scales, kind, 2 + kind, (left["family"], left["accelerator"]), measured, rows
            )
    return scales


def _scale(
    scales: Floats, kind: int, place: int, parts: Sequence[LeftOut], measured: Floats, rows: Bools
) -> float:
    """The value of one scale at which intervals cover `COVERED` of these runs, by bisection."""
    if not rows.any():
        return 1.0
    low, high = 0.1, 10.0
    for _ in range(40):
        middle = float(np.sqrt(low * high))
        tried = scales.copy()
        tried[place] = middle
        classes = np.full(int(rows.sum()), kind)
        covered = np.concatenate(
            [
                np.abs(part.logs[rows] - measured[rows])
                <= interval(part.levels[rows], part.noise[rows], classes, tried)
                for part in parts
            ]
        )
        low, high = (middle, high) if covered.mean() < COVERED else (low, middle)
    return high


def judge(name: str, part: LeftOut, measured: Floats, moe: Bools, scales: Floats) -> Judged:
    """Relative errors of seconds, coverage, and width of the interval over the middle [N]."""
    away = part.logs - measured
    half = interval(part.levels, part.noise, moe, scales)
    return Judged(name, np.abs(np.exp(away) - 1), np.abs(away) <= half, np.exp(half) - np.exp(-half))


def read_families(path: Path) -> Families:
    """Families of models and the patterns of names that belong to them; the first that matches holds."""
    try:
        rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
        return [(row["family"], re.compile(row["pattern"])) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, re.error) as error:
        raise UserError(f"{path}: no table of families with columns family, pattern ({error})") from error


def read_measured(path: Path, families: Families, book: FactBook) -> tuple[list[Measured], int, int]:
    """Runs with a measured pace, those refused among tiers A and B, and how many rows these have.

    Runs without a layout get the one that is fastest before anything is fitted.
    """
    with path.open(encoding="utf-8-sig", newline="") as opened:
        told = {row["row_id"]: row for row in csv.DictReader(opened)}
    first = _blind(book)
    measured, refused, rows = [], 0, 0
    for row in read_rows(path, book):
        line = told[row.row_id]
        if line.get("tier") == UNUSED_TIER:
            continue
        rows += 1
        refused += row.run is None
        pace = float(line.get("tokens_per_s_per_accel") or 0)
        if row.run is None or pace <= 0:
            continue
        run = as_run(row.run)
        run = run if run.layout else fastest(run, QUICK, first)
        seconds = run.batch_tokens / pace / run.accelerators
        family = next((name for name, pattern in families if pattern.search(line["model"])), "")
        if not family:
            raise UserError(f"{path}: model {line['model']!r} belongs to no family; add a pattern for it")
        measured.append(
            Measured(row.row_id, run, seconds, line["group"], family, _chip_fold(line["accelerator"]))
        )
    return measured, refused, rows


def laid_again(measured: Sequence[Measured], known: Calibration) -> list[Measured]:
    """The runs, those whose layout was open in the fastest one by what was found, as a prediction has it."""
    return [
        replace(one, run=fastest(replace(one.run, layout=None), QUICK, known))
        if "layout" in one.run.assumed
        else one
        for one in measured
    ]


def _blind(book: FactBook) -> Calibration:
    """The model before anything is fitted, to choose layouts by."""
    nothing = Known([], np.zeros((0, len(PARTS))), np.zeros(0), np.zeros(0))
    effects = Effects(nothing, np.zeros((len(KINDS), len(PARTS))))
    return Calibration(priors(), effects, np.zeros(3), np.ones(len(SCALES)), ())


def _chip_fold(name: str) -> str:
    return next((fold for fold, pattern in ONE_FOLD if re.match(pattern, name)), name)


def table(report: Report) -> str:
    """The judgement as a Markdown table: median and 90th percentile of errors, coverage, width, by kind of
    run.
    """
    lines = [
        "| left out | runs | count | median error | p90 | in the 80% interval | median width |",
        "|---|---|---|---|---|---|---|",
    ]
    kinds = (
        ("dense", ~report.moe),
        ("MoE", report.moe),
        ("not NVIDIA", report.other),
        ("all", report.moe | True),
    )
    for part in report.judged:
        for name, rows in kinds:
            if not rows.any():
                continue
            error = part.errors[rows]
            lines.append(
                f"| {part.name} | {name} | {len(error)} "
                f"| {np.median(error):.1%} | {np.quantile(error, 0.9):.0%} "
                f"| {part.covered[rows].mean():.0%} | {np.median(part.widths[rows]):.0%} |"
            )
    refused = f"\n{report.refused} of {report.rows} runs of tiers A and B are refused."
    return "\n".join([*lines, refused])
