"""Models as arrays: the products, attention, traffic and values of one or many models, one element a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from gigawright.arrays import Floats
from gigawright.workloads.language import LanguageModel
from gigawright.workloads.training.run import Run

COLUMN, ROW, WHOLE = 0, 1, 2
"""How a tensor group splits a product: by its outputs, by its inputs, or not at all."""

SLOTS = (
    ("query-key-value", COLUMN),
    ("attention output", ROW),
    ("low-rank down", WHOLE),
    ("low-rank up", COLUMN),
    ("other mixers", COLUMN),
    ("feed-forward up", COLUMN),
    ("feed-forward down", ROW),
    ("shared expert up", COLUMN),
    ("shared expert down", ROW),
    ("router", WHOLE),
)
"""Dense products of a layer, and how tensor parallelism splits them."""

SPLIT = np.array([split for _, split in SLOTS])[:, None]

TILE = 128.0
"""Rows and columns of the tile that a core works on, of products and of attention scores."""

FUSED = 3.0
UNFUSED = 16.0
"""Values that the activation of a gated layer moves for each of its outputs, forward: two read and one
written by one kernel; or by seven, as frameworks run clamped activations (two clamps, scaling, sigmoid,
increment, two products), counted from their definition.
"""

QUANTISED_SLOTS = np.array([name != "router" for name, _ in SLOTS], dtype=float)[:, None]
"""Products that run at 8 or 4 bits where the run does; the router stays at 16."""


@dataclass(frozen=True)
class Shapes:
    """Models as trained, one element a run; products have a row for each of `SLOTS`.

    `outputs` and `inputs` are a product's n and k, `times` the layers that have it. `attention_flops` are of
    one token's forward scores and sums over all layers, causal. `moved` and `kept` count values of 2 bytes
    that element-wise operators move, and that the backward pass keeps, a token over all layers;
    `kept_experts` those that the routed experts keep. `unsplit` is the part of `moved` that only sequence
    parallelism splits. Parameter counts are of weights: `dense` of layers without routed experts, `routed`,
    `vocabulary` of one embedding. MTP layers count as further layers and a further output projection.
    """

    outputs: Floats
    inputs: Floats
    times: Floats
    layers: Floats
    hidden: Floats
    heads: Floats
    head_dim: Floats
    kv_width: Floats
    vocab: Floats
    tied: Floats
    heads_out: Floats
    attention_flops: Floats
    attention_layers: Floats
    seq_len: Floats
    moe_layers: Floats
    experts: Floats
    picked: Floats
    expert_width: Floats
    expert_ffn: Floats
    matrices: Floats
    imbalance: Floats
    moved: Floats
    activation: Floats
    unsplit: Floats
    kept: Floats
    kept_experts: Floats
    activated: Floats
    dense: Floats
    routed: Floats
    vocabulary: Floats
    parallel_block: Floats
    flops: Floats

    def take(self, rows: slice | Sequence[int]) -> Shapes:
        """These runs alone."""
        return Shapes(**{field.name: getattr(self, field.name)[..., rows] for field in fields(self)})


def shapes(runs: Sequence[Run]) -> Shapes:
    """The models of the runs as arrays [runs].

    >>> from gigawright.workloads.training.examples import llama_run
    >>> round(float(shapes([llama_run()]).dense[0]) / 1e9, 1)  # 126 layers of Llama 3.1 405B
    401.6
    """
    rows = [_row(run) for run in runs]
    columns = {name: np.array([row[name] for row in rows]).T for name in rows[0]}
    return Shapes(**columns)


def _row(run: Run) -> dict[str, float | list[float]]:
    model = run.model
    products = _products(model)
    extra = run.mtp / model.layers if run.mtp else 0.0
    more = 1 + extra
    moe_more = 1 + (run.mtp / model.moe_layers if run.mtp and model.moe_layers else 0.0)
    scale = [moe_more if name.startswith(("shared", "router")) else more for name, _ in SLOTS]
    seen = attended(run)
    attention = windowed(model, run.seq_len, int(TILE)).attention_flops(seen + TILE / 2) * more
    kept_experts = model.moe_layers * moe_more * _kept_by_experts(model)
    return {
        "outputs": [n for n, _, _ in products],
        "inputs": [k for _, k, _ in products],
        "times": [times * factor for (_, _, times), factor in zip(products, scale, strict=True)],
        "layers": model.layers + run.mtp,
        "hidden": model.hidden,
        "heads": model.heads,
        "head_dim": (model.head_dim + model.value_dim) / 2,
        "kv_width": _mla_width(model) if model.is_mla else _kv_width(model),
        "vocab": model.vocab,
        "tied": float(model.tied),
        "heads_out": 1.0 + run.mtp,
        "attention_flops": attention,
        "attention_layers": model.layers - model.linear_layers,
        "seq_len": run.seq_len,
        "moe_layers": model.moe_layers * moe_more,
        "experts": max(1, model.experts),
        "picked": model.experts_per_token,
        "expert_width": model.moe_latent or model.hidden,
        "expert_ffn": model.moe_ffn,
        "matrices": model.matrices,
        "imbalance": run.imbalance,
        "activation": UNFUSED if model.swiglu_limit else FUSED,
        "moved": (model.elementwise_values() - _moved_by_experts(model)) * more,
        "unsplit": model.layers * 14 * model.hidden * more,
        "kept": _kept(model) * more,
        "kept_experts": kept_experts,
        "activated": _activated(model) * more,
        "dense": model.resident_params * more,
        "routed": model.routed_params * moe_more,
        "vocabulary": model.head_params,
        "parallel_block": float(run.parallel_block),
        "flops": 3 * windowed(model, run.seq_len).forward_flops(seen) * (1 + _mtp_share(run)),
    }


def windowed(model: LanguageModel, seq_len: int, tile: int = 0) -> LanguageModel:
    """The model with the window that a token sees in the mean, w - w^2 / 2s; kernels compute whole tiles, of
    which a window touches one more.
    """
    if not model.window:
        return model
    seen = model.window * (1 - model.window / (2 * seq_len)) if model.window < seq_len else seq_len / 2
    return replace(model, window=round(seen) + tile)


def _mtp_share(run: Run) -> float:
    """Flops that multi-token prediction adds: a layer and an output projection each."""
    if not run.mtp:
        return 0.0
    forward = run.model.forward_flops(run.seq_len / 2)
    head = 2 * run.model.head_params
    return float(run.mtp * ((forward - head) / run.model.layers + head) / forward)


def attended(run: Run) -> float:
    """Earlier tokens that a token attends to in the mean: s / 2, or w - w^2 / 2s behind a window of w < s."""
    window = run.window if 0 < run.window < run.seq_len else run.seq_len
    return window * (1 - window / (2 * run.seq_len))


def _kv_width(model: LanguageModel) -> float:
    """Keys and values that a token adds to an attention layer's cache; linear layers' states do not grow."""
    return (model.kv_bytes(2.0, 1.0) - model.kv_bytes(1.0, 1.0)) / max(1, model.layers - model.linear_layers)


def _mla_width(model: LanguageModel) -> float:
    """Keys and values of a token as attention reads them, per head and not compressed."""
    return float(model.heads * (model.head_dim + model.value_dim))


def _products(model: LanguageModel) -> list[tuple[float, float, float]]:
    """(n, k, layers) of each of `SLOTS`."""
    h, gates = model.hidden, model.matrices - 1
    layers = model.full_layers + model.window_layers
    counted: list[tuple[float, float, float]]
    if model.is_mla:
        query = model.q_lora_rank or h
        rank = model.kv_lora_rank
        nope = model.qk_nope_dim or model.head_dim
        low = (model.q_lora_rank or 0) + rank + model.qk_rope_dim
        counted = [
            (model.heads * model.head_dim, query, layers),
            (h, model.heads * model.value_dim, layers),
            (low, h, layers),
            (model.heads * (nope + model.value_dim), rank, layers),
        ]
    else:
        width = model.heads * model.head_dim + model.kv_heads * (model.head_dim + model.value_dim)
        counted = [(width, h, layers), (h, model.heads * model.value_dim, layers), (0, 1, 0), (0, 1, 0)]
    rest = model.attention_params - sum(n * k * times for n, k, times in counted)
    other = max(0.0, rest) / (h * model.layers)
    shared = model.shared_ffn
    return [
        *counted,
        (other, h, model.layers if other > 1 else 0.0),
        (gates * model.ffn, h, model.dense_layers),
        (h, model.ffn, model.dense_layers),
        (gates * shared, h, model.moe_layers if shared else 0),
        (h, shared, model.moe_layers if shared else 0),
        (model.experts + 2 * model.moe_latent, h, model.moe_layers),
    ]


def _moved_by_experts(model: LanguageModel) -> float:
    """The part of the model's element-wise values that is moved for routed experts."""
    width = model.moe_latent or model.hidden
    return float(model.moe_layers * model.experts_per_token * (3 * model.moe_ffn + 4 * width))


