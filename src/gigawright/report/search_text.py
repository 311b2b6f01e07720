"""The result of a search of layouts as lines of text, for a terminal of any width."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gigawright.money import Money
from gigawright.report.words import digits
from gigawright.units import GIBIBYTE
from gigawright.workloads.training.explore import (
    HELD_WORDS,
    PART_WORDS,
    held_bytes,
    layout_code,
    limits,
    why_slower,
)
from gigawright.workloads.training.run import Layout

if TYPE_CHECKING:
    from gigawright.workloads.training.campaign import Campaign
    from gigawright.workloads.training.explore import Explored
    from gigawright.workloads.training.predictor import Predicted

BAR = 36
"""Characters of the longest bar."""

SHORTEST_BAR = 6
"""Below it bars are left out: they would tell nothing."""

GAP = "  "
"""Between columns."""

LEAST = 24
"""Columns that text is wrapped to at least, however narrow the terminal says it is."""

LEGEND = {
    "pp": "pp16x4: 4 model chunks a stage",
    "mb": "mb: sequences of a micro-batch",
    "z": "z: ZeRO stage",
    "selective": "selective, full: what is recomputed",
    "full": "selective, full: what is recomputed",
    "no-sp": "no-sp: without sequence parallelism",
    "offload": "offload: activations to the host's memory",
    "zb": "zb: zero-bubble schedule",
    "felt": "felt: traffic that is not hidden",
}
"""What the words of a layout mean, by how they begin or end."""


@dataclass(frozen=True)
class Line:
    """One line, and whether it is a heading."""

    text: str
    heading: bool = False


def search_lines(
    found: Explored, campaign: Campaign | None, top: int, width: int, whole_s: float
) -> list[Line]:
    """All that a search tells, in lines of at most `width` columns where words allow it.

    `whole_s` is what the search took from the command to here [s].
    """
    run = found.asked.run
    title = (
        f"{run.model.name} on {run.accelerators:,} x {run.chip.name}, {run.precision}: {run.batch:,} "
        f"sequences of {run.seq_len:,} tokens in a step"
    )
    rate = found.configurations / max(found.took_s, 1e-9)
    tried = (
        f"{found.configurations:,} configurations in {found.took_s:.2f} s ({rate:,.0f} a second), "
        f"{whole_s:.1f} s with all else; {found.fitting:,} fit"
    )
    return [
        *(Line(text, heading=True) for text in wrapped(title, width)),
        *(Line(text) for note in found.asked.notes for text in wrapped(f"note: {note}", width, 6)),
        *(Line(text) for text in wrapped(tried, width)),
        *(_best(found, campaign, top, width) if found.best else _misses(found, width)),
    ]


def wrapped(text: str, width: int, indent: int = 0) -> list[str]:
    """A text in lines of at most `width` columns, broken at blanks alone; later lines are indented.

    >>> wrapped("tokens/s of an accelerator", 24, 2)
    ['tokens/s of an', '  accelerator']
    """
    return textwrap.wrap(
        text,
        max(width, LEAST),
        subsequent_indent=" " * min(indent, LEAST // 2),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _best(found: Explored, campaign: Campaign | None, top: int, width: int) -> Iterable[Line]:
    """The fastest layouts, and the first of them in full."""
    best, shown = found.best[0], found.best[:top]
    yield Line("")
    yield from _table(layout_columns(found, shown), width)
    yield Line("")
    told = "tokens/s of an accelerator, with p10 and p90; MFU of causal attention and the 16-bit peak"
    for text in wrapped("; ".join([told, *_legend(shown)]), width):
        yield Line(text)
    yield from _heading(f"Where the {best.step_s:.3g} s of a step of layout 1 go", width)
    parts = {PART_WORDS[part]: value for part, value in best.seconds.items()}
    yield from map(Line, bars(parts, "s", width))
    yield from _heading(
        f"Where {best.memory_bytes / GIBIBYTE:.1f} GiB of the fullest accelerator go; "
        f"it has {found.capacity_bytes / GIBIBYTE:.1f} GiB, "
        f"of which {found.usable_bytes / GIBIBYTE:.1f} may be filled",
        width,
    )
    held = {HELD_WORDS[kind]: value / GIBIBYTE for kind, value in held_bytes(best).items()}
    free = max(0.0, found.usable_bytes - best.memory_bytes) / GIBIBYTE
    yield from map(Line, bars({**held, "free": free}, "GiB", width))
    if campaign is not None:
        yield from _campaign(campaign, width)


def _misses(found: Explored, width: int) -> Iterable[Line]:
    """What nearly fitted, by how much it misses, and what would help."""
    short = (found.misses[0].memory_bytes - found.usable_bytes) / GIBIBYTE
    yield from _heading(
        f"Nothing fits: the closest layout is short by {short:,.1f} GiB on each accelerator, of which "
        f"{found.usable_bytes / GIBIBYTE:,.1f} GiB may be filled",
        width,
    )
    yield Line("")
    yield from _table(layout_columns(found, found.misses), width)
    yield Line("")
    for text in wrapped("; ".join(_legend(found.misses)), width):
        yield Line(text)
    for line in found.helps:
        yield from map(Line, wrapped(f"what helps: {line}", width, 12))


def _heading(text: str, width: int) -> Iterable[Line]:
    yield Line("")
    for line in wrapped(text, width):
        yield Line(line, heading=True)


def _legend(shown: Sequence[Predicted]) -> list[str]:
    """What the words that occur in these layouts mean."""
    words = [word for one in shown for word in layout_code(one.layout or Layout()).split()]
    told = [text for key, text in LEGEND.items() if any(_is(word, key) for word in words)]
    return list(dict.fromkeys(told))


def _is(word: str, key: str) -> bool:
    """Whether a word of a layout is one that the legend explains by this key."""
    return (word.startswith(key) and (key != "pp" or "x" in word)) or word.endswith(key)


@dataclass(frozen=True)
class TextColumn:
    """Cells below a title. Where the terminal is too narrow, `short` cells are taken first, and columns of
    the highest `rank` are left out; those of rank 0 stay.
    """

    title: str
    cells: tuple[str, ...]
    rank: int = 0
    left: bool = False
    short: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Characters of the widest cell."""
        return max(map(len, (self.title, *self.cells)))


