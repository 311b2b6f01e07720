"""The serving model once more, slowly: one service at a time, plain floats and loops, straight from the
equations of docs/serving.md. It shares no formula with the package but the shapes of models.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from gigawright.catalogue.types import Accelerator
from gigawright.workloads.language import LanguageModel
from gigawright.workloads.serving.service import Layout, Service
from gigawright.workloads.training.machine import sustained

STORED = {"fp4": 9 / 16, "int4": 9 / 16, "fp8": 1.0, "int8": 1.0, "bf16": 2.0}
NEXT = {"fp4": "fp8", "int8": "fp8", "fp8": "bf16", "bf16": "fp16"}
SIXTEEN_BITS = 2.0
HALVINGS = 16


@dataclass(frozen=True)
class Answer:
    """Seconds to the first token, for each further one, and of an accelerator an output token; requests that
    run in a replica and that its memory holds.
    """

    first: float
    further: float
    token: float
    running: float
    holds: float


def join(one: float, other: float) -> float:
    """Seconds of two things that overlap, but not quite."""
    return (one**3 + other**3) ** (1 / 3)


def format_of_products(chip: Accelerator, wanted: str) -> str:
    """The format itself, or the next that the chip has; 4-bit integers are multiplied at 16 bits."""
    found = "bf16" if wanted == "int4" else wanted
    while not chip.peak_tflops.get(found):
        found = NEXT[found]
    return found


def sustained_rate(chip: Accelerator, wanted: str) -> float:
    """Flop/s of the best product measured on such a chip."""
    used = format_of_products(chip, wanted)
    best = sustained(chip.name)
    return chip.peak_tflops[used] * 1e12 * (best.share if used in ("bf16", "fp16") else best.share_8)


class Worker:
    """One worker of a service: what its iterations and prompts cost in seconds."""

    def __init__(self, one: Service, layout: Layout, c: Mapping[str, float]) -> None:
        self.one, self.c, self.model, self.chip = one, c, one.model, one.chip
        self.t, self.d, self.stages = layout.tensor, layout.data, layout.pipeline
        self.inside, self.whole = layout.expert_tensor, layout.expert
        self.experts_at = one.expert_precision or one.precision
        four = self.experts_at in ("fp4", "int4") if one.expert_precision else one.precision == "fp4"
        self.dense_at = "bf16" if four and one.model.kv_lora_rank else one.precision
        self.bandwidth = one.chip.memory_gbs * 1e9
        self.peak_16 = (one.chip.peak_tflops.get("bf16") or one.chip.peak_tflops["fp16"]) * 1e12
        self.rate = sustained_rate(one.chip, self.dense_at)
        self.expert_rate = sustained_rate(one.chip, self.experts_at)
        card = (one.chip.nic_gbps or 200.0) / 8 * 1e9
        self.card = card
        self.link = one.chip.scaleup_gbs * 1e9 if one.chip.scaleup_gbs else card
        self.domain = one.chip.scaleup_domain if one.chip.scaleup_gbs else 1
        cores = one.chip.cores or 0
        self.cores = cores if cores >= 16 else 128.0
        self.chunk = one.chunk or (32768 if one.engine == "sglang" else 8192)

    # An iteration

    def dense(self, tokens: float, sequences: float) -> float:
        m, c = self.model, self.c
        values, head = m.resident_params, m.head_params
        padding = c["product_rows"]
        lost = self._split_share() * self._in_vain(self.rate) / (self._split_depth() / self.t)
        computed = 2 * values * (tokens + padding) * (1 + lost) / (self.t * self.rate * c["products"])
        streamed = values * STORED[self.dense_at] / (self.t * self.bandwidth * c["stream"])
        head_computed = 2 * head * (sequences + padding) / (self.t * self.peak_16 * c["products"])
        head_streamed = head * SIXTEEN_BITS / (self.t * self.bandwidth * c["stream"])
        elements = 2 * m.elementwise_values() * tokens / (self.t * self.bandwidth * c["element"])
        return join(computed, streamed) + join(head_computed, head_streamed) + elements

    def _split_width(self) -> float:
        """Inner dimensions that a tensor group splits, summed over layers: heads, feed-forward, shared."""
        m = self.model
        width = 0.0
        for _ in range(m.layers):
            width += m.heads * (m.v_head_dim or m.head_dim)
        for _ in range(m.dense_layers):
            width += m.ffn
        for _ in range(m.moe_layers):
            width += m.shared_ffn
        return width

    def _split_share(self) -> float:
        return self._split_width() * self.model.hidden / self.model.resident_params

    def _split_depth(self) -> float:
        """The mean of those inner dimensions."""
        m = self.model
        return self._split_width() / (m.layers + m.dense_layers + (m.moe_layers if m.shared_ffn else 0))

    def _in_vain(self, rate: float) -> float:
        return self.c["tile_s"] * (rate / self.cores) / (2 * 128 * 128)

    def experts(self, tokens: float) -> float:
        m, c = self.model, self.c
        if not m.moe_layers:
            return 0.0
        everyone = tokens * self.d
        missed = (1 - m.experts_per_token / m.experts) ** (c["skew"] * everyone)
        touched = m.experts * (1 - missed)
        busiest = 1 + c["uneven"] * (1 - 1 / self.whole)
        values = m.expert_params
        rows = everyone * m.experts_per_token + touched * c["expert_rows"]
        vain = self._in_vain(self.expert_rate)
        last = vain * self.inside / m.moe_ffn
        before = (m.matrices - 1) * vain / m.hidden
        slower = 1 + (last + before) / m.matrices
        rate = self.expert_rate * c["products"] * c["grouped"] / slower
        computed = 2 * rows * values * busiest / (self.t * self.d * rate)
        streamed = touched * values * STORED[self.experts_at] * busiest
        streamed /= self.t * self.d * self.bandwidth * c["expert_stream"]
        return sum(join(computed, streamed) for _ in range(m.moe_layers))

    def network(self, tokens: float) -> float:
        m, c = self.model, self.c
        seconds = 0.0
        for layer in range(m.layers):
            routed = layer < m.moe_layers
            seconds += self.all_reduce(tokens * m.hidden * 2.0)
            if routed and self.d > 1:
                out = 1.0 if STORED[self.experts_at] <= 1 else 2.0
                each = tokens / self.t * m.hidden * (out + 2.0)
                seconds += self.all_to_all(each) * (1 - c["hidden"])
            else:
                seconds += self.all_reduce(tokens * m.hidden * 2.0)
        for _ in range(self.stages - 1):
            seconds += c["hop_s"] + tokens * m.hidden * 2.0 / (c["nic"] * self.card)
        return seconds

    def _latency(self, group: int) -> float:
        if group == 1:
            return 0.0
        return self.c["hop_s"] + self.c["node_hop_s"] * math.log2(max(1.0, group / self.domain))

    def all_reduce(self, message: float) -> float:
        if self.t == 1:
            return 0.0
        wire = message / (self.c["link"] * self.link)
        if self.t > self.domain:
            wire = max(wire, message / (self.c["nic"] * self.card * self.domain))
        return self._latency(self.t) + 2 * (self.t - 1) / self.t * wire

    def all_to_all(self, message: float) -> float:
        """A token is sent once to each rank that has one of its experts, and back."""
        group, picked = self.t * self.d, self.model.experts_per_token
        local = min(group, self.domain)
        nodes = group / local
        ranks_met = group * (1 - (1 - 1 / group) ** picked)
        near = ranks_met * (1 - 1 / local) * message / (self.c["link"] * self.link)
        other_nodes = (nodes - 1) * (1 - (1 - 1 / nodes) ** picked)
        far = other_nodes * message / (self.c["nic"] * self.card)
        return 2 * self._latency(group) + max(near, far)

    def kernels(self) -> int:
        """Operators of a pass, layer by layer."""
        m = self.model
        cast_dense = self.dense_at == "fp4" or (self.dense_at != "bf16" and m.moe_layers > 0)
        cast_experts = self.experts_at in ("fp4", "fp8", "int8")
        count = 0
        for layer in range(m.layers):
            linear = layer < m.linear_layers
            count += 8 if linear else 10 if m.kv_lora_rank else 7
            count += 2 if cast_dense else 0
        for _ in range(m.dense_layers):
            count += 4 + (2 if cast_dense else 0)
        for _ in range(m.moe_layers):
            count += 10 + (3 if m.shared_ffn else 0) + (2 if cast_experts else 0)
        return count

    def host(self, sequences: float) -> float:
        c = self.c
        routing = sum(c["routing_s"] for _ in range(self.model.moe_layers))
        return c["step_s"] + self.kernels() * c["kernel_s"] + routing + c["sequence_s"] * sequences

    # Attention and memory

    def context(self) -> float:
        return self.one.input_tokens + self.one.output_tokens / 2

    def cards_of_cache(self) -> int:
        """Ranks that a tensor group spreads the cache of a request over."""
        latent = self.model.kv_lora_rank or self.model.csa_layers
        return min(self.t, 1 if latent else max(1, self.model.kv_heads))

    def cache(self, sequences: float) -> float:
        m, c, context = self.model, self.c, self.context()
        flops = m.attention_flops(context, absorbed=bool(m.kv_lora_rank)) * (1 + self.one.drafted)
        computed = sequences * flops / (self.t * self.peak_16 * c["decode_attention"])
        read = sequences * m.kv_read_bytes(context, self.one.kv_bytes)
        return join(computed, read / (self.cards_of_cache() * self.bandwidth * c["cache"]))

    def holds(self) -> float:
        m = self.model
        dense = (m.resident_params * STORED[self.dense_at] + 2 * m.head_params * SIXTEEN_BITS) / self.t
        routed = m.routed_params * STORED[self.experts_at] / (self.t * self.d)
        working = min(self.chunk, 8192) * m.hidden * (4 + m.experts_per_token) * 2.0
        free = self.chip.memory_gb * 2**30 - (dense + routed) / self.stages - working
        each = m.kv_bytes(self.context(), self.one.kv_bytes) / (self.cards_of_cache() * self.stages)
        return self.c["memory_used"] * free / each

    # Steps and prompts

    def step(self, running: float) -> float:
        """An iteration in which all running requests decode, with drafts."""
        sequences = running / self.stages
        tokens = sequences * (1 + self.one.drafted)
        drafting = 0.0
        once = self.dense(tokens, tokens) + self.experts(tokens) + self.network(tokens)
        once += self.host(tokens) + self.cache(sequences)
        for _ in range(self.one.drafted):
            seconds_of_layer = once / self.model.layers
            head = self.model.head_params * SIXTEEN_BITS / (self.t * self.bandwidth * self.c["stream"])
            drafting += seconds_of_layer + head
        return once + drafting

    def kept(self) -> float:
        """Tokens of a step: one, and each draft that is kept if the one before is."""
        one = self.one
        if not one.drafted:
            return 1.0
        if "accepted" not in one.assumed:
            return 1 + one.accepted
        return 1 + sum(self.c["accept"] ** draft for draft in range(1, one.drafted + 1))

    def prompt(self) -> tuple[float, float]:
        """Seconds of one prompt by itself: its work and traffic, and what is fixed."""
        m, c, one = self.model, self.c, self.one
        left = one.input_tokens * (1 - one.cached)
        chunks = max(1, math.ceil(left / self.chunk))
        work = fixed = 0.0
        for _ in range(chunks):
            tokens = left / chunks
            work += self.dense(tokens, 1.0) + self.experts(tokens) + self.network(tokens)
            fixed += self.host(1.0) + self.kernels() * c["eager_s"]
        middle = one.input_tokens * (1 + one.cached) / 2
        pairs = left * m.attention_flops(middle)
        return work + pairs / (self.t * self.peak_16 * c["prompt_attention"]), fixed

    def moved(self) -> float:
        """Seconds in which a prompt's cache goes to another worker."""
        size = self.model.kv_bytes(self.one.input_tokens, self.one.kv_bytes)
        return size / (self.c["transfer"] * self.card * self.cards_of_cache())


