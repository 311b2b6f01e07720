"""Examples for documentation and tests."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from gigawright.catalogue.load import load_facts
from gigawright.catalogue.records import accelerator
from gigawright.catalogue.types import Accelerator
from gigawright.facts import FactBook
from gigawright.workloads.architecture import recommender_model
from gigawright.workloads.recommender.service import Ask
from gigawright.workloads.recommender.sizes import sizes


@lru_cache(maxsize=64)
def _chip(item: str) -> Accelerator:
    return accelerator(FactBook(load_facts()), item)


def dlrm(chip: str = "nv_h200_sxm", **changes: Any) -> Ask:
    """MLPerf's DLRM-DCNv2 offline on eight of a chip in int8, with some fields replaced.

    >>> dlrm().sizes.model.id
    'dlrm-dcnv2'
    """
    ask = Ask(
        sizes=sizes(recommender_model("dlrm-dcnv2")),
        chip=_chip(chip),
        accelerators=8,
        precision="int8",
        candidates=270.0,
        requests=600_000 / 270,
    )
    return replace(ask, **changes)
