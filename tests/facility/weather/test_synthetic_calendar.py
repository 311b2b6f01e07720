"""Months, persistence and ranks of the synthetic year."""

from __future__ import annotations

import numpy as np
import pytest
from tests.facility.places import CLIMATE

from gigawright.facility.weather.synthetic_calendar import (
    by_month,
    monthly_mean,
    persistent,
    rank_share,
    smooth_year,
    through_days,
)

DAYS_OF_MONTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


def test_smooth_year_keeps_every_months_mean() -> None:
    monthly = np.array(CLIMATE.dry_bulb_mean_c)
    course = smooth_year(monthly)
    days = np.repeat(np.arange(12), DAYS_OF_MONTHS)
    np.testing.assert_allclose(np.bincount(days, course) / np.bincount(days), monthly, atol=1e-12)
    assert np.abs(np.diff(course)).max() < 0.6


def test_months_means_of_days_and_of_hours() -> None:
    monthly = np.arange(12.0)
    np.testing.assert_allclose(monthly_mean(by_month(monthly)), monthly)
    np.testing.assert_allclose(monthly_mean(by_month(monthly, hourly=True)), monthly)


def test_hours_pass_through_the_noons_of_days_and_the_year_closes() -> None:
    days = np.random.Generator(np.random.Philox(5)).standard_normal(365)
    hours = through_days(days)
    np.testing.assert_allclose(0.5 * (hours[11::24] + hours[12::24]), days, atol=0.1)
    assert hours[0] == pytest.approx(days[-1] + (12.5 / 24.0) * (days[0] - days[-1]))


@pytest.mark.parametrize("length", [199_999, 200_000])
def test_autoregression_has_unit_variance_and_the_persistence_asked(length: int) -> None:
    white = np.random.Generator(np.random.Philox(3)).standard_normal(length)
    series = persistent(white, 0.6)
    assert series.var() == pytest.approx(1.0, abs=0.02)
    assert np.corrcoef(series[1:], series[:-1])[0, 1] == pytest.approx(0.6, abs=0.01)


def test_ranks_are_uniform_in_every_month() -> None:
    values = np.random.Generator(np.random.Philox(1)).standard_normal(8760)
    share = rank_share(values)
    january = share[: 31 * 24]
    assert january.mean() == pytest.approx(0.5)
    assert january.min() == pytest.approx(0.5 / (31 * 24))
    assert (np.argsort(january) == np.argsort(values[: 31 * 24])).all()
    assert np.sort(share[-31 * 24 :])[0] == pytest.approx(0.5 / (31 * 24))
