"""The command line: one command a verb, each a thin layer over the Python functions.

Nothing heavy is imported before a command needs it, so that `gigawright --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cyclopts import App

from gigawright import __version__
from gigawright.errors import GigawrightError, InfeasibleStudy, InternalError, UserError

if TYPE_CHECKING:
    from cyclopts import MissingArgumentError

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 and the signal's number, as shells have it."""

LISTED = 1000
"""Layouts in the table that a search writes."""

app = App(
    name="gigawright",
    version=__version__,
    help="Plan AI infrastructure programmes: what to buy, build and lease, where and when.",
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)


@app.command
def check(study: Path) -> None:
    """Read a study and tell every problem in it, each at its line.

    Parameters
    ----------
    study
        The study's YAML file.
    """
    from gigawright.catalogue.resolve import resolve
    from gigawright.study.load import load_study

    read = load_study(study)
    for as_of in read.knowledge_dates:
        resolve(read, as_of)
    parts = [
        _counted(len(read.horizon.quarters), "quarter"),
        _counted(len(read.sites), "site"),
        _counted(len(read.systems), "system"),
        _counted(len(read.workloads), "workload"),
    ]
    say(f"{study} reads well: {', '.join(parts)}")


@app.command
def schema() -> None:
    """Print the JSON Schema of a study, with units and descriptions, for editors to complete by."""
    import json

    from gigawright.study.model import Study

    say(json.dumps(schema_of(Study.model_json_schema()), indent=2, ensure_ascii=False))


@app.command
def run(study: Path, *, out: Path | None = None) -> None:
    """Plan a study, check the plan, and write its tables, workbook and report into a folder.

    Parameters
    ----------
    study
        The study's YAML file.
    out
        Folder to write; default: runs/NAME beside where you are.
    """
    from gigawright.pipeline import run as run_study
    from gigawright.study.load import load_study
    from gigawright.terminal import Telling, tell_run

    read = load_study(study)
    with Telling() as telling:
        done = run_study(read, out or Path("runs") / study.stem, telling, os.cpu_count() or 1)
    tell_run(done)


predict = App(name="predict", help="Predict without planning: the workloads of a study on its systems.")
app.command(predict)


@predict.command(name="study")
def predict_study(study: Path, *, as_of: str | None = None) -> None:
    """Work a second and watts of an accelerator, for every phase and system of a study, and what limits it.

    Parameters
    ----------
    study
        The study's YAML file.
    as_of
        Use only what was known on that day (YYYY-MM-DD).
    """
    from gigawright.catalogue.lookup import day
    from gigawright.catalogue.resolve import resolve
    from gigawright.study.load import load_study
    from gigawright.terminal import tell_performance
    from gigawright.workloads.predict import predict as predict_workloads

    read = load_study(study)
    tell_performance(predict_workloads(read, resolve(read, day(as_of))))


@predict.command(name="training")
def predict_training(
    runs: Path,
    *,
    out: Path,
    catalogue: tuple[Path, ...] = (),
    calibration: Path | None = None,
    gemm: Path | None = None,
    notes: bool = False,
) -> None:
    """Seconds of a step, pace with its interval, MFU, memory and limit of every training run of a CSV file.

    One line a row is written, in order. A row that is wrong or impossible has its reason in the column
    `refused`, and is no error: the exit code is 0 wherever the file itself could be read.

    Parameters
    ----------
    runs
        A CSV file with at least row_id, model, accelerator, n_accel, seq_len and precision.
    out
        The CSV file to write.
    catalogue
        A CSV file of facts in the catalogue's format, such as your own accelerator's; may be repeated.
    calibration
        A folder that `gigawright calibrate training` has written; default: the package's own.
    gemm
        A CSV file of matrix products measured on the machine: m, n, k, precision, tflops or seconds.
    notes
        Add the column `assumed`: what had to be filled in of the row and of its accelerator.
    """
    from gigawright.terminal import Telling, tell_batch
    from gigawright.workloads.training.batch import predict_file

    with Telling() as telling:
        batch = predict_file(
            runs, out, catalogues=catalogue, calibrated=calibration, gemm=gemm, notes=notes, told=telling
        )
    tell_batch(batch, out)


calibrate = App(name="calibrate", help="Refit the constants of models to measurements.")
app.command(calibrate)


