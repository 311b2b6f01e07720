"""Predicts a file of recommender rows into a file of predictions, a line for each row and in their order."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gigawright.catalogue.own import book_with
from gigawright.tables import write_text
from gigawright.workloads.batches import NOT_FINITE, Batch, line, silent
from gigawright.workloads.calibrated import Calibrated, file_names, read
from gigawright.workloads.recommender.constants import PRIORS
from gigawright.workloads.recommender.predictor import FAMILY, Predicted, calibration, predict_asks
from gigawright.workloads.recommender.rows import Row, read_rows
from gigawright.workloads.training.files import output_file

OUTPUTS = ("row", "value", "value_p10", "value_p90", "limited_by", "refused")
"""Columns that are written; values are in the row's own unit, p10 the smaller one whatever the unit."""


@dataclass(frozen=True)
class Answer:
    """A row with what became of it: a prediction, or in `refused` why there is none."""

    row: Row
    predicted: Predicted | None

    @property
    def refused(self) -> str:
        """Why there is no prediction; empty where there is one."""
        if self.predicted is None or self.predicted.refused:
            return self.row.refused if self.predicted is None else self.predicted.refused
        return "" if all(math.isfinite(number) and number > 0 for number in self.values) else NOT_FINITE

    @property
    def values(self) -> tuple[float, float, float]:
        """The middle, the 10th and the 90th percentile in the row's unit."""
        done, unit = self.predicted, self.row.unit
        if done is None or unit is None:
            return (math.nan, math.nan, math.nan)
        ask = done.ask
        told = (ask.accelerators, ask.candidates, done.batch)
        middle, low, high = (unit.value(pace, *told) for pace in (done.per_s, done.per_s_p10, done.per_s_p90))
        return middle, min(low, high), max(low, high)

    @property
    def assumed(self) -> tuple[str, ...]:
        """Inputs that were filled in; empty for a refused row."""
        return () if self.predicted is None or self.refused else self.predicted.ask.assumed

    @property
    def cells(self) -> dict[str, str]:
        """The line that is written, by column."""
        if self.refused or self.predicted is None:
            return {"row": self.row.key, "refused": self.refused}
        words = (self.predicted.limited_by, "")
        return line(OUTPUTS, self.row.key, self.values, words, self.assumed)


def predict_file(
    rows: Path,
    out: Path,
    *,
    catalogues: Sequence[Path] = (),
    calibrated: Path | None = None,
    notes: bool = False,
    told: Callable[[str], None] = silent,
) -> Batch[Answer]:
    """Predicts the recommender rows of a CSV file and writes the answers to `out`, whole or not at all.

    `catalogues` hold facts of one's own, `calibrated` is a folder with another calibration than the
    package's; `notes` adds the column `assumed`. A row that is wrong is refused with its reason and the
    others go on. Raises UserError for a file that cannot be read, and OutputError, before any work, for one
    that cannot be written.
    """
    own = () if calibrated is None else tuple(calibrated / name for name in file_names(FAMILY))
    target = output_file(out, (rows, *catalogues, *own))
    found = read_rows(rows, book_with(catalogues))
    known = calibration() if calibrated is None else read(calibrated, FAMILY, PRIORS)
    told(f"{len(found):,} rows read; predicting")
    batch = Batch(OUTPUTS, tuple(answered(found, known)))
    write_text(target, batch.text(notes=notes))
    return batch


def answered(rows: Sequence[Row], known: Calibrated) -> list[Answer]:
    """An answer for each row, in order."""
    done = iter(predict_asks([row.ask for row in rows if row.ask is not None], known))
    return [Answer(row, None if row.ask is None else next(done)) for row in rows]
