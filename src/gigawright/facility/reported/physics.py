"""What a hall of an operator's kind needs at a place, before anything reported is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gigawright.arrays import Floats
from gigawright.facility.cooling.electrical import pue
from gigawright.facility.cooling.systems import CoolingHours, cooling_system
from gigawright.facility.reported.operators import AIR_COOLED, AIR_COOLED_SUPPLY_C, Operator
from gigawright.facility.weather.psychrometrics import MASS_RATIO, dew_point_c
from gigawright.facility.weather.stations import climate_at
from gigawright.facility.weather.synthetic import synthetic_year
from gigawright.facility.weather.year import WeatherYear

LOAD_SHARE = 0.80
"""IT load over design load; assumption: as of a planned hall (`facility.size`)."""

HIGHEST_DEW_POINT_C = 21.0
"""Outside air with a higher dew point stays outside: the limit of ASHRAE TC 9.9's class A2 (2021)."""


@dataclass(frozen=True)
class Needs:
    """Mean of a year per unit of IT: losses, light, controls and what moves air and water inside (`indoors`),
    what gives the heat to the outside (`outdoors`), both as grid power, water [l/kWh], and the share of hours
    whose air is too humid for the servers.
    """

    indoors: float
    outdoors: float
    water_l_per_kwh: float
    humid_share: float

    @property
    def pue(self) -> float:
        """Power usage effectiveness, nothing fitted."""
        return 1.0 + self.indoors + self.outdoors

    def mixed(self, other: Needs, share: float) -> Needs:
        """The mean with other halls that have this share of all."""
        kept = 1.0 - share
        return Needs(
            indoors=kept * self.indoors + share * other.indoors,
            outdoors=kept * self.outdoors + share * other.outdoors,
            water_l_per_kwh=kept * self.water_l_per_kwh + share * other.water_l_per_kwh,
            humid_share=kept * self.humid_share + share * other.humid_share,
        )


def operator_needs(operator: Operator, latitude: float, longitude: float) -> Needs:
    """What the halls of an operator's kind need at a place, those with air-cooled chillers included."""
    own = needs_at(latitude, longitude, operator.system, operator.air_supply_c)
    if not operator.air_cooled_share:
        return own
    return own.mixed(
        needs_at(latitude, longitude, AIR_COOLED, AIR_COOLED_SUPPLY_C), operator.air_cooled_share
    )


@lru_cache(maxsize=4096)
def needs_at(latitude: float, longitude: float, system: str, air_supply_c: float) -> Needs:
    """A hall's needs in a typical year at a place [degrees, north and east positive].

    system: `outside air` (straight into the hall past pads; in hours when it is too humid, towers with
    chillers), `towers` (water-side economiser and chillers) or `air-cooled chillers` (with coils for free
    cooling). air_supply_c: of the servers' air [C].
    """
    weather = _weather(latitude, longitude)
    cooled, humid = _hours(weather, system, air_supply_c)
    indoors = float(pue(cooled.power_share - cooled.loop_share, LOAD_SHARE).mean()) - 1.0
    whole = float(pue(cooled.power_share, LOAD_SHARE).mean()) - 1.0
    return Needs(indoors, whole - indoors, float(cooled.water_l_per_kwh.mean()), float(humid.mean()))


@lru_cache(maxsize=4096)
def country_at(latitude: float, longitude: float) -> str:
    """The country of the nearest station, as the table of stations writes it."""
    return climate_at(latitude, longitude).station.rsplit(", ", 1)[-1]


@lru_cache(maxsize=64)
def _weather(latitude: float, longitude: float) -> WeatherYear:
    """A typical year at a place from the normals of stations around it."""
    place = climate_at(latitude, longitude)
    return synthetic_year(
        place.climate,
        latitude,
        longitude,
        place.elevation_m,
        place.utc_offset_h,
        place.dry_bulb_extreme_c,
        place.wet_bulb_extreme_c,
    )


def _hours(weather: WeatherYear, system: str, air_supply_c: float) -> tuple[CoolingHours, Floats]:
    """Power and water by hour, and whether the air is too humid (0 or 1)."""
    humid = (_dew_point_c(weather) > HIGHEST_DEW_POINT_C).astype(np.float64)
    if system == "air-cooled chillers":
        return _cooled("chiller_air", weather, air_supply_c), humid
    towers = _cooled("chiller", weather, air_supply_c)
    if system == "towers":
        return towers, humid
    outside = _cooled("evaporative", weather, air_supply_c)
    power = np.where(humid > 0, towers.power_share, outside.power_share)
    water = np.where(humid > 0, towers.water_l_per_kwh, outside.water_l_per_kwh)
    out = np.where(humid > 0, towers.loop_share, outside.loop_share)
    return CoolingHours(power, water, loop_share=out), humid


def _cooled(design: str, weather: WeatherYear, air_supply_c: float) -> CoolingHours:
    system = cooling_system(design, air_supply_c=air_supply_c)
    return system.hours(weather.dry_bulb_c, weather.wet_bulb_c, LOAD_SHARE)


def _dew_point_c(weather: WeatherYear) -> Floats:
    ratio = weather.humidity_ratio
    return dew_point_c(weather.pressure_pa * ratio / (MASS_RATIO + ratio))
