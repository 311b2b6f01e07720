"""A study's words against the catalogue's facts: every name found, every record built, every clash told at
its line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from gigawright.catalogue import policy, records
from gigawright.catalogue.clashes import clashes
from gigawright.catalogue.load import load_facts
from gigawright.catalogue.types import Pool, Region, Role, RuleOutcome, Site, System, Technology
from gigawright.clock import Quarter
from gigawright.errors import CatalogueError, StudyError
from gigawright.facts import Fact, FactBook
from gigawright.money import Money, Rates

if TYPE_CHECKING:
    from gigawright.study.model import CatalogueRow, Study

ALWAYS_KNOWN = dt.date(1, 1, 1)
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Constants:
    """What the cost model needs beside prices: shares, sizes and lives."""

    discount_rate: float
    hall_module_mw: float
    grid_stage_mw: float
    hall_life_years: float
    grid_life_years: float
    liquid_premium_share: float
    price_escalation: float


@dataclass(frozen=True)
class Catalogue:
    """The facts a study rests on, as records, for one day of knowledge."""

    book: FactBook
    as_of: dt.date | None
    rates: Rates
    day: dt.date
    systems: dict[str, System]
    not_predictable: dict[str, list[str]]
    sites: dict[str, Site]
    regions: dict[str, Region]
    pools: dict[str, Pool]
    roles: dict[str, Role]
    technologies: dict[str, Technology]
    constants: Constants
    verdicts: dict[tuple[str, str, Quarter], RuleOutcome]

    def usd(self, money: Money, day: dt.date | None = None) -> float:
        """Study money in US dollars at the rate of a day (default: the day of knowledge)."""
        return self.rates.to_usd(money, day or self.day)

    def technology_at(self, kind: str, site: Site) -> Technology | None:
        """The technology of a kind for a site: its country's own, else the one for anywhere."""
        found = [t for t in self.technologies.values() if t.kind == kind and t.country in ("", site.country)]
        return max(found, key=lambda t: t.country != "", default=None)


def resolve(study: Study, as_of: dt.date | None = None) -> Catalogue:
    """Find everything the study names; raises StudyError with every problem at its line."""
    book = FactBook([*load_facts(), *_own_facts(study, as_of)], as_of)
    problems = list(_unknown_names(study, book))
    if problems:
        raise StudyError([study.problem(*problem) for problem in problems])
    day = as_of or max(fact.known_from for fact in book)
    exchange = records.rates(book)
    systems, not_predictable = _systems(study, book)
    catalogue = Catalogue(
        book=book,
        as_of=as_of,
        rates=exchange,
        day=day,
        systems=systems,
        not_predictable=not_predictable,
        sites={plan.site: records.site(book, plan.site, exchange, day) for plan in study.sites},
        regions=_regions(study, book),
        pools={name: records.pool(book, name) for name in study.supply},
        roles={staff.role: records.role(book, staff.role) for staff in study.staff},
        technologies={name: records.technology(book, name) for name in study.energy.technologies},
        constants=_constants(study, book),
        verdicts={},
    )
    catalogue.verdicts.update(_verdicts(study, catalogue))
    problems = list(clashes(study, catalogue))
    if problems:
        raise StudyError([study.problem(*problem) for problem in problems])
    _note_assumptions(study, book)
    return catalogue


def _own_facts(study: Study, as_of: dt.date | None) -> list[Fact]:
    """The study's own rows, newer than all others unless they say when they were known."""
    newest = as_of or max(fact.known_from for fact in load_facts())
    return [_as_fact(row, newest) for row in study.catalogue]


def _as_fact(row: CatalogueRow, newest: dt.date) -> Fact:
    return Fact(
        kind=row.kind,
        item=row.item,
        attribute=row.attribute,
        value=row.value if isinstance(row.value, str) else float(row.value),
        unit=row.unit,
        source=row.source,
        confidence=row.confidence,
        known_from=row.known_from or newest,
        known_basis="stated" if row.known_from else "assumed",
        low=None if row.low is None else float(row.low),
        high=None if row.high is None else float(row.high),
        note=row.note,
    )


def _unknown_names(study: Study, book: FactBook) -> Iterator[tuple[Path, str, str]]:
    """Every name of the study that the catalogue does not know."""
    for path, kind, name in _names(study):
        known = book.items(kind)
        if name not in known:
            near = get_close_matches(name, known, n=1)
            when = f" as of {book.as_of}" if book.as_of else ""
            yield (
                path,
                f"unknown {kind} {name!r}{when}; see `gigawright catalogue list {kind}`",
                near[0] if near else "",
            )


