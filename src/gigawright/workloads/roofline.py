"""What accelerators reach of their data sheets, and the machine a prediction works with.

The table `REACHED` is the only place where shares of peak live. Rows are matched by accelerator name,
then vendor, then for all; each has a source and a confidence. `machine` turns a system into rates.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from gigawright.catalogue.types import System
from gigawright.facts import Confidence
from gigawright.workloads.performance import Unpredictable

Operator = Literal["gemm", "gemm8", "attention", "stream", "elementwise", "gather", "scale_up", "nic"]

MAMF = "Stas Bekman, ml-engineering, compute/accelerator: Maximum Achievable Matmul FLOPS comparison table"
FLAGPERF = "FlagOpen/FlagPerf@1b5a030, base/benchmarks"
SIMUMAX = "MooreThreads/SimuMax@4dcaae5, measured operator tables of the B200 (medians over shapes)"
DEEPEP = "deepseek-ai/DeepEP README (H800, normal kernels)"

SHAPE_LOSS = 0.77
"""Share of the best product's rate that a model's own shapes reach.

Derived: the mean over H100 (0.73 of peak on Llama shapes, SemiAnalysis 2024-12-22 [cited, unverified], over
0.803 at best), MI300X (0.47 over 0.60, same) and B200 (0.48, SimuMax, over 0.776): 0.91, 0.78, 0.62.
"""

GROUPED_OVER_GEMM = 0.30 / 0.48
"""A grouped product's share of peak over a dense one's: B200 medians of SimuMax's measured tables."""


@dataclass(frozen=True)
class Reached:
    """The share of a data-sheet rate that an operator class reaches; `who` is a vendor or a name pattern."""

    who: str
    operator: Operator
    share: float
    source: str
    confidence: Confidence


OPERATORS: tuple[Operator, ...] = get_args(Operator)

