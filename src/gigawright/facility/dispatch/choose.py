"""Which way a case is solved: the fast dispatch, representative weeks, or linear problems."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np

from gigawright.errors import SolverError, UserError
from gigawright.facility.dispatch.case import EnergyCase
from gigawright.facility.dispatch.exact import size_exact, takes
from gigawright.facility.dispatch.solve import EnergyAnswer, solve_energy
from gigawright.facility.dispatch.split import size_split
from gigawright.facility.dispatch.weeks import size_weeks
from gigawright.linear import Infeasible

Way = Literal["auto", "exact", "weeks", "split", "whole"]
Progress = Callable[[str], None]
# Weeks cannot tell a plan's cost more closely than this.
WEEKS_TOLERANCE = 0.005


def size_energy(
    case: EnergyCase,
    way: Way = "auto",
    gap: float = 1e-4,
    processes: int = 1,
    progress: Progress = lambda text: None,
) -> EnergyAnswer:
    """Size and dispatch a case to within `gap` of a proven bound.

    `exact`: every hour by the fast dispatch, in seconds, for sites with at most one store and plants that
    follow at once; `split`: a linear problem a site, side by side, under one carbon price; `whole`: one
    linear problem; `weeks`: representative weeks, dispatched over every hour and fed back, with a bound where
    one is known, else with what the weeks said, marked unproven. `auto` takes the first of exact, split and
    whole that the case allows, and asks linear problems where the fast dispatch finds no answer. Raises
    UserError where the way asked for does not take the case, Infeasible where no dispatch keeps the rules.
    """
    reason = takes(case)
    if way == "auto":
        if reason is None:
            try:
                return size_energy(case, "exact", gap, processes, progress)
            except (Infeasible, SolverError) as error:
                progress(f"the fast dispatch ended without an answer ({error}); linear problems decide")
        way = "whole" if case.moves else "split"
    if way == "exact":
        if reason is not None:
            raise UserError(f"--way exact does not take {reason}; use split or whole")
        progress("sizing by every hour of all sites")
        return size_exact(case, gap, processes)
    if way == "weeks":
        found = size_weeks(case, tolerance=max(gap, WEEKS_TOLERANCE), progress=progress)
        if np.isfinite(found.answer.bound_usd):
            return found.answer
        likely = found.cost_usd * (1.0 - found.estimate)
        return replace(found.answer, bound_usd=likely, proven=False)
    if way == "whole":
        progress(f"solving {len(case.sites)} sites as one problem")
        return solve_energy(case)
    return size_split(case, gap, processes, progress=progress)
