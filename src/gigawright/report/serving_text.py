"""The result of a search of serving configurations as lines of text, for a terminal of any width."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gigawright.money import Money
from gigawright.report.search_text import GAP, Line, TextColumn, _table, wrapped
from gigawright.report.words import digits
from gigawright.workloads.serving.points import SURE, configuration_words

if TYPE_CHECKING:
    from gigawright.workloads.serving.ask import Asked
    from gigawright.workloads.serving.explore import Explored
    from gigawright.workloads.serving.points import Point

MARK = "*"
"""Before the recommended point."""

UNKNOWN = "-"
"""Where a number is not known."""


def serving_lines(found: Explored, top: int, width: int, whole_s: float) -> list[Line]:
    """All that a search tells, in lines of at most `width` columns where words allow it.

    `whole_s` is what the search took from the command to here [s].
    """
    rate = found.configurations / max(found.took_s, 1e-9)
    tried = (
        f"{found.configurations:,} configurations in {found.took_s:.2f} s ({rate:,.0f} a second), "
        f"{whole_s:.1f} s with all else; {found.kept:,} keep the limits, and "
        f"{len(found.points):,} of these no other beats"
    )
    notes = (*found.asked.notes, *found.notes)
    return [
        *(Line(text, heading=True) for text in wrapped(title(found.asked), width)),
        *(Line(text) for note in notes for text in wrapped(f"note: {note}", width, 6)),
        *(Line(text) for text in wrapped(tried, width)),
        *(_front(found, top, width) if found.points else _misses(found, width)),
    ]


def title(asked: Asked) -> str:
    """What is asked, in a line."""
    one = asked.first
    formats = "/".join(dict.fromkeys(each.expert_precision for each in asked.services))
    return (
        f"{one.model.name} on {one.chip.name}, {formats}: {one.input_tokens:,.0f} tokens in"
        + (f" ({one.cached:.0%} cached)" if one.cached else "")
        + f", {one.output_tokens:,.0f} out{limit_words(asked)}"
    )


def limit_words(asked: Asked) -> str:
    """The limits, as the end of a sentence; empty where there is none."""
    told = (("TTFT", asked.ttft_s), ("TPOT", asked.tpot_s))
    words = [f"{name} within {limit * 1e3:,g} ms" for name, limit in told if math.isfinite(limit)]
    return ", " + " and ".join(words) if words else ""


def shown(found: Explored, top: int) -> list[Point]:
    """Points for a table of `top`: the recommended one, the ends of the front, and others evenly between."""
    every = whole(found)
    if len(every) <= top:
        return every
    ends = {id(found.choice), id(every[0]), id(every[-1])}
    kept = [at for at, one in enumerate(every) if id(one) in ends]
    kept = sorted(kept, key=lambda at: every[at] is not found.choice)[:top]
    speeds = [math.log(one.user) for one in every]
    while len(kept) < top:
        # The point that lies farthest from all that are shown.
        away = [min(abs(speed - speeds[at]) for at in kept) for speed in speeds]
        for at in kept:
            away[at] = -1.0
        kept.append(max(range(len(every)), key=lambda at: away[at]))
    return [every[at] for at in sorted(kept)]


def whole(found: Explored) -> list[Point]:
    """The points of the front with the recommended one in its place."""
    if found.choice is None or any(one is found.choice for one in found.points):
        return list(found.points)
    return sorted([*found.points, found.choice], key=lambda one: one.user)


def _front(found: Explored, top: int, width: int) -> Iterable[Line]:
    yield Line("")
    points = shown(found, top)
    yield from _table(fitted_columns(found, points, width), width)
    yield Line("")
    for text in (legend(found, points), *advice(found)):
        yield from map(Line, wrapped(text, width))


def legend(found: Explored, points: Sequence[Point]) -> str:
    """What the columns mean."""
    told = (
        f"{MARK} recommended; of two workers the first reads prompts, the second decodes; reqs: "
        "requests at once of a worker that decodes; TTFT, TPOT: the mean, p10-p90 in brackets; tok/s/acc: "
        "output tokens a second over all accelerators (acc); KV: share of the cache's memory in use; sure: "
        "chance that both mean times keep their limits; by: what keeps more requests out, and what a token's "
        "time is spent on"
    )
    count, rest = len(points), len(whole(found))
    more = f"; {count} of {rest} points, all with --csv" if count < rest else ""
    return told + more


def advice(found: Explored) -> list[str]:
    """The recommended point with why, the rate that is served, what is nearly kept, and what costs are."""
    one = found.choice
    if one is None:
        return price_words(found)
    return [
        f"recommended: {point_words(one)}, {reason(found.asked, one)}",
        *rate_words(found.asked, one),
        *nearly_words(found),
        *price_words(found),
    ]


def reason(asked: Asked, one: Point) -> str:
    """Why a point is recommended."""
    merit = "fewest accelerators for the rate" if asked.rate else "best pace"
    if not math.isfinite(asked.ttft_s) and not math.isfinite(asked.tpot_s):
        return f"the {merit}, as no limit was told"
    if one.chance >= SURE:
        return f"the {merit} of all that keep the limits with a chance of at least {SURE:.0%}"
    return f"the {merit} by chance to keep the limits, which is {one.chance:.0%}; none has {SURE:.0%}"


def point_words(one: Point) -> str:
    """A point in a clause."""
    told = one.predicted
    return (
        f"{configuration_words(one.service)}{draft_words(one)} with {load_words(one)}: "
        f"{digits(one.pace)} tokens/s an accelerator, {digits(one.user)} a user, "
        f"TTFT {digits(told.ttft_s * 1e3)} ms, TPOT {digits(told.tpot_s * 1e3)} ms"
    )


def draft_words(one: Point) -> str:
    """The tokens that a step drafts."""
    return f", {one.service.drafted} drafted" if one.service.drafted else ""


def load_words(one: Point) -> str:
    """The requests that a worker runs at once, in words."""
    count = running(one)
    return f"{count:,.0f} request{'s' if count > 1 else ''} a worker"


def running(one: Point) -> float:
    """Requests that a worker runs at once."""
    layout = one.service.layout
    return one.predicted.running * (layout.data if layout else 1)


def rate_words(asked: Asked, one: Point) -> list[str]:
    """What serves the rate that is asked for."""
    if not asked.rate:
        return []
    units = f"{one.units:,} x {one.accelerators:,.0f} accelerators" if one.units > 1 else "one unit"
    whole = one.units * one.accelerators
    cost = f", {Money(one.usd_per_month, 'USD')} a month" if math.isfinite(one.usd_per_month) else ""
    most = f"at most {one.served * one.units:.3g} requests/s"
    return [f"{asked.rate:g} requests/s: {units}, {whole:,.0f} in all{cost}; {most}"]


def nearly_words(found: Explored) -> list[str]:
    """What slightly looser limits would give."""
    one = found.nearly
    if one is None:
        return []
    best = max(point.pace for point in found.points)
    told = one.predicted
    over = [
        f"{name} of {digits(value * 1e3)} instead of {limit * 1e3:g} ms"
        for name, value, limit in (
            ("TTFT", told.ttft_s, found.asked.ttft_s),
            ("TPOT", told.tpot_s, found.asked.tpot_s),
        )
        if value > limit
    ]
    return [
        f"nearly: {configuration_words(one.service)}{draft_words(one)} has {digits(one.pace)} tokens/s an "
        f"accelerator ({one.pace / best - 1:+.0%}) with a {' and a '.join(over)}"
    ]


def price_words(found: Explored) -> list[str]:
    """Where costs and joules come from, or why they are unknown."""
    asked, told = found.asked, []
    price = asked.price
    if price.missing:
        told.append(f"cost not known: {price.missing}; tell it with --usd-per-hour")
    else:
        told.append(f"cost, {price.way}: {'; '.join(price.facts)}")
    if any(math.isnan(one.joules) for one in (*found.points, *found.misses)):
        system = asked.system.id if asked.system else asked.first.chip.id
        told.append(f"joules not known: {system}.power_kw is unknown")
    else:
        told.append(
            "joules at the server's plug, host and fans included; the building's overhead is not in them"
        )
    return told


STEPS = (
    *(("by", "short"), ("KV", "drop"), ("configuration", "short"), ("acc", "drop"), ("reqs", "drop")),
    *(("by", "drop"), ("TTFT s", "short"), ("TPOT ms", "short"), ("sure", "drop"), ("drafts", "drop")),
    *(("USD/month", "drop"), ("J/tok", "drop"), ("format", "drop"), ("USD/M", "drop")),
)
"""What is shortened or left out where the terminal is too narrow, first things first."""


def fitted_columns(found: Explored, points: Sequence[Point], width: int) -> list[TextColumn]:
    """The columns that fit a width."""
    kept = columns(found, points)
    for name, how in STEPS:
        if sum(column.width + len(GAP) for column in kept) - len(GAP) <= width:
            break
        if how == "drop":
            kept = [column for column in kept if column.title != name]
        else:
            kept = [replace(one, cells=one.short, short=()) if one.title == name else one for one in kept]
    return kept


def columns(found: Explored, points: Sequence[Point]) -> list[TextColumn]:
    """Points one a row; the recommended one is marked."""
    asked = found.asked
    formats = len({one.expert_precision for one in asked.services}) > 1
    drafts = any(one.drafted for one in asked.services)
    kept = (
        _column("", (MARK if one is found.choice else "" for one in points)),
        _names(points),
        _column("format", (one.service.expert_precision for one in points), left=True) if formats else None,
        _column("drafts", (str(one.service.drafted) for one in points)) if drafts else None,
        _column("reqs", (f"{running(one):,.0f}" for one in points)),
        *_times(points),
        _column("tok/s/acc", (digits(one.pace) for one in points)),
        _column("tok/s/user", (digits(one.user) for one in points)),
        _column("USD/M", (number(one.usd_per_m) for one in points)),
        _column("J/tok", (number(one.joules) for one in points)),
        _column("KV", (f"{one.filled:.0%}" for one in points)),
        _column("sure", (f"{one.chance:.0%}" for one in points)),
        _column("acc", (f"{one.accelerators * max(1, one.units):,.0f}" for one in points)),
        _column("USD/month", (number(one.usd_per_month) for one in points)) if asked.rate else None,
        _limited(points),
    )
    return [column for column in kept if column is not None]


def _column(title: str, cells: Iterable[str], left: bool = False) -> TextColumn:
    return TextColumn(title, tuple(cells), left=left)


def _names(points: Sequence[Point]) -> TextColumn:
    told = tuple(configuration_words(one.service) for one in points)
    short = tuple(text.replace(" prefill", "").replace(" decode", "") for text in told)
    return TextColumn("configuration", told, left=True, short=short)


def _limited(points: Sequence[Point]) -> TextColumn:
    told = tuple(one.limits for one in points)
    return TextColumn("by", told, left=True, short=tuple(text.split(";")[0].split(",")[0] for text in told))


def _times(points: Sequence[Point]) -> list[TextColumn]:
    """Both times with intervals."""
    told = [one.predicted for one in points]
    first = [_band(one.ttft_s, one.ttft_s_p10, one.ttft_s_p90) for one in told]
    later = [_band(one.tpot_s * 1e3, one.tpot_s_p10 * 1e3, one.tpot_s_p90 * 1e3) for one in told]
    return [
        TextColumn(name, tuple(cells), short=tuple(cell.split(" ")[0] for cell in cells))
        for name, cells in (("TTFT s", first), ("TPOT ms", later))
    ]


def _band(middle: float, low: float, high: float) -> str:
    """A number with the ends of its interval, in fewer digits.

    >>> _band(29.34, 21.6, 39.8), _band(1.9987, 0.578, 6.91)
    ('29.3 (22-40)', '2.00 (0.58-6.9)')
    """
    ends = (f"{value:,.{0 if value >= 9.95 else 1 if value >= 0.995 else 2}f}" for value in (low, high))
    return f"{digits(middle)} ({'-'.join(ends)})"


def number(value: float) -> str:
    """A number, or a dash where it is not known."""
    return UNKNOWN if math.isnan(value) else digits(value)


def _misses(found: Explored, width: int) -> Iterable[Line]:
    """Why nothing is found: what nearly keeps the limits, by how much it misses, and what would help."""
    yield Line("")
    if not found.misses:
        yield Line("Nothing fits into memory", heading=True)
        for text in found.helps:
            yield from map(Line, wrapped(text, width, 12))
        return
    for text in wrapped(short_words(found), width):
        yield Line(text, heading=True)
    yield Line("")
    yield from _table(fitted_columns(found, found.misses, width), width)
    yield Line("")
    for text in found.helps:
        yield from map(Line, wrapped(f"what helps: {text}", width, 12))


def short_words(found: Explored) -> str:
    """By how much the nearest configuration misses the limits."""
    asked, one = found.asked, found.misses[0].predicted
    over = [
        f"{name} is {digits(value * 1e3)} ms, {value / limit - 1:.0%} over {limit * 1e3:,g} ms"
        for name, value, limit in (("TTFT", one.ttft_s, asked.ttft_s), ("TPOT", one.tpot_s, asked.tpot_s))
        if value > limit
    ]
    if over:
        return f"No configuration keeps the limits; in the nearest {' and '.join(over)}"
    return f"No configuration serves {asked.rate:g} requests/s on {asked.gpus:,} accelerators"
