"""Weather files made for tests: EPW, PVGIS and Open-Meteo, all of one known year."""

from __future__ import annotations

import datetime as dt
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from gigawright.facility.weather.timing import Radiation, cosine_of_zenith
from gigawright.facility.weather.year import WeatherYear, to_local, weather_year

LATITUDE, LONGITUDE, OFFSET = 40.0, 116.0, 8.0
HOURS = np.arange(8760)


def sky(latitude: float = LATITUDE, longitude: float = LONGITUDE, late_h: float = 0.0) -> Radiation:
    """A bright sky whose beam, diffuse and global meet at the sun `late_h` before the hours' middle."""
    cosine = cosine_of_zenith(latitude, longitude, late_h)
    day = 0.75 + 0.25 * np.sin((HOURS + 0.5 - late_h) / 10.0)
    beam = np.where(cosine > 0.0, 950.0 * day * np.exp(-0.13 / np.maximum(cosine, 1e-3)), 0.0)
    diffuse = (160.0 - 60.0 * day) * cosine
    return Radiation(beam * cosine + diffuse, beam, diffuse)


@lru_cache(maxsize=1)
def known_year() -> WeatherYear:
    """A year by plain waves, by UTC hours, with the sun of Beijing."""
    sun = sky()
    season = -np.cos(2.0 * np.pi * HOURS / 8760.0)
    dry = 12.0 + 14.0 * season + 5.0 * np.cos(2.0 * np.pi * (HOURS % 24 - 6.5) / 24.0)
    humid = 0.55 + 0.2 * season - 0.1 * np.cos(2.0 * np.pi * (HOURS % 24 - 6.5) / 24.0)
    wind = 3.0 + 2.0 * np.sin(HOURS / 31.0)
    pressure = np.full(8760, 100800.0) + 400.0 * np.cos(HOURS / 97.0)
    return weather_year(dry, humid, pressure, sun.ghi_w_m2, sun.dni_w_m2, sun.dhi_w_m2, wind)


def epw_lines(offset: float = OFFSET, leap: bool = False, **changes: Any) -> list[str]:
    """A small EPW file: dry bulb counts the hours of the local day; `c13=9999` sets column 13 throughout."""
    return list(_epw_lines(offset, leap, tuple(sorted(changes.items()))))


@lru_cache(maxsize=16)
def _epw_lines(offset: float, leap: bool, changed: tuple[tuple[str, Any], ...]) -> tuple[str, ...]:
    changes = dict(changed)
    values = {6: 0.0, 7: 5.0, 8: 50.0, 9: 100000.0, 13: 0.0, 14: 0.0, 15: 0.0, 21: 2.0}
    values |= {int(key[1:]): value for key, value in changes.items()}
    head = ["TYPICAL/EXTREME PERIODS,0", "GROUND TEMPERATURES,0", "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0"]
    lines = [
        f"LOCATION,Test,XX,XXX,made,1,{LATITUDE},{LONGITUDE},{offset},30.0",
        "DESIGN CONDITIONS,0",
        *head,
    ]
    lines += ["COMMENTS 1,a", "COMMENTS 2,b", "DATA PERIODS,1,1,Data,Sunday, 1/ 1,12/31"]
    first = dt.date(2024 if leap else 2025, 1, 1)
    for number in range(366 if leap else 365):
        day = first + dt.timedelta(days=number)
        for hour in range(24):
            cells = [str(day.year), str(day.month), str(day.day), str(hour + 1), "0", "?"] + ["0"] * 29
            for place, value in values.items():
                cells[place] = str(value)
            if "c6" not in changes:
                cells[6] = str(hour)
            lines.append(",".join(cells))
    return tuple(lines)


def epw(folder: Path, lines: list[str] | None = None, **changes: Any) -> Path:
    """An EPW file of lines, or of `epw_lines`."""
    path = folder / "made.epw"
    path.write_text("\r\n".join(lines if lines is not None else epw_lines(**changes)) + "\r\n")
    return path


def set_cells(lines: list[str], hours: range, place: int, value: str) -> None:
    """Change a column in some hours of the file."""
    for hour in hours:
        cells = lines[8 + hour].split(",")
        cells[place] = value
        lines[8 + hour] = ",".join(cells)


