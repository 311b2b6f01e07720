"""A year of hours from a CSV file: any time column, summer time, leap days, quarter hours, small gaps.

What was done to the file is told in its notes; what cannot be read without a guess is an error.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from gigawright.arrays import Floats
from gigawright.clock import HOURS_PER_YEAR
from gigawright.errors import CatalogueError

TIME_WORDS = ("utc", "time", "start", "mtu", "date", "hour", "period")
MOST_FILLED_H = 6
_GERMAN = re.compile(r"^(\d{1,2})\.(\d{1,2})\.(\d{4})[ T](\d{1,2}):(\d{2})")
_ZONE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z_]+")
_DAYS_BEFORE = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


@dataclass(frozen=True, eq=False)
class HourYear:
    """A year of a file's column by UTC hour, (8760,); `year` by the file's own clock.

    `notes` say what was averaged, filled or left out.
    """

    values: Floats
    year: int
    column: str
    notes: tuple[str, ...]


def read_hours(
    path: Path,
    words: Sequence[str],
    *,
    column: str | None = None,
    time_column: str | None = None,
    zone: str | None = None,
    utc_offset_h: float | None = None,
    year: int | None = None,
) -> HourYear:
    """A year of hourly values from a CSV file with a header.

    Where no column is named, the first of `words` that marks exactly one chooses it.

    Times with an offset or `Z`, and those of a column named UTC, need nothing more. Local times need `zone`
    (an IANA name like Europe/Berlin, which may stand in the time column's name: the hour that summer time
    leaves out may be missing, the one it repeats stands twice, summer first) or `utc_offset_h` (a clock that
    is never changed). Written as ISO 8601 or 31.12.2024 23:00, with or without the end of the interval behind
    a dash. Steps under an hour are averaged, 29 February is left out, at most 6 missing hours in a row are
    interpolated, all told in the notes. Of several years `year` chooses, by UTC where times have an offset
    and by the file's clock where not (default: the fullest, the later of equals).
    Raises CatalogueError, naming column, line or hour, on anything that would need a guess.
    """
    rows = _rows(path)
    head = [cell.strip() for cell in rows[0]]
    when = _pick(path, head, time_column, TIME_WORDS, "time_column")
    what = _pick(path, head, column, words, "column", besides=when)
    clock = _Clock(path, head[when], zone, utc_offset_h)
    labels = [clock.read(line, row[when]) for line, row in enumerate(rows[1:], start=2)]
    values = [_number(path, line, head[what], row[what]) for line, row in enumerate(rows[1:], start=2)]
    chosen = year or _fullest(labels)
    kept = [i for i, label in enumerate(labels) if label.year == chosen]
    if not kept:
        raise CatalogueError(f"{path} has no hours of {chosen}")
    times = clock.to_utc([labels[i] for i in kept])
    hours, notes = _by_hour(path, times, np.array([values[i] for i in kept]))
    return HourYear(hours, chosen, head[what], tuple(clock.notes + notes))


def _rows(path: Path) -> list[list[str]]:
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path} cannot be read as a CSV file: {error}") from error
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    rows = [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if any(map(str.strip, row))]
    if len(rows) < 2:
        raise CatalogueError(f"{path} has no values: a header and a line for each hour are needed")
    short = next((i for i, row in enumerate(rows, start=1) if len(row) < len(rows[0])), None)
    if short is not None:
        raise CatalogueError(f"{path}, line {short}: fewer cells than the header has")
    return rows


def _pick(
    path: Path, head: list[str], name: str | None, words: Sequence[str], option: str, besides: int = -1
) -> int:
    """The column that is named, else the only one that the first fitting word marks, else the only one."""
    if name is not None:
        if name not in head:
            raise CatalogueError(f"{path} has no column {name!r}; it has {', '.join(head)}")
        return head.index(name)
    left = [i for i in range(len(head)) if i != besides]
    for word in words:
        marked = [i for i in left if word in head[i].lower()]
        if len(marked) == 1:
            return marked[0]
    if len(left) != 1:
        raise CatalogueError(f"{path}: which of {', '.join(head)} it is, {option} must say")
    return left[0]


def _number(path: Path, line: int, column: str, cell: str) -> float:
    text = cell.strip()
    if text in ("", "n/e", "N/A", "NaN", "nan", "-"):
        return float("nan")
    # Of two marks the last is the decimal one: 1.234,56 as in Germany, 1,234.56 as in England.
    thousands = "." if text.rfind(",") > text.rfind(".") else ","
    try:
        return float(text.replace(thousands, "").replace(",", "."))
    except ValueError:
        raise CatalogueError(f"{path}, line {line}: {column} is not a number: {cell!r}") from None


class _Clock:
    """How the labels of a file are to be read, and what was noticed on the way."""

    def __init__(self, path: Path, name: str, zone: str | None, utc_offset_h: float | None) -> None:
        self.path, self.notes = path, list[str]()
        self.zone: dt.tzinfo | None = None
        named = _ZONE.search(name)
        if zone is None and utc_offset_h is None and named:
            zone = named[0]
        if zone is not None:
            try:
                self.zone = ZoneInfo(zone)
            except (ZoneInfoNotFoundError, ValueError) as error:
                raise CatalogueError(f"{zone!r} is no time zone; write it like Europe/Berlin") from error
        elif utc_offset_h is not None:
            self.zone = dt.timezone(dt.timedelta(hours=utc_offset_h))
        elif "utc" in name.lower() or "gmt" in name.lower():
            self.zone = dt.UTC

    def read(self, line: int, cell: str) -> dt.datetime:
        """A label as it is written; in UTC where it has an offset."""
        text = cell.strip()
        german = _GERMAN.match(text)
        if german:
            day, month, year, hour, minute = map(int, german.groups())
            return dt.datetime(year, month, day, hour, minute)
        start = re.split(r"\s+-\s+|/(?=\d{4}-)", text)[0]
        try:
            label = dt.datetime.fromisoformat(start.replace(" UTC", "Z"))
            return label if label.tzinfo is None else label.astimezone(dt.UTC)
        except ValueError:
            raise CatalogueError(f"{self.path}, line {line}: {cell!r} is not a time") from None

    def to_utc(self, labels: list[dt.datetime]) -> list[dt.datetime]:
        """UTC times; of a local label that stands twice the first is summer time."""
        if all(label.tzinfo is not None for label in labels):
            return labels
        if self.zone is None:
            raise CatalogueError(
                f"{self.path}: local times without an offset: name the zone (like Europe/Berlin) or offset"
            )
        seen: set[dt.datetime] = set()
        found, doubled, absent = [], 0, 0
        for label in labels:
            second = label in seen
            seen.add(label)
            doubled += second
            placed = label.replace(tzinfo=self.zone, fold=int(second))
            back = placed.astimezone(dt.UTC).astimezone(self.zone).replace(tzinfo=None, fold=0)
            absent += back != label.replace(fold=0)
            found.append(placed.astimezone(dt.UTC))
        if absent:
            raise CatalogueError(
                f"{self.path}: {absent} times do not exist in {self.zone}: summer time skips them"
            )
        if doubled:
            self.notes.append(f"{doubled} local times stand twice: the first is summer time")
        return found


def _fullest(labels: Sequence[dt.datetime]) -> int:
    years = [label.year for label in labels]
    return max(sorted(set(years)), key=lambda year: (years.count(year), year))


def _by_hour(path: Path, times: Sequence[dt.datetime], values: Floats) -> tuple[Floats, list[str]]:
    """Means by hour of a 365-day year, which is a ring: hours before New Year go to its end."""
    leap = np.array([(time.month, time.day) == (2, 29) for time in times])
    hour = np.array([(_DAYS_BEFORE[t.month - 1] + t.day - 1) * 24 + t.hour for t in times])
    given = np.isfinite(values) & ~leap
    if len(set(times)) != len(times):
        twice = min(time for time, times_seen in Counter(times).items() if times_seen > 1)
        raise CatalogueError(
            f"{path}: {twice:%Y-%m-%d %H:%M} UTC stands twice; local times with summer time need their zone"
        )
    count = np.bincount(hour[given], minlength=HOURS_PER_YEAR)
    total = np.bincount(hour[given], values[given], minlength=HOURS_PER_YEAR)
    notes = []
    if leap.any():
        notes.append(f"29 February left out ({np.unique(hour[leap]).size} hours)")
    if count.max() > 1:
        notes.append(f"{count.max()} values an hour averaged")
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    filled, missing = _filled(path, mean)
    if missing:
        notes.append(f"{missing} missing hours interpolated")
    return filled, notes


def _filled(path: Path, mean: Floats) -> tuple[Floats, int]:
    """The year without its gaps, and how many hours they were; long ones are an error."""
    lost = np.isnan(mean)
    if not lost.any():
        return mean, 0
    if lost.all():
        raise CatalogueError(f"{path} has no values of that year")
    turn = int(np.argmin(lost))
    ring = np.roll(lost, -turn)
    edges = np.flatnonzero(np.diff(np.r_[0, ring.astype(int), 0]))
    lengths = edges[1::2] - edges[::2]
    if lengths.max() > MOST_FILLED_H:
        first = (int(edges[::2][lengths > MOST_FILLED_H][0]) + turn) % HOURS_PER_YEAR
        day = dt.date(2001, 1, 1) + dt.timedelta(days=first // 24)
        raise CatalogueError(
            f"{path}: {int(lost.sum())} hours are missing, {int(lengths.max())} of them in a row "
            f"(the first at {day:%d %B} {first % 24:02d}:00 UTC); at most {MOST_FILLED_H} are filled"
        )
    at = np.arange(HOURS_PER_YEAR)
    return np.interp(at, at[~lost], mean[~lost], period=HOURS_PER_YEAR), int(lost.sum())
