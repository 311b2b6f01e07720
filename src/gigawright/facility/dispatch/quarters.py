"""A plan's site as the energy block takes it: steps of its quarters, prices, contracts.

Used with the same rules in the master on typical days and for each site on every hour. Capacities are MW by
quarter, steps are `[quarter, step]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gigawright.arrays import Floats, Ints
from gigawright.catalogue.types import Technology
from gigawright.facility.dispatch.case import Giving, SiteCase, Source, Store, Timeline
from gigawright.facility.supply.sources import annual_usd_mw, source_of, store_of

KINDS = ("solar", "wind", "battery")
PLANTS = ("gas_turbine", "gas_combined", "gas_engine", "fuel_cell", "smr")
MUSD = 1e-6
MONTHS = 3


@dataclass(frozen=True)
class SiteSteps:
    """A site's hours as weighted steps, `[quarter, step]`, and how they follow each other.

    `weight_h` are the hours a step stands for (they sum to the quarter's), `step_h`
    its own length, `cycle` numbers the day or week it belongs to: storage returns to its level within each.
    """

    quarters: tuple[str, ...]
    weight_h: Floats
    step_h: float
    cycle: Ints
    solar_cf: Floats
    wind_cf: Floats
    price_usd_mwh: Floats
    pue: Mapping[str, Floats]
    wue_l_per_kwh: Mapping[str, Floats]
    shape: Mapping[str, Floats]

    @property
    def steps(self) -> tuple[str, ...]:
        """Labels of the steps."""
        return tuple(str(step) for step in range(self.weight_h.shape[1]))

    def draw_mw(self, design: str, profile: str) -> Floats:
        """Site power for one MW of IT at the profile's peak: PUE x shape, `[quarter, step]`."""
        return self.pue[design] * self.shape[profile]


@dataclass(frozen=True)
class EnergyPrices:
    """What energy costs at a site, by quarter where it has an index; `discount` brings it to the start."""

    discount: Floats
    demand_charge_usd_kw_month: float
    emission_t_mwh: float
    carbon_usd_t: float
    shed_usd_mwh: float
    green_premium_usd_mwh: float
    green_share_min: float
    water_usd_m3: float
    technologies: Mapping[str, Technology]
    max_mw: Mapping[str, float]
    discount_rate: float
    contract_lead_quarters: int = 0


def quarterly_cost_musd_mw(technology: Technology, discount_rate: float) -> float:
    """What contracting one MW costs a quarter: the annuity of its capital and its fixed operation.

    capex x r / (1 - (1 + r)^-life) + om, over four quarters [million USD per MW and quarter].

    >>> solar = Technology("s", "solar", capex_usd_kw=691, om_usd_kw_year=13, life_years=25)
    >>> round(quarterly_cost_musd_mw(solar, 0.08) * 4, 5)
    0.07773
    """
    return annual_usd_mw(technology, discount_rate) * MUSD / 4.0


def site_case(
    site: str,
    hours: SiteSteps,
    prices: EnergyPrices,
    years: Ints,
    most_shed: ArrayLike = 0.0,
    load_mw: Floats | None = None,
) -> SiteCase:
    """A site of the plan as the energy block takes it: grid, contracts, plants, battery, shedding.

    `years` [quarter] numbers the calendar year of each quarter. `most_shed` [quarter, step] MW is load that
    may pause: what the connection alone cannot carry. Work never pauses to save a demand charge. The grid's
    capacity is the quarter's peak draw, on which the demand charge is paid.
    """
    time = Timeline(hours.quarters, hours.weight_h, hours.step_h, hours.cycle, prices.discount, years)
    battery = prices.technologies.get("battery")
    shed = Giving("shed", np.broadcast_to(np.asarray(most_shed, float), time.shape), prices.shed_usd_mwh)
    premium = np.full(int(np.ptp(years)) + 1, prices.green_premium_usd_mwh)
    return SiteCase(
        site=site,
        time=time,
        sources=(
            *(
                _contract(kind, time, prices, hours)
                for kind in ("solar", "wind")
                if kind in prices.technologies
            ),
            *(_plant(kind, time, prices) for kind in plants_on_offer(prices)),
            _grid(time, prices, hours.price_usd_mwh),
        ),
        stores=() if battery is None else (_battery(battery, time, prices),),
        giving=(shed,),
        load_mw=load_mw,
        clean_share=prices.green_share_min,
        certificate_usd_mwh=premium,
    )


def _contract(kind: str, time: Timeline, prices: EnergyPrices, hours: SiteSteps) -> Source:
    """Sun or wind under contract, as much as the study allows once its lead is over."""
    technology = prices.technologies[kind]
    available = {"solar": hours.solar_cf, "wind": hours.wind_cf}[kind]
    rate, most = prices.discount_rate, _most_mw(technology, time, prices)
    source = source_of(technology, time, available, rate, most)
    return replace(source, capacity_usd_mw=_each_quarter(technology, time, rate))


def _each_quarter(technology: Technology, time: Timeline, discount_rate: float) -> Floats:
    """USD a MW: a quarter of a contract costs a quarter of its year, however many hours it has [period]."""
    return np.full(len(time.periods), quarterly_cost_musd_mw(technology, discount_rate) / MUSD)


def plants_on_offer(prices: EnergyPrices) -> tuple[str, ...]:
    """Kinds of plant that a site may have, in the order of `PLANTS`."""
    return tuple(kind for kind in PLANTS if kind in prices.technologies)


def _plant(kind: str, time: Timeline, prices: EnergyPrices) -> Source:
    """A plant as the plan takes it: it follows at once and may rest, so that the fast dispatch takes it.

    Minimum load, starts and ramps are left to `gigawright energy`, which has them exactly.
    """
    technology = prices.technologies[kind]
    rate, most = prices.discount_rate, _most_mw(technology, time, prices)
    source = source_of(technology, time, None, rate, most, carbon_usd_t=prices.carbon_usd_t)
    cost = _each_quarter(technology, time, rate)
    return replace(source, capacity_usd_mw=cost, least_share=0.0, start_usd_mw=0.0, ramp_share_h=np.inf)


def _most_mw(technology: Technology, time: Timeline, prices: EnergyPrices) -> Floats:
    """What may be contracted of a technology by quarter: nothing before its lead."""
    most = np.full(len(time.periods), prices.max_mw.get(technology.kind, 0.0))
    most[: max(prices.contract_lead_quarters, technology.lead_quarters)] = 0.0
    return most


def _grid(time: Timeline, prices: EnergyPrices, price_usd_mwh: Floats) -> Source:
    """Power from the grid at its hourly price, carbon included; its MW is the quarter's peak."""
    quarters = len(time.periods)
    demand_charge = prices.demand_charge_usd_kw_month * MONTHS * 1e3
    return Source(
        name="grid",
        kind="grid",
        available=np.ones(time.shape),
        energy_usd_mwh=price_usd_mwh + prices.emission_t_mwh * prices.carbon_usd_t,
        emission_t_mwh=np.full(time.shape, prices.emission_t_mwh),
        capacity_usd_mw=np.full(quarters, demand_charge),
        least_mw=np.zeros(quarters),
        most_mw=np.full(quarters, np.inf),
        kept=False,
    )


def _battery(technology: Technology, time: Timeline, prices: EnergyPrices) -> Store:
    """A battery of fixed hours under contract; its cost is on its power."""
    rate, most = prices.discount_rate, _most_mw(technology, time, prices)
    store = store_of(technology, time, rate, most)
    cost, nothing = _each_quarter(technology, time, rate), np.zeros(len(time.periods))
    return replace(store, discharge_usd_mw=cost, energy_usd_mwh=nothing, wear_usd_mwh=0.0)


def green_cost_musd_gwh(prices: EnergyPrices, years: NDArray[np.int64]) -> Floats:
    """Premium of a GWh of certified green power in each year, discounted by the year's mean [year]."""
    position = years - years.min()
    mean = np.bincount(position, prices.discount) / np.bincount(position)
    return np.asarray(prices.green_premium_usd_mwh * 1e3 * MUSD * mean)
