"""Ways to give heat to the outside: outside air, air exchangers, dry coolers, wet towers; each with a chiller
for what it cannot do, or without one: then what it misses is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gigawright.arrays import Floats
from gigawright.facility.cooling import physics
from gigawright.facility.cooling.physics import Values
from gigawright.facility.weather.psychrometrics import MASS_RATIO, saturation_pressure_pa

# Cooling air of an air-cooled machine or a tower warms by about as much as the servers' air (assumption).
OUTSIDE_RISE_K = 12.0
# Below this difference an exchanger is asked for more than any fan can do [K].
LEAST_ROOM_K = 1e-6


@dataclass(frozen=True, eq=False)
class Outside:
    """Outside air [C, Pa] and the hall's load over its design load (0-1]; all broadcast. None: sea level."""

    dry_bulb_c: Floats
    wet_bulb_c: Floats
    load_share: Values
    pressure_pa: Values | None = None

    @property
    def thin(self) -> Floats:
        """Fan power over that at sea level."""
        return physics.thin_air(self.pressure_pa)

    @property
    def pressure(self) -> Floats:
        """Pressure of the air [Pa]."""
        return np.asarray(physics.SEA_LEVEL_PA if self.pressure_pa is None else self.pressure_pa)


@dataclass(frozen=True, eq=False)
class Task:
    """Heat to be taken from air or water: at which supply temperature [C], over which rise [K].

    `heat` is what there is per unit of IT, fans and pumps on the way included.
    """

    supply_c: Values
    rise_k: Values
    heat: Floats


@dataclass(frozen=True, eq=False)
class Rejected:
    """Power and make-up water [l/kWh] per unit of IT heat, and by how much the supply is too warm [K]."""

    power_share: Floats
    water_l_per_kwh: Floats
    excess_k: Floats


class Rejection(Protocol):
    """What every way out can do."""

    @property
    def rise_over_outside_k(self) -> float:
        """Supply over the outside air's (a tower's: over the wet bulb's) temperature at full load [K]."""

    def reject(self, outside: Outside, task: Task) -> Rejected:
        """Power and water to do the task in this air."""


@dataclass(frozen=True)
class Chiller:
    """A compressor cycle by its share of Carnot's COP, and its refrigerant above the air or water [K]."""

    carnot_share: float
    condenser_approach_k: float

    def cop(self, supply_c: Values, sink_c: Values) -> Floats:
        """COP between what is cooled [C] and the air or water that takes the heat [C]."""
        condensing = np.asarray(sink_c) + self.condenser_approach_k
        evaporating = np.asarray(supply_c) - physics.EVAPORATOR_APPROACH_K
        return physics.chiller_cop(evaporating, condensing, self.carnot_share)


def _trim(chiller: Chiller | None, outside: Outside, task: Task, available_c: Floats) -> Floats:
    """Power of an air-cooled chiller that makes up for what free cooling misses, per unit of IT."""
    if chiller is None:
        return np.zeros(())
    missing = physics.missing_share(available_c, task.supply_c, task.rise_k)
    return task.heat * missing / chiller.cop(task.supply_c, outside.dry_bulb_c)


def _driven(
    design_share: Floats, load_share: Values, approach_k: float, room_k: Floats, flat_out: bool
) -> Floats:
    """Power of fans that run as fast as the exchanger needs, per unit of heat.

    share(load) flow^3, flow = approach / room, at most the load's share of full flow. `flat_out`: beyond
    that, up to full speed, for there is no chiller to help.
    """
    held = physics.at_part_load(design_share, load_share)
    if not flat_out:
        return held * physics.modulated(approach_k, room_k) ** 3
    flow = approach_k / np.maximum(room_k, LEAST_ROOM_K)
    return np.minimum(held * flow**3, design_share / load_share)


