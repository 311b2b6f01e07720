"""Heat carried by air and water: fans, pumps, pads, exchangers, chillers. All functions take arrays.

Shares are power (or heat) per unit of IT power; they broadcast over any shape, `[site, hour]` for example.
"""

from __future__ import annotations

import numpy as np

from gigawright.arrays import Floats
from gigawright.facility.weather.psychrometrics import saturation_pressure_pa

Values = Floats | float

# Physical properties near 25 degrees: air 1.2 kg/m3 x 1006 J/(kg K), water 997 kg/m3 x 4186 J/(kg K).
AIR_J_M3_K, WATER_J_M3_K = 1207.0, 4.17e6
SEA_LEVEL_PA = 101325.0
# Latent heat of water at 25 degrees, 2442 kJ/kg (IAPWS-95): litres evaporated per kWh of heat.
EVAPORATION_L_KWH = 3600.0 / 2442.0
# Psychrometer's constant [1/K]: e = es(wet) - 0.000662 p (dry - wet), Sprung's for a ventilated bulb (as in
# FAO Irrigation and Drainage Paper 56, Allen et al. 1998, eq. 16 [cited, unverified]). WMO-No. 8, annex 4.B,
# has 0.000653 (1 + 0.000944 wet) [cited, unverified], 0.5 % more at 20 degrees.
PSYCHROMETER_PER_K = 6.62e-4

# Assumption: fan with motor and drive; IE3 motor (0.95) x drive (0.97) x fan (0.70).
FAN_EFFICIENCY = 0.65
# Assumption: loop pressure and pump with motor.
PUMP_PA, PUMP_EFFICIENCY = 250e3, 0.70
# Assumption: share of a fan's or pump's pressure that stays at low flow (held static); the rest is quadratic.
STATIC_SHARE = 0.2
# Assumption: compressors keep at least this lift, for oil and expansion valves.
LOWEST_LIFT_K = 12.0
# Assumption: refrigerant below what it cools.
EVAPORATOR_APPROACH_K = 5.0
# Assumption: pumps of pads at full work, per unit of heat.
PAD_PUMP_SHARE = 0.002
KELVIN = 273.15


def fan_share(pressure_pa: float, rise_k: Values) -> Floats:
    """Fan power per unit of heat carried by air: pressure / (efficiency x rho c x rise).

    >>> round(float(fan_share(400.0, 12.0)), 4)
    0.0425
    """
    return np.asarray(pressure_pa / (FAN_EFFICIENCY * AIR_J_M3_K * np.asarray(rise_k)))


def pump_share(rise_k: Values) -> Floats:
    """Pump power per unit of heat carried by water, as for fans.

    >>> round(float(pump_share(10.0)), 4)
    0.0086
    """
    return np.asarray(PUMP_PA / (PUMP_EFFICIENCY * WATER_J_M3_K * np.asarray(rise_k)))


def at_part_load(design_share: Values, load_share: Values) -> Floats:
    """Fan or pump power per unit of heat at part load, where flow follows heat (the fan laws).

    P / load = design share x (static + (1 - static) load^2)

    >>> round(float(at_part_load(0.03, 0.5)), 4)
    0.012
    """
    load = np.asarray(load_share)
    return np.asarray(np.asarray(design_share) * (STATIC_SHARE + (1.0 - STATIC_SHARE) * load**2))


def thin_air(pressure_pa: Values | None) -> Floats:
    """Fan power over that at sea level for the same heat: the volume of air grows as its pressure falls.

    The pressure rise is the design's own (ducts and filters are made for the larger volume); None: sea level.

    >>> round(float(thin_air(84556.0)), 3)  # 1,500 m
    1.198
    """
    return np.asarray(1.0 if pressure_pa is None else SEA_LEVEL_PA / np.asarray(pressure_pa))


def chiller_cop(evaporating_c: Values, condensing_c: Values, carnot_share: float) -> Floats:
    """Coefficient of performance by lift: share x T_evaporating / (T_condensing - T_evaporating).

    Temperatures in C; the lift is never taken below 12 K.

    >>> round(float(chiller_cop(5.0, 48.0, 0.48)), 2)
    3.1
    """
    evaporating = np.asarray(evaporating_c)
    lift = np.maximum(np.asarray(condensing_c) - evaporating, LOWEST_LIFT_K)
    return np.asarray(carnot_share * (evaporating + KELVIN) / lift)


def missing_share(available_c: Values, supply_c: Values, rise_k: Values) -> Floats:
    """Share of the heat that outside air or water of this temperature cannot take, left for a chiller."""
    return np.clip((np.asarray(available_c) - supply_c) / rise_k, 0.0, 1.0)


def wetted(
    dry_bulb_c: Floats, wet_bulb_c: Floats, needed_c: Values, effectiveness: float
) -> tuple[Floats, Floats]:
    """Air after pads that run only as far as needed: its temperature, and the share of the pads at work.

    The pads bring air no lower than `needed_c`, and at most `effectiveness` of the way to the wet bulb.
    """
    wanted = np.maximum(dry_bulb_c - needed_c, 0.0)
    if effectiveness == 0.0:
        return dry_bulb_c + 0.0 * wanted, np.zeros(wanted.shape)
    depth = effectiveness * np.maximum(dry_bulb_c - wet_bulb_c, 0.0)
    share = np.where(wanted >= depth, np.sign(wanted), wanted / np.maximum(depth, 1e-9))
    return dry_bulb_c - np.minimum(depth, wanted), share


def modulated(approach_k: float, room_k: Floats) -> Floats:
    """Flow an exchanger needs over its design flow: design approach over the difference there is."""
    return np.where(room_k > 0.0, np.clip(approach_k / np.maximum(room_k, 1e-9), 0.0, 1.0), 1.0)


def vapour_pressure_pa(dry_bulb_c: Floats, wet_bulb_c: Floats, pressure_pa: Values) -> Floats:
    """Vapour pressure of air by the psychrometer's equation [Pa], at least 0.

    e = es(wet) - 0.000662 p (dry - wet)

    >>> round(float(vapour_pressure_pa(np.array(30.0), np.array(22.0), 101325.0)), -1)  # half saturated: 2123
    2110.0
    """
    fallen = PSYCHROMETER_PER_K * np.asarray(pressure_pa) * (dry_bulb_c - wet_bulb_c)
    return np.maximum(saturation_pressure_pa(wet_bulb_c) - fallen, 0.0)


def make_up_l_kwh(cycles: float) -> float:
    """Make-up water per kWh of heat evaporated [l]: what evaporates and the blowdown, 1 / (cycles - 1) of it.

    >>> round(make_up_l_kwh(5.0), 2)
    1.84
    """
    return EVAPORATION_L_KWH * cycles / (cycles - 1.0)
