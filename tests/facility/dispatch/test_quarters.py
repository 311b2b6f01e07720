"""The energy block's parts by hand: contracts' price, cycles, certificates."""

from __future__ import annotations

import numpy as np
import pytest

from gigawright.catalogue.types import Technology
from gigawright.facility.dispatch import quarters as dispatch
from gigawright.facility.dispatch.block import add_site
from gigawright.facility.dispatch.case import Timeline
from gigawright.facility.dispatch.quarters import EnergyPrices, SiteSteps, site_case
from gigawright.linear import Model, solve


def steps(price: list[float], weight: list[float] | None = None, **changes: object) -> SiteSteps:
    """One quarter of steps of an hour."""
    count = len(price)
    ones = np.ones((1, count))
    fields: dict[str, object] = {
        "quarters": ("2026Q1",),
        "weight_h": np.array([weight]) if weight else ones,
        "step_h": 1.0,
        "cycle": np.zeros(count, int),
        "solar_cf": 0.0 * ones,
        "wind_cf": 0.0 * ones,
        "price_usd_mwh": np.array([price]),
        "pue": {"air": 1.25 * ones, "liquid": 1.1 * ones},
        "wue_l_per_kwh": {"air": 0.0 * ones, "liquid": 0.0 * ones},
        "shape": {"flat": ones, "daily": np.linspace(0.5, 1.0, count)[None], "idle": ones},
    }
    return SiteSteps(**(fields | changes))


def prices(**changes: object) -> EnergyPrices:
    fields: dict[str, object] = {
        "discount": np.ones(1), "demand_charge_usd_kw_month": 0.0, "emission_t_mwh": 0.0, "carbon_usd_t": 0.0,
        "shed_usd_mwh": 1e4, "green_premium_usd_mwh": 0.0, "green_share_min": 0.0, "water_usd_m3": 0.0,
        "technologies": {}, "max_mw": {}, "discount_rate": 0.08,
    }  # fmt: skip
    return EnergyPrices(**(fields | changes))


def powered(hours: SiteSteps, money: EnergyPrices, need: list[float]) -> tuple[float, dict[str, list[float]]]:
    """Cost and flows of a site with a given need."""
    model = Model("site")
    block = add_site(model, site_case("s", hours, money, np.zeros(1, int), load_mw=np.array([need])), 1e6)
    found = solve(model.assemble())
    flows = {"import": block.flow["grid"], "shed": block.given["shed"]}
    for battery in block.stores.values():
        flows |= {"charge": battery.charge, "discharge": battery.discharge, "stored": battery.stored}
    return found.objective, {name: found.x[columns[0]].tolist() for name, columns in flows.items()}


def test_a_contract_costs_its_annuity_and_upkeep() -> None:
    """1,000 USD/kW over 10 years at 10 %: annuity 0.16275; with 20 USD/kW-year 182.75 k USD a MW-year."""
    technology = Technology("t", "wind", 1000.0, 20.0, 10.0)
    annuity = 0.1 * 1.1**10 / (1.1**10 - 1)
    assert dispatch.quarterly_cost_musd_mw(technology, 0.1) == pytest.approx((1000 * annuity + 20) / 4e3)
    assert annuity == pytest.approx(0.16275, abs=1e-5)


def test_without_interest_a_contract_costs_its_capital_over_its_life() -> None:
    """`discount_rate: 0 %` is a study anybody may write."""
    technology = Technology("t", "wind", 1000.0, 20.0, 10.0)
    assert dispatch.quarterly_cost_musd_mw(technology, 0.0) == pytest.approx((100 + 20) / 4e3)


def test_draw_is_pue_times_shape() -> None:
    assert steps([1.0, 1.0, 1.0]).draw_mw("air", "daily")[0] == pytest.approx([0.625, 0.9375, 1.25])


def test_each_cycle_ends_as_it_began() -> None:
    cycle = np.array([0, 0, 0, 1, 1])
    time = Timeline(("q",), np.ones((1, 5)), 1.0, cycle, np.ones(1), np.zeros(1, int))
    assert time.following.tolist() == [1, 2, 0, 4, 3]


BATTERY = Technology("b", "battery", 1e-9, 0.0, 10.0, hours=2.0, efficiency=0.64)


def stored(power_mw: float) -> EnergyPrices:
    return prices(technologies={"battery": BATTERY}, max_mw={"battery": power_mw})


