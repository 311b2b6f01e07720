"""Money, power, work and people in the master, each rule reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawright.catalogue.types import Technology
from gigawright.clock import Quarter
from gigawright.plan import money

from .hand import hand_problem, solved

NOW_ONLY = np.array([[[True, False, False, False]]])


def test_the_budget_binds() -> None:
    """25 M USD at 10 M USD a thousand buy 2.5 thousand of the 4 that are wanted."""
    found = solved(hand_problem(money={"capital": np.array([25.0])}))
    assert found.of("buy").sum() == pytest.approx(2.5)


def test_the_prepayment_and_the_rest_fall_into_their_own_years() -> None:
    """Ordered in 2026Q4, delivered in 2027Q1: 30 % from the first budget, 70 % from the second."""
    start = Quarter(2026, 4)
    offers = {"lead": np.array([1]), "prepay": np.array([0.3]), "may_order": np.array([[[True, False]]])}
    for budgets, bought in (([6.0, 99.0], 2.0), ([99.0, 14.0], 2.0), ([99.0, 99.0], 4.0)):
        found = solved(hand_problem(2, start, offers=offers, money={"capital": np.array(budgets)}))
        assert found.of("buy").sum() == pytest.approx(bought)


def test_what_a_year_leaves_unspent_does_not_carry_over() -> None:
    start = Quarter(2026, 4)
    offers = {"may_order": np.array([[[False, True]]])}
    found = solved(hand_problem(2, start, offers=offers, money={"capital": np.array([99.0, 20.0])}))
    assert found.of("buy").sum() == pytest.approx(2.0)


def test_leases_have_their_own_budget() -> None:
    """3 M USD in 2026 pay 2 M USD a quarter for one and a half thousand in its one quarter."""
    offers = {"leased": np.array([True]), "kw_max": np.zeros(1), "kw_idle": np.zeros(1),
              "lease_term": np.array([1]), "may_order": np.array([[[True, False]]])}  # fmt: skip
    found = solved(hand_problem(2, offers=offers, money={"leasing": np.array([3.0]), "capital": np.zeros(1)}))
    assert found.of("fleet")[0, 0] == pytest.approx([0.0, 1.5])


def test_without_residual_value_nothing_is_bought_in_the_last_life_years(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One quarter of service is worth 2.2 of a price of 10; a life of 8 quarters leaves 8.75 of it."""
    problem = hand_problem(work={"worth": np.array([1e-3])}, offers={"may_order": NOW_ONLY[..., ::-1]})
    assert solved(problem).of("buy").sum() == pytest.approx(4.0)
    monkeypatch.setattr(money, "residual_share", lambda lead, life, quarters: np.zeros(quarters))
    assert solved(problem).of("buy").sum() == pytest.approx(0.0)


def test_payments_and_what_is_left_are_discounted() -> None:
    """Prepaid half in the first quarter, half on delivery in the second; 5 of 8 quarters are left at
    the end.
    """
    discount = np.array([0.9, 0.8, 0.7, 0.6])
    offers = {"lead": np.array([1]), "prepay": np.array([0.5]), "may_order": NOW_ONLY}
    found = solved(hand_problem(offers=offers, money={"discount": discount, "discount_end": 0.5}))
    machines = 4 * 10 * (0.5 * 0.9 + 0.5 * 0.8 - 5 / 8 * 0.5)
    assert found.objective == pytest.approx(machines + 4 * 2160 * 0.9)


