"""A calibrated formula on disk: constants, spreads of the hierarchy, and the rows they were fitted to.

`workloads/data/<family>_constants.csv` has a line for each constant and spread, `<family>_rows.csv` one for
each measured row with its levels, the shares of its parts, and what the constants leave of it; or, for a
family with thousands, as few that say the same.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from io import StringIO
from pathlib import Path

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.errors import UserError
from gigawright.tables import write_text
from gigawright.workloads.calibrating import Fit, LeftOut, Problem, half_width
from gigawright.workloads.hierarchy import Hierarchy, Names, Observations
from gigawright.workloads.priors import Prior

FITTED = "fitted by expectation maximisation; see docs/serving.md"


@dataclass(frozen=True)
class Calibrated:
    """Constants, the hierarchy, noise by class [classes], and the widening of intervals [2, classes]."""

    kinds: tuple[str, ...]
    parts: tuple[str, ...]
    classes: tuple[str, ...]
    constants: Mapping[str, float]
    hierarchy: Hierarchy
    noises: Floats
    scales: Floats

    def half_width(self, levels: Names, shares: Floats, classes: Ints) -> Floats:
        """Half of the width between the 10th and 90th percentile of the logarithm of a prediction [N]."""
        found = LeftOut(
            logs=np.zeros(len(levels)),
            levels=self.hierarchy.variance(levels, shares),
            noise=np.asarray(self.noises[classes] ** 2),
        )
        return half_width(found, classes, self.scales)


def calibrated(problem: Problem, fitted: Fit, classes: Sequence[str], scales: Floats) -> Calibrated:
    """What is kept of a fit; `classes` name the kinds of noise."""
    return Calibrated(
        kinds=problem.kinds,
        parts=problem.parts,
        classes=tuple(classes),
        constants=problem.constants(fitted.variables),
        hierarchy=fitted.hierarchy(problem),
        noises=fitted.noises,
        scales=scales,
    )


def compressed(found: Calibrated) -> Calibrated:
    """The same with as few rows as say it: for families with thousands."""
    hierarchy = Hierarchy(found.hierarchy.variances, found.hierarchy.known.compressed())
    return replace(found, hierarchy=hierarchy)


def shipped(family: str, priors: Mapping[str, Prior]) -> Calibrated:
    """The calibration of a family that ships with the package."""
    folder = files("gigawright.workloads") / "data"
    texts = [(folder / name).read_text("utf-8") for name in file_names(family)]
    return parse(texts[0], texts[1], priors)


def file_names(family: str) -> tuple[str, str]:
    """Names of a family's two files: constants, and rows."""
    return f"{family}_constants.csv", f"{family}_rows.csv"


def read(folder: Path, family: str, priors: Mapping[str, Prior]) -> Calibrated:
    """A calibration from a folder that `write` has written; UserError where a file is missing or unsound."""
    try:
        texts = [(folder / name).read_text("utf-8") for name in file_names(family)]
        found = parse(texts[0], texts[1], priors)
        _sound(found)
    except OSError as error:
        raise UserError(f"{folder}: no calibration ({error.strerror}: {error.filename})") from error
    except (KeyError, ValueError, TypeError, csv.Error) as error:
        raise UserError(
            f"{folder}: no calibration that this version reads ({error}); "
            f"write it anew with `gigawright calibrate {family}`"
        ) from error
    return found


def _sound(found: Calibrated) -> None:
    """Raises ValueError where there are no rows, or numbers that no fit gives."""
    known = found.hierarchy.known
    positive = (known.noise, found.hierarchy.variances, found.noises, found.scales)
    any_sign = (known.shares, known.residual, np.array(list(found.constants.values())))
    if not known.levels or not all(np.isfinite(table).all() for table in (*positive, *any_sign)):
        raise ValueError("no rows, or numbers that are not finite")
    if not all((table > 0).all() for table in positive):
        raise ValueError("a spread, noise or widening that is not above 0")


