"""Energy from the sentence, hour by hour: balance, connection, generation, storage, contracts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from gigawright.plan.check.case import TOLERANCE, Case, above, differ, told
from gigawright.plan.check.hours import KINDS, PLANTS, Hours, Season, plants_of

if TYPE_CHECKING:
    from gigawright.catalogue.types import Technology

CLEAN_PLANTS = ("smr",)


def every_hour_is_there(case: Case) -> Iterator[str]:
    """Each site and quarter with load has every hour of the quarter, once and in order."""
    have = {(season.site, season.quarter) for season in case.seasons}
    for (site, quarter), mw in case.amounts("load", "mw", "site", "quarter").items():
        if above(mw, 0.0) and (site, quarter) not in have:
            yield f"{site} in {quarter}: {mw:,.7g} MW of load and not one hour of dispatch"
    for season in case.seasons:
        count = len(season.need)
        if not np.array_equal(season.flows["hour"], np.arange(count)):
            yield f"{season.place}: {len(season.flows['hour']):,} hours, not 0 to {count - 1:,} in order"


def need_is_load_times_pue(case: Case) -> Iterator[str]:
    """Site power of each hour = sum over designs and profiles of load x shape x PUE of the hour."""
    for season in case.whole_seasons:
        wrong = np.abs(season.flows["need_mw"] - season.need)
        yield from _worst(season, wrong, season.need, "off the need of load x PUE")


def power_balances_every_hour(case: Case) -> Iterator[str]:
    """import + discharge - charge + solar + wind + plants + shed >= need; what is left over is curtailed."""
    for season in case.whole_seasons:
        flow = season.flows
        supply = flow["import_mw"] + flow["solar_mw"] + flow["wind_mw"] + flow["shed_mw"]
        supply = supply + sum(flow[f"{kind}_mw"] for kind in plants_of(case))
        missing = season.need - (supply + flow["discharge_mw"] - flow["charge_mw"])
        yield from _worst(season, missing, season.need, "short of the need")


def never_draw_more_than_connected(case: Case) -> Iterator[str]:
    """Import <= connection every hour, and load x the year's worst PUE <= connection without sun or wind."""
    grid = case.amounts("capacity", "mw", "site", "quarter", what="grid")
    for season in case.whole_seasons:
        room = grid.get((season.site, season.quarter), 0.0)
        yield from _worst(season, season.flows["import_mw"] - room, np.full(1, room), "above the connection")
    worst: dict[tuple[str, str], float] = {}
    for (site, design, quarter), mw in case.amounts("load", "mw", "site", "design", "quarter").items():
        most = float(case.facilities[site].pue[design].max())
        worst[site, quarter] = worst.get((site, quarter), 0.0) + mw * most
    for (site, quarter), mw in worst.items():
        room = grid.get((site, quarter), 0.0)
        if above(mw, room):
            yield told(f"{site} in {quarter}", mw, "in the worst hour", room, "connected", "MW")


def sun_and_wind_give_what_is_contracted(case: Case) -> Iterator[str]:
    """Solar and wind power of each hour <= contracted MW x capacity factor."""
    for season in case.whole_seasons:
        for kind in ("solar", "wind"):
            most = season.contract[kind] * season.cf[kind]
            excess = season.flows[f"{kind}_mw"] - most
            yield from _worst(season, excess, most, f"above what contracted {kind} gives")


def plants_give_what_is_contracted(case: Case) -> Iterator[str]:
    """Power of a plant in each hour <= contracted MW x the share of the time it can run."""
    for season in case.whole_seasons:
        for kind in plants_of(case):
            found = case.catalogue.technology_at(kind, case.site(season.site))
            most = season.contract[kind] * (found.available_share if found else 0.0)
            excess = season.flows[f"{kind}_mw"] - most
            yield from _worst(season, excess, np.full(1, most), f"above what the contracted {kind} gives")


def storage_keeps_what_it_takes(case: Case) -> Iterator[str]:
    """stored' = stored + eff charge - discharge / eff, from the quarter's last hour to its first again.

    `eff` is the square root of the round trip; charge and discharge stay within the contracted power, the
    level within its hours.
    """
    for season in case.whole_seasons:
        flow, power = season.flows, season.contract["battery"]
        battery = case.catalogue.technology_at("battery", case.site(season.site))
        hours, round_trip = (battery.hours, battery.efficiency) if battery else (0.0, 1.0)
        for name, most in (("charge_mw", power), ("discharge_mw", power), ("stored_mwh", power * hours)):
            limit = np.full(1, most)
            yield from _worst(season, flow[name] - most, limit, f"above the contract ({name.split('_')[0]})")
        gained = flow["charge_mw"] * round_trip**0.5 - flow["discharge_mw"] / round_trip**0.5
        drift = np.roll(flow["stored_mwh"], -1) - flow["stored_mwh"] - gained
        yield from _worst(season, np.abs(drift), flow["stored_mwh"], "stored from nowhere", "MWh")


def _worst(season: Season, excess: Hours, scale: Hours, what: str, unit: str = "MW") -> Iterator[str]:
    """Tell the worst hour of a quarter where something exceeds its limit, and how many hours do."""
    over = excess > TOLERANCE * max(1.0, float(np.abs(scale).max(initial=0.0)))
    if over.any():
        hour = int(excess.argmax())
        more = f" ({int(over.sum()):,} hours)" if over.sum() > 1 else ""
        yield f"{season.place}, hour {hour:,}: {excess[hour]:,.7g} {unit} {what}{more}"


