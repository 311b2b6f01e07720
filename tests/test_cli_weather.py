"""`gigawright weather`: table, chart, JSON and EPW."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.facility.weather.files import epw, open_meteo_answer, pvgis_answer, saved
from tests.facility.weather.server import serving

from gigawright import cli
from gigawright.facility.weather.epw import read_epw_file


def test_a_file_is_shown_by_month_with_a_chart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["weather", "--from", str(epw(tmp_path))]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Test: EPW\n40.000, 116.000, 30 m above the sea, months by UTC+8\n")
    rows = [line.split("│") for line in out.splitlines() if line.startswith("│")]
    assert [row[1].strip() for row in rows[:13]][::12] == ["Jan", "year"]
    assert rows[0][2].strip() == "11.5"
    assert "0 C" in out
    assert "●" in out
    assert out.isascii() is False


def test_what_is_written_holds_what_was_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "warm.epw"
    arguments = ["weather", "--from", str(epw(tmp_path)), "--warming", "1.5", "--out", str(out)]
    assert cli.main(arguments) == 0
    assert f"written: {out}" in capsys.readouterr().out
    assert read_epw_file(out).weather.dry_bulb_c.min() == 1.5


def test_several_years_are_written_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    several = saved(tmp_path, open_meteo_answer("2021-01-01", hours=2 * 8760))
    assert cli.main(["weather", "--from", str(several), "--out", str(tmp_path / "y.epw")]) == 0
    assert {path.name for path in tmp_path.glob("*.epw")} == {"y-2021.epw", "y-2022.epw"}
    assert read_epw_file(tmp_path / "y-2022.epw").years.labels == ("2022",)
    capsys.readouterr()
    assert cli.main(["weather", "--from", str(several), "--typical", "--out", str(tmp_path / "t.epw")]) == 0
    assert (tmp_path / "t.epw").exists()


def test_numbers_for_a_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["weather", "--from", str(epw(tmp_path)), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["place"] == {
        "name": "Test",
        "latitude": 40.0,
        "longitude": 116.0,
        "elevation_m": 30.0,
        "utc_offset_h": 8.0,
    }
    (year,) = told["years"]
    assert year["label"] == "2025"
    assert year["year"]["dry_bulb_highest_c"] == 23.0
    assert year["months"]["dry_bulb_daily_min_c"] == [0.0] * 12


def test_a_point_in_the_south_is_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["weather", "-95.0,10.0", "--source", "synthetic"]) == 2
    assert "'-95.0,10.0' is nowhere" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "no place is given"),
        (["ulanquab"], "did you mean ulanqab?"),
        (["--from", "nothing.epw"], "nothing.epw cannot be read"),
        (["ulanqab", "--source", "nasa"], "nasa"),
        (["ulanqab", "--out", "x.csv"], "must end with .epw"),
        (["ulanqab", "--source", "synthetic", "--year", "5-1"], "are no years"),
        (["ulanqab", "--year", "1066"], "whole years from 1940"),
    ],
)
def test_wrong_use_exits_2_with_a_word(
    arguments: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["weather", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("gigawright: ")
    assert words in error


def test_an_input_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = epw(tmp_path)
    before = path.read_bytes()
    assert cli.main(["weather", "--from", str(path), "--out", str(path)]) == 2
    assert "is an input" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_a_service_is_asked_once_and_its_answer_kept(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIGAWRIGHT_CACHE", str(tmp_path / "cache"))
    body = json.dumps(pvgis_answer()).encode()
    with serving(lambda path, query: (200, body)) as service:
        asked = ["weather", "40.0,116.0", "--url", service.url]
        assert cli.main(asked) == 0
        told = capsys.readouterr()
        assert "40.00 N, 116.00 E: PVGIS typical year, PVGIS-SARAH3" in told.out
        assert "note: months of 2006, 2007" in told.out
        assert "PVGIS: asking 127.0.0.1" in told.err
        assert cli.main([*asked, "--out", str(tmp_path / "kept.epw")]) == 0
        assert len(service.asked) == 1
    # The server is gone; what it said is still there.
    assert cli.main(asked) == 0
    assert "kept from before" in capsys.readouterr().err
    assert read_epw_file(tmp_path / "kept.epw").place.latitude == 40.0


def test_without_a_network_it_exits_2_and_says_what_else(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gigawright.facility.weather import download

    monkeypatch.setenv("GIGAWRIGHT_CACHE", str(tmp_path))
    monkeypatch.setattr(download.time, "sleep", lambda seconds: None)
    assert cli.main(["weather", "ulanqab", "--url", "http://127.0.0.1:9"]) == 2
    error = capsys.readouterr().err
    assert "no weather from PVGIS at http://127.0.0.1:9/tmy" in error
    assert "--source synthetic" in error


def test_a_terminal_that_knows_only_ascii_gets_ascii(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "gigawright.cli", "weather", "--from", str(epw(tmp_path))]
    told = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, env=told)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode("ascii").count("=o") >= 12
