from __future__ import annotations

import html
import html.parser
import re
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from gigawright.errors import OutputError
from gigawright.evaluate import Result
from gigawright.report import write_report
from gigawright.report.page import page

SECTIONS = (
    "summary", "value", "money", "build-out", "sites", "fleet", "work", "dispatch", "unit-costs", "energy",
    "limits", "compare", "facts", "glossary", "method",
)  # fmt: skip
VOID = {"br", "hr", "img", "input", "meta", "link"}


class Reader(html.parser.HTMLParser):
    """Follows the tags, and keeps ids and every address that a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.fetched: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.fetched += [given[key] or "" for key in ("src", "srcset", "poster") if key in given]
        self.fetched += [given["href"] or ""] if tag == "link" else []
        self.links += [given["href"] or ""] if tag == "a" else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def text(written: Path) -> str:
    return (written / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return reader


def test_the_page_has_every_section_once(read: Reader) -> None:
    assert [name for name in read.ids if name in SECTIONS] == list(SECTIONS)
    assert len(set(read.ids)) == len(read.ids)


def test_links_inside_the_page_have_a_target(read: Reader) -> None:
    inside = [link[1:] for link in read.links if link.startswith("#")]
    assert inside
    assert set(inside) <= set(read.ids)


def test_the_page_fetches_nothing(text: str, read: Reader) -> None:
    assert [address for address in read.fetched if not address.startswith("data:")] == []
    assert "default-src 'none'" in html.unescape(text)
    css = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert css is not None
    assert "url(" not in css[1]
    assert "@import" not in css[1]


def test_text_of_the_study_is_escaped(text: str) -> None:
    assert "Small hall &amp; &lt;sons&gt;" in text
    assert "<sons>" not in text
    assert "caught by &lt;3A090&gt;" in text


def test_the_page_is_of_reasonable_size(written: Path) -> None:
    assert (written / "report.html").stat().st_size < 12e6


def test_the_main_plan_is_called_hindsight_beside_an_earlier_one(text: str) -> None:
    assert "As of 2026-06-30 (with hindsight)" in text
    assert "As of 2025-12-23</th>" in text


def test_one_plan_alone_has_no_comparison(result: Result) -> None:
    alone = page([result])
    assert 'id="compare"' not in alone
    assert "with hindsight" not in alone


def test_a_plan_without_anything_still_makes_a_page(result: Result) -> None:
    import dataclasses

    bare = {name: frame.iloc[:0] for name, frame in result.plan.tables.items()}
    nothing = dataclasses.replace(result, plan=dataclasses.replace(result.plan, tables=bare))
    assert "orders no accelerators" in page([nothing])


def test_tables_are_written_for_every_plan(written: Path, rich: Result) -> None:
    for folder in ("as-of-2026-06-30", "as-of-2025-12-23"):
        for name in set(rich.plan.tables) - {"dispatch", "sensitivity"}:
            assert (written / "tables" / folder / f"{name}.parquet").is_file()
            assert (written / "tables" / folder / f"{name}.csv").is_file()
    stored = pd.read_parquet(written / "tables" / "as-of-2026-06-30" / "orders.parquet")
    pd.testing.assert_frame_equal(stored, rich.plan.tables["orders"], check_dtype=False)


def test_hours_are_stored_as_parquet_and_one_week_as_csv(written: Path, rich: Result) -> None:
    folder = written / "tables" / "as-of-2026-06-30"
    assert len(pd.read_parquet(folder / "dispatch.parquet")) == len(rich.plan.tables["dispatch"])
    assert not (folder / "dispatch.csv").exists()
    week = pd.read_csv(folder / "dispatch_week.csv")
    assert len(week) == 168
    assert week["hour"].diff().dropna().eq(1).all()


def test_the_workbook_has_units_in_its_headers(written: Path, rich: Result) -> None:
    book = openpyxl.load_workbook(written / "workbook.xlsx", read_only=False)
    assert book.sheetnames[:2] == ["About", "Facts"]
    assert {"orders", "payments", "energy"} <= set(book.sheetnames)
    assert "dispatch" not in book.sheetnames
    sheet = book["energy"]
    heads = [cell.value for cell in sheet[1]]
    assert "IT energy [MWh]" in heads
    assert "emission [t CO2]" in heads
    assert sheet.freeze_panes == "A2"
    assert sheet.max_row == len(rich.plan.tables["energy"]) + 1


def test_the_workbook_holds_the_numbers_of_the_plan(written: Path, rich: Result) -> None:
    stored = pd.read_excel(written / "workbook.xlsx", sheet_name="payments")
    assert stored["amount [M USD]"].sum() == pytest.approx(rich.plan.tables["payments"]["musd"].sum())


def test_a_report_needs_a_result(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one result"):
        write_report([], tmp_path)


def test_a_folder_that_is_a_file_is_told(result: Result, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    with pytest.raises(OutputError, match="taken"):
        write_report([result], tmp_path / "taken")
