"""From the best mixture of capacities to an answer: dispatched once more, flow by flow, and billed.

Where no shared limit has a price the mixture's capacities are dispatched as they are, which is never dearer
than the mixture. Else the mixture's own dispatches are mixed too: so the shared limits are kept exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gigawright.arrays import Floats
from gigawright.facility.dispatch.case import SiteCase
from gigawright.facility.dispatch.oracle import Dispatch, SitePeriod
from gigawright.facility.dispatch.planes import Point, Programme, Proposal, certificate_price, clean_limit
from gigawright.facility.dispatch.solve import EnergyAnswer, SiteAnswer
from gigawright.linear import Infeasible

NOTHING = 2e-6
"""Tonnes or MWh beyond a limit below this share of the load are nothing."""
UNCOVERED_MW = 1e-6
"""Load that stays uncovered below this is rounding."""
NO_STORE = 2e-7
"""Stores below this, MW or MWh, are none: sizing dispatches at least half of it."""
FREE_USD = 1e-6
"""Prices of shared limits below this are none."""


@dataclass(frozen=True, eq=False)
class Sized(EnergyAnswer):
    """An answer with the rounds it took; `bound_usd` is proven by planes alone, whatever the dispatch did."""

    rounds: int = 0


@dataclass(frozen=True, eq=False)
class Lived:
    """A unit's capacities and flows: a dispatch, or a mixture of some."""

    x: Floats
    power: Floats
    given: Floats
    charge: Floats
    discharge: Floats
    level: Floats
    price: Floats
    cost_usd: float
    emission_t: float
    grey_mwh: float
    unserved: Floats


def sized(
    programme: Programme,
    periods: Sequence[SitePeriod],
    points: Sequence[Point],
    best: Proposal,
    bound_usd: float,
    rounds: int,
    seconds: float,
) -> Sized:
    """The answer of a search. Raises linear.Infeasible where load or a shared limit is not kept."""
    case = programme.case
    mixture = [_mixed(programme, periods, points, best, u) for u in range(len(programme.units))]
    if best.carbon <= FREE_USD and (best.grey <= FREE_USD).all():
        once = [_once(periods[u], lived.x) for u, lived in enumerate(mixture)]
        kept = sum(lived.emission_t for lived in once) <= case.carbon_cap_t
        if kept and sum(lived.cost_usd for lived in once) < sum(lived.cost_usd for lived in mixture):
            mixture = once
    bought = {site.site: certificates_mwh(programme, s, mixture) for s, site in enumerate(case.sites)}
    all_is_kept(programme, mixture, bought, best)
    capital = sum(
        float(unit.capital_usd @ lived.x) for unit, lived in zip(programme.units, mixture, strict=True)
    )
    certificates = sum(
        float((price_of(site) * bought[site.site]).sum()) for site in case.sites if site.clean_share > 0.0
    )
    cost = capital + certificates + sum(lived.cost_usd for lived in mixture)
    return Sized(
        case=case,
        sites={site.site: _site_answer(programme, s, mixture, bought) for s, site in enumerate(case.sites)},
        cost_usd=cost,
        bound_usd=min(bound_usd, cost),
        emission_t=sum(lived.emission_t for lived in mixture),
        carbon_usd_t=best.carbon,
        moved={},
        seconds=seconds,
        rounds=rounds,
    )


def _once(period: SitePeriod, x: Floats) -> Lived:
    """Capacities dispatched at no shared prices."""
    return _lived(period.dispatch_at(x), x)


def _lived(done: Dispatch, x: Floats) -> Lived:
    return Lived(
        x, done.power, done.given, done.charge, done.discharge, done.level, done.price_usd_mwh,
        done.cost_usd, done.emission_t, done.grey_mwh, done.unserved,
    )  # fmt: skip


