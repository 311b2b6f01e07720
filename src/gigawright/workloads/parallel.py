"""Ways to spread a language model over accelerators, and the traffic each way causes.

A *tensor* group splits every matrix and all-reduces twice a layer. An *expert* group keeps attention
and shared layers whole on every accelerator, splits the routed experts and exchanges tokens with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigawright.workloads.language import LanguageModel
from gigawright.workloads.roofline import Machine

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

MAX_EXPERT_GROUP = 64
"""Most accelerators in an expert group that crosses domains; DeepEP is measured to this size and more."""

MAX_TENSOR_GROUP = 64
"""Most accelerators in a tensor group, within a scale-up domain; assumption: heads no longer divide."""

EXPERT_IMBALANCE = 1.2
"""Load of the busiest accelerator of an expert group over the mean; assumption, with redundant experts."""

HIDDEN_ALL_TO_ALL = 0.5
"""Share of the shorter of computing and exchanging tokens that the longer hides; assumption between
none (one batch) and all (two batches in turn, as DeepSeek-V3 describes, arXiv:2412.19437 section 3.4)."""

ACTIVATION_BYTES = 2.0
"""Bytes of an activation in all-reduces and in the combine step (bf16)."""

DISPATCH_BYTES = 1.0
"""Bytes of an activation sent to an expert by 8-bit models (fp8 dispatch, DeepEP); 16-bit models send 2."""


@dataclass(frozen=True)
class Groups:
    """Candidate groups, one an element: size, and 1 where it is a tensor group, 0 for an expert group."""

    size: Array
    tensor: Array

    @property
    def columns(self) -> Groups:
        """The same, shaped to broadcast against a row of batches."""
        return Groups(self.size[:, None], self.tensor[:, None])


def candidate_groups(model: LanguageModel, machine: Machine) -> Groups:
    """Groups of 1, 2, 4, ... accelerators: tensor groups within the domain, expert groups also over nodes."""
    tensor = [size for size in powers_of_two(min(machine.domain, MAX_TENSOR_GROUP)) if size <= model.heads]
    expert: list[int] = []
    if model.is_moe:
        reach = max(machine.domain, MAX_EXPERT_GROUP if machine.nic > 0 else 1)
        expert = [size for size in powers_of_two(min(reach, model.experts)) if size > 1]
    sizes = np.array(tensor + expert, dtype=np.float64)
    return Groups(sizes, np.array([1.0] * len(tensor) + [0.0] * len(expert)))


def powers_of_two(most: int) -> list[int]:
    """1, 2, 4, ... up to `most`; 1 alone where it is less.

    >>> powers_of_two(72)
    [1, 2, 4, 8, 16, 32, 64]
    """
    return [1 << bits for bits in range(max(1, most).bit_length())]


def weight_bytes(model: LanguageModel, machine: Machine, groups: Groups) -> Array:
    """Bytes of weights on one accelerator: all of them split, or experts split and the rest whole."""
    whole = (model.params - model.routed_params) * machine.weight_bytes
    routed = model.routed_params * machine.weight_bytes
    return np.where(groups.tensor == 1, (whole + routed) / groups.size, whole + routed / groups.size)


def kv_copies(model: LanguageModel, groups: Groups) -> Array:
    """Times a tensor group holds each key and value: once, until it outgrows the KV heads (MLA has one)."""
    heads = 1 if model.is_mla or model.csa_layers else model.kv_heads
    return np.where(groups.tensor == 1, np.maximum(1.0, groups.size / heads), 1.0)


def exchange_seconds(
    model: LanguageModel, machine: Machine, groups: Groups, tokens: Array, once_a_node: bool
) -> Array:
    """Time to all-reduce or to exchange `tokens` [tokens an attention replica holds] through all layers [s].

    Tensor: two all-reduces a layer, each 2 (g-1)/g of the activations, and two latencies.
    Expert: k copies of a token go out and come back, inside the domain and over the network at once;
    `once_a_node`: one copy for each other node it needs (DeepEP's normal kernels), else one an expert.
    """
    size = groups.size
    link = np.where(size <= machine.domain, machine.scale_up or np.inf, machine.nic or np.inf)
    hop = np.array([machine.hop(int(g)) for g in size.ravel()]).reshape(size.shape)
    reduced = 2 * (size - 1) / size * tokens * model.hidden * ACTIVATION_BYTES
    all_reduce = 2 * model.layers * (reduced / link + hop * (size > 1))
    sent = DISPATCH_BYTES if machine.weight_bytes <= 1 else ACTIVATION_BYTES
    width = (model.moe_latent or model.hidden) * (sent + ACTIVATION_BYTES)
    inside, across = token_copies(model.experts_per_token, machine.domain, size, once_a_node)
    near = inside * width * tokens / (machine.scale_up or np.inf)
    far = across * width * tokens / (machine.nic or np.inf)
    all_to_all = model.moe_layers * (np.maximum(near, far) + 2 * hop)
    return np.asarray(np.where(groups.tensor == 1, all_reduce, all_to_all))


def token_copies(picked: int, domain: int, size: Array, once_a_node: bool) -> tuple[Array, Array]:
    """Copies of a token that leave its accelerator inside the domain, and those that leave the domain."""
    local = np.minimum(size, domain)
    nodes = np.maximum(1.0, size / domain)
    if once_a_node:
        inside = picked * (local - 1) / local
        across = (nodes - 1) * (1 - (1 - 1 / nodes) ** picked)
    else:
        inside = picked * (local - 1) / size
        across = picked * (size - local) / size
    return np.asarray(inside), np.asarray(across)


def touched_share(model: LanguageModel, tokens: Array) -> Array:
    """Share of the routed experts that at least one of `tokens` picks, if all are equally likely."""
    if not model.is_moe:
        return np.zeros_like(tokens)
    return np.asarray(1 - (1 - model.experts_per_token / model.experts) ** tokens)
