"""The planning model a second time: dictionaries, loops and one sentence a rule, solved by SciPy.

Slow and meant to be read. It shares no code with the builder: what stands is added up from orders instead of
carried from quarter to quarter, and every variable is a name in a dictionary.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gigawright.facility.dispatch.quarters import EnergyPrices, SiteSteps
from gigawright.plan.problem import DESIGNS, PROFILES, Problem

Name = tuple[Any, ...]
Sum = dict[Name, float]
HOURS_PER_REFERENCE_QUARTER = 2190.0


def total(*parts: tuple[float, Sum]) -> Sum:
    """Factor x sum, added up."""
    added: Sum = defaultdict(float)
    for factor, terms in parts:
        for name, coefficient in terms.items():
            added[name] += factor * coefficient
    return dict(added)


@dataclass
class Book:
    """Variables with bounds and cost, and rows `low <= sum <= high`."""

    bounds: dict[Name, tuple[float, float]] = field(default_factory=dict)
    whole: set[Name] = field(default_factory=set)
    cost: dict[Name, float] = field(default_factory=lambda: defaultdict(float))
    rows: list[tuple[Sum, float, float]] = field(default_factory=list)

    def variable(self, *name: Any, high: float = math.inf, cost: float = 0.0, whole: bool = False) -> Sum:
        self.bounds[name] = (0.0, high)
        self.cost[name] += cost
        if whole:
            self.whole.add(name)
        return {name: 1.0}

    def at_most(self, terms: Sum, high: float) -> None:
        self.rows.append((terms, -math.inf, high))

    def at_least(self, terms: Sum, low: float) -> None:
        self.rows.append((terms, low, math.inf))

    def equal(self, terms: Sum, value: float) -> None:
        self.rows.append((terms, value, value))

    def solve(self, whole: bool = True) -> tuple[float, dict[Name, float]] | None:
        """The least cost and the values; None where no point keeps all rows."""
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array

        place = {name: i for i, name in enumerate(self.bounds)}
        entries = [(r, place[n], c) for r, (terms, _, _) in enumerate(self.rows) for n, c in terms.items()]
        row, column, value = (np.array(part) for part in zip(*entries, strict=True))
        matrix = csr_array((value, (row, column)), shape=(len(self.rows), len(place)))
        found = milp(
            np.array([self.cost[name] for name in place]),
            integrality=np.array([float(whole and name in self.whole) for name in place]),
            bounds=Bounds(*(np.array(side) for side in zip(*self.bounds.values(), strict=True))),
            constraints=LinearConstraint(
                matrix,
                np.array([low for _, low, _ in self.rows]),
                np.array([high for _, _, high in self.rows]),
            ),
            options={"mip_rel_gap": 1e-10},
        )
        if found.x is None:
            return None
        return float(found.fun), dict(zip(place, found.x.tolist(), strict=True))


def reference(problem: Problem) -> Book:
    """Every rule of the planning model, in the order of docs/plan.md."""
    book = Book()
    fleet = fleets(book, problem)
    halls, grid, payments, cost = buildings(book, problem)
    purchases(book, problem, payments, cost)
    for name, amount in cost.items():
        book.cost[name] += amount
    budgets(book, problem, payments, fleet)
    pools(book, problem, fleet)
    room(book, problem, fleet, halls)
    promises(book, problem)
    assign = work(book, problem, fleet)
    training(book, problem, assign)
    load = loads(book, problem, fleet, assign)
    staff(book, problem, fleet)
    for s, site in enumerate(problem.sets.sites):
        site_energy(book, problem, s, site, load, grid)
    return book


def fleets(book: Book, problem: Problem) -> dict[tuple[int, int, int], Sum]:
    """What stands is what stood at the start plus orders that have arrived and not yet ended, less
    retirements.
    """
    o, count = problem.offers, len(problem.sets.quarters)
    fleet = {}
    for s in range(len(problem.sets.sites)):
        for k in range(len(problem.sets.offers)):
            possible = o.may_order[s, k]
            for q in range(count):
                word = "lease" if o.leased[k] else "buy"
                book.variable(word, s, k, q, high=math.inf if possible[q] else 0.0)
                if not o.leased[k]:
                    book.variable("retire", s, k, q)
            for q in range(count):
                stands: Sum = {}
                for order in range(q + 1):
                    arrives = order + (1 if o.leased[k] else int(o.lead[k]))
                    ends = arrives + (int(o.lease_term[k]) if o.leased[k] else int(o.life_quarters[k]))
                    if arrives <= q < ends:
                        stands["lease" if o.leased[k] else "buy", s, k, order] = 1.0
                    if not o.leased[k]:
                        stands["retire", s, k, order] = -1.0
                fleet[s, k, q] = book.variable("fleet", s, k, q)
                book.equal(total((1.0, fleet[s, k, q]), (-1.0, stands)), float(o.existing[s, k, q]))
                if o.leased[k]:
                    book.cost["fleet", s, k, q] += float(o.lease_price[k, q] * problem.money.discount[q])
    return fleet


def buildings(
    book: Book, problem: Problem
) -> tuple[dict[Name, Sum], dict[Name, Sum], dict[int, Sum], dict[Name, float]]:
    """Halls and lines stand from their lead on; they are paid evenly while they are built."""
    b, money, count = problem.build, problem.money, len(problem.sets.quarters)
    halls: dict[Name, Sum] = {}
    grid: dict[Name, Sum] = {}
    payments: dict[int, Sum] = {q: {} for q in range(count)}
    cost: dict[Name, float] = {}

    def order(name: Name, q: int, lead: int, price: float, life: float, allowed: bool, most: int) -> None:
        in_time = allowed and q + lead < count
        book.variable(*name, high=most if in_time else 0, whole=True)
        steps = max(lead, 1)
        cost[name] = 0.0
        for paid in range(q, q + steps):
            if paid < count:
                payments[paid][name] = price / steps
                cost[name] += price / steps * money.discount[paid]
        age = count - (q + lead)
        cost[name] -= price * min(max(1.0 - age / life, 0.0), 1.0) * money.discount_end

    for s in range(len(problem.sets.sites)):
        hall_lead, grid_lead = int(b.hall_lead[s]), int(b.grid_lead[s])
        for q in range(count):
            for d in range(len(DESIGNS)):
                price = float(b.hall_cost[s, d]) * b.hall_module_mw
                may = bool(b.may_build[s, d])
                order(("hall", s, d, q), q, hall_lead, price, b.hall_life_quarters, may, 25)
            price = float(b.grid_cost[s]) * b.grid_stage_mw
            order(("line", s, q), q, grid_lead, price, b.grid_life_quarters, bool(b.may_build[s].any()), 20)
        for q in range(count):
            for d in range(len(DESIGNS)):
                halls[s, d, q] = {("hall", s, d, o): b.hall_module_mw for o in range(q - hall_lead + 1)}
            grid[s, q] = {("line", s, o): b.grid_stage_mw for o in range(q - grid_lead + 1)}
    return halls, grid, payments, cost


def purchases(book: Book, problem: Problem, payments: dict[int, Sum], cost: dict[Name, float]) -> None:
    """A purchase pays its prepayment at the order and the rest on delivery, and keeps a straight-line
    value.
    """
    o, money, count = problem.offers, problem.money, len(problem.sets.quarters)
    for s, k, q in zip(*np.nonzero(o.may_order & ~o.leased[None, :, None]), strict=True):
        name, price, lead = ("buy", int(s), int(k), int(q)), float(o.price[s, k, q]), int(o.lead[k])
        parts = [(int(q), float(o.prepay[k])), (int(q) + lead, 1.0 - float(o.prepay[k]))]
        cost[name] = 0.0
        for paid, share in parts:
            if paid < count:
                payments[paid][name] = payments[paid].get(name, 0.0) + share * price
                cost[name] += share * price * money.discount[paid]
        age = count - (q + lead)
        cost[name] -= price * min(max(1.0 - age / float(o.life_quarters[k]), 0.0), 1.0) * money.discount_end


def budgets(
    book: Book, problem: Problem, payments: dict[int, Sum], fleet: dict[tuple[int, int, int], Sum]
) -> None:
    """What is paid in a calendar year stays within its budget, leases within their own."""
    for y, year in enumerate(problem.sets.years):
        quarters = [q for q, quarter in enumerate(problem.sets.quarters) if quarter.year == year]
        book.at_most(total(*((1.0, payments[q]) for q in quarters)), float(problem.money.capital[y]))
        rent = [
            (float(problem.offers.lease_price[k, q]), fleet[s, k, q])
            for q in quarters
            for s in range(len(problem.sets.sites))
            for k in range(len(problem.sets.offers))
            if problem.offers.leased[k]
        ]
        book.at_most(total(*rent), float(problem.money.leasing[y]))


def pools(book: Book, problem: Problem, fleet: dict[tuple[int, int, int], Sum]) -> None:
    """Deliveries so far stay within what the pool has given so far; a lease pool limits what stands on
    lease.
    """
    for p in range(len(problem.sets.pools)):
        places = list(zip(*np.nonzero(problem.pools.covers[p]), strict=True))
        for q in range(len(problem.sets.quarters)):
            taken: Sum = {}
            for s, k in places:
                if problem.pools.stock[p]:
                    taken = total((1.0, taken), (1.0, fleet[s, k, q]))
                else:
                    for order in range(q - int(problem.offers.lead[k]) + 1):
                        taken["buy", int(s), int(k), order] = 1.0
            book.at_most(taken, float(problem.pools.cap[p, q]))


def room(
    book: Book, problem: Problem, fleet: dict[tuple[int, int, int], Sum], halls: dict[Name, Sum]
) -> None:
    """Owned systems stand in halls of their design, and a site holds no more halls than it can."""
    b, o = problem.build, problem.offers
    for s in range(len(problem.sets.sites)):
        for q in range(len(problem.sets.quarters)):
            for d in range(len(DESIGNS)):
                here = [
                    (float(o.kw_max[k]), fleet[s, k, q])
                    for k in range(len(problem.sets.offers))
                    if o.design[k] == d and not o.leased[k]
                ]
                book.at_most(total(*here, (-1.0, halls[s, d, q])), float(b.hall_existing[s, d]))
            stands = float(b.hall_existing[s].sum())
            limit = max(float(b.max_it_mw[s]), stands)
            book.at_most(total(*((1.0, halls[s, d, q]) for d in range(len(DESIGNS)))), limit - stands)


def promises(book: Book, problem: Problem) -> None:
    """Commitments are delivered by their quarter; domestic systems get their share of the money."""
    o = problem.offers
    bought = [
        (int(s), int(k), int(q))
        for s, k, q in np.ndindex(o.may_order.shape)
        if o.may_order[s, k, q] and not o.leased[k]
    ]
    for system, by, amount in problem.orders.committed:
        ours: Sum = {
            ("buy", s, k, q): 1.0 for s, k, q in bought if o.system[k] == system and q + o.lead[k] <= by
        }
        book.at_least(ours, amount)
    share = problem.orders.domestic_share_min
    if share is not None:
        spent: Sum = {
            ("buy", s, k, q): float(o.price[s, k, q]) * ((1.0 if o.domestic[k] else 0.0) - share)
            for s, k, q in bought
        }
        book.at_least(spent, 0.0)


def work(book: Book, problem: Problem, fleet: dict[tuple[int, int, int], Sum]) -> dict[Name, Sum]:
    """Work is done by what stands in a zone; demand is served from zones that reach it, or counted unmet."""
    sets, w, money = problem.sets, problem.work, problem.money
    assign: dict[Name, Sum] = {}
    for z in range(len(sets.zones)):
        for k in range(len(sets.offers)):
            for q in range(len(sets.quarters)):
                for f in range(len(sets.phases)):
                    programme = int(w.programme_of_phase[f])
                    is_open = programme < 0 or w.programme_open[programme, q]
                    if w.rate[k, f, q] > 0 and is_open:
                        assign[z, k, f, q] = book.variable("assign", z, k, f, q)
                busy = [(1.0, assign[z, k, f, q]) for f in range(len(sets.phases)) if (z, k, f, q) in assign]
                stands = [(-1.0, fleet[s, k, q]) for s in range(len(sets.sites)) if w.zone_of_site[s] == z]
                book.at_most(total(*busy, *stands), 0.0)
    flow: dict[Name, Sum] = {}
    for r, v, q in np.ndindex(w.demand.shape):
        served = []
        for z in range(len(sets.zones)):
            if w.reach[z, r, v]:
                flow[z, r, v, q] = book.variable("flow", z, r, v, q)
                served.append((1.0, flow[z, r, v, q]))
        lost = float(w.worth[v] * w.mean_share[r, v] * sets.quarters[q].hours * money.discount[q])
        unmet = book.variable("unmet", r, v, q, cost=lost)
        book.equal(total(*served, (1.0, unmet)), float(w.demand[r, v, q]))
    for z in range(len(sets.zones)):
        for f in range(len(sets.phases)):
            v = int(w.stream_of_phase[f])
            for q in range(len(sets.quarters)):
                if v < 0:
                    continue
                done = [
                    (float(w.rate[k, f, q]), assign[z, k, f, q])
                    for k in range(len(sets.offers))
                    if (z, k, f, q) in assign
                ]
                asked = [(-1.0, flow[z, r, v, q]) for r in range(len(sets.regions)) if (z, r, v, q) in flow]
                book.at_least(total(*done, *asked), 0.0)
    for v in range(len(sets.streams)):
        for q in range(len(sets.quarters)):
            if w.serve_at_least[v] > 0.0:
                served = [(1.0, terms) for (_, _, u, p), terms in flow.items() if (u, p) == (v, q)]
                book.at_least(total(*served), float(w.serve_at_least[v] * w.demand[:, v, q].sum()))
    return assign


def training(book: Book, problem: Problem, assign: dict[Name, Sum]) -> None:
    """A programme's work is done in its open quarters, or late at its worth discounted at its due quarter."""
    sets, w = problem.sets, problem.work
    for g in range(len(sets.programmes)):
        opened = np.flatnonzero(w.programme_open[g])
        due = int(opened[-1]) if len(opened) else 0
        late = book.variable("late", g, cost=float(w.programme_worth[g] * problem.money.discount[due]))
        done = [
            (float(w.rate[k, f, q]) * sets.quarters[q].hours / HOURS_PER_REFERENCE_QUARTER, terms)
            for (z, k, f, q), terms in assign.items()
            if w.programme_of_phase[f] == g
        ]
        book.at_least(total(*done, (1.0, late)), float(w.programme_work[g]))


