"""The grid connection: how long its queue is, what is energised when, what may be cut, what is short."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np

from gigawright.arrays import Floats
from gigawright.clock import Quarter

MONTHS_PER_QUARTER = 3
KW_PER_MW = 1e3


@dataclass(frozen=True)
class Queue:
    """Months from asking for power at a place to having it, with the range that is told."""

    place: str
    months: float
    low: float
    high: float
    known_from: str
    source: str

    @property
    def quarters(self) -> int:
        """Whole quarters, rounded up."""
        return -int(-self.months // MONTHS_PER_QUARTER)


@lru_cache(maxsize=1)
def queues() -> dict[str, Queue]:
    """Connection queues by place, as in queues.csv beside this module.

    >>> queues()["Columbus, Ohio"].quarters
    28
    """
    text = files("gigawright.facility.supply").joinpath("queues.csv").read_text(encoding="utf-8")
    return {
        row["place"]: Queue(
            row["place"],
            float(row["months"]),
            float(row["low"]),
            float(row["high"]),
            row["known_from"],
            row["source"],
        )
        for row in csv.DictReader(text.splitlines())
    }


@dataclass(frozen=True)
class Stage:
    """MW of a connection that are live from the start of a quarter on, beside those of earlier stages."""

    quarter: Quarter
    mw: float


def staged(
    asked: Quarter, lead_quarters: int, total_mw: float, stage_mw: float, every_quarters: int = 2
) -> tuple[Stage, ...]:
    """A connection that comes in stages: the first after the lead, the others one after the other.

    Raises ValueError where stages have no size.

    >>> [(str(s.quarter), s.mw) for s in staged(Quarter(2026, 1), 8, 250.0, 100.0)]
    [('2028Q1', 100.0), ('2028Q3', 100.0), ('2029Q1', 50.0)]
    """
    if stage_mw <= 0.0 or every_quarters < 1:
        raise ValueError("stages need megawatts and at least a quarter between them")
    found: list[Stage] = []
    left = total_mw
    while left > 1e-9:
        size = min(stage_mw, left)
        found.append(Stage(asked + lead_quarters + len(found) * every_quarters, size))
        left -= size
    return tuple(found)


def energised_mw(stages: Sequence[Stage], quarters: Sequence[Quarter], standing_mw: float = 0.0) -> Floats:
    """What a connection carries in each quarter [MW]: what stands, and every stage that has come.

    >>> stages = (Stage(Quarter(2027, 2), 100.0), Stage(Quarter(2027, 4), 150.0))
    >>> energised_mw(stages, [Quarter(2027, n) for n in (1, 2, 3, 4)], 20.0).tolist()
    [20.0, 120.0, 120.0, 270.0]
    """
    return np.array([standing_mw + sum(s.mw for s in stages if s.quarter <= q) for q in quarters])


@dataclass(frozen=True)
class Curtailable:
    """A connection that comes early or cheap because it may be cut for some hours a year.

    `share` of it is taken in `hours_year` hours, in events of `event_h` hours, told `notice_h` ahead;
    `credit_usd_kw_year` is paid for it on what may be taken, `credit_usd_mwh` on what was.
    """

    hours_year: float
    share: float = 1.0
    event_h: int = 4
    notice_h: float = 1.0
    credit_usd_kw_year: float = 0.0
    credit_usd_mwh: float = 0.0

    def credit_usd(self, connection_mw: float, taken_mwh: float = 0.0) -> float:
        """What a year of being curtailable brings in [USD]."""
        return (
            connection_mw * self.share * KW_PER_MW * self.credit_usd_kw_year + taken_mwh * self.credit_usd_mwh
        )


def curtailed(terms: Curtailable, stress: Floats) -> Floats:
    """Share of the connection that may be drawn in each hour, (hours,): less in the grid's worst events.

    stress: by hour, how much the grid needs relief (its price, or its demand); events are whole blocks of
    `event_h` hours, the worst first, until the year's hours are used up. Raises ValueError where terms ask
    for more than there is.

    >>> left = curtailed(Curtailable(hours_year=2, share=0.5, event_h=2), np.array([1.0, 2.0, 9.0, 8.0]))
    >>> left.tolist()
    [1.0, 1.0, 0.5, 0.5]
    """
    hours = len(stress)
    if not 0.0 <= terms.share <= 1.0 or not 0.0 <= terms.hours_year <= hours or terms.event_h < 1:
        raise ValueError(f"a share from 0 to 1 and at most {hours} hours can be curtailed, not {terms}")
    blocks = np.arange(hours) // terms.event_h
    mean = np.bincount(blocks, stress) / np.bincount(blocks)
    chosen = np.argsort(-mean, kind="stable")[: int(terms.hours_year // terms.event_h)]
    available = np.ones(hours)
    available[np.isin(blocks, chosen)] = 1.0 - terms.share
    return available


@dataclass(frozen=True)
class Shortfall:
    """How far a connection is from carrying a load: where, how much, how long."""

    periods: tuple[str, ...]
    most_mw: float
    hours: float
    energy_mwh: float
    worst: tuple[str, int]

    def __str__(self) -> str:
        """A sentence that says how much and when."""
        where = self.periods[0] if len(self.periods) == 1 else f"{self.periods[0]} to {self.periods[-1]}"
        return (
            f"the connection is short by up to {self.most_mw:,.1f} MW (worst in {self.worst[0]}, hour "
            f"{self.worst[1]}) for {self.hours:,.0f} hours in {where}: {self.energy_mwh:,.0f} MWh"
        )


def shortfall(
    load_mw: Floats,
    connection_mw: Floats,
    periods: Sequence[str],
    weight_h: Floats | None = None,
    other_mw: Floats | float = 0.0,
) -> Shortfall | None:
    """Where a load is more than a connection and what else gives power; None where it never is.

    load_mw `[period, step]`; connection_mw `[period]` or `[period, step]`; other_mw what own plants and
    stores can give, a number or `[period, step]`; weight_h hours a step stands for (default 1).

    >>> load = np.array([[50.0, 80.0], [90.0, 120.0]])
    >>> print(shortfall(load, np.array([60.0, 100.0]), ("2027Q1", "2027Q2")))
    the connection is short by up to 20.0 MW (worst in 2027Q1, hour 1) for 2 hours in 2027Q1 to 2027Q2: 40 MWh
    """
    carries = connection_mw[:, None] if connection_mw.ndim == 1 else connection_mw
    short = np.maximum(load_mw - carries - other_mw, 0.0)
    if not short.any():
        return None
    weight = np.ones_like(short) if weight_h is None else weight_h
    period, step = np.unravel_index(int(short.argmax()), short.shape)
    return Shortfall(
        periods=tuple(label for label, lacks in zip(periods, short.max(axis=1) > 0.0, strict=True) if lacks),
        most_mw=float(short.max()),
        hours=float(weight[short > 0.0].sum()),
        energy_mwh=float((short * weight).sum()),
        worst=(periods[int(period)], int(step)),
    )
