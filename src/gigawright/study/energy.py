"""How a study's sites are powered, and the loads that `gigawright energy` sizes alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gigawright.study.fields import Intensity, MoneyField, PowerMW, RangedUnitPrice, Seconds, Share
from gigawright.study.strict import Strict
from gigawright.units import MOST_IT_MW

Gives = Literal["cap", "pause", "delay", "move"]
YEAR_S = 8760 * 3600.0
# Names that technologies, flows and columns of the tables have already.
TAKEN = {"grid", "it", "load", "pue", "price", "shed", "pause", "batch", "certificates"}
TAKEN |= {"solar", "wind", "battery", "gas_turbine", "gas_combined", "gas_engine", "fuel_cell", "smr"}
TAKEN_STARTS = (
    "cap_", "pause_", "batch_", "moved_", "power_", "charge", "discharge_", "energy_", "stored_", "owed_",
    "delay_", "catch_up_", "online_", "start_", "ready_", "in_", "out_", "left_",
)  # fmt: skip


def _once(what: str, names: Sequence[str]) -> None:
    """Refuse names that are seen twice."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{what} are named once each; seen twice: {', '.join(twice)}")


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


class Curtailable(Strict):
    """A connection that may be cut for some hours of the year, at the grid's dearest."""

    hours: Seconds = Field(description="time a year in which it may be cut, like 100 h")
    share: Share = Field(default=1.0, description="share of the connection that is taken")
    event: Seconds = Field(default=4 * 3600.0, description="length of one event")
    credit: RangedUnitPrice | None = Field(
        default=None, description="paid a year for what may be taken, like 40 USD per kW"
    )

    @model_validator(mode="after")
    def _by_power(self) -> Self:
        if self.credit is not None and self.credit.value[1] != "MW":
            raise ValueError(f"`credit` is a price per kW or MW, not per {self.credit.value[1]}")
        return self

    @model_validator(mode="after")
    def _within_a_year(self) -> Self:
        if self.hours > YEAR_S:
            raise ValueError(f"`hours` are of a year, at most 8,760 h, not {self.hours / 3600.0:,.6g}")
        if 0.0 < self.hours < self.event:
            raise ValueError("not one event fits into `hours`: say a shorter `event`")
        return self


class Agreement(Strict):
    """A power purchase agreement a site may sign, up to `most` of the plant."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="short name: a-z, 0-9 and _")
    kind: Literal["solar", "wind", "flat"] = Field(description="what gives the power; flat: the same always")
    price: RangedUnitPrice = Field(description="like 40 USD per MWh")
    most: PowerMW = Field(description="most MW of the plant")
    paid: Literal["as produced", "as taken"] = Field(
        default="as produced", description="whether all it gives is paid, or what is used"
    )

    @model_validator(mode="after")
    def _by_energy(self) -> Self:
        if self.price.value[1] != "MWh":
            raise ValueError(f"`price` is per MWh, not per {self.price.value[1]}")
        if self.name in TAKEN or self.name.startswith(TAKEN_STARTS):
            raise ValueError(f"{self.name!r} already names something else here; choose another name")
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
    curtailable: Curtailable | None = Field(default=None, description="hours in which the grid may be cut")
    agreements: list[Agreement] = Field(default_factory=list, description="power that may be bought ahead")
    weather: str | None = Field(default=None, description="weather file; default: made from the normals")
    prices: str | None = Field(
        default=None, description="CSV of hourly grid prices in USD/MWh; default: the site's tariff"
    )

    @model_validator(mode="after")
    def _a_load_with_its_agreements(self) -> Self:
        if self.it <= 0.0:
            raise ValueError("`it` is zero: a load that is powered draws power")
        if self.it > MOST_IT_MW:
            raise ValueError(f"`it` is {self.it:,.6g} MW; one place has at most {MOST_IT_MW:,.0f} MW")
        _once("agreements", [agreed.name for agreed in self.agreements])
        return self


class OutageCase(Strict):
    """A loss that every site must live through, at the hours when it would hurt most."""

    lost: str = Field(default="grid", description="source or battery that is lost, agreements with the grid")
    lasts: Seconds = Field(default=4 * 3600.0, description="how long, like 8 h")
    share: Share = Field(default=1.0, description="share of the load that must be carried")

    @model_validator(mode="after")
    def _within_a_year(self) -> Self:
        if self.lasts > YEAR_S:
            raise ValueError("`lasts` is longer than the year of hours that is looked at")
        return self


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

    @model_validator(mode="after")
    def _one_load_a_site(self) -> Self:
        _once("sites of `loads`", [load.site for load in self.loads])
        return self
