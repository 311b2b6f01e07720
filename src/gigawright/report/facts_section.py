"""Every fact a result rests on, assumptions first, in a table that a reader can search."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pandas as pd

from gigawright.facts import Fact
from gigawright.report import words
from gigawright.report.html import Column, Html, Piece, el, safe
from gigawright.report.trust import CONFIDENCE_WORDS

if TYPE_CHECKING:
    from gigawright.evaluate import Result

_LINK = re.compile(r"https?://[^\s;,()\[\]<>\"']+[^\s;,.()\[\]<>\"']")
COLUMNS = (
    Column("Fact"),
    Column("Value", kind="number"),
    Column("Range", kind="number"),
    Column("Unit"),
    Column("Confidence"),
    Column("Known from"),
    Column("Source and remark"),
)


def facts_frame(facts: Sequence[Fact]) -> pd.DataFrame:
    """Every fact as a row, for files: all attributes as they are."""
    rows = [
        {
            "kind": f.kind,
            "item": f.item,
            "attribute": f.attribute,
            "value": str(f.value),
            "low": f.low,
            "high": f.high,
            "unit": f.unit,
            "confidence": f.confidence,
            "known_from": "" if f.kind == "study" else f.known_from.isoformat(),
            "known_basis": f.known_basis,
            "valid_from": f.valid_from,
            "retrieved": f.retrieved,
            "source": f.source,
            "locator": f.locator,
            "note": f.note,
        }
        for f in facts
    ]
    frame = pd.DataFrame(rows, columns=list(rows[0]) if rows else [])
    return frame.astype({"low": float, "high": float}) if rows else frame


def facts_table(result: Result) -> Html:
    """The table with its filters. Members of a family (twelve months, 24 hours) share a row."""
    facts = result.catalogue.book.used
    rows = [_row(family) for family in families(facts)]
    head = el("tr", [el("th", column.title, scope="col", cls=column.kind) for column in COLUMNS])
    caption = f"The {len(facts):,} facts this plan rests on, assumptions first"
    body = el("table", el("caption", caption), el("thead", head), el("tbody", rows), id="facts-table")
    return safe(
        [_filters(facts), el("div", body, cls="scroll tall", tabindex="0", role="region", aria_label=caption)]
    )


def families(facts: Sequence[Fact]) -> list[list[Fact]]:
    """Facts that belong together: `dry_bulb_mean@01` to `@12` of one source; all others alone."""
    found: dict[tuple[str, ...], list[Fact]] = {}
    for fact in facts:
        stem, at, _ = fact.attribute.partition("@")
        alone = () if at else (fact.attribute,)
        key = (fact.kind, fact.item, stem, fact.confidence, fact.source, fact.known_from.isoformat(), *alone)
        found.setdefault(key, []).append(fact)
    return list(found.values())


def _filters(facts: Sequence[Fact]) -> Html:
    kinds = sorted({fact.kind for fact in facts})
    present = {fact.confidence for fact in facts}
    levels = [(name, text) for name, text in reversed(CONFIDENCE_WORDS.items()) if name in present]
    search = el(
        "input", type="search", id="facts-search", placeholder="e.g. H200, price, Ulanqab, assumption"
    )
    return el(
        "div",
        el("label", "Search ", search),
        el("label", "Confidence ", _select("facts-confidence", levels)),
        el("label", "Kind ", _select("facts-kind", [(kind, kind) for kind in kinds])),
        el("label", el("input", type="checkbox", id="facts-assumed"), " date of knowledge assumed"),
        el("output", "", id="facts-count", aria_live="polite"),
        cls="filters",
        role="search",
    )


def _select(name: str, options: Sequence[tuple[str, str]]) -> Html:
    return el(
        "select", el("option", "all", value=""), [el("option", text, value=v) for v, text in options], id=name
    )


def _row(family: list[Fact]) -> Html:
    first = family[0]
    stem = first.attribute.partition("@")[0] if len(family) > 1 else first.attribute
    name = el("th", el("b", f"{first.item}"), Html(" "), el("span", stem, cls="attr"), scope="row")
    dated = first.kind != "study"
    basis = first.known_basis == "assumed"
    day = first.known_from.isoformat() if dated else "the study"
    known: Piece = [day, el("br"), el("span", "assumed", cls="remark")] if dated and basis else day
    return el(
        "tr",
        name,
        el("td", _value(family), cls="number"),
        el("td", _range(first) if len(family) == 1 else "", cls="number"),
        el("td", first.unit),
        el("td", el("span", first.confidence, cls=f"conf conf-{first.confidence}")),
        el("td", known),
        el("td", _source(first), cls="source"),
        data_kind=first.kind,
        data_conf=first.confidence,
        data_assumed="1" if dated and basis else "0",
    )


def _value(family: list[Fact]) -> Piece:
    if len(family) == 1:
        value = family[0].value
        return value if isinstance(value, str) else plain(value)
    numbers = [float(fact.value) for fact in family if not isinstance(fact.value, str)]
    told = ", ".join(f"{fact.attribute.partition('@')[2]}: {_text(fact.value)}" for fact in family)
    summary = (
        f"{len(family)} values, {plain(min(numbers))} to {plain(max(numbers))}"
        if numbers
        else f"{len(family)} values"
    )
    return el("details", el("summary", summary), told)


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else plain(value)


def plain(value: float) -> str:
    """A fact's number, exact up to six digits, with thousands parted; large amounts in words.

    >>> plain(141.0), plain(0.0085), plain(85e9), plain(1856963.0)
    ('141', '0.0085', '85 bn', '1,856,963')
    """
    if abs(value) >= 1e9 and abs(value) < 1e17:
        return words.scaled(value)
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e9 else f"{value:,.6g}"


def _range(fact: Fact) -> str:
    if fact.low is None and fact.high is None:
        return ""
    return f"{'' if fact.low is None else plain(fact.low)} to {'' if fact.high is None else plain(fact.high)}"


def _source(fact: Fact) -> Piece:
    parts: list[Piece] = [linked(fact.source)]
    if fact.locator:
        parts.append(f", {fact.locator}")
    if fact.note:
        parts.append(el("span", f" {fact.note}", cls="remark"))
    return safe(parts)


def linked(source: str) -> Html:
    """A source with its web addresses as links, each shown by its host; the rest as text.

    >>> linked("Epoch AI https://epoch.ai/data/x?y=1 & more")
    'Epoch AI <a href="https://epoch.ai/data/x?y=1" rel="noreferrer">epoch.ai</a> &amp; more'
    """
    parts: list[Html] = []
    at = 0
    for found in _LINK.finditer(source):
        host = urlsplit(found[0]).netloc.removeprefix("www.")
        parts += [safe(source[at : found.start()]), el("a", host, href=found[0], rel="noreferrer")]
        at = found.end()
    return safe([*parts, safe(source[at:])])
