"""From a study to a folder: plan it for each day of knowledge, write the report, keep everything."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from gigawright.evaluate import Result
    from gigawright.facility.dispatch.choose import Way
    from gigawright.facility.dispatch.solve import EnergyAnswer
    from gigawright.facility.powered import PoweredStudy
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


@dataclass(frozen=True)
class PoweredRun:
    """A study's energy alone: the case, its answer, the tables made of it, the year in numbers."""

    study: PoweredStudy
    answer: EnergyAnswer
    tables: Mapping[str, pd.DataFrame]
    summary: Mapping[str, float]
    folder: Path | None = None

    @property
    def report(self) -> Path | None:
        """The page's path, where the run was written."""
        return self.folder / "report.html" if self.folder else None


def power(
    study: Study,
    out: Path | str | None = None,
    progress: Progress = lambda text: None,
    processes: int = 1,
    way: Way = "auto",
    gap: float = 1e-4,
) -> PoweredRun:
    """Size and dispatch a study's energy alone; with `out`, write its tables and page there.

    Raises StudyError, Infeasible where no dispatch keeps the rules, and OutputError where the folder cannot
    be written. The folder appears whole or not at all.
    """
    from gigawright.catalogue.resolve import resolve
    from gigawright.facility.accounts import energy_summary, energy_tables
    from gigawright.facility.dispatch.choose import size_energy
    from gigawright.facility.powered import powered_study

    if out is not None:
        _refuse_early(Path(out))
    progress("weather, cooling, sun and wind of the sites")
    powered = powered_study(study, resolve(study, study.as_of))
    answer = size_energy(powered.case, way, gap, processes, progress)
    made, summary = energy_tables(powered, answer), energy_summary(powered, answer)
    done = PoweredRun(powered, answer, made, summary)
    return done if out is None else _write_power(done, Path(out), progress)


def _write_power(done: PoweredRun, folder: Path, progress: Progress) -> PoweredRun:
    """Tables, numbers and page in a folder that appears whole."""
    from gigawright import __version__
    from gigawright.facility.dispatch.case_file import write_case
    from gigawright.report.energy import write_energy
    from gigawright.tables import write_folder_atomically, write_json, write_table

    key = run_hash(done.study.study, done.study.catalogue.book.used)
    about = {
        "hash": key,
        "gigawright": __version__,
        "kind": "energy",
        "study": done.study.study.model_dump(mode="json"),
        "summary": dict(done.summary),
    }

    def fill(place: Path) -> None:
        progress("writing tables and page")
        write_json(place / "run.json", about)
        for name, table in done.tables.items():
            write_table(place, name, table)
        write_case(done.study.case, place / "case.npz")
        write_energy(done.study, done.tables, done.summary, place / "report.html")

    write_folder_atomically(folder, fill)
    return replace(done, folder=folder)


def _refuse_early(folder: Path) -> None:
    """A folder that cannot be written is told before the work, not after it."""
    from gigawright.errors import OutputError
    from gigawright.tables import refuse_foreign

    parent = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not parent.is_dir():
        raise OutputError(f"{parent} is a file; a run needs a folder")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"{parent} cannot be written; choose another folder with --out")
    refuse_foreign(folder)


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
