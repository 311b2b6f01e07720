"""What the sections of the page are made of: the results, charts with captions, tables of figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from gigawright.report.charts import colours_of
from gigawright.report.colours import faded, group_colours
from gigawright.report.html import Html, Piece, el, safe
from gigawright.report.view import View

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from gigawright.evaluate import Result


@dataclass(frozen=True)
class Section:
    """A section of the page: where it is linked from, its title, what it shows and its content."""

    id: str
    title: str
    intro: Piece
    body: Sequence[Piece]

    def html(self) -> Html:
        """The section as HTML."""
        head = el("h2", self.title, id=f"{self.id}-title")
        intro = el("p", self.intro, cls="intro") if self.intro else ""
        return el("section", head, intro, list(self.body), id=self.id, aria_labelledby=f"{self.id}-title")


@dataclass(frozen=True)
class Report:
    """The results of a report and what all its sections share."""

    results: tuple[Result, ...]
    charts: list[str] = field(default_factory=list)

    @cached_property
    def view(self) -> View:
        """The main plan."""
        return View(self.results[0])

    @cached_property
    def others(self) -> tuple[View, ...]:
        """The plans it is compared with."""
        return tuple(map(View, self.results[1:]))

    @cached_property
    def systems(self) -> dict[str, str]:
        """A colour for each system."""
        return colours_of(self.results)

    @cached_property
    def groups(self) -> dict[str, str]:
        """A colour for each workload group."""
        return group_colours(self.view.groups)

    def chart(self, name: str, figure: go.Figure, title: str, words: str, wide: bool = False) -> Html:
        """A chart with its caption; its data lie beside it as JSON, drawn by the page's script."""
        self.charts.append(name)
        data = Html((figure.to_json() or "").replace("</", "<\\/"))
        height = f"height:{figure.layout.height or 380}px"
        plot = el(
            "div",
            cls="plot",
            id=f"plot-{name}",
            data_figure=f"data-{name}",
            role="img",
            aria_label=f"Chart: {title}. {words}",
            style=height,
        )
        return el(
            "figure",
            el("figcaption", el("b", title), words),
            el("div", plot, cls="wide") if wide else plot,
            el("script", data, type="application/json", id=f"data-{name}"),
            cls="chart",
            id=f"chart-{name}",
        )


def heat(
    caption: str,
    corner: str,
    columns: Sequence[str],
    rows: Iterable[tuple[Piece, Sequence[tuple[str, float]]]],
    colour: str,
) -> Html:
    """A table whose cells are tinted by their share (0 to 1) of the most: rows of (name, (text, share)s)."""
    head = el("tr", el("th", corner, scope="col"), [el("th", column, scope="col") for column in columns])
    body = [
        el("tr", el("th", name, scope="row"), [_tinted(text, part, colour) for text, part in cells])
        for name, cells in rows
    ]
    inner = el("table", el("caption", caption), el("thead", head), el("tbody", body), cls="heat")
    return el("div", inner, cls="scroll", tabindex="0", role="region", aria_label=caption)


def _tinted(text: str, part: float, colour: str) -> Html:
    depth = max(0.0, min(1.0, part))
    tint = faded(colour, round(0.06 + 0.6 * depth, 3)) if depth > 0.0 else "transparent"
    return el("td", text, style=f"background:{tint}") if text else el("td", "")


def more(summary: str, *content: Piece) -> Html:
    """Content that a reader opens."""
    return el("details", el("summary", summary), safe(content), cls="more")


def bullets(items: Iterable[Piece]) -> Html:
    """A plain list."""
    return el("ul", [el("li", item) for item in items], cls="plain")


def tile(name: str, big: str, sub: str) -> Html:
    """A number in large type under its name, its unit small, with a line below."""
    number, _, unit = big.partition(" ")
    shown = el("span", number, el("small", f" {unit}") if unit else "", cls="big")
    return el("div", el("dt", name), el("dd", shown, el("span", sub, cls="sub")), cls="tile")
