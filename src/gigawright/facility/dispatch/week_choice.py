"""Representative weeks of sites: which are chosen, what each stands for, the case cut down to them.

A horizon of steps is cut into candidate weeks; the last one is moved forward to end with the horizon and owns
only the steps that no other week holds. The chosen weeks are exact medoids: no other choice of as many weeks
lies nearer to all. Every series keeps its mean, so energy and emissions of a year are those of the year.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from gigawright import linear
from gigawright.arrays import Floats, Ints
from gigawright.facility.dispatch.case import Delay, EnergyCase, Giving, Move, Outage, SiteCase, Source
from gigawright.facility.dispatch.typical import restore_mean
from gigawright.linear import Model

WEEK_H = 168.0
FLAT = 1e-12
"""Below this spread a series is taken as constant: it tells no week from another."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """The weeks that may be chosen: first steps [week], steps each owns [week], steps of a week [count].

    `distance` [week, week]: how unlike two weeks are.
    """

    starts: Ints
    owned: Ints
    steps: int
    distance: Floats

    @property
    def of_step(self) -> Ints:
        """The week that owns each step of the horizon [step]."""
        return np.repeat(np.arange(len(self.starts)), self.owned)


@dataclass(frozen=True, eq=False)
class Choice:
    """Chosen weeks, in order, and for every candidate the position of the chosen week that stands for it.

    `forced`: weeks that must be among them, whatever else is chosen.
    """

    candidates: Candidates
    chosen: Ints
    of_week: Ints
    forced: frozenset[int] = frozenset()

    @property
    def steps_stood_for(self) -> Ints:
        """Steps of the horizon that each chosen week stands for [chosen]; they sum to the horizon."""
        return np.bincount(self.of_week, self.candidates.owned, minlength=len(self.chosen)).astype(np.int64)

    @property
    def at(self) -> Ints:
        """Steps of the horizon that are kept, week after week [chosen x steps of a week]."""
        return np.asarray(
            (self.candidates.starts[self.chosen][:, None] + np.arange(self.candidates.steps)).ravel()
        )

    @property
    def factor(self) -> Floats:
        """How often each kept step occurs [chosen x steps of a week]."""
        return np.repeat(self.steps_stood_for / self.candidates.steps, self.candidates.steps)


def candidates_of(case: EnergyCase) -> Candidates:
    """Candidate weeks of sites that share a timeline, and how unlike they are.

    A week is described by every series that varies - what is available, prices, emission factors, load - in
    units of its own spread over the horizon; the distance is the sum of squares over all steps. Raises
    ValueError where the steps of the sites differ.
    """
    counts = {len(site.time.cycle) for site in case.sites}
    if len(counts) != 1 or len({site.time.step_h for site in case.sites}) != 1:
        raise ValueError(f"{case.name}: sites that exchange load need the same steps")
    count, step_h = counts.pop(), case.sites[0].time.step_h
    steps = min(max(round(WEEK_H / step_h), 1), count)
    starts = np.arange(0, count - steps + 1, steps)
    owned = np.full(len(starts), steps)
    if left := count - int(owned.sum()):
        starts, owned = np.r_[starts, count - steps], np.r_[owned, left]
    at = starts[:, None] + np.arange(steps)
    points = [series[at] / spread for series in _series(case) if (spread := float(series.std())) > FLAT]
    distance = np.zeros((len(starts), len(starts)))
    for values in points:
        squares = (values**2).sum(axis=1)
        distance += np.maximum(squares[:, None] + squares - 2.0 * values @ values.T, 0.0)
    np.fill_diagonal(distance, 0.0)
    return Candidates(starts, owned, steps, distance)


def _series(case: EnergyCase) -> Iterable[Floats]:
    """Every series by which weeks differ, each [step]."""
    for site in case.sites:
        for source in site.sources:
            yield from source.available
            yield from source.energy_usd_mwh
            yield from source.emission_t_mwh
        if site.load_mw is not None:
            yield from site.load_mw


def medoids(distance: Floats, weight: Ints, count: int, forced: Iterable[int] = ()) -> Ints:
    """The `count` members nearest to all, weighted, the forced ones among them: the p-median, exactly.

    minimise sum_ij weight_i distance_ij z_ij with z_ij <= y_j, sum_j z_ij = 1, sum_j y_j = count, y binary
    [ReVelle and Swain 1970]; its relaxation is nearly always whole, so 53 weeks take about 0.1 s.

    >>> line = np.array([0.0, 1.0, 2.0, 10.0, 11.0])
    >>> medoids(abs(line[:, None] - line), np.ones(5, np.int64), 2)
    array([1, 3])
    >>> medoids(abs(line[:, None] - line), np.ones(5, np.int64), 2, forced=[4])
    array([1, 4])
    """
    names = tuple(map(str, range(len(distance))))
    if count >= len(names):
        return np.arange(len(names))
    scale = float((distance * weight[:, None]).max()) or 1.0
    model = Model("medoids")
    least = np.zeros(len(names))
    least[list(forced)] = 1.0
    opened = model.add_columns("opened", {"week": names}, lower=least, upper=1.0, integer=True)
    served = model.add_columns(
        "served", {"week": names, "by": names}, upper=1.0, cost=distance * weight[:, None] / scale
    )
    once = model.add_rows("once", {"week": names}, lower=1.0, upper=1.0)
    model.add_terms(once[:, None], served, 1.0)
    only = model.add_rows("only", {"week": names, "by": names}, upper=0.0)
    model.add_terms(only, served, 1.0)
    model.add_terms(only, opened[None, :], -1.0)
    model.add_terms(model.add_rows("count", {}, upper=max(count, int(least.sum()))), opened, 1.0)
    return np.flatnonzero(linear.solve(model.assemble()).of("opened") > 0.5)


def choose(candidates: Candidates, chosen: Iterable[int], forced: Iterable[int] = ()) -> Choice:
    """The chosen weeks, each standing for the candidates that are nearest to it, itself always included."""
    places = np.array(sorted(set(map(int, chosen))), np.int64)
    of_week = candidates.distance[places].argmin(axis=0)
    of_week[places] = np.arange(len(places))
    return Choice(candidates, places, of_week, frozenset(forced))


def forced_weeks(case: EnergyCase, candidates: Candidates) -> set[int]:
    """Weeks that must be there: those in which an outage begins."""
    return {int(candidates.of_step[outage.first]) for site in case.sites for outage in site.outages}


def cut_case(case: EnergyCase, choice: Choice) -> EnergyCase:
    """The case on the chosen weeks alone, each a cycle of its own; means and sums are the horizon's."""
    sites = tuple(_cut_site(site, choice) for site in case.sites)
    return replace(case, sites=sites, moves=tuple(_cut_move(move, choice.at) for move in case.moves))


