"""A powered study as one offline page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gigawright import tables
from gigawright.clock import month_of_hour
from gigawright.report import charts_energy as charts
from gigawright.report.frame import framed
from gigawright.report.html import Column, Html, Piece, el, table
from gigawright.report.parts import Report, Section, bullets, tile

if TYPE_CHECKING:
    import pandas as pd

    from gigawright.facility.powered import PoweredStudy


SHOWN_MW = 0.05
"""Capacity below this is rounded away in tables of one decimal."""
CENT_USD = 0.005


def write_energy(
    study: PoweredStudy,
    made: Mapping[str, pd.DataFrame],
    summary: Mapping[str, float],
    out: Path,
    notes: Sequence[str] = (),
) -> None:
    """Write the page of `gigawright energy`. Raises OutputError."""
    tables.write_text(out, page(study, made, summary, notes))


def page(
    study: PoweredStudy,
    made: Mapping[str, pd.DataFrame],
    summary: Mapping[str, float],
    notes: Sequence[str] = (),
) -> str:
    """The page as HTML: it works offline and asks nothing of another machine."""
    drawing = Report(())
    sections = [
        _built(study, made),
        *(_site(drawing, study, made["dispatch"], i) for i in range(len(study.loads))),
        _money(drawing, made, summary),
        *([_short(made["shortages"])] if len(made["shortages"]) else []),
        _method(study, notes),
    ]
    return framed(study.study.name, "energy", _summary(study, made, summary), sections)


def _summary(study: PoweredStudy, made: Mapping[str, pd.DataFrame], summary: Mapping[str, float]) -> Html:
    sites, gap, proven = len(study.loads), max(summary["gap"], 0.0), bool(summary["proven"])
    eyebrow = f"Energy alone · {sites} site{'' if sites == 1 else 's'} · 8,760 hours"
    lede = f"{summary['it_mwh'] / 1e3:,.0f} GWh of IT a year, powered at least cost; " + (
        f"proven to {gap:.2%} of the best there is."
        if proven
        else f"representative weeks, off by about {gap:.2%}."
    )
    rows = [
        (
            "Power",
            f"{summary['usd_mwh_it']:,.1f} USD/MWh",
            f"of IT, all in; {summary['cost_usd'] / 1e6:,.1f} M USD a year",
        ),
        ("PUE", f"{summary['pue']:.3f}", f"{summary['load_mwh'] / 1e3:,.0f} GWh at the meter"),
        (
            "CO2",
            f"{1e3 * summary['emission_t_mwh']:,.0f} kg/MWh",
            f"at the meter; {summary['emission_location_t'] / 1e3:,.1f} kt by location, "
            f"{summary['emission_market_t'] / 1e3:,.1f} kt by market",
        ),
        (
            "Clean",
            f"{summary['clean_hourly']:.0%}",
            f"hour by hour; {summary['clean_yearly']:.0%} over the year, certificates and spill included",
        ),
        _shortage_tile(made["shortages"], summary),
        ("Peak", f"{summary['peak_mw']:,.0f} MW", "drawn from the grid at most, all sites' peaks added"),
    ]
    head = el(
        "header",
        el("p", eyebrow, cls="eyebrow"),
        el("h1", study.study.name),
        el("p", lede, cls="lede"),
        cls="hero",
    )
    tiles = el("dl", [tile(*row) for row in rows], cls="tiles")
    return el("section", head, tiles, id="summary", aria_label="Summary", style="padding-top:0")


def _shortage_tile(shortages: pd.DataFrame, summary: Mapping[str, float]) -> tuple[str, str, str]:
    if shortages.empty:
        return "Short of power", "never", "every hour is served"
    return (
        "Short of power",
        f"{int(shortages['hours'].max()):,} hours",
        f"{summary['shed_mwh']:,.0f} MWh are not served; see below where and when",
    )


def _built(study: PoweredStudy, made: Mapping[str, pd.DataFrame]) -> Section:
    capacity = made["capacity"][made["capacity"]["mw"] >= SHOWN_MW]
    columns = [Column("MW"), *(Column(load.name, "", "number") for load in study.loads)]
    rows: list[Sequence[Piece]] = []
    for technology in dict.fromkeys(capacity["technology"]):
        own = capacity[capacity["technology"] == technology].set_index("site")
        cells = [_capacity(own, load.name) for load in study.loads]
        rows.append((_words(str(technology)), *cells))
    names = ", ".join(f"{load.site.name} ({load.load.it:,.0f} MW of IT)" for load in study.loads)
    intro = f"What is contracted or built for {names}; the grid's MW are the year's highest draw."
    body = [table("Capacity", columns, rows, "compare"), *_batteries(made)]
    return Section("built", "What to build and contract", intro, body)


def _capacity(own: pd.DataFrame, site: str) -> str:
    """A technology's power at a site, and what its store holds."""
    if site not in own.index:
        return ""
    mw, mwh = (float(number) for number in own.loc[site, ["mw", "mwh"]].to_numpy())
    return f"{mw:,.1f} ({mwh:,.0f} MWh)" if mwh else f"{mw:,.1f}"


