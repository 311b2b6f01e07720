"""Work from the sentence: who works where, what is served to whom, what is trained, the load it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Any

from gigawright.clock import Quarter
from gigawright.plan.check.case import LEASE, OWN, THOUSAND, Case, above, differ, told
from gigawright.plan.check.hours import DESIGNS
from gigawright.workloads.demand import Stream

SECONDS_PER_HOUR = 3600.0
EUROPE = frozenset(
    {
        "Austria", "Belgium", "Bulgaria", "Croatia", "Cyprus", "Czechia", "Denmark", "Estonia", "Finland",
        "France", "Germany", "Greece", "Hungary", "Iceland", "Ireland", "Italy", "Latvia", "Liechtenstein",
        "Lithuania", "Luxembourg", "Malta", "Netherlands", "Norway", "Poland", "Portugal", "Romania",
        "Slovakia", "Slovenia", "Spain", "Sweden",
    }
)  # fmt: skip
"""Where the GDPR holds: the European Economic Area (EEA Joint Committee decision 154/2018)."""


def work_only_with_what_stands(case: Case) -> Iterator[str]:
    """In each zone, the accelerators of a system at work in all phases <= those that stand there."""
    stands = case.amounts("fleet", "accelerators", "site", "system", "tenure", "quarter")
    busy = case.amounts("work", "accelerators", "zone", "system", "tenure", "quarter")
    for (zone, system, tenure, quarter), working in busy.items():
        there = sum(stands.get((site, system, tenure, quarter), 0.0) for site in case.zones[zone])
        if above(working, there, THOUSAND):
            place = f"{system} ({tenure}) in {zone} in {quarter}"
            yield told(place, working, "at work", there, "stand there", "accelerators")


def work_only_where_it_can_be_done(case: Case) -> Iterator[str]:
    """A system works only at phases it can do, and at a training run only between its start and its date."""
    busy = case.amounts("work", "accelerators", "zone", "system", "phase", "quarter")
    for (zone, system, phase, quarter), working in busy.items():
        if not above(working, 0.0, THOUSAND):
            continue
        place = f"{phase} on {system} in {zone} in {quarter}"
        found = case.performance.table[phase, system]
        if found.work_per_s <= 0.0:
            yield f"{place}: {working:,.7g} accelerators at work it cannot do ({found.refused})"
        run = case.programmes.get(phase)
        if run is not None and not run.start <= Quarter.parse(quarter) <= run.due:
            yield f"{place}: {working:,.7g} accelerators outside the run's {run.start} to {run.due}"


def work_done_covers_work_promised(case: Case) -> Iterator[str]:
    """In each zone and phase, what its accelerators do a second at the peak >= what is served from it."""
    served = case.amounts("service", "served_peak_per_s", "zone", "workload", "quarter")
    busy = case.amounts("work", "accelerators", "zone", "phase", "quarter", "system")
    done: dict[tuple[str, str, str], float] = {}
    for (zone, phase, quarter, system), working in busy.items():
        rate = case.rate_per_s(phase, system, case.names.index(quarter))
        done[zone, phase, quarter] = done.get((zone, phase, quarter), 0.0) + working * rate
    for (zone, workload, quarter), peak in served.items():
        for part, each in case.streams[workload].per_unit.items():
            phase = f"{workload}.{part}"
            needed, got = peak * each, done.get((zone, phase, quarter), 0.0)
            if above(needed, got, _thousand(case, phase)):
                place = f"{phase} in {zone} in {quarter}"
                yield told(place, got, "done", needed, "promised", f"{case.phases[phase].unit}s a second")


def _thousand(case: Case, phase: str) -> float:
    """The unit of a rule on work: what a thousand accelerators of the middling system do a second."""
    rates = [case.rate_per_s(phase, system, 0) for system in case.catalogue.systems]
    able = [rate for rate in rates if rate > 0.0]
    return median(able) * THOUSAND if able else 1.0


def demand_is_what_users_ask(case: Case) -> Iterator[str]:
    """The demand of the tables is the study's own, at the peak and over the quarter."""
    peaks = case.amounts("demand", "demand_peak_per_s", "workload", "region", "quarter")
    totals = case.amounts("demand", "demanded", "workload", "region", "quarter")
    for name, stream in case.streams.items():
        unit = _thousand(case, _last_phase(case, stream))
        for r, region in enumerate(stream.regions):
            for q, quarter in enumerate(case.names):
                due, got = float(stream.peak[r, q]), peaks.get((name, region, quarter), 0.0)
                place = f"{name} of {region} in {quarter}"
                if differ(got, due, unit):
                    yield told(place, got, "a second at the peak", due, "asked for", f"{stream.unit}s")
                seconds, volume = _peak_seconds(case, stream, r, q), totals.get((name, region, quarter), 0.0)
                if differ(volume, due * seconds, unit * seconds):
                    yield told(place, volume, "said", due * seconds, "asked for", f"{stream.unit}s")


