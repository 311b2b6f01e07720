"""All sites at once as one linear problem: the plain way, and the yardstick of the faster ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from gigawright import linear
from gigawright.arrays import Floats, Ints
from gigawright.facility.dispatch.block import add_site, leaving_rows
from gigawright.facility.dispatch.case import EnergyCase, Move, SiteCase
from gigawright.facility.dispatch.clean import add_emissions
from gigawright.facility.dispatch.columns import SiteColumns
from gigawright.linear import Assembled, Method, Model, Solution

# Above so many rows the interior point method HiPO, with crossover, beats the simplex method (CPU seconds,
# HiPO against simplex, one site: 15,300 rows 5.3 against 1.1; 61,300 rows 16 against 19, and 8.5 against 15.6
# with one battery power; 79,000 rows with reserve, outages and delays 38 against 124).
ROWS_FOR_HIPO = 50_000
CARBON = "carbon"
LEAST_RELAXATION = 1e-6


@dataclass(frozen=True, eq=False)
class SiteAnswer:
    """What a site builds and does: capacities [period]; power, charge, level [period, step] by name.

    `price_usd_mwh` [period, step] is what one more MWh of load would cost; certificates [year] MWh;
    `started` MW by plant whose starts are paid.
    """

    site: str
    capacity: Mapping[str, Floats]
    power: Mapping[str, Floats]
    charge: Mapping[str, Floats]
    discharge: Mapping[str, Floats]
    stored: Mapping[str, Floats]
    given: Mapping[str, Floats]
    delayed: Mapping[str, Floats]
    caught_up: Mapping[str, Floats]
    certificates_mwh: Floats
    price_usd_mwh: Floats
    started: Mapping[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class EnergyAnswer:
    """A sized and dispatched case: cost [USD, discounted], a lower bound, emissions [t].

    `proven` is false where the bound is only what a coarser model said.
    """

    case: EnergyCase
    sites: Mapping[str, SiteAnswer]
    cost_usd: float
    bound_usd: float
    emission_t: float
    carbon_usd_t: float
    moved: Mapping[tuple[str, str], Floats]
    seconds: float
    proven: bool = True

    @property
    def gap(self) -> float:
        """Distance to the bound over the cost."""
        return (self.cost_usd - self.bound_usd) / max(abs(self.cost_usd), 1e-9)


@dataclass(frozen=True)
class Built:
    """A case as a matrix, and where each site's variables lie in it."""

    case: EnergyCase
    assembled: Assembled
    sites: Mapping[str, SiteColumns]
    moved: Mapping[tuple[str, str], Ints]


def build_energy(case: EnergyCase, unit_usd: float = 1.0) -> Built:
    """Every site's block, the moves between them, and the emission cap that they share."""
    model, sites, moved = _model(case, unit_usd)
    return Built(case, model.assemble(), sites, moved)


def _model(
    case: EnergyCase, unit_usd: float
) -> tuple[Model, dict[str, SiteColumns], dict[tuple[str, str], Ints]]:
    model = Model(case.name)
    sites = {site.site: add_site(model, site, unit_usd) for site in case.sites}
    for site in case.sites:
        if not sites[site.site].leaving.size and any(move.origin == site.site for move in case.moves):
            rows = leaving_rows(model, site, sites[site.site])
            sites[site.site] = replace(sites[site.site], leaving=rows)
    moved = {(move.origin, move.target): _add_move(model, case, sites, move, unit_usd) for move in case.moves}
    if np.isfinite(case.carbon_cap_t):
        row = model.add_rows(CARBON, {}, upper=case.carbon_cap_t)
        for site in case.sites:
            add_emissions(model, site, sites[site.site], row)
    return model, sites, moved


def _add_move(
    model: Model, case: EnergyCase, sites: Mapping[str, SiteColumns], move: Move, unit_usd: float
) -> Ints:
    """Load that leaves one balance and enters another in the same step; what may be bought goes with it."""
    time = next(site.time for site in case.sites if site.site == move.origin)
    columns = model.add_columns(
        f"move:{move.origin}>{move.target}",
        {"period": time.periods, "step": time.steps},
        upper=move.most_mw,
        cost=time.weight_h * time.discount[:, None] * move.usd_mwh / unit_usd,
    )
    origin, target = sites[move.origin], sites[move.target]
    model.add_terms(origin.leaving, columns, 1.0)
    for here, there in ((origin.balance, target.balance), (origin.not_dumped, target.not_dumped)):
        if here.size:
            model.add_terms(here, columns, 1.0)
        if there.size:
            model.add_terms(there, columns, -np.asarray(move.ratio))
    return columns


