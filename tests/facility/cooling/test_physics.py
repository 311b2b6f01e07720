"""Fans, pumps, pads and chillers."""

from __future__ import annotations

import numpy as np
import psychrolib
import pytest

from gigawright.facility.cooling import physics
from gigawright.facility.cooling.rejection import Outside, evaporated_share
from gigawright.facility.weather import psychrometrics


def test_fans_at_half_flow_take_far_less_than_half() -> None:
    # Of the design power, a quarter goes at half flow with a fifth held static: 0.5 x (0.2 + 0.8 / 4) = 0.2.
    assert 0.5 * physics.at_part_load(1.0, 0.5) == pytest.approx(0.2)


def test_chillers_follow_the_lift() -> None:
    lifts = physics.chiller_cop(5.0, np.array([25.0, 35.0, 45.0]), 0.5)
    assert (np.diff(lifts) < 0.0).all()
    assert physics.chiller_cop(15.0, np.array([16.0]), 0.5)[0] == pytest.approx(0.5 * 288.15 / 12.0)


def test_the_least_efficient_chillers_allowed() -> None:
    # ASHRAE 90.1-2019, table 6.8.1-3: COP 2.985 air-cooled, 6.28 large centrifugal.
    air = physics.chiller_cop(5.0, 48.0, 0.48)
    water = physics.chiller_cop(5.0, 36.5, 0.71)
    assert 2.985 < air < 1.1 * 2.985
    assert water == pytest.approx(6.28, rel=0.01)


def test_vapour_pressure_is_near_the_exact_one() -> None:
    dry, humidity = np.array([0.0, 20.0, 35.0, 32.0]), np.array([0.9, 0.5, 0.2, 0.75])
    ratio = psychrometrics.humidity_ratio(dry, humidity, 101325.0)
    wet = psychrometrics.wet_bulb_c(dry, ratio, 101325.0)
    exact = humidity * psychrometrics.saturation_pressure_pa(dry)
    np.testing.assert_allclose(physics.vapour_pressure_pa(dry, wet, 101325.0), exact, atol=40.0)


def test_pads_bring_air_no_lower_than_needed() -> None:
    air, share = physics.wetted(np.array([10.0, 26.0, 40.0]), np.array([8.0, 20.0, 22.0]), 24.0, 0.75)
    assert air.tolist() == pytest.approx([10.0, 24.0, 26.5])
    assert share.tolist() == pytest.approx([0.0, 2.0 / 4.5, 1.0])


def test_towers_evaporate_less_in_winter() -> None:
    """Heat and water of a tower balance: what evaporates is the air's gain of moisture."""
    psychrolib.SetUnitSystem(psychrolib.SI)
    dry, wet = np.array([0.0, 25.0]), np.array([-2.0, 20.0])
    leaving = np.array([18.0, 27.0])
    share = evaporated_share(Outside(dry, wet, 1.0), leaving)
    ratio_in = [psychrolib.GetHumRatioFromTWetBulb(d, w, 101325.0) for d, w in zip(dry, wet, strict=True)]
    ratio_out = [psychrolib.GetSatHumRatio(out, 101325.0) for out in leaving]
    enthalpy_in = [psychrolib.GetMoistAirEnthalpy(d, r) / 1e3 for d, r in zip(dry, ratio_in, strict=True)]
    enthalpy_out = [
        psychrolib.GetMoistAirEnthalpy(t, r) / 1e3 for t, r in zip(leaving, ratio_out, strict=True)
    ]
    gained = np.array(enthalpy_out) - enthalpy_in
    latent = 2501.0 * (np.array(ratio_out) - ratio_in)
    assert share == pytest.approx(latent / gained, abs=0.04)
    assert share[0] < 0.65 < 0.9 < share[1]


def test_thin_air_is_the_inverse_of_pressure() -> None:
    assert float(physics.thin_air(None)) == 1.0
    denver = psychrometrics.standard_pressure_pa(1609.0)
    assert float(physics.thin_air(denver)) == pytest.approx(1.215, abs=0.002)
