"""A study's loads as an energy case, and what its year adds up to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gigawright.catalogue.resolve import resolve
from gigawright.errors import StudyError, UserError
from gigawright.facility.accounts import energy_summary, energy_tables
from gigawright.facility.dispatch.choose import size_energy
from gigawright.facility.dispatch.solve import EnergyAnswer
from gigawright.facility.powered import PoweredStudy, loads_of, powered_study
from gigawright.study.load import load_study

HEAD = "name: T\nhorizon: {start: 2026Q1, end: 2026Q4}\nsites: [{site: abilene}, {site: ulanqab}]\n"
TECHNOLOGIES = "technologies: [solar_world, wind_world, battery_world, solar_cn, wind_cn, battery_cn]"


def powered(folder: Path, energy: str) -> PoweredStudy:
    file = folder / "study.yaml"
    file.write_text(f"{HEAD}energy:\n  {TECHNOLOGIES}\n{energy}", encoding="utf-8")
    study = load_study(file)
    return powered_study(study, resolve(study))


@pytest.fixture(scope="module")
def sized(tmp_path_factory: pytest.TempPathFactory) -> tuple[PoweredStudy, EnergyAnswer]:
    text = """
  carbon_price: 10 USD
  loads:
    - {site: abilene, it: 50 MW, cooling: liquid, connection: 45 MW}
    - {site: ulanqab, it: 20 MW, profile: daily}
"""
    study = powered(tmp_path_factory.mktemp("study"), text)
    return study, size_energy(study.case, gap=1e-3)


def test_the_costs_add_up_to_what_was_found(sized: tuple[PoweredStudy, EnergyAnswer]) -> None:
    study, answer = sized
    assert energy_tables(study, answer)["costs"]["usd"].sum() == pytest.approx(answer.cost_usd, rel=1e-4)


def test_power_balances_in_every_hour(sized: tuple[PoweredStudy, EnergyAnswer]) -> None:
    study, answer = sized
    hours = energy_tables(study, answer)["dispatch"]
    gives = [c for c in hours if c.endswith(("solar_mw", "wind_mw", "grid_mw", "_discharge_mw", "_given_mw"))]
    takes = [c for c in hours if c.endswith("_charge_mw")]
    left = hours[gives].sum(axis=1) - hours[takes].sum(axis=1) - hours["load_mw"]
    assert left.min() > -1e-6
    assert len(hours) == 2 * 8760


def test_the_months_are_the_sums_of_the_hours(sized: tuple[PoweredStudy, EnergyAnswer]) -> None:
    tables = energy_tables(*sized)
    assert tables["months"]["load_mwh"].sum() == pytest.approx(tables["dispatch"]["load_mw"].sum())
    assert len(tables["months"]) == 24


def test_a_battery_fades_by_how_it_is_used(sized: tuple[PoweredStudy, EnergyAnswer]) -> None:
    worn = energy_tables(*sized)["batteries"]
    assert len(worn) > 0
    assert worn["full_cycles_year"].between(20, 800).all()
    assert (worn["left_after_10"] < worn["left_after_5"]).all()
    assert worn["left_after_10"].between(0.6, 0.95).all()


def test_a_connection_smaller_than_the_load_is_told_with_its_hours(
    sized: tuple[PoweredStudy, EnergyAnswer],
) -> None:
    study, answer = sized
    short = energy_tables(study, answer)["shortages"].set_index("site")
    assert list(short.index) == ["abilene"]
    shed = answer.sites["abilene"].given["shed"][0]
    assert short.loc["abilene", "hours"] == (shed > 1e-3).sum() > 0
    assert short.loc["abilene", "worst_mw"] == pytest.approx(shed.max())
    assert shed[int(short.loc["abilene", "first_hour"])] > 1e-3
    assert shed.max() <= study.loads[0].site_mw.max() - 45.0 + 1e-6


def test_the_year_in_numbers_is_that_of_its_tables(sized: tuple[PoweredStudy, EnergyAnswer]) -> None:
    study, answer = sized
    found, hours = energy_summary(study, answer), energy_tables(study, answer)["dispatch"]
    assert found["it_mwh"] == pytest.approx(hours["it_mw"].sum())
    assert found["pue"] == pytest.approx(hours["load_mw"].sum() / hours["it_mw"].sum())
    factor = {load.name: load.site.emission_t_mwh for load in study.loads}
    drawn = hours.groupby("site", observed=True)["grid_mw"].sum()
    assert found["emission_location_t"] == pytest.approx(sum(factor[s] * drawn[s] for s in factor))
    assert 0.0 < found["clean_hourly"] < 1.0
    assert found["emission_market_t"] <= found["emission_location_t"] + 1e-6


def test_without_loads_the_standing_halls_are_powered(tmp_path: Path) -> None:
    study = powered(tmp_path, "  loads: [{site: abilene, it: 1 MW}]\n").study
    assert [load.site for load in loads_of(study)] == ["abilene"]
    with pytest.raises(StudyError, match="no load to power"):
        powered(tmp_path, "")


def test_a_load_at_an_unknown_site_is_told(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"energy\.loads.*johor"):
        powered(tmp_path, "  loads: [{site: johor, it: 1 MW}]\n")


def test_flexible_loads_become_tiers_delays_and_moves(tmp_path: Path) -> None:
    text = """
  loads:
    - {site: abilene, it: 10 MW, flexible: [{how: cap, value: 300 USD per MWh}, {how: move, share: 30 %}]}
    - {site: ulanqab, it: 10 MW, flexible: [{how: delay, share: 20 %, hours: 6 h}, {how: move}]}
