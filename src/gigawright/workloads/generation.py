"""Image and video generation by roofline: steps x forward flops, alone or in a group.

See docs/workloads.md for the equations.
"""

from __future__ import annotations

from gigawright.catalogue.types import System
from gigawright.workloads.diffusion import GenerationModel
from gigawright.workloads.performance import Limit, PhasePerformance, Unpredictable, answer
from gigawright.workloads.power import watts
from gigawright.workloads.roofline import Machine, machine

OTHER_WORK = {"image": 0.05, "video": 0.08}
"""Time of text encoder, VAE and scheduler over that of the denoising steps.

Assumption: the text encoder runs once, the VAE decodes once; a few per cent at 28 to 50 steps.
"""

STEP_HOST_S = 1e-3
"""Host time a forward pass that nothing hides [s]; assumption: compiled graph, as in LLM serving."""

MOVED_VALUES = 20
"""Values of hidden width a layer reads and writes for a token besides the feed-forward width: two norms with
modulation (12), two gated residual sums (6), rotation (2); assumption by counting operators."""

LIVE_VALUES = 24
"""Values of hidden width alive for a token at the peak of a pass; assumption: one layer's."""

ENCODER_BYTES = 2.0
"""Bytes of a text-encoder value (bf16)."""


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
    `details["seconds_per_item"]` is the time from prompt to clip in that group.
    """
    return answer(phase, system, lambda: _generate(model, system, "video", precision, steps, group, phase))


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
    rates = machine(system, precision)
    size = group or _smallest_group(model, system, rates)
    passes = (steps or model.steps) * model.forwards_per_step
    seconds = _forward_seconds(model, rates, size)
    total = sum(seconds.values()) * passes * (1 + OTHER_WORK[kind])
    return PhasePerformance(
        phase=phase,
        system=system.id,
        work_per_s=1 / (total * size),
        watts=watts(system, {part: time * passes for part, time in seconds.items()}, total),
        limited_by=max(seconds, key=lambda part: seconds[part]),
        note=rates.note,
        details={
            "seconds_per_item": total,
            "group": float(size),
            "passes": passes,
            "flops_per_item": model.forward_flops() * passes,
            "mfu": model.forward_flops() * passes / total / size / rates.peak_16,
            **{f"{part.replace(' ', '_')}_s": time * passes for part, time in seconds.items()},
        },
    )


def _forward_seconds(model: GenerationModel, rates: Machine, group: int) -> dict[Limit, float]:
    """Seconds of one forward pass shared by a group.

    Four all-to-alls a layer move q, k, v and the output (Ulysses, arXiv:2309.14509).
    """
    compute = model.gemm_flops() / rates.gemm + model.attention_flops() / rates.attention
    tokens = model.tokens + model.text_tokens
    moved = 2 * model.layers * tokens * (MOVED_VALUES * model.hidden + 3 * model.ffn)
    weights = model.params_b * 1e9 * rates.weight_bytes
    exchanged = 4 * 2 * model.layers * tokens * model.hidden * (group - 1) / group**2
    link = rates.link(group)
    if group > 1 and link == 0:
        raise Unpredictable("not predictable: missing scale-up bandwidth")
    unhidden = max(0.0, weights / rates.stream - compute)
    return {
        "compute": compute / group,
        "memory bandwidth": (moved / rates.elementwise + unhidden) / group,
        "network": exchanged / link + 4 * model.layers * rates.hop(group) if group > 1 else 0.0,
        "overhead": STEP_HOST_S,
    }


def _smallest_group(model: GenerationModel, system: System, rates: Machine) -> int:
    """The fewest accelerators of a domain (1, 2, 4, ...) that hold weights, text encoder and activations."""
    weights = model.params_b * 1e9 * rates.weight_bytes + model.text_encoder_b * 1e9 * ENCODER_BYTES
    live = 2 * LIVE_VALUES * model.hidden * (model.tokens + model.text_tokens)
    for group in (1 << bits for bits in range(rates.domain.bit_length())):
        if (weights + live) / group <= rates.memory:
            return group
    if rates.scale_up == 0 and system.accelerators > 1:
        raise Unpredictable("not predictable: missing scale-up bandwidth")
    raise Unpredictable(
        f"not feasible: {(weights + live) / 1e9:,.0f} GB do not fit "
        f"in {rates.domain} x {rates.memory / 1e9:,.0f} GB"
    )
