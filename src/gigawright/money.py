"""Money in its own currency, and dated exchange rates.

Amounts are nominal. `resolve` converts each once, at the rate of the date it belongs to; a future
date uses the last rate known, which is an assumption and is reported as one.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from gigawright.errors import CatalogueError


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in a currency: `Money(160e9, "CNY")`."""

    amount: float
    currency: str

    def __str__(self) -> str:
        for scale, word in ((1e12, " tn"), (1e9, " bn"), (1e6, " M"), (1e3, " k")):
            if abs(self.amount) >= scale:
                return f"{self.amount / scale:,.4g}{word} {self.currency}"
        return f"{self.amount:,.4g} {self.currency}"


@dataclass(frozen=True, slots=True)
class Rate:
    """Units of `currency` that one US dollar bought from `day` on."""

    currency: str
    day: dt.date
    per_usd: float


class Rates:
    """Dated exchange rates against the US dollar.

    >>> rates = Rates([Rate("CNY", dt.date(2026, 8, 4), 6.7917)])
    >>> round(rates.to_usd(Money(160e9, "CNY"), dt.date(2027, 1, 1)) / 1e9, 2)
    23.56
    """

    def __init__(self, rates: Iterable[Rate]) -> None:
        self._by_currency: dict[str, list[Rate]] = {}
        for rate in sorted(rates, key=lambda rate: rate.day):
            self._by_currency.setdefault(rate.currency, []).append(rate)

    def per_usd(self, currency: str, day: dt.date) -> float:
        """The rate of that day: the last one known by it, else the first there is.

        Raises CatalogueError for a currency without any rate.
        """
        if currency == "USD":
            return 1.0
        known = self._by_currency.get(currency)
        if not known:
            have = ", ".join(["USD", *sorted(self._by_currency)])
            raise CatalogueError(f"no exchange rate for {currency}; the catalogue has {have}")
        position = bisect_right([rate.day for rate in known], day)
        return known[max(0, position - 1)].per_usd

    def to_usd(self, money: Money, day: dt.date) -> float:
        """The amount in US dollars at the rate of that day."""
        return money.amount / self.per_usd(money.currency, day)

    def from_usd(self, usd: float, currency: str, day: dt.date) -> Money:
        """US dollars in another currency at the rate of that day."""
        return Money(usd * self.per_usd(currency, day), currency)
