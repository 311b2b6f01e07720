"""Days, months and persistence: what every series of a synthetic year is built with."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.clock import HOURS_PER_YEAR, month_of_hour

DAYS = HOURS_PER_YEAR // 24


@lru_cache(maxsize=1)
def months() -> tuple[Ints, Ints, Ints]:
    """Month of each hour, month of each day, days of each month."""
    of_hour = month_of_hour()
    of_day = of_hour[::24]
    return of_hour, of_day, np.bincount(of_day)


def monthly_mean(values: Floats) -> Floats:
    """Means by month of a daily or hourly series. Shape (12,)."""
    of_hour, of_day, days = months()
    hourly = len(values) == HOURS_PER_YEAR
    return np.asarray(np.bincount(of_hour if hourly else of_day, values) / (days * (24 if hourly else 1)))


def by_month(values: Floats, hourly: bool = False) -> Floats:
    """Twelve monthly values as a daily series (365,), or an hourly one (8760,)."""
    of_hour, of_day, _ = months()
    return np.asarray(values[of_hour if hourly else of_day])


def smooth_year(monthly: Floats) -> Floats:
    """A daily course through the months that keeps every month's mean exactly. Shape (365,)."""
    course, weights = _course_matrix()
    nodes = np.linalg.solve(weights, np.asarray(monthly, dtype=np.float64))
    return np.asarray(course @ nodes)


@lru_cache(maxsize=1)
def _course_matrix() -> tuple[Floats, Floats]:
    """Straight lines between the middles of months: days by nodes, and months' means by nodes."""
    _, of_day, days = months()
    middle = np.cumsum(days) - days / 2.0
    hats = np.eye(12)
    course = np.stack(
        [np.interp(np.arange(DAYS) + 0.5, middle, hats[node], period=DAYS) for node in range(12)], axis=1
    )
    means = np.stack([np.bincount(of_day, course[:, node]) / days for node in range(12)], axis=1)
    return course, means


def through_days(daily: Floats) -> Floats:
    """Hours on straight lines between the noons of days; the year is a ring. Shape (8760,)."""
    before, share = _between_noons()
    return np.asarray(daily[before] + share * (daily[(before + 1) % DAYS] - daily[before]))


@lru_cache(maxsize=1)
def _between_noons() -> tuple[Ints, Floats]:
    place = (np.arange(HOURS_PER_YEAR) + 0.5 - 12.0) / 24.0
    before = np.floor(place).astype(np.int64)
    return before % DAYS, place - before


def persistent(white: Floats, persistence: float) -> Floats:
    """First-order autoregression x[t] = r x[t-1] + sqrt(1 - r^2) white[t] on a ring, so the year closes."""
    spectrum = np.fft.rfft(white)
    return np.asarray(np.fft.irfft(spectrum * _response(len(white), persistence), len(white)))


@lru_cache(maxsize=16)
def _response(length: int, persistence: float) -> Floats:
    angle = 2.0 * np.pi * np.arange(length // 2 + 1) / length
    return np.asarray(np.sqrt(1.0 - persistence**2) / (1.0 - persistence * np.exp(-1j * angle)))


def rank_share(values: Floats) -> Floats:
    """Each value's place among its month's, (rank + 1/2) / n: uniform in every month."""
    of_hour, of_day, _ = months()
    month = of_hour if len(values) == HOURS_PER_YEAR else of_day
    order = np.lexsort((values, month))
    counts = np.bincount(month)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    share = np.empty(len(values))
    share[order] = (np.arange(len(values)) - first + 0.5) / np.repeat(counts, counts)
    return share
