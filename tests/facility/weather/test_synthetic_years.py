"""Other years: their spread, their balance, and that they are the same years each time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.facility.places import CLIMATE, normals

from gigawright.facility.weather.synthetic_years import (
    NORMAL_YEARS,
    normals_of_year,
    radiation_spread,
    synthetic_years,
    temperature_spread_k,
    wind_spread,
)

BEIJING = (39.9, 116.4, 35.0, 8.0)
EXTREMES = (34.8, 26.7)


def _months(number: int) -> dict[str, np.ndarray]:
    climate = normals_of_year(CLIMATE, *BEIJING, *EXTREMES, number=number).climate
    return {name: np.array(getattr(climate, name)) for name in climate.__dataclass_fields__}


@pytest.mark.parametrize("first", [0, NORMAL_YEARS])
def test_thirty_years_are_the_normals(first: int) -> None:
    years = [_months(number) for number in range(first, first + NORMAL_YEARS)]
    for name in CLIMATE.__dataclass_fields__:
        mean = np.mean([year[name] for year in years], axis=0)
        np.testing.assert_allclose(mean, getattr(CLIMATE, name), rtol=0.01, atol=0.02, err_msg=name)


def test_years_spread_as_much_as_they_should() -> None:
    years = [_months(number) for number in range(NORMAL_YEARS)]
    for name, wanted in (
        ("dry_bulb_mean_c", temperature_spread_k(CLIMATE)),
        ("ghi_kwh_m2_day", radiation_spread(CLIMATE, *BEIJING) * CLIMATE.ghi_kwh_m2_day),
        ("wind_speed_10m_ms", wind_spread(CLIMATE) * CLIMATE.wind_speed_10m_ms),
    ):
        spread = np.std([year[name] for year in years], axis=0, ddof=1)
        np.testing.assert_allclose(spread, wanted, rtol=0.02, err_msg=name)


def test_the_spread_is_that_of_places_like_it() -> None:
    # Berlin 1983-2004, with 19 K between its months: 3.1 K in January, 1.7 K in July (Berkeley Earth).
    berlin = replace(
        CLIMATE,
        dry_bulb_mean_c=(0.9, 1.5, 4.7, 9.2, 14.5, 17.0, 19.2, 18.9, 14.5, 10.1, 4.7, 1.5),
    )
    spread = temperature_spread_k(berlin)
    assert 1.8 < spread[0] < 3.1
    assert 0.9 < spread[6] < 1.7
    assert 0.02 < radiation_spread(CLIMATE, *BEIJING).mean() < 0.10
    assert 0.08 < wind_spread(CLIMATE).mean() < 0.20


def test_years_are_numbered_kept_and_different() -> None:
    years = synthetic_years(CLIMATE, *BEIJING, *EXTREMES, count=2)
    again = synthetic_years(CLIMATE, *BEIJING, *EXTREMES, count=1, first=1)
    assert years.labels == ("0", "1")
    assert years.years[1].dry_bulb_c.tobytes() == again.years[0].dry_bulb_c.tobytes()
    kept = normals(years.years[1], 8.0)
    np.testing.assert_allclose(kept.dry_bulb_mean_c, _months(1)["dry_bulb_mean_c"], atol=1e-9)
    np.testing.assert_allclose(kept.ghi_kwh_m2_day, _months(1)["ghi_kwh_m2_day"], rtol=1e-9)
    assert years.years[0].dry_bulb_c.mean() != years.years[1].dry_bulb_c.mean()


def test_neighbours_have_years_of_their_own() -> None:
    other = normals_of_year(CLIMATE, 39.8, *BEIJING[1:], *EXTREMES, number=0).climate
    assert other.dry_bulb_mean_c != tuple(_months(0)["dry_bulb_mean_c"])


@pytest.mark.parametrize(("count", "first"), [(0, 0), (1, -1)])
def test_years_that_cannot_be_are_refused(count: int, first: int) -> None:
    with pytest.raises(ValueError, match="counted from 0"):
        synthetic_years(CLIMATE, *BEIJING, *EXTREMES, count=count, first=first)