def loads(
    book: Book, problem: Problem, fleet: dict[tuple[int, int, int], Sum], assign: dict[Name, Sum]
) -> dict[Name, Sum]:
    """A zone's sites carry the power of its work and of its idle machines, each within what stands there."""
    sets, o, w = problem.sets, problem.offers, problem.work
    own = [k for k in range(len(sets.offers)) if not o.leased[k]]
    load = {}
    for s, d, c, q in np.ndindex(len(sets.sites), len(DESIGNS), len(PROFILES), len(sets.quarters)):
        load[s, d, c, q] = book.variable("load", s, d, c, q, cost=water(problem, s, d, c, q))
    for d in range(len(DESIGNS)):
        here = [k for k in own if o.design[k] == d]
        for q in range(len(sets.quarters)):
            for s in range(len(sets.sites)):
                all_load = total(*((1.0, load[s, d, c, q]) for c in range(len(PROFILES))))
                most = total(*((float(o.kw_max[k]), fleet[s, k, q]) for k in here))
                least = total(*((float(o.kw_idle[k]), fleet[s, k, q]) for k in here))
                book.at_most(total((1.0, all_load), (-1.0, most)), 0.0)
                book.at_least(total((1.0, all_load), (-1.0, least)), 0.0)
            for z in range(len(sets.zones)):
                sites = [s for s in range(len(sets.sites)) if w.zone_of_site[s] == z]
                for c, profile in enumerate(PROFILES):
                    carried = [(1.0, load[s, d, c, q]) for s in sites]
                    drawn: list[tuple[float, Sum]] = []
                    for k in here:
                        phases = [f for f in range(len(sets.phases)) if (z, k, f, q) in assign]
                        if profile == "idle":
                            drawn += [(float(o.kw_idle[k]), fleet[s, k, q]) for s in sites]
                            drawn += [(-float(o.kw_idle[k]), assign[z, k, f, q]) for f in phases]
                        else:
                            drawn += [
                                (float(w.kw_work[k, f]), assign[z, k, f, q])
                                for f in phases
                                if w.profile_of_phase[f] == c
                            ]
                    book.at_least(total(*carried, *((-factor, terms) for factor, terms in drawn)), 0.0)
    return load


