"""`gigawright search`: the best ways to run a model."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from cyclopts import App

from gigawright.commands.search_serving import search_serving
from gigawright.errors import InfeasibleStudy, UserError

LISTED = 1000
"""Layouts in the table that a search writes."""

app = App(name="search", help="Search how to lay out a training run or a service: the best ways that fit.")
app.command(search_serving, name="serving")


@app.command(name="training")
def training(
    *,
    model: str,
    system: str,
    accelerators: str,
    seq: str,
    batch_tokens: str,
    precision: Literal["bf16", "fp8", "fp4", "int8"] = "bf16",
    top: int = 10,
    tokens: str | None = None,
    exhaustive: bool = False,
    site: str = "",
    release: str = "",
    catalogue: tuple[Path, ...] = (),
    calibration: Path | None = None,
    gemm: Path | None = None,
    out: Path | None = None,
) -> int:
    """Try every layout of a training run; show the fastest that fit, and where their time and memory go.

    Parameters
    ----------
    model
        A language model of the catalogue, such as llama-3.1-405b.
    system
        A system of the catalogue, such as dgx_h100, or an accelerator.
    accelerators
        How many accelerators the run has, such as 16384 or 16Ki.
    seq
        Tokens of a sequence.
    batch_tokens
        Tokens in a step, such as 16M or 4Mi; taken as whole sequences that split evenly.
    precision
        Of the matrix products.
    top
        How many layouts to show.
    tokens
        Tokens to train in all, such as 15.6T; tells time, energy and cost, with interruptions.
    exhaustive
        Also vary which traffic is hidden, and search larger groups and micro-batches.
    site
        Who measured, where runs of theirs are known to the calibration.
    release
        Release of the software, with its site.
    catalogue
        A CSV file of facts in the catalogue's format, such as your own accelerator's; may be repeated.
    calibration
        A folder that `gigawright calibrate training` has written; default: the package's own.
    gemm
        A CSV file of matrix products measured on the machine: m, n, k, precision, tflops or seconds.
    out
        Folder for training.html and search.csv.
    """
    import time

    start = time.perf_counter()
    from gigawright.catalogue.own import book_with
    from gigawright.terminal import Counting, tell_search
    from gigawright.workloads.training import calibration as constants
    from gigawright.workloads.training.ask import ask, count_of
    from gigawright.workloads.training.campaign import campaign
    from gigawright.workloads.training.candidates import Space
    from gigawright.workloads.training.explore import CHOICES, explore

    if top < 1:
        raise UserError(f"top is {top}, must be at least 1")
    wanted = None if tokens is None else count_of(tokens, "tokens")
    book = book_with(catalogue)
    known = constants.read(calibration) if calibration is not None else constants.calibration()
    asked = ask(
        book,
        known,
        model=model,
        system=system,
        accelerators=accelerators,
        seq=seq,
        batch_tokens=batch_tokens,
        precision=precision,
        site=site,
        release=release,
        gemm=gemm,
    )
    counting = Counting("configurations")
    space, count = Space() if exhaustive else CHOICES, max(top, LISTED if out else 0)
    found = explore(asked, known, space=space, count=count, progress=counting)
    counting.clear()
    whole = campaign(found.best[0], wanted, asked.system, book) if found.best and wanted is not None else None
    page = None
    if out is not None:
        from gigawright.report.training import write_search

        page = write_search(found, whole, out, top)
    tell_search(found, whole, top, page, time.perf_counter() - start)
    return 0 if found.best else InfeasibleStudy.exit_code
