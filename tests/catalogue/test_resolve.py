"""A study against the catalogue: every clash at its line, knowledge by day, and what the result rests on."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gigawright.catalogue.resolve import Catalogue, ranged_values, resolve
from gigawright.clock import Quarter
from gigawright.errors import StudyError
from gigawright.study.load import load_study
from gigawright.study.model import Study

STUDY = """\
name: small
horizon: {start: 2026Q1, end: 2027Q4}
buyer: {name: Example Cloud, headquarters: United States}
budgets: {capital: {2026: 400 M USD, 2027: 300 M USD}, leasing: {2026: 1 M USD}}
sites:
  - {site: abilene, existing: {air: 10 MW, grid: 100 MW}}
systems:
  - {system: dgx_h200}
workloads:
  - name: assistant
    family: llm-serving
    model: llama-3.1-70b
    input_tokens: {value: 1500, low: 1000, high: 2000, source: a log, confidence: C}
    output_tokens: 400
    value: {value: 1.0 USD per M tokens, low: 0.5 USD per M tokens}
    demand: {per_day: 300 bn, regions: home}
"""
BEFORE, AFTER = dt.date(2025, 12, 23), dt.date(2026, 10, 10)


def read(tmp_path: Path, old: str = "", new: str = "", more: str = "") -> Study:
    assert old in STUDY
    path = tmp_path / "study.yaml"
    path.write_text(STUDY.replace(old, new, 1) + more if old else STUDY + more)
    return load_study(path)


def resolved(tmp_path: Path, *changes: str, more: str = "") -> Catalogue:
    return resolve(read(tmp_path, *changes, more=more))


@pytest.mark.parametrize(
    ("old", "new", "more", "line", "words"),
    [
        ("abilene", "abilenne", "", 6, "sites[0].site: unknown site 'abilenne'; see `gigawright "
         "catalogue list site` Did you mean 'abilene'?"),
        ("dgx_h200", "dgx_h2000", "", 8, "systems[0].system: unknown system 'dgx_h2000'"),
        ("llama-3.1-70b", "llama-3.1-71b", "", 12, "workloads[0].model: unknown model 'llama-3.1-71b'"),
        ("end: 2027Q4", "end: 2026Q1", "", 8, "takes 1 quarters to deliver and the horizon has 1"),
        ("system: dgx_h200", "system: kunlun_8, lease: true", "", 8, "kunlun_8 has no lease price; add one"),
        (", 2027: 300 M USD", "", "", 4, "budgets.capital: no capital budget for 2027; write 0 USD"),
        ("", "", "supply: [h200_license]\n", 17, "supply[0]: unknown pool 'h200_license'"),
        ("", "", "rules: {serve_at_least: {asistant: 50 %}}\n", 17, "no workload has the group 'asistant'; "
         "there are assistant Did you mean 'assistant'?"),
        ("", "", "installed: [{system: dgx_h200, site: dallas, accelerators: 8}]\n", 17,
         "'dallas' is not among the"),
        ("", "", "installed: [{system: dgx_h2000, site: abilene, accelerators: 8}]\n", 17,
         "unknown system 'dgx_h2000'"),
        ("", "", "commitments: [{system: dgx_b200, accelerators: 8, by: 2026Q4}]\n", 17,
         "'dgx_b200' is not among the"),
        ("", "", "staff: [{role: plumber}]\n", 17, "staff[0].role: unknown role 'plumber'"),
        ("", "", "energy: {technologies: [coal_world]}\n", 17, "unknown technology 'coal_world'"),
        ("per_day: 300 bn", "history: doubao_tokens", "", 16, "unknown programme 'doubao_tokens'"),
    ],
)  # fmt: skip
def test_a_clash_is_told_at_its_line(
    tmp_path: Path, old: str, new: str, more: str, line: int, words: str
) -> None:
    with pytest.raises(StudyError) as caught:
        resolved(tmp_path, old, new, more=more)
    (problem,) = [problem for problem in caught.value.problems if words in str(problem)]
    assert problem.line == line


def test_all_clashes_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        resolved(tmp_path, "abilene", "nowhere", more="staff: [{role: plumber}]\nsupply: [nothing]\n")
    assert [p.path for p in caught.value.problems] == ["sites[0].site", "supply[0]", "staff[0].role"]


def test_a_system_that_came_later_was_unknown_before(tmp_path: Path) -> None:
    study = read(tmp_path, "dgx_h200", "atlas350_8")
    assert resolve(study, AFTER).systems["atlas350_8"].accelerators == 8
    with pytest.raises(StudyError, match="unknown system 'atlas350_8' as of 2025-12-23"):
        resolve(study, BEFORE)


def test_supply_is_that_of_the_day_of_knowledge(tmp_path: Path) -> None:
    """A licence first thought to give thousands had given none by October 2026."""
    study = read(tmp_path, more="supply: [h200_licence]\n")
    first = Quarter(2026, 1)
    caps = {day: resolve(study, day).pools["h200_licence"].cap_kacc[first] for day in (BEFORE, AFTER)}
    assert caps[BEFORE] > 0.0
    assert caps[AFTER] == 0.0


def test_no_fact_of_a_plan_came_after_its_day(tmp_path: Path) -> None:
    study = read(tmp_path, more="supply: [h200_licence]\n")
    early, late = resolve(study, BEFORE), resolve(study, AFTER)
    assert max(fact.known_from for fact in early.book.used) <= BEFORE
    assert max(fact.known_from for fact in late.book.used) > BEFORE
    assert resolve(study).day >= AFTER or resolve(study).as_of is None


def test_the_studys_own_ranges_are_facts(tmp_path: Path) -> None:
    catalogue = resolved(tmp_path)
    own = {fact.attribute: fact for fact in catalogue.book.used if fact.kind == "study"}
    tokens = own["workloads.assistant.input_tokens"]
    assert (tokens.value, tokens.low, tokens.high, tokens.source) == (1500.0, 1000.0, 2000.0, "a log")
    assert tokens.confidence == "C"
    worth = own["workloads.assistant.value"]
    assert (worth.value, worth.low, worth.unit) == (
        pytest.approx(1e-6),
        pytest.approx(0.5e-6),
        "USD per token",
    )
    assert own["workloads.assistant.output_tokens"].source == "the study itself"


def test_ranged_values_are_named_by_their_path(tmp_path: Path) -> None:
    names = [name for name, _ in ranged_values(read(tmp_path))]
    assert names == [
        "workloads.assistant.demand.per_day",
        "workloads.assistant.input_tokens",
        "workloads.assistant.output_tokens",
        "workloads.assistant.value",
    ] or set(names) == {
        "workloads.assistant.demand.per_day",
        "workloads.assistant.input_tokens",
        "workloads.assistant.output_tokens",
        "workloads.assistant.value",
    }


OWN_PRICE = """\
catalogue:
  - {kind: accelerator, item: nv_h200_sxm, attribute: chip_usd, value: 12345, unit: USD}
