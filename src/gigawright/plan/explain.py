"""What limits the plan, and what clashes in a study that has none, in the study's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from gigawright import linear
from gigawright.arrays import Bools, Floats, Ints
from gigawright.linear import INFINITY, Assembled, Infeasible, Live, Solution
from gigawright.plan.master import Master
from gigawright.plan.problem import DESIGNS

ONE_USD = 1e-6
KILO = 1e3
NOTHING = 1e-5
SOME_KACC = 0.1
SOME_MUSD = 0.1
WHOLE_GAP = 0.01
HARD_ROWS = (
    "capital_budget",
    "leasing_budget",
    "pool",
    "commitment",
    "serve_at_least",
    "domestic_share",
    "room",
)


def shadow_prices(master: Master, final: Solution) -> pd.DataFrame:
    """What one more unit of each scarce thing is worth, halls and lines as decided.

    Each is found by solving again with a little more of it, from the last basis: where several rules bind at
    once a dual alone may promise what another rule takes away. Columns: rule, where, quarter, value_musd,
    unit, words.
    """
    what_if = WhatIf(master, final)
    rows = [
        *_pool_prices(what_if),
        *_budget_prices(what_if),
        *_standing_prices(what_if),
        *_promise_prices(master, final),
    ]
    columns = ["rule", "where", "quarter", "value_musd", "unit", "words"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("value_musd", ascending=False, ignore_index=True)


Row = tuple[str, str, str, float, str, str]


class WhatIf:
    """The decided plan with a little more of something, solved again and again."""

    def __init__(self, master: Master, final: Solution) -> None:
        self.problem = master.problem
        self.rows = master.assembled.model.rows
        self.used = master.assembled.activity(final.x)
        self.allowed = master.assembled.row_upper
        self.final = final
        self._live = Live(master.assembled, master.problem.seed)
        for name in ("hall_start", "grid_start"):
            self._live.fix(master.assembled.model.columns[name].at, final.of(name))
        self._base = self._live.solve().objective

    def binds(self, rows: Ints) -> Bools:
        """Where rules with an upper bound leave nothing free; same shape as `rows`."""
        return np.asarray(self.allowed[rows] - self.used[rows] <= NOTHING)

    def worth(self, rows: Ints, step: float) -> float:
        """What a step more on the right-hand sides of all these rows saves [M USD]."""
        self._live.shift(rows, step)
        saved = self._base - self._live.solve().objective
        self._live.shift(rows, 0.0)
        return saved


def _pool_prices(what_if: WhatIf) -> Iterator[Row]:
    """One more accelerator of a pool from a quarter on, where it binds and gives more than before."""
    problem = what_if.problem
    if not problem.sets.pools:
        return
    rows = what_if.rows["pool"].at
    for i, pool in enumerate(problem.sets.pools):
        cap = problem.pools.cap[i]
        tells = what_if.binds(rows[i]) & (np.diff(cap, prepend=0.0) > 0.0)
        for q in np.flatnonzero(tells):
            worth = what_if.worth(rows[i, q:], SOME_KACC) / (SOME_KACC * KILO)
            if worth > ONE_USD:
                words = f"one more accelerator from {pool} in {problem.sets.q[q]} is worth {_usd(worth)}"
                yield "supply", pool, problem.sets.q[q], worth, "accelerator", words


def _budget_prices(what_if: WhatIf) -> Iterator[Row]:
    """One more million of a year's budget."""
    for name, kind in (("capital_budget", "capital"), ("leasing_budget", "leases")):
        rows = what_if.rows[name].at
        for y in np.flatnonzero(what_if.binds(rows)):
            year = what_if.problem.sets.years[y]
            worth = what_if.worth(rows[y : y + 1], SOME_MUSD) / SOME_MUSD
            if worth > ONE_USD:
                words = f"one more million USD for {kind} in {year} is worth {_usd(worth)}"
                yield f"budget for {kind}", str(year), f"{year}Q4", worth, "M USD", words


