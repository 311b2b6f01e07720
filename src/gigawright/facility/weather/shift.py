"""A year of weather in another climate: months moved and stretched.

After Belcher, Hacker and Powell (2005), "Constructing design weather data for future climates", Building
Services Engineering Research and Technology 26(1), 49-61 [cited, unverified]: each
month's hours x0 with mean <x0> become

    shift      x = x0 + change                                    (temperature, humidity)
    stretch    x = factor x0                                      (radiation, wind)
    both       x = x0 + change + a (x0 - <x0>)                    (temperature with another daily range)
               a = (change of daily max - change of daily min) / (<daily max> - <daily min>)

What it cannot know: other sequences of weather, such as longer heat waves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gigawright.arrays import Floats
from gigawright.clock import month_of_hour
from gigawright.facility.weather.year import LOWEST_HUMIDITY, WeatherYear, to_local, to_utc, weather_year

Months = tuple[float, ...]
ZEROS: Months = (0.0,) * 12
ONES: Months = (1.0,) * 12
# What a study of the climate of some decades may ask for; beyond, a unit or a sign is wrong.
WIDEST_K, WIDEST_POINTS, NARROWEST_FACTOR, WIDEST_FACTOR = 15.0, 50.0, 0.5, 1.5
# Least daily range that can be stretched [K].
LEAST_RANGE_K = 0.5


@dataclass(frozen=True, slots=True)
class ClimateChange:
    """What changes, by month of local time, January first.

    Dry bulb and the means of its daily maximum and minimum in kelvin (none: as the mean), relative humidity
    in percentage points (0 keeps it: warmer air then holds more water), GHI and wind as factors.
    """

    dry_bulb_k: Months
    daily_max_k: Months | None = None
    daily_min_k: Months | None = None
    humidity_points: Months = ZEROS
    radiation_factor: Months = ONES
    wind_factor: Months = ONES

    def __post_init__(self) -> None:
        bounds = {
            "dry_bulb_k": (self.dry_bulb_k, -WIDEST_K, WIDEST_K),
            "daily_max_k": (self.daily_max_k or ZEROS, -WIDEST_K, WIDEST_K),
            "daily_min_k": (self.daily_min_k or ZEROS, -WIDEST_K, WIDEST_K),
            "humidity_points": (self.humidity_points, -WIDEST_POINTS, WIDEST_POINTS),
            "radiation_factor": (self.radiation_factor, NARROWEST_FACTOR, WIDEST_FACTOR),
            "wind_factor": (self.wind_factor, NARROWEST_FACTOR, WIDEST_FACTOR),
        }
        for name, (months, low, high) in bounds.items():
            if len(months) != 12 or not all(low <= value <= high for value in months):
                raise ValueError(f"{name} must be twelve numbers from {low:g} to {high:g}, not {months}")
        if (self.daily_max_k is None) != (self.daily_min_k is None):
            raise ValueError("daily_max_k and daily_min_k are given together or not at all")


def warming(kelvin: float) -> ClimateChange:
    """The place's air warmer by so many kelvin in every month, all else (relative humidity too) as it is.

    Land warms more than the globe: from 1850-1900 to 2011-2020 by 1.59 K where the globe warmed by 1.09 K
    (IPCC AR6 WG1, Summary for Policymakers, A.1.2). What is meant here is the place's own warming.

    >>> warming(1.5).dry_bulb_k[6]
    1.5
    """
    return ClimateChange((float(kelvin),) * 12)


def morphed(weather: WeatherYear, change: ClimateChange, utc_offset_h: float = 0.0) -> WeatherYear:
    """A year moved to another climate, month by month of local time; each month's mean changes exactly.

    Beam and diffuse follow the global factor, pressure stays. Relative humidity keeps to 1 to 100 %.
    """
    month = month_of_hour()
    dry = to_local(weather.dry_bulb_c, utc_offset_h)
    dry = dry + np.array(change.dry_bulb_k)[month] + _stretched(dry, change)
    humid = (
        to_local(weather.relative_humidity, utc_offset_h) + np.array(change.humidity_points)[month] / 100.0
    )
    sun = to_utc(np.array(change.radiation_factor)[month], utc_offset_h)
    wind = to_utc(np.array(change.wind_factor)[month], utc_offset_h)
    return weather_year(
        dry_bulb_c=to_utc(dry, utc_offset_h),
        relative_humidity=to_utc(np.clip(humid, LOWEST_HUMIDITY, 1.0), utc_offset_h),
        pressure_pa=weather.pressure_pa.copy(),
        ghi_w_m2=weather.ghi_w_m2 * sun,
        dni_w_m2=weather.dni_w_m2 * sun,
        dhi_w_m2=weather.dhi_w_m2 * sun,
        wind_speed_ms=weather.wind_speed_ms * wind,
    )


def _stretched(dry: Floats, change: ClimateChange) -> Floats:
    """a (x0 - <x0>) of each hour [K], by local time."""
    if change.daily_max_k is None or change.daily_min_k is None:
        return np.zeros(len(dry))
    month = month_of_hour()
    days, day_month = dry.reshape(-1, 24), month[::24]
    count = np.bincount(day_month)
    spread = np.bincount(day_month, days.max(axis=1) - days.min(axis=1)) / count
    wider = np.array(change.daily_max_k) - np.array(change.daily_min_k)
    mean = np.bincount(month, dry) / np.bincount(month)
    return np.asarray((wider / np.maximum(spread, LEAST_RANGE_K))[month] * (dry - mean[month]))
