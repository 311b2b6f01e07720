"""From study, catalogue, performance and facilities to the numbers of the planning model."""

from __future__ import annotations

from collections.abc import Mapping

from gigawright.facility.dispatch.quarters import SiteSteps
from gigawright.plan.numbers.offers import offers, pools
from gigawright.plan.numbers.preparation import Preparation, offer_label
from gigawright.plan.numbers.site import build, energy, money, orders, people
from gigawright.plan.numbers.work import work
from gigawright.plan.problem import Problem, Sets


def prepare(p: Preparation, days: Mapping[str, SiteSteps]) -> Problem:
    """Every array of the planning model, in its units; `days` are the typical days by site."""
    amounts = money(p)
    return Problem(
        name=p.study.name,
        sets=sets(p),
        offers=offers(p),
        pools=pools(p),
        work=work(p),
        build=build(p),
        people=people(p),
        money=amounts,
        orders=orders(p),
        energy={plan.site: energy(p, plan.site, amounts) for plan in p.study.sites},
        days=days,
        seed=p.study.seed,
        why_not=p.why_not,
    )


def sets(p: Preparation) -> Sets:
    """Labels of every dimension."""
    roles = tuple(p.catalogue.roles)
    return Sets(
        quarters=p.quarters,
        sites=tuple(plan.site for plan in p.study.sites),
        zones=p.zones,
        offers=tuple(offer_label(system, leased) for system, leased in p.offers),
        phases=tuple(phase.name for phase in p.phases),
        streams=tuple(stream.workload for stream in p.streams),
        regions=p.regions,
        programmes=tuple(programme.name for programme in p.programmes),
        roles=roles,
        markets=("China", "abroad"),
        pools=tuple(p.catalogue.pools),
    )


__all__ = ["Preparation", "prepare"]
