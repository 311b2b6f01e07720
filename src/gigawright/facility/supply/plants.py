"""Own plants: how many units carry a load for sure, what their energy costs, what a year of running takes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gigawright.arrays import Floats
from gigawright.catalogue.types import Technology
from gigawright.clock import HOURS_PER_YEAR, Quarter
from gigawright.facility.supply.sources import annual_usd_mw

# US EPA, 40 CFR Part 98, Table C-1: higher heating value of natural gas, 1.026 MMBtu a thousand cubic feet.
GAS_KWH_PER_M3 = 1.026e6 * 0.29307107e-3 / 28.316847
MOST_UNITS = 10_000


def levelised_usd_mwh(
    technology: Technology, discount_rate: float, capacity_factor: float, carbon_usd_t: float = 0.0
) -> float:
    """What a MWh costs over a plant's life: (annuity + fixed operation) / hours run + fuel, operation, CO2.

    capacity_factor: mean output over capacity, 0 to 1. Raises ValueError where a plant gives nothing.

    >>> solar = Technology("s", "solar", capex_usd_kw=691, om_usd_kw_year=13, life_years=25)
    >>> round(levelised_usd_mwh(solar, 0.05, 0.17), 1)
    41.7
    """
    if not 0.0 < capacity_factor <= 1.0:
        raise ValueError(f"a capacity factor lies between 0 and 1, not at {capacity_factor}")
    fixed = annual_usd_mw(technology, discount_rate) / (HOURS_PER_YEAR * capacity_factor)
    return fixed + technology.energy_usd_mwh + carbon_usd_t * technology.emission_t_mwh


def ready(technology: Technology, ordered: Quarter) -> Quarter:
    """The first quarter in which a plant gives power that is ordered in a quarter.

    >>> str(ready(Technology("g", "gas_turbine", 1500, 26, 25, lead_quarters=12), Quarter(2026, 1)))
    '2029Q1'
    """
    return ordered + technology.lead_quarters


def units_for(load_mw: float, unit_mw: float, available_share: float, target: float) -> int:
    """Units to install so that enough run to carry a load with a probability of at least `target`.

    Each runs independently with `available_share`: the smallest n with P(binomial(n, share) >= k) >= target,
    k = load / unit, rounded up. Raises ValueError on shares outside (0, 1], or where no number will do.

    >>> units_for(100.0, 18.3, 0.945, 0.9999)  # six engines to run, eleven to own
    11
    """
    if not (0.0 < available_share <= 1.0 and 0.0 <= target <= 1.0 and unit_mw > 0.0):
        raise ValueError("units need a size, an availability above 0 and a target that is a share")
    if target == 1.0 and available_share < 1.0:
        raise ValueError("no number of units that fail at times carries a load for sure")
    need = math.ceil(load_mw / unit_mw - 1e-9)
    if need <= 0:
        return 0
    for count in range(need, MOST_UNITS):
        if firm_probability(count, need, available_share) >= target:
            return count
    raise ValueError(f"no number of units below {MOST_UNITS} reaches a probability of {target}")


def firm_probability(units: int, needed: int, available_share: float) -> float:
    """P(at least `needed` of `units` run), each with `available_share` by itself.

    >>> round(firm_probability(3, 2, 0.9), 3)  # 0.9^3 + 3 x 0.9^2 x 0.1
    0.972
    """
    if available_share >= 1.0:
        return float(units >= needed)
    run, lost, ways = math.log(available_share), math.log1p(-available_share), math.lgamma(units + 1)
    chances = (
        math.exp(ways - math.lgamma(k + 1) - math.lgamma(units - k + 1) + k * run + (units - k) * lost)
        for k in range(max(needed, 0), units + 1)
    )
    return min(1.0, math.fsum(chances))


@dataclass(frozen=True)
class PlantYear:
    """What a year's running took: `energy_mwh` given, fuel, CO2 and money, starts of the whole plant."""

    energy_mwh: float
    fuel_mwh: float
    gas_m3: float
    emission_t: float
    cost_usd: float
    starts: int
    full_load_hours: float


def plant_year(technology: Technology, power_mw: Floats, capacity_mw: float) -> PlantYear:
    """Fuel, emissions, cost and starts of a plant from what it gave in each hour [MW].

    Cost is fuel, operation by the MWh and starts of the running part; capital is not in it. Gas in cubic
    metres of 10.6 kWh (0 without fuel emissions). Raises ValueError where it gave more than it can.
    """
    if power_mw.max(initial=0.0) > capacity_mw * (1.0 + 1e-6) or power_mw.min(initial=0.0) < -1e-6:
        raise ValueError(f"{technology.id} gave {power_mw.max():.3f} of {capacity_mw} MW")
    energy = float(power_mw.sum())
    fuel = energy / technology.efficiency if technology.fuel_usd_mwh else 0.0
    running = power_mw > 1e-6
    starts = running & ~np.r_[False, running[:-1]]
    started = float(np.maximum(np.diff(np.r_[0.0, power_mw]), 0.0)[starts].sum())
    return PlantYear(
        energy_mwh=energy,
        fuel_mwh=fuel,
        gas_m3=1e3 * fuel / GAS_KWH_PER_M3 if technology.fuel_emission_t_mwh else 0.0,
        emission_t=energy * technology.emission_t_mwh,
        cost_usd=energy * technology.energy_usd_mwh + started * technology.start_usd_mw,
        starts=int(starts.sum()),
        full_load_hours=energy / capacity_mw if capacity_mw else 0.0,
    )
