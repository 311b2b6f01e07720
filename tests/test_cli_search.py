"""`gigawright search training`: what it prints, writes and returns."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from gigawright import cli

USUAL = {
    "--model": "llama-3.1-70b",
    "--system": "dgx_h100",
    "--accelerators": "256",
    "--seq": "8192",
    "--batch-tokens": "4M",
}


def search(*more: str, **changes: str) -> int:
    chosen = USUAL | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    return cli.main(["search", "training", *(word for pair in chosen.items() for word in pair), *more])


def table_rows(text: str) -> list[list[str]]:
    """Rows of the table of layouts, those that start with a place."""
    rows = [line.split() for line in text.splitlines() if " mb" in line]
    return [row for row in rows if row[0].isdigit()]


def test_the_answer_has_its_parts(capsys: pytest.CaptureFixture[str]) -> None:
    assert search("--top", "4") == 0
    told = capsys.readouterr().out
    assert " on 256 x H100 SXM5 80GB, bf16: 512 sequences of 8,192 tokens in a step\n" in told
    assert "note: a batch of 4M tokens is taken as 512 sequences" in told
    assert " configurations in " in told
    assert [row[0] for row in table_rows(told)] == ["1", "2", "3", "4"]
    for words in ("matrix products", "activations", "libraries and fragmentation", "may be filled", "█"):
        assert words in told
    assert "Training" not in told


def test_tokens_add_time_energy_and_cost(capsys: pytest.CaptureFixture[str]) -> None:
    assert search(tokens="15T", top="1") == 0
    told = capsys.readouterr().out
    for words in ("Training 15 T tokens", " days (", "goodput", "interruptions", "MWh at the servers"):
        assert words in told
    for words in ("PUE 1.0", "dgx_h100.lease_usd_h = ", "nv_h100_sxm.chip_usd"):
        assert words in told


def test_what_is_unknown_of_a_system_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert search(tokens="1T", system="trn3_ultra", top="1") == 0
    told = capsys.readouterr().out
    assert "not known: trn3_ultra.power_kw is unknown" in told
    assert "not known: trn3_ultra.lease_usd_h is unknown" in told


def test_the_folder_holds_a_page_and_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert search("--out", str(tmp_path / "found"), top="3") == 0
    told = capsys.readouterr().out
    assert told.rstrip().endswith(f"page: {tmp_path / 'found' / 'training.html'}")
    assert len(table_rows(told)) == 3
    with (tmp_path / "found" / "search.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert 100 < len(rows) <= 1000
    assert [row["rank"] for row in rows[:3]] == ["1", "2", "3"]


def test_exhaustive_tries_more(capsys: pytest.CaptureFixture[str]) -> None:
    counts = []
    for more in ([], ["--exhaustive"]):
        assert search(*more, top="1") == 0
        line = next(line for line in capsys.readouterr().out.splitlines() if "configurations in" in line)
        counts.append(int(line.split()[0].replace(",", "")))
    assert counts[1] > 3 * counts[0]


def test_nothing_fits_exits_3_and_tells_what_helps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert search("--out", str(tmp_path), model="llama-3.1-405b", accelerators="32", tokens="1T") == 3
    told = capsys.readouterr().out
    assert "Nothing fits: the closest layout is short by " in told
    assert "lacks GiB" in told
    assert "what helps: --accelerators " in told
    assert (tmp_path / "training.html").is_file()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "lama-3.1-70b"}, "did you mean 'llama-3.1-70b'?"),
        ({"system": "dgx_h10"}, "did you mean dgx_h100"),
        ({"accelerators": "lots"}, "accelerators: lots does not start with a number"),
        ({"accelerators": "16384", "batch_tokens": "64k"}, "cannot occupy 16,384 accelerators"),
        ({"batch_tokens": "1k"}, "one sequence of 8,192"),
        ({"top": "0"}, "top is 0, must be at least 1"),
        ({"tokens": "0"}, "tokens is 0"),
        ({"tokens": "15 GW"}, "tokens: 15 GW is a power"),
        ({"precision": "fp16"}, "--precision"),
        ({"catalogue": "nothing.csv"}, "nothing.csv cannot be read"),
        ({"calibration": "nowhere"}, "nowhere: no calibration"),
    ],
)
def test_what_is_wrong_exits_2_with_a_word(
    changes: dict[str, str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert search(**changes) == 2
    told = capsys.readouterr().err
    assert told.startswith("gigawright: ")
    assert words in told


def test_a_missing_option_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["search", "training", "--model", "llama-3.1-70b"]) == 2
    assert capsys.readouterr().err.startswith("gigawright: --system is missing\n")


def test_what_is_piped_has_no_blanks_at_its_ends(capsys: pytest.CaptureFixture[str]) -> None:
    assert search(tokens="1T") == 0
    assert all(line == line.rstrip() for line in capsys.readouterr().out.splitlines())


def test_a_table_of_products_faster_than_the_chip_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "products.csv"
    path.write_text("m,n,k,precision,tflops\n" + "4096,4096,4096,bf16,1500\n" * 3)
    assert search(gemm=str(path)) == 2
    assert "3 of 3 products are faster than H100" in capsys.readouterr().err
