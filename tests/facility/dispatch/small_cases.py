"""Small energy cases for tests: days of made-up but lifelike sun, wind and prices."""

from __future__ import annotations

from typing import Any

import numpy as np

from gigawright.arrays import Floats
from gigawright.facility.dispatch.case import EnergyCase, SiteCase, Source, Store, Timeline, one_year

HOURS_YEAR = 8760.0


def source(name: str, hours: int, available: Floats | float = 1.0, **changed: Any) -> Source:
    """A source of one period; costs a year are scaled to the hours."""
    series = {
        "energy_usd_mwh": changed.pop("usd_mwh", 0.0),
        "emission_t_mwh": changed.pop("t_mwh", 0.0),
        "available": available,
    }
    wide = {key: np.broadcast_to(np.asarray(v, float), (1, hours)).copy() for key, v in series.items()}
    usd_mw = changed.pop("usd_mw_year", 0.0) * hours / HOURS_YEAR
    most = changed.pop("most_mw", np.inf)
    return Source(
        name=name,
        kind=changed.pop("kind", name),
        capacity_usd_mw=np.array([usd_mw]),
        least_mw=np.zeros(1),
        most_mw=np.array([most]),
        **wide,
        **changed,
    )


def store(steps: int, /, **changed: Any) -> Store:
    """A battery."""
    part = steps / HOURS_YEAR
    usual: dict[str, Any] = {
        "name": "battery",
        "kind": "battery",
        "charge_efficiency": 0.95,
        "discharge_efficiency": 0.92,
        "charge_usd_mw": np.array([6e3 * part]),
        "discharge_usd_mw": np.array([8e3 * part]),
        "energy_usd_mwh": np.array([9e3 * part]),
        "most_mw": np.array([np.inf]),
        "most_mwh": np.array([np.inf]),
        "least_mw": np.zeros(1),
        "one_power": False,
    }
    return Store(**usual | changed)


def sun(hours: int, rng: np.random.Generator) -> Floats:
    """Days of a sine, each with its own clouds."""
    hour = np.arange(hours) % 24
    clear = np.maximum(np.sin((hour - 6.0) / 12.0 * np.pi), 0.0)
    return np.asarray(np.round(clear * np.repeat(rng.uniform(0.2, 1.0, hours // 24 + 1), 24)[:hours], 3))


def wind(hours: int, rng: np.random.Generator) -> Floats:
    """A slow walk between 0 and a half."""
    steps = np.cumsum(rng.normal(0.0, 0.06, hours))
    return np.asarray(np.round(0.5 * np.abs((steps + 0.4) % 2.0 - 1.0), 3))


def site(name: str, hours: int, seed: int, **changed: Any) -> SiteCase:
    """Sun, wind, gas, grid and a battery for about 100 MW."""
    rng = np.random.default_rng(seed)
    hour = np.arange(hours)
    price = 60.0 + 25.0 * np.sin((hour - 9.0) / 24.0 * 2.0 * np.pi) + rng.normal(0.0, 8.0, hours)
    usual: dict[str, Any] = {
        "time": one_year(hours),
        "sources": (
            source("solar", hours, sun(hours, rng), usd_mw_year=110e3, clean=True),
            source("wind", hours, wind(hours, rng), usd_mw_year=330e3, clean=True),
            source("gas", hours, usd_mwh=62.0, t_mwh=0.4, usd_mw_year=90e3, most_mw=120.0),
            source("grid", hours, usd_mwh=price, t_mwh=0.55, usd_mw_year=60e3, most_mw=60.0),
        ),
        "stores": (store(hours),),
        "load_mw": (100.0 + 10.0 * np.sin((hour - 12.0) / 24.0 * 2.0 * np.pi))[None],
    }
    return SiteCase(site=name, **usual | changed)


def two_sites(hours: int = 48, carbon_share: float = np.inf, **changed: Any) -> EnergyCase:
    """Two such sites; `carbon_share` of the gas' emissions on all load is the cap."""
    sites = (site("north", hours, 1, **changed), site("south", hours, 2, **changed))
    load = sum(float(one.load_mw.sum()) for one in sites if one.load_mw is not None)
    return EnergyCase("two sites", sites, carbon_share * 0.4 * load)


def weighted(case: EnergyCase, weight: float, discount: float) -> EnergyCase:
    """The same hours, each standing for more, and paid later."""
    from dataclasses import replace

    def changed(time: Timeline) -> Timeline:
        return replace(time, weight_h=weight * time.weight_h, discount=discount * time.discount)

    sites = tuple(replace(one, time=changed(one.time)) for one in case.sites)
    return replace(case, sites=sites, carbon_cap_t=case.carbon_cap_t * weight)
