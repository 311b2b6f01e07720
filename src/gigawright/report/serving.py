"""The result of a search of serving configurations as one offline page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gigawright.report import charts_serving as charts
from gigawright.report import words
from gigawright.report.frame import framed
from gigawright.report.html import Column, Html, Piece, el, table
from gigawright.report.parts import Report, Section, bullets, tile
from gigawright.report.serving_text import (
    advice,
    draft_words,
    load_words,
    number,
    running,
    short_words,
    shown,
    title,
)
from gigawright.workloads.serving.points import configuration_words

if TYPE_CHECKING:
    from gigawright.workloads.serving.explore import Explored
    from gigawright.workloads.serving.points import Point

SHOWN = 12
"""Points whose time is drawn by what it is spent on."""


LISTED = 24
"""Points in the table; the file of --csv has all."""


def page(found: Explored) -> str:
    """The page as HTML: it works offline and asks nothing of another machine."""
    drawing = Report(())
    sections = [_front(drawing, found), _costs(drawing, found), _points(found), _time(drawing, found)]
    kept = [section for section in sections if section is not None]
    return framed(_name(found), "search serving", _summary(found), [*kept, _method(found)])


def _name(found: Explored) -> str:
    one = found.asked.first
    return f"{one.model.name} on {one.chip.name}"


def _summary(found: Explored) -> Html:
    lede = (
        f"{found.configurations:,} configurations were evaluated in {found.took_s:.2g} s; {found.kept:,} "
        f"keep the limits, and {len(found.points):,} of these no other beats."
    )
    head = el(
        "header",
        el("p", f"Search of serving configurations · {title(found.asked)}", cls="eyebrow"),
        el("h1", _name(found)),
        el("p", lede, cls="lede"),
        cls="hero",
    )
    body = _tiles(found.choice) if found.choice else _short(found)
    told = [*found.asked.notes, *found.notes]
    notes = bullets(told) if told else ""
    return el("section", head, body, notes, id="summary", aria_label="Summary", style="padding-top:0")


def _tiles(one: Point) -> Html:
    told, (low, high) = one.predicted, one.pace_p10_p90
    first = f"{words.digits(told.ttft_s * 1e3)} ms"
    later = f"{words.digits(told.tpot_s * 1e3)} ms"
    load = f"{load_words(one)}{draft_words(one)}"
    rows = [
        ("Recommended", configuration_words(one.service), load),
        (
            "Pace of an accelerator",
            f"{words.digits(one.pace)} tokens/s",
            f"{words.digits(low)} to {words.digits(high)}, p10 to p90",
        ),
        ("Pace of a user", f"{words.digits(one.user)} tokens/s", f"limits kept: {one.chance:.0%} sure"),
        ("First token", first, _interval(told.ttft_s_p10, told.ttft_s_p90)),
        ("Each token after", later, _interval(told.tpot_s_p10, told.tpot_s_p90)),
        ("A million tokens", f"{number(one.usd_per_m)} USD", f"{number(one.joules)} J a token"),
    ]
    return el("dl", [tile(*row) for row in rows], cls="tiles")


def _interval(low: float, high: float) -> str:
    return f"{words.digits(low * 1e3)} to {words.digits(high * 1e3)} ms, p10 to p90"


def _short(found: Explored) -> Html:
    """Why nothing is found."""
    if not found.misses:
        return el("aside", el("h2", "Nothing fits into memory"), bullets(found.helps), cls="honest")
    helps = [f"What helps: {line}." for line in found.helps]
    return el(
        "aside",
        el("h2", "No configuration is found"),
        el("p", f"{short_words(found)}."),
        bullets(helps),
        cls="honest",
    )


def _front(drawing: Report, found: Explored) -> Section | None:
    if not (found.points or found.misses):
        return None
    text = (
        "Each large dot is a configuration that no other beats in all of tokens/s of an accelerator, "
        "tokens/s of a user, cost and energy; small dots are the others that keep the limits."
    )
    if not found.points:
        text = "The configurations that come nearest to the limits."
    chart = drawing.chart("front", charts.pace_front(found), "Efficiency over speed", text, wide=True)
    return Section("front", "The front", "", [chart])


def _costs(drawing: Report, found: Explored) -> Section | None:
    drawn = [
        drawing.chart(name, figure, name_of, "Points of the front, by mode.")
        for name, name_of, figure in (
            ("cost", "Cost over speed", charts.cost_front(found)),
            ("energy", "Energy over speed", charts.energy_front(found)),
        )
        if figure is not None
    ]
    return Section("costs", "Cost and energy", "", drawn) if drawn else None


COLUMNS = (
    Column("", "", "number"),
    Column("configuration"),
    Column("requests a worker", "", "number"),
    Column("TTFT", "ms", "number"),
    Column("TPOT", "ms", "number"),
    Column("an accelerator", "tokens/s", "number"),
    Column("a user", "tokens/s", "number"),
    Column("cost", "USD/M", "number"),
    Column("energy", "J/token", "number"),
    Column("cache full", "", "number"),
    Column("sure", "", "number"),
    Column("accelerators", "", "number"),
    Column("limited by"),
)


def _points(found: Explored) -> Section | None:
    points = shown(found, LISTED) or list(found.misses)
    if not points:
        return None
    rows = [_row(place, one, one is found.choice) for place, one in enumerate(points, start=1)]
    name = "Points of the front" if found.points else "What comes nearest"
    caption = "From the most efficient to the fastest for a user; p10 to p90 in brackets; * recommended"
    if len(rows) < len(found.points):
        caption += f"; {len(rows)} of {len(found.points)}, all with --csv"
    return Section("points", name, "", [table(caption, COLUMNS, rows)])


def _row(place: int, one: Point, best: bool) -> list[Piece]:
    told = one.predicted
    lines = [el("span", text, style="white-space:nowrap") for text in _lines(one, best)]
    remark = ", ".join(text for text in (one.service.expert_precision, draft_words(one).strip(", ")) if text)
    return [
        str(place),
        [*(piece for line in lines for piece in (line, el("br"))), el("span", remark, cls="remark")],
        f"{running(one):,.0f}",
        _times(told.ttft_s, told.ttft_s_p10, told.ttft_s_p90),
        _times(told.tpot_s, told.tpot_s_p10, told.tpot_s_p90),
        words.digits(one.pace),
        words.digits(one.user),
        number(one.usd_per_m),
        number(one.joules),
        f"{one.filled:.0%}",
        f"{one.chance:.0%}",
        f"{one.accelerators * max(1, one.units):,.0f}",
        one.limits,
    ]


def _lines(one: Point, best: bool) -> list[str]:
    """The configuration, prompt workers and those that decode on lines of their own."""
    first, plus, second = configuration_words(one.service).partition(" + ")
    lines = [f"{first} +", second] if plus else [first]
    return [*lines[:-1], lines[-1] + (" *" if best else "")]


def _times(middle: float, low: float, high: float) -> str:
    return f"{words.digits(middle * 1e3)} ({words.digits(low * 1e3)}\u2013{words.digits(high * 1e3)})"


def _time(drawing: Report, found: Explored) -> Section | None:
    points = shown(found, SHOWN) or list(found.misses)
    if not points:
        return None
    text = "Milliseconds of a further token by what they are spent on, prompts of others included."
    chart = drawing.chart("time", charts.spent_bars(points), "A token by what it waits for", text, wide=True)
    return Section("time", "Where a token's time goes", "", [chart])


def _method(found: Explored) -> Section:
    one = found.asked.first
    lines = [
        *(advice(found) if found.points else ()),
        "Times and paces are predicted at the mean; four of five measured rows left out of a fit lie between "
        "p10 and p90. The chance to keep the limits takes both times as independent.",
        "A disaggregated unit has whole numbers of workers; prompt workers are rounded up, so that none that "
        "decodes waits. Pace, cost and energy count all accelerators of the unit.",
        f"Engine: {found.asked.engines[0] or 'not known on such chips, so the interval is that of any'}; "
        f"a cached value takes {one.kv_bytes:g} bytes.",
        "The best of many predictions is told a little too good.",
    ]
    return Section("method", "How to read this", "", [bullets(lines)])
