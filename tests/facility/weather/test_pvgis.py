"""PVGIS: its typical year, its hourly series, and the minute its radiation holds for."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.facility.weather.files import LATITUDE, LONGITUDE, known_year, pvgis_answer, saved, sky

from gigawright.errors import CatalogueError
from gigawright.facility.weather import psychrometrics
from gigawright.facility.weather.pvgis import of_pvgis, read_pvgis
from gigawright.facility.weather.timing import cosine_of_zenith


def test_a_typical_year_is_read(tmp_path: Path) -> None:
    read = read_pvgis(saved(tmp_path, pvgis_answer()))
    year, wanted = read.weather, known_year()
    for name in ("dry_bulb_c", "relative_humidity", "wet_bulb_c", "pressure_pa", "wind_speed_ms"):
        np.testing.assert_allclose(getattr(year, name), getattr(wanted, name), atol=2e-3, rtol=1e-5)
    np.testing.assert_allclose(year.ghi_w_m2, wanted.ghi_w_m2, atol=1e-3)
    assert (read.place.latitude, read.place.utc_offset_h) == (LATITUDE, 8.0)
    assert read.kind == "PVGIS typical year, PVGIS-SARAH3"
    assert read.years.labels == ("typical",)
    assert read.notes == ("months of " + ", ".join(str(2005 + month) for month in range(1, 13)),)


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("offset", [0.0, 0.15, 0.2])
def test_a_satellites_minutes_are_put_on_the_middle_of_the_hour(offset: float, told: bool) -> None:
    """Told by the answer since December 2024; before, found from its global and beam."""
    answer = pvgis_answer(offset)
    if not told:
        del answer["inputs"]["location"]["irradiance_time_offset"]
    read = of_pvgis(answer, "x")
    wanted, early = sky(), sky(late_h=0.5 - offset)
    error = np.abs(read.weather.ghi_w_m2 - wanted.ghi_w_m2).mean()
    assert error < 0.25 * np.abs(early.ghi_w_m2 - wanted.ghi_w_m2).mean()
    if not told:
        assert f"radiation holds {offset * 60:.0f} minutes after its stamp" in read.notes[0]


# Clear hours of 2 and 4 January 2018 at 45 N, 8 E: hour (UTC), G(h), Gb(n), Gd(h) [W/m2] of a typical year of
# PVGIS 5.3 (PVGIS-SARAH3, 2005-2023), as pvlib-python keeps it in pvlib/data/tmy_45.000_8.000_2005_2023.json.
REAL = (
    (32, 107.0, 441.62, 45.0),
    (33, 244.0, 757.94, 50.0),
    (34, 336.0, 829.08, 58.0),
    (35, 379.0, 841.73, 65.0),
    (36, 364.0, 791.09, 74.0),
    (37, 309.0, 783.88, 61.0),
    (38, 204.0, 681.92, 50.0),
    (80, 108.0, 502.58, 37.0),
    (81, 236.0, 718.51, 51.0),
    (82, 323.0, 770.32, 63.0),
    (83, 363.0, 768.73, 74.0),
    (84, 354.0, 748.39, 77.0),
    (85, 297.0, 711.46, 69.0),
    (86, 211.0, 742.34, 40.0),
)


def test_real_rows_tell_their_minute() -> None:
    """Meteosat sees 45 N some ten minutes after the hour; the rows' own global and beam say so."""
    answer = pvgis_answer(None)
    for row in answer["outputs"]["tmy_hourly"]:
        row.update({"G(h)": 0.0, "Gb(n)": -0.0, "Gd(h)": 0.0})
    for hour, ghi, dni, dhi in REAL:
        answer["outputs"]["tmy_hourly"][hour].update({"G(h)": ghi, "Gb(n)": dni, "Gd(h)": dhi})
    answer["inputs"]["location"].update(latitude=45.0, longitude=8.0)
    note = of_pvgis(answer, "x").notes[0]
    minutes = float(note.split(" minutes")[0].rsplit(" ", 1)[1])
    assert 8.0 <= minutes <= 13.0


def test_agrees_with_pvlib(tmp_path: Path) -> None:
    from pvlib.iotools import read_pvgis_tmy

    answer = pvgis_answer(0.5)
    answer["meta"] = {"inputs": {}}
    path = saved(tmp_path, answer)
    theirs, _ = read_pvgis_tmy(path)
    ours = read_pvgis(path).weather
    assert isinstance(theirs, pd.DataFrame)
    np.testing.assert_allclose(ours.dry_bulb_c, theirs["temp_air"])
    np.testing.assert_allclose(ours.pressure_pa, theirs["pressure"])
    np.testing.assert_allclose(ours.dni_w_m2, theirs["dni"])


def test_all_problems_of_an_answer_are_told() -> None:
    answer = pvgis_answer()
    for row in answer["outputs"]["tmy_hourly"]:
        del row["SP"]
        row["RH"] = "damp"
    answer["outputs"]["tmy_hourly"][5]["T2m"] = 400.0
    with pytest.raises(CatalogueError) as told:
        of_pvgis(answer, "tmy.json")
    text = str(told.value)
    assert "tmy.json: 3 problems" in text
    assert "'SP' is not in every row; the first has G(h), Gb(n)" in text
    assert "'RH' is not always a number" in text
    assert "T2m is outside -90 to 65 C in 1 hours, the first is 1 Jan 05:00 with 400" in text


