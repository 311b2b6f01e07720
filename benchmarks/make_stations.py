"""Makes the table of stations, facility/weather/data/stations_*.csv, from public grids and a public index.

Run `python benchmarks/make_stations.py FOLDER [--out FOLDER]`; stations_grids.py says what FOLDER holds. The
relations and their errors are in docs/climates.md. Constants called fitted were fitted to weather files and
ASHRAE's design values, each station left out in turn for the error.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from stations_grids import (
    KELVIN,
    at_or_near,
    era5_c,
    gldas,
    gpt2w,
    gpt2w_height_m,
    index,
    itu_height_m,
    itu_p836,
    merra2_ghi,
)

from gigawright.arrays import Bools, Floats
from gigawright.facility.weather.stations import PLACE_COLUMNS, VALUE_COLUMNS

ROOT = Path(__file__).resolve().parents[1]
DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
MIDDLES = np.array([15, 46, 74, 105, 135, 166, 196, 227, 258, 288, 319, 349])
HEATING_BASE_C, COOLING_BASE_C = 18.3, 10.0
# Standard deviation of daily means [K]: coldest and warmest month (assumption; four stations of TMYx).
COLD_SPREAD, WARM_SPREAD, SPREAD_K, MOST_WARM_SPREAD_K = 0.12, 0.06, 0.8, 2.5
WARMING_K = 0.2  # Seven years from the index's period to 2011-2025, at 0.3 K a decade over land (assumption).
EXTREME_BASE_K, EXTREME_SLOPE = -0.824, 0.271  # Fitted, 25 stations, 0.6 K left out.
VAPOUR_FACTOR, GLDAS_SHARE = 1.05, 0.3  # Fitted, 28 stations: log standard deviation 0.09.
WET_BULB_FIT = (2.259, 0.411, 0.529)  # Fitted, 28 stations, 0.9 K left out.
RANGE_FIT = (2.248, 0.573, 0.276, 0.355)  # Fitted, 31 places, 1.6 K a month left out.
RAYLEIGH = 0.886  # Mean over root mean square.
# Legal standard time where the index keeps solar time.
ZONES = {"MAR": 1.0, "ESH": 1.0, "SGP": 8.0, "NOR": 1.0, "DZA": 1.0}
SPACING_KM, NEAR_TOWN_KM = 85.0, 60.0
THIN = {"RUS", "MNG", "DZA", "LBY", "GRL", "KAZ"}
DENSE_NORTH = {"NOR", "SWE", "FIN", "ISL", "DNK", "EST", "GBR"}
EARTH_KM = 6371.0


@dataclass(frozen=True)
class Raw:
    """The index's stations as arrays."""

    rows: list[dict[str, Any]]
    latitude: Floats
    longitude: Floats
    elevation_m: Floats
    heating_k_days: Floats
    cooling_k_days: Floats
    warm_1pct_c: Floats

    @property
    def points_km(self) -> Floats:
        """Stations in space [km], (station, 3)."""
        return points_km(self.latitude, self.longitude)


@dataclass(frozen=True)
class Climate:
    """What the table holds, by station: monthly arrays are (12, station)."""

    mean_c: Floats
    range_k: Floats
    humidity: Floats
    ghi: Floats
    wind_ms: Floats
    dry_extreme_c: Floats
    wet_extreme_c: Floats
    shift_k: Floats


def points_km(latitude: Floats, longitude: Floats) -> Floats:
    """Places on a sphere [km], (place, 3)."""
    north, east = np.radians(latitude), np.radians(longitude)
    axes = [np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)]
    return EARTH_KM * np.stack(axes, axis=1)


def read_index(folder: Path) -> Raw:
    """The index as arrays."""
    rows = index(folder)

    def column(name: str) -> Floats:
        return np.array([float(row[name]) for row in rows])

    names = ("latitude", "longitude", "elevation", "hdd18", "cdd10", "cooling_design_db_c")
    return Raw(rows, *(column(name) for name in names))


