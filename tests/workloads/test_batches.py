"""Rows answered: what is counted and written."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass

from gigawright.workloads.batches import NOT_FINITE, NOTES, Batch, finite, line

COLUMNS = ("row", "value", "limited_by", "refused")


@dataclass(frozen=True)
class Row:
    line: int


@dataclass(frozen=True)
class Answer:
    row: Row
    refused: str = ""
    assumed: tuple[str, ...] = ()

    @property
    def cells(self) -> dict[str, str]:
        key = f"r{self.row.line}"
        if self.refused:
            return {"row": key, "refused": self.refused}
        return line(COLUMNS, key, [1 / 3], ["compute", ""], self.assumed)


BATCH = Batch(
    COLUMNS,
    (
        Answer(Row(2), assumed=("steps", "size")),
        Answer(Row(3), refused="no, not this"),
        Answer(Row(4), assumed=("size", "size")),
    ),
)


def test_what_was_assumed_is_counted_once_a_row_and_most_first() -> None:
    assert list(BATCH.assumed.items()) == [("size", 2), ("steps", 1)]
    assert [answer.row.line for answer in BATCH.refused] == [3]


def test_a_line_for_each_row_and_notes_where_asked() -> None:
    assert BATCH.text().splitlines() == [
        "row,value,limited_by,refused",
        "r2,0.333333,compute,",
        'r3,,,"no, not this"',
        "r4,0.333333,compute,",
    ]
    rows = list(csv.DictReader(io.StringIO(BATCH.text(notes=True))))
    assert [row[NOTES] for row in rows] == ["steps;size", "", "size;size"]


def test_numbers_that_are_none_are_told() -> None:
    assert finite([0.0, 1e300]) == ""
    assert finite([1.0, math.nan]) == finite([-math.inf]) == NOT_FINITE
