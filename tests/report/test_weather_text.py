"""The chart and tables of a year of weather."""

from __future__ import annotations

import pytest
from tests.facility.weather.files import known_year

from gigawright.facility.weather.shift import morphed, warming
from gigawright.facility.weather.years import Place, WeatherFile, WeatherYears
from gigawright.report.weather_text import (
    COLUMNS,
    NARROWEST,
    PLAIN,
    WIDEST,
    YEARS,
    as_json,
    chart_lines,
    month_rows,
    year_rows,
)


def file(*kelvins: float) -> WeatherFile:
    years = tuple(morphed(known_year(), warming(kelvin)) for kelvin in kelvins)
    labels = tuple(str(2020 + number) for number in range(len(years)))
    return WeatherFile("x", "made", Place(40.0, 116.0, 30.0, 8.0), WeatherYears(labels, years))


@pytest.mark.parametrize("width", [10, 60, 80, 100, 300])
def test_the_chart_fits_and_rises_into_summer(width: int) -> None:
    lines = chart_lines(file(0.0), width, PLAIN)
    most = min(max(width, NARROWEST), WIDEST)
    assert len(lines) == 14
    assert max(len(line) for line in lines[:13]) <= most
    at = [line[5:].index(PLAIN.mean) for line in lines[1:13]]
    assert at.index(max(at)) in (5, 6)
    assert at.index(min(at)) in (0, 11)
    bars = [line.count(PLAIN.bar) for line in lines[1:13]]
    assert max(bars[4:8]) > 1.5 * max(bars[0], bars[11]) > 0
    assert all(line[5:].count(PLAIN.mean) == 1 for line in lines[1:13])


def test_months_are_means_over_years_and_extremes_of_all() -> None:
    one, two = month_rows(file(0.0)), month_rows(file(0.0, 2.0))
    assert len(one) == 13
    assert {len(row) for row in one} == {len(COLUMNS) + 1}
    assert float(two[6][1]) == pytest.approx(float(one[6][1]) + 1.0, abs=0.11)
    highest = 1 + list(COLUMNS).index("wet_bulb_highest_c")
    assert float(two[6][highest]) > float(one[6][highest]) + 1.0


def test_each_year_has_its_row() -> None:
    rows = year_rows(file(0.0, 2.0))
    assert [row[0] for row in rows] == ["2020", "2021"]
    assert {len(row) for row in rows} == {len(YEARS) + 1}


def test_json_has_every_year() -> None:
    told = as_json(file(0.0, 2.0))
    years = told["years"]
    assert isinstance(years, list)
    assert [year["label"] for year in years] == ["2020", "2021"]
    assert len(years[0]["months"]["ghi_kwh_m2_day"]) == 12
