"""The command line: one command a verb, each a thin layer over the Python functions.

Nothing heavy is imported before a command needs it, so that `gigawright --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App, Parameter

from gigawright import __version__
from gigawright.commands import calibrate, catalogue, export, predict, search, simulate
from gigawright.commands.energy import energy
from gigawright.commands.facility import facility
from gigawright.commands.weather import weather
from gigawright.errors import GigawrightError, InternalError
from gigawright.terminal import say

if TYPE_CHECKING:
    from cyclopts import MissingArgumentError

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 and the signal's number, as shells have it."""

app = App(
    name="gigawright",
    version=__version__,
    help="Plan AI infrastructure programmes: what to buy, build and lease, where and when.",
    result_action="return_value",
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(negative_iterable=()),
)
for group in (predict, search, calibrate, simulate, export, catalogue):
    app.command(group.app)


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
    if read.energy.loads:
        from gigawright.facility.powered import refuse_unsound_loads

        refuse_unsound_loads(read)
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


app.command(weather)
app.command(energy)
app.command(facility)


def schema_of(body: dict[str, object]) -> dict[str, object]:
    """A schema with the dialect it is written in and its name, as editors want it."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "gigawright-study", **body}


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


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
