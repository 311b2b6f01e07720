"""A place's halls over a year as one offline page, and as a folder of page and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from gigawright import __version__, tables
from gigawright.facility.ask import FacilityYear
from gigawright.facility.hall import Hall, best, year_of
from gigawright.facility.hall_tables import as_json, facility_tables
from gigawright.facility.weather.hours import MONTH_NAMES
from gigawright.report import charts_facility as charts
from gigawright.report import facility_text as words
from gigawright.report.frame import framed
from gigawright.report.html import Column, Html, Piece, el, table
from gigawright.report.parts import Report, Section, bullets, more, tile


def write_facility(year: FacilityYear, out: Path) -> None:
    """Write the page of `gigawright facility`. Raises OutputError."""
    tables.write_text(out, page(year))


def write_facility_folder(year: FacilityYear, folder: Path) -> None:
    """Write page, tables and all numbers into a folder that appears whole. Raises OutputError."""
    made = facility_tables(year)

    def fill(place: Path) -> None:
        tables.write_json(
            place / "run.json", {"gigawright": __version__, "kind": "facility", **as_json(year)}
        )
        tables.write_tables(place, made)
        write_facility(year, place / "report.html")

    tables.write_folder_atomically(folder, fill)


def page(year: FacilityYear) -> str:
    """The page as HTML: it works offline and asks nothing of another machine."""
    drawing = Report(())
    sections = [
        _designs(drawing, year),
        *(_hall(drawing, year, one) for one in year.halls),
        _weather(drawing, year),
        _power(drawing, year),
        _method(year),
    ]
    return framed(year.title, "facility", _summary(year), sections)


def _summary(year: FacilityYear) -> Html:
    one = best(year.halls)
    count = len(year.halls)
    eyebrow = f"Facility · {count} design{'' if count == 1 else 's'} · 8,760 hours"
    lede = (
        f"{one.it_mw:,.6g} MW of IT draw {one.energy_mwh / 1e3:,.0f} GWh a year at the meter, cooled by "
        f"{_plain(one.name)}{' (of the designs asked the one with the lowest PUE)' if count > 1 else ''}."
    )
    power = one.outages["all"]
    rows = [
        ("PUE", f"{one.annual_pue:.3f}", f"{words.spread(one)} by what is assumed; {_cap(year, one)}"),
        ("Water", f"{one.annual_wue:.2f} l/kWh", f"of IT; {one.water_m3:,.0f} m3 a year"),
        ("Peak", f"{one.peak_mw:,.1f} MW", f"at the meter; {one.full_mw:,.1f} MW when the halls are full"),
        ("Too warm", *_too_warm(one)),
        ("Heat", f"{one.usable_heat_share * one.it_mw:,.0f} MW", _heat(one)),
        (
            "Without power",
            f"{power.minutes_year:,.1f} min",
            f"a rack a year, by equipment alone; {one.backup.sets} x {one.backup.rating_mw:g} MW stand by",
        ),
    ]
    head = el(
        "header",
        el("p", eyebrow, cls="eyebrow"),
        el("h1", year.title),
        el("p", lede, cls="lede"),
        cls="hero",
    )
    tiles = el("dl", [tile(*row) for row in rows], cls="tiles")
    return el("section", head, tiles, id="summary", aria_label="Summary", style="padding-top:0")


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _cap(year: FacilityYear, one: Hall) -> str:
    if year.pue_cap is None:
        return f"{one.pue.max():.3f} in the worst hour"
    kept = "within" if one.annual_pue <= year.pue_cap else "above"
    return f"{kept} the place's cap of {year.pue_cap:g}"


def _too_warm(one: Hall) -> tuple[str, str]:
    limit = one.limit
    if not limit.hours:
        return "never", "supply temperatures are held in every hour"
    hours = f"{limit.hours:,} {'hour' if limit.hours == 1 else 'hours'}"
    return hours, f"of the year, by {limit.worst_k:.1f} K at the worst: racks must bear it, or throttle"


def _heat(one: Hall) -> str:
    return "" if one.return_c is None else f"comes back from the racks at {one.return_c:.0f} degrees"


def _designs(drawing: Report, year: FacilityYear) -> Section:
    columns = [Column("The year"), *(Column(_plain(one.name), "", "number") for one in year.halls)]
    rows: list[Sequence[Piece]] = [(name.strip(), *cells) for name, cells in words.rows_of(year)]
    body = [
        table("The year in numbers", columns, rows, "compare"),
        drawing.chart(
            "duration",
            charts.duration(year.halls),
            "How long PUE is high",
            "PUE of each hour of the year, sorted.",
        ),
        drawing.chart(
            "part-load",
            charts.part_load(year.halls),
            "Halls that are not full",
            "Mean PUE of the year at other loads: idle losses on the left, fans on the right; the load asked "
            "is marked.",
        ),
    ]
    one = year.halls[0]
    intro = (
        f"IT draws {one.it_mw:,.6g} MW all year, {one.load_share:.0%} of what the halls are made for "
        f"({one.design_it_mw:,.6g} MW)."
    )
    return Section("designs", "Designs", intro, body)


def _hall(drawing: Report, year: FacilityYear, one: Hall) -> Section:
    offset = year.found.place.utc_offset_h
    body: list[Piece] = [
        drawing.chart(
            f"heat-{one.name}",
            charts.heat_map(one, offset),
            "PUE of every hour",
            "Days of the year across, hours of local time upwards.",
            wide=True,
        ),
        _months(year, one),
    ]
    if one.sensitivity is not None:
        body.append(
            drawing.chart(
                f"tornado-{one.name}",
                charts.tornado(one.sensitivity),
                "What each assumption is worth",
                f"The year's PUE with one fact at the ends of its range, all others as stated; together "
                f"{words.spread(one)}.",
            )
        )
        lines = [words.effect_line(effect) for effect in one.sensitivity.effects]
        body.append(more("All assumptions that move it", bullets(lines)))
    return Section(
        f"design-{one.name}",
        _plain(one.name).capitalize(),
        f"{one.description[0].upper()}{one.description[1:]}.",
        body,
    )


def _months(year: FacilityYear, one: Hall) -> Html:
    months = one.months(year.found.place.utc_offset_h)
    columns = [
        Column("Month"),
        Column("PUE", "", "number"),
        Column("Worst hour", "", "number"),
        Column("Peak", "MW", "number"),
        Column("Energy", "GWh", "number"),
        Column("Water", "m3", "number"),
        Column("Usable heat", "GWh", "number"),
        Column("Too warm", "h", "number"),
    ]
    rows: list[Sequence[Piece]] = [
        (name, *_cells({key: float(values[i]) for key, values in months.items()}))
        for i, name in enumerate(MONTH_NAMES)
    ]
    return table("Months of local time", columns, [*rows, ("Year", *_cells(year_of(months)))], "totalled")


def _cells(numbers: Mapping[str, float]) -> list[str]:
    return [
        f"{numbers['pue']:.3f}",
        f"{numbers['pue_high']:.3f}",
        f"{numbers['peak_mw']:,.1f}",
        f"{numbers['energy_mwh'] / 1e3:,.1f}",
        f"{numbers['water_m3']:,.0f}",
        f"{numbers['heat_mwh'] / 1e3:,.1f}",
        f"{numbers['short_h']:,.0f}",
    ]


def _weather(drawing: Report, year: FacilityYear) -> Section:
    offset, weather = year.found.place.utc_offset_h, year.found.weather
    sun = words.sun_line(year)
    body = [
        drawing.chart(
            "overhead",
            charts.overhead(year.halls, offset),
            "Cooling and losses by month",
            "Energy at the meter that is not IT's.",
        ),
        drawing.chart(
            "water", charts.water(year.halls, offset), "Water by month", "Make-up, blowdown included."
        ),
        drawing.chart(
            "wet-bulb",
            charts.against_wet_bulb(year.halls),
            "PUE against the wet bulb",
            "Every seventh hour of the year; what evaporates follows the wet bulb, what does not scatters.",
        ),
    ]
    intro = (
        f"Dry bulb {weather.dry_bulb_c.min():.1f} to {weather.dry_bulb_c.max():.1f} degrees, wet bulb up to "
        f"{weather.wet_bulb_c.max():.1f}. {sun[0].upper()}{sun[1:]}."
    )
    return Section("weather", "Weather, water and months", intro, body)


def _power(drawing: Report, year: FacilityYear) -> Section:
    one = best(year.halls)
    causes = {
        "grid": "grid and standby sets",
        "units": "units of the chain",
        "path": "busways",
        "all": "together",
    }
    columns = [
        Column("Cause"),
        Column("Outages", "1/year", "number"),
        Column("A rack without power", "min/year", "number"),
    ]
    rows: list[Sequence[Piece]] = [
        (told, f"{one.outages[cause].events_year:.4f}", f"{one.outages[cause].minutes_year:,.2f}")
        for cause, told in causes.items()
    ]
    body = [
        table(f"{one.chain.name}: outages by cause", columns, rows),
        table("Standby power", [Column("What"), Column("How much", "", "number")], _standby(one)),
        *_swing(drawing, one),
    ]
    intro = (
        f"For {_plain(one.name)}. Equipment alone: people cause most outages that operators report. "
        "Limits of swings are each connection's own."
    )
    return Section("power", "Power behind the meter", intro, body)


def _swing(drawing: Report, one: Hall) -> list[Html]:
    """A training job's swings, where they were known."""
    if one.swings is None:
        return []
    told = words.swing_line(one.swings)
    figure = charts.swing(one.swings)
    return [drawing.chart("swing", figure, "Two steps of a training job", f"{told[0].upper()}{told[1:]}.")]


