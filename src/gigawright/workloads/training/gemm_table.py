"""Matrix products measured on a machine of one's own: read from CSV and laid over the formula.

Where products have been measured near a wanted shape the measured seconds hold; away from them they fade to
the formula f of `operators.product` at the level of the whole table, a f + s:

    seconds = (a f + s) exp(near * local),  near = exp(-(d / 2)^2)

`a` scales the formula and `s` is what any product takes besides, both from all products; `local` is the mean
of log(measured / (a f + s)) over the 8 nearest products, weighted by 1 / distance^2; `d` the distance to the
nearest. Distances are of log2 (m, n, k), so that 1 is a factor of two in one of them. A product and its
transpose count as one: m and n change places freely.
"""

from __future__ import annotations

import csv
import difflib
import io
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gigawright.arrays import Bools, Floats, Ints
from gigawright.errors import Problem, UserError
from gigawright.workloads.training.machine import BYTES

if TYPE_CHECKING:
    from gigawright.catalogue.types import Accelerator

WIDTHS = {**BYTES, "fp16": BYTES["bf16"]}
"""Bytes of a value by the precision a product is measured at."""

SHAPE = ("m", "n", "k")
MEASURES = {"tflops": 1e12, "seconds": 1.0}
"""Columns that tell how fast a product ran, exactly one of which a table has."""

COLUMNS = (*SHAPE, "precision", *MEASURES, "note")

FEWEST = 3
"""Products below which a table says too little to be laid over the formula; assumption."""

PEAK_SLACK = 1.02
"""How far a measured rate may lie above the data sheet's peak, which vendors round."""

ALIKE = {"bf16": ("bf16", "fp16"), "fp16": ("bf16", "fp16")}
"""Precisions whose peaks count as one; others have their own alone."""

MOST_TOLD = 10
"""Products that are shown where more are faster than they can be."""

NEAREST = 8
"""Products that a wanted shape is interpolated from; assumption: the corners of a cube around it."""

REACH = 2.0
"""Distance at which 1/e of what was measured nearby is left; assumption: a factor of four in one size."""

LONGEST_START = 50e-6
"""Most that any product is taken to need besides its work [s]; assumption: tables show 4 to 18 us."""

STARTS = np.concatenate([[0.0], np.geomspace(0.5e-6, LONGEST_START, 60)])
"""Starts that are tried [s]."""

COINCIDENT = 1e-9
"""Added to squared distances, so that a measured shape is its own neighbour and nothing else counts."""

BLOCK = 2_000_000
"""Distances held at once."""

Formula = Callable[[Floats, Floats, Floats], Floats]
"""Seconds of products of m, n and k by formula, at one machine and precision."""


