"""A good plan breaks rules in another world: other laws, supply, leads, promises; a solved study adds up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gigawright.catalogue.types import RuleOutcome
from gigawright.clock import Quarter
from gigawright.evaluate import Result, evaluate
from gigawright.money import Money
from gigawright.plan.check import violations
from gigawright.study.load import load_study

Inputs = Callable[[Any], list[Any]]


def catalogue_with(**changes: Any) -> Inputs:
    """The good plan's inputs with parts of its catalogue replaced."""
    return lambda good: [good.study, replace(good.catalogue, **changes), *good.inputs[2:]]


def box_with(**changes: Any) -> Inputs:
    def inputs(good: Any) -> list[Any]:
        return catalogue_with(systems={"box": replace(good.catalogue.systems["box"], **changes)})(good)

    return inputs


def site_with(**changes: Any) -> Inputs:
    return lambda good: catalogue_with(
        sites=good.catalogue.sites | {"here": replace(good.catalogue.sites["here"], **changes)}
    )(good)


def study_with(part: str, **changes: Any) -> Inputs:
    """The good plan's inputs with fields of a part of its study replaced (of a list: of its first)."""

    def inputs(good: Any) -> list[Any]:
        old = getattr(good.study, part)
        first = (old[0] if isinstance(old, list) else old).model_copy(update=changes)
        new = [first, *old[1:]] if isinstance(old, list) else first
        return [good.study.model_copy(update={part: new}), *good.inputs[1:]]

    return inputs


def pools_with(name: str, **changes: Any) -> Inputs:
    return lambda good: catalogue_with(
        pools=good.catalogue.pools | {name: replace(good.catalogue.pools[name], **changes)}
    )(good)


def users_with(**changes: Any) -> Inputs:
    """The region that is served from `here`, otherwise placed."""
    return lambda good: catalogue_with(
        regions=good.catalogue.regions | {"cn": replace(good.catalogue.regions["cn"], **changes)}
    )(good)


def verdict(answer: Any) -> Inputs:
    outcome = RuleOutcome(answer, "rule 7", "said so", dt.date(2026, 1, 1), duty_share=0.1)
    return lambda good: catalogue_with(verdicts=dict.fromkeys(good.catalogue.verdicts, outcome))(good)


def foreign(good: Any) -> list[Any]:
    box = good.catalogue.systems["box"]
    return box_with(accelerator=replace(box.accelerator, made_for="abroad"))(good)


def earlier_date(good: Any) -> list[Any]:
    """The training run due a quarter before."""
    assistant, trainer = good.study.workloads
    run = trainer.programmes[0].model_copy(update={"due": Quarter(2026, 2)})
    workloads = [assistant, trainer.model_copy(update={"programmes": [run]})]
    return [good.study.model_copy(update={"workloads": workloads}), *good.inputs[1:]]


