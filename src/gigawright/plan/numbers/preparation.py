"""One study's labels and records, held while its arrays are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gigawright.arrays import Bools, Ints
from gigawright.workloads.demand import programmes, reach, streams

if TYPE_CHECKING:
    from gigawright.catalogue.resolve import Catalogue
    from gigawright.catalogue.types import System
    from gigawright.facility.size import SiteHours
    from gigawright.study.model import Installed, Study
    from gigawright.workloads.predict import Performance

UNRANGED = (0.5, 2.0)


class Preparation:
    """One study's labels and records, held while its arrays are made."""

    def __init__(
        self,
        study: Study,
        catalogue: Catalogue,
        performance: Performance,
        facilities: Mapping[str, SiteHours],
    ) -> None:
        self.study = study
        self.catalogue = catalogue
        self.performance = performance
        self.facilities = facilities
        self.quarters = study.horizon.quarters
        self.streams = streams(study, catalogue)
        self.programmes = programmes(study, catalogue)
        self.installed = study.installed_by(catalogue.as_of)
        self.offers = offers_of(study, self.installed)
        self.phases = performance.phases
        self.regions = tuple(dict.fromkeys(region for stream in self.streams for region in stream.regions))
        self.reach = self._reach()
        self.zone_of_site, self.zones = zones_of(self.reach)
        self.why_not: dict[tuple[str, str], str] = {}

    @property
    def systems(self) -> list[System]:
        """The system of each offer."""
        return [self.catalogue.systems[name] for name, _ in self.offers]

    def worth_ranges(self) -> dict[str, tuple[float, ...]]:
        """Ends of the range of each group's worth over its value; half and twice where none is given."""
        found: dict[str, list[float]] = {}
        for workload in self.study.workloads:
            ends = found.setdefault(workload.group or workload.name, [])
            if workload.value is not None:
                stated = workload.value.value[0].amount
                given = [
                    end[0].amount for end in (workload.value.low, workload.value.high) if end is not None
                ]
                ends += [end / stated for end in given if stated > 0.0]
        return {group: (min(ends), max(ends)) if ends else UNRANGED for group, ends in found.items()}

    def _reach(self) -> Bools:
        """Whether a site may serve a region of a stream. Shape [site, region, stream]."""
        found = np.zeros((len(self.study.sites), len(self.regions), len(self.streams)), bool)
        limits = {w.name: w.demand.max_rtt for w in self.study.workloads if w.demand is not None}
        for v, stream in enumerate(self.streams):
            columns = [self.regions.index(region) for region in stream.regions]
            found[:, columns, v] = reach(self.study, self.catalogue, stream, limits[stream.workload])
        return found


def offers_of(study: Study, installed: Sequence[Installed]) -> tuple[tuple[str, bool], ...]:
    """(system, leased) of everything that stands or may be had."""
    own = [plan.system for plan in study.systems if plan.buy]
    own += [row.system for row in installed if not row.leased]
    rented = [plan.system for plan in study.systems if plan.lease]
    rented += [row.system for row in installed if row.leased]
    return (
        *((name, False) for name in dict.fromkeys(own)),
        *((name, True) for name in dict.fromkeys(rented)),
    )


def zones_of(reach: Bools) -> tuple[Ints, tuple[str, ...]]:
    """Sites that may serve exactly the same regions form a zone: any request of one may go to any of its
    sites."""
    signatures = [row.tobytes() for row in reach.reshape(len(reach), -1)]
    order = list(dict.fromkeys(signatures))
    return np.array([order.index(signature) for signature in signatures]), tuple(
        f"zone {number + 1}" for number in range(len(order))
    )


def offer_label(system: str, leased: bool) -> str:
    """How an offer is written in tables and messages."""
    return f"{system} (leased)" if leased else system