REACHED: tuple[Reached, ...] = (
    Reached(
        r"\b(A100|A800)\b",
        "gemm",
        0.869 * SHAPE_LOSS,
        f"{MAMF} (A100 SXM 271.2 of 312) x SHAPE_LOSS",
        "derived",
    ),
    Reached(
        r"\b(H100|H800|H200)\b",
        "gemm",
        0.803 * SHAPE_LOSS,
        f"{MAMF} (H100 SXM 794.5 of 989) x SHAPE_LOSS",
        "derived",
    ),
    Reached(
        r"\b(H100|H800|H200)\b",
        "gemm8",
        0.709 * SHAPE_LOSS,
        f"{MAMF} (H100 SXM 1402.6 of 1979) x SHAPE_LOSS",
        "derived",
    ),
    Reached(
        r"\bGB[23]00\b",
        "gemm",
        0.729 * SHAPE_LOSS,
        f"{MAMF} (GB200 1822 of 2500) x SHAPE_LOSS",
        "derived",
    ),
    Reached(
        r"\bGB[23]00\b",
        "gemm8",
        0.723 * SHAPE_LOSS,
        f"{MAMF} (GB200 3615.6 of 5000) x SHAPE_LOSS",
        "derived",
    ),
    Reached(
        r"\b(B[23]00)\b",
        "gemm",
        0.776 * SHAPE_LOSS,
        f"{MAMF} (B200 SXM 1745 of 2250) x SHAPE_LOSS",
        "derived",
    ),
    Reached(
        r"\b(B[23]00)\b",
        "gemm8",
        0.763 * SHAPE_LOSS,
        f"{MAMF} (B200 SXM 3432.5 of 4500) x SHAPE_LOSS",
        "derived",
    ),
    Reached(
        r"\b(MI3[0-2]\dX?)\b",
        "gemm",
        0.604 * SHAPE_LOSS,
        f"{MAMF} (MI325X 784.9 of 1300) x SHAPE_LOSS",
        "derived",
    ),
    Reached(
        r"\b(MI35\dX?)\b", "gemm", 0.680 * SHAPE_LOSS, f"{MAMF} (MI355X 1565 of 2300) x SHAPE_LOSS", "derived"
    ),
    Reached(r"\bGaudi 2\b", "gemm", 0.969 * SHAPE_LOSS, f"{MAMF} (418.7 of 432) x SHAPE_LOSS", "derived"),
    Reached(r"\bGaudi 3\b", "gemm", 0.741 * SHAPE_LOSS, f"{MAMF} (1243 of 1677) x SHAPE_LOSS", "derived"),
    Reached(
        "MetaX",
        "gemm",
        0.828 * SHAPE_LOSS,
        f"{FLAGPERF}/computation-BF16/metax/C550 (82.8%) x SHAPE_LOSS",
        "derived",
    ),
    Reached(
        "Huawei",
        "gemm",
        304.3 / 376 * SHAPE_LOSS,
        f"{FLAGPERF} (Ascend 910B 304.3 of 376) x SHAPE_LOSS",
        "derived",
    ),
    Reached("NVIDIA", "gemm", 0.776 * SHAPE_LOSS, f"as the B200, {MAMF}, x SHAPE_LOSS", "assumption"),
    Reached(
        "",
        "gemm",
        0.604 * SHAPE_LOSS,
        "assumption: as the least mature part measured, the MI325X",
        "assumption",
    ),
    Reached(
        "NVIDIA",
        "attention",
        0.60,
        "FlashAttention-3 (arXiv:2407.08608): up to 0.75 forward; SimuMax 0.71/0.69",
        "assumption",
    ),
    Reached("", "attention", 0.40, "assumption: two thirds of NVIDIA's kernels", "assumption"),
    Reached("MetaX", "stream", 0.754, f"{FLAGPERF}/main_memory-bandwidth/metax/C550 (75.4%)", "C"),
    Reached(
        "NVIDIA",
        "stream",
        0.85,
        "FlashMLA README: up to 3,000 GB/s of an H800's 3,350 memory-bound (0.90); less 5%",
        "derived",
    ),
    Reached("", "stream", 0.754, "assumption: as the MetaX C550, FlagPerf", "assumption"),
    Reached("", "elementwise", 0.67, SIMUMAX, "B"),
    Reached("", "gather", 0.50, f"MoE permute, {SIMUMAX}; random rows of an embedding move alike", "B"),
    Reached("", "scale_up", 0.78, f"{DEEPEP}: 153-158 GB/s of 200 one way", "A"),
    Reached(
        "", "nic", 0.88, f"{DEEPEP}: 43-51 GB/s of 50, 16 to 64 accelerators; NCCL all-reduce 0.92-0.96", "A"
    ),
)
"""Shares of peak by operator class; the first row that matches holds."""

MEMORY_USED = 0.90
"""Share of device memory an engine may fill (`gpu_memory_utilization` of vLLM, default 0.9)."""

HOP_S = 10e-6
"""Latency of a collective inside the scale-up domain [s]; assumption: a small NCCL all-reduce over 8 GPUs."""

NODE_HOP_S = 46e-6
"""Latency of a collective over nodes [s]: measured floor over two nodes of H100s (published NCCL runs)."""

FALLBACK: Mapping[str, tuple[str, ...]] = {
    "fp4": ("fp4", "fp8", "int8", "bf16", "fp16"),
    "fp8": ("fp8", "int8", "bf16", "fp16"),
    "int8": ("int8", "fp8", "bf16", "fp16"),
    "bf16": ("bf16", "fp16"),
    "fp16": ("fp16", "bf16"),
}
"""What stands in for a precision that an accelerator lacks, best first."""

BYTES: Mapping[str, float] = {"fp4": 0.5625, "fp8": 1.0, "int8": 1.0, "bf16": 2.0, "fp16": 2.0}
"""Bytes of a weight; fp4 carries an 8-bit scale for each 16 values (NVFP4)."""


