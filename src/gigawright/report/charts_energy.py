"""Charts of a powered study: energy by month, a week hour by hour, costs, how long power is dear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gigawright.arrays import Floats
from gigawright.report.colours import FLOW_COLOURS, GROUP_HUES, flow_colours
from gigawright.report.figure import axis, empty, figure, layer, need_over

if TYPE_CHECKING:
    import plotly.graph_objects as go

WEEK_H = 168
NOTHING = 1e-3
# A flow that is less than this share of the load is not drawn.
TRACE = 1e-3
# Prices are drawn up to so much of what nine hours in ten do not exceed.
HEADROOM = 1.5
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
YEAR = pd.Timestamp("2025-01-01")
GIVEN = {"cap": "work slowed", "pause": "work paused", "shed": "load shed"}
"""Tiers of the load that give way, by the first word of their names."""
GIVEN_COLOURS = {"work slowed": "#E59A6F", "work paused": "#D9674A"}
WAYS = {
    "_discharge_mw": FLOW_COLOURS["discharge"],
    "_delayed_mw": "#C3A5D0",
    "_given_mw": FLOW_COLOURS["shed"],
}
"""Endings of columns that stand in for sources, and their colours."""
LEGEND = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "font": {"size": 12}}


def used(hours: pd.DataFrame, sources: Sequence[str]) -> pd.DataFrame:
    """What each source gives to the load and the stores: free power beyond that is spilled [MW]."""
    supply = hours[[f"{source}_mw" for source in sources]].copy()
    gives = [
        c
        for c in map(str, hours)
        if c.endswith(("_discharge_mw", "_given_mw", "_delayed_mw", "moved_out_mw"))
    ]
    takes = [c for c in map(str, hours) if c.endswith(("_charge_mw", "_caught_up_mw", "moved_in_mw"))]
    over = supply.sum(axis=1) + hours[gives].sum(axis=1) - hours[takes].sum(axis=1) - hours["load_mw"]
    free = [f"{source}_mw" for source in ("solar", "wind") if source in sources]
    if free:
        share = 1.0 - (over.clip(lower=0.0) / supply[free].sum(axis=1).clip(lower=NOTHING)).clip(0.0, 1.0)
        supply[free] = supply[free].mul(share, axis=0)
    return supply.rename(columns=lambda column: column.removesuffix("_mw"))


def by_month(hours: pd.DataFrame, sources: Sequence[str], month: Floats) -> go.Figure:
    """Energy used from each source by month, the load as a line [GWh]."""
    colours = flow_colours(sources)
    layers = used(hours, sources)
    for label, (flow, colour) in flows(hours).items():
        if label in GIVEN.values():
            layers[label], colours[label] = flow, colour
    sums = layers.groupby(month).sum() * 1e-3
    traces: list[dict[str, Any]] = [
        {
            "type": "bar",
            "name": source,
            "x": list(MONTHS),
            "y": sums[source].round(3).tolist(),
            "marker": {"color": colours[source]},
            "hovertemplate": source + ": %{y:,.1f} GWh<extra></extra>",
        }
        for source in map(str, sums)
        if sums[source].sum() > TRACE * sums.to_numpy().sum()
    ]
    load = hours["load_mw"].groupby(month).sum() * 1e-3
    traces.append(
        {
            "type": "scatter",
            "mode": "lines",
            "name": "load",
            "x": list(MONTHS),
            "y": load.round(3).tolist(),
            "line": {"color": FLOW_COLOURS["need"], "width": 1.8},
            "meta": "ink",
            "hovertemplate": "load: %{y:,.1f} GWh<extra></extra>",
        }
    )
    return figure(
        traces,
        320,
        barmode="stack",
        legend=LEGEND,
        xaxis=axis(type="category", showgrid=False, autotickangles=[0, 45]),
        yaxis=axis("energy [GWh]", rangemode="tozero"),
    )


def week_worth_seeing(hours: pd.DataFrame) -> int:
    """First hour of the week in which power is shed most, else dearest."""
    told = hours["shed_given_mw"] if "shed_given_mw" in hours else hours["load_mw"] * 0.0
    series = told if told.max() > NOTHING else hours["price_usd_mwh"]
    weeks = series.to_numpy()[: 52 * WEEK_H].reshape(52, WEEK_H).sum(axis=1)
    return int(np.argmax(weeks)) * WEEK_H


def given_name(tier: str) -> str:
    """What a tier of the load that gives way is called: its name in the tables, in words.

    >>> given_name("cap_2"), given_name("pause"), given_name("shed")
    ('work slowed', 'work paused', 'load shed')
    """
    return GIVEN.get(tier.split("_")[0], tier.replace("_", " "))


def flows(hours: pd.DataFrame) -> dict[str, tuple[pd.Series, str]]:
    """What stands in for sources: discharge by store, work put off, load that gave way; MW and colour."""
    found: dict[str, tuple[pd.Series, str]] = {}
    for column in map(str, hours):
        for ending, colour in WAYS.items():
            if column.endswith(ending):
                of = column.removesuffix(ending)
                label = f"{of} discharge" if ending == "_discharge_mw" else given_name(of)
                label = "work put off" if ending == "_delayed_mw" else label
                before = found[label][0] if label in found else 0.0
                found[label] = (before + hours[column], GIVEN_COLOURS.get(label, colour))
    return found


def week(hours: pd.DataFrame, sources: Sequence[str], first: int) -> go.Figure:
    """One week hour by hour: what gives power stacked, the load as a line [MW]."""
    part = hours.iloc[first : first + WEEK_H]
    clock = [str(YEAR + pd.Timedelta(hours=int(hour))) for hour in part["hour"]]
    colours = flow_colours(sources)
    layers = used(part, sources)
    for label, (flow, colour) in flows(part).items():
        layers[label], colours[label] = flow, colour
    least = max(NOTHING, TRACE * float(part["load_mw"].max()))
    traces = [
        layer(name, clock, layers[name], colours[name], 0)
        for name in map(str, layers)
        if layers[name].max() > least
    ]
    load = need_over("load", clock, part["load_mw"])
    return figure(
        [*traces, load],
        340,
        hovermode="x unified",
        legend=LEGEND,
        yaxis=axis("power [MW]", rangemode="tozero"),
        xaxis=axis(type="date", tickformat="%-d %b", dtick=86_400_000, range=[clock[0], clock[-1]]),
    )


def costs(table: pd.DataFrame) -> go.Figure:
    """What a year costs by site and what it is paid for [M USD]."""
    if table.empty:
        return empty("nothing is paid")
    named = table.assign(category=[given_name(str(name)) for name in table["category"]])
    wide = named.pivot_table(index="site", columns="category", values="usd", aggfunc="sum", fill_value=0.0)
    wide = wide.loc[:, wide.sum().sort_values(ascending=False).index] * 1e-6
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": str(name),
            "y": list(map(str, wide.index)),
            "x": wide[name].round(4).tolist(),
            "marker": {"color": GROUP_HUES[i % len(GROUP_HUES)]},
            "hovertemplate": f"{name}: %{{x:,.3g}} M USD<extra></extra>",
        }
        for i, name in enumerate(wide)
    ]
    return figure(
        traces,
        120 + 60 * len(wide),
        barmode="relative",
        legend=LEGEND,
        xaxis=axis("cost a year [M USD]"),
        yaxis=axis(type="category", showgrid=False),
    )


def price_duration(dispatch: pd.DataFrame) -> go.Figure:
    """Marginal price of power by share of the hours it is exceeded, one line a site [USD/MWh]."""
    traces = []
    top = 0.0
    for i, (site, hours) in enumerate(dispatch.groupby("site", observed=True)):
        price = np.sort(hours["price_usd_mwh"].to_numpy())[::-1]
        top = max(top, HEADROOM * float(np.percentile(price, 90.0)))
        places = np.unique(np.linspace(0, len(price) - 1, 400).astype(int))
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": str(site),
                "x": (100.0 * (places + 0.5) / len(price)).round(2).tolist(),
                "y": price[places].round(2).tolist(),
                "line": {"color": GROUP_HUES[i % len(GROUP_HUES)], "width": 2},
                "hovertemplate": "%{x:.0f}% of hours above %{y:,.1f} USD/MWh",
            }
        )
    return figure(
        traces,
        320,
        legend=LEGEND,
        xaxis=axis("share of the hours [%]", range=[0, 100]),
        yaxis=axis("one more MWh [USD]", range=[0, max(top, 1.0)]),
    )
