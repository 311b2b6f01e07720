"""`gigawright simulate requests`: what it prints, writes and returns."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from gigawright import cli

USUAL = {"--trace": "trace.csv", "--model": "llama-3.1-8b", "--system": "dgx_h100"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a trace of 60 requests."""
    monkeypatch.chdir(tmp_path)
    rows = [f"{at / 10},{200 + 10 * at},{20 + at % 7}" for at in range(60)]
    Path("trace.csv").write_text("\n".join(["arrival_s,input_tokens,output_tokens", *rows]) + "\n")
    return tmp_path


def simulate(*more: str, **changes: str) -> int:
    chosen = USUAL | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    return cli.main(["simulate", "requests", *(word for pair in chosen.items() for word in pair), *more])


def test_the_answer_has_its_parts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        simulate(replicas="2", slo_ttft_ms="2000", slo_tpot_ms="50", out="out.parquet", html="out.html") == 0
    )
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[0].startswith("Llama 3.1 8B on ")
    for words in ("time to first token", "time per output token", "end to end", "p50", "p90", "p99"):
        assert words in told.out
    assert any(line.startswith("requests") and "60 in 5.90 s, 2 replicas" in line for line in lines)
    assert "with TTFT <= 2,000 ms and TPOT <= 50 ms" in told.out
    assert "a replica is " in told.out
    assert "reading trace.csv" in told.err
    assert pq.read_table("out.parquet").num_rows == 60
    page = Path("out.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert [line.split()[-1] for line in lines if line.startswith("written")] == ["out.parquet", "out.html"]


def test_prompts_may_have_replicas_of_their_own(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate("--prefill-replicas", "1", replicas="2") == 0
    told = capsys.readouterr().out
    assert "1 prefill and 2 decode replicas" in told


def test_a_trace_may_come_through_a_pipe(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path("trace.csv").open(encoding="utf-8") as opened:
        monkeypatch.setattr("sys.stdin", opened)
        assert simulate(trace="-") == 0
    assert "60 in 5.90 s" in capsys.readouterr().out


def test_the_same_seed_has_the_same_answer(folder: Path) -> None:
    for name, seed in (("one", "1"), ("same", "1"), ("other", "2")):
        assert simulate(rate="5", seed=seed, out=f"{name}.parquet") == 0
    one, same, other = (pq.read_table(f"{name}.parquet") for name in ("one", "same", "other"))
    assert one.equals(same)
    assert not one.equals(other)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"trace": "nothing.csv"}, "nothing.csv"),
        ({"model": "lama-3.1-8b"}, "did you mean 'llama-3.1-8b'?"),
        ({"system": "dgx_h10"}, "did you mean dgx_h100"),
        ({"routing": "random"}, "--routing"),
        ({"replicas": "0"}, "replicas"),
        ({"replicas": "few"}, "--replicas"),
        ({"prefill_replicas": "-1"}, "--prefill-replicas is -1, must be at least 0"),
        ({"slo_ttft_ms": "0"}, "--slo-ttft-ms is 0; it must be above 0"),
        ({"speed": "2", "rate": "5"}, "--rate replaces"),
        ({"speed": "0"}, "speed"),
        ({"out": "trace.csv"}, "trace.csv is an input"),
        ({"html": "."}, "is a folder"),
        ({"accelerators": "0"}, "--accelerators is 0, must be at least 1"),
        ({"threads": "0"}, "threads"),
        ({"limit": "0"}, "limit"),
        ({"drafted": "-1"}, "--drafted is -1, must be at least 0"),
        ({"calibration": "nowhere"}, "nowhere: no calibration"),
        ({"catalogue": "nothing.csv"}, "nothing.csv cannot be read"),
    ],
)
def test_what_is_wrong_exits_2_with_a_word(
    changes: dict[str, str], words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert simulate(**changes) == 2
    told = capsys.readouterr()
    error = next(line for line in told.err.splitlines() if line.startswith("gigawright: "))
    assert words in error
    assert told.out == ""
    assert sorted(path.name for path in folder.iterdir()) == ["trace.csv"]


def test_a_malformed_trace_is_told_with_its_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Path("trace.csv").open("a") as opened:
        opened.write("7.0,-5,3\n")
    assert simulate() == 2
    assert "trace.csv:62" in capsys.readouterr().err


def test_a_missing_option_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["simulate", "requests", "--model", "llama-3.1-8b"]) == 2
    assert "--trace is missing" in capsys.readouterr().err


def test_help_tells_the_formats(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["simulate", "requests", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    for word in ("Azure's CSV", "Mooncake's JSON", "--replicas", "--slo-ttft-ms", "Parquet"):
        assert word in told
