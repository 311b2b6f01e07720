"""Open-Meteo's hourly JSON, of its historical archive or its forecast.

Radiation is a mean over the hour before its stamp, the rest holds at the stamp (open-meteo.com/en/docs). A
series has one offset from UTC throughout, that of the day it was asked, also across summer time.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.clock import HOURS_PER_YEAR
from gigawright.errors import CatalogueError
from gigawright.facility.weather import psychrometrics
from gigawright.facility.weather.hours import Findings, Layout, filled, placed, within
from gigawright.facility.weather.sun import sun_year
from gigawright.facility.weather.timing import Radiation, moved
from gigawright.facility.weather.year import WeatherYear, decompose_ghi, to_utc, weather_year
from gigawright.facility.weather.years import Place, WeatherFile, each_year

# Kasten and Czeplak (1980), Solar Energy 24, 177-189: GHI = clear sky x (1 - 0.75 cloud^3.4).
CLOUD_LOSS, CLOUD_POWER = 0.75, 3.4
MS_PER_UNIT = {"m/s": 1.0, "km/h": 1.0 / 3.6, "mp/h": 0.44704, "kn": 0.514444}
# Spellings of a series, today's first.
SPELLINGS = {
    "dry bulb": ("temperature_2m",),
    "relative humidity": ("relative_humidity_2m", "relativehumidity_2m"),
    "wind": ("wind_speed_10m", "windspeed_10m"),
    "pressure": ("surface_pressure",),
    "global": ("shortwave_radiation",),
    "beam": ("direct_normal_irradiance",),
    "diffuse": ("diffuse_radiation",),
    "cloud": ("cloud_cover", "cloudcover"),
}
NEEDED = ("dry bulb", "relative humidity", "wind")
# What series that may be there can be at most, in SI units; pressure and light as in an EPW file, with room
# for a model's rounding below 0.
LIMITS = {
    "pressure": (31000.0, 120000.0, "Pa"),
    "global": (-5.0, 1500.0, "W/m2"),
    "beam": (-5.0, 1500.0, "W/m2"),
    "diffuse": (-5.0, 1500.0, "W/m2"),
    "cloud": (0.0, 100.0, "%"),
}


def is_open_meteo(answer: Any) -> bool:
    """Whether a JSON answer looks like one of Open-Meteo."""
    hourly = answer.get("hourly") if isinstance(answer, dict) else None
    return isinstance(hourly, dict) and "time" in hourly


def read_open_meteo(path: Path) -> WeatherYear:
    """One calendar year of Open-Meteo as UTC hours; see `of_open_meteo`, which tells place and notes too."""
    return read_open_meteo_file(path).weather


def read_open_meteo_file(path: Path) -> WeatherFile:
    """An hourly answer of Open-Meteo saved as JSON; see `of_open_meteo`."""
    try:
        answer = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise CatalogueError(f"{path} is not whole JSON: {error}") from error
    return of_open_meteo(answer, str(path))


def of_open_meteo(answer: Any, source: str) -> WeatherFile:
    """The calendar years of an hourly answer of Open-Meteo, as UTC hours.

    Needs temperature_2m, relative_humidity_2m and wind_speed_10m (older spellings too). Radiation is
    `shortwave_radiation`, split by `direct_normal_irradiance` and `diffuse_radiation` or after Erbs; without
    it, it is derived from cloud cover after Kasten and Czeplak (1980), a third low under thin tropical cloud.
    Pressure is `surface_pressure`, else the standard one. 29 February is dropped, gaps up to 6 hours filled.
    Raises CatalogueError, with all problems of the answer, on anything else.
    """
    findings = Findings(source)
    try:
        hourly, units = answer["hourly"], answer.get("hourly_units") or {}
        stamps, offset = _stamps(hourly["time"], float(answer.get("utc_offset_seconds") or 0.0) / 3600.0)
        place = _place(answer)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CatalogueError(f"{source} is not an hourly answer of Open-Meteo: {error!r}") from error
    series = _series(hourly, units, len(stamps), findings)
    findings.check()

    def read(lines: Ints, own: Findings) -> WeatherYear:
        layout = placed(stamps[lines, 1], stamps[lines, 2], stamps[lines, 3], own)
        own.check()
        hours_from_utc = place.utc_offset_h if layout.summer_time else offset
        told = {name: values[lines] for name, values in series.items()}
        return _year(told, layout, hours_from_utc, place, own)

    years = each_year(stamps[:, 0], read, findings)
    return WeatherFile(source, "Open-Meteo", place, years, tuple(findings.notes))


def _stamps(times: list[Any], offset_h: float) -> tuple[Ints, float]:
    """Year, month, day and hour of each stamp, and hours from UTC; stamps in seconds are UTC."""
    if times and isinstance(times[0], (int, float)):
        at = [dt.datetime.fromtimestamp(seconds, tz=dt.UTC) for seconds in times]
        offset_h = 0.0
    else:
        at = [dt.datetime.fromisoformat(text) for text in times]
    if not at:
        raise ValueError("it has no hours")
    return np.array([(one.year, one.month, one.day, one.hour) for one in at], dtype=np.int64), offset_h


def _place(answer: Mapping[str, Any]) -> Place:
    """Where it is; standard time by the name of its zone, else by its longitude."""
    latitude, longitude = float(answer["latitude"]), float(answer["longitude"])
    offset = standard_offset_h(str(answer.get("timezone", "")))
    if offset is None:
        offset = float(round(longitude / 15.0))
    return Place(latitude, longitude, float(answer.get("elevation") or 0.0), offset)


def standard_offset_h(zone: str) -> float | None:
    """Hours from UTC of a named zone's standard time; None for UTC, which tells no place, and unknown names.

    >>> standard_offset_h("Asia/Singapore"), standard_offset_h("GMT")
    (8.0, None)
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if zone in ("", "GMT", "UTC", "Etc/UTC", "Etc/GMT"):
        return None
    try:
        at = dt.datetime(2025, 1, 1, tzinfo=ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    return ((at.utcoffset() or dt.timedelta()) - (at.dst() or dt.timedelta())).total_seconds() / 3600.0


def _series(
    hourly: Mapping[str, Any], units: Mapping[str, str], count: int, findings: Findings
) -> dict[str, Floats]:
    """Every series there is, in SI units, NaN where it is null."""
    found: dict[str, Floats] = {}
    for what, spellings in SPELLINGS.items():
        name = next((each for each in spellings if each in hourly), None)
        if name is None:
            if what in NEEDED:
                findings.problem(f"{spellings[0]} is missing; the answer has {', '.join(sorted(hourly))}")
            continue
        try:
            values = np.array(hourly[name], dtype=np.float64)
        except (TypeError, ValueError) as error:
            findings.problem(f"{name} is not always a number: {error}")
            continue
        if values.shape != (count,):
            findings.problem(f"{name} has {values.size} values for {count} hours; the answer is not whole")
            continue
        found[what] = _in_si(values, what, str(units.get(name, "")), name, findings)
    if "global" not in found and "cloud" not in found and not findings.problems:
        findings.problem("neither shortwave_radiation nor cloud_cover is there; ask for shortwave_radiation")
    return found


def _in_si(values: Floats, what: str, unit: str, name: str, findings: Findings) -> Floats:
    """A series in C, %, m/s, Pa or W/m2."""
    if what == "wind":
        if (unit or "km/h") not in MS_PER_UNIT:
            findings.problem(f"{name} is in {unit!r}; known are {', '.join(MS_PER_UNIT)}")
        return values * MS_PER_UNIT.get(unit or "km/h", 1.0)
    if what == "dry bulb" and "F" in unit:
        return np.asarray((values - 32.0) / 1.8)
    return values * 100.0 if what == "pressure" else values


def _year(
    series: Mapping[str, Floats], layout: Layout, offset_h: float, place: Place, findings: Findings
) -> WeatherYear:
    """One year's series, laid on its hours, filled and moved to UTC."""
    known = {what: layout.spread(values) for what, values in series.items()}
    within(known["dry bulb"], -90.0, 65.0, "temperature_2m", "C", findings)
    within(known["relative humidity"], 0.0, 110.0, "relative_humidity_2m", "%", findings)
    within(known["wind"], 0.0, 75.0, "wind speed", "m/s", findings)
    for what, (low, high, unit) in LIMITS.items():
        if what in known:
            within(known[what], low, high, SPELLINGS[what][0], unit, findings)
    # Radiation is stamped at the end of its hour.
    known |= {what: np.roll(known[what], -1) for what in ("global", "beam", "diffuse") if what in known}
    hours = {what: to_utc(values, offset_h) for what, values in known.items()}
    dry = filled(hours["dry bulb"], "temperature_2m", findings)
    humid = filled(hours["relative humidity"], "relative_humidity_2m", findings) / 100.0
    wind = filled(hours["wind"], "wind_speed_10m", findings)
    if "pressure" in hours:
        pressure = filled(hours["pressure"], "surface_pressure", findings)
    else:
        findings.note("surface_pressure: none in the answer, the standard atmosphere at its elevation")
        pressure = np.full(HOURS_PER_YEAR, psychrometrics.standard_pressure_pa(place.elevation_m))
    sun = _radiation(hours, place, findings)
    findings.check()
    sun = moved(sun, place.latitude, place.longitude, offset_h - round(offset_h))
    return weather_year(dry, humid, pressure, sun.ghi_w_m2, sun.dni_w_m2, sun.dhi_w_m2, wind)


def _radiation(hours: Mapping[str, Floats], place: Place, findings: Findings) -> Radiation:
    """Global, beam and diffuse, as told or derived."""
    sun = sun_year(place.latitude, place.longitude)
    if "global" not in hours:
        findings.note("shortwave_radiation: none in the answer, by cloud cover (Kasten and Czeplak 1980)")
        cloud = np.clip(filled(hours["cloud"], "cloud_cover", findings) / 100.0, 0.0, 1.0)
        ghi = np.asarray(sun.clear_sky_w_m2 * (1.0 - CLOUD_LOSS * cloud**CLOUD_POWER))
    else:
        ghi = filled(hours["global"], "shortwave_radiation", findings, sun.extraterrestrial_w_m2)
        ghi = np.maximum(ghi, 0.0)
    if "global" in hours and "beam" in hours and "diffuse" in hours:
        shining = np.where(sun.extraterrestrial_w_m2 > 0.0, sun.normal_w_m2, 0.0)
        dni = filled(hours["beam"], "direct_normal_irradiance", findings, shining)
        dhi = filled(hours["diffuse"], "diffuse_radiation", findings, sun.extraterrestrial_w_m2)
        return Radiation(ghi, np.maximum(dni, 0.0), np.maximum(dhi, 0.0))
    dni, dhi = decompose_ghi(ghi, place.latitude, place.longitude)
    return Radiation(ghi, dni, dhi)
