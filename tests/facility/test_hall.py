"""A hall's year: sums, monotone behaviour, names of designs, what racks need."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from tests.facility.weather.files import open_meteo_answer, saved

from gigawright.catalogue.load import load_facts
from gigawright.catalogue.lookup import site_of
from gigawright.errors import CatalogueError, UserError
from gigawright.facility.ask import FacilityAsked, FacilityYear, facility_year
from gigawright.facility.cooling.needs import Need
from gigawright.facility.cooling.systems import cooling_systems
from gigawright.facility.hall import LIQUID_OR_AIR, PART_LOADS, best, cooling_named, year_of
from gigawright.facility.hall_tables import as_json, facility_tables
from gigawright.facility.size import size
from gigawright.facts import FactBook
from gigawright.report.facility_text import rows_of, years_lines


@lru_cache
def year(site: str = "johor", coolings: tuple[str, ...] = ("liquid_dry", "chiller")) -> FacilityYear:
    return facility_year(FacilityAsked(site, coolings=coolings, it_mw=80.0))


def test_months_add_up_to_the_year() -> None:
    for one in year().halls:
        months = one.months(8.0)
        assert months["energy_mwh"].sum() == pytest.approx(one.energy_mwh)
        assert months["energy_mwh"].sum() == pytest.approx(80.0 * 8760 * one.annual_pue)
        assert months["water_m3"].sum() == pytest.approx(one.water_m3)
        assert months["short_h"].sum() == one.limit.hours
        assert months["peak_mw"].max() == pytest.approx(one.peak_mw)
        whole = year_of(months)
        assert whole["pue"] == pytest.approx(one.annual_pue)
        assert whole["wue_l_per_kwh"] == pytest.approx(one.annual_wue)


def test_the_year_is_that_of_the_plan() -> None:
    planned = size(site_of("johor"), ("liquid", "air"))
    for one in year("johor", ("liquid", "air")).halls:
        np.testing.assert_allclose(one.pue, planned.pue[one.name], rtol=1e-12)
        np.testing.assert_allclose(one.wue_l_per_kwh, planned.wue_l_per_kwh[one.name], rtol=1e-12)


def test_full_halls_draw_more_than_the_peak_of_what_is_asked() -> None:
    for one in year().halls:
        assert one.design_it_mw == pytest.approx(100.0)
        assert one.full_mw > one.peak_mw * 1.2
        # Sets and batteries carry what a connection must: full halls, not today's load.
        assert one.backup.load_mw == pytest.approx(one.full_mw)
        assert one.backup.battery_mwh == pytest.approx(one.design_it_mw * 300.0 / 3600.0)


def test_the_part_load_curve_passes_through_what_was_asked() -> None:
    for one in year().halls:
        assert np.interp(0.8, PART_LOADS, one.part_load_pue) == pytest.approx(one.annual_pue, rel=1e-9)
        assert one.part_load_pue[0] > one.annual_pue


def test_the_tropics_are_too_warm_for_dry_coolers_and_told() -> None:
    dry, chiller = year().halls
    assert dry.limit.hours > 0
    assert dry.limit.worst_k > 0.1
    assert chiller.limit.hours == 0
    assert dry.water_m3 == 0.0 < chiller.water_m3


def test_the_best_design_must_hold_its_supply() -> None:
    dry, chiller = year().halls
    allowed = dry.limit.hours <= 0.004 * 8760
    assert best(year().halls) is (dry if allowed else chiller)
    assert best((dry,)) is dry


def test_a_wider_range_of_facts_encloses_the_stated_pue() -> None:
    for one in year().halls:
        assert one.sensitivity is not None
        assert one.sensitivity.pue == pytest.approx(one.annual_pue, rel=1e-12)
        assert one.sensitivity.low < one.annual_pue < one.sensitivity.high


def test_racks_change_the_range_as_they_change_the_hall() -> None:
    found = facility_year(FacilityAsked("johor", coolings=("liquid_dry",), system="gb200_nvl72"))
    (one,) = found.halls
    assert one.liquid_share == 0.87
    assert one.sensitivity is not None
    assert one.sensitivity.pue == pytest.approx(one.annual_pue, rel=1e-12)
    assert one.annual_pue != pytest.approx(year("johor", ("liquid_dry",)).halls[0].annual_pue, abs=1e-4)


def test_no_design_is_named_for_racks_that_it_cannot_cool() -> None:
    with pytest.raises(CatalogueError, match="none to give it to"):
        facility_year(FacilityAsked("johor", coolings=("air",), system="gb200_nvl72"))
    (one,) = facility_year(FacilityAsked("johor", system="gb200_nvl72")).halls
    assert one.name == "liquid"
    (one,) = facility_year(FacilityAsked("johor", system="dgx_h100")).halls
    assert one.name == "air"


@pytest.mark.parametrize("name", sorted(LIQUID_OR_AIR))
def test_friendly_names_mean_designs_that_exist(name: str) -> None:
    by_air = Need("r", "a rack", 0.0, 40.0, 35.0)
    for need in (None, by_air):
        found, told = cooling_named(name.replace("_", "-").title(), need)
        assert found in cooling_systems()
        assert found in told
    assert cooling_named("dry", by_air)[0] == "air_dry"


def test_a_designs_own_name_needs_no_word() -> None:
    assert cooling_named("liquid_dry") == ("liquid_dry", "")
    with pytest.raises(CatalogueError, match="no cooling system 'windy'; there are air, "):
        cooling_named("windy")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (FacilityAsked(), "no place is given"),
        (FacilityAsked("johor", "1.35,103.8"), "a site and a point"),
        (FacilityAsked("johor", it_mw=0.0), "IT of 0 MW"),
        (FacilityAsked("johor", load_share=0.0), "a load of 0"),
        (FacilityAsked("johor", system="gb200_nvl7"), "did you mean gb200_nvl72"),
        (FacilityAsked("johor", chain="3n"), "no arrangement of power '3n'"),
        (FacilityAsked(point="100,0"), "is nowhere"),
    ],
)
def test_what_does_not_fit_is_told(asked: FacilityAsked, words: str) -> None:
    with pytest.raises(UserError, match=words):
        facility_year(asked)


def test_swings_are_told_only_once_they_were_known() -> None:
    before = facility_year(FacilityAsked("johor", coolings=("liquid",), as_of="2025-12-23")).halls[0]
    assert before.swings is None
    (after,) = year("johor", ("liquid",)).halls
    assert after.swings is not None
    assert after.swings.low_mw == pytest.approx(0.45 * 80.0)


def test_more_spare_units_mean_less_time_without_power() -> None:
    minutes = [
        facility_year(FacilityAsked("johor", coolings=("air",), chain=chain))
        .halls[0]
        .outages["all"]
        .minutes_year
        for chain in ("n", "n_plus_1", "two_n")
    ]
    assert minutes == sorted(minutes, reverse=True)


def test_tables_and_numbers_say_the_same() -> None:
    found = year()
    tables, told = facility_tables(found), as_json(found)
    assert len(tables["hours"]) == 2 * 8760
    assert len(tables["months"]) == 24
    assert set(tables["sensitivity"]["cooling"]) == {"liquid_dry", "chiller"}
    halls = told["halls"]
    assert isinstance(halls, list)
    for one, numbers in zip(found.halls, halls, strict=True):
        hours = tables["hours"][tables["hours"]["cooling"] == one.name]
        assert hours["meter_mw"].sum() == pytest.approx(numbers["energy_mwh"])
        assert sum(numbers["months"]["energy_mwh"]) == pytest.approx(numbers["energy_mwh"])
        assert numbers["pue"] == pytest.approx(one.annual_pue, abs=1e-6)


def test_what_it_rests_on_is_noted() -> None:
    used = {fact.kind for fact in year().book.used}
    assert {"cooling", "rejection", "power_chain", "power_device", "backup", "power_swing"} <= used
    assert FactBook(load_facts()).used == ()


def test_several_years_are_told_side_by_side(tmp_path: Path) -> None:
    several = saved(tmp_path, open_meteo_answer("2021-01-01", hours=2 * 8760))
    found = facility_year(FacilityAsked(weather=several, coolings=("air", "liquid_dry")))
    assert [(each.cooling, each.label) for each in found.years] == [
        ("air", "2021"),
        ("air", "2022"),
        ("liquid_dry", "2021"),
        ("liquid_dry", "2022"),
    ]
    assert found.years[0].pue == pytest.approx(found.halls[0].annual_pue, rel=1e-12)
    assert found.years[2].peak_mw == pytest.approx(found.halls[1].peak_mw, rel=1e-12)
    assert "of the file's 2 years 2021 is shown by month" in found.notes
    assert len(facility_tables(found)["years"]) == 4
    assert (
        (row := rows_of(found)[2])[0],
        [text[:2] for text in row[1]],
    ) == ("  of 2 years of weather", ["1.", "1."])
    assert len(years_lines(found)) == 2
    assert year().years == ()
    assert "years" not in facility_tables(year())
