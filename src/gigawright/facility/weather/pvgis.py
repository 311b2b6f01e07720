"""PVGIS of the European Commission's Joint Research Centre: its typical year, and its hourly series, as JSON.

Fields as PVGIS itself describes them (the answer's own `meta`); since December 2024 the place of a typical
year carries `irradiance_time_offset`, the hours after its stamp for which a line's radiation holds: some
minutes for satellites (SARAH), half an hour for the means of ERA5.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.clock import HOURS_PER_YEAR
from gigawright.errors import CatalogueError
from gigawright.facility.weather import psychrometrics
from gigawright.facility.weather.hours import Findings, Layout, filled, placed, within
from gigawright.facility.weather.sun import sun_year
from gigawright.facility.weather.timing import Radiation, beam_of_level, lag_of, moved
from gigawright.facility.weather.year import WeatherYear, weather_year
from gigawright.facility.weather.years import TYPICAL, Place, WeatherFile, WeatherYears, each_year

# What is read, its unit and the values that are allowed.
FIELDS = {
    "T2m": (-90.0, 65.0, "C"),
    "RH": (0.0, 110.0, "%"),
    "G(h)": (-1.0, 1500.0, "W/m2"),
    "Gb(n)": (-1.0, 1500.0, "W/m2"),
    "Gd(h)": (-1.0, 1500.0, "W/m2"),
    "WS10m": (0.0, 75.0, "m/s"),
    "SP": (31000.0, 120000.0, "Pa"),
}
SERIES_FIELDS = ("T2m", "Gb(i)", "Gd(i)", "WS10m")
MIDDLE_H = 0.5
# Assumption: global and beam that meet within this tell the minute of an answer without the offset.
MEETING_W_M2 = 8.0


def is_pvgis(answer: Any) -> bool:
    """Whether a JSON answer looks like one of PVGIS."""
    outputs = answer.get("outputs") if isinstance(answer, dict) else None
    return isinstance(outputs, dict) and ("tmy_hourly" in outputs or "hourly" in outputs)


def read_pvgis(path: Path) -> WeatherFile:
    """A typical year (`tmy`) or an hourly series (`seriescalc`) of PVGIS, saved as JSON; see `of_pvgis`."""
    try:
        answer = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise CatalogueError(f"{path} is not whole JSON: {error}") from error
    return of_pvgis(answer, str(path))


def of_pvgis(answer: Any, source: str) -> WeatherFile:
    """The year or years of an answer of PVGIS, UTC hours, radiation put on the middle of its hours.

    Gaps up to 6 hours are filled. A series has no humidity: the dew point is the day's lowest temperature
    (Allen et al., FAO Irrigation and Drainage Paper 56, eq. 48), pressure the standard one: both are noted.
    Raises CatalogueError, with all problems, on anything else, or on a series in a tilted plane.
    """
    if not is_pvgis(answer):
        raise CatalogueError(
            f"{source} is not an answer of PVGIS: it has neither outputs.tmy_hourly (of tmy) nor "
            "outputs.hourly (of seriescalc)"
        )
    place = _place(answer, source)
    if "tmy_hourly" in answer["outputs"]:
        return _typical(answer, place, source)
    return _series(answer, place, source)


def _place(answer: Mapping[str, Any], source: str) -> Place:
    try:
        location = answer["inputs"]["location"]
        latitude, longitude = float(location["latitude"]), float(location["longitude"])
        elevation = float(location.get("elevation") or 0.0)
    except (KeyError, TypeError, ValueError) as error:
        raise CatalogueError(
            f"{source}: inputs.location must have latitude, longitude and elevation as numbers: {error!r}"
        ) from error
    return Place(latitude, longitude, elevation, float(round(longitude / 15.0)))


def _database(answer: Mapping[str, Any]) -> str:
    return str(answer["inputs"].get("meteo_data", {}).get("radiation_db", ""))


def _typical(answer: Mapping[str, Any], place: Place, source: str) -> WeatherFile:
    findings = Findings(source)
    rows = answer["outputs"]["tmy_hourly"]
    stamps = _stamps(rows, "time(UTC)", findings)
    layout = placed(stamps[:, 1], stamps[:, 2], stamps[:, 3], findings)
    findings.check()
    known = {name: _column(rows, name, layout, findings) for name in FIELDS}
    findings.check()
    radiation = _radiation(known["G(h)"], known["Gb(n)"], known["Gd(h)"], place, findings)
    dry, humid, wind, pressure = (
        filled(known[name], name, findings) for name in ("T2m", "RH", "WS10m", "SP")
    )
    findings.check()
    late_h = MIDDLE_H - _offset_h(answer, radiation, place, findings)
    sun = moved(radiation, place.latitude, place.longitude, late_h)
    weather = weather_year(dry, humid / 100.0, pressure, sun.ghi_w_m2, sun.dni_w_m2, sun.dhi_w_m2, wind)
    chosen = answer["outputs"].get("months_selected") or ()
    if chosen:
        findings.note("months of " + ", ".join(str(month.get("year")) for month in chosen))
    kind = f"PVGIS typical year, {_database(answer) or 'radiation of an unknown source'}"
    return WeatherFile(source, kind, place, WeatherYears((TYPICAL,), (weather,)), tuple(findings.notes))


def _stamps(rows: Any, name: str, findings: Findings) -> Any:
    """Year, month, day, hour and minute of each row. Shape (rows, 5)."""
    wrong, stamps = [], []
    for number, row in enumerate(rows):
        try:
            at = dt.datetime.strptime(row[name], "%Y%m%d:%H%M")
        except (KeyError, TypeError, ValueError):
            wrong.append((number, row.get(name) if isinstance(row, dict) else row))
            continue
        stamps.append((at.year, at.month, at.day, at.hour, at.minute))
    if wrong or not stamps:
        first = f", the first is row {wrong[0][0]} with {wrong[0][1]!r}" if wrong else ""
        findings.problem(f"{name!r} must be YYYYMMDD:HHMM in every row; {len(wrong)} are not{first}")
        findings.check()
    return np.array(stamps, dtype=np.int64)


def _column(
    rows: Sequence[Mapping[str, Any]], name: str, layout: Layout, findings: Findings, limits: str = ""
) -> Floats:
    """One field on the year's hours, NaN where it is null."""
    try:
        values = np.array([row[name] for row in rows], dtype=np.float64)
    except KeyError:
        there = ", ".join(sorted(key for key in rows[0] if not key.startswith("time")))
        findings.problem(f"{name!r} is not in every row; the first has {there}")
        return np.full(HOURS_PER_YEAR, np.nan)
    except (TypeError, ValueError) as error:
        findings.problem(f"{name!r} is not always a number: {error}")
        return np.full(HOURS_PER_YEAR, np.nan)
    hours = layout.spread(values)
    low, high, unit = FIELDS[limits or name]
    within(hours, low, high, name, unit, findings)
    return hours


