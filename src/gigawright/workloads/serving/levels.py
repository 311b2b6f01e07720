"""The levels that a serving measurement belongs to: chip, engine, model, format, scenario."""

from __future__ import annotations

from gigawright.workloads.hierarchy import UNSEEN
from gigawright.workloads.serving.service import Service

KINDS = (
    *("generation", "chip", "engine", "engine on generation", "release", "site", "format"),
    *("scenario", "model", "model on engine"),
)
"""Kinds of level. A format is precision with generation, a scenario what was asked of whom."""

SPREADS = (0.15, 0.10, 0.15, 0.10, 0.08, 0.08, 0.10, 0.05, 0.12, 0.08)
"""Standard deviation of what a level adds to a part before anything is measured, by kind; assumption: about a
tenth, more between makers, engines and scenarios."""


def levels(one: Service, metric: str) -> tuple[str, ...]:
    """The level of each kind; `metric` is what is asked: ttft, tpot or pace."""
    chip = one.chip
    generation = f"{chip.vendor} {chip.generation or chip.name}"
    engine = one.engine or UNSEEN
    apart = "apart" if is_apart(one) else "together"
    return (
        generation,
        chip.id,
        engine,
        f"{engine} {generation}" if one.engine else UNSEEN,
        one.release or UNSEEN,
        one.site or UNSEEN,
        f"{generation} {one.expert_precision or one.precision}",
        f"{one.kind} {apart} {metric}",
        one.model.name,
        f"{engine} {one.model.name}" if one.engine else UNSEEN,
    )


def is_apart(one: Service) -> bool:
    """Whether prompts have workers of their own."""
    return one.disaggregated or one.prefill is not None
