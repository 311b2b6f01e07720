"""A synthetic year of weather from twelve monthly normals and two design extremes.

Monthly means of temperature and wind and the sums of radiation are kept exactly; the spread between days is
set so that the design extremes (exceeded in 0.4 % of the hours) are reached. Days carry over into each other.
What it cannot know: the weather two sites share (each place has its own random stream), and storms.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.catalogue.types import MonthlyClimate
from gigawright.clock import HOURS_PER_YEAR, month_of_hour
from gigawright.facility.weather import psychrometrics
from gigawright.facility.weather.sun import sun_year
from gigawright.facility.weather.year import WeatherYear, decompose_ghi, to_local, to_utc, weather_year

DAYS = HOURS_PER_YEAR // 24
DESIGN_SHARE = 0.004

# Persistence of the daily mean from day to day: 0.53 to 0.67 at four mid-latitude stations (TMYx files), and
# 0.3 in the tropics, where it hardly matters.
TEMPERATURE_PERSISTENCE = 0.55
# Standard deviation of daily means in the coldest month [K]: 0.8 + 0.12 x range of the monthly means.
# Assumption, from the same stations: 0.8 K at 2 K of range, 3.0 to 4.5 K at 23 to 25 K.
COLD_SPREAD_K, COLD_SPREAD_PER_K = 0.8, 0.12
# The warm season's standard deviation is found from the design extreme, within these limits [K].
WARM_SPREAD_LIMITS_K = (0.1, 6.0)
# Hour of the highest temperature by solar time (assumption: 14 to 15 h at six stations).
WARMEST_SOLAR_HOUR = 14.5
# Share of the daily range that a day's sunshine decides (assumption: they correlate by about 0.5).
RANGE_BY_SUNSHINE = 0.35
# Dew-point anomalies: correlation with temperature's, and spread over temperature's (assumptions: at the same
# stations 0.5 to 0.9 in winter and 0.5 in summer; 1.2 to 1.6).
DEW_CORRELATION, DEW_SPREAD = 0.7, 1.3
DEW_SCALE_LIMITS = (0.1, 3.0)
# Day-to-day correlation of daily clearness: Graham, Hollands and Huget (1988), Solar Energy 40, 83-92.
CLEARNESS_PERSISTENCE = 0.29
LOWEST_CLEARNESS, HIGHEST_HOURLY_CLEARNESS = 0.05, 0.85
# Hour-to-hour flicker of a half-cloudy day (assumption), and its persistence (Graham and Hollands 1990).
FLICKER, FLICKER_PERSISTENCE = 0.35, 0.54
# Shape of the hourly wind's distribution (k = 2, Rayleigh: IEC 61400-1), and its memory: fronts of days and
# gusts of hours (assumption: the hour-to-hour correlation is 0.7 to 0.9 at six stations).
WEIBULL_K = 2.0
FRONT_HOURS, GUST_HOURS, FRONT_SHARE = 36.0, 4.0, 0.6
# Day-night swing of 10 m wind is larger where wind is weak: 0.95 / mean speed, at most 0.8 (assumption: to
# 0.15 at six stations from 1.5 to 4.9 m/s).
WIND_SWING_MS, HIGHEST_WIND_SWING = 0.95, 0.8
NEWTON_STEPS = 8


@dataclass(frozen=True)
class Noise:
    """Standard normal series of a place: daily temperature, dew point and clearness, hourly sky and wind."""

    temperature: Floats
    dew: Floats
    clearness: Floats
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
    noise = _noise(latitude, longitude, seed)
    sun = sun_year(latitude, longitude)
    outside = to_local(sun.extraterrestrial_w_m2, utc_offset_h)
    clear = to_local(sun.clear_sky_w_m2, utc_offset_h)
    ghi, sunshine = _radiation(climate, outside, clear, noise)
    solar_shift = longitude / 15.0 - round(utc_offset_h)
    shape = _diurnal_shape(climate, latitude, solar_shift)
    dry = _dry_bulb(climate, shape, sunshine, noise, dry_bulb_extreme_c)
    pressure = np.full(HOURS_PER_YEAR, psychrometrics.standard_pressure_pa(elevation_m))
    humid = _relative_humidity(climate, dry, noise, wet_bulb_extreme_c, pressure)
    wind = _wind(climate, solar_shift, noise)
    ghi = to_utc(ghi, utc_offset_h)
    dni, dhi = decompose_ghi(ghi, latitude, longitude)
    return weather_year(
        dry_bulb_c=to_utc(dry, utc_offset_h),
        relative_humidity=to_utc(humid, utc_offset_h),
        pressure_pa=pressure,
        ghi_w_m2=ghi,
        dni_w_m2=dni,
        dhi_w_m2=dhi,
        wind_speed_ms=to_utc(wind, utc_offset_h),
    )


def _noise(latitude: float, longitude: float, seed: int) -> Noise:
    """Independent streams for each place, by its coordinates to a hundredth of a degree."""
    place = (round((latitude + 90.0) * 100), round((longitude + 180.0) * 100))
    draw = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, *place])))
    front = _persistent(draw.standard_normal(HOURS_PER_YEAR), float(np.exp(-1.0 / FRONT_HOURS)))
    gust = _persistent(draw.standard_normal(HOURS_PER_YEAR), float(np.exp(-1.0 / GUST_HOURS)))
    return Noise(
        temperature=_persistent(draw.standard_normal(DAYS), TEMPERATURE_PERSISTENCE),
        dew=_persistent(draw.standard_normal(DAYS), TEMPERATURE_PERSISTENCE),
        clearness=_persistent(draw.standard_normal(DAYS), CLEARNESS_PERSISTENCE),
        flicker=_persistent(draw.standard_normal(HOURS_PER_YEAR), FLICKER_PERSISTENCE),
        wind=np.sqrt(FRONT_SHARE) * front + np.sqrt(1.0 - FRONT_SHARE) * gust,
    )


def _persistent(white: Floats, persistence: float) -> Floats:
    """First-order autoregression x[t] = r x[t-1] + sqrt(1 - r^2) white[t] on a ring, so the year closes."""
    spectrum = np.fft.rfft(white)
    angle = 2.0 * np.pi * np.arange(len(spectrum)) / len(white)
    response = np.sqrt(1.0 - persistence**2) / (1.0 - persistence * np.exp(-1j * angle))
    return np.asarray(np.fft.irfft(spectrum * response, len(white)))


@lru_cache(maxsize=1)
def _months() -> tuple[Ints, Ints, Ints]:
    """Month of each hour, month of each day, days of each month."""
    of_hour = month_of_hour()
    of_day = of_hour[::24]
    return of_hour, of_day, np.bincount(of_day)


def _monthly_mean(values: Floats) -> Floats:
    """Means by month of a daily or hourly series. Shape (12,)."""
    of_hour, of_day, days = _months()
    hourly = len(values) == HOURS_PER_YEAR
    return np.asarray(np.bincount(of_hour if hourly else of_day, values) / (days * (24 if hourly else 1)))


def _by_month(values: Floats, hourly: bool = False) -> Floats:
    of_hour, of_day, _ = _months()
    return np.asarray(values[of_hour if hourly else of_day])


def _rank_share(values: Floats) -> Floats:
    """Each value's place among its month's, (rank + 1/2) / n: uniform in every month."""
    of_hour, of_day, _ = _months()
    month = of_hour if len(values) == HOURS_PER_YEAR else of_day
    share = np.empty(len(values))
    for number in range(12):
        inside = np.flatnonzero(month == number)
        order = np.argsort(values[inside], kind="stable")
        share[inside[order]] = (np.arange(len(inside)) + 0.5) / len(inside)
    return share


def _smooth_year(monthly: Floats) -> Floats:
    """A daily course through the months that keeps every month's mean exactly. Shape (365,)."""
    _, _, days = _months()
    middle = np.cumsum(days) - days / 2.0
    nodes, wanted = monthly.copy(), np.asarray(monthly)
    for _ in range(30):
        course = np.interp(np.arange(DAYS) + 0.5, middle, nodes, period=DAYS)
        nodes = nodes + wanted - _monthly_mean(course)
    return np.asarray(course + _by_month(wanted - _monthly_mean(course)))


