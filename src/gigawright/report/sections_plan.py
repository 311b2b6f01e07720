"""Sections on the plan itself: build-out, sites, fleet, work, dispatch."""

from __future__ import annotations

from typing import Final

from gigawright.report import charts, words
from gigawright.report.charts_map import site_table
from gigawright.report.charts_work import busiest_week
from gigawright.report.html import Column, Html, Piece, el, safe, swatch, table
from gigawright.report.parts import Report, Section, heat, more
from gigawright.report.training_pace import training_pace
from gigawright.report.view import TINY, View, entries, lines, records

NUMBER: Final = "number"


def build_section(report: Report) -> Section:
    """Orders and construction over time."""
    view = report.view
    told = (
        "Each bar runs from order to arrival, or from the start of construction to the day a hall or line is "
        "ready; hatched bars are leases. Systems first, then buildings by site."
    )
    rows = (
        [
            [
                view.system(str(r.system)),
                "lease" if r.tenure == "lease" else "purchase",
                view.site(str(r.site)),
                str(r.order_quarter),
                str(r.arrival_quarter),
                words.count(float(r.accelerators)),
                words.digits(float(r.cost_musd)) if r.cost_musd > TINY else "none",
            ]
            for r in records(view.orders.sort_values(["order_quarter", "system", "site"]))
        ]
        if len(view.orders)
        else []
    )
    columns = [
        Column("System"),
        Column("How"),
        Column("Site"),
        Column("Ordered"),
        Column("Arrives"),
        Column("Accelerators", "", NUMBER),
        Column("Price", "M USD", NUMBER),
    ]
    chart = report.chart(
        "build-out", charts.build_out(view.result, report.systems), "From order to arrival", told, wide=True
    )
    return Section(
        "build-out",
        "Build-out",
        "What is ordered and built, and when it is there.",
        [chart, more(f"The numbers: {len(rows)} orders", table("Orders", columns, rows))],
    )


def map_section(report: Report) -> Section:
    """Where the sites are and what stands there at the end."""
    view = report.view
    sites = site_table(view.result)
    columns = [
        Column("Site"),
        Column("Country"),
        Column("IT power", "MW", NUMBER),
        Column("Accelerators", "", NUMBER),
        Column("Halls", "MW of IT", NUMBER),
        Column("Grid", "MW", NUMBER),
        Column("What stands"),
    ]
    rows = [
        [
            view.site(str(r.site)),
            str(r.country),
            words.digits(float(r.power_mw)),
            words.count(float(r.accelerators)),
            words.digits(float(r.halls_mw)),
            words.digits(float(r.grid_mw)),
            _fleet_words(report, str(r.site)),
        ]
        for r in records(sites)
    ]
    title = f"Sites at the end of {view.quarters[-1]}"
    told = (
        "The area of a circle is IT power; hollow circles are sites of the study where nothing stands. Power "
        "of leased accelerators is estimated from their systems' wall power."
    )
    maps = [report.chart("map", charts.site_map(view.result), title, told)]
    crowded = charts.crowded_country(view.result)
    if crowded:
        closer = charts.site_map(view.result, crowded)
        maps.append(report.chart("map-near", closer, f"Closer: {crowded}", "On the same scale of circles."))
    outline = el("p", "Coastlines: Natural Earth, 1:110m, public domain.", cls="intro")
    return Section("sites", "Sites", "", [*maps, table(title, columns, rows), outline])


def _fleet_words(report: Report, site: str) -> str:
    standing = report.view.standing()
    if standing.empty:
        return ""
    here = (
        standing[standing["site"] == site]
        .groupby(["system", "tenure"])["accelerators"]
        .sum()
        .sort_values(ascending=False)
    )
    told = [
        f"{words.count(float(number))} "
        f"{report.view.system(str(system))}{' (leased)' if tenure == 'lease' else ''}"
        for (system, tenure), number in entries(here)
        if number > 0.5
    ]
    return ", ".join([*told[:4], *([f"{len(told) - 4} more kinds"] if len(told) > 4 else [])])


def fleet_section(report: Report) -> Section:
    """What stands, by system and quarter."""
    view = report.view
    fleet = view.fleet
    body: list[Piece] = [
        report.chart(
            "fleet",
            charts.fleet_by_system(view.result, report.systems),
            "Accelerators standing",
            "Stacked by system; one hue a vendor; hatched where leased.",
        )
    ]
    if len(fleet):
        sums = fleet.groupby(["system", "tenure", "quarter"])["accelerators"].sum().unstack(fill_value=0)
        sums = sums.reindex(columns=list(view.quarters), fill_value=0.0)
        most = float(sums.to_numpy().max())
        rows = [
            (
                safe(
                    swatch(
                        report.systems[str(system)],
                        view.system(str(system)) + (" (leased)" if tenure == "lease" else ""),
                    )
                ),
                [(words.count(float(v)) if v > 0.5 else "", float(v) / most) for v in row],
            )
            for (system, tenure), row in lines(sums)
        ]
        body.append(
            more(
                "The numbers: accelerators by system and quarter",
                heat("Accelerators standing", "System", view.quarters, rows, "#0B6B5D"),
            )
        )
    return Section("fleet", "Fleet", "", body)


