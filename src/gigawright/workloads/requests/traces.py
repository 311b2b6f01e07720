"""Requests of a trace as arrays, and what may be done to them before they are served.

A trace is read from a CSV file of Azure's form, a JSON Lines file of Mooncake's form, or our own CSV or
Parquet; see `read_trace`. Files are read in pieces, so a long one is never held as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gigawright.arrays import Floats, Ints
from gigawright.errors import UserError
from gigawright.workloads.requests.engine.mixing import GOLDEN, mixed

if TYPE_CHECKING:
    from gigawright.workloads.requests.trace_rows import Batch

Shorts = NDArray[np.int32]
Bytes = NDArray[np.int8]

PIECE_BYTES = 8 << 20
"""Bytes of a file that are parsed at once."""

MOST_REQUESTS = 20_000_000
"""Requests a trace may have in memory, where no limit is given; about 1 GB without prefixes."""

MOST_FAULTS = 20
"""Faults that are told before reading stops."""


class TraceError(UserError):
    """A trace that cannot be read: every fault found, each at its line."""

    def __init__(self, name: str, faults: Sequence[tuple[int, str]], more: bool = False) -> None:
        self.faults = tuple(faults)
        count = f"{len(faults)}{' or more' if more else ''}"
        head = f"{count} problem{'s' if len(faults) != 1 else ''} in the trace {name}"
        lines = [f"  {name}:{line}: {text}" if line else f"  {name}: {text}" for line, text in faults]
        super().__init__("\n".join([head, *lines]))


@dataclass(frozen=True, eq=False)
class Trace:
    """Requests in order of arrival; all arrays but `keys` have one value a request.

    arrival_s      [s], rising
    input, output  tokens of the prompt (images and video included) and of the answer, at least 1
    encoded        of the prompt's tokens, those of images and video: they pass the vision encoder
    rank           urgency: 0 goes first
    offset, keys   `keys[offset[i]:offset[i + 1]]` name the prefixes of i's prompt that end at each whole
                   block of `block_tokens` tokens; equal prefixes have equal keys
    """

    name: str
    arrival_s: Floats
    input: Shorts
    output: Shorts
    encoded: Shorts
    rank: Bytes
    offset: Ints
    keys: Ints
    block_tokens: int

    def __len__(self) -> int:
        return len(self.arrival_s)

    @property
    def span_s(self) -> float:
        """Seconds between the first and the last arrival."""
        return float(self.arrival_s[-1] - self.arrival_s[0]) if len(self) else 0.0


def trace_of(
    arrival_s: Any,
    input_tokens: Any,
    output_tokens: Any,
    *,
    hashes: Sequence[Sequence[int]] = (),
    encoded: Any = None,
    rank: Any = None,
    block_tokens: int = 512,
    name: str = "requests",
) -> Trace:
    """A trace from plain numbers, for tests and for traces that a program makes; `hashes` are a block's own.

    >>> trace = trace_of([0.0, 1.0], [1024, 1500], [3, 4], hashes=[[7, 8], [7, 9]])
    >>> bool(trace.keys[0] == trace.keys[2]), bool(trace.keys[1] == trace.keys[3])
    (True, False)
    """
    count = len(arrival_s)
    lengths = [len(each) for each in hashes] if len(hashes) else [0] * count
    offset = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
    flat = np.array([value for each in hashes for value in each], np.int64)
    return Trace(
        name,
        np.array(arrival_s, np.float64),
        np.array(input_tokens, np.int32),
        np.array(output_tokens, np.int32),
        np.zeros(count, np.int32) if encoded is None else np.array(encoded, np.int32),
        np.zeros(count, np.int8) if rank is None else np.array(rank, np.int8),
        offset,
        chained_keys(flat, offset),
        block_tokens,
    )


def chained_keys(hashes: Ints, offset: Ints) -> Ints:
    """Keys of prefixes from the hashes of their blocks: each is mixed from the one before and its own hash.

    Two prefixes that differ share a key with a probability of 2**-64.
    """
    keys = np.empty(len(hashes), np.uint64)
    raw = hashes.astype(np.int64).view(np.uint64)
    lengths = np.diff(offset)
    order = np.argsort(-lengths, kind="stable")
    starts, ends = offset[:-1][order], np.searchsorted(-lengths[order], 0, side="left")
    starts, sizes = starts[:ends], lengths[order][:ends]
    before = np.zeros(len(starts), np.uint64)
    for depth in range(int(sizes[0]) if len(sizes) else 0):
        live = int(np.searchsorted(-sizes, -depth, side="left"))
        at = starts[:live] + depth
        before = mixed((before[:live] ^ raw[at]) + GOLDEN)
        keys[at] = before
    return keys.view(np.int64)


def read_trace(
    source: Path | IO[bytes], *, limit: int | None = None, sort: bool = False, name: str | None = None
) -> Trace:
    """The requests of a file, or of a stream of bytes; with `limit`, reading ends after so many.

    Azure CSV       TIMESTAMP,ContextTokens,GeneratedTokens; time is counted from the first request
    Mooncake JSONL  timestamp [ms], input_length, output_length, hash_ids (blocks of 512 tokens)
    our own         CSV or Parquet with arrival_s, input_tokens, output_tokens, and any of prefix_hashes
                    (blocks of 512 tokens; in CSV separated by blanks), prefix_id with prefix_tokens,
                    image_tokens, video_tokens, priority (0 first); other columns are left alone

    Raises TraceError with the lines of what is wrong: up to 20 of them.
    """
    label = name or (str(source) if isinstance(source, Path) else "<stream>")
    if limit is not None and limit < 1:
        raise UserError(f"limit is {limit}; it must be at least 1 request")
    try:
        if isinstance(source, Path):
            with source.open("rb") as opened:
                return _read(opened, label, limit, sort)
        return _read(source, label, limit, sort)
    except OSError as error:
        raise TraceError(label, [(0, f"cannot be read: {error.strerror or error}")]) from error


def _read(stream: IO[bytes], name: str, limit: int | None, sort: bool) -> Trace:
    """Batches of a stream, put together."""
    kept: list[Batch] = []
    count, last = 0, -np.inf
    most = limit if limit is not None else MOST_REQUESTS + 1
    faults: list[tuple[int, str]] = []
    for batch in _batches(stream, name):
        taken = batch.head(most - count)
        faults += taken.faults
        if not sort:
            faults += taken.backward(last)
        if len(faults) >= MOST_FAULTS:
            break
        if len(taken):
            last = max(last, float(taken.arrival.max()))
            kept.append(taken.packed())
            count += len(taken)
        if count >= most:
            break
    if faults:
        faults.sort()
        raise TraceError(name, faults[:MOST_FAULTS], len(faults) >= MOST_FAULTS)
    if count > MOST_REQUESTS and limit is None:
        raise TraceError(
            name, [(0, f"more than {MOST_REQUESTS:,} requests; take the first N with --limit N")]
        )
    if not count:
        raise TraceError(name, [(0, "there are no requests in it")])
    return _joined(kept, name, sort)


def _batches(stream: IO[bytes], name: str) -> Iterator[Batch]:
    from gigawright.workloads.requests.trace_files import batches

    return batches(stream, name)


def _joined(kept: Sequence[Batch], name: str, sort: bool) -> Trace:
    def column(each: str, kind: Any) -> Any:
        return np.concatenate([getattr(batch, each) for batch in kept]).astype(kind, copy=False)

    lengths = column("blocks", np.int64)
    trace = Trace(
        name,
        column("arrival", np.float64),
        column("input", np.int32),
        column("output", np.int32),
        column("encoded", np.int32),
        column("rank", np.int8),
        np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
        column("keys", np.int64),
        kept[0].block_tokens,
    )
    return rearranged(trace, np.argsort(trace.arrival_s, kind="stable")) if sort else trace


def rearranged(trace: Trace, order: Ints) -> Trace:
    """The requests in another order, or some of them."""
    starts, lengths = trace.offset[:-1][order], np.diff(trace.offset)[order]
    offset = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    at = np.arange(offset[-1]) + np.repeat(starts - offset[:-1], lengths)
    return replace(
        trace,
        arrival_s=trace.arrival_s[order],
        input=trace.input[order],
        output=trace.output[order],
        encoded=trace.encoded[order],
        rank=trace.rank[order],
        offset=offset,
        keys=trace.keys[at],
    )


def faster(trace: Trace, speed: float) -> Trace:
    """The trace with time running `speed` times as fast.

    >>> faster(trace_of([0.0, 3.0], [1, 1], [1, 1]), 1.5).arrival_s.tolist()
    [0.0, 2.0]
    """
    if not (np.isfinite(speed) and speed > 0):
        raise UserError(f"speed is {speed:g}; it must be above 0")
    first = trace.arrival_s[0]
    return replace(trace, arrival_s=first + (trace.arrival_s - first) / speed)


def poisson(trace: Trace, rate: float, seed: int) -> Trace:
    """The same requests in the same order, arriving as a Poisson process of `rate` a second."""
    if not (np.isfinite(rate) and rate > 0):
        raise UserError(f"rate is {rate:g}; it must be above 0 requests a second")
    gaps = np.random.default_rng(seed).exponential(1.0 / rate, len(trace))
    return replace(trace, arrival_s=np.cumsum(gaps))
