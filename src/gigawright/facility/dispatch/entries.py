"""The compiled functions of the fast dispatch that Python calls; their machine code is kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gigawright.arrays import Floats, Ints
from gigawright.facility.dispatch.compiled import kept, source_mark
from gigawright.facility.dispatch.hour import (
    Offers,
    Store,
    clearing_price,
    flows_of_hour,
    merit_order,
    pieces_of_hour,
)
from gigawright.facility.dispatch.storage import Pieces, Room, cycle_levels


class Entries(NamedTuple):
    """Compiled functions: see `_entries`."""

    offered: Callable[..., None]
    best_levels: Callable[..., bool]
    flows: Callable[..., None]
    cleared: Callable[..., None]


def _entries(mark: int) -> Entries:
    """Compiled functions whose kept code belongs to these very sources: `mark` is part of its key."""

    @kept
    def offered(
        load: Floats, wear: Floats, cost: Floats, give: Floats, store: Store, offers: Offers, pieces: Pieces
    ) -> None:
        """Sources of each step in merit order, and what changing the store's level costs."""
        for t in range(len(load) if mark >= 0 else 0):
            order = offers.source[t]
            for k in range(len(order) if t > 0 else 0):
                order[k] = offers.source[t - 1, k]
            merit_order(cost[t], order)
            for k in range(len(order)):
                offers.cost[t, k], offers.give[t, k] = cost[t, order[k]], give[t, order[k]]
            pieces.number[t], pieces.highest[t] = pieces_of_hour(
                load[t], wear[t], offers.cost[t], offers.give[t], store, pieces.slope[t], pieces.width[t]
            )

    @kept
    def best_levels(
        first: Ints, pieces: Pieces, room: Room, guess: float, level: Floats, worth: Floats
    ) -> bool:
        """Level and worth of every step, cycle by cycle; False where the books need more room."""
        for c in range(len(first) - 1 if mark >= 0 else 0):
            if not cycle_levels(first[c], first[c + 1], guess, level, worth, pieces, room):
                return False
        return True

    @kept
    def flows(
        change: Floats, load: Floats, wear: Floats, offers: Offers, store: Store,
        taken: Floats, power: Floats, charge: Floats, discharge: Floats,
    ) -> None:  # fmt: skip
        """Flows [MWh a step] that change the level as asked; `power` [step, source]."""
        for t in range(len(load) if mark >= 0 else 0):
            charge[t], discharge[t] = flows_of_hour(
                change[t], load[t], wear[t], offers.cost[t], offers.give[t], store, taken
            )
            for k in range(len(taken)):
                power[t, offers.source[t, k]] = taken[k]

    @kept
    def cleared(
        load: Floats,
        offers: Offers,
        store: Store,
        charge_below: Floats,
        discharge_above: Floats,
        price: Floats,
    ) -> None:
        """The price of each step, where the store buys below one and sells above another."""
        for t in range(len(load) if mark >= 0 else 0):
            price[t] = clearing_price(
                load[t], offers.cost[t], offers.give[t], store, charge_below[t], discharge_above[t]
            )

    return Entries(offered, best_levels, flows, cleared)


ENTRIES = _entries(source_mark())
