"""The sun's course against pvlib's Solar Position Algorithm, clear skies and the split of the global."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gigawright.facility.weather.sun import (
    beam_and_diffuse,
    linke_turbidity,
    sun_year,
    turbid_clear_sky,
)

PLACES = [(40.0, 115.0), (1.3, 103.8), (-33.9, 151.2), (60.8, 11.1)]


@pytest.mark.parametrize(("latitude", "longitude"), PLACES)
def test_the_sun_stands_where_the_exact_algorithm_has_it(latitude: float, longitude: float) -> None:
    from pvlib import solarposition

    sun = sun_year(latitude, longitude)
    times = pd.date_range("2025-01-01 00:30", periods=8760, freq="h", tz="UTC")
    exact = solarposition.get_solarposition(times, latitude, longitude, method="nrel_numpy")
    assert np.abs(sun.zenith_deg - exact["zenith"].to_numpy()).max() < 0.4
    up = (sun.zenith_deg < 88.0) & (sun.zenith_deg > 10.0)
    turned = (sun.azimuth_deg - exact["azimuth"].to_numpy() + 180.0) % 360.0 - 180.0
    assert np.abs(turned[up]).max() < 3.0
    assert np.sqrt((turned[up] ** 2).mean()) < 0.5


def test_the_clear_sky_stays_below_the_atmosphere() -> None:
    sun = sun_year(25.0, 110.0)
    assert (sun.clear_sky_w_m2 <= sun.extraterrestrial_w_m2 + 1e-6).all()
    assert sun.clear_sky_w_m2[sun.zenith_deg > 90.0].max() < 1e-6


@pytest.mark.parametrize(("latitude", "longitude"), PLACES)
@pytest.mark.parametrize("elevation_m", [0.0, 1500.0, 4000.0])
def test_the_turbid_sky_is_pvlibs(latitude: float, longitude: float, elevation_m: float) -> None:
    from pvlib import atmosphere, clearsky

    sun = sun_year(latitude, longitude)
    high = sun.zenith_deg < 84.0
    mass = atmosphere.get_absolute_airmass(
        atmosphere.get_relative_airmass(sun.zenith_deg[high]),
        101325.0 * np.exp(-elevation_m / 8434.5),
    )
    turbidity = np.repeat(linke_turbidity(latitude, longitude), 24)[high]
    theirs = clearsky.ineichen(
        sun.zenith_deg[high],
        mass,
        turbidity,
        altitude=elevation_m,
        dni_extra=sun.normal_w_m2[high],
        perez_enhancement=True,
    )["ghi"]
    ours = turbid_clear_sky(latitude, longitude, elevation_m)
    np.testing.assert_allclose(ours[high], theirs, rtol=2e-3)
    assert ours[sun.zenith_deg > 91.0].max() == 0.0
    assert (ours <= sun.extraterrestrial_w_m2).all()


def test_humid_air_is_thicker_than_mountain_air() -> None:
    singapore, tibet = linke_turbidity(1.3, 103.8), linke_turbidity(29.7, 91.1)
    assert singapore.mean() > 4.0 > tibet.mean()
    assert singapore.shape == (365,)


def test_the_split_adds_up_and_clear_hours_have_more_beam() -> None:
    sun = sun_year(33.0, -97.0)
    clear = turbid_clear_sky(33.0, -97.0, 170.0)
    for factor, least, most in ((1.0, 0.10, 0.28), (0.6, 0.40, 0.85), (0.25, 0.92, 1.0)):
        ghi = factor * clear
        beam, diffuse = beam_and_diffuse(ghi, 33.0, -97.0)
        assert least < diffuse.sum() / ghi.sum() < most
        assert (beam >= 0.0).all()
        assert (diffuse >= -1e-9).all()
        cosine = np.maximum(np.cos(np.radians(sun.zenith_deg)), 0.0)
        np.testing.assert_allclose(beam * cosine + diffuse, ghi, atol=1e-9)


def test_the_split_is_ridleys() -> None:
    """At noon of an even day, by hand: k = K = p = 0.5, t = 12, h = 60."""
    sun = sun_year(0.0, 0.0)
    ghi = 0.5 * sun.extraterrestrial_w_m2
    _, diffuse = beam_and_diffuse(ghi, 0.0, 0.0)
    hour = 79 * 24 + 12
    exponent = (
        -5.38 + 6.63 * 0.5 + 0.006 * 12.5 - 0.007 * (90.0 - sun.zenith_deg[hour]) + 1.75 * 0.5 + 1.31 * 0.5
    )
    assert diffuse[hour] / ghi[hour] == pytest.approx(1.0 / (1.0 + np.exp(exponent)), abs=1e-9)


def test_more_beam_may_be_asked_for() -> None:
    ghi = 0.6 * turbid_clear_sky(33.0, -97.0, 170.0)
    less, more = (beam_and_diffuse(ghi, 33.0, -97.0, clearer)[0].sum() for clearer in (0.0, 0.25))
    assert 1.05 < more / less < 1.4
