"""Other years at a place: its months warmer or colder, cloudier or windier than their normals by chance.

`synthetic_year` keeps the normals exactly; here the normals of each year are drawn first. Thirty years make
a period of normals (World Meteorological Organization), so deviations are balanced within each thirty.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from gigawright.arrays import Floats
from gigawright.catalogue.types import MonthlyClimate
from gigawright.facility.weather.sun import sun_year, turbid_clear_sky
from gigawright.facility.weather.synthetic import synthetic_year
from gigawright.facility.weather.synthetic_air import RANGE_BY_SUNSHINE, cold_spread_k, warmth
from gigawright.facility.weather.synthetic_calendar import monthly_mean, months
from gigawright.facility.weather.synthetic_sky import CLEARNESS_PERSISTENCE, clearness_bounds, daily_clearness
from gigawright.facility.weather.synthetic_wind import (
    FRONT_HOURS,
    FRONT_SHARE,
    GUST_HOURS,
    variation_of,
    weibull_shape,
)
from gigawright.facility.weather.year import to_local
from gigawright.facility.weather.years import WeatherYears

NORMAL_YEARS = 30
# Standard deviation of a month's mean temperature from year to year over that of days within a month.
# Assumption: 0.6; Berlin 1983-2004 has 3.1 K in January and 1.7 K in July (Berkeley Earth's monthly means),
# where days vary by about 5 and 3 K; chance alone would leave 0.3 (Leith 1973
# [cited, unverified]).
YEARS_OVER_DAYS = 0.6
# Day-to-day standard deviation of the warm season [K] (assumption: 1.6 to 2.1 K at four mid-latitude
# stations, 0.9 to 1.0 K in the tropics): 0.85 + 0.045 x range of the monthly means.
WARM_SPREAD_K, WARM_SPREAD_PER_K = 0.85, 0.045
# Assumption: months carry over to the next by this correlation.
MONTH_PERSISTENCE = 0.3
# Relative humidity from year to year [points], and its correlation with the month's clearness (assumptions).
HUMIDITY_POINTS, HUMIDITY_BY_SUN = 3.0, -0.5
# Wind from year to year over its mean, at most (assumption), and the least a month may keep of its normal.
HIGHEST_WIND_SPREAD, LEAST_FACTOR = 0.20, 0.3


@dataclass(frozen=True)
class YearNormals:
    """One year's months, and its design extremes [C]."""

    climate: MonthlyClimate
    dry_bulb_extreme_c: float
    wet_bulb_extreme_c: float


def synthetic_years(
    climate: MonthlyClimate,
    latitude: float,
    longitude: float,
    elevation_m: float,
    utc_offset_h: float,
    dry_bulb_extreme_c: float,
    wet_bulb_extreme_c: float,
    count: int,
    first: int = 0,
) -> WeatherYears:
    """Years `first`, `first` + 1, ... of a place, as different from each other as real years are.

    Arguments as of `synthetic_year`. The same place and number always give the same year; the means of
    years 0 to 29, 30 to 59, ... are the normals. Labels are the numbers. About 0.05 s a year.
    """
    if count < 1 or first < 0:
        raise ValueError(f"years are counted from 0 and there is at least one, not {count} from {first}")
    extremes = dry_bulb_extreme_c, wet_bulb_extreme_c
    numbers = range(first, first + count)
    years = []
    for number in numbers:
        own = normals_of_year(
            climate, latitude, longitude, elevation_m, utc_offset_h, *extremes, number=number
        )
        years.append(
            synthetic_year(
                own.climate,
                latitude,
                longitude,
                elevation_m,
                utc_offset_h,
                own.dry_bulb_extreme_c,
                own.wet_bulb_extreme_c,
                seed=number,
            )
        )
    return WeatherYears(tuple(str(number) for number in numbers), tuple(years))


