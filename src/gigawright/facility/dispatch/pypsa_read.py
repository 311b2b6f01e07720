"""A PyPSA network as a case: the way back, as far as the kinds are known.

Every bus is a site, but one that only holds a store behind links is part of that store. What a case has no
word for - lines, transformers, transmission that may be built, unit commitment, other global constraints - is
refused by name, never dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gigawright.arrays import Floats
from gigawright.errors import UserError
from gigawright.facility.dispatch.case import EnergyCase, Giving, Move, SiteCase, Source, Store, Timeline
from gigawright.facility.dispatch.pypsa import GIVING, import_pypsa, quiet

UNKNOWN_KINDS = ("lines", "transformers", "shunt_impedances", "processes")
PV, WIND = ("solar", "pv"), ("wind", "onwind", "offwind")


def read_network(path: str | Path) -> EnergyCase:
    """The case that a PyPSA netCDF file holds. Raises UserError for what a case cannot say, or no file."""
    pypsa = import_pypsa()
    if not Path(path).is_file():
        raise UserError(f"{path}: there is no such network file")
    try:
        with quiet():
            network = pypsa.Network(path)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path} does not open as a PyPSA network: {error}") from None
    return from_network(network)


def from_network(network: Any) -> EnergyCase:
    """The case of a pypsa.Network. Raises UserError that names what a case cannot say."""
    reader = _Reader(network)
    unknown = reader.unknown()
    if unknown:
        raise UserError(f"the network has what a case cannot say: {'; '.join(unknown)}")
    sites = tuple(reader.site(bus) for bus in reader.sites)
    name = network.meta.get("gigawright", {}).get("case") or network.name or "network"
    return EnergyCase(name, sites, reader.cap_t(), tuple(reader.moves()))


class _Reader:
    """Reads components; series come back as [1, step]."""

    def __init__(self, network: Any) -> None:
        self.network = network
        self.count = len(network.snapshots)
        self.time = self._time()
        behind = set(network.stores.bus) - {*network.loads.bus, *network.generators.bus}
        self.sites = [str(bus) for bus in network.buses.index if bus not in behind]
        self.kinds = network.meta.get("gigawright", {}).get("sources", {})

    def _time(self) -> Timeline:
        weights = self.network.snapshot_weightings
        hours = np.asarray(weights["generators"], float)
        discount, length = (np.asarray(weights[name], float) for name in ("objective", "stores"))
        share = discount / np.where(hours > 0.0, hours, 1.0)
        if np.ptp(share) > 1e-9 * share.max() or np.ptp(length) > 0.0:
            raise UserError("the network's snapshots weigh money or storage differently from step to step")
        return Timeline(
            ("year",), hours[None], float(length[0]), np.zeros(self.count, np.int64), share[:1].copy(),
            np.zeros(1, np.int64),
        )  # fmt: skip

    def unknown(self) -> list[str]:
        """What a case cannot say, in words."""
        network, found = self.network, []
        if getattr(network, "has_investment_periods", False):
            found.append("several investment periods")
        kinds = set(network.components.keys())
        tables = {kind: network.components[kind].static for kind in UNKNOWN_KINDS if kind in kinds}
        found += [f"{kind} {', '.join(table.index[:3])}" for kind, table in tables.items() if len(table)]
        generators = network.generators
        committed = generators.index[generators.committable.astype(bool)]
        found += [f"unit commitment of {name}" for name in committed]
        found += [
            f"the minimum power of {name}"
            for name in generators.index
            if self.series("Generator", name, "p_min_pu").any()
        ]
        found += [f"the sign of {name}" for name in generators.index[generators.sign != 1.0]]
        found += [
            f"the constraint {name}"
            for name, row in network.global_constraints.iterrows()
            if row.type != "primary_energy" or row.carrier_attribute != "co2_emissions" or row.sense != "<="
        ]
        own = {*self.sites, *network.stores.bus}
        found += [f"the bus of {name}" for name in generators.index if generators.bus[name] not in self.sites]
        links = network.links
        found += [
            f"link {name}"
            for name in links.index
            if {links.bus0[name], links.bus1[name]} - own or self._many(name)
        ]
        found += [f"store {name}" for name in network.stores.index if not self._behind_links(name)]
        found += [
            f"link {name}, which may be built between sites"
            for name in self._between()
            if bool(links.p_nom_extendable[name])
        ]
        return found

    def _many(self, link: str) -> bool:
        row = self.network.links.loc[link]
        return any(str(row.get(f"bus{i}", "") or "") not in ("", "nan") for i in range(2, 6))

    def series(self, kind: str, name: str, attribute: str) -> Floats:
        """An attribute over the steps, whether it is one number or a series [1, step]."""
        component = self.network.components[kind]
        changing = component.dynamic[attribute]
        if name in changing.columns:
            return np.asarray(changing[name], float)[None]
        return np.full((1, self.count), float(component.static.loc[name, attribute]))

    def site(self, bus: str) -> SiteCase:
        """A bus with all that hangs on it."""
        network = self.network
        load = np.zeros((1, self.count))
        for name in network.loads.index[network.loads.bus == bus]:
            load = load - float(network.loads.sign[name]) * self.series("Load", name, "p_set")
        here = network.generators.index[network.generators.bus == bus]
        gives = network.generators.carrier == GIVING
        units = network.storage_units.index[network.storage_units.bus == bus]
        return SiteCase(
            site=bus,
            time=self.time,
            sources=tuple(self.source(bus, name) for name in here if not gives[name]),
            stores=(*(self.unit(bus, name) for name in units), *self.linked_stores(bus)),
            giving=tuple(self.giving(bus, name) for name in here if gives[name]),
            load_mw=load,
        )

    def source(self, bus: str, name: str) -> Source:
        """A generator."""
        row = self.network.generators.loc[name]
        known = self.kinds.get(name, {})
        kind = known.get("kind") or str(row.carrier).split(" ")[0] or "plant"
        tonnes = 0.0
        if row.carrier in self.network.carriers.index:
            tonnes = float(self.network.carriers.co2_emissions[row.carrier])
        least, most, cost = self._sizes(row)
        ramps = [self._limit(row, f"ramp_limit_{way}") for way in ("up", "down")]
        return Source(
            name=_own_name(name, bus),
            kind=kind,
            available=self.series("Generator", name, "p_max_pu"),
            energy_usd_mwh=self.series("Generator", name, "marginal_cost"),
            emission_t_mwh=tonnes / self.series("Generator", name, "efficiency"),
            capacity_usd_mw=cost,
            least_mw=least,
            most_mw=most,
            clean=bool(known.get("clean", kind.lower().startswith(PV + WIND))),
            ramp_share_h=min(ramps) / self.time.step_h,
        )

    @staticmethod
    def _limit(row: Any, attribute: str) -> float:
        limit = float(row[attribute])
        return np.inf if np.isnan(limit) or limit >= 1.0 else limit

    def _sizes(self, row: Any, what: str = "p_nom") -> tuple[Floats, Floats, Floats]:
        """Least and most size and its cost, [1] each; what stands is fixed and paid for."""
        if not row[f"{what}_extendable"]:
            stands = np.array([float(row[what])])
            return stands, stands, np.zeros(1)
        cost = float(row.capital_cost) / float(self.time.discount[0])
        bounds = (np.array([float(row[f"{what}_{end}"])]) for end in ("min", "max"))
        return *bounds, np.array([cost])  # type: ignore[return-value]

    def unit(self, bus: str, name: str) -> Store:
        """A storage unit: its hours are fixed."""
        row = self.network.storage_units.loc[name]
        if not row.cyclic_state_of_charge or self.series("StorageUnit", name, "inflow").any():
            raise UserError(f"storage unit {name}: a case's stores end as they began, without inflow")
        least, most, cost = self._sizes(row)
        return Store(
            name=_own_name(name, bus),
            kind=str(row.carrier) or "battery",
            charge_efficiency=float(row.efficiency_store),
            discharge_efficiency=float(row.efficiency_dispatch),
            charge_usd_mw=np.zeros(1),
            discharge_usd_mw=cost,
            energy_usd_mwh=np.zeros(1),
            most_mw=most,
            most_mwh=most * float(row.max_hours),
            least_mw=least,
            hours=float(row.max_hours),
            loss_h=float(row.standing_loss),
            wear_usd_mwh=float(row.marginal_cost),
        )

    def _behind_links(self, store: str) -> bool:
        return self._pair(str(self.network.stores.bus[store])) is not None

    def _pair(self, bus: str) -> tuple[str, str] | None:
        """The one link that charges what is on a bus from a site, and the one that discharges it there."""
        links = self.network.links
        into, out = links.index[links.bus1 == bus], links.index[links.bus0 == bus]
        if len(into) != 1 or len(out) != 1 or links.bus0[into[0]] != links.bus1[out[0]]:
            return None
        alone = (self.network.stores.bus == bus).sum() == 1 and bus not in self.sites
        return (str(into[0]), str(out[0])) if alone else None

    def linked_stores(self, bus: str) -> list[Store]:
        """Stores behind a charging and a discharging link at a site."""
        found = []
        for name, row in self.network.stores.iterrows():
            pair = self._pair(str(row.bus))
            if pair is not None and self.network.links.bus0[pair[0]] == bus:
                found.append(self._linked(bus, str(name), *pair))
        return found

    def _linked(self, bus: str, name: str, charging: str, discharging: str) -> Store:
        row = self.network.stores.loc[name]
        if not row.e_cyclic:
            raise UserError(f"store {name}: a case's stores end as they began (e_cyclic)")
        into, out = self.network.links.loc[charging], self.network.links.loc[discharging]
        efficiency = float(out.efficiency)
        _, most_in, cost_in = self._sizes(into)
        least, most, cost = self._sizes(out)
        _, most_mwh, energy_cost = self._sizes(row, "e_nom")
        if most_in[0] != most[0] * efficiency and np.isfinite([most_in[0], most[0]]).any():
            raise UserError(f"store {name}: a case has one limit for charging and discharging power")
        if not row.e_nom_extendable or least[0]:
            raise UserError(f"store {name}: a case's stores have no least energy; make it extendable from 0")
        return Store(
            name=_own_name(name, bus),
            kind=str(row.carrier) or "battery",
            charge_efficiency=float(into.efficiency),
            discharge_efficiency=efficiency,
            charge_usd_mw=cost_in,
            discharge_usd_mw=cost / efficiency,
            energy_usd_mwh=energy_cost,
            most_mw=most * efficiency,
            most_mwh=most_mwh,
            least_mw=least * efficiency,
            one_power=False,
            loss_h=float(row.standing_loss),
            wear_usd_mwh=float(out.marginal_cost) / efficiency,
        )

    def giving(self, bus: str, name: str) -> Giving:
        """Load that gives way, as our export writes it."""
        row = self.network.generators.loc[name]
        most = float(row.p_nom) * self.series("Generator", name, "p_max_pu")
        return Giving(_own_name(name, bus), most, float(row.marginal_cost))

    def _between(self) -> list[str]:
        links = self.network.links
        return [
            str(name)
            for name in links.index
            if links.bus0[name] in self.sites and links.bus1[name] in self.sites
        ]

    def moves(self) -> list[Move]:
        """Links between sites: what arrives at one relieves it, what leaves the other loads it."""
        found = []
        for name in self._between():
            row = self.network.links.loc[name]
            efficiency = self.series("Link", name, "efficiency")
            taken = float(row.p_nom) * self.series("Link", name, "p_max_pu")
            if (self.series("Link", name, "p_min_pu") < 0.0).any():
                raise UserError(f"link {name} runs both ways; a case needs a link for each")
            found.append(
                Move(
                    origin=str(row.bus1),
                    target=str(row.bus0),
                    most_mw=taken * efficiency,
                    ratio=1.0 / efficiency,
                    usd_mwh=float((self.series("Link", name, "marginal_cost") / efficiency)[0, 0]),
                )
            )
        return found

    def cap_t(self) -> float:
        """The emission cap, the least of several."""
        caps = self.network.global_constraints.constant
        return float(caps.min()) if len(caps) else np.inf


def _own_name(name: str, bus: str) -> str:
    """A component's name without its site."""
    for strip in _STRIPS:
        name = strip(name, bus)
    return name


_STRIPS: tuple[Callable[[str, str], str], ...] = (
    lambda name, bus: name.removesuffix(f":{bus}"),
    lambda name, bus: name.removeprefix(f"{bus} "),
)
