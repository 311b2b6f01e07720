"""A site's energy with its load given: contracts sized on every hour of the horizon, with a bound.

Given load and connection, what a quarter costs is a convex function of its solar, wind and battery [MW]. Each
quarter is one linear problem over its 2,160 to 2,208 hours; its solution gives the cost and, by the duals,
how it changes with each capacity: a cut that lies below the true cost everywhere. A small linear problem
over all cuts proposes capacities and bounds the cost from below; the quarters answer with the true cost.
They meet within a few rounds, since each quarter restarts from its last basis. [Kelley 1960; multi-cut as in
Birge and Louveaux 1988]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gigawright import linear
from gigawright.arrays import Floats, Ints
from gigawright.facility.dispatch.block import add_site
from gigawright.facility.dispatch.quarters import (
    KINDS,
    MONTHS,
    MUSD,
    EnergyPrices,
    SiteSteps,
    green_cost_musd_gwh,
    quarterly_cost_musd_mw,
    site_case,
)
from gigawright.linear import Live, Model, Solution

FLOWS = ("import", "charge", "discharge", "stored", "shed")
ENERGY_GAP = 0.0045
MOST_ROUNDS = 40
STEP = 0.3
NO_LOAD_MW = 1e-6
NO_CERTIFICATES_GWH = 1e-6
Load = Mapping[tuple[str, str], Floats]


@dataclass(frozen=True)
class SiteLife:
    """How a site is powered, hour by hour.

    `capacity` [quarter] MW contracted by kind, `flows` by quarter, each (hours of the quarter,) [MW; stored
    MWh], `peak_mw` and `contract_cost_musd` [quarter], `green_gwh` [year]; cost and its lower bound in M USD
    discounted.
    """

    site: str
    hours: Sequence[SiteSteps]
    need: Sequence[Floats]
    capacity: Mapping[str, Floats]
    flows: Mapping[str, Sequence[Floats]]
    peak_mw: Floats
    green_gwh: Floats
    contract_cost_musd: Floats
    cost_musd: float
    bound_musd: float

    @property
    def solar(self) -> list[Floats]:
        """Solar power in each hour of each quarter [MW]."""
        return [h.solar_cf[0] * self.capacity["solar"][q] for q, h in enumerate(self.hours)]

    @property
    def wind(self) -> list[Floats]:
        """Wind power in each hour of each quarter [MW]."""
        return [h.wind_cf[0] * self.capacity["wind"][q] for q, h in enumerate(self.hours)]

    @property
    def shed_gwh(self) -> float:
        """Load that no source could cover, over the horizon."""
        return float(sum(shed.sum() for shed in self.flows["shed"])) * 1e-3


@dataclass(frozen=True)
class Cut:
    """A quarter's true cost at some capacities and its slope there: a plane below the cost everywhere."""

    quarter: int
    cost: float
    slope: Floats
    at: Floats


class QuarterDispatch:
    """One quarter's hours, solved again and again at other capacities.

    `premium` USD/MWh, discounted, is paid on every import (certified green power where the site needs it).
    """

    def __init__(
        self, site: str, hours: SiteSteps, prices: EnergyPrices, need: Floats, grid_mw: float, premium: float
    ) -> None:
        model = Model(f"energy of {site} in {hours.quarters[0]}")
        most_shed = np.maximum(need - grid_mw, 0.0)
        case = site_case(site, hours, prices, np.zeros(1, np.int64), most_shed, need)
        block = add_site(model, case, 1.0 / MUSD)
        problem = model.assemble()
        problem.row_upper[block.clean_share] = np.inf
        problem.cost[block.flow["grid"]] += premium * MUSD
        problem.upper[block.capacity["grid"]] = grid_mw
        capacity = block.capacity | {name: store.discharge_power for name, store in block.stores.items()}
        self._kinds = [k for k, kind in enumerate(KINDS) if kind in capacity]
        self._places = np.array([int(capacity[KINDS[k]][0]) for k in self._kinds], np.int64)
        self._flows = {"import": block.flow["grid"], "shed": block.given["shed"]}
        for store in block.stores.values():
            self._flows |= {"charge": store.charge, "discharge": store.discharge, "stored": store.stored}
        problem.cost[self._places] = 0.0
        problem.lower[self._places] = problem.upper[self._places] = 0.0
        self._live = Live(problem)

    def at(self, capacity: Floats) -> Solution:
        """The cheapest dispatch with these capacities [kind] MW."""
        self._live.fix(self._places, capacity[self._kinds])
        return self._live.solve()

    def cut(self, quarter: int, capacity: Floats) -> tuple[Solution, Cut]:
        """The dispatch and the plane it gives."""
        found = self.at(capacity)
        slope = np.zeros(len(KINDS))
        if found.column_dual is not None:
            slope[self._kinds] = found.column_dual[self._places]
        return found, Cut(quarter, found.objective, slope, capacity.copy())

    def flows(self, found: Solution) -> dict[str, Floats]:
        """Hourly flows of a dispatch."""
        nothing = np.zeros(self._flows["import"].shape[1])
        return {name: found.x[self._flows[name][0]] if name in self._flows else nothing for name in FLOWS}


