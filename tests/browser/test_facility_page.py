"""The page of a place's halls, opened from disk in a browser without a network."""

from __future__ import annotations

from pathlib import Path

import pytest

from gigawright.facility.ask import FacilityAsked, facility_year
from gigawright.report.facility import page

from .opened import opened

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("page") / "hall.html"
    place.write_text(
        page(facility_year(FacilityAsked("johor", coolings=("dry", "chiller")))), encoding="utf-8"
    )
    return place


@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_draws_its_charts(written: Path, chromium_path: str, width: int, scheme: str) -> None:
    charts = ("duration", "part-load", "heat-liquid_dry", "tornado-liquid_dry", "tornado-chiller")
    with opened(written, chromium_path, width, scheme) as sheet:
        for name in (*charts, "overhead", "water", "wet-bulb", "swing"):
            sheet.draw(name)
        assert sheet.told == []
        assert sheet.fits()
        assert sheet.page.locator("#plot-water .bars path").count() >= 12
