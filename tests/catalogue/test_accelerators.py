"""What a training predictor needs of every accelerator: names of one chip each, generation, cores, links."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pytest

from gigawright.catalogue import records
from gigawright.catalogue.load import load_facts
from gigawright.catalogue.types import Accelerator
from gigawright.facts import FactBook

SOLVED = (dt.date(2025, 12, 23), dt.date(2026, 10, 10))
UNNAMED = "reference GPU (unnamed, A100/A800-class)"
"""The one accelerator of the training table that names no part."""

PEAK_TOLERANCE = 0.0205
"""The table counts a GB200 or GB300 with 2,450 TFLOP/s, NVIDIA's data sheet with 2,500: 2.04%."""


def chips(as_of: dt.date | None = None) -> list[Accelerator]:
    book = FactBook(load_facts(), as_of)
    return [records.accelerator(book, item) for item in book.items("accelerator")]


def chip(item: str) -> Accelerator:
    return records.accelerator(FactBook(load_facts()), item)


def by_name() -> dict[str, str]:
    """Every spelling in small letters, to the id of its accelerator."""
    return {name.lower(): c.id for c in chips() for name in (c.id, c.name, *c.aliases)}


def test_no_spelling_names_two_accelerators() -> None:
    owners: dict[str, set[str]] = {}
    for c in chips():
        for name in (c.id, c.name, *c.aliases):
            owners.setdefault(name.lower(), set()).add(c.id)
    assert {name: ids for name, ids in owners.items() if len(ids) > 1} == {}


def test_no_accelerator_repeats_a_spelling() -> None:
    assert [c.id for c in chips() if len({a.lower() for a in c.aliases}) != len(c.aliases)] == []


@pytest.mark.parametrize(
    ("spelling", "item"),
    [
        ("GB200", "nv_gb200_nvl72"),
        ("GB300 NVL72", "nv_gb300_nvl72"),
        ("H100-SXM", "nv_h100_sxm"),
        ("H100 80GB", "nv_h100_sxm"),
        ("H100-500W-HBM2e(GrandTeton)", "nv_h100_500w"),
        ("NVIDIA H200-SXM-141GB", "nv_h200_sxm"),
        ("b300_sxm", "nv_b300_sxm"),
        ("A100", "nv_a100_80"),
        ("A100-40GB", "nv_a100_40"),
        ("AMD Instinct MI325X 256GB HBM3e", "amd_mi325x"),
        ("Trillium", "g_v6e"),
        ("TPU v5p", "g_v5p"),
        ("Huawei Ascend 910B", "hw_910b2"),
        ("Ascend 910B (Atlas 900 A2)", "hw_910b3"),
        ("Gaudi2", "in_gaudi2"),
    ],
)
def test_a_usual_spelling_names_its_accelerator(spelling: str, item: str) -> None:
    assert by_name()[spelling.lower()] == item


@pytest.mark.parametrize("day", SOLVED)
def test_every_accelerator_known_has_a_generation_and_spellings(day: dt.date) -> None:
    assert [c.id for c in chips(day) if not c.generation or not c.aliases] == []


def test_a_generation_is_one_vendors() -> None:
    vendors: dict[str, set[str]] = {}
    for c in chips():
        vendors.setdefault(c.generation, set()).add(c.vendor)
    assert {name: found for name, found in vendors.items() if len(found) > 1} == {}


def test_the_h100_at_500_watts_is_an_h100_with_other_memory_and_power() -> None:
    capped, full = chip("nv_h100_500w"), chip("nv_h100_sxm")
    assert (capped.memory_gb, capped.memory_gbs, capped.tdp_w) == (96.0, 2400.0, 500.0)
    assert capped.peak_tflops == full.peak_tflops
    assert (capped.cores, capped.generation) == (full.cores, full.generation)


def test_cores_and_clock_give_the_published_rate() -> None:
    """Dense BF16 flops a cycle and SM: Hopper 4,096 at 1.83 GHz, Ampere 2,048 at 1.41 GHz (white papers).

    Huawei's rate adds the vector cores, two a cube core: 16 x 16 x 16 and 128 multiply-adds at 1.8 GHz.
    """
    for item, flops, ghz in (("nv_h100_sxm", 4096, 1.83), ("nv_a100_80", 2048, 1.41)):
        c = chip(item)
        assert c.cores is not None
        assert c.cores * flops * ghz / 1e3 == pytest.approx(c.peak_tflops["bf16"], rel=0.01)
    ascend = chip("hw_910b2")
    assert ascend.cores is not None
    cube, vector = ascend.cores * 16**3 * 2 * 1.8 / 1e3, 2 * ascend.cores * 128 * 2 * 1.8 / 1e3
    assert cube + vector == pytest.approx(ascend.peak_tflops["fp16"], rel=0.01)


def test_the_link_to_the_host_is_slower_than_memory() -> None:
    linked = [c for c in chips() if c.host_gbs is not None]
    assert len(linked) > 20
    assert [c.id for c in linked if c.host_gbs and c.memory_gbs and c.host_gbs > c.memory_gbs / 4] == []


def test_a_tpus_links_are_counted_one_way() -> None:
    """Google gives both directions: 1,200 GB/s for v5p and v7, 800 for v6e, 400 for v5e."""
    assert [chip(item).scaleup_gbs for item in ("g_v5p", "g_v7", "g_v6e", "g_v5e")] == [600, 600, 400, 200]


def test_every_accelerator_of_the_training_table_is_known_with_its_peak(shared_folder: Path) -> None:
    names = by_name()
    with (shared_folder / "truth" / "training_runs.csv").open(encoding="utf-8") as stream:
        peaks = {
            (row["accelerator"], float(row["peak_bf16_tflops"]))
            for row in csv.DictReader(stream)
            if row["accelerator"] != UNNAMED
        }
    assert {name for name, _ in peaks if name.lower() not in names} == set()
    off = {
        name: (chip(names[name.lower()]).peak_tflops["bf16"], peak)
        for name, peak in peaks
        if chip(names[name.lower()]).peak_tflops["bf16"] != pytest.approx(peak, rel=PEAK_TOLERANCE)
    }
    assert off == {}
