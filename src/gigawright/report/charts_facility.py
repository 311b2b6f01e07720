"""Charts of a place's halls: PUE by hour, sorted, by month, against weather and load; what it hangs on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gigawright.arrays import Floats
from gigawright.facility.cooling.swings import trace
from gigawright.facility.hall import PART_LOADS, SWING_STEP_S
from gigawright.facility.weather.hours import DAYS_BEFORE, MONTH_NAMES
from gigawright.facility.weather.year import to_local
from gigawright.report.colours import ACCENT, FLOW_COLOURS, GROUP_HUES
from gigawright.report.figure import axis, empty, figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from gigawright.facility.cooling.sensitivity import Sensitivity
    from gigawright.facility.hall import Hall, Swings

LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": {"size": 12}}
SCALE = [[0.0, "#2F6B8F"], [0.25, "#7FB0B5"], [0.5, "#EDE3C4"], [0.75, "#E09F57"], [1.0, "#B3401F"]]
LOW_COLOUR, HIGH_COLOUR = "#4C8CA8", "#C8643A"
# Every seventh hour of the year meets each hour of the day alike: 7 and 24 have no divisor in common.
EVERY_H = 7
EVERY_STEP = 2
EFFECTS = 10
PLACES = 300
# Longest name beside a bar, so that bars stay wide on a phone.
NAME = 24


def hues(halls: Sequence[Hall]) -> dict[str, str]:
    """A colour for each design, by its place."""
    return {one.name: GROUP_HUES[i % len(GROUP_HUES)] for i, one in enumerate(halls)}


def heat_map(one: Hall, utc_offset_h: float) -> go.Figure:
    """PUE of every hour: days of the year across, hours of local time down."""
    by_day = to_local(one.pue, utc_offset_h).reshape(-1, 24).T
    trace: dict[str, Any] = {
        "type": "heatmap",
        "z": np.round(by_day, 4).tolist(),
        "x0": 0,
        "dx": 1,
        "colorscale": SCALE,
        "colorbar": {"thickness": 12, "outlinewidth": 0, "tickformat": ".2f", "len": 1.0},
        "customdata": [[day_name(day) for day in range(by_day.shape[1])]] * 24,
        "hovertemplate": "%{customdata}, %{y}:00: PUE %{z:.3f}<extra></extra>",
    }
    ticks: dict[str, Any] = {
        "tickmode": "array",
        "tickvals": [day + 14 for day in DAYS_BEFORE],
        "ticktext": list(MONTH_NAMES),
    }
    return figure(
        [trace],
        240,
        xaxis=axis(showgrid=False, ticks="", **ticks),
        yaxis=axis("hour of the day", tickvals=[0, 6, 12, 18], showgrid=False, range=[-0.5, 23.5]),
    )


def day_name(day: int) -> str:
    """A day of the year as day and month.

    >>> day_name(31)
    '1 Feb'
    """
    month = int(np.searchsorted(DAYS_BEFORE, day, side="right")) - 1
    return f"{day - DAYS_BEFORE[month] + 1} {MONTH_NAMES[month]}"


def _line(name: str, x: Floats, y: Floats, colour: str, hover: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": np.round(x, 3).tolist(),
        "y": np.round(y, 4).tolist(),
        "line": {"color": colour, "width": 2},
        "hovertemplate": hover,
        **more,
    }


def duration(halls: Sequence[Hall]) -> go.Figure:
    """PUE by the share of hours that exceed it, a line a design."""
    colours = hues(halls)
    at = np.unique(np.linspace(0, halls[0].pue.size - 1, PLACES).astype(int))
    share = 100.0 * (at + 0.5) / halls[0].pue.size
    traces = [
        _line(
            one.name,
            share,
            np.sort(one.pue)[::-1][at],
            colours[one.name],
            f"{one.name}: PUE above %{{y:.3f}} in %{{x:.0f}}% of the hours<extra></extra>",
        )
        for one in halls
    ]
    return figure(
        traces,
        320,
        legend=LEGEND,
        showlegend=len(halls) > 1,
        xaxis=axis("share of the hours [%]", range=[0, 100]),
        yaxis=axis("PUE", tickformat=".2f"),
    )


def _by_month(halls: Sequence[Hall], rows: Sequence[Floats], unit: str, title: str, digits: str) -> go.Figure:
    colours = hues(halls)
    traces = [
        {
            "type": "bar",
            "name": one.name,
            "x": list(MONTH_NAMES),
            "y": np.round(row, 4).tolist(),
            "marker": {"color": colours[one.name]},
            "hovertemplate": f"{one.name}, %{{x}}: %{{y:{digits}}} {unit}<extra></extra>",
        }
        for one, row in zip(halls, rows, strict=True)
    ]
    return figure(
        traces,
        300,
        barmode="group",
        legend=LEGEND,
        showlegend=len(halls) > 1,
        xaxis=axis(type="category", showgrid=False, autotickangles=[0, 45]),
        yaxis=axis(title, rangemode="tozero"),
    )


def overhead(halls: Sequence[Hall], utc_offset_h: float) -> go.Figure:
    """Energy at the meter that is not IT's, by month and design [GWh]."""
    rows = []
    for one in halls:
        months = one.months(utc_offset_h)
        rows.append((months["energy_mwh"] - months["it_mwh"]) / 1e3)
    return _by_month(halls, rows, "GWh", "cooling and losses [GWh]", ",.2f")


