"""One offline page: style, script, charts and tables in a single file that asks the network for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from gigawright import __version__
from gigawright.report import felt, sections_end, sections_energy, sections_money, sections_plan, trust, words
from gigawright.report.colours import mixed
from gigawright.report.html import Html, Piece, el, safe
from gigawright.report.parts import Report, Section, bullets, tile
from gigawright.report.summary import sentences, served_overall
from gigawright.report.view import View

if TYPE_CHECKING:
    from gigawright.evaluate import Result

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "font-src data:"
)
CONFIDENCE_COLOURS = {
    "assumption": "#C98A2B",
    "derived": "#B9A77C",
    "D": "#B4553B",
    "C": "#D9926F",
    "B": "#7FB3A8",
    "A": "#0B6B5D",
}
BUILDERS = (
    sections_money.value_section,
    sections_money.money_section,
    sections_plan.build_section,
    sections_plan.map_section,
    sections_plan.fleet_section,
    sections_plan.work_section,
    felt.felt_section,
    sections_plan.dispatch_section,
    sections_money.unit_cost_section,
    sections_energy.energy_section,
    sections_energy.limits_section,
    sections_end.compare_section,
    sections_end.facts_section,
    sections_end.glossary_section,
    sections_end.method_section,
)


def page(results: Sequence[Result]) -> str:
    """The report as one HTML text; the first result is the main plan, the others are compared with it."""
    report = Report(tuple(results))
    sections = [section for build in BUILDERS if (section := build(report)) is not None]
    return "<!doctype html>\n" + el("html", _head(report.view), _body(report, sections), lang="en")


def _head(view: View) -> Html:
    return el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=POLICY),
        el("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        el("title", f"{view.result.study.name}: gigawright report"),
        el("link", rel="icon", href="data:,"),
        el("style", _asset("report.css")),
    )


def _asset(name: str) -> Html:
    return Html(files("gigawright.report").joinpath(f"data/{name}").read_text(encoding="utf-8"))


def _body(report: Report, sections: Sequence[Section]) -> Html:
    from plotly.offline import get_plotlyjs

    links = [("summary", "Summary"), *[(section.id, section.title) for section in sections]]
    items = [el("li", el("a", title, href=f"#{name}")) for name, title in links]
    contents = el(
        "nav",
        el("a", "gigawright", href="#summary", cls="brand"),
        el("ol", items),
        cls="toc",
        aria_label="Contents",
    )
    phone = el("details", el("summary", "Contents"), el("ol", items), cls="toc-phone")
    main = el("main", phone, _summary(report), [section.html() for section in sections], _footer(), id="main")
    return el(
        "body",
        el("a", "Skip to the summary", href="#summary", cls="skip"),
        el("div", contents, main, cls="frame"),
        el("script", Html(get_plotlyjs())),
        el("script", _asset("report.js")),
    )


def _summary(report: Report) -> Html:
    view = report.view
    study = view.result.study
    horizon = f"{view.quarters[0]} to {view.quarters[-1]}"
    hindsight = ", with hindsight" if report.others else ""
    eyebrow = f"{study.buyer.name} · {horizon} · {words.day(view.result.as_of)}{hindsight}"
    story = [(el("dt", subject), el("dd", sentence)) for subject, sentence in sentences(view.result)]
    head = el(
        "header",
        el("p", eyebrow, cls="eyebrow"),
        el("h1", study.name),
        el("p", study.description, cls="lede"),
        cls="hero",
    )
    return el(
        "section",
        head,
        tiles(view),
        el("dl", story, cls="story"),
        honesty(view),
        id="summary",
        aria_label="Summary",
        style="padding-top:0",
    )


def tiles(view: View) -> Html:
    """The numbers to remember."""
    orders, last = view.orders, view.standing()
    own = float(orders[orders["tenure"] == "own"]["accelerators"].sum()) if len(orders) else 0.0
    leased = float(last[last["tenure"] == "lease"]["accelerators"].sum()) if len(last) else 0.0
    mw = float(last["power_mw"].sum()) if len(last) else 0.0
    energy = view.energy
    twh = float(energy["site_mwh"].sum()) if len(energy) else 0.0
    pue = twh / max(float(energy["it_mwh"].sum()), 1e-9) if len(energy) else float("nan")
    carbon = words.carbon(float(energy["emission_t"].sum()) if len(energy) else 0.0)
    year = view.years[0]
    budget = view.budget_musd("capital", year) or 0.0
    used = view.spent_musd("capital", year) / budget if budget else 0.0
    dollars = f"{words.scaled(view.cost_musd * 1e6)} USD, " if view.purse.currency != "USD" else ""
    rows: list[tuple[str, str, str]] = [
        (
            "Programme cost",
            view.purse.text(view.cost_musd, both=False),
            f"{dollars}discounted, less residual value",
        ),
        (
            "Capital paid",
            view.paid("capital", both=False),
            f"{words.share(used)} of {year}'s budget is spent",
        ),
        (
            "Accelerators bought",
            words.scaled(own) if own >= 1e6 else words.count(own),
            f"{words.count(leased)} more on lease at the end" if leased else "none leased",
        ),
        (
            "IT power at the end",
            words.power(mw),
            f"at {last['site'].nunique() if len(last) else 0} of {len(view.result.catalogue.sites)} sites",
        ),
        ("Demand served", words.share(served_overall(view)), "by worth, over the horizon"),
        ("Energy", words.energy(twh), f"PUE {pue:.2f}, {carbon}"),
    ]
    return el("dl", [tile(*row) for row in rows], cls="tiles")


def honesty(view: View) -> Html:
    """How good the plan is proved to be, and what it rests on."""
    result, facts = view.result, view.result.catalogue.book.used
    counted = {name: number for name, number in trust.by_confidence(facts).items() if number}
    total = max(1, sum(counted.values()))
    stripes = [
        el(
            "span",
            style=f"width:{100 * n / total:.2f}%;background:{CONFIDENCE_COLOURS[c]}",
            title=f"{c}: {n}",
        )
        for c, n in counted.items()
    ]
    key = [
        el(
            "span",
            el("i", style=f"background:{CONFIDENCE_COLOURS[c]}"),
            f"{n:,} {trust.CONFIDENCE_WORDS[c]}",
            cls="swatch",
        )
        for c, n in counted.items()
    ]
    dated = sum(fact.kind != "study" for fact in facts)
    assumed = trust.assumed_dates(facts)
    proof: list[Piece] = [
        _proved(view.number("master_gap")),
        "Its cost is verified hour by hour: energy as lived through differs by "
        f"{words.share(view.number('energy_gap'))} from energy as sized; "
        f"{words.digits(view.number('shed_gwh'))} GWh of load is shed.",
        f"It rests on {len(facts):,} facts; {words.share(counted.get('assumption', 0) / total)} of them "
        "are assumptions.",
        f"For {assumed:,} of {dated:,} facts with a date of knowledge, that date is assumed.",
    ]
    left = el(
        "div",
        bullets(proof),
        el("div", stripes, cls="confbar", aria_hidden="true"),
        el("div", key, cls="confkey"),
    )
    right = el(
        "div",
        el("p", "What the headlines rest on:"),
        bullets([rest.sentence() for rest in trust.rests(result)]),
    )
    return el(
        "aside",
        el("h2", "How far to trust this"),
        el("div", left, right, cls="cols"),
        cls="honest",
        id="honesty",
        aria_label="How far to trust this",
    )


def _proved(gap: float) -> str:
    """The master's gap in words."""
    if gap <= 1e-6:
        return "No plan of the planning model is cheaper for what it delivers: its bound is reached (gap 0%)."
    return (
        f"The plan is within {words.share(gap)} of the best there can be, by the bound of the planning model."
    )


def _footer() -> Html:
    return el(
        "footer",
        f"Made by gigawright {__version__}. This page works offline and asks no other machine for anything.",
    )


__all__ = ["honesty", "mixed", "page", "safe", "tiles"]
