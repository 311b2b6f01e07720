"""Sections at the end: plans compared, facts, glossary, method."""

from __future__ import annotations

import csv
import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from gigawright import __version__
from gigawright.report import charts, words
from gigawright.report.facts_section import facts_table
from gigawright.report.html import Column, Html, Piece, el, table
from gigawright.report.parts import Report, Section, bullets, more
from gigawright.report.summary import served_overall
from gigawright.report.view import TINY, View

if TYPE_CHECKING:
    from gigawright.study.model import Study

NUMBER: Final = "number"
SOLVERS = ("highspy", "numpy", "pandas", "pvlib", "plotly")


def compare_section(report: Report) -> Section | None:
    """Plans made with different knowledge, side by side; None where there is only one."""
    if not report.others:
        return None
    views = [report.view, *report.others]
    columns = [
        Column(""),
        *[Column(_named(view, views), "", NUMBER) for view in views],
        Column("Difference of the first", "", NUMBER),
    ]
    rows: list[list[Piece]] = []
    keys = [key_numbers(view) for view in views]
    for name, (value, text) in keys[0].items():
        base = keys[1][name][0]
        told = difference(value, base, text.endswith("%"))
        rows.append([name, text, *[key[name][1] for key in keys[1:]], told])
    systems = _system_rows(views)
    later = max(
        (view for view in views if view.result.as_of), key=lambda v: str(v.result.as_of), default=report.view
    )
    body: list[Piece] = [
        table("Key numbers of the plans", columns, rows),
        report.chart(
            "compare",
            charts.fleets_compared([v.result for v in views]),
            "Fleets at the end of the horizon",
            "One bar a plan, stacked by system; hatched where leased.",
        ),
        table("Accelerators ordered, by system", columns, systems),
        _facts_that_differ(report.others[0], report.view),
    ]
    intro = (
        f"The same study, solved with the knowledge of different days. The plan {later.title} is made "
        "with hindsight: it knows "
        "deliveries, rules and prices that nobody knew earlier, for all quarters of the horizon. The "
        "difference is not a "
        "gain that anybody could have had."
    )
    return Section("compare", "With what was known when", intro, body)


def difference(value: float, base: float, share: bool) -> str:
    """How a number differs from another: shares in points, much more as a factor, else in per cent.

    >>> difference(0.9, 0.99, True), difference(16.3, 1.34, False), difference(1.5, 1.2, False)
    ('-9 points', '12 times', '+25%')
    """
    if share:
        points = (value - base) * 100.0
        return "" if abs(points) < 0.05 else f"{points:+.2g} points"
    if abs(base) < TINY:
        return ""
    return f"{value / base:.2g} times" if value / base >= 3.0 else f"{value / base - 1.0:+.0%}"


def _named(view: View, views: list[View]) -> str:
    dates = [str(v.result.as_of or "9999") for v in views]
    hindsight = str(view.result.as_of or "9999") == max(dates) and len(set(dates)) > 1
    return view.title[0].upper() + view.title[1:] + (" (with hindsight)" if hindsight else "")


def key_numbers(view: View) -> dict[str, tuple[float, str]]:
    """The numbers that plans are compared by: name -> (value, text)."""
    orders, last = view.orders, view.standing()
    own = float(orders[orders["tenure"] == "own"]["accelerators"].sum()) if len(orders) else 0.0
    leased = float(last[last["tenure"] == "lease"]["accelerators"].sum()) if len(last) else 0.0
    found = view.served_share
    asked = float(found["demanded_musd"].sum()) if len(found) else 0.0
    mw = float(last["power_mw"].sum()) if len(last) else 0.0
    energy = view.energy
    emission = float(energy["emission_t"].sum()) if len(energy) else 0.0
    capital, leasing = view.spent_musd("capital"), view.spent_musd("leasing")
    return {
        "Accelerators bought": (own, words.count(own)),
        "Accelerators on lease at the end": (leased, words.count(leased)),
        "IT power at the end": (mw, words.power(mw)),
        "Worth of what is asked, nominal": (asked, view.purse.text(asked)),
        "Demand served, by worth": (served_overall(view), words.share(served_overall(view))),
        "Programme cost, discounted": (view.cost_musd, view.purse.text(view.cost_musd)),
        "Capital paid": (capital, view.paid("capital")),
        "Leases paid": (leasing, view.paid("leasing")),
        "Worth of unserved work, discounted": (
            view.number("worth_lost_musd"),
            view.purse.text(view.number("worth_lost_musd")),
        ),
        "Emissions": (emission, words.carbon(emission)),
        "Master gap": (view.number("master_gap"), words.share(view.number("master_gap"))),
    }


