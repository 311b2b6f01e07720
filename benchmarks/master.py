"""The planning model's size, build and solve time; beside it the same model built by loops for SciPy.

    python benchmarks/master.py [small|flagship|large ...]

Problems are drawn by tests/plan/synthetic.py: sizes carry over, values mean nothing. SciPy's `milp` uses
HiGHS too, so the objective must agree within the gap; what differs is how the matrix is built, and our
rounding from the relaxation. Only `small` is solved both ways; `flagship` takes about a minute, `large` more.
"""

from __future__ import annotations

import importlib.util
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from gigawright.plan.master import build_master, programme_cost, solve_master
from gigawright.plan.problem import Problem

SIZES: dict[str, dict[str, int]] = {
    "small": {"sites": 3, "quarters": 8, "systems": 6, "streams": 3, "regions": 2, "zones": 1},
    "flagship": {"sites": 11, "quarters": 12, "systems": 20, "streams": 9, "regions": 6, "zones": 3},
    "large": {"sites": 40, "quarters": 20, "systems": 30, "streams": 9, "regions": 6, "zones": 3},
}
PLAN_TESTS = Path(__file__).parents[1] / "tests" / "plan"


def module(name: str) -> ModuleType:
    """A helper of the tests, which are no package."""
    spec = importlib.util.spec_from_file_location(name, PLAN_TESTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


def with_more_money(problem: Problem) -> Problem:
    """Budgets of a few sites for each site; else unserved demand would be most of the objective."""
    money, scale = problem.money, float(len(problem.sets.sites))
    return replace(
        problem, money=replace(money, capital=money.capital * scale, leasing=money.leasing * scale)
    )


def ours(problem: Problem) -> list[str]:
    start = time.perf_counter()
    master = build_master(problem)
    built = time.perf_counter()
    found = solve_master(master)
    solved = time.perf_counter()
    assembled = master.assembled
    gap = (found.objective - found.bound) / programme_cost(master, found.x)
    return [f"{len(assembled.row_lower):,}", f"{len(assembled.cost):,}", f"{len(assembled.value):,}",
            f"{built - start:.2f}", f"{solved - built:.2f}", f"{gap:.2%}",
            f"{found.objective:,.2f}"]  # fmt: skip


def loops(problem: Problem) -> list[str]:
    start = time.perf_counter()
    book = module("reference").reference(problem)
    built = time.perf_counter()
    answer = book.solve()
    solved = time.perf_counter()
    terms = sum(len(row[0]) for row in book.rows)
    shown = f"{answer[0]:,.2f}" if answer else "none"
    return [f"{len(book.rows):,}", f"{len(book.bounds):,}", f"{terms:,}", f"{built - start:.2f}",
            f"{solved - built:.2f}", "0.00%", shown]  # fmt: skip


def main() -> None:
    sizes = sys.argv[1:] or ["small"]
    heads = ["size", "built by", "rows", "columns", "nonzeros", "build s", "solve s", "gap", "objective"]
    print("  ".join(f"{head:>11}" for head in heads))
    for size in sizes:
        problem = with_more_money(module("synthetic").random_problem(seed=1, days=2, **SIZES[size]))
        lines = [("gigawright", ours(problem))]
        if size == "small" and importlib.util.find_spec("scipy"):
            lines.append(("loops", loops(problem)))
        for name, cells in lines:
            print("  ".join(f"{cell:>11}" for cell in (size, name, *cells)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:,.0f} MiB")


if __name__ == "__main__":
    main()
