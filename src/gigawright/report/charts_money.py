"""Where the money goes: the flow of payments, and budgets against spending."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gigawright.report import words
from gigawright.report.colours import ACCENT, KIND_COLOURS, MUTED, faded, group_colours
from gigawright.report.costs import unit_costs
from gigawright.report.figure import axis, empty, figure
from gigawright.report.view import TINY, View, entries, records
from gigawright.workloads.units import UNITS

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from gigawright.evaluate import Result

MOST_SITES = 6
SMALL_SHARE = 0.01
CATEGORY_COLOUR, PLACE_COLOUR = "#5E7F8E", "#A3ACA2"
PEOPLE = {"China": "people in China", "abroad": "people abroad"}


def money_flow(result: Result) -> go.Figure:
    """Nominal payments over the horizon, year to kind to category to site, in the study's currency."""
    view = View(result)
    rows = view.payments.copy()
    rows = rows[rows["own"] > TINY]
    if rows.empty:
        return empty("nothing is paid")
    divisor, unit = view.purse.scale(float(rows["own"].sum()))
    rows["amount"] = rows["own"] / divisor
    rows["place"] = _places(view, rows)
    rows["category"] = _categories(rows)
    labels: list[str] = []
    links: list[tuple[int, int, float, str]] = []

    def node(layer: str, name: str) -> int:
        key = f"{layer}|{name}"
        if key not in labels:
            labels.append(key)
        return labels.index(key)

    for left, right in (("year", "kind"), ("kind", "category"), ("category", "place")):
        sums = (
            rows.assign(left=rows[left].astype(str), right=rows[right])
            .groupby(["left", "right", "kind"])["amount"]
            .sum()
        )
        for (a, b, kind), amount in entries(sums):
            links.append((node(left, a), node(right, b), amount, KIND_COLOURS[kind]))
    return _sankey(rows, labels, links, unit)


def _categories(rows: pd.DataFrame) -> list[str]:
    """Categories, those below a hundredth of all money together by kind."""
    sums = rows.groupby(["kind", "category"])["amount"].sum()
    small = set(sums[sums < SMALL_SHARE * sums.sum()].index)
    alone = {
        kind for kind, count in pd.Series([kind for kind, _ in small]).value_counts().items() if count == 1
    }
    return [
        f"other {kind}" if (kind, category) in small and kind not in alone else category
        for kind, category in zip(rows["kind"], rows["category"], strict=True)
    ]


def _places(view: View, rows: pd.DataFrame) -> list[str]:
    """The largest sites by name, the rest together, people by their labour market."""
    at_sites = rows[rows["site"].isin(list(view.result.catalogue.sites))]
    largest = set(at_sites.groupby("site")["own"].sum().nlargest(MOST_SITES).index)
    return [
        PEOPLE.get(site) or (view.site(site) if site in largest else "other sites")
        for site in rows["site"].astype(str)
    ]


def _sankey(
    rows: pd.DataFrame, keys: list[str], links: list[tuple[int, int, float, str]], unit: str
) -> go.Figure:
    names, colours = [], []
    totals = {layer: rows.groupby(layer)["amount"].sum() for layer in ("year", "kind", "category", "place")}
    for key in keys:
        layer, name = key.split("|", 1)
        index = int(name) if layer == "year" else name
        names.append(f"{name} · {words.digits(float(totals[layer][index]))} {unit.split()[0]}")
        colour = {"year": ACCENT, "category": CATEGORY_COLOUR, "place": PLACE_COLOUR}.get(layer)
        colours.append(colour or KIND_COLOURS[name])
    trace = {
        "type": "sankey",
        "arrangement": "snap",
        "valueformat": ",.2f",
        "valuesuffix": f" {unit}",
        "textfont": {"size": 12.5},
        "node": {"label": names, "color": colours, "pad": 16, "thickness": 14, "line": {"width": 0}},
        "link": {
            "source": [link[0] for link in links],
            "target": [link[1] for link in links],
            "value": [link[2] for link in links],
            "color": [faded(link[3], 0.32) for link in links],
        },
    }
    return figure([trace], 480)


def budgets_and_spending(result: Result) -> go.Figure:
    """Budget and spending by year, capital and leasing apart, in the study's currency."""
    view = View(result)
    leasing = (
        any(view.budget_musd("leasing", year) for year in view.years) or view.spent_musd("leasing") > TINY
    )
    kinds = ("capital", "leasing") if leasing else ("capital",)
    budgets = {
        kind: [view.purse.of(view.budget_musd(kind, y) or 0.0, y) for y in view.years] for kind in kinds
    }
    divisor, unit = view.purse.scale(max(budgets["capital"]))
    traces: list[dict[str, Any]] = []
    for place, kind in enumerate(kinds):
        spent = [view.purse.of(view.spent_musd(kind, y), y) / divisor for y in view.years]
        traces += _budget_traces(
            view, kind, [b / divisor for b in budgets[kind]], spent, "2" if place else ""
        )
    layout: dict[str, Any] = {
        "xaxis": axis(domain=[0, 0.58 if leasing else 1], type="category"),
        "yaxis": axis(f"capital [{unit}]", rangemode="tozero"),
    }
    if leasing:
        layout["xaxis2"] = axis(domain=[0.69, 1], type="category", anchor="y2")
        layout["yaxis2"] = axis(f"leasing [{unit}]", anchor="x2", rangemode="tozero")
    return figure(traces, 330, barmode="overlay", bargap=0.2, **layout)


