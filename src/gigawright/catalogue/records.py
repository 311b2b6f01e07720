"""From facts to records: one function a kind, each reading through the book so that every use is noted."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from typing import cast, get_args

from gigawright.catalogue.tariff import tou_multipliers
from gigawright.catalogue.types import (
    Accelerator,
    Cooling,
    MonthlyClimate,
    Pool,
    Region,
    Role,
    Site,
    System,
    Technology,
    TechnologyKind,
)
from gigawright.clock import Quarter, known_by
from gigawright.errors import CatalogueError
from gigawright.facts import Fact, FactBook
from gigawright.money import Money, Rate, Rates

PRECISIONS = {
    "bf16": "bf16_tflops",
    "fp16": "fp16_tflops",
    "fp8": "fp8_tflops",
    "int8": "int8_tops",
    "fp4": "fp4_tflops",
    "fp32": "fp32_tflops",
}
MONTHS_PER_QUARTER = 3


def rates(book: FactBook) -> Rates:
    """All dated exchange rates known."""
    found = [
        Rate(currency, known_by(day), float(fact.value))
        for currency in book.items("currency")
        for day, fact in book.points("currency", currency, "per_usd").items()
    ]
    return Rates(found)


def _optional(book: FactBook, kind: str, item: str, attribute: str) -> float | None:
    return book.number(kind, item, attribute) if book.has(kind, item, attribute) else None


def accelerator(book: FactBook, item: str) -> Accelerator:
    """A chip; raises CatalogueError where it is unknown."""
    if item not in book.items("accelerator"):
        raise CatalogueError(f"unknown accelerator {item!r}")

    def number(attribute: str) -> float | None:
        return _optional(book, "accelerator", item, attribute)

    peaks = {
        p: book.fact("accelerator", item, a)
        for p, a in PRECISIONS.items()
        if book.has("accelerator", item, a)
    }
    return Accelerator(
        id=item,
        name=book.text("accelerator", item, "name"),
        vendor=book.text("accelerator", item, "vendor"),
        made_for=book.text("accelerator", item, "made_for"),
        peak_tflops={precision: float(fact.value) for precision, fact in peaks.items()},
        memory_gb=number("memory_gb") or 0.0,
        memory_gbs=number("memory_gbs") or 0.0,
        scaleup_gbs=number("scaleup_gbs"),
        scaleup_domain=int(number("scaleup_domain") or 1),
        nic_gbps=number("nic_gbps"),
        tdp_w=number("tdp_w"),
        die_mm2=number("die_mm2"),
        tpp=number("tpp"),
        derived=frozenset(p for p, fact in peaks.items() if fact.confidence == "derived"),
        aliases=tuple(_list(book.text("accelerator", item, "aliases", ""))),
        cores=number("cores"),
        host_gbs=number("host_gbs"),
        generation=book.text("accelerator", item, "generation", ""),
    )


def system(book: FactBook, item: str) -> System:
    """A server, rack or pod with the chip inside; prices in thousand USD an accelerator."""
    chip = accelerator(book, book.text("system", item, "accelerator"))
    count = int(book.number("system", item, "accelerators"))
    chip_usd = _optional(book, "accelerator", chip.id, "chip_usd")

    def number(attribute: str, default: float) -> float:
        return book.number("system", item, attribute, default)

    first = book.text("system", item, "available_from", "")
    return System(
        id=item,
        name=book.text("system", item, "name"),
        accelerator=chip,
        accelerators=count,
        kw_per_accelerator=number("power_kw", 0.0) / count,
        cooling=cast(Cooling, book.text("system", item, "cooling")),
        chip_kusd=None if chip_usd is None else chip_usd / 1e3,
        server_kusd=number("server_usd", 0.0) / 1e3,
        network_kusd=number("network_usd", 0.0) / 1e3,
        storage_kusd=number("storage_usd", 0.0) / 1e3,
        lead_quarters=math.ceil(number("lead_time", 1.0) - 1e-9),
        life_years=number("life", 5.0),
        prepay_share=number("prepay", 0.0),
        lease_usd_per_hour=_optional(book, "system", item, "lease_usd_h"),
        available_from=Quarter.parse(first) if first else None,
    )


def missing_for_planning(book: FactBook, item: str) -> list[str]:
    """What a system lacks to be bought: `chip_usd`, `power_kw` and the like."""
    needs = ("power_kw", "server_usd", "network_usd", "storage_usd", "lead_time", "life", "prepay")
    missing = [need for need in needs if not book.has("system", item, need)]
    if not book.has("accelerator", book.text("system", item, "accelerator"), "chip_usd"):
        missing.append("chip_usd")
    return missing


def usd(book: FactBook, kind: str, item: str, attribute: str, exchange: Rates, day: dt.date) -> float:
    """A money fact in US dollars per its own unit: `0.36 CNY/kWh` becomes USD per kWh."""
    fact = book.fact(kind, item, attribute)
    currency = fact.unit.split("/")[0].strip()
    return exchange.to_usd(Money(float(fact.value), currency), day)


def _monthly(book: FactBook, item: str, attribute: str) -> tuple[float, ...]:
    found = book.points("site", item, attribute)
    try:
        return tuple(float(found[f"{month:02d}"].value) for month in range(1, 13))
    except KeyError as error:
        raise CatalogueError(f"site {item}: no {attribute} for month {error}") from error


def climate(book: FactBook, item: str) -> MonthlyClimate:
    """The twelve monthly normals of a site."""
    return MonthlyClimate(
        dry_bulb_mean_c=_monthly(book, item, "dry_bulb_mean"),
        dry_bulb_daily_max_c=_monthly(book, item, "dry_bulb_max"),
        dry_bulb_daily_min_c=_monthly(book, item, "dry_bulb_min"),
        relative_humidity_pct=_monthly(book, item, "relative_humidity"),
        ghi_kwh_m2_day=_monthly(book, item, "ghi"),
        wind_speed_10m_ms=_monthly(book, item, "wind_speed"),
    )


def site(book: FactBook, item: str, exchange: Rates, day: dt.date) -> Site:
    """A site with its climate, tariff, rules and costs in US dollars."""

    def number(attribute: str) -> float:
        return book.number("site", item, attribute)

    def price(attribute: str) -> float:
        return usd(book, "site", item, attribute, exchange, day)

    domestic = price("price_domestic_only") * 1e3 if book.has("site", item, "price_domestic_only") else None
    return Site(
        id=item,
        name=book.text("site", item, "name"),
        country=book.text("site", item, "country"),
        latitude=number("latitude"),
        longitude=number("longitude"),
        elevation_m=number("elevation"),
        utc_offset_h=number("utc_offset"),
        climate=climate(book, item),
        dry_bulb_extreme_c=number("dry_bulb_extreme"),
        wet_bulb_extreme_c=number("wet_bulb_extreme"),
        price_usd_mwh=price("price") * 1e3,
        tou_multiplier=tou_multipliers(
            number("tou_peak"),
            number("tou_valley"),
            book.text("site", item, "tou_peak_hours"),
            book.text("site", item, "tou_valley_hours"),
        ),
        demand_charge_usd_kw_month=price("demand_charge"),
        emission_t_mwh=number("emission"),
        green_share_min=book.number("site", item, "green_share_min", 0.0),
        green_premium_usd_mwh=price("green_premium"),
        pue_cap=_optional(book, "site", item, "pue_cap"),
        grid_lead_quarters=_quarters(number("connection_lead")),
        hall_lead_quarters=_quarters(number("hall_lead")),
        build_musd_mw=number("build_cost"),
        grid_musd_mw=number("grid_cost"),
        water_usd_m3=number("water_price"),
        domestic_only_price_usd_mwh=domestic,
    )


def _quarters(months: float) -> int:
    """Months to whole quarters, rounded up: a hall ready mid-quarter serves from the next."""
    return -int(-months // MONTHS_PER_QUARTER)


def region(book: FactBook, item: str, sites: Iterable[str]) -> Region:
    """Users on a clock, with the day's traffic by local hour and the round trip to each of `sites`."""
    hours = book.points("region", item, "hourly")
    return Region(
        id=item,
        name=book.text("region", item, "name"),
        users_m=book.number("region", item, "users"),
        assistant_share=book.number("region", item, "assistant_users_share", 0.0),
        utc_offset_h=book.number("region", item, "utc_offset"),
        hourly_shape=tuple(float(hours[f"{hour:02d}"].value) for hour in range(24)),
        residency=book.text("region", item, "residency"),
        rtt_ms={
            place: book.number("region", item, f"rtt@{place}")
            for place in sites
            if book.has("region", item, f"rtt@{place}")
        },
    )