def _last_phase(case: Case, stream: Stream) -> str:
    """The phase whose unit the stream is counted in."""
    return f"{stream.workload}.{list(stream.per_unit)[-1]}"


def _peak_seconds(case: Case, stream: Stream, region: int, q: int) -> float:
    """Seconds at the peak rate that make the quarter's volume: its hours x mean over peak."""
    return SECONDS_PER_HOUR * case.quarters[q].hours * float(stream.mean_share[region])


def all_demand_is_served_or_counted_unmet(case: Case) -> Iterator[str]:
    """At each region's peak, what all zones serve + what is counted unmet = what is asked for."""
    served = case.amounts("service", "served_peak_per_s", "workload", "region", "quarter")
    unmet = case.amounts("demand", "unmet", "workload", "region", "quarter")
    for name, stream in case.streams.items():
        unit = _thousand(case, _last_phase(case, stream))
        for r, region in enumerate(stream.regions):
            for q, quarter in enumerate(case.names):
                missing = unmet.get((name, region, quarter), 0.0) / _peak_seconds(case, stream, r, q)
                got, asked = served.get((name, region, quarter), 0.0) + missing, float(stream.peak[r, q])
                if differ(got, asked, unit):
                    place = f"{name} of {region} in {quarter}"
                    yield told(place, got, "a second served or unmet", asked, "asked for", f"{stream.unit}s")


def what_is_served_is_added_up(case: Case) -> Iterator[str]:
    """The quarter's volumes and their worth follow from the peak rates and the study's prices."""
    for row in case.rows("demand"):
        due, place = row.unmet * case.streams[row.workload].worth_usd * 1e-6, _users(row)
        if differ(row.worth_lost_musd, due):
            yield told(place, row.worth_lost_musd, "said lost", due, "at the study's price", "M USD")
    for row in case.rows("service"):
        stream, place = case.streams[row.workload], _users(row)
        seconds = _peak_seconds(case, stream, stream.regions.index(row.region), case.names.index(row.quarter))
        unit, due = _thousand(case, _last_phase(case, stream)) * seconds, row.served_peak_per_s * seconds
        if differ(row.served, due, unit):
            yield told(place, row.served, "said served", due, "by its peak", f"{stream.unit}s")
        if differ(row.worth_musd, row.served * stream.worth_usd * 1e-6):
            worth = row.served * stream.worth_usd * 1e-6
            yield told(place, row.worth_musd, "said worth", worth, "at the study's price", "M USD")


def _users(row: Any) -> str:
    """How a message names a row of service or demand."""
    return f"{row.workload} of {row.region} in {row.quarter}"


def data_stays_where_it_may(case: Case) -> Iterator[str]:
    """Every site of a zone that serves a region may do so: residency of its data, and the round trip."""
    served = case.amounts("service", "served_peak_per_s", "zone", "region", "workload")
    for (zone, region, workload), peak in served.items():
        if not above(peak, 0.0, _thousand(case, _last_phase(case, case.streams[workload]))):
            continue
        for site in case.zones[zone]:
            reason = _refusal(case, site, region, workload)
            if reason:
                yield f"{workload} of {region} from {site} ({zone}): {peak:,.7g} a second, but {reason}"


def _refusal(case: Case, site: str, region: str, workload: str) -> str:
    """Why a site may not serve a region; empty where it may."""
    country, demand = case.site(site).country, case.workloads[workload].demand
    if demand is None or demand.regions == "home":
        return ""
    users = case.catalogue.regions[region]
    allowed = {
        "outside China": country != "China",
        "Europe": country in EUROPE,
    }.get(users.residency, country == users.residency)
    if not allowed:
        return f"its data must stay in {users.residency}, and {site} is in {country}"
    rtt = users.rtt_ms.get(site)
    if rtt is None or rtt > demand.max_rtt * THOUSAND:
        return f"the round trip is {rtt} ms, the limit {demand.max_rtt * THOUSAND:g} ms"
    return ""


def a_group_gets_its_least_share(case: Case) -> Iterator[str]:
    """Each stream of a group with a promise is served its least share of demand in every quarter."""
    served = case.amounts("service", "served_peak_per_s", "workload", "quarter")
    for name, stream in case.streams.items():
        share = case.study.rules.serve_at_least.get(stream.group, 0.0)
        for q, quarter in enumerate(case.names):
            least, got = share * float(stream.peak[:, q].sum()), served.get((name, quarter), 0.0)
            if above(least, got, _thousand(case, _last_phase(case, stream))):
                place = f"{name} in {quarter}"
                yield told(place, got, "served", least, "promised", f"{stream.unit}s a second")


