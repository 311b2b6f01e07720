"""Where embedding rows live and how many look-ups each place answers: caches, device, host, SSD, shards.

A store of some bytes keeps the rows that are looked up most often: those of small, busy tables first, and of
a skewed table its top rows. For a table of N rows whose r-th row is looked up in proportion to r^-s,

    hit(h) = H(h, s) / H(N, s),   H(n, s) = sum over r = 1..n of r^-s

(Breslau et al. 1999, Web caching and Zipf-like distributions, INFOCOM, section IV: an ideal cache). H by
Euler and Maclaurin beyond the first rows.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from gigawright.arrays import Floats
from gigawright.workloads.recommender.sizes import Tables

EXACT_ROWS = 32
"""Rows that are summed one by one; the rest by the integral and its first corrections."""

CHUNKS = 64
"""Pieces that a table is cut into where a store is filled; finer ones move the hit rate by less than 1%."""

MOST_SLICES = 8
"""Columns that a row is cut into at most before its table is cut by rows; assumption: an fp32 row of 128
values then still fills a burst of memory."""

Sharding = Literal["rows", "tables", "columns", "mixed"]


def harmonic(rows: float, skew: float) -> float:
    """H(n, s) = sum of r^-s for r = 1 to n; fractions of a row count in proportion.

    >>> round(harmonic(3, 1.0), 6), harmonic(10, 0.0)
    (1.833333, 10.0)
    """
    whole = math.floor(rows)
    if whole <= EXACT_ROWS:
        part = (rows - whole) * math.pow(whole + 1, -skew)
        return math.fsum(math.pow(rank, -skew) for rank in range(1, whole + 1)) + part
    first = math.fsum(math.pow(rank, -skew) for rank in range(1, EXACT_ROWS))
    a, b = float(EXACT_ROWS), rows
    high, low = math.pow(b, 1 - skew), math.pow(a, 1 - skew)
    between = math.log(b / a) if skew == 1 else (high - low) / (1 - skew)
    ends = (low / a + high / b) / 2
    bend = skew * (low / a**2 - high / b**2) / 12
    return first + between + ends + bend


def hit_rate(kept: float, rows: float, skew: float) -> float:
    """Share of look-ups that the `kept` most used of `rows` rows answer.

    >>> hit_rate(10, 100, 0.0), round(hit_rate(10, 100, 1.0), 3), hit_rate(200, 100, 1.0)
    (0.1, 0.565, 1.0)
    """
    if kept <= 0:
        return 0.0
    return 1.0 if kept >= rows else harmonic(kept, skew) / harmonic(rows, skew)


@dataclass(frozen=True)
class Filled:
    """Look-ups of each table that a store answers, and those left over [tables]; `bytes` it holds."""

    answered: Floats
    left: Floats
    bytes: float


def fill(tables: Tables, lookups: Floats, value_bytes: float, store: float) -> Filled:
    """A store of `store` bytes filled with the rows that answer most look-ups a byte.

    Tables are cut into pieces of falling use; the best pieces go in until the store is full.

    >>> one = np.ones(1)
    >>> fill(Tables(100 * one, one, one, one, 0 * one), 8 * one, 2.0, 50.0).answered.tolist()
    [2.0]
    """
    answered, held = np.zeros(len(lookups)), 0.0
    for _, table, share, size in _pieces(tables, lookups, value_bytes):
        part = min(1.0, (store - held) / size) if size else 1.0
        if part <= 0:
            break
        answered[table] += part * share
        held += part * size
    return Filled(answered, np.maximum(0.0, lookups - answered), held)


def _pieces(tables: Tables, lookups: Floats, value_bytes: float) -> list[tuple[float, int, float, float]]:
    """(- look-ups a byte, table, look-ups, bytes) of all pieces, best first."""
    found = []
    for table, (rows, width, skew) in enumerate(zip(tables.rows, tables.width, tables.skew, strict=True)):
        edges = _edges(float(rows), float(skew))
        total = harmonic(float(rows), float(skew))
        for low, high in pairwise(edges):
            below = harmonic(low, float(skew)) if low else 0.0
            share = float(lookups[table]) * (harmonic(high, float(skew)) - below) / total
            size = (high - low) * float(width) * value_bytes
            found.append((-share / size, table, share, size))
    return sorted(found)


def _edges(rows: float, skew: float) -> list[float]:
    """Ranks that cut a table into pieces: one for even use, geometric ones otherwise."""
    if skew == 0 or rows <= 2:
        return [0.0, rows]
    return [0.0, *np.geomspace(1.0, rows, CHUNKS).tolist()]


@dataclass(frozen=True)
class Shards:
    """How tables are split over `group` accelerators.

    A row of a table is cut into `slices` (columns), each of which lies on one of `cuts` accelerators (rows);
    `copied` tables are whole on each accelerator (1, else 0) [tables]. `busiest` is the look-up work of the
    busiest accelerator over the mean, `fullest` the same of bytes (1: even).
    """

    group: int
    by: Sharding
    slices: Floats
    cuts: Floats
    copied: Floats
    busiest: float = 1.0
    fullest: float = 1.0


def alone(tables: Tables) -> Shards:
    """No shards: each accelerator has all that device memory holds."""
    one = np.ones(len(tables.rows))
    return Shards(1, "rows", one, one, one)


def shard(tables: Tables, lookups: Floats, group: int, by: Sharding, vectors: float = 0.0) -> Shards:
    """Tables over `group` accelerators.

    By rows or columns every accelerator has a part of each table, so both are even. Whole tables are dealt
    out, longest first, to the accelerator with least work so far (Graham 1969, SIAM Journal on Applied
    Mathematics 17(2): at most 4/3 of the best). Mixed: tables with fewer rows than an accelerator has pooled
    `vectors` are copied; others are cut until no piece has more than an accelerator's share of the work, into
    up to `MOST_SLICES` columns and then rows.

    >>> one = np.ones(3)
    >>> shard(Tables(one, one, one, one, one), np.array([4.0, 2.0, 2.0]), 2, "tables").busiest
    1.0
    >>> shard(Tables(one, one, one, one, one), np.array([6.0, 1.0, 1.0]), 2, "tables").busiest
    1.5
    >>> shard(Tables(one, one, one, one, one), np.array([6.0, 1.0, 1.0]), 2, "mixed").busiest
    1.0
    """
    one = np.ones(len(lookups))
    if group <= 1 or not len(lookups):
        return alone(tables)
    if by == "mixed":
        return _mixed(tables, lookups, group, vectors)
    if by == "tables":
        work, size = lookups * tables.width, tables.rows * tables.width
        busiest, fullest = _dealt(work.tolist(), group), _dealt(size.tolist(), group)
        return Shards(group, by, one, one, 0 * one, busiest, fullest)
    whole = group * one
    return Shards(group, by, one if by == "rows" else whole, whole if by == "rows" else one, 0 * one)


def _mixed(tables: Tables, lookups: Floats, group: int, vectors: float) -> Shards:
    """Small tables copied, the others in pieces that are dealt out."""
    copied = np.where(tables.rows < vectors, 1.0, 0.0)
    work, size = lookups * tables.width * (1 - copied), tables.rows * tables.width * (1 - copied)
    share = np.maximum(work / max(work.sum(), 1e-300), size / max(size.sum(), 1e-300)) * group
    pieces = np.clip(np.ceil(share - 1e-9), 1, group)
    slices = np.minimum(pieces, MOST_SLICES)
    cuts = np.ceil(pieces / slices)
    count = (slices * cuts).astype(int)
    each = [np.repeat(value / count, count).tolist() for value in (work, size)]
    return Shards(group, "mixed", slices, cuts, copied, *(_dealt(values, group) for values in each))


def _dealt(weights: Sequence[float], group: int) -> float:
    """The heaviest of `group` piles over their mean."""
    piles = [0.0] * group
    for weight in sorted(weights, reverse=True):
        heapq.heapreplace(piles, piles[0] + weight)
    return max(piles) * group / sum(piles) if sum(piles) else 1.0
