"""The synthetic year's dry bulb and humidity: months, days that carry over, the course of a day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gigawright.arrays import Floats
from gigawright.catalogue.types import MonthlyClimate
from gigawright.clock import HOURS_PER_YEAR
from gigawright.facility.weather import psychrometrics
from gigawright.facility.weather.synthetic_calendar import (
    DAYS,
    by_month,
    monthly_mean,
    months,
    smooth_year,
    through_days,
)

DESIGN_SHARE = 0.004

# Persistence of the noise of days, without seasons and with them. Means of days, which interpolation smooths,
# then carry over by about 0.45 and 0.57; stations have 0.33 and 0.41 in the tropics, others 0.57 to 0.72.
TROPICAL_PERSISTENCE, SEASONAL_PERSISTENCE = 0.15, 0.45
# The same of dew points, which carry over by 0.5 to 0.75.
DEW_PERSISTENCE = 0.40
# Standard deviation of daily means in the coldest months [K]: 0.5 + 0.16 x range of the monthly means
# (fitted to six stations: 0.75 K at 2 K of range, 2.6 to 4.3 K at 22 to 25 K).
COLD_SPREAD_K, COLD_SPREAD_PER_K = 0.5, 0.16
# The warm season's standard deviations are found from the design extremes, within these limits [K].
WARM_SPREAD_LIMITS_K, DEW_SPREAD_LIMITS_K = (0.1, 6.0), (0.1, 8.0)
# Course of a day after Parton and Logan (1981), Agricultural Meteorology 23, 205-216: hours from noon to the
# maximum, from sunrise to the minimum, and the night's decay. They have 1.86 h, -0.17 h and 2.2 for a station
# in Colorado; the first and the last are fitted to six stations (leaving one out: 2.0 to 2.25 h, and 0.2 to
# 0.75, hardly better than 1.0).
MAXIMUM_LAG_H, MINIMUM_LAG_H, NIGHT_DECAY = 2.25, -0.17, 1.0
# Share of the daily range that a day's sunshine decides (assumption: they correlate by about 0.6 at four
# mid-latitude stations). In the cold season sunny days are no warmer: their nights are colder.
RANGE_BY_SUNSHINE = 0.5
# Hours wander about the day's course: standard deviation over the daily range, and memory [h] (assumption,
# from the spread of daily ranges at the same stations).
WANDERING_SHARE, WANDERING_HOURS = 0.10, 6.0
# Dew points of days in the cold season: spread over temperature's and correlation with it; without seasons
# and in the warm season the correlation is lower; sunny days are drier (assumptions, from the same stations:
# 1.25 to 1.95, 0.5 to 0.9; 0.15 to 0.55; -0.6 to 0.3).
DEW_COLD_SPREAD, DEW_TROPICAL_SPREAD = 1.4, 0.7
DEW_COLD_CORRELATION, DEW_WARM_CORRELATION, DEW_SUN_CORRELATION = 0.75, 0.30, -0.30
# Hours of dew point wander within the day: standard deviation over that of days, and memory [h] (assumption:
# 0.5 to 0.7 at four stations).
DEW_WANDERING_SHARE, DEW_WANDERING_HOURS = 0.5, 10.0
# How far the least spread may exceed the extreme before days become steadier [K].
STEADIER_ABOVE_K = 0.1
# Range of the monthly means from which a place has seasons to the full [K] (assumption).
SEASONAL_K = 10.0
SPREAD_STEPS, SWING_STEPS, DEW_STEPS, NEWTON_STEPS = 12, 3, 7, 8


@dataclass(frozen=True)
class AirNoise:
    """Standard normal series: days of temperature, dew point and clearness (365,), hours of both (8760,)."""

    temperature: Floats
    dew: Floats
    clearness: Floats
    hours: Floats
    dew_hours: Floats


def warmth(climate: MonthlyClimate) -> tuple[Floats, float]:
    """How far each day is from the coldest month (0) to the warmest (1), and how much of seasons there is."""
    mean = np.array(climate.dry_bulb_mean_c)
    spread = float(np.ptp(mean))
    share = np.clip((smooth_year(mean) - mean.min()) / max(spread, 1.0), 0.0, 1.0)
    return share, min(spread / SEASONAL_K, 1.0)


def day_persistence(climate: MonthlyClimate) -> float:
    """How much of a day's temperature noise the next one has."""
    _, seasons = warmth(climate)
    return TROPICAL_PERSISTENCE + (SEASONAL_PERSISTENCE - TROPICAL_PERSISTENCE) * seasons


def cold_spread_k(climate: MonthlyClimate) -> float:
    """Standard deviation of daily means in the coldest month [K]."""
    return COLD_SPREAD_K + COLD_SPREAD_PER_K * float(np.ptp(np.array(climate.dry_bulb_mean_c)))