@dataclass(frozen=True)
class Machine:
    """Rates one accelerator reaches [flop/s, bytes/s] and what it holds [bytes]; links are one way."""

    gemm: float
    grouped: float
    attention: float
    stream: float
    elementwise: float
    gather: float
    memory: float
    scale_up: float
    nic: float
    domain: int
    peak_16: float
    precision: str
    weight_bytes: float
    note: str

    def link(self, group: int) -> float:
        """Bytes a second an accelerator moves in a group of this size: the slower network it has to cross."""
        return self.scale_up if group <= self.domain else min(self.scale_up or self.nic, self.nic)

    def hop(self, group: int) -> float:
        """Latency of one collective in a group of this size [s]."""
        if group <= 1:
            return 0.0
        return HOP_S if group <= self.domain else NODE_HOP_S


@lru_cache(maxsize=4096)
def reached(name: str, vendor: str, operator: Operator) -> Reached:
    """The row of `REACHED` that holds for an accelerator: by its name, its vendor, or for all.

    Eight-bit products without a row of their own reach the share of 16-bit ones.

    >>> round(reached("H100 SXM5 80GB", "NVIDIA", "gemm").share, 2)
    0.62
    """
    for row in REACHED:
        if row.operator == operator and (row.who in ("", vendor) or _named(row.who, name)):
            return row
    return reached(name, vendor, "gemm")


def _named(pattern: str, name: str) -> bool:
    return bool(pattern) and re.search(pattern, name) is not None


def machine(system: System, precision: str) -> Machine:
    """What an accelerator of a system reaches at a precision, or at what stands in for it.

    Raises Unpredictable ("not predictable: missing X") where the data sheet lacks a rate that is needed.
    Absent links are 0: the accelerator then works alone, or within its domain.
    """
    chip = system.accelerator
    used = _precision(system, precision)
    sixteen = _known(chip.peak_tflops.get("bf16")) or _known(chip.peak_tflops.get("fp16"))
    sixteen = sixteen or chip.peak_tflops[used] * BYTES[used] / 2
    share = {operator: reached(chip.name, chip.vendor, operator).share for operator in OPERATORS}
    dense = share["gemm8" if BYTES[used] < 2 else "gemm"]
    bandwidth = _needed(chip.memory_gbs, "memory bandwidth") * 1e9
    note = "" if used == precision else f"{precision} is not in the data sheet of {chip.name}: {used} instead"
    if used in chip.derived:
        note = "; ".join(part for part in (note, f"the {used} rate is derived, not published") if part)
    peak = chip.peak_tflops[used] * 1e12
    domain = max(1, int(chip.scaleup_domain or 1)) if _known(chip.scaleup_gbs) else 1
    return Machine(
        gemm=peak * dense,
        grouped=peak * dense * GROUPED_OVER_GEMM,
        attention=sixteen * 1e12 * share["attention"],
        stream=bandwidth * share["stream"],
        elementwise=bandwidth * share["elementwise"],
        gather=bandwidth * share["gather"],
        memory=_needed(chip.memory_gb, "memory size") * 1e9 * MEMORY_USED,
        scale_up=_known(chip.scaleup_gbs) * 1e9 * share["scale_up"],
        nic=_known(chip.nic_gbps) / 8 * 1e9 * share["nic"],
        domain=domain,
        peak_16=sixteen * 1e12,
        precision=used,
        weight_bytes=BYTES[used],
        note=note,
    )


def _precision(system: System, precision: str) -> str:
    if precision not in FALLBACK:
        raise Unpredictable(f"not predictable: precision {precision!r} is none of {', '.join(FALLBACK)}")
    for name in FALLBACK[precision]:
        if _known(system.accelerator.peak_tflops.get(name)):
            return name
    others = "".join(f", nor {name}" for name in FALLBACK[precision] if name != precision)
    raise Unpredictable(f"not predictable: missing {precision} rate{others}")


def _known(value: float | None) -> float:
    """The value, or 0 where it is missing, not a number or not positive."""
    return value if value is not None and math.isfinite(value) and value > 0 else 0.0


def _needed(value: float | None, what: str) -> float:
    if not _known(value):
        raise Unpredictable(f"not predictable: missing {what}")
    return _known(value)
