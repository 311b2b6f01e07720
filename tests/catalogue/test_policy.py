"""The logic of the export rules on made-up chips, and the catalogue's own rules, systems and pools."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from gigawright.catalogue import policy, records
from gigawright.catalogue.load import load_facts
from gigawright.catalogue.policy import Rule, outcome, performance_density, total_processing_performance
from gigawright.catalogue.types import Accelerator
from gigawright.clock import Quarter
from gigawright.errors import CatalogueError
from gigawright.facts import Fact, FactBook

DAY = dt.date(2026, 3, 1)
LONG_AGO = dt.date(2020, 1, 1)
CHIP = Accelerator(
    id="chip",
    name="Chip",
    vendor="Maker",
    made_for="abroad",
    peak_tflops={"bf16": 100.0, "fp8": 200.0},
    memory_gb=80,
    memory_gbs=3000,
    scaleup_gbs=400,
    scaleup_domain=8,
    nic_gbps=400,
    tdp_w=400,
    die_mm2=800.0,
    tpp=None,
)
LIMB_A = Rule("a", "Limb a.", "tpp_pd", LONG_AGO, tpp_min=4800)
LIMB_A_DENSE = Rule("a_pd", "Dense limb a.", "tpp_pd", LONG_AGO, tpp_min=1600, pd_min=5.92)
LIMB_B = Rule("b", "Limb b.", "tpp_pd", LONG_AGO, tpp_min=1600, pd_min=3.2, pd_max=5.92)
HEADQUARTERS = Rule("hq", "Headquarters.", "headquarters", LONG_AGO)
REVIEW = Rule("review", "Review.", "review", LONG_AGO, tpp_max=21000, memory_gbs_max=6500)
RULES = (LIMB_A, LIMB_A_DENSE, LIMB_B, HEADQUARTERS)


def chip(tpp: float, die_mm2: float | None = 800.0, **other: float) -> Accelerator:
    return replace(CHIP, peak_tflops={"fp8": tpp / 8}, die_mm2=die_mm2, **other)  # type: ignore[arg-type]


def test_tpp_is_the_highest_of_the_formats_whatever_their_order() -> None:
    assert total_processing_performance({"bf16": 10, "fp8": 15, "fp4": 50, "fp32": 4}) == 200
    assert total_processing_performance({"fp32": 6, "bf16": 10}) == 192


def test_tpp_needs_rates_in_known_formats() -> None:
    with pytest.raises(CatalogueError, match="no bit length for fp6"):
        total_processing_performance({"fp6": 100})
    with pytest.raises(CatalogueError, match="no peak rate"):
        total_processing_performance({})


def test_density_needs_an_area() -> None:
    with pytest.raises(CatalogueError, match="not positive"):
        performance_density(1000, 0)


@pytest.mark.parametrize(
    ("tpp", "die_mm2", "verdict", "rule"),
    [
        (4800, 2000.0, "denied", "a"),  # the threshold itself is covered
        (4799, 2000.0, "free", ""),
        (4799, 800.0, "denied", "a_pd"),
        (1600, 1600 / 5.92, "denied", "a_pd"),
        (1600, 500.0, "review", "b"),  # the middle tier is notified
        (1599, 100.0, "free", ""),
        (9600, None, "denied", "a"),  # 4,800 decides alone
        (1599, None, "free", ""),
    ],
)
def test_limbs(tpp: float, die_mm2: float | None, verdict: str, rule: str) -> None:
    found = outcome(chip(tpp, die_mm2), "China", "China", DAY, RULES)
    assert (found.verdict, found.rule) == (verdict, rule)


def test_unknown_density_is_said() -> None:
    found = outcome(chip(2000, None), "China", "China", DAY, RULES)
    assert found.verdict == "review"
    assert "no die area" in found.reason
    assert found.details == {"tpp": 2000}


def test_unknown_performance_cannot_be_cleared() -> None:
    found = outcome(replace(CHIP, peak_tflops={}), "China", "China", DAY, RULES)
    assert (found.verdict, found.details) == ("denied", {})
    assert "no peak rate" in found.reason


def test_review_opens_below_both_of_its_limits_only() -> None:
    rules = (*RULES, REVIEW)
    assert outcome(chip(20999, memory_gbs=6499), "China", "China", DAY, rules).verdict == "review"
    assert outcome(chip(21000, memory_gbs=6499), "China", "China", DAY, rules).verdict == "denied"
    assert outcome(chip(20999, memory_gbs=6500), "China", "China", DAY, rules).verdict == "denied"
    assert outcome(chip(20999, memory_gbs=0), "China", "China", DAY, rules).verdict == "denied"
    assert outcome(chip(20999, memory_gbs=6499), "Malaysia", "China", DAY, rules).verdict == "denied"


def test_a_review_by_numbers_does_not_lift_a_letter_but_one_by_name_does() -> None:
    letter = Rule("letter", "Letter.", "letter", LONG_AGO, accelerators=frozenset({"chip"}))
    share = Rule("share", "Share.", "revenue_share", LONG_AGO, duty=0.15, accelerators=frozenset({"chip"}))
    weak = chip(1000)
    assert outcome(weak, "China", "China", DAY, (*RULES, letter, REVIEW)).rule == "letter"
    found = outcome(weak, "China", "China", DAY, (*RULES, letter, REVIEW, share))
    assert (found.verdict, found.rule, found.duty_share) == ("review", "share", 0.15)


def test_refusal_by_the_buyers_state_stops_at_its_border() -> None:
    refusal = Rule("refusal", "No.", "buyer_refuses", LONG_AGO, accelerators=frozenset({"chip"}))
    assert outcome(chip(1000), "Hong Kong", "China", DAY, (refusal,)).verdict == "denied"
    assert outcome(chip(1000), "Malaysia", "China", DAY, (refusal,)).verdict == "free"


def test_the_higher_of_cut_and_duty_is_taken() -> None:
    duty = Rule("duty", "Duty.", "duty", LONG_AGO, duty=0.25, accelerators=frozenset({"chip"}))
    cut = Rule("cut", "Cut.", "review", LONG_AGO, duty=0.4, accelerators=frozenset({"chip"}))
    assert outcome(chip(9600), "China", "China", DAY, (*RULES, REVIEW, duty)).duty_share == 0.25
    assert outcome(chip(9600), "China", "China", DAY, (*RULES, REVIEW, duty, cut)).duty_share == 0.4
    assert (
        outcome(chip(9600), "China", "China", DAY, (*RULES, duty)).duty_share == 0.0
    )  # denied: nothing to pay


def test_a_rule_ends_on_its_last_day() -> None:
    rule = Rule("r", "R.", "letter", dt.date(2025, 4, 9), ends=dt.date(2025, 8, 1))
    days = [dt.date(2025, 4, 8), dt.date(2025, 4, 9), dt.date(2025, 7, 31), dt.date(2025, 8, 1)]
    assert [rule.in_force(day) for day in days] == [False, True, True, False]


def fact(item: str, attribute: str, value: str, unit: str = "text") -> Fact:
    return Fact("rule", item, attribute, value, unit, "test", "B", LONG_AGO)


def test_a_rule_with_an_unknown_test_is_refused() -> None:
    rows = [fact("r", "text", "R."), fact("r", "test", "magic"), fact("r", "effective", "2020-01-01", "date")]
    with pytest.raises(CatalogueError, match="rule r: test 'magic'"):
        policy.rules_in_force(FactBook(rows), DAY)


def test_withdrawn_rules_never_apply() -> None:
    withdrawn = Rule("w", "W.", "withdrawn", LONG_AGO, tpp_min=0, accelerators=frozenset({"chip"}))
    assert outcome(chip(100000), "China", "China", DAY, (withdrawn,)).verdict == "free"


@pytest.fixture(scope="module", params=["2025-12-23", "2026-10-10"])
def book(request: pytest.FixtureRequest) -> FactBook:
    return FactBook(load_facts(), dt.date.fromisoformat(request.param))


FLAGSHIP = [
    "hgx_a100_8",
    "hgx_a800_8",
    "hgx_h800_8",
    "hgx_h20_8",
    "hgx_h20e_8",
    "dgx_h100",
    "dgx_h200",
    "dgx_b200",
    "dgx_b300",
    "gb200_nvl72",
    "gb300_nvl72",
    "vr_nvl72",
    "mi300x_8",
    "mi325x_8",
    "mi355x_8",
    "atlas800t_a2",
    "cloudmatrix384",
    "atlas950pr_8",
    "atlas950_1024",
    "cambricon_8",
    "iluvatar_8",
    "metax_c550_8",
    "kunlun_8",
    "mt_s5000_8",
]
LEASED = [
    "dgx_h100",
    "dgx_h200",
    "dgx_b200",
    "dgx_b300",
    "gb200_nvl72",
    "gb300_nvl72",
    "vr_nvl72",
    "mi300x_8",
    "mi325x_8",
    "mi355x_8",
]


@pytest.mark.parametrize("name", FLAGSHIP)
def test_flagship_systems_can_be_planned_with_either_knowledge(book: FactBook, name: str) -> None:
    assert records.missing_for_planning(book, name) == []
    system = records.system(book, name)
    assert 0.3 < system.kw_per_accelerator < 4
    assert system.cooling in ("air", "liquid")
    assert system.price_kusd is not None
    assert 5 < system.price_kusd < 130
    assert (system.lease_usd_per_hour is not None) or name not in LEASED


def test_pools_supply_known_systems_and_never_shrink_where_they_sell(book: FactBook) -> None:
    systems = set(book.items("system"))
    later = {"atlas350_8", "atlas850e"}  # announced in 2026
    for name in book.items("pool"):
        pool = records.pool(book, name)
        assert pool.systems - later <= systems, name
        caps = [pool.cap_kacc[quarter] for quarter in sorted(pool.cap_kacc)]
        assert caps, name
        if pool.mode == "buy":
            assert caps == sorted(caps), name


def test_the_h200_licence_as_known_before_and_after() -> None:
    before = records.pool(FactBook(load_facts(), dt.date(2025, 12, 23)), "h200_licence")
    after = records.pool(FactBook(load_facts(), dt.date(2026, 10, 10)), "h200_licence")
    assert max(before.cap_kacc.values()) == 20
    assert (after.cap_kacc[Quarter(2026, 1)], after.cap_kacc[Quarter(2026, 3)]) == (0, 10)
    assert max(after.cap_kacc.values()) == 75
    assert before.licence
    assert after.licence


def test_the_950pr_is_its_roadmap_in_2025_and_its_white_paper_in_2026() -> None:
    before = records.accelerator(FactBook(load_facts(), dt.date(2025, 12, 23)), "hw_950pr")
    after = records.accelerator(FactBook(load_facts(), dt.date(2026, 10, 10)), "hw_950pr")
    assert (before.peak_tflops["fp8"], after.peak_tflops["fp8"]) == (1000, 865)
    assert "bf16" in before.derived
    assert "bf16" not in after.derived
