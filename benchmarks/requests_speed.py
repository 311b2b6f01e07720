"""Simulating requests one by one: requests a second, memory and counts, beside Vidur.

Run `python benchmarks/requests_speed.py`; the traces are found through GIGAWRIGHT_SHARED (default ../shared).
The first row has the closed form's pace of a named model and system; the others a fixed one, `PACE`, so that
they can be compared over time: what an iteration costs does not change how long simulating it takes, but how
many there are does. Vidur is quoted,
not run: 600-1,010 requests/s in its event loop after a start of 19-33 s, with 3.85 GB, on a machine of this
kind in 2026; what it simulates has neither prefix cache nor speculation.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from gigawright.catalogue.load import load_facts
from gigawright.facts import FactBook
from gigawright.workloads.requests.machine import machine_of
from gigawright.workloads.requests.pace import Disaggregated, Pace
from gigawright.workloads.requests.result import Served, summarise
from gigawright.workloads.requests.run import prepare, serve
from gigawright.workloads.requests.traces import Trace, faster, read_trace

REPEATS = 9
VIDUR = (600, 1010)
"""Requests a second, as measured by others in 2026 on this kind of machine."""

MODEL, SYSTEM, NAMED_REPLICAS = "llama-3.1-70b", "dgx_h100", 4
"""What the closed form is asked for; at the trace's own pace its KV cache overflows now and then."""

REPLICAS = 3
BLOCKS = 12_000
"""KV blocks of 16 tokens a replica: 192,000 tokens, which the Mooncake trace at its own pace overfills."""

PACE = Pace(
    0.012 + 1.8e-5 * np.maximum(np.arange(4097) - 200, 0),
    BLOCKS,
    256,
    context_s=1.5e-8,
    pair_s=2e-10,
    watermark=0.0,
)
"""A step of 12 ms, 18 us a token beyond 200, chunks of 4,096 tokens, no blocks held back at admission;
assumption: orders of magnitude alone.
"""

FOLDER = Path(os.environ.get("GIGAWRIGHT_SHARED") or Path(__file__).resolve().parents[2] / "shared")
MOONCAKE = FOLDER / "data" / "requests" / "mooncake_conversation.jsonl"
AZURE = FOLDER / "data" / "requests" / "AzureLLMInferenceTrace_conv.csv"


def timed(name: str, trace: Trace, **options: object) -> None:
    """Prints the median and the best pace of serving a trace, and what happened in it."""
    pace = options.pop("pace", PACE)
    replicas = options.pop("replicas", REPLICAS)
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        served = serve(trace, pace, replicas, **options)  # type: ignore[arg-type]
        seconds.append(time.perf_counter() - start)
    middle = statistics.median(seconds)
    rate, best = len(trace) / middle, len(trace) / min(seconds)
    times = f"{rate / VIDUR[1]:8,.0f}-{rate / VIDUR[0]:,.0f}x"
    print(f"{name:40s}{middle * 1e3:8.1f} ms{rate:11,.0f} (best {best:9,.0f}){times}", end="")
    print(counts(served))


def counts(served: Served) -> str:
    """What happened: iterations, preemptions, blocks found and evicted, how full it was."""
    found = summarise(served)
    evicted = sum(pool.counters["evicted_blocks"] for pool in served.pools)
    cached = sum(pool.counters["cached_tokens"] for pool in served.pools)
    busy = max(found.utilisation.values())
    return (
        f"  {found.iterations:,} iterations, {found.preemptions:,} preemptions, {cached:,} tokens found "
        f"({found.cache_hit_share:.1%}), {evicted:,} blocks evicted, "
        f"KV peak {max(found.kv_peak.values()):.1%}, busy {busy:.0%}"
    )


def repeated(trace: Trace, count: int) -> Trace:
    """The trace over and over to `count` requests or some more, each time later, with prefixes of its own."""
    times = -(-count // len(trace))
    laps = np.repeat(np.arange(times), len(trace))
    starts = np.concatenate([lap * len(trace.keys) + trace.offset[:-1] for lap in range(times)])
    keys = np.empty(times * len(trace.keys), np.int64)
    for lap, part in enumerate(keys.reshape(times, -1)):
        np.bitwise_xor(trace.keys, lap * 0x5DEECE66D, out=part)
    return Trace(
        f"{trace.name} x {times}",
        np.tile(trace.arrival_s, times) + laps * (trace.span_s + 3.0),
        np.tile(trace.input, times),
        np.tile(trace.output, times),
        np.tile(trace.encoded, times),
        np.tile(trace.rank, times),
        np.append(starts, len(keys)),
        keys,
        trace.block_tokens,
    )


def million() -> None:
    """Run in a process of its own: a million requests, its pace and its peak memory."""
    trace = repeated(read_trace(MOONCAKE, limit=12_000), 1_000_000)
    prepare()
    start = time.perf_counter()
    served = serve(trace, PACE, REPLICAS)
    took = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    name = f"{len(trace):,} requests (Mooncake, repeated)"
    print(f"{name:42s}{took * 1e3:9.0f} ms{len(trace) / took:12,.0f}", end="")
    print(f"   peak memory of the process {peak:,.0f} MiB; {counts(served)}")


def start_up() -> None:
    """Prints what a fresh process takes to be ready, its machine code on disk."""
    code = "from gigawright.workloads.requests.run import prepare; prepare()"
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        seconds.append(time.perf_counter() - start)
    print(f"a fresh process is ready after {statistics.median(seconds):.2f} s (Vidur: 19-33 s)")


def main() -> None:
    """Prints the table."""
    prepare(print)
    start = time.perf_counter()
    mooncake = read_trace(MOONCAKE)
    print(f"{MOONCAKE.name}: {len(mooncake):,} requests read in {time.perf_counter() - start:.3f} s")
    azure = read_trace(AZURE)
    machine = machine_of(mooncake, MODEL, SYSTEM, FactBook(load_facts()))
    print(f"{NAMED_REPLICAS} replicas of {machine.title}: {machine.notes[0]}")
    pace = machine.pace
    named = replace(pace, watermark=0.0) if isinstance(pace, Pace) else pace
    timed("Mooncake, closed form, 1 thread", mooncake, pace=named, replicas=NAMED_REPLICAS)
    print(f"{REPLICAS} replicas of {BLOCKS:,} KV blocks of 16 tokens; median of {REPEATS}; beside Vidur's")
    timed("Mooncake, 1 thread", mooncake)
    timed("Mooncake, 2 threads", mooncake, threads=2)
    timed("Mooncake, least loaded, 1 thread", mooncake, routing="least-loaded")
    timed("Mooncake, by prefix, 1 thread", mooncake, routing="prefix")
    timed("Mooncake, 8 replicas, 1 thread", mooncake, replicas=8)
    drafting = Pace(
        PACE.tokens_s, BLOCKS, 256, context_s=1.5e-8, draft_tokens=3, acceptance=0.7, draft_s=2e-3
    )
    timed("Mooncake, 3 drafted tokens, 1 thread", mooncake, pace=drafting)
    timed(
        "Mooncake, 2 + 2 disaggregated, 1 thread",
        mooncake,
        pace=Disaggregated(PACE, PACE, 2e-6),
        replicas=(2, 2),
    )
    timed("Azure conversation, 20 x, 1 thread", faster(azure, 20.0))
    subprocess.run([sys.executable, __file__, "million"], check=True)
    start_up()


if __name__ == "__main__":
    if sys.argv[1:] == ["million"]:
        million()
    else:
        main()
