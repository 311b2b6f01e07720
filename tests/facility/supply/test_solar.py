"""Solar farms: pvlib's infinite sheds as the reference, both faces, glass, heat, inverter, age, speed."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.facility.places import PLACES, epw_path, recorded

from gigawright.facility.supply import solar
from gigawright.facility.supply.solar import (
    FIXED,
    TRACKING,
    SolarPlant,
    plane_irradiance,
    row_to_sky,
    solar_output,
)
from gigawright.facility.supply.wind import wind_output
from gigawright.facility.weather.sun import sun_year
from gigawright.facility.weather.year import WeatherYear, weather_year

LATITUDE, LONGITUDE = 33.0, -97.0
UNCLIPPED = dataclasses.replace(TRACKING, dc_ac_ratio=1.0)


def _clear(latitude: float = LATITUDE, longitude: float = LONGITUDE, dry_c: float = 20.0) -> WeatherYear:
    """A year without clouds: a fifth of the light diffuse."""
    sun = sun_year(latitude, longitude)
    ghi = np.where(sun.zenith_deg < 90.0, sun.clear_sky_w_m2, 0.0)
    beam = np.where(
        sun.zenith_deg < 88.0, 0.8 * ghi / np.cos(np.radians(np.minimum(sun.zenith_deg, 88.0))), 0.0
    )
    ones = np.ones(8760)
    return weather_year(dry_c * ones, 0.4 * ones, 101325.0 * ones, ghi, beam, 0.2 * ghi, 3.0 * ones)


@pytest.mark.parametrize("plant", [TRACKING, FIXED, SolarPlant(ground_cover=0.55, albedo=0.4)])
def test_light_on_both_faces_is_pvlibs(plant: SolarPlant, monkeypatch: pytest.MonkeyPatch) -> None:
    """pvlib.bifacial.infinite_sheds with the same angles, without angular losses, hour by hour."""
    from pvlib.bifacial import infinite_sheds

    monkeypatch.setattr(solar, "_through_glass", lambda cosine: cosine)
    monkeypatch.setattr(solar, "_diffuse_through_glass", np.ones_like)
    solar._rows.cache_clear()
    weather, sun = _clear(), sun_year(LATITUDE, LONGITUDE)
    up = sun.zenith_deg < solar.LAST_ZENITH_DEG
    tilt, facing, zenith, azimuth = map(np.degrees, solar._orientation(LATITUDE, sun, plant))
    mine = plane_irradiance(weather, LATITUDE, LONGITUDE, plant)
    solar._rows.cache_clear()
    theirs = infinite_sheds.get_irradiance(
        tilt, facing, zenith, azimuth, plant.ground_cover, 2.0, 5.0,
        weather.ghi_w_m2[up], weather.dhi_w_m2[up], weather.dni_w_m2[up], plant.albedo,
        model="haydavies", dni_extra=sun.normal_w_m2[up],
        bifaciality=plant.bifaciality, shade_factor=-plant.rear_loss,
    )["poa_global"]  # fmt: skip
    assert np.abs(mine - theirs).max() < 2.0
    assert mine.sum() == pytest.approx(theirs.sum(), rel=2e-4)


@given(st.floats(0.0, np.pi / 2), st.floats(0.05, 0.95))
def test_views_add_up(tilt: float, cover: float) -> None:
    """Of what a face sees, sky and ground are less than all, the other row the rest."""
    front, rear = (float(row_to_sky(np.array(side), cover)) for side in (tilt, np.pi - tilt))
    assert -1e-9 <= rear <= front <= 1.0 + 1e-9
    assert front + rear <= 1.0 + 1e-9


def test_a_single_row_sees_what_an_open_plane_does() -> None:
    tilt = np.radians([0.0, 25.0, 60.0, 90.0])
    assert row_to_sky(tilt, 1e-6) == pytest.approx((1.0 + np.cos(tilt)) / 2.0, abs=1e-5)


def test_the_rear_gives_what_the_ground_gives_back() -> None:
    weather = _clear()
    one, both, bright = (
        solar_output(weather, LATITUDE, LONGITUDE, dataclasses.replace(UNCLIPPED, **changes)).sum()
        for changes in ({"bifaciality": 0.0}, {}, {"albedo": 0.6})
    )
    assert 1.02 < both / one < 1.08  # grass: 3 to 7 % under a clear sky
    assert 1.05 < bright / both < 1.2


def test_glass_takes_less_than_five_percent(monkeypatch: pytest.MonkeyPatch) -> None:
    weather = _clear()
    glass = solar_output(weather, LATITUDE, LONGITUDE, UNCLIPPED).sum()
    monkeypatch.setattr(solar, "_through_glass", lambda cosine: cosine)
    monkeypatch.setattr(solar, "_diffuse_through_glass", np.ones_like)
    solar._rows.cache_clear()
    open_air = solar_output(weather, LATITUDE, LONGITUDE, UNCLIPPED).sum()
    solar._rows.cache_clear()
    assert 0.95 < glass / open_air < 0.99


def test_age_and_heat_take_power() -> None:
    weather = _clear()
    new, old = (solar_output(weather, LATITUDE, LONGITUDE, age_years=age) for age in (0.0, 20.0))
    assert (old <= new + 1e-12).all()
    assert 0.995**20 - 0.01 < old.sum() / new.sum() < 1.0
    hot = solar_output(_clear(dry_c=35.0), LATITUDE, LONGITUDE, FIXED)
    assert hot.sum() / solar_output(weather, LATITUDE, LONGITUDE, FIXED).sum() == pytest.approx(
        0.95, abs=0.015
    )


def test_the_inverter_is_pvlibs() -> None:
    from pvlib import inverter

    dc = np.linspace(0.02, 1.3, 50)
    theirs = inverter.pvwatts(dc / 0.96, 1.0 / 0.96, eta_inv_nom=0.96, eta_inv_ref=0.9637)
    assert solar._inverter(dc / 0.96) == pytest.approx(np.clip(theirs, 0.0, 1.0), abs=1e-9)


def test_dark_hours_and_the_inverters_limit() -> None:
    output = solar_output(_clear(), LATITUDE, LONGITUDE, dataclasses.replace(TRACKING, dc_ac_ratio=1.6))
    assert output[sun_year(LATITUDE, LONGITUDE).zenith_deg > 90.0].max() == 0.0
    assert output.max() == 1.0
    assert (output == 1.0).sum() > 500


@pytest.mark.parametrize("place", PLACES)
def test_every_place_gives_a_usual_yield(place: str, shared_folder: Path) -> None:
    """Utility-scale trackers: 20 to 35 % of the inverter's rating at 1.3 (LBNL, Utility-Scale Solar 2023)."""
    weather, (latitude, longitude, _, _) = recorded(epw_path(shared_folder, place))
    tracked, fixed = (solar_output(weather, latitude, longitude, plant) for plant in (TRACKING, FIXED))
    assert 0.20 < tracked.mean() < 0.35
    assert 1.05 < tracked.mean() / fixed.mean() < 1.25


def test_a_site_year_of_sun_and_wind_takes_less_than_60_ms() -> None:
    weather = _clear()
    best = np.inf
    for trial in range(3):
        start = time.perf_counter()
        solar_output(weather, LATITUDE + 0.01 * trial, LONGITUDE)  # new geometry each time
        wind_output(weather)
        best = min(best, time.perf_counter() - start)
    assert best < 0.06