"""


def test_the_studys_own_fact_is_used_where_the_catalogue_has_none(tmp_path: Path) -> None:
    row = "catalogue:\n  - {kind: system, item: kunlun_8, attribute: lease_usd_h, value: 1.5, unit: USD/h}\n"
    catalogue = resolved(tmp_path, "system: dgx_h200", "system: kunlun_8, lease: true", more=row)
    assert catalogue.systems["kunlun_8"].lease_usd_per_hour == 1.5


def test_the_studys_own_fact_overrides_the_catalogues(tmp_path: Path) -> None:
    assert resolved(tmp_path, more=OWN_PRICE).systems["dgx_h200"].chip_kusd == pytest.approx(12.345)


def test_the_studys_own_caps_replace_the_catalogues(tmp_path: Path) -> None:
    own = "catalogue:\n  - {kind: pool, item: h200_licence, attribute: cap@2026Q1, value: 77000}\n"
    catalogue = resolved(tmp_path, more="supply: [h200_licence]\n" + own)
    assert catalogue.pools["h200_licence"].cap_kacc == {Quarter(2026, 1): 77.0}


def test_a_site_named_twice_is_told(tmp_path: Path) -> None:
    twice = "  - {site: abilene, existing: {air: 10 MW, grid: 100 MW}}\n"
    with pytest.raises(StudyError, match="abilene"):
        resolved(tmp_path, twice, twice + twice)


def test_a_price_per_image_is_no_price_of_tokens(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="per"):
        resolved(tmp_path, "1.0 USD per M tokens, low: 0.5 USD per M tokens", "1.0 USD per image")


def test_leased_machines_that_stand_need_a_lease_price(tmp_path: Path) -> None:
    row = "installed: [{system: kunlun_8, site: abilene, accelerators: 80, leased: true}]\n"
    with pytest.raises(StudyError, match="no lease price"):
        resolved(tmp_path, more=row)


def test_a_technology_of_the_country_goes_before_the_worlds(tmp_path: Path) -> None:
    catalogue = resolved(tmp_path, more="energy: {technologies: [solar_world, wind_world]}\n")
    site = catalogue.sites["abilene"]
    solar = catalogue.technology_at("solar", site)
    assert solar is not None
    assert solar.id == "solar_world"
    assert catalogue.technology_at("battery", site) is None


def test_regions_are_read_only_where_there_are_users(tmp_path: Path) -> None:
    assert resolved(tmp_path).regions == {}
    assert (
        "abilene" in next(iter(resolved(tmp_path, "regions: home", "regions: users").regions.values())).rtt_ms
    )


def test_the_studys_discount_rate_goes_before_the_catalogues(tmp_path: Path) -> None:
    assert resolved(tmp_path, more="discount_rate: 5 %\n").constants.discount_rate == 0.05


def test_a_verdict_for_every_system_country_and_quarter(tmp_path: Path) -> None:
    catalogue = resolved(tmp_path)
    assert len(catalogue.verdicts) == 8
    assert {key[1] for key in catalogue.verdicts} == {catalogue.sites["abilene"].country}
