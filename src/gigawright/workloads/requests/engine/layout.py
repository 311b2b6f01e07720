"""Where the compiled engine keeps its state: arrays of a replica, and the meaning of their columns.

Numba keeps arrays in machine words, so a record is a row and a field is a named column. Every array has
the replica as its first axis; compiled code works on one replica's rows at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gigawright.arrays import Floats, Ints

if TYPE_CHECKING:
    from gigawright.workloads.requests.pace import Pace

NONE = -1
"""No seat, slot, request or node."""

# Columns of `State.number`: whole numbers of a replica.
FREE, IDLE, LRU_OLD, LRU_NEW, SPARE, RESIDENT = 0, 1, 2, 3, 4, 5
RUNNING, SEATS, PREFILLING, BLOCKED, SENDING, SENT = 6, 7, 8, 9, 10, 11
DECODING, CONTEXT, WINDOW, GROWING, STEP, PHASE = 12, 13, 14, 15, 16, 17
ITERATIONS, FINISHED, ASSIGNED, LATELY, PREEMPTED = 18, 19, 20, 21, 22
PROMPTED, CACHED, PRODUCED, PEAK, EVICTED, SWAPPING = 23, 24, 25, 26, 27, 28
SAMPLED, PREFILLED, SWAPPED, NUMBERS = 29, 30, 31, 32

# Columns of `State.time`: seconds of a replica.
NOW, BUSY, LAST_END, LINK_FREE, SAMPLE_AT, SAMPLE_EVERY, TIMES = 0, 1, 2, 3, 4, 5, 6

# Columns of `State.seat`: a sequence that runs.
REQUEST, CLASS, OLDER, YOUNGER, SHARED, LEAF, PRIVATE = 0, 1, 2, 3, 4, 5, 6
TARGET, AT, LENGTH, OFFSET, RESIDUE, CROSSED, ROOM, SEAT = 7, 8, 9, 10, 11, 12, 13, 14

# Columns of `State.event`: a node of the calendar; node s ends seat s, node seats + s crosses its window.
DUE, BEFORE, AFTER, EVENT = 0, 1, 2, 3

# Columns of `State.slot`: a block of the prefix cache.
KEY, USERS, PARENT, LRU_OLDER, LRU_NEWER, CHAIN, SLOT = 0, 1, 2, 3, 4, 5, 6

# Columns of `State.line`: the waiting and the running of a class.
HEAD, TAIL, OLDEST, YOUNGEST, LINE = 0, 1, 2, 3, 4

# Columns of `State.sample`.
SAMPLE_T, SAMPLE_RUNNING, SAMPLE_KV, SAMPLE_BUSY, SAMPLE_PRODUCED, SAMPLE = 0, 1, 2, 3, 4, 5

SAMPLES = 512
"""Samples a replica keeps; when they are full every second one is dropped and they come half as often."""

CALENDAR = 4096
"""Days of the calendar of events, a power of two; an event further ahead is met once a lap, and left."""

# What `Marks.state` says of a waiting request.
FRESH, DELIVERED, SWAPPED_OUT = 0, 1, 2


class State(NamedTuple):
    """All replicas; the first axis is the replica."""

    number: Ints
    time: Floats
    seat: Ints
    event: Ints
    day: Any
    residue: Ints
    slot: Ints
    bucket: Any
    line: Ints
    todo: Ints
    drafting: Ints
    ended: Ints
    sample: Floats


class Work(NamedTuple):
    """Requests as asked; never written. `keys[offset[i]:offset[i + 1]]` are the prefixes of request i."""

    arrival: Floats
    input: Any
    output: Any
    offset: Ints
    keys: Ints
    encode: Any
    rank: Any


class Marks(NamedTuple):
    """What became of each request. `ready` is when its KV cache has reached the decode side."""

    first: Floats
    finish: Floats
    ready: Floats
    produced: Any
    preempted: Any
    cached: Any
    state: Any
    after: Any
    replica: Any


class Rule(NamedTuple):
    """Whole numbers and policy of a replica, the same for all replicas of a role."""

    chunk: int
    seats: int
    block: int
    blocks: int
    watermark: int
    share: int
    ratio: int
    window: int
    draft: int
    seed: int
    prefill_first: bool
    swap: bool
    sends: bool
    transfer_s: float
    chances: Floats


@dataclass(frozen=True)
class Policy:
    """How replicas schedule: options that a pace does not say.

    prefix_cache    blocks of prompts stay in the KV pool while there is room, and are found by later requests
    prefill_first   an iteration with prefill computes nothing else; otherwise chunks and decode mix
    swap            preempted sequences move to the host; otherwise they are computed again
    seed            of the acceptance of drafted tokens
    """

    prefix_cache: bool = True
    prefill_first: bool = False
    swap: bool = False
    seed: int = 0


def rule_of(pace: Pace, policy: Policy, share: int, transfer_s: float | None = None) -> Rule:
    """The rule of a replica with prefix blocks of `share` tokens, a whole number of KV blocks.

    With `transfer_s` [s a KV token] it sends what it has prefilled elsewhere.
    """
    chances = pace.acceptance ** np.arange(1, max(2, pace.draft_tokens + 1), dtype=np.float64)
    return Rule(
        pace.chunk,
        pace.max_sequences,
        pace.block_tokens,
        pace.blocks,
        pace.watermark_blocks,
        share,
        max(1, share // pace.block_tokens),
        pace.window,
        pace.draft_tokens,
        policy.seed,
        policy.prefill_first,
        policy.swap,
        transfer_s is not None,
        transfer_s or 0.0,
        chances,
    )


def empty_state(
    replicas: int, pace: Pace, rule: Rule, ranks: int, start_s: float, every_s: float, cached: bool
) -> State:
    """Replicas with nothing in them at `start_s`, sampled each `every_s`, with a prefix cache or without."""
    seats = pace.max_sequences
    slots = max(1, pace.blocks // rule.ratio) if cached else 1
    buckets = 1 << max(4, int(slots).bit_length() + 1)
    state = State(
        number=np.zeros((replicas, NUMBERS), np.int64),
        time=np.zeros((replicas, TIMES)),
        seat=np.full((replicas, seats, SEAT), NONE, np.int64),
        event=np.full((replicas, 2 * seats, EVENT), NONE, np.int64),
        day=np.full((replicas, CALENDAR), NONE, np.int32),
        residue=np.zeros((replicas, pace.block_tokens), np.int64),
        slot=np.full((replicas, slots, SLOT), NONE, np.int64),
        bucket=np.full((replicas, buckets), NONE, np.int32),
        line=np.full((replicas, ranks, LINE), NONE, np.int64),
        todo=np.full((replicas, seats), NONE, np.int64),
        drafting=np.full((replicas, seats), NONE, np.int64),
        ended=np.full((replicas, seats), NONE, np.int64),
        sample=np.zeros((replicas, SAMPLES, SAMPLE)),
    )
    number, time = state.number, state.time
    number[:, FREE] = pace.blocks
    number[:, [LRU_OLD, LRU_NEW, PREFILLING, SENDING, SENT]] = NONE
    number[:, SEATS] = 0
    state.seat[:, :, YOUNGER] = np.append(np.arange(1, seats), NONE)
    state.slot[:, :, CHAIN] = np.append(np.arange(1, slots), NONE)
    time[:, NOW] = time[:, SAMPLE_AT] = time[:, LINK_FREE] = start_s
    time[:, LAST_END] = -np.inf
    time[:, SAMPLE_EVERY] = every_s
    return state


def empty_marks(requests: int, sent: bool) -> Marks:
    """Requests that nothing has happened to; where none is sent elsewhere, none has a time of that."""
    return Marks(
        first=np.full(requests, np.nan),
        finish=np.full(requests, np.nan),
        ready=np.full(requests if sent else 0, np.nan),
        produced=np.zeros(requests, np.int32),
        preempted=np.zeros(requests, np.int32),
        cached=np.zeros(requests, np.int32),
        state=np.zeros(requests, np.int8),
        after=np.full(requests, NONE, np.int32),
        replica=np.full(requests, NONE, np.int32),
    )
