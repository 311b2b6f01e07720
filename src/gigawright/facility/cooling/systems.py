"""Cooling power and water of a hall by hour, from dry and wet bulb, as physics with few named constants.

A cooling system is one small class with `hours(dry_bulb_c, wet_bulb_c, load_share)`. The package brings
`air`, `air_dry`, `liquid`, `evaporative` and `chiller`; entry points of the group `gigawright.cooling`
add others. Hotter or wetter air never costs less power in any of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from gigawright.arrays import Floats
from gigawright.errors import CatalogueError

ENTRY_POINTS = "gigawright.cooling"

# Physical properties near 25 degrees: air 1.2 kg/m3 x 1006 J/(kg K), water 997 kg/m3 x 4186 J/(kg K).
AIR_J_M3_K, WATER_J_M3_K = 1207.0, 4.17e6
# Latent heat of water at 25 degrees, 2442 kJ/kg (IAPWS-95): litres evaporated per kWh of heat.
EVAPORATION_L_KWH = 3600.0 / 2442.0
# Assumption: towers and pads run at five cycles of concentration; blowdown = evaporation / (cycles - 1).
CYCLES_OF_CONCENTRATION = 5.0
MAKE_UP_L_KWH = EVAPORATION_L_KWH * CYCLES_OF_CONCENTRATION / (CYCLES_OF_CONCENTRATION - 1.0)

# Air to the servers at 25 degrees, inside the 18 to 27 that ASHRAE TC 9.9 recommends (2021).
# Assumption: 12 K across the servers.
AIR_SUPPLY_C, AIR_RISE_K = 25.0, 12.0
# Assumption: pressure rise of fans at full flow [Pa]: in the hall, an economiser's outside path, a direct
# evaporative unit, a cooling tower. Hall and outside path together take about 0.5 W per cubic foot a minute,
# the better practice of FEMP's Best Practices Guide for Energy-Efficient Data Center Design (2011).
HALL_FAN_PA, OUTSIDE_FAN_PA, DIRECT_FAN_PA, TOWER_FAN_PA = 400.0, 250.0, 500.0, 100.0
# Assumption: fan with motor and drive; IE3 motor (0.95) x drive (0.97) x fan (0.70).
FAN_EFFICIENCY = 0.65
# Assumption: share of a fan's or pump's pressure that stays at low flow (held static); the rest is quadratic.
STATIC_SHARE = 0.2
# Assumption: air-to-air exchanger of an indirect economiser, difference at full flow.
EXCHANGER_APPROACH_K = 4.0
# Assumption: pads bring air this part of the way to its wet bulb (before an exchanger; direct, 300 mm media).
INDIRECT_EFFECTIVENESS, DIRECT_EFFECTIVENESS = 0.75, 0.85
PAD_PUMP_SHARE = 0.002

# Share of Carnot's COP: ASHRAE 90.1-2019 table 6.8.1-3 asks COP 2.985 of air-cooled chillers, about 5 to 48
# degrees inside (0.46), and 6.28 of large centrifugal ones, about 5 to 36.5 degrees (0.71).
# Assumption: 0.48 for better machines than the least allowed, 0.65 with part load.
AIR_COOLED_CARNOT, WATER_COOLED_CARNOT = 0.48, 0.65
# Assumption: compressors keep at least this lift, for oil and expansion valves.
LOWEST_LIFT_K = 12.0
# Assumption: refrigerant below what it cools, and above the air or water that cools it.
EVAPORATOR_APPROACH_K, AIR_CONDENSER_APPROACH_K, WATER_CONDENSER_APPROACH_K = 5.0, 13.0, 3.0

# Assumption: loop pressure and pump with motor; temperature rises of chilled, tower and server water.
PUMP_PA, PUMP_EFFICIENCY = 250e3, 0.70
CHILLED_SUPPLY_C, CHILLED_RISE_K, TOWER_RISE_K = 20.0, 8.0, 5.0
TOWER_APPROACH_K, WATER_EXCHANGER_APPROACH_K = 4.0, 1.5
# Assumption: the rest of a tower's heat leaves as warm air.
TOWER_EVAPORATED_SHARE = 0.9

# Water to cold plates at up to 40 degrees, ASHRAE TC 9.9 class W40 (2021); vendors of racks allow 40 to 45.
LIQUID_SUPPLY_C, LIQUID_RISE_K = 40.0, 10.0
# Assumption: share of a rack's heat that cold plates take; the rest warms the hall's air.
LIQUID_HEAT_SHARE = 0.80
# Assumption: dry cooler with fans of 20 W per kW of heat at 8 K between entering air and leaving water.
DRY_COOLER_APPROACH_K, DRY_COOLER_FAN_SHARE = 8.0, 0.020


@dataclass(frozen=True)
class CoolingHours:
    """Per kWh of IT: cooling electricity [kWh] and make-up water [l], by hour."""

    power_share: Floats
    water_l_per_kwh: Floats


class Cooling(Protocol):
    """What a cooling system must be able to do."""

    name: str

    def hours(self, dry_bulb_c: Floats, wet_bulb_c: Floats, load_share: float) -> CoolingHours:
        """Power and water per unit of IT for outside air [C], at a share of the hall's design load (0-1]."""


