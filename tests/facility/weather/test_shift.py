"""Another climate: Belcher's shift and stretch."""

from __future__ import annotations

import numpy as np
import pytest
from tests.facility.weather.files import known_year

from gigawright.clock import month_of_hour
from gigawright.facility.cooling.systems import cooling_system
from gigawright.facility.weather.shift import ONES, ZEROS, ClimateChange, morphed, warming
from gigawright.facility.weather.summary import months_of
from gigawright.facility.weather.year import to_local


def test_no_change_changes_nothing() -> None:
    same = morphed(known_year(), warming(0.0), 8.0)
    for name in ("dry_bulb_c", "relative_humidity", "wet_bulb_c", "ghi_w_m2", "wind_speed_ms"):
        np.testing.assert_allclose(getattr(same, name), getattr(known_year(), name), atol=1e-9)


def test_warming_shifts_air_and_keeps_its_relative_humidity() -> None:
    year, warm = known_year(), morphed(known_year(), warming(1.5), 8.0)
    np.testing.assert_allclose(warm.dry_bulb_c, year.dry_bulb_c + 1.5)
    np.testing.assert_allclose(warm.relative_humidity, year.relative_humidity)
    # Clausius and Clapeyron: some 7 % more water a kelvin (IPCC AR6 WG1, 8.2.1).
    more = warm.humidity_ratio.mean() / year.humidity_ratio.mean()
    assert 1.06**1.5 < more < 1.085**1.5
    assert (warm.wet_bulb_c > year.wet_bulb_c).all()


def test_months_change_by_local_time_and_exactly() -> None:
    change = ClimateChange(
        dry_bulb_k=tuple(float(month) / 4.0 for month in range(12)),
        humidity_points=(-3.0,) * 12,
        radiation_factor=(1.0, 1.1) * 6,
        wind_factor=(0.9,) * 12,
    )
    before, after = months_of(known_year(), 8.0), months_of(morphed(known_year(), change, 8.0), 8.0)
    np.testing.assert_allclose(after["dry_bulb_mean_c"] - before["dry_bulb_mean_c"], np.arange(12) / 4.0)
    np.testing.assert_allclose(after["relative_humidity_pct"] - before["relative_humidity_pct"], -3.0)
    np.testing.assert_allclose(after["ghi_kwh_m2_day"], before["ghi_kwh_m2_day"] * np.array([1.0, 1.1] * 6))
    np.testing.assert_allclose(after["wind_speed_10m_ms"], before["wind_speed_10m_ms"] * 0.9)


def test_the_daily_range_is_stretched_about_the_months_mean() -> None:
    change = ClimateChange(dry_bulb_k=(2.0,) * 12, daily_max_k=(3.0,) * 12, daily_min_k=(1.0,) * 12)
    before, after = months_of(known_year(), 8.0), months_of(morphed(known_year(), change, 8.0), 8.0)
    np.testing.assert_allclose(after["dry_bulb_mean_c"] - before["dry_bulb_mean_c"], 2.0)
    spread = [m["dry_bulb_daily_max_c"] - m["dry_bulb_daily_min_c"] for m in (before, after)]
    np.testing.assert_allclose(spread[1] - spread[0], 2.0, atol=1e-9)
    # a = 2 / <max - min>, told in the equations of the module.
    month = month_of_hour()
    dry = [to_local(year.dry_bulb_c, 8.0) for year in (known_year(), morphed(known_year(), change, 8.0))]
    a = (2.0 / spread[0])[month]
    mean = before["dry_bulb_mean_c"][month]
    np.testing.assert_allclose(dry[1], dry[0] + 2.0 + a * (dry[0] - mean))


@pytest.mark.parametrize("system", ["air", "liquid", "chiller"])
def test_a_warmer_climate_never_cools_for_less(system: str) -> None:
    def power(kelvin: float) -> float:
        year = morphed(known_year(), warming(kelvin), 8.0)
        return float(cooling_system(system).hours(year.dry_bulb_c, year.wet_bulb_c, 0.8).power_share.mean())

    assert power(0.0) <= power(1.5) <= power(3.0)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"dry_bulb_k": (40.0,) * 12}, "dry_bulb_k must be twelve numbers from -15 to 15"),
        ({"dry_bulb_k": (1.0,) * 11}, "twelve numbers"),
        ({"dry_bulb_k": ZEROS, "radiation_factor": (5.0,) * 12}, "radiation_factor"),
        ({"dry_bulb_k": ZEROS, "humidity_points": (float("nan"),) * 12}, "humidity_points"),
        ({"dry_bulb_k": ZEROS, "daily_max_k": ONES}, "given together"),
    ],
)
def test_impossible_changes_are_refused(fields: dict[str, tuple[float, ...]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ClimateChange(**fields)
