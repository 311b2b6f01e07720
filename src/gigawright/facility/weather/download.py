"""Weather fetched from PVGIS or Open-Meteo, and kept, so that the same question is asked once.

Both answer without a key. An answer is kept as it came (a file that `read_weather` reads) in a folder of the
cache, under a name that holds place, year and a hash of the address; it is kept only if it could be read.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gigawright.errors import CatalogueError, OutputError, UserError
from gigawright.facility.weather.read import of_answer
from gigawright.facility.weather.years import WeatherFile, WeatherYears
from gigawright.tables import cache_folder, write_bytes

PVGIS_URL = "https://re.jrc.ec.europa.eu/api/v5_3"
PVGIS_VARIABLE = "GIGAWRIGHT_PVGIS_URL"
OPEN_METEO_URL = "https://archive-api.open-meteo.com/v1/archive"
OPEN_METEO_VARIABLE = "GIGAWRIGHT_OPEN_METEO_URL"
"""Addresses, and the variables of the environment that name others (a mirror, a company's own service)."""

OPEN_METEO_SERIES = (
    "temperature_2m",
    "relative_humidity_2m",
    "surface_pressure",
    "shortwave_radiation",
    "direct_normal_irradiance",
    "diffuse_radiation",
    "wind_speed_10m",
)
FIRST_YEAR = 1940
"""First year of Open-Meteo's archive (ERA5)."""
ARCHIVE_DELAY_DAYS = 7
"""Days after which the archive has a day (ERA5: five), with two to spare."""
MOST_YEARS = 40

AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
"""Answers of a server that may pass; 529 is how PVGIS says that it is overloaded."""
MOST_BYTES = 64 * 1024 * 1024
FARTHEST_DEG = 1.0
"""How far a cell of a service's grid may lie from what was asked (ERA5's are a quarter of a degree)."""
WAYS_OUT = (
    "Without it: give a weather file of your own (--from FILE), or make the year from monthly normals "
    "(--source synthetic)"
)

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Client:
    """How patiently a server is asked: seconds for an answer, tries, and the first pause [s]; it doubles."""

    timeout_s: float = 60.0
    tries: int = 3
    pause_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Asking:
    """Where from and how: base address (none: the environment's, else the public one), cache and client."""

    url: str | None = None
    refresh: bool = False
    client: Client = Client()
    told: Told = lambda text: None


PUBLIC = Asking()
"""The public services, the user's cache, and nobody told."""


def weather_folder() -> Path:
    """Where answers are kept: `weather` in GIGAWRIGHT_CACHE, else in the user's folder for caches."""
    return cache_folder() / "weather"


def pvgis_typical(latitude: float, longitude: float, asking: Asking = PUBLIC) -> WeatherFile:
    """PVGIS's typical year (ISO 15927-4) at a place. Raises UserError where none can be had."""
    base = asking.url or os.environ.get(PVGIS_VARIABLE) or PVGIS_URL
    query = {"lat": f"{latitude:.3f}", "lon": f"{longitude:.3f}", "outputformat": "json"}
    name = f"pvgis_{latitude:.3f}_{longitude:.3f}"
    return _weather("PVGIS", f"{base.rstrip('/')}/tmy", query, name, asking)


def open_meteo_years(
    latitude: float, longitude: float, years: Sequence[int], asking: Asking = PUBLIC
) -> WeatherFile:
    """Calendar years (UTC) of Open-Meteo's archive at a place. Raises UserError where one cannot be had."""
    base = asking.url or os.environ.get(OPEN_METEO_VARIABLE) or OPEN_METEO_URL
    files = []
    for year in years:
        query = {
            "latitude": f"{latitude:.3f}",
            "longitude": f"{longitude:.3f}",
            "start_date": f"{year}-01-01",
            "end_date": f"{year}-12-31",
            "hourly": ",".join(OPEN_METEO_SERIES),
            "wind_speed_unit": "ms",
            "timezone": "GMT",
        }
        name = f"open-meteo_{latitude:.3f}_{longitude:.3f}_{year}"
        files.append(_weather("Open-Meteo", base, query, name, asking))
    made = [one for file in files for one in file.years]
    together = WeatherYears(tuple(label for label, _ in made), tuple(year for _, year in made))
    notes = tuple(dict.fromkeys(note for file in files for note in file.notes))
    return replace(files[0], years=together, notes=notes)


def asked_years(text: str, today: dt.date | None = None) -> tuple[int, ...]:
    """Years as one writes them: `2021`, `2019-2023`, `2015,2018-2020`. Raises UserError on others.

    >>> asked_years("2015,2018-2020")
    (2015, 2018, 2019, 2020)
    """
    last = ((today or dt.date.today()) - dt.timedelta(days=ARCHIVE_DELAY_DAYS)).year - 1
    years = numbered_years(text)
    if not all(FIRST_YEAR <= year <= last for year in years):
        raise UserError(f"{text!r}: whole years from {FIRST_YEAR} to {last} can be had")
    return years


def numbered_years(text: str) -> tuple[int, ...]:
    """Numbers and ranges of numbers, each once, as they are written; at most 40. Raises UserError on others.

    >>> numbered_years("3,0-2")
    (3, 0, 1, 2)
    """
    years: list[int] = []
    for part in text.split(","):
        first, _, end = part.strip().partition("-")
        if not first.isdecimal() or not (end or first).isdecimal() or int(end or first) < int(first):
            raise UserError(f"{text!r} are no years; write 2021, 2019-2023 or 2015,2018-2020")
        if int(end or first) - int(first) >= MOST_YEARS:
            raise UserError(f"{text!r} are too many years; ask for {MOST_YEARS} at most")
        years += range(int(first), int(end or first) + 1)
    if len(set(years)) > MOST_YEARS:
        raise UserError(f"{text!r} are too many years; ask for {MOST_YEARS} at most")
    return tuple(dict.fromkeys(years))


def _weather(service: str, url: str, query: dict[str, str], name: str, asking: Asking) -> WeatherFile:
    """The weather of one answer: kept from before, or fetched, checked and kept."""
    address = f"{url}?{urllib.parse.urlencode(query, safe=',')}"
    kept = weather_folder() / f"{name}_{hashlib.sha256(address.encode()).hexdigest()[:8]}.json"
    if not asking.refresh and (found := _kept(kept)) is not None and not _another(found, query):
        asking.told(f"{service}: kept from before, {kept}")
        return found
    asking.told(f"{service}: asking {urllib.parse.urlsplit(address).netloc}")
    body, answer = _answer(service, address, asking.client)
    read = of_answer(answer, address)
    if other := _another(read, query):
        raise UserError(f"{service} at {address} answers with {other}, which was not asked. {WAYS_OUT}")
    # A cache that cannot be written costs the same question again, nothing else.
    with suppress(OutputError):
        write_bytes(kept, body)
    return read


def _another(found: WeatherFile, query: dict[str, str]) -> str:
    """The place or year of an answer where it is not what was asked; nothing where it is."""
    latitude, longitude = (float(query.get(name) or query[name[:3]]) for name in ("latitude", "longitude"))
    place = found.place
    east = abs((place.longitude - longitude + 180.0) % 360.0 - 180.0)
    if max(abs(place.latitude - latitude), east) > FARTHEST_DEG:
        return f"the place {place.latitude:g}, {place.longitude:g}"
    year = query.get("start_date", "")[:4]
    return "" if not year or found.years.labels == (year,) else f"the years {', '.join(found.years.labels)}"


def _kept(path: Path) -> WeatherFile | None:
    """A kept answer; None where there is none, or where its file is not whole."""
    try:
        return of_answer(json.loads(path.read_text("utf-8")), str(path))
    except (OSError, ValueError, CatalogueError):
        return None


def _answer(service: str, address: str, client: Client) -> tuple[bytes, Any]:
    """A whole JSON answer; a server that fails for a while is asked again, after a pause."""
    failed = ""
    for again in range(client.tries):
        if again:
            time.sleep(client.pause_s * 2.0 ** (again - 1))
        try:
            body = _body(address, client.timeout_s)
            return body, json.loads(body)
        except urllib.error.HTTPError as error:
            failed = f"{error.code} {error.reason}: {_words(error)}".rstrip(": ")
            if error.code not in AGAIN:
                raise UserError(f"{service} refused {address}: {failed}") from None
        except urllib.error.URLError as error:
            failed = str(error.reason)
        except TimeoutError:
            failed = f"no answer within {client.timeout_s:g} s"
        except (http.client.HTTPException, ConnectionError) as error:
            failed = f"the answer broke off ({type(error).__name__})"
        except ValueError:
            failed = f"the answer is not whole JSON ({len(body):,} bytes)"
    tries = f"{client.tries} tries" if client.tries > 1 else "1 try"
    raise UserError(f"no weather from {service} at {address} after {tries}: {failed}. {WAYS_OUT}")


def _body(address: str, timeout_s: float) -> bytes:
    """The bytes of an answer."""
    if urllib.parse.urlsplit(address).scheme not in ("http", "https"):
        raise UserError(f"{address} is no address of the web; it must begin with https:// or http://")
    request = urllib.request.Request(address, headers={"User-Agent": "gigawright"})  # noqa: S310 - see above
    with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310 - see above
        body = bytes(answer.read(MOST_BYTES + 1))
        missing = answer.length or 0
    if missing and len(body) <= MOST_BYTES:
        raise http.client.IncompleteRead(body, missing)
    if len(body) > MOST_BYTES:
        raise UserError(
            f"{address} answers with more than {MOST_BYTES >> 20} MiB, which is no year of weather"
        )
    return body


def _words(error: urllib.error.HTTPError) -> str:
    """What a server says of its refusal: `message` of PVGIS, `reason` of Open-Meteo."""
    with suppress(OSError, ValueError, http.client.HTTPException):
        told = json.loads(error.read(100_000))
        if isinstance(told, dict):
            return str(told.get("message") or told.get("reason") or "")
    return ""
