"""Halls, lines, people, money and energy prices of a study."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gigawright.arrays import Floats
from gigawright.clock import Quarter
from gigawright.facility.dispatch.quarters import KINDS, PLANTS, EnergyPrices
from gigawright.money import Money as Amount
from gigawright.plan.numbers.preparation import Preparation
from gigawright.plan.problem import DESIGNS, Build, Money, Orders, People

UNBOUNDED_MW = 1e6


def build(p: Preparation) -> Build:
    """Every array of halls and grid connections."""
    sites = [p.catalogue.sites[plan.site] for plan in p.study.sites]
    constants = p.catalogue.constants
    premium = np.array([1.0, 1.0 + constants.liquid_premium_share])
    ok = [
        [
            plan.build and design in plan.designs and p.facilities[plan.site].meets_cap(design)
            for design in DESIGNS
        ]
        for plan in p.study.sites
    ]
    return Build(
        hall_existing=np.array([[plan.existing.air, plan.existing.liquid] for plan in p.study.sites]),
        hall_lead=np.array([site.hall_lead_quarters for site in sites]),
        hall_cost=np.array([site.build_musd_mw for site in sites])[:, None] * premium,
        hall_module_mw=constants.hall_module_mw,
        hall_life_quarters=constants.hall_life_years * 4.0,
        may_build=np.array(ok),
        max_it_mw=np.array([UNBOUNDED_MW if plan.max_it is None else plan.max_it for plan in p.study.sites]),
        grid_existing=np.array([plan.existing.grid for plan in p.study.sites]),
        grid_lead=np.array([site.grid_lead_quarters for site in sites]),
        grid_cost=np.array([site.grid_musd_mw for site in sites]),
        grid_stage_mw=constants.grid_stage_mw,
        grid_life_quarters=constants.grid_life_years * 4.0,
        peak_pue=np.array(
            [
                [float(p.facilities[plan.site].pue[design].max()) for design in DESIGNS]
                for plan in p.study.sites
            ]
        ),
    )


def people(p: Preparation) -> People:
    """Every array of the staff."""
    roles = list(p.catalogue.roles.values())

    def column(attribute: str, scale: float = 1.0) -> Floats:
        return np.array([getattr(role, attribute) * scale for role in roles])

    return People(
        market_of_role=np.array([0 if role.market == "China" else 1 for role in roles], int),
        market_of_site=np.array(
            [0 if p.catalogue.sites[plan.site].country == "China" else 1 for plan in p.study.sites], int
        ),
        pay=column("pay_kusd", 0.25),
        attrition=column("attrition_per_quarter"),
        hire_max=column("hire_max_per_quarter", 1e-3),
        initial=column("initial", 1e-3),
        per_mw=column("per_mw", 1e-3),
        per_kacc=column("per_kacc", 1e-3),
        per_programme=column("per_programme", 1e-3),
        late_pay=p.catalogue.book.number("economics", "bought_in_staff_premium", "value"),
    )


def money(p: Preparation) -> Money:
    """Budgets and discounting in M USD."""
    rate = p.catalogue.constants.discount_rate
    discount: Floats = np.asarray((1.0 + rate) ** -((np.arange(len(p.quarters)) + 0.5) / 4.0))

    def budget(amounts: Mapping[int, Amount], year: int) -> float:
        middle = Quarter(year, 2).last_day
        return p.catalogue.usd(amounts[year], middle) * 1e-6 if year in amounts else 0.0

    years = p.study.horizon.years
    return Money(
        capital=np.array([budget(p.study.budgets.capital, year) for year in years]),
        leasing=np.array([budget(p.study.budgets.leasing, year) for year in years]),
        discount=discount,
        discount_end=float((1.0 + rate) ** -(len(p.quarters) / 4.0)),
    )


def orders(p: Preparation) -> Orders:
    """Commitments and shares."""
    start = p.quarters[0]
    committed = tuple(
        (order.system, min(order.by - start, len(p.quarters) - 1), order.accelerators / 1e3)
        for order in p.study.commitments
    )
    return Orders(committed, p.study.rules.domestic_share_min)


def energy(p: Preparation, name: str, money: Money) -> EnergyPrices:
    """What energy costs at a site."""
    site, energy = p.catalogue.sites[name], p.study.energy
    found = {kind: p.catalogue.technology_at(kind, site) for kind in (*KINDS, *PLANTS)}
    most = {"solar": energy.max_solar, "wind": energy.max_wind, "battery": energy.max_battery}
    return EnergyPrices(
        discount=money.discount,
        demand_charge_usd_kw_month=site.demand_charge_usd_kw_month,
        emission_t_mwh=site.emission_t_mwh,
        carbon_usd_t=p.catalogue.usd(energy.carbon_price) if energy.carbon_price else 0.0,
        shed_usd_mwh=p.catalogue.book.number("economics", "shed_price", "value"),
        green_premium_usd_mwh=site.green_premium_usd_mwh,
        green_share_min=site.green_share_min if p.study.rules.green_share else 0.0,
        water_usd_m3=site.water_usd_m3,
        technologies={kind: technology for kind, technology in found.items() if technology is not None},
        max_mw=most | dict.fromkeys(PLANTS, energy.max_plants),
        discount_rate=p.catalogue.constants.discount_rate,
        contract_lead_quarters=round(p.catalogue.book.number("economics", "contract_lead", "value")),
    )
