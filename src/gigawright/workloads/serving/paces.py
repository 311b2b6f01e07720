"""The closed form's costs as the simulator of requests takes them: one replica of a service as a `Pace`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from gigawright.arrays import Floats
from gigawright.errors import CatalogueError
from gigawright.workloads.calibrated import Calibrated
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.requests.pace import Disaggregated, Pace
from gigawright.workloads.serving.cost import SHARPNESS, drafting, forward, most_sequences
from gigawright.workloads.serving.layouts import laid_out
from gigawright.workloads.serving.levels import is_apart, levels
from gigawright.workloads.serving.load import PARTS
from gigawright.workloads.serving.predictor import calibration
from gigawright.workloads.serving.service import Service
from gigawright.workloads.serving.sizes import Sizes, sizes

BLOCK_TOKENS = 16
"""Tokens of a block of the cache (vLLM's default)."""

MOST_RUNNING = 1024
"""Sequences that a replica runs at once where no concurrency says otherwise (vLLM's default on large
servers).
"""

FAR = 1 << 22
"""Context at which a token's attention grows by what full layers add alone."""

NEAR = 64
"""Context at which all layers attend to all of it."""


@dataclass(frozen=True)
class Slopes:
    """How something grows with context: `full` for each token, `near` more for each of the first `window`,
    and `fixed` whatever the context.
    """

    full: float
    near: float
    window: int
    fixed: float

    def seen(self, window: int) -> float:
        """What each of the first `window` tokens adds, where they take what is fixed upon them."""
        return self.near + self.fixed / window if window else 0.0


def slopes(grows: Callable[[float], float]) -> Slopes:
    """The slopes of a function of context that is linear but for one bend, such as a window or a top-k index.

    >>> slopes(lambda context: 2 * context + 3 * min(context, 1000) + 7)
    Slopes(full=2.0, near=3.0, window=1000, fixed=7.0)
    """
    full = (grows(2 * FAR) - grows(FAR)) / FAR
    both = (grows(2 * NEAR) - grows(NEAR)) / NEAR
    fixed = grows(NEAR) - both * NEAR
    near = both - full
    if near <= 1e-9 * both:
        return Slopes(full, 0.0, 0, fixed)
    bend = (grows(FAR) - full * FAR - fixed) / near
    return Slopes(full, near, round(bend), fixed)


def pace_of(service: Service, known: Calibrated | None = None) -> Pace | Disaggregated:
    """What iterations of one replica of a service cost; for one with workers of its own for prompts, of both,
    and of prompts alone where they alone are measured.

    A service without a layout gets the one with the best pace. Raises Unpredictable where it fits nowhere or
    a data sheet lacks a rate.
    """
    found = known or calibration()
    placed = laid_out(service, found.constants)
    decode = _replica(placed, found, prompts=placed.kind == "prefill")
    if not is_apart(placed):
        return decode
    prefill = _replica(placed, found, prompts=True)
    s = sizes([placed], prompts=True)
    cards = float(np.minimum(s.tensor, s.kv_split)[0])
    token = float(s.stored[0]) / placed.input_tokens
    return Disaggregated(
        prefill, decode, transfer_s=token / (found.constants["transfer"] * float(s.nic[0]) * cards)
    )


def _replica(placed: Service, known: Calibrated, *, prompts: bool) -> Pace:
    c = known.constants
    s = sizes([placed], prompts=prompts)
    more = known.hierarchy.multipliers([levels(placed, "tpot")])[0]
    of = dict(zip(PARTS, np.exp(more).tolist(), strict=True))
    running = _running(placed, s)
    chunk = max(int(s.chunk[0]), running * (1 + placed.drafted))
    context = placed.input_tokens + placed.output_tokens / 2
    tokens = float(most_sequences(s, c)[0]) * context * float(s.data[0])
    if tokens < BLOCK_TOKENS:
        raise Unpredictable(
            f"not feasible: the memory of {placed.accelerators} x {placed.chip.name} holds no request"
        )
    read = slopes(lambda length: placed.model.kv_read_bytes(length, placed.kv_bytes))
    work = slopes(lambda length: placed.model.attention_flops(length, absorbed=placed.model.is_mla))
    pairs = slopes(placed.model.attention_flops)
    window = read.window or int(read.fixed >= 1)  # states of linear layers: a window of one token
    decoding = _decoding(s, c, of["cache"])
    prompting = of["prompt"] / float((s.data * s.tensor * s.peak_16 * c["prompt_attention"])[0])
    return Pace(
        tokens_s=_table(s, known, of, running * (1 + placed.drafted), chunk, prompts),
        blocks=max(1, int(tokens / BLOCK_TOKENS)),
        max_sequences=running,
        block_tokens=BLOCK_TOKENS,
        context_s=decoding(read.full, work.full),
        window_s=decoding(read.seen(window), work.seen(window)),
        window=window,
        pair_s=pairs.full * prompting,
        window_pair_s=pairs.seen(window) * prompting,
        encode_s=_encoding(placed, s, c, of["prompt"]),
        draft_tokens=placed.drafted,
        acceptance=c["accept"] if placed.drafted else 0.0,
        draft_s=_drafting(s, known, of, running) if placed.drafted else 0.0,
    )


def _running(placed: Service, s: Sizes) -> int:
    """Sequences that a replica runs at most."""
    asked = float(placed.concurrency) / max(1, placed.workers)
    most = MOST_RUNNING * float(s.data[0])
    return int(max(1.0, min(asked if np.isfinite(asked) else most, most)))


def _table(
    s: Sizes, known: Calibrated, of: Mapping[str, float], decoding: int, chunk: int, prompts: bool
) -> Floats:
    """Seconds of an iteration by its tokens; more of them than can decode are prompts, and launched one by
    one.
    """
    c = known.constants
    count = np.arange(chunk + 1, dtype=float)
    each = forward(s, c, count / s.data, np.minimum(count, decoding) / s.data)
    steps = each.products * of["products"] + each.experts * of["experts"]
    steps = steps + each.network * of["network"] + each.fixed * of["host"]
    whole = forward(s, c, count / s.data, np.ones_like(count))
    passes = (whole.products + whole.experts) * of["prompt"] + whole.network * of["prompt network"]
    passes = passes + (whole.fixed + s.kernels * c["eager_s"]) * of["host"]
    found = passes if prompts else np.where(count <= decoding, steps, passes)
    return np.asarray(np.maximum.accumulate(found))


def _decoding(s: Sizes, c: Mapping[str, float], more: float) -> Callable[[float, float], float]:
    """Seconds of attention for so many cache bytes read and flops computed by decoded tokens of a worker."""
    split = np.minimum(s.tensor, s.kv_split) * s.data
    read_s = more / float((split * s.bandwidth * c["cache"])[0])
    work_s = (
        more * float((1 + s.drafted)[0]) / float((s.data * s.tensor * s.peak_16 * c["decode_attention"])[0])
    )

    def seconds(read: float, work: float) -> float:
        reading, working = read * read_s, work * work_s
        longest = max(reading, working)
        if longest <= 0:
            return 0.0
        return float(longest * (1 + (min(reading, working) / longest) ** SHARPNESS) ** (1 / SHARPNESS))

    return seconds


def _drafting(s: Sizes, known: Calibrated, of: Mapping[str, float], running: int) -> float:
    """Seconds of a step's drafts: a layer and an output projection for each."""
    c = known.constants
    step = forward(s, c, np.array([float(running)]) / s.data, np.array([float(running)]) / s.data)
    layer = float((s.drafted * step.total / s.layers)[0])
    return layer * of["host"] + float(drafting(s, c)[0]) * of["products"]


def _encoding(placed: Service, s: Sizes, c: Mapping[str, float], more: float) -> float:
    """Seconds of the vision encoder for one of its tokens; 0 where the model has none."""
    from gigawright.workloads.vision import encoder_of

    try:
        encoder = encoder_of(placed.model)
    except CatalogueError:
        return 0.0
    tokens = 1024
    rate = float((s.data * s.tensor * s.peak_16)[0]) * c["products"]
    return more * encoder.flops(tokens) / tokens / rate
