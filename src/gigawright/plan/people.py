"""People: enough staff for what stands and runs, hired at the pace the market allows."""

from __future__ import annotations

import numpy as np

from gigawright.linear import Model
from gigawright.plan.problem import Problem


def add_people_columns(model: Model, problem: Problem) -> None:
    """staff, hire and late [thousand people]; late is work bought in at a multiple of the pay."""
    people, sets = problem.people, problem.sets
    dims = {"role": sets.roles, "quarter": sets.q}
    pay = people.pay[:, None] * problem.money.discount
    model.add_columns("staff", dims, cost=pay)
    model.add_columns("hire", dims, upper=people.hire_max[:, None])
    model.add_columns("late_staff", dims, cost=pay * people.late_pay)


def enough_people(model: Model, problem: Problem) -> None:
    """staff + bought-in >= need of MW, kacc and programmes; staff[q] = (1 - leavers) staff[q-1] + hire[q]."""
    sets, people = problem.sets, problem.people
    dims = {"role": sets.roles, "quarter": sets.q}
    staff, hire, late = (model.columns[name].at for name in ("staff", "hire", "late_staff"))
    running = problem.work.programme_open.sum(axis=0)
    # Nobody said what these roles' number follows: they are kept as they are.
    stated = people.per_mw + people.per_kacc + people.per_programme > 0.0
    kept = np.where(stated, 0.0, people.initial)
    need = model.add_rows("need", dims, lower=kept[:, None] + people.per_programme[:, None] * running)
    model.add_terms(need, staff, 1.0)
    model.add_terms(need, late, 1.0)
    _need_of_the_fleet(model, problem, need)
    first = np.zeros((len(sets.roles), len(sets.q)))
    first[:, 0] = people.initial * (1.0 - people.attrition)
    stock = model.add_rows("staff", dims, lower=first, upper=first)
    model.add_terms(stock, staff, 1.0)
    model.add_terms(stock, hire, -1.0)
    model.add_terms(stock[:, 1:], staff[:, :-1], -(1.0 - people.attrition)[:, None])


def _need_of_the_fleet(model: Model, problem: Problem, need: np.ndarray) -> None:
    """- per_mw x MW of the owned fleet - per_kacc x fleet, in the role's market."""
    people, offers, fleet = problem.people, problem.offers, model.columns["fleet"].at
    for p in range(len(problem.sets.roles)):
        here = people.market_of_site == people.market_of_role[p]
        for k in range(len(problem.sets.offers)):
            own_mw = 0.0 if offers.leased[k] else offers.kw_max[k]
            each = people.per_mw[p] * own_mw + people.per_kacc[p]
            if each and here.any():
                model.add_terms(need[p][None, :], fleet[here, k], -each)
