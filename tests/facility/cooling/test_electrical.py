"""The power chain: published efficiencies, arrangements, and losses that add up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.errors import CatalogueError
from gigawright.facility.cooling import electrical
from gigawright.facility.cooling.electrical import power_chain, power_device

CHAINS = ("n", "n_plus_1", "block", "distributed", "two_n", "block_eco", "rack_battery")


def test_the_transformer_keeps_the_published_minimum() -> None:
    # 10 CFR 431.196 (b): 99.53 % at half load for 2,500 kVA, three-phase, liquid-immersed, from 2016.
    losses = power_device("transformer").losses
    assert float(losses.efficiency(0.5)) == pytest.approx(0.9953, abs=5e-5)
    around = losses.efficiency(np.array([0.4, 0.5, 0.6]))
    assert around.argmax() == 1


def test_the_ups_is_as_stated() -> None:
    losses = power_device("ups").losses
    assert losses.efficiency(np.array([0.25, 0.5, 0.75])).round(3).tolist() == [0.963, 0.972, 0.973]
    eco = power_device("ups_eco").losses
    assert eco.efficiency(np.array([0.5, 0.75, 1.0])).round(3).tolist() == [0.989, 0.990, 0.990]


@given(st.sampled_from(CHAINS), st.floats(0.05, 1.0), st.floats(0.0, 0.5), st.floats(0.0, 0.2))
def test_more_cooling_is_a_higher_pue(chain: str, load: float, cooling: float, more: float) -> None:
    low, high = electrical.pue(np.array([cooling, cooling + more]), load, power_chain(chain))
    assert 1.0 < low <= high
    assert high - low >= more - 1e-12


@given(st.sampled_from(CHAINS), st.floats(0.1, 0.4))
def test_an_emptier_hall_has_a_higher_pue(chain: str, load: float) -> None:
    found = electrical.pue(np.array(0.05), np.array([load, 2.0 * load]), power_chain(chain))
    assert found[0] > found[1]


@pytest.mark.parametrize("load", [0.0, -0.1, 1.1, np.array([0.5, 1.2])])
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


def test_spare_units_run_at_lower_load() -> None:
    loads = [power_chain(name).loading for name in ("n", "n_plus_1", "block", "distributed", "two_n")]
    assert loads == pytest.approx([1.0, 0.8, 0.75, 2.0 / 3.0, 0.5])


def test_whole_second_systems_cost_power_in_empty_halls() -> None:
    """At a fifth of the load 2N idles twice the transformers and UPS."""
    two, block, one = (float(electrical.pue(0.05, 0.2, power_chain(c))) for c in ("two_n", "block", "n"))
    assert two > block + 0.02 > one + 0.02


def test_an_unknown_arrangement_is_told_with_the_known_ones() -> None:
    with pytest.raises(CatalogueError, match=r"3N.*block.*two_n"):
        power_chain("3N")