def _diurnal_shape(climate: MonthlyClimate, latitude: float, solar_shift_h: float) -> Floats:
    """Course of temperature in a day of each month, from 0 at sunrise to 1 in the afternoon. Shape (12, 24).

    Half a cosine up, half a cosine down, raised to the power that puts the day's mean where the normals
    have it: (mean - min) / (max - min).
    """
    day = np.array([15, 46, 74, 105, 135, 166, 196, 227, 258, 288, 319, 349], dtype=np.float64)
    declination = np.radians(23.45 * np.sin(2.0 * np.pi * (284.0 + day) / 365.0))
    sunset = np.arccos(np.clip(-np.tan(np.radians(latitude)) * np.tan(declination), -1.0, 1.0))
    sunrise = np.clip(12.0 - np.degrees(sunset) / 15.0, 4.0, 8.0)[:, None]
    after = (np.arange(24) + 0.5 + solar_shift_h - sunrise) % 24.0
    climb = WARMEST_SOLAR_HOUR - sunrise
    rising = 0.5 - 0.5 * np.cos(np.pi * after / climb)
    falling = 0.5 + 0.5 * np.cos(np.pi * (after - climb) / (24.0 - climb))
    shape = np.where(after <= climb, rising, falling)
    shape = (shape - shape.min(axis=1, keepdims=True)) / np.ptp(shape, axis=1)[:, None]
    low, high = np.array(climate.dry_bulb_daily_min_c), np.array(climate.dry_bulb_daily_max_c)
    wanted = (np.array(climate.dry_bulb_mean_c) - low) / np.maximum(high - low, 0.1)
    powers = np.linspace(0.4, 3.0, 53)
    means = (shape[:, None, :] ** powers[:, None]).mean(axis=2)
    chosen = [np.interp(-wanted[month], -means[month], powers) for month in range(12)]
    return np.asarray(shape ** np.array(chosen)[:, None])


