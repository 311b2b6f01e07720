"""Tasks by hand on a chip whose data sheet is written down here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gigawright.catalogue.types import Accelerator
from gigawright.workloads.architecture import load_models
from gigawright.workloads.generation.model import GenerationModel
from gigawright.workloads.generation.task import Task

H100 = Accelerator(
    id="nv_h100_sxm",
    name="H100 SXM5 80GB",
    vendor="NVIDIA",
    made_for="abroad",
    peak_tflops={"bf16": 989.0, "fp16": 989.0, "fp8": 1979.0, "int8": 1979.0},
    memory_gb=80.0,
    memory_gbs=3350.0,
    scaleup_gbs=450.0,
    scaleup_domain=8,
    nic_gbps=400.0,
    tdp_w=700.0,
    die_mm2=814.0,
    tpp=15832.0,
    cores=132.0,
    host_gbs=63.0,
    generation="Hopper",
)

CARD = replace(
    H100,
    id="card",
    name="Card 24GB",
    peak_tflops={"bf16": 165.0},
    memory_gb=24.0,
    memory_gbs=1008.0,
    scaleup_gbs=None,
    scaleup_domain=1,
    tdp_w=450.0,
    cores=128.0,
    host_gbs=31.5,
    generation="Ada Lovelace",
)
"""A card without a link of its own."""


def named(model: str) -> GenerationModel:
    found = load_models()[model]
    assert isinstance(found, GenerationModel)
    return found


@pytest.fixture(scope="session")
def task() -> Callable[..., Task]:
    """A task by the model's id, with fields replaced."""
    return lambda model, **changes: replace(Task(named(model), H100), **changes)


HEADER = (
    "row,family,model,precision,accelerator,n_accel,scenario_or_setting,value,unit,software,submitter,date"
)


@pytest.fixture
def rows(tmp_path: Path) -> Callable[..., Path]:
    """A file of rows; each is a mapping of columns to cells that differ from a sound row's."""

    def write(*lines: dict[str, Any], header: str = HEADER) -> Path:
        sound = {
            "family": "diffusion-image",
            "model": "FLUX.1-dev 12B",
            "precision": "bf16",
            "accelerator": "NVIDIA H100",
            "n_accel": "1",
            "scenario_or_setting": "1024px 28 steps 1 GPU eager",
            "value": "",
            "unit": "s/image",
            "software": "xDiT",
            "submitter": "xDiT",
            "date": "2024",
        }
        names = header.split(",")
        text = [header]
        for number, line in enumerate(lines, 1):
            cells = {"row": str(number), **sound, **line}
            text.append(",".join('"' + str(cells.get(name, "")) + '"' for name in names))
        path = tmp_path / "rows.csv"
        path.write_text("\n".join(text) + "\n", encoding="utf-8")
        return path

    return write