def contracts_are_kept(case: Case) -> Iterator[str]:
    """Contracts never fall, start after their lead, stay within the study's most, and only where on offer."""
    energy, lead = case.study.energy, round(case.economics("contract_lead"))
    most = {"solar": energy.max_solar, "wind": energy.max_wind, "battery": energy.max_battery}
    most |= dict.fromkeys(PLANTS, energy.max_plants)
    contracts = case.amounts("contracts", "mw", "site", "technology", "quarter")
    for site in case.plans:
        for kind in KINDS:
            held = [contracts.get((site, kind, quarter), 0.0) for quarter in case.names]
            technology = case.catalogue.technology_at(kind, case.site(site))
            first = max(lead, technology.lead_quarters) if technology else lead
            for q, (before, now) in enumerate(zip([0.0, *held], held, strict=False)):
                place = f"{kind} at {site} in {case.names[q]}"
                if above(before, now):
                    yield told(place, now, "contracted", before, "the quarter before", "MW")
                limit = most[kind] if technology and q >= first else 0.0
                if above(now, limit):
                    yield told(place, now, "contracted", limit, "on offer by then", "MW")


def green_power_covers_its_share(case: Case) -> Iterator[str]:
    """Each site and year: imports and grey plants without certificates <= the share that may be grey."""
    bought = case.amounts("green", "gwh", "site", "year")
    imported: dict[tuple[str, str], float] = {}
    needed: dict[tuple[str, str], float] = {}
    for season in case.whole_seasons:
        place = (season.site, str(case.quarters[season.q].year))
        grey = season.flows["import_mw"].sum() + sum(
            season.flows[f"{kind}_mw"].sum() for kind in plants_of(case) if kind not in CLEAN_PLANTS
        )
        imported[place] = imported.get(place, 0.0) + float(grey) * 1e-3
        needed[place] = needed.get(place, 0.0) + float(season.need.sum()) * 1e-3
    for (site, year), gwh in imported.items():
        share = case.site(site).green_share_min if case.study.rules.green_share else 0.0
        grey, limit = gwh - bought.get((site, year), 0.0), (1.0 - share) * needed[site, year]
        if share > 0.0 and above(grey, limit):
            bound = f"allowed by a green share of {share:.0%}"
            yield told(f"{site} in {year}", grey, "grey", limit, bound, "GWh")


def energy_is_added_up(case: Case) -> Iterator[str]:
    """Every number of the energy table is the sum over the hours of what it says."""
    said = {(str(row.site), str(row.quarter)): row for row in case.rows("energy")}
    for season in case.whole_seasons:
        row = said.get((season.site, season.quarter))
        if row is None:
            yield f"{season.place}: no row"
            continue
        for column, due in bill(case, season).items():
            got = float(getattr(row, column))
            if differ(got, due):
                yield told(f"{column} of {season.place}", got, "said", due, "by its hours")


def bill(case: Case, season: Season) -> dict[str, float]:
    """The energy table's row, from the hours."""
    flow, site = season.flows, case.site(season.site)
    imported, peak = float(flow["import_mw"].sum()), float(flow["import_mw"].max())
    plants = [
        (case.catalogue.technology_at(kind, site), float(flow[f"{kind}_mw"].sum()))
        for kind in plants_of(case)
    ]
    return {
        "it_mwh": float(season.it_mw.sum()),
        "site_mwh": float(season.need.sum()),
        "import_mwh": imported,
        "solar_mwh": float(flow["solar_mw"].sum()),
        "wind_mwh": float(flow["wind_mw"].sum()),
        "plant_mwh": sum(mwh for _, mwh in plants),
        "shed_mwh": float(flow["shed_mw"].sum()),
        "peak_mw": peak,
        "import_cost_musd": float(flow["import_mw"] @ season.price) * 1e-6,
        "plant_cost_musd": sum(mwh * running_usd_mwh(found) for found, mwh in plants if found) * 1e-6,
        "demand_charge_musd": peak * site.demand_charge_usd_kw_month * 3 * 1e3 * 1e-6,
        "contract_cost_musd": contract_cost_musd(case, season.site, season.contract),
        "emission_t": imported * site.emission_t_mwh
        + sum(mwh * found.fuel_emission_t_mwh / found.efficiency for found, mwh in plants if found),
        "water_m3": float(season.water_m3.sum()),
    }


def running_usd_mwh(plant: Technology) -> float:
    """Fuel over efficiency, and operation beside it [USD/MWh]."""
    return plant.fuel_usd_mwh / plant.efficiency + plant.energy_cost_usd_mwh


def contract_cost_musd(case: Case, site: str, held: dict[str, float]) -> float:
    """What contracted MW cost a quarter: a quarter of (capital x annuity + fixed operation)."""
    rate, total = case.catalogue.constants.discount_rate, 0.0
    for kind, mw in held.items():
        found = case.catalogue.technology_at(kind, case.site(site))
        if found is not None and mw:
            life = found.life_years
            annuity = rate / (1.0 - (1.0 + rate) ** -life) if rate else 1.0 / life
            usd_kw_year = found.capex_usd_kw * annuity + found.om_usd_kw_year
            total += mw * 1e3 * usd_kw_year / 4 * 1e-6
    return total
