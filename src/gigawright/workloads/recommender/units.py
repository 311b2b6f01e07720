"""Units in which throughput and latency of recommenders are told, and how to turn requests into them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Of = Literal["requests", "pairs", "seconds"]

REQUESTS = frozenset({"sample", "samples", "query", "queries", "request", "requests", "ranking", "rankings"})
"""What an MLPerf sample and a query are: one user's request with its candidates."""

PAIRS = frozenset({"pair", "pairs", "candidate", "candidates", "item", "items", "inference", "inferences"})

ONE = frozenset({"accelerator", "gpu", "npu", "tpu", "chip", "card", "device"})

TIMES = {"s": 1.0, "ms": 1e3, "us": 1e6}


@dataclass(frozen=True)
class Unit:
    """`scale` x requests (or items scored) a second, of one accelerator or of all; or x seconds a batch."""

    of: Of
    scale: float
    each: bool

    def value(self, per_s: float, accelerators: int, candidates: float, requests: float) -> float:
        """What a row in this unit holds, from requests a second of one accelerator.

        >>> Unit("pairs", 1.0, each=False).value(10.0, accelerators=8, candidates=270, requests=4)
        21600.0
        >>> Unit("seconds", 1e3, each=True).value(10.0, 8, 270, 4)
        400.0
        """
        if self.of == "seconds":
            return self.scale * requests / per_s
        many = per_s * (candidates if self.of == "pairs" else 1.0)
        return self.scale * many * (1 if self.each else accelerators)

    @property
    def inverse(self) -> bool:
        """Whether more throughput is a smaller value."""
        return self.of == "seconds"


def unit_named(text: str) -> Unit:
    """The unit of a text: `Samples/s/accelerator`, `Queries/s`, `QPS/GPU`, `M items/s`, `ms`.

    Raises ValueError for others.

    >>> unit_named("Samples/s/accelerator"), unit_named("kQPS")
    (Unit(of='requests', scale=1.0, each=True), Unit(of='requests', scale=0.001, each=False))
    """
    words = re.sub(r"\([^)]*\)", "", text).strip().lower().replace(" per ", "/").replace("qps", "queries/s")
    parts = [part.strip() for part in words.split("/")]
    each = len(parts) == 3 and parts[2] in ONE
    if time := re.fullmatch(r"(s|ms|us)(\s.*)?", parts[0]):
        return Unit("seconds", TIMES[time[1]], each=True)
    many = re.fullmatch(r"(k|m|million)?\s*([a-z-]+)", parts[0])
    if many is None or len(parts) not in (2, 3) or parts[1] not in ("s", "sec", "second"):
        raise ValueError(_wrong(text))
    if len(parts) == 3 and not each:
        raise ValueError(_wrong(text))
    scale = {"k": 1e-3, "m": 1e-6, "million": 1e-6}.get(many[1] or "", 1.0)
    noun = many[2].removeprefix("user-item-").removeprefix("user-item")
    for of, names in (("requests", REQUESTS), ("pairs", PAIRS)):
        if noun in names:
            return Unit("requests" if of == "requests" else "pairs", scale, each)
    raise ValueError(_wrong(text))


def _wrong(text: str) -> str:
    return f"{text!r}, must be such as Samples/s/accelerator, Queries/s, candidates/s/GPU or ms"
