"""Images, videos and speech for the plan: items a second, power and limits of a generator on a system."""

from __future__ import annotations

from dataclasses import replace

from gigawright.catalogue.types import System
from gigawright.workloads.generation import speech
from gigawright.workloads.generation.load import Room
from gigawright.workloads.generation.model import GenerationModel
from gigawright.workloads.generation.predictor import Predicted, by_limit, predict_task
from gigawright.workloads.generation.rows import NEWER_CHIPS
from gigawright.workloads.generation.task import Split, Task
from gigawright.workloads.performance import PhasePerformance, Unpredictable, answer, joined
from gigawright.workloads.power import watts
from gigawright.workloads.training.machine import used_precision


def generate_image(
    model: GenerationModel,
    system: System,
    *,
    precision: str = "bf16",
    steps: int | None = None,
    group: int | None = None,
    phase: str = "image",
) -> PhasePerformance:
    """Images a second an accelerator at the model's setting; `steps` in place of the model's own."""
    return answer(phase, system, lambda: _generate(model, system, "image", precision, steps, group, phase))


def generate_video(
    model: GenerationModel,
    system: System,
    *,
    precision: str = "bf16",
    steps: int | None = None,
    group: int | None = None,
    phase: str = "video",
) -> PhasePerformance:
    """Clips a second an accelerator; a clip has the size and frames of the model's setting.

    `group` accelerators share each clip (sequence parallel); by default the fewest that hold the model.
    `details["seconds_per_item"]` is the time from prompt to clip in that group, and
    `details["joules_per_item"]` the energy that its share of the system draws meanwhile.
    """
    return answer(phase, system, lambda: _generate(model, system, "video", precision, steps, group, phase))


def transcribe(
    model: GenerationModel, system: System, *, precision: str = "bf16", phase: str = "speech"
) -> PhasePerformance:
    """Seconds of audio an accelerator transcribes a second, at English speech of LibriSpeech's pace.

    `details["joules_per_item"]` is the energy of a second of audio.
    """
    return answer(phase, system, lambda: _transcribe(model, system, precision, phase))


def _transcribe(model: GenerationModel, system: System, precision: str, phase: str) -> PhasePerformance:
    if model.kind != "speech":
        raise Unpredictable(f"not predictable: {model.name} generates {model.kind}s, it does not transcribe")
    task = Task(
        model=model,
        chip=system.accelerator,
        accelerators=system.accelerators,
        batch=0,
        precision=precision,
        mode="engine",
        newer_attention=system.accelerator.generation in NEWER_CHIPS,
        seconds=speech.MLPERF_SECONDS,
        words=speech.MLPERF_TOKENS,
    )
    return _phase(predict_task(task), system, precision, phase, speech.MLPERF_SECONDS)


def _generate(
    model: GenerationModel,
    system: System,
    kind: str,
    precision: str,
    steps: int | None,
    group: int | None,
    phase: str,
) -> PhasePerformance:
    if model.kind != kind:
        raise Unpredictable(f"not predictable: {model.name} generates {model.kind}s, not {kind}s")
    sized = replace(model, steps=steps or model.steps)
    done = predict_task(_task(sized, system, precision, group))
    return _phase(done, system, precision, phase, 1.0)


def _phase(done: Predicted, system: System, precision: str, phase: str, things: float) -> PhasePerformance:
    """The answer for `things` (a picture, a clip, seconds of audio) an item."""
    if done.refused:
        raise Unpredictable(done.refused)
    chip, model, size = system.accelerator, done.task.model, done.task.split.ranks
    spent, total = by_limit(done.seconds), done.item_s / things
    power = watts(system, spent, done.item_s)
    peak = chip.peak_tflops.get("bf16") or chip.peak_tflops["fp16"]
    used = used_precision(chip, precision)
    return PhasePerformance(
        phase=phase,
        system=system.id,
        work_per_s=1 / (total * size),
        watts=power,
        limited_by=max(spent, key=lambda part: spent[part]),
        note=joined(f"{used} in place of {precision}" if used != _plain(precision) else "", *done.assumed),
        details={
            "seconds_per_item": total,
            "seconds_per_item_p10": done.item_s_p10 / things,
            "seconds_per_item_p90": done.item_s_p90 / things,
            "joules_per_item": power * total * size,
            "group": float(size),
            "passes": model.steps * model.forwards_per_step,
            "flops_per_item": done.flops / things,
            "mfu": done.flops / things / total / size / (peak * 1e12),
            **{f"{part}_s": time / things for part, time in done.seconds.items()},
        },
    )


def _plain(precision: str) -> str:
    return "bf16" if precision == "fp16" else precision


def _task(model: GenerationModel, system: System, precision: str, group: int | None) -> Task:
    """A fleet's way to run the model: compiled, in the group asked for or the smallest that holds it."""
    chip = system.accelerator
    first = Task(
        model=model,
        chip=chip,
        accelerators=system.accelerators,
        precision=precision,
        mode="compiled",
        newer_attention=chip.generation in NEWER_CHIPS,
    )
    if group:
        alone = replace(first, split=Split(ulysses=group))
        return alone if Room.of(alone).holds else replace(alone, sharded=group > 1)
    sizes = [1 << bits for bits in range(max(chip.scaleup_domain, 1).bit_length())]
    for size in sizes:
        task = replace(first, split=Split(ulysses=size), sharded=size > 1)
        if Room.of(task).holds:
            return task
    weights = model.params_b * 1e9 + model.text_encoder_b * 1e9
    raise Unpredictable(
        f"not feasible: {2 * weights / 1e9:,.0f} GB of weights and the activations do not fit "
        f"in {sizes[-1]} x {chip.memory_gb:,.0f} GB"
    )
