"""Cooling designs from the catalogue's rows: kinds `chiller`, `rejection` and `cooling`."""

from __future__ import annotations

from gigawright.errors import CatalogueError
from gigawright.facility.cooling.rejection import (
    AirExchanger,
    Chiller,
    DryCooler,
    OutsideAir,
    Rejection,
    Tower,
)
from gigawright.facility.cooling.systems import Design
from gigawright.facts import FactBook

NO_CHILLER = "none"


def designs(book: FactBook) -> dict[str, Design]:
    """Every cooling design of a book of facts, by name. Raises CatalogueError for a row that does not fit.

    >>> from gigawright.catalogue.load import load_facts
    >>> designs(FactBook(load_facts()))["liquid"].liquid_supply_c
    40.0
    """
    return {item: design(book, item) for item in book.items("cooling")}


def design(book: FactBook, item: str) -> Design:
    """One design with its ways out; raises CatalogueError where the book lacks one of its facts."""

    def number(attribute: str, default: float | None = None) -> float:
        return book.number("cooling", item, attribute, default)

    liquid = book.text("cooling", item, "liquid", "")
    return Design(
        name=item,
        description=book.text("cooling", item, "description"),
        air=rejection(book, book.text("cooling", item, "air")),
        air_supply_c=number("air_supply"),
        air_rise_k=number("air_rise"),
        hall_fan_pa=number("hall_fan"),
        coil_rise_k=number("coil_rise", 0.0),
        liquid=rejection(book, liquid) if liquid else None,
        liquid_share=number("liquid_share") if liquid else 0.0,
        liquid_supply_c=number("liquid_supply", 40.0),
        liquid_rise_k=number("liquid_rise", 10.0),
        bath=book.text("cooling", item, "bath", "no") == "yes",
    )


def chiller(book: FactBook, item: str) -> Chiller | None:
    """A chiller by name; none of that name is none at all."""
    if item == NO_CHILLER:
        return None
    return Chiller(
        book.number("chiller", item, "carnot_share"), book.number("chiller", item, "condenser_approach")
    )


def rejection(book: FactBook, item: str) -> Rejection:
    """A way out by name; raises CatalogueError for a class there is not."""

    def number(attribute: str) -> float:
        return book.number("rejection", item, attribute)

    helper = chiller(book, book.text("rejection", item, "chiller"))
    form, cycles = book.text("rejection", item, "class"), number("cycles")
    if form == "outside_air":
        return OutsideAir(number("effectiveness"), number("dew_point_limit"), cycles, helper)
    if form == "air_exchanger":
        return AirExchanger(number("approach"), number("effectiveness"), number("fan"), cycles, helper)
    if form == "dry_cooler":
        return DryCooler(number("approach"), number("effectiveness"), number("fan_share"), cycles, helper)
    if form == "tower":
        approaches = number("approach"), number("exchanger_approach")
        return Tower(*approaches, number("water_rise"), number("fan"), cycles, helper)
    known = "outside_air, air_exchanger, dry_cooler, tower"
    raise CatalogueError(f"rejection {item}: class {form!r} is none of {known}")
