"""A result as a reader sees it: names instead of ids, tables that are always there, and a few sums."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gigawright.clock import Quarter
from gigawright.facility.dispatch.quarters import PLANTS
from gigawright.report import words
from gigawright.report.words import Purse

if TYPE_CHECKING:
    from gigawright.evaluate import Result

TINY = 1e-6


@dataclass(frozen=True)
class View:
    """One result, read by every part of the report."""

    result: Result

    @cached_property
    def purse(self) -> Purse:
        """How money is written."""
        catalogue = self.result.catalogue
        return Purse(self.result.study.currency, catalogue.rates, catalogue.day)

    @cached_property
    def quarters(self) -> tuple[str, ...]:
        """The quarters of the plan as text."""
        return tuple(map(str, self.result.study.horizon.quarters))

    @property
    def years(self) -> tuple[int, ...]:
        """The calendar years of the plan."""
        return self.result.study.horizon.years

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """Workload groups, in the order of the study."""
        return tuple(dict.fromkeys(w.group or w.name for w in self.result.study.workloads))

    def table(self, name: str) -> pd.DataFrame:
        """A table of the plan; empty where the plan has none of that name."""
        return self.result.plan.tables.get(name, pd.DataFrame())

    def number(self, name: str) -> float:
        """A number of the plan's summary; NaN where it has none."""
        return float(self.result.plan.summary.get(name, float("nan")))

    def system(self, item: str) -> str:
        """A system's name, short."""
        found = self.result.catalogue.systems.get(item)
        return words.short_system(found.name) if found else item

    def vendor(self, item: str) -> str:
        """Who makes a system's accelerator."""
        found = self.result.catalogue.systems.get(item)
        return found.accelerator.vendor if found else ""

    def site(self, item: str) -> str:
        """A site's name, short."""
        found = self.result.catalogue.sites.get(item)
        return words.short_site(found.name) if found else item

    def region(self, item: str) -> str:
        """A region's name."""
        found = self.result.catalogue.regions.get(item)
        return found.name if found else item

    def zone(self, item: str) -> str:
        """The sites of a zone."""
        return words.joined([self.site(site) for site in self.result.plan.zones.get(item, ())]) or item

    @cached_property
    def group_of_phase(self) -> dict[str, str]:
        """The workload group of every phase."""
        return {phase.name: phase.group for phase in self.result.performance.phases}

    def plain(self, text: str) -> str:
        """A sentence of the plan with names in the place of ids."""
        return self._ids.sub(lambda found: self._names[found[0]], text) if self._names else text

    @cached_property
    def _names(self) -> dict[str, str]:
        catalogue = self.result.catalogue
        names = {item: self.site(item) for item in catalogue.sites}
        names |= {item: self.system(item) for item in catalogue.systems}
        names |= {item: pool.name for item, pool in catalogue.pools.items()}
        return names

    @cached_property
    def _ids(self) -> re.Pattern[str]:
        longest_first = sorted(self._names, key=len, reverse=True)
        return re.compile(r"(?<![\w-])(" + "|".join(map(re.escape, longest_first)) + r")(?![\w-])")

    @cached_property
    def discount(self) -> pd.Series[float]:
        """Worth at the start of a payment in the middle of each quarter: (1 + r)^-((q + 1/2) / 4)."""
        rate = self.result.catalogue.constants.discount_rate
        values = (1.0 + rate) ** -((np.arange(len(self.quarters)) + 0.5) / 4.0)
        return pd.Series(values, index=list(self.quarters))

    @cached_property
    def orders(self) -> pd.DataFrame:
        """Purchases and new leases; what is retired is left out."""
        orders = self.table("orders")
        if orders.empty:
            return orders
        kept = orders["accelerators"] > TINY
        return orders[kept & (orders["action"] != "retire")] if "action" in orders else orders[kept]

    @cached_property
    def fleet(self) -> pd.DataFrame:
        """What stands, with leased IT power estimated: accelerators x the system's wall power [MW]."""
        fleet = self.table("fleet").copy()
        if fleet.empty:
            return fleet.assign(power_mw=[])
        systems = self.result.catalogue.systems
        kw = [systems[item].kw_per_accelerator if item in systems else 0.0 for item in fleet["system"]]
        leased = fleet["tenure"] == "lease"
        fleet["power_mw"] = np.where(leased, fleet["accelerators"] * np.array(kw) * 1e-3, fleet["it_mw"])
        return fleet

    def standing(self, quarter: str | None = None) -> pd.DataFrame:
        """The fleet of a quarter; default: the last."""
        fleet = self.fleet
        return fleet[fleet["quarter"] == (quarter or self.quarters[-1])] if len(fleet) else fleet

    @cached_property
    def payments(self) -> pd.DataFrame:
        """Payments with their year, in M USD and millions of the study's currency."""
        payments = self.table("payments").copy()
        if payments.empty:
            return pd.DataFrame(columns=["quarter", "kind", "category", "site", "musd", "year", "own"])
        payments["year"] = [int(str(quarter)[:4]) for quarter in payments["quarter"]]
        rates = {year: self.purse.rate(int(year)) for year in payments["year"].unique()}
        payments["own"] = payments["musd"] * payments["year"].map(rates)
        return payments

    def budget_musd(self, kind: str, year: int) -> float | None:
        """A year's budget for capital or leasing [M USD]; None where the study sets none."""
        budgets = self.result.study.budgets
        money = (budgets.capital if kind == "capital" else budgets.leasing).get(year)
        return None if money is None else self.purse.usd(money, year)

    def spent_musd(self, kind: str, year: int | None = None) -> float:
        """Nominal payments of a kind, in one year or all [M USD]."""
        rows = self.payments[self.payments["kind"] == kind]
        return float((rows if year is None else rows[rows["year"] == year])["musd"].sum())

    def paid(self, kind: str, both: bool = True) -> str:
        """Nominal payments of a kind over the horizon in words, each year at its own rate."""
        rows = self.payments[self.payments["kind"] == kind]
        own = f"{words.scaled(float(rows['own'].sum()) * 1e6)} {self.purse.currency}"
        usd = f" ({words.scaled(float(rows['musd'].sum()) * 1e6)} USD)"
        return own + usd if both and self.purse.currency != "USD" else own

    @cached_property
    def served_share(self) -> pd.DataFrame:
        """Worth served and asked by group and quarter [M USD], and their share."""
        demand = self.table("demand")
        if demand.empty:
            return pd.DataFrame(columns=["group", "quarter", "share", "demanded_musd", "served_musd"])
        served = self.table("service")
        worth = served.groupby(["group", "quarter"])["worth_musd"].sum()
        lost = demand.groupby(["group", "quarter"])[["worth_lost_musd", "demanded", "unmet"]].sum()
        found = lost.join(worth.rename("served_musd")).fillna(0.0).reset_index()
        found["demanded_musd"] = found["served_musd"] + found["worth_lost_musd"]
        by_work = 1.0 - found["unmet"] / found["demanded"].clip(lower=TINY)
        by_worth = found["served_musd"] / found["demanded_musd"].clip(lower=TINY)
        found["share"] = np.where(found["demanded_musd"] > TINY, by_worth, by_work)
        return found

    @cached_property
    def energy(self) -> pd.DataFrame:
        """Energy by site and quarter, with the year and what sun and wind gave in vain [MWh]."""
        energy = self.table("energy").copy()
        if energy.empty:
            return energy
        energy["year"] = [int(str(quarter)[:4]) for quarter in energy["quarter"]]
        hours = self.table("dispatch")
        lost = curtailed_mw(hours).groupby([hours["site"].astype(str), hours["quarter"].astype(str)]).sum()
        keys = zip(energy["site"].astype(str), energy["quarter"].astype(str), strict=True)
        energy["curtailed_mwh"] = [float(lost.get(key, 0.0)) for key in keys]
        return energy

    @property
    def cost_musd(self) -> float:
        """Programme cost [M USD discounted], energy verified hour by hour."""
        return self.number("programme_cost_musd")

    @property
    def title(self) -> str:
        """What this plan is called beside others."""
        return f"as of {self.result.as_of.isoformat()}" if self.result.as_of else "with all knowledge"

    def quarter_start(self, quarter: str, after: int = 0) -> str:
        """First day of a quarter as ISO text, `after` quarters later."""
        q = Quarter.parse(quarter) + after
        return f"{q.year}-{q.number * 3 - 2:02d}-01"


def curtailed_mw(hours: pd.DataFrame) -> pd.Series[float]:
    """Sun and wind available beyond need and charging, hour by hour, from table `dispatch` [MW]."""
    sources = ("solar", "wind", "import", "discharge", "shed", *plants_in(hours))
    given = hours[[f"{source}_mw" for source in sources]].sum(axis=1)
    return (given - hours["need_mw"] - hours["charge_mw"]).clip(lower=0.0)


def plants_in(hours: pd.DataFrame) -> list[str]:
    """Kinds of plant that table `dispatch` has a column for."""
    return [kind for kind in PLANTS if f"{kind}_mw" in hours]


def records(frame: pd.DataFrame) -> list[Any]:
    """Rows as named tuples; the types of their fields are the columns'."""
    return list(frame.itertuples(index=False)) if len(frame) else []


def entries(series: pd.Series[float]) -> list[tuple[Any, float]]:
    """(key, number) of a series; a key of several levels is a tuple."""
    return [(key, float(value)) for key, value in series.items()]


def lines(frame: pd.DataFrame) -> list[tuple[Any, Any]]:
    """(key, row) of a frame with a meaningful index."""
    return list(frame.iterrows())
