"""Quarters, and the 8,760 hours of a planning year.

Every year has 365 days: 29 February is dropped, so a quarter has 2,160, 2,184, 2,208 or 2,208 hours.
Hours begin at the stated time, in UTC; tariffs and demand follow local standard time.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import total_ordering
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HOURS_PER_YEAR = 8760
HOURS_PER_QUARTER = (2160, 2184, 2208, 2208)
DAYS_PER_QUARTER = (90, 91, 92, 92)
_QUARTER = re.compile(r"^\s*(\d{4})\s*-?\s*[Qq]([1-4])\s*$")


@total_ordering
@dataclass(frozen=True, slots=True)
class Quarter:
    """A calendar quarter.

    >>> Quarter.parse("2026Q3") + 2
    Quarter(year=2027, number=1)
    >>> str(Quarter(2026, 3)), Quarter(2026, 3).hours
    ('2026Q3', 2208)
    """

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Quarter:
        """Read `2026Q3`; raises ValueError on anything else."""
        match = _QUARTER.match(text)
        if match is None:
            raise ValueError(f"{text!r} is not a quarter; write it like 2026Q3")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: dt.date) -> Quarter:
        """The quarter a day falls in."""
        return cls(day.year, (day.month - 1) // 3 + 1)

    @property
    def index(self) -> int:
        """Quarters since the year 0, so that differences count quarters."""
        return self.year * 4 + self.number - 1

    @property
    def hours(self) -> int:
        """Hours in this quarter of a 365-day year."""
        return HOURS_PER_QUARTER[self.number - 1]

    @property
    def hour_slice(self) -> slice:
        """Where this quarter's hours lie among the 8,760 of its year (UTC)."""
        start = sum(HOURS_PER_QUARTER[: self.number - 1])
        return slice(start, start + self.hours)

    @property
    def last_day(self) -> dt.date:
        """The last calendar day of the quarter."""
        following = self + 1
        return dt.date(following.year, following.number * 3 - 2, 1) - dt.timedelta(days=1)

    def __add__(self, quarters: int) -> Quarter:
        year, number = divmod(self.index + quarters, 4)
        return Quarter(year, number + 1)

    def __sub__(self, other: Quarter) -> int:
        return self.index - other.index

    def __lt__(self, other: Quarter) -> bool:
        return self.index < other.index

    def __str__(self) -> str:
        return f"{self.year}Q{self.number}"


def quarters_between(start: Quarter, end: Quarter) -> tuple[Quarter, ...]:
    """All quarters from `start` to `end`, both included."""
    return tuple(start + step for step in range(end - start + 1))


def known_by(text: str) -> dt.date:
    """The day by which a possibly partial date had passed: `2026-03` means 31 March, `2026` its last day.

    >>> known_by("2026-02"), known_by("2026Q1")
    (datetime.date(2026, 2, 28), datetime.date(2026, 3, 31))
    """
    text = text.strip()
    if _QUARTER.match(text):
        return Quarter.parse(text).last_day
    parts = text.split("-")
    if len(parts) == 1:
        return dt.date(int(parts[0]), 12, 31)
    if len(parts) == 2:
        year, month = int(parts[0]), int(parts[1])
        if not 1 <= month <= 12:
            raise ValueError(f"{text!r} has no month {month}")
        following = dt.date(year + month // 12, month % 12 + 1, 1)
        return following - dt.timedelta(days=1)
    return dt.date.fromisoformat(text)


def local_hour_of_day(utc_offset_h: float) -> NDArray[np.int64]:
    """Local standard hour of the day, 0-23, for each UTC hour of the year. Shape (8760,)."""
    import numpy as np

    return (np.arange(HOURS_PER_YEAR) + round(utc_offset_h)) % 24


def month_of_hour() -> NDArray[np.int64]:
    """Month 0-11 of each hour of a 365-day year. Shape (8760,)."""
    import numpy as np

    days = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return np.repeat(np.arange(12), np.array(days) * 24)
