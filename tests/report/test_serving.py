"""A search of serving configurations as text, page and table."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import lru_cache
from io import StringIO

import pytest

from gigawright.catalogue.load import load_facts
from gigawright.facts import FactBook
from gigawright.report.serving import page
from gigawright.report.serving_table import COLUMNS, points_table
from gigawright.report.serving_text import advice, fitted_columns, serving_lines, shown, whole
from gigawright.workloads.serving.ask import ask
from gigawright.workloads.serving.explore import Explored, explore

from ..workloads.serving.known import calibration


@lru_cache
def found(tpot_ms: float | None = 60, rate: float | None = None) -> Explored:
    asked = ask(
        FactBook(load_facts()),
        calibration(),
        model="deepseek-r1",
        system="dgx_h200",
        isl="4000",
        osl="1000",
        ttft_ms=3000,
        tpot_ms=tpot_ms,
        rate=rate,
    )
    return explore(asked, calibration())


@pytest.mark.parametrize("width", [70, 100, 136, 180, 300])
@pytest.mark.parametrize("tpot_ms", [60, 1])
def test_lines_fit_the_terminal(width: int, tpot_ms: float) -> None:
    lines = serving_lines(found(tpot_ms), 12, width, 1.0)
    assert max(len(line.text) for line in lines) <= width


def test_a_wide_terminal_shows_every_column() -> None:
    wide = [column.title for column in fitted_columns(found(), found().points, 400)]
    for title in (
        "configuration",
        "drafts",
        "reqs",
        "TTFT s",
        "TPOT ms",
        "USD/M",
        "J/tok",
        "KV",
        "sure",
        "by",
    ):
        assert title in wide
    narrow = [column.title for column in fitted_columns(found(), found().points, 90)]
    assert {"configuration", "TTFT s", "TPOT ms", "tok/s/acc", "tok/s/user"} <= set(narrow)


@pytest.mark.parametrize("top", [1, 2, 5, 1000])
def test_the_table_shows_the_recommended_point(top: int) -> None:
    points = shown(found(), top)
    assert len(points) == min(top, len(whole(found())))
    assert any(one is found().choice for one in points)
    assert [one.user for one in points] == sorted(one.user for one in points)


def test_what_is_advised_names_the_point_and_the_rate() -> None:
    done = found(60, 25.0)
    told = "\n".join(advice(done))
    assert told.startswith("recommended: ")
    assert "25 requests/s: " in told
    assert "dgx_h200.lease_usd_h" in told


def test_an_unknown_power_is_said() -> None:
    done = found()
    assert done.choice is not None
    points = tuple(replace(one, joules=float("nan")) for one in done.points)
    assert any(
        "power_kw is unknown" in line for line in advice(replace(done, points=points, choice=points[0]))
    )


def test_the_table_has_a_line_for_each_point() -> None:
    rows = list(csv.DictReader(StringIO(points_table(found()))))
    assert tuple(rows[0]) == COLUMNS
    assert sum(int(row["on_front"]) for row in rows) == len(found().points)
    for row, one in zip(rows, whole(found()), strict=True):
        decode = int(row["decode_workers"]) * int(row["decode_tensor"]) * int(row["decode_data"])
        prompts = int(row["prefill_workers"] or 0) * int(row["prefill_tensor"] or 0)
        prompts *= int(row["prefill_data"] or 0) * int(row["prefill_pipeline"] or 0)
        assert decode * int(row["decode_pipeline"]) + prompts == int(row["accelerators"])
        assert float(row["output_tok_s_per_gpu"]) == pytest.approx(one.pace, rel=1e-5)


@pytest.mark.parametrize("tpot_ms", [60, 1])
def test_the_page_asks_no_other_machine(tpot_ms: float) -> None:
    text = page(found(tpot_ms))
    head = text.split("<script", 1)[0]
    assert "http://" not in head
    assert "https://" not in head
    assert 'id="data-front"' in text
    assert 'id="data-time"' in text
