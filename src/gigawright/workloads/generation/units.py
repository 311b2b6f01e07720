"""Units in which generation is told, and how to turn seconds an item into them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Of = Literal["items", "tokens", "audio", "steps"]

NOUNS: dict[str, Of] = {
    **dict.fromkeys(("sample", "query", "request", "item", "prompt", "inference", "generation"), "items"),
    **dict.fromkeys(("image", "img", "picture", "video", "vid", "clip", "file", "window"), "items"),
    **dict.fromkeys(("token", "tok"), "tokens"),
    **dict.fromkeys(("audio", "audio s", "audio second", "second of audio", "audio-second"), "audio"),
    **dict.fromkeys(("step", "it", "iteration", "iter"), "steps"),
}
"""What is counted, by its name in the singular."""

SECONDS = {
    **dict.fromkeys(("ms", "millisecond", "msec"), 1e-3),
    **dict.fromkeys(("s", "sec", "second"), 1.0),
    **dict.fromkeys(("min", "minute"), 60.0),
    **dict.fromkeys(("h", "hr", "hour"), 3600.0),
    "day": 86400.0,
}
"""Seconds of a unit of time."""

ONE = frozenset({"accelerator", "gpu", "npu", "tpu", "chip", "card", "device"})


@dataclass(frozen=True)
class Item:
    """What one item of a row is: output tokens, seconds of audio, steps; and accelerators of its group and of
    the row."""

    tokens: float = 0.0
    audio_s: float = 0.0
    steps: float = 1.0
    ranks: int = 1
    accelerators: int = 1

    def count(self, of: Of) -> float:
        """How many of something an item holds."""
        return {"items": 1.0, "tokens": self.tokens, "audio": self.audio_s, "steps": self.steps}[of]


@dataclass(frozen=True)
class Unit:
    """Things in a time of `time_s`, of one accelerator (`each`) or all; or `inverse`: that time a thing."""

    of: Of
    time_s: float
    each: bool = False
    inverse: bool = False

    def value(self, item_s: float, item: Item) -> float:
        """What a row in this unit holds, from seconds an item in its group.

        >>> Unit("items", 1.0, each=True).value(4.0, Item(ranks=2, accelerators=8))
        0.125
        >>> Unit("steps", 1e-3, inverse=True).value(5.0, Item(steps=50))
        100.0
        """
        things = item.count(self.of)
        if self.inverse:
            return item_s / things / self.time_s
        many = 1 / item.ranks if self.each else max(1.0, item.accelerators / item.ranks)
        return self.time_s * many * things / item_s

    def seconds(self, value: float, item: Item) -> float:
        """Seconds an item in its group that a value means: the inverse of `value`."""
        at_one = self.value(1.0, item)
        return value / at_one if self.inverse else at_one / value


def unit_named(text: str) -> Unit:
    """The unit of a text: `images/s/accelerator`, `s/video`, `ms/step`, `videos/h`, `tokens/s`, `s`.

    Raises ValueError for others.

    >>> unit_named("Samples/s/accelerator")
    Unit(of='items', time_s=1.0, each=True, inverse=False)
    >>> unit_named("s/video").inverse, unit_named("minutes per clip").time_s
    (True, 60.0)
    """
    plain = re.sub(r"\([^)]*\)", "", text).strip().lower().replace(" per ", "/").replace("qps", "queries/s")
    parts = [_singular(part.strip()) for part in plain.split("/")]
    if parts[0] in SECONDS and len(parts) == 1:
        return Unit("items", SECONDS[parts[0]], inverse=True)
    if parts[0] in SECONDS and len(parts) == 2 and parts[1] in NOUNS:
        return Unit(NOUNS[parts[1]], SECONDS[parts[0]], inverse=True)
    each = len(parts) == 3 and parts[2] in ONE
    if len(parts) in (2, 3) and parts[0] in NOUNS and parts[1] in SECONDS and (each or len(parts) == 2):
        return Unit(NOUNS[parts[0]], SECONDS[parts[1]], each)
    raise ValueError(f"{text!r}, must be such as images/s/accelerator, Samples/s, s/video or ms/step")


def _singular(word: str) -> str:
    if word in SECONDS or word in NOUNS:
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word.removesuffix("s")
