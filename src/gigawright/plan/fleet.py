"""Orders and what stands: accelerators, halls and grid connections, each after its lead time."""

from __future__ import annotations

import numpy as np

from gigawright.arrays import Bools, Ints
from gigawright.linear import Model
from gigawright.plan.problem import DESIGNS, Problem


def add_fleet_columns(model: Model, problem: Problem) -> None:
    """buy, lease, retire and fleet [kacc]; halls, grid [MW] and their orders [modules, stages]."""
    sets, offers = problem.sets, problem.offers
    shape = (len(sets.sites), len(sets.offers), len(sets.q))
    dims = {"site": sets.sites, "offer": sets.offers, "quarter": sets.q}
    possible = np.where(offers.may_order, np.inf, 0.0)
    owned = np.logical_not(offers.leased)[None, :, None]
    stands: Bools = np.asarray(np.any((offers.existing > 0.0) | offers.may_order, axis=2))
    ever = np.broadcast_to(stands[:, :, None], shape)
    model.add_columns("buy", dims, upper=np.where(owned, possible, 0.0))
    model.add_columns("lease", dims, upper=np.where(owned, 0.0, possible))
    model.add_columns("retire", dims, upper=np.where(ever & owned, np.inf, 0.0))
    model.add_columns("fleet", dims, upper=np.where(ever, np.inf, 0.0))
    _add_building_columns(model, problem)


def _add_building_columns(model: Model, problem: Problem) -> None:
    sets, build = problem.sets, problem.build
    last = len(sets.q)
    quarter = np.arange(last)[None, :]
    room = np.ceil(np.maximum(build.max_it_mw - build.hall_existing.sum(axis=1), 0.0) / build.hall_module_mw)
    drawn = np.maximum(build.max_it_mw, build.hall_existing.sum(axis=1)) * build.peak_pue.max(axis=1)
    most = np.ceil(np.maximum(drawn - build.grid_existing, 0.0) / build.grid_stage_mw)
    modules = np.where(quarter + build.hall_lead[:, None] < last, room[:, None], 0.0)
    stages = np.where(quarter + build.grid_lead[:, None] < last, most[:, None], 0.0)
    halls = build.may_build[:, :, None] * modules[:, None, :]
    wires = build.may_build.any(axis=1, keepdims=True) * stages
    places = {"site": sets.sites, "design": DESIGNS, "quarter": sets.q}
    lines = {"site": sets.sites, "quarter": sets.q}
    model.add_columns("hall_start", places, upper=halls, integer=True)
    model.add_columns("grid_start", lines, upper=wires, integer=True)
    model.add_columns("halls", places)
    model.add_columns("grid", lines)


def a_fleet_is_what_was_had_plus_what_arrived(model: Model, problem: Problem) -> None:
    """fleet[q] = fleet[q-1] + bought[q-lead] + leased[q-1] - expired - retired, plus changes of what
    stood."""
    sets, offers = problem.sets, problem.offers
    fleet, buy, lease, retire = (_at(model, name) for name in ("fleet", "buy", "lease", "retire"))
    change = np.diff(offers.existing, axis=2, prepend=0.0)
    dims = {"site": sets.sites, "offer": sets.offers, "quarter": sets.q}
    rows = model.add_rows("fleet", dims, lower=change, upper=change)
    model.add_terms(rows, fleet, 1.0)
    model.add_terms(rows[:, :, 1:], fleet[:, :, :-1], -1.0)
    model.add_terms(rows, retire, 1.0)
    for k in range(len(sets.offers)):
        if offers.leased[k]:
            _shift(model, rows[:, k], lease[:, k], 1, -1.0)
            _shift(model, rows[:, k], lease[:, k], 1 + int(offers.lease_term[k]), 1.0)
        else:
            _shift(model, rows[:, k], buy[:, k], int(offers.lead[k]), -1.0)
            _shift(model, rows[:, k], buy[:, k], int(offers.lead[k] + offers.life_quarters[k]), 1.0)


def _shift(model: Model, rows: Ints, columns: Ints, by: int, coefficient: float) -> None:
    """Add terms of a variable `by` quarters earlier."""
    if by < rows.shape[-1]:
        model.add_terms(rows[:, by:], columns[:, : rows.shape[-1] - by], coefficient)


def _at(model: Model, name: str) -> Ints:
    return model.columns[name].at


