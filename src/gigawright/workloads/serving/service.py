"""What a serving configuration is: a model on accelerators, run by an engine, at a load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gigawright.catalogue.types import Accelerator
from gigawright.workloads.language import LanguageModel

PRECISIONS = ("bf16", "fp8", "fp4", "int8", "int4")
"""Formats of weights; activations have the same, but for int4 (16-bit products of 4-bit weights)."""

Kind = Literal["online", "offline", "prefill", "decode"]
"""What is measured: an interactive endpoint, a whole list at once, or one phase alone."""


@dataclass(frozen=True)
class Layout:
    """How one worker is spread over accelerators.

    `tensor` splits attention's heads, `data` counts attention replicas with requests of their own
    (attention data parallelism), `pipeline` splits layers into stages. Routed experts are split over
    `expert_tensor` x `expert` ranks: within each expert, and by whole experts. The worker holds `tensor` x
    `data` x `pipeline` accelerators.
    """

    tensor: int = 1
    data: int = 1
    pipeline: int = 1
    expert_tensor: int = 1
    expert: int = 1

    @property
    def accelerators(self) -> int:
        """Accelerators of one worker."""
        return self.tensor * self.data * self.pipeline


@dataclass(frozen=True)
class Service:
    """A model served by an engine on a layout, at a load of `concurrency` requests in flight.

    `layout` is that of the workers that decode; None leaves it to the predictor, which then spreads the model
    over `gpus` accelerators as it finds best (all of the deployment's; 0: not told, as many as it wants);
    `disaggregated` tells that prompts have workers of their own where no layout says so.
    `concurrency` counts requests in flight over the whole deployment, each of `input_tokens` (of which the
    share `cached` is found in the prefix cache, and `pictures` are encoded, of `picture_tokens` each) and
    `output_tokens`; inf asks for as many as the memory
    holds (offline throughput). `prefill` is the layout of workers of their own for prompts (disaggregated);
    None where one worker does both (aggregated). `workers` and `prefill_workers` count them; 0 where it is
    not told. `precision` is that of dense products, `expert_precision` that of routed experts, `kv_bytes` the
    size of a cached value. `drafted` tokens are proposed a step and `accepted` of them kept on average
    (speculative decoding, multi-token prediction); 0 without.
    `chunk` is the most tokens an iteration takes (0: the engine's default). `engine` and `release` (of the
    software), `site` (who measured) select calibrated levels where they are known; `age_years` is the time
    from the chip's first shipments to the measurement. `kind` says what was measured: an interactive endpoint
    ("online"), a whole list at once ("offline"), or a phase alone ("prefill", "decode"). `tpot_limit_s` and
    `ttft_limit_s` are limits that the measurement had to keep (0: none). `assumed` names inputs that the
    reader had to fill in.
    """

    model: LanguageModel
    chip: Accelerator
    layout: Layout | None
    input_tokens: float
    output_tokens: float
    concurrency: float
    precision: str = "fp8"
    expert_precision: str = ""
    kv_bytes: float = 1.0
    prefill: Layout | None = None
    gpus: int = 0
    disaggregated: bool = False
    workers: int = 1
    prefill_workers: int = 0
    cached: float = 0.0
    pictures: int = 0
    picture_tokens: int = 0
    drafted: int = 0
    accepted: float = 0.0
    chunk: int = 0
    engine: str = ""
    release: str = ""
    site: str = ""
    kind: Kind = "online"
    age_years: float = 2.0
    ttft_limit_s: float = 0.0
    tpot_limit_s: float = 0.0
    assumed: tuple[str, ...] = ()

    @property
    def accelerators(self) -> int:
        """Accelerators of the whole deployment, as far as workers are told; `gpus` where no layout is."""
        if self.layout is None:
            return self.gpus
        decode = self.layout.accelerators * max(1, self.workers)
        return decode + (self.prefill.accelerators * max(1, self.prefill_workers) if self.prefill else 0)
