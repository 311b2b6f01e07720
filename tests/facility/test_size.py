"""A site's hours, all together."""

from __future__ import annotations

import time

import numpy as np
import pytest
from tests.facility.places import site

from gigawright.catalogue.load import load_facts
from gigawright.facility.size import SiteHours, size, size_with


def test_a_site_has_every_hour_of_everything() -> None:
    hours = size(site(domestic_only_price_usd_mwh=40.0))
    assert hours.designs == ("air", "liquid")
    series = [*hours.pue.values(), *hours.wue_l_per_kwh.values(), hours.solar_cf, hours.wind_cf]
    series += [hours.price_usd_mwh, hours.price_domestic_usd_mwh]
    for values in series:
        assert values is not None
        assert values.shape == (8760,)
        assert np.isfinite(values).all()
        assert not values.flags.writeable
    assert hours.price_usd_mwh.mean() == pytest.approx(60.0)
    assert hours.price_domestic_usd_mwh is not None
    assert hours.price_domestic_usd_mwh.mean() == pytest.approx(40.0)
    assert 1.0 < hours.annual_pue["liquid"] < hours.annual_pue["air"] < 1.3
    assert hours.annual_wue["liquid"] < hours.annual_wue["air"]


def test_the_same_site_is_sized_once() -> None:
    assert size(site()) is size(site())


def test_designs_are_chosen_by_name() -> None:
    hours = size(site(), ("air", "liquid", "chiller", "evaporative"))
    assert hours.annual_wue["chiller"] > 1.5
    assert hours.annual_pue["chiller"] > hours.annual_pue["evaporative"]


def _sized(cap: float | None) -> SiteHours:
    return size(site(pue_cap=cap))


def test_caps_bind_the_annual_mean() -> None:
    mean = _sized(None).annual_pue["air"]
    assert _sized(None).meets_cap("air")
    assert _sized(mean + 1e-6).meets_cap("air")
    assert not _sized(mean - 1e-6).meets_cap("air")


def test_ones_own_weather_may_be_used() -> None:
    weather = size(site()).weather
    again = size_with(site(), weather, ("air",))
    assert again.annual_pue["air"] == size(site()).annual_pue["air"]


def test_a_site_takes_under_a_quarter_second() -> None:
    size(site(id="warm-up"))
    start = time.process_time()
    size(site(id="timed", latitude=40.77, longitude=113.21))
    assert time.process_time() - start < 0.25


def test_every_site_of_the_catalogue_can_be_sized() -> None:
    """All sites with a complete climate; hotter climates have the higher PUE by and large."""
    import datetime as dt

    from gigawright.catalogue import records
    from gigawright.facts import FactBook

    book = FactBook(load_facts())
    names = sorted({fact.item for fact in load_facts() if fact.kind == "site"})
    day = dt.date(2026, 10, 1)
    sized = {name: size(records.site(book, name, records.rates(book), day)) for name in names}
    assert len(sized) >= 20
    for name, hours in sized.items():
        for design, pue in hours.pue.items():
            assert 1.04 < pue.min() <= pue.max() < 1.6, (name, design)
            assert 1.05 < pue.mean() < 1.3, (name, design)
        assert 0.08 < hours.solar_cf.mean() < 0.36, name
        assert 0.005 < hours.wind_cf.mean() < 0.6, name
    warmth = [hours.weather.wet_bulb_c.mean() for hours in sized.values()]
    overhead = [hours.annual_pue["air"] for hours in sized.values()]
    assert np.corrcoef(warmth, overhead)[0, 1] > 0.7
