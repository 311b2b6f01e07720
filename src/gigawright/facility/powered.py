"""A study's loads as one energy case: every hour of a year, what may power it, and what it may give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gigawright.arrays import Floats
from gigawright.clock import HOURS_PER_YEAR
from gigawright.errors import CatalogueError, StudyError
from gigawright.facility import flexible
from gigawright.facility.dispatch.case import (
    Delay,
    EnergyCase,
    Giving,
    Move,
    Outage,
    SiteCase,
    Source,
    Store,
    Timeline,
    one_year,
)
from gigawright.facility.hall import cooling_named
from gigawright.facility.profiles import profile_shapes
from gigawright.facility.size import SiteHours, size, size_with
from gigawright.facility.supply.battery import Usage, augmentation, usage
from gigawright.facility.supply.contracts import agreement
from gigawright.facility.supply.grid import Curtailable, curtailed
from gigawright.facility.supply.sources import annuity_share, grid_of, source_of, store_of

if TYPE_CHECKING:
    from gigawright.catalogue.resolve import Catalogue
    from gigawright.catalogue.types import Site, Technology
    from gigawright.study.energy import Agreement, EnergyLoad, Flexible
    from gigawright.study.model import Study

USD_PER_MUSD = 1e6
HOUR_S = 3600.0
SEASONS = 4


@dataclass(frozen=True, eq=False)
class PoweredLoad:
    """A load, its site, and its hours: IT power, PUE and power at the meter, each (8760,) [MW]."""

    load: EnergyLoad
    site: Site
    hours: SiteHours
    it_mw: Floats
    pue: Floats

    @property
    def name(self) -> str:
        """How the case and its tables call it."""
        return self.load.site

    @property
    def site_mw(self) -> Floats:
        """Power at the meter [1, 8760]."""
        return np.asarray((self.it_mw * self.pue)[None])


@dataclass(frozen=True, eq=False)
class PoweredStudy:
    """A study's loads and the case they make."""

    study: Study
    catalogue: Catalogue
    loads: tuple[PoweredLoad, ...]
    case: EnergyCase


def powered_study(study: Study, catalogue: Catalogue) -> PoweredStudy:
    """The energy case of a study's loads. Raises StudyError where no load is said and no hall stands."""
    refuse_unsound_loads(study)
    loads = tuple(_powered(study, catalogue, load) for load in loads_of(study))
    sites = tuple(_site_case(study, catalogue, load) for load in loads)
    _refuse_unknown_losses(study, sites)
    limit = study.energy.carbon_limit
    energy = sum(float(site.load_mw.sum()) for site in sites if site.load_mw is not None)
    cap = np.inf if limit is None else limit * energy
    return PoweredStudy(study, catalogue, loads, EnergyCase(study.name, sites, cap, _moves(loads)))


def loads_of(study: Study) -> tuple[EnergyLoad, ...]:
    """The loads a study names; without any, each site's standing halls at their whole IT power."""
    from gigawright.study.energy import EnergyLoad

    if study.energy.loads:
        return tuple(study.energy.loads)
    standing = []
    for plan in study.sites:
        halls = {"air": plan.existing.air, "liquid": plan.existing.liquid}
        if total := sum(halls.values()):
            cooling = max(halls, key=lambda design: halls[design])
            load = {"site": plan.site, "it": f"{total!r} MW", "cooling": cooling}
            standing.append(EnergyLoad.model_validate(load))
    if not standing:
        said = "no load to power: name some under `energy.loads`, like {site: ulanqab, it: 100 MW}"
        raise StudyError([study.problem(("energy", "loads"), said)])
    return tuple(standing)


def _refuse_unknown_losses(study: Study, sites: Sequence[SiteCase]) -> None:
    """An outage of what no site has would be lived through without anybody noticing."""
    known = dict.fromkeys(source.name for site in sites for source in site.sources)
    known |= dict.fromkeys(store.name for site in sites for store in site.stores)
    there = f"there are {', '.join(known)}"
    problems = [
        study.problem(("energy", "outages", i, "lost"), f"no site has {case.lost!r}; {there}")
        for i, case in enumerate(study.energy.outages)
        if case.lost not in known
    ]
    if problems:
        raise StudyError(problems)


def refuse_unsound_loads(study: Study) -> None:
    """Raises StudyError with each cooling that is none and each file that is not there, at its line."""
    problems = []
    for i, load in enumerate(study.energy.loads):
        try:
            cooling_named(load.cooling)
        except CatalogueError as error:
            problems.append(study.problem(("energy", "loads", i, "cooling"), str(error)))
        for word, said in (("weather", load.weather), ("prices", load.prices)):
            if said is not None and not (_folder(study) / said).is_file():
                told = f"{_folder(study) / said} is not there; paths are from the study's own folder"
                problems.append(study.problem(("energy", "loads", i, word), told))
    if problems:
        raise StudyError(problems)


def _folder(study: Study) -> Path:
    """Where a study's files are looked for."""
    return Path(study._source.file).parent if study._source is not None else Path()


