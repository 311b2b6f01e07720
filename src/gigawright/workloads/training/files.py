"""What a command checks of the files it is to write, before it works for minutes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from gigawright.errors import OutputError


def output_file(out: Path, inputs: Iterable[Path]) -> Path:
    """The file to write, links followed. Raises OutputError where it cannot be written or is an input."""
    try:
        target = out.resolve()
        if any(target == path.resolve() or _same(target, path) for path in inputs):
            raise OutputError(f"{out} is an input; give another file to write")
        if target.is_dir():
            raise OutputError(f"{out} is a folder; give a file to write")
        if target.exists() and not target.is_file():
            raise OutputError(f"{out} is no regular file; give a file to write")
        if target.exists() and not os.access(target, os.W_OK):
            raise OutputError(f"{out} cannot be written: it may only be read")
        _check_parent(target.parent, out)
    except (OSError, RuntimeError) as error:
        raise OutputError(f"{out} cannot be written: {error}") from error
    return target


def check_output_folder(folder: Path) -> None:
    """Raises OutputError where files cannot be written into a folder, which need not exist yet."""
    try:
        _check_parent(folder.resolve(), folder)
    except (OSError, RuntimeError) as error:
        raise OutputError(f"{folder} cannot be written: {error}") from error


def _same(target: Path, path: Path) -> bool:
    """Whether two names are one file, as hard links are."""
    return target.exists() and path.exists() and target.samefile(path)


def _check_parent(folder: Path, out: Path) -> None:
    """The nearest folder that is there must take new names."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if not there.is_dir():
        raise OutputError(f"{out} cannot be written: {there} is a file")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputError(f"{out} cannot be written: you may not write in {there}")
