"""A training step of a recommender: rows forward and back, all-to-all both ways, dense products, optimiser.

    t = 3 t_dense + 2 t_exchange + t_gather + t_update + t_reduce + t_host

Tables are sharded over all accelerators, the dense part is copied to each. Backward costs twice the forward
products and combinations. A row that a batch touches is read and written with its optimiser's state once,
however often it was looked up: of N rows, m even draws touch N (1 - exp(-m / N)). Nothing here is fitted to
training runs: constants are those of serving and of `training_constants.csv`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gigawright.catalogue.types import Accelerator
from gigawright.units import GIBIBYTE
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.recommender.constants import MEMORY_USED, Constants
from gigawright.workloads.recommender.cost import PARTS, Prepared, prepare, row_bytes, seconds
from gigawright.workloads.recommender.placement import Shards, shard
from gigawright.workloads.recommender.places import SHARDINGS, Place
from gigawright.workloads.recommender.predictor import calibration
from gigawright.workloads.recommender.service import Ask
from gigawright.workloads.recommender.sizes import Sizes
from gigawright.workloads.training.calibration import calibration as trained_calibration
from gigawright.workloads.training.run import MATURE_YEARS

WEIGHT_BYTES = 4.0
"""Bytes of a value of a row while training: fp32, as MLPerf's rules ask of embeddings."""

STATE_BYTES = 4.0
"""Bytes of optimiser state a value: AdaGrad, one sum of squares (MLPerf's DLRM-DCNv2)."""

BACKWARD = 3.0
"""Forward and backward over forward, of products and of combined vectors."""

TRAIN_LAUNCHES = 3.0
"""Operators of a step over those of a forward pass: forward, backward, optimiser."""

GRADIENT_BYTES = 2.0
"""Bytes of a gradient that is exchanged or reduced (fp16)."""


@dataclass(frozen=True)
class Step:
    """A training step: seconds by part, in all, and samples a second of all accelerators; `forward_s` is its
    forward pass alone.
    """

    seconds: dict[str, float]
    step_s: float
    samples_per_s: float
    place: str
    forward_s: float = 0.0

    def minutes(self, samples: float) -> float:
        """Minutes to train on so many samples, without evaluation and restarts."""
        return samples / self.samples_per_s / 60


def train_step(
    sizes: Sizes,
    chip: Accelerator,
    accelerators: int,
    batch: float,
    *,
    age_years: float = MATURE_YEARS,
    known: Constants | None = None,
) -> Step:
    """A step over `batch` samples on all accelerators, in the sharding that is fastest.

    Raises Unpredictable where the tables with their optimiser fit in no sharding, or a rate is missing.
    """
    constants = known or calibration().constants
    ask = Ask(
        sizes=sizes,
        chip=chip,
        accelerators=accelerators,
        precision="bf16",
        candidates=1.0,
        requests=batch / accelerators,
        age_years=age_years,
    )
    tried = [_step(ask, shards, batch, constants) for shards in _shardings(ask)]
    if not tried:
        held = sizes.tables.values * (WEIGHT_BYTES + STATE_BYTES) / 1e9
        raise Unpredictable(
            f"not feasible: tables of {held:,.0f} GB with their optimiser on {accelerators} x {chip.name}"
        )
    return min(tried, key=lambda step: step.step_s)


def _shardings(ask: Ask) -> list[Shards]:
    """Ways to split tables over all accelerators that fit their memory."""
    tables = ask.sizes.tables
    store = ask.chip.memory_gb * GIBIBYTE * MEMORY_USED
    share = tables.values * (WEIGHT_BYTES + STATE_BYTES) / ask.accelerators
    lookups = tables.lookups(ask.pairs, ask.requests)
    split = [shard(tables, lookups, ask.accelerators, by, ask.pairs) for by in SHARDINGS]
    return [one for one in split if share * one.fullest <= store]


