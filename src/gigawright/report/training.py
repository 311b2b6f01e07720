"""The result of a search of layouts as one offline page, and as a table."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from gigawright import tables
from gigawright.report import charts_training as charts
from gigawright.report import words
from gigawright.report.frame import framed
from gigawright.report.html import Column, Html, Piece, el, table
from gigawright.report.parts import Report, Section, bullets, tile
from gigawright.report.search_text import campaign_rows, count, hours
from gigawright.units import GIBIBYTE
from gigawright.workloads.training.explore import held_bytes, limits, policies, sizes_words, why_slower
from gigawright.workloads.training.run import Layout

if TYPE_CHECKING:
    from gigawright.workloads.training.campaign import Campaign
    from gigawright.workloads.training.explore import Explored
    from gigawright.workloads.training.predictor import Predicted

PAGE, TABLE = "training.html", "search.csv"


def write_search(found: Explored, campaign: Campaign | None, folder: Path, top: int = 10) -> Path:
    """Write `training.html` with the `top` layouts and `search.csv` with all that `found` holds.

    Where nothing fits, both show the layouts that come closest. Returns the page's path; raises OutputError.
    """
    tables.write_text(folder / TABLE, search_table(found.best or found.misses))
    tables.write_text(folder / PAGE, page(found, campaign, top))
    return folder / PAGE


def search_table(shown: Sequence[Predicted]) -> str:
    """Layouts one a line as CSV, fastest first; columns are named as in a file of training runs."""
    lines = [_line(place, one) for place, one in enumerate(shown, start=1)]
    out = StringIO()
    writer = csv.DictWriter(out, list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue()


def _line(place: int, one: Predicted) -> dict[str, object]:
    layout = one.layout or Layout()
    return {
        "rank": place,
        "tp": layout.tensor,
        "pp": layout.pipeline,
        "dp": layout.data,
        "cp": layout.context,
        "ep": layout.expert,
        "vpp": layout.chunks,
        "mbs": layout.micro_batch,
        "zero": layout.zero,
        "recompute": layout.recompute,
        "schedule": layout.schedule,
        "sequence_parallel": int(layout.sequence_parallel),
        "overlap_tensor": int(layout.overlap_tensor),
        "overlap_pipeline": int(layout.overlap_pipeline),
        "overlap_data": int(layout.overlap_data),
        "offload": int(layout.offload),
        "step_time_s": f"{one.step_s:.6g}",
        "tokens_per_s_per_accel": f"{one.tokens_per_s:.6g}",
        "tokens_per_s_per_accel_p10": f"{one.tokens_per_s_p10:.6g}",
        "tokens_per_s_per_accel_p90": f"{one.tokens_per_s_p90:.6g}",
        "mfu": f"{one.mfu:.5f}",
        "memory_gib": f"{one.memory_bytes / GIBIBYTE:.3f}",
        "fits": int(one.fits),
        "limited_by": one.limited_by,
        **{f"{part}_s": f"{value:.6g}" for part, value in one.seconds.items()},
        **{f"{kind}_gib": f"{value / GIBIBYTE:.4f}" for kind, value in held_bytes(one).items()},
    }


def page(found: Explored, campaign: Campaign | None, top: int = 10) -> str:
    """The page as HTML: it works offline and asks nothing of another machine."""
    drawing, shown = Report(()), (found.best or found.misses)[:top]
    sections = [
        _layouts(found, shown),
        _time(drawing, shown),
        _memory(drawing, found, shown),
        _tried(drawing, found),
        *([_campaign(campaign)] if campaign is not None else []),
        _method(found),
    ]
    return framed(_title(found), "search", _summary(found, campaign), sections)


def _title(found: Explored) -> str:
    run = found.asked.run
    return f"{run.model.name} on {run.accelerators:,} \u00d7 {run.chip.name}"


def _summary(found: Explored, campaign: Campaign | None) -> Html:
    run = found.asked.run
    eyebrow = (
        f"Search of layouts · {run.precision} · {run.batch:,} sequences of {run.seq_len:,} tokens in a step"
    )
    lede = (
        f"{found.configurations:,} ways to lay the run out were tried in {found.took_s:.2g} s; "
        f"{found.fitting:,} fit into memory."
    )
    head = el(
        "header",
        el("p", eyebrow, cls="eyebrow"),
        el("h1", _title(found)),
        el("p", lede, cls="lede"),
        cls="hero",
    )
    tiles = _tiles(found, campaign) if found.best else _short(found)
    notes = bullets(found.asked.notes) if found.asked.notes else ""
    return el("section", head, tiles, notes, id="summary", aria_label="Summary", style="padding-top:0")


def _tiles(found: Explored, campaign: Campaign | None) -> Html:
    best = found.best[0]
    low, high = words.digits(best.tokens_per_s_p10), words.digits(best.tokens_per_s_p90)
    usable = found.usable_bytes / GIBIBYTE
    rows = [
        ("A step", f"{words.digits(best.step_s)} s", f"limited by {best.limited_by}"),
        (
            "Pace of an accelerator",
            f"{words.digits(best.tokens_per_s)} tokens/s",
            f"{low} to {high}, p10 to p90",
        ),
        ("Model flops utilisation", f"{best.mfu:.1%}", "causal attention, 16-bit peak"),
        ("Memory", f"{best.memory_bytes / GIBIBYTE:.1f} GiB", f"{usable:.1f} GiB may be filled"),
    ]
    if campaign is None:
        pace = best.tokens_per_s * best.run.accelerators
        rows.append(("The whole cluster", f"{count(pace)} tokens/s", f"{count(pace * 86400)} a day"))
        rows.append(("Ways tried", f"{found.configurations:,}", f"{found.fitting:,} fit"))
    else:
        days, tokens = campaign.hours / 24, count(campaign.tokens)
        span = f"{words.digits(campaign.hours_low / 24)} to {words.digits(campaign.hours_high / 24)}"
        rows.append((f"Training {tokens} tokens", f"{words.digits(days)} days", f"{span}, with restarts"))
        saved = f"interrupted every {hours(campaign.goodput.between_s)}"
        rows.append(("Goodput", f"{campaign.goodput.share:.1%}", saved))
    return el("dl", [tile(*row) for row in rows], cls="tiles")


def _short(found: Explored) -> Html:
    """What is missing where nothing fits."""
    lacks = (found.misses[0].memory_bytes - found.usable_bytes) / GIBIBYTE
    text = (
        f"The closest layout is short by {lacks:,.1f} GiB on each accelerator, of which "
        f"{found.usable_bytes / GIBIBYTE:,.1f} GiB may be filled."
    )
    helps = [f"What helps: {line}." for line in found.helps]
    return el("aside", el("h2", "Nothing fits"), el("p", text), bullets(helps), cls="honest")


LAYOUT_COLUMNS = (
    Column("", "", "number"),
    Column("layout"),
    Column("step", "s", "number"),
    Column("pace", "tokens/s", "number"),
    Column("MFU", "", "number"),
    Column("memory", "GiB", "number"),
    Column("limited by"),
)


def _layouts(found: Explored, shown: Sequence[Predicted]) -> Section:
    rows = [[*_cells(place, one), _against(found, one, shown[0])] for place, one in enumerate(shown, start=1)]
    title = "The fastest layouts" if found.best else "The layouts that come closest"
    last = Column("slower by") if found.best else Column("lacks", "GiB", "number")
    intro = (
        "Layouts whose sizes agree and whose steps take as long are shown once. tp, pp, dp, cp and ep are "
        "groups of tensor, pipeline, data, context and expert parallelism, pp 8 x 16 has 16 model chunks a "
        "stage; SP is sequence parallelism."
    )
    caption = "Predicted steps; pace of one accelerator, p10 to p90 in brackets"
    return Section("layouts", title, intro, [table(caption, (*LAYOUT_COLUMNS, last), rows)])


def _cells(place: int, one: Predicted) -> list[Piece]:
    layout = one.layout or Layout()
    low, high = words.digits(one.tokens_per_s_p10), words.digits(one.tokens_per_s_p90)
    return [
        str(place),
        [sizes_words(layout), el("br"), el("span", policies(layout), cls="remark")],
        words.digits(one.step_s),
        f"{words.digits(one.tokens_per_s)} ({low}\u2013{high})",
        f"{one.mfu:.1%}",
        f"{one.memory_bytes / GIBIBYTE:,.1f}",
        limits(one),
    ]


def _against(found: Explored, one: Predicted, best: Predicted) -> str:
    """What a layout loses most by, or what it lacks to fit."""
    if not found.best:
        return f"{(one.memory_bytes - found.usable_bytes) / GIBIBYTE:,.1f}"
    return why_slower(best, one) if one is not best else "\u2013"


def _time(drawing: Report, shown: Sequence[Predicted]) -> Section:
    text = "Seconds by part. Traffic counts as far as it is not hidden behind products."
    chart = drawing.chart("step", charts.step_bars(shown), "A step by its parts", text, wide=True)
    intro = "What a step waits for or works on, on the slowest stage of the pipeline."
    return Section("time", "Where a step's time goes", intro, [chart])


def _memory(drawing: Report, found: Explored, shown: Sequence[Predicted]) -> Section:
    figure = charts.memory_bars(shown, found.capacity_bytes, found.usable_bytes)
    text = "The fullest accelerator; the dotted line is what may be filled, the solid one what it has."
    chart = drawing.chart("memory", figure, "Memory by what holds it", text, wide=True)
    return Section("memory", "Where the memory goes", "", [chart])


def _tried(drawing: Report, found: Explored) -> Section:
    text = (
        f"Each dot is one layout; at most {charts.SAMPLE:,} are drawn. Those on the line are faster than all "
        "that need as little memory."
    )
    chart = drawing.chart("tried", charts.tried_scatter(found), "Pace over memory", text)
    return Section("tried", "What was tried", "", [chart])


def _campaign(done: Campaign) -> Section:
    rows: list[Sequence[Piece]] = [(name.capitalize(), text) for name, text in campaign_rows(done)]
    title = f"Training {count(done.tokens)} tokens"
    intro = "In layout 1, with checkpoints as often as wastes least (Daly 2006)."
    return Section("campaign", title, intro, [table("The whole run", (Column(""), Column("")), rows)])


def _method(found: Explored) -> Section:
    run = found.asked.run
    lines = [
        "Steps, intervals and memory are predicted; four of five measured runs left out of a fit lie between "
        "p10 and p90; the best of many is told a little too fast.",
        "MFU counts causal attention and the 16-bit peak of the data sheet, also at lower precisions.",
        f"Measured by: {run.site or 'not said, so the interval is that of an unknown site'}"
        + (f", release {run.release}" if run.release else ""),
        *(f"Assumed: {name}" for name in run.assumed),
    ]
    return Section("method", "How to read this", "", [bullets(lines)])