def _radiation(ghi: Floats, dni: Floats, dhi: Floats, place: Place, findings: Findings) -> Radiation:
    """The three series without gaps and without the small negatives of a satellite's night."""
    sun = sun_year(place.latitude, place.longitude)
    shining = np.where(sun.extraterrestrial_w_m2 > 0.0, sun.normal_w_m2, 0.0)
    return Radiation(
        np.maximum(filled(ghi, "global irradiance", findings, sun.extraterrestrial_w_m2), 0.0),
        np.maximum(filled(dni, "beam irradiance", findings, shining), 0.0),
        np.maximum(filled(dhi, "diffuse irradiance", findings, sun.extraterrestrial_w_m2), 0.0),
    )


def _offset_h(answer: Mapping[str, Any], radiation: Radiation, place: Place, findings: Findings) -> float:
    """Hours after its stamp for which a line's radiation holds: told, or found from global and beam."""
    told = answer["inputs"]["location"].get("irradiance_time_offset")
    if isinstance(told, (int, float)) and 0.0 <= told <= 1.0:
        return float(told)
    lag = lag_of(radiation, place.latitude, place.longitude)
    if lag.misfit_w_m2 <= MEETING_W_M2:
        offset = MIDDLE_H - lag.split_h
        findings.note(f"radiation holds {offset * 60:.0f} minutes after its stamp, by its global and beam")
        return offset
    findings.note(
        "radiation is taken to hold at the middle of its hours: the answer does not tell its minute"
    )
    return MIDDLE_H


