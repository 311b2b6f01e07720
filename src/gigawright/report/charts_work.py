"""What is asked and delivered, and how sites are powered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from gigawright.report.colours import FLOW_COLOURS, faded, flow_colours, group_colours
from gigawright.report.figure import axis, empty, figure, layer, need_over
from gigawright.report.view import TINY, View, curtailed_mw, plants_in, records
from gigawright.report.words import SCALES
from gigawright.workloads.units import UNITS

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from gigawright.evaluate import Result

HOURS_PER_WEEK = 168
DAYS_PER_QUARTER = (90, 91, 92, 92)


def demand_and_delivery(result: Result) -> dict[tuple[str, str], tuple[str, go.Figure]]:
    """Work asked as a line and served as an area, a day's mean, by (group, unit): title and chart."""
    view = View(result)
    demand = view.table("demand")
    if demand.empty:
        return {}
    served = view.table("service")
    colours, found = group_colours(view.groups), {}
    units = demand.groupby("group", sort=False)["unit"].nunique()
    present = demand[["group", "unit"]].drop_duplicates()
    for group, unit in sorted(records(present), key=lambda pair: view.groups.index(pair[0])):
        asked = _per_day(view, demand, "demanded", group, unit)
        done = _per_day(view, served, "served", group, unit)
        title = f"{group}: {UNITS[unit].plural}" if units[group] > 1 else f"{group}"
        found[group, unit] = title, _panel(view, asked, done, unit, colours[group])
    return found


def _per_day(view: View, table: pd.DataFrame, column: str, group: str, unit: str) -> pd.Series[float]:
    """Units a day by quarter."""
    days = pd.Series([DAYS_PER_QUARTER[int(q[-1]) - 1] for q in view.quarters], index=list(view.quarters))
    if table.empty:
        return days * 0.0
    rows = table[(table["group"] == group) & (table["unit"] == unit)]
    return rows.groupby("quarter")[column].sum().reindex(list(view.quarters), fill_value=0.0) / days


def _panel(view: View, asked: pd.Series[float], done: pd.Series[float], unit: str, colour: str) -> go.Figure:
    scale, word = next(((s, w) for s, w in SCALES if asked.max() >= s), (1.0, ""))
    name = f"{word} {UNITS[unit].plural} a day".strip()
    common = {"type": "scatter", "x": list(view.quarters), "hovertemplate": "%{y:,.3g}"}
    traces: list[dict[str, Any]] = [
        common
        | {
            "name": "served",
            "y": (done / scale).tolist(),
            "mode": "lines",
            "fill": "tozeroy",
            "fillcolor": faded(colour, 0.45),
            "line": {"color": colour, "width": 1.5},
        },
        common
        | {
            "name": "asked",
            "y": (asked / scale).tolist(),
            "mode": "lines+markers",
            "marker": {"size": 4},
            "line": {"color": "#5B6770", "width": 1.5, "dash": "dot"},
        },
    ]
    ticks = [quarter for quarter in view.quarters if quarter.endswith("Q1")] or list(view.quarters[:1])
    return figure(
        traces,
        210,
        showlegend=False,
        hovermode="x unified",
        xaxis=axis(
            type="category", showgrid=False, tickvals=ticks, ticktext=[quarter[:4] for quarter in ticks]
        ),
        yaxis=axis(rangemode="tozero", nticks=5),
        margin={"l": 4, "r": 8, "t": 26, "b": 4},
        annotations=[
            {
                "text": name,
                "xref": "paper",
                "yref": "paper",
                "x": 0,
                "y": 1.0,
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 11.5},
            }
        ],
    )


def training_programmes(result: Result) -> go.Figure | None:
    """Training runs as bars from start to due date, the trained share filled; None where there are none."""
    view = View(result)
    runs = view.table("programmes")
    if runs.empty:
        return None
    colours = group_colours(view.groups)
    traces = []
    for row in records(runs):
        start, end = view.quarter_start(str(row.start)), view.quarter_start(str(row.due), 1)
        length = (pd.Timestamp(end) - pd.Timestamp(start)).total_seconds() * 1e3
        part = float(row.trained) / max(float(row.tokens), TINY)
        name = str(row.programme).split(":")[-1]
        common = {"type": "bar", "orientation": "h", "y": [name], "base": [start], "showlegend": False}
        colour = colours[str(row.group)]
        traces.append(common | {"x": [length], "marker": {"color": faded(colour, 0.2)}, "hoverinfo": "skip"})
        traces.append(
            common
            | {
                "x": [length * part],
                "marker": {"color": faded(colour, 0.75)},
                "text": [f"{part:.0%} trained"],
                "textposition": "inside",
                "insidetextanchor": "start",
                "hoverinfo": "skip",
            }
        )
    return figure(
        traces,
        80 + 34 * len(runs),
        barmode="overlay",
        xaxis=axis(type="date"),
        yaxis=axis(autorange="reversed", showgrid=False),
    )


