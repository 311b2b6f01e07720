"""The section on what users will feel: numbers of the plan's table, limits, spot checks."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd

from gigawright.evaluate import Result
from gigawright.report.felt import felt_section, spot_line
from gigawright.report.parts import Report
from gigawright.study.load import loads
from gigawright.study.model import Study
from gigawright.workloads.serving.surface import SpotCheck

from .conftest import SMALL


def test_the_section_tells_seconds_limits_and_spot_checks(result: Result) -> None:
    section = felt_section(Report((result,)))
    assert section is not None
    text = str(section.html())
    row = result.plan.tables["felt"].sort_values("ttft_peak_p99_s").iloc[-1]
    assert section.title == "What users will feel"
    assert f" / {row.ttft_peak_p99_s:.2f}" in text
    assert f"{row.tpot_peak_p50_s * 1e3:.1f}" in text
    assert "any" in text
    assert "keep 2.00 s to the first token and 50.0 ms for each further one" in text
    assert "Spot check: simulated again with another seed" in text
    assert "at 60.0% load by" in text


def test_a_plan_without_language_models_has_none(result: Result) -> None:
    tables = dict(result.plan.tables) | {"felt": pd.DataFrame()}
    bare = dataclasses.replace(result, plan=dataclasses.replace(result.plan, tables=tables))
    assert felt_section(Report((bare,))) is None


def test_a_studys_own_headroom_is_told(result: Result) -> None:
    study, _ = loads(SMALL.replace("output_tokens: 400", "output_tokens: 400\n    headroom: 30 %"), Study)
    own = felt_section(Report((dataclasses.replace(result, study=study),)))
    assert own is not None
    assert "planned with 30% kept free, as the study says" in str(own.html())


def test_the_spot_line_tells_the_median_and_the_most(result: Result) -> None:
    surface = next(iter(result.performance.surfaces.values()))
    found = [
        dataclasses.replace(surface, checks=(SpotCheck(0.6, 1, {99: 1.0}, {99: value}),))
        for value in (1.02, 0.95, 1.3)
    ]
    assert "at 60.0% load by 5% in the median and 30% at most" in spot_line(found)
    assert "have not been held" in spot_line([])


def test_the_table_is_written_with_the_others(written: Path) -> None:
    tables = next((written / "tables").glob("as-of-2026*"))
    assert (tables / "felt.parquet").is_file()
    assert "What users will feel" in (written / "report.html").read_text("utf-8")
