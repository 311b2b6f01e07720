"""Power swings of training jobs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.catalogue.load import load_facts
from gigawright.facility.cooling import swings
from gigawright.facility.cooling.swings import Swing
from gigawright.facts import FactBook

BOOK = FactBook(load_facts())
STEP_S = 0.01
waves = st.builds(
    Swing, st.floats(0.2, 0.9), st.floats(0.1, 0.6), st.floats(1.0, 10.0), st.floats(0.02, 0.05)
)


def _grid(wave: np.ndarray, kept: float) -> np.ndarray:
    return np.asarray(wave.mean() + kept * (wave - wave.mean()))


@given(waves, st.floats(0.5, 100.0), st.floats(1.0, 60.0))
def test_both_limits_are_kept_and_no_energy_is_made(swing: Swing, ramp: float, span: float) -> None:
    wave = swings.trace(swing, 100.0, STEP_S)
    found = swings.smoothing(wave, STEP_S, ramp, span)
    grid = _grid(wave, found.kept)
    assert np.ptp(grid) <= span + 1e-9
    assert np.abs(np.diff(grid, append=grid[:1])).max() / STEP_S <= ramp + 1e-6
    assert (wave - grid).sum() == pytest.approx(0.0, abs=1e-6)
    assert np.abs(wave - grid).max() == pytest.approx(found.power_mw, abs=1e-9)


@given(st.floats(0.0, 0.9), st.floats(0.1, 0.9), st.floats(1.0, 10.0))
def test_storage_of_a_square_wave_in_closed_form(low: float, exchange: float, period: float) -> None:
    """To a flat line: power (1 - low) max(d, 1 - d), energy (1 - low) d (1 - d) period, d at the low."""
    wave = swings.trace(Swing(low, exchange, period, 0.0), 100.0, 0.001)
    found = swings.smoothing(wave, 0.001, np.inf, 0.0)
    swing = 100.0 * (1.0 - low)
    assert found.power_mw == pytest.approx(swing * max(exchange, 1.0 - exchange), rel=0.01)
    assert found.energy_mwh * 3600.0 == pytest.approx(swing * exchange * (1.0 - exchange) * period, rel=0.01)
    assert found.cycles_day == pytest.approx(86400.0 / period, rel=0.01)


def test_a_swing_within_the_limits_needs_nothing() -> None:
    wave = swings.trace(Swing(0.98, 0.2, 5.0, 0.05), 100.0)
    found = swings.smoothing(wave, STEP_S, 100.0, 10.0)
    assert (found.kept, found.power_mw, found.energy_mwh) == (1.0, 0.0, 0.0)


def test_a_floor_burns_what_a_store_would_keep() -> None:
    wave = swings.trace(Swing(0.4, 0.25, 4.0, 0.0), 100.0)
    assert swings.floor_share(wave, 60.0) == pytest.approx(0.0)
    assert swings.floor_share(wave, 10.0) == pytest.approx((0.25 * 50.0) / 85.0, rel=1e-3)


def test_a_stop_is_carried_by_half_its_power_for_the_ramp() -> None:
    """200 MW that stop at once where the grid allows 20 MW a minute: 10 minutes at 100 MW on the mean."""
    found = swings.ramp(-200.0, 20.0 / 60.0)
    assert (found.power_mw, found.energy_mwh) == (200.0, pytest.approx(100.0 * 10.0 / 60.0))


def test_the_spectrum_holds_all_of_the_swing() -> None:
    wave = swings.trace(swings.swing_of(BOOK), 100.0)
    limit = swings.limit_of(BOOK)
    all_of_it = swings.band_mw(wave, STEP_S, 1e-6, np.inf)
    assert all_of_it == pytest.approx(wave.std())
    inside = swings.band_mw(wave, STEP_S, limit.band_low_hz, limit.band_high_hz)
    assert 0.95 * all_of_it < inside < all_of_it


def test_edges_must_fit() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        swings.trace(Swing(0.5, 0.01, 1.0, 0.2), 100.0)
