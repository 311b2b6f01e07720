"""The plan in sentences, each made from numbers of the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gigawright.report import words
from gigawright.report.view import TINY, View, records

if TYPE_CHECKING:
    from gigawright.evaluate import Result

MOST_NAMED = 5


def sentences(result: Result) -> list[tuple[str, str]]:
    """(subject, sentence) of every part of the summary; parts without numbers are left out."""
    view = View(result)
    parts = (
        ("What is bought", bought(view)),
        ("Where it stands", where(view)),
        ("What is built", built(view)),
        ("Under which rules", rules(view)),
        ("What it delivers", delivered(view)),
        ("What it costs", costs(view)),
        ("What is not spent", unspent(view)),
        ("What limits it", limits(view)),
    )
    return [(subject, sentence) for subject, sentence in parts if sentence]


def _top(amounts: pd.Series[float], write: object, most: int = MOST_NAMED) -> str:
    """The largest entries of a series in words, the rest as one."""
    largest = amounts[amounts > TINY].sort_values(ascending=False)
    told = [write(str(name), float(value)) for name, value in largest.head(most).items()]  # type: ignore[operator]
    rest = largest.iloc[most:]
    return words.joined([*told, *([f"{len(rest)} more"] if len(rest) else [])])


def bought(view: View) -> str:
    """What is bought and leased, and when it arrives."""
    orders, buyer = view.orders, view.result.study.buyer.name
    if orders.empty:
        return f"{buyer} orders no accelerators."
    parts = []
    for tenure, verb in (("own", "buys"), ("lease", "leases")):
        rows = orders[orders["tenure"] == tenure]
        if len(rows):
            amounts = rows.groupby("system")["accelerators"].sum()
            named = _top(amounts, lambda item, n: f"{words.count(n)} {view.system(item)}")
            arrive = sorted(rows["arrival_quarter"])
            when = (
                f"arriving {arrive[0]} to {arrive[-1]}"
                if arrive[0] != arrive[-1]
                else f"arriving {arrive[0]}"
            )
            parts.append(f"{verb} {words.count(float(amounts.sum()))} accelerators ({named}), {when}")
    return f"{buyer} {words.joined(parts)}."


def where(view: View) -> str:
    """Where the fleet stands at the end."""
    standing = view.standing()
    if standing.empty:
        return ""
    by_site = standing.groupby("site")[["accelerators", "power_mw"]].sum()
    total = by_site["power_mw"].sum()
    named = _top(by_site["power_mw"], lambda item, mw: f"{view.site(item)} ({words.power(mw)})")
    number = words.count(float(by_site["accelerators"].sum()))
    places = f"{len(by_site)} site{'s' if len(by_site) > 1 else ''}"
    fleet = f"{number} accelerators of {words.power(total)}"
    return f"At the end of {view.quarters[-1]} {fleet} stand at {places}: {named}."


def built(view: View) -> str:
    """Halls and lines started."""
    construction = view.table("construction")
    if construction.empty:
        return "No halls or grid lines are built."
    halls, lines = construction[construction["what"] != "grid"], construction[construction["what"] == "grid"]
    parts = []
    for rows, what in ((halls, "halls"), (lines, "grid connections")):
        if len(rows):
            named = _top(
                rows.groupby("site")["mw"].sum(), lambda item, mw: f"{view.site(item)} {words.power(mw)}", 3
            )
            parts.append(f"{words.power(float(rows['mw'].sum()))} of {what} ({named})")
    first, last = min(construction["start_quarter"]), max(construction["ready_quarter"])
    return f"It builds {words.joined(parts)}; the first is started in {first}, the last is ready in {last}."


def refused_systems(view: View) -> pd.DataFrame:
    """Systems that cannot be bought or leased, by reason: offer, reason, sites (how many), everywhere."""
    sites: dict[tuple[str, str], list[str]] = {}
    open_ = _may_be_ordered(view)
    for (site, offer), reason in view.result.plan.why_not.items():
        if (site, offer) in open_:
            continue
        sites.setdefault((offer, reason), []).append(site)
    everywhere = len(view.result.study.sites)
    rows = [(offer, why, places, len(places) == everywhere) for (offer, why), places in sites.items()]
    found = pd.DataFrame(rows, columns=["offer", "reason", "sites", "everywhere"])
    return found.sort_values(["everywhere", "offer"], ascending=[False, True], ignore_index=True)


def _may_be_ordered(view: View) -> set[tuple[str, str]]:
    """(site, offer) that may be ordered in some quarter."""
    problem = view.result.plan.problem
    some = np.asarray(np.any(problem.offers.may_order, axis=2))
    return {
        (site, offer)
        for s, site in enumerate(problem.sets.sites)
        for k, offer in enumerate(problem.sets.offers)
        if some[s, k]
    }


@dataclass(frozen=True)
class RuleInForce:
    """A rule that keeps systems of the study from being bought in some countries at the horizon's end."""

    rule: str
    text: str
    verdict: str
    since: str
    countries: tuple[str, ...]
    systems: tuple[str, ...]