@dataclass(frozen=True, eq=False)
class GemmTable:
    """Measured m x k by k x n products, one element a row of the file: sizes, and seconds taken."""

    name: str
    m: Floats
    n: Floats
    k: Floats
    seconds: Floats
    precision: tuple[str, ...]
    note: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.precision)

    def at(self, width: float) -> GemmTable | None:
        """The products of values of this many bytes; none where too few were measured."""
        rows = np.array([abs(WIDTHS[name] - width) < 1e-9 for name in self.precision])
        return self.only(rows) if rows.sum() >= FEWEST else None

    def rates(self, precision: str) -> Floats:
        """Flop/s of the products measured at a precision, in the file's order: 2 m n k / seconds.

        >>> square = np.array([4096.0])
        >>> GemmTable("", square, square, square, np.array([2e-4]), ("bf16",), ("",)).rates("bf16") / 1e12
        array([687.19...])
        """
        rows = np.array([name == precision for name in self.precision])
        return np.asarray((2 * self.m * self.n * self.k / self.seconds)[rows])

    def correction(self, m: Floats, n: Floats, k: Floats, formula: Formula) -> Floats:
        """By how much measured products differ from the formula's seconds at these shapes.

        The shapes broadcast to any common shape, that of the answer. All rows of the table are used,
        whatever their precision: see `factors`.
        """
        done = formula(self.m, self.n, self.k)
        scale, start = _level(self.seconds, done)
        ratio = np.log(self.seconds / (scale * done + start))
        sizes = np.broadcast_arrays(m, n, k)
        points, first, places = _distinct(*sizes)
        wanted = formula(*(size.ravel()[first] for size in sizes))
        known = _coordinates(self.m, self.n, self.k)
        local = np.empty(len(points))
        step = max(1, BLOCK // len(known))
        for at in range(0, len(points), step):
            rows = slice(at, at + step)
            local[rows] = _faded(points[rows], known, ratio)
        # A product without a size takes no time; its factor is finite all the same.
        factor = (scale + start / np.maximum(wanted, 1e-12)) * np.exp(local)
        return np.asarray(factor[places].reshape(sizes[0].shape))

    def factors(
        self,
        m: Floats,
        n: Floats,
        k: Floats,
        width: Floats | float,
        formula: Callable[[Floats, Floats, Floats, float], Floats],
    ) -> Floats:
        """`correction` for products of several precisions at once; `width` is the bytes of a value of each.

        `formula(m, n, k, width)` is the machine's. Products of a width that was not measured keep the
        formula: 1.
        """
        m, n, k, width = np.broadcast_arrays(m, n, k, width)
        found = np.ones(m.shape)
        for value in np.unique(width):
            table = self.at(float(value))
            if table is not None:
                rows = width == value
                found[rows] = table.correction(m[rows], n[rows], k[rows], _at_width(formula, float(value)))
        return found

    def above(self, peak: float, precision: str) -> int:
        """Products said to be faster than the peak [flop/s], which no machine is: a sign of bad timing."""
        return int(np.sum(self.rates(precision) > peak * PEAK_SLACK))

    def check_against(self, chip: Accelerator) -> None:
        """Raises UserError, with the products, where some are said to be faster than the chip's peak.

        Products at a precision whose peak is unknown are let through.
        """
        lines, rates = [], 2 * self.m * self.n * self.k / self.seconds / 1e12
        for at, (name, rate) in enumerate(zip(self.precision, rates.tolist(), strict=True)):
            peak = max((chip.peak_tflops.get(form, 0.0) for form in ALIKE.get(name, (name,))), default=0.0)
            if peak and rate > peak * PEAK_SLACK:
                size = " x ".join(f"{float(each[at]):.0f}" for each in (self.m, self.n, self.k))
                lines.append(f"  {size} at {name}: {rate:,.4g} TFLOP/s, the peak is {peak:,.4g}")
        if lines:
            more = [f"  ... and {len(lines) - MOST_TOLD:,} more"] if len(lines) > MOST_TOLD else []
            head = f"{self.name}: {len(lines):,} of {len(self):,} products are faster than {chip.name} can be"
            hint = "check what timed them, or --system" if len(lines) < len(self) else "is it another chip's?"
            raise UserError("\n".join([f"{head}; {hint}", *lines[:MOST_TOLD], *more]))

    def only(self, rows: Bools) -> GemmTable:
        """Some of the products."""
        kept = np.flatnonzero(rows)
        return GemmTable(
            name=self.name,
            m=self.m[kept],
            n=self.n[kept],
            k=self.k[kept],
            seconds=self.seconds[kept],
            precision=tuple(self.precision[row] for row in kept),
            note=tuple(self.note[row] for row in kept),
        )


def _at_width(formula: Callable[[Floats, Floats, Floats, float], Floats], width: float) -> Formula:
    return lambda m, n, k: formula(m, n, k, width)


def _coordinates(m: Floats, n: Floats, k: Floats) -> Floats:
    """Points in the space that distances are measured in [products, 3]."""
    sizes = np.stack([np.maximum(m, n), np.minimum(m, n), k], axis=-1)
    return np.asarray(np.log2(np.maximum(sizes, 1.0)))


def _distinct(m: Floats, n: Floats, k: Floats) -> tuple[Floats, Ints, Ints]:
    """The different shapes among many, as points; where each first stands, and for each of the many, flat,
    the place of its own.
    """
    points = _coordinates(*(np.asarray(size, dtype=float).ravel() for size in (m, n, k)))
    wanted, first, places = np.unique(points, axis=0, return_index=True, return_inverse=True)
    return wanted, np.asarray(first), np.asarray(places, dtype=np.int64).reshape(-1)


def _level(measured: Floats, formula: Floats) -> tuple[float, float]:
    """Scale and start [s] with which the formula comes nearest to all products.

    For each start the scale is the mean ratio of the rest to the formula, weighted by the formula's seconds,
    as a training step feels it; the start that misses least in the mean wins.
    """
    best = (math.inf, 1.0, 0.0)
    for start in STARTS[0.9 * measured.min() > STARTS]:
        scale = math.exp(float(np.average(np.log((measured - start) / formula), weights=formula)))
        missed = float(np.abs(np.log((scale * formula + start) / measured)).mean())
        if missed < best[0] - 1e-9:
            best = (missed, scale, float(start))
    return best[1:]


def _faded(wanted: Floats, known: Floats, ratio: Floats) -> Floats:
    """What products near some points differ from the level by, less the farther they are: logarithms
    [wanted].
    """
    square = ((wanted[:, None, :] - known[None, :, :]) ** 2).sum(axis=-1)
    count = min(NEAREST, len(known))
    nearest = np.argpartition(square, count - 1, axis=1)[:, :count]
    square = np.take_along_axis(square, nearest, axis=1)
    weight = 1 / (square + COINCIDENT)
    local = (weight * ratio[nearest]).sum(axis=1) / weight.sum(axis=1)
    return np.asarray(np.exp(-square.min(axis=1) / REACH**2) * local)


def read(path: str | os.PathLike[str]) -> GemmTable:
    """A table of measured products from CSV with the columns m, n, k, precision, tflops or seconds, and note.

    Raises UserError with everything that is wrong with the file, each with its line.
    """
    place = Path(path)
    try:
        text = place.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(f"{place} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{place} is not UTF-8 text: {error.reason} at byte {error.start}") from error
    return parse(text, str(place))


def parse(text: str, name: str = "table") -> GemmTable:
    r"""The same from the text of the file.

    >>> table = parse('''m,n,k,precision,tflops,note
    ... 4096,4096,4096,bf16,690,
    ... 4096,8192,4096,bf16,710,
    ... 4096,4096,1024,bf16,600,short
    ... ''')
    >>> len(table), table.note[2], f"{table.seconds[0] * 1e6:.1f} us"
    (3, 'short', '199.2 us')
    """
    lines = list(csv.reader(io.StringIO(text)))
    header = [cell.strip().lower() for cell in lines[0]] if lines else []
    problems = _about_header(header, name)
    if problems:
        raise _told(problems, name)
    measure = next(column for column in MEASURES if column in header)
    rows = [
        (at, dict(zip(header, (cell.strip() for cell in cells), strict=False)), len(cells))
        for at, cells in enumerate(lines[1:], start=2)
        if any(cell.strip() for cell in cells)
    ]
    for at, row, count in rows:
        problems += _about_row(row, count, len(header), measure, name, at)
    if len(rows) < FEWEST:
        message = f"{len(rows)} product(s) measured; at least {FEWEST} are needed"
        problems.append(Problem("table", message, name))
    if problems:
        raise _told(problems, name)
    return _built([row for _, row, _ in rows], measure, name)


def _built(rows: Sequence[dict[str, str]], measure: str, name: str) -> GemmTable:
    m, n, k, value = (np.array([float(row[column]) for row in rows]) for column in (*SHAPE, measure))
    seconds = value if measure == "seconds" else 2 * m * n * k / (value * MEASURES[measure])
    precision = tuple(row["precision"].lower() for row in rows)
    return GemmTable(name, m, n, k, seconds, precision, tuple(row.get("note", "") for row in rows))


def _about_header(header: Sequence[str], name: str) -> list[Problem]:
    """What is wrong with the names of the columns."""
    if not header:
        return [Problem("table", "the file is empty", name)]
    problems = [
        _problem(column, "this column is missing", name, 1)
        for column in (*SHAPE, "precision")
        if column not in header
    ]
    given = [column for column in MEASURES if column in header]
    if len(given) != 1:
        found = "neither was found" if not given else "both were found"
        problems.append(_problem("tflops", f"give one column, tflops or seconds; {found}", name, 1))
    for at, column in enumerate(header, start=1):
        if column not in COLUMNS:
            close = difflib.get_close_matches(column, [*COLUMNS], 1)
            problems.append(_problem(column or "?", "no such column", name, 1, at, close))
        elif column in header[: at - 1]:
            problems.append(Problem(column, "this column stands here twice", name, 1, at))
    return problems


def _problem(
    path: str, message: str, name: str, line: int, column: int = 0, near: Sequence[str] = ()
) -> Problem:
    """One thing wrong at a line, and at a column where it is known."""
    place = {"line": line, "column": column} if column else {}
    file = name if column else f"{name}:{line}"
    return Problem(
        path, f"{message}." if near else message, file, **place, suggestion=near[0] if near else ""
    )


def _about_row(
    row: dict[str, str], count: int, width: int, measure: str, name: str, line: int
) -> list[Problem]:
    """What is wrong with one measured product."""
    problems = []
    if count > width:
        problems.append(_problem("row", f"{count} cells where the header has {width}", name, line))
    for column in (*SHAPE, measure):
        wrong = _about_number(row.get(column, ""), whole=column in SHAPE)
        if wrong:
            problems.append(_problem(column, wrong, name, line))
    precision = row.get("precision", "")
    if precision.lower() not in WIDTHS:
        close = difflib.get_close_matches(precision.lower(), [*WIDTHS], 1)
        message = f"{precision!r} is none of {', '.join(WIDTHS)}"
        problems.append(_problem("precision", message, name, line, near=close))
    return problems


def _about_number(cell: str, *, whole: bool) -> str:
    """What is wrong with a cell that should hold a positive number; empty where nothing is."""
    try:
        value = float(cell)
    except ValueError:
        return f"{cell!r} is no number" if cell else "the cell is empty"
    if not math.isfinite(value) or value <= 0:
        return f"{cell} is not above 0 and finite"
    return f"{cell} is not a whole number" if whole and value != int(value) else ""


def _told(problems: Sequence[Problem], name: str) -> UserError:
    count = len(problems)
    head = f"{count} problem{'s' if count != 1 else ''} in the table of products {name}"
    return UserError("\n".join([head, *(f"  {problem}" for problem in problems)]))
