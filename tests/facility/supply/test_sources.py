"""Technologies of the catalogue as sources and stores: money, bounds, leads, and a solved day."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from gigawright.catalogue import records
from gigawright.catalogue.load import load_facts
from gigawright.catalogue.types import Technology
from gigawright.facility.dispatch.block import add_site
from gigawright.facility.dispatch.case import SiteCase, Timeline, one_year
from gigawright.facility.supply.sources import annual_usd_mw, grid_of, source_of, store_of, years_of
from gigawright.facts import FactBook
from gigawright.linear import Model, solve

SOLAR = Technology("s", "solar", capex_usd_kw=691.0, om_usd_kw_year=13.0, life_years=25.0)
BATTERY = Technology(
    "b", "battery", 340.0, 7.0, 15.0, hours=4.0, efficiency=0.81, energy_capex_usd_kwh=69.0, wear_usd_mwh=2.0
)
ENGINE = Technology(
    "e", "gas_engine", 1700.0, 15.0, 20.0,
    efficiency=0.4, fuel_usd_mwh=18.0, fuel_emission_t_mwh=0.181, energy_cost_usd_mwh=13.5,
    least_share=0.25, start_usd_mw=10.0, available_share=0.945, lead_quarters=2,
)  # fmt: skip


def _quarters(count: int = 4, steps: int = 24) -> Timeline:
    weight = np.full((count, steps), 2190.0 / steps)
    return Timeline(
        tuple(map(str, range(count))),
        weight,
        1.0,
        np.zeros(steps, np.int64),
        np.ones(count),
        np.zeros(count, np.int64),
    )


def test_the_catalogue_has_every_kind_for_china_and_the_world() -> None:
    book = FactBook(load_facts())
    kinds = {}
    for item in book.items("technology"):
        found = records.technology(book, item)
        kinds.setdefault(found.kind, set()).add(found.country)
        assert found.capex_usd_kw > 0 < found.life_years
        assert found.power_capex_usd_kw > 0
        assert found.energy_usd_mwh < 130.0
        assert found.emission_t_mwh < 0.6
    everywhere = {"", "China"}
    assert kinds == dict.fromkeys(
        ("solar", "wind", "battery", "gas_turbine", "gas_combined", "gas_engine", "fuel_cell", "smr"),
        everywhere,
    )


def test_a_period_pays_for_its_share_of_the_year() -> None:
    time = _quarters()
    assert years_of(time) == pytest.approx(0.25)
    source = source_of(SOLAR, time, 0.5, discount_rate=0.08)
    assert source.capacity_usd_mw.sum() == pytest.approx(annual_usd_mw(SOLAR, 0.08))
    assert source.capacity_usd_mw.sum() == pytest.approx(77732, abs=1)
    assert source.free
    assert source.clean


def test_a_plant_brings_fuel_carbon_and_its_ways() -> None:
    time = _quarters()
    source = source_of(
        ENGINE, time, discount_rate=0.08, most_mw=50.0, first_period=ENGINE.lead_quarters, carbon_usd_t=10.0
    )
    assert source.energy_usd_mwh == pytest.approx(18.0 / 0.4 + 13.5 + 10.0 * 0.181 / 0.4)
    assert source.emission_t_mwh == pytest.approx(0.4525)
    assert source.available == pytest.approx(0.945)
    assert source.most_mw.tolist() == [0.0, 0.0, 50.0, 50.0]
    assert (source.least_share, source.start_usd_mw, source.ramp_share_h) == (0.25, 10.0, math.inf)
    assert not source.clean
    dearer = source_of(ENGINE, time, fuel_usd_mwh=36.0)
    assert dearer.energy_usd_mwh == pytest.approx(36.0 / 0.4 + 13.5)


def test_a_battery_of_fixed_hours_costs_what_it_is_quoted_at() -> None:
    time = _quarters()
    store = store_of(BATTERY, time, 0.08, most_mw=100.0)
    assert store.hours == 4.0
    whole = store.discharge_usd_mw + 4.0 * store.energy_usd_mwh
    assert whole.sum() == pytest.approx(annual_usd_mw(BATTERY, 0.08))
    assert store.charge_efficiency * store.discharge_efficiency == pytest.approx(0.81)
    assert store.most_mwh.tolist() == [400.0] * 4
    added = store_of(BATTERY, time, 0.08, yearly_share=0.02)
    assert (added.energy_usd_mwh - store.energy_usd_mwh).sum() == pytest.approx(69.0e3 * 0.02)


def test_hours_may_be_chosen_where_energy_has_a_price() -> None:
    store = store_of(BATTERY, _quarters(), 0.08, most_mw=[0.0, 5.0, 5.0, 5.0], choose_hours=True)
    assert store.hours is None
    assert store.most_mwh.tolist() == [0.0, math.inf, math.inf, math.inf]
    with pytest.raises(ValueError, match="no energy_capex"):
        store_of(dataclasses.replace(BATTERY, energy_capex_usd_kwh=None), _quarters(), choose_hours=True)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="use store_of"):
        source_of(BATTERY, _quarters())
    with pytest.raises(ValueError, match="no hours"):
        store_of(dataclasses.replace(BATTERY, hours=0.0), _quarters())
    with pytest.raises(ValueError, match="use source_of"):
        store_of(ENGINE, _quarters())
    with pytest.raises(ValueError, match="output by hour"):
        source_of(SOLAR, _quarters())
    with pytest.raises(ValueError, match="losses are a share"):
        grid_of(_quarters(), 50.0, 0.5, loss_share=1.0)


def test_losses_raise_what_arrives() -> None:
    grid = grid_of(_quarters(), 50.0, 0.5, 6.0, 100.0, loss_share=0.02, carbon_usd_t=8.0)
    assert grid.energy_usd_mwh == pytest.approx(54.0 / 0.98)
    assert grid.emission_t_mwh == pytest.approx(0.5 / 0.98)
    assert grid.capacity_usd_mw == pytest.approx(18000.0 / 0.98)
    assert grid.most_mw == pytest.approx(98.0)


def test_a_day_solves_by_hand() -> None:
    """2 MW flat, sun for half a day at no cost in energy, an engine for the night: 24 MWh at 58.5 USD."""
    time = dataclasses.replace(one_year(24), weight_h=np.ones((1, 24)))
    sun = source_of(SOLAR, time, np.repeat([1.0, 0.0], 12), most_mw=2.0)
    plant = dataclasses.replace(ENGINE, start_usd_mw=0.0, available_share=1.0)
    model = Model("a day")
    engine = source_of(plant, time)
    add_site(model, SiteCase("here", time, (sun, engine), load_mw=np.full((1, 24), 2.0)))
    capital = 2.0 * (annual_usd_mw(SOLAR, 0.0) + annual_usd_mw(plant, 0.0)) / 365.0
    assert solve(model.assemble()).objective == pytest.approx(24.0 * 58.5 + capital)
