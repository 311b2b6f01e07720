from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.catalogue.load import load_facts
from gigawright.errors import UserError
from gigawright.facts import FactBook
from gigawright.workloads.generation.rows import Row, read_rows
from gigawright.workloads.generation.rows_model import model_at, variants_named
from gigawright.workloads.generation.rows_text import precisions, setting_of
from gigawright.workloads.generation.task import Split

Write = Callable[..., Path]


@pytest.fixture(scope="module")
def book() -> FactBook:
    return FactBook(load_facts())


def one(path: Path, book: FactBook) -> Row:
    (row,) = read_rows(path, book)
    return row


@pytest.mark.parametrize(
    ("text", "size", "frames", "steps"),
    [
        ("1280x720 129f 50 steps", (1280, 720), 129, 50),
        ("960 x 960 129 frames, 30-step", (960, 960), 129, 30),
        ("544px992px204f 50 steps", (544, 992), 204, 50),
        ("720x1280x129 steps=20", (720, 1280), 129, 20),
        ("81x480x832", (480, 832), 81, None),
        ("1024px 28 steps Ulysses-2 torch.compile", (1024, 1024), None, 28),
        ("2K 8 steps", (2048, 2048), None, 8),
        ("1024 20 steps", (1024, 1024), None, 20),
        ("num_frames=49 720*480", (720, 480), 49, None),
        ("Server", None, None, None),
    ],
)
def test_sizes(text: str, size: tuple[int, int] | None, frames: int | None, steps: int | None) -> None:
    found = setting_of(text)
    assert (found.size, found.frames, found.steps) == (size, frames, steps)


def test_sizes_of_a_foreign_sign() -> None:
    assert setting_of("1280\u00d7720").size == (1280, 720)


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("Ulysses-2 torch.compile", Split(2)),
        ("Ring-4 eager", Split(1, 4)),
        ("U2xR2", Split(2, 2)),
        ("Ulysses-2 x Ring-2", Split(2, 2)),
        ("ulysses_degree=4 cfg parallel", Split(4, 1, 2)),
        ("PipeFusion-4", Split(4)),
        ("SP8", Split(8)),
        ("1 GPU eager", None),
    ],
)
def test_splits(text: str, split: Split | None) -> None:
    assert setting_of(text).split == split


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("1 GPU eager", "eager"),
        ("torch.compile", "compiled"),
        ("TensorRT 10.11, CUDA 12.9", "engine"),
        ("JAX/Flax", "engine"),
        ("xDiT", None),
    ],
)
def test_modes(text: str, mode: str | None) -> None:
    assert setting_of(text).mode == mode


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{'clip1': 'fp32', 'clip2': 'fp32', 'unet': 'fp8', 'vae': 'fp32'}", ("fp8", "fp32")),
        ("clip1:fp32,clip2:fp32,unet:fp8,vae:int8", ("fp8", "int8")),
        ("bf16/int8", ("int8", None)),
        ("fp16", ("bf16", None)),
        ("NVFP4", ("fp4", None)),
        ("fp32", ("fp32", None)),
        ("quantised", None),
    ],
)
def test_precisions(text: str, found: tuple[str, str | None] | None) -> None:
    assert precisions(text) == found


@given(st.text(max_size=60))
def test_any_text_is_read_without_an_error(text: str) -> None:
    setting_of(text)
    precisions(text)


@pytest.mark.parametrize(
    ("text", "kind", "start"),
    [
        ("HunyuanVideo 13B", "video", "hunyuanvideo@"),
        ("tencent/HunyuanVideo-1.5", "video", "hunyuanvideo-1.5"),
        ("Wan2.2 TI2V-5B I2V", "video", "wan2.2-ti2v-5b"),
        ("Wan2.2 I2V-A14B", "video", "wan2.2-i2v-a14b"),
        ("Wan2.1 T2V-1.3B (480P)", "video", "wan2.1-t2v-1.3b"),
        ("step-video t2v 30b", "video", "step-video"),
        ("FLUX.1 [schnell] fp8", "image", "flux.1-schnell"),
        ("SD3", "image", "sd3-medium"),
        ("stable-diffusion-xl-base", "image", "sdxl"),
        ("Hunyuan-DiT v1.2", "image", "hunyuan-dit"),
        ("whisper-large-v3", "speech", "whisper-large-v3"),
    ],
)
def test_models(text: str, kind: str, start: str) -> None:
    assert variants_named(text, (kind,))[0].id.startswith(start)


def test_a_size_of_the_catalogue_is_its_own_and_others_are_counted() -> None:
    hunyuan = variants_named("HunyuanVideo 13B", ("video",))
    square, assumed = model_at(hunyuan, setting_of("960x960 129f 50 steps"), None)
    assert (square.id, assumed) == ("hunyuanvideo@960x960-129f", ())
    small, _ = model_at(hunyuan, setting_of("848x480 61f 30 steps"), None)
    assert small.tokens == 16 * 53 * 30
    assert small.steps == 30
    wan = variants_named("Wan2.2 TI2V-5B T2V", ("video",))
    default, assumed = model_at(wan, setting_of("720P"), 720)
    assert (default.height, default.frames, assumed) == (704, 121, ("frames", "steps"))
    clip, _ = model_at(wan, setting_of("720P 5s"), 720)
    assert clip.frames == 121


