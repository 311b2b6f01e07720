"""Sections on energy, emissions and water, and on what limits the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gigawright.facility.dispatch.quarters import PLANTS
from gigawright.report import charts, words
from gigawright.report.html import Column, Html, Piece, bar, el, safe, table
from gigawright.report.parts import Report, Section, bullets, heat, more
from gigawright.report.summary import dearest, refused_systems, rules_in_force
from gigawright.report.view import TINY, View, lines, records

if TYPE_CHECKING:
    import pandas as pd

NUMBER: Final = "number"
AMBER: Final = "#C98A2B"
LITRES_PER_M3, KWH_PER_MWH = 1e3, 1e3


def energy_section(report: Report) -> Section:
    """Energy, emissions, water, PUE and WUE by site."""
    view = report.view
    energy = view.energy
    if energy.empty:
        return Section(
            "energy", "Energy, emissions and water", "", [el("p", "No site of the plan draws power.")]
        )
    columns = [
        Column("Site"),
        Column("IT energy", "GWh", NUMBER),
        Column("Site energy", "GWh", NUMBER),
        Column("PUE", "", NUMBER),
        Column("Water", "1,000 m³", NUMBER),
        Column("WUE", "L/kWh", NUMBER),
        Column("Sun and wind", "% of use", NUMBER),
        Column("Emissions", "kt CO₂", NUMBER),
        Column("Bill", "M USD", NUMBER),
        Column("Shed", "GWh", NUMBER),
    ]
    by_site = energy.groupby("site").sum(numeric_only=True).sort_values("site_mwh", ascending=False)
    rows = [_energy_row(view.site(str(site)), row) for site, row in lines(by_site)]
    rows.append(_energy_row("All sites", by_site.sum()))
    body: list[Piece] = [
        report.chart(
            "energy",
            charts.energy_by_source(view.result),
            "Where energy comes from",
            "All sites together; what sun and wind give in vain is left out.",
        ),
        table(
            f"Energy, emissions and water by site, {view.quarters[0]} to {view.quarters[-1]}", columns, rows
        ),
        _contracts(report),
    ]
    intro = (
        "Verified hour by hour for owned capacity; a lease has its energy in its price. Emissions count grid "
        "imports at the site's average factor and plants at theirs; certificates do not lower them. Water is "
        "make-up water at the site."
    )
    return Section("energy", "Energy, emissions and water", intro, body)


def _energy_row(name: str, row: pd.Series[float]) -> list[str]:
    it, site = max(row["it_mwh"], TINY), max(row["site_mwh"], TINY)
    bill = sum(
        row.get(column, 0.0)
        for column in ("import_cost_musd", "plant_cost_musd", "demand_charge_musd", "contract_cost_musd")
    )
    green = (row["solar_mwh"] + row["wind_mwh"] - row["curtailed_mwh"]) / site
    return [
        name,
        words.digits(row["it_mwh"] / 1e3),
        words.digits(row["site_mwh"] / 1e3),
        f"{row['site_mwh'] / it:.3f}",
        words.digits(row["water_m3"] / 1e3),
        f"{row['water_m3'] * LITRES_PER_M3 / (it * KWH_PER_MWH):.2f}",
        f"{100 * max(0.0, green):.1f}",
        words.digits(row["emission_t"] / 1e3),
        words.digits(bill),
        words.digits(row["shed_mwh"] / 1e3),
    ]


def _contracts(report: Report) -> Piece:
    """Contracted sun, wind, batteries and plants at the end of the horizon."""
    view = report.view
    contracts = view.table("contracts")
    if contracts.empty:
        return el("p", "No solar, wind, battery or plant is contracted.")
    last = contracts[contracts["quarter"] == view.quarters[-1]]
    plants = [kind for kind in PLANTS if kind in set(last["technology"])]
    kinds = ("solar", "wind", "battery", *plants)
    by_site = last.pivot_table(index="site", columns="technology", values="mw", aggfunc="sum", fill_value=0.0)
    rows = [
        [view.site(str(site)), *[words.digits(float(row.get(kind, 0.0))) for kind in kinds]]
        for site, row in lines(by_site)
    ]
    columns = [Column("Site"), *[Column(kind.replace("_", " ").capitalize(), "MW", NUMBER) for kind in kinds]]
    return table(f"Contracted at the end of {view.quarters[-1]}", columns, rows)


def limits_section(report: Report) -> Section:
    """Shadow prices by rule, where and quarter; what cannot be bought, and why."""
    view = report.view
    prices = view.table("prices")
    body: list[Piece] = []
    if len(prices):
        top = dearest(prices)
        body.append(bullets([_sentence(view.plain(str(row.words))) for row in records(top)]))
        body += [_price_table(report, prices[prices["rule"] == rule], rule) for rule in top["rule"]]
    else:
        body.append(el("p", "No rule with a shadow price binds."))
    body += [el("h3", "What the rules keep from being bought"), *_rules(report)]
    body += [el("h3", "What else cannot be had"), *_refusals(report)]
    intro = (
        "What one more unit of each scarce thing would be worth, in discounted money. A plan with whole "
        "halls has no shadow prices of its own: they hold with halls and lines as decided."
    )
    return Section("limits", "What limits the plan", intro, body)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _price_table(report: Report, prices: pd.DataFrame, rule: str) -> Html:
    """The prices of a rule: a row a place, by quarter where it has several, else ranked."""
    view, unit = report.view, str(prices["unit"].iloc[0])
    small = float(prices["value_musd"].abs().max()) < 1.0
    scale, money = (1e3, "kUSD") if small else (1.0, "M USD")
    title = f"{rule.capitalize()}: worth of one more {unit} [{money}]"
    most = float(prices["value_musd"].abs().max())
    if prices.groupby("where")["quarter"].nunique().max() == 1:
        columns = [Column("Where"), Column("From"), Column("Worth", money)]
        ranked = [
            [
                view.plain(str(r.where)),
                str(r.quarter),
                bar(abs(r.value_musd) / most, AMBER, words.digits(r.value_musd * scale)),
            ]
            for r in records(prices)
        ]
        return table(title, columns, ranked)
    grid = prices.pivot_table(index="where", columns="quarter", values="value_musd", aggfunc="sum")
    grid = grid.loc[grid.max(axis=1).sort_values(ascending=False).index].reindex(columns=list(view.quarters))
    rows = [
        (
            view.plain(str(name)),
            [("", 0.0) if v != v else (words.digits(v * scale), v / most) for v in map(float, row)],
        )
        for name, row in lines(grid)
    ]
    return heat(title, "Where", view.quarters, rows, AMBER)


def _rules(report: Report) -> list[Piece]:
    """Rules that keep systems from being owned, by country, at the horizon's end."""
    view = report.view
    found = rules_in_force(view)
    if not found:
        return [el("p", "No rule in force keeps a system of the study from being bought.")]
    verdicts = {"denied": "may not be bought", "review": "only with a licence"}
    columns = [Column("Systems"), Column("Verdict"), Column("From"), Column("Where"), Column("Rule")]
    rows = [
        [
            ", ".join(_with_tpp(view, system) for system in rule.systems),
            verdicts[rule.verdict],
            rule.since if rule.since != view.quarters[0] else f"by {rule.since}",
            words.joined(rule.countries),
            safe([rule.text, " ", el("code", rule.rule)]),
        ]
        for rule in found
    ]
    note = (
        f"Rules in force at the end of {view.quarters[-1]}, as known; a lease in somebody else's hall is not "
        "a purchase. TPP: total processing performance."
    )
    return [el("p", note, cls="intro"), table("What the rules say of buying", columns, rows, cls="rules")]


def _with_tpp(view: View, system: str) -> str:
    tpp = view.result.catalogue.systems[system].accelerator.tpp
    return f"{view.system(system)} (TPP {tpp:,.0f})" if tpp else view.system(system)


def _refusals(report: Report) -> list[Piece]:
    view = report.view
    found = refused_systems(view)
    if found.empty:
        return [el("p", "Every system of the study may be ordered for every site at some time.")]
    columns = [Column("System"), Column("Why not"), Column("Where")]
    rows = []
    for row in records(found):
        names = [view.site(str(site)) for site in row.sites]
        where = (
            "every site"
            if row.everywhere
            else words.joined(names)
            if len(names) <= 4
            else f"{len(names)} sites: {', '.join(names)}"
        )
        offer = str(row.offer)
        name = view.system(offer.removesuffix(" (leased)")) + (
            " (leased)" if offer.endswith(" (leased)") else ""
        )
        rows.append([name, view.plain(str(row.reason)), where])
    note = "Systems that may be ordered for a site in no quarter; the reason is that of the first quarter."
    several = table("Systems that may not be ordered for a site", columns, rows)
    return [
        el("p", note, cls="intro"),
        several if len(rows) <= 12 else more(f"All {len(rows)} refusals", several),
    ]
