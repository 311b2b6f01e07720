"""Green shares and emissions."""

from __future__ import annotations

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.facility.dispatch.case import SiteCase
from gigawright.facility.dispatch.columns import Building, SiteColumns
from gigawright.linear import Model


def clean_power_covers_its_share(site: Building, columns: SiteColumns) -> Ints:
    """Grey energy - certificates <= (1 - share) x consumption in each year; yearly: clean + certificates >=.

    Rows by year; empty where no share is asked.
    """
    case, time = site.case, site.time
    if case.clean_share <= 0.0:
        return np.zeros(0, np.int64)
    first = int(time.year.min())
    years = [str(first + i) for i in range(int(np.ptp(time.year)) + 1)]
    used = np.zeros(len(years)) if case.load_mw is None else _by_year(site, time.weight_h * case.load_mw)
    hourly = case.matching == "hourly"
    wanted = (1.0 - case.clean_share) * used if hourly else -case.clean_share * used
    rows = site.model.add_rows(site.name("clean_share"), {"year": years}, upper=wanted)
    at = rows[time.year - first]
    for source in case.sources:
        if hourly and not source.clean:
            site.model.add_terms(at[:, None], columns.flow[source.name], time.weight_h)
        if not hourly and source.clean:
            could = (time.weight_h * source.available).sum(axis=1)
            site.model.add_terms(at, columns.capacity[source.name], -could)
    if case.certificate_usd_mwh is not None:
        mean = np.bincount(time.year - first, time.discount) / np.bincount(time.year - first)
        cost = case.certificate_usd_mwh * mean / site.unit_usd
        bought = site.model.add_columns(site.name("certificates"), {"year": years}, cost=cost)
        site.model.add_terms(rows, bought, -1.0)
        columns.certificates["certificates"] = bought
    return rows


def _by_year(site: Building, energy: Floats) -> Floats:
    """Sums over the steps, by year."""
    return np.asarray(np.bincount(site.time.year - site.time.year.min(), energy.sum(axis=1)))


def add_emissions(model: Model, case: SiteCase, columns: SiteColumns, row: Ints) -> None:
    """Add a site's emissions [t] to a row that all sites share."""
    for source in case.sources:
        if source.name in columns.flow:
            tonnes = case.time.weight_h * source.emission_t_mwh
            model.add_terms(row, columns.flow[source.name], tonnes)
