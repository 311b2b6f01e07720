"""How a study's sites are powered, and the loads that `gigawright energy` sizes alone."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gigawright.study.fields import Intensity, MoneyField, PowerMW, RangedUnitPrice, Seconds, Share
from gigawright.study.strict import Strict

Gives = Literal["cap", "pause", "delay", "move"]


class Flexible(Strict):
    """What a load can give when power is short or dear.

    `cap`: accelerators run slower, along their performance at lower power; `pause`: work stops and is lost;
    `delay`: it is done later, within `hours`; `move`: it goes to another site of the study in the same hour.
    """

    how: Gives
    share: Share = Field(default=1.0, description="share of the load that may give")
    hours: Seconds = Field(default=6 * 3600.0, description="for `delay`: how long work may wait, like 6 h")
    value: RangedUnitPrice | None = Field(
        default=None,
        description="worth of a MWh of IT that is not done (cap, pause), like 800 USD per MWh; default: what "
        "shed load costs",
    )

    @model_validator(mode="after")
    def _by_energy(self) -> Self:
        if self.value is not None and self.value.value[1] != "MWh":
            raise ValueError(f"`value` is a price per MWh, not per {self.value.value[1]}")
        return self


class EnergyLoad(Strict):
    """A load that `gigawright energy` powers: so much IT at a site, and what it may give."""

    site: str = Field(description="site of the study")
    it: PowerMW = Field(description="IT power at the profile's peak")
    cooling: str = Field(default="air", description="cooling system, like air, liquid or chiller")
    profile: Literal["flat", "daily"] = Field(default="flat", description="flat, or as users' traffic")
    connection: PowerMW | None = Field(
        default=None, description="grid connection; default: what stands at the site, else as needed"
    )
    flexible: list[Flexible] = Field(default_factory=list, description="what the load can give")
    weather: str | None = Field(default=None, description="weather file; default: made from the normals")
    prices: str | None = Field(
        default=None, description="CSV of hourly grid prices; default: the site's tariff"
    )


class OutageCase(Strict):
    """A loss that every site must live through, at the hours when it would hurt most."""

    lost: str = Field(default="grid", description="source that is lost")
    lasts: Seconds = Field(default=4 * 3600.0, description="how long, like 8 h")
    share: Share = Field(default=1.0, description="share of the load that must be carried")


class Energy(Strict):
    """How sites may be powered, besides the grid."""

    technologies: list[str] = Field(
        default_factory=list, description="technologies of the catalogue to contract"
    )
    max_solar: PowerMW = Field(default=5000.0, description="most solar a site")
    max_wind: PowerMW = Field(default=5000.0, description="most wind a site")
    max_battery: PowerMW = Field(default=5000.0, description="most battery a site")
    max_plants: PowerMW = Field(
        default=5000.0, description="most of each kind of plant a site: gas, fuel cells, small reactors"
    )
    carbon_price: MoneyField | None = Field(default=None, description="price of a tonne of CO2")
    carbon_limit: Intensity | None = Field(
        default=None, description="`gigawright energy`: most CO2 a MWh of load over all sites, like 200 g/kWh"
    )
    clean_share: Share | None = Field(
        default=None,
        description="`gigawright energy`: least clean share of consumption; default: each site's rule",
    )
    matching: Literal["hourly", "yearly"] = Field(
        default="hourly", description="whether clean power counts in its hour only, or over the year"
    )
    reserve: Share = Field(
        default=0.0, description="`gigawright energy`: share of the load that stands ready in every hour"
    )
    outages: list[OutageCase] = Field(
        default_factory=list, description="`gigawright energy`: losses every site must live through"
    )
    loads: list[EnergyLoad] = Field(
        default_factory=list,
        description="`gigawright energy`: loads to power; default: the halls that stand at each site",
    )
    shed_price: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="USD a MWh of load that is not served; default: the catalogue's"
    )
