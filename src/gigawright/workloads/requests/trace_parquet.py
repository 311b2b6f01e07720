"""Traces in Parquet, with the columns of our own form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from gigawright.workloads.requests.trace_files import ints, lists, numbers, quickly
from gigawright.workloads.requests.trace_lines import AZURE, Header, header_from, row_of, rows_of
from gigawright.workloads.requests.trace_rows import Batch, batch_of
from gigawright.workloads.requests.traces import TraceError

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 65_536
"""Rows that are read at once."""


def parquet_batches(stream: IO[bytes], name: str) -> Iterator[Batch]:
    """The rows of a Parquet file, some at a time; a row's number stands for its line. Raises TraceError."""
    import pyarrow as pa
    from pyarrow import parquet

    if not stream.seekable():
        raise TraceError(name, [(0, "Parquet cannot be read from a pipe; give the file itself")])
    stream.seek(0)
    try:
        file = parquet.ParquetFile(stream)
        header = header_from(tuple(file.schema_arrow.names), name)
        if header.form == AZURE:
            raise TraceError(
                name, [(0, "Azure's traces are CSV; in Parquet use arrival_s, input_tokens, ...")]
            )
        line = 1
        for piece in file.iter_batches(ROWS, columns=list(header.known)):
            yield _batch(piece, header, line)
            line += piece.num_rows
    except pa.ArrowException as error:
        raise TraceError(name, [(0, f"not a whole Parquet file: {error}")]) from error


def _batch(piece: pa.RecordBatch, header: Header, line: int) -> Batch:
    fast = quickly(lambda: _fast(piece, header, line))
    if fast is not None:
        return fast
    return rows_of(enumerate(piece.to_pylist(), start=line), lambda row: row_of(row, header))


def _fast(piece: pa.RecordBatch, header: Header, line: int) -> Batch | None:
    import pyarrow as pa

    if "prefix_id" in header.columns:
        return None
    table = pa.Table.from_batches([piece])
    names = (*header.plain, *header.encoded)
    if not all(pa.types.is_integer(table[name].type) for name in names):
        return None
    columns: dict[str, Any] = {own: ints(table[name]) for name, own in header.plain.items()}
    columns["encoded"] = sum((ints(table[name]) for name in header.encoded), np.zeros(len(piece), np.int64))
    if "prefix_hashes" in header.columns:
        columns |= lists(table["prefix_hashes"])
    seconds = numbers(table[header.time]).astype(np.float64)
    return batch_of(columns, np.arange(line, line + len(piece)), seconds)
