"""`gigawright search serving`: what it prints, writes and returns."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from gigawright import cli
from gigawright.workloads import calibrated
from gigawright.workloads.serving.constants import PRIORS
from gigawright.workloads.serving.predictor import FAMILY

from .workloads.serving.known import calibration

USUAL = {
    "--model": "deepseek-r1",
    "--system": "dgx_h200",
    "--isl": "4000",
    "--osl": "1000",
    "--ttft-ms": "3000",
    "--tpot-ms": "60",
    "--engine": "vllm",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A calibration of one's own, so that a refit of the package's changes no answer here."""
    place = tmp_path_factory.mktemp("calibration")
    known = calibration()
    count = len(known.hierarchy.known.levels)
    calibrated.write(place, FAMILY, known, PRIORS, [f"row {at}" for at in range(count)])
    return place


def words(folder: Path, *more: str, **changes: str) -> list[str]:
    told = {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    chosen = {**USUAL, "--calibration": str(folder), **told}
    return ["search", "serving", *(word for pair in chosen.items() for word in pair), *more]


def search(folder: Path, *more: str, **changes: str) -> int:
    return cli.main(words(folder, *more, **changes))


def test_the_answer_has_its_parts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert search(folder, top="8") == 0
    told = capsys.readouterr().out
    assert told.startswith("DeepSeek-R1 on H200 ")
    assert "fp8: 4,000 tokens in, 1,000 out, TTFT within 3,000 ms and TPOT within 60 ms\n" in told
    for text in (
        " configurations in ",
        "TTFT s",
        "TPOT ms",
        "tok/s/acc",
        "tok/s/user",
        "USD/M",
        "J/tok",
        "KV",
    ):
        assert text in told
    rows = [line for line in told.splitlines() if "(" in line and ("TP" in line or "DP" in line)]
    assert sum(line.startswith("* ") for line in rows) == 1
    assert "recommended: " in told
    assert "cost, leased: dgx_h200.lease_usd_h = " in told


def test_a_rate_tells_accelerators_and_cost_a_month(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert search(folder, rate="20") == 0
    told = capsys.readouterr().out
    assert "USD/month" in told
    assert "20 requests/s: " in told
    assert " a month; at most " in told


def test_what_is_unknown_of_a_system_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert search(folder, model="llama-3.1-8b", system="trn3_ultra", engine="") == 0
    told = capsys.readouterr().out
    assert "cost not known: " in told
    assert "joules not known: trn3_ultra.power_kw is unknown" in told


def test_a_page_and_a_table_are_written(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, table = tmp_path / "front.html", tmp_path / "front.csv"
    assert search(folder, html=str(page), csv=str(table)) == 0
    told = capsys.readouterr().out
    assert told.rstrip().endswith(f"page: {page}\ntable: {table}")
    assert "The front" in page.read_text(encoding="utf-8")
    with table.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert sum(int(row["recommended"]) for row in rows) == 1
    assert {row["mode"] for row in rows} == {"aggregated", "disaggregated"}
    for row in rows:
        assert float(row["ttft_ms"]) <= 3000
        assert float(row["tpot_ms_p10"]) < float(row["tpot_ms"]) < float(row["tpot_ms_p90"])


def test_limits_too_tight_exit_3_and_tell_the_nearest(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert search(folder, tpot_ms="1", html=str(tmp_path / "a.html"), csv=str(tmp_path / "a.csv")) == 3
    told = capsys.readouterr().out
    assert "No configuration keeps the limits; in the nearest TPOT is " in told
    assert "what helps: --tpot-ms " in told
    assert "No configuration is found" in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_nothing_fits_exits_3_and_tells_what_helps(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, table = tmp_path / "a.html", tmp_path / "a.csv"
    large = {"model": "llama-3.1-405b", "system": "dgx_h100", "precision": "bf16", "gpus": "8"}
    assert search(folder, html=str(page), csv=str(table), **large) == 3
    told = capsys.readouterr().out
    assert "Nothing fits into memory\n" in told
    assert "what helps: --gpus 16\n" in told
    assert "Nothing fits into memory" in page.read_text(encoding="utf-8")
    assert len(table.read_text(encoding="utf-8").splitlines()) == 1


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"model": "deepsek-r1"}, "did you mean"),
        ({"system": "dgx_h10"}, "did you mean dgx_h100"),
        ({"isl": "0"}, "isl is '0'"),
        ({"tpot_ms": "-1"}, "tpot-ms is -1"),
        ({"tpot_ms": "soon"}, "--tpot-ms"),
        ({"precision": "fp12"}, "--precision"),
        ({"engine": "vlm"}, "did you mean vllm?"),
        ({"top": "0"}, "top is 0, must be at least 1"),
        ({"catalogue": "nothing.csv"}, "nothing.csv cannot be read"),
        ({"calibration": "nowhere"}, "nowhere: no calibration"),
        ({"html": "."}, ". "),
        ({"html": "same.html", "csv": "same.html"}, "--html and --csv are both same.html"),
    ],
)
def test_what_is_wrong_exits_2_with_a_word(
    folder: Path, changes: dict[str, str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert search(folder, **changes) == 2
    told = capsys.readouterr().err
    assert told.startswith("gigawright: ")
    assert text in told


def test_what_is_piped_has_no_blanks_at_its_ends(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gigawright.cli", *words(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert all(line == line.rstrip() for line in done.stdout.splitlines())
    assert "recommended: " in done.stdout
