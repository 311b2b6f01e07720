"""What a book of facts remembers: the newest known, vintages, series, and what was read."""

from __future__ import annotations

import datetime as dt

import pytest

from gigawright.errors import CatalogueError
from gigawright.facts import Confidence, Fact, FactBook

EARLY, LATE = dt.date(2025, 12, 1), dt.date(2026, 6, 30)


def fact(
    attribute: str,
    value: float | str,
    known: dt.date = EARLY,
    confidence: Confidence = "A",
    item: str = "h200",
    kind: str = "pool",
) -> Fact:
    return Fact(kind, item, attribute, value, "", "a source", confidence, known)


def test_the_newest_known_row_holds() -> None:
    rows = [fact("cap", 2.0, LATE), fact("cap", 1.0, EARLY)]
    assert FactBook(rows).number("pool", "h200", "cap") == 2.0
    assert FactBook(rows, dt.date(2026, 6, 29)).number("pool", "h200", "cap") == 1.0
    assert FactBook(rows, LATE).number("pool", "h200", "cap") == 2.0


def test_what_was_not_yet_known_is_not_there() -> None:
    book = FactBook([fact("cap", 1.0, LATE)], EARLY)
    assert book.items("pool") == ()
    assert not book.has("pool", "h200", "cap")
    with pytest.raises(CatalogueError, match="pool h200: no fact `cap` is known by 2025-12-01"):
        book.number("pool", "h200", "cap")
    assert book.number("pool", "h200", "cap", 5.0) == 5.0
    assert book.text("pool", "h200", "name", "-") == "-"
    assert book.used == ()


def test_of_two_rows_of_one_day_the_later_one_holds() -> None:
    assert FactBook([fact("cap", 1.0), fact("cap", 2.0)]).number("pool", "h200", "cap") == 2.0


VINTAGES = [
    fact("cap@2026Q1", 10.0, EARLY),
    fact("cap@2026Q2", 20.0, EARLY),
    fact("cap@2026Q3", 30.0, EARLY),
    fact("cap@2026Q2", 0.0, LATE),
    fact("cap@2026Q4", 5.0, LATE),
    fact("capacity", 99.0, LATE),
]


def test_a_newer_vintage_replaces_the_older_as_a_whole() -> None:
    """The quarters that the newer one leaves out are gone: it is no patch."""
    book = FactBook(VINTAGES)
    assert {key: row.value for key, row in book.series("pool", "h200", "cap").items()} == {
        "2026Q2": 0.0,
        "2026Q4": 5.0,
    }
    assert {row.attribute for row in book.used} == {"cap@2026Q2", "cap@2026Q4"}
    old = FactBook(VINTAGES, EARLY).series("pool", "h200", "cap")
    assert [row.value for row in old.values()] == [10.0, 20.0, 30.0]


def test_points_keep_every_key_with_its_newest_value() -> None:
    found = FactBook(VINTAGES).points("pool", "h200", "cap")
    assert {key: row.value for key, row in found.items()} == {
        "2026Q1": 10.0,
        "2026Q2": 0.0,
        "2026Q3": 30.0,
        "2026Q4": 5.0,
    }


def test_a_family_that_is_unknown_is_empty() -> None:
    book = FactBook(VINTAGES)
    assert book.series("pool", "h200", "price") == {}
    assert book.points("pool", "nothing", "cap") == {}


def test_history_and_attributes_do_not_count_as_use() -> None:
    book = FactBook(VINTAGES)
    assert [row.value for row in book.history("pool", "h200", "cap@2026Q2")] == [20.0, 0.0]
    assert "capacity" in book.attributes("pool", "h200")
    assert len(list(book)) == 5
    assert book.used == ()


def test_used_facts_are_told_weakest_first_and_once() -> None:
    rows = [fact("a", 1.0, confidence="A"), fact("c", 1.0, confidence="C"),
            fact("guess", 1.0, confidence="assumption"), fact("b", 1.0, confidence="derived")]  # fmt: skip
    book = FactBook(rows)
    for name in ("a", "c", "guess", "b", "a"):
        book.number("pool", "h200", name)
    assert [row.confidence for row in book.used] == ["assumption", "derived", "C", "A"]


def test_a_fact_from_outside_can_be_noted() -> None:
    book = FactBook([])
    own = fact("budget", 1.0)
    assert book.use(own) is own
    assert book.used == (own,)


def test_text_where_a_number_is_meant_is_refused() -> None:
    book = FactBook([fact("name", "H200")])
    assert book.text("pool", "h200", "name") == "H200"
    with pytest.raises(CatalogueError, match="`name` is text \\('H200'\\), not a number"):
        book.number("pool", "h200", "name")


def test_kinds_items_and_names() -> None:
    book = FactBook(
        [fact("a", 1.0, kind="site", item="z"), fact("a", 1.0, kind="site", item="b"), fact("a", 1.0)]
    )
    assert book.kinds() == ("pool", "site")
    assert book.items("site") == ("b", "z")
    assert fact("cap", 1.0).name == "h200.cap"
