"""Heat used elsewhere: energy balance, what it spares, reporting factors."""

from __future__ import annotations

import numpy as np
import pytest

from gigawright.catalogue.load import load_facts
from gigawright.errors import CatalogueError
from gigawright.facility.cooling import electrical, reuse
from gigawright.facility.cooling.systems import CoolingHours, Design, cooling_system
from gigawright.facts import FactBook

BOOK = FactBook(load_facts())
DRY, WET = np.array([-5.0, 10.0, 36.0]), np.array([-6.0, 8.0, 24.0])


def _hall(name: str) -> tuple[Design, CoolingHours]:
    system = cooling_system(name)
    assert isinstance(system, Design)
    return system, system.hours(DRY, WET, 0.8)


@pytest.mark.parametrize("delivered_c", [45.0, 70.0, 90.0])
def test_heat_delivered_is_heat_taken_and_work(delivered_c: float) -> None:
    hall, cooled = _hall("liquid")
    taken = np.array([0.8, 0.5, 0.0])
    found = reuse.reused(hall, cooled, BOOK, taken, delivered_c)
    np.testing.assert_allclose(found.heat_share - found.pump_share, taken)
    assert (found.pump_share > 0.0).any() == (delivered_c > 47.0)


def test_all_heat_taken_rests_the_way_out() -> None:
    """What is left are the pumps of the plates' loops and the air's part, the dry coolers stand still."""
    hall, cooled = _hall("liquid")
    found = reuse.reused(hall, cooled, BOOK, 0.8, 70.0).cooling
    assert found.loop_share == pytest.approx(0.0)
    assert found.power_share == pytest.approx(cooled.power_share - cooled.loop_share)
    air = cooling_system("air").hours(DRY, WET, 0.8)
    assert found.water_l_per_kwh == pytest.approx(0.2 * air.water_l_per_kwh)


def test_nothing_taken_changes_nothing() -> None:
    hall, cooled = _hall("chiller")
    found = reuse.reused(hall, cooled, BOOK, 0.0, 70.0)
    assert found.cooling.power_share == pytest.approx(cooled.power_share)
    assert found.heat_share == pytest.approx(0.0)


def test_a_hall_gives_no_more_than_its_liquid_carries() -> None:
    hall, cooled = _hall("liquid")
    with pytest.raises(CatalogueError, match=r"0 to 0\.8 of IT"):
        reuse.reused(hall, cooled, BOOK, 0.9, 70.0)


def test_warm_water_takes_less_work_than_air() -> None:
    plates, air = (reuse.lift_share(_hall(name)[0], BOOK, 75.0) for name in ("liquid", "air"))
    assert 3.5 < 1.0 / plates + 1.0 < 5.5  # heating COP from 40 to 75 degrees
    assert plates < 0.75 * air
    # By hand: evaporating at 35, condensing at 78, 0.55 of Carnot's COP of heating.
    assert 1.0 / plates + 1.0 == pytest.approx(0.55 * (78.0 + 273.15) / 43.0)


def test_reported_factors() -> None:
    """ISO/IEC 30134-6: ERF = reused / all; ERE = (1 - ERF) PUE."""
    heat, pue = np.array([0.6, 0.3, 0.0]), electrical.pue(np.array([0.02, 0.03, 0.07]), 0.8)
    factor = reuse.energy_reuse_factor(heat, pue)
    assert factor == pytest.approx(0.3 / pue.mean())
    assert reuse.energy_reuse_effectiveness(heat, pue) == pytest.approx((1.0 - factor) * pue.mean())


def test_networks_ask_for_more_in_the_cold() -> None:
    demand = reuse.heat_demand(np.linspace(-30.0, 40.0, 100), -12.0)
    assert (np.diff(demand) <= 0.0).all()
    assert (demand[0], demand[-1]) == (1.0, pytest.approx(0.15))
