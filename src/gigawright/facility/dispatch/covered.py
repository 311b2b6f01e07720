"""A dispatch that leaves load uncovered, made whole: sources large enough, and what they give added.

While sizing, trials fall a little short of the peak. Such a dispatch proves its plane, but is no plan. With
as much more of the cheapest sources as the missing load asks for it is one, though not the best.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gigawright.arrays import Bools, Floats
from gigawright.facility.dispatch.case import SiteCase
from gigawright.facility.dispatch.oracle import Dispatch, SitePeriod
from gigawright.facility.dispatch.planes import Unit

COVERED_MW = 1e-9
"""Load below this is covered: rounding."""


@dataclass(frozen=True, eq=False)
class Whole:
    """How much `more` of each source [MW], and cost, tonnes and grey MWh with what it gives."""

    more: Floats
    cost_usd: float
    emission_t: float
    grey_mwh: float


def covered(site: SiteCase, period: SitePeriod, done: Dispatch, more: Floats, unit: Unit) -> Whole:
    """A dispatch with its uncovered load given by more of its sources, cheapest capacity first.

    `more` [source] MW are there already: an earlier period asked for them, and they are kept. What no source
    may be large enough for stays uncovered, at its price.
    """
    steps, missing = period.steps, done.unserved.copy()
    more = np.minimum(more, unit.most[: len(more)] - done.sizes.source[: len(more)])
    bill = np.array([done.cost_usd, done.emission_t, done.grey_mwh])
    if missing.max() <= COVERED_MW:
        return Whole(more, *bill)
    hours = missing > COVERED_MW
    for i in np.argsort(unit.capital_usd[: len(more)] / (_share(site, unit, hours) + 1e-9), kind="stable"):
        available = site.sources[i].available[unit.period]
        able = hours & (available > 0.0)
        if not able.any():
            continue
        wanted = float((missing[able] / available[able]).max())
        room = float(unit.most[i] - done.sizes.source[i])
        more[i] = max(more[i], min(wanted, room))
        given = np.minimum(missing, more[i] * available) * steps.step_h
        rates = (steps.cost[:, i] - steps.cost[:, -1], steps.carbon[:, i], steps.grey[:, i])
        bill += [float(rate @ given) for rate in rates]
        missing -= given / steps.step_h
        hours = missing > COVERED_MW
        if not hours.any():
            break
    return Whole(more, *bill)


def _share(site: SiteCase, unit: Unit, hours: Bools) -> Floats:
    """What each source can give of its capacity in some hours, in the worst of them [source]."""
    return np.array([float(source.available[unit.period][hours].min()) for source in site.sources])
