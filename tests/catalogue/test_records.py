"""Records from facts by hand: units, defaults, what is missing, and which vintage holds."""

from __future__ import annotations

import datetime as dt

import pytest

from gigawright.catalogue import records
from gigawright.catalogue.load import load_facts
from gigawright.clock import Quarter
from gigawright.errors import CatalogueError
from gigawright.facts import Fact, FactBook
from gigawright.money import Rate, Rates

EARLY, LATE = dt.date(2025, 12, 1), dt.date(2026, 6, 30)
RATES = Rates([Rate("CNY", dt.date(2025, 1, 1), 7.0)])


def rows(kind: str, item: str, known: dt.date = EARLY, unit: str = "", **values: float | str) -> list[Fact]:
    return [Fact(kind, item, name, value, unit, "by hand", "A", known) for name, value in values.items()]


CHIP = rows("accelerator", "chip", name="Chip", vendor="V", made_for="China", bf16_tflops=800.0,
            memory_gb=64.0, memory_gbs=3200.0, chip_usd=20_000.0)  # fmt: skip
SERVER = rows("system", "server", name="Server", accelerator="chip", accelerators=8.0, power_kw=9.6,
              cooling="liquid", server_usd=6000.0, network_usd=3000.0, storage_usd=1000.0, lead_time=2.0,
              life=6.0, prepay=0.3)  # fmt: skip


def test_an_accelerator_keeps_only_the_rates_it_has() -> None:
    chip = records.accelerator(FactBook(CHIP), "chip")
    assert chip.peak_tflops == {"bf16": 800.0}
    assert (chip.scaleup_gbs, chip.scaleup_domain, chip.tdp_w) == (None, 1, None)
    assert chip.derived == frozenset()
    with pytest.raises(CatalogueError, match="unknown accelerator 'chop'"):
        records.accelerator(FactBook(CHIP), "chop")


def test_an_accelerator_without_further_facts_has_no_other_names_cores_or_generation() -> None:
    chip = records.accelerator(FactBook(CHIP), "chip")
    assert (chip.aliases, chip.cores, chip.host_gbs, chip.generation) == ((), None, None, "")


def test_other_names_are_split_and_cores_links_and_generation_read() -> None:
    more = rows(
        "accelerator", "chip", aliases="Chip 1 | chip-1|", cores=64.0, host_gbs=63.0, generation="First"
    )
    chip = records.accelerator(FactBook([*CHIP, *more]), "chip")
    assert chip.aliases == ("Chip 1", "chip-1")
    assert (chip.cores, chip.host_gbs, chip.generation) == (64.0, 63.0, "First")


def test_a_derived_rate_is_marked() -> None:
    guess = Fact("accelerator", "chip", "fp8_tflops", 1600.0, "", "twice", "derived", EARLY)
    assert records.accelerator(FactBook([*CHIP, guess]), "chip").derived == {"fp8"}


def test_a_system_counts_power_and_prices_by_accelerator() -> None:
    system = records.system(FactBook([*CHIP, *SERVER]), "server")
    assert system.kw_per_accelerator == pytest.approx(1.2)
    assert system.price_kusd == pytest.approx(20 + 6 + 3 + 1)
    assert (system.lead_quarters, system.life_years, system.prepay_share) == (2, 6.0, 0.3)
    assert (system.cooling, system.lease_usd_per_hour, system.available_from) == ("liquid", None, None)


def test_a_system_without_a_chips_price_has_none_and_says_what_it_lacks() -> None:
    few = [f for f in [*CHIP, *SERVER] if f.attribute not in ("chip_usd", "prepay")]
    assert records.system(FactBook(few), "server").price_kusd is None
    assert records.missing_for_planning(FactBook(few), "server") == ["prepay", "chip_usd"]
    assert records.missing_for_planning(FactBook([*CHIP, *SERVER]), "server") == []


def test_availability_is_a_quarter() -> None:
    book = FactBook([*CHIP, *SERVER, *rows("system", "server", available_from="2026Q3")])
    assert records.system(book, "server").available_from == Quarter(2026, 3)


def test_a_broken_lead_time_is_rounded_up_like_a_halls() -> None:
    slow = [f for f in SERVER if f.attribute != "lead_time"] + rows("system", "server", lead_time=2.5)
    assert records.system(FactBook([*CHIP, *slow]), "server").lead_quarters == 3


@pytest.mark.parametrize(("months", "quarters"), [(0, 0), (1, 1), (3, 1), (4, 2), (18, 6), (18.5, 7)])
def test_months_of_building_are_rounded_up_to_quarters(months: float, quarters: int) -> None:
    assert records._quarters(months) == quarters


