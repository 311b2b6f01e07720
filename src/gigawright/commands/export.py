"""`gigawright export`: what we solved, for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

from gigawright.errors import UserError
from gigawright.terminal import say

if TYPE_CHECKING:
    from gigawright.facility.dispatch.case import EnergyCase

WHOLE_YEAR = 8760

app = App(name="export", help="Export an energy case to other tools.")


@app.command(name="pypsa")
def pypsa(run: Path, out: Path, /, *, hours: int = WHOLE_YEAR, leave_out: bool = False) -> None:
    """Write an energy case as a PyPSA network, which opens in PyPSA and costs the same there.

    PyPSA is an extra: pip install 'gigawright[pypsa]'.

    Parameters
    ----------
    run
        A folder that `gigawright energy` has written, a study's YAML file, or a CSV file of hourly profiles
        of the common sizing problem (SITE_pv_per_mw, SITE_wind_per_mw, SITE_price_usd_per_mwh).
    out
        The network file to write, ending in .nc.
    hours
        With a CSV file: its first so many hours.
    leave_out
        Leave out what a network cannot say (reserve, outages, plants' least load and starts) instead of
        refusing.
    """
    from gigawright.facility.dispatch.pypsa import import_pypsa, write_network
    from gigawright.facility.dispatch.pypsa_limits import cannot_hold

    import_pypsa()
    if hours != WHOLE_YEAR and run.suffix != ".csv":
        raise UserError(f"--hours is for a file of profiles; {run} holds its whole year")
    case = case_of(run, hours)
    write_network(case, out, leave_out)
    steps = case.sites[0].time.shape[1]
    say(f"wrote {out}: {len(case.sites)} site{'s' * (len(case.sites) != 1)}, {steps:,} hours")
    for left in cannot_hold(case):
        say(f"left out: {left}")


def case_of(run: Path, hours: int = WHOLE_YEAR) -> EnergyCase:
    """The energy case of a run's folder, a study file or a file of profiles. Raises UserError."""
    from gigawright.facility.dispatch.case_file import CASE_FILE, read_case

    if not run.exists():
        raise UserError(f"{run}: there is no such run, study or file of profiles")
    if run.is_dir():
        if not (run / CASE_FILE).is_file():
            raise UserError(
                f"{run} holds no energy case ({CASE_FILE}); `gigawright energy STUDY` writes one, "
                "or give the study file itself"
            )
        return read_case(run / CASE_FILE)
    if run.suffix in (".yaml", ".yml"):
        return _of_study(run)
    if run.suffix == ".csv":
        return _of_profiles(run, hours)
    if run.suffix == ".npz":
        return read_case(run)
    raise UserError(f"{run} is neither a run's folder nor a study (.yaml) nor a file of profiles (.csv)")


def _of_study(path: Path) -> EnergyCase:
    from gigawright.catalogue.resolve import resolve
    from gigawright.facility.powered import powered_study
    from gigawright.study.load import load_study

    study = load_study(path)
    return powered_study(study, resolve(study, study.as_of)).case


def _of_profiles(path: Path, hours: int) -> EnergyCase:
    from gigawright.facility.dispatch.common_problem import three_sites

    try:
        case = three_sites(path, hours)
    except (ValueError, KeyError) as error:
        said = f"it lacks the column {error}" if isinstance(error, KeyError) else error
        raise UserError(f"{path} is no file of hourly profiles that can be read: {said}") from None
    if not case.sites:
        raise UserError(f"{path} has no column that ends in _pv_per_mw")
    return case
