"""What there is of a model in a run, for the slow evaluation of a step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gigawright.workloads.language import LanguageModel
from gigawright.workloads.training.run import Run

TILE = 128


@dataclass(frozen=True)
class Product:
    """Weights of n outputs by k inputs, in so many layers; `split` by "n", "k", or neither."""

    n: float
    k: float
    layers: float
    split: str
    low: bool = True


@dataclass(frozen=True)
class Counts:
    """What there is of a model in a run, multi-token prediction included."""

    run: Run

    @property
    def model(self) -> LanguageModel:
        return self.run.model

    def more(self) -> float:
        """Layers over those without multi-token prediction."""
        return 1 + self.run.mtp / self.model.layers

    def more_moe(self) -> float:
        return 1 + self.run.mtp / self.model.moe_layers if self.model.moe_layers else 1.0

    def layers(self) -> float:
        return self.model.layers + self.run.mtp

    def moe_layers(self) -> float:
        return self.model.moe_layers * self.more_moe()

    def expert_width(self) -> float:
        return self.model.moe_latent or self.model.hidden

    def products(self) -> Iterator[Product]:
        """Dense products of the layers, the output projection left out."""
        m, more = self.model, self.more()
        attending = m.full_layers + m.window_layers
        mine = [p for p in (self._mla(attending) if m.is_mla else self._grouped(attending)) if p.layers]
        yield from (Product(p.n, p.k, p.layers * more, p.split) for p in mine)
        rest = (m.attention_params - sum(p.n * p.k * p.layers for p in mine)) / (m.hidden * m.layers)
        if rest > 1:
            yield Product(rest, m.hidden, m.layers * more, "n")
        gates = 2 if m.gated else 1
        if m.dense_layers:
            yield Product(gates * m.ffn, m.hidden, m.dense_layers * more, "n")
            yield Product(m.hidden, m.ffn, m.dense_layers * more, "k")
        if m.moe_layers:
            routed = m.moe_layers * self.more_moe()
            if m.shared_ffn:
                yield Product(gates * m.shared_ffn, m.hidden, routed, "n")
                yield Product(m.hidden, m.shared_ffn, routed, "k")
            yield Product(m.experts + 2 * m.moe_latent, m.hidden, routed, "", low=False)

    def _grouped(self, layers: float) -> Iterator[Product]:
        m = self.model
        queries, keys, values = m.heads * m.head_dim, m.kv_heads * m.head_dim, m.kv_heads * m.value_dim
        yield Product(queries + keys + values, m.hidden, layers, "n")
        yield Product(m.hidden, m.heads * m.value_dim, layers, "k")

    def _mla(self, layers: float) -> Iterator[Product]:
        m = self.model
        yield Product(m.heads * m.head_dim, m.q_lora_rank or m.hidden, layers, "n")
        yield Product(m.hidden, m.heads * m.value_dim, layers, "k")
        yield Product(m.q_lora_rank + m.kv_lora_rank + m.qk_rope_dim, m.hidden, layers, "")
        up = m.heads * ((m.qk_nope_dim or m.head_dim) + m.value_dim)
        yield Product(up, m.kv_lora_rank, layers, "n")

    def attention_flops(self) -> float:
        """Forward scores and sums of a token, whole tiles on the diagonal and at a window's edge."""
        m, run = self.model, self.run
        reach = min(run.window or run.seq_len, run.seq_len)
        seen = reach - reach**2 / run.seq_len / 2 + TILE / 2  # the first tokens have fewer before them
        if m.window:
            w, s = min(m.window, run.seq_len), run.seq_len
            m = replace(m, window=round(w - w**2 / s / 2) + TILE)
        return m.attention_flops(seen) * self.more()

    def keys_and_values(self) -> float:
        """Values of keys and values of a token and layer, as attention reads them."""
        m = self.model
        if m.is_mla:
            return m.heads * (m.head_dim + m.value_dim)
        second_token: float = m.kv_bytes(2.0, 1.0) - m.kv_bytes(1.0, 1.0)  # without states of a fixed size
        return second_token / max(1, m.layers - m.linear_layers)

    def moved(self) -> float:
        """Values that element-wise operators move for a token, without routed experts and `unsplit`."""
        m = self.model
        experts = m.moe_layers * m.experts_per_token * (3 * m.moe_ffn + 4 * self.expert_width())
        return (m.elementwise_values() - experts) * self.more() - self.unsplit()

    def unsplit(self) -> float:
        """Norms and residuals."""
        return 14 * self.model.hidden * self.layers()

    def kept(self) -> float:
        """Values the backward pass needs of a token, all layers, experts left out."""
        m = self.model
        queries, outputs = m.heads * m.head_dim, m.heads * m.value_dim
        keys = m.kv_heads * (m.head_dim + m.value_dim)
        latent = m.kv_lora_rank + m.q_lora_rank if m.is_mla else 0
        layer = 4 * m.hidden + queries + keys + outputs + latent
        dense = m.dense_layers * m.matrices * m.ffn
        shared = m.moe_layers * m.matrices * m.shared_ffn
        return (m.layers * layer + dense + shared) * self.more()

    def activated(self) -> float:
        """Outputs of activations, shared and routed experts' too."""
        m = self.model
        moe = m.shared_ffn + m.experts_per_token * m.moe_ffn
        return (m.dense_layers * m.ffn + m.moe_layers * moe) * self.more()

    def kept_experts(self) -> float:
        m = self.model
        expert = 2 * self.expert_width() + m.matrices * m.moe_ffn
        return self.moe_layers() * m.experts_per_token * expert
