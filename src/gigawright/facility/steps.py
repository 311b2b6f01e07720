"""The hours of a site as the planning model sees them: typical days, and every hour.

The weather year and the tariff repeat every year, so each calendar quarter is chosen once and used in all
years.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.clock import Quarter
from gigawright.facility.dispatch.quarters import SiteSteps
from gigawright.facility.dispatch.typical import typical_days
from gigawright.facility.profiles import profile_shapes

if TYPE_CHECKING:
    from gigawright.catalogue.resolve import Catalogue
    from gigawright.facility.size import SiteHours

STEP_H = 3
PERIODS = 2
DESIGNS = ("air", "liquid")
TRACE = 1e-6
PROFILES = ("flat", "daily", "idle")


class SteppedYear:
    """Every site's year cut into the steps that each stage of the plan needs."""

    def __init__(
        self,
        facilities: Mapping[str, SiteHours],
        catalogue: Catalogue,
        quarters: tuple[Quarter, ...],
        domestic_only: Collection[str] = (),
    ) -> None:
        self.quarters = quarters
        self.labels = tuple(map(str, quarters))
        self._series = {
            name: _series(hours, profile_shapes(catalogue, catalogue.sites[name]), name in domestic_only)
            for name, hours in facilities.items()
        }

    def days(self) -> dict[str, SiteSteps]:
        """Two typical days a quarter in three-hour steps, for every site."""
        return {site: self._stepped(series) for site, series in self._series.items()}

    def hours(self, site: str) -> list[SiteSteps]:
        """Every hour of the horizon, one SiteSteps a quarter."""
        series = self._series[site]
        return [
            _site_steps(
                (str(quarter),),
                np.ones((1, quarter.hours)),
                1.0,
                np.zeros(quarter.hours, np.int64),
                {name: values[quarter.hour_slice][None] for name, values in series.items()},
            )
            for quarter in self.quarters
        ]

    def _stepped(self, series: Mapping[str, Floats]) -> SiteSteps:
        """Typical days of every quarter of the horizon; a quarter's choice is made once for all years."""
        chosen = {
            number: typical_days(series, quarter, count=PERIODS, step_h=STEP_H)
            for number, quarter in self._seasons()
        }
        picked = [chosen[quarter.number] for quarter in self.quarters]
        return _site_steps(
            self.labels,
            np.stack([typical.weight_h for typical in picked]),
            float(STEP_H),
            picked[0].cycle,
            {name: np.stack([typical.series[name] for typical in picked]) for name in series},
        )

    def _seasons(self) -> list[tuple[int, Quarter]]:
        """The calendar quarters the horizon holds, each once."""
        return sorted({quarter.number: quarter for quarter in self.quarters}.items())


def _series(hours: SiteHours, shapes: Mapping[str, Floats], domestic_only: bool) -> dict[str, Floats]:
    """A site's hourly series by name; halls for domestic systems only may have their own tariff."""
    own = hours.price_domestic_usd_mwh if domestic_only else None
    price = hours.price_usd_mwh if own is None else own
    found = {"solar_cf": hours.solar_cf, "wind_cf": hours.wind_cf, "price": price}
    for design in DESIGNS:
        found[f"pue:{design}"] = hours.pue[design]
        found[f"wue:{design}"] = hours.wue_l_per_kwh[design]
    return found | {f"shape:{profile}": shapes[profile] for profile in PROFILES}


def _site_steps(
    quarters: tuple[str, ...], weight: Floats, step_h: float, cycle: Ints, rows: Mapping[str, Floats]
) -> SiteSteps:
    return SiteSteps(
        quarters=quarters,
        weight_h=weight,
        step_h=step_h,
        cycle=np.asarray(cycle, np.int64),
        solar_cf=_without_traces(rows["solar_cf"]),
        wind_cf=_without_traces(rows["wind_cf"]),
        price_usd_mwh=rows["price"],
        pue={design: rows[f"pue:{design}"] for design in DESIGNS},
        wue_l_per_kwh={design: rows[f"wue:{design}"] for design in DESIGNS},
        shape={profile: rows[f"shape:{profile}"] for profile in PROFILES},
    )


def _without_traces(capacity_factor: Floats) -> Floats:
    """Capacity factors below a millionth set to zero: they only spoil the solver's scaling."""
    return np.where(capacity_factor < TRACE, 0.0, capacity_factor)
