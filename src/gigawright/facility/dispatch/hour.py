"""One hour of a site with a store, compiled: its cost of raising the store's level, flows and clearing price.

Sources stand in merit order. With power y taken from them at cost g(y), charging c and discharging d,

    C(x) = min { g(y) + wear d :  y = load + c - d,  x = ec c - d / ed,  0 <= c <= pc,  0 <= d <= pd }

is convex and piecewise linear in the level change x. While a MWh costs more than `turn` it is cheaper to
discharge less than to charge more; below it (prices under zero) the reverse; at `turn` itself charging and
discharging at once would burn energy. All energies are MWh a step, all costs USD for them.
"""

from __future__ import annotations

from typing import NamedTuple

from gigawright.arrays import Floats, Ints
from gigawright.facility.dispatch.compiled import inner


class Store(NamedTuple):
    """What a store can do in a step: MWh charged and discharged at the bus, and the efficiencies."""

    pc: float
    pd: float
    ec: float
    ed: float


class Offers(NamedTuple):
    """Sources of each step in merit order [step, rank]: USD and MWh, and which source it is."""

    cost: Floats
    give: Floats
    source: Ints


@inner
def merit_order(cost: Floats, order: Ints) -> None:
    """Sort `order` by cost in place; fast where it is nearly sorted, as it is from hour to hour."""
    for i in range(1, len(order)):
        held, j = order[i], i - 1
        while j >= 0 and cost[order[j]] > cost[held]:
            order[j + 1] = order[j]
            j -= 1
        order[j + 1] = held


@inner
def turning_cost(store: Store, wear: float) -> float:
    """The cost of energy below which charging pays before discharging less: -wear ec ed / (1 - ec ed)."""
    both = store.ec * store.ed
    return -wear * both / (1.0 - both) if both < 1.0 else -float("inf")


@inner
def emptied(load: float, store: Store) -> tuple[float, float]:
    """Charge and discharge where the level falls fastest: the surplus over the load is burnt by charging."""
    if load >= store.pd:
        return 0.0, store.pd
    charge = min(store.pc, store.pd - load)
    return charge, load + charge


@inner
def pieces_of_hour(
    load: float, wear: float, cost: Floats, give: Floats, store: Store, slope: Floats, width: Floats
) -> tuple[int, float]:
    """C(x) as slopes in rising order and their widths; returns their number and the highest x."""
    charge, discharge = emptied(load, store)
    turn, burn = turning_cost(store, wear), 1.0 / store.ed - store.ec
    highest = store.ec * charge - discharge / store.ed
    skip = load + charge - discharge
    burnt, count = False, 0
    for i in range(len(cost) + 1):
        left = give[i] - skip if i < len(cost) else 0.0
        price = cost[i] if i < len(cost) else turn
        if left <= 0.0 and i < len(cost):
            skip -= give[i]
            continue
        skip = 0.0
        if price >= turn and not burnt:
            burnt = True
            both = min(charge, discharge)
            if both > 0.0 and burn > 0.0:
                slope[count], width[count] = turn / store.ec, both * burn
                count += 1
            charge -= both
            discharge -= both
        for turnwise in range(2):
            if (turnwise == 0) == (price >= turn):
                part = min(left, discharge)
                slope[count], width[count] = store.ed * (price - wear), part / store.ed
                discharge -= part
            else:
                part = min(left, store.pc - charge)
                slope[count], width[count] = price / store.ec, part * store.ec
                charge += part
            left -= part
            if part > 0.0:
                count += 1
        if discharge <= 0.0 and charge >= store.pc:
            break
    for k in range(count):
        highest += width[k]
    return count, highest


@inner
def flows_of_hour(
    change: float, load: float, wear: float, cost: Floats, give: Floats, store: Store, taken: Floats
) -> tuple[float, float]:
    """Charge and discharge that change the level by `change` at least cost; `taken` of each offer.

    The same walk as `pieces_of_hour`, ended where the level has changed enough.
    """
    charge, discharge = emptied(load, store)
    turn, burn = turning_cost(store, wear), 1.0 / store.ed - store.ec
    rest = change - (store.ec * charge - discharge / store.ed)
    skip = load + charge - discharge
    burnt = False
    for i in range(len(cost) + 1):
        left = give[i] - skip if i < len(cost) else 0.0
        price = cost[i] if i < len(cost) else turn
        if left <= 0.0 and i < len(cost):
            skip -= give[i]
            continue
        skip = 0.0
        if price >= turn and not burnt:
            burnt = True
            both = min(charge, discharge, max(rest, 0.0) / burn) if burn > 0.0 else min(charge, discharge)
            charge -= both
            discharge -= both
            rest -= both * burn
        for turnwise in range(2):
            if (turnwise == 0) == (price >= turn):
                part = min(left, discharge, max(rest, 0.0) * store.ed)
                discharge -= part
                rest -= part / store.ed
            else:
                part = min(left, store.pc - charge, max(rest, 0.0) / store.ec)
                charge += part
                rest -= part * store.ec
            left -= part
        if rest <= 0.0:
            break
    missing = load + charge - discharge
    for i in range(len(cost)):
        taken[i] = min(give[i], max(missing, 0.0))
        missing -= taken[i]
    return charge, discharge


@inner
def clearing_price(
    load: float, cost: Floats, give: Floats, store: Store, charge_below: float, discharge_above: float
) -> float:
    """The price at which what is offered meets the load; the store charges below one price, gives above one.

    It is where load x price - rents is highest: charging counts as load that may step back for
    `charge_below`, discharging as a source at `discharge_above`.
    """
    missing = load + store.pc
    price = 0.0
    charger, giver = store.pc > 0.0, store.pd > 0.0
    for k in range(len(cost) + 1):
        own = cost[k] if k < len(cost) else float("inf")
        while charger or giver:
            back = charger and (not giver or charge_below <= discharge_above)
            offer = charge_below if back else discharge_above
            if offer > own:
                break
            price = offer
            missing -= store.pc if back else store.pd
            charger, giver = charger and not back, giver and back
            if missing <= 0.0:
                return price
        if k < len(cost) and give[k] > 0.0:
            price = own
            missing -= give[k]
            if missing <= 0.0:
                return price
    return price
