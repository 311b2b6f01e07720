"""Orders and what stands, from the sentence: leads, stocks, rules, pools, halls, lines and promises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gigawright.clock import Quarter
from gigawright.plan.check.case import LEASE, OWN, THOUSAND, TOLERANCE, Case, above, differ, told
from gigawright.plan.check.hours import DESIGNS

if TYPE_CHECKING:
    from gigawright.study.model import Installed


def orders_arrive_after_their_lead(case: Case) -> Iterator[str]:
    """A purchase arrives its lead after the order, a lease the quarter after, both within the horizon."""
    for row in case.rows("orders"):
        ordered = Quarter.parse(row.order_quarter)
        due = ordered if row.action == "retire" else ordered + case.lead(row.system, row.tenure)
        place = f"{row.system} ({row.tenure}) for {row.site}, {row.action} in {ordered}"
        if str(due) != row.arrival_quarter:
            yield f"{place}: arrives in {row.arrival_quarter}, its lead says {due}"
        if due > case.quarters[-1]:
            yield f"{place}: would arrive in {due}, after the horizon"


def a_fleet_is_what_was_had_plus_what_arrived(case: Case) -> Iterator[str]:
    """What stands = what was installed + deliveries in their life, or leases in their term, - retired."""
    stands = case.amounts("fleet", "accelerators", "site", "system", "tenure", "quarter")
    moved = case.amounts("orders", "accelerators", "site", "system", "tenure", "action", "order_quarter")
    have = {key[:3] for key in (*stands, *moved)}
    have |= {(row.site, row.system, LEASE if row.leased else OWN) for row in case.installed}
    for site, system, tenure in sorted(have):
        for q, quarter in enumerate(case.names):
            due = _stock(case, moved, site, system, tenure, q)
            got = stands.get((site, system, tenure, quarter), 0.0)
            if differ(got, due, THOUSAND):
                place = f"{system} ({tenure}) at {site} in {quarter}"
                yield told(place, got, "said to stand", due, "by orders", "accelerators")
    for (site, system, tenure, action, quarter), count in moved.items():
        if (action == "lease") != (tenure == LEASE) and count:
            yield f"{system} at {site} in {quarter}: {action} of a system that is {tenure}"


def _serves(row: Installed, quarter: Quarter) -> bool:
    """Whether what was installed stands in a quarter."""
    begun = row.since is None or row.since <= quarter
    return begun and (row.until is None or quarter <= row.until)


def _stock(
    case: Case, moved: dict[tuple[str, ...], float], site: str, system: str, tenure: str, q: int
) -> float:
    """Accelerators that stand in a quarter, by adding up everything that came and went."""
    total = 0.0
    for row in case.installed:
        if (row.site, row.system, LEASE if row.leased else OWN) == (site, system, tenure):
            total += row.accelerators.value if _serves(row, case.quarters[q]) else 0.0
    life = round(case.system(system).life_years * 4)
    serves = case.wishes[system].lease_term if tenure == LEASE and system in case.wishes else life
    action = "lease" if tenure == LEASE else "buy"
    for i, ordered in enumerate(case.names):
        first = i + case.lead(system, tenure)
        if first <= q < first + serves:
            total += moved.get((site, system, tenure, action, ordered), 0.0)
        if i <= q:
            total -= moved.get((site, system, tenure, "retire", ordered), 0.0)
    return total


def buy_only_what_rules_allow(case: Case) -> Iterator[str]:
    """Every order is one that the study, the law, the maker and the site allow."""
    amounts = case.amounts("orders", "accelerators", "site", "system", "tenure", "action", "order_quarter")
    for (site, system, tenure, action, ordered), count in amounts.items():
        if action == "retire" or not above(count, 0.0, THOUSAND):
            continue
        arrives = Quarter.parse(ordered) + case.lead(system, tenure)
        for reason in _refusals(case, site, system, tenure, arrives):
            yield f"{system} ({tenure}) for {site} in {ordered}: {count:,.7g} accelerators ordered; {reason}"


def _refusals(case: Case, site: str, system: str, tenure: str, arrives: Quarter) -> Iterator[str]:
    plan, wish, record = case.plans[site], case.wishes.get(system), case.system(system)
    if wish is None or not (wish.lease if tenure == LEASE else wish.buy):
        yield f"the study does not offer it to {'lease' if tenure == LEASE else 'buy'}"
    if record.available_from and arrives < record.available_from:
        yield f"it is not delivered before {record.available_from}"
    pools = _pools(case, site, system, tenure)
    if case.study.supply and not pools:
        yield "no supply pool of the study gives it there"
    if tenure == LEASE:
        if record.lease_usd_per_hour is None:
            yield "it has no lease price"
        return
    if not plan.build:
        yield "capacity at this site may only be leased"
    if plan.domestic_only and not case.domestic(system):
        yield "only domestic systems may stand there"
    if system in case.catalogue.not_predictable or record.price_kusd is None:
        yield "it lacks a price or another fact that a purchase needs"
    yield from _law(case, site, system, arrives, [case.catalogue.pools[pool].licence for pool in pools])


def _law(case: Case, site: str, system: str, arrives: Quarter, licences: list[bool]) -> Iterator[str]:
    """The verdict on the day it arrives: denied is denied, a review is supply only with a licence."""
    outcome = case.catalogue.verdicts.get((system, case.site(site).country, arrives))
    if outcome is None:
        return
    if outcome.verdict == "denied":
        yield f"{outcome.rule} denies it: {outcome.reason}"
    if outcome.verdict == "review" and not any(licences):
        yield f"{outcome.rule} asks for a licence and no pool holds one"


def _pools(case: Case, site: str, system: str, tenure: str) -> list[str]:
    mode, country = "lease" if tenure == LEASE else "buy", case.site(site).country
    return [
        name
        for name, pool in case.catalogue.pools.items()
        if pool.mode == mode and system in pool.systems and (not pool.countries or country in pool.countries)
    ]


def never_take_more_than_a_pool_gives(case: Case) -> Iterator[str]:
    """All deliveries of a pool up to a quarter, or what stands on lease from it, are within what it gives.

    What was on lease at the start is never forced back.
    """
    for name, pool in case.catalogue.pools.items():
        for q, quarter in enumerate(case.quarters):
            given = [pool.cap_kacc[day] for day in sorted(pool.cap_kacc) if day <= quarter]
            limit = given[-1] * THOUSAND if given else 0.0
            if pool.mode == "lease":
                taken, before = _on_lease(case, name, q)
                limit = max(limit, before)
            else:
                taken = _delivered(case, name, q)
            if above(taken, limit, THOUSAND):
                said = "on lease" if pool.mode == "lease" else "delivered"
                yield told(f"pool {name} by {quarter}", taken, said, limit, "given", "accelerators")


def _delivered(case: Case, pool: str, q: int) -> float:
    """Accelerators of a pool delivered up to a quarter."""
    bought = case.amounts("orders", "accelerators", "site", "system", "order_quarter", action="buy")
    return sum(
        count
        for (site, system, ordered), count in bought.items()
        if case.names.index(ordered) + case.lead(system, OWN) <= q and pool in _pools(case, site, system, OWN)
    )


def _on_lease(case: Case, pool: str, q: int) -> tuple[float, float]:
    """Accelerators of a pool on lease in a quarter, and how many of those were on lease before the plan."""
    leased = case.amounts("fleet", "accelerators", "site", "system", tenure=LEASE, quarter=case.names[q])
    now = sum(n for (site, system), n in leased.items() if pool in _pools(case, site, system, LEASE))
    before = sum(
        row.accelerators.value
        for row in case.installed
        if row.leased and _serves(row, case.quarters[q]) and pool in _pools(case, row.site, row.system, LEASE)
    )
    return now, before


def halls_and_lines_are_built_whole_where_allowed(case: Case) -> Iterator[str]:
    """Halls come in whole modules of a design the site builds, lines in whole stages, after their lead."""
    constants = case.catalogue.constants
    for row in case.rows("construction"):
        grid, plan, site = row.what == "grid", case.plans[row.site], case.site(row.site)
        size = constants.grid_stage_mw if grid else constants.hall_module_mw
        place = f"{row.what} at {row.site}, started in {row.start_quarter}"
        if abs(row.mw / size - round(row.mw / size)) > TOLERANCE:
            yield f"{place}: {row.mw:,.7g} MW is {row.mw / size:,.7g} of {size:g} MW, not a whole number"
        lead = site.grid_lead_quarters if grid else site.hall_lead_quarters
        ready = Quarter.parse(row.start_quarter) + lead
        if str(ready) != row.ready_quarter:
            yield f"{place}: ready in {row.ready_quarter}, its lead says {ready}"
        if ready > case.quarters[-1]:
            yield f"{place}: would be ready in {ready}, after the horizon"
        if not plan.build:
            yield f"{place}: {row.mw:,.7g} MW, but the site builds nothing"
        elif not grid and row.what not in plan.designs:
            yield f"{place}: {row.mw:,.7g} MW, but the site builds only {', '.join(plan.designs)}"
        elif not grid and not case.facilities[row.site].meets_cap(row.what):
            yield f"{place}: {row.mw:,.7g} MW of a design above the site's PUE cap of {site.pue_cap}"


def halls_and_lines_are_what_stood_plus_what_is_ready(case: Case) -> Iterator[str]:
    """MW of halls and connection = what stood at the start + everything whose lead has passed."""
    stands = case.amounts("capacity", "mw", "site", "what", "quarter")
    for name, plan in case.plans.items():
        site, existing = case.site(name), plan.existing
        stood = {"air": existing.air, "liquid": existing.liquid, "grid": existing.grid}
        for what in (*DESIGNS, "grid"):
            lead = site.grid_lead_quarters if what == "grid" else site.hall_lead_quarters
            started = case.amounts("construction", "mw", "start_quarter", site=name, what=what)
            for q, quarter in enumerate(case.names):
                due = stood[what]
                due += sum(mw for (start,), mw in started.items() if case.names.index(start) + lead <= q)
                got = stands.get((name, what, quarter), 0.0)
                if differ(got, due):
                    yield told(f"{what} at {name} in {quarter}", got, "said to stand", due, "built", "MW")


def every_system_stands_in_a_hall_that_cools_it(case: Case) -> Iterator[str]:
    """Nameplate power of the owned systems of a cooling design <= the halls of that design."""
    halls = case.amounts("capacity", "mw", "site", "what", "quarter")
    needed: dict[tuple[str, str, str], float] = {}
    for row in case.rows("fleet"):
        system = case.system(row.system)
        mw = 0.0 if row.tenure == LEASE else row.accelerators * system.kw_per_accelerator / THOUSAND
        place = (row.site, system.cooling, str(row.quarter))
        needed[place] = needed.get(place, 0.0) + mw
        if differ(row.it_mw, mw):
            named = f"{row.system} at {row.site} in {row.quarter}"
            yield told(named, row.it_mw, "said", mw, "nameplate", "MW")
    for (site, design, quarter), mw in needed.items():
        room = halls.get((site, design, quarter), 0.0)
        if above(mw, room):
            yield told(f"{site} in {quarter}", mw, f"of {design}-cooled systems", room, "of halls", "MW")


def a_site_holds_no_more_than_it_can(case: Case) -> Iterator[str]:
    """Halls of all designs <= the most IT power of the site, or what already stood there."""
    halls = case.amounts("capacity", "mw", "site", "what", "quarter")
    for name, plan in case.plans.items():
        if plan.max_it is None:
            continue
        limit = max(plan.max_it, plan.existing.air + plan.existing.liquid)
        for quarter in case.names:
            got = sum(halls.get((name, design, quarter), 0.0) for design in DESIGNS)
            if above(got, limit):
                yield told(f"{name} in {quarter}", got, "of halls", limit, "may stand", "MW")


def orders_are_kept(case: Case) -> Iterator[str]:
    """Each commitment that falls due in the horizon is delivered by its quarter."""
    bought = case.amounts("orders", "accelerators", "system", "order_quarter", action="buy")
    for order in case.study.commitments:
        if order.by > case.quarters[-1]:
            continue
        got = sum(
            count
            for (system, ordered), count in bought.items()
            if system == order.system and Quarter.parse(ordered) + case.lead(system, OWN) <= order.by
        )
        if above(order.accelerators, got, THOUSAND):
            place = f"{order.system} by {order.by}"
            yield told(place, got, "delivered", order.accelerators, "promised", "accelerators")
