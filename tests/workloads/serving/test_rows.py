"""Files of serving rows: how their form is told, what a wrong row is told, and what is never read."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.workloads.serving.drawing import APART, LATENCY, PHASES, PUBLISHED, SILICON, written

from gigawright.catalogue.load import load_facts
from gigawright.errors import UserError
from gigawright.facts import FactBook
from gigawright.workloads.serving.rows import FORMS, Row, read_rows
from gigawright.workloads.serving.rows_text import limits_of

MEASURED = {
    "serving_silicon.csv": ("silicon_ttft_ms", "silicon_tpot_ms"),
    "serving_published.csv": ("output_tok_s_per_gpu", "total_tok_s", "ttft_ms"),
    "serving_vllm_latency.csv": (
        *("e2e_mean", "e2e_p90", "e2e_p99", "itl_mean", "ttft_mean", "ttft_p90", "ttft_p99"),
    ),
}


@pytest.fixture(scope="module")
def book() -> FactBook:
    return FactBook(load_facts())


def read(tmp_path: Path, book: FactBook, *rows: dict[str, str]) -> list[Row]:
    return read_rows(written(tmp_path / "rows.csv", rows), book)


def test_the_form_is_told_by_columns(tmp_path: Path, book: FactBook) -> None:
    for form, row in (("silicon", SILICON), ("published", PUBLISHED), ("latency", LATENCY)):
        [only] = read(tmp_path, book, row)
        assert (only.form, only.key, only.line, only.refused) == (form, row[FORMS[form].key], 2, "")
        assert only.service is not None


def test_missing_columns_are_named(tmp_path: Path, book: FactBook) -> None:
    lacking = {name: cell for name, cell in SILICON.items() if name not in ("isl", "system")}
    with pytest.raises(UserError, match=r"missing columns system, isl; give a CSV file whose first line"):
        read(tmp_path, book, lacking)
    keyless = {name: cell for name, cell in PUBLISHED.items() if name != "row"}
    with pytest.raises(UserError, match=r"missing column row;"):
        read(tmp_path, book, keyless)
    with pytest.raises(UserError, match="missing columns"):
        read(tmp_path, book, {"a": "1", "b": "2"})


@pytest.mark.parametrize("text", ["", "\n\n", "﻿"])
def test_an_empty_file_is_told(tmp_path: Path, book: FactBook, text: str) -> None:
    (tmp_path / "rows.csv").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="is empty; give a CSV file"):
        read_rows(tmp_path / "rows.csv", book)


def test_a_file_that_is_no_text_or_no_table_is_told(tmp_path: Path, book: FactBook) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"id,\xff\xfe")
    with pytest.raises(UserError, match=r"not UTF-8 \(byte 3\)"):
        read_rows(path, book)
    path.write_text('id,model_path\n"open', encoding="utf-8")
    with pytest.raises(UserError, match="check its quotes"):
        read_rows(path, book)
    with pytest.raises(UserError, match="cannot be read"):
        read_rows(tmp_path / "none.csv", book)
    path.write_text("id,id,model_path,system,isl,osl,concurrency\n", encoding="utf-8")
    with pytest.raises(UserError, match="id named more than once"):
        read_rows(path, book)


def test_marks_line_ends_quotes_and_blank_lines_change_nothing(tmp_path: Path, book: FactBook) -> None:
    [plain] = read(tmp_path, book, SILICON)
    head = ",".join(SILICON)
    cells = ",".join(f'" {cell} "' for cell in SILICON.values())
    path = tmp_path / "windows.csv"
    path.write_bytes(("﻿" + head + "\r\n\r\n" + cells + "\r\n,,,\r\n").encode())
    [row] = read_rows(path, book)
    assert row.service == plain.service
    assert row.line == 3


def test_optional_and_extra_columns(tmp_path: Path, book: FactBook) -> None:
    needed = {name: SILICON[name] for name in ("id", *FORMS["silicon"].needed)}
    [row] = read(tmp_path, book, {**needed, "remark": "mine", "tp_size": "8"})
    assert row.service is not None
    assert (row.service.engine, row.service.site, row.service.release) == ("", "", "")
    assert row.service.precision == "fp8"  # as DeepSeek-R1 is published
    [row] = read(tmp_path, book, needed)
    assert row.service is not None
    assert row.service.layout is None
    assert {"layout", "precision", "kv_bytes"} <= set(row.service.assumed)


def test_unknown_names_are_told_and_the_others_go_on(tmp_path: Path, book: FactBook) -> None:
    rows = read(
        tmp_path,
        book,
        {**SILICON, "id": "a", "model_path": "deepseek-ai/DeepSeek-R9"},
        {**SILICON, "id": "b", "system": "warp_core"},
        {**SILICON, "id": "c", "gemm_quant_mode": "fp7"},
        {**SILICON, "id": "d", "mode": "both"},
        {**SILICON, "id": "e", "system": "", "model_path": ""},
        {**SILICON, "id": "f"},
    )
    assert "model_path: no model 'deepseek-ai/DeepSeek-R9' in the catalogue; did you mean" in rows[0].refused
    assert "system 'warp_core' is not in the catalogue" in rows[1].refused
    assert "gemm_quant_mode is 'fp7', must be one of awq, bf16" in rows[2].refused
    assert rows[3].refused == "mode is 'both', must be agg or disagg"
    assert rows[4].refused == "model_path is blank; system is blank"
    assert rows[5].service is not None


@pytest.mark.parametrize(
    ("column", "cell", "told"),
    [
        ("isl", "0", "isl is '0', must be a number from 1 to 1e+07"),
        ("isl", "", "isl is blank, must be tokens of a request"),
        ("isl", "nan", "isl is blank, must be tokens of a request"),
        ("osl", "-4", "osl is '-4', must be a number from 1 to 1e+07"),
        ("osl", "inf", "osl is 'inf', must be a number from 1 to 1e+07"),
        ("concurrency", "1e12", "concurrency is '1e12', must be a number from 1 to 1e+07"),
        ("concurrency", "many", "concurrency is 'many', must be a number from 1 to 1e+07"),
        ("tp_size", "2.5", "tp_size is '2.5', must be a whole number from 1 to 4096"),
        ("tp_size", "٨", "tp_size is '٨', must be a whole number from 1 to 4096"),
        ("attention_dp_size", "0", "attention_dp_size is '0', must be a whole number from 1 to 4096"),
        ("moe_ep_size", "3", "moe_tp_size x moe_ep_size is 24, must be tp_size x attention_dp_size 8"),
    ],
)
def test_absurd_numbers_are_told(tmp_path: Path, book: FactBook, column: str, cell: str, told: str) -> None:
    [row] = read(tmp_path, book, {**SILICON, column: cell})
    assert row.service is None
    assert told in row.refused


def test_a_key_is_unique_and_told(tmp_path: Path, book: FactBook) -> None:
    rows = read(tmp_path, book, SILICON, SILICON, {**SILICON, "id": ""})
    assert rows[0].service is not None
    assert rows[1].refused == "id 'r1' is on line 2 already, must be unique"
    assert rows[2].refused == "id is blank"


def test_a_row_of_other_length_is_told(tmp_path: Path, book: FactBook) -> None:
    path = written(tmp_path / "rows.csv", [SILICON])
    path.write_text(path.read_text("utf-8") + "r2,x\n", encoding="utf-8")
    assert "the row has 2 cells, must have 19" in read_rows(path, book)[1].refused


CELLS = st.one_of(
    st.sampled_from(["", "nan", "0", "1", "-1", "8", "64", "1e308", "1e-308", "inf", "x", "8.5", "16384"]),
    st.text(max_size=8),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(column=st.sampled_from([*SILICON, *PHASES]), cell=CELLS, apart=st.booleans())
def test_no_cell_of_silicon_breaks_the_reader(
    tmp_path: Path, book: FactBook, column: str, cell: str, apart: bool
) -> None:
    row = {**SILICON, **PHASES, **(APART if apart else {}), column: cell.replace("\x00", "")}
    rows = _fuzzed(tmp_path, book, row)
    assert all((one.service is None) == bool(one.refused) for one in rows)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(column=st.sampled_from(list(PUBLISHED)), cell=CELLS)
def test_no_cell_of_published_breaks_the_reader(
    tmp_path: Path, book: FactBook, column: str, cell: str
) -> None:
    rows = _fuzzed(tmp_path, book, {**PUBLISHED, column: cell.replace("\x00", "")})
    assert all((one.service is None) == bool(one.refused) for one in rows)


def _fuzzed(tmp_path: Path, book: FactBook, row: dict[str, str]) -> list[Row]:
    try:
        return read(tmp_path, book, row)
    except UserError:
        return []


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


def _scrambled(name: str, table: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """The rows with what was measured drawn anew; limits, which are inputs, stay."""
    chance = random.Random(4)
    rows = []
    for row in table:
        changed = dict(row)
        for column in MEASURED[name]:
            changed[column] = chance.choice(["", "nan", "-1", f"{chance.uniform(0.1, 1e5):.3f}", "fast"])
        sla = row.get("tpot_ms_or_sla", "")
        if sla and limits_of(sla) == (0.0, 0.0):
            changed["tpot_ms_or_sla"] = chance.choice(["", "38", f"{chance.uniform(1, 900):.2f}"])
        rows.append(changed)
    return rows


@pytest.mark.parametrize("name", MEASURED)
def test_measured_columns_are_never_read(
    tmp_path: Path, book: FactBook, shared_folder: Path, name: str
) -> None:
    """Blank, scrambled or gone: the rows are the same."""
    table = _table(shared_folder / "truth" / name)
    told = read_rows(written(tmp_path / "rows.csv", table), book)
    assert told == read_rows(written(tmp_path / "rows.csv", _scrambled(name, table)), book)
    without = [{key: cell for key, cell in row.items() if key not in MEASURED[name]} for row in table]
    assert told == read_rows(written(tmp_path / "rows.csv", without), book)
    assert not {column for form in FORMS.values() for column in form.columns} & set(MEASURED[name])


def test_the_source_tells_who_and_when_alone(tmp_path: Path, book: FactBook, shared_folder: Path) -> None:
    """Of an id and of a source nothing else is read: renamed and stripped, the services are the same."""
    table = _table(shared_folder / "truth" / "serving_silicon.csv")
    told = [row.service for row in read_rows(written(tmp_path / "rows.csv", table), book)]
    for place, row in enumerate(table):
        row["id"] = f"row {place}"
        kept = [part for part in row["silicon_data_source"].split("; ") if _kept(part)]
        row["silicon_data_source"] = "; ".join(kept)
    assert [row.service for row in read_rows(written(tmp_path / "rows.csv", table), book)] == told


def _kept(part: str) -> bool:
    return part.startswith(("source_file=", "db-dump/", "measured="))


def test_truth_files_are_answered(book: FactBook, shared_folder: Path) -> None:
    silicon = read_rows(shared_folder / "truth" / "serving_silicon.csv", book)
    assert sum(row.service is not None for row in silicon) >= 0.99 * len(silicon)
    published = read_rows(shared_folder / "truth" / "serving_published.csv", book)
    refused = [row for row in published if row.service is None]
    assert all("accelerator is" in row.refused or "isl is" in row.refused for row in refused)
    assert len(refused) <= 26
