"""Time of a site-year: synthetic weather, sun, wind and PUE; and of cooling over many sites at once.

python benchmarks/facility_speed.py [sites]

Sites are spread over the land's latitudes with the climate of the catalogue's own, so that none is answered
from a cache. Times are CPU seconds of one process; the goal is 0.3 s a site-year.
"""

from __future__ import annotations

import datetime as dt
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from gigawright.arrays import Floats
from gigawright.catalogue import records
from gigawright.catalogue.load import load_facts
from gigawright.catalogue.types import Site
from gigawright.facility.cooling import electrical
from gigawright.facility.cooling.systems import Design, cooling_systems
from gigawright.facility.size import size
from gigawright.facility.supply.generation import solar_cf, wind_cf
from gigawright.facility.weather.synthetic import synthetic_year
from gigawright.facility.weather.year import WeatherYear
from gigawright.facts import FactBook

Made = TypeVar("Made")
GOAL_S = 0.3
LOAD_SHARE = 0.8
DAY = dt.date(2026, 10, 1)


def sites(count: int) -> list[Site]:
    """Sites of the catalogue, moved a little east time after time, each new to every cache."""
    book = FactBook(load_facts())
    names = sorted({fact.item for fact in load_facts() if fact.kind == "site"})
    own = [records.site(book, name, records.rates(book), DAY) for name in names]
    return [
        replace(own[i % len(own)], id=f"site-{i}", longitude=own[i % len(own)].longitude + 0.01 * (i + 1))
        for i in range(count)
    ]


def weather(site: Site) -> WeatherYear:
    """The site's synthetic year."""
    return synthetic_year(
        site.climate,
        site.latitude,
        site.longitude,
        site.elevation_m,
        site.utc_offset_h,
        site.dry_bulb_extreme_c,
        site.wet_bulb_extreme_c,
    )


def timed(parts: dict[str, list[float]], name: str, work: Callable[[], Made]) -> Made:
    """What `work` makes; its CPU seconds are noted under a name."""
    start = time.process_time()
    made = work()
    parts.setdefault(name, []).append(time.process_time() - start)
    return made


def site_year(site: Site, parts: dict[str, list[float]]) -> WeatherYear:
    """Everything of a site-year, timed part by part."""
    year = timed(parts, "weather", lambda: weather(site))
    timed(parts, "sun", lambda: solar_cf(year, site.latitude, site.longitude))
    timed(parts, "wind", lambda: wind_cf(year))
    timed(parts, "PUE of two designs", lambda: [_pue(name, year) for name in ("air", "liquid")])
    return year


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    chosen = sites(count + 1)
    size(chosen.pop())  # imports and compiled code
    parts: dict[str, list[float]] = {}
    years = [site_year(site, parts) for site in chosen]
    print(f"{'of one site-year':<28}{'median s':>10}{'worst s':>10}")
    for name, seconds in parts.items():
        print(f"{name:<28}{statistics.median(seconds):>10.4f}{max(seconds):>10.4f}")
    whole = [sum(each) for each in zip(*parts.values(), strict=True)]
    print(f"{'all':<28}{statistics.median(whole):>10.4f}{max(whole):>10.4f}   goal {GOAL_S} s")
    print(f"{count} sites one by one: {sum(whole):.2f} s")
    _vectorised(years)


def _pue(design: str, year: WeatherYear) -> Floats:
    cooled = cooling_systems()[design].hours(year.dry_bulb_c, year.wet_bulb_c, LOAD_SHARE)
    return electrical.pue(cooled.power_share, LOAD_SHARE)


def _vectorised(years: list[WeatherYear]) -> None:
    """Cooling and PUE of all sites in one call, [site, hour]."""
    dry, wet = (np.vstack([getattr(year, name) for year in years]) for name in ("dry_bulb_c", "wet_bulb_c"))
    title = f"cooling and PUE, {len(years)} sites"
    print(f"\n{title:<28}{'together s':>12}{'one by one s':>14}{'difference':>12}")
    for name, system in cooling_systems().items():
        if not isinstance(system, Design):
            continue
        start = time.process_time()
        cooled = system.hours(dry, wet, LOAD_SHARE)
        together = electrical.pue(cooled.power_share, LOAD_SHARE)
        took = time.process_time() - start
        start = time.process_time()
        single = [_pue(name, year) for year in years]
        alone = time.process_time() - start
        apart = float(np.abs(np.broadcast_to(together, dry.shape) - np.vstack(single)).max())
        print(f"{name:<28}{took:>12.3f}{alone:>14.3f}{apart:>12.1e}")


if __name__ == "__main__":
    main()
