"""All sites at once as one linear problem: the plain way, and the yardstick of the faster ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gigawright import linear
from gigawright.arrays import Floats, Ints
from gigawright.facility.dispatch.block import add_site
from gigawright.facility.dispatch.case import EnergyCase, Move, SiteCase
from gigawright.facility.dispatch.clean import add_emissions
from gigawright.facility.dispatch.columns import SiteColumns
from gigawright.linear import Assembled, Method, Model, Solution

# From about this many steps of all sites HiPO without crossover beats the simplex method (measured on
# three sites: 2,184 h 3.5-4.6 s against 19-21 s; at 8,760 h 74 s against 85 s, so simplex unless asked).
CARBON = "carbon"


@dataclass(frozen=True, eq=False)
class SiteAnswer:
    """What a site builds and does: capacities [period]; power, charge, level [period, step] by name.

    `price_usd_mwh` [period, step] is what one more MWh of load would cost; certificates [year] MWh.
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


@dataclass(frozen=True, eq=False)
class EnergyAnswer:
    """A sized and dispatched case: cost [USD, discounted], a proven lower bound, emissions [t]."""

    case: EnergyCase
    sites: Mapping[str, SiteAnswer]
    cost_usd: float
    bound_usd: float
    emission_t: float
    carbon_usd_t: float
    moved: Mapping[tuple[str, str], Floats]
    seconds: float

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
    model = Model(case.name)
    sites = {site.site: add_site(model, site, unit_usd) for site in case.sites}
    moved = {(move.origin, move.target): _add_move(model, case, sites, move, unit_usd) for move in case.moves}
    if np.isfinite(case.carbon_cap_t):
        row = model.add_rows(CARBON, {}, upper=case.carbon_cap_t)
        for site in case.sites:
            add_emissions(model, site, sites[site.site], row)
    return Built(case, model.assemble(), sites, moved)


def _add_move(
    model: Model, case: EnergyCase, sites: Mapping[str, SiteColumns], move: Move, unit_usd: float
) -> Ints:
    """Load that leaves one balance and enters another in the same step."""
    time = next(site.time for site in case.sites if site.site == move.origin)
    columns = model.add_columns(
        f"move:{move.origin}>{move.target}",
        {"period": time.periods, "step": time.steps},
        upper=move.most_mw,
        cost=time.weight_h * time.discount[:, None] * move.usd_mwh / unit_usd,
    )
    model.add_terms(sites[move.origin].balance, columns, 1.0)
    model.add_terms(sites[move.target].balance, columns, -np.asarray(move.ratio))
    return columns


def solve_energy(
    case: EnergyCase,
    method: Method = "simplex",
    capacities: Mapping[str, Mapping[str, Floats]] | None = None,
) -> EnergyAnswer:
    """Size and dispatch all sites at least cost; with `capacities` (site -> name -> [period]) dispatch alone.

    Names of a store's own sizes: its name (discharging power), `charger_<name>`, `energy_<name>`.
    Raises linear.Infeasible where no dispatch keeps the rules.
    """
    built = build_energy(case)
    for site, fixed in (capacities or {}).items():
        for name, values in fixed.items():
            block = f"{name}:{site}"
            if block in built.assembled.model.columns:
                built.assembled.fix(block, values)
    return read_answer(built, linear.solve(built.assembled, method=method))


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
        price_usd_mwh=np.asarray(duals / paid),
    )