def saturation_hpa(temperature_c: Floats) -> Floats:
    """Saturation vapour pressure [hPa], Magnus (WMO-No. 8, 2008)."""
    return np.asarray(6.112 * np.exp(17.62 * temperature_c / (243.12 + temperature_c)))


def dew_point_c(vapour_hpa: Floats) -> Floats:
    """Its inverse."""
    log = np.log(vapour_hpa / 6.112)
    return np.asarray(243.12 * log / (17.62 - log))


def wet_bulb_c(dry_c: Floats, vapour_hpa: Floats, pressure_pa: Floats) -> Floats:
    """Psychrometer equation, A = 0.000662 / K, by halving."""
    low, high = np.full_like(dry_c, -60.0), dry_c.copy()
    for _ in range(50):
        middle = (low + high) / 2.0
        excess = saturation_hpa(middle) - 0.000662 * pressure_pa / 100.0 * (dry_c - middle) - vapour_hpa
        high, low = np.where(excess > 0, middle, high), np.where(excess > 0, low, middle)
    return (low + high) / 2.0


def degree_days(mean_c: Floats, spread_k: Floats, base_c: float, sign: float) -> Floats:
    """Degree days above (sign 1) or below (-1) a base, days normal about their month's mean."""
    from scipy.stats import norm

    z = sign * (mean_c - base_c) / spread_k
    return np.asarray((spread_k * (z * norm.cdf(z) + norm.pdf(z)) * DAYS[:, None]).sum(axis=0))


def shift_to_degree_days(mean_c: Floats, raw: Raw) -> Floats:
    """The shift [K] of a year's months that best meets the station's degree days: Gauss and Newton."""
    yearly = np.ptp(mean_c, axis=0)
    warmth = (mean_c - mean_c.min(axis=0)) / np.maximum(yearly, 1.0)
    warm = np.minimum(SPREAD_K + WARM_SPREAD * yearly, MOST_WARM_SPREAD_K)
    spread = (1.0 - warmth) * (SPREAD_K + COLD_SPREAD * yearly) + warmth * warm
    shift = np.zeros(len(yearly))
    for _ in range(30):
        heat, cool = (
            np.stack([degree_days(mean_c + shift + step, spread, base, sign) for step in (0.0, 0.05)])
            for base, sign in ((HEATING_BASE_C, -1.0), (COOLING_BASE_C, 1.0))
        )
        heat_off, cool_off = heat[0] - raw.heating_k_days, cool[0] - raw.cooling_k_days
        heat_slope, cool_slope = (heat[1] - heat[0]) / 0.05, (cool[1] - cool[0]) / 0.05
        step = -(heat_off * heat_slope + cool_off * cool_slope) / (heat_slope**2 + cool_slope**2 + 1e-9)
        shift = shift + np.clip(step, -2.0, 2.0)
    return shift


def outside_kwh(latitude: Floats) -> Floats:
    """Extraterrestrial radiation on the horizontal in each month's middle day [kWh/m2], FAO-56 eq. 21."""
    turn = 2.0 * np.pi * MIDDLES[:, None] / 365.0
    declination, north = 0.409 * np.sin(turn - 1.39), np.radians(latitude)
    sunset = np.arccos(np.clip(-np.tan(north) * np.tan(declination), -1.0, 1.0))
    high = sunset * np.sin(north) * np.sin(declination) + np.cos(north) * np.cos(declination) * np.sin(sunset)
    return np.asarray(24.0 * 60.0 / np.pi * 0.0820 * (1.0 + 0.033 * np.cos(turn)) * high / 3.6)


