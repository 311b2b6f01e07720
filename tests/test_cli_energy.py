"""`gigawright energy`: what it prints and writes, and errors in the study's words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gigawright import cli
from gigawright.study.load import load_study
from gigawright.tables import broken_files, read_table

HEAD = "name: T\nhorizon: {start: 2026Q1, end: 2026Q4}\nsites: [{site: abilene}]\n"


def study(folder: Path, energy: str) -> Path:
    file = folder / "study.yaml"
    file.write_text(f"{HEAD}energy: {energy}\n", encoding="utf-8")
    return file


def test_a_run_prints_its_year_and_appears_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = study(tmp_path, "{loads: [{site: abilene, it: 10 MW, cooling: liquid}]}"), tmp_path / "run"
    assert cli.main(["energy", str(file), "--out", str(out)]) == 0
    seen = capsys.readouterr()
    assert "T: energy alone" in seen.out
    assert "of the best" in seen.out
    assert f"page: {out / 'report.html'}" in seen.out
    assert "writing tables and page" in seen.err
    assert broken_files(out) == ()
    assert {path.name for path in tmp_path.iterdir()} == {"run", "study.yaml"}
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    costs, hours = read_table(out, "costs"), read_table(out, "dispatch")
    assert costs["usd"].sum() == pytest.approx(run["summary"]["cost_usd"], rel=1e-6)
    assert hours["grid_mw"].sum() == pytest.approx(run["summary"]["load_mwh"], rel=1e-6)
    assert run["summary"]["gap"] <= 1e-4


def test_an_outage_that_nothing_can_carry_is_told_with_what_must_give_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    energy = "{outages: [{lost: grid, lasts: 8 h}], loads: [{site: abilene, it: 10 MW}]}"
    assert cli.main(["energy", str(study(tmp_path, energy)), "--out", str(tmp_path / "run")]) == 3
    seen = capsys.readouterr()
    assert "no plan keeps every rule of this study" in seen.err
    assert seen.err.count("`energy.outages`: ") == 4
    assert "MWh less to be carried at abilene" in seen.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("energy", "words"),
    [
        ("{loads: [{site: abileen, it: 10 MW}]}", "'abileen' is not among the study's sites"),
        ("{loads: [{site: abilene, it: 10 MWh}]}", "10 MWh is an energy; a power like 10 MW is meant here"),
        ("{loads: [{site: abilene, it: 10 MW, cooling: windy}]}", "no cooling system 'windy'"),
        ("{loads: [{site: abilene, it: 10 MW, weather: none.epw}]}", "none.epw is not there"),
        ("{loads: [{site: abilene, it: 10 MW, prices: none.csv}]}", "none.csv is not there"),
        ("{technologies: [solar_wrld], loads: [{site: abilene, it: 1 MW}]}", "Did you mean 'solar_world'?"),
        ("{technologies: [solar_world]}", "no load to power"),
        ("{loads: [{site: abilene, it: 1 MW, flexible: [{how: nap}]}]}", "flexible"),
        ("{carbon_limit: 200 kg, loads: [{site: abilene, it: 1 MW}]}", "carbon"),
    ],
)
def test_mistakes_are_told_in_the_studys_words(
    energy: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = study(tmp_path, energy)
    assert cli.main(["energy", str(file), "--out", str(tmp_path / "run")]) == 2
    seen = capsys.readouterr()
    assert words in seen.err
    assert "Traceback" not in seen.err
    assert not (tmp_path / "run").exists()


def test_an_unknown_site_has_its_line_and_a_suggestion(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "study.yaml"
    text = HEAD.replace("abilene", "abileen") + "energy: {loads: [{site: abileen, it: 1 MW}]}\n"
    file.write_text(text, encoding="utf-8")
    assert cli.main(["energy", str(file)]) == 2
    assert f"{file}:3:16 sites[0].site: unknown site 'abileen'" in (err := capsys.readouterr().err)
    assert "Did you mean 'abilene'?" in err


def test_a_foreign_folder_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine", encoding="utf-8")
    file = study(tmp_path, "{loads: [{site: abilene, it: 1 MW, cooling: liquid}]}")
    assert cli.main(["energy", str(file), "--out", str(tmp_path / "mine")]) == 2
    assert "holds files that no run wrote" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_the_example_reads_well(repository: Path) -> None:
    read = load_study(repository / "studies" / "energy-campuses.yaml")
    assert [load.site for load in read.energy.loads] == ["ulanqab", "johor", "abilene"]
    assert read.energy.carbon_limit == pytest.approx(0.2)
    assert read.energy.loads[2].connection == 80.0


@pytest.mark.long
def test_the_example_keeps_its_carbon_limit_and_tells_the_shortage(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert cli.main(["energy", str(repository / "studies" / "energy-campuses.yaml"), "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "the carbon limit binds" in told
    assert "abilene is short of power in" in told
    summary = json.loads((out / "run.json").read_text(encoding="utf-8"))["summary"]
    assert summary["emission_location_t"] <= 0.2 * summary["load_mwh"] * (1.0 + 1e-4)
    assert summary["gap"] <= 1e-4
