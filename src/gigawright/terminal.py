"""What a person sees in the terminal: progress while it runs, a short answer at the end."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

    from gigawright.evaluate import Result
    from gigawright.pipeline import Run
    from gigawright.workloads.batches import Counted, Told
    from gigawright.workloads.predict import Performance
    from gigawright.workloads.requests.command import Answer
    from gigawright.workloads.training.batch import Batch
    from gigawright.workloads.training.campaign import Campaign
    from gigawright.workloads.training.explore import Explored

SHOWN = 5
"""Refused rows that are shown with their reasons; the file has them all."""


def say(text: str) -> None:
    """Print to standard output."""
    sys.stdout.write(text + "\n")


class Telling:
    """Progress: each stage on a line of standard error, with the seconds since the start."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def __enter__(self) -> Telling:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self("done")

    def __call__(self, text: str) -> None:
        """Tell one stage."""
        seconds = time.perf_counter() - self._start
        sys.stderr.write(f"{seconds:6.1f} s  {text}\n")
        sys.stderr.flush()


def tell_run(done: Run) -> None:
    """Print what a run found and where it lies."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    table = Table(title=done.results[0].study.name, title_justify="left", title_style="bold")
    table.add_column("")
    for result in done.results:
        table.add_column(f"as of {result.as_of}" if result.as_of else "all knowledge", justify="right")
    answers = [_answers(result) for result in done.results]
    for name in answers[0]:
        table.add_row(name, *(answer[name] for answer in answers))
    console.print(table)
    if done.report is not None:
        console.print(f"report: {done.report}", soft_wrap=True)


def _answers(result: Result) -> dict[str, str]:
    """The plan in a dozen numbers."""
    summary, tables = result.plan.summary, result.plan.tables
    orders, demand, payments = tables["orders"], tables["demand"], tables["payments"]
    bought = orders[orders["action"] == "buy"]["accelerators"].sum()
    leased = orders[orders["action"] == "lease"]["accelerators"].sum()
    retired = orders[orders["action"] == "retire"]["accelerators"].sum()
    capital = payments[payments["kind"] == "capital"]["musd"].sum()
    leases = payments[payments["kind"] == "leasing"]["musd"].sum()
    halls = tables["construction"]
    lost = demand["worth_lost_musd"].sum()
    worth = tables["service"]["worth_musd"].sum()
    return {
        "accelerators bought": f"{bought:,.0f}",
        "accelerators leased": f"{leased:,.0f}",
        "accelerators retired": f"{retired:,.0f}",
        "halls built [MW of IT]": f"{halls[halls['what'] != 'grid']['mw'].sum():,.0f}",
        "capital paid": _musd(capital),
        "leases paid": _musd(leases),
        "worth served [share]": f"{worth / max(worth + lost, 1e-9):.0%}",
        "programme's cost, discounted": _musd(summary["programme_cost_musd"]),
        "gap to the planning model's bound": f"{summary['master_gap']:.2%}",
        "energy: gap to its bound, hour by hour": f"{summary['energy_gap']:.2%}",
        "facts used (assumptions)": _facts(result),
        "seconds": f"{sum(result.seconds.values()):.1f}",
    }


def _musd(amount: float) -> str:
    """Million US dollars in words: 3.5 M USD, 15.8 bn USD."""
    from gigawright.money import Money

    return str(Money(float(amount) * 1e6, "USD"))


def _facts(result: Result) -> str:
    used = result.catalogue.book.used
    return f"{len(used)} ({sum(fact.confidence == 'assumption' for fact in used)})"


def tell_performance(performance: Performance) -> None:
    """Print pace, power and limit of every pairing, one a row."""
    from rich.console import Console
    from rich.table import Table

    from gigawright.workloads.units import UNITS

    table = Table("phase", "system", "work a second", "unit", "W", "limited by", "note")
    for column in (2, 4):
        table.columns[column].justify = "right"
    for column in (0, 1):
        table.columns[column].no_wrap = True
    for phase in performance.phases:
        for (name, system), found in performance.table.items():
            if name == phase.name:
                pace = f"{found.work_per_s:,.4g}" if not found.refused else "-"
                about = found.refused or found.note
                unit = UNITS[phase.unit].plural
                table.add_row(name, system, pace, unit, f"{found.watts:,.0f}", found.limited_by, about)
    Console(highlight=False, markup=False).print(table)


def tell_batch(batch: Counted, out: Path, remarks: Sequence[str] = ()) -> None:
    """Print what became of a file of rows: how many are predicted, refused and guessed at, and `remarks`."""
    count, refused = len(batch.answers), batch.refused
    lines = [f"{count - len(refused):,} of {count:,} rows predicted: {out}"]
    if refused:
        lines.append(f"{len(refused):,} refused, which is no error; the column `refused` has the reasons:")
        lines += [f"  {_name(a)}: {a.refused}" for a in refused[:SHOWN]]
        lines += [f"  ... and {len(refused) - SHOWN:,} more"] if len(refused) > SHOWN else []
    if batch.assumed:
        lines.append(f"inputs filled in: {_counts(batch.assumed)}")
    say("\n".join([*lines, *remarks]))


def _name(answer: Told) -> str:
    """What a row is called: the text of its first column, or its line."""
    return next(iter(answer.cells.values())) or f"line {answer.row.line}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts.items())


def tell_runs(batch: Batch, out: Path) -> None:
    """Print what became of a file of training runs, with what is too large and what is unmeasured."""
    remarks = []
    if batch.too_large:
        remarks.append(f"{batch.too_large:,} do not fit the memory of their accelerators (fits is false)")
    if batch.unmeasured:
        told = "rows of a level without measurements, predicted from the one above"
        remarks.append(f"{told}: {_counts(batch.unmeasured)}")
    tell_batch(batch, out, remarks)


WIDE = 136
"""Columns of a table of layouts where output goes to a file or a pipe."""


def console_for_tables() -> Console:
    """As wide as the terminal; wide enough for tables of sites where output goes to a file or a pipe."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    return console if console.is_terminal else Console(width=160, highlight=False, markup=False, emoji=False)


