"""What a powered study builds, uses, pays and emits, as tables, and the shortages told in hours.

Everything is added up again from capacities and hourly flows, not read off the optimum.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gigawright.arrays import Floats
from gigawright.clock import month_of_hour
from gigawright.facility.dispatch.case import SiteCase, Store
from gigawright.facility.dispatch.solve import EnergyAnswer, SiteAnswer
from gigawright.facility.powered import PoweredLoad, PoweredStudy
from gigawright.facility.supply.battery import usage
from gigawright.facility.supply.carbon import CarbonAccount, account

if TYPE_CHECKING:
    import pandas as pd

NOTHING_MW = 1e-6
# Shed power below this is the solver's rounding, not a shortage.
SHORT_MW = 1e-3
USD_PER_MUSD = 1e6


def energy_tables(study: PoweredStudy, answer: EnergyAnswer) -> dict[str, pd.DataFrame]:
    """capacity, costs, months, dispatch, batteries and shortages of every site.

    capacity: site, technology, mw, mwh. costs: site, category, usd. months: site, month, and MWh by flow.
    dispatch: every hour [MW; stored MWh; USD/MWh]. batteries: site, store, full_cycles_year, and the share of
    its energy left after 5 and 10 years like this one without new modules. shortages: site, hours, mwh,
    worst_mw, first_hour.
    """
    import pandas as pd

    sites = [(load, case, answer.sites[case.site]) for load, case in _paired(study)]
    capacity = [row for _, case, found in sites for row in _capacity_rows(case, found)]
    costs = [row for _, case, found in sites for row in _cost_rows(case, found)]
    costs += [(f"{a} to {b}", "serving moved", usd) for (a, b), usd in moved_usd(study, answer).items()]
    dispatch = pd.concat([_hours(*site, answer) for site in sites], ignore_index=True)
    return {
        "capacity": pd.DataFrame(capacity, columns=["site", "technology", "mw", "mwh"]),
        "costs": pd.DataFrame(costs, columns=["site", "category", "usd"]),
        "months": _months(dispatch),
        "dispatch": dispatch,
        "batteries": pd.DataFrame(
            [row for _, case, found in sites for row in _battery_rows(case, found)],
            columns=["site", "store", "full_cycles_year", "left_after_5", "left_after_10"],
        ),
        "shortages": pd.DataFrame(
            [row for _, case, found in sites for row in _shortage_rows(case, found)],
            columns=["site", "hours", "mwh", "worst_mw", "first_hour"],
        ),
    }


def _paired(study: PoweredStudy) -> list[tuple[PoweredLoad, SiteCase]]:
    return list(zip(study.loads, study.case.sites, strict=True))


def _capacity_rows(case: SiteCase, found: SiteAnswer) -> list[tuple[str, str, float, float]]:
    rows = [(case.site, s.name, float(found.capacity[s.name][0]), 0.0) for s in case.sources]
    rows += [
        (case.site, s.name, float(found.capacity[s.name][0]), float(found.capacity[f"energy_{s.name}"][0]))
        for s in case.stores
    ]
    return [row for row in rows if row[2] > NOTHING_MW]


def _cost_rows(case: SiteCase, found: SiteAnswer) -> list[tuple[str, str, float]]:
    """What a year costs a site, by what it is paid for [USD]."""
    weight = case.time.weight_h
    rows = []
    for source in case.sources:
        capital = float(source.capacity_usd_mw @ found.capacity[source.name])
        energy = float((weight * source.energy_usd_mwh * found.power[source.name]).sum())
        kept = "peak and line" if source.kind == "grid" else "capacity"
        rows += [(f"{source.name}, {kept}", capital), (f"{source.name}, energy", energy)]
        if source.name in found.started:
            starts = float((weight / case.time.step_h * found.started[source.name]).sum())
            rows.append((f"{source.name}, starts", starts * source.start_usd_mw))
    rows += [(f"{store.name}, capacity", _store_usd(store, found)) for store in case.stores]
    rows += [
        (f"{store.name}, wear", float((weight * found.discharge[store.name]).sum()) * store.wear_usd_mwh)
        for store in case.stores
    ]
    rows += [
        (giving.name, float((weight * found.given[giving.name]).sum()) * giving.usd_mwh)
        for giving in case.giving
    ]
    if case.certificate_usd_mwh is not None and len(found.certificates_mwh):
        rows.append(("green certificates", float(case.certificate_usd_mwh @ found.certificates_mwh)))
    return [(case.site, category, usd) for category, usd in rows if abs(usd) > 0.5]


def _store_usd(store: Store, found: SiteAnswer) -> float:
    power, charger = found.capacity[store.name], found.capacity[f"charger_{store.name}"]
    energy = found.capacity[f"energy_{store.name}"]
    usd = store.discharge_usd_mw @ power + store.charge_usd_mw @ charger + store.energy_usd_mwh @ energy
    return float(usd)


def moved_usd(study: PoweredStudy, answer: EnergyAnswer) -> dict[tuple[str, str], float]:
    """What moving serving between sites costs [USD a year], where any moved."""
    paid = {(move.origin, move.target): move.usd_mwh for move in study.case.moves}
    weight = study.case.sites[0].time.weight_h
    sums = {pair: float((weight * flow).sum()) * paid[pair] for pair, flow in answer.moved.items()}
    return {pair: usd for pair, usd in sums.items() if usd > 0.5}


def _hours(load: PoweredLoad, case: SiteCase, found: SiteAnswer, answer: EnergyAnswer) -> pd.DataFrame:
    """A site's hours, one row each; where load may move, what left and what came."""
    import pandas as pd

    columns: dict[str, Floats] = {"it_mw": load.it_mw, "pue": load.pue, "load_mw": load.site_mw[0]}
    columns |= {f"{name}_mw": power[0] for name, power in found.power.items()}
    for name in found.charge:
        columns |= {
            f"{name}_charge_mw": found.charge[name][0],
            f"{name}_discharge_mw": found.discharge[name][0],
            f"{name}_stored_mwh": found.stored[name][0],
        }
    columns |= {f"{name}_given_mw": given[0] for name, given in found.given.items()}
    columns |= {f"{name}_delayed_mw": later[0] for name, later in found.delayed.items()}
    columns |= {f"{name}_caught_up_mw": caught[0] for name, caught in found.caught_up.items()}
    if answer.moved:
        columns["moved_out_mw"], columns["moved_in_mw"] = _moved_mw(answer, case.site)
    columns["price_usd_mwh"] = found.price_usd_mwh[0]
    hours = np.arange(len(load.it_mw), dtype=np.int16)
    return pd.DataFrame({"site": pd.Categorical([case.site] * len(hours)), "hour": hours, **columns})


