"""Where a site's variables and rows lie in the matrix, and a site while it is being built."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.facility.dispatch.case import SiteCase
from gigawright.linear import Model


@dataclass(frozen=True)
class StoreColumns:
    """Global indices of a store's variables: capacities [period], flows and level [period, step]."""

    charge_power: Ints
    discharge_power: Ints
    energy: Ints
    charge: Ints
    discharge: Ints
    stored: Ints


@dataclass(frozen=True)
class SiteColumns:
    """Global indices of a site's variables and of the rows that a caller may add to.

    `capacity` [period] by source; `flow` [period, step] by source that is not free; `stores`; `given` and
    `delayed` [period, step] by name; `started` [period, step] MW by plant that pays for it; `certificates`
    [year] MWh. Rows: `balance` [period, step] (load on the right-hand side), `clean_share` [year] (the grey
    share of consumption on the right-hand side); `not_dumped` and `leaving` [period, step], empty where the
    site needs none.
    """

    capacity: dict[str, Ints] = field(default_factory=dict)
    flow: dict[str, Ints] = field(default_factory=dict)
    stores: dict[str, StoreColumns] = field(default_factory=dict)
    given: dict[str, Ints] = field(default_factory=dict)
    delayed: dict[str, Ints] = field(default_factory=dict)
    caught_up: dict[str, Ints] = field(default_factory=dict)
    started: dict[str, Ints] = field(default_factory=dict)
    certificates: dict[str, Ints] = field(default_factory=dict)
    balance: Ints = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    clean_share: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    not_dumped: Ints = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    leaving: Ints = field(default_factory=lambda: np.zeros((0, 0), np.int64))

    @property
    def all_columns(self) -> Ints:
        """Every variable that costs something, each once."""
        blocks = [*self.capacity.values(), *self.flow.values(), *self.given.values()]
        blocks += [*self.started.values(), *self.certificates.values()]
        for store in self.stores.values():
            blocks += [store.charge_power, store.discharge_power, store.energy, store.discharge]
        return np.unique(np.concatenate([block.ravel() for block in blocks]))


class Building:
    """A site under construction: its model, its case, how its blocks are named and what they are paid in."""

    def __init__(self, model: Model, case: SiteCase, unit_usd: float) -> None:
        self.model, self.case, self.time = model, case, case.time
        self.unit_usd = unit_usd
        self.by_period = {"period": case.time.periods}
        self.by_step = {"period": case.time.periods, "step": case.time.steps}
        # What a USD/MWh in a step costs over all the hours it stands for, in the model's money.
        self.paid = case.time.weight_h * case.time.discount[:, None] / unit_usd

    def name(self, what: str) -> str:
        """A block's name at this site."""
        return f"{what}:{self.case.site}"

    def money(self, usd: Floats) -> Floats:
        """USD of each period as the model counts them."""
        return np.asarray(usd * self.time.discount / self.unit_usd)
