"""Sections on money and value: what work is worth, where the money goes, what a unit costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from gigawright.money import Money
from gigawright.report import charts, words
from gigawright.report.costs import HOW, per_reported_unit, unit_costs
from gigawright.report.html import Column, Html, Piece, bar, el, swatch, table
from gigawright.report.parts import Report, Section, more
from gigawright.report.summary import unspent
from gigawright.report.view import TINY, View, lines, records

if TYPE_CHECKING:
    from gigawright.study.model import Reported, Workload

NUMBER: Final = "number"


def value_section(report: Report) -> Section:
    """The assumed value of each group's work, shown before anything that depends on it."""
    view = report.view
    columns = [
        Column("Workload"),
        Column("Value of a unit", "", NUMBER),
        Column("Low to high", "", NUMBER),
        Column("In dollars", "USD", NUMBER),
        Column("Worth of what is asked", "M USD", NUMBER),
        Column("Served"),
    ]
    rows = [_value_row(report, workload) for workload in view.result.study.workloads]
    body: list[Piece] = [table("Value of a unit of work by workload, with its range", columns, rows)]
    figure = charts.sensitivity(view.result)
    if figure is not None:
        body.append(
            report.chart(
                "sensitivity",
                figure,
                "Were one group's work worth as little or as much as its range says",
                "Share of that group's work served, all other values as they are. Halls, lines, purchases "
                "and leases answer; halls come in fractions.",
            )
        )
        body.append(_sensitivity_table(report))
    intro = (
        "What work is worth decides what is served when not everything can be. No firm publishes it: each "
        "value is an assumption of the study, with a range. Judge the plan by these numbers first."
    )
    return Section("value", "What work is worth", intro, body)


def _sensitivity_table(report: Report) -> Html:
    view = report.view
    columns = [
        Column("Workload group"),
        Column("Worth times", "", NUMBER),
        Column("Served", "", NUMBER),
        Column("Accelerators bought, all groups", "", NUMBER),
        Column("Their price", "M USD", NUMBER),
    ]
    rows = [
        [
            swatch(report.groups[str(r.group)], str(r.group)),
            f"{r.factor:g}",
            words.share(float(r.served_share)),
            words.count(float(r.accelerators)),
            words.digits(float(r.purchases_musd)),
        ]
        for r in records(view.table("sensitivity"))
    ]
    return more(
        "The numbers: other values of the work", table("Sensitivity to the value of work", columns, rows)
    )


def _value_row(report: Report, workload: Workload) -> list[Piece]:
    """A workload's assumed value, its range, what is asked at that value and how much of it is served."""
    view, group = report.view, workload.group or workload.name
    named: list[Piece] = [swatch(report.groups[group], group)]
    if workload.value is None:
        return [named, "none given", "", "", "", ""]
    note = workload.value.note or workload.value.source
    told = ": ".join(part for part in (workload.name if workload.name != group else "", note) if part)
    named += [el("br"), el("span", told, cls="remark small-text")] if told else []
    money, unit = workload.value.value
    scale, per = reading_scale(money.amount, unit)
    ends = [end for end in (workload.value.low, workload.value.high) if end is not None]
    done, asked = _worth(view, workload.name)
    served: Piece = (
        bar(done / asked, report.groups[group], words.share(done / asked)) if asked > TINY else "by date"
    )
    return [
        named,
        f"{words.digits(money.amount * scale)} {money.currency} per {per}",
        " to ".join(words.digits(end[0].amount * scale) for end in ends) or "no range",
        words.digits(view.result.catalogue.usd(money) * scale),
        words.digits(asked) if asked > TINY else "",
        served,
    ]


def _worth(view: View, workload: str) -> tuple[float, float]:
    """Worth of a workload's work that is served and that is asked for, over the horizon [M USD, nominal]."""
    service, demand = view.table("service"), view.table("demand")
    done = float(service[service["workload"] == workload]["worth_musd"].sum()) if len(service) else 0.0
    lost = float(demand[demand["workload"] == workload]["worth_lost_musd"].sum()) if len(demand) else 0.0
    return done, done + lost


def reading_scale(price: float, unit: str) -> tuple[float, str]:
    """How many units to price together so that the number can be read, and their name.

    >>> reading_scale(1e-5, "token"), reading_scale(0.003, "ranking"), reading_scale(0.2, "image")
    ((1000000.0, 'M tokens'), (1000.0, '1,000 rankings'), (1.0, 'image'))
    """
    if price <= 0.0 or price >= 1e-2:
        return 1.0, unit
    plural = unit if unit.endswith("s") else f"{unit}s"
    return (1e6, f"M {plural}") if "token" in unit else (1e3, f"1,000 {plural}")


