"""Several years, and the typical one among them."""

from __future__ import annotations

import numpy as np
import pytest
from tests.facility.weather.files import known_year

from gigawright.clock import month_of_hour
from gigawright.facility.weather.shift import ClimateChange, morphed, warming
from gigawright.facility.weather.years import Place, WeatherYears, typical_year


def shifted(kelvin: float) -> object:
    return morphed(known_year(), warming(kelvin))


def test_years_keep_their_order_and_stack() -> None:
    years = WeatherYears(("2020", "2019"), (known_year(), shifted(2.0)))  # type: ignore[arg-type]
    assert len(years) == 2
    assert [label for label, _ in years] == ["2020", "2019"]
    stacked = years.stacked("dry_bulb_c")
    assert stacked.shape == (2, 8760)
    np.testing.assert_allclose(stacked[1] - stacked[0], 2.0)


def test_years_are_checked() -> None:
    with pytest.raises(ValueError, match="2 labels for 1 years"):
        WeatherYears(("a", "b"), (known_year(),))
    with pytest.raises(ValueError, match="must differ"):
        WeatherYears(("a", "a"), (known_year(), known_year()))
    with pytest.raises(ValueError, match="0 labels"):
        WeatherYears((), ())


def test_the_middle_year_is_typical() -> None:
    kelvins = (-4.0, -2.0, 0.3, 2.0, 4.5)
    years = tuple(morphed(known_year(), warming(kelvin)) for kelvin in kelvins)
    made, labels = typical_year(WeatherYears(tuple("abcde"), years))
    # The three nearest the middle remain; winds are all alike, so the best of them is taken.
    assert set(labels) <= {"b", "c", "d"}
    assert labels.count("c") >= 10
    assert abs(made.dry_bulb_c.mean() - np.mean([y.dry_bulb_c.mean() for y in years])) < 0.6


def test_wind_tells_the_best_three_apart() -> None:
    def windy(factor: float) -> ClimateChange:
        return ClimateChange((0.0,) * 12, wind_factor=(factor,) * 12)

    factors = (0.6, 1.0, 1.3)
    years = tuple(morphed(known_year(), windy(factor)) for factor in factors)
    _, labels = typical_year(WeatherYears(("calm", "mean", "windy"), years))
    assert labels == ("mean",) * 12


def test_a_typical_year_is_of_whole_months() -> None:
    years = tuple(morphed(known_year(), warming(kelvin)) for kelvin in (-1.0, 0.0, 1.0))
    labels = ("x", "y", "z")
    made, chosen = typical_year(WeatherYears(labels, years))
    month = month_of_hour()
    for number, label in enumerate(chosen):
        inside = month == number
        wanted = years[labels.index(label)].wet_bulb_c[inside]
        np.testing.assert_array_equal(made.wet_bulb_c[inside], wanted)
    with pytest.raises(ValueError, match="at least two"):
        typical_year(WeatherYears(("x",), years[:1]))


def test_a_place_is_called_by_its_name_or_where_it_lies() -> None:
    assert Place(1.35, 103.99, name="Changi").title == "Changi"
    assert Place(1.35, -103.99).title == "1.35 N, 103.99 W"
