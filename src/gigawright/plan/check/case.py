"""What the checker looks at: the study, the facts, the solution's tables, and plain look-ups in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gigawright.clock import Quarter
from gigawright.plan.check.hours import Season, seasons
from gigawright.workloads.demand import Programme, Stream, programmes, reach, streams

if TYPE_CHECKING:
    from gigawright.catalogue.resolve import Catalogue
    from gigawright.catalogue.types import Site, System
    from gigawright.facility.size import SiteHours
    from gigawright.study.model import Installed, SitePlan, Study, SystemPlan, Workload
    from gigawright.workloads.performance import Phase
    from gigawright.workloads.predict import Performance

TOLERANCE = 1e-6
"""Relative to the larger side, or to the unit of the rule where both are smaller."""
THOUSAND = 1e3
"""The unit of rules on accelerators and on people."""
OWN, LEASE = "own", "lease"


@dataclass(frozen=True, eq=False)
class Case:
    """One plan to check. Look-ups are made from the inputs alone; `tables` is what is on trial."""

    study: Study
    catalogue: Catalogue
    performance: Performance
    facilities: Mapping[str, SiteHours]
    tables: Mapping[str, pd.DataFrame]
    summary: Mapping[str, float]

    @cached_property
    def quarters(self) -> tuple[Quarter, ...]:
        """Every quarter of the horizon."""
        return self.study.horizon.quarters

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The quarters as the tables write them."""
        return tuple(map(str, self.quarters))

    @cached_property
    def discount(self) -> tuple[float, ...]:
        """What a dollar in the middle of each quarter is worth at the horizon's start."""
        rate = self.catalogue.constants.discount_rate
        return tuple(float((1.0 + rate) ** (-(2 * q + 1) / 8.0)) for q in range(len(self.quarters)))

    @cached_property
    def plans(self) -> dict[str, SitePlan]:
        """The study's words on each site."""
        return {plan.site: plan for plan in self.study.sites}

    @cached_property
    def installed(self) -> tuple[Installed, ...]:
        """What stands without any order, as far as the day of knowledge knew."""
        day = self.catalogue.as_of
        return tuple(
            row
            for row in self.study.installed
            if day is None or row.known_from is None or row.known_from <= day
        )

    @cached_property
    def wishes(self) -> dict[str, SystemPlan]:
        """The study's words on each system that may be had."""
        return {plan.system: plan for plan in self.study.systems}

    @cached_property
    def streams(self) -> dict[str, Stream]:
        """Demand by workload."""
        return {stream.workload: stream for stream in streams(self.study, self.catalogue)}

    @cached_property
    def programmes(self) -> dict[str, Programme]:
        """Training runs by name."""
        return {run.name: run for run in programmes(self.study, self.catalogue)}

    @cached_property
    def phases(self) -> dict[str, Phase]:
        """Phases of work by name."""
        return {phase.name: phase for phase in self.performance.phases}

    @cached_property
    def workloads(self) -> dict[str, Workload]:
        """The study's workloads by name."""
        return {workload.name: workload for workload in self.study.workloads}

    @cached_property
    def zones(self) -> dict[str, tuple[str, ...]]:
        """Sites of each zone: those that reach exactly the same regions, numbered as the study lists them."""
        signatures: dict[str, set[tuple[str, str]]] = {site: set() for site in self.plans}
        for name, stream in self.streams.items():
            demand = self.workloads[name].demand
            limit = demand.max_rtt if demand else 0.0
            found = reach(self.study, self.catalogue, stream, limit)
            for s, r in zip(*np.nonzero(found), strict=True):
                signatures[self.study.sites[s].site].add((name, stream.regions[r]))
        order = list(dict.fromkeys(frozenset(pairs) for pairs in signatures.values()))
        return {
            f"zone {number + 1}": tuple(site for site, pairs in signatures.items() if pairs == shared)
            for number, shared in enumerate(order)
        }

    @cached_property
    def seasons(self) -> tuple[Season, ...]:
        """Every site and quarter with hours of dispatch."""
        return seasons(self)

    @property
    def whole_seasons(self) -> Iterator[Season]:
        """Those whose hours are all there; the others are told by `every_hour_is_there`."""
        return (season for season in self.seasons if len(season.flows["hour"]) == len(season.need))

    def site(self, name: str) -> Site:
        """The catalogue's record of a site."""
        return self.catalogue.sites[name]

    def system(self, name: str) -> System:
        """The catalogue's record of a system."""
        return self.catalogue.systems[name]

    def domestic(self, system: str) -> bool:
        """Whether a system is of the buyer's own side: chips are made for China or for the rest."""
        chinese_buyer = self.study.buyer.headquarters == "China"
        return (self.system(system).accelerator.made_for == "China") is chinese_buyer

    def lead(self, system: str, tenure: str) -> int:
        """Quarters from order to service; a lease serves from the next quarter."""
        return 1 if tenure == LEASE else self.system(system).lead_quarters

    def economics(self, item: str) -> float:
        """A number of the catalogue's economics."""
        return self.catalogue.book.number("economics", item, "value")

    def rate_per_s(self, phase: str, system: str, quarter: int) -> float:
        """Work a second of one accelerator that a planner may count on, in the phase's own unit.

        Predicted pace x (availability and headroom, or goodput) x software gain since the horizon's start.
        """
        workload = self.workloads[self.phases[phase].workload]
        gain = workload.software_gain_per_year.value if workload.software_gain_per_year else 1.0
        pace = self.performance.table[phase, system].work_per_s
        return float(pace * self.performance.net_share[phase, system] * gain ** (quarter / 4.0))

    def amounts(self, table: str, column: str, *keys: str, **where: str) -> dict[tuple[str, ...], float]:
        """A table's column added up by keys, over the rows where other columns have given values."""
        asked = (table, column, keys, tuple(where.items()))
        if asked not in self._found:
            frame = self.tables[table]
            for name, value in where.items():
                frame = frame[frame[name].astype(str) == value]
            found: dict[tuple[str, ...], float] = defaultdict(float)
            for *key, amount in zip(*(frame[key].astype(str) for key in keys), frame[column], strict=True):
                found[tuple(key)] += float(amount)
            self._found[asked] = dict(found)
        return self._found[asked]

    @cached_property
    def _found(self) -> dict[tuple[object, ...], dict[tuple[str, ...], float]]:
        """Sums made so far."""
        return {}

    def rows(self, table: str) -> Iterator[Any]:
        """A table's rows, its columns as attributes."""
        return iter(self.tables[table].itertuples(index=False))


def above(got: float, limit: float, unit: float = 1.0) -> bool:
    """Whether an amount lies above its limit by more than the tolerance.

    >>> above(100.0, 99.0), above(100.00001, 100.0), above(5e-4, 0.0, THOUSAND)
    (True, False, False)
    """
    return got > limit + TOLERANCE * max(unit, abs(got), abs(limit))


def differ(one: float, other: float, unit: float = 1.0) -> bool:
    """Whether two amounts that should agree do not."""
    return above(one, other, unit) or above(other, one, unit)


def told(place: str, got: float, what: str, limit: float, bound: str, unit: str = "") -> str:
    """A violation: where, how much there is, how much there should be.

    >>> told("capital in 2026", 23900.0, "paid", 23558.0, "allowed", "M USD")
    'capital in 2026: 23,900 M USD paid, 23,558 allowed (+1.45%)'
    """
    unit = f" {unit}" if unit else ""
    change = f" ({got / limit - 1.0:+.2%})" if abs(limit) > 0.0 else ""
    return f"{place}: {got:,.7g}{unit} {what}, {limit:,.7g} {bound}{change}"
