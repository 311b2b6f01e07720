"""Blocks of columns and rows, one sparse matrix, HiGHS.

A `Model` collects blocks of variables (columns) and constraints (rows) as NumPy arrays; each block knows its
offset and shape, so names are derived only when somebody asks. Coefficients are added as triplets, summed,
and handed to HiGHS once. Columns fixed at zero never reach the solver.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gigawright.arrays import Bools, Floats, Ints
from gigawright.errors import SolverError

if TYPE_CHECKING:
    import highspy

Method = Literal["simplex", "hipo", "choose"]
INFINITY = math.inf


@dataclass(frozen=True, slots=True)
class Block:
    """A named rectangular block of columns or rows; `at` gives the global indices, of the block's shape."""

    name: str
    dims: tuple[tuple[str, tuple[str, ...]], ...]
    offset: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions."""
        return tuple(len(labels) for _, labels in self.dims)

    @property
    def size(self) -> int:
        """Number of columns or rows."""
        return math.prod(self.shape)

    @property
    def at(self) -> Ints:
        """Global indices, of the block's shape."""
        return np.arange(self.offset, self.offset + self.size).reshape(self.shape)

    def label(self, index: int) -> str:
        """The name of a global index: `buy[ulanqab,dgx_h200,2026Q3]`."""
        places = np.unravel_index(index - self.offset, self.shape) if self.shape else ()
        labels = [labels[int(place)] for (_, labels), place in zip(self.dims, places, strict=True)]
        return f"{self.name}[{','.join(labels)}]" if labels else self.name


@dataclass
class Model:
    """A linear model under construction. Minimises `cost @ x`."""

    name: str = "model"
    columns: dict[str, Block] = field(default_factory=dict)
    rows: dict[str, Block] = field(default_factory=dict)
    _lower: list[Floats] = field(default_factory=list)
    _upper: list[Floats] = field(default_factory=list)
    _cost: list[Floats] = field(default_factory=list)
    _integer: list[NDArray[np.bool_]] = field(default_factory=list)
    _row_lower: list[Floats] = field(default_factory=list)
    _row_upper: list[Floats] = field(default_factory=list)
    _triplets: list[tuple[Ints, Ints, Floats]] = field(default_factory=list)

    @property
    def column_count(self) -> int:
        """Columns so far."""
        return _end(self.columns)

    @property
    def row_count(self) -> int:
        """Rows so far."""
        return _end(self.rows)

    def add_columns(
        self,
        name: str,
        dims: Mapping[str, Sequence[str]],
        lower: ArrayLike = 0.0,
        upper: ArrayLike = INFINITY,
        cost: ArrayLike = 0.0,
        integer: bool = False,
    ) -> Ints:
        """Add a block of variables; bounds and cost broadcast to its shape. Returns its global indices."""
        block = self._block(self.columns, name, dims, self.column_count)
        for store, values in ((self._lower, lower), (self._upper, upper), (self._cost, cost)):
            store.append(np.broadcast_to(np.asarray(values, float), block.shape).reshape(-1).copy())
        self._integer.append(np.full(block.size, integer))
        return block.at

    def add_rows(
        self,
        name: str,
        dims: Mapping[str, Sequence[str]],
        lower: ArrayLike = -INFINITY,
        upper: ArrayLike = INFINITY,
    ) -> Ints:
        """Add a block of constraints `lower <= a @ x <= upper`. Returns its global indices."""
        block = self._block(self.rows, name, dims, self.row_count)
        for store, values in ((self._row_lower, lower), (self._row_upper, upper)):
            store.append(np.broadcast_to(np.asarray(values, float), block.shape).reshape(-1).copy())
        return block.at

    def add_terms(self, rows: ArrayLike, columns: ArrayLike, coefficients: ArrayLike) -> None:
        """Add `coefficients` at (rows, columns), all three broadcast against each other; repeats are
        summed."""
        row, column, value = np.broadcast_arrays(rows, columns, np.asarray(coefficients, float))
        self._triplets.append((row.reshape(-1), column.reshape(-1), value.reshape(-1)))

    def set_cost(self, name: str, cost: ArrayLike) -> None:
        """Replace the cost of a block of columns; broadcasts to its shape."""
        block = self.columns[name]
        position = list(self.columns).index(name)
        self._cost[position] = np.broadcast_to(np.asarray(cost, float), block.shape).reshape(-1).copy()

    @staticmethod
    def _block(blocks: dict[str, Block], name: str, dims: Mapping[str, Sequence[str]], offset: int) -> Block:
        if name in blocks:
            raise ValueError(f"block {name!r} is already there")
        block = Block(name, tuple((dim, tuple(labels)) for dim, labels in dims.items()), offset)
        blocks[name] = block
        return block

    def assemble(self) -> Assembled:
        """Sum the triplets and put everything column-wise, as the solver wants it."""
        empty: list[Floats] = [np.zeros(0)]
        start, index, value = _column_wise(self._triplets, self.column_count, self.row_count)
        return Assembled(
            model=self,
            cost=np.concatenate(self._cost or empty),
            lower=np.concatenate(self._lower or empty),
            upper=np.concatenate(self._upper or empty),
            integer=np.concatenate(self._integer or [np.zeros(0, bool)]),
            row_lower=np.concatenate(self._row_lower or empty),
            row_upper=np.concatenate(self._row_upper or empty),
            start=start,
            index=index,
            value=value,
        )


