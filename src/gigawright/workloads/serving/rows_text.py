"""What prose in rows of published throughput tells: lengths, limits, loads, engines and layouts."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gigawright.workloads.serving.service import Layout

DATA_SETS: Mapping[str, tuple[float, float]] = {
    "openorca+gsm8k+mbxp": (294.0, 145.0),
    "openorca": (294.0, 301.0),
    "sharegpt": (161.0, 338.0),
}
"""Mean tokens of prompts and answers of data sets that rows name.

OpenOrca as MLPerf uses it: 294 in, 301 out (rows of MLPerf Inference v5.1); ShareGPT: arXiv:2309.06180,
section 6.1. The mixture of MLPerf's Mixtral: 145 out (its reference TOKENS_PER_SAMPLE); assumption: prompts
as long as OpenOrca's, a third of it.
"""

RULES: Mapping[tuple[str, str], tuple[float, float]] = {
    ("llama-2-70b", "server"): (2.0, 0.2),
    ("llama-2-70b", "interactive"): (0.45, 0.04),
    ("llama-3.1-405b", "server"): (6.0, 0.175),
    ("llama-3.1-405b", "interactive"): (4.5, 0.08),
    ("mixtral-8x7b", "server"): (2.0, 0.2),
    ("llama-3.1-8b", "server"): (2.0, 0.1),
    ("llama-3.1-8b", "interactive"): (0.5, 0.03),
}
"""Limits of time to first token and of time per output token [s], 99th percentile, of MLPerf Inference v5.1
by model and scenario (inference_rules.adoc of github.com/mlcommons/inference_policies [cited,
unverified])."""

ENGINES: tuple[tuple[str, str], ...] = (
    ("llmboost", "llmboost"),
    ("vllm", "vllm"),
    ("sglang", "sglang"),
    ("tensorrt", "trtllm"),
    ("trtllm", "trtllm"),
    ("gaudi", "gaudi"),
    ("cloudmatrix", "cloudmatrix"),
    ("mindie", "mindie"),
    ("deepseek", "deepseek"),
)
"""Engines by a word of their description, searched in this order. MLPerf's `TensorRT` is TensorRT-LLM."""


def length_of(text: str) -> float | None:
    """Tokens that a cell leads with (`~294 (OpenOrca)`, `avg KV 4989`); None where it tells none.

    >>> length_of("~128 max"), length_of("8192"), length_of("Short Prompt"), length_of("-5")
    (128.0, 8192.0, None, None)
    """
    found = re.match(r"(?:~|about\s|avg KV\s)?\s*(\d[\d,]*\.?\d*)(?=$|[\s(])", text.strip(), re.IGNORECASE)
    return float(found[1].replace(",", "")) if found else None


def data_set_of(text: str) -> tuple[float, float] | None:
    """Mean tokens in and out of the data set that a cell names; None where it names none that is known.

    >>> data_set_of("ShareGPT"), data_set_of("~ (OpenOrca+GSM8K+MBXP)"), data_set_of("Medium Prompt")
    ((161.0, 338.0), (294.0, 145.0), None)
    """
    words = re.sub(r"\s+", "", text.lower())
    return next((lengths for name, lengths in DATA_SETS.items() if name in words), None)


def limits_of(text: str) -> tuple[float, float]:
    """Limits of time to first token and per output token [s], 0 where there is none.

    Only what `<=` or `<` marks is a limit; a bare number is a measurement and is not read. A limit alone, as
    in `<50`, is of the time per output token in milliseconds.

    >>> limits_of("TTFT<=2s TPOT<=200ms p99"), limits_of("<50"), limits_of("45-50 (20 tok/s)")
    ((2.0, 0.2), (0.0, 0.05), (0.0, 0.0))
    """
    found = {
        name.lower(): float(number) / (1e3 if unit.lower() == "ms" else 1.0)
        for name, number, unit in re.findall(
            r"(TTFT|TPOT)\s*<=?\s*(\d+\.?\d*)\s*(ms|s)\b", text, re.IGNORECASE
        )
    }
    if alone := re.fullmatch(r"<=?\s*(\d+\.?\d*)\s*(?:ms)?", text.strip()):
        found["tpot"] = float(alone[1]) / 1e3
    return found.get("ttft", 0.0), found.get("tpot", 0.0)


