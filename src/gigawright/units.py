"""Quantities as people write them, parsed once at the door.

A study says `1.2 GW`, `6 quarters`, `160 bn CNY` or `2 CNY per M tokens`; inside, numbers are plain floats
in one canonical unit a kind, and names carry it (`it_power_mw`). A quantity of the wrong kind is refused, and
told why.

    kind       canonical unit   also accepts
      power      MW               W, kW, GW, TW
      energy     MWh              Wh, kWh, GWh, TWh
      duration   quarters         weeks, months, years (a year has 4 quarters, 12 months, 365 days)
      time       s                ms, min, h, days
      share      0..1             25 %, 0.25
      count      1                75k, 1.3 M, 1.5 bn, 2 T; binary: 4Ki, 16Mi, 1Gi
      factor     1                3x, 3
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import NoReturn

from gigawright.errors import UnitError
from gigawright.money import Money


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of quantity: its canonical unit, what each unit is worth in it, and an example to show."""

    name: str
    canonical: str
    units: dict[str, float]
    example: str
    needs_unit: bool = True


SCALES: MappingProxyType[str, float] = MappingProxyType(
    {
        **dict.fromkeys(("k", "thousand"), 1e3),
        **dict.fromkeys(("M", "million"), 1e6),
        **dict.fromkeys(("bn", "billion"), 1e9),
        **dict.fromkeys(("T", "tn", "trillion"), 1e12),
    }
)

GIBIBYTE = 2.0**30
"""Bytes of a GiB."""

BINARY_SCALES: MappingProxyType[str, float] = MappingProxyType({"Ki": 2.0**10, "Mi": 2.0**20, "Gi": GIBIBYTE})
"""Prefixes of counts that are powers of two, as batches of tokens are; never of money."""

