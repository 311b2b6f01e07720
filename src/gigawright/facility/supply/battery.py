"""How a battery of lithium iron phosphate fades with what it does, and what keeping its energy up costs.

Cycles are counted by rainflow (ASTM E1049-85, section 5.4.4). Fading follows the ageing laws that Naumann
et al. fitted to a commercial LiFePO4/graphite cell: with the square root of time (2018, Journal of Energy
Storage 17, 153-169) and of full cycles (2020, Journal of Power Sources 451, 227666) [both cited, unverified],
with the coefficients that SimSES (Technical University of Munich) has of their work.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import ArrayLike

from gigawright.arrays import Floats
from gigawright.clock import HOURS_PER_YEAR
from gigawright.facility.supply.sources import KW_PER_MW, annuity_share

# Naumann et al. 2018, calendar ageing: loss per square root of a second at 25 C, its activation energy
# [J/mol], and the cubic in the state of charge.
CALENDAR_RATE, ACTIVATION_J_MOL, GAS_J_MOL_K, REFERENCE_K = 1.2571e-5, 17126.0, 8.314, 298.15
CHARGE_CUBE, CHARGE_LEVEL = 2.8575, 0.60225
# Naumann et al. 2020, cycle ageing in percent per square root of a full cycle: linear in the rate of charge
# [1/h], cubic in the depth.
RATE_SLOPE, RATE_LEVEL, DEPTH_CUBE, DEPTH_LEVEL = 0.0630, 0.0971, 4.0253, 1.0923
SECONDS_PER_HOUR = 3600.0
# Assumption: cells are kept at 25 degrees by their container's cooling.
CELL_C = 25.0
# Assumption: modules of later years cost 3 % less each year (range 0 to 6 %).
PRICE_FALL_YEAR = 0.03


@dataclass(frozen=True, eq=False)
class Cycles:
    """Cycles of a series: `depth` (range), `mean` level, and `count` (1 whole, 0.5 half), each (cycles,)."""

    depth: Floats
    mean: Floats
    count: Floats

    @property
    def full(self) -> float:
        """Throughput in cycles of depth one."""
        return float(self.count @ self.depth)


def rainflow(series: ArrayLike) -> Cycles:
    """Cycles of a series of levels by rainflow counting, ASTM E1049-85 (2017), section 5.4.4.

    >>> found = rainflow([-2, 1, -3, 5, -1, 3, -4, 4, -2])  # the standard's figure 6
    >>> {float(r): float(found.count[found.depth == r].sum()) for r in np.unique(found.depth)}
    {3.0: 0.5, 4.0: 1.5, 6.0: 0.5, 8.0: 1.0, 9.0: 0.5}
    """
    depth, mean, count = _count(turning_points(np.asarray(series, dtype=np.float64)))
    return Cycles(depth, mean, count)


def turning_points(series: Floats) -> Floats:
    """The levels at which a series turns, with its first and last; plateaus count once.

    >>> turning_points(np.array([0.0, 1.0, 1.0, 2.0, 1.0, 1.0])).tolist()
    [0.0, 2.0, 1.0]
    """
    moved = series[np.r_[True, np.diff(series) != 0.0]]
    slope = np.sign(np.diff(moved))
    turns = np.r_[True, slope[1:] != slope[:-1], True] if len(moved) > 1 else np.ones(len(moved), bool)
    return np.asarray(moved[turns])


@numba.njit(nogil=True, cache=True)
def _count(points: Floats) -> tuple[Floats, Floats, Floats]:
    """Ranges, means and counts: three points at a time, as the standard's flow chart has it."""
    size = len(points)
    depth, mean, count = np.empty(size), np.empty(size), np.empty(size)
    stack = np.empty(size)
    found, held = 0, 0
    for point in points:
        stack[held] = point
        held += 1
        while held >= 3:
            newest, before = abs(stack[held - 1] - stack[held - 2]), abs(stack[held - 2] - stack[held - 3])
            if newest < before:
                break
            depth[found], mean[found] = before, 0.5 * (stack[held - 2] + stack[held - 3])
            if held == 3:
                count[found] = 0.5
                stack[0], stack[1] = stack[1], stack[2]
                held = 2
            else:
                count[found] = 1.0
                stack[held - 3] = stack[held - 1]
                held -= 2
            found += 1
    for place in range(held - 1):
        depth[found] = abs(stack[place + 1] - stack[place])
        mean[found], count[found] = 0.5 * (stack[place + 1] + stack[place]), 0.5
        found += 1
    return depth[:found], mean[:found], count[:found]


@dataclass(frozen=True)
class Usage:
    """What a year does to a battery: full cycles, and the rates at which it fades.

    `cycle_rate` is capacity lost per square root of a full cycle, `calendar_rate` per square root of a year.
    """

    full_cycles_year: float
    cycle_rate: float
    calendar_rate: float

    def cycle_loss(self, years: ArrayLike) -> Floats:
        """Share of capacity lost by cycling after a number of years like this one."""
        return np.asarray(self.cycle_rate * np.sqrt(self.full_cycles_year * np.asarray(years, float)))

    def capacity(self, years: ArrayLike) -> Floats:
        """Share of the first capacity left after a number of years; the laws are fitted down to about 0.7."""
        lost = self.cycle_loss(years) + self.calendar_rate * np.sqrt(np.asarray(years, float))
        return np.asarray(np.maximum(1.0 - lost, 0.0))


