"""How the power of a load moves over the day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gigawright.arrays import Floats
from gigawright.clock import HOURS_PER_YEAR, local_hour_of_day
from gigawright.workloads.power import IDLE_SHARE

if TYPE_CHECKING:
    from gigawright.catalogue.resolve import Catalogue
    from gigawright.catalogue.types import Site


def profile_shapes(catalogue: Catalogue, site: Site) -> dict[str, Floats]:
    """Power of each load profile over its peak, by UTC hour of the year. Shape (8760,) each.

    Batch work and idling are flat. Users' work follows the day's traffic by the site's local hour, on top of
    the power an idle accelerator draws: idle + (1 - idle) traffic / peak traffic.
    """
    flat = np.ones(HOURS_PER_YEAR)
    return {"flat": flat, "daily": _daily(catalogue)[local_hour_of_day(site.utc_offset_h)], "idle": flat}


def _daily(catalogue: Catalogue) -> Floats:
    """Power share by local hour, from all regions' traffic weighted by their users. Shape (24,)."""
    regions = list(catalogue.regions.values())
    if not regions:
        return np.ones(24)
    traffic = np.average(
        [region.hourly_shape for region in regions], axis=0, weights=[region.users_m for region in regions]
    )
    return np.asarray(IDLE_SHARE + (1.0 - IDLE_SHARE) * traffic / traffic.max())
