"""Rankings for the plan: requests a second, power and limits of a recommender on a system."""

from __future__ import annotations

from gigawright.catalogue.types import System
from gigawright.workloads.performance import Limit, PhasePerformance, Unpredictable, answer, joined
from gigawright.workloads.power import watts
from gigawright.workloads.recommender.model import RecommenderModel
from gigawright.workloads.recommender.predictor import LIMITS, Predicted, predict_ask
from gigawright.workloads.recommender.service import Ask, precision_named
from gigawright.workloads.recommender.sizes import sizes
from gigawright.workloads.training.machine import machine_row, used_precision


def rank(
    model: RecommenderModel,
    system: System,
    *,
    candidates: float,
    precision: str = "bf16",
    requests: float = 1.0,
    lookups_per_candidate: float | None = None,
    embedding_dim: int | None = None,
    phase: str = "ranking",
) -> PhasePerformance:
    """Requests a second an accelerator ranks at full load; a request scores `candidates` items.

    A request is a batch unless `requests` are scored together: ranking servers score a user's candidates at
    once. `lookups_per_candidate` and `embedding_dim` replace those of the model's tables. Refused where
    nothing holds the tables, or a rate is missing.
    """

    def predict() -> PhasePerformance:
        found = sizes(model, lookups=lookups_per_candidate, dimension=embedding_dim)
        ask = Ask(
            sizes=found,
            chip=system.accelerator,
            accelerators=system.accelerators,
            precision=precision,
            candidates=candidates,
            requests=requests,
        )
        return _phase(predict_ask(ask), system, phase)

    return answer(phase, system, predict)


def _phase(done: Predicted, system: System, phase: str) -> PhasePerformance:
    if done.refused:
        raise Unpredictable(done.refused)
    ask = done.ask
    total = sum(done.seconds.values())
    kinds: dict[Limit, float] = {}
    for part, value in done.seconds.items():
        kinds[LIMITS[part]] = kinds.get(LIMITS[part], 0.0) + value
    limit = next(kind for kind in kinds if kind == done.limited_by)
    # Time that a latency limit leaves free draws as idle.
    drawing: dict[Limit, float] = {kind: kinds[kind] for kind in kinds if kind != "latency limit"}
    return PhasePerformance(
        phase=phase,
        system=system.id,
        work_per_s=done.per_s,
        watts=watts(system, drawing, total),
        limited_by=limit,
        note=joined(*_notes(ask)),
        details={
            "seconds_per_request": 1 / done.per_s,
            "flops_per_request": ask.sizes.flops(ask.candidates),
            "mfu": mfu(done),
            "shards": float(done.shards),
            "work_per_s_p10": done.per_s_p10,
            "work_per_s_p90": done.per_s_p90,
            **{f"{part}_s": value / ask.requests for part, value in done.seconds.items()},
        },
    )


def mfu(done: Predicted) -> float:
    """Dense flops over the peak at the precision that products run at; TF32 has half of the 16-bit peak.

    >>> from gigawright.workloads.recommender.examples import dlrm
    >>> 0.2 < mfu(predict_ask(dlrm())) < 0.6
    True
    """
    ask = done.ask
    name = precision_named(ask.precision)
    peak = machine_row(ask.chip, "bf16" if name == "tf32" else name)["peak"]
    return ask.sizes.flops(ask.candidates) * done.per_s / (peak * (0.5 if name == "tf32" else 1.0))


def _notes(ask: Ask) -> list[str]:
    """What was put in place of what was asked or is not known."""
    name = precision_named(ask.precision)
    used = used_precision(ask.chip, "bf16" if name == "tf32" else name)
    told = [f"{', '.join(ask.sizes.assumed)} assumed"] if ask.sizes.assumed else []
    if name != "tf32" and used != name:
        told.append(f"{name} is not in the data sheet of {ask.chip.name}: {used} instead")
    if used in ask.chip.derived:
        told.append(f"the {used} rate is derived, not published")
    return told
