"""Heat that is used elsewhere: heat pumps, hours of demand, what it spares and what it earns.

Energy reuse factor (ERF) and effectiveness (ERE) as in ISO/IEC 30134-6:2021 and The Green Grid (2010).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gigawright.arrays import Floats
from gigawright.errors import CatalogueError
from gigawright.facility.cooling.designs import chiller
from gigawright.facility.cooling.physics import Values
from gigawright.facility.cooling.systems import CoolingHours, Design
from gigawright.facts import FactBook

# Assumption: a network asks for rooms below this outside temperature (degree days on a base of 15 to 18), and
# for hot water and its own losses this share of its highest demand all year.
HEATING_BASE_C, SUMMER_SHARE = 17.0, 0.15
# Assumption: an exchanger between the hall's return and the network, or the heat pump's source.
HANDOVER_K = 3.0


@dataclass(frozen=True, eq=False)
class Reused:
    """Per unit of IT by hour: heat delivered and the heat pump's power, and the cooling that is left."""

    heat_share: Floats
    pump_share: Floats
    cooling: CoolingHours


def heat_demand(dry_bulb_c: Floats, coldest_c: float) -> Floats:
    """Demand of a heat network over its highest, by outside temperature [C].

    0.15 + 0.85 (17 - t) / (17 - coldest), at most 1

    >>> heat_demand(np.array([25.0, 17.0, 5.0, -20.0]), -10.0).round(2).tolist()
    [0.15, 0.15, 0.53, 1.0]
    """
    need = np.clip((HEATING_BASE_C - dry_bulb_c) / (HEATING_BASE_C - coldest_c), 0.0, 1.0)
    return np.asarray(SUMMER_SHARE + (1.0 - SUMMER_SHARE) * need)


def reused(
    design: Design, cooled: CoolingHours, book: FactBook, taken_share: Values, delivered_c: float
) -> Reused:
    """Heat taken from a hall's return and delivered at a temperature [C], hour by hour.

    taken_share: heat taken per unit of IT, at most what the liquid carries (all of it in a hall without
    liquid); broadcasts. A return that is 3 K warmer than `delivered_c` gives it directly; else a heat pump
    lifts it, by Carnot's COP times the catalogue's share. Heat taken spares the power and water that would
    have given it to the outside, in proportion. Raises CatalogueError for more heat than there is.
    """
    most = np.asarray(design.liquid_share) if design.liquid is not None else np.ones(())
    taken = np.asarray(taken_share, dtype=np.float64)
    if (taken < 0.0).any() or (taken > most + 1e-12).any():
        raise CatalogueError(
            f"heat taken must be 0 to {float(np.max(most)):g} of IT, as {design.name} has it"
        )
    pump = taken * lift_share(design, book, delivered_c)
    given = taken / most
    spared, dry = cooled.loop_share * given, cooled.loop_water_l_per_kwh * given
    left = replace(
        cooled,
        power_share=cooled.power_share - spared,
        water_l_per_kwh=cooled.water_l_per_kwh - dry,
        loop_share=cooled.loop_share - spared,
        loop_water_l_per_kwh=cooled.loop_water_l_per_kwh - dry,
    )
    return Reused(taken + pump, pump, left)


def lift_share(design: Design, book: FactBook, delivered_c: float) -> float:
    """Power of a heat pump per unit of heat it takes from the hall's return; 0 where that is warm enough.

    1 / (COP - 1), COP = share x T_condensing / lift: what is told of heat pumps is the share of Carnot's COP
    of heating, what is told of chillers that of cooling.

    >>> from gigawright.catalogue.load import load_facts
    >>> from gigawright.facility.cooling.systems import cooling_system
    >>> hall = cooling_system("liquid")
    >>> facts = FactBook(load_facts())
    >>> round(lift_share(hall, facts, 75.0), 3), lift_share(hall, facts, 45.0)
    (0.286, 0.0)
    """
    liquid = design.liquid is not None
    supply = float(np.max(design.liquid_supply_c if liquid else design.air_supply_c))
    rise = float(np.max(design.liquid_rise_k if liquid else design.air_rise_k))
    if supply + rise - HANDOVER_K >= delivered_c:
        return 0.0
    machine = chiller(book, "heat_pump")
    if machine is None:
        raise CatalogueError("the catalogue's heat pump has no machine")
    cooling_cop = float(machine.cop(supply, delivered_c))
    # Of one machine at one share of Carnot's, COPs of heating and cooling differ by that share.
    return 1.0 / (cooling_cop + machine.carnot_share - 1.0)


def energy_reuse_factor(heat_share: Floats, pue: Floats) -> float:
    """ERF: heat reused over all energy of the data centre, a year of constant load (ISO/IEC 30134-6).

    heat_share: heat leaving the data centre per unit of IT, before a heat pump outside its boundary.

    >>> round(energy_reuse_factor(np.array([0.4, 0.0]), np.array([1.1, 1.1])), 3)
    0.182
    """
    return float(np.mean(heat_share) / np.mean(pue))


def energy_reuse_effectiveness(heat_share: Floats, pue: Floats) -> float:
    """ERE = (all energy - reused) / IT = (1 - ERF) PUE.

    >>> round(energy_reuse_effectiveness(np.array([0.4, 0.0]), np.array([1.1, 1.1])), 3)
    0.9
    """
    return float(np.mean(pue) - np.mean(heat_share))


def heat_credit_usd_mwh(found: Reused, heat_usd_mwh: float, power_usd_mwh: Values) -> float:
    """What reuse earns per MWh of IT: heat sold, less the heat pump's power.

    >>> none = np.zeros(2)
    >>> warm = Reused(np.array([0.5, 0.0]), np.array([0.1, 0.0]), CoolingHours(none, none))
    >>> heat_credit_usd_mwh(warm, 30.0, 60.0)
    4.5
    """
    return float(np.mean(found.heat_share) * heat_usd_mwh - np.mean(found.pump_share * power_usd_mwh))