def test_money_facts_become_us_dollars() -> None:
    book = FactBook(
        rows("site", "s", unit="CNY/kWh", price=0.35) + rows("site", "s", unit="USD/m3", water=2.0)
    )
    assert records.usd(book, "site", "s", "price", RATES, EARLY) == pytest.approx(0.05)
    assert records.usd(book, "site", "s", "water", RATES, EARLY) == pytest.approx(2.0)


def pool_rows() -> list[Fact]:
    about = rows("pool", "p", name="P", mode="buy", systems="a | b", countries="China", licence="yes")
    old = [Fact("pool", "p", f"cap@2026Q{q}", 1000.0 * q, "", "x", "A", EARLY) for q in (1, 2, 3)]
    return [*about, *old, Fact("pool", "p", "cap@2026Q2", 500.0, "", "x", "A", LATE)]


def test_a_pool_has_the_caps_of_one_vintage_in_thousands() -> None:
    pool = records.pool(FactBook(pool_rows()), "p")
    assert pool.cap_kacc == {Quarter(2026, 2): 0.5}
    assert (pool.systems, pool.countries) == ({"a", "b"}, {"China"})
    assert (pool.licence, pool.mode) == (True, "buy")
    before = records.pool(FactBook(pool_rows(), EARLY), "p")
    assert before.cap_kacc == {Quarter(2026, q): float(q) for q in (1, 2, 3)}


def test_a_role_is_paid_in_thousands_and_leaves_by_the_quarter() -> None:
    """19 % a year leave: 0.81 stay, the fourth root of which stays each quarter."""
    role = records.role(
        FactBook(
            rows(
                "role",
                "r",
                name="R",
                market="China",
                pay=48_000.0,
                attrition=0.19,
                hire_max=100.0,
                initial=50.0,
            )
        ),
        "r",
    )
    assert role.pay_kusd == 48.0
    assert (1 - role.attrition_per_quarter) ** 4 == pytest.approx(0.81)
    assert (role.per_mw, role.per_kacc, role.per_programme) == (0.0, 0.0, 0.0)


def test_a_technology_of_another_kind_is_refused() -> None:
    with pytest.raises(CatalogueError, match="kind 'nuclear' is none of solar, wind, battery"):
        records.technology(FactBook([Fact("technology", "n", "kind", "nuclear", "", "x", "A", EARLY)]), "n")


def test_a_series_is_in_the_order_of_its_days() -> None:
    book = FactBook([Fact("programme", "t", f"at@{day}", value, "", "x", "A", EARLY)
                     for day, value in (("2026-03", 3.0), ("2025", 2.0), ("2024-05-15", 1.0))])  # fmt: skip
    assert [(day, fact.value) for day, fact in records.series(book, "t").items()] == [
        (dt.date(2024, 5, 15), 1.0),
        (dt.date(2025, 12, 31), 2.0),
        (dt.date(2026, 3, 31), 3.0),
    ]


def test_a_site_without_a_month_of_its_climate_is_told() -> None:
    facts = rows("site", "s", **{f"ghi@{month:02d}": 1.0 for month in range(1, 12)})
    with pytest.raises(CatalogueError, match="site s: no ghi for month '12'"):
        records._monthly(FactBook(facts), "s", "ghi")


def test_every_record_of_the_package_builds() -> None:
    book = FactBook(load_facts())
    exchange = records.rates(book)
    day = dt.date(2026, 10, 10)
    for item in book.items("accelerator"):
        assert records.accelerator(book, item).made_for in ("China", "abroad")
    for item in book.items("system"):
        assert records.system(book, item).accelerators >= 1
    sites = book.items("site")
    for item in sites:
        site = records.site(book, item, exchange, day)
        assert 5.0 < site.price_usd_mwh < 400.0
        assert 0.0 <= site.emission_t_mwh < 1.3
        assert site.build_musd_mw > 1.0
        assert sum(site.tou_multiplier) / 24 == pytest.approx(1.0)
    for item in book.items("region"):
        assert len(records.region(book, item, sites).hourly_shape) == 24
    for item in book.items("pool"):
        caps = records.pool(book, item).cap_kacc
        assert all(cap >= 0 for cap in caps.values())
    for item in book.items("role"):
        assert 0 <= records.role(book, item).attrition_per_quarter < 1
    for item in book.items("technology"):
        assert records.technology(book, item).life_years > 0


def test_caps_of_a_purchase_pool_are_running_totals() -> None:
    """A pool that seems to take back what it gave would read its yearly numbers as totals."""
    for as_of in (dt.date(2025, 12, 23), dt.date(2026, 10, 10)):
        book = FactBook(load_facts(), as_of)
        for item in book.items("pool"):
            pool = records.pool(book, item)
            caps = [pool.cap_kacc[quarter] for quarter in sorted(pool.cap_kacc)]
            if pool.mode == "buy":
                assert caps == sorted(caps), item
