"""A case as a PyPSA network, for all who want to go on there, or to check our cost with another tool.

Each site is a bus. What PyPSA has no component for is built from those it has:

| here | there |
|---|---|
| source | generator, extendable between its least and most MW |
| store of fixed hours | storage unit |
| store whose energy is chosen | store behind two links, and behind one more where both share a power |
| tier that gives way | generator at the price of what is not done |
| delay | store of work owed, with a link to put off and a link to make up |
| move of load | link from the site that takes the load to the one that is relieved |
| emission cap | global constraint; a store of tonnes where a factor varies by the hour |
| clean share | store of grey energy (matched hourly) or clean (yearly); certificates: generator |

What a network file cannot say (reserve, outages, plants' minimum load and starts, weighted weeks) is refused
by name, or left out where that is asked for. PyPSA limits ramps from the second step on; we close the circle.
"""

from __future__ import annotations

import importlib
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from gigawright.arrays import Floats
from gigawright.errors import OutputError, UserError
from gigawright.facility.dispatch.case import Delay, EnergyCase, Giving, Move, SiteCase, Source, Store
from gigawright.facility.dispatch.pypsa_limits import cannot_hold

CO2_BUS = "co2"
GIVING = "giving way"
INSTALL = "PyPSA is not installed; it is an extra: pip install 'gigawright[pypsa]'"


def import_pypsa() -> Any:
    """The pypsa module. Raises UserError that says how to install it."""
    try:
        with quiet():
            return importlib.import_module("pypsa")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != "pypsa":
            raise
        raise UserError(INSTALL) from None


@contextmanager
def quiet() -> Iterator[None]:
    """PyPSA announces its own future, and files under names that do not last; that is not for our users."""
    log = logging.getLogger("pypsa")
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        log.setLevel(level)


def to_network(case: EnergyCase, leave_out: bool = False) -> Any:
    """The case as a pypsa.Network of one investment period; solved there it costs the same.

    Raises UserError without PyPSA, for more than a period or a storage cycle, a site without load, or rules
    that a network cannot say (unless `leave_out`).
    """
    pypsa = import_pypsa()
    _refuse(case, leave_out)
    with quiet():
        network = pypsa.Network(name=case.name)
        writer = _Writer(network, case)
        for site in case.sites:
            writer.site(site)
        for move in case.moves:
            writer.move(move)
        writer.finish()
    return network


def write_network(case: EnergyCase, path: str | Path, leave_out: bool = False) -> Path:
    """Write the case as a PyPSA netCDF file, whole or not at all. Raises UserError, OutputError."""
    path = Path(path)
    if path.suffix != ".nc":
        raise OutputError(f"{path}: PyPSA networks are written as netCDF; give the file the ending .nc")
    network = to_network(case, leave_out)
    part = path.with_name(f".{path.stem}.{os.getpid()}.part.nc")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with quiet():
            network.export_to_netcdf(part)
        part.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)
    return path


def _refuse(case: EnergyCase, leave_out: bool) -> None:
    for site in case.sites:
        if site.time.shape[0] != 1 or len(np.unique(site.time.cycle)) != 1:
            raise UserError(f"{site.site}: a network file holds one period of one storage cycle")
        load_of(site)
        if not np.array_equal(site.time.weight_h, case.sites[0].time.weight_h):
            raise UserError(f"{case.name}: all sites of a network need the same steps")
    held = cannot_hold(case)
    if held and not leave_out:
        raise UserError(
            f"a PyPSA network cannot say {'; '.join(held)}. Without them it would cost something else; "
            "ask to leave them out (--leave-out) if that is what you want"
        )