_PREFIXES = {"": 1e-6, "k": 1e-3, "M": 1.0, "G": 1e3, "T": 1e6}
_POWER_MW = {f"{prefix}W": worth for prefix, worth in _PREFIXES.items()}
_ENERGY_MWH = {f"{prefix}Wh": worth for prefix, worth in _PREFIXES.items()}
_DURATION_QUARTERS = {
    **dict.fromkeys(("quarter", "quarters"), 1.0),
    **dict.fromkeys(("month", "months"), 1 / 3),
    **dict.fromkeys(("year", "years"), 4.0),
    **dict.fromkeys(("week", "weeks"), 7 / (365 / 4)),
}
_TIME_S = {
    "ms": 1e-3,
    **dict.fromkeys(("s", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    **dict.fromkeys(("day", "days"), 86400.0),
}

_INTENSITY_T_MWH = {
    **dict.fromkeys(("t/MWh", "kg/kWh", "tCO2/MWh", "kgCO2/kWh"), 1.0),
    **dict.fromkeys(("g/kWh", "kg/MWh", "gCO2/kWh", "kgCO2/MWh"), 1e-3),
}

KINDS: MappingProxyType[str, Kind] = MappingProxyType(
    {
        "power": Kind("power", "MW", _POWER_MW, "1.2 GW"),
        "energy": Kind("energy", "MWh", _ENERGY_MWH, "40 MWh"),
        "duration": Kind("duration", "quarters", _DURATION_QUARTERS, "6 quarters"),
        "time": Kind("time", "s", _TIME_S, "300 ms"),
        "intensity": Kind("carbon intensity", "t/MWh", _INTENSITY_T_MWH, "200 g/kWh"),
        "share": Kind("share", "of 1", {"%": 0.01}, "25 %", needs_unit=False),
        "count": Kind("count", "", {**SCALES, **BINARY_SCALES}, "75k", needs_unit=False),
        "factor": Kind("factor", "x", {"x": 1.0}, "3x", needs_unit=False),
    }
)

MOST_IT_MW = 100_000.0
"""Far above any place there is or is planned: IT power that is larger is a slip of the unit."""

CURRENCIES = (
    "AED", "AUD", "BRL", "CAD", "CHF", "CLP", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "IDR", "ILS", "INR",
    "JPY", "KRW", "KZT", "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "QAR", "SAR", "SEK", "SGD", "THB", "TRY",
    "TWD", "USD", "VND", "ZAR",
)  # fmt: skip
_CURRENCY_NAMES = {
    **dict.fromkeys(("yuan", "RMB"), "CNY"),
    **dict.fromkeys(("dollar", "dollars"), "USD"),
    **dict.fromkeys(("euro", "euros"), "EUR"),
}
_MONEY = Kind(
    "money", "", dict.fromkeys(CURRENCIES, 1.0), "an amount with its currency like 160 bn CNY or 20 kUSD"
)
_UNIT_PRICE_EXAMPLES = "a price like 2 CNY per M tokens or 30 CNY per MWh"

_NUMBER = r"[-+]?(?:\d{1,3}(?:[,_]\d{3})+|\d+)?(?:\.\d+|(?<=\d)\.)?(?:[eE][-+]?\d+)?"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*(.*?)\s*", re.DOTALL)
_STARTS_WITH_NUMBER = re.compile(r"\s*[-+]?\.?\d")
_COMMA_DECIMAL = re.compile(r"\s*[-+]?\d+,\d")


def parse(value: str | int | float, kind: str, *, allow_negative: bool = False) -> float:
    """A quantity of the given kind, in the kind's canonical unit (see the table above).

    Raises UnitError, which says what was seen, why it is refused and what is allowed.

    >>> parse("1.2 GW", "power"), parse("18 months", "duration"), parse("75k", "count")
    (1200.0, 6.0, 75000.0)
    >>> parse("1.2 GWh", "power")
    Traceback (most recent call last):
        ...
    gigawright.errors.UnitError: 1.2 GWh is an energy; a power like 1.2 GW is meant here
    """
    wanted = KINDS[kind]
    number, unit = _split(value, wanted)
    if unit:
        number *= _unit_factor(value, number, unit, wanted)
    elif wanted.needs_unit:
        _refuse(f"{show(value)} has no unit; write {_a(wanted.name)} like {wanted.example}")
    _check_range(value, number, wanted, allow_negative)
    return number


def parse_money(value: str | int | float | Money, *, allow_negative: bool = False) -> Money:
    """An amount with its currency; raises UnitError.

    >>> parse_money("160 bn CNY"), parse_money("20 kUSD")
    (Money(amount=160000000000.0, currency='CNY'), Money(amount=20000.0, currency='USD'))
    """
    if isinstance(value, Money):
        return value
    number, unit = _split(value, _MONEY)
    if not unit:
        _refuse(f"{show(value)} has no currency; write {_MONEY.example}")
    scale, currency = _split_currency(value, unit)
    amount = number * scale
    _check_range(value, amount, _MONEY, allow_negative)
    return Money(amount, currency)


def parse_unit_price(value: str | int | float) -> tuple[Money, str]:
    """The price of one unit, and the unit in the singular; energies and powers are turned into MWh and MW.

    Raises UnitError.

    >>> parse_unit_price("0.5 USD per 1,000 rankings")
    (Money(amount=0.0005, currency='USD'), 'ranking')
    >>> parse_unit_price("0.3 CNY per kWh")[1]
    'MWh'
    """
    if not isinstance(value, str):
        _refuse(f"{show(value)} has no currency and no unit; write {_UNIT_PRICE_EXAMPLES}")
    parts = re.split(r"\s+per\s+|\s*/\s*", value.strip(), maxsplit=1)
    if len(parts) != 2 or not parts[1]:
        _refuse(f"{show(value)} does not say what it is the price of; write {_UNIT_PRICE_EXAMPLES}")
    money = parse_money(parts[0])
    many, noun = _split_noun(value, parts[1])
    for kind in (KINDS["energy"], KINDS["power"]):
        if noun in kind.units:
            many, noun = many * kind.units[noun], kind.canonical
    price = money.amount / many
    _check_range(value, price, _MONEY, allow_negative=False)
    return Money(price, money.currency), noun


def _split(value: object, wanted: Kind) -> tuple[float, str]:
    """The number and the unit's text of a quantity; refuses what is neither text nor a finite number."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        _refuse(f"{show(value)} is not a quantity; write {_describe(wanted)}")
    text = value if isinstance(value, str) else repr(value)
    if len(text) > 200:
        _refuse(f"{show(text)} is too long for a quantity; write {_describe(wanted)}")
    if isinstance(value, str) and text.strip().casefold().lstrip("+-.") in {"nan", "inf", "infinity"}:
        _refuse(f"{text.strip()} is not a finite number; write {_describe(wanted)}")
    if isinstance(value, (int, float)):
        return _finite(value, text), ""
    if _COMMA_DECIMAL.match(text) and not re.match(r"\s*[-+]?\d{1,3}(,\d{3})+(?![\d,])", text):
        _refuse(f"{show(value)}: a comma only groups thousands (1,000); decimals take a point (1.5)")
    match = _QUANTITY.fullmatch(text)
    if match is None or not _STARTS_WITH_NUMBER.match(text):
        _refuse(f"{show(value)} does not start with a number; write {_describe(wanted)}")
    return _finite(match[1].replace(",", "").replace("_", ""), match[1]), match[2]


def _finite(number: str | int | float, text: str) -> float:
    """The number as a float; refuses NaN and infinities, also those that arise from 1e400."""
    try:
        result = float(number)
    except OverflowError:
        result = math.inf
    if math.isnan(result):
        _refuse(f"{text} is not a finite number")
    if math.isinf(result):
        _refuse(f"{text[:40]} is too large; numbers go up to 1.8e308")
    return result


def _unit_factor(value: object, number: float, unit: str, wanted: Kind) -> float:
    """What the unit is worth in the canonical one; otherwise says which kind it has, or what is close."""
    if unit in wanted.units:
        return wanted.units[unit]
    seen = show(value)
    for kind in KINDS.values():
        if unit in kind.units and kind.name != "count":
            meant = _same_prefix(unit, wanted)
            example = f"{number:g} {meant}" if meant else wanted.example
            _refuse(f"{seen} is {_a(kind.name)}; {_a(wanted.name)} like {example} is meant here")
    if _currency_of(unit) is not None:
        _refuse(f"{seen} is money; {_a(wanted.name)} like {wanted.example} is meant here")
    allowed = ", ".join(wanted.units) if wanted.name != "count" else "k, M, bn, T, Ki, Mi, Gi"
    reason = f"{unit!r} is not a unit of {wanted.name}; allowed: {allowed}, for example {wanted.example}"
    _refuse(f"{seen}: {reason}{_did_you_mean(unit, wanted.units)}")


def _same_prefix(unit: str, wanted: Kind) -> str:
    """The wanted kind's unit with the same prefix, between energy and power: GWh -> GW; "" elsewhere."""
    other = unit.removesuffix("h") if wanted.name == "power" else f"{unit}h"
    return other if other in wanted.units else ""


def _split_currency(value: object, unit: str) -> tuple[float, str]:
    """Scale and currency of `bn CNY`, `kUSD` or `USD`."""
    found = _currency_of(unit)
    if found is not None:
        return found
    for kind in KINDS.values():
        if unit in kind.units and kind.name != "count":
            _refuse(f"{show(value)} is {_a(kind.name)}; {_MONEY.example} is meant here")
    if unit in SCALES:
        _refuse(f"{show(value)} has no currency; write {_MONEY.example}")
    word = unit.split()[-1]
    hint = _did_you_mean(word, (*CURRENCIES, *_CURRENCY_NAMES))
    _refuse(f"{show(value)}: {unit!r} is not a currency; write {_MONEY.example}{hint}")


def _currency_of(unit: str) -> tuple[float, str] | None:
    """`bn CNY` -> (1e9, "CNY"); None where the text is no scaled currency."""
    for currency in (*CURRENCIES, *_CURRENCY_NAMES):
        if unit.endswith(currency):
            prefix = unit[: -len(currency)].strip()
            if prefix == "" or prefix in SCALES:
                return SCALES.get(prefix, 1.0), _CURRENCY_NAMES.get(currency, currency)
    return None


def _split_noun(value: object, text: str) -> tuple[float, str]:
    """How many units a price is for, and the unit in the singular: `1,000 rankings` -> (1000, "ranking")."""
    many, rest = 1.0, text.strip()
    if _STARTS_WITH_NUMBER.match(rest):
        many, rest = _split(rest, KINDS["count"])
    first, _, following = rest.partition(" ")
    if first in SCALES:
        many, rest = many * SCALES[first], following.strip()
    if not rest or not rest[0].isalpha() or many <= 0:
        _refuse(f"{show(value)} does not say what it is the price of; write {_UNIT_PRICE_EXAMPLES}")
    return many, _singular(rest)


def _singular(noun: str) -> str:
    """`tokens` -> `token`, `queries` -> `query`; units of energy and power stay as they are."""
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    return noun[:-1] if noun.endswith("s") and not noun.endswith("ss") else noun


def _check_range(value: object, number: float, wanted: Kind, allow_negative: bool) -> None:
    if math.isinf(number):
        _refuse(f"{show(value)} is too large; numbers go up to 1.8e308")
    if number < 0 and not allow_negative:
        _refuse(f"{show(value)} is negative; {_describe(wanted)} is meant here, zero or more")
    if wanted.name == "share" and abs(number) > 1:
        reason = "is more than the whole; a share lies between 0 and 1, or 0 % and 100 %"
        hint = f". Did you mean {show(value)} %?" if number <= 100 and "%" not in str(value) else ""
        _refuse(f"{show(value)} {reason}{hint}")
    if wanted.name == "factor" and number == 0:
        _refuse(f"{show(value)} is not a factor; write a number above zero like {wanted.example}")


def _describe(kind: Kind) -> str:
    return kind.example if kind is _MONEY else f"{_a(kind.name)} like {kind.example}"


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeio" else f"a {noun}"


def show(value: object) -> str:
    """The value as the user wrote it, shortened."""
    if value is None:
        return "an empty value"
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a mapping"
    text = value.strip() if isinstance(value, str) else repr(value)
    text = text.lower() if isinstance(value, bool) else text
    text = text if text.isprintable() else ascii(text)
    return (text if len(text) <= 60 else f"{text[:57]}...") or "an empty text"


def _did_you_mean(seen: str, allowed: Iterable[str]) -> str:
    close = closest(seen, tuple(allowed))
    return f". Did you mean {close!r}?" if close else ""


def closest(seen: str, allowed: tuple[str, ...]) -> str:
    """The allowed word nearest to the one seen, or one that starts like it, whatever the case; "" for none.

    >>> closest("budgt", ("budget", "sites")), closest("grwth", ("growth_per_year",))
    ('budget', 'growth_per_year')
    """
    import difflib

    folded = {word.casefold(): word for word in allowed}
    match = difflib.get_close_matches(seen.casefold(), folded, n=1, cutoff=0.6)
    if not match and len(seen) >= 4:
        folded = {word.casefold()[: len(seen) + 1]: word for word in allowed}
        match = difflib.get_close_matches(seen.casefold(), folded, n=1, cutoff=0.8)
    return folded[match[0]] if match else ""


def _refuse(message: str) -> NoReturn:
    raise UnitError(message)