def diurnal_shape(climate: MonthlyClimate, latitude: float, solar_shift_h: float) -> Floats:
    """Course of temperature in a day of each month, from 0 at dawn to 1 after noon. Shape (12, 24).

    A sine by day and an exponential decay by night (Parton and Logan 1981), raised to the power that puts
    the day's mean where the normals have it: (mean - min) / (max - min).
    """
    day = np.array([15, 46, 74, 105, 135, 166, 196, 227, 258, 288, 319, 349], dtype=np.float64)
    declination = np.radians(23.45 * np.sin(2.0 * np.pi * (284.0 + day) / 365.0))
    sunset = np.arccos(np.clip(-np.tan(np.radians(latitude)) * np.tan(declination), -1.0, 1.0))
    half = np.clip(np.degrees(sunset) / 15.0, 4.0, 8.0)[:, None]
    after = (np.arange(24) + 0.5 + solar_shift_h - (12.0 - half + MINIMUM_LAG_H)) % 24.0
    length = 2.0 * half - MINIMUM_LAG_H
    rising = np.sin(np.pi * np.minimum(after, length) / (2.0 * (half - MINIMUM_LAG_H + MAXIMUM_LAG_H)))
    into_night = np.maximum(after - length, 0.0) / (24.0 - length)
    shape = rising * (np.exp(-NIGHT_DECAY * into_night) - into_night * np.exp(-NIGHT_DECAY))
    shape = (shape - shape.min(axis=1, keepdims=True)) / np.ptp(shape, axis=1)[:, None]
    low, high = np.array(climate.dry_bulb_daily_min_c), np.array(climate.dry_bulb_daily_max_c)
    wanted = (np.array(climate.dry_bulb_mean_c) - low) / np.maximum(high - low, 0.1)
    powers = np.linspace(0.3, 3.0, 55)
    means = (shape[:, None, :] ** powers[:, None]).mean(axis=2)
    chosen = [np.interp(-wanted[month], -means[month], powers) for month in range(12)]
    return np.asarray(shape ** np.array(chosen)[:, None])


def hourly_dry_bulb(
    climate: MonthlyClimate, shape: Floats, relative_clearness: Floats, noise: AirNoise, extreme_c: float
) -> tuple[Floats, Floats]:
    """Dry bulb [C] by local hour, (8760,), and the standard deviation of days' means [K], (365,).

    Monthly means are exact, mean daily maxima and minima nearly. The warm season's spread is found so that
    0.4 % of the hours exceed `extreme_c`; where even the least spread exceeds it (steady islands, or normals
    and an extreme that do not fit each other), every day of a month has the same course.
    """
    warm, _ = warmth(climate)
    for lively in (1.0, 0.0):
        wave = _day_waves(shape, lively * (relative_clearness - 1.0), warm)
        dry, spread = _with_waves(climate, wave, lively * noise.hours, noise.temperature, extreme_c)
        if exceeded(dry) < extreme_c + STEADIER_ABOVE_K:
            break
    return dry, spread


def _with_waves(
    climate: MonthlyClimate, wave: Floats, wandering: Floats, days: Floats, extreme_c: float
) -> tuple[Floats, Floats]:
    """Dry bulb and spread with these courses of days over the daily range, and this noise."""
    warm, _ = warmth(climate)
    mean = np.array(climate.dry_bulb_mean_c)
    wanted = np.array(climate.dry_bulb_daily_max_c) - np.array(climate.dry_bulb_daily_min_c)
    cold = (1.0 - warm) * cold_spread_k(climate)
    fixed = through_days(smooth_year(mean) + cold * days)
    fixed += WANDERING_SHARE * by_month(wanted, hourly=True) * wandering
    moving = through_days(warm * days)
    swing = wanted
    for _ in range(SWING_STEPS):
        course = fixed + by_month(swing, hourly=True) * wave
        warm_k = _warm_spread(course, moving, mean, extreme_c)
        dry = _centred(course + warm_k * moving, mean)
        swing = swing * wanted / np.maximum(monthly_mean(np.ptp(dry.reshape(DAYS, 24), axis=1)), 0.1)
    return dry, cold + warm * warm_k


def _day_waves(shape: Floats, clearer: Floats, warm: Floats) -> Floats:
    """The course of each day over its month's mean range: clearer days have more. Shape (8760,)."""
    sunshine = np.maximum(1.0 + RANGE_BY_SUNSHINE * clearer, 0.1)[:, None]
    day_shape = shape[months()[1]]
    pivot = ((1.0 - warm) * day_shape.mean(axis=1))[:, None]
    return np.asarray((pivot + (day_shape - pivot) * sunshine).ravel())


