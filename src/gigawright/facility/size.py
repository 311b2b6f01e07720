"""What a site makes of a MW of IT in every hour of the year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from gigawright.arrays import Floats
from gigawright.catalogue.types import Site
from gigawright.facility.cooling.electrical import pue
from gigawright.facility.cooling.systems import cooled, cooling_system
from gigawright.facility.supply.generation import solar_cf, wind_cf
from gigawright.facility.supply.tariff import hourly_price
from gigawright.facility.weather.synthetic import synthetic_year
from gigawright.facility.weather.year import WeatherYear

# Assumption: IT draws 80 % of a hall's design load. At lower load idle losses weigh more, fans less.
LOAD_SHARE = 0.80
DESIGNS = ("air", "liquid")


@dataclass(frozen=True, eq=False)
class SiteHours:
    """A site's coefficients by UTC hour, each (8760,) and read-only; PUE and WUE [l/kWh] by hall design.

    `solar_cf`, `wind_cf` are output per MW (0-1), prices USD/MWh; the domestic price is None where the site
    has no price of its own for halls with domestic accelerators only.
    """

    site: str
    weather: WeatherYear
    pue: Mapping[str, Floats]
    wue_l_per_kwh: Mapping[str, Floats]
    solar_cf: Floats
    wind_cf: Floats
    price_usd_mwh: Floats
    price_domestic_usd_mwh: Floats | None
    pue_cap: float | None

    @property
    def designs(self) -> tuple[str, ...]:
        """The hall designs there are."""
        return tuple(self.pue)

    @property
    def annual_pue(self) -> dict[str, float]:
        """Mean PUE of the year by design, under a constant load."""
        return {design: float(hours.mean()) for design, hours in self.pue.items()}

    @property
    def annual_wue(self) -> dict[str, float]:
        """Mean make-up water of the year by design [l/kWh of IT]."""
        return {design: float(hours.mean()) for design, hours in self.wue_l_per_kwh.items()}

    def meets_cap(self, design: str) -> bool:
        """Whether the design's annual PUE keeps within the site's cap; True where there is none."""
        return self.pue_cap is None or self.annual_pue[design] <= self.pue_cap


@lru_cache(maxsize=256)
def size(site: Site, designs: tuple[str, ...] = DESIGNS, seed: int = 0) -> SiteHours:
    """A site's hours from its monthly climate and tariff, for each hall design.

    designs: names of cooling systems. seed: of the synthetic year. The answer is kept: the same site costs
    nothing the second time.
    """
    weather = synthetic_year(
        site.climate,
        site.latitude,
        site.longitude,
        site.elevation_m,
        site.utc_offset_h,
        site.dry_bulb_extreme_c,
        site.wet_bulb_extreme_c,
        seed,
    )
    return size_with(site, weather, designs)


def size_with(site: Site, weather: WeatherYear, designs: tuple[str, ...] = DESIGNS) -> SiteHours:
    """The same with weather of one's own, read from an EPW file for example."""
    hours = {design: cooling_hours(design, weather) for design in designs}
    domestic = site.domestic_only_price_usd_mwh

    def price(mean_usd_mwh: float) -> Floats:
        return _frozen(hourly_price(mean_usd_mwh, site.tou_multiplier, site.utc_offset_h))

    return SiteHours(
        site=site.id,
        weather=weather,
        pue=MappingProxyType({design: found[0] for design, found in hours.items()}),
        wue_l_per_kwh=MappingProxyType({design: found[1] for design, found in hours.items()}),
        solar_cf=_frozen(solar_cf(weather, site.latitude, site.longitude)),
        wind_cf=_frozen(wind_cf(weather)),
        price_usd_mwh=price(site.price_usd_mwh),
        price_domestic_usd_mwh=None if domestic is None else price(domestic),
        pue_cap=site.pue_cap,
    )


def cooling_hours(design: str, weather: WeatherYear, load_share: float = LOAD_SHARE) -> tuple[Floats, Floats]:
    """PUE and WUE [l/kWh of IT] of a hall design in each hour of a year of weather. Two (8760,) arrays."""
    found = cooled(cooling_system(design), weather, load_share)
    return _frozen(pue(found.power_share, load_share)), _frozen(found.water_l_per_kwh)


def _frozen(values: Floats) -> Floats:
    values.flags.writeable = False
    return values