def test_nulls_are_gaps() -> None:
    answer = pvgis_answer()
    for hour in (10, 11):
        answer["outputs"]["tmy_hourly"][hour]["T2m"] = None
    assert any(note.startswith("T2m: 2 missing") for note in of_pvgis(answer, "x").notes)
    for hour in range(100, 140):
        answer["outputs"]["tmy_hourly"][hour]["G(h)"] = None
    with pytest.raises(CatalogueError, match="global irradiance is missing in 40 hours"):
        of_pvgis(answer, "x")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda a: a["outputs"].pop("tmy_hourly"), "neither outputs.tmy_hourly"),
        (lambda a: a["inputs"].pop("location"), "latitude, longitude and elevation as numbers"),
        (lambda a: a["outputs"].update(tmy_hourly=a["outputs"]["tmy_hourly"][:-48]), "48 hours have no line"),
        (
            lambda a: a["outputs"]["tmy_hourly"][7].update({"time(UTC)": "7 h"}),
            "the first is row 7 with '7 h'",
        ),
    ],
)
def test_another_shape_is_refused(spoil: Any, words: str) -> None:
    answer = pvgis_answer()
    spoil(answer)
    with pytest.raises(CatalogueError, match=words):
        of_pvgis(answer, "x")


def series_answer(years: tuple[int, ...] = (2019, 2020), minute: int = 30) -> dict[str, Any]:
    """An hourly series on the horizontal, as seriescalc gives with angle=0 and components=1."""
    year, sun = known_year(), sky(late_h=0.5 - minute / 60.0)
    level = sun.dni_w_m2 * cosine_of_zenith(LATITUDE, LONGITUDE, 0.5 - minute / 60.0)
    rows = []
    for number in years:
        at = dt.datetime(number, 1, 1, 0, minute)
        hour = 0
        while at.year == number:
            leap = (at.month, at.day) == (2, 29)
            source = hour % 8760
            rows.append(
                {
                    "time": f"{at:%Y%m%d:%H%M}",
                    "Gb(i)": round(float(level[source]), 3),
                    "Gd(i)": round(float(sun.dhi_w_m2[source]), 3),
                    "Gr(i)": 0.0,
                    "H_sun": 0.0,
                    "T2m": round(float(year.dry_bulb_c[source]), 3),
                    "WS10m": round(float(year.wind_speed_ms[source]), 3),
                    "Int": 0.0,
                }
            )
            at += dt.timedelta(hours=1)
            hour += not leap
    return {
        "inputs": {
            "location": {"latitude": LATITUDE, "longitude": LONGITUDE, "elevation": 1000.0},
            "meteo_data": {"radiation_db": "PVGIS-ERA5"},
            "mounting_system": {"fixed": {"slope": {"value": 0, "optimal": False}}},
        },
        "outputs": {"hourly": rows},
        "meta": {},
    }


@pytest.mark.parametrize("minute", [10, 30])
def test_a_series_of_years_is_read(minute: int) -> None:
    read = of_pvgis(series_answer(minute=minute), "x")
    assert read.years.labels == ("2019", "2020")
    assert "29 February dropped (24 hours)" in read.notes
    for _, year in read.years:
        np.testing.assert_allclose(year.dry_bulb_c, known_year().dry_bulb_c, atol=1e-3)
        assert year.pressure_pa[0] == pytest.approx(float(psychrometrics.standard_pressure_pa(1000.0)))
    error = np.abs(read.weather.dni_w_m2 - sky().dni_w_m2).mean()
    assert error < 12.0


def test_a_series_without_humidity_takes_the_days_lowest_temperature() -> None:
    read = of_pvgis(series_answer((2019,)), "x")
    assert any("no humidity in the series" in note for note in read.notes)
    dry, humid = (np.roll(v, 8) for v in (read.weather.dry_bulb_c, read.weather.relative_humidity))
    dew = psychrometrics.dew_point_c(humid * psychrometrics.saturation_pressure_pa(dry))
    np.testing.assert_allclose(
        dew.reshape(365, 24), dry.reshape(365, 24).min(axis=1)[:, None] + np.zeros(24), atol=0.01
    )
    assert humid.max() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("mounting", "words"),
    [
        ({"fixed": {"slope": {"value": 35}}}, "the plane is 35 degrees"),
        ({"two_axis": {"slope": {"value": "-"}}}, "a tracking system"),
    ],
)
def test_a_series_in_another_plane_is_refused(mounting: dict[str, Any], words: str) -> None:
    answer = series_answer((2019,))
    answer["inputs"]["mounting_system"] = mounting
    for row in answer["outputs"]["hourly"]:
        row["G(i)"] = row.pop("Gd(i)")
    with pytest.raises(CatalogueError) as told:
        of_pvgis(answer, "x")
    assert words in str(told.value)
    assert "the rows lack Gd(i); ask seriescalc for angle=0 with components=1" in str(told.value)
