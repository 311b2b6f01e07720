"""Seconds of one iteration of an engine, by part: the cost that closed form, search and simulator share.

A pass of `tokens` a replica through all layers adds dense products, experts, traffic and a fixed time a
layer; attention of decoded tokens reads their cache, attention of prompts computes pairs. See
docs/serving.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gigawright.arrays import Bools, Floats
from gigawright.workloads.serving.sizes import HEAD_BYTES, Sizes

SHARPNESS = 3.0
"""Exponent of the norm that joins computing and reading of a product: they overlap, but not quite."""

ACTIVATION_BYTES = 2.0
"""Bytes of an activation in all-reduces and in combining experts (bf16)."""

DISPATCH_BYTES = 1.0
"""Bytes of an activation sent to an expert at 8 bits and less (DeepEP); 16-bit experts are sent 2."""

BUFFER_TOKENS = 8192.0
"""Tokens that working buffers are sized for at most; larger iterations are cut."""

TILE = 128.0
"""Rows and columns of the tile that a core works on."""

Constants = Mapping[str, float]


@dataclass(frozen=True)
class Pass:
    """Seconds of a pass through all layers: dense products with element-wise operators, routed experts,
    traffic, and what is fixed [N].
    """

    products: Floats
    experts: Floats
    network: Floats
    fixed: Floats

    @property
    def total(self) -> Floats:
        """All parts."""
        return self.products + self.experts + self.network + self.fixed


def forward(s: Sizes, c: Constants, tokens: Floats, sequences: Floats) -> Pass:
    """A pass of `tokens` a replica, of which `sequences` need a next token; sequences a replica."""
    experts = _experts(s, c, tokens)
    fixed = c["step_s"] + s.kernels * c["kernel_s"] + s.moe_layers * c["routing_s"]
    return Pass(
        products=_dense(s, c, tokens, sequences),
        experts=experts,
        network=_network(s, c, tokens),
        fixed=fixed + c["sequence_s"] * sequences,
    )


def _joined(compute: Floats, memory: Floats) -> Floats:
    """Time of work that computes and reads at once."""
    longest = np.maximum(compute, memory)
    shortest = np.minimum(compute, memory)
    ratio = shortest / np.maximum(longest, 1e-30)
    return np.asarray(longest * (1 + ratio**SHARPNESS) ** (1 / SHARPNESS))


def _dense(s: Sizes, c: Constants, tokens: Floats, sequences: Floats) -> Floats:
    """Attention's projections, dense layers and shared experts, the output projection, element-wise
    operators.
    """
    filled = 1 + s.split_share * (_fill(s, s.rate, c) * s.tensor / s.split_depth)
    work = 2 * s.dense * (tokens + c["product_rows"]) * filled / s.tensor / (s.rate * c["products"])
    read = s.dense * s.dense_bytes / s.tensor / (s.bandwidth * c["stream"])
    head_work = 2 * s.head * (sequences + c["product_rows"]) / s.tensor / (s.peak_16 * c["products"])
    head_read = s.head * HEAD_BYTES / s.tensor / (s.bandwidth * c["stream"])
    moved = 2 * s.moved * tokens / s.tensor / (s.bandwidth * c["element"])
    return _joined(work, read) + _joined(head_work, head_read) + moved


def _experts(s: Sizes, c: Constants, tokens: Floats) -> Floats:
    """Routed experts, spread over all ranks of the worker, which work on all replicas' tokens."""
    every = tokens * s.data
    ranks = s.tensor * s.data
    touched = s.experts * (1 - (1 - np.minimum(1.0, s.picked / s.experts)) ** (c["skew"] * every))
    rows = every * s.picked + touched * c["expert_rows"]
    busiest = 1 + c["uneven"] * (1 - 1 / s.expert_ranks)
    fill = _fill(s, s.expert_rate, c)
    filled = 1 + fill * (s.expert_tensor / s.expert_depth + (s.matrices - 1) / s.hidden) / s.matrices
    rate = s.expert_rate * c["products"] * c["grouped"] / filled
    work = 2 * rows * s.expert * busiest / ranks / rate
    read = touched * s.expert * s.expert_bytes * busiest / ranks / (s.bandwidth * c["expert_stream"])
    return s.moe_layers * _joined(work, read)


def _fill(s: Sizes, rate: Floats, c: Constants) -> Floats:
    """Inner dimension that a core works through in the time a tile takes to fill and empty: what a split
    product, whose inner dimension is short, computes in vain.
    """
    return np.asarray(c["tile_s"] * rate / s.cores / (2 * TILE * TILE))


def _network(s: Sizes, c: Constants, tokens: Floats) -> Floats:
    """All-reduces of tensor groups, two a layer; with several replicas, experts exchange tokens instead."""
    wide = s.hidden * ACTIVATION_BYTES
    spread = (s.data > 1) & (s.moe_layers > 0)
    reduced = np.where(spread, 2 * s.layers - s.moe_layers, 2 * s.layers)
    reduce = all_reduce(s, c, s.tensor, tokens * wide)
    sent = np.where(s.expert_bytes <= 1, DISPATCH_BYTES, ACTIVATION_BYTES) + ACTIVATION_BYTES
    exchange = all_to_all(s, c, s.tensor * s.data, tokens / s.tensor * s.hidden * sent) * (1 - c["hidden"])
    sends = (s.pipeline - 1) * (c["hop_s"] + tokens * wide / (c["nic"] * s.nic))
    return reduced * reduce + np.where(spread, s.moe_layers * exchange, 0.0) + sends


