"""A hall's year: PUE, water, heat and power at the meter by hour, what stands behind it, how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gigawright.arrays import Floats
from gigawright.clock import HOURS_PER_YEAR, month_of_hour
from gigawright.errors import CatalogueError, UserError
from gigawright.facility.cooling.backup import Backup, backup
from gigawright.facility.cooling.designs import design as design_of
from gigawright.facility.cooling.electrical import Chain, power_chain, pue
from gigawright.facility.cooling.needs import Limit, Need, fitted, limit
from gigawright.facility.cooling.outages import Outages, outages
from gigawright.facility.cooling.reuse import lift_share
from gigawright.facility.cooling.sensitivity import Sensitivity, sensitivity
from gigawright.facility.cooling.swings import (
    GridLimit,
    Smoothing,
    Swing,
    floor_share,
    limit_of,
    ramp,
    smoothing,
    swing_of,
    trace,
)
from gigawright.facility.cooling.systems import (
    LOWEST_LOAD,
    Cooling,
    CoolingHours,
    Design,
    cooled,
    cooling_system,
    cooling_systems,
)
from gigawright.facility.weather.summary import DESIGN_SHARE
from gigawright.facility.weather.year import WeatherYear, to_local
from gigawright.facts import FactBook
from gigawright.units import MOST_IT_MW

LITRES_PER_M3 = 1e3
KWH_PER_MWH = 1e3
SWING_STEP_S = 0.01
# Halls from a fifth of their design load, below which cooling is not modelled, to all of it.
PART_LOADS = np.linspace(0.2, 1.0, 17)
# Temperature at which district heating of today takes heat [C] (assumption: 70 to 90 in older networks).
NETWORK_C = 75.0

LIQUID_OR_AIR = {
    "dry": ("liquid_dry", "air_dry"),
    "dry_cooler": ("liquid_dry", "air_dry"),
    "tower": ("liquid_tower", "chiller"),
    "wet": ("liquid_tower", "chiller"),
    "direct_to_chip": ("liquid", "liquid"),
    "dtc": ("liquid", "liquid"),
    "warm_water": ("liquid", "liquid"),
    "cold_plate": ("liquid", "liquid"),
    "free": ("fresh_air", "fresh_air"),
    "free_cooling": ("fresh_air", "fresh_air"),
    "economiser": ("fresh_air", "fresh_air"),
    "economizer": ("fresh_air", "fresh_air"),
    "indirect": ("air", "air"),
    "adiabatic": ("air", "air"),
    "water_cooled_chiller": ("chiller", "chiller"),
    "air_cooled_chiller": ("chiller_air", "chiller_air"),
    "single_phase_immersion": ("immersion", "immersion"),
}
"""Names that people use, and the designs they mean: for racks that give heat to liquid, and that do not."""


def cooling_named(name: str, need: Need | None = None) -> tuple[str, str]:
    """The design that a name means, and a word on it where the name is not the design's own.

    `dry` is dry coolers: on the liquid loop where racks have one (or nothing is said of them), else for air.

    >>> cooling_named("dry")
    ('liquid_dry', "'dry' is read as the design liquid_dry")
    """
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    if plain in cooling_systems():
        return plain, ""
    if plain not in LIQUID_OR_AIR:
        known = ", ".join(sorted(cooling_systems()))
        friendly = ", ".join(sorted(LIQUID_OR_AIR))
        raise CatalogueError(f"no cooling system {name!r}; there are {known}; also read: {friendly}")
    by_air = need is not None and need.liquid_share == 0.0
    found = LIQUID_OR_AIR[plain][by_air]
    return found, f"{name.strip()!r} is read as the design {found}"


@dataclass(frozen=True, slots=True)
class Swings:
    """Power swings of one training job over all IT: the job's step, what a grid allows, what smooths it."""

    swing: Swing
    allowed: GridLimit
    peak_mw: float
    low_mw: float
    steps: Smoothing
    floor_share: float
    stop: Smoothing


