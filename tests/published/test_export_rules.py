"""Export classes as they are published: TPP, performance density and the answer of the dated rules.

Sources: ECCN 3A090 (88 FR 73458; thresholds by
https://chipclaims.com/articles/eccn-3a090-tpp-performance-density-thresholds-2026-06-16); the H20 letter
(Nvidia 8-K of 2025-04-15); the review policy of January 2026 (91 FR 1684,
https://www.govinfo.gov/content/pkg/FR-2026-01-15/html/2026-00789.htm), which names H200 and MI325X; its
duty (proclamation of 2026-01-14, bands at http://www.carmnet.com/?p=3389); the headquarters guidance of
2026-05-31 (https://www.hklaw.com/en/insights/publications/2026/06/bis-publishes-guidance-license-requirements-advanced-computing-items).
"""

from __future__ import annotations

import datetime as dt

import pytest

from gigawright.catalogue import policy, records
from gigawright.catalogue.load import load_facts
from gigawright.catalogue.types import RuleOutcome
from gigawright.facts import FactBook

BYTEDANCE = "China"


@pytest.fixture(scope="module")
def book() -> FactBook:
    return FactBook(load_facts())


def ask(
    book: FactBook, chip: str, day: str, destination: str = "China", buyer: str = BYTEDANCE
) -> RuleOutcome:
    date = dt.date.fromisoformat(day)
    rules = policy.rules_in_force(book, date)
    return policy.outcome(records.accelerator(book, chip), destination, buyer, date, rules)


# chip: TPP (Nvidia and AMD data sheets; 15,832 and 20,920 are quoted with the rule of January 2026)
PUBLISHED_TPP = {
    "nv_a100_80": 4992,
    "nv_h20_96": 2368,
    "nv_h100_sxm": 15832,
    "nv_h200_sxm": 15832,
    "amd_mi300x": 20920,
    "amd_mi325x": 20920,
    "nv_b200_sxm": 36000,
    "amd_mi355x": 40264,
    "hw_910c": 12032,
}


@pytest.mark.parametrize(("chip", "tpp"), PUBLISHED_TPP.items())
def test_tpp_from_peak_rates(book: FactBook, chip: str, tpp: float) -> None:
    peaks = records.accelerator(book, chip).peak_tflops
    assert policy.total_processing_performance(peaks) == pytest.approx(tpp, rel=0.001)


def test_stored_tpp_agrees_with_the_rates_of_every_chip(book: FactBook) -> None:
    chips = [records.accelerator(book, name) for name in book.items("accelerator")]
    rated = [chip for chip in chips if chip.peak_tflops]
    assert len(rated) > 50
    for chip in rated:
        assert chip.tpp == pytest.approx(policy.total_processing_performance(chip.peak_tflops), rel=0.003), (
            chip.id
        )


@pytest.mark.parametrize(
    ("chip", "density"),
    [
        ("nv_h20_96", 2.9),  # 2,368 / 814 mm2
        ("nv_a100_80", 6.04),  # 4,992 / 826 mm2
        ("nv_h100_sxm", 19.45),  # 15,832 / 814 mm2
        ("nv_v100_sxm2_32", 2.45),  # 2,000 / 815 mm2
    ],
)
def test_performance_density(book: FactBook, chip: str, density: float) -> None:
    found = ask(book, chip, "2024-06-30").details["pd"]
    assert found == pytest.approx(density, rel=0.01)


