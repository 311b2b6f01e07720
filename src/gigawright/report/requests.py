"""A simulation of requests as one offline page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gigawright import tables
from gigawright.report import charts_requests as charts
from gigawright.report.frame import framed
from gigawright.report.html import Column, Html, Piece, el, table
from gigawright.report.parts import Report, Section, bullets, tile
from gigawright.workloads.requests.words import TITLES, fact_rows, span, time_rows

if TYPE_CHECKING:
    from gigawright.workloads.requests.command import Answer


def write_requests(answer: Answer, title: str, out: Path, notes: Sequence[str] = ()) -> None:
    """Write the page of a simulation; `title` names model and system. Raises OutputError."""
    tables.write_text(out, page(answer, title, notes))


def page(answer: Answer, title: str, notes: Sequence[str] = ()) -> str:
    """The page as HTML: it works offline and asks nothing of another machine."""
    drawing = Report(())
    sections = [_felt(drawing, answer), _load(drawing, answer), _numbers(answer), _method(notes)]
    return framed(title, "requests", _summary(answer, title), sections)


def _summary(answer: Answer, title: str) -> Html:
    found, name = answer.summary, Path(answer.served.trace.name).name
    replicas = answer.replicas if isinstance(answer.replicas, tuple) else (answer.replicas,)
    eyebrow = (
        f"Requests simulated · {name} · {' + '.join(map(str, replicas))} replicas · {answer.asked.routing}"
    )
    lede = (
        f"{found.requests:,} requests in {span(answer.served.trace.span_s)}, simulated iteration by "
        f"iteration in {answer.served.took_s:.2g} s."
    )
    head = el(
        "header", el("p", eyebrow, cls="eyebrow"), el("h1", title), el("p", lede, cls="lede"), cls="hero"
    )
    return el("section", head, _tiles(answer), id="summary", aria_label="Summary", style="padding-top:0")


def _tiles(answer: Answer) -> Html:
    found = answer.summary
    busiest = max(found.utilisation, key=lambda role: found.utilisation[role])
    rows = [
        ("First token", span(found.ttft_s[50]), f"median; p99 {span(found.ttft_s[99])}"),
        ("Each token after", span(found.tpot_s[50]), f"median; p99 {span(found.tpot_s[99])}"),
        ("End to end", span(found.e2e_s[50]), f"median; p99 {span(found.e2e_s[99])}"),
        ("Goodput", f"{found.goodput_share:.1%}", f"{found.goodput_per_s:,.3g} requests/s keep the limits"),
        (
            "Output",
            f"{found.output_tokens_per_s:,.0f} tokens/s",
            f"{found.input_tokens_per_s:,.0f} input tokens/s",
        ),
        (
            "Busy",
            f"{found.utilisation[busiest]:.0%}",
            f"KV cache at most {found.kv_peak[busiest]:.0%} full, {found.preemptions:,} preemptions",
        ),
    ]
    return el("dl", [tile(*row) for row in rows], cls="tiles")


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1e3


def _felt(drawing: Report, answer: Answer) -> Section:
    served, asked = answer.served, answer.asked
    first = charts.times_over_time(served, served.ttft_s, _seconds(asked.ttft_ms), "time to first token")
    later = charts.times_over_time(served, served.tpot_s, _seconds(asked.tpot_ms), "time per output token")
    text = "Percentiles of requests by when they came; the dotted line is the limit asked for."
    body = [
        drawing.chart("ttft", first, "Time to first token", text, wide=True),
        drawing.chart("tpot", later, "Time per output token after the first", text, wide=True),
        drawing.chart(
            "spread", charts.spread(served), "How times are spread", "Share of requests within a time."
        ),
    ]
    return Section("felt", "What users felt", "", body)


def _load(drawing: Report, answer: Answer) -> Section:
    body = [
        drawing.chart(
            "load",
            charts.load_over_time(answer.served),
            "Requests under way",
            "Those that wait for or compute their first token, on top of those that are past it.",
            wide=True,
        ),
        drawing.chart(
            "fill",
            charts.fill_over_time(answer.served),
            "How busy the replicas are",
            "KV blocks that running sequences hold, and the share of time in which anything is computed.",
            wide=True,
        ),
    ]
    return Section("load", "Load", "", body)


def _numbers(answer: Answer) -> Section:
    columns = [Column(TITLES[0]), *(Column(name, "", "number") for name in TITLES[1:])]
    facts: list[Sequence[Piece]] = [(name.capitalize(), text) for name, text in fact_rows(answer)]
    body = [
        table("Times", columns, time_rows(answer)),
        table("The rest", (Column(""), Column("")), facts),
    ]
    return Section("numbers", "In numbers", "", body)


def _method(notes: Sequence[str]) -> Section:
    lines = [
        "Every iteration of every replica is simulated: continuous batching, chunked prefill, paged KV "
        "cache, preemption, prefix cache; its cost is that of the closed form.",
        "Time to first token is from arrival to the end of the iteration that yields it; time per output "
        "token is the mean of a request after its first.",
        "Percentiles are of these requests; they carry no interval for the cost of an iteration.",
        *notes,
    ]
    return Section("method", "How to read this", "", [bullets(lines)])
