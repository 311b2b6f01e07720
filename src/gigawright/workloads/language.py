"""Language models as shapes: parameters, flops a token and bytes of KV cache, by kind of layer.

Attention layers come in six kinds, counted apart: full, window (or chunk), CSA and HCA (compressed keys
and values, with and without a top-k index), linear (a state of fixed size), and full layers behind a
sparse index (DSA). Feed-forward layers are dense or routed to experts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

CSA_RATIO = 4
"""Tokens that share one compressed entry in a CSA layer (`compress_ratios` of DeepSeek-V4's config)."""

HCA_RATIO = 128
"""Tokens that share one compressed entry in an HCA layer (`compress_ratios` of DeepSeek-V4's config)."""

SPARSE_BLOCK = 128
"""Tokens in a block that block-sparse attention picks (MiniMax-M3's config: `index_topk` counts blocks)."""

STATE_BYTES = 4.0
"""Bytes of a value in a linear-attention state; assumption: kept in fp32, as public kernels do."""


@dataclass(frozen=True)
class LanguageModel:
    """The shape of a decoder-only language model; a field that does not apply is zero.

    `full_layers + window_layers + csa_layers + hca_layers + linear_layers` are attention layers,
    `dense_layers + moe_layers` feed-forward ones. Published counts are in billions and 0 where unknown.
    """

    id: str
    name: str
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int
    layers: int
    full_layers: int
    dense_layers: int = 0
    ffn: int = 0
    attention: str = "gqa"
    aliases: tuple[str, ...] = ()
    params_total_b: float = 0.0
    params_active_b: float = 0.0
    v_head_dim: int = 0
    q_lora_rank: int = 0
    kv_lora_rank: int = 0
    qk_nope_dim: int = 0
    qk_rope_dim: int = 0
    o_lora_rank: int = 0
    o_groups: int = 0
    window: int = 0
    window_layers: int = 0
    window_heads: int = 0
    window_kv_heads: int = 0
    csa_layers: int = 0
    hca_layers: int = 0
    index_layers: int = 0
    index_heads: int = 0
    index_dim: int = 0
    index_topk: int = 0
    linear_layers: int = 0
    linear_kind: str = ""
    linear_key_heads: int = 0
    linear_value_heads: int = 0
    linear_key_dim: int = 0
    linear_value_dim: int = 0
    linear_state: int = 0
    linear_groups: int = 0
    conv_kernel: int = 0
    global_kv_heads: int = 0
    global_head_dim: int = 0
    global_k_eq_v: bool = False
    attn_gate: str = ""
    moe_layers: int = 0
    experts: int = 0
    experts_per_token: int = 0
    moe_ffn: int = 0
    moe_latent: int = 0
    shared_ffn: int = 0
    tied: bool = False
    gated: bool = True
    swiglu_limit: float = 0.0
    learned_positions: int = 0
    verified: bool = False
    shape_basis: str = "published"
    source: str = ""

    @property
    def is_mla(self) -> bool:
        """Whether keys and values are cached as one latent vector (multi-head latent attention)."""
        return self.kv_lora_rank > 0

    @property
    def is_moe(self) -> bool:
        """Whether tokens are routed to experts."""
        return self.moe_layers > 0 and self.experts > 0

    @property
    def value_dim(self) -> int:
        """Width of a value head."""
        return self.v_head_dim or self.head_dim

    @property
    def matrices(self) -> int:
        """Matrices of a feed-forward layer: three with a gate, two without."""
        return 3 if self.gated else 2

    @cached_property
    def embedding_params(self) -> float:
        """Values of the input embedding and of learned positions."""
        return float((self.vocab + self.learned_positions) * self.hidden)

    @cached_property
    def head_params(self) -> float:
        """Values of the output projection, which works on every token also where it is tied."""
        return float(self.vocab * self.hidden)

    @cached_property
    def attention_params(self) -> float:
        """Values of all attention and linear-attention layers, indexers included."""
        heads, kv_heads = self.window_heads or self.heads, self.window_kv_heads or self.kv_heads
        window = self._grouped(heads, kv_heads, self.head_dim, self.value_dim)
        compressed = self._compressed() if self.csa_layers + self.hca_layers else 0.0
        if compressed:
            window = compressed
        total = self.full_layers * self._full() + self.window_layers * window
        total += (self.csa_layers + self.hca_layers) * compressed + self._compressors()
        return total + self.linear_layers * self._linear() + self.index_layers * self._index()

    @cached_property
    def dense_ffn_params(self) -> float:
        """Values of the dense feed-forward layers, shared experts, routers and latent projections."""
        dense = self.dense_layers * self.matrices * self.hidden * self.ffn
        routed = self.matrices * self.hidden * self.shared_ffn + self.hidden * self.experts
        return float(dense + self.moe_layers * (routed + 2 * self.hidden * self.moe_latent))

    @cached_property
    def expert_params(self) -> float:
        """Values of one routed expert of one layer."""
        return float(self.matrices * (self.moe_latent or self.hidden) * self.moe_ffn)

    @cached_property
    def routed_params(self) -> float:
        """Values of all routed experts of all layers."""
        return self.moe_layers * self.experts * self.expert_params

    @cached_property
    def params(self) -> float:
        """All values, without multi-token-prediction modules, biases and norms (under 1%).

        >>> depth = dict(layers=32, full_layers=32, dense_layers=32)
        >>> shape = dict(hidden=4096, heads=32, kv_heads=8, head_dim=128, vocab=128256, ffn=14336)
        >>> model = LanguageModel("llama-3-8b", "Llama 3 8B", **depth, **shape)
        >>> round(model.params / 1e9, 2)
        8.03
        """
        head = 0.0 if self.tied else self.head_params
        return self.embedding_params + head + self.resident_params + self.routed_params

    @property
    def resident_params(self) -> float:
        """Values every token passes through, without embedding and head."""
        return self.attention_params + self.dense_ffn_params

    @cached_property
    def gemm_params(self) -> float:
        """Values that each token is multiplied with in dense products: layers and output projection."""
        return self.resident_params + self.head_params

    @cached_property
    def grouped_params(self) -> float:
        """Values of the experts one token is routed to, over all layers."""
        return self.moe_layers * self.experts_per_token * self.expert_params

    @property
    def active_params(self) -> float:
        """Values a token is multiplied with; the output projection counts, the input embedding does not."""
        return self.gemm_params + self.grouped_params

    def attention_flops(self, context: float, absorbed: bool = False) -> float:
        """Flops of one token's scores and sums over `context` earlier tokens, all layers.

        flops = 2 context heads (d_qk + d_v) for each full layer; a window, a top-k index or compression
        shortens the context. `absorbed`: MLA as it decodes, on the latent itself (d_qk = rank + rope,
        d_v = rank; arXiv:2405.04434, section 2.1.2).
        """
        if self.is_mla:
            scores = 2 * self.kv_lora_rank + self.qk_rope_dim if absorbed else self.head_dim + self.value_dim
        else:
            scores = self.head_dim + self.value_dim
        full_dims = 2 * self.global_head_dim if self.global_head_dim else scores
        full = 2 * self.heads * full_dims * self.full_layers * self._attended(context)
        seen = min(context, self.window) if self.window else context
        window = 2 * (self.window_heads or self.heads) * scores * self.window_layers * seen
        index = 2 * self.index_heads * self.index_dim * self.index_layers * self._indexed(context)
        compressed = 2 * self.heads * scores * self._compressed_context(context)
        return float(full + window + index + compressed + self.linear_layers * self._state_flops())

    def forward_flops(self, context: float, absorbed: bool = False) -> float:
        """Flops of one token's forward pass: 2 per active value, and attention over `context` tokens."""
        return 2 * self.active_params + self.attention_flops(context, absorbed)

    def kv_bytes(self, context: float, bytes_per_value: float = 2.0) -> float:
        """Bytes of the cache that one sequence of `context` tokens holds, all layers.

        Grouped attention keeps kv_heads (d_k + d_v) values a token and layer, MLA its latent and rope
        key, a window at most its length, a linear layer a state of fixed size.

        >>> depth = dict(layers=80, full_layers=80, dense_layers=80)
        >>> shape = dict(hidden=8192, heads=64, kv_heads=8, head_dim=128, vocab=128256, ffn=28672)
        >>> model = LanguageModel("llama-3-70b", "Llama 3 70B", **depth, **shape)
        >>> model.kv_bytes(1, 2.0)  # 2 x 80 layers x 8 heads x 128 values x 2 bytes
        327680.0
        """
        values = self.full_layers * self._full_kv_width() * context
        values += self.window_layers * self._window_kv_width() * (min(context, self.window or context))
        values += self.index_layers * self.index_dim * self._indexed(context)
        values += self._compressed_values(context)
        return float(values * bytes_per_value + self._state_bytes())

    def kv_read_bytes(self, context: float, bytes_per_value: float = 2.0) -> float:
        """Bytes of cache that one decoded token reads; less than `kv_bytes` where an index picks tokens."""
        values = self.full_layers * self._full_kv_width() * self._attended(context)
        values += self.window_layers * self._window_kv_width() * (min(context, self.window or context))
        values += self.index_layers * self.index_dim * self._indexed(context)
        values += self._compressed_context(context) * self.head_dim
        return float(values * bytes_per_value + self._state_bytes())

    def elementwise_values(self) -> float:
        """Values that norms, residuals, rotation and activation read and write for a token, all layers.

        A layer moves 14 x hidden (two norms at 4, two residual sums at 3), the attention's input and
        output once, and 3 x the active feed-forward width; a routed token is moved 4 times for each expert.
        """
        attention = 2 * (self.heads + 2 * self.kv_heads) * self.head_dim
        blocks = self.layers * 14 * self.hidden + self._attention_layers * attention
        moe = self.experts_per_token * (3 * self.moe_ffn + 4 * (self.moe_latent or self.hidden))
        return float(
            blocks + 3 * self.dense_layers * self.ffn + self.moe_layers * (3 * self.shared_ffn + moe)
        )

    @property
    def _attention_layers(self) -> int:
        return self.full_layers + self.window_layers + self.csa_layers + self.hca_layers + self.linear_layers

    def _grouped(
        self, heads: int, kv_heads: int, key_dim: int, value_dim: int, shared: bool = False
    ) -> float:
        keys_values = kv_heads * (key_dim if shared else key_dim + value_dim)
        gate = {"elementwise": heads * value_dim, "headwise": heads}.get(self.attn_gate, 0)
        return float(self.hidden * (heads * key_dim + keys_values + heads * value_dim + gate))

    def _full(self) -> float:
        if self.is_mla:
            return self._mla()
        width = self.global_head_dim or self.head_dim
        value = self.global_head_dim or self.value_dim
        return self._grouped(
            self.heads, self.global_kv_heads or self.kv_heads, width, value, self.global_k_eq_v
        )

    def _mla(self) -> float:
        query_width = self.heads * (self.qk_nope_dim + self.qk_rope_dim)
        query = (
            self.q_lora_rank * (self.hidden + query_width) if self.q_lora_rank else self.hidden * query_width
        )
        down = self.hidden * (self.kv_lora_rank + self.qk_rope_dim)
        up = self.kv_lora_rank * self.heads * (self.qk_nope_dim + self.value_dim)
        gate = self.hidden * self.heads * self.value_dim if self.attn_gate == "elementwise" else 0
        return float(query + down + up + self.heads * self.value_dim * self.hidden + gate)

    def _compressed(self) -> float:
        query = self.q_lora_rank * (self.hidden + self.heads * self.head_dim)
        out = self.heads * self.head_dim * self.o_lora_rank + self.o_groups * self.o_lora_rank * self.hidden
        return float(query + self.hidden * self.head_dim + out)

    def _compressors(self) -> float:
        """Projections of hidden to values and gates; CSA overlaps two windows, so it has two of each."""
        each = 2 * self.hidden * self.head_dim
        return float(self.csa_layers * (2 * each + 4 * self.hidden * self.index_dim) + self.hca_layers * each)

    def _linear(self) -> float:
        keys = self.linear_key_heads * self.linear_key_dim
        values = self.linear_value_heads * self.linear_value_dim
        if self.linear_kind == "mamba2":
            mixed = values + 2 * self.linear_groups * self.linear_state
            inputs = self.hidden * (values + mixed + self.linear_value_heads)
            return float(inputs + self.conv_kernel * mixed + values * self.hidden)
        base = (self.hidden + self.conv_kernel) * (2 * keys + values) + values * self.hidden
        if self.linear_kind == "gdn":
            return float(base + self.hidden * (values + 2 * self.linear_value_heads))
        decay = self.linear_key_dim * (self.hidden + keys)
        gate = self.linear_value_dim * (self.hidden + values)
        if self.linear_kind == "kda_fullgate":
            gate = self.hidden * values
        return float(base + decay + gate + self.hidden * self.linear_value_heads)

    def _index(self) -> float:
        source = self.q_lora_rank or self.hidden
        keys = 0 if self.csa_layers else self.hidden * self.index_dim
        weights = self.hidden * self.index_heads if self.q_lora_rank else 0
        return float(source * self.index_heads * self.index_dim + keys + weights)

    def _full_kv_width(self) -> int:
        if self.is_mla:
            return self.kv_lora_rank + self.qk_rope_dim
        if self.global_head_dim:
            heads = self.global_kv_heads or self.kv_heads
            return heads * self.global_head_dim * (1 if self.global_k_eq_v else 2)
        return self.kv_heads * (self.head_dim + self.value_dim)

    def _window_kv_width(self) -> int:
        if self.csa_layers + self.hca_layers:
            return self.head_dim
        return (self.window_kv_heads or self.kv_heads) * (self.head_dim + self.value_dim)

    def _attended(self, context: float) -> float:
        """Tokens a full layer attends to on average: all, or those its index picks."""
        if not self.index_topk or self.csa_layers:
            return context
        most = self.index_topk if self.is_mla else (self.index_topk + 1) * SPARSE_BLOCK
        picked = min(context, most)
        indexed = 1.0 if self.is_mla else self.index_layers / self.full_layers
        return indexed * picked + (1 - indexed) * context

    def _indexed(self, context: float) -> float:
        """Entries the index scores for a token: every token, or every compressed entry."""
        return context / CSA_RATIO if self.csa_layers else context

    def _compressed_context(self, context: float) -> float:
        """Entries attended to, summed over CSA and HCA layers: compressed ones and the window."""
        if not self.csa_layers + self.hca_layers:
            return 0.0
        near = min(context, self.window)
        csa = min(context / CSA_RATIO, self.index_topk) + near
        return self.csa_layers * csa + self.hca_layers * (context / HCA_RATIO + near)

    def _compressed_values(self, context: float) -> float:
        near = min(context, self.window)
        csa = self.csa_layers * (context / CSA_RATIO + near)
        return (csa + self.hca_layers * (context / HCA_RATIO + near)) * self.head_dim

    def _state_values(self) -> float:
        heads = self.linear_value_heads * self.linear_value_dim
        return float(heads * (self.linear_state or self.linear_key_dim))

    def _state_flops(self) -> float:
        """Decay, update and read of the state: three multiply-adds for each of its values."""
        return 6 * self._state_values()

    def _state_bytes(self) -> float:
        return self.linear_layers * self._state_values() * STATE_BYTES


def shape_note(model: LanguageModel) -> str:
    """What a result says of a model whose shape is not published."""
    return f"the shape of {model.name} is assumed" if model.shape_basis == "assumed" else ""
