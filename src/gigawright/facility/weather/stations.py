"""The climate of any place on land, from a table of stations around the world.

data/stations_*.csv hold one row a station: monthly normals, the design extremes exceeded in 0.4 % of the
hours, and the standard-time zone. docs/climates.md says how each column was derived, and how far it may be
off. A place between stations gets their weighted mean, brought to its own elevation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.catalogue.types import MonthlyClimate
from gigawright.errors import CatalogueError

SOURCE = (
    "monthly means: ERA5 2000-2025 (Copernicus Climate Change Service), brought to the degree days of the "
    "TMYx 2004-2018 station index (climate.onebuilding.org) plus 0.2 K; design dry bulb: that index; "
    "humidity: GPT2w (TU Wien) and ITU-R P.836-6; radiation: MERRA-2 2011-2015 months, GLDAS-2 year; "
    "wind: GLDAS-2, the year's mean; daily range: fitted. See docs/climates.md"
)
EARTH_RADIUS_KM = 6371.0
# Standard atmosphere (ISO 2533:1975).
LAPSE_K_KM = 6.5
# The wet-bulb extreme falls less with height: the slope that leaves the least error among this table's
# own stations, each left out in turn (benchmarks/climates_left_out.py).
WET_BULB_LAPSE_K_KM = 4.5
# Weights 1 / (distance^2 + 15^2) / (1 + (height / 200 m)^2) of the six nearest: chosen in the same way.
NEIGHBOURS = 6
NEAR_KM, HEIGHT_SCALE_KM = 15.0, 0.2
# The daily mean lies this share of the daily range above the minimum: mean of 15 typical years that are not
# in the table (TMYx, TMY3; 0.40 to 0.52).
MEAN_IN_RANGE = 0.48
# Without an elevation: weights 1 / (distance^2 + 10^2)^2. Of seven ways the one that best meets the annual
# means of 270 cities (CHELSA v2.1 by georank.place, not in the table): standard deviation 0.95 K.
TOWN_KM = 10.0
FAR_KM, STEEP_M = 150.0, 500.0
# Assumption: beyond this no mean of stations is the place's climate (the South Pole would get Patagonia's).
ELSEWHERE_KM = 1000.0

TABLES = ("stations_east.csv", "stations_west.csv")
MONTHLY = ("mean", "range", "humidity", "ghi")
PLACE_COLUMNS = ("name", "country", "wmo", "latitude", "longitude", "elevation_m", "utc_offset_h")
VALUE_COLUMNS = (
    "dry_bulb_extreme_c",
    "wet_bulb_extreme_c",
    "wind_speed_ms",
    *(f"{name}_{month:02d}" for name in MONTHLY for month in range(1, 13)),
)


@dataclass(frozen=True)
class PlaceClimate:
    """The climate of a place, and where it comes from.

    `climate` holds the monthly normals by local month; the extremes are the dry and the wet bulb [C] exceeded
    in 0.4 % of the hours of a year. `station` is the nearest of the stations used, `distance_km` its great
    circle. `notes` say what to mind: far stations, a height far from theirs.
    """

    climate: MonthlyClimate
    dry_bulb_extreme_c: float
    wet_bulb_extreme_c: float
    elevation_m: float
    utc_offset_h: float
    station: str
    distance_km: float
    source: str
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Stations:
    """The table: where each station is as arrays, its values still as text.

    Only the rows a place needs are turned into numbers (`values`), so that the table loads in milliseconds.
    """

    names: tuple[str, ...]
    latitude: Floats
    longitude: Floats
    elevation_m: Floats
    utc_offset_h: Floats
    unit_vectors: Floats
    rows: tuple[str, ...]

    def values(self, chosen: Ints) -> Floats:
        """The numbers of some stations, (station, VALUE_COLUMNS). Raises CatalogueError where one is none."""
        numbers = np.empty((len(chosen), len(VALUE_COLUMNS)))
        for place, station in enumerate(chosen):
            try:
                numbers[place] = np.array(self.rows[station].split(","), dtype=np.float64)
            except ValueError as error:
                raise CatalogueError(f"station {self.names[station]}: {error}") from error
        if not np.isfinite(numbers).all():
            raise CatalogueError(f"a station near {self.names[chosen[0]]} has a number that is not finite")
        return numbers


@lru_cache(maxsize=1)
def stations() -> Stations:
    """All stations. Raises CatalogueError where a table's columns are not the known ones.

    >>> len(stations().names) > 4000
    True
    """
    folder = resources.files("gigawright.facility.weather").joinpath("data")
    return parse_stations(*(folder.joinpath(name).read_text("utf-8") for name in TABLES))


def parse_stations(*texts: str) -> Stations:
    """Stations from the texts of tables with the columns of data/stations_east.csv."""
    wanted = ",".join(PLACE_COLUMNS + VALUE_COLUMNS)
    lines: list[str] = []
    for text in texts:
        header, *below = text.splitlines()
        if header != wanted:
            raise CatalogueError(f"a station table's columns are {header!r}, not {wanted!r}")
        lines += below
    cells = [line.split(",", len(PLACE_COLUMNS)) for line in lines]
    shortest = min(cells, key=len, default=[])
    if len(shortest) <= len(PLACE_COLUMNS):
        raise CatalogueError(f"a station table has no rows, or one that is too short: {','.join(shortest)!r}")
    name, country, _wmo, *place, rows = zip(*cells, strict=True)
    try:
        north, east, height, zone = (np.array(column, dtype=np.float64) for column in place)
    except ValueError as error:
        raise CatalogueError(f"a station's place is not a number: {error}") from error
    names = tuple(map(", ".join, zip(name, country, strict=True)))
    return Stations(names, north, east, height, zone, _unit_vectors(north, east), rows)


def climate_at(latitude: float, longitude: float, elevation_m: float | None = None) -> PlaceClimate:
    """The climate of a place from the stations around it.

    latitude, longitude [degrees, north and east positive]; elevation_m [m above the sea], by default the
    stations' own. Temperatures come to that height by 6.5 K/km, the wet-bulb extreme by 4.5 K/km; relative
    humidity, radiation, wind and daily range as they are. Raises CatalogueError on coordinates that no place
    has. A station left out of the table is met within 0.45 K in the annual mean (median; docs/climates.md).

    >>> dublin = climate_at(53.35, -6.26)
    >>> 8.0 < sum(dublin.climate.dry_bulb_mean_c) / 12 < 11.5
    True
    """
    if not (-90.0 <= latitude <= 90.0 and -180.0 <= longitude <= 360.0):
        raise CatalogueError(f"no place has latitude {latitude} and longitude {longitude}")
    return interpolate(stations(), latitude, longitude, elevation_m)


def interpolate(
    table: Stations,
    latitude: float,
    longitude: float,
    elevation_m: float | None = None,
    skip: int | None = None,
) -> PlaceClimate:
    """`climate_at` on a table of one's own; `skip` leaves out one station."""
    km = distances_km(table, latitude, longitude)
    if skip is not None:
        km[skip] = np.inf
    near = np.argpartition(km, NEIGHBOURS)[:NEIGHBOURS]
    near = near[np.argsort(km[near])]
    height = _height(table, near, km[near]) if elevation_m is None else float(elevation_m)
    above_km = (height - table.elevation_m[near]) / 1000.0
    weight = _weights(km[near], above_km)
    values = table.values(near)
    dry = float(weight @ (values[:, 0] - LAPSE_K_KM * above_km))
    wet = float(weight @ (values[:, 1] - WET_BULB_LAPSE_K_KM * above_km))
    first = int(near[0])
    return PlaceClimate(
        climate=_climate(weight @ values, LAPSE_K_KM * float(weight @ above_km)),
        dry_bulb_extreme_c=dry,
        wet_bulb_extreme_c=min(wet, dry),
        elevation_m=height,
        utc_offset_h=float(table.utc_offset_h[first]),
        station=table.names[first],
        distance_km=float(km[first]),
        source=SOURCE,
        notes=_notes(table, near, float(km[first]), height, elevation_m is not None),
    )


