"""One reader for every weather file, which is told apart by its content."""

from __future__ import annotations

import json
from pathlib import Path

from gigawright.errors import CatalogueError
from gigawright.facility.weather.epw import read_epw_file, read_epw_place
from gigawright.facility.weather.open_meteo import is_open_meteo, of_open_meteo
from gigawright.facility.weather.pvgis import is_pvgis, of_pvgis
from gigawright.facility.weather.years import Place, WeatherFile

KNOWN = (
    "an EPW file (EnergyPlus), a typical year or hourly series of PVGIS (JSON), "
    "or an answer of Open-Meteo (JSON)"
)


def read_weather(path: Path) -> WeatherFile:
    """A weather file as UTC hours, whatever its name: EPW, PVGIS or Open-Meteo, told apart by content.

    Raises CatalogueError on a file that cannot be read, is none of these, or has problems (all of them).
    """
    path = Path(path)
    text = _text(path)
    if _is_epw(text):
        return read_epw_file(path)
    if not text.lstrip().startswith(("{", "[")):
        raise CatalogueError(f"{path} is no weather file that is known here; known is {KNOWN}")
    try:
        answer = json.loads(text)
    except ValueError as error:
        raise CatalogueError(f"{path} is not whole JSON ({error}); download it again") from error
    return of_answer(answer, str(path))


def of_answer(answer: object, source: str) -> WeatherFile:
    """The weather of a JSON answer of PVGIS or Open-Meteo. Raises CatalogueError on any other."""
    if is_pvgis(answer):
        return of_pvgis(answer, source)
    if is_open_meteo(answer):
        return of_open_meteo(answer, source)
    raise CatalogueError(f"{source} is JSON, but no weather that is known here; known is {KNOWN}")


def read_place(path: Path) -> Place:
    """Where a weather file is from; of an EPW file only the first line is read. Raises CatalogueError."""
    return read_epw_place(path) if _is_epw(_text(Path(path))) else read_weather(path).place


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise CatalogueError(f"{path} cannot be read: {error.strerror or error}") from error


def _is_epw(text: str) -> bool:
    return text[:8].upper() == "LOCATION"
