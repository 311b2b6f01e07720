"""What the catalogue makes impossible or doubtful in a study's own words, each at its place in the study."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gigawright.catalogue.resolve import Catalogue
    from gigawright.study.model import Study, Workload

Clash = tuple[tuple[str | int, ...], str, str]

MODEL_KIND = {
    "llm-training": "language",
    "llm-serving": "language",
    "image-generation": "image",
    "video-generation": "video",
    "recommendation": "recommender",
}
"""Kind of model each family of workload runs, as the model tables name it."""

OTHER_HOMES = (
    "Australia", "Canada", "France", "Germany", "India", "Israel", "Italy", "Netherlands", "Spain", "Sweden",
    "Switzerland", "Taiwan", "United Arab Emirates", "United Kingdom",
)  # fmt: skip
"""Countries of buyers beside those that have sites in the catalogue."""


def clashes(study: Study, catalogue: Catalogue) -> Iterator[Clash]:
    """Every clash of a study with the facts it names: (path, what is wrong, what was perhaps meant)."""
    yield from _buyer(study, catalogue)
    yield from _systems(study, catalogue)
    yield from _installed(study, catalogue)
    yield from _halls_hold_what_stands(study, catalogue)
    yield from _commitments(study)
    yield from _workloads(study, catalogue)
    yield from _groups_and_budgets(study)
    yield from _own_facts(study)
    yield from _loads(study)


def _near(name: str, known: list[str]) -> str:
    found = get_close_matches(name, known, n=1)
    return found[0] if found else ""


def _buyer(study: Study, catalogue: Catalogue) -> Iterator[Clash]:
    """Rules look at the country by name; a country nobody knows would silently escape them."""
    book = catalogue.book
    homes = sorted({*OTHER_HOMES, *(book.text("site", site, "country") for site in book.items("site"))})
    home = study.buyer.headquarters
    if home not in homes:
        message = f"unknown country {home!r}; there are {', '.join(homes)}"
        suggestion = "United States" if home in ("USA", "US", "America") else _near(home, homes)
        yield ("buyer", "headquarters"), message, suggestion
    if study.currency != "USD" and study.currency not in book.items("currency"):
        have = ", ".join(["USD", *book.items("currency")])
        yield ("currency",), f"no exchange rate for {study.currency}; there are {have}", ""


def _systems(study: Study, catalogue: Catalogue) -> Iterator[Clash]:
    for i, plan in enumerate(study.systems):
        system = catalogue.systems[plan.system]
        if plan.lease and system.lease_usd_per_hour is None:
            yield ("systems", i, "lease"), f"{plan.system} has no lease price; add one under `catalogue:`", ""
        elif plan.lease and not study.budgets.leasing:
            yield ("systems", i, "lease"), "a lease needs money: there is no `budgets.leasing`", ""
        if plan.buy and not plan.lease and system.lead_quarters >= len(study.horizon.quarters):
            message = (
                f"{plan.system} takes {system.lead_quarters} quarters to deliver and the horizon has "
                f"{len(study.horizon.quarters)}; lengthen it, or leave the system out"
            )
            yield ("systems", i, "system"), message, ""


def _installed(study: Study, catalogue: Catalogue) -> Iterator[Clash]:
    names = [plan.site for plan in study.sites]
    for i, row in enumerate(study.installed):
        if row.site not in names:
            message = f"{row.site!r} is not among the study's sites"
            yield ("installed", i, "site"), message, _near(row.site, names)
        if row.system not in catalogue.systems:
            yield ("installed", i, "system"), f"unknown system {row.system!r}", ""
        elif row.leased and catalogue.systems[row.system].lease_usd_per_hour is None:
            message = f"{row.system} has no lease price; add one under `catalogue:`"
            yield ("installed", i, "leased"), message, ""
        if row.since and row.until and row.until < row.since:
            yield ("installed", i, "until"), f"{row.until} is before {row.since}", ""


def _halls_hold_what_stands(study: Study, catalogue: Catalogue) -> Iterator[Clash]:
    """What is said to stand at the start must fit the halls that are said to stand."""
    for i, plan in enumerate(study.sites):
        for design, halls_mw in (("air", plan.existing.air), ("liquid", plan.existing.liquid)):
            need_mw = sum(
                row.accelerators.value * catalogue.systems[row.system].kw_per_accelerator / 1e3
                for row in study.installed_by(catalogue.as_of)
                if row.site == plan.site
                and not row.leased
                and row.since is None
                and row.system in catalogue.systems
                and catalogue.systems[row.system].cooling == design
            )
            if need_mw > halls_mw * (1.0 + 1e-9):
                message = (
                    f"what is installed at {plan.site} draws {need_mw:,.4g} MW at full load; its "
                    f"{design}-cooled halls hold {halls_mw:,.4g} MW: raise `existing.{design}`"
                )
                yield ("sites", i), message, ""


def _commitments(study: Study) -> Iterator[Clash]:
    for i, order in enumerate(study.commitments):
        if order.system not in [plan.system for plan in study.systems]:
            yield ("commitments", i, "system"), f"{order.system!r} is not among the study's systems", ""
        if not study.horizon.start <= order.by <= study.horizon.end:
            yield ("commitments", i, "by"), f"{order.by} is outside the horizon", ""


def _workloads(study: Study, catalogue: Catalogue) -> Iterator[Clash]:
    book = catalogue.book
    for i, workload in enumerate(study.workloads):
        if workload.value is None:
            yield ("workloads", i), "`value` is missing: a plan weighs the worth of work against its cost", ""
        for path, model in _models(i, workload):
            kind = book.text("model", model, "kind", "")
            if kind and kind != MODEL_KIND[workload.family]:
                wanted = MODEL_KIND[workload.family]
                yield path, f"{model} is of the kind {kind}; {workload.family} runs a {wanted} model", ""
        history = workload.demand.history if workload.demand else None
        points = [fact for a in book.attributes("programme", history or "") if a.startswith("at@")
                  for fact in book.history("programme", history or "", a)]  # fmt: skip
        if history and not all(fact.unit.endswith("/day") for fact in points):
            message = f"{history} is counted in {points[0].unit}; a demand needs a series of work a day"
            yield ("workloads", i, "demand", "history"), message, ""
        if history and not points:
            message = f"{history} is no series known by {catalogue.day}; doubao_daily_tokens is one"
            yield ("workloads", i, "demand", "history"), message, ""
        for j, run in enumerate(getattr(workload, "programmes", ())):
            if not study.horizon.start <= run.start <= run.due <= study.horizon.end:
                message = f"the run ({run.start} to {run.due}) is not within the horizon"
                yield ("workloads", i, "programmes", j), message, ""


def _models(place: int, workload: Workload) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every model a workload names: its own, and those of its training programmes."""
    yield ("workloads", place, "model"), workload.model
    for j, run in enumerate(getattr(workload, "programmes", ())):
        if run.model:
            yield ("workloads", place, "programmes", j, "model"), run.model


