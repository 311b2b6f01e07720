"""What users feel of a service at a load: the closed form of continuous batching.

`concurrency` requests are in flight; a finished one is followed by the next. Each decoded token waits for the
prompts that others bring meanwhile; a prompt waits for those before it, for the running iteration, and for
memory. See docs/serving.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gigawright.arrays import Bools, Floats, Ints
from gigawright.workloads.serving.cost import (
    Constants,
    decoding,
    drafting,
    encoding,
    forward,
    most_sequences,
    prompting,
    yielded,
)
from gigawright.workloads.serving.sizes import MOST_SEQUENCES, Sizes

PARTS = ("products", "experts", "cache", "network", "host", "prompt", "prompt network", "front", "waiting")
"""Parts of what users feel. Decoding: dense products, experts, reading the cache, traffic, fixed times.
Prompts: their work, their traffic, fixed times of a request, and waiting for memory.
"""


TRIALS = 16
"""Halvings of the interval in which the largest load within limits is sought: to about 0.02%."""


@dataclass(frozen=True)
class Felt:
    """Seconds to a first token and for each further one, by part [parts, N]; requests that run in an
    attention replica, those that its memory holds [N], and whether a limit on times keeps more from running.
    """

    first: Floats
    further: Floats
    running: Floats
    holds: Floats
    limited: Bools


@dataclass(frozen=True)
class Deployment:
    """Services as arrays: workers that decode, workers that read prompts (the same, unless `apart`), and the
    phase that alone is measured, where one is.
    """

    decoders: Sizes
    readers: Sizes
    apart: Bools

    def take(self, rows: Ints, count: int = 0) -> Deployment:
        """These services alone, of `count` where some arrays have one element for all."""
        return Deployment(self.decoders.take(rows, count), self.readers.take(rows, count), self.apart[rows])


def felt(d: Deployment, c: Constants, multipliers: Floats | None = None) -> Felt:
    """Times of services at their load; where they are limited, at the largest load that keeps the limits.

    `multipliers` are those of the parts [parts, N], for limits alone: the times are told without them.
    """
    s = d.decoders
    holds = most_sequences(s, c)
    most = np.minimum(np.minimum(s.asked, np.maximum(holds, 1.0)), MOST_SEQUENCES)
    running = most.copy()
    bound = np.flatnonzero(np.broadcast_to(np.isfinite(np.minimum(s.tpot_limit, s.ttft_limit)), most.shape))
    if len(bound):
        own = None if multipliers is None else multipliers[:, bound]
        running[bound] = _within(d.take(bound, len(most)), c, most[bound], own)
    first, further = times(d, c, running)
    return Felt(first, further, running, holds, running < 0.99 * most)


def _within(d: Deployment, c: Constants, most: Floats, multipliers: Floats | None) -> Floats:
    """The most running requests with which mean times keep the limits' share; at least one.

    Prompts of others make the tail of a token's time: where they are apart, the mean may reach the limit.
    """
    s = d.decoders
    low, high = np.zeros_like(most), np.log(np.maximum(most, 1.0))
    share = np.where(d.apart, 1.0, c["limit_share"])
    scale = 1.0 if multipliers is None else np.exp(multipliers)
    for _ in range(TRIALS):
        middle = (low + high) / 2
        first, further = times(d, c, np.exp(middle))
        good = ((further * scale).sum(axis=0) <= share * s.tpot_limit) & (
            (first * scale).sum(axis=0) <= share * s.ttft_limit
        )
        low, high = np.where(good, middle, low), np.where(good, high, middle)
    return np.asarray(np.exp(low))


def times(d: Deployment, c: Constants, running: Floats) -> tuple[Floats, Floats]:
    """Seconds to the first token and for each further one with so many requests running [parts, N]."""
    s, readers = d.decoders, d.readers
    step = _decode(s, c, running)
    prompt = prompt_alone(readers, c)
    others = np.maximum(running - 1, 0.0)
    share = others / s.answer * c["interference"] * s.data ** c["together"]
    further = step / yielded(s, c) + _without_fixed(prompt) * np.where(d.apart, 0.0, share)
    asked = np.where(np.isfinite(s.asked), s.asked, running)
    before = np.where(d.apart, asked * s.data * s.workers / readers.data / readers.prefill_workers, running)
    first = prompt * (1 + c["ahead"] * np.maximum(before - 1, 0.0)) + step * c["turn"]
    first[PARTS.index("front")] += c["front_s"] + c["front_token_s"] * s.passed
    first[PARTS.index("prompt network")] += np.where(d.apart, moved(readers, c), 0.0)
    first[PARTS.index("waiting")] += _for_memory(s, running, further)
    return first, further


def _decode(s: Sizes, c: Constants, running: Floats) -> Floats:
    """An iteration that only decodes, with its drafts, by part [parts, N]."""
    micro = running / s.pipeline
    tokens = micro * (1 + s.drafted)
    step = forward(s, c, tokens, tokens)
    found = np.zeros((len(PARTS), len(step.total)))
    found[:5] = step.products, step.experts, decoding(s, c, micro), step.network, step.fixed
    found *= 1 + s.drafted / s.layers
    found[PARTS.index("products")] += drafting(s, c)
    return found


def prompt_alone(s: Sizes, c: Constants) -> Floats:
    """One prompt by itself, in chunks, by part [parts, N]."""
    chunks = np.maximum(1.0, np.ceil(s.prompt / s.chunk))
    each = forward(s, c, s.prompt / chunks, np.ones_like(s.prompt))
    found = np.zeros((len(PARTS), len(each.total)))
    found[PARTS.index("host")] = (each.fixed + s.kernels * c["eager_s"]) * chunks
    found[PARTS.index("prompt")] = (each.products + each.experts) * chunks
    found[PARTS.index("prompt")] += prompting(s, c) + encoding(s, c)
    found[PARTS.index("prompt network")] = each.network * chunks
    return found


def _without_fixed(prompt: Floats) -> Floats:
    """What a prompt adds to an iteration that runs anyway."""
    found = prompt.copy()
    found[PARTS.index("host")] = 0.0
    return found


def moved(s: Sizes, c: Constants) -> Floats:
    """Seconds to move a prompt's cache to the worker that decodes, over the cards of its accelerators."""
    return np.asarray(s.stored / (c["transfer"] * s.nic * np.minimum(s.tensor, s.kv_split)))


