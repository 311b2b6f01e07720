"""Export rules as code: what the dated rules of both sides say of one accelerator, buyer and place.

    total processing performance  TPP = 2 x MacTOPS x bits = dense TFLOP/s x bits, the highest of all formats
    performance density           PD  = TPP / applicable die area [TPP/mm2]

Thresholds, dates and names are facts of kind `rule`; this module holds only their logic. A rule's `test`
says how it is applied: `tpp_pd` covers by TPP and PD, `letter` covers named chips, `headquarters` carries
what is covered to a Chinese buyer's sites abroad, `review` and `revenue_share` lift a denial to a review
case by case, `duty` adds to the price, `buyer_refuses` is the buyer's own state saying no; `withdrawn`
and `info` are told, never applied. Leasing is not an export and is not asked here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from gigawright.catalogue.types import Accelerator, RuleOutcome
from gigawright.clock import known_by
from gigawright.errors import CatalogueError
from gigawright.facts import FactBook

# Bit length of an operation in each precision (15 CFR 774 supp. 1, ECCN 3A090 technical note 2.a).
BITS: Mapping[str, int] = {"fp32": 32, "bf16": 16, "fp16": 16, "fp8": 8, "int8": 8, "fp4": 4}
TESTS = (
    "tpp_pd",
    "letter",
    "headquarters",
    "review",
    "revenue_share",
    "duty",
    "buyer_refuses",
    "withdrawn",
    "info",
)
# Destinations and headquarters the rules treat alike (Hong Kong: 85 FR 83765; Macau: 88 FR 2821).
CHINA = frozenset({"China", "Hong Kong", "Macau"})
GP10_RULE = "us_2025_05_gp10"


@dataclass(frozen=True, slots=True)
class Rule:
    """One dated rule: when it holds, what it covers [TPP, TPP/mm2, GB/s], and what it costs [share]."""

    id: str
    text: str
    test: str
    effective: dt.date
    ends: dt.date | None = None
    tpp_min: float | None = None
    tpp_max: float | None = None
    pd_min: float | None = None
    pd_max: float | None = None
    memory_gbs_max: float | None = None
    duty: float = 0.0
    accelerators: frozenset[str] = frozenset()

    def in_force(self, day: dt.date) -> bool:
        """Whether the rule holds on a day: from its first day until the day before it ends."""
        return self.effective <= day and (self.ends is None or day < self.ends)

    @property
    def presumes_denial(self) -> bool:
        """A limb without an upper bound on PD is 3A090.a; the middle tier 3A090.b has one and is notified."""
        return self.pd_max is None


def total_processing_performance(peak_tflops: Mapping[str, float]) -> float:
    """Total processing performance of a chip [TPP]: dense TFLOP/s x bits, the highest of all formats.

    `peak_tflops` maps precisions to dense peaks [TFLOP/s or TOP/s]; 2 x MacTOPS is the TFLOP/s.
    Reference: 15 CFR 774 supplement 1, ECCN 3A090, technical notes 2.a and 2.b. Raises CatalogueError for
    an unknown precision, and where no peak is known. The H100 and H200:

    >>> total_processing_performance({"bf16": 989, "fp8": 1979})
    15832
    """
    unknown = sorted(set(peak_tflops) - set(BITS))
    if unknown:
        raise CatalogueError(f"no bit length for {', '.join(unknown)}; known are {', '.join(BITS)}")
    if not peak_tflops:
        raise CatalogueError("no peak rate is known, so no total processing performance")
    return max(rate * BITS[precision] for precision, rate in peak_tflops.items())


def performance_density(tpp: float, die_mm2: float) -> float:
    """Performance density [TPP/mm2]: TPP over the die area made on a non-planar transistor node [mm2].

    Reference: 15 CFR 774 supplement 1, ECCN 3A090, technical note 3. Raises CatalogueError for an area
    that is not positive. The H20, a 814 mm2 die:

    >>> round(performance_density(2368, 814), 1)
    2.9
    """
    if die_mm2 <= 0:
        raise CatalogueError(f"die area {die_mm2} mm2 is not positive")
    return tpp / die_mm2


def rules_in_force(book: FactBook, day: dt.date) -> tuple[Rule, ...]:
    """Every rule known to the book that holds on a day, oldest first; a rule that has ended is left out.

    Raises CatalogueError for a rule without text, test or date, or with a test that does not exist.
    """
    holding = (rule for rule in (_rule(book, item) for item in book.items("rule")) if rule.in_force(day))
    return tuple(sorted(holding, key=lambda rule: (rule.effective, rule.id)))


def _rule(book: FactBook, item: str) -> Rule:
    test = book.text("rule", item, "test")
    if test not in TESTS:
        raise CatalogueError(f"rule {item}: test {test!r} is none of {', '.join(TESTS)}")

    def number(attribute: str) -> float | None:
        return book.number("rule", item, attribute) if book.has("rule", item, attribute) else None

    ends = book.text("rule", item, "ends", "")
    return Rule(
        id=item,
        text=book.text("rule", item, "text"),
        test=test,
        effective=known_by(book.text("rule", item, "effective")),
        ends=known_by(ends) if ends else None,
        tpp_min=number("tpp_min"),
        tpp_max=number("tpp_max"),
        pd_min=number("pd_min"),
        pd_max=number("pd_max"),
        memory_gbs_max=number("memory_gbs_max"),
        duty=number("duty") or 0.0,
        accelerators=frozenset(filter(None, book.text("rule", item, "accelerators", "").split("|"))),
    )


@dataclass(frozen=True, slots=True)
class _Case:
    """One question: a chip, a day, the rules that hold, and what is known of the chip's performance."""

    chip: Accelerator
    day: dt.date
    rules: tuple[Rule, ...]
    details: dict[str, float]

    def answer(
        self, verdict: Literal["free", "review", "denied"], rule: str, reason: str, duty: float = 0.0
    ) -> RuleOutcome:
        return RuleOutcome(verdict, rule, reason, self.day, duty, self.details)

    def naming(self, test: str) -> Rule | None:
        """The newest rule of a test that names the chip."""
        named = (rule for rule in reversed(self.rules) if rule.test == test)
        return next((rule for rule in named if self.chip.id in rule.accelerators), None)

    @property
    def figures(self) -> str:
        """`TPP 2,368, performance density 2.9`, as far as they are known."""
        if "tpp" not in self.details:
            return "TPP unknown"
        density = f"{self.details['pd']:.1f}" if "pd" in self.details else "unknown (no die area)"
        return f"TPP {self.details['tpp']:,.0f}, performance density {density}"