def test_a_battery_buys_cheap_and_serves_dear() -> None:
    """1 MW: 1 / 0.64 MWh of power at 10 would need more than 1 MW of charging, so 1 MWh in, 0.64 out."""
    cost, flows = powered(steps([10.0, 100.0]), stored(1.0), [5.0, 5.0])
    assert flows["charge"] == pytest.approx([1.0, 0.0])
    assert flows["discharge"] == pytest.approx([0.0, 0.64])
    assert flows["stored"] == pytest.approx([0.0, 0.8])
    assert cost == pytest.approx((6 * 10 + 4.36 * 100) * 1e-6, rel=1e-6)


def test_a_battery_holds_no_more_than_its_hours() -> None:
    """Six cheap hours, two hours of storage: 2 MWh inside, 1.6 MWh come out again."""
    cost, flows = powered(steps([10.0] * 6 + [100.0] * 4), stored(1.0), [5.0] * 10)
    assert max(flows["stored"]) == pytest.approx(2.0)
    assert sum(flows["discharge"]) == pytest.approx(1.6)
    assert cost == pytest.approx(((30 + 2.5) * 10 + (20 - 1.6) * 100) * 1e-6, rel=1e-6)


def test_storage_does_not_pass_from_one_day_to_the_next() -> None:
    """A cheap day and a dear day, each a cycle of its own: nothing can be moved between them."""
    hours = steps([10.0, 10.0, 100.0, 100.0], cycle=np.array([0, 0, 1, 1]))
    _, flows = powered(hours, stored(1.0), [5.0] * 4)
    assert sum(flows["discharge"]) == pytest.approx(0.0, abs=1e-9)


def test_energy_is_conserved_in_a_cycle() -> None:
    _, flows = powered(steps([10.0, 80.0, 20.0, 100.0]), stored(3.0), [5.0, 4.0, 3.0, 6.0])
    assert sum(flows["discharge"]) == pytest.approx(0.64 * sum(flows["charge"]))
    supply = np.array(flows["import"]) + flows["discharge"] - np.array(flows["charge"]) + flows["shed"]
    assert supply == pytest.approx([5.0, 4.0, 3.0, 6.0])


def test_what_sun_leaves_over_is_curtailed_for_nothing() -> None:
    solar = Technology("s", "solar", 1e-9, 0.0, 10.0)
    hours = steps([50.0, 50.0], solar_cf=np.array([[1.0, 0.1]]))
    cost, flows = powered(hours, prices(technologies={"solar": solar}, max_mw={"solar": 20.0}), [5.0, 5.0])
    assert flows["import"] == pytest.approx([0.0, 3.0])
    assert cost == pytest.approx(3 * 50 * 1e-6, rel=1e-4)


def test_a_technology_that_is_not_offered_is_not_built() -> None:
    hours = steps([50.0], wind_cf=np.ones((1, 1)))
    cost, _ = powered(hours, prices(max_mw={"wind": 20.0}), [5.0])
    assert cost == pytest.approx(250e-6)


def test_certificates_close_the_gap_to_the_share() -> None:
    money = prices(green_share_min=0.6, green_premium_usd_mwh=10.0)
    cost, _ = powered(steps([0.0, 0.0], weight=[100.0, 300.0]), money, [5.0, 5.0])
    assert cost == pytest.approx(0.6 * 5 * 400 * 10 * 1e-6)


def test_the_certificates_price_is_discounted_by_the_year() -> None:
    money = prices(discount=np.array([0.9, 0.7, 0.5]), green_premium_usd_mwh=1000.0)
    assert dispatch.green_cost_musd_gwh(money, np.array([0, 0, 1])) == pytest.approx([0.8, 0.5])


def test_a_step_stands_for_its_hours() -> None:
    cost, _ = powered(steps([50.0, 20.0], weight=[100.0, 300.0]), prices(), [2.0, 4.0])
    assert cost == pytest.approx((100 * 2 * 50 + 300 * 4 * 20) * 1e-6)


def test_load_pauses_only_where_it_may() -> None:
    """A battery's round trip would let 2 MW pause to save a demand charge; only 1 MW of the second
    hour may.
    """
    money = prices(demand_charge_usd_kw_month=100.0, shed_usd_mwh=1.0)
    model = Model("site")
    may, need = np.array([[0.0, 1.0]]), np.array([[5.0, 8.0]])
    block = add_site(model, site_case("s", steps([50.0, 50.0]), money, np.zeros(1, int), may, need), 1e6)
    found = solve(model.assemble())
    assert found.x[block.given["shed"][0]] == pytest.approx([0.0, 1.0])
    assert found.x[block.flow["grid"][0]] == pytest.approx([5.0, 7.0])
