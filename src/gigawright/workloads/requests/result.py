"""What users of a served trace felt, and what the replicas did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gigawright import tables
from gigawright.arrays import Bools, Floats
from gigawright.workloads.requests.engine import layout
from gigawright.workloads.requests.engine.layout import Marks, Rule, State

if TYPE_CHECKING:
    import pyarrow as pa

    from gigawright.workloads.requests.traces import Trace

PERCENTILES = (50, 90, 99)
"""Percentiles that are told."""

COUNTERS = {
    "iterations": layout.ITERATIONS,
    "finished": layout.FINISHED,
    "assigned": layout.ASSIGNED,
    "preemptions": layout.PREEMPTED,
    "prompt_tokens": layout.PROMPTED,
    "cached_tokens": layout.CACHED,
    "produced_tokens": layout.PRODUCED,
    "evicted_blocks": layout.EVICTED,
    "swapped_tokens": layout.SWAPPED,
    "running": layout.RUNNING,
}
"""Counters of a pool, summed over its replicas."""


@dataclass(frozen=True, eq=False)
class Pool:
    """Replicas of a role after a run: counters, busy seconds and end [replica], blocks of one, samples."""

    role: str
    counters: Mapping[str, int]
    busy_s: Floats
    end_s: Floats
    kv_peak: float
    kv_left: int
    blocks: int
    samples: tuple[Floats, ...]

    @classmethod
    def of(cls, role: str, state: State, rule: Rule) -> Pool:
        """What is left in the engine's arrays; `kv_left` counts blocks that nobody gave back."""
        number, time = state.number, state.time
        idle = number[:, layout.IDLE] * rule.ratio
        return cls(
            role,
            {name: int(number[:, column].sum()) for name, column in COUNTERS.items()},
            time[:, layout.BUSY].copy(),
            time[:, layout.NOW].copy(),
            float(number[:, layout.PEAK].max()) / rule.blocks,
            int((rule.blocks - number[:, layout.FREE] - idle).sum()),
            rule.blocks,
            tuple(
                sample[:count].copy()
                for sample, count in zip(state.sample, number[:, layout.SAMPLED], strict=True)
            ),
        )


@dataclass(frozen=True, eq=False)
class Served:
    """A served trace: times of each request [s], pools of replicas, requests refused, seconds it took."""

    trace: Trace
    pools: tuple[Pool, ...]
    marks: Marks
    refused: Bools
    took_s: float

    @property
    def ttft_s(self) -> Floats:
        """Seconds from arrival to the first token; NaN where refused."""
        return self.marks.first - self.trace.arrival_s

    @property
    def finish_s(self) -> Floats:
        """When the last token came; NaN where refused."""
        return np.where(self.trace.output == 1, self.marks.first, self.marks.finish)

    @property
    def e2e_s(self) -> Floats:
        """Seconds from arrival to the last token; NaN where refused."""
        return self.finish_s - self.trace.arrival_s

    @property
    def tpot_s(self) -> Floats:
        """Mean seconds between tokens after the first; NaN where there is only one, or none."""
        each = self.finish_s
        each -= self.marks.first
        each /= np.maximum(self.trace.output - 1, 1)
        each[self.trace.output == 1] = np.nan
        return each

    @property
    def makespan_s(self) -> float:
        """Seconds from the first arrival to the last token."""
        ends = self.finish_s[~self.refused]
        return float(ends.max() - self.trace.arrival_s[0]) if len(ends) else 0.0

    def within(self, ttft_s: float | None, tpot_s: float | None) -> Bools:
        """Requests that keep both limits; a refused one keeps none, one of a single token has no TPOT."""
        kept = ~self.refused
        if ttft_s is not None:
            kept &= self.ttft_s <= ttft_s
        if tpot_s is not None:
            kept &= ~(self.tpot_s > tpot_s)
        return kept


@dataclass(frozen=True)
class Summary:
    """A served trace in numbers: percentiles by their rank, rates by second of the makespan.

    `cache_hit_share` is of the prompt tokens of requests that were served, when they first came to run.
    """

    requests: int
    refused: int
    ttft_s: Mapping[int, float]
    tpot_s: Mapping[int, float]
    e2e_s: Mapping[int, float]
    makespan_s: float
    requests_per_s: float
    input_tokens_per_s: float
    output_tokens_per_s: float
    goodput_share: float
    goodput_per_s: float
    utilisation: Mapping[str, float]
    kv_peak: Mapping[str, float]
    cache_hit_share: float
    preemptions: int
    iterations: int


def summarise(
    served: Served, ttft_limit_s: float | None = None, tpot_limit_s: float | None = None
) -> Summary:
    """The numbers people ask for; without limits, goodput counts every request that is not refused."""
    trace, done, span = served.trace, ~served.refused, max(served.makespan_s, 1e-12)
    kept = served.within(ttft_limit_s, tpot_limit_s)
    cached = float(served.marks.cached.sum(dtype=np.int64))
    return Summary(
        len(trace),
        int(served.refused.sum()),
        percentiles(served.ttft_s),
        percentiles(served.tpot_s),
        percentiles(served.e2e_s),
        served.makespan_s,
        float(done.sum()) / span,
        float(trace.input[done].sum(dtype=np.int64)) / span,
        float(trace.output[done].sum(dtype=np.int64)) / span,
        float(kept.mean()),
        float(kept.sum()) / span,
        {pool.role: float(pool.busy_s.mean()) / span for pool in served.pools},
        {pool.role: pool.kv_peak for pool in served.pools},
        cached / max(float(trace.input[done].sum(dtype=np.int64)), 1.0),
        sum(pool.counters["preemptions"] for pool in served.pools),
        sum(pool.counters["iterations"] for pool in served.pools),
    )


def percentiles(values: Floats) -> dict[int, float]:
    """Percentiles of the values that are there; NaN where there are none.

    >>> percentiles(np.array([1.0, np.nan, 3.0]))[50]
    2.0
    """
    there = values[~np.isnan(values)]
    if not len(there):
        return dict.fromkeys(PERCENTILES, float("nan"))
    return dict(
        zip(PERCENTILES, np.percentile(there, PERCENTILES, overwrite_input=True).tolist(), strict=True)
    )


def table_of(served: Served) -> pa.Table:
    """One row a request, in order of arrival."""
    import pyarrow as pa

    trace, marks = served.trace, served.marks
    columns: dict[str, Any] = {
        "arrival_s": trace.arrival_s,
        "input_tokens": trace.input,
        "output_tokens": trace.output,
        "ttft_s": served.ttft_s,
        "tpot_s": served.tpot_s,
        "e2e_s": served.e2e_s,
        "replica": marks.replica,
        "preemptions": marks.preempted,
        "cached_tokens": marks.cached,
        "refused": served.refused,
    }
    return pa.table({name: pa.array(values, from_pandas=True) for name, values in columns.items()})


def write_parquet(served: Served, out: Path) -> None:
    """Write `table_of` whole or not at all. Raises OutputError."""
    import pyarrow as pa
    from pyarrow import parquet

    sink = pa.BufferOutputStream()
    parquet.write_table(table_of(served), sink, compression="zstd")
    tables.write_bytes(out, sink.getvalue().to_pybytes())
