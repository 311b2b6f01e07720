"""Predicts a file of serving rows into a file of predictions, a line for each row and in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gigawright.catalogue.own import book_with
from gigawright.tables import write_text
from gigawright.workloads.batches import Batch, finite, line, silent
from gigawright.workloads.calibrated import Calibrated, file_names, read
from gigawright.workloads.serving.constants import PRIORS
from gigawright.workloads.serving.predictor import FAMILY, Predicted, predict_services
from gigawright.workloads.serving.rows import FORMS, Row
from gigawright.workloads.serving.rows import read as read_table
from gigawright.workloads.training.files import output_file

BANDS = ("", "_p10", "_p90")
"""Suffixes of a prediction and of the ends of its interval."""

LATENCIES = ("ttft_ms", "tpot_ms")
THROUGHPUT = ("output_tok_s_per_gpu", "ttft_ms")

VALUES: Mapping[str, tuple[str, ...]] = {"silicon": LATENCIES, "published": THROUGHPUT, "latency": LATENCIES}
"""What is predicted of the rows of each form; each with the suffixes of `BANDS`."""

ENDS = ("limited_by", "refused")
"""The last columns: the part that takes most time, and the reason where there is no prediction."""


def outputs(form: str) -> tuple[str, ...]:
    """Columns that are written for rows of a form.

    >>> outputs("silicon")[:4]
    ('id', 'ttft_ms', 'ttft_ms_p10', 'ttft_ms_p90')
    """
    return (FORMS[form].key, *(f"{name}{band}" for name in VALUES[form] for band in BANDS), *ENDS)


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
        """Inputs that were filled in; empty for a refused row."""
        return () if self.predicted is None or self.refused else self.predicted.service.assumed

    @property
    def cells(self) -> dict[str, str]:
        """The line that is written, by column; those that it lacks are empty."""
        columns = outputs(self.row.form)
        if self.refused or self.predicted is None:
            return {columns[0]: self.row.key, "refused": self.refused}
        words = (self.predicted.limited_by, "")
        return line(columns, self.row.key, self._numbers(self.predicted), words, self.assumed)

    def _numbers(self, one: Predicted) -> tuple[float, ...]:
        """The numbers of a line in the order of `VALUES`."""
        found = {
            "ttft_ms": (one.ttft_s * 1e3, one.ttft_s_p10 * 1e3, one.ttft_s_p90 * 1e3),
            "tpot_ms": (one.tpot_s * 1e3, one.tpot_s_p10 * 1e3, one.tpot_s_p90 * 1e3),
            "output_tok_s_per_gpu": (one.tokens_per_s, one.tokens_per_s_p10, one.tokens_per_s_p90),
        }
        return tuple(number for name in VALUES[self.row.form] for number in found[name])


def predict_file(
    rows: Path,
    out: Path,
    *,
    catalogues: Sequence[Path] = (),
    calibrated: Path | None = None,
    notes: bool = False,
    told: Callable[[str], None] = silent,
) -> Batch[Answer]:
    """Predicts every row of a CSV file of serving rows and writes the answers to `out`, whole or not at all.

    The form is told by the file's columns (see `rows.FORMS`). `catalogues` hold facts of one's own,
    `calibrated` is a folder with another calibration than the package's; `notes` adds the column `assumed`. A
    row that is wrong is refused with its reason and the others go on. Raises UserError for a file that cannot
    be read, and OutputError, before any work, for one that cannot be written.
    """
    own = [] if calibrated is None else [calibrated / name for name in file_names(FAMILY)]
    target = output_file(out, (rows, *catalogues, *own))
    form, found = read_table(rows, book_with(catalogues))
    known = None if calibrated is None else read(calibrated, FAMILY, PRIORS)
    told(f"{len(found):,} rows read; predicting")
    batch = Batch(outputs(form), tuple(answered(found, known)))
    write_text(target, batch.text(notes=notes))
    return batch


def answered(rows: Sequence[Row], known: Calibrated | None = None) -> list[Answer]:
    """An answer for each row, in order; all are predicted at once. None: the package's own calibration."""
    done = iter(predict_services([row.service for row in rows if row.service is not None], known=known))
    return [Answer(row, None if row.service is None else next(done)) for row in rows]
