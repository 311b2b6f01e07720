"""The prefix cache of a replica: blocks by the key of their prefix; the least lately used go first.

A block's key stands for itself and all before it, so blocks form a tree, and a block's `USERS` are the
running sequences that end at it plus its children in use. A block is idle when nobody uses it; it can then
be evicted. Sequences give their blocks back from the last to the first: so a block always becomes idle
later than what hangs on it, is evicted later too, and whatever is cached has all its prefix cached.
"""

from __future__ import annotations

from gigawright.workloads.requests.engine.compiled import compiled, merged
from gigawright.workloads.requests.engine.layout import (
    CHAIN,
    EVICTED,
    FREE,
    IDLE,
    KEY,
    LRU_NEW,
    LRU_NEWER,
    LRU_OLD,
    LRU_OLDER,
    NONE,
    PARENT,
    RESIDENT,
    SPARE,
    USERS,
    Rule,
    State,
)


@merged
def cached_slot(one: State, key: int) -> int:
    """The slot of a block, or NONE."""
    slot: int = one.bucket[key & (one.bucket.size - 1)]
    while slot >= 0 and one.slot[slot, KEY] != key:
        slot = one.slot[slot, CHAIN]
    return slot


@compiled
def use_path(one: State, leaf: int) -> None:
    """One more sequence ends at `leaf`: its idle blocks leave the queue of eviction."""
    slot = leaf
    while slot >= 0:
        one.slot[slot, USERS] += 1
        if one.slot[slot, USERS] > 1:
            return
        _leave_queue(one, slot)
        slot = one.slot[slot, PARENT]


@compiled
def leave_path(one: State, leaf: int) -> None:
    """One sequence less ends at `leaf`: blocks without users become idle, the last of the prefix first."""
    slot = leaf
    while slot >= 0:
        one.slot[slot, USERS] -= 1
        if one.slot[slot, USERS] > 0:
            return
        _join_queue(one, slot)
        slot = one.slot[slot, PARENT]


@merged
def add_block(one: State, rule: Rule, key: int, parent: int) -> int:
    """Put a new block below `parent`, in use by the sequence that used to end there; takes free KV blocks."""
    slot: int = one.number[SPARE]
    one.number[SPARE] = one.slot[slot, CHAIN]
    place = key & (one.bucket.size - 1)
    one.slot[slot, KEY] = key
    one.slot[slot, USERS] = 1
    one.slot[slot, PARENT] = parent
    one.slot[slot, CHAIN] = one.bucket[place]
    one.bucket[place] = slot
    one.number[FREE] -= rule.ratio
    one.number[RESIDENT] += 1
    return slot


@compiled
def drop_block(one: State, rule: Rule, slot: int) -> None:
    """Forget a block that nobody uses and that waits in no queue; its KV blocks are free."""
    place = one.slot[slot, KEY] & (one.bucket.size - 1)
    at = one.bucket[place]
    if at == slot:
        one.bucket[place] = one.slot[slot, CHAIN]
    else:
        while one.slot[at, CHAIN] != slot:
            at = one.slot[at, CHAIN]
        one.slot[at, CHAIN] = one.slot[slot, CHAIN]
    one.slot[slot, CHAIN] = one.number[SPARE]
    one.number[SPARE] = slot
    one.number[FREE] += rule.ratio
    one.number[RESIDENT] -= 1


@compiled
def make_room(one: State, rule: Rule, blocks: int) -> None:
    """Evict idle blocks, the least lately used first, until `blocks` are free; there must be enough."""
    number = one.number
    while number[FREE] < blocks:
        slot = number[LRU_OLD]
        _leave_queue(one, slot)
        drop_block(one, rule, slot)
        number[EVICTED] += 1


@merged
def _leave_queue(one: State, slot: int) -> None:
    older, newer = one.slot[slot, LRU_OLDER], one.slot[slot, LRU_NEWER]
    if older >= 0:
        one.slot[older, LRU_NEWER] = newer
    else:
        one.number[LRU_OLD] = newer
    if newer >= 0:
        one.slot[newer, LRU_OLDER] = older
    else:
        one.number[LRU_NEW] = older
    one.number[IDLE] -= 1


@merged
def _join_queue(one: State, slot: int) -> None:
    newest = one.number[LRU_NEW]
    one.slot[slot, LRU_OLDER] = newest
    one.slot[slot, LRU_NEWER] = NONE
    if newest >= 0:
        one.slot[newest, LRU_NEWER] = slot
    else:
        one.number[LRU_OLD] = slot
    one.number[LRU_NEW] = slot
    one.number[IDLE] += 1
