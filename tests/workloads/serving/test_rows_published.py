"""Rows of published throughput: what their prose tells, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from tests.workloads.serving.drawing import LATENCY, PUBLISHED, written

from gigawright.catalogue.load import load_facts
from gigawright.facts import FactBook
from gigawright.workloads.serving.rows import Row, read_rows
from gigawright.workloads.serving.rows_text import RULES, layout_of, length_of, load_of
from gigawright.workloads.serving.service import Layout, Service


@pytest.fixture(scope="module")
def book() -> FactBook:
    return FactBook(load_facts())


def row_of(tmp_path: Path, book: FactBook, **cells: str) -> Row:
    [row] = read_rows(written(tmp_path / "rows.csv", [{**PUBLISHED, **cells}]), book)
    return row


def service_of(tmp_path: Path, book: FactBook, **cells: str) -> Service:
    row = row_of(tmp_path, book, **cells)
    assert row.service is not None, row.refused
    return row.service


DEPLOYED = {
    "model": "DeepSeek-V3/R1",
    "accelerator": "NVIDIA H800",
    "dataset_date": "2025-02",
    "engine": "SGLang",
    "isl": "4096",
    "osl": "1",
    "scenario": "decode profile",
    "tpot_ms_or_sla": "",
    "submitter": "DeepSeek",
}


def test_a_node_of_mlperf_leaves_its_layout_open(tmp_path: Path, book: FactBook) -> None:
    found = service_of(tmp_path, book)
    assert (found.layout, found.gpus, found.workers, found.kind) == (None, 8, 1, "online")
    assert (found.model.id, found.chip.id) == ("llama-2-70b", "nv_h200_sxm")
    assert (found.input_tokens, found.output_tokens, found.concurrency) == (294, 301, math.inf)
    assert (found.ttft_limit_s, found.tpot_limit_s) == (2.0, 0.2)
    assert (found.site, found.engine, found.release) == ("MLPerf", "trtllm", "trtllm 10.11")
    assert set(found.assumed) == {"layout", "isl", "osl", "kv_bytes"}


def test_limits_of_the_rules_where_the_row_has_none(tmp_path: Path, book: FactBook) -> None:
    for name, scenario in (("llama3.1-405b", "Interactive"), ("llama2-70b-99.9", "Interactive")):
        told = {"model": name, "scenario": scenario, "tpot_ms_or_sla": ""}
        found = service_of(tmp_path, book, **told)
        assert (found.ttft_limit_s, found.tpot_limit_s) == RULES[found.model.id, "interactive"]
        assert "limits" in found.assumed
    offline = service_of(tmp_path, book, scenario="Offline", tpot_ms_or_sla="")
    assert (offline.kind, offline.ttft_limit_s, offline.tpot_limit_s) == ("offline", 0.0, 0.0)


def test_a_measured_time_is_no_limit(tmp_path: Path, book: FactBook) -> None:
    for text in ("38", "45-50 (20-22 tok/s/user)", ""):
        found = service_of(tmp_path, book, scenario="online", tpot_ms_or_sla=text)
        assert (found.ttft_limit_s, found.tpot_limit_s) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("text", "moe", "layout"),
    [
        ("TP2", False, Layout(tensor=2)),
        ("TP2", True, Layout(tensor=2, expert_tensor=2)),
        ("DEP4", True, Layout(data=4, expert=4)),
        ("DeepEP decode EP144 (per node)", True, Layout(data=144, expert=144)),
        ("TP8 DP-attn", True, Layout(data=8, expert_tensor=8)),
        ("TP8 vLLM baseline", True, Layout(tensor=8, expert_tensor=8)),
        ("TP8 PP2", True, Layout(tensor=8, pipeline=2, expert_tensor=8)),
        ("8x", False, Layout(tensor=8)),
        ("1x1", False, Layout()),
        ("1x8", False, None),
        ("18x4", True, None),
        ("see example/", True, None),
        ("TP0", False, None),
        ("", False, None),
    ],
)
def test_layouts(text: str, moe: bool, layout: Layout | None) -> None:
    assert layout_of(text, moe) == layout


def test_workers_of_a_deployment(tmp_path: Path, book: FactBook) -> None:
    found = service_of(
        tmp_path,
        book,
        **DEPLOYED,
        gpus="128",
        nodes_x_gpus_or_parallelism="EP128 decode",
        concurrency_or_batch="128/GPU",
    )
    assert (found.concurrency, found.workers, found.kind) == (128 * 128, 1, "decode")
    node = service_of(
        tmp_path, book, **DEPLOYED, gpus="8", nodes_x_gpus_or_parallelism="DeepEP decode EP144 (per node)"
    )
    assert node.gpus == 144
    two = service_of(tmp_path, book, gpus="8", nodes_x_gpus_or_parallelism="TP4")
    assert two.workers == 2
    refused = row_of(tmp_path, book, gpus="6", nodes_x_gpus_or_parallelism="TP4")
    assert "gpus is 6, must be a multiple of the 4 of 'TP4'" in refused.refused


def test_a_step_of_prompts(tmp_path: Path, book: FactBook) -> None:
    cells = {**DEPLOYED, "scenario": "prefill profile", "osl": "", "concurrency_or_batch": "16k tok/GPU"}
    found = service_of(tmp_path, book, **cells, nodes_x_gpus_or_parallelism="EP32 prefill", gpus="32")
    assert (found.kind, found.chunk, found.output_tokens, found.concurrency) == (
        "prefill",
        16384,
        1,
        math.inf,
    )
    assert "osl" in found.assumed


def test_lengths(tmp_path: Path, book: FactBook) -> None:
    shared = service_of(tmp_path, book, isl="ShareGPT", osl="", scenario="online", concurrency_or_batch="32")
    assert (shared.input_tokens, shared.output_tokens) == (161.0, 338.0)  # arXiv:2309.06180
    assert length_of("1,024") == 1024
    assert length_of("4k") is None
    refused = row_of(tmp_path, book, isl="Short Prompt", osl="")
    assert "isl is 'Short Prompt', must be from 1 to 1e+07 tokens" in refused.refused
    assert "osl is blank" in refused.refused
    assert "isl is '0'" in row_of(tmp_path, book, isl="0").refused


def test_loads(tmp_path: Path, book: FactBook) -> None:
    assert load_of("3516") == (3516.0, False)
    static = service_of(tmp_path, book, scenario="static/offline", concurrency_or_batch="1,536")
    assert (static.kind, static.concurrency) == ("offline", 1536)
    for text, told in (("busy", "must be a number"), ("0", "must be from 1"), ("9" * 12, "must be from 1")):
        assert (
            f"concurrency_or_batch is {text!r}, {told}"
            in row_of(tmp_path, book, concurrency_or_batch=text).refused
        )


def test_what_cannot_be_predicted_is_told(tmp_path: Path, book: FactBook) -> None:
    mixed = "AMD Instinct MI300X 192GB HBM3 (x32), AMD Instinct MI325X 256GB HBM3e (x16)"
    assert row_of(tmp_path, book, accelerator=mixed).refused.endswith("must be of one kind")
    unknown = row_of(tmp_path, book, accelerator="OCI Large Generic unit (GPU not stated)")
    assert "must be stated: a name of the catalogue" in unknown.refused
    assert "accelerator 'Warp Core 9' is not in" in row_of(tmp_path, book, accelerator="Warp Core 9").refused
    assert "model: no model 'gpt-9'" in row_of(tmp_path, book, model="gpt-9").refused
    assert (
        "scenario is 'Sometimes', must be one of server"
        in row_of(tmp_path, book, scenario="Sometimes").refused
    )
    assert "precision is 'fp3', must be one of" in row_of(tmp_path, book, precision="fp3").refused
    assert (
        service_of(tmp_path, book, accelerator="Virtualized NVIDIA H200-SXM-141GB").chip.id == "nv_h200_sxm"
    )


def test_latency_rows_need_what_was_asked_for(tmp_path: Path, book: FactBook) -> None:
    [row] = read_rows(written(tmp_path / "rows.csv", [LATENCY]), book)
    assert row.service is not None
    assert (row.service.layout, row.service.chunk, row.service.engine) == (Layout(), 2048, "vllm")
    silent = {name: cell for name, cell in LATENCY.items() if name not in ("isl", "osl", "concurrency")}
    [row] = read_rows(written(tmp_path / "rows.csv", [silent]), book)
    assert "isl is blank" in row.refused
    assert "concurrency is blank" in row.refused
