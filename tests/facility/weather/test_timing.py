"""When a file's sun shines: found, told, moved."""

from __future__ import annotations

import numpy as np
import pytest
from tests.facility.weather.files import LATITUDE, LONGITUDE, sky

from gigawright.facility.weather.hours import Findings
from gigawright.facility.weather.sun import sun_year
from gigawright.facility.weather.timing import (
    Radiation,
    beam_of_level,
    clear_beam,
    clear_sky,
    cosine_of_zenith,
    lag_of,
    moved,
    on_time,
)
from gigawright.facility.weather.year import decompose_ghi


@pytest.mark.parametrize(("latitude", "longitude"), [(0.0, 0.0), (51.5, -120.3), (-33.9, 151.2)])
def test_the_sun_is_that_of_the_year(latitude: float, longitude: float) -> None:
    wanted = np.maximum(np.cos(np.radians(sun_year(latitude, longitude).zenith_deg)), 0.0)
    np.testing.assert_allclose(cosine_of_zenith(latitude, longitude), wanted, atol=1e-9)
    # An hour ago it stood where it stands 15 degrees to the west.
    west = cosine_of_zenith(latitude, longitude - 15.0)
    np.testing.assert_allclose(cosine_of_zenith(latitude, longitude, 1.0), west, atol=1e-9)


@pytest.mark.parametrize("late_h", [-1.0, -0.5, -0.25, 0.0, 0.35, 0.5, 1.2])
def test_a_lag_is_found_both_ways(late_h: float) -> None:
    lag = lag_of(sky(late_h=late_h), LATITUDE, LONGITUDE)
    assert lag.split_h == pytest.approx(late_h, abs=0.026)
    assert lag.course_h == pytest.approx(late_h, abs=0.06)
    assert lag.is_sure == (abs(late_h) >= 0.2)


@pytest.mark.parametrize("late_h", [-0.5, 0.33, 0.5])
def test_moving_a_late_sun_makes_the_true_one(late_h: float) -> None:
    true, late = sky(), sky(late_h=late_h)
    made = moved(late, LATITUDE, LONGITUDE, late_h)
    for name in ("ghi_w_m2", "dni_w_m2", "dhi_w_m2"):
        error = np.abs(getattr(made, name) - getattr(true, name)).mean()
        assert error < 0.25 * np.abs(getattr(late, name) - getattr(true, name)).mean(), name
    # Each solar day's global stays, and the parts make it.
    by = round(LONGITUDE / 15.0)
    days = [np.roll(one.ghi_w_m2, by).reshape(365, 24).sum(axis=1) for one in (late, made)]
    np.testing.assert_allclose(days[1], days[0], rtol=1e-9)
    again = made.dni_w_m2 * cosine_of_zenith(LATITUDE, LONGITUDE) + made.dhi_w_m2
    np.testing.assert_allclose(again, made.ghi_w_m2, atol=1e-9)
    assert (made.dni_w_m2 <= sun_year(LATITUDE, LONGITUDE).normal_w_m2).all()


def test_what_is_on_time_is_left_alone() -> None:
    findings = Findings("x")
    given = sky()
    assert on_time(given, LATITUDE, LONGITUDE, findings) is given
    assert not findings.notes


def test_a_lag_of_an_hour_is_told_but_not_moved() -> None:
    findings = Findings("x")
    given = sky(late_h=1.0)
    assert on_time(given, LATITUDE, LONGITUDE, findings) is given
    assert "1 h late: check its longitude and its hours from UTC" in findings.notes[0]


def test_a_sun_of_elsewhere_is_told() -> None:
    """Hours from UTC with the wrong sign: 8 hours west instead of east."""
    findings = Findings("x")
    given = sky(longitude=LONGITUDE - 240.0)
    assert on_time(given, LATITUDE, LONGITUDE, findings) is given
    assert "does not follow the sun of its place" in findings.notes[0]


def test_afternoon_cloud_alone_is_no_lag() -> None:
    """The tropics' mornings are brighter: the global's course leans, its parts do not."""
    sun = sun_year(1.35, 104.0)
    solar_hour = (np.arange(8760) + 0.5 + 104.0 / 15.0) % 24.0
    ghi = 0.75 * sun.clear_sky_w_m2 * np.where(solar_hour > 12.5, 0.6, 1.0)
    dni, dhi = decompose_ghi(ghi, 1.35, 104.0)
    lag = lag_of(Radiation(ghi, dni, dhi), 1.35, 104.0)
    assert lag.course_h < -0.2
    assert lag.split_h == 0.0
    assert not lag.is_sure


def test_beam_on_the_level_becomes_beam_at_right_angles() -> None:
    true = sky(late_h=0.3)
    cosine = cosine_of_zenith(LATITUDE, LONGITUDE, 0.3)
    made = beam_of_level(true.dni_w_m2 * cosine, true.dhi_w_m2, LATITUDE, LONGITUDE, 0.3)
    np.testing.assert_allclose(made.ghi_w_m2, true.ghi_w_m2, atol=1e-9)
    # A sun lower than 2 degrees gives no beam; what it gave is diffuse.
    high = cosine > 0.035
    np.testing.assert_allclose(made.dni_w_m2[high], true.dni_w_m2[high], atol=1e-6)
    assert not made.dni_w_m2[cosine < 0.034].any()


def test_clear_skies_by_published_numbers() -> None:
    # Meinel: 0.7 of the beam with the sun overhead (air mass 1), 0.7^(2^0.678) at air mass 2.
    assert clear_beam(np.array([1.0]))[0] == pytest.approx(0.7, abs=1e-3)
    assert clear_beam(np.array([0.5]))[0] == pytest.approx(0.7 ** (2.0**0.678), abs=2e-3)
    assert clear_beam(np.array([0.0]))[0] == 0.0
    # Haurwitz (1945): 1098 exp(-0.059) = 1035 W/m2 overhead.
    assert clear_sky(np.array([1.0]))[0] == pytest.approx(1035.1, abs=0.1)
