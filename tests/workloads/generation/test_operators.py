from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.workloads.architecture import load_models
from gigawright.workloads.generation import decoders, speech, transformer, unet
from gigawright.workloads.generation.model import GenerationModel
from gigawright.workloads.generation.operators import Attention, Product, Work, works

from .conftest import named

GENERATORS = [model for model in load_models().values() if isinstance(model, GenerationModel)]


@pytest.mark.parametrize("model", [m for m in GENERATORS if m.recounted], ids=lambda model: model.id)
def test_operators_hold_the_flops_of_the_shape(model: GenerationModel) -> None:
    work = transformer.forward(model)
    assert work.product_flops() == pytest.approx(model.gemm_flops(), rel=1e-9)
    assert work.attention_flops() == pytest.approx(model.attention_flops(), rel=1e-9)


def test_flux_agrees_with_its_count() -> None:
    # 74.4 TFLOP a forward at 1024 px and 512 tokens of text
    assert transformer.forward(named("flux.1-dev@1024")).flops() / 1e12 == pytest.approx(74.36, rel=1e-3)


def test_a_backbone_that_is_not_recounted_keeps_the_table() -> None:
    model = named("mochi-1@480p-163f")
    assert transformer.forward(model).flops() / 1e12 == pytest.approx(model.flops_per_forward_t, rel=0.05)


@pytest.mark.parametrize(
    ("shape", "side", "products", "everything"),
    [
        # SDXL at 1024 px: 5.98 TFLOP without attention scores (its paper's count of multiply-adds, doubled)
        (unet.SDXL, 1024, 5.98e12, 6.76e12),
        # SD 1.4/1.5 at 512 px: 339 G multiply-adds
        (unet.SD1, 512, 2 * 339e9, 0.804e12),
        (unet.SD2, 512, 2 * 339e9, 0.804e12),
        (unet.SD2, 768, 1.521e12, 2.149e12),
    ],
)
def test_u_nets_agree_with_published_counts(
    shape: unet.UNet, side: int, products: float, everything: float
) -> None:
    work = unet.forward(shape, side, side, 77)
    assert work.product_flops() == pytest.approx(products, rel=0.005)
    assert work.flops() == pytest.approx(everything, rel=0.005)


def test_the_image_decoder_agrees_with_a_published_count() -> None:
    # Stable Diffusion's decoder at 512 px: 1.24 T multiply-adds [cited, unverified]; convolutions alone
    work = decoders.decode(named("sd1.5@512"))
    assert work.product_flops() == pytest.approx(2 * 1.24e12, rel=0.01)


def test_video_decoders_by_hand() -> None:
    # HunyuanVideo at full size: a block of 256 -> 128 and 128 -> 128, two of 128 -> 128, all of 27 taps
    top = 2 * 27 * (256 * 128 + 5 * 128 * 128)
    below = 2 * 27 * ((512 * 256 + 5 * 256 * 256) / 8 + 6 * 512 * 512 / 64 + 6 * 512 * 512 / 256)
    tiles = 16 / 9 * 4 / 3
    shape = decoders.DECODERS["hunyuanvideo"]
    assert decoders.volume_flops(shape) == pytest.approx((top + below) * tiles)


def test_every_video_has_a_decoder_with_a_source() -> None:
    for model in GENERATORS:
        if model.kind == "video":
            shape = decoders.decoder_of(model)
            assert shape.taps == 27
            assert len(shape.channels) == len(shape.space) == len(shape.time)
            assert shape.source


def test_whisper_agrees_with_its_parameters() -> None:
    model = named("whisper-large-v3")
    crossed = 2 * 1500 * 2 * 1280**2 * 32
    encoder = speech.encode(model).flops() - crossed
    assert encoder / 1e12 == pytest.approx(model.flops_per_forward_t, rel=0.02)
    # 1.54 B parameters: 0.63 in the encoder; the decoder's cross keys and values (0.1) are read once
    read = speech.step(model, 0).weights / 2
    assert read == pytest.approx(1.543e9 - 0.637e9 - 32 * 2 * 1280**2, rel=0.03)
    # 1,500 positions, keys and values of 1,280 in 32 layers at 2 bytes
    assert speech.step(model, 0).cache == 1500 * 1280 * 2 * 32 * 2


@given(
    st.lists(st.tuples(st.integers(1, 999), st.integers(1, 999), st.integers(1, 9)), min_size=1, max_size=6)
)
def test_arrays_hold_what_the_lists_hold(shapes: list[tuple[int, int, int]]) -> None:
    rows = [
        Work((Product(m, n, 64, times), Product(m, n, 64)), (Attention(m, n, 2, 64, times),), moved=m)
        for m, n, times in shapes
    ]
    found = works(rows)
    flops = found.by_row(found.product_row, 2 * found.m * found.n * found.k * found.times)
    assert flops == pytest.approx([row.product_flops() for row in rows])
    back = found.take(np.arange(len(rows))[::-1])
    pairs = back.by_row(back.attention_row, back.queries * back.keys * back.heads * back.attentions)
    assert pairs == pytest.approx([row.scores() for row in rows[::-1]])
    assert back.moved.tolist() == [row.moved for row in rows[::-1]]


def test_equal_operators_are_counted_together() -> None:
    found = works([Work((Product(1, 2, 3), Product(1, 2, 3, 4.0), Product(1, 2, 3, low=False)))])
    assert found.times.tolist() == [5.0, 1.0]


@pytest.mark.parametrize("ranks", [2, 4, 8])
def test_a_rank_has_its_share(ranks: int) -> None:
    for name in ("flux.1-dev@1024", "wan2.2-t2v-a14b@720p-81f", "mochi-1@480p-163f"):
        whole, part = transformer.forward(named(name)), transformer.forward(named(name), 1.0, ranks)
        assert part.flops() * ranks == pytest.approx(whole.flops(), rel=1e-9)
        assert part.kernels == whole.kernels
