"""Files of runs: what is written for each row, and what stops the whole."""

from __future__ import annotations

import csv
import math
import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gigawright.errors import OutputError, UserError
from gigawright.workloads.batches import DIGITS, NOT_FINITE, NOTES
from gigawright.workloads.training import predictor
from gigawright.workloads.training.batch import OUTPUTS, Answer, predict_file
from gigawright.workloads.training.calibration import calibration
from gigawright.workloads.training.effects import KINDS
from gigawright.workloads.training.examples import llama_run
from gigawright.workloads.training.predictor import Predicted, predict_runs
from gigawright.workloads.training.rows import Row

GOOD = {
    "row_id": "good",
    "document": "",
    "software_release": "",
    "model": "Llama3-70B",
    "accelerator": "H100",
    "n_accel": "64",
    "seq_len": "8192",
    "gbs_seqs": "128",
    "mbs": "1",
    "tp": "4",
    "pp": "4",
    "cp": "1",
    "dp": "4",
    "zero_or_fsdp": "dist-optimizer (ZeRO-1)",
    "recompute": "none",
    "precision": "BF16",
    "step_time_s": "1.5",
    "tokens_per_s_per_accel": "600",
    "reported_tflops_per_accel": "300",
    "notes": "measured twice",
    "tier": "A",
}
OPEN = {**GOOD, "row_id": "open", "tp": "", "pp": "", "dp": "", "cp": "", "mbs": ""}
MOE = {**GOOD, "row_id": "moe", "model": "Mixtral-8x7B", "tp": "1", "dp": "16", "accelerator": "MI300X"}
LARGE = {**GOOD, "row_id": "large", "model": "Llama3.1-405B", "tp": "1", "pp": "1", "dp": "64"}
UNKNOWN = {**GOOD, "row_id": "unknown", "accelerator": "Warp Core 9"}
IMPOSSIBLE = {**GOOD, "row_id": "impossible", "tp": "16", "pp": "8", "dp": ""}
ROWS = (LARGE, GOOD, UNKNOWN, MOE, IMPOSSIBLE, OPEN)

OUTCOMES = ("step_time_s", "tokens_per_s_per_accel", "reported_tflops_per_accel", "notes", "tier")

Lines = list[dict[str, str]]


def written(path: Path, rows: tuple[dict[str, str], ...] | Lines) -> Path:
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def predicted(folder: Path, *rows: dict[str, str], notes: bool = False) -> Lines:
    out = folder / "predictions.csv"
    predict_file(written(folder / "runs.csv", rows), out, notes=notes)
    with out.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    return {line["row_id"]: line for line in predicted(tmp_path_factory.mktemp("batch"), *ROWS)}


def test_the_columns_are_those_of_the_contract(tmp_path: Path) -> None:
    runs = written(tmp_path / "runs.csv", [GOOD])
    head = (
        "row_id,step_time_s,tokens_per_s_per_accel,tokens_per_s_per_accel_p10,tokens_per_s_per_accel_p90,"
        "mfu,memory_gib,fits,limited_by,refused"
    )
    for notes, columns in ((False, head), (True, f"{head},assumed")):
        predict_file(runs, tmp_path / "out.csv", notes=notes)
        assert (tmp_path / "out.csv").read_text("utf-8").splitlines()[0] == columns


def test_every_row_is_answered_in_order(lines: dict[str, dict[str, str]]) -> None:
    assert list(lines) == [row["row_id"] for row in ROWS]


def test_refused_rows_have_a_reason_and_nothing_else(lines: dict[str, dict[str, str]]) -> None:
    refused = {name: line["refused"] for name, line in lines.items() if line["refused"]}
    assert set(refused) == {"unknown", "impossible"}
    assert "accelerator 'Warp Core 9' is not in the catalogue" in refused["unknown"]
    assert "tp x pp x cp is 128, at most n_accel 64" in refused["impossible"]
    for name in refused:
        assert {lines[name][column] for column in OUTPUTS if column not in ("row_id", "refused")} == {""}


@pytest.mark.parametrize("name", ["large", "good", "moe", "open"])
def test_numbers_belong_together(name: str, lines: dict[str, dict[str, str]]) -> None:
    line = lines[name]
    pace = float(line["tokens_per_s_per_accel"])
    tokens = pace * float(line["step_time_s"]) * 64
    assert tokens == pytest.approx(128 * 8192, rel=1e-4)
    assert 0 < float(line["tokens_per_s_per_accel_p10"]) < pace < float(line["tokens_per_s_per_accel_p90"])
    assert 0 < float(line["mfu"]) < 1
    numbers = [line[column] for column in OUTPUTS[1:7]]
    assert all(number == f"{float(number):.{DIGITS}g}" for number in numbers)


def test_what_does_not_fit_says_so_and_is_predicted_all_the_same(lines: dict[str, dict[str, str]]) -> None:
    assert (lines["large"]["fits"], lines["large"]["limited_by"]) == ("false", "memory capacity")
    assert (lines["open"]["fits"], lines["open"]["refused"]) == ("true", "")
    # 405 billion parameters of 2 bytes alone are 755 GiB.
    assert float(lines["large"]["memory_gib"]) > 755