def pool(book: FactBook, item: str) -> Pool:
    """A source of systems with the newest vintage of its caps [kacc]."""
    caps = book.series("pool", item, "cap")
    return Pool(
        id=item,
        name=book.text("pool", item, "name"),
        mode="lease" if book.text("pool", item, "mode") == "lease" else "buy",
        systems=frozenset(_list(book.text("pool", item, "systems"))),
        countries=frozenset(_list(book.text("pool", item, "countries", ""))),
        cap_kacc={Quarter.parse(quarter): float(fact.value) / 1e3 for quarter, fact in caps.items()},
        licence=book.text("pool", item, "licence", "no") == "yes",
    )


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split("|") if part.strip()]


def role(book: FactBook, item: str) -> Role:
    """A kind of staff in a labour market."""

    def number(attribute: str) -> float:
        return book.number("role", item, attribute)

    return Role(
        id=item,
        name=book.text("role", item, "name"),
        market=book.text("role", item, "market"),
        pay_kusd=number("pay") / 1e3,
        attrition_per_quarter=1.0 - (1.0 - number("attrition")) ** 0.25,
        hire_max_per_quarter=number("hire_max"),
        initial=number("initial"),
        per_mw=book.number("role", item, "per_mw", 0.0),
        per_kacc=book.number("role", item, "per_kacc", 0.0),
        per_programme=book.number("role", item, "per_programme", 0.0),
    )


