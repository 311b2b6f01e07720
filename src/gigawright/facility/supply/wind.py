"""Output of a wind farm by hour: the wind at the hub through a named turbine's curve."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np

from gigawright.arrays import Floats
from gigawright.facility.weather.year import WeatherYear

STANDARD_DENSITY = 1.225
GAS_CONSTANT_DRY, GAS_CONSTANT_VAPOUR = 287.05, 461.5
MEASURED_AT_M = 10.0
# Assumption: over an hour the wind spreads by 12 % about its mean. Makers measure over ten minutes of much
# the same spread, so only the steady curves of reference designs are averaged over it.
TURBULENCE = 0.12
LAST_SPEED_MS = 40.0


@dataclass(frozen=True, eq=False)
class Turbine:
    """A turbine of the table: its curve is output (0-1) at the wind of its hub [m/s], air of 1.225 kg/m3.

    `steady`: the curve of a design in even wind, not one measured over ten minutes.
    """

    id: str
    name: str
    rated_kw: float
    rotor_m: float
    hub_m: float
    steady: bool
    source: str
    speeds_ms: Floats
    output: Floats

    @property
    def specific_w_m2(self) -> float:
        """Rated power over swept area: low for machines made for little wind."""
        return self.rated_kw * 1e3 / (np.pi / 4.0 * self.rotor_m**2)


@dataclass(frozen=True)
class WindFarm:
    """How a farm stands. `hub_m` None: the turbine's own.

    `shear` is the exponent of the power law over height (IEC 61400-1:2019, normal wind profile over land:
    0.2). `siting`: speed at the farm over speed at the station, because farms stand where it blows
    (assumption 1, 0.9 to 1.25; docs/supply.md has what is known). `loss`: wakes, availability, cables
    (assumption 0.15; NREL's Annual Technology Baseline 2024 takes 0.15 to 0.17).
    """

    turbine: str = "nrel_6mw_170"
    hub_m: float | None = None
    shear: float = 0.2
    siting: float = 1.0
    loss: float = 0.15


MODERN = WindFarm()


@lru_cache(maxsize=1)
def turbines() -> dict[str, Turbine]:
    """Turbines by name, as in turbines.csv beside this module.

    >>> sorted(turbines())[:2], round(turbines()["nrel_6mw_170"].specific_w_m2)
    (['enercon_e141_4200', 'iea_3mw_130'], 264)
    """
    text = files("gigawright.facility.supply").joinpath("turbines.csv").read_text(encoding="utf-8")
    return {row["turbine"]: _turbine(row) for row in csv.DictReader(text.splitlines())}


def _turbine(row: dict[str, str]) -> Turbine:
    points = np.array([[float(cell) for cell in point.split(":")] for point in row["curve"].split()])
    return Turbine(
        id=row["turbine"],
        name=row["name"],
        rated_kw=float(row["rated_kw"]),
        rotor_m=float(row["rotor_m"]),
        hub_m=float(row["hub_m"]),
        steady=row["curve_kind"] == "steady",
        source=row["source"],
        speeds_ms=points[:, 0],
        output=points[:, 1],
    )


def turbine(name: str) -> Turbine:
    """A turbine of the table; raises ValueError naming those there are."""
    if name not in turbines():
        raise ValueError(f"unknown turbine {name!r}; there are {', '.join(sorted(turbines()))}")
    return turbines()[name]


@lru_cache(maxsize=32)
def power_curve(name: str = MODERN.turbine) -> tuple[Floats, Floats]:
    """Wind speeds [m/s] and output (0-1) of a turbine over an hour, at standard density.

    A steady curve is averaged over a normal spread of speeds of 12 %; one that was measured is taken as it
    is. Outside the table a turbine stands still.

    >>> speeds, output = power_curve()
    >>> round(float(np.interp(7.0, speeds, output)), 2)
    0.39
    """
    chosen = turbine(name)
    speeds = np.arange(0.0, LAST_SPEED_MS + 0.01, 0.1)
    output = np.interp(speeds, chosen.speeds_ms, chosen.output, left=0.0, right=0.0)
    if chosen.steady:
        width = np.maximum(TURBULENCE * speeds, 0.05)[:, None]
        spread = np.exp(-0.5 * ((speeds[None, :] - speeds[:, None]) / width) ** 2)
        output = (spread * output).sum(axis=1) / spread.sum(axis=1)
    return speeds, output


def air_density(weather: WeatherYear) -> Floats:
    """Density of moist air [kg/m3] from pressure, temperature and humidity ratio, by the ideal gas law."""
    kelvin = weather.dry_bulb_c + 273.15
    mixed = GAS_CONSTANT_DRY + weather.humidity_ratio * GAS_CONSTANT_VAPOUR
    return np.asarray(weather.pressure_pa * (1.0 + weather.humidity_ratio) / (mixed * kelvin))


def wind_output(weather: WeatherYear, farm: WindFarm = MODERN) -> Floats:
    """Wind farm output per MW by UTC hour. Shape (8760,), 0 to 1.

    v_hub = siting x v_10 (hub / 10)^shear, scaled by (rho / 1.225)^(1/3) for the density of the air
    (IEC 61400-12-1), through the turbine's curve, less the losses. The wind is the station's at 10 m, often
    of an airport: `siting` says how much better the farm stands. Raises ValueError on an unknown turbine.
    """
    hub_m = turbine(farm.turbine).hub_m if farm.hub_m is None else farm.hub_m
    hub = weather.wind_speed_ms * (farm.siting * (hub_m / MEASURED_AT_M) ** farm.shear)
    equivalent = hub * (air_density(weather) / STANDARD_DENSITY) ** (1.0 / 3.0)
    return np.asarray((1.0 - farm.loss) * np.interp(equivalent, *power_curve(farm.turbine)))
