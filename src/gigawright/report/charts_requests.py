"""Charts of simulated requests: what users felt over time, how many were served at once, how it is spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gigawright.arrays import Floats
from gigawright.report.colours import ACCENT, MUTED, faded
from gigawright.report.figure import axis, empty, figure
from gigawright.workloads.requests.result import PERCENTILES

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from gigawright.workloads.requests.result import Pool, Served

BINS = 80
"""Stretches of time that percentiles are taken of."""

LEAST = 5
"""Requests a stretch must have for its percentiles to be drawn."""

POINTS = 400
"""Points of a line of load or of a distribution."""

PERCENTILE_COLOURS = dict(zip(PERCENTILES, (ACCENT, "#CCBB44", "#EE6677"), strict=True))
POOL_COLOURS = {"replica": "#4477AA", "prefill": "#4477AA", "decode": "#AA3377"}
LEGEND = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "font": {"size": 12}}
SCALES = ((1.0, "s"), (1e3, "ms"))


def times_over_time(served: Served, values: Floats, limit_s: float | None, name: str) -> go.Figure:
    """p50, p90 and p99 of a time [s] of requests by when they came, with the limit asked for."""
    there = ~np.isnan(values)
    if not there.any():
        return empty(f"no request has a {name}")
    since, shown = served.trace.arrival_s[there] - served.trace.arrival_s[0], values[there]
    scale, unit = SCALES[int(np.percentile(shown, 90) < 1.0)]
    edges = np.linspace(0.0, max(served.trace.span_s, 1e-9), BINS + 1)
    place = np.clip(np.searchsorted(edges, since, side="right") - 1, 0, BINS - 1)
    order = np.argsort(place, kind="stable")
    parts = np.split(shown[order], np.searchsorted(place[order], np.arange(1, BINS)))
    middle, clock = _clock((edges[1:] + edges[:-1]) / 2)
    lines = [
        _line(middle, [_at(part, percent, scale) for part in parts], f"p{percent}", colour)
        for percent, colour in PERCENTILE_COLOURS.items()
    ]
    chart = figure(
        lines, 300, xaxis=axis(clock), yaxis=axis(f"{name} [{unit}]", rangemode="tozero"), legend=LEGEND
    )
    if limit_s is not None:
        mark = {"text": "limit", "xanchor": "right", "yanchor": "bottom", "font": {"size": 11}}
        chart.add_hline(
            limit_s * scale,
            line={"color": MUTED, "dash": "dot", "width": 1.6},
            annotation=mark,
            annotation_x=1.0,
        )
    return chart


def _at(part: Floats, percent: int, scale: float) -> float | None:
    return float(np.percentile(part, percent)) * scale if len(part) >= LEAST else None


def _clock(seconds: Floats) -> tuple[list[float], str]:
    """Times since the first arrival in the unit that suits them, and the axis' title."""
    most = float(seconds[-1])
    size, unit = (3600.0, "h") if most > 2 * 3600 else (60.0, "min") if most > 300 else (1.0, "s")
    return np.round(seconds / size, 4).tolist(), f"since the first request [{unit}]"


def _line(x: Sequence[float], y: Sequence[float | None], name: str, colour: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(x),
        "y": list(y),
        "line": {"color": colour, "width": 2},
        "hovertemplate": f"{name}: %{{y:,.4g}}<extra></extra>",
    }


def load_over_time(served: Served) -> go.Figure:
    """Requests that wait for their first token, and requests that have it and go on, at each moment."""
    done = ~served.refused
    if not done.any():
        return empty("no request was served")
    came, first, over = (
        np.sort(times[done]) for times in (served.trace.arrival_s, served.marks.first, served.finish_s)
    )
    at = np.linspace(came[0], over[-1], POINTS)
    counts = [np.searchsorted(times, at, side="right") for times in (came, first, over)]
    moments, clock = _clock(at - came[0])
    waiting = _line(moments, (counts[0] - counts[1]).tolist(), "before the first token", "#EE6677")
    going = _line(moments, (counts[1] - counts[2]).tolist(), "after it", "#4477AA")
    stacked = [
        line | {"stackgroup": "all", "fillcolor": faded(line["line"]["color"], 0.35), "line": {"width": 1}}
        for line in (going, waiting)
    ]
    for line, colour in zip(stacked, ("#4477AA", "#EE6677"), strict=True):
        line["line"] = {"width": 1, "color": colour}
    return figure(stacked, 300, xaxis=axis(clock), yaxis=axis("requests", rangemode="tozero"), legend=LEGEND)


