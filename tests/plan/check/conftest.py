"""A plan that keeps every rule, written out by hand: a readable reference of what the tables mean.

Two sites, one system owned and leased, one assistant, one training run, four quarters. Its numbers are
multiplied out here, next to the sentence that asks for them.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gigawright.catalogue.resolve import Catalogue, Constants
from gigawright.catalogue.types import (
    Accelerator,
    MonthlyClimate,
    Pool,
    Region,
    Role,
    RuleOutcome,
    Site,
    System,
    Technology,
)
from gigawright.clock import Quarter
from gigawright.facility.profiles import profile_shapes
from gigawright.facility.size import SiteHours
from gigawright.facts import Fact, FactBook
from gigawright.money import Rate, Rates
from gigawright.study.load import loads
from gigawright.study.model import Study
from gigawright.workloads.demand import streams
from gigawright.workloads.performance import Phase, PhasePerformance
from gigawright.workloads.predict import Performance

Tables = dict[str, pd.DataFrame]
QUARTERS = [Quarter(2026, number) for number in (1, 2, 3, 4)]
Q1, Q2, Q3, Q4 = map(str, QUARTERS)
DAY = dt.date(2026, 1, 1)

STUDY = """
name: By hand
horizon: {start: 2026Q1, end: 2026Q4}
buyer: {headquarters: China}
budgets: {capital: {2026: 700 M CNY}, leasing: {2026: 5 M USD}}
sites:
  - {site: here, designs: [air], max_it: 4 MW, domestic_only: true, existing: {air: 2 MW, grid: 5 MW}}
  - {site: there, build: false}
systems: [{system: box, lease: true, lease_term: 2}]
supply: [boxes, rented_boxes]
installed:
  - {system: box, site: here, accelerators: 1000}
  - {system: box, site: there, accelerators: 200, leased: true, until: 2026Q2}
commitments: [{system: box, accelerators: 2000, by: 2026Q2}]
energy: {technologies: [sun, cell, motor], max_solar: 1 MW, max_battery: 1 MW, max_plants: 0.5 MW}
staff: [{role: hand}]
rules: {domestic_share_min: 0.5, serve_at_least: {assistant: 0.2}}
workloads:
  - name: assistant
    family: llm-serving
    model: m
    input_tokens: 1000
    output_tokens: 500
    value: 2 USD per M tokens
    software_gain_per_year: 1.2
    demand: {per_day: 120 bn}
  - name: trainer
    family: llm-training
    model: m
    value: 1 USD per M tokens
    programmes: [{name: run, tokens: 13 tn, start: 2026Q2, due: 2026Q3}]
