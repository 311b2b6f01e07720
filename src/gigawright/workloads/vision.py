"""Encoders beside language models: tokens of an image, a clip or speech, and flops to make them.

An encoder cuts a picture into patches, attends among those of one picture (or tile, or window), and hands
each `merge` x `merge` patches to the language model as one token. Which text model takes them stands in
`text_models`; what the tokens cost there is the language model's own prefill.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from gigawright.errors import CatalogueError
from gigawright.workloads.architecture import find_model, read_model
from gigawright.workloads.language import LanguageModel


@dataclass(frozen=True)
class Encoder:
    """An image, video or speech encoder; a field that does not apply is zero.

    `rule` says how many tokens a picture makes: `grid` one a square of `patch` x `merge` pixels,
    `tiles-up` and `tiles-near` `item_tokens` for each tile of `tile_px` (counted up, or to the nearest) and
    one thumbnail more where there are several, `fixed` `item_tokens` whatever the size, `seconds` `tokens_s`
    a second of sound. `layers - full_layers` attend within windows of `window_px`. `fps` frames a second of a
    clip are looked at, `temporal_patch` of them as one picture.
    """

    id: str
    name: str
    kind: str
    layers: int
    hidden: int
    ffn: int
    rule: str
    text_models: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    full_layers: int = 0
    window_px: int = 0
    heads: int = 0
    gated: bool = False
    patch: int = 0
    merge: int = 1
    temporal_patch: int = 1
    fps: float = 0.0
    tile_px: int = 0
    max_tiles: int = 0
    item_tokens: int = 0
    frame_tokens: int = 0
    min_tokens: int = 0
    max_tokens: int = 0
    max_frame_tokens: int = 0
    max_side: int = 0
    tokens_s: float = 0.0
    params_b: float = 0.0
    verified: bool = False
    source: str = ""

    @property
    def layer_params(self) -> float:
        """Values of all layers: 4 d^2 of attention, 2 d f of feed-forward or, gated, 3 d f."""
        feed_forward = (3 if self.gated else 2) * self.hidden * self.ffn
        return float(self.layers * (4 * self.hidden**2 + feed_forward))

    def image_tokens(self, width: int, height: int) -> int:
        """Tokens the language model gets for a picture of this size [pixels].

        >>> encoder_of("qwen2.5-7b").image_tokens(1920, 1080)
        2691
        """
        if self.rule == "fixed":
            return self.item_tokens
        if self.rule.startswith("tiles"):
            tiles = self._tiles(width, height)
            return self.item_tokens * (tiles + (tiles > 1))
        if self.rule != "grid":
            raise ValueError(f"{self.name} takes no pictures")
        return self._grid(width, height, self.max_tokens)

    def video_tokens(self, seconds: float, width: int, height: int) -> int:
        """Tokens of a clip: those of a frame (or of `temporal_patch` frames together) at `fps`."""
        pictures = max(1, round(seconds * self.fps / self.temporal_patch))
        frame = self.frame_tokens or self._grid(width, height, self.max_frame_tokens or self.max_tokens)
        return pictures * frame

    def sound_tokens(self, seconds: float) -> int:
        """Tokens of speech."""
        return math.ceil(seconds * self.tokens_s)

    def image_flops(self, width: int, height: int) -> float:
        """Flops to encode a picture of this size [pixels]; tiles are encoded apart."""
        tokens = self.image_tokens(width, height)
        if self.rule.startswith("tiles"):
            return tokens / self.item_tokens * self.flops(self.item_tokens)
        return self.flops(tokens)

    def flops(self, tokens: int) -> float:
        """Flops to make the tokens of one picture, or of one tile: 2 a value and patch, and attention.

        Attention of a layer over n patches is 4 n^2 d, within windows of w patches 4 n w d.
        """
        patches = tokens * self.merge**2
        window = (self.window_px // self.patch) ** 2 if self.window_px and self.patch else patches
        pairs = self.full_layers * patches + (self.layers - self.full_layers) * min(window, patches)
        return 2 * self.layer_params * patches + 4.0 * pairs * patches * self.hidden

    def _tiles(self, width: int, height: int) -> int:
        count = math.ceil if self.rule == "tiles-up" else round
        across, down = (max(1, count(side / self.tile_px)) for side in (width, height))
        return min(across * down, self.max_tiles)

    def _grid(self, width: int, height: int, most: int) -> int:
        shrink = min(1.0, self.max_side / max(width, height)) if self.max_side else 1.0
        cell = self.patch * self.merge
        across, down = (max(1, round(side * shrink / cell)) for side in (width, height))
        return max(self.min_tokens, min(across * down, most or across * down))


@lru_cache(maxsize=1)
def load_encoders() -> dict[str, Encoder]:
    """Every encoder of the package by id."""
    text = (files("gigawright.catalogue") / "data" / "models_multimodal.csv").read_text(encoding="utf-8")
    return {row["id"]: read_model(Encoder, row) for row in csv.DictReader(text.splitlines())}


def encoder_of(model: LanguageModel | str, kind: str = "vision") -> Encoder:
    """The encoder that feeds a language model, by the model, its id or name; CatalogueError where none does.

    >>> encoder_of("Qwen/Qwen3-VL-8B-Instruct").image_tokens(1024, 1024)
    1024
    """
    found = find_model(model) if isinstance(model, str) else model
    for encoder in load_encoders().values():
        if encoder.kind == kind and found.id in encoder.text_models:
            exact = model if isinstance(model, str) else ""
            return _named(exact, found.id, kind) or encoder
    raise CatalogueError(f"no {kind} encoder of {found.name} in the catalogue")


def _named(name: str, text_model: str, kind: str) -> Encoder | None:
    """The encoder of this very name, where a text model takes tokens of several."""
    for encoder in load_encoders().values():
        spelled = {text.lower() for text in (encoder.id, encoder.name, *encoder.aliases)}
        if name.lower() in spelled and text_model in encoder.text_models and encoder.kind == kind:
            return encoder
    return None
