"""Predicts a file of sites into a file of reported PUE and WUE, a line for each row and in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gigawright.facility.reported.predictor import HEAPS, Known, Predicted, calibration, predict, read_known
from gigawright.facility.reported.rows import Row, read_rows
from gigawright.tables import write_text
from gigawright.workloads.batches import Batch, line, silent
from gigawright.workloads.calibrated import file_names
from gigawright.workloads.training.files import output_file

OUTPUTS = ("id", "pue", "pue_p10", "pue_p90", "wue_l_per_kwh", "refused")
"""Columns that are written."""


@dataclass(frozen=True)
class Answer:
    """A row with what became of it: a prediction, or in the row why there is none."""

    row: Row
    predicted: Predicted | None

    @property
    def refused(self) -> str:
        """Why there is no prediction; empty where there is one."""
        return self.row.refused

    @property
    def assumed(self) -> Sequence[str]:
        """Inputs that were filled in."""
        return self.row.assumed

    @property
    def cells(self) -> dict[str, str]:
        """The line that is written, by column."""
        if self.predicted is None:
            return {"id": self.row.key, "refused": self.refused}
        done = self.predicted
        numbers = (done.pue, done.pue_p10, done.pue_p90, float(f"{done.wue_l_per_kwh:.3g}"))
        return line(OUTPUTS, self.row.key, numbers, ("",), self.assumed)


def predict_file(
    rows: Path,
    out: Path,
    *,
    calibrated: Path | None = None,
    notes: bool = False,
    told: Callable[[str], None] = silent,
) -> Batch[Answer]:
    """Predicts the sites of a CSV file and writes the answers to `out`, whole or not at all.

    `calibrated` is a folder with another calibration than the package's; `notes` adds the column `assumed`. A
    row that is wrong, or has no place, is refused with its reason and the others go on. Raises UserError for
    a file that cannot be read, and OutputError, before any work, for one that cannot be written.
    """
    names = (*file_names("pue"), *file_names("wue"), HEAPS)
    own = () if calibrated is None else tuple(calibrated / name for name in names)
    target = output_file(out, (rows, *own))
    found = read_rows(rows)
    known = calibration() if calibrated is None else read_known(calibrated)
    told(f"{len(found):,} rows read; predicting")
    batch = Batch(OUTPUTS, tuple(answered(found, known)))
    write_text(target, batch.text(notes=notes))
    return batch


def answered(rows: Sequence[Row], known: Known) -> list[Answer]:
    """An answer for each row, in order."""
    done = iter(predict([row.asked for row in rows if row.asked is not None], known))
    return [Answer(row, None if row.asked is None else next(done)) for row in rows]