def test_the_file_says_what_the_predictor_says(tmp_path: Path) -> None:
    batch = predict_file(written(tmp_path / "runs.csv", [GOOD]), tmp_path / "out.csv")
    run = batch.answers[0].row.run
    assert run is not None
    (again,) = predict_runs([run])
    cells = batch.answers[0].cells
    assert float(cells["memory_gib"]) == pytest.approx(again.memory_bytes / 2**30, rel=1e-5)
    assert float(cells["mfu"]) == pytest.approx(again.mfu, rel=1e-5)
    assert cells["limited_by"] == again.limited_by


def test_outcomes_are_not_looked_at(tmp_path: Path) -> None:
    before = predicted(tmp_path, *ROWS)
    rng = random.Random(3)
    shuffled = [{**row, **{name: f"{rng.random() * 1e4}" for name in OUTCOMES}} for row in ROWS]
    assert predicted(tmp_path, *shuffled) == before
    without = [{name: cell for name, cell in row.items() if name not in OUTCOMES} for row in ROWS]
    backwards = [dict(reversed(row.items())) for row in without]
    assert predicted(tmp_path, *backwards) == before


def test_the_input_is_left_as_it_is(tmp_path: Path) -> None:
    runs = written(tmp_path / "runs.csv", ROWS)
    before = runs.read_bytes()
    predict_file(runs, tmp_path / "out.csv")
    assert runs.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "runs.csv"]


def test_notes_tell_what_was_filled_in(tmp_path: Path) -> None:
    good, opened, unknown = predicted(tmp_path, GOOD, {**OPEN, "gbs_seqs": ""}, UNKNOWN, notes=True)
    assert good[NOTES] == ""
    assert {"layout", "batch"} <= set(opened[NOTES].split(";"))
    assert unknown[NOTES] == ""


def test_a_summary_counts_what_was_refused_filled_in_and_never_measured(tmp_path: Path) -> None:
    stranger = {**GOOD, "row_id": "stranger", "document": "A document of nobody", "software_release": "99"}
    batch = predict_file(written(tmp_path / "runs.csv", (*ROWS, stranger)), tmp_path / "out.csv")
    assert [answer.row.row_id for answer in batch.refused] == ["unknown", "impossible"]
    lines = (tmp_path / "out.csv").read_text("utf-8").splitlines()
    fits = [line["fits"] for line in csv.DictReader(lines)]
    assert batch.too_large == fits.count("false") >= 1
    assert batch.assumed["layout"] == 1
    assert batch.unmeasured["site"] == len(ROWS) + 1 - 2


def test_an_unknown_site_and_release_widen_the_interval(tmp_path: Path) -> None:
    known = calibration().effects.known.levels
    site = next(row[KINDS.index("site")] for row in known if row[KINDS.index("chip")] == "nv_h100_sxm")
    rows = [{**GOOD, "row_id": name, "document": name} for name in (site, "A document of nobody")]
    widths = [
        math.log(float(line["tokens_per_s_per_accel_p90"]) / float(line["tokens_per_s_per_accel_p10"]))
        for line in predicted(tmp_path, *rows)
    ]
    assert widths[0] < widths[1]


