"""A trace served by replicas: routing, the compiled engine in slices, threads, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from gigawright.arrays import Bools, Ints
from gigawright.errors import InternalError, UserError
from gigawright.workloads.requests.engine.layout import (
    DELIVERED,
    FINISHED,
    NONE,
    Marks,
    Policy,
    Rule,
    State,
    Work,
    empty_marks,
    empty_state,
    rule_of,
)
from gigawright.workloads.requests.pace import Disaggregated, Pace
from gigawright.workloads.requests.result import Pool, Served
from gigawright.workloads.requests.routing import Routing, check_routing, fixed_targets

if TYPE_CHECKING:
    from gigawright.workloads.requests.traces import Shorts, Trace

SLICE = 4_000_000
"""Iterations between two looks at the clock and at Ctrl-C: a few hundredths of a second."""

COMPILING_S = 25
"""Seconds that compiling the engine takes on one 2 to 3 GHz core; told to who waits."""

LOOK_S = 0.05
"""Seconds between two tellings of progress."""

SAMPLES_PER_SPAN = 300
"""Samples of a replica's state over the span of arrivals."""

MOST_REPLICAS = 100_000

USUAL = Policy()

Progress = Callable[[int, int], None]


@dataclass
class Group:
    """Replicas of one role, and the requests they serve."""

    role: str
    pace: Pace
    rule: Rule
    state: State
    work: Work
    marks: Marks

    def run(self, order: Shorts, at: int, replica: int) -> tuple[int, int]:
        """A slice of the engine's work: see its entry `run`."""
        from gigawright.workloads.requests.engine.entries import ENTRIES

        rates = self.pace.rates
        return ENTRIES.run(self.state, self.work, self.marks, rates, self.rule, order, at, replica, SLICE)

    @property
    def finished(self) -> int:
        """Requests that are through."""
        return int(self.state.number[:, FINISHED].sum())


@dataclass
class Driver:
    """Serves a trace, slice by slice in threads, telling progress and stopping when asked to."""

    trace: Trace
    policy: Policy
    routing: Routing
    threads: int
    progress: Progress
    total: int = 0
    before: int = 0
    stopped: bool = False

    def together(
        self, pace: Pace, replicas: int, work: Work, marks: Marks, order: Shorts
    ) -> tuple[Pool, ...]:
        """Prefill and decode in the same replicas."""
        self.total = len(order)
        group = self.group("replica", pace, replicas, work, marks, None)
        self._run(group, order, self.routing)
        return (Pool.of(group.role, group.state, group.rule),)

    def apart(
        self, pace: Disaggregated, replicas: tuple[int, int], work: Work, marks: Marks, order: Shorts
    ) -> tuple[Pool, ...]:
        """Prefill of all requests first, then decode of those that have more than one token."""
        longer = order[self.trace.output[order] > 1]
        self.total = len(order) + len(longer)
        first = self.group("prefill", pace.prefill, replicas[0], work, marks, pace.transfer_s)
        self._run(first, order, self.routing)
        kept = marks.replica.copy(), marks.cached.copy()
        longer = longer[np.argsort(marks.ready[longer], kind="stable")]
        marks.state[longer] = DELIVERED
        sent = work._replace(arrival=marks.ready, offset=np.zeros_like(work.offset))
        second = self.group("decode", pace.decode, replicas[1], sent, marks, None)
        self._run(second, longer, "least-loaded" if self.routing == "least-loaded" else "round-robin")
        marks.replica[:], marks.cached[:] = kept
        return tuple(Pool.of(group.role, group.state, group.rule) for group in (first, second))

    def group(
        self, role: str, pace: Pace, replicas: int, work: Work, marks: Marks, transfer_s: float | None
    ) -> Group:
        """Empty replicas; with `transfer_s` they send what they have prefilled elsewhere."""
        rule = rule_of(pace, self.policy, self.trace.block_tokens, transfer_s)
        ranks, start = int(self.trace.rank.max()) + 1, float(self.trace.arrival_s[0])
        every = max(self.trace.span_s / SAMPLES_PER_SPAN, 1e-3)
        state = empty_state(replicas, pace, rule, ranks, start, every, bool(work.offset[-1]))
        return Group(role, pace, rule, state, work, marks)

    def _run(self, group: Group, order: Shorts, routing: Routing) -> None:
        """Route requests `order` and run the group until all are through."""
        replicas = len(group.state.number)
        with ThreadPoolExecutor(self.threads) as workers:
            try:
                if routing == "least-loaded" and replicas > 1:
                    self._watch(group, [workers.submit(self._dispatch, group, order)])
                else:
                    self.assign(group, order, routing)
                self._watch(group, [workers.submit(self._finish, group, each) for each in range(replicas)])
            finally:
                self.stopped = True
        self.stopped = False
        self.before += group.finished
        if group.finished != len(order):
            raise InternalError(f"{len(order) - group.finished} requests were left behind by the simulator")

    def assign(self, group: Group, order: Shorts, routing: Routing) -> None:
        """All requests to their replicas' queues, where that does not depend on what happens."""
        from gigawright.workloads.requests.engine.entries import ENTRIES

        replicas = len(group.state.number)
        target = fixed_targets(routing, group.work, order, replicas, group.pace, group.rule.share)
        ENTRIES.assign(group.state, group.work, group.marks, order, target)

    def _dispatch(self, group: Group, order: Shorts) -> None:
        """Arrivals one by one, all replicas coming up to each."""
        at = 0
        while at < len(order) and not self.stopped:
            at = group.run(order, at, NONE)[1]

    def _finish(self, group: Group, replica: int) -> None:
        """One replica until it is through."""
        left, order = 0, np.zeros(0, np.int32)
        while left == 0 and not self.stopped:
            left = group.run(order, 0, replica)[0]

    def _watch(self, group: Group, jobs: list[Future[None]]) -> None:
        """Wait for threads, telling how far they are."""
        pending = set(jobs)
        while pending:
            done, pending = wait(pending, timeout=LOOK_S)
            for job in done:
                job.result()
            self.progress(self.before + group.finished, self.total)