def fill_over_time(served: Served) -> go.Figure:
    """Share of the KV cache in use and of time busy, as means over the replicas of each role."""
    lines: list[dict[str, Any]] = []
    if served.refused.all():
        return empty("no request was served")
    start = float(served.trace.arrival_s[0])
    at = np.linspace(start, start + served.makespan_s, POINTS)
    moments, clock = _clock(at - start)
    for pool in served.pools:
        who = "" if pool.role == "replica" else f"{pool.role}: "
        filled, busy = pool_shares(pool, at)
        lines.append(
            _line(moments, np.round(filled, 4).tolist(), f"{who}KV cache in use", POOL_COLOURS[pool.role])
        )
        busy_line = _line(moments, np.round(busy, 4).tolist(), f"{who}busy", POOL_COLOURS[pool.role])
        busy_line["line"] = busy_line["line"] | {"dash": "dot"}
        lines.append(busy_line)
    share = axis("share", range=[0, 1.05], tickformat=".0%")
    return figure(lines, 300, xaxis=axis(clock), yaxis=share, legend=LEGEND)


def pool_shares(pool: Pool, at: Floats) -> tuple[Floats, Floats]:
    """KV cache in use at moments, and share of the time since the last that was busy, of a mean replica."""
    from gigawright.workloads.requests.engine.layout import SAMPLE_BUSY, SAMPLE_KV, SAMPLE_T

    filled, busy = np.zeros(len(at)), np.zeros(len(at))
    for sample, end, worked in zip(pool.samples, pool.end_s, pool.busy_s, strict=True):
        if not len(sample):
            continue
        place = np.clip(np.searchsorted(sample[:, SAMPLE_T], at, side="right") - 1, 0, len(sample) - 1)
        filled += np.where(at <= end, sample[place, SAMPLE_KV], 0.0)
        times = np.append(sample[:, SAMPLE_T], max(end, sample[-1, SAMPLE_T] + 1e-9))
        total = np.interp(at, times, np.append(sample[:, SAMPLE_BUSY], worked))
        busy[1:] += np.diff(total) / np.maximum(np.diff(at), 1e-12)
    busy[:1] = busy[1:2]
    count = max(1, len(pool.samples))
    return filled / count / max(pool.blocks, 1), np.clip(busy / count, 0.0, 1.0)


def spread(served: Served) -> go.Figure:
    """Share of requests within a time, for the three times, on a logarithmic axis [s]."""
    named = (
        ("time to first token", served.ttft_s, ACCENT),
        ("time per output token", served.tpot_s, "#4477AA"),
        ("end to end", served.e2e_s, "#EE6677"),
    )
    lines = []
    shares = np.concatenate([np.linspace(0, 0.9, POINTS // 2), np.linspace(0.9, 1, POINTS // 2)])
    for name, values, colour in named:
        there = values[~np.isnan(values)]
        if len(there):
            times = np.maximum(np.quantile(there, shares), 1e-6)
            lines.append(_line(times.tolist(), shares.tolist(), name, colour))
    for line in lines:
        line["hovertemplate"] = f"{line['name']}: %{{y:.1%}} within %{{x:.3g}} s<extra></extra>"
    return figure(
        lines,
        320,
        xaxis=axis("seconds", type="log", dtick=1),
        yaxis=axis("requests within", range=[0, 1.02], tickformat=".0%"),
        legend=LEGEND,
        hovermode="closest",
    )
