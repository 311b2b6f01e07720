"""Who may run next in a replica, and the blocks it then holds."""

from __future__ import annotations

from gigawright.workloads.requests.engine.compiled import compiled, merged
from gigawright.workloads.requests.engine.layout import (
    AT,
    BLOCKED,
    CACHED,
    CLASS,
    FREE,
    FRESH,
    HEAD,
    IDLE,
    LEAF,
    NONE,
    NOW,
    PRIVATE,
    PROMPTED,
    RUNNING,
    SHARED,
    SWAPPED_OUT,
    SWAPPING,
    TARGET,
    USERS,
    Marks,
    Rule,
    State,
    Work,
)
from gigawright.workloads.requests.engine.pool import add_block, cached_slot, make_room, use_path
from gigawright.workloads.requests.engine.sequences import blocks_of, pop_front, sit_down, start_decode


@compiled
def candidate(one: State, work: Work) -> int:
    """The class whose first request has come and may be tried, the most urgent; or NONE.

    A request that did not fit is not tried again until something is given back; only classes before its own
    may pass.
    """
    classes = one.line.shape[0]
    if one.number[BLOCKED] > 0:
        classes = one.number[BLOCKED] - 1
    for rank in range(classes):
        head = one.line[rank, HEAD]
        if head >= 0 and work.arrival[head] <= one.time[NOW]:
            return rank
    return NONE


@compiled
def next_arrival(one: State, work: Work) -> float:
    """When the next request that may be tried comes (in the past where it has come), or infinity."""
    soonest = float("inf")
    classes = one.line.shape[0]
    if one.number[BLOCKED] > 0:
        classes = one.number[BLOCKED] - 1
    for rank in range(classes):
        head = one.line[rank, HEAD]
        if head >= 0:
            soonest = min(soonest, work.arrival[head])
    return soonest


@compiled
def admit_ready(one: State, work: Work, marks: Marks, rule: Rule) -> None:
    """Requests whose KV cache is at hand start to decode, as long as they are first in their class."""
    while True:
        rank = candidate(one, work)
        if rank < 0:
            return
        request = one.line[rank, HEAD]
        if marks.state[request] == FRESH:
            return
        produced = marks.produced[request]
        length = work.input[request] + produced - 1
        need = blocks_of(rule, length)
        if not _has_place(one, rule, need):
            one.number[BLOCKED] = rank + 1
            return
        make_room(one, rule, need)
        one.number[FREE] -= need
        if marks.state[request] == SWAPPED_OUT:
            one.number[SWAPPING] += length
        pop_front(one, marks, rank)
        marks.state[request] = FRESH
        seat = sit_down(one, request, rank)
        one.seat[seat, SHARED] = 0
        one.seat[seat, LEAF] = NONE
        one.seat[seat, PRIVATE] = need
        start_decode(one, rule, seat, length, work.output[request] - produced)
        one.number[BLOCKED] = 0


@compiled
def _has_place(one: State, rule: Rule, need: int) -> bool:
    """Whether a seat and `need` blocks can be had with the watermark kept; alone, a sequence may pass it."""
    number = one.number
    if number[RUNNING] >= rule.seats:
        return False
    kept = rule.watermark if number[RUNNING] > 0 else 0
    room: int = number[FREE] + number[IDLE] * rule.ratio - need
    return room >= kept


@compiled
def admit(one: State, work: Work, marks: Marks, rule: Rule, rank: int) -> int:
    """Seat the first of a class with blocks for its whole prompt, the cached ones shared; NONE: no place."""
    request = one.line[rank, HEAD]
    target = work.input[request] + marks.produced[request]
    start = work.offset[request]
    shareable = min(work.offset[request + 1] - start, (work.input[request] - 1) // rule.share)
    whole = blocks_of(rule, target)
    if not _has_place(one, rule, whole - shareable * rule.ratio):
        return NONE
    hits, leaf, idle = _find_prefix(one, work, start, shareable)
    if not _has_place(one, rule, whole - (hits - idle) * rule.ratio):
        return NONE
    use_path(one, leaf)
    make_room(one, rule, whole - hits * rule.ratio)
    for j in range(hits, shareable):
        leaf = add_block(one, rule, work.keys[start + j], leaf)
    private = whole - shareable * rule.ratio
    one.number[FREE] -= private
    pop_front(one, marks, rank)
    seat = sit_down(one, request, rank)
    one.seat[seat, SHARED] = shareable
    one.seat[seat, LEAF] = leaf
    one.seat[seat, PRIVATE] = private
    one.seat[seat, TARGET] = target
    one.seat[seat, AT] = hits * rule.share
    one.seat[seat, CLASS] = rank
    if marks.preempted[request] == 0:
        marks.cached[request] = hits * rule.share
    one.number[CACHED] += hits * rule.share
    one.number[PROMPTED] += target
    one.number[BLOCKED] = 0
    return seat


@merged
def _find_prefix(one: State, work: Work, start: int, most: int) -> tuple[int, int, int]:
    """Blocks of a prefix that are cached, the last of them, and how many of them nobody uses."""
    leaf, hits, idle = NONE, 0, 0
    while hits < most:
        slot = cached_slot(one, work.keys[start + hits])
        if slot < 0:
            break
        leaf = slot
        hits += 1
        if one.slot[slot, USERS] == 0:
            idle += 1
    return hits, leaf, idle
