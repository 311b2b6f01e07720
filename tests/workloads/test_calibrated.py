"""A calibration survives the disk, and a broken one is told as the reader's to mend."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from gigawright.errors import UserError
from gigawright.workloads.calibrated import (
    Calibrated,
    calibrated,
    compressed,
    file_names,
    parse,
    read,
    shipped,
    write,
)
from gigawright.workloads.calibrating import STANDARD_80, Problem, fit
from gigawright.workloads.hierarchy import Hierarchy, Observations
from gigawright.workloads.priors import Prior

PRIORS = {
    "rate": Prior("rate", 2.0, 0.5, "1", "seconds of the first part, one over", "made up"),
    "part": Prior("share", 0.25, 0.0, "1", 'a share, with "quotes", and commas', "made up"),
}
CLASSES = ("image", "video")
ROW_IDS = ("one", "two", "three")
FAMILY = "made_up"


def made() -> Calibrated:
    """Numbers of more digits than are written, a row without a level and one with an unknown one."""
    known = Observations(
        levels=[("NVIDIA", "H100, 80 GB"), ("NVIDIA", ""), ("?", "MI300X")],
        shares=np.array([[1 / 3, 2 / 3], [1.0, 0.0], [0.123456789, 0.876543211]]),
        residual=np.array([0.0123456789, -1 / 7, 0.0]),
        noise=np.array([0.01, 1 / 300, 2.5]),
    )
    return Calibrated(
        kinds=("vendor", "chip"),
        parts=("products", "prompt network"),
        classes=CLASSES,
        constants={"rate": np.pi, "part": 0.25},
        hierarchy=Hierarchy(np.array([[0.09, 1 / 30], [0.0225, 0.01]]), known),
        noises=np.array([1 / 30, 0.05]),
        scales=np.array([[1.23456789, 0.5], [0.7, 1.0]]),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a calibration in it."""
    write(tmp_path, FAMILY, made(), PRIORS, ROW_IDS)
    return tmp_path


def test_what_is_written_is_read(folder: Path) -> None:
    before, after = made(), read(folder, FAMILY, PRIORS)
    assert (after.kinds, after.parts, after.classes) == (before.kinds, before.parts, before.classes)
    assert after.hierarchy.known.levels == before.hierarchy.known.levels
    assert dict(after.constants) == pytest.approx(before.constants, rel=5e-6)
    np.testing.assert_allclose(after.hierarchy.variances, before.hierarchy.variances, rtol=1e-5)
    np.testing.assert_allclose(after.noises, before.noises, rtol=5e-6)
    np.testing.assert_allclose(after.scales, before.scales, rtol=5e-6)
    for name in ("shares", "residual", "noise"):
        written, kept = getattr(before.hierarchy.known, name), getattr(after.hierarchy.known, name)
        np.testing.assert_allclose(kept, written, rtol=5e-5, err_msg=name)


