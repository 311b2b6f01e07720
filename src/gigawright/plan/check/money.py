"""Money from the sentence: price x quantity, paid when due, within its budget; the objective again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gigawright.clock import Quarter
from gigawright.money import Money
from gigawright.plan.check.case import LEASE, THOUSAND, Case, above, differ, told
from gigawright.plan.check.energy import bill, contract_cost_musd

Bills = dict[tuple[str, ...], float]
LEAST_MUSD = 1e-3
"""Payments below a thousand dollars are not told apart from none."""


def price_musd_per_kacc(case: Case, site: str, system: str, q: int) -> float:
    """Chip with the duty of its arrival + server + network + storage, escalated to the quarter of order."""
    parts, country = case.system(system), case.site(site).country
    lands = case.quarters[min(q + parts.lead_quarters, len(case.quarters) - 1)]
    duty = case.catalogue.verdicts[system, country, lands].duty_share
    rest = parts.server_kusd + parts.network_kusd + parts.storage_kusd
    today = (parts.chip_kusd or 0.0) * (1.0 + duty) + rest
    return float(today * (1.0 + case.catalogue.constants.price_escalation) ** (q / 4.0))


def construction_musd_per_mw(case: Case, site: str, what: str) -> float:
    """Cost of a MW of hall (liquid-cooled ones at their premium) or of connection."""
    record = case.site(site)
    if what == "grid":
        return record.grid_musd_mw
    return record.build_musd_mw * (1.0 + case.catalogue.constants.liquid_premium_share * (what == "liquid"))


def orders_cost_price_times_quantity(case: Case) -> Iterator[str]:
    """Every purchase and every hall and line costs its price x its quantity."""
    for row in case.rows("orders"):
        due = 0.0
        if row.action == "buy":
            price = price_musd_per_kacc(case, row.site, row.system, case.names.index(row.order_quarter))
            due = row.accelerators / THOUSAND * price
        if differ(row.cost_musd, due):
            place = f"{row.system} for {row.site}, {row.action} in {row.order_quarter}"
            yield told(place, row.cost_musd, "said", due, "by its price", "M USD")
    for row in case.rows("construction"):
        due = row.mw * construction_musd_per_mw(case, row.site, row.what)
        if differ(row.cost_musd, due):
            place = f"{row.what} at {row.site}, started in {row.start_quarter}"
            yield told(place, row.cost_musd, "said", due, "by its price", "M USD")


def capital_musd(case: Case) -> Bills:
    """Capital by site and quarter: prepaid at order, the rest on arrival; buildings over their lead."""
    due: Bills = defaultdict(float)
    bought = case.amounts("orders", "accelerators", "site", "system", "order_quarter", action="buy")
    for (site, system, ordered), count in bought.items():
        q, record = case.names.index(ordered), case.system(system)
        cost = count / THOUSAND * price_musd_per_kacc(case, site, system, q)
        due[site, ordered] += cost * record.prepay_share
        due[site, str(Quarter.parse(ordered) + record.lead_quarters)] += cost * (1.0 - record.prepay_share)
    built = case.amounts("construction", "mw", "site", "what", "start_quarter")
    for (site, what, start), mw in built.items():
        record_site = case.site(site)
        lead = max(record_site.grid_lead_quarters if what == "grid" else record_site.hall_lead_quarters, 1)
        for step in range(lead):
            part = mw * construction_musd_per_mw(case, site, what) / lead
            due[site, str(Quarter.parse(start) + step)] += part
    return due


def leasing_musd(case: Case) -> Bills:
    """Leases by site and quarter: accelerators on lease x price an hour x the quarter's hours."""
    due: Bills = defaultdict(float)
    leased = case.amounts("fleet", "accelerators", "site", "system", "quarter", tenure=LEASE)
    for (site, system, quarter), count in leased.items():
        usd_per_hour = case.system(system).lease_usd_per_hour or 0.0
        due[site, quarter] += count * usd_per_hour * Quarter.parse(quarter).hours * 1e-6
    return due


