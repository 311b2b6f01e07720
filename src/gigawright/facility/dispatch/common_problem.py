"""The common sizing problem: three sites, 8,760 h, sun, wind, battery, gas and grid under a carbon cap.

Several builders and algorithms agree on its optimum, so it is what speed and accuracy are measured on. The
profiles come from a CSV file with `SITE_pv_per_mw`, `SITE_wind_per_mw` and `SITE_price_usd_per_mwh` columns.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gigawright.arrays import Floats
from gigawright.facility.dispatch.case import EnergyCase, SiteCase, Source, Store, Timeline, one_year

HOURS_YEAR = 8760
OPTIMUM_USD = {744: 12_926_991.3684, 2184: 38_317_102.3589, 8760: 152_611_294.9615}
"""Least cost by number of hours, as stated with the problem."""

# The problem's own statement; annualised costs in USD a year.
LOAD_MW = 100.0
SOLAR_USD_MW, WIND_USD_MW, GAS_USD_MW, GRID_USD_MW = 52_000.0, 105_000.0, 95_000.0, 60_000.0
BATTERY_USD_MW, BATTERY_USD_MWH, BATTERY_EFFICIENCY = 14_000.0, 17_000.0, 0.95
GAS_MOST_MW, GRID_MOST_MW = 120.0, 60.0
GAS_USD_MWH = 62.0
GRID_T_MWH, GAS_T_MWH, CAP_T_MWH = 0.55, 0.40, 0.35


def three_sites(path: str | Path, hours: int = HOURS_YEAR) -> EnergyCase:
    """The problem over its first `hours`: capital costs and the cap scaled by hours / 8,760, storage cyclic.

    `path` is the CSV file of profiles. Raises ValueError where it holds fewer hours.
    """
    columns = _columns(Path(path))
    rows = len(next(iter(columns.values())))
    if not 0 < hours <= rows:
        raise ValueError(f"{path} holds {rows} hours; {hours} were asked for")
    names = [name.removesuffix("_pv_per_mw") for name in columns if name.endswith("_pv_per_mw")]
    sites = tuple(_site(name, columns, hours) for name in names)
    return EnergyCase("three sites", sites, CAP_T_MWH * LOAD_MW * hours * len(sites))


def _columns(path: Path) -> dict[str, Floats]:
    """Columns of the file by name."""
    with path.open(encoding="utf-8") as file:
        names = file.readline().strip().split(",")
        values = np.loadtxt(file, delimiter=",", ndmin=2)
    return {name: values[:, i] for i, name in enumerate(names)}


def _site(name: str, columns: dict[str, Floats], hours: int) -> SiteCase:
    """One site of the problem."""
    time, part = one_year(hours), hours / HOURS_YEAR
    free = np.zeros(hours)
    price = columns[f"{name}_price_usd_per_mwh"][:hours]
    gas = np.full(hours, GAS_USD_MWH)
    return SiteCase(
        name,
        time,
        (
            _source("solar", "solar", columns[f"{name}_pv_per_mw"][:hours], free, 0.0, SOLAR_USD_MW * part),
            _source("wind", "wind", columns[f"{name}_wind_per_mw"][:hours], free, 0.0, WIND_USD_MW * part),
            _source("gas", "gas", free + 1.0, gas, GAS_T_MWH, GAS_USD_MW * part, GAS_MOST_MW),
            _source("grid", "grid", free + 1.0, price, GRID_T_MWH, GRID_USD_MW * part, GRID_MOST_MW),
        ),
        (_battery(time, part),),
        load_mw=np.full((1, hours), LOAD_MW),
    )


def _source(
    name: str,
    kind: str,
    available: Floats,
    usd_mwh: Floats,
    t_mwh: float,
    usd_mw: float,
    most_mw: float = np.inf,
) -> Source:
    """A source of one period."""
    return Source(
        name=name,
        kind=kind,
        available=available[None],
        energy_usd_mwh=usd_mwh[None],
        emission_t_mwh=np.full((1, len(usd_mwh)), t_mwh),
        capacity_usd_mw=np.array([usd_mw]),
        least_mw=np.zeros(1),
        most_mw=np.array([most_mw]),
        clean=kind in ("solar", "wind"),
    )


def _battery(time: Timeline, part: float) -> Store:
    """Half of a MW's cost lies on charging, half on discharging; powers and energy are chosen apart."""
    ones = np.ones(time.shape[0])
    return Store(
        name="battery",
        kind="battery",
        charge_efficiency=BATTERY_EFFICIENCY,
        discharge_efficiency=BATTERY_EFFICIENCY,
        charge_usd_mw=ones * BATTERY_USD_MW / 2.0 * part,
        discharge_usd_mw=ones * BATTERY_USD_MW / 2.0 * part,
        energy_usd_mwh=ones * BATTERY_USD_MWH * part,
        most_mw=ones * np.inf,
        most_mwh=ones * np.inf,
        least_mw=ones * 0.0,
        one_power=False,
    )
