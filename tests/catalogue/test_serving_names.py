"""Accelerators and models as files of serving measurements spell them: what each means, what is refused."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from gigawright.catalogue.load import load_facts
from gigawright.catalogue.records import accelerator, system
from gigawright.errors import CatalogueError
from gigawright.facts import FactBook
from gigawright.workloads.architecture import find_model, load_models
from gigawright.workloads.training.rows_chip import accelerator_named

CHIP_COLUMNS = {
    "serving_silicon.csv": "system",
    "serving_published.csv": "accelerator",
    "other_workloads.csv": "accelerator",
    "serving_vllm_latency.csv": "hardware",
}
MODEL_COLUMNS = {
    "serving_silicon.csv": "model_path",
    "serving_published.csv": "model",
    "other_workloads.csv": "model",
    "serving_vllm_latency.csv": "model",
}
NO_ONE_CHIP = {
    "",
    "NVIDIA (not stated)",
    "OCI Large Generic unit (GPU not stated)",
    "AMD Instinct MI300X 192GB HBM3 (x32), AMD Instinct MI325X 256GB HBM3e (x16)",
    "AMD Instinct MI325X 256GB HBM3E (x16), AMD Instinct MI300X 192GB HBM3 (x8)",
}
"""Cells that name no accelerator, or two kinds at once."""

PCIE = (
    *("nv_l40s", "nv_l40", "nv_l4", "nv_l20", "nv_rtx4090", "nv_rtx5090", "nv_rtx6000_ada"),
    *("nv_rtxpro6000_server", "nv_rtxpro6000_ws", "nv_a10", "nv_a10g", "in_arc_b60", "in_arc_b60_dual"),
)
"""Cards without a link of their own between them."""


@lru_cache(maxsize=1)
def book() -> FactBook:
    return FactBook(load_facts())


def cells(shared: Path, columns: dict[str, str]) -> Iterator[str]:
    for name, column in columns.items():
        with (shared / "truth" / name).open(encoding="utf-8") as stream:
            yield from {row[column] for row in csv.DictReader(stream)}


def test_every_accelerator_that_is_told_is_known(shared_folder: Path) -> None:
    found: dict[str, str] = {}
    for text in cells(shared_folder, CHIP_COLUMNS):
        try:
            found[text] = accelerator_named(text, book()).id
        except CatalogueError:
            found[text] = ""
    assert {text for text, item in found.items() if not item} == NO_ONE_CHIP
    assert len(set(found.values())) > 20


def test_every_model_of_the_measurements_is_known(shared_folder: Path) -> None:
    names = set(cells(shared_folder, MODEL_COLUMNS))
    assert len(names) > 50
    assert {find_model(name).id for name in names} <= set(load_models())


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("h200_sxm", "nv_h200_sxm"),
        ("gb200", "nv_gb200_nvl72"),
        ("Virtualized NVIDIA H200-SXM-141GB", "nv_h200_sxm"),
        ("Virtualized NVIDIA H100-SXM-80GB", "nv_h100_sxm"),
        ("NVIDIA H200-NVL-141GB", "nv_h200_nvl"),
        ("NVIDIA H100-NVL-94GB", "nv_h100_nvl"),
        ("H100 NVL (94GB)", "nv_h100_nvl"),
        ("NVIDIA H100 PCIe Gen5 80GB", "nv_h100_pcie"),
        ("A100 80GB PCIe", "nv_a100_pcie_80"),
        ("A100 PCIe 40GB", "nv_a100_pcie_40"),
        ("NVIDIA GH200 Grace Hopper Superchip 144GB", "nv_gh200"),
        ("NVIDIA GH200 480GB", "nv_gh200_96"),
        ("NVIDIA L40S", "nv_l40s"),
        ("L40S 48GB PCIe", "nv_l40s"),
        ("NVIDIA L4-PCIe-24GB", "nv_l4"),
        ("L20", "nv_l20"),
        ("GeForce RTX 4090 24GB", "nv_rtx4090"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "nv_rtxpro6000_server"),
        ("NVIDIA RTX PRO 6000 Blackwell", "nv_rtxpro6000_ws"),
        ("[MAXSUN] MS-Intel Arc Pro B60 Dual 48G Turbo", "in_arc_b60_dual"),
        ("Intel Arc Pro B60", "in_arc_b60"),
        ("AMD Instinct MI355X 288GB HBM3E", "amd_mi355x"),
        ("Intel® Gaudi® 2", "in_gaudi2"),
        ("trn2.48xlarge", "aws_trn2"),
        ("TPU v5e-8", "g_v5e"),
        ("Google TPU v6e (Trillium)", "g_v6e"),
        ("H200-SXM-141GBx8", "nv_h200_sxm"),
        ("8x NVIDIA H100", "nv_h100_sxm"),
        ("2x RTX 4090", "nv_rtx4090"),
    ],
)
def test_a_spelling_names_its_accelerator(text: str, item: str) -> None:
    assert accelerator_named(text, book()).id == item


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("A100/A800", "nv_a100_80"),
        ("H100/H800", "nv_h100_sxm"),
        ("NVIDIA GB200/GB300 (theia; platform string says GB200)", "nv_gb200_nvl72"),
        ("MI300X/MI325X", "amd_mi300x"),
    ],
)
def test_either_of_one_generation_is_the_first(text: str, item: str) -> None:
    assert accelerator_named(text, book()).id == item


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("A100/H100", "is not in the catalogue"),
        ("H100/Z9000", "is not in the catalogue"),
        ("NVIDIA (not stated)", "does not say which accelerator"),
        ("", "does not say which accelerator"),
        ("AMD Instinct MI300X (x32), AMD Instinct MI325X (x16)", "mixes amd_mi300x and amd_mi325x"),
        ("RTX 6000 Pro Max-Q", "is not in the catalogue"),
    ],
)
def test_what_names_no_one_chip_is_refused(text: str, told: str) -> None:
    with pytest.raises(CatalogueError, match=told):
        accelerator_named(text, book())


@pytest.mark.parametrize(
    ("item", "flops", "ghz"),
    [
        ("nv_l40s", 1024, 2.52),
        ("nv_l4", 1024, 2.04),
        ("nv_rtx4090", 512, 2.52),
        ("nv_l20", 512, 2.52),
        ("nv_rtx5090", 512, 2.407),
        ("nv_rtxpro6000_ws", 1024, 2.617),
        ("nv_h100_pcie", 4096, 1.62),
        ("nv_a100_pcie_80", 2048, 1.41),
        ("nv_a10", 1024, 1.695),
        ("amd_mi250", 1024, 1.7),
        ("in_arc_b60", 2048, 2.4),
    ],
)
def test_rates_are_dense_by_cores_and_clock(item: str, flops: int, ghz: float) -> None:
    """Dense flops a cycle and core, FP32 accumulation; a rate with sparsity would be twice as high."""
    chip = accelerator(book(), item)
    assert chip.cores is not None
    assert chip.peak_tflops["bf16"] == pytest.approx(chip.cores * flops * ghz / 1e3, rel=0.02)


@pytest.mark.parametrize("item", PCIE)
def test_a_card_alone_has_no_scale_up_link(item: str) -> None:
    chip = accelerator(book(), item)
    assert chip.scaleup_gbs is None
    assert chip.scaleup_domain == 1
    assert chip.host_gbs in (31.5, 63.0)


def test_bridged_cards_have_small_domains() -> None:
    chips = [accelerator(book(), item) for item in ("nv_h100_nvl", "nv_h100_pcie", "nv_h200_nvl")]
    assert [(chip.scaleup_gbs, chip.scaleup_domain) for chip in chips] == [(300, 2), (300, 2), (450, 4)]


def test_a_board_of_two_is_twice_the_card() -> None:
    board, card = accelerator(book(), "in_arc_b60_dual"), accelerator(book(), "in_arc_b60")
    assert board.peak_tflops == {kind: 2 * rate for kind, rate in card.peak_tflops.items()}
    assert (board.memory_gb, board.memory_gbs) == (2 * card.memory_gb, 2 * card.memory_gbs)
    assert board.generation == card.generation


@pytest.mark.parametrize("item", ["l40s_8", "h200_nvl_8", "rtxpro6000_8"])
def test_a_server_of_cards_draws_more_than_its_cards(item: str) -> None:
    server = system(book(), item)
    assert server.accelerator.tdp_w is not None
    assert 1.2 < server.kw_per_accelerator * 1e3 / server.accelerator.tdp_w < 2


@pytest.mark.parametrize(
    ("name", "item"),
    [
        ("llama2-70b-99.9", "llama-2-70b"),
        ("nvidia/Llama-3.1-8B-Instruct-FP8", "llama-3.1-8b"),
        ("meta-llama/Llama-3.3-70B-Instruct", "llama-3.1-70b"),
        ("neuralmagic/Meta-Llama-3.1-70B-Instruct-quantized.w8a8", "llama-3.1-70b"),
        ("RedHatAI/Llama-4-Scout-17B-16E-Instruct-FP8-dynamic", "llama-4-scout"),
        ("RedHatAI/Qwen3-32B-FP8-dynamic", "qwen3-32b"),
        ("Qwen/Qwen3-235B-A22B-Instruct-2507-FP8", "qwen3-235b-a22b"),
        ("Qwen/Qwen2.5-72B-Instruct-GPTQ-Int4", "qwen2.5-72b"),
        ("nvidia/DeepSeek-R1-0528-NVFP4-v2", "deepseek-r1"),
        ("deepseek-ai/DeepSeek-V3.2-Exp", "deepseek-v3.2"),
        ("moonshotai/Kimi-K2-Instruct-0905", "kimi-k2"),
        ("MiniMaxAI/MiniMax-M2.1", "minimax-m2.5"),
        ("zai-org/GLM-4.6-FP8", "glm-4.5"),
        ("GPT OSS 120B", "gpt-oss-120b"),
        ("Llama 3.1 8B", "llama-3.1-8b"),
        ("stable-diffusion-xl", "sdxl@1024"),
        ("FLUX.1", "flux.1-dev@1024"),
        ("HunyuanVideo", "hunyuanvideo@720p-129f"),
        ("Wan2.2 TI2V-5B T2V", "wan2.2-ti2v-5b@704p-121f"),
        ("Step-Video-T2V", "step-video-t2v@544p-204f"),
        ("whisper", "whisper-large-v3"),
        ("dlrm-v2-99.9", "dlrm-dcnv2"),
        ("HSTU generative recommender 1.5T params (M-FALCON)", "hstu-1.5t"),
    ],
)
def test_a_checkpoint_names_its_model(name: str, item: str) -> None:
    assert find_model(name).id == item


@pytest.mark.parametrize(
    "name", ["deepseek-v33", "DeepSeek-V4", "deepseek", "Qwen", "gpt-4-0613", "seed", "v2"]
)
def test_a_name_cut_too_short_is_no_model(name: str) -> None:
    with pytest.raises(CatalogueError, match="no model"):
        find_model(name)


def test_no_name_means_two_models() -> None:
    """Settings of one generator share its names; no others do."""
    owners: dict[str, set[str]] = {}
    for model in load_models().values():
        for name in (model.id, model.name, *model.aliases):
            owners.setdefault(name.lower(), set()).add(model.id.split("@")[0])
    assert {name: found for name, found in owners.items() if len(found) > 1} == {}
