"""Lines of a weather file onto the hours of a 365-day year: order, 29 February, summer time, gaps.

A file's series are first laid on the year (`placed`), with NaN where a line or a value is missing, and then
filled where gaps are short (`filled`). What was done is noted, what cannot be done is a problem; a reader
collects both and raises once, with all problems of the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gigawright.arrays import Bools, Floats, Ints
from gigawright.clock import HOURS_PER_YEAR
from gigawright.errors import CatalogueError

MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS_BEFORE = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
DAYS_OF_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

LONGEST_GAP_H = 6
"""Hours in a row that are filled by interpolation; a longer gap is the user's to fill."""


@dataclass
class Findings:
    """What a reader has to say of one file: notes that may stand, and problems that must be mended."""

    path: str
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Keep a note, once."""
        if text not in self.notes:
            self.notes.append(text)

    def problem(self, text: str) -> None:
        """Keep a problem, once."""
        if text not in self.problems:
            self.problems.append(text)

    def check(self) -> None:
        """Raises CatalogueError with every problem there is."""
        if len(self.problems) == 1:
            raise CatalogueError(f"{self.path}: {self.problems[0]}")
        if self.problems:
            count = len(self.problems)
            raise CatalogueError("\n  ".join([f"{self.path}: {count} problems", *self.problems]))


def hour_words(hour: int) -> str:
    """An hour of the year in words.

    >>> hour_words(0), hour_words(1416 + 13)
    ('1 Jan 00:00', '1 Mar 13:00')
    """
    day, clock = divmod(int(hour) % HOURS_PER_YEAR, 24)
    month = int(np.searchsorted(DAYS_BEFORE, day, side="right")) - 1
    return f"{day - DAYS_BEFORE[month] + 1} {MONTH_NAMES[month]} {clock:02}:00"


def position(month: Ints, day: Ints, hour: Ints) -> Ints:
    """Hour of a 365-day year at which an hour of the calendar begins; -1 for 29 February and for no date."""
    known = (month >= 1) & (month <= 12) & (day >= 1) & (hour >= 0) & (hour <= 23)
    safe = np.where(known, month, 1) - 1
    known &= day <= np.array(DAYS_OF_MONTH)[safe]
    return np.asarray(np.where(known, (np.array(DAYS_BEFORE)[safe] + day - 1) * 24 + hour, -1))


@dataclass(frozen=True)
class Layout:
    """Which line tells which hour: `lines` are indices of the file's rows, `hours` where each belongs.

    `summer_time`: whether the file was in local summer time and has been put back.
    """

    lines: Ints
    hours: Ints
    summer_time: bool = False

    def spread(self, values: Floats) -> Floats:
        """A column of the file on the year's hours, NaN where there is none. Shape (8760,).

        Where the file has several records an hour, their mean.
        """
        told = values[self.lines]
        known = np.isfinite(told)
        count = np.bincount(self.hours[known], minlength=HOURS_PER_YEAR)
        total = np.bincount(self.hours[known], told[known], HOURS_PER_YEAR)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def placed(month: Ints, day: Ints, hour: Ints, findings: Findings, records: int = 1) -> Layout:
    """Lay a file's lines on the hours of the year.

    month, day (1-31), hour (0-23, hour-beginning) of each line, in the file's order; `records` lines an hour.
    29 February is dropped; lines in another order are sorted; a file in local summer time (one hour jumped
    over, one told twice) is put back on standard time. Hours told twice otherwise are a problem.
    """
    leap = (month == 2) & (day == 29)
    where = position(month, day, hour)
    lost = (where < 0) & ~leap
    if lost.any():
        first = int(np.flatnonzero(lost)[0])
        findings.problem(
            f"{int(lost.sum())} lines have no date of the calendar, the first is month {month[first]}, day "
            f"{day[first]}, hour beginning {hour[first]}; months are 1-12, hours begin at 0-23"
        )
    if leap.any():
        findings.note(f"29 February dropped ({int(leap.sum()) // records} hours)")
    lines = np.flatnonzero(where >= 0)
    hours = where[lines]
    told = hours
    if records == 1:
        hours = _standard_time(hours, findings)
    _check_once(hours, records, findings)
    if hours is told and (np.diff(hours) < 0).any():
        findings.note("lines were not in order of time; sorted by their dates")
    return Layout(lines, hours, hours is not told)


def _standard_time(hours: Ints, findings: Findings) -> Ints:
    """Hours of a local calendar with one hour missing and one told twice, moved back while summer time held.

    North of the equator the gap comes first, and summer time holds between the two; south of it the hour
    told twice comes first, and summer time holds outside.
    """
    steps = np.diff(hours) % HOURS_PER_YEAR
    gap, twice = np.flatnonzero(steps == 2), np.flatnonzero(steps == 0)
    if len(gap) != 1 or len(twice) != 1 or (np.delete(steps, [gap[0], twice[0]]) != 1).any():
        return hours
    line = np.arange(len(hours))
    after_gap, second = line > gap[0], line > twice[0]
    summer = after_gap & ~second if gap[0] < twice[0] else after_gap | ~second
    findings.note(
        f"local summer time found (no {hour_words(hours[gap[0]] + 1)}, {hour_words(hours[twice[0]])} twice); "
        "put back on standard time"
    )
    return np.asarray((hours - summer) % HOURS_PER_YEAR)


def _check_once(hours: Ints, records: int, findings: Findings) -> None:
    """Every hour of the year told as often as it should be; hours that are absent are left to `filled`."""
    count = np.bincount(hours, minlength=HOURS_PER_YEAR)
    if (double := np.flatnonzero(count > records)).size:
        findings.problem(
            f"{double.size} hours stand more than once, the first is {hour_words(double[0])}; a file holds "
            "one year, every hour once, in standard time"
        )
    if (absent := np.flatnonzero(count == 0)).size:
        longest = int(max(length for _, length in runs(count == 0)))
        told = f"{absent.size} hours have no line, the first is {hour_words(absent[0])}"
        if longest > LONGEST_GAP_H:
            findings.problem(
                f"{told}: {HOURS_PER_YEAR - absent.size} hours beside 29 February, a year has "
                f"{HOURS_PER_YEAR}; gaps up to {LONGEST_GAP_H} hours are filled, this one has {longest}"
            )


def runs(gaps: Bools) -> list[tuple[int, int]]:
    """First hour and length of each run of True, on a ring.

    >>> runs(np.array([True, False, True, True]))
    [(2, 3)]
    """
    if gaps.all():
        return [(0, len(gaps))]
    starts = np.flatnonzero(gaps & ~np.roll(gaps, 1))
    ends = np.flatnonzero(gaps & ~np.roll(gaps, -1))
    if len(starts) and ends[0] < starts[0]:
        ends = np.roll(ends, -1)
    return [(int(s), int((e - s) % len(gaps)) + 1) for s, e in zip(starts, ends, strict=True)]


def filled(values: Floats, name: str, findings: Findings, scale: Floats | None = None) -> Floats:
    """A series without gaps: up to 6 missing hours in a row are interpolated, a longer gap is a problem.

    scale: what the series follows, such as the sun outside the atmosphere; then values over it are
    interpolated, weighted by it, so that a gap across sunrise does not shine at night.
    """
    gaps = ~np.isfinite(values)
    if not gaps.any():
        return values
    found = runs(gaps)
    if max(length for _, length in found) > LONGEST_GAP_H:
        first, length = max(found, key=lambda run: run[1])
        findings.problem(
            f"{name} is missing in {int(gaps.sum())} hours; the longest gap has {length}, from "
            f"{hour_words(first)}, and up to {LONGEST_GAP_H} are filled. Fill it, or use another file"
        )
        return np.where(gaps, 0.0, values)
    findings.note(
        f"{name}: {int(gaps.sum())} missing hours interpolated, the first {hour_words(found[0][0])}"
    )
    if scale is None:
        return _between(values, gaps)
    weight = np.where(gaps | (scale <= 0.0), 0.0, scale)
    near = _around(np.where(gaps, 0.0, values) * (weight > 0.0), gaps) / np.maximum(
        _around(weight, gaps), 1e-9
    )
    return np.asarray(np.where(gaps, near * np.maximum(scale, 0.0), values))


def _between(values: Floats, gaps: Bools) -> Floats:
    """Linear interpolation across gaps, on a ring."""
    hours = np.arange(len(values))
    inside = np.interp(hours[gaps], hours[~gaps], values[~gaps], period=len(values))
    told = values.copy()
    told[gaps] = inside
    return told


def _around(values: Floats, gaps: Bools) -> Floats:
    """Sum of the known values within six hours of each gap, on a ring; zero elsewhere."""
    near = sum(np.roll(values, by) for by in range(-LONGEST_GAP_H, LONGEST_GAP_H + 1))
    return np.where(gaps, near, 0.0)


def within(values: Floats, low: float, high: float, name: str, unit: str, findings: Findings) -> None:
    """A problem where known values lie outside what the format allows."""
    with np.errstate(invalid="ignore"):
        wrong = (values < low) | (values > high)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        findings.problem(
            f"{name} is outside {low:g} to {high:g} {unit} in {int(wrong.sum())} hours, the first is "
            f"{hour_words(first)} with {values[first]:g}; correct it, or mark it missing"
        )
