"""From a study to a folder: plan it for each day of knowledge, write the report, keep everything."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gigawright.evaluate import Result
    from gigawright.facts import Fact
    from gigawright.study.model import Study

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """A finished run: its results (the study's own day of knowledge first), its hash, and where it was
    written."""

    results: tuple[Result, ...]
    hash: str
    folder: Path | None = None

    @property
    def report(self) -> Path | None:
        """The report's path, where the run was written."""
        return self.folder / "report.html" if self.folder else None


def run(
    study: Study,
    out: Path | str | None = None,
    progress: Progress = lambda text: None,
    processes: int = 1,
) -> Run:
    """Plan a study for every day of knowledge it names; with `out`, write tables, workbook and report there.

    Raises StudyError, InfeasibleStudy, CheckFailed, and OutputError where the folder cannot be written. The
    folder appears whole or not at all.

    >>> import gigawright as gw
    >>> done = gw.run(gw.load_study("studies/first-hall.yaml"))  # doctest: +SKIP
    """
    from gigawright.evaluate import evaluate

    if out is not None:
        _refuse_early(Path(out))
    results = []
    for as_of in study.knowledge_dates:
        known = f"with the knowledge of {as_of}" if as_of else "with all knowledge"
        progress(f"{study.name}, {known}")
        results.append(evaluate(study, as_of, progress, processes))
    key = run_hash(study, (fact for result in results for fact in result.catalogue.book.used))
    done = Run(tuple(results), key)
    return done if out is None else write(done, Path(out), progress)


def _refuse_early(folder: Path) -> None:
    """A folder that cannot be written is told before the work, not after it."""
    from gigawright.errors import OutputError

    parent = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not parent.is_dir():
        raise OutputError(f"{parent} is a file; a run needs a folder")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"{parent} cannot be written; choose another folder with --out")


def write(done: Run, folder: Path, progress: Progress = lambda text: None) -> Run:
    """Write a run's tables, workbook, report and summary into a folder that appears whole."""
    from gigawright.report import write_report
    from gigawright.tables import write_folder_atomically, write_json

    def fill(place: Path) -> None:
        progress("writing tables, workbook and report")
        write_json(place / "run.json", describe(done))
        write_report(done.results, place)

    write_folder_atomically(folder, fill)
    return Run(done.results, done.hash, folder)


def describe(done: Run) -> dict[str, object]:
    """What a run was made from and how good its plans are."""
    import platform

    from gigawright import __version__

    return {
        "hash": done.hash,
        "gigawright": __version__,
        "python": platform.python_version(),
        "study": done.results[0].study.model_dump(mode="json"),
        "plans": [
            {
                "as_of": str(result.as_of),
                "summary": dict(result.plan.summary),
                "seconds": dict(result.seconds),
            }
            for result in done.results
        ],
    }


def run_hash(study: Study, facts: Iterable[Fact]) -> str:
    """Hash of the study, of the facts it rests on, and of the package's own code and data."""
    digest = hashlib.sha256()
    digest.update(json.dumps(study.model_dump(mode="json"), sort_keys=True, default=str).encode())
    for line in sorted({repr(fact) for fact in facts}):
        digest.update(line.encode())
    for file in _own_files(files("gigawright")):
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _own_files(folder: Traversable) -> list[Traversable]:
    """The package's .py and .csv files, in a fixed order."""
    found: list[Traversable] = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            found.extend(_own_files(entry))
        elif entry.name.endswith((".py", ".csv")):
            found.append(entry)
    return found