def radiation(folder: Path, raw: Raw, outside: Floats) -> tuple[Floats, Floats]:
    """Monthly clearness and GHI: MERRA-2's months, the year's sum of GLDAS-2."""
    grid, latitudes = merra2_ghi(folder)
    cell_outside = outside_kwh(latitudes)[:, :, None]
    clear = np.where(cell_outside > 0.8, grid.values / np.maximum(cell_outside, 0.3), np.nan)
    clearness = type(grid)(clear, grid.north, 3.0, grid.east, 3.0).at(raw.latitude, raw.longitude)
    dark = ~np.isfinite(clearness)  # Polar nights: the mean of the other months.
    lit = np.maximum((~dark).sum(axis=0), 1)
    others = np.where(dark.all(axis=0), np.nan, np.where(dark, 0.0, clearness).sum(axis=0) / lit)
    clearness = np.where(dark, others, clearness)
    known = np.isfinite(clearness.sum(axis=0))
    filled = clearness.copy()
    for station in np.flatnonzero(~known):  # Islands far from any cell: others at their latitude.
        away = np.abs(raw.latitude - raw.latitude[station])
        band = known & (away < 4.0)
        filled[:, station] = clearness[:, band if band.any() else known & (away < 15.0)].mean(axis=1)
    year = at_or_near(gldas(folder, "GHI_mean"), raw.latitude, raw.longitude)
    # 0.93: the median of the ratio, where GLDAS-2 has no land near.
    ratio = np.where(np.isfinite(year), year / (filled * outside).mean(axis=0), 0.93)
    filled = np.clip(filled * np.clip(ratio, 0.55, 1.3), 0.12, 0.78)
    return filled, filled * outside


def vapour(folder: Path, raw: Raw) -> tuple[Floats, Floats]:
    """Monthly vapour pressure of the grids at the stations' height [hPa], and the year's pressure [Pa]."""
    place = raw.latitude, raw.longitude
    pressure, kelvin, moist, decrease = (gpt2w(folder, number).at(*place) for number in (0, 1, 2, 8))
    above_m = raw.elevation_m - gpt2w_height_m(folder).at(*place)
    here = pressure * (1.0 - 0.0065 * above_m / kelvin) ** 5.256
    found = moist * pressure / (0.622 + 0.378 * moist) / 100.0 * (here / pressure) ** (decrease + 1.0)
    land = at_or_near(gldas(folder, "specific_humidity_mean"), *place) / 1000.0
    annual = land * here.mean(axis=0) / 100.0 / (0.622 + 0.378 * land)
    ratio = np.where(np.isfinite(annual), annual / found.mean(axis=0), 1.0)
    return found * np.clip(ratio, 0.6, 1.5) ** GLDAS_SHARE, here.mean(axis=0)


def extreme_vapour(folder: Path, raw: Raw, warm_c: Floats) -> Floats:
    """Vapour pressure exceeded in 0.4 % of the year [hPa], ITU-R P.836-6 at the stations' height."""
    place = raw.latitude, raw.longitude
    share = (np.log(0.4) - np.log(0.3)) / (np.log(0.5) - np.log(0.3))
    low, high = (np.log(itu_p836(folder, name).at(*place)) for name in ("rho_03", "rho_05"))
    above_m = np.clip(raw.elevation_m - itu_height_m(folder).at(*place), -2000.0, 2000.0)
    scale_km = itu_p836(folder, "vsch_05").at(*place)
    density = np.exp((1.0 - share) * low + share * high) * np.exp(-above_m / 1000.0 / scale_km)
    return np.asarray(density * (np.minimum(raw.warm_1pct_c, warm_c + 3.0) + KELVIN) / 216.7)


