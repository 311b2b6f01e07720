"""Losses between the grid and the servers, and the PUE they make with the cooling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gigawright.arrays import Floats


@dataclass(frozen=True, slots=True)
class Losses:
    """A device's losses over its rating at a load x of its rating: `idle` + `linear` x + `square` x^2."""

    idle: float
    linear: float
    square: float

    def efficiency(self, load: float) -> float:
        """Output over input at a load (0-1] of the rating.

        >>> round(TRANSFORMER.efficiency(0.5), 4)
        0.9953
        """
        return load / (load + self.idle + self.linear * load + self.square * load**2)


# US minimum for a three-phase liquid-immersed transformer of 2,500 kVA from 2016: 99.53 % at half load
# (10 CFR 431.196 (b)). Split so that idle and load losses are equal there, where efficiency is then highest.
TRANSFORMER = Losses(idle=0.00118, linear=0.0, square=0.00472)
# Assumption: a station of its own steps 110 kV or more down; 99.6 % at half load, a little under the least
# peak efficiency of large power transformers in the European Union from 2021 (99.7 %, regulation 548/2014).
SUBSTATION = Losses(idle=0.0010, linear=0.0, square=0.0040)
# Assumption: double-conversion UPS without transformer, of the megawatt class: 96.3 % at a quarter, 97.2 % at
# half, 97.3 % at three quarters of its rating (data sheets say 96 to 97.5 %).
UPS = Losses(idle=0.006, linear=0.012, square=0.0105)
# Assumption: busway and power distribution lose 0.5 % at full load, by resistance.
DISTRIBUTION = Losses(idle=0.0, linear=0.0, square=0.005)
# Assumption: four units carry what three could (block redundancy): a full hall loads each to three quarters.
REDUNDANCY = 0.75
# Assumption: light, controls, security and offices, per MW of IT at design load.
HOUSE_SHARE = 0.012


def pue(cooling_share: Floats, load_share: float) -> Floats:
    """Power usage effectiveness by hour: grid power over IT power.

    PUE = (1 / (eta_ups eta_distribution) + cooling + house / load) / (eta_transformer eta_substation)

    cooling_share: cooling power per unit of IT, any shape. load_share: IT load over design load, (0-1].
    Raises ValueError outside that range.

    >>> round(float(pue(np.array(0.05), 1.0)), 3)
    1.105
    """
    if not 0.0 < load_share <= 1.0:
        raise ValueError(f"the load share must be above 0 and at most 1, not {load_share}")
    loading = load_share * REDUNDANCY
    conditioned = 1.0 / (UPS.efficiency(loading) * DISTRIBUTION.efficiency(load_share))
    stepped_down = TRANSFORMER.efficiency(loading) * SUBSTATION.efficiency(loading)
    return np.asarray((conditioned + cooling_share + HOUSE_SHARE / load_share) / stepped_down)
