"""Layouts that a service may have where none is told, and the best of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from gigawright.workloads.language import LanguageModel
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.serving.levels import is_apart
from gigawright.workloads.serving.load import Deployment, felt, prompt_seconds, token_seconds
from gigawright.workloads.serving.service import Layout, Service
from gigawright.workloads.serving.sizes import sizes

MOST_TENSOR = 64
"""Accelerators of the widest tensor group that is tried."""


def candidates(model: LanguageModel, gpus: int, domain: int) -> list[Layout]:
    """Layouts of up to `gpus` accelerators that one worker may have: tensor groups of 1, 2, 4, ... inside a
    domain, and for models with experts also attention replicas over all of the group.
    """
    found: list[Layout] = []
    tensors = [t for t in _powers(min(gpus, domain, MOST_TENSOR)) if t <= model.heads]
    for t in tensors:
        experts = t if model.is_moe and t <= model.experts else 1
        found.append(Layout(tensor=t, expert_tensor=t // experts, expert=experts))
        if not model.is_moe:
            continue
        replicas = (data for data in _powers(gpus // t)[1:] if t * data <= model.experts)
        found += [Layout(tensor=t, data=data, expert=t * data) for data in replicas]
    return found


def _powers(most: int) -> list[int]:
    return [1 << bits for bits in range(max(1, most).bit_length()) if 1 << bits <= max(1, most)]


def laid_out(one: Service, constants: Mapping[str, float]) -> Service:
    """The service in the layout with the most tokens a second and accelerator; itself where it has one.

    All of `gpus` accelerators are used, by as many workers as fit (0: one worker, of any size up to a
    domain). Raises Unpredictable where the weights fit nowhere.
    """
    if one.layout is not None:
        return one
    domain = max(1, int(one.chip.scaleup_domain or 1))
    gpus = one.gpus or max(8, domain)
    tried = candidates(one.model, gpus, max(domain, min(gpus, 8)))
    workers = np.array([max(1, gpus // each.accelerators) if one.gpus else 1 for each in tried], dtype=float)
    s = sizes([replace(one, layout=Layout())]).laid_out(tried, workers)
    apart = np.full(len(tried), is_apart(one) or one.kind == "decode")
    d = Deployment(s, s, apart)
    found = felt(d, constants)
    alone = one.kind == "prefill"
    seconds = prompt_seconds(d, constants) if alone else token_seconds(d, found)
    cost = np.where(found.holds >= 1, seconds.sum(axis=0), np.inf)
    kept = (found.further.sum(axis=0) <= s.tpot_limit) & (found.first.sum(axis=0) <= s.ttft_limit)
    cost = np.where(kept, cost, cost * 1e3)
    best = int(np.argmin(cost))
    if not np.isfinite(cost[best]):
        raise Unpredictable(
            f"not feasible: {one.model.name} with one request of {one.input_tokens:,.0f} tokens does not fit "
            f"{gpus} x {one.chip.name}"
        )
    prefill = (one.prefill or tried[best]) if is_apart(one) else None
    told = tuple(dict.fromkeys((*one.assumed, "layout")))
    return replace(one, layout=tried[best], prefill=prefill, workers=int(workers[best]), assumed=told)
