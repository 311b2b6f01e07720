"""Money: what orders cost, when it is paid, what is left at the end, and what may be spent."""

from __future__ import annotations

import numpy as np

from gigawright.arrays import Floats
from gigawright.linear import Model
from gigawright.plan.problem import DESIGNS, Problem


def paid_shares(lead: int, prepay: float, quarters: int) -> Floats:
    """Share of an order's price paid in each quarter: `prepay` at order, the rest on delivery.

    Shape [order quarter, payment quarter]; what would be paid after the horizon is left out.

    >>> paid_shares(1, 0.3, 2).tolist()
    [[0.3, 0.7], [0.0, 0.3]]
    """
    paid = np.eye(quarters) * prepay
    for order in range(quarters - lead):
        paid[order, order + lead] += 1.0 - prepay
    return paid


def building_shares(lead: int, quarters: int) -> Floats:
    """Share paid in each quarter of construction, evenly. Shape [order quarter, payment quarter]."""
    steps = max(lead, 1)
    return np.asarray(sum(np.eye(quarters, k=step) for step in range(steps)) / steps)


def residual_share(lead: int, life_quarters: float, quarters: int) -> Floats:
    """Straight-line value left at the horizon's end for an order of each quarter. Shape [order quarter]."""
    age = quarters - (np.arange(quarters) + lead)
    return np.clip(1.0 - age / life_quarters, 0.0, 1.0)


def capital_terms(problem: Problem) -> list[tuple[str, tuple[int, ...], Floats, Floats]]:
    """For each capital variable: its block, its place in it, the payments and the residual of one unit.

    Payments [order quarter, payment quarter] and residual [order quarter], M USD per kacc, module or stage.
    """
    sets, offers, build = problem.sets, problem.offers, problem.build
    count = len(sets.q)
    terms: list[tuple[str, tuple[int, ...], Floats, Floats]] = []
    for s in range(len(sets.sites)):
        for k in problem.own:
            if offers.may_order[s, k].any():
                price = offers.price[s, k]
                paid = paid_shares(int(offers.lead[k]), float(offers.prepay[k]), count) * price[:, None]
                left = residual_share(int(offers.lead[k]), float(offers.life_quarters[k]), count) * price
                terms.append(("buy", (s, int(k)), paid, left))
        for d in range(len(DESIGNS)):
            cost = build.hall_cost[s, d] * build.hall_module_mw
            lead = int(build.hall_lead[s])
            left = residual_share(lead, build.hall_life_quarters, count) * cost
            terms.append(("hall_start", (s, d), building_shares(lead, count) * cost, left))
        cost, lead = float(build.grid_cost[s]) * build.grid_stage_mw, int(build.grid_lead[s])
        left = residual_share(lead, build.grid_life_quarters, count) * cost
        terms.append(("grid_start", (s,), building_shares(lead, count) * cost, left))
    return terms


def capital_costs_what_it_costs(model: Model, problem: Problem) -> None:
    """Price on capital orders: discounted payments less the discounted value left at the end."""
    money = problem.money
    costs = {name: np.zeros(model.columns[name].shape) for name in ("buy", "hall_start", "grid_start")}
    for name, place, paid, left in capital_terms(problem):
        costs[name][place] = paid @ money.discount - left * money.discount_end
    for name, cost in costs.items():
        model.set_cost(name, cost)


def leases_cost_what_they_cost(model: Model, problem: Problem) -> None:
    """A lease is paid for each quarter it runs: price on the leased fleet, discounted."""
    cost = np.zeros(model.columns["fleet"].shape)
    for k in problem.rented:
        cost[:, k] = problem.offers.lease_price[k] * problem.money.discount
    model.set_cost("fleet", cost)


def never_spend_more_than_budgeted(model: Model, problem: Problem) -> None:
    """Capital paid in a calendar year <= its budget; leases against their own budget. Nothing carries
    over."""
    sets, money = problem.sets, problem.money
    years = [str(year) for year in sets.years]
    of_year = np.eye(len(years))[sets.year_of]
    rows = model.add_rows("capital_budget", {"year": years}, upper=money.capital)
    for name, place, paid, _ in capital_terms(problem):
        columns = model.columns[name].at[place]
        model.add_terms(rows[:, None], columns[None, :], (paid @ of_year).T)
    leases = model.add_rows("leasing_budget", {"year": years}, upper=money.leasing)
    fleet = model.columns["fleet"].at
    for k in problem.rented:
        model.add_terms(leases[sets.year_of], fleet[:, k], problem.offers.lease_price[k])
