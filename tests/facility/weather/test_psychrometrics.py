"""Moist air against psychrolib, the ASHRAE handbook's own numbers, and what physics asks of it."""

from __future__ import annotations

import numpy as np
import psychrolib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.facility.weather import psychrometrics as psy

SEA_LEVEL = 101325.0
temperatures = st.floats(-40.0, 55.0)
humidities = st.floats(0.02, 1.0)
pressures = st.floats(60e3, 108e3)


@pytest.fixture(scope="module", autouse=True)
def _si_units() -> None:
    psychrolib.SetUnitSystem(psychrolib.SI)


def _grid() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    grid = np.meshgrid(np.arange(-35.0, 55.1, 2.5), np.linspace(0.03, 1.0, 9), [62e3, 85e3, 101325.0])
    return tuple(axis.ravel() for axis in grid)  # type: ignore[return-value]


def _two_bulbs(dry: np.ndarray, ratio: np.ndarray, pressure: np.ndarray) -> np.ndarray:
    """Where a frozen and a liquid bulb near 0 degrees both satisfy the equations; psychrolib gives either."""
    zero = np.zeros_like(dry)
    liquid = psy._wet_bulb_humidity(dry, zero, pressure, frozen=False)[0]
    frozen = psy._wet_bulb_humidity(dry, zero, pressure, frozen=True)[0]
    return (ratio >= np.minimum(liquid, frozen) - 1e-6) & (ratio <= np.maximum(liquid, frozen) + 1e-6)


def test_wet_bulb_is_psychrolibs_over_a_wide_grid() -> None:
    dry, humid, pressure = _grid()
    ratio = psy.humidity_ratio(dry, humid, pressure)
    single = ~_two_bulbs(dry, ratio, pressure)
    expected = [
        psychrolib.GetTWetBulbFromRelHum(*row)
        for row in zip(dry[single], humid[single], pressure[single], strict=True)
    ]
    assert single.mean() > 0.97
    np.testing.assert_allclose(psy.wet_bulb_c(dry, ratio, pressure)[single], expected, atol=0.005)


def test_near_freezing_the_liquid_bulb_is_given_and_satisfies_the_equation() -> None:
    dry, pressure = np.full(50, 8.0), np.full(50, SEA_LEVEL)
    zero = np.zeros(50)
    least = psy._wet_bulb_humidity(dry, zero, pressure, frozen=False)[0][0]
    most = psy._wet_bulb_humidity(dry, zero, pressure, frozen=True)[0][0]
    ratio = np.linspace(least, most, 50)
    wet = psy.wet_bulb_c(dry, ratio, pressure)
    assert (wet >= 0.0).all()
    np.testing.assert_allclose(psy._wet_bulb_humidity(dry, wet, pressure, frozen=False)[0], ratio, rtol=1e-6)


@given(temperatures, humidities, pressures)
def test_humidity_ratio_and_dew_point_are_psychrolibs(dry: float, humid: float, pressure: float) -> None:
    ratio = float(psy.humidity_ratio(dry, humid, pressure))
    assert ratio == pytest.approx(psychrolib.GetHumRatioFromRelHum(dry, humid, pressure), rel=1e-5, abs=1e-7)
    assert float(psy.relative_humidity(dry, ratio, pressure)) == pytest.approx(humid, rel=1e-9)
    vapour = humid * float(psy.saturation_pressure_pa(dry))
    assert float(psy.dew_point_c(vapour)) == pytest.approx(
        psychrolib.GetTDewPointFromRelHum(dry, humid), abs=0.005
    )


@given(temperatures, humidities, pressures)
def test_wet_bulb_lies_between_dew_point_and_dry_bulb(dry: float, humid: float, pressure: float) -> None:
    wet = float(psy.wet_bulb_c(dry, psy.humidity_ratio(dry, humid, pressure), pressure))
    dew = float(psy.dew_point_c(humid * psy.saturation_pressure_pa(dry)))
    # A frozen bulb under a dew point just above it may differ by the step of the two equations at 0.
    assert dew - 0.7 <= wet <= dry + 1e-6
    if dew > 0.1:
        assert dew - 0.01 <= wet


@given(temperatures, humidities, st.floats(0.0, 5.0), st.floats(0.0, 0.003))
def test_hotter_or_wetter_air_has_no_lower_wet_bulb(
    dry: float, humid: float, warmer: float, wetter: float
) -> None:
    ratio = float(psy.humidity_ratio(dry, humid, SEA_LEVEL))
    before, after = psy.wet_bulb_c([dry, dry + warmer], [ratio, ratio], SEA_LEVEL)
    assert after >= before - 2e-6
    before, after = psy.wet_bulb_c([dry, dry], [ratio, ratio + wetter], SEA_LEVEL)
    assert after >= before - 2e-6


@pytest.mark.parametrize(
    ("temperature_c", "pressure_kpa"), [(-20, 0.10324), (0, 0.6112), (25, 3.1693), (40, 7.3838)]
)
def test_saturation_pressures_of_the_handbook(temperature_c: float, pressure_kpa: float) -> None:
    # ASHRAE Handbook - Fundamentals, chapter 1, table 3 (rounded).
    assert float(psy.saturation_pressure_pa(temperature_c)) / 1e3 == pytest.approx(pressure_kpa, rel=1e-3)


def test_wet_bulb_of_no_air_is_no_air() -> None:
    empty = np.array([])
    assert psy.wet_bulb_c(empty, empty, SEA_LEVEL).shape == (0,)


@pytest.mark.parametrize("wet", [-8.0, 0.5, 14.0, 26.0])
def test_the_humidity_of_a_wet_bulb_is_its_inverse(wet: float) -> None:
    dry = np.linspace(wet + 0.1, wet + 12.0, 7)
    ratio = psy.humidity_of_wet_bulb(dry, wet, 95_000.0)
    np.testing.assert_allclose(psy.wet_bulb_c(dry, ratio, 95_000.0), wet, atol=1e-4)
