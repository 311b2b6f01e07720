"""A place's halls in words: rows of a table, sentences on sun, power, swings, and what PUE hangs on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gigawright.facility.ask import FacilityYear, YearOfHall
    from gigawright.facility.cooling.sensitivity import Effect
    from gigawright.facility.hall import Hall, Swings

KWH = 1e3


def rows_of(year: FacilityYear) -> list[tuple[str, list[str]]]:
    """Rows of (name with unit, one text a design)."""
    count = len(year.found.years)
    rows: list[tuple[str, Callable[[Hall], str]]] = [
        ("PUE, mean of the year", lambda one: f"{one.annual_pue:.3f}"),
        ("  range by what is assumed", spread),
        *([(f"  of {count} years of weather", lambda one: of_years(year, one))] if count > 1 else []),
        ("PUE, worst hour", lambda one: f"{one.pue.max():.3f}"),
        ("water [l/kWh of IT]", lambda one: f"{one.annual_wue:.2f}"),
        ("water a year [m3]", lambda one: f"{one.water_m3:,.0f}"),
        ("energy at the meter a year [GWh]", lambda one: f"{one.energy_mwh / 1e3:,.1f}"),
        ("peak at the meter [MW]", lambda one: f"{one.peak_mw:,.1f}"),
        (
            f"peak of full halls, {year.halls[0].design_it_mw:,.6g} MW of IT [MW]",
            lambda one: f"{one.full_mw:,.1f}",
        ),
        ("supply too warm [hours, worst K]", too_warm),
        ("heat that can be used [of IT, at C]", usable_heat),
        ("standby sets, fuel for a day [m3]", standby),
    ]
    if year.pue_cap is not None:
        rows.append((f"within the PUE cap of {year.pue_cap:g}", lambda one: _yes(one.annual_pue <= cap)))
        cap = year.pue_cap
    return [(name, [tell(one) for one in year.halls]) for name, tell in rows]


def _yes(true: bool) -> str:
    return "yes" if true else "no"


def spread(one: Hall) -> str:
    """The range of the year's PUE over what is assumed."""
    found = one.sensitivity
    return "not known" if found is None else f"{found.low:.3f} to {found.high:.3f}"


def of_years(year: FacilityYear, one: Hall) -> str:
    """The lowest and the highest annual PUE of several years."""
    found = [each.pue for each in _of(year, one)]
    return f"{min(found):.3f} to {max(found):.3f}"


def years_lines(year: FacilityYear) -> list[str]:
    """Each design's year with the highest draw, where there are several years."""
    return [_several(one, found) for one in year.halls if (found := _of(year, one))]


def _of(year: FacilityYear, one: Hall) -> list[YearOfHall]:
    return [each for each in year.years if each.cooling == one.name]


def _several(one: Hall, found: list[YearOfHall]) -> str:
    worst, warm = max(found, key=lambda each: each.peak_mw), max(found, key=lambda each: each.too_warm_h)
    told = f"{one.name} in {len(found)} years: highest draw {worst.peak_mw:,.1f} MW ({worst.label})"
    if not warm.too_warm_h:
        return told
    return f"{told}, too warm at most in {warm.too_warm_h:,} hours ({warm.label})"


def too_warm(one: Hall) -> str:
    """Hours in which a supply is not held."""
    limit = one.limit
    return f"{limit.hours:,}, {limit.worst_k:.1f}" if limit.hours else "never"


def usable_heat(one: Hall) -> str:
    """Share of IT heat in the racks' return, and how warm it is."""
    return "" if one.return_c is None else f"{one.usable_heat_share:.0%}, {one.return_c:.0f}"


def standby(one: Hall) -> str:
    """Standby sets and their fuel."""
    found = one.backup
    return f"{found.sets} x {found.rating_mw:g} MW, {found.fuel_m3:,.0f}"


def facility_lines(year: FacilityYear) -> list[str]:
    """The place's power, sun and wind in sentences."""
    one = year.halls[0]
    return [
        power_line(one),
        *([swing_line(one.swings)] if one.swings is not None else []),
        sun_line(year),
        *years_lines(year),
        *(f"heat of {one.name}: {line}" for one in year.halls if (line := heat_line(one, year))),
        *([needs_line(year)] if year.need is not None else []),
    ]


def power_line(one: Hall) -> str:
    """How often racks are without power."""
    power = one.outages["all"]
    return (
        f"power: {one.chain.name}; {power.availability:.4%} available, {power.minutes_year:,.1f} minutes a "
        f"rack a year, from failures of equipment alone; standby batteries {one.backup.battery_mwh:,.1f} "
        f"MWh, tests of the sets {one.backup.test_co2_t:,.0f} t CO2 a year"
    )


def swing_line(found: Swings) -> str:
    """What one training job over all IT does to the grid, and what smooths it."""
    steps, stop = found.steps, found.stop
    return (
        f"one training job over all IT: {found.peak_mw:,.0f} to {found.low_mw:,.0f} MW every "
        f"{found.swing.period_s:g} s; a grid that allows {found.allowed.range_share:.0%} of the connection "
        f"sees it smooth with {steps.power_mw:,.0f} MW and {steps.energy_mwh * KWH:,.0f} kWh of storage, or "
        f"with {found.floor_share:.0%} more energy; its stop needs {stop.energy_mwh * KWH:,.0f} kWh once"
    )


def sun_line(year: FacilityYear) -> str:
    """Sun and wind of the place, and its price where one is known."""
    told = f"solar {year.solar_cf.mean():.1%} and wind {year.wind_cf.mean():.1%} of their peak power"
    price = year.price_usd_mwh
    if price is None:
        return told
    hours = f" ({price.min():.1f} to {price.max():.1f} by the hour)" if price.min() < price.max() else ""
    return f"{told}; electricity {price.mean():.1f} USD/MWh{hours}"


def heat_line(one: Hall, year: FacilityYear) -> str:
    """What a heat network would take of the racks' return."""
    from gigawright.facility.hall import NETWORK_C

    lift = one.lift_share(year.book)
    if lift is None or one.return_c is None:
        return ""
    heat = one.usable_heat_share * one.it_mw
    if lift == 0.0:
        return f"{heat:,.0f} MW at {one.return_c:.0f} degrees, warm enough for a network of {NETWORK_C:.0f}"
    return (
        f"{heat:,.0f} MW at {one.return_c:.0f} degrees; a heat pump to a network of {NETWORK_C:.0f} draws "
        f"{lift * heat:,.0f} MW and gives {heat * (1.0 + lift):,.0f} MW"
    )


def needs_line(year: FacilityYear) -> str:
    """What the racks ask of the halls."""
    need = year.need
    if need is None:
        return ""
    air = f"air to the servers up to {need.inlet_max_c:g} degrees"
    if need.liquid_share == 0.0:
        return f"{need.name}: all heat to air, {air}"
    liquid = f"{need.liquid_share:.0%} of its heat to liquid, up to {need.coolant_max_c:g} degrees"
    return f"{need.name}: {liquid}; {air}"


def effect_line(effect: Effect) -> str:
    """What one fact's range does to the year's PUE."""
    fact = effect.fact
    unit = f" {fact.unit}" if fact.unit not in ("share", "ratio", "") else ""
    return (
        f"{fact.kind} {fact.name.replace('_', ' ').replace('.', ': ')} {fact.low:g} to {fact.high:g}{unit}: "
        f"PUE {effect.at_low:.3f} to {effect.at_high:.3f}"
    )
