"""Open-Meteo's answers: units, stamps, clocks, gaps."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from tests.facility.weather.files import known_year, open_meteo_answer, saved

from gigawright.errors import CatalogueError
from gigawright.facility.weather.open_meteo import of_open_meteo, read_open_meteo, read_open_meteo_file
from gigawright.facility.weather.year import to_local


def test_a_year_is_read(tmp_path: Path) -> None:
    read = read_open_meteo_file(saved(tmp_path, open_meteo_answer()))
    wanted = known_year()
    for name in wanted.__dataclass_fields__:
        np.testing.assert_allclose(getattr(read.weather, name), getattr(wanted, name), atol=2e-2, rtol=1e-4)
    assert (read.years.labels, read.notes) == (("2023",), ())
    # Asked for in UTC, its place is told by its longitude.
    assert read.place.utc_offset_h == 8.0


def test_several_years_and_a_leap_year() -> None:
    read = of_open_meteo(open_meteo_answer("2023-01-01", hours=8760 + 8784), "x")
    assert read.years.labels == ("2023", "2024")
    assert read.notes == ("29 February dropped (24 hours)",)
    # The made ring has no 29 February: from March on the second year runs a day ahead.
    np.testing.assert_allclose(
        read.years.years[1].dry_bulb_c[:1000], known_year().dry_bulb_c[:1000], atol=1e-3
    )
    ahead = np.roll(known_year().dry_bulb_c, -24)
    np.testing.assert_allclose(read.years.years[1].dry_bulb_c[2000:8000], ahead[2000:8000], atol=1e-3)


def test_units_are_heeded() -> None:
    answer = open_meteo_answer(wind_speed_10m=[36.0] * 8760, temperature_2m=[50.0] * 8760)
    answer["hourly_units"] = {"wind_speed_10m": "km/h", "temperature_2m": "°F"}
    year = of_open_meteo(answer, "x").weather
    np.testing.assert_allclose(year.wind_speed_ms, 10.0)
    np.testing.assert_allclose(year.dry_bulb_c, 10.0)
    answer["hourly_units"]["wind_speed_10m"] = "Bft"
    with pytest.raises(CatalogueError, match="wind_speed_10m is in 'Bft'; known are m/s"):
        of_open_meteo(answer, "x")


def test_radiation_is_stamped_at_its_end() -> None:
    at_13 = [100.0 if hour % 24 == 13 else 0.0 for hour in range(8760)]
    answer = open_meteo_answer(
        shortwave_radiation=at_13, direct_normal_irradiance=None, diffuse_radiation=None
    )
    answer["utc_offset_seconds"] = 28800
    year = of_open_meteo(answer, "x").weather
    assert set(np.flatnonzero(to_local(year.ghi_w_m2, 8.0)) % 24) == {12}


def test_cloud_stands_in_for_radiation_and_is_told() -> None:
    names = ("shortwave_radiation", "direct_normal_irradiance", "diffuse_radiation", "surface_pressure")
    answer = open_meteo_answer(cloud_cover=[100] * 8760, **dict.fromkeys(names))
    answer["elevation"] = 0.0
    read = of_open_meteo(answer, "x")
    # A closed deck of cloud leaves a quarter of the clear sky (Kasten and Czeplak).
    assert 150.0 < read.weather.ghi_w_m2.max() < 300.0
    assert read.weather.pressure_pa[0] == pytest.approx(101325.0)
    assert any("by cloud cover" in note for note in read.notes)
    del answer["hourly"]["cloud_cover"]
    with pytest.raises(CatalogueError, match="neither shortwave_radiation nor cloud_cover"):
        of_open_meteo(answer, "x")


def test_one_offset_holds_throughout_also_across_summer_time() -> None:
    """Open-Meteo keeps the offset of the day it was asked; the zone's standard time is only for months."""
    answer = open_meteo_answer(temperature_2m=[float(hour % 24) for hour in range(8760)])
    answer |= {"utc_offset_seconds": -18000, "timezone": "America/Chicago", "longitude": -96.8}
    read = of_open_meteo(answer, "x")
    assert read.place.utc_offset_h == -6.0
    assert (read.weather.dry_bulb_c[5::24] == 0.0).all()