class Counting:
    """Progress of a long count on one line of standard error, where a person watches it."""

    def __init__(self, what: str) -> None:
        self._what, self._last = what, time.perf_counter()
        self._shown = False

    def __call__(self, done: int, of: int) -> None:
        """Tell how far the count is, once a second at most."""
        now = time.perf_counter()
        if sys.stderr.isatty() and now - self._last >= 1.0:
            self._last, self._shown = now, True
            sys.stderr.write(f"\r{done:,} of {of:,} {self._what} ({done / of:.0%})")
            sys.stderr.flush()

    def clear(self) -> None:
        """Remove the line."""
        if self._shown:
            sys.stderr.write("\r\033[K")


def tell_search(
    found: Explored, campaign: Campaign | None, top: int = 10, page: Path | None = None, whole_s: float = 0.0
) -> None:
    """Print what a search of layouts found: the `top` best, where the best one's time and memory go, and
    where its page lies; the search took `whole_s` in all.
    """
    from rich.console import Console

    from gigawright.report.search_text import search_lines

    console = Console(highlight=False, markup=False, emoji=False)
    width = console.width if console.is_terminal else WIDE
    for line in search_lines(found, campaign, top, width, whole_s):
        console.print(line.text, style="bold" if line.heading else None, soft_wrap=True)
    if page is not None:
        console.print(f"page: {page}", soft_wrap=True)


def tell_requests(answer: Answer, title: str, notes: Sequence[str]) -> None:
    """Print what a simulation of requests found: its times as a table, all else a line each, its files."""
    from rich.console import Console
    from rich.table import Table

    from gigawright.workloads.requests.words import TITLES, fact_rows, time_rows

    console = Console(highlight=False, markup=False, emoji=False)
    console.print(title, style="bold", soft_wrap=True)
    table = Table()
    for place, name in enumerate(TITLES):
        table.add_column(name, justify="right" if place else "left")
    for row in time_rows(answer):
        table.add_row(*row)
    console.print(table)
    facts = list(fact_rows(answer))
    width = max(len(name) for name, _ in facts)
    for name, text in facts:
        console.print(f"{name:{width}}  {text}", soft_wrap=True)
    for note in notes:
        console.print(f"{'note':{width}}  {note}", soft_wrap=True)
    for file in (answer.asked.out, answer.asked.html):
        if file is not None:
            console.print(f"{'written':{width}}  {file}", soft_wrap=True)
