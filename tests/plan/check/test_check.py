"""The checker passes a good plan, and names the broken rule of every way to spoil it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gigawright.errors import CheckFailed
from gigawright.plan.check import FORM, RULES, check, violations
from gigawright.plan.check.form import COLUMNS

Tables = dict[str, pd.DataFrame]
Spoil = Callable[[Tables], object]
Inputs = Callable[[Any], list[Any]]
Q1, Q2, Q3, Q4 = (f"2026Q{number}" for number in (1, 2, 3, 4))


def test_a_good_plan_passes(good: Any) -> None:
    check(*good.inputs, good.tables)
    assert violations(*good.inputs, good.tables) == []


def put(table: str, column: str, value: float | str, **where: str) -> Spoil:
    """Replace a value in the rows where other columns have given values."""
    return lambda tables: change(tables, table, column, lambda old: value, where)


def scale(table: str, column: str, factor: float, **where: str) -> Spoil:
    return lambda tables: change(tables, table, column, lambda old: old * factor, where)


def change(tables: Tables, table: str, column: str, how: Callable[[Any], Any], where: dict[str, str]) -> None:
    frame = tables[table]
    rows = np.ones(len(frame), bool)
    for name, value in where.items():
        rows &= (frame[name].astype(str) == value).to_numpy()
    assert rows.any(), f"nothing to spoil in {table} at {where}"
    frame.loc[rows, column] = [how(old) for old in frame.loc[rows, column]]


def add(table: str, *values: Any) -> Spoil:
    def spoil(tables: Tables) -> None:
        tables[table].loc[len(tables[table])] = list(values)

    return spoil


def drop(table: str, **where: str) -> Spoil:
    def spoil(tables: Tables) -> None:
        rows = np.logical_and.reduce([tables[table][k].astype(str) == v for k, v in where.items()])
        assert rows.any()
        tables[table] = tables[table][~rows].reset_index(drop=True)

    return spoil


def both(*spoils: Spoil) -> Spoil:
    return lambda tables: [spoil(tables) for spoil in spoils]


SPOILED: dict[str, dict[str, Spoil]] = {
    "a_fleet_is_what_was_had_plus_what_arrived": {
        "more fleet": scale("fleet", "accelerators", 1.01, quarter=Q3),
        "fleet gone": drop("fleet", tenure="own", quarter=Q4),
        "more bought": scale("orders", "accelerators", 1.1, order_quarter=Q2),
        "not retired": drop("orders", action="retire"),
        "lease too long": add("fleet", "there", "box", "lease", Q4, 300.0, 0.0),
        "lease given back": add("orders", "there", "box", "lease", Q3, Q3, "retire", 50.0, 0.0),
    },
    "every_system_stands_in_a_hall_that_cools_it": {
        "nameplate": scale("fleet", "it_mw", 0.5, quarter=Q3, tenure="own"),
        "less hall": put("capacity", "mw", 2.5, what="air", quarter=Q3),
    },
    "orders_arrive_after_their_lead": {
        "early arrival": put("orders", "arrival_quarter", Q1, action="buy"),
        "late order": add(
            "orders", "here", "box", "own", Q4, "2027Q1", "buy", 10.0, 0.01 * 32.0 * 1.05**0.75
        ),
    },
    "orders_are_kept": {
        "later order": put("orders", "order_quarter", Q2, order_quarter=Q1, action="buy"),
    },
    "buy_only_what_rules_allow": {
        "bought where only leases are": put("orders", "site", "there", action="buy"),
    },
    "never_take_more_than_a_pool_gives": {
        "beyond the pool": scale("orders", "accelerators", 1.2, order_quarter=Q2),
        "beyond the leases": scale("fleet", "accelerators", 1.1, tenure="lease", quarter=Q2),
    },
    "halls_and_lines_are_built_whole_where_allowed": {
        "half a hall": put("construction", "mw", 2.5, what="air"),
        "a liquid hall": put("construction", "what", "liquid", what="air"),
        "a hall at once": put("construction", "ready_quarter", Q1, what="air"),
        "a hall elsewhere": put("construction", "site", "there", what="air"),
    },
    "halls_and_lines_are_what_stood_plus_what_is_ready": {
        "no hall": drop("construction", what="air"),
        "a line too early": put("capacity", "mw", 10.0, what="grid", quarter=Q2),
    },
    "a_site_holds_no_more_than_it_can": {
        "too many halls": put("capacity", "mw", 5.0, what="air", quarter=Q4),
    },
    "work_only_with_what_stands": {
        "work without fleet": put("work", "accelerators", 9e3, phase="assistant.decode"),
    },
    "work_only_where_it_can_be_done": {
        "trained too early": put("work", "quarter", Q1, phase="trainer:run"),
    },
    "work_done_covers_work_promised": {
        "less prefill": scale("work", "accelerators", 0.5, phase="assistant.prefill"),
        "less decode": scale("work", "accelerators", 0.5, phase="assistant.decode"),
        "more served": scale("service", "served_peak_per_s", 1.1),
    },
    "all_demand_is_served_or_counted_unmet": {
        "more demand served": scale("service", "served_peak_per_s", 1.01),
        "less unmet": scale("demand", "unmet", 0.9, quarter=Q4),
    },
    "what_is_served_is_added_up": {
        "more volume": scale("service", "served", 1.01),
        "more worth": scale("service", "worth_musd", 1.01),
        "less lost": scale("demand", "worth_lost_musd", 0.5, region="eu", quarter=Q4),
    },
    "demand_is_what_users_ask": {
        "less asked": scale("demand", "demand_peak_per_s", 0.9),
        "less demanded": scale("demand", "demanded", 0.9),
        "demand forgotten": drop("demand", quarter=Q4),
    },
    "data_stays_where_it_may": {
        "data abroad": put("service", "region", "cn", zone="zone 2"),
    },
    "a_group_gets_its_least_share": {
        "promise broken": scale("service", "served_peak_per_s", 0.2, quarter=Q4),
    },
    "a_model_is_trained_by_its_date": {
        "more trained": both(put("programmes", "trained", 13e12), put("programmes", "late_tokens", 0.0)),
        "tokens forgotten": scale("programmes", "late_tokens", 0.5),
    },
    "load_follows_the_work": {
        "less daily load": scale("load", "mw", 0.9, profile="daily"),
        "less flat load": scale("load", "mw", 0.9, profile="flat"),
        "less idle load": scale("load", "mw", 0.5, profile="idle"),
    },
    "a_site_draws_between_idle_and_nameplate": {
        "no load": scale("load", "mw", 0.1),
        "too much load": scale("load", "mw", 3.0),
    },
    "enough_people": {
        "staff cut": scale("staff", "staff", 0.4, quarter=Q1),
        "nobody bought in": put("staff", "bought_in", 0.0),
    },
    "staff_are_those_who_stayed_plus_those_hired": {
        "staff from nowhere": scale("staff", "staff", 1.1),
    },
    "hire_no_more_than_the_market_gives": {
        "hired in a rush": put("staff", "hired", 20.0),
    },
    "people_are_paid": {
        "less pay": scale("staff", "pay_musd", 0.9),
    },
    "every_hour_is_there": {
        "a quarter without hours": drop("dispatch", quarter=Q2),
        "an hour forgotten": drop("dispatch", quarter=Q2, hour="7"),
        "an hour twice": put("dispatch", "hour", 8, quarter=Q2, hour="7"),
    },
    "need_is_load_times_pue": {
        "less need": scale("dispatch", "need_mw", 0.99, quarter=Q3),
    },
    "power_balances_every_hour": {
        "import zeroed": put("dispatch", "import_mw", 0.0, quarter=Q1, hour="99"),
        "shed removed": put("dispatch", "shed_mw", 0.0),
        "sun removed": scale("dispatch", "solar_mw", 0.5),
        "more charged": scale("dispatch", "charge_mw", 2.0),
        "discharge removed": scale("dispatch", "discharge_mw", 0.0),
        "engine removed": put("dispatch", "gas_engine_mw", 0.0),
    },
    "plants_give_what_is_contracted": {
        "more than it can": put("dispatch", "gas_engine_mw", 0.19, hour="5"),
        "before its lead": put("dispatch", "gas_engine_mw", 0.05, quarter=Q2),
    },
    "sun_and_wind_give_what_is_contracted": {
        "wind from nowhere": put("dispatch", "wind_mw", 0.1, hour="5"),
        "more sun": scale("dispatch", "solar_mw", 1.1),
    },
    "never_draw_more_than_connected": {
        "more import": put("dispatch", "import_mw", 6.0, quarter=Q1, hour="5"),
        "a thin line": put("capacity", "mw", 2.0, what="grid", quarter=Q2),
    },
    "storage_keeps_what_it_takes": {
        "stored changed": put("dispatch", "stored_mwh", 0.1, quarter=Q3, hour="12"),
        "a lossless battery": scale("dispatch", "discharge_mw", 1 / 0.9),
        "a quarter's last hour": put("dispatch", "charge_mw", 0.1, quarter=Q2, hour="2183"),
        "beyond the battery": both(
            *[scale("dispatch", flow, 3.0) for flow in ("charge_mw", "discharge_mw", "stored_mwh")]
        ),
    },
    "contracts_are_kept": {
        "a contract lowered": put("contracts", "mw", 0.4, technology="battery", quarter=Q3),
        "a contract ended": drop("contracts", technology="solar", quarter=Q4),
        "a contract at once": add("contracts", "here", "solar", Q1, 0.5),
        "more than the study's sun": scale("contracts", "mw", 1.5, technology="solar"),
        "wind not on offer": add("contracts", "here", "wind", Q4, 0.5),
        "an engine before its lead": add("contracts", "here", "gas_engine", Q2, 0.2),
        "more than the study's plants": scale("contracts", "mw", 3.0, technology="gas_engine"),
    },
    "green_power_covers_its_share": {
        "fewer certificates": scale("green", "gwh", 0.9),
    },
    "energy_is_added_up": {
        "wind in the bill": put("energy", "wind_mwh", 5.0),
        "a row of energy": drop("energy", quarter=Q3),
        **{
            f"another {column}": scale("energy", column, 0.9, quarter=Q3)
            for column in COLUMNS["energy"][1]
            if column != "wind_mwh"
        },
    },
    "orders_cost_price_times_quantity": {
        "a discount": scale("orders", "cost_musd", 0.9, action="buy"),
        "a cheap hall": scale("construction", "cost_musd", 0.9),
    },
    "never_spend_more_than_budgeted": {
        "beyond the budget": scale("orders", "accelerators", 1.5, action="buy"),
        "beyond the leasing budget": scale("fleet", "accelerators", 2.0, tenure="lease"),
    },
    "payments_are_what_falls_due": {
        "a payment too late": put("payments", "quarter", Q2, kind="capital", quarter=Q1),
        **{
            f"{kind} payments cut": scale("payments", "musd", 0.9, kind=kind)
            for kind in ("capital", "leasing", "operating")
        },
    },
    "amounts_are_never_negative": {
        "a negative amount": put("work", "accelerators", -1.0),
    },
    "numbers_are_finite": {
        "a gap": put("load", "mw", np.nan, quarter=Q3),
        "an infinite number": put("contracts", "mw", np.inf),
    },
    "tables_name_only_what_the_study_has": {
        "an unknown site": put("fleet", "site", "nowhere"),
        "a quarter too late": put("work", "quarter", "2027Q1"),
    },
    "tables_have_their_columns": {
        "no column": lambda tables: tables["green"].pop("gwh"),
        "no table": lambda tables: tables.pop("load"),
    },
}


def cases(name: str, by_rule: dict[str, dict[str, Any]]) -> pytest.MarkDecorator:
    """One test for each way to break each rule."""
    params = [
        pytest.param(rule, way, id=f"{rule}: {label}")
        for rule, ways in by_rule.items()
        for label, way in ways.items()
    ]
    return pytest.mark.parametrize(("rule", name), params)


@cases("spoil", SPOILED)
def test_a_spoiled_plan_is_told_by_its_rule(good: Any, rule: str, spoil: Spoil) -> None:
    tables = good.fresh()
    spoil(tables)
    broken = violations(*good.inputs, tables)
    assert rule in {breach.split(":")[0] for breach in broken}, broken


NO_WIND = {("dispatch", "wind_mw"), ("energy", "wind_mwh")}
NUMBERS = [(table, column) for table, (_, numbers) in COLUMNS.items() for column in numbers]


@pytest.mark.parametrize(("table", "column"), [place for place in NUMBERS if place not in NO_WIND])
def test_no_number_changes_unseen(good: Any, table: str, column: str) -> None:
    tables = good.fresh()
    tables[table][column] = tables[table][column] * 1.01
    assert violations(*good.inputs, tables)


def test_every_rule_was_seen_to_fail() -> None:
    elsewhere = {"domestic_systems_have_their_share", "the_objective_is_the_sum_of_its_parts"}
    assert {*SPOILED, *elsewhere} == {rule.__name__ for rule in (*FORM, *RULES)}


BEYOND_BUDGET = (
    r"never_spend_more_than_budgeted: capital in 2026: 121\.8589 M USD paid, 100 allowed \(\+21\.86%\);"
    " the budget is 700 M CNY"
)


def test_a_breach_names_rule_place_and_amount(good: Any) -> None:
    tables = good.fresh()
    scale("orders", "accelerators", 1.5, action="buy")(tables)
    with pytest.raises(CheckFailed, match=BEYOND_BUDGET):
        check(*good.inputs, tables)