def load_of(text: str) -> tuple[float | None, bool] | None:
    """(number, whether an accelerator) of requests in flight; a number of None is as many as there is room
    for.

    None where the text tells no load.

    >>> load_of("max under SLA"), load_of("1,536"), load_of("128/GPU"), load_of("16k tok/GPU")
    ((None, False), (1536.0, False), (128.0, True), None)
    """
    words = text.strip().lower()
    if re.fullmatch(r"(offline )?max( under sla)?", words):
        return None, False
    found = re.fullmatch(r"(\d[\d,]*)\s*(/\s*(?:gpu|npu|chip|accelerator))?", words)
    return (float(found[1].replace(",", "")), bool(found[2])) if found else None


def chunk_of(text: str) -> int | None:
    """Tokens of a step on one accelerator, as `16k tok/GPU` tells; None otherwise.

    >>> chunk_of("16k tok/GPU"), chunk_of("128/GPU")
    (16384, None)
    """
    found = re.fullmatch(r"(\d{1,6})\s*(k?)\s*tok(?:ens)?\s*/\s*(?:gpu|npu)", text.strip().lower())
    return int(found[1]) * (1024 if found[2] else 1) if found else None


def engine_of(text: str) -> tuple[str, str]:
    """An engine and its version from a description; "" where it tells none.

    >>> engine_of("TensorRT 10.11, CUDA 12.9"), engine_of("Mango LLMBoost AI Platform, ROCm 6.12.12")
    (('trtllm', '10.11'), ('llmboost', ''))
    """
    words = text.lower()
    for word, engine in ENGINES:
        if (at := words.find(word)) >= 0:
            version = re.match(r"[a-z-]*(?:\s*sw)?[\s-]*v?(\d+(?:\.\w+)+)", words[at:])
            return engine, version[1] if version else ""
    first = re.match(r"[a-z][\w-]*", words)
    return (first[0] if first else ""), ""


def layout_of(text: str, is_moe: bool) -> Layout | None:
    """How a worker is spread, from words such as TP2, DEP8, EP144 or TP8 PP2; None where they do not tell.

    `DEP` and `EP` replicate attention and split routed experts over all, as DeepSeek's and SGLang's wide
    deployments do; `DP-attn` beside TP replicates attention and splits each expert. `8x` is one model over 8
    cards (tensor parallelism, as in Intel's tables), `1x1` a single accelerator. `1x8` tells a node alone.

    >>> layout_of("DEP4", True)
    Layout(tensor=1, data=4, pipeline=1, expert_tensor=1, expert=4)
    >>> layout_of("TP8 PP2", False).accelerators, layout_of("1x8", False)
    (16, None)
    """
    sizes = {kind: int(size) for kind, size in re.findall(r"\b(DEP|EP|TP|PP)(\d{1,4})\b", text) if int(size)}
    cards = re.fullmatch(r"(\d{1,3})x1?", text.strip())
    if cards and (text.strip().endswith("x") or int(cards[1]) == 1):
        sizes = {"TP": int(cards[1])}
    pipeline = sizes.get("PP", 1)
    if whole := sizes.get("DEP") or sizes.get("EP"):
        return Layout(1, whole, pipeline, 1, whole if is_moe else 1)
    if (tensor := sizes.get("TP")) and re.search(r"\bDP-?att", text):
        return Layout(1, tensor, pipeline, tensor if is_moe else 1)
    return Layout(tensor, 1, pipeline, tensor if is_moe else 1) if tensor else None


def nodes_of(text: str) -> int | None:
    """Accelerators of `2x8` (nodes x accelerators each); None where the text is another.

    >>> nodes_of("18x4"), nodes_of("DEP4")
    (72, None)
    """
    found = re.fullmatch(r"(\d{1,3})\s*x\s*(\d{1,3})", text.strip())
    return int(found[1]) * int(found[2]) if found else None