class _Writer:
    """Adds what a case has to a network; arrays of a case are [1, step]."""

    def __init__(self, network: Any, case: EnergyCase) -> None:
        self.network, self.case, self.time = network, case, case.sites[0].time
        count = self.time.shape[1]
        network.set_snapshots(range(count))
        self.discount = float(self.time.discount[0])
        # A step's tonnes and MWh stand for as many hours as it weighs, those of a store for its own length.
        self.ratio = self.time.weight_h[0] / self.time.step_h
        weightings = network.snapshot_weightings
        weightings["objective"] = self.time.weight_h[0] * self.discount
        weightings["generators"] = self.time.weight_h[0]
        weightings["stores"] = self.time.step_h
        network.snapshot_weightings = weightings
        sources = [source for site in case.sites for source in site.sources]
        capped = np.isfinite(case.carbon_cap_t)
        self.stored_tonnes = capped and any(np.ptp(source.emission_t_mwh) > 0.0 for source in sources)
        self.kinds: dict[str, dict[str, Any]] = {}

    def add(self, kind: str, name: str, **values: Any) -> None:
        """Add a component; series that never change go in as one number."""
        self.network.add(kind, name, **{key: _plain(value) for key, value in values.items()})

    def bus(self, name: str, carrier: str = "AC") -> str:
        """A bus of this name."""
        self.carrier(carrier)
        if name not in self.network.buses.index:
            self.add("Bus", name, carrier=carrier)
        return name

    def carrier(self, name: str, t_mwh: float = 0.0) -> str:
        """A carrier of this name."""
        if name not in self.network.carriers.index:
            self.add("Carrier", name, co2_emissions=t_mwh)
        return name

    def site(self, site: SiteCase) -> None:
        """A bus with its load, what feeds it, stores, and gives way."""
        self.bus(site.site)
        self.add("Load", f"load:{site.site}", bus=site.site, p_set=load_of(site)[0])
        if site.clean_share > 0.0:
            self.clean_share(site)
        for source in site.sources:
            self.source(site, source)
        for store in site.stores:
            self.store(site, store)
        for giving in site.giving:
            self.giving(site, giving)
        for delay in site.delays:
            self.delay(site, delay)

    def source(self, site: SiteCase, source: Source) -> None:
        """A generator at the site, or behind a link that also counts its tonnes and its grey or clean MWh."""
        name, counted = f"{source.name}:{site.site}", self.counters(site, source)
        emits = float(source.emission_t_mwh[0, 0]) if np.isfinite(self.case.carbon_cap_t) else 0.0
        t_mwh = 0.0 if self.stored_tonnes else emits
        ramp = {} if np.isinf(source.ramp_share_h) else {"ramp_limit_up": self.ramp(source)}
        if ramp:
            ramp["ramp_limit_down"] = ramp["ramp_limit_up"]
        whole = clean_bus(site) in counted
        self.add(
            "Generator", name,
            bus=self.bus(name) if counted else site.site,
            carrier=self.carrier(f"{source.kind} {t_mwh:g} t/MWh" if t_mwh else source.kind, t_mwh),
            p_nom_extendable=True, p_nom_min=source.least_mw[0], p_nom_max=source.most_mw[0],
            p_min_pu=source.available[0] if whole else 0.0, p_max_pu=source.available[0],
            marginal_cost=source.energy_usd_mwh[0], capital_cost=source.capacity_usd_mw[0] * self.discount,
            **ramp,
        )  # fmt: skip
        self.kinds[name] = {"kind": source.kind, "clean": source.clean}
        if counted:
            self.counted(name, self.curtailed(name) if whole else name, site.site, counted)

    def counted(self, origin: str, at: str, site: str, counters: Mapping[str, Floats]) -> None:
        """A link to the site that fills the counters on its way."""
        into = site if at == origin else at
        outputs: dict[str, Any] = {"bus1": into, "efficiency": 1.0}
        for i, (bus, factor) in enumerate(counters.items(), start=2):
            outputs |= {f"bus{i}": bus, f"efficiency{i}": factor}
        self.add("Link", f"{origin} counted", bus0=origin, p_nom_extendable=True, **outputs)
        if into != site:
            self.add("Link", f"{origin} used", bus0=into, bus1=site, p_nom_extendable=True)

    def curtailed(self, name: str) -> str:
        """A bus at which power that was counted may be thrown away."""
        bus = self.bus(f"{name} counted")
        self.add("Generator", f"{name} unused", bus=bus, sign=-1.0, p_nom_extendable=True)
        return bus

    def ramp(self, source: Source) -> float:
        """Share of the capacity by which a source may change in a step."""
        return float(min(source.ramp_share_h * self.time.step_h, 1.0))

    def counters(self, site: SiteCase, source: Source) -> dict[str, Floats]:
        """Buses on which a source's tonnes, grey or clean MWh are counted, and what a MW gives of each."""
        found: dict[str, Floats] = {}
        if self.stored_tonnes and source.emission_t_mwh.any():
            found[self.tonnes()] = source.emission_t_mwh[0] * self.ratio
        if site.clean_share > 0.0 and site.matching == "hourly" and not source.clean:
            found[grey_bus(site)] = self.ratio
        if site.clean_share > 0.0 and site.matching == "yearly" and source.clean:
            found[clean_bus(site)] = self.ratio
        return found

    def tonnes(self) -> str:
        """The bus of tonnes, and the store that may take no more than the cap."""
        if CO2_BUS not in self.network.buses.index:
            self.bus(CO2_BUS, CO2_BUS)
            self.add("Store", CO2_BUS, bus=CO2_BUS, carrier=CO2_BUS, e_nom=self.case.carbon_cap_t)
        return CO2_BUS

    def clean_share(self, site: SiteCase) -> None:
        """Hourly: grey MWh fill a store that holds the rest of the share, certificates empty it.

        Yearly: clean MWh and certificates fill a store that must give the share in the last step.
        """
        used = float((load_of(site) * site.time.weight_h).sum())
        hourly = site.matching == "hourly"
        bus = self.bus(grey_bus(site) if hourly else clean_bus(site), "certificates")
        # Energy of a counter's bus is MWh over all the hours that a step stands for: steps of the store's own
        # length, filled at `ratio` times the power.
        if hourly:
            self.add("Store", bus, bus=bus, carrier="certificates", e_nom=(1.0 - site.clean_share) * used)
        else:
            last = np.zeros(self.time.shape[1])
            last[-1] = site.clean_share * used / self.time.step_h
            self.add("Store", bus, bus=bus, carrier="certificates", e_nom_extendable=True)
            self.add("Load", f"share:{site.site}", bus=bus, p_set=last)
        if site.certificate_usd_mwh is not None:
            self.add(
                "Generator", f"certificates:{site.site}", bus=bus, carrier="certificates",
                sign=-1.0 if hourly else 1.0, p_nom_extendable=True,
                # The objective weighs a step as the hours it stands for; a certificate is bought once.
                marginal_cost=float(site.certificate_usd_mwh[0]) / self.ratio,
            )  # fmt: skip

    def store(self, site: SiteCase, store: Store) -> None:
        """A storage unit where the hours are fixed, else a store behind links."""
        name, discount = f"{store.name}:{site.site}", self.discount
        kept = {"standing_loss": store.loss_h}
        if not np.any(store.most_mw):
            return
        if store.hours is not None:
            cost = store.discharge_usd_mw + store.charge_usd_mw + store.hours * store.energy_usd_mwh
            self.add(
                "StorageUnit", name, bus=site.site, carrier=self.carrier(store.kind),
                p_nom_extendable=True, p_nom_min=store.least_mw[0], p_nom_max=store.most_mw[0],
                max_hours=store.hours, capital_cost=cost[0] * discount,
                efficiency_store=store.charge_efficiency, efficiency_dispatch=store.discharge_efficiency,
                marginal_cost=store.wear_usd_mwh, cyclic_state_of_charge=True, **kept,
            )  # fmt: skip
            return
        self.add(
            "Store", name, bus=self.bus(name, store.kind), carrier=store.kind,
            e_nom_extendable=True, e_nom_max=store.most_mwh[0], e_cyclic=True,
            capital_cost=store.energy_usd_mwh[0] * discount, **kept,
        )  # fmt: skip
        self.store_links(site, store, name)

    def store_links(self, site: SiteCase, store: Store, name: str) -> None:
        """What a store charges and discharges by; a link's size is that of its inlet."""
        ec, ed, most, least = (
            store.charge_efficiency, store.discharge_efficiency, store.most_mw[0], store.least_mw[0],
        )  # fmt: skip
        charging: dict[str, Any] = {"p_nom_extendable": True, "efficiency": ec}
        discharging: dict[str, Any] = {
            "p_nom_extendable": True, "efficiency": ed, "marginal_cost": store.wear_usd_mwh * ed,
        }  # fmt: skip
        outside = site.site
        if store.one_power:
            outside = self.bus(f"{name} power")
            cost = (store.charge_usd_mw + store.discharge_usd_mw)[0] * self.discount
            self.add(
                "Link", f"{name} power", bus0=site.site, bus1=outside, p_nom_extendable=True, p_min_pu=-1.0,
                p_nom_min=least, p_nom_max=most, capital_cost=cost,
            )  # fmt: skip
        else:
            charging |= {"p_nom_max": most, "capital_cost": store.charge_usd_mw[0] * self.discount}
            discharging |= {
                "p_nom_max": most / ed, "p_nom_min": least / ed,
                "capital_cost": store.discharge_usd_mw[0] * self.discount * ed,
            }  # fmt: skip
        self.add("Link", f"{name} charging", bus0=outside, bus1=name, **charging)
        self.add("Link", f"{name} discharging", bus0=name, bus1=outside, **discharging)

    def giving(self, site: SiteCase, giving: Giving) -> None:
        """A generator of what is not done."""
        most = float(giving.most_mw.max())
        self.add(
            "Generator", f"{giving.name}:{site.site}", bus=site.site, carrier=self.carrier(GIVING),
            p_nom=most, p_max_pu=giving.most_mw[0] / (most or 1.0), marginal_cost=giving.usd_mwh,
        )  # fmt: skip

    def delay(self, site: SiteCase, delay: Delay) -> None:
        """A store that goes below zero by what is owed."""
        name = f"{delay.name}:{site.site}"
        owed = delay.most_hours * float(delay.most_mw.mean())
        self.add(
            "Store", name, bus=self.bus(name, "work"), carrier="work", e_cyclic=True,
            e_nom=owed, e_min_pu=-1.0, e_max_pu=0.0, marginal_cost_storage=-delay.usd_mwh,
        )  # fmt: skip
        for word, ends, limit in (
            ("later", (name, site.site), delay.most_mw[0]),
            ("made up", (site.site, name), delay.catch_up_mw[0]),
        ):
            most = float(limit.max())
            share = limit / (most or 1.0)
            self.add("Link", f"{name} {word}", bus0=ends[0], bus1=ends[1], p_nom=most, p_max_pu=share)

    def move(self, move: Move) -> None:
        """A link from the site that takes the load over to the one that is relieved."""
        ratio = np.broadcast_to(np.asarray(move.ratio, float), move.most_mw.shape)[0]
        taken = move.most_mw[0] * ratio
        most = float(taken.max())
        self.add(
            "Link", f"move:{move.origin}>{move.target}", bus0=move.target, bus1=move.origin, p_nom=most,
            p_max_pu=taken / (most or 1.0), efficiency=1.0 / ratio, marginal_cost=move.usd_mwh / ratio,
        )  # fmt: skip

    def finish(self) -> None:
        """The emission cap, where a number a carrier can say it, and what only we know of components."""
        if np.isfinite(self.case.carbon_cap_t) and not self.stored_tonnes:
            self.add(
                "GlobalConstraint", "carbon", type="primary_energy", carrier_attribute="co2_emissions",
                sense="<=", constant=self.case.carbon_cap_t,
            )  # fmt: skip
        self.network.meta = {"gigawright": {"case": self.case.name, "sources": self.kinds}}


def load_of(site: SiteCase) -> Floats:
    """A site's load [1, step]. Raises UserError where it has none."""
    if site.load_mw is None:
        raise UserError(f"{site.site} has no load to export")
    return site.load_mw


def grey_bus(site: SiteCase) -> str:
    """The bus on which a site's grey energy is counted."""
    return f"grey:{site.site}"


def clean_bus(site: SiteCase) -> str:
    """The bus on which a site's clean energy is counted."""
    return f"clean:{site.site}"


def _plain(value: Any) -> Any:
    """A series that never changes as one number, and numbers as Python's own."""
    if isinstance(value, np.ndarray):
        return float(value[0]) if np.ptp(value) == 0.0 else value
    return float(value) if isinstance(value, np.floating) else value