def derive(folder: Path, raw: Raw) -> Climate:
    """All columns of the table at every station of the index."""
    era5 = era5_c(folder).at(raw.latitude, raw.longitude)
    shift = shift_to_degree_days(era5, raw)
    warm = (era5 + shift).max(axis=0)
    mean = era5 + shift + WARMING_K
    clearness, ghi = radiation(folder, raw, outside_kwh(raw.latitude))
    moist, pressure = vapour(folder, raw)
    dry_air = 1.0 - np.clip(moist / saturation_hpa(mean), 0.0, 0.97)
    above = np.maximum(raw.warm_1pct_c - warm, 2.0)
    base, by_sky, by_humidity, by_extreme = RANGE_FIT
    log_range = base + by_sky * np.log(clearness) + by_humidity * np.log(dry_air) + by_extreme * np.log(above)
    swing = np.clip(np.exp(log_range), 2.0, 20.0)
    humid = VAPOUR_FACTOR * moist / saturation_hpa(mean) * np.exp(0.065**2 * swing**2 / 16.0)
    dry = raw.warm_1pct_c + np.maximum(EXTREME_BASE_K + EXTREME_SLOPE * (raw.warm_1pct_c - warm), 0.2)
    wet = wet_extreme_c(
        raw, warm, extreme_vapour(folder, raw, warm), VAPOUR_FACTOR * moist.max(axis=0), pressure
    )
    wind = RAYLEIGH * at_or_near(gldas(folder, "wind_speed_rms"), raw.latitude, raw.longitude)
    return Climate(
        mean_c=mean,
        range_k=swing,
        humidity=np.clip(humid, 0.05, 0.95),
        ghi=ghi,
        wind_ms=nearest_known(wind, raw),
        dry_extreme_c=dry,
        wet_extreme_c=np.minimum(wet, dry - 0.5),
        shift_k=shift,
    )


def wet_extreme_c(
    raw: Raw, warm_c: Floats, rare_hpa: Floats, moist_hpa: Floats, pressure_pa: Floats
) -> Floats:
    """Wet bulb exceeded in 0.4 % of the hours [C], from a rare vapour pressure and the moistest month's."""
    middle = np.maximum((raw.warm_1pct_c + warm_c) / 2.0, dew_point_c(rare_hpa))
    rare = wet_bulb_c(middle, rare_hpa, pressure_pa)
    usual = wet_bulb_c(np.maximum(raw.warm_1pct_c, dew_point_c(moist_hpa)), moist_hpa, pressure_pa)
    base, by_rare, by_usual = WET_BULB_FIT
    return base + by_rare * rare + by_usual * usual


def nearest_known(values: Floats, raw: Raw) -> Floats:
    """Values with the gaps filled from the nearest station that has one."""
    from scipy.spatial import cKDTree

    known = np.flatnonzero(np.isfinite(values))
    _, place = cKDTree(raw.points_km[known]).query(raw.points_km)
    return np.asarray(values[known[place]])


def off_neighbours_k(raw: Raw, values_c: Floats) -> Floats:
    """How far a temperature lies off the median of the eight nearest stations', brought to its height [K]."""
    from scipy.spatial import cKDTree

    _, near = cKDTree(raw.points_km).query(raw.points_km, k=9)
    lifted = 0.0065 * (raw.elevation_m[near[:, 1:]] - raw.elevation_m[:, None])
    return np.asarray(np.abs(values_c - np.median(values_c[near[:, 1:]] + lifted, axis=1)))


def doubtful(raw: Raw, climate: Climate) -> Bools:
    """Stations that contradict both ERA5 and their neighbours, or themselves."""
    off = off_neighbours_k(raw, climate.mean_c.mean(axis=0))
    dry, shift = climate.dry_extreme_c, np.abs(climate.shift_k)
    bad = (off > 2.5) & (shift > 2.0)
    bad |= (off_neighbours_k(raw, dry) > 6.0) & (shift > 1.5)
    bad |= (shift > 9.0) | (dry < climate.mean_c.max(axis=0) + 0.5)
    bad |= (raw.elevation_m < -430.0) | ((raw.elevation_m < 0.0) & (off > 1.5)) | (raw.latitude < -60.0)
    numbers = climate.mean_c.sum(axis=0) + climate.humidity.sum(axis=0) + climate.wet_extreme_c
    return np.asarray(bad | ~np.isfinite(numbers))


