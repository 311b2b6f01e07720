"""The climate of any place: the table, the interpolation, and what it says where it must not be trusted."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.facility.places import PLACES, epw_path, normals, recorded

from gigawright.errors import CatalogueError
from gigawright.facility.weather import stations
from gigawright.facility.weather.stations import (
    LAPSE_K_KM,
    PLACE_COLUMNS,
    VALUE_COLUMNS,
    Stations,
    climate_at,
    distances_km,
    interpolate,
    parse_stations,
)
from gigawright.facility.weather.synthetic import synthetic_year

HEADER = ",".join(PLACE_COLUMNS + VALUE_COLUMNS)
# Public regions of clouds, and towns of data centres: geographic facts, to 0.1 degree.
REGIONS = {
    "Cape Town": (-33.9, 18.4), "Johannesburg": (-26.2, 28.1), "Tokyo": (35.7, 139.7), "Osaka": (34.7, 135.5),
    "Seoul": (37.6, 127.0), "Hong Kong": (22.3, 114.2), "Taipei": (25.0, 121.6), "Singapore": (1.3, 103.8),
    "Jakarta": (-6.2, 106.8), "Mumbai": (19.1, 72.9), "Hyderabad": (17.4, 78.5), "Chennai": (13.1, 80.3),
    "Sydney": (-33.9, 151.2), "Melbourne": (-37.8, 145.0), "Auckland": (-36.9, 174.8),
    "Calgary": (51.0, -114.1),
    "Montreal": (45.5, -73.6), "Toronto": (43.7, -79.4), "Quebec": (46.8, -71.2), "Zhongwei": (37.5, 105.2),
    "Beijing": (39.9, 116.4), "Shanghai": (31.2, 121.5), "Stockholm": (59.3, 18.1), "Gavle": (60.7, 17.1),
    "Dublin": (53.3, -6.3), "London": (51.5, -0.1), "Paris": (48.9, 2.4), "Frankfurt": (50.1, 8.7),
    "Milan": (45.5, 9.2), "Zaragoza": (41.7, -0.9), "Zurich": (47.4, 8.5), "Warsaw": (52.2, 21.0),
    "Athens": (38.0, 23.7), "Vienna": (48.2, 16.4), "Copenhagen": (55.7, 12.6), "Hamina": (60.6, 27.2),
    "Oslo": (59.9, 10.8), "Mons": (50.5, 3.8), "Eemshaven": (53.4, 6.8), "Dubai": (25.2, 55.3),
    "Bahrain": (26.2, 50.6), "Doha": (25.3, 51.5), "Tel Aviv": (32.1, 34.8), "Riyadh": (24.7, 46.7),
    "Sao Paulo": (-23.6, -46.6), "Santiago": (-33.5, -70.7), "Queretaro": (20.6, -100.4),
    "Ashburn": (39.0, -77.5), "Columbus": (40.0, -83.0), "Council Bluffs": (41.3, -95.9),
    "The Dalles": (45.6, -121.2), "Boardman": (45.8, -119.7), "Las Vegas": (36.2, -115.1),
    "Reno": (39.5, -119.8), "Salt Lake City": (40.8, -111.9), "Dallas": (32.8, -96.8),
    "San Antonio": (29.4, -98.5), "Phoenix": (33.4, -112.1), "Chicago": (41.9, -87.6),
    "Quincy": (47.2, -119.9),
    "Cheyenne": (41.1, -104.8), "Atlanta": (33.8, -84.4), "Moncks Corner": (33.1, -80.0),
    "Los Angeles": (34.1, -118.2), "Kuala Lumpur": (3.1, 101.7), "Bangkok": (13.8, 100.5),
    "Manila": (14.6, 121.0), "Ulanqab": (41.0, 113.1), "Guiyang": (26.6, 106.6), "Johor": (1.7, 103.6),
}  # fmt: skip


def _row(**changes: float) -> str:
    """A station's row with plain values; a few may be replaced by column."""
    values: dict[str, object] = {"name": "Here", "country": "CHE", "wmo": "000000", "latitude": 47.0}
    values |= {"longitude": 8.0, "elevation_m": 400.0, "utc_offset_h": 1.0}
    values |= {"dry_bulb_extreme_c": 30.0, "wet_bulb_extreme_c": 20.0, "wind_speed_ms": 3.0}
    monthly = {"mean": 10.0, "range": 8.0, "humidity": 70.0, "ghi": 3.0}
    values |= {column: monthly[column[:-3]] for column in VALUE_COLUMNS[3:]} | changes
    return ",".join(str(values[column]) for column in PLACE_COLUMNS + VALUE_COLUMNS)


def _ring(count: int = 8, **changes: float) -> Stations:
    """Stations around 47 degrees north, 8 degrees east, alike but for `changes`."""
    turns = [2.0 * np.pi * number / count for number in range(count)]
    rows = [
        _row(**{"latitude": 47.0 + 0.3 * np.sin(turn), "longitude": 8.0 + 0.4 * np.cos(turn)} | changes)
        for turn in turns
    ]
    return parse_stations("\n".join([HEADER, *rows]))


