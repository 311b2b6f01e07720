"""Odd words in a study of energy, and accounts that add up with every feature at once."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gigawright.catalogue.resolve import resolve
from gigawright.clock import HOURS_PER_YEAR
from gigawright.errors import StudyError
from gigawright.facility.accounts import energy_summary, energy_tables
from gigawright.facility.dispatch.solve import EnergyAnswer, solve_energy
from gigawright.facility.powered import PoweredStudy, powered_study
from gigawright.linear import Infeasible
from gigawright.study.load import load_study

HEAD = """name: T
horizon: {start: 2026Q1, end: 2026Q4}
sites: [{site: abilene}, {site: ulanqab}, {site: johor}]
"""
HOURS = 120


def powered(folder: Path, energy: str) -> PoweredStudy:
    file = folder / "study.yaml"
    file.write_text(f"{HEAD}energy:\n{energy}", encoding="utf-8")
    study = load_study(file)
    return powered_study(study, resolve(study))


def cut(part: Any, hours: int = HOURS) -> Any:
    """The same of the year's first hours, outages brought among them."""
    if isinstance(part, np.ndarray) and part.ndim and part.shape[-1] == HOURS_PER_YEAR:
        return part[..., :hours]
    if isinstance(part, tuple):
        return tuple(cut(one, hours) for one in part)
    if is_dataclass(part) and not isinstance(part, type):
        changed = {field.name: cut(getattr(part, field.name), hours) for field in fields(part)}
        if "first" in changed:
            changed["first"] %= hours
        return replace(part, **changed)
    return part


def shortened(study: PoweredStudy) -> PoweredStudy:
    """A study of a few days; capital is that of as many days."""
    case = cut(study.case)
    share = HOURS / HOURS_PER_YEAR
    sites = tuple(
        replace(
            site,
            sources=tuple(replace(s, capacity_usd_mw=s.capacity_usd_mw * share) for s in site.sources),
            stores=tuple(
                replace(
                    s, discharge_usd_mw=s.discharge_usd_mw * share, energy_usd_mwh=s.energy_usd_mwh * share
                )
                for s in site.stores
            ),
        )
        for site in case.sites
    )
    loads = tuple(replace(load, it_mw=load.it_mw[:HOURS], pue=load.pue[:HOURS]) for load in study.loads)
    return replace(
        study, case=replace(case, sites=sites, carbon_cap_t=case.carbon_cap_t * share), loads=loads
    )


