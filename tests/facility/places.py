"""Six places with a weather file, their normals, and a site made of them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from gigawright.catalogue.types import MonthlyClimate, Site
from gigawright.clock import month_of_hour
from gigawright.facility.weather.epw import read_epw
from gigawright.facility.weather.synthetic import synthetic_year
from gigawright.facility.weather.year import WeatherYear, to_local

PLACES = ("Johor", "Changi", "Shanghai", "Phoenix", "Dallas", "Leesburg")

# Beijing's order of magnitude: hot wet summers, cold dry winters. Values are examples.
CLIMATE = MonthlyClimate(
    dry_bulb_mean_c=(-3.0, 0.0, 6.5, 14.5, 20.5, 25.0, 27.0, 26.0, 21.0, 13.5, 5.0, -1.0),
    dry_bulb_daily_max_c=(2.0, 5.5, 12.5, 21.0, 27.0, 31.0, 31.5, 30.5, 26.5, 19.5, 10.5, 4.0),
    dry_bulb_daily_min_c=(-8.0, -5.0, 1.0, 8.0, 14.0, 19.0, 22.5, 21.5, 15.5, 8.0, 0.0, -5.5),
    relative_humidity_pct=(44.0, 42.0, 41.0, 44.0, 50.0, 60.0, 72.0, 74.0, 66.0, 60.0, 55.0, 46.0),
    ghi_kwh_m2_day=(2.4, 3.3, 4.5, 5.4, 6.1, 5.7, 5.1, 4.8, 4.2, 3.3, 2.4, 2.0),
    wind_speed_10m_ms=(2.6, 2.8, 3.1, 3.3, 2.9, 2.5, 2.1, 1.9, 2.0, 2.2, 2.4, 2.5),
)


def site(**changes: object) -> Site:
    """A site with the climate above; fields may be replaced."""
    fields: dict[str, object] = {
        "id": "here",
        "name": "Here",
        "country": "China",
        "latitude": 39.9,
        "longitude": 116.4,
        "elevation_m": 35.0,
        "utc_offset_h": 8.0,
        "climate": CLIMATE,
        "dry_bulb_extreme_c": 34.8,
        "wet_bulb_extreme_c": 26.7,
        "price_usd_mwh": 60.0,
        "tou_multiplier": (0.8,) * 12 + (1.2,) * 12,
        "demand_charge_usd_kw_month": 5.0,
        "emission_t_mwh": 0.6,
        "green_share_min": 0.0,
        "green_premium_usd_mwh": 1.0,
        "pue_cap": None,
        "grid_lead_quarters": 4,
        "hall_lead_quarters": 4,
        "build_musd_mw": 6.0,
        "grid_musd_mw": 0.2,
        "water_usd_m3": 1.0,
    }
    return Site(**(fields | changes))  # type: ignore[arg-type]


def epw_path(folder: Path, place: str) -> Path:
    """The weather file of a place."""
    return next((folder / "data" / "energy" / "epw").glob(f"*{place}*.epw"))


@lru_cache(maxsize=8)
def recorded(path: Path) -> tuple[WeatherYear, tuple[float, float, float, float]]:
    """A weather file, and its latitude, longitude, UTC offset and elevation."""
    with path.open(encoding="utf-8", errors="replace") as stream:
        head = stream.readline().split(",")
    latitude, longitude, offset, elevation = (float(cell) for cell in head[6:10])
    return read_epw(path), (latitude, longitude, offset, elevation)


def normals(weather: WeatherYear, offset: float) -> MonthlyClimate:
    """Monthly normals of a year by local month, the plain way."""
    month = month_of_hour()
    dry = to_local(weather.dry_bulb_c, offset)
    days = dry.reshape(365, 24)

    def mean(values: np.ndarray) -> tuple[float, ...]:
        chosen = month[:: 8760 // len(values)]
        return tuple(float(values[chosen == number].mean()) for number in range(12))

    return MonthlyClimate(
        dry_bulb_mean_c=mean(dry),
        dry_bulb_daily_max_c=mean(days.max(axis=1)),
        dry_bulb_daily_min_c=mean(days.min(axis=1)),
        relative_humidity_pct=mean(to_local(weather.relative_humidity, offset) * 100.0),
        ghi_kwh_m2_day=mean(to_local(weather.ghi_w_m2, offset) * 24.0 / 1000.0),
        wind_speed_10m_ms=mean(to_local(weather.wind_speed_ms, offset)),
    )


@lru_cache(maxsize=16)
def imitated(path: Path, seed: int = 0) -> WeatherYear:
    """The synthetic year of a weather file's normals and 0.4 % extremes."""
    weather, (latitude, longitude, offset, elevation) = recorded(path)
    return synthetic_year(
        normals(weather, offset),
        latitude,
        longitude,
        elevation,
        offset,
        float(np.quantile(weather.dry_bulb_c, 0.996)),
        float(np.quantile(weather.wet_bulb_c, 0.996)),
        seed,
    )