def _dry_bulb(
    climate: MonthlyClimate, shape: Floats, sunshine: Floats, noise: Noise, extreme_c: float
) -> Floats:
    """Hourly dry bulb [C] by local time: months, days and hours, with the warm season's spread fitted."""
    mean = np.array(climate.dry_bulb_mean_c)
    spread = float(np.ptp(mean))
    warmth = (_smooth_year(mean) - mean.min()) / max(spread, 1.0)
    cold_k = COLD_SPREAD_K + COLD_SPREAD_PER_K * spread
    low, high = WARM_SPREAD_LIMITS_K
    for _ in range(14):
        warm_k = 0.5 * (low + high)
        deviation = np.clip(warmth * warm_k + (1.0 - warmth) * cold_k, WARM_SPREAD_LIMITS_K[0], None)
        dry = _hours_of_temperature(climate, shape, sunshine, deviation * noise.temperature)
        if _exceeded(dry) < extreme_c:
            low = warm_k
        else:
            high = warm_k
    return dry


def _exceeded(values: Floats) -> float:
    """What 0.4 % of the hours exceed."""
    place = round(len(values) * (1.0 - DESIGN_SHARE))
    return float(np.partition(values, place)[place])


def _hours_of_temperature(
    climate: MonthlyClimate, shape: Floats, sunshine: Floats, anomaly: Floats
) -> Floats:
    """Daily course + day's anomaly + diurnal swing, each month's mean and mean daily range as the normals."""
    mean = np.array(climate.dry_bulb_mean_c)
    wanted = np.array(climate.dry_bulb_daily_max_c) - np.array(climate.dry_bulb_daily_min_c)
    anomaly = anomaly - _by_month(_monthly_mean(anomaly))
    middle = np.arange(DAYS) * 24.0 + 12.0
    hours = np.arange(HOURS_PER_YEAR) + 0.5
    slow = np.interp(hours, middle, _smooth_year(mean) + anomaly, period=HOURS_PER_YEAR)
    day_shape = shape[_months()[1]] * sunshine[:, None]
    swing = wanted.copy()
    for _ in range(3):
        dry = slow + (_by_month(swing)[:, None] * day_shape).ravel()
        swing *= wanted / _monthly_mean(np.ptp(dry.reshape(DAYS, 24), axis=1))
    return np.asarray(dry + _by_month(mean - _monthly_mean(dry), hourly=True))


