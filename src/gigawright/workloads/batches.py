"""Files of rows answered: a line for each row in their order, and counts of what became of them."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Protocol, TypeVar

NOTES = "assumed"
"""The column behind all others that `notes` adds: inputs that had to be filled in, separated by `;`."""

DIGITS = 6
"""Significant digits of numbers."""

NOT_FINITE = "not predictable: the inputs are so large or small that the numbers overflow"


class Row(Protocol):
    """A row of a file, of whatever kind."""

    @property
    def line(self) -> int:
        """Where the row starts in the file."""


class Told(Protocol):
    """What became of a row, as far as a person is told of it."""

    @property
    def row(self) -> Row:
        """The row."""

    @property
    def refused(self) -> str:
        """Why there is no prediction; empty where there is one."""

    @property
    def cells(self) -> Mapping[str, str]:
        """The line that is written, by column; the first names the row, those that it lacks are empty."""


class Answer(Told, Protocol):
    """What became of a row, with all that is counted."""

    @property
    def assumed(self) -> Sequence[str]:
        """Inputs that were filled in; empty for a refused row."""


class Counted(Protocol):
    """Rows answered, as far as a person is told of them."""

    @property
    def answers(self) -> Sequence[Told]:
        """All rows in order."""

    @property
    def refused(self) -> Sequence[Told]:
        """Those without a prediction."""

    @property
    def assumed(self) -> Mapping[str, int]:
        """Predicted rows by what had to be filled in."""


A = TypeVar("A", bound=Answer)


@dataclass(frozen=True)
class Batch(Generic[A]):
    """All rows of a file, answered; `columns` are those that are written."""

    columns: tuple[str, ...]
    answers: tuple[A, ...]

    @cached_property
    def refused(self) -> tuple[A, ...]:
        """Rows without a prediction."""
        return tuple(answer for answer in self.answers if answer.refused)

    @cached_property
    def assumed(self) -> dict[str, int]:
        """Predicted rows by what had to be filled in, most first."""
        counts = Counter(name for answer in self.answers for name in set(answer.assumed))
        return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))

    def text(self, *, notes: bool = False) -> str:
        """The table as CSV, with the column `NOTES` where `notes` asks for it."""
        columns = (*self.columns, NOTES) if notes else self.columns
        out = io.StringIO()
        writer = csv.DictWriter(out, columns, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(answer.cells for answer in self.answers)
        return out.getvalue()


def finite(numbers: Iterable[float]) -> str:
    """Why numbers cannot be written; empty where they can.

    >>> finite([1.0, 2.0]), finite([1.0, math.inf]) == NOT_FINITE
    ('', True)
    """
    return "" if all(map(math.isfinite, numbers)) else NOT_FINITE


def line(
    columns: Sequence[str], key: str, numbers: Iterable[float], words: Sequence[str], assumed: Iterable[str]
) -> dict[str, str]:
    """The cells of a predicted row: its key, its numbers, the words behind them, what was assumed.

    >>> line(("row", "value", "limited_by", "refused"), "7", [1.5], ["compute", ""], ["steps", "size"])
    {'row': '7', 'value': '1.5', 'limited_by': 'compute', 'refused': '', 'assumed': 'steps;size'}
    """
    texts = (key, *(f"{number:.{DIGITS}g}" for number in numbers), *words)
    return dict(zip(columns, texts, strict=True)) | {NOTES: ";".join(assumed)}


def silent(text: str) -> None:
    """Tells nobody."""
