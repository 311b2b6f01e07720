"""The synthetic year's radiation: how clear each day is, under the clear sky that the place's air allows."""

from __future__ import annotations

import numpy as np

from gigawright.arrays import Floats
from gigawright.catalogue.types import MonthlyClimate
from gigawright.facility.weather.synthetic_calendar import DAYS, by_month, monthly_mean, rank_share

# Day-to-day correlation of daily clearness: Graham, Hollands and Huget (1988), Solar Energy 40, 83-92
# [cited, unverified].
CLEARNESS_PERSISTENCE = 0.29
# Bendt, Collares-Pereira and Rabl (1981), Solar Energy 27, 1-5: daily clearness lies between 0.05 and a
# highest value. Saunier, Reddy and Kumar (1987), Solar Energy 38, 169-177: that value is the place's own.
LOWEST_CLEARNESS = 0.05
# The clearest day over the clear sky of mean turbidity (fitted to six stations: docs/synthetic-weather.md).
CLEAREST_OVER_CLEAR = 1.05
# Where normals say more than clear skies give, days still differ by at least this much above the mean.
LEAST_ROOM = 0.03
HIGHEST_HOURLY_CLEARNESS = 0.85
# Hour-to-hour flicker of a half-cloudy day (assumption: hours stray by 0.15 from a day's clearness of 0.35 to
# 0.55), and its persistence (Graham and Hollands 1990, Solar Energy 44, 333-341)
# [cited, unverified].
FLICKER, FLICKER_PERSISTENCE = 0.45, 0.54
BISECTIONS = 40
SUM_STEPS = 4


def hourly_radiation(
    climate: MonthlyClimate, outside: Floats, clear: Floats, day_noise: Floats, hour_noise: Floats
) -> tuple[Floats, Floats]:
    """GHI [W/m2] by local hour, (8760,), and each day's clearness over its month's mean, (365,).

    outside, clear: extraterrestrial and clear-sky irradiance on the horizontal [W/m2], (8760,). Noises are
    standard normal, by day and by hour. Days' clearness follows Bendt's distribution below the clear sky's;
    hours share a day's sum as the clear sky does, with flicker on half-cloudy days. Monthly sums are exact
    where the sun outside the atmosphere can give them.
    """
    wanted = np.array(climate.ghi_kwh_m2_day) * 1e3
    outside_day = outside.reshape(DAYS, 24).sum(axis=1)
    mean, highest = clearness_bounds(climate, outside, clear)
    day = daily_clearness(mean, highest, rank_share(day_noise))
    broken = 1.0 - np.abs(2.0 * np.clip(day / by_month(highest), 0.0, 1.0) - 1.0)
    share = (clear * np.exp(FLICKER * np.repeat(broken, 24) * hour_noise)).reshape(DAYS, 24)
    share /= np.maximum(share.sum(axis=1, keepdims=True), 1e-9)
    ghi = (share * (day * outside_day)[:, None]).ravel()
    for _ in range(SUM_STEPS):
        ghi = np.minimum(ghi, HIGHEST_HOURLY_CLEARNESS * outside)
        ghi *= by_month(wanted / np.maximum(monthly_mean(ghi) * 24.0, 1e-9), hourly=True)
    # Normals of another latitude can ask for more than a month's sun gives: then the sum is missed instead.
    return np.minimum(ghi, outside), day / by_month(mean)


def clearness_bounds(climate: MonthlyClimate, outside: Floats, clear: Floats) -> tuple[Floats, Floats]:
    """Mean and highest daily clearness of each month, from the normals and the clear sky. Two (12,)."""
    month_outside = np.maximum(monthly_mean(outside) * 24.0, 1e-9)
    wanted = np.array(climate.ghi_kwh_m2_day) * 1e3 / month_outside
    mean = np.clip(wanted, LOWEST_CLEARNESS + 0.02, HIGHEST_HOURLY_CLEARNESS - LEAST_ROOM)
    clearest = CLEAREST_OVER_CLEAR * monthly_mean(clear) * 24.0 / month_outside
    return mean, np.maximum(clearest, mean + LEAST_ROOM)


def daily_clearness(mean: Floats, highest: Floats, share: Floats) -> Floats:
    """Daily clearness [365] from its monthly means and highest values [12] and days' places in their months.

    F(K) = (exp(g K) - exp(g Kmin)) / (exp(g Kmax) - exp(g Kmin)), solved for K; g gives the mean.
    """
    width = highest - LOWEST_CLEARNESS
    steepness = by_month(_steepness((mean - LOWEST_CLEARNESS) / width))
    # log(1 + share (e^g - 1)) / g, written so that neither sign of g overflows.
    size = np.abs(steepness)
    from_top = np.where(steepness > 0.0, 1.0 - share, share)
    depth = -np.log1p(from_top * np.expm1(-size)) / size
    place = np.where(steepness > 0.0, 1.0 - depth, depth)
    return np.asarray(LOWEST_CLEARNESS + by_month(width) * place)


def _steepness(mean: Floats) -> Floats:
    """The exponent g on (0, 1) whose truncated exponential exp(g x) has this mean, never nearer 0 than 0.001.

    mean = 1 / (1 - exp(-g)) - 1 / g, by bisection (the mean rises with g).
    """
    low, high = np.full(mean.shape, -200.0), np.full(mean.shape, 200.0)
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        middle = np.where(np.abs(middle) < 1e-3, 1e-3, middle)
        below = -1.0 / np.expm1(-middle) - 1.0 / middle < mean
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    found = 0.5 * (low + high)
    return np.asarray(np.where(np.abs(found) < 1e-3, 1e-3, found))
