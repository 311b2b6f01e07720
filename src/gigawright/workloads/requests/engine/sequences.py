"""Sequences that run in a replica: their seats, their KV blocks, and the calendar of what happens to them.

All decoding sequences gain one token an iteration, so a sequence that starts at step d with a context of L
tokens has L + k tokens at step d + k: sums over sequences move by their number, a block boundary comes to
those of one residue of (d - L) modulo the block at once, and the end of each is known when it starts.
"""

from __future__ import annotations

from gigawright.workloads.requests.engine.compiled import compiled, merged
from gigawright.workloads.requests.engine.layout import (
    AFTER,
    AT,
    BEFORE,
    BLOCKED,
    CALENDAR,
    CLASS,
    CONTEXT,
    CROSSED,
    DECODING,
    DUE,
    FREE,
    FRESH,
    GROWING,
    HEAD,
    LEAF,
    LENGTH,
    NONE,
    OFFSET,
    OLDER,
    OLDEST,
    PARENT,
    PREEMPTED,
    PREFILLING,
    PRIVATE,
    REQUEST,
    RESIDUE,
    ROOM,
    RUNNING,
    SEATS,
    SHARED,
    STEP,
    SWAPPED,
    SWAPPED_OUT,
    SWAPPING,
    TAIL,
    WINDOW,
    YOUNGER,
    YOUNGEST,
    Marks,
    Rule,
    State,
    Work,
)
from gigawright.workloads.requests.engine.pool import drop_block, leave_path


@merged
def sit_down(one: State, request: int, rank: int) -> int:
    """Give a request a seat as the youngest of its class."""
    seat: int = one.number[SEATS]
    one.number[SEATS] = one.seat[seat, YOUNGER]
    one.number[RUNNING] += 1
    youngest = one.line[rank, YOUNGEST]
    one.seat[seat, REQUEST] = request
    one.seat[seat, CLASS] = rank
    one.seat[seat, OLDER] = youngest
    one.seat[seat, YOUNGER] = NONE
    if youngest >= 0:
        one.seat[youngest, YOUNGER] = seat
    else:
        one.line[rank, OLDEST] = seat
    one.line[rank, YOUNGEST] = seat
    return seat


@merged
def step_out(one: State, seat: int) -> None:
    """Leave the order of the running: no preemption finds the seat any more."""
    rank, older, younger = one.seat[seat, CLASS], one.seat[seat, OLDER], one.seat[seat, YOUNGER]
    if older >= 0:
        one.seat[older, YOUNGER] = younger
    else:
        one.line[rank, OLDEST] = younger
    if younger >= 0:
        one.seat[younger, OLDER] = older
    else:
        one.line[rank, YOUNGEST] = older


@merged
def give_back(one: State, seat: int) -> None:
    """Free the blocks and the seat of a sequence that has stepped out; who was refused may try again."""
    one.number[FREE] += one.seat[seat, PRIVATE]
    leave_path(one, one.seat[seat, LEAF])
    one.seat[seat, YOUNGER] = one.number[SEATS]
    one.number[SEATS] = seat
    one.number[RUNNING] -= 1
    one.number[BLOCKED] = 0


@compiled
def start_decode(one: State, rule: Rule, seat: int, length: int, left: int) -> None:
    """A sequence with `length` KV tokens will decode `left` tokens, from the next step on."""
    number, step = one.number, one.number[STEP]
    number[DECODING] += 1
    if rule.draft > 0:
        one.seat[seat, LENGTH] = length
        one.seat[seat, ROOM] = (one.seat[seat, PRIVATE] + one.seat[seat, SHARED] * rule.ratio) * rule.block
        one.drafting[number[DECODING] - 1] = seat
        return
    number[CONTEXT] += length
    one.seat[seat, OFFSET] = length - step
    one.seat[seat, RESIDUE] = (step - length) % rule.block
    one.residue[one.seat[seat, RESIDUE]] += 1
    _write_event(one, seat, step + left - 1)
    if rule.window > 0:
        _enter_window(one, rule, seat, length, left)


@merged
def _enter_window(one: State, rule: Rule, seat: int, length: int, left: int) -> None:
    """Count what the sequence sees in windowed layers, and note when its context fills the window."""
    one.number[WINDOW] += min(length, rule.window)
    one.seat[seat, CROSSED] = 1
    if length < rule.window:
        one.seat[seat, CROSSED] = 0
        one.number[GROWING] += 1
        if rule.window - length < left:
            _write_event(one, rule.seats + seat, one.number[STEP] + rule.window - length - 1)