def usage(stored_mwh: Floats, energy_mwh: float, cell_c: ArrayLike = CELL_C, step_h: float = 1.0) -> Usage:
    """How a year's dispatch wears a battery of `energy_mwh`, from what it holds at each step [MWh].

    Depth of each cycle by rainflow; the rate of charge is the mean of |change| / hour over the throughput;
    calendar ageing goes with the state of charge and the cells' temperature [C, a number or by step].
    Raises ValueError where a level lies outside the battery, or there is no battery.

    >>> daily = np.tile(np.r_[np.linspace(0.05, 0.95, 12), np.linspace(0.95, 0.05, 12)], 365)
    >>> year = usage(daily, 1.0)
    >>> round(year.full_cycles_year), round(float(year.capacity(10.0)), 3)
    (328, 0.795)
    """
    if energy_mwh <= 0.0:
        raise ValueError("a battery without energy does not fade")
    level = np.asarray(stored_mwh, dtype=np.float64) / energy_mwh
    if level.min() < -1e-6 or level.max() > 1.0 + 1e-6:
        raise ValueError(f"levels lie outside the battery: {level.min():.3f} to {level.max():.3f} of it")
    years = len(level) * step_h / HOURS_PER_YEAR
    cycles = rainflow(level)
    moved = np.abs(np.diff(level))
    rate = float(moved @ moved / max(moved.sum(), 1e-12) / step_h)
    depth = (DEPTH_CUBE * (cycles.depth - 0.6) ** 3 + DEPTH_LEVEL) * cycles.depth @ cycles.count
    fade = (RATE_SLOPE * rate + RATE_LEVEL) * depth / max(cycles.full, 1e-12) / 100.0
    kelvin = np.asarray(cell_c, float) + 273.15
    heat = np.exp(-ACTIVATION_J_MOL / GAS_J_MOL_K * (1.0 / kelvin - 1.0 / REFERENCE_K))
    calendar = CALENDAR_RATE * float(np.mean(heat * (CHARGE_CUBE * (level - 0.5) ** 3 + CHARGE_LEVEL)))
    return Usage(
        full_cycles_year=cycles.full / years,
        cycle_rate=float(fade) if cycles.full else 0.0,
        calendar_rate=calendar * (HOURS_PER_YEAR * SECONDS_PER_HOUR) ** 0.5,
    )


@dataclass(frozen=True, eq=False)
class Augmentation:
    """Modules added so that a battery keeps its energy. `added` [year] in shares of the first energy.

    `left` [year] is the usable share at each year's end; `yearly_share` of the first energy's capital, paid
    each year, is worth as much as what is added.
    """

    added: Floats
    left: Floats
    yearly_share: float


def augmentation(
    year: Usage,
    life_years: int,
    every_years: int = 3,
    discount_rate: float = 0.08,
    price_fall_year: float = PRICE_FALL_YEAR,
) -> Augmentation:
    """Modules to add every few years so that usable energy never falls below the first, and their cost.

    At the start of each interval as much is added as its end will lack; each lot fades by its own age under
    the same usage, and costs (1 - fall)^years of today's price. The first interval's lot is bought with the
    battery: it is what one calls overbuilding. Raises ValueError on an interval or life of no length.
    """
    if every_years < 1 or life_years < 1:
        raise ValueError("augmentation needs a life and an interval of at least a year")
    added, left = np.zeros(life_years), np.zeros(life_years)
    lots: list[tuple[int, float]] = [(0, 1.0)]
    for start in range(0, life_years, every_years):
        end = min(start + every_years, life_years)
        lack = max(0.0, 1.0 - _usable(year, lots, end))
        added[start] = lack / float(year.capacity(end - start))
        lots.append((start, added[start]))
        left[start:end] = [_usable(year, lots, at) for at in range(start + 1, end + 1)]
    when = np.arange(life_years)
    worth = added * ((1.0 - price_fall_year) / (1.0 + discount_rate)) ** when
    return Augmentation(added, left, float(worth.sum()) * annuity_share(discount_rate, life_years))


def _usable(year: Usage, lots: list[tuple[int, float]], at: int) -> float:
    """Energy that all lots together can hold at the end of a year, in shares of the first."""
    return sum(size * float(year.capacity(at - start)) for start, size in lots)


def wear_usd_mwh(year: Usage, energy_capex_usd_kwh: float, life_years: float) -> float:
    """What a MWh discharged wears off: capacity that cycling takes over the life, over what is discharged.

    Calendar ageing is left out, because it comes anyway. Dispatch that pays it leaves small gains alone.

    >>> round(wear_usd_mwh(Usage(365.0, 1.2e-3, 0.04), 134.0, 15.0), 2)
    2.17
    """
    discharged = year.full_cycles_year * life_years
    if discharged == 0.0:
        return 0.0
    return float(year.cycle_loss(life_years)) * energy_capex_usd_kwh * KW_PER_MW / discharged
