"""How power is paid for: time of use, demand and capacity charges, purchase agreements, and the bill of a
year's hourly flows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from gigawright.arrays import Floats
from gigawright.catalogue.tariff import hours_of
from gigawright.clock import HOURS_PER_YEAR, local_hour_of_day, month_of_hour
from gigawright.facility.dispatch.case import Source, Timeline

MONTHS = 12
KW_PER_MW = 1e3
ALL_YEAR = tuple(range(1, MONTHS + 1))
# NDRC 2023 No. 526 [cited, unverified]: where a month's use reaches 260 kWh a kVA, the charge on demand is
# 90 % of the approved one; contracted demand is at least 40 % of what the transformers carry.
BUSY_KWH_PER_KVA, BUSY_SHARE, LEAST_CONTRACT_SHARE = 260.0, 0.9, 0.4


@dataclass(frozen=True)
class Band:
    """Hours of some months at a multiple of the flat price: peak, valley, deep valley, critical peak.

    `hours` are local, like `17-22` or `8-11;17-23` (the end not included); `months` 1 to 12.
    """

    name: str
    ratio: float
    hours: str
    months: tuple[int, ...] = ALL_YEAR


@dataclass(frozen=True)
class TimeOfUse:
    """A regulated tariff. The flat price moves with the bands, the fixed part does not.

    China's provinces move the price of energy and transmission, not the government's funds and line losses;
    a critical peak lies within the peak and replaces it, so later bands go before earlier ones.
    """

    flat_usd_mwh: float
    bands: tuple[Band, ...] = ()
    fixed_usd_mwh: float = 0.0
    utc_offset_h: float = 0.0

    def table(self) -> Floats:
        """Multiples of the flat price by month and local hour. Shape (12, 24).

        Raises ValueError on months outside 1 to 12, CatalogueError on hours that are none.
        """
        ratio = np.ones((MONTHS, 24))
        for band in self.bands:
            if not set(band.months) <= set(ALL_YEAR):
                raise ValueError(f"band {band.name!r} has months outside 1 to 12: {band.months}")
            ratio[np.ix_([month - 1 for month in band.months], sorted(hours_of(band.hours)))] = band.ratio
        return ratio

    def hourly(self) -> Floats:
        """Price by UTC hour [USD/MWh]. Shape (8760,).

        >>> peak, valley = Band("peak", 1.6, "17-22"), Band("valley", 0.4, "10-16", (3, 4, 5))
        >>> price = TimeOfUse(50.0, (peak, valley), fixed_usd_mwh=5.0, utc_offset_h=8.0).hourly()
        >>> [round(float(price[hour]), 1) for hour in (0, 9, 2, 60 * 24 + 2)]  # 8, 17, 10 h; 10 h in March
        [55.0, 85.0, 55.0, 25.0]
        """
        local = local_hour_of_day(self.utc_offset_h)
        month = np.roll(month_of_hour(), -round(self.utc_offset_h))
        return np.asarray(self.flat_usd_mwh * self.table()[month, local] + self.fixed_usd_mwh)

    def with_mean(self, usd_mwh: float) -> TimeOfUse:
        """The same bands at the flat price that makes the mean of the year what is stated."""
        mean = (self.hourly().mean() - self.fixed_usd_mwh) / self.flat_usd_mwh
        flat = (usd_mwh - self.fixed_usd_mwh) / mean
        return TimeOfUse(float(flat), self.bands, self.fixed_usd_mwh, self.utc_offset_h)


def monthly_peaks(drawn_mw: Floats, utc_offset_h: float = 0.0) -> Floats:
    """Highest hour of each local month [MW]. Shape (12,)."""
    month = np.roll(month_of_hour(), -round(utc_offset_h))
    return np.array([drawn_mw[month == number].max() for number in range(MONTHS)])


@dataclass(frozen=True)
class TwoPartCharge:
    """China's charge beside energy: on what the transformers carry, or on the month's highest demand.

    `usd_kva_month` on the transformers, `usd_kw_month` on demand; the customer chooses.
    """

    usd_kva_month: float
    usd_kw_month: float

    def on_transformers(self, capacity_mva: float) -> float:
        """A year by transformer capacity [USD]."""
        return MONTHS * capacity_mva * KW_PER_MW * self.usd_kva_month

    def on_demand(self, drawn_mw: Floats, capacity_mva: float, utc_offset_h: float = 0.0) -> float:
        """A year by actual demand [USD], at 90 % in months that use 260 kWh a kVA and more."""
        paid = monthly_peaks(drawn_mw, utc_offset_h) * _busy_share(drawn_mw, capacity_mva, utc_offset_h)
        return float(paid.sum() * KW_PER_MW * self.usd_kw_month)

    def on_contract(self, drawn_mw: Floats, capacity_mva: float, utc_offset_h: float = 0.0) -> float:
        """A year by one contracted demand over every month, at least 40 % of the transformers [USD].

        It is a charge on demand too: 90 % in months that use 260 kWh a kVA and more.
        """
        contracted = max(drawn_mw.max(), LEAST_CONTRACT_SHARE * capacity_mva)
        share = _busy_share(drawn_mw, capacity_mva, utc_offset_h)
        return float(share.sum() * contracted * KW_PER_MW * self.usd_kw_month)

    def cheapest(self, drawn_mw: Floats, capacity_mva: float, utc_offset_h: float = 0.0) -> tuple[str, float]:
        """The cheapest of the three and its cost a year [USD].

        >>> flat = np.full(8760, 80.0)
        >>> name, usd = TwoPartCharge(4.2, 6.3).cheapest(flat, 100.0)
        >>> name, round(usd / 1e6, 2)  # 80 MW at 90 % of 6.3, against 100 MVA at 4.2
        ('transformers', 5.04)
        """
        found = {
            "transformers": self.on_transformers(capacity_mva),
            "demand": self.on_demand(drawn_mw, capacity_mva, utc_offset_h),
            "contract": self.on_contract(drawn_mw, capacity_mva, utc_offset_h),
        }
        name = min(found, key=lambda each: found[each])
        return name, found[name]


def _busy_share(drawn_mw: Floats, capacity_mva: float, utc_offset_h: float) -> Floats:
    """What is charged of the approved price of demand in each local month. Shape (12,)."""
    month = np.roll(month_of_hour(), -round(utc_offset_h))
    used_kwh = np.bincount(month, drawn_mw) * KW_PER_MW
    busy = used_kwh >= BUSY_KWH_PER_KVA * capacity_mva * KW_PER_MW
    return np.where(busy, BUSY_SHARE, 1.0)


Paid = Literal["as produced", "as nominated", "as taken"]


def agreement(
    name: str,
    time: Timeline,
    offered: ArrayLike,
    price_usd_mwh: ArrayLike,
    paid: Paid = "as produced",
    most_mw: ArrayLike = np.inf,
    *,
    wheeling_usd_mwh: float = 0.0,
    kind: str = "ppa",
    first_period: int = 0,
) -> Source:
    """A power purchase agreement as a source of the dispatch; its MW are those of the contracted plant.

    offered: what a contracted MW gives, `[period, step]` or what broadcasts: the plant's output "as
    produced"; the profile the buyer names "as nominated", delivered whatever the plant does. In both all that
    is offered is paid for, used or not, so it is a price of capacity. "as taken": only what is used is paid.
    wheeling_usd_mwh: network charge on what is used. Raises ValueError on another way to pay.
    """
    if paid not in ("as produced", "as nominated", "as taken"):
        raise ValueError(f"an agreement is paid as produced, as nominated or as taken, not {paid!r}")
    offer = np.broadcast_to(np.asarray(offered, float), time.shape)
    price = np.broadcast_to(np.asarray(price_usd_mwh, float), time.shape)
    firm = paid != "as taken"
    most = np.broadcast_to(np.asarray(most_mw, float), (len(time.periods),)).copy()
    most[:first_period] = 0.0
    return Source(
        name=name,
        kind=kind,
        available=offer,
        energy_usd_mwh=np.zeros(time.shape) + wheeling_usd_mwh + (0.0 if firm else price),
        emission_t_mwh=np.zeros(time.shape),
        capacity_usd_mw=(time.weight_h * offer * price).sum(axis=1) if firm else np.zeros(len(most)),
        least_mw=np.zeros(len(most)),
        most_mw=most,
        clean=True,
    )


@dataclass(frozen=True)
class Bill:
    """A year's money [USD]. `credit` is what a curtailable connection or exports bring in."""

    energy: float
    demand: float
    agreements: float
    certificates: float
    credit: float

    @property
    def total(self) -> float:
        """What is left to pay."""
        return self.energy + self.demand + self.agreements + self.certificates - self.credit


