"""A proven lower bound for cases that the fast dispatch does not take whole: what it cannot say is left out.

Ramps, minimum load, starts, reserve and outages only ever make a plan dearer, so the optimum without them
bounds the optimum with them. Stores beside the first, delays and moves give freedom: without them there would
be no bound.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gigawright.errors import SolverError
from gigawright.facility.dispatch.case import EnergyCase, SiteCase
from gigawright.facility.dispatch.exact import size_exact, takes
from gigawright.facility.dispatch.solve import EnergyAnswer


def relaxed(case: EnergyCase) -> EnergyCase:
    """The case without the rules that only make it dearer.

    >>> relaxed(EnergyCase("nothing", ())).sites
    ()
    """
    return replace(case, sites=tuple(_free(site) for site in case.sites))


def _free(site: SiteCase) -> SiteCase:
    sources = tuple(
        replace(source, least_share=0.0, start_usd_mw=0.0, ramp_share_h=np.inf, over="")
        for source in site.sources
    )
    return replace(site, sources=sources, outages=(), reserve_share=0.0)


def relaxed_optimum(case: EnergyCase, gap: float) -> EnergyAnswer | None:
    """The relaxed case sized by the fast dispatch; its `bound_usd` bounds the case's cost from below.

    None where the fast dispatch cannot say, or not within its rounds. Raises Infeasible where even the
    relaxed case has no plan.
    """
    free = relaxed(case)
    if takes(free) is not None:
        return None
    try:
        return size_exact(free, gap, processes=1)
    except SolverError:
        # A bound is welcome, not needed: without it the weeks judge themselves.
        return None
