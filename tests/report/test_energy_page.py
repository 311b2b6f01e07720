"""The page of a powered study: its tables, its charts' data, and that it asks no other machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gigawright.pipeline import PoweredRun, power
from gigawright.report import charts_energy as charts
from gigawright.report.energy import page, when
from gigawright.study.load import load_study

STUDY = """
name: Two <halls>
horizon: {start: 2026Q1, end: 2026Q4}
sites: [{site: abilene}, {site: ulanqab}]
energy:
  technologies: [solar_world, wind_world, battery_world, solar_cn, wind_cn, battery_cn]
  loads:
    - {site: abilene, it: 50 MW, cooling: liquid, connection: 45 MW}
    - {site: ulanqab, it: 20 MW, profile: daily}
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> PoweredRun:
    file = tmp_path_factory.mktemp("study") / "study.yaml"
    file.write_text(STUDY, encoding="utf-8")
    return power(load_study(file), gap=1e-3)


def text_of(run: PoweredRun, **changes: pd.DataFrame) -> str:
    return page(run.study, {**run.tables, **changes}, run.summary, ("a note & more",))


def hours_of(run: PoweredRun, site: str) -> pd.DataFrame:
    hours = run.tables["dispatch"]
    return hours[hours["site"] == site].dropna(axis=1, how="all").reset_index(drop=True)


def test_the_page_asks_no_other_machine(done: PoweredRun) -> None:
    head = text_of(done).split("<script", 1)[0]
    assert "http://" not in head
    assert "https://" not in head
    assert "Two &lt;halls&gt;" in head
    assert "<halls>" not in head
    assert "a note &amp; more" in text_of(done)


def test_each_site_has_its_charts_and_a_column(done: PoweredRun) -> None:
    text = text_of(done)
    for name in ("months-0", "week-0", "months-1", "week-1", "costs", "duration"):
        assert f'id="data-{name}"' in text
    assert 'scope="col" class="number">abilene</th>' in text
    grid = done.tables["capacity"].set_index(["site", "technology"])["mw"]
    assert f'<td class="number">{grid["abilene", "grid"]:,.1f}</td>' in text


def test_shortages_are_told_only_where_there_are_any(done: PoweredRun) -> None:
    shortages = done.tables["shortages"]
    assert list(shortages["site"]) == ["abilene"]
    assert "Where power is short" in text_of(done)
    assert when(int(shortages["first_hour"].iloc[0])) in text_of(done)
    served = text_of(done, shortages=shortages.iloc[:0])
    assert "Where power is short" not in served
    assert "every hour is served" in served


def test_what_is_used_covers_the_load_and_no_more(done: PoweredRun) -> None:
    for site in ("abilene", "ulanqab"):
        hours = hours_of(done, site)
        sources = [
            source.name for case in done.study.case.sites if case.site == site for source in case.sources
        ]
        used = charts.used(hours, sources).sum(axis=1)
        given = hours.filter(regex="_(discharge|given|delayed)_mw$").sum(axis=1)
        taken = hours.filter(regex="_(charge|caught_up)_mw$").sum(axis=1)
        np.testing.assert_allclose(used + given - taken, hours["load_mw"], atol=1e-4)
        assert (used <= hours[[f"{source}_mw" for source in sources]].sum(axis=1) + 1e-9).all()


def test_the_hardest_week_is_that_of_the_most_that_is_shed(done: PoweredRun) -> None:
    hours = hours_of(done, "abilene")
    first = charts.week_worth_seeing(hours)
    weeks = hours["shed_given_mw"].to_numpy()[: 52 * 168].reshape(52, 168).sum(axis=1)
    assert first == 168 * int(weeks.argmax())
    names = [trace.name for trace in charts.week(hours, ["solar", "wind", "grid"], first).data]
    assert names[-1] == "load"
    assert {"load shed", "battery discharge", "grid"} <= set(names)


def test_tiers_of_one_kind_are_one_flow() -> None:
    hours = pd.DataFrame(
        {"cap_1_given_mw": [1.0, 2.0], "cap_2_given_mw": [3.0, 0.0], "batch_delayed_mw": 5.0}
    )
    found = charts.flows(hours)
    assert list(found) == ["work slowed", "work put off"]
    assert found["work slowed"][0].tolist() == [4.0, 2.0]


def test_bars_of_costs_add_up_to_the_year(done: PoweredRun) -> None:
    bars = charts.costs(done.tables["costs"]).data
    assert sum(sum(bar.x) for bar in bars) == pytest.approx(done.summary["cost_usd"] / 1e6, rel=1e-3)
    assert charts.costs(done.tables["costs"].iloc[:0]).layout.annotations[0].text == "nothing is paid"


def test_prices_fall_along_their_line(done: PoweredRun) -> None:
    drawn = charts.price_duration(done.tables["dispatch"])
    for line in drawn.data:
        assert list(line.y) == sorted(line.y, reverse=True)
    assert drawn.layout.yaxis.range[1] < done.tables["dispatch"]["price_usd_mwh"].max()


def test_weeks_without_proof_say_so(done: PoweredRun) -> None:
    told = page(done.study, done.tables, {**done.summary, "proven": 0.0, "gap": 0.004})
    assert "representative weeks, off by about 0.40%" in told


def test_a_run_is_written_whole(done: PoweredRun, tmp_path: Path) -> None:
    from gigawright.pipeline import _write_power
    from gigawright.tables import broken_files

    written = _write_power(done, tmp_path / "run", lambda text: None)
    assert written.report == tmp_path / "run" / "report.html"
    assert broken_files(tmp_path / "run") == ()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