FORBIDDEN: dict[str, dict[str, Inputs]] = {
    "data_stays_where_it_may": {
        "a long way": users_with(rtt_ms={"here": 400.0}),
        "an unknown way": users_with(rtt_ms={}),
        "other data rules": users_with(residency="outside China"),
    },
    "buy_only_what_rules_allow": {
        "denied": verdict("denied"),
        "a review without licence": verdict("review"),
        "foreign": foreign,
        "no price": catalogue_with(not_predictable={"box": ["chip_usd"]}),
        "no lease price": box_with(lease_usd_per_hour=None),
        "not yet made": box_with(available_from=Quarter(2026, 3)),
        "not for sale": study_with("systems", buy=False),
        "not for lease": study_with("systems", lease=False),
        "a pool elsewhere": pools_with("boxes", countries=frozenset({"Norway"})),
    },
    "domestic_systems_have_their_share": {
        "no domestic share": foreign,
    },
    "never_take_more_than_a_pool_gives": {
        "a pool run dry": pools_with("boxes", cap_kacc={Quarter(2026, 1): 1.0}),
    },
    "orders_arrive_after_their_lead": {
        "a longer lead": box_with(lead_quarters=2),
    },
    "a_fleet_is_what_was_had_plus_what_arrived": {
        "a shorter life": box_with(life_years=0.25),
    },
    "payments_are_what_falls_due": {
        "another prepayment": box_with(prepay_share=0.0),
    },
    "every_system_stands_in_a_hall_that_cools_it": {
        "hotter systems": box_with(kw_per_accelerator=2.0),
        "liquid-cooled systems": box_with(cooling="liquid"),
    },
    "halls_and_lines_are_built_whole_where_allowed": {
        "slow halls": site_with(hall_lead_quarters=2),
        "only liquid halls": study_with("sites", designs=["liquid"]),
    },
    "halls_and_lines_are_what_stood_plus_what_is_ready": {
        "slow lines": site_with(grid_lead_quarters=3),
    },
    "a_site_holds_no_more_than_it_can": {
        "a small site": study_with("sites", max_it=3.0),
    },
    "orders_are_kept": {
        "a larger order": study_with("commitments", accelerators=9e3),
    },
    "never_spend_more_than_budgeted": {
        "a small budget": study_with("budgets", capital={2026: Money(70e6, "USD")}),
        "no money for leases": study_with("budgets", leasing={}),
    },
    "contracts_are_kept": {
        "a small battery": study_with("energy", max_battery=0.2),
        "no sun on offer": lambda good: catalogue_with(
            technologies={"cell": good.catalogue.technologies["cell"]}
        )(good),
    },
    "green_power_covers_its_share": {
        "more must be green": site_with(green_share_min=0.9),
    },
    "a_group_gets_its_least_share": {
        "a promise": study_with("rules", serve_at_least={"assistant": 0.99}),
    },
    "a_model_is_trained_by_its_date": {
        "an earlier date": earlier_date,
    },
}


@pytest.mark.parametrize(
    ("rule", "inputs"),
    [(rule, inputs) for rule, ways in FORBIDDEN.items() for inputs in ways.values()],
    ids=[f"{rule}: {label}" for rule, ways in FORBIDDEN.items() for label in ways],
)
def test_a_plan_for_another_world_is_told_by_its_rule(good: Any, rule: str, inputs: Inputs) -> None:
    broken = violations(*inputs(good), good.tables)
    assert rule in {breach.split(":")[0] for breach in broken}, broken


def test_home_work_may_run_anywhere(good: Any) -> None:
    """Work without users has no residency and no round trip."""
    assistant, trainer = good.study.workloads
    home = assistant.model_copy(update={"demand": assistant.demand.model_copy(update={"regions": "home"})})
    study = good.study.model_copy(update={"workloads": [home, trainer]})
    tables = good.fresh()
    tables["service"]["region"] = tables["demand"]["region"] = "home"
    for name in ("service", "work"):
        tables[name]["zone"] = "zone 1"
    broken = violations(study, *good.inputs[1:], tables)
    assert not any(breach.startswith("data_stays_where_it_may") for breach in broken)


@pytest.fixture(scope="module")
def first_hall(repository: Path) -> Result:
    """A solved study; `evaluate` has checked its tables already."""
    return evaluate(load_study(repository / "studies" / "first-hall.yaml"))


def test_a_solved_study_adds_up_to_its_summary(first_hall: Result) -> None:
    inputs = (first_hall.study, first_hall.catalogue, first_hall.performance, first_hall.facilities)
    summary = first_hall.plan.summary
    assert violations(*inputs, first_hall.plan.tables, summary) == []
    for name in ("worth_lost_musd", "energy_verified_musd", "programme_cost_musd", "objective_musd"):
        broken = violations(*inputs, first_hall.plan.tables, dict(summary) | {name: summary[name] * 1.02})
        assert any(f"the_objective_is_the_sum_of_its_parts: {name}" in breach for breach in broken), name
