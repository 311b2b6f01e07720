"""Cooling designs: bounds, monotony, fan laws, and plain readings of two of them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.random import Generator

from gigawright.arrays import Floats
from gigawright.errors import CatalogueError
from gigawright.facility.cooling import electrical, physics
from gigawright.facility.cooling.physics import Values
from gigawright.facility.cooling.systems import (
    CoolingHours,
    Design,
    cooled,
    cooling_system,
    cooling_systems,
)
from gigawright.facility.weather import psychrometrics
from gigawright.facility.weather.year import WeatherYear, weather_year

NAMES = (
    "air", "air_dry", "chiller", "chiller_air", "evaporative", "fresh_air", "immersion", "liquid",
    "liquid_cold", "liquid_dry", "liquid_full", "liquid_tower", "rear_door",
)  # fmt: skip
DRAWN = 3000


def _drawn(seed: int = 1) -> tuple[Floats, Floats, Floats, Generator]:
    """Dry bulbs [C], relative humidities and loads over the range there is, and where they come from."""
    random = np.random.default_rng(seed)
    dry = random.uniform(-30.0, 50.0, DRAWN)
    return dry, random.uniform(0.02, 1.0, DRAWN), random.uniform(0.2, 1.0, DRAWN), random


def _vapour(dry: Values, humidity: Values) -> Floats:
    return np.asarray(humidity * psychrometrics.saturation_pressure_pa(dry))


def _wet(dry: Values, vapour_pa: Floats) -> Floats:
    """Wet bulb of air at sea level with this vapour pressure."""
    ratio = psychrometrics.MASS_RATIO * vapour_pa / (101325.0 - vapour_pa)
    return psychrometrics.wet_bulb_c(dry, ratio, 101325.0)


def _pue(design: str, dry: Floats, vapour_pa: Floats, load: Floats) -> Floats:
    system = cooling_system(design)
    assert isinstance(system, Design)
    return electrical.pue(system.hours(dry, _wet(dry, vapour_pa), load).power_share, load)


def test_the_designs_of_the_package_are_there() -> None:
    assert tuple(sorted(cooling_systems())) == NAMES


@pytest.mark.parametrize("design", NAMES)
def test_hotter_air_of_the_same_moisture_never_gives_a_better_pue(design: str) -> None:
    dry, humidity, load, random = _drawn()
    vapour = _vapour(dry, humidity)
    hotter = dry + random.uniform(0.0, 10.0, DRAWN) * random.integers(0, 2, DRAWN) + 0.01
    assert (_pue(design, hotter, vapour, load) >= _pue(design, dry, vapour, load) - 2e-6).all()


@pytest.mark.parametrize("design", NAMES)
def test_moister_air_never_gives_a_better_pue(design: str) -> None:
    dry, humidity, load, random = _drawn()
    moister = humidity + random.uniform(0.0, 1.0, DRAWN) * (1.0 - humidity)
    first, second = (_pue(design, dry, _vapour(dry, h), load) for h in (humidity, moister))
    assert (second >= first - 2e-6).all()


@pytest.mark.parametrize("design", NAMES)
def test_pue_is_above_one_and_water_is_not_negative(design: str) -> None:
    dry, humidity, load, _ = _drawn()
    system = cooling_system(design)
    assert isinstance(system, Design)
    hours = system.hours(dry, _wet(dry, _vapour(dry, humidity)), load)
    assert (electrical.pue(hours.power_share, load) > 1.0).all()
    # Towers evaporate all heat, and where air is hot and very dry twice as much, which the air itself gives.
    assert (hours.water_l_per_kwh >= 0.0).all()
    assert (hours.water_l_per_kwh < 8.0).all()
    assert (hours.loop_share >= 0.0).all()
    assert (hours.loop_share <= hours.power_share).all()
    assert (hours.loop_water_l_per_kwh <= hours.water_l_per_kwh + 1e-12).all()


def test_warm_water_needs_no_more_power_than_air() -> None:
    dry, humidity, load, _ = _drawn()
    vapour = _vapour(dry, humidity)
    assert (_pue("liquid", dry, vapour, load) <= _pue("air", dry, vapour, load) + 1e-12).all()


def test_pads_save_power_but_for_their_pump() -> None:
    dry, humidity, load, _ = _drawn()
    vapour = _vapour(dry, humidity)
    pump = physics.PAD_PUMP_SHARE * 1.02
    assert (_pue("air", dry, vapour, load) <= _pue("air_dry", dry, vapour, load) + pump).all()


@pytest.mark.parametrize("design", ["air", "liquid", "chiller", "fresh_air"])
def test_a_warmer_supply_never_costs_more(design: str) -> None:
    dry, humidity, _, random = _drawn()
    supply = 19.0 + np.vstack([np.zeros(DRAWN), random.uniform(0.0, 8.0, DRAWN)])
    changed = cooling_system(design, air_supply_c=supply)
    cool, warm = changed.hours(dry, _wet(dry, _vapour(dry, humidity)), 0.8).power_share
    assert (warm <= cool + 1e-12).all()


@pytest.mark.parametrize("design", NAMES)
def test_thin_air_never_costs_less(design: str) -> None:
    dry, humidity, load, _ = _drawn()
    system = cooling_system(design)
    assert isinstance(system, Design)
    wet = _wet(dry, _vapour(dry, humidity))
    low, high = (system.hours(dry, wet, load, pressure).power_share for pressure in (101325.0, 85000.0))
    # Dew points of the same dry and wet bulb are a little higher in thin air, so dampers may stay open less.
    assert (high >= low - 1e-12).all()


def test_fans_pay_for_altitude() -> None:
    system = cooling_system("air")
    assert isinstance(system, Design)
    cold = np.array([10.0]), np.array([6.0])
    low = system.hours(*cold, 0.8).power_share[0]
    high = system.hours(*cold, 0.8, physics.SEA_LEVEL_PA / 1.2).power_share[0]
    assert high / low == pytest.approx(1.2)


def test_sites_hours_and_supplies_broadcast() -> None:
    dry, wet = (
        np.array([[5.0, 25.0, 38.0], [15.0, 30.0, 20.0]]),
        np.array([[3.0, 20.0, 24.0], [10.0, 27.0, 18.0]]),
    )
    load = np.array([[0.4], [0.9]])
    for name in NAMES:
        system = cooling_system(name)
        assert isinstance(system, Design)
        together = system.hours(dry, wet, load)
        assert np.broadcast_shapes(together.power_share.shape, (2, 3)) == (2, 3)
        for row in range(2):
            alone = system.hours(dry[row], wet[row], float(load[row, 0]))
            np.testing.assert_allclose(
                np.broadcast_to(together.power_share, (2, 3))[row], np.broadcast_to(alone.power_share, 3)
            )
            np.testing.assert_allclose(
                np.broadcast_to(together.water_l_per_kwh, (2, 3))[row],
                np.broadcast_to(alone.water_l_per_kwh, 3),
            )


def test_no_water_without_pads_or_in_the_cold() -> None:
    cold, wet = np.array([5.0]), np.array([3.0])
    for design in ("air", "liquid", "evaporative"):
        assert cooling_system(design).hours(cold, wet, 0.8).water_l_per_kwh[0] == 0.0
    for design in ("air_dry", "fresh_air", "chiller_air", "liquid_dry", "liquid_full", "immersion"):
        hot = cooling_system(design).hours(np.array([45.0]), wet + 20.0, 0.8)
        assert np.max(hot.water_l_per_kwh) == 0.0


@pytest.mark.parametrize(
    ("dry", "wet"), [(10.0, 8.0), (24.0, 20.0), (30.0, 24.0), (40.0, 21.0), (48.0, 30.0)]
)
def test_air_cooling_read_slowly(dry: float, wet: float) -> None:
    """The economiser hour by hour, in plain sentences."""
    load = 1.0
    fan = 400.0 / (0.65 * 1207.0 * 12.0)
    coolest = dry - 0.75 * (dry - wet)
    entering = dry if dry <= 21.0 else max(21.0, coolest)
    pads = 0.0 if dry <= 21.0 else min(1.0, (dry - 21.0) / (0.75 * (dry - wet)))
    room = 25.0 - entering
    flow = 1.0 if room <= 4.0 else 4.0 / room
    outside = 250.0 / (0.65 * 1207.0 * 12.0) * flow**3
    left_over = min(1.0, max(0.0, (entering + 4.0 - 25.0) / 12.0))
    lift = max(12.0, dry + 13.0 - 20.0)
    chiller = (1.0 + fan) * left_over / (0.48 * 293.15 / lift)
    litres = 3600.0 / 2442.0 * 1.25 * (dry - entering) / 12.0
    hours = cooling_system("air").hours(np.array([dry]), np.array([wet]), load)
    assert hours.power_share[0] == pytest.approx(fan + outside + chiller + 0.002 * pads)
    assert hours.water_l_per_kwh[0] == pytest.approx(litres)


@pytest.mark.parametrize(("wet", "free"), [(4.0, True), (26.0, False)])
def test_the_chiller_plant_read_slowly(wet: float, free: bool) -> None:
    """Below 14.5 degrees of wet bulb the towers do all; at 26 the chillers do."""
    fan = 400.0 / (0.65 * 1207.0 * 12.0)
    pump, tower_pump = (250e3 / (0.70 * 4.17e6 * rise) for rise in (8.0, 5.0))
    heat = 1.0 + fan + pump + tower_pump
    flow = 4.0 / (20.0 - 1.5 - wet) if free else 1.0
    compressor = 0.0 if free else heat / (0.65 * 288.15 / (wet + 4.0 + 5.0 + 3.0 - 15.0))
    towers = 100.0 / (0.65 * 1207.0 * 12.0) * flow**3
    found = cooling_system("chiller").hours(np.array([wet + 4.0]), np.array([wet]), 1.0)
    # At 26 degrees the economiser still takes nothing: 26 + 5.5 is above the return of 28.
    assert found.power_share[0] == pytest.approx(fan + pump + tower_pump + compressor + towers)


def test_humid_air_is_kept_out() -> None:
    """Dew point 24 degrees: the dampers close and the chiller does all, whatever the dry bulb allows."""
    dry, dew = 25.0, 24.0
    wet = _wet(np.array([dry]), _vapour(dew, 1.0))
    found = cooling_system("fresh_air").hours(np.array([dry]), wet, 1.0)
    fan = 450.0 / (0.65 * 1207.0 * 12.0)
    chiller = (1.0 + fan) / (0.48 * 293.15 / (dry + 13.0 - 20.0))
    assert found.power_share[0] == pytest.approx(fan + chiller)


def test_pads_stop_where_the_hall_would_be_too_humid() -> None:
    """At 30 degrees and 24 of wet bulb, wetting to 25 would give 23.6 degrees of dew point: not allowed."""
    found = cooling_system("evaporative").hours(np.array([32.0]), np.array([23.5]), 1.0)
    entering = 32.0 - float(found.water_l_per_kwh[0]) * 12.0 / physics.make_up_l_kwh(5.0)
    vapour = physics.vapour_pressure_pa(np.array(entering), np.array(23.5), 101325.0)
    assert float(psychrometrics.dew_point_c(vapour)) == pytest.approx(21.0, abs=0.01)
    assert entering > 25.0


def test_what_a_dry_cooler_cannot_hold_is_told() -> None:
    """At 38 degrees and full load the water is 46 instead of 40 degrees; at half load full fans give 42."""
    system = cooling_system("liquid_dry")
    full, half = (system.hours(np.array([30.0, 38.0]), np.array([20.0, 22.0]), load) for load in (1.0, 0.5))
    assert full.liquid_excess_k.tolist() == pytest.approx([0.0, 6.0])
    assert half.liquid_excess_k.tolist() == pytest.approx([0.0, 2.0])
    assert full.short.tolist() == [False, True]


def test_fans_without_a_chiller_go_beyond_the_loads_share_of_their_flow() -> None:
    """At half load and 35 degrees: 4 K of room for an approach of 8 at half flow ask for all of the flow."""
    dry, wet = np.array([31.0, 34.0, 35.9, 37.0]), np.full(4, 20.0)
    found = cooling_system("liquid_dry", liquid_share=1.0).hours(dry, wet, 0.5)
    held = 0.020 * (0.2 + 0.8 * 0.25)
    flows = [8.0 / 9.0, 8.0 / 6.0, 8.0 / 4.1]
    assert found.loop_share.tolist() == pytest.approx(
        [*(min(held * flow**3, 0.04) for flow in flows), 0.04], rel=1e-9
    )
    assert found.liquid_excess_k.tolist() == pytest.approx([0.0, 0.0, 0.0, 1.0])


@pytest.mark.parametrize("design", NAMES)
def test_a_site_that_freezes(design: str) -> None:
    """At 50 below only fans and pumps run, and outside fans hardly turn."""
    frost = cooling_system(design).hours(np.array([-50.0, -20.0]), np.array([-50.0, -20.5]), 0.8)
    assert np.isfinite(frost.power_share).all()
    assert (frost.power_share < 0.06).all()
    assert frost.power_share[0] <= frost.power_share[1]
    assert not frost.short.any()


def _weather(elevation_m: float) -> WeatherYear:
    """A mild year without sun or wind at an elevation."""
    hours, none = np.ones(8760), np.zeros(8760)
    pressure = psychrometrics.standard_pressure_pa(elevation_m) * hours
    return weather_year(10.0 * hours, 0.6 * hours, pressure, *(none.copy() for _ in range(4)))


def test_a_class_of_ones_own_needs_only_name_and_hours() -> None:
    class Sea:
        name = "sea"

        def hours(self, dry_bulb_c: Floats, wet_bulb_c: Floats, load_share: float) -> CoolingHours:
            return CoolingHours(np.full(dry_bulb_c.shape, 0.02 * load_share), np.zeros(dry_bulb_c.shape))

    weather = _weather(0.0)
    assert cooled(Sea(), weather, 0.5).power_share.mean() == pytest.approx(0.01)
    assert not cooled(Sea(), weather, 0.5).short.any()


def test_a_years_weather_brings_its_pressure() -> None:
    low, high = _weather(0.0), _weather(1500.0)
    air = cooling_system("air")
    assert cooled(air, high, 0.8).power_share.min() > 1.15 * cooled(air, low, 0.8).power_share.min()


def test_trimmed_designs_always_hold() -> None:
    hot = np.array([52.0]), np.array([33.0])
    for name in set(NAMES) - {"liquid_dry", "liquid_tower"}:
        assert not cooling_system(name).hours(*hot, 1.0).short.any(), name


def test_all_heat_by_liquid_needs_no_hall_fans() -> None:
    whole = cooling_system("liquid_full", liquid_share=1.0)
    cold = whole.hours(np.array([-20.0]), np.array([-21.0]), 1.0)
    pumps = 2.0 * 250e3 / (0.70 * 4.17e6 * 10.0)
    assert cold.power_share[0] == pytest.approx(pumps + 0.020 * (8.0 / 60.0) ** 3)


def test_an_unknown_system_is_told_with_the_known_ones() -> None:
    with pytest.raises(CatalogueError, match=r"magic.*air.*liquid"):
        cooling_system("magic")
