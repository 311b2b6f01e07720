"""The one energy block: what a site imports, stores, generates and sheds in each step.

Used three times with the same rules: in the master on typical days, for each site on fine weeks, and at fixed
capacities on all 8,760 hours. Capacities are MW by quarter, steps are `[quarter, step]`, costs million USD.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gigawright.arrays import Floats, Ints
from gigawright.catalogue.types import Technology
from gigawright.linear import Model

KINDS = ("solar", "wind", "battery")
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


@dataclass(frozen=True)
class EnergyColumns:
    """Global indices of a site's energy variables and of its balance and connection rows."""

    imported: Ints
    charge: Ints
    discharge: Ints
    stored: Ints
    shed: Ints
    capacity: Mapping[str, Ints]
    peak: Ints
    green: Ints
    balance: Ints
    green_rows: Ints


def quarterly_cost_musd_mw(technology: Technology, discount_rate: float) -> float:
    """What contracting one MW costs a quarter: the annuity of its capital and its fixed operation.

    capex x r / (1 - (1 + r)^-life) + om, over four quarters [million USD per MW and quarter].

    >>> solar = Technology("s", "solar", capex_usd_kw=691, om_usd_kw_year=13, life_years=25)
    >>> round(quarterly_cost_musd_mw(solar, 0.08) * 4, 5)
    0.07773
    """
    life = technology.life_years
    annuity = discount_rate / (1.0 - (1.0 + discount_rate) ** -life) if discount_rate else 1.0 / life
    return float((technology.capex_usd_kw * annuity + technology.om_usd_kw_year) * 1e3 * MUSD / 4.0)


def add_site_energy(
    model: Model,
    site: str,
    hours: SiteSteps,
    prices: EnergyPrices,
    years: NDArray[np.int64],
    most_shed: ArrayLike = 0.0,
) -> EnergyColumns:
    """Add a site's energy variables and rules; the caller adds load to `balance` and `green_rows`.

    `years[quarter]` numbers the calendar year of each quarter, over which the green share is kept.
    `most_shed` [quarter, step] MW is load that may pause: what the connection alone cannot carry. Work never
    pauses to save a demand charge.
    """
    flows = _flows(model, site, hours, prices, most_shed)
    capacity = {kind: _capacity(model, site, kind, hours, prices) for kind in KINDS}
    peak = model.add_columns(
        f"peak:{site}",
        {"quarter": hours.quarters},
        cost=prices.discount * prices.demand_charge_usd_kw_month * MONTHS * 1e3 * MUSD,
    )
    year_names = [str(year) for year in sorted(set(years.tolist()))]
    green = model.add_columns(f"green:{site}", {"year": year_names}, cost=green_cost_musd_gwh(prices, years))
    balance = power_balances_every_step(model, site, hours, flows, capacity)
    never_draw_more_than_the_peak(model, site, hours, flows["import"], peak)
    storage_keeps_what_it_takes(model, site, hours, flows, capacity["battery"], prices)
    contracts_are_kept(model, site, hours, capacity)
    green_rows = green_power_covers_its_share(
        model, site, hours, flows["import"], green, prices, years, year_names
    )
    return EnergyColumns(
        flows["import"], flows["charge"], flows["discharge"], flows["stored"], flows["shed"],
        capacity, peak, green, balance, green_rows,
    )  # fmt: skip


def green_cost_musd_gwh(prices: EnergyPrices, years: NDArray[np.int64]) -> Floats:
    """Premium of a GWh of certified green power in each year, discounted by the year's mean [year]."""
    position = years - years.min()
    mean = np.bincount(position, prices.discount) / np.bincount(position)
    return np.asarray(prices.green_premium_usd_mwh * 1e3 * MUSD * mean)


def _flows(
    model: Model, site: str, hours: SiteSteps, prices: EnergyPrices, most_shed: ArrayLike
) -> dict[str, Ints]:
    """Import, charge, discharge, stored and shed, `[quarter, step]` [MW; MWh for stored]."""
    dims = {"quarter": hours.quarters, "step": hours.steps}
    paid = hours.weight_h * prices.discount[:, None] * MUSD
    energy_cost = paid * (hours.price_usd_mwh + prices.emission_t_mwh * prices.carbon_usd_t)
    stores = np.inf if prices.max_mw.get("battery", 0.0) > 0 and "battery" in prices.technologies else 0.0
    return {
        "import": model.add_columns(f"import:{site}", dims, cost=energy_cost),
        "charge": model.add_columns(f"charge:{site}", dims, upper=stores),
        "discharge": model.add_columns(f"discharge:{site}", dims, upper=stores),
        "stored": model.add_columns(f"stored:{site}", dims, upper=stores),
        "shed": model.add_columns(f"shed:{site}", dims, upper=most_shed, cost=paid * prices.shed_usd_mwh),
    }


