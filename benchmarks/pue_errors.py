"""Errors of the model of reported PUE and WUE on sites, cities and operators left out, beside its rivals.

    python benchmarks/pue_errors.py [SITES.csv [FOLDS.csv]] [--rows] [--write]

Fits as the calibration does; `--rows` adds a line for each row with its site left out, `--write` puts the
calibration into the package. The reported values are read from GIGAWRIGHT_SHARED, or ../shared, where no file
is given.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from gigawright.facility.reported.calibrate import Report, calibrate, recalibrate, table
from gigawright.facility.reported.models import PUE, WUE


def main() -> None:
    names = [name for name in sys.argv[1:] if not name.startswith("--")]
    shared = Path(os.environ.get("GIGAWRIGHT_SHARED") or "../shared")
    sites = Path(names[0]) if names else shared / "truth" / "pue.csv"
    folds = Path(names[1] if len(names) > 1 else "benchmarks/pue_folds.csv")
    if not sites.is_file():
        sys.exit(f"no reported values at {sites}; name their file, or set GIGAWRIGHT_SHARED")
    report = _fitted(sites, folds)
    for formula, found in ((PUE, report.known.pue), (WUE, report.known.wue)):
        for name, value in found.constants.items():
            prior = formula.priors[name]
            print(f"{formula.family} {name}: {value:.4g} {prior.unit} (prior {prior.value:g})")
    print()
    print(table(report))
    if "--rows" in sys.argv:
        print("\n".join(["", *rows(report)]))


def _fitted(sites: Path, folds: Path) -> Report:
    if "--write" not in sys.argv:
        return calibrate(sites, folds)
    report, folder = recalibrate(sites, folds, None)
    print(f"written to {folder}")
    return report


def rows(report: Report) -> Iterator[str]:
    """Every row with its site left out, as a Markdown table."""
    yield "| row | site | year | reported | predicted | physics alone | in p10-p90 |"
    yield "|---|---|---|---|---|---|---|"
    left = report.way("site")
    for at, one in enumerate(report.measured):
        told = f"{one.pue:.3f} | {left.predicted[at]:.2f} | {one.needs.pue:.3f}"
        inside = "yes" if left.covered[at] else "no"
        yield f"| {one.key} | {one.asked.name} | {one.asked.year} | {told} | {inside} |"


if __name__ == "__main__":
    main()
