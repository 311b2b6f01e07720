"""From what the catalogue says of a technology, a site's hours and a discount rate to what dispatch takes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from gigawright.arrays import Floats
from gigawright.catalogue.types import Technology
from gigawright.clock import HOURS_PER_YEAR
from gigawright.facility.dispatch.case import Source, Store, Timeline

WEATHER_KINDS = ("solar", "wind")
# Emit nothing while they run. Whether reactors count as green is the rule's choice: China's green
# certificates leave them out.
CLEAN_KINDS = ("solar", "wind", "smr")
HOURS_PER_MONTH = HOURS_PER_YEAR / 12.0
KW_PER_MW = 1e3


def annuity_share(discount_rate: float, life_years: float) -> float:
    """What a unit of capital costs a year over its life: r / (1 - (1 + r)^-life); 1 / life without interest.

    >>> round(annuity_share(0.08, 25), 6)
    0.093679
    """
    if discount_rate == 0.0:
        return 1.0 / life_years
    return discount_rate / -math.expm1(-life_years * math.log1p(discount_rate))


def annual_usd_mw(technology: Technology, discount_rate: float) -> float:
    """What a MW costs a year: annuity of its capital and fixed operation [USD].

    >>> solar = Technology("s", "solar", capex_usd_kw=691, om_usd_kw_year=13, life_years=25)
    >>> round(annual_usd_mw(solar, 0.08))
    77732
    """
    annuity = annuity_share(discount_rate, technology.life_years)
    return (technology.capex_usd_kw * annuity + technology.om_usd_kw_year) * KW_PER_MW


def years_of(time: Timeline) -> Floats:
    """Length of each period in years of 8,760 h, by the hours its steps stand for [period]."""
    return np.asarray(time.weight_h.sum(axis=1) / HOURS_PER_YEAR)


def source_of(
    technology: Technology,
    time: Timeline,
    available: ArrayLike | None = None,
    discount_rate: float = 0.0,
    most_mw: ArrayLike = np.inf,
    least_mw: ArrayLike = 0.0,
    *,
    first_period: int = 0,
    carbon_usd_t: ArrayLike = 0.0,
    fuel_usd_mwh: ArrayLike | None = None,
    clean: bool | None = None,
    name: str = "",
) -> Source:
    """Sun, wind or a plant of the catalogue as a source of the dispatch.

    available: share of its capacity that can run, `[period, step]` or what broadcasts to it: output per MW of
    sun and wind, which have no other; of a plant None stands for the catalogue's availability in every step.
    most_mw, least_mw: bounds of the capacity, a number or `[period]`; nothing stands before `first_period`
    (its lead). carbon_usd_t: price of CO2, a number or `[period, 1]`. fuel_usd_mwh: price of fuel instead of
    the catalogue's, `[period, step]` or what broadcasts. clean: counts as green (default: sun, wind and
    reactors). Capacity costs the annuity and fixed operation for the share of a year that a period stands
    for. Raises ValueError for storage, and for sun and wind without hours.
    """
    if technology.kind == "battery":
        raise ValueError(f"{technology.id} stores energy: use store_of")
    if available is None:
        if technology.kind in WEATHER_KINDS:
            raise ValueError(f"{technology.id} needs its output by hour: what share of a MW it gives")
        available = technology.available_share
    fuel = technology.fuel_usd_mwh if fuel_usd_mwh is None else np.asarray(fuel_usd_mwh, float)
    energy = fuel / technology.efficiency + technology.energy_cost_usd_mwh
    emission = technology.emission_t_mwh
    return Source(
        name=name or technology.kind,
        kind=technology.kind,
        available=_by_step(available, time),
        energy_usd_mwh=_by_step(energy + np.asarray(carbon_usd_t, float) * emission, time),
        emission_t_mwh=_by_step(emission, time),
        capacity_usd_mw=annual_usd_mw(technology, discount_rate) * years_of(time),
        least_mw=_bound(least_mw, time, first_period),
        most_mw=_bound(most_mw, time, first_period),
        clean=technology.kind in CLEAN_KINDS if clean is None else clean,
        least_share=technology.least_share,
        start_usd_mw=technology.start_usd_mw,
        ramp_share_h=technology.ramp_share_h,
    )


def store_of(
    technology: Technology,
    time: Timeline,
    discount_rate: float = 0.0,
    most_mw: ArrayLike = np.inf,
    least_mw: ArrayLike = 0.0,
    *,
    first_period: int = 0,
    choose_hours: bool = False,
    most_mwh: ArrayLike | None = None,
    yearly_share: float = 0.0,
    name: str = "",
) -> Store:
    """A battery of the catalogue as a store of the dispatch; the round trip's loss is split evenly.

    By default its hours are fixed. choose_hours: energy is sized apart from power, up to `most_mwh` (default:
    no limit beside the power's). yearly_share: of the energy's capital paid each year on top, for modules
    added as capacity fades (`battery.augmentation`). Bounds and lead as in `source_of`.
    Raises ValueError for anything but storage, where hours are to be chosen but energy has no price, and
    where they are fixed but not known.
    """
    if technology.kind != "battery":
        raise ValueError(f"{technology.id} of kind {technology.kind} stores nothing: use source_of")
    if not choose_hours and technology.hours <= 0.0:
        raise ValueError(f"{technology.id}: no hours, so its energy is not known")
    if choose_hours and technology.energy_capex_usd_kwh is None:
        raise ValueError(f"{technology.id}: no energy_capex, so its hours cannot be chosen")
    years = years_of(time)
    power, energy = _store_costs(technology, discount_rate, yearly_share)
    most = _bound(most_mw, time, first_period)
    hours = None if choose_hours else technology.hours
    free = np.where(most > 0.0, np.inf, 0.0)
    limit = _bound(free if most_mwh is None else most_mwh, time, first_period)
    one_way = technology.efficiency**0.5
    return Store(
        name=name or technology.kind,
        kind=technology.kind,
        charge_efficiency=one_way,
        discharge_efficiency=one_way,
        charge_usd_mw=np.zeros(len(years)),
        discharge_usd_mw=power * years,
        energy_usd_mwh=energy * years,
        most_mw=most,
        most_mwh=limit if hours is None else most * hours,
        least_mw=_bound(least_mw, time, first_period),
        hours=hours,
        wear_usd_mwh=technology.wear_usd_mwh,
    )


def _store_costs(technology: Technology, discount_rate: float, yearly_share: float) -> tuple[float, float]:
    """Yearly cost of a MW of power and of a MWh of energy; fixed operation follows capital [USD]."""
    annuity = annuity_share(discount_rate, technology.life_years)
    paid = annuity + technology.om_usd_kw_year / technology.capex_usd_kw
    energy_capex = technology.energy_capex_usd_kwh or 0.0
    power = technology.power_capex_usd_kw * paid
    return power * KW_PER_MW, energy_capex * (paid + yearly_share) * KW_PER_MW


def grid_of(
    time: Timeline,
    price_usd_mwh: ArrayLike,
    emission_t_mwh: ArrayLike,
    demand_usd_kw_month: ArrayLike = 0.0,
    most_mw: ArrayLike = np.inf,
    *,
    available: ArrayLike = 1.0,
    loss_share: float = 0.0,
    carbon_usd_t: ArrayLike = 0.0,
    kept: bool = False,
    name: str = "grid",
) -> Source:
    """The grid as a source of the dispatch; its capacity is the period's peak, on which demand is charged.

    price_usd_mwh and emission_t_mwh `[period, step]` or what broadcasts; demand_usd_kw_month a number or
    `[period]`; most_mw the energised connection, a number or `[period]` (`grid.energised_mw`); available the
    share of it that may be drawn (`grid.curtailed`). loss_share is lost between the meter and the site's bus:
    price, charge and emission of what arrives rise by 1 / (1 - loss), the connection carries less.
    kept: capacity once paid for is paid on (a contracted demand) instead of measured each period.
    Raises ValueError where losses are not a share.
    """
    if not 0.0 <= loss_share < 1.0:
        raise ValueError(f"losses are a share of what is drawn, not {loss_share}")
    arrives = 1.0 - loss_share
    months = time.weight_h.sum(axis=1) / HOURS_PER_MONTH
    emission = np.asarray(emission_t_mwh, float)
    price = np.asarray(price_usd_mwh, float) + np.asarray(carbon_usd_t, float) * emission
    return Source(
        name=name,
        kind="grid",
        available=_by_step(available, time),
        energy_usd_mwh=_by_step(price / arrives, time),
        emission_t_mwh=_by_step(emission / arrives, time),
        capacity_usd_mw=np.asarray(demand_usd_kw_month, float) * KW_PER_MW * months / arrives,
        least_mw=np.zeros(len(months)),
        most_mw=_bound(most_mw, time, 0) * arrives,
        kept=kept,
    )


def _by_step(values: ArrayLike, time: Timeline) -> Floats:
    return np.broadcast_to(np.asarray(values, float), time.shape)


def _bound(values: ArrayLike, time: Timeline, first_period: int) -> Floats:
    """A bound by period, nothing before the lead [period] MW."""
    bound = np.broadcast_to(np.asarray(values, float), (len(time.periods),)).copy()
    bound[:first_period] = 0.0
    return bound