def evaluate(one: Service, c: Mapping[str, float]) -> Answer:
    """What users of a service with a layout feel."""
    layout = one.layout or Layout()
    decoder = Worker(one, layout, c)
    holds = decoder.holds()
    asked = one.concurrency / (layout.data * max(1, one.workers))
    running = min(asked, max(holds, 1.0), 4096.0)
    if one.tpot_limit_s or one.ttft_limit_s:
        running = _within_limits(one, c, running)
    first, further = _times(one, c, running)
    ranks = layout.tensor * layout.data * layout.pipeline
    return Answer(first, further, further * ranks / (running * layout.data), running, holds)


def _within_limits(one: Service, c: Mapping[str, float], most: float) -> float:
    apart = one.disaggregated or one.prefill is not None or one.kind == "decode"
    share = 1.0 if apart else c["limit_share"]
    low, high = 0.0, math.log(max(most, 1.0))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        first, further = _times(one, c, math.exp(middle))
        kept = further <= share * (one.tpot_limit_s or math.inf)
        kept = kept and first <= share * (one.ttft_limit_s or math.inf)
        low, high = (middle, high) if kept else (low, middle)
    return math.exp(low)


def _times(one: Service, c: Mapping[str, float], running: float) -> tuple[float, float]:
    layout = one.layout or Layout()
    decoder, reader = Worker(one, layout, c), Worker(one, one.prefill or layout, c)
    apart = one.disaggregated or one.prefill is not None or one.kind == "decode"
    workers, readers = max(1, one.workers), max(1, one.prefill_workers)
    answer = max(1.0, one.output_tokens)
    work, fixed = reader.prompt()
    step = decoder.step(running)
    further = step / decoder.kept()
    if not apart:
        further += max(running - 1, 0) / answer * c["interference"] * decoder.d ** c["together"] * work
    asked = one.concurrency / (decoder.d * workers)
    known = asked if math.isfinite(asked) else running
    before = known * decoder.d * workers / (reader.d * readers) if apart else running
    first = (work + fixed) * (1 + c["ahead"] * max(before - 1, 0)) + c["turn"] * step
    first += c["front_s"] + c["front_token_s"] * one.input_tokens
    if apart:
        first += reader.moved()
    if math.isfinite(asked):
        first += max(asked - running, 0) / running * answer * further
    return first, further


