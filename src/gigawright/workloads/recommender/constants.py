"""Constants of the recommender model with their priors, and what chips and hosts are taken to have.

Fitted values live in `workloads/data/recommender_constants.csv`. What products reach by shape, how far
software has matured, and links are those of training (`training_constants.csv`), fitted there to other
measurements.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gigawright.workloads.priors import Prior

PRIORS: dict[str, Prior] = {
    "dense": Prior(
        "rate",
        1.0,
        0.10,
        "1",
        "rate of inference products over that of training products of the same shape",
        "the same libraries; compiled graphs fuse what follows a product, and their shapes are not tuned for",
    ),
    "integer": Prior(
        "rate",
        1.10,
        0.10,
        "1",
        "sustained share of the peak of 8-bit integer products over that of 8-bit floating ones",
        "chips hold their power, and an integer multiplication takes less (Horowitz 2014, ISSCC: 0.2 pJ for "
        "8 bits against 1.1 for 16-bit floats)",
    ),
    "gather": Prior(
        "share",
        0.70,
        0.5,
        "1",
        "share of memory bandwidth that long random rows reach",
        "between streams (0.85-0.9) and MoE permutation on a B200 (0.50, SimuMax); logit-normal",
    ),
    "element": Prior(
        "rate",
        0.74,
        0.25,
        "1",
        "share of memory bandwidth that combining vectors reaches",
        "element-wise operators of training, fitted there",
    ),
    "launch_s": Prior(
        "rate",
        5e-6,
        0.4,
        "s",
        "host or launch time of an operator that is no product",
        "kernel launches of CUDA take 3-10 us; replayed graphs less",
    ),
    "query_s": Prior(
        "rate",
        0.8e-6,
        0.6,
        "s",
        "accelerator time that a query costs where queries arrive one by one, beside its share of a batch",
        "assumption: a small copy or two; asynchronous copies are issued at about a million a second",
    ),
}
"""Constants of the fit, in order."""

HALF_ROW = 64.0
"""Bytes at which a random row reaches half of what long ones do: one burst of HBM (64 B: JESD235); longer
rows share the opening of a DRAM page."""

SECTOR = 32.0
"""Bytes that a memory moves at least for a row: a sector of NVIDIA's caches (CUDA C++ best practices guide,
section 9.2.1); taken for other makers too."""

CACHE_SPEED = 2.5
"""Rows answered by the last-level cache over those by memory, in speed; assumption: measured read bandwidths
of H100's L2 are 5.5-7 TB/s against 2-3.35 of its HBM (Chips and Cheese, 2023)."""

CACHE_SHARE = 0.5
"""Share of the last-level cache that keeps rows while others pass through; assumption."""

LINK_HALF_BYTES = 4e6
"""Message at which an all-to-all reaches half of the scale-up link: NCCL curves, as the prior of training."""

HOST_ROWS = 0.5
"""Share of the link to host memory that random rows reach; assumption: rows of 64-512 B are one or two
packets of PCIe each, whose headers and waits take the rest."""

HOST_STREAM = 0.85
"""Share of that link that long copies reach: 53-55 of 63 GB/s measured by bandwidthTest on PCIe 5.0 x16."""

HOST_MEMORY = 256e9
"""Host memory an accelerator may fill [bytes]; assumption: 2 TB in a server of eight."""

SSD_BYTES = 7.68e12
"""Flash an accelerator may fill [bytes]; assumption: one data-centre drive each."""

SSD_ROWS_PER_S = 1e6
"""Random reads a second of such a drive: 1.0-1.1 M at 4 KiB (data sheets of PCIe 4.0 drives)."""

MEMORY_USED = 0.90
"""Share of device memory for weights and rows; assumption: the rest is activations and the driver's."""

INDEX_BYTES = 4.0
"""Bytes of an index that is copied to the device for each look-up."""


@dataclass(frozen=True)
class Cache:
    """Last-level cache of accelerators whose name holds a pattern [MB]."""

    pattern: str
    megabytes: float
    source: str


CACHES = (
    Cache(r"\b(GB[23]00|B[23]00)\b", 126, "NVIDIA Blackwell tuning guide: 126 MB"),
    Cache(r"\bH20\b", 60, "NVIDIA H20 data sheet: 60 MB"),
    Cache(r"\b(GH200|H100|H200|H800)\b", 50, "NVIDIA Hopper tuning guide: 50 MB"),
    Cache(r"\b(A100|A800)\b", 40, "NVIDIA Ampere tuning guide: 40 MB"),
    Cache(r"\bL40S?\b", 96, "NVIDIA L40S data sheet: 96 MB"),
    Cache(r"\bL4\b", 48, "NVIDIA L4 data sheet: 48 MB"),
    Cache(r"\bMI3\d\d", 256, "AMD CDNA 3 white paper: Infinity Cache of 256 MB"),
    Cache(r"\bGaudi 3\b", 96, "Intel Gaudi 3 white paper: 96 MB SRAM"),
    Cache(r"\bGaudi 2\b", 48, "Intel Gaudi 2 white paper: 48 MB SRAM"),
    Cache(r"\b910[BC]", 192, "Ascend 910B: 192 MB L2 (arXiv:2505.15112)"),
    Cache("", 32, "assumption: smaller than the parts above"),
)
"""Caches by name of the accelerator; the first pattern that occurs holds."""


def cache_bytes(name: str) -> float:
    """Bytes of the last-level cache that rows can stay in.

    >>> cache_bytes("H200 SXM 141GB") / 1e6
    25.0
    """
    return CACHE_SHARE * 1e6 * next(cache.megabytes for cache in CACHES if re.search(cache.pattern, name))


def priors() -> dict[str, float]:
    """The constants before any fit."""
    return {name: prior.value for name, prior in PRIORS.items()}


Constants = Mapping[str, float]
