"""The catalogue's facts, read from the package's own CSV files."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from gigawright.clock import known_by
from gigawright.errors import CatalogueError
from gigawright.facts import CONFIDENCES, Confidence, Fact

HEADER = [
    "kind",
    "item",
    "attribute",
    "value",
    "low",
    "high",
    "unit",
    "source",
    "locator",
    "valid_from",
    "known_from",
    "known_basis",
    "retrieved",
    "confidence",
    "note",
]


def data_files() -> tuple[Traversable, ...]:
    """The catalogue's CSV files, by name."""
    folder = files("gigawright.catalogue") / "data"
    return tuple(sorted((f for f in folder.iterdir() if f.name.endswith(".csv")), key=lambda f: f.name))


@lru_cache(maxsize=1)
def load_facts() -> tuple[Fact, ...]:
    """Every fact of the package: long files row by row, model tables melted into attributes.

    >>> any(fact.item == "dgx_h200" for fact in load_facts())
    True
    """
    facts: list[Fact] = []
    for file in data_files():
        with file.open(encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            rows = _long(reader, file.name) if reader.fieldnames == HEADER else _wide(reader, file.name)
            facts.extend(rows)
    return tuple(facts)


def _long(rows: Iterable[dict[str, str]], file: str) -> Iterator[Fact]:
    for number, row in enumerate(rows, start=2):
        try:
            yield Fact(
                kind=row["kind"],
                item=row["item"],
                attribute=row["attribute"],
                value=_value(row["value"], row["unit"]),
                unit=row["unit"],
                source=row["source"],
                confidence=_confidence(row["confidence"]),
                known_from=known_by(row["known_from"]),
                known_basis="stated" if row["known_basis"] == "stated" else "assumed",
                low=float(row["low"]) if row["low"] else None,
                high=float(row["high"]) if row["high"] else None,
                locator=row["locator"],
                valid_from=row["valid_from"],
                retrieved=row["retrieved"],
                note=row["note"],
            )
        except (ValueError, KeyError, IndexError) as error:
            raise CatalogueError(f"{file}:{number}: {error}") from error


def _wide(rows: Iterable[dict[str, str]], file: str) -> Iterator[Fact]:
    """One fact for each filled cell of a model table; the row's source holds for all its cells."""
    about = {"id", "source", "known_from", "known_basis", "confidence", "retrieved", "note"}
    for number, row in enumerate(rows, start=2):
        try:
            for attribute, cell in row.items():
                if attribute in about or not cell:
                    continue
                yield Fact(
                    kind="model",
                    item=row["id"],
                    attribute=attribute,
                    value=_value(cell, ""),
                    unit="",
                    source=row["source"],
                    confidence=_confidence(row["confidence"]),
                    known_from=known_by(row["known_from"]),
                    known_basis="stated" if row.get("known_basis") == "stated" else "assumed",
                    retrieved=row.get("retrieved", ""),
                    note=row.get("note", ""),
                )
        except (ValueError, KeyError, IndexError) as error:
            raise CatalogueError(f"{file}:{number}: {error}") from error


def _value(cell: str, unit: str) -> float | str:
    """A number where the cell is one and the unit does not say text."""
    if unit in ("text", "item", "items", "names", "hours", "quarter", "date"):
        return cell
    try:
        return float(cell)
    except ValueError:
        return cell


def _confidence(cell: str) -> Confidence:
    for known in CONFIDENCES:
        if cell == known:
            return known
    raise ValueError(f"confidence {cell!r} is none of {', '.join(CONFIDENCES)}")
