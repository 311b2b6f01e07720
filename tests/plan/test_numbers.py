"""From a study's words to the model's arrays: each number reckoned again from the records it comes from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gigawright.catalogue.resolve import resolve
from gigawright.clock import Quarter
from gigawright.errors import StudyError
from gigawright.facility.size import size
from gigawright.facility.steps import SteppedYear
from gigawright.plan.numbers import Preparation, prepare
from gigawright.plan.problem import Problem
from gigawright.study.load import load_study
from gigawright.workloads.predict import predict

STUDY = """\
name: numbers
horizon: {start: 2026Q3, end: 2027Q4}
buyer: {name: Example, headquarters: China}
budgets: {capital: {2026: 68 M CNY, 2027: 300 M USD}, leasing: {2027: 5 M USD}}
sites:
  - {site: abilene, designs: [air], max_it: 60 MW, existing: {air: 10 MW, grid: 100 MW}}
  - {site: ulanqab, existing: {air: 6 MW, grid: 10 MW}}
systems:
  - {system: hgx_h20_8, lease: false}
  - {system: atlas800t_a3}
  - {system: dgx_h200, buy: false, lease: true, lease_term: 3}
supply: [ascend_910c, hopper_lease]
staff: [{role: dc_operations_cn}, {role: dc_operations_abroad}]
installed:
  - {system: atlas800t_a3, site: ulanqab, accelerators: 4k, until: 2026Q4}
  - {system: dgx_h200, site: abilene, accelerators: 2k, leased: true}
commitments: [{system: atlas800t_a3, accelerators: 3k, by: 2027Q2}]
energy: {technologies: [solar_world, wind_cn], carbon_price: 10 USD}
rules: {domestic_share_min: 30 %, serve_at_least: {chat: 20 %}}
workloads:
  - {name: chat, family: llm-serving, model: llama-3.1-70b, input_tokens: 1500, output_tokens: 500,
     precision: bf16, value: 1 USD per M tokens, software_gain_per_year: 1.44x,
     demand: {per_day: 864 M, regions: home}}
  - {name: lm, family: llm-training, model: llama-3.1-70b, precision: bf16, value: 2 USD per M tokens,
     programmes: [{name: one, tokens: 1 T, start: 2026Q4, due: 2027Q2}]}