def solve_energy(
    case: EnergyCase,
    method: Method | None = None,
    capacities: Mapping[str, Mapping[str, Floats]] | None = None,
) -> EnergyAnswer:
    """Size and dispatch all sites at least cost; with `capacities` (site -> name -> [period]) dispatch alone.

    Names of a store's own sizes: its name (discharging power), `charger_<name>`, `energy_<name>`. `method`
    None takes simplex or HiPO by size.
    Raises linear.Infeasible where no dispatch keeps the rules.
    """
    built = build_energy(case)
    for site, fixed in (capacities or {}).items():
        for name, values in fixed.items():
            block = f"{name}:{site}"
            if block in built.assembled.model.columns:
                built.assembled.fix(block, values)
    chosen: Method = "hipo" if len(built.assembled.row_lower) > ROWS_FOR_HIPO else "simplex"
    return read_answer(built, linear.solve(built.assembled, method=method or chosen))


@dataclass(frozen=True)
class Relaxed:
    """A rule that had to give way for any dispatch to exist, where, and by how much in all."""

    rule: str
    site: str
    amount: float
    unit: str


# Rows that a study's own words make, which way they give, and what a unit of them is.
HARD_ROWS = {
    "carried": (1.0, "MWh"),
    "reserve": (1.0, "MWh"),
    "clean_share": (-1.0, "MWh"),
    CARBON: (-1.0, "t"),
}


def least_relaxation(case: EnergyCase) -> tuple[Relaxed, ...]:
    """The least that rules of an infeasible case must give way, summed over steps; empty where one exists.

    Outages, reserve, clean share and the emission cap each get a slack at a price of 1; shedding is no rule.
    """
    model, _, _ = _model(case, 1.0)
    for name in list(model.columns):
        model.set_cost(name, 0.0)
    slack = {}
    for name, block in list(model.rows.items()):
        rule = next((rule for rule in HARD_ROWS if name.startswith(rule)), None)
        if rule is not None:
            slack[name] = model.add_columns(f"slack:{name}", dict(block.dims), cost=1.0)
            model.add_terms(block.at, slack[name], HARD_ROWS[rule][0])
    found = linear.solve(model.assemble())
    given = {name: float(found.x[columns].sum()) for name, columns in slack.items()}
    return tuple(_relaxed(name, amount) for name, amount in given.items() if amount > LEAST_RELAXATION)


def _relaxed(name: str, amount: float) -> Relaxed:
    rule, _, site = name.partition(":")
    unit = next(unit for hard, (_, unit) in HARD_ROWS.items() if rule.startswith(hard))
    return Relaxed(rule, site, amount, unit)


def read_answer(built: Built, found: Solution) -> EnergyAnswer:
    """The solver's columns by what they mean."""
    case = built.case
    sites = {site.site: _site_answer(site, built.sites[site.site], found) for site in case.sites}
    carbon = -float(found.dual(CARBON)) if CARBON in built.assembled.model.rows else 0.0
    return EnergyAnswer(
        case=case,
        sites=sites,
        cost_usd=found.objective,
        bound_usd=found.bound,
        emission_t=sum(emission_t(site, sites[site.site].power) for site in case.sites),
        carbon_usd_t=carbon,
        moved={pair: found.x[columns] for pair, columns in built.moved.items()},
        seconds=found.seconds,
    )


def emission_t(site: SiteCase, power: Mapping[str, Floats]) -> float:
    """What a site's sources emit over all periods [t]."""
    return float(
        sum(
            (site.time.weight_h * source.emission_t_mwh * power[source.name]).sum()
            for source in site.sources
            if source.emission_t_mwh.any()
        )
    )


def _site_answer(site: SiteCase, columns: SiteColumns, found: Solution) -> SiteAnswer:
    x, paid = found.x, site.time.weight_h * site.time.discount[:, None]
    capacity = {name: x[at] for name, at in columns.capacity.items()}
    for store in site.stores:
        at = columns.stores[store.name]
        capacity[store.name] = x[at.discharge_power]
        capacity[f"charger_{store.name}"] = x[at.charge_power]
        capacity[f"energy_{store.name}"] = x[at.energy] * (store.hours or 1.0)
    power = {name: x[at] for name, at in columns.flow.items()}
    for source in site.sources:
        if source.free:
            power[source.name] = capacity[source.name][:, None] * source.available
    duals = found.row_dual[columns.balance] if found.row_dual is not None else np.zeros_like(paid)
    bought = columns.certificates.get("certificates")
    return SiteAnswer(
        site=site.site,
        capacity=capacity,
        power=power,
        charge={name: x[at.charge] for name, at in columns.stores.items()},
        discharge={name: x[at.discharge] for name, at in columns.stores.items()},
        stored={name: x[at.stored] for name, at in columns.stores.items()},
        given={name: x[at] for name, at in columns.given.items()},
        delayed={name: x[at] for name, at in columns.delayed.items()},
        caught_up={name: x[at] for name, at in columns.caught_up.items()},
        certificates_mwh=np.zeros(0) if bought is None else x[bought],
        # Hours that nobody lives through have no price.
        price_usd_mwh=np.divide(duals, paid, out=np.zeros_like(paid), where=paid > 0.0),
        started={name: x[at] for name, at in columns.started.items()},
    )
