"""Spot prices by hour from a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gigawright.arrays import Floats
from gigawright.facility.supply.hour_files import read_hours

PRICE_WORDS = ("price", "spot", "lmp", "mwh", "value", "cost")


@dataclass(frozen=True, eq=False)
class PriceYear:
    """A year of prices by UTC hour, (8760,), in the file's currency a MWh; `year` by the file's own clock.

    `notes` say what was averaged, filled or left out.
    """

    price_mwh: Floats
    year: int
    column: str
    notes: tuple[str, ...]

    @property
    def negative_hours(self) -> int:
        """Hours in which one is paid to draw power."""
        return int((self.price_mwh < 0.0).sum())


def read_prices(
    path: Path,
    *,
    column: str | None = None,
    time_column: str | None = None,
    zone: str | None = None,
    utc_offset_h: float | None = None,
    year: int | None = None,
) -> PriceYear:
    """A year of hourly prices from a CSV file with a header; how times are read is said at `read_hours`.

    Negative prices stay as they are. Raises CatalogueError on anything that would need a guess.
    """
    found = read_hours(
        path,
        PRICE_WORDS,
        column=column,
        time_column=time_column,
        zone=zone,
        utc_offset_h=utc_offset_h,
        year=year,
    )
    return PriceYear(found.values, found.year, found.column, found.notes)
