"""Weather fetched from a server of our own: kept, refused, broken off, away."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.facility.weather.files import known_year, open_meteo_answer, pvgis_answer
from tests.facility.weather.server import Service, serving

from gigawright.errors import CatalogueError, UserError
from gigawright.facility.weather.download import (
    OPEN_METEO_VARIABLE,
    PVGIS_VARIABLE,
    Asking,
    Client,
    asked_years,
    open_meteo_years,
    pvgis_typical,
    weather_folder,
)
from gigawright.facility.weather.read import read_weather

HURRIED = Client(timeout_s=5.0, tries=3, pause_s=0.01)


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A server with a typical year, and a cache of our own."""
    monkeypatch.setenv("GIGAWRIGHT_CACHE", str(tmp_path / "cache"))
    for name in (PVGIS_VARIABLE, OPEN_METEO_VARIABLE, "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving(lambda path, query: (200, json.dumps(pvgis_answer()).encode())) as told:
        yield told


def pvgis(service: Service, **changes: Any) -> Any:
    return pvgis_typical(40.0, 116.0, Asking(service.url, client=HURRIED, **changes))


def test_pvgis_is_asked_once_and_kept(service: Service) -> None:
    first = pvgis(service)
    np.testing.assert_allclose(first.weather.dry_bulb_c, known_year().dry_bulb_c, atol=1e-3)
    assert service.asked == [("/tmy", {"lat": "40.000", "lon": "116.000", "outputformat": "json"})]
    told: list[str] = []
    again = pvgis(service, told=told.append)
    assert len(service.asked) == 1
    np.testing.assert_array_equal(again.weather.ghi_w_m2, first.weather.ghi_w_m2)
    assert "kept from before" in told[0]
    # What is kept is a file of its own, which anybody may read.
    (kept,) = weather_folder().glob("*.json")
    assert kept.name.startswith("pvgis_40.000_116.000_")
    assert read_weather(kept).kind == first.kind


def test_another_place_and_a_refresh_are_asked(service: Service) -> None:
    pvgis(service)
    pvgis(service, refresh=True)
    pvgis_typical(41.0, 116.0, Asking(service.url, client=HURRIED))
    assert [query["lat"] for _, query in service.asked] == ["40.000", "40.000", "41.000"]


def test_a_kept_answer_needs_no_network(service: Service) -> None:
    pvgis(service)

    def down(path: str, query: dict[str, str]) -> tuple[int, bytes]:
        return 500, b""

    service.answer = down
    assert pvgis(service).weather is not None
    # A damaged one is asked for again.
    (kept,) = weather_folder().glob("*.json")
    kept.write_bytes(kept.read_bytes()[:5000])
    with pytest.raises(UserError, match="500"):
        pvgis(service)


def test_an_answer_that_cannot_be_kept_is_still_given(service: Service, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert pvgis(service).weather is not None


def test_years_of_open_meteo_are_asked_one_by_one(service: Service) -> None:
    def answer(path: str, query: dict[str, str]) -> tuple[int, bytes]:
        year = int(query["start_date"][:4])
        hours = 8784 if year % 4 == 0 else 8760
        return 200, json.dumps(open_meteo_answer(query["start_date"], hours)).encode()

    service.answer = answer
    asking = Asking(service.url, client=HURRIED)
    read = open_meteo_years(40.0, 116.0, (2019, 2020), asking)
    assert read.years.labels == ("2019", "2020")
    assert read.notes == ("29 February dropped (24 hours)",)
    query = service.asked[0][1]
    assert query["end_date"] == "2019-12-31"
    assert (query["timezone"], query["wind_speed_unit"]) == ("GMT", "ms")
    assert "shortwave_radiation" in query["hourly"].split(",")
    open_meteo_years(40.0, 116.0, (2020, 2021), asking)
    assert [query["start_date"][:4] for _, query in service.asked] == ["2019", "2020", "2021"]


def test_another_place_or_year_than_asked_is_refused_and_never_kept(service: Service) -> None:
    """A mirror or a portal that answers with some year must not stand in the cache for the one asked."""
    with pytest.raises(UserError, match="answers with the place 40, 116"):
        pvgis_typical(-33.0, 116.0, Asking(service.url, client=HURRIED))
    service.answer = lambda path, query: (200, json.dumps(open_meteo_answer("2019-01-01", 8760)).encode())
    with pytest.raises(UserError, match="answers with the years 2019"):
        open_meteo_years(40.0, 116.0, (2021,), Asking(service.url, client=HURRIED))
    assert not list(weather_folder().glob("*.json"))


def test_a_kept_file_of_another_place_is_asked_for_again(service: Service) -> None:
    pvgis(service)
    (kept,) = weather_folder().glob("*.json")
    moved = json.loads(kept.read_text())
    moved["inputs"]["location"]["latitude"] = -40.0
    kept.write_text(json.dumps(moved))
    pvgis(service)
    assert len(service.asked) == 2


def test_a_cell_across_the_date_line_is_near(service: Service) -> None:
    answer = pvgis_answer()
    answer["inputs"]["location"]["longitude"] = -179.9
    service.answer = lambda path, query: (200, json.dumps(answer).encode())
    assert pvgis_typical(40.0, 179.9, Asking(service.url, client=HURRIED)).weather is not None


@pytest.mark.parametrize("codes", [[503], [429, 529]])
def test_a_server_that_fails_for_a_while_is_asked_again(service: Service, codes: list[int]) -> None:
    whole = json.dumps(pvgis_answer()).encode()
    service.answer = lambda path, query: (codes.pop(0), b"{}") if codes else (200, whole)
    tries = len(codes) + 1
    assert pvgis(service).weather is not None
    assert len(service.asked) == tries


def test_a_server_that_keeps_failing_is_told_with_the_ways_out(service: Service) -> None:
    service.answer = lambda path, query: (503, b'{"message": "maintenance until noon"}')
    with pytest.raises(UserError) as told:
        pvgis(service)
    text = str(told.value)
    assert "after 3 tries: 503 Service Unavailable: maintenance until noon" in text
    assert "--from FILE" in text
    assert "--source synthetic" in text
    assert len(service.asked) == 3
    assert not list(weather_folder().glob("*"))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            b'{"message": "Location over the sea. Please, select another location", "status": 400}',
            "over the sea",
        ),
        (b'{"error": true, "reason": "Parameter start_date is out of range"}', "out of range"),
        (b"<html>", "400 Bad Request$"),
    ],
)
def test_a_refusal_is_told_in_the_servers_words_and_not_repeated(
    service: Service, body: bytes, words: str
) -> None:
    service.answer = lambda path, query: (400, body)
    with pytest.raises(UserError, match=words):
        pvgis(service)
    assert len(service.asked) == 1


