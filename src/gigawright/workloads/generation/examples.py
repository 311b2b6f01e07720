"""Tasks for examples in docstrings."""

from __future__ import annotations

from gigawright.catalogue.load import load_facts
from gigawright.catalogue.records import accelerator
from gigawright.facts import FactBook
from gigawright.workloads.architecture import generation_model
from gigawright.workloads.generation.task import Split, Task

ALONE = Split()
"""One accelerator an item."""


def flux(split: Split = ALONE, mode: str = "eager") -> Task:
    """FLUX.1-dev at 1024 px on H100s.

    >>> flux().model.tokens
    4096
    """
    chip = accelerator(FactBook(load_facts()), "nv_h100_sxm")
    return Task(generation_model("flux.1-dev@1024"), chip, split, split.ranks, mode=mode)