def _end(blocks: dict[str, Block]) -> int:
    """Where the next block begins: after the last one."""
    last = next(reversed(blocks.values()), None)
    return 0 if last is None else last.offset + last.size


def _column_wise(
    triplets: Sequence[tuple[Ints, Ints, Floats]], column_count: int, row_count: int
) -> tuple[Ints, Ints, Floats]:
    """Triplets to compressed columns; zeros are left out, equal places are added up."""
    height = max(row_count, 1)
    places, parts = [np.zeros(0, np.int64)], [np.zeros(0)]
    for rows, columns, values in triplets:
        place = columns * height
        place += rows
        kept = slice(None) if values.all() else values != 0.0
        places.append(place[kept])
        parts.append(values[kept])
    place, value = np.concatenate(places), np.concatenate(parts)
    del places, parts
    order = np.argsort(place, kind="stable")
    place, value = place[order], value[order]
    other = place[1:] != place[:-1]
    if not other.all():
        starts = np.flatnonzero(np.r_[True, other])
        place, value = place[starts], np.add.reduceat(value, starts)
    column = place // height
    start = np.zeros(column_count + 1, np.int64)
    np.cumsum(np.bincount(column, minlength=column_count), out=start[1:])
    column *= height
    place -= column
    return start, place, value


@dataclass
class Assembled:
    """The matrix and vectors of a model, ready to be solved, and changed between solves."""

    model: Model
    cost: Floats
    lower: Floats
    upper: Floats
    integer: NDArray[np.bool_]
    row_lower: Floats
    row_upper: Floats
    start: Ints
    index: Ints
    value: Floats

    def activity(self, x: Floats) -> Floats:
        """Row activities `a @ x`. Shape (rows,)."""
        columns = np.repeat(np.arange(len(self.cost)), np.diff(self.start))
        return np.asarray(
            np.bincount(self.index, self.value * x[columns], minlength=len(self.row_lower)), float
        )

    def fix(self, name: str, values: Floats) -> None:
        """Fix a block of columns at `values` (same shape as the block)."""
        block = self.model.columns[name]
        self.lower[block.at] = values
        self.upper[block.at] = values

    def coefficient_range(self) -> tuple[float, float]:
        """Smallest and largest magnitude of the matrix."""
        magnitude = np.abs(self.value)
        return (float(magnitude.min()), float(magnitude.max())) if len(magnitude) else (0.0, 0.0)


@dataclass(frozen=True)
class Solution:
    """What the solver found. `x` is by global column; duals exist only where the problem was continuous."""

    assembled: Assembled
    x: Floats
    objective: float
    bound: float
    row_dual: Floats | None
    seconds: float
    column_dual: Floats | None = None

    @property
    def gap(self) -> float:
        """Distance to the best bound, relative to the objective."""
        return abs(self.objective - self.bound) / max(abs(self.objective), 1e-9)

    def of(self, name: str) -> Floats:
        """Values of a block of columns, in its shape."""
        return self.x[self.assembled.model.columns[name].at]

    def dual(self, name: str) -> Floats:
        """Duals of a block of rows, in its shape: change of the cost per unit of right-hand side."""
        if self.row_dual is None:
            raise SolverError("this solution has no duals: it was found with integer variables")
        return self.row_dual[self.assembled.model.rows[name].at]


class Infeasible(Exception):
    """No point keeps all rows and bounds; callers turn this into words of the study."""


def solve(
    problem: Assembled,
    *,
    method: Method = "choose",
    gap: float = 0.0,
    relax: bool = False,
    seed: int = 1,
    start_at: Floats | None = None,
) -> Solution:
    """Minimise with one thread and a fixed seed; stops by gap, never by time.

    `relax` ignores integrality; `start_at` proposes a first solution. Raises Infeasible, or SolverError where
    HiGHS ends in any other way.
    """
    import highspy

    kept = ~((problem.lower == 0.0) & (problem.upper == 0.0))
    integer = problem.integer & kept & (not relax)
    highs = _configured(method, gap, seed, bool(integer.any()))
    _pass(highs, problem, kept, integer)
    if start_at is not None:
        guess = highspy.HighsSolution()
        guess.col_value = start_at[kept].tolist()
        highs.setSolution(guess)
    highs.run()
    return _read(highs, problem, kept, bool(integer.any()))