def _step(ask: Ask, shards: Shards, batch: float, c: Constants) -> Step:
    tables = ask.sizes.tables
    lookups, nothing = tables.lookups(ask.pairs, ask.requests), np.zeros(len(tables.rows))
    place = Place(f"shards by {shards.by}", shards, lookups, nothing, nothing, nothing)
    ready = prepare(ask, place)
    # Gathers read fp32 rows; everything else of the forward pass is at 16 bits.
    wide = prepare(replace(ask, precision="fp32"), place)
    forward = dict(zip(PARTS, seconds(replace(ready, copied_s=0.0), c).tolist(), strict=True))
    forward["gather"] = dict(zip(PARTS, seconds(wide, c).tolist(), strict=True))["gather"]
    told = {
        "products": BACKWARD * forward["products"],
        "gather": forward["gather"],
        "element": BACKWARD * forward["element"],
        "exchange": 2 * forward["exchange"] * (1 - trained_calibration().constants.hidden_expert),
        "update": _update_s(ask, shards, batch, ready, c),
        "reduce": _reduce_s(ask, ready),
        "host": TRAIN_LAUNCHES * forward["host"],
    }
    busy = sum(told.values())
    told["host"] += max(0.0, ready.copied_s - busy)
    step = sum(told.values())
    return Step(told, step, batch / step, place.name, sum(forward.values()))


def _update_s(ask: Ask, shards: Shards, batch: float, ready: Prepared, c: Constants) -> float:
    """Gradients of look-ups summed by row, and touched rows read and written with their state."""
    tables, copied = ask.sizes.tables, shards.copied
    drawn = tables.lookups(batch, batch)
    touched = tables.rows * -np.expm1(-drawn / tables.rows)
    spread = np.where(copied > 0, 1.0, shards.busiest / ask.accelerators)
    row = tables.width / shards.slices
    state = 2 * row_bytes(row * WEIGHT_BYTES) + 2 * row_bytes(row * STATE_BYTES)
    even = np.where(copied > 0, 1.0, shards.busiest) / ask.accelerators
    sums = drawn * even * row_bytes(row * GRADIENT_BYTES)
    moved = float((shards.slices * (touched * spread * state + sums)).sum())
    return moved / (c["gather"] * float(ready.formats[0].machine.bandwidth[0]))


def _reduce_s(ask: Ask, ready: Prepared) -> float:
    """What is felt of the all-reduce of dense gradients and copied tables, twice the bytes over the slower
    network."""
    if ask.accelerators <= 1:
        return 0.0
    known, m, tables = trained_calibration().constants, ready.formats[0].machine, ask.sizes.tables
    copied = float((ready.place.shards.copied * tables.rows * tables.width).sum())
    moved = 2 * (ask.sizes.dense_params + copied) * GRADIENT_BYTES
    domain = max(1.0, float(m.domain[0]))
    inside = known.link * float(m.scale_up[0])
    slow = known.nic * float(m.nic[0]) * domain if ask.accelerators > domain else inside
    return (1 - known.hidden_data) * moved / slow + known.hop_s


EPOCHS = (
    (32_768.0, 0.705),
    (55_296.0, 0.763),
    (65_536.0, 0.797),
    (102_400.0, 0.889),
    (135_168.0, 0.929),
)
"""Batch, and share of its one epoch after which MLPerf's reference DLRM-DCNv2 reaches its target: means of 30
to 88 runs (mlcommons/logging, rcp_checker/training_5.1.0/rcps_dlrm_dcnv2.json)."""

EPOCH_SAMPLES = 4_195_197_692.0
"""Training samples of Criteo 1TB in MLPerf (23 days; `train_samples` of its logs)."""

EVALUATION_SAMPLES = 89_137_319.0
EVALUATION_EVERY = 0.05
"""Samples that MLPerf evaluates, and after which share of an epoch (its training rules for dlrm_dcnv2)."""


def minutes_to_target(step: Step, batch: float) -> float:
    """Minutes that DLRM-DCNv2 trains to MLPerf's target, with evaluations, which run forward alone.

    >>> even = Step({}, 1.0, 4_195_197_692.0 / 600, "")
    >>> round(minutes_to_target(even, 55_296), 2)
    7.63
    """
    batches, epochs = zip(*EPOCHS, strict=True)
    share = float(np.interp(np.log(batch), np.log(batches), epochs))
    evaluated = EVALUATION_SAMPLES * share / EVALUATION_EVERY / batch * step.forward_s / 60
    return step.minutes(EPOCH_SAMPLES * share) + evaluated
