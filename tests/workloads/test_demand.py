"""Demand by hand: users to requests to tokens, history and growth, regions and reach."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gigawright.catalogue.types import Region
from gigawright.clock import Quarter, quarters_between
from gigawright.errors import CatalogueError
from gigawright.facts import Fact, FactBook
from gigawright.money import Rates
from gigawright.study.load import load_study
from gigawright.study.model import Study
from gigawright.workloads import demand

DAY = 86_400.0
SHAPE = tuple(2.0 if hour == 20 else 1.0 for hour in range(24))


def region(
    name: str, users_m: float, assistant: float = 0.0, residency: str = "China", rtt_ms: float = 50.0
) -> Region:
    return Region(name, name, users_m, assistant, 8.0, SHAPE, residency, {"here": rtt_ms})


def catalogue_of(*regions: Region, facts: tuple[Fact, ...] = (), country: str = "China") -> Any:
    """As much of a catalogue as demand reads."""
    return SimpleNamespace(
        regions={r.id: r for r in regions},
        book=FactBook(facts),
        as_of=None,
        sites={"here": SimpleNamespace(id="here", country=country)},
        usd=lambda money: Rates([]).to_usd(money, dt.date(2026, 1, 1)),
    )


HEAD = """\
name: demand
horizon: {start: 2026Q1, end: 2027Q4}
budgets: {capital: {2026: 1 M USD, 2027: 1 M USD}}
sites: [{site: here}]
systems: [{system: any}]
workloads:
"""
CHAT = """\
  - name: chat
    family: llm-serving
    model: any
    input_tokens: 1500
    output_tokens: 500
    value: 2 USD per M tokens
    demand: {%s}
"""
FEED = """\
  - name: feed
    family: recommendation
    model: any
    candidates: 1000
    demand: {%s}
"""


def study_of(tmp_path: Path, workload: str, says: str, more: str = "") -> Study:
    path = tmp_path / "study.yaml"
    path.write_text(HEAD + workload % says + more)
    return load_study(path)


def stream_of(tmp_path: Path, workload: str, says: str, catalogue: Any, more: str = "") -> demand.Stream:
    (stream,) = demand.streams(study_of(tmp_path, workload, says, more), catalogue)
    return stream


def test_users_times_share_times_requests(tmp_path: Path) -> None:
    """1 bn users, 60 % a day, 30 requests each: 18 bn rankings a day; the busiest hour is 24/25 x 2 of the
    mean.
    """
    found = stream_of(
        tmp_path,
        FEED,
        "users: 1 bn, active_share: 60 %, requests_per_user_day: 30",
        catalogue_of(region("all", 1000.0)),
    )
    mean = 18e9 / DAY
    assert found.peak[0, 0] * found.mean_share[0] == pytest.approx(mean)
    assert found.peak[0, 0] == pytest.approx(mean * 2 * 24 / 25)
    assert found.unit == "ranking"


def test_without_users_those_of_the_regions_are_asked(tmp_path: Path) -> None:
    both = catalogue_of(region("a", 300.0), region("b", 100.0))
    found = stream_of(tmp_path, FEED, "requests_per_user_day: 1, peak: false", both)
    assert found.peak[:, 0] == pytest.approx([300e6 / DAY, 100e6 / DAY])
    assert found.mean_share == pytest.approx([1.0, 1.0])


def test_a_stated_day_is_split_by_users_or_by_the_assistants(tmp_path: Path) -> None:
    both = catalogue_of(region("a", 300.0, 0.1), region("b", 100.0, 0.3))
    by_users = stream_of(tmp_path, FEED, "per_day: 86400, peak: false", both)
    assert by_users.peak[:, 0] == pytest.approx([0.75, 0.25])
    by_assistant = stream_of(tmp_path, FEED, "per_day: 86400, peak: false, regions: assistant", both)
    assert by_assistant.peak[:, 0] == pytest.approx([0.25, 0.75])


def test_reported_tokens_are_input_and_output(tmp_path: Path) -> None:
    """2,000 tokens a request, 500 of them output: a quarter of what is reported."""
    found = stream_of(tmp_path, CHAT, "per_day: 864 M, regions: home", catalogue_of())
    assert found.peak[0, 0] == pytest.approx(864e6 / DAY / 4)
    assert found.per_unit == {"prefill": 3.0, "decode": 1.0}
    assert found.worth_usd == pytest.approx(2e-6)
    assert found.regions == ("home",)


def test_requests_have_their_output(tmp_path: Path) -> None:
    found = stream_of(
        tmp_path, CHAT, "per_day: 86400, regions: home", catalogue_of(), "    demand_unit: requests\n"
    )
    assert found.peak[0, 0] == pytest.approx(500.0)


def test_growth_is_a_factor_a_calendar_year(tmp_path: Path) -> None:
    """Twice over 2026, threefold over 2027: from mid-quarter to mid-quarter."""
    found = stream_of(
        tmp_path, FEED, "per_day: 86400, regions: home, growth_per_year: {2026: 2x, 2027: 3x}", catalogue_of()
    )
    expected = [2 ** (q / 4) for q in range(4)] + [2 ** (7 / 8) * 3 ** ((2 * q + 1) / 8) for q in range(4)]
    assert found.peak[0] == pytest.approx(expected)


def test_a_rate_of_a_later_quarter_is_shrunk_back(tmp_path: Path) -> None:
    found = stream_of(
        tmp_path,
        FEED,
        "per_day: 86400, regions: home, at: 2027Q1, growth_per_year: {2026: 4x}",
        catalogue_of(),
    )
    assert found.peak[0, 4] == pytest.approx(1.0)
    assert found.peak[0, 0] == pytest.approx(4 ** -(7 / 8))
    assert found.peak[0, 7] == pytest.approx(1.0)


def point(day: str, value: float) -> Fact:
    return Fact("programme", "tokens", f"at@{day}", value, "", "x", "A", dt.date(2026, 6, 30))


def test_history_is_straight_on_a_log_scale_then_grows(tmp_path: Path) -> None:
    """From 1 to 16 over a year: 2 after a quarter of it. After the last point the study's factor holds."""
    reported = catalogue_of(facts=(point("2025-07-01", 86_400.0), point("2026-07-01", 16 * 86_400.0)))
    found = stream_of(
        tmp_path, FEED, "history: tokens, regions: home, growth_per_year: {2026: 4x, 2027: 1x}", reported
    )
    last = 2026 + (182 - 0.5) / 365
    for q, quarter in enumerate(quarters_between(Quarter(2026, 1), Quarter(2027, 4))):
        when = quarter.year + (quarter.number - 0.5) / 4
        value = 16 ** (when - last + 1) if when <= last else 16 * 4 ** (min(when, 2027.0) - last)
        assert found.peak[0, q] == pytest.approx(value), quarter


