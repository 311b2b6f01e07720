"""The synthetic wind: its distribution, its day, its memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.facility.places import CLIMATE

from gigawright.facility.weather.synthetic_calendar import monthly_mean, persistent
from gigawright.facility.weather.synthetic_wind import hourly_wind, variation_of, weibull_shape


def _wind(mean_ms: float) -> np.ndarray:
    climate = replace(CLIMATE, wind_speed_10m_ms=(mean_ms,) * 12)
    noise = persistent(np.random.Generator(np.random.Philox(2)).standard_normal(8760), 0.8)
    return hourly_wind(climate, 0.0, noise)


@pytest.mark.parametrize("mean_ms", [0.0, 0.3, 1.5, 3.0, 5.0, 9.0, 14.0])
def test_means_are_exact_and_the_spread_is_weibulls(mean_ms: float) -> None:
    wind = _wind(mean_ms)
    np.testing.assert_allclose(monthly_mean(wind), max(mean_ms, 1e-3))
    shape = weibull_shape(np.array([mean_ms]))
    assert wind[: 31 * 24].std() / wind[: 31 * 24].mean() == pytest.approx(variation_of(shape)[0], rel=0.03)


def test_rayleighs_shape_has_rayleighs_variation() -> None:
    # k = 2: sqrt(4 / pi - 1) = 0.5227
    assert variation_of(np.array([2.0]))[0] == pytest.approx(0.5227, abs=1e-4)


def test_weak_wind_blows_by_day_and_strong_wind_by_night_too() -> None:
    for mean_ms, least, most in ((1.5, 2.5, 5.0), (5.0, 1.2, 1.7)):
        by_hour = _wind(mean_ms).reshape(365, 24).mean(axis=0)
        assert 12 <= by_hour.argmax() <= 16
        assert least < by_hour.max() / by_hour.min() < most


def test_gusty_places_have_a_lower_shape() -> None:
    shapes = weibull_shape(np.array([0.0, 1.0, 4.0, 100.0]))
    assert (np.diff(shapes) > 0).all()
    assert shapes[2] == pytest.approx(1.8)
