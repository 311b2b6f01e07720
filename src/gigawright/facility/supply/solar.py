"""Output of a solar farm by hour: long rows of modules that see the sky, the ground and each other.

Both faces of the modules are counted. Rows are taken as infinitely long, evenly spaced sheds on level ground
[Mikofski et al. 2019, doi:10.1109/PVSC40753.2019.8980572]; averaged over a row and over the ground between
two rows, the view factors have closed forms (Hottel's crossed strings), so that a year takes milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from gigawright.arrays import Floats
from gigawright.facility.weather.sun import SunYear, sun_year
from gigawright.facility.weather.year import WeatherYear

Mounting = Literal["tracking", "fixed"]

# Above this solar zenith angle [degrees] the sky model divides by nearly nothing.
LAST_ZENITH_DEG = 88.0
# PVWatts version 5 (Dobos 2014, NREL/TP-6A20-62641), table 6, without its 3 % of shading, which is modelled:
# soiling, mismatch, wiring, connections, light-induced degradation, nameplate, availability.
LOSSES = (0.02, 0.02, 0.02, 0.005, 0.015, 0.01, 0.03)
# The same report: nominal and reference inverter efficiency, and its curve over load.
INVERTER_NOMINAL, INVERTER_REFERENCE = 0.96, 0.9637
INVERTER_CURVE = (-0.0162, -0.0059, 0.9858)
# Martin and Ruiz 2001, Solar Energy Materials and Solar Cells 70: angular loss coefficient of glass kept
# clean; for diffuse light their relation, as pvlib.iam.martin_ruiz_diffuse has it, at a row's own tilt.
ANGULAR_LOSS = 0.16
# Faiman 2008, Progress in Photovoltaics 16: heat loss to air and with wind [W/m2K, Ws/m3K].
HEAT_LOSS, HEAT_LOSS_WIND = 25.0, 6.84
STANDARD_W_M2, STANDARD_CELL_C = 1000.0, 25.0


@dataclass(frozen=True)
class SolarPlant:
    """How a farm is built. Angles in degrees; shares 0 to 1.

    `dc_ac_ratio`: modules over inverters (Lawrence Berkeley Laboratory, Utility-Scale Solar 2023: median near
    1.3). `ground_cover`: module width over row spacing. `bifaciality`: output of the rear over the front at
    the same light (data sheets of 2022-2025: 0.7 PERC, 0.8 TOPCon; 0: one face only). `albedo` of the ground
    (grass and soil 0.2, dry sand 0.3 to 0.4, fresh snow 0.8). `rear_loss`: posts and tubes in the rear's view
    and its uneven light (assumption, 0.03 to 0.12). `per_k`: power per kelvin above 25 degrees.
    `fade_year`: loss of output a year (Jordan and Kurtz 2013, Progress in Photovoltaics 21: median 0.5 %).
    Assumptions without other source: ground cover 0.4, 60 degrees of rotation each way, fixed modules tilted
    as the latitude and at most 35 degrees.
    """

    mounting: Mounting = "tracking"
    dc_ac_ratio: float = 1.3
    ground_cover: float = 0.4
    max_rotation_deg: float = 60.0
    max_tilt_deg: float = 35.0
    bifaciality: float = 0.75
    albedo: float = 0.2
    rear_loss: float = 0.07
    per_k: float = -0.0035
    fade_year: float = 0.005


TRACKING, FIXED = SolarPlant(), SolarPlant("fixed")


def solar_output(
    weather: WeatherYear,
    latitude: float,
    longitude: float,
    plant: SolarPlant = TRACKING,
    age_years: float = 0.0,
) -> Floats:
    """Solar AC output per MW of inverter by UTC hour. Shape (8760,), 0 to 1.

    Light on both faces (`plane_irradiance`), cell temperature by Faiman (2008): T = T_air + G / (25 + 6.84
    v), modules and inverters by PVWatts 5: P = ratio x G / 1000 x (1 + per_k (T - 25)) x losses, clipped at
    the inverter. latitude, longitude in degrees, north and east positive; age_years fades the modules.
    """
    up = sun_year(latitude, longitude).zenith_deg < LAST_ZENITH_DEG
    light = plane_irradiance(weather, latitude, longitude, plant)
    cell_c = weather.dry_bulb_c[up] + light / (HEAT_LOSS + HEAT_LOSS_WIND * weather.wind_speed_ms[up])
    kept = float(np.prod(1.0 - np.array(LOSSES))) * (1.0 - plant.fade_year) ** age_years
    dc = plant.dc_ac_ratio * kept * light / STANDARD_W_M2
    output = np.zeros(len(up))
    output[up] = _inverter(dc * (1.0 + plant.per_k * (cell_c - STANDARD_CELL_C)))
    return output


def _inverter(dc: Floats) -> Floats:
    """AC over the inverter's rating from DC over the input that gives it, by PVWatts 5; clipped at 1."""
    load = np.maximum(dc * INVERTER_NOMINAL, 1e-4)
    slope, idle, level = INVERTER_CURVE
    efficiency = INVERTER_NOMINAL / INVERTER_REFERENCE * (slope * load + idle / load + level)
    return np.clip(efficiency * dc, 0.0, 1.0)


