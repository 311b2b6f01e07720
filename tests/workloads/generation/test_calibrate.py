from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gigawright.catalogue.load import load_facts
from gigawright.errors import UserError
from gigawright.facts import FactBook
from gigawright.workloads.calibrated import read
from gigawright.workloads.generation.batch import predict_file
from gigawright.workloads.generation.calibrate import (
    WAYS,
    counted,
    fold_of,
    read_folds,
    read_measured,
    recalibrate,
    table,
)
from gigawright.workloads.generation.constants import PRIORS
from gigawright.workloads.generation.cost import PARTS
from gigawright.workloads.generation.predictor import CLASSES, KINDS, calibration

Write = Callable[..., Path]
FOLDS = Path(__file__).parents[3] / "benchmarks" / "generation_folds.csv"


@pytest.fixture(scope="module")
def book() -> FactBook:
    return FactBook(load_facts())


def test_the_shipped_calibration_is_whole() -> None:
    known = calibration()
    assert (known.kinds, known.parts, known.classes) == (KINDS, PARTS, CLASSES)
    assert set(known.constants) == set(PRIORS)
    assert np.isfinite(known.hierarchy.known.residual).all()
    for name, prior in PRIORS.items():
        if prior.kind == "share":
            assert 0 < known.constants[name] < 1
        else:
            # No constant leaves three standard deviations of its prior.
            assert abs(np.log(known.constants[name] / prior.value)) < 3 * prior.spread


def test_folds_name_every_row(shared_folder: Path, book: FactBook) -> None:
    measured, refused = read_measured(shared_folder / "truth" / "other_workloads.csv", FOLDS, book)
    assert refused == 0
    assert {one.folds["model"] for one in measured} >= {"FLUX", "HunyuanVideo", "Wan 5B", "Whisper"}
    chips = {one.folds["accelerator"] for one in measured}
    assert {"H100", "H100 NVL", "H200", "H200 NVL", "L4", "L40S"} <= chips
    for one in measured:
        assert set(one.folds) == set(WAYS)


def test_the_first_pattern_holds_and_a_name_without_one_is_its_own_fold() -> None:
    folds = read_folds(FOLDS)
    assert fold_of(folds, "accelerator", "NVIDIA H100-NVL-94GB") == "H100 NVL"
    assert fold_of(folds, "accelerator", "Abacus") == "Abacus"


def test_what_is_fitted_is_written_and_read(rows: Write, tmp_path: Path, book: FactBook) -> None:
    cells = [
        {"scenario_or_setting": f"1024px {steps} steps", "n_accel": str(count), "model": model}
        for steps in (10, 20, 30, 40)
        for count in (1, 2, 4)
        for model in ("FLUX.1-dev", "SD3")
    ]
    asked = rows(*cells)
    out = tmp_path / "before.csv"
    predict_file(asked, out)
    with out.open(encoding="utf-8", newline="") as opened:
        values = [float(line["value"]) for line in csv.DictReader(opened)]
    # Measured times are a third longer than what ships says: the fit has to move there.
    measured = rows(*({**cell, "value": 1.33 * value} for cell, value in zip(cells, values, strict=True)))
    folder = tmp_path / "own"
    report, written = recalibrate(measured, FOLDS, folder, book, lambda text: None)
    assert written == folder
    known = read(folder, "generation", PRIORS)
    assert dict(known.constants) == pytest.approx(dict(report.found.constants), rel=1e-5)
    after = predict_file(asked, tmp_path / "after.csv", calibrated=folder)
    ratios = [answer.values[0] / value for answer, value in zip(after.answers, values, strict=True)]
    assert np.median(ratios) == pytest.approx(1.33, rel=0.05)
    assert "diffusion-image | model | 24" in table(report)
    assert "are fitted to 24 rows" in counted(report)


def test_too_few_rows_are_told(rows: Write, tmp_path: Path, book: FactBook) -> None:
    with pytest.raises(UserError, match="1 rows are measured and readable"):
        recalibrate(rows({"value": "6.7"}), FOLDS, tmp_path / "own", book, lambda text: None)


def test_folds_that_are_no_table_are_told(rows: Write, tmp_path: Path, book: FactBook) -> None:
    wrong = tmp_path / "folds.csv"
    wrong.write_text("left_out,pattern\nmodel,x\n", encoding="utf-8")
    with pytest.raises(UserError, match="no table of folds"):
        recalibrate(rows({"value": "6.7"}), wrong, tmp_path / "own", book, lambda text: None)
