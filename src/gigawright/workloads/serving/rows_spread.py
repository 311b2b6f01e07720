"""How deployments in rows of configurations are spread over accelerators.

The exports of InferenceX (github.com/SemiAnalysisAI/InferenceX) do not agree on what their columns count, as
the same measurements in two of them show. What is taken of each is said in the functions that read them.
"""

from __future__ import annotations

from dataclasses import dataclass

from gigawright.catalogue.types import Accelerator
from gigawright.workloads.cells import Cells
from gigawright.workloads.language import LanguageModel
from gigawright.workloads.serving.rows_words import decimal_year
from gigawright.workloads.serving.service import Layout

SPLIT = ("tp_size", "pp_size", "attention_dp_size", "moe_tp_size", "moe_ep_size")
"""Columns of how a worker is spread; with `prefill_` or `decode_` before where they are different workers."""

PHASES = ("prefill_", "decode_")

COLUMNS = (
    *("batch_size", *SPLIT),
    *(f"{phase}{column}" for phase in PHASES for column in ("batch_size", "num_workers", *SPLIT)),
)
"""All columns of a spread."""

MOST_REQUESTS = 10**7
"""No row may have more requests in flight; beyond it a number is a slip."""

MOST_ACCELERATORS = 4096
"""No worker may be spread further; beyond it a number is a slip."""

INFERENCEX = "InferenceX"
"""Who measured the rows of the dated exports."""

SQUARED_FROM = "2026-04"
"""First export of InferenceX whose widths are the product of a worker's tensor and expert sizes."""

TOLD_FROM = "2026-04-27"
"""First export of InferenceX that tells workers and replicas; it has no rows with drafted tokens."""

PHASES_TOLD_FROM = "2025-12-19"
"""Day from which InferenceX tells the accelerators of prompts and of decoding apart."""

NODE = 8
"""Accelerators beyond which a width of an earlier row counts the whole deployment."""

DATA_FROM = {"prefill_": {"sglang": 128, "trtllm": 1}, "decode_": {"sglang": 128, "trtllm": 600}}
"""Requests in flight from which workers have attention replicas where an export has lost the column.

Assumption: the practice of InferenceX in the export that has it (98 of 127 rows for prompts, 102 of 115 for
decoding workers of up to 8).
"""


@dataclass(frozen=True)
class Origin:
    """Who measured a row, which export tells it (its date, as text), and when it was measured [decimal
    year]."""

    site: str = ""
    export: str = ""
    day: str = ""

    @property
    def year(self) -> float | None:
        """When the row was measured, as a decimal year."""
        return decimal_year(self.day)

    @property
    def lossy(self) -> bool:
        """Whether the export has lost numbers of workers, attention replicas and drafts."""
        return self.site == INFERENCEX and self.export < TOLD_FROM


@dataclass(frozen=True)
class Spread:
    """Layouts and counts of workers, and requests in flight; the fields are those of `Service`."""

    concurrency: float
    layout: Layout | None = None
    prefill: Layout | None = None
    gpus: int = 0
    disaggregated: bool = False
    workers: int = 1
    prefill_workers: int = 0


@dataclass(frozen=True)
class _Told:
    """The sizes of a worker as a row has them; None where they are not told."""

    tensor: int | None
    pipeline: int
    data: int | None
    expert_tensor: int | None
    expert: int | None

    @property
    def width(self) -> int:
        """Accelerators of a stage as told."""
        return (self.tensor or 1) * (self.data or 1)

    @property
    def experts(self) -> int | None:
        """Ranks that experts are split over; None where they are not told."""
        return self.expert_tensor * self.expert if self.expert_tensor and self.expert else None


