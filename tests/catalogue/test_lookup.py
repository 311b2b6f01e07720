"""What the catalogue's questions answer, in words."""

from __future__ import annotations

import pytest

from gigawright.catalogue.lookup import MOST, find, list_kind, why
from gigawright.errors import CatalogueError, UserError


def test_find_by_id_name_or_attribute() -> None:
    assert "dgx_h200" in find("H200")
    assert "tou_peak_hours" in find("tou_peak")
    assert find("no such thing at all") == "nothing in the catalogue holds 'no such thing at all'"


def test_a_short_term_tells_how_many_more_there_are() -> None:
    lines = find("a").splitlines()
    assert len(lines) == MOST + 1
    assert lines[-1].endswith("more; a longer term finds fewer")


def test_kinds_are_counted_and_items_listed() -> None:
    assert any(line.split() == ["technology", str(len(list_kind("technology").splitlines()))]
               for line in list_kind().splitlines())  # fmt: skip
    assert list_kind("system").splitlines()[0] > ""
    with pytest.raises(UserError, match="no kind 'sytem' in the catalogue; there are accelerator"):
        list_kind("sytem")


def test_a_system_that_cannot_be_planned_says_what_it_lacks() -> None:
    assert "not predictable: missing" in list_kind("system")


def test_why_tells_value_range_source_and_dates() -> None:
    told = why("abilene.price")
    for word in ("site abilene.price = ", "range", "confidence", "known from", "source"):
        assert word in told
    assert "site abilene" in why("abilene").splitlines()[0]


def test_why_tells_what_was_known_before() -> None:
    told = why("h200_licence.cap@2026Q1")
    assert told.count("known from") > 1
    assert "\n\nbefore: pool h200_licence.cap@2026Q1" in told
    early = why("h200_licence.cap@2026Q1", "2025-12-31")
    assert early.count("known from") < told.count("known from")


def test_a_name_that_is_nearly_right_is_suggested() -> None:
    with pytest.raises(CatalogueError, match=r"did you mean abilene\.price"):
        why("abilene.pric")
    with pytest.raises(CatalogueError, match="did you mean abilene\\?"):
        why("abilenne")


def test_knowledge_of_a_day_hides_what_came_later() -> None:
    assert "atlas350_8" in find("atlas350")
    assert "nothing" in find("atlas350", "2025-12-23")
    with pytest.raises(UserError, match="'yesterday' is not a day; write it like 2025-12-23"):
        find("x", "yesterday")
