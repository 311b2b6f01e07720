"""Who shares what, and the bytes on the fullest accelerator, for the slow evaluation of a step."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from gigawright.workloads.training.constants import Constants
from gigawright.workloads.training.machine import GIBIBYTE
from gigawright.workloads.training.memory import FIXED_BYTES, FRAGMENTATION
from gigawright.workloads.training.run import Layout, Run

from .slow_model import Counts

BF16 = 2.0
FP32 = 4.0


@dataclass(frozen=True)
class Ranks:
    """Who shares what."""

    run: Run

    @property
    def layout(self) -> Layout:
        assert self.run.layout is not None
        return self.run.layout

    def dense(self) -> float:
        """Weights of layers on one accelerator, routed experts left out."""
        return (
            self.run.model.resident_params
            * Counts(self.run).more()
            / self.layout.tensor
            / self.layout.pipeline
        )

    def routed(self) -> float:
        held = self.layout.expert if self.layout.expert > 1 else self.layout.tensor
        return self.run.model.routed_params * Counts(self.run).more_moe() / held / self.layout.pipeline

    def ends(self) -> float:
        """Embedding and output projection where they are on one rank, one of them where stages part them."""
        both = self.run.layout.pipeline == 1 and not self.run.model.tied  # type: ignore[union-attr]
        return self.embedding() * (2 if both else 1)

    def embedding(self) -> float:
        """One embedding on a tensor group's rank."""
        return self.run.model.head_params / self.layout.tensor

    def copies(self) -> int:
        return self.layout.data * self.layout.context

    def shards(self) -> int:
        """Ranks that share states: so many of the data ranks, and all of their contexts."""
        data = min(self.layout.shard or self.layout.data, self.layout.data)
        return data * self.layout.context

    def copies_of_an_expert(self) -> float:
        return max(1.0, self.copies() * self._experts_over_dense())

    def shards_of_an_expert(self) -> float:
        return max(1.0, self.shards() * self._experts_over_dense())

    def _experts_over_dense(self) -> float:
        return self.layout.tensor / self.layout.expert if self.layout.expert > 1 else 1.0

    def micro_batches(self) -> int:
        """What the busiest rank does."""
        return max(1, ceil(self.run.batch / (self.layout.data * self.layout.micro_batch)))

    def tokens(self) -> float:
        """Tokens of a micro-batch on one accelerator of a context group."""
        return self.layout.micro_batch * self.run.seq_len / self.layout.context


@dataclass(frozen=True)
class Held:
    """Bytes on the fullest accelerator."""

    run: Run
    c: Constants

    def by_kind(self) -> dict[str, float]:
        return {**self.states(), "activations": self.activations(), "scores": self.scores()}

    def total(self) -> float:
        return sum(self.by_kind().values()) * FRAGMENTATION + FIXED_BYTES

    def states(self) -> dict[str, float]:
        run, ranks = self.run, Ranks(self.run)
        layout = ranks.layout
        dense, routed = ranks.dense() + ranks.ends(), ranks.routed()

        def values(stage: int) -> float:
            if layout.zero < stage:
                return dense + routed
            return dense / ranks.shards() + routed / ranks.shards_of_an_expert()

        layer = (ranks.dense() + routed) * layout.pipeline / Counts(run).layers()
        two_layers = 2 * BF16 * layer if layout.zero == 3 else 0.0
        return {
            "weights": BF16 * values(3) + two_layers,
            "gradients": FP32 * values(2),
            "optimiser": 3 * FP32 * values(1),
        }

    def scores(self) -> float:
        """Output scores in 16 and 32 bits, where the last stage is the first as well."""
        layout = Ranks(self.run).layout
        if layout.pipeline > 1:
            return 0.0
        return (BF16 + FP32) * Ranks(self.run).tokens() * self.run.model.vocab / layout.tensor

    def in_flight(self) -> float:
        """Micro-batches that the first stage holds."""
        layout = Ranks(self.run).layout
        stages: float = layout.pipeline
        if layout.chunks > 1:
            stages += (layout.pipeline - 1) / layout.chunks
        return min(stages, Ranks(self.run).micro_batches())

    def layer_inputs(self) -> float:
        """Values of a token that enter the layers; only sequence parallelism splits them."""
        layout = Ranks(self.run).layout
        wide = layout.tensor if layout.sequence_parallel else 1
        return self.run.model.hidden * Counts(self.run).layers() / wide

    def everything(self) -> float:
        """Values of a token that the backward pass needs: around norms 4 of the width of each layer."""
        counts, t = Counts(self.run), Ranks(self.run).layout.tensor
        norms = 4 * self.run.model.hidden * counts.layers()
        return (counts.kept() - norms + counts.kept_experts()) / t + 4 * self.layer_inputs()

    def choices(self) -> dict[str, float]:
        """Bytes of activations by policy."""
        layout, ranks = Ranks(self.run).layout, Ranks(self.run)
        light = 2 * self.layer_inputs() + Counts(self.run).activated() / layout.tensor
        stage = BF16 * ranks.tokens() / layout.pipeline * self.in_flight()
        return {
            "none": stage * self.everything(),
            "selective": stage * (self.everything() - light),
            "full": min(stage * self.layer_inputs() + self.one_layer(), stage * self.everything()),
        }

    def one_layer(self) -> float:
        return BF16 * Ranks(self.run).tokens() * self.everything() / Counts(self.run).layers()

    def shortage(self) -> float:
        """Share of activations that has to go, where the run says to recompute as little as possible."""
        if Ranks(self.run).layout.recompute != "auto":
            return 0.0
        chosen = self.choices()
        room = (self.run.chip.memory_gb * GIBIBYTE * self.c.memory_used - FIXED_BYTES) / FRAGMENTATION
        room -= sum(self.states().values()) + self.scores()
        if Ranks(self.run).layout.offload and min(chosen["none"], self.parked()) <= room:
            return 0.0
        over = (chosen["none"] - room) / max(chosen["none"] - chosen["full"], 1.0)
        return min(1.0, max(0.0, over))

    def activations(self) -> float:
        layout = Ranks(self.run).layout
        chosen = self.choices()
        chosen["auto"] = chosen["none"] - self.shortage() * (chosen["none"] - chosen["full"])
        kept = chosen[layout.recompute]
        if not layout.offload or layout.recompute == "full":
            return kept
        return min(kept, self.parked())

    def parked(self) -> float:
        """Two layers and the inputs of one micro-batch's; all else is with the host."""
        layout = Ranks(self.run).layout
        inputs = BF16 * Ranks(self.run).tokens() / layout.pipeline * self.layer_inputs()
        return 2 * self.one_layer() + inputs