def _series(answer: Mapping[str, Any], place: Place, source: str) -> WeatherFile:
    """The calendar years of an hourly series on the horizontal."""
    findings = Findings(source)
    rows = answer["outputs"]["hourly"]
    _check_horizontal(answer, rows, findings)
    stamps = _stamps(rows, "time", findings)
    findings.check()

    def read(lines: Ints, own: Findings) -> WeatherYear:
        return _series_year([rows[line] for line in lines], stamps[lines], place, own)

    years = each_year(stamps[:, 0], read, findings)
    findings.note(
        "no humidity in the series: dew point taken as each day's lowest temperature (FAO 56, eq. 48)"
    )
    findings.note("no pressure in the series: the standard atmosphere at the elevation")
    kind = f"PVGIS hourly series, {_database(answer) or 'radiation of an unknown source'}"
    return WeatherFile(source, kind, place, years, tuple(findings.notes))


def _check_horizontal(answer: Mapping[str, Any], rows: Sequence[Any], findings: Findings) -> None:
    mounting = answer["inputs"].get("mounting_system", {})
    slope = (mounting.get("fixed") or {}).get("slope", {}).get("value") if "fixed" in mounting else None
    if mounting and slope != 0:
        told = f"{slope} degrees" if slope is not None else "a tracking system"
        findings.problem(f"the plane is {told}; ask seriescalc for angle=0 with components=1")
    missing = [name for name in SERIES_FIELDS if rows and name not in rows[0]]
    if missing:
        lacks = ", ".join(missing)
        findings.problem(f"the rows lack {lacks}; ask seriescalc for angle=0 with components=1")
    findings.check()


def _series_year(
    rows: Sequence[Mapping[str, Any]], stamps: Any, place: Place, findings: Findings
) -> WeatherYear:
    layout = placed(stamps[:, 1], stamps[:, 2], stamps[:, 3], findings)
    findings.check()
    beam = _column(rows, "Gb(i)", layout, findings, "Gb(n)")
    dhi = _column(rows, "Gd(i)", layout, findings, "Gd(h)")
    dry = filled(_column(rows, "T2m", layout, findings), "T2m", findings)
    wind = filled(_column(rows, "WS10m", layout, findings), "WS10m", findings)
    findings.check()
    late_h = MIDDLE_H - float(np.median(stamps[:, 4])) / 60.0
    sun = _of_level_beam(beam, dhi, late_h, place, findings)
    findings.check()
    day = np.roll(dry, round(place.utc_offset_h)).reshape(-1, 24).min(axis=1)
    dew = np.roll(np.repeat(day, 24), -round(place.utc_offset_h))
    pressure = psychrometrics.saturation_pressure_pa
    humid = np.minimum(pressure(dew) / pressure(dry), 1.0)
    level = np.full(HOURS_PER_YEAR, psychrometrics.standard_pressure_pa(place.elevation_m))
    return weather_year(dry, humid, level, sun.ghi_w_m2, sun.dni_w_m2, sun.dhi_w_m2, wind)


def _of_level_beam(beam: Floats, dhi: Floats, late_h: float, place: Place, findings: Findings) -> Radiation:
    """Radiation of a beam on the horizontal: at right angles it is that over the sine of the sun's height."""
    sun = sun_year(place.latitude, place.longitude).extraterrestrial_w_m2
    beam = np.maximum(filled(beam, "Gb(i)", findings, sun), 0.0)
    dhi = np.maximum(filled(dhi, "Gd(i)", findings, sun), 0.0)
    told = beam_of_level(beam, dhi, place.latitude, place.longitude, late_h)
    return moved(told, place.latitude, place.longitude, late_h)
