"""The power chain: published efficiencies, and losses that add up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.facility.cooling import electrical


def test_the_transformer_keeps_the_published_minimum() -> None:
    # 10 CFR 431.196 (b): 99.53 % at half load for 2,500 kVA, three-phase, liquid-immersed, from 2016.
    assert electrical.TRANSFORMER.efficiency(0.5) == pytest.approx(0.9953, abs=5e-5)
    around = [electrical.TRANSFORMER.efficiency(load) for load in (0.4, 0.5, 0.6)]
    assert max(around) == around[1]


def test_the_ups_is_as_stated() -> None:
    found = [round(electrical.UPS.efficiency(load), 3) for load in (0.25, 0.5, 0.75)]
    assert found == [0.963, 0.972, 0.973]


@given(st.floats(0.05, 1.0), st.floats(0.0, 0.5), st.floats(0.0, 0.2))
def test_more_cooling_is_a_higher_pue(load: float, cooling: float, more: float) -> None:
    low, high = electrical.pue(np.array([cooling, cooling + more]), load)
    assert 1.0 < low <= high
    assert high - low >= more - 1e-12


@given(st.floats(0.1, 0.5))
def test_an_emptier_hall_has_a_higher_pue(load: float) -> None:
    emptier, fuller = (float(electrical.pue(np.array(0.05), share)) for share in (load, 2.0 * load))
    assert emptier > fuller


@pytest.mark.parametrize("load", [0.0, -0.1, 1.1])
def test_a_load_outside_the_hall_is_refused(load: float) -> None:
    with pytest.raises(ValueError, match="load share"):
        electrical.pue(np.array(0.1), load)


def test_pue_read_slowly() -> None:
    """One MW of IT at design load with 50 kW of cooling, device by device."""
    after_ups = 1.0 + 0.005
    into_ups = after_ups * (0.75 + 0.006 + 0.012 * 0.75 + 0.0105 * 0.75**2) / 0.75
    on_the_bus = into_ups + 0.05 + 0.012
    into_transformer = on_the_bus * (0.75 + 0.00118 + 0.00472 * 0.75**2) / 0.75
    from_the_grid = into_transformer * (0.75 + 0.001 + 0.004 * 0.75**2) / 0.75
    assert float(electrical.pue(np.array(0.05), 1.0)) == pytest.approx(from_the_grid, rel=1e-12)
