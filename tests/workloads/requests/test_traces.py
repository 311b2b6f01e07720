"""Traces of every form, whole and broken, as files and as streams."""

from __future__ import annotations

import io
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from gigawright.errors import UserError
from gigawright.workloads.requests import trace_files, traces
from gigawright.workloads.requests.trace_lines import Header
from gigawright.workloads.requests.traces import Trace, TraceError, faster, poisson, read_trace

AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\n"
OWN = "arrival_s,input_tokens,output_tokens\n"


def read(text: str | bytes, **options: object) -> Trace:
    raw = text.encode() if isinstance(text, str) else text
    return read_trace(io.BytesIO(raw), name="trace", **options)  # type: ignore[arg-type]


def told(text: str | bytes, **options: object) -> str:
    with pytest.raises(TraceError) as caught:
        read(text, **options)
    return str(caught.value)


def test_azure() -> None:
    trace = read(AZURE + "2023-11-16 18:17:03.9799600,4808,10\n2023-11-16 18:17:04.0319600,3180,8\r\n")
    np.testing.assert_allclose(trace.arrival_s, [0.0, 0.052], atol=1e-12)
    assert trace.input.tolist() == [4808, 3180]
    assert trace.output.tolist() == [10, 8]
    assert trace.offset.tolist() == [0, 0, 0]


def test_azure_of_2024_has_a_zone() -> None:
    trace = read(AZURE + "2024-05-10 00:00:00.009930+00:00,2162,5\n2024-05-10 00:00:01.009930+00:00,1,1\n")
    np.testing.assert_allclose(trace.arrival_s, [0.0, 1.0], atol=1e-12)


def mooncake(*rows: dict[str, object]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


GOOD = {"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": list(range(14))}


def test_mooncake() -> None:
    later = {"timestamp": 30535, "input_length": 1100, "output_length": 30, "hash_ids": [0, 1, 99], "more": 1}
    trace = read(mooncake(GOOD, later))
    assert trace.arrival_s.tolist() == [27.482, 30.535]
    assert trace.offset.tolist() == [0, 13, 15]
    assert trace.keys[:2].tolist() == trace.keys[13:].tolist()
    assert len(set(trace.keys[:13].tolist())) == 13


def test_a_block_is_known_by_all_before_it() -> None:
    first, second = dict(GOOD, hash_ids=[1, 2, 3]), dict(GOOD, hash_ids=[9, 2, 3])
    keys = read(mooncake(first, second)).keys
    assert not set(keys[:3].tolist()) & set(keys[3:].tolist())


def test_our_own_csv() -> None:
    text = (
        "kind,arrival_s,input_tokens,output_tokens,prefix_hashes,prefix_id,prefix_tokens,image_tokens,"
        "video_tokens,priority\n"
        "text,0.5,1200,7,3 4,,,,,\nimage,0.5,1600,8,,chat,1100,256,,2\nvideo,2,1600,9,,chat,1100,,300,1\n"
    )
    trace = read(text)
    assert trace.arrival_s.tolist() == [0.5, 0.5, 2.0]
    assert trace.encoded.tolist() == [0, 256, 300]
    assert trace.rank.tolist() == [0, 2, 1]
    assert trace.offset.tolist() == [0, 2, 4, 6]
    assert trace.keys[2:4].tolist() == trace.keys[4:].tolist()


def table(**columns: object) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pa.table(columns), sink)
    return sink.getvalue()


def test_our_own_parquet() -> None:
    columns = {"arrival_s": [0.0, 1.5], "input_tokens": [1200, 1600], "output_tokens": [3, 4]}
    trace = read(table(**columns, prefix_hashes=[[1, 2], None]))
    assert trace.offset.tolist() == [0, 2, 2]
    assert trace.keys.tolist() == read(OWN[:-1] + ",prefix_hashes\n0,1200,3,1 2\n1.5,1600,4,\n").keys.tolist()
    named = read(table(**columns, prefix_id=["a", "a"], prefix_tokens=[512, 600]))
    assert named.offset.tolist() == [0, 1, 2]
    assert named.keys[0] == named.keys[1]