def _mixed(
    programme: Programme, periods: Sequence[SitePeriod], points: Sequence[Point], best: Proposal, u: int
) -> Lived:
    """A unit's mixture: the points' dispatches made again and mixed by their shares."""
    mine = [(share, point) for share, point in zip(best.shares, points, strict=True) if point.unit == u]
    parts = []
    for share, point in mine:
        if share > 0.0:
            done = periods[u].dispatch_at(point.x, point.carbon, point.grey)
            parts.append((share, _lived(done, point.x)))
    total = sum(share for share, _ in parts)
    x = sum((share / total * lived.x for share, lived in parts), np.zeros(len(programme.units[u].most)))

    def mix(name: str) -> Floats:
        return np.asarray(sum(share / total * getattr(lived, name) for share, lived in parts))

    own = periods[u].sources
    x[own:] = np.where(x[own:] <= NO_STORE, 0.0, x[own:])
    return Lived(
        np.clip(x, programme.units[u].least, programme.units[u].most),
        mix("power"), mix("given"), mix("charge"), mix("discharge"), mix("level"), mix("price"),
        float(mix("cost_usd")), float(mix("emission_t")), float(mix("grey_mwh")), mix("unserved"),
    )  # fmt: skip


def certificates_mwh(programme: Programme, s: int, mixture: Sequence[Lived]) -> Floats:
    """Certificates that a site's clean share asks for [year]; none where no share is asked."""
    site = programme.case.sites[s]
    if site.clean_share <= 0.0:
        return np.zeros(0)
    mine = [lived for unit, lived in zip(programme.units, mixture, strict=True) if unit.site == s]
    x, grey = np.stack([lived.x for lived in mine]), np.array([lived.grey_mwh for lived in mine])
    return clean_limit(site).missing(site, x, grey)


def price_of(site: SiteCase) -> Floats:
    """A certificate's price by year; nothing where it is not for sale, and then none may be asked for."""
    price = certificate_price(site)
    return np.zeros(1) if price is None else price


def all_is_kept(
    programme: Programme, mixture: Sequence[Lived], bought: Mapping[str, Floats], best: Proposal
) -> None:
    """Raise Infeasible where load is not covered, or a shared limit cannot be kept."""
    for unit, lived in zip(programme.units, mixture, strict=True):
        site = programme.case.sites[unit.site]
        weight = site.time.weight_h[unit.period]
        missing = np.where(lived.unserved > UNCOVERED_MW, lived.unserved, 0.0)
        if missing.any():
            raise Infeasible(
                f"{site.site} in {site.time.periods[unit.period]}: with all that may be built up to "
                f"{missing.max():,.6g} MW stay uncovered, first in step {int(np.argmax(missing > 0.0))}, "
                f"{float(missing @ weight):,.6g} MWh over {float(weight[missing > 0.0].sum()):,.6g} hours"
            )
    beyond = best.beyond + sum(
        float(bought[site.site].sum())
        for site in programme.case.sites
        if site.certificate_usd_mwh is None and best.beyond == 0.0
    )
    if beyond > NOTHING * programme.scale:
        missed = f"the emission cap or a clean share is missed by {beyond:,.1f} t or MWh"
        raise Infeasible(f"{programme.case.name}: {missed}")


def _site_answer(
    programme: Programme, s: int, mixture: Sequence[Lived], bought: Mapping[str, Floats]
) -> SiteAnswer:
    """A site's capacities and flows by name, [period] and [period, step]."""
    site = programme.case.sites[s]
    mine = [lived for unit, lived in zip(programme.units, mixture, strict=True) if unit.site == s]
    x = np.stack([lived.x for lived in mine])
    capacity = {name: x[:, i] for i, name in enumerate(capacity_names(site))}
    power = {
        source.name: capacity[source.name][:, None] * source.available
        if source.free
        else np.stack([lived.power[:, i] for lived in mine])
        for i, source in enumerate(site.sources)
    }
    stored = {
        name: {store.name: np.stack([getattr(lived, name) for lived in mine]) for store in site.stores}
        for name in ("charge", "discharge", "level")
    }
    given = {tier.name: np.stack([lived.given[:, i] for lived in mine]) for i, tier in enumerate(site.giving)}
    return SiteAnswer(
        site=site.site,
        capacity=capacity,
        power=power,
        charge=stored["charge"],
        discharge=stored["discharge"],
        stored=stored["level"],
        given=given,
        delayed={},
        caught_up={},
        certificates_mwh=bought[site.site],
        price_usd_mwh=np.stack([lived.price for lived in mine]) / site.time.discount[:, None],
    )


def capacity_names(site: SiteCase) -> tuple[str, ...]:
    """Names of a unit's capacities in their order, as the energy block has them."""
    names = [source.name for source in site.sources]
    for store in site.stores:
        names += [f"charger_{store.name}", store.name, f"energy_{store.name}"]
    return tuple(names)
