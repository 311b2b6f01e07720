"""The calibrated model on disk: constants, spreads of the hierarchy, and the runs they were fitted to.

`workloads/data/training_constants.csv` has a line for each constant and spread, `training_rows.csv` one for
each run with its levels, the shares of its parts, and what the constants leave of it. Written by `gigawright
calibrate`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.resources import files
from io import StringIO
from pathlib import Path

import numpy as np

from gigawright.arrays import Floats
from gigawright.errors import UserError
from gigawright.tables import write_text
from gigawright.workloads.training.constants import PRIORS, Constants
from gigawright.workloads.training.effects import KINDS, Effects, Known
from gigawright.workloads.training.run import Run
from gigawright.workloads.training.step import PARTS

CONSTANTS_FILE = "training_constants.csv"
ROWS_FILE = "training_rows.csv"

NOISES = ("dense", "MoE", "assumed")
"""Classes of measurement noise: a run's own, and what inputs that had to be assumed add."""

MISSING = ("nic_gbps", "scaleup_gbs")
"""Facts of a chip whose absence is assumed away, as `Run.assumed` names them."""

SCALES = ("noise, dense", "noise, MoE", "levels, dense", "levels, MoE")
"""What intervals are widened by, so that they cover runs left out: noise where the levels are known, and
levels.
"""

STANDARD_80 = 1.2816
"""Standard deviations from the middle of a normal distribution to its tenth and ninetieth percentiles."""


@dataclass(frozen=True)
class Calibration:
    """Constants, the hierarchy, standard deviations of noise by class, and the widening of intervals."""

    constants: Constants
    effects: Effects
    noises: Floats
    scales: Floats
    row_ids: tuple[str, ...]

    def spread(self, runs: list[Run], level_names: list[tuple[str, ...]], shares: Floats) -> Floats:
        """Half of the width between the 10th and 90th percentile of the logarithm of a prediction [runs]."""
        moe = np.array([run.model.is_moe for run in runs], dtype=int)
        noise = noise_variance(runs, self.noises)
        levels = self.effects.variance(level_names, shares)
        return interval(levels, noise, moe, self.scales)


def interval(levels: Floats, noise: Floats, moe: Floats | np.ndarray, scales: Floats) -> Floats:
    """Half width of the 80% interval of a logarithm: variances of levels and noise, each widened by its
    scale.
    """
    kind = np.asarray(moe, dtype=int)
    return np.asarray(STANDARD_80 * np.sqrt(scales[kind] ** 2 * noise + scales[2 + kind] ** 2 * levels))


def noise_classes(runs: list[Run]) -> Floats:
    """Which classes of noise runs have [classes, runs]."""
    moe = np.array([run.model.is_moe for run in runs], dtype=float)
    guessed = np.array([is_assumed(run) for run in runs], dtype=float)
    return np.stack([1 - moe, moe, guessed])


def noise_variance(runs: list[Run], noises: Floats) -> Floats:
    """Variance of the noise of each run [runs]."""
    return np.asarray((noises[:, None] ** 2 * noise_classes(runs)).sum(axis=0))


def is_assumed(run: Run) -> bool:
    """Whether an input that decides a step had to be assumed: the layout, the batch, its division."""
    return bool(
        {"layout", "batch", "accelerators", "micro_batch", "precision", "chunks", *MISSING} & set(run.assumed)
    )


@lru_cache(maxsize=1)
def calibration() -> Calibration:
    """The calibration that ships with the package.

    >>> calibration().constants.gemm > 0
    True
    """
    folder = files("gigawright.workloads") / "data"
    return parse((folder / CONSTANTS_FILE).read_text("utf-8"), (folder / ROWS_FILE).read_text("utf-8"))


