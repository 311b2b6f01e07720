"""Operators of transcribers: an encoder over each window of audio, and a decoder that reads its keys and
values for every word (Whisper, arXiv:2212.04356)."""

from __future__ import annotations

from dataclasses import dataclass

from gigawright.workloads.generation.model import GenerationModel
from gigawright.workloads.generation.operators import Attention, Product, Work

WINDOW_S = 30.0
"""Length of a window, filled with silence where the audio is shorter [s]; arXiv:2212.04356, section 2.2."""

MLPERF_SECONDS = 23.2
"""Mean audio of a sample of MLPerf's Whisper [s]: dev-clean (5.4 h) and dev-other (5.1 h) of LibriSpeech
(Panayotov et al. 2015, table 1), joined to at most 30 s, are 1,633 samples (mlcommons/inference,
speech2text)."""

MLPERF_TOKENS = 86.0
"""Mean output of a sample of MLPerf's Whisper [tokens]: the 105,350 words of those parts are 64.5 a sample;
1.3 tokens a word with punctuation (assumption) and two marks at the ends."""

VOCABULARY = 51_866
"""Entries of the vocabulary of Whisper large-v3."""

ENCODER_MOVED = 16
"""Values of hidden width that the encoder reads and writes for a position in a layer: two kernels between its
branches (8), the activation of four widths (8); counted by operator."""

ENCODER_LOOSE = 40.0
"""Bytes for that operator by operator: two norms (8), two sums (12), the activation (16), a cast (4)."""

DECODER_KERNELS = 25
"""Kernels a layer of the decoder launches for a step; counted: three attentions and a feed-forward."""


@dataclass(frozen=True)
class Steps:
    """One step of a decoder: bytes of weights read once a batch, and of caches read for each sample."""

    weights: float
    cache: float
    kernels: float


def encode(model: GenerationModel, batch: float = 1.0) -> Work:
    """The encoder on `batch` windows.

    >>> whisper = GenerationModel("w", "Whisper", "speech", "encoder-decoder", 1.5, 1500, 1, layers=32,
    ...     double_layers=32, single_layers=32, hidden=1280, heads=20, head_dim=64, ffn=5120)
    >>> round(encode(whisper).flops() / 1e12, 2)  # 2.27 and the decoder's keys and values
    2.59
    """
    d, f, layers, places = model.hidden, model.ffn, model.double_layers, batch * model.tokens
    products = (
        Product(places, 3 * d, d, layers),
        Product(places, d, d, layers),
        Product(places, f, d, layers),
        Product(places, d, f, layers),
        # Two convolutions of width 3 turn 128 mel bands into the positions; the first at twice their number.
        Product(2 * places, d, 3 * 128, taps=3.0),
        Product(places, d, 3 * d, taps=3.0),
        # Keys and values of the decoder's cross attention.
        Product(places, 2 * d, d, model.single_layers),
    )
    attention = (Attention(model.tokens, model.tokens, model.heads, d / model.heads, batch * layers),)
    values = places * d * layers
    return Work(products, attention, ENCODER_MOVED * values, ENCODER_LOOSE * values, 20.0 * layers)


def step(model: GenerationModel, tokens: float, bytes_: float = 2.0) -> Steps:
    """One step of the decoder for a sample of `tokens` words.

    A layer holds 4 d^2 (self), 2 d^2 (cross, whose keys and values are made once) and 2 d f values, and reads
    2 d for each of the window's positions and of the words so far (half of all, on average).
    """
    d, layers = model.hidden, model.single_layers
    weights = layers * (6 * d * d + 2 * d * model.ffn) + VOCABULARY * d
    cache = layers * 2 * d * (model.tokens + tokens / 2)
    return Steps(weights * bytes_, cache * bytes_, float(layers * DECODER_KERNELS))


def cache_bytes(model: GenerationModel, bytes_: float = 2.0) -> float:
    """Memory of a sample's keys and values: the window's positions and the longest text."""
    return model.single_layers * 2 * model.hidden * (model.tokens + model.text_tokens) * bytes_
