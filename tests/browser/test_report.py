"""The report as a reader sees it: opened from disk, without a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from gigawright.evaluate import evaluate
    from gigawright.report import write_report
    from gigawright.study.load import loads
    from gigawright.study.model import Study

    study, _ = loads(STUDY, Study)
    return write_report(
        [evaluate(study, day) for day in study.knowledge_dates], tmp_path_factory.mktemp("run")
    )


STUDY = """
name: Browser hall
horizon: {start: 2026Q1, end: 2026Q2}
currency: CNY
as_of: 2026-10-10
compare_as_of: [2025-12-23]
buyer: {name: Example Cloud, headquarters: United States}
budgets: {capital: {2026: 4 bn CNY}}
sites:
  - {site: abilene, designs: [air], existing: {air: 10 MW, grid: 100 MW}}
systems: [{system: dgx_h200}]
workloads:
  - name: assistant
    family: llm-serving
    model: llama-3.1-70b
    precision: fp8
    input_tokens: 1500
    output_tokens: 400
    value: 7 CNY per M tokens
    demand: {per_day: 300 bn, regions: home}
"""


@pytest.fixture(scope="module")
def chromium(chromium_path: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def opened(chromium: Any, report: Path) -> Iterator[tuple[Any, list[str]]]:
    """The page at 1280 px, and every complaint and request of it."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda asked: troubles.append(asked.url) if asked.url.startswith("http") else None)
    page.on("requestfailed", lambda asked: troubles.append(f"failed {asked.url}"))
    page.goto(report.as_uri())
    page.wait_for_selector("body[data-ready='1']", timeout=60_000)
    yield page, troubles
    context.close()


def test_the_page_draws_all_charts_without_trouble(opened: tuple[Any, list[str]]) -> None:
    page, troubles = opened
    visible = page.locator(".plot:visible")
    assert visible.count() >= 10
    assert page.locator(".plot:visible[data-drawn='1']").count() == visible.count()
    assert page.locator(".plot:visible svg.main-svg").count() >= visible.count()
    assert troubles == []


def test_facts_are_filtered_as_one_types(opened: tuple[Any, list[str]]) -> None:
    page, troubles = opened
    rows = page.locator("#facts-table tbody tr")
    shown = page.locator("#facts-table tbody tr:visible")
    whole = rows.count()
    assert shown.count() == whole
    page.fill("#facts-search", "dgx_h200 server")
    assert 0 < shown.count() < whole
    assert "dgx_h200" in (shown.first.text_content() or "")
    page.fill("#facts-search", "")
    page.select_option("#facts-confidence", "assumption")
    assert 0 < shown.count() < whole
    assert all("assumption" in text for text in shown.locator(".conf").all_text_contents())
    page.fill("#facts-search", "no such fact anywhere")
    assert shown.count() == 0
    assert (page.text_content("#facts-count") or "").startswith("0 of")
    assert troubles == []


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_its_window(opened: tuple[Any, list[str]], width: int) -> None:
    page, _ = opened
    page.set_viewport_size({"width": width, "height": 844})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_chart_has_words_for_those_who_cannot_see_it(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    labels = page.eval_on_selector_all(".plot", "plots => plots.map(plot => plot.getAttribute('aria-label'))")
    assert all(label and len(label) > 30 for label in labels)
    assert page.locator("figure.chart").count() == page.locator("figure.chart > figcaption").count()


def test_the_dark_page_is_dark(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    page.emulate_media(color_scheme="dark")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(int(part) for part in ground[4:-1].split(",")) < 60
