"""What measured matrix products say of a chip: the constants at which the formula repeats them best."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gigawright.arrays import Floats
from gigawright.errors import UserError
from gigawright.workloads.training.constants import priors
from gigawright.workloads.training.gemm_table import FEWEST, WIDTHS, GemmTable
from gigawright.workloads.training.operators import product
from gigawright.workloads.training.shapes import TILE


@dataclass(frozen=True)
class FittedGemm:
    """Constants of the formula that a table of measured products comes to, and how well they repeat it.

    `share` of the peak that an endless product reaches, `tile_s` and `waves` as `Constants.tile_s` and
    `gemm_waves`, `start_s` the seconds that any product takes besides; `depth` the inner dimension at which
    `tile_s` costs half of the rate on this machine; errors are of seconds, relative.
    """

    share: float
    tile_s: float
    waves: float
    start_s: float
    depth: float
    median_error: float
    p90_error: float
    products: int
    precision: str


GUESS = np.array([math.log(0.75), math.log(0.6e-6), math.log(0.2 / 0.8), math.log(6e-6)])
"""Where a fit starts, and what it keeps where products do not tell: logarithms of share, tile_s [s] and start
[s], and log-odds of waves.

One tile_s, waves and start for 215 products each of an H100, a B200 (also at fp8), an MI300X and an MI355X
(openxla/xla, default_matmul_perf_table.txtpb) and 96 of an A100 (MooreThreads/SimuMax, a100_pcie.json); see
docs/training.md.
"""

LOOSENESS = np.array([0.5, 1.0, 1.0, 1.0])
"""Standard deviation of the elements of `GUESS`; assumption: wide."""

NOISE = 0.03
"""Standard deviation of a product's measurement; assumption: transposed twins in those tables differ by a
median of 1% on an H100 and a B200, 3-4% on an MI300X and an MI355X.
"""

ROUNDS = 100


def fit_formula(
    table: GemmTable, cores: float, peak: float, bandwidth: float, precision: str = "bf16"
) -> FittedGemm:
    """The formula's constants at which it repeats the table best.

    seconds = product(m, n, k; rate = share * peak, tile_s, waves, start), by least squares of
    log(seconds / measured) in which outliers count less (log cosh), `GUESS` being weak evidence. `peak` is
    the data sheet's [flop/s] at the precision, `bandwidth` that of memory [bytes/s].

    Raises UserError where fewer than 3 products have the precision, or any is faster than the peak.
    """
    rows = np.array([name == precision for name in table.precision])
    if rows.sum() < FEWEST:
        raise UserError(f"{table.name} has {rows.sum()} products in {precision}; {FEWEST} are needed")
    if too_fast := table.above(peak, precision):
        raise UserError(
            f"{table.name}: {too_fast} product(s) in {precision} are faster than the peak of "
            f"{peak / 1e12:g} TFLOP/s: time them again, or correct the peak"
        )
    used, c = table.only(rows), priors()

    def misses(at: Floats) -> Floats:
        share, tile_s, waves, start = _constants(at)
        own = replace(c, tile_s=tile_s, gemm_waves=waves, gemm_start_s=start)
        sizes = (used.m, used.n, used.k, np.array(share * peak), np.array(bandwidth), np.array(cores))
        return np.asarray(np.log((product(*sizes, WIDTHS[precision], own)) / used.seconds))

    at = _least_squares(misses, GUESS)
    share, tile_s, waves, start = _constants(at)
    depth = tile_s * share * peak / cores / (2 * TILE * TILE)
    errors = np.abs(np.expm1(misses(at)))
    middle, most = (float(np.quantile(errors, part)) for part in (0.5, 0.9))
    return FittedGemm(share, tile_s, waves, start, depth, middle, most, len(used), precision)


def _constants(at: Floats) -> tuple[float, float, float, float]:
    share, tile_s, odds, start = (float(value) for value in np.exp(at))
    return share, tile_s, odds / (1 + odds), start


def _least_squares(misses: Callable[[Floats], Floats], guess: Floats) -> Floats:
    """Parameters of the smallest sum, by Levenberg's and Marquardt's damping of Gauss-Newton steps."""
    at, damping = guess.copy(), 1e-2
    cost = _cost(misses(at), at, guess)
    for _ in range(ROUNDS):
        curve, down = _slopes(misses, at, guess)
        step = -np.linalg.solve(curve + damping * np.diag(np.diag(curve)), down)
        tried = _cost(misses(at + step), at + step, guess)
        if tried >= cost:
            damping *= 5
            if damping > 1e9:
                break
            continue
        at, damping = at + step, max(1e-9, damping / 5)
        if cost - tried < 1e-10 * cost:
            break
        cost = tried
    return at


def _slopes(misses: Callable[[Floats], Floats], at: Floats, guess: Floats) -> tuple[Floats, Floats]:
    """Curvature and slope of the sum; a miss beyond the noise weighs as in least distance."""
    missed = misses(at)
    slope = np.stack([(misses(at + 1e-5 * one) - missed) / 1e-5 for one in np.eye(len(at))], axis=1)
    size = np.maximum(np.abs(missed) / NOISE, 1e-9)
    weighted = slope * (np.tanh(size) / size / NOISE**2)[:, None]
    curve = weighted.T @ slope + np.diag(1 / LOOSENESS**2)
    return curve, weighted.T @ missed + (at - guess) / LOOSENESS**2


def _cost(missed: Floats, at: Floats, guess: Floats) -> float:
    size = np.abs(missed) / NOISE
    robust = size + np.log1p(np.exp(-2 * size)) - math.log(2)  # log cosh that does not overflow
    return float(np.sum(robust) + 0.5 * np.sum(((at - guess) / LOOSENESS) ** 2))


def describe(fitted: FittedGemm) -> str:
    """The fitted constants in words, with what each means.

    >>> print(describe(FittedGemm(0.862, 0.9e-6, 0.22, 5.2e-6, 175, 0.027, 0.059, 375, "bf16")))
    375 products in bf16, repeated to 2.7% (median) and 5.9% (p90)
      share of peak  0.862    what an endless product reaches
      tile_s         0.90 us  fills and empties a core for a tile: half of the rate at depth 175
      gemm_waves     0.22     share of the idle tail of the last wave of tiles that is lost
      start          5.2 us   that any product takes besides
    """
    head = f"{fitted.products} products in {fitted.precision}, repeated to {fitted.median_error:.1%} (median)"
    tile, start = f"{fitted.tile_s * 1e6:.2f} us", f"{fitted.start_s * 1e6:.1f} us"
    return "\n".join(
        [
            f"{head} and {fitted.p90_error:.1%} (p90)",
            f"  share of peak  {fitted.share:<8.3f} what an endless product reaches",
            f"  tile_s         {tile:<8} fills and empties a core for a tile: half of the rate at depth "
            f"{fitted.depth:.0f}",
            f"  gemm_waves     {fitted.waves:<8.2f} share of the idle tail of the last wave of tiles that is "
            "lost",
            f"  start          {start:<8} that any product takes besides",
        ]
    )
