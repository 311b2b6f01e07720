"""Offers and the pools that supply them: prices, what may be ordered where and when, what stands already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gigawright.arrays import Bools, Floats
from gigawright.clock import Quarter
from gigawright.plan.numbers.preparation import Preparation, offer_label
from gigawright.plan.problem import DESIGNS, Offers, Pools

if TYPE_CHECKING:
    from gigawright.catalogue.types import System

KILO = 1e3


def offers(p: Preparation) -> Offers:
    """Every array of the offers."""
    systems, leased = p.systems, np.array([leased for _, leased in p.offers])
    plans = {plan.system: plan for plan in p.study.systems}
    idle = np.array([p.performance.idle_kw[system.id] for system in systems])
    kw = np.array([system.kw_per_accelerator for system in systems])
    return Offers(
        system=tuple(system.id for system in systems),
        leased=leased,
        design=np.array([DESIGNS.index(system.cooling) for system in systems]),
        kw_max=np.where(leased, 0.0, kw),
        kw_idle=np.where(leased, 0.0, idle),
        domestic=np.array([is_domestic(system, p.study.buyer.headquarters) for system in systems]),
        lead=np.array(
            [1 if rented else system.lead_quarters for system, rented in zip(systems, leased, strict=True)]
        ),
        life_quarters=np.array([round(system.life_years * 4) for system in systems]),
        prepay=np.array([system.prepay_share for system in systems]),
        lease_term=np.array([plans[s.id].lease_term if s.id in plans else 4 for s in systems]),
        price=_prices(p),
        lease_price=_lease_prices(p),
        may_order=_may_order(p),
        existing=_existing(p),
    )


def _prices(p: Preparation) -> Floats:
    """M USD per kacc by site, offer and quarter: the system's parts, duty where the rules put one."""
    shape = (len(p.study.sites), len(p.offers), len(p.quarters))
    price = np.zeros(shape)
    escalation = (1.0 + p.catalogue.constants.price_escalation) ** (np.arange(len(p.quarters)) / 4.0)
    for k, system in enumerate(p.systems):
        for s, plan in enumerate(p.study.sites):
            country = p.catalogue.sites[plan.site].country
            for q in range(len(p.quarters)):
                lands = p.quarters[min(q + system.lead_quarters, len(p.quarters) - 1)]
                duty = p.catalogue.verdicts[system.id, country, lands].duty_share
                rest = system.server_kusd + system.network_kusd + system.storage_kusd
                price[s, k, q] = (system.chip_kusd or 0.0) * (1.0 + duty) + rest
    return np.asarray(price * escalation)


def _lease_prices(p: Preparation) -> Floats:
    """M USD per kacc and quarter for leased offers: USD per accelerator-hour x hours."""
    hours = np.array([quarter.hours for quarter in p.quarters])
    usd = np.array([system.lease_usd_per_hour or 0.0 for system in p.systems])
    return np.asarray(usd[:, None] * hours * 1e-3)


def _may_order(p: Preparation) -> Bools:
    """Where rules, supply, halls and time allow an order; `why_not` keeps the reason of each refusal."""
    may = np.zeros((len(p.study.sites), len(p.offers), len(p.quarters)), bool)
    plans = {plan.system: plan for plan in p.study.systems}
    for k, (name, leased) in enumerate(p.offers):
        for s in range(len(p.study.sites)):
            if name not in plans:
                continue
            for q, quarter in enumerate(p.quarters):
                reason = _refusal(p, s, name, leased, q, quarter)
                may[s, k, q] = not reason
                if reason:
                    p.why_not.setdefault((p.study.sites[s].site, offer_label(name, leased)), reason)
    return may


def is_domestic(system: System, headquarters: str) -> bool:
    """Whether a system is made at the buyer's home: chips are made for China or for the rest of the world."""
    return (system.accelerator.made_for == "China") == (headquarters == "China")


def _refusal(p: Preparation, s: int, name: str, leased: bool, q: int, quarter: Quarter) -> str:
    """Why a system may not be ordered for a site in a quarter; empty where it may."""
    plan, system = p.study.sites[s], p.catalogue.systems[name]
    site = p.catalogue.sites[plan.site]
    pools = _pools_of(p, name, site.country, leased)
    lead = 1 if leased else system.lead_quarters
    if q + lead >= len(p.quarters):
        return "would arrive after the horizon"
    if system.available_from and quarter + lead < system.available_from:
        return f"not delivered before {system.available_from}"
    unsupplied = "no supply pool of the study gives it there" if p.study.supply and not pools else ""
    if leased:
        return unsupplied
    if plan.domestic_only and not is_domestic(system, p.study.buyer.headquarters):
        return "only domestic systems may stand at this site"
    if name in p.catalogue.not_predictable:
        return f"not predictable: missing {', '.join(p.catalogue.not_predictable[name])}"
    stands = plan.existing.liquid if system.cooling == "liquid" else plan.existing.air
    if not stands and not (plan.build and system.cooling in plan.designs):
        return f"no {system.cooling}-cooled halls at this site"
    outcome = p.catalogue.verdicts[name, site.country, quarter + lead]
    if outcome.verdict == "denied":
        return f"{outcome.rule}: {outcome.reason}"
    if outcome.verdict == "review" and not any(p.catalogue.pools[pool].licence for pool in pools):
        return f"{outcome.rule}: eligible for review, which is not supply: no licence is known"
    return unsupplied


def _pools_of(p: Preparation, system: str, country: str, leased: bool) -> list[str]:
    mode = "lease" if leased else "buy"
    return [
        name
        for name, pool in p.catalogue.pools.items()
        if pool.mode == mode and system in pool.systems and (not pool.countries or country in pool.countries)
    ]


def _existing(p: Preparation) -> Floats:
    """What stands without any order, from when and until when [site, offer, quarter] kacc."""
    found = np.zeros((len(p.study.sites), len(p.offers), len(p.quarters)))
    sites = [plan.site for plan in p.study.sites]
    for row in p.installed:
        k = p.offers.index((row.system, row.leased))
        first, last = row.since or p.quarters[0], row.until or p.quarters[-1]
        serves = np.array([first <= quarter <= last for quarter in p.quarters])
        found[sites.index(row.site), k] += row.accelerators.value / KILO * serves
    return found


def pools(p: Preparation) -> Pools:
    """Which orders each pool covers and what it has given by each quarter."""
    names = list(p.catalogue.pools)
    covers = np.zeros((len(names), len(p.study.sites), len(p.offers)), bool)
    cap = np.zeros((len(names), len(p.quarters)))
    existing = _existing(p)
    for i, (name, pool) in enumerate(p.catalogue.pools.items()):
        for s, plan in enumerate(p.study.sites):
            country = p.catalogue.sites[plan.site].country
            for k, (system, leased) in enumerate(p.offers):
                covers[i, s, k] = name in _pools_of(p, system, country, leased)
        known = sorted(pool.cap_kacc)
        for q, quarter in enumerate(p.quarters):
            before = [have for have in known if have <= quarter]
            cap[i, q] = pool.cap_kacc[before[-1]] if before else 0.0
        if pool.mode == "lease":
            # What is already on lease was agreed before; the pool never forces it back.
            cap[i] = np.maximum(cap[i], (existing * covers[i][:, :, None]).sum(axis=(0, 1)))
    return Pools(covers, cap, np.array([pool.mode == "lease" for pool in p.catalogue.pools.values()], bool))
