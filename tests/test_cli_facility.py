"""`gigawright facility`: table, chart, JSON, page and folder; errors in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.facility.weather.files import epw

from gigawright import cli
from gigawright.tables import broken_files, read_table


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(["facility", *arguments]) == 0
    return capsys.readouterr().out


def test_the_issues_own_command(capsys: pytest.CaptureFixture[str]) -> None:
    out = told(capsys, "--site", "ulanqab", "--it", "100 MW", "--cooling", "dry")
    assert out.startswith("Ulanqab (Jining), China: 100 MW of IT\n")
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if "│" in line]
    first = {row[0]: row[1] for row in rows if len(row) == 2}
    months = {row[0]: row[1:] for row in rows if len(row) == 7}
    assert list(months)[::12] == ["Jan", "year"]
    assert months["year"][0] == first["PUE, mean of the year"]
    assert months["year"][1] == first["peak at the meter [MW]"] == f"{max(peaks(months)):.1f}"
    assert months["year"][2] == first["energy at the meter a year [GWh]"]
    assert float(months["year"][2]) == pytest.approx(876.0 * float(first["PUE, mean of the year"]), abs=0.6)
    assert first["water a year [m3]"] == "0"
    assert "●" in out
    assert "note: 'dry' is read as the design liquid_dry" in out
    assert "minutes a rack a year" in out
    assert "one training job over all IT: 100 to 45 MW" in out


def peaks(months: dict[str, list[str]]) -> list[float]:
    return [float(row[1]) for name, row in months.items() if name != "year"]


def test_a_site_by_its_place_in_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    out = told(capsys, "ulanqab")
    head = next(line for line in out.splitlines() if line.startswith("┃"))
    assert [cell.strip() for cell in head.split("┃")[2:-1]] == ["air", "liquid"]
    assert "within the PUE cap of 1.25" in out
    assert "of their peak power; electricity" in out


def test_any_place_by_its_coordinates(capsys: pytest.CaptureFixture[str]) -> None:
    out = json.loads(told(capsys, "--lat-lon", "-33.87,151.21", "--cooling", "chiller", "--json"))
    assert out["place"]["latitude"] == -33.87
    assert out["price_usd_mwh"] is None
    (hall,) = out["halls"]
    assert hall["pue_cap"] is None
    assert hall["months"]["water_m3"][0] > hall["months"]["water_m3"][6]
    assert 1.0 < hall["pue_low"] < hall["pue"] < hall["pue_high"]


def test_a_weather_file_gives_the_place_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = told(capsys, "--weather", str(epw(tmp_path)), "--cooling", "immersion", "--it", "12 MW")
    assert out.startswith(
        "Test: 12 MW of IT\n40.00, 116.00, 30 m above the sea, months by UTC+8; weather: EPW"
    )


def test_warmer_air_costs_more(capsys: pytest.CaptureFixture[str]) -> None:
    def pue(*more: str) -> float:
        return float(
            json.loads(told(capsys, "johor", "--cooling", "air", "--json", *more))["halls"][0]["pue"]
        )

    assert pue("--warming", "2") > pue()


def test_a_folder_appears_whole_with_page_and_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, page = tmp_path / "out", tmp_path / "page.html"
    printed = told(capsys, "johor", "--cooling", "liquid", "--out", str(out), "--html", str(page))
    assert broken_files(out) == ()
    assert f"written: {out / 'report.html'}\nwritten: {page}\n" in printed
    assert page.read_text(encoding="utf-8") == (out / "report.html").read_text(encoding="utf-8")
    designs, hours = read_table(out, "designs"), read_table(out, "hours")
    assert designs.loc[0, "energy_mwh"] == pytest.approx(hours["meter_mw"].sum())
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert run["kind"] == "facility"
    assert {path.name for path in tmp_path.iterdir()} == {"out", "page.html"}


def test_a_foreign_folder_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    assert cli.main(["facility", "johor", "--cooling", "liquid", "--out", str(tmp_path)]) == 2
    assert "holds files that no run wrote" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "no place is given"),
        (["ulanquab"], "did you mean ulanqab?"),
        (["ulanqab", "--cooling", "windy"], "no cooling system 'windy'; there are air, air_dry, "),
        (["ulanqab", "--it", "100 MWh"], "100 MWh is an energy; a power like 100 MW is meant here"),
        (["ulanqab", "--it", "100"], "100 has no unit"),
        (["ulanqab", "--it", "0 MW"], "more than 0 MW"),
        (["ulanqab", "--load", "120 %"], "more than the whole"),
        (["ulanqab", "--load", "0"], "design load is not modelled"),
        (["ulanqab", "--redundancy", "3n"], "there are block, block_eco"),
        (["ulanqab", "--system", "gb200_nvl72", "--cooling", "air"], "gives 87% of its heat to liquid"),
        (["ulanqab", "--system", "gb200"], "no system 'gb200' in the catalogue"),
        (["ulanqab", "--weather", "none.epw"], "none.epw cannot be read"),
        (["ulanqab", "--lat-lon", "41,113"], "a site and a point are given"),
        (["--lat-lon", "113,410"], "is nowhere"),
        (["ulanqab", "--as-of", "yesterday"], "'yesterday' is not a day"),
        (["ulanqab", "--warming", "40"], "--warming 40"),
        (["ulanqab", "--html", "page.txt"], "must end with .html"),
        (["ulanqab", "--html", "/proc/none/page.html"], "cannot be written"),
    ],
)
def test_mistakes_are_told(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["facility", *arguments]) == 2
    seen = capsys.readouterr()
    assert words in seen.err
    assert seen.out == ""
    assert "Traceback" not in seen.err


@pytest.mark.parametrize("page", ["README.md", "docs/facility.md"])
def test_the_documentation_shows_what_is_printed(
    page: str, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (repository / page).read_text(encoding="utf-8")
    command = '    $ gigawright facility --site ulanqab --it "100 MW" --cooling dry\n'
    block = text.split(command, 1)[1].split("\n\n", 1)[0]
    shown = [line.removeprefix("    ") for line in block.splitlines() if line.strip() != "..."]
    printed = told(capsys, "--site", "ulanqab", "--it", "100 MW", "--cooling", "dry").splitlines()
    assert len(shown) > 20
    assert [line for line in shown if line not in [one.rstrip() for one in printed]] == []
