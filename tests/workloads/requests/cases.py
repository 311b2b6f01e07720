"""Random small cases that meet every part of the engine, and the simplest pace there is."""

from __future__ import annotations

from typing import get_args

import numpy as np

from gigawright.workloads.requests.engine.layout import Policy
from gigawright.workloads.requests.pace import Disaggregated, Pace
from gigawright.workloads.requests.routing import Routing
from gigawright.workloads.requests.traces import Trace, trace_of

BLOCK = 4
Case = tuple[Trace, "Pace | Disaggregated", "int | tuple[int, int]", Policy, Routing]


def random_case(seed: int) -> Case:
    """A trace, a pace with little memory, replicas and a policy."""
    dice = np.random.default_rng(seed)
    trace = random_trace(dice)
    policy = Policy(
        bool(dice.random() < 0.8),
        bool(dice.random() < 0.3),
        bool(dice.random() < 0.3),
        int(dice.integers(1000)),
    )
    routing = get_args(Routing)[int(dice.integers(3))]
    if dice.random() < 0.25:
        transfer = float(dice.choice([0, 1e-4, 1e-2]))
        pace = Disaggregated(random_pace(dice), random_pace(dice), transfer)
        return trace, pace, (int(dice.integers(1, 3)), int(dice.integers(1, 3))), policy, routing
    return trace, random_pace(dice), int(dice.integers(1, 4)), policy, routing


def random_trace(dice: np.random.Generator) -> Trace:
    """Up to 40 requests, often with prefixes in common, at times that may coincide."""
    count = int(dice.integers(1, 40))
    times = np.round(dice.uniform(0, float(dice.choice([0.1, 1, 5])), count), int(dice.integers(1, 6)))
    prompts, answers = dice.integers(1, 30, count), dice.integers(1, 25, count)
    depths = [int(dice.integers(0, tokens // BLOCK + 1)) for tokens in prompts]
    hashes = [dice.integers(0, 2, depth).tolist() for depth in depths] if dice.random() < 0.7 else ()
    encoded = np.minimum(prompts, dice.integers(0, 10, count)) if dice.random() < 0.3 else None
    rank = dice.integers(0, int(dice.integers(1, 4)), count) if dice.random() < 0.3 else None
    return trace_of(
        np.sort(times), prompts, answers, hashes=hashes, encoded=encoded, rank=rank, block_tokens=BLOCK
    )


def random_pace(dice: np.random.Generator) -> Pace:
    """A pace with irregular costs, a handful of sequences and little memory."""
    block, seats, drafted = (
        int(dice.choice([1, 2, 4])),
        int(dice.integers(1, 9)),
        int(dice.choice([0, 0, 1, 3])),
    )
    chunk = seats * (1 + drafted) + int(dice.choice([0, 1, 5, 40]))
    return Pace(
        np.sort(dice.uniform(1e-3, 2e-2, chunk + 1)),
        -(-int(dice.choice([45, 64, 90, 400])) // block),
        seats,
        block_tokens=block,
        context_s=1.1e-5,
        window_s=float(dice.choice([0, 1.3e-5])),
        window=int(dice.choice([0, 0, 3, 12])),
        pair_s=1.7e-6,
        window_pair_s=1e-6,
        encode_s=1e-3,
        draft_tokens=drafted,
        acceptance=float(dice.uniform()),
        draft_s=1e-3,
        swap_s=1e-5,
        watermark=float(dice.choice([0, 0.01, 0.1])),
    )


def busy_trace(count: int = 2000, seed: int = 3) -> Trace:
    """Requests of a few conversations, more than a small replica can do at once."""
    dice = np.random.default_rng(seed)
    prompts, answers = dice.integers(20, 900, count), dice.geometric(0.01, count)
    talks = dice.integers(0, 40, count)
    hashes = [
        [int(talk) * 1000 + at for at in range(tokens // 64)]
        for talk, tokens in zip(talks, prompts, strict=True)
    ]
    return trace_of(
        np.cumsum(dice.exponential(0.02, count)), prompts, answers, hashes=hashes, block_tokens=64
    )


def small_pace(blocks: int = 500, **changes: float) -> Pace:
    """A replica of 500 blocks of 16 tokens whose iterations take 10 ms and 20 us a token."""
    costs = {"context_s": 1e-7, "pair_s": 1e-9, **changes}
    return Pace(0.01 + 2e-5 * np.arange(513), blocks, 32, **costs)  # type: ignore[arg-type]
