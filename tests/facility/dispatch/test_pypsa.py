"""To and from PyPSA: the same cost there, the same case back, and what cannot be said is refused."""

from __future__ import annotations

import importlib
import logging
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.facility.dispatch.small_cases import site, source, store, two_sites, weighted

from gigawright.errors import OutputError, UserError
from gigawright.facility.dispatch import pypsa as export
from gigawright.facility.dispatch.case import Delay, EnergyCase, Giving, Move, Outage, SiteCase, one_year
from gigawright.facility.dispatch.common_problem import OPTIMUM_USD, three_sites
from gigawright.facility.dispatch.pypsa import import_pypsa, to_network, write_network
from gigawright.facility.dispatch.pypsa_read import from_network, read_network
from gigawright.facility.dispatch.solve import solve_energy

H = 48
SAME = 1e-6


def _present() -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.util.find_spec("pypsa") is not None


needs_pypsa = pytest.mark.skipif(
    not _present(), reason="PyPSA is not installed: pip install 'gigawright[pypsa]'"
)
# PyPSA and linopy announce changes of their own.
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture(autouse=True)
def _quietly() -> Any:
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def cost_in_pypsa(network: Any) -> float:
    found = network.optimize(solver_name="highs", output_flag=False, include_objective_constant=False)
    assert found == ("ok", "optimal")
    return float(network.objective)


def here(name: str, **changed: Any) -> SiteCase:
    return site(name, H, 3, **changed)


def one_power(name: str, hours: float | None) -> SiteCase:
    changed = {"loss_h": 0.01, "wear_usd_mwh": 1.5, "energy_usd_mwh": np.array([20.0])}
    return here(name, stores=(store(H, one_power=True, hours=hours, **changed),))


def gives_way() -> SiteCase:
    cap = Giving("cap", np.full((1, H), 10.0), 70.0)
    shed = Giving("shed", np.linspace(0.0, 20.0, H)[None], 900.0)
    return here("gives way", giving=(cap, shed))


def delays() -> SiteCase:
    later = np.where(np.arange(H) % 24 > 12, 15.0, 3.0)[None]
    return here("delays", delays=(Delay("batch", later, np.full((1, H), 12.0), 4.0, 0.5),))


def below_zero() -> SiteCase:
    price = 20.0 + 60.0 * np.cos(np.arange(H) / 24.0 * 2.0 * np.pi)
    grid = source("grid", H, usd_mwh=price, usd_mw_year=5e3, most_mw=150.0)
    return here("below zero", sources=(*here("x").sources[:3], grid))


def clean(name: str, matching: Any, certificate_usd: float | None) -> SiteCase:
    price = None if certificate_usd is None else np.array([certificate_usd])
    return here(name, clean_share=0.9, matching=matching, certificate_usd_mwh=price)


# A site each, so that PyPSA solves them all at once.
SITES = (
    here("plain"),
    one_power("fixed hours", 4.0),
    one_power("one power", None),
    gives_way(),
    delays(),
    below_zero(),
    clean("hourly", "hourly", None),
    clean("hourly bought", "hourly", 8.0),
    clean("yearly", "yearly", None),
    clean("yearly bought", "yearly", 8.0),
)


def moves() -> EnergyCase:
    ratio = 1.1 + 0.05 * np.cos(np.arange(H))[None]
    there = Move("north", "south", np.full((1, H), 15.0), ratio, 2.0)
    back = Move("south", "north", np.linspace(1.0, 10.0, H)[None], 0.9, 2.0)
    return replace(two_sites(H, carbon_share=0.5), moves=(there, back))


def hourly_factor() -> EnergyCase:
    usual = here("x").sources
    factor = 0.4 + 0.3 * np.sin(np.arange(H) / 5.0)
    changed = replace(usual[3], emission_t_mwh=factor[None])
    case = EnergyCase("hourly factor", (here("here", sources=(*usual[:3], changed)),), 0.1 * 100.0 * H)
    return weighted(case, 1.2, 0.9)


CASES: dict[str, EnergyCase] = {
    "every kind": weighted(EnergyCase("every kind", SITES), 1.2, 0.8),
    "moves under a cap": moves(),
    "hourly emission factor": hourly_factor(),
}


@needs_pypsa
@pytest.mark.parametrize("name", CASES)
def test_pypsa_finds_the_same_cost(name: str) -> None:
    case = CASES[name]
    ours = solve_energy(case).cost_usd
    assert cost_in_pypsa(to_network(case)) == pytest.approx(ours, rel=SAME)


def test_what_the_cases_add_binds() -> None:
    """Else the comparison above would say nothing of it."""
    cost = {one.site: solve_energy(EnergyCase("alone", (one,))).cost_usd for one in SITES}
    assert len({round(usd, 1) for usd in cost.values()}) == len(SITES)
    for matching in ("hourly", "yearly"):
        assert cost["plain"] < cost[f"{matching} bought"] < cost[matching]
    assert solve_energy(hourly_factor()).carbon_usd_t > 1.0
    assert max(np.max(moved) for moved in solve_energy(moves()).moved.values()) > 1.0


@needs_pypsa
def test_the_common_problem_from_a_file(shared_folder: Path, tmp_path: Path) -> None:
    import pypsa

    case = three_sites(shared_folder / "data/energy/three_sites.csv", 744)
    network = pypsa.Network(write_network(case, tmp_path / "three.nc"))
    assert cost_in_pypsa(network) == pytest.approx(OPTIMUM_USD[744], rel=1e-8)
    assert [path.name for path in tmp_path.iterdir()] == ["three.nc"]


