from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.workloads.generation.units import Item, unit_named

ITEM = Item(tokens=86.0, audio_s=23.2, steps=50, ranks=2, accelerators=8)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # 4 s an item in groups of 2 of 8 accelerators
        ("s/image", 4.0),
        ("s/video", 4.0),
        ("seconds per clip", 4.0),
        ("ms/step", 80.0),
        ("minutes/video", 4 / 60),
        ("s", 4.0),
        ("images/s", 1.0),
        ("images/s/accelerator", 0.125),
        ("Samples/s/GPU", 0.125),
        ("Queries/s", 1.0),
        ("videos/h", 3600.0),
        ("tokens/s/accelerator", 86 / 4 / 2),
        ("audio seconds/s", 23.2),
        ("it/s", 50.0),
    ],
)
def test_units(text: str, value: float) -> None:
    assert unit_named(text).value(4.0, ITEM) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "J/image", "images", "images/furlong", "s/parsec", "images/s/rack"])
def test_others_are_named(text: str) -> None:
    with pytest.raises(ValueError, match="must be such as"):
        unit_named(text)


@given(st.sampled_from(["s/image", "images/s", "Samples/s/accelerator", "tokens/s"]), st.floats(1e-3, 1e5))
def test_seconds_are_the_inverse_of_values(text: str, item_s: float) -> None:
    unit = unit_named(text)
    assert unit.seconds(unit.value(item_s, ITEM), ITEM) == pytest.approx(item_s)
