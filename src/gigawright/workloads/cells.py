"""CSV files of rows with chosen input columns: the cells that are read, and what is wrong with them."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gigawright.errors import UserError

LARGEST = 10**12
"""No count in a row may be larger; beyond it a number is a slip."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass
class Cells:
    """The input cells of a row as text, what is wrong with them so far, and what had to be assumed.

    >>> cells = Cells({"tp": "8", "pp": "two"})
    >>> cells.count("tp"), cells.count("pp", most=64), cells.problems
    (8, None, ["pp is 'two', must be a whole number from 1 to 64"])
    """

    text: Mapping[str, str]
    whole: bool = True
    problems: list[str] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)

    def count(self, column: str, least: int = 1, most: int = LARGEST) -> int | None:
        """A whole number from `least` to `most`; None where the cell is blank or wrong (noted)."""
        number = self.number(column, least, most, whole=True)
        return None if number is None else int(number)

    def number(
        self, column: str, least: float, most: float = LARGEST, *, whole: bool = False
    ) -> float | None:
        """A number from `least` to `most`; None where the cell is blank or wrong (noted)."""
        cell = self.text[column]
        if not cell:
            return None
        number = float(cell) if _NUMBER.fullmatch(cell) else math.nan
        if not least <= number <= most or (whole and number != int(number)):
            what = "a whole number" if whole else "a number"
            self.problems.append(f"{column} is {cell!r}, must be {what} from {least:g} to {most:g}")
            return None
        return number


@dataclass(frozen=True)
class Table:
    """A CSV file: the names of its columns, and its records with the line where each starts."""

    path: Path
    names: tuple[str, ...]
    records: tuple[tuple[int, tuple[str, ...]], ...]

    def rows(
        self, columns: Sequence[str], blanks: Collection[str] = frozenset()
    ) -> Iterator[tuple[int, Cells]]:
        """(line, cells) of each record, `columns` alone; words of `blanks` (lower case) count as blank.

        A column that the file lacks is blank. Raises UserError where one is named more than once.
        """
        if double := [name for name in columns if self.names.count(name) > 1]:
            raise UserError(f"{self.path}: {', '.join(double)} named more than once; name each column once")
        places = {name: self.names.index(name) for name in columns if name in self.names}
        for line, record in self.records:
            found = {name: record[at].strip() if at < len(record) else "" for name, at in places.items()}
            told = {name: "" if cell.lower() in blanks else cell for name, cell in found.items()}
            cells = Cells({name: told.get(name, "") for name in columns}, len(record) == len(self.names))
            if not cells.whole:
                cells.problems.append(
                    f"the row has {len(record)} cells, must have {len(self.names)} as the first line has"
                )
            yield line, cells


def read_table(path: Path, needs: str) -> Table:
    """The table of a CSV file, blank records left out; `needs` says what its first line must hold.

    Raises UserError for a file that is no readable CSV in UTF-8, or is empty.
    """
    reader = csv.reader(io.StringIO(_read(path), newline=""), strict=True)
    records: list[tuple[int, tuple[str, ...]]] = []
    before = 0
    try:
        for record in reader:
            line, before = before + 1, reader.line_num
            if any(map(str.strip, record)):
                records.append((line, tuple(record)))
    except csv.Error as error:
        raise UserError(
            f"{path}:{reader.line_num}: not readable as CSV ({error}); check its quotes"
        ) from error
    if not records:
        raise UserError(f"{path} is empty; {needs}")
    return Table(path, tuple(name.strip() for name in records[0][1]), tuple(records[1:]))


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 (byte {error.start}); save it as CSV in UTF-8") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error