def _for_memory(s: Sizes, running: Floats, further: Floats) -> Floats:
    """Seconds that a request waits until the cache has room: those waiting, over the pace of finishing."""
    waiting = np.where(np.isfinite(s.asked), np.maximum(s.asked - running, 0.0), 0.0)
    return np.asarray(waiting / running * s.answer * further.sum(axis=0))


def token_seconds(d: Deployment, found: Felt) -> Floats:
    """Seconds of an accelerator for an output token, by part [parts, N]: the inverse of the pace."""
    s = d.decoders
    return np.asarray(found.further * s.ranks / (found.running * s.data))


def prompt_seconds(d: Deployment, c: Constants) -> Floats:
    """Seconds of an accelerator for a computed prompt token where prompts have workers of their own, by part
    [parts, N]; iterations are full, and the stages of a pipeline work on different ones.
    """
    s = d.readers
    prompts = np.maximum(1.0, s.chunk / s.prompt)
    each = forward(s, c, np.minimum(s.chunk, s.prompt * prompts), prompts)
    passes = np.maximum(1.0, s.prompt / s.chunk)
    found = np.zeros((len(PARTS), len(each.total)))
    found[PARTS.index("host")] = (each.fixed + s.kernels * c["eager_s"]) * passes
    found[PARTS.index("prompt")] = (each.products + each.experts) * passes + prompts * (
        prompting(s, c) + encoding(s, c)
    )
    found[PARTS.index("prompt network")] = each.network * passes
    found[PARTS.index("waiting")] = (
        prompts * (s.stored - s.fresh) / (c["reload"] * s.host * np.minimum(s.tensor, s.kv_split))
    )
    return np.asarray(found * s.tensor / (s.prompt * prompts))
