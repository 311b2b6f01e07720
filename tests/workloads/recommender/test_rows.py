from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gigawright.catalogue.load import load_facts
from gigawright.errors import UserError
from gigawright.facts import FactBook
from gigawright.workloads.recommender.batch import answered
from gigawright.workloads.recommender.predictor import calibration
from gigawright.workloads.recommender.rows import Row, read_rows
from gigawright.workloads.recommender.units import Unit, unit_named

HEADER = (
    "row,family,model,precision,accelerator,n_accel,scenario_or_setting,value,unit,value_total_or_note,"
    "software,submitter,date,source"
)
GOOD = {
    "row": "1",
    "family": "recommender-inference",
    "model": "dlrm-v2-99.9",
    "precision": "int8",
    "accelerator": "NVIDIA H200-SXM-141GB",
    "n_accel": "8",
    "scenario_or_setting": "Server",
    "value": "46258",
    "unit": "Queries/s/accelerator",
    "value_total_or_note": "370064",
    "software": "TensorRT 10.11",
    "submitter": "ASUSTeK",
    "date": "MLPerf Inference v5.1 2025-09",
    "source": "summary",
}


@pytest.fixture(scope="module")
def book() -> FactBook:
    return FactBook(load_facts())


def written(folder: Path, *rows: dict[str, str]) -> Path:
    path = folder / "rows.csv"
    names = HEADER.split(",")
    lines = [",".join(f'"{(GOOD | row)[name]}"' for name in names) for row in rows]
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


def one(folder: Path, book: FactBook, **changes: str) -> Row:
    return read_rows(written(folder, changes), book)[0]


def test_a_server_row_is_read_by_the_rules(tmp_path: Path, book: FactBook) -> None:
    row = one(tmp_path, book)
    ask = row.ask
    assert ask is not None
    assert row.refused == ""
    assert (ask.chip.id, ask.accelerators, ask.precision) == ("nv_h200_sxm", 8, "int8")
    assert (ask.candidates, ask.requests * ask.candidates, ask.live) == (270, 51_200, True)
    assert ask.limit_s == 0.060
    assert ask.kept_16 == {"cross"}
    assert ask.site == "asustek"
    assert 2.5 < ask.age_years < 3.2  # Hopper shipped in autumn 2022
    assert ask.assumed == ()
    assert row.unit == Unit("requests", 1.0, each=True)


def test_an_offline_row_has_large_batches_and_no_limit(tmp_path: Path, book: FactBook) -> None:
    ask = one(tmp_path, book, scenario_or_setting="Offline", model="dlrm-v2-99").ask
    assert ask is not None
    assert (ask.live, ask.limit_s, ask.kept_16) == (False, 0.0, frozenset())
    assert ask.requests * ask.candidates == pytest.approx(600_000)


def test_settings_that_tell_sizes_hold(tmp_path: Path, book: FactBook) -> None:
    told = {"model": "RankMixer-1B", "precision": "fp16", "scenario_or_setting": "batch 2048, 512 candidates"}
    ask = one(tmp_path, book, **told).ask
    assert ask is not None
    assert (ask.candidates, ask.requests) == (512, 4)
    silent = one(tmp_path, book, model="RankMixer-1B", precision="", scenario_or_setting="", n_accel="").ask
    assert silent is not None
    assert set(silent.assumed) == {"tables", "precision", "n_accel", "scenario", "candidates", "batch"}


