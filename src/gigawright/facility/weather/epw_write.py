"""A year of weather written as an EPW file, which EnergyPlus, pvlib and `read_epw` read."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.clock import HOURS_PER_YEAR, month_of_hour
from gigawright.facility.weather import psychrometrics
from gigawright.facility.weather.hours import DAYS_BEFORE
from gigawright.facility.weather.sun import sun_year
from gigawright.facility.weather.year import WeatherYear, to_local
from gigawright.facility.weather.years import Place
from gigawright.tables import write_text

# A year without 29 February that begins on a Monday, for a year that has none of its own.
YEAR_OF_NONE = 2018
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# "Uncertainty and data source flags", column 6: ? is an unknown source, 9 an unknown uncertainty.
FLAGS = "?9?9?9?9E0?9?9?9?9?9?9?9?9?9?9?9*9?9?9?9"
# What says missing in columns this year knows nothing of (EnergyPlus, Auxiliary Programs, EPW dictionary).
NO_INFRARED, NO_LIGHT, NO_ZENITH_LIGHT = "9999", "999999,999999,999999", "9999"
NO_DIRECTION = "999"
NO_SKY_TO_RAIN = "99,99,9999,99999,9,999999999,999,0.999,999,99,999,999,99"


def write_epw(
    path: Path, weather: WeatherYear, place: Place, comments: Sequence[str] = (), year: int = YEAR_OF_NONE
) -> str:
    """Write a year as an EPW file, whole or not at all; returns the sha256 of its content.

    Lines are hours of standard time, rounded to whole hours from UTC (the first line says which), each by its
    end. comments: what to tell of its making. year: written on every line. Temperatures and humidity have two
    decimals, radiation and pressure one. Raises OutputError where the file cannot be written.
    """
    offset = round(place.utc_offset_h)
    lines = [*_header(place, offset, comments, year), *_lines(weather, place, offset, year)]
    return write_text(path, "\r\n".join(lines) + "\r\n")


def _header(place: Place, offset: int, comments: Sequence[str], year: int) -> list[str]:
    import datetime as dt

    told = [_plain(text) for text in comments] or ["made by gigawright"]
    first = dt.date(year, 1, 1).weekday()
    return [
        f"LOCATION,{_plain(place.name or place.title)},-,-,gigawright,999999,{place.latitude:.3f},"
        f"{place.longitude:.3f},{offset:.1f},{place.elevation_m:.1f}",
        "DESIGN CONDITIONS,0",
        "TYPICAL/EXTREME PERIODS,0",
        "GROUND TEMPERATURES,0",
        "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0",
        f"COMMENTS 1,{told[0]}",
        f"COMMENTS 2,{'; '.join(told[1:])}",
        f"DATA PERIODS,1,1,Data,{WEEKDAYS[first]}, 1/ 1,12/31",
    ]


def _plain(text: str) -> str:
    """Text for a field of a line of commas."""
    return " ".join(text.replace(",", ";").split())


def dates() -> tuple[Ints, Ints, Ints]:
    """Month (1-12), day (1-31) and hour (1-24, by its end) of each line of an EPW file. Shape (8760,)."""
    month = month_of_hour()
    hours = np.arange(HOURS_PER_YEAR)
    return month + 1, hours // 24 - np.array(DAYS_BEFORE)[month] + 1, hours % 24 + 1


def _lines(weather: WeatherYear, place: Place, offset: int, year: int) -> list[str]:
    sun = sun_year(place.latitude, place.longitude)
    vapour = weather.relative_humidity * psychrometrics.saturation_pressure_pa(weather.dry_bulb_c)
    columns = [
        _text(weather.dry_bulb_c, offset, 2),
        _text(psychrometrics.dew_point_c(vapour), offset, 2),
        _text(weather.relative_humidity * 100.0, offset, 2),
        _text(weather.pressure_pa, offset, 1),
        _text(sun.extraterrestrial_w_m2, offset, 1),
        _text(np.where(sun.extraterrestrial_w_m2 > 0.0, sun.normal_w_m2, 0.0), offset, 1),
        [NO_INFRARED] * HOURS_PER_YEAR,
        _text(weather.ghi_w_m2, offset, 1),
        _text(weather.dni_w_m2, offset, 1),
        _text(weather.dhi_w_m2, offset, 1),
        [f"{NO_LIGHT},{NO_ZENITH_LIGHT},{NO_DIRECTION}"] * HOURS_PER_YEAR,
        _text(weather.wind_speed_ms, offset, 2),
        [NO_SKY_TO_RAIN] * HOURS_PER_YEAR,
    ]
    month, day, hour = (part.tolist() for part in dates())
    head = [f"{year},{m},{d},{h},60,{FLAGS}" for m, d, h in zip(month, day, hour, strict=True)]
    return [",".join(cells) for cells in zip(head, *columns, strict=True)]


def _text(values: Floats, offset: int, decimals: int) -> list[str]:
    """A series by local hours as text."""
    buffer = io.StringIO()
    # Rounded first, so that no -0.0 is written.
    np.savetxt(buffer, np.round(to_local(values, offset), decimals) + 0.0, fmt=f"%.{decimals}f")
    return buffer.getvalue().split()