def _radiation(
    climate: MonthlyClimate, outside: Floats, clear: Floats, noise: Noise
) -> tuple[Floats, Floats]:
    """Hourly GHI [W/m2] by local time, and each day's daily temperature range over the month's mean one.

    Days' clearness follows Bendt, Collares-Pereira and Rabl (1981) with Herzog's fit (1985) of its parameter
    (Duffie and Beckman, Solar Engineering of Thermal Processes, section 2.9); hours share a day's sum as a
    Haurwitz clear sky does, with flicker on half-cloudy days.
    """
    wanted = np.array(climate.ghi_kwh_m2_day) * 1e3
    outside_day = outside.reshape(DAYS, 24).sum(axis=1)
    mean_clearness = np.clip(wanted / _monthly_mean(outside_day), 0.1, 0.78)
    day = _daily_clearness(mean_clearness, _rank_share(noise.clearness))
    relative = day / _by_month(mean_clearness)
    broken = 1.0 - np.abs(2.0 * np.clip(day / 0.75, 0.0, 1.0) - 1.0)
    flicker = np.exp(FLICKER * np.repeat(broken, 24) * noise.flicker)
    share = (clear * flicker).reshape(DAYS, 24)
    share /= np.maximum(share.sum(axis=1, keepdims=True), 1e-9)
    ghi = (share * (day * outside_day)[:, None]).ravel()
    for _ in range(4):
        ghi = np.minimum(ghi, HIGHEST_HOURLY_CLEARNESS * outside)
        ghi *= _by_month(wanted / (_monthly_mean(ghi) * 24.0), hourly=True)
    sunshine = 1.0 - RANGE_BY_SUNSHINE + RANGE_BY_SUNSHINE * relative
    return ghi, sunshine


def _daily_clearness(mean: Floats, share: Floats) -> Floats:
    """Daily clearness indices [365] from their monthly means [12] and each day's place among its month's.

    F(K) = (exp(g Kmin) - exp(g K)) / (exp(g Kmin) - exp(g Kmax)), solved for K.
    """
    highest = 0.6313 + 0.267 * mean - 11.9 * (mean - 0.75) ** 8
    width = highest - LOWEST_CLEARNESS
    ratio = width / np.maximum(highest - mean, 0.02)
    steepness = _by_month(-1.498 + (1.184 * ratio - 27.182 * np.exp(-1.5 * ratio)) / width)
    steepness = np.where(np.abs(steepness) < 1e-3, 1e-3, steepness)
    low, high = np.exp(steepness * LOWEST_CLEARNESS), np.exp(steepness * _by_month(highest))
    return np.asarray(np.log(low + share * (high - low)) / steepness)