def _standing_prices(what_if: WhatIf) -> Iterator[Row]:
    """One more MW that stands at a site through the horizon: halls by design, grid connection."""
    for s, site in enumerate(what_if.problem.sets.sites):
        for d, design in enumerate(DESIGNS):
            stands = what_if.final.of("halls")[s, d] > NOTHING
            binds = what_if.binds(what_if.rows["cooled"].at[s, d]) & stands
            # A MW more of halls needs a MW more of room.
            first = np.concatenate([what_if.rows["halls"].at[s, d, :1], what_if.rows["room"].at[s]])
            yield from _binding(what_if, f"room in {design}-cooled halls", site, binds, first, "MW of IT")
        binds = what_if.binds(what_if.rows[f"connected_worst:{site}"].at)
        binds = binds & (what_if.final.of("grid")[s] > NOTHING)
        yield from _binding(what_if, "power", site, binds, what_if.rows["grid"].at[s, :1], "MW of grid")


def _binding(what_if: WhatIf, what: str, site: str, binds: Bools, rows: Ints, unit: str) -> Iterator[Row]:
    """One more MW from the horizon's start on, where the rule binds at all and the MW is worth anything."""
    when = np.flatnonzero(binds)
    worth = what_if.worth(rows, 1.0) if len(when) else 0.0
    if worth <= ONE_USD:
        return
    first, last = (what_if.problem.sets.q[q] for q in (when[0], when[-1]))
    span = f"in {first}" if first == last else f"between {first} and {last}"
    words = f"{what} at {site} binds {span}: one more MW through the horizon is worth {_usd(worth)}"
    yield what, site, first, worth, unit, words


def _promise_prices(master: Master, final: Solution) -> Iterator[Row]:
    """What the study's own promises cost at the margin."""
    rows = master.assembled.model.rows
    for name, what in (("commitment", "order"), ("serve_at_least", "promise")):
        if name not in rows:
            continue
        block, dual = rows[name], final.dual(name)
        for place in zip(*np.nonzero(dual > ONE_USD), strict=True):
            labels = [labels[i] for (_, labels), i in zip(block.dims, place, strict=True)]
            cost = float(dual[place])
            words = f"the {what} {' in '.join(labels)} costs {_usd(cost)} for its last unit"
            yield what, labels[0], labels[-1], -cost, "unit", words


