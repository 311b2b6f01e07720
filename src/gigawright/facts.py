"""Facts: a value with its range, source, date and confidence, and a book of them that remembers what was
read.

An assumption is a fact whose confidence says so. `known_from` is the day a planner could have known the
value, apart from `retrieved`, the date of the page it was read on; where nobody stated it, it is an
assumption too, and `known_basis` says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from gigawright.errors import CatalogueError

Confidence = Literal["A", "B", "C", "D", "derived", "assumption"]
CONFIDENCES: tuple[Confidence, ...] = ("A", "B", "C", "D", "derived", "assumption")
KnownBasis = Literal["stated", "assumed"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One value of one attribute of one item, with everything a reader needs to judge it."""

    kind: str
    item: str
    attribute: str
    value: float | str
    unit: str
    source: str
    confidence: Confidence
    known_from: dt.date
    known_basis: KnownBasis = "assumed"
    low: float | None = None
    high: float | None = None
    locator: str = ""
    valid_from: str = ""
    retrieved: str = ""
    note: str = ""

    @property
    def name(self) -> str:
        """`item.attribute`, as `gigawright catalogue why` takes it."""
        return f"{self.item}.{self.attribute}"


class FactBook:
    """The facts known on a day; reading one notes that the result rests on it.

    Of several rows of one attribute the newest known one holds. Rows of an attribute family that is
    replaced as a whole (a supply pool's caps) are read with `series`, which keeps one vintage together.
    """

    def __init__(self, facts: Iterable[Fact], as_of: dt.date | None = None) -> None:
        self.as_of = as_of
        self._facts: dict[tuple[str, str], dict[str, list[Fact]]] = {}
        self._used: dict[tuple[str, str, str], Fact] = {}
        for fact in facts:
            if as_of is None or fact.known_from <= as_of:
                item = self._facts.setdefault((fact.kind, fact.item), {})
                item.setdefault(fact.attribute, []).append(fact)
        for attributes in self._facts.values():
            for rows in attributes.values():
                rows.sort(key=lambda fact: fact.known_from)

    def __iter__(self) -> Iterator[Fact]:
        for attributes in self._facts.values():
            for rows in attributes.values():
                yield rows[-1]

    def items(self, kind: str) -> tuple[str, ...]:
        """Names of all known items of a kind, sorted."""
        return tuple(sorted(item for have, item in self._facts if have == kind))

    def kinds(self) -> tuple[str, ...]:
        """Kinds of items known, sorted."""
        return tuple(sorted({kind for kind, _ in self._facts}))

    def has(self, kind: str, item: str, attribute: str) -> bool:
        """Whether the attribute is known; does not count as use."""
        return attribute in self._facts.get((kind, item), {})

    def attributes(self, kind: str, item: str) -> tuple[str, ...]:
        """Known attributes of an item, in the order of the catalogue."""
        return tuple(self._facts.get((kind, item), {}))

    def history(self, kind: str, item: str, attribute: str) -> tuple[Fact, ...]:
        """All known rows of an attribute, oldest knowledge first; does not count as use."""
        return tuple(self._facts.get((kind, item), {}).get(attribute, ()))

    def fact(self, kind: str, item: str, attribute: str) -> Fact:
        """The newest known fact, noted as used. Raises CatalogueError where there is none."""
        rows = self._facts.get((kind, item), {}).get(attribute)
        if not rows:
            when = f" by {self.as_of}" if self.as_of else ""
            raise CatalogueError(f"{kind} {item}: no fact `{attribute}` is known{when}")
        return self.use(rows[-1])

    def number(self, kind: str, item: str, attribute: str, default: float | None = None) -> float:
        """A numeric fact, noted as used; `default` (not noted) where it is unknown."""
        if default is not None and not self.has(kind, item, attribute):
            return default
        value = self.fact(kind, item, attribute).value
        if isinstance(value, str):
            raise CatalogueError(f"{kind} {item}: `{attribute}` is text ({value!r}), not a number")
        return value

    def text(self, kind: str, item: str, attribute: str, default: str | None = None) -> str:
        """A text fact, noted as used; `default` (not noted) where it is unknown."""
        if default is not None and not self.has(kind, item, attribute):
            return default
        return str(self.fact(kind, item, attribute).value)

    def series(self, kind: str, item: str, prefix: str) -> dict[str, Fact]:
        """Facts `prefix@KEY` of the newest vintage alone, by KEY, noted as used.

        A vintage is all rows with one `known_from`; a newer one replaces the older as a whole.
        """
        rows = [
            fact
            for attribute, history in self._facts.get((kind, item), {}).items()
            if attribute.startswith(prefix + "@")
            for fact in history
        ]
        if not rows:
            return {}
        vintage = max(fact.known_from for fact in rows)
        newest = [fact for fact in rows if fact.known_from == vintage]
        return {fact.attribute.split("@", 1)[1]: self.use(fact) for fact in newest}

    def points(self, kind: str, item: str, prefix: str) -> dict[str, Fact]:
        """Facts `prefix@KEY` of all vintages, the newest of each KEY, noted as used (a time series that
        grows)."""
        attributes = self._facts.get((kind, item), {})
        return {
            attribute.split("@", 1)[1]: self.use(history[-1])
            for attribute, history in attributes.items()
            if attribute.startswith(prefix + "@")
        }

    def use(self, fact: Fact) -> Fact:
        """Note that the result rests on this fact (also one that did not come from the book)."""
        self._used[fact.kind, fact.item, fact.attribute] = fact
        return fact

    @property
    def used(self) -> tuple[Fact, ...]:
        """Every fact read so far: assumptions first, then by kind, item and attribute."""
        order = {"assumption": 0, "derived": 1, "D": 2, "C": 3, "B": 4, "A": 5}
        return tuple(
            sorted(self._used.values(), key=lambda f: (order[f.confidence], f.kind, f.item, f.attribute))
        )
