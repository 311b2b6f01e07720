"""`gigawright weather`: a place's year, hour by hour, from a file, a service or its monthly normals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from gigawright.errors import UserError

if TYPE_CHECKING:
    from gigawright.facility.weather.years import WeatherFile

WIDE = 100
"""Columns of the chart where output goes to a file or a pipe."""


def weather(
    place: Annotated[str, Parameter(allow_leading_hyphen=True)] = "",
    *,
    file: Annotated[Path | None, Parameter(name="--from")] = None,
    source: Literal["pvgis", "open-meteo", "synthetic"] | None = None,
    year: str = "",
    typical: bool = False,
    warming: float = 0.0,
    as_of: str | None = None,
    out: Path | None = None,
    url: str | None = None,
    refresh: bool = False,
    json: bool = False,
) -> None:
    """A year of weather of a place, or several: months in a table and a chart, and as an EPW file.

    An answer once fetched is kept (GIGAWRIGHT_CACHE names the folder) and not asked for again.

    Parameters
    ----------
    place
        A site of the catalogue, such as ulanqab, or LATITUDE,LONGITUDE in degrees north and east.
    file
        A weather file to read instead: EPW, or JSON of PVGIS or Open-Meteo.
    source
        pvgis: a typical year (the default); open-meteo: calendar years (the default with --year);
        synthetic: made from monthly normals, without a network.
    year
        Calendar years, such as 2023, 2019-2023 or 2015,2018-2020; default of open-meteo: the last whole one.
        With synthetic, numbers such as 0-9 of years that differ as real ones do; default: the mean climate.
    typical
        Make one typical year of several, after ISO 15927-4.
    warming
        Make the place's air so many kelvin warmer, relative humidity kept.
    as_of
        Use only what was known on that day (YYYY-MM-DD) of a catalogue's site.
    out
        An EPW file to write; several years get their numbers into their names.
    url
        Another address of the service; also GIGAWRIGHT_PVGIS_URL and GIGAWRIGHT_OPEN_METEO_URL.
    refresh
        Ask again, though an answer is kept.
    json
        Print all numbers as JSON.
    """
    from gigawright.facility.weather.download import Asking
    from gigawright.facility.weather.obtain import Asked, obtain
    from gigawright.terminal import Telling

    _check_out(out, file)
    telling = Telling()
    asked = Asked(place, file, source, year, typical, warming, as_of)
    found = obtain(asked, Asking(url, refresh, told=telling))
    written = _write(found, out) if out is not None else []
    _tell(found, written, json)


def _check_out(out: Path | None, file: Path | None) -> None:
    """Raises OutputError, before anything is fetched, for a place that cannot be written."""
    if out is not None:
        from gigawright.workloads.training.files import output_file

        if out.suffix.lower() != ".epw":
            raise UserError(f"--out {out} must end with .epw, which is what is written")
        output_file(out, () if file is None else (file,))


def _write(found: WeatherFile, out: Path) -> list[Path]:
    """An EPW file a year."""
    from gigawright.facility.weather.epw_write import YEAR_OF_NONE, write_epw

    comments = (f"made by gigawright: {found.kind}; {found.source}", *found.notes)
    written = []
    for label, year in found.years:
        path = out if len(found.years) == 1 else out.with_name(f"{out.stem}-{label.split()[-1]}{out.suffix}")
        number = int(label) if label.isdecimal() else YEAR_OF_NONE
        write_epw(path, year, found.place, comments, number)
        written.append(path)
    return written


def _tell(found: WeatherFile, written: list[Path], as_json: bool) -> None:
    """Print what there is, fitted to the terminal."""
    from gigawright.report import weather_text
    from gigawright.terminal import say

    if as_json:
        import json

        told = {**weather_text.as_json(found), "written": [str(path) for path in written]}
        say(json.dumps(told, indent=1, ensure_ascii=False))
        return
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    place = found.place
    console.print(f"{place.title}: {found.kind}", style="bold", soft_wrap=True)
    console.print(
        f"{place.latitude:.3f}, {place.longitude:.3f}, {place.elevation_m:.0f} m above the sea, "
        f"months by UTC{place.utc_offset_h:+g}",
        soft_wrap=True,
    )
    console.print(_table("month", weather_text.COLUMNS, weather_text.month_rows(found)))
    marks = weather_text.PLAIN if console.options.ascii_only else weather_text.PRETTY
    for line in weather_text.chart_lines(found, console.width if console.is_terminal else WIDE, marks):
        console.print(line, soft_wrap=True)
    console.print(_table("year", weather_text.YEARS, weather_text.year_rows(found)))
    for note in found.notes:
        console.print(f"note: {note}", soft_wrap=True)
    for path in written:
        console.print(f"written: {path}", soft_wrap=True)


def _table(first: str, columns: dict[str, str], rows: list[list[str]]) -> object:
    from rich.table import Table

    from gigawright.facility.weather.hours import MONTH_NAMES

    table = Table()
    table.add_column(first, no_wrap=True)
    for head in columns.values():
        table.add_column(head, justify="right", min_width=max(map(len, head.split())))
    for row in rows:
        # A line between the last month and the year.
        table.add_row(*row, end_section=row[0] == MONTH_NAMES[-1])
    return table