def need_mw(hours: SiteSteps, load: Load) -> Floats:
    """Site power of a load by design and profile [quarter]: sum of PUE x shape x load. Shape [quarter,
    step]."""
    need = np.zeros_like(hours.weight_h)
    for (design, profile), megawatts in load.items():
        need += hours.draw_mw(design, profile) * megawatts[:, None]
    return need


@dataclass(frozen=True)
class SiteJob:
    """A site to power: hourly steps by quarter, prices, load [MW of IT] and connection [MW] by quarter.

    `guess` [quarter] by kind are the capacities to try first; `years` numbers the year of each quarter.
    """

    site: str
    hours: Sequence[SiteSteps]
    prices: EnergyPrices
    load: Load
    grid_mw: Floats
    years: Ints
    guess: Mapping[str, Floats]


def power_site(job: SiteJob, gap: float = ENERGY_GAP) -> SiteLife:
    """Contract and dispatch a site at least cost over every hour, to within `gap` of its bound.

    Where the green share is kept without certificates in a year, the premium of that year is dropped and the
    site is sized again.
    """
    prices = job.prices
    need = [
        need_mw(hours, {at: mw[q : q + 1] for at, mw in job.load.items()})
        for q, hours in enumerate(job.hours)
    ]
    premium = _discounted_premium(prices, job.years)
    life = _sized(job, need, premium, job.guess, gap)
    unneeded = (life.green_gwh <= NO_CERTIFICATES_GWH)[job.years - job.years.min()] & (premium > 0.0)
    if job.load and unneeded.any():
        again = _sized(job, need, np.where(unneeded, 0.0, premium), life.capacity, gap)
        best = min(life, again, key=lambda found: found.cost_musd)
        life = replace(best, bound_musd=min(max(life.bound_musd, again.bound_musd), best.cost_musd))
    return life


def _sized(
    job: SiteJob, need: Sequence[Floats], premium: Floats, guess: Mapping[str, Floats], gap: float
) -> SiteLife:
    """Cutting planes until the best capacities found are within the gap of the bound."""
    prices = job.prices
    quarters = _quarters(job, need, premium)
    grey = _grey_allowance(prices, job.hours, need, premium)
    contract = _contract_price(prices)
    trial = _allowed(prices, np.stack([guess[kind] for kind in KINDS]))
    best, best_cost, bound = trial, np.inf, -np.inf
    flows: dict[int, dict[str, Floats]] = {}
    cuts: list[Cut] = []
    for _ in range(MOST_ROUNDS):
        answers = {q: quarter.cut(q, trial[:, q]) for q, quarter in quarters.items()}
        cuts += [cut for _, cut in answers.values()]
        cost = sum(cut.cost for _, cut in answers.values()) + float((contract * trial).sum()) - grey
        if cost < best_cost:
            best, best_cost = trial, cost
            flows = {q: quarters[q].flows(found) for q, (found, _) in answers.items()}
        lowest, proposal = _lowest(prices, contract, cuts, len(need))
        bound = max(bound, lowest - grey)
        if best_cost - bound <= gap * max(abs(best_cost), 1e-9):
            break
        trial = best + STEP * (proposal - best)
    return _life(job, need, best, flows, bound)


def _quarters(job: SiteJob, need: Sequence[Floats], premium: Floats) -> dict[int, QuarterDispatch]:
    """The quarters in which the site draws any power."""
    return {
        q: QuarterDispatch(
            job.site, job.hours[q], _of_quarter(job.prices, q), load, float(job.grid_mw[q]), float(premium[q])
        )
        for q, load in enumerate(need)
        if load.max() > NO_LOAD_MW
    }


def _of_quarter(prices: EnergyPrices, q: int) -> EnergyPrices:
    return replace(prices, discount=prices.discount[q : q + 1], contract_lead_quarters=0)


def _grey_allowance(
    prices: EnergyPrices, hours: Sequence[SiteSteps], need: Sequence[Floats], premium: Floats
) -> float:
    """What the premium on all imports charges too much: the grey share of consumption needs no
    certificate."""
    consumed = np.array([float((h.weight_h * load).sum()) for h, load in zip(hours, need, strict=True)])
    return float((premium * (1.0 - prices.green_share_min) * consumed).sum()) * MUSD


def _discounted_premium(prices: EnergyPrices, years: Ints) -> Floats:
    """Premium of certified green power as its year is discounted [quarter] USD/MWh; 0 without a share."""
    if prices.green_share_min <= 0.0:
        return np.zeros(len(years))
    return np.asarray(green_cost_musd_gwh(prices, years)[years - years.min()] * 1e-3 / MUSD)


