"""Operators of diffusion transformers: joint streams (MM-DiT), one stream, and cross attention to the prompt.

Sources: FLUX.1 (diffusers transformer_flux.py: 19 double and 38 single blocks), HunyuanVideo
(arXiv:2412.03603), Wan (arXiv:2503.20314), DiT (arXiv:2212.09748).
"""

from __future__ import annotations

from gigawright.workloads.generation.model import GenerationModel
from gigawright.workloads.generation.operators import Attention, Product, Work

MOVED = 12
"""Values of hidden width that fused kernels read and write for a token in a layer: behind each of the two
branches one reads its product and the stream and writes the stream and the next norm (8); another norms and
rotates queries and keys (4). The activation reads and writes the feed-forward's width (gated: reads two)."""

LOOSE = (("wan", 370.0), ("pixart", 75.0), ("dit-xl", 75.0), ("cogvideox", 150.0), ("", 220.0))
"""Bytes that PyTorch moves for a value of hidden width in a layer, operator by operator, without the
activation; by the start of a model's id. Counted in the published code, reads and writes: norms with
modulation 24, gated sums 20, joining and splitting of streams 20, norms of queries and keys at 32 bits 56,
their rotation 100 (diffusers transformer_flux.py, embeddings.py); without the last two 75. Wan keeps the
stream at 32 bits and rotates in complex numbers of 128 bits: 24 + 24, casts 30, norms 102, rotation 136, sums
54 (Wan-Video/Wan2.1 wan/modules/model.py)."""

LOOSE_ACTIVATION = 4.0
"""Bytes for a value of the feed-forward's width: read and written once; a gate reads two and writes one."""

KERNELS = {"mmdit": 70, "mmdit-asymmetric": 70, "dit": 45, "dit-cross": 60}
"""Kernels that PyTorch launches a layer when it runs operator by operator; counted in the published code of
FLUX (double blocks about 90, single ones 45), DiT and Wan (norms at 32 bits, rotation in pieces)."""


def forward(model: GenerationModel, batch: float = 1.0, ranks: float = 1.0) -> Work:
    """One forward pass of `batch` pictures or clips, on one of `ranks` that share each sequence.

    Products see the tokens of a rank; attention sees all tokens with the heads of a rank, which costs a
    rank the same however the sequence is split (Ulysses, arXiv:2309.14509; ring, arXiv:2310.01889).
    """
    image, text = batch * model.tokens / ranks, batch * model.text_tokens / ranks
    joint = model.backbone != "dit-cross"
    tokens = image + text if joint else image
    moved = tokens * (MOVED * model.hidden + (3 if model.gated else 2) * model.ffn) * model.layers
    products = _joint(model, image, text) if joint else _crossed(model, image, text)
    loose = next(count for start, count in LOOSE if model.id.startswith(start)) * model.hidden
    loose += LOOSE_ACTIVATION * model.ffn * (2.5 if model.gated else 1)
    return Work(
        products=products if model.recounted else _scaled(model, products, batch / ranks),
        attention=_attention(model, batch, ranks),
        moved=float(moved),
        loose=tokens * loose * model.layers,
        kernels=float(model.layers * KERNELS[model.backbone]),
    )


def _joint(model: GenerationModel, image: float, text: float) -> tuple[Product, ...]:
    """Double blocks multiply the streams apart, single ones fuse q, k, v with the first feed-forward."""
    d, f, double = model.hidden, model.ffn, model.double_layers
    single = model.layers - double
    up = (2 if model.gated else 1) * f
    products = [
        product
        for stream in (image, text)
        if stream > 0 and double
        for product in (
            Product(stream, 3 * d, d, double),
            Product(stream, d, d, double),
            Product(stream, up, d, double),
            Product(stream, d, f, double),
        )
    ]
    if single:
        both = image + text
        products += [Product(both, 3 * d + up, d, single), Product(both, d, d + f, single)]
    return tuple(products)


def _crossed(model: GenerationModel, image: float, text: float) -> tuple[Product, ...]:
    d, f, layers = model.hidden, model.ffn, model.layers
    up = (2 if model.gated else 1) * f
    return (
        Product(image, d, d, 4 * layers),
        Product(image, d, d, 2 * layers),
        Product(text, d, d, 2 * layers),
        Product(image, up, d, layers),
        Product(image, d, f, layers),
    )


def _scaled(model: GenerationModel, products: tuple[Product, ...], share: float) -> tuple[Product, ...]:
    """Products of a backbone that is not recounted, scaled to the table's flops less attention's."""
    attention = 4 * (model.tokens + model.text_tokens) ** 2 * model.width_values * model.layers
    wanted = max(0.1 * model.flops_per_forward_t * 1e12, model.flops_per_forward_t * 1e12 - attention) * share
    ratio = wanted / Work(products).product_flops()
    return Work(products).times(ratio).products


def _attention(model: GenerationModel, batch: float, ranks: float) -> tuple[Attention, ...]:
    heads = model.heads or max(1, model.hidden // 128)
    dim = model.width_values / heads
    if model.backbone == "dit-cross":
        own = Attention(model.tokens, model.tokens, heads / ranks, dim, batch * model.layers)
        prompt = Attention(model.tokens, model.text_tokens, heads / ranks, dim, batch * model.layers)
        return (own, prompt) if model.text_tokens else (own,)
    all_tokens = model.tokens + model.text_tokens
    return (Attention(all_tokens, all_tokens, heads / ranks, dim, batch * model.layers),)
