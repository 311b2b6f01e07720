"""Small pieces of HTML: everything that is not already HTML is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


Piece: TypeAlias = "str | Iterable[Piece]"


def safe(piece: Piece) -> Html:
    """HTML as it is, any other text escaped, a series of pieces joined.

    >>> safe("a < b"), safe(Html("<b>x</b>"))
    ('a &lt; b', '<b>x</b>')
    """
    if isinstance(piece, Html):
        return piece
    if isinstance(piece, str):
        return Html(html.escape(piece))
    return Html("".join(map(safe, piece)))


def el(name: str, *children: Piece, **attributes: str | bool) -> Html:
    """An element; `cls` is its class, an underscore in a name is a hyphen.

    >>> el("p", "1 < 2", cls="note", data_kind="x")
    '<p class="note" data-kind="x">1 &lt; 2</p>'
    """
    shown = "".join(_attribute(key, value) for key, value in attributes.items() if value is not False)
    if name in VOID:
        return Html(f"<{name}{shown}>")
    return Html(f"<{name}{shown}>{safe(children)}</{name}>")


def _attribute(key: str, value: str | bool) -> str:
    name = "class" if key == "cls" else key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(str(value))}"'


@dataclass(frozen=True)
class Column:
    """A column of a table: its title, unit and alignment."""

    title: str
    unit: str = ""
    kind: Literal["text", "number"] = "text"


def table(caption: str, columns: Sequence[Column], rows: Iterable[Sequence[Piece]], cls: str = "") -> Html:
    """A table with a caption and headers that carry units; the first cell of a row is its header."""
    head = el("tr", [_header(column) for column in columns])
    body = [
        el(
            "tr",
            [
                _cell(column, value, i == 0)
                for i, (column, value) in enumerate(zip(columns, row, strict=True))
            ],
        )
        for row in rows
    ]
    inner = el("table", el("caption", caption), el("thead", head), el("tbody", body), cls=cls)
    return el("div", inner, cls="scroll", tabindex="0", role="region", aria_label=caption)


def _header(column: Column) -> Html:
    unit = [Html(" "), el("span", f"[{column.unit}]", cls="unit")] if column.unit else []
    return el("th", column.title, unit, scope="col", cls=column.kind)


def _cell(column: Column, value: Piece, first: bool) -> Html:
    if first:
        return el("th", value, scope="row", cls=column.kind)
    return el("td", value, cls=column.kind)


def bar(part: float, colour: str, label: str) -> Html:
    """A bar in a cell: `part` of the cell's width, with its label beside it."""
    width = f"width:{max(0.0, min(1.0, part)) * 100:.1f}%;background:{colour}"
    return el(
        "span", el("span", el("i", style=width), cls="track"), el("span", label, cls="label"), cls="cellbar"
    )


def paragraphs(sentences: Iterable[Piece]) -> Html:
    """A paragraph for each sentence or group of them."""
    return safe([el("p", sentence) for sentence in sentences])


def swatch(colour: str, text: str) -> Html:
    """A small square of colour before a name."""
    return el("span", el("i", style=f"background:{colour}"), text, cls="swatch")
