"""Image and video generators as shapes: flops of one forward pass, counted from the architecture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GenerationModel:
    """A diffusion model at one setting (size, frames, steps); a field that does not apply is zero.

    `tokens` are latent tokens of the picture or clip after patching, `text_tokens` those of the prompt.
    `flops_per_forward_t` [TFLOP] is the table's own count, used where the backbone is not recounted here.
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
    hidden: int = 0
    heads: int = 0
    head_dim: int = 0
    ffn: int = 0
    gated: bool = False
    text_encoder_b: float = 0.0
    text_tokens: int = 0
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
        return self.frames / self.fps if self.fps else 0.0

    @property
    def width_values(self) -> int:
        """Width of the attention: heads x head_dim, or hidden where heads are not given."""
        return self.heads * self.head_dim or self.hidden

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
