"""Accelerators as arrays: peak rates at the run's precision, memory, links, one element a run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from gigawright.arrays import Floats
from gigawright.catalogue.types import Accelerator
from gigawright.errors import UserError
from gigawright.units import GIBIBYTE
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.training.run import MATURE_YEARS, Precision, Run

if TYPE_CHECKING:
    from gigawright.workloads.training.gemm_table import GemmTable

BLOCK_SCALED = {"fp4"}
"""Precisions whose usual recipe scales by block of values (NVFP4, MXFP4)."""

BYTES = {"fp4": 0.5625, "fp8": 1.0, "int8": 1.0, "bf16": 2.0}
"""Bytes of a value in a product; fp4 carries an 8-bit scale for each 16 values."""

FALLBACK: dict[str, tuple[Precision, ...]] = {
    "fp4": ("fp4", "fp8", "bf16"),
    "fp8": ("fp8", "bf16"),
    "int8": ("int8", "fp8", "bf16"),
}
"""What a product runs at where a chip lacks the precision, best first."""

DEFAULT_CORES = 128.0
"""Units that work on tiles of a product at once, where a chip's number is unknown; assumption."""

SMALL_CORES = 16.0
"""Chips with fewer units (matrix engines of TPUs, Gaudi, Trainium) work on larger tiles; these count as
`DEFAULT_CORES`."""

DEFAULT_NIC_GBPS = 200.0
"""Network of an accelerator whose data sheet is silent [Gbit/s]; assumption: half of a 2023 server's."""

DEFAULT_HOST_GBS = 32.0
"""Link to host memory where it is unknown [GB/s one way]: PCIe 4.0 x16."""


@dataclass(frozen=True)
class Sustained:
    """Share of the data-sheet peak that the best measured product reaches, with the power it had."""

    pattern: str
    share: float
    share_8: float
    watts_per_tflops: float
    source: str


MAMF = "Stas Bekman, ml-engineering, compute/accelerator, table of maximum achievable matmul FLOPS"

SUSTAINED = (
    Sustained(r"\b(A100|A800)\b", 0.869, 0.869, 400 / 312, f"{MAMF}: A100 SXM 271.2 of 312"),
    Sustained(
        r"\b(H100|H800|H200)\b", 0.803, 0.709, 700 / 989, f"{MAMF}: H100 SXM 794.5 of 989, fp8 1402.6 of 1979"
    ),
    Sustained(r"\bGB[23]00\b", 0.729, 0.723, 1200 / 2500, f"{MAMF}: GB200 1822 of 2500, fp8 3615.6 of 5000"),
    Sustained(
        r"\bB[23]00\b", 0.776, 0.763, 1000 / 2250, f"{MAMF}: B200 SXM 1745 of 2250, fp8 3432.5 of 4500"
    ),
    Sustained(
        r"\bMI3[0-2]\d[XA]?\b", 784.9 / 1307, 784.9 / 1307, 1000 / 1307, f"{MAMF}: MI325X 784.9 TFLOP/s"
    ),
    Sustained(r"\bMI35\dX?\b", 1565 / 2516, 1565 / 2516, 1400 / 2516, f"{MAMF}: MI355X 1565 TFLOP/s"),
    Sustained(r"\bGaudi 2\b", 0.969, 0.969, 600 / 432, f"{MAMF}: Gaudi 2 418.7 of 432"),
    Sustained(r"\bGaudi 3\b", 0.741, 0.741, 900 / 1678, f"{MAMF}: Gaudi 3 1243 of 1677"),
    Sustained(r"\bC550\b", 0.828, 0.828, 450 / 280, "FlagOpen/FlagPerf@1b5a030: MetaX C550 82.8% of peak"),
    Sustained(r"\b910B", 0.809, 0.809, 400 / 376, "FlagOpen/FlagPerf@1b5a030: Ascend 910B 304.3 of 376"),
    Sustained("", 0.77, 0.75, 0.0, "assumption: the middle of the parts measured"),
)
"""Best measured products by name of the accelerator; the first row whose pattern occurs holds."""


def sustained(name: str) -> Sustained:
    """The row of `SUSTAINED` for an accelerator of this name.

    >>> sustained("H100 SXM5 80GB").share
    0.803
    """
    return next(row for row in SUSTAINED if re.search(row.pattern, name))


