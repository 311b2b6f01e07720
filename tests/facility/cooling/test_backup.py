"""Standby sets, their fuel and their tests."""

from __future__ import annotations

import pytest

from gigawright.catalogue.load import load_facts
from gigawright.facility.cooling.backup import backup, fuel_l_kwh
from gigawright.facts import FactBook

BOOK = FactBook(load_facts())


def test_fuel_as_the_chart_has_it() -> None:
    # 1,000 kW: 71.1 US gallons an hour at full load, 36.4 at half.
    assert fuel_l_kwh(BOOK, 1.0) == pytest.approx(71.1 * 3.785411784 / 1000.0, abs=1e-4)
    assert fuel_l_kwh(BOOK, 0.5) == pytest.approx(36.4 * 3.785411784 / 500.0, abs=1e-4)


def test_a_site_of_a_hundred_megawatts_read_slowly() -> None:
    found = backup(BOOK, load_mw=110.0, it_mw=100.0)
    assert (found.sets, found.rating_mw) == (44 + 9, 2.5)
    assert found.fuel_m3_h == pytest.approx(110.0 * 0.2691, rel=1e-3)
    assert found.fuel_m3 == pytest.approx(24.0 * found.fuel_m3_h)
    assert found.test_mwh == pytest.approx(53 * 2.5 * (6 * 0.3 + 0.5 * 0.5 + 1 * 0.75))
    assert found.test_co2_t == pytest.approx(found.test_fuel_m3 * 2.697)
    assert found.test_nox_t == pytest.approx(found.test_mwh * 6.4e-3)
    assert found.battery_mwh == pytest.approx(100.0 / 12.0)


def test_carbon_of_a_litre_is_that_of_a_gallon() -> None:
    assert BOOK.number("backup", "diesel", "co2") == pytest.approx(10.21 / 3.785411784, abs=1e-3)


def test_no_load_needs_no_sets() -> None:
    assert (backup(BOOK, 0.0, 0.0).sets, backup(BOOK, 0.0, 0.0).fuel_m3) == (0, 0.0)