def rules_in_force(view: View) -> list[RuleInForce]:
    """Every such rule as known, with the quarter of the horizon from which it decides."""
    catalogue, quarters = view.result.catalogue, view.result.study.horizon.quarters
    countries = sorted({country for _, country, _ in catalogue.verdicts})
    where: dict[tuple[str, str, str, str], list[str]] = {}
    for system in sorted({plan.system for plan in view.result.study.systems if plan.buy}):
        for country in countries:
            last = catalogue.verdicts[system, country, quarters[-1]]
            if last.verdict != "free":
                same = [q for q in quarters if catalogue.verdicts[system, country, q].rule == last.rule]
                where.setdefault((system, last.rule, last.verdict, str(same[0])), []).append(country)
    systems: dict[tuple[str, str, str, tuple[str, ...]], list[str]] = {}
    for (system, rule, verdict, since), places in where.items():
        systems.setdefault((rule, verdict, since, tuple(places)), []).append(system)
    texts = {rule: catalogue.book.history("rule", rule, "text") for rule, *_ in systems}
    return [
        RuleInForce(
            rule, str(texts[rule][-1].value) if texts[rule] else "", verdict, since, places, tuple(names)
        )
        for (rule, verdict, since, places), names in sorted(systems.items())
    ]


def rules(view: View) -> str:
    """What law and licences allow, counted over systems."""
    verdicts = view.result.catalogue.verdicts
    if not verdicts:
        return ""
    home, last = view.result.study.buyer.headquarters, max(quarter for _, _, quarter in verdicts)
    asked = {plan.system for plan in view.result.study.systems if plan.buy}
    told: dict[str, list[str]] = {"denied": [], "review": []}
    countries = {country for _, country, _ in verdicts}
    place = home if home in countries else min(countries)
    for (system, country, quarter), outcome in sorted(verdicts.items(), key=lambda pair: pair[0][0]):
        if country == place and quarter == last and system in asked and outcome.verdict in told:
            told[outcome.verdict].append(view.system(system))
    parts = []
    if told["review"]:
        parts.append(f"{words.joined(told['review'])} may be bought only with a licence")
    if told["denied"]:
        parts.append(f"{words.joined(told['denied'])} may not be bought at all")
    what = f"Under the rules in force at the end of {last}, "
    if not parts:
        return f"{what}every system of the study may be bought in {place}."
    return f"{what}in {place} {'; '.join(parts)}; as the plan reads them, leases are outside these rules."


def served_overall(view: View) -> float:
    """Share of the worth of all demand that is served over the horizon; NaN where nothing has any worth."""
    found = view.served_share
    total = float(found["demanded_musd"].sum()) if len(found) else 0.0
    return float(found["served_musd"].sum()) / total if total > TINY else float("nan")


def delivered(view: View) -> str:
    """How much of what is asked is served."""
    found = view.served_share
    parts = []
    if len(found):
        sums = found.groupby("group", sort=False)[["served_musd", "demanded_musd"]].sum()
        shares = (sums["served_musd"] / sums["demanded_musd"].clip(lower=TINY)).sort_values(ascending=False)
        named = words.joined([f"{group} {words.share(float(value))}" for group, value in shares.items()])
        whole = words.share(served_overall(view))
        parts.append(f"Over the horizon it serves {whole} of demand, counted by worth: {named}.")
    runs = view.table("programmes")
    if len(runs):
        late = int((runs["late_tokens"] > 1e-3 * runs["tokens"]).sum())
        trained = words.scaled(float(runs["trained"].sum()))
        state = "all in time" if not late else f"{late} of {len(runs)} not whole by their date"
        parts.append(f"It trains {trained} tokens in {len(runs)} programmes, {state}.")
    return " ".join(parts)


def costs(view: View) -> str:
    """The programme's cost, and the nominal money behind it."""
    purse, kinds = view.purse, []
    for kind, name in (("capital", "capital"), ("leasing", "leases"), ("operating", "energy and people")):
        spent = view.spent_musd(kind)
        if spent > TINY:
            kinds.append(f"{view.paid(kind, both=False)} for {name}")
    rate = words.share(view.result.catalogue.constants.discount_rate)
    energy = view.number("energy_verified_musd")
    return (
        f"The programme costs {purse.text(view.cost_musd)}, discounted at {rate} a year and less the "
        "value left at "
        f"the end; {purse.text(energy, both=False)} of it is energy, verified hour by hour. "
        f"Paid in nominal money: {words.joined(kinds)}."
    )


def unspent(view: View) -> str:
    """Budgets that are not spent, said year by year."""
    parts = []
    for kind, name in (("capital", "capital"), ("leasing", "money for leases")):
        years = []
        for year in view.years:
            budget = view.budget_musd(kind, year) or 0.0
            left = budget - view.spent_musd(kind, year)
            if left > 0.005 * budget > 0.0:
                amount = view.purse.text(left, year, both=False)
                years.append(f"{amount} in {year} ({words.share(left / budget)})")
        if years:
            parts.append(f"of the {name}, {words.joined(years)}")
    if not parts:
        return "Every budget is spent to within half a per cent."
    return f"Left unspent: {'; '.join(parts)}."


def limits(view: View) -> str:
    """The dearest shadow prices: of supply, of halls, of power, of budgets."""
    told = [view.plain(str(row.words)) for row in records(dearest(view.table("prices")).head(3))]
    if not told:
        return "No rule with a shadow price binds."
    return f"With halls and lines as decided, {'; '.join(told)}."


def dearest(prices: pd.DataFrame) -> pd.DataFrame:
    """The highest shadow price of each rule, supply first, the others by worth."""
    if prices.empty:
        return prices
    top = prices[prices["value_musd"] > 0].sort_values("value_musd", ascending=False, kind="stable")
    top = top.drop_duplicates("rule")
    return top.sort_values("rule", key=lambda rules: rules != "supply", kind="stable", ignore_index=True)