@compiled
def stop_decode(one: State, rule: Rule, seat: int) -> int:
    """Take a sequence out of the sums; its seat then says which blocks are its own. Returns its KV tokens."""
    number = one.number
    number[DECODING] -= 1
    if rule.draft > 0:
        drafted: int = one.seat[seat, LENGTH]
        return drafted
    length: int = one.seat[seat, OFFSET] + number[STEP]
    number[CONTEXT] -= length
    one.residue[one.seat[seat, RESIDUE]] -= 1
    one.seat[seat, PRIVATE] = blocks_of(rule, length) - one.seat[seat, SHARED] * rule.ratio
    if rule.window > 0:
        number[WINDOW] -= min(length, rule.window)
        number[GROWING] -= 1 - one.seat[seat, CROSSED]
    return length


@merged
def blocks_of(rule: Rule, tokens: int) -> int:
    """KV blocks that hold so many tokens."""
    return (tokens + rule.block - 1) // rule.block


@compiled
def preempt(one: State, work: Work, marks: Marks, rule: Rule) -> None:
    """Send the youngest of the last class to the head of its queue; it loses its KV cache or swaps it."""
    rank = one.line.shape[0] - 1
    while one.line[rank, YOUNGEST] < 0:
        rank -= 1
    seat = one.line[rank, YOUNGEST]
    request = one.seat[seat, REQUEST]
    if seat == one.number[PREFILLING]:
        _stop_prefill(one, rule, seat)
        marks.state[request] = FRESH
    else:
        _stop_early(one, rule, seat)
        length = stop_decode(one, rule, seat)
        marks.produced[request] = length - work.input[request] + 1
        marks.state[request] = FRESH
        if rule.swap:
            marks.state[request] = SWAPPED_OUT
            one.number[SWAPPING] += length
            one.number[SWAPPED] += length
    marks.preempted[request] += 1
    one.number[PREEMPTED] += 1
    step_out(one, seat)
    give_back(one, seat)
    push_front(one, marks, rank, request)


@merged
def _stop_prefill(one: State, rule: Rule, seat: int) -> None:
    """Blocks of the prefix that are not computed yet are forgotten: nobody else can have met them."""
    computed = one.seat[seat, AT] // rule.share
    while one.seat[seat, SHARED] > computed:
        slot = one.seat[seat, LEAF]
        one.seat[seat, LEAF] = one.slot[slot, PARENT]
        drop_block(one, rule, slot)
        one.seat[seat, SHARED] -= 1
    one.number[PREFILLING] = NONE


@merged
def _stop_early(one: State, rule: Rule, seat: int) -> None:
    """Strike a decoding sequence from the calendar, or from the list of those that speculate."""
    if rule.draft == 0:
        strike_event(one, seat)
        if rule.window > 0 and one.event[rule.seats + seat, DUE] >= 0:
            strike_event(one, rule.seats + seat)
        return
    at = 0
    while one.drafting[at] != seat:
        at += 1
    for place in range(at, one.number[DECODING] - 1):
        one.drafting[place] = one.drafting[place + 1]


@merged
def push_front(one: State, marks: Marks, rank: int, request: int) -> None:
    """A request waits before all others of its class."""
    marks.after[request] = one.line[rank, HEAD]
    if one.line[rank, HEAD] < 0:
        one.line[rank, TAIL] = request
    one.line[rank, HEAD] = request


@merged
def push_back(one: State, marks: Marks, rank: int, request: int) -> None:
    """A request waits after all others of its class."""
    marks.after[request] = NONE
    if one.line[rank, TAIL] < 0:
        one.line[rank, HEAD] = request
    else:
        marks.after[one.line[rank, TAIL]] = request
    one.line[rank, TAIL] = request


@merged
def pop_front(one: State, marks: Marks, rank: int) -> None:
    """The first of a class waits no more."""
    request = one.line[rank, HEAD]
    one.line[rank, HEAD] = marks.after[request]
    if one.line[rank, HEAD] < 0:
        one.line[rank, TAIL] = NONE


@merged
def _write_event(one: State, node: int, due: int) -> None:
    """Write a node at the head of the day of a step."""
    day = due & (CALENDAR - 1)
    first = one.day[day]
    one.event[node, DUE] = due
    one.event[node, BEFORE] = NONE
    one.event[node, AFTER] = first
    if first >= 0:
        one.event[first, BEFORE] = node
    one.day[day] = node


@merged
def strike_event(one: State, node: int) -> None:
    """Take a node out of its day."""
    before, after = one.event[node, BEFORE], one.event[node, AFTER]
    if before >= 0:
        one.event[before, AFTER] = after
    else:
        one.day[one.event[node, DUE] & (CALENDAR - 1)] = after
    if after >= 0:
        one.event[after, BEFORE] = before
    one.event[node, DUE] = NONE