@pytest.mark.parametrize(
    ("lead", "prepay", "expected"),
    [
        (0, 0.4, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        (1, 0.4, [[0.4, 0.6, 0.0], [0.0, 0.4, 0.6], [0.0, 0.0, 0.4]]),
        (2, 1.0, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        (5, 0.4, [[0.4, 0.0, 0.0], [0.0, 0.4, 0.0], [0.0, 0.0, 0.4]]),
    ],
)
def test_shares_paid_of_a_purchase(lead: int, prepay: float, expected: list[list[float]]) -> None:
    assert money.paid_shares(lead, prepay, 3) == pytest.approx(np.array(expected))


def test_a_hall_is_paid_evenly_while_it_is_built() -> None:
    assert money.building_shares(2, 3) == pytest.approx(np.array([[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 0.5]]))
    assert money.building_shares(0, 2) == pytest.approx(np.eye(2))


def test_value_left_falls_straight_to_nothing() -> None:
    assert money.residual_share(1, 4.0, 4) == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert money.residual_share(0, 2.0, 4) == pytest.approx([0.0, 0.0, 0.0, 0.5])


@settings(max_examples=60, derandomize=True, deadline=None)
@given(lead=st.integers(0, 8), prepay=st.floats(0, 1), quarters=st.integers(1, 12))
def test_what_arrives_in_the_horizon_is_paid_in_full_in_it(lead: int, prepay: float, quarters: int) -> None:
    """No payment of an order that may be placed falls beyond the horizon, where no budget would see it."""
    for shares in (money.paid_shares(lead, prepay, quarters), money.building_shares(lead, quarters)):
        for order in range(max(quarters - lead, 0)):
            assert shares[order].sum() == pytest.approx(1.0)


def energy_of(load_mw: float = 4.0, **changes: object) -> float:
    """Objective of a fleet that stands and works all year, less the one of free power."""
    existing = np.full((1, 1, 4), load_mw)
    closed = np.zeros((1, 1, 4), bool)
    problem = hand_problem(offers={"existing": existing, "may_order": closed}, **changes)
    return solved(problem).objective


def test_energy_is_price_times_pue_times_load() -> None:
    ones = np.ones((4, 2))
    cost = energy_of(days={"price_usd_mwh": 50.0 * ones})
    assert cost == pytest.approx(4 * 1.25 * 50 * 8760 * 1e-6)


def test_the_demand_charge_is_paid_for_the_peak_of_each_month() -> None:
    """5 MW at 6 USD a kW and month for twelve months."""
    assert energy_of(energy={"demand_charge_usd_kw_month": 6.0}) == pytest.approx(5e3 * 6 * 12 * 1e-6)


def test_carbon_is_priced_on_imports() -> None:
    cost = energy_of(energy={"emission_t_mwh": 0.5, "carbon_usd_t": 80.0})
    assert cost == pytest.approx(5 * 8760 * 0.5 * 80 * 1e-6)


def test_water_is_litres_a_kwh_of_it() -> None:
    wue = {"air": np.full((4, 2), 1.5), "liquid": np.zeros((4, 2))}
    cost = energy_of(days={"wue_l_per_kwh": wue}, energy={"water_usd_m3": 2.0})
    assert cost == pytest.approx(4 * 8760 * 1.5 * 2.0 * 1e-6)


def test_green_power_is_certified_for_its_share() -> None:
    """80 % of 5 MW over a year at 4 USD a MWh."""
    cost = energy_of(energy={"green_share_min": 0.8, "green_premium_usd_mwh": 4.0})
    assert cost == pytest.approx(0.8 * 5 * 8760 * 4 * 1e-6)


def test_own_sun_counts_as_green() -> None:
    """Sun for half of all hours covers half of the consumption; 30 % are certified for the share of 80 %."""
    solar = Technology("sun", "solar", 1e-9, 0.0, 25.0)
    sun = np.tile([0.0, 1.0], (4, 1))
    cost = energy_of(
        days={"solar_cf": sun},
        energy={"green_share_min": 0.8, "green_premium_usd_mwh": 4.0,
                "technologies": {"solar": solar}, "max_mw": {"solar": 100.0}},
    )  # fmt: skip
    assert cost == pytest.approx(0.3 * 5 * 8760 * 4 * 1e-6, abs=1e-6)


def test_a_battery_shifts_the_cheap_half_of_the_day_to_the_dear_one() -> None:
    """Dear steps (100) are covered by 12 h of storage charged in cheap ones (20) at a round trip of 0.81.

    5 MW x 12 h of dear power take 60 / 0.81 MWh of cheap power; the battery itself costs next to nothing.
    """
    battery = Technology("store", "battery", 1e-9, 0.0, 15.0, hours=100.0, efficiency=0.81)
    prices = np.tile([20.0, 100.0], (4, 1))
    cost = energy_of(
        days={"price_usd_mwh": prices},
        energy={"technologies": {"battery": battery}, "max_mw": {"battery": 100.0}},
    )
    assert cost == pytest.approx(5 * 4380 * 20 * (1 + 1 / 0.81) * 1e-6, rel=1e-6)


def test_a_battery_that_loses_more_than_the_spread_stays_idle() -> None:
    battery = Technology("store", "battery", 1e-9, 0.0, 15.0, hours=100.0, efficiency=0.5)
    prices = np.tile([60.0, 100.0], (4, 1))
    cost = energy_of(
        days={"price_usd_mwh": prices},
        energy={"technologies": {"battery": battery}, "max_mw": {"battery": 100.0}},
    )
    assert cost == pytest.approx(5 * 8760 * 80 * 1e-6)


def test_a_contract_is_paid_from_its_lead_to_the_end() -> None:
    """One MW of sun in every hour from the third quarter on: an annuity of two quarters, and 50 USD a MWh
    saved.
    """
    solar = Technology("sun", "solar", 1000.0, 10.0, 25.0)
    most = {"solar": 1.0}
    cost = energy_of(
        days={"price_usd_mwh": np.full((4, 2), 50.0), "solar_cf": np.ones((4, 2))},
        energy={"technologies": {"solar": solar}, "max_mw": most, "contract_lead_quarters": 2},
    )
    yearly = (1000 * 0.08 / (1 - 1.08**-25) + 10) * 1e-3
    saved = 50 * (2208 + 2208) * 1e-6
    assert cost == pytest.approx(5 * 8760 * 50 * 1e-6 - saved + yearly / 2)


def test_idle_machines_draw_idle_power() -> None:
    """One thousand is busy and three idle at half the power until all four are needed in the last quarter."""
    dear = {"price_usd_mwh": np.full((4, 2), 50.0)}
    cost = energy_of(days=dear, work={"demand": np.array([[[1.0, 1.0, 1.0, 4.0]]])})
    megawatt_hours = 1.25 * ((1 + 1.5) * (2160 + 2184 + 2208) + 4 * 2208)
    assert cost == pytest.approx(megawatt_hours * 50 * 1e-6)


def test_machines_that_nobody_needs_are_retired() -> None:
    dear = {"price_usd_mwh": np.full((4, 2), 50.0)}
    assert energy_of(days=dear, work={"demand": np.ones((1, 1, 4))}) == pytest.approx(1.25 * 50 * 8760e-6)


def test_service_is_worth_its_mean_not_its_peak() -> None:
    none = np.zeros((1, 1, 4), bool)
    work = {"mean_share": np.array([[0.6]]), "worth": np.array([2e-3])}
    found = solved(hand_problem(offers={"may_order": none}, work=work))
    assert found.objective == pytest.approx(4 * 0.6 * 8760 * 2e-3)


def test_a_model_is_trained_by_its_date_or_late_at_its_worth() -> None:
    """Two quarters are open; one thousand machines do 2,184 and 2,208 hours of the 5 quarters of 2,190
    asked.
    """
    sets = {"programmes": ("run",), "phases": ("work", "run"), "streams": ("work",)}
    work = {
        "stream_of_phase": np.array([0, -1]),
        "programme_of_phase": np.array([-1, 0]),
        "profile_of_phase": np.array([0, 0]),
        "rate": np.ones((1, 2, 4)),
        "kw_work": np.ones((1, 2)),
        "demand": np.zeros((1, 1, 4)),
        "programme_work": np.array([5.0]),
        "programme_open": np.array([[False, True, True, False]]),
        "programme_worth": np.array([1000.0]),
    }
    offers = {"existing": np.ones((1, 1, 4)), "may_order": np.zeros((1, 1, 4), bool)}
    money_ = {"discount": np.array([0.9, 0.8, 0.7, 0.6]), "discount_end": 0.5}
    found = solved(hand_problem(sets=sets, work=work, offers=offers, money=money_))
    late = 5 - (2184 + 2208) / 2190
    assert found.of("late") == pytest.approx([late])
    assert found.of("assign")[0, 0, 1] == pytest.approx([0, 1, 1, 0])
    assert found.objective == pytest.approx(late * 1000 * 0.7)


def test_a_programme_is_done_with_what_was_bought_for_it() -> None:
    sets = {"programmes": ("run",), "phases": ("work", "run")}
    work = {
        "stream_of_phase": np.array([0, -1]),
        "programme_of_phase": np.array([-1, 0]),
        "profile_of_phase": np.array([0, 0]),
        "rate": np.ones((1, 2, 4)),
        "kw_work": np.ones((1, 2)),
        "demand": np.zeros((1, 1, 4)),
        "programme_work": np.array([8760 / 2190 * 3]),
        "programme_open": np.ones((1, 4), bool),
        "programme_worth": np.array([1000.0]),
    }
    found = solved(hand_problem(sets=sets, work=work, offers={"may_order": NOW_ONLY}))
    assert found.of("buy").sum() == pytest.approx(3.0)


def test_prefill_and_decode_share_the_machines() -> None:
    """Half a thousand a unit for the first phase, one for the second: 1.5 thousand a unit of flow."""
    sets = {"phases": ("first", "second")}
    work = {
        "stream_of_phase": np.array([0, 0]),
        "programme_of_phase": np.array([-1, -1]),
        "profile_of_phase": np.array([0, 0]),
        "rate": np.array([[[2.0] * 4, [1.0] * 4]]),
        "kw_work": np.ones((1, 2)),
    }
    assert solved(hand_problem(sets=sets, work=work)).of("buy").sum() == pytest.approx(6.0)


def test_a_region_that_no_zone_reaches_is_unmet() -> None:
    found = solved(hand_problem(work={"reach": np.zeros((1, 1, 1), bool)}))
    assert found.of("flow").max() == 0.0
    assert found.of("unmet").sum() == pytest.approx(16.0)


def test_a_least_share_is_served_though_it_is_worth_nothing() -> None:
    found = solved(hand_problem(work={"worth": np.zeros(1), "serve_at_least": np.array([0.5])}))
    assert found.of("flow").sum(axis=(0, 1, 2)) == pytest.approx([2.0] * 4)


def people_of(**changes: object) -> dict[str, object]:
    one = np.ones(1)
    return {
        "market_of_role": np.zeros(1, int), "market_of_site": np.zeros(1, int), "pay": 20.0 * one,
        "attrition": 0.0 * one, "hire_max": 0.5 * one, "initial": 0.2 * one, "per_mw": 0.0 * one,
        "per_kacc": 0.25 * one, "per_programme": 0.0 * one, "late_pay": 3.0,
    } | changes  # fmt: skip


def staffed(**changes: object) -> tuple[np.ndarray, np.ndarray, float]:
    """Own and bought-in staff for 4 thousand machines, a quarter of a thousand people each."""
    offers = {"existing": np.full((1, 1, 4), 4.0), "may_order": np.zeros((1, 1, 4), bool)}
    found = solved(hand_problem(sets={"roles": ("hand",)}, people=people_of(**changes), offers=offers))
    return found.of("staff")[0], found.of("late_staff")[0], found.objective


def test_people_are_hired_at_the_pace_of_the_market_and_bought_in_until_then() -> None:
    own, extra, cost = staffed()
    assert own == pytest.approx([0.7, 1.0, 1.0, 1.0])
    assert extra == pytest.approx([0.3, 0, 0, 0])
    assert cost == pytest.approx(20 * 3.7 + 20 * 3 * 0.3)


def test_people_leave() -> None:
    own, _, _ = staffed(attrition=np.array([0.5]), hire_max=np.zeros(1))
    assert own == pytest.approx([0.1, 0.05, 0.025, 0.0125])


def test_people_of_another_market_are_not_needed_here() -> None:
    own, extra, _ = staffed(market_of_role=np.ones(1, int), initial=np.zeros(1))
    assert own + extra == pytest.approx([0.0] * 4)


def test_people_for_megawatts() -> None:
    own, extra, _ = staffed(per_mw=np.array([0.1]), per_kacc=np.zeros(1))
    assert own + extra == pytest.approx([0.4] * 4)
