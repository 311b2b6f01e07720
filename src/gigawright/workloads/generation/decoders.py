"""Operators of the decoders that turn latents into pixels: variational auto-encoders of images and videos."""

from __future__ import annotations

from dataclasses import dataclass

from gigawright.workloads.generation.model import GenerationModel
from gigawright.workloads.generation.operators import Attention, Work
from gigawright.workloads.generation.unet import conv, residual

TILES = 16 / 9
"""Work of a tiled decoder over one that decodes at once: tiles overlap by a quarter each way (diffusers' and
HunyuanVideo's defaults), 1 / 0.75^2."""

TIME_TILES = 4 / 3
"""The same for tiles in time that overlap by a quarter."""


@dataclass(frozen=True)
class Decoder:
    """A decoder's levels from the latent to pixels: channels, and how much smaller than the output each is.

    `space` and `time` are those factors by level, `blocks` the residual blocks a level, `taps` 9 or 27,
    `tiles` the work that overlapping tiles repeat, `wide` whether it runs at 32 bits by default.
    """

    channels: tuple[int, ...]
    space: tuple[int, ...]
    time: tuple[int, ...]
    blocks: int = 3
    taps: int = 27
    tiles: float = 1.0
    wide: bool = False
    source: str = ""


IMAGE = Decoder(
    (512, 512, 256, 128), (8, 4, 2, 1), (1, 1, 1, 1), taps=9, source="CompVis/latent-diffusion KL-f8"
)

DECODERS = {
    "hunyuanvideo-1.5": Decoder(
        (1024, 1024, 512, 256, 128),
        (16, 8, 4, 2, 1),
        (4, 4, 4, 2, 1),
        tiles=TILES,
        source="diffusers autoencoder_kl_hunyuanvideo15.py: 128, 256, 512, 1024, 1024; tiles: assumption",
    ),
    "hunyuanvideo": Decoder(
        (512, 512, 256, 128),
        (8, 4, 2, 1),
        (4, 4, 2, 1),
        tiles=TILES * TIME_TILES,
        source="Tencent-Hunyuan/HunyuanVideo hyvideo/vae: 128 x (1, 2, 4, 4), 2 + 1 blocks, tiled",
    ),
    "wan2.2-ti2v": Decoder(
        (1024, 1024, 512, 256),
        (16, 8, 4, 2),
        (4, 2, 1, 1),
        wide=True,
        source="Wan-Video/Wan2.2 wan/modules/vae2_2.py: 256 x (1, 2, 4, 4), 2 + 1 blocks, pixels in 2 x 2",
    ),
    "wan": Decoder(
        (384, 384, 192, 96),
        (8, 4, 2, 1),
        (4, 2, 1, 1),
        wide=True,
        source="Wan-Video/Wan2.1 wan/modules/vae.py: 96 x (1, 2, 4, 4), 2 + 1 blocks, 32 bits",
    ),
    "cogvideox": Decoder(
        (512, 256, 256, 128),
        (8, 4, 2, 1),
        (4, 2, 1, 1),
        blocks=4,
        tiles=TILES,
        source="diffusers autoencoder_kl_cogvideox.py: 128, 256, 256, 512, 3 + 1 blocks",
    ),
    "mochi": Decoder(
        (768, 512, 256, 128),
        (8, 8, 4, 2),
        (6, 6, 3, 1),
        source="diffusers autoencoder_kl_mochi.py: 128, 256, 512, 768; levels: assumption",
    ),
    "ltx": Decoder(
        (512, 512, 256, 128),
        (32, 16, 8, 4),
        (8, 4, 2, 1),
        blocks=4,
        source="diffusers autoencoder_kl_ltx.py: 128, 256, 512, 512, pixels in 4 x 4",
    ),
    "step-video": Decoder(
        (512, 512, 256, 128),
        (16, 8, 4, 2),
        (8, 4, 2, 1),
        tiles=TILES,
        source="assumption: as HunyuanVideo's, one level deeper (arXiv:2502.10248: 16 x 16 x 8)",
    ),
    "open-sora": Decoder(
        (512, 512, 256, 128),
        (8, 4, 2, 1),
        (4, 4, 2, 1),
        tiles=TILES * TIME_TILES,
        source="arXiv:2503.09642: HunyuanVideo's",
    ),
}
"""Decoders by the start of a model's id; images have `IMAGE`, other videos HunyuanVideo's without tiles."""


def decoder_of(model: GenerationModel) -> Decoder:
    """The decoder of a model."""
    for start, found in DECODERS.items():
        if model.id.startswith(start):
            return found
    return IMAGE if model.kind == "image" else DECODERS["open-sora"]


def decode(model: GenerationModel, batch: float = 1.0) -> Work:
    """Decoding of `batch` pictures or clips of the model's size."""
    shape = decoder_of(model)
    if shape.taps == 9:
        return _image(shape, batch * model.width * model.height, model.latent_channels or 4, batch)
    return Work(volume=batch * model.width * model.height * model.frames * volume_flops(shape))


def volume_flops(shape: Decoder) -> float:
    """Flops of a video decoder an output pixel and frame: two convolutions of c x c a block and level.

    A level's first block takes the channels of the level before; 2-D convolutions that enlarge a level and
    the attention at the bottom are left out (4% and 1%).

    >>> round(volume_flops(DECODERS["wan"]) / 1e6, 1)  # MFLOP a pixel
    8.6
    """
    total, inner = 0.0, shape.channels[0]
    for outer, space, time in zip(shape.channels, shape.space, shape.time, strict=True):
        products = inner * outer + (2 * shape.blocks - 1) * outer * outer
        total += 2 * shape.taps * products / space**2 / time
        inner = outer
    return total * shape.tiles


def _image(shape: Decoder, pixels: float, latent: int, batch: float) -> Work:
    inner = shape.channels[0]
    lowest = pixels / shape.space[0] ** 2
    work = conv(lowest, latent, inner) + residual(lowest, inner, inner).times(2)
    work += Work(attention=(Attention(lowest / batch, lowest / batch, 1, inner, batch),))
    for outer, space in zip(shape.channels, shape.space, strict=True):
        places = pixels / space**2
        work += residual(places, inner, outer) + residual(places, outer, outer).times(shape.blocks - 1)
        inner = outer
        if space > 1:
            work += conv(4 * places, outer, outer)
    return work + conv(pixels, inner, 3)