def test_a_file_without_rows_has_no_answers(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text(",".join(GOOD) + "\n", "utf-8")
    predict_file(tmp_path / "runs.csv", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text("utf-8").splitlines() == [",".join(OUTPUTS)]


def test_a_second_row_of_one_name_is_refused(tmp_path: Path) -> None:
    first, second = predicted(tmp_path, GOOD, GOOD)
    assert first["refused"] == ""
    assert "row_id 'good' is on line 2 already" in second["refused"]


def without(*names: str) -> bytes:
    return (",".join(name for name in GOOD if name not in names) + "\n").encode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (without("seq_len"), "missing column seq_len"),
        (without("row_id", "model"), "missing columns row_id, model"),
        (",".join(GOOD).encode() + "\nü".encode("latin-1"), "not UTF-8"),
        (",".join((*GOOD, "tp")).encode(), "tp named more than once"),
        (",".join(GOOD).encode() + b'\n"open', "not readable as CSV"),
    ],
)
def test_a_file_that_is_no_table_of_runs_is_told(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_bytes(content)
    with pytest.raises(UserError, match=words):
        predict_file(tmp_path / "runs.csv", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_an_absent_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"runs\.csv cannot be read: No such file"):
        predict_file(tmp_path / "runs.csv", tmp_path / "out.csv")


def a_folder(place: Path) -> Path:
    (place / "out").mkdir()
    return place / "out"


def the_input(place: Path) -> Path:
    return place / "folder" / ".." / "runs.csv"


def a_link_to_the_input(place: Path) -> Path:
    (place / "link.csv").symlink_to(place / "runs.csv")
    return place / "link.csv"


def a_twin_of_the_input(place: Path) -> Path:
    (place / "twin.csv").hardlink_to(place / "runs.csv")
    return place / "twin.csv"


def below_a_file(place: Path) -> Path:
    (place / "file").write_text("")
    return place / "file" / "deeper" / "out.csv"


def a_pipe(place: Path) -> Path:
    os.mkfifo(place / "pipe")
    return place / "pipe"


def too_long(place: Path) -> Path:
    return place / ("x" * 300)


def a_link_in_a_circle(place: Path) -> Path:
    (place / "circle").symlink_to(place / "circle")
    return place / "circle"


@pytest.mark.skipif(os.name != "posix", reason="needs links and fifos")
@pytest.mark.parametrize(
    ("out_of", "words"),
    [
        (a_folder, "is a folder"),
        (the_input, "is an input"),
        (a_link_to_the_input, "is an input"),
        (a_twin_of_the_input, "is an input"),
        (below_a_file, "file is a file"),
        (a_pipe, "no regular file"),
        (too_long, "cannot be written"),
        (a_link_in_a_circle, "cannot be written"),
    ],
)
def test_a_place_that_cannot_be_written_is_told_before_the_work(
    out_of: Callable[[Path], Path], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gigawright.workloads.training.batch.read_rows", lambda *_: pytest.fail("worked"))
    runs = written(tmp_path / "runs.csv", [GOOD])
    (tmp_path / "folder").mkdir()
    before = runs.read_bytes()
    with pytest.raises(OutputError, match=words):
        predict_file(runs, out_of(tmp_path))
    assert runs.read_bytes() == before


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs rights that a superuser ignores")
def test_a_folder_without_rights_is_told_before_the_work(tmp_path: Path) -> None:
    runs = written(tmp_path / "runs.csv", [GOOD])
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="you may not write in"):
        predict_file(runs, tmp_path / "closed" / "out.csv")


def test_folders_on_the_way_are_made_and_links_followed(tmp_path: Path) -> None:
    runs = written(tmp_path / "runs.csv", [GOOD])
    (tmp_path / "link.csv").symlink_to(tmp_path / "new" / "folder" / "out.csv")
    predict_file(runs, tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert len((tmp_path / "new" / "folder" / "out.csv").read_text("utf-8").splitlines()) == 2


def test_a_calibration_of_ones_own_is_used(tmp_path: Path) -> None:
    runs = written(tmp_path / "runs.csv", [GOOD])
    with pytest.raises(UserError, match="no calibration"):
        predict_file(runs, tmp_path / "out.csv", calibrated=tmp_path)
    (tmp_path / "training_constants.csv").write_text("kind,name\nconstant,gemm\n")
    (tmp_path / "training_rows.csv").write_text("row_id\n")
    with pytest.raises(UserError, match="no calibration that this version reads"):
        predict_file(runs, tmp_path / "out.csv", calibrated=tmp_path)


def test_equal_runs_are_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[object] = []
    fastest = predictor.fastest

    def counted(run: object, *rest: object) -> object:
        searched.append(run)
        return fastest(run, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(predictor, "fastest", counted)
    run = llama_run(layout=None)
    other = replace(run, seq_len=4096)
    found = predict_runs([run, other, replace(run), other])
    assert searched == [run, other]
    assert [one.run.seq_len for one in found] == [8192, 4096, 8192, 4096]
    assert found[0] == found[2] != found[1]


def test_blocks_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [llama_run(batch=2048 + 128 * more) for more in range(5)]
    together = predict_runs(runs)
    monkeypatch.setattr(predictor, "BLOCK", 2)
    for one, other in zip(predict_runs(runs), together, strict=True):
        assert one.tokens_per_s == pytest.approx(other.tokens_per_s, rel=1e-12)
        assert one.tokens_per_s_p10 == pytest.approx(other.tokens_per_s_p10, rel=1e-9)


def test_no_runs_have_no_predictions() -> None:
    assert predict_runs([]) == []


def test_numbers_that_overflow_are_refused() -> None:
    run = llama_run()
    answer = Answer(
        Row("r", 2, run), Predicted(run, run.layout, *[math.inf] * 6, fits=True, limited_by="compute")
    )
    assert answer.cells == {"row_id": "r", "refused": NOT_FINITE}


def test_less_than_2_per_cent_of_the_measured_runs_are_refused(shared_folder: Path, tmp_path: Path) -> None:
    runs = shared_folder / "truth" / "training_runs.csv"
    if not runs.is_file():
        pytest.skip(f"no measured runs at {runs}")
    batch = predict_file(runs, tmp_path / "out.csv")
    with runs.open(encoding="utf-8", newline="") as opened:
        tiers = {row["row_id"]: row["tier"] for row in csv.DictReader(opened)}
    assert [answer.row.row_id for answer in batch.answers] == list(tiers)
    for tier in ("A", "B"):
        rows = [answer for answer in batch.answers if tiers[answer.row.row_id] == tier]
        assert sum(bool(answer.refused) for answer in rows) < 0.02 * len(rows)