def fan_share(pressure_pa: float, rise_k: float) -> float:
    """Fan power per unit of heat carried by air: pressure / (efficiency x rho c x rise).

    >>> round(fan_share(400.0, 12.0), 4)
    0.0425
    """
    return pressure_pa / (FAN_EFFICIENCY * AIR_J_M3_K * rise_k)


def pump_share(rise_k: float) -> float:
    """Pump power per unit of heat carried by water, as for fans.

    >>> round(pump_share(10.0), 4)
    0.0086
    """
    return PUMP_PA / (PUMP_EFFICIENCY * WATER_J_M3_K * rise_k)


def at_part_load(design_share: float, load_share: float) -> float:
    """Fan or pump power per unit of heat at part load, where flow follows heat (the fan laws).

    P / load = design share x (static + (1 - static) load^2)

    >>> round(at_part_load(0.03, 0.5), 4)
    0.012
    """
    return design_share * (STATIC_SHARE + (1.0 - STATIC_SHARE) * load_share**2)


def chiller_cop(evaporating_c: Floats | float, condensing_c: Floats, carnot_share: float) -> Floats:
    """Coefficient of performance by lift: share x T_evaporating / (T_condensing - T_evaporating).

    Temperatures in C; the lift is never taken below 12 K.

    >>> round(float(chiller_cop(5.0, np.array(48.0), AIR_COOLED_CARNOT)), 2)
    3.1
    """
    lift = np.maximum(condensing_c - evaporating_c, LOWEST_LIFT_K)
    return np.asarray(carnot_share * (np.asarray(evaporating_c) + 273.15) / lift)


def _missing_share(available_c: Floats, supply_c: float, rise_k: float) -> Floats:
    """Share of the heat that outside air or water of this temperature cannot take, for the chiller."""
    return np.clip((available_c - supply_c) / rise_k, 0.0, 1.0)


def _wetted(
    dry_bulb_c: Floats, wet_bulb_c: Floats, needed_c: float, effectiveness: float
) -> tuple[Floats, Floats]:
    """Air after pads that run only as far as needed: its temperature, and the share of the pads at work.

    The pads bring air no lower than `needed_c`, and at most `effectiveness` of the way to the wet bulb.
    """
    depth = effectiveness * np.maximum(dry_bulb_c - wet_bulb_c, 0.0)
    wanted = np.maximum(dry_bulb_c - needed_c, 0.0)
    share = np.where(wanted >= depth, np.sign(wanted), wanted / np.maximum(depth, 1e-9))
    return dry_bulb_c - np.minimum(depth, wanted), share


