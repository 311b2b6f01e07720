"""The one table of work units: what a phase of each family counts, and how a report writes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WorkUnit:
    """A unit of work: its names and the scale a report uses (1e6 tokens are written `M tokens`)."""

    key: str
    singular: str
    plural: str
    scale: float
    scaled: str

    def write(self, amount: float) -> str:
        """An amount in the report's scale.

        >>> UNITS["output-token"].write(2.5e9)
        '2,500 M output tokens'
        """
        return (
            f"{amount / self.scale:,.4g} {self.scaled}"
            if amount < 1e3 * self.scale
            else (f"{amount / self.scale:,.0f} {self.scaled}")
        )


UNITS: dict[str, WorkUnit] = {
    unit.key: unit
    for unit in (
        WorkUnit("trained-token", "trained token", "trained tokens", 1e9, "bn trained tokens"),
        WorkUnit("input-token", "input token", "input tokens", 1e6, "M input tokens"),
        WorkUnit("output-token", "output token", "output tokens", 1e6, "M output tokens"),
        WorkUnit("image", "image", "images", 1.0, "images"),
        WorkUnit("video", "video", "videos", 1.0, "videos"),
        WorkUnit("ranking", "ranking", "rankings", 1e3, "1,000 rankings"),
    )
}
"""Every work unit, by key."""

PHASES: dict[str, tuple[tuple[str, str], ...]] = {
    "llm-training": (("training", "trained-token"),),
    "llm-serving": (("prefill", "input-token"), ("decode", "output-token")),
    "image-generation": (("image", "image"),),
    "video-generation": (("video", "video"),),
    "recommendation": (("ranking", "ranking"),),
}
"""The phases of each workload family, with the unit each counts."""
