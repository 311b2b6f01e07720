"""The table of training paces: one for each setting, numbers as predicted, fastest system first."""

from __future__ import annotations

import dataclasses

import pytest

from gigawright.catalogue.resolve import resolve
from gigawright.evaluate import Result
from gigawright.report.parts import Report
from gigawright.report.training_pace import training_pace
from gigawright.study.load import loads
from gigawright.study.model import Study
from gigawright.workloads.predict import predict

from .conftest import SMALL

TRAINING = """\
  - name: lm
    family: llm-training
    model: llama-3.1-70b
    precision: bf16
    cluster: 1024
    value: 40 CNY per M tokens
    programmes:
      - {name: first, tokens: 1 T, start: 2026Q1, due: 2026Q3}
      - {name: second, tokens: 1 T, start: 2026Q2, due: 2026Q3}
      - {name: small, tokens: 1 T, start: 2026Q2, due: 2026Q3, model: llama-3.2-1b, batch_tokens: 2M}
  - name: tune
    family: llm-training
    model: llama-3.1-405b
    precision: fp8
    cluster: 8
    value: 40 CNY per M tokens
    demand: {per_day: 1 bn, regions: home}
"""


@pytest.fixture(scope="module")
def trained(result: Result) -> Result:
    study, _ = loads(
        SMALL.replace("{system: dgx_h200}", "{system: dgx_h200}, {system: dgx_b200}") + TRAINING, Study
    )
    catalogue = resolve(study, study.as_of)
    return dataclasses.replace(
        result, study=study, catalogue=catalogue, performance=predict(study, catalogue)
    )


def test_runs_of_one_setting_share_a_table(trained: Result) -> None:
    first, small, tune = map(str, training_pace(Report((trained,))))
    assert (
        "first and second: llama-3.1-70b at bf16 on 1,024 accelerators, sequences of 8,192 tokens<" in first
    )
    assert "pace of small: llama-3.2-1b at bf16 on 1,024 accelerators" in small
    assert "2 M tokens a step" in small
    assert "pace of tune: llama-3.1-405b at fp8 on 8 accelerators" in tune
    assert "<td" not in tune  # no system holds it


def test_rows_hold_what_was_predicted_fastest_first(trained: Result) -> None:
    first = str(training_pace(Report((trained,)))[0])
    assert 0 < first.index("B200") < first.index("H200")
    for system in ("dgx_h200", "dgx_b200"):
        done = trained.performance.table["lm:first", system]
        assert f"{done.work_per_s:,.0f}<" in first
        assert f"DP {done.details['data']:.0f}" in first
        assert f"{done.details['half'] / done.work_per_s - 1.0:+.0%}<" in first
        assert f"{done.limited_by}<" in first


def test_a_study_without_training_has_no_table(result: Result) -> None:
    assert training_pace(Report((result,))) == []