def near_towns(raw: Raw, usable: Bools) -> set[int]:
    """The three nearest usable stations of each town, those beyond 60 km but the nearest left out."""
    from scipy.spatial import cKDTree

    with (Path(__file__).parent / "stations_towns.csv").open(encoding="utf-8", newline="") as stream:
        towns = [(float(row["latitude"]), float(row["longitude"])) for row in csv.DictReader(stream)]
    places = np.array(towns)
    chosen = np.flatnonzero(usable)
    far, near = cKDTree(raw.points_km[chosen]).query(points_km(places[:, 0], places[:, 1]), k=3)
    kept = {int(chosen[place]) for place in near[:, 0]}
    return kept | {int(chosen[place]) for place in near[far < NEAR_TOWN_KM]}


def spacing_km(raw: Raw) -> Floats:
    """Least distance between kept stations: wider where few live."""
    wide = np.full(len(raw.rows), SPACING_KM)
    for station, row in enumerate(raw.rows):
        country, north, east = row["country"], raw.latitude[station], raw.longitude[station]
        if (north > 57.0 and country not in DENSE_NORTH) or north < -48.0 or country in THIN:
            wide[station] *= 2.1
        elif (country == "AUS" and east < 143.0) or (country == "CAN" and north > 53.0):
            wide[station] *= 1.7
    return wide


def choose(raw: Raw, climate: Climate, usable: Bools) -> list[int]:
    """Stations near towns, then airports, then others, `spacing_km` apart; 10 m of height is a km.

    Among their like, those come first that agree with their neighbours.
    """
    towns, wide = near_towns(raw, usable), spacing_km(raw)
    airport = [".AP" in row["city"] or "Intl" in row["city"] for row in raw.rows]
    off = off_neighbours_k(raw, climate.mean_c.mean(axis=0))
    order = sorted(np.flatnonzero(usable).tolist(), key=lambda s: (s not in towns, not airport[s], off[s]))
    points = np.column_stack([raw.points_km, raw.elevation_m * 0.1])
    kept: list[int] = []
    for station in order:
        apart = np.sqrt(((points[kept] - points[station]) ** 2).sum(axis=1))
        if station in towns or not (apart < wide[station]).any():
            kept.append(station)
    return sorted(kept, key=lambda s: (raw.rows[s]["country"], raw.rows[s]["city"], raw.rows[s]["wmo"]))


def line(raw: Raw, climate: Climate, station: int) -> str:
    """A station's row of the table."""
    row = raw.rows[station]
    name = str(row["city"]).replace(".", " ").replace(",", " ")
    zone = ZONES.get(row["country"], float(row["timezone"]))
    place = [name, row["country"], row["wmo"], f"{row['latitude']:.2f}", f"{row['longitude']:.2f}"]
    place += [f"{row['elevation']:.0f}", f"{zone:g}"]
    year = [climate.dry_extreme_c[station], climate.wet_extreme_c[station], climate.wind_ms[station]]
    months = [*climate.mean_c[:, station], *climate.range_k[:, station]]
    values = [f"{value:.1f}".replace("-0.0", "0.0").removesuffix(".0") for value in [*year, *months]]
    values += [f"{100.0 * value:.0f}" for value in climate.humidity[:, station]]
    values += [f"{value:.2f}".removesuffix("0").removesuffix(".0") for value in climate.ghi[:, station]]
    return ",".join([*place, *values])


def main() -> None:
    """Writes both halves of the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "src/gigawright/facility/weather/data")
    options = parser.parse_args()
    raw = read_index(options.folder)
    climate = derive(options.folder, raw)
    bad = doubtful(raw, climate)
    chosen = choose(raw, climate, ~bad)
    header = ",".join(PLACE_COLUMNS + VALUE_COLUMNS)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, inside in (("west", raw.longitude < 30.0), ("east", raw.longitude >= 30.0)):
        lines = [header, *(line(raw, climate, station) for station in chosen if inside[station])]
        path = options.out / f"stations_{name}.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
        print(f"{path}: {len(lines) - 1} stations, {path.stat().st_size / 1000:.0f} kB")
    print(f"{len(raw.rows)} in the index, {bad.sum()} left out as doubtful")


if __name__ == "__main__":
    main()
