"""Synthetic years beside recorded ones: PUE of every cooling design, sun, wind, extremes, and how hours hang
together.

python benchmarks/synthetic_weather.py [--years 5] [--fits]

Each weather file gives its monthly normals and 0.4 % extremes; from these alone synthetic years are made and
held against the file. With --fits the fitted numbers are fitted again, leaving out one file at a time. Files
are those of the shared folder (GIGAWRIGHT_SHARED, else ../shared): six typical years, and two calendar years
that nothing was fitted to.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np

from gigawright.arrays import Bools, Floats
from gigawright.facility.cooling.systems import cooling_systems
from gigawright.facility.size import cooling_hours
from gigawright.facility.supply.generation import solar_cf, wind_cf
from gigawright.facility.weather import (
    psychrometrics,
    synthetic,
    synthetic_sky,
    synthetic_wind,
)
from gigawright.facility.weather.read import read_weather
from gigawright.facility.weather.summary import exceeded, normals_of
from gigawright.facility.weather.sun import sun_year
from gigawright.facility.weather.synthetic import synthetic_year
from gigawright.facility.weather.synthetic_calendar import monthly_mean, months, smooth_year
from gigawright.facility.weather.year import WeatherYear, to_local, to_utc
from gigawright.facility.weather.years import Place

PLACES = ("Johor", "Changi", "Shanghai", "Phoenix", "Dallas", "Leesburg")
SHARES = (0.01, 0.10, 0.50, 0.90, 0.99)
GOALS = {"PUE": 0.01, "PV": 0.03, "wind": 0.10, "wet bulb K": 1.0}
EPW_HEADER, EPW_SUN = 8, (13, 14, 15)


@dataclass(frozen=True, eq=False)
class Station:
    """A file's year, and its radiation as it stands in the file (none where it has none of its own)."""

    name: str
    place: Place
    year: WeatherYear
    as_it_stands: WeatherYear | None

    def imitated(self, seed: int) -> WeatherYear:
        """A synthetic year of the file's normals and extremes."""
        return synthetic_year(
            normals_of(self.year, self.place.utc_offset_h),
            self.place.latitude,
            self.place.longitude,
            self.place.elevation_m,
            self.place.utc_offset_h,
            exceeded(self.year.dry_bulb_c),
            exceeded(self.year.wet_bulb_c),
            seed,
        )

    def pv(self, year: WeatherYear) -> float:
        return float(solar_cf(year, self.place.latitude, self.place.longitude).mean())

    def days(self, hours: Floats) -> Floats:
        """A series by local day and hour, [365, 24]."""
        return to_local(hours, self.place.utc_offset_h).reshape(-1, 24)


def folder() -> Path:
    """Where weather files lie."""
    shared = os.environ.get("GIGAWRIGHT_SHARED") or Path(__file__).resolve().parents[2] / "shared"
    return Path(shared) / "data" / "energy"


@cache
def stations() -> tuple[Station, ...]:
    """The six typical years."""
    found = []
    for name in PLACES:
        path = next((folder() / "epw").glob(f"*{name}*.epw"))
        read = read_weather(path)
        body = path.read_text(encoding="utf-8", errors="replace").splitlines()[EPW_HEADER:]
        cells = np.array([[float(line.split(",")[column]) for column in EPW_SUN] for line in body])
        ghi, dni, dhi = (to_utc(series, read.place.utc_offset_h) for series in cells.T)
        raw = replace(read.weather, ghi_w_m2=ghi, dni_w_m2=dni, dhi_w_m2=dhi)
        found.append(Station(name, read.place, read.weather, raw))
    return tuple(found)


def calendar_years() -> Iterator[Station]:
    """Two years of Open-Meteo that nothing was fitted to; their radiation is no measurement."""
    for path in sorted((folder() / "weather_json").glob("openmeteo_*.json")):
        read = read_weather(path)
        yield Station(path.stem.removeprefix("openmeteo_"), read.place, read.weather, None)


def pue_misses(made: WeatherYear, real: WeatherYear) -> dict[str, float]:
    """Annual PUE of each design: synthetic less recorded."""
    return {
        design: float(cooling_hours(design, made)[0].mean() - cooling_hours(design, real)[0].mean())
        for design in cooling_systems()
    }


