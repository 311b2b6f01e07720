"""Exact sizing of sites with one store: cuts of every hour's dispatch, no hour left out, with a proven bound.

Each round dispatches every unit (a period of a site) at trial capacities and shared prices. A dispatch gives
a plane below the cost of all capacities (`oracle`) and a point that can be built. A linear problem over all
planes bounds the cost from below and proposes; one over mixtures of all points gives the best plan so far
(`planes`). The next trial lies between the best plan and the proposal, which keeps it where planes are near.
[Kelley 1960; Dantzig and Wolfe 1960 for the mixtures; the step between as Ben-Ameur and Neto 2007]
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.errors import SolverError
from gigawright.facility.dispatch.case import EnergyCase, SiteCase
from gigawright.facility.dispatch.covered import covered
from gigawright.facility.dispatch.oracle import UNSERVED_USD_MWH, Dispatch, SitePeriod
from gigawright.facility.dispatch.planes import CLOSE_GAP, Cut, Point, Programme, Proposal, Unit, tied
from gigawright.facility.dispatch.sized import Sized, capacity_names, sized

STEP = 0.3
"""Share of the way from the best plan to the proposal; on three sites 0.2 takes as many rounds, 0.5 more."""
MOST_ROUNDS = 400
FLOOR = 1e-7
"""Least store that is dispatched while sizing, MW and MWh: without any, nothing tells what one is worth."""
REACH_SHARES = 30.0
"""Capacities are looked for up to so many times the greatest load over the mean of what is available."""


GROWTH = 2.0
NEAR_SHARES = 0.01
"""What is proposed is at most so many times the best plan, and this share of the reach beyond it."""
SAMPLE_ONE_IN = 8
SAMPLE_STEPS = 168
SAMPLE_GAP = 0.01
SAMPLE_ROUNDS = 60
"""A long case starts from what one week in eight wants, to within 1%."""
PENALTY_SHARES = 3.0
"""Load that nothing covers costs so many times the dearest MW of all periods: building is cheaper."""


def takes(case: EnergyCase) -> str | None:
    """Why this way cannot size a case, or None where it can."""
    if case.moves:
        return "load that moves between sites"
    for site in case.sites:
        reasons = {
            "more than one store": len(site.stores) > 1,
            "load that is done later": bool(site.delays),
            "outages to live through": bool(site.outages),
            "reserve that stands ready": site.reserve_share > 0.0,
            "no load": site.load_mw is None,
            "power that comes over another source's line": any(source.over for source in site.sources),
            "a plant's least load": any(source.least_share > 0.0 for source in site.sources),
            "a plant's start cost": any(source.start_usd_mw > 0.0 for source in site.sources),
            "a plant's ramp": any(np.isfinite(source.ramp_share_h) for source in site.sources),
        }
        for reason, holds in reasons.items():
            if holds:
                return f"{site.site}: {reason}"
    return None


def size_exact(
    case: EnergyCase,
    gap: float = 1e-4,
    processes: int = 2,
    start: Mapping[str, Mapping[str, Floats]] | None = None,
) -> Sized:
    """Size and dispatch all sites over every step to within `gap` of a proven bound.

    `start`: capacities to try first, site -> name -> [period], where some are known; what is left out is 0.

    `processes` threads dispatch units side by side (compiled code holds no lock). Raises SolverError where
    the kernel does not take the case (`takes`), and where load or a limit cannot be kept: how much and where.
    """
    reason = takes(case)
    if reason is not None:
        raise SolverError(f"{case.name}: the fast dispatch does not take {reason}")
    began = time.perf_counter()
    with ThreadPoolExecutor(max(processes, 1)) as pool:
        search = Search(case, pool)
        trial = first_trial(case, pool) if start is None else trial_of(search.programme, start)
        best = search.run(trial, gap)
        seconds = time.perf_counter() - began
        return sized(
            search.programme, search.periods, search.points, best, search.bound, search.rounds, seconds
        )


class Search:
    """Trials, planes and points of one case."""

    def __init__(self, case: EnergyCase, pool: ThreadPoolExecutor) -> None:
        self.case, self.pool = case, pool
        self.programme = Programme(case)
        self.units = self.programme.units
        penalty = dearer_than_building(case)
        self.periods = [SitePeriod(case.sites[unit.site], unit.period, penalty) for unit in self.units]
        self.reach = np.stack([self._reach(unit) for unit in self.units])
        self.cuts: list[Cut] = []
        self.points: list[Point] = []
        self.bound, self.rounds = -np.inf, 0

    def _reach(self, unit: Unit) -> Floats:
        """How far capacities are looked for, where no limit is nearer."""
        site = self.case.sites[unit.site]
        peak = max(float(np.max(site.load_mw)) if site.load_mw is not None else 0.0, 1.0)
        reach = np.full(self.programme.width, REACH_SHARES * peak)
        for i, source in enumerate(site.sources):
            reach[i] /= max(float(source.available[unit.period].mean()), 0.03)
        reach[len(site.sources) + 2 :] *= 24.0
        return np.asarray(reach)

    def run(self, trial: Proposal, gap: float, sample: bool = False) -> Proposal:
        """Rounds until the best mixture is within the gap of the bound; that mixture.

        A sample ends without being that close, where it takes long. Raises SolverError.
        """
        for _ in range(SAMPLE_ROUNDS if sample else MOST_ROUNDS):
            self.rounds += 1
            self.ask(trial)
            best = self.programme.mixed(self.points)
            lowest = self.programme.lowest(self.cuts, self.reach)
            self.bound = max(self.bound, lowest.total_usd)
            apart = (best.total_usd - self.bound) / max(abs(best.total_usd), 1.0)
            self.programme.closely = apart <= CLOSE_GAP
            if apart <= gap:
                if self.within_reach(lowest):
                    return best
                self.reach, self.bound = 4.0 * self.reach, -np.inf
            trial = between(best, self.nearer(best, lowest))
        if sample:
            return best
        raise SolverError(f"{self.case.name}: not within {gap:g} of the bound after {MOST_ROUNDS} rounds")

    def nearer(self, best: Proposal, lowest: Proposal) -> Proposal:
        """A proposal not too far from the best plan: the first ones rest on few planes and may be far off."""
        near = GROWTH * best.x + NEAR_SHARES * self.reach
        if (lowest.x <= near).all():
            return lowest
        return self.programme.lowest(self.cuts, np.minimum(self.reach, near))

    def within_reach(self, lowest: Proposal) -> bool:
        """Whether the bound rests on true limits alone: no capacity is held back by how far it is sought."""
        for u, unit in enumerate(self.units):
            x, reach = lowest.x[u, : len(unit.most)], self.reach[u, : len(unit.most)]
            if ((x > 0.999 * reach) & (reach < unit.most)).any():
                return False
        return True

    def ask(self, trial: Proposal) -> None:
        """Dispatch every unit at the trial; keep its planes, and its points with all load covered."""
        answers = list(self.pool.map(lambda u: self._dispatch(u, trial), range(len(self.units))))
        extra: dict[int, Floats] = {}
        for u, (x, done) in enumerate(answers):
            period, unit, prices = self.periods[u], self.units[u], (trial.carbon, float(trial.grey[u]))
            own, plane = period.sources, done.plane
            slope = np.r_[plane.source, plane.charge, plane.discharge, plane.energy][: len(x)]
            self.cuts.append(Cut(u, plane.constant, slope, *prices))
            site = self.case.sites[unit.site]
            whole = covered(site, period, done, extra.get(unit.site, np.zeros(own)), unit)
            extra[unit.site] = np.where([source.kept for source in site.sources], whole.more, 0.0)
            used = (whole.cost_usd, whole.emission_t, whole.grey_mwh)
            self.points.append(Point(u, np.r_[x[:own] + whole.more, x[own:]], *used, *prices))

    def _dispatch(self, u: int, trial: Proposal) -> tuple[Floats, Dispatch]:
        """Capacities of a trial, with a store large enough to tell what one is worth, and the dispatch."""
        period, most = self.periods[u], self.units[u].most
        x = np.clip(trial.x[u, : len(most)], 0.0, most)
        x[period.sources :] = np.maximum(x[period.sources :], np.minimum(FLOOR, most[period.sources :]))
        tied(self.case.sites[self.units[u].site], x)
        return x, period.dispatch_at(x, trial.carbon, float(trial.grey[u]))


def between(best: Proposal, lowest: Proposal) -> Proposal:
    """A trial on the way from the best plan to the proposal, in capacities and in shared prices."""
    return replace(
        best,
        x=best.x + STEP * (lowest.x - best.x),
        carbon=best.carbon + STEP * (lowest.carbon - best.carbon),
        grey=best.grey + STEP * (lowest.grey - best.grey),
    )


def dearer_than_building(case: EnergyCase) -> float:
    """A price of unserved load above that of building for one hour [USD/MWh]."""
    dearest = [UNSERVED_USD_MWH]
    for site in case.sites:
        built = [source.capacity_usd_mw.sum() for source in site.sources]
        hours = float(site.time.weight_h[site.time.weight_h > 0.0].min())
        dearest.append(PENALTY_SHARES * float(max(built, default=0.0)) / hours)
    return max(dearest)


def first_trial(case: EnergyCase, pool: ThreadPoolExecutor) -> Proposal:
    """Capacities to try first: what a sample of weeks wants; of a short case the peak load each."""
    sample = thinned(case)
    if sample is not None:
        search = Search(sample, pool)
        return search.run(first_trial(sample, pool), SAMPLE_GAP, sample=True)
    programme = Programme(case)
    x = np.zeros((len(programme.units), programme.width))
    for u, unit in enumerate(programme.units):
        site = case.sites[unit.site]
        peak = 0.0 if site.load_mw is None else float(np.max(site.load_mw))
        own = len(site.sources)
        x[u, :own] = np.clip(peak, unit.least[:own], unit.most[:own])
        x[u, own : len(unit.most)] = np.clip(0.1 * peak, unit.least[own:], unit.most[own:])
        tied(site, x[u])
    return Proposal(x, 0.0, np.zeros(len(programme.units)), np.inf, 0.0, np.zeros(0))


def trial_of(programme: Programme, start: Mapping[str, Mapping[str, Floats]]) -> Proposal:
    """A trial at given capacities, brought within their limits and ties."""
    x = np.zeros((len(programme.units), programme.width))
    for u, unit in enumerate(programme.units):
        site = programme.case.sites[unit.site]
        given = start.get(site.site, {})
        for i, name in enumerate(capacity_names(site)):
            if name in given:
                x[u, i] = given[name][unit.period]
        x[u, : len(unit.most)] = np.clip(x[u, : len(unit.most)], unit.least, unit.most)
        tied(site, x[u])
    return Proposal(x, 0.0, np.zeros(len(programme.units)), np.inf, 0.0, np.zeros(0))


def thinned(case: EnergyCase) -> EnergyCase | None:
    """One week in eight of a long case, each for itself; None where it is short."""
    steps = case.sites[0].time.shape[1]
    alike = all(site.time.shape[1] == steps for site in case.sites)
    if steps < SAMPLE_STEPS * SAMPLE_ONE_IN or not alike:
        return None
    chunk = np.arange(steps) // SAMPLE_STEPS
    kept = np.flatnonzero(chunk % SAMPLE_ONE_IN == SAMPLE_ONE_IN // 2)
    return replace(case, sites=tuple(_thin_site(site, kept, chunk[kept]) for site in case.sites))


def _thin_site(site: SiteCase, kept: Ints, chunk: Ints) -> SiteCase:
    time = site.time
    weight = time.weight_h[:, kept] * (time.weight_h.sum(1) / time.weight_h[:, kept].sum(1))[:, None]
    cycle = time.cycle[kept] * (chunk.max() + 1) + chunk
    sources = tuple(
        replace(
            source,
            available=source.available[:, kept],
            energy_usd_mwh=source.energy_usd_mwh[:, kept],
            emission_t_mwh=source.emission_t_mwh[:, kept],
        )
        for source in site.sources
    )
    giving = tuple(replace(tier, most_mw=tier.most_mw[:, kept]) for tier in site.giving)
    load = None if site.load_mw is None else site.load_mw[:, kept]
    return replace(
        site, time=replace(time, weight_h=weight, cycle=cycle), sources=sources, giving=giving, load_mw=load
    )
