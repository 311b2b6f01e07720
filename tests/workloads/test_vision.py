"""Encoders of pictures, clips and speech: tokens by published rules, flops and sizes counted by hand."""

from __future__ import annotations

import pytest

from gigawright.errors import CatalogueError
from gigawright.workloads.architecture import language_model, load_models
from gigawright.workloads.language import LanguageModel
from gigawright.workloads.vision import Encoder, encoder_of, load_encoders

ENCODERS = list(load_encoders().values())
PROJECTOR = 0.12
"""Share of an encoder's values outside its layers: patch embedding, and the projection to the text model."""


@pytest.mark.parametrize("encoder", ENCODERS, ids=lambda encoder: encoder.id)
def test_each_feeds_language_models_of_the_table(encoder: Encoder) -> None:
    assert encoder.text_models
    for item in encoder.text_models:
        assert isinstance(load_models()[item], LanguageModel), item


@pytest.mark.parametrize(
    "encoder", [e for e in ENCODERS if e.params_b and e.verified], ids=lambda encoder: encoder.id
)
def test_layers_are_nearly_all_of_the_published_size(encoder: Encoder) -> None:
    assert 1 - PROJECTOR < encoder.layer_params / 1e9 / encoder.params_b <= 1.01


def test_a_vision_transformer_is_counted_by_hand() -> None:
    # Qwen3-VL 8B: 27 layers of width 1152, feed-forward 4304 without a gate; 1024 px are 64 x 64 patches
    encoder = encoder_of("qwen3-8b")
    layer = 4 * 1152**2 + 2 * 1152 * 4304
    assert encoder.layer_params == 27 * layer
    assert encoder.image_flops(1024, 1024) == 2 * 27 * layer * 4096 + 27 * 4 * 4096**2 * 1152


def test_windows_make_attention_cheaper() -> None:
    # Qwen2.5-VL: 28 of 32 layers attend within 112 px, 8 x 8 patches
    encoder = encoder_of("qwen2.5-7b")
    patches = 1369 * 4
    attention = 4 * 1280 * patches * (4 * patches + 28 * 64)
    assert encoder.flops(1369) - 2 * encoder.layer_params * patches == attention


@pytest.mark.parametrize(
    ("model", "width", "height", "tokens"),
    [
        ("qwen2.5-7b", 448, 448, 16 * 16),
        ("qwen2.5-7b", 1920, 1080, 69 * 39),
        ("qwen3-vl-235b-a22b", 1920, 1080, 60 * 34),
        ("qwen3-8b", 32, 32, 64),  # never less than 64
        ("qwen3-8b", 8192, 8192, 16384),  # never more
        ("llama-4-scout", 300, 300, 144),  # one tile, no thumbnail
        ("llama-4-scout", 1024, 1024, 144 * 17),  # 4 x 4 tiles and a thumbnail
        ("gemma-3-27b", 4000, 500, 256),
        ("mistral-nemo-12b", 1920, 1080, 64 * 36),  # the longest side shrinks to 1024 px
    ],
)
def test_tokens_of_a_picture(model: str, width: int, height: int, tokens: int) -> None:
    assert encoder_of(model).image_tokens(width, height) == tokens


def test_tiles_are_encoded_apart() -> None:
    encoder = encoder_of("llama-4-maverick")
    assert encoder.image_flops(1024, 1024) == pytest.approx(17 * encoder.flops(144))
    assert encoder.image_flops(1024, 1024) < encoder.flops(17 * 144)


def test_a_clip_is_one_grid_for_two_frames() -> None:
    encoder = encoder_of("qwen2.5-7b")  # 2 frames a second, two at a time
    assert encoder.video_tokens(10, 854, 480) == 10 * 30 * 17
    assert encoder_of("gemma-4-31b").video_tokens(10, 854, 480) == 10 * 70


def test_speech_has_its_own_encoder() -> None:
    encoder = encoder_of("qwen3-30b-a3b", "audio")
    assert encoder.sound_tokens(60) == 750
    with pytest.raises(ValueError, match="takes no pictures"):
        encoder.image_tokens(10, 10)


def test_a_model_without_encoder_is_told() -> None:
    with pytest.raises(CatalogueError, match="no vision encoder of DeepSeek-V3"):
        encoder_of(language_model("deepseek-v3"))


def test_the_checkpoints_own_encoder_goes_first() -> None:
    assert encoder_of("qwen2.5-7b").id == "qwen2.5-vl-7b"
    assert encoder_of("OpenGVLab/InternVL3-78B").id == "internvl3-6b-vision"
