"""Least-cost dispatch of one site at fixed capacities, and what it proves: a plane below the cost everywhere.

`storage` finds the level and what a stored MWh is worth; from the level follow the flows and the bill, from
the worth the hourly price and, by weak duality, a lower bound that holds whatever the level was. With price
p_t of a MWh at the bus and worth m_t of one in the store, each step standing for w_t hours,

    cost(K, P, E) >= sum_t p_t load_t - sum_i K_i sum_t a_it max(p_t - c_it, 0)
                     - Pc sum_t max(ec m_t - p_t, 0) - Pd sum_t max(p_t - wear - m_t / ed, 0)
                     - E sum_t max(kept m_t - m_{t-1}, 0)

for all capacities: linear in them, so it is also a cut for sizing. Bill and bound share no code.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.facility.dispatch.case import SiteCase
from gigawright.facility.dispatch.entries import ENTRIES
from gigawright.facility.dispatch.hour import Offers, Store
from gigawright.facility.dispatch.storage import Pieces, room_for

UNSERVED_USD_MWH = 100_000.0
"""assumption: price of load that nothing covers, far above any source; a plan that pays it is no plan."""
CLOSE = 1e-11
"""Levels closer than this share of the store are one."""
ROUNDING = 2e-14
"""So is what is lost in adding up powers, as a share of them."""
BOOK_ENTRIES = 8
"""Entries of the books by step to begin with; four on average were measured."""


@dataclass(frozen=True, eq=False)
class Sizes:
    """Capacities: MW [source], and of the store MW charging, MW discharging, MWh."""

    source: Floats
    charge: float = 0.0
    discharge: float = 0.0
    energy: float = 0.0


@dataclass(frozen=True, eq=False)
class Plane:
    """cost >= constant + source @ MW + charge x MW + discharge x MW + energy x MWh, at some shared prices."""

    constant: float
    source: Floats
    charge: float
    discharge: float
    energy: float

    def at(self, sizes: Sizes) -> float:
        """The lower bound at some capacities [USD]."""
        own = self.charge * sizes.charge + self.discharge * sizes.discharge + self.energy * sizes.energy
        return self.constant + float(self.source @ sizes.source) + own


@dataclass(frozen=True, eq=False)
class Dispatch:
    """How a site runs in a period. Flows [step] MW, `power` [step, source], `given` [step, tier], level MWh;
    `unserved` is load that nothing covers.

    `cost_usd` without the shared prices, `priced_usd` with them; `price_usd_mwh` and `worth_usd_mwh` [step]
    of a MWh at the bus and in the store; `plane` bounds `priced_usd` from below at any capacities.
    """

    sizes: Sizes
    power: Floats
    given: Floats
    charge: Floats
    discharge: Floats
    level: Floats
    cost_usd: float
    emission_t: float
    grey_mwh: float
    unserved: Floats
    priced_usd: float
    price_usd_mwh: Floats
    worth_usd_mwh: Floats
    plane: Plane

    @property
    def gap(self) -> float:
        """Distance of the cost to its lower bound, over the cost."""
        return (self.priced_usd - self.plane.at(self.sizes)) / max(abs(self.priced_usd), 1.0)


class SitePeriod:
    """One period of a site, ready to be dispatched many times; not to be used by two threads at once.

    >>> import numpy as np
    >>> from gigawright.facility.dispatch.case import SiteCase, Source, Store, one_year
    >>> one, hours = np.ones(1), np.ones((1, 4))
    >>> price = np.array([[10.0, 10.0, 90.0, 90.0]])
    >>> grid = Source("grid", "grid", hours, price, 0.5 * hours, one, 0.0 * one, 9.0 * one)
    >>> battery = Store("b", "battery", 0.9, 1.0, one, one, one, 9.0 * one, 9.0 * one, 0.0 * one)
    >>> site = SitePeriod(SiteCase("s", one_year(4), (grid,), (battery,), load_mw=2.0 * hours), 0)
    >>> done = site.dispatch(np.array([5.0]), 3.0, 3.0, 3.0)
    >>> round(done.cost_usd, 6), done.gap < 1e-12  # 3 MWh of the 4 at 90 are bought for 10 / 0.9
    (163.333333, True)
    """

    def __init__(self, case: SiteCase, period: int, unserved_usd_mwh: float = UNSERVED_USD_MWH) -> None:
        self.steps = steps_of(case, period, unserved_usd_mwh)
        self.sources = len(case.sources)
        self.has_store = bool(case.stores)
        count, columns = self.steps.give.shape
        ranked = np.tile(np.arange(columns), (count, 1))
        self._offers = Offers(np.zeros((count, columns)), np.zeros((count, columns)), ranked)
        most = 2 * columns + 3
        self._slope, self._width = np.zeros((count, most)), np.zeros((count, most))
        self._number, self._highest = np.zeros(count, np.int64), np.zeros(count)
        self._room = room_for(count, 2 * BOOK_ENTRIES * count + 1000)
        self._guess = float(np.median(self.steps.cost[:, : self.sources]))

    def dispatch(
        self,
        source_mw: Floats,
        charge_mw: float = 0.0,
        discharge_mw: float = 0.0,
        energy_mwh: float = 0.0,
        carbon_usd_t: float = 0.0,
        grey_usd_mwh: float = 0.0,
    ) -> Dispatch:
        """The cheapest dispatch at these capacities and prices of shared rows."""
        sizes = Sizes(source_mw, float(charge_mw), float(discharge_mw), float(energy_mwh))
        steps, step_h, own = self.steps, self.steps.step_h, self.sources
        cost = steps.cost + carbon_usd_t * steps.carbon + grey_usd_mwh * steps.grey
        give = steps.give * np.r_[source_mw, np.ones(steps.give.shape[1] - own)]
        store = Store(sizes.charge * step_h, sizes.discharge * step_h, steps.charging, steps.giving)
        level, worth = self._levels(sizes, store, cost, give)
        power, charge, discharge = self._flows(level, store)
        price, plane = self._plane(worth, store, cost)
        usd = float((steps.cost * power).sum() + steps.wear @ discharge)
        tonnes, grey = float((steps.carbon * power).sum()), float((steps.grey * power).sum())
        hours = np.where(steps.ratio > 0.0, steps.ratio, 1.0)
        return Dispatch(
            sizes=sizes,
            power=power[:, :own] / step_h,
            given=power[:, own:-1] / step_h,
            charge=charge / step_h,
            discharge=discharge / step_h,
            level=level,
            cost_usd=usd,
            emission_t=tonnes,
            grey_mwh=grey,
            unserved=power[:, -1] / step_h,
            priced_usd=usd + carbon_usd_t * tonnes + grey_usd_mwh * grey,
            price_usd_mwh=price / hours,
            worth_usd_mwh=worth / hours,
            plane=plane,
        )

    def dispatch_at(self, x: Floats, carbon_usd_t: float = 0.0, grey_usd_mwh: float = 0.0) -> Dispatch:
        """The same with capacities in one row: sources, then those of the store where there is one."""
        charge, discharge, energy = x[self.sources :] if self.has_store else (0.0, 0.0, 0.0)
        return self.dispatch(x[: self.sources], charge, discharge, energy, carbon_usd_t, grey_usd_mwh)

    def _levels(self, sizes: Sizes, store: Store, cost: Floats, give: Floats) -> tuple[Floats, Floats]:
        """Level at the start of each step and worth at its end; the books get more room where needed."""
        steps = self.steps
        close = CLOSE * sizes.energy + ROUNDING * (store.pc + store.pd)
        pieces = Pieces(
            self._slope, self._width, self._number, self._highest, float(steps.kept), sizes.energy, close
        )
        ENTRIES.offered(steps.load, steps.wear, cost, give, store, self._offers, pieces)
        level, worth = np.zeros(len(steps.load)), np.full(len(steps.load), self._guess)
        while self.has_store and not ENTRIES.best_levels(
            steps.first, pieces, self._room, self._guess, level, worth
        ):
            self._room = room_for(len(level), 2 * len(self._room.value))
        return level, worth

    def _flows(self, level: Floats, store: Store) -> tuple[Floats, Floats, Floats]:
        """Power by source, charge and discharge [MWh a step] of a path of levels."""
        steps = self.steps
        change = level[steps.following] - steps.kept * level
        power, charge, discharge = np.zeros(steps.give.shape), np.zeros(len(level)), np.zeros(len(level))
        ENTRIES.flows(
            change, steps.load, steps.wear, self._offers, store,
            np.zeros(steps.give.shape[1]), power, charge, discharge,
        )  # fmt: skip
        return power, charge, discharge

    def _plane(self, worth: Floats, store: Store, cost: Floats) -> tuple[Floats, Plane]:
        """The hourly price that goes with what is stored being worth so much, and the plane both prove."""
        steps, own = self.steps, self.sources
        price = np.zeros(len(worth))
        into, out_of = steps.charging * worth, steps.wear + worth / steps.giving
        ENTRIES.cleared(steps.load, self._offers, store, into, out_of, price)
        rent = (steps.give * np.maximum(price[:, None] - cost, 0.0)).sum(axis=0)
        before = np.zeros(len(worth))
        before[steps.following] = worth
        plane = Plane(
            constant=float(price @ steps.load - rent[own:].sum()),
            source=-rent[:own],
            charge=-steps.step_h * float(np.maximum(into - price, 0.0).sum()),
            discharge=-steps.step_h * float(np.maximum(price - out_of, 0.0).sum()),
            energy=-float(np.maximum(steps.kept * worth - before, 0.0).sum()),
        )
        return price, plane


def dispatch_all(
    periods: Sequence[SitePeriod], x: Sequence[Floats], processes: int = 1, carbon_usd_t: float = 0.0
) -> list[Dispatch]:
    """Many years or scenarios at fixed capacities, side by side: `x` as in `dispatch_at`, one for each.

    Compiled code holds no lock, so `processes` threads are as many cores.
    """
    with ThreadPoolExecutor(max(processes, 1)) as pool:
        jobs = zip(periods, x, strict=True)
        return list(pool.map(lambda job: job[0].dispatch_at(job[1], carbon_usd_t), jobs))


@dataclass(frozen=True, eq=False)
class Steps:
    """A period's steps: sources as columns, then tiers that give way, then load that nothing covers.

    `load` MWh and `give` MWh for each MW [step, column]; `cost` USD, `carbon` t and `grey` (1 unless clean)
    for each MWh of a step, times the `ratio` of hours that it stands for; `wear` USD. `first` [cycle + 1]:
    where each cycle starts; `following`: the step after each. `charging`, `giving`: efficiencies; `kept`:
    share of the level that a step leaves.
    """

    load: Floats
    give: Floats
    cost: Floats
    carbon: Floats
    grey: Floats
    wear: Floats
    ratio: Floats
    first: Ints
    following: Ints
    step_h: float
    charging: float
    giving: float
    kept: float


def steps_of(case: SiteCase, period: int, unserved_usd_mwh: float = UNSERVED_USD_MWH) -> Steps:
    """A period's steps as the compiled code takes them."""
    time = case.time
    ratio = time.weight_h[period] / time.step_h
    paid = ratio * time.discount[period]
    load = np.zeros(len(ratio)) if case.load_mw is None else np.asarray(case.load_mw[period], float)
    give = [source.available[period] for source in case.sources]
    cost = [source.energy_usd_mwh[period] * paid for source in case.sources]
    carbon = [source.emission_t_mwh[period] * ratio for source in case.sources]
    grey = [ratio * (not source.clean) for source in case.sources]
    give += gives_way(case, period, load)
    cost += [tier.usd_mwh * paid for tier in case.giving]
    give.append(load)
    # Dear in every step alike, so that no step is left uncovered to charge for another.
    cost.append(np.full(len(ratio), unserved_usd_mwh * ratio.max()))
    none = [np.zeros(len(ratio))] * (len(give) - len(carbon))
    store = case.stores[0] if case.stores else None
    return Steps(
        load=load * time.step_h,
        give=np.stack(give, axis=1) * time.step_h,
        cost=np.stack(cost, axis=1),
        carbon=np.stack(carbon + none, axis=1),
        grey=np.stack(grey + none, axis=1),
        wear=paid * (store.wear_usd_mwh if store else 0.0),
        ratio=ratio,
        first=_first(time.cycle),
        following=time.following,
        step_h=float(time.step_h),
        charging=float(store.charge_efficiency) if store else 1.0,
        giving=float(store.discharge_efficiency) if store else 1.0,
        kept=(1.0 - float(store.loss_h)) ** float(time.step_h) if store else 1.0,
    )


def gives_way(case: SiteCase, period: int, load: Floats) -> list[Floats]:
    """What each tier may give up [step]: all together no more than the load, the cheapest first."""
    left, most = load.copy(), {}
    for i in sorted(range(len(case.giving)), key=lambda i: case.giving[i].usd_mwh):
        most[i] = np.minimum(case.giving[i].most_mw[period], left)
        left = left - most[i]
    return [most[i] for i in range(len(case.giving))]


def _first(cycle: Ints) -> Ints:
    """Where each cycle starts, and the end."""
    return np.asarray(np.r_[0, np.flatnonzero(np.diff(cycle)) + 1, len(cycle)], np.int64)
