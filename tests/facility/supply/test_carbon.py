"""The three ways to count carbon, and what holds between them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gigawright.errors import CatalogueError
from gigawright.facility.supply.carbon import account, read_intensity

hours = arrays(float, 24, elements=st.floats(0.0, 10.0))


@given(hours, hours, st.floats(0.1, 1.0))
def test_hours_are_never_kinder_than_the_year(load: np.ndarray, clean: np.ndarray, rate: float) -> None:
    load = load + 0.1
    drawn = load
    found = account(load, drawn, rate, clean, off_site=True)
    assert 0.0 <= found.hourly_share <= min(1.0, found.annual_share) + 1e-12
    assert found.market_t <= found.hourly_t + 1e-9 <= found.location_t + 2e-9
    assert found.location_t == pytest.approx(load.sum() * rate)


def test_on_site_power_lowers_what_is_drawn() -> None:
    load, sun = np.full(4, 10.0), np.array([0.0, 10.0, 6.0, 0.0])
    found = account(load, load - sun, 0.5, sun)
    assert found.location_t == found.market_t == found.hourly_t == pytest.approx(24.0 * 0.5)
    assert found.hourly_share == pytest.approx(0.4)
    assert found.location_g_kwh == pytest.approx(300.0)


def test_certificates_help_the_year_and_not_the_hour() -> None:
    load = np.full(4, 10.0)
    bare, covered = account(load, load, 0.5), account(load, load, 0.5, certificates_mwh=40.0)
    assert covered.market_t == 0.0
    assert covered.hourly_t == bare.hourly_t == covered.location_t == 20.0
    assert covered.annual_share == 1.0
    assert covered.hourly_share == 0.0


def test_residual_rates_and_own_plants() -> None:
    load, own = np.full(2, 10.0), np.array([4.0, 0.0])
    found = account(load, load - own, 0.5, own_mw=own, own_t=1.6, residual_t_mwh=0.6, grid_clean_share=0.3)
    assert found.location_t == pytest.approx(1.6 + 16.0 * 0.5)
    assert found.market_t == pytest.approx(1.6 + 16.0 * 0.6)
    assert found.hourly_t == pytest.approx(1.6 + 8.0)
    assert found.hourly_share == pytest.approx(0.3 * 16.0 / 20.0)
    assert found.hourly_g_kwh == pytest.approx(480.0)


def test_half_hours_count_half() -> None:
    load = np.full(4, 10.0)
    assert account(load, load, 0.5, step_h=0.5).location_t == pytest.approx(10.0)
    with pytest.raises(ValueError, match="there is none"):
        account(np.zeros(3), np.zeros(3), 0.5)


def _hours(path: Path, head: str, value: float) -> Path:
    start = dt.datetime(2023, 1, 1)
    rows = [f"{start + dt.timedelta(hours=hour)},{value}" for hour in range(8760)]
    path.write_text(f"utc,{head}\n" + "\n".join(rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("head", "value"),
    [
        ("ci_direct_g_kwh", 500.0),
        ("gCO2eq/kWh", 500.0),
        ("kg_mwh", 500.0),
        ("kgCO2/kWh", 0.5),
        ("co2 t/MWh", 0.5),
    ],
)
def test_intensities_come_in_any_unit(tmp_path: Path, head: str, value: float) -> None:
    found = read_intensity(_hours(tmp_path / "c.csv", head, value))
    assert found.values == pytest.approx(0.5)


def test_a_unit_is_never_guessed(tmp_path: Path) -> None:
    path = _hours(tmp_path / "c.csv", "carbon", 500.0)
    with pytest.raises(CatalogueError, match="unit of 'carbon' must be said"):
        read_intensity(path)
    assert read_intensity(path, unit="g/kWh").values == pytest.approx(0.5)


def test_a_real_grids_direct_emissions_are_taken(shared_folder: Path) -> None:
    path = shared_folder / "data" / "energy" / "carbon" / "DE-LU_2024.csv"
    found = read_intensity(path)
    assert found.column == "ci_direct_g_kwh"
    assert found.values.mean() == pytest.approx(0.274, abs=0.001)
    assert read_intensity(path, "ci_lca_g_kwh").values.mean() > found.values.mean()
