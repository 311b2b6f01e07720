"""What a load can give when power is short or dear, as tiers and delays of the energy block.

`cap`: accelerators run slower; each step down the performance curve is a tier, dearer than the one before.
`pause`: work stops and is lost. `delay`: it is done later. `move`: it goes to another site in the same hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gigawright.arrays import Floats
from gigawright.facility.dispatch.case import Delay, Giving, Move, Source
from gigawright.workloads.power import IDLE_SHARE

# Assumption: performance follows the square root of dynamic power. Voltage that falls with frequency gives
# the cube root (P ~ V^2 f, the "cube-root rule" of Brooks et al. 2000, IEEE Micro 20(6)); at fixed voltage it
# is 1. Pre-training on H100s capped from 700 to 600 W is told to lose 10 to 15 %, memory-bound inference 5 to
# 8 % (factryze.ai, power capping): the square root gives 10 %.
PERFORMANCE_EXPONENT = 0.5
# Assumption: caps go down to this share of full power; lower, drivers refuse (an H100 goes to 200 of
# 700 W) or clocks collapse.
LOWEST_CAP = 0.4
CAP_TIERS = 4
# Assumption: a hall has this much room above its load to catch up in: IT draws 80 % of the design load.
CATCH_UP_SHARE = 0.25
# Assumption: what a moved MWh of serving costs beside its power: transit, and answers that come later.
MOVE_USD_MWH = 5.0


def performance(power_share: Floats | float, idle_share: float = IDLE_SHARE) -> Floats:
    """Work over full work at a share of full power: ((p - idle) / (1 - idle))^0.5, 0 at idle power.

    >>> performance(np.array([1.0, 600 / 700, 0.4])).round(2).tolist()
    [1.0, 0.89, 0.38]
    """
    dynamic = (np.asarray(power_share, float) - idle_share) / (1.0 - idle_share)
    return np.asarray(np.clip(dynamic, 0.0, 1.0) ** PERFORMANCE_EXPONENT)


def cap_tiers(
    site_mw: Floats, pue: Floats, value_usd_mwh: float, share: float = 1.0, tiers: int = CAP_TIERS
) -> tuple[Giving, ...]:
    """Power caps as tiers of equal power from full power down to the lowest cap.

    site_mw [period, step]: the load at the meter that may be capped to `share`. value_usd_mwh: worth of the
    work of a MWh of IT at full power. A tier costs value x (work lost over power saved) / PUE a MWh at the
    meter; the curve is concave, so each tier is dearer than the last and the least cost takes them in order.
    """
    edges = np.linspace(1.0, LOWEST_CAP, tiers + 1)
    lost = -np.diff(performance(edges)) / -np.diff(edges)
    at_meter = value_usd_mwh / float(pue.mean())
    each = share * (edges[0] - edges[1]) * site_mw
    return tuple(Giving(f"cap_{i + 1}", each, float(slope) * at_meter) for i, slope in enumerate(lost))


def pause(site_mw: Floats, pue: Floats, value_usd_mwh: float, share: float = 1.0) -> Giving:
    """Work that stops and is lost, at its worth a MWh at the meter."""
    return Giving("pause", share * site_mw, value_usd_mwh / float(pue.mean()))


def delay(site_mw: Floats, share: float, hours: float) -> Delay:
    """Work done later, within `hours` of what may wait; made up in the room above the load."""
    return Delay("batch", share * site_mw, CATCH_UP_SHARE * site_mw, hours)


def within_the_load(tiers: Sequence[Giving], site_mw: Floats) -> tuple[Giving, ...]:
    """The same tiers, the dearest cut so that all of them together are no more than the load.

    What is capped cannot be paused too: the cheapest go first, which is how they would be taken.

    >>> whole = np.full((1, 1), 10.0)
    >>> found = within_the_load((Giving("pause", whole, 90.0), Giving("cap", 0.6 * whole, 30.0)), whole)
    >>> {giving.name: float(giving.most_mw[0, 0]) for giving in found}
    {'pause': 4.0, 'cap': 6.0}
    """
    left, cut = np.asarray(site_mw, float).copy(), {}
    for tier in sorted(tiers, key=lambda tier: tier.usd_mwh):
        cut[tier.name] = np.minimum(tier.most_mw, left)
        left -= cut[tier.name]
    return tuple(replace(tier, most_mw=cut[tier.name]) for tier in tiers)


def follow_the_sun(
    loads: Sequence[tuple[str, Floats, Floats, float]], usd_mwh: float = MOVE_USD_MWH
) -> tuple[Move, ...]:
    """Serving that may go to any other site in the same hour, into the room above that site's own load.

    loads: (site, load at the meter [period, step], PUE [period, step], share that may move). What arrives
    draws the target's PUE instead of the origin's; each origin may take its part of the target's room, the
    same that work put off is caught up in.
    """
    return tuple(
        Move(
            origin,
            target,
            np.minimum(share * site_mw, CATCH_UP_SHARE * there_mw / (len(loads) - 1) * pue_here / pue_there),
            pue_there / pue_here,
            usd_mwh,
        )
        for origin, site_mw, pue_here, share in loads
        for target, there_mw, pue_there, _ in loads
        if target != origin and share > 0.0
    )


def last_resort(site_mw: Floats, grid: Source, usd_mwh: float) -> Giving:
    """Load shed at its price, at most what the connection cannot carry [period, step].

    So a dispatch always exists and shortages are told, yet work never pauses just to save a demand charge: a
    load that may do that says so with `pause`.
    """
    carried = np.zeros_like(site_mw)
    np.multiply(grid.most_mw[:, None], grid.available, out=carried, where=grid.available > 0.0)
    return Giving("shed", np.maximum(site_mw - carried, 0.0), usd_mwh)
