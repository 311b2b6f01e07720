"""Units, levelised costs and a year's fuel, against sums by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.catalogue.types import Technology
from gigawright.facility.supply.plants import (
    GAS_KWH_PER_M3,
    firm_probability,
    levelised_usd_mwh,
    plant_year,
    units_for,
)

ENGINE = Technology(
    "e", "gas_engine", 1700.0, 15.0, 20.0,
    efficiency=0.4, fuel_usd_mwh=18.0, fuel_emission_t_mwh=0.181, energy_cost_usd_mwh=13.5, start_usd_mw=10.0,
)  # fmt: skip


@given(st.integers(1, 9), st.integers(0, 9), st.floats(0.05, 1.0))
def test_the_probability_counts_every_outcome(units: int, needed: int, share: float) -> None:
    total = 0.0
    for runs in itertools.product((0, 1), repeat=units):
        if sum(runs) >= needed:
            total += float(np.prod([share if run else 1.0 - share for run in runs]))
    assert firm_probability(units, needed, share) == pytest.approx(total)


@given(st.floats(1.0, 300.0), st.floats(5.0, 50.0), st.floats(0.8, 1.0), st.floats(0.5, 0.9999))
def test_one_unit_less_would_not_do(load: float, unit: float, share: float, target: float) -> None:
    count = units_for(load, unit, share, target)
    need = int(np.ceil(load / unit - 1e-9))
    assert firm_probability(count, need, share) >= target
    assert count == need or firm_probability(count - 1, need, share) < target


def test_perfect_units_need_no_spare() -> None:
    assert units_for(100.0, 20.0, 1.0, 1.0) == 5
    assert units_for(0.0, 20.0, 0.9, 0.99) == 0
    with pytest.raises(ValueError, match="no number of units that fail"):
        units_for(100.0, 20.0, 0.9, 1.0)
    with pytest.raises(ValueError, match="availability above 0"):
        units_for(100.0, 20.0, 0.0, 0.9)


def test_a_years_running() -> None:
    power = np.r_[np.zeros(10), np.full(5, 8.0), np.zeros(3), np.full(2, 4.0)]
    year = plant_year(ENGINE, power, 10.0)
    assert year.energy_mwh == 48.0
    assert year.fuel_mwh == pytest.approx(120.0)
    assert year.gas_m3 == pytest.approx(120_000.0 / GAS_KWH_PER_M3)
    assert year.emission_t == pytest.approx(120.0 * 0.181)
    assert year.starts == 2
    assert year.cost_usd == pytest.approx(48.0 * (45.0 + 13.5) + 12.0 * 10.0)
    assert year.full_load_hours == pytest.approx(4.8)
    with pytest.raises(ValueError, match=r"gave 11\.000 of 10\.0 MW"):
        plant_year(ENGINE, np.array([11.0]), 10.0)


def test_gas_has_its_published_heating_value() -> None:
    """38.2 MJ a cubic metre, the US average (1,026 Btu a cubic foot; EPA, 40 CFR 98 Table C-1)."""
    megajoules = GAS_KWH_PER_M3 * 3.6
    assert megajoules == pytest.approx(38.2, abs=0.1)


def test_levelised_cost_falls_with_hours_and_rises_with_carbon() -> None:
    assert levelised_usd_mwh(ENGINE, 0.08, 0.9) < levelised_usd_mwh(ENGINE, 0.08, 0.3)
    extra = levelised_usd_mwh(ENGINE, 0.08, 0.9, 100.0) - levelised_usd_mwh(ENGINE, 0.08, 0.9)
    assert extra == pytest.approx(100.0 * 0.181 / 0.4)
    with pytest.raises(ValueError, match="capacity factor"):
        levelised_usd_mwh(ENGINE, 0.08, 0.0)
