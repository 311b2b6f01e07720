"""Rows of engines' configurations: what is taken of columns that do not agree on what they count."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.workloads.serving.drawing import APART, SILICON, written

from gigawright.catalogue.load import load_facts
from gigawright.facts import FactBook
from gigawright.workloads.serving.rows import read_rows
from gigawright.workloads.serving.rows_recipes import Workers, recipes_for, workers_of
from gigawright.workloads.serving.rows_silicon import origin_of
from gigawright.workloads.serving.service import Layout, Service

Made = Callable[..., Service]

LATER = "source_file=2026-04-06.csv; measured=2026-03-25T00:00:00Z"
LAST = "db-dump/2026-04-27; config_id=1; measured=2026-03-25T00:00:00.000Z"
OTHER = "source_file=aic-auto-gap-analysis/data/h200_sxm/vllm/0.12.0/Qwen3.csv"


@pytest.fixture(scope="module")
def book() -> FactBook:
    return FactBook(load_facts())


@pytest.fixture
def service(tmp_path: Path, book: FactBook) -> Made:
    """The service of a row with some cells changed."""

    def of(row: dict[str, str], **cells: str) -> Service:
        [read] = read_rows(written(tmp_path / "rows.csv", [{**row, **cells}]), book)
        assert read.service is not None, read.refused
        return read.service

    return of


def split(source: str, tensor: int, data: str, expert_tensor: int, expert: int) -> dict[str, str]:
    return {
        "silicon_data_source": source,
        "tp_size": str(tensor),
        "attention_dp_size": data,
        "moe_tp_size": str(expert_tensor),
        "moe_ep_size": str(expert),
    }


WHOLE = Layout(tensor=8, expert=8)
REPLICAS = Layout(tensor=1, data=8, expert=8)


@pytest.mark.parametrize(
    ("cells", "layout"),
    [
        (split(SILICON["silicon_data_source"], 8, "1", 8, 1), Layout(tensor=8, expert_tensor=8)),
        (split(SILICON["silicon_data_source"], 8, "1", 1, 8), WHOLE),
        (split(SILICON["silicon_data_source"], 1, "8", 1, 8), REPLICAS),
        # The same measurements in the exports that multiply tensor by expert size.
        (split(LATER, 64, "1", 8, 8), WHOLE),
        (split(LAST, 64, "1", 8, 8), WHOLE),
        (split(LATER, 1, "64", 8, 8), REPLICAS),
        (
            {**split(LATER, 4, "4", 1, 16), "model_path": "MiniMaxAI/MiniMax-M2.5", "backend": "vllm"},
            Layout(tensor=4, expert=4),
        ),
        (split(LATER, 8, "1", 8, 1), Layout(tensor=8, expert_tensor=8)),
        # Others are taken at their word.
        (split(OTHER, 8, "", 4, 2), Layout(tensor=8, expert_tensor=4, expert=2)),
        (split(OTHER, 4, "", 8, 1), Layout(tensor=4, data=2, expert_tensor=8)),
    ],
)
def test_how_a_worker_is_spread(service: Made, cells: dict[str, str], layout: Layout) -> None:
    found = service(SILICON, **cells)
    assert found.layout == layout
    assert (found.workers, found.disaggregated, found.prefill) == (1, False, None)


def test_a_batch_tells_replicas_where_their_column_is_blank(service: Made) -> None:
    found = service(SILICON, **split(OTHER, 8, "", 1, 8), concurrency="224", batch_size="28")
    assert found.layout == REPLICAS
    assert "data" in found.assumed


def test_experts_of_a_dense_model_are_not_read(service: Made) -> None:
    found = service(
        SILICON, **split(LATER, 8, "1", 1, 1), model_path="meta-llama/Llama-3.1-70B", moe_quant_mode=""
    )
    assert found.layout == Layout(tensor=8)
    assert found.expert_precision == found.precision == "fp8"


def test_an_early_wide_row_counts_the_whole_deployment(service: Made) -> None:
    """36 accelerators are one prefill worker of 4 and four that decode of 8 where a recipe tells it."""
    early = "source_file=2026-04-06.csv; measured=2025-11-17T00:00:00Z"
    cells = {
        **split(early, 36, "1", 36, 1),
        "system": "gb200",
        "backend": "trtllm",
        "backend_version": "",
        **dict.fromkeys(("precision", "gemm_quant_mode", "moe_quant_mode"), "fp4"),
    }
    found = service(SILICON, **cells, concurrency="64")
    assert found.disaggregated
    assert (found.prefill_workers, found.prefill) == (1, Layout(tensor=4, expert=4))
    assert (found.workers, found.layout) == (4, WHOLE)
    assert found.accelerators == 36
    assert found.release == "trtllm 2025-11"
    unknown = service(SILICON, **cells, concurrency="1000")
    assert (unknown.layout, unknown.gpus, unknown.accelerators, unknown.workers) == (None, 36, 36, 0)
    assert "layout" in unknown.assumed


def test_a_layout_that_cannot_hold_the_weights_is_none(service: Made) -> None:
    found = service(SILICON, **split("", 1, "1", 1, 1))
    assert (found.layout, found.gpus) == (None, 0)
    assert "layout" in found.assumed
    december = "source_file=2026-04-06.csv; measured=2025-12-21T00:00:00Z"
    ones = {f"{phase}_{size}": "1" for phase in ("prefill", "decode") for size in ("tp_size", "moe_ep_size")}
    found = service(APART, silicon_data_source=december, system="gb200", **ones)
    assert (found.layout, found.workers) == (Layout(data=4, expert=4), 4)  # 1 x DEP4 and 4 x DEP4


def test_told_workers_are_taken_as_told(service: Made) -> None:
    found = service(
        APART,
        silicon_data_source=LAST,
        prefill_num_workers="2",
        prefill_tp_size="1",
        prefill_attention_dp_size="8",
        decode_num_workers="3",
        decode_batch_size="8",
        concurrency="",
    )
    assert (found.prefill_workers, found.prefill, found.workers, found.layout) == (2, REPLICAS, 3, WHOLE)
    assert found.accelerators == 40
    assert found.concurrency == 24  # a batch of 8 in each of three workers
    assert found.drafted == 0
    assert "drafted" not in found.assumed
    assert "concurrency" in found.assumed


def test_lost_workers_come_from_the_recipe(service: Made) -> None:
    cells = {"backend": "trtllm", "backend_version": "0.8.1.post1", "concurrency": "3584"}
    found = service(APART, **cells)
    assert (found.prefill_workers, found.prefill, found.workers, found.layout) == (2, REPLICAS, 7, REPLICAS)
    assert found.drafted == 0
    assert set(found.assumed) == {"kv_bytes"}
    drafting = service(APART, **{**cells, "concurrency": "896"})
    assert (drafting.workers, drafting.drafted) == (7, 3)
    assert drafting.accepted == pytest.approx(0.85 + 0.85**2 + 0.85**3)
    assert set(drafting.assumed) == {"kv_bytes", "accepted"}
    both = service(APART, **{**cells, "concurrency": "144"})  # one recipe drafts, the other does not
    assert both.drafted == 0
    assert "drafted" in both.assumed


def test_lost_workers_without_a_recipe_are_assumed(service: Made) -> None:
    """Many requests have attention replicas, few do not; experts are whole where the prompts' are."""
    many, few = (service(APART, isl="2000", concurrency=count) for count in ("4096", "16"))
    assert (many.layout, few.layout) == (REPLICAS, WHOLE)
    assert (many.workers, many.prefill_workers) == (0, 0)
    assert {"workers", "data", "drafted"} <= set(many.assumed)


