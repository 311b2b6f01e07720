"""What an accelerator costs an hour: leased, or owned over its life with the electricity it draws."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gigawright.arrays import Floats
from gigawright.catalogue.types import System
from gigawright.clock import HOURS_PER_YEAR
from gigawright.facts import FactBook

USD_PER_KWH = 0.07
"""Electricity where no price is told [USD/kWh]; assumption: industrial prices of the catalogue's sites for
large halls lie between 0.04 and 0.10."""

HOURS_PER_MONTH = HOURS_PER_YEAR / 12

LEFT_OUT = "no building, interest or idle hours"
"""What owned hardware costs beside its price and its electricity, and a lease has in it."""


@dataclass(frozen=True)
class Price:
    """A price [USD an hour and accelerator, USD a kWh drawn], the way to pay, the facts it rests on; or what
    is missing for one.

    >>> own = Price("owned", 0.5, 0.1)
    >>> own.usd_per_hour(np.array([1000.0])).tolist()
    [0.6]
    """

    way: str
    hour_usd: float = np.nan
    kwh_usd: float = 0.0
    facts: tuple[str, ...] = ()
    missing: str = ""

    def usd_per_hour(self, watts: Floats) -> Floats:
        """An hour of an accelerator that draws `watts` [USD]; nan where the price is unknown."""
        power = np.where(self.kwh_usd > 0, watts, 0.0) * 1e-3 * self.kwh_usd
        return np.asarray(self.hour_usd + power)


def price_of(
    system: System | None, book: FactBook, usd_per_hour: float | None = None, usd_per_kwh: float | None = None
) -> Price:
    """The price told; else the lease of the catalogue; else the hardware's straight line and electricity.

    Telling a price of electricity asks for owned hardware.
    """
    if usd_per_hour is not None:
        return Price(
            "as told", usd_per_hour, facts=(f"{usd_per_hour:g} USD an hour and accelerator, as told",)
        )
    if system is None:
        return Price("unknown", missing="no system of the catalogue holds this accelerator")
    if system.lease_usd_per_hour is None or usd_per_kwh is not None:
        return _owned(system, book, usd_per_kwh)
    fact = book.fact("system", system.id, "lease_usd_h")
    return Price("leased", system.lease_usd_per_hour, facts=(f"{fact.name} = {float(fact.value):g} USD/h",))


def _owned(system: System, book: FactBook, usd_per_kwh: float | None) -> Price:
    parts = ("server_usd", "network_usd", "storage_usd", "life")
    missing = [f"{system.id}.{part}" for part in parts if not book.has("system", system.id, part)]
    if system.price_kusd is None:
        missing.append(f"{system.accelerator.id}.chip_usd")
    if system.lease_usd_per_hour is None:
        missing += [f"{system.id}.lease_usd_h"] if missing else []
    if missing or system.price_kusd is None:
        return Price("unknown", missing=f"{', '.join(missing)} unknown")
    power = USD_PER_KWH if usd_per_kwh is None else usd_per_kwh
    hour = system.price_kusd * 1e3 / (system.life_years * HOURS_PER_YEAR)
    told = (
        f"{system.accelerator.id}.chip_usd and {system.id}.server_usd, .network_usd, .storage_usd = "
        f"{system.price_kusd * 1e3:,.0f} USD an accelerator, over {system.id}.life = "
        f"{system.life_years:g} years",
        f"electricity at {power:g} USD/kWh" + (" (assumption)" if usd_per_kwh is None else ""),
        LEFT_OUT,
    )
    found = Price("owned", hour, power, told)
    if not system.kw_per_accelerator or system.kw_per_accelerator <= 0:
        return replace(found, kwh_usd=0.0, facts=(*told[:1], "electricity unknown", LEFT_OUT))
    return found
