"""A page opened from disk in Chromium: what it says, asks and draws."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from playwright.sync_api import Page

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


@dataclass
class Sheet:
    """An open page; `told` holds its errors, its console, and every address it asked but its own file."""

    page: Page
    told: list[str] = field(default_factory=list)

    def draw(self, name: str) -> None:
        """Scroll to a chart and wait until it is drawn."""
        self.page.locator(f"#plot-{name}").scroll_into_view_if_needed()
        self.page.wait_for_selector(f"#plot-{name} .main-svg", timeout=20_000)

    def fits(self) -> bool:
        """Whether nothing reaches beyond the window's width."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@contextmanager
def opened(file: Path, chromium: str, width: int, scheme: str = "light") -> Iterator[Sheet]:
    """A page in a window of this width [px]."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        colours = cast("Literal['light', 'dark']", scheme)
        sheet = Sheet(browser.new_page(viewport={"width": width, "height": 900}, color_scheme=colours))
        sheet.page.on("console", lambda message: sheet.told.append(message.text))
        sheet.page.on("pageerror", lambda error: sheet.told.append(str(error)))
        sheet.page.on("request", lambda asked: _note(sheet, asked.url))
        sheet.page.goto(file.as_uri())
        yield sheet
        browser.close()


def _note(sheet: Sheet, url: str) -> None:
    if not url.startswith(("file:", "data:")):
        sheet.told.append(url)
