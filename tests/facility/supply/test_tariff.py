"""Prices by hour keep the stated mean and follow local time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.catalogue.tariff import tou_multipliers
from gigawright.facility.supply.tariff import hourly_price


@given(st.floats(1.0, 300.0), st.floats(1.0, 3.0), st.floats(0.1, 1.0), st.integers(-11, 14))
def test_the_mean_price_is_the_stated_one(price: float, peak: float, valley: float, offset: int) -> None:
    hours = hourly_price(price, tou_multipliers(peak, valley, "17-22", "23-7"), offset)
    assert hours.shape == (8760,)
    assert hours.mean() == pytest.approx(price)
    assert hours.max() / hours.min() == pytest.approx(peak / valley)


def test_peaks_come_at_local_hours() -> None:
    hours = hourly_price(50.0, tou_multipliers(2.0, 0.5, "17-22", "0-6"), 8.0)
    assert set(np.flatnonzero(hours == hours.max()) % 24) == {9, 10, 11, 12, 13}


@pytest.mark.parametrize("multiplier", [(1.0,) * 23, (1.1,) * 24])
def test_a_tariff_that_moves_the_mean_is_refused(multiplier: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="24 multipliers of mean 1"):
        hourly_price(50.0, multiplier, 0.0)
