"""`gigawright simulate requests`: a trace on replicas of a model, from the file to the answer."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from gigawright.errors import UserError
from gigawright.workloads.requests.engine.layout import Policy
from gigawright.workloads.requests.pace import Disaggregated, Pace
from gigawright.workloads.requests.routing import Routing, check_routing
from gigawright.workloads.requests.traces import Trace, faster, poisson, read_trace
from gigawright.workloads.training.files import output_file

if TYPE_CHECKING:
    from gigawright.workloads.requests.result import Served, Summary

STANDARD_INPUT = "-"
"""Name of a trace that stands for standard input."""


@dataclass(frozen=True)
class Asked:
    """What is asked of a simulation beside its model and machines.

    `speed` runs the trace's time faster; `rate` replaces its times by a Poisson process of so many requests
    a second; the limits [ms] are those that goodput counts.
    """

    trace: Path
    routing: Routing = "round-robin"
    ttft_ms: float | None = None
    tpot_ms: float | None = None
    limit: int | None = None
    speed: float = 1.0
    rate: float | None = None
    sort: bool = False
    seed: int = 0
    threads: int = 1
    prefix_cache: bool = True
    prefill_first: bool = False
    swap: bool = False
    out: Path | None = None
    html: Path | None = None

    @property
    def policy(self) -> Policy:
        """How replicas schedule."""
        return Policy(self.prefix_cache, self.prefill_first, self.swap, self.seed)


@dataclass(frozen=True)
class Answer:
    """A served trace, its numbers, and what was asked."""

    asked: Asked
    served: Served
    summary: Summary
    replicas: int | tuple[int, int]


def load(asked: Asked, told: Callable[[str], None] = lambda text: None) -> Trace:
    """The trace as asked for: its first requests, at its own times or at others.

    All that can be seen to be wrong before work begins is checked first. Raises UserError (TraceError,
    OutputError).
    """
    _check(asked)
    told(f"reading {asked.trace}")
    source: Any = sys.stdin.buffer if str(asked.trace) == STANDARD_INPUT else asked.trace
    trace = read_trace(source, limit=asked.limit, sort=asked.sort)
    if asked.rate is not None:
        return poisson(trace, asked.rate, asked.seed)
    return faster(trace, asked.speed)


def simulate(
    asked: Asked,
    trace: Trace,
    pace: Pace | Disaggregated,
    replicas: int | tuple[int, int],
    told: Callable[[str], None] = lambda text: None,
) -> Answer:
    """Serve a trace that `load` has read, sum it up, and write the Parquet file that was asked for.

    The file is written whole at the end or not at all, so an interrupt leaves nothing half-written. Raises
    UserError (OutputError).
    """
    from gigawright.workloads.requests.result import summarise, write_parquet
    from gigawright.workloads.requests.run import prepare, serve

    prepare(told)
    with Bar(f"{len(trace):,} requests") as bar:
        served = serve(
            trace,
            pace,
            replicas,
            policy=asked.policy,
            routing=asked.routing,
            threads=asked.threads,
            progress=bar,
        )
    summary = summarise(served, _seconds(asked.ttft_ms), _seconds(asked.tpot_ms))
    if asked.out is not None:
        write_parquet(served, asked.out)
    return Answer(asked, served, summary, replicas)


def _check(asked: Asked) -> None:
    """Raises UserError for what can be seen to be wrong before work begins."""
    check_routing(asked.routing)
    if asked.rate is not None and asked.speed != 1.0:
        raise UserError("--rate replaces the trace's times and --speed scales them; give one of the two")
    for name, limit in (("--slo-ttft-ms", asked.ttft_ms), ("--slo-tpot-ms", asked.tpot_ms)):
        if limit is not None and not 0 < limit < float("inf"):
            raise UserError(f"{name} is {limit:g}; it must be above 0")
    if asked.seed < 0 or asked.seed >= 1 << 63:
        raise UserError(f"--seed is {asked.seed}; it must be a whole number from 0, below 2**63")
    for place in (asked.out, asked.html):
        if place is not None:
            output_file(place, [asked.trace])
    if asked.out is not None and asked.html is not None and asked.out.resolve() == asked.html.resolve():
        raise UserError(f"--out and --html are both {asked.out}; give two files")


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1e3


class Bar:
    """A bar of requests served, where a person watches."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Bar:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(self._what, total=1.0)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: int, of: int) -> None:
        """Tell how many requests are through."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done / max(of, 1))