def _relative_humidity(
    climate: MonthlyClimate, dry: Floats, noise: Noise, extreme_c: float, pressure: Floats
) -> Floats:
    """Relative humidity (0-1) by local hour: a dew point for each day that keeps the normals.

    The spread of dew points is fitted so that the wet bulb's design extreme is reached.
    """
    residual = dry.reshape(DAYS, 24).mean(axis=1) - _smooth_year(np.array(climate.dry_bulb_mean_c))
    spread = np.sqrt(_by_month(_monthly_mean(residual**2)))
    own = np.sqrt(1.0 - DEW_CORRELATION**2) * spread * noise.dew
    anomaly = DEW_SPREAD * (DEW_CORRELATION * residual + own)
    saturation = psychrometrics.saturation_pressure_pa(dry)
    low, high = DEW_SCALE_LIMITS
    wanted = np.array(climate.relative_humidity_pct) / 100.0
    for _ in range(8):
        scale = 0.5 * (low + high)
        humid = _humidity_with(wanted, dry, scale * anomaly, saturation)
        if _highest_wet_bulb(dry, humid, pressure) < extreme_c:
            low = scale
        else:
            high = scale
    return humid


def _humidity_with(wanted: Floats, dry: Floats, anomaly: Floats, saturation: Floats) -> Floats:
    """Relative humidity with the wanted monthly means: Newton's method on each month's mean dew point."""
    middle = np.arange(DAYS) * 24.0 + 12.0
    hours = np.arange(HOURS_PER_YEAR) + 0.5
    moving = np.interp(hours, middle, anomaly, period=HOURS_PER_YEAR)
    day_mean = np.interp(hours, middle, dry.reshape(DAYS, 24).mean(axis=1), period=HOURS_PER_YEAR)
    base = _by_month(_monthly_mean(day_mean), hourly=True) + moving
    depression = 20.0 * (1.0 - wanted)
    for _ in range(NEWTON_STEPS):
        vapour = psychrometrics.saturation_pressure_pa(base - _by_month(depression, hourly=True))
        humid = np.minimum(vapour / saturation, 1.0)
        missing = wanted - _monthly_mean(humid)
        # d ln(pws) / dT is near 0.065 per kelvin; saturated hours no longer answer.
        slope = 0.065 * np.maximum(_monthly_mean(np.where(humid < 1.0, humid, 0.0)), 0.05)
        depression = depression - missing / slope
        if np.abs(missing).max() < 5e-4:
            break
    return np.asarray(humid)


def _highest_wet_bulb(dry: Floats, humid: Floats, pressure: Floats) -> float:
    """The wet bulb exceeded in 0.4 % of the hours, solved only among the hours of the highest enthalpy."""
    ratio = psychrometrics.humidity_ratio(dry, humid, pressure)
    enthalpy = psychrometrics.DRY_AIR_CP * dry + ratio * (psychrometrics.VAPORISATION + 1.86 * dry)
    count = round(DESIGN_SHARE * len(dry))
    top = np.argpartition(-enthalpy, 3 * count)[: 3 * count]
    wet = psychrometrics.wet_bulb_c(dry[top], ratio[top], pressure[top])
    return float(np.sort(wet)[-count])


def _wind(climate: MonthlyClimate, solar_shift_h: float, noise: Noise) -> Floats:
    """Hourly wind at 10 m [m/s] by local time: Weibull in each month, stronger by day, means exact."""
    mean = np.array(climate.wind_speed_10m_ms)
    speed = (-np.log1p(-_rank_share(noise.wind))) ** (1.0 / WEIBULL_K)
    swing = np.minimum(WIND_SWING_MS / np.maximum(mean, 0.1), HIGHEST_WIND_SWING)
    solar_hour = np.arange(HOURS_PER_YEAR) + 0.5 + solar_shift_h
    day_course = np.cos(2.0 * np.pi * (solar_hour - WARMEST_SOLAR_HOUR) / 24.0)
    speed *= 1.0 + _by_month(swing, hourly=True) * day_course
    return np.asarray(speed * _by_month(mean / _monthly_mean(speed), hourly=True))
