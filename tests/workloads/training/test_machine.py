"""Accelerators as arrays: what is taken where a data sheet is silent, and rates against data sheets."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from gigawright.catalogue.records import accelerator
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.training.examples import llama_run
from gigawright.workloads.training.machine import (
    DEFAULT_CORES,
    DEFAULT_HOST_GBS,
    DEFAULT_NIC_GBPS,
    GIBIBYTE,
    SUSTAINED,
    machine_row,
    machines,
    sustained,
    used_precision,
)
from gigawright.workloads.training.run import PRECISIONS

from .drawing import CHIPS, book, chip


def test_an_h100_by_its_data_sheet() -> None:
    found = machine_row(chip("nv_h100_sxm"), "fp8")
    assert found["peak"] == 1979e12
    assert found["peak_16"] == 989e12
    assert found["bandwidth"] == 3.35e12
    assert found["memory"] == 80 * GIBIBYTE
    assert found["scale_up"] == 450e9
    assert found["nic"] == 50e9
    assert found["domain"] == 8
    assert found["cores"] == 132
    assert (found["quantised"], found["four"], found["blocked"], found["bytes"]) == (1, 0, 0, 1)


def test_a_rack_is_one_domain() -> None:
    assert machine_row(chip("nv_gb200_nvl72"), "bf16")["domain"] == 72


@pytest.mark.parametrize(
    ("name", "asked", "used"),
    [
        ("nv_gb200_nvl72", "fp4", "fp4"),
        ("nv_h100_sxm", "fp4", "fp8"),
        ("nv_a100_80", "fp4", "bf16"),
        ("nv_a100_80", "fp8", "bf16"),
        ("nv_a100_80", "int8", "int8"),
        ("nv_h100_sxm", "bf16", "bf16"),
    ],
)
def test_the_next_best_precision(name: str, asked: str, used: str) -> None:
    assert used_precision(chip(name), asked) == used


def test_either_16_bit_format_will_do() -> None:
    only = replace(chip("nv_a100_80"), peak_tflops={"fp16": 312.0})
    assert used_precision(only, "bf16") == "bf16"
    assert machine_row(only, "bf16")["peak"] == 312e12


def test_no_rate_is_told() -> None:
    none = replace(chip("nv_h100_sxm"), peak_tflops={"fp32": 67.0})
    with pytest.raises(Unpredictable, match="missing bf16 rate of H100"):
        machine_row(none, "bf16")
    with pytest.raises(Unpredictable, match="missing memory size or bandwidth of H100"):
        machine_row(replace(chip("nv_h100_sxm"), memory_gbs=0.0), "bf16")


def test_only_eight_bits_are_half_as_fast_at_sixteen() -> None:
    only = replace(chip("nv_h100_sxm"), peak_tflops={"fp8": 1979.0})
    assert machine_row(only, "fp8")["peak_16"] == pytest.approx(1979e12 / 2)


def test_defaults_where_a_data_sheet_is_silent() -> None:
    bare = replace(
        chip("nv_h100_sxm"), scaleup_gbs=None, nic_gbps=None, cores=None, host_gbs=None, tdp_w=None
    )
    found = machine_row(bare, "bf16")
    assert found["nic"] == found["scale_up"] == DEFAULT_NIC_GBPS / 8 * 1e9
    assert found["domain"] == 1
    assert found["cores"] == DEFAULT_CORES
    assert found["host"] == DEFAULT_HOST_GBS * 1e9
    assert found["power"] == 1


def test_few_large_cores_count_as_many_small_ones() -> None:
    assert machine_row(replace(chip("nv_h100_sxm"), cores=4.0), "bf16")["cores"] == DEFAULT_CORES


def test_blocks_are_scaled_where_told_or_usual() -> None:
    gb200 = chip("nv_gb200_nvl72")
    assert machine_row(gb200, "fp4")["blocked"] == 1
    assert machine_row(gb200, "fp8")["blocked"] == 0
    assert machine_row(gb200, "fp8", "block")["blocked"] == 1
    assert machine_row(gb200, "bf16", "block")["blocked"] == 0


def test_a_part_of_less_power_is_told() -> None:
    """The 500 W H100 of torchtitan's measurements, against the 700 W one that products were measured on."""
    assert machine_row(chip("nv_h100_sxm"), "bf16")["power"] == pytest.approx(1)
    assert machine_row(chip("nv_h100_500w"), "bf16")["power"] == pytest.approx(5 / 7, rel=0.01)


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("A100 SXM4 80GB", 0.869),
        ("A800 SXM 80GB", 0.869),
        ("H800 SXM5", 0.803),
        ("GB300 NVL72 (per GPU)", 0.729),
        ("B200 SXM", 0.776),
        ("Instinct MI300X", 784.9 / 1307),
        ("Instinct MI355X", 1565 / 2516),
        ("Ascend 910B2", 0.809),
        ("Cambricon MLU590", 0.77),
        ("H20 96GB", 0.77),
    ],
)
def test_best_measured_products(name: str, share: float) -> None:
    assert sustained(name).share == share


def test_shares_are_what_their_sources_say() -> None:
    """Each source names both numbers, or the share itself."""
    for row in SUSTAINED:
        assert 0.5 < row.share <= 1
        assert 0.5 < row.share_8 <= 1
        for measured, peak in re.findall(r"([\d.]+) of (\d+)", row.source)[:1]:
            assert row.share == pytest.approx(float(measured) / float(peak), abs=0.001), row.source


def test_runs_side_by_side() -> None:
    runs = [replace(llama_run(), chip=chip(name), precision=p) for name in CHIPS for p in PRECISIONS]
    together = machines(runs)
    for place, run in enumerate(runs):
        for name, value in machine_row(run.chip, run.precision).items():
            assert getattr(together, name)[place] == value
    np.testing.assert_array_equal(together.take([5, 2]).peak, together.peak[[5, 2]])


def test_every_chip_of_the_catalogue_is_a_machine_or_says_why() -> None:
    found, silent = 0, []
    for item in book().items("accelerator"):
        for precision in PRECISIONS:
            try:
                row = machine_row(accelerator(book(), item), precision)
            except Unpredictable as reason:
                assert "missing" in str(reason)
                silent.append(item)
                continue
            found += 1
            for name, value in row.items():
                assert np.isfinite(value), (item, name)
                zero_is_fine = name in ("quantised", "four", "blocked", "age")
                assert value > 0 or zero_is_fine, (item, name)
            assert row["peak"] >= row["peak_16"] * 0.99 or precision == "int8", item
    assert found > 3 * len(silent)
