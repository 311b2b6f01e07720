"""Two formulas for what is reported, a year of a place: PUE above 1, and WUE; constants with their priors.

    PUE - 1 = yearly^(year - 2023) (indoors L_indoors + outdoors L_outdoors)
    WUE = evaporation W + floor

L and W are what a hall of the operator's kind needs there (`physics`). Sectors, operators and sites
multiply the parts (`workloads.hierarchy`). Fitted values live in `reported/data/pue_constants.csv` and
`wue_constants.csv`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.facility.reported.physics import Needs, country_at, operator_needs
from gigawright.facility.reported.rows import Asked
from gigawright.workloads.calibrated import Calibrated, file_names, parse
from gigawright.workloads.hierarchy import NONE
from gigawright.workloads.priors import Prior

YEAR = 2023
"""Year that the constants are of."""

FARTHEST_YEARS = 5
"""A year farther from `YEAR` is taken as that far; assumption: three reported years show no longer trend."""

FLEET, OTHERS = "fleet", "other operators"
"""Classes of noise of a fleet's mean, and of operators without a class of their own."""


Constants = Mapping[str, float]


@dataclass(frozen=True)
class Formula:
    """A formula: its files' name, constants, parts, kinds of level, spreads of these before any row is seen,
    and the noise of a site's year.
    """

    family: str
    priors: Mapping[str, Prior]
    parts: tuple[str, ...]
    kinds: tuple[str, ...]
    spreads: tuple[float, ...]
    noise: float


PUE = Formula(
    family="pue",
    priors={
        "indoors": Prior(
            "rate",
            1.0,
            0.3,
            "1",
            "losses, light, controls, fans and pumps inside over those of the physics",
            "assumption: halls have half to twice those of a good new one",
        ),
        "outdoors": Prior(
            "rate",
            1.0,
            0.4,
            "1",
            "power that gives heat to the outside over that of the physics",
            "assumption: as indoors, with more ways to differ",
        ),
        "yearly": Prior(
            "rate",
            0.98,
            0.02,
            "1",
            "overhead of a year over that of the year before",
            "fleets: Google 1.12 (2012) to 1.10 (2021), Equinix 1.46 (2022) to 1.42 (2023), AWS 1.15 (2023, "
            "2024) to 1.14 (2025)",
        ),
    },
    parts=("indoors", "outdoors"),
    kinds=("sector", "operator", "market", "site"),
    # Assumptions: shared halls have twice the overhead of own ones; operators of a sector, and sites of an
    # operator in the same climate, differ by a third; home and abroad by a fifth, as most halls that Amazon
    # rents are abroad (Bloomberg on 24 November 2025).
    spreads=(0.5, 0.3, 0.2, 0.3),
    noise=0.10,
)

WUE = Formula(
    family="wue",
    priors={
        "evaporation": Prior(
            "rate",
            1.0,
            0.5,
            "1",
            "water of cooling over that of the physics",
            "assumption: setpoints and cycles of concentration differ by this much",
        ),
        "floor": Prior(
            "rate",
            0.01,
            0.7,
            "l/kWh",
            "water beside cooling: humidifying, washing, flushing",
            "assumption: the least that any site reports to hundredths",
        ),
    },
    parts=("evaporation", "floor"),
    kinds=("operator", "site"),
    spreads=(0.4, 0.5),
    noise=0.3,
)


def needs_of(asked: Asked) -> Needs:
    """What halls of the operator's kind need at the row's place."""
    return operator_needs(asked.operator, asked.latitude, asked.longitude)


def levels(formula: Formula, asked: Asked, *, fleet: bool = False) -> tuple[str, ...]:
    """The level of each kind that a row belongs to; a fleet has no site."""
    names = {
        "sector": asked.operator.sector,
        "operator": asked.operator.name,
        "market": NONE if fleet else market_of(asked),
        "site": NONE if fleet else asked.name,
    }
    return tuple(names[kind] for kind in formula.kinds)


def market_of(asked: Asked) -> str:
    """Whether an operator's site is in its own country; none where that is not known."""
    home = asked.operator.home
    if not home:
        return NONE
    where = country_at(asked.latitude, asked.longitude)
    return f"{asked.operator.name} {'at home' if where == home else 'abroad'}"


def classes_of(known: Sequence[str], asked: Sequence[Asked]) -> Ints:
    """Place of each row's class of noise among those known: its operator's own, else that of others.

    >>> from gigawright.facility.reported.operators import operator_named
    >>> both = [Asked(operator_named(name), "a", 0.0, 0.0, 2024) for name in ("Google", "Elsewhere")]
    >>> classes_of(("Google Cloud", OTHERS, FLEET), both).tolist()
    [0, 1]
    """
    names = [one.operator.name if one.operator.name in known else OTHERS for one in asked]
    return np.array([list(known).index(name) for name in names], dtype=np.int64)


@dataclass(frozen=True)
class Inputs:
    """What formulas read of rows: PUE above 1 by part and water [l/kWh] that the physics has, and years since
    `YEAR` [rows].
    """

    indoors: Floats
    outdoors: Floats
    water_l_per_kwh: Floats
    years: Floats

    def of(self, rows: Ints) -> Inputs:
        """Those of some rows."""
        columns = (self.indoors, self.outdoors, self.water_l_per_kwh, self.years)
        return Inputs(*(column[rows] for column in columns))


def inputs_of(asked: Sequence[Asked], needs: Sequence[Needs]) -> Inputs:
    """What formulas read of these rows."""
    since = np.array([float(one.year - YEAR) for one in asked])
    return Inputs(
        indoors=np.array([need.indoors for need in needs]),
        outdoors=np.array([need.outdoors for need in needs]),
        water_l_per_kwh=np.array([need.water_l_per_kwh for need in needs]),
        years=np.clip(since, -FARTHEST_YEARS, FARTHEST_YEARS),
    )


def parts_of(formula: Formula, inputs: Inputs, c: Constants) -> Floats:
    """PUE above 1, or WUE [l/kWh], by part [parts, rows]."""
    if formula.family == "wue":
        water = inputs.water_l_per_kwh
        return np.array([c["evaporation"] * water, np.full(len(water), c["floor"])])
    both = np.array([c["indoors"] * inputs.indoors, c["outdoors"] * inputs.outdoors])
    return np.asarray(both * c["yearly"] ** inputs.years)


@lru_cache(maxsize=2)
def shipped(family: str) -> Calibrated:
    """The calibration of a formula that ships with the package."""
    folder = files("gigawright.facility.reported") / "data"
    texts = [(folder / name).read_text("utf-8") for name in file_names(family)]
    return parse(texts[0], texts[1], {"pue": PUE, "wue": WUE}[family].priors)
