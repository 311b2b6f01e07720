"""Quantities are parsed once; wrong kinds are refused with the reason."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.errors import UnitError
from gigawright.money import Money
from gigawright.units import CURRENCIES, KINDS, SCALES, closest, parse, parse_money, parse_unit_price


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("1.2 GW", "power", 1200.0),
        ("1.2GW", "power", 1200.0),
        ("700 W", "power", 0.0007),
        ("40 kW", "power", 0.04),
        ("0 MW", "power", 0.0),
        ("1,200 MW", "power", 1200.0),
        ("1_200 MW", "power", 1200.0),
        ("2.5e3 MW", "power", 2500.0),
        ("4 GWh", "energy", 4000.0),
        ("6 quarters", "duration", 6.0),
        ("1 quarter", "duration", 1.0),
        ("18 months", "duration", 6.0),
        ("2 years", "duration", 8.0),
        ("365 weeks", "duration", 28.0),
        ("300 ms", "time", 0.3),
        ("30 min", "time", 1800.0),
        ("2 days", "time", 172800.0),
        ("25 %", "share", 0.25),
        ("25%", "share", 0.25),
        (0.25, "share", 0.25),
        (1, "share", 1.0),
        ("0", "share", 0.0),
        ("75k", "count", 75000.0),
        ("1.5 bn", "count", 1.5e9),
        ("608 billion", "count", 608e9),
        ("2 T", "count", 2e12),
        (20000, "count", 20000.0),
        (".5", "count", 0.5),
        ("3x", "factor", 3.0),
        (1.2, "factor", 1.2),
    ],
)
def test_reads_into_the_canonical_unit(text: str | float, kind: str, expected: float) -> None:
    assert parse(text, kind) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("1.2 GWh", "power", "1.2 GWh is an energy; a power like 1.2 GW is meant here"),
        ("40 MW", "energy", "40 MW is a power; an energy like 40 MWh is meant here"),
        ("6 quarters", "power", "6 quarters is a duration; a power like 1.2 GW is meant here"),
        ("2 years", "time", "2 years is a duration; a time like 300 ms is meant here"),
        ("90 days", "duration", "90 days is a time; a duration like 6 quarters is meant here"),
        ("5 kUSD", "power", "5 kUSD is money; a power like 1.2 GW is meant here"),
        ("3 %", "factor", "3 % is a share; a factor like 3x is meant here"),
        ("1.2", "power", "1.2 has no unit; write a power like 1.2 GW"),
        (1.2, "duration", "1.2 has no unit; write a duration like 6 quarters"),
        ("1.2 gw", "power", "Did you mean 'GW'?"),
        ("6 quaters", "duration", "Did you mean 'quarters'?"),
        ("3 m", "count", "Did you mean 'M'?"),
        ("-3 MW", "power", "-3 MW is negative"),
        ("-0.1", "share", "-0.1 is negative"),
        (25, "share", "Did you mean 25 %?"),
        ("150 %", "share", "150 % is more than the whole"),
        ("nan", "share", "nan is not a finite number"),
        (math.nan, "count", "nan is not a finite number"),
        ("inf MW", "power", "does not start with a number"),
        (math.inf, "count", "inf is too large"),
        ("1e400", "count", "1e400 is too large"),
        ("1e400 MW", "power", "1e400 is too large"),
        ("1e308 GW", "power", "1e308 GW is too large"),
        (10**100_0, "count", "too long"),
        ("1,5", "count", "a comma only groups thousands"),
        ("1,000,5 MW", "power", "a comma only groups thousands"),
        (0, "factor", "0 is not a factor"),
        ("many", "count", "many does not start with a number"),
        ("", "count", "an empty text does not start with a number"),
        (True, "count", "true is not a quantity"),
        (None, "count", "an empty value is not a quantity"),
        ([1], "count", "a list is not a quantity"),
        ("5 \x1b[31mMW", "power", r"\x1b"),
        ("9" * 500, "count", "too long"),
    ],
)
def test_refuses_with_the_reason(text: object, kind: str, words: str) -> None:
    with pytest.raises(UnitError) as error:
        parse(text, kind)  # type: ignore[arg-type]
    assert words in str(error.value)
    assert "\x1b" not in str(error.value)


def test_negative_only_where_allowed() -> None:
    assert parse("-3 MW", "power", allow_negative=True) == -3.0
    assert parse_money("-2 USD", allow_negative=True) == Money(-2.0, "USD")


def test_week_is_seven_of_365_days() -> None:
    assert parse("1 week", "duration") == pytest.approx(4 * 7 / 365)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("160 bn CNY", Money(160e9, "CNY")),
        ("160bn yuan", Money(160e9, "CNY")),
        ("20 kUSD", Money(20e3, "USD")),
        ("1.4 M CNY", Money(1.4e6, "CNY")),
        ("1,200 EUR", Money(1200.0, "EUR")),
        ("85 billion RMB", Money(85e9, "CNY")),
        (Money(3.0, "USD"), Money(3.0, "USD")),
    ],
)
def test_money(text: str, expected: Money) -> None:
    assert parse_money(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (5, "5 has no currency"),
        ("5 bn", "5 bn has no currency"),
        ("5 GW", "5 GW is a power"),
        ("3 CNYY", "Did you mean 'CNY'?"),
        ("$5", "does not start with a number"),
        ("-2 USD", "is negative"),
        ("5 m USD", "is not a currency"),
        ("1e308 bn USD", "too large"),
        (math.nan, "not a finite number"),
    ],
)
def test_money_refused(text: str | float, words: str) -> None:
    with pytest.raises(UnitError, match=words.replace("$", r"\$").replace("?", r"\?")):
        parse_money(text)


@pytest.mark.parametrize(
    ("text", "amount", "currency", "noun"),
    [
        ("2 CNY per M tokens", 2e-6, "CNY", "token"),
        ("2 CNY per 1M tokens", 2e-6, "CNY", "token"),
        ("2 CNY / M tokens", 2e-6, "CNY", "token"),
        ("0.1 CNY per image", 0.1, "CNY", "image"),
        ("0.5 USD per 1,000 rankings", 5e-4, "USD", "ranking"),
        ("3 USD per million queries", 3e-6, "USD", "query"),
        ("30 CNY per MWh", 30.0, "CNY", "MWh"),
        ("0.3 CNY per kWh", 300.0, "CNY", "MWh"),
        ("1.4 M USD per MW", 1.4e6, "USD", "MW"),
        ("2 USD per GPU-hour", 2.0, "USD", "GPU-hour"),
        ("1 USD per process", 1.0, "USD", "process"),
    ],
)
def test_unit_price(text: str, amount: float, currency: str, noun: str) -> None:
    money, unit = parse_unit_price(text)
    assert money.amount == pytest.approx(amount)
    assert (money.currency, unit) == (currency, noun)


@pytest.mark.parametrize(
    "text", ["2 CNY", "2 CNY per", "2 CNY per 5", "2 CNY per 0 tokens", "2 per token", 3, "-1 USD per token"]
)
def test_unit_price_refused(text: str | float) -> None:
    with pytest.raises(UnitError):
        parse_unit_price(text)


@given(
    number=st.floats(min_value=1e-6, max_value=1e9),
    kind=st.sampled_from(["power", "energy", "duration", "time"]),
    data=st.data(),
)
def test_every_unit_round_trips(number: float, kind: str, data: st.DataObject) -> None:
    unit = data.draw(st.sampled_from(sorted(KINDS[kind].units)))
    assert parse(f"{number!r} {unit}", kind) == pytest.approx(number * KINDS[kind].units[unit])


@given(text=st.text(max_size=30), kind=st.sampled_from(sorted(KINDS)))
def test_any_text_is_read_or_refused_in_words(text: str, kind: str) -> None:
    try:
        assert math.isfinite(parse(text, kind))
    except UnitError as error:
        assert len(str(error)) > 10


@given(st.floats(min_value=0, max_value=1e15), st.sampled_from(sorted(SCALES)), st.sampled_from(CURRENCIES))
def test_money_round_trips(number: float, scale: str, currency: str) -> None:
    money = parse_money(f"{number!r} {scale} {currency}")
    assert money == Money(number * SCALES[scale], currency)


def test_closest_prefers_whole_words_and_gives_up() -> None:
    assert closest("budgt", ("budgets", "buyer")) == "budgets"
    assert closest("zebra", ("budgets", "buyer")) == ""
