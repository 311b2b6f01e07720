"""The functions of the engine that Python calls; their machine code is kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from gigawright.arrays import Floats, Ints
from gigawright.workloads.requests.engine.compiled import kept, merged, source_mark
from gigawright.workloads.requests.engine.iteration import advance
from gigawright.workloads.requests.engine.layout import (
    ASSIGNED,
    FINISHED,
    LAST_END,
    LATELY,
    NONE,
    Marks,
    Rule,
    State,
    Work,
)
from gigawright.workloads.requests.engine.sequences import push_back
from gigawright.workloads.requests.pace import Rates


class Entries(NamedTuple):
    """Compiled functions: see `_entries`."""

    assign: Callable[..., None]
    run: Callable[..., tuple[int, int]]
    follow_prefixes: Callable[..., None]


@merged
def _one(state: State, replica: int) -> State:
    """The rows of a replica."""
    return State(
        state.number[replica],
        state.time[replica],
        state.seat[replica],
        state.event[replica],
        state.day[replica],
        state.residue[replica],
        state.slot[replica],
        state.bucket[replica],
        state.line[replica],
        state.todo[replica],
        state.drafting[replica],
        state.ended[replica],
        state.sample[replica],
    )


@merged
def _queue(state: State, work: Work, marks: Marks, request: int, replica: int) -> None:
    """A request waits at a replica."""
    one = _one(state, replica)
    marks.replica[request] = replica
    one.number[ASSIGNED] += 1
    push_back(one, marks, work.rank[request], request)


@merged
def _outstanding(state: State, replica: int, now: float) -> int:
    """Requests of a replica that are not done at a time; what ends with the iteration under way is not."""
    number, time = state.number[replica], state.time[replica]
    lately = number[LATELY] if time[LAST_END] > now else 0
    outstanding: int = number[ASSIGNED] - number[FINISHED] + lately
    return outstanding


@merged
def _least_loaded(state: State, now: float) -> int:
    """The replica with the fewest requests; the first of equals."""
    best, fewest = 0, _outstanding(state, 0, now)
    for replica in range(1, state.number.shape[0]):
        count = _outstanding(state, replica, now)
        if count < fewest:
            best, fewest = replica, count
    return best


def _entries(mark: int) -> Entries:
    """Compiled functions whose kept code belongs to these very sources: `mark` is part of its key."""

    @kept
    def assign(state: State, work: Work, marks: Marks, order: Any, target: Any) -> None:
        """Put requests into the queues of their replicas, in order."""
        if mark >= 0:
            for place in range(len(order)):
                _queue(state, work, marks, order[place], target[place])

    @kept
    def run(
        state: State,
        work: Work,
        marks: Marks,
        rates: Rates,
        rule: Rule,
        order: Any,
        at: int,
        replica: int,
        most: int,
    ) -> tuple[int, int]:
        """Run a replica to its end; or, with `replica` NONE, send requests `order[at:]` to the least loaded.

        Before each of those, all replicas come up to its arrival. Stops after `most` iterations; returns how
        many are left, more than 0 where it came to its end, and the place in `order` it came to.
        """
        alone = replica != NONE
        here, left = max(replica, 0), most if mark >= 0 else 0
        while left > 0 and (alone or at < len(order)):
            until = float("inf") if alone else work.arrival[order[at]]
            left = advance(_one(state, here), work, marks, rates, rule, until, left)
            if alone or left == 0:
                break
            here += 1
            if here == state.number.shape[0]:
                here = 0
                _queue(state, work, marks, order[at], _least_loaded(state, work.arrival[order[at]]))
                at += 1
        return left, at

    @kept
    def follow_prefixes(
        work: Work,
        order: Any,
        target: Any,
        cost_s: Floats,
        hit_s: float,
        load: Floats,
        known: Ints,
        owner: Ints,
    ) -> None:
        """Replicas for requests `order`, by where their prefix was last and by the work sent; see routing."""
        last = work.arrival[order[0]] if mark >= 0 and len(order) > 0 else 0.0
        for place in range(len(order)):
            request = order[place]
            least = 0
            for replica in range(len(load)):
                load[replica] = max(load[replica] - (work.arrival[request] - last), 0.0)
                if load[replica] < load[least]:
                    least = replica
            last = work.arrival[request]
            start, end = work.offset[request], work.offset[request + 1]
            replica, hits = _owner(work, start, end, known, owner)
            if replica < 0 or load[replica] - hits * hit_s > load[least]:
                replica, hits = least, 0
            target[place] = replica
            load[replica] += max(0.0, cost_s[request] - hits * hit_s)
            for at in range(start, end):
                known[work.keys[at] & (len(known) - 1)] = work.keys[at]
                owner[work.keys[at] & (len(known) - 1)] = replica

    return Entries(assign, run, follow_prefixes)


@merged
def _owner(work: Work, start: int, end: int, known: Ints, owner: Ints) -> tuple[int, int]:
    """The replica that the longest known prefix was last sent to, and the blocks of that prefix."""
    replica, hits = NONE, 0
    for at in range(start, end):
        place = work.keys[at] & (len(known) - 1)
        if known[place] != work.keys[at] or (replica >= 0 and owner[place] != replica):
            break
        replica = owner[place]
        hits += 1
    return replica, hits


ENTRIES = _entries(source_mark())
