"""Months and years in numbers."""

from __future__ import annotations

import numpy as np
import pytest
from tests.facility import places
from tests.facility.weather.files import known_year

from gigawright.facility.weather.summary import exceeded, months_of, normals_of, year_of
from gigawright.facility.weather.synthetic import synthetic_year


def test_normals_are_those_counted_the_plain_way() -> None:
    ours, plain = normals_of(known_year(), 8.0), places.normals(known_year(), 8.0)
    for name in plain.__dataclass_fields__:
        assert getattr(ours, name) == pytest.approx(getattr(plain, name)), name


def test_months_and_year_agree() -> None:
    months, year = months_of(known_year()), year_of(known_year())
    days = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    for name in ("dry_bulb_mean_c", "wet_bulb_mean_c", "ghi_kwh_m2_day", "wind_speed_10m_ms"):
        assert float((months[name] * days).sum() / 365.0) == pytest.approx(year[name])
    assert months["dry_bulb_highest_c"].max() == year["dry_bulb_highest_c"]
    assert months["dry_bulb_lowest_c"].min() == year["dry_bulb_lowest_c"]


def test_some_35_hours_exceed_the_design_extreme() -> None:
    dry = np.arange(8760.0)
    assert int((dry > exceeded(dry)).sum()) in (35, 36)


def test_months_follow_the_clock_of_the_place() -> None:
    """A southern summer is in January, and midnight in Auckland is noon in UTC."""
    climate = places.CLIMATE
    turned = type(climate)(
        *(getattr(climate, n)[6:] + getattr(climate, n)[:6] for n in climate.__dataclass_fields__)
    )
    year = synthetic_year(turned, -37.0, 174.8, 10.0, 12.0, 34.8, 26.7)
    months = months_of(year, 12.0)
    assert int(months["dry_bulb_mean_c"].argmax()) in (0, 1)
    assert months["dry_bulb_mean_c"] == pytest.approx(turned.dry_bulb_mean_c, abs=0.01)
    assert months["ghi_kwh_m2_day"] == pytest.approx(turned.ghi_kwh_m2_day, abs=0.02)
