"""Rows of a trace as columns, and what each column may hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigawright.arrays import Bools, Floats, Ints
from gigawright.workloads.requests.traces import chained_keys

MOST_TOKENS = 1 << 24
"""Tokens of a prompt or an answer at most."""

MOST_SECONDS = 1e10
"""Arrival times are at most so large, so that a float still tells microseconds."""

MOST_RANK = 7
"""The least urgent priority."""

BLOCK_TOKENS = 512
"""Tokens of a prefix block in a trace: that of Mooncake's (Qin et al. 2024, arXiv:2407.00079)."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Some rows of a trace: columns, the lines they stand on, and faults found on the way.

    `blocks` counts the keys of each row in `keys`.
    """

    arrival: Floats
    input: NDArray[np.integer]
    output: NDArray[np.integer]
    encoded: NDArray[np.integer]
    rank: NDArray[np.integer]
    blocks: NDArray[np.integer]
    keys: Ints
    line: Ints
    block_tokens: int = BLOCK_TOKENS
    faults: list[tuple[int, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.arrival)

    def head(self, most: int) -> Batch:
        """The first rows, with the faults up to the last of them."""
        if most > len(self):
            return self
        last = int(self.line[most - 1]) if most > 0 else 0
        cut = slice(0, most)
        return Batch(
            self.arrival[cut],
            self.input[cut],
            self.output[cut],
            self.encoded[cut],
            self.rank[cut],
            self.blocks[cut],
            self.keys[: int(self.blocks[cut].sum())],
            self.line[cut],
            self.block_tokens,
            [fault for fault in self.faults if fault[0] <= last],
        )

    def packed(self) -> Batch:
        """The rows as a trace keeps them: in small types, without lines and without keys of broken blocks."""
        whole = np.minimum(self.blocks, self.input // self.block_tokens)
        starts = np.cumsum(self.blocks) - self.blocks
        place = np.arange(len(self.keys)) - np.repeat(starts, self.blocks)
        return Batch(
            self.arrival,
            self.input.astype(np.int32),
            self.output.astype(np.int32),
            self.encoded.astype(np.int32),
            self.rank.astype(np.int8),
            whole.astype(np.int32),
            self.keys[place < np.repeat(whole, self.blocks)],
            self.line[:0],
            self.block_tokens,
        )

    def backward(self, last: float) -> list[tuple[int, str]]:
        """Rows whose time is before that of the row above, `last` being the one above the first."""
        above = np.concatenate([[last], self.arrival[:-1]])
        back = np.flatnonzero(self.arrival < above)[:20]
        return [
            (
                int(self.line[at]),
                f"time goes back, from {above[at]:.10g} to {self.arrival[at]:.10g} s; requests must come in "
                "order of time (or pass --sort)",
            )
            for at in back
        ]


def batch_of(columns: dict[str, Any], line: Ints, seconds: Floats | None = None) -> Batch:
    """Columns of whole numbers that were checked, as a batch; `hashes` and `blocks` are chained into keys."""
    count = len(line)
    zeros = np.zeros(count, np.int64)
    hashes = np.asarray(columns.get("hashes", ()), np.int64)
    blocks = np.asarray(columns.get("blocks", zeros), np.int64)
    offset = np.concatenate([[0], np.cumsum(blocks)]).astype(np.int64)
    return Batch(
        np.asarray(columns["arrival"] if seconds is None else seconds, np.float64),
        np.asarray(columns["input"], np.int64),
        np.asarray(columns["output"], np.int64),
        np.asarray(columns.get("encoded", zeros), np.int64),
        np.asarray(columns.get("rank", zeros), np.int64),
        blocks,
        chained_keys(hashes, offset),
        np.asarray(line, np.int64),
    )


def sound(batch: Batch) -> bool:
    """Whether every row may stand as it is; if not, the row by row reader tells why."""
    tokens = batch.input
    good: Bools = np.isfinite(batch.arrival) & (np.abs(batch.arrival) <= MOST_SECONDS)
    good &= (tokens >= 1) & (tokens <= MOST_TOKENS) & (batch.output >= 1) & (batch.output <= MOST_TOKENS)
    good &= (batch.encoded >= 0) & (batch.encoded <= tokens)
    good &= (batch.rank >= 0) & (batch.rank <= MOST_RANK)
    good &= batch.blocks * BLOCK_TOKENS < tokens + BLOCK_TOKENS
    return bool(good.all())
