"""How far off the interpolated climate is: every station left out in turn, by continent, and how fast it is.

Run `python benchmarks/climates_left_out.py`. A left-out station's own elevation is given, as a planner knows
his site's. The error is that of interpolation alone: what the table itself may be off is in docs/climates.md.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from gigawright.arrays import Bools, Floats
from gigawright.facility.weather.stations import Stations, climate_at, interpolate, stations

REPEATS = 9
QUANTITIES = ("annual mean", "monthly mean", "daily range", "dry extreme", "wet extreme", "humidity", "GHI %")
# Boxes of latitude and longitude; a station belongs to the first that holds it.
REGIONS: dict[str, tuple[float, float, float, float]] = {
    "North America": (15.0, 84.0, -170.0, -50.0),
    "South America": (-60.0, 15.0, -95.0, -30.0),
    "Europe": (36.0, 84.0, -30.0, 40.0),
    "Africa, Middle East": (-40.0, 36.0, -30.0, 60.0),
    "East and South Asia": (5.0, 55.0, 60.0, 150.0),
    "tropical Asia": (-11.0, 5.0, 90.0, 150.0),
    "Australia, New Zealand": (-60.0, -10.0, 110.0, 180.0),
    "elsewhere": (-90.0, 90.0, -180.0, 180.0),
}


def errors(table: Stations) -> Floats:
    """Error of each quantity at each station, left out, (station, quantity): the mean of its size."""
    values = table.values(np.arange(len(table.names)))
    found = np.empty((len(table.names), len(QUANTITIES)))
    for station, truth in enumerate(values):
        place = float(table.latitude[station]), float(table.longitude[station])
        guess = interpolate(table, *place, float(table.elevation_m[station]), skip=station)
        mean, daily_range, humidity, ghi = truth[3:].reshape(4, 12)
        climate = guess.climate
        warm = np.array(climate.dry_bulb_mean_c) - mean
        swing = np.array(climate.dry_bulb_daily_max_c) - np.array(climate.dry_bulb_daily_min_c)
        found[station] = (
            abs(warm.mean()),
            np.abs(warm).mean(),
            np.abs(swing - daily_range).mean(),
            abs(guess.dry_bulb_extreme_c - truth[0]),
            abs(guess.wet_bulb_extreme_c - truth[1]),
            np.abs(np.array(climate.relative_humidity_pct) - humidity).mean(),
            100.0 * abs(np.mean(climate.ghi_kwh_m2_day) / ghi.mean() - 1.0),
        )
    return found


def members(table: Stations) -> dict[str, Bools]:
    """The stations of each region."""
    free = np.ones(len(table.names), dtype=bool)
    inside = {}
    for name, (south, north, west, east) in REGIONS.items():
        box = (table.latitude >= south) & (table.latitude <= north)
        box &= (table.longitude >= west) & (table.longitude <= east)
        inside[name] = box & free
        free &= ~box
    return inside


def milliseconds(work: Callable[[], object]) -> float:
    """Median time of `work` [ms]."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - began))
    return statistics.median(times)


def main() -> None:
    """Prints the table of errors, then the times."""
    table = stations()
    off = errors(table)
    print(f"mean size of the error, each of {len(table.names)} stations left out [K, % of RH, % of GHI]")
    print(f"{'':24}{'stations':>9}" + "".join(f"{name:>14}" for name in QUANTITIES))
    rows = {name: inside for name, inside in members(table).items() if inside.any()}
    for name, inside in {**rows, "all": np.ones(len(off), dtype=bool)}.items():
        print(f"{name:24}{inside.sum():9}" + "".join(f"{value:14.2f}" for value in off[inside].mean(axis=0)))
    print(f"{'all, median':33}" + "".join(f"{value:14.2f}" for value in np.median(off, axis=0)))
    print(f"{'all, 90 of 100':33}" + "".join(f"{value:14.2f}" for value in np.quantile(off, 0.9, axis=0)))
    print(f"load {milliseconds(stations.__wrapped__):.1f} ms, climate_at", end=" ")
    print(f"{milliseconds(lambda: climate_at(53.35, -6.26)):.2f} ms")


if __name__ == "__main__":
    main()
