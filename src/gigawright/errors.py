"""What can go wrong, as a small tree.

GigawrightError                 exit code
  UserError                         2   something the user wrote or asked for
    UnitError                           a quantity that does not parse or has the wrong kind
    StudyError                          problems in a study file, all at once, each at its line
    CatalogueError                      a fact that is missing, malformed or unknown
    OutputError                         a place that cannot be written
  InfeasibleStudy                   3   no plan can keep every hard rule of the study
  InternalError                     4   the product broke a promise of its own
    SolverError                         the solver stopped without an answer
    CheckFailed                         a solution that breaks one of the planning rules
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class GigawrightError(Exception):
    """Any error this package raises on purpose; `exit_code` is what the command line returns."""

    exit_code = 1


class UserError(GigawrightError):
    """Something the user wrote or asked for, which the user can mend."""

    exit_code = 2


class UnitError(UserError, ValueError):
    """A quantity that does not parse, or that has another kind than the one asked for."""


class CatalogueError(UserError):
    """A fact that is missing, malformed or unknown."""


class OutputError(UserError):
    """A file or folder that cannot be written."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a study: where it stands, what was seen, what is allowed, what was perhaps meant."""

    path: str
    message: str
    file: str = "<study>"
    line: int = 0
    column: int = 0
    suggestion: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        hint = f" Did you mean {self.suggestion!r}?" if self.suggestion else ""
        return f"{place} {self.path}: {self.message}{hint}"


class StudyError(UserError):
    """Every problem found in a study, at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        head = f"{count} problem{'s' if count != 1 else ''} in the study"
        super().__init__("\n".join([head, *(f"  {problem}" for problem in self.problems)]))


class InfeasibleStudy(GigawrightError):
    """No plan can keep every hard rule; `clashes` names the rules and the smallest relaxation of each."""

    exit_code = 3

    def __init__(self, clashes: Sequence[str]) -> None:
        self.clashes = tuple(clashes)
        body = "\n".join(f"  {clash}" for clash in self.clashes)
        super().__init__(
            "no plan keeps every rule of this study. The smallest set of changes that would:\n" + body
        )


class InternalError(GigawrightError):
    """The product broke a promise of its own; please report it."""

    exit_code = 4


class SolverError(InternalError):
    """The solver stopped without an answer."""


class CheckFailed(InternalError):
    """A solution that breaks planning rules; each violation names the rule, the place and the amount."""

    def __init__(self, violations: Sequence[str]) -> None:
        self.violations = tuple(violations)
        shown = "\n".join(f"  {violation}" for violation in self.violations[:20])
        more = f"\n  ... and {len(self.violations) - 20} more" if len(self.violations) > 20 else ""
        super().__init__(f"the plan breaks {len(self.violations)} rule(s):\n{shown}{more}")
