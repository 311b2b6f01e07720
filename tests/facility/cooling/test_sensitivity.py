"""Ranges of facts and what they do to PUE."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gigawright.catalogue.load import load_facts
from gigawright.errors import CatalogueError
from gigawright.facility.cooling.electrical import pue
from gigawright.facility.cooling.sensitivity import Sensitivity, sensitivity
from gigawright.facility.cooling.systems import cooled, cooling_system
from gigawright.facility.weather import psychrometrics
from gigawright.facility.weather.year import WeatherYear, weather_year


@pytest.fixture(scope="module")
def weather() -> WeatherYear:
    """A year from -5 to 37 degrees, a day's course on a year's."""
    hour = np.arange(8760)
    dry = 16.0 - 15.0 * np.cos(2 * np.pi * hour / 8760) - 6.0 * np.cos(2 * np.pi * hour / 24)
    pressure = np.full(8760, float(psychrometrics.standard_pressure_pa(0.0)))
    return weather_year(dry, np.full(8760, 0.6), pressure, *(np.zeros(8760) for _ in range(4)))


@pytest.fixture(scope="module")
def found(weather: WeatherYear) -> Sensitivity:
    return sensitivity(load_facts(), "air", weather, 0.8)


def test_the_stated_value_is_that_of_the_design(found: Sensitivity, weather: WeatherYear) -> None:
    hours = cooled(cooling_system("air"), weather, 0.8)
    assert found.pue == pytest.approx(pue(hours.power_share, 0.8).mean())


def test_the_range_holds_each_effect_and_less_than_their_sum(found: Sensitivity) -> None:
    highest = [max(effect.at_low, effect.at_high) - found.pue for effect in found.effects]
    assert found.low < found.pue < found.high
    assert found.high - found.pue >= max(highest)
    assert found.high - found.pue <= sum(max(each, 0.0) for each in highest)
    assert found.high - found.pue == pytest.approx(math.sqrt(sum(max(e, 0.0) ** 2 for e in highest)))


def test_a_fans_end_read_slowly(found: Sensitivity, weather: WeatherYear) -> None:
    """The hall's fans at their highest pressure, 600 instead of 400 Pa."""
    effect = next(each for each in found.effects if each.fact.name == "air.hall_fan")
    hours = cooled(cooling_system("air", hall_fan_pa=600.0), weather, 0.8)
    assert effect.at_high == pytest.approx(pue(hours.power_share, 0.8).mean())
    assert effect.at_low < found.pue < effect.at_high


def test_effects_are_sorted_and_of_the_design_alone(found: Sensitivity) -> None:
    spans = [effect.span for effect in found.effects]
    assert spans == sorted(spans, reverse=True)
    items = {effect.fact.item for effect in found.effects}
    assert items <= {"air", "indirect_wet", "air_cooled", "block", "ups", "transformer", "substation"}


def test_an_unknown_design_is_told(weather: WeatherYear) -> None:
    with pytest.raises(CatalogueError, match="cooling ice"):
        sensitivity(load_facts(), "ice", weather, 0.8)
