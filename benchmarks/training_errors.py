"""Errors of the training model on measured runs left out, and how far the measurements agree.

    python benchmarks/training_errors.py [RUNS.csv [FAMILIES.csv]]

Fits as `gigawright calibrate training` does, but writes nothing. The measurements are read from
GIGAWRIGHT_SHARED, or ../shared, where no file is given.

The floor: no model can tell runs apart that agree in every input. Runs that agree in all inputs but the
release show what software alone moves, which a model that has not seen the release cannot know.
"""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from gigawright.catalogue.own import book_with
from gigawright.workloads.training.calibrate import UNUSED_TIER, calibrate, table
from gigawright.workloads.training.recalibrate import PACE, check_measurements, counted
from gigawright.workloads.training.rows import COLUMNS

RELEASE = "software_release"
SAME = 1e-3
"""Measured values nearer than this are one measurement printed twice."""

Row = dict[str, str]


def main() -> None:
    shared = Path(os.environ.get("GIGAWRIGHT_SHARED") or "../shared")
    runs = Path(sys.argv[1]) if len(sys.argv) > 1 else shared / "truth" / "training_runs.csv"
    families = Path(sys.argv[2] if len(sys.argv) > 2 else "benchmarks/training_families.csv")
    if not runs.is_file():
        sys.exit(f"no measured runs at {runs}; name their file, or set GIGAWRIGHT_SHARED")
    book = book_with(())
    check_measurements(runs, families, book)
    print(floor(runs))
    print()
    report = calibrate(runs, families, book, lambda text: print(text, file=sys.stderr))
    print(table(report))
    print(f"\n{counted(report)}")


def floor(path: Path) -> str:
    """The disagreement of measurements, as a Markdown table."""
    with path.open(encoding="utf-8-sig", newline="") as opened:
        rows = [
            row for row in csv.DictReader(opened) if row["tier"] != UNUSED_TIER and float(row[PACE] or 0) > 0
        ]
    lines = [
        "| runs that agree in | kind | groups | runs | pairs | median of ratio - 1 | p90 |",
        "|---|---|---|---|---|---|---|",
    ]
    for title, inputs, differ in (
        ("all inputs but the release", but_release, releases_differ),
        ("all inputs", every_input, values_differ),
    ):
        for kind, some in (("dense", False), ("MoE", True)):
            alike = groups([row for row in rows if is_moe(row) == some], inputs)
            lines.append(f"| {title} | {kind} | {words(alike, differ)} |")
    alike = [group for group in groups(rows, every_input) if values_differ(group[0], group[-1])]
    named = ", ".join("/".join(row["row_id"] for row in group) for group in alike)
    return "\n".join([*lines, f"\nAlike in all inputs, with other values: {named or 'none'}"])


def is_moe(row: Row) -> bool:
    return float(row["experts"] or 0) > 1


def every_input(row: Row) -> tuple[str, ...]:
    """What a prediction may know of a run."""
    return tuple(row.get(name, "") for name in COLUMNS if name != "row_id")


def but_release(row: Row) -> tuple[str, ...]:
    return tuple(row.get(name, "") for name in COLUMNS if name not in ("row_id", RELEASE))


def releases_differ(one: Row, other: Row) -> bool:
    return one[RELEASE] != other[RELEASE]


def values_differ(one: Row, other: Row) -> bool:
    return abs(ratio(one, other)) > SAME


def ratio(one: Row, other: Row) -> float:
    """Pace of one over that of the other, less 1."""
    return float(one[PACE]) / float(other[PACE]) - 1


def groups(rows: Iterable[Row], inputs: Callable[[Row], tuple[str, ...]]) -> list[list[Row]]:
    """Rows with the same inputs, where there is more than one."""
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(inputs(row), []).append(row)
    return [group for group in found.values() if len(group) > 1]


def words(alike: Sequence[Sequence[Row]], differ: Callable[[Row, Row], bool]) -> str:
    """Groups, runs, and pairs that differ, with the median and 90th percentile of |ratio - 1|."""
    pairs = [[pair for pair in combinations(group, 2) if differ(*pair)] for group in alike]
    told = [(group, some) for group, some in zip(alike, pairs, strict=True) if some]
    away = np.array([abs(ratio(*pair)) for _, some in told for pair in some])
    counts = f"{len(told)} | {sum(len(group) for group, _ in told)} | {len(away)}"
    return (
        f"{counts} | {np.median(away):.1%} | {np.quantile(away, 0.9):.0%}"
        if len(away)
        else f"{counts} | - | -"
    )


if __name__ == "__main__":
    main()
