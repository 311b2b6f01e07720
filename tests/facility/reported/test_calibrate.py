"""The model of reported PUE against reported values, sites left out; what ships is what is fitted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from gigawright.errors import OutputError, UserError
from gigawright.facility.reported import calibrate as calibrating
from gigawright.facility.reported.calibrate import Report, calibrate, recalibrate, table
from gigawright.facility.reported.predictor import calibration, predict, read_known
from gigawright.workloads.folds import read_folds

OPERATORS = ("Amazon Web Services", "Google Cloud", "Microsoft Azure")


@pytest.fixture(scope="module")
def folds(repository: Path) -> Path:
    return repository / "benchmarks" / "pue_folds.csv"


@pytest.fixture(scope="module")
def truth(shared_folder: Path) -> Path:
    return shared_folder / "truth" / "pue.csv"


@pytest.fixture(scope="module")
def report(truth: Path, folds: Path) -> Report:
    return calibrate(truth, folds, told=lambda text: None)


def test_a_site_left_out_is_predicted_better_than_by_the_best_constant(report: Report) -> None:
    assert len(report.measured) == 88
    assert np.median(report.errors("site")) <= 0.024
    assert np.median(report.errors("best constant")) == pytest.approx(0.03, abs=1e-9)
    assert np.median(report.errors("site")) < 0.75 * np.median(report.errors("physics alone"))


@pytest.mark.parametrize("operator", OPERATORS)
def test_no_operator_is_worse_than_its_own_median(report: Report, operator: str) -> None:
    rows = report.rows_of(operator)
    errors, rival = report.errors("site")[rows], report.errors("operator's own median")[rows]
    assert np.median(errors) <= np.median(rival) + 1e-9


@pytest.mark.parametrize("operator", OPERATORS)
def test_the_order_within_an_operator_is_right(report: Report, operator: str) -> None:
    rows = report.rows_of(operator)
    order = spearmanr(report.way("site").predicted[rows], report.reported[rows]).statistic
    assert order >= 0.5


def test_intervals_cover_four_of_five(report: Report) -> None:
    share, band = report.coverage("site")
    assert abs(share - 0.8) <= 2.0 * band
    assert band < 0.1
    assert report.coverage("operator")[0] >= 0.7


def test_water_is_within_a_factor_of_two(report: Report) -> None:
    assert len(report.water) >= 20
    assert np.median(report.water) < 2.0


def test_no_site_is_in_two_folds_and_each_is_named(report: Report, folds: Path) -> None:
    named = {fold for kind, _, fold in read_folds(folds) if kind == "site"}
    of_site: dict[str, set[str]] = {}
    for one in report.measured:
        of_site.setdefault(one.asked.name, set()).add(one.folds["site"])
    assert all(len(own) == 1 for own in of_site.values())
    assert {next(iter(own)) for own in of_site.values()} == named


def test_what_ships_is_what_is_fitted(report: Report) -> None:
    """Fails where the climates or the physics have changed since: `make calibrate-pue` refits."""
    shipped = calibration()
    for name, value in report.known.pue.constants.items():
        assert shipped.pue.constants[name] == pytest.approx(value, rel=0.05)
    asked = [one.asked for one in report.measured]
    for one, other in zip(predict(asked), predict(asked, report.known), strict=True):
        assert one.pue == pytest.approx(other.pue, abs=0.021)


def test_the_table_tells_all(report: Report) -> None:
    told = table(report)
    for name in ("site", "place", "operator", "operator's own median", "best constant", "physics alone"):
        assert f"| {name} | 88 |" in told
    for operator in OPERATORS:
        assert f"| {operator} |" in told
    assert "WUE, a site left out" in told


def test_a_calibration_is_written_and_read_again(
    report: Report, truth: Path, folds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibrating, "calibrate", lambda *args: report)
    _, folder = recalibrate(truth, folds, tmp_path / "new")
    again = read_known(folder)
    asked = [one.asked for one in report.measured[:20]]
    for one, other in zip(predict(asked, again), predict(asked, report.known), strict=True):
        assert one.pue == pytest.approx(other.pue, abs=0.011)
        assert one.pue_p90 == pytest.approx(other.pue_p90, abs=0.002)


def test_too_few_rows_are_told(truth: Path, folds: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.csv"
    few.write_text("\n".join(truth.read_text("utf-8").splitlines()[:6]) + "\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"5 rows are reported and readable \(0 refused\), at least 12"):
        calibrate(few, folds)


def test_a_folder_that_holds_no_calibration_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no calibration"):
        read_known(tmp_path)
    (tmp_path / "pue_heaps.csv").write_text("operator,generation\nA,first\n", encoding="utf-8")
    with pytest.raises(UserError, match="no table of heaps"):
        read_known(tmp_path)


def test_a_folder_that_cannot_be_written_is_told_first(truth: Path, folds: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="is a file"):
        recalibrate(truth, folds, tmp_path / "file" / "new")
