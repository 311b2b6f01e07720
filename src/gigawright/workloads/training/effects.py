"""What chips, sites and releases add to the model: a hierarchy of shrunken multipliers, one for each part of
a step.

    log T = log sum_p exp(sum_l d[l, p]) T_p + e,   d[l, p] ~ N(0, v[kind of l, p]),   e ~ N(0, noise)

A level (a chip, its generation, its vendor, who measured, with which release) multiplies the parts of a step.
Levels with many measurements speak for themselves; those with few are pulled to the level above; those with
none add their spread to the interval. Linear in d at the fitted shares of the parts, so means and spreads are
those of a Gaussian process with a kernel of shared levels (best linear unbiased prediction: Robinson 1991,
Statistical Science 6(1), 15-32).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gigawright.arrays import Floats
from gigawright.workloads.training.run import Run

KINDS = ("vendor", "generation", "chip", "site", "release", "setting", "model", "expert model")
"""Kinds of level: a setting is precision with recipe on a chip's generation, a model is one at a site; those
with experts differ more among each other, and are a kind of their own.
"""


UNSEEN = "?"
"""A level that no measured run has: who measured is not known, or will be the reader."""


def levels(run: Run) -> tuple[str, ...]:
    """The level of each kind that a run belongs to; `UNSEEN` where it is not known, empty where there is
    none.

    >>> from gigawright.workloads.training.examples import llama_run
    >>> levels(llama_run(site="Llama"))[:4]
    ('NVIDIA', 'NVIDIA Hopper', 'nv_h100_sxm', 'Llama')
    """
    chip = run.chip
    generation = f"{chip.vendor} {chip.generation or chip.name}"
    moe = "MoE" if run.model.is_moe else "dense"
    site = run.site or UNSEEN
    release = f"{site} {run.release} {moe}" if run.release else ""
    setting = f"{generation} {run.precision} {run.recipe}"
    model = f"{site} {run.model.name}" if run.site else UNSEEN
    own = ("", model) if run.model.is_moe else (model, "")
    return (chip.vendor, generation, chip.id, site, release, setting, *own)


@dataclass(frozen=True)
class Known:
    """Measured runs as the hierarchy sees them: levels [N][kinds], shares of the parts [N, parts], the
    logarithm of measured over predicted seconds without effects [N], and the variance of its noise [N].
    """

    levels: Sequence[tuple[str, ...]]
    shares: Floats
    residual: Floats
    noise: Floats


@dataclass(frozen=True)
class Effects:
    """The hierarchy given measured runs; `variances` are by kind and part [kinds, parts]."""

    known: Known
    variances: Floats

    def multipliers(self, wanted: Sequence[tuple[str, ...]]) -> Floats:
        """Logarithm of what to multiply each part by, for runs of these levels [runs, parts]."""
        same = same_levels(wanted, self.known.levels)
        weighted = self.known.shares * self.weights[:, None]
        return np.asarray(((same @ weighted) * self.variances[:, None, :]).sum(axis=0))

    def variance(self, wanted: Sequence[tuple[str, ...]], shares: Floats) -> Floats:
        """Variance of the logarithm of a prediction, noise left out; shares [runs, parts]."""
        cross = covariance(wanted, shares, self.known.levels, self.known.shares, self.variances)
        prior = np.array([self.variances[self.open_kinds(row)].sum(axis=0) for row in wanted])
        before = (shares**2 * prior).sum(axis=1)
        return np.asarray(np.maximum(0.0, before - ((cross @ self.inverse) * cross).sum(axis=1)))

    def open_kinds(self, row: tuple[str, ...]) -> list[int]:
        """Kinds whose level a run has, known or not; a release is one also where it is not told, unless the
        site never tells any.
        """
        kinds = [place for place, name in enumerate(row) if name]
        release, site = row[KINDS.index("release")], row[KINDS.index("site")]
        silent = not release and (site == UNSEEN or site in self._with_releases)
        return [*kinds, KINDS.index("release")] if silent else kinds

    @cached_property
    def _with_releases(self) -> frozenset[str]:
        """Sites that tell releases."""
        release, site = KINDS.index("release"), KINDS.index("site")
        return frozenset(row[site] for row in self.known.levels if row[release])

    @cached_property
    def weights(self) -> Floats:
        """Inverse covariance times residuals [N]."""
        return np.asarray(self.inverse @ self.known.residual)

    @cached_property
    def inverse(self) -> Floats:
        """Inverse of the covariance of the measured runs [N, N]."""
        known = self.known
        total = covariance(known.levels, known.shares, known.levels, known.shares, self.variances)
        return np.asarray(np.linalg.inv(total + np.diag(known.noise)))


def same_levels(rows: Sequence[tuple[str, ...]], columns: Sequence[tuple[str, ...]]) -> Floats:
    """Whether two runs share their level of each kind [kinds, rows, columns]; an unknown level is shared by
    none.
    """
    kinds = len(KINDS)
    codes: Mapping[str, int] = {
        name: place for place, name in enumerate(sorted({n for row in [*rows, *columns] for n in row}))
    }
    none = ("", UNSEEN)
    left = np.array([[-1 if n in none else codes[n] for n in row] for row in rows]).reshape(-1, kinds).T
    right = np.array([[-2 if n in none else codes[n] for n in row] for row in columns]).reshape(-1, kinds).T
    return np.asarray(left[:, :, None] == right[:, None, :], dtype=float)


def covariance(
    rows: Sequence[tuple[str, ...]],
    row_shares: Floats,
    columns: Sequence[tuple[str, ...]],
    column_shares: Floats,
    variances: Floats,
) -> Floats:
    """Covariance of the logarithms of two sets of runs that their shared levels cause [rows, columns]."""
    same = same_levels(rows, columns)
    return np.asarray((same * part_covariance(row_shares, column_shares, variances)).sum(axis=0))


def part_covariance(row_shares: Floats, column_shares: Floats, variances: Floats) -> Floats:
    """Covariance of two runs that share a level of each kind, by kind [kinds, rows, columns]."""
    return np.asarray((row_shares * variances[:, None, :]) @ column_shares.T)