def _modulated(approach_k: float, room_k: Floats) -> Floats:
    """Flow an exchanger needs over its design flow: design approach over the difference there is."""
    return np.clip(approach_k / np.maximum(room_k, 1e-9), 0.0, 1.0) * (room_k > 0) + (room_k <= 0)


class AirCooling:
    """Indirect air economiser with adiabatic pads and an air-cooled chiller for what they cannot do.

    Outside air takes the hall's heat through an exchanger; it is wetted only in hours when it is too warm.
    `assisted=False` leaves the pads out: no water, more chiller.
    """

    def __init__(self, assisted: bool = True) -> None:
        self.name = "air" if assisted else "air_dry"
        self.effectiveness = INDIRECT_EFFECTIVENESS if assisted else 0.0

    def hours(self, dry_bulb_c: Floats, wet_bulb_c: Floats, load_share: float) -> CoolingHours:
        """Fans of the hall and of the outside path, pads, chiller trim."""
        needed = AIR_SUPPLY_C - EXCHANGER_APPROACH_K
        entering, pads = _wetted(dry_bulb_c, wet_bulb_c, needed, self.effectiveness)
        fan = at_part_load(fan_share(HALL_FAN_PA, AIR_RISE_K), load_share)
        flow = _modulated(EXCHANGER_APPROACH_K, AIR_SUPPLY_C - entering)
        outside = at_part_load(fan_share(OUTSIDE_FAN_PA, AIR_RISE_K), load_share) * flow**3
        chiller = _trim(entering + EXCHANGER_APPROACH_K, dry_bulb_c, AIR_SUPPLY_C, AIR_RISE_K)
        pump = PAD_PUMP_SHARE * pads * (self.effectiveness > 0.0)
        water = MAKE_UP_L_KWH * (dry_bulb_c - entering) / AIR_RISE_K
        return CoolingHours(fan + outside + (1.0 + fan) * chiller + pump, np.asarray(water))


def _trim(available_c: Floats, dry_bulb_c: Floats, supply_c: float, rise_k: float) -> Floats:
    """Power of an air-cooled chiller that makes up for what free cooling misses, per unit of heat."""
    condensing = dry_bulb_c + AIR_CONDENSER_APPROACH_K
    cop = chiller_cop(supply_c - EVAPORATOR_APPROACH_K, condensing, AIR_COOLED_CARNOT)
    return np.asarray(_missing_share(available_c, supply_c, rise_k) / cop)


class EvaporativeCooling:
    """Outside air through filters and wet media straight into the hall; a chiller trims the dampest hours."""

    name = "evaporative"

    def hours(self, dry_bulb_c: Floats, wet_bulb_c: Floats, load_share: float) -> CoolingHours:
        """One set of fans, pads, chiller trim."""
        entering, pads = _wetted(dry_bulb_c, wet_bulb_c, AIR_SUPPLY_C, DIRECT_EFFECTIVENESS)
        fan = at_part_load(fan_share(DIRECT_FAN_PA, AIR_RISE_K), load_share)
        chiller = _trim(entering, dry_bulb_c, AIR_SUPPLY_C, AIR_RISE_K)
        water = MAKE_UP_L_KWH * (dry_bulb_c - entering) / AIR_RISE_K
        return CoolingHours(fan + (1.0 + fan) * chiller + PAD_PUMP_SHARE * pads, np.asarray(water))


