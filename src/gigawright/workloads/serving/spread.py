"""How lengths of requests spread around their mean."""

from __future__ import annotations

import math

import numpy as np

from gigawright.arrays import Ints

INPUT_SPREAD = 0.96
OUTPUT_SPREAD = 0.77
"""Standard deviation over mean of tokens of a prompt and of an answer: the conversations of Azure's LLM
inference trace of 2023 (19,366 requests; Patel et al., Splitwise, ISCA 2024, arXiv:2311.18677). The shape is
taken as lognormal.
"""

Z_99 = 2.3263
"""Standard normal quantile of 99%."""


def long_over_mean(spread: float) -> float:
    """The 99th percentile of lengths over their mean.

    >>> round(long_over_mean(0.96), 2)
    4.73
    """
    sigma = math.sqrt(math.log1p(spread**2))
    return math.exp(Z_99 * sigma - sigma**2 / 2)


def lengths(mean: float, spread: float, count: int, random: np.random.Generator) -> Ints:
    """Tokens of requests: a lognormal spread in equal steps of probability, in random order, at least 1.

    >>> found = lengths(1000.0, 0.9, 4000, np.random.default_rng(1))
    >>> round(float(found.mean())), round(float(found.std() / found.mean()), 1)
    (1000, 0.9)
    """
    from scipy.special import ndtri

    sigma = np.sqrt(np.log1p(spread**2))
    steps = np.exp(sigma * ndtri((np.arange(count) + 0.5) / count))
    return np.maximum(1, np.rint(random.permutation(steps * (mean / steps.mean())))).astype(np.int64)
