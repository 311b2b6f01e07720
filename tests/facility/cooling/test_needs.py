"""What racks need of a hall."""

from __future__ import annotations

import numpy as np
import pytest

from gigawright.catalogue.load import load_facts
from gigawright.errors import CatalogueError
from gigawright.facility.cooling.electrical import pue
from gigawright.facility.cooling.needs import Need, fitted, limit, need_of, peak_pue, water_class
from gigawright.facility.cooling.systems import Design, cooling_system
from gigawright.facts import FactBook

BOOK = FactBook(load_facts())


def _design(name: str) -> Design:
    system = cooling_system(name)
    assert isinstance(system, Design)
    return system


@pytest.mark.parametrize("rack", ["gb200_nvl72", "gb300_nvl72", "vr_nvl72"])
@pytest.mark.parametrize("hall", ["air", "air_dry", "fresh_air", "evaporative", "chiller", "rear_door"])
def test_a_rack_with_plates_cannot_stand_in_a_hall_of_air(rack: str, hall: str) -> None:
    with pytest.raises(
        CatalogueError, match=rf"NVL72 gives \d\d% of its heat to liquid.*{hall}.*liquid_full"
    ):
        fitted(_design(hall), need_of(BOOK, rack))


def test_every_system_of_the_catalogue_has_a_hall() -> None:
    for system in BOOK.items("system"):
        need = need_of(BOOK, system)
        hall = fitted(_design("liquid" if need.liquid_share else "air"), need)
        assert hall.liquid_share == need.liquid_share
        found = hall.hours(np.array([20.0]), np.array([15.0]), 0.8)
        assert 0.0 < found.power_share[0] < 0.2


def test_servers_of_air_leave_the_plates_idle() -> None:
    here = np.array([28.0]), np.array([22.0])
    servers = fitted(_design("liquid"), need_of(BOOK, "dgx_h100"))
    plain = _design("air").hours(*here, 0.8)
    found = servers.hours(*here, 0.8)
    assert found.power_share[0] == pytest.approx(plain.power_share[0])
    assert found.water_l_per_kwh[0] == pytest.approx(plain.water_l_per_kwh[0])


def test_cooler_coolant_makes_cooler_water_and_costs_more() -> None:
    hot = np.array([34.0]), np.array([24.0])
    warm, cool = (
        fitted(_design("liquid"), Need("r", "a rack", 0.9, coolant, 35.0)) for coolant in (45.0, 30.0)
    )
    assert (warm.liquid_supply_c, cool.liquid_supply_c) == (40.0, 26.0)
    assert cool.hours(*hot, 0.8).power_share[0] > warm.hours(*hot, 0.8).power_share[0] + 0.02


def test_a_bath_takes_the_same_of_any_rack() -> None:
    assert fitted(_design("immersion"), need_of(BOOK, "dgx_h100")).liquid_share == 0.95


def test_classes_of_water() -> None:
    assert [water_class(supply) for supply in (16.0, 25.0, 32.0, 38.0, 45.0, 50.0)] == [
        "W17", "W27", "W32", "W40", "W45", "W+",
    ]  # fmt: skip


def test_the_peak_is_no_lower_than_any_hour_of_the_year() -> None:
    dry = np.linspace(-10.0, 36.0, 200)
    wet = np.minimum(dry - 1.0, 26.0)
    for name in ("air", "liquid", "chiller", "liquid_full"):
        hours = cooling_system(name).hours(dry, wet, 1.0)
        assert pue(hours.power_share, 1.0).max() <= peak_pue(cooling_system(name), 36.0, 26.0) + 1e-12


def test_what_is_not_held_is_told_with_hours_and_kelvin() -> None:
    dry = np.array([20.0, 33.5, 39.0])
    found = limit(cooling_system("liquid_dry").hours(dry, dry - 10.0, 1.0))
    assert (found.hours, found.worst_k) == (2, pytest.approx(7.0))
    assert "2 hours of the year, by 7.0 K" in str(found)
    assert "every hour" in str(limit(cooling_system("air").hours(dry, dry - 10.0, 1.0)))
