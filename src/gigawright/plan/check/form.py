"""Whether the tables can be read at all: their columns, their names, their numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from gigawright.plan.check.case import LEASE, OWN, Case
from gigawright.plan.check.hours import DESIGNS, FLOWS, KINDS, flows_of

COLUMNS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "orders": (
        ("site", "system", "tenure", "order_quarter", "arrival_quarter", "action"),
        ("accelerators", "cost_musd"),
    ),
    "fleet": (("site", "system", "tenure", "quarter"), ("accelerators", "it_mw")),
    "construction": (("site", "what", "start_quarter", "ready_quarter"), ("mw", "cost_musd")),
    "capacity": (("site", "what", "quarter"), ("mw",)),
    "work": (("zone", "system", "tenure", "phase", "quarter"), ("accelerators",)),
    "service": (
        ("zone", "region", "workload", "quarter"),
        ("served_peak_per_s", "served", "worth_musd"),
    ),
    "demand": (
        ("region", "workload", "quarter"),
        ("demand_peak_per_s", "demanded", "unmet", "worth_lost_musd"),
    ),
    "programmes": (("programme",), ("tokens", "trained", "late_tokens")),
    "staff": (("role", "quarter"), ("staff", "hired", "bought_in", "pay_musd")),
    "load": (("site", "design", "profile", "quarter"), ("mw",)),
    "contracts": (("site", "technology", "quarter"), ("mw",)),
    "energy": (
        ("site", "quarter"),
        ("it_mwh", "site_mwh", "import_mwh", "solar_mwh", "wind_mwh", "plant_mwh", "shed_mwh", "peak_mw",
         "import_cost_musd", "plant_cost_musd", "demand_charge_musd", "contract_cost_musd", "emission_t",
         "water_m3"),
    ),
    "green": (("site", "year"), ("gwh",)),
    "payments": (("quarter", "kind", "category", "site"), ("musd",)),
    "dispatch": (
        ("site", "quarter"),
        FLOWS,
    ),
}  # fmt: skip
"""Columns of names and columns of numbers that each table must have."""

SIGNED = {("energy", "import_cost_musd"), ("payments", "musd")}
"""Amounts that may be negative: electricity at negative prices, and what sums of them."""


def columns_of(case: Case) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """The columns each table must have, the plants of the study among those of `dispatch`."""
    return COLUMNS | {"dispatch": (("site", "quarter"), flows_of(case))}


def tables_have_their_columns(case: Case) -> Iterator[str]:
    """Every table is there with the columns it is documented to have."""
    for table, (names, numbers) in columns_of(case).items():
        if table not in case.tables:
            yield f"{table}: the table is missing"
            continue
        missing = [name for name in (*names, *numbers) if name not in case.tables[table].columns]
        if missing:
            yield f"{table}: no column {', '.join(missing)}"


def tables_name_only_what_the_study_has(case: Case) -> Iterator[str]:
    """No row speaks of a place, system, quarter or kind of work that the study does not know."""
    known = _known_names(case)
    for table, (names, _) in COLUMNS.items():
        for column in names:
            allowed = known.get((table, column), known.get(("", column)))
            if allowed is None:
                continue
            strange = sorted(set(case.tables[table][column].astype(str).unique()) - allowed)
            if strange:
                yield f"{table}.{column}: {', '.join(strange[:3])} is not in the study"


def _known_names(case: Case) -> dict[tuple[str, str], set[str]]:
    horizon = set(case.names)
    regions = {region for stream in case.streams.values() for region in stream.regions}
    return {
        ("", "site"): set(case.plans),
        ("payments", "site"): set(case.plans) | {role.market for role in case.catalogue.roles.values()},
        ("", "system"): set(case.catalogue.systems),
        ("", "tenure"): {OWN, LEASE},
        ("", "quarter"): horizon,
        ("payments", "quarter"): horizon | {f"{year}Q4" for year in case.study.horizon.years},
        ("", "order_quarter"): horizon,
        ("", "start_quarter"): horizon,
        ("", "action"): {"buy", "lease", "retire"},
        ("", "what"): {*DESIGNS, "grid"},
        ("", "zone"): set(case.zones),
        ("", "phase"): set(case.phases),
        ("", "region"): regions,
        ("", "workload"): set(case.workloads),
        ("", "programme"): set(case.programmes),
        ("", "role"): set(case.catalogue.roles),
        ("", "design"): set(DESIGNS),
        ("", "profile"): {"flat", "daily", "idle"},
        ("", "technology"): set(KINDS),
        ("", "year"): {str(year) for year in case.study.horizon.years},
        ("", "kind"): {"capital", "leasing", "operating"},
    }


def numbers_are_finite(case: Case) -> Iterator[str]:
    """No table holds a gap or an infinite number."""
    for table, (_, numbers) in COLUMNS.items():
        for column in numbers:
            wrong = int((~np.isfinite(_numbers(case, table, column))).sum())
            if wrong:
                yield f"{table}.{column}: {wrong:,} numbers are missing or infinite"


def amounts_are_never_negative(case: Case) -> Iterator[str]:
    """Nothing is bought, drawn, served or paid less than zero times."""
    for table, (_, numbers) in COLUMNS.items():
        for column in numbers:
            if (table, column) in SIGNED or case.tables[table].empty:
                continue
            values = _numbers(case, table, column)
            scale = max(1.0, float(np.abs(values).max()))
            if values.min() < -1e-6 * scale:
                row = int(values.argmin())
                named = case.tables[table].iloc[row][list(COLUMNS[table][0])]
                yield f"{table}.{column} of {' '.join(map(str, named))}: {values[row]:,.7g}"


def _numbers(case: Case, table: str, column: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return pd.to_numeric(case.tables[table][column], errors="coerce").to_numpy(dtype=float)
