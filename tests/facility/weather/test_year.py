"""A year of weather: frozen, checked, in UTC."""

from __future__ import annotations

import numpy as np
import pytest

from gigawright.facility.weather.sun import sun_year
from gigawright.facility.weather.year import WeatherYear, decompose_ghi, to_local, to_utc, weather_year


def test_beam_and_diffuse_make_the_global_again() -> None:
    sun = sun_year(30.0, 110.0)
    ghi = 0.7 * sun.clear_sky_w_m2
    dni, dhi = decompose_ghi(ghi, 30.0, 110.0)
    again = dni * np.maximum(np.cos(np.radians(sun.zenith_deg)), 0.0) + dhi
    np.testing.assert_allclose(again, ghi, atol=1e-9)


def test_a_year_is_frozen_and_checked() -> None:
    flat = np.full(8760, 10.0)
    year = weather_year(flat, flat / 20.0, flat * 1e4, flat, flat, flat, flat)
    assert isinstance(year, WeatherYear)
    with pytest.raises(ValueError, match="read-only"):
        year.wet_bulb_c[0] = 1.0
    with pytest.raises(ValueError, match="8760 finite"):
        weather_year(flat, flat / 20.0, flat * 1e4, flat * np.nan, flat, flat, flat)


@pytest.mark.parametrize("offset", [-11.0, -5.0, 0.0, 5.75, 13.0])
def test_local_and_utc_are_each_others_inverse(offset: float) -> None:
    hours = np.arange(8760.0)
    np.testing.assert_array_equal(to_utc(to_local(hours, offset), offset), hours)
    assert to_local(hours, offset)[round(offset) % 8760] == 0.0
