"""Ways out one by one, where designs do not show them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gigawright.facility.cooling.rejection import (
    AirExchanger,
    Chiller,
    DryCooler,
    Outside,
    OutsideAir,
    Rejection,
    Task,
    Tower,
)

AIR_COOLED = Chiller(0.48, 13.0)
ONE = np.ones(1)
WAYS: tuple[Rejection, ...] = (
    OutsideAir(0.85, 21.0, 5.0, None),
    AirExchanger(4.0, 0.75, 250.0, 5.0, None),
    DryCooler(8.0, 0.0, 0.02, 5.0, None),
    Tower(4.0, 1.5, 5.0, 100.0, 5.0, None),
)


def _air(dry: float, wet: float, load: float = 1.0) -> Outside:
    return Outside(np.array([dry]), np.array([wet]), load)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: type(way).__name__)
def test_without_a_chiller_the_excess_is_what_is_missing(way: Rejection) -> None:
    """Saturated air: the supply is as warm as the air and the approach, and no pads help."""
    found = way.reject(_air(30.0, 30.0), Task(28.0, 10.0, ONE))
    assert found.excess_k[0] == pytest.approx(30.0 + way.rise_over_outside_k - 28.0)
    held = way.reject(_air(30.0, 30.0), Task(30.0 + way.rise_over_outside_k, 10.0, ONE))
    assert float(np.max(held.excess_k)) == pytest.approx(0.0)


@pytest.mark.parametrize("way", WAYS[1:3], ids=lambda way: type(way).__name__)
def test_a_chiller_takes_just_what_is_missing(way: AirExchanger | DryCooler) -> None:
    """Half of the rise is missing: half of the heat goes through the chiller."""
    way = replace(way, effectiveness=0.0)
    task = Task(28.0, 10.0, np.array([1.1]))
    warm = 28.0 + 5.0 - way.rise_over_outside_k
    alone = way.reject(_air(warm, warm), replace(task, supply_c=33.0)).power_share[0]
    helped = replace(way, chiller=AIR_COOLED).reject(_air(warm, warm), task).power_share[0]
    chiller = 1.1 * 0.5 / AIR_COOLED.cop(28.0, warm)
    fans = 1.0 if isinstance(way, AirExchanger) else 0.5
    assert helped == pytest.approx(fans * alone + chiller)


def test_fans_rest_when_the_chiller_does_all() -> None:
    cooler = DryCooler(6.0, 0.0, 0.02, 5.0, AIR_COOLED)
    found = cooler.reject(_air(40.0, 20.0), Task(20.0, 8.0, ONE))
    assert found.power_share[0] == pytest.approx(1.0 / AIR_COOLED.cop(20.0, 40.0))


def test_a_tower_balances_heat_and_water() -> None:
    """A tower without a chiller carries the heat and its pump's; water follows its evaporated share."""
    tower = WAYS[3]
    mild, frost = (
        tower.reject(_air(dry, wet), Task(32.0, 10.0, ONE)) for dry, wet in ((26.0, 22.0), (0.0, -2.0))
    )
    assert 1.4 < mild.water_l_per_kwh[0] < 1.9
    assert frost.water_l_per_kwh[0] < 0.85 * mild.water_l_per_kwh[0]
    assert frost.power_share[0] < mild.power_share[0]


def test_cop_of_a_chiller_read_slowly() -> None:
    assert AIR_COOLED.cop(20.0, 35.0) == pytest.approx(0.48 * (273.15 + 15.0) / (48.0 - 15.0))
