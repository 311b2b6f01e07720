"""The response surfaces of a study: one for each phase of each language model that serves, on each system."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gigawright.workloads.architecture import language_model
from gigawright.workloads.performance import Phase, PhasePerformance, Unpredictable, refused
from gigawright.workloads.power import IDLE_SHARE
from gigawright.workloads.serving.surface import Surface, held_share

if TYPE_CHECKING:
    from gigawright.catalogue.types import System
    from gigawright.study.model import LLMServing, Workload
    from gigawright.workloads.serving.surface_build import Configuration

Pairing = tuple[str, str]
Table = dict[Pairing, PhasePerformance]


def felt_by_users(
    workloads: Mapping[str, Workload],
    phases: Sequence[Phase],
    systems: Mapping[str, System],
    table: Table,
    told: Callable[[str], None],
) -> tuple[Table, dict[Pairing, Surface], dict[Pairing, float]]:
    """The table with those refused that hold their limits at no load; surfaces and the loads that hold them,
    by (phase, system).
    """
    found = dict(table)
    asked: dict[Pairing, tuple[LLMServing, Configuration]] = {}
    for phase, name, workload in _serving(workloads, phases, systems):
        done = table[phase.name, name]
        if done.refused:
            continue
        try:
            asked[phase.name, name] = workload, _asked(workload, phase, systems[name], done)
        except Unpredictable as reason:
            found[phase.name, name] = refused(phase.name, name, str(reason))
    made: dict[Pairing, Surface] = {}
    held: dict[Pairing, float] = {}
    simulated = _surfaces([one for _, one in asked.values()], told)
    for (pairing, (workload, _)), surface in zip(asked.items(), simulated, strict=True):
        idle = systems[pairing[1]].kw_per_accelerator * 1e3 * IDLE_SHARE
        made[pairing] = replace(surface, idle_watts=idle, full_watts=table[pairing].watts)
        limit = workload.ttft_limit if surface.felt == "ttft" else workload.tpot_limit
        try:
            held[pairing] = held_share(surface, limit)
        except Unpredictable as reason:
            if workload.headroom is None:
                found[pairing] = refused(*pairing, str(reason))
    return found, made, held


def _serving(
    workloads: Mapping[str, Workload], phases: Sequence[Phase], systems: Mapping[str, System]
) -> Iterator[tuple[Phase, str, LLMServing]]:
    """Phases of language models that serve, with each system."""
    for phase in phases:
        workload = workloads[phase.workload]
        if workload.family == "llm-serving":
            for name in systems:
                yield phase, name, workload


def _surfaces(asked: Sequence[Configuration], told: Callable[[str], None]) -> list[Surface]:
    """Those kept, and those simulated now."""
    if not asked:
        return []
    from gigawright.workloads.serving.surface_cache import surfaces_of

    return surfaces_of(asked, told)


def _asked(workload: LLMServing, phase: Phase, system: System, done: PhasePerformance) -> Configuration:
    from gigawright.workloads.serving.surface_planned import answers_configuration, prompts_configuration

    model, cached = language_model(workload.model), workload.cached_share
    if phase.unit == "input-token":
        return prompts_configuration(
            model,
            system,
            done,
            precision=workload.precision,
            input_tokens=workload.input_tokens.value,
            cached_share=cached.value if cached else 0.0,
        )
    return answers_configuration(
        model,
        system,
        done,
        precision=workload.precision,
        input_tokens=workload.input_tokens.value,
        output_tokens=workload.output_tokens.value,
        tpot_limit_s=workload.tpot_limit,
    )
