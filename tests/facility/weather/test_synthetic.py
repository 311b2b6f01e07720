"""The synthetic year: its own promises, and how near it comes to six recorded typical years."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.facility.places import CLIMATE, PLACES, epw_path, imitated, normals, recorded

from gigawright.facility.size import cooling_hours
from gigawright.facility.supply.generation import solar_cf, wind_cf
from gigawright.facility.weather.synthetic import (
    _daily_clearness,
    _persistent,
    _rank_share,
    _smooth_year,
    synthetic_year,
)
from gigawright.facility.weather.year import WeatherYear, to_local

BEIJING = (39.9, 116.4, 35.0, 8.0)


def _year(seed: int = 0, dry: float = 34.8, wet: float = 26.7) -> WeatherYear:
    return synthetic_year(CLIMATE, *BEIJING, dry, wet, seed)


def test_the_same_place_and_seed_give_the_same_year() -> None:
    first, again, other = _year(), _year(), _year(seed=1)
    assert first.dry_bulb_c.tobytes() == again.dry_bulb_c.tobytes()
    assert first.wind_speed_ms.tobytes() == again.wind_speed_ms.tobytes()
    assert (first.dry_bulb_c != other.dry_bulb_c).any()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_monthly_normals_are_kept(seed: int) -> None:
    kept = normals(_year(seed), 8.0)
    np.testing.assert_allclose(kept.dry_bulb_mean_c, CLIMATE.dry_bulb_mean_c, atol=1e-9)
    np.testing.assert_allclose(kept.ghi_kwh_m2_day, CLIMATE.ghi_kwh_m2_day, rtol=1e-9)
    np.testing.assert_allclose(kept.wind_speed_10m_ms, CLIMATE.wind_speed_10m_ms, rtol=1e-9)
    np.testing.assert_allclose(kept.dry_bulb_daily_max_c, CLIMATE.dry_bulb_daily_max_c, atol=0.3)
    np.testing.assert_allclose(kept.dry_bulb_daily_min_c, CLIMATE.dry_bulb_daily_min_c, atol=0.3)
    np.testing.assert_allclose(kept.relative_humidity_pct, CLIMATE.relative_humidity_pct, atol=0.1)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_design_extremes_are_reached(seed: int) -> None:
    year = _year(seed)
    assert np.quantile(year.dry_bulb_c, 0.996) == pytest.approx(34.8, abs=0.3)
    assert np.quantile(year.wet_bulb_c, 0.996) == pytest.approx(26.7, abs=0.3)


def test_days_carry_over_and_wind_persists() -> None:
    year = _year()
    daily = to_local(year.dry_bulb_c, 8.0).reshape(365, 24).mean(axis=1)
    anomaly = daily - _smooth_year(np.array(CLIMATE.dry_bulb_mean_c))
    assert 0.4 < np.corrcoef(anomaly[1:], anomaly[:-1])[0, 1] < 0.8
    wind = year.wind_speed_ms
    assert 0.6 < np.corrcoef(wind[1:], wind[:-1])[0, 1] < 0.95


def test_sun_shines_by_day_only_and_never_above_the_atmosphere() -> None:
    year = _year()
    local = to_local(year.ghi_w_m2, 8.0).reshape(365, 24)
    assert local[:, :4].max() == 0.0
    assert local[:, 21:].max() == 0.0
    assert 850.0 < year.ghi_w_m2.max() < 1200.0
    assert (year.dhi_w_m2 <= year.ghi_w_m2 + 1e-9).all()
    assert (year.dni_w_m2 >= 0.0).all()


@settings(max_examples=15, deadline=None)
@given(
    st.floats(-12.0, 30.0),
    st.floats(0.0, 28.0),
    st.floats(3.0, 16.0),
    st.floats(20.0, 92.0),
    st.floats(0.25, 0.7),
    st.floats(0.5, 8.0),
    st.floats(-55.0, 60.0),
)
def test_any_climate_gives_a_year_that_keeps_its_means(
    mean: float, season: float, day: float, humid: float, clear: float, wind: float, latitude: float
) -> None:
    from gigawright.facility.weather.sun import sun_year

    months = mean + season / 2.0 * np.cos(2.0 * np.pi * (np.arange(12) - 6.5 * (latitude > 0)) / 12.0)
    outside = sun_year(latitude, 0.0).extraterrestrial_w_m2
    month = np.repeat(np.arange(12), np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) * 24)
    sun = clear * np.bincount(month, outside) / np.bincount(month) * 24.0 / 1000.0
    climate = type(CLIMATE)(
        dry_bulb_mean_c=tuple(months),
        dry_bulb_daily_max_c=tuple(months + 0.55 * day),
        dry_bulb_daily_min_c=tuple(months - 0.45 * day),
        relative_humidity_pct=(humid,) * 12,
        ghi_kwh_m2_day=tuple(sun),
        wind_speed_10m_ms=(wind,) * 12,
    )
    hot = float(months.max() + 0.55 * day + 3.0)
    year = synthetic_year(climate, latitude, 0.0, 100.0, 0.0, hot, hot - 4.0, 7)
    kept = normals(year, 0.0)
    np.testing.assert_allclose(kept.dry_bulb_mean_c, months, atol=1e-9)
    np.testing.assert_allclose(kept.ghi_kwh_m2_day, sun, rtol=1e-9)
    np.testing.assert_allclose(kept.wind_speed_10m_ms, wind, rtol=1e-9)
    np.testing.assert_allclose(kept.relative_humidity_pct, humid, atol=3.0)
    assert (year.wet_bulb_c <= year.dry_bulb_c + 1e-6).all()


def test_smooth_year_keeps_every_months_mean() -> None:
    monthly = np.array(CLIMATE.dry_bulb_mean_c)
    course = _smooth_year(monthly)
    days = np.repeat(np.arange(12), [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    np.testing.assert_allclose(np.bincount(days, course) / np.bincount(days), monthly, atol=1e-12)


def test_autoregression_has_unit_variance_and_the_persistence_asked() -> None:
    white = np.random.Generator(np.random.Philox(3)).standard_normal(200_000)
    series = _persistent(white, 0.6)
    assert series.var() == pytest.approx(1.0, abs=0.02)
    assert np.corrcoef(series[1:], series[:-1])[0, 1] == pytest.approx(0.6, abs=0.01)


def test_clearness_follows_bendts_distribution() -> None:
    # Duffie and Beckman, figure 2.9.2: at a monthly mean of 0.5 about half the days are above 0.53.
    share = (np.arange(365) + 0.5) / 365.0
    days = _daily_clearness(np.full(12, 0.5), share)
    assert days.mean() == pytest.approx(0.5, abs=0.01)
    assert np.median(days) == pytest.approx(0.53, abs=0.02)
    assert days.min() > 0.04
    assert days.max() < 0.77


def test_ranks_are_uniform_in_every_month() -> None:
    share = _rank_share(np.random.Generator(np.random.Philox(1)).standard_normal(8760))
    assert share[: 31 * 24].mean() == pytest.approx(0.5)
    assert np.sort(share[: 31 * 24])[0] == pytest.approx(0.5 / (31 * 24))


# Johor and Changi: wind below 2 m/s, where capacity factors are near nothing and the station's calms decide.
@pytest.mark.parametrize("place", PLACES)
def test_nearness_to_a_recorded_typical_year(shared_folder: Path, place: str) -> None:
    path = epw_path(shared_folder, place)
    real, (latitude, longitude, *_) = recorded(path)
    made = imitated(path)
    for share, tolerance_k in ((0.01, 1.8), (0.5, 1.0), (0.99, 0.7), (0.996, 0.3)):
        miss = np.quantile(made.dry_bulb_c, share) - np.quantile(real.dry_bulb_c, share)
        assert abs(miss) < tolerance_k, (share, miss)
    for share, tolerance_k in ((0.5, 1.3), (0.9, 1.0), (0.99, 0.7), (0.996, 0.3)):
        miss = np.quantile(made.wet_bulb_c, share) - np.quantile(real.wet_bulb_c, share)
        assert abs(miss) < tolerance_k, (share, miss)
    for design in ("air", "liquid", "evaporative", "chiller"):
        (pue, wue), (pue_real, wue_real) = cooling_hours(design, made), cooling_hours(design, real)
        assert pue.mean() == pytest.approx(pue_real.mean(), abs=0.008)
        assert wue.mean() == pytest.approx(wue_real.mean(), abs=0.04)
    sun, sun_real = (solar_cf(year, latitude, longitude).mean() for year in (made, real))
    assert sun == pytest.approx(sun_real, rel=0.05)
    assert wind_cf(made).mean() == pytest.approx(wind_cf(real).mean(), abs=0.03)


def test_phoenix_has_two_days_no_station_has_seen(shared_folder: Path) -> None:
    """2014-07-10 and 11: dew points above 30 degrees at 37 degrees, in a desert; read as they stand."""
    weather, (*_, offset, _) = recorded(epw_path(shared_folder, "Phoenix"))
    wet = to_local(weather.wet_bulb_c, offset).reshape(365, 24).max(axis=1)
    odd = np.argsort(wet)[-1]
    assert odd in (31 + 28 + 31 + 30 + 31 + 30 + 9, 31 + 28 + 31 + 30 + 31 + 30 + 10)
    assert wet[odd] > 32.0
