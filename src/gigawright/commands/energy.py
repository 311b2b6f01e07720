"""`gigawright energy`: a study's sites powered alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gigawright.errors import InfeasibleStudy, SolverError, UserError

if TYPE_CHECKING:
    from gigawright.study.model import Study


def energy(
    study: Path,
    *,
    out: Path | None = None,
    way: Literal["auto", "exact", "weeks", "split", "whole"] = "auto",
    gap: float = 1e-4,
) -> None:
    """Size and dispatch a study's energy alone, every hour of a year, and write tables and a page.

    Parameters
    ----------
    study
        The study's YAML file; `energy.loads` says what to power, else the halls that stand at each site.
    out
        Folder to write; default: runs/NAME-energy beside where you are.
    way
        How it is solved: every hour by the fast dispatch (exact), representative weeks (weeks), a linear
        problem a site (split) or one over all (whole); auto: the first but weeks that the case allows.
    gap
        Distance to the proven bound that is good enough, as a share of the cost.
    """
    from gigawright.linear import Infeasible
    from gigawright.pipeline import power
    from gigawright.study.load import load_study
    from gigawright.terminal import Telling
    from gigawright.terminal_energy import tell_energy

    if not 0.0 < gap < 1.0:
        raise UserError(f"--gap {gap:g}: a share of the cost, above 0 and below 1, such as 1e-4")
    read = load_study(study)
    folder = out or Path("runs") / f"{study.stem}-energy"
    try:
        with Telling() as telling:
            done = power(read, folder, telling, os.cpu_count() or 1, way, gap)
    except Infeasible as error:
        if clashes := _what_clashes(read):
            raise InfeasibleStudy(clashes) from None
        said = f"--way {way} found no dispatch ({error}), yet there is one that keeps every rule"
        raise SolverError(f"{said}: try --way split, or a smaller --gap") from None
    tell_energy(done)


WORDS = {
    "carried": "`energy.outages`: {amount:,.0f} {unit} less to be carried at {site} ({rule})",
    "reserve": "`energy.reserve`: {amount:,.0f} {unit} less at {site} over the year",
    "clean_share": "`energy.clean_share`: {amount:,.0f} {unit} more of grey power at {site}",
    "carbon": "`energy.carbon_limit`: {amount:,.0f} {unit} more over the year",
}


def _what_clashes(study: Study) -> list[str]:
    """The least that must give way, in the study's words."""
    from gigawright.catalogue.resolve import resolve
    from gigawright.facility.dispatch.solve import least_relaxation
    from gigawright.facility.powered import powered_study

    case = powered_study(study, resolve(study, study.as_of)).case
    return [
        next(words for rule, words in WORDS.items() if found.rule.startswith(rule)).format(**vars(found))
        for found in least_relaxation(case)
    ]
