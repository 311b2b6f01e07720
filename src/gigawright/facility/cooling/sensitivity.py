"""How far the annual PUE of a design moves over the ranges of its facts, one by one and together."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gigawright.facility.cooling.designs import design
from gigawright.facility.cooling.electrical import DEFAULT_CHAIN, power_chain, pue
from gigawright.facility.cooling.needs import Need, fitted
from gigawright.facility.cooling.systems import cooled
from gigawright.facility.weather.year import WeatherYear
from gigawright.facts import Fact, FactBook

KINDS = frozenset({"cooling", "rejection", "chiller", "power_device", "power_chain"})


@dataclass(frozen=True, slots=True)
class Effect:
    """A fact's ends and the annual PUE at each, all others as stated."""

    fact: Fact
    at_low: float
    at_high: float

    @property
    def span(self) -> float:
        """How far PUE moves from one end to the other."""
        return abs(self.at_high - self.at_low)


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Annual PUE as stated, its range if facts vary independently, and each fact's effect, largest first."""

    pue: float
    low: float
    high: float
    effects: tuple[Effect, ...]


def sensitivity(
    facts: Iterable[Fact],
    item: str,
    weather: WeatherYear,
    load_share: float,
    chain: str = DEFAULT_CHAIN,
    need: Need | None = None,
) -> Sensitivity:
    """The annual PUE of a design over the ranges of its facts, in a year of weather at a constant load.

    low = PUE - sqrt(sum of squares of what facts lower it by), high likewise: facts vary independently. Facts
    without a range, and the weather, do not vary. need: racks that the design runs for. Raises CatalogueError
    for a design there is not.
    """
    known = [fact for fact in facts if fact.kind in KINDS]
    book = FactBook(known)
    stated = _annual(book, item, weather, load_share, chain, need)
    effects = []
    for fact in book.used:
        if fact.low is None or fact.high is None or isinstance(fact.value, str) or fact.low == fact.high:
            continue
        rest = [other for other in known if (other.kind, other.name) != (fact.kind, fact.name)]
        ends = (
            _annual(FactBook([*rest, replace(fact, value=end)]), item, weather, load_share, chain, need)
            for end in (fact.low, fact.high)
        )
        effects.append(Effect(fact, *ends))
    effects.sort(key=lambda effect: (-effect.span, effect.fact.name))
    lower = math.hypot(*(min(e.at_low - stated, e.at_high - stated, 0.0) for e in effects))
    higher = math.hypot(*(max(e.at_low - stated, e.at_high - stated, 0.0) for e in effects))
    return Sensitivity(stated, stated - lower, stated + higher, tuple(e for e in effects if e.span > 0.0))


def _annual(
    book: FactBook, item: str, weather: WeatherYear, load_share: float, chain: str, need: Need | None
) -> float:
    """Mean PUE of the year with a book's facts."""
    made = design(book, item)
    hours = cooled(made if need is None else fitted(made, need), weather, load_share)
    return float(pue(hours.power_share, load_share, power_chain(chain, book)).mean())
