"""The weather that is asked for: from a file, a service or monthly normals, as it is or warmer."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from gigawright.catalogue.lookup import site_of
from gigawright.catalogue.types import MonthlyClimate, Site
from gigawright.errors import UserError
from gigawright.facility.weather.download import (
    PUBLIC,
    Asking,
    asked_years,
    numbered_years,
    open_meteo_years,
    pvgis_typical,
)
from gigawright.facility.weather.read import read_weather
from gigawright.facility.weather.shift import morphed, warming
from gigawright.facility.weather.stations import climate_at
from gigawright.facility.weather.synthetic import synthetic_year
from gigawright.facility.weather.synthetic_years import synthetic_years
from gigawright.facility.weather.years import (
    TYPICAL,
    Place,
    WeatherFile,
    WeatherYears,
    typical_year,
)

Source = Literal["pvgis", "open-meteo", "synthetic"]

SYNTHETIC = "synthetic"
# From here on a number looks like a year of the calendar.
FIRST_CALENDAR_YEAR = 1900
FAR_KM = 50.0
"""Distance from which a file is told to be of another place."""
EARTH_RADIUS_KM = 6371.0

_COORDINATES = re.compile(r"^\s*([-+]?\d+(?:\.\d*)?)\s*[,;]\s*([-+]?\d+(?:\.\d*)?)\s*$")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: a place by name or `latitude,longitude`, and how its weather is to be had.

    years: calendar years as one writes them (Open-Meteo), or numbers of synthetic ones. typical: one year
    made of months of several. warming_k: air so much warmer [K]. as_of: a day (YYYY-MM-DD) after which
    nothing is known of a catalogue's site.
    """

    place: str = ""
    file: Path | None = None
    source: Source | None = None
    years: str = ""
    typical: bool = False
    warming_k: float = 0.0
    as_of: str | None = None


def obtain(asked: Asked, asking: Asking = PUBLIC) -> WeatherFile:
    """The weather asked for, with notes of what was done to it. Raises UserError where it cannot be had."""
    site = _site(asked.place, asked.as_of)
    found = _named(_found(asked, site, asking), site)
    if asked.typical:
        found = _typical(found)
    if asked.warming_k:
        found = _warmer(found, asked.warming_k)
    return found


def coordinates(text: str) -> Place | None:
    """A place by its latitude and longitude; None for text that is no pair of numbers.

    >>> coordinates("-33.87, 151.21").title
    '33.87 S, 151.21 E'
    """
    match = _COORDINATES.match(text)
    if match is None:
        return None
    latitude, longitude = float(match[1]), float(match[2])
    if abs(latitude) > 90.0 or abs(longitude) > 180.0:
        raise UserError(
            f"{text!r} is nowhere: latitude (-90 to 90 degrees north) comes first, then longitude (-180 to "
            "180 degrees east)"
        )
    return Place(latitude, longitude, 0.0, float(round(longitude / 15.0)))


def _site(text: str, as_of: str | None) -> Place | Site | None:
    """Where to look: a point, a site of the catalogue, or nothing."""
    return (coordinates(text) or site_of(text, as_of)) if text else None


def _found(asked: Asked, site: Place | Site | None, asking: Asking) -> WeatherFile:
    if asked.file is not None:
        if asked.source is not None or asked.years:
            raise UserError("--from FILE has its own source and years; leave --source and --year out")
        return _with_distance(read_weather(asked.file), site)
    if site is None:
        raise UserError("no place is given: a site of the catalogue, LATITUDE,LONGITUDE, or --from FILE")
    source = asked.source or ("open-meteo" if asked.years else "pvgis")
    if source == "synthetic":
        return _synthetic(site, asked.years)
    if source == "pvgis":
        if asked.years:
            raise UserError("PVGIS gives a typical year here; for calendar years use --source open-meteo")
        return pvgis_typical(site.latitude, site.longitude, asking)
    years = asked_years(asked.years or _last_year())
    return open_meteo_years(site.latitude, site.longitude, years, asking)


def _last_year() -> str:
    """The last calendar year that is surely in an archive which lags by some days."""
    return str((dt.date.today() - dt.timedelta(days=31)).year - 1)