def layout_columns(found: Explored, shown: Sequence[Predicted]) -> list[TextColumn]:
    """Layouts one a row: their code, step, pace, memory, limit and what they lose by or lack."""
    columns = [
        TextColumn("", tuple(str(place) for place in range(1, len(shown) + 1))),
        TextColumn("layout", tuple(layout_code(one.layout or Layout()) for one in shown), left=True),
        TextColumn("step s", tuple(digits(one.step_s) for one in shown), rank=1),
        TextColumn("tokens/s", tuple(digits(one.tokens_per_s) for one in shown)),
        TextColumn(
            "p10-p90",
            tuple(f"{digits(one.tokens_per_s_p10)}-{digits(one.tokens_per_s_p90)}" for one in shown),
            rank=4,
        ),
        TextColumn("MFU", tuple(f"{one.mfu:.1%}" for one in shown), rank=2),
        TextColumn("GiB", tuple(f"{one.memory_bytes / GIBIBYTE:,.1f}" for one in shown), rank=3),
    ]
    if not found.best:
        lacks = tuple(f"{(one.memory_bytes - found.usable_bytes) / GIBIBYTE:,.1f}" for one in shown)
        return [*columns, TextColumn("lacks GiB", lacks)]
    limited = tuple(limits(one) for one in shown)
    kinds = tuple(one.limited_by for one in shown)
    loses = tuple("" if one is shown[0] else why_slower(shown[0], one) for one in shown)
    columns.append(TextColumn("limited by", limited, rank=6, left=True, short=kinds))
    return [*columns, TextColumn("loses by", loses, rank=5, left=True)] if any(loses) else columns


def fitted(columns: Sequence[TextColumn], width: int) -> list[TextColumn]:
    """The columns that fit a width, shorter where they can be, the least important left out first."""
    kept = list(columns)
    while _width(kept) > width:
        last = max(kept, key=lambda column: column.rank)
        if last.short:
            kept[kept.index(last)] = TextColumn(last.title, last.short, last.rank, last.left)
        elif last.rank > 0:
            kept.remove(last)
        else:
            break
    return kept


def _width(columns: Sequence[TextColumn]) -> int:
    return sum(column.width for column in columns) + len(GAP) * (len(columns) - 1)


