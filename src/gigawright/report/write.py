"""A report on disk: the page, the workbook, and every table as Parquet and CSV."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gigawright import tables

if TYPE_CHECKING:
    import pandas as pd

    from gigawright.evaluate import Result

PAGE, WORKBOOK, TABLES_FOLDER = "report.html", "workbook.xlsx", "tables"


def write_report(results: Sequence[Result], folder: Path) -> Path:
    """Write `report.html`, `workbook.xlsx` and `tables/` into a folder; returns the page's path.

    The first result is the main plan; the others are plans of other days of knowledge, shown beside it. The
    tables of each are in `tables/as-of-DATE/`. Hourly dispatch goes to Parquet alone, with the largest site's
    busiest week as CSV. Each file is written whole or not at all. Raises OutputError where the folder cannot
    be written, ValueError without any result.
    """
    from gigawright.report.page import page
    from gigawright.report.workbook import workbook

    if not results:
        raise ValueError("a report needs at least one result")
    place = Path(folder)
    for result in results:
        _write_tables(result, place / TABLES_FOLDER / label(result.as_of))
    tables.write_bytes(place / WORKBOOK, workbook(results))
    tables.write_text(place / PAGE, page(results))
    return place / PAGE


def label(as_of: dt.date | None) -> str:
    """The name of a day of knowledge in paths.

    >>> label(dt.date(2025, 12, 23)), label(None)
    ('as-of-2025-12-23', 'all-knowledge')
    """
    return f"as-of-{as_of}" if as_of else "all-knowledge"


def _write_tables(result: Result, folder: Path) -> None:
    from gigawright.report.charts_work import week_of_dispatch
    from gigawright.report.costs import unit_costs
    from gigawright.report.facts_section import facts_frame
    from gigawright.report.view import View

    view = View(result)
    for name, frame in result.plan.tables.items():
        if name == "dispatch":
            tables.write_bytes(folder / "dispatch.parquet", parquet(frame))
        else:
            tables.write_table(folder, name, frame)
    tables.write_table(folder, "facts", facts_frame(result.catalogue.book.used))
    tables.write_table(folder, "unit_costs", unit_costs(result))
    if len(view.energy):
        largest = str(view.energy.groupby("site")["site_mwh"].sum().idxmax())
        week = week_of_dispatch(view, largest).to_csv(index=False, lineterminator="\n")
        tables.write_text(folder / "dispatch_week.csv", week)


def parquet(frame: pd.DataFrame) -> bytes:
    """A table as Parquet."""
    import io

    buffer = io.BytesIO()
    frame.to_parquet(buffer, engine="pyarrow", index=False, compression="zstd")
    return buffer.getvalue()
