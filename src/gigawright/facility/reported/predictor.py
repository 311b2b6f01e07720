"""What operators report as annual PUE and WUE, predicted from who, where and when.

The physics of a hall of the operator's kind in the climate of the place (`physics`), multiplied by
what its sector, the operator and the site have shown (`models`), and a heap at the operator's design
value (`heap`). What nobody has measured widens the interval.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from gigawright.arrays import Floats
from gigawright.errors import UserError
from gigawright.facility.reported.heap import GENERATIONS, Heap, Mixture, generation_of
from gigawright.facility.reported.models import (
    PUE,
    WUE,
    Formula,
    classes_of,
    inputs_of,
    levels,
    needs_of,
    parts_of,
    shipped,
)
from gigawright.facility.reported.physics import Needs
from gigawright.facility.reported.rows import Asked
from gigawright.workloads.calibrated import Calibrated, read
from gigawright.workloads.calibrating import STANDARD_80, scaled

HEAPS = "pue_heaps.csv"
"""File with the shares of places that state a design value."""


@dataclass(frozen=True)
class Known:
    """What was learnt of reported values: both formulas, and heaps by operator."""

    pue: Calibrated
    wue: Calibrated
    heaps: Mapping[str, Heap]


@dataclass(frozen=True)
class Predicted:
    """Annual PUE with its 10th and 90th percentile, and WUE [l/kWh of IT]."""

    pue: float
    pue_p10: float
    pue_p90: float
    wue_l_per_kwh: float


def predict(asked: Sequence[Asked], known: Known | None = None) -> list[Predicted]:
    """Reported values of these sites and years, in order.

    >>> from gigawright.facility.reported.operators import operator_named
    >>> belgium = Asked(operator_named("Google"), "europe-west1", 50.45, 3.82, 2024)
    >>> done = predict([belgium])[0]
    >>> 1.05 < done.pue_p10 <= done.pue <= done.pue_p90 < 1.15
    True
    """
    found = known or calibration()
    if not asked:
        return []
    needs = [needs_of(one) for one in asked]
    middle, spread = _logs(PUE, found.pue, asked, needs)
    water, _ = _logs(WUE, found.wue, asked, needs)
    mixed = [
        mixture(one, need, float(log), float(wide), found.heaps)
        for one, need, log, wide in zip(asked, needs, middle, spread, strict=True)
    ]
    return [
        Predicted(one.median, *one.interval, float(np.exp(log)))
        for one, log in zip(mixed, water, strict=True)
    ]


def mixture(
    asked: Asked, needs: Needs, log_overhead: float, deviation: float, heaps: Mapping[str, Heap]
) -> Mixture:
    """The distribution of a reported PUE: the operator's heap, and the formula's log-normal."""
    heap, design = heaps.get(asked.operator.name), asked.operator.design_pue
    if heap is None or design is None:
        return Mixture(log_overhead, deviation)
    weight = heap.weight(generation_of(asked), needs.humid_share)
    return Mixture(log_overhead, deviation, weight, design)


def _logs(
    formula: Formula, known: Calibrated, asked: Sequence[Asked], needs: Sequence[Needs]
) -> tuple[Floats, Floats]:
    """Logarithm of PUE - 1 or WUE, and its standard deviation, of rows."""
    names = [levels(formula, one) for one in asked]
    parts = parts_of(formula, inputs_of(asked, needs), known.constants)
    logs, shares = scaled(parts, known.hierarchy.multipliers(names))
    half = known.half_width(names, shares, classes_of(known.classes, asked))
    return logs, half / STANDARD_80


@lru_cache(maxsize=1)
def calibration() -> Known:
    """The calibration that ships with the package."""
    text = (files("gigawright.facility.reported") / "data" / HEAPS).read_text("utf-8")
    return Known(shipped("pue"), shipped("wue"), parse_heaps(text))


def read_known(folder: Path) -> Known:
    """A calibration from a folder that `gigawright calibrate pue` has written; UserError if it is unsound."""
    try:
        heaps = parse_heaps((folder / HEAPS).read_text("utf-8"))
    except OSError as error:
        raise UserError(f"{folder}: no calibration ({error.strerror}: {error.filename})") from error
    except (KeyError, ValueError, TypeError, csv.Error) as error:
        raise UserError(
            f"{folder / HEAPS}: no table of heaps ({error}); write it anew with `gigawright calibrate pue`"
        ) from error
    return Known(read(folder, "pue", PUE.priors), read(folder, "wue", WUE.priors), heaps)


def parse_heaps(text: str) -> dict[str, Heap]:
    """Heaps by operator from the text of their file."""
    shares: dict[str, dict[str, float]] = {}
    for row in csv.DictReader(text.splitlines()):
        shares.setdefault(row["operator"], {})[row["generation"]] = float(row["share"])
    found = {}
    for operator, by in shares.items():
        if set(by) != set(GENERATIONS) or not all(0.0 <= share <= 1.0 for share in by.values()):
            raise ValueError(f"shares of {operator} are not one from 0 to 1 for each of {GENERATIONS}")
        first, later, closed = (by[generation] for generation in GENERATIONS)
        found[operator] = Heap((first, later, closed))
    return found