def _batteries(made: Mapping[str, pd.DataFrame]) -> list[Html]:
    """How the year wears the batteries, where there are any."""
    if made["batteries"].empty:
        return []
    columns = [
        Column("Site"),
        Column("Full cycles", "1/year", "number"),
        Column("Left after 5 years", "", "number"),
        Column("Left after 10 years", "", "number"),
    ]
    rows = [
        (site, f"{cycles:,.0f}", f"{five:.0%}", f"{ten:.0%}")
        for site, _, cycles, five, ten in made["batteries"].itertuples(index=False)
    ]
    return [table("What the year's cycles do to the batteries", columns, rows)]


def _words(name: str) -> str:
    return name.replace("_", " ")


def _site(drawing: Report, study: PoweredStudy, dispatch: pd.DataFrame, place: int) -> Section:
    load, case = study.loads[place], study.case.sites[place]
    hours = dispatch[dispatch["site"] == load.name].dropna(axis=1, how="all").reset_index(drop=True)
    sources = [source.name for source in case.sources]
    month = month_of_hour()[hours["hour"].to_numpy()]
    first = charts.week_worth_seeing(hours)
    body = [
        drawing.chart(
            f"months-{place}",
            charts.by_month(hours, sources, month),
            "Energy by month",
            "What sources give to the load and the stores, and what the load gives up; spill is left out.",
        ),
        drawing.chart(
            f"week-{place}",
            charts.week(hours, sources, first),
            "The hardest week",
            "The week in which power is shed most or, where it never is, dearest; hours in UTC.",
            wide=True,
        ),
    ]
    intro = (
        f"{load.load.it:,.0f} MW of IT, {_words(load.load.cooling)} cooling, PUE {load.pue.mean():.3f} on "
        f"average and {load.pue.max():.3f} in the worst hour; peak at the meter {load.site_mw.max():,.1f} MW."
        f"{_spilled(hours, sources)}"
    )
    return Section(f"site-{place}", load.site.name, intro, body)


def _spilled(hours: pd.DataFrame, sources: Sequence[str]) -> str:
    """What sun and wind could give and do not, as a sentence."""
    free = [source for source in ("solar", "wind") if source in sources]
    offered = sum(float(hours[f"{source}_mw"].sum()) for source in free)
    if offered < SHOWN_MW * len(hours):
        return ""
    taken = sum(float(charts.used(hours, sources)[source].sum()) for source in free)
    return f" Sun and wind could give {offered / 1e3:,.0f} GWh; {1.0 - taken / offered:.1%} of it is spilled."


def _money(drawing: Report, made: Mapping[str, pd.DataFrame], summary: Mapping[str, float]) -> Section:
    body = [
        drawing.chart(
            "costs",
            charts.costs(made["costs"]),
            "What a year costs",
            "Capital as an annuity with its upkeep, energy, charges.",
        ),
        drawing.chart(
            "duration",
            charts.price_duration(made["dispatch"]),
            "What one more MWh would cost",
            "The price of the last MWh in each hour, sorted; the scarcest hours lie above the chart.",
        ),
    ]
    binding = summary["carbon_usd_t"] > CENT_USD
    intro = (
        f"The carbon limit binds: the last tonne costs {summary['carbon_usd_t']:,.1f} USD." if binding else ""
    )
    return Section("money", "What it costs", intro, body)


def _short(shortages: pd.DataFrame) -> Section:
    columns = [
        Column("Site"),
        Column("Hours", "", "number"),
        Column("Not served", "MWh", "number"),
        Column("Worst", "MW", "number"),
        Column("First", "UTC"),
    ]
    rows: list[Sequence[Piece]] = [
        (site, f"{hours:,}", f"{mwh:,.0f}", f"{worst:,.1f}", when(first))
        for site, hours, mwh, worst, first in shortages.itertuples(index=False)
    ]
    intro = "The connection and what stands beside it cannot carry the load in these hours."
    return Section("short", "Where power is short", intro, [table("Hours short of power", columns, rows)])


def when(hour: int) -> str:
    """An hour of the year as day, month and time.

    >>> when(30)
    '2 Jan 06:00'
    """
    import datetime as dt

    moment = dt.datetime(2025, 1, 1) + dt.timedelta(hours=hour)
    return f"{moment.day} {moment:%b %H:%M}"


def _method(study: PoweredStudy, notes: Sequence[str]) -> Section:
    doubtful = study.catalogue.book.used
    assumed = sum(fact.confidence == "assumption" for fact in doubtful)
    lines: list[Piece] = [
        "Capacities and the dispatch of every hour of the year together, storage cyclic over the year, sun "
        "and wind free to spill; docs/energy.md has the equations.",
        "Weather is a synthetic year with the place's monthly normals unless a file was given; two places "
        "have no weather in common.",
        [
            f"It rests on {len(doubtful):,} facts, {assumed:,} of them assumptions: ",
            el("code", "gigawright catalogue why"),
            " tells each one's source.",
        ],
        "Perfect foresight over the year: real dispatch does a little worse, most of all with long storage.",
        *notes,
    ]
    return Section("method", "How to read this", "", [bullets(lines)])
