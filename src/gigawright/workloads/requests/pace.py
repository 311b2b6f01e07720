"""What an iteration of one replica costs: the bridge from the closed form to the simulator of requests.

A replica is a group of accelerators that holds the model once. The closed form fills a `Pace`; the
simulator and the closed form both ask `iteration_seconds`, so the two cannot disagree about a cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gigawright.arrays import Floats
from gigawright.errors import UserError

WATERMARK = 0.01
"""Share of KV blocks that admission leaves free for growth; assumption: that of vLLM's first scheduler."""

MOST_BLOCKS = 1 << 31
"""KV blocks a replica may have."""

MOST_SEQUENCES = 1 << 16
"""Sequences that may run at once in a replica."""


class PaceError(UserError):
    """A pace that no replica can have."""


class Rates(NamedTuple):
    """The costs of a pace as compiled code takes them; names and units as in `Pace`."""

    tokens_s: Floats
    context_s: float
    window_s: float
    pair_s: float
    window_pair_s: float
    encode_s: float
    draft_s: float
    swap_s: float


def iteration_seconds(
    rates: Rates,
    prefill_tokens: int,
    decode_tokens: int,
    context_sum: int,
    window_sum: int,
    pairs: int,
    window_pairs: int,
    encoded: int,
    drafts: int,
    swapped: int,
) -> float:
    """Seconds of one iteration of a replica: the sum of its parts.

    `prefill_tokens` and `decode_tokens` are computed in all (a speculating sequence computes 1 + drafted
    tokens); `context_sum` KV tokens are read by decoding sequences, `window_sum` by those of their layers
    that see a window; `pairs` query-key pairs are formed by prefill attention, `window_pairs` within the
    window; `encoded` tokens pass the vision encoder; `drafts` is 1 where the draft model runs; `swapped` KV
    tokens move between host and device. It has no branch, so arrays work as well as numbers.

    >>> rates = Pace(np.array([1e-3, 2e-3, 3e-3]), blocks=8, max_sequences=2, context_s=1e-6).rates
    >>> float(iteration_seconds(rates, 0, 2, 1000, 0, 0, 0, 0, 0, 0))
    0.004
    """
    seconds: float = (
        rates.tokens_s[prefill_tokens + decode_tokens]
        + rates.context_s * context_sum
        + rates.window_s * window_sum
        + rates.pair_s * pairs
        + rates.window_pair_s * window_pairs
        + rates.encode_s * encoded
        + rates.draft_s * drafts
        + rates.swap_s * swapped
    )
    return seconds


@dataclass(frozen=True, eq=False)
class Pace:
    """What one replica can hold and what its iterations cost.

    tokens_s        [s] of an iteration that computes n tokens in all, n = 0 .. chunk budget: products,
                    experts, traffic, launches and host; shape [chunk budget + 1]
    blocks          KV blocks of the replica, each of `block_tokens` tokens
    max_sequences   sequences that run at once
    context_s       [s] a KV token read by decoding sequences; `window_s` the same in layers that see the
                    last `window` tokens only (0: there are none)
    pair_s          [s] a query-key pair of prefill attention, causal; `window_pair_s` within the window
    encode_s        [s] an image or video token in the vision encoder
    draft_tokens    tokens drafted a step (0: no speculation), each accepted with probability `acceptance`
                    where those before it were; `draft_s` [s] a step of the draft model
    swap_s          [s] a KV token moved between host and device, where preemption swaps
    watermark       share of blocks that admission leaves free

    Raises PaceError.
    """

    tokens_s: Floats
    blocks: int
    max_sequences: int
    block_tokens: int = 16
    context_s: float = 0.0
    window_s: float = 0.0
    window: int = 0
    pair_s: float = 0.0
    window_pair_s: float = 0.0
    encode_s: float = 0.0
    draft_tokens: int = 0
    acceptance: float = 0.0
    draft_s: float = 0.0
    swap_s: float = 0.0
    watermark: float = WATERMARK

    def __post_init__(self) -> None:
        object.__setattr__(self, "tokens_s", np.ascontiguousarray(self.tokens_s, np.float64))
        wrong = [text for text, bad in self._faults() if bad]
        if wrong:
            raise PaceError("no replica has this pace: " + "; ".join(wrong))

    def _faults(self) -> list[tuple[str, bool]]:
        costs = (*self.rates[1:],)
        table = self.tokens_s
        least = self.max_sequences * (1 + self.draft_tokens)
        good = table.ndim == 1 and table.size > 1 and bool(np.all(np.isfinite(table) & (table >= 0)))
        return [
            ("tokens_s must be at least two finite seconds, none negative", not good),
            ("costs must be finite and not negative", not all(np.isfinite(c) and c >= 0 for c in costs)),
            (f"blocks must be from 1 to {MOST_BLOCKS}", not 1 <= self.blocks <= MOST_BLOCKS),
            ("block_tokens must be at least 1", self.block_tokens < 1),
            (
                f"max_sequences must be from 1 to {MOST_SEQUENCES}",
                not 1 <= self.max_sequences <= MOST_SEQUENCES,
            ),
            (
                f"the chunk budget of {self.chunk:,} tokens (len(tokens_s) - 1) is below the {least:,} that "
                f"{self.max_sequences:,} decoding sequences take",
                good and self.chunk < least,
            ),
            ("acceptance must be from 0 to 1", not 0 <= self.acceptance <= 1),
            ("window and draft_tokens must not be negative", min(self.window, self.draft_tokens) < 0),
            ("watermark must be from 0 up to 1", not 0 <= self.watermark < 1),
        ]

    @property
    def chunk(self) -> int:
        """Tokens an iteration computes at most."""
        return len(self.tokens_s) - 1

    @property
    def watermark_blocks(self) -> int:
        """Blocks that admission leaves free."""
        return int(self.watermark * self.blocks)

    @property
    def kv_tokens(self) -> int:
        """Tokens whose keys and values a replica can hold."""
        return self.blocks * self.block_tokens

    @property
    def rates(self) -> Rates:
        """The costs alone."""
        return Rates(
            self.tokens_s,
            float(self.context_s),
            float(self.window_s),
            float(self.pair_s),
            float(self.window_pair_s),
            float(self.encode_s),
            float(self.draft_s),
            float(self.swap_s),
        )


@dataclass(frozen=True, eq=False)
class Disaggregated:
    """Prefill and decode in replicas of their own; `transfer_s` [s] moves one KV token between them.

    Each prefill replica sends one sequence after the other, in the order they end. Raises PaceError.
    """

    prefill: Pace
    decode: Pace
    transfer_s: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.transfer_s) and self.transfer_s >= 0):
            raise PaceError(f"transfer_s is {self.transfer_s}; it must be finite and not negative")


def linear_pace(
    base_s: float,
    token_s: float,
    *,
    chunk: int,
    blocks: int,
    max_sequences: int,
    least_tokens: int = 0,
    context_s: float = 0.0,
    pair_s: float = 0.0,
    block_tokens: int = 16,
) -> Pace:
    """A pace whose iterations take `base_s` and `token_s` a token, up to `least_tokens` tokens for free.

    For examples and tests; a real replica's pace comes from the closed form.

    >>> linear_pace(0.01, 1e-4, chunk=4, blocks=10, max_sequences=2, least_tokens=2).tokens_s.tolist()
    [0.01, 0.01, 0.01, 0.0101, 0.0102]
    """
    paid = np.maximum(np.arange(chunk + 1) - least_tokens, 0)
    return Pace(
        base_s + token_s * paid,
        blocks,
        max_sequences,
        block_tokens=block_tokens,
        context_s=context_s,
        pair_s=pair_s,
    )
