"""How far a result may be trusted: gaps, and what its headlines rest on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gigawright.facts import CONFIDENCES, Confidence, Fact
from gigawright.report import words
from gigawright.report.view import View

if TYPE_CHECKING:
    from gigawright.evaluate import Result

WEAK = frozenset({"C", "D", "assumption"})
SYSTEM_PRICE = frozenset({"server_usd", "network_usd", "storage_usd", "lease_usd_h", "life", "prepay"})
SITE_COST = frozenset({"build_cost", "grid_cost", "price", "demand_charge", "green_premium", "water_price"})
CONFIDENCE_WORDS = {
    "A": "A: a primary source",
    "B": "B: press, analysts, compiled",
    "C": "C: weak or unverified",
    "D": "D: sources conflict",
    "derived": "derived from other facts",
    "assumption": "assumption",
}


@dataclass(frozen=True)
class Rest:
    """A headline and the facts it rests on."""

    headline: str
    facts: tuple[Fact, ...]

    @property
    def weak(self) -> tuple[Fact, ...]:
        """Those that are assumptions, unverified or disputed."""
        return tuple(fact for fact in self.facts if fact.confidence in WEAK)

    def sentence(self) -> str:
        """What a reader should know before believing the headline."""
        if not self.facts:
            return f"{self.headline}: no fact of its own."
        kinds = Counter(fact.confidence for fact in self.weak)
        if not kinds:
            return f"{self.headline}: all {len(self.facts)} facts are of confidence A, B or derived."
        names: dict[Confidence, str] = {
            "assumption": "assumptions",
            "C": "weak or unverified (C)",
            "D": "disputed (D)",
        }
        told = words.joined([f"{kinds[kind]} {name}" for kind, name in names.items() if kinds[kind]])
        return f"{self.headline}: rests on {len(self.facts)} facts, of them {told}."


def by_confidence(facts: Sequence[Fact]) -> dict[str, int]:
    """How many facts of each confidence, assumptions first."""
    counted = Counter(fact.confidence for fact in facts)
    return {name: counted[name] for name in reversed(CONFIDENCES)}


def assumed_dates(facts: Sequence[Fact]) -> int:
    """How many facts have a `known_from` that nobody stated; the study's own values have none."""
    return sum(fact.known_basis == "assumed" for fact in facts if fact.kind != "study")


def rests(result: Result) -> tuple[Rest, ...]:
    """The headlines of a report, each with the facts it rests on."""
    view, facts = View(result), result.catalogue.book.used
    bought = set(view.orders["system"]) if len(view.orders) else set()
    chips = {s.accelerator.id for name, s in result.catalogue.systems.items() if name in bought}
    sites = set(view.standing()["site"]) if len(view.standing()) else set()

    def pick(headline: str, wanted: object) -> Rest:
        return Rest(headline, tuple(fact for fact in facts if wanted(fact)))  # type: ignore[operator]

    def prices(fact: Fact) -> bool:
        system = fact.kind == "system" and fact.item in bought and fact.attribute in SYSTEM_PRICE
        chip = fact.kind == "accelerator" and fact.item in chips and fact.attribute == "chip_usd"
        return system or chip or (fact.kind == "site" and fact.item in sites and fact.attribute in SITE_COST)

    def demand(fact: Fact) -> bool:
        return fact.kind == "study" and fact.attribute.startswith("workloads.")

    return (
        pick("What it costs", prices),
        pick("What may be bought", lambda fact: fact.kind in ("pool", "rule")),
        pick("What is asked for and what it is worth", demand),
        pick("What stands at the start", lambda fact: fact.kind == "study" and "installed" in fact.attribute),
    )
