"""Reading weather files: hours, units, and what is refused."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest
from tests.facility.places import PLACES, epw_path, recorded

from gigawright.errors import CatalogueError
from gigawright.facility.weather import psychrometrics
from gigawright.facility.weather.year import (
    WeatherYear,
    decompose_ghi,
    read_epw,
    read_open_meteo,
    to_local,
    to_utc,
    weather_year,
)


def _epw(folder: Path, offset: float = 8.0, leap: bool = False, **changes: float) -> Path:
    """A small weather file: dry bulb counts the hours of the local day."""
    values = {6: 0.0, 8: 50.0, 9: 100000.0, 13: 0.0, 14: 0.0, 15: 0.0, 21: 2.0}
    values |= {int(key[1:]): value for key, value in changes.items()}
    lines = [f"LOCATION,Test,XX,XXX,made,1,40.0,116.0,{offset},30.0", *["x"] * 7]
    day = dt.date(2024 if leap else 2025, 1, 1)
    while day.year in (2024, 2025) and len(lines) < 8 + 24 * (366 if leap else 365):
        for hour in range(24):
            cells = [str(day.year), str(day.month), str(day.day), str(hour + 1), "0", "?"] + ["0"] * 29
            for place, value in values.items():
                cells[place] = str(value)
            if "c6" not in changes:
                cells[6] = str(hour)
            lines.append(",".join(cells))
        day += dt.timedelta(days=1)
    path = folder / "made.epw"
    path.write_text("\r\n".join(lines) + "\r\n")
    return path


def test_epw_hours_end_and_become_utc_hours_that_begin(tmp_path: Path) -> None:
    year = read_epw(_epw(tmp_path, offset=8.0))
    # The first line, 00 to 01 h local, is 16 h UTC the day before; the year is a ring.
    assert year.dry_bulb_c[16] == 0.0
    assert year.dry_bulb_c[0] == 8.0
    assert (to_local(year.dry_bulb_c, 8.0)[:24] == np.arange(24)).all()


def test_epw_drops_29_february(tmp_path: Path) -> None:
    assert read_epw(_epw(tmp_path, leap=True)).dry_bulb_c.shape == (8760,)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"c13": 9999.0}, "ghi_w_m2 is missing in 8760"), ({"c6": 99.9}, "dry_bulb_c is missing")],
)
def test_epw_with_holes_is_refused(tmp_path: Path, changes: dict[str, float], message: str) -> None:
    with pytest.raises(CatalogueError, match=message):
        read_epw(_epw(tmp_path, **changes))


def test_epw_of_another_kind_or_length_is_refused(tmp_path: Path) -> None:
    path = _epw(tmp_path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-24]))
    with pytest.raises(CatalogueError, match="8736 hours"):
        read_epw(path)
    path.write_text("\n".join(["hello", *lines[1:]]))
    with pytest.raises(CatalogueError, match="LOCATION"):
        read_epw(path)
    path.write_text("\n".join([*lines[:8], lines[8].replace(",50.0,", ",damp,"), *lines[9:]]))
    with pytest.raises(CatalogueError, match="relative_humidity_pct"):
        read_epw(path)


def test_recorded_files_hold_what_they_are_known_for(shared_folder: Path) -> None:
    singapore, _ = recorded(epw_path(shared_folder, "Changi"))
    assert singapore.dry_bulb_c.mean() == pytest.approx(27.6, abs=0.5)
    # The file's own dew point, column 8, against ours from its relative humidity (whole per cents).
    path = epw_path(shared_folder, "Leesburg")
    rows = [line.split(",") for line in path.read_text(errors="replace").splitlines()[8:]]
    theirs = to_utc(np.array([float(row[7]) for row in rows]), -5.0)
    year, _ = recorded(path)
    vapour = year.relative_humidity * psychrometrics.saturation_pressure_pa(year.dry_bulb_c)
    warm = year.dry_bulb_c > 5.0
    assert np.median(np.abs(psychrometrics.dew_point_c(vapour) - theirs)[warm]) < 0.3


def test_the_sun_of_a_recorded_file_is_up_in_its_hours(shared_folder: Path) -> None:
    """Shanghai, Dallas and Leesburg have their sun half an hour late: an hour either way is still worse."""
    from gigawright.facility.weather.sun import sun_year

    for place in PLACES:
        year, (latitude, longitude, *_) = recorded(epw_path(shared_folder, place))
        sun = sun_year(latitude, longitude)
        fit = [np.corrcoef(np.roll(year.ghi_w_m2, by), sun.extraterrestrial_w_m2)[0, 1] for by in (-1, 0, 1)]
        assert fit[1] == max(fit), (place, fit)
        assert year.ghi_w_m2[sun.zenith_deg > 95.0].sum() < 0.003 * year.ghi_w_m2.sum()


def _answer(**changes: object) -> dict[str, object]:
    start = dt.datetime(2025, 1, 1)
    hourly: dict[str, object] = {
        "time": [(start + dt.timedelta(hours=hour)).isoformat() for hour in range(8760)],
        "temperature_2m": [float(hour % 24) for hour in range(8760)],
        "relative_humidity_2m": [50] * 8760,
        "cloud_cover": [100] * 8760,
        "wind_speed_10m": [36.0] * 8760,
    }
    answer = {
        "latitude": 1.3,
        "longitude": 103.8,
        "elevation": 0.0,
        "utc_offset_seconds": 28800,
        "hourly_units": {"wind_speed_10m": "km/h"},
        "hourly": hourly,
    }
    hourly.update(changes)
    return answer


def test_open_meteo_is_read_in_its_units(tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(_answer()))
    year = read_open_meteo(path)
    np.testing.assert_allclose(year.wind_speed_ms, 10.0)
    assert year.dry_bulb_c[0] == 8.0
    assert year.pressure_pa[0] == pytest.approx(101325.0)
    # A closed deck of cloud leaves a quarter of the clear sky (Kasten and Czeplak).
    assert 150.0 < year.ghi_w_m2.max() < 300.0


def test_open_meteo_radiation_is_stamped_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    at_13 = [100.0 if hour % 24 == 13 else 0.0 for hour in range(8760)]
    path.write_text(json.dumps(_answer(shortwave_radiation=at_13)))
    year = read_open_meteo(path)
    assert set(np.flatnonzero(to_local(year.ghi_w_m2, 8.0)) % 24) == {12}


def test_open_meteo_with_holes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(_answer(temperature_2m=[None] + [1.0] * 8759)))
    with pytest.raises(CatalogueError, match="temperature_2m is missing in 1 hours"):
        read_open_meteo(path)
    path.write_text("{}")
    with pytest.raises(CatalogueError, match="not an hourly answer"):
        read_open_meteo(path)


def test_real_open_meteo_answers(shared_folder: Path) -> None:
    """Cloud cover in place of radiation: near in Texas (4.8 recorded), a third low in Singapore."""
    folder = shared_folder / "data" / "energy" / "weather_json"
    texas = read_open_meteo(folder / "openmeteo_US-TEX-ERCO_2024.json")
    singapore = read_open_meteo(folder / "openmeteo_SG_2024.json")
    assert singapore.dry_bulb_c.mean() == pytest.approx(27.6, abs=0.5)
    assert texas.ghi_w_m2.mean() * 0.024 == pytest.approx(4.8, abs=0.4)
    assert 2.8 < singapore.ghi_w_m2.mean() * 0.024 < 4.6


def test_beam_and_diffuse_make_the_global_again() -> None:
    from gigawright.facility.weather.sun import sun_year

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
