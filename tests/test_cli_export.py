"""`gigawright export pypsa`: from a study, a run's folder and a file of profiles to a network file."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from tests.facility.dispatch.small_cases import two_sites

from gigawright import cli
from gigawright.commands.export import case_of
from gigawright.errors import UserError
from gigawright.facility.dispatch import pypsa as export
from gigawright.facility.dispatch.case_file import read_case, write_case
from gigawright.facility.dispatch.pypsa_read import read_network
from gigawright.facility.dispatch.solve import solve_energy

needs_pypsa = pytest.mark.skipif(
    importlib.util.find_spec("pypsa") is None,
    reason="PyPSA is not installed: pip install 'gigawright[pypsa]'",
)
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def profiles(folder: Path, hours: int = 24) -> Path:
    hour = np.arange(hours)
    columns = {
        "hour": hour,
        "here_pv_per_mw": np.maximum(np.sin((hour - 6.0) / 12.0 * np.pi), 0.0),
        "here_wind_per_mw": 0.3 + 0.2 * np.cos(hour),
        "here_price_usd_per_mwh": 60.0 + 20.0 * np.sin(hour / 4.0),
    }
    path = folder / "profiles.csv"
    table = np.stack(list(columns.values()), axis=1)
    np.savetxt(path, table, delimiter=",", header=",".join(columns), comments="")
    return path


@needs_pypsa
def test_profiles_become_a_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = profiles(tmp_path), tmp_path / "out.nc"
    assert cli.main(["export", "pypsa", str(source), str(out), "--hours", "20"]) == 0
    told = capsys.readouterr()
    assert f"wrote {out}: 1 site, 20 hours" in told.out.replace("\n", " ")
    assert "INFO" not in told.err
    ours, theirs = solve_energy(case_of(source, 20)), solve_energy(read_network(out))
    assert theirs.cost_usd == pytest.approx(ours.cost_usd, rel=1e-9)


@needs_pypsa
def test_a_runs_folder_becomes_a_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    case = two_sites(24, carbon_share=0.5)
    write_case(case, folder / "case.npz")
    assert cli.main(["export", "pypsa", str(folder), str(tmp_path / "out.nc")]) == 0
    assert "2 sites, 24 hours" in capsys.readouterr().out
    back = solve_energy(read_network(tmp_path / "out.nc"))
    assert back.cost_usd == pytest.approx(solve_energy(case).cost_usd, rel=1e-9)


def test_a_study_has_a_case(repository: Path) -> None:
    case = case_of(repository / "studies" / "first-hall.yaml")
    assert [site.site for site in case.sites] == ["abilene"]
    assert case.sites[0].load_mw is not None
    assert case.sites[0].load_mw.shape == (1, 8760)


def test_a_case_file_keeps_all(tmp_path: Path) -> None:
    case = two_sites(24, carbon_share=0.5)
    back = read_case(write_case(case, tmp_path / "case.npz"))
    assert back.name == case.name
    assert solve_energy(back).cost_usd == solve_energy(case).cost_usd
    assert back.sites[0].sources[2] is not None
    assert back.sites[1].time.periods == ("year",)
    assert np.isinf(back.sites[0].stores[0].most_mw).all()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("absent", None, "no such run"),
        ("notes.txt", "text", "neither a run's folder nor a study"),
        ("bad.npz", "text", "is no case file"),
        ("few.csv", "hour,price\n0,1\n", "has no column that ends in _pv_per_mw"),
    ],
)
def test_what_is_no_run_is_told(tmp_path: Path, name: str, content: str | None, told: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=told):
        case_of(tmp_path / name, 1)


def test_a_folder_without_a_case_names_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="`gigawright energy STUDY` writes one"):
        case_of(tmp_path)


def test_without_pypsa_the_way_to_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(export.importlib, "import_module", absent)
    assert cli.main(["export", "pypsa", str(profiles(tmp_path)), str(tmp_path / "out.nc")]) == 2
    assert "pip install 'gigawright[pypsa]'" in capsys.readouterr().err