def outcome(
    accelerator: Accelerator, destination: str, headquarters: str, day: dt.date, rules: Iterable[Rule]
) -> RuleOutcome:
    """Whether a buyer with that headquarters may own the accelerator in that country on that day.

    `rules` are those of `rules_in_force`. The answer is `free`, `review` (case by case, a licence is
    needed) or `denied`, with the rule that decides, the reason, the duty [share of the price] and
    `details`: `tpp` [TPP] and `pd` [TPP/mm2] as far as they are known.
    """
    case = _Case(accelerator, day, tuple(rules), _performance(accelerator))
    if accelerator.made_for == "China":
        return _domestic(case, destination)
    if destination not in CHINA and headquarters not in CHINA:
        return case.answer("free", "", f"no rule here covers a buyer from {headquarters} in {destination}")
    refusal = case.naming("buyer_refuses") if destination in CHINA else None
    if refusal is not None:
        return case.answer("denied", refusal.id, refusal.text)
    covering = _covering(case)
    if covering is None:
        return _not_covered(case)
    return _to_china(case, covering) if destination in CHINA else _abroad(case, covering)


def _performance(chip: Accelerator) -> dict[str, float]:
    """TPP and, where the die area is known, PD of a chip; a published TPP goes before a computed one."""
    tpp = chip.tpp
    if tpp is None and chip.peak_tflops:
        tpp = total_processing_performance(chip.peak_tflops)
    if tpp is None:
        return {}
    if chip.die_mm2 is None:
        return {"tpp": tpp}
    return {"tpp": tpp, "pd": performance_density(tpp, chip.die_mm2)}


