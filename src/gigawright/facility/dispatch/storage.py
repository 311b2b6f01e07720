"""The cheapest path of one store's level through its cycles, exact: an order book that is walked backwards.

V_t(s), the least cost from step t on with s MWh stored, is convex and piecewise linear. It is kept as a book
of (value, width): what each further MWh stored is worth, from the first (worth most) to the last. One step
back, V_t(s) = min over s' in [0, E] of C_t(s' - s) + V_{t+1}(s'), is an infimal convolution: the hour's own
pieces are sorted into the book, as much is cut off its head as the hour can charge, and what lies beyond E
falls off its tail. A cycle ends as it began: the book of its start is carried to its end until nothing
changes; where that takes too long, the end's MWh is given a price, which is searched for.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.facility.dispatch.compiled import inner

LAPS = 3
"""Times the book or the level is carried around a cycle before a price at its end is searched for."""
SEARCHES = 60
SLIVER = 1e-3
"""Widths below this share of `close` are rounding."""


class Pieces(NamedTuple):
    """What changing the level costs in each step: slopes in rising order and widths [step, piece].

    `number` and `highest` [step]: their number, and the highest change. `kept`: share of the level a step
    leaves; `energy` of the store [MWh]. A level nearer than `close` to where the worth changes stands on the
    edge of both.
    """

    slope: Floats
    width: Floats
    number: Ints
    highest: Floats
    kept: float
    energy: float
    close: float


class Room(NamedTuple):
    """Room for the books, for where the book of each step lies, and for three paths of levels."""

    value: Floats
    width: Floats
    start: Ints
    length: Ints
    path: Floats
    falling: Floats
    rising: Floats


def room_for(steps: int, entries: int) -> Room:
    """Fresh room for so many entries of books."""
    paths = np.zeros((3, steps + 1))
    places = np.zeros((2, steps + 1), np.int64)
    return Room(np.zeros(entries), np.zeros(entries), *places, *paths)


@inner
def _back(t: int, pieces: Pieces, room: Room, at: int) -> int:
    """The book of step t from that of t + 1, written at `at`; returns where the next may be written."""
    value, width, skip = room.value, room.width, pieces.highest[t]
    own, end = room.start[t + 1], room.start[t + 1] + room.length[t + 1]
    left = pieces.energy * pieces.kept
    begin, sliver, k = at, SLIVER * pieces.close, pieces.number[t] - 1
    while left > sliver and (own < end or k >= 0):
        if k < 0 or (own < end and value[own] >= pieces.slope[t, k]):
            worth, part = value[own], width[own]
            own += 1
        else:
            worth, part = pieces.slope[t, k], pieces.width[t, k]
            k -= 1
        cut = min(skip, part)
        skip -= cut
        part = min(part - cut, left)
        if part <= sliver:
            continue
        left -= part
        worth *= pieces.kept
        if at > begin and value[at - 1] == worth:
            width[at - 1] += part / pieces.kept
        else:
            value[at], width[at] = worth, part / pieces.kept
            at += 1
    room.start[t], room.length[t] = begin, at - begin
    return at


@inner
def _ahead(t: int, level: float, worth: float, pieces: Pieces, room: Room) -> tuple[float, float, float]:
    """The level after step t, what a MWh stored is worth there, as near to `worth` as the book allows, and
    the step's cost less that of charging as much as it can.
    """
    value, width = room.value, room.width
    own, end = room.start[t + 1], room.start[t + 1] + room.length[t + 1]
    left, cost = max(pieces.highest[t] + pieces.kept * level, 0.0), 0.0
    above, below, after, k, close = np.inf, -np.inf, 0.0, pieces.number[t] - 1, pieces.close
    while own < end or k >= 0:
        kept = k < 0 or (own < end and value[own] >= pieces.slope[t, k])
        each, part = (value[own], width[own]) if kept else (pieces.slope[t, k], pieces.width[t, k])
        take = min(part, left)
        left -= take
        after += take if kept else 0.0
        cost -= 0.0 if kept else take * each
        above = each if take > close else above
        if part - take > close:
            below = each
            break
        own, k = (own + 1, k) if kept else (own, k - 1)
    # What an empty store is worth may fall at will, but need not rise for what it would lose.
    carried = worth / pieces.kept
    if level <= pieces.close:
        carried = min(carried, worth)
    return min(after, pieces.energy), min(max(carried, below), above), cost


@inner
def _apart(room: Room, start: int, length: int, other: int, others: int) -> float:
    """Area between two books."""
    area, i, j, used_i, used_j = 0.0, 0, 0, 0.0, 0.0
    while i < length and j < others:
        a, b = room.width[start + i] - used_i, room.width[other + j] - used_j
        part = min(a, b)
        area += part * abs(room.value[start + i] - room.value[other + j])
        used_i += part
        used_j += part
        if a <= b:
            i, used_i = i + 1, 0.0
        if b <= a:
            j, used_j = j + 1, 0.0
    return area


@inner
def _books(begin: int, end: int, worth: float, pieces: Pieces, room: Room, laps: int) -> int:
    """Books of all steps of a cycle. 1: the last lap changed nothing; 0: it did; -1: no room was left.

    Laps write to the two halves of the room by turns, since each is compared with the one before.
    """
    half = len(room.value) // 2
    room.value[0], room.width[0] = worth, pieces.energy
    room.start[end], room.length[end] = 0, 1
    for lap in range(laps):
        if lap > 0:
            room.start[end], room.length[end] = room.start[begin], room.length[begin]
        at, most = (1, half) if lap % 2 == 0 else (half, 2 * half)
        for t in range(end - 1, begin - 1, -1):
            if at + room.length[t + 1] + pieces.number[t] > most:
                return -1
            before, count = room.start[t], room.length[t]
            at = _back(t, pieces, room, at)
            if lap > 0:
                scale = abs(room.value[before]) + abs(room.value[before + count - 1]) + 1e-9
                apart = _apart(room, room.start[t], room.length[t], before, count)
                if apart <= 1e-2 * pieces.close * scale:
                    return 1
    return 0


@inner
def _walk(
    begin: int, end: int, level: Floats, worth: Floats, first: float, carried: float,
    pieces: Pieces, room: Room,
) -> bool:  # fmt: skip
    """Follow the books from a level until the path meets its own from the lap before; False if it never does.

    `level[t]` is the level at the start of step t, `worth[t]` what a MWh is worth at its end.
    """
    for lap in range(LAPS):
        for t in range(begin, end):
            after, value, _ = _ahead(t, first, carried, pieces, room)
            same = lap > 0 and abs(level[t] - first) <= 1e-2 * pieces.close
            level[t], first, carried = first, after, value
            if same and worth[t] == value:
                return True
            worth[t] = value
    return False


@inner
def _level_at_price(begin: int, price: float, room: Room) -> float:
    """The level beyond which a MWh at the start of the cycle is worth no more than the price."""
    level = 0.0
    for k in range(room.start[begin], room.start[begin] + room.length[begin]):
        if room.value[k] <= price:
            break
        level += room.width[k]
    return level


@inner
def _at_price(
    begin: int, end: int, price: float, worth: Floats,
    pieces: Pieces, room: Room,
) -> tuple[int, float]:  # fmt: skip
    """The cheapest path where a MWh at the cycle's end beyond that at its start earns a price, and its cost.

    The first is -1 where the books need more room.
    """
    if _books(begin, end, price, pieces, room, 1) < 0:
        return -1, 0.0
    path, total = room.path, 0.0
    path[0], carried = min(_level_at_price(begin, price, room), pieces.energy), price
    for t in range(begin, end):
        at = t - begin
        path[at + 1], carried, cost = _ahead(t, path[at], carried, pieces, room)
        worth[t] = carried
        total += cost
    return 1, total - price * (path[end - begin] - path[0])


@inner
def _mix(begin: int, count: int, level: Floats, first: Floats, second: Floats, share: float) -> None:
    """Levels from `begin` on as a mixture of two paths."""
    for t in range(count):
        level[begin + t] = share * first[t] + (1.0 - share) * second[t]


@inner
def _search(
    begin: int, end: int, level: Floats, worth: Floats,
    pieces: Pieces, room: Room,
) -> int:  # fmt: skip
    """The price of a MWh at the cycle's end at which the level ends as it began.

    The least cost is concave and piecewise linear in that price, with slope start - end. The tangents on both
    sides meet above it; where it touches them there, the paths on both sides are both best, and so is their
    mixture that ends as it began.
    """
    count = end - begin
    low, high, low_cost, high_cost = -np.inf, np.inf, 0.0, 0.0
    path, falling, rising = room.path, room.falling, room.rising
    price = room.value[room.start[begin] + room.length[begin] // 2]
    stride, down, up = 0.02 * abs(price) + 1e-3, 0.0, 0.0
    for _ in range(SEARCHES):
        found, cost = _at_price(begin, end, price, worth, pieces, room)
        if found < 0:
            return -1
        slope = path[0] - path[count]
        if abs(slope) <= pieces.close:
            _mix(begin, count, level, path, path, 1.0)
            return 1
        if down > 0.0 and up > 0.0:
            line = low_cost + down * (price - low)
            if cost >= line - 1e-12 * (abs(line) + abs(price) * pieces.energy):
                break
        if slope > 0.0:
            low, low_cost, down = price, cost, slope
            _mix(0, count, falling, path, path, 1.0)
        else:
            high, high_cost, up = price, cost, -slope
            _mix(0, count, rising, path, path, 1.0)
        if down > 0.0 and up > 0.0:
            price = (high_cost - low_cost + down * low + up * high) / (down + up)
        else:
            price += stride if slope > 0.0 else -stride
            stride *= 4.0
    _mix(begin, count, level, falling, rising, up / (up + down))
    return 1


@inner
def cycle_levels(
    begin: int, end: int, guess: float, level: Floats, worth: Floats,
    pieces: Pieces, room: Room,
) -> bool:  # fmt: skip
    """Level and worth of the steps of one cycle; False where the books need more room."""
    settled = _books(begin, end, guess, pieces, room, LAPS)
    if settled < 0:
        return False
    if settled == 1 and _walk(begin, end, level, worth, 0.0, guess, pieces, room):
        return True
    return _search(begin, end, level, worth, pieces, room) > 0
