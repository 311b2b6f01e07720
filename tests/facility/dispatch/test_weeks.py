"""Representative weeks: chosen exactly, true to the year's sums, judged and mended on every hour."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.facility.dispatch.small_cases import site, two_sites

from gigawright.facility.dispatch import redispatch
from gigawright.facility.dispatch.case import EnergyCase, Move, Outage
from gigawright.facility.dispatch.common_problem import OPTIMUM_USD, three_sites
from gigawright.facility.dispatch.redispatch import dispatch_year, emissions_kept
from gigawright.facility.dispatch.relaxed import relaxed, relaxed_optimum
from gigawright.facility.dispatch.solve import EnergyAnswer, solve_energy
from gigawright.facility.dispatch.typical import exact_medoids
from gigawright.facility.dispatch.week_choice import (
    candidates_of,
    choose,
    cut_case,
    keep_means,
    medoids,
)
from gigawright.facility.dispatch.weeks import size_weeks, spent_usd
from gigawright.linear import Infeasible

WEEK = 168
SIX_WEEKS = 6 * WEEK + 24


def unserved_mw(answer: EnergyAnswer) -> float:
    """The greatest shortfall of any hour, from the flows alone."""
    worst = 0.0
    for one in answer.case.sites:
        found = answer.sites[one.site]
        net = sum(found.power.values()) + sum(found.discharge.values()) - sum(found.charge.values())
        worst = max(worst, float((one.load_mw - net).max()))  # type: ignore[operator]
    return worst


def test_a_year_has_53_candidates_and_each_hour_one_owner() -> None:
    found = candidates_of(EnergyCase("year", (site("here", 8760, 1),)))
    assert len(found.starts) == 53
    assert found.starts[-1] == 8760 - WEEK
    assert found.owned.tolist() == [WEEK] * 52 + [24]
    assert len(found.of_step) == 8760


@pytest.mark.parametrize("count", [1, 2, 4])
def test_medoids_are_those_of_trying_all(count: int) -> None:
    points = np.random.default_rng(count).normal(size=(9, 3))
    distance = ((points[:, None] - points) ** 2).sum(axis=2)
    weight = np.arange(1, 10)
    tried, _ = exact_medoids(distance, weight, count)
    assert medoids(distance, weight, count).tolist() == tried.tolist()


def test_forced_weeks_are_among_them() -> None:
    line = np.arange(10.0)
    distance = abs(line[:, None] - line)
    assert 9 in medoids(distance, np.ones(10, np.int64), 2, forced=[9])
    assert medoids(distance, np.ones(10, np.int64), 1, forced=[0, 9]).tolist() == [0, 9]


def test_the_cut_case_keeps_hours_means_and_energy() -> None:
    case = two_sites(SIX_WEEKS)
    choice = choose(candidates_of(case), [0, 3])
    cut = cut_case(case, choice)
    assert choice.steps_stood_for.sum() == SIX_WEEKS
    for one, other in zip(case.sites, cut.sites, strict=True):
        weight = other.time.weight_h
        assert weight.sum() == pytest.approx(SIX_WEEKS)
        assert (other.load_mw * weight).sum() == pytest.approx(one.load_mw.sum())  # type: ignore[operator,union-attr]
        for whole, few in zip(one.sources, other.sources, strict=True):
            for series in ("available", "energy_usd_mwh", "emission_t_mwh"):
                mean = np.average(getattr(few, series), weights=weight)
                assert mean == pytest.approx(getattr(whole, series).mean()), (whole.name, series)
            assert few.available.max() <= 1.0
        assert other.time.cycle.tolist() == [0] * WEEK + [1] * WEEK


def test_prices_below_zero_are_shifted() -> None:
    series, at = np.array([[-10.0, 20.0, 30.0, 40.0]]), np.array([0, 3])
    kept = keep_means(series, np.ones((1, 4)), at, 2.0 * np.ones((1, 2)), np.inf)
    assert kept.mean() == pytest.approx(20.0)
    assert np.ptp(kept) == pytest.approx(50.0)


def test_all_weeks_are_the_whole_case() -> None:
    case = two_sites(2 * WEEK)
    found = size_weeks(case, weeks=2)
    # Only the weeks' own cycles of storage differ, and the year's dispatch has no such bounds.
    assert found.error(solve_energy(case).cost_usd) < 2e-3


def test_the_true_cost_is_near_the_optimum_and_never_below_it() -> None:
    case = two_sites(SIX_WEEKS)
    best = solve_energy(case).cost_usd
    found = size_weeks(case, weeks=2, tolerance=0.005)
    assert -1e-9 < found.error(best) < 0.005
    assert found.estimate <= 0.005
    assert unserved_mw(found.answer) < 1e-5
    assert len(found.rounds) == 1 or found.rounds[-1].weeks > found.rounds[0].weeks
    assert found.cost_usd == min(one.cost_usd for one in found.rounds)


def test_the_cost_is_that_of_the_sizes_and_flows() -> None:
    case = two_sites(2 * WEEK + 24)
    found = size_weeks(case, weeks=1, most_rounds=1)
    sizes = {name: one.capacity for name, one in found.answer.sites.items()}
    assert solve_energy(case, capacities=sizes).cost_usd == pytest.approx(found.cost_usd, rel=1e-7)


def test_the_emission_cap_holds_in_the_true_year() -> None:
    case = two_sites(3 * WEEK + 24, carbon_share=0.3)
    found = size_weeks(case, weeks=1, most_rounds=3)
    assert emissions_kept(found.answer)
    assert found.answer.emission_t == pytest.approx(case.carbon_cap_t, rel=1e-6)
    assert found.error(solve_energy(case).cost_usd) < 0.05


def calm_week(week: int) -> EnergyCase:
    """A week without wind or sun and with more load than ever, of which the other weeks tell nothing."""
    one = site("here", SIX_WEEKS, 4)
    here = slice(week * WEEK, (week + 1) * WEEK)
    sources = []
    for source in one.sources:
        available = source.available.copy()
        if source.free:
            available[:, here] *= 0.02
        sources.append(replace(source, available=available))
    load = one.load_mw.copy()  # type: ignore[union-attr]
    load[:, here] *= 1.25
    return EnergyCase("calm", (replace(one, sources=tuple(sources), load_mw=load),))


def test_the_week_that_hurts_is_served_and_fed_back() -> None:
    case = calm_week(4)
    # One week first, which cannot tell of the calm; then more.
    found = size_weeks(case, weeks=1, tolerance=1e-4, most_rounds=3)
    assert found.rounds[0].grown_mw["here"] > 10.0
    assert unserved_mw(found.answer) < 1e-5
    assert 4 in found.choices[0].forced
    assert found.rounds[-1].grown_mw["here"] < found.rounds[0].grown_mw["here"]
    assert found.cost_usd <= found.rounds[0].cost_usd


def test_sites_that_exchange_load_share_their_weeks() -> None:
    case = two_sites(2 * WEEK + 24)
    move = Move("north", "south", np.full((1, 2 * WEEK + 24), 10.0), 1.05, 1.0)
    found = size_weeks(replace(case, moves=(move,)), weeks=1, most_rounds=1)
    assert len(found.choices) == 1
    assert found.answer.moved["north", "south"].shape == (1, 2 * WEEK + 24)
    assert found.cost_usd < size_weeks(case, weeks=1, most_rounds=1).cost_usd


def test_weeks_of_outages_are_kept() -> None:
    dark = Outage("dark", ("grid",), 0, 2 * WEEK + 160, 12)
    one = replace(site("here", 4 * WEEK, 4), outages=(dark,))
    case = EnergyCase("dark", (one,))
    found = size_weeks(case, weeks=1, most_rounds=1)
    assert found.choices[0].chosen.tolist() == [2]
    cut = cut_case(case, found.choices[0]).sites[0].outages[0]
    assert (cut.first, cut.steps) == (160, 8)


def test_what_cannot_be_kept_is_said() -> None:
    case = two_sites(2 * WEEK)
    bare = replace(case, sites=tuple(replace(one, sources=one.sources[2:]) for one in case.sites))
    with pytest.raises(Infeasible):
        size_weeks(replace(bare, carbon_cap_t=1.0), weeks=1)
    with pytest.raises(ValueError, match="at least 1"):
        size_weeks(case, weeks=0)
    with pytest.raises(ValueError, match="north has no load"):
        size_weeks(replace(case, sites=(replace(case.sites[0], load_mw=None),)))
    short = replace(site("short", WEEK, 1))
    with pytest.raises(ValueError, match="need the same steps"):
        candidates_of(EnergyCase("both", (case.sites[0], short)))


def test_every_size_grows_where_plants_alone_cannot_keep_the_cap() -> None:
    case = two_sites(WEEK, carbon_share=0.3)
    tiny = {
        one.site: {source.name: np.zeros(1) for source in one.sources} | {"battery": np.zeros(1)}
        for one in case.sites
    }
    found = dispatch_year(case, tiny)
    assert emissions_kept(found)
    assert found.sites["north"].capacity["solar"][0] + found.sites["north"].capacity["wind"][0] > 1.0


def test_sites_one_by_one_under_a_price_stay_just_below_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    case = two_sites(3 * WEEK, carbon_share=0.3)
    sizes = {name: one.capacity for name, one in solve_energy(case).sites.items()}
    together = dispatch_year(case, sizes)
    monkeypatch.setattr(redispatch, "TOGETHER_STEPS", 0)
    apart = dispatch_year(case, sizes, together.carbon_usd_t * 0.7)
    assert 0.98 * case.carbon_cap_t < apart.emission_t <= case.carbon_cap_t
    assert together.cost_usd <= apart.cost_usd < 1.002 * together.cost_usd
    # The price of carbon is no cost: capital and energy make it up.
    spent = sum(spent_usd(one, apart.sites[one.site]) for one in case.sites)
    assert apart.cost_usd == pytest.approx(spent, rel=1e-9)


def test_a_bound_is_proven_also_where_plants_are_slow() -> None:
    case = two_sites(2 * WEEK)
    slow = replace(
        case,
        sites=tuple(
            replace(
                one,
                sources=(
                    *one.sources[:2],
                    replace(one.sources[2], ramp_share_h=0.1, least_share=0.3, start_usd_mw=30.0),
                    one.sources[3],
                ),
                reserve_share=0.05,
            )
            for one in case.sites
        ),
    )
    best = solve_energy(slow).cost_usd
    bound = relaxed_optimum(slow, 1e-3)
    assert bound is not None
    assert 0.9 * best < bound.bound_usd < best
    found = size_weeks(slow, weeks=1, tolerance=1e-6, most_rounds=1)
    assert found.rounds
    assert size_weeks(slow, tolerance=0.2).rounds == ()
    assert found.answer.bound_usd <= best * (1.0 + 1e-9)
    assert found.cost_usd >= best * (1.0 - 1e-9)
    assert not found.answer.proven
    assert relaxed(slow).sites[0].sources[2].free is False


def test_what_a_site_spends_is_its_cost() -> None:
    one = site("here", 48, 3, clean_share=0.9, certificate_usd_mwh=np.array([8.0]))
    case = EnergyCase("spent", (one,))
    answer = solve_energy(case)
    assert answer.sites["here"].certificates_mwh.sum() > 1.0
    assert spent_usd(one, answer.sites["here"]) == pytest.approx(answer.cost_usd, rel=1e-9)


def test_without_a_bound_the_weeks_judge_themselves() -> None:
    case = two_sites(2 * WEEK)
    move = Move("north", "south", np.full((1, 2 * WEEK), 10.0), 1.05, 1.0)
    assert relaxed_optimum(replace(case, moves=(move,)), 1e-3) is None
    found = size_weeks(replace(case, moves=(move,)), weeks=1, most_rounds=1)
    assert found.answer.bound_usd == -np.inf
    assert found.estimate == found.rounds[-1].estimate


@pytest.mark.long
def test_the_common_problem_within_half_a_percent(shared_folder: Path) -> None:
    case = three_sites(shared_folder / "data/energy/three_sites.csv")
    found = size_weeks(case)
    assert 0.0 <= found.error(OPTIMUM_USD[8760]) <= 0.005
    assert emissions_kept(found.answer)
    assert unserved_mw(found.answer) < 1e-5
