"""Requests a second that a service answers within a latency limit, and the batch that answers most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gigawright.workloads.calibrated import Calibrated
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.recommender.load import server
from gigawright.workloads.recommender.predictor import TOO_SLOW, Predicted, calibration, levels, predict_ask
from gigawright.workloads.recommender.queueing import p99_latency_s
from gigawright.workloads.recommender.service import Ask

MOST_REQUESTS = 2.0**14
"""Requests in the largest batch that is tried; assumption: beyond it no latency limit is kept."""


@dataclass(frozen=True)
class Capacity:
    """What a service of `ask.accelerators` answers: the prediction at its best batch."""

    predicted: Predicted
    limit_s: float

    @property
    def per_s(self) -> float:
        """Requests a second of all accelerators; nan where none keep the limit."""
        return self.predicted.per_s * self.predicted.ask.accelerators

    def p99_s(self, per_s: float, known: Calibrated | None = None) -> float:
        """Latency of the 99th percentile at a load of all accelerators [requests/s]; inf beyond them."""
        done, found = self.predicted, known or calibration()
        ask = replace(done.ask, requests=done.batch)
        slow = np.exp(found.hierarchy.multipliers([levels(ask)])[0])
        line = server(ask, found.constants, slow)
        return p99_latency_s(per_s * line.servers / ask.accelerators, line)


def capacity(ask: Ask, limit_s: float, known: Calibrated | None = None) -> Capacity:
    """The batch, a power of two of requests, at which most requests are answered within `limit_s`.

    Raises Unpredictable where none is, with the reason.

    >>> from gigawright.workloads.recommender.examples import dlrm
    >>> slow, fast = capacity(dlrm(), 0.1), capacity(dlrm(), 0.002)
    >>> slow.per_s > fast.per_s, slow.predicted.batch > fast.predicted.batch
    (True, True)
    """
    tried = [
        predict_ask(replace(ask, live=True, limit_s=limit_s, requests=requests), known)
        for requests in _batches()
    ]
    good = [one for one in tried if not one.refused]
    if not good:
        raise Unpredictable(tried[0].refused or TOO_SLOW)
    return Capacity(max(good, key=lambda one: one.per_s), limit_s)


def _batches() -> Sequence[float]:
    return [2.0**power for power in range(int(math.log2(MOST_REQUESTS)) + 1)]