def _months(dispatch: pd.DataFrame) -> pd.DataFrame:
    """MWh by site and month of every flow."""
    month = month_of_hour()[dispatch["hour"].to_numpy()] + 1
    flows = [column for column in dispatch.columns if column.endswith("_mw")]
    sums = dispatch.groupby(["site", month], observed=True)[flows].sum()
    renamed = sums.rename(columns={column: f"{column.removesuffix('_mw')}_mwh" for column in flows})
    return renamed.rename_axis(["site", "month"]).reset_index()


def _battery_rows(case: SiteCase, found: SiteAnswer) -> list[tuple[str, str, float, float, float]]:
    """How the year's dispatch wears each battery, by rainflow."""
    rows = []
    for store in case.stores:
        energy = float(found.capacity[f"energy_{store.name}"][0])
        if energy > NOTHING_MW:
            level = np.clip(found.stored[store.name][0], 0.0, energy)
            year = usage(level, energy)
            left = year.capacity(np.array([5.0, 10.0])).tolist()
            rows.append((case.site, store.name, year.full_cycles_year, left[0], left[1]))
    return rows


def _shortage_rows(case: SiteCase, found: SiteAnswer) -> list[tuple[str, int, float, float, int]]:
    """Where load was shed: how many hours, how much, the worst, and the first hour of the year."""
    shed = found.given["shed"][0]
    short = np.flatnonzero(shed > SHORT_MW)
    if not len(short):
        return []
    return [(case.site, len(short), float(shed[short].sum()), float(shed.max()), int(short[0]))]