def water(problem: Problem, s: int, d: int, c: int, q: int) -> float:
    """Litres a kWh of IT are m3 a MWh: price times what evaporates in the quarter for one MW at the peak."""
    site = problem.sets.sites[s]
    days, prices = problem.days[site], problem.energy[site]
    cubic_metres = sum(
        float(days.weight_h[q, h] * days.wue_l_per_kwh[DESIGNS[d]][q, h] * days.shape[PROFILES[c]][q, h])
        for h in range(days.weight_h.shape[1])
    )
    return cubic_metres * prices.water_usd_m3 * 1e-6 * float(prices.discount[q])


def staff(book: Book, problem: Problem, fleet: dict[tuple[int, int, int], Sum]) -> None:
    """Own and bought-in staff cover the need of their market's sites and of the running programmes."""
    sets, p, o = problem.sets, problem.people, problem.offers
    for i in range(len(sets.roles)):
        stay = 1.0 - float(p.attrition[i])
        for q in range(len(sets.quarters)):
            pay = float(p.pay[i] * problem.money.discount[q])
            own = book.variable("staff", i, q, cost=pay)
            extra = book.variable("bought_in", i, q, cost=pay * p.late_pay)
            hired = book.variable("hire", i, q, high=float(p.hire_max[i]))
            before = {("staff", i, q - 1): stay} if q else {}
            initial = float(p.initial[i]) * stay if q == 0 else 0.0
            book.equal(total((1.0, own), (-1.0, hired), (-1.0, before)), initial)
            need = [
                (float(p.per_mw[i] * (0.0 if o.leased[k] else o.kw_max[k]) + p.per_kacc[i]), fleet[s, k, q])
                for s in range(len(sets.sites))
                for k in range(len(sets.offers))
                if p.market_of_site[s] == p.market_of_role[i]
            ]
            running = float(p.per_programme[i] * problem.work.programme_open[:, q].sum())
            book.at_least(total((1.0, own), (1.0, extra), *((-each, terms) for each, terms in need)), running)


