"""The price of grid energy in each UTC hour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gigawright.clock import local_hour_of_day

HOURS = 24


def hourly_price(
    price_usd_mwh: float, tou_multiplier: Sequence[float], utc_offset_h: float
) -> NDArray[np.float64]:
    """Energy price by UTC hour [USD/MWh]: stated mean x multiplier of the local hour. Shape (8760,).

    `tou_multiplier` has 24 numbers by local standard hour, with mean 1 (catalogue.tariff.tou_multipliers).
    Raises ValueError on another count or mean.

    >>> price = hourly_price(60.0, [0.5] * 12 + [1.5] * 12, 8.0)
    >>> float(price[0]), float(price[4]), float(price.mean())  # 00 UTC is 8 h, 04 UTC noon
    (30.0, 90.0, 60.0)
    """
    multiplier = np.asarray(tou_multiplier, dtype=np.float64)
    if multiplier.shape != (HOURS,) or abs(multiplier.mean() - 1.0) > 1e-9:
        seen = f"{multiplier.size} of mean {multiplier.mean():.6f}"
        raise ValueError(f"a tariff needs 24 multipliers of mean 1, not {seen}")
    return np.asarray(price_usd_mwh * multiplier[local_hour_of_day(utc_offset_h)])
