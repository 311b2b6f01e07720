"""The two small linear problems of sizing by cuts: the least that all planes allow, the best mixture found.

A unit is one period of one site, with capacities x = (sources..., charging, discharging, energy), its tonnes
e and its grey energy g. `lowest` minimises capital + theta over all units where each known plane says

    theta_u >= constant + slope @ x_u - carbon e_u - grey g_u,

a lower bound. `mixed` takes convex mixtures of the capacities and dispatches found so far: since cost and
rules are convex, each mixture is a plan that can be built, an upper bound. Both keep the same rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gigawright import linear
from gigawright.arrays import Floats, Ints
from gigawright.errors import SolverError
from gigawright.facility.dispatch.case import EnergyCase, SiteCase
from gigawright.linear import Assembled, Infeasible, Live, Model, Solution

COST_UNITS, ENERGY_UNITS = 1e6, 1e3
DEEP_UNITS = 1e3 * COST_UNITS
TYPICAL_USD_MWH = 50.0
"""Money and energy are counted so that a plan costs about so many units and uses so many; no energy earns the
thousandfold of what all costs."""
TOLERANCE = 1e-10
CLOSE_GAP = 1e-5
"""How closely the solver keeps rows and prices once the gap is below: digits of the optimum rest on it."""
CEILING_USD = 200_000.0
"""assumption: price of a tonne, or of a grey MWh, beyond what a shared limit allows; a plan that pays it is
not feasible."""


@dataclass(frozen=True, eq=False)
class Unit:
    """One period of one site: capital cost [USD], least and most of each capacity."""

    site: int
    period: int
    year: int
    capital_usd: Floats
    least: Floats
    most: Floats


@dataclass(frozen=True, eq=False)
class Cut:
    """A plane below what a unit's energy costs, at the shared prices it was found at."""

    unit: int
    constant: float
    slope: Floats
    carbon: float
    grey: float


@dataclass(frozen=True, eq=False)
class Point:
    """A unit's capacities, and a dispatch at them and at shared prices: cost [USD], tonnes, grey energy."""

    unit: int
    x: Floats
    cost_usd: float
    emission_t: float
    grey_mwh: float
    carbon: float
    grey: float


@dataclass(frozen=True, eq=False)
class Proposal:
    """Capacities [unit, capacity], prices of shared rows (`grey` [unit]), and the total cost there [USD].

    `beyond`: tonnes and MWh by which limits are not kept; `shares` of the points, of a mixture.
    """

    x: Floats
    carbon: float
    grey: Floats
    total_usd: float
    beyond: float
    shares: Floats


def _closely(problem: Assembled) -> Solution | None:
    """The answer with rows and prices kept to `TOLERANCE`; None where the solver does not get that close."""
    try:
        return Live(problem, tolerance=TOLERANCE).solve()
    except (SolverError, Infeasible):
        return None


