"""The synthetic dry bulb and humidity: the course of a day, spreads found from extremes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.facility.places import CLIMATE

from gigawright.facility.weather.synthetic import _noise
from gigawright.facility.weather.synthetic_air import (
    cold_spread_k,
    day_persistence,
    diurnal_shape,
    exceeded,
    hourly_dry_bulb,
    hourly_humidity,
    warmth,
)
from gigawright.facility.weather.synthetic_calendar import monthly_mean

AIR = _noise(39.9, 116.4, 0, 0.45).air
EVEN = np.ones(365)


def _dry(extreme_c: float) -> tuple[np.ndarray, np.ndarray]:
    return hourly_dry_bulb(CLIMATE, diurnal_shape(CLIMATE, 39.9, -0.24), EVEN, AIR, extreme_c)


def test_days_are_coldest_at_sunrise_and_warmest_after_noon() -> None:
    shape = diurnal_shape(CLIMATE, 39.9, 0.0)
    assert shape.min() == 0.0
    assert shape.max() == pytest.approx(1.0)
    # Winter's sun rises at half past seven, summer's at half past four.
    assert shape[0].argmin() in (6, 7)
    assert shape[6].argmin() in (3, 4)
    assert set(shape.argmax(axis=1)) <= {13, 14, 15}


def test_the_mean_of_a_day_lies_where_the_normals_have_it() -> None:
    low, mean, high = (
        np.array(series)
        for series in (CLIMATE.dry_bulb_daily_min_c, CLIMATE.dry_bulb_mean_c, CLIMATE.dry_bulb_daily_max_c)
    )
    np.testing.assert_allclose(
        diurnal_shape(CLIMATE, 39.9, 0.0).mean(axis=1), (mean - low) / (high - low), atol=0.01
    )


@pytest.mark.parametrize("extreme_c", [33.0, 34.8, 37.0])
def test_the_warm_seasons_spread_reaches_the_extreme(extreme_c: float) -> None:
    dry, spread = _dry(extreme_c)
    assert exceeded(dry) == pytest.approx(extreme_c, abs=0.2)
    np.testing.assert_allclose(monthly_mean(dry), CLIMATE.dry_bulb_mean_c, atol=1e-9)
    assert spread.shape == (365,)
    assert (spread > 0.0).all()


def test_an_extreme_out_of_reach_ends_at_the_limit_of_the_spread() -> None:
    assert exceeded(_dry(60.0)[0]) < 50.0
    assert exceeded(_dry(20.0)[0]) > 28.0


def test_a_place_without_seasons_has_even_days() -> None:
    flat = replace(CLIMATE, dry_bulb_mean_c=(27.0,) * 12)
    assert warmth(flat)[1] == 0.0
    assert cold_spread_k(flat) == 0.5
    assert day_persistence(flat) < day_persistence(CLIMATE)
    assert warmth(CLIMATE)[1] == 1.0


def test_humidity_keeps_its_normals_and_follows_the_wet_bulbs_extreme() -> None:
    from gigawright.facility.weather.psychrometrics import humidity_ratio, wet_bulb_c

    dry, spread = _dry(34.8)
    pressure = np.full(8760, 101325.0)
    for extreme_c in (26.0, 27.5):
        humid = hourly_humidity(CLIMATE, dry, spread, AIR, extreme_c, pressure)
        np.testing.assert_allclose(monthly_mean(humid) * 100.0, CLIMATE.relative_humidity_pct, atol=0.1)
        wet = wet_bulb_c(dry, humidity_ratio(dry, humid, pressure), pressure)
        assert exceeded(wet) == pytest.approx(extreme_c, abs=0.2)
