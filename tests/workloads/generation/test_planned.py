from __future__ import annotations

from collections.abc import Callable

import pytest

from gigawright.catalogue.types import System
from gigawright.workloads.architecture import generation_model
from gigawright.workloads.generation.planned import generate_image, generate_video, transcribe


def test_guidance_doubles_and_steps_scale(h100: System) -> None:
    model = generation_model("wan2.1-t2v-14b@480p-81f")
    full = generate_video(model, h100)
    assert full.details["passes"] == 100
    half = generate_video(model, h100, steps=25)
    assert half.work_per_s == pytest.approx(2 * full.work_per_s, rel=0.1)


def test_a_group_shortens_the_clip_and_costs_pace(h100: System) -> None:
    model = generation_model("hunyuanvideo@720p-129f")
    alone, eight = generate_video(model, h100, group=1), generate_video(model, h100, group=8)
    assert 4 < alone.details["seconds_per_item"] / eight.details["seconds_per_item"] < 8
    assert eight.work_per_s < alone.work_per_s


def test_a_model_too_large_for_one_is_shared(variant: Callable[..., System]) -> None:
    model = generation_model("flux.2-dev@1024")
    assert generate_image(model, variant(memory_gb=80.0)).details["group"] == 2
    assert generate_image(model, variant(memory_gb=180.0)).details["group"] == 1
    refused = generate_image(model, variant(memory_gb=8.0))
    assert refused.refused.startswith("not feasible: ")
    assert refused.work_per_s == 0


def test_kinds_are_not_mixed(h100: System) -> None:
    video = generation_model("hunyuanvideo@720p-129f")
    assert generate_image(video, h100).refused == (
        "not predictable: HunyuanVideo 13B generates videos, not images"
    )
    assert "does not transcribe" in transcribe(video, h100).refused


def test_energy_is_power_times_time(h100: System) -> None:
    done = generate_image(generation_model("flux.1-dev@1024"), h100)
    assert done.details["joules_per_item"] == pytest.approx(done.watts / done.work_per_s)
    # 10.2 kW for 8: an accelerator draws 30% of 1,275 W idle and all of it at most
    assert 0.3 * 1275 < done.watts <= 1275
    assert 0.2 < done.details["mfu"] < 0.8


def test_speech_is_counted_in_seconds_of_audio(h100: System) -> None:
    done = transcribe(generation_model("whisper-large-v3"), h100)
    assert done.work_per_s > 100
    assert done.details["joules_per_item"] == pytest.approx(done.watts / done.work_per_s)


def test_a_precision_that_the_chip_lacks_is_told(variant: Callable[..., System]) -> None:
    old = variant(peak_tflops={"bf16": 312.0, "fp16": 312.0})
    done = generate_image(generation_model("flux.1-dev@1024"), old, precision="fp8")
    assert "bf16 in place of fp8" in done.note
    assert done.work_per_s > 0


def test_a_missing_fact_is_named(variant: Callable[..., System]) -> None:
    done = generate_image(generation_model("flux.1-dev@1024"), variant(memory_gbs=0.0))
    assert done.refused.startswith("not predictable: missing memory size or bandwidth")
