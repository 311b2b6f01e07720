"""Predicts a file of training runs into a file of predictions, a line for each row and in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from gigawright.catalogue.own import book_with
from gigawright.tables import write_text
from gigawright.units import GIBIBYTE
from gigawright.workloads import batches
from gigawright.workloads.batches import finite, line, silent
from gigawright.workloads.training.calibration import (
    CONSTANTS_FILE,
    ROWS_FILE,
    Calibration,
    calibration,
    read,
)
from gigawright.workloads.training.effects import KINDS, UNSEEN, levels
from gigawright.workloads.training.files import output_file
from gigawright.workloads.training.gemm_table import GemmTable
from gigawright.workloads.training.gemm_table import read as read_products
from gigawright.workloads.training.predictor import Predicted, predict_runs
from gigawright.workloads.training.rows import Row, read_rows

OUTPUTS = (
    *("row_id", "step_time_s", "tokens_per_s_per_accel", "tokens_per_s_per_accel_p10"),
    *("tokens_per_s_per_accel_p90", "mfu", "memory_gib", "fits", "limited_by", "refused"),
)
"""Columns that are written. `fits` is true or false; a refused row has its reason and nothing else."""

TOLD_KINDS = ("chip", "site", "release")
"""Kinds of level of which it is told how many rows have one that was never measured."""


@dataclass(frozen=True)
class Answer:
    """A row with what became of it: a prediction, or in `refused` why there is none."""

    row: Row
    predicted: Predicted | None

    @property
    def refused(self) -> str:
        """Why there is no prediction; empty where there is one."""
        if self.predicted is None:
            return self.row.refused
        return self.predicted.refused or finite(self._numbers(self.predicted))

    @property
    def assumed(self) -> tuple[str, ...]:
        """Inputs and facts of the chip that were filled in; empty for a refused row."""
        if self.predicted is None or self.refused:
            return ()
        run = self.predicted.run
        return run.assumed if run.chip.cores else (*run.assumed, "cores")

    @property
    def cells(self) -> dict[str, str]:
        """The line that is written, by column; those that it lacks are empty."""
        if self.refused or self.predicted is None:
            return {"row_id": self.row.row_id, "refused": self.refused}
        words = (str(self.predicted.fits).lower(), self.predicted.limited_by, "")
        return line(OUTPUTS, self.row.row_id, self._numbers(self.predicted), words, self.assumed)

    @staticmethod
    def _numbers(one: Predicted) -> tuple[float, ...]:
        """The numbers of a line in the order of `OUTPUTS`."""
        paces = (one.tokens_per_s, one.tokens_per_s_p10, one.tokens_per_s_p90)
        return one.step_s, *paces, one.mfu, one.memory_bytes / GIBIBYTE


@dataclass(frozen=True)
class Batch(batches.Batch[Answer]):
    """All rows of a file, answered by a calibration."""

    known: Calibration

    @cached_property
    def too_large(self) -> int:
        """How many predicted rows do not fit the memory of their accelerators."""
        return sum(answer.cells.get("fits") == "false" for answer in self.answers)

    @cached_property
    def unmeasured(self) -> dict[str, int]:
        """Predicted rows whose level of a kind was never measured, so that the level above speaks for it."""
        rows = [levels(a.row.run) for a in self.answers if a.row.run is not None and not a.refused]
        counts = {}
        for kind in TOLD_KINDS:
            place = KINDS.index(kind)
            measured = {row[place] for row in self.known.effects.known.levels} - {"", UNSEEN}
            counts[kind] = sum(
                row[place] not in measured and place in self.known.effects.open_kinds(row) for row in rows
            )
        return {kind: count for kind, count in counts.items() if count}


def predict_file(
    runs: Path,
    out: Path,
    *,
    catalogues: Sequence[Path] = (),
    calibrated: Path | None = None,
    gemm: Path | None = None,
    notes: bool = False,
    told: Callable[[str], None] = silent,
) -> Batch:
    """Predicts every row of a CSV file of runs and writes the answers to `out`, whole or not at all.

    `catalogues` hold facts of one's own, `calibrated` is a folder with another calibration than the
    package's; `gemm` a table of products measured on the accelerator of all rows; `notes` adds the column
    `assumed`. A row that is wrong is refused with its reason and the others go on. Raises UserError for a
    file that cannot be read, and OutputError, before any work, for one that cannot be written.
    """
    own = () if calibrated is None else (calibrated / CONSTANTS_FILE, calibrated / ROWS_FILE)
    target = output_file(out, (runs, *catalogues, *own, *([] if gemm is None else [gemm])))
    rows = read_rows(runs, book_with(catalogues))
    if gemm is not None:
        rows = _measured(rows, read_products(gemm))
    known = calibration() if calibrated is None else read(calibrated)
    told(f"{len(rows):,} rows read; predicting")
    batch = Batch(OUTPUTS, tuple(answered(rows, known)), known)
    write_text(target, batch.text(notes=notes))
    return batch


def _measured(rows: Sequence[Row], table: GemmTable) -> list[Row]:
    """The rows with products as this table has them; UserError where their chip cannot be so fast."""
    for chip in {row.run.chip.id: row.run.chip for row in rows if row.run is not None}.values():
        table.check_against(chip)
    return [row if row.run is None else replace(row, run=replace(row.run, gemm=table)) for row in rows]


def answered(rows: Sequence[Row], known: Calibration) -> list[Answer]:
    """An answer for each row, in order; all are predicted at once."""
    done = iter(predict_runs([row.run for row in rows if row.run is not None], known=known))
    return [Answer(row, None if row.run is None else next(done)) for row in rows]