def _system_rows(views: list[View]) -> list[list[Piece]]:
    sums = [
        v.orders.groupby(["system", "tenure"])["accelerators"].sum() if len(v.orders) else None for v in views
    ]
    keys = sorted({key for found in sums if found is not None for key in found.index})
    rows: list[list[Piece]] = []
    for system, tenure in keys:
        numbers = [0.0 if found is None else float(found.get((system, tenure), 0.0)) for found in sums]
        if max(numbers) < 0.5:
            continue
        name = views[0].system(system) + (" (leased)" if tenure == "lease" else "")
        change = numbers[0] - numbers[1]
        rows.append(
            [
                name,
                *[words.count(n) for n in numbers],
                "" if abs(change) < 0.5 else f"{'+' if change > 0 else '-'}{words.count(abs(change))}",
            ]
        )
    return rows


def _facts_that_differ(earlier: View, later: View) -> Html:
    """Facts both plans rest on whose values differ."""
    before = {(f.kind, f.item, f.attribute): f for f in earlier.result.catalogue.book.used}
    columns = [
        Column("Fact"),
        Column(earlier.title),
        Column(later.title),
        Column("Unit"),
        Column("Known from"),
    ]
    rows = [
        [f"{f.item} {f.attribute}", str(before[key].value), str(f.value), f.unit, f.known_from.isoformat()]
        for f in later.result.catalogue.book.used
        if (key := (f.kind, f.item, f.attribute)) in before and before[key].value != f.value
    ]
    return more(
        f"{len(rows)} facts of both plans have other values", table("Facts that changed", columns, rows)
    )


def facts_section(report: Report) -> Section:
    """Every fact used, and what could not be predicted."""
    result = report.view.result
    missing = [
        f"{report.view.system(name)}: not predictable, missing {', '.join(what)}"
        for name, what in result.catalogue.not_predictable.items()
    ]
    refused = sorted(
        {
            f"{report.view.system(p.system)} at {p.phase}: {p.refused}"
            for p in result.performance.table.values()
            if p.refused and p.refused not in ("",)
        }
    )
    body: list[Piece] = [facts_table(result)]
    if missing:
        body += [el("h3", "Not predictable"), bullets(missing)]
    if refused:
        body.append(
            more(f"{len(refused)} pairings of a system and a phase of work that cannot be", bullets(refused))
        )
    intro = (
        "Each with its source, the day from which a planner could have known it, and how far it can be "
        "trusted. "
        "The values of the study itself are facts too."
    )
    return Section("facts", "Facts and assumptions", intro, body)


def glossary_section(report: Report) -> Section:
    """The words of the report."""
    del report
    text = files("gigawright.report").joinpath("data/glossary.csv").read_text(encoding="utf-8")
    rows = [
        el("div", el("dt", row["term"]), el("dd", row["meaning"]))
        for row in csv.DictReader(text.splitlines())
    ]
    return Section("glossary", "Glossary", "", [el("dl", rows, cls="glossary")])


def method_section(report: Report) -> Section:
    """How the plan was made, and what is needed to make it again."""
    result, view = report.view.result, report.view
    seconds = [[name, words.digits(value)] for name, value in result.seconds.items()]
    seconds += [
        [f"of it: {name.removesuffix('_s')}", words.digits(value)]
        for name, value in result.plan.summary.items()
        if name.endswith("_s")
    ]
    size = {name: view.number(name) for name in ("rows", "columns", "nonzeros")}
    versions = [
        ["gigawright", __version__],
        ["Python", platform.python_version()],
        *[[name, _version(name)] for name in SOLVERS],
    ]
    body: list[Piece] = [
        bullets(
            [
                "The master decides purchases, halls, lines, leases and people as a mixed-integer "
                "programme, with energy on typical days.",
                "Each site's contracts are sized again on fine weeks; every hour of the horizon is then "
                "lived through at fixed capacities.",
                "A checker that shares no code with the builder re-evaluates every rule on the solution; "
                "a plan that fails it is not shown.",
                "The bound is that of the planning model; the cost is verified hour by hour. The solver "
                "stops by gap, with one thread and a fixed seed.",
            ]
        ),
        el(
            "p",
            f"Planning model: {size['rows']:,.0f} rules, {size['columns']:,.0f} variables, "
            f"{size['nonzeros']:,.0f} coefficients.",
        ),
        table("Seconds by stage", [Column("Stage"), Column("Time", "s", NUMBER)], seconds),
        table("Versions", [Column("Part"), Column("Version")], versions),
        el(
            "p", f"Study “{result.study.name}”, sha256 of its content: ", el("code", study_hash(result.study))
        ),
        more(
            "The study as it was understood",
            el("pre", result.study.model_dump_json(indent=1, exclude_defaults=True)),
        ),
    ]
    return Section("method", "Method and reproducibility", "", body)


def study_hash(study: Study) -> str:
    """sha256 of the study's content as JSON: equal for equal studies, however they are laid out."""
    return hashlib.sha256(study.model_dump_json().encode()).hexdigest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
