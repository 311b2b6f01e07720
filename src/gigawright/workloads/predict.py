"""Every phase of a study's workloads on every system it names: one table of pace, power and limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from gigawright.workloads.architecture import generation_model, language_model, recommender_model
from gigawright.workloads.generation.planned import generate_image, generate_video
from gigawright.workloads.performance import Phase, PhasePerformance
from gigawright.workloads.power import IDLE_SHARE
from gigawright.workloads.recommender.planned import rank
from gigawright.workloads.serving.planned import serve_decode, serve_prefill
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
    from gigawright.workloads.serving.surface import Surface

Told = Callable[[str], None]


@dataclass(frozen=True)
class Performance:
    """What each system does of each phase, and what share of that a planner may count on.

    `table` is by (phase, system), and so are the others but `idle_kw`, the wall power of an idle accelerator
    by system. `net_share` is availability x `planned_load`, the load that is planned with at the peak hour:
    the goodput of training, what `surfaces` tell to hold the limits of language models that serve, and else
    1 - headroom.
    """

    phases: tuple[Phase, ...]
    table: Mapping[tuple[str, str], PhasePerformance]
    net_share: Mapping[tuple[str, str], float]
    idle_kw: Mapping[str, float]
    planned_load: Mapping[tuple[str, str], float] = field(default_factory=dict)
    surfaces: Mapping[tuple[str, str], Surface] = field(default_factory=dict)


def predict(study: Study, catalogue: Catalogue, told: Told = lambda text: None) -> Performance:
    """Predict every pairing; a pairing that cannot be predicted says why and has no pace.

    Response surfaces that are not kept from an earlier run are simulated, which is told.
    """
    from gigawright.workloads.serving.surfaces import felt_by_users

    book = catalogue.book
    phases = tuple(phase for workload in study.workloads for phase in phases_of(workload))
    workloads = {workload.name: workload for workload in study.workloads}
    table = {
        (phase.name, system.id): predict_phase(workloads[phase.workload], phase, system)
        for phase in phases
        for system in catalogue.systems.values()
    }
    table, surfaces, held = felt_by_users(workloads, phases, catalogue.systems, table, told)
    loads = {
        (phase.name, system): _planned_load(
            workloads[phase.workload], book, held.get((phase.name, system), 0.0)
        )
        for phase in phases
        for system in catalogue.systems
    }
    return Performance(
        phases=phases,
        table=table,
        net_share={
            (phase.name, system): _share(workloads[phase.workload], book, "availability")
            * loads[phase.name, system]
            for phase in phases
            for system in catalogue.systems
        },
        idle_kw={name: system.kw_per_accelerator * IDLE_SHARE for name, system in catalogue.systems.items()},
        planned_load=loads,
        surfaces=surfaces,
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
            ttft_limit_s=workload.ttft_limit,
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


def _planned_load(workload: Workload, book: FactBook, held: float) -> float:
    """The share of an available accelerator's pace that is planned with, where limits are `held` up to a load
    (0: none is).
    """
    if workload.family == "llm-training":
        return _share(workload, book, "goodput")
    if workload.family == "llm-serving" and workload.headroom is None:
        return held
    return 1.0 - _share(workload, book, "headroom")


def _share(workload: Workload, book: FactBook, name: str) -> float:
    """A share as the study says it, or else the catalogue."""
    own = getattr(workload, name)
    return float(own.value) if own is not None else book.number("economics", name, "value")