def distances_km(table: Stations, latitude: float, longitude: float) -> Floats:
    """Great-circle distance [km] from a place to each station."""
    here = _unit_vectors(np.array([latitude]), np.array([longitude]))[0]
    chord = np.sqrt(((table.unit_vectors - here) ** 2).sum(axis=1))
    return np.asarray(2.0 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2.0, 1.0)))


def _unit_vectors(latitude: Floats, longitude: Floats) -> Floats:
    north, east = np.radians(latitude), np.radians(longitude)
    return np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=1)


def _height(table: Stations, near: Ints, km: Floats) -> float:
    """Elevation [m] where none is given: the stations', by distance alone, the nearest counting most."""
    weight = 1.0 / (km**2 + TOWN_KM**2) ** 2
    return float(weight @ table.elevation_m[near] / weight.sum())


def _weights(km: Floats, above_km: Floats) -> Floats:
    weight = 1.0 / (km**2 + NEAR_KM**2) / (1.0 + (above_km / HEIGHT_SCALE_KM) ** 2)
    return np.asarray(weight / weight.sum())


def _climate(values: Floats, cooler_k: float) -> MonthlyClimate:
    """The normals of weighted values (VALUE_COLUMNS), `cooler_k` below them."""
    mean, daily_range, humidity, ghi = values[3:].reshape(len(MONTHLY), 12)
    lowest = mean - cooler_k - MEAN_IN_RANGE * daily_range
    return MonthlyClimate(
        dry_bulb_mean_c=_twelve(mean - cooler_k),
        dry_bulb_daily_max_c=_twelve(lowest + daily_range),
        dry_bulb_daily_min_c=_twelve(lowest),
        relative_humidity_pct=_twelve(humidity),
        ghi_kwh_m2_day=_twelve(ghi),
        wind_speed_10m_ms=(float(values[2]),) * 12,
    )


def _twelve(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _notes(table: Stations, near: Ints, km: float, height_m: float, given: bool) -> tuple[str, ...]:
    notes = []
    name, heights = table.names[near[0]], table.elevation_m[near]
    if km > FAR_KM:
        other = ": its climate is not the place's, use a weather file" if km > ELSEWHERE_KM else ""
        notes.append(f"the nearest station, {name}, is {km:.0f} km away{other}")
    above = height_m - float(heights[0])
    if abs(above) > STEEP_M:
        where = "above" if above > 0 else "below"
        notes.append(f"the place lies {abs(above):.0f} m {where} {name}")
    if not given and np.ptp(heights) > STEEP_M:
        span = f"{heights.min():.0f} to {heights.max():.0f} m"
        notes.append(f"no elevation given: {height_m:.0f} m is taken from stations at {span}")
    return tuple(notes)