def _groups_and_budgets(study: Study) -> Iterator[Clash]:
    groups = sorted({workload.group or workload.name for workload in study.workloads})
    for group in study.rules.serve_at_least:
        if group not in groups:
            message = f"no workload has the group {group!r}; there are {', '.join(groups)}"
            yield ("rules", "serve_at_least", group), message, _near(group, groups)
    years = set(study.horizon.years)
    # A study of energy alone buys nothing and needs no budget.
    unsaid = years - set(study.budgets.capital) if study.workloads or study.budgets.capital else set()
    for year in sorted(unsaid):
        message = f"no capital budget for {year}; write 0 {study.currency} where there is none"
        yield ("budgets", "capital"), message, ""
    for year in sorted({*study.budgets.capital, *study.budgets.leasing} - years):
        yield ("budgets",), f"a budget for {year}, which is outside the horizon", ""


def _loads(study: Study) -> Iterator[Clash]:
    """Loads stand at sites of the study."""
    sites = [plan.site for plan in study.sites]
    for i, load in enumerate(study.energy.loads):
        if load.site not in sites:
            message = f"{load.site!r} is not among the study's sites: {', '.join(sites)}"
            yield ("energy", "loads", i, "site"), message, _near(load.site, sites)


@lru_cache(maxsize=1)
def _schema() -> dict[str, list[str]]:
    """Attributes of each kind; a family ends in `@`."""
    found: dict[str, list[str]] = {}
    with (files("gigawright.catalogue") / "schema.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            found.setdefault(row["kind"], []).append(row["attribute"])
    return found


def _own_facts(study: Study) -> Iterator[Clash]:
    """Rows of the study's `catalogue:` block that nothing would read."""
    schema = _schema()
    for i, row in enumerate(study.catalogue):
        if row.kind == "model":
            continue
        if row.kind not in schema:
            message = f"unknown kind {row.kind!r}; there are {', '.join([*schema, 'model'])}"
            yield ("catalogue", i, "kind"), message, _near(row.kind, list(schema))
            continue
        family = row.attribute.split("@")[0] + "@" if "@" in row.attribute else row.attribute
        if family not in schema[row.kind]:
            message = f"a {row.kind} has no attribute {row.attribute!r}"
            yield ("catalogue", i, "attribute"), message, _near(family, schema[row.kind])