def test_stamps_in_real_summer_time_are_put_back() -> None:
    """Of a tool that writes local clock time: 31 March has no 02:00, 27 October has it twice."""
    answer = open_meteo_answer(temperature_2m=[float(hour % 24) for hour in range(8760)])
    forward, back = 89 * 24 + 2, 299 * 24 + 2
    start = dt.datetime(2023, 1, 1)
    answer["hourly"]["time"] = [
        (start + dt.timedelta(hours=hour + int(forward <= hour < back))).isoformat() for hour in range(8760)
    ]
    answer |= {"utc_offset_seconds": 3600, "timezone": "Europe/Berlin", "longitude": 13.4}
    read = of_open_meteo(answer, "x")
    assert any("standard time" in note for note in read.notes)
    assert (to_local(read.weather.dry_bulb_c, 1.0) == np.arange(8760) % 24).all()


def test_stamps_in_seconds_are_utc() -> None:
    answer = open_meteo_answer()
    start = int(dt.datetime(2023, 1, 1, tzinfo=dt.UTC).timestamp())
    answer["hourly"]["time"] = [start + 3600 * hour for hour in range(8760)]
    answer["utc_offset_seconds"] = 28800
    read = of_open_meteo(answer, "x")
    np.testing.assert_allclose(read.weather.dry_bulb_c, known_year().dry_bulb_c, atol=1e-3)


def test_gaps_and_all_problems(tmp_path: Path) -> None:
    warm = open_meteo_answer()["hourly"]["temperature_2m"]
    filled = of_open_meteo(open_meteo_answer(temperature_2m=[*warm[:50], None, *warm[51:]]), "x")
    assert filled.notes == ("temperature_2m: 1 missing hours interpolated, the first 3 Jan 02:00",)
    spoilt = open_meteo_answer(temperature_2m=None, wind_speed_10m=[1.0, 2.0])
    with pytest.raises(CatalogueError) as told:
        read_open_meteo(saved(tmp_path, spoilt))
    assert "temperature_2m is missing; the answer has diffuse_radiation, direct_normal" in str(told.value)
    assert "wind_speed_10m has 2 values for 8760 hours; the answer is not whole" in str(told.value)
    with pytest.raises(CatalogueError, match="2023: temperature_2m is missing in 30 hours"):
        of_open_meteo(open_meteo_answer(temperature_2m=[None] * 30 + warm[30:]), "x")
    two = open_meteo_answer("2021-01-01", hours=2 * 8760)
    for hour in (*range(100, 140), *range(9000, 9040)):
        two["hourly"]["temperature_2m"][hour] = None
    with pytest.raises(
        CatalogueError, match=r"x: 2 problems\n  2021: temperature_2m.*\n  2022: temperature_2m"
    ):
        of_open_meteo(two, "x")
    with pytest.raises(CatalogueError, match="2023: 24 hours have no line"):
        of_open_meteo(open_meteo_answer(hours=8736), "x")
    with pytest.raises(CatalogueError, match="not an hourly answer"):
        read_open_meteo(saved(tmp_path, {}))


@pytest.mark.parametrize(
    ("series", "value"),
    [("surface_pressure", 0.0), ("surface_pressure", 101325.0), ("shortwave_radiation", 9999.0)],
)
def test_impossible_pressure_and_light_are_problems(series: str, value: float) -> None:
    """Pressure in pascal, or none, would else make a year of nonsense without a word."""
    with pytest.raises(CatalogueError, match=f"{series} is outside"):
        of_open_meteo(open_meteo_answer(**{series: [value] * 8760}), "made")


def test_real_answers(shared_folder: Path) -> None:
    """Cloud cover in place of radiation: near in Texas (4.8 recorded), a third low in Singapore."""
    folder = shared_folder / "data" / "energy" / "weather_json"
    texas = read_open_meteo_file(folder / "openmeteo_US-TEX-ERCO_2024.json")
    singapore = read_open_meteo(folder / "openmeteo_SG_2024.json")
    assert (texas.place.utc_offset_h, texas.years.labels) == (-6.0, ("2024",))
    assert singapore.dry_bulb_c.mean() == pytest.approx(27.6, abs=0.5)
    assert texas.weather.ghi_w_m2.mean() * 0.024 == pytest.approx(4.8, abs=0.4)
    assert 2.8 < singapore.ghi_w_m2.mean() * 0.024 < 4.6
