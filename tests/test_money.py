"""Money and dated exchange rates."""

from __future__ import annotations

import datetime as dt

import pytest

from gigawright.errors import CatalogueError
from gigawright.money import Money, Rate, Rates

RATES = Rates(
    [
        Rate("CNY", dt.date(2026, 8, 4), 6.8),
        Rate("CNY", dt.date(2025, 12, 1), 7.0),
        Rate("EUR", dt.date(2025, 1, 1), 0.9),
    ]
)


@pytest.mark.parametrize(
    ("day", "rate"),
    [
        (dt.date(2026, 8, 4), 6.8),
        (dt.date(2026, 8, 3), 7.0),
        (dt.date(2030, 1, 1), 6.8),
        (dt.date(2020, 1, 1), 7.0),
    ],
)
def test_the_last_rate_known_by_the_day_holds(day: dt.date, rate: float) -> None:
    assert RATES.per_usd("CNY", day) == rate


def test_there_and_back() -> None:
    day = dt.date(2026, 9, 1)
    usd = RATES.to_usd(Money(160e9, "CNY"), day)
    assert usd == pytest.approx(160e9 / 6.8)
    assert RATES.from_usd(usd, "CNY", day).amount == pytest.approx(160e9)
    assert RATES.to_usd(Money(5.0, "USD"), day) == 5.0


def test_unknown_currency_names_the_known_ones() -> None:
    with pytest.raises(CatalogueError, match="no exchange rate for JPY; the catalogue has USD, CNY, EUR"):
        RATES.per_usd("JPY", dt.date(2026, 1, 1))


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(160e9, "CNY"), "160 bn CNY"),
        (Money(2.5e12, "USD"), "2.5 tn USD"),
        (Money(1.4e6, "CNY"), "1.4 M CNY"),
        (Money(20e3, "USD"), "20 k USD"),
        (Money(3.0, "USD"), "3 USD"),
        (Money(-5e9, "USD"), "-5 bn USD"),
    ],
)
def test_is_shown_with_a_scale(money: Money, text: str) -> None:
    assert str(money) == text
