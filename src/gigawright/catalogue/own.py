"""Facts of one's own, from CSV files in the catalogue's format, to be used beside those of the package."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Container, Iterable, Sequence
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from gigawright.catalogue.load import HEADER, _long, load_facts
from gigawright.errors import CatalogueError, UserError
from gigawright.facts import Fact, FactBook

MAY_LACK = frozenset({"low", "high", "locator", "valid_from", "known_basis", "retrieved", "note"})
"""Columns that count as blank where a file of one's own lacks them."""


NEEDED = {
    "accelerator": ("name", "vendor", "made_for"),
    "system": ("name", "accelerator", "accelerators", "cooling"),
}
"""Attributes without which an item cannot be read; all others may be unknown."""

MADE_FOR = "China for a Chinese maker, otherwise abroad"

PREFIXES = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}

MOST_TOLD = 20
"""Faults that are shown of a file with more."""


def book_with(paths: Sequence[Path]) -> FactBook:
    """The package's facts and those of the files; raises CatalogueError and UserError as `own_facts` does."""
    package = load_facts()
    return FactBook([*package, *own_facts(paths, package)])


def own_facts(paths: Iterable[Path], package: Iterable[Fact]) -> list[Fact]:
    """The facts of CSV files with the header of the catalogue's own; columns of `MAY_LACK` may be missing.

    Raises UserError for a file that cannot be read as such a table, and CatalogueError, all faults at once,
    each with file and row: facts that are malformed, that the schema does not know, or that the package or an
    earlier row has already (what is known is never replaced silently), and items that lack what they need.
    """
    taken = {(fact.kind, fact.item, fact.attribute) for fact in package}
    told: dict[tuple[object, ...], str] = {}
    found: list[Fact] = []
    wrong: list[str] = []
    for path in paths:
        for where, fact in _facts(path):
            if isinstance(fact, CatalogueError):
                wrong.append(str(fact))
                continue
            name = (fact.kind, fact.item, fact.attribute)
            earlier = told.setdefault((*name, fact.known_from), where)
            if problem := _problem(fact):
                wrong.append(f"{where}: {problem}")
            elif name in taken:
                known = f"{fact.kind} {fact.name} is in the package's catalogue already"
                wrong.append(f"{where}: {known}; give your item another name")
            elif earlier != where:
                wrong.append(f"{where}: {fact.kind} {fact.name} is in {earlier} already")
            found.append(fact)
    wrong += _lacking(found, {*taken, *((fact.kind, fact.item, fact.attribute) for fact in found)})
    if wrong:
        more = [f"... and {len(wrong) - MOST_TOLD:,} more"] if len(wrong) > MOST_TOLD else []
        raise CatalogueError("\n  ".join([*wrong[:MOST_TOLD], *more]))
    return found


def _lacking(own: Iterable[Fact], known: Container[tuple[str, str, str]]) -> Iterable[str]:
    """Which items of one's own lack attributes that every item of their kind needs."""
    for kind, item in dict.fromkeys((fact.kind, fact.item) for fact in own if fact.item):
        missing = [name for name in NEEDED.get(kind, ()) if (kind, item, name) not in known]
        if missing:
            yield f"{kind} {item} lacks {', '.join(missing)}: add a row for each" + (
                f" (made_for: {MADE_FOR})" if "made_for" in missing else ""
            )


def _facts(path: Path) -> Iterable[tuple[str, Fact | CatalogueError]]:
    """The rows of a file, each with its place, as facts or as what is wrong with them."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 (byte {error.start}); save it as CSV in UTF-8") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        header, *rows = list(csv.reader(io.StringIO(text, newline=""), strict=True)) or [[]]
    except csv.Error as error:
        raise UserError(f"{path}: not readable as CSV ({error}); check its quotes") from error
    names = [name.strip() for name in header]
    missing = [name for name in HEADER if name not in names and name not in MAY_LACK]
    if missing:
        raise UserError(
            f"{path}: missing {', '.join(missing)}; a file of facts has the columns {', '.join(HEADER)}"
        )
    # Short and blank rows keep their place, so that messages count rows as an editor does.
    blank = dict.fromkeys(HEADER, "")
    cells = [{**blank, **dict(zip(names, map(str.strip, row), strict=False))} for row in rows]
    while cells and not any(cells[-1].values()):
        cells.pop()
    for number, row in enumerate(cells, start=2):
        where = f"{path}:{number}"
        try:
            yield where, next(iter(_long([row], str(path))))
        except CatalogueError as error:
            # A row that is read alone counts as the first of its file.
            yield where, CatalogueError(f"{where}: {str(error).removeprefix(f'{path}:2: ')}")


def _problem(fact: Fact) -> str:
    """What is wrong with a fact in words; empty where nothing is."""
    schema = _schema()
    kinds = sorted({kind for kind, _ in schema})
    if fact.kind not in kinds:
        return f"kind {fact.kind!r} is none of {', '.join(kinds)}"
    if not fact.item:
        return "item is blank, must be a name of your choice"
    family = fact.attribute.split("@")[0] + ("@" if "@" in fact.attribute else "")
    if (fact.kind, family) not in schema:
        near = get_close_matches(family, [name for kind, name in schema if kind == fact.kind], n=1)
        return f"{fact.kind} has no attribute {fact.attribute!r}" + (
            f"; did you mean {near[0]!r}?" if near else ""
        )
    unit, kind_of_value = schema[fact.kind, family]
    if fact.value == "":
        return f"{fact.attribute} has no value"
    if kind_of_value != "number":
        return ""
    if fact.unit != unit:
        return f"{fact.attribute} is in {fact.unit!r}, must be in {unit!r}{_converted(fact, unit)}"
    return _wrong_number(fact)


def _converted(fact: Fact, unit: str) -> str:
    """What the value is in the unit wanted, where the two differ by a power of ten alone; else empty."""
    given, wanted = fact.unit.replace(" ", ""), unit
    if isinstance(fact.value, str) or given[1:] != wanted[1:]:
        return ""
    if given[:1] not in PREFIXES or wanted[:1] not in PREFIXES:
        return ""
    return f": {fact.value:g} {fact.unit} is {fact.value * PREFIXES[given[0]] / PREFIXES[wanted[0]]:g} {unit}"


def _wrong_number(fact: Fact) -> str:
    """What is wrong with a number that a fact holds; those of accelerators are positive."""
    if isinstance(fact.value, str) or not math.isfinite(fact.value):
        return f"{fact.attribute} is {fact.value!r}, must be a number"
    if fact.kind == "accelerator" and fact.value <= 0:
        return f"{fact.attribute} is {fact.value:g}, must be more than 0; leave out what is unknown"
    low = fact.value if fact.low is None else fact.low
    high = fact.value if fact.high is None else fact.high
    if not low <= fact.value <= high:
        return f"{fact.attribute} is {fact.value:g}, must lie from low {low:g} to high {high:g}"
    return ""


@lru_cache(maxsize=1)
def _schema() -> dict[tuple[str, str], tuple[str, str]]:
    """Unit and type by kind and attribute."""
    with (files("gigawright.catalogue") / "schema.csv").open(encoding="utf-8") as stream:
        return {(row["kind"], row["attribute"]): (row["unit"], row["type"]) for row in csv.DictReader(stream)}
