"""Ranking by roofline: dense flops of the candidates, embedding rows gathered at random, tables sharded.

Consecutive requests overlap, so the slowest resource sets the pace. See docs/workloads.md for the equations.
"""

from __future__ import annotations

import math

from gigawright.catalogue.types import System
from gigawright.workloads.performance import Limit, PhasePerformance, Unpredictable, answer
from gigawright.workloads.power import watts
from gigawright.workloads.ranking import RecommenderModel
from gigawright.workloads.roofline import Machine, machine

CLASSIC_MFU = 0.045
"""Share of peak that ranking models reach which were not designed for the hardware: Douyin's baseline
before RankMixer (arXiv:2507.15551, abstract: MFU from 4.5% to 45%)."""

LOOKUPS = 300.0
"""Embedding rows a candidate needs where the model's table does not say; assumption: production rankers
use some hundreds of features."""

EMBEDDING_DIM = 64
"""Width of a row where the model's table does not say; assumption."""

VALUE_BYTES = 2.0
"""Bytes of an embedding value (fp16)."""

REQUEST_HOST_S = 2e-6
"""Accelerator time a request loses to launches [s]; assumption: 1 ms a batch of some 500 requests."""


def rank(
    model: RecommenderModel,
    system: System,
    *,
    candidates: float,
    precision: str = "bf16",
    mfu: float | None = None,
    table_gb: float | None = None,
    lookups_per_candidate: float | None = None,
    embedding_dim: int | None = None,
    phase: str = "ranking",
) -> PhasePerformance:
    """Requests a second an accelerator ranks; a request scores `candidates` items.

    `mfu` is the share of peak the dense part reaches (default: the model's published one, else
    CLASSIC_MFU); `table_gb` the embedding tables held in device memory (default: the model's; 0: they
    stay on hosts, and rows arrive over the network). Refused where tables fit in no group.
    """
    tables = model.table_bytes(VALUE_BYTES) if table_gb is None else table_gb * 1e9
    row_values = (lookups_per_candidate or model.lookups_per_candidate or LOOKUPS) * (
        embedding_dim or model.embedding_dim or EMBEDDING_DIM
    )
    gathered = row_values * VALUE_BYTES * candidates
    share = mfu or model.mfu or CLASSIC_MFU
    return answer(
        phase, system, lambda: _rank(model, system, candidates, precision, share, tables, gathered, phase)
    )


def _rank(
    model: RecommenderModel,
    system: System,
    candidates: float,
    precision: str,
    mfu: float,
    tables: float,
    gathered: float,
    phase: str,
) -> PhasePerformance:
    flops = model.request_flops(candidates)
    if flops <= 0:
        raise Unpredictable(f"not predictable: missing flops of {model.name}")
    rates = machine(system, precision)
    group = _shards(tables, rates)
    peak = system.accelerator.peak_tflops[rates.precision] * 1e12
    seconds: dict[Limit, float] = {
        "compute": flops / (mfu * peak),
        "random access": gathered / rates.gather if tables else 0.0,
        "network": _network_seconds(rates, group, tables, gathered),
        "overhead": REQUEST_HOST_S,
    }
    pace = max(seconds, key=lambda part: seconds[part])
    total = seconds[pace] + (REQUEST_HOST_S if pace != "overhead" else 0.0)
    return PhasePerformance(
        phase=phase,
        system=system.id,
        work_per_s=1 / total,
        watts=watts(system, seconds, total),
        limited_by=pace,
        note=rates.note,
        details={
            "seconds_per_request": total,
            "flops_per_request": flops,
            "mfu": flops / total / peak,
            "gathered_mb": gathered / 1e6,
            "shards": float(group),
            **{f"{part.replace(' ', '_')}_s": time for part, time in seconds.items()},
        },
    )


def _shards(tables: float, rates: Machine) -> int:
    """Accelerators that hold the tables together; over nodes where a network is known."""
    if tables <= rates.memory:
        return 1
    group = math.ceil(tables / rates.memory)
    if group > rates.domain and rates.nic == 0:
        raise Unpredictable(
            f"not feasible: tables of {tables / 1e9:,.0f} GB need {group} accelerators and a network"
        )
    return group


def _network_seconds(rates: Machine, group: int, tables: float, gathered: float) -> float:
    """Rows of other shards, or all rows where the tables stay on hosts (Monolith's parameter servers)."""
    if not tables:
        return gathered / rates.nic if rates.nic else 0.0
    return gathered * (group - 1) / group / rates.link(group) if group > 1 else 0.0
