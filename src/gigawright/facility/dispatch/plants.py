"""What plants can and cannot do: least load, starts, ramps."""

from __future__ import annotations

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.facility.dispatch.case import Source
from gigawright.facility.dispatch.columns import Building, SiteColumns


def plants_keep_their_minimum(site: Building, source: Source, columns: SiteColumns) -> None:
    """least share x on line <= power <= on line <= capacity; bringing a MW on line costs a start.

    On line is continuous: a plant of many units, of which any share may run.
    """
    if source.least_share == 0.0 and source.start_usd_mw == 0.0:
        return
    model, power = site.model, columns.flow[source.name]
    start_cost = np.repeat(
        site.time.discount[:, None] / site.unit_usd * source.start_usd_mw, len(site.time.cycle), axis=1
    ) * (site.time.weight_h / site.time.step_h)
    online = model.add_columns(site.name(f"online_{source.name}"), site.by_step)
    started = model.add_columns(site.name(f"start_{source.name}"), site.by_step, cost=start_cost)
    columns.started[source.name] = started
    capacity, after = columns.capacity[source.name][:, None], site.time.following
    terms: dict[str, tuple[tuple[Ints, Floats | float], ...]] = {
        "least": ((online, source.least_share), (power, -1.0)),
        "within": ((power, 1.0), (online, -1.0)),
        "online": ((online, 1.0), (capacity, -source.available)),
        "start": ((online[:, after], 1.0), (online, -1.0), (started[:, after], -1.0)),
    }
    for word, parts in terms.items():
        rows = model.add_rows(site.name(f"{word}_{source.name}"), site.by_step, upper=0.0)
        for column, factor in parts:
            model.add_terms(rows, column, factor)


def plants_follow_no_faster_than_they_can(site: Building, source: Source, columns: SiteColumns) -> None:
    """-ramp x capacity <= power' - power <= ramp x capacity, from each step to the next of its cycle."""
    if np.isinf(source.ramp_share_h):
        return
    power, share = columns.flow[source.name], min(source.ramp_share_h * site.time.step_h, 1.0)
    for word, sign in (("up", 1.0), ("down", -1.0)):
        rows = site.model.add_rows(site.name(f"ramp_{word}_{source.name}"), site.by_step, upper=0.0)
        site.model.add_terms(rows, power[:, site.time.following], sign)
        site.model.add_terms(rows, power, -sign)
        site.model.add_terms(rows, columns.capacity[source.name][:, None], -share)
