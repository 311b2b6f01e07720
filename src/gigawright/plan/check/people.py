"""People from the sentence: who stays, who may be hired, who is needed, what they are paid."""

from __future__ import annotations

from collections.abc import Iterator

from gigawright.catalogue.types import Role
from gigawright.plan.check.case import LEASE, THOUSAND, Case, above, differ, told


def staff_are_those_who_stayed_plus_those_hired(case: Case) -> Iterator[str]:
    """staff = (1 - leavers) x staff a quarter before + hired."""
    staff = case.amounts("staff", "staff", "role", "quarter")
    hired = case.amounts("staff", "hired", "role", "quarter")
    for name, role in case.catalogue.roles.items():
        before = role.initial
        for quarter in case.names:
            due = before * (1.0 - role.attrition_per_quarter) + hired.get((name, quarter), 0.0)
            before = staff.get((name, quarter), 0.0)
            if differ(before, due, THOUSAND):
                yield told(f"{name} in {quarter}", before, "people said", due, "stayed or hired")


def hire_no_more_than_the_market_gives(case: Case) -> Iterator[str]:
    """Hires of a role in a quarter <= what its labour market gives at the pay offered."""
    for (name, quarter), hired in case.amounts("staff", "hired", "role", "quarter").items():
        most = case.catalogue.roles[name].hire_max_per_quarter
        if above(hired, most, THOUSAND):
            yield told(f"{name} in {quarter}", hired, "hired", most, "to be had")


def enough_people(case: Case) -> Iterator[str]:
    """Staff + work bought in >= what the owned MW, the fleet and the running programmes need."""
    staff = case.amounts("staff", "staff", "role", "quarter")
    bought_in = case.amounts("staff", "bought_in", "role", "quarter")
    for name, role in case.catalogue.roles.items():
        for q, quarter in enumerate(case.names):
            got = staff.get((name, quarter), 0.0) + bought_in.get((name, quarter), 0.0)
            need = _need(case, role, q)
            if above(need, got, THOUSAND):
                yield told(f"{name} in {quarter}", got, "people", need, "needed")


def _need(case: Case, role: Role, q: int) -> float:
    """People that the fleet of the labour market and running programmes need; else those there were."""
    running = sum(run.start <= case.quarters[q] <= run.due for run in case.programmes.values())
    stated = role.per_mw + role.per_kacc + role.per_programme > 0.0
    need = role.per_programme * running + (0.0 if stated else role.initial)
    fleet = case.amounts("fleet", "accelerators", "site", "system", "tenure", quarter=case.names[q])
    for (site, system, tenure), count in fleet.items():
        at_home = case.site(site).country == "China"
        if at_home == (role.market == "China"):
            own_mw = 0.0 if tenure == LEASE else count * case.system(system).kw_per_accelerator / THOUSAND
            need += role.per_mw * own_mw + role.per_kacc * count / THOUSAND
    return need


def people_are_paid(case: Case) -> Iterator[str]:
    """Pay of a quarter = a quarter of the year's pay x (staff + bought in x its premium)."""
    premium = case.economics("bought_in_staff_premium") if case.catalogue.roles else 0.0
    for row in case.rows("staff"):
        each_musd = case.catalogue.roles[row.role].pay_kusd / 4.0 / THOUSAND
        due = each_musd * (row.staff + premium * row.bought_in)
        if differ(row.pay_musd, due):
            yield told(f"{row.role} in {row.quarter}", row.pay_musd, "paid", due, "due", "M USD")
