"""The master: purchases, halls, lines, people and typical-day energy in one mixed-integer model.

The formulation is on the page `docs/plan.md`; each rule is one function, named as its sentence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gigawright import linear
from gigawright.arrays import Floats
from gigawright.errors import SolverError
from gigawright.facility.dispatch.columns import SiteColumns
from gigawright.linear import Assembled, Model, Solution
from gigawright.plan import energy, fleet, money, people, work
from gigawright.plan.problem import Problem
from gigawright.plan.rounding import round_up_and_improve

MASTER_GAP = 0.004
SMALLEST, LARGEST = 1e-6, 1e5


@dataclass(frozen=True)
class Master:
    """The master's matrix and where each site's energy variables lie in it."""

    problem: Problem
    assembled: Assembled
    energy: dict[str, SiteColumns]


def build_master(problem: Problem) -> Master:
    """Every block of variables, then every rule, then one matrix."""
    model = Model(problem.name)
    fleet.add_fleet_columns(model, problem)
    work.add_work_columns(model, problem)
    people.add_people_columns(model, problem)
    fleet.a_fleet_is_what_was_had_plus_what_arrived(model, problem)
    fleet.never_take_more_than_a_pool_gives(model, problem)
    fleet.halls_and_lines_come_after_their_lead(model, problem)
    fleet.every_system_stands_in_a_hall_that_cools_it(model, problem)
    fleet.a_site_holds_no_more_than_it_can(model, problem)
    fleet.orders_are_kept(model, problem)
    fleet.domestic_systems_have_their_share(model, problem)
    work.work_only_with_what_stands(model, problem)
    work.work_done_covers_work_promised(model, problem)
    work.all_demand_is_served_or_counted_unmet(model, problem)
    work.a_group_gets_its_least_share(model, problem)
    work.a_model_is_trained_by_its_date(model, problem)
    work.load_follows_the_work(model, problem)
    people.enough_people(model, problem)
    money.capital_costs_what_it_costs(model, problem)
    money.leases_cost_what_they_cost(model, problem)
    money.never_spend_more_than_budgeted(model, problem)
    blocks = energy.sites_run_on_typical_days(model, problem)
    model.set_cost("load", energy.water_cost(problem))
    assembled = model.assemble()
    _refuse_bad_scaling(assembled)
    return Master(problem, assembled, blocks)


def _refuse_bad_scaling(assembled: Assembled) -> None:
    """Coefficients far apart make the solver's tolerances meaningless."""
    low, high = assembled.coefficient_range()
    if low < SMALLEST or high > LARGEST:
        raise SolverError(f"the master is badly scaled: coefficients from {low:.1e} to {high:.1e}")


def solve_master(master: Master, gap: float = MASTER_GAP) -> Solution:
    """Find purchases whose cost and worth lost are within `gap` of the best, relative to the programme's
    cost.

    The relaxed problem gives the bound; its halls and lines are made whole by rounding and local improvement.
    Only where that is not within the gap does the mixed-integer search run, starting from it. The objective
    holds the worth of unserved demand, which can dwarf the cost; the gap is asked of the cost alone.
    """
    relaxed = linear.solve(master.assembled, method="simplex", relax=True)

    def good_enough(found: Solution) -> bool:
        return programme_gap(master, replace(found, bound=relaxed.objective)) <= gap

    rounded = round_up_and_improve(master.problem, master.assembled, relaxed, good_enough)
    if rounded is not None and good_enough(rounded):
        return replace(rounded, bound=relaxed.objective)
    cost = programme_cost(master, relaxed.x)
    relative = 0.8 * gap * cost / max(abs(relaxed.objective), 1e-9)
    start = rounded.x if rounded is not None else None
    found = linear.solve(master.assembled, gap=relative, seed=master.problem.seed, start_at=start)
    if programme_gap(master, found) > gap:
        raise SolverError(
            f"the master's gap stays at {programme_gap(master, found):.2%} of the programme's cost"
        )
    return found


def worth_lost(master: Master, x: Floats) -> float:
    """Worth of unserved demand and unfinished programmes, M USD discounted."""
    columns = master.assembled.model.columns
    places = np.concatenate([columns["unmet"].at.ravel(), columns["late"].at.ravel()])
    return float(master.assembled.cost[places] @ x[places]) / master.problem.work.loss_factor


def programme_cost(master: Master, x: Floats) -> float:
    """The objective without the worth lost: what the programme costs, M USD discounted."""
    return float(master.assembled.cost @ x) - master.problem.work.loss_factor * worth_lost(master, x)


def programme_gap(master: Master, found: Solution) -> float:
    """Distance from the best bound relative to what the programme costs."""
    return abs(found.objective - found.bound) / max(programme_cost(master, found.x), 1.0)


def with_integers_fixed(master: Master, found: Solution) -> Solution:
    """The last linear problem, halls and lines as decided, by simplex: its duals are the shadow prices."""
    problem = master.assembled
    whole = problem.integer
    lower, upper = problem.lower.copy(), problem.upper.copy()
    problem.lower[whole] = problem.upper[whole] = np.round(found.x[whole])
    try:
        return linear.solve(problem, method="simplex", relax=True)
    finally:
        problem.lower, problem.upper = lower, upper
