"""The page of a powered study, opened from disk in a browser without a network."""

from __future__ import annotations

from pathlib import Path

import pytest

from gigawright.pipeline import power
from gigawright.study.load import load_study

from .opened import opened

pytestmark = pytest.mark.browser
STUDY = """
name: One hall
horizon: {start: 2026Q1, end: 2026Q4}
sites: [{site: abilene}]
energy:
  technologies: [solar_world, battery_world]
  loads: [{site: abilene, it: 50 MW, cooling: liquid, connection: 45 MW}]
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("energy")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    report = power(load_study(folder / "study.yaml"), folder / "run", gap=1e-3).report
    assert report is not None
    return report


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1200, "light"), (1200, "dark")])
def test_the_page_draws_its_charts(written: Path, chromium_path: str, width: int, scheme: str) -> None:
    with opened(written, chromium_path, width, scheme) as sheet:
        for name in ("months-0", "week-0", "costs", "duration"):
            sheet.draw(name)
        assert sheet.told == []
        assert sheet.fits()
        assert sheet.page.locator("#plot-week-0 .legendtext", has_text="load shed").count() == 1
