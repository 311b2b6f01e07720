"""Weather files of EnergyPlus (EPW), read hour by hour and written.

Columns, units and what says missing: EnergyPlus, Auxiliary Programs, "EnergyPlus Weather File (EPW) Data
Dictionary".
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gigawright.arrays import Floats
from gigawright.clock import HOURS_PER_YEAR
from gigawright.errors import CatalogueError
from gigawright.facility.weather import psychrometrics
from gigawright.facility.weather.hours import Findings, Layout, filled, hour_words, placed, within
from gigawright.facility.weather.sun import sun_year
from gigawright.facility.weather.timing import Radiation, on_time
from gigawright.facility.weather.year import WeatherYear, decompose_ghi, to_local, to_utc, weather_year
from gigawright.facility.weather.years import TYPICAL, Place, WeatherFile, WeatherYears

HEADER_LINES = 8
FIELDS = 35
# Column, what says missing, and the values that are allowed.
COLUMNS = {
    "dry_bulb_c": (6, 99.9, -70.0, 70.0, "C"),
    "dew_point_c": (7, 99.9, -80.0, 70.0, "C"),
    "relative_humidity_pct": (8, 999.0, 0.0, 110.0, "%"),
    "pressure_pa": (9, 999999.0, 31000.0, 120000.0, "Pa"),
    "ghi_w_m2": (13, 9999.0, 0.0, 1500.0, "W/m2"),
    "dni_w_m2": (14, 9999.0, 0.0, 1500.0, "W/m2"),
    "dhi_w_m2": (15, 9999.0, 0.0, 1500.0, "W/m2"),
    "wind_speed_ms": (21, 999.0, 0.0, 60.0, "m/s"),
}
LAST_COLUMN = 21
SUN = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2")
# A dew point that stands out of its own year: assumption, 6 K above what 99 % of the hours keep below. Five
# typical years reach 2 to 5 K, Phoenix (10 July 2014) 9 K.
ODD_DEW_POINT_K, COMMON_SHARE = 6.0, 0.99


def read_epw(path: Path) -> WeatherYear:
    """A weather file of EnergyPlus as UTC hours; `read_epw_file` also tells its place and notes."""
    return read_epw_file(path).weather


def read_epw_place(path: Path) -> Place:
    """Where an EPW file is from, by its first line. Raises CatalogueError where that is no LOCATION."""
    with Path(path).open(encoding="utf-8", errors="replace", newline="") as stream:
        return _place(Path(path), next(csv.reader(stream), []))


def read_epw_file(path: Path) -> WeatherFile:
    """A weather file of EnergyPlus, as UTC hours with its place and what was done to it.

    EPW's hour 1 is the hour that ends at 01:00 local standard time, so it is the hour beginning at 0.
    29 February is dropped. Put right and noted: lines in another order, a file in local summer time, several
    records an hour (their mean), gaps up to 6 hours, radiation that is surely half an hour off, and columns
    missing throughout where others tell them (humidity by dew point, global by its parts, parts by the
    global, pressure by elevation). Values are else taken as they stand; odd dew points are noted.

    Raises CatalogueError with all problems of a file that is no whole EPW year or has impossible values.
    """
    path = Path(path)
    with path.open(encoding="utf-8", errors="replace", newline="") as stream:
        rows = list(csv.reader(stream))
    place = _place(path, rows[0] if rows else [])
    findings = Findings(str(path))
    body = [(number, row) for number, row in enumerate(rows[HEADER_LINES:], HEADER_LINES + 1) if any(row)]
    records = _records(rows[:HEADER_LINES], findings)
    body = _whole_lines(body, findings)
    layout, year_label = _layout(body, records, findings)
    findings.check()
    known = {name: _column(body, layout, name, findings) for name in COLUMNS}
    findings.check()
    weather = _weather(known, place, findings)
    findings.check()
    years = WeatherYears((year_label,), (weather,))
    return WeatherFile(str(path), "EPW", place, years, tuple(findings.notes))


def _place(path: Path, first: list[str]) -> Place:
    if len(first) < 10 or first[0].strip().lstrip("\ufeff").upper() != "LOCATION":
        raise CatalogueError(
            f"{path} is not an EPW file: its first line does not begin with LOCATION, city, state, country, "
            "source, number, latitude, longitude, hours from UTC, elevation"
        )
    try:
        latitude, longitude, offset, elevation = (float(cell) for cell in first[6:10])
    except ValueError as error:
        raise CatalogueError(
            f"{path}: latitude, longitude, hours from UTC and elevation in line 1 must be numbers, not "
            f"{', '.join(map(repr, first[6:10]))}"
        ) from error
    if not (abs(latitude) <= 90.0 and abs(longitude) <= 180.0 and -12.0 <= offset <= 14.0):
        raise CatalogueError(
            f"{path}: line 1 has latitude {latitude:g}, longitude {longitude:g}, {offset:g} hours from UTC; "
            "allowed are -90 to 90, -180 to 180, -12 to 14"
        )
    return Place(latitude, longitude, elevation, offset, first[1].strip())


def _records(header: list[list[str]], findings: Findings) -> int:
    """Records an hour, by the line DATA PERIODS."""
    line = next((row for row in header if row and row[0].strip().upper() == "DATA PERIODS"), None)
    if line is None or len(line) < 3:
        return 1
    try:
        periods, records = int(line[1]), int(line[2])
    except ValueError:
        findings.problem(
            f"DATA PERIODS has {line[1]!r} periods of {line[2]!r} records an hour, not two numbers"
        )
        return 1
    if periods != 1:
        findings.problem(f"DATA PERIODS tells of {periods} periods; a file must hold one, of a whole year")
    if records > 1:
        findings.note(f"{records} records an hour, of which the mean is taken")
    return max(records, 1)


def _whole_lines(body: list[tuple[int, list[str]]], findings: Findings) -> list[tuple[int, list[str]]]:
    """Lines with the columns that are read; shorter ones are a problem, told with the first."""
    short = [(number, len(row)) for number, row in body if len(row) <= LAST_COLUMN]
    if short:
        number, cells = short[0]
        findings.problem(
            f"{len(short)} lines are cut short, the first is line {number} with {cells} fields of {FIELDS}"
        )
    return [(number, row) for number, row in body if len(row) > LAST_COLUMN]


def _layout(body: list[tuple[int, list[str]]], records: int, findings: Findings) -> tuple[Layout, str]:
    """Where each line belongs, and the label of the year: its own, or `typical` where months differ."""
    dates, wrong = np.zeros((len(body), 4), dtype=np.int64), []
    for place, (number, row) in enumerate(body):
        try:
            dates[place] = [int(float(cell)) for cell in row[:4]]
        except ValueError:
            wrong.append((number, row[:4]))
    if wrong:
        number, cells = wrong[0]
        findings.problem(
            f"{len(wrong)} lines do not begin with year, month, day, hour, the first is line {number}: "
            f"{', '.join(cells)}"
        )
        findings.check()
    year, month, day, hour = dates.T
    if len(hour) and hour.min() == 0 and hour.max() == 23:
        findings.problem("hours are counted 0 to 23; an EPW file counts 1 to 24, each by its end")
        findings.check()
    layout = placed(month, day, hour - 1, findings, records)
    own = np.unique(year)
    return layout, str(int(own[0])) if len(own) == 1 else TYPICAL


def _column(body: list[tuple[int, list[str]]], layout: Layout, name: str, findings: Findings) -> Floats:
    """A column on the hours of the local year, NaN where it is missing."""
    place, missing, low, high, unit = COLUMNS[name]
    values, wrong = np.empty(len(body)), []
    for line, (number, row) in enumerate(body):
        text = row[place].strip()
        try:
            values[line] = float(text) if text else np.nan
        except ValueError:
            values[line] = np.nan
            wrong.append((number, text))
    if wrong:
        findings.problem(
            f"{name}, column {place + 1}, is no number in {len(wrong)} lines, the first is line "
            f"{wrong[0][0]}: {wrong[0][1]!r}"
        )
    hours = layout.spread(np.where(values >= missing, np.nan, values))
    within(hours, low, high, name, unit, findings)
    return hours


def _weather(known: dict[str, Floats], place: Place, findings: Findings) -> WeatherYear:
    """The year of what the columns tell, gaps filled, in UTC."""
    series = {name: to_utc(values, place.utc_offset_h) for name, values in known.items()}
    dry = filled(series["dry_bulb_c"], "dry_bulb_c", findings)
    pressure = _or_else(
        series["pressure_pa"],
        lambda: np.full(HOURS_PER_YEAR, psychrometrics.standard_pressure_pa(place.elevation_m)),
        "pressure_pa: none in the file, the standard atmosphere at its elevation",
        findings,
    )
    humid = _or_else(
        series["relative_humidity_pct"],
        lambda: _humidity_of_dew_point(dry, series["dew_point_c"]),
        "relative_humidity_pct: none in the file, by its dew point",
        findings,
    )
    wind = filled(series["wind_speed_ms"], "wind_speed_ms", findings)
    humid = filled(humid, "relative_humidity_pct", findings) / 100.0
    pressure = filled(pressure, "pressure_pa", findings)
    sun = _radiation({name: series[name] for name in SUN}, place, findings)
    findings.check()
    weather = weather_year(dry, humid, pressure, sun.ghi_w_m2, sun.dni_w_m2, sun.dhi_w_m2, wind)
    _note_odd_humidity(weather, place, findings)
    return weather


def _or_else(values: Floats, other: Callable[[], Floats], note: str, findings: Findings) -> Floats:
    """A series, or what stands in for it where the file has none of it."""
    if np.isfinite(values).any():
        return values
    findings.note(note)
    return other()


def _humidity_of_dew_point(dry: Floats, dew: Floats) -> Floats:
    """Relative humidity [%] by dry bulb and dew point: the ratio of their saturation pressures."""
    pressure = psychrometrics.saturation_pressure_pa
    return np.minimum(100.0 * pressure(np.nan_to_num(dew)) / pressure(dry), 100.0) + 0.0 * dew


def _radiation(series: dict[str, Floats], place: Place, findings: Findings) -> Radiation:
    """Global, beam and diffuse; what is missing throughout follows from the others."""
    ghi, dni, dhi = (series[name] for name in SUN)
    sun = sun_year(place.latitude, place.longitude)
    has = {name: bool(np.isfinite(values).any()) for name, values in series.items()}
    if not has["ghi_w_m2"] and has["dni_w_m2"] and has["dhi_w_m2"]:
        findings.note("ghi_w_m2: none in the file, by beam and diffuse")
        ghi = dhi + dni * np.maximum(np.cos(np.radians(sun.zenith_deg)), 0.0)
    ghi = filled(ghi, "ghi_w_m2", findings, sun.extraterrestrial_w_m2)
    if not (has["dni_w_m2"] and has["dhi_w_m2"]):
        findings.note("dni_w_m2, dhi_w_m2: not in the file, split off the global one after Erbs (1982)")
        dni, dhi = decompose_ghi(ghi, place.latitude, place.longitude)
        return Radiation(ghi, dni, dhi)
    shining = np.where(sun.extraterrestrial_w_m2 > 0.0, sun.normal_w_m2, 0.0)
    dni = filled(dni, "dni_w_m2", findings, shining)
    dhi = filled(dhi, "dhi_w_m2", findings, sun.extraterrestrial_w_m2)
    if findings.problems:
        return Radiation(ghi, dni, dhi)
    # `to_utc` rounds a zone of half hours to the hour, which sets its sun half an hour off.
    known_h = place.utc_offset_h - round(place.utc_offset_h)
    return on_time(Radiation(ghi, dni, dhi), place.latitude, place.longitude, findings, known_h)


def _note_odd_humidity(weather: WeatherYear, place: Place, findings: Findings) -> None:
    """Tell of dew points that stand far out of their year, which are kept."""
    vapour = weather.relative_humidity * psychrometrics.saturation_pressure_pa(weather.dry_bulb_c)
    dew = to_local(psychrometrics.dew_point_c(vapour), place.utc_offset_h)
    common = float(np.quantile(dew, COMMON_SHARE))
    odd = dew > common + ODD_DEW_POINT_K
    if odd.any():
        findings.note(
            f"dew points up to {dew.max():.1f} C in {int(odd.sum())} hours, the first "
            f"{hour_words(int(odd.argmax()))}, stand out of a year that keeps below {common:.1f} C in 99 % "
            "of its hours; left as they are"
        )
