"""What is left out together of measured rows, and what was measured: tables that calibrations share."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from gigawright.errors import UserError
from gigawright.workloads.cells import read_table

VALUE = "value"
"""The column with what was measured; only a calibration reads it."""

Folds = Sequence[tuple[str, "re.Pattern[str]", str]]


def read_folds(path: Path) -> Folds:
    """What is left out, the pattern of names, and the fold they belong to; the first that matches holds."""
    try:
        rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
        return [(row["left_out"], re.compile(row["pattern"], re.IGNORECASE), row["fold"]) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, re.error) as error:
        raise UserError(f"{path}: no table of folds, left_out, pattern, fold ({error})") from error


def fold_of(folds: Folds, left_out: str, name: str) -> str:
    """The fold of a name: that of the first pattern which occurs in it, else its own.

    >>> folds = [("accelerator", re.compile("h[12]00", re.IGNORECASE), "Hopper")]
    >>> fold_of(folds, "accelerator", "NVIDIA H200"), fold_of(folds, "submitter", "H200")
    ('Hopper', 'H200')
    """
    return next((fold for kind, pattern, fold in folds if kind == left_out and pattern.search(name)), name)


def measured_values(path: Path, ways: Sequence[str]) -> dict[str, tuple[float, dict[str, str]]]:
    """Measured value, and the texts of the columns `ways`, of each row that has a value above 0."""
    table = read_table(path, "give a file of measured rows")
    if missing := [name for name in ("row", VALUE) if name not in table.names]:
        raise UserError(f"{path}: missing {', '.join(missing)} of measured rows")
    found = {}
    for _, cells in table.rows(("row", VALUE, *ways)):
        text = cells.text
        if re.fullmatch(r"\d+\.?\d*(?:[eE][+-]?\d+)?", text[VALUE]) and float(text[VALUE]) > 0:
            found[text["row"]] = (float(text[VALUE]), {name: text[name] for name in ways})
    return found
