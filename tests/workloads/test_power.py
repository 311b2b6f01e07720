from __future__ import annotations

import pytest

from gigawright.catalogue.types import System
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.power import IDLE_SHARE, watts

from .conftest import H100, system_of


def test_power_lies_between_idle_and_full(h100: System) -> None:
    assert watts(h100, {}, 1.0) == pytest.approx(1275 * IDLE_SHARE)
    assert watts(h100, {"compute": 1.0}, 1.0) == pytest.approx(1275)
    assert watts(h100, {"compute": 1.0, "network": 5.0}, 1.0) == pytest.approx(1275)


def test_missing_power_is_said() -> None:
    with pytest.raises(Unpredictable, match="missing power"):
        watts(system_of(H100, kw=0.0), {}, 1.0)
