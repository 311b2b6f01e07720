"""A year of weather in UTC hours, and the files it may be read from."""

from __future__ import annotations

import csv
import datetime as dt
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigawright.arrays import Floats
from gigawright.clock import HOURS_PER_YEAR
from gigawright.errors import CatalogueError
from gigawright.facility.weather import psychrometrics
from gigawright.facility.weather.sun import sun_year

EPW_HEADER_LINES = 8
# Columns of an EPW line (EnergyPlus Auxiliary Programs, "EPW data dictionary"), and what says missing.
EPW_COLUMNS = {
    "dry_bulb_c": (6, 99.9),
    "relative_humidity_pct": (8, 999.0),
    "pressure_pa": (9, 999999.0),
    "ghi_w_m2": (13, 9999.0),
    "dni_w_m2": (14, 9999.0),
    "dhi_w_m2": (15, 9999.0),
    "wind_speed_ms": (21, 999.0),
}
# Kasten and Czeplak (1980), Solar Energy 24, 177-189: GHI = clear sky x (1 - 0.75 cloud^3.4).
CLOUD_LOSS, CLOUD_POWER = 0.75, 3.4
MS_PER_UNIT = {"m/s": 1.0, "km/h": 1.0 / 3.6, "mp/h": 0.44704, "kn": 0.514444}
LOWEST_HUMIDITY = 0.01


@dataclass(frozen=True, eq=False)
class WeatherYear:
    """Weather by UTC hour-beginning; every array is (8760,), finite and read-only.

    `relative_humidity` is a share (0-1), `humidity_ratio` kg/kg of dry air, wind at 10 m; `dni` and `dhi` are
    beam at right angles and diffuse on the horizontal. Compare two years by their arrays: `==` is identity.
    """

    dry_bulb_c: Floats
    relative_humidity: Floats
    humidity_ratio: Floats
    wet_bulb_c: Floats
    pressure_pa: Floats
    ghi_w_m2: Floats
    dni_w_m2: Floats
    dhi_w_m2: Floats
    wind_speed_ms: Floats

    def __post_init__(self) -> None:
        for field in fields(self):
            values = getattr(self, field.name)
            if values.shape != (HOURS_PER_YEAR,) or not np.isfinite(values).all():
                raise ValueError(f"{field.name} must be {HOURS_PER_YEAR} finite numbers, not {values.shape}")
            values.flags.writeable = False


def weather_year(
    dry_bulb_c: Floats,
    relative_humidity: Floats,
    pressure_pa: Floats,
    ghi_w_m2: Floats,
    dni_w_m2: Floats,
    dhi_w_m2: Floats,
    wind_speed_ms: Floats,
) -> WeatherYear:
    """A WeatherYear from what stations measure; humidity ratio and wet bulb are derived."""
    humid = np.clip(relative_humidity, LOWEST_HUMIDITY, 1.0)
    ratio = psychrometrics.humidity_ratio(dry_bulb_c, humid, pressure_pa)
    return WeatherYear(
        dry_bulb_c=dry_bulb_c,
        relative_humidity=humid,
        humidity_ratio=ratio,
        wet_bulb_c=psychrometrics.wet_bulb_c(dry_bulb_c, ratio, pressure_pa),
        pressure_pa=pressure_pa,
        ghi_w_m2=ghi_w_m2,
        dni_w_m2=dni_w_m2,
        dhi_w_m2=dhi_w_m2,
        wind_speed_ms=wind_speed_ms,
    )


def decompose_ghi(ghi_w_m2: Floats, latitude: float, longitude: float) -> tuple[Floats, Floats]:
    """Beam and diffuse irradiance [W/m2] from the global one, by Erbs, Klein and Duffie (1982). UTC hours."""
    from pvlib import irradiance

    sun = sun_year(latitude, longitude)
    day = np.arange(HOURS_PER_YEAR) // 24 + 1
    parts = irradiance.erbs(ghi_w_m2, sun.zenith_deg, day)
    return np.asarray(parts["dni"]), np.asarray(parts["dhi"])


def to_utc(local: Floats, utc_offset_h: float) -> Floats:
    """A year of local hours as UTC hours: the year is a ring, and half-hour zones are rounded to the hour."""
    return np.roll(local, -round(utc_offset_h))


def to_local(utc: Floats, utc_offset_h: float) -> Floats:
    """A year of UTC hours as local hours, the inverse of `to_utc`."""
    return np.roll(utc, round(utc_offset_h))


def read_epw(path: Path) -> WeatherYear:
    """A weather file of EnergyPlus as UTC hours; 29 February is dropped.

    EPW's hour 1 is the hour that ends at 01:00 local standard time, so line i is the hour beginning at i.
    Values are taken as they stand, also where they contradict each other (Phoenix TMYx says 31 degrees dew
    point on 2014-07-10, which no station there has seen). Raises CatalogueError on a file that is not an
    EPW year, or that lacks values.
    """
    with Path(path).open(encoding="utf-8", errors="replace", newline="") as stream:
        rows = list(csv.reader(stream))
    if len(rows) <= EPW_HEADER_LINES or not rows[0] or rows[0][0] != "LOCATION":
        raise CatalogueError(f"{path} is not an EPW file: its first line does not begin with LOCATION")
    offset = float(rows[0][8])
    hours = [row for row in rows[EPW_HEADER_LINES:] if row and (row[1], row[2]) != ("2", "29")]
    if len(hours) != HOURS_PER_YEAR:
        raise CatalogueError(f"{path} has {len(hours)} hours beside 29 February; a year has {HOURS_PER_YEAR}")
    columns = {name: _epw_column(path, hours, name) for name in EPW_COLUMNS}
    columns["relative_humidity"] = columns.pop("relative_humidity_pct") / 100.0
    return weather_year(**{name: to_utc(values, offset) for name, values in columns.items()})