def water(halls: Sequence[Hall], utc_offset_h: float) -> go.Figure:
    """Make-up water by month and design [1000 m3]."""
    wet = [one for one in halls if one.water_m3 > 0.0]
    if not wet:
        return empty("no water is used")
    rows = [one.months(utc_offset_h)["water_m3"] / 1e3 for one in wet]
    made = _by_month(wet, rows, "thousand m3", "water [thousand m3]", ",.2f")
    colours = hues(halls)
    for trace_, one in zip(made.data, wet, strict=True):
        trace_.marker.color = colours[one.name]
    return made


def against_wet_bulb(halls: Sequence[Hall]) -> go.Figure:
    """PUE against the wet bulb, a dot for every seventh hour of the year."""
    colours = hues(halls)
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": one.name,
            "x": np.round(one.weather.wet_bulb_c[::EVERY_H], 1).tolist(),
            "y": np.round(one.pue[::EVERY_H], 4).tolist(),
            "marker": {"color": colours[one.name], "size": 4, "opacity": 0.5},
            "hovertemplate": f"{one.name}: wet bulb %{{x:.1f}}, PUE %{{y:.3f}}<extra></extra>",
        }
        for one in halls
    ]
    return figure(
        traces,
        340,
        legend=LEGEND,
        showlegend=len(halls) > 1,
        xaxis=axis("wet bulb [degrees C]"),
        yaxis=axis("PUE", tickformat=".2f"),
    )


def part_load(halls: Sequence[Hall]) -> go.Figure:
    """Mean PUE of the year by the halls' load, the load that was asked marked."""
    colours = hues(halls)
    traces = []
    for one in halls:
        hover = f"{one.name}: PUE %{{y:.3f}} at %{{x:.0f}}% of the design load<extra></extra>"
        traces.append(_line(one.name, 100.0 * PART_LOADS, one.part_load_pue, colours[one.name], hover))
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "showlegend": False,
                "x": [round(100.0 * one.load_share, 2)],
                "y": [round(one.annual_pue, 4)],
                "marker": {"color": colours[one.name], "size": 10},
                "hovertemplate": f"{one.name}: PUE %{{y:.3f}}, as asked<extra></extra>",
            }
        )
    return figure(
        traces,
        320,
        legend=LEGEND,
        showlegend=len(halls) > 1,
        xaxis=axis("IT over the halls' design load [%]"),
        yaxis=axis("PUE, mean of the year", tickformat=".2f"),
    )


def tornado(found: Sensitivity) -> go.Figure:
    """What each assumption's range does to the year's PUE, the largest above."""
    effects = found.effects[:EFFECTS][::-1]
    if not effects:
        return empty("nothing that is assumed moves it")
    names = [_short(effect.fact.kind, effect.fact.item, effect.fact.attribute) for effect in effects]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": label,
            "y": names,
            "x": [round(getattr(effect, end) - found.pue, 5) for effect in effects],
            "base": [round(found.pue, 5)] * len(effects),
            "marker": {"color": colour},
            "customdata": [[_range(effect.fact, end), round(getattr(effect, end), 4)] for effect in effects],
            "hovertemplate": "%{y} at %{customdata[0]}: PUE %{customdata[1]:.3f}<extra></extra>",
        }
        for end, label, colour in (
            ("at_low", "at its low end", LOW_COLOUR),
            ("at_high", "at its high end", HIGH_COLOUR),
        )
    ]
    return figure(
        traces,
        90 + 30 * len(effects),
        barmode="overlay",
        legend=LEGEND,
        xaxis=axis("PUE, mean of the year", tickformat=".2f", nticks=5, tickangle=0),
        yaxis=axis(type="category", showgrid=False),
    )


def _short(kind: str, item: str, attribute: str) -> str:
    """A fact's name that fits beside a bar.

    >>> _short("cooling", "air", "air_supply"), _short("power_chain", "block", "house")
    ('air supply', 'house power')
    """
    if kind == "cooling":
        return attribute.replace("_", " ")
    if kind == "power_chain":
        return f"{attribute} power" if attribute == "house" else attribute.replace("_", " ")
    text = f"{item} {attribute}".replace("_", " ")
    return text if len(text) <= NAME else f"{text[: NAME - 1]}…"


def _range(fact: Any, end: str) -> str:
    value = fact.low if end == "at_low" else fact.high
    return f"{value:g} {fact.unit}"


def swing(found: Swings) -> go.Figure:
    """One training step over all IT, as the chips draw it and as the grid sees it once smoothed [MW]."""
    once = trace(found.swing, found.peak_mw, SWING_STEP_S)
    power = np.tile(once, 2)[::EVERY_STEP]
    seconds = np.arange(power.size, dtype=np.float64) * (SWING_STEP_S * EVERY_STEP)
    smooth = power.mean() + found.steps.kept * (power - power.mean())
    traces = [
        _line("chips", seconds, power, FLOW_COLOURS["import"], "chips: %{y:,.1f} MW<extra></extra>"),
        _line("grid, once smoothed", seconds, smooth, ACCENT, "grid: %{y:,.1f} MW<extra></extra>"),
    ]
    return figure(
        traces,
        260,
        legend=LEGEND,
        xaxis=axis("seconds"),
        yaxis=axis("IT power [MW]", rangemode="tozero"),
    )
