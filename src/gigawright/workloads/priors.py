"""What is known of a constant before any measurement of ours is seen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Prior:
    """Where a constant starts, how far it may go, and why.

    A `rate` is positive and moves by factors (log-normal: `spread` is the standard deviation of its
    logarithm); a share stays between 0 and 1 (logit-normal). A spread of 0 keeps the constant as it is.
    """

    kind: str
    value: float
    spread: float
    unit: str
    meaning: str
    source: str
