"""The page of a search of serving configurations, opened from disk in a browser without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gigawright.catalogue.load import load_facts
from gigawright.facts import FactBook
from gigawright.report.serving import page
from gigawright.workloads.serving.ask import ask
from gigawright.workloads.serving.explore import explore

from ..workloads.serving.known import calibration

pytestmark = pytest.mark.browser
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    usual: dict[str, Any] = {"model": "deepseek-r1", "system": "dgx_h200", "isl": "4000", "osl": "1000"}
    asked = ask(FactBook(load_facts()), calibration(), **usual, ttft_ms=3000.0, tpot_ms=60.0)
    place = tmp_path_factory.mktemp("page") / "front.html"
    place.write_text(page(explore(asked, calibration())), encoding="utf-8")
    return place


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_draws_its_charts(written: Path, chromium_path: str, width: int) -> None:
    from playwright.sync_api import sync_playwright

    told: list[str] = []
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        sheet = opened.new_page(viewport={"width": width, "height": 900})
        sheet.on("console", lambda message: told.append(message.text))
        sheet.on("pageerror", lambda error: told.append(str(error)))
        sheet.on("request", lambda request: told.append(request.url) if "file:" not in request.url else None)
        sheet.goto(written.as_uri())
        for name in ("front", "cost", "energy", "time"):
            sheet.locator(f"#plot-{name}").scroll_into_view_if_needed()
            sheet.wait_for_selector(f"#plot-{name} .main-svg", timeout=20_000)
        wide = sheet.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        stars = sheet.locator("#plot-front .legendtext", has_text="recommended").count()
        opened.close()
    assert [text for text in told if not text.startswith("data:")] == []
    assert wide
    assert stars == 1
