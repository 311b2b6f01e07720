"""The synthetic year: its own promises, and how near it comes to six recorded typical years."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.facility.places import CLIMATE, PLACES, epw_path, imitated, normals, recorded

from gigawright.facility.cooling.systems import cooling_systems
from gigawright.facility.size import cooling_hours
from gigawright.facility.supply.generation import solar_cf, wind_cf
from gigawright.facility.weather.sun import sun_year
from gigawright.facility.weather.synthetic import synthetic_year
from gigawright.facility.weather.synthetic_calendar import smooth_year
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
    anomaly = daily - smooth_year(np.array(CLIMATE.dry_bulb_mean_c))
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


@pytest.mark.parametrize("place", PLACES)
def test_nearness_to_a_recorded_typical_year(shared_folder: Path, place: str) -> None:
    """The goals: PUE of every design within 0.01, sun within 3 %, wind within 10 %, wet bulb within 1 K."""
    path = epw_path(shared_folder, place)
    real, (latitude, longitude, *_) = recorded(path)
    made = imitated(path)
    for design in cooling_systems():
        ours, theirs = (float(cooling_hours(design, year)[0].mean()) for year in (made, real))
        assert ours == pytest.approx(theirs, abs=0.01), design
    for mounting in ("tracking", "fixed"):
        sun, sun_real = (solar_cf(year, latitude, longitude, mounting).mean() for year in (made, real))
        assert sun == pytest.approx(sun_real, rel=0.03), mounting
    assert wind_cf(made).mean() == pytest.approx(wind_cf(real).mean(), rel=0.10)
    assert np.quantile(made.wet_bulb_c, 0.996) == pytest.approx(np.quantile(real.wet_bulb_c, 0.996), abs=1.0)


@pytest.mark.parametrize("place", PLACES)
def test_quantiles_and_water_are_near_too(shared_folder: Path, place: str) -> None:
    real, made = recorded(epw_path(shared_folder, place))[0], imitated(epw_path(shared_folder, place))
    for share, tolerance_k in ((0.01, 2.4), (0.5, 1.0), (0.99, 0.7), (0.996, 0.3)):
        miss = np.quantile(made.dry_bulb_c, share) - np.quantile(real.dry_bulb_c, share)
        assert abs(miss) < tolerance_k, (share, miss)
    for share, tolerance_k in ((0.5, 1.4), (0.9, 1.0), (0.99, 0.9), (0.996, 0.3)):
        miss = np.quantile(made.wet_bulb_c, share) - np.quantile(real.wet_bulb_c, share)
        assert abs(miss) < tolerance_k, (share, miss)
    for design in ("air", "liquid", "evaporative", "chiller"):
        wue, wue_real = cooling_hours(design, made)[1].mean(), cooling_hours(design, real)[1].mean()
        assert wue == pytest.approx(wue_real, abs=0.05), design


@pytest.mark.parametrize("place", ["Shanghai", "Phoenix", "Dallas", "Leesburg"])
def test_days_are_as_clear_and_as_different_as_recorded(shared_folder: Path, place: str) -> None:
    """Where a file's days differ; those of Johor and Changi are a cloud model's and all alike."""
    path = epw_path(shared_folder, place)
    real, (latitude, longitude, offset, _) = recorded(path)
    outside = (
        to_local(sun_year(latitude, longitude).extraterrestrial_w_m2, offset).reshape(365, 24).sum(axis=1)
    )
    ours, theirs = (
        to_local(year.ghi_w_m2, offset).reshape(365, 24).sum(axis=1) / outside
        for year in (imitated(path), real)
    )
    shares = [0.05, 0.25, 0.5, 0.75, 0.95]
    np.testing.assert_allclose(np.quantile(ours, shares), np.quantile(theirs, shares), atol=0.06)


def test_the_southern_hemisphere_has_its_summer_in_january() -> None:
    turned = {name: tuple(np.roll(getattr(CLIMATE, name), 6)) for name in CLIMATE.__dataclass_fields__}
    climate = type(CLIMATE)(**turned)
    year = synthetic_year(climate, -39.9, 116.4, 35.0, 8.0, 34.8, 26.7)
    kept = normals(year, 8.0)
    np.testing.assert_allclose(kept.dry_bulb_mean_c, climate.dry_bulb_mean_c, atol=1e-9)
    np.testing.assert_allclose(kept.ghi_kwh_m2_day, climate.ghi_kwh_m2_day, rtol=1e-9)
    assert np.quantile(year.dry_bulb_c, 0.996) == pytest.approx(34.8, abs=0.3)


def test_a_year_takes_less_than_a_tenth_of_a_second() -> None:
    _year()
    taken = []
    for seed in range(1, 6):
        begin = time.process_time()
        _year(seed)
        taken.append(time.process_time() - begin)
    assert min(taken) < 0.1


def test_phoenix_has_two_days_no_station_has_seen(shared_folder: Path) -> None:
    """2014-07-10 and 11: dew points above 30 degrees at 37 degrees, in a desert; read as they stand."""
    weather, (*_, offset, _) = recorded(epw_path(shared_folder, "Phoenix"))
    wet = to_local(weather.wet_bulb_c, offset).reshape(365, 24).max(axis=1)
    odd = np.argsort(wet)[-1]
    assert odd in (31 + 28 + 31 + 30 + 31 + 30 + 9, 31 + 28 + 31 + 30 + 31 + 30 + 10)
    assert wet[odd] > 32.0