@dataclass(frozen=True)
class OutsideAir:
    """Outside air straight into the hall, past wet media (`effectiveness`: way to the wet bulb) or none.

    Where its dew point is above `dew_point_limit_c` the dampers close and the chiller does all (without one,
    humid air is let in unwetted). Its fans are the hall's own.
    """

    effectiveness: float
    dew_point_limit_c: float
    cycles: float
    chiller: Chiller | None

    @property
    def rise_over_outside_k(self) -> float:
        """Nothing stands between outside air and the hall."""
        return 0.0

    def reject(self, outside: Outside, task: Task) -> Rejected:
        """Pads as far as the hall may be humid, chiller trim; all by the chiller in air that is too humid."""
        dry = outside.dry_bulb_c
        driest = self._driest_c(outside)
        needed = np.maximum(task.supply_c, driest)
        entering, _ = physics.wetted(dry, outside.wet_bulb_c, needed, self.effectiveness)
        # Pumps of the media run for all warm air, also where humidity lets little or none of it be wetted.
        pads = physics.wetted(dry, outside.wet_bulb_c, task.supply_c, self.effectiveness)[1]
        closed = (driest > dry) & (self.chiller is not None)
        available = np.where(closed, np.asarray(task.supply_c) + np.asarray(task.rise_k), entering)
        trim = _trim(self.chiller, outside, task, available)
        water = physics.make_up_l_kwh(self.cycles) * (dry - entering) / task.rise_k
        excess = np.zeros(()) if self.chiller else np.maximum(available - task.supply_c, 0.0)
        return Rejected(trim + physics.PAD_PUMP_SHARE * pads, np.asarray(water), excess)

    def _driest_c(self, outside: Outside) -> Floats:
        """Dry bulb [C] at which air of this wet bulb has the highest dew point allowed: no pads below it.

        t = t* + (es(t*) - e_limit) / (0.000662 p)
        """
        spare = saturation_pressure_pa(outside.wet_bulb_c) - saturation_pressure_pa(self.dew_point_limit_c)
        return np.asarray(outside.wet_bulb_c + spare / (physics.PSYCHROMETER_PER_K * outside.pressure))


def _wetted(outside: Outside, task: Task, approach_k: float, effectiveness: float) -> tuple[Floats, Floats]:
    """Outside air wetted no further than the supply less the approach needs, and the share of the pads."""
    needed = np.asarray(task.supply_c) - approach_k
    return physics.wetted(outside.dry_bulb_c, outside.wet_bulb_c, needed, effectiveness)


@dataclass(frozen=True)
class AirExchanger:
    """The hall's air against outside air, wetted first where it is too warm (`effectiveness` 0: never)."""

    approach_k: float
    effectiveness: float
    fan_pa: float
    cycles: float
    chiller: Chiller | None

    @property
    def rise_over_outside_k(self) -> float:
        """The exchanger's approach."""
        return self.approach_k

    def reject(self, outside: Outside, task: Task) -> Rejected:
        """Fans of the outside path, pads, chiller trim."""
        dry = outside.dry_bulb_c
        entering, pads = _wetted(outside, task, self.approach_k, self.effectiveness)
        design = physics.fan_share(self.fan_pa, task.rise_k) * outside.thin
        room = task.supply_c - entering
        fan = _driven(design, outside.load_share, self.approach_k, room, self.chiller is None)
        trim = _trim(self.chiller, outside, task, entering + self.approach_k)
        water = physics.make_up_l_kwh(self.cycles) * (dry - entering) / task.rise_k
        excess = self._excess(outside, entering, task) if self.chiller is None else np.zeros(())
        return Rejected(fan + trim + physics.PAD_PUMP_SHARE * pads, water, excess)

    def _excess(self, outside: Outside, entering: Floats, task: Task) -> Floats:
        return np.maximum(entering + self.approach_k * outside.load_share - task.supply_c, 0.0)


@dataclass(frozen=True)
class DryCooler:
    """Water against outside air, wetted first where it is too warm; `fan_share`: fan power over full heat.

    The approach is from entering air to leaving water; at full fan speed it falls with the load.
    """

    approach_k: float
    effectiveness: float
    fan_share: float
    cycles: float
    chiller: Chiller | None

    @property
    def rise_over_outside_k(self) -> float:
        """The cooler's approach."""
        return self.approach_k

    def reject(self, outside: Outside, task: Task) -> Rejected:
        """Fans, pads, chiller trim; fans rest as far as the chiller has taken over."""
        dry = outside.dry_bulb_c
        entering, pads = _wetted(outside, task, self.approach_k, self.effectiveness)
        design = self.fan_share * outside.thin
        room = task.supply_c - entering
        fans = _driven(design, outside.load_share, self.approach_k, room, self.chiller is None)
        water = physics.make_up_l_kwh(self.cycles) * (dry - entering) / self._air_rise_k(task)
        pumps = physics.PAD_PUMP_SHARE * pads
        if self.chiller is None:
            warm = entering + self.approach_k * outside.load_share
            return Rejected(fans + pumps, water, np.maximum(warm - task.supply_c, 0.0))
        available = entering + self.approach_k
        resting = physics.missing_share(available, task.supply_c, task.rise_k)
        trim = _trim(self.chiller, outside, task, available)
        return Rejected(fans * (1.0 - resting) + trim + pumps, water, np.zeros(()))

    def _air_rise_k(self, task: Task) -> Floats:
        """A dry cooler moves as much air as carries the heat at the approach plus half the water's rise."""
        return self.approach_k + np.asarray(task.rise_k) / 2.0