def goals(seeds: int) -> None:
    """The misses that matter, means over the seeds and the worst seed's."""
    print(f"synthetic less recorded, mean of {seeds} years (worst year); goals {GOALS}")
    print(f"{'':<17}{'PUE, worst design':<26}{'PV':>16}{'PV as it stands':>17}{'wind':>17}{'wet bulb K':>15}")
    for station in (*stations(), *calendar_years()):
        rows = [misses(station, station.imitated(seed)) for seed in range(seeds)]
        designs = {name: [row[0][name] for row in rows] for name in rows[0][0]}
        worst = max(designs, key=lambda name: abs(statistics.mean(designs[name])))
        cells = [list(column) for column in zip(*(row[1:] for row in rows), strict=True)]
        text = f"{worst:<13}{spread(designs[worst], '.4f'):>13}"
        formats = (".1%", ".1%", ".1%", ".2f")
        shown = "".join(f"{spread(cell, form):>16}" for cell, form in zip(cells, formats, strict=True))
        print(f"{station.name:<17}{text}{shown}")


def misses(station: Station, made: WeatherYear) -> tuple[dict[str, float], float, float, float, float]:
    """PUE by design, PV against the file's radiation on time and as it stands, wind, wet bulb [K]."""
    real, pv = station.year, station.pv(made)
    stands = station.as_it_stands
    return (
        pue_misses(made, real),
        pv / station.pv(real) - 1.0 if stands else np.nan,
        pv / station.pv(stands) - 1.0 if stands else np.nan,
        float(wind_cf(made).mean() / wind_cf(real).mean() - 1.0),
        exceeded(made.wet_bulb_c) - exceeded(real.wet_bulb_c),
    )


def spread(values: list[float], form: str) -> str:
    """Mean and the value farthest from 0."""
    if np.isnan(values).any():
        return "-"
    return f"{statistics.mean(values):+{form}} ({max(values, key=abs):+{form}})"


def quantiles() -> None:
    """Dry bulb, wet bulb, humidity, wind, daily clearness: synthetic / recorded."""
    print("\nquantiles, synthetic / recorded: " + ", ".join(f"{share:.0%}" for share in SHARES))
    for station in stations():
        made = station.imitated(0)
        for label, series in (
            ("dry bulb C", lambda year: year.dry_bulb_c),
            ("wet bulb C", lambda year: year.wet_bulb_c),
            ("RH %", lambda year: 100.0 * year.relative_humidity),
            ("wind m/s", lambda year: year.wind_speed_ms),
            ("clearness", lambda year, at=station: clearness(at, year)),
        ):
            pairs = zip(*(np.quantile(series(year), SHARES) for year in (made, station.year)), strict=True)
            digits = 2 if label == "clearness" else 1
            cells = "".join(f"{f'{ours:.{digits}f} / {theirs:.{digits}f}':>15}" for ours, theirs in pairs)
            print(f"{station.name:<10}{label:<11}{cells}")


def clearness(station: Station, year: WeatherYear) -> Floats:
    """Daily clearness by local day."""
    sun = sun_year(station.place.latitude, station.place.longitude)
    outside = station.days(sun.extraterrestrial_w_m2).sum(axis=1)
    return np.asarray(station.days(year.ghi_w_m2).sum(axis=1) / outside)


def dependence(station: Station, year: WeatherYear) -> dict[str, float]:
    """How hours and days hang together: correlations of days' anomalies about the year's course, and more."""
    vapour = year.relative_humidity * psychrometrics.saturation_pressure_pa(year.dry_bulb_c)
    dry, dew = station.days(year.dry_bulb_c), station.days(psychrometrics.dew_point_c(vapour))
    air, damp = anomaly(dry.mean(axis=1)), anomaly(dew.mean(axis=1))
    sun = anomaly(station.days(year.ghi_w_m2).sum(axis=1))
    cold, warm = seasons(dry.mean(axis=1))
    wind = to_local(year.wind_speed_ms, station.place.utc_offset_h)
    by_hour = wind.reshape(-1, 24).mean(axis=0) / wind.mean()
    return {
        "days' T, next day": lagged(air, 1),
        "two days on": lagged(air, 2),
        "days' T sd cold K": float(air[cold].std()),
        "warm K": float(air[warm].std()),
        "days' dew sd cold K": float(damp[cold].std()),
        " warm K": float(damp[warm].std()),
        "T-dew cold": correlation(air[cold], damp[cold]),
        "T-dew warm": correlation(air[warm], damp[warm]),
        "dew-sun": correlation(damp, sun),
        "T-sun warm": correlation(air[warm], sun[warm]),
        "range-sun": correlation(anomaly(np.ptp(dry, axis=1)), sun),
        "days' sun, next day": lagged(sun, 1),
        "wind, next hour": lagged(wind, 1),
        "wind, next day": lagged(wind, 24),
        "wind by day, max/min": float(by_hour.max() / by_hour.min()),
    }


