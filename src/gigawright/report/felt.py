"""What users will feel of language models: first tokens and further ones by region, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from gigawright.report import words
from gigawright.report.html import Column, Html, Piece, el, table
from gigawright.report.parts import Report, Section, bullets, more
from gigawright.report.view import records

if TYPE_CHECKING:
    from gigawright.study.model import LLMServing
    from gigawright.workloads.serving.surface import Surface

NUMBER: Final = "number"

COLUMNS = (
    Column("Workload"),
    Column("Region"),
    Column("Quarter"),
    Column("Load at the peak", "prefill / decode", NUMBER),
    Column("First token at the peak", "s, median / p99", NUMBER),
    Column("at a mean hour", "s, median / p99", NUMBER),
    Column("of it network", "ms", NUMBER),
    Column("Further tokens at the peak", "ms, median / p99", NUMBER),
    Column("at a mean hour", "ms, median / p99", NUMBER),
)


def felt_section(report: Report) -> Section | None:
    """The table of loads by region and quarter; None where the plan serves no language model."""
    view = report.view
    frame = view.table("felt")
    if frame.empty:
        return None
    worst = frame.sort_values("ttft_peak_p99_s").groupby(["workload", "region"], sort=False).tail(1)
    worst = worst.sort_values(["workload", "region"])
    title = "The quarter of the longest first tokens, by region"
    whole = more(
        f"The numbers: {len(frame)} regions and quarters",
        table("What users will feel, by region and quarter", COLUMNS, _rows(report, records(frame))),
    )
    intro = (
        "Seconds to the first token, the network to the site included, and milliseconds for each further "
        "one, of the median request and of one in a hundred. They are read off response surfaces: each "
        "system's replicas simulated request by request at ten loads, in the layout that was planned. "
        "Accelerators that are down are left out; software that gets faster is taken to serve more, not "
        "sooner."
    )
    body: list[Piece] = [
        table(title, COLUMNS, _rows(report, records(worst))),
        whole,
        bullets(told(report)),
        _surfaces(report),
    ]
    return Section("felt", "What users will feel", intro, body)


def _rows(report: Report, frame: Iterable[Any]) -> list[list[Piece]]:
    return [
        [
            r.workload,
            "any" if r.region == "home" else report.view.region(r.region),
            r.quarter,
            f"{words.share(r.ttft_peak_load)} / {words.share(r.tpot_peak_load)}",
            f"{_seconds(r.ttft_peak_p50_s)} / {_seconds(r.ttft_peak_p99_s)}",
            f"{_seconds(r.ttft_mean_p50_s)} / {_seconds(r.ttft_mean_p99_s)}",
            words.digits(r.network_s * 1e3),
            f"{_ms(r.tpot_peak_p50_s)} / {_ms(r.tpot_peak_p99_s)}",
            f"{_ms(r.tpot_mean_p50_s)} / {_ms(r.tpot_mean_p99_s)}",
        ]
        for r in frame
    ]


def _seconds(value: float) -> str:
    return words.digits(value) if math.isfinite(value) else "no end"


def _ms(value: float) -> str:
    return words.digits(value * 1e3) if math.isfinite(value) else "no end"


def told(report: Report) -> list[Piece]:
    """Limits, how they set the capacity, and the spot checks."""
    result = report.view.result
    serving = [w for w in result.study.workloads if w.family == "llm-serving"]
    return [
        *(_limits(report, workload) for workload in serving),
        spot_line(result.performance.surfaces.values()),
    ]


def _limits(report: Report, workload: LLMServing) -> str:
    performance = report.view.result.performance
    loads = [
        load
        for (phase, system), load in performance.planned_load.items()
        if phase.startswith(f"{workload.name}.") and performance.table[phase, system].work_per_s > 0.0
    ]
    first, further = words.digits(workload.ttft_limit), _ms(workload.tpot_limit)
    limits = f"{first} s to the first token and {further} ms for each further one"
    if not loads:
        return f"{workload.name}: no system keeps {limits}."
    if workload.headroom is not None:
        return (
            f"{workload.name}: planned with {words.share(workload.headroom.value)} kept free, as the study "
            f"says; the limits of {limits} set nothing."
        )
    between = f"{words.share(min(loads))} to {words.share(max(loads))}"
    return (
        f"{workload.name}: capacity is counted up to the load at which 99 in 100 requests keep {limits}: "
        f"{between} of the full pace, by system and phase."
    )


def spot_line(surfaces: Iterable[Surface]) -> str:
    """How far the surfaces are from the simulator with another seed, at loads between theirs."""
    by_load: dict[float, list[float]] = {}
    for surface in surfaces:
        for check in surface.checks:
            by_load.setdefault(check.load, []).append(abs(check.deviation[99]))
    if not by_load:
        return "The surfaces have not been held against the simulator."
    parts = [
        f"at {load:.1%} load by {words.share(sorted(found)[len(found) // 2])} in the median and "
        f"{words.share(max(found))} at most"
        for load, found in sorted(by_load.items())
    ]
    return (
        "Spot check: simulated again with another seed between the loads of the surfaces, the 99th "
        f"percentile differs {words.joined(parts)}."
    )


def _surfaces(report: Report) -> Html:
    """Each surface's limits in one table to open."""
    view = report.view
    performance = view.result.performance
    columns = (
        Column("Phase"),
        Column("System"),
        Column("Planned load", "", NUMBER),
        Column("p99 at 50% load", "ms", NUMBER),
        Column("at 80%", "ms", NUMBER),
        Column("at 95%", "ms", NUMBER),
        Column("In flight a replica at 80%", "", NUMBER),
        Column("Power at 50%", "W an accelerator", NUMBER),
    )
    rows: list[list[Piece]] = []
    for (phase, system), surface in performance.surfaces.items():
        points = {load: surface.at(load) for load in (0.5, 0.8, 0.95)}
        load = performance.planned_load.get((phase, system), 0.0)
        rows.append(
            [
                phase,
                view.system(system),
                words.share(load) if load else "none",
                *(_ms(points[each].seconds[99]) for each in points),
                words.digits(points[0.8].in_flight),
                words.digits(points[0.5].watts),
            ]
        )
    return more(
        f"The response surfaces: {len(rows)} phases on systems",
        el("p", "Time to the first token for prefill, for each further one for decode.", cls="intro"),
        table("Response surfaces", columns, rows),
    )
