"""What the catalogue hands to the stages: plain frozen records with units in their names."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field
from typing import Literal

from gigawright.clock import Quarter

Cooling = Literal["air", "liquid"]
TechnologyKind = Literal[
    "solar", "wind", "battery", "gas_turbine", "gas_combined", "gas_engine", "fuel_cell", "smr"
]


@dataclass(frozen=True, slots=True)
class Accelerator:
    """A chip as its data sheet has it; rates are dense. A missing rate is absent from `peak_tflops`.

    `peak_tflops` maps precision ("bf16", "fp16", "fp8", "int8", "fp4", "fp32") to TFLOP/s (TOP/s);
    `derived` names the precisions whose rate was derived, not published. `aliases` are other spellings of the
    name; `cores` counts the units that work on tiles of a product at once (streaming multiprocessors, compute
    units, matrix units); `host_gbs` is the link to host memory [GB/s, one direction]; `generation` names the
    architecture that calibrations share.
    """

    id: str
    name: str
    vendor: str
    made_for: str
    peak_tflops: dict[str, float]
    memory_gb: float
    memory_gbs: float
    scaleup_gbs: float | None
    scaleup_domain: int
    nic_gbps: float | None
    tdp_w: float | None
    die_mm2: float | None
    tpp: float | None
    derived: frozenset[str] = frozenset()
    aliases: tuple[str, ...] = ()
    cores: float | None = None
    host_gbs: float | None = None
    generation: str = ""


@dataclass(frozen=True, slots=True)
class System:
    """Something that can be bought or leased: a server, rack or pod, counted in accelerators.

    Prices are thousand USD an accelerator (= million USD a thousand accelerators).
    """

    id: str
    name: str
    accelerator: Accelerator
    accelerators: int
    kw_per_accelerator: float
    cooling: Cooling
    chip_kusd: float | None
    server_kusd: float
    network_kusd: float
    storage_kusd: float
    lead_quarters: int
    life_years: float
    prepay_share: float
    lease_usd_per_hour: float | None
    available_from: Quarter | None = None

    @property
    def price_kusd(self) -> float | None:
        """Chip + server + network + storage, before duty; None where the chip has no price."""
        if self.chip_kusd is None:
            return None
        return self.chip_kusd + self.server_kusd + self.network_kusd + self.storage_kusd


@dataclass(frozen=True, slots=True)
class MonthlyClimate:
    """Twelve monthly normals each, January first."""

    dry_bulb_mean_c: tuple[float, ...]
    dry_bulb_daily_max_c: tuple[float, ...]
    dry_bulb_daily_min_c: tuple[float, ...]
    relative_humidity_pct: tuple[float, ...]
    ghi_kwh_m2_day: tuple[float, ...]
    wind_speed_10m_ms: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """A place to build: location, climate, tariff, rules and costs. Money in USD, emissions in t CO2/MWh."""

    id: str
    name: str
    country: str
    latitude: float
    longitude: float
    elevation_m: float
    utc_offset_h: float
    climate: MonthlyClimate
    dry_bulb_extreme_c: float
    wet_bulb_extreme_c: float
    price_usd_mwh: float
    tou_multiplier: tuple[float, ...]
    demand_charge_usd_kw_month: float
    emission_t_mwh: float
    green_share_min: float
    green_premium_usd_mwh: float
    pue_cap: float | None
    grid_lead_quarters: int
    hall_lead_quarters: int
    build_musd_mw: float
    grid_musd_mw: float
    water_usd_m3: float
    domestic_only_price_usd_mwh: float | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """Users: how many, on which clock, and where they may be served."""

    id: str
    name: str
    users_m: float
    assistant_share: float
    utc_offset_h: float
    hourly_shape: tuple[float, ...]
    residency: str
    rtt_ms: dict[str, float]


@dataclass(frozen=True, slots=True)
class Pool:
    """A scarce source of systems: what it covers and how much it has given, in all, by each quarter [kacc].

    `mode` is "buy" or "lease"; for a lease the cap is the stock on lease, not a running total.
    """

    id: str
    name: str
    mode: Literal["buy", "lease"]
    systems: frozenset[str]
    countries: frozenset[str]
    cap_kacc: dict[Quarter, float]
    licence: bool = False
    duty_share: float = 0.0


@dataclass(frozen=True, slots=True)
class Role:
    """A kind of staff in a labour market; pay in thousand USD a year, all-in."""

    id: str
    name: str
    market: str
    pay_kusd: float
    attrition_per_quarter: float
    hire_max_per_quarter: float
    initial: float
    per_mw: float = 0.0
    per_kacc: float = 0.0
    per_programme: float = 0.0


@dataclass(frozen=True, slots=True)
class Technology:
    """Generation or storage: what it costs, and how it runs.

    `efficiency` is the round trip of a battery, or electricity over fuel (higher heating value) of a plant.
    `capex_usd_kw` of a battery is per kW at its `hours`; `energy_capex_usd_kwh` is the part of it that grows
    with the hours (None: not known apart). Plants: `fuel_usd_mwh` and `fuel_emission_t_mwh` are of a MWh of
    fuel, `energy_cost_usd_mwh` is operation beside fuel; `least_share` of what is on line must run,
    `ramp_share_h` of capacity may change in an hour, `start_usd_mw` brings a MW on line, `available_share` of
    the year it can run; `lead_quarters` from order to power. `wear_usd_mwh` is paid on what a battery gives.
    """

    id: str
    kind: TechnologyKind
    capex_usd_kw: float
    om_usd_kw_year: float
    life_years: float
    country: str = ""
    hours: float = 0.0
    efficiency: float = 1.0
    energy_capex_usd_kwh: float | None = None
    fuel_usd_mwh: float = 0.0
    fuel_emission_t_mwh: float = 0.0
    energy_cost_usd_mwh: float = 0.0
    least_share: float = 0.0
    ramp_share_h: float = math.inf
    start_usd_mw: float = 0.0
    available_share: float = 1.0
    lead_quarters: int = 0
    wear_usd_mwh: float = 0.0

    @property
    def energy_usd_mwh(self) -> float:
        """What a MWh of electricity costs beside capacity: fuel and operation."""
        return self.fuel_usd_mwh / self.efficiency + self.energy_cost_usd_mwh

    @property
    def emission_t_mwh(self) -> float:
        """CO2 of a MWh of electricity [t]."""
        return self.fuel_emission_t_mwh / self.efficiency

    @property
    def power_capex_usd_kw(self) -> float:
        """Capital of a kW without what grows with a battery's hours; all of it where that is not known."""
        return self.capex_usd_kw - self.hours * (self.energy_capex_usd_kwh or 0.0)


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What the dated rules say of one accelerator, buyer and place: an answer, and the rule that gives it."""

    verdict: Literal["free", "review", "denied"]
    rule: str
    reason: str
    as_of: dt.date
    duty_share: float = 0.0
    details: dict[str, float] = field(default_factory=dict)
