"""Words of published runs for precision, sharding and recomputation, and what they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gigawright.catalogue.types import Accelerator
from gigawright.workloads.training.run import Precision, Recipe, Recompute

BEFORE_SEQUENCE_PARALLEL = frozenset(
    {"Megatron-LM", "MT-NLG", "bigscience-workshop/bigscience", "OPT", "GPT-NeoX-20B"}
)
"""Publications whose rows with full recomputation do not use sequence parallelism.

It came with selective recomputation in May 2022 (arXiv:2205.05198); arXiv:2104.04473, MT-NLG (2201.11990),
OPT (2205.01068), GPT-NeoX (2204.06745) and BLOOM predate it.
"""

PRECISION_WORDS: Mapping[str, tuple[Precision, Recipe]] = {
    "bf16": ("bf16", ""),
    "bfloat16": ("bf16", ""),
    "fp16": ("bf16", ""),
    "float16": ("bf16", ""),
    "amp-bf16": ("bf16", ""),
    "amp-fp16": ("bf16", ""),
    "bf16/amp": ("bf16", ""),
    "fp16/amp": ("bf16", ""),
    "bf16/fp8": ("bf16", ""),
    "fp8": ("fp8", ""),
    "fp8/bf16": ("fp8", ""),
    "amp-fp8": ("fp8", "tensor"),
    "fp8-tensorwise": ("fp8", "tensor"),
    "fp8-cs": ("fp8", "tensor"),
    "fp8-ds": ("fp8", "tensor"),
    "fp8-rowwise": ("fp8", "block"),
    "fp8-blockwise": ("fp8", "block"),
    "fp8-sc": ("fp8", "block"),
    "fp8-mx": ("fp8", "block"),
    "mxfp8": ("fp8", "block"),
    "fp4": ("fp4", "block"),
    "nvfp4": ("fp4", "block"),
    "mxfp4": ("fp4", "block"),
    "int8": ("int8", ""),
    "bf16/int8": ("int8", ""),
    "fp8/int8": ("fp8", ""),
}
"""Precisions as they are written, words in brackets left out. CS, DS and SC are current, delayed and
sub-channel scaling; scales by row cost what scales by block do. fp16 runs at the rate of bf16."""


def precision_of(text: str, chip: Accelerator | None = None) -> tuple[Precision, Recipe, bool]:
    """Precision, how its values are scaled, and whether the text is sure of it (no `?`).

    `FP8/INT8` is the faster 8-bit rate of the chip, fp8 where they are alike. Raises ValueError for others.

    >>> precision_of("FP8-CS (FP8-MX)"), precision_of("BF16/FP8?")
    (('fp8', 'tensor', True), ('bf16', '', False))
    """
    words = re.sub(r"\([^)]*\)", "", text).strip().lower()
    key = re.sub(r"[\s_-]+", "-", words.rstrip("? "))
    if key in PRECISION_WORDS:
        precision, recipe = PRECISION_WORDS[key]
    else:
        precision, recipe = _guessed(text, key)
    if key == "fp8/int8" and chip and chip.peak_tflops.get("int8", 0) > chip.peak_tflops.get("fp8", 0):
        precision = "int8"
    return precision, recipe, not words.endswith("?")


BASES: tuple[tuple[str, Precision], ...] = (
    ("fp4", "fp4"),
    ("fp8", "fp8"),
    ("e4m3", "fp8"),
    ("int8", "int8"),
    ("bf16", "bf16"),
    ("bfloat16", "bf16"),
    ("fp16", "bf16"),
)
"""Formats that a longer description may hold, narrowest first."""


def _guessed(text: str, key: str) -> tuple[Precision, Recipe]:
    """The format that a description holds, such as `FP8 hybrid`, and how it scales if a word tells."""
    base = next((precision for word, precision in BASES if word in key), None)
    if base is None:
        allowed = "bf16, fp16, fp8, fp4 or int8, or a kind of these such as MXFP8, FP8-CS or NVFP4"
        raise ValueError(f"{text!r}, must be {allowed}")
    if base == "bf16":
        return base, ""
    blocks = base == "fp4" or any(word in key for word in ("mx", "block", "row", "sub", "group"))
    tensor = any(word in key for word in ("tensor", "current", "delayed", "hybrid"))
    return base, "block" if blocks else "tensor" if tensor else ""


def zero_of(text: str) -> tuple[int, int] | None:
    """(stage, ranks that share; 0: all) of sharded data parallelism; None where the words do not tell.

    >>> zero_of("FSDP2 x8"), zero_of("dist-optimizer (ZeRO-1)"), zero_of("FSDP64"), zero_of("FSDP2")
    ((3, 8), (1, 0), (3, 64), (3, 0))
    """
    words = text.lower()
    if stage := re.search(r"zero[\s_-]*(?:stage[\s_-]*)?([0-3])", words):
        return int(stage[1]), 0
    if "shard_grad_op" in words:
        return 2, 0
    if "fsdp" in words or "full_shard" in words or "hybrid_shard" in words:
        shard = re.search(r"fsdp2?\s*x\s*0*([1-9]\d{0,5})|fsdp(?!2\b)0*([1-9]\d{0,5})", words)
        return 3, int(shard[1] or shard[2]) if shard else 0
    if re.search(r"dist\w*[\s_-]*opt", words):
        return 1, 0
    return (0, 0) if words in ("none", "no", "ddp") else None


def recompute_of(text: str) -> Recompute | None:
    """The policy of recomputation; None where the words do not tell (blank, or `see recipes/...`).

    >>> recompute_of("none for 8k (paper)"), recompute_of("per-op SAC"), recompute_of("see recipes/x.py")
    ('none', 'selective', None)
    """
    words = text.lower()
    if words.startswith("none"):
        return "none"
    if words.startswith("full"):
        return "full"
    return "selective" if re.search(r"^selective|\bsac\b|rmsnorm", words) else None


NO_SITE = frozenset({"arXiv", "arxiv", "paper", "blog"})
"""Documents that name no site: unrelated papers share them."""

INTERLEAVED = {"Llama": 4}
"""Chunks a stage in documents that describe interleaving but give no number: arXiv:2407.21783, section 3.3.2,
has V chunks of a stage's 8 layers; 4 is an assumption, the middle of 2 to 8.
"""


def sequence_parallel(document: str, recompute: Recompute) -> bool:
    """Whether a run uses sequence parallelism: all but those of `BEFORE_SEQUENCE_PARALLEL`."""
    return not (recompute == "full" and document in BEFORE_SEQUENCE_PARALLEL)
