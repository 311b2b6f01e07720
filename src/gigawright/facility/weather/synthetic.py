"""A synthetic year of weather from twelve monthly normals and two design extremes.

Monthly means of temperature and wind and the sums of radiation are kept exactly; the spread between days is
set so that the design extremes (exceeded in 0.4 % of the hours) are reached. Days carry over into each other.
What it cannot know: the weather two sites share (each place has its own random stream), and storms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gigawright.arrays import Floats
from gigawright.catalogue.types import MonthlyClimate
from gigawright.clock import HOURS_PER_YEAR
from gigawright.facility.weather import psychrometrics
from gigawright.facility.weather.sun import beam_and_diffuse, sun_year, turbid_clear_sky
from gigawright.facility.weather.synthetic_air import (
    DEW_PERSISTENCE,
    DEW_WANDERING_HOURS,
    WANDERING_HOURS,
    AirNoise,
    day_persistence,
    diurnal_shape,
    hourly_dry_bulb,
    hourly_humidity,
)
from gigawright.facility.weather.synthetic_calendar import DAYS, persistent
from gigawright.facility.weather.synthetic_sky import (
    CLEARNESS_PERSISTENCE,
    FLICKER_PERSISTENCE,
    hourly_radiation,
)
from gigawright.facility.weather.synthetic_wind import (
    FRONT_HOURS,
    FRONT_SHARE,
    GUST_HOURS,
    hourly_wind,
)
from gigawright.facility.weather.year import WeatherYear, to_local, to_utc, weather_year

# Synthetic hours hold more beam than Ridley's split gives them: added to its exponent, fitted to the yield of
# six stations' own radiation (docs/synthetic-weather.md has the misses of each station left out).
CLEARER = 0.25


@dataclass(frozen=True)
class Noise:
    """Standard normal series of a place: days and hours of air, hours of sky and of wind."""

    air: AirNoise
    flicker: Floats
    wind: Floats


def synthetic_year(
    climate: MonthlyClimate,
    latitude: float,
    longitude: float,
    elevation_m: float,
    utc_offset_h: float,
    dry_bulb_extreme_c: float,
    wet_bulb_extreme_c: float,
    seed: int = 0,
) -> WeatherYear:
    """A year of weather with a place's normals, in UTC hours.

    climate: twelve normals each (months by local time). latitude, longitude [degrees, north and east
    positive], elevation_m [m], utc_offset_h [h]; extremes are the dry and wet bulb [C] exceeded in 0.4 % of
    the hours. The same place and seed always give the same year (Philox).

    Exact by local month: mean dry bulb, sum of GHI, mean wind. Within some tenths: mean daily maximum and
    minimum, relative humidity, and the extremes where the limits of the spread allow them.
    """
    noise = _noise(latitude, longitude, seed, day_persistence(climate))
    outside = to_local(sun_year(latitude, longitude).extraterrestrial_w_m2, utc_offset_h)
    clear = to_local(turbid_clear_sky(latitude, longitude, elevation_m), utc_offset_h)
    ghi, relative_clearness = hourly_radiation(climate, outside, clear, noise.air.clearness, noise.flicker)
    solar_shift = longitude / 15.0 - round(utc_offset_h)
    shape = diurnal_shape(climate, latitude, solar_shift)
    dry, spread = hourly_dry_bulb(climate, shape, relative_clearness, noise.air, dry_bulb_extreme_c)
    pressure = np.full(HOURS_PER_YEAR, psychrometrics.standard_pressure_pa(elevation_m))
    humid = hourly_humidity(climate, dry, spread, noise.air, wet_bulb_extreme_c, pressure)
    wind = hourly_wind(climate, solar_shift, noise.wind)
    ghi = to_utc(ghi, utc_offset_h)
    dni, dhi = beam_and_diffuse(ghi, latitude, longitude, CLEARER)
    return weather_year(
        dry_bulb_c=to_utc(dry, utc_offset_h),
        relative_humidity=to_utc(humid, utc_offset_h),
        pressure_pa=pressure,
        ghi_w_m2=ghi,
        dni_w_m2=dni,
        dhi_w_m2=dhi,
        wind_speed_ms=to_utc(wind, utc_offset_h),
    )


def _noise(latitude: float, longitude: float, seed: int, carried: float) -> Noise:
    """Independent streams for each place, by its coordinates to a hundredth of a degree."""
    place = (round((latitude + 90.0) * 100), round((longitude + 180.0) * 100))
    draw = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, *place])))

    def days(persistence: float) -> Floats:
        return persistent(draw.standard_normal(DAYS), persistence)

    def hours(memory_h: float) -> Floats:
        return persistent(draw.standard_normal(HOURS_PER_YEAR), float(np.exp(-1.0 / memory_h)))

    wind = np.sqrt(FRONT_SHARE) * hours(FRONT_HOURS) + np.sqrt(1.0 - FRONT_SHARE) * hours(GUST_HOURS)
    air = AirNoise(
        temperature=days(carried),
        dew=days(DEW_PERSISTENCE),
        clearness=days(CLEARNESS_PERSISTENCE),
        hours=hours(WANDERING_HOURS),
        dew_hours=hours(DEW_WANDERING_HOURS),
    )
    flicker = persistent(draw.standard_normal(HOURS_PER_YEAR), FLICKER_PERSISTENCE)
    return Noise(air, flicker, wind)
