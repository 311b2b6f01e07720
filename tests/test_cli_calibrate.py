"""The commands that refit to measurements: what stops them before they fit, and what they write."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gigawright import cli
from gigawright.workloads.training import recalibrate

HEAD = (
    "id,backend,backend_version,model_path,system,precision,mode,isl,osl,concurrency,gemm_quant_mode,"
    "moe_quant_mode,batch_size,tp_size,pp_size,attention_dp_size,moe_tp_size,moe_ep_size,silicon_ttft_ms,"
    "silicon_tpot_ms"
)
MODELS = ("meta-llama/Llama-3.1-70B", "meta-llama/Llama-3.1-8B")
CHIPS = ("h200_sxm", "b200_sxm")


def served(at: int, tpot: str = "") -> str:
    """A row of an engine's configuration; models, accelerators and loads take turns."""
    load = 4 << (at // 4 % 4)
    model, chip = MODELS[at % 2], CHIPS[at // 2 % 2]
    return (
        f"r{at},vllm,0.9,{model},{chip},fp8,agg,1024,512,{load},fp8,,{load},4,1,1,1,1,"
        f"{50 + load},{tpot or 5 + load / 8}"
    )


GOOD = [served(at) for at in range(24)]
FOLDS = "fold,pattern\n70B,70b\n8B,8b\n".replace("70b", "(?i)70b").replace("8B,8b", "8B,(?i)8b")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with measured rows and folds."""
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_text("\n".join([HEAD, *GOOD]) + "\n")
    Path("folds.csv").write_text(FOLDS)
    return tmp_path


def without(*columns: str) -> str:
    rows = [HEAD.split(","), *(row.split(",") for row in GOOD)]
    places = [at for at, name in enumerate(rows[0]) if name not in columns]
    return "\n".join(",".join(row[at] for at in places) for row in rows) + "\n"


def test_serving_is_refitted_judged_and_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = [*(served(at) for at in range(24, 30)), "," * HEAD.count(","), "short,vllm"]
    Path("more.csv").write_text("\n".join([HEAD, *more]) + "\n")
    arguments = ["calibrate", "serving", "rows.csv", "more.csv", "--folds", "folds.csv", "--out", "new"]
    assert cli.main(arguments) == 0
    told = capsys.readouterr()
    for left_out in ("nothing fitted", "a group", "a model", "an accelerator"):
        assert f"| {left_out} | tpot | 30 |" in told.out
    assert "fitted to 60 measurements" in told.out
    assert told.out.rstrip().endswith("written to new")
    assert "60 measurements; fitting" in told.err
    with Path("new/serving_rows.csv").open(encoding="utf-8", newline="") as opened:
        assert len(list(csv.DictReader(opened))) == 60
    assert cli.main(["predict", "serving", "rows.csv", "--out", "out.csv", "--calibration", "new"]) == 0
    assert "24 of 24 rows predicted" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"rows.csv": None}, "rows.csv cannot be read"),
        ({"folds.csv": None}, "folds.csv: no table of folds"),
        ({"folds.csv": "name\nLlama\n"}, "no table of folds with columns fold, pattern"),
        ({"folds.csv": "fold,pattern\nLlama,(\n"}, "no table of folds"),
        ({"folds.csv": "fold,pattern\nMixtral,Mixtral\n"}, "belongs to no fold; add a pattern"),
        ({"folds.csv": "fold,pattern\n70B\n"}, "no table of folds"),
        ({"folds.csv": "fold,pattern\nall,.\n"}, "have one model; judging needs two"),
        ({"rows.csv": without("isl")}, "rows.csv: missing column isl"),
        (
            {"rows.csv": without("silicon_ttft_ms", "silicon_tpot_ms")},
            "missing column silicon_ttft_ms or silicon_tpot_ms of measured rows",
        ),
        ({"rows.csv": "\n".join([HEAD, *GOOD[:6]])}, "6 rows are measured and readable, at least 20"),
        (
            {"rows.csv": "\n".join([HEAD, *GOOD]).replace(CHIPS[1], CHIPS[0])},
            "have one accelerator; judging needs two",
        ),
    ],
)
def test_what_is_missing_is_told_before_it_fits(
    files: dict[str, str | None], words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in files.items():
        Path(name).unlink()
        if text is not None:
            Path(name).write_text(text)
    assert cli.main(["calibrate", "serving", "rows.csv", "--folds", "folds.csv", "--out", "new"]) == 2
    assert words in capsys.readouterr().err
    assert not Path("new").exists()


@pytest.mark.parametrize("command", ["serving", "generation", "recommender"])
def test_folds_that_are_no_text_are_told(
    command: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("rows.csv").write_text(f"{OTHER}\n" if command != "serving" else f"{HEAD}\n")
    Path("folds.csv").write_bytes(b"\xff\xfe")
    assert cli.main(["calibrate", command, "rows.csv", "--folds", "folds.csv", "--out", "new"]) == 2
    assert "folds.csv: no table of folds" in capsys.readouterr().err


def test_latency_rows_are_not_fitted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head = "exp_id,model,workload,hardware,precision,tp,dp,max_num_batched_tokens,isl,osl,concurrency"
    Path("rows.csv").write_text(f"{head}\n1,Llama-3.1-8B,general,H100,FP16,1,,2048,500,250,8\n")
    assert cli.main(["calibrate", "serving", "rows.csv", "--folds", "folds.csv", "--out", "new"]) == 2
    assert "rows of the form latency are not fitted; give files with any of" in capsys.readouterr().err


OTHER = "row,family,model,precision,accelerator,n_accel,scenario_or_setting,value,unit,submitter,date"


@pytest.mark.parametrize("command", ["generation", "recommender"])
@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"rows.csv": None}, "rows.csv cannot be read"),
        ({"folds.csv": None}, "folds.csv: no table of folds"),
        ({"folds.csv": "fold,pattern\n"}, "are measured and readable"),
        ({"folds.csv": "fold,pattern\na,b\n"}, "no table of folds"),
        ({"rows.csv": OTHER + "\n"}, "0 rows are measured and readable (0 refused), at least"),
        ({"rows.csv": OTHER.replace(",value", "") + "\n"}, "missing value of measured rows"),
        ({"rows.csv": OTHER.replace(",unit", "") + "\n"}, "missing column unit"),
    ],
)
def test_other_workloads_tell_what_is_missing(
    command: str,
    files: dict[str, str | None],
    words: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("rows.csv").write_text(OTHER + "\n")
    Path("folds.csv").write_text("left_out,pattern,fold\nmodel,x,y\n")
    for name, text in files.items():
        Path(name).unlink()
        if text is not None:
            Path(name).write_text(text)
    assert cli.main(["calibrate", command, "rows.csv", "--folds", "folds.csv", "--out", "new"]) == 2
    assert words in capsys.readouterr().err
    assert not Path("new").exists()


def test_an_installed_package_is_not_written_into(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recalibrate, "files", lambda _: folder / "site-packages" / "gigawright" / "workloads")
    assert cli.main(["calibrate", "serving", "rows.csv", "--folds", "folds.csv"]) == 2
    assert "give a folder to write with --out FOLDER" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["serving", "generation", "recommender"])
def test_a_place_that_is_a_file_is_told_before_the_work(
    command: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["calibrate", command, "rows.csv", "--folds", "folds.csv", "--out", "folds.csv"]) == 2
    assert "folds.csv is a file" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("calibrate", "no measured runs at {}/training_runs.csv; give their file with RUNS=..."),
        ("calibrate-serving", "no measured configurations of engines at {}/serving_silicon.csv; give their"),
        ("calibrate-generation", "no measured workloads at {}/other_workloads.csv; give their file with"),
        ("calibrate-recommender", "no measured workloads at {}/other_workloads.csv; give their file with"),
    ],
)
def test_make_calibrate_tells_where_measurements_are_absent(
    target: str, words: str, repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    (tmp_path / ".installed").touch()
    environment = {**os.environ, "GIGAWRIGHT_SHARED": str(tmp_path / "nowhere")}
    command = ["make", target, f"VENV={tmp_path}"]
    done = subprocess.run(
        command, cwd=repository, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert words.format(tmp_path / "nowhere" / "truth") in done.stderr
