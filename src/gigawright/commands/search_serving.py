"""`gigawright search serving`: the configurations of a service that no other beats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gigawright.errors import InfeasibleStudy, UserError

WIDE = 180
"""Columns of the table where output goes to a file or a pipe."""

if TYPE_CHECKING:
    from gigawright.workloads.serving.explore import Explored


def search_serving(
    *,
    model: str,
    system: str,
    isl: str,
    osl: str,
    ttft_ms: float | None = None,
    tpot_ms: float | None = None,
    precision: Literal["auto", "bf16", "fp8", "fp4", "int8", "int4", "all"] = "auto",
    drafts: int | None = None,
    accept: float | None = None,
    cached: float = 0.0,
    engine: str = "",
    gpus: str | None = None,
    rate: float | None = None,
    usd_per_hour: float | None = None,
    usd_per_kwh: float | None = None,
    top: int = 12,
    html: Path | None = None,
    csv: Path | None = None,
    catalogue: tuple[Path, ...] = (),
    calibration: Path | None = None,
) -> int:
    """Try layouts, loads and splits into prompt and decode workers; show those that no other beats.

    Compared are tokens/s of an accelerator and of a user, USD a million tokens, and joules a token.

    Parameters
    ----------
    model
        A language model of the catalogue, such as deepseek-r1.
    system
        A system of the catalogue, such as hgx_h20_8, or an accelerator.
    isl
        Tokens of a prompt, such as 4000 or 4k.
    osl
        Tokens of an answer.
    ttft_ms
        The longest mean time to the first token; default: no limit.
    tpot_ms
        The longest mean time for each further token; default: no limit.
    precision
        Format of the weights; auto: as the model is published; all: every one the chip has a rate for.
    drafts
        Most tokens drafted a step, 0 to 3; default: 3 for models with such layers, else 0.
    accept
        Chance that a drafted token is kept if the one before it is; default: as calibrated.
    cached
        Share of a prompt that is found in the prefix cache.
    engine
        Of those measured, such as vllm, sglang or trtllm; default: the best of those measured on such chips.
    gpus
        Most accelerators in use; default: what one unit of prompt and decode workers takes, up to hundreds.
    rate
        Requests a second to serve; tells accelerators and cost a month.
    usd_per_hour
        Price of an accelerator-hour; default: the catalogue's lease, else its hardware and electricity.
    usd_per_kwh
        Price of electricity; asks for owned hardware where a lease is known too.
    top
        How many points to show.
    html
        A page to write, with charts.
    csv
        A table to write, with all points.
    catalogue
        A CSV file of facts in the catalogue's format, such as your own accelerator's; may be repeated.
    calibration
        A folder that `gigawright calibrate serving` has written; default: the package's own.
    """
    import time

    start = time.perf_counter()
    from gigawright.catalogue.own import book_with
    from gigawright.workloads.calibrated import read
    from gigawright.workloads.serving import predictor
    from gigawright.workloads.serving.ask import ask
    from gigawright.workloads.serving.constants import PRIORS
    from gigawright.workloads.serving.explore import explore

    if top < 1:
        raise UserError(f"top is {top}, must be at least 1")
    _check_files(html, csv, catalogue)
    own = None if calibration is None else read(calibration, predictor.FAMILY, PRIORS)
    known = own or predictor.calibration()
    asked = ask(
        book_with(catalogue),
        known,
        model=model,
        system=system,
        isl=isl,
        osl=osl,
        ttft_ms=ttft_ms,
        tpot_ms=tpot_ms,
        precision=precision,
        drafts=drafts,
        accept=accept,
        cached=cached,
        engine=engine,
        gpus=gpus,
        rate=rate,
        usd_per_hour=usd_per_hour,
        usd_per_kwh=usd_per_kwh,
    )
    found = explore(asked, known)
    written = _write(found, html, csv)
    _tell(found, top, written, time.perf_counter() - start)
    return 0 if found.points else InfeasibleStudy.exit_code


def _check_files(html: Path | None, csv: Path | None, catalogue: tuple[Path, ...]) -> None:
    """Raises OutputError, before any work, for a place that cannot be written."""
    from gigawright.workloads.training.files import output_file

    for place in (html, csv):
        if place is not None:
            output_file(place, catalogue)
    if html is not None and csv is not None and html.resolve() == csv.resolve():
        raise UserError(f"--html and --csv are both {html}; give two files")


def _write(found: Explored, html: Path | None, csv: Path | None) -> list[str]:
    """Writes what was asked for; tells where it lies."""
    from gigawright.tables import write_text

    told = []
    if html is not None:
        from gigawright.report.serving import page

        write_text(html, page(found))
        told.append(f"page: {html}")
    if csv is not None:
        from gigawright.report.serving_table import points_table

        write_text(csv, points_table(found))
        told.append(f"table: {csv}")
    return told


def _tell(found: Explored, top: int, written: list[str], whole_s: float) -> None:
    """Prints the answer, fitted to the terminal."""
    from rich.console import Console

    from gigawright.report.serving_text import serving_lines

    console = Console(highlight=False, markup=False, emoji=False)
    width = console.width if console.is_terminal else WIDE
    for line in serving_lines(found, top, width, whole_s):
        console.print(line.text, style="bold" if line.heading else None, soft_wrap=True)
    for text in written:
        console.print(text, soft_wrap=True)
