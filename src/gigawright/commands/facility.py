"""`gigawright facility`: a place's halls over a year, from PUE and water to standby power."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from gigawright.errors import UserError

if TYPE_CHECKING:
    from gigawright.facility.ask import FacilityAsked, FacilityYear


def facility(
    site: str = "",
    *,
    lat_lon: Annotated[str, Parameter(allow_leading_hyphen=True)] = "",
    it: str = "100 MW",
    cooling: tuple[str, ...] = (),
    load: str = "80 %",
    redundancy: str = "block",
    system: str = "",
    weather: Path | None = None,
    warming: float = 0.0,
    as_of: str | None = None,
    out: Path | None = None,
    html: Path | None = None,
    json: bool = False,
) -> None:
    """PUE, water, heat and power of a place's halls over a year, by month, and how sure they are.

    Parameters
    ----------
    site
        A site of the catalogue, such as ulanqab, or LATITUDE,LONGITUDE.
    lat_lon
        Any place instead: LATITUDE,LONGITUDE in degrees north and east, with the climate of the stations
        around it.
    it
        What IT draws all year, such as "100 MW".
    cooling
        A design, such as liquid, liquid_dry, air, evaporative, chiller or immersion, or a friendly name, such
        as dry or tower; may be repeated. Default: air and liquid, or what suits the system.
    load
        What IT draws over the halls' design load.
    redundancy
        Arrangement of power: n, n_plus_1, block (four units for three), distributed, two_n, block_eco,
        rack_battery.
    system
        Racks that the halls must suit, such as gb200_nvl72.
    weather
        A weather file: EPW, or JSON of PVGIS or Open-Meteo. Default: a year made from monthly normals.
    warming
        Make the air so many kelvin warmer, relative humidity kept.
    as_of
        Use only what was known on that day (YYYY-MM-DD).
    out
        A folder to write: page, tables by hour and month, all numbers.
    html
        The page alone.
    json
        Print all numbers as JSON.
    """
    from gigawright.facility.ask import FacilityAsked, facility_year
    from gigawright.units import parse

    if "," in site and not lat_lon:
        site, lat_lon = "", site
    asked = FacilityAsked(
        site=site,
        point=lat_lon,
        coolings=cooling,
        it_mw=parse(it, "power"),
        load_share=parse(load, "share"),
        chain=redundancy.strip().lower().replace("-", "_"),
        system=system,
        weather=weather,
        warming_k=warming,
        as_of=as_of,
    )
    _check(asked, out, html)
    year = facility_year(asked)
    written = _write(year, out, html)
    if json:
        _tell_json(year)
    else:
        from gigawright.terminal_facility import tell_facility

        tell_facility(year, written)


def _check(asked: FacilityAsked, out: Path | None, html: Path | None) -> None:
    """Raises UserError, before anything is worked out, for places that cannot be written."""
    from gigawright.workloads.training.files import check_output_folder, output_file

    if out is not None:
        check_output_folder(out)
    if html is not None:
        if html.suffix.lower() not in (".html", ".htm"):
            raise UserError(f"--html {html} must end with .html")
        output_file(html, () if asked.weather is None else (asked.weather,))


def _write(year: FacilityYear, out: Path | None, html: Path | None) -> tuple[Path, ...]:
    """What is asked for on disk; the folder appears whole."""
    written = []
    if out is not None:
        from gigawright.report.facility import write_facility_folder

        write_facility_folder(year, out)
        written.append(out / "report.html")
    if html is not None:
        from gigawright.report.facility import write_facility

        write_facility(year, html)
        written.append(html)
    return tuple(written)


def _tell_json(year: FacilityYear) -> None:
    import json

    from gigawright.facility.hall_tables import as_json
    from gigawright.terminal import say

    say(json.dumps(as_json(year), indent=1, ensure_ascii=False))