@calibrate.command(name="training")
def calibrate_training(
    runs: Path, *, families: Path, out: Path | None = None, catalogue: tuple[Path, ...] = ()
) -> None:
    """Refit the training model to measured runs, and print its errors on runs left out.

    Parameters
    ----------
    runs
        A CSV file of runs, with the columns group and tokens_per_s_per_accel beside those of a prediction.
    families
        A CSV file with the columns family and pattern: which names of models are left out together.
    out
        Folder to write; default: the package's own, where it is a checkout.
    catalogue
        A CSV file of facts in the catalogue's format, such as your own accelerator's; may be repeated.
    """
    from gigawright.catalogue.own import book_with
    from gigawright.terminal import Telling
    from gigawright.workloads.training.calibrate import table
    from gigawright.workloads.training.recalibrate import counted, recalibrate

    with Telling() as telling:
        report, folder = recalibrate(runs, families, out, book_with(catalogue), telling)
    say(f"{table(report)}\n\n{counted(report)}\nwritten to {folder}")


search = App(name="search", help="Search how to lay out a run: the fastest ways that fit.")
app.command(search)


@search.command(name="training")
def search_training(
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


@app.command
def facility(site: str, *, as_of: str | None = None) -> None:
    """PUE, water, sun, wind and price of a site over the year, by hall design.

    Parameters
    ----------
    site
        A site of the catalogue, such as ulanqab.
    as_of
        Use only what was known on that day (YYYY-MM-DD).
    """
    from gigawright.catalogue.lookup import site_of
    from gigawright.facility.size import size
    from gigawright.terminal import tell_facility

    found = site_of(site, as_of)
    tell_facility(found, size(found))


catalogue = App(name="catalogue", help="Look up the facts: find, list, and why a value is what it is.")
app.command(catalogue)


@catalogue.command
def find(term: str, *, as_of: str | None = None) -> None:
    """List items whose name, id or attribute holds a term.

    Parameters
    ----------
    term
        Text to look for, in any case.
    as_of
        Use only what was known on that day (YYYY-MM-DD).
    """
    from gigawright.catalogue.lookup import find as look

    say(look(term, as_of))


@catalogue.command(name="list")
def list_items(kind: str = "", *, as_of: str | None = None) -> None:
    """List the kinds of items, or the items of one kind and what each lacks.

    Parameters
    ----------
    kind
        Such as system, site or model; without it, all kinds are counted.
    as_of
        Use only what was known on that day (YYYY-MM-DD).
    """
    from gigawright.catalogue.lookup import list_kind

    say(list_kind(kind, as_of))


@catalogue.command
def why(name: str, *, as_of: str | None = None) -> None:
    """Show a value with its range, source, dates and confidence, and what was known before.

    Parameters
    ----------
    name
        ITEM or ITEM.ATTRIBUTE, such as nv_h200_sxm.memory_gb.
    as_of
        Use only what was known on that day (YYYY-MM-DD).
    """
    from gigawright.catalogue.lookup import why as explain

    say(explain(name, as_of))


def schema_of(body: dict[str, object]) -> dict[str, object]:
    """A schema with the dialect it is written in and its name, as editors want it."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "gigawright-study", **body}


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def say(text: str) -> None:
    """Print to standard output."""
    sys.stdout.write(text + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0 done, 2 the user's error, 3 an infeasible study, 4 our error, 130 interrupted. Errors go to standard
    error in words, never as a traceback (set GIGAWRIGHT_TRACEBACK=1 to see one); a reader that closes the
    pipe ends us quietly.
    """
    try:
        code = _run(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except GigawrightError as error:
        sys.stderr.write(f"gigawright: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("gigawright: interrupted; nothing half-written is left\n")
        return INTERRUPTED
    except BrokenPipeError:
        _leave_the_pipe()
        return 0
    except Exception as error:
        if os.environ.get("GIGAWRIGHT_TRACEBACK"):
            raise
        name = type(error).__name__
        sys.stderr.write(f"gigawright: an error of ours, please report it: {name}: {error}\n")
        return InternalError.exit_code
    return code


def _run(arguments: list[str]) -> int:
    """Parse and run; usage errors exit with the code of a user's error."""
    from cyclopts import CycloptsError, MissingArgumentError

    try:
        result = app(arguments, exit_on_error=False, print_error=False)
    except MissingArgumentError as error:
        sys.stderr.write(f"gigawright: {_missing(error)}\n")
        return 2
    except CycloptsError as error:
        sys.stderr.write(f"gigawright: {error}\nTry `gigawright --help`.\n")
        return 2
    return result if isinstance(result, int) else 0


def _missing(error: MissingArgumentError) -> str:
    """Which option of a command was left out, or which word lacks what must follow it."""
    command, asked = " ".join(["gigawright", *(error.command_chain or ())]), error.argument
    left_out = asked is not None and asked.field_info.is_keyword_only and error.keyword is None
    what = f"{asked.name} is missing" if asked is not None and left_out else str(error)
    return f"{what}\nTry `{command} --help`."


def _leave_the_pipe() -> None:
    """Point standard output at nothing, so that the interpreter's last flush does not complain."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
