"""The synthetic radiation: Bendt's days below the place's own clear sky."""

from __future__ import annotations

import numpy as np
import pytest
from tests.facility.places import CLIMATE

from gigawright.facility.weather.sun import sun_year, turbid_clear_sky
from gigawright.facility.weather.synthetic_calendar import monthly_mean
from gigawright.facility.weather.synthetic_sky import (
    clearness_bounds,
    daily_clearness,
    hourly_radiation,
)
from gigawright.facility.weather.year import to_local

EVEN = (np.arange(365, dtype=np.float64) + 0.5) / 365.0


@pytest.mark.parametrize("mean", [0.12, 0.3, 0.415, 0.5, 0.6, 0.7, 0.745])
def test_days_have_the_mean_asked_and_stay_between_the_bounds(mean: float) -> None:
    # Each month gets the same even shares, so its mean is the distribution's.
    share = np.concatenate(
        [(np.arange(n, dtype=np.float64) + 0.5) / n for n in (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)]
    )
    days = daily_clearness(np.full(12, mean), np.full(12, 0.78), share)
    assert days.mean() == pytest.approx(mean, abs=0.004)
    assert days.min() >= 0.05
    assert days.max() <= 0.78


def test_the_middle_of_the_bounds_is_even() -> None:
    days = daily_clearness(np.full(12, 0.415), np.full(12, 0.78), EVEN)
    np.testing.assert_allclose(np.quantile(days, [0.25, 0.5, 0.75]), [0.2325, 0.415, 0.5975], atol=2e-3)


def test_clearness_follows_bendts_distribution() -> None:
    # Duffie and Beckman, figure 2.9.2: at a monthly mean of 0.5 about half the days are above 0.53.
    days = daily_clearness(np.full(12, 0.5), np.full(12, 0.76), EVEN)
    assert np.median(days) == pytest.approx(0.53, abs=0.02)


def test_humid_air_keeps_days_alike_where_the_mean_is_near_the_clear_sky() -> None:
    near, far = (daily_clearness(np.full(12, mean), np.full(12, 0.68), EVEN).std() for mean in (0.62, 0.45))
    assert near < 0.5 * far


def test_sums_are_exact_and_no_hour_is_brighter_than_the_sky() -> None:
    outside = to_local(sun_year(39.9, 116.4).extraterrestrial_w_m2, 8.0)
    clear = to_local(turbid_clear_sky(39.9, 116.4, 35.0), 8.0)
    draw = np.random.Generator(np.random.Philox(4))
    ghi, relative = hourly_radiation(
        CLIMATE, outside, clear, draw.standard_normal(365), draw.standard_normal(8760)
    )
    np.testing.assert_allclose(monthly_mean(ghi) * 0.024, CLIMATE.ghi_kwh_m2_day, rtol=1e-9)
    assert (ghi <= 0.87 * outside + 1e-9).all()
    assert relative.mean() == pytest.approx(1.0, abs=0.02)
    mean, highest = clearness_bounds(CLIMATE, outside, clear)
    assert (highest > mean).all()
    assert 0.6 < highest.min() < highest.max() < 0.82


def test_polar_night_is_dark_whatever_the_normals_say() -> None:
    outside = sun_year(78.2, 15.6).extraterrestrial_w_m2
    ghi, _ = hourly_radiation(
        CLIMATE, outside, turbid_clear_sky(78.2, 15.6, 10.0), np.zeros(365), np.zeros(8760)
    )
    assert np.isfinite(ghi).all()
    assert ghi[: 24 * 20].max() == 0.0


def test_no_hour_is_brighter_than_the_sun_outside_whatever_the_normals_say() -> None:
    """Normals of 41 degrees north at 78: scaled to their sums, October's hours would have 4,000 W/m2."""
    sun = sun_year(78.0, 15.0)
    noise = np.random.default_rng(1)
    ghi, _ = hourly_radiation(
        CLIMATE,
        sun.extraterrestrial_w_m2,
        turbid_clear_sky(78.0, 15.0, 0.0),
        noise.standard_normal(365),
        noise.standard_normal(8760),
    )
    assert (ghi <= sun.extraterrestrial_w_m2).all()