# chip, day, verdict, deciding rule
CASES = [
    # A100 and H100 are caught in 2022, the A800 and H800 made to pass only in November 2023
    ("nv_h100_sxm", "2022-12-31", "denied", "us_2022_10"),
    ("nv_a800", "2022-12-31", "free", ""),
    ("nv_h800", "2023-06-30", "free", ""),
    ("nv_a800", "2023-11-17", "denied", "us_2023_10_a_tpp"),
    ("nv_h800", "2023-12-31", "denied", "us_2023_10_a_tpp"),
    # the H20 passes 3A090 and falls to the letter of April 2025
    ("nv_h20_96", "2025-04-08", "free", ""),
    ("nv_h20_96", "2025-04-09", "denied", "us_2025_04_h20"),
    ("nv_h20_96", "2025-08-15", "review", "us_2025_08_h20"),
    ("nv_h20_96", "2025-09-30", "denied", "cn_2025_08_h20"),
    ("nv_h20_96", "2026-03-31", "denied", "cn_2025_08_h20"),
    # the H200: denied, announced, reviewed, refused by the buyer's state, let in case by case
    ("nv_h200_sxm", "2025-06-30", "denied", "us_2023_10_a_tpp"),
    ("nv_h200_sxm", "2025-12-31", "review", "us_2025_12_h200"),
    ("nv_h200_sxm", "2026-02-28", "review", "us_2026_01_rule"),
    ("nv_h200_sxm", "2026-06-30", "denied", "cn_2026_05_refuse"),
    ("nv_h200_sxm", "2026-09-30", "review", "us_2026_01_rule"),
    # just under 21,000 TPP and 6,500 GB/s; above it
    ("amd_mi300x", "2025-12-31", "denied", "us_2023_10_a_tpp"),
    ("amd_mi300x", "2026-02-28", "review", "us_2026_01_rule"),
    ("amd_mi325x", "2026-02-28", "review", "us_2026_01_rule"),
    ("nv_b200_sxm", "2026-02-28", "denied", "us_2023_10_a_tpp"),
    ("nv_b300_sxm", "2026-02-28", "denied", "us_2023_10_a_tpp"),
    ("amd_mi355x", "2026-02-28", "denied", "us_2023_10_a_tpp"),
    ("nv_rubin_nvl72", "2026-09-30", "denied", "us_2023_10_a_tpp"),
    # domestic chips, and the card China's regulator stopped
    ("hw_910c", "2026-02-28", "free", ""),
    ("hw_950pr", "2026-09-30", "free", ""),
    ("nv_rtx6000d", "2025-12-31", "denied", "cn_2025_09_6000d"),
    ("nv_v100_sxm2_32", "2026-02-28", "free", ""),
]


@pytest.mark.parametrize(("chip", "day", "verdict", "rule"), CASES)
def test_delivery_to_china(book: FactBook, chip: str, day: str, verdict: str, rule: str) -> None:
    found = ask(book, chip, day)
    assert (found.verdict, found.rule) == (verdict, rule), found.reason


def test_duty_bands_of_january_2026(book: FactBook) -> None:
    assert ask(book, "nv_h200_sxm", "2026-02-28").duty_share == 0.25
    assert ask(book, "amd_mi325x", "2026-02-28").duty_share == 0.25
    assert ask(book, "amd_mi300x", "2026-02-28").duty_share == 0.0  # 5,300 GB/s lies in neither band
    assert ask(book, "nv_h20_96", "2025-08-15").duty_share == 0.15
    assert ask(book, "nv_h200_sxm", "2025-12-31").duty_share == 0.25


@pytest.mark.parametrize(
    ("chip", "day", "rule"),
    [
        ("nv_b200_sxm", "2023-11-17", "us_2023_11_hq"),
        ("nv_h200_sxm", "2026-02-28", "us_2023_11_hq"),  # the review of January is for China and Macau alone
        ("nv_gb300_nvl72", "2026-06-30", "us_2026_05_hq"),
        ("nv_h20_96", "2026-02-28", "us_2025_04_h20"),  # the letter names the headquarters itself
    ],
)
def test_owning_abroad_with_a_chinese_headquarters(book: FactBook, chip: str, day: str, rule: str) -> None:
    found = ask(book, chip, day, destination="Malaysia")
    assert (found.verdict, found.rule) == ("denied", rule)


def test_owning_abroad_before_the_headquarters_limb_or_with_another_headquarters(book: FactBook) -> None:
    assert ask(book, "nv_h100_sxm", "2023-11-16", destination="Malaysia").verdict == "free"
    assert (
        ask(book, "nv_b200_sxm", "2026-06-30", destination="Malaysia", buyer="United States").verdict
        == "free"
    )


def test_domestic_chip_abroad_is_free_with_the_warning_of_may_2025(book: FactBook) -> None:
    before, after = (
        ask(book, "hw_910c", day, destination="Malaysia") for day in ("2025-05-12", "2025-05-13")
    )
    assert (before.verdict, before.rule) == ("free", "")
    assert (after.verdict, after.rule) == ("free", "us_2025_05_gp10")
    assert "warning" in after.reason


@pytest.mark.parametrize(
    ("as_of", "verdict", "rule"),
    [
        ("2025-11-30", "denied", "us_2023_10_a_tpp"),
        ("2025-12-23", "review", "us_2025_12_h200"),  # the announcement, because the rule is not known yet
        ("2026-10-10", "review", "us_2026_01_rule"),
    ],
)
def test_the_same_quarter_as_it_was_known_before(as_of: str, verdict: str, rule: str) -> None:
    known = FactBook(load_facts(), dt.date.fromisoformat(as_of))
    found = ask(known, "nv_h200_sxm", "2026-03-31")
    assert (found.verdict, found.rule) == (verdict, rule)