def never_take_more_than_a_pool_gives(model: Model, problem: Problem) -> None:
    """Deliveries of a pool, added up to each quarter, stay below what it has given by then (a lease: the
    stock).

    An unused quota carries over. A purchase counts when it is delivered.
    """
    pools, offers, sets = problem.pools, problem.offers, problem.sets
    fleet, buy = _at(model, "fleet"), _at(model, "buy")
    rows = model.add_rows("pool", {"pool": sets.pools, "quarter": sets.q}, upper=pools.cap)
    for p in range(len(sets.pools)):
        for s, k in zip(*np.nonzero(pools.covers[p]), strict=True):
            if pools.stock[p]:
                model.add_terms(rows[p], fleet[s, k], 1.0)
                continue
            lead = int(offers.lead[k])
            for q in range(lead, len(sets.q)):
                model.add_terms(rows[p, q:], buy[s, k, q - lead], 1.0)


def halls_and_lines_come_after_their_lead(model: Model, problem: Problem) -> None:
    """halls[q] = halls[q-1] + module x starts[q-lead]; the same for grid stages."""
    sets, build = problem.sets, problem.build
    for name, starts, existing, lead, size, dims in (
        ("halls", "hall_start", build.hall_existing, build.hall_lead, build.hall_module_mw, "design"),
        ("grid", "grid_start", build.grid_existing, build.grid_lead, build.grid_stage_mw, ""),
    ):
        stock, order = _at(model, name), _at(model, starts)
        first = np.zeros(stock.shape)
        first[..., 0] = existing
        labels = {"site": sets.sites, **({"design": DESIGNS} if dims else {}), "quarter": sets.q}
        rows = model.add_rows(name, labels, lower=first, upper=first)
        model.add_terms(rows, stock, 1.0)
        model.add_terms(rows[..., 1:], stock[..., :-1], -1.0)
        for s in range(len(sets.sites)):
            flat, ordered = rows[s].reshape(-1, len(sets.q)), order[s].reshape(-1, len(sets.q))
            _shift(model, flat, ordered, int(lead[s]), -size)


def every_system_stands_in_a_hall_that_cools_it(model: Model, problem: Problem) -> None:
    """Nameplate power of the owned fleet of a design <= its halls [MW of IT]."""
    sets, offers = problem.sets, problem.offers
    rows = model.add_rows("cooled", {"site": sets.sites, "design": DESIGNS, "quarter": sets.q}, upper=0.0)
    fleet = _at(model, "fleet")
    model.add_terms(rows, _at(model, "halls"), -1.0)
    for k in problem.own:
        model.add_terms(rows[:, offers.design[k]], fleet[:, k], offers.kw_max[k])


def a_site_holds_no_more_than_it_can(model: Model, problem: Problem) -> None:
    """Halls of all designs <= the most IT power of the site."""
    sets, build = problem.sets, problem.build
    limit = np.maximum(build.max_it_mw, build.hall_existing.sum(axis=1))
    rows = model.add_rows("room", {"site": sets.sites, "quarter": sets.q}, upper=limit[:, None])
    model.add_terms(rows[:, None, :], _at(model, "halls"), 1.0)


def orders_are_kept(model: Model, problem: Problem) -> None:
    """Each commitment: deliveries of the system by its quarter reach the number."""
    if not problem.orders.committed:
        return
    names = [f"{system}:{problem.sets.q[q]}" for system, q, _ in problem.orders.committed]
    amounts = np.array([kacc for _, _, kacc in problem.orders.committed])
    rows = model.add_rows("commitment", {"order": names}, lower=amounts)
    buy, offers = _at(model, "buy"), problem.offers
    for row, (system, quarter, _) in zip(rows, problem.orders.committed, strict=True):
        for k in problem.own:
            if offers.system[k] == system:
                last = quarter - int(offers.lead[k]) + 1
                model.add_terms(row, buy[:, k, : max(last, 0)], 1.0)


def domestic_systems_have_their_share(model: Model, problem: Problem) -> None:
    """Money for domestic systems >= share x money for all systems, over the horizon."""
    share = problem.orders.domestic_share_min
    if share is None:
        return
    row = model.add_rows("domestic_share", {}, lower=0.0)
    weight = problem.offers.domestic.astype(float) - share
    model.add_terms(row, _at(model, "buy"), problem.offers.price * weight[None, :, None])
