"""The page and table of a search: complete, true to its numbers, and drawn by a real browser."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.catalogue.load import load_facts
from gigawright.errors import OutputError
from gigawright.facts import FactBook
from gigawright.report.charts_training import memory_bars, pareto, step_bars, tried_scatter
from gigawright.report.training import PAGE, TABLE, page, search_table, write_search
from gigawright.workloads.training.ask import ask
from gigawright.workloads.training.calibration import calibration
from gigawright.workloads.training.campaign import campaign
from gigawright.workloads.training.explore import Explored, explore

BOOK = FactBook(load_facts())
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


def searched(accelerators: str, model: str = "deepseek-v3") -> Explored:
    asked = ask(
        BOOK,
        calibration(),
        model=model,
        system="dgx_h100",
        accelerators=accelerators,
        seq="4096",
        batch_tokens="16Mi",
    )
    return explore(asked, calibration(), count=50)


@pytest.fixture(scope="module")
def found() -> Explored:
    return searched("512")


@pytest.fixture(scope="module")
def folder(found: Explored, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("search")
    write_search(found, campaign(found.best[0], 14.8e12, found.asked.system, BOOK), place)
    return place


def test_the_table_holds_what_was_found(found: Explored, folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO((folder / TABLE).read_text(encoding="utf-8"))))
    assert len(rows) == len(found.best) == 50
    for row, one in zip(rows, found.best, strict=True):
        sizes = [int(row[name]) for name in ("tp", "pp", "dp", "cp")]
        assert np.prod(sizes) == 512
        assert float(row["step_time_s"]) == pytest.approx(one.step_s, rel=1e-5)
        parts = sum(float(row[name]) for name in row if name.endswith("_s") and name != "step_time_s")
        assert parts == pytest.approx(one.step_s, rel=1e-4)
        held = sum(float(cell) for name, cell in row.items() if re.fullmatch(r"[a-z]+_gib", name))
        assert held - float(row["memory_gib"]) == pytest.approx(float(row["memory_gib"]), rel=1e-3)


def test_stacks_add_up_to_their_totals(found: Explored) -> None:
    shown = found.best[:5]
    for chart, wholes in (
        (step_bars(shown), [one.step_s for one in shown]),
        (memory_bars(shown, 80e9, found.usable_bytes), [one.memory_bytes / 2**30 for one in shown]),
    ):
        bars = [trace.x for trace in chart.data if trace.type == "bar"]
        assert np.sum(bars, axis=0) == pytest.approx(wholes)


def test_the_scatter_is_a_bounded_sample_with_its_front(found: Explored) -> None:
    chart = tried_scatter(found)
    dots = [trace for trace in chart.data if trace.mode == "markers"]
    assert 100 < sum(len(trace.x) for trace in dots) <= 3000
    front = chart.data[-1]
    assert list(front.x) == sorted(front.x)
    assert list(front.y) == sorted(front.y)
    assert len(front.text) == len(front.x)


@given(st.lists(st.tuples(st.floats(1, 100), st.floats(1, 100)), min_size=1, max_size=40))
def test_nothing_beats_the_front_and_the_front_beats_all_else(points: list[tuple[float, float]]) -> None:
    memory, pace = np.array(points).T
    front = pareto(memory, pace)
    for place in range(len(points)):
        beaten = (memory <= memory[place]) & (pace >= pace[place])
        beaten &= (memory < memory[place]) | (pace > pace[place])
        assert beaten[front].any() or place in front or (points[place] in [points[at] for at in front])
        assert place not in front or not beaten.any()


def test_the_page_is_one_file_that_asks_for_nothing(folder: Path) -> None:
    text = (folder / PAGE).read_text(encoding="utf-8")
    assert "DeepSeek-V3 on 512" in text
    assert re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(?!data:)[^"#]+"', text) == []
    for data in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL):
        json.loads(data)


def test_where_nothing_fits_the_page_says_so() -> None:
    found = searched("16")
    text = page(found, None)
    assert "The closest layout is short by" in text
    assert "What helps: --accelerators" in text
    assert search_table(found.misses).count("\n") == 1 + len(found.misses)


def test_a_folder_that_cannot_be_written_is_told(found: Explored, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_search(found, None, tmp_path / "file")


@pytest.fixture(scope="module")
def opened(folder: Path, chromium_path: str) -> Iterator[tuple[Any, list[str]]]:
    """The page at 1280 px without a network, and every complaint and request of it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        page_ = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True).new_page()
        troubles: list[str] = []
        page_.on("console", lambda said: troubles.append(said.text))
        page_.on("pageerror", lambda error: troubles.append(str(error)))
        page_.on("request", lambda to: troubles.append(to.url) if to.url.startswith("http") else None)
        page_.goto((folder / PAGE).as_uri())
        page_.wait_for_selector("body[data-ready='1']", timeout=60_000)
        yield page_, troubles
        browser.close()


@pytest.mark.browser
def test_a_browser_draws_all_charts_without_trouble(opened: tuple[Any, list[str]]) -> None:
    page_, troubles = opened
    assert page_.locator(".plot[data-drawn='1']").count() == page_.locator(".plot").count() == 3
    assert page_.locator("#plot-step .barlayer .trace").count() >= 5
    assert page_.locator("#plot-tried .scatterlayer .trace").count() >= 3
    assert troubles == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_its_window(opened: tuple[Any, list[str]], width: int) -> None:
    page_, _ = opened
    page_.set_viewport_size({"width": width, "height": 844})
    page_.wait_for_timeout(300)
    assert page_.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
def test_charts_have_words_and_the_table_is_not_cut(opened: tuple[Any, list[str]]) -> None:
    page_, _ = opened
    page_.set_viewport_size({"width": 1280, "height": 844})
    labels = page_.eval_on_selector_all(".plot", "all => all.map(one => one.getAttribute('aria-label'))")
    assert all(len(label) > 30 for label in labels)
    wide = "one => one.scrollWidth <= one.clientWidth + 1"
    assert page_.eval_on_selector("#layouts .scroll", wide)
