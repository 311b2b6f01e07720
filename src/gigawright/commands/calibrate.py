"""`gigawright calibrate`: the constants of models, fitted to measurements."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App

from gigawright.terminal import say

app = App(name="calibrate", help="Refit the constants of models to measurements, and print their errors.")


@app.command(name="training")
def training(
    runs: Path, *, families: Path, out: Path | None = None, catalogue: tuple[Path, ...] = ()
) -> None:
    """Refit the training model to measured runs, and print its errors on runs left out.

    Parameters
    ----------
    runs
        A CSV file of runs, with the columns group and tokens_per_s_per_accel beside those of a prediction.
    families
        A CSV file with the columns family and pattern: which names of models are left out together.
    out
        Folder to write; default: the package's own, where it is a checkout.
    catalogue
        A CSV file of facts in the catalogue's format, such as your own accelerator's; may be repeated.
    """
    from gigawright.catalogue.own import book_with
    from gigawright.terminal import Telling
    from gigawright.workloads.training.calibrate import table
    from gigawright.workloads.training.recalibrate import counted, recalibrate

    with Telling() as telling:
        report, folder = recalibrate(runs, families, out, book_with(catalogue), telling)
    say(f"{table(report)}\n\n{counted(report)}\nwritten to {folder}")


@app.command
def serving(
    rows: tuple[Path, ...], *, folds: Path, out: Path | None = None, catalogue: tuple[Path, ...] = ()
) -> None:
    """Refit the serving model to measured rows, and print its errors on rows left out.

    Parameters
    ----------
    rows
        CSV files as `gigawright predict serving` reads them, with measured columns: silicon_ttft_ms and
        silicon_tpot_ms, or output_tok_s_per_gpu.
    folds
        A CSV file with the columns fold and pattern: which ids of models are left out together.
    out
        Folder to write; default: the package's own, where it is a checkout.
    catalogue
        A CSV file of facts in the catalogue's format, such as your own accelerator's; may be repeated.
    """
    from gigawright.catalogue.own import book_with
    from gigawright.terminal import Counting, Telling
    from gigawright.workloads.serving.calibrate import table
    from gigawright.workloads.serving.recalibrate import counted, recalibrate

    counting = Counting("fits")
    with Telling() as telling:
        report, folder = recalibrate(rows, folds, out, book_with(catalogue), telling, counting)
        counting.clear()
    say(f"{table(report)}\n\n{counted(report)}\nwritten to {folder}")


@app.command
def generation(rows: Path, *, folds: Path, out: Path | None = None, catalogue: tuple[Path, ...] = ()) -> None:
    """Refit the model of images, videos and speech to measured rows, and print its errors on rows left out.

    Parameters
    ----------
    rows
        A CSV file as `gigawright predict generation` reads it, with the column value.
    folds
        A CSV file with the columns left_out, pattern and fold: which models, accelerators and submitters are
        left out together.
    out
        Folder to write; default: the package's own, where it is a checkout.
    catalogue
        A CSV file of facts in the catalogue's format, such as your own accelerator's; may be repeated.
    """
    from gigawright.catalogue.own import book_with
    from gigawright.terminal import Telling
    from gigawright.workloads.generation.calibrate import counted, recalibrate, table

    with Telling() as telling:
        report, folder = recalibrate(rows, folds, out, book_with(catalogue), telling)
    say(f"{table(report)}\n\n{counted(report)}\nwritten to {folder}")


@app.command
def recommender(
    rows: Path, *, folds: Path, out: Path | None = None, catalogue: tuple[Path, ...] = ()
) -> None:
    """Refit the recommender model to measured rows, and print its errors on rows left out.

    Parameters
    ----------
    rows
        A CSV file as `gigawright predict recommender` reads it, with the column value.
    folds
        A CSV file with the columns left_out, pattern and fold: which accelerators and submitters are left out
        together.
    out
        Folder to write; default: the package's own, where it is a checkout.
    catalogue
        A CSV file of facts in the catalogue's format, such as your own accelerator's; may be repeated.
    """
    from gigawright.catalogue.own import book_with
    from gigawright.terminal import Telling
    from gigawright.workloads.recommender.calibrate import recalibrate, table

    with Telling() as telling:
        report, folder = recalibrate(rows, folds, out, book_with(catalogue), telling)
    say(f"{table(report)}\n\nwritten to {folder}")


@app.command
def pue(sites: Path, *, folds: Path, out: Path | None = None) -> None:
    """Refit the model of reported PUE and WUE to reported values, and print its errors on sites left out.

    Parameters
    ----------
    sites
        A CSV file as `gigawright predict pue` reads it, with the column pue, and wue_l_per_kwh where known.
    folds
        A CSV file with the columns left_out, pattern and fold: which sites, and which places of several
        operators, are left out together.
    out
        Folder to write; default: the package's own, where it is a checkout.
    """
    from gigawright.facility.reported.calibrate import recalibrate, table
    from gigawright.terminal import Telling

    with Telling() as telling:
        report, folder = recalibrate(sites, folds, out, telling)
    say(f"{table(report)}\n\nwritten to {folder}")
