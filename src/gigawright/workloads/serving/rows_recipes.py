"""How InferenceX deploys workers of their own for prompts, where an export of its rows has lost it.

`workloads/data/serving_recipes.csv` lists, by engine, chip, model, format, lengths and requests in flight,
how many workers of which spread served, and how many tokens were drafted a step. Sources: the benchmark's
configuration (github.com/SemiAnalysisAI/InferenceX, .github/configs/nvidia-master.yaml at 0004cf5, and for
December 2025 its fork ishandhanani/InferenceMAX at 0e3c359) and the columns of its export of 2026-04-27. It
holds inputs alone.
"""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from gigawright.workloads.serving.service import Layout, Service

FILE = "serving_recipes.csv"

CONFIGS = ("2025-12", "2026-02")
CONFIG_CHANGED = "2026-01-01"
"""Configurations of the benchmark in the table, and the day from which the second one ran."""

DRAFTING_FROM = {"1.1.0rc2.post2": "2026-01-14", "1.2.0rc6.post3": ""}
"""Images of TensorRT-LLM, and the day from which InferenceX's earlier exports hold rows of it with drafts
alone.

The configurations `dsr1-*-trt-mtp` run them; 1.1.0rc2.post2 also ran without drafts, until 2025-12-15, and no
other configuration runs 1.2.0rc6.post3.
"""

TRTLLM_DRAFTS = (3, 1)
"""Tokens drafted a step with tensor-parallel attention, and with attention replicas (`MTP=3 (or MTP=1 when
DP_ATTN=true)`, the same file)."""

SGLANG_DRAFTS = 2
"""Tokens that SGLang drafts a step for DeepSeek (SPECULATIVE_NUM_STEPS=2,
benchmarks/dsr1_fp8_b200_mtp.sh)."""

SGLANG_PLAIN_MOST = {(1024.0, 1024.0): 64, (1024.0, 8192.0): 64, (8192.0, 1024.0): 4}
"""Most requests in flight of `dsr1-fp8-b200-sglang` at tp 8, by lengths; `-mtp` goes on to 512."""

DRAFT_DAYS = {"2026-02-07": 0, "2026-02-13": SGLANG_DRAFTS}
"""Days on which one alone of SGLang's two disaggregated fp8 configurations of the B200 ran, and its drafts:
the requests in flight of the other's list (8 and 512, and 256) are missing."""


ACCEPTANCE = 0.85
"""Chance that a drafted token is kept if the one before it is (arXiv:2412.19437, section 5.4.3: 85 to 90% of
the first); assumption: alike for each, though random prompts are harder to guess."""


@dataclass(frozen=True)
class Workers:
    """A number of workers of one layout."""

    count: int
    layout: Layout

    @property
    def accelerators(self) -> int:
        """Accelerators of all of them."""
        return self.count * self.layout.accelerators


@dataclass(frozen=True)
class Recipe:
    """A configuration of the benchmark: who serves prompts, who decodes, and how many tokens are drafted."""

    drafted: int
    prefill: Workers
    decode: Workers


def workers_of(code: str) -> Workers:
    """Workers from a code such as `5xTEP8`.

    TP splits attention and each expert, TEP attention and whole experts; DP and DEP replicate attention.

    >>> workers_of("2xDEP4")
    Workers(count=2, layout=Layout(tensor=1, data=4, pipeline=1, expert_tensor=1, expert=4))
    """
    found = re.fullmatch(r"(\d+)x([DT])(E?)P(\d+)", code)
    if found is None:
        raise ValueError(f"{code!r} is no code of workers such as 5xTEP8")
    count, size = int(found[1]), int(found[4])
    replicated, whole = found[2] == "D", bool(found[3])
    return Workers(
        count,
        Layout(
            tensor=1 if replicated else size,
            data=size if replicated else 1,
            expert_tensor=1 if whole else size,
            expert=size if whole else 1,
        ),
    )


Key = tuple[str, str, str, str, str, float, float, float]


@lru_cache(maxsize=1)
def _recipes() -> dict[Key, list[Recipe]]:
    """Recipes by configuration, engine, chip, model, format, lengths and requests in flight."""
    text = (files("gigawright.workloads") / "data" / FILE).read_text("utf-8")
    found: dict[Key, list[Recipe]] = {}
    for row in csv.DictReader(text.splitlines()):
        recipe = Recipe(int(row["drafted"]), workers_of(row["prefill"]), workers_of(row["decode"]))
        for requests in row["concurrency"].split("|"):
            names = (row["config"], row["engine"], row["chip"], row["model"], row["precision"])
            key = (*names, float(row["isl"]), float(row["osl"]), float(requests))
            found.setdefault(key, []).append(recipe)
    return found


def recipes_for(service: Service, day: str) -> list[Recipe]:
    """Recipes of the benchmark that `day` (2026-03-23) ran for this engine, chip, model, format, lengths and
    requests; empty for none."""
    model = "deepseek-r1" if service.model.id == "deepseek-v3" else service.model.id
    config = CONFIGS[day >= CONFIG_CHANGED]
    names = (config, service.engine, service.chip.id, model, service.expert_precision or service.precision)
    return _recipes().get((*names, service.input_tokens, service.output_tokens, service.concurrency), [])


def of_widths(found: list[Recipe], prefill: Layout, decode: Layout) -> list[Recipe]:
    """Those whose workers are as wide; of them those that split the prompts' experts alike, if there are
    any."""
    wide = [
        recipe
        for recipe in found
        if recipe.prefill.layout.accelerators == prefill.accelerators
        and recipe.decode.layout.accelerators == decode.accelerators
    ]
    alike = [recipe for recipe in wide if recipe.prefill.layout.expert == prefill.expert]
    return alike or wide


def of_total(found: list[Recipe], accelerators: int) -> list[Recipe]:
    """Those that take this many accelerators in all; all of them where it is not told (0)."""
    return [one for one in found if accelerators in (0, one.prefill.accelerators + one.decode.accelerators)]


def accepted_of(drafted: int) -> float:
    """Drafted tokens that are kept a step on average: the sum of p^i, i = 1..n, with p = `ACCEPTANCE`.

    >>> accepted_of(0), round(accepted_of(3), 2)
    (0.0, 2.19)
    """
    return sum(ACCEPTANCE**place for place in range(1, drafted + 1)) + 0.0


def drafted_on(service: Service, day: str) -> int | None:
    """Tokens drafted a step by aggregated workers of InferenceX; None where it cannot be told from the
    inputs.

    Exports of the benchmark before 2026-04-27 hold rows with drafts and rows without, unmarked.
    """
    layout, engine = service.layout, service.engine
    if layout is None or not service.model.is_moe:
        return 0
    version = service.release.removeprefix(f"{engine} ")
    deepseek = service.model.id.startswith("deepseek")
    if engine == "trtllm" and deepseek and version in DRAFTING_FROM:
        return TRTLLM_DRAFTS[layout.data > 1] if day >= DRAFTING_FROM[version] else 0
    if engine == "sglang" and version == "0.5.9" and service.expert_precision == "fp8":
        if service.model.id.startswith("qwen3.5") and layout.tensor == 4 and layout.expert == 1:
            return SGLANG_DRAFTS
        if deepseek and service.chip.id == "nv_b200_sxm" and layout.tensor == 8:
            most = SGLANG_PLAIN_MOST.get((service.input_tokens, service.output_tokens), math.inf)
            return SGLANG_DRAFTS if service.concurrency > most else None
    return 0
