from __future__ import annotations

import dataclasses
from itertools import pairwise

import pandas as pd
import pytest

from gigawright.evaluate import Result
from gigawright.report import charts
from gigawright.report.charts_map import land, site_table
from gigawright.report.charts_work import busiest_week, week_of_dispatch
from gigawright.report.view import View


def test_the_flow_of_money_is_whole_at_every_step(rich: Result) -> None:
    link = charts.money_flow(rich).data[0].link
    view = View(rich)
    divisor, _ = view.purse.scale(float(view.payments["own"].sum()))
    whole = view.payments["own"].sum() / divisor
    starts = set(link.source) - set(link.target)
    ends = set(link.target) - set(link.source)
    out = sum(v for s, v in zip(link.source, link.value, strict=True) if s in starts)
    into = sum(v for t, v in zip(link.target, link.value, strict=True) if t in ends)
    assert out == pytest.approx(whole)
    assert into == pytest.approx(whole)


def test_bars_of_the_build_out_never_overlap_in_a_lane(rich: Result) -> None:
    lanes: dict[float, list[tuple[str, float]]] = {}
    for bar in charts.build_out(rich).data:
        lanes.setdefault(bar.y[0], []).append((bar.base[0], bar.x[0]))
    for bars in lanes.values():
        ends = None
        for start, length in sorted(bars):
            begin = pd.Timestamp(start)
            assert ends is None or begin >= ends
            ends = begin + pd.Timedelta(milliseconds=length)


def test_the_fleet_chart_stacks_to_the_fleet(result: Result) -> None:
    figure = charts.fleet_by_system(result)
    last = sum(trace.y[-1] for trace in figure.data)
    scale = 1e3 if "thousand" in figure.layout.yaxis.title.text else 1.0
    assert last * scale == pytest.approx(View(result).standing()["accelerators"].sum(), rel=1e-3)


def test_a_week_of_dispatch_covers_the_need(result: Result) -> None:
    figure = charts.dispatch_week(result, "abilene")
    *sources, need = figure.data
    week = week_of_dispatch(View(result), "abilene")
    given = [sum(values) for values in zip(*(trace.y for trace in sources), strict=True)]
    wanted = (week["need_mw"] + week["charge_mw"]).to_numpy()
    assert need.name == "need of the site"
    assert given == pytest.approx(wanted, abs=0.02)


def test_the_busiest_week_is_whole(result: Result) -> None:
    found = busiest_week(View(result), "abilene")
    assert found is not None
    assert found[1] % 168 == 0
    assert len(week_of_dispatch(View(result), "abilene")) == 168


def test_the_map_draws_coasts_without_lines_across_it(result: Result) -> None:
    longitude, latitude = land()
    assert len(longitude) == len(latitude)
    steps = [abs(b - a) for a, b in pairwise(longitude) if a is not None and b is not None]
    assert max(steps) < 60.0
    coast, points = charts.site_map(result).data
    assert coast.mode == "lines"
    assert list(points.x) == site_table(result)["longitude"].tolist()


def test_no_chart_needs_the_network(rich: Result) -> None:
    panels = [figure for _, figure in charts.demand_and_delivery(rich).values()]
    figures = [
        charts.money_flow(rich), charts.budgets_and_spending(rich), charts.build_out(rich),
        charts.site_map(rich),
        charts.fleet_by_system(rich), charts.energy_by_source(rich), charts.unit_cost_bars(rich),
        charts.fleets_compared([rich, rich]), *panels,
    ]  # fmt: skip
    for figure in figures:
        assert not {trace.type for trace in figure.data} & {
            "scattergeo",
            "choropleth",
            "scattermap",
            "scattermapbox",
        }


def test_sensitivity_is_drawn_where_there_is_some(result: Result, rich: Result) -> None:
    assert charts.sensitivity(rich) is not None
    bare = {name: table for name, table in result.plan.tables.items() if name != "sensitivity"}
    assert (
        charts.sensitivity(dataclasses.replace(result, plan=dataclasses.replace(result.plan, tables=bare)))
        is None
    )