def set_columns(lines: list[str], columns: dict[int, np.ndarray]) -> None:
    """Put whole series, by local hours, into columns of the file."""
    for hour in range(8760):
        cells = lines[8 + hour].split(",")
        for place, values in columns.items():
            cells[place] = f"{values[hour]:.2f}"
        lines[8 + hour] = ",".join(cells)


def sunny_lines(sun: Radiation) -> list[str]:
    """An EPW file with radiation, told by UTC hours."""
    lines = epw_lines()
    parts = {13: sun.ghi_w_m2, 14: sun.dni_w_m2, 15: sun.dhi_w_m2}
    set_columns(lines, {place: to_local(values, OFFSET) for place, values in parts.items()})
    return lines


def pvgis_answer(offset_h: float | None = 0.5) -> dict[str, Any]:
    """A typical year of PVGIS holding `known_year`, its radiation at `offset_h` after each stamp."""
    location: dict[str, Any] = {"latitude": LATITUDE, "longitude": LONGITUDE, "elevation": 30.0}
    if offset_h is not None:
        location["irradiance_time_offset"] = offset_h
    return {
        "inputs": {"location": location, "meteo_data": {"radiation_db": "PVGIS-SARAH3"}},
        "outputs": {
            "months_selected": [{"month": month, "year": 2005 + month} for month in range(1, 13)],
            "tmy_hourly": [dict(row) for row in _pvgis_rows(0.5 if offset_h is None else offset_h)],
        },
        "meta": {},
    }


@lru_cache(maxsize=8)
def _pvgis_rows(offset_h: float) -> list[dict[str, Any]]:
    year = known_year()
    sun = sky(late_h=0.5 - offset_h)
    series = {
        "T2m": year.dry_bulb_c,
        "RH": year.relative_humidity * 100.0,
        "G(h)": sun.ghi_w_m2,
        "Gb(n)": sun.dni_w_m2,
        "Gd(h)": sun.dhi_w_m2,
        "IR(h)": np.full(8760, 300.0),
        "WS10m": year.wind_speed_ms,
        "WD10m": np.full(8760, 180.0),
        "SP": year.pressure_pa,
    }
    rows = []
    for hour in range(8760):
        at = dt.datetime(2019, 1, 1) + dt.timedelta(hours=hour)
        row: dict[str, Any] = {"time(UTC)": f"{2005 + at.month}{at:%m%d:%H%M}"}
        rows.append(row | {name: round(float(values[hour]), 4) for name, values in series.items()})
    return rows


def open_meteo_answer(first: str = "2023-01-01", hours: int = 8760, **changes: Any) -> dict[str, Any]:
    """An answer of Open-Meteo in UTC holding `known_year`, as it is asked for; series may be replaced."""
    year, start = known_year(), dt.datetime.fromisoformat(first)
    ring = np.arange(hours) % 8760
    before = (ring - 1) % 8760
    hourly: dict[str, Any] = {
        "time": [f"{start + dt.timedelta(hours=hour):%Y-%m-%dT%H:%M}" for hour in range(hours)],
        "temperature_2m": np.round(year.dry_bulb_c[ring], 4).tolist(),
        "relative_humidity_2m": np.round(year.relative_humidity[ring] * 100.0, 4).tolist(),
        "surface_pressure": np.round(year.pressure_pa[ring] / 100.0, 4).tolist(),
        "shortwave_radiation": np.round(year.ghi_w_m2[before], 4).tolist(),
        "direct_normal_irradiance": np.round(year.dni_w_m2[before], 4).tolist(),
        "diffuse_radiation": np.round(year.dhi_w_m2[before], 4).tolist(),
        "wind_speed_10m": np.round(year.wind_speed_ms[ring], 4).tolist(),
    }
    hourly |= changes
    return {
        "latitude": LATITUDE,
        "longitude": LONGITUDE,
        "elevation": 30.0,
        "utc_offset_seconds": 0,
        "timezone": "GMT",
        "hourly_units": {"wind_speed_10m": "m/s", "temperature_2m": "°C"},
        "hourly": {name: values for name, values in hourly.items() if values is not None},
    }


def saved(folder: Path, answer: Any, name: str = "answer.json") -> Path:
    """A JSON answer as a file."""
    path = folder / name
    path.write_text(json.dumps(answer), encoding="utf-8")
    return path
