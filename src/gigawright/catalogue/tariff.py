"""Time-of-use tariffs: 24 local hours of a price that keeps its stated mean."""

from __future__ import annotations

from gigawright.errors import CatalogueError

HOURS = 24


def hours_of(text: str) -> frozenset[int]:
    """Local hours named like `17-22` or `6-8;17-24`; the end is not included, `23-7` passes midnight, `0-0`
    is none.

    >>> sorted(hours_of("23-2"))
    [0, 1, 23]
    """
    found: set[int] = set()
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        try:
            first, last = (int(number) for number in part.split("-"))
        except ValueError:
            raise CatalogueError(
                f"{text!r} are not hours of the day; write them like 17-22 or 6-8;17-24"
            ) from None
        if not (0 <= first <= HOURS and 0 <= last <= HOURS):
            raise CatalogueError(f"{text!r} has an hour outside 0-24")
        length = last - first if last >= first else last + HOURS - first
        found.update((first + step) % HOURS for step in range(length))
    return frozenset(found)


def tou_multipliers(peak: float, valley: float, peak_hours: str, valley_hours: str) -> tuple[float, ...]:
    """Price of each local hour over the day's mean, from multiples of the flat price. The mean is exactly
    one.

    >>> shape = tou_multipliers(1.5, 0.5, "17-22", "10-16")
    >>> round(sum(shape) / 24, 12), round(shape[17] / shape[10], 3)
    (1.0, 3.0)
    """
    dear, cheap = hours_of(peak_hours), hours_of(valley_hours)
    if dear & cheap:
        raise CatalogueError(f"hours {sorted(dear & cheap)} are both peak and valley")
    raw = [peak if hour in dear else valley if hour in cheap else 1.0 for hour in range(HOURS)]
    mean = sum(raw) / HOURS
    return tuple(value / mean for value in raw)
