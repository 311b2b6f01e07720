"""From names to a pace, and from a pace to an answer."""

from __future__ import annotations

import numpy as np
import pytest

from gigawright.catalogue.load import load_facts
from gigawright.errors import CatalogueError, UserError
from gigawright.facts import FactBook
from gigawright.workloads.calibrated import Calibrated
from gigawright.workloads.hierarchy import Hierarchy, Observations
from gigawright.workloads.requests.machine import machine_of
from gigawright.workloads.requests.pace import Disaggregated, Pace
from gigawright.workloads.requests.run import serve
from gigawright.workloads.serving.constants import PRIORS
from gigawright.workloads.serving.levels import KINDS
from gigawright.workloads.serving.load import PARTS

from .cases import busy_trace

BOOK = FactBook(load_facts())
NOTHING = Observations([], np.zeros((0, len(PARTS))), np.zeros(0), np.zeros(0))
PLAIN = Calibrated(
    KINDS,
    PARTS,
    (),
    {name: prior.value for name, prior in PRIORS.items()},
    Hierarchy(np.zeros((len(KINDS), len(PARTS))), NOTHING),
    np.zeros(0),
    np.zeros((2, 0)),
)
"""The closed form as it is before anything is fitted, so that a new calibration changes no test."""


@pytest.mark.parametrize("apart", [False, True])
def test_a_named_machine_serves_a_trace(apart: bool) -> None:
    trace = busy_trace(200)
    machine = machine_of(trace, "llama-3.1-70b", "dgx_h100", BOOK, apart=apart, known=PLAIN)
    assert "H100" in machine.title
    assert any("a replica is" in note for note in machine.notes)
    if apart:
        assert isinstance(machine.pace, Disaggregated)
        served = serve(trace, machine.pace, (1, 1))
    else:
        assert isinstance(machine.pace, Pace)
        assert machine.pace.chunk >= machine.pace.max_sequences
        served = serve(trace, machine.pace, 1)
    assert not served.refused.any()
    assert 1e-3 < np.nanmedian(served.tpot_s) < 1


def test_what_is_unknown_or_too_large_is_told() -> None:
    trace = busy_trace(10)
    with pytest.raises(CatalogueError, match="no such thing"):
        machine_of(trace, "llama-3.1-70b", "no such thing", BOOK, known=PLAIN)
    with pytest.raises(CatalogueError):
        machine_of(trace, "no-such-model", "dgx_h100", BOOK, known=PLAIN)
    with pytest.raises(UserError, match="does not fit"):
        machine_of(trace, "deepseek-v3", "dgx_h100", BOOK, accelerators=1, known=PLAIN)
