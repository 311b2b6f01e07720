"""What the words in rows of serving measurements mean: formats, caches, dates, limits and lengths."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gigawright.catalogue.types import Accelerator
from gigawright.facts import FactBook
from gigawright.workloads.language import LanguageModel
from gigawright.workloads.training.maturity import shipped_year
from gigawright.workloads.training.run import MATURE_YEARS

FORMATS: Mapping[str, str] = {
    "bf16": "bf16",
    "bfloat16": "bf16",
    "fp16": "bf16",
    "float16": "bf16",
    "half": "bf16",
    "fp8": "fp8",
    "fp8_block": "fp8",
    "fp8_static": "fp8",
    "fp8_dynamic": "fp8",
    "mxfp8": "fp8",
    "w8a8_fp8": "fp8",
    "fp4": "fp4",
    "nvfp4": "fp4",
    "mxfp4": "fp4",
    "int8": "int8",
    "w8a8": "int8",
    "w8a8_int8": "int8",
    "int4": "int4",
    "uint4": "int4",
    "int4_wo": "int4",
    "w4a16": "int4",
    "awq": "int4",
    "gptq": "int4",
}
"""Formats of weights as they are written, hyphens as underscores. fp16 runs at the rate of bf16."""

BYTES: Mapping[str, float] = {"bf16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5, "int4": 0.5}
"""Bytes of a value by format, without scales."""

CHECKPOINTS: tuple[tuple[str, str], ...] = (
    (r"nvfp4|mxfp4|fp4|gpt-?oss", "fp4"),
    (r"fp8|deepseek-?(ai/deepseek-?)?(v3|r1)", "fp8"),
    (r"int8|w8a8", "int8"),
    (r"int4|awq|gptq|w4a16", "int4"),
)
"""Formats that the name of a checkpoint tells, searched in this order; others are published in bf16.

DeepSeek-V3 and R1 are published in fp8 (arXiv:2412.19437, section 3.3), gpt-oss in MXFP4 (arXiv:2508.10925,
section 2.1).
"""

MODERN = frozenset({"Blackwell", "Rubin"})
"""Generations on which SGLang and vLLM are measured with an 8-bit cache (see `kv_bytes_of`)."""

KV_8BIT = frozenset({("vllm", "llama-3.1-70b")})
"""Engines and models that are measured with an 8-bit cache on others too (70b_fp8_h200_slurm.sh)."""

BLANKS = frozenset({"nan", "none", "null", "n/a", "na", "-", "?"})
"""Words that say nothing in any column."""


def format_of(text: str) -> str:
    """The format of weights that a cell names; ValueError, with what is allowed, for another.

    >>> format_of("FP8-block"), format_of("UINT4"), format_of("fp16")
    ('fp8', 'int4', 'bf16')
    """
    key = re.sub(r"[\s-]+", "_", text.strip().lower())
    if key not in FORMATS:
        raise ValueError(f"{text!r}, must be one of {', '.join(sorted(FORMATS))}")
    return FORMATS[key]


def checkpoint_format(name: str) -> str:
    """The format in which a checkpoint of this name is published.

    >>> checkpoint_format("Qwen/Qwen3-235B-A22B-FP8"), checkpoint_format("Llama-3.3-70B")
    ('fp8', 'bf16')
    """
    words = name.lower()
    return next((told for pattern, told in CHECKPOINTS if re.search(pattern, words)), "bf16")


def kv_bytes_of(engine: str, model: LanguageModel, chip: Accelerator, precision: str) -> float:
    """Bytes of a cached value where a row is silent; an assumption after the scripts of the benchmarks.

    Weights of 16 bits keep a cache of 16. The scripts of github.com/SemiAnalysisAI/InferenceX run
    TensorRT-LLM with `kv_cache_config: dtype: fp8` everywhere (dsr1_fp4_b200_trt.sh), SGLang and vLLM with
    `kv-cache-dtype: fp8` on Blackwell (dsr1_fp8_b200.sh, gptoss_fp4_b200.sh, minimaxm2.5_fp8_b300.sh) and
    without it, so with 16 bits, on Hopper (dsr1_fp8_h200.sh, gptoss_fp4_h100.sh, minimaxm2.5_fp8_h100.sh).
    Other engines: 8 bits, as in MLPerf's fp8 and fp4 submissions.
    """
    if precision in ("bf16", "int4"):
        return 2.0
    if engine in ("sglang", "vllm") and (engine, model.id) not in KV_8BIT:
        return 1.0 if chip.generation in MODERN else 2.0
    return 1.0


def age_at(year: float | None, chip: Accelerator, book: FactBook) -> float:
    """Years from a chip's first shipments to a measurement in `year` [decimal]; `MATURE_YEARS` if unknown."""
    first = shipped_year(chip, book)
    return MATURE_YEARS if year is None or first is None else max(0.0, year - first)


def decimal_year(text: str) -> float | None:
    """The first date in a text (2025-10-29, 2025-12, 2025) as a decimal year; None where there is none.

    A month or year without a day counts as its middle.

    >>> decimal_year("measured=2025-07-02T00:00:00Z"), decimal_year("MLPerf v5.1 2025-09")
    (2025.5027397260274, 2025.7083333333335)
    """
    found = re.search(r"(?<![\d.])(20\d\d)(?:-(\d\d)(?:-(\d\d))?)?(?![\d.])", text)
    if found is None:
        return None
    year, month, day = (int(part) if part else 0 for part in found.groups())
    if not month:
        return year + 0.5
    if not 1 <= month <= 12 or day > 31:
        return None
    return year + (month - 1) / 12 + ((day - 1) / 365 if day else 0.5 / 12)
