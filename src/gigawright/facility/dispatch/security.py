"""What a site keeps ready: reserve in every step, and outages it must live through."""

from __future__ import annotations

import numpy as np

from gigawright.facility.dispatch.case import Outage
from gigawright.facility.dispatch.columns import Building, SiteColumns


def reserve_stands_ready(site: Building, columns: SiteColumns) -> None:
    """Unused plants and grid + what stores could add for an hour >= share of the load, in each step."""
    share, load = site.case.reserve_share, site.case.load_mw
    if share == 0.0 or load is None:
        return
    rows = site.model.add_rows(site.name("reserve"), site.by_step, lower=share * load)
    for source in site.case.sources:
        if not source.free:
            site.model.add_terms(rows, columns.flow[source.name], -1.0)
        if not source.free and not source.over:
            site.model.add_terms(rows, columns.capacity[source.name][:, None], source.available)
    for store in site.case.stores:
        found = columns.stores[store.name]
        ready = site.model.add_columns(site.name(f"ready_{store.name}"), site.by_step)
        site.model.add_terms(rows, ready, 1.0)
        power = site.model.add_rows(site.name(f"ready_power_{store.name}"), site.by_step, upper=0.0)
        site.model.add_terms(power, ready, 1.0)
        site.model.add_terms(power, found.discharge, 1.0)
        site.model.add_terms(power, found.discharge_power[:, None], -1.0)
        kept = site.model.add_rows(site.name(f"ready_energy_{store.name}"), site.by_step, upper=0.0)
        site.model.add_terms(kept, ready, 1.0 / store.discharge_efficiency)
        site.model.add_terms(kept, found.discharge, site.time.step_h / store.discharge_efficiency)
        site.model.add_terms(kept, found.stored, -1.0)


def the_site_lives_through_its_outages(site: Building, columns: SiteColumns) -> None:
    """In each outage what is left carries its share of the load, from the store's level of that moment."""
    for outage in site.case.outages:
        _live_through(site, outage, columns)


def _live_through(site: Building, outage: Outage, columns: SiteColumns) -> None:
    """A dispatch of its own over the outage's steps, at the capacities and the level that all share."""
    case, model, p = site.case, site.model, outage.period
    if case.load_mw is None:
        raise ValueError(f"{case.site}: an outage needs the load in the case")
    here = np.arange(outage.first, outage.first + outage.steps) % len(site.time.cycle)
    dims = {"step": tuple(map(str, here))}

    def name(what: str) -> str:
        return site.name(f"{what}_{outage.name}")

    rows = model.add_rows(name("carried"), dims, lower=outage.share * case.load_mw[p, here])
    for source in case.sources:
        # What comes over another's line is no more than that one gives.
        if source.name not in outage.lost and not source.over:
            # What is left gives up to its capacity; what that costs in so rare an hour is left out.
            model.add_terms(rows, columns.capacity[source.name][p], source.available[p, here])
    for store in case.stores:
        if store.name in outage.lost:
            continue
        found = columns.stores[store.name]
        charge, discharge = (model.add_columns(name(f"{flow}_{store.name}"), dims) for flow in ("in", "out"))
        stored = model.add_columns(name(f"left_{store.name}"), dims)
        model.add_terms(rows, discharge, 1.0)
        model.add_terms(rows, charge, -1.0)
        before = np.r_[found.stored[p, here[0]], stored[:-1]]
        level = model.add_rows(name(f"level_{store.name}"), dims, lower=0.0, upper=0.0)
        model.add_terms(level, stored, 1.0)
        model.add_terms(level, before, -((1.0 - store.loss_h) ** site.time.step_h))
        model.add_terms(level, charge, -store.charge_efficiency * site.time.step_h)
        model.add_terms(level, discharge, site.time.step_h / store.discharge_efficiency)
        for flow, most, factor in (
            (charge, found.charge_power, 1.0),
            (discharge, found.discharge_power, 1.0),
            (stored, found.energy, store.hours or 1.0),
        ):
            limit = model.add_rows(name(f"most_{flow[0]}_{store.name}"), dims, upper=0.0)
            model.add_terms(limit, flow, 1.0)
            model.add_terms(limit, most[p], -factor)