"""
    case = powered(tmp_path, text).case
    assert [giving.name for giving in case.sites[0].giving] == ["cap_1", "cap_2", "cap_3", "cap_4", "shed"]
    assert case.sites[1].delays[0].most_hours == pytest.approx(6.0)
    assert {(move.origin, move.target) for move in case.moves} == {
        ("abilene", "ulanqab"),
        ("ulanqab", "abilene"),
    }
    with pytest.raises(UserError, match="does not take"):
        size_energy(case, way="exact")


def test_outages_come_once_a_season_when_sun_and_wind_are_weak(tmp_path: Path) -> None:
    text = "  outages: [{lost: grid, lasts: 4 h, share: 50 %}]\n  loads: [{site: abilene, it: 10 MW}]\n"
    study = powered(tmp_path, text)
    outages = study.case.sites[0].outages
    assert len(outages) == 4
    assert [outage.first // 2190 for outage in outages] == [0, 1, 2, 3]
    hours = study.loads[0].hours
    renewable = hours.solar_cf + hours.wind_cf
    assert all(renewable[o.first : o.first + 4].mean() < 0.5 * renewable.mean() for o in outages)


def test_a_curtailable_connection_is_cut_when_power_is_dearest(tmp_path: Path) -> None:
    text = "  loads: [{site: abilene, it: 10 MW, curtailable: {hours: 80 h, share: 50 %}}]\n"
    study = powered(tmp_path, text)
    grid = next(source for source in study.case.sites[0].sources if source.name == "grid")
    cut = grid.available[0] < 1.0
    assert cut.sum() == 80
    assert grid.available[0][cut] == pytest.approx(0.5)
    assert grid.energy_usd_mwh[0][cut].mean() >= grid.energy_usd_mwh[0].mean()


def test_an_agreement_is_a_clean_source_paid_as_it_gives(tmp_path: Path) -> None:
    text = """
  loads:
    - site: abilene
      it: 10 MW
      agreements: [{name: farm, kind: wind, price: 30 USD per MWh, most: 20 MW}]
"""
    study = powered(tmp_path, text)
    farm = study.case.sites[0].sources[0]
    assert (farm.name, farm.kind, farm.clean) == ("farm", "ppa", True)
    assert farm.capacity_usd_mw[0] == pytest.approx(30.0 * study.loads[0].hours.wind_cf.sum())
    assert np.all(farm.most_mw == 20.0)


def test_a_clean_share_hour_by_hour_has_no_certificates(tmp_path: Path) -> None:
    loads = "  loads: [{site: abilene, it: 10 MW}]\n"
    hourly = powered(tmp_path, f"  clean_share: 80 %\n{loads}").case.sites[0]
    assert (hourly.clean_share, hourly.certificate_usd_mwh) == (0.8, None)
    yearly = powered(tmp_path, f"  clean_share: 80 %\n  matching: yearly\n{loads}").case.sites[0]
    assert yearly.certificate_usd_mwh is not None


def test_a_limit_on_carbon_is_a_cap_in_tonnes(tmp_path: Path) -> None:
    study = powered(tmp_path, "  carbon_limit: 200 g/kWh\n  loads: [{site: abilene, it: 10 MW}]\n")
    assert study.case.carbon_cap_t == pytest.approx(0.2 * study.loads[0].site_mw.sum())


def test_all_clean_in_every_hour_is_dear_and_yet_sized(tmp_path: Path) -> None:
    """The last grey MWh costs tens of thousands of dollars to avoid: no reason to call it infeasible."""
    text = "  clean_share: 100 %\n  max_solar: 1 MW\n  loads: [{site: abilene, it: 10 MW}]\n"
    study = powered(tmp_path, text)
    answer = size_energy(study.case, way="exact", gap=1e-3)
    assert answer.gap <= 1e-3
    assert answer.emission_t == pytest.approx(0.0, abs=1e-3)
    assert energy_summary(study, answer)["clean_hourly"] == pytest.approx(1.0, abs=1e-6)
