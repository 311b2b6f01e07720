"""Tariffs, charges, agreements and the bill: local hours and months, money by hand, a solved choice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.catalogue.tariff import tou_multipliers
from gigawright.facility.dispatch.block import add_site
from gigawright.facility.dispatch.case import SiteCase, one_year
from gigawright.facility.supply.contracts import (
    Band,
    TimeOfUse,
    TwoPartCharge,
    agreement,
    bill,
    monthly_peaks,
)
from gigawright.facility.supply.sources import grid_of
from gigawright.facility.supply.tariff import hourly_price
from gigawright.linear import Model, solve


@given(st.integers(-11, 14), st.floats(1.0, 3.0), st.floats(0.1, 1.0))
def test_bands_of_all_months_are_the_plain_tariff(offset: int, peak: float, valley: float) -> None:
    bands = (Band("peak", peak, "17-22"), Band("valley", valley, "10-16"))
    found = TimeOfUse(50.0, bands, utc_offset_h=offset).with_mean(60.0).hourly()
    plain = hourly_price(60.0, tou_multipliers(peak, valley, "17-22", "10-16"), offset)
    assert np.allclose(found, plain, rtol=1e-9)


def test_months_are_local_and_later_bands_replace_earlier_ones() -> None:
    """Summer's critical peak lies within the peak; 1 July begins at 16 UTC of 30 June in China."""
    bands = (Band("peak", 1.5, "17-22"), Band("critical", 2.0, "20-22", (7, 8)))
    tariff = TimeOfUse(40.0, bands, fixed_usd_mwh=5.0, utc_offset_h=8.0)
    price = tariff.hourly()
    assert tariff.table()[6, 17:22].tolist() == [1.5, 1.5, 1.5, 2.0, 2.0]
    assert tariff.table()[5, 17:22].tolist() == [1.5] * 5
    start = (31 + 28 + 31 + 30 + 31 + 30) * 24 - 8  # 1 July 00:00 local, in UTC
    assert price[start + 20] == 85.0
    assert price[start - 4] == 65.0  # 30 June 20:00 local
    assert price[start + 12] == 45.0


def test_bands_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="outside 1 to 12"):
        TimeOfUse(40.0, (Band("peak", 2.0, "1-2", (0, 13)),)).hourly()


def test_peaks_belong_to_local_months() -> None:
    drawn = np.zeros(8760)
    drawn[31 * 24 - 8] = 5.0  # 31 January 16:00 UTC is 1 February in China
    assert monthly_peaks(drawn, 8.0)[:2].tolist() == [0.0, 5.0]
    assert monthly_peaks(drawn)[:2].tolist() == [5.0, 0.0]


def test_the_two_part_charge_follows_how_transformers_are_used() -> None:
    charge = TwoPartCharge(usd_kva_month=4.0, usd_kw_month=6.0)
    assert charge.cheapest(np.full(8760, 95.0), 100.0) == ("transformers", pytest.approx(4.8e6))
    # A light load pays for its demand: 20 MW x 6 x 12, and uses too little for the rebate.
    assert charge.cheapest(np.full(8760, 20.0), 100.0) == ("demand", pytest.approx(20e3 * 6.0 * 12))
    assert charge.on_demand(np.full(8760, 50.0), 100.0) == pytest.approx(50e3 * 6.0 * 12 * 0.9)
    assert charge.on_contract(np.full(8760, 20.0), 100.0) == pytest.approx(40e3 * 6.0 * 12)
    # A contracted demand is charged on demand as well, so that a busy month has the rebate.
    assert charge.on_contract(np.full(8760, 50.0), 100.0) == pytest.approx(50e3 * 6.0 * 12 * 0.9)


def test_a_bill_adds_up() -> None:
    drawn = np.ones(8760)
    drawn[0] = 3.0
    found = bill(
        drawn,
        np.where(np.arange(8760) < 4380, 40.0, -10.0),
        demand_usd_kw_month=6.0,
        agreements=[(np.full(8760, 0.5), 35.0)],
        certificates_mwh=100.0,
        certificate_usd_mwh=2.0,
        credit_usd=500.0,
    )
    assert found.energy == pytest.approx(4380 * 40.0 + 80.0 - 43800.0)
    assert found.demand == pytest.approx((3.0 + 11.0) * 6e3)
    assert found.agreements == pytest.approx(4380 * 35.0)
    assert found.total == pytest.approx(found.energy + found.demand + found.agreements + 200.0 - 500.0)
    with pytest.raises(ValueError, match="8760 hours"):
        bill(np.ones(3), 1.0)


def _cheapest(paid: str) -> tuple[float, float]:
    """A day of 1 MW against the grid at 50: 1 MW of sun for half the day offered at 30."""
    time = one_year(24)
    sun = np.repeat([2.0, 0.0], 12)
    model = Model("a day")
    grid = grid_of(time, 50.0, 0.0)
    offer = agreement("ppa", time, sun, 30.0, paid, 1.0)  # type: ignore[arg-type]
    add_site(model, SiteCase("here", time, (grid, offer), load_mw=np.ones((1, 24))))
    found = solve(model.assemble())
    return found.objective, float(found.of("ppa:here")[0])


def test_what_is_produced_is_paid_used_or_not() -> None:
    """Two MW at noon for a load of one: half a MW of the plant is worth 50 - 30, the rest costs 30."""
    cost, capacity = _cheapest("as produced")
    assert (cost, capacity) == (pytest.approx(12 * 50.0 + 12 * 30.0), pytest.approx(0.5))
    cost, _ = _cheapest("as taken")
    assert cost == pytest.approx(12 * 50.0 + 12 * 30.0)


def test_a_nominated_profile_is_firm() -> None:
    time = one_year(24)
    offer = agreement("ppa", time, 0.8, 40.0, "as nominated", 10.0, wheeling_usd_mwh=3.0)
    assert offer.capacity_usd_mw == pytest.approx(24 * 0.8 * 40.0)
    assert offer.energy_usd_mwh == pytest.approx(3.0)
    assert offer.clean
    with pytest.raises(ValueError, match="not 'monthly'"):
        agreement("ppa", time, 0.8, 40.0, "monthly")  # type: ignore[arg-type]
