"""What `gigawright facility` is asked, and the answer: a place's halls over a year, sun, wind and price."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gigawright.arrays import Floats
from gigawright.catalogue.load import load_facts
from gigawright.catalogue.lookup import day, site_of
from gigawright.catalogue.types import Site
from gigawright.errors import CatalogueError, UserError
from gigawright.facility.cooling.electrical import DEFAULT_CHAIN, pue
from gigawright.facility.cooling.needs import Need, limit, need_of
from gigawright.facility.cooling.systems import cooled
from gigawright.facility.hall import Hall, cooling_named, hall
from gigawright.facility.size import LOAD_SHARE
from gigawright.facility.supply.generation import solar_cf, wind_cf
from gigawright.facility.supply.tariff import hourly_price
from gigawright.facility.weather.obtain import Asked, obtain
from gigawright.facility.weather.years import WeatherFile
from gigawright.facts import FactBook

DEFAULT_IT_MW = 100.0
BY_AIR, BY_LIQUID = "air", "liquid"


@dataclass(frozen=True, slots=True)
class FacilityAsked:
    """What is asked: a site of the catalogue, a point, or the place of a weather file; and its halls.

    site: name in the catalogue. point: `latitude,longitude` in degrees. coolings: designs or friendly names;
    none: air and liquid, or what fits the system. it_mw: what IT draws. load_share: that over the halls'
    design load. chain: arrangement of power. system: racks that the halls must suit. as_of: day of knowledge.
    """

    site: str = ""
    point: str = ""
    coolings: Sequence[str] = ()
    it_mw: float = DEFAULT_IT_MW
    load_share: float = LOAD_SHARE
    chain: str = DEFAULT_CHAIN
    system: str = ""
    weather: Path | None = None
    warming_k: float = 0.0
    as_of: str | None = None


@dataclass(frozen=True, slots=True)
class YearOfHall:
    """One of several years in numbers: PUE, highest draw at the meter [MW], hours with too warm a supply."""

    cooling: str
    label: str
    pue: float
    peak_mw: float
    too_warm_h: int


@dataclass(frozen=True, eq=False)
class FacilityYear:
    """A place's year: its weather, halls of each design asked, sun and wind per MW, price [USD/MWh].

    `site` is None for a place that is not in the catalogue; then no price and no PUE cap are known. `years`
    has each design in each year of weather, where there are several; `halls` are of the first.
    """

    asked: FacilityAsked
    book: FactBook
    site: Site | None
    found: WeatherFile
    need: Need | None
    halls: tuple[Hall, ...]
    solar_cf: Floats
    wind_cf: Floats
    price_usd_mwh: Floats | None
    notes: tuple[str, ...]
    years: tuple[YearOfHall, ...] = ()

    @property
    def title(self) -> str:
        """The place."""
        return f"{self.site.name}, {self.site.country}" if self.site else self.found.place.title

    @property
    def pue_cap(self) -> float | None:
        """The most that the place's rules allow as the year's PUE."""
        return self.site.pue_cap if self.site else None


def facility_year(asked: FacilityAsked) -> FacilityYear:
    """The year of a place's halls. Raises UserError for what is not known, or does not fit together.

    >>> year = facility_year(FacilityAsked("ulanqab", coolings=("dry",)))
    >>> year.title, [one.name for one in year.halls], year.notes
    ('Ulanqab (Jining), China', ['liquid_dry'], ("'dry' is read as the design liquid_dry",))
    """
    book = FactBook(load_facts(), day(asked.as_of))
    site = site_of(asked.site, asked.as_of) if asked.site else None
    need = _need(book, asked.system) if asked.system else None
    named = [cooling_named(name, need) for name in asked.coolings or _usual(need)]
    found = obtain(_weather(asked))
    names = dict.fromkeys(name for name, _ in named)
    weather, place = found.weather, found.place
    halls = tuple(
        hall(book, name, weather, asked.it_mw, asked.load_share, asked.chain, need) for name in names
    )
    return FacilityYear(
        asked=asked,
        book=book,
        site=site,
        found=found,
        need=need,
        halls=halls,
        solar_cf=solar_cf(weather, place.latitude, place.longitude),
        wind_cf=wind_cf(weather),
        price_usd_mwh=_price(site),
        notes=(*found.notes, *(told for _, told in named if told), *_first_of_several(found)),
        years=tuple(_years(halls, found)),
    )


def _weather(asked: FacilityAsked) -> Asked:
    """What the weather is asked: a file as it is, else a synthetic year from normals."""
    if asked.site and asked.point:
        raise UserError("a site and a point are given; one of them says where")
    place = asked.site or asked.point
    if not place and asked.weather is None:
        raise UserError(
            "no place is given: a site of the catalogue, --lat-lon LATITUDE,LONGITUDE, or --weather"
        )
    made = None if asked.weather is not None else "synthetic"
    return Asked(place, asked.weather, made, warming_k=asked.warming_k, as_of=asked.as_of)  # type: ignore[arg-type]


def _need(book: FactBook, system: str) -> Need:
    from gigawright.units import closest

    known = book.items("system")
    if system not in known:
        near = closest(system, known)
        hint = f"; did you mean {near}?" if near else "; `gigawright catalogue list system` lists them"
        raise CatalogueError(f"no system {system!r} in the catalogue{hint}")
    return need_of(book, system)


def _usual(need: Need | None) -> tuple[str, ...]:
    """Air and liquid as the plan has them; for known racks the one that takes their heat."""
    if need is None:
        return (BY_AIR, BY_LIQUID)
    return (BY_LIQUID,) if need.liquid_share > 0.0 else (BY_AIR,)


def _price(site: Site | None) -> Floats | None:
    if site is None:
        return None
    return hourly_price(site.price_usd_mwh, site.tou_multiplier, site.utc_offset_h)


def _first_of_several(found: WeatherFile) -> tuple[str, ...]:
    """Of a file with several years the first is shown by month."""
    first, *others = found.years.labels
    return (f"of the file's {len(others) + 1} years {first} is shown by month",) if others else ()


def _years(halls: Sequence[Hall], found: WeatherFile) -> Iterator[YearOfHall]:
    """Each design in each year of weather, where there are several."""
    if len(found.years) < 2:
        return
    for one in halls:
        for label, weather in found.years:
            hours = cooled(one.system, weather, one.load_share)
            by_hour = pue(hours.power_share, one.load_share, one.chain)
            peak_mw = one.it_mw * float(by_hour.max())
            yield YearOfHall(one.name, label, float(by_hour.mean()), peak_mw, limit(hours).hours)