def _contract_price(prices: EnergyPrices) -> Floats:
    """Discounted cost of a contracted MW [kind, quarter] M USD."""
    each = [
        quarterly_cost_musd_mw(prices.technologies[kind], prices.discount_rate)
        if kind in prices.technologies
        else 0.0
        for kind in KINDS
    ]
    return np.array(each)[:, None] * prices.discount[None, :]


def _limits(prices: EnergyPrices, quarters: int) -> Floats:
    """Most MW that may be contracted [kind, quarter]: nothing before the lead, nothing that is not on
    offer."""
    most = np.array([prices.max_mw.get(kind, 0.0) if kind in prices.technologies else 0.0 for kind in KINDS])
    limits = np.repeat(most[:, None], quarters, axis=1)
    limits[:, : prices.contract_lead_quarters] = 0.0
    return limits


def _allowed(prices: EnergyPrices, capacity: Floats) -> Floats:
    """Capacities within their limits that never fall."""
    clipped = np.clip(capacity, 0.0, _limits(prices, capacity.shape[1]))
    return np.asarray(np.maximum.accumulate(clipped, axis=1))


def _lowest(
    prices: EnergyPrices, contract: Floats, cuts: Sequence[Cut], quarters: int
) -> tuple[float, Floats]:
    """The least cost that all cuts allow, and the capacities where it lies."""
    model = Model("cuts")
    labels = tuple(map(str, range(quarters)))
    capacity = model.add_columns(
        "capacity", {"kind": KINDS, "quarter": labels}, upper=_limits(prices, quarters), cost=contract
    )
    theta = model.add_columns("theta", {"quarter": labels}, cost=1.0)
    kept = model.add_rows("kept", {"kind": KINDS, "quarter": labels[1:]}, lower=0.0)
    model.add_terms(kept, capacity[:, 1:], 1.0)
    model.add_terms(kept, capacity[:, :-1], -1.0)
    names = [str(i) for i in range(len(cuts))]
    floor = np.array([cut.cost - float(cut.slope @ cut.at) for cut in cuts])
    rows = model.add_rows("cut", {"cut": names}, lower=floor)
    where = np.array([cut.quarter for cut in cuts], np.int64)
    model.add_terms(rows, theta[where], 1.0)
    if cuts:
        model.add_terms(rows[None], capacity[:, where], -np.stack([cut.slope for cut in cuts], axis=1))
    found = linear.solve(model.assemble(), method="simplex")
    return found.objective, found.of("capacity")


def _life(
    job: SiteJob,
    need: Sequence[Floats],
    capacity: Floats,
    flows: Mapping[int, dict[str, Floats]],
    bound: float,
) -> SiteLife:
    """The hours lived through, and the bill added up from them."""
    prices, hours = job.prices, job.hours
    none = {name: np.zeros(1) for name in FLOWS}
    by_name = {
        name: [flows.get(q, none)[name] + np.zeros(need[q].shape[1]) for q in range(len(hours))]
        for name in FLOWS
    }
    peak = np.array([imported.max() for imported in by_name["import"]])
    green = _green_needed(prices, need, by_name["import"], job.years)
    contracts = (_contract_price(prices) * capacity).sum(axis=0) / prices.discount
    cost = _bill(hours, prices, by_name, peak, green, job.years, contracts)
    return SiteLife(
        site=job.site,
        hours=hours,
        need=[load[0] for load in need],
        capacity={kind: capacity[i] for i, kind in enumerate(KINDS)},
        flows=by_name,
        peak_mw=peak,
        green_gwh=green,
        contract_cost_musd=contracts,
        cost_musd=cost,
        bound_musd=min(bound, cost),
    )


def _green_needed(
    prices: EnergyPrices, need: Sequence[Floats], imported: Sequence[Floats], years: Ints
) -> Floats:
    """Certificates that close each year's gap to the green share [year] GWh."""
    position = years - years.min()
    consumed = np.bincount(position, [load.sum() for load in need]) * 1e-3
    taken = np.bincount(position, [power.sum() for power in imported]) * 1e-3
    needed = np.maximum(taken - (1.0 - prices.green_share_min) * consumed, 0.0)
    return needed if prices.green_share_min > 0.0 else np.zeros_like(needed)


def _bill(
    quarters: Sequence[SiteSteps],
    prices: EnergyPrices,
    flows: Mapping[str, Sequence[Floats]],
    peak: Floats,
    green: Floats,
    years: Ints,
    contracts: Floats,
) -> float:
    """Energy, demand charge, contracts, certificates, carbon and shed load, discounted [M USD]."""
    total = float(green @ green_cost_musd_gwh(prices, years))
    for q, hours in enumerate(quarters):
        price = hours.price_usd_mwh[0] + prices.emission_t_mwh * prices.carbon_usd_t
        energy = float(flows["import"][q] @ price) + float(flows["shed"][q].sum()) * prices.shed_usd_mwh
        demand = peak[q] * prices.demand_charge_usd_kw_month * MONTHS * 1e3
        total += prices.discount[q] * ((energy + demand) * MUSD + contracts[q])
    return float(total)
