"""The dispatch of every step at given sizes: what sizes found elsewhere truly cost.

Sun, wind and stores stay as they are given. Plants and the grid's connection may grow where the load needs
them, and are paid for, so that no load goes unserved and the cost is one that can be had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from gigawright import linear
from gigawright.arrays import Floats
from gigawright.facility.dispatch.case import EnergyCase
from gigawright.facility.dispatch.solve import EnergyAnswer, build_energy, emission_t, read_answer
from gigawright.linear import Infeasible

Capacities = Mapping[str, Mapping[str, Floats]]
# Up to so many steps of all sites a dispatch under the cap is one problem; beyond, a carbon price is sought
# under which the sites, one by one, stay within this share below the cap.
TOGETHER_STEPS = 6000
BELOW_CAP = 1e-3
MOST_PRICES = 12
FIRST_PRICE_USD_T = 50.0
# A cap counts as kept within this share of it: the solver's own tolerance.
KEPT = 1e-7


def parts_of(case: EnergyCase) -> tuple[EnergyCase, ...]:
    """What may have weeks of its own: each site, or all together where load moves between them."""
    if case.moves:
        return (case,)
    return tuple(EnergyCase(site.site, (site,)) for site in case.sites)


def dispatch_year(
    case: EnergyCase, capacities: Capacities, price_usd_t: float = FIRST_PRICE_USD_T
) -> EnergyAnswer:
    """Dispatch every step at given sizes; plants and connections may grow, the emission cap holds.

    Sites go one by one as long as their cheapest dispatch keeps the cap, else all in one problem, or one by
    one under a carbon price that is sought from `price_usd_t`. Where the cap cannot be kept with plants and
    connections alone, every size may grow. `bound_usd` is left at -inf: the dispatch proves nothing about
    sizes. Raises Infeasible where no growth helps.
    """
    try:
        return _dispatch(case, capacities, True, price_usd_t)
    except Infeasible:
        return _dispatch(case, capacities, False, price_usd_t)


def _dispatch(case: EnergyCase, capacities: Capacities, firm: bool, price_usd_t: float) -> EnergyAnswer:
    if not case.moves:
        cheapest = _one_by_one(case, capacities, firm, 0.0)
        if cheapest.emission_t <= case.carbon_cap_t * (1.0 + KEPT):
            return cheapest
        if sum(site.time.weight_h.size for site in case.sites) > TOGETHER_STEPS:
            return _under_a_price(case, capacities, firm, cheapest, price_usd_t)
    return replace(_at_sizes(case, capacities, firm), bound_usd=-np.inf, proven=False)


def _one_by_one(case: EnergyCase, capacities: Capacities, firm: bool, price_usd_t: float) -> EnergyAnswer:
    """All sites at one carbon price, what it takes in not counted as cost."""
    alone = [_at_sizes(_priced(part, price_usd_t), capacities, firm) for part in parts_of(case)]
    return _joined(case, alone, price_usd_t)


def _under_a_price(
    case: EnergyCase, capacities: Capacities, firm: bool, dirty: EnergyAnswer, price_usd_t: float
) -> EnergyAnswer:
    """The dispatch at a carbon price that just keeps the cap: secants between a price above and one below."""
    cap, price = case.carbon_cap_t, max(price_usd_t, 1.0)
    clean: EnergyAnswer | None = None
    for _ in range(MOST_PRICES):
        found = _one_by_one(case, capacities, firm, price)
        if found.emission_t > cap:
            dirty = found
        else:
            clean = found
            if clean.emission_t >= cap * (1.0 - BELOW_CAP):
                break
        if clean is None:
            price *= 1.5
            continue
        aim = cap * (1.0 - BELOW_CAP / 2.0)
        share = (dirty.emission_t - aim) / max(dirty.emission_t - clean.emission_t, 1e-12)
        # Emissions fall in steps, so the secant is kept away from where it has been.
        price = dirty.carbon_usd_t + np.clip(share, 0.1, 0.9) * (clean.carbon_usd_t - dirty.carbon_usd_t)
    if clean is None:
        raise Infeasible(case.name)
    return clean


def _priced(part: EnergyCase, price_usd_t: float) -> EnergyCase:
    """Every source's energy dearer by what its tonnes cost; tonnes are priced undiscounted."""
    if not price_usd_t:
        return part
    sites = []
    for site in part.sites:
        per_t = price_usd_t / site.time.discount[:, None]
        sources = tuple(
            replace(source, energy_usd_mwh=source.energy_usd_mwh + per_t * source.emission_t_mwh)
            for source in site.sources
        )
        sites.append(replace(site, sources=sources))
    return replace(part, sites=tuple(sites))


def _at_sizes(case: EnergyCase, capacities: Capacities, firm: bool) -> EnergyAnswer:
    """The cheapest dispatch at sizes that may grow: those of plants and grid (`firm`), or all."""
    built = build_energy(case)
    columns, lower, upper = built.assembled.model.columns, built.assembled.lower, built.assembled.upper
    for site in case.sites:
        growing = {source.name for source in site.sources if not source.free}
        for name, values in capacities[site.site].items():
            if (block := columns.get(f"{name}:{site.site}")) is None:
                continue
            at = block.at
            lower[at] = np.clip(values, lower[at], upper[at])
            if firm and name not in growing:
                upper[at] = lower[at]
    return read_answer(built, linear.solve(built.assembled, method="simplex"))


def _joined(case: EnergyCase, answers: Sequence[EnergyAnswer], price_usd_t: float) -> EnergyAnswer:
    """Answers of sites at one carbon price, as one; the price itself is no cost."""
    emission = sum(answer.emission_t for answer in answers)
    return EnergyAnswer(
        case=case,
        sites={name: site for answer in answers for name, site in answer.sites.items()},
        cost_usd=sum(answer.cost_usd for answer in answers) - price_usd_t * emission,
        bound_usd=-np.inf,
        emission_t=emission,
        carbon_usd_t=price_usd_t,
        moved={},
        seconds=sum(answer.seconds for answer in answers),
        proven=False,
    )


def emissions_kept(answer: EnergyAnswer) -> bool:
    """Whether the emissions of all steps are within the cap, to the solver's tolerance."""
    total = sum(emission_t(site, answer.sites[site.site].power) for site in answer.case.sites)
    return total <= answer.case.carbon_cap_t * (1.0 + KEPT)
