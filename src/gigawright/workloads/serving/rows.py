"""Serving measurements from a CSV file: every row becomes a `Service` or says why it cannot.

Three forms of table are known, by their columns: one row a configuration of an engine ("silicon"), rows of
published throughput ("published"), and latency runs of vLLM ("latency"). Only the columns that a form names
are read; what was measured is never looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gigawright.errors import UserError
from gigawright.facts import FactBook
from gigawright.workloads.cells import Cells, Table, read_table
from gigawright.workloads.serving import rows_latency, rows_published, rows_silicon
from gigawright.workloads.serving.rows_look import Looked
from gigawright.workloads.serving.rows_words import BLANKS
from gigawright.workloads.serving.service import Service


@dataclass(frozen=True)
class Form:
    """A kind of table: the column that names a row, those it must have, those it may have, and its reader."""

    name: str
    key: str
    needed: tuple[str, ...]
    optional: tuple[str, ...]
    read: Callable[[Cells, Looked], Service | None]

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that are read."""
        return (self.key, *self.needed, *self.optional)


FORMS: Mapping[str, Form] = {
    form.name: form
    for form in (
        Form("silicon", "id", rows_silicon.NEEDED, rows_silicon.OPTIONAL, rows_silicon.service),
        Form("published", "row", rows_published.NEEDED, rows_published.OPTIONAL, rows_published.service),
        Form("latency", "exp_id", rows_latency.NEEDED, rows_latency.OPTIONAL, rows_latency.service),
    )
}
"""Forms of table, in the order in which they are tried."""


@dataclass(frozen=True)
class Row:
    """A row of a file: what it asks for, or in `refused` all reasons why that is not known.

    `key` is the text of the form's key column, `line` where the row starts in the file.
    """

    key: str
    form: str
    line: int
    service: Service | None
    refused: str = ""


def read_rows(path: Path, book: FactBook) -> list[Row]:
    """Every row of a CSV file of serving measurements, in order; `read` tells the form beside them."""
    return read(path, book)[1]


def read(path: Path, book: FactBook) -> tuple[str, list[Row]]:
    """The name of a file's form, and every row of the file in order.

    A row that is wrong or impossible is refused with each problem by column, value and what is allowed; a key
    that an earlier row has already is one. Raises UserError for a file that cannot be read as a table of one
    of `FORMS`.
    """
    table = read_table(path, _needs())
    form = form_of(table)
    looked = Looked(book)
    lines: dict[str, int] = {}
    rows: list[Row] = []
    for line, cells in table.rows(form.columns, BLANKS):
        key = cells.text[form.key]
        if not key:
            cells.problems.append(f"{form.key} is blank")
        elif (earlier := lines.setdefault(key, line)) != line:
            cells.problems.append(f"{form.key} {key!r} is on line {earlier} already, must be unique")
        found = form.read(cells, looked) if cells.whole else None
        rows.append(Row(key, form.name, line, None if cells.problems else found, "; ".join(cells.problems)))
    return form.name, rows


def form_of(table: Table) -> Form:
    """The form whose key and needed columns a table has. Raises UserError, naming columns, where none
    fits."""
    lacking = {
        form.name: [column for column in (form.key, *form.needed) if column not in table.names]
        for form in FORMS.values()
    }
    for name, columns in lacking.items():
        if not columns:
            return FORMS[name]
    keyed = [form for form in FORMS.values() if form.key in table.names]
    nearest = min(keyed or FORMS.values(), key=lambda form: len(lacking[form.name]))
    missing = lacking[nearest.name]
    word = "column" if len(missing) == 1 else "columns"
    raise UserError(f"{table.path}: missing {word} {', '.join(missing)}; {_needs()}")


def _needs() -> str:
    kinds = "; or ".join(f"{', '.join((form.key, *form.needed))} ({form.name})" for form in FORMS.values())
    return f"give a CSV file whose first line has the columns {kinds}"
