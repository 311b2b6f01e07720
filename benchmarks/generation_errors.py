"""Errors of image, video and speech predictions on measured rows left out.

    python benchmarks/generation_errors.py [ROWS.csv [FOLDS.csv]] [--write]

Fits as the calibration does, which takes some seconds, and tells whether that is what ships; `--write` puts
it into the package. The measurements are read from GIGAWRIGHT_SHARED, or ../shared, where no file is given.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from gigawright.catalogue.own import book_with
from gigawright.workloads.generation.calibrate import Report, calibrate, counted, recalibrate, table
from gigawright.workloads.generation.predictor import calibration

SAME = 1e-3
"""Relative difference of a constant below which it is the one that ships."""


def main() -> None:
    names = [name for name in sys.argv[1:] if name != "--write"]
    shared = Path(os.environ.get("GIGAWRIGHT_SHARED") or "../shared")
    rows = Path(names[0]) if names else shared / "truth" / "other_workloads.csv"
    folds = Path(names[1] if len(names) > 1 else "benchmarks/generation_folds.csv")
    if not rows.is_file():
        sys.exit(f"no measured rows at {rows}; name their file, or set GIGAWRIGHT_SHARED")
    report = _fitted(rows, folds)
    print(table(report))
    print(f"\n{counted(report)}")
    moved = [name for name, value in calibration().constants.items() if _differs(report, name, value)]
    print(f"Constants that differ from what ships: {', '.join(moved) or 'none'}.")


def _fitted(rows: Path, folds: Path) -> Report:
    book = book_with(())
    if "--write" not in sys.argv:
        return calibrate(rows, folds, book)
    report, folder = recalibrate(rows, folds, None, book)
    print(f"written to {folder}")
    return report


def _differs(report: Report, name: str, value: float) -> bool:
    return abs(report.found.constants[name] / value - 1) > SAME


if __name__ == "__main__":
    main()