def energy_summary(study: PoweredStudy, answer: EnergyAnswer) -> dict[str, float]:
    """The numbers that say what the year is like over all sites.

    Costs in USD, energy in MWh, emissions in t CO2 by location, by market and hour by hour, as
    `supply.carbon.account` has them; clean shares of what was used, in its hour and over the year.
    """
    it = sum(float(load.it_mw.sum()) for load in study.loads)
    used = sum(float(load.site_mw.sum()) for load in study.loads)
    carbon = [_carbon(load, case, answer) for load, case in _paired(study)]
    counted = max(sum(one.load_mwh for one in carbon), NOTHING_MW)
    location = sum(one.location_t for one in carbon)
    shed = sum(float(site.given["shed"].sum()) for site in answer.sites.values())
    return {
        "cost_usd": answer.cost_usd,
        "bound_usd": answer.bound_usd,
        "gap": answer.gap,
        "usd_mwh_it": answer.cost_usd / it,
        "usd_mwh_load": answer.cost_usd / used,
        "it_mwh": it,
        "load_mwh": used,
        "pue": used / it,
        "emission_location_t": location,
        "emission_market_t": sum(one.market_t for one in carbon),
        "emission_hourly_t": sum(one.hourly_t for one in carbon),
        "emission_t_mwh": location / used,
        "clean_hourly": sum(one.hourly_share * one.load_mwh for one in carbon) / counted,
        "clean_yearly": sum(one.annual_share * one.load_mwh for one in carbon) / counted,
        "carbon_usd_t": answer.carbon_usd_t,
        "shed_mwh": shed,
        "peak_mw": sum(_peak_mw(case, answer) for case in study.case.sites),
        "proven": float(answer.proven),
        "seconds": answer.seconds,
    }


def _carbon(load: PoweredLoad, case: SiteCase, answer: EnergyAnswer) -> CarbonAccount:
    """A site's emissions: the grid's at its factor, plants' own, agreements drawn over the meter."""
    found, nothing = answer.sites[case.site], np.zeros(len(load.it_mw))
    net = _net_load(load, answer)
    if net.sum() <= NOTHING_MW:
        return CarbonAccount(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    by_kind = {"grid": nothing, "ppa": nothing, "clean": nothing, "own": nothing}
    own_t = 0.0
    for source in case.sources:
        power = found.power[source.name][0]
        kind = source.kind if source.kind in ("grid", "ppa") else "clean" if source.clean else "own"
        by_kind[kind] = by_kind[kind] + power
        if kind == "own":
            own_t += float(power @ source.emission_t_mwh[0])
    counted = account(
        net,
        by_kind["grid"],
        load.site.emission_t_mwh,
        by_kind["clean"] + by_kind["ppa"],
        own_t=own_t,
        own_mw=by_kind["own"],
        certificates_mwh=float(found.certificates_mwh.sum()),
    )
    # By location bought power that is used has the grid's rate, whoever made it.
    others = by_kind["grid"] + by_kind["own"] + by_kind["clean"]
    used = np.minimum(by_kind["ppa"], np.maximum(net - others, 0.0))
    return replace(counted, location_t=counted.location_t + float(used.sum()) * load.site.emission_t_mwh)


def _moved_mw(answer: EnergyAnswer, site: str) -> tuple[Floats, Floats]:
    """Load that left a site, and what arrived at it at its own PUE, in each hour [MW]."""
    gone, come = np.zeros((2, *answer.sites[site].price_usd_mwh.shape))
    for move in answer.case.moves:
        flow = answer.moved[move.origin, move.target]
        gone += flow * (move.origin == site)
        come += flow * np.asarray(move.ratio) * (move.target == site)
    return gone[0], come[0]


def _net_load(load: PoweredLoad, answer: EnergyAnswer) -> Floats:
    """What was used at the meter in each hour: stores, delays and arrivals in, what gave way out [MW]."""
    found = answer.sites[load.name]
    gone, come = _moved_mw(answer, load.name)
    net = load.site_mw[0] + come - gone
    for taken in (found.charge, found.caught_up):
        net += sum((flow[0] for flow in taken.values()), np.zeros_like(net))
    for given in (found.discharge, found.given, found.delayed):
        net -= sum((flow[0] for flow in given.values()), np.zeros_like(net))
    return np.asarray(np.maximum(net, 0.0))


def _peak_mw(case: SiteCase, answer: EnergyAnswer) -> float:
    """The highest draw over the grid's line, what is bought by agreement with it [MW]."""
    power = answer.sites[case.site].power
    lines = {source.name for source in case.sources if source.kind == "grid"}
    drawn = [power[source.name] for source in case.sources if {source.name, source.over} & lines]
    return float(sum(drawn, np.zeros(case.time.shape)).max())
