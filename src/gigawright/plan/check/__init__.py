"""The checker: every rule of a plan evaluated again on its tables, from the sentence and not from the matrix.

It shares no code with the builder: it reads the study, the catalogue's records, predicted performance, the
sites' hours and the solution's tables, and adds everything up with plain loops. A rule is a function whose
name is its sentence; it yields one text for each breach, with the place and the amount. Tolerance: 1e-6 of
the larger side, or of the rule's unit (a thousand accelerators or people, a MW, a million USD).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from gigawright.errors import CheckFailed
from gigawright.plan.check import energy, form, money, orders, people, work
from gigawright.plan.check.case import Case

if TYPE_CHECKING:
    import pandas as pd

    from gigawright.catalogue.resolve import Catalogue
    from gigawright.facility.size import SiteHours
    from gigawright.study.model import Study
    from gigawright.workloads.predict import Performance

Rule = Callable[[Case], Iterator[str]]

FORM: tuple[Rule, ...] = (
    form.tables_have_their_columns,
    form.tables_name_only_what_the_study_has,
    form.numbers_are_finite,
)
"""Without these, in order, the others cannot be asked."""

RULES: tuple[Rule, ...] = (
    form.amounts_are_never_negative,
    orders.orders_arrive_after_their_lead,
    orders.a_fleet_is_what_was_had_plus_what_arrived,
    orders.buy_only_what_rules_allow,
    orders.never_take_more_than_a_pool_gives,
    orders.halls_and_lines_are_built_whole_where_allowed,
    orders.halls_and_lines_are_what_stood_plus_what_is_ready,
    orders.every_system_stands_in_a_hall_that_cools_it,
    orders.a_site_holds_no_more_than_it_can,
    orders.orders_are_kept,
    work.work_only_with_what_stands,
    work.work_only_where_it_can_be_done,
    work.work_done_covers_work_promised,
    work.demand_is_what_users_ask,
    work.all_demand_is_served_or_counted_unmet,
    work.what_is_served_is_added_up,
    work.data_stays_where_it_may,
    work.a_group_gets_its_least_share,
    work.a_model_is_trained_by_its_date,
    work.load_follows_the_work,
    work.a_site_draws_between_idle_and_nameplate,
    people.staff_are_those_who_stayed_plus_those_hired,
    people.hire_no_more_than_the_market_gives,
    people.enough_people,
    people.people_are_paid,
    energy.every_hour_is_there,
    energy.need_is_load_times_pue,
    energy.power_balances_every_hour,
    energy.never_draw_more_than_connected,
    energy.sun_and_wind_give_what_is_contracted,
    energy.plants_give_what_is_contracted,
    energy.storage_keeps_what_it_takes,
    energy.contracts_are_kept,
    energy.green_power_covers_its_share,
    energy.energy_is_added_up,
    money.orders_cost_price_times_quantity,
    money.never_spend_more_than_budgeted,
    money.payments_are_what_falls_due,
    money.domestic_systems_have_their_share,
    money.the_objective_is_the_sum_of_its_parts,
)


def violations(
    study: Study,
    catalogue: Catalogue,
    performance: Performance,
    facilities: Mapping[str, SiteHours],
    tables: Mapping[str, pd.DataFrame],
    summary: Mapping[str, float] | None = None,
) -> list[str]:
    """Every breach of every rule: the rule, the place and the amount. Empty for a plan that keeps them all.

    `facilities` are the hours of each site, `tables` those of `plan.solution.TABLES`; with a plan's `summary`
    its objective is added up again too.
    """
    case = Case(study, catalogue, performance, facilities, tables, summary or {})
    for rule in FORM:
        broken = _asked(rule, case)
        if broken:
            return broken
    return [breach for rule in RULES for breach in _asked(rule, case)]


def _asked(rule: Rule, case: Case) -> list[str]:
    return [f"{rule.__name__}: {breach}" for breach in rule(case)]


def check(
    study: Study,
    catalogue: Catalogue,
    performance: Performance,
    facilities: Mapping[str, SiteHours],
    tables: Mapping[str, pd.DataFrame],
    summary: Mapping[str, float] | None = None,
) -> None:
    """Raise CheckFailed with every breach where the plan breaks a rule."""
    broken = violations(study, catalogue, performance, facilities, tables, summary)
    if broken:
        raise CheckFailed(broken)
