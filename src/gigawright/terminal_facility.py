"""What a person sees of a place's halls in the terminal: designs side by side, each one's months, a chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gigawright.facility.hall import year_of
from gigawright.facility.weather.hours import MONTH_NAMES
from gigawright.report.facility_text import effect_line, facility_lines, rows_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from gigawright.arrays import Floats
    from gigawright.facility.ask import FacilityYear
    from gigawright.facility.hall import Hall

WIDE = 100
"""Columns of a chart where output goes to a file or a pipe."""
NARROWEST, WIDEST = 56, 120
BARS = 0.3
"""Share of a chart's width that bars have, beside the strips."""
SHOWN_EFFECTS = 4

MONTHLY = {
    "pue": "PUE",
    "peak_mw": "peak MW",
    "energy_mwh": "energy GWh",
    "water_m3": "water 1000 m3",
    "heat_mwh": "heat GWh",
    "short_h": "too warm h",
}
THOUSANDS = {"energy_mwh", "water_m3", "heat_mwh"}
DECIMALS = {"pue": 3, "peak_mw": 1, "energy_mwh": 1, "water_m3": 2, "heat_mwh": 1, "short_h": 0}


def tell_facility(year: FacilityYear, written: Sequence[Path] = ()) -> None:
    """Print a place's year: the designs side by side, each one's months and chart, and what it rests on."""
    from gigawright.terminal import console_for_tables

    console = console_for_tables()
    asked, place = year.asked, year.found.place
    console.print(f"{year.title}: {asked.it_mw:,.6g} MW of IT", style="bold", soft_wrap=True)
    console.print(
        f"{place.latitude:.2f}, {place.longitude:.2f}, {place.elevation_m:,.0f} m above the sea, months by "
        f"UTC{place.utc_offset_h:+g}; weather: {year.found.kind}",
        soft_wrap=True,
    )
    console.print(_designs(year))
    for one in year.halls:
        _tell_months(console, one, year)
    for line in facility_lines(year):
        console.print(line, soft_wrap=True)
    for note in year.notes:
        console.print(f"note: {note}", soft_wrap=True)
    for path in written:
        console.print(f"written: {path}", soft_wrap=True)


def _designs(year: FacilityYear) -> Table:
    """A column a design, a row a number."""
    from rich.table import Table

    table = Table()
    table.add_column("")
    for one in year.halls:
        table.add_column(one.name, justify="right")
    for name, cells in rows_of(year):
        table.add_row(name, *cells)
    return table


def _tell_months(console: Console, one: Hall, year: FacilityYear) -> None:
    """A design's months as a table and a chart, and what its PUE hangs on."""
    from rich.table import Table

    months = one.months(year.found.place.utc_offset_h)
    console.print(f"{one.name}: {one.description}", soft_wrap=True)
    table = Table()
    table.add_column("month", no_wrap=True)
    for head in MONTHLY.values():
        table.add_column(head, justify="right")
    for number, name in enumerate(MONTH_NAMES):
        table.add_row(
            name,
            *_cells({key: float(row[number]) for key, row in months.items()}),
            end_section=number == len(MONTH_NAMES) - 1,
        )
    table.add_row("year", *_cells(year_of(months)))
    console.print(table)
    plain = console.options.ascii_only
    for line in chart_lines(months, console.width if console.is_terminal else WIDE, plain):
        console.print(line, soft_wrap=True)
    if one.sensitivity is not None:
        console.print("what PUE hangs on most:", soft_wrap=True)
        for effect in one.sensitivity.effects[:SHOWN_EFFECTS]:
            console.print(f"  {effect_line(effect)}", soft_wrap=True)


def _cells(numbers: Mapping[str, float]) -> list[str]:
    return [f"{numbers[name] * (1e-3 if name in THOUSANDS else 1.0):,.{DECIMALS[name]}f}" for name in MONTHLY]


def chart_lines(months: dict[str, Floats], width: int, plain: bool = False) -> list[str]:
    """A line a month: the reach of PUE and its mean; beside it energy that is not IT's, as a bar.

    width: columns of the terminal. plain: ASCII alone.
    """
    reach, mean, bar = (".", "o", "#") if plain else ("·", "●", "█")
    width = min(max(width, NARROWEST), WIDEST)
    bars = round(width * BARS)
    strip = width - bars - 14
    low, high = float(months["pue_low"].min()), float(months["pue_high"].max())
    over = (months["energy_mwh"] - months["it_mwh"]) / 1e3
    scale = f"PUE {low:.2f}"
    lines = [f"     {scale}{f'{high:.2f}':>{strip - len(scale)}}  cooling and losses [GWh]"]

    def at(value: float) -> int:
        return round((value - low) / max(high - low, 1e-6) * (strip - 1))

    for number, name in enumerate(MONTH_NAMES):
        first, last = at(float(months["pue_low"][number])), at(float(months["pue_high"][number]))
        cells = [reach if first <= cell <= last else " " for cell in range(strip)]
        cells[at(float(months["pue"][number]))] = mean
        length = round((bars - 2) * float(over[number] / max(over.max(), 1e-9)))
        lines.append(f"{name}  {''.join(cells)}  {bar * length} {over[number]:.1f}")
    return [*lines, f"     {reach * 3} lowest to highest hour  {mean} mean"]