@dataclass(frozen=True, eq=False)
class Hall:
    """A year of halls of one design that draw `it_mw` of IT all year, `load_share` of what they are made for.

    `pue` and `cooled` are by UTC hour (8760,). `full_pue` is the worst hour's when the halls are full.
    `part_load_pue` is the year's mean at each of PART_LOADS. `sensitivity` is None for a design whose values
    are not in the catalogue, `need` where no system was named, `swings` where the book does not know them.
    """

    name: str
    description: str
    system: Cooling
    need: Need | None
    it_mw: float
    load_share: float
    chain: Chain
    weather: WeatherYear
    cooled: CoolingHours
    pue: Floats
    full_pue: float
    part_load_pue: Floats
    backup: Backup
    outages: dict[str, Outages]
    swings: Swings | None
    sensitivity: Sensitivity | None

    @property
    def limit(self) -> Limit:
        """Hours in which a supply temperature is not held."""
        return limit(self.cooled)

    @property
    def wue_l_per_kwh(self) -> Floats:
        """Make-up water over IT energy by hour [l/kWh]."""
        return np.broadcast_to(self.cooled.water_l_per_kwh, self.pue.shape)

    @cached_property
    def meter_mw(self) -> Floats:
        """Power at the meter by hour [MW]."""
        return self.it_mw * self.pue

    @property
    def annual_pue(self) -> float:
        """Energy at the meter over that of IT."""
        return float(self.pue.mean())

    @property
    def annual_wue(self) -> float:
        """Water over IT energy of the year [l/kWh]."""
        return float(self.wue_l_per_kwh.mean())

    @property
    def peak_mw(self) -> float:
        """Highest draw at the meter [MW]."""
        return float(self.meter_mw.max())

    @property
    def design_it_mw(self) -> float:
        """IT the halls are made for [MW]."""
        return self.it_mw / self.load_share

    @property
    def full_mw(self) -> float:
        """Draw at the meter of full halls in the year's worst hour [MW]: what a connection must carry."""
        return self.design_it_mw * self.full_pue

    @property
    def liquid_share(self) -> float:
        """Share of IT heat that leaves by liquid."""
        return float(np.max(self.system.liquid_share)) if isinstance(self.system, Design) else 0.0

    @property
    def return_c(self) -> float | None:
        """Temperature at which heat comes back from the racks [C]: by liquid, in a hall without it by air."""
        system = self.system
        if not isinstance(system, Design):
            return None
        if system.liquid is not None:
            return float(np.max(system.liquid_supply_c) + np.max(system.liquid_rise_k))
        return float(np.max(system.air_supply_c) + np.max(system.air_rise_k))

    @property
    def usable_heat_share(self) -> float:
        """Share of IT heat in that return: the liquid's, in a hall without liquid all."""
        return self.liquid_share or 1.0

    def lift_share(self, book: FactBook, delivered_c: float = NETWORK_C) -> float | None:
        """Power of a heat pump to a network, per unit of heat taken; None for a design that is not ours."""
        return lift_share(self.system, book, delivered_c) if isinstance(self.system, Design) else None

    def months(self, utc_offset_h: float) -> dict[str, Floats]:
        """Twelve numbers each, by month of local time; names carry the units.

        `heat_mwh` is IT heat in the racks' return (`return_c`) that could be used.
        """
        month = month_of_hour()
        pue_local, wue = to_local(self.pue, utc_offset_h), to_local(self.wue_l_per_kwh, utc_offset_h)
        short = to_local(np.broadcast_to(self.cooled.short, self.pue.shape).astype(float), utc_offset_h)
        hours = np.bincount(month).astype(float)

        def of(pick: np.ufunc) -> Floats:
            return np.array([pick.reduce(pue_local[month == number]) for number in range(12)])

        it_mwh = self.it_mw * hours
        return {
            "pue": np.bincount(month, pue_local) / hours,
            "pue_low": of(np.minimum),
            "pue_high": of(np.maximum),
            "peak_mw": self.it_mw * of(np.maximum),
            "it_mwh": it_mwh,
            "energy_mwh": self.it_mw * np.bincount(month, pue_local),
            "wue_l_per_kwh": np.bincount(month, wue) / hours,
            "water_m3": self.it_mw * np.bincount(month, wue) * KWH_PER_MWH / LITRES_PER_M3,
            "heat_mwh": it_mwh * self.usable_heat_share,
            "short_h": np.bincount(month, short),
        }

    @property
    def energy_mwh(self) -> float:
        """Energy at the meter in the year [MWh]."""
        return float(self.meter_mw.sum())

    @property
    def water_m3(self) -> float:
        """Make-up water in the year [m3]."""
        return self.it_mw * float(self.wue_l_per_kwh.sum()) * KWH_PER_MWH / LITRES_PER_M3


def year_of(months: Mapping[str, Floats]) -> dict[str, float]:
    """The year of a hall's twelve months: PUE and WUE by IT energy, the extremes, sums of the rest.

    >>> ones = np.ones(12)
    >>> found = year_of({"pue": ones, "peak_mw": ones, "energy_mwh": 2 * ones, "it_mwh": ones})
    >>> found["pue"], found["peak_mw"], found["energy_mwh"]
    (2.0, 1.0, 24.0)
    """
    whole = {name: float(values.sum()) for name, values in months.items()}
    it_mwh = whole["it_mwh"]
    of = {
        "pue": lambda: whole["energy_mwh"] / it_mwh,
        "pue_low": lambda: float(months["pue_low"].min()),
        "pue_high": lambda: float(months["pue_high"].max()),
        "peak_mw": lambda: float(months["peak_mw"].max()),
        "wue_l_per_kwh": lambda: whole["water_m3"] * LITRES_PER_M3 / (it_mwh * KWH_PER_MWH),
    }
    return {name: of[name]() if name in of else value for name, value in whole.items()}


