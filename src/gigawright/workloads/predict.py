"""Every phase of a study's workloads on every system it names: one table of pace, power and limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gigawright.workloads.architecture import generation_model, language_model, recommender_model
from gigawright.workloads.generation import generate_image, generate_video
from gigawright.workloads.performance import Phase, PhasePerformance
from gigawright.workloads.power import IDLE_SHARE
from gigawright.workloads.recommender import rank
from gigawright.workloads.serving import serve_decode, serve_prefill
from gigawright.workloads.training.planned import train
from gigawright.workloads.units import PHASES

if TYPE_CHECKING:
    from gigawright.catalogue.resolve import Catalogue
    from gigawright.catalogue.types import System
    from gigawright.facts import FactBook
    from gigawright.study.model import (
        Generation,
        LLMServing,
        LLMTraining,
        Recommendation,
        Study,
        TrainingRun,
        Workload,
    )


@dataclass(frozen=True)
class Performance:
    """What each system does of each phase, and what share of that a planner may count on.

    `table` is by (phase, system). `net_share` by workload: availability x (1 - headroom), for training
    availability x goodput. `idle_kw` is wall power of an idle accelerator by system.
    """

    phases: tuple[Phase, ...]
    table: Mapping[tuple[str, str], PhasePerformance]
    net_share: Mapping[str, float]
    idle_kw: Mapping[str, float]


def predict(study: Study, catalogue: Catalogue) -> Performance:
    """Predict every pairing; a pairing that cannot be predicted says why and has no pace."""
    phases = tuple(phase for workload in study.workloads for phase in phases_of(workload))
    workloads = {workload.name: workload for workload in study.workloads}
    table = {
        (phase.name, system.id): predict_phase(workloads[phase.workload], phase, system)
        for phase in phases
        for system in catalogue.systems.values()
    }
    return Performance(
        phases=phases,
        table=table,
        net_share={name: _net_share(workload, catalogue.book) for name, workload in workloads.items()},
        idle_kw={name: system.kw_per_accelerator * IDLE_SHARE for name, system in catalogue.systems.items()},
    )


def phases_of(workload: Workload) -> Iterator[Phase]:
    """The phases a workload is planned in: `assistant.prefill`, `assistant.decode`; a run with a date by
    name."""
    about = {"workload": workload.name, "group": workload.group or workload.name, "family": workload.family}
    if workload.family == "llm-training" and workload.programmes:
        for run in workload.programmes:
            yield Phase(_run_phase(workload, run), unit="trained-token", profile="flat", **about)
        return
    users = workload.demand is not None and workload.demand.peak and workload.demand.regions != "home"
    profile: Literal["flat", "daily"] = "daily" if users else "flat"
    for phase, unit in PHASES[workload.family]:
        yield Phase(f"{workload.name}.{phase}", unit=unit, profile=profile, **about)


def _run_phase(workload: LLMTraining, run: TrainingRun) -> str:
    return f"{workload.name}:{run.name}"


def predict_phase(workload: Workload, phase: Phase, system: System) -> PhasePerformance:
    """One phase of one workload on one system."""
    if workload.family == "llm-training":
        return _training(workload, phase, system)
    if workload.family == "llm-serving":
        return _serving(workload, phase, system)
    if workload.family == "recommendation":
        return _ranking(workload, phase, system)
    return _generation(workload, phase, system)


def _training(workload: LLMTraining, phase: Phase, system: System) -> PhasePerformance:
    run = next((one for one in workload.programmes if phase.name == _run_phase(workload, one)), None)
    asked = workload.setting(run)
    return train(
        language_model(asked.model),
        system,
        precision=asked.precision,
        seq_len=asked.seq_len,
        accelerators=asked.cluster,
        batch_tokens=asked.batch_tokens,
        phase=phase.name,
    )


def _serving(workload: LLMServing, phase: Phase, system: System) -> PhasePerformance:
    model, cached = language_model(workload.model), workload.cached_share
    if phase.unit == "input-token":
        return serve_prefill(
            model,
            system,
            precision=workload.precision,
            input_tokens=workload.input_tokens.value,
            cached_share=cached.value if cached else 0.0,
            phase=phase.name,
        )
    return serve_decode(
        model,
        system,
        precision=workload.precision,
        input_tokens=workload.input_tokens.value,
        output_tokens=workload.output_tokens.value,
        tpot_limit_s=workload.tpot_limit,
        phase=phase.name,
    )


def _generation(workload: Generation, phase: Phase, system: System) -> PhasePerformance:
    make = generate_image if workload.family == "image-generation" else generate_video
    return make(
        generation_model(workload.model),
        system,
        precision=workload.precision,
        steps=workload.steps,
        phase=phase.name,
    )


def _ranking(workload: Recommendation, phase: Phase, system: System) -> PhasePerformance:
    return rank(
        recommender_model(workload.model),
        system,
        candidates=workload.candidates.value,
        precision=workload.precision,
        phase=phase.name,
    )


def _net_share(workload: Workload, book: FactBook) -> float:
    """The share of the predicted pace that a planner may count on."""

    def share(own: float | None, name: str) -> float:
        return own if own is not None else book.number("economics", name, "value")

    available = share(workload.availability.value if workload.availability else None, "availability")
    if workload.family == "llm-training":
        return available * share(workload.goodput.value if workload.goodput else None, "goodput")
    free = share(workload.headroom.value if workload.headroom else None, "headroom")
    return available * (1.0 - free)