def test_a_second_round_changes_no_byte(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    again = tmp_path_factory.mktemp("again")
    write(again, FAMILY, read(folder, FAMILY, PRIORS), PRIORS, ROW_IDS)
    for name in file_names(FAMILY):
        assert (again / name).read_bytes() == (folder / name).read_bytes()


def test_a_fit_predicts_from_disk_as_from_memory(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    sizes, names = rng.lognormal(0, 1, (2, 40)), [("abcde"[n],) for n in rng.integers(0, 5, 40)]
    problem = Problem(
        priors=PRIORS,
        parts=("products", "prompt network"),
        kinds=("chip",),
        predict=lambda c, at: np.array([sizes[0, at] / c["rate"], sizes[1, at] * c["part"]]),
        measured=np.log(sizes[0] / 3 + sizes[1] / 4) + rng.normal(0, 0.1, 40),
        levels=names,
        noise_class=np.arange(40) % 2,
        spreads=(0.2,),
        noises=(0.1, 0.1),
    )
    kept = calibrated(problem, fit(problem), CLASSES, np.ones((2, 2)))
    wanted, shares, classes = [("a",), ("new",), ("",)], np.full((3, 2), 0.5), np.array([0, 1, 1])
    for found in (kept, compressed(kept)):
        rows = [str(place) for place in range(len(found.hierarchy.known.levels))]
        write(tmp_path, FAMILY, found, PRIORS, rows)
        after = read(tmp_path, FAMILY, PRIORS)
        assert len(after.hierarchy.known.levels) == len(rows)
        np.testing.assert_allclose(
            after.hierarchy.multipliers(wanted), kept.hierarchy.multipliers(wanted), atol=2e-4
        )
        widths = kept.half_width(wanted, shares, classes)
        np.testing.assert_allclose(after.half_width(wanted, shares, classes), widths, rtol=1e-3)
        assert after.constants["part"] == 0.25
    assert len(compressed(kept).hierarchy.known.levels) <= 5 * 2


def test_half_width_by_hand() -> None:
    found, levels = made(), [("", ""), ("new", "")]
    shares, classes = np.array([[0.5, 0.5], [0.6, 0.4]]), np.array([0, 1])
    open_variance = 0.36 * 0.09 + 0.16 / 30
    wanted = [
        STANDARD_80 * 1.23456789 / 30,
        STANDARD_80 * np.sqrt((0.5 * 0.05) ** 2 + 1.0**2 * open_variance),
    ]
    np.testing.assert_allclose(found.half_width(levels, shares, classes), wanted, rtol=1e-12)


def _edit(folder: Path, which: int, old: str, new: str) -> None:
    path = folder / file_names(FAMILY)[which]
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


BROKEN = {
    "a constant that is no number": (0, "3.14159", "three"),
    "a constant that is not finite": (0, "3.14159", "nan"),
    "a constant of another name": (0, "constant,rate", "constant,speed"),
    "no column of values": (0, "kind,name,value", "kind,name,worth"),
    "a spread without its part": (0, "vendor | products", "vendor"),
    "a spread that is missing": (0, "spread,chip | products", "spread,chop | products"),
    "a spread of nought": (0, "chip | products,0.15", "chip | products,0"),
    "no noise of a class": (0, "noise,video", "nose,video"),
    "no widening of a class": (0, '"levels, video"', '"level, video"'),
    "no column of a kind": (1, ",chip,", ",chips,"),
    "no column of a part": (1, "share of products", "share of sums"),
    "no column of residuals": (1, "residual", "left over"),
    "a share that is no number": (1, "0.33333", "a third"),
    "a share that is not finite": (1, "0.33333", "inf"),
    "a residual that is not finite": (1, "-0.14286", "nan"),
    "a noise that is not finite": (1, ",2.5", ",inf"),
    "a noise of nought": (1, ",2.5", ",0"),
    "a row cut short": (1, ",-0.14286,0.0033333", ""),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_told_with_its_folder(name: str, folder: Path) -> None:
    _edit(folder, *BROKEN[name])
    with pytest.raises(UserError) as caught:
        read(folder, FAMILY, PRIORS)
    assert str(folder) in str(caught.value)
    assert f"gigawright calibrate {FAMILY}" in str(caught.value)


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", None])
def test_an_empty_binary_or_missing_file_is_told(which: int, content: bytes | None, folder: Path) -> None:
    path = folder / file_names(FAMILY)[which]
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read(folder, FAMILY, PRIORS)
    assert str(folder) in str(caught.value)


def test_a_table_of_no_rows_is_told(folder: Path) -> None:
    path = folder / file_names(FAMILY)[1]
    path.write_text(path.read_text("utf-8").splitlines()[0] + "\n", "utf-8")
    with pytest.raises(UserError, match="no rows"):
        read(folder, FAMILY, PRIORS)


def test_a_row_without_a_name_is_not_dropped(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        write(tmp_path, FAMILY, made(), PRIORS, ROW_IDS[:2])


@pytest.mark.parametrize("family", ["serving", "generation", "recommender"])
def test_shipped_families_parse(family: str) -> None:
    priors = import_module(f"gigawright.workloads.{family}.constants").PRIORS
    found = shipped(family, priors)
    known, shape = found.hierarchy.known, (len(found.kinds), len(found.parts))
    assert set(found.constants) == set(priors)
    assert found.hierarchy.variances.shape == shape
    assert known.shares.shape == (len(known.levels), len(found.parts))
    assert {len(row) for row in known.levels} == {len(found.kinds)}
    assert found.scales.shape == (2, len(found.classes))
    numbers = [known.shares, known.residual, known.noise, found.noises, found.scales]
    assert all(np.isfinite(table).all() for table in numbers)
    assert min(known.noise.min(), found.noises.min(), found.hierarchy.variances.min()) > 0
    for name, prior in priors.items():
        value = found.constants[name]
        assert value > 0 if prior.kind == "rate" else 0 <= value <= 1, name
        assert prior.spread > 0 or value == pytest.approx(prior.value, rel=5e-6), name


def test_parse_reads_what_shipped_reads() -> None:
    from gigawright.workloads.generation.constants import PRIORS as OWN

    folder = Path(str(import_module("gigawright.workloads").__file__)).parent / "data"
    texts = [(folder / name).read_text("utf-8") for name in file_names("generation")]
    assert parse(texts[0], texts[1], OWN).constants == shipped("generation", OWN).constants
