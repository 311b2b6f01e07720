"""Reading a study from a file: every problem at once, each at its line, or a frozen study.

    study = load_study("studies/first-hall.yaml")
    study, source = load_with_source("studies/first-hall.yaml", Study)
    source.problem(("sites", 0, "site"), "no such site in the catalogue")   # told at the study's line

A model that declares a private attribute `_source` keeps its Source there.
"""

from __future__ import annotations

import json
import os
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from gigawright.errors import StudyError
from gigawright.study.source import MAX_BYTES, Source, decode, read, stop
from gigawright.study.words import problems_of

if TYPE_CHECKING:
    from gigawright.study.model import Study

M = TypeVar("M", bound=BaseModel)


def load_study(path: str | os.PathLike[str]) -> Study:
    """The study in a YAML file.

    Raises StudyError with every problem of the file, each as `file:line:column path: seen, allowed`.
    """
    from gigawright.study.model import Study

    return load(path, Study)


def load(path: str | os.PathLike[str], model: type[M]) -> M:
    """A file read into any strict model; raises StudyError."""
    return load_with_source(path, model)[0]


def load_with_source(path: str | os.PathLike[str], model: type[M]) -> tuple[M, Source]:
    """A file read into a model, and where each of its parts stands; raises StudyError."""
    file = os.fspath(path)
    return loads(decode(_bytes_of(file), file), model, file)


def loads(text: str, model: type[M], file: str = "<text>") -> tuple[M, Source]:
    """A text read into a model, and where each of its parts stands; raises StudyError.

    Validation runs in JSON mode: a strict model then takes lists for tuples and text for keys of any type.
    """
    source = read(text, file)
    problems = [problem for _, problem in source.problems]
    spoiled = {(problem.line, problem.column) for problem in problems}
    study: M | None = None
    try:
        study = model.model_validate_json(json.dumps(source.root.value))
    except ValidationError as error:
        found = problems_of(error, source, model)
        problems += [problem for problem in found if (problem.line, problem.column) not in spoiled]
    if problems or study is None:
        raise StudyError(sorted(problems, key=lambda problem: (problem.line, problem.column)))
    if "_source" in model.__private_attributes__:
        setattr(study, "_source", source)  # noqa: B010
    return study, source


def _bytes_of(file: str) -> bytes:
    """What a file holds, at most one byte more than a study may have."""
    path = FilePath(file)
    try:
        if path.is_dir():
            stop(file, "this is a folder; give the study's .yaml file")
        if not path.exists():
            stop(file, "there is no such file")
        if not path.is_file():
            stop(file, "this is no ordinary file")
        with path.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        stop(file, f"the file cannot be read: {reason}")
