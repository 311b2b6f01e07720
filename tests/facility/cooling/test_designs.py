"""Designs from rows of facts, the package's and one's own."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from gigawright.catalogue.load import load_facts
from gigawright.errors import CatalogueError
from gigawright.facility.cooling.designs import design, designs, rejection
from gigawright.facts import Fact, FactBook


def _own(item: str, attribute: str, value: float | str, kind: str = "cooling") -> Fact:
    return Fact(kind, item, attribute, value, "", "a test", "assumption", dt.date(2025, 1, 1))


def test_every_row_of_a_design_is_read() -> None:
    book = FactBook(load_facts())
    designs(book)
    for kind in ("cooling", "rejection", "chiller"):
        known = {fact for fact in book if fact.kind == kind and (kind, fact.item) != ("chiller", "heat_pump")}
        assert known <= set(book.used), kind


def test_a_design_is_rows() -> None:
    rows = {
        "description": "mine", "air": "indirect_dry", "air_supply": 27.0, "air_rise": 15.0, "hall_fan": 300.0,
    }  # fmt: skip
    book = FactBook([*load_facts(), *(_own("mine", name, value) for name, value in rows.items())])
    found = design(book, "mine").hours(np.array([10.0]), np.array([8.0]), 1.0)
    fan = 300.0 / (0.65 * 1207.0 * 15.0)
    assert found.power_share[0] == pytest.approx(fan + 250.0 / (0.65 * 1207.0 * 15.0) * (4.0 / 17.0) ** 3)


def test_a_design_known_later_is_not_used_before() -> None:
    newer = replace(_own("air", "air_supply", 22.0), known_from=dt.date(2026, 6, 1))
    before, after = (
        design(FactBook([*load_facts(), newer], as_of=day), "air").air_supply_c
        for day in (dt.date(2025, 12, 23), dt.date(2026, 10, 10))
    )
    assert (before, after) == (25.0, 22.0)


def test_a_class_there_is_not_is_told() -> None:
    rows = [_own("odd", name, value, "rejection") for name, value in (("class", "pond"), ("chiller", "none"))]
    book = FactBook([*rows, _own("odd", "cycles", 5.0, "rejection")])
    with pytest.raises(CatalogueError, match=r"odd.*'pond'.*dry_cooler"):
        rejection(book, "odd")


def test_a_missing_row_is_told() -> None:
    book = FactBook([_own("bare", "description", "nothing else")])
    with pytest.raises(CatalogueError, match=r"cooling bare.*`air`"):
        design(book, "bare")
