"""What a weather file holds: a place, one or several years, and what was done to them on the way in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.clock import month_of_hour
from gigawright.errors import CatalogueError
from gigawright.facility.weather.hours import Findings
from gigawright.facility.weather.year import WeatherYear

TYPICAL = "typical"
"""Label of a year that is put together from months of several."""

# ISO 15927-4:2005, clause 5 [cited, unverified]: months are ranked by these, and the best three are told
# apart by their wind.
RANKED = ("dry_bulb_c", "relative_humidity", "ghi_w_m2")
BEST_BEFORE_WIND = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where weather is from: degrees north and east, metres above the sea, hours from UTC (standard time)."""

    latitude: float
    longitude: float
    elevation_m: float = 0.0
    utc_offset_h: float = 0.0
    name: str = ""

    @property
    def title(self) -> str:
        """Its name, or where it lies.

        >>> Place(-33.87, 151.21).title
        '33.87 S, 151.21 E'
        """
        if self.name:
            return self.name
        north, east = "N" if self.latitude >= 0 else "S", "E" if self.longitude >= 0 else "W"
        return f"{abs(self.latitude):.2f} {north}, {abs(self.longitude):.2f} {east}"


@dataclass(frozen=True, eq=False)
class WeatherYears:
    """Several years at one place, each with its label (2019, 2020, ...), in the order of `labels`."""

    labels: tuple[str, ...]
    years: tuple[WeatherYear, ...]

    def __post_init__(self) -> None:
        if not self.years or len(self.labels) != len(self.years):
            raise ValueError(f"{len(self.labels)} labels for {len(self.years)} years of weather")
        if len(set(self.labels)) != len(self.labels):
            raise ValueError(f"labels of years must differ, not {', '.join(self.labels)}")

    def __len__(self) -> int:
        return len(self.years)

    def __iter__(self) -> Iterator[tuple[str, WeatherYear]]:
        return iter(zip(self.labels, self.years, strict=True))

    def stacked(self, name: str) -> Floats:
        """One series of all years, [year, hour]."""
        return np.stack([getattr(year, name) for year in self.years])


@dataclass(frozen=True, eq=False)
class WeatherFile:
    """A file that has been read: `kind` names its format, `notes` tell what was filled, moved or assumed."""

    source: str
    kind: str
    place: Place
    years: WeatherYears
    notes: tuple[str, ...] = ()

    @property
    def weather(self) -> WeatherYear:
        """Its year; the first where there are several."""
        return self.years.years[0]

    def with_years(self, years: WeatherYears, note: str) -> WeatherFile:
        """The same file with other years made from its own, and what was done."""
        return replace(self, years=years, notes=(*self.notes, note))


def each_year(
    year_of_line: Ints, read: Callable[[Ints, Findings], WeatherYear], findings: Findings
) -> WeatherYears:
    """The calendar years of a series, each read from its lines; problems of all are raised at once."""
    labels, years = [], []
    for number in np.unique(year_of_line):
        own = Findings(findings.path, findings.notes)
        try:
            years.append(read(np.flatnonzero(year_of_line == number), own))
            labels.append(str(number))
        except CatalogueError:
            findings.problems += [f"{number}: {problem}" for problem in own.problems]
    findings.check()
    return WeatherYears(tuple(labels), tuple(years))


def typical_year(years: WeatherYears) -> tuple[WeatherYear, tuple[str, ...]]:
    """A year made of twelve real months, each the most typical of its kind, and the label of each month.

    By ISO 15927-4: for a calendar month, daily means of dry bulb, relative humidity and GHI of each year are
    held against those of all years by Finkelstein and Schafer's statistic (the mean distance between the two
    cumulative distributions); the years are ranked for each, ranks added, and of the best three the one whose
    mean wind is nearest to that of all years is taken. Months are of UTC; joints are left as they are.

    Raises ValueError for a single year.
    """
    if len(years) < 2:
        raise ValueError("a typical year is chosen from at least two years")
    month = month_of_hour()
    ranks = np.sum([_ranks(years.stacked(name), month[::24]) for name in RANKED], axis=0)
    wind = years.stacked("wind_speed_ms")
    chosen = np.empty(12, dtype=np.int64)
    for number in range(12):
        mean = wind[:, month == number].mean(axis=1)
        best = np.argsort(ranks[:, number], kind="stable")[:BEST_BEFORE_WIND]
        chosen[number] = best[np.argmin(np.abs(mean[best] - mean.mean()))]
    hours = chosen[month], np.arange(len(month))
    names = WeatherYear.__dataclass_fields__
    made = WeatherYear(**{name: years.stacked(name)[hours] for name in names})
    return made, tuple(years.labels[year] for year in chosen)


def _ranks(hourly: Floats, month_of_day: Ints) -> Floats:
    """Rank of each year by Finkelstein and Schafer's statistic, [year, month]; 0 is the most typical."""
    daily = hourly.reshape(len(hourly), -1, 24).mean(axis=2)
    ranks = np.empty((len(hourly), 12))
    for number in range(12):
        days = np.sort(daily[:, month_of_day == number], axis=1)
        pool = np.sort(days, axis=None)
        own = np.arange(1, days.shape[1] + 1) / days.shape[1]
        below = np.searchsorted(pool, days.ravel(), side="right").reshape(days.shape) / len(pool)
        distance = np.abs(own - below).mean(axis=1)
        ranks[:, number] = (distance[:, None] > distance).sum(axis=1)
    return ranks
