"""Whole halls and lines from the relaxed plan: round up, then try one module more, less, sooner or later.

The relaxation of the master is tight, so its fractions only have to be made whole without waste. Running
totals are rounded up where the site has room; then single modules are taken away, delayed or brought forward
as long as that pays. Each trial is a linear problem that starts from the last basis and takes hundredths of a
second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gigawright.arrays import Floats
from gigawright.linear import Assembled, Infeasible, Live, Solution
from gigawright.plan.problem import Problem

ALMOST = 1e-6
MOST_PASSES = 4
BLOCKS = ("hall_start", "grid_start")
Starts = dict[str, Floats]
Move = tuple[str, tuple[int, ...], int | None]


def round_up_and_improve(
    problem: Problem, assembled: Assembled, relaxed: Solution, good_enough: Callable[[Solution], bool]
) -> Solution | None:
    """A whole plan near the relaxed one; None where rounding up breaks a rule (the search tree must
    decide)."""
    live = Live(assembled, problem.seed)
    starts = _rounded(problem, assembled, relaxed)
    found = _solved(live, assembled, starts)
    if found is None:
        return None
    limits = {name: assembled.upper[assembled.model.columns[name].at] for name in BLOCKS}
    for _ in range(MOST_PASSES):
        before = found.objective
        for move in _moves(starts):
            # What nobody needs is taken away in any case; the rest only until the plan is good enough.
            if move[2] is not None and good_enough(found):
                return found
            trial = _moved(starts, *move, most=limits[move[0]])
            tried = _solved(live, assembled, trial) if trial else None
            if trial and tried is not None and tried.objective < found.objective - ALMOST:
                found, starts = tried, trial
        if found.objective >= before - ALMOST:
            break
    return found


def _solved(live: Live, assembled: Assembled, starts: Starts) -> Solution | None:
    """The best plan with these starts; None where there is none."""
    for name in BLOCKS:
        live.fix(assembled.model.columns[name].at, starts[name])
    try:
        return replace(live.solve(), row_dual=None, column_dual=None)
    except Infeasible:
        return None


def _rounded(problem: Problem, assembled: Assembled, relaxed: Solution) -> Starts:
    halls = relaxed.of("hall_start")
    return {
        "hall_start": np.stack([_within_room(problem, s, halls[s]) for s in range(len(halls))]),
        "grid_start": whole_starts(relaxed.of("grid_start")),
    }


def _moves(starts: Starts) -> list[Move]:
    """Every single change: a module less, then later by a quarter, sooner, and one more, at each start."""
    return [
        (name, tuple(map(int, place)), step)
        for step in (None, 1, -1, 0)
        for name in BLOCKS
        for place in np.argwhere(starts[name] > ALMOST)[::-1]
    ]


def _moved(
    starts: Starts, name: str, place: tuple[int, ...], step: int | None, most: Floats
) -> Starts | None:
    """The starts after a change; None where it no longer applies, or where nothing may be started then."""
    quarter = place[-1] + (step or 0)
    if starts[name][place] < ALMOST or not 0 <= quarter < starts[name].shape[-1]:
        return None
    moved = starts[name].copy()
    if step != 0:
        moved[place] -= 1.0
    if step is not None:
        moved[(*place[:-1], quarter)] += 1.0
    return {**starts, name: moved} if (moved <= most).all() else None


def whole_starts(starts: Floats) -> Floats:
    """Starts [..., quarter] whose running total is the given one's, rounded up.

    >>> whole_starts(np.array([0.4, 0.4, 0.4])).tolist()
    [1.0, 0.0, 1.0]
    """
    return np.diff(np.ceil(np.cumsum(starts, axis=-1) - ALMOST), axis=-1, prepend=0.0)


def _within_room(problem: Problem, s: int, starts: Floats) -> Floats:
    """Starts [design, quarter] with running totals rounded up, but never past the room of the site.

    Where both designs do not fit, the one with the smaller fraction is rounded down.
    """
    build = problem.build
    exact = np.cumsum(starts, axis=1)
    whole = np.ceil(exact - ALMOST)
    standing = build.hall_existing[s].sum()
    room = np.floor((max(build.max_it_mw[s], standing) - standing) / build.hall_module_mw + ALMOST)
    for q in range(whole.shape[1]):
        while whole[:, q].sum() > room:
            waste = np.where(whole[:, q] > exact[:, q] + ALMOST, whole[:, q] - exact[:, q], -1.0)
            whole[int(waste.argmax()), q] -= 1.0
    kept = np.minimum.accumulate(whole[:, ::-1], axis=1)[:, ::-1]
    return np.diff(kept, axis=1, prepend=0.0)
