"""Numbers, money and names in the words of a report: sensible digits, and always a unit."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from gigawright.clock import Quarter
from gigawright.money import Money, Rates

_CARDS = re.compile(r", ([\d,]+) cards.*")
SCALES = ((1e12, "tn"), (1e9, "bn"), (1e6, "M"), (1e3, "k"))
MWH_PER_GWH, GWH_PER_TWH = 1e3, 1e3


def digits(value: float) -> str:
    """A number with three significant digits, whole from a hundred on.

    >>> digits(1234567.8), digits(45.23), digits(0.04567), digits(0.0), digits(-3.14159)
    ('1,234,568', '45.2', '0.0457', '0', '-3.14')
    """
    size = abs(value)
    if size >= 99.95:
        return f"{value:,.0f}"
    if size >= 9.995:
        return f"{value:.1f}"
    if size >= 0.9995:
        return f"{value:.2f}"
    return f"{value:.3g}" if size else "0"


def scaled(value: float) -> str:
    """A number in the scale people say it in.

    >>> scaled(160e9), scaled(75_000), scaled(312_450), scaled(12), scaled(2.5e15)
    ('160 bn', '75 k', '312 k', '12.0', '2,500 tn')
    """
    for scale, word in SCALES:
        if abs(value) >= scale * 0.9995:
            return f"{_trimmed(value / scale)} {word}"
    return digits(value)


def _trimmed(value: float) -> str:
    text = digits(value)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def count(value: float) -> str:
    """A number of whole things, to three significant digits from ten thousand on.

    >>> count(75_000), count(312_451), count(1_234_567), count(812.4)
    ('75,000', '312,000', '1,230,000', '812')
    """
    return f"{float(f'{value:.3g}'):,.0f}" if abs(value) >= 1e4 else f"{value:,.0f}"


def share(value: float) -> str:
    """A share in per cent; never rounded to a full hundred or to nothing.

    >>> share(0.8734), share(0.0032), share(0.99997), share(1.0), share(0.0), share(0.00001)
    ('87%', '0.32%', '>99.9%', '100%', '0%', '<0.01%')
    """
    if value in (0.0, 1.0):
        return f"{value:.0%}"
    if 0.999 < value < 1.0:
        return ">99.9%"
    if 0.0 < value < 1e-4:
        return "<0.01%"
    return (
        f"{value:.0%}"
        if 0.1 <= value <= 0.99 or value > 1
        else f"{value * 100:.2g}%"
        if value < 0.1
        else f"{value:.1%}"
    )


def power(mw: float) -> str:
    """Power, in the unit people say it in.

    >>> power(1240), power(64), power(0.5)
    ('1.24 GW', '64 MW', '500 kW')
    """
    if abs(mw) >= 999.5:
        return f"{_trimmed(mw / 1e3)} GW"
    return f"{_trimmed(mw)} MW" if abs(mw) >= 0.9995 or mw == 0 else f"{_trimmed(mw * 1e3)} kW"


def energy(mwh: float) -> str:
    """Energy, in the unit people say it in.

    >>> energy(4_200_000), energy(380_000), energy(12)
    ('4.20 TWh', '380 GWh', '12.0 MWh')
    """
    gwh = mwh / MWH_PER_GWH
    if abs(gwh) >= 999.5:
        return f"{digits(gwh / GWH_PER_TWH)} TWh"
    return f"{digits(gwh)} GWh" if abs(gwh) >= 0.9995 else f"{digits(mwh)} MWh"


def carbon(tonnes: float) -> str:
    """A mass of CO2.

    >>> carbon(6_322_000), carbon(45_300)
    ('6.32 Mt CO₂', '45.3 kt CO₂')
    """
    return f"{digits(tonnes / 1e6)} Mt CO₂" if tonnes >= 999_500 else f"{digits(tonnes / 1e3)} kt CO₂"


def joined(parts: Sequence[str]) -> str:
    """A list in a sentence.

    >>> joined(["a"]), joined(["a", "b", "c"]), joined([])
    ('a', 'a, b and c', '')
    """
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def day(date: dt.date | None) -> str:
    """A day of knowledge in words.

    >>> day(dt.date(2026, 10, 10)), day(None)
    ('knowledge of 10 October 2026', 'all knowledge')
    """
    return f"knowledge of {date.day} {date:%B %Y}" if date else "all knowledge"


def short_system(name: str) -> str:
    """A system's name without its packing.

    >>> short_system("DGX/HGX H200 8-GPU"), short_system("Ascend 950PR 8-card server")
    ('HGX H200', 'Ascend 950PR')
    >>> short_system("Atlas 950 SuperPoD, 1,024 cards"), short_system("CloudMatrix 384 / Atlas 900 A3")
    ('Atlas 950 SuperPoD (1,024)', 'CloudMatrix 384')
    """
    text = _CARDS.sub(r" (\1)", name.split(" (")[0].split(" / ")[0])
    for packing in (" 8-GPU", " 8-card server", " OAM", " 8-card", " server"):
        text = text.replace(packing, "")
    return text.replace("DGX/HGX", "HGX").strip()


def short_site(name: str) -> str:
    """The town of a site.

    >>> short_site("Ulanqab (Jining)"), short_site("Zhangjiakou / Huailai"), short_site("Abilene")
    ('Ulanqab', 'Zhangjiakou', 'Abilene')
    """
    return name.split(" (")[0].split(" /")[0].split(" or ")[0].strip()


@dataclass(frozen=True)
class Purse:
    """Writes money [M USD] in the study's currency, at the rate of the year it belongs to.

    A year's rate is the last known by its middle, the one the plan converts budgets with; amounts of no
    year use that of the day of knowledge.
    """

    currency: str
    rates: Rates
    day: dt.date

    def rate(self, year: int | None = None) -> float:
        """Units of the currency for one US dollar."""
        return self.rates.per_usd(self.currency, Quarter(year, 2).last_day if year else self.day)

    def of(self, musd: float, year: int | None = None) -> float:
        """M USD in millions of the currency."""
        return musd * self.rate(year)

    def scale(self, most_own: float) -> tuple[float, str]:
        """What a chart divides millions of the currency by, and the unit then."""
        return (1e3, f"bn {self.currency}") if most_own >= 2e3 else (1.0, f"M {self.currency}")

    def text(self, musd: float, year: int | None = None, both: bool = True) -> str:
        """An amount in words, US dollars beside it where the study's currency is another."""
        own = f"{scaled(self.of(musd, year) * 1e6)} {self.currency}"
        return f"{own} ({scaled(musd * 1e6)} USD)" if both and self.currency != "USD" else own

    def usd(self, money: Money, year: int | None = None) -> float:
        """Study money in M USD."""
        when = Quarter(year, 2).last_day if year else self.day
        return self.rates.to_usd(money, when) * 1e-6