def sensitivity(master: Master, factors: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    """What the plan would be were a group's work worth a factor of what the study says, by group.

    Halls and lines are free and may come in fractions, so that purchases answer. Columns: group, factor,
    served_share (of the group's worth), accelerators (bought in all), purchases_musd. Factor 1 is the study.
    """
    live = Live(master.assembled, master.problem.seed)
    cost = master.assembled.cost
    rows = []
    for group, asked in factors.items():
        places = _worth_columns(master, group)
        for factor in sorted({1.0, *asked}):
            live.price(places, cost[places] * factor)
            rows.append((group, factor, *_outcome(master, live.solve(), places)))
        live.price(places, cost[places])
    columns = ["group", "factor", "served_share", "accelerators", "purchases_musd"]
    return pd.DataFrame(rows, columns=columns)


def _worth_columns(master: Master, group: str) -> Ints:
    """The columns on which a group's worth is priced: its unmet demand and its unfinished programmes."""
    columns, work = master.assembled.model.columns, master.problem.work
    streams = [v for v, have in enumerate(work.group_of_stream) if have == group]
    runs = [v for v, have in enumerate(work.group_of_programme) if have == group]
    return np.concatenate([columns["unmet"].at[:, streams].ravel(), columns["late"].at[runs].ravel()])


def _outcome(master: Master, solved: Solution, places: Ints) -> tuple[float, float, float]:
    """Share of the group's worth that is served, accelerators bought, and what they cost [M USD]."""
    whole = float(master.assembled.cost[places] @ master.assembled.upper[places])
    lost = float(master.assembled.cost[places] @ solved.x[places])
    bought = solved.of("buy")
    spent = float((bought * master.problem.offers.price).sum())
    return 1.0 - lost / whole if whole > 0.0 else 1.0, float(bought.sum()) * KILO, spent


def _usd(musd: float) -> str:
    """An amount of money for a sentence.

    >>> _usd(0.0213), _usd(4.2), _usd(1300.0)
    ('21.3 kUSD', '4.2 M USD', '1.3 bn USD')
    """
    size = abs(musd)
    if size >= 1e3:
        return f"{musd / 1e3:,.3g} bn USD"
    if size >= 1.0:
        return f"{musd:,.3g} M USD"
    if size >= 1e-3:
        return f"{musd * 1e3:,.3g} kUSD"
    return f"{musd * 1e6:,.3g} USD"


def clashes(master: Master) -> list[str]:
    """The smallest relaxation that makes a plan possible, told as rules and amounts.

    An elastic pass: each hard rule gets a slack scaled to its right-hand side, and the sum of slacks is
    minimised; first with integers relaxed, then whole. Where the study's own rules are not enough, every
    rule of the model gets a slack.
    """
    for names, relax in ((HARD_ROWS, True), (HARD_ROWS, False), (tuple(master.assembled.model.rows), False)):
        relaxed, slack_of = _elastic(master.assembled, names)
        try:
            found = linear.solve(relaxed, relax=relax, gap=WHOLE_GAP)
        except Infeasible:
            continue
        told = [line for name in slack_of for line in _told(master, name, found, *slack_of[name])]
        if told:
            return told
    return ["bounds of the model clash; please report this study"]


def _told(master: Master, name: str, found: Solution, columns: Ints, scale: Floats) -> Iterator[str]:
    """The relaxations of one rule, in words."""
    block = master.assembled.model.rows[name]
    amounts = np.atleast_1d((found.x[columns] * scale).reshape(block.shape))
    least = 1e-6 * np.maximum(1.0, np.atleast_1d(scale.reshape(block.shape)))
    for place in zip(*np.nonzero(amounts > least), strict=True):
        labels = [labels[i] for (_, labels), i in zip(block.dims, place, strict=False)]
        yield _relaxation(name, labels, float(amounts[place]))


def _elastic(
    problem: Assembled, names: Sequence[str]
) -> tuple[Assembled, dict[str, tuple[np.ndarray, Floats]]]:
    """The same rows with a scaled slack on every hard one, and only the slacks priced."""
    model = problem.model
    slack_of: dict[str, tuple[np.ndarray, Floats]] = {}
    start, index, value = list(problem.start), [problem.index], [problem.value]
    count = len(problem.cost)
    for name in names:
        if name not in model.rows:
            continue
        rows = model.rows[name].at.ravel()
        upper, lower = problem.row_upper[rows], problem.row_lower[rows]
        bound = np.where(np.isfinite(upper), upper, np.where(np.isfinite(lower), lower, 0.0))
        scale = np.maximum(np.abs(bound), 1.0)
        sign = np.where(np.isfinite(upper), -1.0, 1.0)
        slack_of[name] = (np.arange(count, count + len(rows)), scale)
        index.append(rows)
        value.append(sign * scale)
        start.extend(start[-1] + np.arange(1, len(rows) + 1))
        count += len(rows)
    added = count - len(problem.cost)
    return (
        Assembled(
            model=model,
            cost=np.r_[np.zeros(len(problem.cost)), np.ones(added)],
            lower=np.r_[problem.lower, np.zeros(added)],
            upper=np.r_[problem.upper, np.full(added, INFINITY)],
            integer=np.r_[problem.integer, np.zeros(added, bool)],
            row_lower=problem.row_lower,
            row_upper=problem.row_upper,
            start=np.array(start),
            index=np.concatenate(index),
            value=np.concatenate(value),
        ),
        slack_of,
    )


RELAXATIONS = {
    "capital_budget": "`budgets.capital.{0}`: {amount:,.4g} M USD more",
    "leasing_budget": "`budgets.leasing.{0}`: {amount:,.4g} M USD more",
    "pool": "`supply` {0}: {thousand:,.0f} more accelerators by {1}",
    "commitment": "`commitments` {0}: {thousand:,.0f} accelerators fewer, or later",
    "serve_at_least": "`rules.serve_at_least` {0} in {1}: less by {amount:,.4g} reference-kacc of work",
    "domestic_share": "`rules.domestic_share_min`: short by {amount:,.4g} M USD of domestic systems",
    "room": "`sites` {0} `max_it`: {amount:,.4g} MW more in {1}",
}


def _relaxation(name: str, labels: list[str], amount: float) -> str:
    if name not in RELAXATIONS:
        place = f" at {', '.join(labels)}" if labels else ""
        return f"what stands or is promised{place} breaks the rule `{name}` by {amount:,.4g}"
    return RELAXATIONS[name].format(*labels, amount=amount, thousand=amount * KILO)
