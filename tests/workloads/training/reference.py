"""A training step worked out slowly: one run, one operator after the other, plain numbers, no arrays.

Written from the equations, to be compared with the array code to 1e-9. What it takes over is what has tests
of its own: counts of a model (`LanguageModel`), the table of measured products, and the constants' names.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, exp, log2

from gigawright.workloads.training.constants import Constants
from gigawright.workloads.training.run import Layout, Run
from gigawright.workloads.training.shapes import FUSED, UNFUSED

from .slow_chip import Chip, Wires
from .slow_memory import BF16, FP32, Held, Ranks
from .slow_model import TILE, Counts


@dataclass(frozen=True)
class Slow:
    """Seconds by part, those of waiting among them, and bytes by what holds them."""

    parts: dict[str, float]
    waiting: float
    held: dict[str, float]
    bytes: float

    @property
    def seconds(self) -> float:
        return sum(self.parts.values())


def evaluate(run: Run, c: Constants) -> Slow:
    """A step of a run with a layout."""
    assert run.layout is not None
    held = Held(run, c)
    walk = Walk(run, c, held)
    return Slow(walk.parts(), walk.waiting(), held.by_kind(), held.total())


PARTS = ("products", "attention", "memory", "experts", "network", "dispatch", "host")


@dataclass(frozen=True)
class Walk:
    """Seconds of a step, operator by operator."""

    run: Run
    c: Constants
    held: Held

    @property
    def layout(self) -> Layout:
        assert self.run.layout is not None
        return self.run.layout

    @property
    def chip(self) -> Chip:
        return Chip(self.run, self.c)

    @property
    def wires(self) -> Wires:
        return Wires(self.chip, self.c)

    @property
    def counts(self) -> Counts:
        return Counts(self.run)

    @property
    def ranks(self) -> Ranks:
        return Ranks(self.run)

    def parts(self) -> dict[str, float]:
        slow, after = self.slowest_stage, self.after()
        total = {p: slow[p] * (self.ranks.micro_batches() + self.bubble()) + after.get(p, 0.0) for p in PARTS}
        return {p: total[p] * self.grown() for p in PARTS}

    def waiting(self) -> float:
        slow = self.slowest_stage
        return sum(slow[p] for p in PARTS) * self.bubble() * self.grown()

    def bubble(self) -> float:
        """Micro-batches' worth of waiting; too few micro-batches can neither interleave nor fill a bubble."""
        p, m = self.layout.pipeline, self.ranks.micro_batches()
        if self.layout.chunks > 1:
            return (min(m, p) - 1) / self.layout.chunks + max(0.0, p - m)
        if self.layout.schedule == "zero-bubble":
            return p - 1 - 2 / 3 * (min(m, p) - 1)
        return p - 1

    def young(self) -> float:
        """Software that is still learning the chip: all operators and launches, not the network."""
        return 1 + self.c.immature * exp(-self.run.age_years / self.c.maturing_years)

    def grown(self) -> float:
        return 1 + self.c.scale * log2(max(1.0, self.layout.accelerators / 8))

    # What is done twice

    def whole(self) -> float:
        """Share of the forward pass that is done again."""
        if self.layout.recompute == "full":
            return 1.0
        short = self.held.shortage()
        dear = 1 - self.c.selective  # what whole layers cost more than the operators that go first
        return short * self.c.selective + short**3 * dear

    def light(self) -> float:
        return 1.0 if self.layout.recompute == "selective" else 0.0

    # One micro-batch through all layers

    def layers(self) -> dict[str, float]:
        again = 1 + self.whole()
        products = again * self.products("forward") + self.products("backward")
        attention = (again + self.light()) * self.attention() + 2.5 * self.attention()
        element = (again + self.light() / 2) * self.element("forward") + self.element("backward")
        element += self.offloaded(again * (self.products("forward") + self.attention()))
        element += self.offloaded(self.products("backward") + 2.5 * self.attention())
        experts = again * self.experts("forward") + self.experts("backward")
        busy = products + attention + element + experts
        c, beside = self.c, float(self.layout.overlap_tensor)
        sends = self.sends() * (1 - c.hidden_pipeline * self.layout.overlap_pipeline)
        hiding = [
            ("tensor", (again + 1) * self.tensor(), products, c.hidden_tensor * beside),
            ("context", (again + 2) * self.context(), attention, c.hidden_context * beside),
            ("dispatch", (again + 1) * self.dispatch(), busy, c.hidden_expert * beside),
            ("shard", self.sharding(), busy, c.hidden_shard * self.layout.overlap_data),
        ]
        felt, left = {}, busy
        for name, traffic, cover, share in hiding:
            hidden = share * min(traffic, left if cover == busy else cover)
            felt[name] = traffic - hidden * (1 - c.theft)
            left -= hidden
        dispatch = felt.pop("dispatch")
        network = sum(felt.values()) + sends
        return {
            "products": products,
            "attention": attention,
            "memory": element,
            "experts": experts,
            "network": network,
            "dispatch": dispatch,
            "host": self.launching(busy + network + dispatch),
        }

    def product(self, m: float, n: float, k: float, rate: float, size: float) -> float:
        """Computing, with tiles that do not fill the cores, or moving operands and result."""
        waves = ceil(m / TILE) * ceil(n / TILE) / self.chip.cores()
        idle = min(ceil(waves) / waves - 1, 3.0)
        lost = (1 + self.c.gemm_waves * idle) * (1 + self.filling(rate) / k)
        computing = 2 * m * n * k / rate * lost
        return self.c.gemm_start_s + max(computing, size * (m * k + k * n + m * n) / self.chip.hbm())

    def filling(self, rate: float) -> float:
        """Depth of a product that a core computes while a tile of it fills and empties."""
        tile_flops = 2 * TILE * TILE
        return self.c.tile_s * (rate / self.chip.cores()) / tile_flops

    def products(self, way: str) -> float:
        seconds, m, t = 0.0, self.ranks.tokens(), self.layout.tensor
        for p in self.counts.products():
            n, k = p.n / t if p.split == "n" else p.n, p.k / t if p.split == "k" else p.k
            rate = self.chip.gemm() if p.low else self.chip.gemm_16()
            size = self.chip.value_bytes() if p.low else BF16
            if way == "forward":
                seconds += p.layers * self.product(m, n, k, rate, size)
            else:
                seconds += p.layers * self.product(m, k, n, rate, size)
                seconds += p.layers * self.product(k, n, m, rate, size)
        return seconds * self.young()

    def attention(self) -> float:
        m = self.run.model
        head, length = (m.head_dim + m.value_dim) / 2, self.run.seq_len / self.layout.context
        rate = self.chip.peak_16() * self.chip.power() * self.c.attention
        rate /= (1 + self.c.attention_head / head) * (1 + self.c.attention_length / length)
        flops = self.counts.attention_flops() * self.ranks.tokens() / self.layout.tensor
        return flops / rate * self.young()

    def element(self, way: str) -> float:
        """Norms, residuals and activations, twice backward, and casts of what products read."""
        speed, t = self.chip.hbm() * self.c.element, self.layout.tensor
        wide = t if self.layout.sequence_parallel else 1
        values = self.counts.moved() / t + self.counts.unsplit() / wide
        operands = [
            p.k * p.layers if way == "forward" else p.n * p.layers for p in self.counts.products() if p.low
        ]
        values = values * (1 if way == "forward" else 2) + self.chip.casts() * sum(operands) / t
        return BF16 * values * self.ranks.tokens() / speed * self.young()

    def experts(self, way: str) -> float:
        m, e = self.run.model, self.layout.expert
        if not self.counts.moe_layers():
            return 0.0
        width, ffn, gates = self.counts.expert_width(), m.moe_ffn, m.matrices - 1
        visits = self.ranks.tokens() / self.layout.tensor * m.experts_per_token * self.run.imbalance
        held = m.experts / (e if e > 1 else self.layout.tensor)
        rows = visits * (e if e > 1 else self.layout.tensor) / m.experts
        k0 = self.filling(self.chip.gemm())
        rate = self.chip.gemm() * self.c.grouped ** (1 - 1 / max(held, 1.0))
        rate /= 1 + self.c.grouped_rows / max(rows, 1.0)
        deep = gates * ffn * (1 + k0 / width) + ffn * (1 + k0 / ffn)
        work = 2 * visits * width * deep / rate
        activation = UNFUSED if m.swiglu_limit else FUSED
        read = held * m.matrices * width * ffn / self.chip.hbm()
        sort = BF16 * visits * (4 * width + activation * ffn) / self.chip.hbm() / self.c.permute
        casts = self.chip.casts() * BF16 * visits / self.chip.hbm() / self.c.element
        start = 2 * self.c.gemm_start_s
        layers = self.counts.moe_layers() * self.young()
        if way == "forward":
            return layers * (start + max(work, BF16 * read) + sort + casts * (width + ffn))
        backward = 2 * start + 2 * max(work, FP32 * read) + 2 * sort + casts * (gates * ffn + width)
        return layers * backward

    def offloaded(self, cover: float) -> float:
        """Activations to the host, or back, as far as nothing hides it."""
        if not self.layout.offload or self.layout.recompute == "full":
            return 0.0
        values = (self.counts.kept() + self.counts.kept_experts()) / self.layout.tensor
        return max(0.0, BF16 * self.ranks.tokens() * values / self.chip.host() - cover)

    def head(self) -> float:
        """Output projection: forward and twice backward, each as the forward one."""
        m = self.run.model
        once = self.product(
            self.ranks.tokens(), m.vocab / self.layout.tensor, m.hidden, self.chip.gemm_16(), BF16
        )
        return 3 * once * (1 + self.run.mtp) * self.young()

    def loss(self) -> float:
        scores = self.ranks.tokens() * self.run.model.vocab / self.layout.tensor
        return 4 * FP32 * scores / self.chip.hbm() / self.c.element * (1 + self.run.mtp) * self.young()

    def tensor(self) -> float:
        """A gather and a scatter around each block, forward; experts in their own groups need none."""
        blocks = self.counts.layers() * (1 if self.run.parallel_block else 2)
        if self.layout.expert > 1:
            blocks -= self.counts.moe_layers()
        message = BF16 * self.ranks.tokens() * self.run.model.hidden
        return 2 * blocks * self.wires.gather(self.layout.tensor, 1, message)

    def context(self) -> float:
        """Keys and values of the whole sequence to everyone, forward."""
        m, layout = self.run.model, self.layout
        tokens = layout.micro_batch * self.run.seq_len
        message = BF16 * tokens * self.counts.keys_and_values() / layout.tensor
        return (m.layers - m.linear_layers) * self.wires.gather(layout.context, layout.tensor, message)

    def dispatch(self) -> float:
        """There and back, forward."""
        sent = BF16 * self.ranks.tokens() / self.layout.tensor * self.counts.expert_width()
        sent *= self.run.imbalance
        once = self.wires.exchange(self.layout.expert, self.run.model.experts_per_token, sent)
        return 2 * self.counts.moe_layers() * once

    def sharding(self) -> float:
        """Weights gathered forward and backward and gradients scattered, a layer at a time."""
        layout, ranks = self.layout, self.ranks
        if layout.zero == 3:
            times = 3
        elif layout.zero == 2:
            times = 2 if layout.pipeline == 1 else 1
        else:
            return 0.0
        values = ranks.dense() + ranks.ends()
        layers, shards, copies = self.counts.layers(), ranks.shards(), ranks.shards_of_an_expert()
        layer = BF16 * layout.pipeline / layers
        once = self.wires.gather(shards, layout.tensor, layer * values)
        if ranks.routed() > 0:
            once += self.wires.gather(copies, layout.tensor * shards / copies, layer * ranks.routed())
        return times * layers * once

    def sends(self) -> float:
        """Activations and their gradients over every boundary of chunks, all stages."""
        layout = self.layout
        if layout.pipeline == 1:
            return 0.0
        message = BF16 * self.ranks.tokens() * self.run.model.hidden
        message /= layout.tensor if layout.sequence_parallel else 1
        stride = layout.tensor * layout.data * layout.context
        return 2 * layout.pipeline * layout.chunks * self.wires.send(stride, message)

    def launching(self, running: float) -> float:
        """What the longer of launching and running adds."""
        local = 1.0 if self.run.dropped else max(1, self.run.model.experts) / self.layout.expert
        host = self.counts.layers() * self.c.launch_s
        plain = 1 / 3 if self.chip.precision() == "bf16" else 1.0
        host += self.counts.moe_layers() * local * plain * self.c.expert_launch_s
        host *= (1 + self.whole() / 3) * self.young()
        return (running**4 + host**4) ** 0.25 - running

    # The pipeline, and what comes after it

    @cached_property
    def slowest_stage(self) -> dict[str, float]:
        """A micro-batch on the slowest stage: between even stages and one more layer on the last."""
        layer = self.layers()
        ends = {"products": self.head(), "memory": self.loss()}
        most = ceil(self.counts.layers() / self.layout.pipeline) / self.counts.layers()
        found = {}
        for p in PARTS:
            even = (layer[p] + ends.get(p, 0.0)) / self.layout.pipeline
            uneven = layer[p] * most + ends.get(p, 0.0)
            found[p] = (1 - self.c.uneven) * even + self.c.uneven * uneven
        return found

    def after(self) -> dict[str, float]:
        """Gradients and weights among copies, the optimiser, and the host's share."""
        return {"memory": self.optimiser(), "network": self.gradients(), "host": self.c.step_s}

    def gradients(self) -> float:
        """Traffic after the last micro-batch, as far as that does not hide it."""
        sharded = self.layout.zero == 3 or (self.layout.zero == 2 and self.layout.pipeline == 1)
        traffic = self.between_replicas() if sharded else self.over_copies()
        if self.layout.zero == 0:  # fp32 gradients to everyone, there and back
            traffic *= 2 * FP32 / (BF16 + FP32)
        if self.layout.zero == 2 and self.layout.pipeline > 1:  # gradients have been scattered already
            traffic *= BF16 / (BF16 + FP32)
        window = sum(self.slowest_stage.values())
        hidden = self.c.hidden_data * self.layout.overlap_data * min(traffic, window)
        return traffic - hidden * (1 - self.c.theft)

    def between_replicas(self) -> float:
        """Gradients of groups that each hold all shards: scattered and gathered."""
        layout, ranks = self.layout, self.ranks
        dense = ranks.dense() + ranks.ends()
        shards, copies = ranks.shards(), ranks.copies()
        once = self.wires.gather(copies / shards, layout.tensor * shards, FP32 * dense / shards)
        if ranks.routed() > 0:
            apart = copies * layout.tensor / ranks.copies_of_an_expert()
            shards = ranks.shards_of_an_expert()
            groups = ranks.copies_of_an_expert() / shards
            once += self.wires.gather(groups, apart * shards, FP32 * ranks.routed() / shards)
        return 2 * once

    def over_copies(self) -> float:
        """Gradients scattered in 32 bits and weights gathered in 16, experts among their own copies."""
        layout, ranks = self.layout, self.ranks
        dense = ranks.dense() + ranks.ends()
        copies = ranks.copies_of_an_expert()
        traffic = self.wires.gather(ranks.copies(), layout.tensor, (BF16 + FP32) * dense)
        if ranks.routed() > 0:
            stride = ranks.copies() * layout.tensor / copies
            traffic += self.wires.gather(copies, stride, (BF16 + FP32) * ranks.routed())
        return traffic

    def optimiser(self) -> float:
        """Adam reads and writes 30 bytes a value."""
        ranks = self.ranks
        dense = ranks.dense() + ranks.ends()
        routed = ranks.routed()
        if self.layout.zero >= 1:
            dense, routed = dense / ranks.shards(), routed / ranks.shards_of_an_expert()
        return 30 * (dense + routed) / self.chip.hbm() / self.c.optimiser * self.young()