def test_a_truncated_answer_is_asked_for_again_and_never_kept(service: Service) -> None:
    whole = json.dumps(pvgis_answer()).encode()
    service.answer = lambda path, query: (200, whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"not whole JSON \([\d,]+ bytes\)"):
        pvgis(service)
    assert len(service.asked) == 3
    assert not list(weather_folder().glob("*"))
    service.asked.clear()
    service.cut = 1000
    with pytest.raises(UserError, match="the answer broke off"):
        pvgis(service)


def test_an_answer_that_is_no_weather_is_refused_and_not_kept(service: Service) -> None:
    service.answer = lambda path, query: (200, b'{"hello": "world"}')
    with pytest.raises(CatalogueError, match="no weather that is known here"):
        pvgis(service)
    assert not list(weather_folder().glob("*"))


def test_a_server_that_does_not_answer_is_given_up(service: Service) -> None:
    def slow(path: str, query: dict[str, str]) -> tuple[int, bytes]:
        time.sleep(0.5)
        return 200, b"{}"

    service.answer = slow
    with pytest.raises(UserError, match="2 tries"):
        pvgis_typical(40.0, 116.0, Asking(service.url, client=Client(0.05, 2, 0.01)))


def test_without_a_network_the_ways_out_are_told(service: Service) -> None:
    # A port that nobody listens on: what is asked there is refused at once.
    away = Asking("http://127.0.0.1:9", client=HURRIED)
    with pytest.raises(
        UserError, match=r"no weather from Open-Meteo at http://127.0.0.1:9\?.*--source synthetic"
    ):
        open_meteo_years(40.0, 116.0, (2021,), away)
    with pytest.raises(UserError, match="no address of the web"):
        pvgis_typical(40.0, 116.0, Asking("file:///etc", client=HURRIED))


def test_the_environment_names_another_address(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PVGIS_VARIABLE, service.url + "/mirror/")
    pvgis_typical(40.0, 116.0, Asking(client=HURRIED))
    assert service.asked[0][0] == "/mirror/tmy"


@pytest.mark.parametrize(
    ("text", "years"),
    [("2021", (2021,)), ("2019-2021", (2019, 2020, 2021)), (" 2015, 2018-2019,2015", (2015, 2018, 2019))],
)
def test_years_as_one_writes_them(text: str, years: tuple[int, ...]) -> None:
    assert asked_years(text, dt.date(2026, 3, 1)) == years


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("last", "are no years; write 2021"),
        ("2023-2020", "are no years; write 2021"),
        ("-3", "are no years; write 2021"),
        ("2026", "whole years from 1940 to 2025"),
        ("1850", "whole years from 1940"),
        ("1940-2025", "too many years; ask for 40 at most"),
        ("1950-1980,1990-2015", "too many years; ask for 40 at most"),
        ("", "are no years"),
    ],
)
def test_years_that_cannot_be_had(text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        asked_years(text, dt.date(2026, 3, 1))


def test_the_archive_lags_at_new_year() -> None:
    with pytest.raises(UserError, match="1940 to 2024"):
        asked_years("2025", dt.date(2026, 1, 3))