def never_spend_more_than_budgeted(case: Case) -> Iterator[str]:
    """Capital and leases paid in a calendar year, each <= its own budget; nothing carries over."""
    budgets = case.study.budgets
    for kind, due, allowed in (
        ("capital", capital_musd(case), dict(budgets.capital)),
        ("leasing", leasing_musd(case), dict(budgets.leasing)),
    ):
        for year in case.study.horizon.years:
            paid = sum(musd for (_, quarter), musd in due.items() if Quarter.parse(quarter).year == year)
            budget = allowed.get(year, Money(0.0, "USD"))
            limit = case.catalogue.usd(budget, Quarter(year, 2).last_day) * 1e-6
            if above(paid, limit):
                own = "" if budget.currency == "USD" else f"; the budget is {budget}"
                yield told(f"{kind} in {year}", paid, "paid", limit, "allowed", "M USD") + own


def payments_are_what_falls_due(case: Case) -> Iterator[str]:
    """The payments table, by kind, site and quarter, is what orders, leases, energy and people cost."""
    bills = {"capital": capital_musd, "leasing": leasing_musd, "operating": operating_musd}
    for kind, add_up in bills.items():
        due = add_up(case)
        paid = case.amounts("payments", "musd", "site", "quarter", kind=kind)
        for place in sorted({*due, *paid}):
            got, owed = paid.get(place, 0.0), due.get(place, 0.0)
            if differ(got, owed, THOUSAND * LEAST_MUSD):
                yield told(f"{kind} at {place[0]} in {place[1]}", got, "paid", owed, "due", "M USD")


def operating_musd(case: Case) -> Bills:
    """Electricity, fuel, demand charge, contracts, carbon, water, certificates of sites; pay of markets."""
    due: Bills = defaultdict(float)
    carbon = carbon_usd_t(case)
    for season in case.whole_seasons:
        row = bill(case, season)
        due[season.site, season.quarter] += (
            row["import_cost_musd"] + row["plant_cost_musd"] + row["demand_charge_musd"]
        )
        water = row["water_m3"] * case.site(season.site).water_usd_m3
        due[season.site, season.quarter] += (water + row["emission_t"] * carbon) * 1e-6
    contracts = case.amounts("contracts", "mw", "site", "technology", "quarter")
    for (site, kind, quarter), mw in contracts.items():
        due[site, quarter] += contract_cost_musd(case, site, {kind: mw})
    for (site, year), gwh in case.amounts("green", "gwh", "site", "year").items():
        due[site, f"{year}Q4"] += gwh * 1e3 * case.site(site).green_premium_usd_mwh * 1e-6
    for row in case.rows("staff"):
        due[case.catalogue.roles[row.role].market, str(row.quarter)] += row.pay_musd
    return due


def carbon_usd_t(case: Case) -> float:
    """The study's price of a tonne; 0 where it names none."""
    price = case.study.energy.carbon_price
    return case.catalogue.usd(price) if price else 0.0


def domestic_systems_have_their_share(case: Case) -> Iterator[str]:
    """Money for domestic systems over the horizon >= its share of the money for all systems bought."""
    share = case.study.rules.domestic_share_min
    if share is None:
        return
    total = domestic = 0.0
    bought = case.amounts("orders", "accelerators", "site", "system", "order_quarter", action="buy")
    for (site, system, ordered), count in bought.items():
        cost = count / THOUSAND * price_musd_per_kacc(case, site, system, case.names.index(ordered))
        total += cost
        domestic += cost * case.domestic(system)
    if above(share * total, domestic):
        yield told("over the horizon", domestic, "for domestic systems", share * total, "asked for", "M USD")


def the_objective_is_the_sum_of_its_parts(case: Case) -> Iterator[str]:
    """Worth lost, energy and the programme's cost of the summary are what the tables add up to, discounted.

    Water is priced on the master's typical days, which the tables do not hold: it is held within half of what
    the hours say.
    """
    if not case.summary:
        return
    lost, energy, water = worth_lost_musd(case), energy_musd(case), water_musd(case)
    for name, due in (("worth_lost_musd", lost), ("energy_verified_musd", energy)):
        if name in case.summary and differ(case.summary[name], due):
            yield told(name, case.summary[name], "said", due, "added up", "M USD")
    if {"programme_cost_musd", "energy_verified_musd"} <= set(case.summary):
        due = net_capital_musd(case) + discounted(case, leasing_musd(case)) + staff_musd(case) + energy
        rest = case.summary["programme_cost_musd"] - due
        if abs(rest - water) > 0.5 * water + 1e-6 * max(1.0, abs(due)):
            yield told("programme_cost_musd", rest + due, "said", due + water, "added up", "M USD")
    if {"objective_musd", "master_cost_musd"} <= set(case.summary):
        factor = 1.0 if case.study.objective == "value" else case.economics("unserved_factor")
        due = case.summary["master_cost_musd"] + factor * lost
        got = case.summary["objective_musd"]
        if differ(got, due):
            yield told("objective_musd", got, "said", due, "cost and worth lost", "M USD")