def _cut_site(site: SiteCase, choice: Choice) -> SiteCase:
    time, at = site.time, choice.at
    weight_h = time.weight_h[:, at] * choice.factor
    # Where steps of a period weigh differently the sum is kept too.
    weight_h *= (time.weight_h.sum(axis=1) / weight_h.sum(axis=1))[:, None]
    cycle = np.repeat(np.arange(len(choice.chosen)), choice.candidates.steps)

    def kept(series: Floats, ceiling: float) -> Floats:
        return keep_means(series, time.weight_h, at, weight_h, ceiling)

    return replace(
        site,
        time=replace(time, weight_h=weight_h, cycle=cycle),
        sources=tuple(_cut_source(source, kept) for source in site.sources),
        giving=tuple(_cut_giving(giving, at) for giving in site.giving),
        delays=tuple(_cut_delay(delay, at) for delay in site.delays),
        outages=tuple(_cut_outage(outage, choice) for outage in site.outages),
        load_mw=None if site.load_mw is None else kept(site.load_mw, np.inf),
    )


def keep_means(series: Floats, weight_h: Floats, at: Ints, new_weight_h: Floats, ceiling: float) -> Floats:
    """The steps `at` of a series, changed so that each period's weighted mean stays what it was.

    Series that never fall below zero are scaled, within 0 and the ceiling; others (prices below zero) are
    shifted.

    >>> series, even = np.array([[1.0, 2.0, 3.0, 6.0]]), np.ones((1, 4))
    >>> keep_means(series, even, np.array([1, 2]), 2.0 * np.ones((1, 2)), np.inf)
    array([[2.4, 3.6]])
    """
    kept = series[:, at].astype(float)
    for period, values in enumerate(series):
        if np.ptp(values) <= FLAT:
            continue
        mean = float(np.average(values, weights=weight_h[period]))
        weights = new_weight_h[period]
        if values.min() >= 0.0 and kept[period].max() > 0.0:
            most = max(ceiling, float(values.max()))
            kept[period] = restore_mean(kept[period], weights, mean, 0.0, most)
        else:
            kept[period] += mean - float(np.average(kept[period], weights=weights))
    return kept


def _cut_source(source: Source, kept: Callable[[Floats, float], Floats]) -> Source:
    return replace(
        source,
        available=kept(source.available, 1.0),
        energy_usd_mwh=kept(source.energy_usd_mwh, np.inf),
        emission_t_mwh=kept(source.emission_t_mwh, np.inf),
    )


def _cut_giving(giving: Giving, at: Ints) -> Giving:
    return replace(giving, most_mw=giving.most_mw[:, at])


def _cut_delay(delay: Delay, at: Ints) -> Delay:
    return replace(delay, most_mw=delay.most_mw[:, at], catch_up_mw=delay.catch_up_mw[:, at])


def _cut_outage(outage: Outage, choice: Choice) -> Outage:
    """The outage at its place among the chosen weeks, cut at the end of its week."""
    found = choice.candidates
    week = int(found.of_step[outage.first])
    position = int(np.flatnonzero(choice.chosen == week)[0])
    within = outage.first - int(found.starts[week])
    steps = min(outage.steps, found.steps - within)
    return replace(outage, first=position * found.steps + within, steps=steps)


def _cut_move(move: Move, at: Ints) -> Move:
    ratio = move.ratio if isinstance(move.ratio, int | float) else _at(move.ratio, at)
    return replace(move, most_mw=move.most_mw[:, at], ratio=ratio)


def _at(values: Floats, at: Ints) -> Floats:
    return values[..., at] if values.ndim and values.shape[-1] > 1 else values
