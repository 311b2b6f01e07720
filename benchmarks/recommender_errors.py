"""Errors of the recommender model on measured rows left out; and on what it was not fitted to: training runs,
and the utilisation of classic and fused rankers.

    python benchmarks/recommender_errors.py [ROWS.csv [FOLDS.csv]] [--write]

Fits as the calibration does; `--write` puts it into the package. The measurements are read from
GIGAWRIGHT_SHARED, or ../shared, where no file is given.
"""

from __future__ import annotations

import csv
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gigawright.catalogue.own import book_with
from gigawright.errors import CatalogueError
from gigawright.facts import FactBook
from gigawright.workloads.architecture import recommender_model
from gigawright.workloads.recommender.calibrate import Report, calibrate, recalibrate, table
from gigawright.workloads.recommender.constants import PRIORS
from gigawright.workloads.recommender.examples import dlrm
from gigawright.workloads.recommender.planned import mfu
from gigawright.workloads.recommender.predictor import predict_ask
from gigawright.workloads.recommender.sizes import sizes
from gigawright.workloads.recommender.train import minutes_to_target, train_step
from gigawright.workloads.training.rows_chip import accelerator_named

RANKERS = (
    ("rankmixer-1b", "fp16", 0.4457),
    ("douyin-online-base-16m", "fp32", 0.045),
    ("rec-dlrm-mlp-base", "fp32", 0.0451),
)
"""Models of arXiv:2507.15551, their precision and published share of peak; batches of 512."""


def main() -> None:
    names = [name for name in sys.argv[1:] if name != "--write"]
    shared = Path(os.environ.get("GIGAWRIGHT_SHARED") or "../shared")
    rows = Path(names[0]) if names else shared / "truth" / "other_workloads.csv"
    folds = Path(names[1] if len(names) > 1 else "benchmarks/recommender_folds.csv")
    if not rows.is_file():
        sys.exit(f"no measured rows at {rows}; name their file, or set GIGAWRIGHT_SHARED")
    book = book_with(())
    print(table(_fitted(rows, folds, book)))
    print()
    print("\n".join(training(rows, book)))
    print()
    print("\n".join(utilisation()))


def _fitted(rows: Path, folds: Path, book: FactBook) -> Report:
    if "--write" in sys.argv:
        report, folder = recalibrate(rows, folds, None, book)
        print(f"written to {folder}")
    else:
        report = calibrate(rows, folds, book)
    for name, value in report.found.constants.items():
        print(f"{name}: {value:.4g} {PRIORS[name].unit} (prior {PRIORS[name].value:g})")
    print()
    return report


def training(path: Path, book: FactBook) -> Iterator[str]:
    """Minutes to target of MLPerf's DLRM-DCNv2, which nothing was fitted to, as a Markdown table."""
    yield "| training run | batch | measured min | predicted min | error |"
    yield "|---|---|---|---|---|"
    found, errors = sizes(recommender_model("dlrm-dcnv2")), []
    with path.open(encoding="utf-8-sig", newline="") as opened:
        for row in csv.DictReader(opened):
            batch = re.match(r"gbs (\d+)", row["scenario_or_setting"])
            if row["family"] != "recommender-training" or batch is None:
                continue
            name = re.sub(r"[(?].*", "", row["accelerator"]).strip()
            try:
                chip = accelerator_named(name, book)
            except CatalogueError as error:
                print(f"row {row['row']}: {error}", file=sys.stderr)
                continue
            step = train_step(found, chip, int(row["n_accel"]), float(batch[1]))
            minutes, measured = minutes_to_target(step, float(batch[1])), float(row["value"])
            errors.append(minutes / measured - 1)
            told = f"{row['n_accel']} x {name}, {row['submitter']} | {batch[1]}"
            yield f"| {told} | {measured:.2f} | {minutes:.2f} | {errors[-1]:+.0%} |"
    away = np.abs(errors)
    yield f"\nmedian {np.median(away):.1%}, largest {np.max(away):.0%}, {len(errors)} runs"


def utilisation() -> Iterator[str]:
    """Shares of peak of rankers on an A100, which the paper does not name, as a Markdown table."""
    yield "| ranker, batch of 512 | published MFU | predicted MFU | limited by |"
    yield "|---|---|---|---|"
    for name, precision, published in RANKERS:
        found = sizes(recommender_model(name))
        ask = dlrm("nv_a100_80", sizes=found, precision=precision, candidates=512.0, requests=1.0)
        done = predict_ask(ask)
        yield f"| {name} | {published:.1%} | {mfu(done):.1%} | {done.limited_by} |"


if __name__ == "__main__":
    main()
