"""Where the sun stands in each hour of the year, from pvlib, and how much of it a clear sky lets through."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gigawright.arrays import Bools, Floats
from gigawright.clock import HOURS_PER_YEAR

# Haurwitz (1945), J. Meteorology 2, 154-166: clear-sky irradiance [W/m2] and its extinction.
HAURWITZ_W_M2, HAURWITZ_EXTINCTION = 1098.0, 0.059
# Above this air mass the sun is so low that nothing is left to reckon with.
HIGHEST_AIR_MASS = 12.0
# Scale heights of the atmosphere [m] in the clear sky of Ineichen and Perez (2002), and of pressure.
SCALE_HEIGHTS_M, PRESSURE_SCALE_M = (8000.0, 1250.0), 8434.5
# Ridley, Boland and Lauret (2010), Renewable Energy 35, 478-483: constant, hourly clearness, solar
# time [h], height of the sun [degrees], daily clearness, persistence.
RIDLEY = (-5.38, 6.63, 0.006, -0.007, 1.75, 1.31)
# Below this height [degrees] the beam is not told apart from the diffuse light.
LOWEST_BEAM_DEG = 3.0
# Assumption: no beam is stronger than this share of that outside (0.8 is seen on high mountains).
CLEANEST_BEAM = 0.85


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


def turbid_clear_sky(latitude: float, longitude: float, elevation_m: float) -> Floats:
    """Global irradiance of a clear sky on the horizontal [W/m2] with the place's own turbidity, by UTC hour.

    G = cg1 I0 cos z exp(-cg2 AM (fh1 + fh2 (TL - 1))) exp(0.01 AM^1.8): Ineichen and Perez (2002), Solar
    Energy 73, 151-157; TL is the Linke turbidity of the month, AM the air mass at the place's pressure.
    Shape (8760,).

    >>> noon = 79 * 24 + 12  # 21 March on the equator, where Haurwitz' sky has 1030
    >>> round(float(turbid_clear_sky(0.0, 0.0, 0.0)[noon]), -1)
    1030.0
    """
    sun = sun_year(latitude, longitude)
    height_deg = np.maximum(90.0 - sun.zenith_deg, 0.0)
    cosine = np.maximum(np.cos(np.radians(sun.zenith_deg)), 0.0)
    # Kasten and Young (1989), Applied Optics 28, 4735-4738.
    mass = 1.0 / (cosine + 0.50572 * (height_deg + 6.07995) ** -1.6364)
    mass = np.minimum(mass * np.exp(-elevation_m / PRESSURE_SCALE_M), HIGHEST_AIR_MASS)
    high, low = (np.exp(-elevation_m / scale) for scale in SCALE_HEIGHTS_M)
    strength, loss = 5.09e-5 * elevation_m + 0.868, 3.92e-5 * elevation_m + 0.0387
    turbidity = np.repeat(linke_turbidity(latitude, longitude), 24)
    depth = loss * mass * (high + low * (turbidity - 1.0)) - 0.01 * mass**1.8
    return np.asarray(strength * sun.extraterrestrial_w_m2 * np.exp(-depth))


@lru_cache(maxsize=128)
def linke_turbidity(latitude: float, longitude: float) -> Floats:
    """Linke turbidity by day: a clear sky dims the sun like so many clean dry ones. Shape (365,).

    Monthly means worldwide on a grid of 1/12 degree: Remund, Wald, Lefevre, Ranchin and Page (2003),
    Worldwide Linke turbidity information, ISES Solar World Congress; as pvlib ships them.
    """
    import pandas as pd
    from pvlib import clearsky

    middles = pd.date_range("2025-01-01", periods=12, freq="MS") + pd.Timedelta(days=14)
    found = clearsky.lookup_linke_turbidity(middles, latitude, longitude, interp_turbidity=False)
    day = np.arange(365) + 0.5
    return np.asarray(
        np.interp(day, middles.day_of_year - 0.5, np.asarray(found, dtype=np.float64), period=365)
    )


def beam_and_diffuse(
    ghi_w_m2: Floats, latitude: float, longitude: float, clearer: float = 0.0
) -> tuple[Floats, Floats]:
    """Beam at right angles and diffuse on the horizontal [W/m2] from the global irradiance by UTC hour.

    Ridley, Boland and Lauret (2010): the diffuse share is 1 / (1 + exp(-5.38 + 6.63 k + 0.006 t - 0.007 h +
    1.75 K + 1.31 p)) with the hour's clearness k, solar time t [h], height of the sun h [degrees], the day's
    clearness K and the mean p of k an hour before and after; fitted to stations of both hemispheres.
    `clearer` is added to the exponent: 0.25 makes half diffuse light 44 % of it. GHI =
    DNI cos z + DHI holds in every hour. Two (8760,) arrays.
    """
    sun = sun_year(latitude, longitude)
    outside = sun.extraterrestrial_w_m2
    up = outside > 1.0
    hourly = np.where(up, np.minimum(ghi_w_m2 / np.maximum(outside, 1.0), 1.0), 0.0)
    solar_h = (np.arange(HOURS_PER_YEAR) + 0.5 + longitude / 15.0) % 24.0
    constant, by_hour, by_time, by_height, by_day, by_next = RIDLEY
    depth = (
        constant
        + clearer
        + by_hour * hourly
        + by_time * solar_h
        + by_height * (90.0 - sun.zenith_deg)
        + by_day * _clearness_of_solar_day(ghi_w_m2, outside, longitude)
        + by_next * _clearness_around(hourly, up)
    )
    cosine = np.cos(np.radians(sun.zenith_deg))
    split = sun.zenith_deg < 90.0 - LOWEST_BEAM_DEG
    beam = np.where(split, ghi_w_m2 * (1.0 - 1.0 / (1.0 + np.exp(depth))) / np.maximum(cosine, 0.01), 0.0)
    beam = np.minimum(beam, CLEANEST_BEAM * sun.normal_w_m2)
    return beam, np.asarray(ghi_w_m2 - beam * np.where(split, cosine, 0.0))


def _clearness_of_solar_day(ghi: Floats, outside: Floats, longitude: float) -> Floats:
    """Clearness of the day each UTC hour belongs to; days go from midnight to midnight by the sun."""
    shift = round(longitude / 15.0)
    days = [np.roll(values, shift).reshape(-1, 24).sum(axis=1) for values in (ghi, outside)]
    return np.roll(np.repeat(days[0] / np.maximum(days[1], 1.0), 24), -shift)


def _clearness_around(hourly: Floats, up: Bools) -> Floats:
    """Mean clearness an hour before and after; at sunrise and sunset of the one hour with sun."""
    before, after = np.roll(hourly, 1), np.roll(hourly, -1)
    had, has = np.roll(up, 1), np.roll(up, -1)
    return np.where(had & has, 0.5 * (before + after), np.where(had, before, after))
