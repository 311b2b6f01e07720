"""The sun's course against pvlib's Solar Position Algorithm."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gigawright.facility.weather.sun import sun_year


@pytest.mark.parametrize(
    ("latitude", "longitude"), [(40.0, 115.0), (1.3, 103.8), (-33.9, 151.2), (60.8, 11.1)]
)
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
