"""`gigawright predict pue` and `calibrate pue`: what they write, tell, and return."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from gigawright import cli

HEAD = "id,operator,site,location,lat_lon,year,pue,wue_l_per_kwh,kind,source,note"
GOOD = (
    'p1,Amazon Web Services,eu-north-1,Europe (Stockholm),"59.3294,18.0686",2024,1.1,0.02,reported annual,,'
)
FLEET = "p2,Meta,fleet,owned fleet,,2021,1.09,0.26,reported,,"
POLICY = "p3,China policy,new large DC,CN,,2025,<1.3,,limit,,"
OTHER = 'p4,Nobody Cloud,a,b,"-33.9,18.4",,,,,,'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("sites.csv").write_text("\n".join([HEAD, GOOD, FLEET, POLICY, OTHER]) + "\n", encoding="utf-8")
    return tmp_path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_a_line_a_row_is_written_in_order(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["predict", "pue", "sites.csv", "--out", "pred.csv"]) == 0
    lines = read(Path("pred.csv"))
    assert list(lines[0]) == ["id", "pue", "pue_p10", "pue_p90", "wue_l_per_kwh", "refused"]
    assert [line["id"] for line in lines] == ["p1", "p2", "p3", "p4"]
    for line in (lines[0], lines[3]):
        assert 1.0 < float(line["pue_p10"]) <= float(line["pue"]) <= float(line["pue_p90"]) < 2.0
        assert float(line["wue_l_per_kwh"]) > 0.0
        assert line["refused"] == ""
    for line in lines[1:3]:
        assert line["refused"].startswith("no place")
        assert line["pue"] == line["wue_l_per_kwh"] == ""
    told = capsys.readouterr().out
    assert "2 of 4 rows predicted: pred.csv" in told
    assert "p2: no place" in told


def test_what_was_reported_changes_nothing(folder: Path) -> None:
    changed = GOOD.replace("1.1,0.02,reported annual,,", "3.0,9,guess,who,what")
    Path("changed.csv").write_text(f"{HEAD}\n{changed}\n", encoding="utf-8")
    assert cli.main(["predict", "pue", "sites.csv", "--out", "one.csv"]) == 0
    assert cli.main(["predict", "pue", "changed.csv", "--out", "other.csv"]) == 0
    assert read(Path("one.csv"))[0] == read(Path("other.csv"))[0]


def test_notes_say_what_was_filled_in(folder: Path) -> None:
    assert cli.main(["predict", "pue", "sites.csv", "--out", "pred.csv", "--notes"]) == 0
    assert [line["assumed"] for line in read(Path("pred.csv"))] == ["", "", "", "operator;year"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sites.csv", "--out", "sites.csv"], "sites.csv is an input"),
        (["none.csv", "--out", "pred.csv"], "none.csv cannot be read"),
        (["sites.csv", "--out", "pred.csv", "--calibration", "nowhere"], "nowhere: no calibration"),
    ],
)
def test_what_stops_it_is_told(
    folder: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["predict", "pue", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert not Path("pred.csv").exists()


def test_pue_is_refitted_judged_and_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sites = [("59.33,18.07", 0.10), ("1.3,103.8", 0.24), ("39.04,-77.49", 0.12)]
    lines = [
        f'{operator}{at}-{year},{operator},s{at},,"{place}",{year},{1.0 + more * overhead:.2f},{overhead},,,'
        for operator, more in (("Amazon", 1.2), ("Google", 0.8))
        for at, (place, overhead) in enumerate(sites)
        for year in (2022, 2023)
    ]
    Path("reported.csv").write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
    Path("folds.csv").write_text("left_out,pattern,fold\n", encoding="utf-8")
    assert cli.main(["calibrate", "pue", "reported.csv", "--folds", "folds.csv", "--out", "new"]) == 0
    told = capsys.readouterr()
    assert "12 reported values, 0 refused" in told.err
    assert "| site | 12 |" in told.out
    assert told.out.rstrip().endswith("written to new")
    assert len(read(Path("new/wue_rows.csv"))) == 12
    assert cli.main(["predict", "pue", "reported.csv", "--out", "out.csv", "--calibration", "new"]) == 0
    assert "12 of 12 rows predicted" in capsys.readouterr().out


def test_a_calibration_that_cannot_be_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("folds.csv").write_text("left_out,pattern,fold\nsite,x,y\n", encoding="utf-8")
    assert cli.main(["calibrate", "pue", "sites.csv", "--folds", "folds.csv", "--out", "new"]) == 2
    assert "1 rows are reported and readable (3 refused)" in capsys.readouterr().err
    assert not Path("new").exists()