def _kept(model: LanguageModel) -> float:
    """Values that the backward pass needs of a token, all layers, experts left out.

    Inputs and outputs of two norms (4 h), queries, keys and values, attention's output, and the feed-forward
    layer's gate, up and activated values: 32 bytes x h for a plain layer (arXiv:2205.05198, without the masks
    and scores that fused attention does not keep).
    """
    attention = (
        model.heads * model.head_dim
        + model.kv_heads * (model.head_dim + model.value_dim)
        + model.heads * model.value_dim
    )
    if model.is_mla:
        attention += model.kv_lora_rank + model.q_lora_rank
    dense = model.dense_layers * model.matrices * model.ffn
    shared = model.moe_layers * model.matrices * model.shared_ffn
    return float(model.layers * (4 * model.hidden + attention) + dense + shared)


def _activated(model: LanguageModel) -> float:
    """Outputs of activations, which recomputing these alone saves, all layers."""
    routed = model.experts_per_token * model.moe_ffn
    return float(model.dense_layers * model.ffn + model.moe_layers * (model.shared_ffn + routed))


def _kept_by_experts(model: LanguageModel) -> float:
    """Values that one layer of routed experts keeps of a token: permuted input, gate, up and activation,
    output.
    """
    width = model.moe_latent or model.hidden
    return float(model.experts_per_token * (2 * width + model.matrices * model.moe_ffn))
