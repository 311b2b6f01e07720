"""From a file to an answer: what is read, told and written, and what an interrupt leaves."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from gigawright.errors import OutputError, UserError
from gigawright.workloads.requests import run
from gigawright.workloads.requests.command import Answer, Asked, load, simulate
from gigawright.workloads.requests.pace import Disaggregated, Pace
from gigawright.workloads.requests.result import percentiles, summarise
from gigawright.workloads.requests.run import serve
from gigawright.workloads.requests.traces import trace_of
from gigawright.workloads.requests.words import fact_rows, span, time_rows

from .cases import busy_trace, small_pace


@pytest.fixture
def trace_file(tmp_path: Path) -> Path:
    """500 requests in our own form."""
    trace = busy_trace(500)
    path = tmp_path / "trace.csv"
    rows = zip(trace.arrival_s, trace.input, trace.output, strict=True)
    lines = ["arrival_s,input_tokens,output_tokens", *(f"{t!r},{i},{o}" for t, i, o in rows)]
    path.write_text("\n".join(lines).replace("np.float64(", "").replace(")", "") + "\n")
    return path


def answered(path: Path, **asked: object) -> Answer:
    wanted = Asked(path, **asked)  # type: ignore[arg-type]
    return simulate(wanted, load(wanted), small_pace(), 2)


def test_from_a_file_to_an_answer(trace_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    answer = answered(trace_file, ttft_ms=500.0, tpot_ms=100.0, out=out, seed=1)
    table = pq.read_table(out)
    assert table.num_rows == 500
    ttft = table["ttft_s"].to_numpy()
    assert answer.summary.ttft_s[50] == pytest.approx(float(np.median(ttft)))
    slow = (ttft > 0.5) | (table["tpot_s"].to_pandas().fillna(0).to_numpy() > 0.1)
    assert answer.summary.goodput_share == pytest.approx(1 - slow.mean())
    texts = dict(fact_rows(answer))
    assert "TTFT <= 500 ms and TPOT <= 100 ms" in texts["goodput"]
    assert "2 replicas, round-robin" in texts["requests"]
    assert [row[0] for row in time_rows(answer)] == [
        "time to first token",
        "time per output token",
        "end to end",
    ]


def test_the_same_file_gives_the_same_bytes(trace_file: Path, tmp_path: Path) -> None:
    outs = [tmp_path / f"{threads}.parquet" for threads in (1, 2)]
    for threads, out in enumerate(outs, start=1):
        answered(trace_file, rate=30.0, seed=5, threads=threads, out=out)
    assert outs[0].read_bytes() == outs[1].read_bytes()
    answered(trace_file, rate=30.0, seed=6, out=outs[1])
    assert outs[0].read_bytes() != outs[1].read_bytes()


def test_speed_and_limit(trace_file: Path) -> None:
    whole, part = answered(trace_file), answered(trace_file, limit=100, speed=2.0)
    assert part.summary.requests == 100
    assert part.served.trace.span_s < whole.served.trace.span_s / 5
    assert part.summary.ttft_s[50] > 0


def test_a_trace_from_standard_input(trace_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with trace_file.open("rb") as opened:
        monkeypatch.setattr(sys, "stdin", type("In", (), {"buffer": opened}))
        answer = answered(Path("-"))
    assert answer.summary.requests == 500


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"routing": "nearest"}, "must be one of"),
        ({"rate": 2.0, "speed": 3.0}, "one of the two"),
        ({"ttft_ms": 0.0}, "--slo-ttft-ms is 0; it must be above 0"),
        ({"tpot_ms": float("nan")}, "--slo-tpot-ms is nan"),
        ({"seed": -1}, "--seed is -1"),
        ({"speed": -1.0}, "speed is -1"),
        ({"threads": 0}, "threads are 0"),
    ],
)
def test_what_makes_no_sense_is_told(trace_file: Path, asked: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        answered(trace_file, **asked)


def test_an_input_is_never_written_over(trace_file: Path, tmp_path: Path) -> None:
    before = trace_file.read_bytes()
    with pytest.raises(OutputError, match="is an input"):
        answered(trace_file, out=trace_file)
    with pytest.raises(UserError, match="give two files"):
        answered(trace_file, out=tmp_path / "a", html=tmp_path / "a")
    assert trace_file.read_bytes() == before


INTERRUPTED = """
import sys, threading
import numpy as np
from pathlib import Path
from gigawright.workloads.requests import run
from gigawright.workloads.requests.command import Asked, load, simulate
from gigawright.workloads.requests.pace import Pace
run.prepare()
run.SLICE = 100_000
print("running", flush=True)
pace = Pace(np.zeros(3), blocks=1 << 20, max_sequences=2)
asked = Asked(Path(sys.argv[1]), out=Path(sys.argv[2]), threads=2)
simulate(asked, load(asked), pace, 2)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as on POSIX")
def test_an_interrupt_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    """Answers of 16 million tokens, one after the other, would take minutes."""
    trace, out = tmp_path / "long.csv", tmp_path / "out.parquet"
    rows = "".join(f"{at},10,16000000\n" for at in range(2000))
    trace.write_text("arrival_s,input_tokens,output_tokens\n" + rows)
    child = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(trace), str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "running\n"
    child.send_signal(signal.SIGINT)
    errors = child.communicate(timeout=30)[1]
    assert child.returncode != 0
    assert "KeyboardInterrupt" in errors
    assert sorted(path.name for path in tmp_path.iterdir()) == ["long.csv"]


def test_progress_rises_to_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "SLICE", 500)
    seen: list[tuple[int, int]] = []
    pace = Disaggregated(small_pace(), small_pace(), 1e-6)
    trace = busy_trace(300)
    serve(trace, pace, (2, 2), progress=lambda done, of: seen.append((done, of)))
    total = 300 + int((trace.output > 1).sum())
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_summary_of_two_requests_by_hand() -> None:
    """Prompts of 10 and 20 tokens come together; iterations take 1 s."""
    pace = Pace(np.full(65, 1.0), blocks=100, max_sequences=4, block_tokens=1)
    served = serve(trace_of([0.0, 0.0], [10, 20], [3, 1]), pace, 1)
    found = summarise(served, ttft_limit_s=1.0, tpot_limit_s=0.5)
    assert served.ttft_s.tolist() == [1.0, 1.0]
    assert served.e2e_s.tolist() == [3.0, 1.0]
    assert served.tpot_s[0] == 1.0
    assert np.isnan(served.tpot_s[1])
    assert found.goodput_share == 0.5
    assert found.requests_per_s == pytest.approx(2 / 3)
    assert found.output_tokens_per_s == pytest.approx(4 / 3)
    assert found.utilisation == {"replica": 1.0}
    assert found.kv_peak == {"replica": 0.3}
    assert found.iterations == 3


def test_percentiles_of_nothing() -> None:
    assert np.isnan(list(percentiles(np.array([np.nan])).values())).all()
    assert span(float("nan")) == "-"


def test_the_pace_is_told_before_compiling_only_once() -> None:
    told: list[str] = []
    run.prepare(told.append)
    run.prepare(told.append)
    assert len(told) <= 1
    assert all(re.fullmatch(r"compiling the simulator once, about \d+ s", text) for text in told)
