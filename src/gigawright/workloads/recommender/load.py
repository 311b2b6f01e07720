"""A service under load: the batch it may take, its latency, and requests a second within a limit.

A batch of n requests takes nearly a + b n seconds; a and b come from a batch of one and the one asked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from gigawright.arrays import Floats
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.recommender.constants import Constants
from gigawright.workloads.recommender.cost import Prepared, prepare, seconds
from gigawright.workloads.recommender.places import places
from gigawright.workloads.recommender.queueing import Server, capacity_per_s
from gigawright.workloads.recommender.service import Ask

MOST_HALVINGS = 40
"""Times a batch is halved to keep a limit before the limit is given up."""

MOST_SERVERS = 1024
"""Accelerators that share a queue at most; assumption: in larger pools waiting is alike, and too small to
tell."""

LEAST_USE = 0.5
"""A batch is halved until its accelerators may be busy at least this share of time within the limit;
assumption: below it, smaller batches give more."""


@dataclass(frozen=True)
class Loaded:
    """A batch with the share of time that accelerators may be busy for 99% of answers to keep the limit."""

    ready: Prepared
    use: float


def fastest(ask: Ask, c: Constants, slow: Floats | float = 1.0) -> Prepared:
    """The batch with its tables where it takes least time; `slow` multiplies parts [parts].

    Raises Unpredictable where nothing holds the tables.
    """
    ready = [prepare(ask, place) for place in places(ask)]
    return min(ready, key=lambda one: float((seconds(one, c) * slow).sum()))


def server(ask: Ask, c: Constants, slow: Floats | float = 1.0) -> Server:
    """The queueing model of accelerators that score batches of up to `ask.requests` requests.

    Raises Unpredictable where the model does not fit or a rate is missing.
    """

    def total(requests: float) -> float:
        ready = fastest(replace(ask, requests=requests), c, slow)
        return float((seconds(ready, c) * slow).sum())

    full, servers = total(ask.requests), min(ask.accelerators, MOST_SERVERS)
    if not math.isfinite(full):
        raise Unpredictable("not predictable: the inputs are so large that the seconds of a batch overflow")
    if ask.requests <= 1:
        return Server(item_s=full, servers=servers)
    item = max(0.0, (full - total(1.0)) / (ask.requests - 1))
    return Server(item, max(0.0, full - ask.requests * item), ask.requests, servers)


def loaded(ask: Ask, c: Constants, slow: Floats | float = 1.0) -> Loaded:
    """The batch asked, or for a live service the largest half of it that leaves time within the limit.

    `use` is 0 where no batch keeps the limit.
    """
    if not ask.live or not ask.limit_s:
        return Loaded(fastest(ask, c, slow), 1.0)
    tried = ask
    for _ in range(MOST_HALVINGS):
        line = server(tried, c, slow)
        use = capacity_per_s(ask.limit_s, line) / line.most_per_s
        if use >= LEAST_USE or tried.requests <= 1:
            break
        tried = replace(tried, requests=max(1.0, tried.requests / 2))
    return Loaded(fastest(tried, c, slow), use)