class ChillerCooling:
    """Chilled water from water-cooled chillers with wet towers and a water-side economiser."""

    name = "chiller"

    def hours(self, dry_bulb_c: Floats, wet_bulb_c: Floats, load_share: float) -> CoolingHours:
        """Hall fans, pumps of both loops, tower fans, chiller; towers evaporate nine tenths of the heat."""
        fan = at_part_load(fan_share(HALL_FAN_PA, AIR_RISE_K), load_share)
        pumps = at_part_load(pump_share(CHILLED_RISE_K) + pump_share(TOWER_RISE_K), load_share)
        free = wet_bulb_c + TOWER_APPROACH_K + WATER_EXCHANGER_APPROACH_K
        missing = _missing_share(free, CHILLED_SUPPLY_C, CHILLED_RISE_K)
        condensing = wet_bulb_c + TOWER_APPROACH_K + TOWER_RISE_K + WATER_CONDENSER_APPROACH_K
        cop = chiller_cop(CHILLED_SUPPLY_C - EVAPORATOR_APPROACH_K, condensing, WATER_COOLED_CARNOT)
        heat = 1.0 + fan + pumps
        compressor = heat * missing / cop
        flow = _modulated(TOWER_APPROACH_K, CHILLED_SUPPLY_C - WATER_EXCHANGER_APPROACH_K - wet_bulb_c)
        tower = at_part_load(fan_share(TOWER_FAN_PA, AIR_RISE_K), load_share) * flow**3
        water = MAKE_UP_L_KWH * TOWER_EVAPORATED_SHARE * (heat + compressor)
        return CoolingHours(fan + pumps + tower + compressor, np.asarray(water))


class LiquidCooling:
    """Warm water on cold plates for 80 % of the heat, dry coolers with pads; the rest of the heat by air.

    The water may be 40 degrees warm, so a chiller runs only where even wetted air is above 32.
    """

    name = "liquid"

    def hours(self, dry_bulb_c: Floats, wet_bulb_c: Floats, load_share: float) -> CoolingHours:
        """Two pumped loops, dry cooler fans, pads, trim for the plates' share; `AirCooling` for the rest."""
        needed = LIQUID_SUPPLY_C - DRY_COOLER_APPROACH_K
        entering, pads = _wetted(dry_bulb_c, wet_bulb_c, needed, INDIRECT_EFFECTIVENESS)
        pumps = 2.0 * at_part_load(pump_share(LIQUID_RISE_K), load_share)
        flow = _modulated(DRY_COOLER_APPROACH_K, LIQUID_SUPPLY_C - entering)
        fans = at_part_load(DRY_COOLER_FAN_SHARE, load_share) * flow**3
        chiller = _trim(entering + DRY_COOLER_APPROACH_K, dry_bulb_c, LIQUID_SUPPLY_C, LIQUID_RISE_K)
        # A dry cooler moves as much air as carries the heat at the approach plus half the water's rise.
        air_rise = DRY_COOLER_APPROACH_K + LIQUID_RISE_K / 2.0
        water = MAKE_UP_L_KWH * (dry_bulb_c - entering) / air_rise
        plates = pumps + fans + (1.0 + pumps) * chiller + PAD_PUMP_SHARE * pads
        air = AirCooling().hours(dry_bulb_c, wet_bulb_c, load_share)
        return CoolingHours(
            LIQUID_HEAT_SHARE * plates + (1.0 - LIQUID_HEAT_SHARE) * air.power_share,
            LIQUID_HEAT_SHARE * water + (1.0 - LIQUID_HEAT_SHARE) * air.water_l_per_kwh,
        )


@lru_cache(maxsize=1)
def cooling_systems() -> dict[str, Cooling]:
    """Every cooling system known, by name: the package's own, then those of installed entry points.

    >>> sorted(cooling_systems())[:3]
    ['air', 'air_dry', 'chiller']
    """
    from importlib.metadata import entry_points

    own: list[Cooling] = [
        AirCooling(),
        AirCooling(assisted=False),
        LiquidCooling(),
        EvaporativeCooling(),
        ChillerCooling(),
    ]
    found = {system.name: system for system in own}
    for point in entry_points(group=ENTRY_POINTS):
        found[point.name] = point.load()()
    return found


def cooling_system(name: str) -> Cooling:
    """The cooling system of that name; raises CatalogueError with the names there are."""
    known = cooling_systems()
    if name not in known:
        raise CatalogueError(f"no cooling system {name!r}; there are {', '.join(sorted(known))}")
    return known[name]
