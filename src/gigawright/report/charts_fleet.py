"""What is built and what stands: Gantt chart, fleet by quarter, map of sites, plans compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from gigawright.report import words
from gigawright.report.colours import BUILD_COLOURS, MUTED, system_colours
from gigawright.report.figure import axis, empty, figure, fill
from gigawright.report.view import TINY, View, records

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from gigawright.evaluate import Result

LANE_PX = 21


def colours_of(results: Sequence[Result]) -> dict[str, str]:
    """One colour for each system of all results, so that they agree from chart to chart."""
    pairs = [
        (item, system.accelerator.vendor)
        for result in results
        for item, system in result.catalogue.systems.items()
    ]
    most = {item: _most_standing(results, item) for item, _ in pairs}
    order = sorted(dict.fromkeys(pairs), key=lambda pair: (pair[1], -most[pair[0]]))
    return system_colours([pair for pair in order if most[pair[0]] > TINY])


def _most_standing(results: Sequence[Result], system: str) -> float:
    """The most accelerators of a system that ever stand."""
    tables = [fleet[fleet["system"] == system] for fleet in (View(r).fleet for r in results) if len(fleet)]
    return max(
        (float(t.groupby("quarter")["accelerators"].sum().max()) for t in tables if len(t)), default=0.0
    )


@dataclass(frozen=True)
class Bar:
    """One bar of the Gantt chart: from the first day of a quarter to that of another."""

    row: str
    start: str
    end: str
    label: str
    hover: str
    colour: str
    leased: bool = False


def build_out(result: Result, colours: dict[str, str] | None = None) -> go.Figure:
    """Orders, a row a system, then construction, a row a site and kind, from order to ready."""
    view = View(result)
    bars = [*_order_bars(view, colours or colours_of([result])), *_building_bars(view)]
    if not bars:
        return empty("nothing is ordered or built")
    lanes, ticks = _lanes(bars)
    traces = [_bar_trace(bar, -lane) for bar, lane in lanes]
    rows = list(ticks)
    return figure(
        traces,
        70 + LANE_PX * (max(lane for _, lane in lanes) + 1),
        barmode="overlay",
        bargap=0.1,
        showlegend=False,
        xaxis=axis(
            type="date",
            side="top",
            dtick="M3",
            tickformat="%b\n%Y",
            range=[view.quarter_start(view.quarters[0]), view.quarter_start(view.quarters[-1], 1)],
        ),
        yaxis=axis(
            tickvals=[-ticks[row] for row in rows], ticktext=rows, showgrid=False, tickfont={"size": 12}
        ),
    )


def _order_bars(view: View, colours: dict[str, str]) -> list[Bar]:
    orders = view.orders
    if orders.empty:
        return []
    bars = []
    keys = ["tenure", "system", "order_quarter", "arrival_quarter"]
    order = {"own": 0, "lease": 1}
    for key, rows in sorted(
        orders.groupby(keys), key=lambda pair: (order[str(pair[0][0])], *map(str, pair[0][1:]))
    ):
        tenure, system, ordered, arrives = map(str, key)
        number = words.scaled(float(rows["accelerators"].sum()))
        sites = words.joined([view.site(site) for site in dict.fromkeys(rows["site"])])
        name = view.system(system) + (" (leased)" if tenure == "lease" else "")
        hover = f"{number} {name}<br>ordered {ordered}, arrive {arrives}<br>{sites}"
        end = view.quarter_start(arrives, 1 if ordered == arrives else 0)
        bars.append(
            Bar(
                name,
                view.quarter_start(ordered),
                end,
                number,
                hover,
                colours.get(system, MUTED),
                tenure == "lease",
            )
        )
    return bars


def _building_bars(view: View) -> list[Bar]:
    bars = []
    what = {"air": "air-cooled halls", "liquid": "liquid-cooled halls", "grid": "grid"}
    for row in records(view.table("construction").sort_values(["site", "what", "start_quarter"])):
        name = f"{view.site(str(row.site))}: {what[str(row.what)]}"
        hover = (
            f"{name}<br>{words.power(float(row.mw))}, started {row.start_quarter}, ready {row.ready_quarter}"
        )
        start, end = view.quarter_start(str(row.start_quarter)), view.quarter_start(str(row.ready_quarter))
        bars.append(Bar(name, start, end, words.power(float(row.mw)), hover, BUILD_COLOURS[str(row.what)]))
    return bars


def _lanes(bars: list[Bar]) -> tuple[list[tuple[Bar, int]], dict[str, float]]:
    """A lane for each bar so that those of a row never overlap, and the middle of each row."""
    placed: list[tuple[Bar, int]] = []
    ticks: dict[str, float] = {}
    base = 0
    for row in dict.fromkeys(bar.row for bar in bars):
        ends: list[str] = []
        for bar in sorted((b for b in bars if b.row == row), key=lambda b: b.start):
            free = next((i for i, end in enumerate(ends) if end <= bar.start), len(ends))
            ends[free : free + 1] = [bar.end]
            placed.append((bar, base + free))
        ticks[row] = base + (len(ends) - 1) / 2
        base += len(ends)
    return placed, ticks


def _bar_trace(bar: Bar, y: float) -> dict[str, Any]:
    length = (pd.Timestamp(bar.end) - pd.Timestamp(bar.start)).total_seconds() * 1e3
    return {
        "type": "bar",
        "orientation": "h",
        "base": [bar.start],
        "x": [length],
        "y": [y],
        "width": 0.74,
        "text": [bar.label],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textangle": 0,
        "textfont": {"size": 11},
        "hovertemplate": bar.hover + "<extra></extra>",
        "marker": fill(bar.colour, bar.leased),
    }


def fleet_by_system(result: Result, colours: dict[str, str] | None = None) -> go.Figure:
    """Accelerators standing by quarter, stacked by system; leased ones hatched [thousand]."""
    view = View(result)
    fleet = view.fleet
    if fleet.empty:
        return empty("no accelerators stand")
    colours = colours or colours_of([result])
    traces = []
    order = [item for item in colours if (fleet["system"] == item).any()]
    most = float(fleet.groupby("quarter")["accelerators"].sum().max())
    divisor, unit = (1e3, "accelerators [thousand]") if most >= 2e4 else (1.0, "accelerators")
    for tenure in ("own", "lease"):
        for system in order:
            rows = fleet[(fleet["system"] == system) & (fleet["tenure"] == tenure)]
            if rows.empty:
                continue
            y = (
                rows.groupby("quarter")["accelerators"].sum().reindex(list(view.quarters), fill_value=0.0)
                / divisor
            )
            traces.append(_stack(view, system, tenure, y.tolist(), colours[system]))
    return figure(
        traces,
        460,
        barmode="stack",
        bargap=0.18,
        xaxis=axis(type="category", showgrid=False),
        yaxis=axis(unit, rangemode="tozero"),
        showlegend=True,
    )


def _stack(view: View, system: str, tenure: str, values: list[float], colour: str) -> dict[str, Any]:
    name = view.system(system) + (" (leased)" if tenure == "lease" else "")
    return {
        "type": "bar",
        "name": name,
        "x": list(view.quarters),
        "y": [round(v, 4) for v in values],
        "hovertemplate": f"{name}: %{{y:,.4g}}<extra></extra>",
        "marker": fill(colour, tenure == "lease"),
    }


def fleets_compared(results: Sequence[Result]) -> go.Figure:
    """The fleet at the end of the horizon, one bar a plan, stacked by system [thousand]."""
    colours, traces = colours_of(results), []
    views = [View(result) for result in results]
    for system, colour in colours.items():
        for tenure in ("own", "lease"):
            values = [_standing(view, system, tenure) / 1e3 for view in views]
            if max(values) > TINY:
                trace = _stack(views[0], system, tenure, [], colour)
                across = {"orientation": "h", "y": [view.title for view in views][::-1], "x": values[::-1]}
                hover = {"hovertemplate": trace["name"] + ": %{x:,.1f} thousand<extra></extra>"}
                traces.append(trace | across | hover)
    return figure(
        traces,
        250 + 46 * len(results),
        barmode="stack",
        xaxis=axis("accelerators at the end [thousand]"),
        yaxis=axis(showgrid=False),
        legend={"orientation": "h", "y": -0.52, "yanchor": "top", "x": 0, "font": {"size": 12}},
    )


def _standing(view: View, system: str, tenure: str) -> float:
    """Accelerators of a system that stand at the end."""
    rows = view.standing()
    if rows.empty:
        return 0.0
    return float(rows[(rows["system"] == system) & (rows["tenure"] == tenure)]["accelerators"].sum())
