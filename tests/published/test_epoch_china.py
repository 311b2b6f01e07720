"""Nvidia chips in China by the end of 2025, as Epoch AI counts them, through this catalogue's TPP.

Source: Epoch AI, AI chip counts (github.com/epoch-research/ai-chip-counts at d1b1bc31,
owners_csv_export/nvidia_owners_cumulative_by_chip.csv, 2026-04-15, CC-BY): 1,805,354 units and 401,698
H100 equivalents for owners in China. An H100 equivalent is a chip's TPP over the H100's 15,832.
Chips brought in by other ways than Nvidia's sales are not in the count.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from gigawright.catalogue import records
from gigawright.catalogue.load import load_facts
from gigawright.facts import FactBook

UNITS = Path(__file__).with_name("epoch_china_units.csv").read_text(encoding="utf-8")
ROWS = tuple(csv.DictReader(UNITS.splitlines()))
EPOCH_TOTAL_UNITS = 1_805_354
EPOCH_TOTAL_H100E = 401_698


@pytest.fixture(scope="module")
def book() -> FactBook:
    return FactBook(load_facts())


def h100_equivalents(book: FactBook, accelerator: str, units: float) -> float:
    tpp = records.accelerator(book, accelerator).tpp
    reference = records.accelerator(book, "nv_h100_sxm").tpp
    assert tpp is not None
    assert reference is not None
    return units * tpp / reference


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["chip"])
def test_equivalents_of_a_chip(book: FactBook, row: dict[str, str]) -> None:
    found = h100_equivalents(book, row["accelerator"], float(row["units_median"]))
    assert found == pytest.approx(float(row["h100e_median"]), rel=0.005)


def test_china_total(book: FactBook) -> None:
    units = sum(float(row["units_median"]) for row in ROWS)
    found = sum(h100_equivalents(book, row["accelerator"], float(row["units_median"])) for row in ROWS)
    assert units == pytest.approx(EPOCH_TOTAL_UNITS, rel=0.005)  # the rest are V100s and the like
    assert found == pytest.approx(EPOCH_TOTAL_H100E, rel=0.01)
