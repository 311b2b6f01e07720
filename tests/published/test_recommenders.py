"""Published numbers of recommenders: sizes, utilisation of classic and fused rankers, minutes of training."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from gigawright.catalogue.load import load_facts
from gigawright.facts import FactBook
from gigawright.workloads.architecture import recommender_model
from gigawright.workloads.recommender.examples import dlrm
from gigawright.workloads.recommender.planned import mfu
from gigawright.workloads.recommender.predictor import predict_ask
from gigawright.workloads.recommender.sizes import sizes
from gigawright.workloads.recommender.train import minutes_to_target, train_step
from gigawright.workloads.training.rows_chip import accelerator_named


def test_dlrm_dcnv2_has_mlperfs_sizes() -> None:
    """HugeCTR's train.py of MLPerf Training v5.1: 26 tables, 214 look-ups, 16.03 M dense weights."""
    found = sizes(recommender_model("dlrm-dcnv2"))
    tables = found.tables
    assert len(tables.rows) == 26
    assert tables.rows.sum() == 204_184_588
    assert tables.per_candidate.sum() == 214
    assert set(tables.width) == {128}
    assert tables.values * 4 == pytest.approx(104.54e9, rel=1e-4)
    bottom = 13 * 512 + 512 * 256 + 256 * 128
    cross = 3 * 2 * 3456 * 512
    top = 3456 * 1024 + 1024 * 1024 + 1024 * 512 + 512 * 256 + 256
    assert found.dense_params == bottom + cross + top == 16_030_464
    assert found.flops(1.0, 0.0) == 2 * 16_030_464


@pytest.mark.parametrize(
    ("name", "precision", "published", "low", "high"),
    [
        ("rankmixer-1b", "fp16", 0.4457, 0.8, 1.35),
        ("douyin-online-base-16m", "fp32", 0.045, 0.6, 1.8),
        ("rec-dlrm-mlp-base", "fp32", 0.0451, 0.6, 1.8),
    ],
)
def test_utilisation_of_rankers_comes_out_of_the_physics(
    name: str, precision: str, published: float, low: float, high: float
) -> None:
    """RankMixer (arXiv:2507.15551): 4.5% of peak for hand-made modules, 45% for large fused products, batches
    of 512. The chip is not stated; an A100 fits flops and latency of both (TF32 and FP16 peaks)."""
    found = sizes(recommender_model(name))
    done = predict_ask(
        dlrm("nv_a100_80", sizes=found, precision=precision, candidates=512.0, requests=1.0, accelerators=1)
    )
    assert low < mfu(done) / published < high


def test_minutes_of_mlperf_training_are_near_without_any_fit(shared_folder: Path) -> None:
    """MLPerf Training v5.0 and v5.1, DLRM-DCNv2: nine runs on H200, B200 and GB200, 4 to 64 accelerators."""
    book, found = FactBook(load_facts()), sizes(recommender_model("dlrm-dcnv2"))
    errors = []
    with (shared_folder / "truth" / "other_workloads.csv").open(encoding="utf-8", newline="") as opened:
        for row in csv.DictReader(opened):
            if row["family"] != "recommender-training":
                continue
            chip = accelerator_named(re.sub(r"[(?].*", "", row["accelerator"]).strip(), book)
            batch = float(row["scenario_or_setting"].removeprefix("gbs "))
            step = train_step(found, chip, int(row["n_accel"]), batch)
            errors.append(abs(minutes_to_target(step, batch) / float(row["value"]) - 1))
    assert len(errors) == 9
    assert np.median(errors) < 0.2
    assert max(errors) < 0.45
