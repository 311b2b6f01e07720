"""The commands on files of training runs: what they write, tell, and return."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gigawright import cli
from gigawright.workloads.training import recalibrate

HEAD = "row_id,model,accelerator,n_accel,seq_len,precision,gbs_seqs,tp,pp,mbs,group,tokens_per_s_per_accel"
GOOD = "good,Llama3-70B,H100,64,8192,BF16,128,4,4,1,g,500"
UNKNOWN = "unknown,Llama3-70B,Warp Core 9,64,8192,BF16,128,4,4,1,g,500"
FACTS = """kind,item,attribute,value,unit,source,known_from,confidence
accelerator,warp9,name,Warp Core 9,text,our laboratory,2026-03,A
accelerator,warp9,vendor,Zefram,text,our laboratory,2026-03,A
accelerator,warp9,made_for,abroad,text,our laboratory,2026-03,A
accelerator,warp9,bf16_tflops,1000,TFLOP/s,our laboratory,2026-03,A
accelerator,warp9,memory_gb,96,GB,our laboratory,2026-03,A
accelerator,warp9,memory_gbs,4000,GB/s,our laboratory,2026-03,A
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with runs, facts of a chip of one's own, and families."""
    monkeypatch.chdir(tmp_path)
    Path("runs.csv").write_text("\n".join([HEAD, GOOD, UNKNOWN]) + "\n")
    Path("facts.csv").write_text(FACTS)
    Path("families.csv").write_text("family,pattern\nLlama,^Llama\n")
    return tmp_path


def table(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_predict_writes_a_line_a_row_and_tells_what_became_of_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["predict", "training", "runs.csv", "--out", "out.csv"]) == 0
    good, unknown = table("out.csv")
    assert float(good["tokens_per_s_per_accel"]) > 0
    assert "Warp Core 9" in unknown["refused"]
    told = capsys.readouterr().out
    assert "1 of 2 rows predicted: out.csv" in told
    assert "1 refused, which is no error; the column `refused` has the reasons:\n  unknown: acc" in told
    assert "inputs filled in: " in told
    assert "without measurements, predicted from the one above: site 1, release 1" in told


def test_a_summary_fits_a_screen_however_much_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [UNKNOWN.replace("unknown", f"unknown-{number}") for number in range(100)]
    Path("runs.csv").write_text("\n".join([HEAD, *rows]))
    assert cli.main(["predict", "training", "runs.csv", "--out", "out.csv"]) == 0
    told = capsys.readouterr().out
    assert "0 of 100 rows predicted" in told
    assert "... and 95 more" in told
    assert len(told.splitlines()) < 24


def test_an_accelerator_of_ones_own_is_predicted_with_notes(folder: Path) -> None:
    arguments = ["runs.csv", "--out", "out.csv", "--catalogue", "facts.csv", "--notes"]
    assert cli.main(["predict", "training", *arguments]) == 0
    good, own = table("out.csv")
    assert own["refused"] == ""
    assert float(own["tokens_per_s_per_accel"]) > 0
    assert "recompute" in good["assumed"].split(";")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.csv", "--out", "out.csv"], "nothing.csv cannot be read"),
        (["runs.csv"], "--out is missing"),
        (["runs.csv", "--out", "runs.csv"], "runs.csv is an input"),
        (["runs.csv", "--out", "facts.csv", "--catalogue", "facts.csv"], "facts.csv is an input"),
        (["runs.csv", "--out", "."], "is a folder"),
        (["families.csv", "--out", "out.csv"], "missing columns row_id, model"),
        (["runs.csv", "--out", "out.csv", "--catalogue", "families.csv"], "families.csv: missing kind"),
        (["runs.csv", "--out", "out.csv", "--calibration", "."], "no calibration"),
    ],
)
def test_wrong_files_exit_2_with_a_word_and_write_nothing(
    arguments: list[str], words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert cli.main(["predict", "training", *arguments]) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert told.out == ""
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def without(column: str) -> str:
    rows = [HEAD.split(","), GOOD.split(",")]
    place = rows[0].index(column)
    return "\n".join(",".join(cell for at, cell in enumerate(row) if at != place) for row in rows)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"runs.csv": None}, "runs.csv cannot be read"),
        ({"families.csv": None}, "families.csv cannot be read"),
        ({"families.csv": "name\nLlama\n"}, "no table of families with columns family, pattern"),
        ({"families.csv": "family,pattern\nLlama,(\n"}, "no table of families"),
        ({"families.csv": "family,pattern\nMixtral,^Mixtral\n"}, "model 'Llama3-70B' belongs to no family"),
        ({"runs.csv": without("group")}, "missing column group of measured runs"),
        ({"runs.csv": without("tokens_per_s_per_accel")}, "missing column tokens_per_s_per_accel"),
        ({"runs.csv": without("seq_len")}, "missing column seq_len"),
        ({"runs.csv": f"{HEAD}\n{GOOD}x"}, "runs.csv:2: tokens_per_s_per_accel is '500x', must be a number"),
        ({"runs.csv": f"{HEAD}\n{GOOD}"}, "1 of 1 rows are measured and readable (0 refused), at least 20"),
    ],
)
def test_calibrate_tells_what_is_missing_before_it_fits(
    files: dict[str, str | None],
    words: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, text in files.items():
        Path(name).unlink()
        if text is not None:
            Path(name).write_text(text)
    arguments = ["calibrate", "training", "runs.csv", "--families", "families.csv", "--out", "new"]
    assert cli.main(arguments) == 2
    assert words in capsys.readouterr().err
    assert not Path("new").exists()


def test_an_installed_package_is_not_written_into(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recalibrate, "files", lambda _: folder / "site-packages" / "gigawright" / "workloads")
    assert cli.main(["calibrate", "training", "runs.csv", "--families", "families.csv"]) == 2
    assert "give a folder to write with --out FOLDER" in capsys.readouterr().err


def test_a_place_that_is_a_file_is_told_before_the_work(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["runs.csv", "--families", "families.csv", "--out", "facts.csv"]
    assert cli.main(["calibrate", "training", *arguments]) == 2
    assert "facts.csv is a file" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_calibrate_tells_where_measurements_are_absent(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    (tmp_path / ".installed").touch()
    command = ["make", "calibrate", f"VENV={tmp_path}"]
    environment = {**os.environ, "GIGAWRIGHT_SHARED": str(tmp_path / "nowhere")}
    done = subprocess.run(
        command, cwd=repository, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert f"no measured runs at {tmp_path}/nowhere/truth/training_runs.csv" in done.stderr
