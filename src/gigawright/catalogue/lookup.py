"""Answers to questions about the catalogue, as text: what there is, and why a value is what it is."""

from __future__ import annotations

import datetime as dt
from difflib import get_close_matches

from gigawright.catalogue import records
from gigawright.catalogue.load import load_facts
from gigawright.catalogue.types import Site
from gigawright.errors import CatalogueError, UserError
from gigawright.facts import Fact, FactBook

MOST = 60


def day(text: str | None) -> dt.date | None:
    """A day written YYYY-MM-DD; raises UserError for anything else."""
    try:
        return None if text is None else dt.date.fromisoformat(text)
    except ValueError:
        raise UserError(f"{text!r} is not a day; write it like 2025-12-23") from None


def _book(as_of: str | None) -> FactBook:
    return FactBook(load_facts(), day(as_of))


def site_of(name: str, as_of: str | None = None) -> Site:
    """A site of the catalogue by name; raises CatalogueError with a suggestion where there is none."""
    book = _book(as_of)
    if name not in book.items("site"):
        if as_of is not None and name in _book(None).items("site"):
            raise CatalogueError(f"the site {name!r} was not known on {as_of}")
        near = get_close_matches(name, book.items("site"), n=1)
        raise CatalogueError(
            f"no site {name!r} in the catalogue" + (f"; did you mean {near[0]}?" if near else "")
        )
    known = day(as_of) or max(fact.known_from for fact in book)
    return records.site(book, name, records.rates(book), known)


def find(term: str, as_of: str | None = None) -> str:
    """Items whose id, name or an attribute holds the term, one a line.

    >>> "nv_h200_sxm" in find("h200")
    True
    """
    book, wanted = _book(as_of), term.lower()
    lines = []
    for kind in book.kinds():
        for item in book.items(kind):
            name = _name(book, kind, item)
            hits = [a for a in book.attributes(kind, item) if wanted in a.lower()]
            if wanted in item.lower() or wanted in name.lower():
                lines.append(f"{kind:12} {item:28} {name}")
            elif hits:
                lines.append(f"{kind:12} {item:28} {', '.join(hits[:4])}")
    if not lines:
        return f"nothing in the catalogue holds {term!r}"
    more = [f"... and {len(lines) - MOST} more; a longer term finds fewer"] if len(lines) > MOST else []
    return "\n".join([*lines[:MOST], *more])


def _name(book: FactBook, kind: str, item: str) -> str:
    rows = book.history(kind, item, "name")
    return str(rows[-1].value) if rows else ""


def list_kind(kind: str = "", as_of: str | None = None) -> str:
    """All kinds with their number of items, or the items of a kind; systems tell what they lack."""
    book = _book(as_of)
    if not kind:
        return "\n".join(f"{name:12} {len(book.items(name)):5}" for name in book.kinds())
    if kind not in book.kinds():
        raise UserError(f"no kind {kind!r} in the catalogue; there are {', '.join(book.kinds())}")
    items = book.items(kind)
    return "\n".join(f"{item:28} {_name(book, kind, item)}{_lacks(book, kind, item)}" for item in items)


def _lacks(book: FactBook, kind: str, item: str) -> str:
    if kind != "system":
        return ""
    missing = records.missing_for_planning(book, item)
    return f"  [not predictable: missing {', '.join(missing)}]" if missing else ""


def why(name: str, as_of: str | None = None) -> str:
    """A fact's value, range, source, dates, confidence and earlier values; for an item, its attributes.

    Raises CatalogueError for a name the catalogue does not have.
    """
    book = _book(as_of)
    for kind in book.kinds():
        if name in book.items(kind):
            rows = [book.history(kind, name, attribute)[-1] for attribute in book.attributes(kind, name)]
            if len(rows) == 1:
                return why(f"{name}.{rows[0].attribute}", as_of)
            return "\n".join([f"{kind} {name}", *(f"  {_short(row)}" for row in rows)])
    item, _, attribute = name.rpartition(".")
    for kind in book.kinds():
        history = book.history(kind, item, attribute)
        if history:
            return "\n\n".join(_long(fact, place) for place, fact in enumerate(reversed(history)))
    known = [f"{fact.item}.{fact.attribute}" for fact in book] if item else [f.item for f in book]
    near = get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise CatalogueError(f"the catalogue has no {name!r}{hint}")


def _short(fact: Fact) -> str:
    return f"{fact.attribute:24} {_value(fact):>28}   {fact.confidence}"


def _value(fact: Fact) -> str:
    shown = f"{fact.value:,.6g}" if isinstance(fact.value, float) else fact.value
    return f"{shown} {fact.unit}" if fact.unit not in ("text", "item", "items", "names", "") else shown


def _long(fact: Fact, place: int) -> str:
    title = f"{fact.kind} {fact.name} = {_value(fact)}"
    basis = "" if fact.known_basis == "stated" else " (assumed)"
    ranged = fact.low is not None and fact.high is not None
    span = f"{fact.low:,.6g} to {fact.high:,.6g}" if ranged else "none given"
    lines = [
        title if place == 0 else f"before: {title}",
        f"  range       {span}",
        f"  confidence  {fact.confidence}",
        f"  known from  {fact.known_from}{basis}",
        f"  source      {fact.source}",
    ]
    extra = {"locator": fact.locator, "page of": fact.retrieved, "note": fact.note}
    return "\n".join([*lines, *(f"  {label:11} {text}" for label, text in extra.items() if text)])
