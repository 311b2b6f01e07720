"""The hours of a plan: what `dispatch` says of each, beside what load, PUE, sun and tariff make of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from gigawright.facility.profiles import profile_shapes

if TYPE_CHECKING:
    from gigawright.plan.check.case import Case

Hours = NDArray[np.float64]
DESIGNS = ("air", "liquid")
PLANTS = ("gas_turbine", "gas_combined", "gas_engine", "fuel_cell", "smr")
KINDS = ("solar", "wind", "battery", *PLANTS)
FLOWS = (
    "hour", "need_mw", "solar_mw", "wind_mw", "import_mw", "charge_mw", "discharge_mw", "stored_mwh",
    "shed_mw",
)  # fmt: skip


@dataclass(frozen=True)
class Season:
    """A site's hours of one quarter: what the tables say of each, and what it should be."""

    site: str
    q: int
    quarter: str
    flows: dict[str, Hours]
    need: Hours
    it_mw: Hours
    water_m3: Hours
    price: Hours
    cf: dict[str, Hours]
    contract: dict[str, float]

    @property
    def place(self) -> str:
        """How a message names it."""
        return f"{self.site} in {self.quarter}"


def plants_of(case: Case) -> tuple[str, ...]:
    """Kinds of plant that the study offers anywhere."""
    offered = {technology.kind for technology in case.catalogue.technologies.values()}
    return tuple(kind for kind in PLANTS if kind in offered)


def flows_of(case: Case) -> tuple[str, ...]:
    """Columns of `dispatch` beside those that say where and when."""
    return (*FLOWS, *(f"{kind}_mw" for kind in plants_of(case)))


def seasons(case: Case) -> tuple[Season, ...]:
    """Every site and quarter with rows in `dispatch`, its need made again from load, shape and PUE."""
    load = case.amounts("load", "mw", "site", "design", "profile", "quarter")
    contracts = case.amounts("contracts", "mw", "site", "technology", "quarter")
    shapes = {site: profile_shapes(case.catalogue, case.site(site)) for site in case.plans}
    found = []
    dispatch = case.tables["dispatch"].groupby(["site", "quarter"], observed=True, sort=False)
    for place, rows in dispatch:
        site, quarter = map(str, cast("tuple[str, str]", place))
        q, hours = case.names.index(quarter), case.facilities[site]
        here = case.quarters[q].hour_slice
        it, need, water = (np.zeros(here.stop - here.start) for _ in range(3))
        for design in DESIGNS:
            for profile, shape in shapes[site].items():
                mw = load.get((site, design, profile, quarter), 0.0) * shape[here]
                it += mw
                need += mw * hours.pue[design][here]
                water += mw * hours.wue_l_per_kwh[design][here]
        found.append(
            Season(
                site=site, q=q, quarter=quarter,
                flows={flow: rows[flow].to_numpy(float) for flow in flows_of(case)},
                need=need, it_mw=it, water_m3=water, price=_price(case, site)[here],
                cf={"solar": hours.solar_cf[here], "wind": hours.wind_cf[here]},
                contract={kind: contracts.get((site, kind, quarter), 0.0) for kind in KINDS},
            )
        )  # fmt: skip
    return tuple(found)


def _price(case: Case, site: str) -> Hours:
    """USD/MWh by hour of the year; a site of domestic systems alone pays the tariff for such halls."""
    hours = case.facilities[site]
    domestic = hours.price_domestic_usd_mwh if case.plans[site].domestic_only else None
    return np.asarray(hours.price_usd_mwh if domestic is None else domestic, float)