def _powered(study: Study, catalogue: Catalogue, load: EnergyLoad) -> PoweredLoad:
    site, folder = catalogue.sites[load.site], _folder(study)
    cooling, _ = cooling_named(load.cooling)
    if load.weather is None:
        hours = size(site, (cooling,))
    else:
        from gigawright.facility.weather.read import read_weather

        hours = size_with(site, read_weather(folder / load.weather).weather, (cooling,))
    shape = profile_shapes(catalogue, site)[load.profile]
    return PoweredLoad(load, site, hours, load.it * shape, hours.pue[cooling])


def _site_case(study: Study, catalogue: Catalogue, load: PoweredLoad) -> SiteCase:
    energy, site, time = study.energy, load.site, one_year(HOURS_PER_YEAR)
    share = energy.clean_share
    if share is None:
        share = site.green_share_min if study.rules.green_share else 0.0
    # Certificates are bought by the year: they cannot match an hour.
    certified = energy.clean_share is None or energy.matching == "yearly"
    offered = {name: catalogue.technologies[name] for name in energy.technologies}
    at_site = _for_site(catalogue, list(offered.values()), site)
    givings, delays = _flexible(study, catalogue, load)
    grid = grid_source(study, catalogue, load, time)
    shed = flexible.last_resort(load.site_mw, grid, _shed_price(study, catalogue))
    return SiteCase(
        site=load.name,
        time=time,
        sources=(
            *(_agreement(catalogue, load, agreed, time) for agreed in load.load.agreements),
            *(_source(study, catalogue, load, t, time) for t in at_site if t.kind != "battery"),
            grid,
        ),
        stores=tuple(_store(study, catalogue, t, time) for t in at_site if t.kind == "battery"),
        giving=flexible.within_the_load((*givings, shed), load.site_mw),
        delays=delays,
        outages=_outages(study, load),
        load_mw=load.site_mw,
        reserve_share=energy.reserve,
        clean_share=share,
        certificate_usd_mwh=np.array([site.green_premium_usd_mwh]) if certified and share else None,
        matching=energy.matching,
    )


def _for_site(catalogue: Catalogue, offered: Sequence[Technology], site: Site) -> list[Technology]:
    """One technology of each kind: the site's country's own before the one for anywhere."""
    kinds = dict.fromkeys(technology.kind for technology in offered)
    found = (catalogue.technology_at(kind, site) for kind in kinds)
    return [technology for technology in found if technology is not None]


def _carbon_price(study: Study, catalogue: Catalogue) -> float:
    price = study.energy.carbon_price
    return catalogue.usd(price) if price else 0.0


def _shed_price(study: Study, catalogue: Catalogue) -> float:
    said = study.energy.shed_price
    return catalogue.book.number("economics", "shed_price", "value") if said is None else said


def _source(
    study: Study, catalogue: Catalogue, load: PoweredLoad, technology: Technology, time: Timeline
) -> Source:
    """Sun, wind or a plant at a site, the price of carbon in its energy."""
    energy, hours = study.energy, load.hours
    weather = {"solar": (energy.max_solar, hours.solar_cf), "wind": (energy.max_wind, hours.wind_cf)}
    most, available = weather.get(technology.kind, (energy.max_plants, None))
    rate, carbon = catalogue.constants.discount_rate, _carbon_price(study, catalogue)
    return source_of(technology, time, available, rate, most, carbon_usd_t=carbon)


def _store(study: Study, catalogue: Catalogue, technology: Technology, time: Timeline) -> Store:
    """A battery kept at its energy; its hours are chosen where energy has a price of its own."""
    chosen = technology.energy_capex_usd_kwh is not None
    rate = catalogue.constants.discount_rate
    kept_up = augmentation(_cycled_daily(), round(technology.life_years), discount_rate=rate).yearly_share
    most = study.energy.max_battery
    return store_of(technology, time, rate, most, choose_hours=chosen, yearly_share=kept_up)