def hall(
    book: FactBook,
    name: str,
    weather: WeatherYear,
    it_mw: float,
    load_share: float,
    chain: str,
    need: Need | None = None,
) -> Hall:
    """The year of halls cooled by a design of the catalogue (or of an entry point), in a year of weather.

    it_mw: what IT draws [MW], all year. load_share: that over what the halls are made for, (0-1]. need: what
    racks ask; the design runs as they need it. Raises CatalogueError for names there are not, and for racks
    that the design cannot cool.

    >>> from gigawright.catalogue.load import load_facts
    >>> from gigawright.facility.weather.obtain import Asked, obtain
    >>> facts, year = FactBook(load_facts()), obtain(Asked("ulanqab", source="synthetic")).weather
    >>> found = hall(facts, "liquid_dry", year, 80.0, 0.8, "block")
    >>> 1.05 < found.annual_pue < 1.1, found.annual_wue, found.design_it_mw
    (True, 0.0, 100.0)
    """
    if not 0.0 < it_mw <= MOST_IT_MW:
        raise UserError(f"IT of {it_mw:,.6g} MW has no year; give more than 0 MW, at most {MOST_IT_MW:,.0f}")
    if not LOWEST_LOAD <= load_share <= 1.0:
        told = f"a load of {load_share:g} of the halls' design load is not modelled"
        raise UserError(f"{told}; give {LOWEST_LOAD:g} to 1")
    system = _system(book, name, need)
    way = power_chain(chain, book)
    hours = cooled(system, weather, load_share)
    by_hour = np.broadcast_to(pue(hours.power_share, load_share, way), (HOURS_PER_YEAR,))
    full = pue(cooled(system, weather, 1.0).power_share, 1.0, way)
    connection_mw = it_mw / load_share * float(np.max(full))
    return Hall(
        name=name,
        description=getattr(system, "description", name),
        system=system,
        need=need,
        it_mw=it_mw,
        load_share=load_share,
        chain=way,
        weather=weather,
        cooled=hours,
        pue=by_hour,
        full_pue=float(np.max(full)),
        part_load_pue=_part_load(system, weather, way),
        backup=backup(book, connection_mw, it_mw / load_share),
        outages=outages(way, book),
        swings=swings(book, it_mw, connection_mw) if _swings_known(book) else None,
        sensitivity=_sensitivity(book, name, weather, load_share, chain, need),
    )


def _system(book: FactBook, name: str, need: Need | None) -> Cooling:
    """The design as the racks need it; a system of an entry point as it is."""
    system = design_of(book, name) if name in book.items("cooling") else cooling_system(name)
    return fitted(system, need) if need is not None and isinstance(system, Design) else system


def _part_load(system: Cooling, weather: WeatherYear, chain: Chain) -> Floats:
    """Mean PUE of the year at each of PART_LOADS."""
    means = [
        float(np.mean(pue(cooled(system, weather, share).power_share, share, chain)))
        for share in PART_LOADS.tolist()
    ]
    return np.array(means)


def _sensitivity(
    book: FactBook, name: str, weather: WeatherYear, load_share: float, chain: str, need: Need | None
) -> Sensitivity | None:
    """How far the year's PUE moves over the ranges of the design's facts, run as the racks need it."""
    if name not in book.items("cooling"):
        return None
    return sensitivity(list(book), name, weather, load_share, chain, need)


def _swings_known(book: FactBook) -> bool:
    """Whether a training step was known by the book's day."""
    return all(
        book.has("power_swing", "training", name)
        for name in ("low_share", "exchange_share", "period", "edge")
    )


def swings(book: FactBook, it_mw: float, connection_mw: float) -> Swings:
    """What one training job over all IT does to a connection, and what smooths it.

    it_mw: the job's peak [MW]. connection_mw: what the grid's limits are shares of [MW].
    """
    step, allowed = swing_of(book), limit_of(book)
    power = trace(step, it_mw, SWING_STEP_S)
    ramp_mw_s, range_mw = allowed.ramp_share_s * connection_mw, allowed.range_share * connection_mw
    return Swings(
        swing=step,
        allowed=allowed,
        peak_mw=it_mw,
        low_mw=it_mw * step.low_share,
        steps=smoothing(power, SWING_STEP_S, ramp_mw_s, range_mw),
        floor_share=floor_share(power, range_mw),
        stop=ramp(it_mw, ramp_mw_s),
    )


def best(halls: Sequence[Hall]) -> Hall:
    """The design with the lowest annual PUE of those that hold their supply; of all if none does.

    Supply that is too warm in no more hours than a design extreme is exceeded (0.4 %) counts as held.
    """
    allowed = DESIGN_SHARE * HOURS_PER_YEAR
    holding = [one for one in halls if one.limit.hours <= allowed] or list(halls)
    return min(holding, key=lambda one: one.annual_pue)
