"""What is asked: a model at a size on accelerators, with a software, a split and a precision of each part."""

from __future__ import annotations

from dataclasses import dataclass

from gigawright.catalogue.types import Accelerator
from gigawright.workloads.generation.model import GenerationModel

MODES = ("eager", "compiled", "engine")
"""How kernels are run: one by one by PyTorch, fused by a compiler, or by a built engine (TensorRT, XLA)."""


@dataclass(frozen=True)
class Split:
    """How a group shares an item: sequence over `ulysses` x `ring` ranks, guidance's passes over `cfg`."""

    ulysses: int = 1
    ring: int = 1
    cfg: int = 1

    @property
    def sequence(self) -> int:
        """Ranks that share a sequence."""
        return self.ulysses * self.ring

    @property
    def ranks(self) -> int:
        """Accelerators that share an item."""
        return self.sequence * self.cfg


@dataclass(frozen=True)
class Task:
    """A model (at its size and steps) to be run by groups of `split.ranks` accelerators of a chip.

    `batch` items go through at once; 0 leaves it to the memory (speech) or the usual (`BATCH`). Precisions
    are those of the backbone's products, of the decoder and of the text encoder. `newer_attention` tells
    whether attention kernels overlap the softmax with products (FlashAttention-3, engines), and
    `plain_attention` that they write their scores to memory (no fused kernel). `sharded` gathers
    weights before each layer (FSDP), `offloaded` brings them from host memory for each item. `latency_s` is a
    limit at the 99th percentile (0: none) over `servers` accelerators. `seconds` and `words` are audio and
    output tokens of a sample of speech.
    """

    model: GenerationModel
    chip: Accelerator
    split: Split = Split()
    accelerators: int = 1
    batch: int = 1
    precision: str = "bf16"
    decoder_precision: str = "bf16"
    mode: str = "eager"
    newer_attention: bool = False
    plain_attention: bool = False
    sharded: bool = False
    parallel_decoder: bool = False
    latency_s: float = 0.0
    seconds: float = 0.0
    words: float = 0.0
    software: str = ""
    site: str = ""
    assumed: tuple[str, ...] = ()
