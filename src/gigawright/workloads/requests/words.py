"""A simulation's answer in words: rows of names and values, the same in a terminal and on a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from gigawright.workloads.requests.result import PERCENTILES

if TYPE_CHECKING:
    from gigawright.workloads.requests.command import Answer

KINDS = (("time to first token", "ttft_s"), ("time per output token", "tpot_s"), ("end to end", "e2e_s"))
"""Times that are told, and where a summary holds them."""

TITLES = ("", *(f"p{percent}" for percent in PERCENTILES))


def time_rows(answer: Answer) -> list[tuple[str, ...]]:
    """Percentiles of each time, under `TITLES`."""
    rows = []
    for name, key in KINDS:
        values: Mapping[int, float] = getattr(answer.summary, key)
        rows.append((name, *(span(values[percent]) for percent in PERCENTILES)))
    return rows


def fact_rows(answer: Answer) -> Iterator[tuple[str, str]]:
    """Everything else, a name and a text each."""
    found, served = answer.summary, answer.served
    yield "requests", f"{found.requests:,} in {span(served.trace.span_s)}, {_replicas(answer)}"
    if found.refused:
        yield "refused", f"{found.refused:,}: longer than the KV cache of a replica"
    yield (
        "throughput",
        f"{found.requests_per_s:,.3g} requests/s, {found.input_tokens_per_s:,.0f} input and "
        f"{found.output_tokens_per_s:,.0f} output tokens/s",
    )
    yield "goodput", f"{found.goodput_share:.1%}, {found.goodput_per_s:,.3g} requests/s {_limits(answer)}"
    for pool in served.pools:
        yield (
            "replicas" if pool.role == "replica" else f"{pool.role} replicas",
            f"busy {found.utilisation[pool.role]:.1%} of the time, KV cache filled to "
            f"{found.kv_peak[pool.role]:.1%} at most; {pool.counters['preemptions']:,} preemptions, "
            f"{pool.counters['iterations']:,} iterations",
        )
    yield "prefix cache", f"{found.cache_hit_share:.1%} of prompt tokens found"
    yield (
        "simulated",
        f"in {served.took_s:.3g} s ({found.requests / max(served.took_s, 1e-9):,.0f} requests/s)",
    )


def _replicas(answer: Answer) -> str:
    if isinstance(answer.replicas, tuple):
        return f"{answer.replicas[0]:,} prefill and {answer.replicas[1]:,} decode replicas"
    return f"{answer.replicas:,} replica{'s' if answer.replicas > 1 else ''}, {answer.asked.routing}"


def _limits(answer: Answer) -> str:
    """The limits that goodput counts."""
    asked = answer.asked
    named = (("TTFT", asked.ttft_ms), ("TPOT", asked.tpot_ms))
    kept = [f"{name} <= {limit:,.4g} ms" for name, limit in named if limit is not None]
    return f"with {' and '.join(kept)}" if kept else "(no limits given)"


def span(seconds: float) -> str:
    """Seconds in the unit people say them in.

    >>> span(0.00712), span(1.5), span(400.0), span(float("nan"))
    ('7.12 ms', '1.50 s', '6.7 min', '-')
    """
    if seconds != seconds:
        return "-"
    if seconds < 0.9995:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.2f} s" if seconds < 300 else f"{seconds / 60:.1f} min"
