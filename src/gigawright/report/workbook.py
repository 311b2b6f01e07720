"""The plan as an .xlsx workbook: one sheet a table, units in the headers."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from gigawright import __version__
from gigawright.plan.solution import TABLES
from gigawright.report.costs import HOW, unit_costs
from gigawright.report.facts_section import facts_frame
from gigawright.report.summary import sentences
from gigawright.report.view import View

if TYPE_CHECKING:
    from gigawright.evaluate import Result

UNITS = {
    "musd": "M USD",
    "mw": "MW",
    "mwh": "MWh",
    "gwh": "GWh",
    "t": "t CO2",
    "m3": "m3",
    "per_s": "1/s",
    "s": "s",
    "tokens": "tokens",
    "usd": "USD",
}
BARE_UNITS = {"mw": "MW", "gwh": "GWh", "musd": "M USD"}
NOT_IN_THE_WORKBOOK = ("dispatch", "load")
MAX_SHEET_NAME = 31


def header(column: str) -> str:
    """A column's name in words with its unit.

    >>> header("cost_musd"), header("served_peak_per_s"), header("arrival_quarter"), header("it_mwh")
    ('cost [M USD]', 'served peak [1/s]', 'arrival quarter', 'IT energy [MWh]')
    """
    if column in BARE_UNITS:
        name = {"mw": "power", "gwh": "energy", "musd": "amount"}[column]
        return f"{name} [{BARE_UNITS[column]}]"
    for ending in sorted(UNITS, key=len, reverse=True):
        if column.endswith(f"_{ending}"):
            stem = column[: -len(ending) - 1].replace("_", " ")
            stem = {"it": "IT energy" if ending == "mwh" else "IT power", "site": "site energy"}.get(
                stem, stem
            )
            return f"{stem} [{UNITS[ending]}]"
    return column.replace("_", " ")


def workbook(results: Sequence[Result]) -> bytes:
    """The bytes of the workbook: About, Facts, unit costs and every table of the plans.

    Hourly dispatch is left out; it is in Parquet.
    """
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "nan_inf_to_errors": True}) as book:
        looks = _looks(book)
        _about(book, looks, results)
        _sheet(book, looks, "Facts", facts_frame(results[0].catalogue.book.used), {})
        for i, result in enumerate(results):
            ending = f" {result.as_of:%Y-%m-%d}" if i and result.as_of else ""
            _sheet(book, looks, f"Unit costs{ending}", unit_costs(result), {"share": "share"})
            for name, frame in result.plan.tables.items():
                if name not in NOT_IN_THE_WORKBOOK:
                    _sheet(book, looks, f"{name}{ending}", frame, {})
    return buffer.getvalue()


def _looks(book: Any) -> dict[str, Any]:
    plain = {"font_name": "Calibri", "font_size": 10.5}
    head = plain | {"bold": True, "bottom": 1, "bg_color": "#E4F0ED", "text_wrap": True, "valign": "top"}
    return {
        "head": book.add_format(head),
        "text": book.add_format(plain),
        "large": book.add_format(plain | {"num_format": "#,##0"}),
        "small": book.add_format(plain | {"num_format": "#,##0.0000"}),
        "middle": book.add_format(plain | {"num_format": "#,##0.00"}),
        "title": book.add_format(plain | {"bold": True, "font_size": 16}),
        "wrap": book.add_format(plain | {"text_wrap": True, "valign": "top"}),
        "name": book.add_format(plain | {"bold": True, "valign": "top"}),
    }


def _about(book: Any, looks: Mapping[str, Any], results: Sequence[Result]) -> None:
    result = results[0]
    view = View(result)
    sheet = book.add_worksheet("About")
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 28, looks["text"])
    sheet.set_column(1, 1, 110, looks["text"])
    sheet.write(0, 0, result.study.name, looks["title"])
    rows = [
        ("Made by", f"gigawright {__version__}"),
        ("Knowledge", view.title),
        ("Money", "M USD, nominal unless called discounted; a sheet's header has the unit"),
        *sentences(result),
        ("Unit costs", HOW),
        ("Hourly dispatch", "in tables/dispatch.parquet, not in this workbook"),
        *[(f"Sheet {name}", text) for name, text in TABLES.items() if name not in NOT_IN_THE_WORKBOOK],
        *[(f"{name} (number)", f"{value:,.6g}") for name, value in result.plan.summary.items()],
    ]
    for i, (name, text) in enumerate(rows, start=2):
        sheet.write_string(i, 0, name, looks["name"])
        sheet.write_string(i, 1, text, looks["wrap"])


def _sheet(
    book: Any, looks: Mapping[str, Any], name: str, frame: pd.DataFrame, names: Mapping[str, str]
) -> None:
    """A table with a frozen header row, a filter, and number formats by size."""
    sheet = book.add_worksheet(name[:MAX_SHEET_NAME])
    sheet.freeze_panes(1, 0)
    for j, column in enumerate(frame.columns):
        sheet.write_string(0, j, names.get(column, header(str(column))), looks["head"])
        values = frame[column]
        if pd.api.types.is_numeric_dtype(values):
            most = float(values.abs().max()) if len(values) else 0.0
            look = looks["large" if most >= 1e4 else "middle" if most >= 10 else "small"]
            sheet.set_column(j, j, 15)
            numbers = ["" if value != value else value for value in values.astype(float)]
            sheet.write_column(1, j, numbers, look)
        else:
            sheet.set_column(
                j, j, min(60, max(12, *(len(str(v)) for v in values.head(200)), 12)) if len(values) else 14
            )
            for i, value in enumerate(values, start=1):
                sheet.write_string(i, j, "" if value is None else str(value), looks["text"])
    if len(frame):
        sheet.autofilter(0, 0, len(frame), len(frame.columns) - 1)
