from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from gigawright.catalogue.own import book_with
from gigawright.errors import UserError
from gigawright.facts import FactBook
from gigawright.workloads.calibrated import read
from gigawright.workloads.recommender.calibrate import (
    FEWEST,
    Report,
    calibrate,
    fold_of,
    read_folds,
    recalibrate,
    table,
)
from gigawright.workloads.recommender.constants import PRIORS
from gigawright.workloads.recommender.predictor import FAMILY, calibration

from .test_rows import written


@pytest.fixture(scope="module")
def book() -> FactBook:
    return book_with(())


@pytest.fixture(scope="module")
def report(shared_folder: Path, repository: Path, book: FactBook) -> Report:
    rows = shared_folder / "truth" / "other_workloads.csv"
    return calibrate(rows, repository / "benchmarks" / "recommender_folds.csv", book, lambda text: None)


def test_rows_left_out_are_near(report: Report) -> None:
    for part in report.judged:
        if part.name in ("accuracy target", "scenario"):
            assert np.median(part.errors) < 0.06, part.name
        if part.name in ("accelerator", "submitter"):
            assert np.median(part.errors) < 0.10, part.name
            # 17 rows at 80%: 10 to 16 are within the 95% band of a binomial distribution.
            assert 10 / 17 <= part.covered.mean() <= 1
            assert np.median(part.widths) < 0.35


def test_the_calibration_that_ships_is_the_one_of_these_rows(report: Report) -> None:
    shipped = calibration()
    for name, value in report.found.constants.items():
        assert shipped.constants[name] == pytest.approx(value, rel=0.01)
    assert np.allclose(shipped.scales, report.found.scales, rtol=0.02)


def test_constants_stay_near_their_priors(report: Report) -> None:
    for name, prior in PRIORS.items():
        assert report.found.constants[name] == pytest.approx(prior.value, rel=2.5 * prior.spread), name
        assert prior.source
        assert prior.unit


def test_the_table_names_each_way_of_leaving_out(report: Report) -> None:
    text = table(report)
    for name in ("nothing fitted", "accelerator", "submitter", "group"):
        assert f"| {name} |" in text


def test_what_is_written_is_read_again(
    tmp_path: Path, shared_folder: Path, repository: Path, book: FactBook
) -> None:
    rows = shared_folder / "truth" / "other_workloads.csv"
    folds = repository / "benchmarks" / "recommender_folds.csv"
    report, folder = recalibrate(rows, folds, tmp_path, book, lambda text: None)
    again = read(folder, FAMILY, PRIORS)
    assert again.constants["gather"] == pytest.approx(report.found.constants["gather"], rel=1e-4)
    assert len(again.hierarchy.known.levels) == 17


def test_too_few_rows_are_refused(tmp_path: Path, repository: Path, book: FactBook) -> None:
    folds = repository / "benchmarks" / "recommender_folds.csv"
    with pytest.raises(UserError, match=f"at least {FEWEST}"):
        calibrate(written(tmp_path, {}), folds, book, lambda text: None)


def test_folds_are_patterns_in_order(tmp_path: Path) -> None:
    path = tmp_path / "folds.csv"
    path.write_text("left_out,pattern,fold\naccelerator,H200.NVL,H200 NVL\naccelerator,H200,H200\n")
    folds = read_folds(path)
    assert fold_of(folds, "accelerator", "NVIDIA H200-NVL-141GB") == "H200 NVL"
    assert fold_of(folds, "accelerator", "NVIDIA H200-SXM-141GB") == "H200"
    assert fold_of(folds, "submitter", "Anybody") == "Anybody"


@pytest.mark.parametrize("text", ["", "left_out,pattern\na,b\n", "left_out,pattern,fold\naccelerator,(,x\n"])
def test_folds_that_are_no_table_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "folds.csv"
    path.write_text(text)
    if not text:
        assert read_folds(path) == []
        return
    with pytest.raises(UserError, match=re.escape(str(path))):
        read_folds(path)
