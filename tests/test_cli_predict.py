"""The commands on files of served models, images and recommenders: what they write, tell, and return."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gigawright import cli

FACTS = """kind,item,attribute,value,unit,source,known_from,confidence
accelerator,warp9,name,Warp Core 9,text,our laboratory,2026-03,A
accelerator,warp9,vendor,Zefram,text,our laboratory,2026-03,A
accelerator,warp9,made_for,abroad,text,our laboratory,2026-03,A
accelerator,warp9,bf16_tflops,1000,TFLOP/s,our laboratory,2026-03,A
accelerator,warp9,fp8_tflops,2000,TFLOP/s,our laboratory,2026-03,A
accelerator,warp9,int8_tops,2000,TOP/s,our laboratory,2026-03,A
accelerator,warp9,memory_gb,96,GB,our laboratory,2026-03,A
accelerator,warp9,memory_gbs,4000,GB/s,our laboratory,2026-03,A
accelerator,warp9,scaleup_gbs,400,GB/s,our laboratory,2026-03,A
accelerator,warp9,scaleup_domain,8,accelerators,our laboratory,2026-03,A
"""


@dataclass(frozen=True)
class Form:
    """A form of file: which command reads it, a row that is predicted, and the columns that it writes."""

    command: str
    row: dict[str, str]
    chip: str
    values: tuple[str, ...]
    blank: str
    assumed: str
    """A cell that may be blank, and what is then assumed."""

    @property
    def key(self) -> str:
        """The column that names a row."""
        return next(iter(self.row))

    def rows(self, *changes: dict[str, str]) -> list[dict[str, str]]:
        """Rows named r0, r1, ... with these changes."""
        return [{**self.row, self.key: f"r{at}", **change} for at, change in enumerate(changes)]


SILICON = Form(
    "serving",
    {
        "id": "",
        "backend": "sglang",
        "backend_version": "0.5.9",
        "model_path": "meta-llama/Llama-3.1-70B",
        "system": "h200_sxm",
        "precision": "fp8",
        "mode": "agg",
        "isl": "1024",
        "osl": "1024",
        "concurrency": "16",
        "gemm_quant_mode": "fp8",
        "moe_quant_mode": "",
        "batch_size": "16",
        "tp_size": "4",
        "pp_size": "1",
        "attention_dp_size": "1",
        "moe_tp_size": "1",
        "moe_ep_size": "1",
        "silicon_ttft_ms": "100",
        "silicon_tpot_ms": "10",
    },
    "system",
    ("ttft_ms", "tpot_ms"),
    "moe_quant_mode",
    "kv_bytes",
)
PUBLISHED = Form(
    "serving",
    {
        "row": "",
        "model": "llama2-70b-99",
        "precision": "fp8",
        "accelerator": "NVIDIA H200-SXM-141GB",
        "gpus": "8",
        "nodes_x_gpus_or_parallelism": "1x8",
        "engine": "TensorRT 10.11",
        "isl": "294",
        "osl": "301",
        "scenario": "Offline",
        "concurrency_or_batch": "offline max",
        "tpot_ms_or_sla": "",
        "submitter": "NVIDIA",
        "dataset_date": "2025-09",
        "output_tok_s_per_gpu": "1",
    },
    "accelerator",
    ("output_tok_s_per_gpu", "ttft_ms"),
    "precision",
    "precision",
)
IMAGE = Form(
    "generation",
    {
        "row": "",
        "family": "diffusion-image",
        "model": "FLUX.1-dev",
        "precision": "bf16",
        "accelerator": "H100",
        "n_accel": "1",
        "scenario_or_setting": "1024px 28 steps",
        "value": "6",
        "unit": "s/image",
        "software": "diffusers",
        "submitter": "us",
        "date": "2025-06",
    },
    "accelerator",
    ("value",),
    "precision",
    "precision",
)
RANKING = Form(
    "recommender",
    {
        "row": "",
        "family": "recommender-inference",
        "model": "dlrm-v2-99",
        "precision": "int8",
        "accelerator": "H100",
        "n_accel": "8",
        "scenario_or_setting": "Offline",
        "value": "6",
        "unit": "Samples/s",
        "submitter": "us",
        "date": "2025-06",
    },
    "accelerator",
    ("value",),
    "precision",
    "precision",
)
FORMS = (SILICON, PUBLISHED, IMAGE, RANKING)
every_form = pytest.mark.parametrize("form", FORMS, ids=["silicon", "published", "generation", "recommender"])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with facts of a chip of one's own."""
    monkeypatch.chdir(tmp_path)
    Path("facts.csv").write_text(FACTS)
    return tmp_path


def write(rows: list[dict[str, str]], name: str = "rows.csv") -> None:
    with Path(name).open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def table(name: str = "out.csv") -> list[dict[str, str]]:
    with Path(name).open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def predict(form: Form, *more: str, rows: str = "rows.csv", out: str = "out.csv") -> int:
    return cli.main(["predict", form.command, rows, "--out", out, *more])