def hops(s: Sizes, c: Constants, group: Floats) -> Floats:
    """Latency of a collective over a group of ranks."""
    nodes = np.maximum(1.0, group / s.domain)
    return np.asarray(np.where(group > 1, c["hop_s"] + c["node_hop_s"] * np.log2(nodes), 0.0))


def all_reduce(s: Sizes, c: Constants, group: Floats, message: Floats) -> Floats:
    """Seconds to sum `message` bytes over a group: 2 (g - 1) / g of it on the slowest link."""
    inside = message / (c["link"] * s.scale_up)
    across = message / (c["nic"] * s.nic * np.minimum(group, s.domain))
    wire = np.where(group > s.domain, np.maximum(inside, across), inside)
    return hops(s, c, group) + np.where(group > 1, 2 * (group - 1) / group * wire, 0.0)


def all_to_all(s: Sizes, c: Constants, group: Floats, tokens_bytes: Floats) -> Floats:
    """Seconds to send each of a rank's tokens (so many bytes in all) to the experts that they picked, and
    back.

    A token goes once to each rank that holds one of its k experts, g (1 - (1 - 1/g)^k) of g: over the network
    once for each other of n domains, (n - 1)(1 - (1 - 1/n)^k), and from there inside the domain (DeepEP).
    """
    local = np.minimum(group, s.domain)
    nodes = np.maximum(1.0, group / local)
    met = group * (1 - (1 - 1 / group) ** s.picked)
    near = met * (local - 1) / local * tokens_bytes / (c["link"] * s.scale_up)
    across = (nodes - 1) * (1 - (1 - 1 / nodes) ** s.picked)
    far = across * tokens_bytes / (c["nic"] * s.nic)
    return 2 * hops(s, c, group) + np.where(group > 1, np.maximum(near, far), 0.0)


def yielded(s: Sizes, c: Constants) -> Floats:
    """Tokens that a step yields a sequence: one, and those drafted that are kept: sum of p^i, each only if
    the one before is.
    """
    p = c["accept"]
    kept = p * (1 - p**s.drafted) / (1 - p)
    return np.asarray(1 + np.where(np.isnan(s.accepted), kept, s.accepted))


def drafting(s: Sizes, c: Constants) -> Floats:
    """Seconds of the output projections of a step's drafts (multi-token prediction shares the model's)."""
    return np.asarray(s.drafted * s.head * HEAD_BYTES / s.tensor / (s.bandwidth * c["stream"]))


def decoding(s: Sizes, c: Constants, sequences: Floats) -> Floats:
    """Attention of one token of each of a replica's sequences over what is cached, all layers."""
    split = np.minimum(s.tensor, s.kv_split)
    read = sequences * s.read / split / (s.bandwidth * c["cache"])
    work = sequences * s.absorbed * (1 + s.drafted) / s.tensor / (s.peak_16 * c["decode_attention"])
    return _joined(work, read)


def prompting(s: Sizes, c: Constants) -> Floats:
    """Attention of one whole prompt, all layers."""
    return np.asarray(s.pairs / s.tensor / (s.peak_16 * c["prompt_attention"]))


def encoding(s: Sizes, c: Constants) -> Floats:
    """Seconds of the vision encoder for the pictures of one prompt, split over a tensor group."""
    return np.asarray(s.encoding / s.tensor / (s.peak_16 * c["products"]))


def room(s: Sizes, c: Constants) -> Floats:
    """Bytes that an accelerator has for the cache: what weights and buffers leave, but for a margin."""
    ranks = s.tensor * s.data
    dense = (s.dense * s.dense_bytes + 2 * s.head * HEAD_BYTES) / s.tensor
    routed = s.moe_layers * s.experts * s.expert * s.expert_bytes / ranks
    working = np.minimum(s.chunk, BUFFER_TOKENS) * s.hidden * (4 + s.picked) * ACTIVATION_BYTES
    return np.asarray(c["memory_used"] * (s.memory - (dense + routed) / s.pipeline - working))


def most_sequences(s: Sizes, c: Constants) -> Floats:
    """Requests of a replica whose caches fit; below 1 where not even one does."""
    split = np.minimum(s.tensor, s.kv_split) * s.pipeline
    return np.asarray(room(s, c) * split / s.held)


def bound_by_compute(s: Sizes, c: Constants, sequences: Floats) -> Bools:
    """Whether the products of a decoding step take longer to compute than to read [N]."""
    tokens = sequences / s.pipeline * (1 + s.drafted)
    ranks = s.tensor * s.data
    every = tokens * s.data
    touched = s.experts * (1 - (1 - np.minimum(1.0, s.picked / s.experts)) ** (c["skew"] * every))
    work = 2 * s.dense * tokens / s.tensor / (s.rate * c["products"])
    work = work + s.moe_layers * 2 * every * s.picked * s.expert / ranks / (s.expert_rate * c["grouped"])
    read = s.dense * s.dense_bytes / s.tensor / (s.bandwidth * c["stream"])
    read = read + s.moe_layers * touched * s.expert * s.expert_bytes / ranks / (
        s.bandwidth * c["expert_stream"]
    )
    return np.asarray(work > read)
