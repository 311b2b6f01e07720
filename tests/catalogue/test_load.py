"""The package's own rows: that every file reads, that each row keeps the house's rules, and how a bad one is
told.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from importlib.resources import files

import pytest

from gigawright.catalogue import load
from gigawright.errors import CatalogueError
from gigawright.facts import CONFIDENCES

ROW = {
    "kind": "system", "item": "x", "attribute": "power_kw", "value": "10.2", "low": "9", "high": "11",
    "unit": "kW", "source": "a data sheet", "locator": "p. 3", "valid_from": "", "known_from": "2026-03",
    "known_basis": "stated", "retrieved": "2026-04-01", "confidence": "A", "note": "",
}  # fmt: skip


def test_a_long_row_becomes_a_fact() -> None:
    (fact,) = load._long([ROW], "x.csv")
    assert (fact.kind, fact.item, fact.attribute, fact.value) == ("system", "x", "power_kw", 10.2)
    assert (fact.low, fact.high, fact.unit, fact.confidence) == (9.0, 11.0, "kW", "A")
    assert fact.known_from == dt.date(2026, 3, 31)
    assert fact.known_basis == "stated"


def test_a_missing_basis_is_an_assumption_and_missing_ends_are_none() -> None:
    (fact,) = load._long([ROW | {"known_basis": "", "low": "", "high": ""}], "x.csv")
    assert (fact.known_basis, fact.low, fact.high) == ("assumed", None, None)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"confidence": "E"}, "confidence 'E' is none of A, B"),
        ({"known_from": "soon"}, "x.csv:2: "),
        ({"known_from": "2026-13"}, "x.csv:2: "),
        ({"low": "few"}, "x.csv:2: "),
    ],
)
def test_a_bad_row_is_told_with_its_file_and_line(wrong: dict[str, str], words: str) -> None:
    with pytest.raises(CatalogueError, match=words):
        list(load._long([ROW | wrong], "x.csv"))


def test_a_wide_table_gives_a_fact_a_cell() -> None:
    text = "id,layers,hidden,family,source,known_from,confidence\nllama,80,8192,,a card,2024-07-23,A\n"
    facts = list(load._wide(csv.DictReader(io.StringIO(text)), "models.csv"))
    assert [(f.kind, f.item, f.attribute, f.value) for f in facts] == [
        ("model", "llama", "layers", 80.0),
        ("model", "llama", "hidden", 8192.0),
    ]
    assert {f.source for f in facts} == {"a card"}


def test_a_bad_wide_row_is_told_with_its_file_and_line() -> None:
    text = "id,layers,source,known_from,confidence\nok,1,s,2024,A\nbad,1,s,2024,Z\n"
    with pytest.raises(CatalogueError, match=r"models\.csv:3"):
        list(load._wide(csv.DictReader(io.StringIO(text)), "models.csv"))


def test_text_stays_text_though_it_looks_like_a_number() -> None:
    assert load._value("0-0", "hours") == "0-0"
    assert load._value("2026", "text") == "2026"
    assert load._value("2026", "kW") == 2026.0
    assert load._value("yes", "") == "yes"


def test_facts_are_read_once() -> None:
    assert load.load_facts() is load.load_facts()


def test_every_value_lies_in_its_range() -> None:
    outside = [
        fact.name
        for fact in load.load_facts()
        if isinstance(fact.value, float)
        and not (
            (fact.low is None or fact.low <= fact.value) and (fact.high is None or fact.value <= fact.high)
        )
    ]
    assert outside == []


def test_every_fact_has_a_source_and_a_confidence() -> None:
    facts = load.load_facts()
    assert [fact.name for fact in facts if not fact.source.strip()] == []
    assert {fact.confidence for fact in facts} <= set(CONFIDENCES)


def test_an_assumption_says_so_in_its_confidence() -> None:
    facts = load.load_facts()
    guessed = [fact for fact in facts if fact.source.startswith("assumption:")]
    assert [f.name for f in guessed if f.confidence not in ("assumption", "D")] == []


def test_no_fact_is_told_twice_for_one_day() -> None:
    seen: set[tuple[str, str, str, dt.date]] = set()
    twice = []
    for fact in load.load_facts():
        key = (fact.kind, fact.item, fact.attribute, fact.known_from)
        if key in seen:
            twice.append(key)
        seen.add(key)
    assert twice == []


def test_every_attribute_is_in_the_schema_with_its_unit_and_kind() -> None:
    schema = schema_rows()
    wrong = []
    for fact in load.load_facts():
        if fact.kind == "model":
            continue
        family = fact.attribute.split("@")[0] + ("@" if "@" in fact.attribute else "")
        row = schema.get((fact.kind, family))
        if row is None:
            wrong.append(f"{fact.kind} {fact.attribute}: not in the schema")
        elif row["type"] == "number" and isinstance(fact.value, str):
            wrong.append(f"{fact.kind} {fact.name}: text where a number is meant")
    assert sorted(set(wrong)) == []


def schema_rows() -> dict[tuple[str, str], dict[str, str]]:
    text = (files("gigawright.catalogue") / "schema.csv").read_text(encoding="utf-8")
    reader = csv.DictReader(io.StringIO(text))
    names = reader.fieldnames or []
    assert {"kind", "attribute"} <= set(names)
    return {(row["kind"], row["attribute"]): row for row in reader}


def test_files_are_small_enough_to_read_in_a_review() -> None:
    assert [f.name for f in load.data_files() if len(f.read_bytes()) > 900_000] == []
