"""What of a case a network file of PyPSA cannot say."""

from __future__ import annotations

import numpy as np

from gigawright.facility.dispatch.case import EnergyCase, SiteCase


def cannot_hold(case: EnergyCase) -> tuple[str, ...]:
    """What of a case a network file cannot say, in words; empty where it can say all."""
    found = []
    for site in case.sites:
        if site.reserve_share:
            found.append(f"the reserve at {site.site}")
        if site.outages:
            found.append(f"the outages at {site.site}")
        found += [
            f"minimum load and starts of {source.name} at {site.site}"
            for source in site.sources
            if source.least_share or source.start_usd_mw
        ]
        found += [
            f"{source.name} at {site.site}, which comes over the line of {source.over}"
            for source in site.sources
            if source.over
        ]
        if _more_may_leave_than_there_is(case, site):
            found.append(f"that no more leaves, waits and pauses at {site.site} than its load")
        found += [
            f"fixed hours of {store.name} at {site.site}, whose charging power is chosen apart"
            for store in site.stores
            if store.hours is not None and not store.one_power
        ]
    return tuple(found)


def _more_may_leave_than_there_is(case: EnergyCase, site: SiteCase) -> bool:
    """Whether what is given, delayed and moved away could exceed the load, which the block forbids."""
    if site.load_mw is None or not (site.delays or case.moves):
        return False
    ways = [giving.most_mw for giving in site.giving] + [delay.most_mw for delay in site.delays]
    ways += [move.most_mw for move in case.moves if move.origin == site.site]
    most = sum(ways, np.zeros(site.time.shape))
    return bool((most > site.load_mw * (1.0 + 1e-6)).any())
