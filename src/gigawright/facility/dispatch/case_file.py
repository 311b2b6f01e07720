"""A case as one file: its arrays and, as JSON, how they make it up. Nothing in it is ever executed."""

from __future__ import annotations

import json
import zipfile
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gigawright.errors import OutputError, UserError
from gigawright.facility.dispatch import case as types
from gigawright.facility.dispatch.case import EnergyCase

CASE_FILE = "case.npz"
"""Its name in a run's folder."""
TREE = "case"
KINDS = {
    kind.__name__: kind
    for kind in (
        types.EnergyCase, types.SiteCase, types.Timeline, types.Source, types.Store,
        types.Giving, types.Delay, types.Outage, types.Move,
    )
}  # fmt: skip


def write_case(case: EnergyCase, path: str | Path) -> Path:
    """Write a case as an .npz file. Raises OutputError."""
    arrays: dict[str, np.ndarray] = {}
    tree = json.dumps(_taken_apart(case, arrays))
    path = Path(path)
    try:
        with path.open("wb") as file:
            np.savez_compressed(file, **{TREE: np.array(tree)}, **arrays)  # type: ignore[arg-type]
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None
    return path


def read_case(path: str | Path) -> EnergyCase:
    """Read what `write_case` wrote. Raises UserError where the file is none of ours."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        found = _put_together(json.loads(str(arrays[TREE])), arrays)
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such case file") from None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is no case file of gigawright: {error}") from None
    if not isinstance(found, EnergyCase):
        raise UserError(f"{path} is no case file of gigawright: it holds no case")
    return found


def _taken_apart(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Dataclasses as {kind: fields}, arrays as {"@": name}, equal arrays only once."""
    if is_dataclass(value) and not isinstance(value, type):
        inside = {field.name: _taken_apart(getattr(value, field.name), arrays) for field in fields(value)}
        return {"kind": type(value).__name__, "fields": inside}
    if isinstance(value, np.ndarray):
        name = next((name for name, known in arrays.items() if known is value), f"a{len(arrays)}")
        arrays[name] = value
        return {"@": name}
    if isinstance(value, tuple | list):
        return [_taken_apart(one, arrays) for one in value]
    return value.item() if isinstance(value, np.generic) else value


def _put_together(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return tuple(_put_together(one, arrays) for one in value)
    if not isinstance(value, dict):
        return value
    if "@" in value:
        return arrays[value["@"]]
    inside = {name: _put_together(one, arrays) for name, one in value["fields"].items()}
    return KINDS[value["kind"]](**inside)