def bill(
    drawn_mw: Floats,
    price_usd_mwh: ArrayLike,
    *,
    demand_usd_kw_month: float = 0.0,
    agreements: Sequence[tuple[Floats, ArrayLike]] = (),
    certificates_mwh: float = 0.0,
    certificate_usd_mwh: float = 0.0,
    credit_usd: float = 0.0,
    utc_offset_h: float = 0.0,
) -> Bill:
    """A year's bill from the hourly draw [MW] (8760,), charged on the highest hour of each month.

    agreements: pairs of what is paid for [MW by hour] and its price. Raises ValueError on another length.

    >>> bill(np.ones(8760), 50.0, demand_usd_kw_month=6.0).total  # 438,000 + 72,000
    510000.0
    """
    if drawn_mw.shape != (HOURS_PER_YEAR,):
        raise ValueError(f"a bill is of {HOURS_PER_YEAR} hours, not of {drawn_mw.shape}")
    paid = [float((np.asarray(mw) * np.asarray(price, float)).sum()) for mw, price in agreements]
    peaks = monthly_peaks(drawn_mw, utc_offset_h)
    return Bill(
        energy=float((drawn_mw * np.asarray(price_usd_mwh, float)).sum()),
        demand=float(peaks.sum()) * KW_PER_MW * demand_usd_kw_month,
        agreements=sum(paid),
        certificates=certificates_mwh * certificate_usd_mwh,
        credit=credit_usd,
    )
