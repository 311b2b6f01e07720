"""Field types of a study: quantities with units, money, prices, quarters and days, and values with a range.

Each is an annotated type for a strict Pydantic model. A validator of `gigawright.units` reads what the user
wrote; the JSON schema tells an editor the unit (`x-unit`), a description and examples; what is written back
to JSON carries its unit, so that a study survives a round trip.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from gigawright import units
from gigawright.clock import Quarter
from gigawright.facts import Confidence
from gigawright.money import Money

T = TypeVar("T")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _told_plainly(read: Callable[[Any], T]) -> PlainValidator:
    """A validator whose errors are the reader's own sentence, without Pydantic's words around it."""

    def validate(value: Any) -> T:
        try:
            return read(value)
        except ValueError as error:
            raise PydanticCustomError("gigawright", "{reason}", {"reason": str(error)}) from None

    return PlainValidator(validate)


def _schema(unit: str, description: str, examples: list[Any], *types: str) -> WithJsonSchema:
    kind: str | list[str] = types[0] if len(types) == 1 else list(types)
    return WithJsonSchema({"type": kind, "x-unit": unit, "description": description, "examples": examples})


def _quantity(kind: str) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        return units.parse(value, kind)

    return read


def _written(unit: str) -> PlainSerializer:
    return PlainSerializer(lambda value: f"{value!r} {unit}", return_type=str, when_used="json")


def _read_quarter(value: Any) -> Quarter:
    if isinstance(value, Quarter):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a quarter; write it like 2026Q3")
    return Quarter.parse(value)


def _read_day(value: Any) -> dt.date:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    if not isinstance(value, str) or not _DAY.fullmatch(value.strip()):
        raise ValueError(f"{value!r} is not a day; write it like 2026-10-31")
    try:
        return dt.date.fromisoformat(value.strip())
    except ValueError as error:
        raise ValueError(f"{value.strip()} is not a day of the calendar: {error}") from None


def _write_price(price: tuple[Money, str]) -> str:
    money, noun = price
    return f"{_write_money(money)} per {noun}"


def _write_money(money: Money) -> str:
    return f"{money.amount!r} {money.currency}"


PowerMW = Annotated[
    float,
    _told_plainly(_quantity("power")),
    _written("MW"),
    _schema("MW", "a power with its unit: W, kW, MW, GW or TW", ["1.2 GW", "300 MW"], "string"),
]
"""A power [MW]."""

EnergyMWh = Annotated[
    float,
    _told_plainly(_quantity("energy")),
    _written("MWh"),
    _schema("MWh", "an energy with its unit: Wh, kWh, MWh, GWh or TWh", ["40 MWh"], "string"),
]
"""An energy [MWh]."""

QuarterCount = Annotated[
    float,
    _told_plainly(_quantity("duration")),
    _written("quarters"),
    _schema(
        "quarters", "a duration in quarters, months, years or weeks", ["6 quarters", "18 months"], "string"
    ),
]
"""A duration [quarters], possibly broken."""

Seconds = Annotated[
    float,
    _told_plainly(_quantity("time")),
    _written("s"),
    _schema("s", "a time in ms, s, min, h or days", ["300 ms", "2 s"], "string"),
]
"""A time [s]."""

Intensity = Annotated[
    float,
    _told_plainly(_quantity("intensity")),
    _written("t/MWh"),
    _schema("t/MWh", "CO2 a unit of energy: t/MWh, kg/MWh or g/kWh", ["200 g/kWh"], "string"),
]
"""A carbon intensity [t CO2/MWh]."""

Share = Annotated[
    float,
    _told_plainly(_quantity("share")),
    _schema("1", "a share of the whole: 25 % or 0.25", ["25 %", 0.25], "string", "number"),
]
"""A share, 0 to 1."""

Count = Annotated[
    float,
    _told_plainly(_quantity("count")),
    _schema(
        "1", "a number of things, zero or more; k, M, bn and T may follow", ["75k", 20000], "string", "number"
    ),
]
"""A number of things, zero or more."""

Factor = Annotated[
    float,
    _told_plainly(_quantity("factor")),
    _schema("1", "a number above zero to multiply by", ["3x", 1.2], "string", "number"),
]
"""A number above zero to multiply by."""

MoneyField = Annotated[
    Money,
    _told_plainly(units.parse_money),
    PlainSerializer(_write_money, return_type=str, when_used="json"),
    _schema("currency", "an amount with its currency", ["160 bn CNY", "20 kUSD"], "string"),
]
"""An amount of money in its own currency."""

UnitPriceField = Annotated[
    tuple[Money, str],
    _told_plainly(lambda value: value if isinstance(value, tuple) else units.parse_unit_price(value)),
    PlainSerializer(_write_price, return_type=str, when_used="json"),
    _schema("currency per unit", "a price of a unit", ["2 CNY per M tokens", "30 CNY per MWh"], "string"),
]
"""The price of one unit, and that unit's name in the singular."""