def money_section(report: Report) -> Section:
    """Where the money goes, and what of the budgets is left."""
    view = report.view
    body: list[Piece] = [
        report.chart(
            "money-flow",
            charts.money_flow(view.result),
            "Where the money goes",
            "Nominal payments over the horizon from year to kind, category and place, in "
            f"{view.purse.currency}; each name has its sum.",
            wide=True,
        ),
        report.chart(
            "budgets",
            charts.budgets_and_spending(view.result),
            "Budgets and spending",
            "The wide grey bar is the year's budget, the narrow one what the plan spends; unspent money "
            "is not carried over.",
            wide=True,
        ),
        el("p", unspent(view)),
        *_reported_table(report),
        _payments_table(report),
    ]
    intro = "Capital and leasing have budgets of their own; energy and people are operating cost without one."
    if view.purse.currency != "USD":
        intro += f" Dollars become {view.purse.currency} at each year's last known rate."
    return Section("money", "Where the money goes", intro, body)


def _reported_table(report: Report) -> list[Piece]:
    """What was reported of the programme beside what the plan pays, one row for each report."""
    view = report.view
    columns = [
        Column("Reported"),
        Column("On"),
        Column("Sum", "", NUMBER),
        Column("The plan pays", f"M {view.purse.currency}", NUMBER),
        Column("Source"),
    ]
    rows: list[list[Piece]] = []
    for reported in view.result.study.compare_reported:
        paid = words.digits(_paid(view, reported))
        what = f"{reported.to}, {reported.year}"
        for fact in view.result.catalogue.book.history("programme", reported.fact, "value"):
            view.result.catalogue.book.use(fact)
            amount = str(Money(float(fact.value), fact.unit))
            rows.append([what, str(fact.known_from), amount, paid, fact.source])
    return [table("Reported figures beside the plan's; none is a constraint", columns, rows)] if rows else []


def _paid(view: View, reported: Reported) -> float:
    """What the plan pays of a kind in a year [M of the report's currency]."""
    payments = view.payments
    kind = "leasing" if reported.to == "leasing" else "capital"
    picked = (payments["year"] == reported.year) & (payments["kind"] == kind)
    if reported.to == "accelerators":
        picked &= payments["category"] == "accelerators"
    return float(payments[picked]["own"].sum())


def _payments_table(report: Report) -> Html:
    view = report.view
    sums = view.payments.groupby(["kind", "category", "year"])["own"].sum().unstack(fill_value=0)
    columns = [
        Column("Kind"),
        Column("Category"),
        *[Column(str(y), f"M {view.purse.currency}", NUMBER) for y in sums.columns],
        Column("All", f"M {view.purse.currency}", NUMBER),
    ]
    rows = [
        [kind, category, *[words.digits(float(v)) for v in row], words.digits(float(row.sum()))]
        for (kind, category), row in lines(sums)
    ]
    return more("The numbers: payments by category and year", table("Nominal payments", columns, rows))


def unit_cost_section(report: Report) -> Section:
    """What a million tokens, a thousand rankings, an image or a video costs."""
    view = report.view
    costs = unit_costs(view.result)
    own = view.purse.currency
    columns = [
        Column("Workload group"),
        Column("A unit"),
        Column("Cost", own, NUMBER),
        Column("Cost", "USD", NUMBER),
        Column("Assumed value", own, NUMBER),
        Column("Share of the work"),
    ]
    if own == "USD":
        del columns[2]
    rows = []
    for row in records(costs):
        usd, unit = per_reported_unit(float(row.usd_per_unit), str(row.unit))
        worth = float(row.worth_musd) * 1e6 / float(row.units) if row.units > TINY else 0.0
        value, _ = per_reported_unit(worth, str(row.unit))
        colour = report.groups[str(row.group)]
        cells: list[Piece] = [
            swatch(colour, str(row.group)),
            el("span", unit, cls="nowrap"),
            _price(usd * view.purse.rate()),
            _price(usd),
            _price(value * view.purse.rate()) if value > 0 else "none",
            bar(float(row.share), colour, words.share(float(row.share))),
        ]
        if own == "USD":
            del cells[2]
        rows.append(cells)
    body: list[Piece] = [
        table("Levelised cost of a unit of work", columns, rows),
        report.chart(
            "unit-costs",
            charts.unit_cost_bars(view.result),
            "Who carries the programme's cost",
            "The discounted programme cost, shared out by accelerators x quarters at work.",
        ),
        el(
            "p",
            el("b", "How it is reckoned. "),
            HOW,
            " A serving group's output tokens carry the cost of the input tokens that they answer.",
        ),
    ]
    return Section("unit-costs", "What a unit of work costs", "", body)


def _price(value: float) -> str:
    return "none" if math.isnan(value) else words.digits(value)