def discounted(case: Case, due: Bills) -> float:
    """Bills of the horizon at their worth at its start."""
    return sum(musd * case.discount[case.names.index(quarter)] for (_, quarter), musd in due.items())


def net_capital_musd(case: Case) -> float:
    """Discounted capital less the straight-line value left at the horizon's end, discounted from there."""
    constants, end = case.catalogue.constants, len(case.names)
    left = 0.0
    bought = case.amounts("orders", "accelerators", "site", "system", "order_quarter", action="buy")
    for (site, system, ordered), count in bought.items():
        q, record = case.names.index(ordered), case.system(system)
        cost = count / THOUSAND * price_musd_per_kacc(case, site, system, q)
        left += cost * _left(end - q - record.lead_quarters, round(record.life_years * 4))
    built = case.amounts("construction", "mw", "site", "what", "start_quarter")
    for (site, what, start), mw in built.items():
        grid, place = what == "grid", case.site(site)
        age = end - case.names.index(start) - (place.grid_lead_quarters if grid else place.hall_lead_quarters)
        life = 4.0 * (constants.grid_life_years if grid else constants.hall_life_years)
        left += mw * construction_musd_per_mw(case, site, what) * _left(age, life)
    at_the_end = float((1.0 + constants.discount_rate) ** (-end / 4.0))
    return discounted(case, capital_musd(case)) - left * at_the_end


def _left(age_quarters: int, life_quarters: float) -> float:
    """Share of its value that something keeps at an age."""
    return min(1.0, max(0.0, 1.0 - age_quarters / life_quarters))


def staff_musd(case: Case) -> float:
    """Discounted pay."""
    return discounted(case, case.amounts("staff", "pay_musd", "role", "quarter"))


def worth_lost_musd(case: Case) -> float:
    """Discounted worth of demand that is not served, and of tokens late at each run's last open quarter."""
    total = 0.0
    for (workload, quarter), units in case.amounts("demand", "unmet", "workload", "quarter").items():
        total += units * case.streams[workload].worth_usd * 1e-6 * case.discount[case.names.index(quarter)]
    for (name,), tokens in case.amounts("programmes", "late_tokens", "programme").items():
        run = case.programmes[name]
        opened = [q for q, quarter in enumerate(case.quarters) if run.start <= quarter <= run.due]
        total += tokens * run.worth_usd * 1e-6 * case.discount[opened[-1] if opened else 0]
    return total


def energy_musd(case: Case) -> float:
    """Discounted energy: imports with their carbon, shed load, demand charge, contracts and certificates."""
    carbon = carbon_usd_t(case)
    shed_price, total = case.economics("shed_price"), 0.0
    for season in case.whole_seasons:
        row = bill(case, season)
        musd = row["import_cost_musd"] + row["plant_cost_musd"] + row["demand_charge_musd"]
        musd += (row["emission_t"] * carbon + row["shed_mwh"] * shed_price) * 1e-6
        total += musd * case.discount[season.q]
    contracts = case.amounts("contracts", "mw", "site", "technology", "quarter")
    for (site, kind, quarter), mw in contracts.items():
        total += contract_cost_musd(case, site, {kind: mw}) * case.discount[case.names.index(quarter)]
    for (site, year), gwh in case.amounts("green", "gwh", "site", "year").items():
        in_year = [d for d, name in zip(case.discount, case.names, strict=True) if name.startswith(year)]
        premium = gwh * 1e3 * case.site(site).green_premium_usd_mwh * 1e-6
        total += premium * sum(in_year) / len(in_year)
    return total


def water_musd(case: Case) -> float:
    """Discounted make-up water over all hours."""
    return sum(
        bill(case, season)["water_m3"] * case.site(season.site).water_usd_m3 * 1e-6 * case.discount[season.q]
        for season in case.whole_seasons
    )
