"""Files of serving rows: what is written for each row, and what stops the whole."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.workloads.serving.drawing import LATENCY, PUBLISHED, SILICON, written

from gigawright.errors import OutputError, UserError
from gigawright.workloads.batches import DIGITS, NOT_FINITE, NOTES
from gigawright.workloads.serving import batch
from gigawright.workloads.serving.batch import outputs, predict_file
from gigawright.workloads.serving.predictor import Predicted
from gigawright.workloads.serving.service import Service

UNKNOWN = {**SILICON, "id": "unknown", "system": "warp_core"}
LARGE = {**SILICON, "id": "large", "concurrency": "4096"}
ENDLESS = {**SILICON, "id": "endless", "concurrency": "8192"}

Lines = list[dict[str, str]]
Read = Callable[..., Lines]


def foretold(services: Sequence[Service], known: object = None) -> list[Predicted]:
    """Numbers that tell their field, so that a column that holds another's is seen."""
    return [_foretold(service) for service in services]


def _foretold(service: Service) -> Predicted:
    endless = service.concurrency == 8192
    return Predicted(
        service=service,
        ttft_s=math.inf if endless else 0.2,
        ttft_s_p10=0.1,
        ttft_s_p90=0.3,
        tpot_s=0.02,
        tpot_s_p10=0.01,
        tpot_s_p90=0.0312345678,
        tokens_per_s=2000.0,
        tokens_per_s_p10=1000.0,
        tokens_per_s_p90=3000.0,
        limited_by="memory bandwidth",
        refused="not feasible: no room" if service.concurrency == 4096 else "",
    )


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """What is written for some rows."""
    monkeypatch.setattr(batch, "predict_services", foretold)

    def of(*rows: dict[str, str], notes: bool = False) -> Lines:
        out = tmp_path / "out.csv"
        predict_file(written(tmp_path / "rows.csv", rows), out, notes=notes)
        with out.open(encoding="utf-8", newline="") as opened:
            return list(csv.DictReader(opened))

    return of


def test_a_line_for_each_row_in_its_order(lines: Read) -> None:
    found = lines(UNKNOWN, SILICON, LARGE, ENDLESS)
    assert [line["id"] for line in found] == ["unknown", "r1", "large", "endless"]
    assert tuple(found[0]) == outputs("silicon")
    assert found[1] == {
        "id": "r1",
        "ttft_ms": "200",
        "ttft_ms_p10": "100",
        "ttft_ms_p90": "300",
        "tpot_ms": "20",
        "tpot_ms_p10": "10",
        "tpot_ms_p90": f"{31.2345678:.{DIGITS}g}",
        "limited_by": "memory bandwidth",
        "refused": "",
    }


def test_a_refused_row_has_its_reason_and_nothing_else(lines: Read) -> None:
    unknown, large, endless = lines(UNKNOWN, LARGE, ENDLESS)
    assert "'warp_core' is not in the catalogue" in unknown["refused"]
    assert large["refused"] == "not feasible: no room"
    assert endless["refused"] == NOT_FINITE
    for line in (unknown, large, endless):
        assert not any(cell for column, cell in line.items() if column not in ("id", "refused"))


def test_published_and_latency_columns(lines: Read) -> None:
    [line] = lines(PUBLISHED)
    assert tuple(line) == (
        *("row", "output_tok_s_per_gpu", "output_tok_s_per_gpu_p10", "output_tok_s_per_gpu_p90"),
        *("ttft_ms", "ttft_ms_p10", "ttft_ms_p90", "limited_by", "refused"),
    )
    assert (line["row"], line["output_tok_s_per_gpu_p90"], line["ttft_ms_p10"]) == ("9", "3000", "100")
    [line] = lines(LATENCY)
    assert (line["exp_id"], line["tpot_ms"]) == ("3.0", "20")


def test_notes_name_what_was_assumed(lines: Read, tmp_path: Path) -> None:
    [line, refused] = lines(SILICON, LARGE, notes=True)
    assert line[NOTES] == "kv_bytes"
    assert refused[NOTES] == ""
    found = predict_file(written(tmp_path / "rows.csv", [SILICON, LARGE, UNKNOWN]), tmp_path / "out.csv")
    assert found.assumed == {"kv_bytes": 1}
    assert len(found.refused) == 2


def test_a_file_without_rows_has_a_head(lines: Read, tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_text(",".join(PUBLISHED) + "\n", encoding="utf-8")
    found = predict_file(path, tmp_path / "out.csv")
    assert found.columns == outputs("published")
    assert (tmp_path / "out.csv").read_text("utf-8") == ",".join(outputs("published")) + "\n"


def test_what_stops_the_whole(tmp_path: Path) -> None:
    rows = written(tmp_path / "rows.csv", [SILICON])
    with pytest.raises(OutputError, match="is an input"):
        predict_file(rows, rows)
    with pytest.raises(OutputError, match="is a folder"):
        predict_file(rows, tmp_path)
    with pytest.raises(UserError, match="cannot be read"):
        predict_file(tmp_path / "none.csv", tmp_path / "out.csv")
    with pytest.raises(UserError, match="no calibration"):
        predict_file(rows, tmp_path / "out.csv", calibrated=tmp_path)
    assert not (tmp_path / "out.csv").exists()


def test_it_is_told_how_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "predict_services", foretold)
    told: list[str] = []
    predict_file(written(tmp_path / "rows.csv", [SILICON]), tmp_path / "out.csv", told=told.append)
    assert told == ["1 rows read; predicting"]