def test_both_ways_of_reading_agree(shared_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Azure's two and Mooncake's traces, whole pieces at once and line by line."""
    folder = shared_folder / "data" / "requests"
    for path in sorted(folder.iterdir()):
        with monkeypatch.context() as patch:
            fast = read_trace(path)
            patch.setattr(trace_files, "quickly", lambda parse: None)
            slow = read_trace(path, limit=3000)
        for name in ("arrival_s", "input", "output", "encoded", "rank"):
            np.testing.assert_array_equal(getattr(fast, name)[:3000], getattr(slow, name))
        np.testing.assert_array_equal(fast.keys[: len(slow.keys)], slow.keys)


@given(
    st.lists(
        st.sampled_from(["1", "0", "-3", "2.5", "nan", "", "x", "99999999999", "7"]), min_size=6, max_size=6
    )
)
def test_a_row_is_read_or_told(cells: list[str]) -> None:
    """Whatever stands in two rows, either both are read or a line is named."""
    text = OWN + ",".join(cells[:3]) + "\n" + ",".join(cells[3:]) + "\n"
    try:
        assert len(read(text, sort=True)) == 2
    except TraceError as error:
        assert all(line in (2, 3) for line, _ in error.faults)


@pytest.mark.parametrize(
    ("rows", "line", "words"),
    [
        ("0,5,5\n1,-3,5\n", 3, "input_tokens is -3; it must be from 1 to 16,777,216"),
        ("0,0,5\n", 2, "input_tokens is 0; it must be from 1"),
        ("0,5,0\n", 2, "output_tokens is 0; it must be from 1"),
        ("0,5,5\n1,5,5\n2,5,99999999999999999999\n", 4, "it must be from 1 to 16,777,216"),
        ("0,5,5\nnan,5,5\n", 3, "arrival_s is 'nan'; it must be a number"),
        ("inf,5,5\n", 2, "arrival_s is 'inf'; it must be a number"),
        ("1e300,5,5\n", 2, "is out of range"),
        ("0,5,5\n3,5,5\n2,5,5\n", 4, "time goes back, from 3 to 2 s"),
        ("0,5\n", 2, "2 cells where the header has 3 columns"),
        ("0,5,5\n0,five,5\n", 3, "input_tokens is 'five'; it must be a whole number"),
        ("0,5,5\n,5,5\n", 3, "arrival_s is ''; it must be a number"),
        ("0,5.5,5\n", 2, "input_tokens is '5.5'; it must be a whole number"),
    ],
)
def test_what_is_wrong_with_a_row_is_told_with_its_line(rows: str, line: int, words: str) -> None:
    message = told(OWN + rows)
    assert f"trace:{line}: " in message
    assert words in message


def test_all_faults_are_told_at_once() -> None:
    message = told(OWN + "0,5,5\n1,-1,5\n2,5,5\n3,5,x\n1,5,5\n")
    assert "3 problems in the trace trace" in message
    assert [line for line in (2, 3, 4, 5, 6) if f"trace:{line}: " in message] == [3, 5, 6]


def test_no_more_than_twenty_are_told() -> None:
    assert told(OWN + "0,0,0\n" * 1000).startswith("20 or more problems")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('{"timestamp": 0, "input_length": 5, "output_length"', 1, "is the line cut off?"),
        (mooncake(GOOD) + '{"timestamp": 30000, "input_le', 2, "is the line cut off?"),
        (mooncake(dict(GOOD, input_length=None)), 1, "input_length missing"),
        (mooncake({"timestamp": 0}), 1, "input_length, output_length missing"),
        (mooncake(dict(GOOD, hash_ids=[1, "a"])), 1, "hash_ids must be a list of whole numbers"),
        (mooncake(dict(GOOD, hash_ids=list(range(20)))), 1, "which has 14"),
        (mooncake(dict(GOOD, input_length=True)), 1, "input_length is True"),
        (mooncake(GOOD) + "[1, 2]\n", 2, "not a JSON object"),
        (mooncake(GOOD, dict(GOOD, timestamp=1)), 2, "time goes back"),
        (mooncake(GOOD, dict(GOOD, timestamp=float("nan"))), 2, "timestamp is nan"),
    ],
)
def test_what_is_wrong_with_a_json_line_is_told(text: str, line: int, words: str) -> None:
    message = told(text)
    assert f"trace:{line}: " in message
    assert words in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        (" \n\n", "the file is empty"),
        (OWN, "there are no requests in it"),
        ("a,b,c\n1,2,3\n", "column arrival_s is missing; a trace starts with TIMESTAMP"),
        ("TIMESTAMP,ContextTokens\n", "column GeneratedTokens is missing"),
        ("arrival_s,input_tokens,output_tokens,prefix_id\n", "prefix_id needs prefix_tokens"),
        ("arrival_s,input_tokens,output_tokens,images\n", "images needs image_tokens"),
        ("arrival_s,input_tokens,output_tokens,arrival_s\n", "column arrival_s stands twice"),
        (b"\xff\xfe\x00\x01,\n", "not UTF-8 text"),
        (OWN.encode() + b"0,5,5\n1,\xff\xfe,5\n", "trace:3: not UTF-8 text"),
        (b"PAR1 and nothing", "not a whole Parquet file"),
    ],
)
def test_what_is_no_trace_is_told(text: str | bytes, words: str) -> None:
    assert words in told(text)


def test_azure_faults() -> None:
    good = "2023-11-16 18:17:03.9799600,4808,10\n"
    assert "trace:3: TIMESTAMP is 'yesterday'" in told(AZURE + good + "yesterday,1,1\n")
    assert "trace:3: time goes back" in told(AZURE + good + "2023-11-16 18:17:02.9,1,1\n")
    assert "2023-02-30" in told(AZURE + "2023-02-30 18:17:02,1,1\n")


def test_parquet_faults_have_row_numbers() -> None:
    assert "trace:2: input_tokens is -1" in told(
        table(arrival_s=[0.0, 1.0], input_tokens=[1, -1], output_tokens=[1, 1])
    )
    assert "column output_tokens is missing" in told(table(arrival_s=[0.0], input_tokens=[1]))


def test_images_are_part_of_the_prompt() -> None:
    assert "20 image and video tokens in a prompt of 10" in told(OWN[:-1] + ",image_tokens\n0,10,1,20\n")


def test_blank_lines_a_mark_and_windows_ends_are_fine() -> None:
    trace = read(b"\xef\xbb\xbf" + OWN.encode() + b"0,5,6\r\n\n1,7,8\r\n\n")
    assert trace.input.tolist() == [5, 7]


def test_sorting() -> None:
    text = mooncake(dict(GOOD, timestamp=2000, hash_ids=[5, 6]), dict(GOOD, timestamp=1000))
    trace = read(text, sort=True)
    assert trace.arrival_s.tolist() == [1.0, 2.0]
    assert trace.offset.tolist() == [0, 13, 15]
    assert trace.keys[13:].tolist() == read(text, sort=True, limit=1).keys.tolist()


def test_limit_reads_no_further() -> None:
    assert len(read(OWN + "0,5,5\n1,5,5\nbroken\n", limit=2)) == 2
    with pytest.raises(UserError, match="at least 1"):
        read(OWN, limit=0)


class Endless(io.RawIOBase):
    """A stream that makes lines up as it is read, until `size` bytes are through; it never holds them."""

    def __init__(self, size: int, lines: int = 4096) -> None:
        self.size, self.taken = size, 0
        self.piece = b"5.25,1000,200\n" * lines
        self.head = OWN.encode()

    def read(self, count: int = -1) -> bytes:
        assert count > 0, "read as a whole"
        if self.taken >= self.size:
            return b""
        if self.taken < len(self.head):
            out = self.head[self.taken : self.taken + count]
        else:
            start = (self.taken - len(self.head)) % 14
            out = self.piece[start : start + min(count, self.size - self.taken)]
        self.taken += len(out)
        return out


def test_of_ten_gigabytes_only_what_is_needed_is_read() -> None:
    stream = Endless(10 * 10**9)
    trace = read_trace(stream, limit=100_000)  # type: ignore[arg-type]
    assert len(trace) == 100_000
    assert stream.taken < 100_000 * 14 + 2 * traces.PIECE_BYTES


def test_a_long_stream_is_held_as_arrays_alone() -> None:
    size = len(OWN) + 14 * 4_000_000
    tracemalloc.start()
    trace = read_trace(Endless(size))  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(trace) == 4_000_000
    assert peak < 3 * 30 * len(trace) + 20 * traces.PIECE_BYTES


def test_too_many_requests_are_refused_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "MOST_REQUESTS", 1000)
    with pytest.raises(TraceError, match=r"more than 1,000 requests; take the first N with --limit N"):
        read_trace(Endless(10 * 10**9))  # type: ignore[arg-type]


def test_a_line_without_end_is_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_files, "LONGEST_LINE", 1000)
    monkeypatch.setattr(trace_files, "PIECE_BYTES", 512)
    assert "a line of more than" in told(OWN + "1" * 5000)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="No such file"):
        read_trace(tmp_path / "none.csv")


def test_other_times() -> None:
    trace = read(OWN + "10,5,5\n12,5,5\n16,5,5\n")
    assert faster(trace, 2).arrival_s.tolist() == [10.0, 11.0, 13.0]
    again = [poisson(trace, 4.0, seed).arrival_s for seed in (1, 1, 2)]
    np.testing.assert_array_equal(again[0], again[1])
    assert not np.array_equal(again[0], again[2])
    with pytest.raises(UserError, match="above 0"):
        faster(trace, 0.0)
    with pytest.raises(UserError, match="above 0"):
        poisson(trace, float("nan"), 1)


def test_headers_know_their_columns() -> None:
    assert Header(("arrival_s", "input_tokens", "output_tokens", "other"), "own").known == (
        "arrival_s",
        "input_tokens",
        "output_tokens",
    )