def read(folder: Path) -> Calibration:
    """A calibration from a folder that `write` has written; UserError where a file is missing or unsound."""
    try:
        texts = [(folder / name).read_text("utf-8") for name in (CONSTANTS_FILE, ROWS_FILE)]
        found = parse(*texts)
        if not found.row_ids or not np.isfinite(found.effects.known.shares).all():
            raise ValueError("no rows, or numbers that are not finite")
    except OSError as error:
        raise UserError(f"{folder}: no calibration ({error.strerror}: {error.filename})") from error
    except (KeyError, ValueError, TypeError) as error:
        raise UserError(
            f"{folder}: no calibration that this version reads ({error}); "
            "write it anew with `gigawright calibrate training`"
        ) from error
    return found


def parse(constants: str, rows: str) -> Calibration:
    """A calibration from the text of its two files."""
    values = {(row["kind"], row["name"]): float(row["value"]) for row in csv.DictReader(StringIO(constants))}
    table = list(csv.DictReader(StringIO(rows)))
    known = Known(
        levels=[tuple(row[kind] for kind in KINDS) for row in table],
        shares=np.array([[float(row[f"share of {part}"]) for part in PARTS] for row in table]),
        residual=np.array([float(row["residual"]) for row in table]),
        noise=np.array([float(row["noise"]) for row in table]),
    )
    kinds = np.array([values["level", kind] for kind in KINDS])
    parts = np.array([values["part", part] for part in PARTS])
    return Calibration(
        constants=Constants(**{name: values["constant", name] for name in PRIORS}),
        effects=Effects(known, np.outer(kinds, parts) ** 2),
        noises=np.array([values["noise", name] for name in NOISES]),
        scales=np.array([values["interval", name] for name in SCALES]),
        row_ids=tuple(row["row_id"] for row in table),
    )


def write(folder: Path, found: Calibration, kinds: Floats, parts: Floats) -> None:
    """Both files of a calibration, each at once or not at all."""
    write_text(folder / CONSTANTS_FILE, _text(_constant_lines(found, kinds, parts)))
    write_text(folder / ROWS_FILE, _text(_row_lines(found)))


def _constant_lines(found: Calibration, kinds: Floats, parts: Floats) -> Iterable[Mapping[str, object]]:
    values = asdict(found.constants)
    for name, prior in PRIORS.items():
        yield _line("constant", name, values[name], prior.unit, prior.value, prior.meaning, prior.source)
    for name, value in zip(KINDS, kinds, strict=True):
        yield _line(
            "level",
            name,
            value,
            "1",
            "",
            "standard deviation of a level's effect, times that of the part",
            "",
        )
    for name, value in zip(PARTS, parts, strict=True):
        yield _line("part", name, value, "1", 1.0, "standard deviation of effects on this part of a step", "")
    for name, value in zip(NOISES, found.noises, strict=True):
        yield _line("noise", name, value, "1", "", "standard deviation of a measurement around the model", "")
    for name, value in zip(SCALES, found.scales, strict=True):
        yield _line("interval", name, value, "1", 1.0, "widens intervals to cover 80% of runs left out", "")


def _line(
    kind: str, name: str, value: float, unit: str, prior: float | str, meaning: str, source: str
) -> Mapping[str, object]:
    return {
        "kind": kind,
        "name": name,
        "value": f"{float(value):.6g}",
        "unit": unit,
        "prior": prior,
        "meaning": meaning,
        "source": source or "fitted by maximum marginal likelihood; see docs/training.md",
    }


def _row_lines(found: Calibration) -> Iterable[Mapping[str, object]]:
    known = found.effects.known
    for place, row_id in enumerate(found.row_ids):
        line: dict[str, object] = {"row_id": row_id}
        line |= dict(zip(KINDS, known.levels[place], strict=True))
        line |= {f"share of {p}": f"{s:.5f}" for p, s in zip(PARTS, known.shares[place], strict=True)}
        line |= {"residual": f"{known.residual[place]:.5f}", "noise": f"{known.noise[place]:.6f}"}
        yield line


def _text(lines: Iterable[Mapping[str, object]]) -> str:
    rows = list(lines)
    out = StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
