"""What a person writes becomes a run, or is told what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.catalogue.load import load_facts
from gigawright.catalogue.own import book_with
from gigawright.errors import CatalogueError, UserError
from gigawright.facts import FactBook
from gigawright.workloads.training.ask import ROUNDING, Asked, ask, sequences, system_named, whole_number
from gigawright.workloads.training.calibration import calibration

BOOK = FactBook(load_facts())
USUAL = {
    "model": "llama-3.1-405b", "system": "dgx_h100", "accelerators": "16384", "seq": "8192",
    "batch_tokens": "16M",
}  # fmt: skip


def asked(**changes: Any) -> Asked:
    return ask(BOOK, calibration(), **{**USUAL, **changes})


def test_a_question_becomes_a_run() -> None:
    found = asked(precision="fp8")
    run = found.run
    assert (run.model.id, run.chip.id, run.accelerators) == ("llama-3.1-405b", "nv_h100_sxm", 16384)
    assert (run.seq_len, run.batch, run.precision, run.layout) == (8192, 2048, "fp8", None)
    assert found.system is not None
    assert found.system.id == "dgx_h100"
    assert found.notes == (
        "a batch of 16M tokens is taken as 2,048 sequences of 8,192 tokens: 16,777,216 tokens",
    )


@pytest.mark.parametrize(
    ("text", "seq_len", "accelerators", "expected"),
    [
        ("16Mi", 8192, 16384, 2048),
        ("16M", 8192, 16384, 2048),
        ("16M", 8192, 24576, 2048),
        ("4M", 4096, 1024, 1024),
        ("16M", 8000, 16384, 2000),
        ("12,288,000", 4096, 1024, 3000),
        ("8192", 8192, 1, 1),
        ("10k", 8192, 64, 1),
    ],
)
def test_tokens_become_sequences_that_split_evenly(
    text: str, seq_len: int, accelerators: int, expected: int
) -> None:
    assert sequences(text, seq_len, accelerators)[0] == expected


@given(st.integers(8192, 10**9), st.integers(1, 100_000))
def test_a_batch_is_never_moved_far(tokens: int, accelerators: int) -> None:
    found, note = sequences(str(tokens), 8192, accelerators)
    assert abs(found - tokens / 8192) <= max(0.5, ROUNDING * tokens / 8192)
    assert bool(note) == (found * 8192 != tokens)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"model": "lama-3.1-405b"},
            "no model 'lama-3.1-405b' in the catalogue; did you mean 'llama-3.1-405b'",
        ),
        ({"model": "flux.1-dev"}, "is not a language model"),
        ({"system": "dgx_h10"}, "no system or accelerator 'dgx_h10' in the catalogue; did you mean dgx_h100"),
        ({"system": "zzz"}, "no system or accelerator 'zzz' in the catalogue (`gigawright catalogue list"),
        ({"accelerators": "16.5"}, "accelerators is '16.5', must be a whole number from 1"),
        ({"accelerators": "0"}, "accelerators is '0'"),
        ({"seq": "many"}, "seq: many does not start with a number"),
        ({"batch_tokens": "4k"}, "batch-tokens is '4k', must be from one sequence of 8,192"),
        ({"batch_tokens": "16 MW"}, "batch-tokens: 16 MW is a power"),
        ({"batch_tokens": "-16M"}, "negative"),
    ],
)
def test_what_is_wrong_is_told(change: dict[str, str], words: str) -> None:
    with pytest.raises(UserError) as told:
        asked(**change)
    assert words in str(told.value)


@pytest.mark.parametrize(
    ("text", "system"),
    [
        ("dgx_h100", "dgx_h100"),
        ("DGX-H100", "dgx_h100"),
        ("DGX/HGX H100 8-GPU", "dgx_h100"),
        ("nv_h100_sxm", "dgx_h100"),
        ("H100 SXM", "dgx_h100"),
        ("MI300X", "mi300x_8"),
        ("gb200_nvl72", "gb200_nvl72"),
    ],
)
def test_systems_go_by_id_name_and_accelerator(text: str, system: str) -> None:
    chip, found, _ = system_named(text, BOOK)
    assert found is not None
    assert found.id == system
    assert found.accelerator.id == chip.id


def test_every_system_of_the_catalogue_can_be_named() -> None:
    for item in BOOK.items("system"):
        assert system_named(item, BOOK)[1] is not None


def test_an_accelerator_without_a_system_is_taken_alone() -> None:
    held = {str(BOOK.history("system", item, "accelerator")[-1].value) for item in BOOK.items("system")}
    alone = next(item for item in BOOK.items("accelerator") if item not in held)
    chip, system, notes = system_named(alone, BOOK)
    assert (chip.id, system) == (alone, None)
    assert "no power and no price" in notes[0]


def test_an_ambiguous_accelerator_is_told_as_such() -> None:
    with pytest.raises(CatalogueError, match="can be any of"):
        system_named("Gaudi", BOOK)


def test_notes_tell_of_partial_systems_and_unknown_sites() -> None:
    assert asked(accelerators="12").notes[-1] == "12 accelerators leave one dgx_h100 of 8 partly used"
    assert "no run of site 'Nobody' was measured" in asked(site="Nobody").notes[-1]
    assert "give --site too" in asked(release="25.09").notes[-1]
    row = next(row for row in calibration().effects.known.levels if row[3] and row[4])
    assert len(asked(site=row[3]).notes) == 1
    assert (
        f"no run of {row[3]!r} with release 'none such'" in asked(site=row[3], release="none such").notes[-1]
    )


def test_whole_numbers() -> None:
    assert [whole_number(text, "seq") for text in ("8192", "8,192", "8Ki", "100k")] == [
        8192,
        8192,
        8192,
        100_000,
    ]


def test_facts_of_ones_own_are_found(tmp_path: Path) -> None:
    from gigawright.catalogue.own import book_with

    path = tmp_path / "mine.csv"
    rows = {
        "name": ("Mine", "text"),
        "vendor": ("Me", "text"),
        "made_for": ("abroad", "text"),
        "bf16_tflops": ("500", "TFLOP/s"),
        "memory_gb": ("96", "GB"),
        "memory_gbs": ("3000", "GB/s"),
    }
    head = "kind,item,attribute,value,unit,source,known_from,confidence\n"
    path.write_text(
        head + "".join(f"accelerator,mine,{a},{v},{u},me,2026-01,A\n" for a, (v, u) in rows.items())
    )
    found = ask(book_with([path]), calibration(), **{**USUAL, "system": "mine"})
    assert found.run.chip.id == "mine"
    assert found.system is None


def measured(folder: Path, fastest: float) -> Path:
    rows = ("m,n,k,precision,tflops", "4096,4096,4096,bf16,600", "4096,4096,1024,bf16,500")
    path = folder / "products.csv"
    path.write_text("\n".join([*rows, f"8192,4096,4096,bf16,{fastest}"]))
    return path


def test_products_faster_than_the_chip_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="1 of 3 products are faster than H100") as told:
        asked(gemm=measured(tmp_path, 1400.0))
    assert "8192 x 4096 x 4096 at bf16: 1,400 TFLOP/s, the peak is 989" in str(told.value)
    assert asked(gemm=measured(tmp_path, 989.0)).run.gemm is not None


def test_what_stands_in_for_unknown_facts_of_a_chip_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "facts.csv"
    facts = ("name,Warp,text", "vendor,Z,text", "made_for,abroad,text", "bf16_tflops,1000,TFLOP/s")
    more = ("memory_gb,96,GB", "memory_gbs,4000,GB/s")
    head = "kind,item,attribute,value,unit,source,known_from,confidence"
    path.write_text("\n".join([head, *(f"accelerator,warp9,{fact},s,2026,A" for fact in (*facts, *more))]))
    found = ask(book_with([path]), calibration(), **{**USUAL, "system": "warp9", "precision": "fp8"})
    text = "\n".join(found.notes)
    for words in (
        "no fp8 rate of warp9 is known: products run at bf16",
        "warp9.nic_gbps is unknown: 200 Gbit/s",
        "warp9.scaleup_gbs is unknown",
        "warp9.cores is unknown: 128",
    ):
        assert words in text
    assert found.run.precision == "bf16"
    assert {"precision bf16", "nic_gbps", "scaleup_gbs"} <= set(found.run.assumed)