QuarterField = Annotated[
    Quarter,
    _told_plainly(_read_quarter),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema(
        {"type": "string", "pattern": r"^\d{4}-?[Qq][1-4]$", "description": "a calendar quarter",
         "examples": ["2026Q3"]}
    ),
]  # fmt: skip
"""A calendar quarter."""

DateField = Annotated[
    dt.date,
    _told_plainly(_read_day),
    PlainSerializer(dt.date.isoformat, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date", "description": "a day", "examples": ["2026-10-31"]}),
]
"""A calendar day."""


class Ranged(BaseModel, Generic[T]):
    """A value the study asserts, with its range and where it comes from.

    Written `30 %`, or `{value: 30 %, low: 20 %, high: 35 %, source: ..., note: ...}`. A plain value
    stands for itself; no range and no source then mean that the study itself says so.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    value: T
    low: T | None = Field(default=None, description="lower end of the plausible range")
    high: T | None = Field(default=None, description="upper end of the plausible range")
    source: str = Field(default="", description="where the value comes from; empty: the study itself says so")
    confidence: Confidence = Field(default="assumption", description="how far the value may be trusted")
    note: str = Field(default="", description="a remark for the reader of the report")

    @model_validator(mode="before")
    @classmethod
    def _a_plain_value_stands_for_itself(cls, data: Any) -> Any:
        return data if isinstance(data, (dict, Ranged)) else {"value": data}

    @model_validator(mode="after")
    def _low_to_high(self) -> Self:
        if len({_measure(end) for end in (self.low, self.value, self.high) if end is not None}) > 1:
            reason = "low, value and high must have one currency and one unit"
            raise PydanticCustomError("gigawright", "{reason}", {"reason": reason})
        for low, high, words in (
            (self.low, self.value, "low is above the value"),
            (self.value, self.high, "high is below the value"),
            (self.low, self.high, "low is above high"),
        ):
            if low is not None and high is not None and _size(low) > _size(high):
                raise PydanticCustomError("gigawright", "{reason}", {"reason": words})
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        full = handler.resolve_ref_schema(handler(schema))
        scalar = dict(full["properties"]["value"])
        scalar.pop("title", None)
        return {"anyOf": [scalar, full]}


def _size(end: Any) -> float:
    """What a value, an amount or a unit price is compared by."""
    if isinstance(end, tuple):
        end = end[0]
    return end.amount if isinstance(end, Money) else float(end)


def _measure(end: Any) -> str:
    """Currency and unit of an end of a range; "" for plain numbers."""
    if isinstance(end, tuple):
        return f"{end[0].currency} per {end[1]}"
    return end.currency if isinstance(end, Money) else ""


class RangedShare(Ranged[Share]):
    """A share, 0 to 1, with its range."""


class RangedCount(Ranged[Count]):
    """A number of things with its range."""


class RangedFactor(Ranged[Factor]):
    """A factor with its range."""


class RangedMoney(Ranged[MoneyField]):
    """An amount of money with its range."""


class RangedUnitPrice(Ranged[UnitPriceField]):
    """The price of one unit with its range."""


class RangedPowerMW(Ranged[PowerMW]):
    """A power [MW] with its range."""


class RangedQuarterCount(Ranged[QuarterCount]):
    """A duration [quarters] with its range."""