def test_a_table_of_ones_own_is_taken_at_its_word(service: Made) -> None:
    found = service(APART, silicon_data_source="", isl="2000", concurrency="4096")
    assert (found.layout, found.prefill) == (WHOLE, WHOLE)
    assert "data" not in found.assumed


@pytest.mark.parametrize(
    ("cells", "drafted", "assumed"),
    [
        ({"backend": "trtllm", "backend_version": "1.2.0rc6.post3"}, 3, False),
        ({"backend": "trtllm", "backend_version": "1.2.0rc6.post2"}, 0, False),
        ({"backend": "trtllm", "backend_version": "1.1.0rc2.post2"}, 3, False),
        (
            {
                "backend": "trtllm",
                "backend_version": "1.1.0rc2.post2",
                "silicon_data_source": "source_file=2026-04-06.csv; measured=2025-12-15T00:00:00Z",
            },
            0,
            False,
        ),
        ({"system": "b200_sxm"}, 0, True),
        ({"system": "b200_sxm", "concurrency": "256"}, 2, False),
        ({"system": "b200_sxm", "concurrency": "256", "silicon_data_source": LAST}, 0, False),
    ],
)
def test_drafts_of_rows_that_do_not_tell(
    service: Made, cells: dict[str, str], drafted: int, assumed: bool
) -> None:
    found = service(SILICON, **cells)
    assert found.drafted == drafted
    assert ("drafted" in found.assumed) == assumed


