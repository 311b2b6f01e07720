"""A place's halls as tables and as numbers for a program; names carry the units."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from gigawright.clock import HOURS_PER_YEAR
from gigawright.facility.ask import FacilityYear
from gigawright.facility.hall import NETWORK_C, PART_LOADS, Hall, Swings
from gigawright.facility.weather.hours import MONTH_NAMES
from gigawright.facts import FactBook

if TYPE_CHECKING:
    import pandas as pd

DIGITS = 6


def facility_tables(year: FacilityYear) -> dict[str, pd.DataFrame]:
    """designs, months, hours, part_load, sensitivity and, of several years, years; hours are UTC.

    Each has a column `cooling`.
    """
    import pandas as pd

    offset = year.found.place.utc_offset_h
    months = [
        pd.DataFrame({"cooling": one.name, "month": MONTH_NAMES, **one.months(offset)}) for one in year.halls
    ]
    part = [
        pd.DataFrame({"cooling": one.name, "load_share": PART_LOADS, "pue": one.part_load_pue})
        for one in year.halls
    ]
    return {
        "designs": pd.DataFrame([numbers(one, year.book, year.pue_cap) for one in year.halls]),
        "months": pd.concat(months, ignore_index=True),
        "hours": pd.concat([_hours(one) for one in year.halls], ignore_index=True),
        "part_load": pd.concat(part, ignore_index=True),
        "sensitivity": _sensitivity(year),
        **({"years": pd.DataFrame([asdict(each) for each in year.years])} if year.years else {}),
    }


def _hours(one: Hall) -> pd.DataFrame:
    import pandas as pd

    excess = np.maximum(one.cooled.air_excess_k, one.cooled.liquid_excess_k)
    return pd.DataFrame(
        {
            "cooling": one.name,
            "hour": np.arange(HOURS_PER_YEAR),
            "dry_bulb_c": one.weather.dry_bulb_c,
            "wet_bulb_c": one.weather.wet_bulb_c,
            "pue": one.pue,
            "wue_l_per_kwh": one.wue_l_per_kwh,
            "meter_mw": one.meter_mw,
            "too_warm_k": np.broadcast_to(excess, one.pue.shape),
        }
    )


def _sensitivity(year: FacilityYear) -> pd.DataFrame:
    import pandas as pd

    columns = ["cooling", "fact", "value", "low", "high", "unit", "pue_at_low", "pue_at_high", "source"]
    rows = [
        (
            one.name,
            e.fact.name,
            e.fact.value,
            e.fact.low,
            e.fact.high,
            e.fact.unit,
            e.at_low,
            e.at_high,
            e.fact.source,
        )
        for one in year.halls
        if one.sensitivity is not None
        for e in one.sensitivity.effects
    ]
    return pd.DataFrame(rows, columns=columns)


def numbers(one: Hall, book: FactBook, pue_cap: float | None = None) -> dict[str, float | str | bool | None]:
    """A design's year in numbers."""
    spread, limit, power, standby = one.sensitivity, one.limit, one.outages["all"], one.backup
    return {
        "cooling": one.name,
        "description": one.description,
        "it_mw": one.it_mw,
        "load_share": one.load_share,
        "pue": one.annual_pue,
        "pue_low": None if spread is None else spread.low,
        "pue_high": None if spread is None else spread.high,
        "pue_worst_hour": float(one.pue.max()),
        "pue_cap": pue_cap,
        "within_cap": None if pue_cap is None else one.annual_pue <= pue_cap,
        "wue_l_per_kwh": one.annual_wue,
        "water_m3": one.water_m3,
        "energy_mwh": one.energy_mwh,
        "peak_mw": one.peak_mw,
        "connection_full_halls_mw": one.full_mw,
        "too_warm_h": limit.hours,
        "too_warm_worst_k": limit.worst_k,
        "usable_heat_share": one.usable_heat_share,
        "return_c": one.return_c,
        f"heat_pump_share_to_{NETWORK_C:.0f}_c": one.lift_share(book),
        "chain": one.chain.id,
        "availability": power.availability,
        "minutes_without_power_year": power.minutes_year,
        "outages_year": power.events_year,
        "standby_sets": standby.sets,
        "standby_mw": standby.sets * standby.rating_mw,
        "fuel_m3": standby.fuel_m3,
        "fuel_m3_h": standby.fuel_m3_h,
        "tests_co2_t": standby.test_co2_t,
        "tests_nox_t": standby.test_nox_t,
        "batteries_mwh": standby.battery_mwh,
        **_swings(one.swings),
    }


def _swings(found: Swings | None) -> dict[str, float]:
    """A training job's swings in numbers; nothing where they were not known."""
    if found is None:
        return {}
    return {
        "swing_from_mw": found.peak_mw,
        "swing_to_mw": found.low_mw,
        "swing_storage_mw": found.steps.power_mw,
        "swing_storage_kwh": found.steps.energy_mwh * 1e3,
        "swing_floor_extra_energy_share": found.floor_share,
        "stop_storage_mw": found.stop.power_mw,
        "stop_storage_kwh": found.stop.energy_mwh * 1e3,
    }


def as_json(year: FacilityYear) -> dict[str, object]:
    """All of a place's year for a program: where, from what weather, each design's numbers and months."""
    place, asked, price = year.found.place, year.asked, year.price_usd_mwh
    return {
        "place": {
            "name": year.title,
            "site": asked.site or None,
            "latitude": place.latitude,
            "longitude": place.longitude,
            "elevation_m": place.elevation_m,
            "utc_offset_h": place.utc_offset_h,
        },
        "weather": year.found.kind,
        "notes": list(year.notes),
        "as_of": asked.as_of,
        "system": asked.system or None,
        "solar_cf": rounded(float(year.solar_cf.mean())),
        "wind_cf": rounded(float(year.wind_cf.mean())),
        "price_usd_mwh": None if price is None else rounded(float(price.mean())),
        "years": [asdict(each) for each in year.years],
        "halls": [_hall_json(one, year) for one in year.halls],
    }


def _hall_json(one: Hall, year: FacilityYear) -> dict[str, object]:
    months = one.months(year.found.place.utc_offset_h)
    effects = one.sensitivity.effects if one.sensitivity is not None else ()
    return {
        **{name: rounded(value) for name, value in numbers(one, year.book, year.pue_cap).items()},
        "months": {name: [rounded(float(value)) for value in values] for name, values in months.items()},
        "part_load": {
            "load_share": [rounded(float(share)) for share in PART_LOADS],
            "pue": [rounded(float(value)) for value in one.part_load_pue],
        },
        "sensitivity": [
            {
                "fact": effect.fact.name,
                "pue_at_low": rounded(effect.at_low),
                "pue_at_high": rounded(effect.at_high),
            }
            for effect in effects
        ],
    }


def rounded(value: float | str | bool | None) -> float | str | bool | None:
    """A number to six places, anything else as it is.

    >>> rounded(1.23456789), rounded(0.999988412), rounded("x")
    (1.234568, 0.999988, 'x')
    """
    return round(value, DIGITS) if isinstance(value, float) else value
