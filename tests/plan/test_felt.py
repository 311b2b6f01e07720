"""What users will feel of a plan: loads from its solution, seconds off the surfaces, limits that cost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gigawright.catalogue.resolve import resolve
from gigawright.facility.size import size
from gigawright.facility.steps import SteppedYear
from gigawright.linear import Solution
from gigawright.plan.felt import COLUMNS, Part, felt_table, mixed
from gigawright.plan.master import build_master, solve_master
from gigawright.plan.numbers import Preparation, prepare
from gigawright.plan.problem import Problem
from gigawright.study.load import load_study
from gigawright.workloads.predict import predict
from gigawright.workloads.serving.surface import Point

STUDY = """\
name: felt
horizon: {start: 2026Q1, end: 2027Q2}
buyer: {name: Example, headquarters: China}
objective: cost
budgets: {capital: {2026: 9 bn USD, 2027: 9 bn USD}}
sites:
  - {site: ulanqab, existing: {air: 60 MW, grid: 120 MW}}
  - {site: guian, existing: {air: 60 MW, grid: 120 MW}}
systems: [{system: atlas800t_a3}]
installed:
  - {system: atlas800t_a3, site: ulanqab, accelerators: 4k}
  - {system: hgx_h20_8, site: ulanqab, accelerators: 4k}
workloads:
  - {name: chat, family: llm-serving, model: llama-3.1-70b, input_tokens: 1500, output_tokens: 500,
     value: 1 USD per M tokens, LIMIT
     demand: {per_day: 300 bn, regions: assistant, growth_per_year: {2026: 3x}}}
"""


def solved(folder: Path, limit: str = "") -> tuple[Problem, Solution, Preparation]:
    path = folder / "study.yaml"
    path.write_text(STUDY.replace("LIMIT", limit))
    study = load_study(path)
    catalogue = resolve(study)
    facilities = {name: size(site) for name, site in catalogue.sites.items()}
    p = Preparation(study, catalogue, predict(study, catalogue), facilities)
    problem = prepare(p, SteppedYear(facilities, catalogue, study.horizon.quarters, []).days())
    return problem, solve_master(build_master(problem)), p


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> tuple[Problem, Solution, Preparation]:
    return solved(tmp_path_factory.mktemp("felt"))


@pytest.fixture(scope="module")
def felt(usual: tuple[Problem, Solution, Preparation]) -> pd.DataFrame:
    return felt_table(*usual)


def test_a_row_for_each_region_and_quarter_that_is_served(
    usual: tuple[Problem, Solution, Preparation], felt: pd.DataFrame
) -> None:
    problem, x, _ = usual
    flow = x.of("flow").sum(axis=0)
    served = {
        (problem.sets.regions[r], problem.sets.q[q]) for r, _, q in zip(*np.nonzero(flow > 1e-7), strict=True)
    }
    assert len(served) >= 4
    assert set(zip(felt["region"], felt["quarter"], strict=True)) == served
    assert list(felt.columns) == list(COLUMNS)
    assert np.isfinite(felt[[name for name in COLUMNS if name.endswith("_s")]].to_numpy(float)).all()


def test_limits_hold_at_the_peak_and_more_so_at_a_mean_hour(felt: pd.DataFrame) -> None:
    assert (felt["ttft_peak_p99_s"] <= 2.0 * 1.001 + felt["network_s"]).all()
    assert (felt["tpot_peak_p99_s"] <= 0.05 * 1.001).all()
    for name in ("ttft", "tpot"):
        assert (felt[f"{name}_mean_load"] < felt[f"{name}_peak_load"]).all()
        assert (felt[f"{name}_mean_p99_s"] < felt[f"{name}_peak_p99_s"]).all()
        assert (felt[f"{name}_peak_p50_s"] <= felt[f"{name}_peak_p99_s"]).all()


def test_a_tight_plan_stands_at_the_planned_load_and_reads_its_surface(
    usual: tuple[Problem, Solution, Preparation], felt: pd.DataFrame
) -> None:
    """Reckoned again for the first row: load = asked over promised, times the load planned with."""
    problem, x, p = usual
    row = felt.iloc[0]
    q = problem.sets.q.index(row["quarter"])
    w = problem.sets.phases.index("chat.prefill")
    zones = [z for z in range(len(problem.sets.zones)) if x.of("flow")[z, :, 0, q].sum() > 1e-7]
    loads = []
    for z in zones:
        promised = x.of("assign")[z, :, w, q] * problem.work.rate[:, w, q]
        used = x.of("flow")[z, :, 0, q].sum() / promised.sum()
        planned = [p.performance.planned_load["chat.prefill", system] for system in problem.offers.system]
        loads.append(used * float(promised @ np.array(planned)) / promised.sum())
    assert min(loads) * 0.999 <= row["ttft_peak_load"] <= max(loads) * 1.001


def test_the_network_is_the_round_trip_to_where_prompts_are_read(
    usual: tuple[Problem, Solution, Preparation], felt: pd.DataFrame
) -> None:
    _, _, p = usual
    for row in felt.itertuples():
        trips = [p.catalogue.regions[str(row.region)].rtt_ms[s] * 1e-3 for s in ("ulanqab", "guian")]
        assert min(trips) * 0.999 <= float(row.network_s) <= max(trips) * 1.001  # type: ignore[arg-type]


def test_a_shorter_first_token_takes_and_buys_more_accelerators(
    usual: tuple[Problem, Solution, Preparation], tmp_path: Path
) -> None:
    problem, x, _ = usual
    _, quick, _ = solved(tmp_path, "ttft_limit: 900 ms,")
    assert x.of("unmet").sum() == pytest.approx(0.0, abs=1e-6)
    assert quick.of("unmet").sum() == pytest.approx(0.0, abs=1e-6)
    last = len(problem.sets.q) - 1
    assert quick.of("fleet")[:, :, last].sum() > 1.005 * x.of("fleet")[:, :, last].sum()
    assert quick.of("buy").sum() > 1.05 * x.of("buy").sum() > 0.0


def part(weight: float, median: float) -> Part:
    seconds = {50: median, 90: 2 * median, 99: 3 * median}
    return Part(weight, Point(0.5, seconds, 1.0, 1.0, 0.5, 0.0))


def test_a_mixture_lies_between_its_parts() -> None:
    assert mixed([part(1.0, 0.2), part(1.0, 0.2)], 99) == pytest.approx(0.6, rel=1e-3)
    assert mixed([part(0.97, 0.1), part(0.03, 1.0)], 50) == pytest.approx(0.1, rel=0.1)
    assert mixed([part(0.97, 0.1), part(0.03, 1.0)], 99) > 0.9
    assert mixed([part(0.5, 0.1), part(0.5, 1.0)], 90) < mixed([part(0.2, 0.1), part(0.8, 1.0)], 90)
    assert np.isnan(mixed([], 50))
