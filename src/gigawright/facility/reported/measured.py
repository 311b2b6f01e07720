"""Reported values of PUE and WUE beside what they were reported of; only a calibration reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gigawright.errors import UserError
from gigawright.facility.reported.models import needs_of
from gigawright.facility.reported.physics import Needs
from gigawright.facility.reported.rows import Asked, read_rows, table_of
from gigawright.workloads.folds import fold_of, read_folds

HIGHEST_PUE, HIGHEST_WUE = 5.0, 20.0
"""A reported value above is a slip."""

SAME = 5e-4
"""Two values of PUE are the same where they differ by less."""

WAYS = ("site", "place", "operator")
"""What is left out at a time: a site with all its years, a city with all operators, an operator."""


@dataclass(frozen=True)
class Measured:
    """A reported row: what it asks, PUE, WUE [l/kWh] (None: not reported), and the fold of each of `WAYS`."""

    key: str
    asked: Asked
    needs: Needs
    pue: float
    wue: float | None
    folds: Mapping[str, str]

    @property
    def at_design(self) -> bool:
        """Whether the value is the operator's design value."""
        design = self.asked.operator.design_pue
        return design is not None and abs(self.pue - design) < SAME


def read_measured(path: Path, folds: Path) -> tuple[list[Measured], int]:
    """Rows with a place and a reported PUE, and how many rows are refused.

    A WUE that an operator states for more than half of its sites in a year is its fleet's, and is taken as
    missing in every year. Raises UserError where a file cannot be read or lacks a column.
    """
    patterns, values = read_folds(folds), _values(path)
    found = []
    for row in read_rows(path):
        pue, wue = values[row.line]
        if row.asked is None or pue is None:
            continue
        own = {name: fold_of(patterns, name, row.asked.name) for name in ("site", "place")}
        own["operator"] = row.asked.operator.name
        found.append(Measured(row.key, row.asked, needs_of(row.asked), pue, wue, own))
    return without_fleet_water(found), len(values) - len(found)


def _values(path: Path) -> dict[int, tuple[float | None, float | None]]:
    """Reported PUE and WUE by line; None where a cell is no number of a place, such as `<1.3`."""
    table = table_of(path)
    if "pue" not in table.names:
        raise UserError(f"{path}: missing pue of reported rows")
    return {
        line: (
            _number(cells.text["pue"], 1.0, HIGHEST_PUE),
            _number(cells.text["wue_l_per_kwh"], 0.0, HIGHEST_WUE),
        )
        for line, cells in table.rows(("pue", "wue_l_per_kwh"))
    }


def _number(text: str, above: float, most: float) -> float | None:
    value = float(text) if re.fullmatch(r"\d+(?:\.\d*)?", text, re.ASCII) else 0.0
    return value if above < value <= most else None


def without_fleet_water(measured: Sequence[Measured]) -> list[Measured]:
    """The rows, without values of WUE that are an operator's fleet mean."""
    years: dict[tuple[str, int], list[float | None]] = {}
    for one in measured:
        years.setdefault((one.asked.operator.name, one.asked.year), []).append(one.wue)
    fleets = {
        (name, value)
        for (name, _), values in years.items()
        for value in values
        if value is not None and len(values) > 2 and 2 * values.count(value) > len(values)
    }
    return [
        replace(one, wue=None) if (one.asked.operator.name, one.wue) in fleets else one for one in measured
    ]
