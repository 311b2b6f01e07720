"""A site's energy as data: steps, what gives power, what stores it, what may give way, and what sites share.

Power is MW, energy MWh, money USD; arrays are `[period, step]` or `[period]`. A period is what capacities are
decided for (a year, or a quarter of a plan); its steps stand for `weight_h` hours each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from gigawright.arrays import Floats, Ints

Matching = Literal["hourly", "yearly"]


@dataclass(frozen=True, eq=False)
class Timeline:
    """Weighted steps and how they follow each other.

    `weight_h` [period, step] are the hours a step stands for, `step_h` its own length, `cycle` [step] numbers
    the day, week or year it belongs to: storage ends each cycle as it began it. `discount` [period] brings
    money of a period to the start; `year` [period] numbers the calendar year, over which shares are kept.
    """

    periods: tuple[str, ...]
    weight_h: Floats
    step_h: float
    cycle: Ints
    discount: Floats
    year: Ints

    @property
    def shape(self) -> tuple[int, int]:
        """Periods and steps."""
        return len(self.periods), self.weight_h.shape[1]

    @property
    def steps(self) -> tuple[str, ...]:
        """Labels of the steps."""
        return _labels(self.weight_h.shape[1])

    @property
    def following(self) -> Ints:
        """For each step the one after it in its cycle; the last leads back to the first [step].

        >>> cycle, none = np.array([0, 0, 0, 1, 1]), np.zeros(1, np.int64)
        >>> hours = Timeline(("q",), np.ones((1, 5)), 1.0, cycle, np.ones(1), none)
        >>> hours.following.tolist()
        [1, 2, 0, 4, 3]
        """
        count = len(self.cycle)
        after = np.arange(1, count + 1)
        first = np.flatnonzero(np.r_[True, np.diff(self.cycle) != 0])
        after[np.r_[first[1:], count] - 1] = first
        return after


@lru_cache(maxsize=8)
def _labels(count: int) -> tuple[str, ...]:
    """Steps by number; kept, since sites of a case have the same."""
    return tuple(map(str, range(count)))


def one_year(hours: int = 8760) -> Timeline:
    """Every hour of one period, storage cyclic over all of it.

    >>> one_year(744).shape
    (1, 744)
    """
    return Timeline(
        ("year",), np.ones((1, hours)), 1.0, np.zeros(hours, np.int64), np.ones(1), np.zeros(1, np.int64)
    )


@dataclass(frozen=True, eq=False)
class Source:
    """What gives power: sun, wind, a plant, or the grid.

    `available` [period, step] share of its capacity that can run; `energy_usd_mwh` and `emission_t_mwh`
    [period, step] of what it gives; `capacity_usd_mw` [period] what a MW costs over the period (annuity and
    upkeep; of the grid: its demand charge). `least_mw`, `most_mw` [period] bound the capacity. `kept`: it
    never falls from period to period. `clean`: counts as green.
    Plants: `least_share` of what is on line must run, `start_usd_mw` is paid to bring a MW on line,
    `ramp_share_h` of the capacity may be changed in an hour (infinite: no limit).
    `over`: the source whose line brings it, as the grid brings what is bought by agreement: both together
    stay within that one's capacity, and it is lost with it.
    """

    name: str
    kind: str
    available: Floats
    energy_usd_mwh: Floats
    emission_t_mwh: Floats
    capacity_usd_mw: Floats
    least_mw: Floats
    most_mw: Floats
    kept: bool = True
    clean: bool = False
    least_share: float = 0.0
    start_usd_mw: float = 0.0
    ramp_share_h: float = np.inf
    over: str = ""

    @property
    def free(self) -> bool:
        """Whether it is clean, costs nothing and follows at once, as sun and wind: it needs no variable."""
        if self.over or not self.clean or self.energy_usd_mwh.any() or self.emission_t_mwh.any():
            return False
        return not self.least_share and not self.start_usd_mw and np.isinf(self.ramp_share_h)


@dataclass(frozen=True, eq=False)
class Store:
    """What keeps energy. One-way efficiencies; costs [period] of a MW charging, a MW discharging and a MWh.

    `hours`: energy over discharging power where it is fixed None
    where it is chosen. `one_power`: charging and discharging are the same power. `most_mw`, `most_mwh`
    [period]. `loss_h`: share of what is stored lost in an hour. `wear_usd_mwh`: paid on what is discharged.
    """

    name: str
    kind: str
    charge_efficiency: float
    discharge_efficiency: float
    charge_usd_mw: Floats
    discharge_usd_mw: Floats
    energy_usd_mwh: Floats
    most_mw: Floats
    most_mwh: Floats
    least_mw: Floats
    hours: float | None = None
    one_power: bool = True
    loss_h: float = 0.0
    wear_usd_mwh: float = 0.0
    kept: bool = True


@dataclass(frozen=True, eq=False)
class Giving:
    """Load that may go without power at a price: power caps, pauses, the last resort of shedding.

    `most_mw` [period, step], `usd_mwh` of what is not done.
    """

    name: str
    most_mw: Floats
    usd_mwh: float


@dataclass(frozen=True, eq=False)
class Delay:
    """Load that may be done later: at most `most_mw` put off, `catch_up_mw` [period, step] made up for.

    What is owed never exceeds `most_hours` of the mean of `most_mw`, and is made up within its cycle.
    """

    name: str
    most_mw: Floats
    catch_up_mw: Floats
    most_hours: float
    usd_mwh: float = 0.0


@dataclass(frozen=True, eq=False)
class Outage:
    """A loss the site must live through: `lost` sources and stores are gone for `steps` from `first` on.

    `share` of the load must then be carried by what is left, from the store's level of that moment.
    """

    name: str
    lost: tuple[str, ...]
    period: int
    first: int
    steps: int
    share: float = 1.0


@dataclass(frozen=True, eq=False)
class SiteCase:
    """Everything about one site's energy. `load_mw` [period, step] (None: the caller adds the load).

    `reserve_share` of the load is kept ready in every step. `clean_share`: in each year, energy of sources
    that are not clean is at most (1 - share) of consumption, beside what certificates cover at
    `certificate_usd_mwh` [year] (None: not for sale). With `matching` hourly only what is used in its hour
    counts; with yearly all that clean sources could give counts, used or not.
    """

    site: str
    time: Timeline
    sources: tuple[Source, ...]
    stores: tuple[Store, ...] = ()
    giving: tuple[Giving, ...] = ()
    delays: tuple[Delay, ...] = ()
    outages: tuple[Outage, ...] = ()
    load_mw: Floats | None = None
    reserve_share: float = 0.0
    clean_share: float = 0.0
    certificate_usd_mwh: Floats | None = None
    matching: Matching = "hourly"


@dataclass(frozen=True, eq=False)
class Move:
    """Load that may go from one site to another in the same step: serving that follows the sun.

    At most `most_mw` [period, step] of `origin`'s load, and never more to all places than it has; `ratio` MW
    arrive for each that leaves (PUE of one over PUE of the other), and a moved MWh costs `usd_mwh` (network,
    user's delay).
    """

    origin: str
    target: str
    most_mw: Floats
    ratio: float | Floats = 1.0
    usd_mwh: float = 0.0


@dataclass(frozen=True, eq=False)
class EnergyCase:
    """Sites and what they share: `carbon_cap_t` on the emissions of all [t over all periods]."""

    name: str
    sites: tuple[SiteCase, ...]
    carbon_cap_t: float = np.inf
    moves: tuple[Move, ...] = ()