def _epw_column(path: Path, hours: list[list[str]], name: str) -> Floats:
    place, missing = EPW_COLUMNS[name]
    try:
        values = np.array([float(row[place]) for row in hours])
    except (ValueError, IndexError) as error:
        raise CatalogueError(
            f"{path}: {name}, column {place + 1}, is not always a number: {error}"
        ) from error
    lost = int((values >= missing).sum())
    if lost:
        raise CatalogueError(f"{path}: {name} is missing in {lost} hours; fill them before the file is used")
    return values


def read_open_meteo(path: Path) -> WeatherYear:
    """One calendar year of Open-Meteo's hourly JSON answer as UTC hours; 29 February is dropped.

    Needs temperature_2m, relative_humidity_2m and wind speed at 10 m (old or new spelling). Radiation is
    `shortwave_radiation` (a mean over the hour before its time stamp), else derived from cloud cover after
    Kasten and Czeplak (1980), which is a third low under thin tropical cloud: ask for radiation.
    Pressure is `surface_pressure`, else the standard one at the elevation.
    Raises CatalogueError on anything else.
    """
    try:
        answer = json.loads(Path(path).read_text(encoding="utf-8"))
        times = [dt.datetime.fromisoformat(text) for text in answer["hourly"]["time"]]
        place = float(answer["latitude"]), float(answer["longitude"])
        offset = float(answer["utc_offset_seconds"]) / 3600.0
    except (ValueError, KeyError, TypeError) as error:
        raise CatalogueError(f"{path} is not an hourly answer of Open-Meteo: {error!r}") from error
    keep = np.array([(time.month, time.day) != (2, 29) for time in times], dtype=bool)
    if keep.sum() != HOURS_PER_YEAR or (times[0].month, times[0].day, times[0].hour) != (1, 1, 0):
        raise CatalogueError(f"{path} is not one calendar year: {keep.sum()} hours beside 29 February")
    ghi = _open_meteo_ghi(path, answer, keep, place, offset)
    dni, dhi = decompose_ghi(ghi, *place)
    return weather_year(
        dry_bulb_c=to_utc(_open_meteo(path, answer, keep, "temperature_2m"), offset),
        relative_humidity=to_utc(_open_meteo(path, answer, keep, "relative_humidity_2m") / 100.0, offset),
        pressure_pa=to_utc(_open_meteo_pressure(path, answer, keep), offset),
        ghi_w_m2=ghi,
        dni_w_m2=dni,
        dhi_w_m2=dhi,
        wind_speed_ms=to_utc(_open_meteo_wind(path, answer, keep), offset),
    )


def _open_meteo(path: Path, answer: dict[str, Any], keep: NDArray[np.bool_], name: str) -> Floats:
    if name not in answer["hourly"]:
        raise CatalogueError(f"{path} has no {name}; it has {', '.join(sorted(answer['hourly']))}")
    values = np.array(answer["hourly"][name], dtype=np.float64)[keep]
    if not np.isfinite(values).all():
        raise CatalogueError(f"{path}: {name} is missing in {int((~np.isfinite(values)).sum())} hours")
    return values


def _open_meteo_wind(path: Path, answer: dict[str, Any], keep: NDArray[np.bool_]) -> Floats:
    name = "wind_speed_10m" if "wind_speed_10m" in answer["hourly"] else "windspeed_10m"
    unit = answer.get("hourly_units", {}).get(name, "km/h")
    if unit not in MS_PER_UNIT:
        raise CatalogueError(f"{path}: wind in {unit!r}; known are {', '.join(MS_PER_UNIT)}")
    return _open_meteo(path, answer, keep, name) * MS_PER_UNIT[unit]


def _open_meteo_pressure(path: Path, answer: dict[str, Any], keep: NDArray[np.bool_]) -> Floats:
    if "surface_pressure" in answer["hourly"]:
        return _open_meteo(path, answer, keep, "surface_pressure") * 100.0
    return np.full(HOURS_PER_YEAR, psychrometrics.standard_pressure_pa(float(answer.get("elevation", 0.0))))


def _open_meteo_ghi(
    path: Path, answer: dict[str, Any], keep: NDArray[np.bool_], place: tuple[float, float], offset: float
) -> Floats:
    if "shortwave_radiation" in answer["hourly"]:
        # Stamped at the end of its hour.
        return to_utc(np.roll(_open_meteo(path, answer, keep, "shortwave_radiation"), -1), offset)
    name = "cloud_cover" if "cloud_cover" in answer["hourly"] else "cloudcover"
    cloud = to_utc(_open_meteo(path, answer, keep, name) / 100.0, offset)
    return np.asarray(sun_year(*place).clear_sky_w_m2 * (1.0 - CLOUD_LOSS * cloud**CLOUD_POWER))