def a_model_is_trained_by_its_date(case: Case) -> Iterator[str]:
    """Tokens of each run = trained + late, and its accelerators did train that many from start to date."""
    busy = case.amounts("work", "accelerators", "phase", "system", "quarter")
    rows = {row.programme: row for row in case.rows("programmes")}
    for name, run in case.programmes.items():
        if name not in rows:
            yield f"{name}: the run is missing"
            continue
        said, late = float(rows[name].trained), float(rows[name].late_tokens)
        quarter_of_a_thousand = _thousand(case, name) * SECONDS_PER_HOUR * case.quarters[0].hours
        if differ(float(rows[name].tokens), run.tokens, quarter_of_a_thousand):
            yield told(name, float(rows[name].tokens), "said", run.tokens, "in the study", "tokens")
        if differ(said + late, run.tokens, quarter_of_a_thousand):
            yield told(name, said + late, "trained or late", run.tokens, "asked for", "tokens")
        done = 0.0
        for (phase, system, quarter), working in busy.items():
            q = case.names.index(quarter)
            if phase == name and run.start <= case.quarters[q] <= run.due:
                seconds = SECONDS_PER_HOUR * case.quarters[q].hours
                done += working * case.rate_per_s(phase, system, q) * seconds
        if above(said, done, quarter_of_a_thousand):
            yield told(name, done, "worked off", said, "said to be trained", "tokens")


def load_follows_the_work(case: Case) -> Iterator[str]:
    """In each zone and design, a profile's load >= the power of its work; idle systems draw idle power."""
    load = case.amounts("load", "mw", "site", "design", "profile", "quarter")
    needed: dict[tuple[str, str, str, str], float] = {}
    for (zone, system, quarter), spare in _spare(case).items():
        place = (zone, case.system(system).cooling, "idle", quarter)
        needed[place] = needed.get(place, 0.0) + spare * case.performance.idle_kw[system] / THOUSAND
    busy = case.amounts("work", "accelerators", "zone", "system", "phase", "quarter", tenure=OWN)
    for (zone, system, phase, quarter), working in busy.items():
        place = (zone, case.system(system).cooling, case.phases[phase].profile, quarter)
        watts = case.performance.table[phase, system].watts
        needed[place] = needed.get(place, 0.0) + working * watts * 1e-6
    for (zone, design, profile, quarter), mw in needed.items():
        got = sum(load.get((site, design, profile, quarter), 0.0) for site in case.zones[zone])
        if above(mw, got):
            place_said = f"{profile} load of {design}-cooled systems in {zone} in {quarter}"
            yield told(place_said, got, "of load", mw, "drawn by the work", "MW")


def _spare(case: Case) -> dict[tuple[str, str, str], float]:
    """Owned accelerators without work, by zone, system and quarter."""
    zone_of = {site: zone for zone, sites in case.zones.items() for site in sites}
    spare: dict[tuple[str, str, str], float] = {}
    for (site, system, quarter), count in case.amounts(
        "fleet", "accelerators", "site", "system", "quarter", tenure=OWN
    ).items():
        place = (zone_of[site], system, quarter)
        spare[place] = spare.get(place, 0.0) + count
    busy = case.amounts("work", "accelerators", "zone", "system", "quarter", tenure=OWN)
    for (zone, system, quarter), working in busy.items():
        spare[zone, system, quarter] = spare.get((zone, system, quarter), 0.0) - working
    return spare


def a_site_draws_between_idle_and_nameplate(case: Case) -> Iterator[str]:
    """At each site and design, idle power of the owned fleet <= load at its peak <= nameplate power."""
    idle: dict[tuple[str, ...], float] = {}
    full: dict[tuple[str, ...], float] = {}
    for row in case.rows("fleet"):
        if row.tenure == LEASE:
            continue
        system = case.system(row.system)
        there = (row.site, system.cooling, str(row.quarter))
        idle_kw, full_kw = case.performance.idle_kw[row.system], system.kw_per_accelerator
        idle[there] = idle.get(there, 0.0) + row.accelerators * idle_kw / THOUSAND
        full[there] = full.get(there, 0.0) + row.accelerators * full_kw / THOUSAND
    load = case.amounts("load", "mw", "site", "design", "quarter")
    for site in case.plans:
        for design in DESIGNS:
            for quarter in case.names:
                place = (site, design, quarter)
                got, said = load.get(place, 0.0), f"{design}-cooled load at {site} in {quarter}"
                if above(got, full.get(place, 0.0)):
                    yield told(said, got, "of load", full.get(place, 0.0), "nameplate", "MW")
                if above(idle.get(place, 0.0), got):
                    yield told(said, got, "of load", idle.get(place, 0.0), "idle power", "MW")