def test_every_row_of_the_table_is_a_plausible_climate() -> None:
    table = stations.stations()
    values = table.values(np.arange(len(table.names)))
    dry, wet, wind = values[:, :3].T
    mean, daily_range, humidity, ghi = values[:, 3:].reshape(-1, 4, 12).transpose(1, 0, 2)
    assert len(table.names) > 4000
    assert (wet <= dry - 0.5).all()
    assert (dry > mean.max(axis=1) + 0.5).all()
    assert mean.min() > -60.0
    assert mean.max() < 42.0
    assert daily_range.min() >= 2.0
    assert daily_range.max() <= 20.0
    assert humidity.min() >= 5.0
    assert humidity.max() <= 97.0
    assert ghi.min() >= 0.0
    assert ghi.max() < 9.5
    assert wind.min() > 0.3
    assert wind.max() < 12.0
    assert np.abs(table.utc_offset_h - table.longitude / 15.0).max() < 26.0
    assert np.abs(table.latitude).max() < 84.0
    assert np.abs(table.longitude).max() <= 180.0
    assert len(set(zip(table.names, table.rows, strict=True))) == len(table.names)


def test_summer_is_on_each_hemispheres_side_of_the_year() -> None:
    table = stations.stations()
    mean = table.values(np.arange(len(table.names)))[:, 3:15]
    outside_tropics = np.abs(table.latitude) > 30.0
    warmer_july = mean[:, 6] > mean[:, 0]
    assert (warmer_july == (table.latitude > 0.0))[outside_tropics].all()


@pytest.mark.parametrize("place", REGIONS)
def test_every_cloud_region_has_a_station_near(place: str) -> None:
    found = climate_at(*REGIONS[place])
    assert found.distance_km < 70.0
    assert not any("km away" in note for note in found.notes)
    assert found.wet_bulb_extreme_c < found.dry_bulb_extreme_c
    assert abs(found.utc_offset_h - REGIONS[place][1] / 15.0) < 2.6


def test_a_station_left_out_is_met_by_its_neighbours() -> None:
    """The median place is 0.5 K off in the annual mean; see benchmarks/climates_left_out.py for the whole."""
    table = stations.stations()
    warm, wet = [], []
    for station in range(0, len(table.names), 23):
        truth = table.values(np.array([station]))[0]
        height = float(table.elevation_m[station])
        place = float(table.latitude[station]), float(table.longitude[station])
        found = interpolate(table, *place, height, skip=station)
        warm.append(np.mean(found.climate.dry_bulb_mean_c) - truth[3:15].mean())
        wet.append(found.wet_bulb_extreme_c - truth[1])
    assert np.median(np.abs(warm)) < 0.7
    assert np.mean(np.abs(warm)) < 0.9
    assert np.mean(np.abs(wet)) < 0.6
    assert abs(np.mean(warm)) < 0.2


def test_normals_agree_with_the_weather_files(shared_folder: Path) -> None:
    """Six TMYx years, typical ones of 1950-2023; the table stands for 2011-2025, which is warmer."""
    for place in PLACES:
        weather, (latitude, longitude, offset, elevation) = recorded(epw_path(shared_folder, place))
        filed = normals(weather, offset)
        found = climate_at(latitude, longitude, elevation)
        off = np.array(found.climate.dry_bulb_mean_c) - np.array(filed.dry_bulb_mean_c)
        assert -1.0 < off.mean() < 1.3, place
        assert off.std() < 1.0, place
        humid = np.array(found.climate.relative_humidity_pct) - np.array(filed.relative_humidity_pct)
        assert abs(humid.mean()) < 8.0, place
        if place not in ("Johor", "Changi"):  # Their files say 7 hours; the legal time there is 8.
            assert found.utc_offset_h == offset, place


def test_a_climate_makes_a_synthetic_year_with_its_normals() -> None:
    for place in ("Dublin", "Singapore", "Riyadh", "Ulanqab"):
        found = climate_at(*REGIONS[place])
        year = synthetic_year(
            found.climate,
            *REGIONS[place],
            found.elevation_m,
            found.utc_offset_h,
            found.dry_bulb_extreme_c,
            found.wet_bulb_extreme_c,
        )
        assert year.dry_bulb_c.mean() == pytest.approx(np.mean(found.climate.dry_bulb_mean_c), abs=0.1)
        assert np.quantile(year.dry_bulb_c, 0.996) == pytest.approx(found.dry_bulb_extreme_c, abs=1.5)


