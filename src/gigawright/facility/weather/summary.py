"""A year of weather in a dozen numbers a month: its normals, its design extremes."""

from __future__ import annotations

import numpy as np

from gigawright.arrays import Floats
from gigawright.catalogue.types import MonthlyClimate
from gigawright.clock import HOURS_PER_YEAR, month_of_hour
from gigawright.facility.weather.year import WeatherYear, to_local

DESIGN_SHARE = 0.004
"""Share of the hours that exceed a design extreme (ASHRAE Handbook - Fundamentals, chapter 14: 0.4 %)."""

KWH_A_DAY = 24.0 / 1000.0
"""Turns a mean of W/m2 into kWh/m2 a day."""


def months_of(weather: WeatherYear, utc_offset_h: float = 0.0) -> dict[str, Floats]:
    """Numbers of each month of local time, twelve each; names carry the units."""
    month = month_of_hour()
    dry = to_local(weather.dry_bulb_c, utc_offset_h)
    wet = to_local(weather.wet_bulb_c, utc_offset_h)
    days = dry.reshape(-1, 24)

    def mean(values: Floats) -> Floats:
        of = month[:: HOURS_PER_YEAR // len(values)]
        return np.asarray(np.bincount(of, values) / np.bincount(of))

    def extreme(values: Floats, highest: bool) -> Floats:
        return np.array([(np.max if highest else np.min)(values[month == number]) for number in range(12)])

    return {
        "dry_bulb_mean_c": mean(dry),
        "dry_bulb_daily_max_c": mean(days.max(axis=1)),
        "dry_bulb_daily_min_c": mean(days.min(axis=1)),
        "dry_bulb_highest_c": extreme(dry, True),
        "dry_bulb_lowest_c": extreme(dry, False),
        "relative_humidity_pct": mean(to_local(weather.relative_humidity, utc_offset_h)) * 100.0,
        "wet_bulb_mean_c": mean(wet),
        "wet_bulb_highest_c": extreme(wet, True),
        "ghi_kwh_m2_day": mean(to_local(weather.ghi_w_m2, utc_offset_h)) * KWH_A_DAY,
        "dni_kwh_m2_day": mean(to_local(weather.dni_w_m2, utc_offset_h)) * KWH_A_DAY,
        "wind_speed_10m_ms": mean(to_local(weather.wind_speed_ms, utc_offset_h)),
    }


def year_of(weather: WeatherYear) -> dict[str, float]:
    """Numbers of the year; `design` is what 0.4 % of the hours exceed."""
    return {
        "dry_bulb_mean_c": float(weather.dry_bulb_c.mean()),
        "dry_bulb_design_c": exceeded(weather.dry_bulb_c),
        "dry_bulb_highest_c": float(weather.dry_bulb_c.max()),
        "dry_bulb_lowest_c": float(weather.dry_bulb_c.min()),
        "relative_humidity_pct": float(weather.relative_humidity.mean() * 100.0),
        "wet_bulb_mean_c": float(weather.wet_bulb_c.mean()),
        "wet_bulb_design_c": exceeded(weather.wet_bulb_c),
        "wet_bulb_highest_c": float(weather.wet_bulb_c.max()),
        "ghi_kwh_m2_day": float(weather.ghi_w_m2.mean() * KWH_A_DAY),
        "dni_kwh_m2_day": float(weather.dni_w_m2.mean() * KWH_A_DAY),
        "wind_speed_10m_ms": float(weather.wind_speed_ms.mean()),
    }


def exceeded(values: Floats) -> float:
    """What 0.4 % of the hours exceed, interpolated between hours."""
    return float(np.quantile(values, 1.0 - DESIGN_SHARE))


def normals_of(weather: WeatherYear, utc_offset_h: float = 0.0) -> MonthlyClimate:
    """The monthly normals of a year, of which `synthetic_year` would make another."""
    months = months_of(weather, utc_offset_h)
    names = MonthlyClimate.__dataclass_fields__
    return MonthlyClimate(**{name: tuple(float(value) for value in months[name]) for name in names})
