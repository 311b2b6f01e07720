"""Errors of the serving model on measured rows left out.

    python benchmarks/serving_errors.py [SILICON.csv PUBLISHED.csv [FOLDS.csv]] [--full]

Levels and constants are fitted as `gigawright calibrate serving` does, from the layouts that what ships
chooses, and judged by the intervals of what ships; nothing is written. Groups are left out in one step;
`--full` also fits anew without each model and each accelerator, which takes minutes. The measurements are
read from GIGAWRIGHT_SHARED, or ../shared, where no file is given.

A measured row that is refused counts as one that its interval misses. The band is where the share of n rows
lies in 95 of 100 cases if each is covered with a probability of 80% on its own; rows of one table err
together, so theirs is wider.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import binom

from gigawright.arrays import Bools
from gigawright.catalogue.own import book_with
from gigawright.facts import FactBook
from gigawright.workloads import calibrating
from gigawright.workloads.calibrating import COVERED, Fit, LeftOut, Problem, half_width
from gigawright.workloads.cells import read_table
from gigawright.workloads.hierarchy import UNSEEN
from gigawright.workloads.serving.batch import answered
from gigawright.workloads.serving.calibrate import (
    FOLD_ROUNDS,
    MEASURED,
    ROUNDS,
    fold_of,
    group_of,
    measured_rows,
    read_folds,
)
from gigawright.workloads.serving.constants import PRIORS
from gigawright.workloads.serving.measured import CLASSES, Measured, problem
from gigawright.workloads.serving.predictor import calibration
from gigawright.workloads.serving.rows import Row as ReadRow
from gigawright.workloads.serving.rows import read

SAME = 1e-2
"""Relative difference of a constant below which it is the one that ships."""

TITLES = ("left out", "measured", "rows", "median error", "p90", "in the 80% interval", "band", "width")

Row = Mapping[str, str]
Chosen = Callable[[Row, str], bool]
"""Whether a measurement counts: by its row's cells, and what was measured of it."""

GROUP, MODEL, ACCELERATOR = "a group", "a model", "an accelerator"
"""What is left out at a time. A group shares model, accelerator, engine, lengths, layout and scenario."""


@dataclass(frozen=True)
class File:
    """A file of rows: their cells, and the keys of those that what ships refuses."""

    name: str
    form: str
    rows: Sequence[ReadRow]
    cells: Mapping[str, Row]
    refused: frozenset[str]

    @classmethod
    def read(cls, path: Path, book: FactBook) -> File:
        form, rows = read(path, book)
        table = read_table(path, "give a file of measured rows")
        lines = (dict(zip(table.names, record, strict=False)) for _, record in table.records)
        cells = dict(zip((row.key for row in rows), lines, strict=True))
        refused = frozenset(answer.row.key for answer in answered(rows) if answer.refused)
        return cls(path.name, form, rows, cells, refused)

    def missed(self) -> Iterator[tuple[Row, str]]:
        """Measured rows that are refused, with what was measured of them."""
        for metric, column in MEASURED[self.form].items():
            for key in self.refused:
                if re.search("[1-9]", self.cells[key].get(column) or ""):
                    yield self.cells[key], metric


@dataclass(frozen=True)
class Judgement:
    """Measurements as a problem, the cells of their rows, which are answered, and predictions in each way."""

    asked: Problem
    measured: Sequence[Measured]
    cells: Sequence[Row]
    answered: Bools
    ways: Mapping[str, LeftOut]

    def line(self, way: str, wanted: Bools, missed: int = 0) -> str:
        """Count, median and 90th percentile of errors, coverage with its band, median width, as cells."""
        rows = wanted & self.answered
        if way not in self.ways or not rows.any():
            return f"{rows.sum()} | with --full | | | |" if rows.any() else "0 | - | - | - | - | -"
        part = self.ways[way]
        away, classes = part.logs - self.asked.measured, self.asked.noise_class
        half = half_width(part, classes, calibration().scales)
        # A pace is tokens a second, the fit is of seconds a token.
        signs = np.array([-1.0 if one.metric == "pace" else 1.0 for one in self.measured])
        error = np.abs(np.expm1(signs * away))[rows]
        inside = (np.abs(away) <= half)[rows].sum()
        width = np.median((np.exp(half) - np.exp(-half))[rows])
        count = len(error) + missed
        low, high = binom.ppf((0.025, 0.975), count, COVERED) / count
        return (
            f"{len(error)} | {np.median(error):.1%} | {np.quantile(error, 0.9):.0%} "
            f"| {inside / count:.1%} | {low:.1%}-{high:.1%} | {width:.0%}"
        )

    def chosen(self, metric: str, wanted: Chosen) -> Bools:
        """The measurements of a metric that count."""
        return np.array(
            [
                one.metric == metric and wanted(cells, metric)
                for one, cells in zip(self.measured, self.cells, strict=True)
            ]
        )


def main() -> None:
    start = time.perf_counter()
    names = [Path(name) for name in sys.argv[1:] if name != "--full"]
    truth = Path(os.environ.get("GIGAWRIGHT_SHARED") or "../shared") / "truth"
    paths = names[:2] or [truth / "serving_silicon.csv", truth / "serving_published.csv"]
    folds = names[2] if len(names) > 2 else Path("benchmarks/serving_folds.csv")
    if absent := [str(path) for path in paths if not path.is_file()]:
        sys.exit(f"no measured rows at {', '.join(absent)}; name their files, or set GIGAWRIGHT_SHARED")
    book = book_with(())
    files = [File.read(path, book) for path in paths]
    found, fitted = judged(files, paths, folds, full="--full" in sys.argv)
    print("\n".join(reach(found, [one for file in files for one in file.missed()])))
    print("\n".join(classes(found)))
    for file in files:
        count, good = len(file.rows), len(file.rows) - len(file.refused)
        print(f"{file.name}: {good:,} of {count:,} rows answered ({good / max(count, 1):.1%}).")
    print(counted(found.asked))
    print(f"Constants that differ from what ships: {_moved(found.asked, fitted)}.")
    _tell(f"{time.perf_counter() - start:.0f} s")