def _centred(hours: Floats, mean: Floats) -> Floats:
    """The same with exact monthly means."""
    return np.asarray(hours + by_month(mean - monthly_mean(hours), hourly=True))


def _warm_spread(course: Floats, moving: Floats, mean: Floats, extreme_c: float) -> float:
    """The warm season's spread [K] with which 0.4 % of the hours exceed the extreme, by bisection."""
    course, moving = _centred(course, mean), _centred(moving, np.zeros(12))
    low, high = WARM_SPREAD_LIMITS_K
    for _ in range(SPREAD_STEPS):
        middle = 0.5 * (low + high)
        if exceeded(course + middle * moving) < extreme_c:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def exceeded(values: Floats) -> float:
    """What 0.4 % of the hours exceed."""
    place = round(len(values) * (1.0 - DESIGN_SHARE))
    return float(np.partition(values, place)[place])


def hourly_humidity(
    climate: MonthlyClimate,
    dry: Floats,
    spread_k: Floats,
    noise: AirNoise,
    extreme_c: float,
    pressure: Floats,
) -> Floats:
    """Relative humidity (0-1) by local hour, (8760,): a dew point for each hour that keeps the normals.

    Days' dew points follow temperature and cloud in part; their spread in the warm season is found so that
    0.4 % of the hours exceed the wet bulb `extreme_c`, where limits allow it.
    """
    warm, seasons = warmth(climate)
    wave = _dew_wave(warm, seasons, noise)
    cold = (1.0 - warm) * (DEW_TROPICAL_SPREAD + seasons * (DEW_COLD_SPREAD - DEW_TROPICAL_SPREAD))
    fixed = _with_hours(cold * spread_k, wave, noise.dew_hours)
    moving = _with_hours(warm, wave, noise.dew_hours)
    day_mean = through_days(dry.reshape(DAYS, 24).mean(axis=1))
    base = by_month(monthly_mean(day_mean), hourly=True)
    saturation = psychrometrics.saturation_pressure_pa(dry)
    damp = psychrometrics.humidity_of_wet_bulb(dry, extreme_c, pressure)
    wanted = np.array(climate.relative_humidity_pct) / 100.0
    depression = 20.0 * (1.0 - wanted)
    low, high = DEW_SPREAD_LIMITS_K
    for _ in range(DEW_STEPS):
        middle = 0.5 * (low + high)
        humid, depression = _humidity_with(wanted, base + fixed + middle * moving, saturation, depression)
        if _is_too_damp(humid * saturation, pressure, damp):
            high = middle
        else:
            low = middle
    return humid


def _dew_wave(warm: Floats, seasons: float, noise: AirNoise) -> Floats:
    """Standard normal days of dew point, following temperature and (against it) the sun."""
    with_warmth = DEW_WARM_CORRELATION + (DEW_COLD_CORRELATION - DEW_WARM_CORRELATION) * seasons * (1 - warm)
    own = np.sqrt(1.0 - with_warmth**2 - DEW_SUN_CORRELATION**2)
    return np.asarray(
        with_warmth * noise.temperature + DEW_SUN_CORRELATION * noise.clearness + own * noise.dew
    )


def _with_hours(spread_k: Floats, wave: Floats, hours: Floats) -> Floats:
    """Days of this spread through the hours, and the hours' own wandering."""
    return np.asarray(through_days(spread_k * wave) + DEW_WANDERING_SHARE * through_days(spread_k) * hours)


def _humidity_with(
    wanted: Floats, dew: Floats, saturation: Floats, depression: Floats
) -> tuple[Floats, Floats]:
    """Relative humidity with the wanted monthly means, and how far each month's dew points were lowered [K].

    Newton's method on each month's lowering, from a first guess.
    """
    for _ in range(NEWTON_STEPS):
        vapour = psychrometrics.saturation_pressure_pa(dew - by_month(depression, hourly=True))
        humid = np.minimum(vapour / saturation, 1.0)
        missing = wanted - monthly_mean(humid)
        if np.abs(missing).max() < 5e-4:
            break
        # d ln(pws) / dT is near 0.065 per kelvin; saturated hours no longer answer.
        slope = 0.065 * np.maximum(monthly_mean(np.where(humid < 1.0, humid, 0.0)), 0.05)
        depression = depression - missing / slope
    return humid, depression


def _is_too_damp(vapour: Floats, pressure: Floats, damp: Floats) -> bool:
    """Whether the wet bulb is above its extreme in more than 0.4 % of the hours.

    vapour, pressure [Pa]; damp: each hour's humidity ratio at the wet bulb's extreme.
    """
    ratio = psychrometrics.MASS_RATIO * vapour / (pressure - vapour)
    return int((ratio > damp).sum()) > DESIGN_SHARE * HOURS_PER_YEAR