def aggregated(cells: Cells, origin: Origin, model: LanguageModel) -> Spread | None:
    """The spread of workers that do both phases; None where problems were noted.

    Exports of InferenceX from `SQUARED_FROM` multiply tensor by expert size: 8 accelerators of tp 8, ep 8 are
    tp_size 64, moe 8 x 8 (or attention_dp_size 64), and 4 of vLLM's are tp_size 4, attention_dp_size 4,
    moe_ep_size 16; the earlier export has the same measurements as 8 and 4 in all. Rows of large width
    measured before `PHASES_TOLD_FROM` count all accelerators of a deployment whose phases are apart: 36 are
    one prefill worker of 4 and four decoding workers of 8 in later rows of equal latency.
    """
    told, requests = _told(cells, ""), _requests(cells, "", 1)
    if told is None or requests is None:
        return None
    if told.tensor is None:
        cells.assumed.append("layout")
        return Spread(requests)
    if origin.site == INFERENCEX and origin.export >= SQUARED_FROM and (layout := _unsquared(told)):
        return Spread(requests, layout)
    if _whole(origin, told):
        cells.assumed.append("layout")
        return Spread(requests, gpus=told.width, disaggregated=True, workers=0)
    layout = _plain(cells, "", _with_replicas(cells, told, requests, model), model)
    return None if layout is None else Spread(requests, layout)


def disaggregated(
    cells: Cells, origin: Origin, model: LanguageModel, chip: Accelerator, engine: str
) -> Spread | None:
    """The spread of workers for prompts and others that decode; None where problems were noted.

    Where the numbers of workers are told, all is taken as told. The earlier exports of InferenceX lack
    them, write one attention replica for every worker, and repeat the prompts' moe_ep_size for the decoding
    worker: widths are taken as told, replicas as `DATA_FROM` has them, and whole experts over the width where
    prompts have them.
    """
    sizes = [_told(cells, phase) for phase in PHASES]
    counts = [cells.count(f"{phase}num_workers", 0, MOST_ACCELERATORS) or 0 for phase in PHASES]
    told = [one for one in sizes if one is not None]
    requests = _requests(cells, "decode_", counts[1] * (told[-1].data or 1)) if told else None
    if len(told) < len(PHASES) or requests is None:
        return None
    if not all(counts):
        cells.assumed.append("workers")
    if any(one.tensor is None for one in told):
        cells.assumed.append("layout")
        return Spread(requests, disaggregated=True, workers=0)
    if _whole(origin, told[1]) and told[0].width == told[1].width:
        cells.assumed.append("layout")
        return Spread(requests, gpus=told[1].width, disaggregated=True, workers=0)
    if origin.lossy and not any(counts):
        cells.assumed.append("data")
        supposed = [
            _supposed(one, phase, told[0], requests, model, chip, engine)
            for one, phase in zip(told, PHASES, strict=True)
        ]
        alone = int(_wide(told[1], chip))
        return Spread(requests, supposed[1], supposed[0], 0, True, alone)
    plain = [_plain(cells, phase, one, model) for phase, one in zip(PHASES, told, strict=True)]
    if plain[0] is None or plain[1] is None:
        return None
    return Spread(requests, plain[1], plain[0], 0, True, counts[1], counts[0])


def _wide(told: _Told, chip: Accelerator) -> bool:
    """Whether a worker spans nodes within one link domain: InferenceX's recipes then have one that
    decodes."""
    return NODE < told.width <= chip.scaleup_domain


def _told(cells: Cells, phase: str) -> _Told | None:
    """The sizes of a worker; 0 counts as not told. None where problems were noted."""
    before = len(cells.problems)
    least = (1, 1, 1, 0, 0)
    sizes = [
        cells.count(f"{phase}{column}", low, MOST_ACCELERATORS)
        for column, low in zip(SPLIT, least, strict=True)
    ]
    tensor, pipeline, data, expert_tensor, expert = sizes
    if len(cells.problems) > before:
        return None
    return _Told(tensor, pipeline or 1, data, expert_tensor or None, expert or None)