def prompt_token_seconds(one: Service, c: Mapping[str, float]) -> float:
    """Seconds of an accelerator for a computed token of prompts that have their worker for themselves."""
    layout = one.prefill or one.layout or Layout()
    reader = Worker(one, layout, c)
    left = one.input_tokens * (1 - one.cached)
    prompts, passes = max(1.0, reader.chunk / left), max(1.0, left / reader.chunk)
    tokens = min(float(reader.chunk), left * prompts)
    each = reader.dense(tokens, prompts) + reader.experts(tokens) + reader.network(tokens)
    each += reader.host(prompts) + reader.kernels() * c["eager_s"]
    pairs = left * one.model.attention_flops(one.input_tokens * (1 + one.cached) / 2)
    attention = pairs / (reader.t * reader.peak_16 * c["prompt_attention"])
    whole = one.model.kv_bytes(one.input_tokens, one.kv_bytes)
    back = whole * one.cached / (c["reload"] * (one.chip.host_gbs or 32.0) * 1e9 * reader.cards_of_cache())
    seconds = each * passes + prompts * (attention + back)
    return seconds * reader.t / (left * prompts)  # stages of a pipeline work on different prompts


def kinds_of(models: list[LanguageModel]) -> set[str]:
    """The kinds of layers that models have between them."""
    found = {
        "dense": any(not one.moe_layers for one in models),
        "experts": any(one.moe_layers for one in models),
        "latent": any(one.kv_lora_rank for one in models),
        "window": any(one.window_layers for one in models),
        "linear": any(one.linear_layers for one in models),
        "index": any(one.index_layers for one in models),
        "compressed": any(one.csa_layers for one in models),
    }
    return {name for name, has in found.items() if has}
