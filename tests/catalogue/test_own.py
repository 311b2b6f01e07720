"""Facts of one's own: read as the catalogue's, refused where they are wrong or known already."""

from __future__ import annotations

from pathlib import Path

import pytest

from gigawright.catalogue.load import HEADER, load_facts
from gigawright.catalogue.own import book_with, own_facts
from gigawright.catalogue.records import accelerator
from gigawright.errors import CatalogueError, UserError

NEEDED = "kind,item,attribute,value,unit,source,known_from,confidence"
CHIP = f"""{NEEDED}
accelerator,warp9,name,Warp Core 9,text,our laboratory,2026-03,A
accelerator,warp9,vendor,Zefram,text,our laboratory,2026-03,A
accelerator,warp9,made_for,abroad,text,our laboratory,2026-03,A
accelerator,warp9,bf16_tflops,1000,TFLOP/s,our laboratory,2026-03,A
accelerator,warp9,memory_gb,96,GB,our laboratory,2026-03,A
accelerator,warp9,memory_gbs,4000,GB/s,our laboratory,2026-03,A
"""


def file_of(folder: Path, text: str) -> Path:
    path = folder / "facts.csv"
    path.write_text(text, "utf-8")
    return path


def test_a_chip_of_ones_own_stands_beside_those_of_the_package(tmp_path: Path) -> None:
    book = book_with([file_of(tmp_path, CHIP)])
    chip = accelerator(book, "warp9")
    assert (chip.name, chip.vendor, chip.memory_gb, chip.peak_tflops["bf16"]) == (
        *("Warp Core 9", "Zefram"),
        *(96.0, 1000.0),
    )
    assert accelerator(book, "nv_h100_sxm").vendor == "NVIDIA"
    assert book.fact("accelerator", "warp9", "memory_gb").source == "our laboratory"


def test_the_full_header_in_any_order_and_blank_lines_at_the_end_are_read(tmp_path: Path) -> None:
    row = dict.fromkeys(HEADER, "") | {
        **dict(zip(NEEDED.split(","), CHIP.splitlines()[5].split(","), strict=True)),
        "low": "90",
        "high": "100",
    }
    names = sorted(HEADER)
    text = "\ufeff" + ",".join(names) + "\n" + ",".join(row[name] for name in names) + "\n\n\n"
    named = [fact for fact in own_facts([file_of(tmp_path, CHIP)], []) if fact.unit == "text"]
    (fact,) = own_facts([file_of(tmp_path, text)], named)
    assert (fact.name, fact.value, fact.low, fact.high) == ("warp9.memory_gb", 96.0, 90.0, 100.0)


def test_known_facts_are_not_replaced(tmp_path: Path) -> None:
    text = f"{NEEDED}\naccelerator,nv_h100_sxm,memory_gb,800,GB,a dream,2026-03,D\n"
    with pytest.raises(
        CatalogueError, match=r"facts.csv:2: accelerator nv_h100_sxm.memory_gb is in the package's"
    ):
        book_with([file_of(tmp_path, text)])