def _requests(cells: Cells, phase: str, replicas: int) -> float | None:
    """Requests in flight: as told, or those of the `replicas` a batch each; None where problems were
    noted."""
    before = len(cells.problems)
    told = cells.number("concurrency", 1, MOST_REQUESTS)
    batch = cells.number(f"{phase}batch_size", 1, MOST_REQUESTS)
    if len(cells.problems) > before:
        return None
    if told is None and batch is not None and replicas:
        cells.assumed.append("concurrency")
        return batch * replicas
    if told is None:
        cells.problems.append("concurrency is blank, must be the requests in flight")
    return told


def _whole(origin: Origin, told: _Told) -> bool:
    """Whether a width counts all accelerators of a deployment (see `aggregated`)."""
    early = origin.site == INFERENCEX and "" < origin.day < PHASES_TOLD_FROM
    return early and told.width > NODE


def _unsquared(told: _Told) -> Layout | None:
    """The layout behind a width that was multiplied; None where it was not (see `aggregated`)."""
    if told.experts != told.width or told.expert_tensor is None or told.tensor is None:
        return None
    if told.expert_tensor == told.expert and told.expert_tensor > 1:
        width, replicated = told.expert_tensor, told.tensor == 1
    elif told.tensor == told.data and told.tensor > 1 and told.expert_tensor == 1:
        width, replicated = told.tensor, False
    else:
        return None
    return Layout(
        tensor=1 if replicated else width,
        data=width if replicated else 1,
        pipeline=told.pipeline,
        expert=width,
    )


def _with_replicas(cells: Cells, told: _Told, requests: float, model: LanguageModel) -> _Told:
    """The sizes with attention replicas where their number is blank.

    Experts split further than attention tell it; so does a batch that is the requests over tp_size.
    """
    if told.data is not None or told.tensor is None or not model.is_moe:
        return told
    experts, batch = told.experts or 0, cells.number("batch_size", 1, MOST_REQUESTS)
    if experts > told.tensor and experts % told.tensor == 0:
        cells.assumed.append("data")
        return _Told(told.tensor, told.pipeline, experts // told.tensor, told.expert_tensor, told.expert)
    if told.tensor > 1 and batch is not None and requests == batch * told.tensor:
        cells.assumed.append("data")
        return _Told(1, told.pipeline, told.tensor, told.expert_tensor, told.expert)
    return told


def _plain(cells: Cells, phase: str, told: _Told, model: LanguageModel) -> Layout | None:
    """The layout as it is written; None where its sizes contradict each other (noted)."""
    split = Layout(told.tensor or 1, told.data or 1, told.pipeline)
    if not model.is_moe:
        return split
    if told.experts is None:
        cells.assumed.append("experts")
        return Layout(split.tensor, split.data, split.pipeline, expert_tensor=told.width)
    if told.experts != told.width:
        cells.problems.append(
            f"{phase}moe_tp_size x {phase}moe_ep_size is {told.experts}, must be {phase}tp_size x "
            f"{phase}attention_dp_size {told.width}"
        )
        return None
    return Layout(split.tensor, split.data, split.pipeline, told.expert_tensor or 1, told.expert or 1)


def _supposed(
    told: _Told,
    phase: str,
    prompts: _Told,
    requests: float,
    model: LanguageModel,
    chip: Accelerator,
    engine: str,
) -> Layout:
    """The layout of a worker of which the width alone is sure (see `disaggregated`).

    Attention of one latent cache (MLA) has replicas: it cannot be split without copying the cache. Workers
    wider than a node have them wherever one link domain holds them.
    """
    width = told.width
    if not model.is_moe:
        return Layout(width, 1, told.pipeline)
    many = requests >= DATA_FROM[phase].get(engine, MOST_REQUESTS)
    replicated = model.is_mla and (many or (phase == "decode_" and _wide(told, chip)))
    by_experts = replicated or (prompts.expert or 1) > 1
    return Layout(
        tensor=1 if replicated else width,
        data=width if replicated else 1,
        pipeline=told.pipeline,
        expert_tensor=1 if by_experts else width,
        expert=width if by_experts else 1,
    )