EVERYTHING = """
  technologies: [solar_world, wind_world, battery_world, gas_engine_world, gas_turbine_world]
  carbon_price: 15 USD
  carbon_limit: 250 g/kWh
  clean_share: 60 %
  matching: yearly
  reserve: 5 %
  outages: [{lost: grid, lasts: 2 h, share: 60 %}, {lost: grid, lasts: 6 h, share: 30 %}, {lost: battery}]
  loads:
    - site: abilene
      it: 30 MW
      connection: 32 MW
      curtailable: {hours: 400 h, share: 70 %, credit: 30 USD per kW}
      agreements:
        - {name: farm, kind: wind, price: 25 USD per MWh, most: 10 MW}
        - {name: band, kind: flat, price: 45 USD per MWh, most: 4 MW, paid: as taken}
      flexible:
        - {how: cap, value: 90 USD per MWh, share: 50 %}
        - {how: pause, value: 70 USD per MWh, share: 30 %}
        - {how: pause, value: 60 USD per MWh, share: 90 %}
        - {how: delay, share: 40 %, hours: 48 h}
        - {how: move}
    - site: ulanqab
      it: 20 MW
      profile: daily
      flexible: [{how: move}, {how: delay, share: 20 %}, {how: delay, share: 10 %, hours: 24 h}]
    - {site: johor, it: 20 MW, cooling: chiller, flexible: [{how: move, share: 60 %}]}
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[PoweredStudy, EnergyAnswer]:
    study = shortened(powered(tmp_path_factory.mktemp("study"), EVERYTHING))
    return study, solve_energy(study.case)


def test_with_everything_on_the_costs_are_those_of_the_optimum(
    whole: tuple[PoweredStudy, EnergyAnswer],
) -> None:
    study, answer = whole
    costs = energy_tables(study, answer)["costs"]
    assert costs["usd"].sum() == pytest.approx(answer.cost_usd, abs=20.0)
    assert {"gas_engine, starts", "farm, capacity", "pause_2"} <= set(costs["category"])
    assert costs["site"].str.contains(" to ").any()


def test_with_everything_on_power_balances(whole: tuple[PoweredStudy, EnergyAnswer]) -> None:
    study, answer = whole
    for (site, hours), case in zip(
        energy_tables(study, answer)["dispatch"].groupby("site", observed=True, sort=False),
        study.case.sites,
        strict=True,
    ):
        assert site == case.site
        hours = hours.fillna(0.0)
        gives = [f"{s.name}_mw" for s in case.sources] + ["moved_out_mw"]
        gives += [c for c in hours if c.endswith(("_discharge_mw", "_given_mw", "_delayed_mw"))]
        takes = [c for c in hours if c.endswith(("_charge_mw", "_caught_up_mw", "moved_in_mw"))]
        left = hours[gives].sum(axis=1) - hours[takes].sum(axis=1) - hours["load_mw"]
        assert left.min() > -1e-6
        away = hours[[c for c in hours if c.endswith(("_given_mw", "_delayed_mw", "moved_out_mw"))]].sum(
            axis=1
        )
        assert (away <= hours["load_mw"] + 1e-6).all()
        # What arrives finds room: a quarter of the site's own load.
        assert (hours["moved_in_mw"] <= 0.25 * hours["load_mw"] + 1e-6).all()


def test_moved_load_is_counted_where_it_is_used(whole: tuple[PoweredStudy, EnergyAnswer]) -> None:
    study, answer = whole
    found, hours = energy_summary(study, answer), energy_tables(study, answer)["dispatch"]
    assert found["clean_hourly"] <= 1.0 + 1e-9
    net = hours["load_mw"] + hours["moved_in_mw"] - hours["moved_out_mw"]
    assert (net > -1e-6).all()
    factor = {load.name: load.site.emission_t_mwh for load in study.loads}
    drawn = hours.groupby("site", observed=True)["grid_mw"].sum()
    by_grid = sum(factor[site] * drawn[site] for site in factor)
    # Agreements and own plants come on top of what the grid emits.
    assert found["emission_location_t"] >= by_grid - 1e-6


def test_a_site_with_nothing_is_told_to_be_short_in_every_hour(tmp_path: Path) -> None:
    study = shortened(powered(tmp_path, "  loads: [{site: abilene, it: 10 MW, connection: 0 MW}]\n"))
    answer = solve_energy(study.case)
    tables, found = energy_tables(study, answer), energy_summary(study, answer)
    assert tables["shortages"].loc[0, "hours"] == HOURS
    assert found["shed_mwh"] == pytest.approx(found["load_mwh"])
    assert (found["clean_hourly"], found["emission_location_t"]) == (0.0, 0.0)


LOAD = "  loads: [{site: abilene, it: 10 MW%s}]\n"
FARM = "{name: %s, kind: flat, price: 10 USD per MWh, most: 20 MW}"


@pytest.mark.parametrize(
    ("energy", "said"),
    [
        ("  loads: [{site: abilene, it: 1 MW}, {site: abilene, it: 5 MW}]\n", "named once each.*abilene"),
        ("  loads: [{site: abilene, it: 0 MW}]\n", "`it` is zero"),
        ("  outages: [{lost: gridd}]\n" + LOAD % "", "no site has 'gridd'; there are grid"),
        ("  outages: [{lasts: 400 days}]\n" + LOAD % "", "longer than the year"),
        (LOAD % (", agreements: [" + FARM % "grid" + "]"), "'grid' already names"),
        (LOAD % (", agreements: [" + FARM % "it" + "]"), "'it' already names"),
        (LOAD % (", agreements: [" + FARM % "a" + ", " + FARM % "a" + "]"), "seen twice: a"),
        (LOAD % ", curtailable: {hours: 9000 h}", "at most 8,760 h"),
        (LOAD % ", curtailable: {hours: 3 h}", "not one event fits"),
    ],
)
def test_odd_words_are_told(tmp_path: Path, energy: str, said: str) -> None:
    with pytest.raises(StudyError, match=said):
        powered(tmp_path, energy)


def test_agreements_need_the_connection_and_are_lost_with_it(tmp_path: Path) -> None:
    farm = ", agreements: [" + FARM % "band" + "]"
    study = shortened(powered(tmp_path, LOAD % (", connection: 4 MW" + farm)))
    assert solve_energy(study.case).sites["abilene"].power["band"].max() == pytest.approx(4.0)
    lost = shortened(powered(tmp_path, "  outages: [{lost: grid}]\n" + LOAD % farm))
    with pytest.raises(Infeasible):
        solve_energy(lost.case)


def test_words_without_effect_change_nothing(tmp_path: Path) -> None:
    flexible = ", flexible: [{how: cap, share: 0}, {how: move, share: 0}, {how: delay, share: 0, hours: 0 h}]"
    plain, odd = (shortened(powered(tmp_path, LOAD % words)) for words in ("", flexible))
    assert solve_energy(odd.case).cost_usd == pytest.approx(solve_energy(plain.case).cost_usd)


def test_technologies_of_another_country_and_none_at_most_build_nothing(tmp_path: Path) -> None:
    text = "  technologies: [solar_cn, wind_world, battery_world]\n  max_wind: 0 MW\n  max_battery: 0 MW\n"
    study = shortened(powered(tmp_path, text + LOAD % ""))
    built = energy_tables(study, solve_energy(study.case))["capacity"]
    assert list(built["technology"]) == ["grid"]
