"""Which replica gets which request.

round-robin   in turn
least-loaded  the replica with the fewest requests that are not done when a request comes; the replicas then
              advance together, in one thread
prefix        the dispatcher sends a request where its longest prefix went last, unless the work it has sent
              there is ahead of the least busy replica by more than the prefix saves. It estimates work from
              the pace and knows nothing else of the replicas, so they can be simulated each by itself
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from gigawright.arrays import Floats
from gigawright.errors import UserError
from gigawright.workloads.requests.engine.layout import NONE, Work

if TYPE_CHECKING:
    from gigawright.workloads.requests.pace import Pace
    from gigawright.workloads.requests.traces import Shorts

Routing = Literal["round-robin", "least-loaded", "prefix"]

KNOWN_PREFIXES = 1 << 18
"""Prefixes that the dispatcher remembers; later ones overwrite earlier ones in the same place."""


def check_routing(routing: str) -> None:
    """Raises UserError for an unknown way."""
    if routing not in get_args(Routing):
        raise UserError(f"routing {routing!r} is unknown; it must be one of {', '.join(get_args(Routing))}")


def fixed_targets(
    routing: Routing, work: Work, order: Shorts, replicas: int, pace: Pace, share: int
) -> Shorts:
    """Replicas of requests `order`, where they follow from the requests alone."""
    if routing == "round-robin" or replicas == 1:
        return np.arange(len(order), dtype=np.int32) % np.int32(replicas)
    from gigawright.workloads.requests.engine.entries import ENTRIES

    target = np.zeros(len(order), np.int32)
    prompt_s = float(pace.tokens_s[-1]) / pace.chunk
    known, owner = np.full(KNOWN_PREFIXES, NONE, np.int64), np.full(KNOWN_PREFIXES, NONE, np.int64)
    cost = estimated_seconds(work, pace)
    ENTRIES.follow_prefixes(work, order, target, cost, share * prompt_s, np.zeros(replicas), known, owner)
    return target


def estimated_seconds(work: Work, pace: Pace) -> Floats:
    """Seconds of a replica that a request takes in full chunks and a full batch: a dispatcher's guess."""
    prompt_s = float(pace.tokens_s[-1]) / pace.chunk
    token_s = float(pace.tokens_s[pace.max_sequences]) / pace.max_sequences
    return np.asarray(work.input * prompt_s + work.output * token_s, np.float64)
