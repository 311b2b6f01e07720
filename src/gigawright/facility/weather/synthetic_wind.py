"""The synthetic year's wind: Weibull in each month, stronger by day, with the memory of fronts and gusts."""

from __future__ import annotations

import math

import numpy as np

from gigawright.arrays import Floats
from gigawright.catalogue.types import MonthlyClimate
from gigawright.facility.weather.synthetic_calendar import by_month, monthly_mean, months, rank_share

# Weibull's shape from the mean [m/s], k = c sqrt(mean), has the form of Justus, Hargraves, Mikhail and Graber
# (1978), J. Applied Meteorology 17, 350-353; their c = 0.94 where wind varies as usual [cited, unverified].
# Fitted to six stations: 0.93 by the variance of months, 0.88 by capacity factors (docs/synthetic-weather.md
# has the misses of each station left out).
SHAPE_PER_ROOT, SHAPE_LIMITS = 0.90, (0.7, 4.0)
# Memory of fronts and of gusts [h] and the share of fronts (assumption, from six stations: hours carry over
# by 0.68 to 0.88, a day later by 0.23 to 0.66).
FRONT_HOURS, GUST_HOURS, FRONT_SHARE = 36.0, 2.0, 0.55
# Day-night swing of 10 m wind over its mean is larger where wind is weak: 0.90 m/s over the mean, at most 0.9
# (fitted to six stations of 1.5 to 4.9 m/s: 0.4 to 1.35 m/s).
SWING_MS, HIGHEST_SWING = 0.90, 0.9
# The part of the variance that the day may have.
HIGHEST_DAY_SHARE = 0.8
WINDIEST_SOLAR_HOUR = 14.5


def weibull_shape(mean_ms: Floats) -> Floats:
    """Shape of the distribution of hourly wind at 10 m from its mean [m/s].

    >>> round(float(weibull_shape(np.array(4.0))), 2)
    1.8
    """
    return np.clip(SHAPE_PER_ROOT * np.sqrt(np.maximum(mean_ms, 0.0)), *SHAPE_LIMITS)


def hourly_wind(climate: MonthlyClimate, solar_shift_h: float, noise: Floats) -> Floats:
    """Wind at 10 m [m/s] by local hour, (8760,): each month's mean is exact, its distribution Weibull.

    noise: standard normal hours. solar_shift_h: solar time less the clock's [h]. A daily wave is added to the
    noise, and hours are ranked within their month: the wave decides when it blows, not how hard.
    """
    mean = np.maximum(np.array(climate.wind_speed_10m_ms), 1e-3)
    shape = weibull_shape(mean)
    variation = variation_of(shape)
    swing = np.minimum(SWING_MS / mean, HIGHEST_SWING)
    wave = np.minimum(swing / variation, np.sqrt(2.0 * HIGHEST_DAY_SHARE))
    hour = np.arange(24) + 0.5 + solar_shift_h - WINDIEST_SOLAR_HOUR
    course = wave[:, None] * np.cos(2.0 * np.pi * hour / 24.0)
    rest = by_month(np.sqrt(1.0 - wave**2 / 2.0), hourly=True)
    share = rank_share(course[months()[1]].ravel() + rest * noise)
    speed = (-np.log1p(-share)) ** by_month(1.0 / shape, hourly=True)
    return np.asarray(speed * by_month(mean / monthly_mean(speed), hourly=True))


def variation_of(shape: Floats) -> Floats:
    """Standard deviation over mean of Weibull distributions of these shapes."""
    moments = [math.gamma(1.0 + 2.0 / k) / math.gamma(1.0 + 1.0 / k) ** 2 for k in shape]
    return np.sqrt(np.array(moments) - 1.0)
