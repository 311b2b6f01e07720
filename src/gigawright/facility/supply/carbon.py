"""Emissions of a year's power, by place, by contract and hour by hour.

GHG Protocol Scope 2 Guidance (2015): the location-based method counts what the grid emits where it is drawn,
the market-based one what is left after contracts and certificates of the year. Hourly matching counts clean
power only in the hour in which it is used (Google, 24/7 Carbon-Free Energy: Methodologies and Metrics, 2021).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from gigawright.arrays import Floats
from gigawright.errors import CatalogueError
from gigawright.facility.supply.hour_files import HourYear, read_hours

# Marks of a column of emissions; those of burning in the country's plants go before whole life cycles.
INTENSITY_WORDS = ("direct", "intensity", "co2", "carbon", "g_kwh", "kg_mwh", "t_mwh")
_UNIT = re.compile(r"(?<![a-z])(kg|g|t) ?_?(?:co2(?:eq|e)?)?[ _/]*([km])wh")
_TONNES, _MWH = {"g": 1e-6, "kg": 1e-3, "t": 1.0}, {"k": 1e-3, "m": 1.0}


@dataclass(frozen=True)
class CarbonAccount:
    """Tonnes of CO2 of a year by the three methods, own plants in each, and the shares of clean power.

    `annual_share` is clean power bought over load (more than 1 where more is bought), `hourly_share` what of
    the load was covered in its hour by contracts and the grid's own clean part.
    """

    own_t: float
    location_t: float
    market_t: float
    hourly_t: float
    annual_share: float
    hourly_share: float
    load_mwh: float

    @property
    def location_g_kwh(self) -> float:
        """Location-based intensity of the load."""
        return 1e3 * self.location_t / self.load_mwh

    @property
    def hourly_g_kwh(self) -> float:
        """Intensity of the load when clean power counts in its hour only."""
        return 1e3 * self.hourly_t / self.load_mwh


def account(
    load_mw: Floats,
    drawn_mw: Floats,
    grid_t_mwh: ArrayLike,
    clean_mw: ArrayLike = 0.0,
    *,
    off_site: bool = False,
    own_t: float = 0.0,
    own_mw: ArrayLike = 0.0,
    certificates_mwh: float = 0.0,
    residual_t_mwh: ArrayLike | None = None,
    grid_clean_share: ArrayLike = 0.0,
    step_h: float = 1.0,
) -> CarbonAccount:
    """Emissions of the power that a site used, by step.

    load_mw: what it used, with what stores took and without what they gave; drawn_mw: what came over its
    meter; clean_mw: clean power that is its own by contract, on site (not in drawn_mw), or off_site, when it
    comes over the meter as any other.
    own_mw, own_t: what own plants gave and emitted. grid_t_mwh: the grid's mean rate, by step or a number;
    residual_t_mwh: of the grid without what others claim (default: the same). grid_clean_share: carbon-free
    part of the grid's power. location = own + sum(drawn x rate); market = own + max(0, drawn - contracts off
    site - certificates) x residual; hourly = own + sum(max(0, load - clean - own) x rate, certificates not
    counted). Raises ValueError where there is no load.

    >>> day, night = np.ones(2), np.array([2.0, 0.0])  # 1 MW, all of it bought from a farm, half too early
    >>> found = account(day, day, 0.5, night, off_site=True)
    >>> found.location_t, found.market_t, found.hourly_t, found.annual_share, found.hourly_share
    (1.0, 0.0, 0.5, 1.0, 0.5)
    """
    load = np.asarray(load_mw, dtype=np.float64)
    if load.sum() <= 0.0:
        raise ValueError("carbon is counted on a load, and there is none")
    clean, own = _like(clean_mw, load), _like(own_mw, load)
    rate = _like(grid_t_mwh, load)
    residual = rate if residual_t_mwh is None else _like(residual_t_mwh, load)
    drawn_mwh = float(drawn_mw.sum()) * step_h
    claimed = certificates_mwh + (float(clean.sum()) * step_h if off_site else 0.0)
    mean_residual = float((drawn_mw @ residual) * step_h / drawn_mwh) if drawn_mwh else 0.0
    uncovered = np.maximum(load - clean - own, 0.0)
    matched = np.minimum(load, clean) + uncovered * _like(grid_clean_share, load)
    return CarbonAccount(
        own_t=own_t,
        location_t=own_t + float(drawn_mw @ rate) * step_h,
        market_t=own_t + max(0.0, drawn_mwh - claimed) * mean_residual,
        hourly_t=own_t + float(uncovered @ rate) * step_h,
        annual_share=(float(clean.sum()) * step_h + certificates_mwh) / (float(load.sum()) * step_h),
        hourly_share=float(matched.sum() / load.sum()),
        load_mwh=float(load.sum()) * step_h,
    )


def _like(values: ArrayLike, load: Floats) -> Floats:
    return np.broadcast_to(np.asarray(values, dtype=np.float64), load.shape)


def read_intensity(path: Path, column: str | None = None, unit: str | None = None) -> HourYear:
    """The grid's emissions by UTC hour from a CSV file, (8760,) t CO2/MWh; times as `read_hours` has them.

    Without a name the column of direct emissions is taken, else the only one that looks like emissions.
    unit: like g/kWh, kg/MWh or t/MWh; by default as the column's name says. Raises CatalogueError where unit
    or column would be a guess.
    """
    found = read_hours(path, INTENSITY_WORDS, column=column)
    stated = _UNIT.search((unit or found.column).lower())
    if stated is None:
        raise CatalogueError(f"{path}: the unit of {found.column!r} must be said, like g/kWh or t/MWh")
    factor = _TONNES[stated[1]] / _MWH[stated[2]]
    return HourYear(found.values * factor, found.year, found.column, found.notes)
