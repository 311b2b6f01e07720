"""Sites sized apart and held together by a carbon price, against one linear problem over all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gigawright.facility.dispatch.case import EnergyCase, Move, SiteCase
from gigawright.facility.dispatch.common_problem import three_sites
from gigawright.facility.dispatch.solve import emission_t, solve_energy
from gigawright.facility.dispatch.split import size_split
from gigawright.linear import Infeasible

HOURS = 96


@pytest.fixture(scope="module")
def case(shared_folder: Path) -> EnergyCase:
    return three_sites(shared_folder / "data" / "energy" / "three_sites.csv", HOURS)


def test_without_a_binding_cap_the_sites_are_the_optimum(case: EnergyCase) -> None:
    whole, split = solve_energy(case), size_split(case)
    assert split.cost_usd == pytest.approx(whole.cost_usd, rel=1e-9)
    assert split.gap == pytest.approx(0.0, abs=1e-9)
    assert split.carbon_usd_t == 0.0


@pytest.mark.parametrize("share", [0.7, 0.3])
def test_a_binding_cap_is_kept_at_a_proven_cost(case: EnergyCase, share: float) -> None:
    free = solve_energy(case).emission_t
    tight = replace(case, carbon_cap_t=share * free)
    whole, split = solve_energy(tight), size_split(tight, gap=1e-5)
    assert split.emission_t == pytest.approx(tight.carbon_cap_t, rel=1e-9)
    assert split.bound_usd <= whole.cost_usd * (1 + 1e-9)
    assert whole.cost_usd <= split.cost_usd * (1 + 1e-9)
    assert split.cost_usd == pytest.approx(whole.cost_usd, rel=1e-5)
    assert split.carbon_usd_t == pytest.approx(whole.carbon_usd_t, rel=0.2)


def test_the_mix_keeps_every_rule(case: EnergyCase) -> None:
    tight = replace(case, carbon_cap_t=0.5 * solve_energy(case).emission_t)
    split = size_split(tight, gap=1e-5)
    for site in tight.sites:
        found = split.sites[site.site]
        supply = sum(found.power.values()) + found.discharge["battery"] - found.charge["battery"]
        assert np.all(supply >= np.asarray(site.load_mw) - 1e-6)
        assert np.all(found.stored["battery"] >= -1e-9)
        for source in site.sources:
            most = found.capacity[source.name][:, None] * source.available
            assert np.all(found.power[source.name] <= most + 1e-6)
    total = sum(emission_t(site, split.sites[site.site].power) for site in tight.sites)
    assert total == pytest.approx(split.emission_t)


def test_a_cap_nobody_can_keep_is_told(case: EnergyCase) -> None:
    def grey(site: SiteCase) -> SiteCase:
        return replace(site, sources=tuple(s for s in site.sources if s.kind in ("gas", "grid")))

    only = tuple(map(grey, case.sites))
    with pytest.raises(Infeasible):
        size_split(replace(case, sites=only, carbon_cap_t=1.0))


def test_sites_that_share_load_are_refused(case: EnergyCase) -> None:
    way = Move(case.sites[0].site, case.sites[1].site, np.ones((1, HOURS)))
    with pytest.raises(ValueError, match="cannot be solved apart"):
        size_split(replace(case, moves=(way,)))
