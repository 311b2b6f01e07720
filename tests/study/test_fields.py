"""Field types of a study: what they read, refuse, write back and tell editors."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from gigawright.clock import Quarter
from gigawright.money import Money
from gigawright.study.fields import (
    Count,
    DateField,
    EnergyMWh,
    Factor,
    MoneyField,
    PowerMW,
    QuarterCount,
    QuarterField,
    RangedCount,
    RangedMoney,
    RangedShare,
    RangedUnitPrice,
    Seconds,
    Share,
    UnitPriceField,
)


class Everything(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    power: PowerMW
    energy: EnergyMWh
    duration: QuarterCount
    time: Seconds
    share: Share
    count: Count
    factor: Factor
    money: MoneyField
    price: UnitPriceField
    quarter: QuarterField
    day: DateField
    by_quarter: dict[QuarterField, RangedCount]
    ranged: RangedShare
    optional: RangedUnitPrice | None = None


WRITTEN: dict[str, Any] = {
    "power": "1.2 GW",
    "energy": "40 MWh",
    "duration": "18 months",
    "time": "300 ms",
    "share": "25 %",
    "count": "75k",
    "factor": "3x",
    "money": "160 bn CNY",
    "price": "2 CNY per M tokens",
    "quarter": "2026Q3",
    "day": "2026-10-31",
    "by_quarter": {"2026Q3": "10k", "2026Q4": {"value": 75000, "high": "100k"}},
    "ranged": 0.4,
    "optional": {"value": "2 CNY per M tokens", "low": "1 CNY per M tokens", "source": "a page"},
}


def read(**changes: Any) -> Everything:
    return Everything.model_validate_json(json.dumps(WRITTEN | changes))


def message_of(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        read(**changes)
    return "; ".join(error["msg"] for error in caught.value.errors())


def test_reads_each_kind_into_its_canonical_unit() -> None:
    everything = read()
    assert everything.power == 1200.0
    assert everything.energy == 40.0
    assert everything.duration == 6.0
    assert everything.time == pytest.approx(0.3)
    assert (everything.share, everything.count, everything.factor) == (0.25, 75000.0, 3.0)
    assert everything.money == Money(160e9, "CNY")
    assert everything.price == (Money(2e-6, "CNY"), "token")
    assert everything.quarter == Quarter(2026, 3)
    assert everything.day == dt.date(2026, 10, 31)


def test_a_plain_value_stands_for_itself() -> None:
    everything = read()
    assert everything.ranged.value == 0.4
    assert everything.ranged.low is None
    assert (everything.ranged.source, everything.ranged.confidence) == ("", "assumption")
    later = everything.by_quarter[Quarter(2026, 4)]
    assert (later.value, later.high) == (75000.0, 100000.0)
    assert everything.optional is not None
    assert everything.optional.low == (Money(1e-6, "CNY"), "token")


def test_what_is_written_back_reads_the_same() -> None:
    everything = read()
    assert Everything.model_validate_json(everything.model_dump_json()) == everything


def test_works_from_python_too() -> None:
    everything = Everything.model_validate(WRITTEN)
    assert everything == read()
    assert Everything.model_validate(dict(everything) | WRITTEN) == everything


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"power": "1 GWh"}, "1 GWh is an energy; a power like 1 GW is meant here"),
        ({"power": 5}, "5 has no unit; write a power like 1.2 GW"),
        ({"share": True}, "true is not a quantity; write a share like 25 %"),
        ({"count": None}, "an empty value is not a quantity; write a count like 75k"),
        ({"quarter": "2026Q5"}, "'2026Q5' is not a quarter; write it like 2026Q3"),
        ({"quarter": 2026}, "2026 is not a quarter; write it like 2026Q3"),
        ({"day": "2026-02-30"}, "2026-02-30 is not a day of the calendar: day is out of range for month"),
        ({"day": "31.10.2026"}, "'31.10.2026' is not a day; write it like 2026-10-31"),
        ({"day": "20261031"}, "'20261031' is not a day; write it like 2026-10-31"),
        ({"by_quarter": {"2026Q5": 5}}, "'2026Q5' is not a quarter; write it like 2026Q3"),
        ({"ranged": {"value": 0.5, "low": 0.6}}, "low is above the value"),
        ({"ranged": {"value": 0.5, "high": 0.4}}, "high is below the value"),
        (
            {"optional": {"value": "2 CNY per token", "low": "1 USD per token"}},
            "low, value and high must have one currency and one unit",
        ),
        (
            {"optional": {"value": "2 CNY per token", "low": "1 CNY per image"}},
            "low, value and high must have one currency and one unit",
        ),
        ({"optional": {"value": "2 CNY per token", "low": "3 CNY per token"}}, "low is above the value"),
    ],
)
def test_refuses_in_plain_words(changes: dict[str, Any], message: str) -> None:
    assert message_of(**changes) == message


def test_editors_are_told_units_and_examples() -> None:
    schema = Everything.model_json_schema()
    assert schema["properties"]["power"]["x-unit"] == "MW"
    assert schema["properties"]["power"]["type"] == "string"
    assert schema["properties"]["share"]["type"] == ["string", "number"]
    assert schema["properties"]["money"]["examples"] == ["160 bn CNY", "20 kUSD"]
    scalar, full = schema["$defs"]["RangedShare"]["anyOf"]
    assert scalar["x-unit"] == "1"
    assert full["required"] == ["value"]
    assert set(full["properties"]) == {"value", "low", "high", "source", "confidence", "note"}


def test_examples_of_the_schema_are_read() -> None:
    properties = Everything.model_json_schema()["properties"]
    examples = {name: field["examples"] for name, field in properties.items() if "examples" in field}
    assert len(examples) == 11
    for name, values in examples.items():
        for value in values:
            read(**{name: value})


def test_values_do_not_change_after_reading() -> None:
    with pytest.raises(ValidationError):
        read().ranged.value = 0.9  # type: ignore[misc]


class Priced(BaseModel):
    model_config = ConfigDict(strict=True)
    cost: RangedMoney


def test_ranged_money() -> None:
    assert Priced.model_validate({"cost": "3 bn CNY"}).cost.value == Money(3e9, "CNY")
    with pytest.raises(ValidationError, match="one currency"):
        Priced.model_validate({"cost": {"value": "3 bn CNY", "low": "1 bn USD"}})