def _budget_traces(
    view: View, kind: str, budget: list[float], spent: list[float], suffix: str
) -> list[dict[str, Any]]:
    """The wide bar of the budget and the narrow one of the spending."""
    years = [str(year) for year in view.years]
    common = {"type": "bar", "x": years, "xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
    wide = {
        "y": budget,
        "name": "budget",
        "marker": {"color": faded(MUTED, 0.35)},
        "width": 0.72,
        "showlegend": not suffix,
        "hovertemplate": "budget %{y:,.4g}<extra></extra>",
    }
    narrow = {
        "y": spent,
        "name": f"spent on {kind}",
        "marker": {"color": KIND_COLOURS[kind]},
        "width": 0.46,
        "text": [words.digits(value) if value else "" for value in spent],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "spent %{y:,.4g}<extra></extra>",
    }
    return [common | wide, common | narrow]


def unit_cost_bars(result: Result) -> go.Figure:
    """How the programme's cost is shared by workload group, discounted, in the study's currency."""
    view = View(result)
    costs = unit_costs(result)
    if costs.empty:
        return empty("no work is done")
    colours = group_colours(view.groups)
    labels = [_label(str(row.group), str(row.unit), costs) for row in records(costs)]
    own = [view.purse.of(float(musd)) for musd in costs["cost_musd"]]
    divisor, unit = view.purse.scale(max(own))
    values = [value / divisor for value in own]
    trace = {
        "type": "bar",
        "orientation": "h",
        "y": labels[::-1],
        "x": values[::-1],
        "marker": {"color": [colours[group] for group in costs["group"]][::-1]},
        "text": [
            f"{words.digits(v)} {unit}, {words.share(s)}" for v, s in zip(values, costs["share"], strict=True)
        ][::-1],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": f"%{{y}}: %{{x:,.4g}} {unit}<extra></extra>",
    }
    return figure(
        [trace],
        40 + 38 * len(labels),
        xaxis=axis(range=[0, max(values) * 1.34], visible=False),
        yaxis=axis(showgrid=False, linecolor="rgba(0,0,0,0)"),
        showlegend=False,
    )


def _label(group: str, unit: str, costs: pd.DataFrame) -> str:
    several = (costs["group"] == group).sum() > 1
    return f"{group} ({UNITS[unit].plural})" if several else group


def sensitivity(result: Result) -> go.Figure | None:
    """How much of each group is served at the ends of its worth's range; None without such runs.

    Table `sensitivity`: group, factor, served_share. Factor 1 is the study's own value.
    """
    view = View(result)
    runs = view.table("sensitivity")
    if runs.empty:
        return None
    colours = group_colours(view.groups)
    groups = [group for group in view.groups if (runs["group"] == group).any()]
    traces: list[dict[str, Any]] = []
    for group in groups:
        rows = runs[runs["group"] == group].sort_values("factor")
        ends = {
            "type": "scatter", "mode": "lines", "x": (rows["served_share"] * 100).tolist(),
            "y": [group] * len(rows), "line": {"color": faded(colours[group], 0.5), "width": 4},
            "showlegend": False, "hoverinfo": "skip",
        }  # fmt: skip
        traces.append(ends)
    for end, name in ((-1, "low end of its range"), (0, "as the study says"), (1, "high end of its range")):
        rows = runs[np.sign(runs["factor"] - 1.0) == end].set_index("group")
        served = rows["served_share"].reindex(groups) * 100
        marks: dict[str, Any] = {
            "color": [colours[group] for group in groups],
            "size": 11 if end else 6,
            "line": {"width": 1.5, "color": "#FFFFFF"},
        }
        if end < 0:
            marks |= {"symbol": "circle-open", "line": {"width": 2.4}}
        traces.append(
            {"type": "scatter", "mode": "markers", "name": f"worth: {name}", "y": groups,
             "x": served.tolist(), "marker": marks, "hovertemplate": "%{y}: %{x:.1f}% served<extra></extra>"}
        )  # fmt: skip
    return figure(
        traces,
        96 + 32 * len(groups),
        xaxis=axis("share of the group's work that is served [%]", rangemode="tozero"),
        yaxis=axis(autorange="reversed"),
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )


__all__ = ["budgets_and_spending", "money_flow", "sensitivity", "unit_cost_bars"]
