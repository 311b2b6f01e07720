"""What a search prints: no line wider than the terminal, nothing cut, the least important left out first."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.catalogue.load import load_facts
from gigawright.facts import FactBook
from gigawright.report.search_text import (
    LEAST,
    TextColumn,
    bars,
    campaign_rows,
    fitted,
    layout_columns,
    search_lines,
)
from gigawright.workloads.training.ask import ask
from gigawright.workloads.training.calibration import calibration
from gigawright.workloads.training.campaign import campaign
from gigawright.workloads.training.explore import Explored, explore, layout_code
from gigawright.workloads.training.run import Layout

BOOK = FactBook(load_facts())
WIDEST = Layout(
    tensor=16, pipeline=16, data=1024, context=16, expert=256, chunks=12, micro_batch=16, zero=3,
    recompute="selective", sequence_parallel=False, offload=True, schedule="zero-bubble",
    overlap_tensor=False, overlap_pipeline=False, overlap_data=False,
)  # fmt: skip


def searched(accelerators: str = "512", system: str = "dgx_h100") -> Explored:
    asked = ask(
        BOOK,
        calibration(),
        model="deepseek-v3",
        system=system,
        accelerators=accelerators,
        seq="4096",
        batch_tokens="16Mi",
    )
    return explore(asked, calibration(), count=10)


@pytest.fixture(scope="module")
def found() -> Explored:
    return searched()


def told(found: Explored, width: int, *, tokens: float | None = 14.8e12) -> list[str]:
    whole = None
    if found.best and tokens is not None:
        whole = campaign(found.best[0], tokens, found.asked.system, BOOK)
    return [line.text for line in search_lines(found, whole, 10, width, 1.5)]


@pytest.mark.parametrize("width", [60, 80, 100, 120, 136])
@pytest.mark.parametrize("fits", [True, False])
def test_no_line_is_wider_than_the_terminal_or_ends_in_blanks(
    found: Explored, width: int, fits: bool
) -> None:
    lines = told(found if fits else searched("16"), width)
    assert max(map(len, lines)) <= width
    assert all(line == line.rstrip() for line in lines)
    assert not any("…" in line for line in lines)


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_every_layout_is_told_whole_however_narrow_the_terminal(found: Explored, width: int) -> None:
    text = "\n".join(told(found, width))
    for one in found.best[:10]:
        assert layout_code(one.layout or Layout()) in text


def test_the_widest_layout_there_is_fits_80_columns_or_is_told_in_lines(found: Explored) -> None:
    wide = replace(found, best=tuple(replace(one, layout=WIDEST) for one in found.best))
    for width in (60, 80):
        lines = told(wide, width)
        assert max(map(len, lines)) <= width
        words = " ".join(" ".join(lines).split())
        assert layout_code(WIDEST) in words


def test_the_least_important_columns_go_first(found: Explored) -> None:
    columns = layout_columns(found, found.best)
    titles = [[column.title for column in fitted(columns, width)] for width in (200, 100, 80, 60)]
    assert titles[0] == [
        *("", "layout", "step s", "tokens/s", "p10-p90", "MFU", "GiB", "limited by", "loses by")
    ]
    for wide, narrow in itertools.pairwise(titles):
        assert set(narrow) <= set(wide)
    assert {"layout", "tokens/s"} <= set(titles[-1])
    assert "limited by" not in titles[2]


@given(st.integers(10, 120), st.lists(st.tuples(st.integers(1, 40), st.integers(0, 6)), min_size=1))
def test_fitted_columns_fit_or_cannot_be_fewer(width: int, sizes: list[tuple[int, int]]) -> None:
    columns = [TextColumn("x" * size, ("y",), rank=rank) for size, rank in sizes]
    kept = fitted(columns, width)
    whole = sum(column.width for column in kept) + 2 * (len(kept) - 1)
    assert whole <= width or all(column.rank == 0 for column in kept)
    assert [column for column in columns if column.rank == 0] == [
        column for column in kept if column.rank == 0
    ]


@given(st.integers(LEAST, 160))
def test_bars_are_in_proportion_and_within_the_width(width: int) -> None:
    lines = bars({"products": 4.0, "network": 2.0, "none": 0.0}, "s", width)
    assert len(lines) == 2
    lengths = [line.count("█") for line in lines]
    assert lengths[0] == 0 or max(map(len, lines)) <= width
    assert abs(lengths[0] - 2 * lengths[1]) <= 1


def test_a_limit_has_its_share(found: Explored) -> None:
    limited = next(c for c in layout_columns(found, found.best) if c.title == "limited by")
    for cell, one in zip(limited.cells, found.best, strict=True):
        assert cell.startswith(f"{one.limited_by} ")
        assert cell.split(", ")[0].endswith("%")


def test_the_hardware_alone_is_told_with_what_it_leaves_out(found: Explored) -> None:
    rows = dict(campaign_rows(campaign(found.best[0], 14.8e12, found.asked.system, BOOK)))
    assert "no energy, building, interest" in rows["cost, hardware only"]
    assert "no energy" not in rows["cost, leased"]
    bare = dict(campaign_rows(campaign(found.best[0], 14.8e12, None, BOOK)))
    assert bare["cost, hardware only"].startswith("not known: ")
    assert "straight-line" not in " ".join(bare.values())


def test_both_times_are_told(found: Explored) -> None:
    line = next(line for line in told(found, 136) if "configurations in" in line)
    assert "1.5 s with all else" in line
    assert f"{found.took_s:.2f} s" in line