def work_section(report: Report) -> Section:
    """Demand against delivery by workload group, and training programmes."""
    view = report.view
    panels = charts.demand_and_delivery(view.result)
    small = [
        report.chart(
            f"demand-{i}",
            figure,
            title,
            _served_words(view, group, unit),
        )
        for i, ((group, unit), (title, figure)) in enumerate(panels.items())
    ]
    body: list[Piece] = [el("div", small, cls="small")] if small else []
    shares = view.served_share
    if len(shares):
        by_quarter = shares.pivot(index="group", columns="quarter", values="share").reindex(
            columns=list(view.quarters)
        )
        rows = [
            (
                safe(swatch(report.groups[group], group)),
                [
                    (words.share(v) if v == v else "", 1.0 - v if v == v else 0.0)
                    for v in map(float, by_quarter.loc[group])
                ],
            )
            for group in view.groups
            if group in by_quarter.index
        ]
        body.append(
            heat(
                "Share of demand served, by worth; the darker, the more is lost",
                "Workload group",
                view.quarters,
                rows,
                "#C98A2B",
            )
        )
    runs = charts.training_programmes(view.result)
    if runs is not None:
        body += [
            report.chart(
                "programmes",
                runs,
                "Training programmes",
                "From start to due date; the filled part is what is trained by then.",
            ),
            _programme_table(report),
        ]
    body += training_pace(report)
    intro = (
        "Asked (dotted line) and served (filled area), a day's mean by quarter. Capacity is sized for the "
        "peak hour of each region; what is not served is lost, not queued."
    )
    return Section("work", "Demand and delivery", intro, body)


def _served_words(view: View, group: str, unit: str) -> str:
    """How much of a group's work in a unit is served in the first and the last year."""
    demand = view.table("demand")
    rows = demand[(demand["group"] == group) & (demand["unit"] == unit)]
    years = rows["quarter"].astype(str).str[:4].astype(int)
    first, last = (
        1.0
        - float(rows[years == year]["unmet"].sum()) / max(float(rows[years == year]["demanded"].sum()), TINY)
        for year in (view.years[0], view.years[-1])
    )
    if view.years[0] == view.years[-1]:
        return f"{words.share(first)} served in {view.years[0]}."
    return f"{words.share(first)} served in {view.years[0]}, {words.share(last)} in {view.years[-1]}."


def _programme_table(report: Report) -> Html:
    columns = [
        Column("Programme"),
        Column("Group"),
        Column("Start"),
        Column("Due"),
        Column("Tokens", "", NUMBER),
        Column("Trained", "", NUMBER),
        Column("Late", "", NUMBER),
    ]
    rows = [
        [
            str(r.programme),
            str(r.group),
            str(r.start),
            str(r.due),
            words.scaled(float(r.tokens)),
            words.scaled(float(r.trained)),
            words.scaled(float(r.late_tokens)) if r.late_tokens > 1 else "none",
        ]
        for r in records(report.view.table("programmes"))
    ]
    return table("Training programmes", columns, rows)


def dispatch_section(report: Report) -> Section:
    """The busiest week of the last year at each site that draws power, the largest first."""
    view = report.view
    energy = view.energy
    title, intro = (
        "A week of dispatch",
        "Every hour of the horizon is lived through at the capacities decided; this is the week in the "
        "last year with the highest need.",
    )
    if energy.empty:
        return Section("dispatch", title, intro, [el("p", "No site of the plan draws power.")])
    sites = [
        str(site) for site in energy.groupby("site")["site_mwh"].sum().sort_values(ascending=False).index
    ]
    panes, options = [], []
    for i, site in enumerate(sites):
        quarter, first = busiest_week(view, site) or ("", 0)
        when = (
            f"Week {first // 168 + 1} of {quarter}, hours in UTC. Sun and wind beyond need and charging are "
            "left out; what stands above the line charges the battery."
        )
        chart = report.chart(f"dispatch-{i}", charts.dispatch_week(view.result, site), view.site(site), when)
        panes.append(el("div", chart, id=f"pane-{i}", hidden=i > 0))
        options.append(el("option", view.site(site), value=f"pane-{i}"))
    choose = el("label", "Site ", el("select", options, data_shows="dispatch", id="dispatch-site"))
    return Section(
        "dispatch", title, intro, [el("div", choose, cls="filters") if len(sites) > 1 else "", panes]
    )
