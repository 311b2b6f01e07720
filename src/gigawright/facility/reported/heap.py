"""Reporting heaps: operators state a design value for many of their places, and measured values elsewhere.

A reported value is the design value with some probability, and else log-normal above 1 (a mixture); what is
written is rounded to hundredths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, exp, log, sqrt

from gigawright.facility.reported.operators import FIRST_GENERATION, opened
from gigawright.facility.reported.rows import Asked

GENERATIONS = ("first", "later", "not open")
"""Of a place in a year: opened before `FIRST_GENERATION`, opened since, or not open on its first day."""

DIGITS = 2
"""Operators write PUE to hundredths (three places of 41 to thousandths)."""

PSEUDO_STATED, PSEUDO_ALL = 1.0, 2.0
"""What is known of a share before any place is seen: as after one place of two (a uniform prior)."""

STEPS = 60


@dataclass(frozen=True)
class Heap:
    """Shares of places that state the design value, by generation; air that is too humid for the design (a
    share of the hours) takes as much from it.

    >>> Heap((0.2, 0.8, 0.8)).weight("later", humid_share=0.25)
    0.6000000000000001
    """

    shares: tuple[float, float, float]

    def weight(self, generation: str, humid_share: float) -> float:
        """Probability that the design value is stated."""
        return self.shares[GENERATIONS.index(generation)] * (1.0 - humid_share)


@dataclass(frozen=True)
class Stated:
    """A place that may state a design value: its generation, the share of humid hours, and how much of its
    rows state it."""

    generation: str
    humid_share: float
    stated: float


def heap_of(seen: Sequence[Stated]) -> Heap:
    """Shares by generation: (1 + places that state it) / (2 + places that could), the mean of a beta
    distribution."""
    found = []
    for generation in GENERATIONS:
        own = [one for one in seen if one.generation == generation]
        could = sum(1.0 - one.humid_share for one in own)
        share = (PSEUDO_STATED + sum(one.stated for one in own)) / (PSEUDO_ALL + could)
        found.append(min(share, 1.0))
    return Heap((found[0], found[1], found[2]))


def generation_of(asked: Asked) -> str:
    """Generation of a place in the row's year."""
    year = opened(asked.operator.name, asked.latitude, asked.longitude)
    if year is None or year >= asked.year:
        return "not open"
    return "first" if year < FIRST_GENERATION else "later"


@dataclass(frozen=True)
class Mixture:
    """A reported PUE: `design` with probability `weight`, else 1 + exp(N(log_overhead, deviation^2)).

    >>> Mixture(-2.0, 0.2, 0.6, 1.12).median, Mixture(-2.0, 0.2).median
    (1.12, 1.14)
    >>> Mixture(-2.0, 0.2).interval
    (1.105, 1.175)
    """

    log_overhead: float
    deviation: float
    weight: float = 0.0
    design: float = 1.0

    def below(self, pue: float) -> float:
        """Probability of a value of at most `pue`."""
        if pue <= 1.0:
            return 0.0
        rest = 0.5 * erfc((self.log_overhead - log(pue - 1.0)) / (self.deviation * sqrt(2.0)))
        return self.weight * (pue >= self.design) + (1.0 - self.weight) * rest

    def quantile(self, share: float) -> float:
        """The value that this share of reported ones is at or below, before it is rounded."""
        wide = 8.0 * self.deviation
        heap = log(self.design - 1.0) if self.weight else self.log_overhead
        low, high = min(self.log_overhead - wide, heap - 1.0), max(self.log_overhead + wide, heap)
        for _ in range(STEPS):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if self.below(1.0 + exp(middle)) >= share else (middle, high)
        return 1.0 + exp(high)

    @property
    def median(self) -> float:
        """The middle of what is reported, rounded as it is."""
        return round(self.quantile(0.5), DIGITS)

    @property
    def interval(self) -> tuple[float, float]:
        """10th and 90th percentile in thousandths, around the median also where all three are one value."""
        low, high = (round(self.quantile(share), DIGITS + 1) for share in (0.1, 0.9))
        return min(low, self.median), max(high, self.median)
