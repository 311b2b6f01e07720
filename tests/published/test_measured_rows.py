"""Published measurements of training, serving and video, against what a plan takes, with wide tolerances.

Each row of measured_rows.csv has its source and tolerance. The calibrated models have seen most of these
measurements among thousands, and predict them here as a plan does: in a layout they choose, at no known site
and with no known engine. The tolerances guard against change, and prove little more.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from gigawright.catalogue.load import load_facts
from gigawright.catalogue.records import accelerator
from gigawright.catalogue.types import System
from gigawright.facts import FactBook
from gigawright.workloads.architecture import find_model
from gigawright.workloads.generation.planned import generate_video
from gigawright.workloads.performance import PhasePerformance
from gigawright.workloads.serving.planned import serve_decode, serve_prefill
from gigawright.workloads.training.planned import train

FUNCTIONS: dict[str, Callable[..., PhasePerformance]] = {
    "train": train,
    "serve_prefill": serve_prefill,
    "serve_decode": serve_decode,
    "generate_video": generate_video,
}

with Path(__file__).with_name("measured_rows.csv").open(encoding="utf-8", newline="") as stream:
    ROWS = list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def book() -> FactBook:
    return FactBook(load_facts())


def around(book: FactBook, chip: str) -> System:
    """A server around a chip of the catalogue; its power and prices do not matter here."""
    return System(chip, chip, accelerator(book, chip), 8, 1.3, "air", 1.0, 1.0, 1.0, 1.0, 1, 5.0, 0.0, None)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_published(row: dict[str, str], book: FactBook) -> None:
    pairs = (part.split("=") for part in row["arguments"].split())
    arguments = {name: int(value) for name, value in pairs}
    done = FUNCTIONS[row["function"]](
        find_model(row["model"]), around(book, row["accelerator"]), precision=row["precision"], **arguments
    )
    assert done.refused == ""
    values = {"work_per_s": done.work_per_s, **done.details}
    assert values[row["quantity"]] == pytest.approx(float(row["measured"]), rel=float(row["tolerance"]))