def _names(study: Study) -> Iterator[tuple[Path, str, str]]:
    for i, site in enumerate(study.sites):
        yield ("sites", i, "site"), "site", site.site
    for i, system in enumerate(study.systems):
        yield ("systems", i, "system"), "system", system.system
    for i, pool in enumerate(study.supply):
        yield ("supply", i), "pool", pool
    for i, workload in enumerate(study.workloads):
        yield ("workloads", i, "model"), "model", workload.model
        for j, run in enumerate(getattr(workload, "programmes", ())):
            if run.model:
                yield ("workloads", i, "programmes", j, "model"), "model", run.model
        if workload.demand and workload.demand.history:
            yield ("workloads", i, "demand", "history"), "programme", workload.demand.history
    for i, staff in enumerate(study.staff):
        yield ("staff", i, "role"), "role", staff.role
    for i, reported in enumerate(study.compare_reported):
        if any(fact.item == reported.fact for fact in load_facts() if fact.kind == "programme"):
            continue
        yield ("compare_reported", i, "fact"), "programme", reported.fact
    for i, technology in enumerate(study.energy.technologies):
        yield ("energy", "technologies", i), "technology", technology


def _systems(study: Study, book: FactBook) -> tuple[dict[str, System], dict[str, list[str]]]:
    """Records of all systems named, also installed ones, and what some lack to be bought."""
    named = {plan.system for plan in study.systems} | {row.system for row in study.installed}
    named |= {row.system for row in study.commitments}
    known = [name for name in sorted(named) if name in book.items("system")]
    missing = {name: records.missing_for_planning(book, name) for name in known}
    return {name: records.system(book, name) for name in known}, {k: v for k, v in missing.items() if v}


def _regions(study: Study, book: FactBook) -> dict[str, Region]:
    """All regions with users, where any workload has users at all."""
    if all(workload.demand is None or workload.demand.regions == "home" for workload in study.workloads):
        return {}
    sites = [plan.site for plan in study.sites]
    return {name: records.region(book, name, sites) for name in book.items("region")}


def _constants(study: Study, book: FactBook) -> Constants:
    def number(item: str) -> float:
        return book.number("economics", item, "value")

    own = study.discount_rate
    return Constants(
        discount_rate=own.value if own is not None else number("discount_rate"),
        hall_module_mw=number("hall_module_mw"),
        grid_stage_mw=number("grid_stage_mw"),
        hall_life_years=number("hall_life"),
        grid_life_years=number("grid_life"),
        liquid_premium_share=number("liquid_premium_share"),
        price_escalation=number("price_escalation"),
    )


def _verdicts(study: Study, catalogue: Catalogue) -> dict[tuple[str, str, Quarter], RuleOutcome]:
    """What the rules in force at the end of each quarter say of owning each system in each country."""
    countries = sorted({site.country for site in catalogue.sites.values()})
    found = {}
    for quarter in study.horizon.quarters:
        rules = policy.rules_in_force(catalogue.book, quarter.last_day)
        for name, system in catalogue.systems.items():
            for country in countries:
                found[name, country, quarter] = policy.outcome(
                    system.accelerator, country, study.buyer.headquarters, quarter.last_day, rules
                )
    return found


def _note_assumptions(study: Study, book: FactBook) -> None:
    """The study's own ranged values count as facts too."""
    for path, value in ranged_values(study):
        number = value.value
        shown = number[0] if isinstance(number, tuple) else number
        unit = f"{shown.currency} per {number[1]}" if isinstance(shown, Money) else ""
        book.use(
            Fact(
                kind="study",
                item=study.name,
                attribute=path,
                value=shown.amount if isinstance(shown, Money) else float(shown),
                unit=unit,
                source=value.source or "the study itself",
                confidence=value.confidence,
                known_from=ALWAYS_KNOWN,
                low=_amount(value.low),
                high=_amount(value.high),
                note=value.note,
            )
        )


def _amount(value: Any) -> float | None:
    if isinstance(value, tuple):
        value = value[0]
    return value.amount if isinstance(value, Money) else value


def ranged_values(study: Study) -> Iterable[tuple[str, Any]]:
    """All values with a range in the study, by dotted path (workloads by name)."""
    return _ranged(study, "")


def _ranged(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, BaseModel):
        fields = type(node).model_fields
        if {"value", "low", "high", "confidence"} <= set(fields) and "attribute" not in fields:
            yield path, node
            return
        for name in fields:
            yield from _ranged(getattr(node, name), f"{path}.{name}" if path else name)
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _ranged(value, f"{path}.{key}")
    elif isinstance(node, list | tuple):
        for i, value in enumerate(node):
            label = getattr(value, "name", None) or f"{i}"
            yield from _ranged(value, f"{path}.{label}")


__all__ = ["Catalogue", "CatalogueError", "Constants", "ranged_values", "resolve"]