def _standby(one: Hall) -> list[Sequence[Piece]]:
    found = one.backup
    return [
        ("Diesel sets", f"{found.sets} of {found.rating_mw:g} MW"),
        ("Load to carry [MW]", f"{found.load_mw:,.1f}"),
        ("Fuel on site [m3]", f"{found.fuel_m3:,.0f}"),
        ("Fuel an hour of outage [m3]", f"{found.fuel_m3_h:,.1f}"),
        ("Batteries until sets run [MWh]", f"{found.battery_mwh:,.1f}"),
        ("Tests a year: CO2 [t], NOx [t]", f"{found.test_co2_t:,.0f}, {found.test_nox_t:,.1f}"),
    ]


def _method(year: FacilityYear) -> Section:
    used = year.book.used
    assumed = sum(fact.confidence == "assumption" for fact in used)
    heats = [f"{one.name}: {line}." for one in year.halls if (line := words.heat_line(one, year))]
    needs = words.needs_line(year)
    lines: list[Piece] = [
        f"Weather: {year.found.kind}; {year.found.place.latitude:.2f}, {year.found.place.longitude:.2f}, "
        f"{year.found.place.elevation_m:,.0f} m above the sea.",
        "PUE by hour from dry and wet bulb: fans, pumps, pads, chillers and the losses of the power chain at "
        "their load; docs/cooling.md has the equations.",
        [
            f"It rests on {len(used):,} facts, {assumed:,} of them assumptions: ",
            el("code", "gigawright catalogue why"),
            " tells each one's source.",
        ],
        [
            "What operators report is often higher: older halls, emptier halls, cooler supply. ",
            el("code", "gigawright predict pue"),
            " predicts that.",
        ],
        *([f"{needs}."] if needs else []),
        *(f"Heat of {line}" for line in heats),
        *(f"{line}." for line in words.years_lines(year)),
        *(f"{note}." for note in year.notes),
    ]
    return Section("method", "How to read this", "", [bullets(lines)])
