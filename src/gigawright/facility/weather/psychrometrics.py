"""Moist air on arrays: saturation, humidity ratio, dew point and wet bulb.

Equations of ASHRAE Handbook - Fundamentals 2021 (SI), chapter 1, whose numbers stand beside each function.
Temperatures are degrees Celsius, pressures pascal, humidity ratios kg of water a kg of dry air. All
functions take and return arrays of any shape (or plain numbers) and broadcast.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gigawright.arrays import Floats

KELVIN = 273.15
TRIPLE_POINT_C = 0.01
# Ratio of the molar masses of water and dry air (ASHRAE eq. 20).
MASS_RATIO = 0.621945
# Hyland and Wexler (1983): ln p over ice (eq. 5), and over liquid water (eq. 6).
ICE = (-5.6745359e3, 6.3925247, -9.677843e-3, 6.2215701e-7, 2.0747825e-9, -9.484024e-13, 4.1635019)
WATER = (-5.8002206e3, 1.3914993, -4.8640239e-2, 4.1764768e-5, -1.4452093e-8, 0.0, 6.5459673)
# Hyland and Wexler's equations hold from -100 to 200 degrees.
LOWEST_C, HIGHEST_C = -100.0, 200.0
# Enthalpies of eq. 33 and 35 [kJ/kg]: vaporisation, over ice sublimation; heat capacities [kJ/(kg K)].
VAPORISATION, SUBLIMATION = 2501.0, 2830.0
DRY_AIR_CP, VAPOUR_CP, WATER_CP, ICE_CP = 1.006, 1.86, 4.186, 2.1
NEWTON_STEPS = 12
NEWTON_TOLERANCE_K = 1e-6


def standard_pressure_pa(elevation_m: ArrayLike) -> Floats:
    """Pressure of the standard atmosphere [Pa] at an elevation [m] (ASHRAE eq. 3).

    p = 101325 (1 - 2.25577e-5 z)^5.2559

    >>> round(float(standard_pressure_pa(1500.0)))  # ASHRAE table 1: 84.556 kPa
    84556
    """
    return np.asarray(101325.0 * (1.0 - 2.25577e-5 * np.asarray(elevation_m)) ** 5.2559)


def _log_pressure(kelvin: Floats, c: tuple[float, ...]) -> Floats:
    polynomial = c[1] + kelvin * (c[2] + kelvin * (c[3] + kelvin * (c[4] + kelvin * c[5])))
    return np.asarray(c[0] / kelvin + polynomial + c[6] * np.log(kelvin))


def _log_slope(kelvin: Floats, c: tuple[float, ...]) -> Floats:
    polynomial = c[2] + kelvin * (2 * c[3] + kelvin * (3 * c[4] + kelvin * 4 * c[5]))
    return np.asarray(-c[0] / kelvin**2 + polynomial + c[6] / kelvin)


def _over_ice_or_water(
    temperature_c: Floats,
) -> tuple[Floats, Floats]:
    """ln of the saturation pressure, and its slope [1/K]; ice below the triple point, liquid above."""
    kelvin = np.clip(temperature_c, LOWEST_C, HIGHEST_C) + KELVIN
    frozen = temperature_c <= TRIPLE_POINT_C
    if not frozen.any():
        return _log_pressure(kelvin, WATER), _log_slope(kelvin, WATER)
    log_p = np.where(frozen, _log_pressure(kelvin, ICE), _log_pressure(kelvin, WATER))
    slope = np.where(frozen, _log_slope(kelvin, ICE), _log_slope(kelvin, WATER))
    return log_p, slope


def saturation_pressure_pa(temperature_c: ArrayLike) -> Floats:
    """Saturation pressure of water vapour [Pa], over ice below 0.01 degrees (ASHRAE eq. 5 and 6).

    >>> round(float(saturation_pressure_pa(20.0)), 1)  # ASHRAE table 3: 2.3392 kPa
    2338.8
    """
    return np.asarray(np.exp(_over_ice_or_water(np.asarray(temperature_c, dtype=np.float64))[0]))


def humidity_ratio(temperature_c: ArrayLike, relative_humidity: ArrayLike, pressure_pa: ArrayLike) -> Floats:
    """Humidity ratio from dry bulb [C], relative humidity [0-1] and pressure [Pa] (ASHRAE eq. 20 and 22).

    W = 0.621945 pw / (p - pw), pw = phi pws(t)

    >>> round(float(humidity_ratio(25.0, 0.5, 101325.0)), 5)
    0.00988
    """
    vapour = np.asarray(relative_humidity) * saturation_pressure_pa(temperature_c)
    return np.asarray(MASS_RATIO * vapour / (np.asarray(pressure_pa) - vapour))


def relative_humidity(temperature_c: ArrayLike, humidity: ArrayLike, pressure_pa: ArrayLike) -> Floats:
    """Relative humidity [0-1] from dry bulb [C], humidity ratio and pressure [Pa], the inverse."""
    humidity = np.asarray(humidity)
    vapour = np.asarray(pressure_pa) * humidity / (MASS_RATIO + humidity)
    return np.asarray(vapour / saturation_pressure_pa(temperature_c))


def dew_point_c(vapour_pressure_pa: ArrayLike) -> Floats:
    """Temperature [C] at which air of this vapour pressure [Pa] is saturated (below 0: the frost point).

    Newton's method on ln p(t), which is nearly straight; from Magnus' formula as the first guess.

    >>> round(float(dew_point_c(saturation_pressure_pa(12.5))), 6)
    12.5
    """
    log_target = np.log(np.asarray(vapour_pressure_pa, dtype=np.float64))
    # Magnus: ln(p / 611.2) = 17.62 t / (243.12 + t), Sonntag (1990).
    ratio = log_target - np.log(611.2)
    found = np.clip(243.12 * ratio / (17.62 - ratio), LOWEST_C, HIGHEST_C)
    for _ in range(NEWTON_STEPS):
        log_p, slope = _over_ice_or_water(found)
        step = (log_p - log_target) / slope
        found = np.clip(found - step, LOWEST_C, HIGHEST_C)
        if np.abs(step).max(initial=0.0) < NEWTON_TOLERANCE_K:
            break
    return np.asarray(found)


def _wet_bulb_humidity(dry: Floats, wet: Floats, pressure: Floats, frozen: bool) -> tuple[Floats, Floats]:
    """Humidity ratio of air with this dry and wet bulb (ASHRAE eq. 33, ice: 35), and its slope in `wet`."""
    heat, heat_slope, bulb_cp = (
        (SUBLIMATION, ICE_CP - VAPOUR_CP, ICE_CP)
        if frozen
        else (VAPORISATION, WATER_CP - VAPOUR_CP, WATER_CP)
    )
    log_p, log_slope = _over_ice_or_water(wet)
    saturated = np.exp(log_p)
    ratio = MASS_RATIO * saturated / (pressure - saturated)
    ratio_slope = ratio * log_slope * pressure / (pressure - saturated)
    below = heat + VAPOUR_CP * dry - bulb_cp * wet
    value = ((heat - heat_slope * wet) * ratio - DRY_AIR_CP * (dry - wet)) / below
    slope = (
        (heat - heat_slope * wet) * ratio_slope - heat_slope * ratio + DRY_AIR_CP + value * bulb_cp
    ) / below
    return value, slope


def humidity_of_wet_bulb(temperature_c: ArrayLike, wet_bulb_c: float, pressure_pa: ArrayLike) -> Floats:
    """Humidity ratio of air with this dry and wet bulb [C] and pressure [Pa] (ASHRAE eq. 33; ice: eq. 35).

    >>> round(float(humidity_of_wet_bulb(30.0, 20.0, 101325.0)), 4)
    0.0105
    """
    dry = np.asarray(temperature_c, dtype=np.float64)
    wet, pressure = np.full_like(dry, wet_bulb_c), np.asarray(pressure_pa, dtype=np.float64)
    return np.asarray(_wet_bulb_humidity(dry, wet, pressure, frozen=wet_bulb_c < 0.0)[0])


def wet_bulb_c(temperature_c: ArrayLike, humidity: ArrayLike, pressure_pa: ArrayLike) -> Floats:
    """Thermodynamic wet bulb [C] of dry bulb [C], humidity ratio and pressure [Pa] (ASHRAE eq. 33 and 35).

    Newton's method inside a bracket that shrinks, on whole arrays (a year in about 10 ms). Air so dry
    that a bulb at 0 degrees would still lose heat has a frozen bulb; where both a frozen and a liquid bulb
    satisfy the equations (a band of a few tenths of a kelvin at 0), the liquid one is given, so that the
    wet bulb rises with temperature and with humidity. Humidity above saturation gives the dry bulb.

    >>> round(float(wet_bulb_c(30.0, humidity_ratio(30.0, 0.5, 101325.0), 101325.0)), 2)
    22.0
    """
    dry, target, pressure = np.broadcast_arrays(
        np.asarray(temperature_c, np.float64),
        np.asarray(humidity, np.float64),
        np.asarray(pressure_pa, np.float64),
    )
    at_zero = _wet_bulb_humidity(dry, np.zeros_like(dry), pressure, frozen=False)[0]
    frozen = (target < at_zero) | (dry < 0.0)
    found = np.empty(dry.shape)
    for ice, chosen in ((False, ~frozen), (True, frozen)):
        if chosen.any():
            found[chosen] = _solve_wet_bulb(dry[chosen], target[chosen], pressure[chosen], ice)
    return found


def _solve_wet_bulb(dry: Floats, target: Floats, pressure: Floats, frozen: bool) -> Floats:
    """The wet bulb on one branch: `frozen` at or below 0 degrees, else at or above.

    Hours leave the search as soon as they are found: few need more than some steps.
    """
    low = np.full_like(dry, LOWEST_C) if frozen else np.zeros_like(dry)
    high = np.minimum(dry, 0.0) if frozen else dry.copy()
    wet = np.clip(dry - 5.0, low, high)
    found, open_hours = wet.copy(), np.arange(len(dry))
    for _ in range(4 * NEWTON_STEPS):
        value, slope = _wet_bulb_humidity(dry, wet, pressure, frozen)
        above = value > target
        high = np.where(above, wet, high)
        low = np.where(above, low, wet)
        newton = wet - (value - target) / slope
        following = np.where((newton < low) | (newton > high), 0.5 * (low + high), newton)
        moving = np.abs(following - wet) >= NEWTON_TOLERANCE_K
        found[open_hours] = following
        if not moving.any():
            break
        wet, open_hours = following[moving], open_hours[moving]
        dry, target, pressure, low, high = (values[moving] for values in (dry, target, pressure, low, high))
    return found
