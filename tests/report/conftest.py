"""A real plan of a small study, and a richer one made from it, to write reports of."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from gigawright.evaluate import Result, evaluate
from gigawright.study.load import loads
from gigawright.study.model import Study

SMALL = """
name: Small hall & <sons>
horizon: {start: 2026Q1, end: 2026Q3}
currency: CNY
as_of: 2026-06-30
buyer: {name: Example Cloud, headquarters: United States}
budgets: {capital: {2026: 4 bn CNY}, leasing: {2026: 1 bn CNY}}
sites:
  - {site: abilene, designs: [air], max_it: 60 MW, existing: {air: 10 MW, grid: 100 MW}}
systems: [{system: dgx_h200}]
workloads:
  - name: assistant
    family: llm-serving
    model: llama-3.1-70b
    precision: fp8
    input_tokens: 1500
    output_tokens: 400
    value: {value: 7 CNY per M tokens, low: 3 CNY per M tokens, high: 20 CNY per M tokens, note: a list price}
    demand: {per_day: 300 bn, regions: home}
  - name: pictures
    family: image-generation
    model: flux.1-dev@1024
    value: 0.2 CNY per image
    demand: {per_day: 5M, regions: home}
"""


@pytest.fixture(scope="session")
def result() -> Result:
    """A solved plan."""
    study, _ = loads(SMALL, Study)
    return evaluate(study, study.as_of)


@pytest.fixture(scope="session")
def rich(result: Result) -> Result:
    """The same plan with what a larger one adds: leases, construction, shadow prices, refusals."""
    tables = dict(result.plan.tables)
    lease = {
        "site": "abilene", "system": "dgx_h200", "tenure": "lease", "order_quarter": "2026Q1",
        "arrival_quarter": "2026Q2", "accelerators": 800.0, "cost_musd": 0.0, "action": "lease",
    }  # fmt: skip
    tables["orders"] = pd.concat([tables["orders"], pd.DataFrame([lease])], ignore_index=True)
    tables["construction"] = pd.DataFrame(
        [
            ("abilene", "liquid", "2026Q1", "2026Q3", 40.0, 480.0),
            ("abilene", "grid", "2026Q1", "2026Q2", 100.0, 30.0),
        ],
        columns=["site", "what", "start_quarter", "ready_quarter", "mw", "cost_musd"],
    )
    tables["prices"] = pd.DataFrame(
        [("supply", "abilene", "2026Q1", 0.031, "accelerator", "one at abilene in 2026Q1 is worth 31 kUSD"),
         ("supply", "abilene", "2026Q2", 0.012, "accelerator", "one at abilene in 2026Q2 is worth 12 kUSD"),
         ("power", "abilene", "2026Q2", 2.5, "MW of grid", "power at abilene binds: worth 2.5 M USD")],
        columns=["rule", "where", "quarter", "value_musd", "unit", "words"],
    )  # fmt: skip
    tables["sensitivity"] = pd.DataFrame(
        [("assistant", 0.5, 0.4, 900.0, 30.0), ("assistant", 2.0, 0.95, 2400.0, 80.0)],
        columns=["group", "factor", "served_share", "accelerators", "purchases_musd"],
    )
    why_not = {("abilene", "dgx_b200"): "rule_x: caught by <3A090>"}
    return dataclasses.replace(result, plan=dataclasses.replace(result.plan, tables=tables, why_not=why_not))


@pytest.fixture(scope="session")
def earlier(result: Result) -> Result:
    """A plan of an earlier day of knowledge."""
    return dataclasses.replace(result, as_of=dt.date(2025, 12, 23))


@pytest.fixture(scope="session")
def written(rich: Result, earlier: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a written report of two plans."""
    from gigawright.report import write_report

    folder = tmp_path_factory.mktemp("report")
    return write_report([rich, earlier], folder).parent
