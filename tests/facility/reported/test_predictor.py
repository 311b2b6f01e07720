"""What is predicted of reported PUE and WUE: operators, places, heaps, and what the numbers must obey."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.facility.reported import operators as who
from gigawright.facility.reported.heap import (
    GENERATIONS,
    Heap,
    Mixture,
    Stated,
    generation_of,
    heap_of,
)
from gigawright.facility.reported.physics import Needs, needs_at, operator_needs
from gigawright.facility.reported.predictor import calibration, parse_heaps, predict
from gigawright.facility.reported.rows import Asked

SINGAPORE, STOCKHOLM, PHOENIX = (1.3, 103.8), (59.33, 18.07), (33.45, -112.07)


def asked(operator: str, place: tuple[float, float], year: int = 2024, site: str = "elsewhere") -> Asked:
    return Asked(who.operator_named(operator), site, *place, year)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("AWS", "Amazon Web Services"),
        ("Amazon", "Amazon Web Services"),
        ("Google", "Google Cloud"),
        ("microsoft", "Microsoft Azure"),
        ("Facebook", "Meta"),
        ("Alibaba Cloud", "Alibaba Cloud"),
        ("Equinix", "Equinix"),
        ("NTT Global Data Centers", "other shared halls"),
        ("Metalwork AG", "Metalwork AG"),
    ],
)
def test_operators_are_found_by_their_names(text: str, name: str) -> None:
    assert who.operator_named(text).name == name


def test_every_listed_operator_and_place_is_sound() -> None:
    for _, operator in who.operators():
        assert operator.system in who.SYSTEMS
        assert 18.0 <= operator.air_supply_c <= 35.0
        assert 0.0 <= operator.air_cooled_share <= 1.0
        assert (operator.fleet_pue is None) == (operator.fleet_year is None)
    names = {operator.name for _, operator in who.operators()}
    for place in who.places():
        assert place.operator in names
        assert abs(place.latitude) <= 90.0
        assert 2005 < place.opened < 2030


def test_the_place_decides_when_it_opened_not_its_id() -> None:
    ireland, finland = (53.35, -6.26), (60.2065, 24.6753)
    assert generation_of(asked("Azure", ireland, site="northeurope")) == "first"
    assert generation_of(asked("Azure", finland, site="northeurope")) == "not open"
    assert generation_of(asked("Azure", (52.23, 21.01), 2022)) == "not open"
    assert generation_of(asked("Azure", (52.23, 21.01), 2024)) == "later"


def test_distances_are_great_circles() -> None:
    assert who.distance_km(0.0, 0.0, 0.0, 90.0) == pytest.approx(math.pi / 2.0 * who.EARTH_KM)
    assert who.distance_km(45.0, 10.0, -45.0, -170.0) == pytest.approx(math.pi * who.EARTH_KM)


@given(
    log=st.floats(-4.0, 0.0),
    deviation=st.floats(0.01, 0.8),
    weight=st.floats(0.0, 1.0),
    design=st.floats(1.02, 1.5),
)
def test_quantiles_of_a_mixture_are_in_order_and_hold_their_share(
    log: float, deviation: float, weight: float, design: float
) -> None:
    one = Mixture(log, deviation, weight, design)
    low, high = one.interval
    assert 1.0 <= low <= one.median <= high
    for share in (0.1, 0.5, 0.9):
        value = one.quantile(share)
        assert one.below(value * (1.0 + 1e-9) + 1e-9) >= share - 1e-6
        assert one.below(value - 1e-4) <= share + 1e-6


def test_without_a_heap_the_quantiles_are_the_log_normals() -> None:
    one = Mixture(math.log(0.2), 0.3)
    assert one.quantile(0.5) == pytest.approx(1.2)
    assert one.quantile(0.9) == pytest.approx(1.0 + 0.2 * math.exp(1.2815516 * 0.3))


def test_a_heap_that_is_likely_enough_is_the_median_and_one_that_is_not_moves_it() -> None:
    assert Mixture(math.log(0.3), 0.2, 0.6, 1.12).median == 1.12
    moved = Mixture(math.log(0.3), 0.2, 0.3, 1.12).median
    assert 1.12 < moved < 1.3


def test_a_heap_is_learnt_from_places_and_shrunk_to_one_of_two() -> None:
    assert heap_of([]).shares == (0.5, 0.5, 0.5)
    seen = [Stated("later", 0.0, 1.0)] * 8 + [Stated("first", 0.0, 0.0)] * 8 + [Stated("not open", 1.0, 0.0)]
    assert heap_of(seen).shares == (0.1, 0.9, 0.5)
    assert Heap((0.1, 0.9, 0.5)).weight("later", humid_share=1.0) == 0.0


def test_heaps_that_are_no_shares_are_refused() -> None:
    head = "operator,generation,share\n"
    lines = [f"A,{name},0.5\n" for name in GENERATIONS]
    assert parse_heaps(head + "".join(lines))["A"].shares == (0.5, 0.5, 0.5)
    with pytest.raises(ValueError, match="shares of A"):
        parse_heaps(head + "".join(lines[:2]))
    with pytest.raises(ValueError, match="shares of A"):
        parse_heaps(head + "".join(lines[:2]) + f"A,{GENERATIONS[2]},1.5\n")


@pytest.mark.parametrize("system", who.SYSTEMS)
def test_hot_and_humid_places_need_more(system: str) -> None:
    hot, cold = needs_at(*SINGAPORE, system, 27.0), needs_at(*STOCKHOLM, system, 27.0)
    assert hot.pue > cold.pue + 0.03
    assert hot.humid_share > 0.5 > cold.humid_share
    assert hot.indoors == pytest.approx(cold.indoors, abs=0.02)


def test_outside_air_takes_water_in_heat_and_towers_in_damp() -> None:
    damp, dry, cool = (needs_at(*place, "outside air", 27.0) for place in (SINGAPORE, PHOENIX, STOCKHOLM))
    assert damp.water_l_per_kwh > dry.water_l_per_kwh > cool.water_l_per_kwh
    assert cool.water_l_per_kwh < 0.02
    assert needs_at(*STOCKHOLM, "air-cooled chillers", 25.0).water_l_per_kwh == 0.0


def test_halls_without_water_count_by_their_share() -> None:
    amazon = who.operator_named("AWS")
    own = needs_at(*SINGAPORE, amazon.system, amazon.air_supply_c)
    dry = needs_at(*SINGAPORE, who.AIR_COOLED, who.AIR_COOLED_SUPPLY_C)
    both = operator_needs(amazon, *SINGAPORE)
    expected = (1.0 - amazon.air_cooled_share) * own.outdoors + amazon.air_cooled_share * dry.outdoors
    assert both.outdoors == pytest.approx(expected)
    assert Needs(0.1, 0.2, 1.0, 0.0).mixed(Needs(0.3, 0.4, 0.0, 1.0), 0.25).pue == pytest.approx(1.4)


@pytest.mark.parametrize("operator", ["AWS", "Google", "Azure", "Meta", "Equinix", "Nobody Cloud"])
def test_every_operator_reports_more_where_it_is_hot(operator: str) -> None:
    hot, cold = predict([asked(operator, SINGAPORE), asked(operator, STOCKHOLM)])
    for one in (hot, cold):
        assert 1.02 < one.pue_p10 <= one.pue <= one.pue_p90 < 3.0
        assert 0.0 < one.wue_l_per_kwh < 5.0
    assert hot.pue > cold.pue


def test_operators_nobody_measured_have_wider_intervals() -> None:
    known, unknown = predict([asked("Google", STOCKHOLM), asked("Nobody Cloud", STOCKHOLM)])
    assert unknown.pue_p90 - unknown.pue_p10 > 2.0 * (known.pue_p90 - known.pue_p10)


def test_shared_halls_report_more_than_their_tenants_own() -> None:
    meta, equinix = predict([asked("Meta", STOCKHOLM), asked("Equinix", STOCKHOLM)])
    assert equinix.pue > meta.pue + 0.05


def test_a_measured_site_is_surer_than_another_at_its_place() -> None:
    place = (59.3294, 18.0686)
    seen, other = predict([asked("AWS", place, site="eu-north-1"), asked("AWS", place)])
    assert seen.pue == pytest.approx(1.10, abs=0.02)
    assert other.pue_p90 - other.pue_p10 > 2.0 * (seen.pue_p90 - seen.pue_p10)


def test_years_far_off_are_taken_as_far_as_the_trend_is_known() -> None:
    late, later = predict([asked("AWS", STOCKHOLM, 2028), asked("AWS", STOCKHOLM, 2060)])
    assert late == later


def test_nothing_asked_is_nothing_predicted_and_the_same_is_predicted_the_same() -> None:
    assert predict([]) == []
    twice = predict([asked("AWS", PHOENIX)] * 2)
    assert twice[0] == twice[1] == predict([asked("AWS", PHOENIX)])[0]


def test_the_calibration_that_ships_is_sound() -> None:
    known = calibration()
    for found in (known.pue, known.wue):
        assert np.isfinite(list(found.constants.values())).all()
        assert (found.hierarchy.variances > 0).all()
    assert 0.9 < known.pue.constants["yearly"] < 1.01
    shares = known.heaps["Microsoft Azure"].shares
    assert shares[0] < 0.5 < min(shares[1:])
