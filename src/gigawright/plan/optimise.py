"""Solving a plan: master, every hour of every site, shadow prices.

1. The master decides purchases, halls, lines and people, with energy on typical days.
2. Given its load and connection, each site's contracts are sized again on every hour of the horizon, with a
bound
   of their own (`facility.dispatch.energy`).
3. Halls and lines fixed, the last linear problem gives the shadow prices.

The master's bound is that of the planning model (typical days); the cost is verified hour by hour; the
energy's gap is between its verified cost and its bound, given the purchases.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np

from gigawright.arrays import Floats
from gigawright.errors import InfeasibleStudy
from gigawright.facility.dispatch.energy import SiteJob, SiteLife, power_site
from gigawright.facility.dispatch.quarters import KINDS, SiteSteps
from gigawright.facility.processes import each_in_processes
from gigawright.linear import Infeasible, Solution
from gigawright.plan import explain, solution
from gigawright.plan.felt import felt_table
from gigawright.plan.master import (
    Master,
    build_master,
    programme_cost,
    programme_gap,
    solve_master,
    with_integers_fixed,
    worth_lost,
)
from gigawright.plan.numbers import Preparation
from gigawright.plan.problem import DESIGNS, PROFILES, Problem
from gigawright.plan.solution import Plan

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[str], None]


class HourlySteps(Protocol):
    """Where a site's hours come from."""

    def hours(self, site: str) -> list[SiteSteps]:
        """Every hour of the horizon, one SiteSteps a quarter."""


def optimise(
    problem: Problem,
    preparation: Preparation,
    steps: HourlySteps,
    progress: Progress = lambda text: None,
    processes: int = 1,
) -> Plan:
    """Solve a problem to a verified plan. Raises InfeasibleStudy where no plan keeps the hard rules."""
    started = time.perf_counter()
    progress(f"building the planning model of {problem.name}")
    master = build_master(problem)
    model = master.assembled.model
    progress(f"solving it: {model.row_count:,} rules, {model.column_count:,} variables")
    try:
        found = solve_master(master)
    except Infeasible:
        raise InfeasibleStudy(explain.clashes(master)) from None
    solved = time.perf_counter()
    powered = power_sites(master, found, steps, progress, processes)
    lived = time.perf_counter()
    progress("fixing halls and lines to read the shadow prices")
    final = with_integers_fixed(master, found)
    tables = _tables(problem, preparation, found, powered)
    tables["prices"] = explain.shadow_prices(master, final)
    progress("asking what other values would change")
    tables["sensitivity"] = explain.sensitivity(master, preparation.worth_ranges())
    seconds = {
        "master_s": solved - started,
        "energy_s": lived - solved,
        "prices_s": time.perf_counter() - lived,
    }
    zones = {
        zone: tuple(s for i, s in enumerate(problem.sets.sites) if problem.work.zone_of_site[i] == z)
        for z, zone in enumerate(problem.sets.zones)
    }
    return Plan(problem, tables, summary(master, found, powered) | seconds, zones, problem.why_not)


def power_sites(
    master: Master, found: Solution, steps: HourlySteps, progress: Progress, processes: int = 1
) -> dict[str, SiteLife]:
    """Size and dispatch every site's energy hour by hour, its load and connection as planned."""
    problem = master.problem
    jobs = {site: _job(master, found, steps, s) for s, site in enumerate(problem.sets.sites)}
    order = sorted(jobs, key=lambda site: -sum(float(mw.max()) for mw in jobs[site].load.values()))
    busy = sum(bool(jobs[site].load) for site in order)
    lived: dict[str, SiteLife] = {}
    for site, life in zip(
        order, each_in_processes(power_site, [jobs[s] for s in order], processes), strict=True
    ):
        lived[site] = life
        if jobs[site].load:
            progress(f"powered {site} hour by hour ({len(lived)} of {busy})")
    return {site: lived[site] for site in problem.sets.sites}


def _job(master: Master, found: Solution, steps: HourlySteps, s: int) -> SiteJob:
    """A site's load, connection and first guess, as the master left them."""
    problem = master.problem
    site, load = problem.sets.sites[s], found.of("load")[s]
    return SiteJob(
        site=site,
        hours=steps.hours(site),
        prices=problem.energy[site],
        load={
            (design, profile): load[d, c]
            for d, design in enumerate(DESIGNS)
            for c, profile in enumerate(PROFILES)
            if load[d, c].max() > 0.0
        },
        grid_mw=found.of("grid")[s],
        years=problem.sets.year_of,
        guess=_contracted(master, site, found),
    )


def _contracted(master: Master, site: str, found: Solution) -> dict[str, Floats]:
    """MW by kind and quarter that the master contracts on typical days; zero where a kind is not on offer."""
    block = master.energy[site]
    columns = block.capacity | {name: store.discharge_power for name, store in block.stores.items()}
    nothing = np.zeros(len(master.problem.sets.q))
    return {kind: found.x[columns[kind]] if kind in columns else nothing for kind in KINDS}


def _tables(
    problem: Problem, p: Preparation, found: Solution, powered: Mapping[str, SiteLife]
) -> dict[str, pd.DataFrame]:
    tables = solution.order_tables(problem, found) | solution.work_tables(problem, found, p)
    tables["felt"] = felt_table(problem, found, p)
    tables["load"] = solution.load_table(problem, found)
    tables |= solution.energy_tables(problem, found, powered)
    tables["payments"] = solution.payment_table(problem, found, tables, p)
    return tables


def summary(master: Master, found: Solution, powered: Mapping[str, SiteLife]) -> dict[str, float]:
    """The numbers that say how good the plan is [M USD discounted]."""
    cost = programme_cost(master, found.x)
    modelled = energy_in_master(master, found.x)
    verified = sum(life.cost_musd for life in powered.values())
    bound = sum(life.bound_musd for life in powered.values())
    return {
        "objective_musd": found.objective,
        "bound_musd": found.bound,
        "programme_cost_musd": cost - modelled + verified,
        "master_cost_musd": cost,
        "worth_lost_musd": worth_lost(master, found.x),
        "master_gap": programme_gap(master, found),
        "energy_typical_days_musd": modelled,
        "energy_bound_musd": bound,
        "energy_verified_musd": verified,
        "energy_gap": (verified - bound) / verified if verified > 0.0 else 0.0,
        "shed_gwh": sum(life.shed_gwh for life in powered.values()),
        "rows": float(master.assembled.model.row_count),
        "columns": float(master.assembled.model.column_count),
        "nonzeros": float(len(master.assembled.value)),
    }


def energy_in_master(master: Master, x: Floats) -> float:
    """Energy cost on the master's typical days, without water [M USD discounted]."""
    cost = master.assembled.cost
    places = [block.all_columns for block in master.energy.values()]
    return sum(float(cost[columns] @ x[columns]) for columns in places)