@dataclass(frozen=True)
class Machines:
    """Accelerators, one element a run: rates [flop/s, bytes/s], memory [bytes], links one way [bytes/s].

    `sustained` is the share of `peak` that the best product reaches, `power` the watts per flop/s over those
    of the part it was measured on. `quantised` tells whether products run below 16 bits, `four` at 4,
    `blocked` whether values are scaled by block.
    """

    peak: Floats
    peak_16: Floats
    sustained: Floats
    sustained_16: Floats
    power: Floats
    bandwidth: Floats
    memory: Floats
    scale_up: Floats
    domain: Floats
    nic: Floats
    host: Floats
    cores: Floats
    quantised: Floats
    four: Floats
    blocked: Floats
    bytes: Floats
    age: Floats
    covered: Floats
    measured: GemmTable | None = None

    def take(self, rows: slice | Sequence[int]) -> Machines:
        """These runs alone."""
        names = [field.name for field in fields(self) if field.name != "measured"]
        return replace(self, **{name: getattr(self, name)[rows] for name in names})


def machines(runs: Sequence[Run]) -> Machines:
    """The accelerators of the runs as arrays [runs].

    Raises Unpredictable where a data sheet lacks what is needed, by name.

    >>> from gigawright.workloads.training.examples import llama_run
    >>> machines([llama_run()]).peak / 1e12
    array([989.])
    """
    rows = [machine_row(run.chip, run.precision, run.recipe, run.age_years) for run in runs]
    arrays = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    covered = np.array([float(run.gemm is not None) for run in runs])
    return Machines(**arrays, covered=covered, measured=_measured(runs))


def _measured(runs: Sequence[Run]) -> GemmTable | None:
    """The table of measured products of the runs that have one; UserError where chips or tables differ."""
    tables = {id(run.gemm): run for run in runs if run.gemm is not None}
    if len(tables) > 1 or len({run.chip.id for run in runs if run.gemm is not None}) > 1:
        raise UserError("a table of measured products is of one accelerator; these runs name several")
    return next((run.gemm for run in tables.values()), None)


def machine_row(
    chip: Accelerator, precision: str, recipe: str = "", age: float = MATURE_YEARS
) -> dict[str, float]:
    """One accelerator at a precision, or the next best that it has; units as in `Machines`."""
    used = used_precision(chip, precision)
    peak = chip.peak_tflops[used] if used in chip.peak_tflops else chip.peak_tflops["fp16"]
    sixteen = chip.peak_tflops.get("bf16") or chip.peak_tflops.get("fp16") or peak * BYTES[used] / 2
    if not chip.memory_gbs or not chip.memory_gb:
        raise Unpredictable(f"not predictable: missing memory size or bandwidth of {chip.name}")
    best = sustained(chip.name)
    low = used != "bf16"
    return {
        "peak": peak * 1e12,
        "peak_16": sixteen * 1e12,
        "sustained": best.share_8 if low else best.share,
        "sustained_16": best.share,
        "power": _power(chip, sixteen, best),
        "bandwidth": chip.memory_gbs * 1e9,
        # Drivers report 81,920 MiB for 80 GB (A100), 143,771 for 141 (H200), 196,592 for 192 (MI300X).
        "memory": chip.memory_gb * GIBIBYTE,
        "scale_up": (chip.scaleup_gbs or (chip.nic_gbps or DEFAULT_NIC_GBPS) / 8) * 1e9,
        "domain": float(max(1, chip.scaleup_domain)) if chip.scaleup_gbs else 1.0,
        "nic": (chip.nic_gbps or DEFAULT_NIC_GBPS) / 8 * 1e9,
        "host": (chip.host_gbs or DEFAULT_HOST_GBS) * 1e9,
        "cores": chip.cores if chip.cores and chip.cores >= SMALL_CORES else DEFAULT_CORES,
        "quantised": float(low),
        "four": float(used == "fp4"),
        "blocked": float(low and (recipe == "block" or used in BLOCK_SCALED)),
        "bytes": BYTES[used],
        "age": age,
    }


def used_precision(chip: Accelerator, precision: str) -> Precision:
    """The precision products run at: the one asked, or the next best; 16-bit formats count as one.

    Raises Unpredictable where the chip has no known rate.
    """
    for name in FALLBACK.get(precision, ("bf16",)):
        if chip.peak_tflops.get(name) or (name == "bf16" and chip.peak_tflops.get("fp16")):
            return name
    raise Unpredictable(f"not predictable: missing {precision} rate of {chip.name}")


def _power(chip: Accelerator, sixteen: float, best: Sustained) -> float:
    if not chip.tdp_w or not best.watts_per_tflops:
        return 1.0
    return chip.tdp_w / sixteen / best.watts_per_tflops