@dataclass(frozen=True)
class _Rows:
    """What the geometry of each hour of daylight makes of sky, ground and beam (all (daylight,)).

    `near` and `far` are what a face gets of even light: the front `near` of the sky and `far` of the ground,
    the rear the other way round (the ground below one face lies as the sky above the other).
    """

    cos_zenith: Floats
    beam_front: Floats
    beam_rear: Floats
    lit_ground: Floats
    ground_sky: Floats
    near: Floats
    far: Floats


def plane_irradiance(
    weather: WeatherYear, latitude: float, longitude: float, plant: SolarPlant = TRACKING
) -> Floats:
    """Light that counts on the modules in each hour of daylight: front + bifaciality x rear [W/m2].

    Diffuse light by Hay and Davies (1980): the share DNI / extraterrestrial of it comes from around the sun
    and goes with the beam, the rest evenly from the sky. Ground between the rows gets the beam where it is
    not shaded and the sky it sees, and gives back its albedo. Angular losses by Martin and Ruiz.
    """
    sun = sun_year(latitude, longitude)
    up = sun.zenith_deg < LAST_ZENITH_DEG
    rows = _rows(latitude, longitude, plant)
    ring = np.clip(weather.dni_w_m2[up] / sun.normal_w_m2[up], 0.0, 1.0)
    diffuse = weather.dhi_w_m2[up]
    even = diffuse * (1.0 - ring)
    beam = weather.dni_w_m2[up] + diffuse * ring / rows.cos_zenith
    ground = plant.albedo * (beam * rows.cos_zenith * rows.lit_ground + even * rows.ground_sky)
    front = beam * rows.beam_front + even * rows.near + ground * rows.far
    rear = beam * rows.beam_rear + even * rows.far + ground * rows.near
    return np.asarray(front + plant.bifaciality * (1.0 - plant.rear_loss) * rear)


@lru_cache(maxsize=64)
def _rows(latitude: float, longitude: float, plant: SolarPlant) -> _Rows:
    """Geometry of the year's daylight at a place: it does not depend on the weather."""
    sun = sun_year(latitude, longitude)
    tilt, facing, zenith, azimuth = _orientation(latitude, sun, plant)
    cover, cos_tilt, sin_tilt = plant.ground_cover, np.cos(tilt), np.sin(tilt)
    toward = np.cos(azimuth - facing)
    # Shadow of a row on level ground, along the spacing and in units of it.
    shadow = cover * np.abs(cos_tilt + sin_tilt * toward * np.tan(zenith))
    unshaded = np.minimum(1.0, 1.0 / np.maximum(shadow, 1e-9))
    incidence = np.cos(zenith) * cos_tilt + np.sin(zenith) * sin_tilt * toward
    sky_front, sky_rear = row_to_sky(tilt, cover), row_to_sky(np.pi - tilt, cover)
    return _Rows(
        cos_zenith=np.cos(zenith),
        beam_front=_through_glass(np.maximum(incidence, 0.0)) * unshaded,
        beam_rear=_through_glass(np.maximum(-incidence, 0.0)) * unshaded,
        lit_ground=1.0 - np.minimum(shadow, 1.0),
        ground_sky=1.0 - cover * (sky_front + sky_rear),
        near=sky_front * _diffuse_through_glass(tilt),
        far=sky_rear * _diffuse_through_glass(np.pi - tilt),
    )


