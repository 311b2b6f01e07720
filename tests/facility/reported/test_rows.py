"""Rows of reported values: what is read, what is refused and how it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from gigawright.errors import UserError
from gigawright.facility.reported.measured import read_measured
from gigawright.facility.reported.rows import LATEST_YEAR, NO_PLACE, Row, read_rows

HEAD = "id,operator,site,location,lat_lon,year,pue,wue_l_per_kwh,kind,source,note"


def rows(tmp_path: Path, *lines: str, head: str = HEAD) -> list[Row]:
    path = tmp_path / "sites.csv"
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return read_rows(path)


def test_a_row_is_read(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, 'p1,AWS,eu-north-1,Stockholm,"59.33, 18.07",2024,1.1,0.02,reported annual,,')
    assert row.asked is not None
    assert (row.asked.latitude, row.asked.longitude, row.asked.year) == (59.33, 18.07, 2024)
    assert row.asked.name == "Amazon Web Services | eu-north-1"
    assert (row.refused, row.assumed) == ("", ())


@pytest.mark.parametrize(
    ("text", "year"),
    [("2021", 2021), ("FY2024", 2024), ("2021Q2", 2021), ("2023-24", 2023), ("", LATEST_YEAR)],
)
def test_years_are_read_as_they_are_written(tmp_path: Path, text: str, year: int) -> None:
    (row,) = rows(tmp_path, f'p1,AWS,a,b,"1,2",{text},,,,,')
    assert row.asked is not None
    assert row.asked.year == year
    assert ("year" in row.assumed) == (not text)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ("p1,Meta,fleet,owned fleet,,2021,1.09,,reported,,", NO_PLACE),
        (',AWS,a,b,"1,2",2024,,,,,', "id is blank"),
        ('p1,AWS,a,b,"91,2",2024,,,,,', "must be a latitude from -90 to 90"),
        ('p1,AWS,a,b,"1,181",2024,,,,,', "a longitude from -180 to 180"),
        ("p1,AWS,a,b,here,2024,,,,,", "lat_lon is 'here', must be latitude,longitude in degrees"),
        ('p1,AWS,a,b,"1,2",soon,,,,,', "year is 'soon', must be a year from 2000 to 2100"),
        ('p1,AWS,a,b,"1,2",1850,,,,,', "year is '1850'"),
        ("p1,AWS", "the row has 2 cells, must have 11"),
    ],
)
def test_a_row_that_is_wrong_says_why(tmp_path: Path, cells: str, words: str) -> None:
    (row,) = rows(tmp_path, cells)
    assert row.asked is None
    assert words in row.refused


@pytest.mark.parametrize(
    "text", ["-33.9,18.4", " -33.9 , 18.4 ", "-33.9; 18.4", "-33.9 18.4", "(-33.9, 18.4)"]
)
def test_places_are_read_as_they_are_written(tmp_path: Path, text: str) -> None:
    (row,) = rows(tmp_path, f'p1,AWS,a,b,"{text}",2024,,,,,')
    assert row.asked is not None
    assert (row.asked.latitude, row.asked.longitude) == (-33.9, 18.4)


def test_an_id_may_stand_once(tmp_path: Path) -> None:
    first, second = rows(tmp_path, 'p1,AWS,a,b,"1,2",2024,,,,,', 'p1,AWS,a,b,"1,2",2023,,,,,')
    assert first.asked is not None
    assert "id 'p1' is on line 2 already" in second.refused


def test_a_site_without_an_id_is_told_by_its_place(tmp_path: Path) -> None:
    first, second = rows(tmp_path, 'p1,AWS,,Oslo,"59.9,10.7",,,,,,', 'p2,,,,"59.9,10.7",,,,,,')
    assert first.asked is not None
    assert second.asked is not None
    assert first.asked.site == "Oslo"
    assert second.asked.site == "59.9,10.7"
    assert "operator" in second.assumed


def test_columns_that_are_missing_are_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="missing columns operator, lat_lon"):
        rows(tmp_path, "p1", head="id")
    (row,) = rows(tmp_path, 'p1,AWS,"1,2"', head="id,operator,lat_lon")
    assert row.asked is not None


def test_what_was_reported_is_never_read(tmp_path: Path) -> None:
    lines = ('p1,AWS,a,b,"1,2",2024,1.1,0.02,reported annual,,', 'p1,AWS,a,b,"1,2",2024,9,x,guess,who,what')
    first, second = (rows(tmp_path, line)[0] for line in lines)
    assert first == second


def test_fleet_values_of_water_are_missing_and_slips_are_left_out(tmp_path: Path) -> None:
    path, folds = tmp_path / "sites.csv", tmp_path / "folds.csv"
    folds.write_text("left_out,pattern,fold\nsite,\\| [ab]$,AB\n", encoding="utf-8")
    lines = [
        'p1,AWS,a,,"59,18",2023,1.2,0.18,,,',
        'p2,AWS,b,,"52,4",2023,1.1,0.18,,,',
        'p3,AWS,c,,"1,103",2023,1.3,1.5,,,',
        'p4,AWS,a,,"59,18",2024,1.2,0.18,,,',
        'p5,Google,c,,"1,103",2024,1.2,0.18,,,',
        'p6,Google,c,,"1,103",2024,<1.3,,,,',
        'p7,Google,c,,"1,103",2024,0.9,,,,',
    ]
    path.write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
    measured, refused = read_measured(path, folds)
    assert [one.wue for one in measured] == [None, None, 1.5, None, 0.18]
    assert refused == 2
    assert [one.folds["site"] for one in measured] == [
        "AB",
        "AB",
        "Amazon Web Services | c",
        "AB",
        "Google Cloud | c",
    ]
    assert [one.folds["operator"] for one in measured][-1] == "Google Cloud"