class Programme:
    """What all units share: capacities that are kept, ties of stores, the carbon cap, clean shares."""

    def __init__(self, case: EnergyCase) -> None:
        self.case = case
        self.units = tuple(
            unit_of(site, s, p) for s, site in enumerate(case.sites) for p in range(site.time.shape[0])
        )
        self.width = max(len(unit.least) for unit in self.units)
        self.closely = False
        self.capped = bool(np.isfinite(case.carbon_cap_t))
        loads = [(site.time.weight_h * site.load_mw).sum() for site in case.sites if site.load_mw is not None]
        self.scale = max(float(sum(loads)), 1.0)
        self.money = COST_UNITS / (TYPICAL_USD_MWH * self.scale)
        self.energy = ENERGY_UNITS / self.scale
        self.rate = self.money / self.energy

    def lowest(self, cuts: Sequence[Cut], reach: Floats) -> Proposal:
        """The least cost that all cuts allow; capacities stay within `reach` [unit, capacity]."""
        model, x, tonnes, grey = self._rules(reach, capital=True)
        theta = model.add_columns("theta", {"unit": self._labels}, lower=-DEEP_UNITS, cost=1.0)
        at = np.array([cut.unit for cut in cuts])
        rows = model.add_rows(
            "cut", {"cut": range_of(len(cuts))}, lower=np.array([cut.constant for cut in cuts]) * self.money
        )
        model.add_terms(rows, theta[at], 1.0)
        slope = np.zeros((len(cuts), self.width))
        for row, cut in zip(slope, cuts, strict=True):
            row[: len(cut.slope)] = cut.slope
        model.add_terms(rows[:, None], x[at], -slope * self.money)
        model.add_terms(rows, tonnes[at], np.array([cut.carbon for cut in cuts]) * self.rate)
        model.add_terms(rows, grey[at], np.array([cut.grey for cut in cuts]) * self.rate)
        return self._read(model)

    def mixed(self, points: Sequence[Point]) -> Proposal:
        """The cheapest mixture of points that keeps all rules."""
        model, x, tonnes, grey = self._rules(None, capital=False)
        at = np.array([point.unit for point in points])
        cost = np.array([self.whole_cost_usd(point) for point in points])
        share = model.add_columns(
            "share",
            {"point": range_of(len(points))},
            cost=cost * self.money,
        )
        one = model.add_rows("one", {"unit": self._labels}, 1.0, 1.0)
        model.add_terms(one[at], share, 1.0)
        sizes = np.zeros((len(points), self.width))
        for row, point in zip(sizes, points, strict=True):
            row[: len(point.x)] = point.x
        each = {"unit": self._labels, "capacity": range_of(self.width)}
        rows = model.add_rows("mixed", each, 0.0, 0.0)
        model.add_terms(rows, x, -1.0)
        model.add_terms(rows[at], share[:, None], sizes)
        for name, column, used in (
            ("tonnes_used", tonnes, [point.emission_t for point in points]),
            ("grey_used", grey, [point.grey_mwh for point in points]),
        ):
            rows = model.add_rows(name, {"unit": self._labels}, upper=0.0)
            model.add_terms(rows, column, -1.0)
            model.add_terms(rows[at], share, np.array(used) * self.energy)
        return self._exactly(self._read(model), at, cost)

    def _exactly(self, found: Proposal, at: Ints, cost: Floats) -> Proposal:
        """The same with shares that add up to one to the last digit, and the cost that goes with them."""
        whole = np.maximum(found.shares, 0.0)
        whole = whole / np.bincount(at, whole)[at]
        return replace(found, shares=whole, total_usd=found.total_usd + float(cost @ (whole - found.shares)))

    def whole_cost_usd(self, point: Point) -> float:
        """Capital and energy of a point."""
        return float(self.units[point.unit].capital_usd @ point.x) + point.cost_usd

    @property
    def _labels(self) -> tuple[str, ...]:
        return range_of(len(self.units))

    def _rules(self, reach: Floats | None, capital: bool) -> tuple[Model, Ints, Ints, Ints]:
        """A model with capacities [MW], tonnes and grey energy of all units, and the rules on them."""
        count = len(self.units)
        model = Model("planes")
        least, most, cost = np.zeros((3, count, self.width))
        for u, unit in enumerate(self.units):
            size = len(unit.least)
            least[u, :size], most[u, :size], cost[u, :size] = unit.least, unit.most, unit.capital_usd
        most = most if reach is None else np.minimum(most, reach)
        each = {"unit": self._labels, "capacity": range_of(self.width)}
        x = model.add_columns("x", each, lower=least, upper=most, cost=cost * self.money * capital)
        tonnes = model.add_columns("tonnes", {"unit": self._labels})
        grey = model.add_columns("grey", {"unit": self._labels})
        for s, site in enumerate(self.case.sites):
            mine = np.array([u for u, unit in enumerate(self.units) if unit.site == s])
            capacities_are_kept(model, s, site, x[mine])
            store_sizes_are_tied(model, s, site, x[mine])
            clean_share_is_kept(model, s, site, x[mine], grey[mine], self)
        if self.capped:
            row = model.add_rows("carbon", {}, upper=self.case.carbon_cap_t * self.energy)
            model.add_terms(row, tonnes, 1.0)
            model.add_terms(row, model.add_columns("beyond", {}, cost=CEILING_USD * self.rate), -1.0)
        return model, x, tonnes, grey

    def _solve(self, problem: Assembled) -> Solution:
        """Closely near the end; where that fails, and before, as by default."""
        close = _closely(problem) if self.closely else None
        return close if close is not None else linear.solve(problem, method="simplex")

    def _read(self, model: Model) -> Proposal:
        found = self._solve(model.assemble())
        carbon = max(-float(found.dual("carbon")), 0.0) / self.rate if self.capped else 0.0
        grey = np.zeros(len(self.units))
        for u, unit in enumerate(self.units):
            name = f"clean:{unit.site}"
            if name in model.rows and self.case.sites[unit.site].matching == "hourly":
                first = int(self.case.sites[unit.site].time.year.min())
                grey[u] = max(-float(found.dual(name)[unit.year - first]), 0.0) / self.rate
        return Proposal(
            x=found.of("x"),
            carbon=carbon,
            grey=grey,
            total_usd=found.objective / self.money,
            beyond=sum(float(found.of(n).sum()) for n in model.columns if n.startswith("beyond"))
            / self.energy,
            shares=found.of("share") if "share" in model.columns else np.zeros(0),
        )


def range_of(count: int) -> tuple[str, ...]:
    """Labels 0 to count - 1."""
    return tuple(map(str, range(count)))


