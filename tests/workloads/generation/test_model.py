from __future__ import annotations

import pytest

from gigawright.workloads.architecture import generation_model, load_models
from gigawright.workloads.generation.model import GenerationModel

GENERATORS = [model for model in load_models().values() if isinstance(model, GenerationModel)]
RECOUNTED = [model for model in GENERATORS if model.recounted and model.verified]


def test_all_kinds_are_there() -> None:
    assert len(GENERATORS) >= 40
    assert {model.kind for model in GENERATORS} == {"image", "video", "speech"}
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


def test_wan_agrees_with_a_published_count() -> None:
    # The same table: 658 PFLOP for 50 steps with guidance [cited, unverified]
    model = generation_model("wan2.1-t2v-14b@720p-81f")
    assert model.forward_flops() * model.steps * 2 / 1e15 == pytest.approx(658.5, rel=0.02)


@pytest.mark.parametrize(
    "model",
    [one for one in GENERATORS if one.kind != "speech" and one.width and one.id != "mochi-1@480p-163f"],
    ids=lambda model: model.id,
)
def test_a_size_has_the_tokens_that_the_table_has(model: GenerationModel) -> None:
    again = model.at_size(model.width, model.height, model.frames)
    assert again.tokens == pytest.approx(model.tokens, rel=0.02)


def test_only_wan_22_has_two_experts() -> None:
    two = {model.id.split("@")[0] for model in GENERATORS if model.experts > 1}
    assert two == {"wan2.2-t2v-a14b", "wan2.2-i2v-a14b"}


def test_a_clip_of_twice_the_frames_has_twice_the_latent_frames() -> None:
    model = generation_model("wan2.1-t2v-14b@480p-81f")
    assert [model.latent_frames(frames) for frames in (1, 81, 161)] == [1, 21, 41]
    assert generation_model("step-video-t2v@544p-204f").latent_frames(204) == 36