def _tell(text: str) -> None:
    print(text, file=sys.stderr)


def judged(files: Sequence[File], paths: Sequence[Path], folds: Path, *, full: bool) -> tuple[Judgement, Fit]:
    """The measured rows of files, predicted by fits that have not seen them; the fit to all."""
    measured: list[Measured] = []
    cells: list[Row] = []
    good: list[bool] = []
    for file, path in zip(files, paths, strict=True):
        own = measured_rows(path, file.rows, calibration().constants)
        measured += own
        cells += [file.cells[one.key] for one in own]
        good += [one.key not in file.refused for one in own]
    asked = problem(measured)
    _tell(f"{len(measured)} measurements; fitting {len(asked.free)} constants")
    fitted = calibrating.fit(asked, rounds=ROUNDS)
    patterns = read_folds(folds)
    models = [fold_of(one.service, patterns) for one in measured]
    groups = [group_of(one, model) for one, model in zip(measured, models, strict=True)]
    ways = {
        "nothing fitted": calibrating.predict_before(asked),
        "nothing left out": calibrating.predict(asked, fitted, asked.rows),
        GROUP: calibrating.leave_groups_out(asked, groups, fitted),
    }
    if full:
        for name, kinds in ((MODEL, models), (ACCELERATOR, [one.service.chip.id for one in measured])):
            _tell(f"leaving out {name} at a time: {len(set(kinds))} fits")
            ways[name] = calibrating.leave_out(asked, kinds, fitted, FOLD_ROUNDS)
    return Judgement(asked, measured, cells, np.array(good), ways), fitted


def together(row: Row, metric: str) -> bool:
    return row.get("mode") == "agg"


def apart(row: Row, metric: str) -> bool:
    return row.get("mode") == "disagg"


def stated(row: Row, metric: str) -> bool:
    """A row of published throughput that states accelerators and lengths."""
    lengths = all(re.search(r"\d", row.get(name, "")) for name in ("isl", "osl"))
    return metric == "pace" and bool(row.get("accelerator", "").strip()) and lengths


def both(row: Row, metric: str) -> bool:
    return together(row, metric) or apart(row, metric)


REACH: tuple[tuple[str, str, str, str, Chosen], ...] = (
    ("<= 9%", GROUP, "tpot", "aggregated", together),
    ("", GROUP, "tpot", "disaggregated", apart),
    ("", GROUP, "tpot", "all", both),
    ("<= 25%", GROUP, "ttft", "aggregated", together),
    ("", GROUP, "ttft", "disaggregated", apart),
    ("", GROUP, "ttft", "all", both),
    ("<= 13%", MODEL, "tpot", "aggregated", together),
    ("", MODEL, "tpot", "all", both),
    ("<= 15%", ACCELERATOR, "tpot", "aggregated", together),
    ("", ACCELERATOR, "tpot", "all", both),
    ("<= 15%", ACCELERATOR, "pace", "GPU and lengths stated", stated),
)
"""Goal for the median, what is left out, what was measured, of which rows."""


def reach(found: Judgement, refused: Sequence[tuple[Row, str]]) -> Iterator[str]:
    """The rows of `REACH` as a Markdown table."""
    yield f"| goal | {' | '.join(TITLES)} |"
    yield "|---" * (len(TITLES) + 1) + "|"
    for goal, left_out, metric, name, wanted in REACH:
        missed = sum(told == metric and wanted(row, metric) for row, told in refused)
        line = found.line(left_out, found.chosen(metric, wanted), missed)
        yield f"| {goal} | {left_out} | {metric}, {name} | {line} |"
    yield ""


def classes(found: Judgement) -> Iterator[str]:
    """Every class of measurement and every way of leaving out, as a Markdown table."""
    yield f"| {' | '.join(TITLES)} |"
    yield "|---" * len(TITLES) + "|"
    for way in found.ways:
        for place, name in enumerate(CLASSES):
            rows = found.asked.noise_class == place
            if rows.any():
                yield f"| {way} | {name} | {found.line(way, rows)} |"
    yield ""


def counted(asked: Problem) -> str:
    """How many numbers are fitted to how many measurements."""
    seen = {(kind, name) for row in asked.levels for kind, name in enumerate(row) if name not in ("", UNSEEN)}
    known = calibration()
    return (
        f"{len(asked.free)} constants ({len(PRIORS) - len(asked.free)} more are kept), "
        f"{known.hierarchy.variances.size + known.noises.size} spreads of levels and noise and "
        f"{known.scales.size} widenings of intervals are fitted to {len(asked.measured):,} measurements; "
        f"{len(seen):,} levels have shrunken effects."
    )


def _moved(asked: Problem, fitted: Fit) -> str:
    """Constants that a fit moves away from what ships."""
    found, ships = asked.constants(fitted.variables), calibration().constants
    return ", ".join(name for name in found if abs(found[name] / ships[name] - 1) > SAME) or "none"


if __name__ == "__main__":
    main()
