from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from gigawright.errors import OutputError
from gigawright.workloads.recommender.batch import OUTPUTS, predict_file

from .test_rows import written

UNREAD = ("value", "value_total_or_note", "software", "source")


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_answers_are_in_order_and_in_their_own_units(tmp_path: Path) -> None:
    per_chip = {"row": "a"}
    total = {"row": "b", "unit": "Queries/s"}
    slow = {"row": "c", "unit": "ms", "scenario_or_setting": "Offline"}
    bad = {"row": "d", "model": "nothing such"}
    out = tmp_path / "out.csv"
    batch = predict_file(written(tmp_path, per_chip, total, slow, bad), out)
    found = lines(out)
    assert tuple(found[0]) == OUTPUTS
    assert [line["row"] for line in found] == ["a", "b", "c", "d"]
    assert float(found[1]["value"]) == pytest.approx(8 * float(found[0]["value"]), rel=1e-5)
    for line in found[:3]:
        assert float(line["value_p10"]) < float(line["value"]) < float(line["value_p90"])
        assert line["limited_by"]
        assert line["refused"] == ""
    assert 5 < float(found[2]["value"]) < 500
    assert "nothing such" in found[3]["refused"]
    assert found[3]["value"] == ""
    assert len(batch.refused) == 1


def test_notes_tell_what_was_filled_in(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    batch = predict_file(written(tmp_path, {"precision": ""}), out, notes=True)
    assert lines(out)[0]["assumed"] == "precision"
    assert batch.assumed == {"precision": 1}


def test_measured_columns_are_never_read(tmp_path: Path, shared_folder: Path) -> None:
    source = lines(shared_folder / "truth" / "other_workloads.csv")
    dice = random.Random(5)
    outs = []
    for turn in range(3):
        path, out = tmp_path / f"in{turn}.csv", tmp_path / f"out{turn}.csv"
        rows = [row | {name: f"{dice.uniform(1, 1e6):.1f}" for name in UNREAD if turn} for row in source]
        names = list(rows[0])
        if turn == 2:
            names = [name for name in names if name not in UNREAD]
        with path.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.DictWriter(opened, names, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
        predict_file(path, out)
        outs.append(out.read_text())
    assert outs[0] == outs[1] == outs[2]


def test_the_input_is_not_overwritten(tmp_path: Path) -> None:
    path = written(tmp_path, {})
    with pytest.raises(OutputError, match="is an input"):
        predict_file(path, path)


def test_other_chips_and_precisions_are_answered(tmp_path: Path) -> None:
    chips = (
        "NVIDIA B200-SXM-180GB",
        "NVIDIA L40S",
        "TPU v6e-8",
        "AMD MI325X",
        "NVIDIA H100-SXM-80GB",
        "A100",
    )
    rows = [{"row": str(at), "accelerator": chip, "n_accel": ""} for at, chip in enumerate(chips)]
    out = tmp_path / "out.csv"
    predict_file(written(tmp_path, *rows), out)
    values = {chip: float(line["value"]) for chip, line in zip(chips, lines(out), strict=True)}
    assert values["NVIDIA B200-SXM-180GB"] > values["NVIDIA H100-SXM-80GB"] > values["A100"]
    assert values["A100"] > values["NVIDIA L40S"] > 0