def _table(columns: Sequence[TextColumn], width: int) -> Iterable[Line]:
    """A table with a rule below its head; where even its least columns are too wide, cells take two lines."""
    kept = fitted(columns, width)
    sides = [(column.left, column.width) for column in kept]

    def row(cells: Iterable[str]) -> str:
        done = (
            cell.ljust(size) if left else cell.rjust(size)
            for cell, (left, size) in zip(cells, sides, strict=True)
        )
        return GAP.join(done).rstrip()

    if _width(kept) > width:
        for cells in zip(*(column.cells for column in kept), strict=True):
            told = (f"{column.title} {cell}".strip() for column, cell in zip(kept, cells, strict=True))
            yield from map(Line, wrapped("  ".join(told), width, 2))
        return
    yield Line(row(column.title for column in kept))
    yield Line("\u2500" * _width(kept))
    for cells in zip(*(column.cells for column in kept), strict=True):
        yield Line(row(cells))


def bars(values: Mapping[str, float], unit: str, width: int) -> list[str]:
    """Amounts with their share of the whole and bars in proportion; those of nothing are left out.

    >>> bars({"products": 3.0, "network": 1.0}, "s", 60)[1]
    '  network      1.000 s   25.0%  █████████'
    """
    whole, most = sum(values.values()), max(values.values())
    names = max(map(len, values))
    lines = []
    for name, value in values.items():
        if value > 0:
            told = f"  {name:{names}}  {value:8,.3f} {unit}  {value / whole:6.1%}"
            room = min(BAR, width - len(told) - len(GAP))
            bar = "\u2588" * round(room * value / most) or "\u258f"
            lines.append(f"{told}{GAP}{bar}" if room >= SHORTEST_BAR else told)
    return lines


def _campaign(done: Campaign, width: int) -> Iterable[Line]:
    """Days, interruptions, energy and cost of a whole run."""
    yield from _heading(f"Training {count(done.tokens)} tokens in layout 1", width)
    rows = dict(campaign_rows(done))
    names = max(map(len, rows))
    for name, text in rows.items():
        heads = [f"  {name:{names}}  ", " " * (names + 4)]
        for at, line in enumerate(wrapped(text, width - names - 4)):
            yield Line(heads[min(at, 1)] + line)


def campaign_rows(done: Campaign) -> Iterable[tuple[str, str]]:
    """What a whole run takes: names and words, the same in a terminal and on a page."""
    kept = done.goodput
    yield (
        "time",
        f"{digits(done.hours / 24)} days ({digits(done.hours_low / 24)} to {digits(done.hours_high / 24)} "
        f"by the p90 and p10 of the pace), {done.accelerator_hours:,.0f} accelerator-hours",
    )
    yield (
        "goodput",
        f"{kept.share:.1%} of the time trains: {kept.saving:.1%} saving checkpoints, {kept.lost:.1%} lost "
        f"work, {kept.restarting:.1%} starting again (by the facts training_interruptions, training_restart "
        "and checkpoint_bandwidth)",
    )
    yield (
        "interruptions",
        f"{done.interruptions:,.0f}, one in {hours(kept.between_s)}; a checkpoint every "
        f"{hours(kept.interval_s)} takes {kept.save_s:.2g} s",
    )
    energy = f"not known: {done.no_energy}"
    if done.mwh is not None and done.watts is not None:
        energy = (
            f"{done.mwh:,.0f} MWh at the servers, {done.watts:,.0f} W an accelerator while it computes; "
            "PUE 1.0: the building's overhead is not in it"
        )
    yield "energy", energy
    for cost in done.costs:
        if cost.usd is None:
            yield f"cost, {cost.way}", f"not known: {cost.missing}"
            continue
        price = cost.usd / done.tokens * 1e6
        caveat = f"; {cost.caveat}" if cost.caveat else ""
        facts = "; ".join(cost.facts)
        yield (
            f"cost, {cost.way}",
            f"{Money(cost.usd, 'USD')}, {price:.3g} USD a million tokens{caveat} ({facts})",
        )


def count(number: float) -> str:
    """A number in the scale it is asked for in.

    >>> count(15.6e12), count(14), count(2.5e9)
    ('15.6 T', '14', '2.5 bn')
    """
    for scale, word in ((1e12, "T"), (1e9, "bn"), (1e6, "M")):
        if number >= scale:
            return f"{number / scale:,.4g} {word}"
    return f"{number:,.0f}"


def hours(seconds: float) -> str:
    """A span in the unit people say it in.

    >>> hours(10_000), hours(246), hours(60)
    ('2.8 h', '4.1 min', '60.0 s')
    """
    for size, word in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {word}"
    return f"{seconds:.1f} s"