@pytest.mark.parametrize(
    "unit",
    [
        "minutes to quality target (run 0 only)",
        "x",
        "x throughput",
        "% MFU",
        "%",
        "Minutes to quality target",
    ],
)
def test_units_without_throughput_are_out_of_scope(tmp_path: Path, book: FactBook, unit: str) -> None:
    row = one(tmp_path, book, unit=unit)
    assert row.ask is None
    assert "out of scope" in row.refused
    assert unit in row.refused


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"model": "dlrm-v9"}, "dlrm-v9"),
        ({"model": ""}, "model is blank"),
        ({"accelerator": "NVIDIA H900"}, "H900"),
        ({"accelerator": ""}, "accelerator is blank"),
        ({"n_accel": "many"}, "n_accel is 'many'"),
        ({"n_accel": "-8"}, "n_accel is '-8'"),
        ({"n_accel": "nan"}, "n_accel is 'nan'"),
        ({"precision": "int3"}, "precision is 'int3'"),
        ({"unit": "furlongs"}, "unit is 'furlongs'"),
        ({"row": ""}, "row is blank"),
    ],
)
def test_what_is_wrong_is_told_by_name_and_others_go_on(
    tmp_path: Path, book: FactBook, changes: dict[str, str], told: str
) -> None:
    rows = read_rows(written(tmp_path, {"row": "7"}, changes, {"row": "9"}), book)
    assert [row.refused == "" for row in rows] == [True, False, True]
    assert told in rows[1].refused


def test_a_row_with_missing_cells_is_told(tmp_path: Path, book: FactBook) -> None:
    path = written(tmp_path, {})
    path.write_text(path.read_text() + "2,recommender-inference,dlrm-v2-99\n")
    assert "3 cells, must have 14" in read_rows(path, book)[1].refused


def test_a_name_twice_is_told(tmp_path: Path, book: FactBook) -> None:
    rows = read_rows(written(tmp_path, {}, {}), book)
    assert "on line 2 already" in rows[1].refused


def test_rows_of_other_families_are_left_out(tmp_path: Path, book: FactBook) -> None:
    rows = [{"row": "1", "family": family} for family in ("speech", "recommender-training", "")]
    found = read_rows(written(tmp_path, *rows, {"row": "5", "family": "recommender-ranking"}), book)
    assert [row.key for row in found] == ["5"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("row,family\n1,recommender-inference\n", "missing columns model, accelerator"),
        ('row,"family\n', "not readable as CSV"),
    ],
)
def test_files_that_are_no_tables_are_refused(tmp_path: Path, book: FactBook, text: str, told: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=told):
        read_rows(path, book)


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path, book: FactBook) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="not UTF-8"):
        read_rows(path, book)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("Samples/s/accelerator", Unit("requests", 1.0, each=True)),
        ("Queries/s", Unit("requests", 1.0, each=False)),
        ("QPS/GPU", Unit("requests", 1.0, each=True)),
        ("kQPS", Unit("requests", 1e-3, each=False)),
        ("M candidates/s/GPU", Unit("pairs", 1e-6, each=True)),
        ("requests per second", Unit("requests", 1.0, each=False)),
        ("ms", Unit("seconds", 1e3, each=True)),
        ("s (p99)", Unit("seconds", 1.0, each=True)),
    ],
)
def test_units_by_their_words(text: str, unit: Unit) -> None:
    assert unit_named(text) == unit


@pytest.mark.parametrize("text", ["", "samples", "tokens/s", "Samples/h", "Samples/s/rack", "W"])
def test_other_units_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be such as"):
        unit_named(text)


def test_the_measured_table_is_read_in_full(shared_folder: Path, book: FactBook) -> None:
    rows = read_rows(shared_folder / "truth" / "other_workloads.csv", book)
    assert len(rows) == 20
    assert [row.key for row in rows if row.refused] == ["176", "177", "178"]


WORDS = ("dlrm-v2-99", "hstu", "RankMixer-1B", "B200", "L4", "TPU v5e-16", "nan", "-1", "1e400", "0")
SETTINGS = ("Server", "Offline", "batch 99999999999999999999", "0 candidates", "ms", "QPS", "fp32")
CELL = st.one_of(st.text(max_size=12), st.sampled_from(WORDS), st.sampled_from(SETTINGS))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from([name for name in GOOD if name != "family"]), CELL, max_size=4))
def test_any_cell_is_answered_or_refused(tmp_path: Path, book: FactBook, changes: dict[str, str]) -> None:
    path = tmp_path / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(GOOD))
        writer.writeheader()
        writer.writerow(GOOD | {name: text.replace("\0", "") for name, text in changes.items()})
    for answer in answered(read_rows(path, book), calibration()):
        assert answer.refused or min(answer.values) > 0
