"""Exact sizing of many sites, one linear problem a site, held together by one carbon price.

The Lagrangian L(p) = sum over sites of min (cost + p emissions) - p cap bounds the cost from below at every
price p >= 0, and is concave in p [Geoffrion 1974]. Where the sites at price 0 keep the cap, they are the
optimum. Else two prices bracket the best one, with emissions above and below the cap; the next price is where
their tangents meet, and the mix of the two answers that just keeps the cap is feasible, since every rule is
convex. The mix's cost and the best L close in on each other. Sites are solved side by side in processes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from gigawright.arrays import Floats
from gigawright.errors import SolverError
from gigawright.facility.dispatch.case import EnergyCase, SiteCase
from gigawright.facility.dispatch.solve import EnergyAnswer, SiteAnswer, solve_energy
from gigawright.facility.processes import each_in_processes
from gigawright.linear import Infeasible, Method

Progress = Callable[[str], None]
FIRST_PRICE_USD_T = 50.0
HIGHEST_PRICE_USD_T = 1e6
MOST_ROUNDS = 40


@dataclass(frozen=True, eq=False)
class _Priced:
    """All sites at one carbon price: what they cost without it, emit, and the bound it proves."""

    price: float
    answers: tuple[EnergyAnswer, ...]
    cost: float
    emission: float
    bound: float


@dataclass(frozen=True, eq=False)
class _Job:
    site: SiteCase
    price: float
    method: Method | None


def _answer(job: _Job) -> EnergyAnswer:
    """One site at a carbon price; importable, so that another process can do it."""
    # Tonnes are priced undiscounted, and the block discounts what energy costs.
    per_t = job.price / job.site.time.discount[:, None]
    sources = tuple(
        replace(source, energy_usd_mwh=source.energy_usd_mwh + per_t * source.emission_t_mwh)
        if source.emission_t_mwh.any()
        else source
        for source in job.site.sources
    )
    return solve_energy(EnergyCase(job.site.site, (replace(job.site, sources=sources),)), job.method)


def size_split(
    case: EnergyCase,
    gap: float = 1e-4,
    processes: int = 1,
    method: Method | None = None,
    first_price_usd_t: float = FIRST_PRICE_USD_T,
    progress: Progress = lambda text: None,
) -> EnergyAnswer:
    """Size and dispatch every site exactly, the shared emission cap kept, to within `gap` of a proven bound.

    `first_price_usd_t`: the price to try after 0, where the cap binds. Raises ValueError where load moves
    between sites (they cannot be split), Infeasible where no price brings the emissions under the cap.
    """
    if case.moves:
        raise ValueError("sites between which load moves cannot be solved apart; use solve_energy")

    def at(price: float) -> _Priced:
        return _at(case, price, processes, method, progress)

    low = at(0.0)
    if low.emission <= case.carbon_cap_t * (1.0 + 1e-9):
        return _together(case, low, low, 0.0, low.bound)
    high = at(first_price_usd_t)
    while high.emission > case.carbon_cap_t:
        if high.price >= HIGHEST_PRICE_USD_T:
            raise Infeasible(case.name)
        low, high = high, at(4.0 * high.price)
    best = max(low.bound, high.bound)
    for _ in range(MOST_ROUNDS):
        share = (low.emission - case.carbon_cap_t) / (low.emission - high.emission)
        mixed = (1.0 - share) * low.cost + share * high.cost
        if mixed - best <= gap * abs(mixed):
            return _together(case, low, high, share, best)
        middle = at((high.cost - low.cost) / (low.emission - high.emission))
        best = max(best, middle.bound)
        low, high = (middle, high) if middle.emission > case.carbon_cap_t else (low, middle)
    raise SolverError(f"{case.name}: the carbon price did not settle in {MOST_ROUNDS} rounds")


def _at(case: EnergyCase, price: float, processes: int, method: Method | None, progress: Progress) -> _Priced:
    jobs = [_Job(site, price, method) for site in case.sites]
    answers = []
    for job, answer in zip(jobs, each_in_processes(_answer, jobs, processes), strict=True):
        answers.append(answer)
        progress(f"sized {job.site.site} at {price:,.1f} USD/t ({len(answers)} of {len(jobs)})")
    emission = sum(answer.emission_t for answer in answers)
    paid = sum(answer.cost_usd for answer in answers)
    cap = case.carbon_cap_t if price else 0.0
    bound = sum(answer.bound_usd for answer in answers) - price * cap
    return _Priced(price, tuple(answers), paid - price * emission, emission, bound)


def _together(case: EnergyCase, low: _Priced, high: _Priced, share: float, bound: float) -> EnergyAnswer:
    """The mix of two answers, as one."""
    sites = {
        site.site: _mixed(a.sites[site.site], b.sites[site.site], share)
        for site, a, b in zip(case.sites, low.answers, high.answers, strict=True)
    }
    cost = (1.0 - share) * low.cost + share * high.cost
    return EnergyAnswer(
        case=case,
        sites=sites,
        cost_usd=cost,
        bound_usd=min(bound, cost),
        emission_t=(1.0 - share) * low.emission + share * high.emission,
        carbon_usd_t=(1.0 - share) * low.price + share * high.price,
        moved={},
        seconds=sum(answer.seconds for answer in (*low.answers, *high.answers)),
    )


def _mixed(low: SiteAnswer, high: SiteAnswer, share: float) -> SiteAnswer:
    def mix(a: Floats, b: Floats) -> Floats:
        return np.asarray((1.0 - share) * a + share * b)

    def each(a: Mapping[str, Floats], b: Mapping[str, Floats]) -> dict[str, Floats]:
        return {name: mix(a[name], b[name]) for name in a}

    if share == 0.0:
        return low
    return SiteAnswer(
        site=low.site,
        capacity=each(low.capacity, high.capacity),
        power=each(low.power, high.power),
        charge=each(low.charge, high.charge),
        discharge=each(low.discharge, high.discharge),
        stored=each(low.stored, high.stored),
        given=each(low.given, high.given),
        delayed=each(low.delayed, high.delayed),
        caught_up=each(low.caught_up, high.caught_up),
        certificates_mwh=mix(low.certificates_mwh, high.certificates_mwh),
        price_usd_mwh=mix(low.price_usd_mwh, high.price_usd_mwh),
        started=each(low.started, high.started),
    )
