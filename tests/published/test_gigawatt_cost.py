"""A gigawatt of GB200 NVL72 with its computers: 29 bn USD (Epoch AI's hub) to 38 bn USD (Epoch AI's design).

Bernstein has 35 bn USD (October 2025). The site is Abilene, where the hub's largest site stands.
"""

from __future__ import annotations

import datetime as dt

from gigawright.catalogue import records
from gigawright.catalogue.load import load_facts
from gigawright.facility.size import size
from gigawright.facts import FactBook

GIGAWATT_MW = 1000.0


def test_a_gigawatt_of_gb200_costs_29_to_38_bn_usd() -> None:
    day = dt.date(2025, 12, 31)
    book = FactBook(load_facts(), day)
    site = records.site(book, "abilene", records.rates(book), day)
    rack = records.system(book, "gb200_nvl72")
    premium = 1.0 + book.number("economics", "liquid_premium_share", "value")
    it_mw = GIGAWATT_MW / size(site).annual_pue["liquid"]
    accelerators = it_mw * 1e3 / rack.kw_per_accelerator
    assert rack.price_kusd is not None
    computers_bn = accelerators * rack.price_kusd / 1e6
    building_bn = it_mw * (site.build_musd_mw * premium + site.grid_musd_mw) / 1e3
    assert 29.0 <= computers_bn + building_bn <= 38.0
    assert 0.6 <= computers_bn / (computers_bn + building_bn) <= 0.8
