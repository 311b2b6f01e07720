"""Work: who does what in which zone, what is served, and what load it leaves at the sites."""

from __future__ import annotations

import numpy as np

from gigawright.arrays import Ints
from gigawright.linear import Model
from gigawright.plan.problem import DESIGNS, PROFILES, REFERENCE_HOURS, Problem

IDLE = PROFILES.index("idle")


def add_work_columns(model: Model, problem: Problem) -> None:
    """assign [kacc], flow and unmet [reference-kacc], late [reference-kacc-quarters], load [MW of IT]."""
    sets, work = problem.sets, problem.work
    can = work.rate > 0.0
    opened = np.ones((len(sets.phases), len(sets.q)), bool)
    for w, programme in enumerate(work.programme_of_phase):
        if programme >= 0:
            opened[w] = work.programme_open[programme]
    possible = np.broadcast_to(
        (can & opened[None])[None], (len(sets.zones), len(sets.offers), len(sets.phases), len(sets.q))
    )
    model.add_columns(
        "assign",
        {"zone": sets.zones, "offer": sets.offers, "phase": sets.phases, "quarter": sets.q},
        upper=np.where(possible & _zone_may_hold(problem)[:, :, None, None], np.inf, 0.0),
    )
    reach = np.where(work.reach & (work.demand.max(axis=2) > 0)[None], np.inf, 0.0)
    model.add_columns(
        "flow",
        {"zone": sets.zones, "region": sets.regions, "stream": sets.streams, "quarter": sets.q},
        upper=reach[..., None],
    )
    hours = np.array([quarter.hours for quarter in sets.quarters])
    lost = work.loss_factor * work.worth[None, :, None] * work.mean_share[..., None]
    lost = lost * hours * problem.money.discount
    model.add_columns(
        "unmet",
        {"region": sets.regions, "stream": sets.streams, "quarter": sets.q},
        upper=work.demand,
        cost=lost,
    )
    model.add_columns(
        "late", {"programme": sets.programmes}, upper=work.programme_work, cost=_late_cost(problem)
    )
    model.add_columns("load", {"site": sets.sites, "design": DESIGNS, "profile": PROFILES, "quarter": sets.q})


def _zone_may_hold(problem: Problem) -> np.ndarray:
    """Whether a zone has a site where the offer stands or may be ordered. Shape [zone, offer]."""
    offers, zone_of = problem.offers, problem.work.zone_of_site
    site_may = (offers.may_order | (offers.existing > 0)).any(axis=2)
    may = np.zeros((len(problem.sets.zones), len(problem.sets.offers)), bool)
    np.logical_or.at(may, zone_of, site_may)
    return may


def _late_cost(problem: Problem) -> np.ndarray:
    """What unfinished work of a programme is priced at, discounted at its due date."""
    opened = problem.work.programme_open
    last = np.array([np.flatnonzero(row)[-1] if row.any() else 0 for row in opened], int)
    worth = problem.work.loss_factor * problem.work.programme_worth
    return worth * problem.money.discount[last] if len(last) else np.zeros(0)


def work_only_with_what_stands(model: Model, problem: Problem) -> None:
    """sum over phases of assign <= what stands in the zone, owned or leased [kacc]."""
    sets = problem.sets
    dims = {"zone": sets.zones, "offer": sets.offers, "quarter": sets.q}
    rows = model.add_rows("stands", dims, upper=0.0)
    model.add_terms(rows[:, :, None, :], model.columns["assign"].at, 1.0)
    model.add_terms(rows[problem.work.zone_of_site], model.columns["fleet"].at, -1.0)


def work_done_covers_work_promised(model: Model, problem: Problem) -> None:
    """For each phase of a stream: sum over offers of rate x assign >= sum over regions of flow."""
    sets, work = problem.sets, problem.work
    phases = np.flatnonzero(work.stream_of_phase >= 0)
    names = [sets.phases[w] for w in phases]
    rows = model.add_rows("covers", {"zone": sets.zones, "phase": names, "quarter": sets.q}, lower=0.0)
    assign, flow = model.columns["assign"].at, model.columns["flow"].at
    for row, w in enumerate(phases):
        model.add_terms(rows[:, row][:, None, :], assign[:, :, w, :], work.rate[None, :, w, :])
        stream = work.stream_of_phase[w]
        served = np.where(work.reach[:, :, stream] & (work.demand[:, stream].max(axis=1) > 0), -1.0, 0.0)
        model.add_terms(rows[:, row][:, None, :], flow[:, :, stream, :], served[..., None])


