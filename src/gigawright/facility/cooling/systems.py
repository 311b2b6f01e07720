"""Cooling power and water of a hall by hour, from dry and wet bulb.

A cooling system is what has `name` and `hours(dry_bulb_c, wet_bulb_c, load_share)`. The package's own are
rows of data (kind `cooling` of the catalogue) read into one class, `Design`: which share of the heat leaves
by liquid, at which supply temperatures, and which ways out (kind `rejection`) take it. Entry points of the
group `gigawright.cooling` add others. Hotter or more humid air never costs less power in any of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from gigawright.arrays import Bools, Floats
from gigawright.errors import CatalogueError
from gigawright.facility.cooling import physics
from gigawright.facility.cooling.physics import Values
from gigawright.facility.cooling.rejection import Outside, Rejected, Rejection, Task

if TYPE_CHECKING:
    from gigawright.facility.weather.year import WeatherYear

ENTRY_POINTS = "gigawright.cooling"
# Assumption: chilled water below the air it cools.
COIL_APPROACH_K = 5.0
# Plates' loop in the racks, and the loop to the outside: two pumps in a row.
LIQUID_LOOPS = 2
# Supply that is warmer than asked by less than this counts as held [K] (assumption: a sensor's class).
HELD_WITHIN_K = 0.1
# Assumption: fans, pumps and compressors turn down to a fifth of their duty; below it they are not modelled.
LOWEST_LOAD = 0.2


def _nothing() -> Floats:
    return np.zeros(())


@dataclass(frozen=True, eq=False)
class CoolingHours:
    """Per kWh of IT: cooling electricity [kWh] and make-up water [l], by hour.

    `air_excess_k`, `liquid_excess_k`: by how much the supply is warmer than asked, where no chiller helps.
    `loop_share`, `loop_water_l_per_kwh`: the part of both that gives the liquid's heat (in a hall without
    liquid: the air's) to the outside; heat that is used elsewhere spares it.
    """

    power_share: Floats
    water_l_per_kwh: Floats
    air_excess_k: Floats = field(default_factory=_nothing)
    liquid_excess_k: Floats = field(default_factory=_nothing)
    loop_share: Floats = field(default_factory=_nothing)
    loop_water_l_per_kwh: Floats = field(default_factory=_nothing)

    @property
    def short(self) -> Bools:
        """Hours in which the supply temperature is not held."""
        return np.asarray(np.maximum(self.air_excess_k, self.liquid_excess_k) > HELD_WITHIN_K)


class Cooling(Protocol):
    """What a cooling system must be able to do."""

    @property
    def name(self) -> str:
        """The name it is asked for by."""

    def hours(self, dry_bulb_c: Floats, wet_bulb_c: Floats, load_share: float) -> CoolingHours:
        """Power and water per unit of IT for outside air [C], at a share of the hall's design load (0-1]."""