def normals_of_year(
    climate: MonthlyClimate,
    latitude: float,
    longitude: float,
    elevation_m: float,
    utc_offset_h: float,
    dry_bulb_extreme_c: float,
    wet_bulb_extreme_c: float,
    number: int,
) -> YearNormals:
    """The months of one of a place's years: normals and what chance adds to them.

    Temperature is moved, radiation and wind are multiplied; sunny months have a larger daily range and less
    humidity. The extremes move with the warmest month.
    """
    air, sky, wind, damp = _deviations(latitude, longitude, number // NORMAL_YEARS)[:, number % NORMAL_YEARS]
    moved_k = temperature_spread_k(climate) * air
    brighter = sky * radiation_spread(climate, latitude, longitude, elevation_m, utc_offset_h)
    humidity = HUMIDITY_BY_SUN * sky + np.sqrt(1.0 - HUMIDITY_BY_SUN**2) * damp
    mean = np.array(climate.dry_bulb_mean_c)
    low, high = np.array(climate.dry_bulb_daily_min_c), np.array(climate.dry_bulb_daily_max_c)
    stretch = 1.0 + RANGE_BY_SUNSHINE * brighter
    own = replace(
        climate,
        dry_bulb_mean_c=tuple(mean + moved_k),
        dry_bulb_daily_max_c=tuple(mean + moved_k + (high - mean) * stretch),
        dry_bulb_daily_min_c=tuple(mean + moved_k + (low - mean) * stretch),
        relative_humidity_pct=tuple(
            np.clip(np.array(climate.relative_humidity_pct) + HUMIDITY_POINTS * humidity, 3.0, 98.0)
        ),
        ghi_kwh_m2_day=tuple(np.array(climate.ghi_kwh_m2_day) * np.maximum(1.0 + brighter, LEAST_FACTOR)),
        wind_speed_10m_ms=tuple(
            np.array(climate.wind_speed_10m_ms) * np.maximum(1.0 + wind_spread(climate) * wind, LEAST_FACTOR)
        ),
    )
    hottest = float(moved_k[int(np.argmax(high))])
    return YearNormals(own, dry_bulb_extreme_c + hottest, wet_bulb_extreme_c + 0.5 * hottest)


def temperature_spread_k(climate: MonthlyClimate) -> Floats:
    """Standard deviation of months' mean temperature from year to year [K], by month."""
    warm = monthly_mean(warmth(climate)[0])
    days = (1.0 - warm) * cold_spread_k(climate) + warm * warm_spread_k(climate)
    return np.asarray(YEARS_OVER_DAYS * days)


def warm_spread_k(climate: MonthlyClimate) -> float:
    """Day-to-day standard deviation of temperature in the warmest month [K]."""
    return WARM_SPREAD_K + WARM_SPREAD_PER_K * float(np.ptp(np.array(climate.dry_bulb_mean_c)))


def radiation_spread(
    climate: MonthlyClimate, latitude: float, longitude: float, elevation_m: float, utc_offset_h: float
) -> Floats:
    """Standard deviation over mean of months' radiation from year to year, by month.

    What chance leaves of the days: sigma sqrt((1 + r) / ((1 - r) n)) with n days that carry over by r (Leith
    1973, J. Applied Meteorology 12, 1066-1069).
    """
    outside = to_local(sun_year(latitude, longitude).extraterrestrial_w_m2, utc_offset_h)
    clear = to_local(turbid_clear_sky(latitude, longitude, elevation_m), utc_offset_h)
    mean, highest = clearness_bounds(climate, outside, clear)
    _, of_day, days = months()
    place = np.concatenate([(np.arange(count) + 0.5) / count for count in days])
    clearness = daily_clearness(mean, highest, place)
    sigma = np.sqrt(np.bincount(of_day, (clearness - mean[of_day]) ** 2) / days)
    left = np.sqrt((1.0 + CLEARNESS_PERSISTENCE) / ((1.0 - CLEARNESS_PERSISTENCE) * days))
    return np.asarray(sigma / mean * left)


def wind_spread(climate: MonthlyClimate) -> Floats:
    """Standard deviation over mean of months' wind from year to year, by month: what chance leaves of hours.

    A memory of tau hours leaves sqrt(2 tau / n) of the standard deviation of n hours.
    """
    hours = 24.0 * months()[2]
    memory = FRONT_SHARE * FRONT_HOURS + (1.0 - FRONT_SHARE) * GUST_HOURS
    shape = weibull_shape(np.array(climate.wind_speed_10m_ms))
    left = variation_of(shape) * np.sqrt(2.0 * memory / hours)
    return np.asarray(np.minimum(left, HIGHEST_WIND_SPREAD))


@lru_cache(maxsize=64)
def _deviations(latitude: float, longitude: float, period: int) -> Floats:
    """Standard normal deviations [series, year of thirty, month]; each month's mean over the years is 0.

    Series: temperature, radiation, wind, humidity. Months carry over to the next, December to January too.
    """
    place = (round((latitude + 90.0) * 100), round((longitude + 180.0) * 100))
    draw = np.random.Generator(np.random.Philox(np.random.SeedSequence([*place, period, NORMAL_YEARS])))
    white = draw.standard_normal((4, NORMAL_YEARS * 12))
    angle = 2.0 * np.pi * np.arange(white.shape[1] // 2 + 1) / white.shape[1]
    response = np.sqrt(1.0 - MONTH_PERSISTENCE**2) / (1.0 - MONTH_PERSISTENCE * np.exp(-1j * angle))
    series = np.fft.irfft(np.fft.rfft(white) * response, white.shape[1]).reshape(4, NORMAL_YEARS, 12)
    centred = series - series.mean(axis=1, keepdims=True)
    return np.asarray(centred / centred.std(axis=1, ddof=1, keepdims=True))