def site_energy(
    book: Book, problem: Problem, s: int, site: str, load: dict[Name, Sum], grid: dict[Name, Sum]
) -> None:
    """Every typical step is powered from the grid, contracts and storage; the connection is never
    exceeded.
    """
    days, prices = problem.days[site], problem.energy[site]
    capacity = contracts(book, problem, site, prices)
    for q in range(len(problem.sets.quarters)):
        discount = float(prices.discount[q])
        peak = book.variable("peak", s, q, cost=discount * prices.demand_charge_usd_kw_month * 3 * 1e3 * 1e-6)
        book.at_most(total((1.0, peak), (-1.0, grid[s, q])), float(problem.build.grid_existing[s]))
        worst = [
            (float(problem.build.peak_pue[s, d]), load[s, d, c, q])
            for d in range(len(DESIGNS))
            for c in range(len(PROFILES))
        ]
        book.at_most(total(*worst, (-1.0, grid[s, q])), float(problem.build.grid_existing[s]))
        for h in range(days.weight_h.shape[1]):
            hour = (s, q, h)
            musd = float(days.weight_h[q, h]) * discount * 1e-6
            price = float(days.price_usd_mwh[q, h]) + prices.emission_t_mwh * prices.carbon_usd_t
            imported = book.variable("import", *hour, cost=musd * price)
            book.at_most(total((1.0, imported), (-1.0, peak)), 0.0)
            supply = [
                (1.0, imported),
                (float(days.solar_cf[q, h]), capacity["solar", q]),
                (float(days.wind_cf[q, h]), capacity["wind", q]),
            ]
            if has_battery(prices):
                supply += [(1.0, book.variable("discharge", *hour)), (-1.0, book.variable("charge", *hour))]
                book.variable("stored", *hour)
            need = [(-factor, terms) for factor, terms in drawn(days, s, q, h, load)]
            book.at_least(total(*supply, *need), 0.0)
        if has_battery(prices):
            storage(book, days, prices, s, q, capacity["battery", q])
    green(book, problem, s, site, load)