def busiest_week(view: View, site: str) -> tuple[str, int] | None:
    """Quarter and first hour of the week with the highest need in the last year, from the quarter's start."""
    hours = view.table("dispatch")
    if hours.empty:
        return None
    here = hours[(hours["site"] == site) & hours["quarter"].astype(str).str.startswith(str(view.years[-1]))]
    if here.empty:
        here = hours[hours["site"] == site]
    if here.empty:
        return None
    weekly = (
        here["need_mw"]
        .groupby([here["quarter"].astype(str), here["hour"] // HOURS_PER_WEEK])
        .agg(["mean", "size"])
    )
    whole = weekly[weekly["size"] == HOURS_PER_WEEK]
    best: Any = (whole if len(whole) else weekly)["mean"].idxmax()
    quarter, week = best
    return str(quarter), int(week) * HOURS_PER_WEEK


def week_of_dispatch(view: View, site: str) -> pd.DataFrame:
    """The hours of a site's busiest week, as in table `dispatch`; empty where the site draws nothing."""
    hours, found = view.table("dispatch"), busiest_week(view, site)
    if found is None:
        return hours.iloc[:0]
    quarter, first = found
    kept = (hours["site"] == site) & (hours["quarter"] == quarter)
    return hours[kept & hours["hour"].between(first, first + HOURS_PER_WEEK - 1)]


def dispatch_week(result: Result, site: str) -> go.Figure:
    """A site's busiest week, hour by hour: sources stacked, what the site needs as a line [MW]."""
    view = View(result)
    week = week_of_dispatch(view, site).copy()
    if week.empty:
        return empty("the site draws nothing")
    free = (week["solar_mw"] + week["wind_mw"]).clip(lower=TINY)
    used = 1.0 - (curtailed_mw(week) / free).clip(0.0, 1.0)
    week["solar_mw"], week["wind_mw"] = week["solar_mw"] * used, week["wind_mw"] * used
    start = pd.Timestamp(view.quarter_start(str(week["quarter"].iloc[0])))
    hours = [str(start + pd.Timedelta(hours=int(hour))) for hour in week["hour"]]
    colours = flow_colours(plants_in(week))
    sources = (
        ("solar", "solar"),
        ("wind", "wind"),
        *((kind, kind.replace("_", " ")) for kind in plants_in(week)),
        ("discharge", "battery"),
        ("import", "grid"),
        ("shed", "shed"),
    )
    traces = [
        layer(name, hours, week[f"{column}_mw"], colours[column], 0.4)
        for column, name in sources
        if week[f"{column}_mw"].round(3).abs().max() > 1e-3
    ]
    need = need_over("need of the site", hours, week["need_mw"])
    return figure(
        [*traces, need],
        360,
        hovermode="x unified",
        yaxis=axis("power [MW]", rangemode="tozero"),
        xaxis=axis(type="date", tickformat="%-d %b", dtick=86_400_000, range=[hours[0], hours[-1]]),
    )


def energy_by_source(result: Result) -> go.Figure:
    """Where energy comes from, by quarter, over all sites [GWh]."""
    view = View(result)
    energy = view.energy
    if energy.empty:
        return empty("no site draws power")
    sums = energy.groupby("quarter")[
        ["solar_mwh", "wind_mwh", "plant_mwh", "import_mwh", "shed_mwh", "curtailed_mwh"]
    ].sum()
    sums = sums.reindex(list(view.quarters), fill_value=0.0) / 1e3
    used = 1.0 - sums["curtailed_mwh"] / (sums["solar_mwh"] + sums["wind_mwh"]).clip(lower=TINY)
    sums["solar_mwh"], sums["wind_mwh"] = sums["solar_mwh"] * used, sums["wind_mwh"] * used
    names = {"solar": "solar used", "wind": "wind used", "plant": "plants", "import": "grid", "shed": "shed"}
    traces = [
        {
            "type": "bar",
            "name": name,
            "x": list(view.quarters),
            "y": sums[f"{key}_mwh"].round(3).tolist(),
            "marker": {"color": FLOW_COLOURS[key]},
            "hovertemplate": name + ": %{y:,.0f} GWh<extra></extra>",
        }
        for key, name in names.items()
        if sums[f"{key}_mwh"].max() > 1e-3
    ]
    return figure(
        traces,
        340,
        barmode="stack",
        bargap=0.18,
        xaxis=axis(type="category", showgrid=False),
        yaxis=axis("energy a quarter [GWh]", rangemode="tozero"),
    )
