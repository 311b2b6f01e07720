from __future__ import annotations

from collections.abc import Callable

import pytest

from gigawright.catalogue.types import System
from gigawright.workloads.architecture import generation_model, load_models
from gigawright.workloads.diffusion import GenerationModel
from gigawright.workloads.generation import generate_image, generate_video

GENERATORS = [model for model in load_models().values() if isinstance(model, GenerationModel)]
RECOUNTED = [model for model in GENERATORS if model.recounted and model.verified]


def test_both_kinds_are_there() -> None:
    assert len(GENERATORS) == 36
    assert {model.kind for model in GENERATORS} == {"image", "video"}
    assert len(RECOUNTED) >= 25


@pytest.mark.parametrize("model", RECOUNTED, ids=lambda model: model.id)
def test_flops_recount_to_one_per_cent_of_the_table(model: GenerationModel) -> None:
    assert model.forward_flops() / 1e12 == pytest.approx(model.flops_per_forward_t, rel=0.01)


def test_dit_xl_agrees_with_its_paper() -> None:
    # arXiv:2212.09748, table 1: 118.6 G multiply-adds at 256 px
    assert generation_model("dit-xl-2@256").forward_flops() / 2e9 == pytest.approx(118.6, rel=0.01)


def test_hunyuanvideo_agrees_with_a_published_count() -> None:
    # Sparse VideoGen2 (arXiv:2505.18875) gives 612 PFLOP a clip [cited, unverified]
    model = generation_model("hunyuanvideo@720p-129f")
    assert model.forward_flops() * model.steps / 1e15 == pytest.approx(612.4, rel=0.02)


def test_guidance_doubles_and_steps_scale(h100: System) -> None:
    model = generation_model("wan2.1-t2v-14b@480p-81f")
    full = generate_video(model, h100)
    assert full.details["passes"] == 100
    half = generate_video(model, h100, steps=25)
    assert half.work_per_s == pytest.approx(2 * full.work_per_s)


def test_a_group_shortens_the_clip_and_costs_pace(h100: System) -> None:
    model = generation_model("hunyuanvideo@720p-129f")
    alone, eight = generate_video(model, h100, group=1), generate_video(model, h100, group=8)
    assert 5 < alone.details["seconds_per_item"] / eight.details["seconds_per_item"] < 8
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
