"""The page of a place's halls: its numbers, its charts' data, and that it asks no other machine."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

import pytest

from gigawright.facility.ask import FacilityAsked, FacilityYear, facility_year
from gigawright.report import charts_facility as charts
from gigawright.report.facility import page
from gigawright.report.facility_text import rows_of, too_warm
from gigawright.terminal_facility import chart_lines


@lru_cache
def year(coolings: tuple[str, ...] = ("dry", "chiller")) -> FacilityYear:
    return facility_year(FacilityAsked("johor", coolings=coolings))


def data(text: str, name: str) -> Any:
    found = re.search(rf'<script type="application/json" id="data-{name}">(.*?)</script>', text, re.S)
    assert found is not None, name
    return json.loads(found[1].replace("<\\/", "</"))


def test_the_page_asks_no_other_machine() -> None:
    head = page(year()).split("<script", 1)[0]
    assert "http://" not in head
    assert "https://" not in head
    assert "<title>Johor" in head


def test_each_design_has_its_section_and_charts() -> None:
    text = page(year())
    for one in year().halls:
        for name in (f"design-{one.name}", f"data-heat-{one.name}", f"data-tornado-{one.name}"):
            assert f'id="{name}"' in text
        assert f"{one.annual_pue:.3f}" in text
    for name in ("duration", "part-load", "overhead", "water", "wet-bulb", "swing"):
        assert f'id="data-{name}"' in text


def test_the_heat_map_holds_every_hour_of_local_time() -> None:
    one = year().halls[0]
    (trace,) = charts.heat_map(one, 8.0).data
    assert (len(trace.z), len(trace.z[0])) == (24, 365)
    assert trace.z[8][0] == pytest.approx(one.pue[0], abs=1e-4)
    assert trace.customdata[0][31] == "1 Feb"
    assert trace.customdata[0][364] == "31 Dec"


def test_the_duration_curve_falls() -> None:
    for line in charts.duration(year().halls).data:
        assert list(line.y) == sorted(line.y, reverse=True)


def test_bars_start_at_the_stated_pue() -> None:
    found = year().halls[0].sensitivity
    assert found is not None
    low, high = charts.tornado(found).data
    for trace, end in ((low, "at_low"), (high, "at_high")):
        for x, base, effect in zip(trace.x, trace.base, found.effects[: len(trace.x)][::-1], strict=True):
            assert base == pytest.approx(found.pue, abs=1e-5)
            assert x + base == pytest.approx(getattr(effect, end), abs=2e-5)


def test_designs_without_water_have_no_bars() -> None:
    assert [trace.name for trace in charts.water(year().halls, 8.0).data] == ["chiller"]
    assert not charts.water(year(("liquid_dry",)).halls, 8.0).data


def test_colours_stay_with_their_design() -> None:
    hues = charts.hues(year().halls)
    assert charts.water(year().halls, 8.0).data[0].marker.color == hues["chiller"]


def test_what_is_read_of_a_name_is_told_on_the_page() -> None:
    assert "&#x27;dry&#x27; is read as the design liquid_dry." in page(year())


def test_rows_have_a_cell_for_each_design() -> None:
    rows = rows_of(year())
    assert all(len(cells) == 2 for _, cells in rows)
    assert too_warm(year().halls[1]) == "never"
    assert any(name.startswith("peak of full halls, 125 MW") for name, _ in rows)


def test_the_numbers_on_the_page_are_those_of_its_charts() -> None:
    text, one = page(year()), year().halls[0]
    bars = data(text, "overhead")["data"][0]["y"]
    assert sum(bars) == pytest.approx((one.energy_mwh - 876_000.0) / 1e3, abs=1e-2)


@pytest.mark.parametrize("width", [20, 80, 100, 400])
def test_the_terminals_chart_fits(width: int) -> None:
    months = year().halls[1].months(8.0)
    lines = chart_lines(months, width, plain=True)
    assert len(lines) == 14
    assert max(map(len, lines)) <= max(width, 56)
    assert all(line.isascii() for line in lines)
    assert all(
        line.count("o") == 1
        for line in lines[1:13]
        if not line.startswith("Oct") and not line.startswith("Nov")
    )
