"""Sun and wind: bounds, order, and published magnitudes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.facility.places import CLIMATE

from gigawright.facility.supply.generation import air_density, power_curve, solar_cf, wind_cf
from gigawright.facility.weather.synthetic import synthetic_year
from gigawright.facility.weather.year import WeatherYear, weather_year


def _steady(wind_ms: float = 8.0, dry: float = 15.0, humid: float = 0.0) -> WeatherYear:
    ones = np.ones(8760)
    return weather_year(
        dry * ones, humid * ones, 101325.0 * ones, 0.0 * ones, 0.0 * ones, 0.0 * ones, wind_ms * ones
    )


def test_the_power_curve_rises_to_rated_and_stops_in_storms() -> None:
    speeds, output = power_curve()
    rising = output[(speeds > 0.5) & (speeds < 16.0)]
    assert (np.diff(rising) >= -1e-9).all()
    assert output[speeds < 2.0].max() < 0.01
    assert np.interp(13.0, speeds, output) == pytest.approx(1.0, abs=0.03)
    assert np.interp(32.0, speeds, output) < 0.06
    assert 0.0 <= output.min() <= output.max() <= 1.0


def test_dry_air_at_15_degrees_has_standard_density() -> None:
    assert air_density(_steady())[0] == pytest.approx(1.225, rel=2e-3)
    # Damp air is lighter than dry air.
    assert air_density(_steady(dry=30.0, humid=1.0))[0] < air_density(_steady(dry=30.0))[0]


@given(st.floats(0.5, 9.0), st.floats(0.0, 1.0))
def test_more_wind_gives_no_less_power_below_storms(wind: float, more: float) -> None:
    assert wind_cf(_steady(wind + more))[0] >= wind_cf(_steady(wind))[0] - 1e-9


def test_thin_air_gives_less_wind_power() -> None:
    low = _steady(5.0)
    high = dataclasses.replace(low, pressure_pa=low.pressure_pa * 0.8)
    assert wind_cf(high)[0] < wind_cf(low)[0]


def test_solar_is_a_share_dark_at_night_and_better_tracked() -> None:
    year = synthetic_year(CLIMATE, 39.9, 116.4, 35.0, 8.0, 34.8, 26.7)
    tracked, fixed = solar_cf(year, 39.9, 116.4), solar_cf(year, 39.9, 116.4, "fixed")
    for output in (tracked, fixed):
        assert output.min() == 0.0
        assert output.max() <= 1.0
        assert (output[year.ghi_w_m2 == 0.0] == 0.0).all()
    # Beijing: 1.2 to 1.5 MWh a year and kW of fixed modules (Global Solar Atlas), x 1.3 kW of modules.
    assert 1.2 * 1.3 <= fixed.sum() / 1000.0 <= 1.5 * 1.3
    assert 1.0 < tracked.mean() / fixed.mean() < 1.3


def test_heat_takes_power_from_modules() -> None:
    year = synthetic_year(CLIMATE, 39.9, 116.4, 35.0, 8.0, 34.8, 26.7)
    hotter = dataclasses.replace(year, dry_bulb_c=year.dry_bulb_c + 10.0)
    ratio = solar_cf(hotter, 39.9, 116.4, "fixed").sum() / solar_cf(year, 39.9, 116.4, "fixed").sum()
    # 10 K x 0.35 % per kelvin.
    assert ratio == pytest.approx(0.965, abs=0.006)


def test_the_southern_hemisphere_faces_north() -> None:
    flipped = CLIMATE
    year = synthetic_year(flipped, -3.6, -38.9, 25.0, -3.0, 34.8, 26.7)
    assert solar_cf(year, -3.6, -38.9, "fixed").mean() > 0.1