def parse(constants: str, rows: str, priors: Mapping[str, Prior]) -> Calibrated:
    """A calibration from the text of its two files."""
    lines = list(csv.DictReader(StringIO(constants)))
    values = {(line["kind"], line["name"]): float(line["value"]) for line in lines}
    classes = tuple(line["name"] for line in lines if line["kind"] == "noise")
    widened = {line["name"] for line in lines if line["kind"] == "widening"}
    if widened != {f"{of}, {name}" for of in OF for name in classes}:
        raise ValueError(f"classes of noise {classes} are not those widened: {sorted(widened)}")
    spreads = [line["name"].split(" | ") for line in lines if line["kind"] == "spread"]
    kinds = tuple(dict.fromkeys(kind for kind, _ in spreads))
    parts = tuple(dict.fromkeys(part for _, part in spreads))
    table = list(csv.DictReader(StringIO(rows)))
    known = Observations(
        levels=[tuple(row[kind] for kind in kinds) for row in table],
        shares=np.array([[float(row[f"share of {part}"] or 0) for part in parts] for row in table]),
        residual=np.array([float(row["residual"]) for row in table]),
        noise=np.array([float(row["noise"]) for row in table]),
    )
    variances = np.array([[values["spread", f"{kind} | {part}"] ** 2 for part in parts] for kind in kinds])
    return Calibrated(
        kinds=kinds,
        parts=parts,
        classes=classes,
        constants={name: values["constant", name] for name in priors},
        hierarchy=Hierarchy(variances, known),
        noises=np.array([values["noise", name] for name in classes]),
        scales=np.array([[values["widening", f"{of}, {name}"] for name in classes] for of in OF]),
    )


OF = ("noise", "levels")
"""What is widened of an interval."""


def write(
    folder: Path, family: str, found: Calibrated, priors: Mapping[str, Prior], row_ids: Sequence[str]
) -> None:
    """Both files of a calibration, each at once or not at all."""
    names = file_names(family)
    write_text(folder / names[0], _text(_constant_lines(found, priors)))
    write_text(folder / names[1], _text(_row_lines(found, row_ids)))


def _constant_lines(found: Calibrated, priors: Mapping[str, Prior]) -> Iterable[Mapping[str, object]]:
    for name, prior in priors.items():
        told = (prior.unit, prior.value, prior.meaning, prior.source)
        yield _line("constant", name, found.constants[name], *told)
    for kind, row in zip(found.kinds, found.hierarchy.variances, strict=True):
        for part, variance in zip(found.parts, row, strict=True):
            meaning = f"standard deviation of what a {kind} adds to {part}"
            yield _line("spread", f"{kind} | {part}", float(variance) ** 0.5, "1", "", meaning, FITTED)
    for name, value in zip(found.classes, found.noises, strict=True):
        meaning = "standard deviation of a measurement around the model"
        yield _line("noise", name, float(value), "1", "", meaning, FITTED)
    for of, row in zip(OF, found.scales, strict=True):
        for name, value in zip(found.classes, row, strict=True):
            meaning = "widens intervals to cover 80% of rows left out"
            yield _line("widening", f"{of}, {name}", float(value), "1", 1.0, meaning, FITTED)


def _line(
    kind: str, name: str, value: float, unit: str, prior: float | str, meaning: str, source: str
) -> Mapping[str, object]:
    told = (kind, name, f"{value:.6g}", unit, prior, meaning, source)
    return dict(zip(("kind", "name", "value", "unit", "prior", "meaning", "source"), told, strict=True))


def _row_lines(found: Calibrated, row_ids: Sequence[str]) -> Iterable[Mapping[str, object]]:
    known = found.hierarchy.known
    for place, (row_id, levels) in enumerate(zip(row_ids, known.levels, strict=True)):
        line: dict[str, object] = {"row": row_id}
        line |= dict(zip(found.kinds, levels, strict=True))
        shares = zip(found.parts, known.shares[place], strict=True)
        line |= {f"share of {part}": f"{share:.5g}" if share else "" for part, share in shares}
        line |= {"residual": f"{known.residual[place]:.5g}", "noise": f"{known.noise[place]:.5g}"}
        yield line


def _text(lines: Iterable[Mapping[str, object]]) -> str:
    rows = list(lines)
    out = StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
