"""The one energy block: what a site takes, makes, stores and goes without in each step, as columns and rows.

It serves `energy`, the plan and the simulation alike: capacities may be variables or fixed, the load given or
added by the caller. Free sources (sun, wind) have no variable of their own: what is not used is the slack of
the balance. Each rule is one function, named as its sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.facility.dispatch.case import Delay, Giving, SiteCase, Source, Store
from gigawright.facility.dispatch.clean import clean_power_covers_its_share
from gigawright.facility.dispatch.columns import Building, SiteColumns, StoreColumns
from gigawright.facility.dispatch.plants import (
    plants_follow_no_faster_than_they_can,
    plants_keep_their_minimum,
)
from gigawright.facility.dispatch.security import reserve_stands_ready, the_site_lives_through_its_outages
from gigawright.linear import Model

ROUNDING = 1e-9


def add_site(model: Model, case: SiteCase, unit_usd: float = 1.0) -> SiteColumns:
    """Add a site's variables and rules to a model whose money is in units of `unit_usd`.

    Where the case has no load, the caller adds its own terms to `balance` and `clean_share`.

    >>> import numpy as np
    >>> from gigawright.facility.dispatch.case import SiteCase, Source, one_year
    >>> from gigawright.linear import Model, solve
    >>> whole, each = np.ones((1, 24)), np.ones(1)
    >>> grid = Source("grid", "grid", whole, 50.0 * whole, 0.5 * whole, 100.0 * each, 0.0 * each, 9.0 * each)
    >>> model = Model("a day")
    >>> columns = add_site(model, SiteCase("here", one_year(24), (grid,), load_mw=2.0 * whole))
    >>> solve(model.assemble()).objective  # 24 h x 2 MW x 50, and 2 MW x 100
    2600.0
    """
    site = Building(model, case, unit_usd)
    columns = SiteColumns()
    for source in case.sources:
        _source_columns(site, source, columns)
    for store in case.stores:
        columns.stores[store.name] = _store_columns(site, store)
    for giving in case.giving:
        _giving_columns(site, giving, columns)
    for delay in case.delays:
        delayed_work_is_made_up(site, delay, columns)
    columns = replace(columns, balance=power_balances_every_step(site, columns))
    for source in case.sources:
        nothing_gives_more_than_its_capacity(site, source, columns)
        plants_keep_their_minimum(site, source, columns)
        plants_follow_no_faster_than_they_can(site, source, columns)
    for store in case.stores:
        storage_keeps_what_it_takes(site, store, columns.stores[store.name])
    columns = replace(
        columns,
        not_dumped=dear_power_is_not_dumped(site, columns),
        leaving=no_more_gives_way_than_there_is(site, columns),
    )
    capacities_are_kept(site, columns)
    reserve_stands_ready(site, columns)
    the_site_lives_through_its_outages(site, columns)
    return replace(columns, clean_share=clean_power_covers_its_share(site, columns))


def _source_columns(site: Building, source: Source, columns: SiteColumns) -> None:
    """Capacity of every source, and the power of those whose energy costs or emits something."""
    columns.capacity[source.name] = site.model.add_columns(
        site.name(source.name),
        site.by_period,
        lower=source.least_mw,
        upper=source.most_mw,
        cost=site.money(source.capacity_usd_mw),
    )
    if not source.free:
        columns.flow[source.name] = site.model.add_columns(
            site.name(f"power_{source.name}"), site.by_step, cost=site.paid * source.energy_usd_mwh
        )


def _store_columns(site: Building, store: Store) -> StoreColumns:
    """Charging and discharging power, energy, and what they do in each step."""
    add, name, time = site.model.add_columns, store.name, site.by_period
    nothing = not np.any(store.most_mw)
    most = 0.0 if nothing else np.inf
    tied = store.hours is not None
    power = add(
        site.name(name),
        time,
        lower=store.least_mw,
        upper=store.most_mw,
        cost=site.money(store.discharge_usd_mw + _tied_cost(store)),
    )
    charge = (
        power
        if store.one_power
        else add(
            site.name(f"charger_{name}"), time, upper=store.most_mw, cost=site.money(store.charge_usd_mw)
        )
    )
    energy = (
        power
        if tied
        else add(
            site.name(f"energy_{name}"), time, upper=store.most_mwh, cost=site.money(store.energy_usd_mwh)
        )
    )
    return StoreColumns(
        charge_power=charge,
        discharge_power=power,
        energy=energy,
        charge=add(site.name(f"charge_{name}"), site.by_step, upper=most),
        discharge=add(
            site.name(f"discharge_{name}"), site.by_step, upper=most, cost=site.paid * store.wear_usd_mwh
        ),
        stored=add(site.name(f"stored_{name}"), site.by_step, upper=most),
    )


def _tied_cost(store: Store) -> Floats:
    """What a MW of discharging power brings along: its charger and its hours, where they are tied to it."""
    charger = store.charge_usd_mw if store.one_power else 0.0 * store.charge_usd_mw
    return np.asarray(charger + (store.hours or 0.0) * store.energy_usd_mwh)


def _giving_columns(site: Building, giving: Giving, columns: SiteColumns) -> None:
    columns.given[giving.name] = site.model.add_columns(
        site.name(giving.name), site.by_step, upper=giving.most_mw, cost=site.paid * giving.usd_mwh
    )


def delayed_work_is_made_up(site: Building, delay: Delay, columns: SiteColumns) -> None:
    """owed' = owed + delayed - caught up, cyclic; owed <= hours x the mean of what may be put off."""
    add = site.model.add_columns
    most_owed = delay.most_hours * delay.most_mw.mean(axis=1, keepdims=True)
    later = add(site.name(f"delay_{delay.name}"), site.by_step, upper=delay.most_mw)
    caught = add(site.name(f"catch_up_{delay.name}"), site.by_step, upper=delay.catch_up_mw)
    owed = add(site.name(f"owed_{delay.name}"), site.by_step, upper=most_owed, cost=site.paid * delay.usd_mwh)
    rows = site.model.add_rows(site.name(f"owed_{delay.name}"), site.by_step, lower=0.0, upper=0.0)
    site.model.add_terms(rows, owed[:, site.time.following], 1.0)
    site.model.add_terms(rows, owed, -1.0)
    site.model.add_terms(rows, later, -site.time.step_h)
    site.model.add_terms(rows, caught, site.time.step_h)
    columns.delayed[delay.name], columns.caught_up[delay.name] = later, caught