def test_a_sound_row(rows: Write, book: FactBook) -> None:
    row = one(rows({"n_accel": "4", "scenario_or_setting": "1024px 28 steps U2xR2 torch.compile"}), book)
    assert not row.refused
    assert row.task is not None
    assert row.task.chip.id == "nv_h100_sxm"
    assert (row.task.split, row.task.mode, row.task.batch) == (Split(2, 2), "compiled", 1)
    assert not row.task.newer_attention
    assert row.task.assumed == ()


def test_mlperf_rows(rows: Write, book: FactBook) -> None:
    mlperf = {
        "model": "stable-diffusion-xl",
        "precision": "{'clip1': 'fp16', 'unet': 'fp8', 'vae': 'int8'}",
        "accelerator": "NVIDIA H200-SXM-141GB",
        "n_accel": "8",
        "scenario_or_setting": "Server",
        "unit": "Queries/s/accelerator",
        "software": "TensorRT 10.11",
        "date": "MLPerf Inference v5.1 2025-09",
    }
    row = one(rows(mlperf), book)
    assert row.task is not None
    assert (row.task.precision, row.task.decoder_precision) == ("fp8", "int8")
    assert (row.task.latency_s, row.task.batch, row.task.split.ranks) == (20.0, 8, 1)
    assert (row.task.mode, row.task.newer_attention) == ("engine", True)
    whisper = {**mlperf, "family": "speech", "model": "whisper", "precision": "fp16"}
    row = one(rows({**whisper, "scenario_or_setting": "Offline", "unit": "Samples/s/accelerator"}), book)
    assert row.unit is not None
    assert row.unit.of == "tokens"
    assert row.item.tokens == 86.0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model": "Seedream 9"}, "no model 'Seedream 9' in the catalogue"),
        ({"model": "HunyuanVideo"}, "model 'HunyuanVideo' is one of video, not of image"),
        ({"accelerator": "Vax 11"}, "accelerator 'Vax 11' is not in the catalogue"),
        ({"accelerator": ""}, "accelerator is blank"),
        ({"model": ""}, "model is blank"),
        ({"unit": "minutes to quality target (run 0 only)"}, "out of scope: unit 'minutes to quality"),
        ({"unit": "x real time"}, "out of scope: unit 'x real time'"),
        ({"unit": "% of peak"}, "out of scope: unit '% of peak'"),
        ({"unit": "J/image"}, "unit is 'J/image', must be such as"),
        ({"precision": "analogue"}, "precision is 'analogue', must name"),
        ({"n_accel": "-3"}, "n_accel is '-3', must be a whole number"),
        ({"n_accel": "many"}, "n_accel is 'many', must be a whole number"),
        ({"row": ""}, "row is blank"),
    ],
)
def test_a_wrong_row_is_told_and_the_others_go_on(
    rows: Write, book: FactBook, change: dict[str, str], reason: str
) -> None:
    wrong, sound = read_rows(rows(change, {}), book)
    assert reason in wrong.refused
    assert wrong.task is None
    assert not sound.refused


def test_other_families_are_left_out(rows: Write, book: FactBook) -> None:
    found = read_rows(rows({"family": "diffusion-training"}, {}, {"family": "recommender-ranking"}), book)
    assert [row.key for row in found] == ["2"]


def test_a_row_named_twice_is_refused(rows: Write, book: FactBook) -> None:
    _, again = read_rows(rows({"row": "7"}, {"row": "7"}), book)
    assert again.refused == "row '7' is on line 2 already, must be unique"


def test_a_torn_row_is_refused(rows: Write, book: FactBook) -> None:
    path = rows({})
    path.write_text(path.read_text("utf-8") + "9,diffusion-image,FLUX\n", encoding="utf-8")
    _, torn = read_rows(path, book)
    assert "the row has 3 cells, must have 12" in torn.refused


def test_files_that_are_no_tables(tmp_path: Path, rows: Write, book: FactBook) -> None:
    with pytest.raises(UserError, match="missing columns family, unit"):
        read_rows(rows({}, header="row,model,accelerator,scenario_or_setting"), book)
    empty = tmp_path / "empty.csv"
    empty.write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="is empty"):
        read_rows(empty, book)
    latin = tmp_path / "latin.csv"
    latin.write_bytes("row,family\n1,\xe9".encode("latin-1"))
    with pytest.raises(UserError, match="not UTF-8"):
        read_rows(latin, book)
    with pytest.raises(UserError, match="cannot be read"):
        read_rows(tmp_path / "none.csv", book)


def test_every_row_of_the_truth_is_read(shared_folder: Path, book: FactBook) -> None:
    found = read_rows(shared_folder / "truth" / "other_workloads.csv", book)
    assert len(found) > 100
    assert [row.refused for row in found if row.refused] == []
