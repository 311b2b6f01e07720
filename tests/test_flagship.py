"""The flagship study end to end, on both days of knowledge: what the README promises of it."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from gigawright.clock import HOURS_PER_YEAR, Quarter
from gigawright.evaluate import Result, evaluate
from gigawright.study.load import load_study

pytestmark = pytest.mark.long

HALF_A_PER_CENT = 0.005
TWO_GIB_IN_KIB = 2 * 1024**2


@pytest.fixture(scope="module")
def results(repository: Path) -> list[Result]:
    """Both plans; `evaluate` has had them checked."""
    study = load_study(repository / "studies" / "bytedance-2026.yaml")
    return [evaluate(study, as_of, processes=2) for as_of in study.knowledge_dates]


def test_both_plans_are_within_half_a_per_cent_of_their_bounds(results: list[Result]) -> None:
    for result in results:
        assert 0.0 <= result.plan.summary["master_gap"] <= HALF_A_PER_CENT
        assert 0.0 <= result.plan.summary["energy_gap"] <= HALF_A_PER_CENT


def test_every_hour_of_every_powered_quarter_is_dispatched(results: list[Result]) -> None:
    """All hours of each quarter in which a site draws power; 8,760 a year where it always does."""
    for result in results:
        hours = result.plan.tables["dispatch"].groupby(["site", "quarter"], observed=True).size()
        assert len(hours) > 0
        for (_, quarter), count in hours.items():
            assert count == Quarter.parse(str(quarter)).hours
        years = len(result.study.horizon.years)
        assert hours.groupby("site").sum().max() == years * HOURS_PER_YEAR


def test_all_sites_groups_and_quarters_are_planned(results: list[Result]) -> None:
    for result in results:
        demand, runs = result.plan.tables["demand"], result.plan.tables["programmes"]
        assert len({*demand["group"], *runs["group"]}) == 7
        assert demand["quarter"].nunique() == 12
        assert len(result.plan.problem.sets.sites) == len(result.study.sites) == 15


def test_later_knowledge_knows_the_quota_on_the_h200(results: list[Result]) -> None:
    """10,000 delivered in 2026Q3, 75,000 in all; a test order of 20,000 before."""
    caps = {}
    for result in results:
        orders = result.plan.tables["orders"]
        bought = orders[(orders["system"] == "dgx_h200") & (orders["action"] == "buy")]
        caps[str(result.as_of)] = (
            bought["accelerators"].sum(),
            bought[bought["arrival_quarter"] <= "2026Q3"]["accelerators"].sum(),
        )
    assert caps["2026-10-10"][0] <= 75_000.001
    assert caps["2026-10-10"][1] <= 10_000.001
    assert caps["2025-12-23"][0] <= 20_000.001


def test_the_quota_has_a_price(results: list[Result]) -> None:
    prices = results[0].plan.tables["prices"]
    assert (prices[prices["where"] == "h200_licence"]["value_musd"] > 0.0).any()


def test_two_gibibytes_are_enough(results: list[Result]) -> None:
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        assert resource.getrusage(who).ru_maxrss < TWO_GIB_IN_KIB
