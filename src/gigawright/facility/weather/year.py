"""A year of weather in UTC hours."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from gigawright.arrays import Floats
from gigawright.clock import HOURS_PER_YEAR
from gigawright.facility.weather import psychrometrics
from gigawright.facility.weather.sun import sun_year

LOWEST_HUMIDITY = 0.01


@dataclass(frozen=True, eq=False)
class WeatherYear:
    """Weather by UTC hour-beginning; every array is (8760,), finite and read-only.

    `relative_humidity` is a share (0-1), `humidity_ratio` kg/kg of dry air, wind at 10 m; `dni` and `dhi` are
    beam at right angles and diffuse on the horizontal. Compare two years by their arrays: `==` is identity.
    """

    dry_bulb_c: Floats
    relative_humidity: Floats
    humidity_ratio: Floats
    wet_bulb_c: Floats
    pressure_pa: Floats
    ghi_w_m2: Floats
    dni_w_m2: Floats
    dhi_w_m2: Floats
    wind_speed_ms: Floats

    def __post_init__(self) -> None:
        for field in fields(self):
            values = getattr(self, field.name)
            if values.shape != (HOURS_PER_YEAR,) or not np.isfinite(values).all():
                raise ValueError(f"{field.name} must be {HOURS_PER_YEAR} finite numbers, not {values.shape}")
            values.flags.writeable = False


def weather_year(
    dry_bulb_c: Floats,
    relative_humidity: Floats,
    pressure_pa: Floats,
    ghi_w_m2: Floats,
    dni_w_m2: Floats,
    dhi_w_m2: Floats,
    wind_speed_ms: Floats,
) -> WeatherYear:
    """A WeatherYear from what stations measure; humidity ratio and wet bulb are derived."""
    humid = np.clip(relative_humidity, LOWEST_HUMIDITY, 1.0)
    ratio = psychrometrics.humidity_ratio(dry_bulb_c, humid, pressure_pa)
    return WeatherYear(
        dry_bulb_c=dry_bulb_c,
        relative_humidity=humid,
        humidity_ratio=ratio,
        wet_bulb_c=psychrometrics.wet_bulb_c(dry_bulb_c, ratio, pressure_pa),
        pressure_pa=pressure_pa,
        ghi_w_m2=ghi_w_m2,
        dni_w_m2=dni_w_m2,
        dhi_w_m2=dhi_w_m2,
        wind_speed_ms=wind_speed_ms,
    )


def decompose_ghi(ghi_w_m2: Floats, latitude: float, longitude: float) -> tuple[Floats, Floats]:
    """Beam and diffuse irradiance [W/m2] from the global one, by Erbs, Klein and Duffie (1982). UTC hours."""
    from pvlib import irradiance

    sun = sun_year(latitude, longitude)
    day = np.arange(HOURS_PER_YEAR) // 24 + 1
    parts = irradiance.erbs(ghi_w_m2, sun.zenith_deg, day)
    return np.asarray(parts["dni"]), np.asarray(parts["dhi"])


def to_utc(local: Floats, utc_offset_h: float) -> Floats:
    """A year of local hours as UTC hours: the year is a ring, and half-hour zones are rounded to the hour."""
    return np.roll(local, -round(utc_offset_h))


def to_local(utc: Floats, utc_offset_h: float) -> Floats:
    """A year of UTC hours as local hours, the inverse of `to_utc`."""
    return np.roll(utc, round(utc_offset_h))
