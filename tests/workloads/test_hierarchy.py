"""The hierarchy against the dense Gaussian process that says the same."""

from __future__ import annotations

import numpy as np
import pytest

from gigawright.arrays import Floats
from gigawright.workloads.hierarchy import NONE, UNSEEN, Columns, Hierarchy, Names, Observations
from gigawright.workloads.training import effects

KINDS, PARTS, ROWS = 3, 2, 40


def drawn(seed: int, rows: int = ROWS) -> tuple[Floats, Observations]:
    rng = np.random.default_rng(seed)
    names = [NONE, UNSEEN, "a", "b", "c", "d"]
    levels = [tuple(rng.choice(names) for _ in range(KINDS)) for _ in range(rows)]
    shares = rng.dirichlet(np.ones(PARTS), rows)
    noise = rng.uniform(0.005, 0.05, rows)
    return rng.uniform(0.01, 0.1, (KINDS, PARTS)), Observations(
        levels, shares, rng.normal(0, 0.3, rows), noise
    )


def shared(left: Names, right: Names, kind: int) -> Floats:
    """Whether rows have the same known level of a kind."""
    return np.array(
        [[float(a[kind] == b[kind] and a[kind] not in (NONE, UNSEEN)) for b in right] for a in left]
    )


def dense(variances: Floats, known: Observations, wanted: Names, shares: Floats) -> tuple[Floats, Floats]:
    """Mean of the multipliers and variance of predictions by the covariance of rows, nothing sparse."""
    kinds = range(KINDS)
    total = sum(
        shared(known.levels, known.levels, k) * ((known.shares * variances[k]) @ known.shares.T)
        for k in kinds
    )
    inverse = np.linalg.inv(total + np.diag(known.noise))
    weights = inverse @ known.residual
    mean = sum(
        shared(wanted, known.levels, k) @ (known.shares * weights[:, None]) * variances[k] for k in kinds
    )
    cross = sum(shared(wanted, known.levels, k) * ((shares * variances[k]) @ known.shares.T) for k in kinds)
    has = np.array([[float(name != NONE) for name in row] for row in wanted])
    before = (shares**2 * (has @ variances)).sum(axis=1)
    return np.asarray(mean), np.asarray(before - ((cross @ inverse) * cross).sum(axis=1))


@pytest.mark.parametrize("seed", range(8))
def test_it_is_the_dense_gaussian_process(seed: int) -> None:
    variances, known = drawn(seed)
    _, asked = drawn(seed + 100, 15)
    wanted = [*asked.levels, ("new", "a", NONE)]
    shares = np.vstack([asked.shares, [0.3, 0.7]])
    found = Hierarchy(variances, known)
    mean, variance = dense(variances, known, wanted, shares)
    np.testing.assert_allclose(found.multipliers(wanted), mean, atol=1e-9)
    np.testing.assert_allclose(found.variance(wanted, shares), variance, atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_fewer_rows_say_the_same(seed: int) -> None:
    variances, known = drawn(seed)
    both = Observations(
        [*known.levels] * 3,
        *(
            np.tile(a, (3, 1)) if a.ndim == 2 else np.tile(a, 3)
            for a in (known.shares, known.residual, known.noise)
        ),
    )
    few = both.compressed()
    assert len(few.levels) < len(both.levels)
    whole, less = Hierarchy(variances, both), Hierarchy(variances, few)
    np.testing.assert_allclose(less.multipliers(known.levels), whole.multipliers(known.levels), atol=1e-9)
    np.testing.assert_allclose(
        less.variance(known.levels, known.shares), whole.variance(known.levels, known.shares), atol=1e-9
    )


def test_unseen_levels_widen_and_empty_ones_do_not() -> None:
    variances, known = drawn(1)
    found, half = Hierarchy(variances, known), np.full((1, PARTS), 0.5)
    assert found.variance([(NONE, NONE, NONE)], half)[0] == 0
    assert found.variance([(UNSEEN, NONE, NONE)], half)[0] == pytest.approx(0.25 * variances[0].sum())
    assert found.variance([("new", NONE, NONE)], half)[0] == pytest.approx(0.25 * variances[0].sum())
    assert found.variance([("a", NONE, NONE)], half)[0] < 0.25 * variances[0].sum()


def test_it_is_the_hierarchy_of_training() -> None:
    rng, kinds = np.random.default_rng(7), len(effects.KINDS)
    release = effects.KINDS.index("release")
    rows = [[str(rng.choice([NONE, UNSEEN, "a", "b", "c"])) for _ in range(kinds)] for _ in range(45)]
    for row in rows:
        row[release] = str(rng.choice(["a", "b"]))  # in training a site that tells no release has an open one
    levels, shares = [tuple(row) for row in rows], rng.dirichlet(np.ones(3), 45)
    residual, noise = rng.normal(0, 0.3, 30), rng.uniform(0.005, 0.05, 30)
    variances = rng.uniform(0.01, 0.1, (kinds, 3))
    ours = Hierarchy(variances, Observations(levels[:30], shares[:30], residual, noise))
    other = effects.Effects(effects.Known(levels[:30], shares[:30], residual, noise), variances)
    np.testing.assert_allclose(ours.multipliers(levels), other.multipliers(levels), atol=1e-9)
    np.testing.assert_allclose(ours.variance(levels, shares), other.variance(levels, shares), atol=1e-9)


def test_groups_of_fewer_rows_than_parts_lose_nothing() -> None:
    levels: Names = [("a",), ("b",), ("b",), ("a",), ("c",), ("c",), ("c",), ("c",)]
    rng = np.random.default_rng(2)
    shares = rng.dirichlet(np.ones(3), 8)
    shares[5:] = shares[4]  # rows of one direction
    known = Observations(levels, shares, rng.normal(0, 1, 8), rng.uniform(0.1, 0.5, 8))
    few, variances = known.compressed(), np.array([[0.1, 0.2, 0.3]])
    wanted = [(name,) for name in "abcd"]
    whole, less = Hierarchy(variances, known), Hierarchy(variances, few)
    assert max(few.levels.count((name,)) for name in "abc") <= 3
    np.testing.assert_array_equal(few.noise, 1.0)
    np.testing.assert_allclose(less.multipliers(wanted), whole.multipliers(wanted), atol=1e-9)
    np.testing.assert_allclose(
        less.variance(wanted, shares[:4]), whole.variance(wanted, shares[:4]), atol=1e-9
    )


def test_rows_without_any_level_teach_nothing() -> None:
    variances, known = drawn(3)
    more = Observations(
        [*known.levels, (NONE,) * KINDS, (UNSEEN,) * KINDS],
        np.vstack([known.shares, np.full((2, PARTS), 0.5)]),
        np.append(known.residual, [9.0, -9.0]),
        np.append(known.noise, [0.01, 0.01]),
    )
    found = Hierarchy(variances, more)
    np.testing.assert_allclose(found.mean, Hierarchy(variances, known).mean, atol=1e-12)
    assert (found.multipliers([("new", UNSEEN, NONE)]) == 0).all()


def test_the_same_name_of_another_kind_is_another_level() -> None:
    columns = Columns.of([("a", "b"), ("b", "a"), (NONE, UNSEEN)], 2)
    assert columns.place == {(0, "a"): 0, (1, "b"): 1, (0, "b"): 2, (1, "a"): 3}
    assert columns.count == 8
    assert columns.spread(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist() == [1, 2, 3, 4, 1, 2, 3, 4]