@lru_cache(maxsize=1)
def _cycled_daily() -> Usage:
    """The wear that sizing assumes, before the dispatch is known: one deep cycle a day."""
    day = np.r_[np.linspace(0.05, 0.95, 12), np.linspace(0.95, 0.05, 12)]
    return usage(np.tile(day, HOURS_PER_YEAR // 24), 1.0)


def _agreement(catalogue: Catalogue, load: PoweredLoad, agreed: Agreement, time: Timeline) -> Source:
    """What is bought over the grid's line: the hours of the site's own sun or wind, or the same always."""
    hours = {"solar": load.hours.solar_cf, "wind": load.hours.wind_cf}
    offered = hours.get(agreed.kind, 1.0)
    price = catalogue.usd(agreed.price.value[0])
    bought = agreement(agreed.name, time, offered, price, agreed.paid, agreed.most)
    return replace(bought, over="grid")


def grid_source(study: Study, catalogue: Catalogue, load: PoweredLoad, time: Timeline) -> Source:
    """The grid at a site: hourly price, demand charge on the peak, and the line where it is not there yet.

    The connection is what the load says, else what stands at the site; where neither is said, as much as
    needed, at the annuity of the line's cost.
    """
    site, constants = load.site, catalogue.constants
    stands = next(plan.existing.grid for plan in study.sites if plan.site == load.name)
    said = load.load.connection if load.load.connection is not None else (stands or None)
    line = (
        site.grid_musd_mw * USD_PER_MUSD * annuity_share(constants.discount_rate, constants.grid_life_years)
    )
    price = _hourly_price(study, load)
    grid = grid_of(
        time,
        price,
        site.emission_t_mwh,
        site.demand_charge_usd_kw_month,
        np.inf if said is None else said,
        available=_left_of_connection(load, price),
        carbon_usd_t=_carbon_price(study, catalogue),
    )
    each = grid.capacity_usd_mw + (line if said is None else 0.0) - _credit_usd_mw(catalogue, load)
    return replace(grid, capacity_usd_mw=np.maximum(each, 0.0))


def _credit_usd_mw(catalogue: Catalogue, load: PoweredLoad) -> float:
    """What a connection that may be cut brings in a year, by MW of peak."""
    cut = load.load.curtailable
    if cut is None or cut.credit is None:
        return 0.0
    return catalogue.usd(cut.credit.value[0]) * cut.share


def _left_of_connection(load: PoweredLoad, price_usd_mwh: Floats) -> Floats | float:
    """Share of the connection left when the grid may cut it, in the hours in which power is dearest."""
    cut = load.load.curtailable
    if cut is None:
        return 1.0
    terms = Curtailable(cut.hours / HOUR_S, cut.share, max(round(cut.event / HOUR_S), 1))
    return curtailed(terms, price_usd_mwh)


def _hourly_price(study: Study, load: PoweredLoad) -> Floats:
    """The site's tariff, or the hourly prices of the load's own file [USD/MWh]."""
    if load.load.prices is None:
        return load.hours.price_usd_mwh
    from gigawright.facility.supply.prices import read_prices

    folder = _folder(study)
    return read_prices(folder / load.load.prices).price_mwh


def _flexible(
    study: Study, catalogue: Catalogue, load: PoweredLoad
) -> tuple[tuple[Giving, ...], tuple[Delay, ...]]:
    """Tiers and delays of what the load says it can give; moves are made between sites.

    What is said twice, as pauses of two kinds of work, is numbered from the second on.
    """
    givings: list[Giving] = []
    delays: list[Delay] = []
    for i, gives in enumerate(load.load.flexible):
        worth, pue = _worth(study, catalogue, gives), load.pue[None]
        again = sum(other.how == gives.how for other in load.load.flexible[:i])
        mark = f"_{again + 1}" if again else ""
        tiers: tuple[Giving, ...] = ()
        if gives.how == "cap":
            tiers = flexible.cap_tiers(load.site_mw, pue, worth, gives.share)
        elif gives.how == "pause":
            tiers = (flexible.pause(load.site_mw, pue, worth, gives.share),)
        elif gives.how == "delay":
            late = flexible.delay(load.site_mw, gives.share, gives.hours / HOUR_S)
            delays.append(replace(late, name=late.name + mark))
        givings += [replace(tier, name=tier.name + mark) for tier in tiers]
    return tuple(givings), tuple(delays)


def _worth(study: Study, catalogue: Catalogue, gives: Flexible) -> float:
    """USD a MWh of IT whose work is not done."""
    if gives.value is None:
        return _shed_price(study, catalogue)
    return catalogue.usd(gives.value.value[0])


def _moves(loads: Sequence[PoweredLoad]) -> tuple[Move, ...]:
    """Serving that follows the sun between all loads that say `move`."""
    shares = [sum(gives.share for gives in load.load.flexible if gives.how == "move") for load in loads]
    may = [
        (load.name, load.site_mw, load.pue[None], min(share, 1.0))
        for load, share in zip(loads, shares, strict=True)
        if share
    ]
    return flexible.follow_the_sun(may)


def _outages(study: Study, load: PoweredLoad) -> tuple[Outage, ...]:
    """Each loss of the study, once a season, where load is high and sun and wind are weak."""
    found = []
    scarcity = load.site_mw[0] / load.site_mw.mean() - load.hours.solar_cf - load.hours.wind_cf
    for i, case in enumerate(study.energy.outages):
        steps = max(round(case.lasts / HOUR_S), 1)
        window = np.convolve(np.r_[scarcity, scarcity[: steps - 1]], np.ones(steps), "valid")
        for season, hours in enumerate(np.array_split(np.arange(HOURS_PER_YEAR), SEASONS)):
            first = int(hours[np.argmax(window[hours])])
            name = f"{case.lost}_lost_{season + 1}" + (f"_{i + 1}" if i else "")
            found.append(Outage(name, (case.lost,), 0, first, steps, case.share))
    return tuple(found)