def _balance_terms(site: Building, columns: SiteColumns) -> Iterator[tuple[Ints, Floats | float]]:
    """What stands in the balance beside the free sources: columns and their sign."""
    for flow in columns.flow.values():
        yield flow, 1.0
    for store in columns.stores.values():
        yield store.discharge, 1.0
        yield store.charge, -1.0
    for given in columns.given.values():
        yield given, 1.0
    for name, later in columns.delayed.items():
        yield later, 1.0
        yield columns.caught_up[name], -1.0


def power_balances_every_step(site: Building, columns: SiteColumns) -> Ints:
    """Sources + discharge - charge + what gives way >= load; what is left over is curtailed, for free."""
    load = 0.0 if site.case.load_mw is None else site.case.load_mw
    rows = site.model.add_rows(site.name("balance"), site.by_step, lower=load)
    for column, sign in _balance_terms(site, columns):
        site.model.add_terms(rows, column, sign)
    for source in site.case.sources:
        if source.free:
            site.model.add_terms(rows, columns.capacity[source.name][:, None], source.available)
    return rows


def dear_power_is_not_dumped(site: Building, columns: SiteColumns) -> Ints:
    """Where energy has a price below zero, what is bought is used: sources - free <= load + charge.

    Without this row a site would be paid to waste power. Left out where no price is negative, since then
    nothing is gained by it.
    """
    if not any((source.energy_usd_mwh < 0.0).any() for source in site.case.sources):
        return columns.not_dumped
    load = np.inf if site.case.load_mw is None else site.case.load_mw
    rows = site.model.add_rows(site.name("not_dumped"), site.by_step, upper=load)
    for column, sign in _balance_terms(site, columns):
        site.model.add_terms(rows, column, sign)
    return rows


