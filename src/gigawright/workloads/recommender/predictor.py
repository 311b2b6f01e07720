"""Predicts recommenders with the calibrated model: requests a second, their interval, what limits them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from gigawright.arrays import Floats
from gigawright.workloads.calibrated import Calibrated, shipped
from gigawright.workloads.calibrating import scaled
from gigawright.workloads.hierarchy import UNSEEN
from gigawright.workloads.performance import Limit, Unpredictable
from gigawright.workloads.recommender.constants import PRIORS
from gigawright.workloads.recommender.cost import PARTS, seconds
from gigawright.workloads.recommender.load import Loaded, loaded
from gigawright.workloads.recommender.service import Ask

FAMILY = "recommender"
"""Name of the calibration's files."""

KINDS = ("vendor", "generation", "chip", "submitter")
"""Kinds of level."""

LIMITS: Mapping[str, Limit] = {
    "products": "compute",
    "gather": "random access",
    "element": "memory bandwidth",
    "exchange": "network",
    "host": "overhead",
    "waiting": "latency limit",
}
"""What a part of a batch's time is limited by, in the words of every prediction."""

TOO_SLOW = "not feasible: no batch is answered within the latency limit"


@dataclass(frozen=True)
class Predicted:
    """Requests a second an accelerator answers, with the 10th and 90th percentile of that; seconds of a
    batch by part. Where `refused` says why, the numbers are nan.
    """

    ask: Ask
    per_s: float = np.nan
    per_s_p10: float = np.nan
    per_s_p90: float = np.nan
    limited_by: str = ""
    place: str = ""
    shards: int = 0
    batch: float = np.nan
    seconds: dict[str, float] = field(default_factory=dict)
    refused: str = ""


@lru_cache(maxsize=1)
def calibration() -> Calibrated:
    """The calibration that ships with the package."""
    return shipped(FAMILY, PRIORS)


def levels(ask: Ask) -> tuple[str, ...]:
    """The level of each kind that a service belongs to; unknown who measured is a level that none has."""
    chip = ask.chip
    return chip.vendor, f"{chip.vendor} {chip.generation or chip.name}", chip.id, ask.site or UNSEEN


def predict_ask(ask: Ask, known: Calibrated | None = None) -> Predicted:
    """One service.

    >>> from gigawright.workloads.recommender.examples import dlrm
    >>> done = predict_ask(dlrm())
    >>> done.per_s_p10 < done.per_s < done.per_s_p90, done.limited_by
    (True, 'compute')
    """
    return predict_asks([ask], known)[0]


def predict_asks(asks: Sequence[Ask], known: Calibrated | None = None) -> list[Predicted]:
    """Services in order; those that cannot be predicted say why."""
    found = known or calibration()
    distinct = {_key(ask): ask for ask in asks}
    done = {key: _predict(ask, found) for key, ask in distinct.items()}
    return [replace(done[_key(ask)], ask=ask) for ask in asks]


def _key(ask: Ask) -> object:
    """What tells a service from another; the chip and the sizes, which cannot be hashed, by their ids."""
    sizes = (ask.sizes.model, float(ask.sizes.tables.values), ask.sizes.flops(1.0))
    told = (ask.accelerators, ask.precision, ask.kept_16, ask.candidates, ask.requests, ask.live, ask.limit_s)
    return sizes, id(ask.chip), ask.chip.id, *told, ask.site, ask.age_years


def _predict(ask: Ask, known: Calibrated) -> Predicted:
    names = [levels(ask)]
    multipliers = known.hierarchy.multipliers(names)
    try:
        done = loaded(ask, known.constants, np.exp(multipliers[0]))
    except Unpredictable as reason:
        return Predicted(ask, refused=str(reason))
    if done.use <= 0:
        return Predicted(ask, refused=TOO_SLOW)
    parts = parts_of([done], known.constants)
    logs, shares = scaled(parts, multipliers)
    half = float(known.half_width(names, shares, np.zeros(1, dtype=np.int64))[0])
    per_s = done.ready.ask.requests / float(np.exp(logs[0]))
    told = _told(parts[:, 0] * np.exp(multipliers[0]), done)
    return Predicted(
        ask=ask,
        per_s=per_s,
        per_s_p10=per_s * float(np.exp(-half)),
        per_s_p90=per_s * float(np.exp(half)),
        limited_by=LIMITS[max(told, key=lambda part: told[part])],
        place=done.ready.place.name,
        shards=done.ready.place.shards.group,
        batch=done.ready.ask.requests,
        seconds=told,
    )


def parts_of(batches: Sequence[Loaded], c: Mapping[str, float]) -> Floats:
    """Seconds by part that a batch keeps its accelerator, idle time that its limit asks for included
    [parts, batches]."""
    return np.array([seconds(one.ready, c) / one.use for one in batches]).T.reshape(len(PARTS), len(batches))


def _told(parts: Floats, done: Loaded) -> dict[str, float]:
    """Seconds by part, with the idle time apart."""
    busy = {name: float(value) * done.use for name, value in zip(PARTS, parts, strict=True)}
    return {**busy, "waiting": float(parts.sum()) * (1 - done.use)}
