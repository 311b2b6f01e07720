"""Wind farms: every curve of the table, height, siting, losses."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.facility.supply.test_generation import _steady

from gigawright.facility.supply.wind import MODERN, WindFarm, power_curve, turbine, turbines, wind_output


@pytest.mark.parametrize("name", sorted(turbines()))
def test_every_curve_is_a_turbines(name: str) -> None:
    """It rises to its rating, stops in storms, and never takes more than Betz lets it."""
    chosen = turbine(name)
    assert (np.diff(chosen.speeds_ms) > 0.0).all()
    assert 0.0 <= chosen.output.min() <= chosen.output.max() == pytest.approx(1.0, abs=0.01)
    speeds, output = power_curve(name)
    assert (np.diff(output[(speeds >= 3.5) & (speeds <= 12.0)]) >= -1e-9).all()
    assert output[speeds > 33.0].max() < 0.03
    inside = (chosen.speeds_ms >= 4.0) & (chosen.speeds_ms <= 20.0)
    betz = 0.5 * 1.225 * np.pi / 4.0 * chosen.rotor_m**2 * chosen.speeds_ms[inside] ** 3 * 16.0 / 27.0
    assert (chosen.output[inside] * chosen.rated_kw * 1e3 <= betz).all()
    assert 180.0 < chosen.specific_w_m2 < 330.0
    assert chosen.source


def test_big_rotors_give_more_in_little_wind() -> None:
    calm = _steady(4.0)
    low, high = (wind_output(calm, WindFarm(name, hub_m=110.0)) for name in ("nrel_6mw_196", "nrel_6mw_170"))
    assert low[0] > 1.15 * high[0]


def test_height_siting_and_losses() -> None:
    calm = _steady(4.0)
    base = wind_output(calm)[0]
    assert wind_output(calm, dataclasses.replace(MODERN, hub_m=150.0))[0] > base
    assert wind_output(calm, dataclasses.replace(MODERN, siting=1.1))[0] > base
    assert wind_output(calm, dataclasses.replace(MODERN, loss=0.0))[0] == pytest.approx(base / 0.85)
    # A tenth more speed is worth as much as a hub 1.1^5 = 1.61 times as high.
    taller = dataclasses.replace(MODERN, hub_m=115.0 * 1.1**5)
    assert wind_output(calm, taller)[0] == pytest.approx(
        wind_output(calm, dataclasses.replace(MODERN, siting=1.1))[0]
    )


def test_an_unknown_turbine_is_told_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="unknown turbine 'mill'; there are enercon_e141_4200, iea_3mw_130"):
        wind_output(_steady(), WindFarm("mill"))
