"""Blocks, the matrix, and what the solver says: against a dense matrix and SciPy, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawright.errors import SolverError
from gigawright.linear import Infeasible, Model, solve


def dense(model: Model) -> np.ndarray:
    """The assembled matrix, written out."""
    found = model.assemble()
    matrix = np.zeros((model.row_count, model.column_count))
    for column in range(model.column_count):
        for at in range(found.start[column], found.start[column + 1]):
            matrix[found.index[at], column] += found.value[at]
    return matrix


def diet() -> Model:
    """min 2 x + 3 y with x + y >= 4 and x <= 3: x = 3, y = 1, cost 9; the row is worth 3."""
    model = Model("diet")
    food = model.add_columns("food", {"kind": ("x", "y")}, upper=[3.0, 10.0], cost=[2.0, 3.0])
    row = model.add_rows("enough", {}, lower=4.0)
    model.add_terms(row, food, 1.0)
    return model


def test_a_small_problem_by_hand() -> None:
    found = solve(diet().assemble())
    assert found.of("food") == pytest.approx([3.0, 1.0])
    assert found.objective == pytest.approx(9.0)
    assert found.bound == pytest.approx(9.0)
    assert found.gap == pytest.approx(0.0)
    assert found.dual("enough") == pytest.approx(3.0)


@pytest.mark.parametrize("method", ["simplex", "hipo", "choose"])
def test_every_method_finds_it(method: str) -> None:
    assert solve(diet().assemble(), method=method).objective == pytest.approx(9.0, rel=1e-6)


def test_blocks_know_their_places_and_names() -> None:
    model = Model()
    model.add_columns("a", {"i": ("p", "q")})
    b = model.add_columns("b", {"i": ("p", "q"), "j": ("1", "2", "3")})
    one = model.add_columns("alone", {})
    assert b.tolist() == [[2, 3, 4], [5, 6, 7]]
    assert one.shape == ()
    assert model.columns["b"].label(6) == "b[q,2]"
    assert model.columns["alone"].label(8) == "alone"
    assert model.column_count == 9
    with pytest.raises(ValueError, match="already there"):
        model.add_columns("a", {})


def test_terms_broadcast_and_repeats_add_up() -> None:
    model = Model()
    x = model.add_columns("x", {"i": ("1", "2", "3")})
    rows = model.add_rows("r", {"i": ("1", "2")}, upper=1.0)
    model.add_terms(rows[:, None], x[None, :], 2.0)
    model.add_terms(rows[0], x[1], 5.0)
    model.add_terms(rows[1], x[2], -2.0)
    assert dense(model).tolist() == [[2, 7, 2], [2, 2, 0]]


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    entries=st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(-5, 5)), min_size=0, max_size=40
    )
)
def test_the_matrix_is_the_sum_of_its_terms(entries: list[tuple[int, int, int]]) -> None:
    model = Model()
    model.add_columns("x", {"i": tuple("abcd")})
    model.add_rows("r", {"i": tuple("vwxyz")})
    expected = np.zeros((5, 4))
    for row, column, value in entries:
        model.add_terms(row, column, float(value))
        expected[row, column] += value
    assert np.array_equal(dense(model), expected)
    point = np.array([1.0, -2.0, 3.0, 0.5])
    assert model.assemble().activity(point) == pytest.approx(expected @ point)


@settings(max_examples=40, derandomize=True, deadline=None)
@given(seed=st.integers(0, 10_000), whole=st.booleans())
def test_random_problems_have_scipys_optimum(seed: int, whole: bool) -> None:
    from scipy.optimize import Bounds, LinearConstraint, milp

    rng = np.random.default_rng(seed)
    matrix = rng.integers(-3, 4, (4, 6)).astype(float)
    cost, upper = rng.integers(-5, 6, 6).astype(float), rng.integers(0, 5, 6).astype(float)
    high = rng.integers(0, 12, 4).astype(float)
    model = Model()
    x = model.add_columns("x", {"i": tuple("abcdef")}, upper=upper, cost=cost, integer=whole)
    rows = model.add_rows("r", {"i": tuple("wxyz")}, upper=high)
    model.add_terms(rows[:, None], x[None, :], matrix)
    expected = milp(
        cost,
        integrality=np.full(6, int(whole)),
        bounds=Bounds(0, upper),
        constraints=LinearConstraint(matrix, -np.inf, high),
    )
    found = solve(model.assemble(), gap=1e-9)
    assert found.objective == pytest.approx(expected.fun, abs=1e-7)
    assert cost @ found.x == pytest.approx(found.objective, abs=1e-7)


def test_a_whole_problem_has_no_duals_and_its_relaxation_has() -> None:
    model = Model()
    x = model.add_columns("x", {}, cost=1.0, integer=True)
    row = model.add_rows("r", {}, lower=1.5)
    model.add_terms(row, x, 1.0)
    found = solve(model.assemble())
    assert found.of("x") == pytest.approx(2.0)
    with pytest.raises(SolverError, match="no duals"):
        found.dual("r")
    relaxed = solve(model.assemble(), relax=True)
    assert relaxed.of("x") == pytest.approx(1.5)
    assert relaxed.dual("r") == pytest.approx(1.0)


def test_columns_fixed_at_zero_stay_zero_and_cost_nothing() -> None:
    model = Model()
    x = model.add_columns("x", {"i": ("a", "b")}, upper=[0.0, 5.0], cost=[-9.0, 1.0])
    row = model.add_rows("r", {}, lower=2.0)
    model.add_terms(row, x, 1.0)
    assert solve(model.assemble()).of("x") == pytest.approx([0.0, 2.0])


def test_fixing_a_block_and_starting_from_a_point() -> None:
    problem = diet().assemble()
    problem.fix("food", np.array([1.0, 3.0]))
    assert solve(problem).objective == pytest.approx(11.0)
    again = diet().assemble()
    assert solve(again, start_at=np.array([3.0, 1.0])).objective == pytest.approx(9.0)


def test_set_cost_replaces_a_blocks_cost() -> None:
    model = diet()
    model.set_cost("food", [5.0, 1.0])
    assert solve(model.assemble()).of("food") == pytest.approx([0.0, 4.0])


def test_an_impossible_problem_is_infeasible() -> None:
    model = diet()
    row = model.add_rows("not_much", {}, upper=1.0)
    model.add_terms(row, model.columns["food"].at, 1.0)
    with pytest.raises(Infeasible):
        solve(model.assemble())


def test_an_unbounded_problem_is_our_error_not_the_users() -> None:
    model = Model("open")
    model.add_columns("x", {}, cost=-1.0)
    model.add_rows("r", {}, upper=1.0)
    with pytest.raises(SolverError, match="open: HiGHS ended with"):
        solve(model.assemble())


def test_an_option_that_is_not_understood_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import highspy

    monkeypatch.setattr(highspy.Highs, "setOptionValue", lambda *_: highspy.HighsStatus.kError)
    with pytest.raises(SolverError, match="highspy-extras"):
        solve(diet().assemble())


def test_a_model_without_rows_or_columns() -> None:
    assert Model().assemble().coefficient_range() == (0.0, 0.0)
    model = Model()
    model.add_columns("x", {"i": ("a",)}, lower=1.0, upper=3.0, cost=2.0)
    assert solve(model.assemble()).objective == pytest.approx(2.0)
