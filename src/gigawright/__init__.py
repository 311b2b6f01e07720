"""gigawright: plan AI infrastructure programmes.

    import gigawright as gw
    study = gw.load_study("studies/first-hall.yaml")

Names are loaded when first used, so that `import gigawright` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from gigawright.catalogue.resolve import resolve as resolve
    from gigawright.errors import GigawrightError as GigawrightError
    from gigawright.errors import StudyError as StudyError
    from gigawright.errors import UserError as UserError
    from gigawright.evaluate import Result as Result
    from gigawright.pipeline import Run as Run
    from gigawright.pipeline import run as run
    from gigawright.report import write_report as write_report
    from gigawright.study.load import load_study as load_study
    from gigawright.workloads.predict import predict as predict

_HOMES = {
    "GigawrightError": "gigawright.errors",
    "StudyError": "gigawright.errors",
    "UserError": "gigawright.errors",
    "Result": "gigawright.evaluate",
    "Run": "gigawright.pipeline",
    "load_study": "gigawright.study.load",
    "predict": "gigawright.workloads.predict",
    "resolve": "gigawright.catalogue.resolve",
    "run": "gigawright.pipeline",
    "write_report": "gigawright.report",
}

__all__ = [
    "GigawrightError",
    "Result",
    "Run",
    "StudyError",
    "UserError",
    "__version__",
    "load_study",
    "predict",
    "resolve",
    "run",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its home when it is first used."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'gigawright' has no attribute {name!r}; it has {', '.join(__all__)}")
    from importlib import import_module

    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
