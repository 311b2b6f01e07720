"""`gigawright predict`: how fast work runs, and what sites report, without a plan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

if TYPE_CHECKING:
    from gigawright.workloads.batches import Counted

app = App(name="predict", help="Predict without planning: a study's workloads, or the rows of a file.")


@app.command(name="study")
def study(study: Path, *, as_of: str | None = None) -> None:
    """Work a second and watts of an accelerator, for every phase and system of a study, and what limits it.

    Parameters
    ----------
    study
        The study's YAML file.
    as_of
        Use only what was known on that day (YYYY-MM-DD).
    """
    from gigawright.catalogue.lookup import day
    from gigawright.catalogue.resolve import resolve
    from gigawright.study.load import load_study
    from gigawright.terminal import tell_performance
    from gigawright.workloads.predict import predict as predict_workloads

    read = load_study(study)
    tell_performance(predict_workloads(read, resolve(read, day(as_of))))


@app.command(name="training")
def training(
    runs: Path,
    *,
    out: Path,
    catalogue: tuple[Path, ...] = (),
    calibration: Path | None = None,
    gemm: Path | None = None,
    notes: bool = False,
) -> None:
    """Seconds of a step, pace with its interval, MFU, memory and limit of every training run of a CSV file.

    One line a row is written, in order. A row that is wrong or impossible has its reason in the column
    `refused`, and is no error: the exit code is 0 wherever the file itself could be read.

    Parameters
    ----------
    runs
        A CSV file with at least row_id, model, accelerator, n_accel, seq_len and precision.
    out
        The CSV file to write.
    catalogue
        A CSV file of facts in the catalogue's format, such as your own accelerator's; may be repeated.
    calibration
        A folder that `gigawright calibrate training` has written; default: the package's own.
    gemm
        A CSV file of matrix products measured on the machine: m, n, k, precision, tflops or seconds.
    notes
        Add the column `assumed`: what had to be filled in of the row and of its accelerator.
    """
    from gigawright.terminal import Telling, tell_runs
    from gigawright.workloads.training.batch import predict_file

    with Telling() as telling:
        batch = predict_file(
            runs, out, catalogues=catalogue, calibrated=calibration, gemm=gemm, notes=notes, told=telling
        )
    tell_runs(batch, out)


@app.command
def serving(
    rows: Path,
    *,
    out: Path,
    catalogue: tuple[Path, ...] = (),
    calibration: Path | None = None,
    notes: bool = False,
) -> None:
    """First token, further tokens or pace of the served models of a CSV file, with intervals and limit.

    One line a row is written, in order. A row that is wrong or impossible has its reason in the column
    `refused`, and is no error: the exit code is 0 wherever the file itself could be read.

    Parameters
    ----------
    rows
        A CSV file with the columns of configurations of engines (key `id`), of published throughput (key
        `row`) or of latency runs (key `exp_id`); what is missing is told by name.
    out
        The CSV file to write.
    catalogue
        A CSV file of facts in the catalogue's format, such as your own accelerator's; may be repeated.
    calibration
        A folder that `gigawright calibrate serving` has written; default: the package's own.
    notes
        Add the column `assumed`: what had to be filled in of the row.
    """
    from gigawright.workloads.serving.batch import predict_file

    _answer(predict_file, rows, out, catalogue, calibration, notes)


@app.command
def generation(
    rows: Path,
    *,
    out: Path,
    catalogue: tuple[Path, ...] = (),
    calibration: Path | None = None,
    notes: bool = False,
) -> None:
    """Seconds or pace of the images, videos and transcripts of a CSV file, with interval and limit.

    One line a row is written, in order. A row that is wrong or impossible has its reason in the column
    `refused`, and is no error: the exit code is 0 wherever the file itself could be read.

    Parameters
    ----------
    rows
        A CSV file with at least row, family, model, accelerator, scenario_or_setting and unit; rows of the
        families diffusion-image, diffusion-video and speech are answered, others left out.
    out
        The CSV file to write.
    catalogue
        A CSV file of facts in the catalogue's format, such as your own accelerator's; may be repeated.
    calibration
        A folder that `gigawright calibrate generation` has written; default: the package's own.
    notes
        Add the column `assumed`: what had to be filled in of the row.
    """
    from gigawright.workloads.generation.batch import predict_file

    _answer(predict_file, rows, out, catalogue, calibration, notes)


@app.command
def recommender(
    rows: Path,
    *,
    out: Path,
    catalogue: tuple[Path, ...] = (),
    calibration: Path | None = None,
    notes: bool = False,
) -> None:
    """Pace or latency of the recommenders of a CSV file, with interval and limit.

    One line a row is written, in order. A row that is wrong or impossible has its reason in the column
    `refused`, and is no error: the exit code is 0 wherever the file itself could be read.

    Parameters
    ----------
    rows
        A CSV file with at least row, family, model, accelerator, scenario_or_setting and unit; rows of the
        families recommender-inference and recommender-ranking are answered, others left out.
    out
        The CSV file to write.
    catalogue
        A CSV file of facts in the catalogue's format, such as your own accelerator's; may be repeated.
    calibration
        A folder that `gigawright calibrate recommender` has written; default: the package's own.
    notes
        Add the column `assumed`: what had to be filled in of the row.
    """
    from gigawright.workloads.recommender.batch import predict_file

    _answer(predict_file, rows, out, catalogue, calibration, notes)


@app.command
def pue(sites: Path, *, out: Path, calibration: Path | None = None, notes: bool = False) -> None:
    """What operators report as annual PUE and WUE of the sites of a CSV file, with the PUE's interval.

    One line a row is written, in order. A row that is wrong, or names no place (a fleet, a policy), has its
    reason in the column `refused`, and is no error: the exit code is 0 wherever the file could be read.

    Parameters
    ----------
    sites
        A CSV file with at least id, operator and lat_lon (`53.35,-6.26`); site, location and year are read
        too, and nothing that was reported.
    out
        The CSV file to write.
    calibration
        A folder that `gigawright calibrate pue` has written; default: the package's own.
    notes
        Add the column `assumed`: what had to be filled in of the row.
    """
    from gigawright.facility.reported.batch import predict_file
    from gigawright.terminal import Telling, tell_batch

    with Telling() as telling:
        batch = predict_file(sites, out, calibrated=calibration, notes=notes, told=telling)
    tell_batch(batch, out)


def _answer(
    predict_file: Callable[..., Counted],
    rows: Path,
    out: Path,
    catalogue: tuple[Path, ...],
    calibration: Path | None,
    notes: bool,
) -> None:
    """Predict the rows of a file and tell what became of them."""
    from gigawright.terminal import Telling, tell_batch

    with Telling() as telling:
        batch = predict_file(
            rows, out, catalogues=catalogue, calibrated=calibration, notes=notes, told=telling
        )
    tell_batch(batch, out)