@dataclass(frozen=True)
class Tower:
    """Wet towers behind an exchanger (water-side economiser), and water-cooled chillers or none.

    `water_rise_k` is the tower water's rise, `exchanger_approach_k` of the economiser.
    """

    approach_k: float
    exchanger_approach_k: float
    water_rise_k: float
    fan_pa: float
    cycles: float
    chiller: Chiller | None

    @property
    def rise_over_outside_k(self) -> float:
        """Tower and exchanger, above the wet bulb."""
        return self.approach_k + self.exchanger_approach_k

    def reject(self, outside: Outside, task: Task) -> Rejected:
        """Pumps of the tower's loop, fans, compressor; the towers evaporate most of the heat."""
        wet = outside.wet_bulb_c
        pump = physics.at_part_load(physics.pump_share(self.water_rise_k), outside.load_share)
        heat = task.heat + pump
        room = task.supply_c - self.exchanger_approach_k - wet
        design = physics.fan_share(self.fan_pa, OUTSIDE_RISE_K) * outside.thin
        fan = _driven(design, outside.load_share, self.approach_k, room, self.chiller is None)
        compressor, excess = self._helped(outside, task, heat)
        leaving = np.maximum(wet + self.approach_k, task.supply_c - self.exchanger_approach_k)
        evaporated = evaporated_share(outside, leaving + self.water_rise_k / 2.0)
        water = physics.make_up_l_kwh(self.cycles) * evaporated * (heat + compressor)
        return Rejected(pump + fan + compressor, water, excess)

    def _helped(self, outside: Outside, task: Task, heat: Floats) -> tuple[Floats, Floats]:
        """Power of the compressor, or what the supply is too warm [K] without one."""
        free = outside.wet_bulb_c + self.approach_k + self.exchanger_approach_k
        if self.chiller is None:
            flat_out = free - self.approach_k * (1.0 - outside.load_share)
            return np.zeros(()), np.maximum(flat_out - task.supply_c, 0.0)
        missing = physics.missing_share(free, task.supply_c, task.rise_k)
        sink = outside.wet_bulb_c + self.approach_k + self.water_rise_k
        return heat * missing / self.chiller.cop(task.supply_c, sink), np.zeros(())


def evaporated_share(outside: Outside, leaving_c: Floats) -> Floats:
    """Share of a tower's heat that leaves as vapour; the rest warms the air; above 1 where air is cooled.

    1 - 1.006 (t_leaving - t) / (h(t_leaving) - h(t*)), h the enthalpy of saturated air; entering air has
    nearly that of its wet bulb. Leaving air is saturated, as warm as the water on the mean (assumption).

    >>> mild = Outside(np.array([2.0, 20.0, 35.0]), np.array([0.0, 15.0, 20.0]), 1.0)
    >>> evaporated_share(mild, mild.wet_bulb_c + 6.5).round(2).tolist()
    [0.63, 0.93, 1.34]
    """
    gained = _saturated_enthalpy(leaving_c, outside.pressure) - _saturated_enthalpy(
        outside.wet_bulb_c, outside.pressure
    )
    return np.maximum(1.0 - 1.006 * (leaving_c - outside.dry_bulb_c) / gained, 0.0)


def _saturated_enthalpy(temperature_c: Floats, pressure_pa: Floats) -> Floats:
    """Of saturated air [kJ/kg of dry air] (ASHRAE Fundamentals 2021, chapter 1, eq. 30)."""
    vapour = saturation_pressure_pa(temperature_c)
    ratio = MASS_RATIO * vapour / (pressure_pa - vapour)
    return np.asarray(1.006 * temperature_c + ratio * (2501.0 + 1.86 * temperature_c))
