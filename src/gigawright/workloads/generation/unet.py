"""Operators of Stable Diffusion's U-Nets, block by block (arXiv:2112.10752; SDXL: arXiv:2307.01952)."""

from __future__ import annotations

from dataclasses import dataclass

from gigawright.workloads.generation.operators import Attention, Product, Work


@dataclass(frozen=True)
class UNet:
    """Channels by level, blocks of transformers at each resolution, width of the prompt and of heads.

    `heads` counts them where their number is fixed (SD 1.5); otherwise they are 64 wide.
    """

    channels: tuple[int, ...]
    depth: tuple[int, ...]
    middle: int
    context: int
    heads: int = 0
    latent: int = 4
    blocks: int = 2


SDXL = UNet((320, 640, 1280), (0, 2, 10), 10, 2048)
SD2 = UNet((320, 640, 1280, 1280), (1, 1, 1, 0), 1, 1024)
SD1 = UNet((320, 640, 1280, 1280), (1, 1, 1, 0), 1, 768, heads=8)

UNETS = {"sdxl": SDXL, "sd2": SD2, "sd1": SD1}
"""By the start of a model's id; shapes from the published configurations (sd_xl_base.yaml, v2-inference.yaml,
v1-inference.yaml of Stability AI and CompVis)."""

NORM_MOVED, SKIP_MOVED, BLOCK_MOVED, STACK_MOVED = 3, 1, 24, 4
"""Values a channel and place that fused kernels read and write: a normalisation with its activation (twice
read, for the statistics and the result), a skip that a convolution adds; in a transformer's block three
kernels between its branches that read product and stream and write stream and norm (12) and the gate (8 read,
4 written); around a stack of blocks a normalisation and a skip. Counted by operator."""

LOOSE_NORM, LOOSE_SKIP, LOOSE_BLOCK, LOOSE_STACK = 10.0, 10.0, 90.0, 20.0
"""Bytes that PyTorch moves for the same, operator by operator: a normalisation reads twice and writes (6),
its activation reads and writes (4); the sums of the time's bias (4) and of the skip (6); three norms (12),
three sums (18), the gate's two operators on four widths (40), transposed heads (20); a stack's layouts."""

RES_KERNELS, BLOCK_KERNELS = 12, 30
"""Kernels that PyTorch launches for a residual block, and for a transformer's block; counted in diffusers."""


def unet_of(model_id: str) -> UNet:
    """The U-Net of a model.

    >>> unet_of("sdxl@1024").depth
    (0, 2, 10)
    """
    return next(shape for start, shape in UNETS.items() if model_id.startswith(start))


def forward(shape: UNet, width: int, height: int, text: int, batch: float = 1.0) -> Work:
    """One forward pass of `batch` pictures of width x height pixels, 8 times as large as the latent.

    Down: two residual blocks a level with their transformers, then halving; a middle; up: three, with the
    skips of the way down beside them.
    """
    work, skips, inner = Work(), [shape.channels[0]], shape.channels[0]
    places = [batch * width * height / 64 / 4**level for level in range(len(shape.channels))]
    work += conv(places[0], shape.latent, inner)
    for level, outer in enumerate(shape.channels):
        for _ in range(shape.blocks):
            work += _pair(shape, level, places[level], inner, outer, text, batch)
            inner = outer
            skips.append(outer)
        if level + 1 < len(shape.channels):
            work += conv(places[level + 1], outer, outer)
            skips.append(outer)
    work += residual(places[-1], inner, inner).times(2)
    work += transformer(shape, places[-1], inner, shape.middle, text, batch)
    for level in reversed(range(len(shape.channels))):
        outer = shape.channels[level]
        for _ in range(shape.blocks + 1):
            work += _pair(shape, level, places[level], inner + skips.pop(), outer, text, batch)
            inner = outer
        if level:
            work += conv(places[level - 1], outer, outer)
    return work + conv(places[0], inner, shape.latent)


def _pair(shape: UNet, level: int, places: float, inner: int, outer: int, text: int, batch: float) -> Work:
    """A residual block and the transformer behind it."""
    found = residual(places, inner, outer)
    return found + transformer(shape, places, outer, shape.depth[level], text, batch)


def conv(places: float, inner: int, outer: int) -> Work:
    """A convolution of 3 x 3."""
    return Work((Product(places, outer, 9 * inner, taps=9.0),), moved=0.0, kernels=1)


def residual(places: float, inner: int, outer: int) -> Work:
    """Two convolutions with normalisation and activation, and a sum; 1 x 1 beside where channels change."""
    products = [
        Product(places, outer, 9 * inner, taps=9.0),
        Product(places, outer, 9 * outer, taps=9.0),
    ]
    if inner != outer:
        products.append(Product(places, outer, inner))
    moved = places * (NORM_MOVED * (inner + outer) + SKIP_MOVED * outer)
    loose = places * (LOOSE_NORM * (inner + outer) + LOOSE_SKIP * outer)
    return Work(tuple(products), moved=moved, loose=loose, kernels=RES_KERNELS)


def transformer(shape: UNet, places: float, width: int, depth: int, text: int, batch: float) -> Work:
    """`depth` blocks of self-attention, attention to the prompt, and a gated feed-forward of 4 widths."""
    if not depth:
        return Work()
    heads = shape.heads or width // 64
    tokens = places / batch
    products = (
        Product(places, 3 * width, width, depth),
        Product(places, width, width, 3 * depth),
        Product(batch * text, width, shape.context, 2 * depth),
        Product(places, 8 * width, width, depth),
        Product(places, width, 4 * width, depth),
        Product(places, width, width, 2),
    )
    attention = (
        Attention(tokens, tokens, heads, width / heads, depth * batch),
        Attention(tokens, text, heads, width / heads, depth * batch),
    )
    moved = places * width * (BLOCK_MOVED * depth + STACK_MOVED)
    loose = places * width * (LOOSE_BLOCK * depth + LOOSE_STACK)
    return Work(products, attention, moved, loose, BLOCK_KERNELS * depth + 6)
