"""The common look of all charts: transparent ground, quiet grid, one font."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go

FONT = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'Liberation Sans', Arial, sans-serif"
INK, GRID = "#33404A", "#E3E6E3"


def axis(title: str = "", **more: Any) -> dict[str, Any]:
    """An axis with a quiet grid; `title` carries the unit."""
    return {
        "title": {"text": title, "font": {"size": 12}, "standoff": 8},
        "gridcolor": GRID,
        "linecolor": GRID,
        "zeroline": False,
        "automargin": True,
        "tickfont": {"size": 12},
        **more,
    }


def figure(traces: list[dict[str, Any]], height: int = 380, **layout: Any) -> go.Figure:
    """A figure of the house's look from plain traces."""
    import plotly.graph_objects as go

    base: dict[str, Any] = {
        "template": "none",
        "height": height,
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 8, "r": 8, "t": 16, "b": 8},
        "legend": {"orientation": "h", "y": -0.14, "yanchor": "top", "x": 0, "font": {"size": 12}},
        "hoverlabel": {"font": {"family": FONT, "size": 12}},
        "bargap": 0.28,
        "xaxis": axis(),
        "yaxis": axis(),
    }
    return go.Figure(data=traces, layout=base | layout)


def fill(colour: str, leased: bool) -> dict[str, Any]:
    """A bar's look: plain where owned, hatched in white where leased."""
    hatch = {"shape": "/", "bgcolor": colour, "fgcolor": "#FFFFFF", "size": 6, "solidity": 0.3}
    return {"color": colour, "pattern": hatch} if leased else {"color": colour}


def empty(words: str, height: int = 120) -> go.Figure:
    """A figure that says that there is nothing to draw."""
    note = {"text": words, "showarrow": False, "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5}
    hidden = {"visible": False}
    return figure([], height, annotations=[note], xaxis=hidden, yaxis=hidden)
