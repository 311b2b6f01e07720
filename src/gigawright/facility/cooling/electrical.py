"""Losses between the grid and the servers by arrangement, and the PUE they make with the cooling.

Devices and arrangements are rows of the catalogue (kinds `power_device`, `power_chain`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gigawright.arrays import Floats
from gigawright.catalogue.load import load_facts
from gigawright.errors import CatalogueError
from gigawright.facility.cooling.physics import Values
from gigawright.facts import FactBook

DEFAULT_CHAIN = "block"


@dataclass(frozen=True, slots=True)
class Losses:
    """A device's losses over its rating at a load x of its rating: `idle` + `linear` x + `square` x^2."""

    idle: float
    linear: float
    square: float

    def efficiency(self, load: Values) -> Floats:
        """Output over input at a load (0-1] of the rating.

        >>> round(float(power_device("transformer").losses.efficiency(0.5)), 4)
        0.9953
        """
        x = np.asarray(load)
        return np.asarray(x / (x + self.idle + self.linear * x + self.square * x**2))


@dataclass(frozen=True, slots=True)
class Device:
    """Something power passes: its losses, how often one fails [1/year] and how long that lasts [h]."""

    id: str
    name: str
    losses: Losses
    failures_year: float
    repair_h: float


@dataclass(frozen=True, slots=True)
class Chain:
    """From the grid to the racks: devices all power passes, then those that IT power passes too.

    `units` of each carry what `needed` could; `feeds` busways can feed a rack, `paths` of them share its
    load. `house_share` is light, controls and offices per MW of IT at design load.
    """

    id: str
    name: str
    before: tuple[Device, ...]
    behind: tuple[Device, ...]
    needed: int
    units: int
    feeds: int
    paths: int
    house_share: float

    @property
    def loading(self) -> float:
        """Load of a unit over its rating when the hall is full.

        >>> power_chain("block").loading, power_chain("two_n").loading
        (0.75, 0.5)
        """
        return self.needed / self.units

    def load_of(self, device: Device, load_share: Values) -> Floats:
        """A device's load over its rating: units share the hall's load, busways of a path that path's."""
        shared = 1.0 / self.paths if device.id == "distribution" else self.loading
        return np.asarray(np.asarray(load_share) * shared)

    def efficiency(self, devices: tuple[Device, ...], load_share: Values) -> Floats:
        """Output over input of devices in a row, at an IT load over design load (0-1]."""
        passed = np.ones(())
        for device in devices:
            passed = passed * device.losses.efficiency(self.load_of(device, load_share))
        return np.asarray(passed)


def power_device(item: str, book: FactBook | None = None) -> Device:
    """A device of the catalogue; raises CatalogueError where it is unknown."""
    known = book or _package()

    def number(attribute: str) -> float:
        return known.number("power_device", item, attribute)

    losses = Losses(number("idle"), number("linear"), number("square"))
    name = known.text("power_device", item, "name")
    return Device(item, name, losses, number("failures"), number("repair"))


@lru_cache(maxsize=32)
def power_chain(item: str = DEFAULT_CHAIN, book: FactBook | None = None) -> Chain:
    """An arrangement of the catalogue; raises CatalogueError with the names there are.

    >>> power_chain("two_n").name
    '2N: two whole systems, each able to carry all'
    """
    known = book or _package()
    if item not in known.items("power_chain"):
        names = ", ".join(known.items("power_chain"))
        raise CatalogueError(f"no arrangement of power {item!r}; there are {names}")

    def devices(attribute: str) -> tuple[Device, ...]:
        names = known.text("power_chain", item, attribute).split("|")
        return tuple(power_device(name, known) for name in names)

    def number(attribute: str) -> float:
        return known.number("power_chain", item, attribute)

    return Chain(
        id=item,
        name=known.text("power_chain", item, "name"),
        before=devices("before"),
        behind=devices("behind"),
        needed=int(number("needed")),
        units=int(number("units")),
        feeds=int(number("feeds")),
        paths=int(number("paths")),
        house_share=number("house"),
    )


@lru_cache(maxsize=1)
def _package() -> FactBook:
    return FactBook(load_facts())


def pue(cooling_share: Values, load_share: Values, chain: Chain | None = None) -> Floats:
    """Power usage effectiveness by hour: grid power over IT power.

    PUE = (1 / eta_behind + cooling + house / load) / eta_before

    cooling_share: cooling power per unit of IT, any shape. load_share: IT load over design load, (0-1],
    broadcasts. chain: an arrangement; None: the default, four units for three. House power stays when the
    load falls. The heat of the losses is not cooled here (docs/cooling.md says how much that is).
    Raises ValueError for loads outside that range.

    >>> round(float(pue(np.array(0.05), 1.0)), 3)
    1.105
    """
    load = np.asarray(load_share, dtype=np.float64)
    if not ((load > 0.0) & (load <= 1.0)).all():
        raise ValueError(f"the load share must be above 0 and at most 1, not {load_share}")
    arrangement = chain or power_chain()
    conditioned = 1.0 / arrangement.efficiency(arrangement.behind, load)
    stepped_down = arrangement.efficiency(arrangement.before, load)
    return np.asarray((conditioned + cooling_share + arrangement.house_share / load) / stepped_down)
