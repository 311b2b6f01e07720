"""Charts of a search of serving configurations: the front, what it costs, and where a token's time goes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gigawright.arrays import Bools
from gigawright.report.colours import ACCENT, faded
from gigawright.report.figure import axis, figure
from gigawright.report.serving_text import draft_words, load_words
from gigawright.report.words import digits
from gigawright.workloads.serving.points import configuration_words

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from gigawright.workloads.serving.explore import Explored
    from gigawright.workloads.serving.points import Point

MODES = ("aggregated", "disaggregated")
MODE_COLOURS = {"aggregated": "#4477AA", "disaggregated": "#EE6677"}
SPENT_COLOURS = {
    "compute": "#4477AA",
    "memory bandwidth": "#228833",
    "network": "#EE6677",
    "overhead": "#999999",
}

SAMPLE = 1500
"""Most configurations drawn of a mode; more would only cover each other."""

LEGEND = {
    "orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "font": {"size": 12},
    "traceorder": "normal", "itemsizing": "constant",
}  # fmt: skip


def pace_front(found: Explored) -> go.Figure:
    """Tokens/s of an accelerator over tokens/s of a user: all that keep the limits, and the front by mode."""
    traces = [trace for mode in MODES for trace in _mode(found, mode)]
    if found.choice is not None:
        traces.append(_star(found.choice))
    return figure(
        traces,
        480,
        xaxis=axis("tokens/s that a user sees", type="log"),
        yaxis=axis("tokens/s of an accelerator", rangemode="tozero"),
        legend=LEGEND,
        hovermode="closest",
    )


def _mode(found: Explored, mode: str) -> list[dict[str, Any]]:
    """The sample of a mode's configurations, and its front."""
    tried, asked = found.tried, found.asked
    mine: Bools = tried.apart == (mode == "disaggregated")
    kept = np.flatnonzero(mine & tried.keeps(asked.ttft_s, asked.tpot_s))
    points = [one for one in found.points or found.misses if one.apart == (mode == "disaggregated")]
    colour = MODE_COLOURS[mode]
    traces = []
    if len(kept):
        drawn = kept[:: max(1, -(-len(kept) // SAMPLE))]
        traces.append(_cloud(mode, tried.tpot_s[drawn], tried.pace[drawn], colour))
    if points:
        traces.append(_line(mode, points, colour, bool(found.points)))
    return traces


def _cloud(mode: str, tpot_s: Any, pace: Any, colour: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{mode}, all that keep the limits",
        "x": np.round(1 / tpot_s, 3).tolist(),
        "y": np.round(pace, 3).tolist(),
        "marker": {"size": 3.5, "color": faded(colour, 0.28)},
        "hoverinfo": "skip",
    }


def _line(mode: str, points: Sequence[Point], colour: str, front: bool) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers" if front else "markers",
        "name": f"{mode}, no other beats it" if front else f"{mode}, nearest",
        "x": [one.user for one in points],
        "y": [one.pace for one in points],
        "text": [hover(one) for one in points],
        "line": {"color": colour, "width": 1.6, "dash": "dot"},
        "marker": {"size": 9, "color": colour, "line": {"color": "#FFFFFF", "width": 1}},
        "hovertemplate": "%{text}<extra></extra>",
    }


def _star(one: Point) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "recommended",
        "x": [one.user],
        "y": [one.pace],
        "text": [hover(one)],
        "marker": {"size": 17, "symbol": "star", "color": ACCENT, "line": {"color": "#FFFFFF", "width": 1}},
        "hovertemplate": "%{text}<extra></extra>",
    }


def hover(one: Point) -> str:
    """A point's details, a line each."""
    told = one.predicted
    lines = [
        f"<b>{configuration_words(one.service)}</b>{draft_words(one)}",
        f"{load_words(one)}, {one.accelerators:,.0f} accelerators, "
        f"{one.service.expert_precision}, {one.service.engine or 'any engine'}",
        f"TTFT {_band(told.ttft_s, told.ttft_s_p10, told.ttft_s_p90)}",
        f"TPOT {_band(told.tpot_s, told.tpot_s_p10, told.tpot_s_p90)}",
        f"{digits(one.pace)} tokens/s an accelerator, {digits(one.user)} a user",
        f"chance to keep the limits {one.chance:.0%}, cache {one.filled:.0%} full",
        one.limits,
    ]
    if not math.isnan(one.usd_per_m):
        lines.insert(5, f"{digits(one.usd_per_m)} USD a million tokens")
    if not math.isnan(one.joules):
        lines.insert(5, f"{digits(one.joules)} J a token")
    return "<br>".join(lines)


def _band(middle: float, low: float, high: float) -> str:
    return f"{digits(middle * 1e3)} ms ({digits(low * 1e3)} to {digits(high * 1e3)})"


def cost_front(found: Explored) -> go.Figure | None:
    """USD a million tokens over tokens/s of a user, by mode; None where costs are not known."""
    return _over(found, "usd_per_m", "USD a million output tokens")


def energy_front(found: Explored) -> go.Figure | None:
    """Joules a token over tokens/s of a user, by mode; None where the power is not known."""
    return _over(found, "joules", "joules a token, at the server's plug")


def _over(found: Explored, field: str, title: str) -> go.Figure | None:
    shown = found.points or found.misses
    if not shown or any(math.isnan(getattr(one, field)) for one in shown):
        return None
    traces = []
    for mode in MODES:
        points = [one for one in shown if one.apart == (mode == "disaggregated")]
        if points:
            line = _line(mode, points, MODE_COLOURS[mode], bool(found.points))
            traces.append(line | {"y": [getattr(one, field) for one in points], "name": mode})
    return figure(
        traces,
        360,
        xaxis=axis("tokens/s that a user sees", type="log"),
        yaxis=axis(title, rangemode="tozero"),
        legend=LEGEND,
        hovermode="closest",
    )


def spent_bars(points: Sequence[Point]) -> go.Figure:
    """Where the time of a further token goes [ms], a bar for each point."""
    labels = [_label(one, place) for place, one in enumerate(points, start=1)]
    rows: list[Mapping[Any, float]] = [one.predicted.spent for one in points]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": kind,
            "y": labels,
            "x": [row.get(kind, 0.0) * 1e3 for row in rows],
            "marker": {"color": colour},
            "hovertemplate": f"{kind}: %{{x:,.3g}} ms<extra></extra>",
        }
        for kind, colour in SPENT_COLOURS.items()
        if any(row.get(kind, 0.0) > 0 for row in rows)
    ]
    return figure(
        traces,
        120 + 42 * len(points),
        barmode="stack",
        xaxis=axis("a further token [ms]", rangemode="tozero"),
        yaxis=axis(
            range=[len(points) - 0.2, -0.6], showgrid=False, linecolor="rgba(0,0,0,0)", ticksuffix="  "
        ),
        legend=LEGEND,
        bargap=0.42,
    )


def _label(one: Point, place: int) -> str:
    words = configuration_words(one.service).replace(" + ", "<br>+ ")
    drafts = draft_words(one)
    return f"<b>{place}</b>  {words}{drafts}"
