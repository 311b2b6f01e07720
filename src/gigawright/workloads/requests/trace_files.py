"""From bytes to batches: pieces of a file, each parsed at once where it is sound, else row by row."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from gigawright.workloads.requests.trace_lines import (
    AZURE,
    Header,
    header_of,
    read_csv_lines,
    read_json_lines,
)
from gigawright.workloads.requests.trace_rows import Batch, batch_of, sound
from gigawright.workloads.requests.traces import PIECE_BYTES, TraceError

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST_LINE = 16 << 20
"""Bytes a line may have; more is no trace."""

PARQUET = b"PAR1"
"""First bytes of a Parquet file."""

NOT_TEXT = "not UTF-8 text; a trace is CSV, JSON Lines or Parquet"


def batches(stream: IO[bytes], name: str) -> Iterator[Batch]:
    """The rows of a stream, a piece at a time. Raises TraceError where nothing can be made of it."""
    start = stream.read(4)
    if start == PARQUET:
        from gigawright.workloads.requests.trace_parquet import parquet_batches

        yield from parquet_batches(stream, name)
        return
    pieces = _pieces(stream, start, name)
    first = next(pieces, None)
    if first is None or not first[0].strip():
        raise TraceError(name, [(0, "the file is empty")])
    piece, line = first
    piece = piece.removeprefix(b"\xef\xbb\xbf")
    if piece.lstrip()[:1] in (b"{", b"["):
        yield _json_batch(piece, line)
        for piece, line in pieces:
            yield _json_batch(piece, line)
        return
    head, _, rest = piece.partition(b"\n")
    header = header_of(_text(head, name, 1), name)
    yield _csv_batch(rest, header, 2)
    for piece, line in pieces:
        yield _csv_batch(piece, header, line)


def _text(raw: bytes, name: str, line: int) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TraceError(name, [(line, NOT_TEXT)]) from error


def _pieces(stream: IO[bytes], start: bytes, name: str) -> Iterator[tuple[bytes, int]]:
    """Whole lines, about `PIECE_BYTES` at a time, with the number of the first of them."""
    held, line = start, 1
    while True:
        read = stream.read(PIECE_BYTES)
        if not read:
            if held:
                yield held, line
            return
        cut = read.rfind(b"\n") + 1
        if not cut:
            held += read
            if len(held) > LONGEST_LINE:
                raise TraceError(
                    name, [(line, f"a line of more than {LONGEST_LINE >> 20} MiB: this is no trace")]
                )
            continue
        piece = held + read[:cut]
        held = read[cut:]
        yield piece, line
        line += piece.count(b"\n")


def quickly(parse: Callable[[], Batch | None]) -> Batch | None:
    """What a fast parser makes of a piece, or None where it stumbles or a row may not stand."""
    import pyarrow as pa

    try:
        batch = parse()
    except (pa.ArrowException, UnicodeDecodeError, OverflowError, ValueError):
        return None
    return batch if batch is not None and sound(batch) else None


def _json_batch(piece: bytes, line: int) -> Batch:
    return quickly(lambda: _fast_json(piece, line)) or read_json_lines(piece, line)


def _fast_json(piece: bytes, line: int) -> Batch | None:
    import pyarrow as pa
    from pyarrow import json

    schema = pa.schema(
        [
            ("timestamp", pa.float64()),
            ("input_length", pa.int64()),
            ("output_length", pa.int64()),
            ("hash_ids", pa.list_(pa.int64())),
        ]
    )
    options = json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    reading = json.ReadOptions(block_size=len(piece) + 1, use_threads=False)
    table = json.read_json(pa.BufferReader(piece), reading, options, memory_pool=pa.system_memory_pool())
    if table.num_rows != piece.count(b"\n") + (not piece.endswith(b"\n")):
        return None
    columns = {"input": ints(table["input_length"]), "output": ints(table["output_length"])}
    columns |= lists(table["hash_ids"])
    seconds = numbers(table["timestamp"]) / 1e3
    return batch_of(columns, np.arange(line, line + table.num_rows), seconds)


def lists(column: pa.ChunkedArray) -> dict[str, Any]:
    """Lists of whole numbers, flat, and how long each is; an absent list is empty."""
    import pyarrow.compute as pc

    whole = column.combine_chunks()
    owners = numbers(pc.list_parent_indices(whole))
    return {"hashes": ints(pc.list_flatten(whole)), "blocks": np.bincount(owners, minlength=len(whole))}


def numbers(column: pa.ChunkedArray) -> Any:
    """A column as an array; ValueError where a value is missing. Arrow's own way would load pandas."""
    if column.null_count:
        raise ValueError("a value is missing")
    whole = column.combine_chunks() if hasattr(column, "combine_chunks") else column
    return np.from_dlpack(whole)


def ints(column: pa.ChunkedArray) -> Any:
    """A column of whole numbers; ValueError where a value is missing."""
    return numbers(column).astype(np.int64, copy=False)


def _csv_batch(piece: bytes, header: Header, line: int) -> Batch:
    return quickly(lambda: _fast_csv(piece, header, line)) or read_csv_lines(piece, header, line)


def _fast_csv(piece: bytes, header: Header, line: int) -> Batch | None:
    """Columns by Arrow; prefixes in CSV are left to the row by row reader."""
    if not piece.strip() or any(name.startswith("prefix") for name in header.columns):
        return None
    import pyarrow as pa
    from pyarrow import csv

    wanted = {name: pa.int64() for name in header.known if name != header.time}
    wanted[header.time] = pa.string() if header.form == AZURE else pa.float64()
    table = csv.read_csv(
        io.BytesIO(piece),
        read_options=csv.ReadOptions(
            column_names=list(header.columns), block_size=len(piece) + 1, use_threads=False
        ),
        parse_options=csv.ParseOptions(ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(column_types=wanted, include_columns=list(wanted)),
    )
    if table.num_rows != piece.count(b"\n") + (not piece.endswith(b"\n")):
        return None
    columns = {own: ints(table[name]) for name, own in header.plain.items()}
    columns["encoded"] = sum(
        (ints(table[name]) for name in header.encoded), np.zeros(table.num_rows, np.int64)
    )
    seconds = _seconds(table[header.time], header)
    return batch_of(columns, np.arange(line, line + table.num_rows), seconds)


def _seconds(column: pa.ChunkedArray, header: Header) -> Any:
    """Times in seconds; Azure's are dates, counted from the first."""
    import pyarrow as pa

    if header.form != AZURE:
        return numbers(column)
    zoned = str(column[0].as_py()).endswith(("Z", "+00:00"))
    dates = column.cast(pa.timestamp("ns", tz="UTC" if zoned else None))
    return header.since_first(numbers(dates.cast(pa.int64())))
