from __future__ import annotations

import pytest

from gigawright.workloads.performance import Phase
from gigawright.workloads.units import PHASES, UNITS


def test_each_phase_has_a_unit_of_the_table() -> None:
    assert {unit for phases in PHASES.values() for _, unit in phases} == set(UNITS)


def test_amounts_are_written_in_their_scale() -> None:
    assert UNITS["trained-token"].write(1.5e12) == "1,500 bn trained tokens"
    assert UNITS["image"].write(12.0) == "12 images"


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="unit 'tokens' is none of"):
        Phase("a", "a", "a", "llm-serving", "tokens", "daily")