def _domestic(case: _Case, destination: str) -> RuleOutcome:
    """A Chinese chip needs no American licence in China; abroad the guidance of May 2025 warns of its use."""
    warning = next((rule for rule in case.rules if rule.id == GP10_RULE), None)
    if destination in CHINA or warning is None:
        return case.answer("free", "", "a Chinese maker's chip: no American export licence is needed")
    return case.answer("free", warning.id, f"free, with a warning: {warning.text}")


def _covering(case: _Case) -> Rule | None:
    """The rule that asks for a licence: a limb of 3A090.a, else a letter, else the middle tier 3A090.b.

    Of two limbs met, the one that needs less density tells more: TPP alone where that is enough.
    """
    limbs = [rule for rule in case.rules if rule.test == "tpp_pd" and _meets(rule, case.details)]
    limbs.sort(key=lambda rule: rule.pd_min or 0.0)
    denying = next((rule for rule in limbs if rule.presumes_denial), None)
    return denying or case.naming("letter") or next(iter(limbs), None)


def _meets(rule: Rule, details: Mapping[str, float]) -> bool:
    """Whether TPP and PD lie in the rule's limb; an unknown PD meets no limb that asks for one."""
    if "tpp" not in details or not _within(details["tpp"], rule.tpp_min, rule.tpp_max):
        return False
    if rule.pd_min is None and rule.pd_max is None:
        return True
    return "pd" in details and _within(details["pd"], rule.pd_min, rule.pd_max)


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value < high)


def _not_covered(case: _Case) -> RuleOutcome:
    """No limb and no letter covers the chip, or too little is known of it to say so."""
    limbs = [rule for rule in case.rules if rule.test == "tpp_pd"]
    if limbs and "tpp" not in case.details:
        reason = f"no peak rate is known, so it cannot be cleared under {limbs[0].id}"
        return case.answer("denied", limbs[0].id, reason)
    unclear = [rule for rule in limbs if "pd" not in case.details and _meets_by_tpp(rule, case.details)]
    if unclear:
        reason = f"{case.figures}: it may fall under this rule. {unclear[0].text}"
        return case.answer("review", unclear[0].id, reason)
    return case.answer("free", "", f"no rule covers it: {case.figures}")


def _meets_by_tpp(rule: Rule, details: Mapping[str, float]) -> bool:
    return _within(details["tpp"], rule.tpp_min, rule.tpp_max)


def _abroad(case: _Case, covering: Rule) -> RuleOutcome:
    """A covered chip for a Chinese buyer's site abroad: the headquarters limb, or a letter that reaches it.

    The letter of April 2025 names companies headquartered in China too; before the limb of November 2023
    the rules stopped at the border.
    """
    limb = next((rule for rule in reversed(case.rules) if rule.test == "headquarters"), None)
    if limb is None:
        return case.answer("free", "", f"{covering.id} stops at China's border: {case.figures}")
    decisive = covering if covering.test == "letter" else limb
    return case.answer("denied", decisive.id, f"{decisive.text} Covered by {covering.id}: {case.figures}.")


def _to_china(case: _Case, covering: Rule) -> RuleOutcome:
    """A covered chip to China: denied, unless a review, a revenue share or a notification is open to it."""
    lifting = next((rule for rule in reversed(case.rules) if _lifts(rule, covering, case)), None)
    if lifting is None and covering.presumes_denial:
        return case.answer("denied", covering.id, f"{covering.text} Here: {case.figures}.")
    deciding = lifting or covering
    reason = f"{deciding.text} Covered by {covering.id}: {case.figures}."
    return case.answer("review", deciding.id, reason, _duty(case, deciding))


def _lifts(rule: Rule, covering: Rule, case: _Case) -> bool:
    """Whether a rule opens a review: to chips it names, or below its TPP and DRAM bandwidth."""
    if rule.test not in ("review", "revenue_share"):
        return False
    if rule.accelerators:
        return case.chip.id in rule.accelerators
    if covering.test != "tpp_pd" or case.chip.memory_gbs <= 0:
        return False
    return _meets_by_tpp(rule, case.details) and _within(case.chip.memory_gbs, None, rule.memory_gbs_max)


def _duty(case: _Case, deciding: Rule) -> float:
    """The share of the price the American state takes: the deciding rule's cut or a duty, the higher."""
    named = (case.naming(test) for test in ("duty", "revenue_share"))
    return max([deciding.duty, *(rule.duty for rule in named if rule is not None)])