def row_to_sky(tilt: Floats, ground_cover: float) -> Floats:
    """Mean view factor from a row's face to the sky between it and the next row; tilt in radians, pi - tilt
    for the rear.

    (g + 1 - sqrt(g^2 + 1 - 2 g cos(tilt))) / (2 g), the crossed strings from both edges of the row to the top
    of the next. By symmetry the rear's view of the ground is the front's of the sky, and by reciprocity the
    ground sees 1 - g (front + rear) of the sky.

    >>> [round(float(view), 4) for view in row_to_sky(np.radians([0.0, 60.0, 120.0]), 0.4)]
    [1.0, 0.6603, 0.1888]
    """
    g = ground_cover
    return np.asarray((g + 1.0 - np.sqrt(g * g + 1.0 - 2.0 * g * np.cos(tilt))) / (2.0 * g))


def _through_glass(cos_incidence: Floats) -> Floats:
    """cos(incidence) x the share of beam that passes the glass at it (Martin and Ruiz 2001, eq. 1)."""
    passed = -np.expm1(-cos_incidence / ANGULAR_LOSS) / -np.expm1(-1.0 / ANGULAR_LOSS)
    return np.asarray(cos_incidence * passed)


def _diffuse_through_glass(tilt: Floats) -> Floats:
    """Share of even light from the sky that passes the glass of a face at a tilt.

    Martin and Ruiz, as pvlib.iam.martin_ruiz_diffuse has it:

    1 - exp(-(c1 + c2 s) s / a), s = sin(tilt) + (pi - tilt - sin(tilt)) / (1 + cos(tilt)); c1 = 4 / 3 pi,
    c2 = 0.5 a - 0.154. Near 0.95 up to upright faces, and falling beyond.
    """
    sine, cosine = np.sin(tilt), np.maximum(1.0 + np.cos(tilt), 1e-9)
    wide = sine + (np.pi - tilt - sine) / cosine
    first, second = 4.0 / (3.0 * np.pi), 0.5 * ANGULAR_LOSS - 0.154
    return np.asarray(-np.expm1(-(first + second * wide) * wide / ANGULAR_LOSS))


def _orientation(latitude: float, sun: SunYear, plant: SolarPlant) -> tuple[Floats, Floats, Floats, Floats]:
    """Tilt and azimuth of the modules, zenith and azimuth of the sun in each hour of daylight [radians]."""
    from pvlib import tracking

    up = sun.zenith_deg < LAST_ZENITH_DEG
    zenith, azimuth = sun.zenith_deg[up], sun.azimuth_deg[up]
    equator = 180.0 if latitude >= 0.0 else 0.0
    if plant.mounting == "fixed":
        tilt = np.full_like(zenith, min(abs(latitude), plant.max_tilt_deg))
        facing = np.full_like(zenith, equator)
    else:
        axis = tracking.singleaxis(
            zenith, azimuth, axis_azimuth=equator, max_angle=plant.max_rotation_deg, gcr=plant.ground_cover
        )
        tilt = np.nan_to_num(axis["surface_tilt"])
        facing = np.nan_to_num(axis["surface_azimuth"], nan=equator)
    return np.radians(tilt), np.radians(facing), np.radians(zenith), np.radians(azimuth)