"""
Q = tuple(str(Quarter(2026, 3) + i) for i in range(6))


def prepared(folder: Path, text: str = STUDY) -> tuple[Problem, Preparation]:
    path = folder / "study.yaml"
    path.write_text(text)
    study = load_study(path)
    catalogue = resolve(study)
    facilities = {name: size(site) for name, site in catalogue.sites.items()}
    p = Preparation(study, catalogue, predict(study, catalogue), facilities)
    domestic = [plan.site for plan in study.sites if plan.domestic_only]
    return prepare(p, SteppedYear(facilities, catalogue, study.horizon.quarters, domestic).days()), p


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Problem, Preparation]:
    return prepared(tmp_path_factory.mktemp("numbers"))


def at(problem: Problem, label: str) -> int:
    return problem.sets.offers.index(label)


def test_labels(both: tuple[Problem, Preparation]) -> None:
    sets = both[0].sets
    assert sets.q == Q
    assert sets.years == (2026, 2027)
    assert sets.year_of.tolist() == [0, 0, 1, 1, 1, 1]
    assert sets.offers == ("hgx_h20_8", "atlas800t_a3", "dgx_h200 (leased)")
    assert (sets.streams, sets.programmes) == (("chat",), ("lm:one",))
    assert sets.phases == ("chat.prefill", "chat.decode", "lm:one")


def test_a_price_is_its_parts_and_escalates(both: tuple[Problem, Preparation]) -> None:
    problem, p = both
    system = p.catalogue.systems["atlas800t_a3"]
    assert system.price_kusd is not None
    price = problem.offers.price[1, at(problem, "atlas800t_a3")]
    yearly = 1 + p.catalogue.constants.price_escalation
    assert price[0] >= system.price_kusd - 1e-9
    assert price[4] / price[0] == pytest.approx(yearly)


def test_a_lease_is_paid_by_the_hour(both: tuple[Problem, Preparation]) -> None:
    problem, p = both
    k = at(problem, "dgx_h200 (leased)")
    hourly = p.catalogue.systems["dgx_h200"].lease_usd_per_hour
    assert hourly is not None
    assert problem.offers.lease_price[k] == pytest.approx(
        hourly * np.array([2208, 2208, 2160, 2184, 2208, 2208]) / 1e3
    )
    assert (problem.offers.lease_term[k], problem.offers.lead[k]) == (3, 1)
    assert problem.offers.kw_max[k] == problem.offers.kw_idle[k] == 0.0


def test_what_stands_stands_until_its_last_quarter(both: tuple[Problem, Preparation]) -> None:
    problem, _ = both
    assert problem.offers.existing[1, at(problem, "atlas800t_a3")] == pytest.approx([4, 4, 0, 0, 0, 0])
    assert problem.offers.existing[0, at(problem, "dgx_h200 (leased)")] == pytest.approx([2.0] * 6)


def test_nothing_may_be_ordered_that_arrives_after_the_horizon(both: tuple[Problem, Preparation]) -> None:
    problem, _ = both
    for k, lead in enumerate(problem.offers.lead):
        assert not problem.offers.may_order[:, k, 6 - max(int(lead), 1) :].any() or lead == 0


def test_a_refusal_says_why(both: tuple[Problem, Preparation]) -> None:
    problem, _ = both
    assert not problem.offers.may_order[:, at(problem, "hgx_h20_8")].any()
    assert problem.why_not["ulanqab", "hgx_h20_8"].startswith("cn_2025_08_h20: ")
    assert not problem.offers.may_order[1, at(problem, "dgx_h200 (leased)")].any()


def test_budgets_are_million_us_dollars_of_their_year(both: tuple[Problem, Preparation]) -> None:
    problem, p = both
    rate = p.catalogue.rates.per_usd("CNY", Quarter(2026, 2).last_day)
    assert problem.money.capital == pytest.approx([68 / rate, 300.0])
    assert problem.money.leasing == pytest.approx([0.0, 5.0])
    yearly = 1 + p.catalogue.constants.discount_rate
    assert problem.money.discount[0] == pytest.approx(yearly**-0.125)
    assert problem.money.discount[4] / problem.money.discount[0] == pytest.approx(1 / yearly)
    assert problem.money.discount_end == pytest.approx(yearly**-1.5)


def test_commitments_and_shares(both: tuple[Problem, Preparation]) -> None:
    problem, _ = both
    assert problem.orders.committed == (("atlas800t_a3", 3, 3.0),)
    assert problem.orders.domestic_share_min == 0.3
    assert problem.offers.domestic.tolist() == [False, True, False]
    assert problem.work.serve_at_least.tolist() == [0.2]


def test_a_lease_pool_is_a_stock_that_never_forces_back_what_is_on_lease(
    both: tuple[Problem, Preparation],
) -> None:
    problem, p = both
    i = problem.sets.pools.index("hopper_lease")
    assert problem.pools.stock.tolist() == [False, True]
    assert (problem.pools.cap[i] >= 2.0).all()
    j = problem.sets.pools.index("ascend_910c")
    caps = p.catalogue.pools["ascend_910c"].cap_kacc
    expected = [
        max((cap for have, cap in caps.items() if have <= quarter), default=0.0) for quarter in p.quarters
    ]
    assert problem.pools.cap[j] == pytest.approx(expected)


def test_work_in_reference_units_is_the_work_in_its_own(both: tuple[Problem, Preparation]) -> None:
    """Rate x reference is the predicted pace x availability; a unit of flow takes 3 input tokens and 1 output
    token.
    """
    problem, p = both
    work, k = problem.work, at(problem, "atlas800t_a3")
    found = p.performance
    pace = {
        name: found.table[name, "atlas800t_a3"].work_per_s * found.net_share[name, "atlas800t_a3"] * 1e3
        for name in problem.sets.phases
    }
    assert work.rate[k, 1, 0] * work.reference[0] == pytest.approx(pace["chat.decode"])
    assert work.rate[k, 0, 0] * work.reference[0] == pytest.approx(pace["chat.prefill"] / 3)
    assert work.rate[k, 1, 4] / work.rate[k, 1, 0] == pytest.approx(1.44)
    assert work.kw_work[k, 1] == pytest.approx(p.performance.table["chat.decode", "atlas800t_a3"].watts / 1e3)
    assert work.demand[0, 0] * work.reference[0] == pytest.approx(np.full(6, 864e6 / 86400 / 4))


def test_worth_in_the_model_is_worth_of_the_tokens(both: tuple[Problem, Preparation]) -> None:
    """A year of all output tokens at 1 USD a million."""
    problem, _ = both
    work = problem.work
    year = float(work.demand[0, 0, 0] * work.worth[0] * work.mean_share[0, 0] * 8760)
    assert year == pytest.approx(864e6 / 4 * 365 * 1e-6 * 1e-6)


def test_a_programmes_work_and_worth(both: tuple[Problem, Preparation]) -> None:
    problem, _ = both
    work = problem.work
    assert work.programme_open.tolist() == [[False, True, True, True, False, False]]
    assert work.programme_work[0] * work.programme_worth[0] == pytest.approx(1e12 * 2e-6 * 1e-6)
    assert work.programme_work[0] * work.reference[1] * 2190 * 3600 == pytest.approx(1e12)


def test_people_are_thousands_and_quarters(both: tuple[Problem, Preparation]) -> None:
    problem, p = both
    role = p.catalogue.roles["dc_operations_cn"]
    assert problem.people.pay[0] == pytest.approx(role.pay_kusd / 4)
    assert problem.people.per_mw[0] == pytest.approx(role.per_mw / 1e3)
    assert problem.people.hire_max[0] == pytest.approx(role.hire_max_per_quarter / 1e3)
    assert problem.people.market_of_role.tolist() == [0, 1]
    assert problem.people.market_of_site.tolist() == [1, 0]


def test_energy_prices_and_technologies(both: tuple[Problem, Preparation]) -> None:
    problem, p = both
    here, there = problem.energy["ulanqab"], problem.energy["abilene"]
    assert set(here.technologies) == {"solar", "wind"}
    assert set(there.technologies) == {"solar"}
    assert here.carbon_usd_t == 10.0
    assert here.green_share_min == p.catalogue.sites["ulanqab"].green_share_min


def test_halls_and_lines(both: tuple[Problem, Preparation]) -> None:
    problem, p = both
    build = problem.build
    assert build.hall_existing.tolist() == [[10.0, 0.0], [6.0, 0.0]]
    assert build.max_it_mw.tolist() == [60.0, 1e6]
    assert build.may_build[0].tolist() == [True, False]
    liquid = 1 + p.catalogue.constants.liquid_premium_share
    assert build.hall_cost[1, 1] / build.hall_cost[1, 0] == pytest.approx(liquid)
    assert build.peak_pue[1, 0] == pytest.approx(p.facilities["ulanqab"].pue["air"].max())


AMERICAN = STUDY.replace("headquarters: China", "headquarters: United States").replace(
    "rules: {domestic_share_min: 30 %, serve_at_least: {chat: 20 %}}\n", ""
)


def test_sites_have_the_labour_market_of_their_country(tmp_path: Path) -> None:
    """For an American buyer too, staff of the Chinese market work in Ulanqab and the others in Abilene."""
    problem, _ = prepared(tmp_path, AMERICAN)
    assert problem.people.market_of_site.tolist() == [1, 0]


def test_an_american_buyers_own_chips_are_domestic(tmp_path: Path) -> None:
    problem, _ = prepared(tmp_path, AMERICAN)
    assert problem.offers.domestic[problem.sets.offers.index("dgx_h200 (leased)")]


@pytest.mark.parametrize("quarter", ["2026Q1", "2028Q1"])
def test_a_commitment_outside_the_horizon_is_refused(tmp_path: Path, quarter: str) -> None:
    with pytest.raises(StudyError, match=f"{quarter} is outside the horizon"):
        prepared(tmp_path, STUDY.replace("by: 2027Q2", f"by: {quarter}"))


def test_two_runs_of_one_name_are_told(tmp_path: Path) -> None:
    run = "{name: one, tokens: 1 T, start: 2026Q4, due: 2027Q2}"
    with pytest.raises(StudyError, match="seen twice: lm:one"):
        prepared(tmp_path, STUDY.replace(run, f"{run}, {run}"))


def test_a_site_for_domestic_systems_only_has_its_own_tariff(tmp_path: Path) -> None:
    text = STUDY.replace(
        "- {site: ulanqab, existing: {air: 6 MW, grid: 10 MW}}",
        "- {site: guian, domestic_only: true, existing: {air: 6 MW, grid: 10 MW}}",
    )
    problem, p = prepared(tmp_path, text.replace("site: ulanqab", "site: guian"))
    own = p.facilities["guian"].price_domestic_usd_mwh
    assert own is not None
    days = problem.days["guian"]
    mean = (days.weight_h * days.price_usd_mwh).sum() / days.weight_h.sum()
    assert mean == pytest.approx(own.mean(), rel=0.05)
