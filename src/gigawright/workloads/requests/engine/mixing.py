"""One way of making 64 well mixed bits of 64, for keys of prefixes and for numbers that look random."""

from __future__ import annotations

from typing import Any

import numpy as np

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""Added before mixing, so that zero does not stay zero: 2**64 over the golden ratio."""

MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)


def mixed(bits: Any) -> Any:
    """SplitMix64's finaliser, of an array or in compiled code (Steele, Lea and Flood, OOPSLA 2014).

    >>> [f"{value:x}" for value in mixed(np.array([0, 1], np.uint64) + GOLDEN).tolist()]
    ['e220a8397b1dcdaf', '910a2dec89025cc1']
    """
    bits = (bits ^ (bits >> np.uint64(30))) * MIX_1
    bits = (bits ^ (bits >> np.uint64(27))) * MIX_2
    return bits ^ (bits >> np.uint64(31))