def test_height_cools_by_the_standard_atmosphere() -> None:
    table = _ring()
    low, high = interpolate(table, 47.0, 8.0, 400.0), interpolate(table, 47.0, 8.0, 1400.0)
    assert low.climate.dry_bulb_mean_c == pytest.approx((10.0,) * 12)
    assert high.climate.dry_bulb_mean_c == pytest.approx((10.0 - LAPSE_K_KM,) * 12)
    assert high.dry_bulb_extreme_c == pytest.approx(30.0 - LAPSE_K_KM)
    assert high.wet_bulb_extreme_c == pytest.approx(20.0 - stations.WET_BULB_LAPSE_K_KM)
    assert high.climate.relative_humidity_pct == pytest.approx((70.0,) * 12)
    assert any("1000 m above" in note for note in high.notes)
    assert low.notes == ()


def test_the_days_course_keeps_its_range_and_its_mean() -> None:
    climate = interpolate(_ring(), 47.0, 8.0).climate
    high, low = np.array(climate.dry_bulb_daily_max_c), np.array(climate.dry_bulb_daily_min_c)
    assert high - low == pytest.approx([8.0] * 12)
    assert (np.array(climate.dry_bulb_mean_c) - low) / 8.0 == pytest.approx([stations.MEAN_IN_RANGE] * 12)


def test_wet_bulb_never_exceeds_dry_bulb() -> None:
    deep = interpolate(_ring(dry_bulb_extreme_c=22.0, wet_bulb_extreme_c=21.5), 47.0, 8.0, 2400.0)
    assert deep.wet_bulb_extreme_c <= deep.dry_bulb_extreme_c


@given(
    st.floats(-90.0, 90.0),
    st.floats(-180.0, 360.0),
    st.none() | st.floats(0.0, 3000.0),
)
def test_every_place_on_earth_has_a_finite_climate(
    latitude: float, longitude: float, height: float | None
) -> None:
    found = climate_at(latitude, longitude, height)
    numbers = [value for normal in dataclasses.astuple(found.climate) for value in normal]
    assert np.isfinite([*numbers, found.dry_bulb_extreme_c, found.wet_bulb_extreme_c]).all()
    assert (found.distance_km > stations.FAR_KM) == any("km away" in note for note in found.notes)


def test_a_place_past_the_date_line_is_the_same_place() -> None:
    assert climate_at(-17.7, 178.0 + 0.5) == climate_at(-17.7, 178.5)
    assert climate_at(40.0, 270.0).station == climate_at(40.0, -90.0).station
    across = climate_at(-16.8, 179.99).climate.dry_bulb_mean_c
    assert across == pytest.approx(climate_at(-16.8, -179.99).climate.dry_bulb_mean_c, abs=0.1)


def test_a_steep_place_without_elevation_is_said_to_be_uncertain() -> None:
    rows = [_row(longitude=8.0 + 0.1 * number, elevation_m=300.0 * number) for number in range(8)]
    table = parse_stations("\n".join([HEADER, *rows]))
    assert any("no elevation given" in note for note in interpolate(table, 47.0, 8.0).notes)
    assert interpolate(table, 47.0, 8.0, 0.0).notes == ()


def test_the_middle_of_an_ocean_is_said_to_be_far() -> None:
    assert any("km away" in note for note in climate_at(-40.0, -120.0).notes)


def test_another_continents_climate_is_not_passed_off_as_the_places() -> None:
    """The South Pole is given Patagonia's mild air: it must be said that this is not the place's."""
    (note,) = climate_at(-90.0, 0.0).notes
    assert "use a weather file" in note
    assert not any("use a weather file" in note for note in climate_at(83.0, -33.0).notes)


@pytest.mark.parametrize("place", [(91.0, 0.0), (0.0, 400.0), (float("nan"), 0.0)])
def test_coordinates_that_no_place_has_are_refused(place: tuple[float, float]) -> None:
    with pytest.raises(CatalogueError, match="no place"):
        climate_at(*place)


def test_distances_are_great_circles() -> None:
    table = _ring(1, latitude=51.47, longitude=-0.45)
    assert distances_km(table, 40.64, -73.78)[0] == pytest.approx(5540.0, rel=0.002)  # LHR to JFK: 5,540 km


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,country\n", "columns"),
        (HEADER, "no rows"),
        (f"{HEADER}\nHere,CHE", "too short"),
        (f"{HEADER}\n" + _row().replace("47.0", "north", 1), "place is not a number"),
    ],
)
def test_a_broken_table_is_refused(text: str, message: str) -> None:
    with pytest.raises(CatalogueError, match=message):
        parse_stations(text)


@pytest.mark.parametrize("value", ["cold", "nan", "1,2"])
def test_a_station_without_numbers_is_refused_by_name(value: str) -> None:
    lines = [_row(longitude=8.0 + number) for number in range(7)]
    lines[0] = lines[0].replace(",70.0,", f",{value},", 1)
    table = parse_stations("\n".join([HEADER, *lines]))
    with pytest.raises(CatalogueError, match="Here, CHE"):
        interpolate(table, 47.0, 8.0)