def test_two_rows_of_one_day_clash_but_news_do_not(tmp_path: Path) -> None:
    last = CHIP.splitlines()[-1]
    with pytest.raises(CatalogueError, match=r"facts.csv:8: .*warp9.memory_gbs is in .*facts.csv:7 already"):
        book_with([file_of(tmp_path, CHIP + last + "\n")])
    newer = last.replace("4000", "4100").replace("2026-03", "2026-09")
    book = book_with([file_of(tmp_path, CHIP + newer + "\n")])
    assert accelerator(book, "warp9").memory_gbs == 4100.0


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("chip,w,name,x,text,s,2026,A", "kind 'chip' is none of accelerator"),
        ("accelerator,,name,x,text,s,2026,A", "item is blank"),
        ("accelerator,w,memory_gib,1,GB,s,2026,A", "no attribute 'memory_gib'; did you mean 'memory_gb'"),
        ("accelerator,w,memory_gb,,GB,s,2026,A", "memory_gb has no value"),
        ("accelerator,w,memory_gb,80,TB,s,2026,A", "memory_gb is in 'TB', must be in 'GB'"),
        ("accelerator,w,memory_gb,80 GB,GB,s,2026,A", "memory_gb is '80 GB', must be a number"),
        ("accelerator,w,memory_gb,nan,GB,s,2026,A", "must be a number"),
        ("accelerator,w,memory_gb,-80,GB,s,2026,A", "must be more than 0"),
        ("accelerator,w,memory_gb,80,GB,s,2026-13,A", "2026-13"),
        ("accelerator,w,memory_gb,80,GB,s,,A", "facts.csv:2"),
        ("accelerator,w,memory_gb,80,GB,s,2026,sure", "confidence 'sure' is none of"),
        ("accelerator,w", "confidence '' is none of"),
    ],
)
def test_a_wrong_row_is_told_with_its_place(row: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=words) as told:
        book_with([file_of(tmp_path, f"{NEEDED}\n{row}\n")])
    assert "facts.csv:2: " in str(told.value)


def test_all_faults_are_told_at_once_each_with_its_row(tmp_path: Path) -> None:
    rows = [
        "accelerator,w,memory_gb,0.08,TB,s,2026,A",
        "accelerator,w,bf16_tflops,1.5,PFLOP/s,s,2026,A",
        "accelerator,w,memory_gbs,4,TB/s,s,soon,A",
    ]
    with pytest.raises(CatalogueError) as told:
        book_with([file_of(tmp_path, "\n".join([NEEDED, *rows]) + "\n")])
    lines = [line.strip() for line in str(told.value).splitlines()]
    assert "memory_gb is in 'TB', must be in 'GB': 0.08 TB is 80 GB" in lines[0]
    assert lines[1].endswith("bf16_tflops is in 'PFLOP/s', must be in 'TFLOP/s': 1.5 PFLOP/s is 1500 TFLOP/s")
    assert "facts.csv:4: " in lines[2]
    assert "soon" in lines[2]
    assert lines[3].startswith("accelerator w lacks name, vendor, made_for: add a row for each")
    assert len(lines) == 4


def test_what_an_item_lacks_is_told_by_name(tmp_path: Path) -> None:
    text = "\n".join(line for line in CHIP.splitlines() if ",made_for," not in line)
    with pytest.raises(CatalogueError, match=r"^accelerator warp9 lacks made_for: add a row for each \(made"):
        book_with([file_of(tmp_path, text)])


def test_a_chip_of_the_package_may_be_told_more(tmp_path: Path) -> None:
    facts = load_facts()
    chip = next(
        fact.item
        for fact in facts
        if fact.kind == "accelerator"
        and not any(other.item == fact.item and other.attribute == "host_gbs" for other in facts)
    )
    text = f"{NEEDED}\naccelerator,{chip},host_gbs,64,GB/s,our laboratory,2026-03,A\n"
    assert accelerator(book_with([file_of(tmp_path, text)]), chip).host_gbs == 64.0


def test_a_value_outside_its_range_is_told(tmp_path: Path) -> None:
    text = f"{NEEDED},low,high\naccelerator,w,memory_gb,80,GB,s,2026,A,90,100\n"
    with pytest.raises(CatalogueError, match="memory_gb is 80, must lie from low 90 to high 100"):
        book_with([file_of(tmp_path, text)])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "missing kind, item"),
        (b"kind,item,attribute,value,unit,source,known_from\n", "missing confidence;"),
        (NEEDED.encode() + "\nü".encode("latin-1"), "not UTF-8"),
        (NEEDED.encode() + b'\n"open', "not readable as CSV"),
    ],
)
def test_a_file_that_is_no_table_of_facts_is_told(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "facts.csv").write_bytes(content)
    with pytest.raises(UserError, match=words):
        book_with([tmp_path / "facts.csv"])


def test_an_absent_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read: No such file"):
        book_with([tmp_path / "nothing.csv"])
