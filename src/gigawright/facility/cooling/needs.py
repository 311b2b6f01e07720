"""What racks need of a hall, and whether a design gives it: heat by liquid, supply temperatures, limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gigawright.errors import CatalogueError
from gigawright.facility.cooling.electrical import Chain, pue
from gigawright.facility.cooling.systems import Cooling, CoolingHours, Design, cooling_systems
from gigawright.facts import FactBook

# ASHRAE TC 9.9: facility water (2021), coolant to the racks (2024), air to the servers (2021, 5th edition
# of the Thermal Guidelines); the warmest supply of each class [C] [cited, unverified].
WATER_CLASSES = {"W17": 17.0, "W27": 27.0, "W32": 32.0, "W40": 40.0, "W45": 45.0}
COOLANT_CLASSES = {"S30": 30.0, "S40": 40.0, "S45": 45.0, "S50": 50.0}
AIR_CLASSES = {"H1": 25.0, "A1": 32.0, "A2": 35.0, "A3": 40.0, "A4": 45.0}
# Assumption: coolant above facility water, across the distribution unit's exchanger.
UNIT_APPROACH_K = 4.0
# Assumption: the warmest server of a row gets air this much warmer than the fans send.
HOT_SPOT_K = 3.0
# Where the catalogue says nothing of a system: plates take 0.8, coolant of class S40, servers of class A2.
PLATES_SHARE, USUAL_COOLANT_C, USUAL_INLET_C = 0.8, COOLANT_CLASSES["S40"], AIR_CLASSES["A2"]


@dataclass(frozen=True, slots=True)
class Need:
    """A system's heat by liquid (0-1), and the warmest coolant and air its racks take [C]."""

    system: str
    name: str
    liquid_share: float
    coolant_max_c: float
    inlet_max_c: float


def need_of(book: FactBook, system: str) -> Need:
    """What a system of the catalogue needs; raises CatalogueError where it is unknown.

    >>> from gigawright.catalogue.load import load_facts
    >>> need_of(FactBook(load_facts()), "gb200_nvl72").liquid_share
    0.87
    """
    by_liquid = book.text("system", system, "cooling") == "liquid"
    return Need(
        system=system,
        name=book.text("system", system, "name"),
        liquid_share=book.number("system", system, "liquid_share", PLATES_SHARE if by_liquid else 0.0),
        coolant_max_c=book.number("system", system, "coolant_max", USUAL_COOLANT_C),
        inlet_max_c=book.number("system", system, "inlet_max", USUAL_INLET_C),
    )


def fitted(design: Design, need: Need) -> Design:
    """The design as it must run for a system: its share of heat by liquid, its supply where it is cooler.

    Facility water stays 4 K below the warmest coolant, air 3 K below the warmest inlet. Raises CatalogueError
    for heat by liquid in a hall that has no liquid loop, with the designs that have one.

    >>> from gigawright.facility.cooling.systems import cooling_system
    >>> rack = Need("r", "a rack", 0.9, 40.0, 35.0)
    >>> fitted(cooling_system("liquid"), rack).liquid_supply_c
    36.0
    """
    if need.liquid_share > 0.0 and design.liquid is None:
        others = (name for name, other in cooling_systems().items() if isinstance(other, Design))
        able = ", ".join(sorted(name for name in others if _has_liquid(name)))
        raise CatalogueError(
            f"{need.name} gives {need.liquid_share:.0%} of its heat to liquid; a hall cooled by "
            f"{design.name!r} has none to give it to. Designs that have: {able}"
        )
    coolest = np.minimum(design.liquid_supply_c, need.coolant_max_c - UNIT_APPROACH_K)
    air = np.minimum(design.air_supply_c, need.inlet_max_c - HOT_SPOT_K)
    share = design.liquid_share if design.bath else need.liquid_share
    return design.changed(liquid_share=share, liquid_supply_c=_plain(coolest), air_supply_c=_plain(air))


def _has_liquid(name: str) -> bool:
    system = cooling_systems()[name]
    return isinstance(system, Design) and system.liquid is not None


def _plain(value: np.ndarray | float) -> np.ndarray | float:
    """A number where the array holds but one."""
    return float(value) if np.ndim(value) == 0 else value


def water_class(supply_c: float) -> str:
    """The class of facility water whose warmest supply is at least this: what racks must be made for.

    >>> water_class(40.0), water_class(36.0), water_class(47.0)
    ('W40', 'W40', 'W+')
    """
    return next((name for name, warmest in WATER_CLASSES.items() if supply_c <= warmest), "W+")


def peak_pue(
    system: Cooling, dry_bulb_c: float, wet_bulb_c: float, chain: Chain | None = None, load_share: float = 1.0
) -> float:
    """PUE of a full hall at a place's extremes, what a connection and standby sets must carry.

    dry_bulb_c, wet_bulb_c: exceeded in 0.4 % of the hours, or rarer [C]; both at once, which is on the safe
    side, for the wettest hours are not the hottest.

    >>> from gigawright.facility.cooling.systems import cooling_system
    >>> round(peak_pue(cooling_system("liquid"), 36.0, 27.0), 3)
    1.13
    """
    cooled = system.hours(np.array([dry_bulb_c]), np.array([min(wet_bulb_c, dry_bulb_c)]), load_share)
    return float(np.max(pue(cooled.power_share, load_share, chain)))


@dataclass(frozen=True, slots=True)
class Limit:
    """Hours in which a supply is warmer than asked, and by how much at the worst [K]."""

    hours: int
    worst_k: float

    def __str__(self) -> str:
        if not self.hours:
            return "holds its supply temperatures in every hour"
        return f"too warm in {self.hours} hours of the year, by {self.worst_k:.1f} K at the worst"


def limit(cooled: CoolingHours) -> Limit:
    """What a year of cooling does not hold; the air's and the liquid's supply together.

    >>> calm = CoolingHours(np.zeros(3), np.zeros(3), liquid_excess_k=np.array([0.0, 2.0, 0.5]))
    >>> str(limit(calm))
    'too warm in 2 hours of the year, by 2.0 K at the worst'
    """
    excess = np.maximum(cooled.air_excess_k, cooled.liquid_excess_k)
    return Limit(int(cooled.short.sum()), float(np.max(excess)))
