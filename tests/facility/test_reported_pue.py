"""Modelled against reported PUE: a constant as the rival, operators one by one, the climate's order."""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr
from tests.facility.places import PLACES, epw_path, recorded

from gigawright.catalogue import records
from gigawright.catalogue.load import load_facts
from gigawright.facility.size import cooling_hours, size
from gigawright.facility.weather.year import WeatherYear
from gigawright.facts import FactBook

NEAR_KM = 150.0
CONSTANT = 1.12


@dataclass(frozen=True)
class Reported:
    operator: str
    site: str
    pue: float
    modelled: float


def _km(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Great circle on a sphere of 6,371 km."""
    a, b, c, d = np.radians([*first, *second])
    half = np.sin((c - a) / 2.0) ** 2 + np.cos(a) * np.cos(c) * np.sin((d - b) / 2.0) ** 2
    return float(2.0 * 6371.0 * np.arcsin(np.sqrt(half)))


def _known_weather(folder: Path) -> dict[tuple[float, float], WeatherYear]:
    """Recorded years of six places and synthetic ones of the catalogue's sites, by latitude and longitude."""
    book = FactBook(load_facts())
    names = sorted({fact.item for fact in load_facts() if fact.kind == "site"})
    sites = [records.site(book, name, records.rates(book), dt.date(2026, 10, 1)) for name in names]
    found = {(site.latitude, site.longitude): size(site).weather for site in sites}
    for place in PLACES:
        weather, (latitude, longitude, *_) = recorded(epw_path(folder, place))
        found[latitude, longitude] = weather
    return found


@pytest.fixture(scope="module")
def reported(shared_folder: Path) -> list[Reported]:
    known = _known_weather(shared_folder)
    pue = {place: float(cooling_hours("air", year)[0].mean()) for place, year in known.items()}
    rows = []
    with (shared_folder / "truth" / "pue.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if not row["lat_lon"] or row["kind"] != "reported annual" or not row["pue"]:
                continue
            latitude, longitude = (float(cell) for cell in row["lat_lon"].split(","))
            nearest = min(known, key=lambda place: _km(place, (latitude, longitude)))
            if _km(nearest, (latitude, longitude)) < NEAR_KM:
                rows.append(Reported(row["operator"], row["site"], float(row["pue"]), pue[nearest]))
    return rows


def _of(rows: list[Reported], operator: str) -> tuple[np.ndarray, np.ndarray]:
    chosen = [row for row in rows if row.operator == operator]
    return np.array([row.modelled for row in chosen]), np.array([row.pue for row in chosen])


def test_enough_places_are_known(reported: list[Reported]) -> None:
    assert len(reported) >= 25


@pytest.mark.parametrize("operator", ["Amazon Web Services", "Google Cloud"])
def test_the_climates_order_is_right_within_an_operator(reported: list[Reported], operator: str) -> None:
    modelled, measured = _of(reported, operator)
    assert len(set(modelled.round(4))) >= 4
    assert spearmanr(modelled, measured).statistic > 0.5


def test_the_constant_is_beaten_where_halls_are_modern(reported: list[Reported]) -> None:
    modelled, measured = _of(reported, "Google Cloud")
    assert np.median(np.abs(modelled - measured)) < 0.02
    assert np.median(np.abs(modelled - measured)) < 0.67 * np.median(np.abs(CONSTANT - measured))


def test_older_fleets_are_not_explained_by_climate(reported: list[Reported]) -> None:
    """Amazon and Azure report more than a new hall needs in their climate: the model is a lower bound."""
    for operator in ("Amazon Web Services", "Microsoft Azure"):
        modelled, measured = _of(reported, operator)
        assert np.median(measured - modelled) > 0.05
        assert (measured > modelled).mean() >= 0.9
