"""Exact sizing by cuts against one linear problem over everything, its bound, and its books."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawright.errors import SolverError
from gigawright.facility.dispatch.case import Delay, EnergyCase, Move, SiteCase
from gigawright.facility.dispatch.common_problem import OPTIMUM_USD, three_sites
from gigawright.facility.dispatch.exact import size_exact, takes, thinned
from gigawright.facility.dispatch.solve import emission_t, solve_energy
from gigawright.linear import Infeasible

from .random_sites import alone, site

TIES: dict[str, dict[str, object]] = {
    "all chosen apart": {},
    "one power": {"one_power": True},
    "fixed hours": {"hours": 4.0},
    "one power of fixed hours": {"one_power": True, "hours": 2.0},
    "not kept": {"kept": False},
}


def agrees(case: EnergyCase, gap: float = 1e-6) -> None:
    """The cost of the linear problem, a bound below it, and flows that keep every rule and add up to it."""
    best = solve_energy(case).cost_usd
    found = size_exact(case, gap)
    room = 1e-7 * max(abs(best), 1.0)
    assert found.bound_usd <= best + room
    assert best - room <= found.cost_usd <= best + (gap * 1.01) * max(abs(best), 1.0) + room
    assert found.gap <= gap * 1.01
    assert found.emission_t <= case.carbon_cap_t * (1 + 1e-9) + 1e-6
    for one in case.sites:
        lived(one, found)


def lived(case: SiteCase, found: object) -> None:
    answer = found.sites[case.site]
    supply = sum(answer.power.values()) + sum(answer.given.values())
    supply = supply + sum(answer.discharge.values()) - sum(answer.charge.values())
    assert (supply >= case.load_mw - 1e-6).all()
    for source in case.sources:
        mw = answer.capacity[source.name]
        assert (mw >= source.least_mw - 1e-9).all()
        assert (mw <= source.most_mw + 1e-9).all()
        assert (answer.power[source.name] <= mw[:, None] * source.available + 1e-6).all()
        assert not source.kept or (np.diff(mw) >= -1e-6).all()
    for store in case.stores:
        level, size = answer.stored[store.name], answer.capacity[f"energy_{store.name}"]
        assert level.min() >= 0.0
        assert (level <= size[:, None] + 1e-6).all()
        gained = store.charge_efficiency * answer.charge[store.name]
        gained = gained - answer.discharge[store.name] / store.discharge_efficiency
        after = (1.0 - store.loss_h) ** case.time.step_h * level + gained * case.time.step_h
        assert level[:, case.time.following] == pytest.approx(after, abs=1e-6)


@pytest.mark.parametrize("tie", TIES)
@pytest.mark.parametrize("periods", [1, 4])
def test_sizes_of_stores_and_capacities_that_are_kept(tie: str, periods: int) -> None:
    agrees(alone(site(11, periods=periods, steps=24, cycles=2, **TIES[tie])))


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.booleans(), st.booleans(), st.integers(1, 3))
def test_random_sites(seed: int, negative: bool, with_store: bool, periods: int) -> None:
    agrees(alone(site(seed, periods, steps=12, negative=negative, with_store=with_store)))


@pytest.mark.parametrize("share", [0.9, 0.6, 0.3])
def test_a_carbon_cap_over_several_sites(share: float) -> None:
    free = EnergyCase("two", (site(1, 2, 24, name="a"), site(2, 2, 24, name="b")))
    answer = solve_energy(free)
    agrees(replace(free, carbon_cap_t=share * answer.emission_t), gap=1e-5)
    found = size_exact(replace(free, carbon_cap_t=share * answer.emission_t))
    assert found.carbon_usd_t > 0.0
    counted = sum(emission_t(one, found.sites[one.site].power) for one in free.sites)
    assert found.emission_t == pytest.approx(counted)


@pytest.mark.parametrize("matching", ["hourly", "yearly"])
@pytest.mark.parametrize("sold", [True, False])
def test_a_clean_share_by_year(matching: str, sold: bool) -> None:
    case = site(4, 4, 24)
    price = np.array([30.0, 9.0]) if sold else None
    case = replace(case, clean_share=0.45, matching=matching, certificate_usd_mwh=price)
    agrees(alone(case), gap=1e-5)


@pytest.mark.parametrize("hours", [744, 2184])
def test_the_common_problem_to_eight_digits(shared_folder: Path, hours: int) -> None:
    found = size_exact(three_sites(shared_folder / "data/energy/three_sites.csv", hours), gap=1e-10)
    assert found.cost_usd == pytest.approx(OPTIMUM_USD[hours], rel=1e-9)
    assert found.bound_usd == pytest.approx(OPTIMUM_USD[hours], rel=1e-9)


@pytest.mark.long
def test_the_common_problem_over_the_whole_year(shared_folder: Path) -> None:
    found = size_exact(three_sites(shared_folder / "data/energy/three_sites.csv"), gap=1e-10)
    assert found.cost_usd == pytest.approx(OPTIMUM_USD[8760], rel=1e-9)


def test_a_sample_of_weeks_stands_for_the_year(shared_folder: Path) -> None:
    case = three_sites(shared_folder / "data/energy/three_sites.csv")
    sample = thinned(case)
    assert sample is not None
    assert sample.sites[0].time.weight_h.sum() == pytest.approx(8760.0)
    assert thinned(three_sites(shared_folder / "data/energy/three_sites.csv", 744)) is None


def test_load_that_nothing_can_cover_is_told() -> None:
    case = site(6)
    small = tuple(replace(source, most_mw=np.ones(1)) for source in case.sources)
    with pytest.raises(Infeasible, match=r"here in p0: .* MW stay uncovered, first in step"):
        size_exact(alone(replace(case, sources=small, giving=())))


def test_a_cap_that_cannot_be_kept_is_told() -> None:
    case = site(6)
    small = tuple(replace(s, most_mw=np.ones(1)) if s.name == "sun" else s for s in case.sources)
    with pytest.raises(Infeasible, match="missed by"):
        size_exact(alone(replace(case, sources=small, giving=()), carbon_cap_t=0.1))


def test_what_it_does_not_take_is_said() -> None:
    plain = site(1)
    ramped = replace(plain.sources[1], ramp_share_h=0.2)
    delay = Delay("later", np.ones(plain.time.shape), np.ones(plain.time.shape), 4.0)
    cases = {
        "move": replace(alone(plain), moves=(Move("here", "there", np.ones(plain.time.shape)),)),
        "ramp": alone(replace(plain, sources=(plain.sources[0], ramped))),
        "later": alone(replace(plain, delays=(delay,))),
        "more than one store": alone(replace(plain, stores=plain.stores * 2)),
        "reserve": alone(replace(plain, reserve_share=0.1)),
    }
    assert takes(alone(plain)) is None
    for word, case in cases.items():
        assert word in str(takes(case))
        with pytest.raises(SolverError, match=word):
            size_exact(case)
