"""Wall power of one accelerator at a phase: idle share, and what each kind of work adds."""

from __future__ import annotations

from collections.abc import Mapping

from gigawright.catalogue.types import System
from gigawright.workloads.performance import Limit, Unpredictable

IDLE_SHARE = 0.30
"""Wall power of an idle system over its full load; assumption: about 3 of 10.2 kW for an 8 x H100 server."""

DRAW: Mapping[Limit, float] = {
    "compute": 1.0,
    "memory bandwidth": 0.55,
    "random access": 0.45,
    "network": 0.35,
    "overhead": 0.15,
    "pipeline": 0.15,
}
"""Share of the power above idle that a system draws while one kind of work limits it.

Assumption, after the phases of POLCA (arXiv:2308.12908): prompts run near the board limit, token
generation at about half to two thirds of it. Waiting in a pipeline draws as waiting for the host.
"""


def watts(system: System, seconds: Mapping[Limit, float], step_s: float) -> float:
    """Wall power [W] while a step of `step_s` spends `seconds` on each kind of work.

    W = wall (idle + (1 - idle) u), u = sum of seconds x draw over the step, at most 1. Work that
    overlaps counts together, time that nothing claims counts as idle. Raises Unpredictable without
    the system's wall power.
    """
    if not system.kw_per_accelerator or system.kw_per_accelerator <= 0:
        raise Unpredictable("not predictable: missing power")
    used = sum(DRAW[kind] * time for kind, time in seconds.items()) / step_s
    return 1e3 * system.kw_per_accelerator * (IDLE_SHARE + (1 - IDLE_SHARE) * min(1.0, used))
