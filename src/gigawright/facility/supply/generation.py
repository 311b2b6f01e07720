"""Hourly output of contracted solar and wind, as a share of their capacity."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np

from gigawright.arrays import Floats
from gigawright.facility.weather.sun import sun_year
from gigawright.facility.weather.year import WeatherYear

Mounting = Literal["tracking", "fixed"]

# Modules over inverter capacity: Lawrence Berkeley Laboratory, Utility-Scale Solar 2023 (median near 1.3).
DC_AC_RATIO = 1.3
# PVWatts version 5 (Dobos 2014, NREL/TP-6A20-62641): losses beside temperature, nominal inverter efficiency.
SYSTEM_LOSS, INVERTER_EFFICIENCY = 0.14, 0.96
# Assumption: monocrystalline modules of data sheets of 2022-2025, power per kelvin above 25 degrees.
MODULE_PER_K = -0.0035
# Assumption: axis north-south, 60 degrees each way, ground cover 0.4; fixed modules tilt as the latitude, at
# most 35 degrees.
MAX_ROTATION_DEG, GROUND_COVER, MAX_TILT_DEG = 60.0, 0.4, 35.0
# Above this solar zenith angle [degrees] pvlib's sky model divides by nearly nothing.
LAST_ZENITH_DEG = 88.0

# IEA Wind Task 37's onshore reference turbine (Bortolotti et al. 2019, NREL/TP-5000-73492): 3.37 MW, rotor of
# 130 m, hub at 110 m, class IIIA, cut-in 4 m/s, rated at 9.8 m/s, cut-out 25 m/s.
HUB_M = 110.0
CUT_IN_MS, RATED_MS, CUT_OUT_MS = 4.0, 9.8, 25.0
STANDARD_DENSITY = 1.225
GAS_CONSTANT_DRY, GAS_CONSTANT_VAPOUR = 287.05, 461.5
# IEC 61400-1:2019, normal wind profile: exponent 0.2 of the power law over land.
SHEAR_EXPONENT, MEASURED_AT_M = 0.2, 10.0
# Assumption: turbulence of 12 % smooths the knee of the power curve over an hour.
TURBULENCE = 0.12
# Assumption: wakes, availability, electrical losses of a farm.
WIND_LOSS = 0.15


def solar_cf(
    weather: WeatherYear, latitude: float, longitude: float, mounting: Mounting = "tracking"
) -> Floats:
    """Solar AC output per MW of inverter by UTC hour. Shape (8760,), 0 to 1.

    Plane-of-array irradiance by Hay and Davies (1980) on a single-axis tracker with backtracking (or a
    fixed tilt to the equator), cell temperature by Faiman (2008), modules and inverter by PVWatts 5.
    latitude, longitude in degrees.
    """
    from pvlib import irradiance, pvsystem, temperature

    sun = sun_year(latitude, longitude)
    up = sun.zenith_deg < LAST_ZENITH_DEG
    tilt, facing = _orientation(latitude, sun.zenith_deg[up], sun.azimuth_deg[up], mounting)
    plane = irradiance.get_total_irradiance(
        tilt,
        facing,
        sun.zenith_deg[up],
        sun.azimuth_deg[up],
        weather.dni_w_m2[up],
        weather.ghi_w_m2[up],
        weather.dhi_w_m2[up],
        dni_extra=sun.normal_w_m2[up],
        model="haydavies",
    )["poa_global"]
    cell = temperature.faiman(plane, weather.dry_bulb_c[up], weather.wind_speed_ms[up])
    modules = pvsystem.pvwatts_dc(plane, cell, pdc0=DC_AC_RATIO, gamma_pdc=MODULE_PER_K) * (1.0 - SYSTEM_LOSS)
    output = np.zeros(len(up))
    output[up] = np.clip(np.nan_to_num(INVERTER_EFFICIENCY * modules), 0.0, 1.0)
    return output


def _orientation(
    latitude: float, zenith: Floats, azimuth: Floats, mounting: Mounting
) -> tuple[Floats, Floats]:
    """Tilt and azimuth of the modules in each hour [degrees]."""
    from pvlib import tracking

    equator = 180.0 if latitude >= 0.0 else 0.0
    if mounting == "fixed":
        return np.full_like(zenith, min(abs(latitude), MAX_TILT_DEG)), np.full_like(zenith, equator)
    axis = tracking.singleaxis(
        zenith, azimuth, axis_azimuth=equator, max_angle=MAX_ROTATION_DEG, gcr=GROUND_COVER
    )
    return np.nan_to_num(axis["surface_tilt"]), np.nan_to_num(axis["surface_azimuth"], nan=equator)


def air_density(weather: WeatherYear) -> Floats:
    """Density of moist air [kg/m3] from pressure, temperature and humidity ratio, by the ideal gas law."""
    kelvin = weather.dry_bulb_c + 273.15
    mixed = GAS_CONSTANT_DRY + weather.humidity_ratio * GAS_CONSTANT_VAPOUR
    return np.asarray(weather.pressure_pa * (1.0 + weather.humidity_ratio) / (mixed * kelvin))


@lru_cache(maxsize=1)
def power_curve() -> tuple[Floats, Floats]:
    """Wind speeds [m/s] and output (0-1) of the reference turbine over an hour, at standard density.

    Below rated speed the rotor takes a fixed share of the wind's power, 3.37 MW / (1/2 rho A v_rated^3) =
    0.44; the curve is then averaged over a normal spread of speeds of 12 % (the knee of a real curve).

    >>> speeds, output = power_curve()
    >>> round(float(np.interp(7.0, speeds, output)), 2)
    0.38
    """
    speeds = np.arange(0.0, 40.01, 0.1)
    sharp = np.clip((speeds / RATED_MS) ** 3, 0.0, 1.0) * ((speeds >= CUT_IN_MS) & (speeds <= CUT_OUT_MS))
    width = np.maximum(TURBULENCE * speeds, 0.05)[:, None]
    spread = np.exp(-0.5 * ((speeds[None, :] - speeds[:, None]) / width) ** 2)
    return speeds, (spread * sharp).sum(axis=1) / spread.sum(axis=1)


def wind_cf(weather: WeatherYear) -> Floats:
    """Wind farm output per MW by UTC hour. Shape (8760,), 0 to 1.

    v_hub = v_10 (110 / 10)^0.2, scaled by (rho / 1.225)^(1/3) for the density of the air (IEC 61400-12-1),
    through the reference turbine's curve, less 15 %. The wind is the station's at 10 m: a farm stands where
    the wind is better than at an airport, so this is a low estimate.
    """
    hub = weather.wind_speed_ms * (HUB_M / MEASURED_AT_M) ** SHEAR_EXPONENT
    speeds, output = power_curve()
    equivalent = hub * (air_density(weather) / STANDARD_DENSITY) ** (1.0 / 3.0)
    return np.asarray((1.0 - WIND_LOSS) * np.interp(equivalent, speeds, output))