def has_battery(prices: EnergyPrices) -> bool:
    return "battery" in prices.technologies and prices.max_mw.get("battery", 0.0) > 0.0


def drawn(days: SiteSteps, s: int, q: int, h: int, load: dict[Name, Sum]) -> list[tuple[float, Sum]]:
    """Power at the meter for the load: PUE x shape."""
    return [
        (float(days.pue[design][q, h] * days.shape[profile][q, h]), load[s, d, c, q])
        for d, design in enumerate(DESIGNS)
        for c, profile in enumerate(PROFILES)
    ]


def contracts(book: Book, problem: Problem, site: str, prices: EnergyPrices) -> dict[Name, Sum]:
    """Capacity under contract costs its annuity and upkeep each quarter, and never shrinks."""
    capacity: dict[Name, Sum] = {}
    for kind in ("solar", "wind", "battery"):
        technology = prices.technologies.get(kind)
        for q in range(len(problem.sets.quarters)):
            most, each = 0.0, 0.0
            if technology is not None:
                rate = prices.discount_rate
                annuity = rate / (1.0 - (1.0 + rate) ** -technology.life_years)
                yearly = technology.capex_usd_kw * annuity + technology.om_usd_kw_year
                each = yearly / 4.0 * 1e3 / 1e6 * float(prices.discount[q])
                most = prices.max_mw.get(kind, 0.0) if q >= prices.contract_lead_quarters else 0.0
            capacity[kind, q] = book.variable(kind, site, q, high=most, cost=each)
            if q:
                book.at_least(total((1.0, capacity[kind, q]), (-1.0, capacity[kind, q - 1])), 0.0)
    return capacity