def serve(
    trace: Trace,
    pace: Pace | Disaggregated,
    replicas: int | tuple[int, int],
    *,
    policy: Policy = USUAL,
    routing: Routing = "round-robin",
    threads: int = 1,
    progress: Progress = lambda done, of: None,
) -> Served:
    """Serve a trace request by request; the same for any number of threads.

    `replicas` of one pace, or (prefill, decode) replicas where the two are apart. Requests that no replica
    could ever hold are refused, and counted. `progress` is called with requests done and in all.

    Raises UserError for what cannot be simulated.
    """
    _check(trace, pace, replicas, routing, threads)
    start = time.perf_counter()
    fits = _fits(trace, pace)
    order = np.flatnonzero(fits).astype(np.int32)
    work, marks = work_of(trace, policy), empty_marks(len(trace), isinstance(pace, Disaggregated))
    driver = Driver(trace, policy, routing, threads, progress)
    if isinstance(pace, Disaggregated) and isinstance(replicas, tuple):
        pools = driver.apart(pace, replicas, work, marks, order)
    elif isinstance(pace, Pace) and isinstance(replicas, int):
        pools = driver.together(pace, replicas, work, marks, order)
    else:
        raise UserError("replicas must be a pair (prefill, decode) where the two are apart, else one number")
    return Served(trace, pools, marks, ~fits, time.perf_counter() - start)


def work_of(trace: Trace, policy: Policy) -> Work:
    """The requests as the engine takes them; without a prefix cache, without keys."""

    def array(values: Any, kind: type[np.generic]) -> Any:
        return np.require(values, kind, ["C_CONTIGUOUS", "WRITEABLE"])

    return Work(
        array(trace.arrival_s, np.float64),
        array(trace.input, np.int32),
        array(trace.output, np.int32),
        array(trace.offset if policy.prefix_cache else np.zeros_like(trace.offset), np.int64),
        array(trace.keys, np.int64),
        array(trace.encoded, np.int32),
        array(trace.rank, np.int8),
    )


def _fits(trace: Trace, pace: Pace | Disaggregated) -> Bools:
    """Requests whose KV cache a replica can hold to their end."""
    last = trace.input.astype(np.int64) + trace.output - 1

    def held(tokens: Ints, one: Pace) -> Bools:
        return np.asarray(-(-tokens // one.block_tokens) <= one.blocks)

    if isinstance(pace, Disaggregated):
        ends = last + pace.decode.draft_tokens
        return held(trace.input.astype(np.int64), pace.prefill) & held(ends, pace.decode)
    return held(last + pace.draft_tokens, pace)


def _check(
    trace: Trace, pace: Pace | Disaggregated, replicas: int | tuple[int, int], routing: str, threads: int
) -> None:
    check_routing(routing)
    counts = replicas if isinstance(replicas, tuple) else (replicas,)
    if isinstance(pace, Disaggregated) != (len(counts) == 2):
        raise UserError(
            "replicas must be a pair (prefill, decode) where the two are apart, and one number else"
        )
    if not all(1 <= count <= MOST_REPLICAS for count in counts):
        raise UserError(f"replicas are {replicas}; they must be from 1 to {MOST_REPLICAS:,}")
    if threads < 1:
        raise UserError(f"threads are {threads}; there must be at least 1")
    if not len(trace):
        raise UserError("the trace has no requests")
    for one in (pace.prefill, pace.decode) if isinstance(pace, Disaggregated) else (pace,):
        if len(trace.keys) and trace.block_tokens % one.block_tokens:
            raise UserError(
                f"prefix blocks of {trace.block_tokens} tokens are no whole number of KV blocks of "
                f"{one.block_tokens}; choose block_tokens that divides {trace.block_tokens}"
            )


def prepare(told: Callable[[str], None] = lambda text: None) -> None:
    """Have the engine's machine code in memory: from disk, or compiled and kept there, which is told."""
    from gigawright.workloads.requests.engine.compiled import source_mark
    from gigawright.workloads.requests.engine.entries import ENTRIES

    folder = Path(ENTRIES.run.stats.cache_path or ".")  # type: ignore[attr-defined]
    done = folder / f"engine-{source_mark():x}.kept"
    if not done.exists():
        told(f"compiling the simulator once, about {COMPILING_S} s")
    compile_all()
    with suppress(OSError):
        for old in folder.glob("engine-*.kept"):
            old.unlink()
        done.touch()


def compile_all() -> None:
    """Call every entry once with the types that it will have: in this thread, so that Ctrl-C ends it."""
    from gigawright.workloads.requests.traces import trace_of

    trace, pace, order = (
        trace_of([0.0], [1], [1]),
        Pace(np.zeros(3), blocks=1, max_sequences=2),
        np.zeros(1, np.int32),
    )
    driver = Driver(trace, USUAL, "prefix", 1, lambda done, of: None)
    group = driver.group("replica", pace, 2, work_of(trace, USUAL), empty_marks(1, True), None)
    for routing in get_args(Routing):
        driver.assign(group, order[:0], routing)
    group.run(order[:0], 0, 0)
