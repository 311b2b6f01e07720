"""What chips, engines and models add to a formula: a hierarchy of shrunken multipliers of the parts of a
time.

    log T = log sum_p exp(sum_l d[l, p]) T_p + e,   d[l, p] ~ N(0, v[kind of l, p]),   e ~ N(0, noise)

A level (a chip, its generation, its vendor, an engine) multiplies the parts of a time. Levels with many
measurements speak for themselves; those with few are pulled to the level above; those with none add their
spread to the interval. Linear in d at the fitted shares of the parts, so means and spreads are those of the
mixed-model equations (Henderson 1975, Biometrics 31(2), 423-447): as many unknowns as levels, however many
rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from gigawright.arrays import Floats, Ints

if TYPE_CHECKING:
    from scipy.sparse import csr_array

NONE = ""
"""A row that has no level of a kind."""

UNSEEN = "?"
"""A level that no measured row has: its spread counts, nothing is known of it."""

Names = Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Observations:
    """Measured rows as the hierarchy sees them: a level of each kind [N][kinds], shares of the parts
    [N, parts], the logarithm of measured over predicted without effects [N], and the variance of its noise
    [N].
    """

    levels: Names
    shares: Floats
    residual: Floats
    noise: Floats

    def compressed(self) -> Observations:
        """As few rows that say exactly the same: of those with the same levels, as many as there are parts.

        Rows S with residuals r, over the root of their noise, count only through S'S and S'r. With S = Q R, R
        and Q'r count the same (Golub and Van Loan, Matrix Computations, section 5.3); their noise is 1.
        """
        groups: dict[tuple[str, ...], list[int]] = {}
        for at, names in enumerate(self.levels):
            groups.setdefault(names, []).append(at)
        weight = 1 / np.sqrt(self.noise)
        both = np.column_stack([self.shares, self.residual]) * weight[:, None]
        parts = self.shares.shape[1]
        found = [np.linalg.qr(both[rows], mode="r")[:parts] for rows in groups.values()]
        kept = [part[np.abs(part).max(axis=1) > 0] for part in found]
        table = np.vstack(kept)
        return Observations(
            levels=[names for names, part in zip(groups, kept, strict=True) for _ in part],
            shares=table[:, :parts],
            residual=table[:, parts],
            noise=np.ones(len(table)),
        )


@dataclass(frozen=True)
class Columns:
    """The unknowns: a block of one for each part, for each level that rows have; `kind` of each block."""

    place: dict[tuple[int, str], int]
    kind: Ints
    parts: int

    @classmethod
    def of(cls, levels: Names, parts: int) -> Columns:
        """The levels of these rows, in order of appearance."""
        named = ((kind, name) for row in levels for kind, name in enumerate(row))
        place: dict[tuple[int, str], int] = {}
        for key in named:
            if key[1] not in (NONE, UNSEEN):
                place.setdefault(key, len(place))
        return cls(place, np.array([kind for kind, _ in place], dtype=np.int64), parts)

    @property
    def count(self) -> int:
        """Unknowns."""
        return len(self.place) * self.parts

    def spread(self, variances: Floats) -> Floats:
        """The prior variance of each unknown [columns], from those by kind and part [kinds, parts]."""
        return np.asarray(variances[self.kind].ravel())

    def matrix(self, levels: Names, shares: Floats) -> csr_array:
        """What each unknown adds to the logarithm of each row [rows, columns], sparse."""
        from scipy.sparse import csr_array

        rows, blocks = self._blocks(levels)
        columns = (blocks[:, None] * self.parts + np.arange(self.parts)).ravel()
        return csr_array(
            (shares[rows].ravel(), (np.repeat(rows, self.parts), columns)), shape=(len(levels), self.count)
        )

    def open_variance(self, levels: Names, shares: Floats, variances: Floats) -> Floats:
        """Variance that levels add of which nothing is known [rows]."""
        found = np.zeros(len(levels))
        for at, row in enumerate(levels):
            for kind, name in enumerate(row):
                if name != NONE and (kind, name) not in self.place:
                    found[at] += shares[at] ** 2 @ variances[kind]
        return found

    def multipliers(self, levels: Names, effects: Floats) -> Floats:
        """Logarithm of what to multiply each part by, by these effects [columns] [rows, parts]."""
        rows, blocks = self._blocks(levels)
        found = np.zeros((len(levels), self.parts))
        np.add.at(found, rows, effects.reshape(-1, self.parts)[blocks])
        return found

    def _blocks(self, levels: Names) -> tuple[Ints, Ints]:
        pairs = [
            (at, self.place[kind, name])
            for at, row in enumerate(levels)
            for kind, name in enumerate(row)
            if (kind, name) in self.place
        ]
        both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return both[:, 0], both[:, 1]


@dataclass(frozen=True)
class Hierarchy:
    """Levels given measured rows; `variances` are by kind and part [kinds, parts].

    >>> rows = Observations([("a",), ("a",)], np.ones((2, 1)), np.array([0.2, 0.2]), np.full(2, 0.02))
    >>> both = Hierarchy(np.array([[0.01]]), rows)
    >>> both.multipliers([("a",), ("b",)]).round(3).tolist()  # half of 0.2 is believed of a; b is unknown
    [[0.1], [0.0]]
    >>> both.variance([("a",), ("b",)], np.ones((2, 1))).round(4).tolist()
    [0.005, 0.01]
    """

    variances: Floats
    known: Observations

    @cached_property
    def columns(self) -> Columns:
        """The unknowns."""
        return Columns.of(self.known.levels, self.variances.shape[1])

    @cached_property
    def _lower(self) -> Floats:
        """Cholesky factor of the posterior precision [columns, columns]."""
        from scipy.linalg import cholesky

        matrix = self.columns.matrix(self.known.levels, self.known.shares)
        weighted = matrix.multiply(1 / self.known.noise[:, None])
        precision = (matrix.T @ weighted).toarray() + np.diag(1 / self.columns.spread(self.variances))
        return np.asarray(cholesky(precision, lower=True, overwrite_a=True, check_finite=False))

    @cached_property
    def mean(self) -> Floats:
        """Posterior mean of each unknown [columns]."""
        from scipy.linalg import cho_solve

        matrix = self.columns.matrix(self.known.levels, self.known.shares)
        right = matrix.T @ (self.known.residual / self.known.noise)
        return np.asarray(cho_solve((self._lower, True), right))

    def multipliers(self, wanted: Names) -> Floats:
        """Logarithm of what to multiply each part by, for rows of these levels [rows, parts]."""
        return self.columns.multipliers(wanted, self.mean)

    def variance(self, wanted: Names, shares: Floats) -> Floats:
        """Variance of the logarithm of a prediction, noise left out [rows]; shares [rows, parts]."""
        from scipy.linalg import solve_triangular

        matrix = self.columns.matrix(wanted, shares).toarray()
        half = solve_triangular(self._lower, matrix.T, lower=True)
        return np.asarray((half**2).sum(axis=0)) + self.columns.open_variance(wanted, shares, self.variances)