def storage(book: Book, days: SiteSteps, prices: EnergyPrices, s: int, q: int, power: Sum) -> None:
    """What goes in comes out less the losses, and each day ends as it began."""
    battery = prices.technologies["battery"]
    loss = math.sqrt(battery.efficiency)
    for cycle in sorted(set(days.cycle.tolist())):
        steps = [h for h in range(len(days.cycle)) if days.cycle[h] == cycle]
        for i, h in enumerate(steps):
            after = steps[(i + 1) % len(steps)]
            change = total(
                (1.0, {("stored", s, q, after): 1.0}),
                (-1.0, {("stored", s, q, h): 1.0}),
                (-loss * days.step_h, {("charge", s, q, h): 1.0}),
                (days.step_h / loss, {("discharge", s, q, h): 1.0}),
            )
            book.equal(change, 0.0)
            book.at_most(total((1.0, {("charge", s, q, h): 1.0}), (-1.0, power)), 0.0)
            book.at_most(total((1.0, {("discharge", s, q, h): 1.0}), (-1.0, power)), 0.0)
            book.at_most(total((1.0, {("stored", s, q, h): 1.0}), (-battery.hours, power)), 0.0)


def green(book: Book, problem: Problem, s: int, site: str, load: dict[Name, Sum]) -> None:
    """In each year, imports beyond the grey share of consumption are covered by certificates [GWh]."""
    days, prices = problem.days[site], problem.energy[site]
    for year in problem.sets.years:
        quarters = [q for q, quarter in enumerate(problem.sets.quarters) if quarter.year == year]
        mean = sum(float(prices.discount[q]) for q in quarters) / len(quarters)
        bought = book.variable("green", s, year, cost=prices.green_premium_usd_mwh * 1e3 * 1e-6 * mean)
        terms: list[tuple[float, Sum]] = [(-1.0, bought)]
        for q in quarters:
            for h in range(days.weight_h.shape[1]):
                gwh = float(days.weight_h[q, h]) * 1e-3
                terms.append((gwh, {("import", s, q, h): 1.0}))
                terms += [
                    (-gwh * (1.0 - prices.green_share_min) * factor, load_terms)
                    for factor, load_terms in drawn(days, s, q, h, load)
                ]
        book.at_most(total(*terms), 0.0)
