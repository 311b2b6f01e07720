"""Standby power: diesel sets, fuel on site, test runs and what they emit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gigawright.facts import FactBook


@dataclass(frozen=True, slots=True)
class Backup:
    """Standby sets of a site: how many, their rating [MW], fuel on site [m3], and a year of tests.

    `test_fuel_m3`, `test_co2_t`, `test_nox_t`, `test_pm_t` are the tests' fuel and emissions; an hour of
    outage burns `fuel_m3_h`. `battery_mwh` carries the load until the sets do.
    """

    sets: int
    rating_mw: float
    load_mw: float
    fuel_m3: float
    fuel_m3_h: float
    test_mwh: float
    test_fuel_m3: float
    test_co2_t: float
    test_nox_t: float
    test_pm_t: float
    battery_mwh: float


def fuel_l_kwh(book: FactBook, load_share: float) -> float:
    """Fuel of a diesel set at a share of its rating [l/kWh], between the catalogue's points.

    >>> from gigawright.catalogue.load import load_facts
    >>> round(fuel_l_kwh(FactBook(load_facts()), 1.0), 3)
    0.269
    """
    found = book.points("backup", "diesel", "fuel")
    loads = sorted(found, key=float)
    litres = [float(found[load].value) for load in loads]
    return float(np.interp(load_share, [float(load) for load in loads], litres))


def backup(book: FactBook, load_mw: float, it_mw: float) -> Backup:
    """Standby sets for a site.

    load_mw: what must be carried at the worst hour, cooling and losses included (full halls x their highest
    PUE). it_mw: IT that batteries carry until the sets do. Raises CatalogueError where the book lacks a fact.
    """

    def number(attribute: str, item: str = "diesel") -> float:
        return book.number("backup", item, attribute)

    rating = number("unit")
    needed = math.ceil(load_mw / rating - 1e-9)
    sets = needed + math.ceil(needed * number("spare_share") - 1e-9)
    hourly = load_mw * fuel_l_kwh(book, load_mw / (needed * rating)) if needed else 0.0
    runs = {float(load): float(fact.value) for load, fact in book.points("backup", "diesel", "test").items()}
    tested = sets * rating * sum(load * hours for load, hours in runs.items())
    burnt = sets * rating * sum(load * hours * fuel_l_kwh(book, load) for load, hours in runs.items())
    return Backup(
        sets=sets,
        rating_mw=rating,
        load_mw=load_mw,
        fuel_m3=hourly * number("fuel_hours"),
        fuel_m3_h=hourly,
        test_mwh=tested,
        test_fuel_m3=burnt,
        test_co2_t=burnt * number("co2"),
        test_nox_t=tested * number("nox") / 1e3,
        test_pm_t=tested * number("pm") / 1e3,
        battery_mwh=it_mw * number("ride_through_s", "battery") / 3600.0,
    )
