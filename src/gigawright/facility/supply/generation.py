"""Hourly output of contracted solar and wind as the plan takes them: today's usual farm of each."""

from __future__ import annotations

from gigawright.arrays import Floats
from gigawright.facility.supply.solar import FIXED, TRACKING, Mounting, solar_output
from gigawright.facility.supply.wind import air_density, power_curve, wind_output
from gigawright.facility.weather.year import WeatherYear

__all__ = ["Mounting", "air_density", "power_curve", "solar_cf", "wind_cf"]


def solar_cf(
    weather: WeatherYear, latitude: float, longitude: float, mounting: Mounting = "tracking"
) -> Floats:
    """Solar AC output per MW of inverter by UTC hour, modules with two faces. Shape (8760,), 0 to 1."""
    return solar_output(weather, latitude, longitude, TRACKING if mounting == "tracking" else FIXED)


def wind_cf(weather: WeatherYear) -> Floats:
    """Wind farm output per MW by UTC hour, a 6 MW turbine with 170 m of rotor. Shape (8760,), 0 to 1."""
    return wind_output(weather)
