"""A year of weather as text: a table by month, and a chart for a terminal of any width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gigawright.arrays import Floats
from gigawright.facility.weather.hours import MONTH_NAMES
from gigawright.facility.weather.summary import months_of, year_of
from gigawright.facility.weather.years import WeatherFile

COLUMNS = {
    "dry_bulb_mean_c": "mean C",
    "dry_bulb_daily_max_c": "daily max",
    "dry_bulb_daily_min_c": "daily min",
    "relative_humidity_pct": "RH %",
    "wet_bulb_mean_c": "wet bulb",
    "wet_bulb_highest_c": "wet max",
    "ghi_kwh_m2_day": "GHI kWh/m2",
    "wind_speed_10m_ms": "wind m/s",
}
"""Columns of the table by month, and their heads: degrees Celsius, kWh/m2 a day, m/s."""

YEARS = {
    "dry_bulb_mean_c": "mean C",
    "dry_bulb_lowest_c": "min",
    "dry_bulb_highest_c": "max",
    "dry_bulb_design_c": "0.4 %",
    "wet_bulb_design_c": "wet 0.4 %",
    "relative_humidity_pct": "RH %",
    "ghi_kwh_m2_day": "GHI kWh/m2",
    "wind_speed_10m_ms": "wind m/s",
}
"""Columns of the table by year; 0.4 % of the hours exceed the design extremes."""

DECIMALS = {"relative_humidity_pct": 0, "ghi_kwh_m2_day": 2}
SUN_SHARE = 0.28
"""Share of the chart's width that radiation has."""
NARROWEST, WIDEST = 48, 120
"""Columns of a chart."""


@dataclass(frozen=True)
class Marks:
    """What a chart is drawn with."""

    reach: str
    day: str
    mean: str
    bar: str


PRETTY = Marks("·", "━", "●", "█")
PLAIN = Marks(".", "=", "o", "#")


def month_rows(file: WeatherFile) -> list[list[str]]:
    """The table by month, means over the years, and a last row of the year; highest is of all years."""
    months = _over_years(file)
    rows = [
        [name, *(_number(key, months[key][number]) for key in COLUMNS)]
        for number, name in enumerate(MONTH_NAMES)
    ]
    year = year_means(file)
    whole = {**year, "dry_bulb_daily_max_c": np.nan, "dry_bulb_daily_min_c": np.nan}
    return [*rows, ["year", *(_number(key, whole[key]) for key in COLUMNS)]]


def year_rows(file: WeatherFile) -> list[list[str]]:
    """The table by year; a year of months that come from several has one row."""
    return [
        [label, *(_number(key, told[key]) for key in YEARS)]
        for label, told in ((label, year_of(weather)) for label, weather in file.years)
    ]


def year_means(file: WeatherFile) -> dict[str, float]:
    """Numbers of the year, means over the years, but for the highest and the lowest hour."""
    years = [year_of(weather) for weather in file.years.years]
    told = {}
    for key in years[0]:
        pick = max if key.endswith("highest_c") else min if key.endswith("lowest_c") else _mean
        told[key] = float(pick([year[key] for year in years]))
    return told


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _over_years(file: WeatherFile) -> dict[str, Floats]:
    """Numbers by month, means over the years, but for the highest and lowest hours."""
    years = [months_of(weather, file.place.utc_offset_h) for weather in file.years.years]
    told = {}
    for key in years[0]:
        stacked = np.stack([year[key] for year in years])
        pick = np.max if key.endswith("highest_c") else np.min if key.endswith("lowest_c") else np.mean
        told[key] = np.asarray(pick(stacked, axis=0))
    return told


def _number(key: str, value: float) -> str:
    return "" if not np.isfinite(value) else f"{value:.{DECIMALS.get(key, 1)}f}"


def chart_lines(file: WeatherFile, width: int, marks: Marks = PRETTY) -> list[str]:
    """A line a month: reach of temperature, the span of its mean day, its mean; beside it the radiation."""
    months = _over_years(file)
    width = min(max(width, NARROWEST), WIDEST)
    sun_width = round(width * SUN_SHARE)
    strip = width - sun_width - 12
    low, high = np.floor(months["dry_bulb_lowest_c"].min()), np.ceil(months["dry_bulb_highest_c"].max())
    most = float(months["ghi_kwh_m2_day"].max())
    scale = f"{low:.0f} C"
    head = f"     {scale}{f'{high:.0f} C':>{strip - len(scale)}}  GHI [kWh/m2 a day]"
    legend = (
        f"     {marks.reach * 3} lowest to highest hour  {marks.day * 3} mean day's range  {marks.mean} mean"
    )
    lines = [head.rstrip()]
    for number, name in enumerate(MONTH_NAMES):
        row = {key: float(values[number]) for key, values in months.items()}
        ghi = row["ghi_kwh_m2_day"]
        bar = marks.bar * round((sun_width - 5) * ghi / max(most, 1e-9))
        lines.append(f"{name}  {_strip(row, low, high, strip, marks)}  {bar} {ghi:.1f}")
    return [*lines, legend]


def _strip(row: Mapping[str, float], low: float, high: float, width: int, marks: Marks) -> str:
    """One month's temperatures between the year's lowest and highest."""

    def at(value: float) -> int:
        return round((value - low) / max(high - low, 1.0) * (width - 1))

    cells = [" "] * width
    for first, last, mark in (
        (row["dry_bulb_lowest_c"], row["dry_bulb_highest_c"], marks.reach),
        (row["dry_bulb_daily_min_c"], row["dry_bulb_daily_max_c"], marks.day),
        (row["dry_bulb_mean_c"], row["dry_bulb_mean_c"], marks.mean),
    ):
        for cell in range(at(first), at(last) + 1):
            cells[cell] = mark
    return "".join(cells)


def as_json(file: WeatherFile) -> dict[str, object]:
    """All of it for a program: place, source, notes, and each year's numbers by month and of the year."""
    place = file.place
    years = [
        {
            "label": label,
            "year": _rounded(year_of(weather)),
            "months": {
                key: [round(float(value), 3) for value in values]
                for key, values in months_of(weather, place.utc_offset_h).items()
            },
        }
        for label, weather in file.years
    ]
    return {
        "place": {
            "name": place.name,
            "latitude": place.latitude,
            "longitude": place.longitude,
            "elevation_m": place.elevation_m,
            "utc_offset_h": place.utc_offset_h,
        },
        "kind": file.kind,
        "source": file.source,
        "notes": list(file.notes),
        "years": years,
    }


def _rounded(told: Mapping[str, float]) -> dict[str, float]:
    return {key: round(value, 3) for key, value in told.items()}