def all_demand_is_served_or_counted_unmet(model: Model, problem: Problem) -> None:
    """sum over zones of flow + unmet = demand at the peak hour."""
    sets, work = problem.sets, problem.work
    dims = {"region": sets.regions, "stream": sets.streams, "quarter": sets.q}
    rows = model.add_rows("demand", dims, lower=work.demand, upper=work.demand)
    model.add_terms(rows[None], model.columns["flow"].at, 1.0)
    model.add_terms(rows, model.columns["unmet"].at, 1.0)


def a_group_gets_its_least_share(model: Model, problem: Problem) -> None:
    """Where the study says so: served >= share x demand, for each stream of the group and quarter."""
    sets, work = problem.sets, problem.work
    if not work.serve_at_least.any():
        return
    least = work.serve_at_least[None, :, None] * work.demand.sum(axis=0, keepdims=True)
    rows = model.add_rows("serve_at_least", {"stream": sets.streams, "quarter": sets.q}, lower=least[0])
    model.add_terms(rows[None, None], model.columns["flow"].at, 1.0)


def a_model_is_trained_by_its_date(model: Model, problem: Problem) -> None:
    """sum over its open quarters of rate x assign x length + late >= the programme's work."""
    sets, work = problem.sets, problem.work
    rows = model.add_rows("trained", {"programme": sets.programmes}, lower=work.programme_work)
    model.add_terms(rows, model.columns["late"].at, 1.0)
    assign = model.columns["assign"].at
    length = np.array([quarter.hours for quarter in sets.quarters]) / REFERENCE_HOURS
    for w, programme in enumerate(work.programme_of_phase):
        if programme >= 0:
            model.add_terms(rows[programme], assign[:, :, w, :], (work.rate[:, w, :] * length)[None])


def load_follows_the_work(model: Model, problem: Problem) -> None:
    """IT load at the profile's peak covers the zone's work, and idle accelerators draw idle power.

    In each zone and design the load of a profile is at least sum kw_work x assign, the idle load at least
    kw_idle x (fleet - assign); at each site kw_idle x fleet <= load <= kw_max x fleet. Leased systems draw
    at their owner's.
    """
    sets, offers, work = problem.sets, problem.offers, problem.work
    assign, fleet, load = (model.columns[name].at for name in ("assign", "fleet", "load"))
    zone_dims = {"zone": sets.zones, "design": DESIGNS, "profile": PROFILES, "quarter": sets.q}
    rows = model.add_rows("zone_load", zone_dims, lower=0.0)
    model.add_terms(rows[work.zone_of_site], load, 1.0)
    for k in problem.own:
        design = offers.design[k]
        for w, profile in enumerate(work.profile_of_phase):
            if work.rate[k, w].max() > 0.0:
                model.add_terms(rows[:, design, profile], assign[:, k, w], -work.kw_work[k, w])
                model.add_terms(rows[:, design, IDLE], assign[:, k, w], offers.kw_idle[k])
        model.add_terms(rows[work.zone_of_site, design, IDLE], fleet[:, k], -offers.kw_idle[k])
    _load_fits_the_site(model, problem, fleet, load)


def _load_fits_the_site(model: Model, problem: Problem, fleet: Ints, load: Ints) -> None:
    sets, offers = problem.sets, problem.offers
    dims = {"site": sets.sites, "design": DESIGNS, "quarter": sets.q}
    most = model.add_rows("load_most", dims, upper=0.0)
    least = model.add_rows("load_least", dims, lower=0.0)
    model.add_terms(most[:, :, None], load, 1.0)
    model.add_terms(least[:, :, None], load, 1.0)
    for k in problem.own:
        model.add_terms(most[:, offers.design[k]], fleet[:, k], -offers.kw_max[k])
        model.add_terms(least[:, offers.design[k]], fleet[:, k], -offers.kw_idle[k])