def test_a_share_of_the_history_and_none_known(tmp_path: Path) -> None:
    reported = catalogue_of(facts=(point("2026-12-31", 86_400.0),))
    found = stream_of(tmp_path, FEED, "history: tokens, share_of_history: 25 %, regions: home", reported)
    assert found.peak[0] == pytest.approx(np.full(8, 0.25))
    with pytest.raises(CatalogueError, match="programme series 'tokens' has no value known"):
        stream_of(tmp_path, FEED, "history: tokens, regions: home", catalogue_of())


def test_no_assistant_users_anywhere_is_told(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="no region has assistant to split demand over"):
        stream_of(tmp_path, FEED, "per_day: 1, regions: assistant", catalogue_of(region("a", 1.0)))


def test_the_peaks_times_mean_shares_add_up_to_the_day(tmp_path: Path) -> None:
    many = catalogue_of(*(region(name, users) for name, users in (("a", 3.0), ("b", 5.0), ("c", 11.0))))
    found = stream_of(tmp_path, FEED, "per_day: 8640000", many)
    assert (found.peak * found.mean_share[:, None]).sum(axis=0) == pytest.approx(np.full(8, 100.0))


@pytest.mark.parametrize(
    ("residency", "rtt_ms", "limit_s", "reached"),
    [
        ("China", 50.0, 0.3, True),
        ("China", 301.0, 0.3, False),
        ("China", 300.0, 0.3, True),
        ("outside China", 50.0, 0.3, False),
        ("United States", 50.0, 0.3, False),
    ],
)
def test_reach_is_residency_then_round_trip(
    tmp_path: Path, residency: str, rtt_ms: float, limit_s: float, reached: bool
) -> None:
    catalogue = catalogue_of(region("a", 1.0, residency=residency, rtt_ms=rtt_ms))
    study = study_of(tmp_path, FEED, "per_day: 1")
    (stream,) = demand.streams(study, catalogue)
    assert demand.reach(study, catalogue, stream, limit_s).tolist() == [[reached]]


def test_work_without_users_may_run_anywhere(tmp_path: Path) -> None:
    """The buyer is Chinese by default; the only site is in Norway."""
    catalogue = catalogue_of(country="Norway")
    study = study_of(tmp_path, FEED, "per_day: 1, regions: home")
    (stream,) = demand.streams(study, catalogue)
    assert demand.reach(study, catalogue, stream, 0.3).all()


@pytest.mark.parametrize(
    ("rule", "country", "may"),
    [
        ("China", "China", True),
        ("China", "Malaysia", False),
        ("outside China", "Malaysia", True),
        ("Europe", "Finland", True),
        ("Europe", "Malaysia", False),
        ("United States", "United States", True),
    ],
)
def test_residency(rule: str, country: str, may: bool) -> None:
    assert demand.may_be_served(rule, country) is may


def test_software_gains_a_factor_a_year(tmp_path: Path) -> None:
    study = study_of(tmp_path, FEED, "per_day: 1", "    software_gain_per_year: 1.44x\n")
    gain = demand.software_gain(study.workloads[0], study.horizon.quarters)
    assert gain[[0, 2, 4]] == pytest.approx([1.0, 1.2, 1.44])
    plain = study_of(tmp_path, FEED, "per_day: 1")
    assert demand.software_gain(plain.workloads[0], plain.horizon.quarters) == pytest.approx(np.ones(8))


def test_programmes_are_runs_with_a_date(tmp_path: Path) -> None:
    train = """\
  - name: lm
    family: llm-training
    model: any
    group: research
    value: 3 USD per M tokens
    programmes: [{name: one, tokens: %s, start: 2026Q2, due: 2026Q4}]
"""
    (run,) = demand.programmes(study_of(tmp_path, train, "30 T"), catalogue_of())
    assert (run.name, run.group, run.tokens) == ("lm:one", "research", 30e12)
    assert (run.start, run.due, run.worth_usd) == (Quarter(2026, 2), Quarter(2026, 4), pytest.approx(3e-6))