def _configured(
    method: Method, gap: float, seed: int, mixed: bool, tolerance: float | None = None
) -> highspy.Highs:
    """A quiet solver; refuses to fall back silently where an option is not understood."""
    import highspy

    highs: highspy.Highs = highspy.Highs()  # type: ignore[no-untyped-call]
    options: dict[str, Any] = {"output_flag": False, "threads": 1, "random_seed": seed, "mip_rel_gap": gap}
    if method == "simplex":
        options["solver"] = "simplex"
    elif method == "hipo":
        options["mip_lp_solver" if mixed else "solver"] = "hipo"
    if tolerance is not None:
        options |= dict.fromkeys(("primal_feasibility_tolerance", "dual_feasibility_tolerance"), tolerance)
    for option, value in options.items():
        if highs.setOptionValue(option, value) != highspy.HighsStatus.kOk:
            raise SolverError(
                f"HiGHS does not take {option}={value!r}; is highspy-extras installed beside highspy?"
            )
    return highs


def _pass(highs: highspy.Highs, problem: Assembled, kept: Bools, integer: Bools) -> None:
    """Hand the kept columns to the solver as whole arrays: filling a HighsLp goes number by number."""
    import highspy

    lengths = np.diff(problem.start)
    whole = bool(kept.all())
    entries = slice(None) if whole else np.repeat(kept, lengths)
    columns: slice | Bools = slice(None) if whole else kept
    start = problem.start if whole else np.r_[0, np.cumsum(lengths[kept])]
    highs.passModel(
        int(kept.sum()), len(problem.row_lower), int(start[-1]),
        int(highspy.MatrixFormat.kColwise), int(highspy.ObjSense.kMinimize), 0.0,
        problem.cost[columns], problem.lower[columns], problem.upper[columns],
        problem.row_lower, problem.row_upper,
        start.astype(np.int32), problem.index[entries].astype(np.int32), problem.value[entries],
        integer[columns].astype(np.int32),
    )  # fmt: skip


def _read(highs: highspy.Highs, problem: Assembled, kept: NDArray[np.bool_], mixed: bool) -> Solution:
    """The solver's answer, spread over all columns again."""
    import highspy

    status = highs.getModelStatus()
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        raise Infeasible(problem.model.name)
    if status != highspy.HighsModelStatus.kOptimal:
        raise SolverError(f"{problem.model.name}: HiGHS ended with {highs.modelStatusToString(status)}")
    solution, info = highs.getSolution(), highs.getInfo()
    x = np.zeros(len(problem.cost))
    x[kept] = np.asarray(solution.col_value)
    return Solution(
        assembled=problem,
        x=x,
        objective=float(info.objective_function_value),
        bound=float(info.mip_dual_bound) if mixed else float(info.objective_function_value),
        row_dual=None if mixed else np.asarray(solution.row_dual),
        seconds=highs.getRunTime(),
        column_dual=None if mixed else _spread(np.asarray(solution.col_dual), kept),
    )


def _spread(values: Floats, kept: Bools) -> Floats:
    """Values of the kept columns at their places among all, zero elsewhere."""
    everywhere = np.zeros(len(kept))
    everywhere[kept] = values
    return everywhere


class Live:
    """A continuous problem solved again and again while bounds of some columns move.

    The simplex method starts from the last basis, several times faster than anew. All columns are kept, also
    those fixed at zero, since a bound may move. The bounds of the `Assembled` itself stay as they are.
    `tolerance`: of rows and reduced costs, where the solver's own (1e-7) is not close enough.
    """

    def __init__(self, problem: Assembled, seed: int = 1, tolerance: float | None = None) -> None:
        self._problem = problem
        self._everything = np.ones(len(problem.cost), bool)
        self._highs = _configured("simplex", 0.0, seed, mixed=False, tolerance=tolerance)
        _pass(self._highs, problem, self._everything, np.zeros(len(problem.cost), bool))

    def fix(self, columns: Ints, values: Floats) -> None:
        """Fix columns at values (any one shape)."""
        places = np.ascontiguousarray(columns.reshape(-1), dtype=np.int32)
        at = np.ascontiguousarray(np.broadcast_to(values, columns.shape).reshape(-1), dtype=float)
        self._highs.changeColsBounds(len(places), places, at, at)

    def price(self, columns: Ints, cost: Floats) -> None:
        """Change the cost of columns (any one shape)."""
        places = np.ascontiguousarray(columns.reshape(-1), dtype=np.int32)
        at = np.ascontiguousarray(np.broadcast_to(cost, columns.shape).reshape(-1), dtype=float)
        self._highs.changeColsCost(len(places), places, at)

    def shift(self, rows: Ints, amount: float) -> None:
        """Move the finite bounds of rows by an amount from where the problem has them."""
        places = np.ascontiguousarray(rows.reshape(-1), dtype=np.int32)
        lower, upper = self._problem.row_lower[places] + amount, self._problem.row_upper[places] + amount
        self._highs.changeRowsBounds(len(places), places, lower, upper)  # type: ignore[attr-defined]

    def solve(self) -> Solution:
        """Minimise from the last basis. Raises Infeasible."""
        self._highs.run()
        return _read(self._highs, self._problem, self._everything, mixed=False)
