"""Cooling and power chain: bounds, monotony, fan laws, and a plain reading of the air economiser."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.errors import CatalogueError
from gigawright.facility.cooling import electrical
from gigawright.facility.cooling import systems as cooling
from gigawright.facility.cooling.systems import cooling_system, cooling_systems

designs = st.sampled_from(sorted(cooling_systems()))
dry_bulbs = st.floats(-30.0, 50.0)
depressions = st.floats(0.0, 25.0)
loads = st.floats(0.2, 1.0)


def _pue(design: str, dry: float, wet: float, load: float) -> float:
    hours = cooling_system(design).hours(np.array([dry]), np.array([wet]), load)
    return float(electrical.pue(hours.power_share, load)[0])


@given(designs, dry_bulbs, depressions, loads, st.floats(0.0, 10.0))
def test_hotter_air_never_gives_a_better_pue(
    design: str, dry: float, depression: float, load: float, warmer: float
) -> None:
    wet = dry - depression
    assert _pue(design, dry + warmer, wet, load) >= _pue(design, dry, wet, load) - 1e-12


@given(designs, dry_bulbs, depressions, loads, st.floats(0.0, 1.0))
def test_wetter_air_never_gives_a_better_pue(
    design: str, dry: float, depression: float, load: float, part: float
) -> None:
    wetter = dry - depression * (1.0 - part)
    assert _pue(design, dry, wetter, load) >= _pue(design, dry, dry - depression, load) - 1e-12


@given(designs, dry_bulbs, depressions, loads)
def test_pue_is_above_one_and_water_is_not_negative(
    design: str, dry: float, depression: float, load: float
) -> None:
    hours = cooling_system(design).hours(np.array([dry]), np.array([dry - depression]), load)
    assert float(electrical.pue(hours.power_share, load)[0]) > 1.0
    # Even a tower that evaporates all heat of IT, fans and compressors stays below 4 l/kWh.
    assert 0.0 <= float(hours.water_l_per_kwh[0]) < 4.0


@given(dry_bulbs, depressions, loads)
def test_warm_water_needs_no_more_power_than_air(dry: float, depression: float, load: float) -> None:
    wet = dry - depression
    assert _pue("liquid", dry, wet, load) <= _pue("air", dry, wet, load) + 1e-12


@given(dry_bulbs, depressions, loads)
def test_pads_save_power_but_for_their_pump(dry: float, depression: float, load: float) -> None:
    wet = dry - depression
    pump = cooling.PAD_PUMP_SHARE * 1.02
    assert _pue("air", dry, wet, load) <= _pue("air_dry", dry, wet, load) + pump


def test_no_water_without_pads_or_in_the_cold() -> None:
    cold, wet = np.array([5.0]), np.array([3.0])
    for design in ("air", "liquid", "evaporative"):
        assert cooling_system(design).hours(cold, wet, 0.8).water_l_per_kwh[0] == 0.0
    assert cooling_system("air_dry").hours(np.array([45.0]), wet, 0.8).water_l_per_kwh[0] == 0.0


@pytest.mark.parametrize(
    ("dry", "wet"), [(10.0, 8.0), (24.0, 20.0), (30.0, 24.0), (40.0, 21.0), (48.0, 30.0)]
)
def test_air_cooling_read_slowly(dry: float, wet: float) -> None:
    """The economiser hour by hour, in plain sentences."""
    load = 1.0
    fan = 400.0 / (0.65 * 1207.0 * 12.0)
    coolest = dry - 0.75 * (dry - wet)
    entering = dry if dry <= 21.0 else max(21.0, coolest)
    pads = 0.0 if dry <= 21.0 else min(1.0, (dry - 21.0) / (0.75 * (dry - wet)))
    room = 25.0 - entering
    flow = 1.0 if room <= 4.0 else 4.0 / room
    outside = 250.0 / (0.65 * 1207.0 * 12.0) * flow**3
    left_over = min(1.0, max(0.0, (entering + 4.0 - 25.0) / 12.0))
    lift = max(12.0, dry + 13.0 - 20.0)
    chiller = (1.0 + fan) * left_over / (0.48 * 293.15 / lift)
    litres = 3600.0 / 2442.0 * 1.25 * (dry - entering) / 12.0
    hours = cooling_system("air").hours(np.array([dry]), np.array([wet]), load)
    assert hours.power_share[0] == pytest.approx(fan + outside + chiller + 0.002 * pads)
    assert hours.water_l_per_kwh[0] == pytest.approx(litres)


def test_fans_at_half_flow_take_far_less_than_half() -> None:
    # Of the design power, a quarter goes at half flow with a fifth held static: 0.5 x (0.2 + 0.8 / 4) = 0.2.
    assert 0.5 * cooling.at_part_load(1.0, 0.5) == pytest.approx(0.2)


def test_chillers_follow_the_lift() -> None:
    lifts = cooling.chiller_cop(5.0, np.array([25.0, 35.0, 45.0]), 0.5)
    assert (np.diff(lifts) < 0.0).all()
    assert cooling.chiller_cop(15.0, np.array([16.0]), 0.5)[0] == pytest.approx(0.5 * 288.15 / 12.0)


def test_an_unknown_system_is_told_with_the_known_ones() -> None:
    with pytest.raises(CatalogueError, match=r"magic.*air.*liquid"):
        cooling_system("magic")