def technology(book: FactBook, item: str) -> Technology:
    """Generation or storage; raises CatalogueError where its kind is none of those there are."""
    kind = book.text("technology", item, "kind")
    if kind not in get_args(TechnologyKind):
        raise CatalogueError(
            f"technology {item}: kind {kind!r} is none of {', '.join(get_args(TechnologyKind))}"
        )

    def number(attribute: str, default: float = 0.0) -> float:
        return book.number("technology", item, attribute, default)

    return Technology(
        id=item,
        kind=cast(TechnologyKind, kind),
        capex_usd_kw=book.number("technology", item, "capex"),
        om_usd_kw_year=book.number("technology", item, "om"),
        life_years=book.number("technology", item, "life"),
        country=book.text("technology", item, "country", ""),
        hours=number("hours"),
        efficiency=number("efficiency", 1.0),
        energy_capex_usd_kwh=_optional(book, "technology", item, "energy_capex"),
        fuel_usd_mwh=number("fuel_price"),
        fuel_emission_t_mwh=number("fuel_emission"),
        energy_cost_usd_mwh=number("energy_cost"),
        least_share=number("least_share"),
        ramp_share_h=number("ramp", math.inf),
        start_usd_mw=number("start_cost"),
        available_share=number("availability", 1.0),
        lead_quarters=_quarters(number("lead_time")),
        wear_usd_mwh=number("wear"),
    )


def series(book: FactBook, item: str) -> dict[dt.date, Fact]:
    """A reported series of the programme by date, as known."""
    return {known_by(day): fact for day, fact in sorted(book.points("programme", item, "at").items())}