"""


def catalogue_of(study: Study) -> Catalogue:
    chip = Accelerator("chip", "chip", "v", "China", {}, 80.0, 3000.0, None, 8, None, None, None, None)
    box = System("box", "box", chip, 8, 1.0, "air", 20.0, 5.0, 3.0, 2.0, 1, 5.0, 0.4, 2.0)
    shape = (*[0.5] * 12, *[1.0] * 12)
    economics = {"contract_lead": 1.0, "shed_price": 1000.0, "bought_in_staff_premium": 2.0}
    facts = [Fact("economics", k, "value", v, "", "test", "assumption", DAY) for k, v in economics.items()]
    technologies = [
        Technology("sun", "solar", 600.0, 12.0, 25.0),
        Technology("cell", "battery", 500.0, 8.0, 15.0, hours=4.0, efficiency=0.81),
        Technology(
            "motor",
            "gas_engine",
            900.0,
            10.0,
            20.0,
            efficiency=0.4,
            fuel_usd_mwh=30.0,
            fuel_emission_t_mwh=0.2,
            energy_cost_usd_mwh=5.0,
            available_share=0.9,
            lead_quarters=2,
        ),
    ]
    return Catalogue(
        book=FactBook(facts),
        as_of=None,
        rates=Rates([Rate("CNY", DAY, 7.0)]),
        day=DAY,
        systems={"box": box},
        not_predictable={},
        sites={"here": site_of("here", "China"), "there": site_of("there", "Norway")},
        regions={
            "cn": Region("cn", "cn", 60.0, 0.6, 8.0, shape, "China", {"here": 20.0, "there": 200.0}),
            "eu": Region("eu", "eu", 40.0, 0.4, 1.0, shape, "Europe", {"here": 200.0, "there": 20.0}),
        },
        pools={
            "boxes": Pool(
                "boxes", "", "buy", frozenset({"box"}), frozenset(), {QUARTERS[1]: 2.0, QUARTERS[2]: 2.1}
            ),
            "rented_boxes": Pool(
                "rented_boxes", "", "lease", frozenset({"box"}), frozenset(), {QUARTERS[0]: 0.5}
            ),
        },
        roles={"hand": Role("hand", "", "China", 100.0, 0.02, 10.0, 50.0, 5.0, 20.0, 3.0)},
        technologies={technology.id: technology for technology in technologies},
        constants=Constants(0.08, 1.0, 5.0, 20.0, 30.0, 0.1, 0.05),
        verdicts={
            ("box", country, quarter): RuleOutcome("free", "", "", DAY, duty_share=0.1)
            for country in ("China", "Norway")
            for quarter in QUARTERS
        },
    )


def site_of(name: str, country: str) -> Site:
    months = MonthlyClimate(*[(1.0,) * 12] * 6)
    return Site(
        name,
        name,
        country,
        50.0,
        10.0,
        100.0,
        8.0,
        months,
        40.0,
        28.0,
        price_usd_mwh=60.0,
        tou_multiplier=(1.0,) * 24,
        demand_charge_usd_kw_month=5.0,
        emission_t_mwh=0.5,
        green_share_min=0.8,
        green_premium_usd_mwh=4.0,
        pue_cap=None,
        grid_lead_quarters=2,
        hall_lead_quarters=1,
        build_musd_mw=10.0,
        grid_musd_mw=0.2,
        water_usd_m3=2.0,
    )


def hours_of(site: str) -> SiteHours:
    hour = np.arange(8760)
    pue = 1.2 + 0.1 * np.sin(hour)
    sun = np.clip(np.sin((hour % 24 - 6) / 12 * np.pi), 0.0, None)
    ones = np.ones(8760)
    return SiteHours(
        site,
        None,
        {"air": pue, "liquid": pue - 0.1},
        {"air": ones, "liquid": ones},
        sun,
        0 * ones,
        60.0 * ones,
        50.0 * ones,
        None,
    )


def performance_of() -> Performance:
    pace = {
        "assistant.prefill": (5000.0, 700.0),
        "assistant.decode": (500.0, 600.0),
        "trainer:run": (1000.0, 950.0),
    }
    phases = (
        Phase("assistant.prefill", "assistant", "assistant", "llm-serving", "input-token", "daily"),
        Phase("assistant.decode", "assistant", "assistant", "llm-serving", "output-token", "daily"),
        Phase("trainer:run", "trainer", "trainer", "llm-training", "trained-token", "flat"),
    )
    table = {(name, "box"): PhasePerformance(name, "box", *of, "") for name, of in pace.items()}
    net = {(phase.name, "box"): {"assistant": 0.8, "trainer": 0.9}[phase.workload] for phase in phases}
    return Performance(phases, table, net, {"box": 0.3})


def frame(columns: str, *rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=columns.split())


OWN = dict(zip((Q1, Q2, Q3, Q4), (1000.0, 3000.0, 3100.0, 3000.0), strict=True))
LEASED = {Q1: 200.0, Q2: 500.0, Q3: 300.0}
# kUSD an accelerator: chip 20 with its duty of 10 %, server 5, network 3, storage 2; 5 % dearer after a year.
PRICE = {Q1: 32.0, Q2: 32.0 * 1.05**0.25}
DISCOUNT = [1.08 ** -((q + 0.5) / 4) for q in range(4)]


def tables_of(study: Study, catalogue: Catalogue) -> Tables:
    """The good plan, table by table."""
    tables = {
        "orders": frame(
            "site system tenure order_quarter arrival_quarter action accelerators cost_musd",
            ("here", "box", "own", Q1, Q2, "buy", 2000.0, 2.0 * PRICE[Q1]),
            ("here", "box", "own", Q2, Q3, "buy", 100.0, 0.1 * PRICE[Q2]),
            ("there", "box", "lease", Q1, Q2, "lease", 300.0, 0.0),
            ("here", "box", "own", Q4, Q4, "retire", 100.0, 0.0),
        ),
        "fleet": frame(
            "site system tenure quarter accelerators it_mw",
            *[("here", "box", "own", q, count, count * 1e-3) for q, count in OWN.items()],
            *[("there", "box", "lease", q, count, 0.0) for q, count in LEASED.items()],
        ),
        "construction": frame(
            "site what start_quarter ready_quarter mw cost_musd",
            ("here", "air", Q1, Q2, 2.0, 20.0),
            ("here", "grid", Q1, Q3, 5.0, 1.0),
        ),
        "capacity": frame(
            "site what quarter mw",
            ("here", "air", Q1, 2.0),
            *[("here", "air", q, 4.0) for q in (Q2, Q3, Q4)],
            *[
                ("here", "grid", q, mw)
                for q, mw in zip((Q1, Q2, Q3, Q4), (5.0, 5.0, 10.0, 10.0), strict=True)
            ],
        ),
    }
    tables |= work_tables(study, catalogue)
    tables |= energy_tables(catalogue, tables["load"])
    tables["staff"] = staff_table(tables)
    tables["payments"] = payment_table(tables)
    return tables


def work_tables(study: Study, catalogue: Catalogue) -> Tables:
    """750 accelerators decode and 200 prefill here, 900 train in two quarters; leased ones serve Europe."""
    work, service, demand, load = [], [], [], []
    stream = streams(study, catalogue)[0]
    for q, quarter in enumerate((Q1, Q2, Q3, Q4)):
        training = 900.0 if quarter in (Q2, Q3) else 0.0
        busy = {
            "zone 1": ("own", 750.0, 200.0),
            "zone 2": ("lease", 160.0, 40.0 if quarter in LEASED else 0.0),
        }
        for r, (zone, region) in enumerate((("zone 1", "cn"), ("zone 2", "eu"))):
            tenure, decoding, filling = busy[zone]
            if filling:
                for phase, count in (("decode", decoding), ("prefill", filling)):
                    work.append((zone, "box", tenure, f"assistant.{phase}", quarter, count))
            # 0.8 of the pace counts, 1.2x a year; an answer's token takes two input tokens.
            gain = 0.8 * 1.2 ** (q / 4)
            peak = min(decoding * 500.0 * gain, filling * 5000.0 * gain / 2.0)
            seconds = 3600.0 * QUARTERS[q].hours * 0.75  # mean over peak of half a day at half
            if peak:
                service.append(
                    (zone, region, "assistant", quarter, peak, peak * seconds, peak * seconds * 2e-12)
                )
            missing = (stream.peak[r, q] - peak) * seconds
            asked = stream.peak[r, q]
            demand.append((region, "assistant", quarter, asked, asked * seconds, missing, missing * 2e-12))
        if training:
            work.append(("zone 1", "box", "own", "trainer:run", quarter, training))
        spare = OWN[quarter] - 750.0 - 200.0 - training
        for profile, mw in (
            ("daily", 0.75 * 0.6 + 0.2 * 0.7),
            ("flat", 0.95e-3 * training),
            ("idle", 0.3e-3 * spare),
        ):
            load.append(("here", "air", profile, quarter, mw))
    trained = 900.0 * 1000.0 * 0.9 * 3600.0 * (2184 + 2208)
    return {
        "work": frame("zone system tenure phase quarter accelerators", *work),
        "service": frame("zone region workload quarter served_peak_per_s served worth_musd", *service),
        "demand": frame("region workload quarter demand_peak_per_s demanded unmet worth_lost_musd", *demand),
        "programmes": frame(
            "programme tokens trained late_tokens", ("trainer:run", 13e12, trained, 13e12 - trained)
        ),
        "load": frame("site design profile quarter mw", *load),
    }


def energy_tables(catalogue: Catalogue, load: pd.DataFrame) -> Tables:
    """From the second quarter 1 MW of sun, and 0.5 MW of battery that takes 0.2 MW at midnight.

    From the third 0.2 MW of engine, which runs at half in the evening.
    """
    hours, shapes = hours_of("here"), profile_shapes(catalogue, catalogue.sites["here"])
    dispatch, energy, imported, needed = [], [], 0.0, 0.0
    # M USD a MW and quarter: annuity of 8 % over its life on the capital, and operation.
    sun, cell, motor = (
        (kw * 0.08 / (1 - 1.08**-life) + om) / 4e3
        for kw, life, om in ((600, 25, 12), (500, 15, 8), (900, 20, 10))
    )
    for q, quarter in enumerate(QUARTERS):
        here, contracted = quarter.hour_slice, 1.0 if q else 0.0
        it = sum(
            row.mw * shapes[row.profile][here] for row in load[load["quarter"] == str(quarter)].itertuples()
        )
        need, hour = it * hours.pue["air"][here], np.arange(quarter.hours)
        solar, first = contracted * hours.solar_cf[here], contracted * (hour % 24 == 0)
        after = np.roll(first, 1)
        shed = 0.1 * ((hour == 5) & (q == 2))
        engine = 0.1 * ((hour % 24 >= 18) & (q >= 2))
        taken = np.maximum(need + 0.2 * first - 0.162 * after - solar - engine - shed, 0.0)
        dispatch.append(
            pd.DataFrame(
                {
                    "site": "here",
                    "quarter": str(quarter),
                    "hour": hour,
                    "need_mw": need,
                    "solar_mw": solar,
                    "wind_mw": 0.0,
                    "import_mw": taken,
                    "charge_mw": 0.2 * first,
                    "discharge_mw": 0.162 * after,
                    "stored_mwh": 0.18 * after,
                    "shed_mw": shed,
                    "gas_engine_mw": engine,
                }
            )
        )
        energy.append(
            (
                "here",
                str(quarter),
                it.sum(),
                need.sum(),
                taken.sum(),
                solar.sum(),
                0.0,
                engine.sum(),
                shed.sum(),
                taken.max(),
                # This site holds domestic systems alone and pays 50 USD/MWh, not 60.
                taken.sum() * 50e-6,
                # A MWh takes 2.5 of fuel at 30, and 5 of operation.
                engine.sum() * 80e-6,
                taken.max() * 5 * 3e-3,
                contracted * (sun + 0.5 * cell) + 0.2 * motor * (q >= 2),
                taken.sum() * 0.5 + engine.sum() * 0.5,
                it.sum(),
            )
        )
        imported, needed = imported + (taken + engine).sum() * 1e-3, needed + need.sum() * 1e-3
    return {
        "contracts": frame(
            "site technology quarter mw",
            *[("here", kind, q, mw) for kind, mw in (("solar", 1.0), ("battery", 0.5)) for q in (Q2, Q3, Q4)],
            *[("here", "gas_engine", q, 0.2) for q in (Q3, Q4)],
        ),
        "energy": frame(
            "site quarter it_mwh site_mwh import_mwh solar_mwh wind_mwh plant_mwh shed_mwh peak_mw"
            " import_cost_musd plant_cost_musd demand_charge_musd contract_cost_musd emission_t water_m3",
            *energy,
        ),
        "green": frame("site year gwh", ("here", 2026, imported - 0.2 * needed)),
        "dispatch": pd.concat(dispatch, ignore_index=True),
    }


def staff_table(tables: Tables) -> pd.DataFrame:
    """Five hands a MW, twenty a thousand accelerators, three a running programme; 2 % leave, 5 are hired."""
    rows, staff = [], 50.0
    for quarter in (Q1, Q2, Q3, Q4):
        staff = 0.98 * staff + 5.0
        need = OWN[quarter] * 1e-3 * (5.0 + 20.0) + (3.0 if quarter in (Q2, Q3) else 0.0)
        missing = max(need - staff, 0.0)
        rows.append(("hand", quarter, staff, 5.0, missing, 0.025 * (staff + 2.0 * missing)))
    return frame("role quarter staff hired bought_in pay_musd", *rows)


def payment_table(tables: Tables) -> pd.DataFrame:
    rows = [
        # 40 % with the order and 60 % on arrival; the hall takes one quarter, the line two.
        (Q1, "capital", "accelerators", "here", 0.4 * 2.0 * PRICE[Q1]),
        (Q2, "capital", "accelerators", "here", 0.6 * 2.0 * PRICE[Q1] + 0.4 * 0.1 * PRICE[Q2]),
        (Q3, "capital", "accelerators", "here", 0.6 * 0.1 * PRICE[Q2]),
        (Q1, "capital", "halls", "here", 20.0),
        *[(q, "capital", "grid connections", "here", 0.5) for q in (Q1, Q2)],
        *[
            (q, "leasing", "leased accelerators", "there", LEASED[q] * 2.0 * Quarter.parse(q).hours * 1e-6)
            for q in LEASED
        ],
        *[(row.quarter, "operating", "staff", "China", row.pay_musd) for row in tables["staff"].itertuples()],
        (Q4, "operating", "green certificates", "here", tables["green"]["gwh"].sum() * 4e-3),
    ]
    for row in tables["energy"].itertuples():
        musd = row.import_cost_musd + row.plant_cost_musd + row.demand_charge_musd + row.contract_cost_musd
        musd += row.water_m3 * 2e-6
        rows.append((row.quarter, "operating", "electricity", "here", musd))
    return frame("quarter kind category site musd", *rows)


class GoodPlan:
    """The inputs once, and fresh tables for every test."""

    def __init__(self) -> None:
        self.study = loads(STUDY, Study)[0]
        self.catalogue = catalogue_of(self.study)
        self.inputs = (
            self.study,
            self.catalogue,
            performance_of(),
            {name: hours_of(name) for name in ("here", "there")},
        )
        self.tables = tables_of(self.study, self.catalogue)

    def fresh(self) -> Tables:
        """A copy of the tables to spoil."""
        return {name: table.copy() for name, table in self.tables.items()}


@pytest.fixture(scope="session")
def good() -> GoodPlan:
    """The plan that keeps every rule."""
    return GoodPlan()
