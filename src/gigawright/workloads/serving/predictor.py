"""Predicts services with the calibrated model: first token, further tokens, pace, intervals, and what limits
them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from gigawright.arrays import Floats
from gigawright.workloads.calibrated import Calibrated, shipped
from gigawright.workloads.performance import Limit, Unpredictable
from gigawright.workloads.serving.constants import PRIORS
from gigawright.workloads.serving.cost import bound_by_compute
from gigawright.workloads.serving.layouts import laid_out
from gigawright.workloads.serving.levels import levels
from gigawright.workloads.serving.load import PARTS, Deployment, Felt, felt
from gigawright.workloads.serving.measured import METRICS, deployment, metrics, noise_class
from gigawright.workloads.serving.service import Service

FAMILY = "serving"
"""Name of the calibration's files."""

NO_LIMIT = 1e-6
"""Share of requests that wait for memory below which it does not limit."""


@dataclass(frozen=True)
class Predicted:
    """A service as predicted: the middle, and the 10th and 90th percentile; nan where `refused` says why.

    `tokens_per_s` are output tokens a second and accelerator (prompt tokens where prompts alone are
    measured), `running` the requests that an attention replica works on, `seconds` those of a further token
    by part.
    """

    service: Service
    ttft_s: float = np.nan
    ttft_s_p10: float = np.nan
    ttft_s_p90: float = np.nan
    tpot_s: float = np.nan
    tpot_s_p10: float = np.nan
    tpot_s_p90: float = np.nan
    tokens_per_s: float = np.nan
    tokens_per_s_p10: float = np.nan
    tokens_per_s_p90: float = np.nan
    running: float = np.nan
    holds: float = np.nan
    limited_by: Limit = ""
    spent: dict[Limit, float] = field(default_factory=dict)
    refused: str = ""


@lru_cache(maxsize=1)
def calibration() -> Calibrated:
    """The calibration that ships with the package."""
    return shipped(FAMILY, PRIORS)


def predict_services(services: Sequence[Service], known: Calibrated | None = None) -> list[Predicted]:
    """Services at once, in order; those that cannot be predicted say why.

    A service without a layout gets the one with the best pace.
    """
    found = known or calibration()
    ready = [_ready(one, found) for one in services]
    good = [one for one in ready if isinstance(one, Service)]
    done = iter(_predict(good, found) if good else [])
    return [next(done) if isinstance(one, Service) else one for one in ready]


def _ready(one: Service, known: Calibrated) -> Service | Predicted:
    try:
        placed = laid_out(one, known.constants)
        deployment([placed])
    except Unpredictable as reason:
        return Predicted(one, refused=str(reason))
    return placed


def _predict(services: list[Service], known: Calibrated) -> list[Predicted]:
    """Services with layouts, all at once."""
    d = deployment(services)
    found = felt(d, known.constants, _for_limits(services, known))
    prompts = np.array([one.kind == "prefill" for one in services])
    parts = metrics(d, prompts, known.constants, found)
    middle, low, high, shares = [], [], [], []
    for metric, seconds in zip(METRICS, parts, strict=True):
        names = [levels(one, metric) for one in services]
        scaled = seconds.T * np.exp(known.hierarchy.multipliers(names))
        total = scaled.sum(axis=1)
        classes = np.array([noise_class(one, metric) for one in services])
        half = known.half_width(names, scaled / total[:, None], classes)
        middle.append(total)
        low.append(total * np.exp(-half))
        high.append(total * np.exp(half))
        shares.append(scaled)
    ttft, tpot, token = np.array([middle, low, high]).transpose(1, 0, 2)
    compute = bound_by_compute(d.decoders, known.constants, found.running)
    spent = [
        by_limit(shares[METRICS.index("pace" if prompts[at] else "tpot")][at], bool(compute[at]))
        for at in range(len(services))
    ]
    return [
        Predicted(
            service=one,
            ttft_s=float(ttft[0, at]),
            ttft_s_p10=float(ttft[1, at]),
            ttft_s_p90=float(ttft[2, at]),
            tpot_s=float(tpot[0, at]),
            tpot_s_p10=float(tpot[1, at]),
            tpot_s_p90=float(tpot[2, at]),
            tokens_per_s=float(1 / token[0, at]),
            tokens_per_s_p10=float(1 / token[2, at]),
            tokens_per_s_p90=float(1 / token[1, at]),
            running=float(found.running[at]),
            holds=float(found.holds[at]),
            limited_by=_limit(spent[at], "" if prompts[at] else _cap(d, found, at)),
            spent=spent[at],
            refused="" if found.holds[at] >= 1 else _too_large(one, float(found.holds[at])),
        )
        for at, one in enumerate(services)
    ]


def _for_limits(services: Sequence[Service], known: Calibrated) -> Floats | None:
    """Multipliers of parts by which answers apart from prompts keep a limit [parts, N].

    Others keep it as the fit saw them: without any, at the fitted share of the limit.
    """
    alone = np.array([one.kind == "decode" and one.tpot_limit_s > 0 for one in services])
    if not alone.any():
        return None
    found = known.hierarchy.multipliers([levels(one, "tpot") for one in services]).T
    return np.asarray(found * alone)


def _too_large(one: Service, holds: float) -> str:
    return (
        f"not feasible: the memory of {one.accelerators} x {one.chip.name} holds "
        + ("the weights, but no" if holds > 0 else "neither the weights nor a")
        + f" request of {one.input_tokens + one.output_tokens:,.0f} tokens"
    )


def _cap(d: Deployment, found: Felt, at: int) -> Limit:
    """What keeps more requests from running, if anything does."""
    if found.limited[at]:
        return "latency limit"
    return "memory capacity" if d.decoders.asked[at] > found.holds[at] * (1 + NO_LIMIT) else ""


def _limit(spent: Mapping[Limit, float], cap: Limit) -> Limit:
    """What a token is mostly spent on, or what keeps more requests from running."""
    return cap or max(spent, key=lambda kind: spent[kind])


def by_limit(seconds: Floats, compute: bool) -> dict[Limit, float]:
    """Seconds by part as seconds by what they are spent on; `compute` tells that decoding's products are
    computed longer than they are read.
    """
    spent = dict(zip(PARTS, seconds.tolist(), strict=True))
    products = spent["products"] + spent["experts"]
    return {
        "compute": spent["prompt"] + (products if compute else 0.0),
        "memory bandwidth": spent["cache"] + (0.0 if compute else products),
        "network": spent["network"] + spent["prompt network"],
        "overhead": spent["host"] + spent["front"] + spent["waiting"],
    }
