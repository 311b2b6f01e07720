"""Charts of a search of layouts: where steps and memory go, and what was tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.report.colours import ACCENT, MUTED, faded
from gigawright.report.figure import axis, figure
from gigawright.report.words import digits
from gigawright.units import GIBIBYTE
from gigawright.workloads.training.explore import HELD_WORDS, PART_WORDS, held_bytes, policies, sizes_words
from gigawright.workloads.training.layouts import RECOMPUTE_CODES

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from gigawright.workloads.training.explore import Explored
    from gigawright.workloads.training.predictor import Predicted
    from gigawright.workloads.training.run import Layout

PART_COLOURS = {
    "products": "#4477AA",
    "attention": "#66CCEE",
    "memory": "#228833",
    "experts": "#336B66",
    "network": "#EE6677",
    "dispatch": "#AA3377",
    "host": "#999999",
    "waiting": "#CCBB44",
}
HELD_COLOURS = {
    "weights": "#4477AA",
    "gradients": "#66CCEE",
    "optimiser": "#228833",
    "activations": "#CCBB44",
    "scores": "#AA3377",
    "reserve": "#999999",
}
RECOMPUTE_COLOURS = {"none": "#4477AA", "selective": "#228833", "full": "#EE6677"}

SAMPLE = 3000
"""Most candidates drawn; more would only cover each other."""

REACH = 1.6
"""Memory up to which candidates are drawn, over what an accelerator has or the smallest candidate needs."""

BINS = 4096
"""Bins of memory by which candidates that others beat are left out before the rest is sorted."""

LEGEND = {
    "orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "font": {"size": 12},
    "traceorder": "normal", "itemsizing": "constant",
}  # fmt: skip
"""A legend above the plot, in the order of the stack."""


def label(layout: Layout, place: int) -> str:
    """A layout on two lines: its place and sizes, and what it switches.

    >>> from gigawright.workloads.training.run import Layout
    >>> label(Layout(tensor=8, pipeline=2, data=4, recompute="full"), 1)
    '<b>1</b>  tp 8, pp 2, dp 4<br>ZeRO 1, full recompute'
    """
    return f"<b>{place}</b>  {sizes_words(layout)}<br>{policies(layout)}"


def step_bars(shown: Sequence[Predicted]) -> go.Figure:
    """Seconds of a step by part, a bar for each layout, the fastest on top."""
    rows = [one.seconds for one in shown]
    traces = _stack(shown, rows, PART_WORDS, PART_COLOURS, "s")
    ends = [one.step_s for one in shown]
    totals = _totals(shown, ends, ends, "s")
    return _bars([*traces, totals], shown, "a step [s]", max(one.step_s for one in shown))


def memory_bars(shown: Sequence[Predicted], capacity: float, usable: float) -> go.Figure:
    """Memory of the fullest accelerator by what holds it, what it has and what may be filled [GiB]."""
    rows = [{kind: value / GIBIBYTE for kind, value in held_bytes(one).items()} for one in shown]
    traces = _stack(shown, rows, HELD_WORDS, HELD_COLOURS, "GiB")
    most = max(capacity, *(one.memory_bytes for one in shown)) / GIBIBYTE
    # To the right of both lines, which would cross them at the ends of bars.
    totals = _totals(shown, [one.memory_bytes / GIBIBYTE for one in shown], [most] * len(shown), "GiB")
    chart = _bars([*traces, totals], shown, "memory of the fullest accelerator [GiB]", most)
    _line(chart, usable / GIBIBYTE, "may be filled", "dot", "right")
    _line(chart, capacity / GIBIBYTE, "capacity", "solid", "left")
    return chart


def _stack(
    shown: Sequence[Predicted],
    rows: Sequence[Mapping[str, float]],
    names: Mapping[str, str],
    colours: Mapping[str, str],
    unit: str,
) -> list[dict[str, Any]]:
    labels = [label(one.layout, place) for place, one in enumerate(shown, start=1) if one.layout]
    return [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": labels,
            "x": [row[kind] for row in rows],
            "marker": {"color": colours[kind]},
            "hovertemplate": f"{name}: %{{x:,.3g}} {unit}<extra></extra>",
        }
        for kind, name in names.items()
        if any(row[kind] > 0 for row in rows)
    ]


def _totals(
    shown: Sequence[Predicted], values: Sequence[float], places: Sequence[float], unit: str
) -> dict[str, Any]:
    """The whole of each bar as text, at these places of the axis."""
    labels = [label(one.layout, place) for place, one in enumerate(shown, start=1) if one.layout]
    return {
        "type": "scatter",
        "mode": "text",
        "y": labels,
        "x": list(places),
        "text": [f" {digits(value)} {unit}" for value in values],
        "textposition": "middle right",
        "cliponaxis": False,
        "showlegend": False,
        "hoverinfo": "skip",
    }


def _bars(traces: list[dict[str, Any]], shown: Sequence[Predicted], title: str, most: float) -> go.Figure:
    return figure(
        traces,
        120 + 42 * len(shown),
        barmode="stack",
        xaxis=axis(title, range=[0, most * 1.12]),
        yaxis=axis(
            range=[len(shown) - 0.2, -0.6], showgrid=False, linecolor="rgba(0,0,0,0)", ticksuffix="  "
        ),
        legend=LEGEND,
        bargap=0.42,
    )


def _line(chart: go.Figure, value: float, text: str, dash: str, side: str) -> None:
    """A vertical line with words at its foot, so that the legend above stays free."""
    chart.add_shape(
        type="line",
        x0=value,
        x1=value,
        y0=0,
        y1=1,
        yref="paper",
        line={"color": MUTED, "width": 1.6, "dash": dash},
    )
    chart.add_annotation(
        x=value,
        y=0,
        yref="paper",
        yanchor="bottom",
        xanchor=side,
        text=f" {text} ",
        showarrow=False,
        font={"size": 11},
    )


def tried_scatter(found: Explored) -> go.Figure:
    """Pace over memory of a sample of candidates, by recomputation, and those that nothing beats in both."""
    tried, run = found.tried, found.asked.run
    pace = run.batch_tokens / tried.seconds / run.accelerators
    memory = tried.memory / GIBIBYTE
    capacity = found.capacity_bytes / GIBIBYTE
    reach = REACH * max(capacity, float(memory.min()))
    drawn = _sample(memory <= reach)
    recompute = tried.take(drawn).recompute
    traces = [
        _points(memory, pace, drawn[recompute == RECOMPUTE_CODES[name]], name) for name in RECOMPUTE_COLOURS
    ]
    near = np.flatnonzero(memory <= reach)
    traces.append(_front(found, memory, pace, near[pareto(memory[near], pace[near])]))
    chart = figure(
        [trace for trace in traces if trace["x"]],
        460,
        xaxis=axis("memory of the fullest accelerator [GiB]", range=[0, reach]),
        yaxis=axis("tokens/s of an accelerator", rangemode="tozero"),
        legend=LEGEND,
        hovermode="closest",
    )
    _line(chart, found.usable_bytes / GIBIBYTE, "may be filled", "dot", "right")
    _line(chart, capacity, "capacity", "solid", "left")
    return chart


def _sample(wanted: np.ndarray[Any, np.dtype[np.bool_]]) -> Ints:
    """Evenly spread places among those wanted, the same each time."""
    places = np.flatnonzero(wanted)
    step = max(1, -(-len(places) // SAMPLE))
    return np.asarray(places[::step])


def _points(memory: Floats, pace: Floats, mine: Ints, recompute: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{recompute} recomputed",
        "x": np.round(memory[mine], 2).tolist(),
        "y": np.round(pace[mine], 2).tolist(),
        "marker": {"size": 4.5, "color": faded(RECOMPUTE_COLOURS[recompute], 0.5)},
        "hovertemplate": "%{x:,.3g} GiB, %{y:,.4g} tokens/s<extra></extra>",
    }


def _front(found: Explored, memory: Floats, pace: Floats, front: Ints) -> dict[str, Any]:
    told = [
        f"{sizes_words(layout)}; {policies(layout)}" for layout in map(found.tried.layout, front.tolist())
    ]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "none is faster with less memory",
        "x": memory[front].tolist(),
        "y": pace[front].tolist(),
        "text": told,
        "line": {"color": ACCENT, "width": 2, "shape": "hv"},
        "marker": {"size": 7, "color": ACCENT},
        "hovertemplate": "%{text}<br>%{x:,.3g} GiB, %{y:,.4g} tokens/s<extra></extra>",
    }


def pareto(memory: Floats, pace: Floats) -> Ints:
    """Places of the candidates that no other beats in memory and pace, by rising memory.

    >>> pareto(np.array([3.0, 1.0, 2.0]), np.array([5.0, 4.0, 3.0])).tolist()
    [1, 0]
    """
    hopeful = _unbeaten_bins(memory, pace)
    order = hopeful[np.lexsort((-pace[hopeful], memory[hopeful]))]
    best = np.maximum.accumulate(pace[order])
    leads = np.concatenate([[True], best[1:] > best[:-1]])
    return np.asarray(order[leads])


def _unbeaten_bins(memory: Floats, pace: Floats) -> Ints:
    """Places of the candidates faster than all in the bins of less memory: few of millions need sorting."""
    low, high = float(memory.min()), float(memory.max())
    if high <= low:
        return np.arange(len(memory))
    at = ((memory - low) * (BINS / (high - low))).astype(np.int64)
    best = np.full(BINS + 2, -np.inf)
    np.maximum.at(best[1:], at, pace)
    return np.asarray(np.flatnonzero(pace > np.maximum.accumulate(best)[at]))
