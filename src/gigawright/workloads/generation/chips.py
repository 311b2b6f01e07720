"""Accelerators as arrays for generation: rates that products reach, memory, links, cores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.catalogue.types import Accelerator
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.training.constants import PRIORS as TRAINING
from gigawright.workloads.training.machine import machine_row, sustained, used_precision

POWER = TRAINING["power"].value
"""Exponent of rate against watts per flop/s: dynamic power grows with the cube of frequency."""

MEASURED = sustained("H100 SXM5 80GB")
"""Where chips that nobody has measured take their share from: the H100's, at their own power."""

MOST = 0.97
"""Largest share of its peak that a chip with power to spare reaches: what Gaudi 2 does."""

CLOCK_GHZ = 1.8
"""Clock of a chip whose 32-bit vector rate is unknown [GHz]; assumption: between an A100's 1.4 and an RTX
4090's 2.5."""

LEAST_GHZ, MOST_GHZ = 1.0, 3.0
"""Clocks outside are of chips whose cores are counted or built in another way."""

LANES = {"Ampere": 64.0}
"""32-bit lanes of a core by generation; 128 in all others (data sheets of A100, H100, RTX 4090, MI300X)."""

LEGACY = {"Hopper": 0.62, "Blackwell": 0.31}
"""Share of the matrix rate that instructions of the generation before reach: 62% on Hopper (Luo et al.,
arXiv:2402.13499: mma against wgmma on an H800); half of that on Blackwell, whose peak is twice as high
(assumption). Elsewhere kernels use the chip's own."""


@dataclass(frozen=True)
class Chips:
    """Accelerators, one element a row: flop/s that large products reach, at the precision asked and at 16
    bits; bytes/s of memory, of the link in a domain of `domain` and of PCIe; bytes of a product's value; the
    clock [1/s], and the share of `sixteen` that kernels written for the generation before reach.
    """

    low: Floats
    sixteen: Floats
    bandwidth: Floats
    memory: Floats
    link: Floats
    domain: Floats
    pcie: Floats
    cores: Floats
    bytes: Floats
    clock: Floats
    legacy: Floats

    def take(self, rows: Ints) -> Chips:
        """These rows alone."""
        return Chips(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def chips(asked: Sequence[tuple[Accelerator, str]]) -> Chips:
    """Accelerators at precisions as arrays; Unpredictable where a data sheet lacks what is needed."""
    rows = [chip_row(chip, precision) for chip, precision in asked]
    return Chips(**{field.name: np.array([row[field.name] for row in rows]) for field in fields(Chips)})


def chip_row(chip: Accelerator, precision: str) -> dict[str, float]:
    """One accelerator at a precision, or the next best that it has; units as in `Chips`."""
    row = machine_row(chip, precision)
    share, share_8 = shares(chip, row["peak_16"])
    low = used_precision(chip, precision) != "bf16"
    return {
        "low": row["peak"] * (share_8 if low else share),
        "sixteen": row["peak_16"] * share,
        "bandwidth": row["bandwidth"],
        "memory": row["memory"],
        "link": row["scale_up"] if chip.scaleup_gbs else 0.0,
        "domain": row["domain"],
        "pcie": row["host"],
        "cores": row["cores"],
        "bytes": row["bytes"],
        "clock": clock_ghz(chip, row["cores"]) * 1e9,
        "legacy": LEGACY.get(chip.generation, 1.0),
    }


def clock_ghz(chip: Accelerator, cores: float) -> float:
    """Clock that the 32-bit vector rate means, 2 flops a lane and cycle.

    >>> from gigawright.catalogue.load import load_facts
    >>> from gigawright.catalogue.records import accelerator
    >>> from gigawright.facts import FactBook
    >>> a100 = accelerator(FactBook(load_facts()), "nv_a100_80")
    >>> round(clock_ghz(a100, 108), 2)
    1.41
    """
    vector = chip.peak_tflops.get("fp32")
    if not vector or chip.cores != cores:
        return CLOCK_GHZ
    found = vector * 1e3 / (2 * cores * LANES.get(chip.generation, 128.0))
    return found if LEAST_GHZ < found < MOST_GHZ else CLOCK_GHZ


def shares(chip: Accelerator, peak: float) -> tuple[float, float]:
    """Shares of the 16-bit and 8-bit peak that the best product reaches at the chip's power.

    As measured on the chip or its relatives (`training.machine.SUSTAINED`), or the H100's where nobody has,
    times (watts per flop/s over the measured part's) to the power `POWER`, at most `MOST` of the peak.
    """
    found = sustained(chip.name)
    best = found if found.watts_per_tflops else MEASURED
    ratio = (chip.tdp_w or 0.0) / (peak / 1e12) / best.watts_per_tflops
    factor = ratio**POWER if ratio else 1.0
    most = max(MOST, best.share) if found.watts_per_tflops else MOST
    return min(most, best.share * factor), min(most, best.share_8 * factor)


def check(chip: Accelerator) -> None:
    """Raises Unpredictable where a fact is missing, by name."""
    chip_row(chip, "bf16")
    if not chip.memory_gb:
        raise Unpredictable(f"not predictable: missing memory size of {chip.name}")
