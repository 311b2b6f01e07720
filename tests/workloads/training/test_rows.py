"""Rows of training runs: what becomes of every cell, and what a wrong one is told."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gigawright.catalogue.load import load_facts
from gigawright.errors import CatalogueError, UserError
from gigawright.facts import Fact, FactBook
from gigawright.workloads.training.rows import COLUMNS, NEEDED, Row, read_rows
from gigawright.workloads.training.rows_chip import accelerator_named
from gigawright.workloads.training.rows_model import model_named
from gigawright.workloads.training.rows_words import PRECISION_WORDS, precision_of, zero_of
from gigawright.workloads.training.run import Run

OUTCOMES = (
    *("step_time_s", "tokens_per_s_per_accel", "reported_tflops_per_accel", "reported_mfu", "reported_hfu"),
    *("gpu_hours", "tokens_trained", "model_tflops_causal", "model_tflops_fullattn"),
    *("flop_convention_ratio", "mfu_bf16peak_causal", "notes", "source", "arch_source", "verified"),
)

GOOD = {
    "row_id": "r1",
    "model": "Llama3-70B",
    "accelerator": "NVIDIA H100 SXM5 80GB",
    "n_accel": "64",
    "seq_len": "8192",
    "precision": "BF16",
    "gbs_seqs": "128",
    "mbs": "1",
    "tp": "4",
    "pp": "4",
    "cp": "1",
    "dp": "4",
    "zero_or_fsdp": "dist-optimizer (ZeRO-1)",
    "recompute": "none",
}

NAMES = {
    "nv_h100_sxm": ("H100 SXM5 80GB", "H100", 80.0),
    "nv_h100_500w": ("H100 500W 96GB HBM2e", "H100-500W-HBM2e(GrandTeton)", 96.0),
    "nv_a100_40": ("A100 SXM4 40GB", "A100-40GB", 40.0),
    "nv_a100_80": ("A100 SXM4 80GB", "A100|A100-80GB", 80.0),
    "hw_910b2": ("Ascend 910B2", "Ascend 910B", 64.0),
    "hw_910b3": ("Ascend 910B3", "Ascend 910B (Atlas 900 A2)", 64.0),
    "g_v5p": ("TPU v5p", "", 95.0),
    "g_v6e": ("TPU v6e Trillium", "", 32.0),
    "in_gaudi2": ("Gaudi 2", "", 96.0),
    "nv_h20_96": ("H20 96GB", "", 96.0),
    "nv_h20_141": ("H20 141GB (H20-3e)", "", 141.0),
}


@pytest.fixture(scope="module")
def book() -> FactBook:
    return FactBook(load_facts())


@pytest.fixture(scope="module")
def small_book() -> FactBook:
    """A few chips with aliases, written down here."""

    def fact(item: str, attribute: str, value: float | str) -> Fact:
        return Fact("accelerator", item, attribute, value, "", "test", "A", dt.date(2024, 1, 1))

    facts: list[Fact] = []
    for item, (name, aliases, memory) in NAMES.items():
        facts += [fact(item, "name", name), fact(item, "memory_gb", memory)]
        facts += [fact(item, "vendor", "X"), fact(item, "made_for", "abroad")]
        facts += [fact(item, "aliases", aliases)] if aliases else []
    return FactBook(facts)


def write(path: Path, *rows: dict[str, str]) -> Path:
    """A CSV of rows with the columns of the first, in its order."""
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]), restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def read(tmp_path: Path, book: FactBook) -> Callable[..., Row]:
    """One row: the good one with changes."""

    def one(**changes: str) -> Row:
        return read_rows(write(tmp_path / "runs.csv", GOOD | changes), book)[0]

    return one


def run_of(row: Row) -> Run:
    assert row.refused == ""
    assert row.run is not None
    return row.run


def test_good_row(read: Callable[..., Row]) -> None:
    row = read(document="me/here", software_release="26.02")
    run = run_of(row)
    assert (row.row_id, row.line) == ("r1", 2)
    assert (run.model.id, run.chip.id, run.accelerators) == ("llama-3-70b", "nv_h100_sxm", 64)
    assert (run.seq_len, run.batch, run.precision, run.recipe) == (8192, 128, "bf16", "")
    assert run.layout is not None
    assert (run.layout.tensor, run.layout.pipeline, run.layout.data, run.layout.context) == (4, 4, 4, 1)
    assert (run.layout.zero, run.layout.recompute, run.layout.chunks) == (1, "none", 1)
    assert (run.site, run.release, run.assumed) == ("me/here", "26.02", ())


# What a file must be


def test_missing_columns_are_all_named(tmp_path: Path, book: FactBook) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("row_id,model,seq_len,precision\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"runs\.csv: missing columns accelerator, n_accel; give a CSV"):
        read_rows(path, book)


@pytest.mark.parametrize("column", NEEDED)
def test_each_needed_column(tmp_path: Path, book: FactBook, column: str) -> None:
    row = {name: cell for name, cell in GOOD.items() if name != column}
    with pytest.raises(UserError, match=f"missing column {column};"):
        read_rows(write(tmp_path / "runs.csv", row), book)


def test_only_needed_columns(tmp_path: Path, book: FactBook) -> None:
    run = run_of(read_rows(write(tmp_path / "r.csv", {name: GOOD[name] for name in NEEDED}), book)[0])
    assert run.layout is None
    assert run.assumed == ("layout", "batch")
    assert run.batch_tokens == 4 * 2**20


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty; give a CSV file with the columns row_id"),
        (b"\n \n", "is empty"),
        (b"1,2,3\n4,5,6\n", "missing columns row_id, model, accelerator, n_accel, seq_len, precision"),
        ("row_id,modèle\n".encode("latin-1"), "is not UTF-8"),
        (
            b'row_id,model,accelerator,n_accel,seq_len,precision\n"r1"x,a,b,1,1,c\n',
            "csv:2: not readable as CSV",
        ),
        (b'row_id,model,accelerator,n_accel,seq_len,precision\nr1,"a,b,1,1,c\n', "not readable as CSV"),
        (b"row_id,model,accelerator,n_accel,seq_len,precision,tp,tp\n", "tp named more than once"),
    ],
)
def test_bad_files(tmp_path: Path, book: FactBook, content: bytes, told: str) -> None:
    path = tmp_path / "runs.csv"
    path.write_bytes(content)
    with pytest.raises(UserError, match=told):
        read_rows(path, book)


def test_absent_file(tmp_path: Path, book: FactBook) -> None:
    with pytest.raises(UserError, match=r"none\.csv cannot be read: No such file"):
        read_rows(tmp_path / "none.csv", book)


def test_header_alone_has_no_rows(tmp_path: Path, book: FactBook) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(",".join(NEEDED) + "\n", encoding="utf-8")
    assert read_rows(path, book) == []


def test_byte_order_mark_blank_lines_and_line_numbers(tmp_path: Path, book: FactBook) -> None:
    head, cells = ",".join([*NEEDED, "notes"]), "Llama3-70B,B200 SXM,8,8192,BF16"
    text = f'\ufeff{head}\r\n\r\nr1,{cells},"two\r\nlines"\r\nr2,{cells},x\r\nr3,{cells}\r\n'
    path = tmp_path / "runs.csv"
    path.write_bytes(text.encode())
    rows = read_rows(path, book)
    assert [(row.row_id, row.line, bool(row.run)) for row in rows] == [
        ("r1", 3, True),
        ("r2", 5, True),
        ("r3", 6, False),
    ]
    assert rows[2].refused == "the row has 6 cells, must have 7 as the first line has"


def test_row_ids_are_unique_and_filled(tmp_path: Path, book: FactBook) -> None:
    rows = read_rows(write(tmp_path / "r.csv", GOOD, GOOD, GOOD | {"row_id": ""}), book)
    assert [bool(row.run) for row in rows] == [True, False, False]
    assert rows[1].refused == "row_id 'r1' is on line 2 already, must be unique"
    assert rows[2].refused == "row_id is blank"


def test_bad_row_leaves_others_alone(tmp_path: Path, book: FactBook) -> None:
    rows = read_rows(write(tmp_path / "r.csv", GOOD | {"tp": "x"}, GOOD | {"row_id": "r2"}), book)
    assert rows[0].run is None
    run_of(rows[1])


# What a row may not say


@pytest.mark.parametrize("cell", ["x", "-4", "0", "nan", "inf", "-inf", "1e99", "4.5", "1,024", "0x8", "1_0"])
@pytest.mark.parametrize(
    "column", ["n_accel", "seq_len", "tp", "pp", "dp", "cp", "ep", "mbs", "vpp", "layers"]
)
def test_numbers(read: Callable[..., Row], column: str, cell: str) -> None:
    row = read(**{column: cell})
    assert row.run is None
    assert f"{column} is {cell!r}, must be a whole number from 1" in row.refused


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"accelerator": "H10O"}, "accelerator 'H10O' is not in the catalogue; did you mean "),
        ({"accelerator": ""}, "accelerator is blank"),
        ({"precision": "FP7"}, "precision is 'FP7', must be bf16, fp16, fp8, fp4 or int8"),
        ({"precision": "TF32"}, "precision is 'TF32', must be"),
        ({"precision": "FP32"}, "precision is 'FP32', must be"),
        ({"precision": ""}, "precision is '', must be"),
        ({"seq_len": ""}, "seq_len is blank"),
        ({"tp": "8", "pp": "16", "dp": ""}, "tp x pp x cp is 128, at most n_accel 64"),
        ({"dp": "8"}, "tp x pp x cp x dp is 128, must be n_accel 64"),
        ({"tp": "3", "dp": ""}, "tp x pp x cp is 12, must divide n_accel 64"),
        ({"gbs_seqs": "2"}, "dp is 4, at most 2 (sequences in a step)"),
        ({"gbs_seqs": "", "gbs_tokens": "4096"}, "gbs_tokens is 4096, at least seq_len 8192"),
        ({"gbs_seqs": "nan"}, "gbs_seqs is 'nan', must be a number from 1"),
        ({"vpp": "21"}, "pp x vpp is 84, at most 82 (layers, embedding and output)"),
        ({"n_accel": "6400", "pp": "100", "dp": "16"}, "pp is 100, at most 80 (layers)"),
        ({"n_accel": "2048", "tp": "128"}, "tp is 128, at most 64 (heads)"),
        ({"model": ""}, "model is blank"),
        (
            {"model": "Unheard-7B"},
            "'Unheard-7B' is not in the catalogue and the columns layers, hidden, heads, vocab are blank",
        ),
        ({"model": "Llama3-70B", "hidden": "4096"}, "differs from the catalogue's in hidden"),
        ({"model": "Qwen3-30B-A3B", "ep": "256"}, "ep is 256, at most 128 (experts)"),
        ({"model": "Qwen3-30B-A3B", "ep": "32"}, "ep is 32, at most 16 (tp x dp x cp)"),
    ],
)
def test_refusals(read: Callable[..., Row], changes: dict[str, str], told: str) -> None:
    row = read(**changes)
    assert row.run is None
    assert told in row.refused


def test_all_problems_of_a_row_are_told(read: Callable[..., Row]) -> None:
    refused = read(accelerator="H10O", precision="FP7", model="Unheard-7B", n_accel="2", mbs="no").refused
    for told in ("accelerator 'H10O'", "precision is 'FP7'", "model 'Unheard-7B'", "mbs is 'no'"):
        assert told in refused
    refused = read(accelerator="H10O", tp="8", pp="80", dp="").refused
    assert "; tp x pp x cp is 640, at most n_accel 64" in refused


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(COLUMNS),
        st.one_of(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
            st.sampled_from(
                ["0", "1", "2", "1e12", "999999999999", "9999", "-1", "v5p-8", "FSDP2 x0", "(", ">1"]
            ),
        ),
    )
)
def test_any_text_is_read_or_refused(tmp_path: Path, book: FactBook, changes: dict[str, str]) -> None:
    rows = read_rows(write(tmp_path / "r.csv", dict.fromkeys(COLUMNS, "") | GOOD | changes), book)
    for row in rows:
        assert (row.run is None) == bool(row.refused)
        if row.run is not None and row.run.layout is not None:
            assert row.run.layout.accelerators == row.run.accelerators


# Accelerators


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("nv_h100_sxm", "nv_h100_sxm"),
        ("h100", "nv_h100_sxm"),
        ("NVIDIA H100 80GB HBM3", "nv_h100_sxm"),
        ("H100-500W-HBM2e(GrandTeton)", "nv_h100_500w"),
        ("A100", "nv_a100_80"),
        ("NVIDIA A100 SXM4", "nv_a100_80"),
        ("A100-40GB", "nv_a100_40"),
        ("A100 (40 GB)", "nv_a100_40"),
        ("A100 (80 GB)", "nv_a100_80"),
        ("H100 (SXM, 80GB, DGX)", "nv_h100_sxm"),
        ("H100 (my cluster)", "nv_h100_sxm"),
        ("H20 (141 GB)", "nv_h20_141"),
        ("A100 SXM 40GB", "nv_a100_40"),
        ("Ascend 910B (Atlas 900 A2)", "hw_910b3"),
        ("Huawei Ascend 910B", "hw_910b2"),
        ("ASCEND-910B3", "hw_910b3"),
        ("TPU v6e", "g_v6e"),
        ("v5p", "g_v5p"),
        ("Intel Gaudi2", "in_gaudi2"),
        ("H20-96GB", "nv_h20_96"),
    ],
)
def test_accelerator_spellings(small_book: FactBook, text: str, item: str) -> None:
    assert accelerator_named(text, small_book).id == item


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("H100 PCIe", "not in the catalogue"),
        ("H100 (PCIe)", "not in the catalogue"),
        ("A100 (64 GB)", "not in the catalogue"),
        ("H101", "did you mean"),
        ("H20", "can be any of nv_h20_141, nv_h20_96: write one of these"),
        ("A100 64GB", "not in the catalogue"),
        ("reference GPU (unnamed, A100/A800-class)", "not in the catalogue"),
        ("GPU", "not in the catalogue"),
        ("", "not in the catalogue"),
    ],
)
def test_unknown_accelerators(small_book: FactBook, text: str, told: str) -> None:
    with pytest.raises(CatalogueError, match=told):
        accelerator_named(text, small_book)


def test_a_look_up_uses_no_fact_of_other_chips(small_book: FactBook) -> None:
    book = FactBook(small_book)
    accelerator_named("Gaudi 2", book)
    assert {fact.item for fact in book.used} == {"in_gaudi2"}


def test_slices_count_cores(read: Callable[..., Row]) -> None:
    blank = {"n_accel": "", "tp": "", "pp": "", "dp": "", "cp": ""}
    assert run_of(read(accelerator="v5p-1024", **blank)).accelerators == 512
    assert run_of(read(accelerator="TPU v6e-256", **blank)).accelerators == 256
    assert run_of(read(accelerator="v5p-1024", **blank | {"n_accel": "256"})).accelerators == 256


# Precision, sharding, recomputation


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BF16", ("bf16", "", True)),
        ("amp_bf16", ("bf16", "", True)),
        ("FP16", ("bf16", "", True)),
        ("BF16/AMP", ("bf16", "", True)),
        ("FP8", ("fp8", "", True)),
        ("MXFP8", ("fp8", "block", True)),
        ("NVFP4", ("fp4", "block", True)),
        ("FP8 (CS or MX, see doc)", ("fp8", "", True)),
        ("FP8-CS", ("fp8", "tensor", True)),
        ("FP8-CS (FP8-MX)", ("fp8", "tensor", True)),
        ("FP8-MX", ("fp8", "block", True)),
        ("amp_fp8", ("fp8", "tensor", True)),
        ("FP8 tensorwise", ("fp8", "tensor", True)),
        ("FP8 rowwise", ("fp8", "block", True)),
        ("BF16/INT8(AQT)", ("int8", "", True)),
        ("FP8/INT8", ("fp8", "", True)),
        ("BF16/FP8?", ("bf16", "", False)),
        ("BF16?", ("bf16", "", False)),
        ("FP8-SC", ("fp8", "block", True)),
    ],
)
def test_precisions(text: str, expected: tuple[str, str, bool]) -> None:
    assert precision_of(text) == expected


def test_eight_bits_are_what_the_chip_has(read: Callable[..., Row]) -> None:
    assert run_of(read(precision="FP8/INT8")).precision == "fp8"
    assert run_of(read(precision="FP8/INT8", accelerator="TPU v5p")).precision == "int8"
    assert run_of(read(precision="FP8/INT8", accelerator="A100 40GB")).precision == "int8"


def test_an_unsure_precision_is_assumed(read: Callable[..., Row]) -> None:
    assert run_of(read(precision="BF16?")).assumed == ("precision",)


def test_precision_words_are_spelled_as_they_are_looked_up() -> None:
    assert all(precision_of(word)[:2] == found for word, found in PRECISION_WORDS.items())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dist-optimizer (ZeRO-1)", (1, 0)),
        ("dist-optimizer", (1, 0)),
        ("FULL_SHARD", (3, 0)),
        ("SHARD_GRAD_OP", (2, 0)),
        ("FSDP", (3, 0)),
        ("FSDP2", (3, 0)),
        ("FSDP2 x8", (3, 8)),
        ("FSDP2 x2", (3, 2)),
        ("FSDP64", (3, 64)),
        ("FSDP20", (3, 20)),
        ("FSDP+DP", (3, 0)),
        ("FSDP/TP per MaxText config", (3, 0)),
        ("FSDP (ZeRO-2-like in pipeline)", (2, 0)),
        ("ZeRO-3", (3, 0)),
        ("DDP/dist-opt", (1, 0)),
        ("none", (0, 0)),
        ("", None),
        ("magic", None),
    ],
)
def test_sharding(text: str, expected: tuple[int, int] | None) -> None:
    assert zero_of(text) == expected


@pytest.mark.parametrize(
    ("text", "policy", "assumed"),
    [
        ("none for 8k (paper text, memory)", "none", ()),
        ("full", "full", ()),
        ("selective attention + sequence parallel", "selective", ()),
        ("per-op SAC", "selective", ()),
        ("RMSNorm+MLA up-proj", "selective", ()),
        ("see perf_recipes/<model>/<gpu>/*.py", "auto", ("recompute",)),
        ("", "auto", ("recompute",)),
    ],
)
def test_recompute(read: Callable[..., Row], text: str, policy: str, assumed: tuple[str, ...]) -> None:
    run = run_of(read(recompute=text))
    assert run.layout is not None
    assert (run.layout.recompute, run.assumed) == (policy, assumed)


def test_sequence_parallel_came_with_selective_recompute(read: Callable[..., Row]) -> None:
    def parallel(document: str, recompute: str) -> bool:
        layout = run_of(read(document=document, recompute=recompute)).layout
        return layout is not None and layout.sequence_parallel

    assert not parallel("Megatron-LM", "full")
    assert parallel("arXiv", "selective attention + sequence parallel")
    assert not parallel("bigscience-workshop/bigscience", "full")
    assert parallel("someone", "full")


# Layout and batch


def test_data_parallel_is_derived(read: Callable[..., Row]) -> None:
    layout = run_of(read(dp="")).layout
    assert layout is not None
    assert layout.data == 4


def test_context_alone_is_no_layout(read: Callable[..., Row]) -> None:
    run = run_of(read(tp="", pp="", dp="", n_accel="11616", gbs_seqs="2904"))
    assert run.layout is None
    assert run.assumed == ("layout",)


def test_data_parallel_alone_is_a_layout_where_it_uses_all(read: Callable[..., Row]) -> None:
    blank = {"tp": "", "pp": "", "cp": ""}
    layout = run_of(read(dp="64", **blank)).layout
    assert layout is not None
    assert layout.data == 64
    assert run_of(read(dp="16", **blank)).layout is None


def test_accelerators_from_the_layout_or_assumed(read: Callable[..., Row]) -> None:
    assert run_of(read(n_accel="")).accelerators == 64
    run = run_of(read(n_accel="", dp="", tp="3", gbs_seqs="2048"))
    assert "accelerators" in run.assumed
    assert run.accelerators % 12 == 0
    assert 1024 <= run.accelerators < 1024 + 12


def test_chunks(read: Callable[..., Row]) -> None:
    run = run_of(read(vpp=">1"))
    assert run.layout is not None
    assert (run.layout.chunks, run.assumed) == (2, ("chunks",))
    single = run_of(read(vpp="4", pp="1", dp="16")).layout
    assert single is not None
    assert single.chunks == 1


def test_micro_batch(read: Callable[..., Row]) -> None:
    blank, large = run_of(read(mbs="")), run_of(read(mbs="64"))
    assert blank.layout is not None
    assert large.layout is not None
    assert (blank.layout.micro_batch, blank.assumed) == (1, ("micro_batch",))
    assert (large.layout.micro_batch, large.assumed) == (32, ("micro_batch",))


def test_batch(read: Callable[..., Row]) -> None:
    assert run_of(read(gbs_seqs="", gbs_tokens=str(256 * 8192))).batch == 256
    assert run_of(read(gbs_seqs="256", gbs_tokens=str(256 * 8192))).assumed == ()
    assert run_of(read(gbs_seqs="256", gbs_tokens=str(999 * 8192))).assumed == ("batch",)
    blank = run_of(read(gbs_seqs="", dp="12", n_accel="192", mbs="3"))
    assert blank.assumed == ("batch",)
    assert blank.batch % 36 == 0
    assert abs(blank.batch * 8192 - 4 * 2**20) <= 18 * 8192


def test_experts_are_split_only_where_there_are_some(read: Callable[..., Row]) -> None:
    dense, routed = run_of(read(ep="8")).layout, run_of(read(model="Qwen3-30B-A3B", ep="8")).layout
    assert dense is not None
    assert routed is not None
    assert (dense.expert, routed.expert) == (1, 8)


# Models


@pytest.mark.parametrize(
    ("name", "mtp", "dropped"),
    [
        ("DeepSeek-V3", 1, False),
        ("DeepSeek-V3 (dropless)", 1, False),
        ("DeepSeek-V3 (w/ MTP)", 1, False),
        ("DeepSeek-V3 (w/o MTP)", 0, False),
        ("DeepSeek-V3 (tokendrop)", 1, True),
        ("Qwen3-30B-A3B (tokendrop)", 0, True),
        ("Llama3-8B", 0, False),
    ],
)
def test_words_beside_a_name(name: str, mtp: int, dropped: bool) -> None:
    named = model_named(name, {})
    assert (named.mtp, named.dropped, named.parallel_block) == (mtp, dropped, False)


def test_megascale(read: Callable[..., Row]) -> None:
    run = run_of(read(model="GPT3-175B (MegaScale)", seq_len="2048"))
    assert (run.model.id, run.parallel_block, run.window) == ("gpt3-175b", True, 1024)
    assert run.assumed == ("window",)
    plain = run_of(read(model="GPT3-175B (Megatron-LM)", seq_len="2048"))
    assert (plain.model, plain.parallel_block, plain.window) == (run.model, False, 0)


@pytest.mark.parametrize(
    "name", ["Llama 3.1 405B", "llama3.1-405b", "LLAMA-3.1-405B", "Llama_3.1_405B (fp8)"]
)
def test_names_without_punctuation(name: str) -> None:
    assert model_named(name, {}).model.id == "llama-3.1-405b"


@pytest.mark.parametrize(
    ("name", "layers", "params_b", "dense", "moe"),
    [
        ("DeepSeek-V3", 4, 15.11, 3, 1),
        ("DeepSeek-V3", 4, None, 3, 1),
        ("DeepSeek-V2", 4, 13.3, 1, 3),
        ("Llama3.1-405B", 4, 16.95, 4, 0),
        ("Llama3.1-405B", 62, 201.84, 62, 0),
        ("Llama4-Maverick", 12, None, 6, 6),
        ("Qwen3-30B-A3B", 12, None, 0, 12),
    ],
)
def test_cut_models(name: str, layers: int, params_b: float | None, dense: int, moe: int) -> None:
    named = model_named(name, {"layers": layers}, params_b)
    model = named.model
    assert (model.layers, model.dense_layers, model.moe_layers, named.mtp) == (layers, dense, moe, 0)
    assert model.full_layers + model.window_layers == layers
    if params_b:
        assert model.params / 1e9 == pytest.approx(params_b, rel=0.005)


def test_layers_in_a_name() -> None:
    model = model_named("DeepSeek-V4-Flash-16L (MI355X)", {}).model
    kinds = (model.window_layers, model.csa_layers, model.hca_layers)
    assert (model.layers, kinds, model.index_layers, model.moe_layers) == (16, (1, 8, 7), 8, 16)


def test_columns_that_say_the_same_leave_the_catalogue_alone() -> None:
    columns = {"layers": 61, "hidden": 7168, "heads": 128, "kv_heads": 128, "head_dim": 128, "vocab": 129280}
    assert model_named("DeepSeek-V3", columns).model == model_named("DeepSeek-V3", {}).model
    padded = model_named("Mixtral-8x7B", {"ffn": 14336, "vocab": 32768}).model
    assert (padded.id, padded.vocab) == ("mixtral-8x7b", 32768)


def test_fewer_experts() -> None:
    model = model_named("DeepSeek-V3", {"experts": 64}).model
    assert (model.experts, model.is_mla, model.params_total_b) == (64, True, 0.0)


def test_unknown_dense_model_from_columns() -> None:
    columns = {"layers": 32, "hidden": 4096, "ffn": 14336, "heads": 32, "kv_heads": 8, "vocab": 128256}
    named = model_named("Mine-8B", columns, 8.03)
    assert named.model.params / 1e9 == pytest.approx(8.03, rel=0.002)  # Llama 3 8B, arXiv:2407.21783, table 3
    assert (named.model.gated, named.model.tied, named.assumed) == (True, False, ())
    assert model_named("Mine-8B", columns).assumed == ("architecture",)


def test_unknown_gpt_from_columns() -> None:
    columns = {"layers": 96, "hidden": 12288, "ffn": 49152, "heads": 96, "vocab": 51200}
    named = model_named("Mine-175B", columns, 174.6)  # arXiv:2104.04473, table 1: 96 layers of 12288
    assert (named.model.gated, named.model.tied, named.assumed) == (False, True, ())


def test_unknown_expert_model_from_columns() -> None:
    columns = {"layers": 61, "hidden": 7168, "ffn": 18432, "heads": 64, "kv_heads": 8, "head_dim": 128}
    columns |= {"vocab": 129280, "experts": 256, "topk": 8, "moe_ffn": 2048, "shared_ffn": 2048}
    full = model_named("Mine-MoE", columns).model
    assert (full.dense_layers, full.moe_layers) == (0, 61)
    shorter = model_named("Mine-MoE", columns, full.params / 1e9 - 3 * 11.0).model
    assert (shorter.dense_layers, shorter.moe_layers) == (3, 58)


def test_other_widths_make_another_model() -> None:
    columns = {"layers": 80, "hidden": 4096, "heads": 32, "ffn": 16384, "vocab": 32000}
    model = model_named("Llama3-70B", columns).model
    assert (model.hidden, model.kv_heads, model.head_dim) == (4096, 32, 128)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({}, "ffn is blank"),
        ({"experts": 8}, "topk is blank, moe_ffn is blank"),
        ({"experts": 8, "topk": 9, "moe_ffn": 64}, "topk is 9, at most experts 8"),
        ({"ffn": 64, "kv_heads": 64}, "kv_heads is 64, at most heads 32"),
        ({"ffn": 64, "heads": 33}, "head_dim is blank and hidden 4096 is no multiple of 33 heads"),
    ],
)
def test_columns_that_describe_no_model(columns: dict[str, int], told: str) -> None:
    base = {"layers": 32, "hidden": 4096, "heads": 32, "vocab": 32000}
    with pytest.raises(CatalogueError, match=told):
        model_named("Mine", base | columns)


def test_a_slip_in_layers_does_not_hang(read: Callable[..., Row]) -> None:
    assert "layers is '999999999', must be a whole number from 1 to 10000" in read(layers="999999999").refused


# The truth


def truth(shared_folder: Path) -> Path:
    return shared_folder / "truth" / "training_runs.csv"


def test_truth_is_read(shared_folder: Path, book: FactBook) -> None:
    with truth(shared_folder).open(encoding="utf-8", newline="") as opened:
        tiers = {row["row_id"]: row["tier"] for row in csv.DictReader(opened)}
    rows = read_rows(truth(shared_folder), book)
    assert [row.row_id for row in rows] == list(tiers)
    refused = [row.row_id for row in rows if row.refused and tiers[row.row_id] in "AB"]
    assert refused == []


def test_truth_recounts(shared_folder: Path, book: FactBook) -> None:
    with truth(shared_folder).open(encoding="utf-8", newline="") as opened:
        stated = {row["row_id"]: row["params_total_B"] for row in csv.DictReader(opened)}
    for row in read_rows(truth(shared_folder), book):
        if row.run is not None and stated[row.row_id]:
            # To the two decimals that the file has; MPT-125m is stated as 0.12 and MPT-350m as 0.35.
            assert row.run.model.params / 1e9 == pytest.approx(
                float(stated[row.row_id]), rel=0.005, abs=0.006
            )


def test_outcomes_are_never_read(shared_folder: Path, book: FactBook, tmp_path: Path) -> None:
    assert not set(OUTCOMES) & set(COLUMNS)
    with truth(shared_folder).open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert set(OUTCOMES) <= set(rows[0])
    others = set(rows[0]) - set(COLUMNS)
    changed = [row | dict.fromkeys(others, f"x{at}") for at, row in enumerate(rows)]
    without = [{name: cell for name, cell in row.items() if name not in others} for row in rows]
    expected = read_rows(truth(shared_folder), book)
    spread = {row.row_id: (row.run, row.refused) for row in expected}
    for path in (write(tmp_path / "a.csv", *changed), write(tmp_path / "b.csv", *without)):
        assert {row.row_id: (row.run, row.refused) for row in read_rows(path, book)} == spread
