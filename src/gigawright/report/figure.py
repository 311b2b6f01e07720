"""The common look of all charts: transparent ground, quiet grid, one font."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gigawright.report.colours import FLOW_COLOURS, faded

if TYPE_CHECKING:
    import pandas as pd
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


def layer(name: str, clock: Sequence[str], mw: pd.Series[float], colour: str, edge: float) -> dict[str, Any]:
    """A trace of what gives power, to be stacked on others over a clock; `edge`: width of its line."""
    return {
        "type": "scatter",
        "mode": "lines",
        "stackgroup": "one",
        "name": name,
        "x": clock,
        "y": mw.round(3).tolist(),
        "line": {"width": edge, "color": colour},
        "fillcolor": faded(colour, 0.8),
        "hovertemplate": "%{y:,.1f} MW",
    }


def need_over(name: str, clock: Sequence[str], mw: pd.Series[float]) -> dict[str, Any]:
    """A trace of what is needed, as a line over the stack."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": clock,
        "y": mw.round(3).tolist(),
        "line": {"color": FLOW_COLOURS["need"], "width": 1.8},
        "meta": "ink",
        "hovertemplate": "%{y:,.1f} MW",
    }


def fill(colour: str, leased: bool) -> dict[str, Any]:
    """A bar's look: plain where owned, hatched in white where leased."""
    hatch = {"shape": "/", "bgcolor": colour, "fgcolor": "#FFFFFF", "size": 6, "solidity": 0.3}
    return {"color": colour, "pattern": hatch} if leased else {"color": colour}


def empty(words: str, height: int = 120) -> go.Figure:
    """A figure that says that there is nothing to draw."""
    note = {"text": words, "showarrow": False, "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5}
    hidden = {"visible": False}
    return figure([], height, annotations=[note], xaxis=hidden, yaxis=hidden)