def unit_of(site: SiteCase, s: int, period: int) -> Unit:
    """Capital costs and limits of a site's capacities in a period."""
    discount = float(site.time.discount[period])
    cost = [float(source.capacity_usd_mw[period]) for source in site.sources]
    least = [float(source.least_mw[period]) for source in site.sources]
    most = [float(source.most_mw[period]) for source in site.sources]
    for store in site.stores:
        offered = float(store.most_mw[period])
        cost += [
            float(v[period]) for v in (store.charge_usd_mw, store.discharge_usd_mw, store.energy_usd_mwh)
        ]
        least += [0.0, float(store.least_mw[period]), 0.0]
        energy = float(store.most_mwh[period]) if store.hours is None else np.inf
        most += [offered, offered, 0.0 if offered == 0.0 else energy]
    capital = np.array(cost) * discount
    return Unit(s, period, int(site.time.year[period]), capital, np.array(least), np.array(most))


def capacities_are_kept(model: Model, s: int, site: SiteCase, x: Ints) -> None:
    """Capacities that are kept never fall from period to period."""
    kept = [i for i, source in enumerate(site.sources) if source.kept]
    if any(store.kept for store in site.stores):
        kept += list(range(len(site.sources), len(site.sources) + 3))
    if len(x) > 1 and kept:
        each = {"period": range_of(len(x) - 1), "capacity": range_of(len(kept))}
        rows = model.add_rows(f"kept:{s}", each, lower=0.0)
        model.add_terms(rows, x[1:, kept], 1.0)
        model.add_terms(rows, x[:-1, kept], -1.0)


def store_sizes_are_tied(model: Model, s: int, site: SiteCase, x: Ints) -> None:
    """Charging is discharging power where they are one; energy is its hours where they are fixed."""
    at = len(site.sources)
    for store in site.stores:
        for name, tied, own, factor in (
            ("power", store.one_power, at, 1.0),
            ("hours", store.hours is not None, at + 2, store.hours or 0.0),
        ):
            if tied:
                rows = model.add_rows(f"{name}:{s}", {"period": range_of(len(x))}, 0.0, 0.0)
                model.add_terms(rows, x[:, own], 1.0)
                model.add_terms(rows, x[:, at + 1], -factor)


def tied(site: SiteCase, x: Floats) -> Floats:
    """Capacities of a unit with charging power and energy set by discharging power where they are tied to it.

    Changes `x` in place and returns it.
    """
    at = len(site.sources)
    for store in site.stores:
        if store.one_power:
            x[at] = x[at + 1]
        if store.hours is not None:
            x[at + 2] = store.hours * x[at + 1]
    return x


def clean_share_is_kept(
    model: Model, s: int, site: SiteCase, x: Ints, grey: Ints, programme: Programme
) -> None:
    """Grey energy less certificates within its share of each year's load; or clean energy that could be."""
    if site.clean_share <= 0.0:
        return
    limit = clean_limit(site)
    years = {"year": range_of(len(limit.most))}
    rows = model.add_rows(f"clean:{s}", years, upper=limit.most * programme.energy)
    position = site.time.year - site.time.year.min()
    model.add_terms(rows[position], grey, limit.of_grey)
    model.add_terms(rows[position][:, None], x[:, : len(site.sources)], -limit.could * programme.energy)
    price = certificate_price(site)
    if price is not None:
        model.add_terms(
            rows, model.add_columns(f"certificates:{s}", years, cost=price * programme.rate), -1.0
        )
    model.add_terms(rows, model.add_columns(f"beyond:{s}", years, cost=CEILING_USD * programme.rate), -1.0)


@dataclass(frozen=True, eq=False)
class CleanLimit:
    """of_grey x grey energy - could @ capacities <= most [year] MWh, beside certificates.

    Hour by hour grey energy counts (1), over the year what clean sources `could` give [period, source] for
    each MW.
    """

    most: Floats
    of_grey: float
    could: Floats

    def missing(self, site: SiteCase, x: Floats, grey: Floats) -> Floats:
        """Certificates that capacities [period, capacity] and grey energy [period] ask for [year] MWh."""
        had = self.of_grey * grey - (self.could * x[:, : len(site.sources)]).sum(axis=1)
        return np.asarray(
            np.maximum(np.bincount(site.time.year - site.time.year.min(), had) - self.most, 0.0)
        )


def clean_limit(site: SiteCase) -> CleanLimit:
    """A site's clean share as a limit on energy, by year."""
    time, hourly = site.time, site.matching == "hourly"
    load = np.zeros(time.shape) if site.load_mw is None else site.load_mw
    used = np.bincount(time.year - time.year.min(), (time.weight_h * load).sum(axis=1))
    could = np.zeros((time.shape[0], len(site.sources)))
    for i, source in enumerate(site.sources):
        if source.clean and not hourly:
            could[:, i] = (time.weight_h * source.available).sum(axis=1)
    share = 1.0 - site.clean_share if hourly else -site.clean_share
    return CleanLimit(np.asarray(share * used), float(hourly), could)


def certificate_price(site: SiteCase) -> Floats | None:
    """A certificate's price [year] USD/MWh, by the year's mean discount as in the energy block; None: not
    for sale.
    """
    if site.certificate_usd_mwh is None:
        return None
    position = site.time.year - site.time.year.min()
    return np.asarray(
        site.certificate_usd_mwh * np.bincount(position, site.time.discount) / np.bincount(position)
    )
