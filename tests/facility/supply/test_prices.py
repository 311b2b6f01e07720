"""Price files: negative hours, summer time's gaps and doubles, leap years, quarter hours, honest errors."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gigawright.errors import CatalogueError
from gigawright.facility.supply.prices import read_prices

BERLIN = ZoneInfo("Europe/Berlin")
PRICES = np.round(
    60.0 + 50.0 * np.sin(np.arange(8784) * 2 * np.pi / 24.0) - 20.0 * (np.arange(8784) % 7 == 0), 2
)


def _utc(year: int) -> list[dt.datetime]:
    start = dt.datetime(year, 1, 1, tzinfo=dt.UTC)
    days = 366 if year % 4 == 0 else 365
    return [start + dt.timedelta(hours=hour) for hour in range(days * 24)]


def _local(year: int, zone: dt.tzinfo) -> list[dt.datetime]:
    """All hours of a local year, in order."""
    start = dt.datetime(year, 1, 1, tzinfo=zone).astimezone(dt.UTC)
    end = dt.datetime(year + 1, 1, 1, tzinfo=zone).astimezone(dt.UTC)
    count = round((end - start).total_seconds() / 3600)
    return [(start + dt.timedelta(hours=hour)).astimezone(zone) for hour in range(count)]


def _write(path: Path, head: str, rows: list[tuple[str, float | str]]) -> Path:
    path.write_text(head + "\n" + "\n".join(f"{when},{price}" for when, price in rows), encoding="utf-8")
    return path


def test_utc_hours_are_taken_as_they_stand(tmp_path: Path) -> None:
    rows = [(time.strftime("%Y-%m-%d %H:%M"), price) for time, price in zip(_utc(2023), PRICES, strict=False)]
    found = read_prices(_write(tmp_path / "p.csv", "time_utc,price_eur_mwh", rows))
    assert np.array_equal(found.price_mwh, PRICES[:8760])
    assert (found.year, found.notes, found.column) == (2023, (), "price_eur_mwh")
    assert found.negative_hours == int((PRICES[:8760] < 0).sum()) > 0


def test_a_leap_year_loses_its_day_and_says_so(tmp_path: Path) -> None:
    rows = [(f"{time:%Y-%m-%dT%H:%MZ}", price) for time, price in zip(_utc(2024), PRICES, strict=True)]
    found = read_prices(_write(tmp_path / "p.csv", "hour,value", rows))
    assert np.array_equal(found.price_mwh, np.r_[PRICES[: 59 * 24], PRICES[60 * 24 :]])
    assert found.notes == ("29 February left out (24 hours)",)


def test_summer_time_neither_loses_nor_doubles_an_hour(tmp_path: Path) -> None:
    """A local year of Berlin: 26 March 02:00 is not there, 29 October 02:00 stands twice."""
    times = _local(2023, BERLIN)
    rows = [(time.strftime("%d.%m.%Y %H:%M - %d.%m.%Y 99:99"), i) for i, time in enumerate(times)]
    path = _write(tmp_path / "p.csv", "MTU (CET/CEST),Day-ahead Price [EUR/MWh]", rows)
    found = read_prices(path, zone="Europe/Berlin")
    # The local year begins at 23:00 UTC of the day before: the ring puts that hour last.
    assert np.array_equal(found.price_mwh, np.r_[np.arange(1.0, 8760.0), 0.0])
    assert found.notes == ("1 local times stand twice: the first is summer time",)


def test_local_times_without_their_zone_are_an_error(tmp_path: Path) -> None:
    rows = [(f"{time:%Y-%m-%d %H:%M}", i) for i, time in enumerate(_local(2023, BERLIN))]
    path = _write(tmp_path / "p.csv", "time,price", rows)
    with pytest.raises(CatalogueError, match="name the zone"):
        read_prices(path)
    with pytest.raises(CatalogueError, match="2023-10-29 01:00 UTC stands twice; local times with summer"):
        read_prices(path, utc_offset_h=1.0)
    with pytest.raises(CatalogueError, match="no time zone"):
        read_prices(path, zone="Mars/Olympus")


def test_an_hour_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    rows = [(f"{time:%Y-%m-%d %H:%M}", 1) for time in _utc(2023)]
    with pytest.raises(CatalogueError, match="1 times do not exist in Europe/Berlin"):
        read_prices(_write(tmp_path / "p.csv", "time,price", rows), zone="Europe/Berlin")


def test_a_fixed_clock_is_turned_back(tmp_path: Path) -> None:
    rows = [(f"{time:%Y-%m-%d %H:%M}", i) for i, time in enumerate(_utc(2023))]
    found = read_prices(_write(tmp_path / "p.csv", "time,price", rows), utc_offset_h=8.0)
    assert found.price_mwh[0] == 8.0  # 00 UTC is 08 local
    assert found.price_mwh[-1] == 7.0


def test_quarter_hours_are_averaged(tmp_path: Path) -> None:
    rows = [
        (f"{time + dt.timedelta(minutes=minute):%Y-%m-%dT%H:%M:%SZ}", minute)
        for time in _utc(2023)
        for minute in (0, 15, 30, 45)
    ]
    found = read_prices(_write(tmp_path / "p.csv", "time,price", rows))
    assert (found.price_mwh == 22.5).all()
    assert found.notes == ("4 values an hour averaged",)


def test_small_gaps_are_filled_and_long_ones_told(tmp_path: Path) -> None:
    rows: list[tuple[str, float | str]] = [
        (f"{time:%Y-%m-%dT%H:%MZ}", i) for i, time in enumerate(_utc(2023))
    ]
    rows[100] = (rows[100][0], "")
    small = [row for i, row in enumerate(rows) if i not in (200, 201)]
    found = read_prices(_write(tmp_path / "p.csv", "time,price", small))
    assert found.price_mwh[[100, 200, 201]] == pytest.approx([100.0, 200.0, 201.0])
    assert found.notes == ("3 missing hours interpolated",)
    long = [row for i, row in enumerate(rows) if not 200 <= i < 207]
    with pytest.raises(
        CatalogueError, match=r"8 hours are missing, 7 of them in a row \(the first at 09 January 08"
    ):
        read_prices(_write(tmp_path / "p.csv", "time,price", long))


def test_of_two_years_one_is_chosen(tmp_path: Path) -> None:
    rows = [(f"{time:%Y-%m-%dT%H:%MZ}", time.year) for time in _utc(2022) + _utc(2023)]
    path = _write(tmp_path / "p.csv", "time,price", rows)
    assert (read_prices(path).price_mwh == 2023.0).all()
    assert (read_prices(path, year=2022).price_mwh == 2022.0).all()
    with pytest.raises(CatalogueError, match="no hours of 2020"):
        read_prices(path, year=2020)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,price\n", "no values"),
        ("time,price\nnever,3", "line 2: 'never' is not a time"),
        ("time,price\n2023-01-01T00:00Z,dear", "line 2: price is not a number: 'dear'"),
        ("time,price\n2023-01-01T00:00Z", "line 2: fewer cells"),
        ("time,price a,price b\n2023-01-01T00:00Z,1,2", "column must say"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError, match=message):
        read_prices(path)


def test_semicolons_commas_and_a_named_column(tmp_path: Path) -> None:
    rows = "\n".join(f"{time:%Y-%m-%dT%H:%MZ};1,5;-2,25" for time in _utc(2023))
    path = tmp_path / "p.csv"
    path.write_text(f"time;price_a;price_b\n{rows}", encoding="utf-8")
    assert (read_prices(path, column="price_b").price_mwh == -2.25).all()
    with pytest.raises(CatalogueError, match="no column 'price_c'; it has time, price_a, price_b"):
        read_prices(path, column="price_c")


def test_a_zone_may_stand_in_the_columns_name(tmp_path: Path) -> None:
    rows = [(f"{time:%Y-%m-%d %H:%M}", i) for i, time in enumerate(_local(2023, BERLIN))]
    path = _write(tmp_path / "p.csv", "time (Europe/Berlin),price", rows)
    assert np.array_equal(read_prices(path).price_mwh, np.r_[np.arange(1.0, 8760.0), 0.0])


@pytest.mark.parametrize("place", ["DE-LU", "FR", "JP-TK", "SG", "US-MIDA-PJM", "US-TEX-ERCO"])
def test_real_markets_read_the_same_by_either_clock(place: str, shared_folder: Path) -> None:
    path = shared_folder / "data" / "energy" / "price" / f"{place}_2024.csv"
    utc, local = read_prices(path), read_prices(path, time_column="Datetime (Local)")
    assert np.array_equal(utc.price_mwh, local.price_mwh)
    assert utc.notes == ("29 February left out (24 hours)",)
    assert (utc.year, utc.column) == (2024, "Price (USD/MWh)")


def test_germany_had_457_hours_below_zero_in_2024(shared_folder: Path) -> None:
    """Bundesnetzagentur: 457 hours [cited, unverified]; the market's file has 442 without 29 February."""
    found = read_prices(shared_folder / "data" / "energy" / "price" / "DE-LU_2024.csv")
    assert 430 <= found.negative_hours <= 457
    assert found.price_mwh.mean() == pytest.approx(84.6, abs=0.1)


@pytest.mark.parametrize(
    ("cell", "price"),
    [("1.234,56", 1234.56), ("-1.234,56", -1234.56), ("12,5", 12.5), ("1.5", 1.5), ("1,234.5", 1234.5)],
)
def test_of_two_marks_the_last_is_the_decimal_one(tmp_path: Path, cell: str, price: float) -> None:
    """A scarcity price of 1.234,56 read as 1.23456 would be three orders too low, without a word."""
    rows = "".join(f"{time:%Y-%m-%dT%H:%M};{cell}\n" for time in _utc(2025))
    path = tmp_path / "prices.csv"
    path.write_text("time utc;price\n" + rows)
    assert read_prices(path).price_mwh == pytest.approx(np.full(8760, price))