def anomaly(days: Floats) -> Floats:
    """Days less the course of the months."""
    return days - smooth_year(monthly_mean(days))


def seasons(days: Floats) -> tuple[Bools, Bools]:
    """Days of the three coldest and the three warmest months."""
    order = np.argsort(monthly_mean(days))
    return np.isin(months()[1], order[:3]), np.isin(months()[1], order[-3:])


def lagged(series: Floats, steps: int) -> float:
    return correlation(series[steps:], series[:-steps])


def correlation(one: Floats, other: Floats) -> float:
    return float(np.corrcoef(one, other)[0, 1])


def together() -> None:
    """The table of dependence, synthetic / recorded."""
    table = {
        station.name: (dependence(station, station.imitated(0)), dependence(station, station.year))
        for station in stations()
    }
    print("\nhow hours hang together, synthetic / recorded")
    print(f"{'':<22}" + "".join(f"{name:>15}" for name in table))
    for label in next(iter(table.values()))[0]:
        cells = [f"{made[label]:.2f} / {real[label]:.2f}" for made, real in table.values()]
        print(f"{label:<22}" + "".join(f"{cell:>15}" for cell in cells))


@contextmanager
def held(module: ModuleType, name: str, value: float) -> Iterator[None]:
    """A fitted number at another value."""
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


def wind_miss(station: Station) -> float:
    made = station.imitated(0)
    return float(wind_cf(made).mean() / wind_cf(station.year).mean() - 1.0)


def pv_miss(station: Station) -> float:
    return station.pv(station.imitated(0)) / station.pv(station.year) - 1.0


def clearness_miss(station: Station) -> float:
    """Root mean square distance of the quantiles of daily clearness."""
    shares = np.linspace(0.02, 0.98, 49)
    made, real = (clearness(station, year) for year in (station.imitated(0), station.year))
    return float(np.sqrt(np.mean((np.quantile(made, shares) - np.quantile(real, shares)) ** 2)))


def fits() -> None:
    """Each fitted number fitted again without one file, and that file's miss with it."""
    modelled = ("Johor", "Changi")
    left_out(synthetic_wind, "SHAPE_PER_ROOT", np.arange(0.80, 1.021, 0.02), wind_miss, ())
    left_out(synthetic, "CLEARER", np.arange(0.0, 0.61, 0.05), pv_miss, ())
    left_out(synthetic_sky, "CLEAREST_OVER_CLEAR", np.arange(0.98, 1.121, 0.01), clearness_miss, modelled)


def left_out(
    module: ModuleType,
    name: str,
    grid: Floats,
    miss: Callable[[Station], float],
    without: tuple[str, ...],
) -> None:
    """The best value by least squares over all files but one, and over all."""
    used = [station for station in stations() if station.name not in without]
    table = np.empty((len(grid), len(used)))
    for row, value in enumerate(grid):
        with held(module, name, float(value)):
            table[row] = [miss(station) for station in used]
    square = table**2
    print(f"\n{name} = {getattr(module, name)}; over all files {grid[square.sum(axis=1).argmin()]:.2f}")
    for column, station in enumerate(used):
        best = int((square.sum(axis=1) - square[:, column]).argmin())
        print(f"  without {station.name:<10}{grid[best]:.2f}   its miss {table[best, column]:+.3f}")


def speed() -> None:
    """Milliseconds a year, once everything is imported and the place is known."""
    station = stations()[0]
    station.imitated(0)
    taken = []
    for seed in range(9):
        begin = time.perf_counter()
        station.imitated(seed)
        taken.append(time.perf_counter() - begin)
    print(f"\na year takes {1e3 * statistics.median(taken):.0f} ms (least {1e3 * min(taken):.0f} ms)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--years", type=int, default=5)
    parser.add_argument("--fits", action="store_true")
    asked = parser.parse_args()
    goals(asked.years)
    quantiles()
    together()
    if asked.fits:
        fits()
    speed()


if __name__ == "__main__":
    main()
