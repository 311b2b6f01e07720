"""Refitting: a small set of runs goes in, a calibration that can be read comes out."""

from __future__ import annotations

import csv
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from gigawright.catalogue.own import book_with
from gigawright.errors import UserError
from gigawright.workloads.training import calibration
from gigawright.workloads.training.batch import Batch, predict_file
from gigawright.workloads.training.calibrate import table
from gigawright.workloads.training.recalibrate import (
    PACE,
    check_measurements,
    counted,
    level_freedom,
    package_folder,
    recalibrate,
)

MODELS = {"Llama3-8B": 8.0, "Llama3-70B": 70.6, "Mixtral-8x7B": 12.9}
"""Models and the billions of parameters that a token meets."""

CHIPS = {"A100-80GB": 312.0, "H100": 989.0, "MI300X": 1307.0}
"""Accelerators and their dense bf16 peaks [TFLOP/s]."""

LAYOUTS = ((2, 2, 1), (4, 1, 2), (8, 4, 1))
"""Tensor and pipeline groups and micro-batch."""

FAMILIES = "family,pattern\nLlama,^Llama\nMixtral,^Mixtral\n"

BUSY = 0.4
"""Share of the peak that the runs here reach, whatever the model."""


def runs(folder: Path, busy: float = BUSY) -> Path:
    """Runs whose pace is a fixed share of what their accelerators could do at most: 6 flops a parameter."""
    path = folder / "runs.csv"
    lines = []
    for number, ((model, billions), (chip, peak), (tensor, pipeline, micro)) in enumerate(
        product(MODELS.items(), CHIPS.items(), LAYOUTS)
    ):
        line = {"row_id": f"r{number}", "group": f"{model} {chip}", "model": model, "accelerator": chip}
        line |= {"document": "bench", "n_accel": "64", "seq_len": "4096", "precision": "BF16"}
        line |= {"gbs_seqs": "256", "mbs": str(micro), "tp": str(tensor), "pp": str(pipeline)}
        line |= {"recompute": "none", "zero_or_fsdp": "dist-optimizer (ZeRO-1)"}
        line |= {"tokens_per_s_per_accel": f"{busy * peak * 1e12 / (6 * billions * 1e9):.1f}"}
        lines.append(line)
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    return path


@pytest.mark.long
def test_a_calibration_is_fitted_written_and_used(tmp_path: Path) -> None:
    (tmp_path / "families.csv").write_text(FAMILIES)
    measured, told = runs(tmp_path), []
    report, folder = recalibrate(
        measured, tmp_path / "families.csv", tmp_path / "new", book_with(()), told.append
    )
    assert sorted(path.name for path in folder.iterdir()) == ["training_constants.csv", "training_rows.csv"]
    assert any("leaving out one family" in text for text in told)
    read = calibration.read(folder)
    assert read.row_ids == tuple(f"r{number}" for number in range(len(MODELS) * len(CHIPS) * len(LAYOUTS)))
    assert read.constants.gemm == pytest.approx(report.found.constants.gemm, rel=1e-5)
    assert "| family | dense |" in table(report)
    assert "levels have shrunken effects" in counted(report)
    assert 0 < level_freedom(report.found) < len(read.row_ids)

    own = errors(measured, predict_file(measured, tmp_path / "own.csv", calibrated=folder))
    others = errors(measured, predict_file(measured, tmp_path / "others.csv"))
    assert np.median(own) < np.median(others)


def errors(measured: Path, batch: Batch) -> list[float]:
    """Absolute logarithms of predicted over measured pace."""
    lines = csv.DictReader(measured.read_text("utf-8").splitlines())
    paces = {line["row_id"]: float(line[PACE]) for line in lines}
    done = [(answer.row.row_id, answer.predicted) for answer in batch.answers]
    return [abs(np.log(one.tokens_per_s / paces[row_id])) for row_id, one in done if one is not None]


def test_the_packages_own_folder_is_the_one_that_is_read() -> None:
    assert {calibration.CONSTANTS_FILE, calibration.ROWS_FILE} <= {
        path.name for path in package_folder().iterdir()
    }


def test_a_level_of_freedom_is_spent_on_each_run_without_noise() -> None:
    found = calibration.calibration()
    spent = level_freedom(found)
    assert 0 < spent < len(found.row_ids)


def test_runs_of_one_family_cannot_be_judged(tmp_path: Path) -> None:
    (tmp_path / "families.csv").write_text("family,pattern\nall,.\n")
    with pytest.raises(UserError, match="all measured runs have one family; judging needs two"):
        check_measurements(runs(tmp_path), tmp_path / "families.csv", book_with(()))


def test_sound_measurements_pass(tmp_path: Path) -> None:
    (tmp_path / "families.csv").write_text(FAMILIES)
    check_measurements(runs(tmp_path), tmp_path / "families.csv", book_with(()))
