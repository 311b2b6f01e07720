"""How often and how long racks are without power, by arrangement, from the failures of components.

Frequency and duration of repairable components (Billinton and Allan 1992, Reliability Evaluation of
Engineering Systems, chapters 9 to 11), failures of a common cause by the beta factor (IEC 61508-6). People,
who cause more outages than components do, are not in it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from gigawright.clock import HOURS_PER_YEAR
from gigawright.facility.cooling.electrical import Chain, Device
from gigawright.facts import FactBook


@dataclass(frozen=True, slots=True)
class Outages:
    """A year's outages of one cause: events, and IT energy lost over a year's (0-1)."""

    events_year: float
    lost_share: float

    @property
    def availability(self) -> float:
        """Share of IT power that is there."""
        return 1.0 - self.lost_share

    @property
    def minutes_year(self) -> float:
        """Minutes a year a rack is without power, on the mean."""
        return self.lost_share * HOURS_PER_YEAR * 60.0


@dataclass(frozen=True, slots=True)
class Cause:
    """Share of a unit's failures that take all of its kind, and how long such a one lasts [h]."""

    share: float
    hours: float


def outages(chain: Chain, book: FactBook, sets_needed: int = 5, sets: int = 6) -> dict[str, Outages]:
    """A year's outages by cause: `grid` (and standby sets that fail then), `units`, `path`, and `all`.

    chain: the arrangement, whose units each hold one of every device but the busways of a rack. sets_needed,
    sets: standby sets of a block, and those that stand there. Small probabilities: causes add.

    >>> from gigawright.catalogue.load import load_facts
    >>> from gigawright.facility.cooling.electrical import power_chain
    >>> facts = FactBook(load_facts())
    >>> one, two = (outages(power_chain(name), facts)["all"].minutes_year for name in ("n", "two_n"))
    >>> bool(one > 10.0 * two)
    True
    """
    cause = Cause(
        book.number("backup", "common", "cause_share"), book.number("backup", "common", "cause_hours")
    )
    devices = (*chain.before, *chain.behind)
    unit = [device for device in devices if device.id != "distribution"]
    path = [device for device in devices if device.id == "distribution"]
    found = {
        "grid": _grid(book, sets_needed, sets, cause),
        "units": _units(unit, chain.needed, chain.units, cause),
        "path": _units(path, 1, chain.feeds, cause),
    }
    events = sum(each.events_year for each in found.values())
    return found | {"all": Outages(events, sum(each.lost_share for each in found.values()))}


def _series(devices: list[Device]) -> tuple[float, float]:
    """Failures a year and unavailability of devices in a row, all of which must work."""
    up = math.prod(
        1.0 / (1.0 + device.failures_year * device.repair_h / HOURS_PER_YEAR) for device in devices
    )
    return sum(device.failures_year for device in devices), 1.0 - up


def _binomial(count: int, down: int, chance: float) -> float:
    return math.comb(count, down) * chance**down * (1.0 - chance) ** (count - down)


def _short(count: int, needed: int, chance: float) -> float:
    """Mean share of the load that is not carried where each of `count` units is down with `chance`."""
    return sum(
        _binomial(count, down, chance) * (1.0 - (count - down) / needed)
        for down in range(count - needed + 1, count + 1)
    )


def _units(devices: list[Device], needed: int, count: int, cause: Cause) -> Outages:
    """Units in parallel: an event where no spare is left already, or a cause common to all strikes.

    Events = (1 - beta) lambda needed P(exactly s down) + beta lambda, s = count - needed
    """
    failures, down = _series(devices)
    spare = count - needed
    common = cause.share * failures if spare else 0.0
    own = down * (1.0 - cause.share) if spare else down
    events = (failures - common) * needed * _binomial(count, spare, own) + common
    return Outages(events, _short(count, needed, own) + common * cause.hours / HOURS_PER_YEAR)


def _grid(book: FactBook, needed: int, sets: int, cause: Cause) -> Outages:
    """Interruptions of the grid in which too few standby sets start, or run to the end.

    p = p_start + (1 - p_start) (1 - exp(-t / t_run))
    """

    def number(item: str, attribute: str) -> float:
        return book.number("backup", item, attribute)

    events, hours = number("utility", "failures"), number("utility", "repair")
    start = number("diesel", "start_failure")
    chance = start + (1.0 - start) * -math.expm1(-hours / number("diesel", "run_hours_to_failure"))
    common = cause.share * chance if sets > needed else 0.0
    own = chance - common
    enough = sum(_binomial(sets, down, own) for down in range(sets - needed + 1))
    short = _short(sets, needed, own) + common
    return Outages(events * (1.0 - enough + common), events * hours * short / HOURS_PER_YEAR)
