from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.evaluate import Result
from gigawright.facts import Fact
from gigawright.money import Rate, Rates
from gigawright.report import summary, trust, words
from gigawright.report.costs import unit_costs
from gigawright.report.facts_section import facts_frame, families, linked
from gigawright.report.view import View, curtailed_mw
from gigawright.report.words import Purse


@given(st.floats(min_value=1e-6, max_value=1e15))
def test_a_written_number_is_within_a_per_cent(value: float) -> None:
    assert float(words.digits(value).replace(",", "")) == pytest.approx(value, rel=0.006)


@given(st.floats(min_value=0.0, max_value=1.0))
def test_a_share_is_never_rounded_to_all_or_nothing(value: float) -> None:
    assert (words.share(value) == "100%") == (value == 1.0)
    assert (words.share(value) == "0%") == (value == 0.0)


def test_money_is_written_in_both_currencies_at_the_rate_of_its_year() -> None:
    rates = Rates([Rate("CNY", dt.date(2026, 1, 1), 7.0), Rate("CNY", dt.date(2027, 1, 1), 6.5)])
    purse = Purse("CNY", rates, dt.date(2027, 12, 31))
    assert purse.text(1000.0, 2026) == "7 bn CNY (1 bn USD)"
    assert purse.text(1000.0, 2027) == "6.5 bn CNY (1 bn USD)"
    assert Purse("USD", rates, dt.date(2026, 1, 1)).text(1000.0) == "1 bn USD"


def test_unit_costs_add_up_to_the_programme_and_to_all_work(rich: Result) -> None:
    costs = unit_costs(rich)
    assert set(costs["group"]) == {"assistant", "pictures"}
    assert costs["cost_musd"].sum() == pytest.approx(rich.plan.summary["programme_cost_musd"])
    assert costs["share"].sum() == pytest.approx(1.0)
    again = costs["usd_per_unit"] * costs["units"] * 1e-6
    assert again.to_numpy() == pytest.approx(costs["cost_musd"].to_numpy())


def test_unit_costs_follow_accelerators_at_work(result: Result) -> None:
    work = result.plan.tables["work"].copy()
    work.loc[work["phase"].str.startswith("pictures"), "accelerators"] *= 3.0
    tables = {**result.plan.tables, "work": work}
    heavier = dataclasses.replace(result, plan=dataclasses.replace(result.plan, tables=tables))
    before, after = (unit_costs(r).set_index("group")["accelerator_quarters"] for r in (result, heavier))
    assert after["pictures"] == pytest.approx(3.0 * before["pictures"])
    assert after["assistant"] == pytest.approx(before["assistant"])


def test_sentences_say_the_numbers_of_the_plan(rich: Result) -> None:
    told = dict(summary.sentences(rich))
    orders = View(rich).orders
    own = orders[orders["tenure"] == "own"]["accelerators"].sum()
    assert f"buys {words.count(own)} accelerators" in told["What is bought"]
    assert "leases 800 accelerators" in told["What is bought"]
    assert "40 MW of halls (Abilene 40 MW)" in told["What is built"]
    assert "Abilene" in told["Where it stands"]
    assert words.share(summary.served_overall(View(rich))) in told["What it delivers"]
    assert "one at Abilene in 2026Q1 is worth 31 kUSD" in told["What limits it"]
    left = 1.0 - View(rich).spent_musd("capital", 2026) / (View(rich).budget_musd("capital", 2026) or 0.0)
    assert f"({words.share(left)})" in told["What is not spent"]


def test_what_is_served_and_lost_is_what_is_asked(result: Result) -> None:
    found = View(result).served_share
    demand = result.plan.tables["demand"]
    lost = (found["demanded_musd"] - found["served_musd"]).sum()
    assert lost == pytest.approx(demand["worth_lost_musd"].sum(), abs=1e-9)
    assert found["share"].between(0.0, 1.0 + 1e-9).all()


def test_hours_balance_once_curtailment_is_counted(result: Result) -> None:
    hours = result.plan.tables["dispatch"]
    sources = (
        hours["import_mw"] + hours["solar_mw"] + hours["wind_mw"] + hours["discharge_mw"] + hours["shed_mw"]
    )
    sinks = hours["need_mw"] + hours["charge_mw"] + curtailed_mw(hours)
    assert sources.to_numpy() == pytest.approx(sinks.to_numpy(), abs=1e-4)


def fact(
    attribute: str, confidence: str = "B", basis: str = "stated", kind: str = "site", **more: object
) -> Fact:
    return Fact(kind, "x", attribute, 1.0, "C", "a source", confidence, dt.date(2025, 1, 1), basis, **more)  # type: ignore[arg-type]


def test_twelve_months_share_a_row_and_others_do_not() -> None:
    months = [fact(f"dry_bulb@{month:02d}") for month in range(1, 13)]
    found = families([*months, fact("price"), fact("emission")])
    assert [len(family) for family in found] == [12, 1, 1]


def test_facts_are_counted_by_confidence_and_assumed_date() -> None:
    facts = [
        fact("a", "assumption", "assumed"),
        fact("b", "A"),
        fact("c", "A", "assumed"),
        fact("d", "D", "assumed", "study"),
    ]
    counted = trust.by_confidence(facts)
    assert (counted["assumption"], counted["A"], counted["D"], counted["C"]) == (1, 2, 1, 0)
    assert trust.assumed_dates(facts) == 2


def test_a_headline_on_weak_facts_says_so() -> None:
    weak = trust.Rest("Cost", (fact("a", "assumption"), fact("b", "C"), fact("c", "A")))
    assert weak.sentence() == "Cost: rests on 3 facts, of them 1 assumptions and 1 weak or unverified (C)."
    assert "confidence A, B or derived" in trust.Rest("Cost", (fact("a", "A"),)).sentence()


def test_every_fact_used_is_in_the_table(result: Result) -> None:
    facts = result.catalogue.book.used
    assert len(facts_frame(facts)) == len(facts)
    assert sum(len(family) for family in families(facts)) == len(facts)
    assert facts[0].confidence == "assumption"


@pytest.mark.parametrize("source", ["javascript:alert(1)", '"><script>', "see x.org"])
def test_only_web_addresses_become_links(source: str) -> None:
    assert "<a" not in linked(source)
    assert "<script" not in linked(source)


def test_payments_are_told_at_the_rate_of_their_year(result: Result) -> None:
    view = View(result)
    musd = view.spent_musd("capital")
    told = f"{words.scaled(musd * view.purse.rate(2026) * 1e6)} CNY ({words.scaled(musd * 1e6)} USD)"
    assert view.paid("capital") == told
