"""Who reports: how operators cool, by their own descriptions, their design value, and when places opened."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np

from gigawright.errors import InternalError
from gigawright.workloads.hierarchy import UNSEEN

EARTH_KM = 6371.0
NEAR_KM = 100.0
"""A row is at a place of its operator's up to this distance; assumption: regions of clouds span a city."""

FIRST_GENERATION = 2013
"""Places opened before are of the first generation; assumption: Microsoft's halls cooled by outside air and
pads were built for the regions that opened from 2014 on, its first eight have older halls too."""

SYSTEMS = ("outside air", "towers", "air-cooled chillers")
AIR_COOLED, AIR_COOLED_SUPPLY_C = "air-cooled chillers", 25.0
"""How halls without water are cooled, which clouds lease, and their air [C]; assumption: chillers on the roof
with coils for free cooling, air inside the 18 to 27 that ASHRAE TC 9.9 recommends (2021)."""


@dataclass(frozen=True)
class Operator:
    """Who reports.

    `sector` is what its halls are for, `home` its country. `system` and `air_supply_c` [C] are how it cools
    by its own description, `air_cooled_share` how much of what it reports on has air-cooled chillers instead
    (of a cloud: the halls that it leases). `design_pue` is the value that it states for halls of its newest
    design, `fleet_pue` the mean of all its halls in `fleet_year`; None where it has none.
    """

    name: str
    sector: str
    system: str
    air_supply_c: float
    home: str = ""
    air_cooled_share: float = 0.0
    design_pue: float | None = None
    fleet_pue: float | None = None
    fleet_year: int | None = None


OTHER_SUPPLY_C = 25.0
"""Air to the servers of operators that are not listed [C]; assumption: inside the same range."""

OTHER_SECTOR = "other"
"""Sector of operators that are not listed."""


@dataclass(frozen=True)
class Place:
    """A region of a cloud, and the year it opened."""

    operator: str
    site: str
    latitude: float
    longitude: float
    opened: int


@lru_cache(maxsize=1)
def operators() -> tuple[tuple[re.Pattern[str], Operator], ...]:
    """Operators listed, each with the pattern of its names; the first that matches holds."""
    return tuple((re.compile(row["pattern"], re.IGNORECASE), _operator(row)) for row in _table("operators"))


def _operator(row: Mapping[str, str]) -> Operator:
    if row["system"] not in SYSTEMS:
        raise InternalError(f"cooling system {row['system']!r} of {row['operator']} is not known")
    design, fleet, year = row["design_pue"], row["fleet_pue"], row["fleet_year"]
    return Operator(
        name=row["operator"],
        sector=row["sector"],
        system=row["system"],
        air_supply_c=float(row["air_supply_c"]),
        home=row["home"],
        air_cooled_share=float(row["air_cooled_share"]),
        design_pue=float(design) if design else None,
        fleet_pue=float(fleet) if fleet else None,
        fleet_year=int(year) if year else None,
    )


def operator_named(text: str) -> Operator:
    """The operator of that name; one that is not listed is taken for a cloud with towers.

    >>> operator_named("AWS").name, operator_named("GCP").system, operator_named("Azure").design_pue
    ('Amazon Web Services', 'towers', 1.12)
    >>> operator_named("Brightbox").sector
    'other'
    """
    for pattern, operator in operators():
        if pattern.search(text):
            return operator
    return Operator(text or UNSEEN, OTHER_SECTOR, "towers", OTHER_SUPPLY_C)


@lru_cache(maxsize=1)
def places() -> tuple[Place, ...]:
    """Regions with the year they opened."""
    return tuple(
        Place(
            row["operator"],
            row["site"],
            float(row["latitude"]),
            float(row["longitude"]),
            int(row["opened"]),
        )
        for row in _table("places")
    )


def opened(operator: str, latitude: float, longitude: float) -> int | None:
    """The year an operator's nearest region within `NEAR_KM` opened; None where it has none there.

    The place decides, not the id: a row may have a neighbour's.

    >>> opened("Microsoft Azure", 53.35, -6.2603), opened("Microsoft Azure", 60.2065, 24.6753)
    (2010, None)
    """
    found = [
        (distance_km(latitude, longitude, place.latitude, place.longitude), place.opened)
        for place in places()
        if place.operator == operator
    ]
    near, year = min(found, default=(np.inf, 0))
    return year if near <= NEAR_KM else None


def distance_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Great circle on a sphere of 6,371 km (haversine) [km].

    >>> round(distance_km(51.5, -0.13, 48.85, 2.35))
    343
    """
    a, b, c, d = np.radians([latitude, longitude, other_latitude, other_longitude])
    half = np.sin((c - a) / 2.0) ** 2 + np.cos(a) * np.cos(c) * np.sin((d - b) / 2.0) ** 2
    return float(2.0 * EARTH_KM * np.arcsin(np.sqrt(min(half, 1.0))))


def _table(name: str) -> list[dict[str, str]]:
    text = (files("gigawright.facility.reported") / "data" / f"reported_{name}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))
