"""Sizing on representative weeks, judged and mended on every hour of the year.

0. Where the fast dispatch takes the case without its ramps, minimum loads, starts, reserve and outages, its
   optimum is a proven lower bound of the true cost (`relaxed`), and its sizes are tried first (as in 2).
1. Each site's year (of all sites together, where load moves between them) is cut down to a few exact medoid
   weeks, and the sizes that are cheapest there are found.
2. The whole year is dispatched at those sizes. Sun, wind and stores stay as they were found; plants and the
   grid's connection may grow where a week that was left out needs them, so that no load goes unserved and the
   cost is one that can be had. The shared emission cap holds in this dispatch, not only in the weeks.
3. Where the weeks' cost and the year's true cost lie further apart than the tolerance, the week whose power
   turned out most different in value from that of the week that stood for it is added, with more medoids.

The weeks' own objective can be badly off while the sizes are good, and the other way round: only the dispatch
over all hours tells (see `docs/dispatch-weeks.md`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gigawright.arrays import Floats
from gigawright.facility.dispatch.case import EnergyCase, SiteCase
from gigawright.facility.dispatch.exact import takes
from gigawright.facility.dispatch.redispatch import FIRST_PRICE_USD_T, dispatch_year, parts_of
from gigawright.facility.dispatch.relaxed import relaxed_optimum
from gigawright.facility.dispatch.solve import EnergyAnswer, SiteAnswer, solve_energy
from gigawright.facility.dispatch.split import size_split
from gigawright.facility.dispatch.week_choice import (
    Choice,
    candidates_of,
    choose,
    cut_case,
    forced_weeks,
    medoids,
)
from gigawright.linear import Infeasible

Progress = Callable[[str], None]
WEEKS = 8
TOLERANCE = 0.005
MOST_ROUNDS = 8
# Share of the tolerance to which the weeks themselves are solved, where a carbon price must be found.
INNER = 0.1


@dataclass(frozen=True, eq=False)
class Round:
    """One round: weeks per part, what they said it would cost, what it does [USD], and MW that had to grow.

    `estimate`: how far what the weeks say and the true cost lie apart, summed over the parts, as a share.
    `grown_mw` by site: plants and connection that the year needed beyond what the weeks had found.
    """

    weeks: tuple[int, ...]
    model_usd: float
    cost_usd: float
    estimate: float
    grown_mw: Mapping[str, float]
    seconds: float


@dataclass(frozen=True, eq=False)
class WeeksAnswer:
    """Sizes from representative weeks with their true dispatch over all hours.

    `answer`: capacities, flows and cost over the whole horizon; its `bound_usd` is a proven lower bound of
    the least cost, or -inf where none is at hand. `estimate`: the error as it is known: against the bound, or
    as the last round's own estimate, whichever is less. `rounds` and `choices` (the weeks used, by part) are
    empty where no weeks were needed.
    """

    answer: EnergyAnswer
    estimate: float
    rounds: tuple[Round, ...]
    choices: tuple[Choice, ...]

    @property
    def cost_usd(self) -> float:
        """What the sizes cost over every hour [USD, discounted]."""
        return self.answer.cost_usd

    def error(self, bound_usd: float) -> float:
        """How much dearer than a proven bound (or the optimum) the true cost is, as a share of the bound."""
        return self.cost_usd / bound_usd - 1.0


def size_weeks(
    case: EnergyCase,
    weeks: int = WEEKS,
    tolerance: float = TOLERANCE,
    most_rounds: int = MOST_ROUNDS,
    progress: Progress = lambda text: None,
) -> WeeksAnswer:
    """Size a case on `weeks` representative weeks, more where the whole year shows that they mislead.

    Stops when the true cost is within `tolerance` of a proven bound or of what the weeks say, when every week
    is in, or after `most_rounds`; the cheapest true answer of all rounds is returned. Each site has weeks of
    its own unless load moves between sites. Raises ValueError without a load or for less than a week asked
    for, Infeasible where no sizes keep the rules over the year.
    """
    _refuse(case, weeks, most_rounds)
    least = relaxed_optimum(case, gap=INNER * tolerance)
    bound = -np.inf if least is None else least.bound_usd
    price = FIRST_PRICE_USD_T if least is None else max(least.carbon_usd_t, 1.0)
    best = _at_relaxed_sizes(case, least, progress)
    if best is not None and (error := _off(best, bound)) <= tolerance:
        return WeeksAnswer(replace(best, bound_usd=bound), error, (), ())
    parts, rounds = parts_of(case), list[Round]()
    choices = [_first_choice(part, weeks) for part in parts]
    while True:
        start = time.perf_counter()
        model, choices = _size_on_weeks(case, parts, choices, INNER * tolerance, price)
        true = dispatch_year(case, _capacities(model), model.carbon_usd_t)
        apart = _apart(parts, choices, model, true)
        done = _round(choices, model, true, apart, time.perf_counter() - start)
        rounds.append(done)
        progress(_told(len(rounds), done))
        if best is None or true.cost_usd < best.cost_usd:
            best = true
        full = all(len(choice.chosen) == len(choice.candidates.starts) for choice in choices)
        error = min(done.estimate, _off(best, bound))
        if error <= tolerance or full or len(rounds) >= most_rounds:
            return WeeksAnswer(replace(best, bound_usd=bound), error, tuple(rounds), tuple(choices))
        choices = [
            _with_the_worst(part, choice, model, true) if off > tolerance / (2.0 * len(parts)) else choice
            for part, choice, off in zip(parts, choices, apart, strict=True)
        ]


def _off(answer: EnergyAnswer, bound_usd: float) -> float:
    """Distance of a cost to its bound, as a share of the cost."""
    return (answer.cost_usd - bound_usd) / max(abs(answer.cost_usd), 1e-9)


def _at_relaxed_sizes(
    case: EnergyCase, least: EnergyAnswer | None, progress: Progress
) -> EnergyAnswer | None:
    """The year at the sizes that are best without the rules that only the whole case has.

    None where there are none: the relaxed case is the case, and weeks were asked for.
    """
    if least is None or takes(case) is None:
        return None
    try:
        found = dispatch_year(case, _capacities(least), least.carbon_usd_t)
    except Infeasible:
        return None
    progress(f"sizes without ramps, reserve and outages: the year costs {found.cost_usd:,.0f} USD")
    return found


def _refuse(case: EnergyCase, weeks: int, most_rounds: int) -> None:
    if weeks < 1 or most_rounds < 1:
        raise ValueError(f"weeks is {weeks} and most_rounds {most_rounds}; both must be at least 1")
    for site in case.sites:
        if site.load_mw is None:
            raise ValueError(f"{site.site} has no load; representative weeks need it")


def _told(number: int, done: Round) -> str:
    weeks = ", ".join(map(str, done.weeks))
    return (
        f"round {number}: {weeks} weeks say {done.model_usd:,.0f} USD, "
        f"the year costs {done.cost_usd:,.0f} USD (apart by {done.estimate:.2%})"
    )


def _first_choice(part: EnergyCase, weeks: int) -> Choice:
    found = candidates_of(part)
    forced = forced_weeks(part, found)
    return choose(found, medoids(found.distance, found.owned, weeks, forced), forced)


def _size_on_weeks(
    case: EnergyCase, parts: Sequence[EnergyCase], choices: list[Choice], gap: float, price_usd_t: float
) -> tuple[EnergyAnswer, list[Choice]]:
    """The cheapest sizes on the chosen weeks, and the weeks: doubled where the rules cannot be kept."""
    while True:
        cut = [cut_case(part, choice) for part, choice in zip(parts, choices, strict=True)]
        weeks_case = replace(
            case,
            sites=tuple(site for part in cut for site in part.sites),
            moves=tuple(move for part in cut for move in part.moves),
        )
        try:
            if case.moves:
                return solve_energy(weeks_case), choices
            return size_split(weeks_case, gap=gap, first_price_usd_t=price_usd_t), choices
        except Infeasible:
            larger = [_doubled(choice) for choice in choices]
            if all(len(a.chosen) == len(b.chosen) for a, b in zip(larger, choices, strict=True)):
                raise
            choices = larger


def _doubled(choice: Choice) -> Choice:
    found = choice.candidates
    count = min(2 * len(choice.chosen), len(found.starts))
    return choose(found, medoids(found.distance, found.owned, count, choice.forced), choice.forced)


def _capacities(answer: EnergyAnswer) -> dict[str, Mapping[str, Floats]]:
    return {name: site.capacity for name, site in answer.sites.items()}


def _apart(
    parts: Sequence[EnergyCase], choices: Sequence[Choice], model: EnergyAnswer, true: EnergyAnswer
) -> Floats:
    """|weeks' cost - true cost| of each part, over the true cost of all [part]."""
    if len(parts) == 1:
        return np.array([abs(model.cost_usd - true.cost_usd) / max(abs(true.cost_usd), 1e-9)])
    differences = []
    for part, choice in zip(parts, choices, strict=True):
        (site,), (cut,) = part.sites, cut_case(part, choice).sites
        differences.append(
            abs(spent_usd(site, true.sites[site.site]) - spent_usd(cut, model.sites[site.site]))
        )
    return np.array(differences) / max(abs(true.cost_usd), 1e-9)


