"""What a training run is: a model on accelerators, in a layout, measured somewhere with some software."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gigawright.catalogue.types import Accelerator
from gigawright.workloads.language import LanguageModel

if TYPE_CHECKING:
    from gigawright.workloads.training.gemm_table import GemmTable

Precision = Literal["bf16", "fp8", "fp4", "int8"]
Recipe = Literal["", "tensor", "block"]
Recompute = Literal["none", "selective", "full", "auto"]
Schedule = Literal["1f1b", "zero-bubble"]

PRECISIONS: tuple[Precision, ...] = ("bf16", "fp8", "fp4", "int8")

MATURE_YEARS = 2.0
"""Age of a chip's software where nothing tells when a run is; assumption: a fleet's middle age."""


@dataclass(frozen=True)
class Layout:
    """How a run is spread over accelerators.

    `tensor`, `pipeline`, `data` and `context` multiply to the number of accelerators; `expert` splits the
    routed experts over ranks of `data` x `context` x `tensor`. `chunks` is how many model chunks a stage
    holds (interleaving), `micro_batch` counts sequences. `zero` is what data-parallel ranks share: 0 nothing,
    1 optimiser, 2 also gradients, 3 also weights (FSDP), over `shard` ranks of `data` (0:
    all of them) and those of `context`. `recompute`:
    none, selective (attention core and element-wise operators), full (every layer), or auto: the least that
    fits. The overlaps tell which traffic runs beside products: tensor (and context and expert) groups', sends
    between stages, and that of gradients and sharded weights.
    """

    tensor: int = 1
    pipeline: int = 1
    data: int = 1
    context: int = 1
    expert: int = 1
    chunks: int = 1
    micro_batch: int = 1
    zero: int = 1
    shard: int = 0
    recompute: Recompute = "auto"
    sequence_parallel: bool = True
    overlap_tensor: bool = True
    overlap_pipeline: bool = True
    overlap_data: bool = True
    offload: bool = False
    schedule: Schedule = "1f1b"

    @property
    def accelerators(self) -> int:
        """Accelerators the layout needs: tensor x pipeline x data x context."""
        return self.tensor * self.pipeline * self.data * self.context


@dataclass(frozen=True)
class Run:
    """A model trained on `accelerators` of a chip; `batch` counts sequences of `seq_len` tokens in a step.

    `layout` None lets the predictor choose the fastest one that fits. `recipe` tells how 8- and 4-bit values
    are scaled: by tensor or by block (MX, NVFP4); empty is the usual one of the precision. `mtp` counts
    multi-token-prediction layers that are trained along. `dropped` tells that experts take a fixed number of
    tokens and drop the rest. `parallel_block` computes attention and feed-forward side by side; `window` is a
    sliding window in tokens, 0 where all tokens attend; `imbalance` is the load of the busiest rank of
    experts over the mean (published speed runs balance routing by force: 1). `site` (who measured) and
    `release` (of the software) select calibrated levels where they are known. `age_years` is the time from
    the chip's first shipments to the run: software for a new chip is slow at first. `assumed` names inputs
    that the reader had to fill in, such as the batch. `gemm` are products measured on this very machine,
    which hold before the formula.
    """

    model: LanguageModel
    chip: Accelerator
    accelerators: int
    seq_len: int
    batch: int
    precision: Precision = "bf16"
    recipe: Recipe = ""
    layout: Layout | None = None
    mtp: int = 0
    dropped: bool = False
    parallel_block: bool = False
    window: int = 0
    imbalance: float = 1.0
    site: str = ""
    release: str = ""
    age_years: float = MATURE_YEARS
    assumed: tuple[str, ...] = ()
    gemm: GemmTable | None = None

    @property
    def batch_tokens(self) -> int:
        """Tokens in a step."""
        return self.batch * self.seq_len