def _synthetic(site: Place | Site, numbers: str) -> WeatherFile:
    """Years made from a site's normals, or from those of the stations around a point.

    Without numbers, one year that keeps the normals exactly; else years that differ as real ones do.
    """
    place, normals, kind, notes = _normals(site)
    where = place.latitude, place.longitude, place.elevation_m, place.utc_offset_h
    if not numbers:
        years = WeatherYears((SYNTHETIC,), (synthetic_year(normals[0], *where, *normals[1:]),))
        return WeatherFile(SYNTHETIC, kind, place, years, notes)
    made = [
        synthetic_years(normals[0], *where, *normals[1:], 1, number) for number in numbered_years(numbers)
    ]
    labels = tuple(f"{SYNTHETIC} {each.labels[0]}" for each in made)
    if any(int(each.labels[0]) >= FIRST_CALENDAR_YEAR for each in made):
        notes = (
            *notes,
            "numbers of synthetic years are draws: they have nothing of the calendar years so called",
        )
    years = WeatherYears(labels, tuple(each.years[0] for each in made))
    return WeatherFile(SYNTHETIC, kind, place, years, notes)


def _normals(
    site: Place | Site,
) -> tuple[Place, tuple[MonthlyClimate, float, float], str, tuple[str, ...]]:
    """A place, its climate with the two design extremes, what these are, and what to mind."""
    if isinstance(site, Site):
        place = Place(site.latitude, site.longitude, site.elevation_m, site.utc_offset_h, site.name)
        climate = site.climate, site.dry_bulb_extreme_c, site.wet_bulb_extreme_c
        return place, climate, "synthetic, from the site's monthly normals", ()
    near = climate_at(site.latitude, site.longitude)
    place = Place(site.latitude, site.longitude, near.elevation_m, near.utc_offset_h)
    kind = f"synthetic, from normals of stations; the nearest is {near.station}, {near.distance_km:.0f} km"
    return place, (near.climate, near.dry_bulb_extreme_c, near.wet_bulb_extreme_c), kind, near.notes


def _named(found: WeatherFile, site: Place | Site | None) -> WeatherFile:
    """Months follow the clock of a catalogue's site, under its name; a file with a name keeps its own."""
    if not isinstance(site, Site) or found.place.name or _distance_km(found.place, site) >= FAR_KM:
        return found
    return replace(found, place=replace(found.place, name=site.name, utc_offset_h=site.utc_offset_h))


def _with_distance(found: WeatherFile, site: Place | Site | None) -> WeatherFile:
    if site is None:
        return found
    km = _distance_km(found.place, site)
    if km < FAR_KM:
        return found
    return replace(found, notes=(*found.notes, f"the file is of {found.place.title}, {km:,.0f} km away"))


def _distance_km(one: Place | Site, other: Place | Site) -> float:
    """Great circle [km], by the haversine."""
    here, there = np.radians(one.latitude), np.radians(other.latitude)
    east = np.radians(other.longitude - one.longitude)
    half = np.sin((there - here) / 2.0) ** 2 + np.cos(here) * np.cos(there) * np.sin(east / 2.0) ** 2
    return float(2.0 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(half)))


def _typical(found: WeatherFile) -> WeatherFile:
    if len(found.years) < 2:
        raise UserError(f"--typical needs several years, such as --year 2015-2024; {found.kind} has one")
    made, labels = typical_year(found.years)
    told = f"typical year after ISO 15927-4, months of {', '.join(labels)}"
    return found.with_years(WeatherYears((TYPICAL,), (made,)), told)


def _warmer(found: WeatherFile, kelvin: float) -> WeatherFile:
    try:
        change = warming(kelvin)
    except ValueError:
        raise UserError(f"--warming {kelvin:g}: the air's own warming in kelvin, from -15 to 15") from None
    moved = tuple(morphed(year, change, found.place.utc_offset_h) for year in found.years.years)
    told = f"air {kelvin:+g} K in every month, relative humidity kept (shift, Belcher et al. 2005)"
    return found.with_years(WeatherYears(found.years.labels, moved), told)
