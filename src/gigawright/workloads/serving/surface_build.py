"""Making a response surface: a bank of replicas served by the simulator of requests at each load.

Requests have the workload's mean lengths, spread as in a real trace, and arrive as a Poisson process. All
loads share the lengths and the order of arrivals, so that they differ by load alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from gigawright.arrays import Bools, Floats, Ints
from gigawright.workloads.requests.pace import Disaggregated, Pace
from gigawright.workloads.requests.result import Pool
from gigawright.workloads.requests.traces import Trace
from gigawright.workloads.serving.spread import INPUT_SPREAD, OUTPUT_SPREAD, lengths
from gigawright.workloads.serving.surface import LOADS, PERCENTILES, Felt, SpotCheck, Surface

ROUTING: Final = "least-loaded"
"""How requests come to the replicas of a bank."""

REPLICAS = 8
"""Replicas of a bank where that is not too many requests at once; assumption: some servers behind one router.
"""

MOST_TOGETHER = 4096
"""Requests that a bank works on together at full pace; larger replicas come in smaller banks, of two at
least.
"""

PROMPTS = 24_000
ANSWERS = 8_000
"""Requests that are looked at for a load; queues of prompts vary more than many answers under way do. Seeds
move the 99th percentile by some 5% below 85% load, and by more where a bank is nearly full.
"""

WARMING = 0.15
"""Requests before those that are looked at, over these; they find the state that later ones find."""

BLOCK = 64
"""Tokens of a block of a prefix that requests share."""

SEED = 2026

CHECKED = (0.6, 0.875)
"""Loads between those of a surface at which it is held against the simulator with another seed."""

CHECK_SEED = 4052


@dataclass(frozen=True, eq=False)
class Configuration:
    """A phase as simulated: the pace of a replica, requests a second of one at the closed form's full pace,
    those that run in it then, mean tokens, share of prompts found in the cache, and what is added to each
    first token [s]. A `bank` of 0 has as many replicas as its requests under way allow.
    """

    felt: Felt
    pace: Pace
    full_per_s: float
    running: float
    input_tokens: float
    output_tokens: float
    cached: float = 0.0
    fixed_s: float = 0.0
    loads: tuple[float, ...] = field(default=LOADS)
    bank: int = 0

    @property
    def replicas(self) -> int:
        """Replicas of the bank."""
        if self.bank:
            return self.bank
        if self.felt == "ttft":
            return REPLICAS
        return int(np.clip(MOST_TOGETHER // max(1.0, self.running), 2, REPLICAS))

    @property
    def requests(self) -> int:
        """Requests that are looked at for a load; of answers, enough for what runs to change twice."""
        if self.felt == "ttft":
            return PROMPTS
        return int(max(ANSWERS, 2 * self.running * self.replicas))


@dataclass(frozen=True)
class Row:
    """One load as simulated: seconds by percentile, requests a second and in flight of a replica, busy
    share.
    """

    seconds: dict[int, float]
    requests_per_s: float
    in_flight: float
    busy: float


def built(asked: Configuration, seed: int = SEED) -> Surface:
    """The surface of a configuration, every load simulated; the same for the same configuration and seed."""
    rows = [simulated(asked, load, seed) for load in asked.loads]
    found = Surface(
        felt=asked.felt,
        loads=np.array(asked.loads),
        seconds={each: np.array([row.seconds[each] for row in rows]) for each in PERCENTILES},
        requests_per_s=np.array([row.requests_per_s for row in rows]),
        in_flight=np.array([row.in_flight for row in rows]),
        busy=np.array([row.busy for row in rows]),
        replicas=asked.replicas,
        requests=asked.requests,
        full_per_s=asked.full_per_s,
        fixed_s=asked.fixed_s,
    )
    within = [load for load in CHECKED if asked.loads[0] <= load <= asked.loads[-1]]
    return replace(found, checks=tuple(spot_check(found, asked, load, CHECK_SEED) for load in within))


def spot_check(surface: Surface, asked: Configuration, load: float, seed: int) -> SpotCheck:
    """Simulate a load between those of a surface with another seed, beside what the surface tells."""
    return SpotCheck(load, seed, surface.at(load).seconds, simulated(asked, load, seed).seconds)


def simulated(asked: Configuration, load: float, seed: int = SEED) -> Row:
    """A bank at one load."""
    return _prompts(asked, load, seed) if asked.felt == "ttft" else _answers(asked, load, seed)


def _prompts(asked: Configuration, load: float, seed: int) -> Row:
    """Prompts alone: each request ends with its first token."""
    from gigawright.workloads.requests.engine.layout import Policy
    from gigawright.workloads.requests.run import serve

    count = asked.requests
    warm = int(WARMING * count)
    random = np.random.default_rng(seed)
    prompts = lengths(asked.input_tokens, INPUT_SPREAD, warm + count, random)
    arrival = np.cumsum(random.exponential(1.0, warm + count)) / _rate(asked, load)
    trace = _trace(arrival, prompts, np.ones_like(prompts), asked.cached)
    served = serve(
        trace, asked.pace, asked.replicas, policy=Policy(prefix_cache=asked.cached > 0.0), routing=ROUTING
    )
    looked = np.arange(len(trace)) >= warm
    seconds = served.ttft_s + asked.fixed_s
    return _row(asked, seconds, served.e2e_s, served.finish_s, arrival, looked, _busy(served.pools[0]))


def _answers(asked: Configuration, load: float, seed: int) -> Row:
    """Answers alone: prompts come with their cache, from prefill that takes no time.

    The bank starts with as many requests under way as its load keeps, each somewhere in its answer; arrivals
    go on until those that are looked at are through.
    """
    from gigawright.workloads.requests.engine.layout import Policy
    from gigawright.workloads.requests.run import serve

    started = round(_under_way(asked, load) * asked.replicas)
    count = asked.requests
    warm = int(WARMING * count)
    coming = warm + count + int(asked.running * asked.replicas)
    random = np.random.default_rng(seed)
    prompts = lengths(asked.input_tokens, INPUT_SPREAD, coming, random)
    answers = lengths(asked.output_tokens, OUTPUT_SPREAD, coming, random)
    arrival = np.cumsum(random.exponential(1.0, coming)) / _rate(asked, load)
    before = _midway(prompts, answers, started, random)
    trace = _trace(
        np.concatenate([np.zeros(started), arrival]),
        np.concatenate([before[0], prompts]),
        np.concatenate([before[1], answers]),
        0.0,
    )
    served = serve(
        trace,
        Disaggregated(_instant(trace), asked.pace, 0.0),
        (1, asked.replicas),
        policy=Policy(prefix_cache=False),
        routing=ROUTING,
    )
    place = np.arange(len(trace)) - started
    looked = (place >= warm) & (place < warm + count)
    busy = _busy(served.pools[1])
    return _row(asked, served.tpot_s, served.e2e_s, served.finish_s, trace.arrival_s, looked, busy)


def _busy(pool: Pool) -> float:
    """Share of the time until its own last iteration that a replica works."""
    return float(pool.busy_s.sum() / pool.end_s.sum())


def _rate(asked: Configuration, load: float) -> float:
    """Requests a second that come to the bank."""
    return load * asked.full_per_s * asked.replicas


def _row(
    asked: Configuration,
    seconds: Floats,
    stay: Floats,
    finish: Floats,
    arrival: Floats,
    looked: Bools,
    busy: float,
) -> Row:
    refused = np.isnan(finish)
    felt = np.where(refused, np.inf, seconds)[looked]
    felt = np.sort(felt[~np.isnan(felt)])
    ranks = {each: min(len(felt) - 1, int(each / 100 * len(felt))) for each in PERCENTILES}
    window = looked & ~refused
    first, last = float(arrival[looked][0]), float(arrival[looked][-1])
    ended = ~refused & (finish >= first) & (finish < last)
    done = float(ended.sum()) / max(last - first, 1e-12) / asked.replicas
    mean = float(stay[window].mean()) if window.any() else 0.0
    return Row(
        {each: float(felt[rank]) for each, rank in ranks.items()},
        done,
        # Little's law: as many are in flight as come in the time one stays.
        float(window.sum()) / max(last - first, 1e-12) / asked.replicas * mean,
        min(1.0, busy),
    )


def _midway(prompts: Ints, answers: Ints, count: int, random: np.random.Generator) -> tuple[Ints, Ints]:
    """Requests met at a random moment: the longer an answer, the likelier; any part of it may be done."""
    if count == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    upto = np.cumsum(answers, dtype=float)
    picked = np.searchsorted(upto, (np.arange(count) + random.random(count)) / count * upto[-1])
    picked = random.permutation(np.minimum(picked, len(answers) - 1))
    done = np.floor(random.random(count) * answers[picked]).astype(np.int64)
    return prompts[picked] + done, np.maximum(1, answers[picked] - done)


def _under_way(asked: Configuration, load: float) -> float:
    """Sequences of a replica that a load keeps running: as many as come while one is answered."""
    pace = asked.pace
    # A long answer is met more often than a short one.
    context = asked.input_tokens + asked.output_tokens * (1 + OUTPUT_SPREAD**2) / 2
    fit = float(min(pace.max_sequences, pace.kv_tokens / context))

    def done_per_s(running: float) -> float:
        step = float(np.interp(running, np.arange(len(pace.tokens_s)), pace.tokens_s))
        step += running * (pace.context_s * context + pace.window_s * min(context, pace.window))
        return running / step / asked.output_tokens

    low, high = 0.0, fit
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if done_per_s(middle) < load * asked.full_per_s else (low, middle)
    return (low + high) / 2


def _instant(trace: Trace) -> Pace:
    """A replica for prompts that takes no time and holds them all."""
    longest = int(trace.input.max())
    blocks = int(-(-trace.input.astype(np.int64) // 16).sum()) + len(trace) + 1
    return Pace(np.zeros(max(longest, 2) + 1), blocks=blocks, max_sequences=1, watermark=0.0)


def _trace(arrival: Floats, prompts: Ints, answers: Ints, cached: float) -> Trace:
    """Requests that share one prefix, each as much of it as it finds cached: it is always at hand, as a cache
    on the host keeps it.
    """
    count = len(arrival)
    shared = np.minimum(np.rint(cached * prompts / BLOCK), (prompts - 1) // BLOCK).astype(np.int64)
    offset = np.concatenate([[0], np.cumsum(shared)])
    chain = np.random.default_rng(SEED).integers(1 << 62, size=int(shared.max(initial=0)))
    within = np.arange(offset[-1]) - np.repeat(offset[:-1], shared)
    return Trace(
        "surface",
        arrival,
        prompts.astype(np.int32),
        answers.astype(np.int32),
        np.zeros(count, np.int32),
        np.zeros(count, np.int8),
        offset.astype(np.int64),
        chain[within],
        BLOCK,
    )
