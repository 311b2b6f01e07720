"""How long software has had to learn a chip: the time from its first shipments to a run."""

from __future__ import annotations

import re

from gigawright.catalogue.types import Accelerator
from gigawright.facts import FactBook
from gigawright.workloads.training.run import MATURE_YEARS

RELEASE = re.compile(r"v?(\d\d)\.(\d\d)(?:\.\d+)?$")
"""Releases that are named by year and month, as 25.09 or v25.04.01."""


def age_years(site: str, release: str, chip: Accelerator, book: FactBook) -> float:
    """Years from a chip's first shipments to a run of this site and release; `MATURE_YEARS` where it is
    unknown.

    The release's own date holds before that of the document.
    """
    measured, first = measured_year(site, release, book), shipped_year(chip, book)
    if measured is None or first is None:
        return MATURE_YEARS
    return max(0.0, measured - first)


def measured_year(site: str, release: str, book: FactBook) -> float | None:
    """When a run was measured, in decimal years; None where neither release nor document tell.

    >>> measured_year("", "25.04", FactBook([]))
    2025.2916666666667
    """
    found = RELEASE.match(release)
    if found and 1 <= int(found[2]) <= 12:
        return 2000 + int(found[1]) + (int(found[2]) - 0.5) / 12
    if book.has("measurement", site, "measured"):
        return book.number("measurement", site, "measured")
    return None


def shipped_year(chip: Accelerator, book: FactBook) -> float | None:
    """When a chip first shipped, in decimal years: as known, or the middle of the year it was released in."""
    if book.has("accelerator", chip.id, "shipped"):
        return book.number("accelerator", chip.id, "shipped")
    if book.has("accelerator", chip.id, "released"):
        return book.number("accelerator", chip.id, "released") + 0.5
    return None
