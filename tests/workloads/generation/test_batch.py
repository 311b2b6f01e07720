from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from gigawright.errors import OutputError
from gigawright.workloads.batches import NOTES
from gigawright.workloads.generation.batch import OUTPUTS, predict_file
from gigawright.workloads.generation.predictor import LIMITS

from .conftest import HEADER

Write = Callable[..., Path]


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_a_line_for_each_row_in_order(rows: Write, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    video = {
        "family": "diffusion-video",
        "model": "HunyuanVideo 13B",
        "scenario_or_setting": "1280x720 129f 50 steps",
        "n_accel": "8",
        "unit": "s/video",
    }
    batch = predict_file(rows({}, {"model": "Seedream 9"}, video), out)
    found = lines(out)
    assert tuple(found[0]) == OUTPUTS
    assert [line["row"] for line in found] == ["1", "2", "3"]
    assert found[1]["refused"].startswith("no model")
    assert len(batch.refused) == 1
    for line in (found[0], found[2]):
        assert 0 < float(line["value_p10"]) < float(line["value"]) < float(line["value_p90"])
        assert line["limited_by"] in LIMITS.values()
        assert not line["refused"]


def test_notes_tell_what_was_assumed(rows: Write, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    batch = predict_file(rows({"scenario_or_setting": "eager", "precision": ""}), out, notes=True)
    assert lines(out)[0][NOTES] == "precision;size;steps"
    assert batch.assumed == {"precision": 1, "size": 1, "steps": 1}


def test_measured_columns_are_never_read(rows: Write, tmp_path: Path) -> None:
    texts = []
    header = f"{HEADER},value_total_or_note,latency_ms,qps,mfu_pct"
    for value in ("", "6.71", "nonsense", "-1e400"):
        line = dict.fromkeys(("value", "value_total_or_note", "latency_ms", "qps", "mfu_pct"), value)
        out = tmp_path / "out.csv"
        predict_file(rows(line, header=header), out)
        texts.append(out.read_text("utf-8"))
    bare = header.replace(",value,", ",").replace(",value_total_or_note,latency_ms,qps,mfu_pct", "")
    predict_file(rows({}, header=bare), out)
    assert {*texts, out.read_text("utf-8")} == {texts[0]}


def test_values_are_in_the_unit_of_the_row(rows: Write, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    predict_file(rows(*({"unit": unit} for unit in ("s/image", "ms/step", "images/h"))), out)
    image, step, pace = (float(line["value"]) for line in lines(out))
    assert step == pytest.approx(1000 * image / 28, rel=1e-4)
    assert pace == pytest.approx(3600 / image, rel=1e-4)


def test_a_guess_of_another_chip_is_wider(rows: Write, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    predict_file(rows({}, {"accelerator": "MI300X", "software": "other", "model": "SD3"}), out)
    known, guessed = (
        (float(line["value_p90"]) - float(line["value_p10"])) / float(line["value"]) for line in lines(out)
    )
    assert guessed > 1.5 * known


def test_the_input_is_not_overwritten(rows: Write) -> None:
    path = rows({})
    with pytest.raises(OutputError, match="is an input"):
        predict_file(path, path)


def test_a_calibration_of_ones_own_is_asked_for_its_files(rows: Write, tmp_path: Path) -> None:
    from gigawright.errors import UserError

    with pytest.raises(UserError, match="no calibration"):
        predict_file(rows({}), tmp_path / "out.csv", calibrated=tmp_path)
