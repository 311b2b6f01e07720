"""Services as arrays: what model, chip, layout and load have to do with time, one element a service."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.catalogue.types import Accelerator
from gigawright.errors import CatalogueError
from gigawright.workloads.language import LanguageModel
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.serving.service import Layout, Service
from gigawright.workloads.training.machine import machine_row, used_precision
from gigawright.workloads.vision import encoder_of

BYTES = {"fp4": 0.5625, "fp8": 1.0, "int8": 1.0, "int4": 0.5625, "bf16": 2.0}
"""Bytes of a weight; 4-bit formats carry an 8-bit scale for each 16 values."""

HEAD_BYTES = 2.0
"""Bytes of an output projection's weight: checkpoints keep it at 16 bits."""

CHUNKS = {"sglang": 32768}
DEFAULT_CHUNK = 8192
"""Tokens that an iteration takes at most: `chunked_prefill_size` as InferenceX sets it for SGLang, and
`max_num_batched_tokens` of vLLM on servers; TensorRT-LLM takes as much or a little more.
"""

MOST_SEQUENCES = 4096.0
"""Sequences that a replica runs at once where the load is not limited; assumption: engines' largest settings.
"""

MIDDLE = 0.5
"""Share of its output that a running request has on average."""


@dataclass(frozen=True)
class Sizes:
    """Models, chips, layouts and loads, one element a service [N] (or one for all).

    Counts of a model are values (`dense` without head, experts and embedding; `expert` of one expert of one
    layer; `moved` by element-wise operators a token;
    `split_share` of the dense ones are in products that a tensor group splits along their inner dimension,
    `split_depth` of it before that), `read` the cache bytes and `absorbed` the flops that a
    decoded token's attention needs at the middle of its output, `held` the cache bytes of a request then,
    `pairs` the attention flops of a whole prompt, `encoding` those of its pictures, `stored`
    its cache bytes, of which `fresh` are computed. `accepted` is nan where
    it is left to the constant. Rates are flop/s and
    bytes/s a chip sustains, links one way. Limits are inf where there is none.
    """

    hidden: Floats
    layers: Floats
    moe_layers: Floats
    kv_split: Floats
    dense: Floats
    head: Floats
    expert: Floats
    experts: Floats
    picked: Floats
    matrices: Floats
    expert_depth: Floats
    split_share: Floats
    split_depth: Floats
    moved: Floats
    kernels: Floats
    stored: Floats
    fresh: Floats
    read: Floats
    absorbed: Floats
    held: Floats
    pairs: Floats
    encoding: Floats
    prompt: Floats
    passed: Floats
    answer: Floats
    rate: Floats
    expert_rate: Floats
    peak_16: Floats
    cores: Floats
    bandwidth: Floats
    memory: Floats
    scale_up: Floats
    domain: Floats
    nic: Floats
    host: Floats
    dense_bytes: Floats
    expert_bytes: Floats
    tensor: Floats
    data: Floats
    pipeline: Floats
    expert_tensor: Floats
    expert_ranks: Floats
    concurrency: Floats
    workers: Floats
    prefill_workers: Floats
    drafted: Floats
    accepted: Floats
    chunk: Floats
    tpot_limit: Floats
    ttft_limit: Floats

    def take(self, rows: Ints, count: int = 0) -> Sizes:
        """These services alone, of `count` where some arrays have one element for all."""
        arrays = {each.name: getattr(self, each.name) for each in fields(self)}
        wide = {name: np.broadcast_to(one, (count,)) if count else one for name, one in arrays.items()}
        return Sizes(**{name: one[rows] for name, one in wide.items()})

    def laid_out(self, layouts: Sequence[Layout], workers: Floats) -> Sizes:
        """The same, each element (or the one) in these layouts with as many workers."""
        arrays = {name: np.array([value(one) for one in layouts]) for name, value in LAYOUT.items()}
        return replace(self, **arrays, workers=workers)

    @property
    def asked(self) -> Floats:
        """Requests in flight of each attention replica that decodes."""
        return np.asarray(self.concurrency / (self.data * self.workers))

    @property
    def ranks(self) -> Floats:
        """Accelerators of a worker."""
        return np.asarray(self.tensor * self.data * self.pipeline)


LAYOUT: Mapping[str, Callable[[Layout], float]] = {
    "tensor": lambda one: float(one.tensor),
    "data": lambda one: float(one.data),
    "pipeline": lambda one: float(one.pipeline),
    "expert_tensor": lambda one: float(one.expert_tensor),
    "expert_ranks": lambda one: float(one.expert),
}
"""Fields that a layout sets."""


def sizes(services: Sequence[Service], prompts: bool = False) -> Sizes:
    """Services as arrays [N], laid out as workers that decode, or `prompts`: as those that read prompts.

    Raises Unpredictable where a data sheet lacks what is needed, by name.
    """
    rows = [_row(one, prompts) for one in services]
    return Sizes(**{name: np.array([row[name] for row in rows], dtype=float) for name in rows[0]})


def _row(one: Service, prompts: bool) -> dict[str, float]:
    layout = (one.prefill if prompts else None) or one.layout or Layout()
    expert_precision = one.expert_precision or one.precision
    context = one.input_tokens + MIDDLE * one.output_tokens
    counts = _model(one.model, one.kv_bytes, context, one.input_tokens, one.cached)
    chip = _chip(one.chip, dense_precision(one), expert_precision, one.age_years)
    return (
        counts
        | chip
        | {name: value(layout) for name, value in LAYOUT.items()}
        | {
            "kernels": kernels(one.model, dense_precision(one), expert_precision),
            "dense_bytes": BYTES[dense_precision(one)],
            "expert_bytes": BYTES[expert_precision],
            "encoding": _encoding(one),
            "prompt": one.input_tokens * (1 - one.cached),
            "passed": one.input_tokens,
            "answer": max(1.0, one.output_tokens),
            "concurrency": one.concurrency,
            "workers": float(max(1, one.workers)),
            "prefill_workers": float(max(1, one.prefill_workers)),
            "drafted": float(one.drafted),
            "accepted": one.accepted if one.drafted and "accepted" not in one.assumed else np.nan,
            "tpot_limit": one.tpot_limit_s or np.inf,
            "ttft_limit": one.ttft_limit_s or np.inf,
            "chunk": float(one.chunk or CHUNKS.get(one.engine, DEFAULT_CHUNK)),
        }
    )


