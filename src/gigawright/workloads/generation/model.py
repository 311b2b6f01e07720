"""Generators of images and videos, and transcribers of speech, as shapes; flops of one forward pass."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class GenerationModel:
    """A model at one setting (size, frames, steps); a field that does not apply is zero.

    `tokens` are latent tokens of the picture or clip after patching, `text_tokens` those of the prompt.
    `double_layers` keep streams of their own for text, `single_layers` join them; a transcriber has
    `double_layers` in its encoder and `single_layers` in its decoder, and transcribes at most `text_tokens` a
    window of `tokens` positions. `flops_per_forward_t` [TFLOP] is the table's own count, used where the
    backbone is not recounted here.
    """

    id: str
    name: str
    kind: str
    backbone: str
    params_b: float
    tokens: int
    steps: int
    forwards_per_step: float = 1.0
    aliases: tuple[str, ...] = ()
    layers: int = 0
    double_layers: int = 0
    single_layers: int = 0
    hidden: int = 0
    heads: int = 0
    head_dim: int = 0
    ffn: int = 0
    gated: bool = False
    text_encoder: str = ""
    text_encoder_b: float = 0.0
    text_tokens: int = 0
    latent_channels: int = 0
    vae_spatial: int = 0
    vae_temporal: int = 0
    patch: int = 0
    setting: str = ""
    width: int = 0
    height: int = 0
    frames: int = 1
    fps: float = 0.0
    flops_per_forward_t: float = 0.0
    verified: bool = False
    source: str = ""

    @property
    def recounted(self) -> bool:
        """Whether flops are counted from the shape; U-Nets and uneven streams keep the table's count."""
        return self.backbone in ("mmdit", "dit", "dit-cross") and self.layers > 0

    @property
    def seconds(self) -> float:
        """Length of the clip [s]; 0 for an image."""
        return self.frames / self.fps if self.fps and self.frames > 1 else 0.0

    @property
    def width_values(self) -> int:
        """Width of the attention: heads x head_dim, or hidden where heads are not given."""
        return self.heads * self.head_dim or self.hidden

    @property
    def experts(self) -> int:
        """Backbones of which one is active a step (Wan2.2 A14B: two, by noise): parameters over the shape's.

        Only models with cross attention, which modulate all layers by one set of values, are told apart so: a
        layer has 8 d^2 values (q, k, v, out, twice) and those of the feed-forward.
        """
        if self.backbone != "dit-cross" or not self.layers:
            return 1
        layer = 8 * self.hidden**2 + (3 if self.gated else 2) * self.hidden * self.ffn
        return max(1, round(self.params_b * 1e9 / (layer * self.layers)))

    def attention_flops(self) -> float:
        """Flops of scores and sums in one forward pass: 4 n^2 d a layer, n = latent and prompt tokens.

        With cross attention the latent tokens attend to themselves (4 N^2 d) and to the prompt (4 N T d).
        """
        if not self.recounted:
            return 0.0
        if self.backbone == "dit-cross":
            pairs = self.tokens * (self.tokens + self.text_tokens)
        else:
            pairs = (self.tokens + self.text_tokens) ** 2
        return float(4 * self.layers * pairs * self.width_values)

    def gemm_flops(self) -> float:
        """Flops of the dense products in one forward pass.

        A joint stream multiplies n tokens with 4 d^2 (q, k, v, out) and 2 d f or, gated, 3 d f (feed-forward)
        values a layer; a cross-attention layer adds q and out (2 d^2) on N tokens, k and v on T.
        Modulation and embeddings are left out (under 1%).
        """
        if not self.recounted:
            return self.flops_per_forward_t * 1e12
        square = self.hidden * self.hidden
        feed_forward = (3 if self.gated else 2) * self.hidden * self.ffn
        if self.backbone == "dit-cross":
            values = self.tokens * (6 * square + feed_forward) + self.text_tokens * 2 * square
        else:
            values = (self.tokens + self.text_tokens) * (4 * square + feed_forward)
        return float(2 * self.layers * values)

    def forward_flops(self) -> float:
        """Flops of one forward pass.

        >>> flux = GenerationModel("flux", "FLUX.1", "image", "mmdit", 12.0, tokens=4096, steps=28, layers=57,
        ...                        hidden=3072, heads=24, head_dim=128, ffn=12288, text_tokens=512)
        >>> round(flux.forward_flops() / 1e12, 2)
        74.36
        """
        return self.gemm_flops() + self.attention_flops()

    def latent_frames(self, frames: int) -> int:
        """Frames of the latent clip: the first stands alone, then one for each `vae_temporal`.

        Step-Video's decoder, which turns 3 latent frames into 17, has none that stands alone.
        """
        if frames <= 1 or not self.vae_temporal:
            return 1
        if self.id.startswith("step-video"):
            return max(1, 3 * (frames // 17))
        return 1 + math.ceil((frames - 1) / self.vae_temporal)

    def at_size(self, width: int, height: int, frames: int) -> GenerationModel:
        """The model at another size: tokens = latent frames x height / (s p) x width / (s p).

        s is the decoder's spatial factor and p the patch.
        """
        cell = max(1, self.vae_spatial) * max(1, self.patch)
        grid = math.ceil(width / cell) * math.ceil(height / cell)
        scale = grid * self.latent_frames(frames) / self.tokens
        flops = self.flops_per_forward_t * scale
        tokens = grid * self.latent_frames(frames)
        return replace(
            self, width=width, height=height, frames=frames, tokens=tokens, flops_per_forward_t=flops
        )
