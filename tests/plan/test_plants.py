"""A plan where the grid is dear buys a gas engine, and the checker agrees with every number of it."""

from __future__ import annotations

import pandas as pd
import pytest

from gigawright.evaluate import Result, evaluate
from gigawright.plan.check import violations
from gigawright.study.load import load_study

STUDY = """
name: Dear grid
horizon: {start: 2026Q1, end: 2027Q4}
currency: USD
buyer: {name: Example Cloud, headquarters: United States}
budgets: {capital: {2026: 200 M USD, 2027: 100 M USD}}
sites:
  - {site: abilene, designs: [air], max_it: 20 MW, existing: {air: 10 MW, grid: 100 MW}}
systems: [{system: dgx_h200}]
energy:
  technologies: [battery_world, gas_engine_world]
  carbon_price: 20 USD
  max_plants: 4 MW
catalogue:
  - {kind: site, item: abilene, attribute: price, value: 400, unit: USD/MWh}
  - {kind: technology, item: gas_engine_world, attribute: lead_time, value: 9, unit: months}
workloads:
  - name: assistant
    family: llm-serving
    model: llama-3.1-70b
    precision: fp8
    input_tokens: 1500
    output_tokens: 400
    value: 1.0 USD per M tokens
    demand: {per_day: 2000 bn, regions: home}
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    file = tmp_path_factory.mktemp("study") / "study.yaml"
    file.write_text(STUDY, encoding="utf-8")
    return evaluate(load_study(file))


def test_the_engine_is_bought_after_its_lead_and_runs(result: Result) -> None:
    tables = result.plan.tables
    contracts = tables["contracts"]
    engine = contracts[contracts["technology"] == "gas_engine"].set_index("quarter")["mw"]
    assert engine.max() == pytest.approx(4.0, rel=1e-3)
    # Nine months from the first day.
    assert engine.index.min() >= "2026Q4"
    energy = tables["energy"]
    assert energy["plant_mwh"].sum() > 0.9 * energy["site_mwh"].sum()


def test_fuel_contract_and_carbon_of_the_engine_are_paid(result: Result) -> None:
    """What a MWh costs, worked out from the catalogue's numbers."""
    plant = result.catalogue.technologies["gas_engine_world"]
    energy, paid = result.plan.tables["energy"], result.plan.tables["payments"]
    by = paid.groupby("category")["musd"].sum()
    mwh = energy["plant_mwh"].sum()
    fuel = plant.fuel_usd_mwh / plant.efficiency + plant.energy_cost_usd_mwh
    assert by["fuel and operation of plants"] == pytest.approx(mwh * fuel * 1e-6, rel=1e-5)
    assert by["carbon"] == pytest.approx(20.0 * energy["emission_t"].sum() * 1e-6, rel=1e-5)
    own_t = mwh * plant.fuel_emission_t_mwh / plant.efficiency
    grid_t = energy["import_mwh"].sum() * result.catalogue.sites["abilene"].emission_t_mwh
    assert energy["emission_t"].sum() == pytest.approx(own_t + grid_t, rel=1e-5)


@pytest.mark.parametrize(
    ("table", "column", "rule"),
    [
        ("dispatch", "gas_engine_mw", "plants_give_what_is_contracted"),
        ("contracts", "mw", "contracts_are_kept"),
        ("energy", "plant_cost_musd", "energy_is_added_up"),
        ("payments", "musd", "payments_are_what_falls_due"),
    ],
)
def test_the_checker_sees_a_plant_that_is_not_paid_or_not_there(
    result: Result, table: str, column: str, rule: str
) -> None:
    wrong = {name: frame.copy() for name, frame in result.plan.tables.items()}
    assert not _broken(result, wrong)
    row = wrong[table][column].abs().argmax()
    wrong[table].loc[wrong[table].index[row], column] *= 1.5
    assert any(breach.startswith(rule) for breach in _broken(result, wrong))


def _broken(result: Result, tables: dict[str, pd.DataFrame]) -> list[str]:
    return violations(result.study, result.catalogue, result.performance, result.facilities, tables)