def _encoding(one: Service) -> float:
    """Flops of the vision encoder for a request's pictures; Unpredictable where the model has none."""
    if not one.pictures:
        return 0.0
    try:
        return one.pictures * encoder_of(one.model).flops(one.picture_tokens)
    except CatalogueError as error:
        raise Unpredictable(f"not predictable: {one.model.name} takes no pictures ({error})") from error


def dense_precision(one: Service) -> str:
    """Format of attention and shared layers: 4-bit checkpoints of models with latent attention leave them at
    16 bits (the size of nvidia/DeepSeek-R1-FP4, some 400 GB, is that of 4-bit experts and 16-bit others).
    """
    four = one.expert_precision in ("fp4", "int4") or (not one.expert_precision and one.precision == "fp4")
    return "bf16" if one.model.is_mla and four else one.precision


ATTENTION, LATENT, LINEAR = 7, 10, 8
"""Kernels of an attention layer: norm, query-key-value, rotation and cache, attention, joining its splits,
output, residual; with a latent also down, up, and two products on the latent, less one that is shared; a
linear one has norm, two inputs, convolution, gates, recurrence, norm and output.
"""

FEED_FORWARD, ROUTED, SHARED = 4, 10, 3
"""Kernels of a feed-forward layer: norm, up, activation, down; routed: norm, router, choice, three that sort,
up, activation, down, joining; shared experts: up, activation, down.
"""

CASTS = 2
"""Kernels that quantise the inputs of a layer's two products, where values are scaled by block."""


def kernels(model: LanguageModel, dense: str, experts: str) -> float:
    """Kernels that one pass starts, all layers: a count of operators as engines fuse them.

    Block-scaled formats (4 bits, and 8 bits of models with experts) cast the inputs of products in kernels of
    their own; per-tensor 8-bit scales are applied by the kernel before.
    """
    attending = model.layers - model.linear_layers
    found = attending * (LATENT if model.is_mla else ATTENTION) + model.linear_layers * LINEAR
    found += model.dense_layers * FEED_FORWARD
    found += model.moe_layers * (ROUTED + (SHARED if model.shared_ffn else 0))
    if dense == "fp4" or (dense != "bf16" and model.is_moe):
        found += CASTS * (model.layers + model.dense_layers)
    if experts not in ("bf16", "int4"):
        found += CASTS * model.moe_layers
    return float(found)


@lru_cache(maxsize=4096)
def _model(
    model: LanguageModel, kv_bytes: float, context: float, asked: float, cached: float
) -> dict[str, float]:
    heads = 1 if model.is_mla or model.csa_layers else max(1, model.kv_heads)
    computed = asked * (1 - cached)
    attending = model.layers * model.heads * model.value_dim
    feeding = model.dense_layers * model.ffn + model.moe_layers * model.shared_ffn
    rows_split = float(model.hidden * (attending + feeding))
    products = model.layers + model.dense_layers + (model.moe_layers if model.shared_ffn else 0)
    return {
        "hidden": model.hidden,
        "layers": model.layers,
        "moe_layers": model.moe_layers,
        "kv_split": heads,
        "dense": model.resident_params,
        "head": model.head_params,
        "expert": model.expert_params if model.is_moe else 0.0,
        "experts": max(1, model.experts),
        "picked": model.experts_per_token,
        "matrices": model.matrices,
        "expert_depth": max(1, model.moe_ffn),
        "split_share": rows_split / max(1.0, model.resident_params),
        "split_depth": rows_split / (model.hidden * products),
        "moved": model.elementwise_values(),
        "stored": model.kv_bytes(asked, kv_bytes),
        "fresh": model.kv_bytes(asked, kv_bytes) * (1 - cached),
        "read": model.kv_read_bytes(context, kv_bytes),
        "absorbed": model.attention_flops(context, absorbed=model.is_mla),
        "held": model.kv_bytes(context, kv_bytes),
        "pairs": computed * model.attention_flops(asked * (1 + cached) / 2),
    }


def _chip(chip: Accelerator, precision: str, expert_precision: str, age: float) -> dict[str, float]:
    """Rates of a chip; formats it lacks are computed at the next best one, and still read as they are."""
    dense = machine_row(chip, computed_precision(chip, precision), age=age)
    experts = machine_row(chip, computed_precision(chip, expert_precision), age=age)
    return {
        "rate": dense["peak"] * dense["sustained"],
        "expert_rate": experts["peak"] * experts["sustained"],
        "peak_16": dense["peak_16"],
        "cores": dense["cores"],
        "bandwidth": dense["bandwidth"],
        "memory": dense["memory"],
        "scale_up": dense["scale_up"],
        "domain": dense["domain"],
        "nic": dense["nic"],
        "host": dense["host"],
    }


def computed_precision(chip: Accelerator, precision: str) -> str:
    """The format products are computed in: int4 weights at 16 bits, others as the chip has them.

    Raises Unpredictable where the chip has no known rate.
    """
    if precision not in BYTES:
        raise Unpredictable(f"not predictable: precision {precision!r} is none of {', '.join(BYTES)}")
    return used_precision(chip, "bf16" if precision == "int4" else precision)
