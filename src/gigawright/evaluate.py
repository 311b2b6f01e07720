"""One study, one day of knowledge: the stages composed once, on one page."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gigawright.catalogue.resolve import Catalogue
    from gigawright.facility.size import SiteHours
    from gigawright.plan.numbers import Preparation
    from gigawright.plan.solution import Plan
    from gigawright.study.model import Study
    from gigawright.workloads.predict import Performance

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    """Everything one evaluation found, each stage's answer beside what it was made from."""

    study: Study
    as_of: dt.date | None
    catalogue: Catalogue
    performance: Performance
    facilities: Mapping[str, SiteHours]
    preparation: Preparation
    plan: Plan
    seconds: Mapping[str, float]


def evaluate(
    study: Study,
    as_of: dt.date | None = None,
    progress: Progress = lambda text: None,
    processes: int = 1,
) -> Result:
    """Resolve, predict, size, optimise and check a study with the knowledge of `as_of`.

    `processes` may work on sites side by side; the answer is the same.
    Raises StudyError where the study names what the catalogue does not know, InfeasibleStudy where no plan
    keeps its hard rules, CheckFailed where a solution breaks a rule.
    """
    from gigawright.catalogue.resolve import resolve
    from gigawright.facility.size import size
    from gigawright.facility.steps import SteppedYear
    from gigawright.plan.check import check
    from gigawright.plan.numbers import Preparation, prepare
    from gigawright.plan.optimise import optimise
    from gigawright.workloads.predict import predict

    _refuse_without_a_programme(study)
    clock = _Clock(progress)
    clock.start("finding the facts")
    catalogue = resolve(study, as_of)
    clock.start("predicting workloads on systems")
    performance = predict(study, catalogue, progress)
    clock.start("weather, cooling, sun and wind of the sites")
    facilities = {name: size(site) for name, site in catalogue.sites.items()}
    domestic = [plan.site for plan in study.sites if plan.domestic_only]
    steps = SteppedYear(facilities, catalogue, study.horizon.quarters, domestic)
    clock.start("preparing the numbers")
    preparation = Preparation(study, catalogue, performance, facilities)
    problem = prepare(preparation, steps.days())
    clock.start("optimising")
    plan = optimise(problem, preparation, steps, progress, processes)
    clock.start("checking every rule on the solution")
    check(study, catalogue, performance, facilities, plan.tables, summary=plan.summary)
    return Result(study, as_of, catalogue, performance, facilities, preparation, plan, clock.stop())


def _refuse_without_a_programme(study: Study) -> None:
    """A study of energy alone may leave out what a plan cannot do without."""
    from gigawright.errors import Problem, StudyError

    file = study._source.file if study._source is not None else "<study>"
    missing = study.missing_for_a_plan
    hint = "`gigawright energy` powers a study's sites without it"
    if missing:
        raise StudyError([Problem(name, f"a plan needs it; {hint}", file) for name in missing])


class _Clock:
    """Seconds of each stage, told as it starts."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._seconds: dict[str, float] = {}
        self._stage = ""
        self._since = time.perf_counter()

    def start(self, stage: str) -> None:
        """End the running stage and begin another."""
        self.stop()
        self._stage, self._since = stage, time.perf_counter()
        self._progress(stage)

    def stop(self) -> dict[str, float]:
        """End the running stage; all seconds so far."""
        if self._stage:
            self._seconds[self._stage] = time.perf_counter() - self._since
            self._stage = ""
        return self._seconds