def no_more_gives_way_than_there_is(site: Building, columns: SiteColumns) -> Ints:
    """Given + delayed (and what a caller lets move away) <= load: else what gives way would feed the store.

    Left out where all that may give way together is no more than the load.
    """
    case = site.case
    if case.load_mw is None:
        return columns.leaving
    ways = [giving.most_mw for giving in case.giving] + [delay.most_mw for delay in case.delays]
    most = sum(ways, np.zeros(site.time.shape))
    if (most <= case.load_mw * (1.0 + ROUNDING) + ROUNDING).all():
        return columns.leaving
    return leaving_rows(site.model, case, columns)


def leaving_rows(model: Model, case: SiteCase, columns: SiteColumns) -> Ints:
    """Rows that hold all that gives way, [period, step], within the load."""
    dims = {"period": case.time.periods, "step": case.time.steps}
    rows = model.add_rows(
        f"leaving:{case.site}", dims, upper=np.inf if case.load_mw is None else case.load_mw
    )
    for column in (*columns.given.values(), *columns.delayed.values()):
        model.add_terms(rows, column, 1.0)
    return rows


def nothing_gives_more_than_its_capacity(site: Building, source: Source, columns: SiteColumns) -> None:
    """power, with that of others which comes over its line, <= capacity x what is available of it."""
    if source.free:
        return
    rows = site.model.add_rows(site.name(f"most_{source.name}"), site.by_step, upper=0.0)
    site.model.add_terms(rows, columns.flow[source.name], 1.0)
    site.model.add_terms(rows, columns.capacity[source.name][:, None], -source.available)
    for other in site.case.sources:
        if other.over == source.name:
            site.model.add_terms(rows, columns.flow[other.name], 1.0)


def storage_keeps_what_it_takes(site: Building, store: Store, columns: StoreColumns) -> None:
    """stored' = (1 - loss) stored + (eff charge - discharge / eff) step; within power and energy; cyclic."""
    if not np.any(store.most_mw):
        return
    model, step_h = site.model, site.time.step_h
    level = model.add_rows(site.name(f"level_{store.name}"), site.by_step, lower=0.0, upper=0.0)
    model.add_terms(level, columns.stored[:, site.time.following], 1.0)
    model.add_terms(level, columns.stored, -((1.0 - store.loss_h) ** step_h))
    model.add_terms(level, columns.charge, -store.charge_efficiency * step_h)
    model.add_terms(level, columns.discharge, step_h / store.discharge_efficiency)
    for flow, column, most, factor in (
        ("charge", columns.charge, columns.charge_power, 1.0),
        ("discharge", columns.discharge, columns.discharge_power, 1.0),
        ("stored", columns.stored, columns.energy, store.hours or 1.0),
    ):
        rows = model.add_rows(site.name(f"most_{flow}_{store.name}"), site.by_step, upper=0.0)
        model.add_terms(rows, column, 1.0)
        model.add_terms(rows, most[:, None], -factor)


def capacities_are_kept(site: Building, columns: SiteColumns) -> None:
    """What is contracted or built never falls from period to period."""
    if len(site.time.periods) == 1:
        return
    kept = {source.name: columns.capacity[source.name] for source in site.case.sources if source.kept}
    for store in site.case.stores:
        found = columns.stores[store.name]
        if store.kept:
            kept[store.name] = found.discharge_power
            if not store.one_power:
                kept[f"charger_{store.name}"] = found.charge_power
            if store.hours is None:
                kept[f"energy_{store.name}"] = found.energy
    for name, capacity in kept.items():
        rows = site.model.add_rows(site.name(f"keep_{name}"), {"period": site.time.periods[1:]}, lower=0.0)
        site.model.add_terms(rows, capacity[1:], 1.0)
        site.model.add_terms(rows, capacity[:-1], -1.0)
