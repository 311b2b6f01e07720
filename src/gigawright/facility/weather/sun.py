"""Where the sun stands in each hour of the year, from pvlib, and how much of it a clear sky lets through."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gigawright.arrays import Floats
from gigawright.clock import HOURS_PER_YEAR

# Haurwitz (1945), J. Meteorology 2, 154-166: clear-sky irradiance [W/m2] and its extinction.
HAURWITZ_W_M2, HAURWITZ_EXTINCTION = 1098.0, 0.059


@dataclass(frozen=True)
class SunYear:
    """The sun at the middle of each UTC hour, all (8760,); angles in degrees.

    `normal_w_m2` is extraterrestrial at right angles to the beam, `extraterrestrial_w_m2` the same on the
    horizontal, `clear_sky_w_m2` on the horizontal ground.
    """

    zenith_deg: Floats
    azimuth_deg: Floats
    normal_w_m2: Floats
    extraterrestrial_w_m2: Floats
    clear_sky_w_m2: Floats


@lru_cache(maxsize=128)
def sun_year(latitude: float, longitude: float) -> SunYear:
    """The sun's course at a place, at the middle of each UTC hour of a 365-day year.

    Declination and equation of time by Spencer (1971), zenith and azimuth by spherical trigonometry (within
    0.4 degrees of the Solar Position Algorithm, at a fiftieth of its time), clear sky by Haurwitz (1945):
    1098 cos z exp(-0.059 / cos z). Arguments in degrees, north and east positive.

    >>> noon = sun_year(0.0, 0.0).zenith_deg[79 * 24 + 12]  # 21 March, near the equator
    >>> bool(noon < 8.0)
    True
    """
    from pvlib import irradiance, solarposition

    day = 1.0 + (np.arange(HOURS_PER_YEAR) + 0.5) / 24.0
    minutes = (np.arange(HOURS_PER_YEAR) % 24) * 60.0 + 30.0
    declination = solarposition.declination_spencer71(day)
    time_min = minutes + 4.0 * longitude + solarposition.equation_of_time_spencer71(day)
    hour_angle = np.radians(time_min / 4.0 - 180.0)
    zenith = solarposition.solar_zenith_analytical(np.radians(latitude), hour_angle, declination)
    azimuth = _azimuth_deg(np.radians(latitude), hour_angle, declination)
    normal = np.asarray(irradiance.get_extra_radiation(day, method="spencer"))
    cosine = np.maximum(np.cos(zenith), 1e-6)
    return SunYear(
        zenith_deg=np.degrees(zenith),
        azimuth_deg=azimuth,
        normal_w_m2=normal,
        extraterrestrial_w_m2=normal * np.maximum(np.cos(zenith), 0.0),
        clear_sky_w_m2=HAURWITZ_W_M2 * cosine * np.exp(-HAURWITZ_EXTINCTION / cosine),
    )


def _azimuth_deg(latitude: float, hour_angle: Floats, declination: Floats) -> Floats:
    """Azimuth clockwise from north [degrees], by the quadrant-safe arc tangent."""
    east = -np.cos(declination) * np.sin(hour_angle)
    north = np.sin(declination) * np.cos(latitude) - np.cos(declination) * np.sin(latitude) * np.cos(
        hour_angle
    )
    return np.asarray(np.degrees(np.arctan2(east, north)) % 360.0)
