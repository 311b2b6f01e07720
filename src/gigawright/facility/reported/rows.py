"""Rows of reported PUE and WUE from a CSV file: every row becomes an `Asked` or says why it cannot.

Only the columns of `COLUMNS` are read; what was reported is never looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from gigawright.errors import UserError
from gigawright.facility.reported.operators import OTHER_SECTOR, Operator, operator_named
from gigawright.workloads.cells import Cells, Table, read_table

NEEDED = ("id", "operator", "lat_lon")
"""Columns a file must have."""

COLUMNS = (*NEEDED, "site", "location", "year")
"""All columns that are read."""

NO_PLACE = "no place: lat_lon is blank, as of a fleet's mean or a policy; one place's PUE is predicted"

LATEST_YEAR = 2024
"""Year of a row that names none: the last that the calibration has."""

EARLIEST, LAST = 2000, 2100
"""A year outside is a slip."""

_PLACE = re.compile(r"\(?([+-]?\d+(?:\.\d*)?)(?:\s*[,;]\s*|\s+)([+-]?\d+(?:\.\d*)?)\)?", re.ASCII)


@dataclass(frozen=True)
class Asked:
    """A year of an operator's site at a place [degrees]."""

    operator: Operator
    site: str
    latitude: float
    longitude: float
    year: int

    @property
    def name(self) -> str:
        """Operator and site, as folds name them."""
        return f"{self.operator.name} | {self.site}"


@dataclass(frozen=True)
class Row:
    """A row of a file: what it asks, or in `refused` all reasons why there is none.

    `assumed` names what was filled in: the year, or how the operator cools where it is not listed.
    """

    key: str
    line: int
    asked: Asked | None
    refused: str = ""
    assumed: tuple[str, ...] = ()


def read_rows(path: Path) -> list[Row]:
    """Every row, in order; one that is wrong is refused, with each problem by column and value.

    Raises UserError for a file that cannot be read as a table with the columns `NEEDED`.
    """
    lines: dict[str, int] = {}
    return [_row(line, cells, lines) for line, cells in table_of(path).rows(COLUMNS)]


def table_of(path: Path) -> Table:
    """The file's table; UserError where a column is missing."""
    needs = f"give a CSV file with the columns {', '.join(NEEDED)} in its first line"
    table = read_table(path, needs)
    if missing := [name for name in NEEDED if name not in table.names]:
        word = "column" if len(missing) == 1 else "columns"
        raise UserError(f"{path}: missing {word} {', '.join(missing)}; {needs}")
    return table


def _row(line: int, cells: Cells, lines: dict[str, int]) -> Row:
    key = cells.text["id"]
    if not key:
        cells.problems.append("id is blank")
    elif (earlier := lines.setdefault(key, line)) != line:
        cells.problems.append(f"id {key!r} is on line {earlier} already, must be unique")
    if not cells.whole:
        return Row(key, line, None, "; ".join(cells.problems))
    operator = operator_named(cells.text["operator"])
    if operator.sector == OTHER_SECTOR:
        cells.assumed.append("operator")
    place, year = _place(cells), _year(cells)
    if place is None or cells.problems:
        return Row(key, line, None, "; ".join(cells.problems))
    # Without an id of its own, a site is told by where it is.
    site = cells.text["site"] or cells.text["location"] or cells.text["lat_lon"]
    return Row(key, line, Asked(operator, site, *place, year), assumed=tuple(cells.assumed))


def _place(cells: Cells) -> tuple[float, float] | None:
    """Latitude and longitude; None where there are none, or they are wrong (noted)."""
    text = cells.text["lat_lon"]
    if not text:
        cells.problems.append(NO_PLACE)
        return None
    found = _PLACE.fullmatch(text)
    if found is None:
        cells.problems.append(
            f"lat_lon is {text!r}, must be latitude,longitude in degrees, such as 53.35,-6.26"
        )
        return None
    latitude, longitude = float(found[1]), float(found[2])
    if abs(latitude) > 90.0 or abs(longitude) > 180.0:
        cells.problems.append(
            f"lat_lon is {text!r}, must be a latitude from -90 to 90 and a longitude from -180 to 180"
        )
        return None
    return latitude, longitude


def _year(cells: Cells) -> int:
    """The calendar year, or the first that a fiscal year names (`FY2024`, `2021Q2`)."""
    text = cells.text["year"]
    if not text:
        cells.assumed.append("year")
        return LATEST_YEAR
    found = re.search(r"(?<!\d)(\d{4})(?!\d)", text, re.ASCII)
    if found is None or not EARLIEST <= int(found[1]) <= LAST:
        cells.problems.append(f"year is {text!r}, must be a year from {EARLIEST} to {LAST}")
        return LATEST_YEAR
    return int(found[1])