@pytest.mark.parametrize(
    ("cells", "formats", "kv_bytes"),
    [
        ({}, ("fp8", "fp8"), 2.0),  # SGLang on Hopper keeps a cache of 16 bits
        ({"system": "b200_sxm"}, ("fp8", "fp8"), 1.0),
        ({"backend": "trtllm"}, ("fp8", "fp8"), 1.0),
        ({"gemm_quant_mode": "", "moe_quant_mode": "", "precision": "bf16"}, ("bf16", "bf16"), 2.0),
        ({"gemm_quant_mode": "bf16", "moe_quant_mode": "w4a16"}, ("bf16", "int4"), 2.0),
        ({"model_path": "openai/gpt-oss-120b", "moe_quant_mode": "fp8"}, ("bf16", "fp4"), 2.0),
        ({"kvcache_quant_mode": "fp8"}, ("fp8", "fp8"), 1.0),
    ],
)
def test_formats_and_cache(
    service: Made, cells: dict[str, str], formats: tuple[str, str], kv_bytes: float
) -> None:
    found = service(SILICON, **cells)
    assert (found.precision, found.expert_precision) == formats
    assert found.kv_bytes == kv_bytes
    assert ("kv_bytes" in found.assumed) == ("kvcache_quant_mode" not in cells)


def test_origin_and_age(service: Made) -> None:
    assert origin_of(OTHER).site == "aic-auto-gap-analysis"
    assert origin_of("source_file=mine.csv; measured=yesterday") == origin_of("source_file=mine.csv")
    assert origin_of("tpot=3.2; silicon_concurrency=8") == origin_of("")
    found = service(SILICON)
    assert (found.site, found.engine, found.release) == ("InferenceX", "sglang", "sglang 0.5.9")
    assert 1.5 < found.age_years < 2.0  # the H200 shipped in the second quarter of 2024
    assert service(SILICON, silicon_data_source="").age_years == 2.0


def test_codes_of_workers() -> None:
    assert workers_of("5xTEP8").layout == WHOLE
    assert workers_of("1xDP4").layout == Layout(tensor=1, data=4, expert_tensor=4)
    assert workers_of("3xTP16").accelerators == 48
    with pytest.raises(ValueError, match="is no code of workers"):
        workers_of("8xEP8")


def test_the_recipes_hold_what_the_last_export_tells(shared_folder: Path, book: FactBook) -> None:
    """Every disaggregated row of DeepSeek that tells its workers has a recipe with those that decode."""
    rows = read_rows(shared_folder / "truth" / "serving_silicon.csv", book)
    told = [
        row.service
        for row in rows
        if row.service is not None and row.key.startswith("dsr1_") and row.service.disaggregated
    ]
    assert len(told) > 100
    for one in told:
        assert one.layout is not None
        assert Workers(one.workers, one.layout) in [
            recipe.decode for recipe in recipes_for(one, "") + recipes_for(one, "2026-06-01")
        ]
