"""What a person sees of a powered study in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gigawright.pipeline import PoweredRun

CENT_USD = 0.005


def tell_energy(done: PoweredRun) -> None:
    """Print what is built at each site, what a year costs and emits, and where power is short."""
    from rich.table import Table

    from gigawright.terminal import console_for_tables

    console = console_for_tables()
    table = Table(title=f"{done.study.study.name}: energy alone", title_justify="left", title_style="bold")
    table.add_column("")
    names = [load.name for load in done.study.loads]
    for load in done.study.loads:
        table.add_column(f"{load.site.name}\n{load.load.it:,.0f} MW of IT", justify="right")
    capacity = done.tables["capacity"]
    for technology in dict.fromkeys(capacity["technology"]):
        own = capacity[capacity["technology"] == technology].set_index("site")
        cells = [_built(own.loc[name]) if name in own.index else "" for name in names]
        table.add_row(f"{technology.replace('_', ' ')} [MW]", *cells)
    costs = done.tables["costs"].groupby("site")["usd"].sum()
    it = {load.name: float(load.it_mw.sum()) for load in done.study.loads}
    table.add_row("cost a year [M USD]", *(f"{costs.get(name, 0.0) / 1e6:,.1f}" for name in names))
    table.add_row("a MWh of IT [USD]", *(f"{costs.get(name, 0.0) / it[name]:,.1f}" for name in names))
    table.add_row("PUE", *(f"{load.site_mw.sum() / load.it_mw.sum():.3f}" for load in done.study.loads))
    console.print(table)
    for line in _lines(done):
        console.print(line, soft_wrap=True)


def _built(row: object) -> str:
    mw, mwh = float(row["mw"]), float(row["mwh"])  # type: ignore[index]
    return f"{mw:,.1f} ({mwh:,.0f} MWh)" if mwh else f"{mw:,.1f}"


def _how_good(done: PoweredRun) -> str:
    gap = max(done.summary["gap"], 0.0)
    if done.answer.proven:
        return f"proven to within {gap:.3%} of the best"
    return f"the weeks and the whole year agree to {gap:.2%} (no proof)"


def _lines(done: PoweredRun) -> list[str]:
    """The year in sentences."""
    from gigawright.report.energy import when

    s = done.summary
    lines = [
        f"{s['cost_usd'] / 1e6:,.2f} M USD a year, {s['usd_mwh_it']:,.1f} USD a MWh of IT; {_how_good(done)}",
        f"{1e3 * s['emission_t_mwh']:,.0f} kg CO2 a MWh at the meter, by location; clean power "
        f"covers {s['clean_hourly']:.0%} of the load hour by hour",
    ]
    if s["carbon_usd_t"] > CENT_USD:
        lines.append(f"the carbon limit binds: the last tonne costs {s['carbon_usd_t']:,.1f} USD")
    for site, hours, mwh, worst, first in done.tables["shortages"].itertuples(index=False):
        lines.append(
            f"{site} is short of power in {hours:,} hours: {mwh:,.0f} MWh, {worst:,.1f} MW at worst, first "
            f"on {when(int(first))} UTC"
        )
    return [*lines, *([f"page: {done.report}"] if done.report else [])]