def spent_usd(site: SiteCase, answer: SiteAnswer) -> float:
    """What a site's sizes and what it runs on cost [USD, discounted], starts and what is owed aside."""
    paid, discount = site.time.weight_h * site.time.discount[:, None], site.time.discount
    total = 0.0
    for source in site.sources:
        total += float((answer.capacity[source.name] * source.capacity_usd_mw * discount).sum())
        total += float((answer.power[source.name] * source.energy_usd_mwh * paid).sum())
    for store in site.stores:
        size = answer.capacity
        fixed = (
            size[store.name] * store.discharge_usd_mw
            + size[f"charger_{store.name}"] * store.charge_usd_mw
            + size[f"energy_{store.name}"] * store.energy_usd_mwh
        )
        total += float((fixed * discount).sum())
        total += float((answer.discharge[store.name] * store.wear_usd_mwh * paid).sum())
    for giving in site.giving:
        total += float((answer.given[giving.name] * giving.usd_mwh * paid).sum())
    if site.certificate_usd_mwh is not None and len(answer.certificates_mwh):
        year = site.time.year - site.time.year.min()
        mean = np.bincount(year, discount) / np.bincount(year)
        total += float((answer.certificates_mwh * site.certificate_usd_mwh * mean).sum())
    return total


def _round(
    choices: Sequence[Choice], model: EnergyAnswer, true: EnergyAnswer, apart: Floats, seconds: float
) -> Round:
    grown = {
        name: float(
            sum(
                (site.capacity[source.name] - model.sites[name].capacity[source.name]).max()
                for source in true_site.sources
                if not source.free
            )
        )
        for true_site in true.case.sites
        for name, site in [(true_site.site, true.sites[true_site.site])]
    }
    return Round(
        weeks=tuple(len(choice.chosen) for choice in choices),
        model_usd=model.cost_usd,
        cost_usd=true.cost_usd,
        estimate=float(apart.sum()),
        grown_mw={name: max(mw, 0.0) for name, mw in grown.items()},
        seconds=seconds,
    )


def _with_the_worst(part: EnergyCase, choice: Choice, model: EnergyAnswer, true: EnergyAnswer) -> Choice:
    """Half as many weeks again: the one whose load was worth most else than where it was stood for, and the
    medoids that then are best.

    A week's worth is the sum of load x price: scarce hours, in which plants had to grow, weigh heavily.
    """
    found = choice.candidates
    off = np.zeros(len(found.starts))
    for site in part.sites:
        load = np.zeros(site.time.shape) if site.load_mw is None else site.load_mw
        worth = (true.sites[site.site].price_usd_mwh * load * site.time.weight_h).sum(axis=0)
        of_week = np.bincount(found.of_step, worth, minlength=len(off)) / found.owned
        said = (model.sites[site.site].price_usd_mwh * load[:, choice.at]).sum(axis=0)
        of_chosen = said.reshape(-1, found.steps).mean(axis=1)
        off += (of_week - of_chosen[choice.of_week]) * found.owned
    off = np.abs(off)
    off[choice.chosen] = -1.0
    forced = {*choice.forced, int(np.argmax(off))}
    count = min(len(choice.chosen) + max(len(choice.chosen) // 2, 1), len(off))
    return choose(found, medoids(found.distance, found.owned, count, forced), forced)