def _capacity(model: Model, site: str, kind: str, hours: SiteSteps, prices: EnergyPrices) -> Ints:
    """Contracted MW by quarter; none before the contract lead, none where the kind is not on offer."""
    technology = prices.technologies.get(kind)
    upper = np.full(len(hours.quarters), prices.max_mw.get(kind, 0.0) if technology else 0.0)
    upper[: prices.contract_lead_quarters] = 0.0
    cost = quarterly_cost_musd_mw(technology, prices.discount_rate) if technology else 0.0
    return model.add_columns(
        f"{kind}:{site}", {"quarter": hours.quarters}, upper=upper, cost=prices.discount * cost
    )


def power_balances_every_step(
    model: Model, site: str, hours: SiteSteps, flows: Mapping[str, Ints], capacity: Mapping[str, Ints]
) -> Ints:
    """import + discharge - charge + generation + shed >= load: what is left over is curtailed, which is
    free."""
    rows = model.add_rows(f"balance:{site}", {"quarter": hours.quarters, "step": hours.steps}, lower=0.0)
    for flow, sign in (("import", 1.0), ("discharge", 1.0), ("charge", -1.0), ("shed", 1.0)):
        model.add_terms(rows, flows[flow], sign)
    model.add_terms(rows, capacity["solar"][:, None], hours.solar_cf)
    model.add_terms(rows, capacity["wind"][:, None], hours.wind_cf)
    return rows


def never_draw_more_than_the_peak(
    model: Model, site: str, hours: SiteSteps, imported: Ints, peak: Ints
) -> None:
    """import <= peak, the quarter's highest draw, on which the demand charge is paid."""
    rows = model.add_rows(f"peak:{site}", {"quarter": hours.quarters, "step": hours.steps}, upper=0.0)
    model.add_terms(rows, imported, 1.0)
    model.add_terms(rows, peak[:, None], -1.0)


def storage_keeps_what_it_takes(
    model: Model, site: str, hours: SiteSteps, flows: Mapping[str, Ints], power: Ints, prices: EnergyPrices
) -> None:
    """stored' = stored + (eff charge - discharge / eff) step, cyclic in each day or week, within power and
    hours.

    `eff` is the square root of the round trip. Left out where no battery is on offer.
    """
    battery = prices.technologies.get("battery")
    if battery is None or prices.max_mw.get("battery", 0.0) <= 0.0:
        return
    one_way = battery.efficiency**0.5
    dims = {"quarter": hours.quarters, "step": hours.steps}
    following = _next_in_cycle(hours.cycle)
    level = model.add_rows(f"storage:{site}", dims, lower=0.0, upper=0.0)
    model.add_terms(level, flows["stored"][:, following], 1.0)
    model.add_terms(level, flows["stored"], -1.0)
    model.add_terms(level, flows["charge"], -one_way * hours.step_h)
    model.add_terms(level, flows["discharge"], hours.step_h / one_way)
    for flow, size in (("charge", 1.0), ("discharge", 1.0), ("stored", battery.hours)):
        rows = model.add_rows(f"{flow}_limit:{site}", dims, upper=0.0)
        model.add_terms(rows, flows[flow], 1.0)
        model.add_terms(rows, power[:, None], -size)


def _next_in_cycle(cycle: Ints) -> Ints:
    """For each step the one that follows it in its cycle; the last leads back to the first."""
    following = np.arange(1, len(cycle) + 1)
    for number in np.unique(cycle):
        members = np.flatnonzero(cycle == number)
        following[members[-1]] = members[0]
    return following


def contracts_are_kept(model: Model, site: str, hours: SiteSteps, capacity: Mapping[str, Ints]) -> None:
    """Contracted capacity never falls before the horizon's end."""
    for kind, columns in capacity.items():
        if len(columns) > 1:
            rows = model.add_rows(f"keep_{kind}:{site}", {"quarter": hours.quarters[1:]}, lower=0.0)
            model.add_terms(rows, columns[1:], 1.0)
            model.add_terms(rows, columns[:-1], -1.0)


def green_power_covers_its_share(
    model: Model,
    site: str,
    hours: SiteSteps,
    imported: Ints,
    green: Ints,
    prices: EnergyPrices,
    years: NDArray[np.int64],
    year_names: list[str],
) -> Ints:
    """Imports without certificates stay below the share of consumption that may be grey, each year [GWh].

    sum weight import - green <= (1 - share) consumption; the caller adds the consumption.
    """
    rows = model.add_rows(f"green_share:{site}", {"year": year_names}, upper=0.0)
    if prices.green_share_min > 0.0:
        position = years - years.min()
        model.add_terms(rows[position][:, None], imported, hours.weight_h * 1e-3)
        model.add_terms(rows, green, -1.0)
    return rows