@every_form
def test_a_line_a_row_and_a_word_of_what_became_of_them(
    form: Form, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = next(column for column in ("model_path", "model") if column in form.row)
    write(form.rows({}, {form.chip: "Warp Core 9"}, {name: "no-such-model-9"}))
    assert predict(form) == 0
    good, chip, model = table()
    bands = [f"{value}{band}" for value in form.values for band in ("", "_p10", "_p90")]
    assert list(good) == [form.key, *bands, "limited_by", "refused"]
    for value in form.values:
        assert 0 < float(good[f"{value}_p10"]) < float(good[value]) < float(good[f"{value}_p90"])
    assert "Warp Core 9" in chip["refused"]
    assert "no-such-model-9" in model["refused"]
    told = capsys.readouterr()
    assert "1 of 3 rows predicted: out.csv" in told.out
    assert "2 refused, which is no error; the column `refused` has the reasons:\n  r1: " in told.out
    assert "  r2: " in told.out
    assert "3 rows read; predicting" in told.err


@every_form
def test_a_row_without_a_name_is_told_by_its_line(
    form: Form, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(form.rows({form.key: ""}))
    assert predict(form) == 0
    assert "\n  line 2: " in capsys.readouterr().out


@every_form
def test_what_was_measured_is_never_looked_at(form: Form, folder: Path) -> None:
    measured = [
        name
        for name in ("silicon_ttft_ms", "silicon_tpot_ms", "output_tok_s_per_gpu", "value")
        if name in form.row
    ]
    answers = []
    for cell in ("", "777", "nonsense"):
        write(form.rows(dict.fromkeys(measured, cell)))
        assert predict(form, "--notes") == 0
        answers.append(Path("out.csv").read_bytes())
    assert measured
    assert answers[0] == answers[1] == answers[2]


@every_form
def test_an_accelerator_of_ones_own(form: Form, folder: Path) -> None:
    write(form.rows({form.chip: "Warp Core 9"}))
    assert predict(form, "--catalogue", "facts.csv") == 0
    (own,) = table()
    assert own["refused"] == ""
    assert all(float(own[value]) > 0 for value in form.values)


@every_form
def test_notes_tell_what_was_assumed(form: Form, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(form.rows({form.blank: ""}))
    assert predict(form, "--notes") == 0
    (line,) = table()
    assert form.assumed in line["assumed"].split(";")
    assert f"{form.assumed} 1" in next(
        told for told in capsys.readouterr().out.splitlines() if told.startswith("inputs filled in: ")
    )


@every_form
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.csv", "--out", "out.csv"], "nothing.csv cannot be read"),
        (["rows.csv"], "--out is missing"),
        (["rows.csv", "--out", "rows.csv"], "rows.csv is an input"),
        (["rows.csv", "--out", "facts.csv", "--catalogue", "facts.csv"], "facts.csv is an input"),
        (["rows.csv", "--out", "."], "is a folder"),
        (["rows.csv", "--out", "facts.csv/out.csv"], "facts.csv is a file"),
        (["facts.csv", "--out", "out.csv"], "missing column"),
        (["rows.csv", "--out", "out.csv", "--catalogue", "rows.csv"], "rows.csv: missing kind"),
        (["rows.csv", "--out", "out.csv", "--calibration", "."], "no calibration"),
    ],
)
def test_wrong_files_exit_2_with_a_word_and_write_nothing(
    form: Form, arguments: list[str], words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(form.rows({}))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert cli.main(["predict", form.command, *arguments]) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert told.out == ""
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@every_form
def test_a_missing_column_is_named(form: Form, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "isl" if form.command == "serving" else "unit"
    write([{key: cell for key, cell in row.items() if key != name} for row in form.rows({})])
    assert predict(form) == 2
    assert f"rows.csv: missing column {name}" in capsys.readouterr().err
    assert not Path("out.csv").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs rights that a superuser ignores")
@every_form
def test_a_folder_without_rights_is_told(
    form: Form, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(form.rows({}))
    Path("closed").mkdir(mode=0o500)
    assert predict(form, out="closed/out.csv") == 2
    assert "you may not write in" in capsys.readouterr().err


@pytest.mark.parametrize("form", [IMAGE, RANKING], ids=["generation", "recommender"])
def test_rows_of_other_families_are_left_out(form: Form, folder: Path) -> None:
    other = replace(form, row={**form.row, "family": "serving-llm"})
    write([*form.rows({}), *other.rows({"row": "other"})])
    assert predict(form) == 0
    assert [line["row"] for line in table()] == ["r0"]


@pytest.mark.parametrize("form", [IMAGE, RANKING], ids=["generation", "recommender"])
@pytest.mark.parametrize("unit", ["minutes to quality target (p50)", "x throughput", "% MFU"])
def test_units_that_are_no_pace_are_refused(form: Form, unit: str, folder: Path) -> None:
    write(form.rows({"unit": unit}))
    assert predict(form) == 0
    assert "out of scope" in table()[0]["refused"]


@pytest.mark.parametrize("command", ["serving", "generation", "recommender"])
@pytest.mark.parametrize("verb", ["predict", "calibrate"])
def test_help_tells_what_each_option_is(verb: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([verb, command, "--help"]) == 0
    told = capsys.readouterr().out
    assert f"gigawright {verb} {command}" in told
    options = ("--catalogue", "--out", *(("--notes", "--calibration") if verb == "predict" else ("--folds",)))
    assert all(option in told for option in options)
    assert "--empty-catalogue" not in told