@dataclass(frozen=True, eq=False)
class Design:
    """A hall's cooling: heat by liquid and by air, each with supply temperature [C], rise [K] and a way out.

    `liquid_share` of the IT heat goes to plates or a bath; the rest warms air that fans move through the hall
    against `hall_fan_pa` [Pa]. `coil_rise_k` is the rise of chilled water where air is cooled by it (0: the
    way out takes air). In a `bath` all racks give the same share to the liquid. Supply temperatures, rises
    and the share may be arrays that broadcast against the weather, such as `[supply, 1]` against `[hour]`.
    """

    name: str
    description: str
    air: Rejection
    air_supply_c: Values
    air_rise_k: Values
    hall_fan_pa: float
    coil_rise_k: float = 0.0
    liquid: Rejection | None = None
    liquid_share: Values = 0.0
    liquid_supply_c: Values = 40.0
    liquid_rise_k: Values = 10.0
    bath: bool = False

    def changed(self, **changes: Any) -> Design:
        """The same with other values: `cooling_system("air").changed(air_supply_c=22.0)`."""
        return replace(self, **changes)

    def hours(
        self,
        dry_bulb_c: Floats,
        wet_bulb_c: Floats,
        load_share: Values,
        pressure_pa: Values | None = None,
    ) -> CoolingHours:
        """Power and water per unit of IT.

        dry_bulb_c, wet_bulb_c: outside air [C], any shape (`[hour]`, `[site, hour]`). load_share: IT load
        over the hall's design load, 0.2 to 1 (a lower one counts as 0.2), broadcasts.
        pressure_pa: of the air [Pa], which makes fans work harder up high; None: sea level.
        """
        outside = Outside(dry_bulb_c, wet_bulb_c, np.maximum(load_share, LOWEST_LOAD), pressure_pa)
        inside, air = self._by_air(outside)
        if self.liquid is None:
            return CoolingHours(
                inside + air.power_share,
                air.water_l_per_kwh,
                air_excess_k=air.excess_k,
                loop_share=air.power_share,
                loop_water_l_per_kwh=air.water_l_per_kwh,
            )
        pumps, liquid = self._by_liquid(outside, self.liquid)
        share, rest = np.asarray(self.liquid_share), 1.0 - np.asarray(self.liquid_share)
        loop, water = share * liquid.power_share, share * liquid.water_l_per_kwh
        return CoolingHours(
            share * pumps + loop + rest * (inside + air.power_share),
            water + rest * air.water_l_per_kwh,
            air_excess_k=air.excess_k * (rest > 0.0),
            liquid_excess_k=liquid.excess_k,
            loop_share=loop,
            loop_water_l_per_kwh=water,
        )

    def _by_air(self, outside: Outside) -> tuple[Floats, Rejected]:
        """Fans and pumps inside, and what the way out needs, per unit of heat that warms air."""
        design = physics.fan_share(self.hall_fan_pa, self.air_rise_k) * outside.thin
        fan = physics.at_part_load(design, outside.load_share)
        if not self.coil_rise_k:
            return fan, self.air.reject(outside, Task(self.air_supply_c, self.air_rise_k, 1.0 + fan))
        pump = physics.at_part_load(physics.pump_share(self.coil_rise_k), outside.load_share)
        chilled = np.asarray(self.air_supply_c) - COIL_APPROACH_K
        inside = fan + pump
        return inside, self.air.reject(outside, Task(chilled, self.coil_rise_k, 1.0 + inside))

    def _by_liquid(self, outside: Outside, way: Rejection) -> tuple[Floats, Rejected]:
        """Pumps of the loops, and what the way out needs, per unit of heat that warms liquid."""
        pump = physics.at_part_load(physics.pump_share(self.liquid_rise_k), outside.load_share)
        pumps = LIQUID_LOOPS * pump
        return pumps, way.reject(outside, Task(self.liquid_supply_c, self.liquid_rise_k, 1.0 + pumps))


def cooled(system: Cooling, weather: WeatherYear, load_share: float) -> CoolingHours:
    """A system's hours in a year of weather; the package's own designs take the air's pressure too."""
    if isinstance(system, Design):
        return system.hours(weather.dry_bulb_c, weather.wet_bulb_c, load_share, weather.pressure_pa)
    return system.hours(weather.dry_bulb_c, weather.wet_bulb_c, load_share)


@lru_cache(maxsize=1)
def cooling_systems() -> dict[str, Cooling]:
    """Every cooling system known, by name: the package's own, then those of installed entry points.

    >>> sorted(cooling_systems())[:3]
    ['air', 'air_dry', 'chiller']
    """
    from importlib.metadata import entry_points

    from gigawright.catalogue.load import load_facts
    from gigawright.facility.cooling.designs import designs
    from gigawright.facts import FactBook

    found: dict[str, Cooling] = dict(designs(FactBook(load_facts())))
    for point in entry_points(group=ENTRY_POINTS):
        found[point.name] = point.load()()
    return found


def cooling_system(name: str, **changes: Any) -> Cooling:
    """The cooling system of that name; raises CatalogueError with the names there are.

    changes: other values for fields of `Design`, for example `liquid_supply_c=32.0`.

    >>> cool = cooling_system("air", air_supply_c=np.array([[20.0], [27.0]]))
    >>> cool.hours(np.array([5.0, 22.0, 35.0]), np.array([3.0, 18.0, 27.0]), 0.8).power_share.shape
    (2, 3)
    """
    known = cooling_systems()
    if name not in known:
        raise CatalogueError(f"no cooling system {name!r}; there are {', '.join(sorted(known))}")
    system = known[name]
    if not changes:
        return system
    if not isinstance(system, Design):
        raise CatalogueError(f"cooling system {name!r} comes from an entry point; its values are its own")
    return system.changed(**changes)