@needs_pypsa
def test_there_and_back(tmp_path: Path) -> None:
    case = moves()
    case = replace(case, sites=(*case.sites, one_power("fixed hours", 4.0), gives_way()))
    back = read_network(write_network(case, tmp_path / "case.nc"))
    assert back.name == case.name
    assert back.carbon_cap_t == pytest.approx(case.carbon_cap_t)
    assert solve_energy(back).cost_usd == pytest.approx(solve_energy(case).cost_usd, rel=1e-9)
    for one, other in zip(case.sites, back.sites, strict=True):
        assert [source.name for source in one.sources] == [source.name for source in other.sources]
        assert [source.kind for source in one.sources] == [source.kind for source in other.sources]
        assert [source.clean for source in one.sources] == [source.clean for source in other.sources]
        np.testing.assert_allclose(one.load_mw, other.load_mw)  # type: ignore[arg-type]


@needs_pypsa
def test_a_network_made_by_hand_is_read() -> None:
    network = by_hand()
    case = from_network(network)
    assert [site.site for site in case.sites] == ["town"]
    (town,) = case.sites
    assert [source.name for source in town.sources] == ["sun", "plant", "standing"]
    assert town.sources[2].most_mw[0] == town.sources[2].least_mw[0] == 5.0
    assert solve_energy(case).cost_usd == pytest.approx(cost_in_pypsa(network), rel=SAME)


def by_hand() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pypsa
    network = pypsa.Network()
    network.set_snapshots(range(24))
    for carrier, tonnes in (("solar", 0.0), ("coal", 0.34)):
        network.add("Carrier", carrier, co2_emissions=tonnes)
    network.add("Bus", "town")
    network.add("Load", "town load", bus="town", p_set=[40.0 + hour for hour in range(24)])
    sunny = np.maximum(np.sin((np.arange(24) - 6.0) / 12.0 * np.pi), 0.0)
    network.add(
        "Generator",
        "sun",
        bus="town",
        carrier="solar",
        p_nom_extendable=True,
        capital_cost=90.0,
        p_max_pu=sunny,
    )
    network.add(
        "Generator", "plant", bus="town", carrier="coal", p_nom_extendable=True, capital_cost=300.0,
        marginal_cost=30.0, efficiency=0.4,
    )  # fmt: skip
    network.add("Generator", "standing", bus="town", p_nom=5.0, marginal_cost=10.0)
    network.add(
        "StorageUnit", "battery", bus="town", p_nom_extendable=True, capital_cost=60.0, max_hours=4.0,
        efficiency_store=0.9, efficiency_dispatch=0.95, cyclic_state_of_charge=True,
    )  # fmt: skip
    network.add(
        "GlobalConstraint", "co2", type="primary_energy", carrier_attribute="co2_emissions", sense="<=",
        constant=600.0,
    )  # fmt: skip
    return network


@needs_pypsa
def test_what_a_case_cannot_say_is_named() -> None:
    network = by_hand()
    network.add("Bus", "village")
    network.add("Line", "to the village", bus0="town", bus1="village", x=0.1, s_nom=10.0)
    network.add("Generator", "unit", bus="town", p_nom=10.0, committable=True)
    network.add("Link", "cable", bus0="town", bus1="village", p_nom_extendable=True)
    with pytest.raises(UserError, match="lines to the village; unit commitment of unit") as told:
        from_network(network)
    assert "link cable, which may be built between sites" in str(told.value)


@needs_pypsa
def test_what_a_network_cannot_say_is_refused_or_left_out(tmp_path: Path) -> None:
    outage = Outage("dark", ("grid",), 0, 3, 4)
    plant = source("engine", H, usd_mwh=70.0, least_share=0.4, start_usd_mw=20.0)
    more = {"reserve_share": 0.1, "outages": (outage,), "sources": (*here("x").sources, plant)}
    case = EnergyCase("more", (here("here", **more),))
    with pytest.raises(
        UserError, match="the reserve at here; the outages at here; minimum load and starts of engine"
    ):
        write_network(case, tmp_path / "no.nc")
    assert not list(tmp_path.iterdir())
    assert to_network(case, leave_out=True).generators.index.str.contains("engine:here").any()


@needs_pypsa
def test_periods_cycles_and_loads_are_asked_for() -> None:
    with pytest.raises(UserError, match="here has no load"):
        to_network(EnergyCase("none", (here("here", load_mw=None),)))
    days = replace(one_year(H), cycle=np.repeat([0, 1], 24))
    with pytest.raises(UserError, match="one period of one storage cycle"):
        to_network(EnergyCase("days", (here("here", time=days),)))


@needs_pypsa
def test_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"ending \.nc"):
        write_network(two_sites(24), tmp_path / "net.csv")
    with pytest.raises(UserError, match="no such network file"):
        read_network(tmp_path / "absent.nc")
    (tmp_path / "other.nc").write_text("no network")
    with pytest.raises(UserError, match="does not open as a PyPSA network"):
        read_network(tmp_path / "other.nc")


def test_without_pypsa_the_way_to_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(export.importlib, "import_module", absent)
    with pytest.raises(UserError, match=r"pip install 'gigawright\[pypsa\]'"):
        import_pypsa()
    with pytest.raises(UserError, match="PyPSA is not installed"):
        to_network(two_sites(24))
